"""Is the gate's answer still yes if the terminal retracts the discharge, or corrects its conveyance? The goods count as
not arrived until the release desk states them again.

The tests write the statements with which the release desk answers the gate desk's facts.
"""

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerArrivalRetracted, ContainerArrived
from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.boxes import DAY, A, B, at, discharged, event, freed, held, kinds, may_leave, out, retracted
from tests.gate.test_visits import alarms, left
from tests.voice import Story, story

COSCO = "COSCO 017E"


def told_by_gate() -> Story:
    """The gate desk after the terminal has reported the discharge of A, and the release desk has therefore released
    A."""
    desk = story(decider, held(A, ship=COSCO)).when(discharged(10, COSCO), message_id="disc", at=at(12))
    assert isinstance(desk.answer[-1], ContainerArrived)
    desk.when(freed(A, 2, ship=COSCO, arrived=10, when=13), at=at(13))
    assert may_leave(desk)
    return desk


def not_here(version: int, when: float) -> Message:
    """The release desk's statement after the gate desk has retracted the arrival."""
    return held(A, version, ship=COSCO, when=when).model_copy(update={"arrival_retracted": True})


def test_a_discharge_that_is_taken_back_takes_the_yes_at_once() -> None:
    desk = told_by_gate().when(retracted("disc"), at=at(20))
    assert kinds(desk) == ["EquipmentEventRetracted", "ContainerArrivalRetracted", "ContainerMustStay"]
    assert not may_leave(desk)


def test_a_release_that_was_on_its_way_is_no_yes_either() -> None:
    """When the release desk published the release, it had not read that the discharge was retracted."""
    desk = story(decider, held(A, ship=COSCO)).when(discharged(10, COSCO), message_id="disc", at=at(12))
    desk.when(retracted("disc"), at=at(20)).when(freed(A, 2, ship=COSCO, arrived=10, when=13), at=at(21))
    assert not may_leave(desk)
    desk = (
        told_by_gate().when(retracted("disc"), at=at(20)).when(freed(A, 3, ship=COSCO, arrived=10, when=19), at=at(21))
    )
    assert not may_leave(desk)


def test_goods_that_another_report_tells_of_leave_when_the_release_desk_has_stated_them_again() -> None:
    desk = told_by_gate().when(retracted("disc"), at=at(20)).when(not_here(3, 21), at=at(21))
    assert not may_leave(desk)
    desk.when(freed(A, 4, ship=COSCO, arrived=30, when=31), at=at(31))
    assert may_leave(desk)
    desk.when(out(40), at=at(40))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_a_discharge_that_is_told_again_at_the_same_time_brings_the_goods_again() -> None:
    desk = told_by_gate().when(retracted("disc"), at=at(20)).when(discharged(10, COSCO), at=at(22))
    assert "ContainerArrived" in kinds(desk)
    desk.when(not_here(3, 21), at=at(23)).when(freed(A, 4, ship=COSCO, arrived=10, when=24), at=at(25))
    assert may_leave(desk)


def test_the_yes_stays_where_the_carrier_had_told_the_arrival_before() -> None:
    """The release depends on the carrier's report, so the release desk publishes nothing new."""
    desk = story(decider, held(A, ship=COSCO, arrived=5)).when(discharged(10, COSCO), message_id="disc", at=at(12))
    desk.when(freed(A, 2, ship=COSCO, arrived=5, when=13), at=at(13)).when(retracted("disc"), at=at(20))
    assert "ContainerArrivalRetracted" in kinds(desk) and may_leave(desk)


def test_the_yes_goes_with_the_discharge_where_the_carrier_had_taken_his_word_back() -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=5)).when(discharged(1, COSCO), message_id="disc", at=at(12))
    desk.when(freed(A, 2, ship=COSCO, arrived=5, when=13), at=at(13))
    desk.when(freed(A, 3, ship=COSCO, arrived=1, when=14), at=at(14))
    assert may_leave(desk)
    desk.when(retracted("disc"), at=at(20))
    assert not may_leave(desk)


def test_the_yes_stays_where_a_second_report_of_the_discharge_still_counts() -> None:
    desk = told_by_gate().when(discharged(15, COSCO), at=at(16)).when(retracted("disc"), at=at(20))
    assert may_leave(desk) and "ContainerArrivalRetracted" not in kinds(desk)


def test_goods_that_came_alone_for_this_desk_do_not_leave_in_the_visit_of_others() -> None:
    """B's carrier reported the arrival, so the container is here. But after the retraction no report says that A is in
    it."""
    desk = story(decider, held(A, bill="1")).when(discharged(10), message_id="disc", at=at(12))
    desk.when(freed(A, 2, bill="1", arrived=10, when=13), at=at(13))
    desk.when(freed(B, 2, bill="2", arrived=15, when=16), at=at(16))
    assert may_leave(desk)
    desk.when(retracted("disc"), at=at(20))
    assert not may_leave(desk)


