"""How does the desk describe a shortfall? The records just meet each schedule, and then miss it at one point; the tests
compare the sentence of the failed treatment."""

from decimal import Decimal

import pytest

from schemas.codes.schedules import HeldTemperature, Row, row_for
from schemas.phrases import sentence
from schemas.vocabulary import GoodsClass, TreatmentMethod, UnitClass
from services.quarantine.proof import check, ct_product, held_hours
from tests.quarantine.just import TODAY
from tests.quarantine.records import (
    BROMIDE,
    COLD,
    DOSE,
    FLUORIDE,
    GOOD,
    HEAT,
    PHOSPHINE,
    RESIDUE,
    bad_treatment,
    good_treatment,
    readings,
    treatment,
)
from tests.quarantine.records import Row as Line
from tests.voice import CONSIGNMENT

ALL = tuple(TreatmentMethod)
TREATED = {PHOSPHINE: GoodsClass.GRAIN, COLD: GoodsClass.CITRUS}
"""Method that is not used for wood → the class of goods that it treats."""


def row_of(method: TreatmentMethod) -> Row:
    row = row_for(TREATED.get(method, GoodsClass.WOOD), method, TODAY)
    assert row is not None
    return row


def shortfalls(
    method: TreatmentMethod, *rows: Line, residue: str | None = "0", dose: str | None = None
) -> tuple[str, ...]:
    put_in = dose or DOSE[method]
    record = treatment(CONSIGNMENT, "risk", 1, method, rows, residue=residue, dose=put_in)
    return tuple([sentence(*each) for each in check(row_of(method), record)])


def changed(method: TreatmentMethod, index: int, row: Line) -> tuple[Line, ...]:
    rows = list(GOOD[method])
    rows[index] = row
    return tuple(rows)


@pytest.mark.parametrize("method", ALL)
def test_a_record_that_meets_its_schedule_just_so_has_no_shortfall(method: TreatmentMethod) -> None:
    assert check(row_of(method), good_treatment(CONSIGNMENT, "risk", 1, method)) == ()


@pytest.mark.parametrize("method", ALL)
def test_a_record_whose_last_reading_is_missing_falls_short(method: TreatmentMethod) -> None:
    assert check(row_of(method), bad_treatment(CONSIGNMENT, "risk", 1, method)) != ()


def test_wood_heated_for_29_minutes_falls_short() -> None:
    assert shortfalls(HEAT, ("0", "20"), ("1", "56"), ("1.25", "56"), ("1.499", "56")) == (
        "wood core held 56 °C for 29.94 min; wanted 30 min without a break",
    )


def test_wood_a_hundredth_of_a_degree_too_cold_falls_short() -> None:
    assert shortfalls(HEAT, ("1", "55.99"), ("1.25", "60"), ("1.5", "60")) == (
        "wood core held 56 °C for 15 min; wanted 30 min without a break",
    )


def test_a_break_in_the_heat_starts_the_half_hour_again() -> None:
    broken: tuple[Line, ...] = (("1", "57"), ("1.2", "57"), ("1.4", "57"), ("1.5", "55"), ("1.6", "57"), ("1.8", "57"))
    assert shortfalls(HEAT, *broken, ("2", "57")) != ()
    assert shortfalls(HEAT, *broken, ("2", "57"), ("2.1", "57")) == ()


def test_readings_may_be_reported_in_any_order() -> None:
    assert shortfalls(BROMIDE, *reversed(GOOD[BROMIDE]), residue="5") == ()


BROMIDE_CLASSES: list[tuple[str, tuple[str, str, str, str]]] = [
    ("21", ("48", "36", "31", "24")),
    ("20.99", ("56", "42", "36", "28")),
    ("16", ("56", "42", "36", "28")),
    ("15.99", ("64", "48", "42", "32")),
    ("10", ("64", "48", "42", "32")),
]


@pytest.mark.parametrize(("coldest", "gas"), BROMIDE_CLASSES)
def test_bromide_that_just_meets_the_minima_of_its_temperature_is_enough(
    coldest: str, gas: tuple[str, str, str, str]
) -> None:
    start, at_2, at_4, at_24 = gas
    assert (
        shortfalls(
            BROMIDE,
            ("0", "30", start),
            ("2", coldest, at_2),
            ("4", "30", at_4),
            ("24", "30", at_24),
            residue="5",
            dose=start,
        )
        == ()
    )


@pytest.mark.parametrize(("coldest", "gas"), BROMIDE_CLASSES)
@pytest.mark.parametrize(("index", "hour"), [(1, "2"), (2, "4"), (3, "24")])
def test_bromide_a_hair_under_one_minimum_falls_short(
    coldest: str, gas: tuple[str, str, str, str], index: int, hour: str
) -> None:
    wanted = gas[index]
    read = [*gas]
    read[index] = f"{int(wanted) - 1}.999"
    rows: list[Line] = [(h, coldest, c) for h, c in zip(("0", "2", "4", "24"), read, strict=True)]
    assert shortfalls(BROMIDE, *rows, dose=gas[0]) == (
        f"concentration at {hour} h is {read[index]} g/m3; wanted at least {wanted} g/m3",
    )


def test_bromide_under_10_degrees_does_not_work() -> None:
    rows: list[Line] = [("0", "9.99", "80"), ("2", "12", "70"), ("4", "12", "60"), ("24", "12", "50")]
    assert shortfalls(BROMIDE, *rows, dose="64") == ("coldest reading is 9.99 °C; wanted at least 10 °C",)


def test_bromide_without_a_reading_at_the_start_has_too_little_ct() -> None:
    assert shortfalls(BROMIDE, *GOOD[BROMIDE][1:]) == ("CT is 617 g h/m3; wanted 650 g h/m3",)


