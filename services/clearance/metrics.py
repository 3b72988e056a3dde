"""Which metrics of clearance times do Prometheus and the operations team get?"""

import threading
from collections import Counter as Counts
from collections.abc import Iterable
from datetime import datetime
from functools import cache

import msgspec
from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.clearance.timeline import ClearanceTimeline, gate_seconds, late_seconds, span_seconds
from services.shell.clock import now
from services.shell.metrics import Labels
from services.shell.positions import UNREADABLE

HOUR = 3600.0
BUCKETS = (1, 10, 60, 300, 900, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR, 96 * HOUR, 336 * HOUR)
AGES = (("1h", HOUR), ("4h", 4 * HOUR), ("24h", 24 * HOUR), ("72h", 72 * HOUR), ("older", float("inf")))
"""The age classes of open consignments: the name and the upper bound in seconds of each."""

SECONDS = Histogram(
    "customs_clearance_seconds",
    "Seconds of each span (schemas/spans.py) of released consignments, by direction (I, E); counted once, at the first release",
    ["span", "stage", "direction", "lane", "office", "mode"],
    buckets=BUCKETS,
)
"""The label `stage` is the older name of the label `span` and has the same values. They are not the values of
`Stage`."""
LATE = Histogram(
    "customs_report_late_seconds",
    "Seconds from an arrival or departure in the world until it was recorded; of each consignment the last one",
    ["event"],
    buckets=BUCKETS,
)
ENDED = Counter("customs_consignments_ended", "Consignments that reached an end", ["end"])
CORRECTIONS = Counter(
    "customs_corrections",
    "Answers of desks that were taken back or replaced because they were wrong; what they had counted stays",
)
_seconds, _ended, _late = cache(SECONDS.labels), cache(ENDED.labels), cache(LATE.labels)
"""The functions that return a series by its labels. Their results are cached, because finding a series takes longer than
everything else that is done here for a consignment."""
MOST_PLACE_LABELS = 200
"""How many pairs of a customs office and a mode of transport get their own series."""


class Start(msgspec.Struct, array_like=True):
    """The first fields of `ClearanceTimeline` in its JSON. They say since when a consignment has been open, or that it is
    no longer open."""

    accepted: datetime | None = None
    assessed: datetime | None = None
    arrived: datetime | None = None
    end: str | None = None


_start = msgspec.json.Decoder(Start)


class OpenConsignments(Collector):
    """Counts the open consignments of this process by the second at which each was opened. The loop passes every committed
    change to this object."""

    def __init__(self) -> None:
        self._open: Counts[int] = Counts()
        self._place_labels = Labels(MOST_PLACE_LABELS)
        self._lock = threading.Lock()
        self._registered = False

    def restored(self, states: Iterable[tuple[str, bytes]]) -> None:
        """Replaces the counts of open consignments by those of `states`: (key, stored state) of each consignment that
        this worker has now. Consignments that have ended were counted when they ended, so they are not counted
        again."""
        counts = Counts(second for _, state in states if (second := _open_since(_begun(state))) is not None)
        with self._lock:
            if not self._registered:
                REGISTRY.register(self)
                self._registered = True
            self._open = counts

    def committed(self, changes: Iterable[tuple[str, ClearanceTimeline | None, ClearanceTimeline | None]]) -> None:
        """Updates the counts by these changes. Each change is (key, state before, state after)."""
        with self._lock:
            for _, before, after in changes:
                self._moved(_open_since(before) if before else None, _open_since(after) if after else None)
                if after is not None:
                    self._count(before or ClearanceTimeline(), after)

    def _moved(self, before: int | None, after: int | None) -> None:
        if before == after:
            return
        if before is not None:
            self._open[before] -= 1
            if not self._open[before]:
                del self._open[before]
        if after is not None:
            self._open[after] += 1

    def _count(self, before: ClearanceTimeline, after: ClearanceTimeline) -> None:
        stated = after.end != "left_unreleased" and after.end_version > before.end_version
        if after.end and (stated or (after.end in ("rejected", "left_unreleased") and after.end != before.end)):
            _ended(after.end).inc()
        if after.corrections > before.corrections:
            CORRECTIONS.inc(after.corrections - before.corrections)
        labels = (after.direction, after.lane, *self._place_labels.of(after.office, after.mode))
        if after.released and not before.released:
            for span, seconds in span_seconds(after).items():
                _seconds(span, span, *labels).observe(seconds)
        if after.arrived != before.arrived or after.departure_recorded != before.departure_recorded:
            known = late_seconds(before)
            for event, seconds in late_seconds(after).items():
                if seconds != known.get(event):
                    _late(event).observe(seconds)
        left = gate_seconds(after)
        if left is not None and gate_seconds(before) is None:
            _seconds("gate", "gate", *labels).observe(left)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Returns the gauges: the number of open consignments by age, and the age of the oldest one in seconds. The
        ages are computed at each call."""
        moment = now().timestamp()
        counts = dict.fromkeys([name for name, _ in AGES], 0)
        with self._lock:
            starts = dict(self._open)
        for start, count in starts.items():
            counts[next(name for name, bound in AGES if moment - start < bound)] += count
        gauge = GaugeMetricFamily(
            "customs_open_consignments", "Accepted consignments without an end, by age", labels=["age"]
        )
        for name, count in counts.items():
            gauge.add_metric([name], count)
        oldest = GaugeMetricFamily("customs_oldest_open_seconds", "Age of the oldest open consignment")
        oldest.add_metric([], max(0.0, moment - min(starts)) if starts else 0.0)
        return [gauge, oldest]

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []


def _begun(state: bytes) -> Start:
    """Returns the first fields of a stored state. If the state cannot be read, every field is None. Messages about a
    consignment whose state cannot be read are parked, and the metric `customs_parked` counts them."""
    try:
        return _start.decode(state)
    except UNREADABLE:
        return Start()


def _open_since(state: ClearanceTimeline | Start) -> int | None:
    """Returns the second, since 1970 UTC, at which a consignment was opened; None if it is not open."""
    if state.end is not None:
        return None
    first = state.accepted or state.assessed or state.arrived
    return int(first.timestamp()) if first else None
