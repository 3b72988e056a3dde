"""How do messages become Kafka bytes and headers, and back?"""

from collections.abc import Callable
from datetime import datetime
from operator import methodcaller
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import ValidationError

from schemas.bounds import FIRST, LARGEST_INTEGER, LAST
from schemas.envelope import DeadlinePassed, Message, Request, stored_reader
from schemas.topics import FACTS_AND_REQUESTS, FOR_THE_PORTS, KINDS

Headers = list[tuple[str, bytes]]
LONGEST_NAME = 200
"""Bytes of a key or an id; what is longer names nothing of ours and would be carried along for ever."""
LARGEST_VALUE = 4_000_000
"""Bytes of a value; facts and states drawn from it must fit into one Kafka message (`max.message.bytes`), too."""
LARGEST_MESSAGE = (8 << 20) - (64 << 10)
"""Bytes of a fact or record that surely fit into one message (`max.message.bytes` of the topics): the rest is for key, headers,
Kafka's own frame, and what a record needs to say that messages of it are parked."""
CARRIED: dict[str, frozenset[str]] = {
    t.name: frozenset(m.kind for m in t.carries) for t in (*FACTS_AND_REQUESTS, FOR_THE_PORTS)
}


class Undecodable(Exception):
    """The message cannot be decided: `reason` is the code, the text has the values that show it."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Raw(NamedTuple):
    """One Kafka message as the loop read it. A tuple: a frozen dataclass takes three times as long to make, for each message."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def position(self) -> str:
        """Where the message lies, as `topic/partition/offset`; it stands for the id of one that has none of its own."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def text(self, header: str) -> str:
        """The header's text, empty where it is absent or null."""
        return (self.headers.get(header) or b"").decode("utf-8", "replace")

    def forwarded(self, header: str) -> bytes:
        """The header as a fact may carry it on; empty where it is none that we would write."""
        value = self.headers.get(header) or b""
        return value if len(value) <= LONGEST_NAME and not value.translate(None, _PRINTABLE) else b""


_PRINTABLE = bytes(range(0x20, 0x7F))
_MOST_DIGITS = len(str(LARGEST_INTEGER))


def sequence_of(header: bytes | None) -> int:
    """The number in a `sequence` header, 0 where there is none; ValueError when it is no number of 63 bits."""
    if not header:
        return 0
    if not header.isdigit() or len(header) > _MOST_DIGITS or int(header) > LARGEST_INTEGER:
        raise ValueError(f"sequence {header[:40]!r} is no number up to {LARGEST_INTEGER}")
    return int(header)


def moment_of(text: str) -> datetime:
    """The RFC 3339 time in a `ce_time` header; ValueError when it is none, or not in the years 2000 to 2100."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not FIRST <= moment <= LAST:
        raise ValueError(f"{text[:40]!r} has no zone or is not in the years {FIRST.year} to {LAST.year}")
    return moment


def raw(message: Any) -> Raw:
    """From a confluent-kafka message."""
    return Raw(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        headers_of(message),
    )


def headers_of(message: Any) -> dict[str, bytes]:
    """The headers of a confluent-kafka message; none where the name of one is not UTF-8."""
    try:
        return dict(_headers(message) or ())
    except SystemError:
        # the client keeps a list without an object in the place of such a name: to read it again would end the process
        message.set_headers([])
        return {}


_headers = methodcaller("headers")
"""As `message.headers()`, but whether an exception is pending is always looked at: the interpreter's short cut does not."""


def kind_of(message: Raw) -> type[Message]:
    """The class that the `ce_type` header names, whole where the topic carries a redacted form; Undecodable when the catalogue does not
    know it on this topic."""
    name = message.text("ce_type")
    kind = KINDS.get(name)
    if kind is None:
        raise Undecodable("unknown_kind", f"ce_type {name!r} is not in the catalogue")
    if name not in CARRIED.get(message.topic, frozenset()):
        raise Undecodable("kind_not_on_topic", f"{name} does not travel on {message.topic}")
    return kind


def decode(kind: type[Message], message: Raw, *, extra: Literal["ignore"] | None = None) -> Message:
    """The payload; Undecodable when it breaks the contract, is empty, or travels under another key than its own.

    `extra="ignore"`: a reader that decides nothing passes over fields that a later version added.
    """
    if message.key is None:
        raise Undecodable("missing_key", "the message has no key")
    if message.value is None:
        raise Undecodable("null_value", "the message has no value")
    name = message.headers.get("ce_id")
    if not name:
        raise Undecodable("missing_id", "the message has no ce_id header")
    if len(message.key) > LONGEST_NAME or len(name) > LONGEST_NAME or len(message.value) > LARGEST_VALUE:
        sizes = f"key {len(message.key)}, ce_id {len(name)}, value {len(message.value)} bytes"
        raise Undecodable("too_large", f"{sizes}; at most {LONGEST_NAME}, {LONGEST_NAME}, {LARGEST_VALUE}")
    if name.translate(None, _PRINTABLE):
        raise Undecodable("bad_header", f"ce_id {name[:40]!r} is not printable ASCII")
    try:
        decoded: Message = _READ[kind](message.value, extra=extra)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "/" + "/".join(str(part) for part in first["loc"])
        raise Undecodable("contract", f"{error.error_count()} errors, first at {pointer}: {first['msg']}") from None
    if decoded.key.encode() != message.key:
        raise Undecodable("key_mismatch", f"key {message.key!r} is not {decoded.key!r}")
    return decoded


def in_doubt(kind: type[Message], message: Raw, at: datetime) -> Message | None:
    """The request of a message whose content breaks the contract, where it can only hold goods and its key names them."""
    if not issubclass(kind, Request):
        return None
    try:
        body = orjson.loads(message.value or b"")
    except orjson.JSONDecodeError:
        body = None
    return kind.in_doubt((message.key or b"").decode("utf-8", "replace"), body, at)


def _reader(kind: type[Message]) -> Callable[..., Message]:
    """A request enters here and is bounded; a fact is read as it was stored, and so is a request that holds goods."""
    if issubclass(kind, Request) and not kind.holds_goods:
        return kind.__pydantic_validator__.validate_json
    return stored_reader(kind).validate_json


_READ = {kind: _reader(kind) for kind in [*KINDS.values(), *FOR_THE_PORTS.carries]} | {
    DeadlinePassed: _reader(DeadlinePassed)
}


def encode(message: Message) -> bytes:
    """The payload's JSON."""
    return message.__pydantic_serializer__.to_json(message)


def headers(
    *,
    id: str,
    kind: str,
    source: str,
    time: str,
    subject: str,
    cause: str,
    correlation: str,
    sequence: int,
    trace: bytes,
) -> Headers:
    """CloudEvents 1.0 attributes and ours, as Kafka headers."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_type", kind.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
        ("ce_subject", subject.encode()),
        ("causationid", cause.encode()),
        ("correlationid", correlation.encode()),
        ("sequence", b"%d" % sequence),
        ("traceparent", trace),
    ]


def request_headers(request: Request, id: str, source: str, time: str) -> Headers:
    """As `headers`, of a request: it begins a chain of causes of its own."""
    return headers(
        id=id,
        kind=request.kind,
        source=source,
        time=time,
        subject=request.key,
        cause="",
        correlation=id,
        sequence=0,
        trace=b"",
    )
