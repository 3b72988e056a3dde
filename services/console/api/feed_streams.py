"""How many ports may follow the feed at once, and what do they share? The number of open event streams and long polls
is limited; all streams that wait at one cursor share one query."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from services.console.api.problems import Problem

T = TypeVar("T")
RETRY = {"Retry-After": "5"}
REMEMBERED_ANSWERS = 4
"""The most answers that `News` caches. Nearly all streams that one ring wakes are at the same cursor. An answer can take 10 MB."""


class Streams:
    """Counts the event streams and long polls that are open, in all (at most `most`) and for each client address (at most `most_of_client`)."""

    def __init__(self, most: int, most_of_client: int) -> None:
        self._most, self._most_of_client = most, most_of_client
        self._clients: Counter[str] = Counter()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Counts a stream or long poll as open while the `with` block runs. Raises Problem 429 if this client has too
        many of them open, and 503 if all clients together have too many."""
        self.enter(client)
        try:
            yield
        finally:
            self.leave(client)

    def enter(self, client: str) -> None:
        if self._clients[client] >= self._most_of_client:
            raise Problem(429, "client_streams_busy", limit=self._most_of_client, headers=RETRY)
        if self._clients.total() >= self._most:
            raise Problem(503, "streams_busy", limit=self._most, headers=RETRY)
        self._clients[client] += 1

    def leave(self, client: str) -> None:
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]


class Shared(Generic[T]):
    """Merges equal queries. Callers with the same key share one answer if they call before the query has started; a later call starts another
    query."""

    def __init__(self) -> None:
        self._waiting: dict[object, asyncio.Task[T]] = {}

    async def ask(self, key: object, query: Callable[[], Awaitable[T]]) -> T:
        """Returns the answer to `query`. Equal queries must have equal keys."""

        async def started() -> T:
            del self._waiting[key]
            return await query()

        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(started())
        return await asyncio.shield(task)


class News(Generic[T]):
    """Caches answers until the `Bell` of the console rings again, which it does when the feed has new entries. So streams that one ring has
    woken share one query for each key. Only the last REMEMBERED_ANSWERS answers are cached, because a stream that catches up asks for one
    page after the other without a ring. A failed query is not cached."""

    def __init__(self) -> None:
        self._rung = -1
        self._answers: OrderedDict[object, asyncio.Task[T]] = OrderedDict()

    async def ask(self, rung: int, key: object, query: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Returns the answer to `query`. `rung`: how often the bell has rung so far. If a query with this key was begun after
        the latest ring, returns its answer; otherwise begins `query` now. Equal queries must have equal keys."""
        if rung != self._rung:
            self._rung, self._answers = rung, OrderedDict()
        answers, task = self._answers, self._answers.get(key)
        if task is None:
            task = answers[key] = asyncio.create_task(query())
            while len(answers) > REMEMBERED_ANSWERS:
                answers.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except Exception:
            if answers.get(key) is task:
                del answers[key]
            raise
