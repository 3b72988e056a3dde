"""Does each code of a fault in a request have an example that reaches it, with a pointer and words in both
languages?"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.console.api.problems import Problem
from services.console.language.words import TEXTS
from services.console.pages.forms import _readings
from services.shell.clock import now
from tests.console.still import Still

PAPER: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "declaration.json").read_text(encoding="utf-8")
)
EVENT = {"event": "DISC", "place": "berth 1", "occurred_at": "2026-11-23T08:00:00+08:00"}
BOX = "/api/v1/containers/CSQU3054383/events"


def lodged(**changed: Any) -> tuple[str, dict[str, Any]]:
    return "/api/v1/declarations", {**PAPER, **changed}


def event_with(**changed: Any) -> tuple[str, dict[str, Any]]:
    return BOX, {**EVENT, **changed}


def line(**changed: Any) -> tuple[str, dict[str, Any]]:
    return lodged(items=[{**PAPER["items"][0], **changed}])


EXAMPLES: dict[str, tuple[tuple[str, Any], str]] = {
    "missing": (("/api/v1/declarations", {}), "/reference"),
    "extra_forbidden": (lodged(colour="red"), "/colour"),
    "string_type": (lodged(goods_place=7), "/goods_place"),
    "string_too_short": (lodged(reference=""), "/reference"),
    "string_too_long": (lodged(reference="R" * 36), "/reference"),
    "string_pattern_mismatch": (lodged(reference="R\u202e1"), "/reference"),
    "int_type": (lodged(packages="40"), "/packages"),
    "bool_type": (lodged(wood_packaging="yes"), "/wood_packaging"),
    "decimal_parsing": (line(quantity="1_0"), "/items/0/quantity"),
    "decimal_max_digits": (line(quantity="1" * 30), "/items/0/quantity"),
    "decimal_max_places": (line(quantity="1.00000001"), "/items/0/quantity"),
    "decimal_whole_digits": (line(quantity="1" * 18), "/items/0/quantity"),
    "date_parsing": (lodged(conveyance_entry_date="23.11.2026"), "/conveyance_entry_date"),
    "datetime_parsing": (event_with(occurred_at="2026-11-23 08:00"), "/occurred_at"),
    "in_future": (event_with(occurred_at=(now() + timedelta(hours=2)).isoformat()), "/occurred_at"),
    "too_long_ago": (event_with(occurred_at=(now() - timedelta(days=732)).isoformat()), "/occurred_at"),
    "enum": (lodged(direction="X"), "/direction"),
    "greater_than_equal": (lodged(containers=[{"container_no": "CSQU3054383", "shared_by": 0}]), "/containers/0/shared_by"),
    "less_than_equal": (lodged(packages=1_000_000_000), "/packages"),
    "too_long": (lodged(containers=[{"container_no": "CSQU3054383"}] * 201), "/containers"),
    "list_type": (lodged(items=7), "/items"),
    "object_type": (lodged(items=[7]), "/items/0"),
    "one_of_two": (("/api/v1/watches", {"bill_no": "A1", "declarant": PAPER["declarant"], "reason": "a tip"}), "/bill_no"),
    "unknown_parameter": (("/api/v1/declarations?colour=red", PAPER), "/query/colour"),
    "parameter_twice": (("/api/v1/releases?after=0&after=1", None), "/query/after"),
    "duplicate_key": (("/api/v1/declarations", '{"reference": "A", "reference": "B"}'), ""),
}  # fmt: skip
UNREACHED = {"too_short", "not_finite"}
"""Codes that no request can cause now, because lists have no minimum length, and a number must be written in digits."""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    made = Still(tmp_path_factory.mktemp("faults"))
    yield made
    made.stop()


def test_each_code_of_a_fault_has_an_example() -> None:
    codes = {key.removeprefix("fields.") for key in TEXTS if key.startswith("fields.")}
    assert {*EXAMPLES, "bad_readings"} == codes - UNREACHED


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_of_a_fault_reaches_it(still: Still, code: str) -> None:
    (path, body), pointer = EXAMPLES[code]
    sent = {} if body is None else {"method": "POST", "content": body if isinstance(body, str) else json.dumps(body)}
    answer = still.get(path, headers={"accept": "application/json", "content-type": "application/json"}, **sent)
    assert answer.status_code in (400, 422), answer.text
    faults = {(each["pointer"], each["message_en"]): each for each in answer.json()["errors"]}
    texts = TEXTS[f"fields.{code}"]
    found = [each for (where, _), each in faults.items() if where == pointer]
    assert found, answer.text
    beginning = texts.en.partition("{")[0]
    assert any(each["message_en"].startswith(beginning) and each["message_zh"] for each in found), answer.text


def test_every_line_of_readings_that_is_none_is_pointed_at_as_the_api_counts_them() -> None:
    with pytest.raises(Problem) as caught:
        _readings("0.5, 56.4\n\n2 hours\n3, 56.4\n4 57\n")
    found = [(fault.pointer, fault.code, fault.seen) for fault in caught.value.errors]
    assert found == [("/readings/1", "bad_readings", "2 hours"), ("/readings/3", "bad_readings", "4 57")]
    assert "line 3" in caught.value.errors[0].message_en and caught.value.details().detail.startswith("Faults: 2")
