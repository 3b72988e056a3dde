"""Is the console's database the one that was written last, or an older copy that was restored?

Each change that gives or takes a right, and each session that is ended, is counted in the database (row `rights` of
`INSTALLATION`). This count and the latest grants are also written to a file outside the database. If the count in the file is
higher, the database is an older copy, in which rights, keys and sessions that were revoked or ended since are in force again:
nobody can sign in until an administrator has confirmed the copy.
"""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog
from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.engine import make_url

from services.console.readmodel import tables as t
from services.console.readmodel.database import DATABASE_ERRORS, insert_into
from services.shell.private_file import write_private

OF_RIGHTS = "rights"
"""Name of the row of `INSTALLATION` that has the count of changes of rights."""
LATEST = 500
"""How many of the latest grants the file keeps. Before an administrator confirms a copy of the database, the grants
that the copy lacks are shown."""
LOOK_SECONDS = 2.0
"""Seconds between two comparisons. A console compares again and again, because a console on another machine changes the count, too,
and because a copy may be restored while a console runs."""
WHY = {
    "older": "is an older copy: {file} knows of later changes of rights. 是较早的副本",
    "missing": "has counted changes of rights, and {file}, which tells how many there were, is missing on this machine. 缺少权限变更记录文件",
    "unreadable": "cannot be compared with {file}, which cannot be read. 无法读取权限变更记录文件",
    "unknown": "was not compared with {file} yet. 尚未核对",
}
log = structlog.get_logger()


class Grant(NamedTuple):
    """A row of `tables.GRANTS` as it is kept in the file."""

    number: int
    at_us: int
    granted_by: str
    account: str
    what: str
    detail: str


class RightsFile(NamedTuple):
    """The content of the file: how many changes of rights there were, and the latest grants."""

    changes: int
    grants: tuple[Grant, ...]


class UnreadableRightsFile(Exception):
    """The file exists and cannot be read."""


