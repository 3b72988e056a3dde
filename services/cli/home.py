"""In which folder is the data of `dtg up`? A demo has a folder of its own, and a command works on the folder that is in use."""

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from deploy.kafka.errors import BrokerError
from services.cli.settings import UpSettings
from services.shell.access import Access
from services.shell.clock import CLOCK as CLOCK_HERE
from services.shell.clock import Clock
from services.shell.codec import moment_of

LOCK = "up.lock"
"""Name of the lock file of a folder. While a `dtg up` works in the folder, the file is locked, and contains the bootstrap servers of the
cluster that this `dtg up` serves."""
CLOCK = "clock.json"
"""Name of the file with the time and the speed of the sandbox clock. A folder with this file has the data of a demo."""
OWN = frozenset({LOCK, CLOCK, "console.db", "credentials", "draw-keys.json", "draw-keys.made", "faust"})
"""Names of files and folders by which a folder of `dtg up` is recognised. At least one of them exists after the first
start, or operators have put it there before the first start. Notebooks of ports (`port-….db`) count, too."""
USUAL = frozenset({"kafka", "logs"})
"""Names of other folders in a folder of `dtg up`. Other programs use these names, too, so they do not show that the
folder is one of `dtg up`."""
UNDER_MOUNTS = frozenset({"lost+found"})
"""Names of folders that a new, empty file system already has."""
LOCK_SECONDS = 1.0
"""How many seconds `dtg up` tries to lock the folder. It tries more than once, because a command that tests whether the folder is in use
locks it for a moment."""


class InUse(BrokerError):
    """Raised if another `dtg up` uses the folder."""


class Spoiled(Exception):
    """Raised if a file or folder in DTG_HOME cannot be used. The text says which one and what to do, in Chinese and English."""


class SavedClock(NamedTuple):
    """The content of the file of a sandbox clock. `now`: the time that the clock showed last; `runs`: the running clock, None if an
    older software version wrote the file."""

    now: datetime
    runs: Clock | None


def read_clock(file: Path) -> SavedClock:
    """Reads the file of a sandbox clock. Raises OSError if the file cannot be read, ValueError if it has no valid clock."""
    try:
        saved: Any = json.loads(file.read_text(encoding="utf-8"))
        now = moment_of(saved["now"])
        if "speed" not in saved:
            return SavedClock(now, None)
        anchor, start = [moment_of(saved[name]).timestamp() for name in ("anchor", "start")]
        speed = float(saved["speed"])
    except (KeyError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if not (math.isfinite(speed) and speed > 0):
        raise ValueError(f"a clock does not run {speed} seconds a second 速度有误")
    return SavedClock(now, Clock(anchor, start, speed))


def refuse_foreign(home: Path) -> None:
    """Raises Spoiled if the folder has files and none of them is from this program. `dtg up` closes its folder to other
    users, and `--afresh` moves it aside. Neither may happen to a folder that is also used for something else, such as
    /tmp or a home directory."""
    try:
        names = {each.name for each in home.iterdir()} - UNDER_MOUNTS
    except OSError:
        # The folder is missing or cannot be listed. If this is an error, `make_folder` or the first write raises it.
        return
    notebook = any(name.startswith("port-") and name.endswith(".db") for name in names)
    if names - USUAL and not names & OWN and not notebook:
        raise Spoiled(
            f"The folder {home} has files, but none from this program: {', '.join(sorted(names)[:3])}. 该文件夹存有其他文件，不能作为数据目录。 "
            "`dtg up` would close it to other users; name an empty or a new folder: DTG_HOME"
        )


def make_folder(folder: Path) -> None:
    """Makes the folder if it is missing. Raises Spoiled if something else is in its place, or if the system does not permit it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Spoiled(
            f"The folder {folder} cannot be made: {error.strerror}. 无法创建文件夹。 Move away what is in its place, or name another "
            "folder: DTG_HOME"
        ) from None


@contextmanager
def in_use(home: Path, bootstrap: str) -> Iterator[None]:
    """Locks the folder for this process during the `with` block. `bootstrap`: the bootstrap servers of the cluster that this process
    serves. Raises InUse if another process has locked the folder, Spoiled if the lock file cannot be opened."""
    try:
        opened = (home / LOCK).open("a", encoding="utf-8")
    except OSError as error:
        raise Spoiled(
            f"{home / LOCK} cannot be opened: {error.strerror}. 无法打开锁文件。 It marks the folder as in use, and holds no data: while no "
            "`dtg up` runs there, remove it"
        ) from None
    with opened as lock:
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
    """Returns the settings for a demo: the same settings with another folder, which is beside that of the real data.

    Returns the settings unchanged if the data is on another cluster (DTG_KAFKA), or if the folder has the data of a demo of an older
    software version.
    """
    home = Path(settings.home)
    if settings.kafka or (home / CLOCK).exists():
        return settings
    return _with(settings, _beside(home))


def of_command(settings: UpSettings) -> UpSettings:
    """Returns the settings with which a command must work. If a demo on this machine serves the cluster of `settings`, `home` is
    replaced by the folder of that demo. Otherwise the settings are unchanged."""
    demo = _beside(Path(settings.home))
    return _with(settings, demo) if _serves(demo, settings.bootstrap()) else settings


def access_of_command(name: str) -> Access:
    """Returns how this command connects to its cluster. The credential of this name is in the folder of the `dtg up` that serves the
    cluster."""
    return of_command(UpSettings()).access(name)


def clock_of(settings: UpSettings) -> Clock:
    """Returns the clock of the `dtg up` that serves the cluster of this command. If that is a demo, this is the demo's sandbox clock;
    otherwise the clock of the environment."""
    home = Path(of_command(settings).home)
    if CLOCK_HERE.is_sandbox or not os.path.lexists(home / CLOCK) or not _serves(home, settings.bootstrap()):
        return CLOCK_HERE
    file = home / CLOCK
    try:
        runs = read_clock(file).runs
    except (OSError, ValueError) as error:
        raise Spoiled(
            f"The sandbox clock of the demo that runs cannot be read ({file}: {error}). 沙箱时钟无法读取。 Remove it: `dtg up --demo` "
            "writes it again at once"
        ) from None
    return runs or CLOCK_HERE


def _with(settings: UpSettings, home: Path) -> UpSettings:
    return settings.model_copy(update={"home": str(home)})


def _beside(home: Path) -> Path:
    return Path(f"{home if home.name not in ('', '..') else home.resolve()}-demo")


def _serves(home: Path, bootstrap: str) -> bool:
    try:
        lock = (home / LOCK).open(encoding="utf-8", errors="replace")
    except OSError:
        # There is no lock file, or the folder belongs to another user. In both cases, no `dtg up` of this user works in the folder.
        return False
    with lock:
        return not _locks(lock.fileno(), fcntl.LOCK_SH) and lock.read() == bootstrap


def _locks(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
