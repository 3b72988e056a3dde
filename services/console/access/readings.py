"""Which masked fields did an account of customs read? Masked fields, for example officers' remarks, are left out of
answers to accounts outside customs. A reading is recorded for the goods or the container that it is about.

A row says that an answer with such fields was given. The row is written some tenths of a second after the answer, so
that no answer waits for the database. If an account reads about the same goods or container again within an hour, the
process writes no second row, so that a page that refreshes itself does not fill the table.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import structlog
from fastapi import Request
from prometheus_client import Counter
from sqlalchemy import Engine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.access.rights import READS, Who
from services.console.readmodel.database import DATABASE_ERRORS, address, insert_into, open_engine
from services.console.readmodel.tables import READINGS
from services.console.readmodel.write_behind import Unwritten
from services.shell.clock import now, stopwatch
from services.shell.ending import end_with_task

AGAIN_SECONDS = 3600.0
"""Seconds after which another reading of the same subject by the same account gets a row."""
REMEMBERED = 50_000
"""The most pairs of account and subject for which a process remembers when it last noted a row. The process compares
with this time, so that it notes the same reading only once in AGAIN_SECONDS."""
WAITING = 100_000
"""The most rows that wait while the database does not answer. If there are more, the oldest are dropped and counted."""
LONGEST_SUBJECT = 255
GIVEN_UP = Counter("customs_console_readings_given_up", "Readings of masked fields that could not be put on record")
log = structlog.get_logger()


class ReadingRow(NamedTuple):
    """A row of `tables.READINGS`."""

    reader: str
    subject: str
    at_us: int


class Readings:
    """Notes the readings for one console. `engine`: an engine for writing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._noting = Lock()
        self._waiting = Unwritten(self._insert, _not_on_record, WAITING, GIVEN_UP.inc)
        self._task: asyncio.Task[None] | None = None

    def note(self, reader: str, subject: str) -> None:
        """Queues a row which says that the account `reader` got an answer with fields that are masked outside customs.
        `subject`: the goods, container or list of the answer. Does nothing if the same reading was noted less than
        AGAIN_SECONDS ago."""
        key, moment = (reader, subject[:LONGEST_SUBJECT]), stopwatch()
        with self._noting:  # answers are made in several threads, which may note readings at the same time
            if moment - self._noted.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
                return
            self._noted[key] = moment
            self._noted.move_to_end(key)
            while len(self._noted) > REMEMBERED:
                self._noted.popitem(last=False)
        self._waiting.note(ReadingRow(*key, int(now().timestamp() * 1_000_000)))

    def start(self) -> None:
        """Starts the task that writes the noted rows."""
        self._task = asyncio.create_task(self._write_on())
        self._task.add_done_callback(end_with_task)

    async def stop(self) -> None:
        """Stops the task that writes the rows, and writes the rows that it has not written yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await asyncio.to_thread(self.write)
        except DATABASE_ERRORS as error:
            GIVEN_UP.inc(len(self._waiting))
            log.warning("readings are not on record", count=len(self._waiting), error=str(error).splitlines()[0][:300])

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(0.3)
            try:
                await asyncio.to_thread(self.write)
            except DATABASE_ERRORS as error:
                log.warning("the record of readings waits", error=str(getattr(error, "orig", None) or error)[:300])

    def write(self) -> None:
        """Writes the noted rows to the database (see `Unwritten.write`)."""
        self._waiting.write()

    def _insert(self, taken: list[ReadingRow]) -> None:
        insert(self._engine, taken)


def insert(engine: Engine, taken: Iterable[ReadingRow]) -> None:
    """Writes these rows in one transaction. Rows that exist already are skipped."""
    with engine.begin() as connection:
        connection.execute(
            insert_into(connection, READINGS).on_conflict_do_nothing(), [each._asdict() for each in taken]
        )


def note_at_machine(url: str, reader: str, subject: str, at: datetime) -> str:
    """Records that `reader` read masked fields by a command on this machine. Returns an empty text, or the reason why
    the record could not be written. `url`: the database, which is not created if it does not exist; `at`: aware
    time."""
    parsed = address(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return f"there is no database {parsed.database}"
    engine = open_engine(url, writes=True)
    stored = subject.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    try:
        insert(engine, [ReadingRow(reader, stored[:LONGEST_SUBJECT], int(at.timestamp() * 1_000_000))])
    except DATABASE_ERRORS as error:
        return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
    finally:
        engine.dispose()
    return ""


def _not_on_record(reading: ReadingRow, error: Exception) -> None:
    GIVEN_UP.inc()
    log.warning("a reading is not on record", reader=reading.reader, error=str(error)[:300])


class Recorded:
    """ASGI middleware that notes a reading for each answer that goes to an account of customs and may contain fields that
    are masked for others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                _note(scope)
            await send(message)

        await self._app(scope, receive, noted)


def note_told(request: Request, *subjects: str) -> None:
    """Notes that the answer to this request shows fields of these goods or containers that are masked outside customs.
    Call it for answers whose address does not name the goods or containers."""
    _note_subjects(request.scope, subjects)


def _note_subjects(scope: Scope, subjects: Iterable[str]) -> None:
    who, readings = scope.get("who"), scope["app"].state.readings
    if isinstance(who, Who) and who.of_customs():
        for subject in subjects:
            readings.note(who.actor, subject)


def _note(scope: Scope) -> None:
    path = getattr(scope.get("route"), "path", "")
    if path in READS:
        _note_subjects(scope, [str(scope["path_params"].get(READS[path], scope["path"]))])
