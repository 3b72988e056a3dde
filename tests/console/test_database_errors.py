"""Does the projector survive every error of PostgreSQL, and are all facts in the rows afterwards? The errors come from
a real server during COPY."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psycopg
import pytest

from services.console.readmodel import database
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from tests.console.border import green, publish
from tests.console.conftest import Projecting, projecting
from tests.console.postgres import Postgres
from tests.console.test_projector import stages
from tests.waiting import wait, wait_until_ended

RAISING = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {} RETURN NEW; END'"
STANDS_IN_COPY = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND state = 'active'"
)
WAITS_FOR_LOCK = STANDS_IN_COPY + " AND wait_event_type = 'Lock'"


class Server:
    """A connection to one database with the rights of the database's administrator."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql+psycopg", "postgresql")
        self.sql = psycopg.connect(self.url, autocommit=True)

    @contextmanager
    def trigger(self, body: str) -> Iterator[None]:
        """Within the block, a trigger runs the SQL in `body` before each fact is written."""
        self.sql.execute(RAISING.format(body))
        self.sql.execute("CREATE TRIGGER refuse BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION refuse()")
        yield
        self.sql.execute("DROP TRIGGER refuse ON facts")
        self.sql.execute("DROP FUNCTION refuse")

    def standing_in(self, query: str) -> int:
        """Waits until the query finds a connection of the projector. Returns the id of PostgreSQL's process for this
        connection."""
        found: list[Any] = []

        def looked() -> bool:
            found[:] = self.sql.execute(query).fetchall()
            return bool(found)

        wait(looked, "the projector to stand in COPY")
        return int(found[0][0])


@pytest.fixture
def server(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)
    made = postgres.database("errors_of_the_server")
    migrate(made)
    running = Server(made)
    running.sql.execute("ALTER DATABASE errors_of_the_server SET deadlock_timeout = '300ms'")
    yield running
    running.sql.close()
    postgres.drop("errors_of_the_server")


class Fault:
    """One fault of the server while the facts of one consignment are projected."""

    def __init__(self, name: str, server: Server, running: Projecting) -> None:
        self.server, self.running, self.consignment = server, running, green(f"database-{name}")

    def publish(self) -> None:
        """Publishes facts to be projected; called when the fault is in place."""
        publish(self.running.settings.kafka, self.consignment.messages)

    def waits(self, text: str) -> None:
        """Waits until the projector reports the fault with this text, and checks that the projector's thread is
        alive."""
        wait(lambda: text in self.running.progress.state().trouble, f"the projector to wait: {text}")
        assert self.running.thread.is_alive()


def _raised(code: str) -> Callable[[Fault], None]:
    def happens(fault: Fault) -> None:
        with fault.server.trigger(f"RAISE EXCEPTION ''refused with {code}'' USING ERRCODE = ''{code}'';"):
            fault.publish()
            fault.waits(f"refused with {code}")

    return happens


def _locked(fault: Fault) -> None:
    with psycopg.connect(fault.server.url) as other:
        other.execute("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")
        fault.publish()
        fault.waits("lock timeout")


def _cancelled(fault: Fault) -> None:
    with fault.server.trigger("PERFORM pg_sleep(30);"):
        fault.publish()
        fault.server.sql.execute("SELECT pg_cancel_backend(%s)", (fault.server.standing_in(STANDS_IN_COPY),))
        fault.waits("cancel")


def _statement_timeout(fault: Fault) -> None:
    with fault.server.trigger("PERFORM pg_sleep(30);"):
        fault.server.sql.execute("ALTER DATABASE errors_of_the_server SET statement_timeout = '300ms'")
        fault.publish()
        fault.server.sql.execute("SELECT pg_terminate_backend(%s)", (fault.server.standing_in(STANDS_IN_COPY),))
        fault.waits("statement timeout")
    fault.server.sql.execute("ALTER DATABASE errors_of_the_server RESET statement_timeout")


def _ended(fault: Fault) -> None:
    with fault.server.trigger("PERFORM pg_sleep(30);"):
        fault.publish()
        fault.server.sql.execute("SELECT pg_terminate_backend(%s)", (fault.server.standing_in(STANDS_IN_COPY),))
        fault.waits("database")


def _deadlock(fault: Fault) -> None:
    with psycopg.connect(fault.server.url) as other:
        # PostgreSQL ends the transaction whose `deadlock_timeout` is over first. So it ends the projector's
        # transaction.
        other.execute("SET deadlock_timeout = '20s'")
        other.execute("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")
        fault.publish()
        fault.server.standing_in(WAITS_FOR_LOCK)
        crossing = Thread(target=lambda: other.execute("SELECT turn FROM turns FOR UPDATE"))
        crossing.start()
        fault.waits("deadlock")
        wait_until_ended(crossing)


CASES = {
    **{f"code-{code}": _raised(code) for code in ("53100", "40001", "XX000")},
    "locked": _locked,
    "cancelled": _cancelled,
    "timeout": _statement_timeout,
    "ended": _ended,
    "deadlock": _deadlock,
}


def test_whatever_postgresql_answers_in_copy_is_waited_out(bootstrap: str, server: Server) -> None:
    settings = ConsoleSettings(kafka=bootstrap, database_url=server.url.replace("postgresql", "postgresql+psycopg"))
    with projecting(settings) as running:
        running.catch_up()
        for name, happens in CASES.items():
            fault = Fault(name, server, running)
            happens(fault)
            running.catch_up()
            assert stages(settings.database_url, fault.consignment) == ["gated_out"], name
