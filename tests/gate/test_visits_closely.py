"""Does each condition in the code of visits matter? For each of them a test fails if the condition is changed."""

import pytest

from schemas.envelope import Fact
from schemas.gate import RecordEquipmentEvent
from schemas.phrases import of_earlier, phrase
from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from tests import facts
from tests.gate.answers import arrival_of, awaits_a_count, came_again, goods_left, goods_left_unreleased
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    discharged,
    event,
    found,
    freed,
    held,
    out,
    permitted,
    struck,
)
from tests.voice import story

EXPORT = Direction.EXPORT
STRIPPED, STUFFED, LOADED = EquipmentEvent.STRIPPED, EquipmentEvent.STUFFED, EquipmentEvent.LOADED
OUT, GATED_IN = EquipmentEvent.GATED_OUT, EquipmentEvent.GATED_IN


# which goods are in a visit


def declared_after_it_came_again() -> tuple[Fact, ...]:
    """Returns the facts if A is declared for the visit m1 only after m2 was opened at minute 60, and no departure was
    reported between the two visits."""
    return (
        facts.gate_alarm_raised(
            "m1",
            "",
            waiting_for=(A,),
            alarm="left_undeclared",
            why="declared_after",
            blocks=False,
            gate="berth 1",
            at=at(60),
        ),
        facts.gate_alarm_raised(
            "m1", "m2", waiting_for=(A,), alarm="departure_not_reported", why="came_again", gate="berth 1", at=at(60)
        ),
        facts.container_arrived(visit="m1", consignment_id=A),
        facts.consignment_left_unreleased(visit="m1", why="declared_after", consignment_id=A, at=at(60)),
    )


