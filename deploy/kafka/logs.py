"""How does the log of a process that runs for months stay small, without the loss of a line?

A process of ours writes into a file that its starter opened (`spawn`), and never opens another one. If its log were
copied and then truncated, lines that the process writes between the two steps would be lost. So only the beginning of
the file is copied, because nobody changes it any more. Then the kernel removes the beginning from the file (fallocate),
which is possible while lines are appended. The latest two former parts are kept (FORMER). LOG.2, LOG.1 and LOG, read in
this order, are the latest lines without a gap.
"""

import contextlib
import ctypes
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

LOG_BYTES = 16 << 20
"""If a log has more bytes than this, its beginning is moved to a former part."""
FORMER = 2
_KEEP_SIZE, _PUNCH, _COLLAPSE = 0x01, 0x02, 0x08
"""Flags of Linux's fallocate(2). KEEP_SIZE with PUNCH frees the disk space of a part of a file, whose length does not
change; COLLAPSE removes the part."""
_PIECE = 1 << 20
Way = Callable[[int, int, int], None]
"""A function that removes the bytes between two offsets from an open file. Its arguments: file descriptor, first
offset, end offset."""


def former(log: Path, number: int) -> Path:
    """Returns the path of the former part number `number` of this log. The latest former part is number 1."""
    return log.with_name(f"{log.name}.{number}")


def turn_over_ended(log: Path, most: int | None = None) -> None:
    """Renames a log to its latest former part (number 1) if it has more than `most` bytes (default LOG_BYTES). No
    process may have the log open."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > (LOG_BYTES if most is None else most):
            _shift(log)
            log.replace(former(log, 1))


def turn_over(log: Path, most: int | None = None) -> None:
    """Moves the beginning of a log to its latest former part (number 1) if the log has more than `most` bytes (default
    LOG_BYTES). A process may append to the log meanwhile, so some kilobytes stay in the log. Does nothing if the file
    system cannot remove a part of a file. Raises OSError if the former part cannot be written; the log is then
    unchanged."""
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
        way(file, 0, end)  # if this process is killed before this line, both files have the copied lines
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
    """Returns the function with which the file system of this folder can remove a part of a file: `collapse` (ext4 and
    XFS) or else `punch`; None if it supports neither."""
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
    """Removes the bytes from `first` to `end` (exclusive; both multiples of the block size), so that the file gets
    shorter. Raises OSError if the file system cannot do that."""
    _fallocate(file, _COLLAPSE, first, end - first)


def punch(file: int, first: int, end: int) -> None:
    """Frees the disk space of the bytes from `first` to `end` (exclusive). The file keeps its length, and these bytes
    are read as NUL. Raises OSError if the file system cannot do that."""
    _fallocate(file, _PUNCH | _KEEP_SIZE, first, end - first)


def _fallocate(file: int, mode: int, first: int, length: int) -> None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if call is None:  # this system is not Linux, and no other system has the function
        raise OSError("there is no fallocate")
    if call(ctypes.c_int(file), ctypes.c_int(mode), ctypes.c_longlong(first), ctypes.c_longlong(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
