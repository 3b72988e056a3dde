"""If a field of a declaration has a wrong type or length (a fault of shape), does one answer name this fault and also
the faults of content, at each address that accepts declarations?"""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes.checks import CheckCode
from schemas.declaration import MOST_CONTAINERS, MOST_LINES, Declaration
from services.cli.outcomes import taken
from services.console.api.bodies import FaultyBody, strict_json
from services.console.api.papers import declared
from services.console.api.problems import SHOWN_ERRORS, Problem
from services.console.api.requests import SHOWN_IN_BATCH
from tests.console.conftest import Running
from tests.console.still import BROWSER
from tests.console.test_api import JSON, problem
from tests.console.test_pages import post
from tests.hostile.bodies import SEPARATORS, worst
from tests.hostile.bodies import paper as some_paper


def paper(reference: str = "ROUND-0", **changed: Any) -> dict[str, Any]:
    """A declaration in which no check finds anything, with `changed` in place of its own fields."""
    made = some_paper(reference)
    return {**made, "consignee": made["declarant"], **changed}


def refused(body: Any, shown: int = SHOWN_ERRORS) -> FaultyBody:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    read = declared(data, strict_json(data, SEPARATORS), shown=shown)
    assert isinstance(read, FaultyBody)
    return read


def pairs(errors: list[Any]) -> list[tuple[str, str]]:
    return [(each["pointer"], each["code"]) if isinstance(each, dict) else (each.pointer, each.code) for each in errors]


def wrong(**more: Any) -> dict[str, Any]:
    """A declaration with a fault of shape (`packages` is a text), a wrong `invoice_total`, and a unit that is in no
    table."""
    first, *others = paper()["items"]
    lines = [{**first, "unit": "999"}, *others]
    return paper(**{"reference": "ROUND-1", "packages": "10", "invoice_total": "1", "items": lines, **more})


EVERYTHING = [("/packages", "int_type"), ("/invoice_total", "invoice_total_differs"), ("/items/0/unit", "unit_unknown")]


def test_one_answer_to_a_declaration_has_the_faults_of_shape_and_of_content(console: Running) -> None:
    answer = console.api("POST", "/declarations", content=orjson.dumps(wrong()), headers=JSON)
    details = problem(answer, 422, "invalid")
    assert pairs(details["errors"]) == EVERYTHING
    packages, total, unit = details["errors"]
    assert (packages["severity"], packages["seen"], packages["nearest"], packages["seen_text"]) == (
        "error",
        "10",
        [],
        None,
    )
    assert total["seen_text"]["zh"] != total["seen_text"]["en"] and total["message_zh"] != total["message_en"]
    assert unit["nearest"] and unit["seen"] == "999"
    assert "3" in details["detail"] and "3" in details["detail_zh"]


def test_so_has_the_answer_to_each_of_a_batch(console: Running) -> None:
    batch = [paper("ROUND-2"), wrong(), wrong(reference="ROUND-3", containers=[{"container_no": "CSQU3054384"}])]
    answer = console.api("POST", "/declarations/batch", content=orjson.dumps(batch), headers=JSON)
    good, one, other = answer.json()["results"]
    assert (good["status_code"], one["faults"], other["faults"]) == (202, 3, 4)
    assert pairs(one["errors"]) == [(f"/declarations/1{pointer}", code) for pointer, code in EVERYTHING]
    (digit,) = [each for each in other["errors"] if each["severity"] == "warning"]
    assert (digit["pointer"], digit["code"]) == (
        "/declarations/2/containers/0/container_no",
        CheckCode.CONTAINER_CHECK_DIGIT,
    )


def test_a_batch_full_of_wrong_codes_is_not_searched_without_end(console: Running) -> None:
    goods = paper()["items"][0]
    wrong_codes = dict.fromkeys(("unit", "first_unit", "second_unit", "origin_country", "currency"), "zz")
    batch = [paper(f"MANY-{each}", packages="1", items=[{**goods, **wrong_codes}] * 19) for each in range(12)]
    body = orjson.dumps(batch)
    answer = console.api("POST", "/declarations/batch", content=body, headers=JSON)
    codes = [code for each in answer.json()["results"] for _, code in pairs(each["errors"])]
    assert len(batch) * 19 * len(wrong_codes) > SHOWN_IN_BATCH
    assert len(codes) == SHOWN_IN_BATCH


@pytest.mark.parametrize(("language", "mark"), [("zh", "提示："), ("en", "Warning: ")])
def test_so_has_the_page_in_one_language(console: Running, language: str, mark: str) -> None:
    body = json.dumps(wrong(containers=[{"container_no": "CSQU3054384"}]))
    page = post(console, "/lodge", data={"body": body}, headers={**BROWSER, "accept-language": language})
    assert page.status_code == 422
    for pointer, _ in EVERYTHING:
        assert f"<code>{pointer}</code>" in page.text
    assert f"<code>/containers/0/container_no</code> {mark}" in page.text


