"""What time is it? All programs use this clock; in a sandbox it may run faster than real time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from pydantic import ValidationError

from schemas.bounds import FIRST, LAST
from services.shell.settings import ClockSettings, unusable

_FIRST, _LAST = FIRST.timestamp(), LAST.timestamp()


class ClockOutOfRange(Exception):
    """Raised if the clock shows a time that no message may carry. It ends a worker, which could decide nothing at that time."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that shows `start` at the real time `anchor` (both in seconds since 1970 UTC), and runs `speed` times as fast as
    real time. Without `anchor` it shows the time of the system."""

    anchor: float | None = None
    start: float = 0.0
    speed: float = 1.0

    @classmethod
    def of(cls, settings: ClockSettings) -> Self:
        """Returns the clock of these settings (DTG_CLOCK_ANCHOR, DTG_CLOCK_START, DTG_CLOCK_SPEED)."""
        if settings.clock_anchor is None:
            return cls()
        start = settings.clock_start or settings.clock_anchor
        return cls(settings.clock_anchor.timestamp(), start.timestamp(), settings.clock_speed)

    @classmethod
    def sandbox(cls, speed: float) -> Self:
        """Returns a clock that starts at the real time of this call and runs `speed` times as fast as real time."""
        # the time is rounded to microseconds, as in the variables that other processes get, so that all of them have the same
        # clock
        moment = datetime.fromtimestamp(time.time(), UTC).timestamp()
        return cls(moment, moment, speed)

    @property
    def is_sandbox(self) -> bool:
        """Returns whether this is a sandbox clock, and not the clock of the system."""
        return self.anchor is not None

    def now(self) -> datetime:
        """Returns the aware UTC time. Raises ClockOutOfRange if it is outside the years that messages may carry."""
        return self.at(time.time())

    def at(self, wall: float) -> datetime:
        """Returns the time that this clock shows at the real time `wall` (seconds since 1970 UTC). Raises ClockOutOfRange as
        `now` does."""
        if self.anchor is not None:
            wall = self.start + (wall - self.anchor) * self.speed
        # No message can carry a time outside these limits. With such a time on the clock, every message would be
        # parked.
        if not _FIRST <= wall <= _LAST:
            raise ClockOutOfRange(
                f"the clock says {wall:.0f} s since 1970; set it to a time in the years {FIRST.year} to {LAST.year} 时钟有误，请校时"
            )
        return datetime.fromtimestamp(wall, UTC)

    def wall(self, shown: datetime) -> float:
        """Returns the real time, in seconds since 1970 UTC, at which this clock shows the aware time `shown`."""
        moment = shown.timestamp()
        return moment if self.anchor is None else self.anchor + (moment - self.start) / self.speed

    def environment(self) -> dict[str, str]:
        """Returns the environment variables that give another process the same clock."""
        if self.anchor is None:
            return {}
        return {
            "DTG_CLOCK_ANCHOR": datetime.fromtimestamp(self.anchor, UTC).isoformat(),
            "DTG_CLOCK_START": datetime.fromtimestamp(self.start, UTC).isoformat(),
            "DTG_CLOCK_SPEED": str(self.speed),
        }


def _of_environment() -> Clock:
    """Returns the clock that the environment describes. This is called while the module is imported, so no caller could catch an exception.
    If a setting cannot be used, the process ends here with a message."""
    try:
        return Clock.of(ClockSettings())
    except ValidationError as error:
        raise SystemExit(unusable(error)) from None


CLOCK = _of_environment()
"""The clock of this process."""


def now() -> datetime:
    """Returns the aware UTC time of this process's clock."""
    return CLOCK.now()


def is_sandbox() -> bool:
    """Returns whether this process has a sandbox clock, and not the clock of the system."""
    return CLOCK.is_sandbox


class Forward:
    """A clock of real time that never goes back. It shows at least the time that it showed last plus the time elapsed
    since then. So no session or key lasts longer because the machine's clock was set back.

    `wall`: returns seconds since 1970 UTC. `ticks`: returns seconds since an arbitrary moment, and never decreases.
    """

    def __init__(self, wall: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._ticks = wall, ticks
        self._shown, self._at = wall(), ticks()

    def micros(self) -> int:
        """Returns microseconds since 1970 UTC."""
        ticks = self._ticks()
        self._shown, self._at = max(self._wall(), self._shown + ticks - self._at), ticks
        return int(self._shown * 1_000_000)


_FORWARD = Forward()


def world_us() -> int:
    """Returns the real time in microseconds since 1970 UTC, even if this process has a sandbox's clock. It is for the sessions
    and keys of people."""
    return _FORWARD.micros()


def stopwatch() -> float:
    """Returns real seconds since an arbitrary moment, for measuring how long something takes."""
    return time.monotonic()
