"""Is each visit of a container judged separately from the next one?"""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerGatedOut
from schemas.phrases import of_earlier, phrase
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate import decider
from services.gate.box import as_box
from services.gate.keeping import KEPT_VISITS
from services.gate.visits import look
from tests import facts
from tests.gate.answers import (
    arrival_of,
    came_again,
    goods_left,
    goods_left_unreleased,
    goods_wait,
    nothing_is_here,
    seen_inside,
    visit_opened_by,
)
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
    out,
    permitted,
    retracted,
    struck,
)
from tests.voice import Story, keeps_its_promises, story

GATED_IN, LOADED, STRIPPED = EquipmentEvent.GATED_IN, EquipmentEvent.LOADED, EquipmentEvent.STRIPPED
OUT = EquipmentEvent.GATED_OUT


def first_visit() -> Story:
    """Returns the desk after A arrived in the container, was released and left."""
    return story(decider, held(A), freed(A)).when(out(10))


# cases that once went wrong


def test_the_second_departure_told_with_the_same_words_is_the_second_departure() -> None:
    desk = first_visit().when(held(B, when=DAY), at=at(DAY))
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5)).then(
        facts.container_may_leave(2, arrival_of(B), B, at=at(DAY + 5))
    )
    desk.when(out(DAY + 20), at=at(DAY + 20)).then(*goods_left("m6", arrival_of(B), B, at=at(DAY + 20)))


def test_a_container_that_comes_back_undeclared_stays_although_its_first_departure_was_never_told() -> None:
    desk = story(decider, held(A), freed(A)).then(facts.container_may_leave(1, arrival_of(A), A, at=at(2)))
    desk.when(discharged(20 * DAY), at=at(20 * DAY)).then(
        *came_again("m3", arrival_of(A), A, released=True, at=at(20 * DAY)),
        facts.container_must_stay(2, "m3", phrase("nothing_declared"), waiting_for=(), at=at(20 * DAY)),
    )


def test_a_correction_of_a_departure_touches_no_other_visit() -> None:
    desk = first_visit().when(held(B, when=DAY), at=at(DAY))
    desk.when(out(10.1), at=at(DAY + 1)).then(
        facts.equipment_event_recorded("m5", OUT, arrival_of(A), where="G1", retells="m3", at=at(10.1))
    )
    desk.when(freed(B, arrived=DAY + 5, when=DAY + 5), at=at(DAY + 5))
    desk.when(out(DAY + 9), at=at(DAY + 9)).then(*goods_left("m7", arrival_of(B), B, at=at(DAY + 9)))


def test_only_what_left_released_has_left() -> None:
    desk = story(decider, held(A), freed(A), held(A, version=3, when=3))
    desk.when(out(5), at=at(5)).then(*goods_left_unreleased("m4", arrival_of(A), A, at=at(5)))
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY)).then()
    desk.when(found("inside", DAY + 1), at=at(DAY + 1)).then(
        facts.container_finding_recorded("inside", "m4", at=at(DAY + 1)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(DAY + 1)),
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", at=at(DAY + 1)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", at=at(DAY + 1)),
        goods_wait(3, arrival_of(A), A, released=1, at=at(DAY + 1)),
    )
    desk.when(freed(A, version=4, arrived=0, when=DAY + 2), at=at(DAY + 2)).then(
        facts.container_may_leave(4, arrival_of(A), A, B, at=at(DAY + 2))
    )


def test_after_an_officer_found_it_outside_the_next_visit_is_free() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(5)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(5)))
    desk.when(found("outside", 30), at=at(30)).then(
        facts.container_finding_recorded("outside", "m2", at=at(30)), nothing_is_here(1, at=at(30))
    )
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY)).then(
        facts.container_may_leave(2, arrival_of(B), B, at=at(DAY))
    )


def test_a_later_answer_does_not_heal_a_departure_without_release() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(60), at=at(60)).then(*goods_left_unreleased("m2", arrival_of(A), A, at=at(60)))
    desk.when(freed(A, when=90), at=at(90)).then()


def test_two_papers_of_one_bill_are_one_lot() -> None:
    desk = story(decider, freed(A, shared_by=2, bill="BL 7")).then()
    desk.when(freed(B, shared_by=2, bill="bl-7")).then(
        facts.same_goods_declared(B, A, bill_no="bl-7", at=at(2)),
        facts.same_goods_declared(A, B, bill_no="BL 7", at=at(2)),
    )
    # Each declaration says that two lots share the container. A and B are declarations of the same lot, so the second
    # lot is not declared yet, and the container may not leave before C is released.
    desk.when(struck(B)).then(facts.lot_struck(B, at=at(3)))
    desk.when(freed(C, shared_by=2, bill="BL 8")).then(facts.container_may_leave(1, arrival_of(A), A, C, at=at(4)))


