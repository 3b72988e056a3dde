"""Can one sender keep all connections for itself, so that nobody else is answered?"""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from deploy.kafka.broker import free_port
from services.console.api.context import PAGE_THREADS
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from tests.console.quiet import LONG_SECONDS, Quiet
from tests.people import headers_of
from tests.waiting import wait

GATE = "/api/v1/containers/CSQU3054383"
CONNECTIONS = 16


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Quiet]:
    """A console that accepts few connections. The test's own client is closed, so that it uses none of them."""
    settings = ConsoleSettings(
        kafka=f"127.0.0.1:{free_port()}",
        database_url=f"sqlite:///{tmp_path}/console.db",
        console_port=free_port(),
        projector="own",
        gate_stale_seconds=LONG_SECONDS,
        connections=CONNECTIONS,
        body_grace_seconds=600,
    )
    migrate(settings.database_url)
    running = Quiet(settings)
    running.start()
    running.http.close()
    yield running
    running.stop()


def fill(crowded: Quiet, stack: ExitStack, start: str, address: str = "127.0.0.2") -> list[socket.socket]:
    """Opens as many connections from one address as the console accepts, and sends on each a request whose body does
    not end. `start`: the path of the request."""
    host = f"127.0.0.1:{crowded.settings.console_port}"
    sent = f"POST {start} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n".encode()
    lines = [
        stack.enter_context(socket.create_connection(("127.0.0.1", crowded.settings.console_port), 30, (address, 0)))
        for _ in range(CONNECTIONS)
    ]
    for line in lines:
        line.sendall(sent + b"Content-Type: application/x-www-form-urlencoded\r\n\r\na")
    return lines


def status_of_question(crowded: Quiet, address: str = "127.0.0.1") -> int:
    """The status of the gate's answer, over a new connection from this address."""
    transport = httpx2.HTTPTransport(local_address=address)
    with httpx2.Client(base_url=crowded.address, transport=transport, headers=headers_of()) as http:
        return http.get(GATE).status_code


def test_however_many_pages_are_asked_for_only_a_few_threads_make_them(crowded: Quiet) -> None:
    """While a thread makes a page, it takes the interpreter lock from the event loop, and gate questions wait."""
    before = set(threading.enumerate())
    with ThreadPoolExecutor(CONNECTIONS) as clients:
        pages = [clients.submit(httpx2.get, f"{crowded.address}/docs", timeout=60) for _ in range(3 * CONNECTIONS)]
        assert {page.result().status_code for page in pages} == {200}
    made = [one for one in threading.enumerate() if one not in before and one.name == "AnyIO worker thread"]
    assert 0 < len(made) <= PAGE_THREADS


def test_who_has_all_connections_loses_one_to_somebody_who_has_none(crowded: Quiet) -> None:
    with ExitStack() as stack:
        fill(crowded, stack, "/sign-in")
        wait(lambda: _busy(crowded) == CONNECTIONS, "every connection to have a request under way")
        assert [status_of_question(crowded) for _ in range(CONNECTIONS)] == [200] * CONNECTIONS
        assert _busy(crowded) >= CONNECTIONS - 2, "only as many are closed as others need"


def test_a_request_that_was_answered_before_its_body_came_keeps_no_connection(crowded: Quiet) -> None:
    with ExitStack() as stack:
        for line in fill(crowded, stack, "/api/v1/declarations"):
            assert b" 401 " in line.recv(65_536)
        assert status_of_question(crowded, "127.0.0.2") == 200


def _busy(crowded: Quiet) -> int:
    return len([one for one in crowded.server.server_state.connections if not one.silent()])  # type: ignore[union-attr]
