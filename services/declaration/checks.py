"""What must be right in a declaration, and what is worth a warning? Each check is one small function.

A check yields a finding for each thing it saw, with an RFC 6901 pointer; the codes are members of `CheckCode` in
`schemas.codes.checks`.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from schemas.codes import hs, iso6346
from schemas.codes.checks import CheckCode
from schemas.codes.currencies import CURRENCIES, NAMES
from schemas.codes.offices import is_sandbox
from schemas.codes.trade import PACKAGE_KINDS, TRANSPORT_MODES
from schemas.codes.units import UNITS
from schemas.declaration import Declaration, Finding, Item
from schemas.phrases import SeenPhrase, seen_phrase
from schemas.vocabulary import Direction, TransportMode, plain_word
from services.declaration import totals
from services.declaration.codes import commodity, judged_on, listed, listed_country, office, trade_mode
from services.declaration.contradictions import carriage, direction, packaging
from services.declaration.legal import legal, may_lack_mass
from services.declaration.masses import masses
from services.declaration.parties import parties
from services.declaration.pointing import Findings, error, warning

MOST_ITEMS = 50
"""How many lines a declaration may have (GACC practice)."""
FAR = timedelta(days=366)
"""How long ago the conveyance may have entered."""
AHEAD = timedelta(days=60)
"""How long before the conveyance enters goods may be declared; the longest voyages take that long."""
MOST_DECLARED_PACKAGES = 9_999_999
"""How many packages a declaration may have; no consignment has more."""
PORTED = frozenset({TransportMode.WATER.value, TransportMode.RAIL.value, TransportMode.AIR.value})
"""Modes whose goods travel under a bill of lading or waybill."""


def customs(declaration: Declaration, today: date) -> Findings:
    yield from office(declaration.customs_office)
    yield from trade_mode(declaration.trade_mode)
    yield from listed(declaration.transport_mode, TRANSPORT_MODES, "/transport_mode", CheckCode.TRANSPORT_MODE_UNKNOWN)
    if declaration.transport_mode in PORTED and not plain_word(declaration.bill_no):
        yield error("/bill_no", CheckCode.BILL_MISSING, declaration.bill_no)


def route(declaration: Declaration, today: date) -> Findings:
    if declaration.direction is Direction.IMPORT and not declaration.departure_country:
        yield error("/departure_country", CheckCode.DEPARTURE_MISSING, "")
    if declaration.direction is Direction.EXPORT and not declaration.destination_country:
        yield error("/destination_country", CheckCode.DESTINATION_MISSING, "")
    for name in ("departure_country", "destination_country"):
        country = getattr(declaration, name)
        if country:
            yield from listed_country(country, f"/{name}", declaration.customs_office)
    entry = declaration.conveyance_entry_date
    if entry is not None and not -FAR <= entry - today <= AHEAD:
        yield error("/conveyance_entry_date", CheckCode.ENTRY_DATE_OUT_OF_RANGE, entry)


def packing(declaration: Declaration, today: date) -> Findings:
    if declaration.packages < 0:
        yield error("/packages", CheckCode.PACKAGES_NEGATIVE, declaration.packages)
    elif declaration.packages == 0:
        yield error("/packages", CheckCode.PACKAGES_MISSING, declaration.packages)
    elif declaration.packages > MOST_DECLARED_PACKAGES:
        yield error("/packages", CheckCode.PACKAGES_TOO_MANY, declaration.packages)
    yield from listed(declaration.package_kind, PACKAGE_KINDS, "/package_kind", CheckCode.PACKAGE_KIND_UNKNOWN)
    numbers: set[str] = set()
    for index, container in enumerate(declaration.containers):
        pointer, number = f"/containers/{index}/container_no", iso6346.plain(container.container_no)
        if number in numbers:
            yield error(pointer, CheckCode.CONTAINER_TWICE, number)
        numbers.add(number)
        if not iso6346.is_well_formed(number):
            yield error(pointer, CheckCode.CONTAINER_MALFORMED, container.container_no)
        elif not iso6346.is_valid(number):
            yield warning(pointer, CheckCode.CONTAINER_CHECK_DIGIT, container.container_no)


def values(declaration: Declaration, today: date) -> Findings:
    yield from listed(declaration.currency, NAMES, "/currency", CheckCode.CURRENCY_UNKNOWN)
    if declaration.invoice_total < 0:
        yield error("/invoice_total", CheckCode.PRICE_NEGATIVE, declaration.invoice_total)
    for pointer, amount in totals.too_fine(declaration):
        yield error(pointer, CheckCode.AMOUNT_TOO_FINE, amount)
    if declaration.items:
        total = sum([item.total_price for item in declaration.items], Decimal(0))
        fit = totals.fit_of_invoice(declaration, total)
        if fit is not totals.Fit.RIGHT:
            value = seen_phrase("head_and_lines", head=declaration.invoice_total, lines=total)
            differs, rounded = CheckCode.INVOICE_TOTAL_DIFFERS, CheckCode.INVOICE_TOTAL_ROUNDED
            yield _misfit("/invoice_total", fit, differs, rounded, value)


def _misfit(pointer: str, fit: totals.Fit, differs: CheckCode, rounded: CheckCode, value: SeenPhrase) -> Finding:
    """A total that is wrong is an error; one that is right only after rounding is a warning."""
    return error(pointer, differs, value) if fit is totals.Fit.WRONG else warning(pointer, rounded, value)


def lines(declaration: Declaration, today: date) -> Findings:
    if not declaration.items:
        yield error("/items", CheckCode.ITEMS_MISSING, 0)
    if len(declaration.items) > MOST_ITEMS:
        yield error("/items", CheckCode.ITEMS_TOO_MANY, len(declaration.items))
    fewest = hs.SIX if is_sandbox(declaration.customs_office) else hs.NATIONAL_DIGITS
    day = judged_on(declaration, today)
    for index, item in enumerate(declaration.items):
        at = f"/items/{index}"
        yield from commodity(item.hs_code, f"{at}/hs_code", fewest, day)
        yield from listed_country(item.origin_country, f"{at}/origin_country", declaration.customs_office)
        if item.form is not None and item.form.destination_country:
            yield from listed_country(
                item.form.destination_country, f"{at}/form/destination_country", declaration.customs_office
            )
        yield from line(item, at, declaration.currency)


def line(item: Item, at: str, currency: str) -> Findings:
    if not plain_word(item.description):
        yield error(f"{at}/description", CheckCode.DESCRIPTION_MISSING, item.description)
    yield from listed(item.unit, UNITS, f"{at}/unit", CheckCode.UNIT_UNKNOWN)
    yield from legal(item, at)
    if item.quantity <= 0:
        yield error(f"{at}/quantity", CheckCode.QUANTITY_NOT_POSITIVE, item.quantity)
    if item.net_mass_kg < 0 or (item.net_mass_kg == 0 and not may_lack_mass(item)):
        yield error(f"{at}/net_mass_kg", CheckCode.MASS_NOT_POSITIVE, item.net_mass_kg)
    yield from listed(item.currency, NAMES, f"{at}/currency", CheckCode.CURRENCY_UNKNOWN)
    if item.currency in CURRENCIES and item.currency != currency:
        yield error(
            f"{at}/currency",
            CheckCode.CURRENCY_DIFFERS,
            seen_phrase("currency_and_head", codes=item.currency, head=currency),
        )
    if item.unit_price < 0:
        yield error(f"{at}/unit_price", CheckCode.PRICE_NEGATIVE, item.unit_price)
    if item.total_price < 0:
        yield error(f"{at}/total_price", CheckCode.PRICE_NEGATIVE, item.total_price)
    fit = totals.fit_of_line(item)
    if fit is not totals.Fit.RIGHT:
        value = seen_phrase("product", quantity=item.quantity, price=item.unit_price, total=item.total_price)
        yield _misfit(f"{at}/total_price", fit, CheckCode.LINE_TOTAL_DIFFERS, CheckCode.LINE_TOTAL_ROUNDED, value)


CHECKS: tuple[Callable[[Declaration, date], Findings], ...] = (
    parties,
    customs,
    route,
    packing,
    packaging,
    direction,
    carriage,
    masses,
    values,
    lines,
)
MOST_FINDINGS = 100
"""How many findings are published at most, so that the fact stays small. No declarant reads more."""


def findings(declaration: Declaration, today: date) -> tuple[Finding, ...]:
    """Everything that the checks found, in the order of `CHECKS`. `today`: the day, in China, on which the desk
    decides."""
    found = [finding for check in CHECKS for finding in check(declaration, today)]
    return tuple(found[:MOST_FINDINGS])