def test_a_paper_that_was_taken_back_before_the_box_came_was_never_in_it() -> None:
    desk = story(decider, held(A), freed(A, released=False, arrived=None, when=5), discharged(10))
    desk.when(out(30)).then(
        facts.equipment_event_recorded("m4", OUT, "m3", where="G1", at=at(30)),
        facts.visit_closed("m3", "left_unreleased", "m4", consignments=(), at=at(30)),
        facts.gate_alarm_raised("m3", "m4", waiting_for=(), alarm="left_undeclared", why="left_undeclared", at=at(30)),
    )
    # Here the declaration is withdrawn after the discharge. So the gate's answer at the departure is no.
    desk = story(decider, held(A), discharged(10), freed(A, released=False, arrived=None, when=15))
    desk.when(out(30)).then(
        facts.equipment_event_recorded("m4", OUT, "m2", where="G1", at=at(30)),
        facts.visit_closed("m2", "left_unreleased", "m4", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised("m2", "m4", waiting_for=(A,), why="left_against_no", at=at(30)),
    )


def test_a_paper_that_names_the_call_of_a_box_that_has_left_is_about_that_call_for_a_week() -> None:
    came = (discharged(0, "S 1"), held(B, arrived=0, ship="S 1"), freed(B, arrived=0, ship="S 1"), out(100))
    week = 7 * DAY
    for late in (3 * DAY, 100 + week):
        story(decider, *came).when(held(A, ship="S 1", when=late), at=at(late)).then(
            facts.visit_closed("m1", "left_unreleased", "m4", consignments=(B, A), at=at(100)),
            facts.gate_alarm_raised(
                "m1", "", waiting_for=(A,), alarm="left_undeclared", why="declared_after", blocks=False, at=at(100)
            ),
            facts.container_arrived(visit="m1", consignment_id=A),
            facts.consignment_left_unreleased(visit="m1", why="declared_after", consignment_id=A, at=at(100)),
            facts.same_goods_declared(B, A, rule="one_declaration_a_box", conveyance="S 1", at=at(late)),
            facts.same_goods_declared(A, B, rule="one_declaration_a_box", conveyance="S 1", at=at(late)),
        )
    story(decider, *came).when(held(A, ship="S 1", when=101 + week), at=at(101 + week)).then()


def test_a_paper_that_names_the_call_of_a_box_whose_departure_nobody_told_waits_for_the_box() -> None:
    desk = story(decider, discharged(0, "S 1"), held(B, arrived=0, ship="S 1"), freed(B, arrived=0, ship="S 1"))
    desk.when(discharged(5 * DAY, "T 2"), at=at(5 * DAY)).then(
        *came_again("m4", "m1", B, released=True, conveyance="T 2", at=at(5 * DAY)),
        facts.container_must_stay(2, "m4", phrase("nothing_declared"), waiting_for=(), at=at(5 * DAY)),
    )
    desk.when(held(A, ship="S 1", when=6 * DAY), at=at(6 * DAY)).then()


@pytest.mark.parametrize("conveyance", ["S 1", ""])
def test_goods_of_a_visit_whose_departure_nobody_told_may_be_in_the_box_however_late_they_are_declared(
    conveyance: str,
) -> None:
    """Found by chance (hypothesis seed 1281378631): goods of the first visit kept the container here only if they were
    declared before the container was reported to have come again. If they were declared later, the container could
    leave with the release of the other goods."""
    desk = story(decider, discharged(0, "S 1"))
    desk.when(discharged(60, "T 2")).then(*came_again("m2", "m1", released=True, conveyance="T 2", at=at(60)))
    desk.when(freed(B, arrived=70, ship="T 2", when=80), at=at(80)).then(
        facts.container_arrived(visit="m2", consignment_id=B, at=at(60)),
        facts.container_may_leave(1, "m2", B, at=at(80)),
    )
    desk.when(held(A, arrived=0, ship=conveyance, when=90), at=at(90)).then(
        *declared_after_it_came_again(),
        facts.container_must_stay(2, "m2", phrase("alarm_waits"), phrase("came_again"), waiting_for=(A,), at=at(90)),
    )
    # the gate desk does not publish a second time that these goods keep the container here
    desk.when(freed(A, version=3, arrived=0, ship=conveyance, when=95), at=at(95)).then()
    # an officer finds that the container had left before it came again
    desk.when(found("outside", 30), at=at(100)).then(
        facts.container_finding_recorded("outside", "m2", at=at(30)),
        facts.visit_closed("m1", "finding", "", consignments=(A,), at=at(30)),
        facts.container_may_leave(3, "m2", B, at=at(100)),
    )


def test_an_officer_who_finds_the_box_inside_has_found_the_goods_that_were_declared_late() -> None:
    desk = story(decider, discharged(0, "S 1"), discharged(60, "T 2"))
    desk.when(held(A, arrived=0, when=90), at=at(90)).then(
        *declared_after_it_came_again(),
    )
    desk.when(found("inside", 100), at=at(100)).then(
        facts.container_finding_recorded("inside", "m2", at=at(100)),
        facts.visit_opened("m1", laden=True, conveyance="S 1"),
        facts.departure_retracted(visit="m1", consignment_id=A, at=at(100)),
        awaits_a_count(1, "m1", A, since=at(60), at=at(100)),
    )
    # The container may still have left and come again with goods that nobody declared. So it stays until an officer has
    # counted its lots.
    desk.when(freed(A, version=3, arrived=0, when=110), at=at(110)).then()
    desk.when(found("inside", 120, lots=1), at=at(120)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(120)),
        facts.container_may_leave(2, "m1", A, at=at(120)),
    )


@pytest.mark.parametrize("again", [discharged(5 * DAY), discharged(5 * DAY, laden=None), discharged(5 * DAY, "T 2")])
@pytest.mark.parametrize("counted_before", [None, 1])
def test_a_box_that_is_found_inside_after_it_came_again_may_have_brought_other_goods(
    again: RecordEquipmentEvent, counted_before: int | None
) -> None:
    """The container was reported to have left with held goods and to have come again days later, and then an officer
    finds it inside. The finding does not show whether the container had left in between. So the release of the first
    goods lets it out only after its lots were counted."""
    desk = story(decider, discharged(0, "S 1"), held(A, arrived=0, ship="S 1"))
    if counted_before:
        desk.when(found("inside", 10, lots=counted_before), at=at(10))
    desk.when(out(60), message_id="left", at=at(60)).when(again, message_id="again", at=at(5 * DAY))
    desk.when(found("inside", 5 * DAY + 20), at=at(5 * DAY + 20))
    desk.when(freed(A, version=3, arrived=0, ship="S 1", when=5 * DAY + 30), at=at(5 * DAY + 30)).then()
    desk.when(found("inside", 5 * DAY + 40, lots=1), at=at(5 * DAY + 40)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(5 * DAY + 40)),
        facts.container_may_leave(2, "m1", A, at=at(5 * DAY + 40)),
    )


