"""Which messages are set aside and why, and how does an operator replay or discard them?"""

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from kafka import KafkaProducer, TopicPartition

from schemas.envelope import request_id
from schemas.parking import (
    DiscardParked,
    MessageParked,
    Origin,
    ParkedDiscarded,
    ParkedReplayed,
    Parking,
    ParkingOrder,
    ReplayParked,
)
from schemas.topics import PARKED, orders_topic, parked_topic
from services.cli.log import LoggedMessage, entry_of, let_in, parking_of, partition_of, read, reader
from services.console.language.words import TEXTS
from services.shell.access import Access, access_to
from services.shell.clock import now, stopwatch
from services.shell.parking import can_be_read

LARGEST_ORDER = 8 << 20
"""The most bytes of an order. It is the limit of the topics, because an order may have a large corrected value."""

Action = Literal["replay", "discard"]


@dataclass
class Parked:
    """One parked message: the service that parked it, the key under which it waits, its origin, the reason, and its content."""

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
    """False if the value was too large to be copied. Only the message at the origin then has the value."""
    parked_offset: int = 0
    """The offset, in the parked topic, of the fact `MessageParked` about this message."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Returns the position at which the message was read: topic, partition and offset."""
        return Origin(self.topic, self.origin_partition, self.offset)

    @property
    def name(self) -> str:
        """Returns the name of the message for operators: `service:topic/partition/offset`."""
        return f"{self.service}:{self.topic}/{self.origin_partition}/{self.offset}"


def waiting(kafka: Access | str) -> list[Parked]:
    """Returns all messages that are parked now, the oldest first: those that were parked and have not been replayed or discarded
    since."""
    there: dict[tuple[str, Origin], Parked] = {}
    for entry in read(kafka, [t.name for t in PARKED]):
        fact = parking_of(entry)
        if fact is None or (isinstance(fact, MessageParked) and not can_be_read(fact)):
            continue
        message = (fact.service, fact.origin)
        if not isinstance(fact, MessageParked):
            there.pop(message, None)
        elif fact.attempt == 1 or message not in there:
            there[message] = _parked(entry, fact)
        else:
            first = there[message]
            first.reason, first.error, first.at = fact.reason, fact.error, fact.occurred_at.isoformat()
    return sorted(there.values(), key=lambda p: (p.at, p.topic, p.offset))


@contextmanager
def watching(kafka: Access | str, parked: Parked) -> Iterator[Callable[[float, Callable[[int], None]], Parking | None]]:
    """Begins to read the parked topic. Enter this context before you send the order. Yields a function with two arguments,
    `seconds` and `advance`. The function waits up to `seconds` for the next fact about this message (replayed, discarded, or parked
    again) and returns it, or None if there is none. While it waits, it calls `advance` again and again."""
    consumer = reader(kafka)
    topic_partition = TopicPartition(parked_topic(parked.service), parked.partition)
    try:
        consumer.assign([topic_partition])
        consumer.seek_to_end(topic_partition)
        consumer.position(topic_partition)  # `seek_to_end` takes effect only when the position is read

        def next_statement(seconds: float, advance: Callable[[int], None]) -> Parking | None:
            began = stopwatch()
            while stopwatch() - began < seconds:
                advance(0)
                for message in consumer.poll(timeout_ms=200).get(topic_partition, ()):
                    fact = parking_of(entry_of(message))
                    if fact is not None and fact.origin == parked.origin and fact.subject == parked.key:
                        return fact
            return None

        yield next_statement
    finally:
        consumer.close()


def outcome(parked: Parked, answer: Parking | None, others: Sequence[Parked]) -> tuple[str, bool]:
    """Returns a sentence with the result of an order, and whether the message was replayed or discarded. `answer`: the fact that
    followed, None if there was none in time; `others`: the messages that are parked now."""
    match answer:
        case ParkedReplayed():
            return f"decided 已重放并裁定; what the {parked.service} desk said of it: dtg trace {parked.key}", True
        case ParkedDiscarded():
            return "discarded; it stays in the log. 已丢弃", True
        case MessageParked():
            return f"set aside again 再次搁置: {in_words(answer.reason)}: {answer.error}", False
        case None:
            first = next((each for each in others if (each.service, each.key) == (parked.service, parked.key)), parked)
            if first.origin != parked.origin:
                return f"nothing yet: it waits behind {first.name}; order that one first. 须先处置排在前面的消息", False
            return "nothing yet: is the worker of its desk running? `dtg parked list` tells later. 尚无答复", False
    assert_never(answer)


def in_words(reason: str) -> str:
    """Returns what the code of a reason for parking means, in Chinese and English, as the console's page says it. A code that a newer
    software version wrote is returned as it is."""
    texts = TEXTS.get(f"park_reasons.{reason}")
    return reason if texts is None else texts.joined


def order_of(parked: Parked, action: Action, actor: str, value: bytes | None = None) -> ParkingOrder:
    """Returns the order to replay this message, optionally with a corrected value, or to discard it. `actor`: the operator."""
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


def send_orders(kafka: Access | str, orders: Sequence[tuple[Parked, ParkingOrder]], partitions: int) -> None:
    """Sends each order to the service that parked the message, and waits until the cluster has acknowledged all of them. A service
    carries out an order only if it is about the first parked message of its key. `partitions`: the number of partitions of each
    topic."""
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


def _id(request: ParkingOrder) -> str:
    """Returns the id of an order, which contains the time of the order. So if an operator gives the same order twice,
    the two orders have different ids. This does no harm, because the second order changes nothing."""
    return request_id(request.asked_by, f"{request.kind}/{request.origin}/{request.occurred_at.isoformat()}")


def _parked(entry: LoggedMessage, fact: MessageParked) -> Parked:
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
