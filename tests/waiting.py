"""How long does a test wait? As long as there is progress, because on a busy machine everything is late although
nothing is broken."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

from deploy.kafka.progress import STILL_SECONDS, Sign, WaitLimit, signs_of, work_of
from services.cli.processes import Child

MOST_SECONDS = 200.0
"""Seconds. This is less than pytest's own limit for a test, so that the test fails with the message of the wait."""
CPU_SECONDS = 2.0
"""A process that uses less CPU time than this in STILL_SECONDS counts as idle, because it only polls."""
TICKS = os.sysconf("SC_CLK_TCK")
LEAVE_SECONDS, LEAVE_MOST_SECONDS = 15.0, 60.0
"""The limits for the orderly end of a process: seconds without progress, and seconds in all."""
T = TypeVar("T")


def wait(
    done: Callable[[], T | None],
    what: str,
    *children: Child,
    signs: dict[str, Sign] | None = None,
    still: float = STILL_SECONDS,
    most: float = MOST_SECONDS,
) -> T:
    """Waits until the result of `done` is true, and returns this result. Raises TimeoutError at once if one of
    `children` has ended and the result is still not true. Also raises it after `most` seconds, or if for `still`
    seconds nothing makes progress: none of `children`, none of `signs`, and no other thread or child process of this
    process."""
    shown: dict[str, Sign] = {"CPU time of others": work_of_others, **(signs or {})}
    for child in children:
        shown |= {f"{name} of {child.name}": sign for name, sign in signs_of(_pid(child), child.log).items()}
    progress = WaitLimit(what, shown, still, most)

    def done_or_dead() -> tuple[T] | None:
        # The ended processes are listed before `done` is called, because `done` may be true as soon as a process has
        # ended. If they were listed after the call, this function would raise the error when a process ends in between.
        dead = [child for child in children if not child.alive]
        if found := done():
            return (found,)
        if dead:
            ends = "\n".join(f"{child.name} ended with code {child.code}\n{child.tail()}" for child in dead)
            raise TimeoutError(f"{progress.in_vain()}\n{ends}")
        return None

    (found,) = wait_by(done_or_dead, progress, 0.02)
    return found


def wait_by(done: Callable[[], T | None], progress: WaitLimit, pause: float = 0.05) -> T:
    """Calls `done` until its result is true, and returns the result. Raises TimeoutError with the last progress when
    the limit is reached."""
    while not (found := done()):
        if not progress.goes_on():
            raise TimeoutError(progress.in_vain())
        time.sleep(pause)
    return found


def _pid(child: Child) -> Callable[[], int | None]:
    return lambda: child.pid


def leave(child: Child) -> int | None:
    """Stops a process with SIGTERM as a supervisor does, and kills it if a limit of the wait for its end is reached.
    Returns the exit code."""
    child.terminate()
    progress = WaitLimit(f"{child.name} to end", signs_of(_pid(child), child.log), LEAVE_SECONDS, LEAVE_MOST_SECONDS)
    with suppress(TimeoutError):
        wait_by(lambda: not child.alive, progress)
    child.kill()
    return child.code


def wait_until_ended(thread: Thread) -> None:
    """Waits until the thread has ended. Raises TimeoutError as `wait` does."""
    wait(lambda: not thread.is_alive(), f"thread {thread.name} to end")


def work_of_others() -> int:
    """The CPU time of this process's other threads and of the processes that it started, in units of CPU_SECONDS: the
    desks, projectors, consoles and brokers of the tests."""
    children = [pid for file in Path("/proc/self/task").glob("*/children") for pid in _pids(file)]
    own = time.process_time() - time.thread_time()
    return int((own + sum(map(work_of, children)) / TICKS) / CPU_SECONDS)


def _pids(file: Path) -> list[int]:
    with suppress(OSError):  # a thread may end before its file is read
        return [int(pid) for pid in file.read_text().split()]
    return []
