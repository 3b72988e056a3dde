"""How far behind the topics are the rows of the read model? The answer is a time: all messages up to it are in the
rows.

The gate's answer is stale if the rows have not reached the high watermarks that the topics of the release and the gate
desk had `DTG_GATE_STALE_SECONDS` ago, or if the projector could not read these high watermarks since. High watermarks
are compared because an open transaction may contain a revocation. On the other topics only committed messages count,
because anybody may write requests and could keep a transaction open there.
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
"""`ASK_SECONDS`: seconds between two questions to the cluster for the ends of the topics; `LOOK_SECONDS`: seconds
between two questions for the ids of the topics, and the timeout of such a question."""
UNANSWERED_SECONDS = 10.0
"""If no answer has come for this many seconds, the broker is reported as unreachable. It is twice the timeout of one question."""

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
"""The topics that only the release and the gate desk write; the gate's answer is made from them."""
MOST_ENDS = 256
"""The most observations of ends that are kept because the positions have not reached them. If there are more, every second one is
dropped."""
At = tuple[datetime, float]
"""A time, and the reading of the stopwatch at that time."""


class Progress:
    """How far the projector has read. Only the projector's thread changes this object; all threads may read it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of: At | None = None
        self._gate_as_of: At | None = None
        self._beat = stopwatch()
        self._behind = 0
        self._trouble = "starting"
        self.projected = 0
        """How many messages were projected since the start."""

    def beat(self) -> None:
        """Notes that the projector's thread runs, even if it only waits for a database."""
        self._beat = stopwatch()

    def silent_seconds(self) -> float:
        """Returns the real seconds since the projector's thread last called `beat`."""
        return stopwatch() - self._beat

    def caught_up(self, at: At) -> None:
        """Notes that everything that was committed to the topics before this moment is in the rows."""
        with self._lock:
            self._as_of = at

    def gate_caught_up(self, at: At) -> None:
        """Notes that everything that was on the topics of the release and the gate desk at this moment is in the rows."""
        with self._lock:
            self._gate_as_of = at

    def forget(self) -> None:
        """Notes that the rows were replaced, so that they no longer count as complete."""
        with self._lock:
            self._as_of = self._gate_as_of = None

    def measured(self, behind: int) -> None:
        with self._lock:
            self._behind = behind

    def trouble(self, text: str) -> None:
        with self._lock:
            self._trouble = text

    def state(self) -> "ProjectorStanding":
        """Returns how complete the rows are now."""
        with self._lock:
            as_of, gate_as_of, behind, trouble = self._as_of, self._gate_as_of, self._behind, self._trouble
        return ProjectorStanding(*_age(as_of), behind, trouble, *_age(gate_as_of))


def _age(at: At | None) -> tuple[datetime | None, float | None]:
    return (None, None) if at is None else (at[0], max(0.0, stopwatch() - at[1]))


class ProjectorStanding:
    """How complete the rows are. `as_of`: all messages up to this time are in the rows; `lag_seconds`: real seconds since then. Both are
    None if the rows were never complete. `behind`: how many messages are not in the rows yet; `trouble`: why the projector does not go
    on, empty if it does. `gate_as_of` and `gate_lag_seconds`: as `as_of` and `lag_seconds`, but for `GATE_TOPICS` alone, up to their high
    watermarks."""

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
        """Returns whether the rows are known to have every message that was committed to the topics more than
        `within_seconds` ago."""
        return self.lag_seconds is not None and self.lag_seconds <= within_seconds

    def fresh(self, within_seconds: float) -> bool:
        """Returns whether the rows are known to have reached the high watermarks that `GATE_TOPICS` had
        `within_seconds` ago. If the projector has not read the high watermarks since then, this is false."""
        return self.gate_lag_seconds is not None and self.gate_lag_seconds <= within_seconds


def measure(standing: ProjectorStanding) -> None:
    """Sets the metrics of this process to the values of this standing."""
    BEHIND.set(standing.behind)
    AGE.set(-1 if standing.lag_seconds is None else standing.lag_seconds)
    GATE_AGE.set(-1 if standing.gate_lag_seconds is None else standing.gate_lag_seconds)


