"""Does a lawful departure stay lawful, whatever holds the release desk places and lifts afterwards?"""

import pytest

from schemas.envelope import Message
from schemas.gate import GateAlarmRaised
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
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
)
from tests.gate.test_visits import alarms
from tests.voice import Story, story

EXPORT = Direction.EXPORT
LEFT = ("ConsignmentLeftUnreleased", "DepartureRetracted")


def called_back(*until_departure: Message, direction: Direction = Direction.IMPORT, since: float = 200) -> Story:
    """Goods that left, were called back, and released again several times."""
    desk = story(decider, *until_departure)
    for turn in range(3):
        begin = since + 100 * turn
        desk.when(held(A, 3 + 2 * turn, arrived=0, when=begin, direction=direction))
        desk.when(freed(A, 4 + 2 * turn, arrived=0, when=begin + 50, direction=direction))
    return desk


def test_a_loaded_export_that_was_held_and_let_go_again_left_with_its_release() -> None:
    goods = [held(A, 1, arrived=0, when=1, direction=EXPORT), freed(A, 2, arrived=0, when=10, direction=EXPORT)]
    desk = called_back(*goods, event(EquipmentEvent.LOADED, 100), direction=EXPORT)
    assert not [f.kind for f in desk.facts if f.kind in LEFT]
    assert [f.model_dump()["alarm"] for f in desk.facts if f.kind == "GateAlarmRaised"] == ["held_outside"] * 3


def test_goods_whose_departure_nobody_told_left_with_their_release_and_keep_no_later_visit() -> None:
    goods = [discharged(0, "A"), held(A, 1, ship="A", arrived=0, when=1), freed(A, 2, ship="A", arrived=0, when=10)]
    desk = called_back(*goods, discharged(5 * DAY, "B"), since=5 * DAY + 100)
    assert not [f.kind for f in desk.facts if f.kind in LEFT]
    desk.when(held("b" * 8 + A[8:], 1, ship="B", arrived=5 * DAY, when=6 * DAY))
    desk.when(freed("b" * 8 + A[8:], 2, ship="B", arrived=5 * DAY, when=6 * DAY + 10))
    assert may_leave(desk)


def test_a_departure_that_is_told_late_is_judged_by_the_release_of_its_time() -> None:
    """The goods were released, held and released again before their departure was reported."""
    desk = called_back(discharged(0), held(A, 1, arrived=0, when=1), freed(A, 2, arrived=0, when=10), since=200)
    assert "ConsignmentGatedOut" in kinds(desk.when(out(100)))


def test_goods_that_left_while_they_were_held_between_two_releases_left_without_release() -> None:
    goods = [held(A, 1, arrived=0, when=1, direction=EXPORT), freed(A, 2, arrived=0, when=10, direction=EXPORT)]
    desk = called_back(*goods, direction=EXPORT)
    assert "ConsignmentLeftUnreleased" in kinds(desk.when(event(EquipmentEvent.LOADED, 225)))
    desk = called_back(*goods, direction=EXPORT)
    assert "ConsignmentGatedOut" in kinds(desk.when(event(EquipmentEvent.LOADED, 275)))


@pytest.mark.parametrize("end", ["GTOT", "empty", "came back empty", "came back laden", "found outside"])
def test_goods_that_left_with_their_release_and_are_called_back_raise_the_same_alarm_however_their_departure_was_told(
    end: str,
) -> None:
    """It stops nothing here, because the goods are outside."""
    desk = story(decider, discharged(0, "S 1"), held(A, 1, ship="S 1", arrived=0, when=1))
    desk.when(freed(A, 2, ship="S 1", arrived=0, when=10))
    ends: dict[str, Message] = {
        "GTOT": out(5 * DAY),
        "empty": event(EquipmentEvent.GATED_OUT, 5 * DAY, laden=False),
        "came back empty": discharged(5 * DAY, "T 2", laden=False),
        "came back laden": discharged(5 * DAY, "T 2"),
        "found outside": found("outside", 5 * DAY),
    }
    desk.when(ends[end]).when(held(A, 3, ship="S 1", arrived=0, when=6 * DAY))
    [alarm] = [fact for fact in desk.answer if isinstance(fact, GateAlarmRaised)]
    assert (alarm.alarm, alarm.why, alarm.waiting_for, alarm.blocks) == ("held_outside", "held_after", (A,), False)
    assert not [fact.kind for fact in desk.facts if fact.kind in LEFT]


def test_an_export_that_is_released_for_loading_does_not_leave_through_the_land_gate_in_a_container_called_empty() -> (
    None
):
    desk = story(decider, discharged(0), held(A, arrived=0, direction=EXPORT))
    desk.when(freed(A, arrived=0, when=10, direction=EXPORT), at=at(10))
    desk.when(event(EquipmentEvent.GATED_OUT, 60, laden=False), at=at(61))
    assert alarms(desk) == ["empty_left_laden"]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)


@pytest.mark.parametrize("laden", [True, False])
@pytest.mark.parametrize("first", ["held", "found"])
def test_goods_that_are_called_back_and_whose_container_was_seen_inside_after_its_departure_may_be_in_it(
    laden: bool, first: str
) -> None:
    desk = story(decider, discharged(0)).when(freed(A, 1, arrived=0, when=10), at=at(10))
    desk.when(event(EquipmentEvent.GATED_OUT, 60, laden=laden), at=at(61))
    if first == "held":
        desk.when(held(A, 2, arrived=0, when=80), at=at(80)).when(found("inside", 100), message_id="f", at=at(100))
    else:
        desk.when(found("inside", 70), message_id="f", at=at(70)).when(held(A, 2, arrived=0, when=80), at=at(80))
    desk.when(freed(B, arrived=120, when=120), at=at(120))
    assert not may_leave(desk)
    desk.when(finding_retracted("f"), at=at(130))
    assert may_leave(desk)


def test_goods_that_are_called_back_are_not_in_the_container_that_was_seen_inside_and_outside_afterwards() -> None:
    desk = story(decider, discharged(0)).when(freed(A, 1, arrived=0, when=10), at=at(10)).when(out(60), at=at(61))
    desk.when(found("inside", 70), at=at(70)).when(held(A, 2, arrived=0, when=80), at=at(80))
    desk.when(found("outside", 90), at=at(90)).when(freed(B, arrived=120, when=120), at=at(120))
    assert may_leave(desk)


def test_goods_that_are_called_back_are_not_in_the_container_that_was_seen_inside_days_after_its_departure() -> None:
    """It may have come back without a report."""
    desk = story(decider, discharged(0)).when(freed(A, 1, arrived=0, when=10), at=at(10))
    desk.when(found("outside", 60), at=at(61)).when(held(A, 2, arrived=0, when=80), at=at(80))
    desk.when(found("inside", 4 * DAY), at=at(4 * DAY)).when(freed(B, arrived=5 * DAY, when=5 * DAY), at=at(5 * DAY))
    assert may_leave(desk)
