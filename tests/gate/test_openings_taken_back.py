"""If the terminal retracts the discharge or corrects its conveyance, is the gate's answer no until the release desk
publishes its next statement about the goods?

The tests write the statements with which the release desk answers the gate desk's facts.
"""

import pytest

from schemas.envelope import Message
from schemas.phrases import phrase
from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests import facts
from tests.gate.answers import arrival_of, came_again, goods_left, goods_wait, visit_opened_by
from tests.gate.boxes import DAY, A, B, at, discharged, event, freed, held, out, retracted
from tests.voice import Story, story

COSCO = "COSCO 017E"


def told_by_gate() -> Story:
    """Returns the gate desk after the terminal has reported the discharge of the container, and the release desk has
    released A because of it."""
    desk = story(decider, held(A, ship=COSCO))
    desk.when(discharged(10, COSCO), message_id="disc", at=at(12)).then(
        *visit_opened_by("disc", A, conveyance=COSCO, at=at(10))
    )
    return desk.when(freed(A, 2, ship=COSCO, arrived=10, when=13), at=at(13)).then(
        facts.container_may_leave(1, "disc", A, at=at(13))
    )


def not_here(version: int, when: float) -> Message:
    """Returns the release desk's statement that follows the retraction of the arrival."""
    return held(A, version, ship=COSCO, when=when).model_copy(update={"arrival_retracted": True})


def test_a_discharge_that_is_taken_back_takes_the_yes_at_once() -> None:
    desk = told_by_gate()
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(2, "", phrase("no_visit"), waiting_for=(A,), at=at(20)),
    )


def test_a_release_that_was_on_its_way_is_no_yes_either() -> None:
    """The release desk published the release before it read that the discharge was retracted."""
    desk = story(decider, held(A, ship=COSCO))
    desk.when(discharged(10, COSCO), message_id="disc", at=at(12)).then(
        *visit_opened_by("disc", A, conveyance=COSCO, at=at(10))
    )
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
    )
    desk.when(freed(A, 2, ship=COSCO, arrived=10, when=13), at=at(21)).then()
    desk = told_by_gate()
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(2, "", phrase("no_visit"), waiting_for=(A,), at=at(20)),
    )
    desk.when(freed(A, 3, ship=COSCO, arrived=10, when=19), at=at(21)).then()


def test_goods_that_another_report_tells_of_leave_when_the_release_desk_has_stated_them_again() -> None:
    desk = told_by_gate()
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(2, "", phrase("no_visit"), waiting_for=(A,), at=at(20)),
    )
    desk.when(not_here(3, 21), at=at(21)).then()
    desk.when(freed(A, 4, ship=COSCO, arrived=30, when=31), at=at(31)).then(
        facts.container_may_leave(3, arrival_of(A), A, at=at(31))
    )
    desk.when(out(40), at=at(40)).then(*goods_left("m7", arrival_of(A), A, at=at(40)))


def test_a_discharge_that_is_told_again_at_the_same_time_brings_the_goods_again() -> None:
    desk = told_by_gate()
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(2, "", phrase("no_visit"), waiting_for=(A,), at=at(20)),
    )
    desk.when(discharged(10, COSCO), at=at(22)).then(
        *visit_opened_by("m5", A, conveyance=COSCO, at=at(10)), facts.container_may_leave(3, "m5", A, at=at(22))
    )
    desk.when(not_here(3, 21), at=at(23)).then(goods_wait(4, "m5", A, released=0, at=at(23)))
    desk.when(freed(A, 4, ship=COSCO, arrived=10, when=24), at=at(25)).then(
        facts.container_may_leave(5, "m5", A, at=at(25))
    )


def test_the_yes_stays_where_the_carrier_had_told_the_arrival_before() -> None:
    """The release depends on the carrier's report, so the release desk publishes nothing new when the terminal retracts
    its own report."""
    desk = story(decider, held(A, ship=COSCO, arrived=5))
    desk.when(discharged(10, COSCO), message_id="disc", at=at(12)).then(
        facts.equipment_event_recorded(
            "disc", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, conveyance=COSCO, at=at(10)
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance=COSCO, at=at(5)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A, at=at(5)),
    )
    desk.when(freed(A, 2, ship=COSCO, arrived=5, when=13), at=at(13)).then(
        facts.container_may_leave(1, arrival_of(A), A, at=at(13))
    )
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
    )


