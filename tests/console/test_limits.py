"""How long can a sender keep the console busy, and with how much data? Raw sockets are used against the real server."""

import asyncio
import gc
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast
from weakref import ref

import httpx2
import pytest

from deploy.kafka.broker import free_port
from services.console.api.connection_limits import LimitedProtocol
from services.console.api.context import WOKEN_AT_ONCE, Bell
from services.console.api.feed_streams import REMEMBERED_ANSWERS, News, Shared, Streams
from services.console.api.problems import Problem
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.conftest import Running, end_of_feed
from tests.console.test_api import problem
from tests.loops import finish
from tests.people import LINE, headers_of
from tests.waiting import wait

GATE = "/api/v1/containers/CSQU3054383"


@pytest.fixture(scope="module")
def small(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console with low limits."""
    folder = tmp_path_factory.mktemp("limits")
    settings = ConsoleSettings(
        kafka=bootstrap,
        partitions=PARTITIONS,
        database_url=f"sqlite:///{folder}/console.db",
        console_port=free_port(),
        connections=32,
        header_seconds=1,
        body_grace_seconds=1,
        body_bytes_a_second=1_000_000,
        streams=6,
        client_streams=4,
    )
    migrate(settings.database_url)
    running = Running(settings)
    running.start()
    yield running
    running.stop()


def connect(console: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", console.settings.console_port), 30)


def head(console: Running, start: str = f"GET {GATE}", *lines: str) -> bytes:
    """A request up to its last header; the caller adds the empty line."""
    host = f"Host: localhost:{console.settings.console_port}"
    return "".join([f"{line}\r\n" for line in (f"{start} HTTP/1.1", host, LINE, *lines)]).encode()


def answer(line: socket.socket) -> bytes:
    """Everything that is received until the console closes the connection."""
    found = b""
    try:
        while piece := line.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def refused(line: socket.socket, status: int, code: str) -> None:
    found = answer(line)
    assert b"HTTP/1.1 %d " % status in found, found[:200]
    assert b"/problems/%s" % code.encode() in found and b"title_zh" in found


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET ", "too_slow"),
        (b"{head}", "too_slow"),
        (b"{post}{", "too_slow"),
        (b"{chunk}", "too_slow"),
    ],
)
def test_who_stops_in_the_middle_is_hung_up_on(small: Running, sent: bytes, code: str) -> None:
    post = head(small, "POST /api/v1/declarations", "Content-Type: application/json", "Content-Length: 100") + b"\r\n"
    chunk = head(small, "POST /lodge", "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked")
    sent = sent.replace(b"{head}", head(small)).replace(b"{post}", post).replace(b"{chunk}", chunk + b"\r\n1\r\na")
    with connect(small) as line:
        line.sendall(sent)
        refused(line, 408, code)


def test_a_connection_that_says_nothing_is_closed_without_a_word(small: Running) -> None:
    with connect(small) as line:
        assert answer(line) == b""


def test_a_kept_connection_has_its_time_for_each_head(small: Running) -> None:
    with connect(small) as line:
        line.sendall(head(small) + b"\r\n")
        assert b" 200 " in line.recv(65536)
        line.sendall(head(small))
        refused(line, 408, "too_slow")


def test_heads_and_addresses_are_bounded(small: Running) -> None:
    for sent, status, code in (
        (head(small, f"GET {GATE}", "X-Long: " + "x" * 20_000) + b"\r\n", 431, "header_too_large"),
        (head(small, f"GET {GATE}", *[f"X-{number}: 1" for number in range(200)]) + b"\r\n", 431, "header_too_large"),
        (head(small, f"GET {GATE}?{'q' * 9000}") + b"\r\n", 414, "address_too_long"),
        (b"\x16\x03\x01 nonsense\r\n\r\n", 400, "not_http"),
    ):
        with connect(small) as line:
            line.sendall(sent)
            refused(line, status, code)
    chunked = head(
        small, "POST /lodge", "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked"
    )
    for start in (head(small) + b"X-Endless: ", chunked + b"\r\n0\r\nX-Trailer: ", chunked + b"\r\n1;extension="):
        endless(small, start)


def endless(console: Running, start: bytes) -> None:
    """Sends `start` and then bytes without end, until the console closes the connection. Fails if the console takes 50
    MB."""
    with connect(console) as line:
        line.sendall(start)
        sent_bytes = 0
        try:
            while sent_bytes < 50_000_000:
                line.sendall(b"x" * 65_536)
                sent_bytes += 65_536
        except OSError:
            pass
        assert sent_bytes < 50_000_000, "nobody hung up"


def test_silent_connections_make_room_for_one_that_asks(small: Running) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(connect(small)) for _ in range(200)]
        assert on_a_line_of_its_own(small) == 200
        assert len(small.server.server_state.connections) <= 34
        lines[0].sendall(b"G")
        assert on_a_line_of_its_own(small) == 200


def test_who_comes_when_every_connection_has_a_request_under_way_is_told_so(bootstrap: str, tmp_path: Path) -> None:
    settings = ConsoleSettings(
        kafka=bootstrap,
        partitions=PARTITIONS,
        database_url=f"sqlite:///{tmp_path}/console.db",
        console_port=free_port(),
        connections=16,
        body_grace_seconds=60,
    )
    migrate(settings.database_url)
    crowded = Running(settings)
    crowded.start()
    # if this test client stayed open, it would use one of the sixteen connections
    crowded.http.close()
    sent = (
        head(crowded, "POST /api/v1/declarations", "Content-Type: application/json", "Content-Length: 100") + b"\r\n{"
    )
    with ExitStack() as stack:
        for _ in range(settings.connections):
            stack.enter_context(connect(crowded)).sendall(sent)
        wait(lambda: _in_request(crowded) == settings.connections, "every connection to have a request under way")
        with connect(crowded) as line:
            refused(line, 503, "connections_busy")
    crowded.stop()


def _in_request(console: Running) -> int:
    connections = cast(set[LimitedProtocol], console.server.server_state.connections)
    return len([each for each in connections if not each.silent()])


def on_a_line_of_its_own(console: Running) -> int:
    """The status of the gate's answer over a new connection. A connection that was kept from an earlier request is not
    used, because the console may close a silent connection."""
    with httpx2.Client(base_url=console.address, trust_env=False, headers=headers_of()) as http:
        return http.get(GATE).status_code


def test_streams_are_counted_and_given_back(small: Running) -> None:
    small.catch_up()
    stream = head(small, "GET /api/v1/releases/stream") + b"\r\n"
    with ExitStack() as stack:
        for _ in range(small.settings.client_streams):
            line = stack.enter_context(connect(small))
            line.sendall(stream)
            assert b" 200 " in line.recv(65536)
        found = small.http.get("/api/v1/releases/stream")
        problem(found, 429, "client_streams_busy")
        end = end_of_feed(small)
        problem(small.http.get(f"/api/v1/releases?wait=5&after={end}"), 429, "client_streams_busy")
        assert small.http.get("/api/v1/releases").status_code == 200
        assert small.http.get(GATE).status_code == 200
    following = f"/api/v1/releases?wait=0.1&after={end}"
    wait(lambda: small.http.get(following).status_code == 200, "the streams to be given back")
    streams = Streams(2, 2)
    with streams.one("a"), streams.one("b"), pytest.raises(Problem, match="streams_busy"):
        streams.enter("c")


def test_a_thousand_who_wait_for_one_release_are_one_query() -> None:
    async def all_of_them() -> int:
        shared, queries = Shared[int](), 0

        async def query() -> int:
            nonlocal queries
            queries += 1
            await asyncio.sleep(0)
            return queries

        answers = await asyncio.gather(*[shared.ask(("cursor", 1), query) for _ in range(1000)])
        assert set(answers) == {1}
        later = asyncio.create_task(shared.ask(("cursor", 1), query))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await shared.ask(("cursor", 1), query) == 3 and await later == 2, "who asks later gets a later answer"
        return queries

    # After a browser test, Playwright's event loop runs in the main thread. So this event loop needs another thread.
    assert finish(all_of_them()) == 3


def test_a_thousand_who_are_woken_by_one_ring_are_one_query_and_leave_the_loop_to_others() -> None:
    async def all_of_them() -> None:
        bell, news, turns, queries = Bell(), News[int](), list[int](), 0

        async def query() -> int:
            nonlocal queries
            queries += 1
            return queries

        async def stream() -> int:
            assert await bell.wait(0, 60)
            turns.append(turn)
            return await news.ask(bell.rung, "cursor 1", query)

        streams = [asyncio.create_task(stream()) for _ in range(1000)]
        gone, turn = asyncio.create_task(bell.wait(0, 60)), 0
        await asyncio.sleep(0)
        gone.cancel()
        bell.hang()
        bell.ring()
        while not all(each.done() for each in streams):
            await asyncio.sleep(0)
            turn += 1
        assert {await each for each in streams} == {1} and queries == 1
        assert max(Counter(turns).values()) <= WOKEN_AT_ONCE
        assert await news.ask(bell.rung, "cursor 2", query) == 2, "another place"
        bell.ring()
        assert await bell.wait(1, 60)
        assert await news.ask(bell.rung, "cursor 1", query) == 3, "a later ring"

    finish(all_of_them())


def test_of_the_pages_that_a_stream_reads_without_a_ring_only_a_few_stay_in_memory() -> None:
    class Page:
        pass

    async def catch_up() -> int:
        news, pages = News[Page](), list[ref[Page]]()

        async def query() -> Page:
            page = Page()
            pages.append(ref(page))
            return page

        for cursor in range(100):
            await news.ask(0, cursor, query)
        gc.collect()
        return len([one for one in pages if one() is not None])

    assert 1 <= finish(catch_up()) <= REMEMBERED_ANSWERS


def test_a_query_that_failed_is_made_again_although_the_bell_has_not_rung() -> None:
    async def twice() -> str:
        news = News[str]()

        async def fails() -> str:
            raise OSError("the database does not answer")

        async def answers() -> str:
            return "page"

        with pytest.raises(OSError, match="does not answer"):
            await news.ask(0, "cursor", fails)
        return await news.ask(0, "cursor", answers)

    assert finish(twice()) == "page"


def test_a_ring_while_the_rows_are_read_is_not_missed() -> None:
    async def one() -> None:
        bell = Bell()
        bell.hang()
        rung = bell.rung
        # This ring stands for an entry that comes just after the rows were read. The reader has not seen that entry.
        bell.ring()
        await asyncio.sleep(0)
        assert await bell.wait(rung, 60), "at once"
        assert not await bell.wait(bell.rung, 0.01)
        bell.close()
        assert await bell.wait(bell.rung, 60)

    finish(one())
