"""Which fields of a declaration cannot both be right?

If the declarant wrote both fields and they certainly contradict each other, the finding is an error. If both may still be right,
it is a warning, and an officer reads the papers.
"""

from datetime import date

from schemas.codes import iso6346
from schemas.codes.checks import CheckCode
from schemas.codes.countries import NAMES, alpha2
from schemas.codes.trade import MAYBE_WOOD_KINDS, SOLID_WOOD_KINDS
from schemas.codes.ways import HOME, ONE_WAY, SANDBOX, homes
from schemas.declaration import Declaration, DeclaredContainer, Item
from schemas.papers.pointing import Findings, each_of, error, warning
from schemas.phrases import seen_phrase
from schemas.vocabulary import Direction, TransportMode, plain_word

UNBOXED = frozenset(
    {
        TransportMode.AIR.value,
        TransportMode.POST.value,
        TransportMode.FIXED_INSTALLATION.value,
        TransportMode.CARRIED_BY_TRAVELLER.value,
    }
)
"""The modes of transport that carry no freight containers (ISO 668)."""
WITHIN = frozenset({each.value for each in TransportMode if each.value in "0178HTWXYZ"})
"""The modes of transport of goods that cross no border. On the form, China is both the country of
departure and the destination of such goods."""


def packaging(declaration: Declaration, today: date) -> Findings:
    """Checks the kind of package if the declaration states no wood packaging. Yields an error if this kind is of solid
    wood, and a warning if it may be of wood."""
    if declaration.wood_packaging:
        return
    if declaration.package_kind in SOLID_WOOD_KINDS:
        yield error(
            "/wood_packaging", CheckCode.WOOD_DENIED, seen_phrase("package_kind", kind=declaration.package_kind)
        )
    elif declaration.package_kind in MAYBE_WOOD_KINDS:
        yield warning(
            "/wood_packaging", CheckCode.WOOD_NOT_NAMED, seen_phrase("package_kind", kind=declaration.package_kind)
        )


def mode_direction(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the trade mode exists for the other direction only."""
    only = ONE_WAY.get(declaration.trade_mode)
    if only is not None and only is not declaration.direction:
        yield error(
            "/trade_mode",
            CheckCode.TRADE_MODE_OF_OTHER_DIRECTION,
            seen_phrase("mode_and_direction", mode=declaration.trade_mode, direction=declaration.direction),
        )


def import_destination(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the goods are imported but destined for a country other than the home country."""
    if declaration.direction is Direction.IMPORT and _is_abroad(declaration.destination_country, declaration):
        yield error("/destination_country", CheckCode.IMPORT_DESTINED_ABROAD, declaration.destination_country)


def export_departure(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the goods are exported but depart from a country other than the home country."""
    if declaration.direction is Direction.EXPORT and _is_abroad(declaration.departure_country, declaration):
        yield error("/departure_country", CheckCode.EXPORT_DEPARTING_ABROAD, declaration.departure_country)


def _is_abroad(country: str, declaration: Declaration) -> bool:
    """Returns whether `country` is the code of a country other than the home country. Which country counts as home
    depends on the customs office only for China and for the country of the sandbox. So the office, which may have a
    fault of shape (`UnsoundField`), is read only for these two countries."""
    home = alpha2(country)
    if home in (HOME, SANDBOX):
        return home not in homes(declaration.customs_office)
    return bool(country)


def journey(declaration: Declaration, today: date) -> Findings:
    """Yields a warning if goods that cross the border depart from the country for which they are destined. If an import
    has no country of destination, or an export no country of departure, the home country counts as that country."""
    departure = declaration.departure_country or _home_of(Direction.EXPORT, declaration)
    destination = declaration.destination_country or _home_of(Direction.IMPORT, declaration)
    if departure and alpha2(departure) == alpha2(destination) and declaration.transport_mode not in WITHIN:
        at = "/destination_country" if declaration.destination_country else "/departure_country"
        yield warning(at, CheckCode.ROUTE_WITHOUT_JOURNEY, destination)


def _home_of(direction: Direction, declaration: Declaration) -> str:
    """Returns the home country if the declaration has this direction; otherwise an empty text. At a sandbox office the
    text is empty, too, because two countries count as home there and it is not known which one is meant."""
    return HOME if declaration.direction is direction and len(homes(declaration.customs_office)) == 1 else ""


def line_destination(declaration: Declaration, today: date) -> Findings:
    """Yields a warning for each line of an import whose final destination is a country other than the home country."""
    if declaration.direction is Direction.IMPORT:
        for index, item in enumerate(declaration.items):
            yield from each_of((_line_abroad,), item, f"/items/{index}/form/destination_country", declaration)


def _line_abroad(item: Item, at: str, declaration: Declaration) -> Findings:
    country = item.form.destination_country if item.form is not None else ""
    if country in NAMES and _is_abroad(country, declaration):
        yield warning(at, CheckCode.LINE_DESTINED_ABROAD, country)


def ship(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the goods go by ship and the ship has no name."""
    if declaration.transport_mode == TransportMode.WATER.value and not plain_word(declaration.conveyance):
        yield error("/conveyance", CheckCode.CONVEYANCE_MISSING, declaration.conveyance)


def carriage(declaration: Declaration, today: date) -> Findings:
    """Yields a finding if the containers do not fit the mode of transport. An aircraft takes only air containers (IATA unit load
    devices). The post, pipelines and travellers take no containers."""
    if declaration.transport_mode not in UNBOXED:
        return
    if declaration.transport_mode == TransportMode.AIR.value:
        for index, container in enumerate(declaration.containers):
            yield from each_of((_by_air,), container, f"/containers/{index}/container_no")
    elif declaration.containers:
        count = len(declaration.containers)
        value = seen_phrase("boxes_and_mode", count=count, mode=declaration.transport_mode)
        yield warning("/containers", CheckCode.CONTAINER_NOT_CARRIED, value)


def _by_air(container: DeclaredContainer, at: str) -> Findings:
    number = iso6346.plain(container.container_no)
    if iso6346.is_of_freight(number):
        yield error(at, CheckCode.SEA_CONTAINER_BY_AIR, number)
