"""What happens to goods when somebody writes nonsense onto their topics? It is set aside, seen, thrown away, and they go on."""

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
from services.cli.parked import Action, Parked, order, order_of, waiting
from services.shell.access import Access
from tests.chaos.theatre import Theatre
from tests.waiting import wait_by

T = TypeVar("T")
SOURCE = "/chaos/poison"
"""The `ce_source` of every poison: no desk's."""
TOPICS = (*FACTS_AND_REQUESTS, *ORDERS, *PARKED)
"""All but the state topics, which are a desk's own memory and no way to speak to it."""
HEARERS = {t.name: tuple(s for s in SERVICES if t.name in (*heard_topics(s), orders_topic(s))) for t in TOPICS}
"""topic → the services that must set aside what nobody can read there."""


Known = set[tuple[str, str, int, int]]
"""Service, topic, partition and offset of messages."""
STILL_SECONDS, MOST_SECONDS = 120.0, 480.0
"""How long poison waits without any progress, and at most, until it is set aside and dealt with: other faults may keep the
broker and the desks away, and a starved machine takes its time to bring them back."""


@dataclass
class Dose:
    """One salvo: a poison on each topic. `places`: topic, partition, offset of each; `wanted`: who must set which aside."""

    places: list[tuple[str, int, int]] = field(default_factory=list)
    wanted: Known = field(default_factory=set)


def passes_over(service: str, kind: str) -> bool:
    """Whether a message of this kind, whatever it says, is none of the service's business."""
    return kind != "Nonsense" and kind not in {heard.kind for heard in FLOW[service]}


def poison(access: Access, keys: dict[str, str], partitions: int, salt: str, progress: WaitLimit) -> Dose:
    """Writes one onto each topic, under the key for its kind (`consignment`, `container`, else a consignment's); of a shape drawn by topic."""
    longest = int(MOST_SECONDS * 1000)  # in which the library tries by itself; the progress ends it sooner
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
            told = [("ce_id", f"{salt}/{topic.name}".encode()), ("ce_type", kind.encode())]
            told += [("ce_source", SOURCE.encode()), ("ce_time", b"2026-11-24T00:00:00Z")]
            place = partition_of(key, partitions)
            sent.append((kind, producer.send(topic.name, key=key.encode(), value=value, headers=told, partition=place)))
        for kind, future in sent:
            lies = wait_by(partial(_place, future), progress)
            found = (lies.topic, lies.partition, lies.offset)
            dose.places.append(found)
            dose.wanted |= {(service, *found) for service in HEARERS[lies.topic] if not passes_over(service, kind)}
    finally:
        producer.close()
    return dose


def _place(future: FutureRecordMetadata) -> RecordMetadata | None:
    return future.get(0) if future.is_done else None


def set_aside(access: Access) -> Known:
    """Everything that was ever set aside."""
    announced = [
        e.body
        for e in read(access, [t.name for t in PARKED])
        if e.kind == "MessageParked" and e.headers.get("ce_source") != SOURCE  # poison lies on these topics, too
    ]
    return {(b["service"], b["topic"], b["partition"], b["offset"]) for b in announced}


def await_settled(theatre: Theatre, dose: Dose) -> tuple[int, int, int]:
    """Waits until every hearer has set its poison aside and the operator has dealt with it, or nothing gets on any more:
    wanted, set aside, still waiting."""
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

    with suppress(TimeoutError):  # the counts say it
        wait_by(settled, progress, 1)
    return len(wanted), len(there), len(left)


def patiently(act: Callable[[], T], progress: WaitLimit) -> T:
    """What `act` returns once there is a broker to answer it; what it raised last when nothing gets on any more."""
    while True:
        try:
            return act()
        except (BrokerError, KafkaError):
            if not progress.goes_on():
                raise
            time.sleep(0.5)


class Operator(threading.Thread):
    """Throws poison away and replays what waited behind it, for as long as the run lasts; `orders` given so far."""

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
            except (BrokerError, KafkaError):  # no broker at the moment: an operator tries again
                self.troubles += 1

    def _work(self) -> None:
        left = waiting(self.access)
        # an order about a message that is not the first of its key does nothing
        orders = [(parked, order_of(parked, _verdict(parked), "chaos")) for parked in left]
        order(self.access, orders, self.partitions)
        self.orders += len(left)

    def stop(self) -> None:
        self._over.set()
        self.join(60)


def _verdict(parked: Parked) -> Action:
    return "discard" if parked.headers.get("ce_source") == SOURCE else "replay"
