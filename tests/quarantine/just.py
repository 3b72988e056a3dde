"""Which treatment record just meets a step of a schedule? The record is made from the row of the table, for tests of
the limits."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from itertools import pairwise

from schemas.codes.schedules import ROWS, Exposure, HeldTemperature, Row, Step
from schemas.quarantine import Reading, RecordTreatment
from tests.quarantine.records import start_of
from tests.voice import CONSIGNMENT

TODAY = date(2026, 11, 23)
THOUSANDTH, CENT, MILLIONTH = Decimal("0.001"), Decimal("0.01"), Decimal("0.000001")
STEPS: list[tuple[Row, Step]] = [(row, step) for row in ROWS for step in row.steps]
NAMES = [f"{row.schedule}-{number}" for row in ROWS for number, _ in enumerate(row.steps)]


def just(row: Row, step: Step, sensor: str = "1") -> list[Reading]:
    """Readings at one place that just meet the step: each value is at its limit, and the readings are as far apart as
    allowed."""
    gas = _gas(row, step)
    warmest = isinstance(step, HeldTemperature) and step.above
    celsius = (step.limit_c if isinstance(step, HeldTemperature) else step.lowest_c) + (CENT if warmest else 0)
    return [
        Reading(hours=hour, temperature_c=celsius, concentration_g_m3=gas[hour] if gas else None, place=sensor)
        for hour in _hours(row, step)
    ]


def record(row: Row, step: Step, readings: list[Reading]) -> RecordTreatment:
    """The record of these readings. Dose and residue are at their limits."""
    last = max([reading.hours for reading in readings], default=Decimal(0))
    return RecordTreatment(
        consignment_id=CONSIGNMENT,
        asked_by="unit-3",
        occurred_at=start_of(1) + timedelta(hours=float(last) + 1),
        origin="inspection",
        attempt=1,
        method=row.method,
        unit_class=min(row.units),
        dose_g_m3=step.dose_g_m3 or None,
        residue_ppm=row.residue_ppm,
        started_at=start_of(1),
        readings=tuple(readings),
    )


def changed(readings: list[Reading], number: int, **values: Decimal) -> list[Reading]:
    """The readings, with `values` as new fields of the reading at the index `number`."""
    return [each.model_copy(update=values) if at == number else each for at, each in enumerate(readings)]


def _hours(row: Row, step: Step) -> list[Decimal]:
    wanted = {Decimal(0), step.hours}
    if isinstance(step, Exposure):
        wanted |= {hour for hour, _ in step.minima}
    return sorted(wanted | set(_between(sorted(wanted), row.apart_hours)))


def _between(wanted: list[Decimal], apart: Decimal) -> Iterator[Decimal]:
    for earlier, later in pairwise(wanted):
        hour = earlier + apart
        while hour < later:
            yield hour
            hour += apart


def _gas(row: Row, step: Step) -> dict[Decimal, Decimal]:
    """Hour → gas in g/m3. Readings at the hour of a minimum have exactly the minimum. All other readings are as high as
    the step's product of gas and hours requires, but not below the floor."""
    hours = _hours(row, step)
    if isinstance(step, HeldTemperature):
        return dict.fromkeys(hours, step.floor_g_m3) if step.floor_g_m3 else {}
    minima = dict(step.minima)
    fixed, free = Decimal(0), Decimal(0)
    for earlier, later in pairwise(hours):
        for hour in (earlier, later):
            half = (later - earlier) / 2
            fixed += half * minima.get(hour, Decimal(0))
            free += 0 if hour in minima else half
    needed = ((step.ct - fixed) / free).quantize(THOUSANDTH, ROUND_UP) if free else Decimal(0)
    other = max(needed, step.floor_g_m3, THOUSANDTH)
    return {hour: minima.get(hour, other) for hour in hours}
