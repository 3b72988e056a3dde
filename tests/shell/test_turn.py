"""What are the results of a batch: facts, records, parked messages, deadlines, duplicates? The tests use a real desk,
without a broker."""

import base64
import gc
import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.envelope import Message
from schemas.gate import RecordEquipmentEvent
from schemas.inspection import FindingsResult, RecordFindings
from schemas.parking import LARGEST_CARRIED, MessageParked
from schemas.release import PlaceHold, ReportArrival
from schemas.vocabulary import CHINA, Classifier, ControlKind, EquipmentEvent
from services.gate import decider as gate
from services.inspection import decider
from services.release import decider as release
from services.shell.codec import Raw, encode
from services.shell.desk import Desk
from services.shell.handler import MessageHandler
from services.shell.outcome import Outcome, Output
from services.shell.overlay import Overlay, OverlayEntry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import parked_raw, waits_here
from services.shell.replay import Replays
from services.shell.requests import (
    LAST_REMEMBERED,
    MOST_REMEMBERED,
    REMEMBERED_SECONDS,
    AnsweredRequest,
    Repeat,
    content_digest,
    known,
    remembered,
)
from services.shell.store import RECENT_STATES, PartitionStore, Record, decode_record, encode_record
from services.shell.turn import Turn
from tests.facts import consignment_assessed
from tests.shell.parking import Memory
from tests.voice import CONSIGNMENT, NOON

INSPECTION = Desk.of("inspection", decider)
OFFSETS = iter(range(10**6))


class Worker:
    """A desk with its store. It decides one batch at a time."""

    def __init__(self, desk: Desk = INSPECTION, **how: Any) -> None:
        self.desk, self.store, self.memory = desk, PartitionStore(), Memory(**how)

    def turn(self, *messages: Raw, at: datetime = NOON) -> Turn:
        turn = Turn(self.desk, 1, at, timedelta(days=90), self.memory)
        for message in messages:
            turn.handle(self.store, message)
        turn.handle_deadlines(self.store, 0, self.store.due(at, 1000))
        for _, key, entry, data in turn.encode_changes():
            self.store.put(key, data, entry.record.due, entry.state)
        self.memory.commit(turn.outcome.outputs)
        return turn


def raw(message: Message | bytes | None, topic: str, **changes: Any) -> Raw:
    value = encode(message) if isinstance(message, Message) else message
    kind = message.kind if isinstance(message, Message) else "RecordFindings"
    offset = next(OFFSETS)
    headers = {"ce_type": kind.encode(), "ce_id": f"id-{offset}".encode(), "correlationid": b"c1"}
    headers |= changes.pop("headers", {})
    fields: dict[str, Any] = {"key": CONSIGNMENT.encode(), "value": value, "headers": headers} | changes
    return Raw(topic, 0, offset, **fields)


def found(**changes: Any) -> Raw:
    request = RecordFindings(
        consignment_id=CONSIGNMENT,
        asked_by="o1",
        occurred_at=NOON,
        control=ControlKind.INSPECTION,
        result=FindingsResult.CONFORM,
    )
    return raw(request, "customs-inspection-requests", **changes)


def order() -> Raw:
    return raw(consignment_assessed(ControlKind.INSPECTION), "customs-risk-facts")


def resume(origin: Raw, action: str = "release", value: bytes | None = None) -> Raw:
    order = {"action": action, "topic": origin.topic, "partition": 0, "offset": origin.offset, "actor": "op"}
    if value is not None:
        order["value_base64"] = base64.b64encode(value).decode()
    return raw(json.dumps(order).encode(), "customs-inspection-resumed")


def waiting(worker: Worker, key: str = CONSIGNMENT) -> list[int]:
    """Returns the offsets of the parked messages that wait with this key, in the order of parking. These are the
    offsets at which the messages were first read. Checks that the record has the right count, first message and last
    message."""
    record = decode_record(worker.store.records[key])
    if record.waiting is None:
        return []
    lies = worker.memory.parked[0][record.waiting.start :]
    facts = [fact for fact in (waits_here(m, "inspection", key.encode()) for m in lies) if fact]
    assert len(facts) == record.waiting.count and facts[-1].origin == record.waiting.last
    assert record.waiting.first in (None, facts[0].origin)
    return [fact.offset for fact in facts]


