"""Which messages are set aside, why, and how does an operator replay or discard them?"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from kafka import KafkaProducer

from schemas.envelope import request_id
from schemas.parking import DiscardParked, MessageParked, Origin, ReplayParked
from schemas.topics import PARKED, orders_topic
from services.cli.log import Entry, let_in, parking_of, partition_of, read
from services.shell.access import Access, access_to
from services.shell.clock import now
from services.shell.parking import can_be_read

LARGEST_ORDER = 8 << 20
"""Bytes, as the topics take: an order may bring a large value back."""

Action = Literal["replay", "discard"]
Order = ReplayParked | DiscardParked


@dataclass
class Parked:
    """One message in parking: where (`service`, `key`), its origin, why, and what it said."""

    service: str
    partition: int
    key: str
    topic: str
    origin_partition: int
    offset: int
    reason: str
    error: str
    at: str
    value: bytes | None
    kept: bool = True
    """False: too large to travel along; it lies at its origin only."""
    parked_offset: int = 0
    """Where its `MessageParked` lies in the parked topic."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How an operator names it: service:topic/partition/offset."""
        return f"{self.service}:{self.topic}/{self.origin_partition}/{self.offset}"


def waiting(kafka: Access | str) -> list[Parked]:
    """Everything in parking now, oldest first: announced as parked, and neither replayed nor discarded since."""
    there: dict[tuple[str, Origin], Parked] = {}
    for entry in read(kafka, [t.name for t in PARKED]):
        fact = parking_of(entry)
        if fact is None or (isinstance(fact, MessageParked) and not can_be_read(fact)):
            continue
        place = (fact.service, fact.origin)
        if not isinstance(fact, MessageParked):
            there.pop(place, None)
        elif fact.attempt == 1 or place not in there:
            there[place] = _parked(entry, fact)
        else:
            first = there[place]
            first.reason, first.error, first.at = fact.reason, fact.error, fact.occurred_at.isoformat()
    return sorted(there.values(), key=lambda p: (p.at, p.topic, p.offset))


def order(
    kafka: Access | str, parked: Parked, action: Action, actor: str, value: bytes | None, partitions: int
) -> None:
    """Orders the service to replay (optionally with a corrected value) or to discard it; acknowledged by the cluster."""
    _give(kafka, [(parked, _request(parked, action, actor, value))], partitions)


def order_all(kafka: Access | str, decisions: Iterable[tuple[Parked, Action]], actor: str, partitions: int) -> None:
    """One order for each of these; a service carries out those about the first message of a key."""
    _give(kafka, [(parked, _request(parked, action, actor, None)) for parked, action in decisions], partitions)


def _request(parked: Parked, action: Action, actor: str, value: bytes | None) -> Order:
    about: dict[str, Any] = {
        "service": parked.service,
        "subject": parked.key,
        "topic": parked.topic,
        "partition": parked.origin_partition,
        "offset": parked.offset,
        "parked_offset": parked.parked_offset,
        "asked_by": actor,
        "occurred_at": now(),
    }
    if action == "discard":
        return DiscardParked(**about)
    return ReplayParked(**about, value_base64=None if value is None else base64.b64encode(value).decode())


def _give(kafka: Access | str, orders: list[tuple[Parked, Order]], partitions: int) -> None:
    access = access_to(kafka)
    let_in(access)
    producer = KafkaProducer(**access.kafka_python(), acks="all", retries=5, max_request_size=LARGEST_ORDER)
    try:
        sent = [
            producer.send(
                orders_topic(parked.service),
                key=parked.key.encode(),
                value=request.model_dump_json().encode(),
                headers=[("ce_type", request.kind.encode()), ("ce_id", _id(request).encode())],
                partition=parked.partition if parked.partition < partitions else partition_of(parked.key, partitions),
            )
            for parked, request in orders
        ]
        for future in sent:
            future.get(timeout=30)
    finally:
        producer.close()


def _id(request: Order) -> str:
    """An order has no key of its own against doubles: one that was carried out finds nothing to do."""
    return request_id(request.asked_by, f"{request.kind}/{request.origin}/{request.occurred_at.isoformat()}")


def _parked(entry: Entry, fact: MessageParked) -> Parked:
    return Parked(
        service=fact.service,
        partition=entry.partition,
        key=fact.subject,
        topic=fact.topic,
        origin_partition=fact.partition,
        offset=fact.offset,
        reason=fact.reason,
        error=fact.error,
        at=fact.occurred_at.isoformat(),
        value=base64.b64decode(fact.value_base64) if fact.value_base64 is not None else None,
        kept=fact.value_kept,
        parked_offset=entry.offset,
        headers=fact.headers,
    )
