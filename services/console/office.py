"""What do the routes share? The rows, the producer, the projection's progress, and the bell that rings for ports."""

import asyncio
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request

from services.console.asking import Asker
from services.console.intake import Intake
from services.console.progress import Progress, Standing
from services.console.queries import Rows
from services.console.settings import ConsoleSettings
from services.console.streams import Shared, Streams
from services.console.views import ReleaseView
from services.console.watching import Watch

GATE_THREADS = 4
"""Gate questions that read rows at once."""


class Bell:
    """Rung when the feed grew; everybody who waits wakes up."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self.closed = False

    def hang(self) -> None:
        """From now on it rings in the running loop."""
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._ring)

    def close(self) -> None:
        """The console is stopping: nobody is to wait any more."""
        self.closed = True
        self.ring()

    def _ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or for so long."""
        if not self.closed and seconds > 0:
            try:
                await asyncio.wait_for(self._event.wait(), seconds)
            except TimeoutError:
                return


@dataclass
class Office:
    """One console at work."""

    settings: ConsoleSettings
    rows: Rows
    asker: Asker
    progress: Progress | Watch
    """The projector's own, or what it wrote where it is another process."""
    gate_rows: Rows
    bell: Bell = field(default_factory=Bell)
    gate_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(GATE_THREADS))
    intake: Intake = field(init=False)
    streams: Streams = field(init=False)
    releases: Shared[tuple[list[ReleaseView], bool]] = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(self.settings.large_bodies)
        self.releases = Shared()
        self.streams = Streams(self.settings.streams, self.settings.client_streams)

    def standing(self) -> Standing:
        return self.progress.state()

    def behind(self) -> bool:
        """Whether something that was said may not be in the rows yet."""
        standing = self.standing()
        return standing.behind > 0 or not standing.fresh(self.settings.gate_stale_seconds)


def office(request: Request) -> Office:
    """The console that this request came to."""
    made: Office = request.app.state.office
    return made