def test_an_officer_strikes_a_foreign_consignment_off_the_box() -> None:
    desk = story(decider, freed(A), held(B)).then(
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", at=at(2)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", at=at(2)),
        facts.container_must_stay(
            2,
            arrival_of(A),
            phrase("lots_released", count=1, all=2),
            phrase("bill_waits", bill=B),
            of_earlier("waits"),
            waiting_for=(B,),
            at=at(2),
        ),
    )
    desk.when(struck(B)).then(facts.lot_struck(B, at=at(3)), facts.container_may_leave(3, arrival_of(A), A, at=at(3)))
    desk.when(struck(C)).then_refused("lot_unknown")


def test_an_export_does_not_leave_through_the_land_gate() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT)).then()
    desk.when(event(LOADED, 60), at=at(60)).then(
        facts.equipment_event_recorded("m2", LOADED, arrival_of(A), at=at(60)),
        facts.visit_closed(arrival_of(A), "loaded", "m2", consignments=(A,), at=at(60)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
    )


def test_a_cancelled_export_leaves_with_an_officers_permit() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT))
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED)).then(
        facts.exit_permitted(A, ExitGround.EXPORT_CANCELLED, arrival_of(A), version=2, at=at(2)),
        facts.container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(2)),
    )
    desk.when(out(30), at=at(30)).then(*goods_left("m3", arrival_of(A), A, at=at(30)))


def test_goods_loaded_on_another_conveyance_are_an_alarm() -> None:
    desk = story(decider, freed(A, direction=Direction.EXPORT, ship="EVER 012E"))
    desk.when(event(LOADED, 60, ship="HMM 001W"), at=at(60)).then(
        facts.equipment_event_recorded("m2", LOADED, arrival_of(A), conveyance="HMM 001W", at=at(60)),
        facts.visit_closed(arrival_of(A), "loaded", "m2", consignments=(A,), at=at(60)),
        facts.gate_alarm_raised(
            arrival_of(A), "m2", waiting_for=(A,), why="other_conveyance", blocks=False, gate="berth 1", at=at(60)
        ),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
    )


def test_refused_goods_leave_by_an_order_only() -> None:
    desk = story(decider, held(A, arrived=0, refused=True)).then()
    desk.when(permitted(A, ExitGround.DESTROY)).then(
        facts.exit_permitted(A, ExitGround.DESTROY, arrival_of(A), at=at(2)),
        facts.container_may_leave(1, arrival_of(A), A, permitted=(A,), at=at(2)),
    )
    desk.when(out(30), at=at(30)).then(*goods_left("m3", arrival_of(A), A, at=at(30)))


def test_an_empty_container_leaves_without_release_and_without_an_alarm() -> None:
    desk = story(decider, discharged(0, laden=False))
    desk.when(event(OUT, 30, laden=False), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, "m1", laden=False, at=at(30)),
        facts.visit_closed("m1", "left_empty", "m2", consignments=(), at=at(30)),
    )
    awaited = story(decider, held(A))
    awaited.when(event(OUT, 30, laden=False), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, "", laden=False, at=at(30))
    )


def test_an_empty_that_is_known_as_laden_with_unreleased_goods_is_an_alarm() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(event(OUT, 30, laden=False), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, arrival_of(A), laden=False, at=at(30)),
        facts.visit_closed(arrival_of(A), "left_empty", "m2", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(
            arrival_of(A),
            "m2",
            waiting_for=(A,),
            alarm="empty_left_laden",
            why="empty_laden",
            gate="berth 1",
            at=at(30),
        ),
        facts.consignment_left_unreleased(visit=arrival_of(A), why="empty_laden", consignment_id=A, at=at(30)),
    )


def test_goods_held_after_they_left_are_an_alarm() -> None:
    desk = first_visit()
    desk.when(held(A, version=3, arrived=0, when=30), at=at(30)).then(
        facts.gate_alarm_raised(
            arrival_of(A), "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(10)
        )
    )
    # the alarm is raised only once
    desk.when(held(A, version=4, arrived=0, when=40), at=at(40)).then()


# rules for reports and visits


def test_an_estimate_moves_nothing() -> None:
    desk = story(decider, held(A))
    desk.when(event(EquipmentEvent.DISCHARGED, 2 * DAY, classifier=Classifier.ESTIMATED)).then(
        facts.equipment_event_recorded(
            "m2", EquipmentEvent.DISCHARGED, "", classifier=Classifier.ESTIMATED, at=at(2 * DAY)
        )
    )
    assert not look(as_box(desk.state)).visits


