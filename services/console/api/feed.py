"""How do ports get releases and revocations over HTTP? They read from a cursor on, by polling, by long polls, or as an event stream."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from schemas.marks import Audience
from services.console.api.answers import READ
from services.console.api.authentication import prove, still_may
from services.console.api.bodies import client_of
from services.console.api.context import ConsoleContext, FeedPage, context_of
from services.console.api.documents import API, feed_entries, projection
from services.console.api.feed_streams import RETRY
from services.console.api.masking import masked
from services.console.api.paging import fit
from services.console.api.problems import Problem, documented
from services.console.api.views import Feed
from services.console.readmodel import cursors
from services.console.readmodel.queries import ReadModelQueries
from services.shell.clock import stopwatch

router = APIRouter(prefix=API)
KEEPALIVE_SECONDS = 10.0
STREAMED = 500
"""How many entries a stream reads with one query."""
REBUILDING_SECONDS = 0.5
"""While the rows are rebuilt, the bell does not ring. A long poll then reads the rows again after this many seconds."""
FEED = {
    **READ,
    **documented(
        (410, "The feed was rebuilt or restored and does not have the cursor. Begin at 0"),
        (429, "This address has too many streams and long polls open"),
        (503, "The read model does not answer or is being rebuilt, or too many streams and long polls are open"),
    ),
}
After = Annotated[
    str,
    Query(
        pattern=cursors.PATTERN,
        description="the cursor of the last answer that you have handled; 0: from the beginning",
    ),
]


@router.get(
    "/releases", response_model=Feed, responses=FEED, tags=["ports"], summary="Releases and revocations after a cursor"
)
async def releases(
    request: Request,
    after: After = "0",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    wait: Annotated[float, Query(ge=0, le=300, description="how many seconds the answer waits for something new")] = 0,
) -> Feed:
    """Lists releases and revocations in an order that does not change. Store `cursor` when you have handled the answer. If the feed is
    read from an older cursor after a rebuild, an entry may come twice, so drop entries whose ids you know. Of two entries about the
    same goods, the one with the higher version is in force."""
    context = context_of(request)
    deadline = stopwatch() + min(wait, context.settings.wait_limit_seconds)
    rung, page = context.bell.rung, await _after(context, after, limit)
    if not page.entries and wait > 0:
        with context.streams.one(client_of(request)):
            while not page.entries and not context.bell.closed and (left := deadline - stopwatch()) > 0:
                await context.bell.wait(rung, min(left, REBUILDING_SECONDS) if page.more else left)
                rung, page = context.bell.rung, await _after(context, after, limit)
        await prove(request)  # key, session or right may have ended during the wait
    refuse_rebuilding(after, page)
    return Feed(
        releases=page.entries,
        cursor=page.entries[-1].cursor if page.entries else after,
        more=page.more,
        projection=projection(context.standing()),
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
async def stream(request: Request, after: After = "0") -> StreamingResponse:
    """Streams releases and revocations. The id of each event is its cursor, so a browser or client that connects again with
    `Last-Event-ID` misses nothing."""
    context = context_of(request)
    last_event_id = request.headers.get("last-event-id", "")
    start = last_event_id if re.match(cursors.PATTERN, last_event_id) else after
    client = client_of(request)
    context.streams.enter(client)
    try:
        rung, first = context.bell.rung, await _after(context, start, STREAMED)
        refuse_rebuilding(start, first)
    except BaseException:
        context.streams.leave(client)
        raise
    return _Counted(
        _events(context, start, rung, first, request),
        lambda: context.streams.leave(client),
    )


class _Counted(StreamingResponse):
    """An event stream that calls `ended` when it ends, even if it ends by an error or because the client has left."""

    def __init__(self, events: AsyncIterator[bytes], ended: Callable[[], None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()


async def _events(
    context: ConsoleContext, cursor: str, rung: int, page: FeedPage, request: Request
) -> AsyncIterator[bytes]:
    """Yields the stream's bytes. `page`: the entries after the cursor, which were read after the bell had rung `rung` times."""
    yield b"retry: 1000\n\n"
    proved = stopwatch()
    while not context.bell.closed and not await request.is_disconnected():
        events, more = page.events, page.more
        if events:
            cursor = page.entries[-1].cursor
        # The entries of `page` take ten times as much memory as `events`. A client may read `events` slowly, so `page` is deleted first.
        del page
        if events:
            yield events
        woken = bool(events and more) or await context.bell.wait(rung, KEEPALIVE_SECONDS)
        if not woken:
            yield b": still here\n\n"
        rung = context.bell.rung
        if stopwatch() - proved >= context.settings.key_seconds:
            if not await still_may(request):
                return  # the session, key or right has ended; the client learns the problem when it connects again
            proved = stopwatch()
        try:
            # Some changes of the rows wake no stream, for example the end of a rebuild. So the rows are also read after
            # KEEPALIVE_SECONDS.
            page = await (_news(context, rung, cursor) if woken else _after(context, cursor, STREAMED))
        except Problem:
            return  # the next connection with this cursor is answered with the status of this problem


async def _after(context: ConsoleContext, after: str, limit: int) -> FeedPage:
    """Returns the entries after this cursor, as many as fit into one answer and at most `limit`. Raises Problem 410 if
    the feed does not have the cursor."""
    cursor = cursors.cursor_of(after)
    with _known(after):
        return await context.releases.ask(
            (cursor, limit), partial(run_in_threadpool, _read, context.rows, cursor, limit)
        )


async def _news(context: ConsoleContext, rung: int, after: str) -> FeedPage:
    """Returns the entries after this cursor, at most STREAMED, and raises Problem 410 as the function `_after` does.
    The rows are read only once for all streams at this cursor that the same ring of the bell has woken."""
    cursor = cursors.cursor_of(after)
    with _known(after):
        return await context.news.ask(rung, cursor, partial(run_in_threadpool, _read, context.rows, cursor, STREAMED))


@contextmanager
def _known(after: str) -> Iterator[None]:
    try:
        yield
    except cursors.WrongFeed as error:
        raise Problem(410, "wrong_feed", seen=after, last=error.last) from None


def _read(rows: ReadModelQueries, cursor: cursors.Cursor, limit: int) -> FeedPage:
    found = rows.releases(cursor, limit + 1)
    entries, more = fit((masked(one, Audience.PORT) for one in feed_entries(rows, found.rows)), limit)
    return FeedPage(entries, more or found.waits or len(entries) < len(found.rows))


def refuse_rebuilding(after: str, page: FeedPage) -> None:
    if page.more and not page.entries:
        raise Problem(503, "feed_rebuilding", seen=after, headers=RETRY)
