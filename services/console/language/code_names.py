"""What are countries and currencies called? As in CLDR, in Chinese and English; codes that CLDR lacks have their names in their tables."""

from babel import Locale

from schemas.codes.bilingual import NAMELESS, Bilingual
from schemas.codes.countries import OF_THE_FORM, alpha2
from schemas.codes.currencies import NAMES

_LOCALES = (Locale("zh"), Locale("en"))


def country(code: str) -> Bilingual:
    """The name of a country by its code of two or three letters; both texts are empty if neither CLDR nor the table of the form has it."""
    return OF_THE_FORM.get(code) or Bilingual(*[locale.territories.get(alpha2(code), "") for locale in _LOCALES])


def currency(code: str) -> Bilingual:
    """The name of a currency; both texts are empty if neither CLDR nor the table has it."""
    name = NAMES.get(code, NAMELESS)
    return Bilingual(*[locale.currencies.get(code, "") for locale in _LOCALES]) if name == NAMELESS else name
