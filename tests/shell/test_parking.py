"""Is no parked message lost, doubled, overtaken or stuck? The tests try all kinds of messages, any number of them,
and messages that older versions parked."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.envelope import DeadlinePassed
from schemas.parking import (
    DiscardParked,
    MessageParked,
    Origin,
    ParkedDiscarded,
    ParkedReplayed,
    ReplayParked,
    read_parking,
)
from schemas.release import ContainerFreed, ContainerHeld, PlaceHold, ReportArrival
from schemas.topics import orders_topic, parked_topic
from schemas.vocabulary import ControlKind, consignment_id
from services.gate import decider as gate
from services.inspection import decider
from services.release import decider as release
from services.shell import replay
from services.shell.codec import LARGEST_MESSAGE, Raw, encode
from services.shell.desk import Desk
from services.shell.partition import partition_of
from services.shell.settling import READS
from services.shell.store import PartitionStore, decode_record, parked_in
from services.shell.turn import Turn
from tests.facts import consignment_assessed
from tests.shell.parking import Memory
from tests.shell.test_turn import Worker, found, kinds, order, raw, resume, waiting
from tests.voice import CONSIGNMENT, NOON

OLDER: dict[str, Any] = json.loads(Path(__file__).with_name("older_parking.json").read_bytes())
"""A record, orders and facts about parking, as they were written when parked messages did not have a topic of their
own yet."""
TOPIC = orders_topic("inspection")


def ordered(origin: Raw, **more: Any) -> Raw:
    """Returns a request to replay this message, in the form that the request has in the present version."""
    request = ReplayParked(
        service="inspection",
        subject=CONSIGNMENT,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        asked_by="op",
        occurred_at=NOON,
        **more,
    )
    return raw(request, TOPIC)


def of(turn: Turn, kind: str) -> list[dict[str, Any]]:
    """Returns the bodies of the messages of this kind that the turn publishes."""
    return [json.loads(o.value or b"") for o in turn.outcome.outputs if dict(o.headers)["ce_type"] == kind.encode()]


def desk(name: str, module: Any) -> Worker:
    worker = Worker()
    worker.desk = Desk.of(name, module)
    return worker


# messages of a later version


def test_what_holds_goods_holds_them_although_a_later_version_added_a_field() -> None:
    worker, box = desk("gate", gate), "CSQU3054383"
    common: dict[str, Any] = {"container_no": box, "occurred_at": NOON, "consignment_id": CONSIGNMENT, "shared_by": 1}
    topic, key = "customs-release-containers", {"key": box.encode()}
    worker.turn(raw(ContainerFreed(**common, version=2, released=True), topic, **key))
    held = raw(ContainerHeld(**common, version=4, reason="called back"), topic, **key)
    turn = worker.turn(held._replace(value=(held.value or b"").replace(b"{", b'{"visit":"V1",', 1)))
    assert kinds(turn) == ["ContainerMustStay"]


# malformed messages that hold goods, and the queue of parked messages


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "x" * 501},
        {"reason": ""},
        {"reason": None},
        {"reason": ["drugs"]},
        {"asked_by": "a" * 65},
        {"asked_by": 7},
        {"occurred_at": "2026-01-01T00:00:00"},
        {"occurred_at": "yesterday"},
        {"reason": "a\x01b", "asked_by": ""},
    ],
)
def test_an_officers_hold_acts_however_badly_its_words_are_written(changes: dict[str, Any]) -> None:
    worker = desk("release", release)
    request = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o", occurred_at=NOON, reason="drugs")
    bad = json.dumps(request.model_dump(mode="json") | changes).encode()
    turn = worker.turn(raw(bad, "customs-release-requests", headers={"ce_type": b"PlaceHold"}))
    assert kinds(turn) == ["ConsignmentHeld"] and not turn.outcome.parked


@pytest.mark.parametrize("named", [None, 7, "", CONSIGNMENT.upper(), f" {CONSIGNMENT}", "others", []])
def test_only_the_name_of_other_goods_keeps_a_hold_from_holding_those_of_its_key(named: object) -> None:
    worker = desk("release", release)
    request = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o", occurred_at=NOON, reason="drugs")
    bad = json.dumps(request.model_dump(mode="json") | {"consignment_id": named}).encode()
    turn = worker.turn(raw(bad, "customs-release-requests", headers={"ce_type": b"PlaceHold"}))
    assert kinds(turn) == ["ConsignmentHeld"] and not turn.outcome.parked


@pytest.mark.parametrize("name", [b"", b"\xc3\xa9", b"i" * 201])
def test_a_hold_without_an_id_that_can_be_used_is_named_by_its_place(name: bytes) -> None:
    worker = desk("release", release)
    request = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o", occurred_at=NOON, reason="drugs")
    message = raw(request, "customs-release-requests", headers={"ce_id": name})
    (held,) = worker.turn(message).outcome.outputs
    assert dict(held.headers)["causationid"] == f"{message.topic}/0/{message.offset}".encode()


def test_a_hold_under_a_taken_id_holds_all_the_same() -> None:
    worker = desk("release", release)
    request = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o", occurred_at=NOON, reason="drugs")
    first, other = raw(request, "customs-release-requests"), request.model_copy(update={"reason": "explosives"})
    second = raw(other, "customs-release-requests", headers={"ce_id": first.headers["ce_id"]})
    turn = worker.turn(first, second)
    assert kinds(turn) == ["ConsignmentHeld"] * 2
    holds = of(turn, "ConsignmentHeld")[-1]["holds"]
    assert [hold["reason"] for hold in holds if hold["owner"] == "officer"] == ["drugs", "explosives"]


def test_a_hold_that_cannot_be_read_at_all_holds_the_goods_of_its_key_and_none_that_it_contradicts() -> None:
    worker = desk("release", release)
    odd = {"ce_type": b"PlaceHold"}
    assert kinds(worker.turn(raw(None, "customs-release-requests", headers=odd))) == ["ConsignmentHeld"]
    assert kinds(worker.turn(raw(b"{", "customs-release-requests", headers=odd))) == ["ConsignmentHeld"]
    other = json.dumps({"consignment_id": "1" * 36}).encode()
    assert worker.turn(raw(other, "customs-release-requests", headers=odd)).outcome.parked == {"contract": 1}
    nobody = raw(b"{", "customs-release-requests", key=b"nobody", headers=odd)
    assert worker.turn(nobody).outcome.parked == {"contract": 1}


def test_much_is_replayed_over_several_turns_in_order_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "REPLAYED", 7)
    worker = Worker(stretch=10)
    bad, behind = found(value=b"{"), [found() for _ in range(40)]
    worker.turn(order(), bad, *behind)
    others = [found(value=b"{", key=f"other-{n}".encode()) for n in range(30)]
    worker.turn(*others)
    later = [found() for _ in range(5)]
    worker.turn(*later)
    request = ordered(bad, value_base64=base64.b64encode(found().value or b"").decode())
    worker.memory.lay(request)
    settled = of(worker.turn(request), "ParkedReplayed")
    assert len(settled) == 7 and waiting(worker)[0] == behind[6].offset
    in_vain: list[dict[str, Any]] = []
    for number in range(60):
        if not waiting(worker):
            break
        # This process ends before the commit. So the results of this turn are lost.
        lost = Turn(worker.desk, 1, NOON, timedelta(days=90), worker.memory)
        lost.handle_deadlines(worker.store, 0, [CONSIGNMENT])
        in_vain += of(lost, "ParkedReplayed")
        late = [found()] if number == 2 else []
        later += late
        turn = worker.turn(*late)
        assert turn.outcome.parked == ({"behind_parked": 1} if late else {})
        settled += of(turn, "ParkedReplayed")
    assert in_vain, "what a process replayed that died before its commit is replayed again"
    assert [one["offset"] for one in settled] == [m.offset for m in [bad, *behind, *later]]
    assert waiting(worker) == [] and kinds(worker.turn(request)) == [], "and the order again finds nothing to do"
    assert sum([parked_in(data) for data in worker.store.records.values()]) == 30


def test_an_order_about_what_was_parked_in_the_same_batch_is_carried_out_in_the_next() -> None:
    worker = Worker()
    bad = found(value=b"{")
    discard = resume(bad, "discard")
    worker.memory.lay(discard)
    assert kinds(worker.turn(order(), bad, discard)) == ["InspectionOrdered", "MessageParked"]
    assert kinds(worker.turn()) == ["ParkedDiscarded"]
    assert kinds(worker.turn(found())) == ["InspectionPassed"]


def test_closed_goods_whose_parked_message_was_settled_in_a_later_turn_are_remembered_for_their_retention() -> None:
    worker = Worker()
    worker.turn(order(), found())
    closed_until = decode_record(worker.store.records[CONSIGNMENT]).due
    bad = found(value=b"{")
    discard = resume(bad, "discard")
    worker.memory.lay(discard)
    worker.turn(bad, discard)
    assert kinds(worker.turn(at=NOON + timedelta(seconds=1))) == ["ParkedDiscarded"]
    record = decode_record(worker.store.records[CONSIGNMENT])
    assert record.closed and record.due is not None and closed_until is not None and record.due > closed_until
    assert kinds(worker.turn(found())) == ["RequestRefused"], "its desk knows that it was answered"


def test_an_order_under_another_key_than_its_subject_is_parked_itself() -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    other = ordered(bad)
    assert worker.turn(Raw(TOPIC, 0, other.offset, b"other", other.value, other.headers)).outcome.parked == {
        "key_mismatch": 1
    }
    assert waiting(worker) == [bad.offset]


def test_a_parked_topic_that_was_cut_ends_the_replay_with_a_word_to_people() -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    worker.memory.parked[0] = []
    (parked,) = of(worker.turn(ordered(bad)), "MessageParked")
    assert parked["reason"] == "not_in_topic" and parked["offset"] == bad.offset
    assert parked_in(worker.store.records[CONSIGNMENT]) == 1


# records and orders of an older version


def older_worker() -> Worker:
    worker = Worker()
    worker.store.records[CONSIGNMENT] = OLDER["record"].encode()
    return worker


def older(name: str) -> Raw:
    return raw(json.dumps(OLDER["orders"][name]).encode(), TOPIC, headers={})


def test_a_record_with_messages_in_it_is_replayed_from_there_and_then_from_the_topic() -> None:
    worker = older_worker()
    assert parked_in(worker.store.records[CONSIGNMENT]) == 3
    late = found()
    assert worker.turn(late).outcome.parked == {"behind_parked": 1}
    assert parked_in(worker.store.records[CONSIGNMENT]) == 4
    turn = worker.turn(older("discard the first"))
    assert kinds(turn) == ["ParkedDiscarded"]
    turn = worker.turn(older("release the second, corrected"))
    assert [one["offset"] for one in of(turn, "ParkedReplayed")] == [12, 0, late.offset]
    assert [one["topic"].partition("/")[0] for one in of(turn, "ParkedReplayed")][1] == "deadline"
    assert parked_in(worker.store.records[CONSIGNMENT]) == 0 and kinds(worker.turn(older("discard the first"))) == []


def test_what_was_announced_before_is_read_in_the_form_of_today() -> None:
    for body in OLDER["announcements"]["MessageParked"]:
        fact = read_parking("MessageParked", body)
        assert isinstance(fact, MessageParked) and (fact.subject, fact.attempt) == (body["key"], 1)
        assert MessageParked.model_validate_json(encode(fact)) == fact
    for body in OLDER["announcements"]["ParkedReleased"]:
        done = read_parking("ParkedReleased", body)
        assert isinstance(done, ParkedReplayed) and done.edited_base64 == body["edited_base64"]
    for body in OLDER["announcements"]["ParkedDiscarded"]:
        gone = read_parking("ParkedDiscarded", body)
        assert (
            isinstance(gone, ParkedDiscarded)
            and gone.ordered_by == body["actor"]
            and gone.message_kind == body["headers"]["ce_type"]
        )
    names = [
        read_parking("MessageParked", b).topic
        for b in OLDER["announcements"]["MessageParked"]
        if b["topic"] == "deadline"
    ]
    assert len(set(names)) == len(names) == 2, "time limits of one partition had one name"


@pytest.mark.parametrize("action", ["release", "discard"])
def test_what_was_announced_as_parking_full_is_settled_once(action: str) -> None:
    worker = Worker()
    worker.turn(order())
    lost = found()
    body = OLDER["announcements"]["MessageParked"][0] | {
        "reason": "parking_full",
        "value_kept": False,
        "key": CONSIGNMENT,
    }
    body |= {"topic": lost.topic, "partition": 0, "offset": lost.offset, "value_base64": None}
    names = {"ce_type": b"MessageParked", "ce_source": b"/desks/inspection"}
    worker.memory.parked[0] = [
        Raw(parked_topic("inspection"), 0, 0, CONSIGNMENT.encode(), json.dumps(body).encode(), names)
    ]
    worker.memory.lay(lost)
    request = ordered(lost, parked_offset=0)
    if action == "discard":
        cut = json.loads(request.value or b"")
        cut.pop("value_base64")
        request = raw(json.dumps(cut).encode(), TOPIC, headers={"ce_type": b"DiscardParked"})
        assert kinds(worker.turn(request)) == ["ParkedDiscarded"]
    else:
        assert kinds(worker.turn(request)) == ["InspectionPassed", "ParkedReplayed"]
    assert kinds(worker.turn(request)) == [] and kinds(worker.turn(ordered(lost))) == []


class CountedMemory(Memory):
    """Counts how often a message is read by its position."""

    found = 0

    def message_at(self, origin: Origin) -> Raw | None:
        self.found += 1
        return super().message_at(origin)


@pytest.mark.parametrize(
    ("kind", "settling", "turns"), [(DiscardParked, "ParkedDiscarded", 2), (ReplayParked, "ParkedReplayed", 3)]
)
def test_one_turn_reads_a_limited_number_of_messages_that_were_announced_as_parking_full(
    kind: type[DiscardParked | ReplayParked], settling: str, turns: int
) -> None:
    """A discard reads one message, and a replay reads two. A turn that reaches the limit leaves the other orders
    undone. They are carried out when they are given again."""
    worker, memory = Worker(), CountedMemory()
    worker.memory, requests, announced = memory, [], OLDER["announcements"]["MessageParked"][0]
    for number in range(READS + 5):
        key = consignment_id("91370200163562681G", f"FULL-{number}")
        value = (found().value or b"").replace(CONSIGNMENT.encode(), key.encode())
        lost = found(key=key.encode(), value=value)
        memory.lay(lost)
        origin: dict[str, Any] = {"topic": lost.topic, "partition": 0, "offset": lost.offset}
        full = announced | origin | {"reason": "parking_full", "value_kept": False, "value_base64": None, "key": key}
        names = {"ce_type": b"MessageParked", "ce_source": b"/desks/inspection"}
        lies = memory.parked.setdefault(0, [])
        lies.append(Raw(parked_topic("inspection"), 0, number, key.encode(), json.dumps(full).encode(), names))
        who: dict[str, Any] = {"service": "inspection", "asked_by": "op", "occurred_at": NOON}
        one = kind(subject=key, parked_offset=number, **origin, **who)
        requests.append(raw(one, TOPIC, key=key.encode()))
    settled = []
    for _ in range(turns):
        memory.found = 0
        settled.append(len(of(worker.turn(*requests), settling)))
        assert memory.found <= READS
    assert sum(settled) == len(requests) and settled[0] == READS // (1 if kind is DiscardParked else 2)
    assert kinds(worker.turn(*requests)) == []


# messages that hold goods are decided although earlier messages are parked


def test_an_officers_hold_acts_although_an_earlier_message_of_the_goods_is_parked() -> None:
    worker = desk("release", release)
    bad = raw(b"{", "customs-release-requests", headers={"ce_type": b"ReportArrival"})
    arrival = ReportArrival(consignment_id=CONSIGNMENT, asked_by="t", occurred_at=NOON, place="CNTAO")
    hold = PlaceHold(consignment_id=CONSIGNMENT, asked_by="officer", occurred_at=NOON, reason="intelligence")
    topic = "customs-release-requests"
    worker.turn(raw(consignment_assessed(), "customs-risk-facts"), bad, raw(arrival, topic))
    turn = worker.turn(raw(hold, topic))
    (held,) = of(turn, "ConsignmentHeld")
    assert turn.outcome.parked == {} and [h["reason"] for h in held["holds"] if h["owner"] == "officer"] == [
        "intelligence"
    ]
    replayed = worker.turn(raw(json.dumps(_older_words(bad, "discard")).encode(), orders_topic("release")))
    assert kinds(replayed) == ["ParkedDiscarded"]


def test_a_revocation_reaches_the_gate_behind_a_parked_message_and_an_older_word_does_not_undo_it() -> None:
    worker, box = desk("gate", gate), "CSQU3054383"
    common: dict[str, Any] = {"container_no": box, "occurred_at": NOON, "consignment_id": CONSIGNMENT, "shared_by": 1}
    freed = ContainerFreed(**common, version=2, released=True)
    stays = ContainerHeld(**common, version=4, reason="called back")
    topic, key = "customs-release-containers", {"key": box.encode()}
    first = ContainerHeld(**common, version=1, reason="not released yet")
    bad = raw(b"{", topic, headers={"ce_type": b"ContainerFreed"}, **key)
    worker.turn(raw(first, topic, **key), raw(freed, topic, **key))
    worker.turn(bad, raw(freed.model_copy(update={"version": 3}), topic, **key))
    assert kinds(worker.turn(raw(stays, topic, **key))) == ["ContainerMustStay"]
    turn = worker.turn(raw(json.dumps(_older_words(bad, "discard")).encode(), orders_topic("gate"), **key))
    assert kinds(turn) == ["ParkedDiscarded"]
    behind = decode_record(worker.store.records[box]).waiting
    assert behind is not None and behind.first is not None
    rest = {**_older_words(bad, "release"), "offset": behind.first.offset}
    assert kinds(worker.turn(raw(json.dumps(rest).encode(), orders_topic("gate"), **key))) == ["ParkedReplayed"]


def test_a_hold_that_cannot_be_decided_is_parked_with_its_own_reason() -> None:
    worker = desk("release", release)
    topic = "customs-release-requests"
    worker.turn(raw(b"{", topic, headers={"ce_type": b"ReportArrival"}))
    other = json.dumps({"consignment_id": "1" * 36}).encode()
    turn = worker.turn(raw(other, topic, headers={"ce_type": b"PlaceHold"}))
    assert turn.outcome.parked == {"contract": 1}


def _older_words(origin: Raw, action: str) -> dict[str, Any]:
    return {"action": action, "topic": origin.topic, "partition": 0, "offset": origin.offset, "actor": "op"}


# time limits


class Failing:
    """The inspection desk with a bug: if `broken` is true, it raises an exception when it decides a time limit."""

    INITIAL, STATE = decider.INITIAL, decider.STATE
    evolve, closed, deadlines = (
        staticmethod(decider.evolve),
        staticmethod(decider.closed),
        staticmethod(decider.deadlines),
    )
    broken = True

    def decide(self, state: Any, message: Any, hearing: Any) -> Any:
        if self.broken and isinstance(message, DeadlinePassed):
            raise ZeroDivisionError("a bug")
        return decider.decide(state, message, hearing)


def late_worker() -> tuple[Worker, Failing, dict[str, Any]]:
    worker, failing = Worker(), Failing()
    worker.desk = Desk("inspection", failing)
    worker.turn(raw(consignment_assessed(ControlKind.INSPECTION, ControlKind.DOCUMENTS), "customs-risk-facts"))
    turn = worker.turn(at=NOON + timedelta(days=30))
    (parked,) = of(turn, "MessageParked")
    assert parked["reason"] == "decide_raised" and parked["headers"]["ce_type"] == "DeadlinePassed"
    return worker, failing, parked


def of_deadline(parked: dict[str, Any]) -> Raw:
    return Raw(parked["topic"], parked["partition"], parked["offset"], None, None, {})


def test_a_time_limit_that_was_parked_is_decided_when_it_is_replayed() -> None:
    worker, failing, parked = late_worker()
    failing.broken = False
    turn = worker.turn(resume(of_deadline(parked)), at=NOON + timedelta(days=31))
    assert kinds(turn) == ["InspectionOverdue", "ParkedReplayed", "InspectionOverdue"], "the second is told in its turn"


def test_a_time_limit_that_was_discarded_does_not_come_due_again_and_the_others_do() -> None:
    worker, failing, parked = late_worker()
    turn = worker.turn(resume(of_deadline(parked), "discard"), at=NOON + timedelta(days=31))
    assert kinds(turn) == ["ParkedDiscarded", "MessageParked"]
    (second,) = of(turn, "MessageParked")
    assert second["topic"] != parked["topic"], "each has a name of its own"
    failing.broken = False
    at = NOON + timedelta(days=32)
    assert kinds(worker.turn(resume(of_deadline(second), "discard"), at=at)) == ["ParkedDiscarded"]
    assert worker.turn(at=NOON + timedelta(days=60)).outcome.outputs == []


# messages that are too large, and exceptions


def other(number: int) -> str:
    """Returns the id of another consignment, made from this number."""
    return f"{number:04x}{CONSIGNMENT[4:]}"


def with_key(message: Raw, key: str) -> Raw:
    body = json.loads(message.value or b"") | {"consignment_id": key}
    return message._replace(key=key.encode(), value=json.dumps(body).encode())


class Padded:
    """Encodes the desk's states. After the message `big`, the state does not fit into a Kafka message."""

    validator = decider.STATE.validator

    class serializer:  # noqa: N801 (pydantic's name for it)
        @staticmethod
        def to_json(state: Any) -> bytes:
            data = decider.STATE.dump_json(state)
            return data + b" " * LARGEST_MESSAGE if b'"big"' in data else data


