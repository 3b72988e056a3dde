"""What do the routes share? The rows, the producer, the projector's progress, and the bell, which wakes the clients that wait for new
entries of the feed."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

from anyio import CapacityLimiter
from fastapi import Request

from services.console.access.rights import Who
from services.console.api.container_limit import Boxes
from services.console.api.feed_streams import News, Shared, Streams
from services.console.api.large_bodies import LargeBodies
from services.console.api.request_producer import Asker
from services.console.api.views import ReleaseView
from services.console.api.watches import WatchCoordinator
from services.console.readmodel.observed_progress import ObservedProgress
from services.console.readmodel.progress import Progress, ProjectorStanding
from services.console.readmodel.queries import ReadModelQueries
from services.console.settings import ConsoleSettings
from services.shell.ending import end_with_task

PAGE_THREADS = 3
"""How many threads make pages and other answers at the same time. Each thread that computes takes as large a share of Python's interpreter
lock as the event loop. With anyio's 40 threads, gate questions waited for half a minute while one client asked for many pages."""
GATE_THREADS = 4
"""How many threads may read rows for gate questions at the same time."""
WOKEN_AT_ONCE = 16
"""How many waiting coroutines are woken in one iteration of the event loop."""


class Bell:
    """Wakes the coroutines that wait for new entries of the feed, a few in each iteration of the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._to_wake: deque[asyncio.Future[None]] = deque()
        self._waking: asyncio.Task[None] | None = None
        self.rung = 0
        """How many times the bell has rung."""
        self.closed = False

    def hang(self) -> None:
        """Connects the bell to the running event loop. Before this call `ring` does nothing."""
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """Wakes all waiting coroutines; may be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._ring)

    def close(self) -> None:
        """Wakes all waiting coroutines for the last time, because the console stops. From now on `wait` returns at once."""
        self.closed = True
        self.ring()

    def _ring(self) -> None:
        self.rung += 1
        self._to_wake.extend(self._waiting)
        self._waiting.clear()
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._wake())
            self._waking.add_done_callback(end_with_task)

    async def _wake(self) -> None:
        while self._to_wake:
            for _ in range(min(WOKEN_AT_ONCE, len(self._to_wake))):
                waiting = self._to_wake.popleft()
                if not waiting.done():
                    waiting.set_result(None)
            await asyncio.sleep(0)  # lets the event loop answer gate questions in between

    async def wait(self, rung: int, seconds: float) -> bool:
        """Waits up to `seconds` until the bell has rung more than `rung` times. Returns whether it has rung that often. Returns True as
        soon as the bell is closed.

        Read `self.rung` before you read the rows and pass it here. Then no ring is missed, not even one that comes between the reading
        and this call.
        """
        if self.closed or self.rung != rung:
            return True
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = None
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(waiting, None)
        return True


@dataclass
class FeedPage:
    """Entries of the feed. `more`: whether further entries follow. If `entries` is empty and `more` is true, a rebuild runs, and the
    facts of the further entries are not in the rows yet."""

    entries: list[ReleaseView]
    more: bool

    @cached_property
    def events(self) -> bytes:
        """The entries as server-sent events. They are made only once for all streams."""
        return b"".join(
            [
                b"id: %s\nevent: release\ndata: %s\n\n" % (one.cursor.encode(), one.model_dump_json().encode())
                for one in self.entries
            ]
        )


@dataclass
class ConsoleContext:
    """The objects that the routes of one running console share."""

    settings: ConsoleSettings
    rows: ReadModelQueries
    asker: Asker
    progress: Progress | ObservedProgress
    """How complete the rows are: the progress of the projector in this process, or the standing that the projector of another process
    writes to the database."""
    gate_rows: ReadModelQueries
    bell: Bell = field(default_factory=Bell)
    gate_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(GATE_THREADS))
    intake: LargeBodies = field(init=False)
    boxes: Boxes = field(init=False)
    watches: WatchCoordinator = field(init=False)
    streams: Streams = field(init=False)
    releases: Shared[FeedPage] = field(default_factory=Shared)
    news: News[FeedPage] = field(default_factory=News)

    def __post_init__(self) -> None:
        self.intake = LargeBodies(self.settings.large_bodies, self.settings.client_large_bodies)
        self.boxes = Boxes(self.rows.boxes_named, self.settings.boxes_a_day)
        self.watches = WatchCoordinator(self.asker, self.rows, self.settings.partitions, lambda: self.standing().as_of)
        self.streams = Streams(self.settings.streams, self.settings.client_streams)

    def standing(self) -> ProjectorStanding:
        return self.progress.state()

    def complete(self) -> bool:
        """Returns whether the rows have every message that was committed to the topics more than `gate_stale_seconds`
        ago; false while the rows are rebuilt."""
        return self.standing().complete(self.settings.gate_stale_seconds)

    def behind(self) -> bool:
        """Returns whether messages that are on the topics may be missing from the rows."""
        return self.standing().behind > 0 or not self.complete()


_NOBODY = Who("", frozenset())


def who_of(request: Request) -> Who:
    """Returns the account that sent the request, as `authentication.prove` stored it. Raises KeyError if `prove` has
    stored no account, which happens only on routes that are `Open`."""
    who: Who = request.scope["who"]
    return who


def visitor(request: Request) -> Who:
    """Returns the account that sent the request. If there is none, because the page is open to all or the request was not authenticated,
    returns an account without name and roles."""
    who: Who = request.scope.get("who", _NOBODY)
    return who


def context_of(request: Request) -> ConsoleContext:
    """Returns the objects that the routes of this request's console share."""
    made: ConsoleContext = request.app.state.context
    return made
