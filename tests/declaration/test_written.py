"""Is a declaration refused if a number, a boolean or a code in it does not have its JSON type?"""

import copy
from decimal import Decimal
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.declaration import Declaration, LodgeDeclaration
from schemas.gate import RecordEquipmentEvent
from schemas.quarantine import RecordTreatment
from services.console.api.requests import BODIES
from services.declaration.decider import is_same_paper, paper
from services.shell.codec import Raw, Undecodable, decode, encode
from tests.declaration.good import good_item, lodge

GOOD = orjson.loads(encode(lodge()))
Path = tuple[str | int, ...]
NO_NUMBER = ("1_0", "+10", " 10 ", "10\n", "１０", "١٠", "0x10", "10.", ".5", "010", "", "ten", True)
REFUSED: list[tuple[Path, Any]] = [
    *[(("packages",), each) for each in ("10", *NO_NUMBER, 10.5, 10.0)],
    *[(("containers", 0, "shared_by"), each) for each in ("1", True, 1.0)],
    *[(("gross_mass_kg",), each) for each in NO_NUMBER],
    *[(("items", 1, "unit_price"), each) for each in NO_NUMBER],
    *[(("wood_packaging",), each) for each in ("yes", "true", "on", 1, 0, "")],
    *[(("conveyance_entry_date",), each) for each in (46_000, "46000", "2026-1-2", "20260102", "2026/01/02")],
    (("items", 0, "hs_code"), 8_471_300_000),
    (("customs_office",), 4201),
    (("items", 1, "unit"), 1),
]


def with_value(path: Path, value: Any) -> dict[str, Any]:
    """The good request with `value` at `path` of its declaration."""
    body: dict[str, Any] = copy.deepcopy(GOOD)
    node = body["declaration"]
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return body


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_what_is_not_written_as_json_writes_it_is_refused_with_its_place(path: Path, value: Any) -> None:
    body = with_value(path, value)
    with pytest.raises(ValidationError) as at_the_door:
        Declaration.model_validate_json(orjson.dumps(body["declaration"]))
    assert [fault["loc"] for fault in at_the_door.value.errors()] == [path]
    message = Raw(
        "customs-declaration-requests",
        0,
        0,
        GOOD["consignment_id"].encode(),
        orjson.dumps(body),
        {"ce_type": b"LodgeDeclaration", "ce_id": b"1"},
    )
    with pytest.raises(Undecodable, match="/" + "/".join(map(str, ("declaration", *path)))):
        decode(LodgeDeclaration, message)


@pytest.mark.parametrize(
    ("path", "value"),
    [(("packages",), "1_0"), (("packages",), " 10 "), (("gross_mass_kg",), "１０"), (("items", 1, "unit_price"), "+10")]
    + [(("wood_packaging",), each) for each in ("yes", 1, "true")],
)
def test_what_was_stored_before_stays_readable(path: Path, value: Any) -> None:
    stored = LodgeDeclaration.read_stored(orjson.dumps(with_value(path, value)))
    again = LodgeDeclaration.model_validate_json(encode(stored))
    assert again.declaration == stored.declaration, "and what is written of it is written as JSON writes it"


@pytest.mark.parametrize("value", ["10", "10.5", "-0.5", "0", 10, 10.5, "1e1", "1E+1"])
def test_a_decimal_number_is_a_json_number_or_the_text_of_one(value: Any) -> None:
    read = Declaration.model_validate_json(orjson.dumps(with_value(("gross_mass_kg",), value)["declaration"]))
    assert read.gross_mass_kg == Decimal(str(value))


@pytest.mark.parametrize("value", [None, [], {}, True])
def test_what_is_no_number_at_all_is_told_to_be_none_and_not_to_be_no_text(value: Any) -> None:
    for path in (("gross_mass_kg",), ("items", 1, "quantity")):
        with pytest.raises(ValidationError) as refused:
            Declaration.model_validate_json(orjson.dumps(with_value(path, value)["declaration"]))
        assert [(fault["loc"], fault["type"]) for fault in refused.value.errors()] == [(path, "decimal_parsing")]


TOO_FAR = ("0e-999999999", "-0E-100", "0e-999999999999999999", "0e999999999", "1e100", "0.0e-0000100")


@pytest.mark.parametrize("written", TOO_FAR)
def test_a_number_whose_point_is_far_from_its_digits_is_no_number(written: str) -> None:
    """The desk compares papers by their numbers without exponents. An older version accepted a zero with the exponent
    -999999999, whose text without an exponent has a gigabyte."""
    for path in (("gross_mass_kg",), ("items", 0, "unit_price")):
        with pytest.raises(ValidationError) as refused:
            Declaration.model_validate_json(orjson.dumps(with_value(path, written)["declaration"]))
        assert [fault["type"] for fault in refused.value.errors()] == ["decimal_parsing"]
    with pytest.raises(ValidationError):
        good_item(unit_price=Decimal(written))
    for model in (RecordTreatment, BODIES[RecordTreatment]):
        with pytest.raises(ValidationError) as refused:
            model.model_validate_json(orjson.dumps({"dose_g_m3": written}))
        assert ("dose_g_m3",) in [fault["loc"] for fault in refused.value.errors()], model


def test_a_zero_that_was_stored_with_such_an_exponent_is_a_short_number() -> None:
    stored = LodgeDeclaration.read_stored(orjson.dumps(with_value(("items", 0, "unit_price"), "0e-999999999999999999")))
    zero = LodgeDeclaration.read_stored(orjson.dumps(with_value(("items", 0, "unit_price"), "0")))
    assert is_same_paper(paper(zero.declaration), stored.declaration)


@pytest.mark.parametrize("written", ["1e3", "1E+003", "0e-20", "1e-05", "100e-2"])
def test_an_exponent_that_programs_write_is_read(written: str) -> None:
    read = Declaration.model_validate_json(orjson.dumps(with_value(("gross_mass_kg",), written)["declaration"]))
    assert read.gross_mass_kg == Decimal(written)


def test_the_same_holds_for_every_request_and_for_the_bodies_in_which_it_is_asked() -> None:
    for model, name, wrong in (
        (RecordTreatment, "attempt", ("1", True, 1.0)),
        (BODIES[RecordTreatment], "attempt", ("1", True, 1.0)),
        (BODIES[RecordTreatment], "dose_g_m3", ("４８", "+48", " 48 ")),
        (RecordEquipmentEvent, "laden", ("yes", 1, "true")),
        (BODIES[RecordEquipmentEvent], "laden", ("yes", 1, "true")),
    ):
        for value in wrong:
            with pytest.raises(ValidationError) as refused:
                model.model_validate_json(orjson.dumps({name: value}))
            assert (name,) in [fault["loc"] for fault in refused.value.errors()], (model, name, value)


def test_a_number_that_a_form_carries_as_text_is_one_too() -> None:
    with pytest.raises(ValidationError) as refused:
        RecordTreatment.model_validate({"dose_g_m3": "４８"})
    assert ("dose_g_m3",) in [fault["loc"] for fault in refused.value.errors()]