class Troubled(Failing):
    """The inspection desk with a bug: the message `big` causes the fault `fault`."""

    broken = False

    def __init__(self, fault: str) -> None:
        self.fault = fault
        if fault == "record":
            self.STATE = cast(Any, Padded)

    def decide(self, state: Any, message: Any, hearing: Any) -> Any:
        facts = decider.decide(state, message, hearing)
        if hearing.message_id != "big":
            return facts
        if self.fault == "recursion":
            raise RecursionError
        if self.fault == "memory":
            raise MemoryError
        if self.fault == "fact":
            return tuple([fact.model_copy(update={"remarks": "x" * (LARGEST_MESSAGE + 1)}) for fact in facts])
        if self.fault == "surrogate":
            return tuple([fact.model_copy(update={"remarks": "\ud800"}) for fact in facts])
        return facts

    def deadlines(self, state: Any) -> Any:
        if self.fault == "deadlines" and "big" in repr(state):
            raise ZeroDivisionError("a bug")
        if self.fault == "memory for the time limits":
            raise MemoryError
        return decider.deadlines(state)

    def closed(self, state: Any) -> Any:
        if self.fault == "closed" and "big" in repr(state):
            raise KeyError("a bug")
        if self.fault == "memory for the record":
            raise MemoryError
        return decider.closed(state)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("record", "too_large"),
        ("fact", "too_large"),
        ("recursion", "decide_raised"),
        ("surrogate", "decide_raised"),
        ("deadlines", "decide_raised"),
        ("closed", "decide_raised"),
    ],
)
def test_a_fault_of_whatever_kind_in_one_message_parks_that_message_and_all_others_are_decided(
    fault: str, reason: str
) -> None:
    worker = Worker()
    worker.desk = Desk("inspection", cast(Any, Troubled(fault)))
    keys = [other(number) for number in range(6)]
    two = raw(consignment_assessed(ControlKind.INSPECTION, ControlKind.DOCUMENTS), "customs-risk-facts")
    worker.turn(*[with_key(two, key) for key in keys])
    before = dict(worker.store.records)
    batch = [with_key(found(headers={"ce_id": b"big" if key == keys[2] else key.encode()}), key) for key in keys]
    behind = with_key(found(), keys[2])
    turn = worker.turn(*batch, behind)
    assert turn.outcome.parked == {reason: 1, "behind_parked": 1}
    assert kinds(turn).count("InspectionPassed") == 5
    parked = of(turn, "MessageParked")
    assert [(one["subject"], one["reason"]) for one in parked] == [(keys[2], reason), (keys[2], "behind_parked")]
    stays = decode_record(worker.store.records[keys[2]])
    assert stays.state == decode_record(before[keys[2]]).state and stays.n == decode_record(before[keys[2]]).n
    assert max(len(o.value or b"") for o in turn.outcome.outputs) < LARGEST_MESSAGE
    worker.desk = Desk("inspection", Troubled("none"))
    assert of(worker.turn(_order_for(batch[2])), "ParkedReplayed")


