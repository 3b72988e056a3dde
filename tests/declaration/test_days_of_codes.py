"""On which day must an HS edition be in force so that a declaration is checked with it? What is checked if the day is
before the first edition?"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.codes import hs
from schemas.papers import checks
from schemas.vocabulary import Direction
from tests.declaration.good import good_declaration, good_item

EVE, NEW_YEAR = date(2027, 12, 31), date(2028, 1, 1)
OLD, NEW = "8471300000", "9990010000"
EXPORT = {"direction": Direction.EXPORT, "destination_country": "DE", "departure_country": ""}


@pytest.fixture(autouse=True)
def _next_edition(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    later = hs.Edition("2028", NEW_YEAR)
    later.file = tmp_path / "hs-2028.csv"
    later.file.write_text("code,description\n999001,something new\n", encoding="utf-8")
    monkeypatch.setattr(hs, "EDITIONS", (*hs.EDITIONS, later))


def codes(code: str, day: date, **changes: Any) -> list[str]:
    declaration = good_declaration(items=(good_item(hs_code=code),), conveyance_entry_date=None).model_copy(
        update=changes
    )
    return [found.code for found in checks.findings(declaration, day) if found.pointer.endswith("hs_code")]


def test_it_is_judged_by_the_day_on_which_it_is_lodged() -> None:
    assert codes(OLD, EVE) == codes(NEW, NEW_YEAR) == []
    assert codes(NEW, EVE) == codes(OLD, NEW_YEAR) == ["hs_chapter_unknown"]


def test_imports_that_are_declared_ahead_are_judged_by_the_day_on_which_their_conveyance_enters() -> None:
    assert codes(NEW, EVE, conveyance_entry_date=NEW_YEAR) == []
    assert codes(OLD, EVE, conveyance_entry_date=NEW_YEAR) == ["hs_chapter_unknown"]
    assert codes(NEW, NEW_YEAR, conveyance_entry_date=EVE) == [], "goods that lie here already"


def test_exports_are_judged_by_the_day_on_which_they_are_declared() -> None:
    assert codes(OLD, EVE, conveyance_entry_date=NEW_YEAR, **EXPORT) == []


@pytest.mark.parametrize(("code", "found"), [("8517120000", []), ("7701000000", []), ("851712", ["hs_malformed"])])
def test_of_a_day_before_the_first_table_only_the_digits_are_judged(code: str, found: list[str]) -> None:
    assert codes(code, date(2021, 3, 31)) == found
