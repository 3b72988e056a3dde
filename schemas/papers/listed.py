"""Is each code of a declaration in its code table? If a code is not, the finding names the nearest codes of the
table."""

from collections.abc import Mapping
from datetime import date

from schemas.codes import countries, hs, offices, trade
from schemas.codes.bilingual import Bilingual
from schemas.codes.checks import CheckCode
from schemas.codes.nearest import nearest
from schemas.codes.offices import is_sandbox
from schemas.codes.ways import SANDBOX
from schemas.declaration import Declaration, Item
from schemas.papers.pointing import Findings, error, warning
from schemas.phrases import seen_phrase
from schemas.vocabulary import Direction


def listed(code: str, table: Mapping[str, Bilingual], pointer: str, finding: CheckCode) -> Findings:
    """Yields an error with the nearest codes if the code is not in the table."""
    if code not in table:
        yield error(pointer, finding, code, nearest(code, table))


def office(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the code cannot be an office. Most offices of the country are not in the table, so an unlisted office of
    a known district gives only a warning, without the nearest codes."""
    code = declaration.customs_office
    if code not in offices.OFFICES and offices.is_of_district(code):
        value = seen_phrase("offices_held", office=code, held=str(offices.HELD), all=offices.IN_THE_COUNTRY)
        yield warning("/customs_office", CheckCode.OFFICE_UNLISTED, value)
    else:
        yield from listed(code, offices.OFFICES, "/customs_office", CheckCode.OFFICE_UNKNOWN)


def trade_mode(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the code cannot be a trade mode. Modes that were announced later are not in the table, so an unlisted
    code of four digits gives only a warning, and an officer reads the papers. Most modes are in the table, so the warning names
    the nearest ones."""
    code = declaration.trade_mode
    if code not in trade.TRADE_MODES and trade.is_like_mode(code):
        value = seen_phrase("modes_held", mode=code, held=str(len(trade.TRADE_MODES)), day=str(trade.MODES_AS_OF))
        yield warning("/trade_mode", CheckCode.TRADE_MODE_UNLISTED, value, nearest(code, trade.TRADE_MODES))
    else:
        yield from listed(code, trade.TRADE_MODES, "/trade_mode", CheckCode.TRADE_MODE_UNKNOWN)


def listed_country(country: str, at: str, declaration: Declaration) -> Findings:
    """Yields an error if the code is no country, or a warning if it leaves the country open. At the sandbox offices, the country
    of the sandbox is known, too."""
    if country not in countries.NAMES and not (country == SANDBOX and is_sandbox(declaration.customs_office)):
        yield from listed(country, countries.NAMES, at, CheckCode.COUNTRY_UNKNOWN)
    if country in countries.NOWHERE:
        yield warning(at, CheckCode.COUNTRY_LEFT_OPEN, country)


def edition(declaration: Declaration, today: date) -> hs.Edition | None:
    """Returns the edition of the HS by which a declaration is judged. The date on which the conveyance enters is read
    only if the result depends on it, because this field may have a fault of shape (`UnsoundField`). The result depends
    on it only if there is a later edition than that of today."""
    is_newest = hs.EDITIONS[-1].effective_from <= today
    return hs.edition(today if is_newest else judged_on(declaration, today))


def judged_on(declaration: Declaration, today: date) -> date:
    """Returns the day whose HS codes apply to a declaration: the day on which it is lodged. If an import is declared ahead, it is
    the day on which the conveyance enters (Tariff Law of the PRC, 2024, article 20: the tariff of that day applies)."""
    entry = declaration.conveyance_entry_date
    return max(today, entry) if entry is not None and declaration.direction is Direction.IMPORT else today


def _digits_suffice(code: str, declaration: Declaration) -> bool:
    """Returns whether an HS code has enough digits, and not too many. At sandbox offices six are enough, because declarations of
    foreign data sets go there and have no more."""
    if not hs.SIX <= len(code) <= hs.NATIONAL_DIGITS:
        return False
    return len(code) == hs.NATIONAL_DIGITS or is_sandbox(declaration.customs_office)


def commodity(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    """Checks the HS code of a line.

    If there is no table for the day, only the digits are checked, and no finding says so. Such a day is before the
    first edition of the table, so it occurs only if an old declaration is judged again, and each line of that
    declaration would have the same finding.
    """
    code, at = item.hs_code, f"{at}/hs_code"
    if not (code.isascii() and code.isdigit() and _digits_suffice(code, declaration)):
        yield error(at, CheckCode.HS_MALFORMED, code)
        return
    in_force = edition(declaration, today)
    if in_force is None:
        return
    if code[:2] not in in_force.chapters:
        yield error(at, CheckCode.HS_CHAPTER_UNKNOWN, code)
    elif not in_force.has(code):
        yield error(at, CheckCode.HS_CODE_UNKNOWN, code, in_force.nearest(code))