def test_a_box_that_is_gated_in_again_on_the_day_of_a_departure_found_wrong_may_have_brought_other_goods() -> None:
    """Although the departure was found wrong, the second gate-in does not count as a repetition of the first one."""
    desk = story(decider, event(GATED_IN, 0, laden=True), held(A, arrived=0))
    desk.when(out(60), message_id="left", at=at(60)).when(event(GATED_IN, 180, laden=True), at=at(180))
    desk.when(found("inside", 200), at=at(200))
    desk.when(freed(A, version=3, arrived=0, when=210), at=at(210)).then()
    desk.when(found("inside", 220, lots=1), at=at(220)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(220)),
        facts.container_may_leave(2, "m1", A, at=at(220)),
    )


@pytest.mark.parametrize(
    "again",
    [discharged(5 * DAY, "S 1"), discharged(5 * DAY, laden=False), discharged(5 * DAY, "T 2")],
    ids=["same call", "empty", "goods that came then are declared"],
)
def test_a_box_that_is_found_inside_needs_no_count_if_it_brought_no_unknown_goods(again: RecordEquipmentEvent) -> None:
    desk = story(decider, discharged(0, "S 1"), held(A, bill="1", arrived=0, ship="S 1"))
    desk.when(out(60), message_id="left", at=at(60)).when(again, message_id="again", at=at(5 * DAY))
    if again.conveyance == "T 2":
        desk.when(freed(B, bill="2", arrived=5 * DAY, when=5 * DAY + 5), at=at(5 * DAY + 5))
    desk.when(found("inside", 5 * DAY + 20), at=at(5 * DAY + 20))
    desk.when(freed(A, version=3, bill="1", arrived=0, ship="S 1", when=5 * DAY + 30), at=at(5 * DAY + 30))
    names = (A, B) if again.conveyance == "T 2" else (A,)
    desk.then(facts.container_may_leave(2, "m1", *names, at=at(5 * DAY + 30)))


# how goods left


def test_goods_of_a_paper_that_was_taken_back_have_left_unless_another_stands_for_them() -> None:
    taken_back = freed(A, released=False, bill="1", arrived=0, when=5)
    alone = story(decider, discharged(0), held(A, bill="1", arrived=0), taken_back)
    alone.when(out(60)).then(*goods_left_unreleased("m4", "m1", A, at=at(60)))
    with_another = story(decider, discharged(0), held(A, bill="1", arrived=0), held(B, bill="2", arrived=0))
    with_another.when(freed(B, bill="2", arrived=0)).when(taken_back).when(out(60)).then(
        facts.equipment_event_recorded("m6", OUT, "m1", where="G1", at=at(60)),
        facts.visit_closed("m1", "left_unreleased", "m6", consignments=(B, A), at=at(60)),
        facts.gate_alarm_raised("m1", "m6", waiting_for=(A,), at=at(60)),
        facts.consignment_gated_out(visit="m1", consignment_id=B, at=at(60)),
        facts.consignment_left_unreleased(visit="m1", consignment_id=A, at=at(60)),
    )
    with_one_of_the_same_bill = story(
        decider, discharged(0), held(A, bill="1", arrived=0), held(B, bill="1", arrived=0)
    )
    with_one_of_the_same_bill.when(freed(B, bill="1", arrived=0)).when(taken_back).when(out(60)).then(
        *goods_left("m6", "m1", B, at=at(60))
    )


def test_papers_without_a_bill_do_not_stand_for_each_other() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), held(B, arrived=0), freed(B, arrived=0))
    desk.when(freed(A, released=False, arrived=0, when=5)).when(out(60)).then(
        facts.equipment_event_recorded("m6", OUT, "m1", where="G1", at=at(60)),
        facts.visit_closed("m1", "left_unreleased", "m6", consignments=(B, A), at=at(60)),
        facts.gate_alarm_raised("m1", "m6", waiting_for=(A,), at=at(60)),
        facts.consignment_gated_out(visit="m1", consignment_id=B, at=at(60)),
        facts.consignment_left_unreleased(visit="m1", consignment_id=A, at=at(60)),
    )


def test_what_was_taken_back_before_the_box_came_leaves_nothing() -> None:
    desk = story(decider, held(A, bill="1"), freed(A, released=False, bill="1", arrived=None, when=5), discharged(10))
    desk.when(held(B, bill="2", arrived=10, when=21)).when(freed(B, bill="2", arrived=10, when=30))
    desk.when(out(60)).then(*goods_left("m6", "m3", B, at=at(60)))


