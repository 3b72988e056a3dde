"""What counts if an event time is exactly on a limit, and when is it certain with which visit goods have left?"""

import pytest

from schemas.envelope import Message
from schemas.phrases import phrase, sentence
from schemas.vocabulary import EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.may_leave import answer
from services.gate.visits import look
from tests import facts
from tests.gate.answers import arrival_of, came_again, goods_left, goods_left_unreleased, visit_opened_by
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
    retracted,
)
from tests.voice import Story, story

OUT, STRIPPED, STUFFED = EquipmentEvent.GATED_OUT, EquipmentEvent.STRIPPED, EquipmentEvent.STUFFED
SKEW = 15
"""Minutes by which clocks may differ."""


def next_visit(desk: Story) -> Story:
    """Lets the container leave, lets an officer find it outside, and lets it come again with new goods, which are
    released."""
    desk.when(out(90), message_id="left", at=at(90)).when(found("outside", 100), at=at(100))
    desk.when(discharged(9 * DAY), message_id="again", at=at(9 * DAY))
    return desk.when(freed(C, arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5))


NEW_GOODS_ARRIVED = facts.container_arrived(visit="again", consignment_id=C, at=at(9 * DAY))
NEW_GOODS_MAY_LEAVE = facts.container_may_leave(3, "again", C, at=at(9 * DAY + 5))


# goods whose arrival the release desk did not state: with which visit did they leave?


def test_goods_that_the_gate_told_to_have_arrived_have_left_with_that_visit_and_keep_no_other() -> None:
    desk = story(decider, held(B, when=-5), discharged(0)).then(*visit_opened_by("m2", B, at=at(0)))
    next_visit(desk).then(NEW_GOODS_ARRIVED, NEW_GOODS_MAY_LEAVE)


def test_goods_that_name_the_call_of_a_visit_have_left_with_it_and_keep_no_other() -> None:
    """The gate desk publishes no arrival of goods in a container that came empty, so only the conveyance shows to which
    visit they belong."""
    desk = story(decider, discharged(0, "S 1", laden=False)).then(
        *visit_opened_by("m1", laden=False, conveyance="S 1", at=at(0))
    )
    desk.when(held(B, ship="S 1", when=60)).then()
    next_visit(desk).then(NEW_GOODS_ARRIVED, NEW_GOODS_MAY_LEAVE)


@pytest.mark.parametrize("ship", ["", "S 1"])
def test_goods_of_which_neither_is_known_keep_the_visit_that_is_open(ship: str) -> None:
    desk = story(decider, discharged(0), held(B, ship=ship, when=60))
    next_visit(desk).then(NEW_GOODS_ARRIVED)
    box = as_box(desk.state)
    assert [part.consignment_id for part in look(box).doubtful] == [B]


def test_goods_that_name_another_call_than_the_open_visit_do_not_keep_it() -> None:
    desk = story(decider, discharged(0), held(B, ship="S 1", when=60))
    desk.when(out(90), at=at(90)).when(found("outside", 100), at=at(100))
    desk.when(discharged(9 * DAY, "T 2"), at=at(9 * DAY))
    desk.when(freed(C, ship="T 2", arrived=9 * DAY + 5, when=9 * DAY + 5), at=at(9 * DAY + 5)).then(
        facts.container_arrived(visit="m5", consignment_id=C, at=at(9 * DAY)),
        facts.container_may_leave(3, "m5", C, at=at(9 * DAY + 5)),
    )
    assert look(as_box(desk.state)).doubtful == []


