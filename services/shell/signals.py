"""How does a process notice that it must end, whatever it is doing at that moment?

Python runs a signal handler between any two steps of the main thread. If the handler takes a lock that the main thread holds, it waits
for ever; if it raises, the main thread's work is left incomplete. So the handlers here do nothing. The interpreter writes the signal's
number into a pipe (in C, even while the main thread waits in a library), and a thread that does nothing else reads it.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

# SIGHUP is sent when the terminal was closed, SIGQUIT upon Ctrl-\; by default, SIGUSR1 and SIGUSR2 end a process at once, too
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
STOPS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
SAME_SECONDS = 0.3
"""Within how many seconds a repeated signal counts as the same one. GNU `timeout` signals its child and then its group, and if a terminal
is closed, both the shell and the kernel send a signal."""

LOOP_SECONDS, FAUST_SECONDS = 7, 2
"""How many seconds the orderly end of a worker waits for its loops, which end at the same time, and how many it then waits for Faust's own
clients. If a loop takes longer, the process ends at once. Who stops a worker gives it more than both together."""


def on_stop(first: Callable[[], None], at_once: Callable[[], None] = lambda: None) -> None:
    """From now on, the first stop signal (one of `STOPS`) calls `first`. The second stop signal calls `at_once`, and
    ends the process with the exit code 128 + the number of that signal.

    If the first signal is repeated within SAME_SECONDS, the repetition does not count as the second signal. `first` and
    `at_once` are called in another thread. Call `on_stop` in the main thread.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(read, first, at_once), name="signals", daemon=True).start()
    for number in STOPS:
        # a signal that the process ignored at its start stays ignored, for example under `nohup`
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _noted)


def _listen(read: int, first: Callable[[], None], at_once: Callable[[], None]) -> None:
    earlier, until = None, 0.0
    while True:
        (number,) = os.read(read, 1)
        if number not in STOPS or (number == earlier and time.monotonic() < until):
            continue
        if earlier is None:
            # Python removes its signal handlers while it ends. From then on this signal is ignored, so that it does not
            # kill the process if it comes again.
            atexit.register(signal.signal, number, signal.SIG_IGN)
            first()
            earlier, until = number, time.monotonic() + SAME_SECONDS
            continue
        try:
            at_once()
        finally:
            os._exit(128 + number)


def _noted(number: int, frame: FrameType | None) -> None:
    """Does nothing, because the interpreter has written the number into the pipe."""
