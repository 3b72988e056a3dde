"""Can an officer retract a wrong finding on a container, and is everything then as if it had never been recorded?"""

from dataclasses import replace

import pytest

from schemas.gate import ContainerFindingRetracted, GateAlarmRaised
from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import answer, look
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
    kinds,
    may_leave,
    out,
    retracted,
)
from tests.gate.test_visits import alarms, left
from tests.voice import Story, keeps_its_promises, story


def raised(desk: Story) -> list[tuple[str, bool]]:
    return [(fact.alarm, fact.blocks) for fact in desk.answer if isinstance(fact, GateAlarmRaised)]


def test_a_box_that_was_found_outside_by_mistake_is_inside_again_however_late_that_is_said() -> None:
    desk = story(decider, freed(A)).when(found("outside", 10), message_id="wrong", at=at(10))
    desk.when(found("inside", 5 * DAY), at=at(5 * DAY))
    assert left(desk, A) == ["ConsignmentGatedOut"] and not may_leave(desk), "it may have come again in five days"
    desk.when(finding_retracted("wrong"), at=at(6 * DAY))
    assert kinds(desk)[0] == "ContainerFindingRetracted" and left(desk, A)[-1] == "DepartureRetracted"
    assert may_leave(desk)
    desk.when(out(7 * DAY), at=at(7 * DAY))
    assert left(desk, A)[-1] == "ConsignmentGatedOut" and alarms(desk) == []


def test_an_alarm_that_a_finding_had_settled_waits_again_and_is_told_again() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10)).when(found("outside", 20), message_id="w")
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert may_leave(desk)
    desk.when(finding_retracted("w"), at=at(DAY + 5))
    assert raised(desk) == [("left_unreleased", True)] and not may_leave(desk)
    desk.when(found("outside", DAY + 9), at=at(DAY + 9))
    assert not may_leave(desk), "it is outside"


def test_a_departure_that_a_finding_had_found_wrong_counts_again() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), message_id="left", at=at(10))
    desk.when(found("inside", 20), message_id="w", at=at(20)).when(freed(A, version=3, when=30), at=at(30))
    assert may_leave(desk)
    desk.when(finding_retracted("w"), at=at(40))
    assert left(desk, A)[-1] == "ConsignmentLeftUnreleased" and raised(desk) == [("left_unreleased", True)]
    desk.when(retracted("left"), at=at(50))
    assert left(desk, A)[-1] == "DepartureRetracted" and may_leave(desk), "its sender may take it back as before"


def test_a_finding_of_a_record_without_what_it_voided_gives_back_the_departures_whose_alarms_it_settled() -> None:
    """In records of an older software version only `settled` shows which departures a finding had voided."""
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10)).when(found("inside", 20), message_id="w")
    box = as_box(desk.state)
    desk.state = replace(box, findings=tuple([replace(finding, voided=()) for finding in box.findings]))
    desk.when(finding_retracted("w"), at=at(40))
    assert left(desk, A)[-1] == "ConsignmentLeftUnreleased" and raised(desk) == [("left_unreleased", True)]


def test_what_a_later_finding_says_all_the_same_stands() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10)).when(found("inside", 20), message_id="w")
    desk.when(found("inside", 30), at=at(30)).when(finding_retracted("w"), at=at(40))
    assert left(desk, A)[-1] == "DepartureRetracted" and raised(desk) == []
    desk.when(freed(A, version=3, when=50), at=at(50))
    assert may_leave(desk)


def test_a_later_finding_does_not_settle_what_was_told_after_it() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10)).when(found("outside", 20), message_id="w")
    desk.when(found("outside", 30), at=at(30)).when(discharged(DAY), at=at(DAY))
    desk.when(held(B, arrived=DAY, when=DAY), at=at(DAY)).when(out(DAY + 60), at=at(DAY + 60))
    assert [alarm.alarm for alarm in look(as_box(desk.state)).alarms] == ["left_unreleased"] * 2
    desk.when(finding_retracted("w"), at=at(DAY + 70))
    assert "alarm_waits" in [each.code for each in answer(as_box(desk.state), look(as_box(desk.state))).why]