@pytest.mark.parametrize("lodged", [-5, 60], ids=["before the discharge", "after it"])
@pytest.mark.parametrize("shared_by", [1, 2])
def test_a_paper_that_is_taken_back_while_the_box_is_here_leaves_its_goods_in_it(lodged: float, shared_by: int) -> None:
    """In an older version, goods that were not inspected could leave in a shared container without a declaration when
    the other lot was released. This happened if the arrival of the goods was not reported, or if the release desk
    granted the withdrawal before it read the arrival."""
    paper, landed = held(A, bill="1", shared_by=shared_by, when=lodged), discharged(0)
    desk = story(decider)
    for message in (paper, landed) if lodged < 0 else (landed, paper):
        desk.when(message, message_id="landed" if message is landed else None)
    desk.when(freed(A, shared_by=shared_by, released=False, bill="1", arrived=None, when=70), at=at(70)).then()
    desk.when(freed(B, bill="2", arrived=0, when=80), at=at(80)).then(
        facts.container_arrived(visit="landed", consignment_id=B)
    )
    desk.when(out(90), at=at(90)).then(
        facts.equipment_event_recorded("m5", OUT, "landed", where="G1", at=at(90)),
        facts.visit_closed("landed", "left_unreleased", "m5", consignments=(B, A), at=at(90)),
        facts.gate_alarm_raised("landed", "m5", waiting_for=(B, A), why="left_against_no", at=at(90)),
        facts.consignment_gated_out(visit="landed", consignment_id=B, at=at(90)),
    )


def test_another_declaration_or_an_officer_ends_that() -> None:
    taken_back = freed(A, released=False, bill="1", arrived=None, when=70)
    here = discharged(0), held(A, bill="1", when=60), taken_back, freed(B, bill="2", arrived=0, when=80)
    story(decider, *here).when(freed(C, bill="1", arrived=0, when=85), at=at(85)).then(
        facts.container_arrived(visit="m1", consignment_id=C), facts.container_may_leave(1, "m1", B, C, at=at(85))
    )
    story(decider, *here).when(struck(A), at=at(85)).then(
        facts.lot_struck(A, at=at(85)), facts.container_may_leave(1, "m1", B, at=at(85))
    )


def test_the_land_gates_yes_lets_no_import_be_loaded() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A, arrived=0)).then(
        facts.container_may_leave(1, "m1", A, at=at(3))
    )
    desk.when(event(LOADED, 60), at=at(60)).then(
        facts.equipment_event_recorded("m4", LOADED, "m1", at=at(60)),
        facts.visit_closed("m1", "loaded", "m4", consignments=(A,), at=at(60)),
        facts.gate_alarm_raised("m1", "m4", waiting_for=(A,), why="loaded_unreleased", gate="berth 1", at=at(60)),
        facts.consignment_left_unreleased(visit="m1", why="loaded_unreleased", consignment_id=A, at=at(60)),
        facts.container_must_stay(
            2, "", phrase("alarm_waits"), phrase("loaded_unreleased"), waiting_for=(A,), at=at(60)
        ),
    )


def test_a_yes_covers_the_same_goods_when_an_opening_that_is_told_late_names_their_visit() -> None:
    desk = story(decider, held(A, arrived=50), freed(A, arrived=50, when=55)).then(
        facts.container_may_leave(1, arrival_of(A), A, at=at(55))
    )
    desk.when(out(100), at=at(100)).then(*goods_left("m3", arrival_of(A), A, at=at(100)))
    desk.when(discharged(40), at=at(110)).then(
        facts.equipment_event_recorded("m4", EquipmentEvent.DISCHARGED, "m4", laden=True, at=at(40)),
        facts.container_gated_out("m4", "m3", A, at=at(100)),
        facts.container_arrived(visit="m4", consignment_id=A, at=at(40)),
    )


def test_a_yes_of_one_visit_covers_no_other_goods_in_another() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A, arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(2 * DAY), at=at(2 * DAY)).when(held(B, arrived=2 * DAY, when=2 * DAY))
    desk.when(out(3 * DAY), at=at(3 * DAY)).then(*goods_left_unreleased("m7", "m5", B, at=at(3 * DAY)))


