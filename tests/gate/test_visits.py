"""Does what is true of one stay of a container never become true of the next? Each case was seen to go wrong once."""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerArrived, GateAlarmRaised
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround
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
from tests.voice import Story, adds_nothing_twice, story

GATED_IN, LOADED, STRIPPED = EquipmentEvent.GATED_IN, EquipmentEvent.LOADED, EquipmentEvent.STRIPPED
OUT = EquipmentEvent.GATED_OUT


def alarms(told: Story) -> list[str]:
    return [f.alarm for f in told.facts if isinstance(f, GateAlarmRaised)]


def left(told: Story, who: str) -> list[str]:
    """What was said of the departures of one consignment."""
    words = ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted")
    return [f.kind for f in told.facts if f.kind in words and f.key == who]


def first_visit() -> Story:
    """A came in the box, was released and left."""
    return story(decider, held(A), freed(A)).when(out(10))


# the cases of the issue


def test_the_second_departure_told_with_the_same_words_is_the_second_departure() -> None:
    told = first_visit().when(held(B, when=DAY), at=at(DAY))
    told.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5))
    assert may_leave(told)
    told.when(out(DAY + 20), at=at(DAY + 20))
    assert left(told, B) == ["ConsignmentGatedOut"] and not may_leave(told)


def test_a_container_that_comes_back_undeclared_stays_although_its_first_departure_was_never_told() -> None:
    told = story(decider, held(A), freed(A))
    assert may_leave(told)
    told.when(discharged(20 * DAY), at=at(20 * DAY))
    assert not may_leave(told) and alarms(told) == ["departure_not_reported"]
    assert "ContainerMustStay" in kinds(told)


def test_a_correction_of_a_departure_touches_no_other_visit() -> None:
    told = first_visit().when(held(B, when=DAY), at=at(DAY)).when(out(10.1), at=at(DAY + 1))
    assert kinds(told) == ["EquipmentEventRecorded"] and alarms(told) == []
    told.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5)).when(out(DAY + 9), at=at(DAY + 9))
    assert left(told, B) == ["ConsignmentGatedOut"]


def test_only_what_left_released_has_left() -> None:
    told = story(decider, held(A), freed(A), held(A, version=3, when=3)).when(out(5), at=at(5))
    assert alarms(told) == ["left_unreleased"] and left(told, A) == ["ConsignmentLeftUnreleased"]
    told.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(told)
    told.when(found("inside", DAY + 1), at=at(DAY + 1))
    assert left(told, A)[-1] == "DepartureRetracted" and not may_leave(told)
    told.when(freed(A, version=4, arrived=0, when=DAY + 2), at=at(DAY + 2))
    assert may_leave(told)


def test_after_an_officer_found_it_outside_the_next_visit_is_free() -> None:
    told = story(decider, held(A, arrived=0)).when(out(5)).when(found("outside", 30), at=at(30))
    told.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert may_leave(told) and left(told, A) == ["ConsignmentLeftUnreleased"]


def test_a_later_answer_does_not_heal_a_departure_without_release() -> None:
    told = story(decider, held(A, arrived=0)).when(out(60), at=at(60))
    told.when(freed(A, when=90), at=at(90))
    assert left(told, A) == ["ConsignmentLeftUnreleased"]


def test_two_papers_of_one_bill_are_one_lot() -> None:
    told = story(decider, freed(A, shared_by=2, bill="BL 7"), freed(B, shared_by=2, bill="bl-7"))
    assert not may_leave(told)
    told.when(struck(B))
    assert not may_leave(told), "the other lot is not declared"
    told.when(freed(C, shared_by=2, bill="BL 8"))
    assert may_leave(told)


def test_an_officer_strikes_a_foreign_consignment_off_the_box() -> None:
    told = story(decider, freed(A), held(B))
    assert not may_leave(told)
    told.when(struck(B))
    assert may_leave(told) and kinds(told)[0] == "LotStruck"
    assert kinds(told.when(struck(C))) == ["RequestRefused"]


def test_an_export_does_not_leave_through_the_land_gate() -> None:
    told = story(decider, freed(A, direction=Direction.EXPORT))
    assert not may_leave(told)
    told.when(event(LOADED, 60), at=at(60))
    assert left(told, A) == ["ConsignmentGatedOut"] and alarms(told) == []


