"""How do ports hear of releases and revocations over HTTP? By cursor: asked now and then, with a long poll, or as a stream."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from services.console.answers import READ
from services.console.office import Office, office
from services.console.problems import Problem, documented
from services.console.telling import API, projection, release
from services.console.views import Feed, ReleaseView
from services.shell.clock import stopwatch

router = APIRouter(prefix=API)
KEEPALIVE_SECONDS = 10.0
FEED = {**READ, **documented((410, "The cursor is beyond the end: the feed was made anew"))}
Cursor = Annotated[
    int, Query(ge=0, le=2**62, description="the last cursor that you have worked on; 0 from the beginning")
]


@router.get(
    "/releases", response_model=Feed, responses=FEED, tags=["ports"], summary="Releases and revocations after a cursor"
)
async def releases(
    request: Request,
    after: Cursor = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    wait: Annotated[float, Query(ge=0, le=300, description="seconds to wait for something new")] = 0,
) -> Feed:
    """In an order that does not change. Keep `cursor` when your work is done; an entry may come twice after a rebuild of an
    older cursor, so drop the ids that you know, and of two versions believe the higher.
    """
    desk = office(request)
    deadline = stopwatch() + min(wait, desk.settings.wait_limit_seconds)
    entries = await _after(desk, after, limit + 1)
    while not entries and not desk.bell.closed and (left := deadline - stopwatch()) > 0:
        await desk.bell.wait(left)
        entries = await _after(desk, after, limit + 1)
    shown = entries[:limit]
    return Feed(
        releases=shown,
        cursor=shown[-1].cursor if shown else after,
        more=len(entries) > limit,
        projection=projection(desk.standing()),
    )


@router.get(
    "/releases/stream",
    response_class=StreamingResponse,
    responses={
        **FEED,
        200: {"content": {"text/event-stream": {}}, "description": "Server-sent events: `release`, id = cursor"},
    },
    tags=["ports"],
    summary="Releases and revocations as server-sent events",
)
async def stream(request: Request, after: Cursor = 0) -> StreamingResponse:
    """Each event's id is its cursor: a browser or client that reconnects with `Last-Event-ID` misses nothing."""
    desk = office(request)
    said = request.headers.get("last-event-id", "")
    start = int(said) if said.isdecimal() and len(said) < 19 else after
    first = await _after(desk, start, 500)
    return StreamingResponse(
        _events(desk, start, first, request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(desk: Office, cursor: int, entries: list[ReleaseView], request: Request) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    while not desk.bell.closed and not await request.is_disconnected():
        for one in entries:
            yield b"id: %d\nevent: release\ndata: %s\n\n" % (one.cursor, one.model_dump_json().encode())
            cursor = one.cursor
        if not entries:
            await desk.bell.wait(KEEPALIVE_SECONDS)
        entries = await _after(desk, cursor, 500)
        if not entries:
            yield b": still here\n\n"


async def _after(desk: Office, cursor: int, limit: int) -> list[ReleaseView]:
    """The entries after `cursor`; Problem 410 when the feed ends before it and nothing is left to be read."""
    rows = await run_in_threadpool(desk.rows.releases, cursor, limit)
    if not rows and cursor and not desk.behind():
        last = await run_in_threadpool(desk.rows.last_cursor)
        if last < cursor:
            raise Problem(410, "wrong_feed", seen=cursor, last=last)
    return [release(row) for row in rows]
