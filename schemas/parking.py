"""What is published about a message that could not be decided, and what may an operator order about it?

The whole message is kept in the parked topic of its service, under the key of its record. An origin identifies it: the
topic, partition and offset from which it was read. A time limit is not read from a topic, so its origin has the text
`deadline/<id of the deadline>` in place of a topic.
"""

from typing import Annotated, Any, NamedTuple, cast

from pydantic import Field
from pydantic_core import from_json

from schemas.bounds import LARGEST_INTEGER, LINE, MOST_PARTS, WhenMade, shown, too_many_parts
from schemas.envelope import Fact, Request, Subject, stored_reader
from schemas.vocabulary import ActorId, Name

MOST_HEADERS = 32
"""How many headers of a parked message are copied. Messages of this project have ten."""
LONGEST_HEADER = 201
"""How many characters of a header are copied. A message with a longer header cannot be decided anyway."""
LARGEST_CARRIED = 1 << 20
"""The most bytes of a value that is copied into a parking message. If a value is larger, a replay reads it from its origin."""
TopicName = Annotated[str, WhenMade(max_length=249, pattern=LINE)]
Number = Annotated[int, WhenMade(ge=0, le=LARGEST_INTEGER)]
Short = Annotated[str, WhenMade(max_length=LONGEST_HEADER, pattern=LINE)]
HeaderMap = Annotated[dict[Short, Short], WhenMade(max_length=MOST_HEADERS)]
ErrorText = Annotated[str, WhenMade(max_length=500, pattern=LINE)]
BASE64 = r"^[A-Za-z0-9+/=]*$"
Base64 = Annotated[str, WhenMade(max_length=(LARGEST_CARRIED + 2) // 3 * 4, pattern=BASE64)]
ShortBase64 = Annotated[str, WhenMade(max_length=(LONGEST_HEADER + 2) // 3 * 4, pattern=BASE64)]
Base64Headers = Annotated[dict[Short, ShortBase64], WhenMade(max_length=MOST_HEADERS)]

DEADLINE = "deadline"
"""The text with which the topic of the origin begins if a time limit is parked. In the older form, it is the whole topic."""
PARKING_FULL = "parking_full"
"""The reason that an older software version gave if the record had no room for another parked message. Such a message
is not in the record and can only be read from its origin."""


class Origin(NamedTuple):
    """The position from which a parked message was read."""

    topic: str
    partition: int
    offset: int

    @property
    def is_deadline(self) -> bool:
        return is_deadline(self.topic)


def is_deadline(topic: str) -> bool:
    """Returns whether this topic of an origin stands for a time limit that passed, and is not the name of a topic."""
    return topic.startswith(_OF_DEADLINES) or topic == DEADLINE


_OF_DEADLINES = f"{DEADLINE}/"


def deadline_origin(id: str, partition: int) -> Origin:
    """Returns the origin of a parked time limit. `id`: from `schemas.envelope.deadline_id`."""
    return Origin(f"{DEADLINE}/{id}", partition, 0)


class MessageParked(Fact):
    """A desk set a message aside because it could not decide it. Later messages of the same record wait behind it.

    `service`, `subject`: the desk, and the key of the record that waits. `topic`, `partition`, `offset`: where the message was read.
    `reason`: a code, for example `contract`, `decide_raised` or `behind_parked`. `error`: the text of the error. `attempt`: how often the
    message has failed; only its first failure adds it to the queue.

    `headers`: the headers of the message as text; `binary_headers`: those that are not text, in base64. `own_key`: whether the key of the
    message is `subject`; if not, `key_base64` is its key. `value_base64`: its value. If `value_kept` is false, the value was too large to
    be copied, and can only be read from its origin.
    """

    service: Name
    subject: Subject
    topic: TopicName
    partition: Number
    offset: Number
    reason: Name
    error: ErrorText = ""
    headers: HeaderMap = Field(default_factory=dict)
    binary_headers: Base64Headers = Field(default_factory=dict)
    own_key: bool = True
    key_base64: ShortBase64 | None = None
    value_base64: Base64 | None = None
    value_kept: bool = True
    attempt: Number = 1

    @property
    def key(self) -> str:
        return self.subject

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)


class _Settled(Fact):
    service: Name
    subject: Subject
    topic: TopicName
    partition: Number
    offset: Number
    ordered_by: ActorId
    message_kind: Annotated[str, WhenMade(max_length=200, pattern=LINE)] = ""

    @property
    def key(self) -> str:
        return self.subject

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)


class ParkedReplayed(_Settled):
    """A parked message was decided after all, as it was or with a corrected value. The older name of this kind is `ParkedReleased`.

    `edited_base64`: the corrected value; null if the value was not changed. The `MessageParked` of the same origin has the value that was
    parked.
    """

    edited_base64: Base64 | None = None


class ParkedDiscarded(_Settled):
    """An operator gave a parked message up. It is never decided; its copy stays in the parked topic."""


class _AboutParked(Request):
    service: Name
    subject: Subject
    topic: TopicName
    partition: Number
    offset: Number
    parked_offset: Number | None = None

    @property
    def key(self) -> str:
        return self.subject

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)


class ReplayParked(_AboutParked):
    """An operator orders a desk to decide the first parked message of `subject` again, and then those that wait behind it, in order.

    `value_base64`: a corrected value for the first message; null if it is decided as it was. `parked_offset`: the offset of its
    `MessageParked`. It is needed only if an older software version gave `parking_full` as the reason.
    """

    value_base64: Base64 | None = None


class DiscardParked(_AboutParked):
    """An operator orders a desk to give up the first parked message of `subject`. The messages behind it wait for another order."""


ParkingOrder = ReplayParked | DiscardParked
"""An operator's order about a parked message."""
Parking = MessageParked | ParkedReplayed | ParkedDiscarded
PARKING: dict[str, type[Parking]] = {kind.kind: kind for kind in (MessageParked, ParkedReplayed, ParkedDiscarded)} | {
    "ParkedReleased": ParkedReplayed
}
"""`ce_type` of the messages on parked topics → their class. The older name `ParkedReleased` is among them."""
ORDERS: dict[str, type[ReplayParked] | type[DiscardParked]] = {
    kind.kind: kind for kind in (ReplayParked, DiscardParked)
}
"""`ce_type` of the messages on orders topics → their class."""


def read_parking(kind: str, value: bytes | dict[str, Any] | None) -> Parking:
    """Reads a parking message with this `ce_type`, in its present or its older form. Raises KeyError if the `ce_type` is
    unknown, and ValueError if the value has neither form."""
    model = PARKING[kind]
    if isinstance(value, bytes) and too_many_parts(value):
        raise ValueError(f"more than {MOST_PARTS} parts")
    body = value if isinstance(value, dict) else from_json(value or b"")
    if not isinstance(body, dict):
        raise ValueError("not an object")
    if "subject" not in body and "key" in body:
        body = _renamed(body, model)
    return cast(Parking, stored_reader(model).validate_python(body))


def read_order(kind: str, value: bytes | None, service: str, subject: str, at: str) -> ParkingOrder:
    """Reads an operator's order, in its present form or the older one, which had no `ce_type`. Raises ValueError if it has
    neither form. `service`, `subject`, `at`: service, key and time of the message, which the older form does not contain."""
    model = ORDERS.get(kind)
    if model is not None:
        return model.model_validate_json(value or b"")
    body = from_json(value or b"")
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return _older_order(body, service, subject, at)


def _older_order(body: dict[str, Any], service: str, subject: str, at: str) -> ParkingOrder:
    names = ("topic", "partition", "offset", "value_base64")
    rest = {name: body[name] for name in names if name in body}
    if unknown := body.keys() - {"action", "actor", *rest}:
        raise ValueError(f"unknown fields {sorted(unknown)[:5]}")
    if not isinstance(body.get("actor"), str):
        raise ValueError("actor is missing")
    more = {
        "service": service,
        "subject": subject,
        "occurred_at": at,
        "asked_by": shown(body["actor"], 64) or "unknown",
    }
    action = body.get("action")
    if action not in ("release", "discard"):
        raise ValueError("action must be release or discard")
    if action == "discard":
        rest.pop("value_base64", None)
    model = ReplayParked if action == "release" else DiscardParked
    return cast(ParkingOrder, stored_reader(model).validate_python(rest | more))


def _renamed(body: dict[str, Any], model: type[Parking]) -> dict[str, Any]:
    """Converts a parking message from its older form. There, `key`, `at` and `actor` were the names of fields that have other
    names now, and all time limits had the topic `deadline`."""
    given = body.get("headers")
    headers: dict[str, Any] = given if isinstance(given, dict) else {}
    new = {"subject": body["key"], "occurred_at": body.get("at")}
    new |= {name: body[name] for name in ("service", "topic", "partition", "offset") if name in body}
    if new.get("topic") == DEADLINE:
        new["topic"] = f"{DEADLINE}/{headers.get('ce_id', '')}"
    if model is MessageParked:
        names: tuple[str, ...] = ("reason", "error", "headers", "value_base64", "value_kept")
    else:
        new |= {"ordered_by": body.get("actor") or "unknown", "message_kind": headers.get("ce_type", "")}
        names = ("edited_base64",) if model is ParkedReplayed else ()
    return new | {name: body[name] for name in names if name in body}