def test_a_cancelled_export_leaves_with_an_officers_permit() -> None:
    told = story(decider, freed(A, direction=Direction.EXPORT)).when(permitted(A, ExitGround.EXPORT_CANCELLED))
    assert may_leave(told)
    told.when(out(30), at=at(30))
    assert left(told, A) == ["ConsignmentGatedOut"] and alarms(told) == []


def test_goods_loaded_on_another_conveyance_are_an_alarm() -> None:
    told = story(decider, freed(A, direction=Direction.EXPORT, ship="EVER 012E"))
    told.when(event(LOADED, 60, ship="HMM 001W"), at=at(60))
    assert alarms(told) == ["left_unreleased"]


def test_refused_goods_leave_by_an_order_only() -> None:
    told = story(decider, held(A, arrived=0, refused=True))
    told.when(permitted(A, ExitGround.DESTROY))
    assert may_leave(told) and told.said[-1].model_dump()["permitted"] == (A,)
    told.when(out(30), at=at(30))
    assert left(told, A) == ["ConsignmentGatedOut"] and alarms(told) == []


def test_an_empty_container_leaves_without_release_and_without_an_alarm() -> None:
    told = story(decider, discharged(0, laden=False)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(told) == []
    awaited = story(decider, held(A)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(awaited) == [] and left(awaited, A) == []


def test_an_empty_that_is_known_as_laden_with_unreleased_goods_is_an_alarm() -> None:
    told = story(decider, held(A, arrived=0)).when(event(EquipmentEvent.GATED_OUT, 30, laden=False), at=at(30))
    assert alarms(told) == ["empty_left_laden"]


def test_goods_held_after_they_left_are_an_alarm() -> None:
    told = first_visit().when(held(A, version=3, arrived=0, when=30), at=at(30))
    assert alarms(told) == ["held_outside"] and left(told, A) == ["ConsignmentGatedOut"]
    told.when(held(A, version=4, arrived=0, when=40), at=at(40))
    assert alarms(told) == ["held_outside"], "said once"


# the rules


def test_an_estimate_moves_nothing() -> None:
    told = story(decider, held(A)).when(event(EquipmentEvent.DISCHARGED, 2 * DAY, classifier=Classifier.ESTIMATED))
    assert kinds(told) == ["EquipmentEventRecorded"]
    assert not look(as_box(told.state)).visits


def test_a_discharge_tells_the_arrival_of_awaited_goods() -> None:
    told = story(decider, held(A, ship="EVER 012E")).when(discharged(30, ship="ever-012e"), at=at(40))
    arrived = [f for f in told.said if isinstance(f, ContainerArrived)]
    assert [(f.consignment_id, f.occurred_at) for f in arrived] == [(A, at(30))]
    other = story(decider, held(A, ship="EVER 012E")).when(discharged(30, ship="HMM 1W"), at=at(40))
    assert not [f for f in other.said if isinstance(f, ContainerArrived)]


def test_a_discharge_is_told_of_goods_whose_arrival_the_carrier_had_told_too() -> None:
    """The release desk knows by it that a terminal tells of this box: its departure will be told, too."""
    told = story(decider, held(A, arrived=5), held(B, arrived=6, bill="2")).when(discharged(30), at=at(40))
    arrived = [f for f in told.said if isinstance(f, ContainerArrived)]
    assert {(f.consignment_id, f.occurred_at) for f in arrived} == {(A, at(5)), (B, at(5))} and len(arrived) == 2
    told.when(discharged(35), at=at(45))
    assert kinds(told) == ["EquipmentEventRecorded"], "once"
    told.when(held(C, arrived=50, when=50, bill="3"), at=at(50))
    assert kinds(told) == ["ContainerArrived"], "of goods that the carrier tells of later, too"
    told.when(out(60), at=at(60))
    empty = story(decider, held(A, arrived=5)).when(discharged(30, laden=False), at=at(40))
    assert "ContainerArrived" not in kinds(empty)


def test_goods_declared_later_arrive_with_the_box_only_when_they_name_its_call() -> None:
    told = story(decider, discharged(0, ship="EVER 012E")).when(held(A, bill="1", when=60), at=at(60))
    assert kinds(told) == []
    told.when(held(B, bill="2", when=61, ship="EVER 012E"), at=at(61))
    assert kinds(told) == ["ContainerArrived"]


def test_an_opening_told_twice_is_one_and_one_at_another_place_is_another() -> None:
    told = story(decider, discharged(0), held(A, arrived=5), freed(A, arrived=5))
    told.when(discharged(60), at=at(60))
    assert told.said[0].model_dump()["retells"] == "m1" and may_leave(told)
    told.when(event(GATED_IN, 120, place="depot"), at=at(120))
    assert not may_leave(told) and "departure_not_reported" in alarms(told)


def test_a_discharge_confirms_the_visit_that_an_arrival_opened() -> None:
    told = story(decider, freed(A)).when(discharged(60), at=at(60))
    assert may_leave(told) and alarms(told) == []
    told.when(out(90), at=at(90))
    assert left(told, A) == ["ConsignmentGatedOut"]


def test_a_box_that_comes_back_empty_had_left_with_its_released_goods() -> None:
    told = story(decider, freed(A)).when(event(GATED_IN, 9 * DAY, laden=False), at=at(9 * DAY))
    assert alarms(told) == [] and left(told, A) == ["ConsignmentGatedOut"] and not may_leave(told)


def test_goods_that_did_not_leave_released_are_named_when_the_box_comes_again() -> None:
    told = story(decider, held(A, arrived=0)).when(discharged(9 * DAY), at=at(9 * DAY))
    assert alarms(told) == ["departure_not_reported"] and left(told, A) == ["ConsignmentLeftUnreleased"]
    told.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))
    assert not may_leave(told)


