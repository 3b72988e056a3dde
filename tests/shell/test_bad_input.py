"""Which bad messages stopped a desk in an older version? Each of them has a test here, so that none can stop a desk
again."""

import base64
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from schemas.gate import RecordGateOut
from schemas.parking import MessageParked, Origin, read_parking
from schemas.topics import SERVICES
from services.gate import decider as gate
from services.risk.keys import PUBLISHED
from services.shell import replay
from services.shell.codec import LARGEST_VALUE, LONGEST_NAME, Raw, encode
from services.shell.desk import Desk
from services.shell.parked_reader import KafkaParkedReader
from services.shell.parking import Trouble
from services.shell.settings import WorkerSettings
from services.shell.store import PartitionStore, decode_record, encode_record, unreadable_record
from services.shell.turn import Turn
from services.worker import desks
from tests.shell.parking import Memory
from tests.shell.test_turn import Worker, found, headers_of, kinds, order, raw, resume, waiting
from tests.voice import CONSIGNMENT, NOON


def test_headers_that_are_null_are_as_good_as_missing() -> None:
    null: Any = None
    for name, reason in (("ce_type", "unknown_kind"), ("ce_id", "missing_id")):
        assert Worker().turn(order(), found(headers={name: null})).outcome.parked == {reason: 1}
    turn = Worker().turn(order(), found(headers={"correlationid": null, "traceparent": null}))
    assert kinds(turn) == ["InspectionOrdered", "InspectionPassed"]
    assert headers_of(turn.outcome.outputs[1])["traceparent"] == ""


@pytest.mark.parametrize("value", ["é", "***", "QQ"])
def test_an_order_whose_value_is_no_base64_is_none(value: str) -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    resumption = {"action": "release", "topic": bad.topic, "partition": 0, "offset": bad.offset, "actor": "op"}
    turn = worker.turn(raw(json.dumps({**resumption, "value_base64": value}).encode(), "customs-inspection-resumed"))
    assert turn.outcome.parked == {"contract": 1}
    assert waiting(worker) == [bad.offset]


def test_a_message_that_goes_back_into_parking_is_counted_once() -> None:
    worker = Worker()
    bad = found(value=b"{")
    before = worker.turn(order(), bad)
    again = worker.turn(resume(bad))
    assert sum(before.outcome.parked.values()) + sum(again.outcome.parked.values()) - again.outcome.settled == 1


def test_what_is_parked_outlives_the_retention_of_a_closed_consignment() -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), found())
    worker.turn(bad)
    worker.turn(at=NOON + timedelta(days=200))
    assert waiting(worker) == [bad.offset]
    worker.turn(resume(bad, "discard"), at=NOON + timedelta(days=200))
    worker.turn(at=NOON + timedelta(days=300))
    assert CONSIGNMENT not in worker.store.records


@pytest.mark.parametrize(
    "changes",
    [
        {"key": b"k" * (LONGEST_NAME + 1)},
        {"key": b"\x00" * 1_000_000},
        {"headers": {"ce_id": b"i" * (LONGEST_NAME + 1)}},
        {"value": b" " * (LARGEST_VALUE + 1)},
    ],
    ids=["key", "endless key", "id", "value"],
)
def test_what_is_too_long_is_parked_and_carried_nowhere(changes: dict[str, Any]) -> None:
    worker = Worker()
    turn = worker.turn(order(), found(**changes))
    assert turn.outcome.parked == {"too_large": 1}
    written = [len(o.value or b"") + len(o.key) + sum(len(v) for _, v in o.headers) for o in turn.outcome.outputs]
    assert max(written) < 5000
    assert max(len(data) + len(key) for key, data in worker.store.records.items()) < 5000


def test_headers_without_end_are_not_carried_into_facts_or_records() -> None:
    worker = Worker()
    many = {f"h-{n}": b"x" * 10_000 for n in range(500)}
    turn = worker.turn(order(), found(headers={**many, "correlationid": b"c" * 9999, "traceparent": b"t" * 9999}))
    assert kinds(turn) == ["InspectionOrdered", "InspectionPassed"]
    assert max(len(value) for value in headers_of(turn.outcome.outputs[1]).values()) <= LONGEST_NAME
    for headers in (many, {"ce_type": b"x" * 300_000}):
        worker = Worker()
        (output,) = worker.turn(found(value=b"{", headers=headers)).outcome.outputs
        assert len(output.value or b"") < 20_000 and len(worker.store.records[CONSIGNMENT]) < 20_000


