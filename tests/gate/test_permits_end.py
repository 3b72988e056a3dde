"""Does an officer's permit to leave end when the release desk states something new against the goods, and not earlier?"""

from dataclasses import replace

import pytest

from schemas.gate import ExitPermitted
from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import answer, look
from tests.gate.boxes import DAY, A, B, at, discharged, event, found, freed, held, kinds, may_leave, out, permitted
from tests.voice import Story, story

EXPORT = Direction.EXPORT
CANCELLED, RETURN = ExitGround.EXPORT_CANCELLED, ExitGround.RETURN


def a_cancelled_export() -> Story:
    return story(decider, held(A, 1, arrived=0, direction=EXPORT)).when(permitted(A, CANCELLED), at=at(5))


def test_an_export_that_is_refused_after_the_permit_stays() -> None:
    desk = a_cancelled_export()
    assert may_leave(desk)
    desk.when(held(A, 3, arrived=0, when=9, direction=EXPORT, refused=True), at=at(9))
    assert "ContainerMustStay" in kinds(desk) and not may_leave(desk)


def test_a_permit_that_a_hold_has_ended_does_not_come_back() -> None:
    """The goods are refused, permitted to leave, inspected again and refused for another reason, so an officer must
    decide again."""
    desk = story(decider, held(A, 1, arrived=0, refused=True)).when(permitted(A, RETURN), at=at(5))
    assert may_leave(desk)
    desk.when(held(A, 3, arrived=0, when=9), at=at(9)).when(held(A, 5, arrived=0, when=12, refused=True), at=at(12))
    assert not may_leave(desk)
    desk.when(permitted(A, RETURN), at=at(15))
    assert may_leave(desk)


def test_what_is_said_of_other_goods_ends_neither_a_permit_nor_the_yes_of_the_gate() -> None:
    desk = story(decider, discharged(0, ship="NOW"), held(A, 1, ship="NOW", arrived=0, refused=True))
    desk.when(permitted(A, RETURN), at=at(5)).when(held(B, 1, bill="2", ship="NEXT", when=9), at=at(9))
    box = as_box(desk.state)
    assert [permit.until for permit in box.permits] == [None]
    assert [(yes.consignments, yes.until) for yes in box.yes] == [((A,), None)]


def test_what_left_by_a_permit_has_left_rightly_whatever_is_said_of_it_later() -> None:
    """The other lot in the container was held, so the gate's answer was no; only the permit says that this lot may
    leave."""
    desk = story(decider, held(A, 1, bill="1", arrived=0, refused=True), held(B, 1, bill="2", arrived=0))
    desk.when(permitted(A, RETURN), at=at(5)).when(out(30), at=at(30))
    desk.when(held(A, 3, bill="1", arrived=0, when=60), at=at(60))
    desk.when(held(A, 5, bill="1", arrived=0, when=70, refused=True), at=at(70))
    kinds_of_a = [f.kind for f in desk.facts if f.key == A]
    assert kinds_of_a == ["ConsignmentGatedOut"]


def test_what_leaves_after_its_permit_has_ended_has_left_without_release() -> None:
    desk = a_cancelled_export().when(held(A, 3, arrived=0, when=9, direction=EXPORT), at=at(9))
    desk.when(event(EquipmentEvent.GATED_OUT, 30), at=at(30))
    assert "ConsignmentLeftUnreleased" in kinds(desk)


def test_a_permit_that_was_given_without_knowing_of_a_later_hold_is_none() -> None:
    """The officer's request was not read yet when the release desk stated again that the goods must stay."""
    desk = story(decider, held(A, 1, arrived=0, refused=True), held(A, 3, arrived=0, when=9, refused=True))
    desk.when(permitted(A, RETURN, version=1))
    desk.then_refused("stated_again")
    assert not may_leave(desk)
    desk.when(permitted(A, RETURN, version=3))
    assert may_leave(desk)


def test_the_fact_of_a_permit_names_what_the_officer_saw_and_the_visit() -> None:
    desk = story(decider, discharged(0)).when(held(A, 4, arrived=0, refused=True)).when(permitted(A, RETURN, version=4))
    fact = desk.answer[0]
    assert isinstance(fact, ExitPermitted)
    assert (fact.version, fact.version_seen, fact.visit, fact.ground) == (4, 4, "m1", RETURN)
    fact = desk.when(permitted(A, RETURN)).answer[0]
    assert isinstance(fact, ExitPermitted) and (fact.version, fact.version_seen) == (4, None)


def test_a_permit_of_the_software_version_before_is_read() -> None:
    desk = a_cancelled_export()
    stored = decider.STATE.dump_json(desk.state)
    before = stored.replace(b',"until":null}]', b"}]")
    assert decider.STATE.validate_json(before) == desk.state


@pytest.mark.parametrize("refused", [True, False])
def test_a_permit_that_the_software_version_before_did_not_end_is_none_any_more(refused: bool) -> None:
    desk = a_cancelled_export().when(held(A, 3, arrived=0, when=9, direction=EXPORT, refused=refused), at=at(9))
    box = as_box(desk.state)
    assert [permit.until for permit in box.permits] == [at(9)]
    earlier = replace(box, permits=tuple([replace(permit, until=None) for permit in box.permits]))
    assert answer(earlier, look(earlier)).leave is False


@pytest.mark.parametrize("end", ["out", "came again", "found outside"])
def test_a_permit_lets_nothing_out_in_the_next_visit(end: str) -> None:
    """The goods may have left with it. The container is back, laden, and nothing is declared in it."""
    desk = story(decider).when(event(EquipmentEvent.GATED_IN, 0, laden=True), at=at(1))
    desk.when(held(A, when=2, direction=EXPORT), at=at(2)).when(permitted(A, CANCELLED), at=at(5))
    assert may_leave(desk)
    if end != "came again":
        desk.when(out(10) if end == "out" else found("outside", 10), at=at(11))
    desk.when(discharged(5 * DAY, laden=True), at=at(5 * DAY))
    assert not may_leave(desk)
    desk.when(permitted(A, CANCELLED), at=at(5 * DAY + 5))
    assert may_leave(desk), "an officer has decided again"


def permitted_at_100() -> Story:
    """A container whose goods have a permit; nobody told of their arrival."""
    desk = story(decider).when(event(EquipmentEvent.GATED_IN, 0, laden=True), at=at(1))
    desk.when(held(A, when=2, direction=EXPORT), at=at(2)).when(permitted(A, CANCELLED), at=at(100))
    assert may_leave(desk)
    return desk


@pytest.mark.parametrize("minute", [40, 95, 100, 110])
def test_a_departure_spends_the_permit_that_was_given_before_it_was_told_whatever_its_time(minute: float) -> None:
    """The clock of the gate may be some minutes behind, or the container had left before."""
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
