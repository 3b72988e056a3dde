"""What does the console consist of? It has routes, pages, error answers, health and metrics, and tasks that run as long as the server."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import structlog
from anyio import to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.access.account_queries import AccountQueries
from services.console.access.accounts import Accounts
from services.console.access.readings import Readings, Recorded
from services.console.api import answers, feed, me, requests, watch_requests
from services.console.api.admission import Admission, complete
from services.console.api.authentication import Authenticator, Elsewhere, methods_at, prove
from services.console.api.context import PAGE_THREADS, Bell, ConsoleContext, context_of
from services.console.api.documents import projection
from services.console.api.json_body import components
from services.console.api.problems import (
    Problem,
    ProblemDetails,
    by_status,
    documented,
    field_errors,
    respond,
    wants_page,
)
from services.console.api.query_parameters import known
from services.console.api.reference import with_words
from services.console.api.request_producer import Asker
from services.console.api.views import GateView, Text
from services.console.language.words import both
from services.console.pages import (
    activity,
    administrator,
    api_docs,
    board_and_goods,
    forms,
    sign_in,
    watch_pages,
)
from services.console.pages.rendering import show_problem
from services.console.readmodel.database import open_engine
from services.console.readmodel.generation import Generation, file_of
from services.console.readmodel.observed_progress import ObservedProgress
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.readmodel.queries import ReadModelQueries
from services.console.settings import ConsoleSettings
from services.shell.clock import stopwatch
from services.shell.ending import end_with_task

EVERYWHERE: requests.Responses = documented(
    (401, "The sender is not proved: there is no key or session, or it is not valid"),
    (403, "The sender does not have the right, or the request comes from a page of another site or session"),
    (400, "The address or the headers are not acceptable"),
    (408, "The request did not arrive in time"),
    (414, "The address is too long"),
    (422, "A query parameter that the route does not have, or other input that breaks the contract"),
    (431, "The headers are too large"),
)
"""The error answers that may be given before the function of a route is called."""
UNWELL: requests.Responses = {
    503: {"description": "No: the answer says why", "content": {"application/json": {"schema": {}}}}
}
ANSWERED = Counter("customs_console_http", "HTTP answers", ["route", "method", "status"])
SECONDS = Histogram(
    "customs_console_http_seconds",
    "Seconds to the first byte of an answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LONGEST_ANSWER = 1_000_000
"""The most bytes of one answer. Event streams and the paths in `WHOLE` have no limit, see `Bounded`."""
WHOLE = ("/static/", "/consignments.csv", "/metrics")
"""The beginnings of the paths whose answers may have more than LONGEST_ANSWER bytes: files, and the metrics, which
Prometheus reads in one piece. The metrics need no limit, because their labels have few values."""
log = structlog.get_logger()
DESCRIPTION = """Lodge declarations, answer controls, ask whether a container may leave, and read releases.

