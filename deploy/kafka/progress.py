"""How long does a wait last? It goes on as long as there is progress, because a process on a busy machine may be slow
without being broken."""

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

STILL_SECONDS = 60.0
"""After how many seconds without any sign of progress a wait fails."""
MOST_SECONDS = 240.0
"""After how many seconds a wait fails even if there is progress."""
Sign = Callable[[], object]
"""A function whose value changes while there is progress: the CPU time of a process, the size of its log, the number of
messages read."""


class WaitLimit:
    """Decides how long to wait for `what`. The wait goes on while a sign of progress has changed within the last `still`
    seconds, but for at most `most` seconds."""

    def __init__(
        self,
        what: str,
        signs: Mapping[str, Sign],
        still: float = STILL_SECONDS,
        most: float = MOST_SECONDS,
    ) -> None:
        self.what = what
        self._signs, self._still = dict(signs), still
        self._last: dict[str, object] = {}
        self._began = self._moved = time.monotonic()
        self._end = self._began + most

    def goes_on(self) -> bool:
        """Reads all signs and returns whether to wait longer. Call this before each further wait; the intervals do not
        matter."""
        now = time.monotonic()
        found = {name: sign() for name, sign in self._signs.items()}
        if found != self._last:
            self._last, self._moved = found, now
        return now < min(self._end, self._moved + self._still)

    def in_vain(self) -> str:
        """Returns the text of the error for a wait that failed. The text says what was awaited, for how long, and when
        the last progress was."""
        now = time.monotonic()
        waited, still = now - self._began, now - self._moved
        last = ", ".join(f"{name} {value}" for name, value in self._last.items()) or "-"
        return (
            f"Waited {waited:.0f} s for {self.what}; the last progress was {still:.0f} s ago: {last}. "
            f"已等待 {waited:.0f} 秒，最后一次进展在 {still:.0f} 秒前。"
        )


def signs_of(pid: Callable[[], int | None], log: Path) -> dict[str, Sign]:
    """Returns the signs of progress of a process: its id, its CPU time, and the size of its log. Another process may
    replace it meanwhile, because `pid` is called at each reading."""
    return {"process": pid, "CPU ticks": lambda: work_of(pid()), "bytes of log": lambda: size_of(log)}


def work_of(pid: int | None) -> int:
    """Returns the CPU time of a process so far, in clock ticks; 0 if it cannot be read."""
    with contextlib.suppress(OSError):
        return ticks_of(Path(f"/proc/{pid}/stat"))
    return 0


def ticks_of(stat: Path) -> int:
    """Returns the CPU time so far of the process or thread with this file, in clock ticks (proc(5): /proc/PID/stat and
    /proc/PID/task/TID/stat). Raises OSError if the process or thread has ended."""
    fields = stat.read_bytes().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


def size_of(file: Path) -> int:
    """Returns the size of a file in bytes; 0 before the file exists."""
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
