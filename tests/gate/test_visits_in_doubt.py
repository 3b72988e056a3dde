"""If the visit is in doubt, does a hold count for every possible visit, and a release for none? The cases were found by trying to break this
rule."""

import pytest

from schemas.gate import ConsignmentGatedOut
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate import decider, reports, statements
from services.gate.box import as_box
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
    kinds,
    may_leave,
    out,
    permitted,
    retracted,
    struck,
)
from tests.gate.test_visits import alarms, left
from tests.voice import story

OUT, LOADED = EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED
STRIPPED, STUFFED = EquipmentEvent.STRIPPED, EquipmentEvent.STUFFED
FEW = 12


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that keeps fewer parts and reports, so that its bounds are reached soon."""
    monkeypatch.setattr(statements, "MOST_PARTS", FEW)
    monkeypatch.setattr(reports, "MOST_REPORTS", FEW)


def many(number: int) -> list[str]:
    return [consignment_id("91350100M000100Y43", f"many/{each}") for each in range(number)]


@pytest.mark.usefixtures("few")
def test_a_full_record_makes_no_room_of_a_paper_that_was_taken_back_while_its_box_was_here() -> None:
    """The goods may be in the container, so nothing may leave until they are declared again or an officer has looked."""
    others = many(FEW - 1)
    desk = story(decider, discharged(10)).when(held(A, bill="1", when=20), at=at(20))
    desk.when(freed(A, released=False, bill="1", arrived=None, when=30), at=at(30))
    for number, name in enumerate(others):
        desk.when(freed(name, bill=f"other {number}", arrived=40 + number, when=40 + number), at=at(40 + number))
    assert not may_leave(desk)
    desk.when(freed(B, bill="2", arrived=60, when=60), at=at(60))
    assert not may_leave(desk)


# the gate's yes


def test_goods_held_while_their_box_was_told_to_be_outside_do_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A)).when(out(5), message_id="wrong", at=at(5))
    desk.when(held(A, version=3, arrived=0, when=8), at=at(8)).when(retracted("wrong"), at=at(10))
    assert not may_leave(desk)
    desk.when(out(20), at=at(20))
    assert left(desk, A)[-1] == "ConsignmentLeftUnreleased" and "left_unreleased" in alarms(desk)


def test_a_box_held_while_it_was_told_to_be_outside_does_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A)).when(out(5), message_id="wrong", at=at(5))
    desk.when(box_held(), at=at(8)).when(retracted("wrong"), at=at(10))
    desk.when(out(20), at=at(20))
    assert "left_unreleased" in alarms(desk)


def test_goods_declared_while_their_box_was_told_to_be_outside_do_not_leave_under_the_yes_before() -> None:
    desk = story(decider, held(A, arrived=0), freed(A)).when(out(5), message_id="wrong", at=at(5))
    desk.when(held(B, when=8), at=at(8)).when(retracted("wrong"), at=at(10))
    assert not may_leave(desk)
    desk.when(out(20), at=at(20))
    assert left(desk, B) == ["ConsignmentLeftUnreleased"] and "left_unreleased" in alarms(desk)


def test_a_lot_that_the_yes_did_not_name_has_not_left_released() -> None:
    """Its statement came minutes after the container had left with a yes for the other lot."""
    desk = story(decider, held(A, arrived=0), freed(A)).when(held(B, arrived=0, when=8), at=at(10))
    desk.when(out(9), at=at(11))
    assert left(desk, B) == ["ConsignmentLeftUnreleased"] and alarms(desk) == ["left_unreleased"]


def test_many_changes_of_mind_in_a_later_visit_do_not_make_an_earlier_departure_unlawful() -> None:
    desk = story(decider, held(A, arrived=0), freed(A)).when(out(10), at=at(10))
    for number in range(30):
        when = DAY + 10 * number
        desk.when(freed(B, version=2 * number + 1, arrived=DAY, when=when), at=at(when))
        desk.when(held(B, version=2 * number + 2, arrived=DAY, when=when + 5), at=at(when + 5))
    desk.when(freed(B, version=99, arrived=DAY, when=2 * DAY), at=at(2 * DAY))
    assert alarms(desk) == [] and may_leave(desk)


def test_a_departure_before_the_yes_is_unlawful_although_it_is_told_after_it() -> None:
    desk = story(decider, held(A, arrived=0)).when(freed(A, when=90), at=at(90)).when(out(30), at=at(95))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"] and alarms(desk) == ["left_unreleased"]


def test_clocks_of_terminal_and_gate_may_differ_by_minutes() -> None:
    desk = story(decider, held(A, arrived=0)).when(freed(A, when=90), at=at(90)).when(out(80), at=at(95))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


# permits


def test_a_permit_opens_the_gate_on_its_own_ground_only() -> None:
    desk = story(decider, held(A, arrived=0)).when(permitted(A, ExitGround.EXPORT_CANCELLED))
    assert not may_leave(desk)
    desk.when(out(30), at=at(30))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"] and alarms(desk) == ["left_unreleased"]


def test_a_permit_does_not_heal_a_departure_before_it() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(30), at=at(30))
    desk.when(permitted(A, ExitGround.DESTROY), at=at(90))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"]


def test_a_permit_lets_no_held_container_out() -> None:
    desk = story(decider, held(A, arrived=0, refused=True), permitted(A, ExitGround.RETURN)).when(box_held())
    assert not may_leave(desk)
    desk.when(out(30), at=at(30))
    assert "left_unreleased" in alarms(desk)
    assert "ContainerGatedOut" not in kinds(desk)


def test_goods_held_again_after_a_permit_stay() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT), permitted(A, ExitGround.EXPORT_CANCELLED))
    assert may_leave(desk)
    desk.when(held(A, version=5, arrived=0, when=9, direction=Direction.EXPORT), at=at(9))
    assert not may_leave(desk)
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED), at=at(12))
    assert may_leave(desk)


def test_a_released_export_that_leaves_through_the_land_gate_has_left_unreleased() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT)).when(out(30), at=at(30))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"] and alarms(desk) == ["left_unreleased"]


# doubt about the visit


def test_a_held_lot_that_may_have_left_with_the_visit_before_keeps_the_next_one() -> None:
    """B is declared while A's visit is open, and its conveyance is not known, so it may come with the next visit."""
    desk = story(decider, discharged(0), held(A, arrived=1), freed(A, arrived=1)).when(held(B, when=60), at=at(60))
    assert not may_leave(desk)
    desk.when(out(90), at=at(90)).when(found("outside", 100), at=at(100))
    desk.when(discharged(9 * DAY), at=at(9 * DAY))
    desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    assert not may_leave(desk), "B may be in it"
    desk.when(freed(B, version=4, arrived=9 * DAY + 5, when=9 * DAY + 9), at=at(9 * DAY + 9))
    assert may_leave(desk)