def test_the_yes_goes_with_the_discharge_where_the_carrier_had_taken_his_word_back() -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=5))
    desk.when(discharged(1, COSCO), message_id="disc", at=at(12)).then(
        *visit_opened_by("disc", A, conveyance=COSCO, at=at(1))
    )
    desk.when(freed(A, 2, ship=COSCO, arrived=5, when=13), at=at(13)).then(
        facts.container_may_leave(1, "disc", A, at=at(13))
    )
    desk.when(freed(A, 3, ship=COSCO, arrived=1, when=14), at=at(14)).then()
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(2, "", phrase("no_visit"), waiting_for=(A,), at=at(20)),
    )


def test_the_yes_stays_where_a_second_report_of_the_discharge_still_counts() -> None:
    desk = told_by_gate()
    desk.when(discharged(15, COSCO), at=at(16)).then(
        facts.equipment_event_recorded(
            "m4", EquipmentEvent.DISCHARGED, "disc", laden=True, conveyance=COSCO, retells="disc", at=at(15)
        )
    )
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.visit_opened(arrival_of(A), laden=True, conveyance=COSCO, at=at(10)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A, at=at(10)),
        facts.container_may_leave(2, arrival_of(A), A, at=at(20)),
    )


def test_goods_that_came_alone_for_this_desk_do_not_leave_in_the_visit_of_others() -> None:
    """The carrier of B reported an arrival, so the container is here. After the retraction no report says that A is in
    it."""
    desk = story(decider, held(A, bill="1"))
    desk.when(discharged(10), message_id="disc", at=at(12)).then(*visit_opened_by("disc", A, at=at(10)))
    desk.when(freed(A, 2, bill="1", arrived=10, when=13), at=at(13)).then(
        facts.container_may_leave(1, "disc", A, at=at(13))
    )
    desk.when(freed(B, 2, bill="2", arrived=15, when=16), at=at(16)).then(
        facts.container_arrived(visit="disc", consignment_id=B, at=at(10)),
        facts.container_may_leave(2, "disc", A, B, at=at(16)),
    )
    desk.when(retracted("disc"), at=at(20)).then(
        facts.equipment_event_retracted("disc", at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=B, at=at(20)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(20)),
        facts.container_must_stay(
            3,
            arrival_of(B),
            phrase("lots_released", count=1, all=2),
            phrase("bill_waits", bill="1"),
            phrase("terminal_took_back"),
            waiting_for=(A,),
            at=at(20),
        ),
    )


def test_a_retraction_after_the_departure_leaves_it_as_it_was() -> None:
    desk = told_by_gate()
    desk.when(out(30), at=at(30)).then(*goods_left("m4", "disc", A, at=at(30)))
    desk.when(retracted("disc"), at=at(40)).then(
        facts.equipment_event_retracted("disc", at=at(40)),
        facts.container_gated_out(arrival_of(A), "m4", A, at=at(30)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(40)),
    )


def test_a_discharge_told_days_later_instead_brings_the_goods_anew() -> None:
    """The gate desk publishes two facts for the release desk: that the first arrival of the goods did not happen, and
    when they did arrive."""
    desk = told_by_gate()
    named = event(EquipmentEvent.DISCHARGED, 10 + 3 * DAY, laden=True, replaces="disc")
    desk.when(named, at=at(11 + 3 * DAY)).then(
        facts.equipment_event_recorded(
            "m4", EquipmentEvent.DISCHARGED, "m4", laden=True, replaces="disc", at=at(3 * DAY + 10)
        ),
        facts.visit_opened("m4", laden=True, at=at(3 * DAY + 10)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(3 * DAY + 11)),
        facts.container_arrived(visit="m4", consignment_id=A, at=at(3 * DAY + 10)),
        facts.container_must_stay(
            2,
            "m4",
            phrase("lots_released", count=0, all=1),
            phrase("bill_waits", bill=A),
            phrase("terminal_took_back"),
            waiting_for=(A,),
            at=at(3 * DAY + 11),
        ),
    )
    desk.when(not_here(3, 12 + 3 * DAY), at=at(12 + 3 * DAY)).then()
    desk.when(freed(A, 4, ship=COSCO, arrived=10 + 3 * DAY, when=13 + 3 * DAY), at=at(13 + 3 * DAY)).then(
        facts.container_may_leave(3, "m4", A, at=at(3 * DAY + 13))
    )