def test_a_discharge_tells_the_arrival_of_awaited_goods() -> None:
    desk = story(decider, held(A, ship="EVER 012E"))
    desk.when(discharged(30, ship="ever-012e"), at=at(40)).then(
        *visit_opened_by("m2", A, conveyance="ever-012e", at=at(30))
    )
    other = story(decider, held(A, ship="EVER 012E"))
    other.when(discharged(30, ship="HMM 1W"), at=at(40)).then(*visit_opened_by("m2", conveyance="HMM 1W", at=at(30)))


def test_a_discharge_is_told_of_goods_whose_arrival_the_carrier_had_told_too() -> None:
    """From the fact `ContainerArrived` the release desk also learns that a terminal reports the events of this
    container. So the terminal will report its departure, too."""
    desk = story(decider, held(A, arrived=5), held(B, arrived=6, bill="2"))
    desk.when(discharged(30), at=at(40)).then(
        facts.equipment_event_recorded("m3", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, at=at(30)),
        facts.visit_opened(arrival_of(A), laden=True, at=at(5)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=B, at=at(5)),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A, at=at(5)),
    )
    # the arrival is published only once
    desk.when(discharged(35), at=at(45)).then(
        facts.equipment_event_recorded(
            "m4", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, retells="m3", at=at(35)
        )
    )
    # the arrival is also published for goods whose arrival the carrier reports later
    desk.when(held(C, arrived=50, when=50, bill="3"), at=at(50)).then(
        facts.container_arrived(visit=arrival_of(A), consignment_id=C, at=at(5))
    )
    empty = story(decider, held(A, arrived=5))
    empty.when(discharged(30, laden=False), at=at(40)).then(
        facts.equipment_event_recorded("m2", EquipmentEvent.DISCHARGED, arrival_of(A), laden=False, at=at(30)),
        facts.visit_opened(arrival_of(A), laden=False, at=at(5)),
    )


def test_goods_declared_later_arrive_with_the_box_only_when_they_name_its_call() -> None:
    desk = story(decider, discharged(0, ship="EVER 012E"))
    desk.when(held(A, bill="1", when=60), at=at(60)).then()
    desk.when(held(B, bill="2", when=61, ship="EVER 012E"), at=at(61)).then(
        facts.container_arrived(visit="m1", consignment_id=B)
    )


def test_an_opening_told_twice_is_one_and_one_at_another_place_is_another() -> None:
    desk = story(decider, discharged(0), held(A, arrived=5), freed(A, arrived=5)).then(
        facts.container_may_leave(1, "m1", A, at=at(3))
    )
    desk.when(discharged(60), at=at(60)).then(
        facts.equipment_event_recorded("m4", EquipmentEvent.DISCHARGED, "m1", laden=True, retells="m1", at=at(60))
    )
    desk.when(event(GATED_IN, 120, berth="depot"), at=at(120)).then(
        *came_again("m5", "m1", A, released=True, where="depot", event=GATED_IN, laden=None, at=at(120)),
        facts.container_must_stay(2, "m5", phrase("nothing_declared"), waiting_for=(), at=at(120)),
    )


def test_a_discharge_confirms_the_visit_that_an_arrival_opened() -> None:
    desk = story(decider, freed(A))
    desk.when(discharged(60), at=at(60)).then(
        facts.equipment_event_recorded("m2", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, at=at(60)),
        facts.visit_opened(arrival_of(A), laden=True),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A),
    )
    desk.when(out(90), at=at(90)).then(*goods_left("m3", arrival_of(A), A, at=at(90)))


def test_a_box_that_comes_back_empty_had_left_with_its_released_goods() -> None:
    desk = story(decider, freed(A))
    desk.when(event(GATED_IN, 9 * DAY, laden=False), at=at(9 * DAY)).then(
        facts.equipment_event_recorded("m2", GATED_IN, "m2", laden=False, at=at(9 * DAY)),
        facts.container_gated_out(arrival_of(A), "m2", A, gate="berth 1", at=at(9 * DAY)),
        facts.visit_opened("m2", laden=False, at=at(9 * DAY)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(9 * DAY)),
        facts.container_must_stay(2, "m2", phrase("nothing_declared"), waiting_for=(), at=at(9 * DAY)),
    )


