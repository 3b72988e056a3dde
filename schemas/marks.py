"""Who outside customs may see a field of a fact? The mark stands at the field, in its `Annotated`.

A field of a fact that anybody outside can get carries one of the three marks; `schemas.outside` works the redacted form out from
them and raises for a field that has none.
"""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Who stands outside: a port or terminal, and whoever declares the goods. Desks and officers stand inside."""

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
"""Whoever declares the goods, and no port: the lane, and what is asked of them."""