def kinds(turn: Turn) -> list[str]:
    return [headers_of(output)["ce_type"] for output in turn.outcome.outputs]


def headers_of(output: Output) -> dict[str, str]:
    return {name: value.decode() for name, value in output.headers}


def test_a_fact_names_its_cause_and_counts_on() -> None:
    worker = Worker()
    ordered, answer = order(), found()
    turn = worker.turn(ordered, answer)
    assert kinds(turn) == ["InspectionOrdered", "InspectionPassed"]
    first, second = headers_of(turn.outcome.outputs[0]), headers_of(turn.outcome.outputs[1])
    assert first["causationid"] == ordered.text("ce_id") and second["causationid"] == answer.text("ce_id")
    assert (first["sequence"], second["sequence"]) == ("1", "2") and first["correlationid"] == "c1"
    assert turn.outcome.outputs[0].topic == "customs-inspection-facts" and turn.outcome.outputs[0].key == CONSIGNMENT


def test_the_same_messages_in_one_batch_or_in_many_give_the_same_facts() -> None:
    messages = [order(), found(), found(headers={"ce_id": b"other"})]
    together = Worker().turn(*messages)
    apart = Worker()
    turns = [apart.turn(message) for message in messages]
    assert [(o.key, o.value, o.headers) for o in together.outcome.outputs] == [
        (o.key, o.value, o.headers) for turn in turns for o in turn.outcome.outputs
    ]


def test_a_decoded_state_is_kept_for_exactly_the_record_that_was_committed_last_and_for_few_keys() -> None:
    store, data = PartitionStore(), encode_record(Record(n=1))
    store.put("goods", data, None, "state")
    assert store.state_of("goods", data) == "state"
    assert store.state_of("goods", bytes(bytearray(data))) is None, "another record, if of the same bytes"
    store.put("goods", None, None, "state")
    assert store.state_of("goods", data) is None, "a forgotten key"
    store.put("goods", data, None, "state")
    for number in range(RECENT_STATES):
        store.put(f"other-{number}", data, None, "state")
    assert store.state_of("goods", data) is None, "the key that changed longest ago"
    assert store.state_of("other-0", data) == "state"


def test_a_request_heard_again_is_counted_and_not_decided_again() -> None:
    worker = Worker()
    answer = found()
    worker.turn(order(), answer)
    again = worker.turn(answer)
    assert again.outcome.outputs == [] and again.outcome.duplicates == 1 and again.encode_changes() == []


def batches() -> list[object]:
    """Returns all objects of batches that are in memory."""
    kinds = (Turn, OverlayEntry, Overlay, Outcome, ParkedQueue, MessageHandler, Replays)
    return [each for each in gc.get_objects() if type(each) in kinds]


def test_a_batch_leaves_nothing_to_the_garbage_collector() -> None:
    """If the objects of a batch form a reference cycle, they stay in memory until a full garbage collection, which
    stops the loop for a quarter of a second."""
    worker, bad = Worker(), raw(b"{}", "customs-inspection-requests")
    gc.collect()
    gc.disable()
    known = batches()
    try:
        worker.turn(order(), found(), bad)
        worker.turn(resume(Raw(bad.topic, 0, bad.offset, b"", b"", {})))
        worker.turn(at=NOON + timedelta(days=30))
        assert [each for each in batches() if all(each is not one for one in known)] == []
    finally:
        gc.enable()


def hold(reason: str, **headers: bytes) -> Raw:
    request = PlaceHold(consignment_id=CONSIGNMENT, asked_by="officer-7", occurred_at=NOON, reason=reason)
    return raw(request, "customs-release-requests", headers=headers)


def refusals(turn: Turn) -> list[dict[str, Any]]:
    return [json.loads(o.value or b"") for o in turn.outcome.outputs if dict(o.headers)["ce_type"] == b"RequestRefused"]


