"""How do tests use a running border? They send requests through Kafka and read facts with kafka-python. Nothing is
mocked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.envelope import Request, request_id
from schemas.topics import FACTS_AND_REQUESTS, PARKED, ROLES, SERVICES, topic_of
from services.cli.log import LoggedMessage, entry_of, partitions_of, reader
from services.cli.processes import Child
from services.risk.keys import PUBLISHED
from services.shell.access import Access, access_to
from services.shell.clock import CLOCK, Clock
from services.shell.codec import encode, headers
from services.shell.desk import Desk
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.worker import desks
from tests.waiting import wait, wait_until_ended

TOPICS = [t.name for t in (*FACTS_AND_REQUESTS, *PARKED)]


@dataclass(frozen=True)
class Leaping(Clock):
    """A clock that a test can set forward, because some effects come only after hours."""

    leaps: list[timedelta] = field(default_factory=list)

    def now(self) -> datetime:
        return super().now() + sum(self.leaps, timedelta())


class Log:
    """The messages of a cluster's topics. Each call of `entries` reads only the new messages, because a test that waits
    calls it many times."""

    def __init__(self, kafka: Access) -> None:
        self._kafka = kafka
        self._consumer: KafkaConsumer | None = None
        self._entries: dict[TopicPartition, list[LoggedMessage]] = {}

    def entries(self) -> list[LoggedMessage]:
        """Returns all committed messages up to the present ends of the topics, topic by topic, and each partition in
        its order."""
        if self._consumer is None:
            self._consumer = reader(self._kafka, max_poll_records=5000)
            topic_partitions = [
                TopicPartition(t, number) for t in TOPICS for number in partitions_of(self._consumer, t)
            ]
            self._entries = {topic_partition: [] for topic_partition in topic_partitions}
            self._consumer.assign(topic_partitions)
            self._consumer.seek_to_beginning(*topic_partitions)
        ends = {
            topic_partition: end
            for topic_partition, end in self._consumer.end_offsets(list(self._entries)).items()
            if end > 0
        }
        while any((self._consumer.position(topic_partition) or 0) < end for topic_partition, end in ends.items()):
            for topic_partition, messages in self._consumer.poll(timeout_ms=200).items():
                self._entries[topic_partition] += map(entry_of, messages)
        return [entry for entries in self._entries.values() for entry in entries]

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()


class Border:
    """Sends requests to the desks of a cluster, and reads their facts."""

    def __init__(self, kafka: Access | str, partitions: int, clock: Clock = CLOCK) -> None:
        access = access_to(kafka)
        self.bootstrap, self.partitions, self.clock = access.servers, partitions, clock
        self._producer = KafkaProducer(**access.kafka_python(), acks="all")
        self._log = Log(access)

    def close(self) -> None:
        self._producer.close()
        self._log.close()

    def ask(self, request: Request, name: str = "") -> str:
        """Sends a request and returns its id when the broker has acknowledged it. The id is made from `name`, or from
        the request's content if `name` is empty."""
        value = encode(request)
        message_id = request_id("test", name or value.decode())
        topic, sent_at = topic_of("anyone", type(request)), request.occurred_at.isoformat()
        self.send(topic, request.key, value, request.kind, message_id, sent_at)
        self.flush()
        return message_id

    def say(self, topic: str, key: str | bytes | None, value: bytes | None, kind: str, message_id: str) -> None:
        """Writes any message to a topic. Returns when the broker has acknowledged it."""
        self.send(topic, key, value, kind, message_id)
        self.flush()

    def flush(self) -> None:
        self._producer.flush(timeout=60)

    def send(
        self,
        topic: str,
        key: str | bytes | None,
        value: bytes | None,
        kind: str,
        message_id: str,
        time: str = "2026-11-23T12:00:00Z",
    ) -> None:
        """Writes any message to a topic without waiting for the broker; `flush` waits. `time`: the time in the header
        `ce_time`."""
        sent_headers = headers(
            id=message_id,
            kind=kind,
            source="/test",
            time=time,
            subject="test",
            cause="",
            correlation=message_id,
            sequence=0,
            trace=b"",
        )
        raw = key.encode() if isinstance(key, str) else key
        self._producer.send(topic, key=raw, value=value, headers=sent_headers)

    def facts(self, key: str) -> list[LoggedMessage]:
        """Returns all facts with this key, topic by topic."""
        return [e for e in self._log.entries() if e.key == key and ROLES[e.topic] != "requests"]

    def until(self, key: str, *kinds: str) -> dict[str, Any]:
        """Waits until there is a fact of each of these kinds with this key, and raises TimeoutError if the wait is in
        vain. Returns, for every kind of fact with this key, kind → the body of the last fact of this kind."""
        facts: dict[str, Any] = {}
        messages = 0

        def complete() -> bool:
            nonlocal messages
            entries = self._log.entries()
            messages = len(entries)
            facts.update({e.kind: e.body for e in entries if e.key == key and ROLES[e.topic] != "requests"})
            return set(kinds) <= set(facts)

        signs = {"messages": lambda: messages, "there is": lambda: sorted(facts)}
        wait(complete, f"{', '.join(kinds)} of {key}", signs=signs)
        return facts

    def eventually(self, what: Callable[[], Any], *children: Child) -> Any:
        """Calls `what` again and again until it returns a true value, and returns that value. Raises TimeoutError if
        the wait is in vain, or if one of `children`, the processes whose work is awaited, has ended."""
        return wait(what, "what should come true", *children)


@contextmanager
def running(
    bootstrap: str,
    partitions: int,
    slot: str = "test",
    names: tuple[str, ...] = SERVICES,
    session_timeout_ms: int = 6000,
    transaction_timeout_ms: int = 10_000,
    accept_lost_states: str = "",
    own: tuple[Desk, ...] = (),
    clock: Clock = CLOCK,
) -> Iterator[list[Loop]]:
    """Runs the loops of these services, or of a test's own desks, in threads of this process. At the end of the block
    the loops are told to stop, and the threads end."""
    settings = WorkerSettings(
        kafka=bootstrap,
        partitions=partitions,
        slot=slot,
        session_timeout_ms=session_timeout_ms,
        transaction_timeout_ms=transaction_timeout_ms,
        accept_lost_states=accept_lost_states,
    )
    loops = [Loop(desk, settings, clock) for desk in own or desks(names, PUBLISHED)]
    problems: list[BaseException] = []

    def run(loop: Loop) -> None:
        try:
            loop.run()
        except BaseException as problem:
            # The exception would be lost in this thread. So the thread of the test checks `problems` below.
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(loop,), name=loop.desk.name) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        for loop in loops:
            wait(_ready_or_broken(loop, problems), f"{loop.desk.name} to be ready")
            assert not problems, problems
        yield loops
    finally:
        for loop in loops:
            loop.stop()
        for thread in threads:
            wait_until_ended(thread)
        assert not problems, problems


def _ready_or_broken(loop: Loop, problems: list[BaseException]) -> Callable[[], bool]:
    return lambda: bool(problems) or loop.ready.is_set()


def bodies(entries: list[LoggedMessage], kind: str) -> list[Any]:
    """Returns the bodies of all messages of one kind."""
    return [json.loads(e.value or b"null") for e in entries if e.kind == kind]
