"""How does a process learn that it is to end, whatever it is doing at that moment?

A handler of Python runs between any two steps of the main thread: one that takes a lock waits for ever where the main
thread holds it, and one that raises leaves what the main thread had begun. So the handlers here do nothing; the
interpreter writes the signal's number into a pipe (from C, also while the main thread waits in a library), and a thread
that does nothing else reads it.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

# SIGHUP: the terminal was closed
STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SAME_SECONDS = 0.3
"""Equal signals within this time are one: `timeout` of GNU signals its child and its group, a closed terminal shell and kernel."""


def on_stop(first: Callable[[], None], at_once: Callable[[], None] = lambda: None) -> None:
    """From now on the first signal to stop calls `first`; the second calls `at_once` and ends the process with 128 + its number.

    The same signal again within SAME_SECONDS is no second one. Both are called in a thread of their own. To be called in the main thread.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(read, first, at_once), name="signals", daemon=True).start()
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: it goes on when the terminal is closed
            signal.signal(number, _noted)


def _listen(read: int, first: Callable[[], None], at_once: Callable[[], None]) -> None:
    earlier, until = None, 0.0
    while True:
        (number,) = os.read(read, 1)
        if number not in STOPS or (number == earlier and time.monotonic() < until):
            continue
        if earlier is None:
            atexit.register(signal.signal, number, signal.SIG_IGN)  # Python takes handlers away while it ends
            first()
            earlier, until = number, time.monotonic() + SAME_SECONDS
            continue
        try:
            at_once()
        finally:
            os._exit(128 + number)


def _noted(number: int, frame: FrameType | None) -> None:
    """The number is in the pipe."""
