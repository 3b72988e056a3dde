"""Is each visit of a container judged separately from the next? Each of these cases once went wrong."""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerArrived, ContainerGatedOut, GateAlarmRaised
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate import decider
from services.gate.box import as_box
from services.gate.keeping import KEPT_VISITS
from services.gate.visits import look
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    box_held,
    box_let_go,
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
from tests.voice import Story, keeps_its_promises, story

GATED_IN, LOADED, STRIPPED = EquipmentEvent.GATED_IN, EquipmentEvent.LOADED, EquipmentEvent.STRIPPED
OUT = EquipmentEvent.GATED_OUT


def alarms(desk: Story) -> list[str]:
    return [f.alarm for f in desk.facts if isinstance(f, GateAlarmRaised)]


def left(desk: Story, who: str) -> list[str]:
    """The kinds of the facts about the departures of one consignment."""
    departures = ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted")
    return [f.kind for f in desk.facts if f.kind in departures and f.key == who]


def first_visit() -> Story:
    """A story in which A arrived in the container, was released and left."""
    return story(decider, held(A), freed(A)).when(out(10))


# the cases of the issue


def test_the_second_departure_told_with_the_same_words_is_the_second_departure() -> None:
    desk = first_visit().when(held(B, when=DAY), at=at(DAY))
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5))
    assert may_leave(desk)
    desk.when(out(DAY + 20), at=at(DAY + 20))
    assert left(desk, B) == ["ConsignmentGatedOut"] and not may_leave(desk)


def test_a_container_that_comes_back_undeclared_stays_although_its_first_departure_was_never_told() -> None:
    desk = story(decider, held(A), freed(A))
    assert may_leave(desk)
    desk.when(discharged(20 * DAY), at=at(20 * DAY))
    assert not may_leave(desk) and alarms(desk) == ["departure_not_reported"]
    assert "ContainerMustStay" in kinds(desk)


def test_a_correction_of_a_departure_touches_no_other_visit() -> None:
    desk = first_visit().when(held(B, when=DAY), at=at(DAY)).when(out(10.1), at=at(DAY + 1))
    assert kinds(desk) == ["EquipmentEventRecorded"] and alarms(desk) == []
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5)).when(out(DAY + 9), at=at(DAY + 9))
    assert left(desk, B) == ["ConsignmentGatedOut"]


def test_only_what_left_released_has_left() -> None:
    desk = story(decider, held(A), freed(A), held(A, version=3, when=3)).when(out(5), at=at(5))
    assert alarms(desk) == ["left_unreleased"] and left(desk, A) == ["ConsignmentLeftUnreleased"]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)
    desk.when(found("inside", DAY + 1), at=at(DAY + 1))
    assert left(desk, A)[-1] == "DepartureRetracted" and not may_leave(desk)
    desk.when(freed(A, version=4, arrived=0, when=DAY + 2), at=at(DAY + 2))
    assert may_leave(desk)


def test_after_an_officer_found_it_outside_the_next_visit_is_free() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(5)).when(found("outside", 30), at=at(30))
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert may_leave(desk) and left(desk, A) == ["ConsignmentLeftUnreleased"]


def test_a_later_answer_does_not_heal_a_departure_without_release() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(60), at=at(60))
    desk.when(freed(A, when=90), at=at(90))
    assert left(desk, A) == ["ConsignmentLeftUnreleased"]


def test_two_papers_of_one_bill_are_one_lot() -> None:
    desk = story(decider, freed(A, shared_by=2, bill="BL 7"), freed(B, shared_by=2, bill="bl-7"))
    assert not may_leave(desk)
    desk.when(struck(B))
    assert not may_leave(desk), "the other lot is not declared"
    desk.when(freed(C, shared_by=2, bill="BL 8"))
    assert may_leave(desk)


def test_an_officer_strikes_a_foreign_consignment_off_the_box() -> None:
    desk = story(decider, freed(A), held(B))
    assert not may_leave(desk)
    desk.when(struck(B))
    assert may_leave(desk) and kinds(desk)[0] == "LotStruck"
    assert kinds(desk.when(struck(C))) == ["RequestRefused"]


def test_an_export_does_not_leave_through_the_land_gate() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT))
    assert not may_leave(desk)
    desk.when(event(LOADED, 60), at=at(60))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_a_cancelled_export_leaves_with_an_officers_permit() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT)).when(permitted(A, ExitGround.EXPORT_CANCELLED))
    assert may_leave(desk)
    desk.when(out(30), at=at(30))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_goods_loaded_on_another_conveyance_are_an_alarm() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT, ship="EVER 012E"))
    desk.when(event(LOADED, 60, ship="HMM 001W"), at=at(60))
    assert alarms(desk) == ["left_unreleased"]


