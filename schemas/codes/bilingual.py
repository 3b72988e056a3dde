"""How does a code get its words in both languages?"""

from enum import StrEnum
from typing import Final, NamedTuple, Self


class Bilingual(NamedTuple):
    """A text in Chinese and the same text in English. A text that is not known is empty."""

    zh: str
    en: str

    @property
    def joined(self) -> str:
        """Returns the Chinese text and the English text in one line; only one of them if the other one is empty."""
        return " ".join(self).strip()


NAMELESS: Final = Bilingual("", "")
"""The names of a code for which its table has no name: both are empty."""


class BilingualCode(StrEnum):
    """A code that travels as text, with its sentence in both languages. A member is written as code, Chinese sentence and English
    sentence, so no code can lack a sentence. The name of the member is the code in capitals."""

    text: Bilingual

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = Bilingual(zh, en)
        return member
