"""What time is it? The only clock of the house; a sandbox may let it run faster than the world."""

import time
from datetime import UTC, datetime

from services.shell.settings import ClockSettings

_settings = ClockSettings()
_origin = _settings.clock_origin.timestamp() if _settings.clock_origin else None
_speed = _settings.clock_speed


def now() -> datetime:
    """Aware UTC time. With DTG_CLOCK_ORIGIN set, time runs DTG_CLOCK_SPEED times as fast since that moment."""
    wall = time.time()
    if _origin is not None:
        wall = _origin + (wall - _origin) * _speed
    return datetime.fromtimestamp(wall, UTC)


def real_seconds(simulated: float) -> float:
    """How long a wait of `simulated` seconds of this clock lasts in the world."""
    return simulated / _speed if _origin is not None else simulated
