"""Does a total follow from its parts? The same rule judges the total of a line and the total of the invoice.

The unit price has four decimals on the form. So the total of a line is right if it differs from quantity times unit price by at
most half a unit of the fourth decimal times the quantity, plus half a minor unit of the currency. A larger difference gives a
warning if a coarser rounding explains it: half a unit of the last place in which the unit price, or the invoice total, is
written, but at most a hundredth of the total. Any other difference is an error.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum

from schemas.codes.minor_units import EXTREMES, minor_unit
from schemas.declaration import Declaration, Item
from schemas.papers.pointing import UnsoundField

HALF = Decimal("0.5")
HALF_OF_FOUR_PLACES = Decimal("0.00005")
"""Half a unit of the last place of a unit price. On the form (element `DeclPrice`) a unit price has four decimals."""
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
    """Returns how the total of a line agrees with quantity times unit price. Raises UnsoundField if the result depends
    on a field with a fault of shape."""
    product = item.quantity * item.unit_price
    if product == item.total_price:  # for nearly every line the check ends here, without the slower comparison below
        return Fit.RIGHT
    quantity = abs(item.quantity)
    right, rounded = quantity * HALF_OF_FOUR_PLACES, quantity * half_of_last_place(item.unit_price)
    return _whatever_currency(
        item, lambda minor: _fit(product, item.total_price, right + minor * HALF, rounded + minor * HALF)
    )


def _whatever_currency(of: Item | Declaration, fit: Callable[[Decimal], Fit]) -> Fit:
    """Returns the result of `fit`, which is called with the minor unit of the currency of this line or invoice. If the
    currency has a fault of shape, `fit` is called with the smallest and with the largest minor unit of all currencies.
    Raises UnsoundField if these two results differ."""
    try:
        minor = minor_unit(of.currency)
    except UnsoundField:
        fits = {fit(each) for each in EXTREMES}
        if len(fits) > 1:
            raise
        return fits.pop()
    return fit(minor)


def fit_of_invoice(declaration: Declaration, total: Decimal) -> Fit:
    """Returns how the invoice total agrees with `total`, the sum of the totals of the lines. Each total of a line may
    be rounded to the minor unit. Raises UnsoundField if the result depends on a field with a fault of shape."""
    if total == declaration.invoice_total:
        return Fit.RIGHT
    invoice, lines = declaration.invoice_total, len(declaration.items)
    return _whatever_currency(
        declaration, lambda minor: _fit(total, invoice, minor * HALF * lines, half_of_last_place(invoice))
    )


def too_fine(amount: Decimal, currency: str) -> str:
    """Returns the amount with its currency as a text if the amount has more decimals than the currency; otherwise an empty text.
    Do not use this for unit prices, which may have more decimals."""
    return f"{amount:f} {currency}" if amount % minor_unit(currency) else ""
