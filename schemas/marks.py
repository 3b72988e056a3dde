"""Who outside customs may see a field of a message? The mark stands at the field, in its `Annotated`.

Each field carries one of the three marks; `schemas.outside` derives the redacted form from them and raises for a field that has
none. If all fields of a kind are for the same people, the kind says so once, by `Message.fields_seen_by`: a declarant's own paper,
and what an officer asks of a desk. A mark at a field takes precedence over that.
"""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Who stands outside: a port, terminal or carrier; and whoever declares or treats the goods. Desks and officers stand inside."""

    PORT = "port"
    DECLARANT = "declarant"


@dataclass(frozen=True, slots=True)
class SeenBy:
    """A mark: who outside sees the field."""

    audiences: frozenset[Audience]


OUTSIDE = SeenBy(frozenset(Audience))
"""Everybody who gets the fact."""
INSIDE = SeenBy(frozenset())
"""Nobody outside: words of an officer, rules, draws, grades."""
TO_DECLARANT = SeenBy(frozenset({Audience.DECLARANT}))
"""Whoever declares or treats the goods, but no port: the lane, and what is asked of them."""
