"""Which processes are measured? They are a broker that only the measurement uses, the desks, the clearance service and
(if wanted) the read model. The cost of each process is measured."""

import os
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.progress import ticks_of
from deploy.kafka.rights import make_credentials, prepare
from deploy.kafka.topics import provision
from schemas.rights import PROVISION, table
from services.cli.ledger import Ledger, audit
from services.cli.processes import Child, kafka_environment, read_model, rehearsal, stop_all, worker
from services.cli.up import wait_for
from services.shell.access import Access, file_of
from services.shell.clock import Clock
from services.shell.loopback import open_page
from services.simulator.player import LEAST_SPEED

SPEED = 2 * LEAST_SPEED
"""Seconds of the sandbox clock per real second. At this speed the longest treatment, a week of phosphine for grain,
takes 87 real seconds. So three attempts of this treatment take less than the time after which a measurement gives up
(`load.QUIET_SECONDS`)."""
ANSWER_SECONDS = 60
"""Seconds that the desks may take to answer the last requests."""
_RESTORE = re.compile(r'^customs_loop_restore_seconds\{desk="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has used so far. `cpu`: seconds of CPU time; `resident`: megabytes of memory that it has now;
    `peak`: the most megabytes that it has had."""

    cpu: float
    resident: float
    peak: float


def cost(pid: int) -> Cost:
    """Returns the cost of the process with this id, read from /proc."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Vm")
    )
    cpu = ticks_of(Path(f"/proc/{pid}/stat")) / os.sysconf("SC_CLK_TCK")
    resident, peak = (int(status[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Cost(cpu, resident, peak)


@dataclass
class Rig:
    """Broker, workers and console of one measurement, with their data in `home`. The `with` block starts them when it begins and stops
    them when it ends.

    `layout`: worker processes separated by semicolons, as in DTG_LAYOUT. `clock`: the sandbox clock of these processes, which goes
    faster than real time, because a measurement cannot wait a day for a treatment. `rights`: whether every client signs in at the broker
    and has the rights of a sandbox. `lasting`: whether the broker's Java optimises its code fully, as under `dtg up`. Full optimisation
    costs CPU time in the first minutes.
    """

    home: Path
    partitions: int
    layout: str
    read_model: bool
    clock: Clock = field(default_factory=lambda: Clock.sandbox(SPEED))
    rights: bool = True
    lasting: bool = False
    broker: Broker = field(init=False)
    children: list[Child] = field(init=False, default_factory=list)
    pages: dict[str, str] = field(init=False, default_factory=dict)
    """Name of a worker process → the address of its pages."""

    def __enter__(self) -> Self:
        people = table(sandbox=True) if self.rights else {}
        if self.rights:
            make_credentials(self.home / "credentials", people, owner=PROVISION)
        owner = file_of(self.home / "credentials", PROVISION) if self.rights else None
        self.broker = Broker(self.home / "kafka", free_port(), lasting=self.lasting, owner=owner)
        try:
            self.broker.start()
            if self.rights:
                prepare(self.broker.access, self.home / "credentials", self.partitions, people)
            else:
                provision(self.broker.access, self.partitions)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.broker.stop()

    def access(self, name: str = "bench") -> Access:
        """Returns how to connect to the broker with the credential of this name."""
        return replace(self.broker.access, file=file_of(self.home / "credentials", name) if self.rights else None)

    def start(self) -> None:
        """Starts workers, console and projector. Returns when all are ready."""
        env = {**kafka_environment(self.broker.access), "DTG_PARTITIONS": str(self.partitions), **rehearsal()}
        env |= self.clock.environment()
        waiting: dict[str, Child] = {}
        for slot, desks in enumerate(self.layout.split(";")):
            port = free_port()
            child = worker(desks, port, self.home, env, str(slot))
            self.pages[child.name] = f"http://127.0.0.1:{port}"
            waiting[f"http://127.0.0.1:{port}/readyz"] = child
            child.start()
            self.children.append(child)
        if self.read_model:
            ports = free_port(), free_port()
            more = env | {"DTG_DATABASE_URL": f"sqlite:///{self.home}/console.db"}
            for port, child in zip(ports, read_model(*ports, self.home / "logs", more), strict=True):
                waiting[f"http://127.0.0.1:{port}/readyz"] = child
                child.start()
                self.children.append(child)
        wait_for(waiting)

    def stop(self) -> None:
        """Stops workers, console and projector. The broker goes on."""
        stop_all(self.children, 10)
        self.children.clear()
        self.pages.clear()

    def costs(self) -> dict[str, Cost]:
        """Returns the cost of each process by its name. This process, in which generator and simulated people run, is one of them."""
        pids = {"broker": self.broker.process.pid if self.broker.process else None}
        pids |= {child.name: child.pid for child in self.children}
        pids["generator, people 模拟"] = os.getpid()
        return {name: cost(pid) for name, pid in pids.items() if pid is not None}

    def restored(self) -> float:
        """Returns the seconds that the slowest desk took for its last restore."""
        return max(float(n) for url in self.pages.values() for _, n in _RESTORE.findall(metrics_of(url)))

    def ledger(self) -> Ledger:
        """Audits the topics again and again until the ledger has no faults, and returns it. Until the desks have answered every request,
        some consignments count as lost. After `ANSWER_SECONDS`, returns the ledger as it is then."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not (ledger := audit(self.access("auditor"))).clean and time.monotonic() < deadline:
            time.sleep(1)
        return ledger


def metrics_of(url: str) -> str:
    """Returns the present metrics of a worker, as Prometheus reads them. `url`: the address of the worker's pages."""
    with open_page(f"{url}/metrics", 10) as answer:
        return str(answer.read(), "utf-8")
