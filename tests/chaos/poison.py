"""What happens to goods if a program writes nonsense onto the topics about them? The nonsense is parked, an operator
discards it, and the goods continue."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.producer.future import FutureRecordMetadata, RecordMetadata

from deploy.kafka.errors import BrokerError
from deploy.kafka.progress import Sign, WaitLimit
from schemas.flow import FLOW, heard_topics
from schemas.topics import FACTS_AND_REQUESTS, ORDERS, PARKED, SERVICES, orders_topic
from services.cli.log import partition_of, read
from services.cli.parked import Action, Parked, order_of, send_orders, waiting
from services.shell.access import Access
from tests.chaos.theatre import Theatre
from tests.waiting import wait_by

T = TypeVar("T")
SOURCE = "/chaos/poison"
"""The `ce_source` of every poison message. No desk has this source."""
TOPICS = (*FACTS_AND_REQUESTS, *ORDERS, *PARKED)
"""The topics that are poisoned: all except the state topics, each of which only its own desk reads, and the topic for
ports, which no desk reads."""
HEARERS = {t.name: tuple(s for s in SERVICES if t.name in (*heard_topics(s), orders_topic(s))) for t in TOPICS}
"""Topic → the services that read it. Each of these services must park each nonsense message of the topic, unless it
ignores the kind of the message (`passes_over`)."""


Known = set[tuple[str, str, int, int]]
"""Messages, each as service, topic, partition and offset."""
STILL_SECONDS, MOST_SECONDS = 120.0, 480.0
"""Poison must be parked and settled within `MOST_SECONDS`, and the wait ends earlier if there is no progress for
`STILL_SECONDS`. Other faults may stop the broker and the desks meanwhile, and on a slow machine their new start takes
time."""


@dataclass
class Dose:
    """One round of poison: a nonsense message on each topic. `offsets`: topic, partition and offset of each message;
    `wanted`: which service must park which of them."""

    offsets: list[tuple[str, int, int]] = field(default_factory=list)
    wanted: Known = field(default_factory=set)


def passes_over(service: str, kind: str) -> bool:
    """Returns whether the service ignores messages of this kind, whatever they contain."""
    return kind != "Nonsense" and kind not in {read_kind.kind for read_kind in FLOW[service]}


def poison(access: Access, keys: dict[str, str], partitions: int, salt: str, progress: WaitLimit) -> Dose:
    """Writes a nonsense message onto each topic, and returns what was written. `keys`: `consignment` → the key for
    all topics except those of containers, `container` → the key for the topics of containers. The shape of a message
    depends on its topic and the length of `salt`."""
    # the producer must not give up earlier than `progress` does
    longest = int(MOST_SECONDS * 1000)
    made = {**access.kafka_python(), "acks": "all", "max_block_ms": longest, "delivery_timeout_ms": longest}
    producer = patiently(lambda: KafkaProducer(**made), progress)
    dose = Dose()
    try:
        sent = []
        for number, topic in enumerate(TOPICS):
            name = topic.carries[0].kind if topic.carries else "Nonsense"
            kind, value = [
                ("Nonsense", b"{}"),
                (name, b"not json"),
                (name, b'{"consignment_id": 7}'),
                (name, None),
            ][(number + len(salt)) % 4]
            key = keys.get(topic.key, keys["consignment"])
            headers = [("ce_id", f"{salt}/{topic.name}".encode()), ("ce_type", kind.encode())]
            headers += [("ce_source", SOURCE.encode()), ("ce_time", b"2026-11-24T00:00:00Z")]
            partition = partition_of(key, partitions)
            sent.append(
                (kind, producer.send(topic.name, key=key.encode(), value=value, headers=headers, partition=partition))
            )
        for kind, future in sent:
            lies = wait_by(partial(_acknowledged, future), progress)
            found = (lies.topic, lies.partition, lies.offset)
            dose.offsets.append(found)
            dose.wanted |= {(service, *found) for service in HEARERS[lies.topic] if not passes_over(service, kind)}
    finally:
        producer.close()
    return dose


def _acknowledged(future: FutureRecordMetadata) -> RecordMetadata | None:
    return future.get(0) if future.is_done else None


def set_aside(access: Access) -> Known:
    """Returns every message that a service has parked."""
    announced = [
        e.body
        for e in read(access, [t.name for t in PARKED])
        # Some poison on the parked topics has the kind MessageParked. No service wrote it, so it does not count.
        if e.kind == "MessageParked" and e.headers.get("ce_source") != SOURCE
    ]
    return {(b["service"], b["topic"], b["partition"], b["offset"]) for b in announced}


def await_settled(theatre: Theatre, dose: Dose) -> tuple[int, int, int]:
    """Waits until every service has parked its poison and the operator has settled it, or until there is no more
    progress. Returns how many messages had to be parked, how many of them were parked, and how many still wait."""
    wanted, access = dose.wanted, theatre.access("operations")
    there, left = Known(), wanted
    signs: dict[str, Sign] = {"set aside": lambda: len(there), "waiting": lambda: len(left)}
    what = "poison to be set aside and thrown away"
    progress = theatre.progress(what, signs=signs, still=STILL_SECONDS, most=MOST_SECONDS)

    def settled() -> bool:
        nonlocal there, left
        there = wanted & patiently(lambda: set_aside(access), progress)
        parked = patiently(lambda: waiting(access), progress)
        left = wanted & {(p.service, p.topic, p.origin_partition, p.offset) for p in parked}
        return there == wanted and not left

    # if `wait_by` times out, the returned numbers show what is missing
    with suppress(TimeoutError):
        wait_by(settled, progress, 1)
    return len(wanted), len(there), len(left)


def patiently(act: Callable[[], T], progress: WaitLimit) -> T:
    """Calls `act` again and again until the broker answers, and returns its result. If there is no more progress,
    raises the last error."""
    while True:
        try:
            return act()
        except (BrokerError, KafkaError):
            if not progress.goes_on():
                raise
            time.sleep(0.5)


class Operator(threading.Thread):
    """Discards poison and replays the messages that wait behind the poison, until `stop` is called. `orders`: how many
    orders the operator has sent."""

    def __init__(self, access: Access, partitions: int) -> None:
        super().__init__(name="operator", daemon=True)
        self.access, self.partitions = access, partitions
        self.orders = 0
        self.troubles = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(1):
            try:
                self._work()
            except (BrokerError, KafkaError):
                # The broker cannot be reached. The next round tries again.
                self.troubles += 1

    def _work(self) -> None:
        left = waiting(self.access)
        # Each waiting message gets an order, although only the order about the first message of a key has an effect.
        orders = [(parked, order_of(parked, _verdict(parked), "chaos")) for parked in left]
        send_orders(self.access, orders, self.partitions)
        self.orders += len(left)

    def stop(self) -> None:
        self._over.set()
        self.join(60)


def _verdict(parked: Parked) -> Action:
    return "discard" if parked.headers.get("ce_source") == SOURCE else "replay"
