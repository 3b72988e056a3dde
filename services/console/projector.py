"""How do facts become rows? Read committed messages, fold them, write rows and offsets in one SQL transaction; never skip."""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from prometheus_client import Counter, Gauge, Histogram

from schemas.topics import ROLES
from services.console.batch import Announcement, Aside, Batch, Known, fold, readable, unreadable_fact
from services.console.database import DATABASE_ERRORS, open_engine
from services.console.heard import TOPICS, Heard, Unreadable, heard, origin
from services.console.progress import Ends, Progress
from services.console.settings import ConsoleSettings
from services.console.store import Overtaken, Positions, Store
from services.shell.codec import headers_of

PROJECTED = Counter("customs_console_projected", "Messages that reached the rows", ["topic"])
UNREADABLE = Counter("customs_console_unreadable", "Messages without a row of their own", ["topic"])
TROUBLES = Counter("customs_console_troubles", "Times the projector had to wait and try again", ["what"])
BEHIND = Gauge("customs_console_lag_messages", "Messages on the topics that are not in the rows yet")
AGE = Gauge("customs_console_lag_seconds", "Seconds since the rows were known to be complete")
TURN = Histogram(
    "customs_console_batch_seconds", "One SQL transaction", buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
)
Read = Any
"""A confluent-kafka message; its stubs call every part optional, even of a message that was read."""
log = structlog.get_logger()


class LogReplaced(Exception):
    """The topics are not those that the rows came from: their ends lie before what was read."""


