"""How far behind is the read model? Up to which moment everything said on the topics is in the rows.

The gate's answer is stale when a high watermark of the topics of the release and the gate desk that was seen too long ago is not
reached. High watermarks: what an open transaction hides may be a revocation. Of the other topics only what is committed counts,
for anybody may write requests, and keep a transaction open on them.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec
from prometheus_client import Gauge

from schemas.topics import FACTS_AND_REQUESTS, PARKED
from services.shell import layout
from services.shell.access import Access, access_to
from services.shell.clients import admin
from services.shell.clock import now, stopwatch

ASK_SECONDS, LOOK_SECONDS = 0.5, 5.0
"""How often the cluster is asked for the ends of the topics, and which topics they are."""
UNANSWERED_SECONDS = 10.0
"""After so long without an answer it is told that the broker is away: twice as long as one question waits."""

BEHIND = Gauge("customs_console_lag_messages", "Messages on the topics that are not in the rows yet")
AGE = Gauge("customs_console_lag_seconds", "Seconds since the rows were known to be complete")
GATE_AGE = Gauge(
    "customs_console_gate_lag_seconds",
    "Seconds since the rows were known to have all that lay on the topics of the release and the gate desk",
)
LATEST = OffsetSpec.latest()
GATE_TOPICS: tuple[str, ...] = tuple(
    t.name for t in (*FACTS_AND_REQUESTS, *PARKED) if t.role != "requests" and t.writer in ("release", "gate")
)
"""What the release and the gate desk alone write, and a terminal's answer is made of."""
MOST_ENDS = 256
"""Ends that were seen and are not reached; of more, every second one is dropped."""
At = tuple[datetime, float]
"""A moment, and the stopwatch then."""


class Progress:
    """Written by the projector's thread, read by everybody. `trouble`: why it stands still, empty when it does not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of: At | None = None
        self._gate_as_of: At | None = None
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

    def caught_up(self, at: At) -> None:
        """Everything that was committed to the topics before this moment is in the rows."""
        with self._lock:
            self._as_of = at

    def gate_caught_up(self, at: At) -> None:
        """Everything that lay on the topics of the release and the gate desk at this moment is in the rows."""
        with self._lock:
            self._gate_as_of = at

    def forget(self) -> None:
        """The rows are others than those that were complete."""
        with self._lock:
            self._as_of = self._gate_as_of = None

    def measured(self, behind: int) -> None:
        with self._lock:
            self._behind = behind

    def trouble(self, text: str) -> None:
        with self._lock:
            self._trouble = text

    def state(self) -> "Standing":
        """What to tell people and terminals now."""
        with self._lock:
            as_of, gate_as_of, behind, trouble = self._as_of, self._gate_as_of, self._behind, self._trouble
        return Standing(*_age(as_of), behind, trouble, *_age(gate_as_of))


def _age(at: At | None) -> tuple[datetime | None, float | None]:
    return (None, None) if at is None else (at[0], max(0.0, stopwatch() - at[1]))


class Standing:
    """`lag_seconds`: real seconds since the rows were known to be complete, None when they never were; `gate_as_of` and
    `gate_lag_seconds` of what a terminal's answer is made of."""

    def __init__(
        self,
        as_of: datetime | None,
        lag_seconds: float | None,
        behind: int,
        trouble: str,
        gate_as_of: datetime | None = None,
        gate_lag_seconds: float | None = None,
    ) -> None:
        self.as_of = as_of
        self.lag_seconds = lag_seconds
        self.behind = behind
        self.trouble = trouble
        self.gate_as_of = gate_as_of
        self.gate_lag_seconds = gate_lag_seconds

    def complete(self, within_seconds: float) -> bool:
        """Whether the rows are at most this much behind what is committed to the topics."""
        return self.lag_seconds is not None and self.lag_seconds <= within_seconds

    def fresh(self, within_seconds: float) -> bool:
        """Whether every high watermark of the topics of the release and the gate desk that was seen longer ago is reached."""
        return self.gate_lag_seconds is not None and self.gate_lag_seconds <= within_seconds