def arrived(berth: str, **headers: bytes) -> Raw:
    request = ReportArrival(consignment_id=CONSIGNMENT, asked_by="t", occurred_at=NOON, place=berth)
    return raw(request, "customs-release-requests", headers=headers)


def test_another_content_under_the_id_of_an_answered_request_is_refused_aloud() -> None:
    worker = Worker(Desk.of("release", release))
    turn = worker.turn(*[arrived(berth, ce_id=b"guessed") for berth in ("yard", "yard", "berth")])
    assert turn.outcome.duplicates == 1
    (refused,) = refusals(turn)
    assert refused["code"] == "key_reused" and refused["request_id"] == "guessed"
    ids = [dict(o.headers)["ce_id"] for o in turn.outcome.outputs]
    assert len(ids) == len(set(ids)), "the refusal has an id of its own"
    again = worker.turn(arrived("berth", ce_id=b"guessed"))
    assert len(refusals(again)) == 1 and dict(again.outcome.outputs[0].headers)["ce_id"] not in ids, (
        "each such message is told of"
    )


def test_the_same_request_at_another_time_is_the_same_request() -> None:
    worker = Worker(Desk.of("release", release))
    first, later = hold("seals", ce_id=b"one"), hold("seals", ce_id=b"one")
    request = PlaceHold(
        consignment_id=CONSIGNMENT, asked_by="officer-7", occurred_at=NOON + timedelta(hours=1), reason="seals"
    )
    assert worker.turn(first, later._replace(value=encode(request))).outcome.duplicates == 1


def departure(at: datetime) -> RecordEquipmentEvent:
    return RecordEquipmentEvent(
        container_no="CSQU3054383", asked_by="t", occurred_at=at, event=EquipmentEvent.GATED_OUT, place="G3"
    )


def gated_out(at: datetime) -> Raw:
    """Returns a report of a departure with this event time. All reports have the same id and are otherwise equal."""
    return raw(departure(at), "customs-gate-requests", key=b"CSQU3054383", headers={"ce_id": b"one"})


def test_a_report_of_an_event_at_another_time_is_another_report() -> None:
    """The event time belongs to the content of a report, so two reports with one id and different event times are not
    the same. An older version dropped the report of the next departure without notice if it had the id of the first
    report."""
    worker = Worker(Desk.of("gate", gate))
    first, elsewhere = gated_out(NOON), gated_out(NOON.astimezone(CHINA))
    turn = worker.turn(first, elsewhere, gated_out(NOON - timedelta(days=3)))
    assert turn.outcome.duplicates == 1, "the same moment, with another offset"
    [refused] = refusals(turn)
    assert refused["code"] == "key_reused"


def test_a_report_that_the_software_version_before_remembered_is_the_same_report() -> None:
    first = gated_out(NOON)
    before = AnsweredRequest("one", content_digest(first), 0.0)
    assert known([before], [], "one", content_digest(first, departure(NOON))) is Repeat.SAME


def test_requests_are_remembered_for_a_day_and_the_last_64_for_as_long_as_the_record() -> None:
    def known_after(first: AnsweredRequest, others: int, at: float) -> bool:
        requests = [first]
        for number in range(others):
            requests = remembered(requests, AnsweredRequest(str(number), "d", at))
        return requests[0] == first

    day = REMEMBERED_SECONDS
    assert known_after(AnsweredRequest("a", "d", 0.0), LAST_REMEMBERED - 1, 90 * day)
    assert not known_after(AnsweredRequest("a", "d", 0.0), LAST_REMEMBERED, day + 1)
    assert known_after(AnsweredRequest("a", "d", 0.0), MOST_REMEMBERED - 1, day)
    assert not known_after(AnsweredRequest("a", "d", 0.0), MOST_REMEMBERED, day)


