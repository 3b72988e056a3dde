"""Which records do not prove that a treatment met its schedule, and which correct records must not fail?"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.envelope import RequestRefused
from schemas.quarantine import RecordTreatment, TreatmentFailed, TreatmentVerified
from schemas.vocabulary import ControlKind, TreatmentMethod
from services.quarantine import decider
from tests.facts import pest_intercepted
from tests.quarantine.records import BROMIDE, DOSE, FLUORIDE, GOOD, HEAT, RESIDUE, Row, good_treatment, treatment
from tests.voice import CONSIGNMENT, NOON, story

PEST = pest_intercepted(ControlKind.INSPECTION, pest="Monochamus alternatus")
ORDERED = NOON + timedelta(minutes=1)
"""The time at which the desk read that the beetle was found, and ordered a treatment."""


def answer(record: RecordTreatment) -> str:
    """The desk's answer to this record: verified, failed with the shortfalls, or refused with the code."""
    fact = story(decider, PEST).when(record).answer[0]
    match fact:
        case TreatmentVerified():
            return "verified"
        case TreatmentFailed():
            return "failed: " + "; ".join(fact.shortfalls)
        case RequestRefused():
            return f"{fact.code}: {fact.reason}"
        case _:
            return fact.kind


def record(method: TreatmentMethod, *rows: Row, **changes: Any) -> RecordTreatment:
    """A treatment record with these readings (by default good ones), and with `changes` to its fields."""
    made = treatment(
        CONSIGNMENT, "inspection", 1, method, rows or GOOD[method], residue=RESIDUE[method], dose=DOSE[method]
    )
    return made.model_copy(update=changes)


def test_good_records_are_verified() -> None:
    assert {answer(good_treatment(CONSIGNMENT, "inspection", 1, method)) for method in (HEAT, BROMIDE, FLUORIDE)} == {
        "verified"
    }


# readings that are too far apart


def test_two_hot_readings_a_thousand_hours_apart_prove_no_heat() -> None:
    assert answer(record(HEAT, ("0", "56"), ("1000", "56"))) == (
        "failed: wood core held 56 °C for 0 min; wanted 30 min without a break, readings at most 15 min apart"
    )


def test_wood_that_nobody_looked_at_for_more_than_a_quarter_of_an_hour_was_not_held() -> None:
    assert answer(record(HEAT, ("2", "56"), ("2.25", "56"), ("2.5", "56"))) == "verified"
    assert answer(record(HEAT, ("2", "56"), ("2.250001", "56"), ("2.5", "56"))).startswith("failed: wood core held")


def test_gas_that_nobody_read_for_48_hours_is_no_fumigation() -> None:
    assert answer(record(FLUORIDE, ("0", "20", "150"), ("48", "20", "30"))) == (
        "failed: no gas was read between 0 and 48 h; wanted readings at most 24.25 h apart"
    )


def test_gas_after_the_hours_of_the_schedule_adds_nothing_to_its_product() -> None:
    late: tuple[Row, ...] = (("0", "20", "62.3"), ("24.1", "20", "62.3"), ("48.25", "20", "62.3"))
    assert answer(record(FLUORIDE, *late)) == "failed: CT is 2990.4 g h/m3; wanted 3000 g h/m3"


# the dose


@pytest.mark.parametrize(("method", "short"), [(BROMIDE, "47.999"), (FLUORIDE, "119.999")])
def test_less_gas_than_the_schedule_puts_in_is_a_shortfall(method: TreatmentMethod, short: str) -> None:
    wanted = DOSE[method]
    assert (
        answer(record(method, dose_g_m3=Decimal(short)))
        == f"failed: dose is {short} g/m3; wanted at least {wanted} g/m3"
    )
    assert answer(record(method, dose_g_m3=None)) == f"failed: the dose was not recorded; wanted at least {wanted} g/m3"
    assert answer(record(method, dose_g_m3=Decimal(wanted or 0) + 1)) == "verified"


# the time of the treatment


def test_a_record_that_does_not_say_when_it_started_is_refused() -> None:
    assert answer(record(HEAT, started_at=None)).startswith("start_missing: ")


def test_a_treatment_that_started_before_its_order_does_not_answer_it() -> None:
    assert answer(record(HEAT, started_at=ORDERED)) == "verified"
    assert answer(record(HEAT, started_at=ORDERED - timedelta(microseconds=1))).startswith("before_order: ")


def test_readings_of_the_future_are_refused() -> None:
    good = record(HEAT)
    assert good.started_at is not None
    ended = good.started_at + timedelta(hours=2.5)
    assert answer(good.model_copy(update={"occurred_at": ended})) == "verified"
    early = good.model_copy(update={"occurred_at": ended - timedelta(microseconds=1)})
    assert answer(early).startswith("in_future: ")
    none_read = good.model_copy(update={"occurred_at": good.started_at - timedelta(hours=1), "readings": ()})
    assert answer(none_read).startswith("in_future: ")


def test_a_record_that_dates_itself_into_the_future_is_refused() -> None:
    good = record(HEAT)
    assert good.started_at is not None
    ended = good.started_at + timedelta(hours=2.5)
    desk = story(decider, PEST)
    desk.when(good, at=ended - timedelta(minutes=5, microseconds=1))
    assert [fact.code for fact in desk.answer if isinstance(fact, RequestRefused)] == ["in_future"]
    desk.when(good, at=ended - timedelta(minutes=5))
    assert isinstance(desk.answer[0], TreatmentVerified), "clocks may be five minutes apart"


