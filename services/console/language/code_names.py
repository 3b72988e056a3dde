"""What are the names of countries and currencies in Chinese and English? If the table of codes has a name for a code,
that name is used, else the name in CLDR."""

from babel import Locale

from schemas.codes.bilingual import NAMELESS, Bilingual
from schemas.codes.countries import OF_THE_FORM, alpha2
from schemas.codes.currencies import NAMES

_LOCALES = (Locale("zh"), Locale("en"))


def country(code: str) -> Bilingual:
    """Returns the name of a country. `code`: two or three letters. Both texts are empty if neither the table of codes
    nor CLDR has a name for it."""
    return OF_THE_FORM.get(code) or Bilingual(*[locale.territories.get(alpha2(code), "") for locale in _LOCALES])


def currency(code: str) -> Bilingual:
    """Returns the name of a currency. Both texts are empty if neither the table of codes nor CLDR has a name for it."""
    name = NAMES.get(code, NAMELESS)
    return Bilingual(*[locale.currencies.get(code, "") for locale in _LOCALES]) if name == NAMELESS else name