def test_a_sender_that_never_stops_behind_a_parked_message_fills_no_record_and_loses_nothing() -> None:
    worker = Worker()
    first = found(value=b"{")
    worker.turn(order(), first)
    before = len(worker.store.records[CONSIGNMENT])
    behind = [found(headers={f"h-{n}": b"x" * 150 for n in range(20)}) for _ in range(1500)]
    for number in range(0, 1500, 500):
        turn = worker.turn(*behind[number : number + 500])
        assert turn.outcome.parked == {"behind_parked": 500} and kinds(turn) == ["MessageParked"] * 500
    assert len(worker.store.records[CONSIGNMENT]) < before + 50
    assert waiting(worker) == [first.offset, *[message.offset for message in behind]]


def test_a_container_number_without_end_is_parked_not_raised() -> None:
    for long in ("\\u0000" * 17, "é" * 90):
        turn = Turn(Desk.of("gate", gate), 1, NOON, timedelta(days=1), Memory())
        out = RecordGateOut(container_no="1", asked_by="t", occurred_at=NOON, gate="G")
        value, key = encode(out).replace(b'"1"', f'"{long}"'.encode()), json.loads(f'"{long}"').encode()
        turn.handle(PartitionStore(), Raw("customs-gate-requests", 0, 1, key, value, _named(out.kind)))
        assert kinds(turn) == ["MessageParked"] and turn.outcome.parked == {"contract": 1}


GARBAGE = (
    b"garbage",
    b'{"due":x}',
    b'{"due":1,"parked":3}',
    b'{"due":null,"waiting":',
    b"",
    b"\xff\xfe",
    b"[]",
    b"5",
    b'{"due":null,"heard":["\xff"]}',
    b'{"due":null,"state":' + b"[" * 100_000,
    b'{"due":nan}',
    b'{"due":inf,"n":1}',
)


@pytest.mark.parametrize("data", GARBAGE)
def test_a_value_of_the_state_topic_that_is_no_record_holds_its_goods_and_nobody_else(data: bytes) -> None:
    worker = Worker()
    worker.store.restored({CONSIGNMENT: data})
    messages = [found(), found(key=b"other", value=b"{")]
    turn = worker.turn(*messages, at=NOON)
    assert turn.outcome.parked == {"record_unreadable": 1, "contract": 1}
    worker.turn(resume(messages[0], "discard"))
    assert worker.turn(found()).outcome.parked.keys() <= {"record_unreadable", "behind_parked"}, (
        "never as goods nobody knows"
    )
    assert list(worker.store.states()) and "InspectionPassed" not in kinds(worker.turn(found()))


@pytest.mark.parametrize("due", [b"nan", b"inf", b"-inf", b"1e999"])
def test_a_time_limit_that_is_no_moment_keeps_no_other_one_waiting(due: bytes) -> None:
    store = PartitionStore()
    store.restored({"garbage": b'{"due":' + due + b"}", "goods": b'{"due":1.0}'})
    assert store.deadlines == [(1.0, "goods")]


@pytest.mark.parametrize("service", SERVICES)
def test_no_watcher_is_stopped_by_what_stands_for_an_unreadable_record(service: str) -> None:
    watcher = desks([service], PUBLISHED)[0].watcher
    states = [msgspec.Raw(b'"\xff"'), msgspec.Raw(b"[" * 100_000), *[unreadable_record(data).state for data in GARBAGE]]
    if watcher:
        watcher.restored((CONSIGNMENT, state) for state in states)


@pytest.mark.parametrize("service", SERVICES)
def test_no_decider_takes_what_stands_for_an_unreadable_record_for_a_state(service: str) -> None:
    adapter = desks([service], PUBLISHED)[0].decider.STATE
    with pytest.raises(ValidationError):
        adapter.validate_json(bytes(unreadable_record(b"garbage").state))