def test_a_late_report_of_a_closed_visit_changes_no_other() -> None:
    """The departure of the first visit is told when the second one is open already."""
    told = story(decider, discharged(0), freed(A, arrived=0), discharged(9 * DAY))
    told.when(freed(B, arrived=9 * DAY, when=9 * DAY), at=at(9 * DAY))
    assert alarms(told) == ["departure_not_reported"] and may_leave(told)
    told.when(out(50), at=at(9 * DAY + 10))
    times = [f.occurred_at for f in told.facts if f.kind == "ConsignmentGatedOut" and f.key == A]
    assert times == [at(9 * DAY), at(50)] and left(told, B) == [] and may_leave(told)


def test_a_departure_before_any_opening_names_the_goods_that_may_be_inside() -> None:
    told = story(decider, held(A, when=0)).when(out(30), at=at(30))
    raised = [f for f in told.said if isinstance(f, GateAlarmRaised)]
    assert [(f.alarm, f.waiting_for, f.blocks) for f in raised] == [("left_undeclared", (A,), True)]


def test_a_paper_for_a_call_whose_container_has_left_is_an_alarm() -> None:
    told = story(decider, discharged(0, ship="EVER 012E"), freed(A, arrived=0, ship="EVER 012E")).when(
        out(30), at=at(30)
    )
    told.when(held(B, ship="EVER 012E", when=90), at=at(90))
    assert alarms(told) == ["left_undeclared"] and left(told, B) == ["ConsignmentLeftUnreleased"]


def test_a_retracted_departure_did_not_happen() -> None:
    told = first_visit()
    told.when(retracted("m3", sender="somebody else"), at=at(20))
    refused = told.said[0].model_dump()
    assert refused["code"] == "not_the_sender"
    assert "CNTAO-4" not in refused["reason"], "who told of it is not for other terminals"
    told.when(retracted("m3"), at=at(21))
    assert left(told, A) == ["ConsignmentGatedOut", "DepartureRetracted"] and may_leave(told)
    told.when(out(40), at=at(40))
    assert left(told, A)[-1] == "ConsignmentGatedOut"


@pytest.mark.parametrize("laden", [None, True, False])
@pytest.mark.parametrize("first", ["a", "z"])
def test_of_two_departures_of_the_same_time_the_one_told_first_is_the_departure(first: str, laden: bool | None) -> None:
    """Whatever their ids are, and whichever of them the desk reads first."""
    second = "m" if first == "z" else "zz"
    gates = {first: event(OUT, 10, "G3", laden), second: event(OUT, 10, "G4", True)}
    told = story(decider, held(A), freed(A)).when(gates[first], message_id=first, at=at(10))
    told.when(gates[second], message_id=second, at=at(12))
    assert kinds(told) == ["EquipmentEventRecorded"] and told.said[0].model_dump()["retells"] == first
    told = story(decider, held(A), freed(A)).when(gates[second], message_id=second, at=at(13), recorded=at(12))
    told.when(gates[first], message_id=first, at=at(14), recorded=at(10))
    assert look(as_box(told.state)).retells == {second: first}


def test_of_two_openings_of_the_same_time_the_one_told_first_opens_the_visit() -> None:
    told = story(decider, held(A)).when(discharged(10), message_id="z", at=at(10))
    told.when(discharged(10), message_id="a", at=at(12))
    assert kinds(told) == ["EquipmentEventRecorded"] and told.said[0].model_dump()["retells"] == "z"


