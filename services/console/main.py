"""How does the console run? uvicorn runs in this process. The projector runs in a thread of this process, or in another
process. The process of the projector also makes the tables."""

import asyncio
import contextlib
import gc
import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import cast

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

SWITCH_SECONDS = 0.0005
"""Seconds for which a thread may keep Python's interpreter lock while others wait for it."""
TABLES_SECONDS = 0.2
log = structlog.get_logger()


def configure_logs(level: str) -> None:
    """Configures logging in the format of the workers: one JSON object a line on standard output. The function of the
    workers is not used, because its module imports Faust."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
    )


class Server(uvicorn.Server):
    """A uvicorn server. When it stops, it first ends the requests that wait for entries of the feed, because uvicorn
    would otherwise wait for these requests."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._console = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Replaces uvicorn's method and installs no signal handlers, because `on_stop` has installed its own."""
        yield

    def stop(self) -> None:
        """Stops the server; may be called from any thread."""
        context = getattr(self._console.state, "context", None)
        if context is not None:
            context.bell.close()
        self.should_exit = True


def prepare(settings: ConsoleSettings) -> None:
    """Sets the umask and the logs of this process, and makes the process end if one of its threads fails. Every process of the console calls this
    first."""
    end_with_any_thread()
    os.umask(0o077)  # only the owner may read the database and other files
    configure_logs(settings.log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def spare() -> None:
    """Makes the garbage collector run less often, and threads give up Python's interpreter lock sooner.

    Each batch of the projector makes thousands of short-lived objects, so with the default thresholds the collector
    would run too often. The threads that make pages compete with the event loop for the lock. For each of these threads
    the event loop may wait one switch interval (5 ms by default), so the interval is made shorter."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def await_tables(url: str) -> None:
    """Waits until the projector's process has brought the tables to the newest revision. Blocks this thread. `url`: the address of the database."""
    before = ""
    while why := not_newest(url):
        if why != before:
            log.warning("waiting until `dtg projector` has made the tables", why=why)
        before = why
        time.sleep(TABLES_SECONDS)


def config_of(settings: ConsoleSettings, app: ASGIApp) -> uvicorn.Config:
    """Returns the settings of the server for uvicorn. Only the proxies that `settings` names may set a client's address by a header, because failed
    sign-ins are counted by address."""
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
        # The parameter is declared as int, but uvicorn passes it to `asyncio.wait_for`, which accepts fractions of a
        # second. A conversion by `int` would turn half a second into 0.
        timeout_graceful_shutdown=cast(int, settings.stop_seconds),
        timeout_keep_alive=30,
        server_header=False,
    )


def serve(settings: ConsoleSettings) -> None:
    """Runs the console until SIGTERM or Ctrl-C, and returns after it has ended. Open requests, and then the projector
    of this process, get up to `stop_seconds` each to end."""
    servers: list[Server] = []

    def stop() -> None:
        for server in servers:
            server.stop()
        if not servers:
            # No server runs yet. It is safe to end the process at any moment, because the tables are made in transactions.
            os._exit(0)

    on_stop(stop)
    prepare(settings)
    if settings.projector == "own":
        await_tables(settings.database_url)
    else:
        migrate(settings.database_url)
    app = create_app(settings)
    # The OpenAPI document is made before the server runs, because making it takes a third of a second, in which a
    # running server would answer no request.
    app.openapi()
    spare()
    server = Server(config_of(settings, app), app)
    servers.append(server)
    log.info("console", address=f"http://{settings.console_host}:{settings.console_port}/")
    asyncio.run(server.serve())