def test_a_yes_of_one_visit_covers_no_departure_in_the_next_against_the_gates_no() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A, arrived=0)).when(out(60), at=at(60))
    desk.when(discharged(2 * DAY), at=at(2 * DAY))
    # B shares the container with a second lot, about which nothing is known. So the container may not leave.
    desk.when(freed(B, shared_by=2, arrived=2 * DAY, when=2 * DAY + 5), at=at(2 * DAY + 5)).then(
        facts.container_arrived(visit="m5", consignment_id=B, at=at(2 * DAY))
    )
    desk.when(out(3 * DAY), at=at(3 * DAY)).then(
        facts.equipment_event_recorded("m7", OUT, "m5", where="G1", at=at(3 * DAY)),
        facts.visit_closed("m5", "left_unreleased", "m7", consignments=(B,), at=at(3 * DAY)),
        facts.gate_alarm_raised("m5", "m7", waiting_for=(B,), why="left_against_no", at=at(3 * DAY)),
        facts.consignment_gated_out(visit="m5", consignment_id=B, at=at(3 * DAY)),
    )


def test_a_second_departure_is_the_first_one_told_again_for_a_day() -> None:
    came = (discharged(0), held(A, arrived=0), freed(A, arrived=0), out(100))
    story(decider, *came).when(out(100 + DAY), at=at(100 + DAY)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", where="G1", retells="m4", at=at(DAY + 100))
    )
    story(decider, *came).when(out(101 + DAY), at=at(101 + DAY)).then(
        facts.equipment_event_recorded("m5", OUT, "m5", where="G1", at=at(DAY + 101)),
        facts.visit_closed("m5", "left_unreleased", "m5", consignments=(), at=at(DAY + 101)),
        facts.gate_alarm_raised(
            "m5", "m5", waiting_for=(), alarm="left_undeclared", why="departure_outside", blocks=False, at=at(DAY + 101)
        ),
    )


# permits


def test_a_permit_ends_once() -> None:
    desk = story(decider, held(A, 1, arrived=0, direction=EXPORT))
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED), at=at(5)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), at=at(5)),
        facts.container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(5)),
    )
    desk.when(held(A, 3, arrived=0, when=9, direction=EXPORT), at=at(9)).then(
        facts.container_must_stay(
            2,
            arrival_of(A),
            phrase("lots_released", count=0, all=1),
            phrase("bill_waits", bill=A),
            of_earlier("waits"),
            waiting_for=(A,),
            at=at(9),
        )
    )
    desk.when(held(A, 5, arrived=0, when=200, direction=EXPORT), at=at(200)).then()
    desk.when(out(100), at=at(210)).then(*goods_left_unreleased("m5", arrival_of(A), A, at=at(100)))


def test_a_release_does_not_end_the_permit_of_an_export_that_is_cancelled() -> None:
    desk = story(decider, held(A, 1, arrived=0, direction=EXPORT))
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED), at=at(5)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), at=at(5)),
        facts.container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(5)),
    )
    desk.when(freed(A, 3, arrived=0, when=9, direction=EXPORT), at=at(9)).then()


# how many lots there are


def test_the_paper_that_tells_of_the_most_lots_counts() -> None:
    desk = story(decider, held(A, shared_by=3, bill="1", arrived=0), held(B, shared_by=1, bill="2", arrived=0))
    desk.when(freed(A, shared_by=3, bill="1")).then()
    desk.when(freed(B, shared_by=1, bill="2")).then()


def test_what_was_counted_before_the_box_was_stuffed_here_counts_no_more() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A, arrived=0))
    desk.when(found("inside", 50, lots=1)).then(facts.container_finding_recorded("inside", lots=1, at=at(50)))
    desk.when(event(STUFFED, 60), at=at(60)).then(
        facts.equipment_event_recorded("m5", STUFFED, "m1", at=at(60)),
        facts.container_must_stay(2, "m1", phrase("stuffed"), waiting_for=(), at=at(60)),
    )
    desk.when(found("inside", 70, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(70)), facts.container_may_leave(3, "m1", A, at=at(70))
    )


# goods that were handed out when the container was stripped: they left without the container


def test_what_was_released_when_the_box_was_stripped_does_not_leave_in_it() -> None:
    desk = story(decider, discharged(0), held(A, bill="1", arrived=0), freed(A, bill="1", arrived=0))
    desk.when(event(STRIPPED, 50), at=at(50)).then(
        facts.equipment_event_recorded("m4", STRIPPED, "m1", at=at(50)),
        facts.container_must_stay(2, "m1", phrase("stripped"), waiting_for=(), at=at(50)),
    )
    desk.when(event(OUT, 60), at=at(60)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", at=at(60)),
        facts.visit_closed("m1", "left_empty", "m5", consignments=(A,), at=at(60)),
    )


