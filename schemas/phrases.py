"""How does a desk say something to people? It publishes a code and values for the places of a sentence; the reader has the sentences,
in any language.

A sentence may be inserted in another one, at the place `why`. In a list of phrases, each sentence is inserted in the
one before it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import not_
from string import Formatter
from typing import Annotated, Any, Final, TypedDict, Unpack

from pydantic import ConfigDict, Field

from schemas.bounds import LINE, LINES, Shape, WhenMade, shown
from schemas.codes.sentences import SENTENCES
from schemas.codes.uscc import CreditCodePart
from schemas.vocabulary import ControlKind, CreditGrade, Direction, GoodsClass, TreatmentMethod, UnitClass

LONGEST_VALUE = 500
"""How many characters a value may have. The longest values are texts that people wrote."""
LONGEST_SEEN = 120
"""How many characters a value in a finding of a check may have. They are fewer, because a declaration may have a hundred findings."""
MOST_PLACES, MOST_PLACES_SEEN, MOST_PHRASES = 6, 3, 6
"""How many places a sentence may have, how many places the sentence of a finding may have, and how many phrases a list
may have."""
WHY: Final = "why"
"""The name of the place in which the next sentence is inserted."""
Number = int | Decimal | str
"""A count or a measure. If it is a text, it contains the digits as they are shown."""
Codes = tuple[str, ...]


class Values(TypedDict, total=False):
    """Name of a place in a sentence → the value that stands there. A name has the same meaning in every sentence.

    In a `Phrase` each value is a text: a number in digits, without an exponent and without zeros at the end of its
    decimals; a time in ISO 8601; a code as it is written in messages; or several such codes with `, ` between them.
    """

    all: int
    apart: Number
    asked: Number | datetime
    attempt: int
    attempts: int
    bill: str
    boxes: Codes | str | int
    celsius: Number
    codes: Codes | str
    control: ControlKind
    controls: tuple[ControlKind, ...]
    count: int
    ct: Number
    day: str
    days: int
    declarant: str
    departure: str
    direction: Direction
    dose: Number
    earlier: Number
    event: datetime
    finding: int
    findings: Codes
    gas: Number
    goods: GoodsClass | str
    grade: CreditGrade
    gross: Number
    head: Number | str
    held: str
    high: Number
    hold: str
    hours: Number
    id: str
    kind: str
    last: int
    later: Number
    least: Number
    legal: Number
    line: Number
    lines: Number | Codes
    low: Number
    mass: Number
    measured: str
    message: str
    method: TreatmentMethod
    methods: tuple[TreatmentMethod, ...]
    mode: str
    most: Number
    name: str
    names: str
    net: Number
    next: int
    number: str
    office: str
    ordered: datetime
    origin: str
    origins: Codes
    parts: tuple[CreditCodePart, ...]
    pest: str
    pieces: Number
    place: str
    ppm: Number
    price: Number
    quantity: Number
    reading: datetime
    reference: str
    report: str
    request: str
    revision: int
    seen: int
    sent: datetime
    since: datetime
    started: datetime
    taken: datetime
    text: str
    told: datetime
    total: Number
    unit: UnitClass | str
    units: str
    version: int
    waiting: Codes
    wanted: Number | str
    who: str
    words: str
    wrong: int


PlaceName = Annotated[str, WhenMade(max_length=10, pattern=LINE)]


class Phrase(Shape):
    """One sentence for people. `code`: a row of `schemas.codes.sentences`; `values`: name of each place in the sentence → its text.

    Newer software versions may send codes that a reader does not know; the English sentence beside the phrases is for such readers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: Annotated[str, WhenMade(max_length=24, pattern=LINE)]
    values: Annotated[
        dict[PlaceName, Annotated[str, WhenMade(max_length=LONGEST_VALUE, pattern=LINES)]],
        WhenMade(max_length=MOST_PLACES),
    ] = Field(default_factory=dict, exclude_if=not_)


class SeenPhrase(Phrase):
    """A phrase in a finding of a check. It has fewer and shorter values, because a declaration may have a hundred findings."""

    values: Annotated[
        dict[PlaceName, Annotated[str, WhenMade(max_length=LONGEST_SEEN, pattern=LINE)]],
        WhenMade(max_length=MOST_PLACES_SEEN),
    ] = Field(default_factory=dict, exclude_if=not_)


Phrases = Annotated[tuple[Phrase, ...], WhenMade(max_length=MOST_PHRASES), Field(exclude_if=not_)]
"""A sentence, and behind it the sentences that are inserted, each in the one before it. Facts of older software
versions have no phrases, only the English sentence."""


def phrase(code: str, **values: Unpack[Values]) -> Phrase:
    """Returns the sentence `code` with these values; values that are too long are cut. Raises KeyError if there is no such sentence,
    or no value for one of its places. Both are mistakes of the desk."""
    return Phrase(code=code, values=_texts(code, values, LONGEST_VALUE))


def seen_phrase(code: str, **values: Unpack[Values]) -> SeenPhrase:
    """Returns the sentence of a finding of a check: as `phrase`, but with values of at most `LONGEST_SEEN` characters."""
    return SeenPhrase(code=code, values=_texts(code, values, LONGEST_SEEN))


def _texts(code: str, values: Mapping[str, Any], most: int) -> dict[str, str]:
    return {name: shown(_text(values[name]), most, breaks=name == "words") for name in value_names(code) if name != WHY}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join([_text(each) for each in value])
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}"
    return value.isoformat() if isinstance(value, datetime) else str(value)


UNREADABLE_REASON = SENTENCES["no_reason"]
"""The text in place of the reason of a hold that is placed although its reason cannot be read."""


def quoted(text: str) -> Phrase:
    """Returns a phrase that quotes the text of a person unchanged. If the text is `UNREADABLE_REASON`, the phrase says
    that the text could not be read."""
    return phrase("no_reason") if text == UNREADABLE_REASON else phrase("words", words=text)


def of_earlier(text: str) -> Phrase:
    """Returns a phrase that carries a text without a code, which an older software version stored. A page compares the
    text with all sentences to find the one from which the text was made."""
    return phrase("earlier", text=text)


@cache
def value_names(code: str) -> tuple[str, ...]:
    """Returns the names of the values of a sentence, in the order of their places. Raises KeyError if there is no such sentence."""
    return tuple(dict.fromkeys([name for _, name, _, _ in Formatter().parse(SENTENCES[code]) if name]))


def sentence(*phrases: Phrase) -> str:
    """Returns the English sentence of the first phrase, for readers that know no codes. The sentence of the other phrases is inserted
    at its place `why`. Raises KeyError if there is no sentence for a code."""
    first, *rest = phrases
    why = {WHY: sentence(*rest)} if rest else {}
    return SENTENCES[first.code].format(**first.values, **why)


def reason(*phrases: Phrase) -> str:
    """Returns the English sentence of these phrases, in a form that a fact may carry as its reason."""
    return shown(sentence(*phrases), breaks=True)


def stretches(one: Phrase, most: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yields name, (start, end) of each value in the English sentence of this phrase: the position of its first
    character and the position behind its last character. Only the first `most` characters of the sentence are kept, so
    no position is higher than `most`."""
    at = 0
    for before, name, _, _ in Formatter().parse(SENTENCES[one.code]):
        at += len(before)
        if name:
            yield name, (min(at, most), min(at + len(one.values[name]), most))
            at += len(one.values[name])
