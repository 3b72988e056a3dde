"""Does a total follow from its parts? The same rule judges the total of a line and the total of the invoice.

The unit price has four decimals on the form. So the total of a line is right if it differs from quantity times unit price by at
most half a unit of the fourth decimal times the quantity, plus half a minor unit of the currency. A larger difference gives a
warning if a coarser rounding explains it: half a unit of the last place in which the unit price, or the invoice total, is
written, but at most a hundredth of the total. Any other difference is an error.
"""

from decimal import Decimal
from enum import Enum

from schemas.codes.minor_units import minor_unit
from schemas.declaration import Declaration, Item

HALF = Decimal("0.5")
HALF_OF_FOUR_PLACES = Decimal("0.00005")
"""Half a unit of the last place of a unit price (`DeclPrice`, 15.4)."""
HUNDREDTH = Decimal("0.01")


class Fit(Enum):
    """Whether a total agrees with its parts: yes, only if rounding explains the difference, or no."""

    RIGHT = "right"
    ROUNDED = "rounded"
    WRONG = "wrong"


def half_of_last_place(number: Decimal) -> Decimal:
    """Returns half a unit of the last decimal place in which the number is written, without zeros at the end: 0.005 for 12.340,
    0.5 for 1200."""
    exponent = number.normalize().as_tuple().exponent
    return HALF.scaleb(min(0, exponent)) if isinstance(exponent, int) else HALF


def _fit(parts: Decimal, total: Decimal, right: Decimal, rounded: Decimal) -> Fit:
    difference = abs(parts - total)
    if difference <= right:
        return Fit.RIGHT
    return Fit.ROUNDED if difference <= min(rounded, abs(total) * HUNDREDTH) else Fit.WRONG


def fit_of_line(item: Item) -> Fit:
    """Returns how the total of a line agrees with quantity times unit price."""
    product = item.quantity * item.unit_price
    if product == item.total_price:  # nearly every line ends here, without the slower comparison below
        return Fit.RIGHT
    minor, quantity = minor_unit(item.currency) * HALF, abs(item.quantity)
    right = quantity * HALF_OF_FOUR_PLACES + minor
    rounded = quantity * half_of_last_place(item.unit_price) + minor
    return _fit(product, item.total_price, right, rounded)


def fit_of_invoice(declaration: Declaration, total: Decimal) -> Fit:
    """Returns how the invoice total agrees with `total`, the sum of the totals of the lines. Each total of a line may be rounded
    to the minor unit."""
    if total == declaration.invoice_total:
        return Fit.RIGHT
    right = minor_unit(declaration.currency) * HALF * len(declaration.items)
    return _fit(total, declaration.invoice_total, right, half_of_last_place(declaration.invoice_total))


def too_fine(amount: Decimal, currency: str) -> str:
    """Returns the amount with its currency as a text if the amount has more decimals than the currency; otherwise an empty text.
    Do not use this for unit prices, which may have more decimals."""
    return f"{amount} {currency}" if amount % minor_unit(currency) else ""
