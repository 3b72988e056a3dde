"""Is every id of a hold made in one place, and does the id say what the hold belongs to?"""

import ast
import re
from pathlib import Path

import pytest

from schemas import hold_ids
from schemas.vocabulary import ControlKind
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
HOME = ROOT / "schemas/hold_ids.py"
MADE = {
    "assessment": hold_ids.ASSESSMENT,
    "arrival": hold_ids.ARRIVAL,
    "inspection/sampling": hold_ids.of_control(ControlKind.SAMPLING),
    "quarantine/risk": hold_ids.of_treatment("risk"),
    "gate/CSQU3054383": hold_ids.of_departure("CSQU3054383"),
    "officer/h-1": hold_ids.of_officer("h-1"),
    "officer/watch/w-1": hold_ids.of_watch("w-1"),
    "officer/lapse/4": hold_ids.of_lapse(4),
    "officer/stripping/s-1": hold_ids.of_stripping("s-1"),
}
RECOGNISED = (
    (hold_ids.is_for_an_officer, {"officer/h-1", "officer/watch/w-1", "officer/lapse/4", "officer/stripping/s-1"}),
    (hold_ids.is_of_watch, {"officer/watch/w-1"}),
    (hold_ids.is_of_lapse, {"officer/lapse/4"}),
    (hold_ids.is_of_stripping, {"officer/stripping/s-1"}),
    (hold_ids.is_of_departure, {"gate/CSQU3054383"}),
    (hold_ids.control_of, {"inspection/sampling"}),
    (hold_ids.origin_of, {"quarantine/risk"}),
)
PREFIX = re.compile(r"(inspection|quarantine|gate|officer)/")
MIGRATIONS = "services/console/readmodel/migrations"
"""Migrations are not checked, because they must not be changed."""


def test_an_id_is_written_as_records_and_ports_know_it() -> None:
    assert list(MADE) == list(MADE.values())


@pytest.mark.parametrize(("recognise", "wanted"), RECOGNISED, ids=lambda each: getattr(each, "__name__", ""))
def test_an_id_tells_what_it_is_of(recognise: object, wanted: set[str]) -> None:
    assert callable(recognise)
    assert {hold_id for hold_id in MADE if recognise(hold_id)} == wanted


def test_a_control_and_an_origin_are_read_from_an_id() -> None:
    assert hold_ids.control_of("inspection/sampling") == "sampling"
    assert hold_ids.origin_of("quarantine/risk") == "risk"


def beginnings(source: Path) -> list[str]:
    """The texts in a source that begin like the id of a hold."""
    texts = [
        node.value for node in ast.walk(tree_of(source.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    ]
    return [text for text in texts if isinstance(text, str) and PREFIX.match(text) and " " not in text]


def test_no_other_source_spells_the_id_of_a_hold() -> None:
    assert beginnings(HOME)
    sources = [file for folder in ("schemas", "services", "deploy") for file in (ROOT / folder).rglob("*.py")]
    others = [file for file in sources if file != HOME and MIGRATIONS not in file.as_posix()]
    assert {file.relative_to(ROOT).as_posix(): found for file in others if (found := beginnings(file))} == {}


def test_no_template_spells_the_id_of_a_hold() -> None:
    templates = list((ROOT / "services/console/pages/templates").glob("*.html"))
    assert templates
    quoted = re.compile(rf"""["']{PREFIX.pattern}""")
    assert {file.name for file in templates if quoted.search(file.read_text(encoding="utf-8"))} == set()
