"""Do the masses of a declaration agree with each other, and can its containers carry them?

Masses are rounded when they are written. So a mass may differ by half a unit of its last place, but at most by a
hundredth of its value.
"""

from datetime import date
from decimal import Decimal

from schemas.codes import iso6346
from schemas.codes.checks import CheckCode
from schemas.codes.counted import THINGS
from schemas.codes.units import KILOGRAMS
from schemas.declaration import Declaration, Item
from schemas.papers.pointing import Findings, each_of, error, warning
from schemas.papers.totals import HUNDREDTH, half_of_last_place
from schemas.phrases import seen_phrase
from schemas.vocabulary import TransportMode

LEAST = Decimal("0.05")
"""By how many kilograms two masses may differ in any case, however they are written."""
FILLED_IN = Decimal(1)
"""The mass in kilograms that declarants write on the form for goods that weigh less than one kilogram (GACC 2019 No.
18, gross and net mass)."""
RATED_KG = Decimal(36_000)
"""The gross mass in kilograms for which freight containers are rated (ISO 668:2020)."""
MOST_IN_A_BOX_KG = Decimal(60_000)
"""A mass in kilograms that no container can carry. Flat racks and platforms are built for up to 55 t."""
MOST_IN_A_UNIT_KG = Decimal(20_000)
"""A mass in kilograms that no air container can carry. The largest unit load device of 20 feet is rated for 13,608 kg (IATA)."""
MOST_CARRIED_KG = {
    TransportMode.WATER.value: Decimal(1_000_000_000),
    TransportMode.RAIL.value: Decimal(100_000_000),
    TransportMode.ROAD.value: Decimal(100_000_000),
    TransportMode.AIR.value: Decimal(300_000),
}
"""Mode of transport → a gross mass in kilograms that none of its conveyances can carry. The largest ship was built for 564,763 t, the
heaviest train had 99,734 t, and the largest aircraft carried 253 t. Pipelines have no such limit. By road, one declaration may be for
many vehicles."""


def gross_mass(declaration: Declaration, today: date) -> Findings:
    yield from _of_head("/gross_mass_kg", declaration.gross_mass_kg)


def net_mass(declaration: Declaration, today: date) -> Findings:
    yield from _of_head("/net_mass_kg", declaration.net_mass_kg)


def _of_head(at: str, mass: Decimal) -> Findings:
    if mass <= 0:
        yield error(at, CheckCode.MASS_NOT_POSITIVE, mass)
    elif mass < FILLED_IN:
        yield warning(at, CheckCode.MASS_BELOW_ONE, mass)


def net_and_gross(declaration: Declaration, today: date) -> Findings:
    gross, net = declaration.gross_mass_kg, declaration.net_mass_kg
    if net > gross:
        yield error("/net_mass_kg", CheckCode.NET_ABOVE_GROSS, f"{net:f} > {gross:f}")


def each_line_and_gross(declaration: Declaration, today: date) -> Findings:
    """Yields an error for each line whose net mass is above the gross mass of the declaration."""
    gross = declaration.gross_mass_kg
    for index, item in enumerate(declaration.items):
        yield from each_of((_line_and_gross,), item, f"/items/{index}/net_mass_kg", gross)


def _line_and_gross(item: Item, at: str, gross: Decimal) -> Findings:
    if item.net_mass_kg > gross and _is_above(item.net_mass_kg, gross, Decimal(0)):
        yield error(at, CheckCode.LINE_ABOVE_GROSS, f"{item.net_mass_kg:f} > {gross:f}")