def test_a_paper_that_is_taken_back_in_the_moment_of_the_opening_was_in_the_box() -> None:
    desk = story(decider, held(A), freed(A, released=False, arrived=None, when=10), discharged(10))
    desk.when(out(30)).then(
        facts.equipment_event_recorded("m4", OUT, "m3", where="G1", at=at(30)),
        facts.visit_closed("m3", "left_unreleased", "m4", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised("m3", "m4", waiting_for=(A,), why="left_against_no", at=at(30)),
    )


# exactly on a limit


def test_a_paper_within_the_skew_after_the_departure_was_there_before() -> None:
    came = discharged(0, "S 1"), held(B, arrived=0, ship="S 1"), freed(B, arrived=0, ship="S 1")
    desk = story(decider, *came).when(out(100), at=at(100))
    before = 100 + SKEW
    desk.when(held(A, ship="S 1", when=before), at=at(before)).then(
        facts.visit_closed("m1", "left_unreleased", "m4", consignments=(B, A), at=at(100)),
        facts.gate_alarm_raised("m1", "m4", waiting_for=(A,), at=at(100)),
        facts.container_arrived(visit="m1", consignment_id=A),
        facts.consignment_left_unreleased(visit="m1", consignment_id=A, at=at(100)),
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", conveyance="S 1", at=at(115)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", conveyance="S 1", at=at(115)),
    )
    desk = story(decider, *came).when(out(100), at=at(100))
    after = 101 + SKEW
    desk.when(held(A, ship="S 1", when=after), at=at(after)).then(
        facts.visit_closed("m1", "left_unreleased", "m4", consignments=(B, A), at=at(100)),
        facts.gate_alarm_raised(
            "m1", "", waiting_for=(A,), alarm="left_undeclared", why="declared_after", blocks=False, at=at(100)
        ),
        facts.container_arrived(visit="m1", consignment_id=A),
        facts.consignment_left_unreleased(visit="m1", why="declared_after", consignment_id=A, at=at(100)),
        facts.same_goods_declared(B, A, rule="one_declaration_a_box", conveyance="S 1", at=at(116)),
        facts.same_goods_declared(A, B, rule="one_declaration_a_box", conveyance="S 1", at=at(116)),
    )


def test_a_permit_within_the_skew_after_the_departure_covers_it() -> None:
    def permitted_at(minutes: float) -> Story:
        desk = story(decider, discharged(0, "S 1")).when(out(100), at=at(100))
        desk.when(held(A, ship="S 1", when=115, refused=True), at=at(115))
        return desk.when(permitted(A, ExitGround.RETURN), at=at(minutes))

    permitted_at(100 + SKEW).then(
        facts.exit_permitted(A, ExitGround.RETURN, "", at=at(115)),
        facts.departure_retracted(visit="m1", consignment_id=A, at=at(115)),
        facts.consignment_gated_out(visit="m1", consignment_id=A, at=at(100)),
    )
    permitted_at(101 + SKEW).then(facts.exit_permitted(A, ExitGround.RETURN, "", at=at(116)))


def test_a_permit_covers_the_moment_in_which_it_ends() -> None:
    goods = held(A, 1, bill="1", arrived=0, refused=True), held(B, 1, bill="2", arrived=0)
    desk = story(decider, *goods).when(permitted(A, ExitGround.RETURN), at=at(5))
    desk.when(held(A, 3, bill="1", arrived=0, when=60), at=at(60)).when(out(60), at=at(90)).then(
        facts.equipment_event_recorded("m5", OUT, arrival_of(B), where="G1", at=at(60)),
        facts.visit_closed(arrival_of(B), "left_unreleased", "m5", consignments=(B, A), at=at(60)),
        facts.gate_alarm_raised(arrival_of(B), "m5", waiting_for=(B,), at=at(60)),
        facts.gate_alarm_raised(
            arrival_of(B), "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(60)
        ),
        facts.consignment_left_unreleased(visit=arrival_of(B), consignment_id=B, at=at(60)),
        facts.consignment_gated_out(visit=arrival_of(B), consignment_id=A, at=at(60)),
    )
    desk = story(decider, *goods).when(permitted(A, ExitGround.RETURN), at=at(5))
    desk.when(held(A, 3, bill="1", arrived=0, when=60), at=at(60)).when(out(61), at=at(90)).then(
        *goods_left_unreleased("m5", arrival_of(B), B, A, at=at(61))
    )


def test_a_yes_covers_departures_up_to_the_skew_before_it() -> None:
    visit = arrival_of(A)
    desk = story(decider, held(A, arrived=0)).when(freed(A, when=90), at=at(90))
    desk.when(out(90 - SKEW), at=at(95)).then(*goods_left("m3", visit, A, at=at(75)))
    desk = story(decider, held(A, arrived=0)).when(freed(A, when=90), at=at(90))
    desk.when(out(89 - SKEW), at=at(95)).then(
        facts.equipment_event_recorded("m3", OUT, visit, where="G1", at=at(74)),
        facts.visit_closed(visit, "left_unreleased", "m3", consignments=(A,), at=at(74)),
        facts.gate_alarm_raised(visit, "m3", waiting_for=(A,), why="left_before", at=at(74)),
        facts.consignment_left_unreleased(visit=visit, why="left_before", consignment_id=A, at=at(74)),
        facts.container_must_stay(2, "", phrase("alarm_waits"), phrase("left_before"), waiting_for=(A,), at=at(95)),
    )


