"""Did a recorded treatment meet its schedule? Rows as data; each shortfall says what was seen and wanted.

Sources: IPPC ISPM 15 Annex 1 (heat, methyl bromide from 2006-10-01, sulphuryl fluoride), grain phosphine
practice of LS/T 1201, residue limits of SN/T 3401-2012, unit classes of AQSIQ Order 181. Debarking, thickness
and moisture of wood are the unit's to see to; the record does not carry them.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise

from schemas.quarantine import Reading, RecordTreatment
from schemas.vocabulary import TreatmentMethod, UnitClass

READING_GRACE_HOURS = Decimal("0.25")
"""A reading asked for at an hour may be taken up to this much later; earlier proves nothing about that hour."""
_GAS_UNITS = frozenset({UnitClass.SHIP_FUMIGATION, UnitClass.FUMIGATION})
_HEAT_UNITS = frozenset({UnitClass.HEAT})
_SIXTY = Decimal(60)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Wood core at `core_c` Celsius or more, `minutes` without a break."""

    schedule: str
    core_c: Decimal
    minutes: Decimal
    units: frozenset[UnitClass]


@dataclass(frozen=True, slots=True)
class TemperatureClass:
    """What is wanted when no reading is colder than `lowest_c` (Celsius; `above`: colder than or just at it).

    `hours`: exposure. `minima`: (hour, g/m3) readings to be met. `floor_g_m3`: for all of the exposure. `ct`:
    g h/m3.
    """

    lowest_c: Decimal
    hours: Decimal
    minima: tuple[tuple[Decimal, Decimal], ...] = ()
    floor_g_m3: Decimal = Decimal(0)
    ct: Decimal = Decimal(0)
    above: bool = False

    def fits(self, coldest: Decimal) -> bool:
        return coldest > self.lowest_c if self.above else coldest >= self.lowest_c


@dataclass(frozen=True, slots=True)
class GasRow:
    """`classes` from the warmest to the coldest in which the gas still works; `residue_ppm` at most, before opening."""

    schedule: str
    classes: tuple[TemperatureClass, ...]
    residue_ppm: Decimal
    units: frozenset[UnitClass]


def _bromide(lowest_c: int, at_2: int, at_4: int, at_24: int, ct: int) -> TemperatureClass:
    minima = ((Decimal(2), Decimal(at_2)), (Decimal(4), Decimal(at_4)), (Decimal(24), Decimal(at_24)))
    return TemperatureClass(Decimal(lowest_c), Decimal(24), minima, ct=Decimal(ct))


