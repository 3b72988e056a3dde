"""How many containers may one declarant name on one day? They are counted when a declaration is taken in, from the rows and from the
declarations that this console took in since the rows were read.

The different container numbers are counted in those declarations with the same declarant (field `declarant`) that were
lodged since midnight in Beijing, whatever became of these declarations. The same declaration again, or another one for
the same containers, adds nothing to the count.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from fastapi.concurrency import run_in_threadpool

from schemas.vocabulary import CHINA, day_in_china
from services.console.api.problems import Problem
from services.shell.clock import now, stopwatch

RECOUNT_SECONDS = 5.0
"""Seconds after which the rows are read again, because other consoles may take in declarations of the same declarant."""
DECLARANTS = 5000
"""The most declarants whose counts a console keeps in memory. The containers of other declarants are counted from the
rows alone."""


@dataclass(slots=True)
class Count:
    """The containers that one declarant named on one day. `being_sent`: in how many declarations that are being sent now each container is.
    `read_at`: stopwatch time at which the rows were last read; None if they were not
    read yet."""

    day: date
    boxes: set[str] = field(default_factory=set)
    being_sent: Counter[str] = field(default_factory=Counter)
    read_at: float | None = None


class Boxes:
    """The counts of one console. `named(declarant, since, most)` returns the numbers of the containers that the rows
    have for a declarant since the time `since` (microseconds since 1970 UTC). `named` stops at about `most` numbers.
    `limit`: the most containers of one declarant on one day."""

    def __init__(self, named: Callable[[str, int, int], Iterable[str]], limit: int) -> None:
        self._named, self._limit = named, limit
        self._counts: OrderedDict[str, Count] = OrderedDict()

    async def admit(self, declarant: str, boxes: Iterable[str]) -> Problem | None:
        """Counts these containers for the declarant and returns None; `settle` must be called after the declaration was sent. If there
        would be too many, counts nothing and returns a Problem 429."""
        wanted = set(boxes)
        if not wanted:
            return None
        at = now()
        count = await self._count(declarant, at)
        named = count.boxes.union(+count.being_sent)
        if len(named | wanted) > self._limit and not wanted <= named:
            midnight = datetime.combine(count.day + timedelta(days=1), time(), CHINA)
            wait = str(max(1, int((midnight - at).total_seconds())))
            headers = {"Retry-After": wait}
            return Problem(429, "too_many_boxes", limit=self._limit, count=len(named), headers=headers)
        count.being_sent.update(wanted)
        return None

    def settle(self, declarant: str, boxes: Iterable[str], is_taken: bool) -> None:
        """Ends what `admit` began: the containers go on counting only if the declaration was taken in. If it takes effect nevertheless,
        the rows will have them."""
        wanted, count = set(boxes), self._counts.get(declarant)
        if count is not None:
            count.being_sent -= Counter(wanted)
            if is_taken:
                count.boxes |= wanted

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