def test_a_finding_that_another_one_had_corrected_does_not_come_back() -> None:
    desk = story(decider, freed(A)).when(found("outside", 10), message_id="first", at=at(10))
    desk.when(found("inside", 20), message_id="second", at=at(20))
    desk.when(finding_retracted("second"), at=at(30))
    assert left(desk, A)[-1] == "ConsignmentGatedOut" and not may_leave(desk)
    desk.when(finding_retracted("first"), at=at(40))
    assert may_leave(desk)
    turned = story(decider, freed(A)).when(found("outside", 10), message_id="first", at=at(10))
    turned.when(found("inside", 20), message_id="second", at=at(20)).when(finding_retracted("first"), at=at(30))
    turned.when(finding_retracted("second"), at=at(40))
    assert may_leave(turned)


def test_a_count_that_was_wrong_counts_no_longer() -> None:
    stuffed = event(EquipmentEvent.STUFFED, 30)
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(stuffed, at=at(30))
    desk.when(found("inside", 40, lots=1), message_id="one", at=at(40))
    assert may_leave(desk)
    desk.when(finding_retracted("one"), at=at(50))
    assert not may_leave(desk)
    [fact] = [each for each in desk.answer if isinstance(each, ContainerFindingRetracted)]
    assert (fact.wrong, fact.lots) == ("one", None)
    desk.when(found("inside", 60, lots=1), message_id="two", at=at(60)).when(
        found("inside", 70, lots=2), message_id="three"
    )
    assert not may_leave(desk)
    desk.when(finding_retracted("three"), at=at(80))
    assert [each.lots for each in desk.answer if isinstance(each, ContainerFindingRetracted)] == [1] and may_leave(desk)


@pytest.mark.parametrize("mark", ["overfull", "waiting"])
@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_of_two_wrong_counts_neither_stands_for_the_other(mark: str, order: tuple[str, str]) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.state = replace(as_box(desk.state), overfull=mark == "overfull", waiting=mark == "waiting")
    desk.when(found("inside", 10, lots=1), message_id="one", at=at(10))
    desk.when(found("inside", 20, lots=1), message_id="two", at=at(20))
    desk.when(finding_retracted(order[0]), at=at(30))
    assert may_leave(desk)
    desk.when(finding_retracted(order[1]), at=at(40))
    assert not may_leave(desk) and getattr(as_box(desk.state), mark)


def test_a_finding_of_a_record_without_what_it_voided_gives_back_the_finding_that_it_had_found_wrong() -> None:
    """A record of an older software version does not say which finding another one voided."""
    desk = story(decider, freed(A)).when(found("outside", 10), message_id="first", at=at(10))
    desk.when(found("inside", 20), message_id="second", at=at(20))
    box = as_box(desk.state)
    desk.state = replace(box, findings=tuple([replace(finding, voided=()) for finding in box.findings]))
    assert may_leave(desk)
    desk.when(finding_retracted("second"), at=at(30))
    assert not may_leave(desk)


def test_an_alarm_of_a_visit_that_is_not_kept_any_more_waits_again_too() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10))
    desk.when(found("outside", 700 * DAY), message_id="w", at=at(700 * DAY))
    desk.when(discharged(732 * DAY), at=at(732 * DAY))
    desk.when(freed(B, arrived=732 * DAY, when=732 * DAY), at=at(732 * DAY))
    assert may_leave(desk) and [part.consignment_id for part in as_box(desk.state).parts] == [B]
    desk.when(finding_retracted("w"), at=at(733 * DAY))
    assert not may_leave(desk) and as_box(desk.state).waiting


def test_what_was_not_found_is_not_taken_back_and_nothing_twice() -> None:
    desk = story(decider, freed(A)).when(finding_retracted("nothing"))
    desk.then_refused("finding_unknown")
    desk.when(found("outside", 10), message_id="w").when(finding_retracted("w"))
    desk.when(finding_retracted("w")).then_refused("already_answered")


def test_hearing_it_twice_adds_nothing() -> None:
    messages = [held(A, arrived=0), out(5), found("inside", 9), finding_retracted("once-2"), found("outside", 12)]
    keeps_its_promises(decider, [*messages, finding_retracted("once-4"), freed(A)])