What you send is a *request*. The answer 202 means that the broker has it; the link in `request` leads to what a desk decided.
Every answer says how fresh it is (`projection`). Errors are RFC 9457 problems, in English and Chinese.
A query parameter that a route does not have is answered 422 with a pointer, like a wrong field of a body.
Programs send an API key, `Authorization: Bearer dtg_…`; `/rights` says who may send and see what. A request with the cookie of
a person who has signed in needs `X-CSRF-Token`; its value is in `/api/v1/me`."""


def create_app(settings: ConsoleSettings) -> FastAPI:
    """Makes the console's application. Its lifespan opens the database and the producer, and runs the projector unless the projector is
    another process."""
    app = FastAPI(
        title="Datongguan console",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # FastAPI would serialise the document anew for each request, see `_document`
        # A redirect would name the scheme of this server. Behind a proxy, the browser may use another scheme.
        redirect_slashes=False,
        lifespan=_life,
        responses=EVERYWHERE,
        dependencies=[Depends(prove), Depends(known)],
    )
    app.state.settings = settings
    app.include_router(requests.router)
    app.include_router(watch_requests.router)
    app.include_router(watch_pages.pages)
    app.include_router(answers.router)
    app.include_router(feed.router)
    app.include_router(forms.router)
    app.include_router(api_docs.router)
    app.include_router(me.router)
    app.include_router(sign_in.pages)
    app.include_router(administrator.pages)
    app.include_router(activity.pages)
    board_and_goods.mount(app)
    _health(app)
    _problems(app)
    app.add_middleware(Recorded)
    app.add_middleware(Bounded)
    # `Admission` is added after `Bounded`, so that the answers of `Bounded` get the headers of `ALWAYS`, too.
    app.add_middleware(Admission, settings=settings, show=_tell)
    app.add_middleware(_Measured)
    _document(app)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    settings: ConsoleSettings = app.state.settings
    to_thread.current_default_thread_limiter().total_tokens = PAGE_THREADS
    reading, writing = open_engine(settings.database_url), open_engine(settings.database_url, writes=True)
    bell = Bell()
    bell.hang()
    asker = Asker(settings, writing)
    gate, proving = open_engine(settings.database_url), open_engine(settings.database_url)
    projected = _beside if settings.projector == "own" else _inside
    try:
        async with projected(settings, bell) as progress:
            generation = Generation(writing, file_of(settings.database_url, settings.home), proving)
            await asyncio.to_thread(generation.look_again)
            app.state.authenticator = Authenticator(
                settings, Accounts(writing, proving, generation, settings.one_time_hours)
            )
            app.state.signing = sign_in.Signing()
            app.state.record, app.state.readings = AccountQueries(reading), Readings(writing)
            app.state.context = ConsoleContext(
                settings, ReadModelQueries(reading), asker, progress, ReadModelQueries(gate), bell
            )
            await asker.start()
            app.state.readings.start()
            following = [
                asyncio.create_task(each) for each in (app.state.context.watches.follow(), generation.follow())
            ]
            for task in following:
                task.add_done_callback(end_with_task)
            try:
                yield
            finally:
                bell.close()
                for task in following:
                    task.cancel()
                await asyncio.gather(*following, return_exceptions=True)
                await app.state.readings.stop()
                await asker.stop()
    finally:
        reading.dispose()
        gate.dispose()
        proving.dispose()
        writing.dispose()


@asynccontextmanager
async def _inside(settings: ConsoleSettings, bell: Bell) -> AsyncIterator[Progress]:
    """Runs the projector in a thread of this process until the `with` block ends, and yields its progress."""
    progress = Progress()
    projector = Projector(settings, progress, bell.ring)
    thread = threading.Thread(target=projector.run, name="projector", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        projector.stop()
        await asyncio.to_thread(thread.join, settings.stop_seconds)


@asynccontextmanager
async def _beside(settings: ConsoleSettings, bell: Bell) -> AsyncIterator[ObservedProgress]:
    """Reads the standing of the projector, which is another process, from the database until the `with` block ends.
    Yields the object that keeps the newest standing."""
    engine = open_engine(settings.database_url)
    watch = ObservedProgress(ReadModelQueries(engine), settings.gate_stale_seconds, bell.ring)
    task = asyncio.create_task(watch.run())
    task.add_done_callback(end_with_task)
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        engine.dispose()


def _health(app: FastAPI) -> None:
    @app.get("/livez", tags=["operations"], summary="Is it alive?", responses=UNWELL)
    async def livez(request: Request) -> Response:
        """Answers 503 if the projector in this process stands still, or if this process no longer reads the standing of
        a projector in another process. If only the database, the broker or another process does not respond, /livez
        answers 200, and /readyz answers 503."""
        context = context_of(request)
        progress = context.progress
        silent = progress.idle_seconds() if isinstance(progress, ObservedProgress) else progress.silent_seconds()
        dead = silent > context.settings.console_stall_seconds
        state = {"status": "stalled" if dead else "ok", "silent_seconds": round(silent, 1)}
        return JSONResponse(state, 503 if dead else 200)

    @app.get("/readyz", tags=["operations"], summary="Is it ready?", responses=UNWELL)
    def readyz(request: Request) -> Response:
        """Answers 503 while the database, the broker or the topics do not answer, or the projector does not run. `projection` says how
        complete the rows are."""
        context = context_of(request)
        waiting = [] if context.asker.ready else ["kafka"]
        started = stopwatch()
        try:
            context.rows.alive()
        except (DBAPIError, PoolTimeout):
            waiting.append("database")
        standing = context.standing()
        if standing.trouble or context.progress.silent_seconds() > context.settings.gate_stale_seconds:
            waiting.append("projector")
        state = {
            "status": "waiting" if waiting else "ok",
            "waiting": waiting,
            "database_ms": round((stopwatch() - started) * 1000, 1),
            "projection": projection(standing).model_dump(mode="json"),
        }
        return JSONResponse(state, 503 if waiting else 200)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _tell(request: Request, problem: Problem) -> Response:
    """Returns the answer for a problem: a page for a browser, problem+json for every other client."""
    return show_problem(request, problem) if wants_page(request) else respond(problem)


def _problems(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem_answer(request: Request, problem: Problem) -> Response:
        if isinstance(problem, Elsewhere):
            return RedirectResponse(problem.headers["Location"], problem.status)
        return _tell(request, problem)

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> Response:
        of_parameters: dict[tuple[str | int, ...], Any] = {}
        for each in error.errors():
            # A parameter of several types has an error for each type. Only the first error is shown, because it says what is allowed.
            of_parameters.setdefault(each["loc"][:2], {**each, "loc": each["loc"][:2]})
        faults = field_errors(list(of_parameters.values()))
        return _tell(request, Problem(422, "invalid", errors=faults, count=len(faults)))

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        address, headers = f"{request.method} {request.url.path}", error.headers
        if error.status_code == 405 and (methods := methods_at(request.url.path)):
            # the framework names only the methods of the first route with this address
            headers = {"Allow": ", ".join(methods)}
        return _tell(request, by_status(error.status_code, address, headers))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # the client has closed the connection, so nobody reads this answer

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        # The framework sends this answer outside of all middleware. Then it raises the error again, so that it is logged.
        response = _tell(request, by_status(500, request.url.path))
        complete(response.headers, request.url.path)
        return response

    async def rows_away(request: Request, error: Exception) -> Response:
        log.warning("the read model does not answer", error=str(error).splitlines()[0][:300])
        if request.scope.get("endpoint") is answers.gate_question:
            return _stays(request)
        return _tell(request, Problem(503, "rows_away", headers={"Retry-After": "2"}))

    app.add_exception_handler(DBAPIError, rows_away)
    app.add_exception_handler(PoolTimeout, rows_away)


def _stays(request: Request) -> Response:
    """Returns the answer to a gate question while the read model does not answer: the container must stay. The answer
    has the usual shape, so that a terminal can read it."""
    away = both("gate.away")
    answer = GateView(
        container_no=str(request.path_params.get("container_no", "")),
        may_leave=False,
        reason="away",
        text=Text(zh=away.zh, en=away.en),
        detail="",
        waiting_for=[],
        consignments=[],
        since=None,
        as_of=None,
        lag_seconds=None,
    )
    return JSONResponse(answer.model_dump(mode="json"), 503, headers={"Retry-After": "2"})


def _document(app: FastAPI) -> None:
    """Adds schemas to the OpenAPI document that FastAPI does not add: the schemas of bodies that routes read
    themselves, and the schemas of problems, whose media type is not `application/json`."""
    make: Callable[[], dict[str, Any]] = app.openapi
    making, whole, written = threading.Lock(), dict[str, Any](), b""

    def openapi() -> dict[str, Any]:
        # FastAPI stores the document before these schemas are added. Meanwhile no other thread may read the incomplete
        # document.
        with making:
            if not whole:
                made = make()
                problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
                of_bodies = components([*requests.router.routes, *watch_requests.router.routes])
                schemas = {**of_bodies, **problem.pop("$defs"), "ProblemDetails": problem}
                made["components"]["schemas"] = {**schemas, **made["components"]["schemas"]}
                whole.update(with_words(made))
        return whole

    app.openapi = openapi  # type: ignore[method-assign]

    async def document(_: Request) -> Response:
        nonlocal written
        # The document is serialised only once, because it has almost 400 kB, anybody may ask for it, and the event loop
        # does nothing else while it is serialised.
        written = written or orjson.dumps(app.openapi())
        return Response(written, media_type="application/json")

    app.add_route("/openapi.json", document, include_in_schema=False)


class Bounded:
    """ASGI middleware that replaces an answer of more than LONGEST_ANSWER bytes by a problem, so that the answer does
    not fill a client's memory. Such an answer is a programming error, because lists are answered in pages. An answer
    without `Content-Length` is kept back until it ends or is too long. Event streams are not kept back and have no
    limit, because they do not end. Paths in `WHOLE` have no limit, either."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(WHOLE):
            await self._app(scope, receive, send)
            return
        kept: list[Message] = []
        size, refused = 0, False

        async def bounded(message: Message) -> None:
            nonlocal size, refused
            if refused:
                return
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                length = headers.get("content-length", "")
                size = int(length) if length.isdigit() else 0
                if length.isdigit() or headers.get("content-type", "").startswith("text/event-stream"):
                    refused = size > LONGEST_ANSWER
                    if not refused:
                        await send(message)
                else:
                    kept.append(message)
            elif not kept:
                await send(message)
            else:
                kept.append(message)
                size += len(message.get("body", b""))
                refused = size > LONGEST_ANSWER
                if not refused and not message.get("more_body"):
                    for each in kept:
                        await send(each)
                    kept.clear()
            if refused:
                kept.clear()
                log.error("an answer is too long", path=scope["path"], bytes=size)
                problem = Problem(500, "answer_too_long", seen=size, limit=LONGEST_ANSWER)
                await respond(problem)(scope, receive, send)

        await self._app(scope, receive, bounded)


class _Measured:
    """ASGI middleware that counts and times answers by route. The label `route` of the metrics is the path of the route
    with the names of its parameters, for example `/containers/{container_no}`, so that it has few values."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = stopwatch()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                ANSWERED.labels(route, scope["method"], str(message["status"])).inc()
                SECONDS.labels(route).observe(stopwatch() - started)
            await send(message)

        await self._app(scope, receive, noted)
