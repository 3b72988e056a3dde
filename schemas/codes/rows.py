"""How is a table of codes written down, so that one sees it? One row a line: code, Chinese name, English name."""

from collections.abc import Mapping
from types import MappingProxyType


def rows(text: str) -> Mapping[str, str]:
    """Codes, and the names `中文 English` of each; ValueError for a code that stands there twice."""
    table: dict[str, str] = {}
    for line in text.strip().splitlines():
        code, _, name = line.strip().partition(" ")
        if code in table:
            raise ValueError(f"{code} stands in the table twice")
        table[code] = name
    return MappingProxyType(table)
