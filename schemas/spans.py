"""How are clearance times defined? Prometheus, the board and the pages use one table, which has a name, two ends and a source for
each span.

Imports and exports are never mixed, because an export waits for its ship and an import for its truck.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

GACC = "海关总署统计司 2016 GACC statistics office 2016"
"""The source that defines the customs clearance time and the overall clearance time, by the method of the WCO."""
WCO = "WCO, Guide to Measure the Time Required for the Release of Goods, version 3, 2018"


class Moments(NamedTuple):
    """The time of each step of one consignment; None if the step has not happened yet or its time is not known.

    `arrived`, `released`: when all of the goods had arrived or were released. `first_arrived`, `first_released`: the same for the
    first part, if the goods arrive in parts. `ordered`: when the first control was ordered. `control_answered`: when the last
    control was answered. `treatment_ended`: when the last treatment was judged. `gated_out`: when the last container left.
    """

    accepted: datetime | None = None
    assessed: datetime | None = None
    arrived: datetime | None = None
    released: datetime | None = None
    ordered: datetime | None = None
    control_answered: datetime | None = None
    treatment_ordered: datetime | None = None
    treatment_ended: datetime | None = None
    first_arrived: datetime | None = None
    first_released: datetime | None = None
    gated_out: datetime | None = None


Ends = Callable[[Moments], tuple[datetime | None, datetime | None]]


class Span(NamedTuple):
    """One row of the table. `name`: the value of the label `span` of `customs_clearance_seconds`, and the name in answers of the
    API. `meaning`: where the span begins and ends, in words. `source`: who defines the span. `ends`: a function that returns the
    beginning and the end of the span."""

    name: str
    meaning: str
    source: str
    ends: Ends

    def seconds(self, moments: Moments) -> float | None:
        """Returns the length of the span in seconds; None if its beginning or its end is not known. It is 0 if the end is before
        the beginning, because goods may be released before they arrive."""
        start, end = self.ends(moments)
        return max(0.0, (end - start).total_seconds()) if start and end else None


def _both(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the later of two times; None if one of them is not known."""
    return max(one, other) if one and other else None


SPANS = (
    Span("assessment", "accepted to assessed", WCO, lambda m: (m.accepted, m.assessed)),
    Span("control", "first control ordered to its last answer", WCO, lambda m: (m.ordered, m.control_answered)),
    Span(
        "treatment",
        "ordered, or put to an officer, to the last verdict",
        WCO,
        lambda m: (m.treatment_ordered, m.treatment_ended),
    ),
    Span(
        "customs",
        "accepted and arrived, the later of both, to released: what customs needs (海关通关时间)",
        GACC,
        lambda m: (_both(m.accepted, m.arrived), m.released),
    ),
    Span(
        "customs_raw",
        "accepted to released, with the wait for goods that were declared early",
        GACC,
        lambda m: (m.accepted, m.released),
    ),
    Span("overall", "arrived to released (整体通关时间)", GACC, lambda m: (m.arrived, m.released)),
    Span(
        "first_part",
        "of goods that arrive in parts: accepted and first part arrived, the later of both, to first part released",
        WCO,
        lambda m: (_both(m.accepted, m.first_arrived), m.first_released),
    ),
    Span("gate", "released to the last container out of the gate", WCO, lambda m: (m.released, m.gated_out)),
)
"""All spans that Prometheus, the board or the pages show."""
BY_NAME = {span.name: span for span in SPANS}


def seconds_of(name: str, moments: Moments) -> float | None:
    """Returns the seconds of the span of this name, as `Span.seconds` does."""
    return BY_NAME[name].seconds(moments)


def percentile(ordered: list[float], hundredths: int) -> float | None:
    """Returns a percentile of a sorted list by the nearest-rank method; None if the list is empty. `hundredths`: which percentile,
    for example 95."""
    if not ordered:
        return None
    rank = -(-len(ordered) * hundredths // 100)
    return ordered[max(0, rank - 1)]
