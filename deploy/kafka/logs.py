"""How does the log of a process that runs for months stay small, without a line of it being lost?

A process of ours writes into a file that its starter opened (`spawn`), and knows nothing of other files; it could write between
the copy of a log and its cutting off. So its beginning is copied first, which nobody changes any more, and is then taken out of the
file by the kernel (fallocate), whatever is appended at that moment. FORMER former parts are kept: LOG.2, LOG.1 and LOG, read one
behind the other, are the last of what was said, to the byte.
"""

import contextlib
import ctypes
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

LOG_BYTES = 16 << 20
"""Of a log; when it has more, they become the former part."""
FORMER = 2
_KEEP_SIZE, _PUNCH, _COLLAPSE = 0x01, 0x02, 0x08
"""Of fallocate(2), Linux: free a part of a file that stays as long as it is, or take it out."""
_PIECE = 1 << 20
Way = Callable[[int, int, int], None]
"""Takes the bytes from one offset to another one out of an open file."""


def former(log: Path, number: int) -> Path:
    """Where its former part of this number lies; 1 is the latest."""
    return log.with_name(f"{log.name}.{number}")


def turn_over_ended(log: Path, most: int | None = None) -> None:
    """The log of a process that ended, or that nobody holds open, becomes the former part if it has more than LOG_BYTES (`most`)."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > (LOG_BYTES if most is None else most):
            _shift(log)
            log.replace(former(log, 1))


def turn_over(log: Path, most: int | None = None) -> None:
    """As `turn_over_ended`, while a process appends to the log; some kilobytes stay in it. Where the file system can take no part out of
    a file, nothing is done until the process starts again. OSError where the former part cannot be written: nothing is lost then.
    """
    try:
        file = os.open(log, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        size = os.fstat(file).st_size
        if size <= (LOG_BYTES if most is None else most):
            return
        first, block = os.lseek(file, 0, os.SEEK_DATA), os.fstatvfs(file).f_bsize
        end = (size - 1) // block * block
        way = way_of(log.parent)
        if way is None or end - first <= (LOG_BYTES if most is None else most) - block:
            return
        beside = log.with_name(f"{log.name}.new")
        try:
            _copy(file, first, end, beside)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _shift(log)
        beside.replace(former(log, 1))
        way(file, 0, end)  # who is killed before this finds these lines twice
    finally:
        os.close(file)


def _copy(file: int, first: int, end: int, into: Path) -> None:
    into.unlink(missing_ok=True)
    with open(os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        at = first
        while at < end:
            piece = os.pread(file, min(_PIECE, end - at), at)
            out.write(piece)
            at += len(piece)


def _shift(log: Path) -> None:
    for number in range(FORMER, 1, -1):
        with contextlib.suppress(FileNotFoundError):
            former(log, number - 1).replace(former(log, number))


@lru_cache
def way_of(folder: Path) -> Way | None:
    """How the file system of this folder takes a part out of a file: ext4 and XFS shorten it, others free its room; None: it cannot."""
    for way in (collapse, punch):
        with tempfile.TemporaryFile(dir=folder) as probe:
            block = os.fstatvfs(probe.fileno()).f_bsize
            probe.write(b"x" * (block + 1))
            probe.flush()
            try:
                way(probe.fileno(), 0, block)
            except OSError:
                continue
            return way
    return None


def collapse(file: int, first: int, end: int) -> None:
    """The file is shorter by that afterwards. OSError where the file system cannot."""
    _fallocate(file, _COLLAPSE, first, end - first)


def punch(file: int, first: int, end: int) -> None:
    """The file is as long as before and takes less room; NULs are read there. OSError where the file system cannot."""
    _fallocate(file, _PUNCH | _KEEP_SIZE, first, end - first)


def _fallocate(file: int, mode: int, first: int, length: int) -> None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if call is None:  # not Linux
        raise OSError("there is no fallocate")
    if call(ctypes.c_int(file), ctypes.c_int(mode), ctypes.c_longlong(first), ctypes.c_longlong(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
