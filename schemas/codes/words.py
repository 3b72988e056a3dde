"""How is a code given its words in both languages?"""

from enum import StrEnum
from typing import NamedTuple, Self


class Words(NamedTuple):
    """The same sentence in both languages."""

    zh: str
    en: str


class Worded(StrEnum):
    """A code that travels as text, with what it says to people. A member is written as its code, the Chinese and the English sentence,
    so that no code is without words; its name is the code in capitals."""

    words: Words

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = Words(zh, en)
        return member
