"""Does a container leave when, and only when, every consignment in it is released?"""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import (
    ConsignmentGatedOut,
    ContainerGatedOut,
    ContainerMayLeave,
    ContainerMustStay,
    GateAlarmRaised,
    RecordGateOut,
)
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import consignment_id
from services.gate import decider
from tests.voice import NOON, Story, adds_nothing_twice, story

BOX = "CSQU3054383"
A, B, NEXT = (consignment_id("91350100M000100Y43", reference) for reference in ("a", "b", "next voyage"))


def held(who: str = A, version: int = 1, shared_by: int = 1) -> ContainerHeld:
    return ContainerHeld(
        container_no=BOX, occurred_at=NOON, consignment_id=who, shared_by=shared_by, version=version, reason="waits"
    )


def freed(who: str = A, version: int = 2, shared_by: int = 1, released: bool = True) -> ContainerFreed:
    return ContainerFreed(
        container_no=BOX, occurred_at=NOON, consignment_id=who, shared_by=shared_by, version=version, released=released
    )


def out(container_no: str = BOX) -> RecordGateOut:
    return RecordGateOut(container_no=container_no, asked_by="terminal", occurred_at=NOON, gate="G1")


def kinds(told: Story) -> list[str]:
    return [fact.kind for fact in told.said]


def test_a_container_may_leave_once_its_consignment_is_released() -> None:
    told = story(decider, held()).then().when(freed())
    assert told.said == (ContainerMayLeave(container_no=BOX, occurred_at=told.at, version=1, consignments=(A,)),)


def test_a_shared_container_waits_for_all_of_its_consignments_in_any_order() -> None:
    messages: list[Message] = [held(A, shared_by=2), freed(A, shared_by=2), held(B, shared_by=2), freed(B, shared_by=2)]
    for order in permutations(messages):
        told = story(decider)
        for number, message in enumerate(order, start=1):
            told.when(message)
            statements = [f for f in told.facts if isinstance(f, ContainerMayLeave)]
            both = {A, B} <= {m.consignment_id for m in order[:number] if isinstance(m, ContainerFreed)}
            assert bool(statements) == both
        assert isinstance(told.state, decider.Free)


def test_a_consignment_that_the_manifest_names_and_nobody_declared_keeps_the_container() -> None:
    told = story(decider, freed(A, shared_by=2))
    assert told.facts == ()


def test_an_older_statement_changes_nothing() -> None:
    told = story(decider, freed(version=4)).when(held(version=3)).then()
    assert isinstance(told.state, decider.Free)


def test_a_called_back_consignment_stops_its_container() -> None:
    told = story(decider, freed(version=2)).when(held(version=4))
    assert told.said == (
        ContainerMustStay(container_no=BOX, occurred_at=told.at, version=2, waiting_for=(A,), reason="waits"),
    )


def test_a_withdrawn_declaration_lets_nothing_leave_but_stops_counting() -> None:
    told = story(decider, held()).when(freed(released=False)).then()
    told.when(freed(B))
    assert kinds(told) == ["ContainerMayLeave"]


def test_a_released_container_passes_the_gate_and_each_consignment_hears_of_it() -> None:
    told = story(decider, freed()).when(out())
    assert told.said == (
        ContainerGatedOut(container_no=BOX, occurred_at=told.at, gate="G1", consignments=(A,)),
        ConsignmentGatedOut(consignment_id=A, occurred_at=told.at, container_no=BOX, released=True),
    )


def test_leaving_without_release_raises_an_alarm() -> None:
    told = story(decider, held(), freed(B)).when(out())
    assert kinds(told) == ["GateAlarmRaised", "ConsignmentGatedOut", "ConsignmentGatedOut"]
    alarm = told.said[0]
    assert isinstance(alarm, GateAlarmRaised) and alarm.waiting_for == (A,)


def test_an_unknown_container_that_left_raises_an_alarm() -> None:
    assert kinds(story(decider).when(out())) == ["GateAlarmRaised"]


def test_a_second_exit_is_sent_back_until_the_container_carries_something_new() -> None:
    told = story(decider, freed(), out()).when(out())
    assert told.said[0].model_dump()["code"] == "already_gated_out"
    told.when(freed(A, version=9)).then()
    told.when(freed(NEXT, version=1))
    assert kinds(told) == ["ContainerMayLeave"]
    assert kinds(told.when(out())) == ["ContainerGatedOut", "ConsignmentGatedOut"]


def test_a_number_that_is_no_container_is_sent_back_to_the_terminal() -> None:
    for number in ("NONE", "csqu3054383", "CSQU 305438-3"):
        told = story(decider).when(out(number))
        assert told.said[0].model_dump()["code"] == "container_malformed"


@pytest.mark.parametrize("number", ["CSQU3054384", "ABCK1234560", "AKE12345MU", "B2"])
def test_what_was_declared_and_released_under_a_number_leaves_under_it(number: str) -> None:
    """A wrong check digit, an ILU code, an air container, and a number of an older version's declaration that is none."""
    let_go = freed().model_copy(update={"container_no": number})
    assert kinds(story(decider, let_go).when(out(number))) == ["ContainerGatedOut", "ConsignmentGatedOut"]


def test_hearing_it_twice_adds_nothing() -> None:
    adds_nothing_twice(decider, [held(), freed(), held(version=3), freed(version=4), out()])
    adds_nothing_twice(decider, [held(), out()])


def test_all_who_left_in_the_last_trip_are_known_however_many_they_were() -> None:
    many = [consignment_id("91350100M000100Y43", str(number)) for number in range(60)]
    told = story(decider, *[freed(who, shared_by=len(many)) for who in many], out())
    told.when(held(many[0], version=3))
    assert told.said == ()
    told.when(held(NEXT)).when(freed(NEXT))
    assert isinstance(told.state, decider.Free)
    assert [part.consignment_id for part in told.state.parts] == [NEXT]
