"""Does the desk keep its guarantees whatever it reads? It gets random messages, at odd times and in any order."""

import os
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message, RequestRefused
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import Box, ContainerFinding, as_box
from services.gate.may_leave import answer
from services.gate.visits import look
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    box_held,
    box_let_go,
    event,
    finding_retracted,
    found,
    freed,
    held,
    may_leave,
    out,
    permitted,
    retracted,
    struck,
)
from tests.gate.test_what_it_waits_for import AwaitedOnTopic
from tests.voice import NOON, Story

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))
EVERYONE = (A, B, C)
DEPARTURES = ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted")


def statement(dice: Random, now: float, version: int) -> ContainerHeld | ContainerFreed:
    """Returns a random statement of the release desk about one of three consignments."""
    who, arrived = dice.choice(EVERYONE), dice.choice((None, now - dice.choice((0, 3, 700, 3 * DAY))))
    bill, ship = dice.choice(("", "BL 1", "bl-1", "BL 2")), dice.choice(("", "", "ONE 1", "one1", "TWO 2"))
    direction = dice.choice((Direction.IMPORT, Direction.IMPORT, Direction.EXPORT))
    shared = dice.choice((1, 1, 2))
    if dice.random() < 0.5:
        return held(who, version, shared, bill, ship, arrived, now, direction, refused=dice.random() < 0.1)
    return freed(who, version, shared, dice.random() < 0.8, bill, ship, arrived, now, direction)


def report(dice: Random, now: float) -> Message:
    """Returns a random report of a terminal, up to two days late."""
    when = now - dice.choice((0.0, 0.0, 2.0, 10.0, 400.0, 2.0 * DAY))
    kinds = [EquipmentEvent.GATED_OUT, EquipmentEvent.DISCHARGED, *EquipmentEvent]
    return event(
        dice.choice(kinds),
        when,
        berth=dice.choice(("", "berth 1", "G1")),
        laden=dice.choice((None, True, False)),
        ship=dice.choice(("", "ONE 1", "TWO 2")),
        classifier=dice.choice((Classifier.ACTUAL, Classifier.ACTUAL, Classifier.ACTUAL, Classifier.ESTIMATED)),
        sender=dice.choice(("terminal", "terminal", "carrier")),
    )


