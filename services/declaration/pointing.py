"""How does a check say what it saw, and where?"""

from collections.abc import Iterator

from schemas.bounds import shown
from schemas.codes.checks import CheckCode
from schemas.declaration import Finding
from schemas.phrases import LONGEST_SEEN, SeenPhrase, sentence
from schemas.vocabulary import Severity

Findings = Iterator[Finding]
MOST_SEEN = LONGEST_SEEN
"""How many characters of a value are shown."""


def error(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """A finding because of which the declaration is rejected. `pointer`: RFC 6901; `value`: the value of the field,
    or a phrase about several values; `nearest`: codes of the table."""
    return _finding(Severity.ERROR, pointer, code, value, nearest)


def warning(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """A finding with which the declaration is accepted; arguments as of `error`."""
    return _finding(Severity.WARNING, pointer, code, value, nearest)


def _finding(severity: Severity, pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...]) -> Finding:
    phrase = value if isinstance(value, SeenPhrase) else None
    text = shown(sentence(phrase) if phrase else str(value), MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=severity, seen=text, nearest=nearest, phrase=phrase)
