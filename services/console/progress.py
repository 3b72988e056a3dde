"""How far behind is the read model? Up to which moment everything said on the topics is in the rows."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from prometheus_client import Gauge

from services.shell import layout
from services.shell.access import Access, access_to
from services.shell.clients import RECONNECTING
from services.shell.clock import now, stopwatch

ASK_SECONDS, LOOK_SECONDS = 0.5, 5.0
"""How often the cluster is asked for the ends of the topics, and which topics they are."""
UNANSWERED_SECONDS = 10.0
"""After so long without an answer it is told that the broker is away: twice as long as one question waits."""

BEHIND = Gauge("customs_console_lag_messages", "Messages on the topics that are not in the rows yet")
AGE = Gauge("customs_console_lag_seconds", "Seconds since the rows were known to be complete")
LATEST = OffsetSpec.latest()


class Progress:
    """Written by the projector's thread, read by everybody. `trouble`: why it stands still, empty when it does not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of: datetime | None = None
        self._complete_at = 0.0
        self._beat = stopwatch()
        self._behind = 0
        self._trouble = "starting"
        self.projected = 0
        """Messages that reached the rows since the start."""

    def beat(self) -> None:
        """The projector's thread is turning, be it only to wait for a database."""
        self._beat = stopwatch()

    def silent_seconds(self) -> float:
        """Real seconds since the thread last turned."""
        return stopwatch() - self._beat

    def caught_up(self, as_of: datetime, watch: float) -> None:
        """Everything that was committed to the topics before `as_of` is in the rows; `watch`: the stopwatch then."""
        with self._lock:
            self._as_of, self._complete_at = as_of, watch

    def forget(self) -> None:
        """The rows are others than those that were complete."""
        with self._lock:
            self._as_of = None

    def measured(self, behind: int) -> None:
        with self._lock:
            self._behind = behind

    def trouble(self, text: str) -> None:
        with self._lock:
            self._trouble = text

    def state(self) -> "Standing":
        """What to tell people and terminals now."""
        with self._lock:
            as_of, behind, trouble, complete_at = self._as_of, self._behind, self._trouble, self._complete_at
        seconds = None if as_of is None else max(0.0, stopwatch() - complete_at)
        return Standing(as_of, seconds, behind, trouble)


class Standing:
    """`lag_seconds`: real seconds since the rows were known to be complete, None when they never were."""

    def __init__(self, as_of: datetime | None, lag_seconds: float | None, behind: int, trouble: str) -> None:
        self.as_of = as_of
        self.lag_seconds = lag_seconds
        self.behind = behind
        self.trouble = trouble

    def fresh(self, within_seconds: float) -> bool:
        """Whether the rows are at most this much behind the topics."""
        return self.lag_seconds is not None and self.lag_seconds <= within_seconds


def measure(standing: Standing) -> None:
    """Into the metrics of this process."""
    BEHIND.set(standing.behind)
    AGE.set(-1 if standing.lag_seconds is None else standing.lag_seconds)


class Ends:
    """Asks the cluster for the ends of the topics, without waiting, and says when the positions have reached them."""

    def __init__(self, kafka: Access | str, partitions: Sequence[tuple[str, int]]) -> None:
        self.ids: dict[str, str] = {}
        """Topic → its id, when the cluster was last asked; those that it did not have are not in it."""
        self._access = access_to(kafka)
        self._connect()
        self._topics = sorted({topic for topic, _ in partitions})
        self._wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
        self._asked_at: tuple[datetime, float] | None = None
        self._futures: Mapping[TopicPartition, Future[Any]] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self._ends_at: tuple[datetime, float] | None = None
        self._answered = stopwatch()
        self._described_at = -LOOK_SECONDS

    def _connect(self) -> None:
        self._admin = AdminClient({**self._access.confluent(), **RECONNECTING, "log_level": 0})
        self._described: layout.Asked = {}

    def first_ids(self) -> dict[str, str]:
        """Waits for the ids; KafkaException where the cluster does not tell them."""
        self.ids = layout.ids(layout.found(layout.ask(self._admin, self._topics, LOOK_SECONDS)))
        self._described_at = stopwatch()
        return self.ids

    def look(self, positions: Mapping[tuple[str, int], int], progress: Progress) -> None:
        """Call often: takes the answers that are there, compares, and asks again when it is time."""
        self._take()
        away = (
            stopwatch() - self._answered > UNANSWERED_SECONDS
        )  # to the consumer that is the same as a topic without news
        progress.trouble("kafka: the cluster does not answer" if away else "")
        if self._ends_at is not None:
            behind = sum([max(0, end - positions.get(name, 0)) for name, end in self._ends.items()])
            progress.measured(behind)
            if behind == 0:
                progress.caught_up(*self._ends_at)
        self._ask()

    def _ask(self) -> None:
        watch = stopwatch()
        if not self._described and watch - self._described_at >= LOOK_SECONDS:
            self._described_at = watch
            self._described = layout.ask(self._admin, self._topics, LOOK_SECONDS)
        if self._futures or (self._asked_at is not None and watch - self._asked_at[1] < ASK_SECONDS):
            return
        self._asked_at = (now(), watch)
        self._futures = self._admin.list_offsets(
            dict.fromkeys(self._wanted, LATEST),
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=5,
        )

    def _take(self) -> None:
        if self._described and all(answer.done() for answer in self._described.values()):
            described, self._described = self._described, {}
            with suppress(KafkaException):  # asked again; that nobody answers is seen by the ends
                self.ids = layout.ids(layout.found(described))
        if not self._futures or not all(future.done() for future in self._futures.values()):
            return
        futures, self._futures = self._futures, {}
        try:
            ends = {(p.topic, p.partition): future.result().offset for p, future in futures.items()}
        except KafkaException:
            # `as_of` stays where it was, and that is what readers see. The next question is asked by a fresh client: for minutes
            # after a broker was started again, one that knew it before is answered FENCED_LEADER_EPOCH.
            self._connect()
            return
        self._ends, self._ends_at, self._answered = ends, self._asked_at, stopwatch()
