"""How is a table of codes written so that it is easy to read? Each line is one row: code, Chinese name,
English name."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.codes.bilingual import Bilingual


def rows(text: str) -> Mapping[str, Bilingual]:
    """Returns code → its names. In a line, the Chinese name ends at the first blank, because no Chinese name has one. The English name may
    be missing. Raises ValueError if the text has a code twice."""
    table: dict[str, Bilingual] = {}
    for line in text.strip().splitlines():
        code, _, both = line.strip().partition(" ")
        chinese, _, english = both.partition(" ")
        if code in table:
            raise ValueError(f"{code} stands in the table twice")
        table[code] = Bilingual(chinese, english)
    return MappingProxyType(table)
