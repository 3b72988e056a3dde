"""Does a worker with several desks end within the time that `dtg up` gives it?"""

import asyncio

from mode import Service

from services.cli.up import WORKER_STOP_SECONDS
from services.shell.signals import FAUST_SECONDS, LOOP_SECONDS
from services.shell.worker import stop_together
from tests.loops import finish


class Waiting(Service):
    """A service that ends only while the other one ends, too."""

    barrier: asyncio.Barrier

    async def on_stop(self) -> None:
        await self.barrier.wait()


async def _two_end() -> None:
    barrier, services = asyncio.Barrier(2), [Waiting(), Waiting()]
    async with asyncio.timeout(5):
        for service in services:
            service.barrier = barrier
            await service.start()
        await stop_together(services)


def test_the_loops_of_a_worker_end_at_the_same_time() -> None:
    finish(_two_end())


def test_a_worker_has_the_time_that_its_orderly_end_may_take() -> None:
    assert WORKER_STOP_SECONDS > LOOP_SECONDS + FAUST_SECONDS
