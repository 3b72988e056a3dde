"""How long does a question at the gate wait while other clients keep the console busy? `make gate-latency` measures it.

Each question is sent when it is due, even if the console is late, and its time counts from the moment at which it was
due. First, one client sends the worst bodies that are allowed, each kind for some seconds. Then declarations are lodged
over HTTP at an even rate. Then many ports read releases as streams. The exit code is 2 if a limit is exceeded, or if a
question is not answered with 200.
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
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import Manager
from pathlib import Path
from threading import Event, Lock, Thread

from rich.console import Console
from rich.table import Table

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.cli.bench.load import due_times, percentile
from services.cli.bench.quick import machine, versions
from services.simulator.day import Day
from tests.bench.note import table
from tests.console.border import Border, publish
from tests.hostile.bodies import worst
from tests.hostile.console import serving
from tests.people import LINE, headers_of

GATE = "/api/v1/containers/CSQU3054383"
JSON = {"Content-Type": "application/json"}
PARTITIONS = 8
LINES = 16
"""How many connections are open at once: this many for questions, and as many for lodgements."""
BODIES_ASKED, LODGING_ASKED = 50, 200
"""How many gate questions are sent in a second: BODIES_ASKED while the worst bodies are sent or streams are open,
LODGING_ASKED while declarations are lodged."""
RELEASES_A_SECOND = 2
LONGEST_MS = 100
"""The most milliseconds that a question may wait, whatever body is sent and however many streams are open."""
P99_MS = 50
"""The limit of the 99th percentile of the waits in milliseconds, while declarations are lodged at an even rate."""
EVIDENCE = Path("docs/evidence/gate-latency.md")
TEXT = """# A question at the gate, while others keep the console busy

Made by `make gate-latency ARGS=--write`, {day}. {where}; the load average at the end was {load}; client and console share the machine.
A question leaves when it is due and counts from then. Limits: {longest} ms for each question beside bodies and streams, {p99} ms
for 99 of 100 beside lodging at up to half the rate of [performance.md](../performance.md).

