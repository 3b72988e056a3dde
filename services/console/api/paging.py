"""How is a long answer split into pages? A page has a limited number of rows and bytes. The next page begins after the position of its last
row."""

import base64
from collections.abc import Iterable, Sequence
from typing import TypeVar

import orjson
from pydantic import BaseModel

from services.console.api.problems import Problem
from services.console.readmodel.lists import ListPart, ListPosition

PAGE_BYTES = 500_000
"""The most bytes of the rows in one answer. A single row that is larger is an answer of its own."""
LONGEST_TOKEN = 1000
_LAST = 2**63
M = TypeVar("M", bound=BaseModel)


def fit(rows: Iterable[M], limit: int, room: int = PAGE_BYTES) -> tuple[list[M], bool]:
    """Returns the first rows, at most `limit` and at most `room` bytes of JSON, but at least one; and whether there are more rows."""
    taken: list[M] = []
    for row in rows:
        room -= len(row.model_dump_json().encode())
        if taken and (len(taken) == limit or room < 0):
            return taken, True
        taken.append(row)
    return taken, False


def token(position: ListPosition) -> str:
    """Returns the position as a text that can stand in an address."""
    return (
        base64.urlsafe_b64encode(orjson.dumps([position.passed, position.part, *position.keys])).rstrip(b"=").decode()
    )


def position_of(text: str, parts: Sequence[ListPart]) -> ListPosition | None:
    """Returns the position that `token` encoded; None for an empty text. Raises Problem 422 if the text is not a position in a list of these
    parts."""
    if not text:
        return None
    try:
        passed, number, *keys = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        there = ListPosition(passed, number, tuple(keys))
        good = all(type(each) is int and 0 <= each < _LAST for each in (passed, number)) and number < len(parts)
        if good and parts[number].takes(keys) and all(map(_storable, keys)):
            return there
    except (ValueError, TypeError):
        pass
    raise Problem(422, "no_such_place", seen=text[:100])


def _storable(key: int | str) -> bool:
    return -_LAST <= key < _LAST if isinstance(key, int) else "\0" not in key
