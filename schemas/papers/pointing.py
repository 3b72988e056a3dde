"""How does a check state its finding and the field of the finding, and what happens to a check that cannot be finished?"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeVarTuple

from schemas.bounds import shown
from schemas.codes.checks import CheckCode
from schemas.declaration import Finding
from schemas.phrases import LONGEST_SEEN, SeenPhrase, sentence
from schemas.vocabulary import Severity

Findings = Iterator[Finding]
MOST_SEEN = LONGEST_SEEN
"""How many characters of a value are shown in a finding."""
Ts = TypeVarTuple("Ts")


class UnsoundField(Exception):
    """Raised if a check reads a field that has a fault of shape (`schemas.papers.sound`). A `Declaration` has no such
    field."""


def each_of(checks: Iterable[Callable[[*Ts], Findings]], *about: *Ts) -> Findings:
    """Yields the findings of each of these checks, which get `about` as their arguments. If a check reads a field with
    a fault of shape, the check ends, and the next one begins.

    The findings that a check yielded before it ended are kept. They followed only from fields without a fault, so they will
    be found again whatever the declarant writes into the field with the fault.
    """
    for check in checks:
        try:
            yield from check(*about)
        except UnsoundField:
            continue


def error(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """Returns a finding because of which the declaration is rejected. `pointer`: RFC 6901; `value`: the value of the field,
    or a phrase about several values; `nearest`: the codes of the table that may have been meant."""
    return _finding(Severity.ERROR, pointer, code, value, nearest)


def warning(pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...] = ()) -> Finding:
    """Returns a finding with which the declaration is still accepted. The arguments are those of `error`."""
    return _finding(Severity.WARNING, pointer, code, value, nearest)


def _finding(severity: Severity, pointer: str, code: CheckCode, value: object, nearest: tuple[str, ...]) -> Finding:
    phrase = value if isinstance(value, SeenPhrase) else None
    written = f"{value:f}" if isinstance(value, Decimal) else str(value)  # `str` could give 1E+14
    text = shown(sentence(phrase) if phrase else written, MOST_SEEN)
    return Finding(pointer=pointer, code=code, severity=severity, seen=text, nearest=nearest, phrase=phrase)