def test_what_was_not_released_when_the_box_was_stripped_has_not_left_by_its_bill() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), event(STRIPPED, 50))
    desk.when(event(OUT, 60), at=at(60)).then(
        facts.equipment_event_recorded("m4", OUT, "m1", at=at(60)),
        facts.visit_closed("m1", "left_empty", "m4", consignments=(A,), at=at(60)),
        facts.gate_alarm_raised(
            "m1", "m4", waiting_for=(A,), alarm="empty_left_laden", why="empty_laden", gate="berth 1", at=at(60)
        ),
        facts.consignment_left_unreleased(visit="m1", why="empty_laden", consignment_id=A, at=at(60)),
    )


def test_goods_that_were_stuffed_after_the_stripping_leave_in_the_box() -> None:
    desk = story(decider, discharged(0), held(A, bill="1", arrived=0), freed(A, bill="1", arrived=0))
    desk.when(event(STRIPPED, 50), at=at(50)).when(event(STUFFED, 60), at=at(60))
    desk.when(held(B, bill="2", arrived=60, when=61)).when(freed(B, bill="2", arrived=60, when=62))
    desk.when(found("inside", 70, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(70)), facts.container_may_leave(4, "m1", B, at=at(70))
    )
    desk.when(out(80), at=at(80)).then(*goods_left("m9", "m1", B, at=at(80)))


def test_goods_that_are_not_released_may_be_in_a_box_that_was_stripped_and_stuffed() -> None:
    desk = story(decider, discharged(0), held(A, bill="1", arrived=0), event(STRIPPED, 50), event(STUFFED, 60))
    desk.when(held(B, bill="2", arrived=60, when=61)).when(freed(B, bill="2", arrived=60, when=62)).then()
    desk.when(found("inside", 70, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(70)),
        facts.container_must_stay(
            2,
            "m1",
            phrase("lots_released", count=1, all=2),
            phrase("bill_waits", bill="1"),
            of_earlier("waits"),
            waiting_for=(A,),
            at=at(70),
        ),
    )


def test_goods_whose_arrival_was_told_for_a_time_after_the_stripping_left_by_their_bill() -> None:
    desk = story(decider, discharged(0), held(A, arrived=70), freed(A, arrived=70, when=75), event(STRIPPED, 50))
    desk.when(event(OUT, 80), at=at(80)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", at=at(80)),
        facts.visit_closed("m1", "left_empty", "m5", consignments=(A,), at=at(80)),
    )


# events at the same moment


def test_a_paper_of_the_moment_of_the_departure_is_about_the_box_that_left() -> None:
    desk = story(decider, discharged(0)).when(held(A, when=100), at=at(100))
    desk.when(out(100), at=at(101)).then(*goods_left_unreleased("m3", "m1", A, at=at(100)))


def test_goods_that_were_known_and_released_within_the_skew_of_clocks_left_with_their_release() -> None:
    late = story(decider, discharged(0)).when(freed(A, 1, arrived=50, when=115), at=at(115))
    late.when(out(100), at=at(116)).then(*goods_left("m3", "m1", A, at=at(100)))
    later = story(decider, discharged(0)).when(freed(A, 1, arrived=50, when=116), at=at(116))
    later.when(out(100), at=at(117)).then(
        facts.equipment_event_recorded("m3", OUT, "m1", where="G1", at=at(100)),
        facts.visit_closed("m1", "left_unreleased", "m3", consignments=(A,), at=at(100)),
        facts.gate_alarm_raised(
            "m1", "", waiting_for=(A,), alarm="left_undeclared", why="declared_after", blocks=False, at=at(100)
        ),
        facts.gate_alarm_raised("m1", "m3", waiting_for=(A,), why="left_against_no", at=at(100)),
        facts.consignment_left_unreleased(visit="m1", why="declared_after", consignment_id=A, at=at(100)),
        facts.container_must_stay(
            2, "", phrase("alarm_waits"), phrase("left_against_no"), waiting_for=(A,), at=at(117)
        ),
    )


def test_an_alarm_names_the_gate() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0))
    desk.when(out(60, gate="G7"), at=at(60)).then(*goods_left_unreleased("m3", "m1", A, gate="G7", at=at(60)))