@pytest.mark.parametrize("clock", [timedelta(days=-3), timedelta(0), timedelta(days=3)])
def test_the_future_begins_when_a_record_was_sent_whatever_the_clock_of_the_desk_says(clock: timedelta) -> None:
    good = record(HEAT)
    assert good.started_at is not None
    ended = good.started_at + timedelta(hours=2.5)
    desk = story(decider, PEST)
    desk.when(good, at=ended + clock, recorded=ended - timedelta(minutes=5, microseconds=1))
    assert [fact.code for fact in desk.answer if isinstance(fact, RequestRefused)] == ["in_future"]
    desk.when(good, at=ended + clock, recorded=ended - timedelta(minutes=5))
    assert isinstance(desk.answer[0], TreatmentVerified)


def test_a_refused_record_spends_no_attempt() -> None:
    desk = story(decider, PEST).when(record(HEAT, started_at=None))
    assert isinstance(desk.answer[0], RequestRefused)
    desk.when(record(HEAT))
    assert isinstance(desk.answer[0], TreatmentVerified)


# each sampling place is judged by itself


def test_a_weak_line_is_not_made_good_by_a_strong_one() -> None:
    weak: tuple[Row, ...] = (("0", "20", "29", "weak"), ("24", "20", "29", "weak"), ("48", "20", "29", "weak"))
    strong: tuple[Row, ...] = (("0", "20", "97", "strong"), ("24", "20", "97", "strong"), ("48", "20", "97", "strong"))
    assert answer(record(FLUORIDE, *strong)) == "verified"
    assert answer(record(FLUORIDE, *weak, *strong)) == "failed: place weak: CT is 1392 g h/m3; wanted 3000 g h/m3"


def test_every_sensor_must_be_hot_by_itself() -> None:
    top: tuple[Row, ...] = tuple([(hours, "57", None, "top") for hours in ("2", "2.25", "2.5")])
    core: tuple[Row, ...] = tuple([(hours, "55.99", None, "core") for hours in ("2", "2.25", "2.5")])
    assert answer(record(HEAT, *top, *core)) == (
        "failed: place core: wood core held 56 °C for 0 min; wanted 30 min without a break"
    )


def test_two_readings_of_one_hour_at_one_place_are_refused_and_at_two_places_read() -> None:
    twice = (*GOOD[BROMIDE], ("2", "22", "97"))
    assert answer(record(BROMIDE, *twice)) == "readings_doubled: two readings at 2 h at place 1"
    named: tuple[Row, ...] = tuple([(row[0], row[1], row[2], "2") for row in GOOD[BROMIDE] if len(row) > 2])
    assert answer(record(BROMIDE, *GOOD[BROMIDE], *named)) == "verified"
    assert answer(record(BROMIDE, *GOOD[BROMIDE], ("2.000", "22", "36", "1"))).startswith("readings_doubled: ")


# values that cannot be true


@pytest.mark.parametrize("celsius", ["100", "132.8", "-40.01"])
def test_a_core_of_100_degrees_is_a_slip_of_the_unit_and_no_failed_treatment(celsius: str) -> None:
    assert answer(record(HEAT, *GOOD[HEAT], ("2.75", celsius))).startswith("values_implausible: ")
    assert answer(record(HEAT, *GOOD[HEAT], ("2.75", "99.99"))) == "verified"


@pytest.mark.parametrize("row", [("2.1", "70", "40"), ("2.1", "-40.01", "40"), ("2.1", "22", "200.001")])
def test_gas_and_temperature_that_no_room_has_are_refused(row: Row) -> None:
    assert answer(record(BROMIDE, *GOOD[BROMIDE], row)).startswith("values_implausible: ")
    assert answer(record(BROMIDE, dose_g_m3=Decimal("200.001"))).startswith("values_implausible: ")
    assert answer(record(BROMIDE, dose_g_m3=Decimal(200))) == "verified"


# the period of airing; long records; records of older versions


def test_cold_air_and_thin_gas_while_airing_do_not_count_against_the_exposure() -> None:
    airing: tuple[Row, ...] = (("24.5", "9", "3"), ("25", "8", "0"))
    assert answer(record(BROMIDE, *GOOD[BROMIDE], *airing)) == "verified"
    fluoride: tuple[Row, ...] = (("48.1", "12", "4"), ("49", "12", "0"))
    assert answer(record(FLUORIDE, *GOOD[FLUORIDE], *fluoride)) == "verified"


def test_airing_that_began_before_the_end_counts() -> None:
    early = (*GOOD[BROMIDE][:-1], ("23.9", "21", "3"), ("24", "21", "0"))
    assert answer(record(BROMIDE, *early)).startswith("failed: concentration at 24 h is 0 g/m3")


def test_readings_of_every_minute_can_be_written() -> None:
    minutes = [(str((Decimal(minute) / 60).quantize(Decimal("0.000001"))), "21", "48") for minute in range(24 * 60 + 1)]
    assert answer(record(BROMIDE, *minutes)) == "verified"
    data = record(BROMIDE, *minutes).model_dump_json()
    assert len(RecordTreatment.model_validate_json(data).readings) == 1441


def test_a_request_of_an_earlier_release_is_read_as_of_place_1_and_without_a_start() -> None:
    old = (
        f'{{"asked_by":"u","occurred_at":"2026-12-25T13:30:00Z","consignment_id":"{CONSIGNMENT}","origin":"inspection",'
        '"attempt":1,"method":"HT","unit_class":"E","readings":[{"hours":"2.000","temperature_c":"56.50"}]}'
    )
    read = RecordTreatment.model_validate_json(old)
    assert read.started_at is None and [each.place for each in read.readings] == ["1"]
    assert answer(read).startswith("start_missing: ")