class Projector:
    """The only writer of the rows. `run` blocks until `stop`; trouble is logged, counted and waited out."""

    def __init__(self, settings: ConsoleSettings, progress: Progress, fed: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.progress = progress
        self.fed = fed
        """Called after each transaction that added to the feed for ports."""
        self._stop = threading.Event()
        self._positions: Positions = {}
        self._seen: Positions = {}
        self._failures = 0

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Projects until `stop`, and starts afresh from the offsets in SQL after any trouble."""
        store = Store(open_engine(self.settings.database_url, writes=True), self.settings.projector_cache)
        while not self._stop.is_set():
            try:
                self._project(store)
            except DATABASE_ERRORS as error:
                self._wait_out("database", _first_line(getattr(error, "orig", None) or error))
            except KafkaException as error:
                self._wait_out("kafka", str(error.args[0]))
            except Overtaken as error:
                self._wait_out("overtaken", str(error))
            except LogReplaced as error:
                self._wait_out("log_replaced", str(error))
        store.engine.dispose()

    def _wait_out(self, what: str, error: str) -> None:
        self._failures += 1
        self.progress.beat()
        TROUBLES.labels(what).inc()
        self.progress.trouble(f"{what}: {error}")
        log.warning("projector waits", what=what, error=error, failures=self._failures)
        self._stop.wait(min(0.1 * 2 ** min(self._failures, 6), 5))

    # reading

    def _project(self, store: Store) -> None:
        consumer = Consumer(self._consumer_config())
        try:
            partitions = self._partitions(consumer)
            self._positions = store.positions(partitions)
            self._seen = dict(self._positions)
            consumer.assign([TopicPartition(t, p, self._positions[t, p] or OFFSET_BEGINNING) for t, p in partitions])
            ends = Ends(self.settings.kafka, partitions)
            log.info("projecting", partitions=len(partitions), messages=sum(self._positions.values()))
            while not self._stop.is_set():
                self.progress.beat()
                messages = self._poll(consumer)
                if messages:
                    self._write(store, messages)
                    self._failures = 0
                ends.look(self._seen, self.progress)
                self._report()
        finally:
            consumer.close()

    def _partitions(self, consumer: Consumer) -> list[tuple[str, int]]:
        there = consumer.list_topics(timeout=10).topics
        missing = [name for name in TOPICS if name not in there or not there[name].partitions]
        if missing:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"topics are missing: {missing[:3]}"))
        return [(name, partition) for name in TOPICS for partition in sorted(there[name].partitions)]

    def _poll(self, consumer: Consumer) -> list[Read]:
        first = consumer.consume(1, 0.1)
        if not first:
            self.progress.trouble("")
            return []
        more = consumer.consume(self.settings.projector_batch - 1, self.settings.projector_linger_ms / 1000)
        messages: list[Read] = []
        read: list[Read] = [*first, *more]
        for message in read:
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                # transaction markers are no messages: only this tells that the end was reached
                name = (message.topic(), message.partition())
                self._seen[name] = max(self._seen.get(name, 0), message.offset())
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise LogReplaced(f"{message.topic()}/{message.partition()}: {error}; drop the rows with `dtg rebuild`")
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)
        return messages

    # writing

    def _write(self, store: Store, messages: list[Read]) -> None:
        said, announced, aside = self._decode(messages)
        positions: Positions = {}
        for message in messages:
            positions[message.topic(), message.partition()] = message.offset() + 1
        moved = {name: (self._positions[name], after) for name, after in positions.items()}
        with TURN.time():
            with store.engine.begin() as connection:
                store.claim(connection)
                batch = _fold_all(said, announced, store.reader(connection), aside)
                fed = store.write(connection, batch, moved)
            store.committed(batch, fed)
        self._positions.update(positions)
        for name, after in positions.items():
            self._seen[name] = max(self._seen.get(name, 0), after)
        self.progress.projected += len(messages)
        self.progress.trouble("")
        if fed:
            self.fed()

    def _decode(self, messages: list[Read]) -> tuple[list[Heard], list[Announcement], list[Aside]]:
        said: list[Heard] = []
        announced: list[Announcement] = []
        aside: list[Aside] = []
        for message in messages:
            topic = message.topic()
            try:
                if ROLES[topic] == "parked":
                    announced.append(_announcement(message))
                else:
                    said.append(heard(message))
            except Unreadable as error:
                UNREADABLE.labels(topic).inc()
                if ROLES[topic] != "requests":  # what anybody sent, a desk sets aside
                    aside.append(_aside(message, str(error)))
        return said, announced, aside

    def _report(self) -> None:
        standing = self.progress.state()
        BEHIND.set(standing.behind)
        AGE.set(-1 if standing.lag_seconds is None else standing.lag_seconds)

    def _consumer_config(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.settings.kafka,
            "group.id": "customs-console",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "fetch.min.bytes": 200_000,
            "fetch.queue.backoff.ms": 10,
            "queued.max.messages.kbytes": 32_768,
            "log_level": 0,
        }


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _announcement(message: Read) -> Announcement:
    headers = headers_of(message)
    kind = (headers.get("ce_type") or b"").decode("utf-8", "replace")
    return Announcement(message.topic(), message.partition(), message.offset(), kind, readable(message.value()))


def _aside(message: Read, error: str) -> Aside:
    return unreadable_fact(message.timestamp()[1] * 1000, message.topic(), message.partition(), message.offset(), error)


def _fold_all(said: list[Heard], announced: list[Announcement], known: Known, aside: list[Aside]) -> Batch:
    """The batch; where one message breaks it, that message alone is set aside, visibly, and the others go on."""
    try:
        batch = fold(said, announced, known)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        log.warning("a message cannot be projected", error=f"{type(error).__name__}: {error}")
        good = [h for h in said if not _breaks([h], [], known, aside)]
        batch = fold(good, [a for a in announced if not _breaks([], [a], known, aside)], known)
    for row in aside:
        batch.asides[row.origin] = row
    return batch


def _breaks(said: list[Heard], announced: list[Announcement], known: Known, aside: list[Aside]) -> bool:
    try:
        fold(said, announced, known)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        one = said[0] if said else announced[0]
        UNREADABLE.labels(one.topic).inc()
        if ROLES[one.topic] != "requests":
            text = f"{type(error).__name__}: {error}"
            if isinstance(one, Heard):
                aside.append(unreadable_fact(one.recorded_us, *origin(one.place), text))
            else:
                aside.append(unreadable_fact(0, one.topic, one.partition, one.offset, text))
        return True
    return False
