"""Which texts does the console show? All are in one catalogue, `words.toml`, in Chinese and English."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from schemas.codes.bilingual import Bilingual
from schemas.codes.checks import CHECKS
from schemas.codes.refusals import REFUSALS

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")


def _load(path: Path) -> dict[str, Bilingual]:
    flat: dict[str, Bilingual] = {}

    def walk(prefix: str, node: Mapping[str, Any]) -> None:
        for name, value in node.items():
            if isinstance(value, list):
                flat[prefix + name] = Bilingual(*value)
            else:
                walk(f"{prefix}{name}.", value)

    walk("", tomllib.loads(path.read_text(encoding="utf-8")))
    return flat


TEXTS = _load(Path(__file__).with_name("words.toml"))


def say(key: str, language: Language, **values: object) -> str:
    """Returns the sentence `key` in this language with its parameters filled. If a value is a `Bilingual`, its text in the same
    language is used. Raises KeyError if words.toml has no such sentence."""
    filled = {
        name: getattr(value, language) if isinstance(value, Bilingual) else value for name, value in values.items()
    }
    return getattr(TEXTS[key], language).format(**filled) if values else str(getattr(TEXTS[key], language))


def both(key: str, **values: object) -> Bilingual:
    """Returns the sentence `key` in both languages, with its parameters filled."""
    return Bilingual(say(key, "zh", **values), say(key, "en", **values))


def known(key: str, language: Language, otherwise: str) -> str:
    """Returns the sentence `key`, or `otherwise` if words.toml has no such sentence. It has none for a code that a newer
    software version wrote."""
    texts = TEXTS.get(key)
    return otherwise if texts is None else str(getattr(texts, language))


def check(code: str) -> Bilingual:
    """Returns the text of a check of the declaration desk; the code itself if it is unknown."""
    return CHECKS.get(code) or Bilingual(code, code)


def refusal(code: str) -> Bilingual:
    """Returns why a request was refused, by the code of the refusal; the code itself if it is unknown."""
    return REFUSALS.get(code) or Bilingual(code, code)
