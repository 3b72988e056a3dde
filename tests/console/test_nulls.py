"""Does null in an optional field mean the same as a field that was left out, and is every other fault still found?"""

import json
from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from schemas.declaration import MOST_LINES, Declaration, Item
from schemas.release import PlaceWatch
from services.console import openapi
from services.console.api.bodies import long_lists
from services.console.api.nulls import is_optional
from services.console.api.nulls import validated as tried
from tests.declaration.good import good_declaration

PAPER = orjson.loads(good_declaration().model_dump_json())
OPTIONAL = [name for name, field in Declaration.model_fields.items() if not field.is_required()]
OF_A_LINE = [name for name, field in Item.model_fields.items() if not field.is_required()]


def validated(model: type[Declaration], data: bytes) -> Declaration:
    read = tried(model, data)
    if read.error is not None:
        raise read.error
    assert read.made is not None
    return read.made


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_field_may_be_null(name: str) -> None:
    without = {key: value for key, value in PAPER.items() if key != name}
    assert validated(Declaration, orjson.dumps({**PAPER, name: None})) == Declaration.model_validate(without)


@pytest.mark.parametrize("name", OF_A_LINE)
def test_so_may_one_of_a_line(name: str) -> None:
    first, second = PAPER["items"]
    without = {key: value for key, value in second.items() if key != name}
    declaration = validated(Declaration, orjson.dumps({**PAPER, "items": [first, {**second, name: None}]}))
    assert declaration == Declaration.model_validate({**PAPER, "items": [first, without]})


@pytest.mark.parametrize("name", ["reference", "declarant", "gross_mass_kg", "items"])
def test_a_field_that_must_be_there_may_not_be_null(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        validated(Declaration, orjson.dumps({**PAPER, name: None, "bill_no": None}))
    assert [each["loc"] for each in raised.value.errors()] == [(name,)]


def test_what_is_wrong_besides_is_still_told_and_nothing_else_changes() -> None:
    wrong = {**PAPER, "bill_no": None, "goods_place": 7, "packages": "many", "nothing": None}
    with pytest.raises(ValidationError) as raised:
        validated(Declaration, orjson.dumps(wrong))
    assert sorted(each["loc"] for each in raised.value.errors()) == [("goods_place",), ("nothing",), ("packages",)]
    heavy = json.dumps({**PAPER, "bill_no": None}).replace('"45"', "12345678901234.56789").encode()
    without = heavy.replace(b'"bill_no": null, ', b"")
    assert heavy != without
    assert validated(Declaration, heavy) == Declaration.model_validate_json(without), "digits stay as they were written"


def test_a_body_that_is_null_is_no_declaration() -> None:
    with pytest.raises(ValidationError):
        validated(Declaration, b"null")


def test_places_that_are_no_field_are_not_optional() -> None:
    assert is_optional(Declaration, ("items", 3, "unit")) and is_optional(Declaration, ("containers", 0, "seal_no"))
    assert not is_optional(Declaration, ("items", 3)) and not is_optional(Declaration, ("items", 3, "quantity"))
    assert not is_optional(Declaration, ("nothing", "unit")) and not is_optional(Declaration, ("reference", "unit"))
    assert is_optional(PlaceWatch, ("bill_no",))


@pytest.mark.parametrize(("count", "longest"), [(MOST_LINES, None), (MOST_LINES + 1, MOST_LINES), (5000, MOST_LINES)])
def test_a_list_may_be_as_long_as_one_that_is_made(count: int, longest: int | None) -> None:
    assert long_lists({"items": [{}] * count}, Declaration) == ({} if longest is None else {"items": longest})


@pytest.mark.parametrize("number", ["1e9999999999999999999", "1E400", "9" * 4000])
def test_a_number_beyond_every_type_is_a_fault_beside_a_null_too(number: str) -> None:
    heavy = orjson.dumps({**PAPER, "bill_no": None, "gross_mass_kg": 4321}).replace(b"4321", number.encode())
    read = tried(Declaration, heavy)
    assert read.error is not None and [each["loc"] for each in read.error.errors()] == [("gross_mass_kg",)]
    assert number.encode() in read.data and b'"bill_no"' not in read.data


def test_the_document_says_so_of_each_optional_field_of_a_body() -> None:
    document = orjson.loads(Path(openapi.__file__).with_name("openapi.json").read_bytes())
    schemas = document["components"]["schemas"]
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    objects = [schemas[body["$ref"].rpartition("/")[2]] if "$ref" in body else body for body in bodies]
    objects += [schemas[name] for name in ("Item", "DeclaredContainer", "Reading")]
    optional = [
        (name, field)
        for each in objects
        for name, field in each["properties"].items()
        if name not in each.get("required", ())
    ]
    assert len(optional) > 30
    assert [name for name, field in optional if {"type": "null"} not in field.get("anyOf", ())] == []
