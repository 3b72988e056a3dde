"""What happens when a thread of a process ends by an exception that nothing handles? The process ends, and its supervisor starts it again.

Without this, the process would go on without the thread's work, and its health pages would not show it.
"""

import os
import sys
import threading
import traceback
from asyncio import Task
from typing import Any

import structlog

CODE = 70
"""The exit code of a process that ends because an exception left one of its threads (EX_SOFTWARE of sysexits.h)."""
log = structlog.get_logger()


def end_with_any_thread() -> None:
    """Call this when the process starts. From then on, an exception that leaves a thread is logged, and ends this
    process with the exit code CODE."""
    threading.excepthook = _end


def end_with_task(task: "Task[Any]") -> None:
    """Ends the process if the task has ended with an exception, in the same way as for a thread. Pass this function to `add_done_callback`
    of a task that runs as long as the process."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))


def _end(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread is not None else "task"
    lines = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
    try:
        log.critical("a thread ended by an error; the process ends", thread=name, error="".join(lines)[-4000:])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Logging can raise, for example if the disk is full. The process must end even then.
        os._exit(CODE)
