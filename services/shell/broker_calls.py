"""What does a desk do while the broker is away, or refuses its sign-in? The calls of one loop to the cluster, with retries.

A call that must return soon is made within `returning_within`; the worker ends the process if it does not (`services/shell/worker.py`), since
librdkafka can wait for its coordinator for ever.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from services.shell.access import Access, Refusals

ATTEMPTS = 8
"""Attempts before the process gives up and a fresh one starts over."""
OFFSETS_SECONDS = 5.0
"""How long one call about committed offsets may take.

librdkafka can wait for its group coordinator for ever, whatever timeout it is given, after a broker came back
(confluentinc/librdkafka#5456); a killed broker brought desks to that standstill.
"""
COMMIT_SECONDS = 12.0
"""How much longer than a session a commit without a transaction may take before the process ends."""
AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})
"""After one of these errors the producer is replaced before its next transaction, because the old one would wait for its coordinator every
time."""

T = TypeVar("T")
log = structlog.get_logger()


class BrokerCalls:
    """The retried calls of one desk. `stop` ends the waiting between two attempts."""

    def __init__(self, desk: str, access: Access, stop: threading.Event) -> None:
        self.answer_by = math.inf
        """Monotonic time by which the current call must have returned."""
        self.ends_without_broker = False
        """Whether the process must end as soon as no broker accepts a connection while that call waits."""
        self.broker_was_away = False
        """Whether the producer lost its brokers since it was made."""
        self.serve_errors: Callable[[], object] = lambda: None
        """Serves the producer's callbacks, so that it reports the errors that it met meanwhile."""
        self._desk, self._access, self._stop = desk, access, stop
        self._refusals = Refusals()

    @contextmanager
    def returning_within(self, seconds: float, *, ends_without_broker: bool = False) -> Iterator[None]:
        """The worker ends the process if the block takes longer than `seconds`."""
        self.ends_without_broker, self.answer_by = ends_without_broker, time.monotonic() + seconds
        try:
            yield
        finally:
            self.ends_without_broker, self.answer_by = False, math.inf

    def commit(self, consumer: Consumer, offsets: list[TopicPartition], session: float) -> None:
        """Commits these offsets without a transaction; KafkaException if one of them was not committed. `session`: seconds of the group's
        session, for which the client waits until it finds a coordinator. For the answer of a coordinator it would wait for ever, so the time
        of the call is limited."""
        with self.returning_within(session + COMMIT_SECONDS):
            consumer.commit(offsets=offsets, asynchronous=False)

    def on_producer_error(self, error: KafkaError) -> None:
        """The producer's `error_cb`: notes that the brokers were away, or that the sign-in failed."""
        self.broker_was_away = self.broker_was_away or error.code() in AWAY
        self._refusals(error)

    def on_consumer_error(self, error: KafkaError) -> None:
        """Takes an error that the consumer returned in place of a message and that passes by itself."""
        self._refusals(error)

    def check_let_in(self) -> None:
        """Raises NoAccess if the cluster does not accept this desk's credential any more."""
        if self._refusals.for_good:
            raise self._access.not_let_in(self._refusals.last.str() if self._refusals.last else "")

    def wait(self, seconds: float) -> None:
        """Waits so many seconds, or until the loop is stopped."""
        self._stop.wait(seconds)

    def retrying(self, call: Callable[[], T], name: str, attempts: int = ATTEMPTS) -> T:
        """Repeats the call until it succeeds, and returns its result. KafkaException if trying again does not help, RuntimeError after so many
        attempts. `name`: the call's name for the log."""
        for attempt in range(attempts):
            try:
                return call()
            except KafkaException as problem:
                error = problem.args[0]
                self.serve_errors()
                self.check_let_in()
                if error.fatal() or not (error.retriable() or error.code() == KafkaError._TIMED_OUT):
                    raise
                log.warning("retrying", what=name, desk=self._desk, error=str(error))
                self.wait(min(0.2 * 2**attempt, 5))
        raise RuntimeError(f"{self._desk}: {name} failed {attempts} times")
