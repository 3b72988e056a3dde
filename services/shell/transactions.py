"""How is a transaction begun, filled and committed until its outcome is known? The producer of one loop, and its replacement.

One transaction has the facts, records, parked messages and read positions of a batch. After a KafkaException whose error is not fatal,
the transaction can be aborted; RuntimeError means that the outcome is not known, and that the process must end.
"""

import math
import time
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from services.shell.broker_calls import OFFSETS_SECONDS, BrokerCalls
from services.shell.clients import desk_producer
from services.shell.halving import DeliveryReports, raised
from services.shell.settings import WorkerSettings

OFFSETS_LIMIT = 12.0
"""Seconds after which the process ends because the broker has not accepted the read positions (see `OFFSETS_SECONDS`)."""
FORGOTTEN = frozenset({KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID})
"""The broker has forgotten the producer id after idle days; the client keeps using it, so that every attempt fails in the same way."""
COMMIT_SECONDS = 10.0
"""How long one attempt to commit waits for the broker's answer."""
COMMITS = 6
"""Attempts to commit, each without an answer of the broker, before the process gives up."""

log = structlog.get_logger()


class Transactions:
    """The transactions of one desk, one after another. Call `connect` first."""

    def __init__(self, desk: str, settings: WorkerSettings, calls: BrokerCalls) -> None:
        self.reports: DeliveryReports | None = None
        """Collects the delivery report of each message, while a caller needs them."""
        self._desk, self._settings, self._calls = desk, settings, calls
        self._producer: Producer
        self._begun = math.inf

    def connect(self) -> None:
        """Makes a new producer, which aborts a transaction that the former one left open."""
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
            except Exception as error:
                # the client does not accept a message; halving the batch finds out which one
                raise raised(error) from error

    def flush(self, seconds: float) -> None:
        """Waits until the broker has answered for every message, but no longer than `seconds`."""
        self._producer.flush(seconds)

    def send_offsets(self, offsets: list[TopicPartition], group: object) -> None:
        """Adds the read positions; `group`: the consumer's `consumer_group_metadata()`, by which the group fences a former owner."""
        with self._calls.returning_within(OFFSETS_LIMIT, ends_without_broker=True):
            self._producer.send_offsets_to_transaction(offsets, group, OFFSETS_SECONDS)

    def commit(self) -> None:
        """Commits; KafkaException if nothing was committed, RuntimeError if the outcome cannot be known.

        A commit that timed out may still succeed, so it is called again until the broker answers. A process that gives up here must
        end, because its store may be behind what was committed (librdkafka: "retry call to resume").
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
        """Aborts the open transaction, by a new producer if necessary.

        While the coordinator still writes the markers of the commit before, it has not begun this transaction. It then answers the
        abort with INVALID_TXN_STATE, which librdkafka takes for fatal. Our epoch was valid, so no other producer has our transactional
        id.
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
        """Aborts, takes the last delivery reports, and makes a new producer. After a message was refused, the client's sequence
        numbers are wrong, and it may wait ten seconds for an answer to them."""
        self.abort()
        self._producer.poll(0)
        self.connect()

    def exceeded_timeout(self, error: KafkaError) -> bool:
        """Whether the broker may have fenced this producer because its transaction took too long.

        If the producer was fenced before the timeout of its transaction, another producer with our transactional id did that.
        """
        took = time.monotonic() - self._begun
        return bool(error.code() == KafkaError._FENCED and took >= self._settings.transaction_timeout_ms / 1000)
