"""How does a message become a `MessageParked`, and a message again? And what must the loop bring so that it can be replayed?"""

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
    DiscardParked,
    MessageParked,
    Origin,
    Parking,
    ReplayParked,
    read_order,
    read_parking,
)
from schemas.topics import parked_topic
from services.shell.codec import LONGEST_NAME, Headers, Raw, Undecodable, encode, headers


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a message cannot be decided."""

    reason: str
    error: str


@dataclass(slots=True)
class Stretch:
    """Committed messages of a parked topic. `next`: where to read on; `at_end`: nothing more lies there now."""

    messages: list[Raw] = field(default_factory=list)
    next: int = 0
    at_end: bool = False


class ParkedReader(Protocol):
    """What a turn reads while it decides; the loop reads it from the cluster, a test from memory."""

    def end(self, partition: int) -> int:
        """An offset of the parked topic that is not after anything parked from now on."""

    def read(self, partition: int, start: int) -> Stretch:
        """Committed messages of the parked topic from `start` on: a bounded number and size."""

    def message_at(self, origin: Origin) -> Raw | None:
        """The message that lies there; None when none does."""


def parked_fact(
    service: str, subject: str, message: Raw, trouble: Trouble, at: datetime, attempt: int
) -> MessageParked:
    """What is published of a message set aside; it always fits, whatever the message was.

    Made without validation: nothing is left that could fail here, and a key of older days may hold what no key holds today.
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
    """The message as it was read; without a value where that was too large to be kept."""
    key = fact.subject.encode() if fact.own_key else fact.key_base64 and base64.b64decode(fact.key_base64)
    content = {name: text.encode() for name, text in fact.headers.items()}
    content |= {name: base64.b64decode(text) for name, text in fact.binary_headers.items()}
    value = None if fact.value_base64 is None else base64.b64decode(fact.value_base64)
    return Raw(fact.topic, fact.partition, fact.offset, key or None, value, content)


def can_be_read(fact: MessageParked) -> bool:
    """Whether `parked_raw` gives the message: no desk writes base64 that is none."""
    try:
        parked_raw(fact)
    except ValueError:
        return False
    return True


def waits_here(message: Raw, service: str, subject: bytes) -> MessageParked | None:
    """The fact, if this message of the parked topic is one of `service` that adds to the queue of `subject`."""
    if message.key != subject or message.headers.get("ce_type") != b"MessageParked":
        return None
    if message.headers.get("ce_source") != f"/desks/{service}".encode():
        return None
    try:
        fact = read_parking("MessageParked", message.value)
    except ValueError:  # anybody's nonsense under our name: no desk wrote it, so nothing waits for it
        return None
    if not isinstance(fact, MessageParked) or fact.attempt != 1:
        return None
    return fact if can_be_read(fact) else None


def parking_headers(fact: Parking, time: str, attempt: int = 1) -> Headers:
    """The headers of a parking fact: its cause is the origin."""
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


def decode_order(message: Raw, service: str, subject: str, at: str) -> ReplayParked | DiscardParked:
    """An operator's order, in today's form or the older one; Undecodable when it is none."""
    try:
        order = read_order(message.text("ce_type"), message.value, service, subject, at)
        edited_value(order)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "/" + "/".join(str(part) for part in first["loc"])
        raise Undecodable("contract", f"{error.error_count()} errors, first at {pointer}: {first['msg']}") from None
    except ValueError as error:
        raise Undecodable("contract", str(error)[:300]) from None
    if (order.service, order.subject) != (service, subject):
        raise Undecodable("key_mismatch", f"an order about {order.subject[:80]!r} of {order.service[:20]!r}")
    return order


def edited_value(order: ReplayParked | DiscardParked) -> bytes | None:
    """The corrected value, if the operator gave one; ValueError when it is not base64."""
    text = order.value_base64 if isinstance(order, ReplayParked) else None
    return None if text is None else base64.b64decode(text, validate=True)