SCHEDULES: dict[TreatmentMethod, HeatRow | GasRow] = {
    TreatmentMethod.HEAT: HeatRow("HT-ISPM15-56C-30min", Decimal(56), Decimal(30), _HEAT_UNITS),
    TreatmentMethod.METHYL_BROMIDE: GasRow(
        "MB-ISPM15-24h-2006-10-01",
        (_bromide(21, 36, 31, 24, 650), _bromide(16, 42, 36, 28, 800), _bromide(10, 48, 42, 32, 900)),
        Decimal(5),
        _GAS_UNITS,
    ),
    TreatmentMethod.SULPHURYL_FLUORIDE: GasRow(
        "SF-ISPM15-48h-CT3000",
        (
            TemperatureClass(
                Decimal(20),
                Decimal(48),
                ((Decimal(48), Decimal(29)),),
                floor_g_m3=Decimal(29),
                ct=Decimal(3000),
            ),
        ),
        Decimal(5),
        _GAS_UNITS,
    ),
    TreatmentMethod.PHOSPHINE: GasRow(
        "PH3-grain-7d-10d",
        (
            TemperatureClass(Decimal(25), Decimal(7 * 24), above=True),
            TemperatureClass(Decimal(15), Decimal(10 * 24)),
        ),
        Decimal("0.3"),
        _GAS_UNITS,
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`schedule`: the row checked against. No `shortfalls`: the treatment met it."""

    schedule: str
    shortfalls: tuple[str, ...]


def check(record: RecordTreatment, methods: tuple[TreatmentMethod, ...]) -> Verdict:
    """The record against the row of its method; `methods` are those that were ordered."""
    row = SCHEDULES[record.method]
    shortfalls: list[str] = []
    if record.method not in methods:
        ordered = ", ".join(method.value for method in methods)
        shortfalls.append(f"method is {record.method.value}; wanted one of {ordered}")
    if record.unit_class not in row.units:
        wanted = " or ".join(sorted(unit.value for unit in row.units))
        shortfalls.append(f"unit class is {record.unit_class.value}; wanted {wanted}")
    readings = sorted(record.readings, key=lambda reading: (reading.hours, reading.temperature_c))
    if not readings:
        shortfalls.append("there are no readings; wanted readings over the whole treatment")
    elif isinstance(row, HeatRow):
        shortfalls += _heat_shortfalls(row, readings)
    else:
        shortfalls += _gas_shortfalls(row, readings)
    if isinstance(row, GasRow):
        shortfalls += _residue_shortfalls(row, record.residue_ppm)
    return Verdict(row.schedule, tuple(shortfalls))


def heated_minutes(readings: list[Reading], core_c: Decimal) -> Decimal:
    """Longest unbroken run at `core_c` or more, from first to last reading of the run; `readings` in order of hours."""
    longest, began = Decimal(0), None
    for reading in readings:
        if reading.temperature_c < core_c:
            began = None
            continue
        began = reading.hours if began is None else began
        longest = max(longest, reading.hours - began)
    return longest * _SIXTY


def ct_product(gas: list[tuple[Decimal, Decimal]]) -> Decimal:
    """g h/m3 by trapezoid over (hours, g/m3), in order of hours; time before the first reading counts for nothing."""
    return sum(((c1 + c2) / 2 * (h2 - h1) for (h1, c1), (h2, c2) in pairwise(gas)), Decimal(0))


def _heat_shortfalls(row: HeatRow, readings: list[Reading]) -> list[str]:
    held = heated_minutes(readings, row.core_c)
    if held >= row.minutes:
        return []
    return [f"wood core held {row.core_c} °C for {_plain(held)} min; wanted {row.minutes} min without a break"]


def _gas_shortfalls(row: GasRow, readings: list[Reading]) -> list[str]:
    short: list[str] = []
    coldest = min(reading.temperature_c for reading in readings)
    wanted = next((each for each in row.classes if each.fits(coldest)), None)
    if wanted is None:
        wanted = row.classes[-1]
        short.append(f"coldest reading is {_plain(coldest)} °C; wanted at least {wanted.lowest_c} °C")
    lasted = readings[-1].hours
    if lasted < wanted.hours:
        short.append(f"exposure is {_plain(lasted)} h; wanted {wanted.hours} h")
    gas = sorted((r.hours, r.concentration_g_m3) for r in readings if r.concentration_g_m3 is not None)
    if not wanted.minima and not any(hours >= wanted.hours and read > 0 for hours, read in gas):
        short.append(f"no gas was read at {wanted.hours} h or later; wanted gas until the end")
    for hour, minimum in wanted.minima:
        short += _minimum_shortfalls(gas, hour, minimum)
    within = [concentration for hours, concentration in gas if hours <= wanted.hours]
    if within and min(within) < wanted.floor_g_m3:
        short.append(f"lowest concentration is {_plain(min(within))} g/m3; wanted {wanted.floor_g_m3} g/m3 throughout")
    reached = ct_product(gas)
    if reached < wanted.ct:
        short.append(f"CT is {_plain(reached)} g h/m3; wanted {wanted.ct} g h/m3")
    return short


def _minimum_shortfalls(gas: list[tuple[Decimal, Decimal]], hour: Decimal, minimum: Decimal) -> list[str]:
    found = [concentration for hours, concentration in gas if hour <= hours <= hour + READING_GRACE_HOURS]
    if not found:
        return [f"there is no gas reading at {hour} h; wanted at least {minimum} g/m3"]
    if found[0] < minimum:
        return [f"concentration at {hour} h is {_plain(found[0])} g/m3; wanted at least {minimum} g/m3"]
    return []


def _residue_shortfalls(row: GasRow, residue: Decimal | None) -> list[str]:
    if residue is None:
        return [f"residue was not measured; wanted at most {row.residue_ppm} ppm"]
    if residue > row.residue_ppm:
        return [f"residue is {_plain(residue)} ppm; wanted at most {row.residue_ppm} ppm"]
    return []


def _plain(value: Decimal) -> str:
    """Rounded down where long, so that a value just short never reads as the one wanted; no idle zeros."""
    exponent = value.as_tuple().exponent
    short = value if isinstance(exponent, int) and exponent >= -3 else value.quantize(_CENT, ROUND_DOWN)
    return f"{short.normalize():f}"
