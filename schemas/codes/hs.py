"""Which codes of the Harmonized System exist? The tables have the first six digits, by edition and the day from which it is in
force.

The table of an edition is a file beside this module, made by `make hs`. Its first lines name source, licence, date and
count. HS 2028 will be one more file and one more row of `EDITIONS`. The codes of a declaration are judged by the
edition that is in force on its day (`schemas.papers.listed.judged_on`). For a day before the first edition of
`EDITIONS`, no code is judged, because it is not known which codes there were.

Two things are not known here: the national digits (7 to 10) of the Chinese tariff, and its chapter 98. There is no public source
of them that may be copied. Only the first six digits of a longer code are looked up.
"""

import csv
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import Bilingual
from schemas.codes.nearest import nearest

FOLDER: Final = Path(__file__).parent
HEADINGS: Final = ("code", "description")
SIX = 6
NATIONAL_DIGITS = 10
"""How many digits a code of the Chinese tariff has: 8 of the tariff, and 2 for statistics or control. A line of the
customs form has such a code in its element `CodeTS`."""
NATIONAL: Final = "98"
"""The chapter whose codes the HS leaves to each country, so they are not in the tables."""

ELECTRICITY: Final = "2716"


class Edition:
    """One edition of the HS. `file`: its table, which is read when the first code is looked up."""

    def __init__(self, name: str, effective_from: date) -> None:
        self.name = name
        self.effective_from = effective_from
        self.file = FOLDER / f"hs-{name}.csv"

    @cached_property
    def names(self) -> Mapping[str, Bilingual]:
        """Returns code of six digits → its description in English. The source has no other language."""
        lines = [line for line in self.file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return MappingProxyType({row["code"]: Bilingual("", row["description"]) for row in csv.DictReader(lines)})

    @cached_property
    def chapters(self) -> frozenset[str]:
        """Returns the chapters of this edition, which are the first two digits of its codes, and chapter 98, which only the
        Chinese tariff has."""
        return frozenset([code[:2] for code in self.names]) | {NATIONAL}

    def has(self, code: str) -> bool:
        """Returns whether the first six digits of this code are a code of this edition. A code of chapter 98 counts as one,
        because there is no table of that chapter."""
        return code[:SIX] in self.names or code[:2] == NATIONAL

    def nearest(self, code: str) -> tuple[str, ...]:
        """Returns at most three codes of six digits that the writer of this code may have meant."""
        return nearest(code[:SIX], self.names)


EDITIONS: Final = (Edition("2022", date(2022, 1, 1)),)
"""The editions whose tables are here, the oldest first."""


def edition(day: date) -> Edition | None:
    """Returns the edition in force on this day; None if the day is before the first edition of `EDITIONS`."""
    in_force = [each for each in EDITIONS if each.effective_from <= day]
    return in_force[-1] if in_force else None
