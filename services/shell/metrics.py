"""Which metrics does the loop count?"""

from prometheus_client import Counter, Gauge, Histogram

OTHER = "other"
"""The label value for everything that has no series of its own."""


class Labels:
    """Limits the series of a metric whose label values come from outside. Each combination of values makes series that stay until the
    process ends. So only the first `most` combinations get their own series, and every later one is counted as `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._met: set[tuple[str, ...]] = set()

    def of(self, *values: str) -> tuple[str, ...]:
        """Returns these values. If they are a new combination and there are `most` combinations already, returns
        `other` in place of each value."""
        if values not in self._met:
            if len(self._met) >= self._most:
                return (OTHER,) * len(values)
            self._met.add(values)
        return values


COMMITTED = Counter("customs_loop_committed", "Messages heard in committed transactions", ["desk"])
FACTS = Counter("customs_loop_said", "Facts published in committed transactions", ["desk", "kind"])
DUPLICATES = Counter("customs_loop_duplicates", "Requests heard again and not decided again", ["desk"])
PARKED = Counter("customs_parked", "Messages set aside, by reason", ["desk", "reason"])
PARKED_NOW = Gauge("customs_parked_messages", "Messages that wait in parking now", ["desk"])
ABORTED = Counter("customs_loop_aborted", "Transactions aborted and tried again", ["desk"])
HALVED = Counter("customs_loop_halved", "Pieces that could not be written, of batches tried by halves", ["desk"])
LAG = Gauge("customs_loop_lag", "Messages between the loop's position and the end of its topics", ["desk"])
LIVE = Gauge("customs_loop_records", "Records in the state store", ["desk"])
RESTORE = Gauge("customs_loop_restore_seconds", "Seconds the last restore took", ["desk"])
TURN = Histogram(
    "customs_loop_turn_seconds",
    "One transaction from first message to commit",
    ["desk"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
