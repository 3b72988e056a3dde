"""How many containers may one declarant name on one day? They are counted at intake, from the rows and from what this console took in since.

The count has the different container numbers in the declarations of one declarant (its field `declarant`) that were lodged
since midnight in Beijing, whatever became of them. The same declaration again, or another one for the same containers, adds nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from fastapi.concurrency import run_in_threadpool

from schemas.vocabulary import CHINA, day_in_china
from services.console.api.problems import Problem
from services.shell.clock import now, stopwatch

RECOUNT_SECONDS = 5.0
"""How often the rows are read again, because other consoles may take in declarations of the same declarant."""
DECLARANTS = 5000
"""Declarants whose counts a console keeps in memory; the counts of others are read from the rows alone."""


@dataclass(slots=True)
class Count:
    """The containers that one declarant named on one day."""

    day: date
    boxes: set[str] = field(default_factory=set)
    read_at: float | None = None


class Boxes:
    """The counts of one console. `named(declarant, since, most)` returns the different containers that the rows have for a declarant since a
    time (microseconds since 1970 UTC), at most about `most`."""

    def __init__(self, named: Callable[[str, int, int], Iterable[str]], limit: int) -> None:
        self._named, self._limit = named, limit
        self._counts: OrderedDict[str, Count] = OrderedDict()

    async def admit(self, declarant: str, boxes: Iterable[str]) -> Problem | None:
        """Counts these containers. If they are too many, returns a Problem 429 and counts nothing."""
        wanted = set(boxes)
        if not wanted:
            return None
        at = now()
        count = await self._count(declarant, at)
        if len(count.boxes | wanted) > self._limit and not wanted <= count.boxes:
            midnight = datetime.combine(count.day + timedelta(days=1), time(), CHINA)
            wait = str(max(1, int((midnight - at).total_seconds())))
            headers = {"Retry-After": wait}
            return Problem(429, "too_many_boxes", limit=self._limit, count=len(count.boxes), headers=headers)
        count.boxes |= wanted
        return None

    async def _count(self, declarant: str, at: datetime) -> Count:
        day = day_in_china(at)
        count = self._counts.get(declarant)
        if count is None or count.day != day:
            count = self._counts[declarant] = Count(day)
            while len(self._counts) > DECLARANTS:
                self._counts.popitem(last=False)
        self._counts.move_to_end(declarant)
        if count.read_at is None or stopwatch() - count.read_at > RECOUNT_SECONDS:
            count.read_at = stopwatch()
            since = int(datetime.combine(day, time(), CHINA).timestamp() * 1_000_000)
            count.boxes |= set(await run_in_threadpool(self._named, declarant, since, self._limit + 1))
        return count
