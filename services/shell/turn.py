"""What does one batch of messages come to? Everything that is decided, before anything of it is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from schemas.bounds import shown
from schemas.envelope import (
    FUTURE_SKEW,
    Deadline,
    DeadlinePassed,
    Fact,
    Hearing,
    Message,
    Request,
    RequestRefused,
    deadline_id,
    fact_id,
)
from schemas.flow import FLOW, HOLDING
from schemas.marks import Audience
from schemas.outside import hidden, to_outside
from schemas.parking import Origin, Parking, deadline_origin, is_deadline
from schemas.phrases import Phrase, phrase, reason
from schemas.topics import is_for_ports, orders_topic, topic_of
from services.shell.codec import (
    CARRIED,
    LARGEST_MESSAGE,
    LONGEST_NAME,
    Headers,
    Raw,
    Undecodable,
    decode,
    encode,
    headers,
    in_doubt,
    kind_of,
    moment_of,
)
from services.shell.desk import Desk
from services.shell.halving import Place, place_of
from services.shell.parking import ParkedReader, Trouble, parked_fact, parking_headers, topic_and_value
from services.shell.partition import key_in, partition_of
from services.shell.positions import UNREADABLE
from services.shell.replay import Replays
from services.shell.requests import MOST_REMEMBERED, Known, Repeat, content_digest, known, remembered, too_many
from services.shell.store import (
    Partition,
    Record,
    Waiting,
    decode_record,
    encode_record,
    unreadable_record,
)

DOUBTS = frozenset({"contract", "null_value", "missing_id", "bad_header", "too_large"})
"""Why a message cannot be read although its key says which goods it is about: what can only hold goods holds these."""
LATER = timedelta(minutes=1)
"""When the time limits of a key are looked at again while a message of it is parked."""


@dataclass(slots=True)
class Output:
    """One message to produce; `partition` only where the key does not choose it. `for_ports`: the redacted form of a fact, which goes to
    the ports' topic under the same key and headers, in the same transaction; None where ports get none."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers
    partition: int | None = None
    for_ports: bytes | None = None


@dataclass(slots=True)
class Entry:
    """A record in the overlay, with its state decoded; `before` is the state that the batch found.

    `misplaced`: no record was there, and the key belongs to another partition. `unreadable`: why the state cannot be decoded.
    `parked_now`: messages that this turn parked, which the parked topic does not show yet. `settled`: a parked message was.
    """

    record: Record
    state: Any
    before: Any
    dirty: bool = False
    forgotten: bool = False
    misplaced: bool = False
    unreadable: str = ""
    parked_now: int = 0
    settled: bool = False

    @property
    def waits(self) -> bool:
        """Whether a message of this key is parked."""
        return self.record.waiting is not None or bool(self.record.parked)


Changed = list[tuple[int, str, Entry, bytes | None]]


