"""How does a port follow its topic? kafka-python, committed messages only, the place kept by the port itself.

A notebook of the release before has places in the topics of two desks: these are followed beside the ports' own topic until
somebody says that no desk of that release runs any more (`leave_former`). Copies have the ids of their facts, so nothing is done twice.

Wherever news may be missing the answer is no: docs/ports.md lists every way, `tests/ports` tries each.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError

from schemas.codes.iso6346 import plain
from services.ports import header_names  # noqa: F401  (names of headers may be any bytes)
from services.ports.notebook import LEFT, Answer, Entry, Notebook
from services.ports.notice import FORMER, TOPIC, Away, Handler, from_topic
from services.ports.question import AskedConsole
from services.shell.access import Access, NoAccess, access_to, knock
from services.shell.advance import Advance, unreported
from services.shell.clock import stopwatch
from services.shell.codec import Raw

LOOK_SECONDS = 5.0
"""Between two looks of a follower at which topics these are; an answer looks every time."""
REQUEST_MS = 10_000
"""For one answer of the broker."""


class TopicPort:
    """Reads every partition of the ports' topic; no consumer group, so nothing is kept on the broker."""

    def __init__(
        self,
        kafka: Access | str,
        notebook: Notebook,
        *,
        console: AskedConsole | None = None,
        former: bool = False,
        **options: Any,
    ) -> None:
        """`kafka`: bootstrap servers, or how this program signs in there; Away where it is not let in.

        `console`: is asked, too, before a yes, because it knows of a hold before the release desk has decided it.
        `former`: the topics of the release before are followed, too, from their beginning where the notebook knows none of them: for
        a notebook that begins anew where goods were released before there was a topic for ports.

        `options` go to kafka-python: security_protocol, sasl_mechanism and the like.
        """
        self.notebook = notebook
        self.console = console
        self.topics: tuple[str, ...] = (TOPIC, *[name for name in FORMER if former or notebook.follows(name)])
        self.topics = tuple([name for name in self.topics if notebook.identity(name) != LEFT])
        self._partitions: dict[str, int] = {}
        self._places: list[TopicPartition] = []
        self._looked = 0.0
        self._in_step = False
        self._request_ms = int(options.get("request_timeout_ms", REQUEST_MS))
        access = access_to(kafka)
        try:
            options = {**access.kafka_python(), **options}
            if access.signs_in:
                knock(access, REQUEST_MS / 1000)
        except NoAccess as error:
            raise Away(str(error)) from error
        common = {name: value for name, value in options.items() if name in KafkaAdminClient.DEFAULT_CONFIG}
        with _library(f"no Kafka cluster answers at {access.servers}"):
            self._admin = KafkaAdminClient(**{**common, "request_timeout_ms": self._request_ms})
        try:
            with _library(f"no Kafka cluster answers at {access.servers}"):
                self._consumer = KafkaConsumer(
                    isolation_level="read_committed",
                    enable_auto_commit=False,
                    auto_offset_reset="none",
                    **options,
                )
        except Away:
            self._admin.close()
            raise
        try:
            self._go_on()
            self._in_step = True
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._consumer.close()
        self._admin.close()
        if self.console:
            self.console.close()

    def read(self, handler: Handler, wait_seconds: float) -> int:
        """Hands over what came within `wait_seconds`; how many. Whatever the handler raises undoes the reading of that topic."""
        with self._kept_in_step():
            if stopwatch() - self._looked > LOOK_SECONDS and self._replaced():
                self._go_on()
            return self._poll(handler, wait_seconds)

    def catch_up(self, handler: Handler, seconds: float, advance: Advance = unreported) -> None:
        """Reads until everything that lay on the topics before this call was taken, transactions that were open then
        included; Away when it does not get there in time. `advance` is told how many more were read, and that it still waits."""
        deadline = stopwatch() + seconds
        with self._kept_in_step():
            while True:
                if self._replaced():
                    self._go_on()
                for place, end in self._ends().items():
                    while self._position(place) < end:
                        if stopwatch() > deadline:
                            raise Away(f"not up to date within {seconds:g} s: {self._why_not(place, end)}")
                        advance(self._poll(handler, 0.2))
                if not self._replaced():  # nobody made them anew while they were read
                    return

    def leave_former(self, handler: Handler, seconds: float, advance: Advance = unreported) -> None:
        """Takes everything that lies on the topics of the release before, and reads them no more; Away when that cannot be done in
        time, and then they are followed as before.

        Only to be called when no worker of the release before runs any more: what such a one says from then on is not heard.
        """
        self.catch_up(handler, seconds, advance)
        self.notebook.leave(FORMER)
        self.topics = (TOPIC,)
        self._in_step = False

    def ask(self, container_no: str, handler: Handler, seconds: float = 10, advance: Advance = unreported) -> Answer:
        """May it leave, now? First everything that was written until now is taken, as `read` would; a yes of the notebook is one
        only if the console, where there is one, says yes, too."""
        try:
            self.catch_up(handler, seconds, advance)
            answer = self.notebook.ask(container_no)
            return self.console.ask(plain(container_no))[0] if answer.may_leave and self.console else answer
        except (Away, sqlite3.Error) as error:
            return Answer(False, "stale", str(error))

    @contextmanager
    def _kept_in_step(self) -> Iterator[None]:
        """After whatever went wrong, the next call goes on from where the notebook says."""
        if not self._in_step:
            self._go_on()
        self._in_step = False
        try:
            yield
        except _Gap as gap:
            self._begin(set(self.topics))
            raise Away(f"{gap}; these topics are read again from their beginning") from gap
        self._in_step = True

    def _poll(self, handler: Handler, wait_seconds: float) -> int:
        with _library("the topics cannot be read"):
            came = self._consumer.poll(timeout_ms=int(wait_seconds * 1000))
            entries = {
                topic: [self._entry(m) for place, messages in came.items() if place.topic == topic for m in messages]
                for topic in self.topics
            }
        return sum([self.notebook.take(topic, read, handler) for topic, read in entries.items() if read])

    # which topics these are, and up to where they go

    def _identities(self) -> dict[str, str]:
        """Id and number of partitions of each topic: with another id it is another log, whatever its name and cluster."""
        with _library("the topics are not known"):
            described = {topic["name"]: topic for topic in self._admin.describe_topics(list(self.topics))}
            self._looked = stopwatch()
            counts = {name: len(described.get(name, {}).get("partitions", ())) for name in self.topics}
            if missing := [name for name, count in counts.items() if not count]:
                raise Away(f"the cluster does not have the topics {', '.join(missing)}")
            self._partitions = counts
            return {name: f"{described[name]['topic_id']}/{counts[name]}" for name in self.topics}

    def _replaced(self) -> bool:
        return any(self.notebook.identity(topic) != now for topic, now in self._identities().items())

    def _ends(self) -> dict[TopicPartition, int]:
        """High watermarks: what an open transaction hides is news, too."""
        with _library("the ends of the topics are not known"):
            wanted = dict.fromkeys(self._places, OffsetSpec.LATEST)
            ends = self._admin.list_partition_offsets(wanted, timeout_ms=self._request_ms)
            return {place: found.offset for place, found in ends.items()}

    def _position(self, place: TopicPartition) -> int:
        """-1 while the client does not know it."""
        with _library("the place read up to is not known"):
            position = self._consumer.position(place, timeout_ms=self._request_ms)
        return -1 if position is None else int(position)

    def _why_not(self, place: TopicPartition, end: int) -> str:
        with _library("the ends of the topics are not known"):
            stable = self._consumer.end_offsets([place], timeout_ms=self._request_ms)[place]
        name = f"{place.topic}/{place.partition}"
        return (
            f"a transaction is open on {name}"
            if stable < end
            else f"{name} is read up to {self._position(place)} of {end}"
        )

    def _go_on(self) -> None:
        """From where the notebook says; from the beginning where it speaks of another log."""
        identities = self._identities()
        for topic, identity in identities.items():
            known = self.notebook.identity(topic)
            if known is not None and _raised(known, identity):
                raise Away(
                    f"{topic}: the number of partitions was changed, so nothing is in order; begin a new notebook"
                )
            if known != identity:
                self.notebook.begin(topic, identity)
        self._seek()
        if short := {place.topic for place, end in self._ends().items() if self._position(place) > end}:
            self._begin(short)  # cut off behind what was read: restored from a copy, or lost with a disk
            self._seek()

    def _begin(self, topics: set[str]) -> None:
        for topic, identity in self._identities().items():
            if topic in topics:
                self.notebook.begin(topic, identity)

    def _seek(self) -> None:
        with _library("the topics cannot be read"):
            self._places = [TopicPartition(topic, n) for topic in self.topics for n in range(self._partitions[topic])]
            self._consumer.assign(self._places)
            for topic in self.topics:
                known = self.notebook.places(topic)
                for place in [each for each in self._places if each.topic == topic]:
                    if place.partition in known:
                        self._consumer.seek(place, known[place.partition])
                    else:
                        self._consumer.seek_to_beginning(place)

    def _entry(self, m: Any) -> Entry:
        """A message of kafka-python as an entry."""
        headers = {name: value or b"" for name, value in m.headers}
        raw = Raw(m.topic, m.partition, m.offset, m.key, m.value, headers)
        return Entry(m.partition, m.offset, m.offset + 1, from_topic(raw, self._partitions[m.topic]))


class _Gap(Exception):
    """A place read up to does not lie in its topic."""


@contextmanager
def _library(what: str) -> Iterator[None]:
    """Whatever the client library raises, its own faults included, is Away: nothing is known then."""
    try:
        yield
    except Away:
        raise
    except (OffsetOutOfRangeError, NoOffsetForPartitionError, LogTruncationError) as error:
        raise _Gap(f"{what}: {type(error).__name__} {error}"[:300]) from error
    except Exception as error:
        raise Away(f"{what}: {type(error).__name__} {error}"[:300]) from error


def _raised(known: str, now: str) -> bool:
    """Whether only the number of partitions is another."""
    return known != now and known.rpartition("/")[0] == now.rpartition("/")[0]
