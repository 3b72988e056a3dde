"""How do the yards of this border treat which goods, and what does their record show? All functions here are pure.

The yards carry out every treatment that the quarantine desk can order for the goods and pests of this border
(`people.PESTS`), so that every consignment reaches an end. Each record meets its schedule, or, with `short`,
clearly misses the schedule.
"""

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from schemas.quarantine import Reading
from schemas.vocabulary import GoodsClass, TreatmentMethod, UnitClass

OF_WOOD = (TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE)
HEAT_SHARE = 0.9
"""The share of the wood that is heated. The rest is treated with gas, which takes a day."""


def carried_out(
    goods: GoodsClass, methods: Collection[TreatmentMethod], draw: float, *, short: bool
) -> dict[str, Any] | None:
    """Returns the fields of a treatment record that depend on the method: method, class of the unit, readings and, for
    a gas, dose and residue. Returns None if no yard here can do what is ordered.

    `draw`: a number from 0 to 1 that chooses one of several methods. `short`: whether the treatment misses its
    schedule.
    """
    able = {method: record for method, record in _RECORDS.get(goods, {}).items() if method in methods}
    if not able:
        return None
    chosen = next(iter(able)) if draw < HEAT_SHARE else list(able)[-1]
    return able[chosen](short)


def _heat(short: bool) -> dict[str, Any]:
    """Returns a record that meets ISPM 15: wood core at 56 °C for 30 minutes without a break, read every 6 minutes. With
    `short`, the treatment ends after 24 minutes."""
    hot = ("2", "2.1", "2.2", "2.3", "2.4") if short else ("2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
    rows = (("0", "20.0"), ("1.5", "49.5"), *[(hours, "56.8") for hours in hot])
    return {
        "method": TreatmentMethod.HEAT,
        "unit_class": UnitClass.HEAT,
        "readings": tuple([Reading(hours=Decimal(h), temperature_c=Decimal(t)) for h, t in rows]),
    }


def _bromide(short: bool) -> dict[str, Any]:
    """Returns a record that meets ISPM 15 at 21 °C and above: 36, 31 and 24 g/m3 after 2, 4 and 24 hours at each of the
    two sampling lines. With `short`, the concentration at one of these lines is too low after 24 hours.

    The last readings are of the airing.
    """
    last = "19" if short else "27"
    front = _gas("23", (("0", "48"), ("2", "41"), ("4", "36"), ("24", last), ("25", "0.5")), "front line")
    back = _gas("24", (("0", "48"), ("2", "42"), ("4", "37"), ("24", "28"), ("25", "0.5")), "back line")
    return _fumigated(TreatmentMethod.METHYL_BROMIDE, "48", "2", (*front, *back))


def _bromide_of_perishables(short: bool) -> dict[str, Any]:
    """Returns a record of 48 g/m3 for 2.5 hours at 23 °C. This is enough for cut flowers (NAC 554.410, 22.8 °C: 32 g/m3
    for 2.5 hours) and for cherries (BICON, 13.9 °C: 48 g/m3 for 2 hours). The last reading is of the airing. With
    `short`, the treatment ends too early for cut flowers and for cherries, and has no airing."""
    rows = (
        (("0", "44"), ("1", "40"), ("1.9", "38")) if short else (("0", "44"), ("1", "40"), ("2", "37"), ("2.5", "35"))
    )
    airing = () if short else (("3", "0.5"),)
    return _fumigated(TreatmentMethod.METHYL_BROMIDE, "48", "2", _gas("23", (*rows, *airing), "front line"))


def _phosphine(short: bool) -> dict[str, Any]:
    """Returns a record that meets the rates of GRDC above 25 °C: 300 ppm (0.42 g/m3) for 7 days, read daily. With
    `short`, the concentration is too low at the end of the last day.

    The last reading is of the airing.
    """
    last = "0.2" if short else "0.5"
    rows = [(str(24 * day), gas) for day, gas in enumerate(("1.4", "1.2", "1.1", "0.9", "0.8", "0.7", "0.6", last))]
    readings = _gas("27", (*rows, ("170", "0.01")), "front line")
    return _fumigated(TreatmentMethod.PHOSPHINE, "1.5", "0.1", readings)


def _gas(celsius: str, rows: Collection[tuple[str, str]], line: str) -> tuple[Reading, ...]:
    """Returns the readings (hours, g/m3) of one sampling line."""
    return tuple(
        [
            Reading(hours=Decimal(hours), temperature_c=Decimal(celsius), concentration_g_m3=Decimal(gas), place=line)
            for hours, gas in rows
        ]
    )


def _fumigated(method: TreatmentMethod, dose: str, residue: str, readings: tuple[Reading, ...]) -> dict[str, Any]:
    """Returns the fields of a record of a fumigation. `dose` is in g/m3, `residue` in ppm."""
    return {
        "method": method,
        "unit_class": UnitClass.FUMIGATION,
        "dose_g_m3": Decimal(dose),
        "residue_ppm": Decimal(residue),
        "readings": readings,
    }


_RECORDS: dict[GoodsClass, dict[TreatmentMethod, Callable[[bool], dict[str, Any]]]] = {
    GoodsClass.WOOD: {TreatmentMethod.HEAT: _heat, TreatmentMethod.METHYL_BROMIDE: _bromide},
    GoodsClass.CUT_FLOWERS: {TreatmentMethod.METHYL_BROMIDE: _bromide_of_perishables},
    GoodsClass.CHERRIES: {TreatmentMethod.METHYL_BROMIDE: _bromide_of_perishables},
    GoodsClass.GRAIN: {TreatmentMethod.PHOSPHINE: _phosphine},
}
"""Class of goods → method → the function that makes the record. Heat is the first method for wood."""