def test_a_corrected_discharge_of_the_same_call_keeps_the_yes() -> None:
    desk = told_by_gate()
    desk.when(event(EquipmentEvent.DISCHARGED, 15, laden=True, ship=COSCO, replaces="disc"), at=at(20)).then(
        facts.equipment_event_recorded(
            "m4",
            EquipmentEvent.DISCHARGED,
            arrival_of(A),
            laden=True,
            conveyance=COSCO,
            replaces="disc",
            at=at(15),
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance=COSCO, at=at(10)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A, at=at(10)),
        facts.container_may_leave(2, arrival_of(A), A, at=at(20)),
    )


@pytest.mark.parametrize("other", ["OTHER/9", "other 9"])
def test_a_discharge_by_another_vessel_after_the_arrival_takes_the_yes(other: str) -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=-60), freed(A, ship=COSCO, arrived=-60, when=40)).then(
        facts.container_may_leave(1, arrival_of(A), A, at=at(40))
    )
    desk.when(discharged(0, other), message_id="another", at=at(50)).then(
        *came_again("another", arrival_of(A), A, released=False, conveyance=other, at=at(0)),
        facts.container_must_stay(
            2, "another", phrase("alarm_waits"), phrase("came_again"), waiting_for=(A,), at=at(50)
        ),
    )
    # the terminal had reported the wrong vessel
    named = event(EquipmentEvent.DISCHARGED, 0, laden=True, ship=COSCO, replaces="another")
    desk.when(named, at=at(60)).then(
        facts.equipment_event_recorded(
            "m4", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, conveyance=COSCO, replaces="another"
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance=COSCO, at=at(-60)),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(60)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A, at=at(-60)),
        facts.container_may_leave(3, arrival_of(A), A, at=at(60)),
    )
    desk.when(out(70), at=at(70)).then(*goods_left("m5", arrival_of(A), A, at=at(70)))


@pytest.mark.parametrize("other", ["OTHER/9", "other 9"])
def test_a_discharge_by_another_vessel_before_the_arrival_takes_the_yes(other: str) -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=30), freed(A, ship=COSCO, arrived=30, when=40)).then(
        facts.container_may_leave(1, arrival_of(A), A, at=at(40))
    )
    desk.when(discharged(0, other), message_id="another", at=at(50)).then(
        *visit_opened_by("another", A, conveyance=other, at=at(0)),
        facts.container_must_stay(
            2,
            "another",
            phrase("lots_released", count=0, all=1),
            phrase("bill_waits", bill=A),
            phrase("came_with_another"),
            waiting_for=(A,),
            at=at(50),
        ),
    )
    # the terminal had reported the wrong vessel
    named = event(EquipmentEvent.DISCHARGED, 0, laden=True, ship=COSCO, replaces="another")
    desk.when(named, at=at(60)).then(
        facts.equipment_event_recorded(
            "m4", EquipmentEvent.DISCHARGED, "m4", laden=True, conveyance=COSCO, replaces="another"
        ),
        facts.visit_opened("m4", laden=True, conveyance=COSCO),
        facts.container_arrived(visit="m4", consignment_id=A),
        facts.container_may_leave(3, "m4", A, at=at(60)),
    )
    desk.when(out(70), at=at(70)).then(*goods_left("m5", "m4", A, at=at(70)))


def test_a_discharge_by_another_vessel_takes_the_yes_of_goods_beside_others_whose_vessel_nobody_named() -> None:
    desk = story(decider, freed(A, ship=COSCO, arrived=0, bill="1"), freed(B, arrived=0, bill="2"))
    desk.when(discharged(10, "OTHER/9"), at=at(12)).then(
        facts.equipment_event_recorded(
            "m3", EquipmentEvent.DISCHARGED, arrival_of(B), laden=True, conveyance="OTHER/9", at=at(10)
        ),
        facts.visit_opened(arrival_of(B), laden=True, conveyance="OTHER/9"),
        facts.container_arrived(visit=arrival_of(B), consignment_id=B),
        facts.container_arrived(visit=arrival_of(B), consignment_id=A),
        facts.container_must_stay(
            3,
            arrival_of(B),
            phrase("lots_released", count=1, all=2),
            phrase("bill_waits", bill="1"),
            phrase("came_with_another"),
            waiting_for=(A,),
            at=at(12),
        ),
    )