class Reached:
    """Keeps observations of the ends of topics, oldest first, until the positions have reached these ends."""

    def __init__(self) -> None:
        self._observed: list[tuple[Mapping[tuple[str, int], int], At]] = []

    def observed(self, ends: Mapping[tuple[str, int], int], at: At) -> None:
        """Adds an observation: these were the ends at this moment. An end never becomes lower."""
        if len(self._observed) >= MOST_ENDS:
            self._observed = self._observed[::2]
        self._observed.append((ends, at))

    def upto(self, positions: Mapping[tuple[str, int], int]) -> At | None:
        """Removes the observations whose ends these positions have reached, and returns when the latest of them was made; None if there
        are none."""
        at: At | None = None
        while self._observed and all(
            positions.get(topic_partition, 0) >= end for topic_partition, end in self._observed[0][0].items()
        ):
            _, at = self._observed.pop(0)
        return at


class Ends:
    """Asks the cluster for the ends of the topics, without blocking, and reports when the positions have reached them."""

    def __init__(self, kafka: Access | str, partitions: Sequence[tuple[str, int]]) -> None:
        self.ids: dict[str, str] = {}
        """Topic → its id in the cluster's last answer; topics that the cluster did not have are missing."""
        self._access = access_to(kafka)
        self._connect()
        self._topics = sorted({topic for topic, _ in partitions})
        self._wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
        self._asked_at: At | None = None
        self._futures: dict[tuple[str, int, bool], Future[Any]] = {}
        """The answers of the cluster that are still awaited, by topic, partition, and whether the high watermark was asked for."""
        self._ends: dict[tuple[str, int], int] = {}
        self._committed, self._written = Reached(), Reached()
        self._answered = stopwatch()
        self._described_at = -LOOK_SECONDS

    def _connect(self) -> None:
        self._admin = admin(self._access, {"log_level": 0})
        self._described: layout.Answers = {}

    def first_ids(self) -> dict[str, str]:
        """Waits for the ids of the topics and returns them by topic. Raises KafkaException if the cluster does not answer."""
        self.ids = layout.ids(layout.found(layout.ask(self._admin, self._topics, LOOK_SECONDS)))
        self._described_at = stopwatch()
        return self.ids

    def look(self, positions: Mapping[tuple[str, int], int], progress: Progress) -> None:
        """Takes the answers of the cluster that have come, and notes in `progress` how far the positions are behind the
        ends of the topics. Then asks the cluster again if it is time. Call this method often."""
        self._take()
        # Only answers of the broker show that the broker can be reached. A consumer shows no difference between an unreachable broker and a
        # topic without new messages.
        away = stopwatch() - self._answered > UNANSWERED_SECONDS
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
        gate = [partition for partition in self._wanted if partition.topic in GATE_TOPICS]
        for high, wanted in ((False, self._wanted), (True, gate)):
            level = IsolationLevel.READ_UNCOMMITTED if high else IsolationLevel.READ_COMMITTED
            futures = self._admin.list_offsets(dict.fromkeys(wanted, LATEST), isolation_level=level, request_timeout=5)
            self._futures |= {
                (partition.topic, partition.partition, high): answer for partition, answer in futures.items()
            }

    def _take(self) -> None:
        if self._described and all(answer.done() for answer in self._described.values()):
            described, self._described = self._described, {}
            # An error is ignored here: `_ask` asks for the ids of the topics again, and `_answered` still shows whether the
            # broker answers.
            with suppress(KafkaException):
                self.ids = layout.ids(layout.found(described))
        if not self._futures or not all(future.done() for future in self._futures.values()):
            return
        futures, self._futures = self._futures, dict[tuple[str, int, bool], Future[Any]]()
        try:
            found = {name: future.result().offset for name, future in futures.items()}
        except KafkaException:
            # The standing stays unchanged, so readers see that its age grows. A new client asks the next question, because a client that
            # was connected before a broker restarted gets FENCED_LEADER_EPOCH for minutes.
            self._connect()
            return
        self._ends = {(topic, partition): end for (topic, partition, high), end in found.items() if not high}
        self._answered = stopwatch()
        if self._asked_at is not None:
            self._committed.observed(self._ends, self._asked_at)
            self._written.observed({(t, p): end for (t, p, high), end in found.items() if high}, self._asked_at)
