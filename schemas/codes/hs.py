"""Which codes of the Harmonized System exist? Six digits, by edition and the day from which it is in force.

The table of an edition is a file beside this module, made by `make hs`; its first lines name source, licence, date and count. HS
2028 will be one more file and one more row of `EDITIONS`; a declaration is judged by the edition of its day. For a day before the
first edition that is here, no code is judged, because it is not known which codes there were.

What is not known here: the national digits (7 to 10) of the Chinese tariff, and its chapter 98, for which there is no public
source that may be copied. Only the first six digits of a longer code are looked up.
"""

import csv
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from schemas.codes.nearest import nearest

FOLDER: Final = Path(__file__).parent
HEADINGS: Final = ("code", "description")
SIX = 6
NATIONAL_DIGITS = 10
"""Digits of a code of the Chinese tariff (`CodeTS` of the form): 8 of the tariff, and 2 of statistics or control."""
NATIONAL: Final = "98"
"""The chapter that the HS leaves to each country; its codes are not in the table."""

ELECTRICITY: Final = "2716"


class Edition:
    """One edition of the HS. `file`: its table; it is read when the first code is looked up."""

    def __init__(self, name: str, effective_from: date) -> None:
        self.name = name
        self.effective_from = effective_from
        self.file = FOLDER / f"hs-{name}.csv"

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Code of six digits → its description in English."""
        lines = [line for line in self.file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return MappingProxyType({row["code"]: row["description"] for row in csv.DictReader(lines)})

    @cached_property
    def chapters(self) -> frozenset[str]:
        """The first two digits of its codes, and the national chapter."""
        return frozenset([code[:2] for code in self.names]) | {NATIONAL}

    def has(self, code: str) -> bool:
        """Whether the first six of these digits are a code of this edition; every code of the national chapter counts as one."""
        return code[:SIX] in self.names or code[:2] == NATIONAL

    def nearest(self, code: str) -> tuple[str, ...]:
        """At most three codes of six digits that the writer of this one may have meant."""
        return nearest(code[:SIX], self.names)


EDITIONS: Final = (Edition("2022", date(2022, 1, 1)),)
"""The oldest first."""


def edition(day: date) -> Edition | None:
    """The edition in force on this day; None if the day is before the first edition that is in `schemas/codes`."""
    in_force = [each for each in EDITIONS if each.effective_from <= day]
    return in_force[-1] if in_force else None
