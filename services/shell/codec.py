"""How do messages become Kafka bytes and headers, and back?"""

from collections.abc import Callable
from datetime import datetime
from operator import methodcaller
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import ValidationError

from schemas.bounds import FIRST, LARGEST_INTEGER, LAST, MOST_PARTS, too_many_parts
from schemas.envelope import DeadlinePassed, Message, Request, stored_reader
from schemas.topics import FACTS_AND_REQUESTS, FOR_THE_PORTS, KINDS

Headers = list[tuple[str, bytes]]
LONGEST_NAME = 200
"""The most bytes of a key or an id. No valid one is longer, and a longer one would be copied into every record and fact
that names it."""
LARGEST_VALUE = 4_000_000
"""The most bytes of a value that a desk decides. The facts and states that follow from it must also fit into one Kafka
message (`max.message.bytes`)."""
LARGEST_MESSAGE = (8 << 20) - (64 << 10)
"""The most bytes of a fact or record. The limit is below that of a Kafka message (`max.message.bytes` of the topics),
because a message also contains the key, the headers and Kafka's own framing. A record must also have room for the note
that messages of its key are parked."""
CARRIED: dict[str, frozenset[str]] = {
    t.name: frozenset(m.kind for m in t.carries) for t in (*FACTS_AND_REQUESTS, FOR_THE_PORTS)
}


class Undecodable(Exception):
    """Raised for a message that cannot be decided. `reason`: a code. The text of the exception contains the wrong
    values."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Raw(NamedTuple):
    """One Kafka message as the loop read it. It is a tuple because a frozen dataclass takes three times as long to
    make, and one is made for each message."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def position(self) -> str:
        """Returns the position from which the message was read, as `topic/partition/offset`. It replaces the id of a
        message that has none."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def text(self, header: str) -> str:
        """Returns the text of a header; an empty text if the header is missing or null."""
        return (self.headers.get(header) or b"").decode("utf-8", "replace")

    def forwarded(self, header: str) -> bytes:
        """Returns the value of a header for a copy in a fact; empty if it is longer than `LONGEST_NAME` bytes or not
        printable ASCII."""
        value = self.headers.get(header) or b""
        return value if len(value) <= LONGEST_NAME and not value.translate(None, _PRINTABLE) else b""


_PRINTABLE = bytes(range(0x20, 0x7F))
_MOST_DIGITS = len(str(LARGEST_INTEGER))


def sequence_of(header: bytes | None) -> int:
    """Returns the number in a `sequence` header; 0 if there is none. Raises ValueError if it is not a number from 0 to
    `LARGEST_INTEGER` (63 bits)."""
    if not header:
        return 0
    if not header.isdigit() or len(header) > _MOST_DIGITS or int(header) > LARGEST_INTEGER:
        raise ValueError(f"sequence {header[:40]!r} is no number up to {LARGEST_INTEGER}")
    return int(header)


def moment_of(text: str) -> datetime:
    """Returns the time in a `ce_time` header (RFC 3339). Raises ValueError if the text is no such time or is not in the
    years 2000 to 2100."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not FIRST <= moment <= LAST:
        raise ValueError(f"{text[:40]!r} has no zone or is not in the years {FIRST.year} to {LAST.year}")
    return moment


def raw(message: Any) -> Raw:
    """Returns a confluent-kafka message as `Raw`."""
    return Raw(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        headers_of(message),
    )


def headers_of(message: Any) -> dict[str, bytes]:
    """Returns the headers of a confluent-kafka message. If the name of one header is not UTF-8, returns no header at
    all."""
    try:
        return dict(_headers(message) or ())
    except SystemError:
        # In place of a name that is not UTF-8, the client's list has a null pointer. Reading the list a second time would crash the process.
        message.set_headers([])
        return {}


_headers = methodcaller("headers")
"""Calls `message.headers()`. Through this object, an exception that the C code has set without returning NULL is always
raised; the interpreter's optimised method call would not notice it."""


def kind_of(message: Raw) -> type[Message]:
    """Returns the class that the `ce_type` header names; for a redacted form, the class of the original fact. Raises
    Undecodable if the topic does not carry this kind."""
    name = message.text("ce_type")
    kind = KINDS.get(name)
    if kind is None:
        raise Undecodable("unknown_kind", f"ce_type {name!r} is not in the catalogue")
    if name not in CARRIED.get(message.topic, frozenset()):
        raise Undecodable("kind_not_on_topic", f"{name} does not travel on {message.topic}")
    return kind


def decode(kind: type[Message], message: Raw, *, extra: Literal["ignore"] | None = None) -> Message:
    """Returns the content of the message as an object of `kind`. Raises Undecodable if the content breaks the contract,
    or if the key or id is missing or wrong.

    `extra="ignore"`: unknown fields, which a later version may have added, are ignored. Otherwise they break the
    contract.
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
    check_parts(message.value)
    if name.translate(None, _PRINTABLE):
        raise Undecodable("bad_header", f"ce_id {name[:40]!r} is not printable ASCII")
    try:
        decoded: Message = _READ[kind](message.value, extra=extra)
    except ValidationError as error:
        raise Undecodable("contract", breach(error)) from None
    if decoded.key.encode() != message.key:
        raise Undecodable("key_mismatch", f"key {message.key!r} is not {decoded.key!r}")
    return decoded


def breach(error: ValidationError) -> str:
    """Returns what is wrong with content that breaks its contract: the number of errors, and the place and message of the
    first one."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    pointer = "/" + "/".join(str(part) for part in first["loc"])
    count = error.error_count()
    return f"{'1 error,' if count == 1 else f'{count} errors, first'} at {pointer}: {first['msg']}"


def check_parts(value: bytes) -> None:
    """Raises Undecodable if the value has more fields and items than a message may have."""
    if too_many_parts(value):
        raise Undecodable("too_large", f"the value has more than {MOST_PARTS} parts")


def in_doubt(kind: type[Message], message: Raw, at: datetime) -> Message | None:
    """Returns the request that takes the place of a message whose content breaks the contract. Returns None if the kind
    of the message can do more than hold goods, or if its key does not name any goods. `at`: the time of the returned
    request."""
    if not issubclass(kind, Request):
        return None
    try:
        body = orjson.loads(message.value or b"")
    except orjson.JSONDecodeError:
        body = None
    return kind.in_doubt((message.key or b"").decode("utf-8", "replace"), body, at)


def _reader(kind: type[Message]) -> Callable[..., Message]:
    """Returns the function that reads messages of this kind. Requests are validated with their bounds. Facts, and
    requests that hold goods, are read without bounds, as stored messages are."""
    if issubclass(kind, Request) and not kind.holds_goods:
        return kind.__pydantic_validator__.validate_json
    return stored_reader(kind).validate_json


_READ = {kind: _reader(kind) for kind in [*KINDS.values(), *FOR_THE_PORTS.carries]} | {
    DeadlinePassed: _reader(DeadlinePassed)
}


def encode(message: Message) -> bytes:
    """Returns the JSON of the message."""
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
    """Returns the Kafka headers: the attributes of CloudEvents 1.0 and our own."""
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
    """Returns the headers of a request. A request has no cause, and its correlation id is its own id."""
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
