"""What may a client send before its earlier requests on the same connection are answered? May the address of a request
name another server than its `Host`? No sockets are used."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn

from services.console.api.connection_limits import PIPELINED
from tests.console.test_held_connections import FLOOD, Door
from tests.loops import finish

QUESTION = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
ONE_READ = 262_144 // len(QUESTION)
"""How many requests like QUESTION the event loop may read from a socket at once."""


class Answering(Door):
    """A console that answers a request as soon as `may_answer` is set. The answer has the number of the request."""

    def __init__(self) -> None:
        super().__init__(most=10)
        self.may_answer = asyncio.Event()
        self.begun = 0
        self.config = uvicorn.Config(self._answer, log_level="critical", lifespan="off", interface="asgi3")

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        body = b"answer %d;" % self.begun
        await self.may_answer.wait()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})


async def _until(done: Callable[[], bool]) -> None:
    """Lets the other tasks run until `done` returns True. Raises AssertionError if it has not done so after 10,000
    turns of the event loop."""
    for _ in range(10_000):
        if done():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


def test_who_sends_requests_without_end_before_the_first_is_answered_fills_no_memory() -> None:
    async def sent() -> None:
        door = Answering()
        line = door.open(FLOOD, QUESTION * ONE_READ)
        await asyncio.sleep(0)
        assert len(line.protocol.pipeline) <= PIPELINED
        line.protocol.data_received(QUESTION * ONE_READ)
        assert len(line.protocol.pipeline) <= PIPELINED
        door.may_answer.set()
        await _until(line.is_closing)
        assert line.sent.count(b"answer ") == line.sent.count(b" 200 ") == door.begun == 1 + PIPELINED
        await door.end()

    finish(sent())


def test_what_is_refused_behind_a_request_is_no_answer_to_that_request() -> None:
    """If the console sent the refusal, the client would take it for the answer to its earlier request, although that
    request is carried out."""

    async def sent(rest: bytes) -> None:
        door = Answering()
        line = door.open(FLOOD, QUESTION)
        line.protocol.data_received(rest)
        await asyncio.sleep(0)
        assert line.sent == b""
        door.may_answer.set()
        await _until(line.is_closing)
        assert line.sent.startswith(b"HTTP/1.1 200 ") and line.sent.count(b"HTTP/1.1 ") == 1
        assert b"answer 1;" in line.sent
        await door.end()

    long = b"x" * 70_000
    for rest in (b"\x16\x03 nonsense\r\n\r\n", b"GET /" + long + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + long):
        finish(sent(rest))


def test_a_few_requests_one_behind_the_other_are_answered_in_their_order() -> None:
    async def sent() -> None:
        door = Answering()
        line = door.open(FLOOD, QUESTION * (1 + PIPELINED))
        door.may_answer.set()
        await _until(lambda: line.sent.count(b"answer ") == 1 + PIPELINED)
        found = [b"answer %d;" % (number + 1) in line.sent for number in range(1 + PIPELINED)]
        assert all(found) and not line.closing
        await door.end()

    finish(sent())


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://here/", 200),
        ("HTTP://HERE/x", 200),
        ("http://elsewhere/", 421),
        ("http://here:81/", 421),
        ("http://user@here/", 421),
    ],
)
def test_a_request_whose_address_names_another_server_than_its_host_is_refused(target: str, status: int) -> None:
    """A proxy on the way may follow the address, while the console checks `Host` (RFC 9112, section 3.2.2)."""

    async def sent() -> None:
        door = Answering()
        door.may_answer.set()
        line = door.open(FLOOD, f"GET {target} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        await _until(lambda: bool(line.sent))
        assert line.sent.startswith(b"HTTP/1.1 %d " % status)
        await door.end()

    finish(sent())
