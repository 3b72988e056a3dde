"""How long is something waited for? As long as it gets on: a busy machine makes it late, not broken."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

STILL_SECONDS = 60.0
"""Without any sign of life for this long, it has stopped getting on."""
MOST_SECONDS = 240.0
"""Whatever it shows, it will not come any more."""


class Progress:
    """Whether waiting is worth while: one of the signs changed within `still` seconds, and `most` seconds are not over."""

    def __init__(self, *signs: Callable[[], object], still: float = STILL_SECONDS, most: float = MOST_SECONDS) -> None:
        self._signs, self._still = signs, still
        self._last: object = None
        self._moved = time.monotonic()
        self._end = self._moved + most

    def goes_on(self) -> bool:
        now = time.monotonic()
        seen = [sign() for sign in self._signs]
        if seen != self._last:
            self._last, self._moved = seen, now
        return now < min(self._end, self._moved + self._still)

    def ends_within(self, seconds: float) -> None:
        """What is waited for comes within so long or not at all."""
        self._end = min(self._end, time.monotonic() + seconds)


def work_of(pid: int | None) -> int:
    """CPU time of a process so far, in ticks: it grows as long as the machine gives it any. 0 where it cannot be read."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


def size_of(file: Path) -> int:
    """Of a log that grows; 0 before it is there."""
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
