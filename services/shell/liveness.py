"""Does a loop make progress, and how large is its lag? The worker's pages and metrics show these values.

The thread of the loop writes them, and another thread reads them for the pages. So each attribute is replaced
as a whole.
"""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from services.shell import metrics
from services.shell.restore import Restoring
from services.shell.store import PartitionStore

SECONDS = 1.0
"""How many seconds lie between two measurements of the lag."""


class Liveness:
    """The progress and the lag of one desk's loop."""

    def __init__(self, desk: str) -> None:
        self.restoring: Restoring | None = None
        """The progress of the restore; None if there is none now."""
        self.member_id = ""
        """The worker's member id in the group, as it was last read from the client. The supervisor removes
        older members of this worker from the group."""
        self.lag = 0
        """How many messages the loop has not read yet, from `Offsets.read` to the ends of this worker's partitions."""
        self.parked = 0
        """How many messages are parked now."""
        self.progress = time.monotonic()
        """Monotonic time at which the loop last made progress, or had nothing to do."""
        self._desk = desk
        self._measured = 0.0

    def progressed(self) -> None:
        """Notes that the loop has made progress."""
        self.progress = time.monotonic()

    def idle(self) -> None:
        """Notes progress if the lag is 0. The loop calls this if it read nothing and no time limit has
        passed."""
        if self.lag == 0:
            self.progressed()

    def stalled(self) -> float:
        """Returns the seconds since the last progress. A loop that has nothing to do notes progress, too (`idle`)."""
        # a restore whose calls return also makes progress
        restoring = self.restoring
        return time.monotonic() - max(self.progress, restoring.turned if restoring else 0.0)

    def assignment_lost(self) -> None:
        """Clears the member id, because the group may remove this member from now on. `measure` sets the next
        member id."""
        self.member_id = ""

    def measure(
        self, consumer: Consumer, stores: Mapping[int, PartitionStore], read: Mapping[tuple[str, int], int]
    ) -> None:
        """Measures the lag and counts the records, at most once a second. Call this often, and only in the
        thread of the loop."""
        moment = time.monotonic()
        if not stores or moment - self._measured >= SECONDS:
            # Only the loop's thread may call `memberid`. In another thread, the call sometimes never returned.
            self.member_id = consumer.memberid() or ""
        if moment - self._measured < SECONDS:
            return
        self._measured = moment
        lag = 0
        for (topic, partition), offset in read.items():
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            lag += max(0, high - max(offset, low, 0))
        self.lag = lag
        metrics.LAG.labels(self._desk).set(lag)
        metrics.LIVE.labels(self._desk).set(sum(len(store.records) for store in stores.values()))
        metrics.PARKED_NOW.labels(self._desk).set(self.parked)
