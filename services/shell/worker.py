"""How does a Faust worker host the loops? It starts and stops them, serves the pages, and runs the agents on topics with few
messages."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faust
import orjson
import structlog
from faust.web import Request, Response, View
from mode import Service, ServiceT
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from schemas.parking import PARKING
from schemas.topics import SERVICES, parked_topic
from services.shell import agent_reading  # noqa: F401  (the import patches aiokafka for any names of headers)
from services.shell.access import ACCESS_SECONDS, Access, try_access
from services.shell.desk import Desk
from services.shell.layout import REFUSED_CODE, CannotContinue
from services.shell.loop import Loop
from services.shell.metrics import OTHER, Labels
from services.shell.servers import addresses
from services.shell.settings import WorkerSettings
from services.shell.signals import FAUST_SECONDS, LOOP_SECONDS

ANNOUNCED = Counter("customs_parked_announcements", "Announcements on parked topics", ["service", "kind", "reason"])
_reasons = Labels(50)
"""The label values for reasons of parking. About a dozen are in use."""
LONGEST = 200
"""The most characters of a text from a parked topic in a label or in the log. The number is limited because a label stays in memory
until the process ends."""
TEXT = CONTENT_TYPE_LATEST.partition("; charset")[0]
"""The media type of the metrics without its character set, which aiohttp adds."""
STALLED = "stalled"
"""The status of a worker that `/livez` answers with 503."""
WATCH_SECONDS = 1.0
"""How many seconds lie between two checks whether calls to the broker have returned."""
CONNECT_SECONDS = 0.3
"""How many seconds one attempt to connect to a broker may take, and how many seconds lie between two attempts at the start."""
log = structlog.get_logger()


def configure_logs(level: str) -> None:
    """Configures the log: one JSON object in each line on standard output. `level`: the lowest level that is logged."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        # the file is opened by its number, because Faust replaces `sys.stdout`
        logger_factory=structlog.PrintLoggerFactory(open(1, "w", encoding="utf-8", closefd=False, buffering=1)),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
    )


