"""What is the smallest amount of a currency? The table has the minor units of ISO 4217:2015 for the currencies that are in
use."""

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
"""The currencies whose amounts have no decimals."""
THOUSANDTHS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
TEN_THOUSANDTHS: Final = frozenset(["CLF", "UYW"])


EXTREMES: Final = (Decimal(1), Decimal("0.0001"))
"""The largest and the smallest minor unit."""
_MINOR: Final = (
    dict.fromkeys(WHOLE, Decimal(1))
    | dict.fromkeys(THOUSANDTHS, Decimal("0.001"))
    | dict.fromkeys(TEN_THOUSANDTHS, Decimal("0.0001"))
)


def minor_unit(currency: str) -> Decimal:
    """Returns the smallest amount of this currency, in the currency itself: 1 for JPY, 0.01 for USD. It is 0.01 if the currency
    is unknown."""
    return _MINOR.get(currency, HUNDREDTH)