def test_refused_goods_leave_by_an_order_only() -> None:
    desk = story(decider, held(A, arrived=0, refused=True))
    desk.when(permitted(A, ExitGround.DESTROY))
    assert may_leave(desk) and desk.answer[-1].model_dump()["permitted"] == (A,)
    desk.when(out(30), at=at(30))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_an_empty_container_leaves_without_release_and_without_an_alarm() -> None:
    desk = story(decider, discharged(0, laden=False)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(desk) == []
    awaited = story(decider, held(A)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(awaited) == [] and left(awaited, A) == []


def test_an_empty_that_is_known_as_laden_with_unreleased_goods_is_an_alarm() -> None:
    desk = story(decider, held(A, arrived=0)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(desk) == ["empty_left_laden"]


def test_goods_held_after_they_left_are_an_alarm() -> None:
    desk = first_visit().when(held(A, version=3, arrived=0, when=30), at=at(30))
    assert alarms(desk) == ["held_outside"] and left(desk, A) == ["ConsignmentGatedOut"]
    desk.when(held(A, version=4, arrived=0, when=40), at=at(40))
    assert alarms(desk) == ["held_outside"], "said once"


# the rules


def test_an_estimate_moves_nothing() -> None:
    desk = story(decider, held(A)).when(event(EquipmentEvent.DISCHARGED, 2 * DAY, classifier=Classifier.ESTIMATED))
    assert kinds(desk) == ["EquipmentEventRecorded"]
    assert not look(as_box(desk.state)).visits


def test_a_discharge_tells_the_arrival_of_awaited_goods() -> None:
    desk = story(decider, held(A, ship="EVER 012E")).when(discharged(30, ship="ever-012e"), at=at(40))
    arrived = [f for f in desk.answer if isinstance(f, ContainerArrived)]
    assert [(f.consignment_id, f.occurred_at) for f in arrived] == [(A, at(30))]
    other = story(decider, held(A, ship="EVER 012E")).when(discharged(30, ship="HMM 1W"), at=at(40))
    assert not [f for f in other.answer if isinstance(f, ContainerArrived)]


def test_a_discharge_is_told_of_goods_whose_arrival_the_carrier_had_told_too() -> None:
    """The fact tells the release desk that a terminal reports this container, so its departure will be reported, too."""
    desk = story(decider, held(A, arrived=5), held(B, arrived=6, bill="2")).when(discharged(30), at=at(40))
    arrived = [f for f in desk.answer if isinstance(f, ContainerArrived)]
    assert {(f.consignment_id, f.occurred_at) for f in arrived} == {(A, at(5)), (B, at(5))} and len(arrived) == 2
    desk.when(discharged(35), at=at(45))
    assert kinds(desk) == ["EquipmentEventRecorded"], "once"
    desk.when(held(C, arrived=50, when=50, bill="3"), at=at(50))
    assert kinds(desk) == ["ContainerArrived"], "of goods that the carrier tells of later, too"
    desk.when(out(60), at=at(60))
    empty = story(decider, held(A, arrived=5)).when(discharged(30, laden=False), at=at(40))
    assert "ContainerArrived" not in kinds(empty)


def test_goods_declared_later_arrive_with_the_box_only_when_they_name_its_call() -> None:
    desk = story(decider, discharged(0, ship="EVER 012E")).when(held(A, bill="1", when=60), at=at(60))
    assert kinds(desk) == []
    desk.when(held(B, bill="2", when=61, ship="EVER 012E"), at=at(61))
    assert kinds(desk) == ["ContainerArrived"]


def test_an_opening_told_twice_is_one_and_one_at_another_place_is_another() -> None:
    desk = story(decider, discharged(0), held(A, arrived=5), freed(A, arrived=5))
    desk.when(discharged(60), at=at(60))
    assert desk.answer[0].model_dump()["retells"] == "m1" and may_leave(desk)
    desk.when(event(GATED_IN, 120, berth="depot"), at=at(120))
    assert not may_leave(desk) and "departure_not_reported" in alarms(desk)


def test_a_discharge_confirms_the_visit_that_an_arrival_opened() -> None:
    desk = story(decider, freed(A)).when(discharged(60), at=at(60))
    assert may_leave(desk) and alarms(desk) == []
    desk.when(out(90), at=at(90))
    assert left(desk, A) == ["ConsignmentGatedOut"]


def test_a_box_that_comes_back_empty_had_left_with_its_released_goods() -> None:
    desk = story(decider, freed(A)).when(event(GATED_IN, 9 * DAY, laden=False), at=at(9 * DAY))
    assert alarms(desk) == [] and left(desk, A) == ["ConsignmentGatedOut"] and not may_leave(desk)


def test_goods_that_did_not_leave_released_are_named_when_the_box_comes_again() -> None:
    desk = story(decider, held(A, arrived=0)).when(discharged(9 * DAY), at=at(9 * DAY))
    assert alarms(desk) == ["departure_not_reported"] and left(desk, A) == ["ConsignmentLeftUnreleased"]
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    assert not may_leave(desk)


def test_a_late_report_of_a_closed_visit_changes_no_other() -> None:
    """The departure of the first visit is reported when the second one is already open."""
    desk = story(decider, discharged(0), freed(A, arrived=0), discharged(9 * DAY))
    desk.when(freed(B, arrived=9 * DAY, when=9 * DAY), at=at(9 * DAY))
    assert alarms(desk) == ["departure_not_reported"] and may_leave(desk)
    desk.when(out(50), at=at(9 * DAY + 10))
    times = [f.occurred_at for f in desk.facts if f.kind == "ConsignmentGatedOut" and f.key == A]
    assert times == [at(9 * DAY), at(50)] and left(desk, B) == [] and may_leave(desk)


def test_a_departure_before_any_opening_names_the_goods_that_may_be_inside() -> None:
    desk = story(decider, held(A, when=0)).when(out(30), at=at(30))
    raised = [f for f in desk.answer if isinstance(f, GateAlarmRaised)]
    assert [(f.alarm, f.waiting_for, f.blocks) for f in raised] == [("left_undeclared", (A,), True)]


def test_a_paper_for_a_call_whose_container_has_left_is_an_alarm() -> None:
    desk = story(decider, discharged(0, ship="EVER 012E"), freed(A, arrived=0, ship="EVER 012E")).when(
        out(30), at=at(30)
    )
    desk.when(held(B, ship="EVER 012E", when=90), at=at(90))
    assert alarms(desk) == ["left_undeclared"] and left(desk, B) == ["ConsignmentLeftUnreleased"]


def test_a_retracted_departure_did_not_happen() -> None:
    desk = first_visit()
    desk.when(retracted("m3", sender="somebody else"), at=at(20))
    refused = desk.answer[0].model_dump()
    assert refused["code"] == "not_the_sender"
    assert "CNTAO-4" not in refused["reason"], "who told of it is not for other terminals"
    desk.when(retracted("m3"), at=at(21))
    assert left(desk, A) == ["ConsignmentGatedOut", "DepartureRetracted"] and may_leave(desk)
    desk.when(out(40), at=at(40))
    assert left(desk, A)[-1] == "ConsignmentGatedOut"


@pytest.mark.parametrize("laden", [None, True, False])
@pytest.mark.parametrize("first", ["a", "z"])
def test_of_two_departures_of_the_same_time_the_one_told_first_is_the_departure(first: str, laden: bool | None) -> None:
    """The ids of the reports do not matter, nor which one the desk reads first."""
    second = "m" if first == "z" else "zz"
    gates = {first: event(OUT, 10, "G3", laden), second: event(OUT, 10, "G4", True)}
    desk = story(decider, held(A), freed(A)).when(gates[first], message_id=first, at=at(11))
    desk.when(gates[second], message_id=second, at=at(12))
    assert kinds(desk) == ["EquipmentEventRecorded"] and desk.answer[0].model_dump()["retells"] == first
    desk = story(decider, held(A), freed(A)).when(gates[second], message_id=second, at=at(13), recorded=at(12))
    desk.when(gates[first], message_id=first, at=at(14), recorded=at(10))
    assert look(as_box(desk.state)).retells == {second: first}


def test_of_two_openings_of_the_same_time_the_one_told_first_opens_the_visit() -> None:
    desk = story(decider, held(A)).when(discharged(10), message_id="z", at=at(10))
    desk.when(discharged(10), message_id="a", at=at(12))
    assert kinds(desk) == ["EquipmentEventRecorded"] and desk.answer[0].model_dump()["retells"] == "z"


def test_a_corrected_departure_takes_the_place_of_the_first() -> None:
    desk = first_visit()
    desk.when(event(EquipmentEvent.GATED_OUT, 25, berth="G2", replaces="m3"), at=at(30))
    assert [f.occurred_at for f in desk.facts if f.kind == "ConsignmentGatedOut"] == [at(10), at(25)]
    assert not may_leave(desk) and alarms(desk) == []


def test_a_container_hold_keeps_the_box_and_every_next_visit_until_it_is_lifted() -> None:
    desk = story(decider, freed(A)).when(box_held(), message_id="hold")
    assert not may_leave(desk)
    desk.when(out(30), at=at(30))
    assert "left_unreleased" in alarms(desk)
    desk.when(found("outside", 40), at=at(40)).when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)
    desk.when(box_let_go("hold"), at=at(DAY + 1))
    assert may_leave(desk)
    assert kinds(desk.when(box_let_go("hold"), at=at(DAY + 2))) == ["RequestRefused"]


def test_a_stripped_box_has_no_yes_and_leaves_as_an_empty() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STRIPPED, 30), at=at(30))
    assert not may_leave(desk)
    desk.when(out(60), at=at(60))
    assert alarms(desk) == []


