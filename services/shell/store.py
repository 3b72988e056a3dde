"""What does the loop keep for each key between two messages?"""

import base64
import heapq
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from schemas.parking import DEADLINE, Origin, deadline_origin
from services.shell.codec import Raw
from services.shell.positions import UNREADABLE, ReadPositions
from services.shell.positions import decode as decode_positions
from services.shell.requests import AnsweredRequest

SHOWN_BYTES = 1000
"""If a value is not a record, `unreadable_record` shows at most this many bytes of it."""
RECENT_STATES = 512
"""For how many keys of a partition the decoded state is kept beside the record. They are the keys that changed last."""


class ParkedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message that an older software version kept whole in the record. A replay reads it from there. `key`, `value`
    and the values of `headers` are base64."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: dict[str, str]
    reason: str
    error: str
    kept: bool = True

    def raw(self) -> Raw:
        """Returns the message as it was read. It has no value if the value was too large to be kept."""
        return Raw(
            self.topic,
            self.partition,
            self.offset,
            None if self.key is None else base64.b64decode(self.key),
            None if self.value is None else base64.b64decode(self.value),
            {name: base64.b64decode(text) for name, text in self.headers.items()},
        )

    def origin(self) -> Origin:
        """Returns the position at which the message was read. Time limits are in no topic, and here all of them have the topic
        `DEADLINE`, so their origin is made from their id."""
        if self.topic == DEADLINE:
            return deadline_origin(self.raw().text("ce_id"), self.partition)
        return Origin(self.topic, self.partition, self.offset)


class Replay(msgspec.Struct, frozen=True, array_like=True):
    """A replay that takes several turns. `order`: the offset of the operator's order, or -1 after the message that the
    order names was decided. `ordered_by`: the operator."""

    order: int
    ordered_by: str


class WaitingMessages(msgspec.Struct):
    """The parked messages of this key that are in the parked topic and are not settled yet, in order.

    `start`: an offset of the parked topic, at or before the first of these messages. From this offset on, every
    message of this key that was parked (by a `MessageParked` whose `attempt` is 1) is one of them, except those with the reason
    `parking_full`. `first` and `last`: the origins of the first and the last of these messages; `first` is None if it was not
    read yet. `attempt`: how often the first one has failed.
    """

    start: int
    count: int
    last: Origin
    first: Origin | None = None
    attempt: int = 1
    replay: Replay | None = None


def _never() -> None:
    """Returns None, as the default of `due`. This is a factory, because msgspec then writes `due` even if it is null, and so a restore
    can read `due` from the first bytes of a record."""


class Record(msgspec.Struct, omit_defaults=True):
    """A value of the state topic. `due`: the earliest deadline, or the time at which the record may be deleted, as a
    Unix time; `n`: how many facts were published about this key; `state`: the decider's JSON.

    `requests`: requests that were answered (see `requests.py`); `answered_ids`: ids of requests that an older software
    version answered (`heard` in the JSON). `waiting`: the messages that are parked now; `parked`: messages that an
    older version parked. `settled`: origins of messages that were settled but had been in no queue; `discarded`: ids of
    deadlines that an operator discarded.

    `due`, `parked` and `waiting` come first, so that a restore can read them in a million records without decoding the
    rest.
    """

    due: float | None = msgspec.field(default_factory=_never)
    parked: list[ParkedMessage] = []
    waiting: WaitingMessages | None = None
    n: int = 0
    closed: bool = False
    answered_ids: list[str] = msgspec.field(default_factory=list, name="heard")
    requests: list[AnsweredRequest] = []
    settled: list[Origin] = []
    discarded: list[str] = []
    state: msgspec.Raw = msgspec.Raw(b"null")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)
_DUE, _NOT_DUE = b'{"due":', b'{"due":null'
_PARKED = (b',"parked":', b',"waiting":')


def encode_record(record: Record) -> bytes:
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    return _decoder.decode(data)


def unreadable_record(data: bytes) -> Record:
    """Returns the record that replaces a value that no desk wrote. Its state is a text, which no decider can read. So the next message
    of this key is parked, instead of being decided as the first one of its key. The text shows the beginning of the value."""
    return Record(state=msgspec.Raw(msgspec.json.encode(f"no record: {data[:SHOWN_BYTES]!r}")))


def due_of(data: bytes) -> float | None:
    """Returns a record's `due`, without decoding the rest. Only a record of an older software version, in which `due`
    did not come first, is decoded. Raises ValueError if `due` is not a finite number."""
    if not data.startswith(_DUE):
        return decode_record(data).due if _DUE[1:] in data else None
    if data.startswith(_NOT_DUE):
        return None
    due = float(data[len(_DUE) : data.find(b",", len(_DUE))])
    # NaN or an infinity would break the order of the heap. Other deadlines would then not be found in the heap.
    if not math.isfinite(due):
        raise ValueError(f"{due} is no moment")
    return due


