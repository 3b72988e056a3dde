"""How is a transaction begun, filled and committed until its outcome is known? The producer of one loop, and its replacement.

One transaction has the facts, records, parked messages and read positions of a batch. What raises KafkaException leaves a transaction
that can be aborted, where the error is not fatal; RuntimeError means that the outcome is not known, and that the process must end.
"""

import math
import time
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from services.shell.broker_calls import OFFSETS_SECONDS, BrokerCalls
from services.shell.clients import desk_producer
from services.shell.halving import Reports, raised
from services.shell.settings import WorkerSettings

OFFSETS_LIMIT = 12.0
"""Seconds after which nothing but a fresh process helps a broker to note the read positions (see `OFFSETS_SECONDS`)."""
FORGOTTEN = frozenset({KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID})
"""The broker has forgotten the producer after idle days: the client keeps its old identity, so that every try fails alike."""
COMMIT_SECONDS = 10.0
"""How long one attempt to commit waits for the broker's answer."""
COMMITS = 6
"""How often the outcome of a commit is asked for before the process gives up."""

log = structlog.get_logger()


class Transactions:
    """The transactions of one desk, one after another. `connect` comes first."""

    def __init__(self, desk: str, settings: WorkerSettings, calls: BrokerCalls) -> None:
        self.reports: Reports | None = None
        """Where it is told what became of each message, while somebody wants to know."""
        self._desk, self._settings, self._calls = desk, settings, calls
        self._producer: Producer
        self._begun = math.inf

    def connect(self) -> None:
        """A fresh producer; it ends what the one before left open."""
        self._producer = desk_producer(self._desk, self._settings, self._calls.on_producer_error)
        self._calls.serve_errors = lambda: self._producer.poll(0)
        self._calls.broker_was_away = False
        self._calls.retrying(lambda: self._producer.init_transactions(30), "init_transactions")

    def begin(self) -> None:
        """Begins a transaction, with a fresh producer if the broker was away."""
        self._producer.poll(0)
        if self._calls.broker_was_away:
            self.connect()
        self._producer.begin_transaction()
        self._begun = time.monotonic()

    def produce(self, **message: Any) -> None:
        """Adds a message, as `Producer.produce` takes it; waits while the client's queue is full."""
        if self.reports is not None:
            message["on_delivery"] = self.reports
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

    def flush(self, seconds: float) -> None:
        """Waits until the broker has answered for every message, or so long."""
        self._producer.flush(seconds)

    def send_offsets(self, offsets: list[TopicPartition], group: object) -> None:
        """Adds the read positions; `group`: the consumer's `consumer_group_metadata()`, by which the group fences a former owner."""
        self._calls.answer_by = time.monotonic() + OFFSETS_LIMIT
        try:
            self._producer.send_offsets_to_transaction(offsets, group, OFFSETS_SECONDS)
        finally:
            self._calls.answer_by = math.inf

    def commit(self) -> None:
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
                log.warning("commit not answered", desk=self._desk, error=str(error), attempt=attempt)
        raise RuntimeError(f"{self._desk}: the broker did not say whether the transaction was committed")

    def abort(self) -> None:
        """Aborts what is open, if need be by a fresh producer.

        While the coordinator writes the markers of the commit before, a transaction is not begun there yet, and librdkafka
        takes the answer to its abort, INVALID_TXN_STATE, for fatal. Our epoch was valid, so nobody else has our transactional id.
        """
        try:
            self._calls.retrying(lambda: self._producer.abort_transaction(10), "abort_transaction")
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() == KafkaError._STATE:
                return  # no transaction was open
            if error.code() != KafkaError.INVALID_TXN_STATE:
                raise
            log.warning("producer replaced", desk=self._desk, error=str(error))
            self.connect()

    def replace_after_refusal(self) -> None:
        """Aborts, takes the last reports, and goes on with a fresh producer: a client whose message was refused counts its sequence
        numbers on wrongly, and may wait ten seconds for an answer to them."""
        self.abort()
        self._producer.poll(0)
        self.connect()

    def exceeded_timeout(self, error: KafkaError) -> bool:
        """Whether the broker may have fenced this producer because its transaction took too long.

        Whoever takes our transactional id fences a transaction before its time.
        """
        took = time.monotonic() - self._begun
        return bool(error.code() == KafkaError._FENCED and took >= self._settings.transaction_timeout_ms / 1000)
