"""How is a moment judged that is exactly on a limit, and when is it certain with which visit goods have left?"""

import pytest

from schemas.phrases import sentence
from schemas.vocabulary import EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import answer, look
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    discharged,
    event,
    found,
    freed,
    held,
    may_leave,
    out,
    permitted,
    retracted,
)
from tests.gate.test_visits import alarms, left
from tests.voice import Story, story

STRIPPED, STUFFED = EquipmentEvent.STRIPPED, EquipmentEvent.STUFFED
SKEW = 15
"""Minutes by which clocks may differ."""


def next_visit(desk: Story) -> Story:
    """The container left, was found outside, and is here again with new goods, which are released."""
    desk.when(out(90), at=at(90)).when(found("outside", 100), at=at(100)).when(discharged(9 * DAY), at=at(9 * DAY))
    return desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))


# with which visit goods have left if nobody reported their arrival


def test_goods_that_the_gate_told_to_have_arrived_have_left_with_that_visit_and_keep_no_other() -> None:
    desk = story(decider, held(B, when=-5), discharged(0))
    assert "ContainerArrived" in [fact.kind for fact in desk.facts]
    assert may_leave(next_visit(desk))


def test_goods_that_name_the_call_of_a_visit_have_left_with_it_and_keep_no_other() -> None:
    """The gate desk publishes no arrival for a container that came empty, so only the conveyance says to which visit the
    goods belong."""
    desk = story(decider, discharged(0, "S 1", laden=False), held(B, ship="S 1", when=60))
    assert "ContainerArrived" not in [fact.kind for fact in desk.facts]
    assert may_leave(next_visit(desk))


@pytest.mark.parametrize("ship", ["", "S 1"])
def test_goods_of_which_neither_is_known_keep_the_visit_that_is_open(ship: str) -> None:
    desk = story(decider, discharged(0), held(B, ship=ship, when=60))
    assert not may_leave(next_visit(desk))
    box = as_box(desk.state)
    assert [part.consignment_id for part in look(box).doubtful] == [B]


def test_goods_that_name_another_call_than_the_open_visit_do_not_keep_it() -> None:
    desk = story(decider, discharged(0), held(B, ship="S 1", when=60))
    desk.when(out(90), at=at(90)).when(found("outside", 100), at=at(100))
    desk.when(discharged(9 * DAY, "T 2"), at=at(9 * DAY))
    desk.when(freed(C, ship="T 2", arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    assert may_leave(desk) and look(as_box(desk.state)).doubtful == []


def test_a_paper_that_is_taken_back_in_the_moment_of_the_opening_was_in_the_box() -> None:
    desk = story(decider, held(A), freed(A, released=False, arrived=None, when=10), discharged(10), out(30))
    assert alarms(desk) == ["left_unreleased"]


# exactly on a limit


@pytest.mark.parametrize(("after", "alarm"), [(SKEW, "left_unreleased"), (SKEW + 1, "left_undeclared")])
def test_a_paper_within_the_skew_after_the_departure_was_there_before(after: float, alarm: str) -> None:
    desk = story(decider, discharged(0, "S 1"), held(B, ship="S 1", arrived=0), freed(B, ship="S 1", arrived=0))
    desk.when(out(100), at=at(100)).when(held(A, ship="S 1", when=100 + after), at=at(100 + after))
    assert alarms(desk) == [alarm] and left(desk, A) == ["ConsignmentLeftUnreleased"]


@pytest.mark.parametrize(("after", "lawful"), [(SKEW, True), (SKEW + 1, False)])
def test_a_permit_within_the_skew_after_the_departure_covers_it(after: float, lawful: bool) -> None:
    desk = story(decider, discharged(0, "S 1")).when(out(100), at=at(100))
    desk.when(held(A, ship="S 1", when=115, refused=True), at=at(115))
    desk.when(permitted(A, ExitGround.RETURN), at=at(100 + after))
    assert (left(desk, A)[-1] == "ConsignmentGatedOut") is lawful


@pytest.mark.parametrize(("when", "lawful"), [(60, True), (61, False)])
def test_a_permit_covers_the_moment_in_which_it_ends(when: float, lawful: bool) -> None:
    desk = story(decider, held(A, 1, bill="1", arrived=0, refused=True), held(B, 1, bill="2", arrived=0))
    desk.when(permitted(A, ExitGround.RETURN), at=at(5)).when(held(A, 3, bill="1", arrived=0, when=60), at=at(60))
    desk.when(out(when), at=at(90))
    assert (left(desk, A)[-1] == "ConsignmentGatedOut") is lawful


@pytest.mark.parametrize(("when", "lawful"), [(90 - SKEW, True), (89 - SKEW, False)])
def test_a_yes_covers_departures_up_to_the_skew_before_it(when: float, lawful: bool) -> None:
    desk = story(decider, held(A, arrived=0)).when(freed(A, when=90), at=at(90)).when(out(when), at=at(95))
    assert (alarms(desk) == []) is lawful


@pytest.mark.parametrize(("when", "lawful"), [(49, True), (50, False)])
def test_a_yes_does_not_cover_the_moment_in_which_it_ends(when: float, lawful: bool) -> None:
    desk = story(decider, freed(A, arrived=0, when=0)).when(held(A, 3, arrived=0, when=50), at=at(50))
    desk.when(out(when), at=at(60))
    assert ("left_unreleased" not in alarms(desk)) is lawful


@pytest.mark.parametrize(("before", "one_visit"), [(SKEW, True), (SKEW + 1, False)])
@pytest.mark.parametrize("opening", [discharged(100), held(A, arrived=100, when=101)], ids=["discharge", "arrival"])
def test_a_departure_within_the_skew_before_an_opening_is_of_that_visit(
    opening: object, before: float, one_visit: bool
) -> None:
    desk = story(decider).when(out(100 - before), at=at(130)).when(opening, at=at(131))  # type: ignore[arg-type]
    assert [visit.how for visit in look(as_box(desk.state)).visits] == (["gated_out"] if one_visit else ["stray", ""])


@pytest.mark.parametrize(("after", "confirms"), [(7 * DAY, True), (7 * DAY + 1, False)])
def test_a_discharge_confirms_an_arrival_that_names_its_call_for_a_week(after: float, confirms: bool) -> None:
    desk = story(decider, freed(A, ship="S 1", arrived=0)).when(discharged(after, "S 1"), at=at(after))
    assert may_leave(desk) is confirms


@pytest.mark.parametrize(("after", "again"), [(DAY, True), (DAY + 1, False)])
def test_an_opening_is_told_again_for_a_day(after: float, again: bool) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(discharged(after), at=at(after))
    assert may_leave(desk) is again


def test_a_box_that_was_stripped_and_stuffed_in_one_moment_is_not_empty() -> None:
    desk = story(decider, discharged(0), event(STRIPPED, 50), event(STUFFED, 50))
    box = as_box(desk.state)
    assert "officer counts" in sentence(*answer(box, look(box)).why)


def test_goods_that_arrived_in_the_moment_of_the_stripping_left_by_their_bill() -> None:
    desk = story(decider, discharged(0), freed(A, bill="1", arrived=50), event(STRIPPED, 50), event(STUFFED, 60))
    desk.when(freed(B, bill="2", arrived=60, when=62)).when(found("inside", 70, lots=1), at=at(70))
    box = as_box(desk.state)
    assert answer(box, look(box)).consignments == (B,)


@pytest.mark.parametrize(("counted", "enough"), [(60, True), (59, False)])
def test_a_count_of_the_moment_of_the_stuffing_counts(counted: float, enough: bool) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STUFFED, 60), at=at(60))
    assert may_leave(desk.when(found("inside", counted, lots=1), at=at(70))) is enough


