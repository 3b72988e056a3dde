"""What does one more connection cost, and which other connection is closed for it? Steps are counted, so that no clock
is needed."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, Self, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from services.console.api import connection_limits, held_connections
from services.console.api.connection_limits import LimitedProtocol, limited
from services.console.api.held_connections import ByAddress
from services.console.settings import ConsoleSettings
from tests.loops import finish

FLOOD, OTHER = "192.0.2.1", "192.0.2.2"
STEPS = 2_000
"""The most bytecode instructions that one more connection may take in our own files, however many connections there
are."""
BODY_TO_COME = b"POST /sign-in HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\na"


class Line(asyncio.Transport):
    """A connection in memory. As with a socket, the protocol is told only in the next turn of the event loop that the
    connection has ended."""

    def __init__(self, address: str, protocol: LimitedProtocol) -> None:
        super().__init__({"peername": (address, 1), "sockname": ("192.0.2.9", 8080)})
        self.protocol, self.closing, self.sent = protocol, False, b""

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def close(self) -> None:
        self.abort()

    def write(self, data: Any) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        """Nothing is read here."""

    def resume_reading(self) -> None:
        """Nothing is read here."""


class NotWalked(set[Any]):
    """The set of the server's connections. The test fails if anything iterates over it."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("a walk over all connections")


