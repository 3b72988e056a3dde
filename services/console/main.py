"""How does the console run? uvicorn in this process; the projector in a thread, or in a process of its own that makes the tables."""

import asyncio
import contextlib
import gc
import logging
import os
import time
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from services.console.api.connection_limits import limited
from services.console.app import create_app
from services.console.readmodel.database import migrate, not_newest
from services.console.settings import ConsoleSettings
from services.shell.ending import end_with_any_thread
from services.shell.signals import on_stop

TABLES_SECONDS = 0.2
log = structlog.get_logger()


def configure_logs(level: str) -> None:
    """One JSON object a line on standard output, as the workers' logs; importing the worker would bring Faust along."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
    )


class Server(uvicorn.Server):
    """Tells those who wait for news that it is stopping, before it waits for them."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._console = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are `on_stop`'s."""
        yield

    def stop(self) -> None:
        """From any thread."""
        office = getattr(self._console.state, "office", None)
        if office is not None:
            office.bell.close()
        self.should_exit = True


def prepare(settings: ConsoleSettings) -> None:
    """What every process of the console does first."""
    end_with_any_thread()
    os.umask(0o077)  # the database of goods and declarants is its owner's alone
    configure_logs(settings.log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def spare() -> None:
    """A batch is thousands of small objects that live for one turn: the default thresholds would search them all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def await_tables(url: str) -> None:
    """Returns once the projector's process has made the newest tables; until then there is nothing to be answered from."""
    before = ""
    while why := not_newest(url):
        if why != before:
            log.warning("waiting until `dtg projector` has made the tables", why=why)
        before = why
        time.sleep(TABLES_SECONDS)


def config_of(settings: ConsoleSettings, app: ASGIApp) -> uvicorn.Config:
    """How the server runs. The headers of a proxy are believed from those that the settings name, and from nobody else: by his
    address somebody who guesses passwords is made to wait."""
    proxies = [each.strip() for each in settings.trusted_proxies.split(",") if each.strip()]
    return uvicorn.Config(
        app,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        http=limited(settings),
        ws="none",
        host=settings.console_host,
        port=settings.console_port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=int(settings.stop_seconds),
        timeout_keep_alive=30,
        server_header=False,
    )


def serve(settings: ConsoleSettings) -> None:
    """Runs until SIGTERM or Ctrl-C, then ends within `stop_seconds` and a little; blocks."""
    servers: list[Server] = []

    def stop() -> None:
        for server in servers:
            server.stop()
        if not servers:  # the tables are made in transactions: nothing that was begun counts
            os._exit(0)

    on_stop(stop)
    prepare(settings)
    if settings.projector == "own":
        await_tables(settings.database_url)
    else:
        migrate(settings.database_url)
    app = create_app(settings)
    spare()
    server = Server(config_of(settings, app), app)
    servers.append(server)
    log.info("console", address=f"http://{settings.console_host}:{settings.console_port}/")
    asyncio.run(server.serve())
