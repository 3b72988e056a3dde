"""How much time, how many bytes and how many connections may a client use before a route runs? Limits are added to uvicorn's protocol."""

import resource
from asyncio import BaseTransport, TimerHandle, Transport
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.console.api.bodies import counted_as
from services.console.api.held_connections import ByAddress
from services.console.api.problems import MEDIA_TYPE, Problem
from services.console.settings import ConsoleSettings
from services.shell.clock import stopwatch

HEADERS = 100
"""The most headers that one request may have."""
PIPELINED = 8
"""How many requests of one connection may wait behind the one that is being handled. uvicorn queues them without limit:
the data of one read may contain more than ten thousand requests, and each takes some kilobytes of memory."""
FIRST, LATER = 0, 1
"""The groups of the connections of one address that have a request under way. FIRST: the client has not sent the whole
request yet; these connections are closed first. LATER: the client has sent the whole request."""


class TooManyPipelined(Exception):
    """Raised for a request that comes while PIPELINED earlier requests of its connection wait to be handled."""


class ListedConnections:
    """The connections of one server. A connection that is closing may still be listed; `_open_one_of` removes it when it
    finds it."""

    def __init__(self) -> None:
        self.silent: ByAddress[LimitedProtocol] = ByAddress()
        """The connections without a request under way. The first one of each address has been silent longest."""
        self.busy: ByAddress[LimitedProtocol] = ByAddress(groups=2)
        """The connections with a request under way, in the groups FIRST and LATER."""
        self.ending: set[LimitedProtocol] = set()
        """The connections that were closed to make room, and for which `connection_lost` was not called yet. They no
        longer count as open. Many new connections may come before that call, and each of them would otherwise close one
        connection too many."""

    def remove(self, one: "LimitedProtocol") -> None:
        self.silent.remove(one)
        self.busy.remove(one)


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits of time, bytes and connections. uvicorn itself waits and buffers without limit."""

    settings: ConsoleSettings
    most: int
    listed: ListedConnections

    def __init__(self, *more: Any, **named: Any) -> None:
        super().__init__(*more, **named)
        self._head_bytes = 0
        self._body_bytes = 0
        self._sent_bytes = 0
        self._body_total = 0
        self._in_head = True
        self._refused = False
        self._address = ""
        self._began = stopwatch()
        self._timer: TimerHandle | None = None
        self._writing: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        self._address = counted_as(self.client[0]) if self.client else ""
        if len(self.connections) - len(self.listed.ending) > self.most and not self._make_room():
            self._refuse(Problem(503, "connections_busy", limit=self.most, headers={"Retry-After": "1"}))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.listed.remove(self)
        self.listed.ending.discard(self)
        self._cancel()
        if self._writing is not None:
            self._writing.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_head:
            if self._timer is None:  # a further request begins on a keep-alive connection
                self._expect_head()
            self._head_bytes += len(data)
        else:
            self._sent_bytes += len(data)
        super().data_received(data)
        if self._head_is_too_large():
            self._refuse(Problem(431, "header_too_large", limit=self.settings.header_limit_bytes))

    # the head of an HTTP request

    def _head_is_too_large(self) -> bool:
        """Returns whether the request line and the headers exceed the limit for headers. While a body is received,
        returns whether its chunk sizes, chunk extensions and trailers have more bytes than the body so far and this
        limit together."""
        size, most = self._head_bytes, self.settings.header_limit_bytes
        if not self._in_head:
            around_body = self._sent_bytes - self._body_total
            size, most = around_body, most + self._body_total
        return not self._refused and size > most

    def _expect_head(self) -> None:
        self._cancel()
        self._head_bytes, self._began = 0, stopwatch()
        self._timer = self.loop.call_later(self.settings.header_seconds, self._too_slow)
        self._list()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._refused:
            return
        if len(self.pipeline) >= PIPELINED:
            # the exception ends the parsing of what was read, and leads to `send_400_response`
            raise TooManyPipelined
        size = sum([len(name) + len(value) for name, value in self.headers])
        if len(self.url) > self.settings.address_limit_bytes:
            self._refuse(Problem(414, "address_too_long", limit=self.settings.address_limit_bytes))
        elif size > self.settings.header_limit_bytes or len(self.headers) > HEADERS:
            self._refuse(Problem(431, "header_too_large", limit=self.settings.header_limit_bytes))
        elif other := self._other_server():
            self._refuse(Problem(421, "wrong_host", seen=other[:100]))
        else:
            self._in_head = False
            self._sent_bytes = self._body_total = 0
            self._expect_body()
            super().on_headers_complete()
            self._list()

    def _other_server(self) -> str:
        """Returns the server in an address like `http://server/path` if the header `Host` names another server;
        otherwise an empty text. Both must name the same server, because `Admission` checks only `Host`, and a proxy on
        the way may follow the address."""
        if self.url.startswith(b"/") or b"://" not in self.url:
            return ""
        server = self.url.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0].lower()
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        return "" if [server] == hosts else server.decode("ascii", "replace") or "?"

    # the body of an HTTP request

    def _expect_body(self) -> None:
        self._cancel()
        self._body_bytes, self._began = 0, stopwatch()
        self._timer = self.loop.call_later(self.settings.body_grace_seconds, self._look_at_body)

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            self._body_bytes += len(body)
            self._body_total += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            self._cancel()
            self._in_head, self._head_bytes = True, 0
            super().on_message_complete()
            self._list()

    def _look_at_body(self) -> None:
        settings, now = self.settings, stopwatch()
        if self.flow.read_paused:  # we have stopped reading, so the client is not slow
            self._began = now
            self._body_bytes = 0
        left = self._began + settings.body_grace_seconds + self._body_bytes / settings.body_bytes_a_second - now
        if left <= 0:
            self._too_slow()
        else:
            self._timer = self.loop.call_later(max(left, 0.1), self._look_at_body)

    # the answer

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._list()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self.loop.call_later(self.settings.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    # closing the connection

    def _too_slow(self) -> None:
        self._timer = None
        # no request has begun, for example on a spare connection of a browser
        if self._in_head and not self._head_bytes:
            self._refused = True
            self.listed.remove(self)
            self.transport.close()
        else:
            self._refuse(Problem(408, "too_slow"))

    def _make_room(self) -> bool:
        """Closes another connection to make room for this one, and returns True. Of the address that has the most
        silent connections, it closes the connection that has been silent longest. If no connection is silent, it closes
        a connection of the address that has the most requests under way. It returns False and closes nothing if that
        address has at most one request more under way than the address of this connection."""
        one = self._open_one_of(self.listed.silent)
        if one is None:
            one = self._open_one_of(self.listed.busy)
            if one is None or self.listed.busy.count(one._address) <= self.listed.busy.count(self._address) + 1:
                return False
        self.listed.remove(one)
        self.listed.ending.add(one)
        one.transport.abort()
        return True

    def _open_one_of(self, by_address: "ByAddress[LimitedProtocol]") -> "LimitedProtocol | None":
        """Returns the first open connection of the address that has the most connections; None if none is open. Removes
        the closing connections that it finds, so that each of them is found only once."""
        while True:
            address, count = by_address.most()
            if not count:
                return None
            if (one := by_address.first(address))._is_open():
                return one
            by_address.remove(one)

    def _list(self) -> None:
        """Lists this connection as silent or busy, or removes it if it is closing. Call this after each change of what
        `silent` and `_awaits_client` return."""
        if not self._is_open():
            self.listed.remove(self)
        elif self._answered():
            self.listed.busy.remove(self)
            self.listed.silent.put(self, self._address)
        else:
            self.listed.silent.remove(self)
            self.listed.busy.put(self, self._address, FIRST if self._awaits_client() else LATER)

    def _is_open(self) -> bool:
        return not self.transport.is_closing()

    def silent(self) -> bool:
        """Returns whether the connection is open and no request is being handled. A request that was answered before
        its whole body came no longer counts as being handled. Otherwise a client that was refused could keep the
        connection by sending the rest of the body slowly."""
        return self._is_open() and self._answered()

    def _awaits_client(self) -> bool:
        """Returns whether the rest of a request is still to come."""
        cycle = cast(RequestResponseCycle | None, self.cycle)
        return cycle is None or cycle.more_body

    def _answered(self) -> bool:
        cycle = cast(RequestResponseCycle | None, self.cycle)
        return cycle is None or cycle.response_complete

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def send_400_response(self, msg: str) -> None:
        self._refuse(Problem(400, "not_http"))

    def _refuse(self, problem: Problem) -> None:
        """Sends the problem, unless another answer has begun, and closes the connection.

        If earlier requests of this connection are not answered yet, nothing is sent, because the client would take the problem for the answer
        to the first of them. The connection is then closed after their answers.
        """
        self._refused = True
        self._cancel()
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if self._in_head and cycle is not None and not cycle.response_complete and not self.transport.is_closing():
            cycle.keep_alive = False
            return
        self.listed.remove(self)
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
            self.transport.write(_answer(problem))
        self.transport.close()


def _answer(problem: Problem) -> bytes:
    body = orjson.dumps(problem.details().model_dump())
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **problem.headers,
    }
    lines = [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
    return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])


def limited(settings: ConsoleSettings) -> type[LimitedProtocol]:
    """Returns a protocol class that enforces the limits of these settings. `settings.connections` connections may be
    open, or fewer if the process may have few file descriptors: half of their number, but at least 16."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = min(settings.connections, max(16, descriptors // 2))
    return type("Limited", (LimitedProtocol,), {"settings": settings, "most": most, "listed": ListedConnections()})
