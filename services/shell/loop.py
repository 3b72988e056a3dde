"""How does a desk read, decide and write so that nothing is lost or doubled, whatever process ends at whatever moment?

The facts, the new records, the parked messages and the read positions of a batch are written in one Kafka transaction.
`Loop` repeats these steps: poll (`polling.py`), decide (`turn.py`), write and commit (`writing.py`, which then puts the
records into the store). If a step fails, `Loop` aborts the transaction and goes back to the committed offsets. It then
tries again, with fewer messages (`retries.py`) or in halves (`pieces.py`). Everything happens in the thread that calls
`run`. Another thread reads `liveness` for the pages.
"""

import contextlib
import heapq
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from confluent_kafka import KafkaException, Message

from schemas.flow import heard_topics
from schemas.topics import orders_topic
from services.shell import metrics
from services.shell.access import ACCESS_SECONDS, DENIALS, try_access
from services.shell.assignment import Assignment
from services.shell.broker_calls import ATTEMPTS, BrokerCalls
from services.shell.clock import CLOCK, Clock
from services.shell.codec import Raw, raw
from services.shell.desk import Desk
from services.shell.halving import Item, ItemId, raised
from services.shell.liveness import Liveness
from services.shell.parked_reader import KafkaParkedReader
from services.shell.parking import Trouble
from services.shell.pieces import Pieces
from services.shell.polling import Poller
from services.shell.retries import Retries
from services.shell.settings import WorkerSettings
from services.shell.transactions import FORGOTTEN, Transactions
from services.shell.turn import Turn
from services.shell.writing import BatchWriter

DOUBTED = 2
"""If a batch has failed this many times by errors that a single message may have caused, it is tried in halves."""
WITHOUT_PARTITIONS = 60.0
"""How many seconds a loop may be without an assignment after a revocation. Then the process ends, and the next one starts over. An
assignment of no partitions also counts as an assignment."""
CANNOT_WRITE = 2
"""If this many batches have failed in a row, the desk counts as unable to write."""

log = structlog.get_logger()