def test_a_yes_does_not_cover_the_moment_in_which_it_ends() -> None:
    visit = arrival_of(A)
    desk = story(decider, freed(A, arrived=0, when=0)).when(held(A, 3, arrived=0, when=50), at=at(50))
    desk.when(out(49), at=at(60)).then(
        facts.equipment_event_recorded("m3", OUT, visit, where="G1", at=at(49)),
        facts.container_gated_out(visit, "m3", A, at=at(49)),
        facts.gate_alarm_raised(
            visit, "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(49)
        ),
        facts.consignment_gated_out(visit=visit, consignment_id=A, at=at(49)),
    )
    desk = story(decider, freed(A, arrived=0, when=0)).when(held(A, 3, arrived=0, when=50), at=at(50))
    desk.when(out(50), at=at(60)).then(
        facts.equipment_event_recorded("m3", OUT, visit, where="G1", at=at(50)),
        facts.visit_closed(visit, "left_unreleased", "m3", consignments=(A,), at=at(50)),
        facts.gate_alarm_raised(visit, "m3", waiting_for=(A,), why="left_against_no", at=at(50)),
        facts.gate_alarm_raised(
            visit, "", waiting_for=(A,), alarm="held_outside", why="held_after", blocks=False, at=at(50)
        ),
        facts.consignment_gated_out(visit=visit, consignment_id=A, at=at(50)),
    )


@pytest.mark.parametrize(("before", "one_visit"), [(SKEW, True), (SKEW + 1, False)])
@pytest.mark.parametrize("opening", [discharged(100), held(A, arrived=100, when=101)], ids=["discharge", "arrival"])
def test_a_departure_within_the_skew_before_an_opening_is_of_that_visit(
    opening: Message, before: float, one_visit: bool
) -> None:
    desk = story(decider).when(out(100 - before), at=at(130)).when(opening, at=at(131))
    assert [visit.how for visit in look(as_box(desk.state)).visits] == (["gated_out"] if one_visit else ["stray", ""])


def test_a_discharge_confirms_an_arrival_that_names_its_call_for_a_week() -> None:
    week = 7 * DAY
    desk = story(decider, freed(A, ship="S 1", arrived=0))
    desk.when(discharged(week, "S 1"), at=at(week)).then(
        facts.equipment_event_recorded(
            "m2", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, conveyance="S 1", at=at(7 * DAY)
        ),
        facts.visit_opened(arrival_of(A), laden=True, conveyance="S 1"),
        facts.container_arrived(visit=arrival_of(A), consignment_id=A),
    )
    desk = story(decider, freed(A, ship="S 1", arrived=0))
    desk.when(discharged(week + 1, "S 1"), at=at(week + 1)).then(
        *came_again("m2", arrival_of(A), A, released=True, conveyance="S 1", at=at(7 * DAY + 1)),
        facts.container_must_stay(2, "m2", phrase("nothing_declared"), waiting_for=(), at=at(7 * DAY + 1)),
    )


def test_an_opening_is_told_again_for_a_day() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(discharged(DAY), at=at(DAY)).then(
        facts.equipment_event_recorded("m3", EquipmentEvent.DISCHARGED, "m1", laden=True, retells="m1", at=at(DAY))
    )
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(discharged(DAY + 1), at=at(DAY + 1)).then(
        *came_again("m3", "m1", A, released=True, at=at(DAY + 1)),
        facts.container_must_stay(2, "m3", phrase("nothing_declared"), waiting_for=(), at=at(DAY + 1)),
    )


def test_a_box_that_was_stripped_and_stuffed_in_one_moment_is_not_empty() -> None:
    desk = story(decider, discharged(0), event(STRIPPED, 50), event(STUFFED, 50))
    box = as_box(desk.state)
    assert "officer counts" in sentence(*answer(box, look(box)).why)


def test_goods_that_arrived_in_the_moment_of_the_stripping_left_by_their_bill() -> None:
    desk = story(decider, discharged(0), freed(A, bill="1", arrived=50), event(STRIPPED, 50), event(STUFFED, 60))
    desk.when(freed(B, bill="2", arrived=60, when=62)).when(found("inside", 70, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(70)), facts.container_may_leave(4, "m1", B, at=at(70))
    )


def test_a_count_of_the_moment_of_the_stuffing_counts() -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STUFFED, 60), at=at(60))
    desk.when(found("inside", 60, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(60)), facts.container_may_leave(3, "m1", A, at=at(70))
    )
    desk = story(decider, discharged(0), freed(A, arrived=0)).when(event(STUFFED, 60), at=at(60))
    desk.when(found("inside", 59, lots=1), at=at(70)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(59))
    )


