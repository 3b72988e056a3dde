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
"""Exit code of a process that ends in this way (EX_SOFTWARE of sysexits.h)."""
log = structlog.get_logger()


def end_with_any_thread() -> None:
    """From now on an exception that leaves a thread ends this process with CODE, after it was logged. For a process's start."""
    threading.excepthook = _end


def end_with_task(task: "Task[Any]") -> None:
    """For `Task.add_done_callback`: what is to run as long as the process does is treated as a thread is."""
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
    finally:  # also when the log's disk is full
        os._exit(CODE)
