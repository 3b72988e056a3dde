"""How many large bodies does this process take in at once, and where are bodies parsed? Only a few large bodies are in memory at a time.
Another process parses all bodies that are not small, one after another."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

import structlog
from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from services.console.api.problems import Problem

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
LOOP_BYTES = 16_000
"""The most bytes of a body that is parsed in this process. A longer one is parsed in another process, because a parser holds Python's
interpreter lock even in a thread, and would delay the answers to the gate's questions. A body of this length with a fault in each field takes
some 5 ms."""
LARGE_BYTES = 100_000
"""A body of more bytes than this counts as large. The number of large bodies is limited, because many at once would
fill the memory."""
RETRY_SECONDS = 1
log = structlog.get_logger()


class BodyReservation:
    """The share of one body in the limit of large bodies. It is taken from the limit only when the body turns out to be large."""

    def __init__(self, intake: "LargeBodies", client: str) -> None:
        self._intake, self._client = intake, client
        self.taken = False

    def has_room(self, size: int) -> bool:
        """Returns whether `size` bytes of the body may be kept in memory. Up to LARGE_BYTES are always kept. A larger body is kept only if
        the limit allows another large body."""
        if size > LARGE_BYTES and not self.taken:
            self.taken = self._intake.take(self._client)
        return self.taken or size <= LARGE_BYTES

    def refusal(self) -> Problem:
        """Returns the problem for a body that has no room."""
        return self._intake.busy(self._client)


class LargeBodies:
    """Counts the large bodies in memory, and runs the process that parses them. `limit`: the most large bodies at once; `limit_of_client`:
    the most from one address."""

    def __init__(self, limit: int, limit_of_client: int) -> None:
        self.free = self.limit = limit
        self._limit_of_client = limit_of_client
        self._clients: Counter[str] = Counter()
        self._parser = CapacityLimiter(1)

    @contextmanager
    def reserve(self, client: str) -> Iterator[BodyReservation]:
        """Yields a reservation for one body. The reservation must be held as long as the body is in memory. `client`:
        the address of its sender."""
        reservation = BodyReservation(self, client)
        try:
            yield reservation
        finally:
            if reservation.taken:
                self._give_back(client)

    def take(self, client: str) -> bool:
        """Counts one more large body and returns True. If the limit, or the limit of the client, is reached, counts
        nothing and returns False."""
        if not self.free or self._clients[client] >= self._limit_of_client:
            return False
        self.free -= 1
        self._clients[client] += 1
        return True

    def busy(self, client: str) -> Problem:
        """Returns the problem for a large body that was not counted: 429 if the client's limit is reached, else 503."""
        again = {"Retry-After": str(RETRY_SECONDS)}
        if self._clients[client] >= self._limit_of_client:
            return Problem(429, "client_bodies_busy", limit=self._limit_of_client, headers=again)
        return Problem(503, "bodies_busy", limit=self.limit, headers=again)

    def _give_back(self, client: str) -> None:
        self.free += 1
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]

    async def parse(self, function: Callable[[bytes, *Ts], T], data: bytes, *more: *Ts) -> T:
        """Returns `function(data, *more)`. A body of at most LOOP_BYTES is parsed in this process. Larger bodies are parsed one after the
        other in another process, which is reused. So function, arguments and result must be picklable. Raises Problem 503 if the other
        process ended."""
        if len(data) <= LOOP_BYTES:
            return function(data, *more)
        try:
            return await to_process.run_sync(function, data, *more, cancellable=True, limiter=self._parser)
        except BrokenWorkerProcess as error:
            log.warning("the process that parses bodies ended", error=repr(error.__cause__ or error))
            raise Problem(503, "parser_ended", headers={"Retry-After": str(RETRY_SECONDS)}) from error