def test_an_officer_ends_the_doubt_by_a_strike() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=1)).when(held(B, when=60), at=at(60))
    desk.when(out(90), at=at(90)).when(found("outside", 100), at=at(100)).when(discharged(9 * DAY), at=at(9 * DAY))
    desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).when(struck(B), at=at(9 * DAY + 6))
    assert may_leave(desk)


def test_goods_of_a_box_that_an_officer_finds_inside_after_a_doubtful_opening_are_still_in_it() -> None:
    desk = story(decider, held(A, arrived=0)).when(discharged(9 * DAY), at=at(9 * DAY))
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    desk.when(found("inside", 9 * DAY + 9), at=at(9 * DAY + 9))
    assert not may_leave(desk) and left(desk, A)[-1] == "DepartureRetracted"
    desk.when(struck(A), at=at(9 * DAY + 10))
    assert may_leave(desk)


def test_an_officer_says_that_it_had_left_before_it_came_again() -> None:
    desk = story(decider, held(A, arrived=0)).when(discharged(9 * DAY), at=at(9 * DAY))
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    desk.when(found("outside", 8 * DAY), at=at(9 * DAY + 9))
    assert may_leave(desk) and left(desk, A)[-1] == "ConsignmentLeftUnreleased"


# findings


def test_a_finding_of_a_time_before_the_departure_does_not_take_it_back() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(60), at=at(60)).when(found("inside", 20), at=at(90))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)