def file_of(url: str, home: str) -> Path | None:
    """Returns the path of the file that belongs to the database at this address; None for a database in memory. For SQLite the file
    is beside that of the database, for PostgreSQL it is in the folder `home` (DTG_HOME)."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return Path(home).resolve() / f"{parsed.database}.rights.json"
    in_memory = not parsed.database or parsed.database == ":memory:"
    return None if in_memory else Path(f"{parsed.database}.rights.json")


class Generation:
    """Compares the database with its file. `engine` is used for changes, `reading` (by default the same) for the
    comparison every `LOOK_SECONDS`. `file`: None for a database in memory, which is never compared."""

    def __init__(self, engine: Engine, file: Path | None, reading: Engine | None = None) -> None:
        self._engine, self._reading, self._file = engine, reading or engine, file
        self.held = "unknown" if file else ""
        """Why nobody can sign in, as a key of `WHY`; empty if the database is the one that was written last."""

    def advance(self, connection: Connection) -> None:
        """Counts one more change. Call it in the transaction of that change, after all other rows of the change were
        written. Does nothing while nobody can sign in (`held`), or if the file counts more changes than the database: the
        database may be an older copy, and further changes could raise its count to that of the file, so that the copy
        would no longer be noticed."""
        if self.held or self._file is None:
            return
        count = _count(connection, lock=True)
        # The copy may have been restored since the last comparison. The row of the count is locked, so the file cannot be
        # ahead for another reason.
        noted = _read_if_possible(self._file)
        if noted is not None and (count or 0) < noted.changes:
            return
        _set_count(connection, count, (count or 0) + 1)

    def look(self) -> None:
        """Compares the database with its file, and writes to the file what only the database has. Do not call it inside a
        transaction.

        The file is read before the database. If a change happens between the two reads, the database is ahead, which is harmless.
        """
        if self._file is None:
            return
        why, before = self._compare(self._file), self.held
        self.held = why
        if why and why != before:
            log.error(
                "nobody is believed: the database of the console is not the one that was written last",
                why=self.sentence(),
            )
        if before not in ("", "unknown") and not why:
            log.info("the database of the console was confirmed")

    def _compare(self, file: Path) -> str:
        while True:
            try:
                noted = _read(file)
            except UnreadableRightsFile:
                return "unreadable"
            with self._reading.begin() as connection:
                count = _count(connection)
                latest = _latest(connection) if count is not None and noted and count > noted.changes else ()
                nobody = connection.execute(select(t.ACCOUNTS.c.account).limit(1)).first() is None
            if noted is None and count is not None:
                return "missing"
            if noted is None:
                _write(file, RightsFile(0, ()))
            elif count is None and (nobody or noted.changes == 0):
                # The database has no count yet. Either it was never compared with the file, or it is new and has no
                # accounts.
                with self._engine.begin() as connection:
                    _set_count(connection, None, noted.changes + 1)
            elif (count or 0) < noted.changes:
                return "older"
            elif count is not None and count > noted.changes:
                _write(file, RightsFile(count, latest))
            else:
                return ""

    async def follow(self) -> None:
        """Compares the database with its file every `LOOK_SECONDS`, without end."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look_again)

    def look_again(self) -> None:
        """Compares as `look` does, but only logs errors of the database and the disk, because the next comparison finds what this
        one missed."""
        try:
            self.look()
        except DATABASE_ERRORS as error:  # one of them is OSError, which reading or writing the file may raise
            log.warning("changes of rights cannot be compared", error=str(getattr(error, "orig", None) or error)[:300])

    def lacking(self) -> list[Grant]:
        """Returns the grants of the file that the database does not have, the latest first; an empty list if the file cannot be
        read."""
        noted = _read_if_possible(self._file) if self._file else None
        if noted is None:
            return []
        with self._reading.begin() as connection:
            there = {(row.number, row.at_us, row.account, row.what) for row in connection.execute(select(t.GRANTS))}
        return [each for each in noted.grants if (each.number, each.at_us, each.account, each.what) not in there]

    def confirm(self, *, by: str, at: int) -> None:
        """Accepts the database as it is, so that people can sign in again. All sessions are deleted, because some may have been
        ended after the copy was made. `by`: the administrator who confirms; `at`: microseconds since 1970 UTC."""
        if self._file is None or not self.held:
            return
        noted = _read_if_possible(self._file)
        with self._engine.begin() as connection:
            count = _count(connection, lock=True)
            connection.execute(delete(t.SESSIONS))
            row = {"granted_by": by, "account": by, "what": "copy confirmed", "detail": self.held}
            connection.execute(t.GRANTS.insert().values(at_us=at, **row))
            after = max(count or 0, noted.changes if noted else 0) + 1
            _set_count(connection, count, after)
            latest = _latest(connection)
        _write(self._file, RightsFile(after, latest))
        self.look()

    def sentence(self) -> str:
        """Returns why nobody can sign in and what to do about it, in English and Chinese; an empty text if everybody can."""
        if not self.held:
            return ""
        why = WHY[self.held].format(file=self._file)
        return (
            f"The database of the console {why}。 Nobody can sign in and no API key is good until somebody confirms it: "
            "`dtg account confirm` shows what is to be looked at first. 登录与密钥已停用，请运行 dtg account confirm"
        )


def _count(connection: Connection, *, lock: bool = False) -> int | None:
    row = select(t.INSTALLATION.c.value).where(t.INSTALLATION.c.name == OF_RIGHTS)
    value = connection.execute(row.with_for_update() if lock else row).scalar()
    return None if value is None else int(value)


def _set_count(connection: Connection, before: int | None, count: int) -> None:
    i = t.INSTALLATION.c
    if before is None:
        made = insert_into(connection, t.INSTALLATION).values(name=OF_RIGHTS, value=str(count))
        connection.execute(made.on_conflict_do_nothing())
    else:
        connection.execute(update(t.INSTALLATION).where(i.name == OF_RIGHTS).values(value=str(count)))


def _latest(connection: Connection) -> tuple[Grant, ...]:
    rows = connection.execute(select(t.GRANTS).order_by(t.GRANTS.c.number.desc()).limit(LATEST))
    return tuple([Grant(*row) for row in rows])


def _read(file: Path) -> RightsFile | None:
    """Returns the content of the file; None if there is no file. Raises UnreadableRightsFile if it cannot be read or is
    malformed."""
    try:
        content: Any = orjson.loads(file.read_bytes())
        return RightsFile(int(content["changes"]), tuple([Grant(*each) for each in content["grants"]]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableRightsFile(str(file)) from error


def _read_if_possible(file: Path) -> RightsFile | None:
    """Returns the content of the file; None if there is no file, or if it cannot be read. Use it only where `Generation.look`
    has noticed, or will notice, that the file cannot be read."""
    try:
        return _read(file)
    except UnreadableRightsFile:
        return None


def _write(file: Path, noted: RightsFile) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {"changes": noted.changes, "grants": [list(each) for each in noted.grants]}
    write_private(file, orjson.dumps(content).decode())
