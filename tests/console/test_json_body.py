"""Does every route find out who sends a request before it reads the body, and is a large body parsed in another
process?"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar, TypeVarTuple

import pytest

from services.console.api import requests, watch_requests
from services.console.api.json_body import JsonRoute
from services.console.api.large_bodies import LARGE_BYTES, LargeBodies
from tests.console.still import Still

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
JSON = {"content-type": "application/json", "accept": "application/json"}
POSTS = [
    route.path
    for router in (requests.router, watch_requests.router)
    for route in router.routes
    if isinstance(route, JsonRoute) and "POST" in (route.methods or ())
]


class Noting(LargeBodies):
    """Records the size of each body that is parsed."""

    def __init__(self, limit: int, limit_of_client: int) -> None:
        super().__init__(limit, limit_of_client)
        self.sizes: list[int] = []

    async def parse(self, function: Callable[[bytes, *Ts], T], data: bytes, *more: *Ts) -> T:
        self.sizes.append(len(data))
        return await super().parse(function, data, *more)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    made = Still(tmp_path_factory.mktemp("bodies"))
    yield made
    made.stop()


def path_of(route: str) -> str:
    return route.format(
        consignment_id="969933d5-ca49-5369-8778-4408be916a00",
        container_no="CSQU3054383",
        report_id="r",
        hold_id="h",
        watch_id="w",
    )


@pytest.mark.parametrize("route", POSTS)
def test_a_body_of_nobody_is_not_read(still: Still, route: str) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(3):
            read += 1
            yield b'{"reason":"x"}'

    answer = still.get(path_of(route), name="-", method="POST", content=body(), headers=JSON)
    assert (answer.status_code, read) == (401, 0)


@pytest.mark.parametrize("path", ["declarations", "declarations/batch", "watches", "watches/w/lift"])
def test_a_large_body_is_handed_to_the_parser(still: Still, path: str) -> None:
    office = still.app.state.context
    office.intake = Noting(office.settings.large_bodies, office.settings.client_large_bodies)
    large = b" " * (2 * LARGE_BYTES)
    answer = still.get(f"/api/v1/{path}", method="POST", content=large, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/not_json")
    assert office.intake.sizes == [len(large)] and office.intake.free == office.settings.large_bodies
