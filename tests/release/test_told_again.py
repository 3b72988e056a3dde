"""Does the gate desk get a statement about a new hold on goods that it already knows to be held? An officer may have
permitted their exit meanwhile."""

from datetime import datetime

from schemas.codes.refusals import RefusalCode
from schemas.release import ContainerHeld
from schemas.vocabulary import ControlKind, Direction, Lane
from services.release import decider
from tests.declaration.good import BOX
from tests.facts import (
    arrival_recorded,
    consignment_assessed,
    consignment_held,
    container_freed,
    container_held,
    containers_missing,
    control_again,
    control_required,
    findings_retracted,
    goods_transferred,
    hold_put_back,
    inspection_passed,
    lift_retracted,
    living_pest,
    officers_hold,
    pest_intercepted,
    release_granted,
    transfer_retracted,
)
from tests.release.answers import NOT_RELEASED_YET, PASSED, goods_held
from tests.release.requests import BOXES, arrival, lift_hold, place_hold, retract_lift
from tests.voice import NOON, Story, after, story

DOCUMENTS, INSPECTION = ControlKind.DOCUMENTS, ControlKind.INSPECTION


def an_export(*controls: ControlKind) -> Story:
    return story(decider, consignment_assessed(*controls, containers=BOXES, direction=Direction.EXPORT), arrival())


def told_to_stay(version: int, at: datetime) -> list[ContainerHeld]:
    """Returns the statements to the gate desk about both containers."""
    return [
        container_held(version, NOT_RELEASED_YET, direction=Direction.EXPORT, arrived_at=NOON, container_no=box, at=at)
        for box in BOXES
    ]


def test_an_officers_hold_on_goods_that_are_held_is_told_to_the_gate() -> None:
    desk = an_export(INSPECTION)
    desk.when(place_hold(), message_id="h1").then(
        consignment_held(3, control_required(INSPECTION, after(1)), officers_hold("h1", since=after(3)), at=after(3)),
        *told_to_stay(3, desk.at),
    )
    # A hold ends every permit to leave that an officer gave before it, and lifting the hold does not bring the permit
    # back. So the goods must still stay, and the gate desk gets no statement.
    desk.when(lift_hold("officer/h1"), message_id="l1").then(
        consignment_held(4, control_required(INSPECTION, after(1)), at=after(4))
    )
    desk.when(retract_lift("l1")).then(
        lift_retracted("officer/h1", "l1", at=after(5)),
        consignment_held(5, control_required(INSPECTION, after(1)), hold_put_back("h1", after(5)), at=after(5)),
        *told_to_stay(5, desk.at),
    )


def test_a_pest_and_findings_that_were_wrong_are_told_to_the_gate() -> None:
    desk = an_export(DOCUMENTS, INSPECTION)
    desk.when(inspection_passed(DOCUMENTS)).then(
        consignment_held(3, control_required(INSPECTION, after(1)), at=after(3))
    )
    desk.when(findings_retracted(DOCUMENTS)).then(
        consignment_held(
            4, control_again(DOCUMENTS, since=after(4)), control_required(INSPECTION, after(1)), at=after(4)
        ),
        *told_to_stay(4, desk.at),
    )
    desk.when(pest_intercepted(INSPECTION)).then(
        consignment_held(
            5, control_again(DOCUMENTS, since=after(4)), living_pest(INSPECTION, since=after(5)), at=after(5)
        ),
        *told_to_stay(5, desk.at),
    )


def test_an_arrival_that_is_awaited_and_an_answer_to_a_hold_are_no_news_to_the_gate() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES))
    # the gate desk gets a statement only about the container that has arrived
    desk.when(arrival(containers=(BOX,))).then(
        arrival_recorded(BOX),
        *goods_held(2, after(2), containers_missing(1, 2, after(1)), control_required(INSPECTION, after(1))),
    )
    desk.when(inspection_passed(INSPECTION)).then(
        release_granted(3, lane=Lane.RED, answers=PASSED, holds=(containers_missing(1, 2, after(1)),), at=after(3)),
        container_freed(3, at=after(3)),
    )


def test_no_request_opens_the_hold_of_a_stripping_that_was_taken_back() -> None:
    desk, visit = an_export(INSPECTION), "v1"
    desk.when(goods_transferred(visit, "s1", "TCKU2000008").model_copy(update={"kept": True}))
    assert "officer/stripping/s1" in [hold.hold_id for hold in desk.state.stated]
    desk.when(transfer_retracted(visit, "s1"), message_id="t1")
    assert "officer/stripping/s1" not in [hold.hold_id for hold in desk.state.stated]
    desk.when(retract_lift("t1")).then_refused(RefusalCode.LIFT_UNKNOWN)