class LoopService(Service):
    """Runs a desk's loop in a thread of its own. If the loop ends by an exception, or if one of its calls to the broker does not
    return in time, the whole worker ends at once: with exit code 1, or with 78 if starting again does not help.

    Whether the loop failed or a call hangs, an orderly end is not needed, because everything that matters is in
    committed transactions. An orderly end could also take long if the broker cannot be reached.
    """

    hosted: Loop
    """The loop of the desk. A subclass for each desk sets this attribute, because Faust makes the object itself. It is
    not called `loop`, because a Faust service has its asyncio event loop under that name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._thread: threading.Thread | None = None

    async def on_start(self) -> None:
        def run() -> None:
            code: int | None = 1
            try:
                self.hosted.run()
                code = None
            except CannotContinue as error:
                code = REFUSED_CODE
                log.error("refused", desk=self.hosted.desk.name, error=str(error))
            except BaseException as error:
                log.error("loop ended", desk=self.hosted.desk.name, error=f"{type(error).__name__}: {error}")
            finally:
                # confluent-kafka can set a C-level error that no `except` catches. The process must end even then.
                if code is not None:
                    os._exit(code)

        self._thread = threading.Thread(target=run, name=f"desk-{self.hosted.desk.name}", daemon=True)
        self._thread.start()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            calls = self.hosted.calls
            late = calls.ends_without_broker and not await broker_accepts(self.hosted.settings.kafka)
            if time.monotonic() > calls.answer_by or (late and calls.ends_without_broker):
                log.error("broker call does not come back", desk=self.hosted.desk.name, broker_away=late)
                os._exit(1)
            await self.sleep(WATCH_SECONDS)

    async def on_stop(self) -> None:
        # a second signal ends the process at once
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, os._exit, 128 + number)
        self.hosted.stop()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, LOOP_SECONDS)
            if self._thread.is_alive():
                log.error("loop does not end", desk=self.hosted.desk.name)
                # The broker aborts the open transaction of this loop. The next process decides the batch again.
                os._exit(1)


async def broker_accepts(bootstrap: str) -> bool:
    """Returns whether one of the bootstrap servers accepts a connection now and keeps it open. A proxy without its broker may close
    a connection at once, which does not count. Raises NotServers if the text is no list of servers."""
    for server in addresses(bootstrap):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(server.host, server.port)
        except (OSError, TimeoutError, UnicodeError):  # UnicodeError: the text cannot be the name of a host
            continue
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                # A broker sends nothing before it gets a request. So this call returns only when the other side closes
                # the connection.
                await reader.read(1)
        except TimeoutError:
            return True
        except OSError:
            continue
        finally:
            writer.close()
    return False


class Frame(faust.App):
    """Faust's app. Its loops start before Faust's own consumer has its partitions, and stop before the consumer gives them back.

    If the broker cannot be reached when the worker starts, the app waits for it. Faust itself would end the process.
    """

    customs_access = Access("")

    async def on_start(self) -> None:
        while not self.should_stop and not await broker_accepts(self.customs_access.servers):
            await self.sleep(CONNECT_SECONDS)
        try:
            await asyncio.to_thread(try_access, self.customs_access, ACCESS_SECONDS)
        except CannotContinue as error:
            # without this check, Faust would try to connect for ever or end with a traceback
            log.error("refused", desk="worker", error=str(error))
            os._exit(REFUSED_CODE)
        await super().on_start()
        await self.on_started_init_extra_services()

    async def on_stop(self) -> None:
        await stop_together(self._extra_service_instances or ())
        # Everything that matters is committed. So the process gives Faust only FAUST_SECONDS to stop.
        ending = threading.Timer(FAUST_SECONDS, os._exit, (0,))
        ending.daemon = True
        ending.start()
        await super().on_stop()


async def stop_together(services: Iterable[ServiceT]) -> None:
    """Stops these services at the same time, so that a worker with many desks needs no more time than one with a single desk."""
    await asyncio.gather(*[service.stop() for service in services])


def create_app(desks: Sequence[Desk], settings: WorkerSettings, web_port: int = 6066) -> faust.App:
    """Returns the Faust app of one worker that hosts these desks. Raises CannotContinue if a credential for the cluster is
    missing."""
    configure_logs(settings.log_level)
    names = "-".join(desk.name for desk in desks)
    access = settings.access("worker")
    folder = Path(settings.home) / "faust"
    folder.mkdir(parents=True, exist_ok=True)
    app = Frame(
        f"customs-worker-{names}-{settings.slot}",
        broker=[f"kafka://{server}" for server in addresses(settings.kafka)],
        broker_credentials=access.faust(),
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_host=settings.web_host,
        web_port=web_port,
        web_bind=settings.web_host,
        stream_wait_empty=False,
        broker_commit_interval=5.0,
        # the session timeout must be below Faust's `broker_request_timeout`
        broker_session_timeout=min(settings.session_timeout_ms / 1000, 60),
        broker_heartbeat_interval=settings.heartbeat_ms / 1000,
        consumer_auto_offset_reset="latest",
        datadir=str(folder),
        worker_redirect_stdouts=False,
        loghandlers=[],
    )
    app.customs_access = access
    loops = [Loop(desk, settings) for desk in desks]
    gc.collect()
    # A batch makes many short-lived objects and no reference cycles. If cycles are searched for less often, a tenth of
    # the time is saved.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    for loop in loops:
        app.service(type(f"{loop.desk.name.title()}Loop", (LoopService,), {"hosted": loop}))
    _watch_parked(app, [desk.name for desk in desks])
    _pages(app, loops, settings)
    return app


def _watch_parked(app: faust.App, names: list[str]) -> None:
    """Starts an agent that counts and logs each message of the parked topics, for the alert. These messages are rare and urgent."""
    topic = app.topic(*[parked_topic(name) for name in names], value_serializer="raw", key_serializer="raw")

    @app.agent(topic)
    async def watch_parked(stream: Any) -> None:
        async for event in stream.events():
            announced(dict(event.headers or ()), event.value or b"")


def announced(headers: dict[str, bytes], value: bytes) -> None:
    """Counts and logs one message of a parked topic. Its content is not trusted, because anyone may have written the message."""
    kind = (headers.get("ce_type") or b"").decode("utf-8", "replace")
    body: Any = None
    with contextlib.suppress(orjson.JSONDecodeError):
        body = orjson.loads(value)
    if not isinstance(body, dict):
        body = {"reason": "unreadable"}
    service, reason, key = [_text(body.get(name)) for name in ("service", "reason", "subject")]
    ANNOUNCED.labels(
        service if service in SERVICES else OTHER, kind if kind in PARKING else OTHER, *_reasons.of(reason)
    ).inc()
    log.warning("parking", kind=kind[:LONGEST], service=service, key=key or _text(body.get("key")), reason=reason)


def _text(value: Any) -> str:
    """Returns the first `LONGEST` characters of a text; an empty text for any other value."""
    return value[:LONGEST] if isinstance(value, str) else ""


async def health(loops: Sequence[Loop], settings: WorkerSettings) -> tuple[str, dict[str, float]]:
    """Returns the status that `/livez` answers, and the loops without progress: desk → seconds since its last progress.

    The status is `ok` if each loop makes progress or has nothing to do, and STALLED if not. While no broker accepts a connection, it is
    `no broker` instead, because starting the process again would not help then.
    """
    stalled = {loop.desk.name: round(loop.liveness.stalled(), 1) for loop in loops}
    stuck = {desk: seconds for desk, seconds in stalled.items() if seconds > settings.stall_seconds}
    if not stuck:
        return "ok", stuck
    return STALLED if await broker_accepts(settings.kafka) else "no broker", stuck


def _pages(app: faust.App, loops: list[Loop], settings: WorkerSettings) -> None:
    @app.page("/livez")
    async def livez(view: View, request: Request) -> Response:
        status, stuck = await health(loops, settings)
        return view.json({"status": status, "stalled_seconds": stuck}, status=503 if status == STALLED else 200)

    @app.page("/readyz")
    async def readyz(view: View, request: Request) -> Response:
        waiting = [x.desk.name for x in loops if not x.can_work()]
        body = {
            "status": "waiting" if waiting else "ok",
            "waiting": waiting,
            "restoring": {x.desk.name: {"read": r.read, "of": r.total} for x in loops if (r := x.liveness.restoring)},
            "lag": {x.desk.name: x.liveness.lag for x in loops},
            "members": {x.desk.name: x.liveness.member_id for x in loops},
        }
        return view.json(body, status=503 if waiting else 200)

    @app.page("/metrics")
    async def metrics_page(view: View, request: Request) -> Response:
        return view.bytes(generate_latest(), content_type=TEXT)
