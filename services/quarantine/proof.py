"""Does a record prove that its treatment met the schedule? Each shortfall says what was seen and what was wanted.

A record meets a row of the schedules if it proves one of the steps of that row. Every sampling place must prove that step by
itself, with readings that have no gap. Readings that were taken after the exposure, while the room was aired, do not count.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import partial
from itertools import pairwise

from schemas.codes.refusals import RefusalCode
from schemas.codes.schedules import READING_GRACE_HOURS, Exposure, HeldTemperature, Row
from schemas.phrases import Phrase, Values, phrase
from schemas.quarantine import Reading, TreatmentReport

CLOCKS_APART = timedelta(minutes=5)
"""By how much the last reading of a record may be later than the sending of the record, because two clocks may differ."""
ABOVE_DOSE = 2
"""By which factor the concentration of a gas may exceed its dose, because the load fills a part of the room. A higher value has a
wrong digit or another unit."""
MOST_SHORTFALLS = 19
"""How many shortfalls `check` returns at most. If there are more, the last one says how many. `TreatmentFailed` can have one
more, about the method."""
_HOUR_US = 3_600_000_000
_SIXTY = Decimal(60)
_CENT = Decimal("0.01")
Gas = Sequence[tuple[Decimal, Decimal]]
"""The readings of a gas as (hours, g/m3), in the order of the hours."""
Shortfall = tuple[Phrase, ...]
"""What was seen and what was wanted. If there are several sampling places, a phrase that names the place comes first."""


def unusable(
    row: Row | None, record: TreatmentReport, ordered: datetime, sent: datetime
) -> tuple[RefusalCode, Phrase] | None:
    """Returns why this record cannot be judged, as the code and the phrase of a refusal; None if it can be judged.

    `row`: its schedule, None if there is none; `ordered`: when the desk ordered the treatment; `sent`: when the record was sent,
    by its header.
    """
    if record.started_at is None:
        return RefusalCode.START_MISSING, phrase("start_missing")
    if record.started_at < ordered:
        return RefusalCode.BEFORE_ORDER, phrase("started_before", started=record.started_at, ordered=ordered)
    longest = max([reading.hours for reading in record.readings], default=Decimal(0))
    ended = record.started_at + timedelta(microseconds=int(longest * _HOUR_US))
    latest = min(record.occurred_at, sent + CLOCKS_APART)
    if ended > latest:
        return RefusalCode.IN_FUTURE, phrase("reading_ahead", reading=ended, sent=latest)
    if twice := doubled(record):
        return RefusalCode.READINGS_DOUBLED, twice
    if row is not None and (impossible := implausible(row, record)):
        return RefusalCode.VALUES_IMPLAUSIBLE, impossible
    return None


def doubled(record: TreatmentReport) -> Phrase | None:
    """Returns a phrase about an hour that has two readings at one sampling place, because it is not known which is true; None if
    there is no such hour."""
    read: set[tuple[str, Decimal]] = set()
    for reading in record.readings:
        if (reading.place, reading.hours) in read:
            return phrase("read_twice", hours=_plain(reading.hours), place=reading.place)
        read.add((reading.place, reading.hours))
    return None


def implausible(row: Row, record: TreatmentReport) -> Phrase | None:
    """Returns a phrase about a value of the record that is impossible according to the limits of this row; None if there is no such value. A
    record with such a value proves neither success nor failure."""
    bounds, dose = row.plausible, record.dose_g_m3 or Decimal(0)
    for reading in record.readings:
        hours = _plain(reading.hours)
        if not bounds.lowest_c <= reading.temperature_c <= bounds.highest_c:
            return phrase(
                "temperature_outside",
                celsius=_plain(reading.temperature_c),
                hours=hours,
                measured=row.measured,
                low=_plain(bounds.lowest_c),
                high=_plain(bounds.highest_c),
            )
        if (gas := reading.concentration_g_m3 or Decimal(0)) > bounds.most_g_m3:
            return phrase("gas_impossible", gas=_plain(gas), hours=hours, most=_plain(bounds.most_g_m3))
        if dose and gas > dose * ABOVE_DOSE:
            return phrase("gas_above_dose", gas=_plain(gas), hours=hours, dose=_plain(dose))
    if dose > bounds.most_g_m3:
        return phrase("dose_impossible", dose=_plain(dose), most=_plain(bounds.most_g_m3))
    return None


def check(row: Row, record: TreatmentReport) -> tuple[Shortfall, ...]:
    """Returns the shortfalls of the record against this row; they are empty if it proves that the treatment met the row."""
    shortfalls: list[Shortfall] = []
    if record.unit_class not in row.units:
        wanted = " or ".join(sorted([unit.value for unit in row.units]))
        shortfalls.append((phrase("unit_class_differs", unit=record.unit_class, units=wanted),))
    shortfalls += _proved(row, record)
    if row.residue_ppm is not None:
        shortfalls += _residue(row.residue_ppm, record.residue_ppm)
    if len(shortfalls) > MOST_SHORTFALLS:
        more = len(shortfalls) - MOST_SHORTFALLS + 1
        shortfalls = [*shortfalls[: MOST_SHORTFALLS - 1], (phrase("more_shortfalls", count=more),)]
    return tuple(shortfalls)


def held_hours(readings: Iterable[Reading], step: HeldTemperature, apart_hours: Decimal) -> Decimal:
    """Returns the hours of the longest run of readings that reach the limits of the step, from the first to the last reading of
    the run. `readings`: those of one place, in the order of their hours.

    A reading that does not reach a limit ends the run, and so does a gap of more than `apart_hours`.
    """
    longest = Decimal(0)
    began = last = None
    for reading in readings:
        gas = reading.concentration_g_m3
        if not step.reached(reading.temperature_c) or (gas is not None and gas < step.floor_g_m3):
            began = last = None
            continue
        if gas is None and step.floor_g_m3:
            # Only the temperature was read. Such a reading does not break the run, and does not prove that there was gas.
            continue
        if began is None or last is None or reading.hours - last > apart_hours:
            began = reading.hours
        last = reading.hours
        longest = max(longest, last - began)
    return longest


def ct_product(gas: Gas, until: Decimal | None = None) -> Decimal:
    """Returns the product of concentration and time in g·h/m3, by the trapezoidal rule, up to the hour `until`. The time before
    the first reading does not count."""
    total = Decimal(0)
    for (h1, c1), (h2, c2) in pairwise(gas):
        if until is not None and h2 > until:
            if h1 >= until:
                break
            c2 = c1 + (c2 - c1) * (until - h1) / (h2 - h1)
            h2 = until
        total += (c1 + c2) / 2 * (h2 - h1)
    return total


def _proved(row: Row, record: TreatmentReport) -> list[Shortfall]:
    """Returns an empty list if the record proves one of the steps of the row. Otherwise returns the shortfalls of one
    step. It is the exposure with the fewest shortfalls among those for which it was warm enough; if there are none, the
    last step."""
    by_place: dict[str, list[Reading]] = {}
    for reading in sorted(record.readings, key=lambda reading: reading.hours):
        by_place.setdefault(reading.place, []).append(reading)
    if not by_place:
        return [(phrase("no_readings"),)]
    nearest: list[Shortfall] | None = None
    last: list[Shortfall] = []
    for step in row.steps:
        found: list[Shortfall] = _dose(step.dose_g_m3, record.dose_g_m3)
        if isinstance(step, HeldTemperature):
            found += _at_each(by_place, partial(_held, row, step))
        else:
            coldest = min([_coldest(step, readings) for readings in by_place.values()])
            misses = _at_each(by_place, partial(_exposed, row, step))
            if coldest < step.lowest_c:
                found.append((phrase("too_cold", celsius=_plain(coldest), least=_plain(step.lowest_c)),))
            elif nearest is None or len(found) + len(misses) < len(nearest):
                nearest = [*found, *misses]
            found += misses
        if not found:
            return []
        last = found
    return last if nearest is None else nearest


def _at_each(by_place: dict[str, list[Reading]], misses: Callable[[list[Reading]], list[Phrase]]) -> list[Shortfall]:
    """Returns the shortfalls of each sampling place by itself. If there are several places, a phrase names the place."""
    if len(by_place) == 1:
        return [(miss,) for miss in misses(next(iter(by_place.values())))]
    return [
        (phrase("at_place", name=name), miss)
        for name, readings in sorted(by_place.items())
        for miss in misses(readings)
    ]


def _dose(wanted: Decimal, dose: Decimal | None) -> list[Shortfall]:
    if not wanted or (dose is not None and dose >= wanted):
        return []
    if dose is None:
        return [(phrase("no_dose", least=_plain(wanted)),)]
    return [(phrase("dose_low", dose=_plain(dose), least=_plain(wanted)),)]


def _held(row: Row, step: HeldTemperature, readings: list[Reading]) -> list[Phrase]:
    held = held_hours(readings, step, row.apart_hours)
    if held >= step.hours:
        return []
    with_gaps = held_hours(readings, step, readings[-1].hours) >= step.hours
    values: Values = {
        "measured": row.measured,
        "celsius": _plain(step.limit_c),
        "gas": _plain(step.floor_g_m3),
        "held": _span(held, step),
        "wanted": _span(step.hours, step),
        "apart": _plain(row.apart_hours * _SIXTY),
    }
    if step.floor_g_m3:
        return [phrase("gas_held_with_gaps" if with_gaps else "gas_held_short", **values)]
    return [phrase("held_with_gaps" if with_gaps else "held_short", **values)]


def _span(hours: Decimal, step: HeldTemperature) -> str:
    return f"{_plain(hours * _SIXTY)} min" if step.hours <= 1 else f"{_plain(hours)} h"


def _counted(step: Exposure, readings: list[Reading]) -> tuple[list[Reading], bool]:
    """Returns the readings up to the first gas reading at or after the end of the exposure, and True. If there is no such
    reading, returns all readings and False."""
    for number, reading in enumerate(readings):
        if reading.hours >= step.hours and reading.concentration_g_m3 is not None:
            return readings[: number + 1], True
    return readings, False


def _coldest(step: Exposure, readings: list[Reading]) -> Decimal:
    return min([reading.temperature_c for reading in _counted(step, readings)[0]])


def _exposed(row: Row, step: Exposure, readings: list[Reading]) -> list[Phrase]:
    short: list[Phrase] = []
    counted, over = _counted(step, readings)
    gas = [(r.hours, r.concentration_g_m3) for r in counted if r.concentration_g_m3 is not None]
    lasted = readings[-1].hours
    if lasted < step.hours:
        short.append(phrase("exposure_short", hours=_plain(lasted), wanted=_plain(step.hours)))
    if not any(hour == step.hours for hour, _ in step.minima) and not (over and gas[-1][1] > 0):
        short.append(phrase("no_gas_at_end", hours=_plain(step.hours)))
    for hour, minimum in step.minima:
        short += _minimum(gas, hour, minimum)
    if gone := next((hour for hour, concentration in gas if hour > 0 and not concentration), None):
        # The goods were not under gas at that hour, however much gas was put in before or afterwards. Hour 0 does not
        # count, because the gas is not in yet.
        short.append(phrase("gas_gone", hours=_plain(gone)))
    if gas and (lowest := min([concentration for _, concentration in gas])) < step.floor_g_m3:
        short.append(phrase("gas_low", gas=_plain(lowest), least=_plain(step.floor_g_m3)))
    for earlier, later in pairwise([Decimal(0), *[hours for hours, _ in gas]]):
        if later - earlier > row.apart_hours:
            short.append(phrase("gas_gap", earlier=_plain(earlier), later=_plain(later), apart=_plain(row.apart_hours)))
    if (reached := ct_product(gas, step.hours)) < step.ct:
        short.append(phrase("ct_low", ct=_plain(reached), least=_plain(step.ct)))
    return short


def _minimum(gas: Gas, hour: Decimal, minimum: Decimal) -> list[Phrase]:
    found = [concentration for hours, concentration in gas if hour <= hours <= hour + READING_GRACE_HOURS]
    if not found:
        return [phrase("no_gas_at", hours=_plain(hour), least=_plain(minimum))]
    if found[0] < minimum:
        return [phrase("gas_low_at", hours=_plain(hour), gas=_plain(found[0]), least=_plain(minimum))]
    return []


def _residue(limit: Decimal, residue: Decimal | None) -> list[Shortfall]:
    if residue is None:
        return [(phrase("no_residue", most=_plain(limit)),)]
    if residue > limit:
        return [(phrase("residue_high", ppm=_plain(residue), most=_plain(limit)),)]
    return []


def _plain(value: Decimal) -> str:
    """Returns the number as text, without trailing zeros. A long number is cut and not rounded, so that a value just below the
    required one does not look equal to it."""
    exponent = value.as_tuple().exponent
    short = value if isinstance(exponent, int) and exponent >= -3 else value.quantize(_CENT, ROUND_DOWN)
    return f"{short.normalize():f}"
