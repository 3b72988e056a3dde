"""How is a transaction begun, filled and committed until its outcome is known? This module has the producer of one loop, and replaces
it if necessary.

One transaction has the facts, records, parked messages and read positions of a batch. After a KafkaException that is not fatal, the
transaction can be aborted. After a RuntimeError the outcome is not known, so the process must end.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from services.shell.broker_calls import OFFSETS_SECONDS, BrokerCalls
from services.shell.clients import desk_producer
from services.shell.halving import DeliveryReports, raised
from services.shell.settings import WorkerSettings

OFFSETS_LIMIT = 12.0
"""After how many seconds the process ends if the broker has not accepted the read positions (see `OFFSETS_SECONDS`)."""
FORGOTTEN = frozenset({KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID})
"""Errors that say that the broker has deleted the producer id after idle days. The client keeps using the id, so every attempt fails
in the same way."""
COMMIT_SECONDS = 10.0
"""How many seconds one attempt to commit waits for the broker's answer."""
COMMITS = 6
"""How many attempts to commit may stay without an answer of the broker. After that, the process ends."""

log = structlog.get_logger()


class Transactions:
    """The transactions of one desk, one after another. Call `connect` first. `still_ours`: returns whether the group still accepts
    offsets from this worker."""

    def __init__(self, desk: str, settings: WorkerSettings, calls: BrokerCalls, still_ours: Callable[[], bool]) -> None:
        self.reports: DeliveryReports | None = None
        """The collector of the delivery report of each message; None if no caller needs the reports."""
        self._desk, self._settings, self._calls, self._still_ours = desk, settings, calls, still_ours
        self._producer: Producer
        self._begun = math.inf
        self.commit_requested = False
        """Whether the commit of the last transaction was requested. Then a fence does not tell whether it was committed."""

    def connect(self) -> None:
        """Makes a new producer, which aborts a transaction that the former one left open."""
        self._producer = desk_producer(self._desk, self._settings, self._calls.on_producer_error)
        self._calls.serve_errors = lambda: self._producer.poll(0)
        self._calls.broker_was_away = False
        self._calls.retrying(lambda: self._producer.init_transactions(30), "init_transactions")

    def begin(self) -> None:
        """Begins a transaction. If the producer has lost its brokers since it was made, replaces the producer first."""
        self._producer.poll(0)
        if self._calls.broker_was_away:
            self.connect()
        self.commit_requested = False
        self._producer.begin_transaction()
        self._begun = time.monotonic()

    def produce(self, **message: Any) -> None:
        """Adds a message to the transaction. The arguments are those of `Producer.produce`. Waits while the client's queue is full."""
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
                # The client does not accept this message. The batch is then decided in halves until the message is
                # found and parked.
                raise raised(error) from error

    def flush(self, seconds: float) -> None:
        """Waits until the broker has answered for every message, but no longer than `seconds`."""
        self._producer.flush(seconds)

    def send_offsets(self, offsets: list[TopicPartition], group: object) -> None:
        """Adds the read positions to the transaction. `group`: the consumer's `consumer_group_metadata()`, by which the group fences a
        former owner."""
        with self._calls.returning_within(OFFSETS_LIMIT, ends_without_broker=True):
            self._producer.send_offsets_to_transaction(offsets, group, OFFSETS_SECONDS)

    def commit(self) -> None:
        """Commits the transaction. Raises KafkaException if nothing was committed, and RuntimeError if the outcome cannot be known.

        A commit that timed out may still succeed, so the call is repeated, `COMMITS` times at most (librdkafka: "retry
        call to resume"). If the broker never answers, the process must end, because its store may lack records that
        were committed.
        """
        self.commit_requested = True
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
        """Aborts the open transaction. If necessary, makes a new producer for this.

        The coordinator begins a transaction only after it has written the transaction markers of the commit before.
        Until then it answers an abort with INVALID_TXN_STATE, which is a fatal error for librdkafka. A new producer is
        then enough: our epoch was valid, so no other producer has our transactional id.

        While the abort waits, the broker may abort the transaction itself, because its time is over, and then fences its producer. A new
        producer is enough here, too: a transaction that is aborted was never committed, so the store has no record of it and lacks none.
        """
        try:
            self._calls.retrying(lambda: self._producer.abort_transaction(10), "abort_transaction")
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() == KafkaError._STATE:
                return  # no transaction was open
            if error.code() != KafkaError.INVALID_TXN_STATE and not self.fenced_after_timeout(error):
                raise
            log.warning("producer replaced", desk=self._desk, error=str(error))
            self.connect()

    def replace_after_refusal(self) -> None:
        """Aborts the transaction, takes the last delivery reports, and makes a new producer. The old one cannot be used: after a
        message was refused, its sequence numbers are wrong, and it may wait ten seconds for an answer to them."""
        self.abort()
        self._producer.poll(0)
        self.connect()

    def fenced_after_timeout(self, error: KafkaError) -> bool:
        """Returns whether the broker fenced the producer after the time limit of the transaction, while the partitions
        are still ours.

        If the producer was fenced before this limit, another producer with our transactional id is the cause. If the
        group has given the partitions away, their new owner decides the batch. In both cases the process must end.
        """
        took = time.monotonic() - self._begun
        late = error.code() == KafkaError._FENCED and took >= self._settings.transaction_timeout_ms / 1000
        return bool(late and self._still_ours())
