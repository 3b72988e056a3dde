"""Is the table of HS codes equal to its source, has it a date, and is the edition of the right day used? Are similar
codes suggested for a wrong one?"""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from deploy.codes import hs as maker
from schemas.codes import hs
from schemas.codes.goods import TABLE
from schemas.codes.tables import tables

EDITION = hs.EDITIONS[-1]
MADE = "c67f2facc55e33a4fa321b8e1f8cefdce7d5e08f6ccd5246dc89e6fd8ba0eb91"
"""SHA-256 of the table, which was made from its source."""


def test_the_table_has_every_subheading_of_its_edition_and_says_where_it_is_from() -> None:
    edition = EDITION
    assert len(edition.names) == 5612, "subheadings of HS 2022"
    assert list(edition.names) == sorted(edition.names)
    assert all(len(code) == 6 and code.isdigit() and name.en for code, name in edition.names.items())
    assert len(edition.chapters) == 97, "1 to 97 without 77, and 98 of the nation"
    head = edition.file.read_text(encoding="utf-8").partition("code,description")[0]
    assert all(text in head for text in (maker.REPOSITORY, maker.COMMIT[:12], "PDDL", "2022-01-01", "5612 codes"))


def test_the_table_is_as_the_target_made_it_of_the_source() -> None:
    """Before `make hs` writes this table, it compares the SHA-256 of the source with the expected one."""
    assert hashlib.sha256(EDITION.file.read_bytes()).hexdigest() == MADE


def test_another_file_is_not_taken_for_the_source() -> None:
    with pytest.raises(maker.NotTheSource, match="SHA-256"):
        maker.rows(b"section,hscode,description,parent,level\n")


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("847130", True),
        ("8471300000", True),
        ("847310", False),
        ("851712", False),
        ("000000", False),
        ("9801300000", True),
    ],
)
def test_the_first_six_digits_are_looked_up(code: str, known: bool) -> None:
    assert EDITION.has(code) is known


def test_an_edition_holds_from_its_day_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    later = hs.Edition("2028", date(2028, 1, 1))
    later.file = tmp_path / "hs-2028.csv"
    later.file.write_text("# Harmonized System 2028\ncode,description\n999001,something new\n", encoding="utf-8")
    monkeypatch.setattr(hs, "EDITIONS", (*hs.EDITIONS, later))
    assert (hs.edition(date(2027, 12, 31)), hs.edition(date(2028, 1, 1))) == (EDITION, later)
    assert later.has("999001") and not EDITION.has("999001")
    assert EDITION.has("847130") and not later.has("847130")


def test_before_the_first_edition_there_is_none() -> None:
    assert hs.edition(date(2022, 1, 1)) is EDITION
    assert hs.edition(date(2021, 12, 31)) is None
    assert "hs" not in tables(date(2021, 12, 31)) and "hs" in tables(date(2022, 1, 1))


@pytest.mark.parametrize(
    ("code", "first"),
    [("847310", "843710"), ("851712", "851711"), ("84713", "847130"), ("8517120000", "851711")],
)
def test_the_nearest_codes_are_named(code: str, first: str) -> None:
    assert EDITION.nearest("999999") == (), "no code is like it"
    named = EDITION.nearest(code)
    assert 1 <= len(named) <= 3 and all(map(EDITION.has, named))
    assert named[0] == first or first[:2] == named[0][:2] == "97"


def test_every_prefix_that_chooses_a_treatment_is_of_the_table() -> None:
    codes = EDITION.names
    assert [
        prefix for row in TABLE for prefix in row.prefixes if not any(code.startswith(prefix) for code in codes)
    ] == []