{tables}"""
screen = Console(highlight=False, width=110)
Send = Callable[[http.client.HTTPConnection, int], int]


class Offered:
    """Sends requests when they are due, over `LINES` connections. For each request, `waits` gets the milliseconds from
    the moment at which the request was due to the end of its answer."""

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
        """Waits until every request was answered or has failed. Then sorts `waits`, and sets `rate` to the number of
        requests in a second."""
        for thread in self._threads:
            thread.join()
        self.waits.sort()
        self.rate = len(self.waits) / (time.monotonic() - self._began)


def ask(line: http.client.HTTPConnection, _: int) -> int:
    """Asks the gate question once, and returns the status."""
    line.request("GET", GATE, headers=headers_of())
    answer = line.getresponse()
    answer.read()
    return answer.status


def post(line: http.client.HTTPConnection, path: str, body: bytes) -> int:
    line.request("POST", f"/api/v1{path}", body, JSON | headers_of())
    answer = line.getresponse()
    answer.read()
    return answer.status


@contextmanager
def one_client_sends(port: int, path: str, body: bytes) -> Iterator[Counter[int]]:
    """Sends the same body again and again from one client, until the end of the block. Yields the counts of the
    statuses; the status 0 stands for no answer."""
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


@dataclass
class Figures:
    """The times of the gate's answers under one kind of load. At least the share `share` of them must be within
    `limit_ms`."""

    title: str
    more: str
    share: float
    limit_ms: float
    rows: list[list[str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, beside: str, waits: Sequence[float], answers: Counter[int], more: str, limited: bool = True) -> None:
        """Adds a row for one load. `beside`: what the load is; `waits`: sorted milliseconds; `more`: the text of the
        last column; `limited`: whether the limit counts for this load."""
        shown = [f"{percentile(waits, share):,.1f}" for share in (0.5, 0.95, 0.99, 1.0)]
        self.rows.append([beside, str(len(waits)), *shown, counts_of(answers, "none"), more])
        slow = percentile(waits, self.share)
        if limited and slow > self.limit_ms:
            what = "the longest" if self.share == 1 else f"p{self.share:.0%}".rstrip("%")
            self.faults.append(f"{beside}: {what} {slow:.1f} ms, more than {self.limit_ms:.0f}")
        if set(answers) != {200}:
            self.faults.append(f"{beside}: questions at the gate were answered {counts_of(answers, 'none')}")

    @property
    def head(self) -> list[str]:
        return ["beside", "asked", "p50 ms", "p95 ms", "p99 ms", "max ms", "answers at the gate", self.more]

    def screen(self) -> Table:
        shown = Table(*self.head, title=self.title)
        for row in self.rows:
            shown.add_row(*row)
        return shown

    def markdown(self) -> str:
        return f"## {self.title}\n\n{table(self.head, self.rows)}"


def counts_of(answers: Counter[int], none: str) -> str:
    """Returns the counts as text, for example `200 × 150, 503 × 2`. `none`: the text for requests without an answer."""
    return ", ".join(f"{code or none} × {times}" for code, times in sorted(answers.items()))


def beside_bodies(port: int, seconds: float) -> Figures:
    """Measures the waits of gate questions while each kind of the worst bodies is sent for some seconds."""
    figures = Figures(f"{BODIES_ASKED} gate questions a second, one client sends", "its answers", 1, LONGEST_MS)
    every, count, gate = list[float](), int(BODIES_ASKED * seconds), Counter[int]()
    calm = Offered(port, ask, BODIES_ASKED, count)
    calm.end()
    figures.add("nothing", calm.waits, calm.answers, "")
    for name, (path, body) in worst().items():
        with one_client_sends(port, path, body) as answers:
            offered = Offered(port, ask, BODIES_ASKED, count)
            offered.end()
        figures.add(name, offered.waits, offered.answers, counts_of(answers, "hung up"))
        every += offered.waits
        gate += offered.answers
    figures.add("all of them", sorted(every), gate, "")
    return figures


def lodge(port: int, rate: float, first: int, count: int, ready: Event) -> tuple[float, Counter[int]]:
    """Makes `count` declarations of one day, from number `first` on, then sets `ready`, and lodges them. Returns how
    many were lodged in a second, and the counts of the statuses."""
    day = Day(9, 100_000, datetime(2026, 11, 23, tzinfo=UTC))
    papers = [day.plan(number).declaration.model_dump_json().encode() for number in range(first, first + count)]
    ready.set()
    offered = Offered(port, lambda line, number: post(line, "/declarations", papers[number]), rate, count)
    offered.end()
    return offered.rate, offered.answers


def beside_lodging(port: int, rates: Sequence[float], seconds: float) -> Figures:
    """Measures the waits of gate questions while declarations are lodged at each of these rates. At rate 0, all
    declarations are lodged at once, to find out how fast lodging over HTTP is. No limit counts at rate 0."""
    title = f"{LODGING_ASKED} gate questions a second, declarations are lodged over HTTP"
    figures = Figures(title, "lodged a second", 0.99, P99_MS)
    first = 0
    with ProcessPoolExecutor(1) as other, Manager() as manager:
        # Another process sends the lodgements. In this process they would delay the gate questions.
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
            more = f"{reached:.0f} ({counts_of(answers, 'none')})"
            figures.add(name, asking.waits, asking.answers, more, limited=rate > 0)
    return figures


class Followers:
    """`count` ports that read releases as streams, each on a connection of its own. `events` counts the releases that
    all ports together have received; `closed` counts the connections that the console has closed."""

    def __init__(self, port: int, count: int) -> None:
        self.events = self.closed = 0
        self._ended = Event()
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", port), 60)
            line.sendall(
                b"GET /api/v1/releases/stream HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n\r\n" % (port, LINE.encode())
            )
            start = line.recv(65_536)
            if b" 200 " not in start:
                raise ValueError(f"a stream was refused: {start[:200]!r}")
            self._selector.register(line, selectors.EVENT_READ, [b""])
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.2):
                try:
                    data = key.fileobj.recv(1_000_000)  # type: ignore[union-attr]
                except OSError:  # the connection was reset
                    data = b""
                if not data:
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    self.closed += 1
                    continue
                # The line of an event may be divided between two reads. So the part behind the last line end is kept.
                *lines, key.data[0] = (key.data[0] + data).split(b"\n")
                self.events += sum(line.startswith(b"event: release") for line in lines)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()


@contextmanager
def stopping(ended: Event, thread: Thread) -> Iterator[None]:
    """Starts the thread. At the end of the block, even if it raises an exception, sets `ended` and waits until the thread
    has ended."""
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def beside_streams(bootstrap: str, port: int, counts: Sequence[int], seconds: float) -> Figures:
    """Measures the waits of gate questions with each of these numbers of open streams, while `RELEASES_A_SECOND`
    releases a second are sent over the streams. Raises ValueError if a stream is refused or closed."""
    title = f"{BODIES_ASKED} gate questions a second, {RELEASES_A_SECOND} releases a second are told to streams"
    figures = Figures(title, "events told", 1, LONGEST_MS)
    for count in counts:
        followers, ended = Followers(port, count), Event()

        def release(count: int = count, ended: Event = ended) -> None:
            for number in itertools.count():
                if ended.wait(1 / RELEASES_A_SECOND):
                    return
                publish(bootstrap, Border(f"STREAMS-{count}-{number}").released().messages)

        with closing(followers), stopping(ended, Thread(target=release)):
            asking = Offered(port, ask, BODIES_ASKED, int(BODIES_ASKED * seconds))
            asking.end()
        if followers.closed:
            raise ValueError(f"the console closed {followers.closed} of {count} streams")
        figures.add(f"{count} streams", asking.waits, asking.answers, str(followers.events))
    return figures


def main() -> int:
    """Measures everything and prints the tables. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure gate questions beside other work of the console")
    parser.add_argument("--seconds", type=float, default=3, help="for each kind of body")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=[100, 200, 385, 0], help="lodged a second; 0: at once"
    )
    parser.add_argument("--lodging-seconds", type=float, default=8)
    parser.add_argument("--streams", type=int, nargs="*", default=[64, 256, 1000], help="ports that follow by streams")
    parser.add_argument("--write", action="store_true", help=f"write {EVIDENCE.name}")
    options = parser.parse_args()
    measured: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="dtg-door-") as folder:
        broker = Broker(Path(folder, "kafka"), free_port())
        broker.start()
        try:
            provision(broker.bootstrap, PARTITIONS)
            most = str(max(options.streams, default=0) + 1)
            # In a measurement, some companies name more containers than they may in a day. So the limit is raised.
            allowed = {"DTG_BOXES_A_DAY": "1000000"}
            if options.streams:
                allowed |= {"DTG_STREAMS": most, "DTG_CLIENT_STREAMS": most, "DTG_CONNECTIONS": "2000"}
            with serving(broker.bootstrap, PARTITIONS, Path(folder), **allowed) as (port, _):
                if options.seconds:
                    measured.append(beside_bodies(port, options.seconds))
                if options.rates:
                    measured.append(beside_lodging(port, options.rates, options.lodging_seconds))
                if options.streams:
                    measured.append(beside_streams(broker.bootstrap, port, options.streams, options.lodging_seconds))
        finally:
            broker.stop()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    screen.print(*[figures.screen() for figures in measured], sep="\n")
    screen.print(
        f"{machine()}, {versions()}; the load average at the end was {load}; client and console share the machine."
    )
    faults = [fault for figures in measured for fault in figures.faults]
    for fault in faults:
        screen.print(fault)
    if options.write:
        tables = "\n".join(figures.markdown() for figures in measured)
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        limits = {"longest": LONGEST_MS, "p99": P99_MS}
        EVIDENCE.write_text(
            TEXT.format(day=day, where=f"{machine()}, {versions()}", load=load, tables=tables, **limits)
        )
    return 2 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