def test_more_requests_than_are_remembered_within_a_day_are_refused_and_holds_are_placed() -> None:
    worker = Worker(Desk.of("release", release))
    arrival = ReportArrival(consignment_id=CONSIGNMENT, asked_by="t", occurred_at=NOON, place="yard")
    flood = [raw(arrival, "customs-release-requests") for _ in range(MOST_REMEMBERED + 2)]
    turn = worker.turn(*flood)
    assert [each["code"] for each in refusals(turn)][-2:] == ["too_many_requests"] * 2
    assert worker.turn(flood[1]).outcome.duplicates == 1, "the first of the day is still known"
    held = worker.turn(hold("seals"))
    assert [dict(o.headers)["ce_type"] for o in held.outcome.outputs] == [b"ConsignmentHeld"]
    later = worker.turn(raw(arrival, "customs-release-requests"), at=NOON + timedelta(hours=25))
    assert [each["code"] for each in refusals(later)] == ["already_answered"], "the next day the desk decides again"


def test_an_event_that_had_not_happened_when_it_was_told_is_refused_at_every_reading_and_a_hold_is_not() -> None:
    def arrival(minutes: float, **headers: bytes) -> Raw:
        at = NOON + timedelta(minutes=minutes)
        request = ReportArrival(consignment_id=CONSIGNMENT, asked_by="t", occurred_at=at, place="yard")
        return raw(request, "customs-release-requests", headers={"ce_time": NOON.isoformat().encode(), **headers})

    # The result must not depend on the time at which a worker reads the request, but only on the time in its header.
    for at in (NOON, NOON + timedelta(days=30)):
        worker = Worker(Desk.of("release", release))
        assert [each["code"] for each in refusals(worker.turn(arrival(15.1), at=at))] == ["in_future"]
        assert "ArrivalRecorded" in kinds(worker.turn(arrival(15), at=at))
    ahead = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o", occurred_at=NOON + timedelta(days=9), reason="seals")
    early = raw(ahead, "customs-release-requests", headers={"ce_time": NOON.isoformat().encode()})
    assert kinds(Worker(Desk.of("release", release)).turn(early)) == ["ConsignmentHeld"]


def test_what_is_expected_may_lie_ahead_of_its_report_as_far_as_a_voyage_takes_and_no_further() -> None:
    def discharge(days: float, classifier: Classifier) -> Raw:
        at = NOON + timedelta(days=days)
        about = {"container_no": "CSQU3054383", "asked_by": "t", "event": EquipmentEvent.DISCHARGED, "place": "berth 1"}
        request = RecordEquipmentEvent.model_validate({**about, "occurred_at": at, "classifier": classifier})
        headers = {"ce_time": NOON.isoformat().encode()}
        return raw(request, "customs-gate-requests", key=b"CSQU3054383", headers=headers)

    worker, expected = Worker(Desk.of("gate", gate)), (Classifier.ESTIMATED, Classifier.PLANNED)
    for classifier in expected:
        assert kinds(worker.turn(discharge(60, classifier))) == ["EquipmentEventRecorded"]
        assert [each["code"] for each in refusals(worker.turn(discharge(60.01, classifier)))] == ["in_future"]
    assert [each["code"] for each in refusals(worker.turn(discharge(0.02, Classifier.ACTUAL)))] == ["in_future"]


def test_what_an_older_version_remembered_is_known_by_its_id() -> None:
    worker = Worker(Desk.of("release", release))
    worker.store.put(CONSIGNMENT, encode_record(Record(n=1, answered_ids=["old"], state=msgspec.Raw(HELD))), None)
    assert worker.turn(hold("anything", ce_id=b"old")).outcome.duplicates == 1


HELD = release.STATE.dump_json(release.INITIAL)


def test_a_fact_of_no_concern_is_passed_over_without_a_look_at_its_value() -> None:
    turn = Worker().turn(raw(b"\xff", "customs-release-facts", headers={"ce_type": b"ReleaseGranted"}))
    assert turn.outcome.outputs == [] and turn.encode_changes() == []


BAD = [
    ("unknown_kind", {"headers": {"ce_type": b"ReleaseEverything"}}),
    ("unknown_kind", {"headers": {"ce_type": b"\xff\xfe"}}),
    ("kind_not_on_topic", {"headers": {"ce_type": b"LodgeDeclaration"}}),
    ("missing_id", {"headers": {"ce_id": b""}}),
    ("null_value", {"value": None}),
    ("contract", {"value": b'{"consignment_id": "'}),
    ("contract", {"value": b"[]"}),
    ("contract", {"value": b'{"asked_by": NaN}'}),
    ("contract", {"value": b"\x00\xff" * 100}),
    ("missing_key", {"key": None}),
    ("key_mismatch", {"key": b"somebody-else"}),
    ("key_mismatch", {"key": b"\xff\xfe"}),
]


