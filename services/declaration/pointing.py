"""How does a check say what it saw, and where?"""

from collections.abc import Iterator

from schemas.declaration import Finding
from schemas.vocabulary import Severity

Seen = Iterator[Finding]


def error(pointer: str, code: str, seen: object) -> Finding:
    """The declaration does not stand. `pointer`: RFC 6901; `code`: a row of `schemas.codes.checks`."""
    return Finding(pointer=pointer, code=code, severity=Severity.ERROR, seen=str(seen)[:120])


def warning(pointer: str, code: str, seen: object) -> Finding:
    """It stands, and this travels with it; arguments as of `error`."""
    return Finding(pointer=pointer, code=code, severity=Severity.WARNING, seen=str(seen)[:120])
