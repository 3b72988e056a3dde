"""How does the projector run as a process of its own? First the tables are made. Then the projector runs in a thread, beside a server for
its health and metrics."""

import asyncio
import os
import threading

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.console.api.connection_limits import limited
from services.console.api.documents import projection
from services.console.main import Server, prepare, spare
from services.console.readmodel.database import migrate
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.settings import ConsoleSettings
from services.shell.signals import on_stop

log = structlog.get_logger()


def run(settings: ConsoleSettings) -> None:
    """Runs the projector and its pages, and returns after SIGTERM or Ctrl-C has ended them."""
    servers: list[Server] = []

    def stop() -> None:
        for server in servers:
            server.stop()
        if not servers:
            # No server runs yet. The process may end at any moment, because the tables are made in transactions.
            os._exit(0)

    on_stop(stop)
    prepare(settings)
    migrate(settings.database_url)
    progress = Progress()
    projector = Projector(settings, progress)
    thread = threading.Thread(target=projector.run, name="projector", daemon=True)
    app = pages(settings, progress, thread)
    spare()
    config = uvicorn.Config(
        app,
        http=limited(settings),
        ws="none",
        host=settings.projector_host,
        port=settings.projector_port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = Server(config, app)
    servers.append(server)
    thread.start()
    log.info("projector", address=f"http://{settings.projector_host}:{settings.projector_port}/")
    try:
        asyncio.run(server.serve())
    finally:
        projector.stop()
        thread.join(settings.stop_seconds)


def pages(settings: ConsoleSettings, progress: Progress, thread: threading.Thread) -> FastAPI:
    """Returns the application with the pages of the projector: health and metrics, without data about goods."""
    app = FastAPI(title="Datongguan projector", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/livez")
    def livez() -> Response:
        """Answers 503 if the projector's thread has stopped or hangs, but not if only the database or the broker does not answer."""
        silent = progress.silent_seconds()
        stalled = not thread.is_alive() or silent > settings.console_stall_seconds
        body = {"status": "stalled" if stalled else "ok", "silent_seconds": round(silent, 1)}
        return JSONResponse(body, 503 if stalled else 200)

    @app.get("/readyz")
    def readyz() -> Response:
        """Answers 503 while the projector does not run, or waits for the database, the broker or the topics."""
        standing = progress.state()
        turns = thread.is_alive() and progress.silent_seconds() <= settings.gate_stale_seconds
        waiting = bool(standing.trouble) or not turns
        body = {
            "status": "waiting" if waiting else "ok",
            "projected": progress.projected,
            "trouble": standing.trouble,
            "projection": projection(standing).model_dump(mode="json"),
        }
        return JSONResponse(body, 503 if waiting else 200)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
