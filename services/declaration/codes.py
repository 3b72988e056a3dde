"""Are the codes of a paper codes at all? Each is looked up in its table, and the nearest ones are named for one that is not there."""

from collections.abc import Mapping
from datetime import date

from schemas.codes import countries, hs
from schemas.codes.nearest import nearest
from schemas.codes.ways import homes
from services.declaration.pointing import Seen, error, warning


def listed(code: str, table: Mapping[str, str], pointer: str, finding: str) -> Seen:
    """An error, with the nearest codes, where the table does not have this one."""
    if code not in table:
        yield error(pointer, finding, code, nearest(code, table))


def place(country: str, at: str, office: str) -> Seen:
    """A country in a field of one; the sandbox offices have a country of their own."""
    if country not in homes(office):
        yield from listed(country, countries.NAMES, at, "country_unknown")
    if country in countries.NOWHERE:
        yield warning(at, "country_left_open", country)


def commodity(code: str, at: str, fewest: int, today: date) -> Seen:
    """The HS code of a line. `fewest`: digits; papers of foreign data sets name no more than six, and go to sandbox offices."""
    if not (fewest <= len(code) <= hs.NATIONAL_DIGITS and code.isascii() and code.isdigit()):
        yield error(at, "hs_malformed", code)
    elif code[:2] not in hs.edition(today).chapters:
        yield error(at, "hs_chapter_unknown", code)
    elif not hs.is_known(code, today):
        yield error(at, "hs_code_unknown", code, hs.nearest_codes(code, today))
