"""Are the legal quantities of a line complete and plausible, and may the line lack a net mass?"""

from collections.abc import Callable
from decimal import Decimal

from schemas.codes import hs
from schemas.codes.checks import CheckCode
from schemas.codes.units import ENERGY, KILOGRAMS, UNITS
from schemas.declaration import Item
from schemas.papers.listed import listed
from schemas.papers.masses import LEAST, whole
from schemas.papers.pointing import Findings, each_of, error, warning
from schemas.papers.totals import HUNDREDTH
from schemas.phrases import seen_phrase


def may_lack_mass(item: Item) -> bool:
    """Returns whether a line needs no net mass. On the form, the net mass of a line is its legal quantity in kilograms. So
    electricity, other goods that are counted in units of power or energy, and goods whose legal units are no mass have no net mass."""
    units = {item.first_unit, item.second_unit} - {""}
    legally = bool(units) and units.isdisjoint(KILOGRAMS)
    return legally or item.hs_code.startswith(hs.ELECTRICITY) or item.unit in ENERGY


def legal(item: Item, at: str) -> Findings:
    """Checks the first and the second legal quantity. Each needs its unit, and the second needs the first. If the unit of a quantity
    is comparable, the quantity is compared with the declared quantity or the net mass of the line."""
    yield from each_of((_order, _first_unit, _first_quantity, _second_unit, _second_quantity), item, at)


def _order(item: Item, at: str) -> Findings:
    first, second = (item.first_quantity, item.first_unit), (item.second_quantity, item.second_unit)
    if second != (None, "") and first == (None, ""):
        yield error(f"{at}/first_unit", CheckCode.LEGAL_QUANTITY_INCOMPLETE, "")


def _first_unit(item: Item, at: str) -> Findings:
    yield from _unit(item.first_unit, lambda: item.first_quantity, f"{at}/first_unit")


def _second_unit(item: Item, at: str) -> Findings:
    yield from _unit(item.second_unit, lambda: item.second_quantity, f"{at}/second_unit")


def _unit(unit: str, quantity: Callable[[], Decimal | None], where: str) -> Findings:
    """Checks the unit of a legal quantity. `quantity` is called only if the unit is empty, because the quantity may
    have a fault of shape (`UnsoundField`)."""
    if unit:
        yield from listed(unit, UNITS, where, CheckCode.UNIT_UNKNOWN)
    elif quantity() is not None:
        yield error(where, CheckCode.LEGAL_QUANTITY_INCOMPLETE, "")


def _first_quantity(item: Item, at: str) -> Findings:
    yield from _quantity(item.first_quantity, lambda: item.first_unit, item, f"{at}/first_quantity")


def _second_quantity(item: Item, at: str) -> Findings:
    yield from _quantity(item.second_quantity, lambda: item.second_unit, item, f"{at}/second_quantity")


def _quantity(quantity: Decimal | None, unit: Callable[[], str], item: Item, where: str) -> Findings:
    """Checks a legal quantity. `unit` is called only if the result depends on the unit, because the unit may have a
    fault of shape (`UnsoundField`)."""
    if quantity is None:
        if unit():
            yield error(where, CheckCode.LEGAL_QUANTITY_INCOMPLETE, "")
    elif quantity <= 0:
        yield error(where, CheckCode.QUANTITY_NOT_POSITIVE, quantity)
    else:
        yield from whole(quantity, unit(), where)
        yield from _as_declared(quantity, unit(), item, where)


def _as_declared(quantity: Decimal, unit: str, item: Item, where: str) -> Findings:
    """Compares a legal quantity with the declared quantity if their units are the same; otherwise with the net mass, if the legal unit
    is a mass."""
    if unit == item.unit and not _near(quantity, item.quantity):
        yield warning(
            where,
            CheckCode.LEGAL_QUANTITY_DIFFERS,
            seen_phrase("legal_and_declared", legal=quantity, quantity=item.quantity),
        )
    elif unit in KILOGRAMS and item.net_mass_kg > 0 and not _near(mass := quantity * KILOGRAMS[unit], item.net_mass_kg):
        yield warning(
            where, CheckCode.LEGAL_QUANTITY_DIFFERS, seen_phrase("mass_and_net", mass=mass, net=item.net_mass_kg)
        )


def _near(one: Decimal, other: Decimal) -> bool:
    """Returns whether two statements of one quantity differ by no more than rounding explains."""
    return abs(one - other) <= max(LEAST, other * HUNDREDTH)
