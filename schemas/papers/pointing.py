"""How does a check say what it saw, and where, and what becomes of one that cannot be answered?"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVarTuple

from schemas.bounds import shown
from schemas.codes.checks import CheckCode
from schemas.declaration import Finding
from schemas.phrases import LONGEST_SEEN, SeenPhrase, sentence
from schemas.vocabulary import Severity

Findings = Iterator[Finding]
MOST_SEEN = LONGEST_SEEN
"""How many characters of a value are shown."""
Ts = TypeVarTuple("Ts")


class UnsoundField(Exception):
    """A check read a field that has a fault of shape (`schemas.papers.sound`). A paper that was made has no such field."""


def each_of(checks: Iterable[Callable[[*Ts], Findings]], *about: *Ts) -> Findings:
    """What each of these checks finds in `about`. A check that reads an unsound field ends there, and the next one goes on.

    What a check yielded before it ended stands, because it followed from sound fields alone, and will be found again
    whatever the unsound field becomes.
    """
    for check in checks:
        try:
            yield from check(*about)
        except UnsoundField:
            continue


def error(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """A finding because of which the declaration is rejected. `pointer`: RFC 6901; `value`: the value of the field,
    or a phrase about several values; `nearest`: codes of the table."""
    return _finding(Severity.ERROR, pointer, code, value, nearest)


def warning(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """A finding with which the declaration is still accepted; arguments as of `error`."""
    return _finding(Severity.WARNING, pointer, code, value, nearest)


def _finding(severity: Severity, pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...]) -> Finding:
    phrase = value if isinstance(value, SeenPhrase) else None
    text = shown(sentence(phrase) if phrase else str(value), MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=severity, seen=text, nearest=nearest, phrase=phrase)