def test_a_reading_a_quarter_of_an_hour_late_still_counts_and_one_later_or_early_does_not() -> None:
    assert shortfalls(BROMIDE, *changed(BROMIDE, 1, ("2.25", "22", "36"))) == ()
    assert shortfalls(BROMIDE, *changed(BROMIDE, 1, ("2.251", "22", "36"))) == (
        "there is no gas reading at 2 h; wanted at least 36 g/m3",
    )
    assert shortfalls(BROMIDE, *changed(BROMIDE, 1, ("1.999", "22", "36"))) != ()


def test_bromide_opened_before_24_hours_falls_short() -> None:
    assert shortfalls(BROMIDE, *changed(BROMIDE, 3, ("23.999", "22", "24"))) == (
        "exposure is 23.999 h; wanted 24 h",
        "there is no gas reading at 24 h; wanted at least 24 g/m3",
    )


def test_fluoride_needs_its_product_of_gas_and_hours() -> None:
    assert shortfalls(FLUORIDE, ("0", "20", "96"), ("24", "20", "62.5"), ("48", "20", "29")) == ()
    assert shortfalls(FLUORIDE, ("0", "20", "95.999"), ("24", "20", "62.5"), ("48", "20", "29")) == (
        "CT is 2999.98 g h/m3; wanted 3000 g h/m3",
    )


def test_fluoride_never_falls_under_29_grams() -> None:
    assert shortfalls(FLUORIDE, ("0", "20", "200"), ("24", "20", "28.999"), ("48", "20", "60")) == (
        "lowest concentration is 28.999 g/m3; wanted 29 g/m3 throughout",
    )


def test_fluoride_needs_20_degrees_and_48_hours() -> None:
    assert shortfalls(FLUORIDE, *changed(FLUORIDE, 1, ("24", "19.99", "58"))) == (
        "coldest reading is 19.99 °C; wanted at least 20 °C",
    )
    assert shortfalls(FLUORIDE, ("0", "20", "120"), ("24", "20", "80"), ("47.999", "20", "58"))[:1] == (
        "exposure is 47.999 h; wanted 48 h",
    )


def daily(hours: str, celsius: str, gas: str) -> list[Line]:
    """One reading a day, and one at the hour `hours`."""
    days: list[Line] = [(str(hour), celsius, gas) for hour in range(0, int(Decimal(hours)), 24)]
    return [*days, (hours, celsius, gas)]


@pytest.mark.parametrize(
    ("celsius", "hours", "gas", "enough"),
    [
        ("25.01", "168", "0.42", True),
        ("25.01", "167.999", "0.42", False),
        ("25.01", "168", "0.419", False),
        ("25", "168", "0.42", False),
        ("25", "240", "0.28", True),
        ("25", "240", "0.279", False),
        ("15", "240", "0.28", True),
        ("15", "239.999", "0.28", False),
        ("14.99", "900", "2", False),
    ],
)
def test_phosphine_needs_more_days_where_it_is_cooler(celsius: str, hours: str, gas: str, enough: bool) -> None:
    assert (shortfalls(PHOSPHINE, *daily(hours, celsius, gas)) == ()) is enough


def test_phosphine_that_nobody_measured_to_the_end_falls_short() -> None:
    assert shortfalls(PHOSPHINE, *daily("144", "26", "1"), ("168", "26")) == (
        "grain held 15 °C with 0.28 g/m3 for 144 h; wanted 240 h without a break",
    )


@pytest.mark.parametrize(
    ("method", "above", "limit"),
    [(BROMIDE, "5.001", "5"), (FLUORIDE, "5.001", "5"), (PHOSPHINE, "0.301", "0.3")],
)
def test_a_room_with_too_much_residue_or_none_measured_is_not_opened(
    method: TreatmentMethod, above: str, limit: str
) -> None:
    assert shortfalls(method, *GOOD[method], residue=RESIDUE[method]) == ()
    assert shortfalls(method, *GOOD[method], residue=above) == (f"residue is {above} ppm; wanted at most {limit} ppm",)
    assert shortfalls(method, *GOOD[method], residue=None) == (f"residue was not measured; wanted at most {limit} ppm",)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("unit_class", list(UnitClass))
def test_only_a_unit_of_the_right_class_may_treat(method: TreatmentMethod, unit_class: UnitClass) -> None:
    record = good_treatment(CONSIGNMENT, "risk", 1, method).model_copy(update={"unit_class": unit_class})
    fitting = {HEAT: "E", COLD: "G"}.get(method, "AB")
    wanted = " or ".join(fitting)
    expected = () if unit_class.value in fitting else (f"unit class is {unit_class.value}; wanted {wanted}",)
    assert tuple([sentence(*each) for each in check(row_of(method), record)]) == expected


def test_a_record_without_readings_proves_nothing() -> None:
    wanted = "there are no readings; wanted readings over the whole treatment"
    assert all(shortfalls(method) == (wanted,) for method in ALL)


def test_the_sums_are_those_of_a_hand_calculator() -> None:
    assert ct_product([(r.hours, r.concentration_g_m3 or r.hours) for r in readings(GOOD[BROMIDE])]) == 701
    held = held_hours(readings(GOOD[HEAT]), HeldTemperature(Decimal(56), Decimal("0.5")), Decimal("0.25"))
    assert held == Decimal("0.5")


def test_of_many_shortfalls_the_first_are_named_and_the_rest_counted() -> None:
    rows: list[Line] = [("1", "20", None, f"index {number}") for number in range(40)]
    desk = shortfalls(HEAT, *rows)
    assert len(desk) == 19 and desk[-1] == "22 more shortfalls"