@dataclass(slots=True)
class Turn:
    """The outcome of one batch of one partition set: outputs, changed records, counts."""

    desk: Desk
    partitions: int
    at: datetime
    retention: timedelta
    reader: ParkedReader
    overlay: dict[tuple[int, str], Entry] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    said: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    heard: int = 0
    duplicates: int = 0
    resumed: int = 0
    time: str = ""
    refused: Mapping[Place, Trouble] = field(default_factory=dict)
    """Messages and keys whose outcome cannot be written: they are parked, or stay parked, without being decided."""
    one_by_one: bool = False
    """Whether a replay decides one message a turn, so that it is known which one cannot be written."""
    reads: int = 0
    """How often replays read the parked topic or an origin."""
    _refusal: Trouble | None = None
    _orders: str = ""
    _names: frozenset[str] = frozenset()
    _holding: frozenset[str] = frozenset()
    _input: list[tuple[Partition, Raw | tuple[int, list[str]]]] = field(default_factory=list)
    _careful: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.time = self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._orders = orders_topic(self.desk.name)
        self._names, self._holding = _NAMES[self.desk.name], _HOLDING[self.desk.name]

    # hearing

    def hear(self, store: Partition, message: Raw) -> None:
        """Decides one message from a topic, or parks it, or passes over what this desk does not hear."""
        if self.refused:
            self._refusal = self.refused.get(place_of(message))
        if message.topic == self._orders:
            self._share(store, message.partition)
            self._input.append((store, message))
            self._order(store, message)
            return
        name = message.text("ce_type")
        if name not in self._names and name in CARRIED[message.topic]:
            return
        self._input.append((store, message))
        self._hear(store, message, name)

    def _hear(self, store: Partition, message: Raw, name: str) -> None:
        self._share(store, message.partition)
        key = self._key_of(store, message)
        entry = self.entry(store, message.partition, key)
        if entry.waits and name not in self._holding:
            self.park(entry, key, message, Trouble("behind_parked", "an earlier message of this key is parked"))
            return
        trouble = self.attempt(entry, key, message)
        if trouble:
            self.park(entry, key, message, trouble)

    def deadlines(self, store: Partition, partition: int, keys: list[str]) -> None:
        """Tells the desk of every deadline of these keys that has passed, and goes on with what is being replayed."""
        if keys:
            self._input.append((store, (partition, keys)))
            self._share(store, partition)
        for key in keys:
            self._refusal = self.refused.get((partition, key))
            entry = self.entry(store, partition, key)
            waited = entry.waits
            if waited:
                Replays(self).go_on(entry, key, partition, self._refusal)
            if entry.waits:
                entry.dirty = True
                if entry.record.waiting is None or entry.record.waiting.replay is None:
                    entry.record.due = (self.at + LATER).timestamp()
                continue
            if entry.record.closed and not waited:  # else `due` was the replay's, and not the end of the retention
                if entry.record.due is not None and entry.record.due <= self.at.timestamp():
                    entry.state, entry.dirty, entry.forgotten = None, True, True
                continue
            entry.dirty = True
            self._passed(entry, key, partition)

    def _passed(self, entry: Entry, key: str, partition: int) -> None:
        try:
            passed = [d for d in self._open_deadlines(entry, key) if d.due <= self.at]
        except Exception as error:  # a bug, or a state that cannot be read: one key waits for people, all others go on
            limits = Deadline("deadlines", self.at)
            self.park(entry, key, self._deadline_message(key, partition, limits), _trouble(error))
            return
        for deadline in passed:
            message = self._deadline_message(key, partition, deadline)
            trouble = self.attempt(entry, key, message)
            if trouble:
                self.park(entry, key, message, trouble)
                return  # the others come due again once this one is settled

    def _open_deadlines(self, entry: Entry, key: str) -> Iterable[Deadline]:
        """Those that an operator did not give up."""
        if entry.unreadable:
            raise ValueError(entry.unreadable)
        found = self.desk.decider.deadlines(entry.state)
        gone = entry.record.discarded
        return [d for d in found if deadline_id(self.desk.name, key, d) not in gone] if gone else found

    def _deadline_message(self, key: str, partition: int, deadline: Deadline) -> Raw:
        """A time limit that has passed, as if it had been read; no topic holds it."""
        passed = DeadlinePassed(subject=key, name=deadline.name, due=deadline.due)
        cause = deadline_id(self.desk.name, key, deadline)
        names = {"ce_type": passed.kind.encode(), "ce_id": cause.encode()}
        return Raw(*deadline_origin(cause, partition), key.encode(), encode(passed), names)

    def _share(self, store: Partition, partition: int) -> None:
        """Takes the record that the desk keeps for the whole partition into the overlay, decoded once for many turns."""
        if not self.desk.shared:
            return
        key = key_in(self.desk.shared, partition, self.partitions)
        if (partition, key) in self.overlay:
            return
        entry, data = self.entry(store, partition, key), store.records.get(key)
        if data is not None and not entry.unreadable:
            store.decoded(key, data, entry.before)

    def _shared(self, partition: int, key: str) -> Entry | None:
        """That record; None for itself, and of a desk that keeps none."""
        if not self.desk.shared or key == (name := key_in(self.desk.shared, partition, self.partitions)):
            return None
        found = self.overlay.get((partition, name))
        return (
            Entry(Record(), None, None, unreadable=f"partition {partition} is not in hand") if found is None else found
        )

    def _key_of(self, store: Partition, message: Raw) -> str:
        if message.key and len(message.key) <= LONGEST_NAME:
            try:
                key = message.key.decode()
                if key.isprintable() or key in store.records:
                    return key
            except UnicodeDecodeError:
                pass  # such a message parks under its own position, below; so does one with an endless or unprintable key
        return place_name(message)

    def attempt(self, entry: Entry, key: str, message: Raw) -> Trouble | None:
        """Decides the message; or says why that is impossible, and then nothing has changed."""
        if self._refusal is not None:
            return self._refusal
        deadline = is_deadline(message.topic)
        try:
            decoded = self._decoded(DeadlinePassed if deadline else kind_of(message), message)
        except Undecodable as error:
            return Trouble(error.reason, str(error))
        except Exception as error:  # not known to occur; but one message must never stop the others
            return _trouble(error)
        if entry.misplaced:
            place = partition_of(key.encode(), self.partitions)
            return Trouble("wrong_partition", f"read from partition {message.partition}; its key belongs to {place}")
        if entry.unreadable:
            return Trouble("record_unreadable", entry.unreadable)
        shared = self._shared(message.partition, key)
        if shared is not None and shared.unreadable and decoded.kind not in self._holding:
            return Trouble("record_unreadable", f"the record of the whole partition: {shared.unreadable}"[:400])
        cause = message.forwarded("ce_id").decode() or place_name(message)
        serial = 0 if deadline else message.offset * self.partitions + message.partition
        hearing = Hearing(self.at, cause, serial, _recorded(message), None if shared is None else shared.state)
        try:
            if isinstance(decoded, Request):
                self._request(entry, key, message, decoded, hearing)
            else:
                self._decide(entry, key, message, decoded, hearing)
        except Exception as error:  # a bug or a broken invariant: the goods wait, with the reason, and nobody else does
            return _trouble(error)
        return None

    def _decoded(self, kind: type[Message], message: Raw) -> Message:
        """What it says; what can only hold goods does so, whatever a later version has added, and however badly it is written."""
        try:
            return decode(kind, message, extra="ignore" if kind.kind in self._holding else None)
        except Undecodable as error:
            held = in_doubt(kind, message, self.at) if error.reason in DOUBTS else None
            if held is None:
                raise
            return held

    def _request(self, entry: Entry, key: str, source: Raw, request: Request, hearing: Hearing) -> None:
        """Decides it once: a repeat changes nothing, and another content under the id of an answered request is refused."""
        record, digest, at = entry.record, content_digest(source), hearing.at.timestamp()
        match known(record.requests, record.heard, hearing.message_id, digest):
            case Repeat.SAME:
                self.duplicates += 1
            case Repeat.OTHER if request.kind in self._holding:  # the id is taken, and the goods are held all the same
                self._decide(entry, key, source, request, hearing._replace(message_id=place_name(source)))
            case Repeat.OTHER:
                seen = phrase("id_of_other_at", message=place_name(source))
                self._refuse(entry, key, source, request, hearing, "key_reused", seen)
            case Repeat.NEW if too_many(record.requests, at) and request.kind not in self._holding:
                # to remember it would push out another
                seen = phrase("too_many_requests_at", count=MOST_REMEMBERED, message=place_name(source))
                self._refuse(entry, key, source, request, hearing, "too_many_requests", seen)
            case Repeat.NEW if request.kind not in self._holding and _is_future(request, source):
                seen = phrase(
                    "told_in_future_at",
                    told=request.occurred_at,
                    asked=shown(source.text("ce_time"), 40),
                    message=place_name(source),
                )
                self._refuse(entry, key, source, request, hearing, "in_future", seen)
            case Repeat.NEW:
                self._decide(entry, key, source, request, hearing)
                record.requests = remembered(record.requests, Known(hearing.message_id, digest, at))
                entry.dirty = True

    def _refuse(
        self, entry: Entry, key: str, source: Raw, request: Request, hearing: Hearing, code: str, seen: Phrase
    ) -> None:
        """The loop's own refusal, which no decider heard of and no record remembers: each such message has its own."""
        place = place_name(source)
        refusal = RequestRefused(
            occurred_at=hearing.at,
            subject=key,
            request_id=hearing.message_id,
            request_kind=request.kind,
            code=code,
            reason=reason(seen),
            phrases=(seen,),
        )
        output = self._fact(entry, refusal, 0, self._around(source, hearing), place)
        self.heard += 1
        self.outputs.append(output)
        entry.record.n += 1
        entry.dirty = True
        self.said[refusal.kind] = self.said.get(refusal.kind, 0) + 1

    def _decide(self, entry: Entry, key: str, source: Raw, message: Message, hearing: Hearing) -> None:
        decider = self.desk.decider
        said = decider.decide(entry.state, message, hearing)
        allowed = FLOW[self.desk.name][type(message)]
        state = decider.evolve(entry.state, message, hearing)
        for fact in said:
            if type(fact) not in allowed:
                raise TypeError(f"{self.desk.name} may not say {fact.kind} upon {message.kind}")
            state = decider.evolve(state, fact, hearing)
        outputs: list[Output] = []
        if said:
            around = self._around(source, hearing)
            outputs = [self._fact(entry, fact, index, around) for index, fact in enumerate(said)]
        if self._careful and (source.partition, key) in self._careful:
            self._fits(entry, key, state)
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

    def _around(self, source: Raw, hearing: Hearing) -> dict[str, Any]:
        """What the facts drawn from one message carry on of it."""
        correlation, trace = source.forwarded("correlationid").decode(), source.forwarded("traceparent")
        return {"cause": hearing.message_id, "correlation": correlation or hearing.message_id, "trace": trace}

    def _fact(self, entry: Entry, fact: Fact, index: int, around: dict[str, Any], named: str = "") -> Output:
        """The `index`-th of its message. `named`: what stands for the index in its id, where that is taken already."""
        name = self.desk.name
        key, value = fact.key, encode(fact)
        if len(value) > LARGEST_MESSAGE:
            raise _TooLarge(f"{fact.kind} would have {len(value)} bytes; at most {LARGEST_MESSAGE}")
        return Output(
            topic_of(name, type(fact)),
            key,
            value,
            headers(
                id=fact_id(name, around["cause"], named or index),
                kind=fact.kind,
                source=f"/desks/{name}",
                time=self.time,
                subject=key,
                sequence=entry.record.n + index + 1,
                **around,
            ),
            for_ports=_redacted(fact, value) if is_for_ports(name, fact) else None,
        )

    # parking

    def park(self, entry: Entry, key: str, message: Raw, trouble: Trouble) -> None:
        """Sets the message aside, behind what is parked of this key already."""
        origin = Origin(message.topic, message.partition, message.offset)
        record = entry.record
        waiting = record.waiting
        if waiting is None:
            waiting = record.waiting = Waiting(self.reader.end(message.partition), 0, origin, origin)
        waiting.count, waiting.last = waiting.count + 1, origin
        entry.parked_now += 1
        self.park_again(entry, key, message, trouble, message.partition, 1)

    def park_again(self, entry: Entry, key: str, message: Raw, trouble: Trouble, partition: int, attempt: int) -> None:
        """Publishes why; a later attempt adds nothing to the queue."""
        entry.dirty = True
        if attempt == 1:
            self.parked[trouble.reason] = self.parked.get(trouble.reason, 0) + 1
        fact = parked_fact(self.desk.name, key, message, trouble, self.at, attempt)
        self.announce(fact, partition, attempt)

    def announce(self, fact: Parking, partition: int, attempt: int = 1) -> None:
        topic, value = topic_and_value(fact)
        self.outputs.append(Output(topic, fact.subject, value, parking_headers(fact, self.time, attempt), partition))

    def _order(self, store: Partition, message: Raw) -> None:
        """An operator's order about parked messages of one key."""
        key, trouble = self._key_of(store, message), self._refusal
        if trouble is None:
            try:
                Replays(self).order(self.entry(store, message.partition, key), key, message)
                return
            except Undecodable as error:
                trouble = Trouble(error.reason, str(error))
        own = place_name(message)
        self._refusal = None
        self.park(self.entry(store, message.partition, own), own, message, trouble)

    # records

    def entry(self, store: Partition, partition: int, key: str) -> Entry:
        entry = self.overlay.get((partition, key))
        if entry is None:
            data = store.records.get(key)
            if data is None:
                entry = Entry(Record(), self.desk.decider.INITIAL, None)
                entry.misplaced = partition_of(key.encode(), self.partitions) != partition
            else:
                entry = self._read(store, data, partition, key)
            self.overlay[partition, key] = entry
        return entry

    def _read(self, store: Partition, data: bytes, partition: int, key: str) -> Entry:
        try:
            return self._found(decode_record(data), store.state_of(key, data), partition, key)
        except UNREADABLE as error:
            return Entry(unreadable_record(data), None, None, unreadable=f"{type(error).__name__}: {error}"[:400])

    def _found(self, record: Record, state: Any, partition: int, key: str) -> Entry:
        if state is None:
            try:
                state = self.desk.decider.STATE.validator.validate_json(bytes(record.state))
            except ValueError as error:
                return Entry(record, None, None, unreadable=f"{type(error).__name__}: {error}"[:400])
        entry = Entry(record, state, state)
        if (
            record.n == 0 and record.waiting and state == self.desk.decider.INITIAL
        ):  # nothing of this key was decided yet
            entry.misplaced = partition_of(key.encode(), self.partitions) != partition
        return entry

    def changed(self) -> Changed:
        """The dirty records as (partition, key, entry, state topic value); None is a tombstone.

        Where a record cannot be written (too large, or its decider raises), the whole turn is computed again and each message
        of that key is tried on its own: the one that causes it is parked. Other keys never pay for that.
        """
        while True:
            result: Changed = []
            failed: dict[tuple[int, str], Exception] = {}
            for (partition, key), entry in self.overlay.items():
                if not entry.dirty:
                    continue
                try:
                    result.append((partition, key, entry, self._encoded(entry, key, entry.state)))
                except Exception as error:  # found out below, message by message
                    failed[partition, key] = error
            if not failed:
                return result
            if failed.keys() <= self._careful:
                self._park_keys(failed)
            else:
                self._careful |= failed.keys()
                self._again()

    def _park_keys(self, failed: dict[tuple[int, str], Exception]) -> None:
        """No message is at fault, but the record as it was: its key waits for people, all others go on."""
        for (partition, key), error in failed.items():
            entry = self.overlay[partition, key]
            if entry.waits:
                raise error
            limits = self._deadline_message(key, partition, Deadline("deadlines", self.at))
            self.park(entry, key, limits, _trouble(error))

    def _again(self) -> None:
        self.overlay, self.outputs, self.said, self.parked = {}, [], {}, {}
        self.heard = self.duplicates = self.resumed = self.reads = 0
        taken, self._input = self._input, []
        for store, one in taken:
            if isinstance(one, Raw):
                self.hear(store, one)
            else:
                self.deadlines(store, *one)

    def _fits(self, entry: Entry, key: str, state: Any) -> None:
        """Raises where the record with this state could not be written."""
        before = entry.record
        entry.record = msgspec.structs.replace(before, n=before.n + 1)
        try:
            self._encoded(entry, key, state)
        finally:
            entry.record = before

    def _encoded(self, entry: Entry, key: str, state: Any) -> bytes | None:
        decider, record = self.desk.decider, entry.record
        if entry.forgotten:
            return None
        waits = entry.waits
        if entry.settled and not (
            waits or record.n or record.heard or record.requests or record.settled or record.discarded
        ):
            if state == decider.INITIAL:
                return None  # all there ever was of this key was given up
        if not waits:
            record.closed = decider.closed(state)
            if record.closed:
                record.due = (self.at + self.retention).timestamp()
            else:
                open_deadlines = self._open_deadlines(entry, key) if record.discarded else decider.deadlines(state)
                record.due = min([d.due for d in open_deadlines]).timestamp() if open_deadlines else None
        if not entry.unreadable and (state is not entry.before or not waits):
            record.state = msgspec.Raw(decider.STATE.serializer.to_json(state))
        data = encode_record(record)
        if len(data) > LARGEST_MESSAGE and (not waits or state is not entry.before):
            raise _TooLarge(f"the record would have {len(data)} bytes; at most {LARGEST_MESSAGE}")
        return data


