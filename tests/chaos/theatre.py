"""Which cluster do the faults strike? It consists of real processes on one machine, which a supervisor starts again as
in production."""

import itertools
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.kafka.broker import Broker, free_port, port_is_taken
from deploy.kafka.errors import BrokerError
from deploy.kafka.logs import FORMER, former
from deploy.kafka.progress import MOST_SECONDS, STILL_SECONDS, Sign, WaitLimit, signs_of, size_of
from deploy.kafka.rights import make_credentials, prepare
from schemas.rights import PROVISION, table
from services.cli.membership import Hosted, Leaver
from services.cli.processes import Child, kafka_environment, read_model, rehearsal, stop_all, worker
from services.cli.up import answers, wait_for
from services.shell.access import Access, file_of
from services.shell.clock import Clock
from services.simulator.day import Day
from services.simulator.player import LEAST_SPEED, Played, Player
from services.simulator.settings import SimulatorSettings
from tests.chaos.proxy import Proxy
from tests.waiting import leave, wait, wait_by

TWINS = tuple(
    (desks, slot)
    for desks in ("declaration,risk", "inspection,quarantine", "release,gate", "clearance")
    for slot in ("a", "b")
)
"""Every service runs twice. If one worker is struck, its twin takes over its partitions."""
CONSOLE, PROJECTOR, BROKER = "console", "projector", "broker"
SESSION_SECONDS = 2.0
TERMINAL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
"""Matches the terminal sequences of Faust's spinner. They come before the first log record of a worker, on the same
line."""
SPEED = 4 * LEAST_SPEED
"""Seconds of the theatre's clock in one real second. A treatment with gas takes 7 real seconds, and one with heat takes
1."""
IDLE_SECONDS = 240
"""If no message arrives for this many seconds, the simulated people count goods that have not reached an end as
unfinished."""
MOST_TIMES = 5
"""A season that makes progress may last this many times as long as it may stand still."""


