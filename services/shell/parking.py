"""How is a message turned into a `MessageParked`, and back into a message? And what must a turn be able to read for a
replay?"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from pydantic import ValidationError

from schemas.bounds import shown
from schemas.envelope import fact_id
from schemas.parking import (
    LARGEST_CARRIED,
    LONGEST_HEADER,
    MOST_HEADERS,
    MessageParked,
    Origin,
    Parking,
    ParkingOrder,
    ReplayParked,
    read_order,
    read_parking,
)
from schemas.topics import parked_topic
from services.shell.codec import LONGEST_NAME, Headers, Raw, Undecodable, breach, check_parts, encode, headers


@dataclass(frozen=True, slots=True)
class Trouble:
    """The reason why a message cannot be decided: `reason` is a code, `error` a text."""

    reason: str
    error: str


@dataclass(slots=True)
class Stretch:
    """Consecutive committed messages of a parked topic. `next`: the offset from which the next read begins; `at_end`:
    whether no message follows now."""

    messages: list[Raw] = field(default_factory=list)
    next: int = 0
    at_end: bool = False


class ParkedReader(Protocol):
    """The interface through which a turn reads parked messages. The loop reads them from the cluster, tests read them from
    memory."""

    def end(self, partition: int) -> int:
        """Returns an offset of the parked topic. Every message that is parked from now on gets this offset or a higher
        one."""

    def read(self, partition: int, start: int) -> Stretch:
        """Returns committed messages of the parked topic from the offset `start` on, limited in number and size."""

    def message_at(self, origin: Origin) -> Raw | None:
        """Returns the message at this position; None if there is none."""


def parked_fact(
    service: str, subject: str, message: Raw, trouble: Trouble, at: datetime, attempt: int
) -> MessageParked:
    """Returns the fact that a message was parked. Its size is limited, so that it always fits into a Kafka message.
    `subject`: the key of the record; `attempt`: how often the message has failed.

    The fact is made without validation, because parking must not fail, and a key from an older version may have characters
    that a key may not have today.
    """
    value, key = message.value, message.key
    kept = value is None or len(value) <= LARGEST_CARRIED
    text, binary = {}, {}
    for header, content in islice(message.headers.items(), MOST_HEADERS):
        name, cut = shown(header, LONGEST_NAME), (content or b"")[:LONGEST_HEADER]
        text[name] = shown(cut.decode("utf-8", "replace"), LONGEST_HEADER)
        if text[name].encode() != cut:
            binary[name] = base64.b64encode(cut).decode()
    own = key == subject.encode()
    return MessageParked.model_construct(
        occurred_at=at,
        service=service,
        subject=subject,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        reason=trouble.reason,
        error=shown(trouble.error),
        headers=text,
        binary_headers=binary,
        own_key=own,
        key_base64=None if own or key is None else base64.b64encode(key[: LONGEST_NAME + 1]).decode(),
        value_base64=base64.b64encode(value).decode() if kept and value is not None else None,
        value_kept=kept,
        attempt=attempt,
    )


def parked_raw(fact: MessageParked) -> Raw:
    """Returns the parked message, as far as the fact contains it. The message has no value if the value was too large
    to be copied into the fact. A long key and long headers are cut. Raises ValueError for invalid base64."""
    key = fact.subject.encode() if fact.own_key else fact.key_base64 and base64.b64decode(fact.key_base64)
    content = {name: text.encode() for name, text in fact.headers.items()}
    content |= {name: base64.b64decode(text) for name, text in fact.binary_headers.items()}
    value = None if fact.value_base64 is None else base64.b64decode(fact.value_base64)
    return Raw(fact.topic, fact.partition, fact.offset, key or None, value, content)


def can_be_read(fact: MessageParked) -> bool:
    """Returns whether `parked_raw` can decode the message. A desk always writes valid base64, but a forged fact may have
    invalid base64."""
    try:
        parked_raw(fact)
    except ValueError:
        return False
    return True


def waits_here(message: Raw, service: str, subject: bytes) -> MessageParked | None:
    """Returns the fact in this message of the parked topic, if `service` wrote the fact and the fact says that a
    message was parked for the first time under the key `subject`; otherwise None."""
    if message.key != subject or message.headers.get("ce_type") != b"MessageParked":
        return None
    if message.headers.get("ce_source") != f"/desks/{service}".encode():
        return None
    try:
        fact = read_parking("MessageParked", message.value)
    except ValueError:
        # A desk writes only valid facts, so this message is not from the desk that it names. It says nothing about a
        # parked message.
        return None
    if not isinstance(fact, MessageParked) or fact.attempt != 1:
        return None
    return fact if can_be_read(fact) else None


def parking_headers(fact: Parking, time: str, attempt: int = 1) -> Headers:
    """Returns the headers of a parking fact. Its cause is the origin of the parked message."""
    cause = "/".join(map(str, fact.origin))
    again = "" if attempt == 1 else f"{attempt}/"
    return headers(
        id=fact_id(fact.service, f"{again}{fact.kind}/{cause}", 0),
        kind=fact.kind,
        source=f"/desks/{fact.service}",
        time=time,
        subject=fact.subject,
        cause=cause,
        correlation=cause,
        sequence=0,
        trace=b"",
    )


def topic_and_value(fact: Parking) -> tuple[str, bytes]:
    return parked_topic(fact.service), encode(fact)


def decode_order(message: Raw, service: str, subject: str, at: str) -> ParkingOrder:
    """Reads an operator's order, in its present form or the older one. Raises Undecodable if the message is no order, or is
    about another service or key."""
    check_parts(message.value or b"")
    try:
        order = read_order(message.text("ce_type"), message.value, service, subject, at)
        edited_value(order)
    except ValidationError as error:
        raise Undecodable("contract", breach(error)) from None
    except ValueError as error:
        raise Undecodable("contract", str(error)[:300]) from None
    if (order.service, order.subject) != (service, subject):
        raise Undecodable("key_mismatch", f"an order about {order.subject[:80]!r} of {order.service[:20]!r}")
    return order


def edited_value(order: ParkingOrder) -> bytes | None:
    """Returns the corrected value in the order; None if there is none. Raises ValueError if it is not base64."""
    text = order.value_base64 if isinstance(order, ReplayParked) else None
    return None if text is None else base64.b64decode(text, validate=True)