@pytest.mark.parametrize(("reason", "changes"), BAD)
def test_what_cannot_be_heard_is_parked_whole_with_its_reason(reason: str, changes: dict[str, Any]) -> None:
    bad = found(**changes)
    worker = Worker()
    turn = worker.turn(order(), bad)
    assert turn.outcome.parked == {reason: 1} and kinds(turn) == ["InspectionOrdered", "MessageParked"]
    announced = json.loads(turn.outcome.outputs[1].value or b"")
    assert announced["reason"] == reason and announced["offset"] == bad.offset and announced["error"]
    assert bad.value is None or base64.b64decode(announced["value_base64"]) == bad.value
    assert waiting(worker, announced["subject"]) == [bad.offset]
    assert parked_raw(MessageParked.model_validate_json(turn.outcome.outputs[1].value or b"")) == bad


def test_later_messages_of_a_parked_consignment_wait_behind_it_and_others_do_not() -> None:
    worker = Worker()
    bad, good = found(value=b"{"), found()
    worker.turn(order(), bad)
    turn = worker.turn(good)
    assert turn.outcome.parked == {"behind_parked": 1} and kinds(turn) == ["MessageParked"]
    other = consignment_assessed(ControlKind.INSPECTION).model_copy(update={"consignment_id": CONSIGNMENT[::-1]})
    assert kinds(worker.turn(raw(other, "customs-risk-facts", key=other.key.encode()))) == ["InspectionOrdered"]


def test_a_released_message_is_replayed_corrected_and_what_waited_behind_it_follows() -> None:
    worker = Worker()
    bad, late = found(value=b"{"), found()
    worker.turn(order(), bad, late)
    turn = worker.turn(resume(bad, value=found().value))
    assert kinds(turn) == ["InspectionPassed", "ParkedReplayed", "RequestRefused", "ParkedReplayed"]
    first, second = [json.loads(output.value or b"") for output in turn.outcome.outputs[1::2]]
    assert first["ordered_by"] == "op" and base64.b64decode(first["edited_base64"]) and not second["edited_base64"]
    assert waiting(worker) == []
    assert worker.turn(resume(bad)).outcome.outputs == [], "the same order again finds nothing to do"


def test_a_message_that_is_still_wrong_goes_back_to_the_head_of_its_queue() -> None:
    worker = Worker()
    bad, late = found(value=b"{"), found()
    worker.turn(order(), bad, late)
    turn, again = Worker().turn(), {}
    for value in (None, b"[]"):
        turn = worker.turn(resume(bad, value=value))
        again = json.loads(turn.outcome.outputs[0].value or b"")
        assert kinds(turn) == ["MessageParked"] and base64.b64decode(again["value_base64"]) == b"{"
        assert waiting(worker) == [bad.offset, late.offset]
    assert again["attempt"] == 3
    ids = [headers_of(o)["ce_id"] for o in turn.outcome.outputs]
    assert ids != [headers_of(o)["ce_id"] for o in worker.turn(resume(bad)).outcome.outputs]


def test_a_discarded_message_is_gone_and_the_next_one_waits_for_its_own_order() -> None:
    worker = Worker()
    bad, late = found(value=b"{"), found()
    worker.turn(order(), bad, late)
    assert kinds(worker.turn(resume(bad, "discard"))) == ["ParkedDiscarded"]
    assert kinds(worker.turn(resume(late))) == ["InspectionPassed", "ParkedReplayed"]


def test_an_order_that_is_none_is_parked_itself() -> None:
    turn = Worker().turn(raw(b'{"action": "burn"}', "customs-inspection-resumed"))
    assert turn.outcome.parked == {"contract": 1}