def test_one_finding_is_enough_for_a_departure_that_was_told_twice() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), at=at(10)).when(out(12), at=at(12))
    desk.when(found("inside", 40), at=at(40))
    assert left(desk, A)[-1] == "DepartureRetracted" and alarms(desk) == ["left_unreleased"]
    desk.when(freed(A, version=3, when=50), at=at(50))
    assert may_leave(desk)


def test_a_box_that_is_found_inside_after_it_was_found_outside_goes_on() -> None:
    desk = story(decider, freed(A)).when(found("outside", 10), at=at(10)).when(found("inside", 40), at=at(40))
    assert may_leave(desk)


def test_an_officer_who_found_a_box_outside_by_mistake_finds_it_inside_although_a_departure_was_told() -> None:
    """The first finding had settled the alarm of the departure. So the second one did not retract the departure, and the goods counted as gone for
    ever."""
    desk = story(decider, held(A, arrived=0)).when(out(5), at=at(5)).when(found("outside", 30), at=at(30))
    desk.when(found("inside", 40), at=at(40))
    assert left(desk, A) == ["ConsignmentLeftUnreleased", "DepartureRetracted"] and not may_leave(desk)
    desk.when(freed(A, version=3, when=50), at=at(50))
    assert may_leave(desk)
    desk.when(out(60), at=at(60))
    assert left(desk, A)[-1] == "ConsignmentGatedOut"


def test_a_departure_told_after_an_officer_found_the_box_outside_is_no_other() -> None:
    desk = story(decider, held(A, arrived=0)).when(found("outside", 10), at=at(10)).when(held(B, when=20), at=at(20))
    desk.when(out(30), at=at(31))
    assert left(desk, B) == []


# stripping and stuffing


def test_a_box_that_was_stuffed_leaves_after_its_lots_were_counted() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STUFFED, 30), at=at(30))
    assert not may_leave(desk)
    desk.when(found("inside", 40, lots=1), at=at(40))
    assert may_leave(desk)
    desk.when(out(50), at=at(50))
    assert alarms(desk) == [] and left(desk, A) == ["ConsignmentGatedOut"]


def test_a_box_that_was_stripped_and_stuffed_again_is_not_empty() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STRIPPED, 30), at=at(30))
    desk.when(event(STUFFED, 60), at=at(60)).when(out(90), at=at(90))
    assert alarms(desk) == ["left_unreleased"]


# what is confirmed late


def test_a_discharge_days_after_the_arrival_of_its_goods_confirms_the_call_that_they_name() -> None:
    desk = story(decider, freed(A, ship="EVER 012E")).when(discharged(2 * DAY, ship="ever 012e"), at=at(2 * DAY))
    assert may_leave(desk) and alarms(desk) == []
    other = story(decider, freed(A)).when(discharged(2 * DAY), at=at(2 * DAY))
    assert not may_leave(other)


# bounds


def test_a_discharge_days_after_the_arrival_that_names_no_conveyance_may_be_of_the_next_call() -> None:
    """So the release of the arrived goods lets nothing out until the terminal reports the conveyance."""
    desk = story(decider, held(A, ship="EVER 1", arrived=0), freed(A, ship="EVER 1", arrived=0, when=1))
    assert may_leave(desk)
    desk.when(discharged(2 * DAY), message_id="bare", at=at(2 * DAY))
    assert not may_leave(desk) and "departure_not_reported" in alarms(desk)
    named = event(EquipmentEvent.DISCHARGED, 2 * DAY, laden=True, ship="EVER 1", replaces="bare")
    desk.when(named, at=at(2 * DAY + 5))
    assert may_leave(desk)
    soon = story(decider, held(A, ship="EVER 1", arrived=0), freed(A, ship="EVER 1", arrived=0, when=1))
    assert may_leave(soon.when(discharged(DAY), at=at(DAY))), "within a day it is the same event"


def test_estimates_never_crowd_out_what_happened(few: None) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    for number in range(FEW + 5):
        desk.when(event(OUT, DAY + number, classifier=Classifier.ESTIMATED), at=at(5))
    desk.when(out(10), at=at(10))
    assert left(desk, A) == ["ConsignmentGatedOut"]
    assert len(as_box(desk.state).reports) <= FEW