def test_a_retraction_after_the_departure_leaves_it_as_it_was() -> None:
    desk = told_by_gate().when(out(30), at=at(30)).when(retracted("disc"), at=at(40))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_a_discharge_told_days_later_instead_brings_the_goods_anew() -> None:
    """The gate desk publishes for the release desk both that the goods had not arrived and when they did arrive."""
    desk = told_by_gate()
    named = event(EquipmentEvent.DISCHARGED, 10 + 3 * DAY, laden=True, replaces="disc")
    desk.when(named, at=at(11 + 3 * DAY))
    arrivals = [f for f in desk.answer if isinstance(f, ContainerArrived | ContainerArrivalRetracted)]
    assert [f.kind for f in arrivals] == ["ContainerArrivalRetracted", "ContainerArrived"]
    assert not may_leave(desk) and alarms(desk) == []
    desk.when(not_here(3, 12 + 3 * DAY), at=at(12 + 3 * DAY))
    desk.when(freed(A, 4, ship=COSCO, arrived=10 + 3 * DAY, when=13 + 3 * DAY), at=at(13 + 3 * DAY))
    assert may_leave(desk)


def test_a_corrected_discharge_of_the_same_call_keeps_the_yes() -> None:
    desk = told_by_gate()
    desk.when(event(EquipmentEvent.DISCHARGED, 15, laden=True, ship=COSCO, replaces="disc"), at=at(20))
    assert may_leave(desk) and alarms(desk) == []


@pytest.mark.parametrize("arrived", [-60, 30], ids=["arrived before", "arrived after"])
@pytest.mark.parametrize("other", ["OTHER/9", "other 9"])
def test_a_discharge_by_another_vessel_takes_the_yes_whatever_the_order_of_the_times(arrived: int, other: str) -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=arrived), freed(A, ship=COSCO, arrived=arrived, when=40))
    assert may_leave(desk)
    desk.when(discharged(0, other), message_id="other", at=at(50))
    assert not may_leave(desk)
    assert "came_with_another" in str(desk.answer[-1]) or arrived < 0
    desk.when(event(EquipmentEvent.DISCHARGED, 0, laden=True, ship=COSCO, replaces="other"), at=at(60))
    assert may_leave(desk), "the terminal had named the wrong one"
    desk.when(out(70), at=at(70))
    assert left(desk, A)[-1] == "ConsignmentGatedOut" and "left_unreleased" not in alarms(desk)


def test_a_discharge_by_another_vessel_takes_the_yes_of_goods_beside_others_whose_vessel_nobody_named() -> None:
    desk = story(decider, freed(A, ship=COSCO, arrived=0, bill="1"), freed(B, arrived=0, bill="2"))
    desk.when(discharged(10, "OTHER/9"), at=at(12))
    assert not may_leave(desk)


def test_goods_by_another_vessel_that_left_are_told_to_have_left_against_a_no() -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=30), freed(A, ship=COSCO, arrived=30, when=40))
    desk.when(discharged(0, "OTHER/9"), at=at(50)).when(out(90), at=at(90))
    assert alarms(desk) == ["left_unreleased"]


def test_an_export_and_goods_out_of_another_box_are_not_asked_for_the_vessel_of_the_discharge() -> None:
    desk = story(decider, discharged(0, "OTHER/9"))
    moved = freed(A, ship=COSCO, arrived=10, when=20).model_copy(update={"source": "TEMU1000001"})
    desk.when(moved, at=at(20))
    assert [p.standing for visit in look(as_box(desk.state)).visits for p in visit.parts] == ["released"]
    desk = story(decider, event(EquipmentEvent.GATED_IN, 0, laden=True, ship="TRUCK 9"))
    assert may_leave(desk.when(freed(A, ship=COSCO, arrived=10, when=20), at=at(20))), "it came over land"


@pytest.mark.parametrize("when", [5, 10, 45], ids=["earlier", "the same time", "later"])
def test_a_discharge_corrected_to_another_conveyance_moved_no_box(when: int) -> None:
    """The goods were stated hours after the discharge. Only the discharge reports their arrival, so no visit ended."""
    desk = story(decider).when(discharged(10, COSCO), message_id="disc", at=at(12))
    desk.when(held(A, ship=COSCO, when=200), at=at(200))
    desk.when(freed(A, 2, ship=COSCO, arrived=10, when=201), at=at(201))
    assert may_leave(desk)
    other = event(EquipmentEvent.DISCHARGED, when, laden=True, ship="OTHER/9", replaces="disc")
    desk.when(other, at=at(210))
    assert alarms(desk) == [] and left(desk, A) == [] and not may_leave(desk)
    assert "VisitClosed" not in kinds(desk) and "ContainerArrivalRetracted" in kinds(desk)
    desk.when(not_here(3, 211), at=at(211))
    assert alarms(desk) == [] and not may_leave(desk)
