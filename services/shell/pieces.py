"""How is a batch written if one of its messages cannot be written? It is written in pieces, each in a transaction of its own.

`services/shell/halving.py` chooses the pieces and finds the message that is the cause. This file writes the pieces, and tests
whether a topic accepts any message at all.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from confluent_kafka import KafkaException

from services.shell import metrics
from services.shell.halving import (
    PROBE,
    PROBE_SECONDS,
    SECONDS,
    TRIES,
    DeliveryReports,
    Fault,
    Halving,
    Item,
    ItemId,
    may_be_of_message,
)
from services.shell.parking import Trouble
from services.shell.transactions import Transactions

Write = Callable[[Sequence[Item], Mapping[ItemId, Trouble]], None]
"""A function that decides the items, parks those that are in the mapping (the unwritable ones), and commits the outcome. It raises KafkaException if that
fails."""

log = structlog.get_logger()


class Pieces:
    """Writes batches of one desk in pieces. `stopped`: returns whether the loop must end."""

    def __init__(self, desk: str, transactions: Transactions, write: Write, stopped: Callable[[], bool]) -> None:
        self._desk, self._transactions, self._write, self._stopped = desk, transactions, write, stopped

    def commit(self, items: Sequence[Item]) -> None:
        """Commits the batch in pieces and parks each bad message. Raises KafkaException if no message is the cause of
        the error, or if the time is over before the message is found."""
        until = time.monotonic() + SECONDS
        fault = Halving(self._try, self._accepts, lambda: self._stopped() or time.monotonic() > until).run(items)
        if fault is not None:
            raise KafkaException(fault.error)

    def _try(self, items: Sequence[Item], unwritable: Mapping[ItemId, Trouble]) -> Fault | None:
        """Commits these items and returns None, or returns the fault of a message. In the latter case, none of the items is
        committed."""
        for attempt in range(TRIES):
            self._transactions.reports = reports = DeliveryReports()
            try:
                self._write(items, unwritable)
            except KafkaException as problem:
                fault = self._aborted(reports, problem)
                if not fault.skipped or attempt == TRIES - 1:
                    return fault
            else:
                return None
            finally:
                self._transactions.reports = None
        raise AssertionError("every try returns or raises")

    def _accepts(self, fault: Fault) -> bool:
        """Sends a probe message to the topic that refused a message, and returns whether the topic accepts the probe
        message. The probe message is never committed. If the fault names no topic, sends nothing and returns True."""
        if fault.topic is None:
            return True
        for _ in range(TRIES):
            self._transactions.reports = reports = DeliveryReports()
            try:
                self._transactions.begin()
                self._transactions.produce(topic=fault.topic, partition=fault.partition, key=fault.key, value=PROBE)
                self._transactions.flush(PROBE_SECONDS)
            except KafkaException as problem:
                self._aborted(reports, problem)
            else:
                self._transactions.abort()
            finally:
                self._transactions.reports = None
            if reports.delivered:
                return True
        return False

    def _aborted(self, reports: DeliveryReports, problem: KafkaException) -> Fault:
        """Aborts the transaction and returns the fault of the message that made it fail. Raises `problem` if the failure had
        another cause."""
        if not may_be_of_message(problem.args[0], following=True):
            raise problem
        self._transactions.replace_after_refusal()
        metrics.ABORTED.labels(self._desk).inc()
        fault = reports.fault(problem)
        if fault is None:
            raise problem
        metrics.HALVED.labels(self._desk).inc()
        log.warning("piece not written", desk=self._desk, topic=fault.topic, error=fault.error.str())
        return fault
