"""An officer finds a container inside that was reported to have left and to have come again. Which goods may be in it?

The officer's finding is true whether or not the container had left, so the goods of each visit may be in it.
"""

from dataclasses import replace

import pytest

from schemas.gate import ContainerMustStay, RecordContainerFinding, RecordEquipmentEvent
from schemas.phrases import phrase
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import EquipmentEvent, ExitGround, Owner, StayCode
from services.gate import decider
from services.gate.box import as_box
from services.gate.keeping import REMEMBERED
from tests import facts
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    discharged,
    event,
    finding_retracted,
    found,
    freed,
    held,
    may_leave,
    out,
    permitted,
    retracted,
    struck,
)
from tests.voice import Story, story

GATED_IN, OUT, LOADED = EquipmentEvent.GATED_IN, EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED
LATER = 20 * DAY


def keeps_until_the_lots_are_counted(desk: Story, lots: int, *names: str) -> None:
    """Checks that the desk has published once that a count is awaited, and that an officer's count of the lots changes
    the gate's answer to yes for these goods. If the count is taken back, the answer is no again. If the finding `seen`
    is taken back, too, the answer stays no, and the reports that the finding had made void count again."""
    assert [(fact.code, fact.owner) for fact in desk.facts if isinstance(fact, ContainerMustStay)] == [
        (StayCode.TO_BE_COUNTED, Owner.OFFICER)
    ], "nobody has declared the goods with which it may have come"
    desk.when(found("inside", LATER + 100, lots=lots), message_id="count", at=at(LATER + 100)).then(
        facts.container_finding_recorded("inside", lots=lots, at=at(LATER + 100)),
        facts.container_may_leave(2, "first", *names, at=at(LATER + 100)),
    )
    desk.when(finding_retracted("count"), at=at(LATER + 110))
    assert not may_leave(desk)
    desk.when(finding_retracted("seen"), at=at(LATER + 120))
    box = as_box(desk.state)
    assert not [report.id for report in box.reports if report.void], (
        "the reports that the finding had made void count again"
    )
    assert not may_leave(desk)


def came(report: RecordEquipmentEvent, declared: ContainerHeld) -> Story:
    return Story(decider, decider.INITIAL).when(report, message_id="first").when(declared)