def lines_and_gross(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the net masses of all lines together are above the gross mass of the declaration."""
    gross, total = declaration.gross_mass_kg, _of_lines(declaration)
    if total <= gross:  # for nearly every declaration this check ends here, without the slower steps below
        return
    if len(declaration.items) > 1 and _is_above(total, gross, _rounded(declaration)):
        yield error(
            "/gross_mass_kg", CheckCode.LINES_ABOVE_GROSS, seen_phrase("head_and_lines", head=gross, lines=total)
        )


def lines_and_net(declaration: Declaration, today: date) -> Findings:
    """Yields a warning if the net masses of all lines together differ from the net mass of the declaration."""
    if not declaration.items:
        return
    net, total = declaration.net_mass_kg, _of_lines(declaration)
    if total == net:  # for nearly every declaration this check ends here, without the slower steps below
        return
    if net == FILLED_IN and total < FILLED_IN:
        return
    if total < net and any(item.net_mass_kg == 0 for item in declaration.items):
        # A line may have no net mass if its legal units do not measure mass. So the sum of the lines may be lower.
        return
    if not _agree(total, net, _rounded(declaration) + half_of_last_place(net)):
        yield warning("/net_mass_kg", CheckCode.NET_MASS_DIFFERS, seen_phrase("head_and_lines", head=net, lines=total))


def _of_lines(declaration: Declaration) -> Decimal:
    return sum([item.net_mass_kg for item in declaration.items], Decimal(0))


def _rounded(declaration: Declaration) -> Decimal:
    """Returns by how many kilograms the sum of the lines may differ because each line is rounded."""
    return sum([half_of_last_place(item.net_mass_kg) for item in declaration.items], Decimal(0))


def containers_and_gross(declaration: Declaration, today: date) -> Findings:
    """Compares the mean gross mass per container with the mass that containers can carry. The mean is taken, because
    the declaration does not say which goods are in which container."""
    if not declaration.containers:
        return
    each = declaration.gross_mass_kg / len(declaration.containers)
    value = seen_phrase("mass_in_boxes", mass=declaration.gross_mass_kg, count=len(declaration.containers))
    if each > MOST_IN_A_BOX_KG:
        yield error("/containers", CheckCode.CONTAINER_OVERLOADED, value)
    elif each > RATED_KG:
        yield warning("/containers", CheckCode.CONTAINER_HEAVY, value)


def air_containers_and_gross(declaration: Declaration, today: date) -> Findings:
    """Yields an error if all containers are air containers and their mean gross mass is more than an air container can
    carry. Air containers carry much less than other containers. A mean mass that no container at all can carry is not
    reported here."""
    boxes, gross = declaration.containers, declaration.gross_mass_kg
    if not boxes or not MOST_IN_A_UNIT_KG < gross / len(boxes) <= MOST_IN_A_BOX_KG:
        return
    numbers = [iso6346.plain(each.container_no) for each in boxes]
    if not any(iso6346.is_of_freight(number) or not iso6346.is_well_formed(number) for number in numbers):
        yield error(
            "/containers", CheckCode.CONTAINER_OVERLOADED, seen_phrase("mass_in_boxes", mass=gross, count=len(boxes))
        )


def conveyance_and_gross(declaration: Declaration, today: date) -> Findings:
    """Yields an error if the gross mass is more than any conveyance of the mode of transport can carry. By air, yields
    a warning instead, because goods of one waybill may come by several flights."""
    gross = declaration.gross_mass_kg
    most = MOST_CARRIED_KG.get(declaration.transport_mode)
    if most is not None and gross > most:
        value = seen_phrase("mass_and_mode", mass=gross, mode=declaration.transport_mode)
        state = warning if declaration.transport_mode == TransportMode.AIR.value else error
        yield state("/gross_mass_kg", CheckCode.GROSS_ABOVE_CONVEYANCE, value)


def quantities_and_masses(declaration: Declaration, today: date) -> Findings:
    for index, item in enumerate(declaration.items):
        yield from each_of((_whole, _quantity_and_masses), item, f"/items/{index}", declaration)


def _whole(item: Item, at: str, declaration: Declaration) -> Findings:
    yield from whole(item.quantity, item.unit, f"{at}/quantity")


def whole(quantity: Decimal, unit: str, at: str) -> Findings:
    """Yields an error if the quantity is not a whole number of things, although its unit counts whole things."""
    if quantity * THINGS.get(unit, 0) % 1:
        yield error(at, CheckCode.QUANTITY_NOT_WHOLE, seen_phrase("quantity_of_unit", quantity=quantity, unit=unit))


def _quantity_and_masses(item: Item, at: str, declaration: Declaration) -> Findings:
    in_kilograms = KILOGRAMS.get(item.unit)
    if in_kilograms is None or item.quantity <= 0 or item.net_mass_kg <= 0:
        return
    gross, mass = declaration.gross_mass_kg, item.quantity * in_kilograms
    if mass == item.net_mass_kg <= gross:
        return
    rounded = half_of_last_place(item.quantity) * in_kilograms
    if _is_above(mass, gross, rounded):
        yield error(
            f"{at}/quantity", CheckCode.QUANTITY_ABOVE_GROSS, seen_phrase("mass_and_gross", mass=mass, gross=gross)
        )
    elif not _agree(mass, item.net_mass_kg, rounded + half_of_last_place(item.net_mass_kg)):
        yield warning(
            f"{at}/quantity",
            CheckCode.QUANTITY_DIFFERS_FROM_MASS,
            seen_phrase("mass_and_net", mass=mass, net=item.net_mass_kg),
        )


def _agree(one: Decimal, other: Decimal, rounded: Decimal) -> bool:
    """Returns whether two masses are equal except for rounding. `rounded`: by how many kilograms they may differ
    because of how they are written."""
    return abs(one - other) <= max(LEAST, min(rounded, other * HUNDREDTH))


def _is_above(mass: Decimal, gross: Decimal, rounded: Decimal) -> bool:
    return gross > 0 and mass > gross + half_of_last_place(gross) + min(rounded, gross * HUNDREDTH)
