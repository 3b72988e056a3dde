"""What does the loop keep of each key between two messages?"""

import base64
import heapq
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

import msgspec

from services.shell.codec import LONGEST_NAME, Raw

REMEMBERED_REQUESTS = 8
"""How many request ids a record remembers; older repeats are answered by the decider itself."""

PARKED_HEADERS = 32
"""How many headers of a parked message are carried along; ours are ten."""
PARKED_BYTES = 1 << 20
"""How many bytes of parked messages one record carries with their values; a record must fit into one Kafka message."""
PARKED_MOST = 2 << 20
"""How many bytes of parked messages one record carries at all; what comes behind them stays where it was read."""


class ParkedMessage(msgspec.Struct, frozen=True, array_like=True):
    """A message set aside, whole: where it came from, why, and what it said (`value`, `key`, headers base64)."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: dict[str, str]
    reason: str
    error: str
    kept: bool = True

    @classmethod
    def of(cls, message: Raw, reason: str, error: str, kept: bool = True) -> "ParkedMessage":
        """`kept` false: too big to carry along; the value stays where it was read, and releasing it needs it again.

        A key or header that is cut here is too long to be decided, before and after.
        """
        return cls(
            message.topic,
            message.partition,
            message.offset,
            None if message.key is None else base64.b64encode(message.key[: LONGEST_NAME + 1]).decode(),
            None if message.value is None or not kept else base64.b64encode(message.value).decode(),
            {
                name[:LONGEST_NAME]: base64.b64encode((value or b"")[: LONGEST_NAME + 1]).decode()
                for name, value in islice(message.headers.items(), PARKED_HEADERS)
            },
            reason,
            error,
            kept,
        )

    def raw(self, value: bytes | None = None) -> Raw:
        """The message as it was read, or with another value."""
        return Raw(
            self.topic,
            self.partition,
            self.offset,
            None if self.key is None else base64.b64decode(self.key),
            value if value is not None else None if self.value is None else base64.b64decode(self.value),
            {name: base64.b64decode(text) for name, text in self.headers.items()},
        )


def _never() -> None:
    """A factory, so that msgspec writes `due` even where it is null: a restore tells by the first bytes what is due."""


class Record(msgspec.Struct, omit_defaults=True):
    """The state topic's value. `due`: earliest deadline (or forgetting) as a Unix time; `state`: the decider's JSON.

    `due` and `parked` stand first: what a restore must know of a million records it reads without decoding them.
    """

    due: float | None = msgspec.field(default_factory=_never)
    parked: list[ParkedMessage] = []
    n: int = 0
    closed: bool = False
    heard: list[str] = []
    state: msgspec.Raw = msgspec.Raw(b"null")


def parked_bytes(parked: list[ParkedMessage]) -> int:
    """What these take of a record."""
    return len(_encoder.encode(parked))


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)
_DUE, _NOT_DUE, _PARKED = b'{"due":', b'{"due":null', b',"parked":'


def encode_record(record: Record) -> bytes:
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    return _decoder.decode(data)


def due_of(data: bytes) -> float | None:
    """A record's `due`, without decoding the rest; of a record written before `due` stood first, by decoding it."""
    if not data.startswith(_DUE):
        return decode_record(data).due if _DUE[1:] in data else None
    return None if data.startswith(_NOT_DUE) else float(data[len(_DUE) : data.find(b",", len(_DUE))])


def parked_in(data: bytes) -> int:
    """How many parked messages a record carries, without decoding one that carries none."""
    if (data.startswith(_DUE) and data.find(_PARKED, 0, 64) < 0) or _PARKED not in data:
        return 0
    return len(decode_record(data).parked)


class Partition:
    """The records of one partition and the heap of their deadlines. Lost with the partition, restored from its topic."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.deadlines: list[tuple[float, str]] = []

    def restored(self, records: Mapping[str, bytes | None]) -> int:
        """Takes the last value of each key in the topic, None where it was forgotten; returns how many messages are parked."""
        self.records = {key: data for key, data in records.items() if data is not None}
        parked = 0
        for key, data in self.records.items():
            if data.startswith(_NOT_DUE) and not data.startswith(_PARKED, len(_NOT_DUE)):
                continue  # the most usual record of all: nothing is due and nothing parked
            due = due_of(data)
            if due is not None:
                self.deadlines.append((due, key))
            parked += parked_in(data)
        heapq.heapify(self.deadlines)
        return parked

    def put(self, key: str, data: bytes | None, due: float | None) -> None:
        """Takes a committed record; None forgets the key."""
        if data is None:
            self.records.pop(key, None)
        else:
            self.records[key] = data
            if due is not None:
                heapq.heappush(self.deadlines, (due, key))

    def due(self, at: datetime, most: int) -> list[str]:
        """Takes the keys whose deadline is not after `at` from the heap; the loop puts them back if its turn fails."""
        moment, keys = at.timestamp(), dict[str, None]()
        while self.deadlines and self.deadlines[0][0] <= moment and len(keys) < most:
            keys[heapq.heappop(self.deadlines)[1]] = None
        return list(keys)
