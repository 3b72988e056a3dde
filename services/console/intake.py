"""How many large bodies does this process take in at once, and where are they parsed? A few, beside the event loop, one at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

from services.console.problems import Problem

P = ParamSpec("P")
T = TypeVar("T")
LARGE_BYTES = 100_000
"""A body of more bytes is parsed in a thread: what holds the event loop holds every answer at the gate."""
RETRY_SECONDS = 1


class BodyPlace:
    """The place of one body; taken from the intake when the body turns out to be large."""

    def __init__(self, intake: "Intake") -> None:
        self._intake = intake
        self.places = intake.places
        self.taken = False

    def has_room(self, size: int) -> bool:
        """Whether so many bytes may be kept: few always, more while there is a place for a large body."""
        if size > LARGE_BYTES and not self.taken and self._intake.free:
            self._intake.free -= 1
            self.taken = True
        return self.taken or size <= LARGE_BYTES


def busy(places: int) -> Problem:
    """503: `places` large bodies are in hand."""
    return Problem(503, "bodies_busy", limit=places, headers={"Retry-After": str(RETRY_SECONDS)})


class Intake:
    """The places for large bodies, and the one thread at a time that parses them."""

    def __init__(self, places: int) -> None:
        self.free = self.places = places
        self._parser = CapacityLimiter(1)

    @contextmanager
    def place(self) -> Iterator[BodyPlace]:
        """For the time from a body's first byte to the end of its request: so long it is in memory."""
        place = BodyPlace(self)
        try:
            yield place
        finally:
            self.free += place.taken

    async def parse(
        self, function: Callable[Concatenate[bytes, P], T], data: bytes, *more: P.args, **named: P.kwargs
    ) -> T:
        """`function(data, …)`: at once for a small body, after the other large ones for a large one."""
        if len(data) <= LARGE_BYTES:
            return function(data, *more, **named)
        return await to_thread.run_sync(lambda: function(data, *more, **named), limiter=self._parser)
