"""What do the console's tests use? They use a broker without desks, SQLite and PostgreSQL, and a projector that a test
can wait for.

The tests write the facts of the desks themselves. They also write bad messages on every topic. So no desk may run on
this broker.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from deploy.kafka.broker import free_port
from services.console.app import LONGEST_ANSWER, create_app
from services.console.main import Server, config_of
from services.console.readmodel.database import migrate
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from tests.conftest import PARTITIONS, provisioned
from tests.console.postgres import Postgres
from tests.console.routes import routes_of
from tests.people import admit, headers_of
from tests.waiting import wait, wait_until_ended


class Projecting:
    """A projector that runs in a thread."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self.settings = settings
        self.progress = Progress()
        self.projector = Projector(settings, self.progress)
        self.thread = Thread(target=self.projector.run, daemon=True)

    def catch_up(self) -> None:
        """Waits until all messages that were written before this call are in the rows."""
        moment = now()

        def caught_up() -> bool:
            as_of = self.progress.state().as_of
            return as_of is not None and as_of > moment

        wait(caught_up, f"the projector to catch up ({self.progress.state().trouble})")


@contextmanager
def projecting(settings: ConsoleSettings) -> Iterator[Projecting]:
    running = Projecting(settings)
    running.thread.start()
    try:
        yield running
    finally:
        running.projector.stop()
        wait_until_ended(running.thread)


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker with every topic and no desk."""
    with provisioned(tmp_path_factory.mktemp("quiet-kafka")) as running:
        yield running.bootstrap


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # the folder is not below pytest's own folders, because the user `postgres` may not read pytest's folders
    folder = Path(tempfile.mkdtemp(prefix="console-pg-"))
    running = Postgres(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty, migrated database. A test with this fixture runs once on SQLite and once on PostgreSQL."""
    # for a PostgreSQL database, the file of rights is kept in the folder DTG_HOME
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path}/console.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        made = server.database(f"t{abs(hash(request.node.nodeid)):x}"[:40])
    migrate(made)
    return made


@pytest.fixture
def settings(bootstrap: str, url: str) -> ConsoleSettings:
    return ConsoleSettings(kafka=bootstrap, partitions=PARTITIONS, database_url=url)


class Running:
    """The real console on a free port; its server runs in a thread of this process."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self.settings = settings
        self.app = create_app(settings)
        self.address = f"http://127.0.0.1:{settings.console_port}"
        config = config_of(settings, self.app)
        config.timeout_graceful_shutdown = 1
        self.server = Server(config, self.app)
        self.thread = Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.http = httpx2.Client(base_url=self.address, timeout=300, headers=headers_of())

    def start(self) -> None:
        admit(self.settings.database_url)
        self.thread.start()
        wait(lambda: self.server.started, "the server to start")
        wait(lambda: self.http.get("/readyz").status_code == 200, "the console to be ready")

    def stop(self) -> None:
        self.server.handle_exit(2, None)
        wait_until_ended(self.thread)
        self.http.close()

    def acting_as(self, name: str, **what: str) -> dict[str, str]:
        """The headers for a request of this account; the account may do everything, unless `what` (roles, company,
        office) says otherwise."""
        return admit(self.settings.database_url, name, **what)

    def catch_up(self) -> None:
        """Waits until all messages that were written before this call are in the rows."""
        moment = now()

        def caught_up() -> bool:
            as_of = self.app.state.context.progress.state().as_of
            return as_of is not None and as_of > moment

        wait(caught_up, "the console to catch up")

    def routes(self) -> Iterator[APIRoute]:
        """Every route of the application, including the routes of its included routers."""
        yield from routes_of(self.app)

    def api(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """Sends a request to /api/v1 and returns the answer."""
        return self.http.request(method, f"/api/v1{path}", **more)


@pytest.fixture(scope="session")
def console(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One console for the session, on SQLite, over the broker without desks."""
    folder = tmp_path_factory.mktemp("console")
    settings = ConsoleSettings(
        kafka=bootstrap, partitions=PARTITIONS, database_url=f"sqlite:///{folder}/console.db", console_port=free_port()
    )
    migrate(settings.database_url)
    running = Running(settings)
    running.start()
    yield running
    running.stop()


def pages(console: Running, path: str) -> Iterator[dict[str, Any]]:
    """Yields every page of a list: begins at `path` and follows the links `next`. Other tests of the session may have
    filled the first pages."""
    following: str | None = path
    while following:
        answer = console.http.get(following)
        assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER, following
        yield answer.json()
        following = answer.json()["next"]


def end_of_feed(console: Running) -> str:
    """Reads the releases feed to its end, which may be many pages after other tests of the session, and returns the
    cursor after the last entry."""
    page = console.api("GET", "/releases?limit=1000").json()
    while page["more"]:
        page = console.api("GET", f"/releases?limit=1000&after={page['cursor']}").json()
    return str(page["cursor"])
