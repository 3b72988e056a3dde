"""How does a text of a desk read in Chinese and English? Its phrases (codes and values) are put into the sentences of the group `[written]`
in words.toml.

A fact of an older software version has only an English sentence. The sentence is compared with the English sentences of `[written]`; the
one that matches yields the code and the values. A text that matches none was written by a person, or by a version that this console does
not know, and is shown unchanged.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from schemas.codes.bilingual import Bilingual
from schemas.phrases import UNREADABLE_REASON, WHY, Phrase
from services.console.language.words import TEXTS, Language, both, check, known

LONGEST = 1000
"""The most characters of a text that is compared with sentences. Desks write shorter texts."""
MOST_PHRASES = 100
"""The most phrases of one fact that are read. Desks write fewer."""
MOST_TIMES, SHORT = 4, 2
"""`MOST_TIMES`: how often a text between two parameters may occur in a sentence; `SHORT`: a text of at most this many
characters may occur any number of times."""
_PARAMETER = re.compile(r"\{(\w+)\}")
_CHINESE = r"(?: [\u4e00-\u9fff][^;:{}]*)?"
"""Matches the Chinese part that desks write after an English sentence, or before a colon or semicolon in it."""
_POSITION_OF_MESSAGE = re.compile(r" \([a-z-]+/\d+/\d+\)$")
"""Matches the topic, partition and offset of a refused message, which the loop writes after the reason of its own refusals."""
_WHOLE = frozenset({"why", "again", "pest", "words"})
"""Parameters that hold a person's text or another sentence. A Chinese part at the end belongs to the value of such a parameter."""
_BLANKS = frozenset(
    {
        *("held", "wanted", "units", "measured", "methods", "controls", "origins", "lines"),
        *("boxes", "waiting", "place", "name", "bill", "declarant", "codes", "since", "parts"),
    }
)
"""Other parameters whose values may contain blanks. The values of all remaining parameters are one word, so that few texts of people match
a sentence of a desk."""
_SENTENCES = frozenset({"why", "again", "words"})
"""Parameters that hold another sentence, or a text of an older software version that may be a sentence."""
_GROUPS: Final = {
    "control": "controls",
    "controls": "controls",
    "origin": "controls",
    "method": "methods",
    "methods": "methods",
    "goods": "goods_classes",
    "measured": "measured",
    "grade": "grades",
    "direction": "directions",
    "parts": "uscc_parts",
}
"""Parameter that holds codes → the group of words.toml with the texts of these codes."""


class SentencePattern(NamedTuple):
    """A sentence of words.toml, and the pattern that matches the English texts which are made from it."""

    key: str
    shape: re.Pattern[str]
    between: tuple[str, ...]
    """The texts between the parameters of the sentence that are longer than `SHORT`."""

    def read(self, sentence: str) -> dict[str, str] | None:
        """Returns the values that the parameters have in this sentence; None if the sentence does not match. The text between two
        parameters may occur at most `MOST_TIMES` times in the sentence; otherwise the result is None, too. Without this limit, the time for
        matching would grow as a power of the number of repetitions. No desk writes a sentence with more repetitions."""
        if any(sentence.count(text) > MOST_TIMES for text in self.between):
            return None
        found = self.shape.fullmatch(sentence)
        return None if found is None else found.groupdict()