async def never_answers(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


class Door:
    """The protocol of the console on connections in memory. `most`: how many may be open."""

    def __init__(self, most: int) -> None:
        self.state = ServerState()
        self.state.connections = NotWalked()
        self.config = uvicorn.Config(never_answers, log_level="critical", lifespan="off")
        kind = limited(ConsoleSettings())
        kind.most = most
        self._kind = kind
        self.lines: list[Line] = []

    def open(self, address: str, sent: bytes = b"") -> Line:
        protocol = self._kind(self.config, self.state, {}, asyncio.get_running_loop())
        line = Line(address, protocol)
        protocol.connection_made(line)
        if sent and not line.closing:
            protocol.data_received(sent)
        self.lines.append(line)
        return line

    def held(self) -> Counter[str]:
        """How many connections of each address are open."""
        return Counter(line.get_extra_info("peername")[0] for line in self.lines if not line.closing)

    async def end(self) -> None:
        """Closes every open connection, and checks that the server and the protocol have forgotten all of them."""
        for line in self.lines:
            line.close()
        tasks = list(self.state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        listed = self._kind.listed
        assert len(self.state.connections) == len(listed.ending) == 0
        assert listed.silent.most() == listed.busy.most() == ("", 0)


OWN_FILES = {connection_limits.__file__, held_connections.__file__}


class Steps:
    """Counts the bytecode instructions that run in our own files within the block."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "call" and frame.f_code.co_filename not in OWN_FILES:
            return None
        frame.f_trace_opcodes = True
        self.count += event == "opcode"
        return self._trace


async def largest_cost(most: int, sent: bytes, addresses: Iterable[str]) -> int:
    """The most steps that one of the new connections takes while as many connections are open as are allowed. `sent`:
    the bytes that each client has sent; `addresses`: from where the new connections come."""
    door = Door(most)
    for n in range(most):
        door.open(f"198.51.100.{n % 200}" if n % 2 else FLOOD, sent)
    costs = []
    for address in addresses:
        with Steps() as steps:
            door.open(address, sent)
        costs.append(steps.count)
        if len(costs) % 7 == 0:
            await asyncio.sleep(0)
    await door.end()
    return max(costs)


@pytest.mark.parametrize("sent", [b"", BODY_TO_COME], ids=["silent", "bodies that do not end"])
@pytest.mark.parametrize("address", [FLOOD, OTHER])
def test_one_more_connection_costs_as_much_among_a_hundred_as_among_thousands(sent: bytes, address: str) -> None:
    few, many = [finish(largest_cost(most, sent, [address] * 60)) for most in (100, 2_000)]
    assert 0 < many <= STEPS and few <= STEPS, (few, many)


def test_each_new_connection_closes_one_and_no_more_also_before_the_loop_tells_of_their_ends() -> None:
    async def opened() -> None:
        door = Door(100)
        for _ in range(400):  # in one turn of the event loop
            door.open(FLOOD)
            assert door.held()[FLOOD] == min(100, len(door.lines))
        assert not any(line.closing for line in door.lines[-100:]), "the ones that were silent longest were closed"
        await asyncio.sleep(0)
        assert len(door.state.connections) == 100
        await door.end()

    finish(opened())


def test_one_that_was_closed_for_another_one_no_longer_counts() -> None:
    async def opened() -> None:
        door = Door(16)
        lines = [door.open(FLOOD) for _ in range(17)]
        assert lines[0].closing and len(door.state.connections) == 17, "the protocol has not learned of its end yet"
        lines[9].closing = True
        lines[9].protocol.connection_lost(None)
        door.open(FLOOD)
        assert door.held()[FLOOD] == 16
        await door.end()

    finish(opened())


def test_who_opens_silent_connections_all_the_time_closes_their_own() -> None:
    async def opened() -> None:
        door = Door(100)
        kept, fresh = door.open(OTHER), door.open("192.0.2.3")
        for n in range(3_000):
            door.open(FLOOD)
            if n % 50 == 0:
                await asyncio.sleep(0)
        assert not kept.closing and not fresh.closing and door.held()[FLOOD] == 98
        await door.end()

    finish(opened())


def test_a_silent_connection_is_closed_before_any_with_a_request_under_way() -> None:
    async def opened() -> None:
        door = Door(100)
        silent = door.open(OTHER)
        busy = [door.open(FLOOD, BODY_TO_COME) for _ in range(99)]
        door.open(OTHER, BODY_TO_COME)
        assert silent.closing and not any(line.closing for line in busy)
        door.open(OTHER, BODY_TO_COME)
        assert [line.closing for line in busy] == [True] + [False] * 98, "the one that has been sending longest"
        await door.end()

    finish(opened())


def test_of_those_with_a_request_one_that_is_still_sending_is_closed_first_and_equals_take_nothing() -> None:
    async def opened() -> None:
        door = Door(16)
        whole = [door.open(FLOOD, BODY_TO_COME + b"bcdefghi") for _ in range(7)]
        sending = door.open(FLOOD, BODY_TO_COME)
        others = [door.open(OTHER, BODY_TO_COME) for _ in range(8)]
        refused = door.open(OTHER, BODY_TO_COME)
        assert refused.closing and b" 503 " in refused.sent and b"connections_busy" in refused.sent
        third = door.open("192.0.2.3", BODY_TO_COME)
        assert sending.closing and not any(line.closing for line in (*whole, *others, third))
        await door.end()

    finish(opened())


def test_lists_by_address_say_what_a_walk_over_all_would_say() -> None:
    dice = random.Random(7)
    listed, order = ByAddress[int](groups=2), cast(dict[int, tuple[str, int]], {})
    for _ in range(20_000):
        one = dice.randrange(60)
        if dice.random() < 0.45:
            listed.remove(one)
            order.pop(one, None)
        else:
            address_and_group = f"address-{dice.randrange(6)}", dice.randrange(2)
            listed.put(one, *address_and_group)
            order.pop(one, None)
            order[one] = address_and_group
        counts = Counter(address for address, _ in order.values())
        address, count = listed.most()
        assert count == max(counts.values(), default=0) == counts[address]
        assert {each: listed.count(each) for each in counts} == counts
        if count:
            expected = [
                each
                for group in (0, 1)
                for each, address_and_group in order.items()
                if address_and_group == (address, group)
            ]
            assert listed.first(address) == expected[0]
    with pytest.raises(LookupError):
        listed.first("nobody")
