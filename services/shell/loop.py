"""How does a desk read, decide and write so that nothing is lost or doubled, whatever dies?

One Kafka transaction a batch carries the facts, the new states, the parked messages and the read positions.
"""

import contextlib
import heapq
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from schemas.flow import heard_topics
from schemas.topics import PORT_FACTS, orders_topic, state_topic
from services.shell import metrics
from services.shell import positions as read_positions
from services.shell.access import DENIALS, Refusals, knock
from services.shell.clients import desk_admin, desk_consumer, desk_producer
from services.shell.clock import CLOCK, Clock
from services.shell.codec import Raw, raw
from services.shell.desk import Desk
from services.shell.halving import (
    PROBE,
    PROBE_SECONDS,
    TRIES,
    Fault,
    Halving,
    Item,
    ItemId,
    Reports,
    may_be_of_message,
    raised,
)
from services.shell.halving import SECONDS as HALVING_SECONDS
from services.shell.layout import Refused, ask, check_partitions, found, ids, topics_of
from services.shell.parked_reader import KafkaParkedReader
from services.shell.parking import Trouble
from services.shell.positions import MARK, Found, Noted, ReadPositions, refuse_replaced, resume
from services.shell.restore import Restoring, restore
from services.shell.retries import Retries
from services.shell.settings import WorkerSettings
from services.shell.store import Partition
from services.shell.turn import Turn

ATTEMPTS = 8
"""How often one batch is tried before the process gives up and a fresh one starts over."""
DOUBTED = 2
"""After how many failures that one message may have caused a batch is tried by halves."""
OFFSETS_SECONDS, OFFSETS_LIMIT = 5.0, 12.0
"""How long the broker may take to note the read positions, and when nothing but a fresh process helps.

librdkafka can wait for its group coordinator for ever, whatever timeout it is given, after a broker came back
(confluentinc/librdkafka#5456); a killed broker brought desks to that standstill.
"""
AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})
"""After these a producer is replaced before its next transaction: the old one would come to that standstill every time."""
FORGOTTEN = frozenset({KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID})
"""The broker has forgotten the producer after idle days: the client keeps its old identity, so that every try fails alike."""
OFFSETS_TRIES = 4
"""How often the read positions are asked for before a fresh process asks: for the same reason."""
COMMIT_SECONDS = 10.0
"""How long one attempt to commit waits for the broker's answer."""
COMMITS = 6
"""How often the outcome of a commit is asked for before the process gives up."""
LEAVE_SECONDS = 2.0
"""How long an orderly stop waits until the group knows; without an answer the group notices by itself."""
LEAVING = frozenset({KafkaError._FATAL, KafkaError.UNKNOWN_TOPIC_OR_PART})
"""Errors after which this process reads nothing any more: a fresh one must start."""
WITHOUT_PARTITIONS = 60.0
"""Seconds after partitions were taken away without a new assignment, be it an empty one, before the process starts afresh."""
KNOCK_SECONDS = 10.0
"""How long it is tried at the start whether the cluster lets this desk in, before its clients go on trying by themselves."""
LAYOUT_SECONDS, LAYOUT_LIMIT = 5.0, 2.0
"""How often the cluster is asked for the partitions of the topics, and how long that may take."""
IDLE_COMMIT = 1.0
"""Seconds after which positions that only passed over messages are committed."""

log = structlog.get_logger()