def _shape(english: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(english)
    made = ""
    for number, part in enumerate(parts):
        if number % 2:
            inner = ".+" if part in _WHOLE else "[^:]+?" if part == "measured" else ".+?" if part in _BLANKS else r"\S+"
            made += f"(?P<{part}>{inner})"
        else:
            made += re.sub(r"(?=[;:] )", lambda _: _CHINESE, re.escape(part).replace(r"\ ", " "))
    end = "" if len(parts) > 1 and not parts[-1] and parts[-2] in _WHOLE else _CHINESE
    return re.compile(made + end, re.DOTALL)


def _between(english: str) -> tuple[str, ...]:
    return tuple([part for part in _PARAMETER.split(english)[2:-1:2] if len(part) > SHORT])


def _by_length(row: tuple[str, Bilingual]) -> int:
    """Returns a sort key by which rows with more fixed text come first, because they are more specific."""
    return -len(_PARAMETER.sub("", row[1].en))


ROWS: Final[tuple[SentencePattern, ...]] = tuple(
    [
        SentencePattern(key, _shape(texts.en), _between(texts.en))
        for key, texts in sorted([each for each in TEXTS.items() if each[0].startswith("written.")], key=_by_length)
        if _PARAMETER.sub("", texts.en).strip(" :()")  # a pattern of nothing but parameters would match any text
    ]
)


def in_words(text: str) -> Bilingual:
    """Returns a stored reason (see `kept`) or a sentence in both languages. A text that a person wrote is the same in both."""
    phrases = _phrases(text)
    if phrases is not None and (texts := in_words_of(phrases)) is not None:
        return texts
    return _by_shape(text)


def _by_shape(text: str) -> Bilingual:
    return _read(text) if 0 < len(text) <= LONGEST else Bilingual(text, text)


def wrote(text: str) -> Bilingual:
    """Returns a text that a person wrote, unchanged. If the text is UNREADABLE_REASON, which stands for a text that
    could not be read, returns the sentence that says so."""
    return both("written.no_reason") if text == UNREADABLE_REASON else Bilingual(text, text)


def in_words_of(phrases: Sequence[Any]) -> Bilingual | None:
    """Returns the first sentence of these phrases; None if there are none, or if one of them is unknown here."""
    sentences = each_in_words(phrases)
    return sentences[0] if sentences else None


def each_in_words(phrases: Sequence[Any]) -> list[Bilingual] | None:
    """Returns the sentences of these phrases, in their order; None if one phrase is unknown here or has another
    shape, or if there are more than `MOST_PHRASES`."""
    sentences: list[Bilingual] = []
    try:
        rest = list(phrases)
        while 0 < len(rest) <= MOST_PHRASES:
            sentences.append(_next(rest))
    # a newer software version may write codes that are unknown here, and a fact that no desk wrote may have any shape
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
    return None if rest else sentences


def _next(rest: list[Any]) -> Bilingual:
    """Removes the first phrase from the list and returns its sentence. If that sentence contains another sentence
    (parameter `WHY`), the next phrase gives that other sentence and is removed, too."""
    phrase = rest.pop(0)
    made_here = isinstance(phrase, Phrase)
    code, values = (phrase.code, phrase.values) if made_here else (phrase["code"], phrase.get("values") or {})
    if not all(isinstance(text, str) for text in values.values()):
        raise TypeError("a value is no text")
    if code == "earlier":
        return _by_shape(values["text"])
    row = TEXTS[f"written.{code}"]
    filled = {name: Bilingual(_filled(name, text, "zh"), _filled(name, text, "en")) for name, text in values.items()}
    if f"{{{WHY}}}" in row.zh:
        filled[WHY] = _next(rest)
    zh, en = [{name: getattr(texts, language) for name, texts in filled.items()} for language in ("zh", "en")]
    return Bilingual(row.zh.format(**zh), row.en.format(**en))


def _filled(name: str, text: str, language: Language) -> str:
    """Returns the text that replaces a parameter: codes become words, a text of a person is unchanged."""
    if name == "words":
        return text
    if name == "findings" and language == "zh":
        found = [each.partition(" at ") for each in text.split(", ")]
        return "、".join([f"{check(code).zh}（{pointer}）" if pointer else code for code, _, pointer in found])
    return _value(name, text, language)


NAMED = 5
"""How many other declarations of the same goods a sentence names at most."""


def same_goods(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the phrases for a fact `SameGoodsDeclared`, of which no field is masked."""
    named = ",".join([*found["others"][:NAMED], *(["…"] if found["count"] > NAMED else [])])
    rule = "again_by_bill" if found["bill_no"] else "again_by_box"
    values = {"number": found["container_no"], "bill": found["bill_no"], "others": named}
    return [{"code": rule, "values": values}]


def phrases_of(fact: Mapping[str, Any]) -> Sequence[Any]:
    """Returns the phrases of a fact, a hold, a finding or a rule; an empty sequence if an older software version wrote it."""
    if (phrases := fact.get("phrases") or fact.get("phrase")) is not None:
        return [phrases] if isinstance(phrases, Mapping) else phrases
    code, reason = fact.get("why"), fact.get("reason") or ""
    if not code:
        return ()
    try:
        quotes = {name: reason[first:behind] for name, (first, behind) in (fact.get("quoted") or {}).items()}
        return [{"code": code, "values": {**(fact.get("values") or {}), **quotes}}]
    except (TypeError, ValueError, AttributeError):  # the fact does not have the shape of its kind
        return ()


def why_of(fact: Mapping[str, Any]) -> Bilingual:
    """Returns the reason of a fact in both languages. It is made from the phrases of the fact if words.toml has them, else from its English
    sentence."""
    texts = in_words_of(phrases_of(fact))
    return in_words(fact["reason"]) if texts is None else texts


def kept(fact: Mapping[str, Any]) -> str:
    """Returns the reason of a fact in the form in which rows store it: its phrases as JSON if words.toml has them, else the sentence."""
    return kept_phrases(phrases) if in_words_of(phrases := phrases_of(fact)) else fact["reason"]


def kept_phrases(phrases: Sequence[Any]) -> str:
    """Returns these phrases as JSON, the form in which rows store them. Pass only phrases whose codes words.toml has."""
    return orjson.dumps(phrases).decode()


def english(text: str) -> str:
    """Returns a stored reason (see `kept`) as an English sentence."""
    return text if _phrases(text) is None else in_words(text).en


def _phrases(text: str) -> list[Any] | None:
    if not text.startswith('[{"code":'):
        return None
    try:
        read: list[Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return read


@lru_cache(maxsize=4096)
def _read(text: str) -> Bilingual:
    behind = _POSITION_OF_MESSAGE.search(text)
    sentence, position = (text[: behind.start()], behind[0]) if behind else (text, "")
    for row in ROWS:
        values = row.read(sentence)
        if values is not None:
            texts = _in_both(row.key, values)
            return Bilingual(texts.zh + position, texts.en + position)
    return Bilingual(text, text)


def _in_both(key: str, values: dict[str, str]) -> Bilingual:
    zh, en = [{name: _value(name, value, language) for name, value in values.items()} for language in ("zh", "en")]
    return Bilingual(both(key, **zh).zh, both(key, **en).en)


def _value(name: str, value: str, language: Language) -> str:
    if name in _SENTENCES:
        texts = in_words(value)
        return texts.zh if language == "zh" else texts.en
    if name == "hold":
        return known(f"waiting.{value}", language, value)
    if name == "units" and language == "zh":
        return value.replace(" or ", "、")
    group = _GROUPS.get(name)
    if group is None or language == "en":
        return value
    codes = [each.strip().strip("'") for each in value.split(",")]
    return "、".join(
        [
            known("owners.risk", language, each)
            if each == "risk"
            else known(f"{group}.{each.replace(' ', '_')}", language, each)
            for each in codes
        ]
    )
