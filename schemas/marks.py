"""Who outside customs may see a field of a message? A mark in the `Annotated` of the field says so.

Each field carries one of the three marks. `schemas.outside` derives the redacted form of a message from them, and raises an error
for a field that has none. If all fields of a kind have the same mark, the kind states it once, in `Message.fields_seen_by`: for
example a declaration, or a request of an officer. A mark at a field takes precedence over that of its kind.
"""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """The two groups of readers outside customs: ports, terminals and carriers (`PORT`), and those who declare or treat
    the goods (`DECLARANT`). Desks and officers are inside."""

    PORT = "port"
    DECLARANT = "declarant"


@dataclass(frozen=True, slots=True)
class SeenBy:
    """A mark at a field: which readers outside customs see it."""

    audiences: frozenset[Audience]


OUTSIDE = SeenBy(frozenset(Audience))
"""The mark of a field that every reader of the fact may see."""
INSIDE = SeenBy(frozenset())
"""The mark of a field that nobody outside sees, for example an officer's text, a rule, a draw or a grade."""
TO_DECLARANT = SeenBy(frozenset({Audience.DECLARANT}))
"""The mark of a field that declarants and treatment units may see, but no port: for example the lane, and what the
declarant or the treatment unit has to do."""
