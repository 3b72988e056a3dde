"""If somebody wrote a code that does not exist, which code may have been meant?

A name, an abbreviation or a former code is looked up first (`schemas.codes.meant`). Then single typing errors are
tried: two characters exchanged, one wrong, one too many, one left out. If none of these gives a code of the table, the
neighbours in the order of the table are named. Only neighbours whose first half is the beginning of the text are named,
because any others would mislead.

A declaration full of wrong codes is checked fast, because the work does not depend on the size of the table. Only
corrections that are as long as one of the codes of the table are tried.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.codes.bilingual import Bilingual
from schemas.codes.meant import MEANT

MOST: Final = 3
"""How many codes are named at most."""
LONGEST: Final = 12
"""The most characters of a text for which typing errors are tried. Every code of our tables is shorter."""
_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


LARGE: Final = 1000
"""If a table has more codes than this, no code is searched by its name."""


def nearest(code: str, table: Mapping[str, Bilingual]) -> tuple[str, ...]:
    """Returns at most three codes of the table, the likeliest first; none if it is not known what may have been meant.
    If `code` is a name in the table, the codes with that name come first. `table`: code → name. The table must not
    change later, because its index is cached."""
    if not table:
        return ()
    typed, index = code.strip().upper(), _index(_Table(table))
    named = index.names.get(typed, ())
    found = dict.fromkeys([*named, *[each for each in _slips(typed, index) if each in table]])
    if not found and typed:
        first = max(0, min(bisect_left(index.codes, typed) - 1, len(index.codes) - MOST))
        near = index.codes[first : first + MOST]
        found = dict.fromkeys(
            [each for each in near if len(typed) > 1 and each[: len(each) // 2] == typed[: len(each) // 2]]
        )
    return tuple(found)[:MOST]


class _Table:
    """A table as the key of a cache. It is compared by identity, because a comparison of its contents would take as long as a search."""

    def __init__(self, table: Mapping[str, Bilingual]) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Table) and other.table is self.table


class _Index(NamedTuple):
    """The data of a table that the search needs. `codes`: the codes in order. `names`: a text in capitals, for example
    a Chinese or English name → the codes that it means. `lengths`: the lengths of the codes. `width`: the length of the
    first code of the table; a shorter number is filled with leading zeros up to this length. `signs`: the characters of
    which codes consist."""

    codes: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    lengths: frozenset[int]
    width: int
    signs: str


@lru_cache(32)
def _index(of: _Table) -> _Index:
    """Returns the index of this table."""
    names: dict[str, tuple[str, ...]] = {}
    for code, name in of.table.items() if len(of.table) <= LARGE else ():
        for each in {name.zh.upper(), name.en.upper()} - {""}:
            names[each] = (*names.get(each, ()), code)
    first = next(iter(of.table))
    signs = _SIGNS[:10] if first.isdigit() else _SIGNS
    for text, codes in next((meant for table, meant in MEANT if table is of.table), {}).items():
        names[text] = (*names.get(text, ()), *codes)
    return _Index(tuple(sorted(of.table)), names, frozenset(map(len, of.table)), len(first), signs)


def _slips(typed: str, index: _Index) -> Iterator[str]:
    """Yields `typed` itself, and then its possible corrections, the likeliest first. Each correction is as long as a
    code of the table."""
    if not typed or len(typed) > LONGEST:
        return
    signs = index.signs if typed.isdigit() else _SIGNS
    yield typed
    if typed.isdigit() and len(typed) < index.width:  # a spreadsheet may have dropped leading zeros
        yield typed.zfill(index.width)
    cuts = [(typed[:cut], typed[cut:]) for cut in range(len(typed) + 1)]
    if len(typed) in index.lengths:
        yield from (left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1)
        yield from (left + sign + right[1:] for left, right in reversed(cuts) if right for sign in signs)
    if len(typed) - 1 in index.lengths:
        yield from (left + right[1:] for left, right in cuts if right)
    if len(typed) + 1 in index.lengths:
        yield from (left + sign + right for left, right in reversed(cuts) for sign in signs)
