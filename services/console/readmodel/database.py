"""How is the read model opened, on SQLite or PostgreSQL, and how are its tables brought to the newest revision?"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.console.readmodel.errors import NewerDatabase, NoDatabase
from services.shell.clock import stopwatch

LOCK_SECONDS = 5
"""For how many seconds an SQL statement waits for a lock before it fails. The projector then tries again."""

OF_DATABASE = (DBAPIError, PoolTimeout, psycopg.Error, sqlite3.Error)
"""The errors that a database or its driver raises. Those of the drivers are among them, because SQLAlchemy wraps only
the errors of its own SQL statements, and not those of a COPY by the driver."""
DATABASE_ERRORS = (*OF_DATABASE, OSError)
"""The errors in `OF_DATABASE`, and those of the connection to the database."""
LOCKED = "Another program writes it at this moment: try again, or end that program. 数据库被其他程序占用，请稍后再试"
FULL = "Its disk is full: free some space, then try again. 磁盘已满，请先清理"
_HINTS = {
    "database is locked": LOCKED,
    "database table is locked": LOCKED,
    "database or disk is full": FULL,
    "No space left on device": FULL,
}
_STATES = {"55P03": LOCKED, "40P01": LOCKED, "57014": LOCKED, "53100": FULL}
"""SQLSTATE → hint for the operator. The states are, in this order: lock not available, deadlock, statement timeout, disk full."""
NO_ADDRESS = "it is no address of a database that this program knows"
ADDRESSES = "DTG_DATABASE_URL is sqlite:///file or postgresql://user:password@host/name. 数据库地址有误"
_FOLDER = str(Path(__file__).parent / "migrations")
_OF_VALUES = ("22", "23", "54")
"""The classes of SQLSTATE that are caused by a written value: data exception, integrity, and program limit (for example a key that is too
long for an index)."""


def refuses_values(error: Exception) -> bool:
    """Returns whether the error was caused by a value that was to be written, so that it is useless to try again with this value. Errors
    that are not database errors at all count as caused by a value."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        if cause.sqlstate:
            return cause.sqlstate[:2] in _OF_VALUES
        return isinstance(cause, (psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError))
    if isinstance(cause, sqlite3.Error):
        refused = isinstance(cause, (sqlite3.DataError, sqlite3.IntegrityError))
        return refused or "binding parameter" in str(cause) or "too big" in str(cause)
    return not isinstance(error, DATABASE_ERRORS)


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Turns errors of this database or its driver in the `with` block into NoDatabase, whose text says what to do."""
    try:
        yield
    except OF_DATABASE as error:
        raise NoDatabase(shown(url), getattr(error, "orig", None) or error, _hint(error)) from error


def _hint(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    found = _STATES.get(getattr(cause, "sqlstate", None) or "")
    return found or next((hint for part, hint in _HINTS.items() if part in str(cause)), "")


def address(url: str) -> URL:
    """Returns the parts of a database's address. Raises NoDatabase if it is not an address of SQLite or PostgreSQL. The text of the
    exception does not contain the address, because that may have a password."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):  # ValueError: the port in the address is no number
        raise NoDatabase("DTG_DATABASE_URL", NO_ADDRESS, ADDRESSES) from None
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise NoDatabase("DTG_DATABASE_URL", NO_ADDRESS, ADDRESSES)
    return parsed


def open_engine(url: str, *, writes: bool = False) -> Engine:
    """Returns an engine for the database at this address. Use it for reading only, unless `writes` is true. On SQLite,
    the transactions of an engine for writing take the write lock when they begin."""
    parsed = address(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate if writes else _begin)
        return engine
    wait = f"-c lock_timeout={LOCK_SECONDS * 1000}"
    return create_engine(
        parsed,
        pool_pre_ping=True,
        connect_args={"connect_timeout": LOCK_SECONDS, "options": wait},
        pool_size=8,
        # All queries of a transaction that only reads must see the same snapshot. For example, the gate's answer compares
        # the rows with the standing of the projector.
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
    )


def insert_into(bind: Engine | Connection, table: Table) -> Any:
    """Returns an INSERT into this table in the dialect of the database. In contrast to SQLAlchemy's general INSERT, it can skip rows that
    exist already (`on_conflict_do_nothing`)."""
    return (postgresql if bind.dialect.name == "postgresql" else sqlite).insert(table)


def shown(url: str | URL) -> str:
    """Returns the name or address of the database, without the password."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    return str(parsed.database) if sqlite else parsed.render_as_string(hide_password=True)


def migrate(url: str) -> None:
    """Brings the tables to the newest revision. It is safe to call this on every start. Raises NoDatabase if the database cannot be reached
    or written."""
    engine = open_engine(url, writes=True)
    try:
        with reached(url), engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


def not_newest(url: str) -> str:
    """Returns why the tables do not have the newest revision that this program knows, or why they cannot be read.
    Returns an empty text if they have this revision. Raises NewerDatabase if they have a revision that this program
    does not know."""
    engine, scripts = open_engine(url), ScriptDirectory(_FOLDER)
    try:
        with engine.begin() as connection:
            _check_known(connection, scripts)
            there = set(MigrationContext.configure(connection).get_current_heads())
    except DATABASE_ERRORS as error:
        return str(error).splitlines()[0][:300]
    finally:
        engine.dispose()
    return "" if there == set(scripts.get_heads()) else f"their revision is {', '.join(sorted(there)) or 'none'}"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Runs the migrations up to `revision` on this connection, inside its transaction. Raises NewerDatabase if the tables have a revision
    that this program does not know."""
    config = Config()
    config.set_main_option("script_location", _FOLDER.replace("%", "%%"))
    config.attributes["connection"] = connection
    _check_known(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, revision)


def _check_known(connection: Connection, scripts: ScriptDirectory) -> None:
    name = shown(connection.engine.url)
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise NewerDatabase(name, revision)


def _write_ahead(connection: Any) -> None:
    """Sets the journal mode to WAL. SQLite does not wait for a lock when it does this. So if two processes open a new database
    at the same moment, the second one fails. Therefore this function tries again for up to `LOCK_SECONDS`, which is
    also the time for which other SQL statements wait for a lock."""
    deadline = stopwatch() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or stopwatch() > deadline:
                raise
            time.sleep(0.02)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # With None, the driver does not send BEGIN. Otherwise it would send BEGIN only before the first write, and never BEGIN IMMEDIATE.
    connection.isolation_level = None
    _write_ahead(connection)
    for pragma in (
        "synchronous=NORMAL",
        "cache_size=-32768",
        "temp_store=MEMORY",
        "wal_autocheckpoint=8000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
