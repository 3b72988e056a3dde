"""How is a batch written of which one message cannot be written? Piece by piece, each in a transaction of its own.

`services/shell/halving.py` says which pieces are tried, and when a message is at fault; this file writes them, and asks the broker
whether a topic takes anything at all.
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
    Fault,
    Halving,
    Item,
    ItemId,
    Reports,
    may_be_of_message,
)
from services.shell.parking import Trouble
from services.shell.transactions import Transactions

Write = Callable[[Sequence[Item], Mapping[ItemId, Trouble]], None]
"""Decides these items and commits what comes of it, the refused ones parked; KafkaException where that fails."""

log = structlog.get_logger()


class Pieces:
    """Writes batches of one desk by halves. `stopped`: whether the loop shall end."""

    def __init__(self, desk: str, transactions: Transactions, write: Write, stopped: Callable[[], bool]) -> None:
        self._desk, self._transactions, self._write, self._stopped = desk, transactions, write, stopped

    def commit(self, items: Sequence[Item]) -> None:
        """Commits the batch piece by piece, each bad message parked; raises what is no message's fault."""
        until = time.monotonic() + SECONDS
        fault = Halving(self._try, self._accepts, lambda: self._stopped() or time.monotonic() > until).run(items)
        if fault is not None:
            raise KafkaException(fault.error)

    def _try(self, items: Sequence[Item], refused: Mapping[ItemId, Trouble]) -> Fault | None:
        """Commits these items; or says which fault of a message was in the way, and then nothing of them is written."""
        for attempt in range(TRIES):
            self._transactions.reports = reports = Reports()
            try:
                self._write(items, refused)
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
        """Whether the topic takes another message now where it refused this one; that message is never committed."""
        if fault.topic is None:
            return True
        for _ in range(TRIES):
            self._transactions.reports = reports = Reports()
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

    def _aborted(self, reports: Reports, problem: KafkaException) -> Fault:
        """Aborts, and returns the fault of a message that ended this transaction; raises the problem if it was something else."""
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
