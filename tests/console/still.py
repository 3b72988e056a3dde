"""How do tests read pages and answers without a broker? The real application runs on rows that the projector's own code
has written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
from fastapi import FastAPI

from schemas.topics import ROLES
from services.console.access.account_queries import AccountQueries
from services.console.access.accounts import Accounts
from services.console.access.readings import Readings
from services.console.access.rights import Role
from services.console.api.authentication import Authenticator
from services.console.api.context import ConsoleContext
from services.console.api.request_producer import Asker
from services.console.app import create_app
from services.console.pages import sign_in
from services.console.readmodel.batch import Announcement, fold
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import TopicMessage, micros, packed_position
from services.console.readmodel.progress import Progress
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.store import Store
from services.console.settings import ConsoleSettings
from services.shell.clock import now, stopwatch
from tests.conftest import PARTITIONS
from tests.console.border import DECLARANT, PublishedMessage
from tests.loops import finish
from tests.people import admit, headers_of

NOBODY_THERE = "127.0.0.1:1"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@dataclass
class Still:
    """A console whose rows are complete and fresh; it accepts no requests, because there is no broker."""

    folder: Path
    port: int = 8080
    """The port in the addresses; nothing listens on it."""
    url: str = field(init=False)
    app: FastAPI = field(init=False)
    store: Store = field(init=False)
    offsets: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        url = self.url = f"sqlite:///{self.folder}/console.db"
        settings = ConsoleSettings(kafka=NOBODY_THERE, partitions=PARTITIONS, database_url=url, console_port=self.port)
        migrate(url)
        admit(url)
        self.app = create_app(settings)
        self.store = Store(open_engine(url, writes=True), 1000)
        self.store.positions([(topic, 0) for topic in ROLES])
        reading, writing = open_engine(url), open_engine(url, writes=True)
        progress = Progress()
        progress.trouble("")
        self.app.state.authenticator, self.app.state.signing = (
            Authenticator(settings, Accounts(writing, reading)),
            sign_in.Signing(),
        )
        self.app.state.record, self.app.state.readings = AccountQueries(reading), Readings(writing)
        self.app.state.context = ConsoleContext(
            settings, ReadModelQueries(reading), Asker(settings, writing), progress, ReadModelQueries(reading)
        )

    def tell(self, messages: Iterable[PublishedMessage]) -> None:
        """Writes these messages into the rows, each topic in the given order."""
        read: list[TopicMessage] = []
        announced: list[Announcement] = []
        before = dict(self.offsets)
        for one in messages:
            offset = self.offsets[one.topic] = self.offsets.get(one.topic, -1) + 1
            if ROLES[one.topic] == "parked":
                announced.append(Announcement(one.topic, 0, offset, one.kind, orjson.loads(one.value)))
            elif ROLES[one.topic] in ("facts", "requests"):
                at = micros(one.at.isoformat())
                number = packed_position(one.topic, 0, offset)
                read.append(
                    TopicMessage(number, one.topic, one.kind, one.key, one.id, one.cause, one.sequence, at, one.value)
                )
        moved = {(topic, 0): (before.get(topic, -1) + 1, at + 1) for topic, at in self.offsets.items()}
        with self.store.engine.begin() as connection:
            self.store.claim(connection)
            batch = fold(read, announced, self.store.reader(connection))
            fed = self.store.write(connection, batch, moved)
        self.store.committed(batch, fed)

    def get(self, path: str, language: str = "en", name: str = "", **how: Any) -> httpx2.Response:
        """Sends a request as a browser does, with the API key of the account `name`. If `name` is empty, the account
        may do everything; if it is `-`, the request has no key."""
        sent = {} if name == "-" else headers_of(name) if name else headers_of()
        self.app.state.context.progress.caught_up((now(), stopwatch()))
        self.app.state.context.progress.gate_caught_up((now(), stopwatch()))
        headers = sent | BROWSER | {"accept-language": language} | how.pop("headers", {})

        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app)
            async with httpx2.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{self.port}") as client:
                return await client.request(how.pop("method", "GET"), path, headers=headers, **how)

        return finish(ask())

    def page(self, path: str, language: str = "en", name: str = "") -> str:
        """The HTML of a page; fails if the status is not 200."""
        answer = self.get(path, language, name)
        assert answer.status_code == 200, answer.text
        return answer.text

    def stop(self) -> None:
        """Closes the connections to the database."""
        context: ConsoleContext = self.app.state.context
        self.store.engine.dispose()
        context.rows._engine.dispose()


def with_every_role(folder: Path) -> Still:
    """A console with one account for each role; the account has the name of the role. The declarant and the agent
    belong to one company, all other accounts to all offices."""
    made = Still(folder)
    for role in Role:
        company = DECLARANT if role in (Role.DECLARANT, Role.AGENT) else ""
        admit(made.url, role.value, role.value, company, "0000" if not company else "")
    return made
