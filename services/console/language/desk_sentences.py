"""How is a desk's English sentence shown in both languages? It is matched with the rows of `[written]` in words.toml, and its parameters
are read from it. What no row fits was written by a person, or by a version that this console does not know: it is shown as it stands."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.codes.checks import Words
from services.console.language.words import TEXTS, Language, both, known

LONGEST = 1000
"""Characters of a text that is read; desks write shorter ones."""
MOST_TIMES, SHORT = 4, 2
"""How often the text between two parameters may occur in one sentence, if it is longer than this number of characters."""
_PARAMETER = re.compile(r"\{(\w+)\}")
_CHINESE = r"(?: [\u4e00-\u9fff][^;:{}]*)?"
"""What desks write in Chinese behind an English sentence, or before its colon or semicolon."""
_POSITION_OF_MESSAGE = re.compile(r" \([a-z-]+/\d+/\d+\)$")
"""Where the refused message lies: the loop writes it behind its own refusals."""
_WHOLE = frozenset({"why", "again", "pest"})
"""Parameters that hold a person's text or another sentence; a Chinese part at the end belongs to them."""
_BLANKS = frozenset(
    {
        *("at", "between", "limit", "held", "wanted", "units", "measured", "methods", "controls", "origins", "lines"),
        *("boxes", "waiting", "place", "name", "bill", "declarant", "codes"),
    }
)
"""Other parameters whose values may contain blanks. All others are one word, so that few words of a person look like a sentence of a desk."""
_SENTENCES = frozenset({"why", "again", "at", "between", "limit"})
_GROUPS: Final = {
    "control": "controls",
    "controls": "controls",
    "origin": "controls",
    "method": "methods",
    "methods": "methods",
    "goods": "goods_classes",
    "measured": "measured",
    "grade": "grades",
}
"""Parameters that hold codes, and the group of the catalogue with the texts of these codes."""


class SentencePattern(NamedTuple):
    """A sentence of the catalogue, and what a text of it looks like."""

    key: str
    shape: re.Pattern[str]
    between: tuple[str, ...]
    """The texts between its parameters."""

    def read(self, sentence: str) -> dict[str, str] | None:
        """The values of its parameters; None where the sentence does not match. A text that repeats the text between two parameters many
        times is no sentence of a desk; it is not matched, because the matching would take time that grows as a power of the repetitions."""
        if any(sentence.count(text) > MOST_TIMES for text in self.between):
            return None
        found = self.shape.fullmatch(sentence)
        return None if found is None else found.groupdict()


def _shape(english: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(english)
    made = ""
    for number, part in enumerate(parts):
        if number % 2:
            inner = ".+" if part in _WHOLE else ".+?" if part in _BLANKS else r"\S+"
            made += f"(?P<{part}>{inner})"
        else:
            made += re.sub(r"(?=[;:] )", lambda _: _CHINESE, re.escape(part).replace(r"\ ", " "))
    end = "" if len(parts) > 1 and not parts[-1] and parts[-2] in _WHOLE else _CHINESE
    return re.compile(made + end, re.DOTALL)


def _between(english: str) -> tuple[str, ...]:
    return tuple([part for part in _PARAMETER.split(english)[2:-1:2] if len(part) > SHORT])


def _by_length(row: tuple[str, Words]) -> int:
    """The row with more fixed text is tried first: of two rows that match, it is the more specific one."""
    return -len(_PARAMETER.sub("", row[1].en))


ROWS: Final[tuple[SentencePattern, ...]] = tuple(
    [
        SentencePattern(key, _shape(texts.en), _between(texts.en))
        for key, texts in sorted([each for each in TEXTS.items() if each[0].startswith("written.")], key=_by_length)
    ]
)


def in_words(text: str) -> Words:
    """The text in both languages; the same in both where a person wrote it."""
    return _read(text) if 0 < len(text) <= LONGEST else Words(text, text)


NAMED = 5
"""Other declarations of the same goods that a sentence names."""


def same_goods(found: Mapping[str, Any]) -> str:
    """What a `SameGoodsDeclared` says, as a sentence that is read back. Who may not see the others' goods is not told which they are."""
    others = list(found.get("others", ()))
    named = ",".join([*others[:NAMED], *(["…"] if found["count"] > NAMED else [])]) if others else "—"
    rule = "again_by_bill" if found["bill_no"] else "again_by_box"
    return both(f"written.{rule}", number=found["container_no"], bill=found["bill_no"], others=named).en


def why_of(fact: Mapping[str, Any]) -> str:
    """Why something was said, as a sentence that is read back: by the code of the fact, where it has one that the catalogue knows; else
    what its desk wrote."""
    row = TEXTS.get(f"written.{fact.get('why') or ''}")
    if row is not None:
        with suppress(KeyError):  # a release to come may fill in other parameters
            return row.en.format(**fact.get("values") or {})
    reason: str = fact["reason"]
    return reason


@lru_cache(maxsize=4096)
def _read(text: str) -> Words:
    behind = _POSITION_OF_MESSAGE.search(text)
    sentence, position = (text[: behind.start()], behind[0]) if behind else (text, "")
    for row in ROWS:
        values = row.read(sentence)
        if values is not None:
            texts = _in_both(row.key, values)
            return Words(texts.zh + position, texts.en + position)
    return Words(text, text)


def _in_both(key: str, values: dict[str, str]) -> Words:
    zh, en = [{name: _value(name, value, language) for name, value in values.items()} for language in ("zh", "en")]
    return Words(both(key, **zh).zh, both(key, **en).en)


def _value(name: str, value: str, language: Language) -> str:
    if name in _SENTENCES:
        texts = in_words(value)
        return texts.zh if language == "zh" else texts.en
    if name == "hold":
        return known(f"waiting.{value}", language, value)
    group = _GROUPS.get(name)
    if group is None or language == "en":
        return value
    codes = [each.strip().strip("'") for each in value.split(",")]
    return "、".join(
        [
            known("owners.risk", language, each)
            if each == "risk"
            else known(f"{group}.{each.replace(' ', '_') if group == 'measured' else each}", language, each)
            for each in codes
        ]
    )
