"""How is a table of codes written so that it is easy to read? Each line is one row: code, Chinese name,
English name."""

from collections.abc import Mapping
from types import MappingProxyType


def rows(text: str) -> Mapping[str, str]:
    """Returns code → its names as `中文 English`. Raises ValueError if the text has a code twice."""
    table: dict[str, str] = {}
    for line in text.strip().splitlines():
        code, _, name = line.strip().partition(" ")
        if code in table:
            raise ValueError(f"{code} stands in the table twice")
        table[code] = name
    return MappingProxyType(table)