def test_goods_that_did_not_leave_released_are_named_when_the_box_comes_again() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(discharged(9 * DAY), at=at(9 * DAY)).then(
        *came_again("m2", arrival_of(A), A, released=False, at=at(9 * DAY))
    )
    desk.when(freed(B, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m2", consignment_id=B, at=at(9 * DAY))
    )


def test_a_late_report_of_a_closed_visit_changes_no_other() -> None:
    """The departure of the first visit is reported when the second one is already open."""
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(discharged(9 * DAY)).then(
        *came_again("m3", "m1", A, released=True, at=at(9 * DAY)),
        facts.container_must_stay(2, "m3", phrase("nothing_declared"), waiting_for=(), at=at(9 * DAY)),
    )
    desk.when(freed(B, arrived=9 * DAY, when=9 * DAY), at=at(9 * DAY)).then(
        facts.container_arrived(visit="m3", consignment_id=B, at=at(9 * DAY)),
        facts.container_may_leave(3, "m3", B, at=at(9 * DAY)),
    )
    desk.when(out(50), at=at(9 * DAY + 10)).then(
        *goods_left("m5", "m1", A, at=at(50)), facts.container_may_leave(4, "m3", B, at=at(9 * DAY + 10))
    )


def test_a_departure_before_any_opening_names_the_goods_that_may_be_inside() -> None:
    story(decider, held(A, when=0)).when(out(30), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, "m2", where="G1", at=at(30)),
        facts.visit_closed("m2", "left_unreleased", "m2", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(
            "m2", "m2", waiting_for=(A,), alarm="left_undeclared", why="departure_outside", at=at(30)
        ),
        facts.consignment_left_unreleased(visit="m2", why="departure_outside", consignment_id=A, at=at(30)),
    )


def test_a_paper_for_a_call_whose_container_has_left_is_an_alarm() -> None:
    desk = story(decider, discharged(0, ship="EVER 012E"), freed(A, arrived=0, ship="EVER 012E"))
    desk.when(out(30), at=at(30)).when(held(B, ship="EVER 012E", when=90), at=at(90)).then(
        facts.visit_closed("m1", "left_unreleased", "m3", consignments=(A, B), at=at(30)),
        facts.gate_alarm_raised(
            "m1", "", waiting_for=(B,), alarm="left_undeclared", why="declared_after", blocks=False, at=at(30)
        ),
        facts.container_arrived(visit="m1", consignment_id=B),
        facts.consignment_left_unreleased(visit="m1", why="declared_after", consignment_id=B, at=at(30)),
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", conveyance="EVER 012E", at=at(90)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", conveyance="EVER 012E", at=at(90)),
    )


def test_a_retracted_departure_did_not_happen() -> None:
    desk = first_visit()
    desk.when(retracted("m3", sender="somebody else"), at=at(20)).then_refused("not_the_sender")
    [refusal] = desk.answer
    assert "CNTAO-4" not in refusal.model_dump()["reason"], "who told of it is not for other terminals"
    desk.when(retracted("m3"), at=at(21)).then(
        facts.equipment_event_retracted("m3", at=at(21)),
        *seen_inside(2, A, at=at(21)),
    )
    desk.when(out(40), at=at(40)).then(*goods_left("m6", arrival_of(A), A, at=at(40)))


@pytest.mark.parametrize("laden", [None, True, False])
@pytest.mark.parametrize("first", ["a", "z"])
def test_of_two_departures_of_the_same_time_the_one_told_first_is_the_departure(first: str, laden: bool | None) -> None:
    """The report with the earlier recorded time in its header counts, whatever the ids of the reports are and in
    whatever order the desk reads the reports."""
    second = "m" if first == "z" else "zz"
    gates = {first: event(OUT, 10, "G3", laden), second: event(OUT, 10, "G4", True)}
    desk = story(decider, held(A), freed(A)).when(gates[first], message_id=first, at=at(11))
    again = facts.equipment_event_recorded(second, OUT, arrival_of(A), where="G4", laden=True, retells=first, at=at(10))
    desk.when(gates[second], message_id=second, at=at(12)).then(again)
    desk = story(decider, held(A), freed(A)).when(gates[second], message_id=second, at=at(13), recorded=at(12))
    desk.when(gates[first], message_id=first, at=at(14), recorded=at(10))
    assert look(as_box(desk.state)).retells == {second: first}


def test_of_two_openings_of_the_same_time_the_one_told_first_opens_the_visit() -> None:
    desk = story(decider, held(A)).when(discharged(10), message_id="z", at=at(10))
    desk.when(discharged(10), message_id="a", at=at(12)).then(
        facts.equipment_event_recorded("a", EquipmentEvent.DISCHARGED, "z", laden=True, retells="z", at=at(10))
    )


