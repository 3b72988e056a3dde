"""What must a treatment record show? The schedules for an order are written as sentences for the treatment unit that fills in the
form."""

from decimal import Decimal
from typing import NamedTuple

from schemas.codes.schedules import Exposure, HeldTemperature, Row, Step, row_for
from schemas.quarantine import TreatmentOrdered
from schemas.vocabulary import day_in_china
from services.console.language.words import Language, say


class Minimum(NamedTuple):
    """What a treatment record must show if the goods were treated by this `method`, which is one of the ordered ones. `lines` and
    `besides` are sentences: the record must meet at least one of `lines` (one for each step of the schedule), and all of `besides`."""

    method: str
    schedule: str
    source: str
    lines: tuple[str, ...]
    besides: tuple[str, ...]


def minima(order: TreatmentOrdered, language: Language) -> list[Minimum]:
    """Returns a `Minimum` for each ordered method that has a schedule on the day of the order. Records are judged by the schedule of
    that day."""
    day = day_in_china(order.occurred_at)
    rows = [(method, row_for(order.goods, method, day)) for method in order.methods]
    return [
        Minimum(
            method.value,
            row.schedule,
            row.source,
            tuple([_line(row, step, language) for step in row.steps]),
            tuple(_besides(row, language)),
        )
        for method, row in rows
        if row is not None
    ]


def _line(row: Row, step: Step, language: Language) -> str:
    parts = [_temperature(row, step, language)]
    held = "minima.held" if isinstance(step, HeldTemperature) else "minima.hours"
    parts.append(say(held, language, hours=plain(step.hours)))
    if step.dose_g_m3:
        parts.append(say("minima.dose", language, dose=plain(step.dose_g_m3)))
    if step.floor_g_m3:
        parts.append(say("minima.floor", language, gas=plain(step.floor_g_m3)))
    if isinstance(step, Exposure):
        parts += [say("minima.gas", language, gas=plain(gas), hour=plain(hour)) for hour, gas in step.minima]
        if step.ct:
            parts.append(say("minima.ct", language, ct=plain(step.ct)))
    return ("，" if language == "zh" else ", ").join(parts)


def _temperature(row: Row, step: Step, language: Language) -> str:
    if isinstance(step, Exposure):
        sign, limit = "≥", step.lowest_c
    else:
        sign, limit = "≤" if step.below else ">" if step.above else "≥", step.limit_c
    measured = say(f"measured.{row.measured.replace(' ', '_')}", language)
    return say("minima.temperature", language, sign=sign, limit=plain(limit), measured=measured)


def _besides(row: Row, language: Language) -> list[str]:
    units = " / ".join(sorted([unit.value for unit in row.units]))
    sentences = [
        say("minima.unit", language, units=units),
        say("minima.apart", language, hours=plain(row.apart_hours)),
    ]
    if row.residue_ppm is not None:
        sentences.append(say("minima.residue", language, ppm=plain(row.residue_ppm)))
    return sentences


def plain(value: Decimal) -> str:
    """Returns the number as a text without trailing zeros and without an exponent."""
    return f"{value.normalize():f}"
