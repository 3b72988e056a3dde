"""Is each row of the schedule table applied exactly on both sides of its limits, and does a record fail if it misses a
single condition?"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes.schedules import READING_GRACE_HOURS, ROWS, Exposure, HeldTemperature, Row, Step, row_for, rows_for
from schemas.quarantine import Reading, RecordTreatment
from services.quarantine.proof import check, implausible
from tests.quarantine.just import CENT, MILLIONTH, NAMES, STEPS, THOUSANDTH, TODAY, changed, just, record


def passes(row: Row, made: RecordTreatment) -> bool:
    """Whether the desk would accept this record as a proof."""
    return not implausible(row, made) and not check(row, made)


def only(row: Row, step: Step) -> Row:
    """The row with only this step, so that no other step can accept the record."""
    return replace(row, steps=(step,))


Case = tuple[str, RecordTreatment, RecordTreatment]


def boundaries(row: Row, step: Step) -> Iterator[Case]:
    """For each limit: its name, a record just inside the limit, and a record just outside."""
    readings = just(row, step)
    good = record(row, step, readings)
    last, middle = len(readings) - 1, len(readings) // 2
    if step.dose_g_m3:
        yield "dose", good, good.model_copy(update={"dose_g_m3": step.dose_g_m3 - THOUSANDTH})
        yield "dose unknown", good, good.model_copy(update={"dose_g_m3": None})
    if row.residue_ppm is not None:
        yield "residue", good, good.model_copy(update={"residue_ppm": row.residue_ppm + THOUSANDTH})
        yield "residue unknown", good, good.model_copy(update={"residue_ppm": None})
    below = isinstance(step, HeldTemperature) and step.below
    for number in {0, middle, last}:
        worse = readings[number].temperature_c + (CENT if below else -CENT)
        yield f"temperature {number}", good, record(row, step, changed(readings, number, temperature_c=worse))
    short = changed(readings, last, hours=step.hours - MILLIONTH)
    yield "duration", good, record(row, step, short)
    bound = dict(step.minima) if isinstance(step, Exposure) else {}
    moved = next((n for n in range(1, last) if readings[n].hours not in bound), last)
    furthest = readings[moved - 1].hours + row.apart_hours
    yield (
        "apart",
        record(row, step, changed(readings, moved, hours=furthest) if moved == last else readings),
        record(row, step, changed(readings, moved, hours=furthest + MILLIONTH)),
    )
    if isinstance(step, Exposure):
        yield from _of_gas(row, step, readings, good)
    elif step.floor_g_m3:
        thin = changed(readings, middle, concentration_g_m3=step.floor_g_m3 - THOUSANDTH)
        yield "floor", good, record(row, step, thin)
    two = record(row, step, [*readings, *just(row, step, "2")])
    yield "second place", two, record(row, step, [*readings, *just(row, step, "2")[:-1]])
    yield "no readings", good, good.model_copy(update={"readings": ()})
    yield from _of_units(row, step, readings, good)


def _of_gas(row: Row, step: Exposure, readings: list[Reading], good: RecordTreatment) -> Iterator[Case]:
    sensor = {reading.hours: number for number, reading in enumerate(readings)}
    for hour, minimum in step.minima:
        thin = changed(readings, sensor[hour], concentration_g_m3=minimum - THOUSANDTH)
        yield f"minimum at {hour} h", good, record(row, step, thin)
        late = changed(readings, sensor[hour], hours=hour + READING_GRACE_HOURS)
        later = changed(readings, sensor[hour], hours=hour + READING_GRACE_HOURS + MILLIONTH)
        if not step.ct:
            yield f"grace at {hour} h", record(row, step, late), record(row, step, later)
    if step.floor_g_m3:
        inside = len(readings) // 2
        floor, under = step.floor_g_m3, step.floor_g_m3 - THOUSANDTH
        rich = changed(readings, 0, concentration_g_m3=Decimal(300))
        at, below = [
            record(row, step, changed(rich, inside, concentration_g_m3=each)).model_copy(
                update={"dose_g_m3": Decimal(150)}
            )
            for each in (floor, under)
        ]
        yield "floor", at, below
    free = [number for hour, number in sensor.items() if hour not in dict(step.minima)]
    if step.ct and readings[free[0]].concentration_g_m3 != max(THOUSANDTH, step.floor_g_m3):
        less = readings
        for number in free:
            gas = readings[number].concentration_g_m3
            assert gas is not None
            less = changed(less, number, concentration_g_m3=gas - THOUSANDTH)
        yield "CT", good, record(row, step, less)
    middle = step.hours / 2
    if middle not in dict(step.minima) and not step.floor_g_m3 and not step.ct:
        rest = [reading for reading in readings if reading.hours != middle]
        there, gone = [
            record(row, step, [*rest, readings[0].model_copy(update={"hours": middle, "concentration_g_m3": each})])
            for each in (THOUSANDTH, Decimal(0))
        ]
        yield "gas in the middle", there, gone
    if not step.minima:
        yield (
            "gas at the end",
            good,
            record(row, step, changed(readings, -1 % len(readings), concentration_g_m3=Decimal(0))),
        )


def _of_units(row: Row, step: Step, readings: list[Reading], good: RecordTreatment) -> Iterator[Case]:
    """Cases for the limits of possible values. They are tested with a reading after the treatment, because such a
    reading has no other effect."""
    after = readings[-1].hours + 1
    bounds = row.plausible
    for name, inside, outside in (
        ("cold", bounds.lowest_c, bounds.lowest_c - CENT),
        ("hot", bounds.highest_c, bounds.highest_c + CENT),
    ):
        yield (
            name,
            record(row, step, [*readings, Reading(hours=after, temperature_c=inside)]),
            record(row, step, [*readings, Reading(hours=after, temperature_c=outside)]),
        )
    gas = bounds.most_g_m3
    ends = [
        Reading(hours=after, temperature_c=readings[-1].temperature_c, concentration_g_m3=each)
        for each in (gas, gas + THOUSANDTH)
    ]
    plenty = {"dose_g_m3": gas / 2 if step.dose_g_m3 else None}
    enough, too_much = [record(row, step, [*readings, end]).model_copy(update=plenty) for end in ends]
    yield "too much gas", enough, too_much
    if step.dose_g_m3:
        most, more = [
            record(row, step, [*readings, end.model_copy(update={"concentration_g_m3": 2 * step.dose_g_m3 + over})])
            for end, over in zip(ends, (Decimal(0), THOUSANDTH), strict=True)
        ]
        yield "more than twice the dose", most, more
        yield (
            "too large a dose",
            good.model_copy(update={"dose_g_m3": gas}),
            good.model_copy(update={"dose_g_m3": gas + THOUSANDTH}),
        )


@pytest.mark.parametrize(("row", "step"), STEPS, ids=NAMES)
def test_every_step_of_every_row_holds_at_its_boundaries_from_both_sides(row: Row, step: Step) -> None:
    alone = only(row, step)
    checked = []
    for name, inside, outside in boundaries(row, step):
        assert passes(alone, inside), f"{name}: {check(alone, inside)} {implausible(alone, inside)}"
        assert not passes(alone, outside), f"{name} passes just outside"
        checked.append(name)
    assert {"duration", "apart", "second place", "cold", "hot", "temperature 0"} <= set(checked)


def test_every_row_has_its_source_and_its_methods_are_told_apart() -> None:
    assert all(row.source and row.steps and row.apart_hours > 0 for row in ROWS)
    assert len({row.schedule for row in ROWS}) == len(ROWS)
    assert all(row_for(row.goods, row.method, TODAY) is row for row in ROWS)
    assert all(row_for(row.goods, row.method, row.effective_from) is row for row in ROWS)
    before = [
        row_for(row.goods, row.method, row.effective_from.replace(year=row.effective_from.year - 1)) for row in ROWS
    ]
    assert before == [None] * len(ROWS), "a row does not judge orders of before its day"


def test_on_no_day_one_method_has_two_rows_for_the_same_goods() -> None:
    """`row_for` finds the row by goods, method and day. So two rows that differ only in their pests must not be in
    force at the same time, because the record would be judged by the first of them."""
    for row in ROWS:
        methods = [each.method for each in rows_for(row.goods, row.effective_from)]
        assert len(set(methods)) == len(methods), (row.goods, row.effective_from)


# Below is a second implementation of the table. It shares no code with the desk and must give the same answers.


def holds(row: Row, made: RecordTreatment) -> bool:
    """Whether the record meets a step of the row. This is the second implementation."""
    everything = [*made.readings]
    if made.unit_class not in row.units or not everything:
        return False
    if row.residue_ppm is not None and (made.residue_ppm is None or made.residue_ppm > row.residue_ppm):
        return False
    bounds = row.plausible
    for each in everything:
        if each.temperature_c < bounds.lowest_c or each.temperature_c > bounds.highest_c:
            return False
        if each.concentration_g_m3 is not None and each.concentration_g_m3 > bounds.most_g_m3:
            return False
        if made.dose_g_m3 and (each.concentration_g_m3 or 0) / 2 > made.dose_g_m3:
            return False
    if made.dose_g_m3 is not None and made.dose_g_m3 > bounds.most_g_m3:
        return False
    names = {each.place for each in everything}
    by_place = [sorted([e for e in everything if e.place == name], key=lambda e: e.hours) for name in names]
    return any(_step_holds(row, step, made, by_place) for step in row.steps)


def _step_holds(row: Row, step: Step, made: RecordTreatment, by_place: list[list[Reading]]) -> bool:
    if step.dose_g_m3 > (made.dose_g_m3 or 0):
        return False
    if isinstance(step, HeldTemperature):
        return all(_run_holds(row, step, readings) for readings in by_place)
    return all(_gas_holds(row, step, readings) for readings in by_place)


def _run_holds(row: Row, step: HeldTemperature, readings: list[Reading]) -> bool:
    """Whether there are two readings at least as far apart as the step must last. From the first of them to the second,
    all readings must be correct, and no two successive readings may be too far apart."""
    desk = [r for r in readings if r.concentration_g_m3 is not None] if step.floor_g_m3 else readings
    for first in range(len(desk)):
        for end in range(first, len(desk)):
            if end > first and desk[end].hours - desk[end - 1].hours > row.apart_hours:
                break
            inside = [r for r in readings if desk[first].hours <= r.hours <= desk[end].hours]
            if not all(_right(step, r) for r in inside):
                break
            if desk[end].hours - desk[first].hours >= step.hours:
                return True
    return False


def _right(step: HeldTemperature, reading: Reading) -> bool:
    gas = reading.concentration_g_m3
    if gas is not None and gas < step.floor_g_m3:
        return False
    if step.below:
        return not reading.temperature_c > step.limit_c
    return reading.temperature_c > step.limit_c or (not step.above and reading.temperature_c == step.limit_c)


def _gas_holds(row: Row, step: Exposure, readings: list[Reading]) -> bool:
    gas = [(Fraction(r.hours), Fraction(r.concentration_g_m3)) for r in readings if r.concentration_g_m3 is not None]
    ends = [hour for hour, _ in gas if hour >= step.hours]
    if not ends:
        return False
    end = min(ends)
    gas = [(hour, read) for hour, read in gas if hour <= end]
    if any(r.temperature_c < step.lowest_c for r in readings if r.hours <= end):
        return False
    if gas[-1][1] <= 0 and not step.minima:
        return False
    if any(hour > 0 and not read > 0 for hour, read in gas):
        return False
    if any(read < Fraction(step.floor_g_m3) for _, read in gas):
        return False
    hours = [Fraction(0), *[hour for hour, _ in gas]]
    if max([b - a for a, b in pairwise(hours)]) > Fraction(row.apart_hours):
        return False
    for hour, minimum in step.minima:
        late = [read for at, read in gas if Fraction(hour) <= at <= Fraction(hour + READING_GRACE_HOURS)]
        if not late or late[0] < Fraction(minimum):
            return False
    return _area(gas, Fraction(step.hours)) >= Fraction(step.ct)


def _area(gas: list[tuple[Fraction, Fraction]], until: Fraction) -> Fraction:
    """The area under the line through the readings, up to the hour `until`."""
    total = Fraction(0)
    for (a, at_a), (b, at_b) in pairwise(gas):
        cut = min(b, until)
        if cut > a:
            at_cut = at_a + (at_b - at_a) * (cut - a) / (b - a)
            total += (at_a + at_cut) * (cut - a) / 2
    return total


SHORT = [(row, step) for row, step in STEPS if len(just(row, step)) < 40]
"""The steps with short records. Cold treatments have hundreds of readings, so only their limits are tested."""
_NUDGES = st.sampled_from([Decimal(n) for n in ("-50", "-5", "-1", "-0.25", "-0.001", "0.001", "0.25", "1", "5", "50")])


@st.composite
def records(draw: st.DrawFn) -> tuple[Row, RecordTreatment]:
    """A row, and a record that just meets one of its steps, with readings at one to three places, and with up to four
    random changes, after which it may fail."""
    row, step = draw(st.sampled_from(SHORT))
    readings = [r for sensor in range(draw(st.integers(1, 3))) for r in just(row, step, str(sensor + 1))]
    values: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 4))):
        at, nudge = draw(st.integers(0, max(0, len(readings) - 1))), draw(_NUDGES)
        match draw(
            st.sampled_from(["hours", "celsius", "gas", "no gas", "drop", "airing", "dose", "residue", "more gas"])
        ):
            case "hours" if readings:
                readings = changed(readings, at, hours=max(Decimal(0), readings[at].hours + nudge))
            case "celsius" if readings:
                celsius = min(Decimal(200), max(Decimal(-60), readings[at].temperature_c + round(nudge, 2)))
                readings = changed(readings, at, temperature_c=celsius)
            case "gas" if readings:
                gas = max(Decimal(0), (readings[at].concentration_g_m3 or Decimal(0)) + nudge)
                readings = changed(readings, at, concentration_g_m3=gas)
            case "no gas" if readings:
                readings[at] = readings[at].model_copy(update={"concentration_g_m3": None})
            case "drop" if readings:
                readings = readings[:at] + readings[at + 1 :]
            case "airing":
                hour = step.hours + abs(nudge)
                thin = Reading(hours=hour, temperature_c=Decimal(5), concentration_g_m3=Decimal(0))
                readings = [*readings, thin]
            case "dose":
                values["dose_g_m3"] = max(Decimal(0), step.dose_g_m3 + nudge)
            case "residue" if row.residue_ppm is not None:
                values["residue_ppm"] = max(Decimal(0), row.residue_ppm + nudge)
            case "more gas":
                readings = [
                    r.model_copy(update={"concentration_g_m3": r.concentration_g_m3 + abs(nudge)})
                    if r.concentration_g_m3 is not None
                    else r
                    for r in readings
                ]
    return row, record(row, step, readings).model_copy(update=values)


@settings(max_examples=600, deadline=None)
@given(made=records())
def test_no_record_passes_of_which_any_place_interval_or_value_misses_its_schedule(
    made: tuple[Row, RecordTreatment],
) -> None:
    row, sent = made
    checked = [(r.place, r.hours) for r in sent.readings]
    if len(set(checked)) < len(checked):
        # Two readings of one place and hour are refused. Such a record is not compared with the schedule.
        return
    assert passes(row, sent) == holds(row, sent)
