"""If somebody wrote a code that does not exist, which code may have been meant?

Single typing errors are tried first: two characters exchanged, one left out, one too many, one wrong. If none of these gives a
code of the table, the neighbours in the order of the table are named. The work does not depend on the size of the table, so
even a declaration full of wrong codes is checked fast.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

MOST: Final = 3
"""How many codes are named at most."""
LONGEST: Final = 12
"""The most characters of a text for which typing errors are tried. Every code of our tables is shorter."""
_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def nearest(code: str, table: Mapping[str, str]) -> tuple[str, ...]:
    """Returns at most three codes of the table, the likeliest first. `table`: code → name. If `code` is a name of the table,
    the codes with that name come first."""
    if not table:
        return ()
    typed = code.strip().upper()
    found = dict.fromkeys([*_by_name(typed, table), *[each for each in _slips(typed, table) if each in table]])
    if not found:
        codes = _in_order(tuple(table))
        first = max(0, min(bisect_left(codes, typed) - 1, len(codes) - MOST))
        found = dict.fromkeys(codes[first : first + MOST])
    return tuple(found)[:MOST]


def _by_name(typed: str, table: Mapping[str, str]) -> Iterator[str]:
    """Yields the codes whose Chinese or English name is `typed`, because somebody wrote the name in place of the code. A name
    in a table consists of the Chinese name, a blank, and the English name."""
    if len(table) > 1000 or not typed:
        return
    for code, name in table.items():
        chinese, _, english = name.partition(" ")
        if typed in (chinese.upper(), english.upper()):
            yield code


def _slips(typed: str, table: Mapping[str, str]) -> Iterator[str]:
    if not typed or len(typed) > LONGEST:
        return
    length = len(next(iter(table)))
    signs = _SIGNS[:10] if next(iter(table)).isdigit() and typed.isdigit() else _SIGNS
    yield typed
    if typed.isdigit() and len(typed) < length:  # a spreadsheet drops leading zeros, so they are added
        yield typed.zfill(length)
    cuts = [(typed[:place], typed[place:]) for place in range(len(typed) + 1)]
    yield from (left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1)
    yield from (left + sign + right[1:] for left, right in reversed(cuts) if right for sign in signs)
    yield from (left + right[1:] for left, right in cuts if right)
    yield from (left + sign + right for left, right in reversed(cuts) for sign in signs)


@lru_cache(32)
def _in_order(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(codes))
