"""How long does a question at the gate wait while others keep the console busy? `make gate-latency`.

Questions leave when they are due, whether or not the console keeps up, and each counts from then. First one client sends
the worst bodies that are allowed, each kind for some seconds; then declarations are lodged over HTTP, evenly; then many
ports follow releases by streams.
"""

import argparse
import http.client
import itertools
import os
import selectors
import socket
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import Manager
from pathlib import Path
from threading import Event, Lock, Thread

from rich.console import Console
from rich.table import Table

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.cli.bench.load import due_times, percentile
from services.simulator.day import Day
from tests.console.border import Border, publish
from tests.hostile.bodies import worst
from tests.hostile.console import serving

GATE = "/api/v1/containers/CSQU3054383"
JSON = {"Content-Type": "application/json"}
PARTITIONS = 8
LINES = 16
"""Connections at once, of those who ask and of those who lodge."""
BODIES_ASKED, LODGING_ASKED = 50, 200
"""Questions a second beside the worst bodies or streams, and beside lodging."""
RELEASES_A_SECOND = 2
screen = Console(highlight=False, width=110)
Send = Callable[[http.client.HTTPConnection, int], int]


class Offered:
    """Requests that leave when they are due, over `LINES` connections: milliseconds from then to the end of the answer."""

    def __init__(self, port: int, send: Send, rate: float, count: int) -> None:
        self.waits: list[float] = []
        self.answers = Counter[int]()
        self._port, self._send, self._lock = port, send, Lock()
        self._began = time.monotonic() + 0.05
        self._due = deque(enumerate(due_times(self._began, count, rate)))
        self._threads = [Thread(target=self._work) for _ in range(LINES)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while (one := self._next()) is not None:
            number, due = one
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                code = self._send(line, number)
            except (OSError, http.client.HTTPException):
                line.close()
                code = 0
            wait = (time.monotonic() - due) * 1000
            with self._lock:
                self.waits.append(wait)
                self.answers[code] += 1
        line.close()

    def _next(self) -> tuple[int, float] | None:
        with self._lock:
            return self._due.popleft() if self._due else None

    def end(self) -> None:
        """Returns when all were answered."""
        for thread in self._threads:
            thread.join()
        self.waits.sort()
        self.rate = len(self.waits) / (time.monotonic() - self._began)


def ask(line: http.client.HTTPConnection, _: int) -> int:
    """One question at the gate."""
    line.request("GET", GATE)
    answer = line.getresponse()
    answer.read()
    return answer.status


def post(line: http.client.HTTPConnection, path: str, body: bytes) -> int:
    line.request("POST", f"/api/v1{path}", body, JSON)
    answer = line.getresponse()
    answer.read()
    return answer.status


@contextmanager
def one_client_sends(port: int, path: str, body: bytes) -> Iterator[Counter[int]]:
    """The same body again and again, from one client."""
    ended, answers = Event(), Counter[int]()

    def work() -> None:
        while not ended.is_set():
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                answers[post(line, path, body)] += 1
            except (OSError, http.client.HTTPException):
                answers[0] += 1
            line.close()

    client = Thread(target=work)
    client.start()
    try:
        yield answers
    finally:
        ended.set()
        client.join()


def row(table: Table, name: str, waits: Sequence[float], answers: Counter[int], more: str) -> None:
    cells = [f"{percentile(waits, share):,.1f}" for share in (0.5, 0.95, 0.99, 1.0)]
    given = ", ".join(f"{code or 'none'} × {count}" for code, count in sorted(answers.items()))
    table.add_row(name, str(len(waits)), *cells, given, more)


def columns(title: str, beside: str) -> Table:
    return Table("beside", "asked", "p50 ms", "p95 ms", "p99 ms", "max ms", "answers at the gate", beside, title=title)


def beside_bodies(port: int, seconds: float) -> Table:
    """Each kind of the worst bodies for some seconds."""
    table, every = columns(f"{BODIES_ASKED} gate questions a second, one client sends", "its answers"), list[float]()
    count, gate = int(BODIES_ASKED * seconds), Counter[int]()
    calm = Offered(port, ask, BODIES_ASKED, count)
    calm.end()
    row(table, "nothing", calm.waits, calm.answers, "")
    for name, (path, body) in worst().items():
        with one_client_sends(port, path, body) as answers:
            offered = Offered(port, ask, BODIES_ASKED, count)
            offered.end()
        given = ", ".join(f"{code or 'hung up'} × {times}" for code, times in sorted(answers.items()))
        row(table, name, offered.waits, offered.answers, given)
        every += offered.waits
        gate += offered.answers
    row(table, "all of them", sorted(every), gate, "")
    return table


def lodge(port: int, rate: float, first: int, count: int, ready: Event) -> tuple[float, Counter[int]]:
    """Lodges these declarations of one day: how many a second, and the answers."""
    day = Day(9, 100_000, datetime(2026, 11, 23, tzinfo=UTC))
    papers = [day.plan(number).declaration.model_dump_json().encode() for number in range(first, first + count)]
    ready.set()
    offered = Offered(port, lambda line, number: post(line, "/declarations", papers[number]), rate, count)
    offered.end()
    return offered.rate, offered.answers


def beside_lodging(port: int, rates: Sequence[float], seconds: float) -> Table:
    """Declarations lodged evenly at each of these rates; 0: at once, to learn what HTTP lodging reaches."""
    table = columns(f"{LODGING_ASKED} gate questions a second, declarations are lodged over HTTP", "lodged a second")
    first = 0
    with ProcessPoolExecutor(1) as other, Manager() as manager:  # who asks must not wait for who lodges
        for rate in rates:
            count = int(rate * seconds) or 3000
            ready = manager.Event()
            lodging = other.submit(lodge, port, rate, first, count, ready)
            ready.wait(60)
            asking = Offered(port, ask, LODGING_ASKED, int(LODGING_ASKED * seconds))
            asking.end()
            reached, answers = lodging.result()
            first += count
            name = f"{rate:.0f} lodged a second" if rate else "lodging at once"
            given = ", ".join(f"{code or 'none'} × {times}" for code, times in sorted(answers.items()))
            row(table, name, asking.waits, asking.answers, f"{reached:.0f} ({given})")
    return table


class Followers:
    """So many ports that follow releases by streams, each on a connection of its own; counts what they get."""

    def __init__(self, port: int, count: int) -> None:
        self.events = 0
        self._ended = Event()
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", port), 60)
            line.sendall(b"GET /api/v1/releases/stream HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % port)
            start = line.recv(65_536)
            if b" 200 " not in start:
                raise ValueError(f"a stream was refused: {start[:200]!r}")
            self._selector.register(line, selectors.EVENT_READ)
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.2):
                self.events += key.fileobj.recv(1_000_000).count(b"event: release")  # type: ignore[union-attr]

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()


def beside_streams(bootstrap: str, port: int, counts: Sequence[int], seconds: float) -> Table:
    """Some releases a second, told to so many streams."""
    title = f"{BODIES_ASKED} gate questions a second, {RELEASES_A_SECOND} releases a second are told to streams"
    table = columns(title, "events told")
    for count in counts:
        followers, ended = Followers(port, count), Event()

        def release(count: int = count, ended: Event = ended) -> None:
            for number in itertools.count():
                if ended.wait(1 / RELEASES_A_SECOND):
                    return
                publish(bootstrap, Border(f"STREAMS-{count}-{number}").released().said)

        border = Thread(target=release)
        border.start()
        asking = Offered(port, ask, BODIES_ASKED, int(BODIES_ASKED * seconds))
        asking.end()
        ended.set()
        border.join()
        followers.close()
        row(table, f"{count} streams", asking.waits, asking.answers, str(followers.events))
    return table


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description="Measure gate questions beside other work of the console")
    parser.add_argument("--seconds", type=float, default=3, help="for each kind of body")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=[100, 200, 385, 0], help="lodged a second; 0: at once"
    )
    parser.add_argument("--lodging-seconds", type=float, default=8)
    parser.add_argument("--streams", type=int, nargs="*", default=[64, 256, 1000], help="ports that follow by streams")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dtg-door-") as folder:
        broker = Broker(Path(folder, "kafka"), free_port())
        broker.start()
        try:
            provision(broker.bootstrap, PARTITIONS)
            most = str(max(options.streams, default=0) + 1)
            allowed = (
                {"DTG_STREAMS": most, "DTG_CLIENT_STREAMS": most, "DTG_CONNECTIONS": "2000"} if options.streams else {}
            )
            with serving(broker.bootstrap, PARTITIONS, Path(folder), **allowed) as (port, _):
                if options.seconds:
                    screen.print(beside_bodies(port, options.seconds))
                if options.rates:
                    screen.print(beside_lodging(port, options.rates, options.lodging_seconds))
                if options.streams:
                    screen.print(beside_streams(broker.bootstrap, port, options.streams, options.lodging_seconds))
        finally:
            broker.stop()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    screen.print(
        f"{os.cpu_count()} cores; the load average at the end was {load}; client and console share the machine."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
