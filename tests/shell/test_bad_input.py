"""Which bad messages once stopped a desk? Each has its line here, so that none does again."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from schemas.gate import RecordGateOut
from services.gate import decider as gate
from services.shell.codec import LARGEST_VALUE, LONGEST_NAME, Raw, encode
from services.shell.desk import Desk
from services.shell.store import Partition
from services.shell.turn import Turn
from tests.shell.parking import Memory
from tests.shell.test_turn import Worker, found, kinds, order, raw, resume, said, waiting
from tests.voice import CONSIGNMENT, NOON


def test_headers_that_are_null_are_as_good_as_missing() -> None:
    null: Any = None
    for name, reason in (("ce_type", "unknown_kind"), ("ce_id", "missing_id")):
        assert Worker().turn(order(), found(headers={name: null})).parked == {reason: 1}
    turn = Worker().turn(order(), found(headers={"correlationid": null, "traceparent": null}))
    assert kinds(turn) == ["InspectionOrdered", "InspectionPassed"]
    assert said(turn.outputs[1])["traceparent"] == ""


@pytest.mark.parametrize("value", ["é", "***", "QQ"])
def test_an_order_whose_value_is_no_base64_is_none(value: str) -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    told = {"action": "release", "topic": bad.topic, "partition": 0, "offset": bad.offset, "actor": "op"}
    turn = worker.turn(raw(json.dumps({**told, "value_base64": value}).encode(), "customs-inspection-resumed"))
    assert turn.parked == {"contract": 1}
    assert waiting(worker) == [bad.offset]


def test_a_message_that_goes_back_into_parking_is_counted_once() -> None:
    worker = Worker()
    bad = found(value=b"{")
    before = worker.turn(order(), bad)
    again = worker.turn(resume(bad))
    assert sum(before.parked.values()) + sum(again.parked.values()) - again.resumed == 1


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
    assert turn.parked == {"too_large": 1}
    written = [len(o.value or b"") + len(o.key) + sum(len(v) for _, v in o.headers) for o in turn.outputs]
    assert max(written) < 5000
    assert max(len(data) + len(key) for key, data in worker.store.records.items()) < 5000


def test_headers_without_end_are_not_carried_into_facts_or_records() -> None:
    worker = Worker()
    many = {f"h-{n}": b"x" * 10_000 for n in range(500)}
    turn = worker.turn(order(), found(headers={**many, "correlationid": b"c" * 9999, "traceparent": b"t" * 9999}))
    assert kinds(turn) == ["InspectionOrdered", "InspectionPassed"]
    assert max(len(value) for value in said(turn.outputs[1]).values()) <= LONGEST_NAME
    for headers in (many, {"ce_type": b"x" * 300_000}):
        worker = Worker()
        (told,) = worker.turn(found(value=b"{", headers=headers)).outputs
        assert len(told.value or b"") < 20_000 and len(worker.store.records[CONSIGNMENT]) < 20_000


def test_a_sender_that_never_stops_behind_a_parked_message_fills_no_record_and_loses_nothing() -> None:
    worker = Worker()
    first = found(value=b"{")
    worker.turn(order(), first)
    before = len(worker.store.records[CONSIGNMENT])
    behind = [found(headers={f"h-{n}": b"x" * 150 for n in range(20)}) for _ in range(1500)]
    for number in range(0, 1500, 500):
        turn = worker.turn(*behind[number : number + 500])
        assert turn.parked == {"behind_parked": 500} and kinds(turn) == ["MessageParked"] * 500
    assert len(worker.store.records[CONSIGNMENT]) < before + 50
    assert waiting(worker) == [first.offset, *[message.offset for message in behind]]


def test_a_container_number_without_end_is_parked_not_raised() -> None:
    for long in ("\\u0000" * 17, "é" * 90):
        turn = Turn(Desk.of("gate", gate), 1, NOON, timedelta(days=1), Memory())
        out = RecordGateOut(container_no="1", asked_by="t", occurred_at=NOON, gate="G")
        value, key = encode(out).replace(b'"1"', f'"{long}"'.encode()), json.loads(f'"{long}"').encode()
        turn.hear(Partition(), Raw("customs-gate-requests", 0, 1, key, value, _named(out.kind)))
        assert kinds(turn) == ["MessageParked"] and turn.parked == {"contract": 1}


def _named(kind: str) -> dict[str, bytes]:
    return {"ce_type": kind.encode(), "ce_id": base64.b64encode(kind.encode())}
