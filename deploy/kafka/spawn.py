"""How is a process started so that its starter can always end it?

Every process of the project is started here. The kernel ends one whose starter was killed (setpriv of util-linux); a
starter that ends at once ends them itself, and starts no other meanwhile.
"""

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.kafka.logs import turn_over_ended

DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
PATIENCE_SECONDS = 2
TAIL_BYTES = 65_536
_lock = threading.Lock()
_started: set[subprocess.Popen[bytes]] = set()


def spawn(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts it (in `folder`) in a session of its own: a Ctrl-C in the terminal is the starter's to handle.

    Its output is appended to `log`, which was turned over where it had grown long (deploy.kafka.logs): nobody else writes it.
    """
    turn_over_ended(log)
    with _lock, log.open("ab") as out:
        process = subprocess.Popen(
            [*DIE_WITH_PARENT, *command],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            cwd=folder,
            start_new_session=True,
        )
        _started.difference_update([each for each in _started if each.returncode is not None])
        _started.add(process)
        return process


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, empty where there is none; of one that grew for months no more is read than that."""
    with contextlib.suppress(FileNotFoundError), log.open("rb") as opened:
        opened.seek(max(0, opened.seek(0, os.SEEK_END) - TAIL_BYTES))
        return "\n".join(opened.read().lstrip(b"\0").decode("utf-8", "replace").splitlines()[-lines:])
    return ""


def kill_all() -> None:
    """SIGKILL to each that lives. For a process that ends now: it can start no other any more."""
    _lock.acquire(timeout=PATIENCE_SECONDS)
    for process in _started:
        process.kill()