def place_name(message: Raw) -> str:
    """Where a message lies, as `topic/partition/offset`; it stands for the id of one that has none of its own."""
    return f"{message.topic}/{message.partition}/{message.offset}"


def _redacted(fact: Fact, value: bytes) -> bytes:
    """The value of the copy for ports; that of the fact where nothing of it is masked."""
    return to_outside(fact, Audience.PORT) if hidden(type(fact), Audience.PORT) else value


def _is_future(request: Request, source: Raw) -> bool:
    """Whether it tells an event that had not happened when it was asked: by its own header, the same at every reading."""
    try:
        return request.occurred_at > moment_of(source.text("ce_time")) + FUTURE_SKEW
    except ValueError:
        return False


def _recorded(message: Raw) -> datetime | None:
    """When its writer wrote it down, where that can be read."""
    try:
        return moment_of(message.text("ce_time"))
    except ValueError:
        return None


class _TooLarge(Exception):
    """A fact or record that fits into no Kafka message."""


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, _TooLarge):
        return Trouble("too_large", str(error))
    return Trouble("decide_raised", f"{type(error).__name__}: {error}"[:500])


_NAMES = {name: frozenset(kind.kind for kind in kinds) for name, kinds in FLOW.items()}
_HOLDING = {name: frozenset(kind.kind for kind in HOLDING.get(name, ())) for name in FLOW}
