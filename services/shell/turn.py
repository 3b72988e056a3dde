"""What does one batch of messages come to? Everything that is decided, before anything of it is written."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import orjson

from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, Message, Request, deadline_id, fact_id
from schemas.flow import FLOW
from schemas.topics import orders_topic, parked_topic, topic_of
from services.shell.codec import CARRIED, LONGEST_NAME, Headers, Raw, Undecodable, decode, encode, headers, kind_of
from services.shell.desk import Desk
from services.shell.store import (
    PARKED_BYTES,
    PARKED_MOST,
    REMEMBERED_REQUESTS,
    ParkedMessage,
    Partition,
    Record,
    decode_record,
    encode_record,
    parked_bytes,
)


@dataclass(slots=True)
class Output:
    """One message to produce; `partition` only where the key does not choose it."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers
    partition: int | None = None


@dataclass(slots=True)
class Entry:
    """A record in the overlay, with its state decoded; `before` is the state that the batch found."""

    record: Record
    state: Any
    before: Any
    dirty: bool = False
    carried: int = -1
    """Bytes of its parked messages; -1: not counted yet."""


@dataclass(slots=True)
class Turn:
    """The outcome of one batch of one partition set: outputs, changed records, counts."""

    desk: Desk
    partitions: int
    at: datetime
    retention: timedelta
    overlay: dict[tuple[int, str], Entry] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    said: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    heard: int = 0
    duplicates: int = 0
    resumed: int = 0
    _time: str = ""

    def __post_init__(self) -> None:
        self._time = self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")

    # hearing

    def hear(self, store: Partition, message: Raw) -> None:
        """Decides one message from a topic, or parks it, or passes over what this desk does not hear."""
        if message.topic == orders_topic(self.desk.name):
            self._resume(store, message)
            return
        name = message.text("ce_type")
        if name in CARRIED[message.topic] and name not in self._heard_names():
            return
        key = self._key_of(message)
        entry = self._entry(store, message.partition, key)
        if entry.record.parked:
            self._park(entry, key, message, "behind_parked", "an earlier message of this key is parked")
            return
        self._try(entry, key, message)

    def deadlines(self, store: Partition, partition: int, keys: list[str]) -> None:
        """Tells the desk of every deadline of these keys that has passed."""
        for key in keys:
            entry = self._entry(store, partition, key)
            if entry.record.closed and not entry.record.parked:
                if entry.record.due is not None and entry.record.due <= self.at.timestamp():
                    entry.state, entry.dirty = None, True
                continue
            entry.dirty = True
            if entry.record.parked:
                entry.record.due = (self.at + timedelta(minutes=1)).timestamp()
                continue
            for deadline in self.desk.decider.deadlines(entry.state):
                if deadline.due <= self.at:
                    self._deadline(entry, key, partition, deadline)

    def _heard_names(self) -> frozenset[str]:
        return _NAMES[self.desk.name]

    def _key_of(self, message: Raw) -> str:
        if message.key and len(message.key) <= LONGEST_NAME:
            try:
                return message.key.decode()
            except UnicodeDecodeError:
                pass  # such a message parks under its own position, below; so does one with an endless key
        return f"{message.topic}/{message.partition}/{message.offset}"

    def _try(self, entry: Entry, key: str, message: Raw) -> bool:
        try:
            kind = kind_of(message)
            decoded = decode(kind, message)
        except Undecodable as error:
            self._park(entry, key, message, error.reason, str(error))
            return False
        cause = message.text("ce_id")
        repeatable = isinstance(decoded, Request)
        if repeatable and cause in entry.record.heard:
            self.duplicates += 1
            return True
        hearing = Hearing(self.at, cause, message.offset * self.partitions + message.partition)
        try:
            self._decide(entry, key, message.partition, decoded, hearing, message)
        except Exception as error:  # a bug or a broken invariant: the goods wait, with the reason, and nobody else does
            self._park(entry, key, message, "decide_raised", f"{type(error).__name__}: {error}"[:500])
            return False
        if repeatable:
            entry.record.heard = [*entry.record.heard, cause][-REMEMBERED_REQUESTS:]
            entry.dirty = True
        return True

    def _deadline(self, entry: Entry, key: str, partition: int, deadline: Deadline) -> None:
        passed = DeadlinePassed(subject=key, name=deadline.name, due=deadline.due)
        cause = deadline_id(self.desk.name, key, deadline)
        try:
            self._decide(entry, key, partition, passed, Hearing(self.at, cause, 0), None)
        except Exception as error:  # as above: set aside under the consignment, seen by people
            lost = Raw("deadline", partition, 0, key.encode(), encode(passed), {"ce_id": cause.encode()})
            self._park(entry, key, lost, "decide_raised", f"{type(error).__name__}: {error}"[:500])

    def _decide(
        self, entry: Entry, key: str, partition: int, message: Message, hearing: Hearing, source: Raw | None
    ) -> None:
        decider = self.desk.decider
        said = decider.decide(entry.state, message, hearing)
        allowed = FLOW[self.desk.name][type(message)]
        state = decider.evolve(entry.state, message, hearing)
        for fact in said:
            if type(fact) not in allowed:
                raise TypeError(f"{self.desk.name} may not say {fact.kind} upon {message.kind}")
            state = decider.evolve(state, fact, hearing)
        outputs = [self._fact(entry, fact, hearing, source, index) for index, fact in enumerate(said)]
        # from here on nothing can fail: the entry changes as a whole or not at all
        self.heard += 1
        self.outputs += outputs
        entry.record.n += len(said)
        for fact in said:
            self.said[fact.kind] = self.said.get(fact.kind, 0) + 1
        if state is not entry.state:
            entry.state = state
            entry.dirty = True
        if said:
            entry.dirty = True

    def _fact(self, entry: Entry, fact: Fact, hearing: Hearing, source: Raw | None, index: int) -> Output:
        name = self.desk.name
        key = fact.key
        return Output(
            topic_of(name, type(fact)),
            key,
            encode(fact),
            headers(
                id=fact_id(name, hearing.message_id, index),
                kind=fact.kind,
                source=f"/desks/{name}",
                time=self._time,
                subject=key,
                cause=hearing.message_id,
                correlation=(source.forwarded("correlationid").decode() if source else "") or hearing.message_id,
                sequence=entry.record.n + index + 1,
                trace=source.forwarded("traceparent") if source else b"",
            ),
        )

    # parking

    def _park(self, entry: Entry, key: str, message: Raw, reason: str, error: str) -> None:
        if entry.carried < 0:
            entry.carried = parked_bytes(entry.record.parked)
        kept = entry.carried + len(message.value or b"") * 4 // 3 <= PARKED_BYTES
        parked = ParkedMessage.of(message, reason, error[:500], kept)
        size = parked_bytes([parked])
        if entry.carried + size > PARKED_MOST:
            reason = "parking_full"  # told, and lies where it was read; the record could not be written with it
        else:
            entry.record.parked = [*entry.record.parked, parked]
            entry.carried += size
        entry.dirty = True
        self.parked[reason] = self.parked.get(reason, 0) + 1
        self._announce(key, message.partition, "MessageParked", parked, {"reason": reason, "error": parked.error})

    def _announce(self, key: str, partition: int, kind: str, parked: ParkedMessage, more: dict[str, Any]) -> None:
        body = {
            "service": self.desk.name,
            "topic": parked.topic,
            "partition": parked.partition,
            "offset": parked.offset,
            "key": key,
            "headers": {name: _text(value) for name, value in parked.raw().headers.items()},
            "value_base64": parked.value,
            "value_kept": parked.kept,
            "at": self._time,
            "parked_at": self._time,
            **more,
        }
        cause = f"{parked.topic}/{parked.partition}/{parked.offset}"
        self.outputs.append(
            Output(
                parked_topic(self.desk.name),
                key,
                orjson.dumps(body),
                headers(
                    id=fact_id(self.desk.name, f"{kind}/{cause}", 0),
                    kind=kind,
                    source=f"/desks/{self.desk.name}",
                    time=self._time,
                    subject=key,
                    cause=cause,
                    correlation=cause,
                    sequence=0,
                    trace=b"",
                ),
                partition,
            )
        )

    def _resume(self, store: Partition, message: Raw) -> None:
        """An operator's order about parked messages of one key: replay them in order, or discard the first."""
        key = self._key_of(message)
        entry = self._entry(store, message.partition, key)
        try:
            order = msgspec.json.decode(message.value or b"", type=ResumeOrder)
        except msgspec.MsgspecError as error:
            own = f"{message.topic}/{message.partition}/{message.offset}"
            self._park(self._entry(store, message.partition, own), own, message, "contract", str(error))
            return
        waiting = entry.record.parked
        if not waiting or (waiting[0].topic, waiting[0].partition, waiting[0].offset) != order.head():
            return  # the order names a message that is no longer first: it was carried out already
        entry.dirty, entry.carried = True, -1
        entry.record.parked = []
        if order.action == "discard":
            self._announce(key, message.partition, "ParkedDiscarded", waiting[0], {"actor": order.actor})
            entry.record.parked = waiting[1:]
            self.resumed += 1
            return
        edited = order.edited()
        for index, parked in enumerate(waiting):
            if not parked.kept and (index > 0 or edited is None):
                entry.record.parked = waiting[index:]  # its value must come with an order of its own
                return
            self.resumed += 1
            if not self._try(entry, key, parked.raw(edited if index == 0 else None)):
                entry.record.parked += waiting[index + 1 :]
                entry.carried = -1
                return
            more = {"actor": order.actor}
            if index == 0 and edited is not None:
                more["edited_base64"] = order.value_base64 or ""
            self._announce(key, message.partition, "ParkedReleased", parked, more)

    # records

    def _entry(self, store: Partition, partition: int, key: str) -> Entry:
        entry = self.overlay.get((partition, key))
        if entry is None:
            data = store.records.get(key)
            if data is None:
                entry = Entry(Record(), self.desk.decider.INITIAL, None)
            else:
                record = decode_record(data)
                state = self.desk.decider.STATE.validate_json(bytes(record.state))
                entry = Entry(record, state, state)
            self.overlay[partition, key] = entry
        return entry

    def changed(self) -> list[tuple[int, str, Entry, bytes | None]]:
        """The dirty records as (partition, key, entry, state topic value); None is a tombstone."""
        result: list[tuple[int, str, Entry, bytes | None]] = []
        decider = self.desk.decider
        for (partition, key), entry in self.overlay.items():
            if not entry.dirty:
                continue
            if entry.state is None:
                result.append((partition, key, entry, None))
                continue
            record = entry.record
            if not record.parked:
                record.closed = decider.closed(entry.state)
                if record.closed:
                    record.due = (self.at + self.retention).timestamp()
                else:
                    open_deadlines = decider.deadlines(entry.state)
                    record.due = min(d.due for d in open_deadlines).timestamp() if open_deadlines else None
            record.state = msgspec.Raw(decider.STATE.dump_json(entry.state))
            result.append((partition, key, entry, encode_record(record)))
        return result


class ResumeOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The value on `customs-<service>-resumed`: about the first parked message of the key, by its origin."""

    action: str
    topic: str
    partition: int
    offset: int
    actor: str
    value_base64: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ("release", "discard"):
            raise ValueError("action must be release or discard")
        self.edited()  # what is not base64 is no order

    def head(self) -> tuple[str, int, int]:
        return (self.topic, self.partition, self.offset)

    def edited(self) -> bytes | None:
        """The corrected value, if the operator gave one."""
        return None if self.value_base64 is None else base64.b64decode(self.value_base64, validate=True)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


_NAMES = {name: frozenset(kind.kind for kind in kinds) for name, kinds in FLOW.items()}
