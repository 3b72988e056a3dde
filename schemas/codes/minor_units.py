"""What is the smallest amount of a currency? ISO 4217:2015, minor units, of the currencies that are in use."""

from decimal import Decimal
from typing import Final

HUNDREDTH: Final = Decimal("0.01")
WHOLE: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
"""Currencies without decimals."""
THOUSANDTHS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
TEN_THOUSANDTHS: Final = frozenset(["CLF", "UYW"])


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of this currency, in the currency itself: 1 of JPY, 0.01 of USD; 0.01 where the currency is not known."""
    if currency in WHOLE:
        return Decimal(1)
    if currency in THOUSANDTHS:
        return Decimal("0.001")
    return Decimal("0.0001") if currency in TEN_THOUSANDTHS else HUNDREDTH
