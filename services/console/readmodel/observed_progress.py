"""How does a console know how complete the rows are that another process writes? The other process writes its standing into the same
database.

The clocks of the two processes are not compared. The standing has a number (`beats`) that grows with each write, and standing n is
measured after standing n - 1 was written. So if this console has once read a number of n - 2 or less, standing n was measured after
that reading. The age of standing n is counted from that reading, by this console's stopwatch. While the row is missing, unreadable or
unchanged, the age grows.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from services.console.readmodel.database import DATABASE_ERRORS
from services.console.readmodel.progress import ProjectorStanding, measure
from services.console.readmodel.queries import ReadModelQueries
from services.shell.clock import stopwatch

LOOK_SECONDS = 0.15
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
log = structlog.get_logger()


class ObservedProgress:
    """Takes the place of `Progress` if the projector runs in another process. `fed` is called when the last entry of the feed for ports is
    another one than at the reading before."""

    def __init__(self, rows: ReadModelQueries, stale_seconds: float, fed: Callable[[], None] = lambda: None) -> None:
        self._rows, self._stale_seconds, self._fed = rows, stale_seconds, fed
        self._lock = threading.Lock()
        self._row: Any = None
        self._polls: list[tuple[int, float]] = []
        """Each number (`beats`) that was read, with the stopwatch time at which its last reading began."""
        self._since: float | None = None
        self._last_sign = stopwatch()
        self._looked_at = stopwatch()
        self._last_cursor = -1
        self._away = ""

    async def run(self) -> None:
        """Reads the standing every `LOOK_SECONDS`, without end. Call it once in each process."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Reads the standing once. If the database does not answer, the next call of `state` names that as the trouble."""
        began = stopwatch()
        try:
            row, cursor = self._rows.standing()
        except DATABASE_ERRORS as error:
            if not self._away:
                log.warning("the standing cannot be read", error=str(error).splitlines()[0][:300])
            with self._lock:
                self._away = "database: the standing cannot be read"
        else:
            with self._lock:
                self._away = ""
                self._take(row, began)
            if cursor != self._last_cursor:
                self._last_cursor = cursor
                self._fed()
        self._looked_at = stopwatch()
        measure(self.state())

    def _take(self, row: Any, began: float) -> None:
        if row is None or (self._polls and row.beats < self._polls[-1][0]):
            self._row, self._since, self._polls = None, None, []
        if row is None:
            return
        if self._polls and self._polls[-1][0] == row.beats:
            self._polls[-1] = (row.beats, began)
        else:
            self._polls.append((row.beats, began))
        older = [poll for poll in self._polls if poll[0] <= row.beats - 2]
        if older:
            self._since = self._last_sign = older[-1][1]
            self._polls = [older[-1], *[poll for poll in self._polls if poll[0] > row.beats - 2]]
        self._row = row

    def silent_seconds(self) -> float:
        """Returns the real seconds since the last moment at which the projector is known to have run, or since this object was made."""
        return stopwatch() - self._last_sign

    def idle_seconds(self) -> float:
        """Returns the real seconds since the last call of `look` ended."""
        return stopwatch() - self._looked_at

    def state(self) -> ProjectorStanding:
        """Returns the standing as it was read last, with its age counted until now."""
        with self._lock:
            row, since, away = self._row, self._since, self._away
        if row is None or since is None:
            return ProjectorStanding(None, None, row.behind if row is not None else 0, away or "starting")
        age = max(0.0, stopwatch() - since)
        trouble = away or row.trouble
        if not trouble and age > self._stale_seconds:
            trouble = f"projector: no sign of it for {age:.0f} s"
        read = _measured(row.as_of_us, row.lag_ms, age)
        return ProjectorStanding(*read, row.behind, trouble, *_measured(row.gate_as_of_us, row.gate_lag_ms, age))


def _measured(as_of_us: int | None, lag_ms: int | None, age: float) -> tuple[datetime | None, float | None]:
    if as_of_us is None or lag_ms is None:
        return None, None
    return EPOCH + timedelta(microseconds=as_of_us), lag_ms / 1000 + age
