"""What did somebody of customs read that stands in no answer to others? Officers' words and other masked fields, by goods or container,
noted beside the answers.

A row says that the answer was given; it is written some tenths of a second later, so that no reading waits for the database. Who asks
for the same again within an hour has one row, so that a page that refreshes itself fills no table.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.database import DATABASE_ERRORS, refuses_values
from services.console.rights import READS, Who
from services.console.tables import READINGS
from services.shell.clock import now, stopwatch
from services.shell.ending import end_with_task

AGAIN_SECONDS = 3600.0
"""After so long the same reading is another row."""
REMEMBERED = 50_000
"""Readings of which a process remembers that they are noted."""
WAITING = 100_000
"""Rows that wait for a database that does not answer; beyond it the oldest are given up, and counted."""
LONGEST_SUBJECT = 255
GIVEN_UP = Counter("customs_console_readings_given_up", "Readings of masked fields that could not be put on record")
log = structlog.get_logger()


class Reading(NamedTuple):
    """Columns as in `tables.READINGS`."""

    reader: str
    subject: str
    at_us: int


class Readings:
    """What is noted by one console. `engine` writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._waiting: deque[Reading] = deque()
        self._writing = Lock()
        """One at a time: a console that stops writes what waits while the thread of the task that it cancelled may still write."""
        self._task: asyncio.Task[None] | None = None

    def note(self, reader: str, subject: str) -> None:
        """This person was told what is masked of these goods."""
        key, moment = (reader, subject[:LONGEST_SUBJECT]), stopwatch()
        if moment - self._noted.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        self._noted[key] = moment
        self._noted.move_to_end(key)
        while len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)
        self._waiting.append(Reading(*key, int(now().timestamp() * 1_000_000)))
        self._give_up()

    def start(self) -> None:
        """From now on what is noted is written."""
        self._task = asyncio.create_task(self._write_on())
        self._task.add_done_callback(end_with_task)

    async def stop(self) -> None:
        """Writes what waits."""
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
        """Writes what was noted until now; what the database does not take waits again, before what was noted meanwhile."""
        with self._writing:
            taken: list[Reading] = []
            with suppress(IndexError):  # `note` may give up the oldest meanwhile, so no count of them holds
                while True:
                    taken.append(self._waiting.popleft())
            if not taken:
                return
            try:
                self._insert_each(taken)
            except BaseException:
                self._waiting.extendleft(reversed(taken))
                self._give_up()
                raise

    def _give_up(self) -> None:
        while len(self._waiting) > WAITING:
            self._waiting.popleft()
            GIVEN_UP.inc()

    def _insert_each(self, taken: list[Reading]) -> None:
        try:
            self._insert(taken)
        except Exception as error:
            if not refuses_values(error):
                raise
            for each in taken:
                self._insert_alone(each)

    def _insert_alone(self, reading: Reading) -> None:
        """A row that the database refuses keeps no other one waiting."""
        try:
            self._insert([reading])
        except Exception as error:
            if not refuses_values(error):
                raise
            GIVEN_UP.inc()
            log.warning("a reading is not on record", reader=reading.reader, error=str(error)[:300])

    def _insert(self, taken: list[Reading]) -> None:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        with self._engine.begin() as connection:
            rows = [each._asdict() for each in taken]
            connection.execute(dialect.insert(READINGS).on_conflict_do_nothing(), rows)


class Recorded:
    """Notes each answer to somebody of customs that may hold masked fields."""

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


def _note(scope: Scope) -> None:
    path, who = getattr(scope.get("route"), "path", ""), scope.get("who")
    if isinstance(who, Who) and path in READS and who.of_customs():
        told: Mapping[str, str] = scope["path_params"]
        readings: Readings = scope["app"].state.readings
        readings.note(who.actor, str(told.get(READS[path], scope["path"])))
