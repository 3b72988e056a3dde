"""If goods that have left are called back, must the container stay because the report of their departure may be wrong
and the goods may still be in it?"""

import pytest

from schemas.gate import GateAlarmRaised
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from tests.gate.boxes import DAY, A, B, at, discharged, event, finding_retracted, found, freed, held, may_leave, out
from tests.voice import Story, story

EXPORT = Direction.EXPORT


def alarms(desk: Story) -> list[str]:
    return [fact.alarm for fact in desk.facts if isinstance(fact, GateAlarmRaised)]


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
    """The container may have come back without a report, so the finding does not show that the departure was wrong."""
    desk = story(decider, discharged(0)).when(freed(A, 1, arrived=0, when=10), at=at(10))
    desk.when(found("outside", 60), at=at(61)).when(held(A, 2, arrived=0, when=80), at=at(80))
    desk.when(found("inside", 4 * DAY), at=at(4 * DAY)).when(freed(B, arrived=5 * DAY, when=5 * DAY), at=at(5 * DAY))
    assert may_leave(desk)
