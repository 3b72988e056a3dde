"""How do facts become rows? Committed messages are read and folded; rows and offsets are written in one SQL
transaction. A fact that cannot be projected is not skipped, but set aside with an alarm."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from prometheus_client import Counter, Histogram

from schemas.topics import ROLES
from services.console.readmodel.batch import FEED_TOPIC, Announcement, Aside, fold, not_projected, readable
from services.console.readmodel.database import DATABASE_ERRORS, open_engine, refuses_values
from services.console.readmodel.messages import TOPICS, TopicMessage, Unreadable, packed_position, read_message
from services.console.readmodel.progress import Ends, Progress, measure
from services.console.readmodel.store import Overtaken, Positions, Store
from services.console.settings import ConsoleSettings
from services.shell.access import ACCESS_SECONDS, DENIALS, NoAccess, try_access
from services.shell.clients import projector_consumer
from services.shell.clock import CLOCK, now, stopwatch
from services.shell.codec import headers_of
from services.shell.layout import replaced

UNREADABLE = Counter("customs_console_unreadable", "Messages without a row of their own", ["topic"])
TROUBLES = Counter("customs_console_troubles", "Times the projector had to wait and try again", ["what"])
TURN = Histogram(
    "customs_console_batch_seconds", "One SQL transaction", buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
)
ANSWERED_SECONDS = 86_400
"""If a fact has answered a request that counts at the gate, the row of the request is deleted when the request was
made more than this many seconds ago."""
FORGET_SECONDS = 5.0
"""Seconds between two times at which the projector looks for answered requests whose rows can be deleted."""
LOOK_AGAIN_SECONDS = 3600.0
"""When the projector has examined all old requests, it waits this many seconds and begins again with the oldest one."""
STANDING_SECONDS = 0.25
"""Seconds between two writes of the standing into the database."""
Read = Any
"""The type of a confluent-kafka message. It is Any, because the stubs declare every part of a message as optional, even of a message that was
read."""
log = structlog.get_logger()


class LogReplaced(Exception):
    """The topics are not those from which the rows were made: they have other ids, or end before the offsets that were
    read."""


class Projector:
    """The only writer of the projected rows. `run` blocks until `stop`; after an error of the database or of Kafka,
    it logs and counts the error, waits, and tries again."""

    def __init__(self, settings: ConsoleSettings, progress: Progress, fed: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.progress = progress
        self._access = settings.access("projector")
        self.fed = fed
        """Called after each transaction that added to the feed for ports."""
        self._stop = threading.Event()
        self._positions: Positions = {}
        self._read_to: Positions = {}
        self._failures = 0
        self._written_at, self._written_complete = 0.0, False
        self._forget_at, self._forgotten_to_us = 0.0, 0

    def stop(self) -> None:
        """Makes `run` return after the present batch. May be called from any thread."""
        self._stop.set()

    def run(self) -> None:
        """Projects messages until `stop` is called. After an error of the database or of Kafka, or if the rows or the
        topics were replaced, it waits and begins again from the offsets in SQL. Other errors end it."""
        store = Store(open_engine(self.settings.database_url, writes=True), self.settings.projector_cache)
        while not self._stop.is_set():
            try:
                self._project(store)
            except DATABASE_ERRORS as error:
                self._wait_out(store, "database", _first_line(getattr(error, "orig", None) or error))
            except KafkaException as error:
                denied = error.args[0].code() in DENIALS
                reason = self._access.denied(error.args[0].str()) if denied else error.args[0]
                self._wait_out(store, "access" if denied else "kafka", str(reason))
            except NoAccess as error:
                self._wait_out(store, "access", str(error))
            except Overtaken as error:
                self._wait_out(store, "overtaken", str(error))
            except LogReplaced as error:
                self._wait_out(store, "log_replaced", str(error))
        store.engine.dispose()

    def _wait_out(self, store: Store, what: str, error: str) -> None:
        self._failures += 1
        self.progress.beat()
        TROUBLES.labels(what).inc()
        self.progress.trouble(f"{what}: {error}")
        log.warning("projector waits", what=what, error=error, failures=self._failures)
        if what != "database":
            self._write_trouble(store)
        self._stop.wait(min(0.1 * 2 ** min(self._failures, 6), 5))

    def _write_trouble(self, store: Store) -> None:
        try:
            store.write_standing(self.progress.state)
        except (Overtaken, *DATABASE_ERRORS) as error:
            # the error does no harm, because readers see that the standing grows old
            log.warning("the standing is not written", error=_first_line(error))

    # reading

    def _project(self, store: Store) -> None:
        try_access(self._access, ACCESS_SECONDS)
        consumer = projector_consumer(self._access)
        try:
            partitions = self._partitions(consumer)
            before, self._positions = self._positions, store.positions(partitions)
            if any(self._positions.get(name, 0) < position for name, position in before.items()):
                self.progress.forget()  # rows were removed, so the present ones are not complete
            ends = Ends(self._access, partitions)
            known = store.topic_ids(ends.first_ids())
            _check_same(known, ends.ids)
            self._forget_replaced(consumer, store)
            self._read_to = dict(self._positions)
            consumer.assign([TopicPartition(t, p, self._positions[t, p] or OFFSET_BEGINNING) for t, p in partitions])
            log.info("projecting", partitions=len(partitions), messages=sum(self._positions.values()))
            while not self._stop.is_set():
                self.progress.beat()
                messages = self._poll(consumer)
                if messages:
                    self._write(store, messages)
                    self._failures = 0
                _check_same(known, ends.ids)
                ends.look(self._read_to, self.progress)
                self._report(store)
        finally:
            consumer.close()

    def _forget_replaced(self, consumer: Consumer, store: Store) -> None:
        """Removes feed entries whose offset lies beyond the end of the topic, because they were made from an earlier topic of this name. Such
        entries are found during a rebuild, which keeps the entries of the feed."""
        for partition, last in store.fed_ahead(self._positions).items():
            _, end = consumer.get_watermark_offsets(TopicPartition(FEED_TOPIC, partition), timeout=10)
            if last >= end and (gone := store.forget_fed(partition, end)):
                log.warning("the feed named messages that its topic does not have", partition=partition, entries=gone)

    def _partitions(self, consumer: Consumer) -> list[tuple[str, int]]:
        there = consumer.list_topics(timeout=10).topics
        missing = [name for name in TOPICS if name not in there or not there[name].partitions]
        if missing:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"topics are missing: {missing[:3]}"))
        return [(name, partition) for name in TOPICS for partition in sorted(there[name].partitions)]

    def _poll(self, consumer: Consumer) -> list[Read]:
        first = consumer.consume(1, 0.1)
        if not first:
            return []
        more = consumer.consume(self.settings.projector_batch - 1, self.settings.projector_linger_ms / 1000)
        messages: list[Read] = []
        read: list[Read] = [*first, *more]
        for message in read:
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                # transaction markers take offsets but are not returned, so only this event says that the end was reached
                name = (message.topic(), message.partition())
                self._read_to[name] = max(self._read_to.get(name, 0), message.offset())
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise LogReplaced(f"{message.topic()}/{message.partition()}: {error}; drop the rows with `dtg rebuild`")
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)
        return messages

    # writing

    def _write(self, store: Store, messages: list[Read]) -> None:
        """Writes all messages. `fold` sets aside what cannot be folded into rows, in the same transaction. If SQL refuses a value of one of the
        messages, the batch is halved until that message is alone, and only it is set aside. Errors that are not about a value, such as a lost
        connection, are raised and set nothing aside."""
        try:
            self._transact(store, messages)
        except (Overtaken, MemoryError):
            raise
        except Exception as error:
            if not refuses_values(error):
                raise
            log.warning("a batch cannot be written", messages=len(messages), error=_first_line(error))
            if len(messages) == 1:
                self._transact(store, messages, _why(error))
                return
            middle = len(messages) // 2
            self._write(store, messages[:middle])
            self._write(store, messages[middle:])

    def _transact(self, store: Store, messages: list[Read], refused: str = "") -> None:
        """Writes the messages in one SQL transaction. `refused`: if it is not empty, `messages` has a single message, which is set aside for this
        reason."""
        decoded, announced, aside = self._decode(messages) if not refused else ([], [], _refused(messages[0], refused))
        by_position = {packed_position(each.topic(), each.partition(), each.offset()): each for each in messages}
        positions: Positions = {}
        for message in messages:
            positions[message.topic(), message.partition()] = message.offset() + 1
        moved = {name: (self._positions[name], after) for name, after in positions.items()}

        def refuse(at: int, error: Exception) -> list[Aside]:
            found = _refused(by_position[at], _why(error))
            aside.extend(found)
            return found

        with TURN.time():
            with store.engine.begin() as connection:
                store.claim(connection)
                batch = fold(decoded, announced, store.reader(connection), [*aside], refuse)
                fed = store.write(connection, batch, moved)
            store.committed(batch, fed)
        for row in aside:
            UNREADABLE.labels(row.topic).inc()
        self._positions.update(positions)
        for name, after in positions.items():
            self._read_to[name] = max(self._read_to.get(name, 0), after)
        self.progress.projected += len(messages)
        self.progress.beat()
        if fed:
            self.fed()

    def _decode(self, messages: list[Read]) -> tuple[list[TopicMessage], list[Announcement], list[Aside]]:
        decoded: list[TopicMessage] = []
        announced: list[Announcement] = []
        aside: list[Aside] = []
        for message in messages:
            try:
                if ROLES[message.topic()] == "parked":
                    announced.append(_announcement(message))
                else:
                    decoded.append(read_message(message))
            except Unreadable as error:
                aside += _refused(message, str(error))
        return decoded, announced, aside

    def _report(self, store: Store) -> None:
        standing = self.progress.state()
        measure(standing)
        if stopwatch() - self._written_at >= STANDING_SECONDS or self._written_complete != (standing.as_of is not None):
            store.write_standing(self.progress.state)
            self._written_at, self._written_complete = stopwatch(), standing.as_of is not None
        if stopwatch() >= self._forget_at:
            self.forget(store)

    def forget(self, store: Store) -> None:
        """Deletes rows of answered requests that are more than `ANSWERED_SECONDS` old. Each call examines a limited
        number of requests and goes on where the call before ended."""
        before_us = int((now().timestamp() - ANSWERED_SECONDS * CLOCK.speed) * 1_000_000)
        self._forgotten_to_us = store.forget_answered(self._forgotten_to_us, before_us)
        ended = self._forgotten_to_us >= before_us
        self._forget_at = stopwatch() + (LOOK_AGAIN_SECONDS if ended else FORGET_SECONDS)
        if ended:
            self._forgotten_to_us = 0


def _check_same(known: Mapping[str, str], now: Mapping[str, str]) -> None:
    if lost := replaced(known, now):
        raise LogReplaced(f"{lost[0]}; drop the rows with `dtg rebuild`")


def _why(error: Exception) -> str:
    """Returns the text that says why a message was set aside. It must be the same after a rebuild, so it leaves out the database's own message,
    which depends on the rows that were there before."""
    if isinstance(error, DATABASE_ERRORS):
        return f"{type(getattr(error, 'orig', None) or error).__name__}: the database does not store one of its values"
    return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _announcement(message: Read) -> Announcement:
    headers = headers_of(message)
    kind = (headers.get("ce_type") or b"").decode("utf-8", "replace")
    return Announcement(message.topic(), message.partition(), message.offset(), kind, readable(message.value()))


def _refused(message: Read, error: str) -> list[Aside]:
    """Returns a list with the row that sets a message aside. For a request the list is empty, because anybody may send requests, and the desk
    that reads a bad one parks it."""
    topic = message.topic()
    if ROLES[topic] == "requests":
        UNREADABLE.labels(topic).inc()
        return []
    at_us, kind = message.timestamp()[1] * 1000, (headers_of(message).get("ce_type") or b"").decode("utf-8", "replace")
    return [not_projected(at_us, topic, message.partition(), message.offset(), message.key(), error, kind)]
