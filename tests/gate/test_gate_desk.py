"""Does a container leave if, and only if, every consignment in it is released?"""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerMayLeave, ContainerMustStay
from schemas.phrases import of_earlier, phrase, quoted
from schemas.release import ContainerFreed
from schemas.vocabulary import EquipmentEvent, consignment_id
from services.gate import decider
from tests import facts
from tests.gate.boxes import A, B, C, at, freed, held, kinds, may_leave, out
from tests.voice import keeps_its_promises, story


def test_a_container_may_leave_once_its_consignment_is_released() -> None:
    desk = story(decider, held()).then()
    desk.when(freed()).then(facts.container_may_leave(1, f"arrival/{A}", A, at=desk.at))


def test_a_shared_container_waits_for_all_of_its_consignments_in_any_order() -> None:
    messages: list[Message] = [held(A, shared_by=2), freed(A, shared_by=2), held(B, shared_by=2), freed(B, shared_by=2)]
    for order in permutations(messages):
        desk = story(decider)
        for number, message in enumerate(order, start=1):
            desk.when(message)
            statements = [f for f in desk.facts if isinstance(f, ContainerMayLeave)]
            both = {A, B} <= {m.consignment_id for m in order[:number] if isinstance(m, ContainerFreed)}
            assert bool(statements) == both
        assert may_leave(desk)


def test_a_consignment_that_the_manifest_names_and_nobody_declared_keeps_the_container() -> None:
    desk = story(decider, freed(A, shared_by=2))
    assert desk.facts == ()


def test_an_older_statement_changes_nothing() -> None:
    desk = story(decider, freed(version=4)).when(held(version=3)).then()
    assert may_leave(desk)


def test_a_called_back_consignment_stops_its_container() -> None:
    desk = story(decider, freed(version=2)).when(held(version=4))
    why = (phrase("lots_released", count=0, all=1), phrase("bill_waits", bill=A), of_earlier("waits"))
    stays = facts.container_must_stay(2, f"arrival/{A}", *why, waiting_for=(A,), at=desk.at)
    assert stays.reason == f"0 of 1 lots released 已放行 0/1 批; bill {A}: waits"
    desk.then(stays)


@pytest.mark.parametrize(("remark", "kept"), [("举报线索", True), ("\U0001f6a2" * 500, True), ("short", False)])
def test_why_goods_are_held_is_kept_by_codes_as_far_as_a_record_has_room_for_five_hundred_of_them(
    remark: str, kept: bool
) -> None:
    why = (phrase("refused_for"), *[quoted(remark)], *([] if kept else [phrase("named", name="n" * 500)] * 5))
    desk = story(decider, freed(version=2)).when(held(version=4).model_copy(update={"phrases": why}))
    (fact,) = desk.answer
    assert isinstance(fact, ContainerMustStay)
    assert fact.phrases[2:] == (why if kept else (of_earlier("waits"),))


def test_a_declaration_withdrawn_before_its_goods_came_leaves_nothing_in_the_container() -> None:
    desk = story(decider, held()).when(freed(released=False, arrived=None)).then()
    desk.when(freed(B, arrived=5, when=5), at=at(5))
    desk.then(facts.container_may_leave(1, f"arrival/{B}", B, at=desk.at))


def test_goods_whose_declaration_was_withdrawn_are_still_in_the_container() -> None:
    desk = story(decider, held(arrived=0), freed(released=False, arrived=0), freed(B))
    assert not may_leave(desk)


def test_a_released_container_passes_the_gate_and_each_consignment_hears_of_it() -> None:
    visit = f"arrival/{A}"
    story(decider, freed()).when(out(5)).then(
        facts.equipment_event_recorded("m2", EquipmentEvent.GATED_OUT, visit, where="G1", at=at(5)),
        facts.container_gated_out(visit, "m2", A, at=at(5)),
        facts.consignment_gated_out(visit=visit, consignment_id=A, at=at(5)),
    )


def test_leaving_without_release_raises_an_alarm() -> None:
    visit = f"arrival/{B}"
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
    desk = story(decider, freed(), out(5)).when(out(6))
    assert kinds(desk) == ["EquipmentEventRecorded"]
    assert desk.answer[0].model_dump()["retells"] == "m2"
    desk.when(freed(B, arrived=60, when=60), at=at(60))
    assert kinds(desk) == ["ContainerMayLeave"]
    assert kinds(desk.when(out(65)))[1:] == ["ContainerGatedOut", "ConsignmentGatedOut"]


def test_a_number_that_is_no_container_is_sent_back_to_the_terminal() -> None:
    for number in ("NONE", "csqu3054383", "CSQU 305438-3"):
        desk = story(decider).when(out().model_copy(update={"container_no": number}))
        desk.then_refused("container_malformed")


@pytest.mark.parametrize("number", ["CSQU3054384", "ABCK1234560", "AKE12345MU", "B2"])
def test_what_was_declared_and_released_under_a_number_leaves_under_it(number: str) -> None:
    """The numbers are one with a wrong check digit, an ILU code, an air container, and a text of an older version that
    is no container number."""
    let_go = freed().model_copy(update={"container_no": number})
    desk = story(decider, let_go).when(out(5).model_copy(update={"container_no": number}))
    assert kinds(desk)[1:] == ["ContainerGatedOut", "ConsignmentGatedOut"]


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(), freed(), held(version=3), freed(version=4), out(9)])
    keeps_its_promises(decider, [held(), out(2)])


def test_all_who_left_in_the_last_trip_are_known_however_many_they_were() -> None:
    many = [consignment_id("91350100M000100Y43", str(number)) for number in range(60)]
    desk = story(decider, *[freed(who, shared_by=len(many)) for who in many], out(61))
    desk.when(held(many[0], version=3, arrived=0, when=70))
    assert kinds(desk) == ["GateAlarmRaised"]  # the goods were held after they had left
    desk.when(held(C, when=80)).when(freed(C, arrived=80, when=80))
    assert kinds(desk) == ["ContainerMayLeave"]
    assert desk.answer[0].model_dump()["consignments"] == (C,)