def test_a_value_too_big_to_carry_along_stays_at_its_origin_and_its_release_brings_it() -> None:
    worker = Worker()
    huge = found(value=b"[" * (LARGEST_CARRIED + 1))
    turn = worker.turn(order(), huge)
    announced = json.loads(turn.outcome.outputs[1].value or b"")
    assert announced["value_kept"] is False and announced["value_base64"] is None
    assert len(worker.store.records[CONSIGNMENT]) < 10_000
    gone = worker.turn(resume(huge))
    assert (
        kinds(gone) == ["MessageParked"] and json.loads(gone.outcome.outputs[0].value or b"")["reason"] == "null_value"
    )
    worker.memory.lay(huge)
    there = worker.turn(resume(huge))
    assert (
        kinds(there) == ["MessageParked"] and json.loads(there.outcome.outputs[0].value or b"")["reason"] == "too_large"
    )
    assert json.loads(there.outcome.outputs[0].value or b"")["value_kept"] is False
    assert kinds(worker.turn(resume(huge, value=found().value))) == ["InspectionPassed", "ParkedReplayed"]


def test_a_deadline_is_told_once_with_an_id_of_its_own() -> None:
    worker = Worker()
    worker.turn(order())
    assert worker.turn(at=NOON + timedelta(hours=47)).outcome.outputs == []
    late = worker.turn(at=NOON + timedelta(hours=49))
    assert kinds(late) == ["InspectionOverdue"]
    assert worker.turn(at=NOON + timedelta(hours=50)).outcome.outputs == []
    again = Worker()
    again.turn(order())
    assert (
        headers_of(again.turn(at=NOON + timedelta(hours=60)).outcome.outputs[0])["ce_id"]
        == headers_of(late.outcome.outputs[0])["ce_id"]
    )


def test_a_deadline_of_a_parked_consignment_waits_until_it_is_released() -> None:
    worker = Worker()
    bad = found(value=b"{")
    worker.turn(order(), bad)
    assert worker.turn(at=NOON + timedelta(hours=49)).outcome.outputs == []
    later = NOON + timedelta(hours=50)
    assert kinds(worker.turn(resume(bad, "discard"), at=later)) == ["ParkedDiscarded"]
    assert kinds(worker.turn(at=later + timedelta(minutes=2))) == ["InspectionOverdue"]


def test_a_closed_consignment_is_remembered_for_its_retention_and_then_forgotten() -> None:
    worker = Worker()
    worker.turn(order(), found())
    assert worker.turn(found(headers={"ce_id": b"late"}), at=NOON + timedelta(days=80)).outcome.outputs
    assert CONSIGNMENT in worker.store.records
    worker.turn(at=NOON + timedelta(days=171))
    assert CONSIGNMENT not in worker.store.records


def test_a_desk_that_raises_parks_the_message_and_its_state_stays() -> None:
    class Broken:
        INITIAL, STATE = decider.INITIAL, decider.STATE
        evolve, deadlines, closed = (
            staticmethod(decider.evolve),
            staticmethod(decider.deadlines),
            staticmethod(decider.closed),
        )

        @staticmethod
        def decide(*_: object) -> tuple[()]:
            raise ZeroDivisionError("a bug")

    turn = Turn(Desk("inspection", Broken()), 1, NOON, timedelta(days=1), Memory())
    turn.handle(PartitionStore(), order())
    assert turn.outcome.parked == {"decide_raised": 1} and "ZeroDivisionError" in str(turn.outcome.outputs[0].value)


def test_deadlines_take_the_memory_of_the_records_however_often_these_are_written() -> None:
    """Each request about closed goods moves the end of the retention of their record. In an older version, each former
    end stayed in memory until it had passed."""
    store, days = PartitionStore(), 90 * 24 * 3600.0
    for number in range(50_000):
        due = NOON.timestamp() + days + number
        store.put(f"key-{number % 100}", encode_record(Record(due=due)), due)
    assert len(store.deadlines) < 5_000
    last = NOON + timedelta(seconds=days + 50_000)
    assert sorted(store.due(last, 10**6)) == sorted([f"key-{number}" for number in range(100)])
    store.put("later", encode_record(Record(due=days)), days)
    assert store.due(NOON, 10) == ["later"], "what comes due first comes first"
