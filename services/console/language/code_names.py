"""What are countries and currencies called? As in CLDR, in Chinese and English; codes that CLDR lacks have their names in their tables."""

from babel import Locale

from schemas.codes.countries import OF_THE_FORM, alpha2
from schemas.codes.currencies import NAMES
from schemas.codes.words import Words

_LOCALES = (Locale("zh"), Locale("en"))


def country(code: str) -> Words:
    """The name of a country by its code of two or three letters; both texts are empty if neither CLDR nor the table of the form has it."""
    return _of_table(OF_THE_FORM.get(code, "")) or Words(
        *[locale.territories.get(alpha2(code), "") for locale in _LOCALES]
    )


def currency(code: str) -> Words:
    """The name of a currency; both texts are empty if neither CLDR nor the table has it."""
    return _of_table(NAMES.get(code, "")) or Words(*[locale.currencies.get(code, "") for locale in _LOCALES])


def _of_table(name: str) -> Words | None:
    """A name that a table writes as `中文 English`; None if it has none."""
    chinese, _, english = name.partition(" ")
    return Words(chinese, english) if name else None