def test_a_corrected_departure_takes_the_place_of_the_first() -> None:
    told = first_visit()
    told.when(event(EquipmentEvent.GATED_OUT, 25, place="G2", replaces="m3"), at=at(30))
    assert [f.occurred_at for f in told.facts if f.kind == "ConsignmentGatedOut"] == [at(10), at(25)]
    assert not may_leave(told) and alarms(told) == []


def test_a_container_hold_keeps_the_box_and_every_next_visit_until_it_is_lifted() -> None:
    told = story(decider, freed(A)).when(box_held(), message_id="hold")
    assert not may_leave(told)
    told.when(out(30), at=at(30))
    assert "left_unreleased" in alarms(told)
    told.when(found("outside", 40), at=at(40)).when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(told)
    told.when(box_let_go("hold"), at=at(DAY + 1))
    assert may_leave(told)
    assert kinds(told.when(box_let_go("hold"), at=at(DAY + 2))) == ["RequestRefused"]


def test_a_stripped_box_has_no_yes_and_leaves_as_an_empty() -> None:
    told = story(decider, discharged(0), freed(A, arrived=0)).when(event(STRIPPED, 30), at=at(30))
    assert not may_leave(told)
    told.when(out(60), at=at(60))
    assert alarms(told) == []


def test_an_officers_count_of_lots_adds_what_the_papers_did_not_say() -> None:
    told = story(decider, freed(A)).when(found("inside", 5, lots=2), at=at(5))
    assert not may_leave(told)
    told.when(freed(B, arrived=0), at=at(6))
    assert may_leave(told)


def test_a_report_of_a_visit_that_is_not_kept_is_refused() -> None:
    told = story(decider)
    for number in range(25):
        begin = number * 3 * DAY
        told.when(discharged(begin), at=at(begin))
        told.when(event(EquipmentEvent.GATED_OUT, begin + DAY, laden=False), at=at(begin + DAY))
    told.when(out(5), at=at(26 * 3 * DAY))
    assert told.said[0].model_dump()["code"] == "visit_too_old"
    assert len(as_box(told.state).visits) <= KEPT_VISITS + 1


def test_the_same_ends_in_whatever_order_one_visit_is_told() -> None:
    said: list[Message] = [discharged(0), held(A, when=-5), freed(A, arrived=0, when=5), held(B, when=-4)]
    said.append(freed(B, arrived=0, when=6))
    for order in permutations(said):
        told = story(decider)
        for message in order:
            told.when(message, at=at(10))
        told.when(out(30), at=at(30))
        assert (left(told, A), left(told, B), alarms(told)) == (["ConsignmentGatedOut"], ["ConsignmentGatedOut"], [])


def test_hearing_a_request_twice_adds_nothing() -> None:
    adds_nothing_twice(
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


# what the release before wrote

OLD = {
    "free": b'{"parts":[{"consignment_id":"%s","version":2,"shared_by":1,"standing":"released","reason":""}],"version":1,"gone":[],"exit_request":"","overfull":false,"state":"free"}',
    "staying": b'{"parts":[{"consignment_id":"%s","version":1,"shared_by":1,"standing":"held","reason":"waits"}],"version":0,"gone":[],"exit_request":"","overfull":false,"state":"staying"}',
    "outside": b'{"parts":[],"version":1,"gone":["%s"],"exit_request":"r1","overfull":false,"state":"outside"}',
}


@pytest.mark.parametrize("word", OLD)
def test_a_record_of_the_release_before_goes_on(word: str) -> None:
    told = Story(decider, decider.STATE.validate_json(OLD[word].replace(b"%s", A.encode())))
    match word:
        case "free":
            told.when(out(30), at=at(30))
            assert left(told, A) == ["ConsignmentGatedOut"] and alarms(told) == []
        case "staying":
            told.when(freed(A, when=5), at=at(5))
            assert may_leave(told)
        case "outside":
            told.when(held(A, version=9), at=at(5)).then()
            told.when(freed(B, arrived=5, when=5), at=at(6))
            assert may_leave(told)


def test_what_the_release_before_released_is_spent_by_the_next_opening() -> None:
    told = Story(decider, decider.STATE.validate_json(OLD["free"].replace(b"%s", A.encode())))
    told.when(discharged(30), at=at(30))
    assert kinds(told)[-1] == "ContainerMustStay"
