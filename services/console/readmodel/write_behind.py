"""How are rows written without delaying an answer? They are queued at once and written to the database a little later."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

from services.console.readmodel.database import refuses_values

R = TypeVar("R")


class Unwritten(Generic[R]):
    """A queue of rows that wait to be written. One thread may add rows (`note`) while another one writes them.

    `insert` writes rows in one transaction, and skips rows that exist already; `refused` is called with each row that the database refuses
    because of its values. If more than `most` rows wait, the oldest are dropped, and `given_up` is called for each of them.
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
        """Only one thread writes at a time. This lock is needed when a console stops: the console then writes the
        remaining rows, while the thread of the cancelled task may still write."""

    def __len__(self) -> int:
        return len(self._rows)

    def note(self, row: R) -> None:
        self._rows.append(row)
        self._give_up()

    def write(self) -> None:
        """Writes the rows in the queue to the database. If the database fails, the rows return to the head of the queue and the error is raised."""
        with self._writing:
            taken: list[R] = []
            # another thread may drop the oldest row meanwhile, so the length of `_rows` is not reliable
            with suppress(IndexError):
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
        """Writes all rows in one transaction. If the database refuses a value, each row is written by itself, so that
        only the row with this value fails."""
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
