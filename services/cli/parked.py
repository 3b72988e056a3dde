"""Which messages are set aside, why, and how does an operator release or discard them?"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer

from schemas.topics import PARKED, orders_topic
from services.cli.log import Entry, partition_of, read, value_at

LARGEST_ORDER = 8 << 20
"""Bytes, as the topics take: an order may bring a large value back."""


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
    """False: too big to travel along; it lies at its origin only."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How an operator names it: service:topic/partition/offset."""
        return f"{self.service}:{self.topic}/{self.origin_partition}/{self.offset}"


def waiting(bootstrap: str) -> list[Parked]:
    """Everything in parking now, oldest first: announced as parked, and neither released nor discarded since."""
    there: dict[tuple[str, str, int, int], Parked] = {}
    for entry in read(bootstrap, [t.name for t in PARKED]):
        body = entry.body
        if not entry.written_by_its_desk:
            continue  # only the service itself sets aside
        place = (str(body["service"]), str(body["topic"]), int(body["partition"]), int(body["offset"]))
        if entry.kind == "MessageParked":
            there[place] = _parked(entry, body)
        else:
            there.pop(place, None)
    return sorted(there.values(), key=lambda p: (p.at, p.topic, p.offset))


def order(bootstrap: str, parked: Parked, action: str, actor: str, value: bytes | None, partitions: int) -> None:
    """Orders the service to release (replay, optionally with a corrected value) or discard; acknowledged by the cluster."""
    if value is None and action == "release" and not parked.kept:
        value = value_at(bootstrap, parked.topic, parked.origin_partition, parked.offset)
    _give(bootstrap, [(parked, _words(parked, action, actor, value))], partitions)


def order_all(bootstrap: str, decisions: Iterable[tuple[Parked, str]], actor: str, partitions: int) -> None:
    """One order for each of these, release or discard; a service carries out those about the first message of a key."""
    _give(bootstrap, [(parked, _words(parked, action, actor, None)) for parked, action in decisions], partitions)


def _words(parked: Parked, action: str, actor: str, value: bytes | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "action": action,
        "topic": parked.topic,
        "partition": parked.origin_partition,
        "offset": parked.offset,
        "actor": actor,
    }
    if value is not None:
        told["value_base64"] = base64.b64encode(value).decode()
    return told


def _give(bootstrap: str, orders: list[tuple[Parked, dict[str, Any]]], partitions: int) -> None:
    servers = bootstrap.split(",")
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", retries=5, max_request_size=LARGEST_ORDER)
    try:
        sent = [
            producer.send(
                orders_topic(parked.service),
                key=parked.key.encode(),
                value=json.dumps(told).encode(),
                partition=parked.partition if parked.partition < partitions else partition_of(parked.key, partitions),
            )
            for parked, told in orders
        ]
        for future in sent:
            future.get(timeout=30)
    finally:
        producer.close()


def _parked(entry: Entry, body: dict[str, Any]) -> Parked:
    value = body.get("value_base64")
    return Parked(
        service=str(body["service"]),
        partition=entry.partition,
        key=str(body["key"]),
        topic=str(body["topic"]),
        origin_partition=int(body["partition"]),
        offset=int(body["offset"]),
        reason=str(body.get("reason", "")),
        error=str(body.get("error", "")),
        at=str(body.get("at", "")),
        value=base64.b64decode(value) if value is not None else None,
        kept=bool(body.get("value_kept", True)),
        headers={str(k): str(v) for k, v in body.get("headers", {}).items()},
    )