def test_goods_that_arrived_by_the_moment_of_the_stripping_went_into_the_other_container() -> None:
    """Goods that arrived by the moment of the stripping are expected in the other container, and held there. Goods that
    arrived later are still in this container."""
    into = event(STRIPPED, 50).model_copy(update={"targets": ("TEMU1000001",)})
    desk = story(decider, discharged(0), held(A, arrived=50, when=52), into).then(
        facts.equipment_event_recorded("m3", STRIPPED, "m1", targets=("TEMU1000001",), at=at(50)),
        facts.goods_transferred("m1", "m3", "TEMU1000001", consignment_id=A, at=at(50)),
    )
    desk.when(event(OUT, 60, laden=False), at=at(60)).then(
        facts.equipment_event_recorded("m4", OUT, "m1", laden=False, at=at(60)),
        facts.visit_closed("m1", "left_empty", "m4", consignments=(A,), at=at(60)),
    )
    desk = story(decider, discharged(0), held(A, arrived=51, when=52), into).then(
        facts.equipment_event_recorded("m3", STRIPPED, "m1", targets=("TEMU1000001",), at=at(50))
    )
    desk.when(event(OUT, 60, laden=False), at=at(60)).then(
        facts.equipment_event_recorded("m4", OUT, "m1", laden=False, at=at(60)),
        facts.visit_closed("m1", "left_empty", "m4", consignments=(A,), at=at(60)),
        facts.gate_alarm_raised(
            "m1", "m4", waiting_for=(A,), alarm="empty_left_laden", why="empty_laden", gate="berth 1", at=at(60)
        ),
        facts.consignment_left_unreleased(visit="m1", why="empty_laden", consignment_id=A, at=at(60)),
    )


def test_a_stripping_that_is_taken_back_leaves_its_goods_in_the_container() -> None:
    into = event(STRIPPED, 50).model_copy(update={"targets": ("TEMU1000001",)})
    desk = story(decider, discharged(0), held(A, arrived=5)).when(into, message_id="wrong")
    desk.when(retracted("wrong")).then(
        facts.equipment_event_retracted("wrong", at=at(4)),
        facts.transfer_retracted("m1", "wrong", consignment_id=A, at=at(4)),
    )
    desk.when(event(OUT, 60, laden=False), at=at(60)).then(
        facts.equipment_event_recorded("m5", OUT, "m1", laden=False, at=at(60)),
        facts.visit_closed("m1", "left_empty", "m5", consignments=(A,), at=at(60)),
        facts.gate_alarm_raised(
            "m1", "m5", waiting_for=(A,), alarm="empty_left_laden", why="empty_laden", gate="berth 1", at=at(60)
        ),
        facts.consignment_left_unreleased(visit="m1", why="empty_laden", consignment_id=A, at=at(60)),
    )
    desk = story(decider, discharged(0), held(A, arrived=5))
    desk.when(into, message_id="wrong").then(
        facts.equipment_event_recorded("wrong", STRIPPED, "m1", targets=("TEMU1000001",), at=at(50)),
        facts.goods_transferred("m1", "wrong", "TEMU1000001", consignment_id=A, at=at(50)),
    )
    desk.when(into.model_copy(update={"replaces": "wrong", "targets": ("TEMU1000002",)})).then(
        facts.equipment_event_recorded("m4", STRIPPED, "m1", replaces="wrong", targets=("TEMU1000002",), at=at(50)),
        facts.transfer_retracted("m1", "wrong", consignment_id=A, at=at(50)),
        facts.goods_transferred("m1", "m4", "TEMU1000002", consignment_id=A, at=at(50)),
    )


def test_all_goods_that_came_in_the_moment_of_an_opening_left_with_the_departure_of_a_clock_that_was_behind() -> None:
    desk = story(decider, held(A, arrived=10, bill="1"), held(B, arrived=10, bill="2"))
    desk.when(event(OUT, 8), at=at(20)).then(
        facts.equipment_event_recorded("m3", OUT, arrival_of(B), at=at(8)),
        facts.visit_closed(arrival_of(B), "left_unreleased", "m3", consignments=(B, A), at=at(10)),
        facts.gate_alarm_raised(arrival_of(B), "m3", waiting_for=(B, A), gate="berth 1", at=at(10)),
        facts.consignment_left_unreleased(visit=arrival_of(B), consignment_id=B, at=at(10)),
        facts.consignment_left_unreleased(visit=arrival_of(B), consignment_id=A, at=at(10)),
    )
    assert [visit.how for visit in look(as_box(desk.state)).visits] == ["gated_out"]
