"""In which folder does the data of `dtg up` lie? A demo has a folder of its own, and a command works on the one that is in use."""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from deploy.kafka.errors import BrokerError
from services.cli.settings import UpSettings
from services.shell.access import Access
from services.shell.clock import CLOCK as CLOCK_HERE
from services.shell.clock import Clock

LOCK = "up.lock"
"""Locked while a `dtg up` works in the folder; its text is the bootstrap of the cluster that it serves."""
CLOCK = "clock.json"
"""Where the sandbox clock stands, and how it runs; a folder that has one holds a demo's data."""
LOCK_SECONDS = 1.0
"""A command that looks whether the folder is in use holds the lock for an instant."""


class InUse(BrokerError):
    """Another `dtg up` works in the folder."""


@contextmanager
def in_use(home: Path, bootstrap: str) -> Iterator[None]:
    """Until its end the folder belongs to this process; InUse when it is another's."""
    with (home / LOCK).open("a", encoding="utf-8") as lock:
        end = time.monotonic() + LOCK_SECONDS
        while not _locks(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise InUse(f"Another `dtg up` runs on the folder {home}. 已在运行。")
            time.sleep(0.05)
        lock.truncate(0)
        lock.write(bootstrap)
        lock.flush()
        yield


def of_demo(settings: UpSettings) -> UpSettings:
    """The settings of a demo: its folder lies beside that of the real data.

    Not where the data is elsewhere (DTG_KAFKA), nor where the folder holds the data of a former version's demo.
    """
    home = Path(settings.home)
    if settings.kafka or (home / CLOCK).exists():
        return settings
    return _with(settings, _beside(home))


def of_command(settings: UpSettings) -> UpSettings:
    """The settings with the folder of the `dtg up` that serves the cluster of this command, if it is a demo's."""
    demo = _beside(Path(settings.home))
    return _with(settings, demo) if _serves(demo, settings.bootstrap()) else settings


def access_of_command(name: str) -> Access:
    """The cluster of this command, with the credential of this name out of the folder of the `dtg up` that serves it."""
    return of_command(UpSettings()).access(name)


def clock_of(settings: UpSettings) -> Clock:
    """The clock of the `dtg up` that serves the cluster of this command: its demo's, else that of the environment."""
    home = Path(of_command(settings).home)
    if CLOCK_HERE.is_sandbox or not (home / CLOCK).exists() or not _serves(home, settings.bootstrap()):
        return CLOCK_HERE
    told = json.loads((home / CLOCK).read_text(encoding="utf-8"))
    if "speed" not in told:  # a demo of an earlier release
        return CLOCK_HERE
    anchor, start = [datetime.fromisoformat(told[name]).timestamp() for name in ("anchor", "start")]
    return Clock(anchor, start, float(told["speed"]))


def _with(settings: UpSettings, home: Path) -> UpSettings:
    return settings.model_copy(update={"home": str(home)})


def _beside(home: Path) -> Path:
    return Path(f"{home if home.name not in ('', '..') else home.resolve()}-demo")


def _serves(home: Path, bootstrap: str) -> bool:
    try:
        lock = (home / LOCK).open(encoding="utf-8")
    except OSError:  # it is not there, or the folder is another user's: it serves nobody here
        return False
    with lock:
        return not _locks(lock.fileno(), fcntl.LOCK_SH) and lock.read() == bootstrap


def _locks(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
