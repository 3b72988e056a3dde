"""Does an officer's permit to leave end when the release desk states something new against the goods, and not earlier?"""

from dataclasses import replace

import pytest

from schemas.gate import ExitPermitted
from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import answer, look
from tests.gate.boxes import DAY, A, B, at, discharged, event, found, held, kinds, may_leave, out, permitted
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
