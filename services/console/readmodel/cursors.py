"""Where in the feed is a port? A cursor is `<epoch>.<number>`; the numbers grow through all epochs, and each epoch began
at one of the numbers.

A projector begins an epoch, under a name that no other epoch has, with the first entry that it adds to the feed after its
start or after an error. An epoch ends where the next one began, or with the last entry of the feed. A database that was
restored from a copy lacks the epochs that began after the copy was made, so a cursor into the entries that were lost
belongs to none of its epochs. `dtg rebuild` keeps entries, numbers and epochs.
"""

import os
from hashlib import blake2b
from typing import NamedTuple

from services.shell.clock import now, stopwatch

MIGRATED = "first"
"""The epoch of the entries that were made before there were epochs. The cursors of these entries were numbers without an
epoch."""
PATTERN = r"^([a-z][a-z0-9]{0,31}\.)?[0-9]{1,18}$"


class Cursor(NamedTuple):
    """The last entry of the feed that a port has handled. The number 0 stands for the place before the first entry; the
    epoch has no meaning then."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}" if self.number else "0"


BEGINNING = Cursor(MIGRATED, 0)


class WrongFeed(Exception):
    """The feed does not have this cursor. `last`: the number of the feed's last entry."""

    def __init__(self, cursor: Cursor, last: int) -> None:
        super().__init__(f"{cursor} is in no epoch of this feed")
        self.cursor, self.last = cursor, last


def cursor_of(text: str) -> Cursor:
    """Returns the cursor for which this text stands. The text must match PATTERN."""
    epoch, _, number = text.rpartition(".")
    return Cursor(epoch or MIGRATED, int(number)) if int(number) else BEGINNING


def new_epoch() -> str:
    """Returns the name of a new epoch. No other epoch gets the same name, because no two are made at the same time on the
    same host in the same process."""
    seed = f"{now().isoformat()} {stopwatch()!r} {os.uname().nodename} {os.getpid()}"
    return f"e{blake2b(seed.encode(), digest_size=6).hexdigest()}"
