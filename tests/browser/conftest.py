"""What do the browser tests use? They use a border of their own with every desk, the real console, and Debian's
Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from deploy.kafka.broker import free_port
from services.console.api.authentication import SESSION_COOKIE
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell.clock import world_us
from tests.conftest import PARTITIONS, provisioned
from tests.console.conftest import Running
from tests.kafka.border import Leaping, running
from tests.people import TESTER

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def clock() -> Leaping:
    """The clock of the desks, which a test can move forward."""
    return Leaping()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, clock: Leaping) -> Iterator[Running]:
    """A console over a broker of its own, with every desk at work."""
    folder = tmp_path_factory.mktemp("browser")
    with provisioned(folder / "kafka", PARTITIONS) as broker:
        settings = ConsoleSettings(
            kafka=broker.bootstrap,
            partitions=PARTITIONS,
            database_url=f"sqlite:///{folder}/console.db",
            console_port=free_port(),
        )
        migrate(settings.database_url)
        with running(broker.bootstrap, PARTITIONS, slot="browser", clock=clock):
            console = Running(settings)
            console.start()
            yield console
            console.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a browser. `faults` records what a page did although no page may do it; the test fails at its end if
    `faults` is not empty."""

    address: str
    page: Page
    faults: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    """HTTP statuses of 400 and more that this test causes on purpose."""
    requested: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def mark(self) -> None:
        """Marks the page, so that `unmoved` can say later whether it was loaded again."""
        self.page.evaluate("window.marked = true")

    def unmoved(self) -> bool:
        return bool(self.page.evaluate("window.marked === true"))

    def _request(self, request: Request) -> None:
        self.requested.append(request.url)
        if not request.url.startswith((f"{self.address}/", "data:")):
            self.faults.append(f"asked another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"HTTP {response.status}: {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # The browser also writes a console message about each answer with an error status. `_response` checks these
        # answers, so such a message is no fault here.
        about_status = message.text.startswith("Failed to load resource: the server responded with")
        if message.type in ("error", "warning") and not about_status:
            self.faults.append(f"console {message.type}: {message.text}")


class Visitors:
    """Opens browsers for a test."""

    def __init__(self, chromium: Browser, desk: Running) -> None:
        self._chromium, self._address, self._desk = chromium, desk.address, desk

    @contextmanager
    def come(
        self, language: str = "zh", *, width: int = 1366, height: int = 768, name: str = TESTER, **how: Any
    ) -> Iterator[Visitor]:
        """Yields a person at a fresh browser in this language, who is signed in as `name` (empty: not signed in). At
        the end of the block, the test fails if a page did what no page may do."""
        viewport: Any = {"width": width, "height": height}
        context = self._chromium.new_context(locale=LOCALES[language], viewport=viewport, **how)
        if name:
            accounts = self._desk.app.state.authenticator.accounts
            cookie = accounts.open_session(name, self._address.removeprefix("http://"), "127.0.0.1", world_us())
            context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": self._address}])
        visitor = Visitor(self._address, context.new_page())
        visitor.watch()
        try:
            yield visitor
        finally:
            context.close()
        assert visitor.faults == []


@pytest.fixture
def visitors(chromium: Browser, desk: Running) -> Visitors:
    return Visitors(chromium, desk)


@pytest.fixture
def zh(visitors: Visitors) -> Iterator[Visitor]:
    with visitors.come("zh") as visitor:
        yield visitor


@pytest.fixture
def en(visitors: Visitors) -> Iterator[Visitor]:
    with visitors.come("en") as visitor:
        yield visitor
