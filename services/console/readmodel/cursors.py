"""Where in the feed is a port? `<epoch>.<number>`: numbers go on through all epochs, and each epoch began at one of them.

Each run of a projector that adds to the feed begins an epoch, under a name that no other run has. A database that is restored
from a copy lacks the epochs begun since, and those that it has end with its last entry or where the next one began: a cursor
of another past of the same feed is in none of them. `dtg rebuild` keeps entries, numbers and epochs.
"""

import os
from hashlib import blake2b
from typing import NamedTuple

from services.shell.clock import now, stopwatch

MIGRATED = "first"
"""The epoch of entries from before there were epochs, whose cursors were bare numbers."""
PATTERN = r"^([a-z][a-z0-9]{0,31}\.)?[0-9]{1,18}$"


class Cursor(NamedTuple):
    """The last entry that was worked on; number 0 is before the first of all, in whatever epoch."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}" if self.number else "0"


BEGINNING = Cursor(MIGRATED, 0)


class WrongFeed(Exception):
    """The feed does not have this cursor; `last` is its last entry."""

    def __init__(self, cursor: Cursor, last: int) -> None:
        super().__init__(f"{cursor} is in no epoch of this feed")
        self.cursor, self.last = cursor, last


def cursor_of(text: str) -> Cursor:
    """From a text that matches PATTERN."""
    epoch, _, number = text.rpartition(".")
    return Cursor(epoch or MIGRATED, int(number)) if int(number) else BEGINNING


def new_epoch() -> str:
    """A name that no other run of any projector has: two processes do not share a moment and a process id."""
    seed = f"{now().isoformat()} {stopwatch()!r} {os.uname().nodename} {os.getpid()}"
    return f"e{blake2b(seed.encode(), digest_size=6).hexdigest()}"
