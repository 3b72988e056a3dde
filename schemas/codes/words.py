"""How does a code get its words in both languages?"""

from enum import StrEnum
from typing import Final, NamedTuple, Self


class Words(NamedTuple):
    """A text in Chinese and the same text in English; empty in a language in which it is not known."""

    zh: str
    en: str


NAMELESS: Final = Words("", "")
"""Of a code whose name is not in its table."""


class Worded(StrEnum):
    """A code that travels as text, with its sentence in both languages. A member is written as code, Chinese sentence and English
    sentence, so no code can lack a sentence. The name of the member is the code in capitals."""

    words: Words

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = Words(zh, en)
        return member
