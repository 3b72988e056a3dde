"""Can an officer retract a wrong finding on a container, and is everything then as if it had never been recorded?"""

from dataclasses import replace

import pytest

from schemas.phrases import phrase
from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.may_leave import answer
from services.gate.visits import look
from tests import facts
from tests.gate.answers import (
    arrival_of,
    awaits_a_count,
    came_again,
    goods_left,
    goods_left_unreleased,
    goods_wait,
    nothing_is_declared,
    nothing_is_here,
    seen_inside,
    seen_outside,
    visit_opened_by,
)
from tests.gate.boxes import (
    DAY,
    A,
    B,
    at,
    discharged,
    event,
    finding_retracted,
    found,
    freed,
    held,
    out,
    retracted,
)
from tests.voice import keeps_its_promises, story


def test_a_box_that_was_found_outside_by_mistake_is_inside_again_however_late_that_is_said() -> None:
    desk = story(decider, freed(A))
    desk.when(found("outside", 10), message_id="wrong", at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    # The container may have come again within the five days. So this finding does not show that the first one was
    # wrong.
    desk.when(found("inside", 5 * DAY), at=at(5 * DAY)).then(facts.container_finding_recorded("inside", at=at(5 * DAY)))
    desk.when(finding_retracted("wrong"), at=at(6 * DAY)).then(
        facts.container_finding_retracted("wrong", at=at(6 * DAY)),
        *seen_inside(3, A, at=at(6 * DAY)),
    )
    desk.when(out(7 * DAY), at=at(7 * DAY)).then(*goods_left("m5", arrival_of(A), A, at=at(7 * DAY)))


def test_an_alarm_that_a_finding_had_settled_waits_again_and_is_told_again() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(found("outside", 20), message_id="w", at=at(20)).then(
        facts.container_finding_recorded("outside", "m2", at=at(20)), nothing_is_here(1, at=at(20))
    )
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY)).then(
        facts.container_may_leave(2, arrival_of(B), B, at=at(DAY))
    )
    desk.when(finding_retracted("w"), at=at(DAY + 5)).then(
        facts.container_finding_retracted("w", at=at(DAY + 5)),
        facts.gate_alarm_raised(arrival_of(A), "m2", waiting_for=(A,), at=at(10)),
        facts.container_must_stay(
            3, arrival_of(B), phrase("alarm_waits"), phrase("left_unreleased"), waiting_for=(A,), at=at(DAY + 5)
        ),
    )
    # an officer finds the container outside again
    desk.when(found("outside", DAY + 9), at=at(DAY + 9)).then(
        facts.container_finding_recorded("outside", "m2", at=at(DAY + 9)),
        facts.visit_closed(arrival_of(B), "finding", "", consignments=(B,), at=at(DAY + 9)),
        facts.consignment_gated_out(visit=arrival_of(B), consignment_id=B, at=at(DAY + 9)),
    )


def test_a_departure_that_a_finding_had_found_wrong_counts_again() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), message_id="left", at=at(10)).then(*goods_left_unreleased("left", arrival_of(A), A, at=at(10)))
    desk.when(found("inside", 20), message_id="w", at=at(20)).then(
        facts.container_finding_recorded("inside", "left", at=at(20)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(20)),
    )
    desk.when(freed(A, version=3, when=30), at=at(30)).then(facts.container_may_leave(2, arrival_of(A), A, at=at(30)))
    desk.when(finding_retracted("w"), at=at(40)).then(
        facts.container_finding_retracted("w", at=at(40)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "left", consignments=(A,), at=at(10)),
        facts.gate_alarm_raised(arrival_of(A), "left", waiting_for=(A,), why="left_before", at=at(10)),
        facts.consignment_left_unreleased(visit=arrival_of(A), why="left_before", consignment_id=A, at=at(10)),
        facts.container_must_stay(3, "", phrase("alarm_waits"), phrase("left_before"), waiting_for=(A,), at=at(40)),
    )
    # the report that the container left may still be retracted
    desk.when(retracted("left"), at=at(50)).then(
        facts.equipment_event_retracted("left", at=at(50)),
        *seen_inside(4, A, at=at(50)),
    )