def measure(standing: Standing) -> None:
    """Into the metrics of this process."""
    BEHIND.set(standing.behind)
    AGE.set(-1 if standing.lag_seconds is None else standing.lag_seconds)
    GATE_AGE.set(-1 if standing.gate_lag_seconds is None else standing.gate_lag_seconds)


class Reached:
    """Ends of topics as they were seen one after another, and which of them the positions have reached."""

    def __init__(self) -> None:
        self._seen: list[tuple[Mapping[tuple[str, int], int], At]] = []

    def seen(self, ends: Mapping[tuple[str, int], int], at: At) -> None:
        """These were the ends at this moment, and no lower ones at any later moment."""
        if len(self._seen) >= MOST_ENDS:
            self._seen = self._seen[::2]
        self._seen.append((ends, at))

    def upto(self, positions: Mapping[tuple[str, int], int]) -> At | None:
        """When the latest ends were seen that are reached now, if they were not reached before."""
        at: At | None = None
        while self._seen and all(positions.get(place, 0) >= end for place, end in self._seen[0][0].items()):
            _, at = self._seen.pop(0)
        return at


class Ends:
    """Asks the cluster for the ends of the topics, without waiting, and says when the positions have reached them."""

    def __init__(self, kafka: Access | str, partitions: Sequence[tuple[str, int]]) -> None:
        self.ids: dict[str, str] = {}
        """Topic → its id, when the cluster was last asked; those that it did not have are not in it."""
        self._access = access_to(kafka)
        self._connect()
        self._topics = sorted({topic for topic, _ in partitions})
        self._wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
        self._asked_at: At | None = None
        self._futures: dict[tuple[str, int, bool], Future[Any]] = {}
        """By topic, partition, and whether the high watermark is asked for."""
        self._ends: dict[tuple[str, int], int] = {}
        self._committed, self._written = Reached(), Reached()
        self._answered = stopwatch()
        self._described_at = -LOOK_SECONDS

    def _connect(self) -> None:
        self._admin = admin(self._access, {"log_level": 0})
        self._described: layout.Answers = {}

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
        progress.measured(sum([max(0, end - positions.get(name, 0)) for name, end in self._ends.items()]))
        if at := self._committed.upto(positions):
            progress.caught_up(at)
        if at := self._written.upto(positions):
            progress.gate_caught_up(at)
        self._ask()

    def _ask(self) -> None:
        watch = stopwatch()
        if not self._described and watch - self._described_at >= LOOK_SECONDS:
            self._described_at = watch
            self._described = layout.ask(self._admin, self._topics, LOOK_SECONDS)
        if self._futures or (self._asked_at is not None and watch - self._asked_at[1] < ASK_SECONDS):
            return
        self._asked_at = (now(), watch)
        gate = [place for place in self._wanted if place.topic in GATE_TOPICS]
        for high, wanted in ((False, self._wanted), (True, gate)):
            level = IsolationLevel.READ_UNCOMMITTED if high else IsolationLevel.READ_COMMITTED
            asked = self._admin.list_offsets(dict.fromkeys(wanted, LATEST), isolation_level=level, request_timeout=5)
            self._futures |= {(place.topic, place.partition, high): answer for place, answer in asked.items()}

    def _take(self) -> None:
        if self._described and all(answer.done() for answer in self._described.values()):
            described, self._described = self._described, {}
            with suppress(KafkaException):  # asked again; that nobody answers is seen by the ends
                self.ids = layout.ids(layout.found(described))
        if not self._futures or not all(future.done() for future in self._futures.values()):
            return
        futures, self._futures = self._futures, dict[tuple[str, int, bool], Future[Any]]()
        try:
            found = {place: future.result().offset for place, future in futures.items()}
        except KafkaException:
            # `as_of` stays where it was, and that is what readers see. The next question is asked by a fresh client: for minutes
            # after a broker was started again, one that knew it before is answered FENCED_LEADER_EPOCH.
            self._connect()
            return
        self._ends = {(topic, partition): end for (topic, partition, high), end in found.items() if not high}
        self._answered = stopwatch()
        if self._asked_at is not None:
            self._committed.seen(self._ends, self._asked_at)
            self._written.seen({(t, p): end for (t, p, high), end in found.items() if high}, self._asked_at)