@pytest.mark.parametrize("fault", ["memory", "memory for the time limits", "memory for the record"])
def test_a_machine_without_memory_parks_nothing(fault: str) -> None:
    """Nothing is wrong with the message. So the message is not parked, and a new process reads it again."""
    worker = Worker()
    worker.turn(order())
    before = dict(worker.store.records)
    worker.desk = Desk("inspection", cast(Any, Troubled(fault)))
    batch = [] if fault == "memory for the time limits" else [found(headers={"ce_id": b"big"})]
    with pytest.raises(MemoryError):
        worker.turn(*batch, at=NOON + timedelta(days=3))
    assert worker.store.records == before


def _order_for(message: Raw) -> Raw:
    return resume(message)._replace(key=message.key)


def test_a_record_that_cannot_be_read_parks_the_messages_of_its_key_and_is_kept_as_it_is() -> None:
    worker = Worker()
    good, broken = other(1), CONSIGNMENT
    worker.turn(order(), with_key(order(), good))
    spoilt = worker.store.records[broken].replace(b'"ordered"', b'"unheard of"')
    assert spoilt != worker.store.records[broken]
    worker.store.records[broken] = spoilt
    turn = worker.turn(found(), with_key(found(), good))
    assert turn.outcome.parked == {"record_unreadable": 1} and kinds(turn) == ["MessageParked", "InspectionPassed"]
    assert decode_record(worker.store.records[broken]).state == decode_record(spoilt).state
    assert worker.turn(at=NOON + timedelta(days=3)).outcome.outputs == [], "it waits, and its time limits stop nobody"


