"""Do tests use codes that exist? A test with a code of a refusal, an office or a schedule that is in no table proves
nothing about real codes."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.codes import countries, currencies, hs, offices, trade, units
from schemas.codes.checks import CHECKS
from schemas.codes.refusals import REFUSALS
from schemas.codes.schedules import ROWS
from schemas.topics import KINDS
from schemas.vocabulary import ControlKind
from services.gate.same_goods import BY_BILL, BY_BOX
from services.risk.rules import RULES
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
ORIGINS = {"risk", *ControlKind}
HOLD = re.compile(
    rf"assessment|arrival|inspection/({'|'.join(ControlKind)})|quarantine/({'|'.join(ORIGINS)})|gate/.+|officer/.+"
)


def is_hs_code(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) in (6, 10) and hs.EDITIONS[-1].has(value)


KNOWN: dict[str, Callable[[str], bool]] = {
    "refusal": REFUSALS.__contains__,
    "finding": CHECKS.__contains__,
    "refusal or finding": lambda value: value in REFUSALS or value in CHECKS,
    "hs_code": is_hs_code,
    "customs_office": offices.OFFICES.__contains__,
    "trade_mode": trade.TRADE_MODES.__contains__,
    "transport_mode": trade.TRANSPORT_MODES.__contains__,
    "package_kind": trade.PACKAGE_KINDS.__contains__,
    "unit": units.UNITS.__contains__,
    "currency": currencies.CURRENCIES.__contains__,
    "country": countries.NAMES.__contains__,
    "hold_id": lambda value: HOLD.fullmatch(value) is not None,
    "origin": ORIGINS.__contains__,
    "schedule": {row.schedule for row in ROWS}.__contains__,
    "rule": {rule.name for rule in RULES}.__contains__,
    "same_goods": {BY_BILL, BY_BOX}.__contains__,
    "lifted_by": KINDS.__contains__,
}
"""Sort of code → a function that returns whether a text is an existing code of this sort."""
NAMED = {
    "hs_code": "hs_code",
    "customs_office": "customs_office",
    "trade_mode": "trade_mode",
    "transport_mode": "transport_mode",
    "package_kind": "package_kind",
    "currency": "currency",
    "departure_country": "country",
    "destination_country": "country",
    "origin_country": "country",
    "first_unit": "unit",
    "second_unit": "unit",
    "schedule": "schedule",
}
"""Name of a field of any class → the sort of code that it contains."""
ARGUMENTS: dict[tuple[str, str | int], str] = {
    ("RequestRefused", "code"): "refusal",
    ("request_refused", 2): "refusal",
    ("then_refused", 0): "refusal",
    ("Finding", "code"): "finding",
    ("Item", "unit"): "unit",
    ("good_item", "unit"): "unit",
    ("Hold", "hold_id"): "hold_id",
    ("Hold", "lifted_by"): "lifted_by",
    ("LiftHold", "hold_id"): "hold_id",
    ("ReleaseRefused", "cause"): "hold_id",
    ("FiredRule", "rule"): "rule",
    ("SameGoodsDeclared", "rule"): "same_goods",
    **{(name, "origin"): "origin" for name, kind in KINDS.items() if "origin" in kind.model_fields},
}
"""Function or class, and the name or position of an argument → the sort of code that it takes."""
BUILDERS: dict[tuple[str, str | int], str] = {
    ("line", 0): "hs_code",
    ("line", "unit"): "unit",
    ("lift_hold", 0): "hold_id",
    ("open_hold", 0): "hold_id",
    ("open_hold", 3): "lifted_by",
    ("release_refused", 1): "hold_id",
}
"""Like ARGUMENTS, but only for the tests of desks, because elsewhere other functions have the same names."""
ANSWERS = frozenset({"code", "codes"})
"""Names of functions and fields in the tests of desks whose values are codes of refusals or findings."""
DESKS = ("declaration", "risk", "inspection", "quarantine", "release", "gate", "clearance", "journeys")
UNKNOWN = {
    "console/desk_phrases.py": {"4299", "9999"},
    "declaration/test_declaration_desk.py": {
        *("0000", "5000", "5304"),
        *("110", "1120", "9999", "A", "77"),
        *(
            "84713",
            "84713000000",
            "８４７１３０",
            "7701000000",
            "8473100000",
            "847313",
            "8471310000",
            "8517120000",
            "9999990000",
        ),
        *("999", "XXX", "XX", "kr"),
    },
    "declaration/test_form.py": {"XX", "999"},
    "declaration/test_sound_fields.py": {"XX"},
    "kafka/test_bad_input.py": {"5000", "ZZZ"},
    "shell/test_bounded.py": {"42\x0001"},
}
"""Test file → the codes in it that do not exist or are written wrongly on purpose."""


def texts(node: ast.AST | None) -> Iterator[str]:
    """The text, if this node is a text literal; if it is a list, tuple or set, the texts of its items."""
    match node:
        case ast.Constant(value=str(value)) if value:
            yield value
        case ast.List(elts=each) | ast.Tuple(elts=each) | ast.Set(elts=each):
            for one in each:
                yield from texts(one)


def name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=func):
            return name_of(func)
        case ast.ListComp(elt=one):
            return name_of(one)
    return ""


def codes_in(source: str, of_a_desk: bool) -> Iterator[tuple[str, str]]:
    """Yields the sort and the text of each code in this source. `of_a_desk`: whether it is a test of a desk."""
    arguments_of = ARGUMENTS | BUILDERS if of_a_desk else ARGUMENTS
    for node in ast.walk(tree_of(source)):
        match node:
            case ast.Call(func=func, args=positional, keywords=keywords):
                arguments: list[tuple[int | str, ast.expr]] = [*enumerate(positional)]
                arguments += [(each.arg, each.value) for each in keywords if each.arg]
                for where, value in arguments:
                    of = arguments_of.get((name_of(func), where)) or NAMED.get(str(where))
                    yield from [(of, text) for text in texts(value) if of]
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    of = NAMED.get(next(texts(key), ""))
                    yield from [(of, text) for text in texts(value) if of]
            case ast.arguments(args=positional, kwonlyargs=named):
                behind = positional[len(positional) - len(node.defaults) :]
                for parameter, default in [
                    *zip(behind, node.defaults, strict=True),
                    *zip(named, node.kw_defaults, strict=True),
                ]:
                    of = NAMED.get(parameter.arg)
                    yield from [(of, text) for text in texts(default) if of]
            case ast.Compare(left=left, comparators=[right]) if of_a_desk and name_of(left) in ANSWERS:
                yield from [("refusal or finding", text) for text in texts(right)]


def unknown(path: Path) -> set[str]:
    of_a_desk = path.parent.name in DESKS
    return {text for of, text in codes_in(path.read_text(encoding="utf-8"), of_a_desk) if not KNOWN[of](text)}


def test_every_code_in_a_test_exists_but_where_the_test_is_about_one_that_does_not() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path != Path(__file__) and (codes := unknown(path)):
            found[path.relative_to(ROOT / "tests").as_posix()] |= codes
    assert found == UNKNOWN


@pytest.mark.parametrize(
    "source",
    [
        'good_item(hs_code="8471310000")',
        'line("8471310000")',
        '{"customs_office": "0000"}',
        'def accepted(trade_mode: str = "110") -> None: ...',
        'def accepted(*, trade_mode: str = "110") -> None: ...',
        'RequestRefused(code="hs_unknown")',
        'story.then_refused("not_known")',
        'assert code(story) == "not_known"',
        'assert [fact.code for fact in facts] == ["not_known"]',
        'assert facts[0].model_dump()["code"] == "not_known"',
        'Finding(code="hs_unknown")',
        'lift_hold("officers/1")',
        'TreatmentVerified(origin="inspections", schedule="HT")',
        'FiredRule(rule="wood_from_pest_area")',
    ],
)
def test_a_code_that_does_not_exist_is_found_wherever_it_stands(source: str, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    file = tmp_path / "release/test_it.py"
    file.write_text(source, encoding="utf-8")
    assert unknown(file)