class Loop:
    """One desk's loop; `run` blocks until `stop`, and raises when the process must end and start afresh.

    `clock`: what its facts and time limits go by.
    """

    def __init__(self, desk: Desk, settings: WorkerSettings, clock: Clock = CLOCK) -> None:
        self.desk = desk
        self.settings = settings
        self.clock = clock
        self.topics = [*heard_topics(desk.name), orders_topic(desk.name)]
        self.ready = threading.Event()
        self.restoring: Restoring | None = None
        """How far the restore is, while there is one."""
        self.member_id = ""
        """Under which id the group knew this worker when it was last looked up; its supervisor removes older ones."""
        self.answer_by = math.inf
        """When (monotonic) the call in hand must have come back; a process past it can only start afresh."""
        self._access = settings.access(desk.name)
        self._refusals = Refusals()
        self._parked_reader = KafkaParkedReader(desk.name, settings)
        self._stop = threading.Event()
        self._stores: dict[int, Partition] = {}
        self._positions: dict[tuple[str, int], int] = {}
        self._ids: dict[str, str] = {}
        """Topic → its id, when the partitions were taken over."""
        self._committed_at: dict[int, dict[str, int]] = {}
        """Partition → input topic → the next offset by the last committed transaction."""
        self._read: dict[tuple[str, int], int] = {}
        self._uncommitted = 0.0
        self._generation = 0
        self._revoked_at = 0.0
        self._broker_was_away = False
        self._begun = math.inf
        self._newly_assigned: list[TopicPartition] | None = None
        """Partitions that the group gave us and that are not taken over yet."""
        self._retries = Retries(settings.batch, settings.transaction_timeout_ms / 1000)
        self._taken = 0
        """Of the batch in hand: what was polled, notices of the client included, or the keys with time limits if these are more."""
        self._reports: Reports | None = None
        self._measured = 0.0
        self._compared = -math.inf
        self._turned = 0.0
        self._progress = time.monotonic()
        self._lag = 0
        self._parked = 0
        self._retention = timedelta(days=settings.retention_days)
        self._committed = metrics.COMMITTED.labels(desk.name)
        self._turn = metrics.TURN.labels(desk.name)

    # life

    def run(self) -> None:
        """Reads, decides and writes until `stop` is called; Refused where the cluster lets this desk not in, or lacks it a right."""
        try:
            self._run()
        except KafkaException as problem:
            if problem.args[0].code() in DENIALS:
                raise self._access.denied(problem.args[0].str()) from problem
            raise

    def _run(self) -> None:
        knock(self._access, KNOCK_SECONDS)
        self._connect_producer()
        self._admin = desk_admin(self.desk.name, self.settings)
        self._consumer = desk_consumer(self.desk.name, self.settings)
        self._consumer.subscribe(self.topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not self._stop.is_set():
                self._once()
        except InterruptedError:  # asked to stop in the middle of a restore
            if not self._stop.is_set():
                raise
        finally:
            self.ready.clear()
            with contextlib.suppress(KafkaException, InterruptedError):  # a courtesy; the session ends anyway
                if self._stop.is_set():
                    self._leave()
            with contextlib.suppress(KafkaException):
                self._parked_reader.close()
            with contextlib.suppress(KafkaException):
                self._consumer.close()

    def _connect_producer(self) -> None:
        self._producer = desk_producer(self.desk.name, self.settings, self._broker_left)
        self._broker_was_away = False
        self._retrying(lambda: self._producer.init_transactions(30), "init_transactions")

    def _broker_left(self, error: KafkaError) -> None:
        self._broker_was_away = self._broker_was_away or error.code() in AWAY
        self._refusals(error)

    def _check_let_in(self) -> None:
        if self._refusals.for_good:
            raise self._access.not_let_in(self._refusals.last.str() if self._refusals.last else "")

    def stop(self) -> None:
        """Finish the batch in hand, then leave the group."""
        self._stop.set()

    def can_work(self) -> bool:
        """Whether it has its partitions and its producer writes: what was tried last did not fail twice."""
        return self.ready.is_set() and self._retries.failures < 2

    def stalled(self) -> float:
        """Seconds without progress while there is something to do; 0 when there is nothing to do."""
        restoring = self.restoring  # reading records back is progress too, however many there are
        return time.monotonic() - max(self._progress, restoring.moved if restoring else 0.0)

    def lag(self) -> int:
        """Messages between the position and the end of what this worker was assigned."""
        return self._lag

    def _leave(self) -> None:
        """Hands the partitions over now, and waits until the group knows."""
        self._consumer.unsubscribe()
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._consumer.assignment() and time.monotonic() < deadline:
            self._consume(1, 0.05)

    # one turn

    def _consume(self, most: int, seconds: float) -> list[Message]:
        """As the consumer's own, and takes over what was assigned meanwhile."""
        messages: list[Message] = self._consumer.consume(most, seconds)
        if self._newly_assigned is not None:
            partitions, self._newly_assigned = self._newly_assigned, None
            self._take_over(partitions)
        return messages

    def _once(self) -> None:
        messages = self._poll()
        if not messages and not self._due_now():
            if self._revoked_at and time.monotonic() - self._revoked_at > WITHOUT_PARTITIONS:
                raise RuntimeError(f"{self.desk.name}: without an assignment for {WITHOUT_PARTITIONS:.0f} s")
            self._progress = time.monotonic() if self._lag == 0 else self._progress
            self._commit_passed_over()
            self._measure()
            return
        started = time.perf_counter()
        try:
            self._decide_and_write(messages)
        except KafkaException as problem:
            self._retries.failed(problem.args[0], self._taken, _offsets(messages))
            self._start_over(problem)
            return
        seconds = time.perf_counter() - started
        self._retries.committed(self._taken, seconds, self._read)
        self._progress = self._turned = time.monotonic()
        self._turn.observe(seconds)
        self._measure()

    def _poll(self) -> list[Message]:
        generation, size = self._generation, self._retries.size
        self._taken = 0
        first = self._consume(1, 0.1 if not self._due_now() else 0.0)
        if not first:
            return []
        since_commit = time.monotonic() - self._turned
        wait = max(self.settings.linger_ms, self.settings.pace_ms - since_commit * 1000) / 1000
        more = self._consume(size - 1, wait) if size > 1 else []
        self._taken = len(first) + len(more)
        if generation != self._generation:
            self._rewind()  # a rebalance came in between: what was read before it will be read again by its new owner
            return []
        messages = []
        for message in [*first, *more]:
            error = message.error()
            if error is None:
                messages.append(message)
            elif (
                error.code() == KafkaError._PARTITION_EOF
            ):  # transaction markers lie between the last message and the end
                self._read[message.topic(), message.partition()] = message.offset()
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise Refused(
                    f"{self.desk.name}: {message.topic()}/{message.partition()} does not have the offset up to which it was read: "
                    f"{error}. 读取位点之后的消息不存在，主题可能已被重建。 Nothing is decided until an operator has looked: docs/runbooks/WorkerDown.md"
                )
            elif error.fatal() or error.code() in LEAVING or error.code() in DENIALS:
                raise KafkaException(error)
            else:
                self._refusals(error)
        self._check_let_in()
        return messages

    def _due_now(self) -> bool:
        moment = self.clock.now().timestamp()
        return any(s.deadlines and s.deadlines[0][0] <= moment for s in self._stores.values())

    def _decide_and_write(self, messages: list[Message]) -> None:
        moment, most = self.clock.now(), self._retries.size
        due = {p: s.due(moment, most) for p, s in self._stores.items()}
        self._taken = max(self._taken, *map(len, due.values()), 0)
        try:
            raws = [raw(message) for message in messages]
            if self._retries.may_be_of_message < DOUBTED:
                self._transact(self._new_turn(moment), raws, due)
            else:
                self._by_halves([*raws, *[(p, key) for p, keys in due.items() for key in keys]])
        except BaseException:
            for partition, keys in due.items():
                for key in keys:
                    heapq.heappush(self._stores[partition].deadlines, (0.0, key))
            raise

    def _new_turn(
        self, at: datetime, refused: Mapping[ItemId, Trouble] | None = None, *, one_by_one: bool = False
    ) -> Turn:
        partitions, reader = self.settings.partitions, self._parked_reader
        return Turn(self.desk, partitions, at, self._retention, reader, refused, one_by_one)

    def _transact(self, turn: Turn, messages: Iterable[Raw], due: Mapping[int, list[str]]) -> None:
        """Decides these messages and what is due at these keys, and commits what comes of it."""
        positions: dict[tuple[str, int], int] = {}
        try:
            for message in messages:
                turn.handle(self._stores[message.partition], message)
                positions[message.topic, message.partition] = message.offset + 1
            for partition, keys in due.items():
                turn.handle_deadlines(self._stores[partition], partition, keys)
            changed = turn.changed()
        except (KafkaException, InterruptedError, MemoryError):
            raise
        except Exception as error:
            raise raised(error) from error
        if not turn.outcome.outputs and not changed:
            self._positions.update(positions)
            self._note_read(positions)
            self._uncommitted = self._uncommitted or time.monotonic()
            self._commit_passed_over()
            return
        self._write(turn, changed, {**self._positions, **positions} or self._standing(changed))
        self._positions.clear()
        self._uncommitted = 0.0
        self._note_read(positions)
        self._keep(turn, changed)

    def _by_halves(self, items: list[Item]) -> None:
        """Commits the batch piece by piece, each bad message parked; raises what is no message's fault."""
        until = time.monotonic() + HALVING_SECONDS
        halving = Halving(self._try, self._accepts, lambda: self._stop.is_set() or time.monotonic() > until)
        fault = halving.run(items)
        if fault is not None:
            raise KafkaException(fault.error)

    def _try(self, items: Sequence[Item], refused: Mapping[ItemId, Trouble]) -> Fault | None:
        """Commits these items; or says which fault of a message was in the way, and then nothing of them is written."""
        due: dict[int, list[str]] = {}
        for item in items:
            if not isinstance(item, Raw):
                due.setdefault(item[0], []).append(item[1])
        for attempt in range(TRIES):
            turn = self._new_turn(self.clock.now(), refused, one_by_one=True)
            self._reports = reports = Reports()
            try:
                self._transact(turn, [item for item in items if isinstance(item, Raw)], due)
            except KafkaException as problem:
                fault = self._aborted(reports, problem)
                if not fault.skipped or attempt == TRIES - 1:
                    return fault
            else:
                self._retries.committed_piece()
                self._progress = time.monotonic()
                return None
            finally:
                self._reports = None
        raise AssertionError("every try returns or raises")

    def _accepts(self, fault: Fault) -> bool:
        """Whether the topic takes another message now where it refused this one; that message is never committed."""
        if fault.topic is None:
            return True
        for _ in range(TRIES):
            self._reports = reports = Reports()
            try:
                self._producer.begin_transaction()
                self._produce(topic=fault.topic, partition=fault.partition, key=fault.key, value=PROBE)
                self._producer.flush(PROBE_SECONDS)
            except KafkaException as problem:
                self._aborted(reports, problem)
            else:
                self._abort()
            finally:
                self._reports = None
            if reports.delivered:
                return True
        return False

    def _aborted(self, reports: Reports, problem: KafkaException) -> Fault:
        """Aborts, and returns the fault of a message that ended this transaction; raises the problem if it was something else."""
        if not may_be_of_message(problem.args[0], following=True):
            raise problem
        self._abort()
        self._producer.poll(0)  # the last reports
        self._connect_producer()  # a client whose message was refused counts on wrongly, and may wait ten seconds for it
        metrics.ABORTED.labels(self.desk.name).inc()
        fault = reports.fault(problem)
        if fault is None:
            raise problem
        metrics.HALVED.labels(self.desk.name).inc()
        log.warning("piece not written", desk=self.desk.name, topic=fault.topic, error=fault.error.str())
        return fault

    def _write(self, turn: Turn, changed: list, positions: dict[tuple[str, int], int]) -> None:  # type: ignore[type-arg]
        self._producer.poll(0)
        if self._broker_was_away:
            self._connect_producer()
        producer, states = self._producer, state_topic(self.desk.name)
        producer.begin_transaction()
        self._begun = time.monotonic()
        for out in turn.outcome.outputs:
            if out.partition is None:
                self._produce(topic=out.topic, key=out.key, value=out.value, headers=out.headers)
            else:
                self._produce(
                    topic=out.topic, key=out.key, value=out.value, headers=out.headers, partition=out.partition
                )
            if out.for_ports is not None:
                self._produce(topic=PORT_FACTS, key=out.key, value=out.for_ports, headers=out.headers)
        for partition, key, _, data in changed:
            self._produce(topic=states, key=key, value=data, partition=partition)
        moved = self._moved(positions)
        for partition, offsets in moved.items():
            stored = self._stores[partition].stored
            cut = stored.cut if stored else self._stores[partition].first
            value = read_positions.encode(offsets, cut, self._ids)
            self._produce(topic=states, key=read_positions.KEY, value=value, partition=partition)
        self.answer_by = time.monotonic() + OFFSETS_LIMIT
        try:
            producer.send_offsets_to_transaction(
                [TopicPartition(topic, partition, offset, MARK) for (topic, partition), offset in positions.items()],
                self._consumer.consumer_group_metadata(),
                OFFSETS_SECONDS,
            )
        finally:
            self.answer_by = math.inf
        self._commit()
        self._committed_at.update(moved)
        for partition, offsets in moved.items():
            store = self._stores[partition]
            cut = store.stored.cut if store.stored else store.first
            store.stored = ReadPositions(positions=offsets, cut=cut, ids=self._ids)

    def _standing(self, changed: list) -> dict[tuple[str, int], int]:  # type: ignore[type-arg]
        """The read positions that stand already. With a time limit nothing is read; but librdkafka sends nothing where there is no
        position, and then the group does not check whether this worker still has the partition."""
        return {
            (topic, partition): offset
            for partition in {partition for partition, *_ in changed}
            for topic, offset in self._committed_at[partition].items()
            if offset >= 0
        }

    def _moved(self, positions: dict[tuple[str, int], int]) -> dict[int, dict[str, int]]:
        """The read positions of each partition that these move, of all its inputs."""
        moved: dict[int, dict[str, int]] = {}
        for (topic, partition), offset in positions.items():
            if partition not in moved:
                moved[partition] = dict(self._committed_at.get(partition, {}))
            moved[partition][topic] = offset
        return moved

    def _commit(self) -> None:
        """Commits, or raises: abortable when nothing was committed, RuntimeError when that cannot be known.

        A commit that timed out may still come true: it is asked for again until the broker answers. A process that
        gives up here must end, since its store may be behind what was committed (librdkafka: "retry call to resume").
        """
        for attempt in range(COMMITS):
            try:
                self._producer.commit_transaction(COMMIT_SECONDS)
                return
            except KafkaException as problem:
                error = problem.args[0]
                if error.fatal() or error.txn_requires_abort():
                    raise
                log.warning("commit not answered", desk=self.desk.name, error=str(error), attempt=attempt)
        raise RuntimeError(f"{self.desk.name}: the broker did not say whether the transaction was committed")

    def _abort(self) -> None:
        """Aborts what is open, if need be by a fresh producer.

        While the coordinator writes the markers of the commit before, a transaction is not begun there yet, and librdkafka
        takes the answer to its abort, INVALID_TXN_STATE, for fatal. Our epoch was valid, so nobody else has our place.
        """
        try:
            self._retrying(lambda: self._producer.abort_transaction(10), "abort_transaction")
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() == KafkaError._STATE:
                return  # no transaction was open
            if error.code() != KafkaError.INVALID_TXN_STATE:
                raise
            log.warning("producer replaced", desk=self.desk.name, error=str(error))
            self._connect_producer()

    def _produce(self, **message: object) -> None:
        if self._reports is not None:
            message["on_delivery"] = self._reports
        while True:
            try:
                self._producer.produce(**message)
                return
            except BufferError:
                self._producer.poll(0.05)
            except (KafkaException, MemoryError):
                raise
            except Exception as error:  # the client cannot take it: a defect of one message, found by halves
                raise raised(error) from error

    def _keep(self, turn: Turn, changed: list) -> None:  # type: ignore[type-arg]
        """The transaction is committed: now the overlay becomes the store."""
        for partition, key, entry, data in changed:
            self._stores[partition].put(key, data, entry.record.due, entry.state)
        if self.desk.watcher:
            self.desk.watcher.committed([(key, entry.before, entry.state) for _, key, entry, _ in changed])
        self._committed.inc(turn.outcome.decided)
        for kind, count in turn.outcome.facts.items():
            metrics.SAID.labels(self.desk.name, kind).inc(count)
        for reason, count in turn.outcome.parked.items():
            metrics.PARKED.labels(self.desk.name, reason).inc(count)
            self._parked += count
            log.warning("parked", desk=self.desk.name, reason=reason, count=count)
        self._parked -= turn.outcome.settled
        if turn.outcome.duplicates:
            metrics.DUPLICATES.labels(self.desk.name).inc(turn.outcome.duplicates)

    def _note_read(self, positions: dict[tuple[str, int], int]) -> None:
        """Never backwards: the end that was reported in the same batch lies behind the last message's marker."""
        for place, position in positions.items():
            self._read[place] = max(position, self._read.get(place, 0))

    def _commit_passed_over(self) -> None:
        """Positions of messages that concerned nobody: committed now and then, since hearing them again does nothing."""
        if self._positions and time.monotonic() - self._uncommitted >= IDLE_COMMIT:
            self._flush_positions()

    def _flush_positions(self) -> None:
        offsets = [
            TopicPartition(topic, partition, offset, MARK if self._stores[partition].stored else "")
            for (topic, partition), offset in self._positions.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as problem:  # nothing depends on it: these messages would only be passed over again
            if problem.args[0].fatal():
                raise
            log.warning("positions not committed", desk=self.desk.name, error=str(problem.args[0]))
            self._uncommitted = time.monotonic()
            return
        self._positions.clear()
        self._uncommitted = 0.0

    # trouble

    def _start_over(self, problem: KafkaException) -> None:
        """Abort, forget the overlay, go back to the committed positions; the next turn reads the same messages again."""
        error = problem.args[0]
        failures = self._retries.failures
        outdated = error.code() in FORGOTTEN or self._fenced_by_time(error)
        if (error.fatal() and not outdated) or failures >= ATTEMPTS or error.code() in DENIALS:
            raise problem
        self._check_let_in()
        metrics.ABORTED.labels(self.desk.name).inc()
        log.warning("transaction aborted", desk=self.desk.name, error=str(error), failures=failures)
        if outdated:  # a fresh producer ends what the former left open, and the batch is decided again at once
            self._connect_producer()
            self._rewind()
            return
        self._abort()
        self._stop.wait(min(0.05 * 2**failures, 5))
        self._rewind()

    def _fenced_by_time(self, error: KafkaError) -> bool:
        """Whether the broker ended a transaction of ours that took too long, and nobody else has our place.

        Whoever took our place by our transactional id fences a transaction before its time; another generation of the
        group refuses the positions.
        """
        if (
            error.code() != KafkaError._FENCED
            or time.monotonic() - self._begun < self.settings.transaction_timeout_ms / 1000
        ):
            return False
        try:
            held = [p for p in self._committed_positions(self._consumer.assignment()) if p.offset >= 0]
            if held:
                self._consumer.commit(offsets=held, asynchronous=False)
        except KafkaException as problem:
            log.warning("not the owner any more", desk=self.desk.name, error=str(problem.args[0]))
            return False
        return bool(held)

    def _rewind(self) -> None:
        self._positions.clear()
        assignment = self._consumer.assignment()
        if assignment:
            noted = self._committed_positions(assignment)
            self._go_on_from([self._no_earlier_than_committed(place) for place in noted])

    def _no_earlier_than_committed(self, noted: TopicPartition) -> TopicPartition:
        """The place from which an input goes on; the group may have forgotten it meanwhile."""
        known = self._committed_at.get(noted.partition, {}).get(noted.topic, OFFSET_BEGINNING)
        offset = known if noted.offset == OFFSET_INVALID else max(known, noted.offset)
        return TopicPartition(noted.topic, noted.partition, offset)

    def _go_on_from(self, places: list[TopicPartition]) -> None:
        self._consumer.assign(places)
        self._read = {(p.topic, p.partition): p.offset for p in places}

    def _committed_positions(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        committed: list[TopicPartition] = self._retrying(
            lambda: self._consumer.committed(partitions, OFFSETS_SECONDS), "committed", OFFSETS_TRIES
        )
        for p in committed:
            if p.error:
                raise KafkaException(p.error)
        return committed

    def _retrying(self, act: Callable[[], Any], name: str, attempts: int = ATTEMPTS) -> Any:
        for attempt in range(attempts):
            try:
                return act()
            except KafkaException as problem:
                error = problem.args[0]
                self._producer.poll(0)
                self._check_let_in()
                if error.fatal() or not (error.retriable() or error.code() == KafkaError._TIMED_OUT):
                    raise
                log.warning("retrying", what=name, desk=self.desk.name, error=str(error))
                self._stop.wait(min(0.2 * 2**attempt, 5))
        raise RuntimeError(f"{self.desk.name}: {name} failed {attempts} times")

    # partitions

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Notes them and fetches nothing yet.

        A callback may not ask the cluster for anything: after a nested `list_topics` the client's next callback ends the
        process (assertion `cs != NULL` in confluent-kafka), and what a callback raises is lost.
        """
        consumer.assign([])
        self._newly_assigned = partitions

    def _topics_now(self) -> dict[str, str]:
        """Topic → its id; Refused when somebody changed the number of partitions."""
        self._compared = time.monotonic()
        there = found(ask(self._admin, topics_of(self.desk.name), LAYOUT_LIMIT))
        check_partitions(there, self.settings.partitions)
        return ids(there)

    def _compare_topics(self) -> None:
        """Refused when they are not those of the take-over. A broker that does not answer is asked again later."""
        try:
            now_there = self._topics_now()
        except KafkaException as problem:
            if problem.args[0].fatal():
                raise
            log.warning("topics not compared", desk=self.desk.name, error=str(problem.args[0]))
            return
        refuse_replaced(self.desk.name, self._ids, now_there)

    def _take_over(self, partitions: list[TopicPartition]) -> None:
        started = time.monotonic()
        self._ids = self._retrying(self._topics_now, "describe_topics")
        numbers = sorted({p.partition for p in partitions})
        log.info("assigned", desk=self.desk.name, partitions=numbers)
        committed = self._committed_positions(partitions)  # before the states, which may only be newer
        self._generation += 1
        self.restoring = told = Restoring()
        self._stores = restore(self.desk.name, self.settings, state_topic(self.desk.name), numbers, self._stop, told)
        self._positions.clear()
        self._parked = told.parked
        self._committed_at = self._resume(committed)
        if self._positions:
            self._flush_positions()
        self._tell_restored()
        self._go_on_from(
            [TopicPartition(p.topic, p.partition, self._committed_at[p.partition][p.topic]) for p in partitions]
        )
        self._progress = time.monotonic()
        self.restoring = None
        self._revoked_at = 0.0
        seconds, records = self._progress - started, sum(len(store.records) for store in self._stores.values())
        metrics.RESTORE.labels(self.desk.name).set(seconds)
        log.info("restored", desk=self.desk.name, records=records, read=told.read, seconds=round(seconds, 3))
        self.ready.set()

    def _resume(self, noted: list[TopicPartition]) -> dict[int, dict[str, int]]:
        """From where each partition goes on; Refused where records or positions are missing and nobody agreed to that."""
        by_partition: dict[int, dict[str, Noted]] = {}
        for place in noted:
            offset = None if place.offset == OFFSET_INVALID else place.offset
            by_partition.setdefault(place.partition, {})[place.topic] = Noted(offset, place.metadata or "")
        accepted = self.settings.accepts_lost_states(self.desk.name)
        resumed: dict[int, dict[str, int]] = {}
        for partition, inputs in by_partition.items():
            store = self._stores[partition]
            read_back = Found(partition, inputs, store.stored, store.first, len(store.records), store.unreadable)
            end = partial(self._begin_at_end, partition)
            resumed[partition] = resume(self.desk.name, inputs, read_back, accepted, end, self._ids)
            for topic, offset in resumed[partition].items():
                # the group forgot it, and whoever asks it how far we read shall know
                if offset > (inputs[topic].offset or 0):
                    self._positions[topic, partition] = offset
            if accepted and store.stored is not None:
                store.stored.cut = store.first
        return resumed

    def _begin_at_end(self, partition: int, topic: str) -> int:
        """Where a new input begins that the catalogue gives from its end: kept as a number, since what comes while the desk is
        down must not move it."""
        place = TopicPartition(topic, partition)
        _, end = self._retrying(lambda: self._consumer.get_watermark_offsets(place, OFFSETS_SECONDS), "end of an input")
        self._positions[topic, partition] = int(end)
        return int(end)

    def _tell_restored(self) -> None:
        if self.desk.watcher:
            stores = self._stores.values()
            self.desk.watcher.restored(one for store in stores for one in store.states())

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("revoked", desk=self.desk.name, partitions=sorted({p.partition for p in partitions}))
        self._generation += 1
        self._newly_assigned = None
        self._revoked_at = time.monotonic()
        self.member_id = ""  # the group may forget it from here on; until it has given another one, none is told
        self.ready.clear()
        self._positions.clear()
        self._read.clear()
        self._retries.assignment_lost()
        self._stores = {}

    def _measure(self) -> None:
        moment = time.monotonic()
        if not self._stores or moment - self._measured >= 1.0:
            self.member_id = self._consumer.memberid() or ""  # only here: from another thread the call was seen to hang
        if moment - self._measured < 1.0:
            return
        self._measured = moment
        if moment - self._compared >= LAYOUT_SECONDS:
            self._compare_topics()
        lag = 0
        for (topic, partition), read in self._read.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            lag += max(0, high - max(read, low, 0))
        self._lag = lag
        metrics.LAG.labels(self.desk.name).set(lag)
        metrics.LIVE.labels(self.desk.name).set(sum(len(s.records) for s in self._stores.values()))
        metrics.PARKED_NOW.labels(self.desk.name).set(self._parked)


def _offsets(messages: Iterable[Message]) -> dict[tuple[str, int], tuple[int, int]]:
    """Topic and partition → the first and the last offset of these messages."""
    offsets: dict[tuple[str, int], tuple[int, int]] = {}
    for message in messages:
        place, offset = (message.topic(), message.partition()), message.offset()
        offsets[place] = offsets.get(place, (offset, offset))[0], offset
    return offsets