def test_an_officers_count_of_lots_adds_what_the_papers_did_not_say() -> None:
    desk = story(decider, freed(A)).when(found("inside", 5, lots=2), at=at(5))
    assert not may_leave(desk)
    desk.when(freed(B, arrived=0), at=at(6))
    assert may_leave(desk)


def test_a_report_of_a_visit_that_is_not_kept_is_refused() -> None:
    desk = story(decider)
    for number in range(25):
        begin = number * 3 * DAY
        desk.when(discharged(begin), at=at(begin))
        desk.when(event(EquipmentEvent.GATED_OUT, begin + DAY, laden=False), at=at(begin + DAY))
    desk.when(out(5), at=at(26 * 3 * DAY))
    desk.then_refused("visit_too_old")
    assert len(as_box(desk.state).visits) <= KEPT_VISITS + 1


def test_a_visit_is_told_once_although_the_one_before_is_forgotten_that_ended_by_its_opening() -> None:
    desk = story(decider, discharged(0))
    for number in range(1, KEPT_VISITS + 3):
        begin, goods = number * 3 * DAY, consignment_id("91350100M000100Y43", f"goods {number}")
        desk.when(discharged(begin), message_id=f"opening {number}", at=at(begin))
        desk.when(freed(goods, arrived=begin, when=begin), at=at(begin + 5)).when(out(begin + 60), at=at(begin + 60))
    gone = [fact.visit for fact in desk.facts if isinstance(fact, ContainerGatedOut)]
    assert gone == [f"opening {number}" for number in range(1, KEPT_VISITS + 3)]
    assert as_box(desk.state).visits[0].id == "opening 2" and as_box(desk.state).reports[0].id == "opening 2"


