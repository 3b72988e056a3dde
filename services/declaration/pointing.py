"""How does a check say what it saw, and where?"""

from collections.abc import Iterator

from schemas.bounds import shown
from schemas.declaration import Finding
from schemas.vocabulary import Severity

Seen = Iterator[Finding]
MOST_SEEN = 120
"""Signs of what is shown of a value."""


def error(pointer: str, code: str, seen: object, nearest: tuple[str, ...] = ()) -> Finding:
    """The declaration does not stand. `pointer`: RFC 6901; `code`: a row of `schemas.codes.checks`; `nearest`: codes of the table."""
    told = shown(str(seen), MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=Severity.ERROR, seen=told, nearest=nearest)


def warning(pointer: str, code: str, seen: object, nearest: tuple[str, ...] = ()) -> Finding:
    """It stands, and this travels with it; arguments as of `error`."""
    told = shown(str(seen), MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=Severity.WARNING, seen=told, nearest=nearest)
