"""Does a container leave if, and only if, every consignment in it is released?"""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.phrases import of_earlier, phrase, quoted
from schemas.release import ContainerFreed
from schemas.vocabulary import EquipmentEvent, consignment_id
from services.gate import decider
from tests import facts
from tests.gate.answers import arrival_of, goods_left
from tests.gate.boxes import A, B, C, at, freed, held, out
from tests.voice import keeps_its_promises, story


def test_a_container_may_leave_once_its_consignment_is_released() -> None:
    desk = story(decider, held()).then()
    desk.when(freed()).then(facts.container_may_leave(1, arrival_of(A), A, at=desk.at))


def test_a_shared_container_waits_for_all_of_its_consignments_in_any_order() -> None:
    messages: list[Message] = [held(A, shared_by=2), freed(A, shared_by=2), held(B, shared_by=2), freed(B, shared_by=2)]
    for order in permutations(messages):
        desk = story(decider)
        released: set[str] = set()
        for message in order:
            both_before = released == {A, B}
            released |= {message.consignment_id} if isinstance(message, ContainerFreed) else set()
            desk.when(message)
            yes = facts.container_may_leave(1, arrival_of(B), B, A, at=desk.at)
            desk.then(*[yes] if released == {A, B} and not both_before else [])


def test_a_consignment_that_the_manifest_names_and_nobody_declared_keeps_the_container() -> None:
    story(decider, freed(A, shared_by=2)).then()


def test_an_older_statement_changes_nothing() -> None:
    desk = story(decider, freed(version=4))
    desk.when(held(version=3)).then()


def test_a_called_back_consignment_stops_its_container() -> None:
    desk = story(decider, freed(version=2)).when(held(version=4))
    why = (phrase("lots_released", count=0, all=1), phrase("bill_waits", bill=A), of_earlier("waits"))
    stays = facts.container_must_stay(2, arrival_of(A), *why, waiting_for=(A,), at=desk.at)
    assert stays.reason == f"0 of 1 lots released 已放行 0/1 批; bill {A}: waits"
    desk.then(stays)


@pytest.mark.parametrize(("remark", "kept"), [("举报线索", True), ("\U0001f6a2" * 500, True), ("short", False)])
def test_why_goods_are_held_is_kept_by_codes_as_far_as_a_record_has_room_for_five_hundred_of_them(
    remark: str, kept: bool
) -> None:
    why = (phrase("refused_for"), *[quoted(remark)], *([] if kept else [phrase("named", name="n" * 500)] * 5))
    desk = story(decider, freed(version=2)).when(held(version=4).model_copy(update={"phrases": why}))
    remarks = why if kept else (of_earlier("waits"),)
    lots, bill = phrase("lots_released", count=0, all=1), phrase("bill_waits", bill=A)
    desk.then(facts.container_must_stay(2, arrival_of(A), lots, bill, *remarks, waiting_for=(A,), at=at(2)))


def test_a_declaration_withdrawn_before_its_goods_came_leaves_nothing_in_the_container() -> None:
    desk = story(decider, held())
    desk.when(freed(released=False, arrived=None)).then()
    desk.when(freed(B, arrived=5, when=5), at=at(5)).then(facts.container_may_leave(1, arrival_of(B), B, at=at(5)))


def test_goods_whose_declaration_was_withdrawn_are_still_in_the_container() -> None:
    story(decider, held(arrived=0), freed(released=False, arrived=0), freed(B)).then()


def test_a_released_container_passes_the_gate_and_each_consignment_hears_of_it() -> None:
    visit = arrival_of(A)
    story(decider, freed()).when(out(5)).then(
        facts.equipment_event_recorded("m2", EquipmentEvent.GATED_OUT, visit, where="G1", at=at(5)),
        facts.container_gated_out(visit, "m2", A, at=at(5)),
        facts.consignment_gated_out(visit=visit, consignment_id=A, at=at(5)),
    )


def test_leaving_without_release_raises_an_alarm() -> None:
    visit = arrival_of(B)
    story(decider, held(arrived=0), freed(B)).when(out(3)).then(
        facts.equipment_event_recorded("m3", EquipmentEvent.GATED_OUT, visit, where="G1", at=at(3)),
        facts.visit_closed(visit, "left_unreleased", "m3", consignments=(B, A), at=at(3)),
        facts.gate_alarm_raised(visit, "m3", waiting_for=(A,), at=at(3)),
        facts.consignment_gated_out(visit=visit, consignment_id=B, at=at(3)),
        facts.consignment_left_unreleased(visit=visit, consignment_id=A, at=at(3)),
    )


def test_an_unknown_container_that_left_raises_an_alarm() -> None:
    story(decider).when(out()).then(
        facts.equipment_event_recorded("m1", EquipmentEvent.GATED_OUT, "m1", where="G1"),
        facts.visit_closed("m1", "left_unreleased", "m1", consignments=()),
        facts.gate_alarm_raised(
            "m1", "m1", waiting_for=(), alarm="left_undeclared", why="departure_outside", blocks=False
        ),
    )


def test_a_second_report_of_one_exit_is_a_retelling() -> None:
    desk = story(decider, freed(), out(5))
    desk.when(out(6)).then(
        facts.equipment_event_recorded(
            "m3", EquipmentEvent.GATED_OUT, arrival_of(A), where="G1", retells="m2", at=at(6)
        )
    )
    desk.when(freed(B, arrived=60, when=60), at=at(60)).then(facts.container_may_leave(2, arrival_of(B), B, at=at(60)))
    desk.when(out(65)).then(*goods_left("m5", arrival_of(B), B, at=at(65)))


def test_a_number_that_is_no_container_is_sent_back_to_the_terminal() -> None:
    for number in ("NONE", "csqu3054383", "CSQU 305438-3"):
        desk = story(decider).when(out().model_copy(update={"container_no": number}))
        desk.then_refused("container_malformed")


@pytest.mark.parametrize("number", ["CSQU3054384", "ABCK1234560", "AKE12345MU", "B2"])
def test_what_was_declared_and_released_under_a_number_leaves_under_it(number: str) -> None:
    """The numbers are: one with a wrong check digit, an ILU code, the number of an air container, and a text that an
    older software version accepted although it is no container number."""
    let_go = freed().model_copy(update={"container_no": number})
    desk = story(decider, let_go)
    desk.when(out(5).model_copy(update={"container_no": number})).then(
        facts.equipment_event_recorded(
            "m2", EquipmentEvent.GATED_OUT, arrival_of(A), where="G1", container_no=number, at=at(5)
        ),
        facts.container_gated_out(arrival_of(A), "m2", A, container_no=number, at=at(5)),
        facts.consignment_gated_out(number, arrival_of(A), consignment_id=A, at=at(5)),
    )


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(), freed(), held(version=3), freed(version=4), out(9)])
    keeps_its_promises(decider, [held(), out(2)])


def test_all_who_left_in_the_last_trip_are_known_however_many_they_were() -> None:
    many = [consignment_id("91350100M000100Y43", str(number)) for number in range(60)]
    desk = story(decider, *[freed(who, shared_by=len(many)) for who in many], out(61))
    desk.when(held(many[0], version=3, arrived=0, when=70)).then(
        facts.gate_alarm_raised(
            arrival_of(min(many)),
            "",
            waiting_for=(many[0],),
            alarm="held_outside",
            why="held_after",
            blocks=False,
            at=at(61),
        )
    )
    desk.when(held(C, when=80)).then()
    desk.when(freed(C, arrived=80, when=80)).then(facts.container_may_leave(2, arrival_of(C), C, at=at(80)))
