"""What time is it? The only clock of the house; a sandbox may let it run faster than the world."""

import time
from datetime import UTC, datetime

from schemas.bounds import FIRST, LAST
from services.shell.settings import ClockSettings

_settings = ClockSettings()
_anchor = _settings.clock_anchor.timestamp() if _settings.clock_anchor else None
_start = _settings.clock_start.timestamp() if _settings.clock_start else _anchor
_speed = _settings.clock_speed
_FIRST, _LAST = FIRST.timestamp(), LAST.timestamp()


class ClockOutOfRange(Exception):
    """The clock shows a time that no message may carry; the process that asks ends."""


def now() -> datetime:
    """Aware UTC time. In a sandbox it was DTG_CLOCK_START at the real moment DTG_CLOCK_ANCHOR and runs DTG_CLOCK_SPEED times as fast."""
    wall = time.time()
    if _anchor is not None and _start is not None:
        wall = _start + (wall - _anchor) * _speed
    if not _FIRST <= wall <= _LAST:  # no message could be made: each would be parked, one after the other
        raise ClockOutOfRange(
            f"the clock says {wall:.0f} s since 1970; set it to a time in the years {FIRST.year} to {LAST.year} 时钟有误，请校时"
        )
    return datetime.fromtimestamp(wall, UTC)


def real_seconds(simulated: float) -> float:
    """How long a wait of `simulated` seconds of this clock lasts in the world."""
    return simulated / _speed if _anchor is not None else simulated


def is_sandbox() -> bool:
    """Whether this clock is not the world's."""
    return _anchor is not None


def stopwatch() -> float:
    """Real seconds since some moment; for measuring how long something takes."""
    return time.monotonic()
