"""What must be right in a declaration, and what gives a warning? Each check is one small function.

A check yields a finding for each fault that it sees, with an RFC 6901 pointer to the field. The codes of findings are members of
`CheckCode` in `schemas.codes.checks`.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from schemas.codes import iso6346
from schemas.codes.checks import CheckCode
from schemas.codes.currencies import CURRENCIES, NAMES
from schemas.codes.trade import PACKAGE_KINDS, TRANSPORT_MODES
from schemas.codes.units import UNITS
from schemas.declaration import Declaration, DeclaredContainer, Finding, Item
from schemas.envelope import FURTHEST_ESTIMATE
from schemas.papers import totals
from schemas.papers.contradictions import (
    carriage,
    export_departure,
    import_destination,
    journey,
    line_destination,
    mode_direction,
    packaging,
    ship,
)
from schemas.papers.legal import legal, may_lack_mass
from schemas.papers.listed import commodity, listed, listed_country, office, trade_mode
from schemas.papers.masses import (
    air_containers_and_gross,
    containers_and_gross,
    conveyance_and_gross,
    each_line_and_gross,
    gross_mass,
    lines_and_gross,
    lines_and_net,
    net_and_gross,
    net_mass,
    quantities_and_masses,
)
from schemas.papers.parties import consignee, declarant
from schemas.papers.pointing import Findings, each_of, error, warning
from schemas.phrases import SeenPhrase, seen_phrase
from schemas.vocabulary import Direction, TransportMode, plain_word

MOST_ITEMS = 50
"""How many lines a declaration may have (GACC practice)."""
FAR = timedelta(days=366)
"""How long ago, at most, the conveyance may have entered the country."""
AHEAD = FURTHEST_ESTIMATE
"""How early goods may be declared: at most this long before the conveyance enters the country. The longest voyages take
that long."""
MOST_DECLARED_PACKAGES = 9_999_999
"""How many packages a declaration may have. No real consignment has more."""
PORTED = frozenset({TransportMode.WATER.value, TransportMode.RAIL.value, TransportMode.AIR.value})
"""The modes of transport whose goods travel under a bill of lading or waybill."""


def transport_mode(declaration: Declaration, today: date) -> Findings:
    yield from listed(declaration.transport_mode, TRANSPORT_MODES, "/transport_mode", CheckCode.TRANSPORT_MODE_UNKNOWN)


def bill(declaration: Declaration, today: date) -> Findings:
    if declaration.transport_mode in PORTED and not plain_word(declaration.bill_no):
        yield error("/bill_no", CheckCode.BILL_MISSING, declaration.bill_no)


def departure_named(declaration: Declaration, today: date) -> Findings:
    if declaration.direction is Direction.IMPORT and not declaration.departure_country:
        yield error("/departure_country", CheckCode.DEPARTURE_MISSING, "")


def destination_named(declaration: Declaration, today: date) -> Findings:
    if declaration.direction is Direction.EXPORT and not declaration.destination_country:
        yield error("/destination_country", CheckCode.DESTINATION_MISSING, "")


def departure_country(declaration: Declaration, today: date) -> Findings:
    if declaration.departure_country:
        yield from listed_country(declaration.departure_country, "/departure_country", declaration)


def destination_country(declaration: Declaration, today: date) -> Findings:
    if declaration.destination_country:
        yield from listed_country(declaration.destination_country, "/destination_country", declaration)


def entry_date(declaration: Declaration, today: date) -> Findings:
    entry = declaration.conveyance_entry_date
    if entry is not None and not -FAR <= entry - today <= AHEAD:
        yield error("/conveyance_entry_date", CheckCode.ENTRY_DATE_OUT_OF_RANGE, entry)


def packages(declaration: Declaration, today: date) -> Findings:
    if declaration.packages < 0:
        yield error("/packages", CheckCode.PACKAGES_NEGATIVE, declaration.packages)
    elif declaration.packages == 0:
        yield error("/packages", CheckCode.PACKAGES_MISSING, declaration.packages)
    elif declaration.packages > MOST_DECLARED_PACKAGES:
        yield error("/packages", CheckCode.PACKAGES_TOO_MANY, declaration.packages)


def package_kind(declaration: Declaration, today: date) -> Findings:
    yield from listed(declaration.package_kind, PACKAGE_KINDS, "/package_kind", CheckCode.PACKAGE_KIND_UNKNOWN)


def containers(declaration: Declaration, today: date) -> Findings:
    numbers: set[str] = set()
    for index, container in enumerate(declaration.containers):
        yield from each_of((_container_no,), container, f"/containers/{index}/container_no", numbers)


def _container_no(container: DeclaredContainer, pointer: str, before: set[str]) -> Findings:
    """Checks the number of one container. `before`: the numbers of the containers before it in the declaration; this function
    adds the number to them."""
    number = iso6346.plain(container.container_no)
    if number in before:
        yield error(pointer, CheckCode.CONTAINER_TWICE, number)
    before.add(number)
    if not iso6346.is_well_formed(number):
        yield error(pointer, CheckCode.CONTAINER_MALFORMED, container.container_no)
    elif not iso6346.is_valid(number):
        yield warning(pointer, CheckCode.CONTAINER_CHECK_DIGIT, container.container_no)


def currency(declaration: Declaration, today: date) -> Findings:
    yield from listed(declaration.currency, NAMES, "/currency", CheckCode.CURRENCY_UNKNOWN)


def invoice_not_negative(declaration: Declaration, today: date) -> Findings:
    if declaration.invoice_total < 0:
        yield error("/invoice_total", CheckCode.PRICE_NEGATIVE, declaration.invoice_total)


def invoice_too_fine(declaration: Declaration, today: date) -> Findings:
    if amount := totals.too_fine(declaration.invoice_total, declaration.currency):
        yield error("/invoice_total", CheckCode.AMOUNT_TOO_FINE, amount)


def totals_too_fine(declaration: Declaration, today: date) -> Findings:
    for index, item in enumerate(declaration.items):
        yield from each_of((_total_too_fine,), item, f"/items/{index}/total_price")


def _total_too_fine(item: Item, at: str) -> Findings:
    if amount := totals.too_fine(item.total_price, item.currency):
        yield error(at, CheckCode.AMOUNT_TOO_FINE, amount)


def invoice_and_lines(declaration: Declaration, today: date) -> Findings:
    if not declaration.items:
        return
    total = sum([item.total_price for item in declaration.items], Decimal(0))
    fit = totals.fit_of_invoice(declaration, total)
    if fit is not totals.Fit.RIGHT:
        value = seen_phrase("head_and_lines", head=declaration.invoice_total, lines=total)
        differs, rounded = CheckCode.INVOICE_TOTAL_DIFFERS, CheckCode.INVOICE_TOTAL_ROUNDED
        yield _misfit("/invoice_total", fit, differs, rounded, value)


def _misfit(pointer: str, fit: totals.Fit, differs: CheckCode, rounded: CheckCode, value: SeenPhrase) -> Finding:
    """Returns the finding for a total that does not agree with its parts: an error if it is wrong, a warning if rounding
    explains the difference."""
    return error(pointer, differs, value) if fit is totals.Fit.WRONG else warning(pointer, rounded, value)


def count_of_lines(declaration: Declaration, today: date) -> Findings:
    if not declaration.items:
        yield error("/items", CheckCode.ITEMS_MISSING, 0)
    if len(declaration.items) > MOST_ITEMS:
        yield error("/items", CheckCode.ITEMS_TOO_MANY, len(declaration.items))


def lines(declaration: Declaration, today: date) -> Findings:
    for index, item in enumerate(declaration.items):
        yield from each_of(OF_LINES, item, f"/items/{index}", declaration, today)


def origin(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    yield from listed_country(item.origin_country, f"{at}/origin_country", declaration)


def final_destination(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if item.form is not None and item.form.destination_country:
        yield from listed_country(item.form.destination_country, f"{at}/form/destination_country", declaration)


def description(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if not plain_word(item.description):
        yield error(f"{at}/description", CheckCode.DESCRIPTION_MISSING, item.description)


def unit(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    yield from listed(item.unit, UNITS, f"{at}/unit", CheckCode.UNIT_UNKNOWN)


def legal_quantities(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    yield from legal(item, at)


def quantity(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if item.quantity <= 0:
        yield error(f"{at}/quantity", CheckCode.QUANTITY_NOT_POSITIVE, item.quantity)


def net_mass_of_line(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if item.net_mass_kg < 0 or (item.net_mass_kg == 0 and not may_lack_mass(item)):
        yield error(f"{at}/net_mass_kg", CheckCode.MASS_NOT_POSITIVE, item.net_mass_kg)


def currency_of_line(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    yield from listed(item.currency, NAMES, f"{at}/currency", CheckCode.CURRENCY_UNKNOWN)
    if item.currency in CURRENCIES and item.currency != declaration.currency:
        yield error(
            f"{at}/currency",
            CheckCode.CURRENCY_DIFFERS,
            seen_phrase("currency_and_head", codes=item.currency, head=declaration.currency),
        )


def unit_price(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if item.unit_price < 0:
        yield error(f"{at}/unit_price", CheckCode.PRICE_NEGATIVE, item.unit_price)


def total_price(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    if item.total_price < 0:
        yield error(f"{at}/total_price", CheckCode.PRICE_NEGATIVE, item.total_price)


def total_and_price(item: Item, at: str, declaration: Declaration, today: date) -> Findings:
    fit = totals.fit_of_line(item)
    if fit is not totals.Fit.RIGHT:
        value = seen_phrase("product", quantity=item.quantity, price=item.unit_price, total=item.total_price)
        yield _misfit(f"{at}/total_price", fit, CheckCode.LINE_TOTAL_DIFFERS, CheckCode.LINE_TOTAL_ROUNDED, value)


OF_LINES: tuple[Callable[[Item, str, Declaration, date], Findings], ...] = (
    *(commodity, origin, final_destination, description, unit, legal_quantities, quantity, net_mass_of_line),
    *(currency_of_line, unit_price, total_price, total_and_price),
)
"""The checks of each line, in the order of their findings."""
CHECKS: tuple[Callable[[Declaration, date], Findings], ...] = (
    *(declarant, consignee, office, trade_mode, transport_mode, bill),
    *(departure_named, destination_named, departure_country, destination_country, entry_date),
    *(packages, package_kind, containers, packaging),
    *(mode_direction, import_destination, export_departure, journey, line_destination, ship, carriage),
    *(gross_mass, net_mass, net_and_gross, each_line_and_gross, lines_and_gross, lines_and_net),
    *(containers_and_gross, air_containers_and_gross, conveyance_and_gross, quantities_and_masses),
    *(currency, invoice_not_negative, invoice_too_fine, totals_too_fine, invoice_and_lines),
    *(count_of_lines, lines),
)
"""The checks of a declaration, in the order of their findings. Each check is small, because it ends at the first field with a
fault of shape (`each_of`), and then yields no further finding."""
MOST_FINDINGS = 100
"""How many findings are published at most, so that the fact stays small. No declarant reads more."""


def findings(declaration: Declaration, today: date, most: int = MOST_FINDINGS) -> tuple[Finding, ...]:
    """Returns the findings of all checks, in the order of `CHECKS`, but at most `most`. `today`: the day in China on which the
    declaration is judged."""
    return tuple(islice(each_of(CHECKS, declaration, today), most))
