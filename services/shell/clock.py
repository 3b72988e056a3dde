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
    """The clock shows a time that no message may carry; the process that asks ends."""


@dataclass(frozen=True, slots=True)
class Clock:
    """It showed `start` at the real moment `anchor` (seconds since 1970) and runs `speed` times as fast as real time; without `anchor` it is
    the system's clock."""

    anchor: float | None = None
    start: float = 0.0
    speed: float = 1.0

    @classmethod
    def of(cls, settings: ClockSettings) -> Self:
        """The clock of these settings (DTG_CLOCK_ANCHOR, DTG_CLOCK_START, DTG_CLOCK_SPEED)."""
        if settings.clock_anchor is None:
            return cls()
        start = settings.clock_start or settings.clock_anchor
        return cls(settings.clock_anchor.timestamp(), start.timestamp(), settings.clock_speed)

    @classmethod
    def sandbox(cls, speed: float) -> Self:
        """A clock that leaves the world's now, `speed` times as fast."""
        moment = datetime.fromtimestamp(time.time(), UTC).timestamp()  # in microseconds, as the environment tells it
        return cls(moment, moment, speed)

    @property
    def is_sandbox(self) -> bool:
        """Whether it is not the world's."""
        return self.anchor is not None

    def now(self) -> datetime:
        """Aware UTC time; ClockOutOfRange outside the years that messages may carry."""
        return self.at(time.time())

    def at(self, wall: float) -> datetime:
        """What it shows at this real moment, seconds since 1970."""
        if self.anchor is not None:
            wall = self.start + (wall - self.anchor) * self.speed
        if not _FIRST <= wall <= _LAST:  # no message can carry this time: every message would be parked
            raise ClockOutOfRange(
                f"the clock says {wall:.0f} s since 1970; set it to a time in the years {FIRST.year} to {LAST.year} 时钟有误，请校时"
            )
        return datetime.fromtimestamp(wall, UTC)

    def environment(self) -> dict[str, str]:
        """The variables that give another process the same clock."""
        if self.anchor is None:
            return {}
        return {
            "DTG_CLOCK_ANCHOR": datetime.fromtimestamp(self.anchor, UTC).isoformat(),
            "DTG_CLOCK_START": datetime.fromtimestamp(self.start, UTC).isoformat(),
            "DTG_CLOCK_SPEED": str(self.speed),
        }


def _of_environment() -> Clock:
    """The clock that the environment describes. Every program asks for it as it is imported, before anything can catch what is wrong
    with a setting, so that it ends here, with the sentence."""
    try:
        return Clock.of(ClockSettings())
    except ValidationError as error:
        raise SystemExit(unusable(error)) from None


CLOCK = _of_environment()
"""The clock of this process."""


def now() -> datetime:
    """Aware UTC time of this process's clock."""
    return CLOCK.now()


def is_sandbox() -> bool:
    """Whether this process's clock is not the world's."""
    return CLOCK.is_sandbox


class Forward:
    """A clock of the world that never shows less than what it showed and what has passed since: setting the machine's clock back
    gives nobody more time. `wall` and `ticks`: seconds since 1970, and seconds since some moment."""

    def __init__(self, wall: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._ticks = wall, ticks
        self._shown, self._at = wall(), ticks()

    def micros(self) -> int:
        """Microseconds since 1970 UTC."""
        ticks = self._ticks()
        self._shown, self._at = max(self._wall(), self._shown + ticks - self._at), ticks
        return int(self._shown * 1_000_000)


_FORWARD = Forward()


def world_us() -> int:
    """Microseconds since 1970 UTC of the world, also where this process's clock is a sandbox's: for people's sessions and keys."""
    return _FORWARD.micros()


def stopwatch() -> float:
    """Real seconds since some moment; for measuring how long something takes."""
    return time.monotonic()