class Theatre:
    """Broker, workers, console and simulated people. Each worker of `layout` is behind a proxy of its own. A process
    that ends is started again, except while a fault prevents that (`hands_off`)."""

    def __init__(
        self,
        folder: Path,
        partitions: int,
        layout: Sequence[tuple[str, str]] = TWINS,
        *,
        console: bool = True,
        session_seconds: float | None = SESSION_SECONDS,
    ) -> None:
        self.folder, self.partitions = folder, partitions
        self.clock = Clock.sandbox(SPEED)
        names = [f"worker-{desks.replace(',', '-')}-{slot}" for desks, slot in layout]
        port, *others = _ports(1 + len(names))
        inner = dict(zip(names, others, strict=True))
        self.proxies = {name: Proxy(port) for name, port in inner.items()}
        self.broker = Broker(
            folder / "kafka",
            port,
            proxied={inner[name]: proxy.port for name, proxy in self.proxies.items()},
            owner=file_of(folder / "credentials", PROVISION),
        )
        make_credentials(folder / "credentials", table(sandbox=True), owner=PROVISION)
        self.database = folder / "rows" / "console.db"
        self.children: dict[str, Child] = {}
        self.pages: dict[str, str] = {}
        self.desks: dict[str, tuple[str, ...]] = {}
        self.layout = layout
        self.player: Player | None = None
        self.played: Played | None = None
        self.broker_deaths = 0
        self._console = console
        self._session = {} if session_seconds is None else {"DTG_SESSION_TIMEOUT_MS": str(int(session_seconds * 1000))}
        self._held: set[str] = set()
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._hands = ThreadPoolExecutor(4, "starter")
        """The threads that start processes. The kernel ends a child process when the thread that started it ends. So
        these threads end after all processes."""
        self._people: threading.Thread | None = None
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")
        self._leaver = Leaver(self.access("supervisor"), self._hosted)

    def access(self, name: str, proxy: Proxy | None = None) -> Access:
        """Returns how to connect to the broker, directly or through this proxy, with the credential of this name."""
        servers = f"127.0.0.1:{proxy.port}" if proxy else self.broker.bootstrap
        return Access(servers, "SASL_PLAINTEXT", file_of(self.folder / "credentials", name))

    def open(self, fill: Callable[[Access], None] = lambda access: None) -> None:
        """Starts everything, and returns when it is ready. `fill` is called with the broker's access before any worker
        starts."""
        self.start_broker()
        prepare(self.broker.access, self.folder / "credentials", self.partitions, table(sandbox=True))
        fill(self.broker.access)
        for desks, slot in self.layout:
            self.hire(desks, slot)
        if self._console:
            ports = free_port(), free_port()
            env = {
                **kafka_environment(self.access("door")),
                "DTG_PARTITIONS": str(self.partitions),
                "DTG_DATABASE_URL": f"sqlite:///{self.database}",
                **self.clock.environment(),
            }
            for port, child in zip(ports, read_model(*ports, self.folder / "logs", env), strict=True):
                self.children[child.name] = child
                self.pages[child.name] = f"http://127.0.0.1:{port}"
        for child in self.children.values():
            if not child.alive:
                self.start(child)
        wait_for({f"{self.pages[name]}/readyz": child for name, child in self.children.items()})
        self._supervisor.start()

    def hire(self, desks: str, slot: str) -> str:
        """Starts one more worker, and returns its name. The worker connects to the broker directly if there is no proxy
        for this name."""
        port = free_port()
        name = f"worker-{desks.replace(',', '-')}-{slot}"
        proxy = self.proxies.get(name)
        env = {
            **kafka_environment(self.access("worker", proxy)),
            "DTG_PARTITIONS": str(self.partitions),
            **rehearsal(),
            **self._session,
            **self.clock.environment(),
        }
        child = worker(desks, port, self.folder, env, slot)
        self.start(child)
        with self._lock:
            self.children[name] = child
            self.pages[name] = f"http://127.0.0.1:{port}"
            self.desks[name] = tuple(desks.split(","))
        return name

    def start(self, child: Child) -> None:
        """Starts a process that has ended. Returns before the process is ready."""
        self._hands.submit(child.start).result()
        self._leaver.look()

    def _hosted(self) -> list[Hosted]:
        with self._lock:
            return [
                Hosted(desks, child.env["DTG_SLOT"], child.pid if child.alive else None, self.pages[name])
                for name, desks in self.desks.items()
                if (child := self.children.get(name)) is not None
            ]

    def start_broker(self) -> None:
        """Starts the broker, and returns when it answers. Raises BrokerError if it cannot start."""
        self._hands.submit(self.broker.start).result()
        self._leaver.look()

    def dismiss(self, name: str) -> int | None:
        """Stops the worker with SIGTERM and removes it from the theatre. Returns its exit code."""
        with self._lock:
            child = self.children.pop(name)
            self.pages.pop(name)
        return leave(child)

    def alive(self, names: Sequence[str], broker: bool = False) -> bool:
        """Returns whether these processes run now, ready or not. `broker`: whether the broker must also run."""
        process = self.broker.process
        if broker and (process is None or process.poll() is not None):
            return False
        return all(self.children[name].alive for name in names)

    def works(self, names: Sequence[str], broker: bool = False) -> bool:
        """Returns whether these processes are ready now. `broker`: whether the broker must also accept connections."""
        process = self.broker.process
        if broker and (process is None or process.poll() is not None or not port_is_taken(self.broker.port)):
            return False
        return all(self.children[name].alive and answers(f"{self.pages[name]}/readyz") for name in names)

    def progress(
        self,
        what: str,
        *names: str,
        signs: Mapping[str, Sign] | None = None,
        still: float = STILL_SECONDS,
        most: float = MOST_SECONDS,
    ) -> WaitLimit:
        """Returns the limit of a wait for these processes and the broker, or for all processes if `names` is empty.

        If the wait is for all processes, their CPU time does not count as a sign of progress, because some processes
        always work.
        """
        shown = dict(signs or {})
        shown |= {f"{name} of the broker": sign for name, sign in signs_of(self._broker_pid, self._broker_log).items()}
        for child in [self.children[name] for name in names]:
            shown |= {f"{name} of {child.name}": sign for name, sign in signs_of(_pid_of(child), child.log).items()}
        if not names:
            shown |= {"processes": self._pids, "bytes of logs": self._bytes_of_logs, "ended": self._ended}
            del shown["CPU ticks of the broker"]
        return WaitLimit(what, shown, still, most)

    @property
    def _broker_log(self) -> Path:
        return self.broker.folder / "broker.log"

    def _broker_pid(self) -> int | None:
        return self.broker.process.pid if self.broker.process else None

    def _pids(self) -> list[int | None]:
        with self._lock:
            return [child.pid for child in self.children.values()]

    def _bytes_of_logs(self) -> int:
        with self._lock:
            return sum(size_of(child.log) for child in self.children.values())

    def _ended(self) -> int:
        return self.player.ended() if self.player is not None else 0

    # simulated people

    def play(self, day: Day, first: int, last: int, rate: float) -> None:
        """Starts the simulated people. They lodge the consignments from `first` to `last` (exclusive), `rate` a second,
        and answer the desks. Returns at once."""
        settings = SimulatorSettings(
            kafka=self.broker.bootstrap,
            kafka_security="SASL_PLAINTEXT",
            kafka_credentials=str(self.folder / "credentials"),
            partitions=self.partitions,
        )
        self.player = Player(
            settings, day, first, last, paced=False, idle_seconds=IDLE_SECONDS, rate=rate, clock=self.clock
        )
        self.played = None
        self._people = threading.Thread(target=self._play, name="people")
        self._people.start()

    def _play(self) -> None:
        assert self.player is not None
        self.played = self.player.run()

    def goods_come(self) -> bool:
        """Returns whether people still lodge goods. If no goods move, the desks have nothing to write."""
        player = self.player
        return player is not None and (player.last is None or player.next < player.last)

    def wait_until_ended(self, count: int, seconds: float) -> None:
        """Waits until `count` consignments have reached their ends, or until the day is over. Raises TimeoutError with
        the ends of the logs if no consignment reaches its end for `seconds`, or after MOST_TIMES times as long."""
        player, people = self.player, self._people
        assert player is not None and people is not None
        progress = WaitLimit(
            f"the end of {count} consignments", {"ended": player.ended}, still=seconds, most=MOST_TIMES * seconds
        )
        try:
            wait_by(lambda: player.ended() >= count or not people.is_alive(), progress)
        except TimeoutError as in_vain:
            tails = "\n".join(f"--- {c.name} {c.code}\n{c.tail()}" for c in self.children.values())
            raise TimeoutError(f"{in_vain}\n{tails}") from in_vain

    def finish(self, seconds: float = 240) -> Played:
        """Waits for the end of the day, and returns its result. Raises TimeoutError as `wait_until_ended` does."""
        self.wait_until_ended(10**9, seconds)
        assert self._people is not None
        self._people.join(60)
        assert self.played is not None, "the people's thread ended by an exception"
        return self.played

    # supervision of the processes

    @contextmanager
    def hands_off(self, *names: str) -> Iterator[None]:
        """Prevents the supervisor from starting these processes again within the block."""
        with self._lock:
            self._held |= set(names)
        try:
            yield
        finally:
            with self._lock:
                self._held -= set(names)

    def _supervise(self) -> None:
        while not self._over.wait(0.1):
            self._hands.submit(self._watch).result()
            self._watch_broker()

    def _watch(self) -> None:
        with self._lock:
            for name, child in self.children.items():
                if name not in self._held and child.watch():
                    self._leaver.look()
                    # The more deaths are counted, the longer a process waits before its next start. Faults kill
                    # processes often here, so at most two deaths are counted.
                    child.deaths = min(child.deaths, 2)

    def _watch_broker(self) -> None:
        process = self.broker.process
        if BROKER in self._held or process is None or process.poll() is None:
            return
        self.broker_deaths += 1
        try:
            self.start_broker()
        except BrokerError:
            # The disk is full. As a supervisor would, this thread tries the start again until there is space.
            self._over.wait(0.5)

    def close(self) -> None:
        """Ends everything that was started here."""
        self._over.set()
        if self.player is not None:
            self.player.stop()
        for thread in (self._people, self._supervisor):
            if thread is not None and thread.is_alive():
                thread.join(70)
        for child in self.children.values():
            if child.alive and child.pid is not None:
                child.signal(signal.SIGCONT)
        self._leaver.stop()
        stop_all(list(self.children.values()), 10)
        self.broker.stop()
        self._hands.shutdown()
        for proxy in self.proxies.values():
            proxy.close()