@pytest.mark.parametrize(("arrived", "inside"), [(50, False), (51, True)])
def test_goods_that_arrived_by_the_moment_of_the_stripping_went_into_the_other_container(
    arrived: float, inside: bool
) -> None:
    """The goods are held, and expected in the other container; goods that arrived later are still in this one."""
    into = event(STRIPPED, 50).model_copy(update={"targets": ("TEMU1000001",)})
    desk = story(decider, discharged(0), held(A, arrived=arrived, when=52), into)
    desk.when(event(EquipmentEvent.GATED_OUT, 60, laden=False), at=at(60))
    assert (left(desk, A), alarms(desk)) == (
        (["ConsignmentLeftUnreleased"], ["empty_left_laden"]) if inside else ([], [])
    )
    assert ("GoodsTransferred" in [fact.kind for fact in desk.facts]) is not inside


def test_a_stripping_that_is_taken_back_leaves_its_goods_in_the_container() -> None:
    into = event(STRIPPED, 50).model_copy(update={"targets": ("TEMU1000001",)})
    desk = story(decider, discharged(0), held(A, arrived=5)).when(into, message_id="wrong")
    desk.when(retracted("wrong")).when(event(EquipmentEvent.GATED_OUT, 60, laden=False), at=at(60))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"] and alarms(desk) == ["empty_left_laden"]
    desk = story(decider, discharged(0), held(A, arrived=5)).when(into, message_id="wrong")
    desk.when(into.model_copy(update={"replaces": "wrong", "targets": ("TEMU1000002",)}))
    assert [f.model_dump()["targets"] for f in desk.facts if f.kind == "GoodsTransferred"] == [
        ("TEMU1000001",),
        ("TEMU1000002",),
    ]


def test_all_goods_that_came_in_the_moment_of_an_opening_left_with_the_departure_of_a_clock_that_was_behind() -> None:
    desk = story(decider, held(A, arrived=10, bill="1"), held(B, arrived=10, bill="2"))
    desk.when(event(EquipmentEvent.GATED_OUT, 8), at=at(20))
    assert left(desk, A) == left(desk, B) == ["ConsignmentLeftUnreleased"]
    assert [visit.how for visit in look(as_box(desk.state)).visits] == ["gated_out"]
