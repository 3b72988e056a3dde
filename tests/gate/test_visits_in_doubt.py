"""If it is in doubt to which visit something belongs, does a hold count for every possible visit, and a release for
none? The cases were found by trying to break this rule."""

import pytest

from schemas.phrases import phrase
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate import decider, reports, statements
from services.gate.box import as_box
from tests import facts
from tests.gate.answers import (
    arrival_of,
    came_again,
    goods_left,
    goods_left_unreleased,
    goods_wait,
    nothing_is_here,
    same_box_declared,
    seen_inside,
    seen_outside,
    visit_opened_by,
)
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    box_held,
    discharged,
    event,
    found,
    freed,
    held,
    out,
    permitted,
    retracted,
    struck,
)
from tests.voice import story

OUT, LOADED = EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED
STRIPPED, STUFFED = EquipmentEvent.STRIPPED, EquipmentEvent.STUFFED
FEW = 12


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the desk keep fewer parts and reports, so that a test reaches the limits soon."""
    monkeypatch.setattr(statements, "MOST_PARTS", FEW)
    monkeypatch.setattr(reports, "MOST_REPORTS", FEW)


def many(number: int) -> list[str]:
    return [consignment_id("91350100M000100Y43", f"many/{each}") for each in range(number)]


@pytest.mark.usefixtures("few")
def test_a_full_record_makes_no_room_of_a_paper_that_was_taken_back_while_its_box_was_here() -> None:
    """The goods may be in the container, so it must stay until they are declared again or an officer has looked into
    it."""
    others = many(FEW - 1)
    desk = story(decider, discharged(10))
    desk.when(held(A, bill="1", when=20), at=at(20)).then()
    desk.when(freed(A, released=False, bill="1", arrived=None, when=30), at=at(30)).then()
    for number, name in enumerate(others):
        desk.when(freed(name, bill=f"other {number}", arrived=40 + number, when=40 + number), at=at(40 + number))
    desk.then(facts.container_arrived(visit="m1", consignment_id=others[-1], at=at(10)))
    desk.when(freed(B, bill="2", arrived=60, when=60), at=at(60)).then(
        facts.container_must_stay(1, "m1", phrase("too_many_goods"), waiting_for=(A,), at=at(60))
    )


# whether the gate's yes still counts


def test_goods_held_while_their_box_was_told_to_be_outside_do_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(out(5), message_id="wrong", at=at(5)).then(*goods_left("wrong", arrival_of(A), A, at=at(5)))
    desk.when(held(A, version=3, arrived=0, when=8), at=at(8)).then(
        facts.gate_alarm_raised(
            arrival_of(A), "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(5)
        )
    )
    desk.when(retracted("wrong"), at=at(10)).then(
        facts.equipment_event_retracted("wrong", at=at(10)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(10)),
    )
    desk.when(out(20), at=at(20)).then(*goods_left_unreleased("m6", arrival_of(A), A, at=at(20)))


def test_a_box_held_while_it_was_told_to_be_outside_does_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(out(5), message_id="wrong", at=at(5)).then(*goods_left("wrong", arrival_of(A), A, at=at(5)))
    desk.when(box_held(), at=at(8)).then(facts.container_hold_placed("m4", at=at(8)))
    desk.when(retracted("wrong"), at=at(10)).then(
        facts.equipment_event_retracted("wrong", at=at(10)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(10)),
    )
    desk.when(out(20), at=at(20)).then(
        facts.equipment_event_recorded("m6", OUT, arrival_of(A), where="G1", at=at(20)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m6", consignments=(A,), at=at(20)),
        facts.gate_alarm_raised(arrival_of(A), "m6", waiting_for=(A,), why="left_against_no", at=at(20)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(20)),
    )


def test_goods_declared_while_their_box_was_told_to_be_outside_do_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(out(5), message_id="wrong", at=at(5)).then(*goods_left("wrong", arrival_of(A), A, at=at(5)))
    desk.when(held(B, when=8), at=at(8)).then()
    desk.when(retracted("wrong"), at=at(10)).then(
        facts.equipment_event_retracted("wrong", at=at(10)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(10)),
        *same_box_declared(B, A, at=at(10)),
    )
    desk.when(out(20), at=at(20)).then(
        facts.equipment_event_recorded("m6", OUT, arrival_of(A), where="G1", at=at(20)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m6", consignments=(A, B), at=at(20)),
        facts.gate_alarm_raised(arrival_of(A), "m6", waiting_for=(B,), at=at(20)),
        facts.consignment_left_unreleased(visit=arrival_of(A), consignment_id=B, at=at(20)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(20)),
    )


def test_a_lot_that_the_yes_did_not_name_has_not_left_released() -> None:
    """The container left at minute 9, when the gate's yes named only A. The statement about B was written at minute 8,
    but the desk read it only at minute 10."""
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(held(B, arrived=0, when=8), at=at(10)).then(
        *same_box_declared(B, A, at=at(10)), goods_wait(2, arrival_of(B), B, released=1, at=at(10))
    )
    desk.when(out(9), at=at(11)).then(
        facts.equipment_event_recorded("m4", OUT, arrival_of(B), where="G1", at=at(9)),
        facts.visit_closed(arrival_of(B), "left_unreleased", "m4", consignments=(B, A), at=at(9)),
        facts.gate_alarm_raised(arrival_of(B), "m4", waiting_for=(B,), at=at(9)),
        facts.consignment_left_unreleased(visit=arrival_of(B), consignment_id=B, at=at(9)),
        facts.consignment_gated_out(visit=arrival_of(B), consignment_id=A, at=at(9)),
    )


def test_many_changes_of_mind_in_a_later_visit_do_not_make_an_earlier_departure_unlawful() -> None:
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(out(10), at=at(10)).then(*goods_left("m3", arrival_of(A), A, at=at(10)))
    for number in range(30):
        when = DAY + 10 * number
        desk.when(freed(B, version=2 * number + 1, arrived=DAY, when=when), at=at(when))
        desk.when(held(B, version=2 * number + 2, arrived=DAY, when=when + 5), at=at(when + 5))
    desk.when(freed(B, version=99, arrived=DAY, when=2 * DAY), at=at(2 * DAY)).then(
        facts.container_may_leave(62, arrival_of(B), B, at=at(2 * DAY))
    )


def test_a_departure_before_the_yes_is_unlawful_although_it_is_told_after_it() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(freed(A, when=90), at=at(90)).then(facts.container_may_leave(1, arrival_of(A), A, at=at(90)))
    desk.when(out(30), at=at(95)).then(
        facts.equipment_event_recorded("m3", OUT, arrival_of(A), where="G1", at=at(30)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m3", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(arrival_of(A), "m3", waiting_for=(A,), why="left_before", at=at(30)),
        facts.consignment_left_unreleased(visit=arrival_of(A), why="left_before", consignment_id=A, at=at(30)),
        facts.container_must_stay(2, "", phrase("alarm_waits"), phrase("left_before"), waiting_for=(A,), at=at(95)),
    )


def test_clocks_of_terminal_and_gate_may_differ_by_minutes() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(freed(A, when=90), at=at(90)).then(facts.container_may_leave(1, arrival_of(A), A, at=at(90)))
    desk.when(out(80), at=at(95)).then(*goods_left("m3", arrival_of(A), A, at=at(80)))


# permits


def test_a_permit_opens_the_gate_on_its_own_ground_only() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), at=at(2))
    )
    desk.when(out(30), at=at(30)).then(*goods_left_unreleased("m3", arrival_of(A), A, at=at(30)))


def test_a_permit_does_not_heal_a_departure_before_it() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(30), at=at(30)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(30)))
    desk.when(permitted(A, ExitGround.DESTROY), at=at(90)).then(
        facts.exit_permitted(A, ExitGround.DESTROY, "", at=at(90))
    )


def test_a_permit_lets_no_held_container_out() -> None:
    desk = story(decider, held(A, arrived=0, refused=True), permitted(A, ExitGround.RETURN))
    desk.when(box_held()).then(
        facts.container_hold_placed("m3", at=at(3)),
        facts.container_must_stay(2, arrival_of(A), phrase("box_held", words="a tip"), waiting_for=(), at=at(3)),
    )
    desk.when(out(30), at=at(30)).then(
        facts.equipment_event_recorded("m4", OUT, arrival_of(A), where="G1", at=at(30)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m4", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(arrival_of(A), "m4", waiting_for=(A,), why="left_against_no", at=at(30)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(30)),
    )


def test_goods_held_again_after_a_permit_stay() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT), permitted(A, ExitGround.EXPORT_CANCELLED)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), version=2, at=at(2)),
        facts.container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(2)),
    )
    desk.when(held(A, version=5, arrived=0, when=9, direction=Direction.EXPORT), at=at(9)).then(
        goods_wait(2, arrival_of(A), A, released=0, at=at(9))
    )
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED), at=at(12)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), version=5, at=at(12)),
        facts.container_may_leave(3, arrival_of(A), A, permitted=(A,), at=at(12)),
    )


def test_a_released_export_that_leaves_through_the_land_gate_has_left_unreleased() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT))
    desk.when(out(30), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, arrival_of(A), where="G1", at=at(30)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m2", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(arrival_of(A), "m2", waiting_for=(A,), why="left_before", at=at(30)),
        facts.consignment_left_unreleased(visit=arrival_of(A), why="left_before", consignment_id=A, at=at(30)),
    )


# doubt about the visit


def test_a_held_lot_that_may_have_left_with_the_visit_before_keeps_the_next_one() -> None:
    """B is declared without a conveyance while the visit of A is open. So B may also come with the next visit."""
    desk = story(decider, discharged(0), held(A, arrived=1), freed(A, arrived=1))
    desk.when(held(B, when=60), at=at(60)).then(
        *same_box_declared(B, A, at=at(60)), goods_wait(2, "m1", B, released=1, at=at(60))
    )
    desk.when(out(90), at=at(90)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", where="G1", at=at(90)),
        facts.visit_closed("m1", "left_unreleased", "m5", consignments=(A, B), at=at(90)),
        facts.gate_alarm_raised("m1", "m5", waiting_for=(B,), at=at(90)),
        facts.consignment_left_unreleased(visit="m1", consignment_id=B, at=at(90)),
        facts.consignment_gated_out(visit="m1", consignment_id=A, at=at(90)),
    )
    desk.when(found("outside", 100), at=at(100)).then(
        facts.container_finding_recorded("outside", "m5", at=at(100)), nothing_is_here(3, at=at(100))
    )
    desk.when(discharged(9 * DAY), at=at(9 * DAY)).then(
        *visit_opened_by("m7", at=at(9 * DAY)), goods_wait(4, "m7", B, released=0, at=at(9 * DAY))
    )
    # The container may not leave with the release of C, because B may be in it.
    desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m7", consignment_id=C, at=at(9 * DAY))
    )
    desk.when(freed(B, version=4, arrived=9 * DAY + 5, when=9 * DAY + 9), at=at(9 * DAY + 9)).then(
        facts.departure_retracted(visit="m7", consignment_id=B, at=at(9 * DAY + 9)),
        facts.container_arrived(visit="m7", consignment_id=B, at=at(9 * DAY)),
        facts.same_goods_declared(C, B, rule="one_declaration_a_box", at=at(9 * DAY + 9)),
        facts.container_may_leave(5, "m7", B, C, at=at(9 * DAY + 9)),
    )


def test_an_officer_ends_the_doubt_by_a_strike() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=1))
    desk.when(held(B, when=60), at=at(60)).then(
        *same_box_declared(B, A, at=at(60)), goods_wait(2, "m1", B, released=1, at=at(60))
    )
    desk.when(out(90), at=at(90)).then(
        facts.equipment_event_recorded("m4", OUT, "m1", where="G1", at=at(90)),
        facts.visit_closed("m1", "left_unreleased", "m4", consignments=(A, B), at=at(90)),
        facts.gate_alarm_raised("m1", "m4", waiting_for=(B,), at=at(90)),
        facts.consignment_left_unreleased(visit="m1", consignment_id=B, at=at(90)),
        facts.consignment_gated_out(visit="m1", consignment_id=A, at=at(90)),
    )
    desk.when(found("outside", 100), at=at(100)).then(
        facts.container_finding_recorded("outside", "m4", at=at(100)), nothing_is_here(3, at=at(100))
    )
    desk.when(discharged(9 * DAY), at=at(9 * DAY)).then(
        *visit_opened_by("m6", at=at(9 * DAY)), goods_wait(4, "m6", B, released=0, at=at(9 * DAY))
    )
    desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m6", consignment_id=C, at=at(9 * DAY))
    )
    desk.when(struck(B), at=at(9 * DAY + 6)).then(
        facts.lot_struck(B, at=at(9 * DAY + 6)),
        facts.departure_retracted(visit="", consignment_id=B, at=at(9 * DAY + 6)),
        facts.container_may_leave(5, "m6", C, at=at(9 * DAY + 6)),
    )


def test_goods_of_a_box_that_an_officer_finds_inside_after_a_doubtful_opening_are_still_in_it() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(discharged(9 * DAY), at=at(9 * DAY)).then(
        *came_again("m2", arrival_of(A), A, released=False, at=at(9 * DAY))
    )
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m2", consignment_id=B, at=at(9 * DAY))
    )
    desk.when(found("inside", 9 * DAY + 9), at=at(9 * DAY + 9)).then(
        facts.container_finding_recorded("inside", "m2", at=at(9 * DAY + 9)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.container_arrival_retracted(visit="m2", consignment_id=B, at=at(9 * DAY + 9)),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(9 * DAY + 9)),
        *same_box_declared(B, A, at=at(9 * DAY + 9)),
        goods_wait(1, arrival_of(A), A, released=1, at=at(9 * DAY + 9)),
    )
    desk.when(struck(A), at=at(9 * DAY + 10)).then(
        facts.lot_struck(A, at=at(9 * DAY + 10)), facts.container_may_leave(2, arrival_of(B), B, at=at(9 * DAY + 10))
    )


def test_an_officer_says_that_it_had_left_before_it_came_again() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(discharged(9 * DAY), at=at(9 * DAY)).then(
        *came_again("m2", arrival_of(A), A, released=False, at=at(9 * DAY))
    )
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m2", consignment_id=B, at=at(9 * DAY))
    )
    desk.when(found("outside", 8 * DAY), at=at(9 * DAY + 9)).then(
        facts.container_finding_recorded("outside", "m2", at=at(8 * DAY)),
        facts.visit_closed(arrival_of(A), "finding", "", consignments=(A,), at=at(8 * DAY)),
        facts.container_may_leave(1, "m2", B, at=at(9 * DAY + 9)),
    )


# findings


def test_a_finding_of_a_time_before_the_departure_does_not_take_it_back() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(60), at=at(60)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(60)))
    desk.when(found("inside", 20), at=at(90)).then(facts.container_finding_recorded("inside", at=at(20)))
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY)).then()


def test_one_finding_is_enough_for_a_departure_that_was_told_twice() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), at=at(10)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(10)))
    desk.when(out(12), at=at(12)).then(
        facts.equipment_event_recorded("m3", OUT, arrival_of(A), where="G1", retells="m2", at=at(12))
    )
    desk.when(found("inside", 40), at=at(40)).then(
        facts.container_finding_recorded("inside", "m2", at=at(40)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(40)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(40)),
    )
    desk.when(freed(A, version=3, when=50), at=at(50)).then(facts.container_may_leave(2, arrival_of(A), A, at=at(50)))


def test_a_box_that_is_found_inside_after_it_was_found_outside_goes_on() -> None:
    desk = story(decider, freed(A))
    desk.when(found("outside", 10), at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        *seen_outside(2, A, at=at(10), since=at(10)),
    )
    desk.when(found("inside", 40), at=at(40)).then(
        facts.container_finding_recorded("inside", at=at(40)),
        *seen_inside(3, A, at=at(40)),
    )


def test_an_officer_who_found_a_box_outside_by_mistake_finds_it_inside_although_a_departure_was_told() -> None:
    """The first finding settles the alarm of the departure. In an older version, the second finding therefore did not
    retract the departure, and the goods counted as gone for ever."""
    desk = story(decider, held(A, arrived=0))
    desk.when(out(5), at=at(5)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(5)))
    desk.when(found("outside", 30), at=at(30)).then(
        facts.container_finding_recorded("outside", "m2", at=at(30)), nothing_is_here(1, at=at(30))
    )
    desk.when(found("inside", 40), at=at(40)).then(
        facts.container_finding_recorded("inside", at=at(40)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(40)),
        goods_wait(2, arrival_of(A), A, released=0, at=at(40)),
    )
    desk.when(freed(A, version=3, when=50), at=at(50)).then(facts.container_may_leave(3, arrival_of(A), A, at=at(50)))
    desk.when(out(60), at=at(60)).then(*goods_left("m6", arrival_of(A), A, at=at(60)))


def test_a_departure_told_after_an_officer_found_the_box_outside_is_no_other() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(found("outside", 10), at=at(10)).then(
        facts.container_finding_recorded("outside", at=at(10)),
        facts.visit_closed(arrival_of(A), "finding", "", consignments=(A,), at=at(10)),
        facts.consignment_left_unreleased(visit=arrival_of(A), why="found_outside", consignment_id=A, at=at(10)),
    )
    desk.when(held(B, when=20), at=at(20)).then()
    desk.when(out(30), at=at(31)).then(facts.equipment_event_recorded("m4", OUT, arrival_of(A), where="G1", at=at(30)))


# stripping and stuffing


def test_a_box_that_was_stuffed_leaves_after_its_lots_were_counted() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(event(STUFFED, 30), at=at(30)).then(
        facts.equipment_event_recorded("m3", STUFFED, "m1", at=at(30)),
        facts.container_must_stay(2, "m1", phrase("stuffed"), waiting_for=(), at=at(30)),
    )
    desk.when(found("inside", 40, lots=1), at=at(40)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(40)), facts.container_may_leave(3, "m1", A, at=at(40))
    )
    desk.when(out(50), at=at(50)).then(*goods_left("m5", "m1", A, at=at(50)))


def test_a_box_that_was_stripped_and_stuffed_again_is_not_empty() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(event(STRIPPED, 30), at=at(30)).then(
        facts.equipment_event_recorded("m3", STRIPPED, "m1", at=at(30)),
        facts.container_must_stay(2, "m1", phrase("stripped"), waiting_for=(), at=at(30)),
    )
    desk.when(event(STUFFED, 60), at=at(60)).then(
        facts.equipment_event_recorded("m4", STUFFED, "m1", at=at(60)),
        facts.container_must_stay(3, "m1", phrase("stuffed"), waiting_for=(), at=at(60)),
    )
    desk.when(out(90), at=at(90)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", where="G1", at=at(90)),
        facts.visit_closed("m1", "left_unreleased", "m5", consignments=(A,), at=at(90)),
        facts.gate_alarm_raised("m1", "m5", waiting_for=(A,), why="left_against_no", at=at(90)),
    )


# discharges that are reported after the release desk has stated an arrival


def test_a_discharge_days_after_the_arrival_of_its_goods_confirms_the_call_that_they_name() -> None:
    desk = story(decider, freed(A, ship="EVER 012E"))
    desk.when(discharged(2 * DAY, ship="ever 012e"), at=at(2 * DAY)).then(
        facts.equipment_event_recorded(
            "m2", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, conveyance="ever 012e", at=at(2 * DAY)
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance="ever 012e"),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A),
    )
    other = story(decider, freed(A))
    other.when(discharged(2 * DAY), at=at(2 * DAY)).then(
        *came_again("m2", arrival_of(A), A, released=True, at=at(2 * DAY)),
        facts.container_must_stay(2, "m2", phrase("nothing_declared"), waiting_for=(), at=at(2 * DAY)),
    )


def test_a_discharge_days_after_the_arrival_that_names_no_conveyance_may_be_of_the_next_call() -> None:
    """The discharge may belong to the next call. So the release of the goods that arrived lets nothing out until the
    terminal reports the conveyance."""
    desk = story(decider, held(A, ship="EVER 1", arrived=0), freed(A, ship="EVER 1", arrived=0, when=1)).then(
        facts.container_may_leave(1, arrival_of(A), A, at=at(2))
    )
    desk.when(discharged(2 * DAY), message_id="bare", at=at(2 * DAY)).then(
        *came_again("bare", arrival_of(A), A, released=True, at=at(2 * DAY)),
        facts.container_must_stay(2, "bare", phrase("nothing_declared"), waiting_for=(), at=at(2 * DAY)),
    )
    named = event(EquipmentEvent.DISCHARGED, 2 * DAY, laden=True, ship="EVER 1", replaces="bare")
    desk.when(named, at=at(2 * DAY + 5)).then(
        facts.equipment_event_recorded(
            "m4",
            EquipmentEvent.DISCHARGED,
            arrival_of(A),
            laden=True,
            conveyance="EVER 1",
            replaces="bare",
            at=at(2 * DAY),
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance="EVER 1"),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(2 * DAY + 5)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A),
        facts.container_may_leave(3, arrival_of(A), A, at=at(2 * DAY + 5)),
    )
    soon = story(decider, held(A, ship="EVER 1", arrived=0), freed(A, ship="EVER 1", arrived=0, when=1))
    # The release desk stated an arrival. A discharge within a day of that arrival is the same event.
    soon.when(discharged(DAY), at=at(DAY)).then(
        facts.equipment_event_recorded("m3", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, at=at(DAY)),
        facts.visit_opened(arrival_of(A), laden=True),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A),
    )


# The gate desk keeps a limited number of visits, goods and reports of a container.


def test_estimates_never_crowd_out_what_happened(few: None) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    for number in range(FEW + 5):
        desk.when(event(OUT, DAY + number, classifier=Classifier.ESTIMATED), at=at(5))
    desk.when(out(10), at=at(10)).then(*goods_left("m20", "m1", A, at=at(10)))
    assert len(as_box(desk.state).reports) <= FEW


def test_goods_whose_declaration_was_withdrawn_stay_in_the_box_however_many_others_come(few: None) -> None:
    names = many(FEW + 1)
    desk = story(decider, held(A, arrived=0, bill="BL"), freed(A, arrived=0, released=False, bill="BL"))
    for name in names[:FEW]:
        desk.when(freed(name, arrived=0), at=at(1))
    desk.then(
        facts.container_must_stay(1, arrival_of(A), phrase("too_many_goods"), waiting_for=(A,), at=at(1)),
    )


def test_a_full_visit_that_left_makes_room_without_an_alarm(few: None) -> None:
    names = many(FEW)
    desk = story(decider, discharged(0))
    for name in names:
        desk.when(freed(name, arrived=0), at=at(1))
    desk.then(
        facts.container_arrived(visit="m1", consignment_id=names[-1]),
        facts.same_goods_declared(names[-1], *sorted(names[:-1]), rule="one_declaration_a_box", at=at(1)),
        facts.container_may_leave(len(names), "m1", *sorted(names), at=at(1)),
    )
    desk.when(out(10), at=at(10)).then(*goods_left("m14", "m1", *sorted(names), at=at(10)))
    desk.when(discharged(DAY), at=at(DAY)).then(*visit_opened_by("m15", at=at(DAY)))
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5)).then(
        facts.container_arrived(visit="m15", consignment_id=B, at=at(DAY)),
        facts.container_may_leave(13, "m15", B, at=at(DAY + 5)),
    )


def test_room_is_not_made_by_forgetting_what_an_officer_must_find(few: None) -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(5), at=at(5)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(5)))
    for name in many(FEW):
        desk.when(freed(name, arrived=DAY, when=DAY), at=at(DAY))
    desk.then()


def test_what_was_struck_off_makes_room_and_a_count_ends_the_doubt(few: None) -> None:
    desk = story(decider, discharged(0))
    names = many(FEW + 1)
    for name in names:
        desk.when(held(name), at=at(1))
    for number, name in enumerate(names[:-1]):
        desk.when(struck(name), message_id=f"strike-{number}", at=at(2))
    # The record of the container was full and had no room for one of the lots. So the gate's answer stays no until an
    # officer has counted the lots.
    desk.when(freed(B, arrived=0), at=at(3)).then(facts.container_arrived(visit="m1", consignment_id=B))
    desk.when(found("inside", 5, lots=1), at=at(5)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(5)), facts.container_may_leave(2, "m1", B, at=at(5))
    )


def test_an_alarm_waits_for_its_finding_however_many_visits_come_after() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(5), at=at(5)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(5)))
    for number in range(1, 25):
        begin = number * 3 * DAY
        desk.when(discharged(begin, laden=False), at=at(begin))
        desk.when(event(OUT, begin + DAY, laden=False), at=at(begin + DAY))
    begin = 100 * DAY
    desk.when(freed(B, arrived=begin, when=begin), at=at(begin)).then()
    desk.when(found("outside", begin - 5), at=at(begin + 5)).then(
        facts.container_finding_recorded("outside", at=at(begin - 5)),
        facts.container_may_leave(1, arrival_of(B), B, at=at(begin + 5)),
    )


def test_a_report_heard_twice_is_no_news_when_old_visits_are_forgotten_between() -> None:
    desk = story(decider, held(A, arrived=0), freed(A))
    desk.when(out(5), at=at(5)).then(*goods_left("m3", arrival_of(A), A, at=at(5)))
    desk.when(discharged(700 * DAY), message_id="again", at=at(700 * DAY)).then(
        *visit_opened_by("again", at=at(700 * DAY))
    )
    desk.when(discharged(700 * DAY), message_id="again", at=at(800 * DAY)).then()


# order of messages


def test_the_same_is_true_when_a_statement_reaches_the_gate_after_the_departure() -> None:
    """The two topics have no order between them. So a statement that was published before the departure counts as known
    before it, even if the desk reads the statement later."""
    before = story(decider, discharged(0), held(B, when=2))
    before.when(out(30), at=at(31)).then(*goods_left_unreleased("m3", "m1", B, at=at(30)))
    after = story(decider, discharged(0))
    after.when(out(30), at=at(31)).then(
        facts.equipment_event_recorded("m2", OUT, "m1", where="G1", at=at(30)),
        facts.visit_closed("m1", "left_unreleased", "m2", consignments=(), at=at(30)),
        facts.gate_alarm_raised("m1", "m2", waiting_for=(), alarm="left_undeclared", why="left_undeclared", at=at(30)),
    )
    after.when(held(B, when=2), at=at(60)).then(
        facts.gate_alarm_raised("m1", "m2", waiting_for=(B,), at=at(30)),
        facts.consignment_left_unreleased(visit="m1", consignment_id=B, at=at(30)),
    )


def test_a_discharge_at_another_place_on_the_same_day_opens_another_visit() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=5))
    desk.when(discharged(60, berth="berth 9"), at=at(60)).then(
        *came_again("m3", "m1", A, released=True, where="berth 9", at=at(60)),
        facts.container_must_stay(2, "m3", phrase("nothing_declared"), waiting_for=(), at=at(60)),
    )


def test_goods_that_come_with_others_of_their_conveyance_keep_the_box_whose_return_nobody_told() -> None:
    """Found by the property test (seed 24140): nobody reports the departure of the first visit, and goods of the next
    visit arrive."""
    desk = story(decider, discharged(0, ship="SHIP 001E"), freed(A, ship="SHIP 001E", bill="BL 10"))
    # B is expected with another ship
    desk.when(held(B, ship="SHIP 002E", bill="BL 20", when=DAY), at=at(DAY)).then()
    desk.when(freed(C, ship="SHIP 002E", bill="BL 20", arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5)).then(
        facts.container_arrived(visit="m1", consignment_id=C),
        facts.same_goods_declared(B, C, bill_no="BL 20", conveyance="SHIP 002E", at=at(DAY + 5)),
        facts.same_goods_declared(C, B, bill_no="BL 20", conveyance="SHIP 002E", at=at(DAY + 5)),
        facts.container_must_stay(
            2, "m1", phrase("declared_twice", count=2, bill="BL 20"), waiting_for=(C, B), at=at(DAY + 5)
        ),
    )
