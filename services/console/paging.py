"""How does a long answer become short ones? Rows and bytes of a page, and the key after which the next one begins."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel

PAGE_BYTES = 500_000
"""Of the rows in one answer; a row that is larger alone is an answer of its own."""
BODY_BYTES = 16_000
"""A longer content is left out of lists, with a link to it."""
M = TypeVar("M", bound=BaseModel)


def fit(rows: Iterable[M], limit: int, room: int = PAGE_BYTES) -> tuple[list[M], bool]:
    """The first rows, as many as the limit and the room allow, at least one; and whether there are more."""
    taken: list[M] = []
    for row in rows:
        room -= len(row.model_dump_json().encode())
        if taken and (len(taken) == limit or room < 0):
            return taken, True
        taken.append(row)
    return taken, False