def test_a_finding_of_a_record_without_what_it_voided_gives_back_the_departures_whose_alarms_it_settled() -> None:
    """In records of an older software version, only `settled` shows the departures that a finding had voided."""
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(found("inside", 20), message_id="w", at=at(20)).then(
        facts.container_finding_recorded("inside", "m2", at=at(20)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(20)),
    )
    box = as_box(desk.state)
    desk.state = replace(box, findings=tuple([replace(finding, voided=()) for finding in box.findings]))
    desk.when(finding_retracted("w"), at=at(40)).then(
        facts.container_finding_retracted("w", at=at(40)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m2", consignments=(A,), at=at(10)),
        facts.gate_alarm_raised(arrival_of(A), "m2", waiting_for=(A,), at=at(10)),
        facts.consignment_left_unreleased(visit=arrival_of(A), consignment_id=A, at=at(10)),
    )


def test_the_visit_that_is_open_after_a_finding_was_taken_back_is_published_again() -> None:
    """The finding reopened the visit m1. Readers take the visit whose opening was published last for the open one, so
    the opening of m3 is published again when the finding is taken back."""
    again = 5 * DAY
    desk = story(decider, discharged(0), held(A, arrived=0))
    desk.when(out(60), message_id="left", at=at(60)).then(*goods_left_unreleased("left", "m1", A, at=at(60)))
    desk.when(discharged(again), message_id="m3", at=at(again)).then(*visit_opened_by("m3", at=at(again)))
    desk.when(found("inside", again + 20), message_id="w", at=at(again + 20)).then(
        facts.container_finding_recorded("inside", "left", at=at(again + 20)),
        facts.visit_opened("m1", laden=True),
        facts.departure_retracted(visit="m1", consignment_id=A, at=at(again + 20)),
        awaits_a_count(1, "m1", A, since=at(again), at=at(again + 20)),
    )
    desk.when(discharged(again + 60), message_id="m5", at=at(again + 60)).then(
        *came_again("m5", "m1", A, released=False, at=at(again + 60))
    )
    desk.when(finding_retracted("w"), at=at(again + 90)).then(
        facts.container_finding_retracted("w", at=at(again + 90)),
        facts.visit_closed("m1", "left_unreleased", "left", consignments=(A,), at=at(60)),
        facts.visit_opened("m3", laden=True, at=at(again)),
        facts.gate_alarm_raised("m1", "left", waiting_for=(A,), at=at(60)),
    )


def test_what_a_later_finding_says_all_the_same_stands() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(found("inside", 20), message_id="w", at=at(20)).then(
        facts.container_finding_recorded("inside", "m2", at=at(20)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(20)),
    )
    desk.when(found("inside", 30), at=at(30)).then(facts.container_finding_recorded("inside", at=at(30)))
    desk.when(finding_retracted("w"), at=at(40)).then(facts.container_finding_retracted("w", at=at(40)))
    desk.when(freed(A, version=3, when=50), at=at(50)).then(facts.container_may_leave(2, arrival_of(A), A, at=at(50)))


def test_a_later_finding_does_not_settle_what_was_told_after_it() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(found("outside", 20), message_id="w", at=at(20)).then(
        facts.container_finding_recorded("outside", "m2", at=at(20)), nothing_is_here(1, at=at(20))
    )
    desk.when(found("outside", 30), at=at(30)).then(facts.container_finding_recorded("outside", at=at(30)))
    desk.when(discharged(DAY), at=at(DAY)).then(
        *visit_opened_by("m5", at=at(DAY)), nothing_is_declared(2, "m5", at=at(DAY))
    )
    desk.when(held(B, arrived=DAY, when=DAY), at=at(DAY)).then(
        facts.container_arrived(visit="m5", consignment_id=B, at=at(DAY)),
        goods_wait(3, "m5", B, released=0, at=at(DAY)),
    )
    desk.when(out(DAY + 60), at=at(DAY + 60)).then(*goods_left_unreleased("m7", "m5", B, at=at(DAY + 60)))
    assert [alarm.alarm for alarm in look(as_box(desk.state)).alarms] == ["left_unreleased"] * 2
    desk.when(finding_retracted("w"), at=at(DAY + 70)).then(facts.container_finding_retracted("w", at=at(DAY + 70)))
    assert "alarm_waits" in [each.code for each in answer(as_box(desk.state), look(as_box(desk.state))).why]


def test_a_finding_that_another_one_had_corrected_does_not_come_back() -> None:
    desk = story(decider, freed(A))
    desk.when(found("outside", 10), message_id="first", at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    desk.when(found("inside", 20), message_id="second", at=at(20)).then(
        facts.container_finding_recorded("inside", at=at(20)),
        *seen_inside(3, A, at=at(20)),
    )
    desk.when(finding_retracted("second"), at=at(30)).then(
        facts.container_finding_retracted("second", at=at(30)),
        *seen_outside(4, A, at=at(30), since=at(10)),
    )
    desk.when(finding_retracted("first"), at=at(40)).then(
        facts.container_finding_retracted("first", at=at(40)),
        *seen_inside(5, A, at=at(40)),
    )
    turned = story(decider, freed(A))
    turned.when(found("outside", 10), message_id="first", at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    turned.when(found("inside", 20), message_id="second", at=at(20)).then(
        facts.container_finding_recorded("inside", at=at(20)),
        *seen_inside(3, A, at=at(20)),
    )
    turned.when(finding_retracted("first"), at=at(30)).then(facts.container_finding_retracted("first", at=at(30)))
    turned.when(finding_retracted("second"), at=at(40)).then(facts.container_finding_retracted("second", at=at(40)))


def test_a_count_that_was_wrong_counts_no_longer() -> None:
    stuffed = event(EquipmentEvent.STUFFED, 30)
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(stuffed, at=at(30)).then(
        facts.equipment_event_recorded("m3", EquipmentEvent.STUFFED, "m1", at=at(30)),
        facts.container_must_stay(2, "m1", phrase("stuffed"), waiting_for=(), at=at(30)),
    )
    desk.when(found("inside", 40, lots=1), message_id="one", at=at(40)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(40)), facts.container_may_leave(3, "m1", A, at=at(40))
    )
    desk.when(finding_retracted("one"), at=at(50)).then(
        facts.container_finding_retracted("one", at=at(50)),
        facts.container_must_stay(4, "m1", phrase("stuffed"), waiting_for=(), at=at(50)),
    )
    desk.when(found("inside", 60, lots=1), message_id="two", at=at(60)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(60)), facts.container_may_leave(5, "m1", A, at=at(60))
    )
    desk.when(found("inside", 70, lots=2), message_id="three").then(
        facts.container_finding_recorded("inside", lots=2, at=at(70)),
        facts.container_must_stay(
            6, "m1", phrase("lots_released", count=1, all=2), phrase("others_undeclared"), waiting_for=(), at=at(70)
        ),
    )
    desk.when(finding_retracted("three"), at=at(80)).then(
        facts.container_finding_retracted("three", 1, at=at(80)), facts.container_may_leave(7, "m1", A, at=at(80))
    )


@pytest.mark.parametrize(("mark", "why"), [("overfull", "too_many_goods"), ("waiting", "earlier_alarm")])
@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_of_two_wrong_counts_neither_stands_for_the_other(mark: str, why: str, order: tuple[str, str]) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.state = replace(as_box(desk.state), overfull=mark == "overfull", waiting=mark == "waiting")
    desk.when(found("inside", 10, lots=1), message_id="one", at=at(10)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(10))
    )
    desk.when(found("inside", 20, lots=1), message_id="two", at=at(20)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(20))
    )
    desk.when(finding_retracted(order[0]), at=at(30)).then(facts.container_finding_retracted(order[0], 1, at=at(30)))
    desk.when(finding_retracted(order[1]), at=at(40)).then(
        facts.container_finding_retracted(order[1], at=at(40)),
        facts.container_must_stay(2, "m1", phrase(why), waiting_for=(), at=at(40)),
    )
    assert getattr(as_box(desk.state), mark)


