"""For which visit does a permit to leave count? Even if the departure that ends this visit is reported late, the permit
must let nothing out that comes in the container after this departure."""

import pytest

from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from tests.gate.boxes import DAY, A, B, at, discharged, event, found, freed, held, may_leave, out, permitted
from tests.voice import Story, story

EXPORT = Direction.EXPORT
CANCELLED, RETURN = ExitGround.EXPORT_CANCELLED, ExitGround.RETURN


def permitted_at_100() -> Story:
    """Returns the desk after an officer has given a permit for A at minute 100. The release desk has not stated that A
    arrived."""
    desk = story(decider).when(event(EquipmentEvent.GATED_IN, 0, laden=True), at=at(1))
    desk.when(held(A, when=2, direction=EXPORT), at=at(2)).when(permitted(A, CANCELLED), at=at(100))
    assert may_leave(desk)
    return desk


@pytest.mark.parametrize("minute", [40, 95, 100, 110])
def test_a_departure_spends_the_permit_that_was_given_before_it_was_told_whatever_its_time(minute: float) -> None:
    """The departure may have an event time before the permit for two reasons: the clock of the gate is some minutes
    behind, or the container did leave before the permit was given."""
    desk = permitted_at_100().when(out(minute), at=at(120)).when(found("outside", 130), at=at(130))
    desk.when(discharged(5 * DAY, laden=True), at=at(5 * DAY))
    assert not may_leave(desk), "the container is back with other goods"


def test_a_permit_that_was_given_when_the_next_visit_was_known_is_for_that_visit() -> None:
    desk = story(decider).when(discharged(0), at=at(1)).when(freed(B, arrived=0, when=10), at=at(10))
    desk.when(discharged(5 * DAY, laden=True), at=at(5 * DAY))
    desk.when(held(A, when=5 * DAY + 1, arrived=5 * DAY, direction=EXPORT), at=at(5 * DAY + 1))
    desk.when(permitted(A, CANCELLED), at=at(5 * DAY + 5)).when(out(20), at=at(5 * DAY + 9))
    assert may_leave(desk), "the departure before is told late"


def test_a_permit_stays_when_the_discharge_of_goods_that_are_known_to_have_arrived_is_told_late() -> None:
    desk = story(decider).when(discharged(0), at=at(1)).when(freed(B, arrived=0, when=10), at=at(10))
    desk.when(out(20), at=at(5 * DAY + 9), recorded=at(5 * DAY + 9))
    desk.when(held(A, when=5 * DAY + 1, arrived=5 * DAY, direction=EXPORT), at=at(5 * DAY + 10))
    desk.when(permitted(A, CANCELLED), at=at(5 * DAY + 5)).when(discharged(5 * DAY + 1), at=at(5 * DAY + 30))
    assert may_leave(desk)


def test_a_permit_that_a_visit_has_spent_does_not_come_back_when_the_visit_is_forgotten() -> None:
    desk = permitted_at_100().when(event(EquipmentEvent.GATED_OUT, 110, laden=False), at=at(111))
    desk.when(discharged(800 * DAY, laden=True), at=at(800 * DAY))
    assert as_box(desk.state).forgotten is not None and not may_leave(desk)


def test_a_permit_has_the_time_at_which_it_was_given_though_the_desk_reads_it_late() -> None:
    desk = story(decider).when(event(EquipmentEvent.GATED_IN, 0, laden=True), at=at(1))
    desk.when(held(A, when=2, direction=EXPORT), at=at(2))
    desk.when(permitted(A, CANCELLED), recorded=at(5), at=at(2 * DAY))
    desk.when(out(10), recorded=at(11), at=at(2 * DAY))
    desk.when(found("outside", 20), recorded=at(21), at=at(2 * DAY))
    desk.when(discharged(DAY, laden=True), recorded=at(DAY + 1), at=at(2 * DAY))
    assert not may_leave(desk)


def test_goods_leave_by_a_permit_that_the_desk_reads_after_they_have_left() -> None:
    desk = story(decider, held(A, bill="1", arrived=0, refused=True), held(B, bill="2", arrived=0))
    desk.when(permitted(A, RETURN), recorded=at(5), at=at(DAY)).when(out(30), recorded=at(31), at=at(DAY))
    assert [fact.kind for fact in desk.facts if fact.key == A] == ["ConsignmentGatedOut"]