def decision(dice: Random, now: float, ids: list[str]) -> Message:
    """Returns a random request of an officer or a terminal, which may name an earlier message. `ids`: the ids of the
    earlier messages."""
    named = dice.choice(ids) if ids else "nobody"
    match dice.randrange(7):
        case 0:
            return retracted(named)
        case 1:
            lots = dice.choice((None, 1, 2))
            return found(dice.choice(("inside", "outside")), now - dice.choice((0, 0, 5, DAY)), lots)
        case 2:
            return struck(dice.choice(EVERYONE))
        case 3:
            return permitted(dice.choice(EVERYONE), dice.choice(list(ExitGround)))
        case 4:
            return box_held()
        case 5:
            return finding_retracted(named)
        case _:
            return box_let_go(named) if dice.random() < 0.7 else out(now)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_told_the_desk_answers_and_says_nothing_twice(seed: int) -> None:
    dice, desk, now, ids = Random(seed), Story(decider, decider.INITIAL), 5.0 * DAY, list[str]()
    holds: set[str] = set()
    awaited = AwaitedOnTopic()
    latest: dict[str, ContainerHeld | ContainerFreed] = {}
    sure: set[str] = set()
    """Goods that are certainly in the box, because after their statement came no report, and no decision of an officer
    except placed and lifted holds."""
    came: set[str] = set()
    """Goods that were released, or whose arrival was stated, at some time. A later statement without an arrival does
    not undo the arrival, and the arrival may belong to an earlier visit."""
    for number in range(dice.randint(3, 25)):
        now += dice.choice((0, 1, 5, 60, 1000, 30 * DAY if dice.random() < 0.1 else 3))
        kind = dice.random()
        message: Message
        if kind < 0.45:
            message = statement(dice, now, dice.randint(1, 12))
        elif kind < 0.75:
            message = report(dice, now)
        else:
            message = decision(dice, now, ids)
        name, unheard = f"c{number}", desk.state
        desk.when(message, message_id=name, at=at(now))
        ids.append(name)
        before, published = desk.state, desk.answer
        refused = any(isinstance(fact, RequestRefused) for fact in published)
        if before != unheard and not refused:
            box = as_box(before)
            awaited.check(published, answer(box, look(box)).code)
        desk.when(message, message_id=name, at=at(now))
        assert all(isinstance(fact, RequestRefused) for fact in desk.answer), (message, desk.answer)
        assert desk.state == before
        assert not desk.answer or refused, (message, desk.answer)
        match message:
            case ContainerHeld() | ContainerFreed():
                known = latest.get(message.consignment_id)
                if known is None or known.version < message.version:
                    latest[message.consignment_id] = message
                    arrives = message.arrived_at
                    if (arrives is None and message.conveyance) or arrives not in (None, at(now)):
                        sure.discard(message.consignment_id)
                    elif arrives is None and message.consignment_id not in came:
                        sure.add(message.consignment_id)
                    if arrives is not None or (isinstance(message, ContainerFreed) and message.released):
                        came.add(message.consignment_id)
            case _ if message.kind == "PlaceContainerHold":
                holds.add(name) if not refused else None
            case _ if message.kind == "LiftContainerHold":
                if not refused:
                    holds.discard(message.model_dump()["hold_id"])
            case _:
                sure.clear()
        if may_leave(desk):
            assert not holds, "a yes while an officer holds the container"
            kept = [who for who in sure if isinstance(latest[who], ContainerHeld)]
            assert not kept, f"a yes while goods are held: {kept}"
    for who in EVERYONE:
        departures = [f.kind for f in desk.facts if f.kind in DEPARTURES and f.key == who]
        for one, next_one in zip(["DepartureRetracted", *departures], departures, strict=False):
            gone_before = one != "DepartureRetracted"
            assert (next_one == "DepartureRetracted") <= gone_before, departures
            assert one != next_one or next_one == "ConsignmentGatedOut", departures
            assert not (gone_before and one != next_one and next_one != "DepartureRetracted"), departures


def whatever_it_had_answered(box: Box) -> bool:
    """Returns whether the container may leave, computed as if the desk had given no answers before. Alarms which say
    that the container left against the gate's answer count as settled by an officer."""
    unasked = replace(box, yes=())
    against = tuple([alarm.key for alarm in look(unasked).alarms if alarm.why == "left_against_no"])
    seen_to = replace(unasked, findings=(*box.findings, ContainerFinding("seen to", NOON, "inside", settled=against)))
    return answer(seen_to, look(seen_to)).leave


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32))
def test_the_same_is_true_in_whatever_order_the_two_topics_are_heard(seed: int) -> None:
    """Statements keep their order; reports come in any order, before, between and after the statements.

    Whether a container left against the gate's answer is not compared, because that depends on which answer the desk
    had given when it left.
    """
    dice = Random(seed)
    now = 9.0 * DAY
    messages: list[tuple[str, Message]] = []
    for number in range(dice.randint(2, 8)):
        when = now - dice.choice((0.0, 30.0, 600.0, 2.0 * DAY))
        message = statement(dice, when, number + 1) if dice.random() < 0.5 else report(dice, when)
        messages.append((f"r{number}", message))
    ends = []
    for _ in range(3):
        box = Story(decider, decider.INITIAL)
        for name, message in messages:
            box.when(message, message_id=name, at=at(now))
        truth = look(as_box(box.state))
        ends.append(
            (
                [(v.id, v.how, v.opened, v.closed, sorted(p.consignment_id for p in v.parts)) for v in truth.visits],
                sorted(p.consignment_id for p in truth.expected),
                whatever_it_had_answered(as_box(box.state)),
            )
        )
        dice.shuffle(messages)
        stated = iter(
            sorted([each for each in messages if each[1].kind != "RecordEquipmentEvent"], key=lambda each: each[0])
        )
        messages = [each if each[1].kind == "RecordEquipmentEvent" else next(stated) for each in messages]
    assert ends[0] == ends[1] == ends[2]