def forged(worker: Worker, **changes: Any) -> MessageParked:
    """Lets the desk park a message, and puts a forged fact before the desk's own fact in the parked topic. The forged
    fact also names the desk. `changes`: fields of the forged fact. Returns the fact that the desk wrote."""
    first = found(value=b"{")
    worker.turn(order(), first)
    lies = worker.memory.parked[0]
    fact = read_parking("MessageParked", lies[0].value)
    assert isinstance(fact, MessageParked)
    fake = fact.model_copy(update={"offset": 10**6, **changes})
    lies.insert(0, lies[0]._replace(value=encode(fake)))
    lies[1] = lies[1]._replace(offset=1)
    state = decode_record(worker.store.records[CONSIGNMENT])
    assert state.waiting
    state.waiting.start = 0
    worker.store.records[CONSIGNMENT] = encode_record(state)
    return fact


@pytest.mark.parametrize(
    "changes",
    [{"value_base64": "A"}, {"own_key": False, "key_base64": "A"}, {"binary_headers": {"ce_id": "A"}}],
    ids=["value", "key", "header"],
)
def test_a_forged_parked_message_that_is_no_base64_is_passed_over(changes: dict[str, Any]) -> None:
    worker = Worker()
    fact = forged(worker, **changes)
    turn = worker.turn(resume(Raw(*fact.origin, None, None, {}), value=found().value))
    assert "ParkedReplayed" in kinds(turn) and waiting(worker) == []


def test_an_order_that_raises_is_parked_itself_once_it_is_known_as_the_one_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    request = resume(bad)

    def broken(*_: Any) -> None:
        raise RuntimeError("of a kind that nobody foresaw")

    monkeypatch.setattr(Memory, "read", broken)
    with pytest.raises(RuntimeError):
        worker.turn(request)
    turn = Turn(worker.desk, 1, NOON, timedelta(days=90), worker.memory)
    turn.unwritable = {(request.topic, request.partition, request.offset): Trouble("cannot_be_written", "it raised")}
    turn.handle(worker.store, request)
    assert turn.outcome.parked == {"cannot_be_written": 1}


def test_a_replay_that_raises_in_a_later_turn_ends_once_its_key_is_known_as_the_one_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an older version, the desk continued a replay even after it had found out that the key of this replay makes
    the batch fail. So the desk's process ended, and ended again after each start."""
    monkeypatch.setattr(replay, "REPLAYED", 1)
    worker = Worker()
    bad, behind = found(value=b"{"), found()
    worker.turn(order(), bad, behind, found())
    request = resume(bad, value=found().value)
    worker.memory.lay(request)
    assert kinds(worker.turn(request)).count("ParkedReplayed") == 1

    def broken(*_: Any) -> None:
        raise OverflowError("of a kind that nobody foresaw")

    with monkeypatch.context() as patched:
        patched.setattr(Memory, "read", broken)
        with pytest.raises(OverflowError):
            worker.turn()
        turn = Turn(worker.desk, 1, NOON, timedelta(days=90), worker.memory)
        turn.unwritable = {(0, CONSIGNMENT): Trouble("cannot_be_written", "it raised")}
        turn.handle_deadlines(worker.store, 0, [CONSIGNMENT])
    for _, key, entry, data in turn.encode_changes():
        worker.store.put(key, data, entry.record.due, entry.state)
    worker.memory.commit(turn.outcome.outputs)
    (parked,) = [json.loads(out.value or b"") for out in turn.outcome.outputs]
    assert (parked["reason"], parked["offset"], parked["attempt"]) == ("cannot_be_written", behind.offset, 2)
    assert waiting(worker)[0] == behind.offset, "it waits for another order"
    assert "ParkedReplayed" in kinds(worker.turn(resume(behind)))


@pytest.mark.parametrize("partition", [-1, 2**31, 2**63, 10**30])
def test_nothing_lies_in_a_partition_that_no_topic_can_have(partition: int) -> None:
    parked = KafkaParkedReader("release", WorkerSettings(kafka="127.0.0.1:1"))
    assert parked.message_at(Origin("customs-release-facts", partition, 0)) is None


def _named(kind: str) -> dict[str, bytes]:
    return {"ce_type": kind.encode(), "ce_id": base64.b64encode(kind.encode())}
