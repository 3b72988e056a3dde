"""Rows that are noted at once and written into the database a little later, so that no answer waits for it."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

from services.console.readmodel.database import refuses_values

R = TypeVar("R")


class Unwritten(Generic[R]):
    """What waits to be written, each row once. One thread may note rows while another writes.

    `insert` writes rows in one transaction, and does nothing for a row that is there; `refused` is told of a row that the database
    refuses for its values. Where `most` wait, the oldest of them are given up, and `given_up` is called for each.
    """

    def __init__(
        self,
        insert: Callable[[list[R]], None],
        refused: Callable[[R, Exception], None],
        most: int | None = None,
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._insert, self._refused, self._most, self._given_up = insert, refused, most, given_up
        self._rows: deque[R] = deque()
        self._writing = Lock()
        """One at a time: a console that stops writes what waits while the thread of a task that was cancelled may still write."""

    def __len__(self) -> int:
        return len(self._rows)

    def note(self, row: R) -> None:
        self._rows.append(row)
        self._give_up()

    def write(self) -> None:
        """Writes what was noted until now; what the database does not take waits again, before what was noted meanwhile."""
        with self._writing:
            taken: list[R] = []
            with suppress(IndexError):  # the oldest may be given up meanwhile, so no count of them holds
                while True:
                    taken.append(self._rows.popleft())
            if not taken:
                return
            try:
                self._insert_all(taken)
            except BaseException:
                self._rows.extendleft(reversed(taken))
                self._give_up()
                raise

    def _give_up(self) -> None:
        while self._most is not None and len(self._rows) > self._most:
            self._rows.popleft()
            self._given_up()

    def _insert_all(self, taken: list[R]) -> None:
        """A row that the database refuses keeps no other one waiting."""
        try:
            self._insert(taken)
        except Exception as error:
            if not refuses_values(error):
                raise
            for row in taken:
                self._insert_alone(row)

    def _insert_alone(self, row: R) -> None:
        try:
            self._insert([row])
        except Exception as error:
            if not refuses_values(error):
                raise
            self._refused(row, error)
