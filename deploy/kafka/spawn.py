"""How is a process started so that it always ends when its starter ends?

Every process of the project that runs for long is started here. If its starter is killed, the kernel ends the process,
provided that the machine has `setpriv` (util-linux). A starter that must exit at once calls `kill_all`, after which it
cannot start another process.
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
    """Starts a process (in `folder`) in a session of its own, so that a Ctrl-C of the terminal goes only to the starter.

    The output is appended to `log`, which no other process writes. If the log is too long, it is rotated first (deploy.kafka.logs).
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
    """Returns the last lines of a log; an empty text if there is no log. However large the log is, at most TAIL_BYTES are read."""
    with contextlib.suppress(FileNotFoundError), log.open("rb") as opened:
        opened.seek(max(0, opened.seek(0, os.SEEK_END) - TAIL_BYTES))
        return "\n".join(opened.read().lstrip(b"\0").decode("utf-8", "replace").splitlines()[-lines:])
    return ""


def kill_all() -> None:
    """Sends SIGKILL to each process that was started. Keeps the lock that `spawn` needs, so no further process can be started. Call
    this only before this program exits.

    If a thread that starts a process keeps the lock for more than `PATIENCE_SECONDS`, the others are killed without it. The
    kernel ends the process that is being started when this program exits."""
    _lock.acquire(timeout=PATIENCE_SECONDS)
    for process in tuple(_started):  # without the lock, `spawn` may change the set meanwhile
        process.kill()
