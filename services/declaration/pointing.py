"""How does a check say what it saw, and where?"""

from collections.abc import Iterator

from schemas.bounds import shown
from schemas.declaration import Finding
from schemas.phrases import LONGEST_SEEN, SeenPhrase, sentence
from schemas.vocabulary import Severity

Seen = Iterator[Finding]
MOST_SEEN = LONGEST_SEEN
"""Signs of what is shown of a value."""


def error(pointer: str, code: str, seen: object, nearest: tuple[str, ...] = ()) -> Finding:
    """The declaration does not stand. `pointer`: RFC 6901; `code`: a row of `schemas.codes.checks`; `seen`: a value, or what is said of
    several; `nearest`: codes of the table."""
    return _finding(Severity.ERROR, pointer, code, seen, nearest)


def warning(pointer: str, code: str, seen: object, nearest: tuple[str, ...] = ()) -> Finding:
    """It stands, and this travels with it; arguments as of `error`."""
    return _finding(Severity.WARNING, pointer, code, seen, nearest)


def _finding(severity: Severity, pointer: str, code: str, seen: object, nearest: tuple[str, ...]) -> Finding:
    said = seen if isinstance(seen, SeenPhrase) else None
    told = shown(sentence(said) if said else str(seen), MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=severity, seen=told, nearest=nearest, phrase=said)