class Loop:
    """One desk's loop. `run` returns only after `stop`, and raises an exception if the process must end and the next one must start
    over.

    `clock`: the clock for the times of the desk's facts and for its time limits.
    """

    def __init__(self, desk: Desk, settings: WorkerSettings, clock: Clock = CLOCK) -> None:
        self.desk, self.settings, self.clock = desk, settings, clock
        self.topics = [*heard_topics(desk.name), orders_topic(desk.name)]
        self._access = settings.access(desk.name)
        self._stop = threading.Event()
        self.liveness = Liveness(desk.name)
        self.retries = Retries(settings.batch, settings.transaction_timeout_ms / 1000)
        self.calls = BrokerCalls(desk.name, self._access, self._stop)
        self.calls.on_retry = self.liveness.progressed
        self.assignment = Assignment(
            desk, settings, self.calls, self.liveness, self._stop, self.retries.assignment_lost
        )
        self.transactions = Transactions(desk.name, settings, self.calls, self.assignment.still_ours)
        self.ready = self.assignment.ready
        self.poller = Poller(desk.name, settings, self.calls, self.assignment)
        self.writer = BatchWriter(desk, self.transactions, self.assignment, self.liveness)
        self._pieces = Pieces(desk.name, self.transactions, self._write_piece, self._stop.is_set)
        self._parked_reader = KafkaParkedReader(desk.name, settings)
        self._retention = timedelta(days=settings.retention_days)
        self._committed_at = 0.0
        """Monotonic time at which a batch was committed last."""
        self._turn_seconds = metrics.TURN.labels(desk.name)

    # start and stop

    def run(self) -> None:
        """Reads, decides and writes until `stop` is called. Raises CannotContinue if the cluster does not accept this desk or denies it
        a right."""
        try:
            self._run()
        except KafkaException as problem:
            if problem.args[0].code() in DENIALS:
                raise self._access.denied(problem.args[0].str()) from problem
            raise

    def _run(self) -> None:
        try_access(self._access, ACCESS_SECONDS)
        self.transactions.connect()
        self.assignment.connect(self.topics)
        self.liveness.progressed()
        try:
            while not self._stop.is_set():
                self._once()
        except InterruptedError:  # a restore raises it if `stop` was called; without `stop`, it has another cause
            if not self._stop.is_set():
                raise
        finally:
            self.ready.clear()
            # Errors while the loop leaves the group are ignored. The broker ends the member's session anyway.
            with contextlib.suppress(KafkaException, InterruptedError):
                if self._stop.is_set():
                    self.poller.leave()
            with contextlib.suppress(KafkaException):
                self._parked_reader.close()
            with contextlib.suppress(KafkaException):
                self.assignment.consumer.close()

    def stop(self) -> None:
        """Makes `run` finish the present batch, leave the group and return."""
        self._stop.set()

    def can_work(self) -> bool:
        """Returns whether the desk has its partitions and can write (see `CANNOT_WRITE`)."""
        return self.ready.is_set() and self.retries.failures < CANNOT_WRITE

    # one batch

    def _once(self) -> None:
        messages = self.poller.poll(self.retries.size, self.due_now(), self._committed_at)
        # A time limit may have passed while the poll waited for messages, so `due_now` is called again.
        if not messages and not self.due_now():
            self._idle()
            return
        started, moment = time.perf_counter(), self.clock.now()
        due = {number: store.due(moment, self.retries.size) for number, store in self.assignment.stores.items()}
        # the number of messages or, if that is more, the greatest number of keys with passed time limits in one partition
        batch_size = max(self.poller.polled, *map(len, due.values()), 0)
        try:
            self._decide_and_write(messages, moment, due)
        except KafkaException as problem:
            self.retries.failed(problem.args[0], batch_size, _offsets(messages))
            self._start_over(problem)
            return
        seconds = time.perf_counter() - started
        self.retries.committed(batch_size, seconds, self.assignment.offsets.read)
        self.liveness.progressed()
        self._committed_at = time.monotonic()
        self._turn_seconds.observe(seconds)
        self._measure()

    def _idle(self) -> None:
        revoked_at = self.assignment.revoked_at
        if revoked_at and time.monotonic() - revoked_at > WITHOUT_PARTITIONS:
            raise RuntimeError(f"{self.desk.name}: without an assignment for {WITHOUT_PARTITIONS:.0f} s")
        self.liveness.idle()
        self.assignment.commit_passed_over()
        self._measure()

    def _measure(self) -> None:
        self.assignment.topics.compare()
        self.liveness.measure(self.assignment.consumer, self.assignment.stores, self.assignment.offsets.read)

    def due_now(self) -> bool:
        """Returns whether the time limit of any record has passed."""
        moment = self.clock.now().timestamp()
        return any(s.deadlines and s.deadlines[0][0] <= moment for s in self.assignment.stores.values())

    def _decide_and_write(self, messages: list[Message], moment: datetime, due: Mapping[int, list[str]]) -> None:
        """Decides and commits a batch, in one transaction or, after `DOUBTED` failures, in halves. `due`: partition → keys whose time
        limits have passed; the stores no longer list them as due."""
        stores = self.assignment.stores
        try:
            raws = [raw(message) for message in messages]
            if self.retries.message_failures < DOUBTED:
                self._transact(self._new_turn(moment), raws, due)
            else:
                self._pieces.commit([*raws, *[(p, key) for p, keys in due.items() for key in keys]])
        except BaseException:
            for partition, keys in due.items():
                for key in keys:
                    # The key is due at once. The next turn asks the decider which of its time limits have passed.
                    heapq.heappush(stores[partition].deadlines, (0.0, key))
            raise

    def _new_turn(
        self, at: datetime, unwritable: Mapping[ItemId, Trouble] | None = None, *, one_by_one: bool = False
    ) -> Turn:
        partitions, reader = self.settings.partitions, self._parked_reader
        return Turn(self.desk, partitions, at, self._retention, reader, unwritable, one_by_one)

    def _write_piece(self, items: Sequence[Item], unwritable: Mapping[ItemId, Trouble]) -> None:
        """Decides and commits a part of a batch that is tried in halves."""
        due: dict[int, list[str]] = {}
        for item in items:
            if not isinstance(item, Raw):
                due.setdefault(item[0], []).append(item[1])
        turn = self._new_turn(self.clock.now(), unwritable, one_by_one=True)
        self._transact(turn, [item for item in items if isinstance(item, Raw)], due)
        self.retries.committed_piece()
        self.liveness.progressed()

    def _transact(self, turn: Turn, messages: Iterable[Raw], due: Mapping[int, list[str]]) -> None:
        """Decides these messages and the time limits of these keys that have passed, and commits the outcome. If nothing changed,
        begins no transaction; the read positions are then committed later, without one (`Assignment.pass_over`)."""
        stores, offsets = self.assignment.stores, self.assignment.offsets
        read: dict[tuple[str, int], int] = {}
        try:
            for message in messages:
                turn.handle(stores[message.partition], message)
                read[message.topic, message.partition] = message.offset + 1
            for partition, keys in due.items():
                turn.handle_deadlines(stores[partition], partition, keys)
            changed = turn.encode_changes()
        except (KafkaException, InterruptedError, MemoryError):
            raise
        except Exception as error:
            raise raised(error) from error
        if not turn.outcome.outputs and not changed:
            self.assignment.pass_over(read)
            return
        # A batch of time limits has read no message. It commits the present offsets once more.
        read_positions = {**offsets.passed_over, **read} or offsets.committed_of(changed)
        self.writer.write(turn.outcome, changed, read_positions)
        self.assignment.passed_over_committed()
        offsets.note_read(read)
        self.writer.keep(turn.outcome, changed)

    # failures

    def _start_over(self, problem: KafkaException) -> None:
        """Aborts the transaction and goes back to the committed offsets, so that the next turn reads the same messages again. Raises
        `problem` if trying again cannot help."""
        error, failures = problem.args[0], self.retries.failures
        needs_new_producer = error.code() in FORGOTTEN or self.transactions.fenced_after_timeout(error)
        if (error.fatal() and not needs_new_producer) or failures >= ATTEMPTS or error.code() in DENIALS:
            raise problem
        self.calls.check_access()
        metrics.ABORTED.labels(self.desk.name).inc()
        log.warning("transaction aborted", desk=self.desk.name, error=str(error), failures=failures)
        if needs_new_producer:
            # The broker aborts the former producer's open transaction when the new one connects, so nothing is awaited.
            outcome_unknown = self.transactions.commit_requested
            self.transactions.connect()
            if outcome_unknown:
                # The commit was requested, but its answer is not known. If the batch was committed, the store lacks the
                # records of the batch. So the records are read again.
                self.assignment.take_over(self.assignment.consumer.assignment())
            else:
                self.assignment.rewind()
            return
        self.transactions.abort()
        self.calls.wait(min(0.05 * 2**failures, 5))
        self.assignment.rewind()


def _offsets(messages: Iterable[Message]) -> dict[tuple[str, int], tuple[int, int]]:
    """Returns (topic, partition) → the first and the last offset of these messages."""
    offsets: dict[tuple[str, int], tuple[int, int]] = {}
    for message in messages:
        topic_partition, offset = (message.topic(), message.partition()), message.offset()
        offsets[topic_partition] = offsets.get(topic_partition, (offset, offset))[0], offset
    return offsets
