"""How does one supervisor start, watch, restart and stop its processes?"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.errors import Interrupted
from deploy.kafka.spawn import kill_all, spawn, tail
from services.risk.keys import PUBLISHED_ID
from services.shell.access import Access
from services.shell.clock import Clock
from services.shell.layout import REFUSED_CODE
from services.shell.signals import on_stop

RESTART_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0)
"""The pauses in seconds before a process that died is started again, one for each death in a row. The last one is used
for all further deaths."""
REFUSED_SECONDS = 30.0
"""The pause in seconds after a process ended with REFUSED_CODE. It is longer, because an operator has to correct
something first."""
WATCH_SECONDS = 0.1
CALM_SECONDS = 30
"""If a process runs for more than this many seconds, it counts as healthy: after its next death, the pauses begin
again with the shortest one."""


@dataclass
class Child:
    """One process that `dtg up` runs, in a session of its own. Its output goes to the file `log`."""

    name: str
    command: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    restarts: bool = True
    deaths: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _again_at: float = 0.0

    def start(self) -> None:
        """Starts the process and returns at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = spawn(self.command, self.log, self.env)
        self._started = time.monotonic()
        self._again_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def code(self) -> int | None:
        """Returns the exit code of the process; None while it runs, and before its first start."""
        return self._process.poll() if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def watch(self) -> str | None:
        """Starts the process again if it has died and the pause is over. Call it often. Returns a message for the
        operator if the process has died since the last call, else None. Does nothing if `restarts` is false."""
        if self.alive or self._process is None or not self.restarts:
            return None
        moment = time.monotonic()
        if not self._again_at:
            if moment - self._started > CALM_SECONDS:
                self.deaths = 0
            wait = RESTART_SECONDS[min(self.deaths, len(RESTART_SECONDS) - 1)]
            if self.code == REFUSED_CODE:
                wait = REFUSED_SECONDS
            self.deaths += 1
            self._again_at = moment + wait
            ended = f"{self.name} ended with code {self.code}; starting again in {wait} s. 已退出，即将重启 (see {self.log})"
            if self.code == REFUSED_CODE:
                ended += f"\n{self.tail(1)}"
            if not wait:
                self.start()
            return ended
        if moment >= self._again_at:
            self.start()
        return None

    def terminate(self) -> None:
        if self._process is not None and self.alive:
            self._process.terminate()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if the process is alive. If it has ended, nothing is sent, because its id may now belong to
        another process."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Ends the process with SIGKILL, which gives it no time to stop, and waits for its end."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def join(self, deadline: float) -> None:
        """Waits for the end of the process until the monotonic time `deadline`, then kills it."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()

    def tail(self, lines: int = 8) -> str:
        """Returns the last lines of the log of the process."""
        return tail(self.log, lines)


def rehearsal() -> dict[str, str]:
    """Returns environment variables for a worker in a benchmark or a test, whose goods are made up. It gets the
    draw key that everybody knows (PUBLISHED_ID), with which a worker starts only if its clock is that of a sandbox. So it
    also gets the clock of a sandbox, which here runs at the speed of real time."""
    return {"DTG_DRAW_KEYS": PUBLISHED_ID, **Clock.sandbox(1.0).environment()}


def kafka_environment(access: Access) -> dict[str, str]:
    """Returns environment variables for a program that connects to the cluster of `access`. The program reads its own
    credential from the folder in which the credential of `access` is."""
    env = {"DTG_KAFKA": access.servers, "DTG_KAFKA_SECURITY": access.security, "DTG_KAFKA_CA_FILE": access.ca_file}
    return env | ({"DTG_KAFKA_CREDENTIALS": str(access.file.parent)} if access.file else {})


def worker(desks: str, port: int, home: Path, env: dict[str, str], slot: str = "0") -> Child:
    """Returns a Faust worker that hosts these desks. It is not started yet. Its pages will answer on the loopback port
    `port`."""
    name = f"worker-{desks.replace(',', '-')}-{slot}"
    return Child(
        name,
        [
            *(sys.executable, "-m", "faust", "-A", "services.worker"),
            *("worker", "--web-port", str(port), "--web-host", "127.0.0.1", "--loglevel", "warn"),
        ],
        home / "logs" / f"{name}.log",
        {"DTG_DESKS": desks, "DTG_SLOT": slot, "DTG_HOME": str(home), **env},
    )


def read_model(console_port: int, projector_port: int, logs: Path, env: dict[str, str]) -> tuple[Child, Child]:
    """Returns the console and its projector, as two processes that are not started yet."""
    more = {
        "DTG_CONSOLE_PORT": str(console_port),
        "DTG_PROJECTOR_PORT": str(projector_port),
        "DTG_PROJECTOR": "own",
        **env,
    }
    program = [sys.executable, "-m", "services.cli.main"]
    console = Child("console", [*program, "console"], logs / "console.log", more)
    return console, Child("projector", [*program, "projector"], logs / "projector.log", more)


def stop_all(children: list[Child], seconds: float) -> None:
    """Sends SIGTERM to all processes and waits for their ends. Kills the processes that have not ended after
    `seconds`."""
    for child in children:
        child.restarts = False
        child.terminate()
    deadline = time.monotonic() + seconds
    for child in children:
        child.join(deadline)


class ThreadEnded(Exception):
    """Raised if a thread of the supervisor ended by an exception that was not handled. The text has the traceback."""


class Supervisor:
    """Starts the processes, watches them until a signal to stop comes, and ends them. A second signal kills all of them
    at once.

    If an exception ends a thread of the supervisor, everything is stopped, too, because otherwise the supervisor would
    go on without the work of that thread.
    """

    def __init__(self, watch_seconds: float = WATCH_SECONDS) -> None:
        self._stop_requested = threading.Event()
        self._watch_seconds = watch_seconds
        self._lost: str | None = None

    @property
    def stopping(self) -> bool:
        """Returns whether a signal to stop has come."""
        return self._stop_requested.is_set()

    def wait(self, seconds: float) -> None:
        """Waits for `seconds`. Raises Interrupted as soon as a signal to stop comes."""
        if self._stop_requested.wait(seconds):
            raise Interrupted

    def call(self, what: Callable[[], object]) -> None:
        """Calls `what` in a thread of its own, because `what` may take long and cannot be stopped. Waits for its end,
        and raises the exception of `what` if there is one. If a signal to stop comes first, raises Interrupted at once,
        and `what` goes on in its thread."""
        problems: list[BaseException] = []

        def run() -> None:
            try:
                what()
            except BaseException as problem:  # noqa: BLE001  (raised below)
                problems.append(problem)

        thread = threading.Thread(target=run, name="call", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.05)
            if self.stopping:
                raise Interrupted
        for problem in problems:
            raise problem

    def run(self, start: Callable[[], None], watch: Callable[[], None], end: Callable[[], None]) -> None:
        """Calls `start`, then `watch` again and again until a signal to stop comes, and always `end` at last. Raises
        the exception of `start` or `watch`, or ThreadEnded if a thread ended by an exception."""
        threading.excepthook = self._thread_ended
        on_stop(self._stop_requested.set, kill_all)
        try:
            start()
            while not self._stop_requested.wait(self._watch_seconds):
                watch()
        except Interrupted:
            pass
        finally:
            end()
        if self._lost is not None:
            raise ThreadEnded(self._lost)

    def _thread_ended(self, args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "?"
        lines = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
        self._lost = (
            self._lost
            or f"The thread {name} ended, so everything is stopped. 线程意外终止，全部停止。\n{''.join(lines)}"
        )
        self._stop_requested.set()