def test_time_limits_that_cannot_be_computed_stop_no_other_key() -> None:
    worker = Worker()
    worker.turn(order(), with_key(order(), other(1)))
    worker.store.records[CONSIGNMENT] = worker.store.records[CONSIGNMENT].replace(b'"ordered"', b'"unheard of"')
    turn = worker.turn(at=NOON + timedelta(days=30))
    assert sorted(kinds(turn)) == ["InspectionOverdue", "MessageParked"]
    assert worker.turn(at=NOON + timedelta(days=31)).outcome.outputs == []


# messages in wrong partitions


def test_one_declaration_sent_to_all_partitions_is_decided_in_one() -> None:
    partitions, message = 8, order()
    home = partition_of(CONSIGNMENT.encode(), partitions)
    memory, facts = Memory(), 0
    for partition in range(partitions):
        turn, store = Turn(Worker().desk, partitions, NOON, timedelta(days=9), memory), PartitionStore()
        turn.handle(store, Raw(message.topic, partition, 3, message.key, message.value, message.headers))
        facts += kinds(turn).count("InspectionOrdered")
        assert turn.outcome.parked == ({} if partition == home else {"wrong_partition": 1})
        for _, key, entry, data in turn.encode_changes():
            store.put(key, data, entry.record.due)
        memory.commit(turn.outcome.outputs)
        if partition != home:
            request = Raw(
                TOPIC, partition, 1, CONSIGNMENT.encode(), ordered(message).value, {"ce_type": b"ReplayParked"}
            )
            body = json.loads(request.value or b"") | {"partition": partition, "offset": 3}
            for kind, expected in (("ReplayParked", ["MessageParked"]), ("DiscardParked", ["ParkedDiscarded"])):
                if kind == "DiscardParked":
                    body.pop("value_base64")
                value = json.dumps(body).encode()
                again = Turn(Worker().desk, partitions, NOON, timedelta(days=9), memory)
                again.handle(store, Raw(TOPIC, partition, 1, CONSIGNMENT.encode(), value, {"ce_type": kind.encode()}))
                assert kinds(again) == expected
                for _, key, entry, data in again.encode_changes():
                    store.put(key, data, entry.record.due)
                memory.commit(again.outcome.outputs)
            assert store.records == {}, "nothing is left of it"
    assert facts == 1