def test_dtg_declare_tells_all_of_it() -> None:
    errors = [
        each.model_dump(mode="json") for each in refused(wrong(containers=[{"container_no": "CSQU3054384"}])).faults
    ]
    outcome = taken("http://x", {"status_code": 422, "errors": errors, "faults": len(errors)}, "ROUND-1")
    in_order = sorted(errors, key=lambda each: each["severity"] == "warning")  # what must be corrected comes first
    assert [why.split()[:2] for why in outcome.why] == [[*each] for each in pairs(in_order)]
    (total,) = [why for why in outcome.why if "invoice_total" in why]
    (texts,) = [each["seen_text"] for each in errors if each["pointer"] == "/invoice_total"]
    assert f"{texts['zh']} {texts['en']}" in total
    assert [why.split()[2] for why in outcome.why if "check_digit" in why] == ["提示"]


def test_a_list_that_is_too_long_hides_no_other_fault() -> None:
    goods = paper()["items"][0]
    many = [goods] * (MOST_LINES + 20)
    many[3] = {**goods, "quantity": "1_0", "unit": "999"}
    read = refused(paper(items=many, packages="10", bill_no="", goods_place=None))
    assert pairs(read.faults) == [
        *[("/items", "too_long"), ("/packages", "int_type"), ("/items/3/quantity", "decimal_parsing")],
        *[("/bill_no", "bill_missing"), ("/items/3/unit", "unit_unknown")],
    ]
    assert read.count == 5 and read.faults[0].seen == str(MOST_LINES + 20)


def test_neither_do_two_of_them_and_nothing_is_said_of_their_rest() -> None:
    goods = paper()["items"][0]
    boxes = [{"container_no": "CSQU3054383"}] * MOST_CONTAINERS + [{"container_no": 7}]
    read = refused(paper(items=[goods] * MOST_LINES + ["x"], containers=boxes, packages=0))
    kinds = {code for _, code in pairs(read.faults)}
    assert kinds == {"too_long", "packages_missing", "container_twice"}
    assert read.count == len(read.faults) == SHOWN_ERRORS


def test_an_optional_field_that_is_null_is_left_out_and_judged_so() -> None:
    read = refused(paper(packages=None, wood_packaging="no", bill_no=None))
    assert pairs(read.faults) == [
        *[("/wood_packaging", "bool_type"), ("/bill_no", "bill_missing"), ("/packages", "packages_missing")],
    ]


def test_only_so_much_is_looked_for_as_can_be_shown() -> None:
    read = refused(wrong(), shown=2)
    assert pairs(read.faults) == EVERYTHING[:2] and read.count == 2
    assert pairs(refused(wrong(), shown=1).faults) == EVERYTHING[:1]
    assert refused(wrong(), shown=0).faults == []


def test_a_paper_without_a_fault_of_shape_is_left_to_the_desk() -> None:
    data = json.dumps(wrong(packages=0)).encode()
    assert isinstance(declared(data, strict_json(data, SEPARATORS)), Declaration)


@pytest.mark.parametrize("name", [name for name, (path, _) in worst().items() if path == "/declarations"])
def test_the_worst_bodies_have_no_more_faults_than_are_shown(name: str) -> None:
    _, data = worst()[name]
    try:
        read = declared(data, strict_json(data, SEPARATORS))
    except Problem:  # the body is no JSON, or exceeds a limit
        return
    assert isinstance(read, Declaration) or len(read.faults) <= SHOWN_ERRORS


SHAPES = [("packages", "10", "int_type"), ("goods_place", 7, "string_type"), ("wood_packaging", "no", "bool_type")]
CONTENTS = [
    *[("bill_no", "", "bill_missing"), ("trade_mode", "9710", "trade_mode_of_other_direction")],
    *[("invoice_total", "1", "invoice_total_differs"), ("declarant", "ACME", "declarant_invalid")],
    *[("net_mass_kg", "99999999", "net_above_gross"), ("currency", "XXY", "currency_unknown")],
]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(SHAPES), min_size=1, unique_by=lambda each: each[0]),
    st.lists(st.sampled_from(CONTENTS), min_size=1, unique_by=lambda each: each[0]),
)
def test_a_fault_of_shape_and_one_of_content_elsewhere_give_both_and_each_once(
    shapes: list[tuple[str, Any, str]], contents: list[tuple[str, Any, str]]
) -> None:
    faults = pairs(refused(paper(**{name: value for name, value, _ in [*shapes, *contents]})).faults)
    for name, _, code in [*shapes, *contents]:
        assert faults.count((f"/{name}", code)) == 1
    for name, _, _ in shapes:
        assert len([each for each in faults if each[0] == f"/{name}"]) == 1
