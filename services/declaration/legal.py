"""Are the legal quantities of a line complete and plausible, and may the line be without a net mass?"""

from decimal import Decimal

from schemas.codes import hs
from schemas.codes.checks import CheckCode
from schemas.codes.units import ENERGY, KILOGRAMS, UNITS
from schemas.declaration import Item
from schemas.phrases import seen_phrase
from services.declaration.codes import listed
from services.declaration.masses import LEAST
from services.declaration.pointing import Findings, error, warning
from services.declaration.totals import HUNDREDTH


def may_lack_mass(item: Item) -> bool:
    """Whether a line needs no net mass. On the form, the net mass of a line is its legal quantity in kilograms. So electricity,
    other goods that are counted by power or energy, and goods whose legal units are no mass have none."""
    units = {item.first_unit, item.second_unit} - {""}
    legally = bool(units) and units.isdisjoint(KILOGRAMS)
    return legally or item.hs_code.startswith(hs.ELECTRICITY) or item.unit in ENERGY


def legal(item: Item, at: str) -> Findings:
    """Checks the first and the second legal quantity. Each needs its unit, and the second needs the first. A quantity is compared
    with the declared quantity or the net mass of the line, if its unit allows that."""
    first, second = (item.first_quantity, item.first_unit), (item.second_quantity, item.second_unit)
    if second != (None, "") and first == (None, ""):
        yield error(f"{at}/first_unit", CheckCode.LEGAL_QUANTITY_INCOMPLETE, "")
    for name, (quantity, unit) in (("first", first), ("second", second)):
        where = f"{at}/{name}_quantity"
        if unit:
            yield from listed(unit, UNITS, f"{at}/{name}_unit", CheckCode.UNIT_UNKNOWN)
        elif quantity is not None:
            yield error(f"{at}/{name}_unit", CheckCode.LEGAL_QUANTITY_INCOMPLETE, unit)
        if quantity is None:
            if unit:
                yield error(where, CheckCode.LEGAL_QUANTITY_INCOMPLETE, "")
        elif quantity <= 0:
            yield error(where, CheckCode.QUANTITY_NOT_POSITIVE, quantity)
        elif unit == item.unit and not _near(quantity, item.quantity):
            yield warning(
                where,
                CheckCode.LEGAL_QUANTITY_DIFFERS,
                seen_phrase("legal_and_declared", legal=quantity, quantity=item.quantity),
            )
        elif (
            unit in KILOGRAMS
            and item.net_mass_kg > 0
            and not _near(mass := quantity * KILOGRAMS[unit], item.net_mass_kg)
        ):
            yield warning(
                where, CheckCode.LEGAL_QUANTITY_DIFFERS, seen_phrase("mass_and_net", mass=mass, net=item.net_mass_kg)
            )


def _near(one: Decimal, other: Decimal) -> bool:
    """Whether two statements of one quantity differ by no more than rounding explains."""
    return abs(one - other) <= max(LEAST, other * HUNDREDTH)