def test_a_corrected_departure_takes_the_place_of_the_first() -> None:
    desk = first_visit()
    desk.when(event(OUT, 25, berth="G2", replaces="m3"), at=at(30)).then(
        facts.equipment_event_recorded("m4", OUT, arrival_of(A), where="G2", replaces="m3", at=at(25)),
        facts.container_gated_out(arrival_of(A), "m4", A, gate="G2", at=at(25)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(25)),
    )


def test_a_container_hold_keeps_the_box_and_every_next_visit_until_it_is_lifted() -> None:
    desk = story(decider, freed(A))
    desk.when(box_held(), message_id="hold").then(
        facts.container_hold_placed("hold", at=at(2)),
        facts.container_must_stay(2, arrival_of(A), phrase("box_held", words="a tip"), waiting_for=(), at=at(2)),
    )
    desk.when(out(30), at=at(30)).then(
        facts.equipment_event_recorded("m3", OUT, arrival_of(A), where="G1", at=at(30)),
        facts.visit_closed(arrival_of(A), "left_unreleased", "m3", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised(arrival_of(A), "m3", waiting_for=(A,), why="left_against_no", at=at(30)),
        facts.consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(30)),
    )
    desk.when(found("outside", 40), at=at(40)).when(freed(B, arrived=DAY, when=DAY), at=at(DAY)).then()
    desk.when(box_let_go("hold"), at=at(DAY + 1)).then(
        facts.container_hold_lifted("hold", at=at(DAY + 1)),
        facts.container_may_leave(4, arrival_of(B), B, at=at(DAY + 1)),
    )
    desk.when(box_let_go("hold"), at=at(DAY + 2)).then_refused("hold_unknown")


def test_a_stripped_box_has_no_yes_and_leaves_as_an_empty() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(event(STRIPPED, 30), at=at(30)).then(
        facts.equipment_event_recorded("m3", STRIPPED, "m1", at=at(30)),
        facts.container_must_stay(2, "m1", phrase("stripped"), waiting_for=(), at=at(30)),
    )
    desk.when(out(60), at=at(60)).then(
        facts.equipment_event_recorded("m4", OUT, "m1", where="G1", at=at(60)),
        facts.visit_closed("m1", "left_empty", "m4", consignments=(A,), at=at(60)),
    )


def test_an_officers_count_of_lots_adds_what_the_papers_did_not_say() -> None:
    desk = story(decider, freed(A))
    desk.when(found("inside", 5, lots=2), at=at(5)).then(
        facts.container_finding_recorded("inside", lots=2, at=at(5)),
        facts.container_must_stay(
            2,
            arrival_of(A),
            phrase("lots_released", count=1, all=2),
            phrase("others_undeclared"),
            waiting_for=(),
            at=at(5),
        ),
    )
    desk.when(freed(B, arrived=0), at=at(6)).then(
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", at=at(6)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", at=at(6)),
        facts.container_may_leave(3, arrival_of(B), B, A, at=at(6)),
    )


def test_a_report_of_a_visit_that_is_not_kept_is_refused() -> None:
    desk = story(decider)
    for number in range(25):
        begin = number * 3 * DAY
        desk.when(discharged(begin), at=at(begin))
        desk.when(event(OUT, begin + DAY, laden=False), at=at(begin + DAY))
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
    landed = discharged(0)
    messages: list[Message] = [landed, held(A, when=-5), freed(A, arrived=0, when=5), held(B, when=-4)]
    messages.append(freed(B, arrived=0, when=6))
    for order in permutations(messages):
        desk = story(decider)
        for message in order:
            desk.when(message, message_id="landed" if message is landed else None, at=at(10))
        goods = [part.consignment_id for part in as_box(desk.state).parts]
        assert sorted(goods) == sorted([A, B])
        desk.when(out(30), message_id="left", at=at(30)).then(*goods_left("left", "landed", *goods, at=at(30)))


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


# records of the previous software version

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
            desk.when(out(30), at=at(30)).then(*goods_left("m1", "before", A, at=at(30)))
        case "staying":
            desk.when(freed(A, when=5), at=at(5)).then(facts.container_may_leave(1, "before", A, at=at(5)))
        case "outside":
            desk.when(held(A, version=9), at=at(5)).then()
            desk.when(freed(B, arrived=5, when=5), at=at(6)).then(
                facts.container_may_leave(2, arrival_of(B), B, at=at(6))
            )


def test_what_the_software_version_before_released_is_spent_by_the_next_opening() -> None:
    desk = Story(decider, decider.STATE.validate_json(OLD["free"].replace(b"%s", A.encode())))
    desk.when(discharged(30), at=at(30)).then(
        *came_again("m1", "before", A, released=True, at=at(30)),
        facts.container_must_stay(2, "m1", phrase("nothing_declared"), waiting_for=(), at=at(30)),
    )
