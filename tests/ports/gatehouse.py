"""What does a port in these tests do? For each notice it stores an act (one row), in the transaction in which the
notebook records the notice. If this module is run as a program, it kills itself between an act and the commit."""

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path

from services.ports.notebook import Notebook
from services.ports.notice import Notice, Unread
from services.ports.topic import TopicPort


class Gatehouse:
    """The handler of a port. Stores its acts in a table of the notebook. At act number `dies_at` it kills its process,
    after the act and before the commit."""

    def __init__(self, notebook: Notebook, dies_at: int = 0) -> None:
        self.unread_messages: list[Unread] = []
        self.heard_of: list[Notice] = []
        self._dies_at = dies_at
        with contextlib.closing(sqlite3.connect(notebook.file)) as sql:
            sql.execute("CREATE TABLE IF NOT EXISTS acts (id TEXT, kind TEXT, subject TEXT)")

    def heard(self, notice: Notice, notebook: sqlite3.Connection) -> None:
        notebook.execute("INSERT INTO acts VALUES (?, ?, ?)", (notice.id, notice.kind, notice.subject))
        self.heard_of.append(notice)
        if len(self.heard_of) == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def unread(self, message: Unread, notebook: sqlite3.Connection) -> None:
        self.unread_messages.append(message)


def acts(file: Path) -> list[tuple[str, str]]:
    """(id, subject) of every stored act, in order."""
    with contextlib.closing(sqlite3.connect(file)) as sql:
        return list(sql.execute("SELECT id, subject FROM acts ORDER BY rowid"))


if __name__ == "__main__":
    bootstrap, kept, dies = sys.argv[1:]
    notes = Notebook(kept)
    # the batches are small, so that there are many moments at which the process can die
    with TopicPort(bootstrap, notes, max_poll_records=2) as port:
        port.catch_up(Gatehouse(notes, int(dies)), 30)
