"""What does the loop keep of each key between two messages?"""

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
from services.shell.requests import Known

SHOWN_BYTES = 1000
"""Of a value that is no record."""
RECENT_STATES = 512
"""Of so many keys of a partition, those that changed last, the decoded state is kept beside the record."""


class ParkedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message that an older version kept in the record, whole (`value`, `key`, headers base64); replayed from there."""

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
        """The message as it was read; without a value where that was too large to be kept."""
        return Raw(
            self.topic,
            self.partition,
            self.offset,
            None if self.key is None else base64.b64decode(self.key),
            None if self.value is None else base64.b64decode(self.value),
            {name: base64.b64decode(text) for name, text in self.headers.items()},
        )

    def origin(self) -> Origin:
        """Where it was read; the time limits of the older version were all called `deadline`."""
        if self.topic == DEADLINE:
            return deadline_origin(self.raw().text("ce_id"), self.partition)
        return Origin(self.topic, self.partition, self.offset)


class Replay(msgspec.Struct, frozen=True, array_like=True):
    """A replay that goes on over several turns. `order`: offset of the order, -1 once the message that it names was decided."""

    order: int
    ordered_by: str


class Waiting(msgspec.Struct):
    """Which messages of this key lie in the parked topic, in order, and have not been settled.

    `start`: an offset of the parked topic, at or before the first of them; every `MessageParked` of this key from there on
    is one of them. `first` is absent where it was not read yet; `attempt` counts how often the first one failed.
    """

    start: int
    count: int
    last: Origin
    first: Origin | None = None
    attempt: int = 1
    replay: Replay | None = None


def _never() -> None:
    """A factory, so that msgspec writes `due` even where it is null: a restore tells by the first bytes what is due."""


class Record(msgspec.Struct, omit_defaults=True):
    """The state topic's value. `due`: earliest deadline (or forgetting) as a Unix time; `state`: the decider's JSON.

    `requests`: those that were answered (see `requests.py`); `heard`: ids of such, as an older version kept them.
    `waiting`: what is parked now; `parked`: what an older version parked, before those. `settled`: origins that waited in no
    queue and were settled all the same; `discarded`: ids of deadlines that an operator gave up.
    `due`, `parked` and `waiting` stand first: what a restore must know of a million records it reads without decoding them.
    """

    due: float | None = msgspec.field(default_factory=_never)
    parked: list[ParkedMessage] = []
    waiting: Waiting | None = None
    n: int = 0
    closed: bool = False
    heard: list[str] = []
    requests: list[Known] = []
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
    """What stands for a value that is no record and that no desk wrote. A text is the state of no decider, so that no later
    message of the key takes it for goods nobody knows; it begins with what was found."""
    return Record(state=msgspec.Raw(msgspec.json.encode(f"no record: {data[:SHOWN_BYTES]!r}")))


def due_of(data: bytes) -> float | None:
    """A record's `due`, without decoding the rest; of a record written before `due` stood first, by decoding it."""
    if not data.startswith(_DUE):
        return decode_record(data).due if _DUE[1:] in data else None
    if data.startswith(_NOT_DUE):
        return None
    due = float(data[len(_DUE) : data.find(b",", len(_DUE))])
    if not math.isfinite(due):  # before or after all others in the heap, or neither: they would wait behind it
        raise ValueError(f"{due} is no moment")
    return due


def parked_in(data: bytes) -> int:
    """How many parked messages wait at a record, without decoding one that has none."""
    older, newer = _PARKED
    if data.startswith(_DUE):
        if data.find(older, 0, 64) < 0 and data.find(newer, 0, 64) < 0:
            return 0
    elif older not in data:
        return 0
    record = decode_record(data)
    return len(record.parked) + (record.waiting.count if record.waiting else 0)


class Partition:
    """The records of one partition and the heap of their deadlines. Lost with the partition, restored from its topic."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.deadlines: list[tuple[float, str]] = []
        self.stored: ReadPositions | None = None
        """The read positions that stand beside these records; None where none were ever written."""
        self.first = 0
        """First offset of this partition in the state topic."""
        self.unreadable = ""
        """Why what stands in place of the read positions cannot be read."""
        self._recent: dict[str, tuple[bytes, Any]] = {}

    def accepted_from(self) -> int:
        """First offset of the state topic from which an operator, or the first start, has accepted the records as complete."""
        return self.stored.cut if self.stored else self.first

    def take_positions(self, data: bytes | None) -> None:
        """The read positions as they were read from the topic."""
        try:
            self.stored = None if data is None else decode_positions(data)
        except UNREADABLE as error:
            self.unreadable = f"{type(error).__name__}: {error}"[:400]

    def restored(self, records: Mapping[str, bytes | None]) -> int:
        """Takes the last value of each key in the topic, None where it was forgotten; returns how many messages are parked."""
        self.records = {key: data for key, data in records.items() if data is not None}
        parked = 0
        for key, data in self.records.items():
            if data.startswith(_NOT_DUE) and not data.startswith(_PARKED, len(_NOT_DUE)):
                continue  # the most usual record of all: nothing is due and nothing parked
            try:
                due, waiting = due_of(data), parked_in(data)
            except (ValueError, *UNREADABLE):  # no record at all: the next message of this key is parked for it
                continue
            if due is not None:
                self.deadlines.append((due, key))
            parked += waiting
        heapq.heapify(self.deadlines)
        return parked

    def states(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """Key and state of every record that can be read."""
        for key, data in self.records.items():
            try:
                yield key, decode_record(data).state
            except UNREADABLE:
                continue  # its next message is parked for it

    def put(self, key: str, data: bytes | None, due: float | None, state: Any = None) -> None:
        """Takes a committed record, with its decoded state where there is one; None as `data` forgets the key."""
        recent = self._recent
        recent.pop(key, None)
        if data is None:
            self.records.pop(key, None)
            return
        self.records[key] = data
        if due is not None:
            heapq.heappush(self.deadlines, (due, key))
        if state is not None:
            recent[key] = data, state
            if len(recent) > RECENT_STATES:
                del recent[next(iter(recent))]

    def state_of(self, key: str, data: bytes) -> Any:
        """The decoded state of exactly this record where it changed lately, else None. Deciders never change a state in place."""
        recent = self._recent.get(key)
        return recent[1] if recent is not None and recent[0] is data else None

    def decoded(self, key: str, data: bytes, state: Any) -> None:
        """Keeps the decoded state of this record, which is read in every turn and changes seldom."""
        if self.state_of(key, data) is None:
            self._recent[key] = data, state

    def due(self, at: datetime, most: int) -> list[str]:
        """Takes the keys whose deadline is not after `at` from the heap; the loop puts them back if its turn fails."""
        moment, keys = at.timestamp(), dict[str, None]()
        while self.deadlines and self.deadlines[0][0] <= moment and len(keys) < most:
            keys[heapq.heappop(self.deadlines)[1]] = None
        return list(keys)