def parked_in(data: bytes) -> int:
    """Returns how many messages of a record's key are parked. A record without parked messages is not decoded."""
    older, newer = _PARKED
    if data.startswith(_DUE):
        if data.find(older, 0, 64) < 0 and data.find(newer, 0, 64) < 0:
            return 0
    elif older not in data:
        return 0
    record = decode_record(data)
    return len(record.parked) + (record.waiting.count if record.waiting else 0)


SPARE_DEADLINES = 1000
"""A heap of deadlines is made anew if it has more than twice as many deadlines as there are records, plus this
number."""


class PartitionStore:
    """The records of one partition and the heap of their deadlines. The store is dropped if the partition is revoked,
    and restored from the state topic if the partition is assigned again."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.deadlines: list[tuple[float, str]] = []
        self.stored: ReadPositions | None = None
        """The read positions that belong to these records; None if none were ever written."""
        self.first = 0
        """First offset of this partition in the state topic."""
        self.unreadable = ""
        """Why the record of the read positions cannot be read; empty if it can."""
        self._recent: dict[str, tuple[bytes, Any]] = {}

    def accepted_from(self) -> int:
        """Returns the offset of the state topic from which on the records count as complete, because an operator
        accepted them or they were there at the first start."""
        return self.stored.cut if self.stored else self.first

    def take_positions(self, data: bytes | None) -> None:
        """Stores the read positions that were read from the state topic. `data` is None if their record was deleted."""
        try:
            self.stored = None if data is None else decode_positions(data)
        except UNREADABLE as error:
            self.unreadable = f"{type(error).__name__}: {error}"[:400]

    def restored(self, records: Mapping[str, bytes | None]) -> int:
        """Takes the records that were read from the state topic into memory. `records`: key → its last value there, None if the key was
        deleted. Returns how many messages are parked."""
        self.records = {key: data for key, data in records.items() if data is not None}
        return self._make_heap()

    def _make_heap(self) -> int:
        """Makes the heap of deadlines from the records. Returns how many messages are parked."""
        self.deadlines = []
        parked = 0
        for key, data in self.records.items():
            if data.startswith(_NOT_DUE) and not data.startswith(_PARKED, len(_NOT_DUE)):
                # most records are skipped here, because they have no deadline and no parked message
                continue
            try:
                due, waiting = due_of(data), parked_in(data)
            except (ValueError, *UNREADABLE):
                # The value is not a record. The next message of this key will be parked.
                continue
            if due is not None:
                self.deadlines.append((due, key))
            parked += waiting
        heapq.heapify(self.deadlines)
        return parked

    def states(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """Yields key and state of every record that can be read."""
        for key, data in self.records.items():
            try:
                yield key, decode_record(data).state
            except UNREADABLE:
                # The value is not a record. The next message of this key will be parked.
                continue

    def put(self, key: str, data: bytes | None, due: float | None, state: Any = None) -> None:
        """Stores a committed record. `data`: None deletes the record of this key; `due`: its earliest deadline;
        `state`: its decoded state, if known."""
        recent = self._recent
        recent.pop(key, None)
        if data is None:
            self.records.pop(key, None)
            return
        self.records[key] = data
        if due is not None:
            heapq.heappush(self.deadlines, (due, key))
            # A record that is written again leaves its former deadline in the heap. So the heap is made anew when it
            # has grown too long.
            if len(self.deadlines) > 2 * len(self.records) + SPARE_DEADLINES:
                self._make_heap()
        if state is not None:
            recent[key] = data, state
            if len(recent) > RECENT_STATES:
                del recent[next(iter(recent))]

    def state_of(self, key: str, data: bytes) -> Any:
        """Returns the decoded state of exactly this record if it is kept, otherwise None. The same object may be
        returned several times, because deciders never change a state in place."""
        recent = self._recent.get(key)
        return recent[1] if recent is not None and recent[0] is data else None

    def decoded(self, key: str, data: bytes, state: Any) -> None:
        """Keeps the decoded state of a record that every turn reads and that seldom changes."""
        if self.state_of(key, data) is None:
            self._recent[key] = data, state

    def due(self, at: datetime, most: int) -> list[str]:
        """Returns up to `most` keys whose deadline is not after `at`, and removes them from the heap. The loop puts
        them back if its turn fails."""
        moment, keys = at.timestamp(), dict[str, None]()
        while self.deadlines and self.deadlines[0][0] <= moment and len(keys) < most:
            keys[heapq.heappop(self.deadlines)[1]] = None
        return list(keys)
