"""How does a Faust worker host the loops: start, stop, pages, agents on low-rate topics?"""

import asyncio
import contextlib
import gc
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust
import orjson
import structlog
from faust.web import Request, Response, View
from mode import Service
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from schemas.parking import PARKING
from schemas.topics import SERVICES, parked_topic
from services.shell import agent_reading  # noqa: F401  (names of headers may be any bytes)
from services.shell.access import Access, knock
from services.shell.desk import Desk
from services.shell.layout import REFUSED_CODE, Refused
from services.shell.loop import Loop
from services.shell.metrics import OTHER, Labels
from services.shell.settings import WorkerSettings

ANNOUNCED = Counter("customs_parked_announcements", "Announcements on parked topics", ["service", "kind", "reason"])
_reasons = Labels(50)
"""Of parking; a dozen are in use."""
LONGEST = 200
"""Characters of a text from a parked topic, as a label and in the log: each label stays in memory until the process ends."""
TEXT = CONTENT_TYPE_LATEST.partition("; charset")[0]
"""aiohttp wants to add the character set itself."""
LOOP_SECONDS, FAUST_SECONDS = 7, 2
"""How long an orderly end waits for a loop, and then for Faust's own clients: together less than the ten seconds promised."""
LET_IN_SECONDS = 10.0
"""How long it is tried whether the cluster lets Faust's own clients in."""
WATCH_SECONDS = 1.0
KNOCK_SECONDS = 0.3
"""How often, and for how long, it is tried whether a broker accepts connections."""
log = structlog.get_logger()


def configure_logs(level: str) -> None:
    """One JSON object a line on standard output."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(
            open(1, "w", encoding="utf-8", closefd=False, buffering=1)
        ),  # Faust wraps sys.stdout
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
    )


class LoopService(Service):
    """A desk's loop in a thread of its own; if it ends by an exception or hangs, the whole worker ends at once with code 1, or 78
    where starting again does not help.

    At once: what counts is in committed transactions, and an orderly end may wait long for a broker that is away.
    """

    hosted: Loop
    """Set by a subclass per desk: Faust makes the service itself, and `loop` is its word for asyncio's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._thread: threading.Thread | None = None

    async def on_start(self) -> None:
        def run() -> None:
            code: int | None = 1
            try:
                self.hosted.run()
                code = None
            except Refused as error:
                code = REFUSED_CODE
                log.error("refused", desk=self.hosted.desk.name, error=str(error))
            except BaseException as error:
                log.error("loop ended", desk=self.hosted.desk.name, error=f"{type(error).__name__}: {error}")
            finally:  # librdkafka's client can raise what is no exception, and no `except` sees
                if code is not None:
                    os._exit(code)

        self._thread = threading.Thread(target=run, name=f"desk-{self.hosted.desk.name}", daemon=True)
        self._thread.start()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            late = self.hosted.calls.answer_by < math.inf and not await broker_accepts(self.hosted.settings.kafka)
            if time.monotonic() > self.hosted.calls.answer_by or (late and self.hosted.calls.answer_by < math.inf):
                log.error("broker call does not come back", desk=self.hosted.desk.name, broker_away=late)
                os._exit(1)
            await self.sleep(WATCH_SECONDS)

    async def on_stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):  # whoever asks a second time does not want to wait
            asyncio.get_running_loop().add_signal_handler(number, os._exit, 128 + number)
        self.hosted.stop()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, LOOP_SECONDS)
            if self._thread.is_alive():
                log.error("loop does not end", desk=self.hosted.desk.name)
                os._exit(1)  # its transaction is aborted, and the batch decided afresh


async def broker_accepts(bootstrap: str) -> bool:
    """Whether one of the bootstrap servers accepts a connection now and does not end it at once, as a proxy may."""
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(KNOCK_SECONDS):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError):
            continue
        try:
            async with asyncio.timeout(KNOCK_SECONDS):
                # returns only when the other side has closed: a broker speaks when it is spoken to
                await reader.read(1)
        except TimeoutError:
            return True
        except OSError:
            continue
        finally:
            writer.close()
    return False