def test_a_finding_of_a_record_without_what_it_voided_gives_back_the_finding_that_it_had_found_wrong() -> None:
    """A record of an older software version does not say that the second finding voided the first one."""
    desk = story(decider, freed(A))
    desk.when(found("outside", 10), message_id="first", at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    desk.when(found("inside", 20), message_id="second", at=at(20)).then(
        facts.container_finding_recorded("inside", at=at(20)),
        *seen_inside(3, A, at=at(20)),
    )
    box = as_box(desk.state)
    desk.state = replace(box, findings=tuple([replace(finding, voided=()) for finding in box.findings]))
    desk.when(finding_retracted("second"), at=at(30)).then(
        facts.container_finding_retracted("second", at=at(30)),
        *seen_outside(4, A, at=at(30), since=at(10)),
    )


def test_an_alarm_of_a_visit_that_is_not_kept_any_more_waits_again_too() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(found("outside", 700 * DAY), message_id="w", at=at(700 * DAY)).then(
        facts.container_finding_recorded("outside", "m2", at=at(700 * DAY)), nothing_is_here(1, at=at(700 * DAY))
    )
    desk.when(discharged(732 * DAY), at=at(732 * DAY)).then(
        *visit_opened_by("m4", at=at(732 * DAY)), nothing_is_declared(2, "m4", at=at(732 * DAY))
    )
    desk.when(freed(B, arrived=732 * DAY, when=732 * DAY), at=at(732 * DAY)).then(
        facts.container_arrived(visit="m4", consignment_id=B, at=at(732 * DAY)),
        facts.container_may_leave(3, "m4", B, at=at(732 * DAY)),
    )
    assert [part.consignment_id for part in as_box(desk.state).parts] == [B]
    desk.when(finding_retracted("w"), at=at(733 * DAY)).then(
        facts.container_finding_retracted("w", at=at(733 * DAY)),
        facts.container_must_stay(4, "m4", phrase("earlier_alarm"), waiting_for=(), at=at(733 * DAY)),
    )
    assert as_box(desk.state).waiting


def test_what_was_not_found_is_not_taken_back_and_nothing_twice() -> None:
    desk = story(decider, freed(A))
    desk.when(finding_retracted("nothing")).then_refused("finding_unknown")
    desk.when(found("outside", 10), message_id="w").then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    desk.when(finding_retracted("w")).then(
        facts.container_finding_retracted("w", at=at(4)),
        *seen_inside(3, A, at=at(4)),
    )
    desk.when(finding_retracted("w")).then_refused("already_answered")


def test_hearing_it_twice_adds_nothing() -> None:
    messages = [held(A, arrived=0), out(5), found("inside", 9), finding_retracted("once-2"), found("outside", 12)]
    keeps_its_promises(decider, [*messages, finding_retracted("once-4"), freed(A)])
