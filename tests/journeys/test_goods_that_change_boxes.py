"""If goods are stripped from one container into another, do they keep their releases and holds, and may the other
container leave only if nothing holds any of its goods?

The test runs the gate desk of each container and the release desk of each consignment. The messages of different topics
are read in any order.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Fact, Hearing, Request
from schemas.gate import (
    GateAlarmRaised,
    LiftContainerHold,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractEquipmentEvent,
)
from schemas.phrases import sentence
from schemas.release import LiftHold, PlaceHold, ReleaseGranted, ReportArrival
from schemas.vocabulary import EquipmentEvent, consignment_id
from services.gate import decider as gate
from services.gate.box import as_box
from services.gate.may_leave import answer
from services.gate.visits import look
from services.release import decider as release
from services.shell.deciding import decide_message
from tests.declaration.good import BOX
from tests.facts import consignment_assessed
from tests.release.requests import OTHER_BOX
from tests.voice import NOON

THIRD = "TEMU1000001"
X, Y, Z = (consignment_id("91350100M000100Y43", reference) for reference in "xyz")
DESKS: dict[str, Any] = {"gate": gate, "release": release}
HEARS: dict[str, tuple[type, ...]] = {"gate": gate.Input.__args__, "release": release.Input.__args__}


@dataclass
class Quay:
    """Containers, goods, and the topics between the desks. A topic keeps the order of messages with one key; there is
    no order between two topics."""

    dice: Random = field(default_factory=lambda: Random(0))
    states: dict[tuple[str, str], Any] = field(default_factory=dict)
    topics: dict[tuple[str, str, str], deque[tuple[str, Fact | Request]]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    count: int = 0
    dead: frozenset[str] = frozenset()
    """The desks that are down and read nothing."""

    @property
    def at(self) -> Any:
        return NOON + timedelta(minutes=self.count)

    def say(self, topic: str, message_id: str, message: Fact | Request) -> None:
        for desk, kinds in HEARS.items():
            if isinstance(message, kinds):
                self.topics.setdefault((desk, topic, str(message.key)), deque()).append((message_id, message))

    def ask(self, message: Any) -> str:
        self.count += 1
        self.say("requests", f"r{self.count}", message)
        return f"r{self.count}"

    def hear_one(self) -> bool:
        waiting = [topic for topic, queue in sorted(self.topics.items()) if queue and topic[0] not in self.dead]
        if not waiting:
            return False
        topic = self.dice.choice(waiting)
        desk, _, key = topic
        message_id, message = self.topics[topic].popleft()
        self.count += 1
        decider, hearing = DESKS[desk], Hearing(self.at, message_id, self.count)
        state = self.states.get((desk, key), decider.INITIAL)
        facts, state = decide_message(decider, state, message, hearing, desk)
        self.states[desk, key] = decider.STATE.validate_json(decider.STATE.dump_json(state))
        for number, fact in enumerate(facts):
            self.facts.append(fact)
            self.say(desk, f"{desk}/{message_id}/{number}", fact)
        return True

    def settle(self) -> "Quay":
        while self.hear_one():
            pass
        return self

    # requests of people

    def goods(self, name: str, box: str, shared_by: int, bill: str) -> None:
        known = consignment_assessed(containers=(box,)).model_copy(update={"consignment_id": name, "bill_no": bill})
        boxes = tuple([each.model_copy(update={"shared_by": shared_by}) for each in known.containers])
        self.say("risk", f"assessed {name}", known.model_copy(update={"containers": boxes}))
        self.ask(ReportArrival(consignment_id=name, asked_by="carrier", occurred_at=self.at, place="quay"))

    def hold(self, name: str) -> str:
        return self.ask(PlaceHold(consignment_id=name, asked_by="officer-1", occurred_at=self.at, reason="a tip"))

    def lift(self, name: str, hold: str) -> None:
        lifted = {"consignment_id": name, "asked_by": "officer-1", "occurred_at": self.at, "reason": "nothing found"}
        self.ask(LiftHold(hold_id=f"officer/{hold}", **lifted))

    def hold_box(self, box: str) -> str:
        return self.ask(PlaceContainerHold(container_no=box, asked_by="officer-1", occurred_at=self.at, reason="a tip"))

    def lift_box(self, box: str, hold: str) -> None:
        lifted = {"container_no": box, "asked_by": "officer-1", "occurred_at": self.at, "reason": "nothing found"}
        self.ask(LiftContainerHold(hold_id=hold, **lifted))

    def holds_of(self, name: str) -> list[str]:
        return [hold.hold_id for hold in self.states["release", name].stated]

    def event(self, box: str, event: EquipmentEvent, **fields: Any) -> str:
        common = {"container_no": box, "asked_by": "terminal", "occurred_at": self.at, "place": "shed 4"}
        return self.ask(RecordEquipmentEvent(event=event, **common, **fields))

    def retract(self, box: str, report: str) -> None:
        fields = {"container_no": box, "asked_by": "terminal", "occurred_at": self.at, "reason": "another box"}
        self.ask(RetractEquipmentEvent(report_id=report, **fields))

    def out(self, box: str) -> None:
        self.ask(RecordGateOut(container_no=box, asked_by="terminal", occurred_at=self.at, gate="G1"))

    def may_leave(self, box: str) -> bool:
        return as_box(self.states.get(("gate", box), gate.INITIAL)).published == "leave"

    def why(self, box: str) -> str:
        known = as_box(self.states["gate", box])
        why = answer(known, look(known)).why
        return sentence(*why) if why else ""

    def said_of(self, name: str) -> list[str]:
        wanted = (
            *("GoodsTransferred", "TransferRetracted"),
            *("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted"),
        )
        return [fact.kind for fact in self.facts if fact.kind in wanted and fact.key == name]


def shared_box(dice: Random | None = None) -> Quay:
    """X and Y are in one container and both released. There is a second, empty container."""
    quay = Quay(dice or Random(0))
    quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    quay.event(OTHER_BOX, EquipmentEvent.GATED_IN, laden=False)
    quay.goods(X, BOX, 2, "BL X")
    quay.goods(Y, BOX, 2, "BL Y")
    return quay.settle()


def moved(quay: Quay, source: str = BOX, target: str = OTHER_BOX) -> Quay:
    quay.event(source, EquipmentEvent.STRIPPED, targets=(target,))
    quay.event(target, EquipmentEvent.STUFFED, sources=(source,))
    return quay.settle()


def test_released_goods_leave_in_the_container_into_which_they_went_and_the_stripped_one_leaves_empty() -> None:
    quay = shared_box()
    assert quay.may_leave(BOX) and not quay.may_leave(OTHER_BOX)
    moved(quay)
    assert not quay.may_leave(BOX) and quay.may_leave(OTHER_BOX)
    assert [f for f in quay.facts if isinstance(f, ReleaseGranted) and f.key == X][-1].containers == (OTHER_BOX,)
    quay.event(BOX, EquipmentEvent.GATED_OUT, laden=False)
    quay.out(OTHER_BOX)
    quay.settle()
    for name in (X, Y):
        assert quay.said_of(name) == ["GoodsTransferred", "ConsignmentGatedOut"]
    assert not [fact for fact in quay.facts if isinstance(fact, GateAlarmRaised)]
    assert release.deadlines(quay.states["release", X]) == (), "it has left, and nothing of it is in the first one"


def test_one_held_lot_keeps_the_container_into_which_all_of_them_went() -> None:
    quay = shared_box()
    hold = quay.hold(Y)
    moved(quay.settle())
    assert not quay.may_leave(OTHER_BOX) and "1 of 2 lots" in quay.why(OTHER_BOX)
    quay.lift(Y, hold)
    assert quay.settle().may_leave(OTHER_BOX)
    quay.hold(X)
    assert not quay.settle().may_leave(OTHER_BOX), "a hold follows the goods"


def test_goods_that_were_held_when_they_were_stripped_have_not_left_with_the_empty_container() -> None:
    quay = shared_box()
    hold = quay.hold(Y)
    moved(quay.settle())
    quay.event(BOX, EquipmentEvent.GATED_OUT, laden=False)
    quay.settle()
    assert quay.said_of(Y) == ["GoodsTransferred"] and not [f for f in quay.facts if isinstance(f, GateAlarmRaised)]
    quay.lift(Y, hold)
    assert quay.settle().may_leave(OTHER_BOX)


@pytest.mark.parametrize("seed", range(20))
def test_the_hold_on_a_container_is_not_shed_by_taking_its_goods_into_another_one(seed: int) -> None:
    quay = shared_box(Random(seed))
    hold = quay.hold_box(BOX)
    stripping = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX,))
    assert not quay.settle().may_leave(OTHER_BOX)
    assert quay.holds_of(X) == quay.holds_of(Y) == [f"officer/stripping/{stripping}"]
    quay.lift_box(BOX, hold)
    assert not quay.settle().may_leave(OTHER_BOX), "an officer looks at the goods, too"
    for name in (X, Y):
        quay.lift(name, f"stripping/{stripping}")
    assert quay.settle().may_leave(OTHER_BOX)


@pytest.mark.parametrize("seed", range(20))
def test_goods_come_back_into_the_held_container_by_a_retraction_of_the_stripping(seed: int) -> None:
    quay = shared_box(Random(seed))
    hold = quay.hold_box(BOX)
    stripping = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.settle()
    quay.retract(BOX, stripping)
    assert not quay.settle().may_leave(BOX) and quay.holds_of(X) == []
    quay.lift_box(BOX, hold)
    assert quay.settle().may_leave(BOX)


def test_goods_that_were_stripped_before_the_hold_or_after_its_end_are_not_kept_by_it() -> None:
    before = moved(shared_box())
    before.hold_box(BOX)
    assert before.settle().may_leave(OTHER_BOX)
    after = shared_box()
    after.lift_box(BOX, after.hold_box(BOX))
    assert moved(after.settle()).may_leave(OTHER_BOX)


def test_an_alarm_that_keeps_a_container_keeps_what_is_stripped_from_it() -> None:
    """A report says that X left in the container without release. Then the container came again, so X may still be in
    it, beside Y, which is released."""
    quay = Quay()
    quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    quay.event(OTHER_BOX, EquipmentEvent.GATED_IN, laden=False)
    quay.goods(X, BOX, 1, "BL X")
    quay.hold(X)
    quay.settle()
    quay.out(BOX)
    quay.settle()
    quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    quay.goods(Y, BOX, 1, "BL Y")
    moved(quay.settle())
    assert not quay.may_leave(OTHER_BOX)
    [hold] = quay.holds_of(Y)
    quay.lift(Y, hold.removeprefix("officer/"))
    assert quay.settle().may_leave(OTHER_BOX)


def test_goods_leave_only_when_the_release_desk_has_spoken_of_each_lot_in_the_new_container() -> None:
    quay = shared_box()
    quay.dead = frozenset({"release"})
    moved(quay)
    assert not quay.may_leave(OTHER_BOX) and f"stuffed out of {BOX}" in quay.why(OTHER_BOX)
    quay.dead = frozenset()
    assert quay.settle().may_leave(OTHER_BOX)


def test_a_stuffing_out_of_a_container_that_was_not_told_to_be_stripped_waits() -> None:
    quay = shared_box()
    quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX,))
    quay.goods(Z, OTHER_BOX, 1, "BL Z")
    assert not quay.settle().may_leave(OTHER_BOX)
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    assert quay.settle().may_leave(OTHER_BOX)


def test_a_stuffing_that_names_no_source_waits_for_an_officers_count() -> None:
    quay = moved(shared_box())
    quay.event(OTHER_BOX, EquipmentEvent.STUFFED)
    assert not quay.settle().may_leave(OTHER_BOX) and "officer counts" in quay.why(OTHER_BOX)
    finding = {"container_no": OTHER_BOX, "asked_by": "officer-1", "occurred_at": quay.at, "reason": "counted"}
    quay.ask(RecordContainerFinding(found="inside", lots=2, **finding))
    assert quay.settle().may_leave(OTHER_BOX)


def strip_into(quay: Quay, target: str) -> Quay:
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(target,))
    return quay.settle()


def came_empty(quay: Quay) -> None:
    quay.event(THIRD, EquipmentEvent.GATED_IN, laden=False)


def was_never_seen(quay: Quay) -> None:
    pass


def left_before(quay: Quay) -> None:
    quay.event(THIRD, EquipmentEvent.GATED_IN, laden=False)
    quay.event(THIRD, EquipmentEvent.GATED_OUT, laden=False)


@pytest.mark.parametrize("begun", [came_empty, was_never_seen, left_before])
def test_no_container_leaves_with_goods_that_were_stripped_into_it_before_it_was_told_to_be_stuffed(begun: Any) -> None:
    quay = shared_box()
    begun(quay)
    strip_into(quay.settle(), THIRD)
    assert not quay.may_leave(THIRD) and "nobody has told that they were put in" in quay.why(THIRD)
    if begun is not left_before:
        quay.event(THIRD, EquipmentEvent.STUFFED, sources=(BOX,))
        assert quay.settle().may_leave(THIRD)


@pytest.mark.parametrize("laden", [True, None])
def test_goods_that_are_stripped_into_a_laden_container_say_nothing_of_the_goods_that_it_brought(
    laden: bool | None,
) -> None:
    quay = shared_box()
    quay.event(THIRD, EquipmentEvent.DISCHARGED, laden=laden)
    moved(quay.settle(), BOX, THIRD)
    assert not quay.may_leave(THIRD) and "nothing is declared" in quay.why(THIRD)
    quay.goods(Z, THIRD, 1, "BL Z")
    assert quay.settle().may_leave(THIRD), "its own goods are declared and released, too"


def test_a_count_from_before_goods_were_stripped_into_a_container_counts_no_more() -> None:
    quay = shared_box()
    quay.event(THIRD, EquipmentEvent.DISCHARGED, laden=True)
    finding = {"container_no": THIRD, "asked_by": "officer-1", "occurred_at": quay.at, "reason": "counted"}
    quay.ask(RecordContainerFinding(found="inside", lots=2, **finding))
    quay.settle()
    strip_into(quay, THIRD)
    assert not quay.may_leave(THIRD)


def test_goods_of_two_containers_in_a_third_all_count() -> None:
    quay = shared_box()
    quay.event(THIRD, EquipmentEvent.DISCHARGED, laden=True)
    quay.goods(Z, THIRD, 1, "BL Z")
    hold = quay.hold(Z)
    quay.settle()
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.event(THIRD, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX, THIRD))
    assert not quay.settle().may_leave(OTHER_BOX)
    quay.lift(Z, hold)
    assert quay.settle().may_leave(OTHER_BOX)


def test_goods_that_went_into_two_containers_are_held_in_both() -> None:
    quay = shared_box()
    quay.event(THIRD, EquipmentEvent.GATED_IN, laden=False)
    hold = quay.hold(Y)
    quay.settle()
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX, THIRD))
    for box in (OTHER_BOX, THIRD):
        quay.event(box, EquipmentEvent.STUFFED, sources=(BOX,))
    quay.settle()
    assert not quay.may_leave(OTHER_BOX) and not quay.may_leave(THIRD), "nobody said which went into which"
    quay.lift(Y, hold)
    quay.settle()
    assert quay.may_leave(OTHER_BOX) and quay.may_leave(THIRD)


def test_goods_go_on_from_the_second_container_into_a_third() -> None:
    quay = moved(shared_box())
    quay.event(THIRD, EquipmentEvent.GATED_IN, laden=False)
    quay.settle()
    hold = quay.hold(X)
    moved(quay.settle(), OTHER_BOX, THIRD)
    assert not quay.may_leave(THIRD) and not quay.may_leave(OTHER_BOX)
    quay.lift(X, hold)
    assert quay.settle().may_leave(THIRD)


def test_goods_of_a_stripping_that_was_taken_back_are_in_their_own_container_again() -> None:
    quay = shared_box()
    stripped = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    stuffed = quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX,))
    assert quay.settle().may_leave(OTHER_BOX) and not quay.may_leave(BOX)
    quay.retract(BOX, stripped)
    quay.settle()
    assert quay.may_leave(BOX) and not quay.may_leave(OTHER_BOX), "the stuffing still says that the goods are in it"
    assert quay.said_of(X) == ["GoodsTransferred", "TransferRetracted"]
    statements = [f for f in quay.facts if f.key == X and f.kind in ("ReleaseRevoked", "ReleaseGranted")]
    assert [f.kind for f in statements] == ["ReleaseGranted", "ReleaseGranted", "ReleaseRevoked", "ReleaseGranted"]
    assert [f.model_dump()["containers"] for f in statements] == [(BOX,), (OTHER_BOX,), (OTHER_BOX,), (BOX,)]
    quay.retract(OTHER_BOX, stuffed)
    quay.goods(Z, OTHER_BOX, 1, "BL Z")
    assert quay.settle().may_leave(OTHER_BOX), "nothing of X and Y is in it any more"


def test_what_is_against_goods_follows_them_back_when_their_stripping_is_taken_back() -> None:
    quay = shared_box()
    stripped = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    hold = quay.hold(Y)
    quay.settle().retract(BOX, stripped)
    assert not quay.settle().may_leave(BOX)
    quay.goods(Z, OTHER_BOX, 1, "BL Z")
    assert quay.settle().may_leave(OTHER_BOX), "a hold on goods that are not in it keeps no container"
    quay.lift(Y, hold)
    assert quay.settle().may_leave(BOX)


def test_goods_have_not_arrived_whose_discharge_the_terminal_takes_back() -> None:
    quay = Quay()
    landed = quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    known = consignment_assessed(containers=(BOX,)).model_copy(update={"consignment_id": X})
    quay.say("risk", "assessed", known)
    assert quay.settle().may_leave(BOX)
    quay.retract(BOX, landed)
    assert not quay.settle().may_leave(BOX) and quay.why(BOX) == "no visit is open 不在场"
    kinds = [fact.kind for fact in quay.facts if fact.key == X]
    assert kinds[-4:] == ["ContainerArrivalRetracted", "ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld"]
    quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    assert quay.settle().may_leave(BOX)


def test_an_arrival_that_the_carrier_told_too_stands_although_the_terminal_takes_its_discharge_back() -> None:
    quay = Quay()
    landed = quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True)
    quay.goods(X, BOX, 1, "BL X")
    quay.settle()
    arrived = [fact for fact in quay.facts if fact.kind == "ArrivalRecorded"]
    quay.retract(BOX, landed)
    quay.settle()
    by_gate = arrived[0].model_dump()["reported_by"] == "gate"
    assert quay.may_leave(BOX) is not by_gate


def test_a_stripping_that_is_corrected_moves_the_goods_into_the_right_container_only() -> None:
    quay = shared_box()
    quay.event(THIRD, EquipmentEvent.GATED_IN, laden=False)
    wrong = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.settle().event(BOX, EquipmentEvent.STRIPPED, targets=(THIRD,), replaces=wrong)
    quay.event(THIRD, EquipmentEvent.STUFFED, sources=(BOX,))
    hold = quay.hold(X)
    assert not quay.settle().may_leave(THIRD)
    quay.lift(X, hold)
    quay.settle()
    assert quay.may_leave(THIRD) and not quay.may_leave(BOX) and not quay.may_leave(OTHER_BOX)
    assert quay.said_of(X) == ["GoodsTransferred", "TransferRetracted", "GoodsTransferred"]


@pytest.mark.parametrize("number", ["csqu 305438-3", BOX])
def test_a_container_is_named_as_desks_write_it_and_never_its_own_source(number: str) -> None:
    quay = shared_box()
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(number, "temu-1000001"))
    quay.settle()
    [fields] = [fact for fact in quay.facts if fact.kind == "GoodsTransferred" and fact.key == X]
    assert fields.model_dump()["targets"] == (THIRD,)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_whatever_order_the_topics_are_read_nothing_leaves_in_the_new_container_while_a_lot_is_held(
    seed: int,
) -> None:
    dice = Random(seed)
    quay = shared_box(dice)
    held: dict[str, str] = {}
    acts: list[Any] = [
        lambda: quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,)),
        lambda: quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX,)),
        lambda: held.setdefault(X, quay.hold(X)),
        lambda: held.setdefault(Y, quay.hold(Y)),
    ]
    dice.shuffle(acts)
    for act in acts:
        act()
        while dice.random() < 0.6 and quay.hear_one():
            assert not (quay.may_leave(OTHER_BOX) and _known_as_held(quay))
    while quay.hear_one():
        assert not (quay.may_leave(OTHER_BOX) and _known_as_held(quay))
    assert not quay.may_leave(OTHER_BOX) and not quay.may_leave(BOX)
    for name in dice.sample(sorted(held), len(held)):
        assert not quay.may_leave(OTHER_BOX)
        quay.lift(name, held[name])
        quay.settle()
    assert quay.may_leave(OTHER_BOX), "kept by mistake"


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_stripping_that_was_taken_back_keeps_nothing_by_mistake_and_lets_nothing_out_in_whatever_order(
    seed: int,
) -> None:
    dice = Random(seed)
    quay = shared_box(dice)
    held: dict[str, str] = {}
    stripped = quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    acts: list[Any] = [
        lambda: quay.retract(BOX, stripped),
        lambda: held.setdefault(X, quay.hold(X)),
        lambda: quay.goods(Z, OTHER_BOX, 1, "BL Z"),
    ]
    dice.shuffle(acts)
    for act in acts:
        act()
        while dice.random() < 0.6 and quay.hear_one():
            assert not (quay.may_leave(OTHER_BOX) and _known_as_held(quay))
    quay.settle()
    assert quay.may_leave(OTHER_BOX) and not quay.may_leave(BOX), "only what is in a container keeps it"
    quay.lift(X, held[X])
    assert quay.settle().may_leave(BOX)
    quay.event(BOX, EquipmentEvent.STRIPPED, targets=(OTHER_BOX,))
    quay.event(OTHER_BOX, EquipmentEvent.STUFFED, sources=(BOX,))
    hold = quay.hold(Y)
    assert not quay.settle().may_leave(OTHER_BOX)
    quay.lift(Y, hold)
    assert quay.settle().may_leave(OTHER_BOX) and not quay.may_leave(BOX)


def _known_as_held(quay: Quay) -> bool:
    """Whether the gate desk of the new container has read that one of the consignments is held or refused."""
    parts = as_box(quay.states["gate", OTHER_BOX]).parts
    return any(part.standing in ("held", "refused") for part in parts)
