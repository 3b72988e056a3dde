"""Do the masses of a declaration agree with each other, and can its containers carry them?

Masses are rounded when they are written. So each may differ by half a unit of its last place, but at most by a
hundredth.
"""

from datetime import date
from decimal import Decimal

from schemas.codes.checks import CheckCode
from schemas.codes.counted import COUNTED
from schemas.codes.units import KILOGRAMS
from schemas.declaration import Declaration, Item
from schemas.phrases import seen_phrase
from services.declaration.pointing import Findings, error, warning
from services.declaration.totals import HUNDREDTH, half_of_last_place

LEAST = Decimal("0.05")
"""Kilograms by which two masses may always differ."""
FILLED_IN = Decimal(1)
"""The mass in kilograms that the form shows for goods that weigh less (GACC 2019 No. 18, gross and net mass)."""
RATED_KG = Decimal(36_000)
"""The gross mass in kilograms for which freight containers are rated (ISO 668:2020)."""
MOST_IN_A_BOX_KG = Decimal(60_000)
"""More kilograms than any container carries; flat racks and platforms are built for up to 55 t."""


def masses(declaration: Declaration, today: date) -> Findings:
    gross, net = declaration.gross_mass_kg, declaration.net_mass_kg
    for name, mass in (("gross_mass_kg", gross), ("net_mass_kg", net)):
        if mass <= 0:
            yield error(f"/{name}", CheckCode.MASS_NOT_POSITIVE, mass)
        elif mass < FILLED_IN:
            yield warning(f"/{name}", CheckCode.MASS_BELOW_ONE, mass)
    if net > gross:
        yield error("/net_mass_kg", CheckCode.NET_ABOVE_GROSS, f"{net} > {gross}")
    yield from _of_lines(declaration)
    yield from _in_boxes(declaration)
    for index, item in enumerate(declaration.items):
        yield from _of_quantity(item, f"/items/{index}", gross)


def _of_lines(declaration: Declaration) -> Findings:
    """Compares the net mass of each line, and of all lines together, with the masses of the head."""
    gross, net = declaration.gross_mass_kg, declaration.net_mass_kg
    for index, item in enumerate(declaration.items):
        if item.net_mass_kg > gross and _is_above(item.net_mass_kg, gross, Decimal(0)):
            yield error(f"/items/{index}/net_mass_kg", CheckCode.LINE_ABOVE_GROSS, f"{item.net_mass_kg} > {gross}")
    if not declaration.items:
        return
    total = sum([item.net_mass_kg for item in declaration.items], Decimal(0))
    if total == net <= gross:  # this is nearly always so, and the checks below take longer
        return
    rounded = sum([half_of_last_place(item.net_mass_kg) for item in declaration.items], Decimal(0))
    if len(declaration.items) > 1 and _is_above(total, gross, rounded):
        yield error(
            "/gross_mass_kg", CheckCode.LINES_ABOVE_GROSS, seen_phrase("head_and_lines", head=gross, lines=total)
        )
    if net == FILLED_IN and total < FILLED_IN:
        return
    if total < net and any(item.net_mass_kg == 0 for item in declaration.items):
        return  # lines whose legal units are no mass have no net mass
    if not _agree(total, net, rounded + half_of_last_place(net)):
        yield warning("/net_mass_kg", CheckCode.NET_MASS_DIFFERS, seen_phrase("head_and_lines", head=net, lines=total))


def _in_boxes(declaration: Declaration) -> Findings:
    """Compares the gross mass per container with what containers carry. It is the mean, because the paper does not say
    what is in which container."""
    if not declaration.containers:
        return
    each = declaration.gross_mass_kg / len(declaration.containers)
    value = seen_phrase("mass_in_boxes", mass=declaration.gross_mass_kg, count=len(declaration.containers))
    if each > MOST_IN_A_BOX_KG:
        yield error("/containers", CheckCode.CONTAINER_OVERLOADED, value)
    elif each > RATED_KG:
        yield warning("/containers", CheckCode.CONTAINER_HEAVY, value)


def _of_quantity(item: Item, at: str, gross: Decimal) -> Findings:
    if item.unit in COUNTED and item.quantity % 1:
        yield error(
            f"{at}/quantity",
            CheckCode.QUANTITY_NOT_WHOLE,
            seen_phrase("quantity_of_unit", quantity=item.quantity, unit=item.unit),
        )
    in_kilograms = KILOGRAMS.get(item.unit)
    if in_kilograms is None or item.quantity <= 0 or item.net_mass_kg <= 0:
        return
    mass = item.quantity * in_kilograms
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
    """`rounded`: kilograms by which the two may differ because of how they are written."""
    return abs(one - other) <= max(LEAST, min(rounded, other * HUNDREDTH))


def _is_above(mass: Decimal, gross: Decimal, rounded: Decimal) -> bool:
    return gross > 0 and mass > gross + half_of_last_place(gross) + min(rounded, gross * HUNDREDTH)
