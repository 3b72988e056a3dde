"""What does a desk do while the broker cannot be reached, or refuses the desk's sign-in? It repeats the calls of its
loop to the cluster.

A call that must return soon is made within `returning_within`. If the call does not return in time, the worker ends the
process (`services/shell/worker.py`), because librdkafka can wait for its coordinator for ever.
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
"""How often a call is tried before the process ends. The next process starts over."""
OFFSETS_SECONDS = 5.0
"""How many seconds one call about committed offsets may take.

After a broker was lost and came back, librdkafka can wait for its group coordinator for ever, whatever timeout the call
has (confluentinc/librdkafka#5456). Without this limit, desks stopped working after a broker was killed.
"""
COMMIT_SECONDS = 12.0
"""A commit without a transaction may take the session timeout of the group plus this many seconds. If it takes longer, the process ends."""
AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})
"""Errors of a producer after which the producer is replaced before its next transaction. Otherwise the producer would
wait for its coordinator in each transaction."""

T = TypeVar("T")
log = structlog.get_logger()


class BrokerCalls:
    """The calls of one desk to the cluster, with retries. `stop` ends the waiting between two attempts."""

    def __init__(self, desk: str, access: Access, stop: threading.Event) -> None:
        self.answer_by = math.inf
        """Monotonic time by which the current call must have returned."""
        self.ends_without_broker = False
        """Whether the process must end as soon as no broker accepts a connection during the current call."""
        self.broker_was_away = False
        """Whether the producer lost its brokers since it was made."""
        self.serve_errors: Callable[[], object] = lambda: None
        """Calls the producer's callbacks, so that its errors since the last call are noted."""
        self.on_retry: Callable[[], object] = lambda: None
        """Is called each time that a call has failed and will be repeated. The loop notes progress by it, because a
        loop that waits for the next attempt does not hang."""
        self._desk, self._access, self._stop = desk, access, stop
        self._refusals = Refusals()

    @contextmanager
    def returning_within(self, seconds: float, *, ends_without_broker: bool = False) -> Iterator[None]:
        """Returns a context within which calls must return. The worker ends the process if the block takes longer than `seconds`, or, with
        `ends_without_broker`, as soon as no broker accepts a connection."""
        self.ends_without_broker, self.answer_by = ends_without_broker, time.monotonic() + seconds
        try:
            yield
        finally:
            self.ends_without_broker, self.answer_by = False, math.inf

    def commit(self, consumer: Consumer, offsets: list[TopicPartition], session: float) -> None:
        """Commits these offsets without a transaction. Raises KafkaException if the commit of any of them fails.

        `session`: the session timeout of the group in seconds. The client looks for a coordinator for at most that
        time, but it would wait for the coordinator's answer for ever. Therefore the time of the whole call is limited.
        """
        with self.returning_within(session + COMMIT_SECONDS):
            answers = consumer.commit(offsets=offsets, asynchronous=False)
        for each in answers:
            if each.error:
                raise KafkaException(each.error)

    def on_producer_error(self, error: KafkaError) -> None:
        """Notes whether an error says that the brokers could not be reached, or that the sign-in failed. This method is the producer's
        `error_cb`."""
        self.broker_was_away = self.broker_was_away or error.code() in AWAY
        self._refusals(error)

    def on_consumer_error(self, error: KafkaError) -> None:
        """Handles an error that the consumer returned in place of a message. A failed sign-in is noted. Nothing else is done, because the
        client recovers by itself."""
        self._refusals(error)

    def check_access(self) -> None:
        """Raises NoAccess if the cluster no longer accepts the credential of this desk."""
        if self._refusals.for_good:
            raise self._access.not_let_in(self._refusals.last.str() if self._refusals.last else "")

    def wait(self, seconds: float) -> None:
        """Waits for this many seconds, or until the loop is stopped."""
        self._stop.wait(seconds)

    def retrying(self, call: Callable[[], T], name: str, attempts: int = ATTEMPTS) -> T:
        """Repeats the call until it succeeds, and returns its result. Raises KafkaException if another attempt cannot help, NoAccess if the
        cluster no longer accepts the credential, and RuntimeError after `attempts` attempts. `name`: the call's name for the log."""
        for attempt in range(attempts):
            try:
                return call()
            except KafkaException as problem:
                error = problem.args[0]
                self.serve_errors()
                self.check_access()
                if error.fatal() or not (error.retriable() or error.code() == KafkaError._TIMED_OUT):
                    raise
                log.warning("retrying", what=name, desk=self._desk, error=str(error))
                self.on_retry()
                self.wait(min(0.2 * 2**attempt, 5))
        raise RuntimeError(f"{self._desk}: {name} failed {attempts} times")