def _pid_of(child: Child) -> Callable[[], int | None]:
    return lambda: child.pid


class Log:
    """Reads the log records that a process writes from now on, or, with `whole`, from the beginning of its log. Each
    record is one line of JSON. The log may be rotated meanwhile, at most as often as older parts are kept."""

    def __init__(self, child: Child, *, whole: bool = False) -> None:
        self._child, self._path = child, child.log
        self._from = len(_live(child.log)) if child.log.exists() and not whole else 0
        self._former = _inode(former(child.log, 1))

    def events(self) -> list[dict[str, Any]]:
        lines = self._text()[self._from :].splitlines()
        bare = [TERMINAL.sub(b"", line) for line in lines]
        return [json.loads(line) for line in bare if line.startswith(b"{") and line.endswith(b"}")]

    def _text(self) -> bytes:
        """Returns the content of the log, including the parts that were rotated since this object was created."""
        parts: list[Path] = []
        for number in range(1, FORMER + 1):
            part = former(self._path, number)
            if _inode(part) in (None, self._former):
                break
            parts.insert(0, part)
        return b"".join([*[part.read_bytes() for part in parts], _live(self._path)])

    def logged(self, *events: str) -> list[str]:
        """Returns the names of the log records that have one of these names, in the order of the log. If a log record
        has an error, the text of the error follows the name after a colon."""
        return [
            e["event"] + (f": {e['error']}" if e.get("error") else "") for e in self.events() if e["event"] in events
        ]

    def wait(self, *events: str) -> list[str]:
        """Waits until one of these events was logged, and returns what `logged` returns. Raises TimeoutError if the
        process makes no progress, or if it has ended and is not started again."""
        doomed = () if self._child.restarts else (self._child,)
        signs = signs_of(lambda: self._child.pid, self._path)
        return wait(lambda: self.logged(*events), f"{' or '.join(events)} of {self._child.name}", *doomed, signs=signs)


def _live(log: Path) -> bytes:
    """Returns the content of the log without NULs at its beginning. Some file systems leave NULs in place of a part
    that was removed."""
    return log.read_bytes().lstrip(b"\0")


def _inode(file: Path) -> int | None:
    return file.stat().st_ino if file.exists() else None


def _ports(count: int) -> list[int]:
    """Returns free ports below the range of outgoing connections, so that no outgoing connection takes the broker's
    port while the broker is down."""
    candidates = itertools.count(12_000 + os.getpid() % 15_000)
    return list(itertools.islice((port for port in candidates if not port_is_taken(port)), count))
