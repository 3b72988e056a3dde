"""How does a port read its topic? It uses kafka-python, reads only committed messages, and stores the offsets itself.

A notebook of the previous software version has offsets of the topics of two desks. These topics are read together with the ports' own topic,
until an operator says that no desk of that version runs any more (`leave_former`). The ports' own topic has copies of these facts with the same
ids, so no effect is done twice.

If a message may be missing, the answer is no. docs/ports.md lists the cases, and `tests/ports` tests each.
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
from services.ports import header_names  # noqa: F401  (imported because names of headers may be any bytes)
from services.ports.notebook import LEFT, Notebook, PortAnswer, TopicEntry
from services.ports.notice import FORMER, TOPIC, Away, Handler, from_topic
from services.ports.question import AskedConsole
from services.shell.access import Access, NoAccess, access_to, try_access
from services.shell.advance import Advance, unreported
from services.shell.clock import stopwatch
from services.shell.codec import Raw
from services.shell.servers import NotServers

LOOK_SECONDS = 5.0
"""After how many seconds `read` checks the ids of the topics again. `ask` checks them at each call."""
REQUEST_MS = 10_000
"""The timeout in milliseconds for one answer of the broker."""


class TopicPort:
    """Reads every partition of the ports' topic without a consumer group, so nothing is stored on the broker."""

    def __init__(
        self,
        kafka: Access | str,
        notebook: Notebook,
        *,
        console: AskedConsole | None = None,
        former: bool = False,
        **options: Any,
    ) -> None:
        """`kafka`: bootstrap servers, or an `Access` to sign in. Raises Away if the addresses cannot be read, if the credential is refused, or
        if no cluster answers.

        `console`: the console that is also asked before a yes, because it knows a hold before the release desk has decided about it. `former`:
        whether the topics of the previous software version are also read; they are read from their beginning if the notebook has no offsets of
        them. Set it for a new notebook on a cluster on which goods were released before the ports' own topic existed.

        `options` are passed to kafka-python: security_protocol, sasl_mechanism and the like.
        """
        self.notebook = notebook
        self.console = console
        self.topics: tuple[str, ...] = (TOPIC, *[name for name in FORMER if former or notebook.follows(name)])
        self.topics = tuple([name for name in self.topics if notebook.identity(name) != LEFT])
        self._partitions: dict[str, int] = {}
        self._topic_partitions: list[TopicPartition] = []
        self._looked = 0.0
        self._in_step = False
        self._request_ms = int(options.get("request_timeout_ms", REQUEST_MS))
        access = access_to(kafka)
        try:
            options = {**access.kafka_python(), **options}
            if access.signs_in:
                try_access(access, REQUEST_MS / 1000)
        except (NoAccess, NotServers) as error:
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
        """Hands over the messages that arrive within `wait_seconds`, and returns how many were handed over. If the handler raises an exception,
        the effects of all messages that were read together from the same topic are rolled back."""
        with self._kept_in_step():
            self.notebook.check()  # the files are checked even if no message comes
            if stopwatch() - self._looked > LOOK_SECONDS and self._replaced():
                self._go_on()
            return self._poll(handler, wait_seconds)

    def catch_up(self, handler: Handler, seconds: float, advance: Advance = unreported) -> None:
        """Reads up to the high watermarks at the time of this call, including transactions that were open then. Raises Away if that takes
        longer than `seconds`. `advance` is called after each poll with the number of messages that were handed over, which may be 0."""
        deadline = stopwatch() + seconds
        with self._kept_in_step():
            while True:
                if self._replaced():
                    self._go_on()
                for topic_partition, end in self._ends().items():
                    while self._position(topic_partition) < end:
                        if stopwatch() > deadline:
                            raise Away(f"not up to date within {seconds:g} s: {self._why_not(topic_partition, end)}")
                        advance(self._poll(handler, 0.2))
                if not self._replaced():  # no topic was deleted and made again meanwhile, so everything was read
                    return

    def leave_former(self, handler: Handler, seconds: float, advance: Advance = unreported) -> None:
        """Reads the topics of the previous software version to their ends, and then stops reading them. Raises Away if that takes longer than
        `seconds`; these topics are then read as before.

        Call this only if no worker of the previous software version runs any more, because later messages of such a worker are not read.
        """
        self.catch_up(handler, seconds, advance)
        self.notebook.leave(FORMER)
        self.topics = (TOPIC,)
        self._in_step = False

    def ask(
        self, container_no: str, handler: Handler, seconds: float = 10, advance: Advance = unreported
    ) -> PortAnswer:
        """Returns whether the container may leave now. First hands over all messages that were written until now. If the notebook's answer is
        yes and there is a console, the console's answer counts."""
        try:
            self.catch_up(handler, seconds, advance)
            answer = self.notebook.ask(container_no)
            return self.console.ask(plain(container_no))[0] if answer.may_leave and self.console else answer
        except (Away, sqlite3.Error) as error:
            return PortAnswer(False, "stale", str(error))

    @contextmanager
    def _kept_in_step(self) -> Iterator[None]:
        """Returns a context for reading. If an exception leaves the block, the next call starts again from the offsets in the notebook."""
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
                topic: [
                    self._entry(m)
                    for topic_partition, messages in came.items()
                    if topic_partition.topic == topic
                    for m in messages
                ]
                for topic in self.topics
            }
        return sum([self.notebook.take(topic, read, handler) for topic, read in entries.items() if read])

    # the ids of the topics, and the offsets at which they end

    def _identities(self) -> dict[str, str]:
        """Returns topic → its id and number of partitions. A topic with another id is another topic, even if its name
        and the cluster are the same."""
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
        """Returns partition → high watermark, which includes messages of open transactions."""
        with _library("the ends of the topics are not known"):
            wanted = dict.fromkeys(self._topic_partitions, OffsetSpec.LATEST)
            ends = self._admin.list_partition_offsets(wanted, timeout_ms=self._request_ms)
            # every partition is looked up, so that a missing one raises an exception instead of counting as read
            return {topic_partition: ends[topic_partition].offset for topic_partition in self._topic_partitions}

    def _position(self, topic_partition: TopicPartition) -> int:
        """Returns the offset that is read next; -1 while the client does not know it."""
        with _library("the place read up to is not known"):
            position = self._consumer.position(topic_partition, timeout_ms=self._request_ms)
        return -1 if position is None else int(position)

    def _why_not(self, topic_partition: TopicPartition, end: int) -> str:
        with _library("the ends of the topics are not known"):
            stable = self._consumer.end_offsets([topic_partition], timeout_ms=self._request_ms)[topic_partition]
        name = f"{topic_partition.topic}/{topic_partition.partition}"
        return (
            f"a transaction is open on {name}"
            if stable < end
            else f"{name} is read up to {self._position(topic_partition)} of {end}"
        )

    def _go_on(self) -> None:
        """Starts from the offsets in the notebook. A topic that was made again, or that ends before its offset in the
        notebook, is read from its beginning. Raises Away if the number of partitions of a topic was changed."""
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
        if short := {
            topic_partition.topic
            for topic_partition, end in self._ends().items()
            if self._position(topic_partition) > end
        }:
            # The topics in `short` end before the offset in the notebook. They were restored from a copy, or a disk was lost.
            self._begin(short)
            self._seek()

    def _begin(self, topics: set[str]) -> None:
        for topic, identity in self._identities().items():
            if topic in topics:
                self.notebook.begin(topic, identity)

    def _seek(self) -> None:
        with _library("the topics cannot be read"):
            self._topic_partitions = [
                TopicPartition(topic, n) for topic in self.topics for n in range(self._partitions[topic])
            ]
            self._consumer.assign(self._topic_partitions)
            for topic in self.topics:
                known = self.notebook.offsets(topic)
                for topic_partition in [each for each in self._topic_partitions if each.topic == topic]:
                    if topic_partition.partition in known:
                        self._consumer.seek(topic_partition, known[topic_partition.partition])
                    else:
                        self._consumer.seek_to_beginning(topic_partition)

    def _entry(self, m: Any) -> TopicEntry:
        """Returns a message of kafka-python as an entry."""
        headers = {name: value or b"" for name, value in m.headers}
        raw = Raw(m.topic, m.partition, m.offset, m.key, m.value, headers)
        return TopicEntry(m.partition, m.offset, m.offset + 1, from_topic(raw, self._partitions[m.topic]))


class _Gap(Exception):
    """Raised if the offset in the notebook is not in its topic any more."""


@contextmanager
def _library(what: str) -> Iterator[None]:
    """Turns every exception of the client library into Away, even one that is raised because of a bug, because then
    nothing is known. Only an exception about an offset that the topic does not have becomes `_Gap`."""
    try:
        yield
    except Away:
        raise
    except (OffsetOutOfRangeError, NoOffsetForPartitionError, LogTruncationError) as error:
        raise _Gap(f"{what}: {type(error).__name__} {error}"[:300]) from error
    except Exception as error:
        raise Away(f"{what}: {type(error).__name__} {error}"[:300]) from error


def _raised(known: str, now: str) -> bool:
    """Returns whether this is the same topic with another number of partitions."""
    return known != now and known.rpartition("/")[0] == now.rpartition("/")[0]