class Frame(faust.App):
    """Faust's app, whose loops start before Faust's own consumer has its partitions, and stop before it gives them back.

    A worker that is started while the broker is away waits here, with everything imported: Faust would end it.
    """

    customs_access = Access("")

    async def on_start(self) -> None:
        while not self.should_stop and not await broker_accepts(self.customs_access.servers):
            await self.sleep(KNOCK_SECONDS)
        try:
            await asyncio.to_thread(knock, self.customs_access, LET_IN_SECONDS)
        except Refused as error:  # Faust would try for ever, or end with a traceback
            log.error("refused", desk="worker", error=str(error))
            os._exit(REFUSED_CODE)
        await super().on_start()
        await self.on_started_init_extra_services()

    async def on_stop(self) -> None:
        for service in self._extra_service_instances or ():
            await service.stop()
        # all that counts is committed: nobody waits for the rest
        ending = threading.Timer(FAUST_SECONDS, os._exit, (0,))
        ending.daemon = True
        ending.start()
        await super().on_stop()


def create_app(desks: Sequence[Desk], settings: WorkerSettings, web_port: int = 6066) -> faust.App:
    """The Faust app of one worker that hosts these desks; Refused where a credential for the cluster is missing."""
    configure_logs(settings.log_level)
    names = "-".join(desk.name for desk in desks)
    access = settings.access("worker")
    folder = Path(settings.home) / "faust"
    folder.mkdir(parents=True, exist_ok=True)
    app = Frame(
        f"customs-worker-{names}-{settings.slot}",
        broker=[f"kafka://{server}" for server in settings.kafka.split(",")],
        broker_credentials=access.faust(),
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_host=settings.web_host,
        web_port=web_port,
        web_bind=settings.web_host,
        stream_wait_empty=False,
        broker_commit_interval=5.0,
        broker_session_timeout=min(settings.session_timeout_ms / 1000, 60),  # below Faust's `broker_request_timeout`
        broker_heartbeat_interval=settings.heartbeat_ms / 1000,
        consumer_auto_offset_reset="latest",
        datadir=str(folder),
        worker_redirect_stdouts=False,
        loghandlers=[],
    )
    app.customs_access = access
    loops = [Loop(desk, settings) for desk in desks]
    gc.collect()
    gc.freeze()  # a batch makes many short-lived objects and no cycles: looking for cycles less often is a tenth of the time
    gc.set_threshold(100_000, 50, 100)
    for loop in loops:
        app.service(type(f"{loop.desk.name.title()}Loop", (LoopService,), {"hosted": loop}))
    _watch_parked(app, [desk.name for desk in desks])
    _pages(app, loops, settings)
    return app


def _watch_parked(app: faust.App, names: list[str]) -> None:
    """Parked messages are rare and urgent: an agent counts and logs each announcement for the alert."""
    topic = app.topic(*[parked_topic(name) for name in names], value_serializer="raw", key_serializer="raw")

    @app.agent(topic)
    async def watch_parked(stream: Any) -> None:
        async for event in stream.events():
            announced(dict(event.headers or ()), event.value or b"")


def announced(headers: dict[str, bytes], value: bytes) -> None:
    """Counts and logs what stands on a parked topic, whoever wrote it."""
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
    """A name or code of ours; nothing of what is none, and the beginning of one without end."""
    return value[:LONGEST] if isinstance(value, str) else ""


def _pages(app: faust.App, loops: list[Loop], settings: WorkerSettings) -> None:
    @app.page("/livez")
    async def livez(view: View, request: Request) -> Response:
        """Alive means progress: position against end, not an open port."""
        stuck = {
            x.desk.name: round(x.liveness.stalled(), 1) for x in loops if x.liveness.stalled() > settings.stall_seconds
        }
        return view.json(
            {"status": "stalled" if stuck else "ok", "stalled_seconds": stuck}, status=503 if stuck else 200
        )

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
