"""Does a permit to leave end when the release desk states again that the goods must stay, and never before?"""

from dataclasses import replace

import pytest

from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.may_leave import answer
from services.gate.visits import look
from tests.facts import (
    consignment_gated_out,
    consignment_left_unreleased,
    container_may_leave,
    equipment_event_recorded,
    exit_permitted,
    gate_alarm_raised,
    visit_closed,
)
from tests.gate.answers import arrival_of, goods_left_unreleased, goods_wait
from tests.gate.boxes import A, B, at, discharged, event, held, out, permitted
from tests.voice import Story, story

EXPORT = Direction.EXPORT
CANCELLED, RETURN = ExitGround.EXPORT_CANCELLED, ExitGround.RETURN


def a_cancelled_export() -> Story:
    return story(decider, held(A, 1, arrived=0, direction=EXPORT)).when(permitted(A, CANCELLED), at=at(5))


def test_an_export_that_is_refused_after_the_permit_stays() -> None:
    desk = a_cancelled_export()
    desk.then(
        exit_permitted(A, CANCELLED, arrival_of(A), at=at(5)),
        container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(5)),
    )
    desk.when(held(A, 3, arrived=0, when=9, direction=EXPORT, refused=True), at=at(9)).then(
        goods_wait(2, arrival_of(A), A, released=0, at=at(9))
    )


def test_a_permit_that_a_hold_has_ended_does_not_come_back() -> None:
    """The goods are refused, permitted to leave, held for another inspection, and refused again for another reason.
    After that, they may leave only with a new permit of an officer."""
    desk = story(decider, held(A, 1, arrived=0, refused=True))
    desk.when(permitted(A, RETURN), at=at(5)).then(
        exit_permitted(A, RETURN, arrival_of(A), at=at(5)),
        container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(5)),
    )
    desk.when(held(A, 3, arrived=0, when=9), at=at(9)).then(goods_wait(2, arrival_of(A), A, released=0, at=at(9)))
    desk.when(held(A, 5, arrived=0, when=12, refused=True), at=at(12)).then()
    desk.when(permitted(A, RETURN), at=at(15)).then(
        exit_permitted(A, RETURN, arrival_of(A), version=5, at=at(15)),
        container_may_leave(3, arrival_of(A), A, permitted=(A,), at=at(15)),
    )


def test_what_is_said_of_other_goods_ends_neither_a_permit_nor_the_yes_of_the_gate() -> None:
    desk = story(decider, discharged(0, ship="NOW"), held(A, 1, ship="NOW", arrived=0, refused=True))
    desk.when(permitted(A, RETURN), at=at(5)).then(
        exit_permitted(A, RETURN, "m1", at=at(5)), container_may_leave(1, "m1", A, permitted=(A,), at=at(5))
    )
    desk.when(held(B, 1, bill="2", ship="NEXT", when=9), at=at(9)).then()
    box = as_box(desk.state)
    assert [permit.until for permit in box.permits] == [None]
    assert [(yes.consignments, yes.until) for yes in box.yes] == [((A,), None)]


def test_what_left_by_a_permit_has_left_rightly_whatever_is_said_of_it_later() -> None:
    """The lot B in the container was held, so the gate's answer was no. The lot A left lawfully only because of its
    permit."""
    desk = story(decider, held(A, 1, bill="1", arrived=0, refused=True), held(B, 1, bill="2", arrived=0))
    desk.when(permitted(A, RETURN), at=at(5)).then(exit_permitted(A, RETURN, arrival_of(B), at=at(5)))
    desk.when(out(30), at=at(30)).then(
        equipment_event_recorded("m4", EquipmentEvent.GATED_OUT, arrival_of(B), where="G1", at=at(30)),
        visit_closed(arrival_of(B), "left_unreleased", "m4", consignments=(B, A), at=at(30)),
        gate_alarm_raised(arrival_of(B), "m4", waiting_for=(B,), at=at(30)),
        consignment_left_unreleased(visit=arrival_of(B), consignment_id=B, at=at(30)),
        consignment_gated_out(visit=arrival_of(B), consignment_id=A, at=at(30)),
    )
    desk.when(held(A, 3, bill="1", arrived=0, when=60), at=at(60)).then(
        gate_alarm_raised(
            arrival_of(B), "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(30)
        )
    )
    desk.when(held(A, 5, bill="1", arrived=0, when=70, refused=True), at=at(70)).then()


def test_what_leaves_after_its_permit_has_ended_has_left_without_release() -> None:
    desk = a_cancelled_export()
    desk.when(held(A, 3, arrived=0, when=9, direction=EXPORT), at=at(9)).then(
        goods_wait(2, arrival_of(A), A, released=0, at=at(9))
    )
    desk.when(event(EquipmentEvent.GATED_OUT, 30), at=at(30)).then(
        *goods_left_unreleased("m4", arrival_of(A), A, gate="berth 1", at=at(30))
    )


def test_a_permit_that_was_given_without_knowing_of_a_later_hold_is_none() -> None:
    """The officer asked before the release desk stated again that the goods must stay, and the gate desk reads the
    request after that statement."""
    desk = story(decider, held(A, 1, arrived=0, refused=True), held(A, 3, arrived=0, when=9, refused=True))
    desk.when(permitted(A, RETURN, version=1)).then_refused("stated_again")
    desk.when(permitted(A, RETURN, version=3)).then(
        exit_permitted(A, RETURN, arrival_of(A), version=3, version_seen=3, at=at(4)),
        container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(4)),
    )


def test_the_fact_of_a_permit_names_what_the_officer_saw_and_the_visit() -> None:
    desk = story(decider, discharged(0), held(A, 4, arrived=0, refused=True))
    desk.when(permitted(A, RETURN, version=4)).then(
        exit_permitted(A, RETURN, "m1", version=4, version_seen=4, at=at(3)),
        container_may_leave(1, "m1", A, permitted=(A,), at=at(3)),
    )
    desk.when(permitted(A, RETURN)).then(exit_permitted(A, RETURN, "m1", version=4, at=at(4)))


def test_a_permit_of_the_software_version_before_is_read() -> None:
    desk = a_cancelled_export()
    stored = decider.STATE.dump_json(desk.state)
    before = stored.replace(b',"until":null}]', b"}]")
    assert decider.STATE.validate_json(before) == desk.state


@pytest.mark.parametrize("refused", [True, False])
def test_a_permit_that_the_software_version_before_did_not_end_is_none_any_more(refused: bool) -> None:
    desk = a_cancelled_export()
    desk.when(held(A, 3, arrived=0, when=9, direction=EXPORT, refused=refused), at=at(9)).then(
        goods_wait(2, arrival_of(A), A, released=0, at=at(9))
    )
    box = as_box(desk.state)
    assert [permit.until for permit in box.permits] == [at(9)]
    earlier = replace(box, permits=tuple([replace(permit, until=None) for permit in box.permits]))
    assert answer(earlier, look(earlier)).leave is False