def test_as_many_lots_must_be_declared_as_those_that_came_again_share_the_container() -> None:
    desk = came(discharged(0), held(A, bill="1", arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(5 * DAY), at=at(5 * DAY))
    desk.when(freed(B, shared_by=2, bill="2", arrived=5 * DAY, when=5 * DAY + 5), at=at(5 * DAY + 5))
    desk.when(found("inside", 5 * DAY + 20), message_id="seen", at=at(5 * DAY + 20))
    desk.when(freed(A, version=3, bill="1", arrived=0, when=5 * DAY + 30), at=at(5 * DAY + 30)).then()
    keeps_until_the_lots_are_counted(desk, 2, A, B)


def test_as_many_lots_must_be_declared_as_those_of_the_first_visit_share_the_container() -> None:
    """B came with the second visit. So B is not the second lot that, by the declaration of A, shares the container in
    the first visit."""
    desk = came(discharged(0), held(A, shared_by=2, bill="1", arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(5 * DAY), at=at(5 * DAY))
    desk.when(freed(B, bill="2", arrived=5 * DAY, when=5 * DAY + 5), at=at(5 * DAY + 5))
    desk.when(found("inside", 5 * DAY + 20), message_id="seen", at=at(5 * DAY + 20))
    desk.when(freed(A, version=3, shared_by=2, bill="1", arrived=0, when=5 * DAY + 30), at=at(5 * DAY + 30)).then()
    keeps_until_the_lots_are_counted(desk, 2, A, B)


def test_goods_that_came_with_a_later_opening_say_nothing_about_those_of_an_earlier_one() -> None:
    desk = came(discharged(0), held(A, bill="1", arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(5 * DAY), at=at(5 * DAY)).when(out(6 * DAY), at=at(6 * DAY))
    desk.when(discharged(10 * DAY), at=at(10 * DAY))
    desk.when(freed(C, bill="3", arrived=10 * DAY, when=10 * DAY + 5), at=at(10 * DAY + 5))
    desk.when(found("inside", 10 * DAY + 20), message_id="seen", at=at(10 * DAY + 20))
    desk.when(freed(A, version=3, bill="1", arrived=0, when=10 * DAY + 30), at=at(10 * DAY + 30)).then()
    keeps_until_the_lots_are_counted(desk, 2, A, C)


def test_goods_of_an_earlier_call_of_the_same_conveyance_did_not_come_again() -> None:
    desk = came(discharged(0, "S 1"), held(A, arrived=0, ship="S 1")).when(out(60), at=at(60))
    desk.when(discharged(20 * DAY, "S 1"), at=at(20 * DAY))
    desk.when(found("inside", LATER + 20), message_id="seen", at=at(LATER + 20))
    desk.when(freed(A, version=3, arrived=0, ship="S 1", when=LATER + 30), at=at(LATER + 30)).then()
    keeps_until_the_lots_are_counted(desk, 1, A)


@pytest.mark.parametrize(
    "departure",
    [found("outside", 60), event(OUT, -5), event(OUT, 190), event(LOADED, 190)],
    ids=["found outside", "by a clock that is behind", "by a clock that is ahead", "loaded"],
)
def test_a_second_report_of_a_gate_in_is_another_one_if_the_container_was_outside_between_them(
    departure: RecordContainerFinding | RecordEquipmentEvent,
) -> None:
    """The finding `inside` makes the departure void. Without the departure, the second gate-in looks like a repetition
    of the first one."""
    desk = came(event(GATED_IN, 0, laden=True), held(A, arrived=0)).when(departure, at=at(200))
    desk.when(event(GATED_IN, 180, laden=True), at=at(205))
    desk.when(found("inside", 210), message_id="seen", at=at(210))
    desk.when(freed(A, version=3, arrived=0, when=220), at=at(220)).then()
    keeps_until_the_lots_are_counted(desk, 1, A)


def test_a_record_without_what_a_finding_made_void_keeps_the_container_as_well() -> None:
    """In a record of an older software version, a finding names only the alarm of the departure that it settled, and
    not the reports that it made void."""
    desk = came(discharged(0), held(A, arrived=0)).when(out(60), at=at(60)).when(discharged(5 * DAY), at=at(5 * DAY))
    desk.when(found("inside", 5 * DAY + 20), message_id="seen", at=at(5 * DAY + 20))
    box = as_box(desk.state)
    assert [finding.settled for finding in box.findings] == [("left_unreleased/m3",)]
    desk.state = replace(box, findings=tuple([replace(finding, voided=(), ended=()) for finding in box.findings]))
    desk.when(freed(A, version=3, arrived=0, when=5 * DAY + 30), at=at(5 * DAY + 30)).then()
    desk.when(found("inside", 5 * DAY + 40, lots=1), at=at(5 * DAY + 40)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(5 * DAY + 40)),
        facts.container_may_leave(2, "first", A, at=at(5 * DAY + 40)),
    )


def test_an_opening_that_its_sender_took_back_before_the_finding_needs_no_count() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(5 * DAY), message_id="again", at=at(5 * DAY)).when(retracted("again"), at=at(5 * DAY + 10))
    desk.when(found("inside", 5 * DAY + 20), at=at(5 * DAY + 20))
    desk.when(freed(A, version=3, arrived=0, when=5 * DAY + 30), at=at(5 * DAY + 30)).then(
        facts.container_may_leave(2, "m1", A, at=at(5 * DAY + 30))
    )


@pytest.mark.parametrize("standing", ["held", "refused", "withdrawn"])
@pytest.mark.parametrize("stated", [5, 25], ids=["before the finding", "after it"])
def test_goods_that_are_awaited_with_the_conveyance_with_which_it_may_have_come_again_keep_it(
    standing: str, stated: float
) -> None:
    """Nobody reported the arrival of B, and an officer's count of the lots does not say which lots they are."""
    desk = came(discharged(0, "S 1"), held(A, arrived=0, ship="S 1")).when(out(60), at=at(60))
    desk.when(held(B, ship="T 2", when=70), at=at(70)).when(discharged(5 * DAY, "T 2"), at=at(5 * DAY))
    stated_at, when = at(5 * DAY + stated), 5 * DAY + stated
    later: ContainerHeld | ContainerFreed
    if standing == "withdrawn":
        later = freed(B, released=False, ship="T 2", arrived=None, when=when)
    else:
        later = held(B, version=2, ship="T 2", when=when, refused=standing == "refused")
    finding = found("inside", 5 * DAY + 20, lots=1)
    for message, read in sorted([(later, stated_at), (finding, at(5 * DAY + 20))], key=lambda each: each[1]):
        desk.when(message, at=read)
    # If B was withdrawn, the container waits for another declaration as soon as the other goods are released.
    withdrawn = standing == "withdrawn"
    why = phrase("lots_released", count=1, all=2), phrase("bill_withdrawn", bill=B)
    now = facts.container_must_stay(2, "first", *why, waiting_for=(B,), at=at(5 * DAY + 30))
    desk.when(freed(A, version=3, arrived=0, ship="S 1", when=5 * DAY + 30), at=at(5 * DAY + 30))
    desk.then(*[now] if withdrawn else [])
    desk.when(struck(B), at=at(5 * DAY + 40)).then(
        facts.lot_struck(consignment_id=B, at=at(5 * DAY + 40)),
        facts.container_may_leave(3 if withdrawn else 2, "first", A, at=at(5 * DAY + 40)),
    )


def test_goods_that_were_withdrawn_before_it_may_have_come_again_do_not_keep_it() -> None:
    desk = came(discharged(0, "S 1"), held(A, arrived=0, ship="S 1")).when(out(60), at=at(60))
    desk.when(freed(B, version=1, released=False, ship="T 2", arrived=None, when=70), at=at(70))
    desk.when(discharged(5 * DAY, "T 2"), at=at(5 * DAY)).when(found("inside", 5 * DAY + 20, lots=1))
    desk.when(freed(A, version=3, arrived=0, ship="S 1", when=5 * DAY + 30), at=at(5 * DAY + 30)).then(
        facts.container_may_leave(2, "first", A, at=at(5 * DAY + 30))
    )


def test_a_permit_for_goods_with_which_it_may_have_come_again_does_not_let_out_what_is_in_it() -> None:
    """Nothing that is declared is known to be in the container."""
    desk = came(discharged(0, "S 1"), held(A, arrived=0, ship="S 1")).when(out(60), at=at(60))
    desk.when(held(B, ship="T 2", when=70), at=at(70)).when(discharged(5 * DAY, "T 2"), at=at(5 * DAY))
    desk.when(found("inside", 5 * DAY + 20, lots=1)).when(struck(A), at=at(5 * DAY + 30))
    desk.when(permitted(B, ExitGround.DESTROY), at=at(5 * DAY + 40))
    assert not may_leave(desk)


def test_the_doubt_outlasts_the_findings_that_are_remembered() -> None:
    desk = came(discharged(0), held(A, arrived=0)).when(out(60), at=at(60)).when(discharged(5 * DAY), at=at(5 * DAY))
    for number in range(REMEMBERED + 2):
        when = 5 * DAY + 20 + number
        desk.when(found("inside", when), message_id=f"seen{number}", at=at(when))
    desk.when(freed(A, version=3, arrived=0, when=6 * DAY), at=at(6 * DAY)).then()
    assert len(as_box(desk.state).findings) == REMEMBERED + 2, "the first one and the latest ones"