def test_goods_by_another_vessel_that_left_are_told_to_have_left_against_a_no() -> None:
    desk = story(decider, held(A, ship=COSCO, arrived=30), freed(A, ship=COSCO, arrived=30, when=40))
    desk.when(discharged(0, "OTHER/9"), at=at(50)).then(
        *visit_opened_by("m3", A, conveyance="OTHER/9", at=at(0)),
        facts.container_must_stay(
            2,
            "m3",
            phrase("lots_released", count=0, all=1),
            phrase("bill_waits", bill=A),
            phrase("came_with_another"),
            waiting_for=(A,),
            at=at(50),
        ),
    )
    desk.when(out(90), at=at(90)).then(
        facts.equipment_event_recorded("m4", EquipmentEvent.GATED_OUT, "m3", where="G1", at=at(90)),
        facts.visit_closed("m3", "left_unreleased", "m4", consignments=(A,), at=at(90)),
        facts.gate_alarm_raised("m3", "m4", waiting_for=(A,), why="left_against_no", at=at(90)),
        facts.consignment_gated_out(visit="m3", consignment_id=A, at=at(90)),
    )


def test_an_export_and_goods_out_of_another_box_are_not_asked_for_the_vessel_of_the_discharge() -> None:
    desk = story(decider, discharged(0, "OTHER/9"))
    moved = freed(A, ship=COSCO, arrived=10, when=20).model_copy(update={"source": "TEMU1000001"})
    desk.when(moved, at=at(20)).then(facts.container_arrived(visit="m1", consignment_id=A))
    assert [p.standing for visit in look(as_box(desk.state)).visits for p in visit.parts] == ["released"]
    desk = story(decider, event(EquipmentEvent.GATED_IN, 0, laden=True, ship="TRUCK 9"))
    # The container came by truck. So the gate desk does not compare the truck with the ship of the goods.
    desk.when(freed(A, ship=COSCO, arrived=10, when=20), at=at(20)).then(
        facts.container_arrived(visit="m1", consignment_id=A), facts.container_may_leave(1, "m1", A, at=at(20))
    )


@pytest.mark.parametrize("when", [5, 10, 45], ids=["earlier", "the same time", "later"])
def test_a_discharge_corrected_to_another_conveyance_moved_no_box(when: int) -> None:
    """The first statement about the goods came hours after the discharge, and only the report of the discharge shows
    their arrival. The correction of this report retracts the arrival and ends no visit."""
    desk = story(decider)
    desk.when(discharged(10, COSCO), message_id="disc", at=at(12)).then(
        *visit_opened_by("disc", conveyance=COSCO, at=at(10))
    )
    desk.when(held(A, ship=COSCO, when=200), at=at(200)).then(
        facts.container_arrived(visit="disc", consignment_id=A, at=at(10))
    )
    desk.when(freed(A, 2, ship=COSCO, arrived=10, when=201), at=at(201)).then(
        facts.container_may_leave(1, "disc", A, at=at(201))
    )
    other = event(EquipmentEvent.DISCHARGED, when, laden=True, ship="OTHER/9", replaces="disc")
    corrected = facts.equipment_event_recorded(
        "m4", EquipmentEvent.DISCHARGED, "m4", laden=True, conveyance="OTHER/9", replaces="disc", at=at(when)
    )
    desk.when(other, at=at(210)).then(
        corrected,
        facts.visit_opened("m4", laden=True, conveyance="OTHER/9", at=at(when)),
        facts.container_arrival_retracted(visit="disc", consignment_id=A, at=at(210)),
        facts.container_must_stay(2, "m4", phrase("nothing_declared"), waiting_for=(), at=at(210)),
    )
    desk.when(not_here(3, 211), at=at(211)).then()