def test_goods_whose_declaration_was_withdrawn_stay_in_the_box_however_many_others_come(few: None) -> None:
    names = many(FEW + 1)
    desk = story(decider, held(A, arrived=0, bill="BL"), freed(A, arrived=0, released=False, bill="BL"))
    for name in names[:FEW]:
        desk.when(freed(name, arrived=0), at=at(1))
    assert not may_leave(desk)


def test_a_full_visit_that_left_makes_room_without_an_alarm(few: None) -> None:
    names = many(FEW)
    desk = story(decider, discharged(0))
    for name in names:
        desk.when(freed(name, arrived=0), at=at(1))
    assert may_leave(desk)
    desk.when(out(10), at=at(10)).when(discharged(DAY), at=at(DAY))
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5))
    assert may_leave(desk) and alarms(desk) == []
    assert sum(isinstance(f, ConsignmentGatedOut) for f in desk.facts) == len(names)


def test_room_is_not_made_by_forgetting_what_an_officer_must_find(few: None) -> None:
    desk = story(decider, held(A, arrived=0)).when(out(5), at=at(5))
    for name in many(FEW):
        desk.when(freed(name, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)


def test_what_was_struck_off_makes_room_and_a_count_ends_the_doubt(few: None) -> None:
    desk = story(decider, discharged(0))
    names = many(FEW + 1)
    for name in names:
        desk.when(held(name), at=at(1))
    for number, name in enumerate(names[:-1]):
        desk.when(struck(name), message_id=f"strike-{number}", at=at(2))
    desk.when(freed(B, arrived=0), at=at(3))
    assert not may_leave(desk), "one is not known"
    desk.when(found("inside", 5, lots=1), at=at(5))
    assert may_leave(desk)


def test_an_alarm_waits_for_its_finding_however_many_visits_come_after() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(5), at=at(5))
    for number in range(1, 25):
        begin = number * 3 * DAY
        desk.when(discharged(begin, laden=False), at=at(begin))
        desk.when(event(OUT, begin + DAY, laden=False), at=at(begin + DAY))
    begin = 100 * DAY
    desk.when(freed(B, arrived=begin, when=begin), at=at(begin))
    assert not may_leave(desk)
    desk.when(found("outside", begin - 5), at=at(begin + 5))
    assert may_leave(desk)


def test_a_report_heard_twice_is_no_news_when_old_visits_are_forgotten_between() -> None:
    desk = story(decider, held(A, arrived=0), freed(A)).when(out(5), at=at(5))
    desk.when(discharged(700 * DAY), message_id="again", at=at(700 * DAY))
    desk.when(discharged(700 * DAY), message_id="again", at=at(800 * DAY))
    assert kinds(desk) == []


# order


def test_the_same_is_true_when_a_statement_reaches_the_gate_after_the_departure() -> None:
    """The two topics have no order between them, so a statement that was published before the departure counts as known before it."""
    ends = []
    for statement_at in (2, 60):
        desk = story(decider, discharged(0))
        desk.when(held(B, when=2), at=at(2)) if statement_at == 2 else None
        desk.when(out(30), at=at(31))
        desk.when(held(B, when=2), at=at(60)) if statement_at == 60 else None
        ends.append((left(desk, B), alarms(desk)[-1:]))
    assert ends[0][0] == ends[1][0] == ["ConsignmentLeftUnreleased"]


def test_a_discharge_at_another_place_on_the_same_day_opens_another_visit() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=5)).when(discharged(60, berth="berth 9"), at=at(60))
    assert not may_leave(desk) and alarms(desk) == ["departure_not_reported"]


def test_goods_that_come_with_others_of_their_conveyance_keep_the_box_whose_return_nobody_told() -> None:
    """Found by the property test (seed 24140): the first visit's departure is not reported, and goods of the next visit arrive."""
    desk = story(decider, discharged(0, ship="SHIP 001E"), freed(A, ship="SHIP 001E", bill="BL 10"))
    desk.when(held(B, ship="SHIP 002E", bill="BL 20", when=DAY), at=at(DAY))
    assert may_leave(desk), "awaited with another ship"
    desk.when(freed(C, ship="SHIP 002E", bill="BL 20", arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5))
    assert not may_leave(desk)