def test_the_same_ends_in_whatever_order_one_visit_is_told() -> None:
    messages: list[Message] = [discharged(0), held(A, when=-5), freed(A, arrived=0, when=5), held(B, when=-4)]
    messages.append(freed(B, arrived=0, when=6))
    for order in permutations(messages):
        desk = story(decider)
        for message in order:
            desk.when(message, at=at(10))
        desk.when(out(30), at=at(30))
        assert (left(desk, A), left(desk, B), alarms(desk)) == (["ConsignmentGatedOut"], ["ConsignmentGatedOut"], [])


def test_hearing_a_request_twice_adds_nothing() -> None:
    keeps_its_promises(
        decider,
        [
            held(A),
            discharged(0),
            freed(A),
            box_held(),
            box_let_go("once-3"),
            struck(A),
            permitted(A, ExitGround.RETURN),
            out(30),
            found("inside", 40),
            retracted("once-7"),
        ],
    )


# what the software version before wrote

OLD = {
    "free": b'{"parts":[{"consignment_id":"%s","version":2,"shared_by":1,"standing":"released","reason":""}],"version":1,"gone":[],"exit_request":"","overfull":false,"state":"free"}',
    "staying": b'{"parts":[{"consignment_id":"%s","version":1,"shared_by":1,"standing":"held","reason":"waits"}],"version":0,"gone":[],"exit_request":"","overfull":false,"state":"staying"}',
    "outside": b'{"parts":[],"version":1,"gone":["%s"],"exit_request":"r1","overfull":false,"state":"outside"}',
}


@pytest.mark.parametrize("published", OLD)
def test_a_record_of_the_software_version_before_goes_on(published: str) -> None:
    desk = Story(decider, decider.STATE.validate_json(OLD[published].replace(b"%s", A.encode())))
    match published:
        case "free":
            desk.when(out(30), at=at(30))
            assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == []
        case "staying":
            desk.when(freed(A, when=5), at=at(5))
            assert may_leave(desk)
        case "outside":
            desk.when(held(A, version=9), at=at(5)).then()
            desk.when(freed(B, arrived=5, when=5), at=at(6))
            assert may_leave(desk)


def test_what_the_software_version_before_released_is_spent_by_the_next_opening() -> None:
    desk = Story(decider, decider.STATE.validate_json(OLD["free"].replace(b"%s", A.encode())))
    desk.when(discharged(30), at=at(30))
    assert kinds(desk)[-1] == "ContainerMustStay"
