"""How many consignments a second, how long from lodgement to release, at what cost? Measured on this machine, end to end.

An open-loop generator: lodgements leave when they are due, whether or not the desks keep up, and a latency counts from
the moment the lodgement was due (no coordinated omission) until a port reads the release.
"""

import os
import platform
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from rich.console import Console
from rich.table import Table

from deploy.kafka.broker import Broker, BrokerError, free_port
from deploy.kafka.topics import provision
from schemas.declaration import LodgeDeclaration
from schemas.envelope import Request, request_id
from schemas.topics import FACTS_AND_REQUESTS, topic_of
from services.cli.ledger import Ledger, audit
from services.cli.processes import Child, stop_all, worker
from services.cli.up import wait_for
from services.shell.codec import encode, headers
from services.simulator.day import Day
from services.simulator.people import HEARD, People

PARTITIONS = int(os.environ.get("BP", "8"))
ENDS = frozenset({"DeclarationRejected", "ReleaseGranted", "ReleaseRefused", "DeclarationWithdrawn"})
KINDS = {kind.kind: kind for kind in HEARD}
FACTS = [t.name for t in FACTS_AND_REQUESTS if not t.name.endswith(("-requests", "-departures", "-containers"))]
GATE_TOPICS = frozenset({"customs-gate-facts"})
screen = Console(highlight=False)


@dataclass
class Phase:
    """One run: `due` and `seen` by consignment id, real seconds."""

    due: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    began: float = 0.0

    def rate(self) -> float:
        """Consignments a second from the first lodgement to the last end."""
        return len(self.seen) / (max(self.seen.values()) - self.began)

    def latencies(self, released: set[str]) -> list[float]:
        return sorted(self.seen[key] - self.due[key] for key in self.seen if key in released)


class Crowd(threading.Thread):
    """Reads what a port and the people read, answers as people do, and notes when each consignment ended."""

    def __init__(self, bootstrap: str, day: Day) -> None:
        super().__init__(daemon=True)
        self.people = People(day)
        self.phase = Phase()
        self.immediate: set[str] = set()
        self._servers = bootstrap
        self._over = threading.Event()
        self._producer = sender(bootstrap)

    def run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": "customs-bench",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
                "log_level": 2,
            }
        )
        consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t in FACTS for p in range(PARTITIONS)])
        while not self._over.is_set():
            for message in consumer.consume(2000, 0.02):
                if message.error() is None:
                    self._hear(message)
            self._producer.poll(0)
        self._producer.flush(10)
        consumer.close()

    def _hear(self, message: Message) -> None:
        name = dict(message.headers() or ())["ce_type"].decode()
        if name in ENDS:
            key = message.key().decode()
            self.phase.seen.setdefault(key, time.monotonic())
            if name == "ReleaseGranted" and not self.people.waiting_to_arrive.get(key):
                self.immediate.add(key)
        kind = KINDS.get(name)
        if kind is None or (name == "ConsignmentHeld" and message.key().decode() not in self.people.waiting_to_arrive):
            return
        fact = kind.__pydantic_validator__.validate_json(message.value())
        if name in ("InspectionOrdered", "TreatmentOrdered"):
            self.immediate.discard(message.key().decode())
        for act in self.people.react(fact):
            ask(self._producer, act.name, act.request)

    def stop(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join(30)


def sender(bootstrap: str) -> Producer:
    """An idempotent producer like a declarant's."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 2,
            "queue.buffering.max.messages": 1_000_000,
            "log_level": 2,
        }
    )


def packed(name: str, request: Request) -> tuple[str, str, bytes, list[tuple[str, bytes]]]:
    """Topic, key, value and headers of a request."""
    told = headers(
        id=request_id("/bench", name),
        kind=request.kind,
        source="/bench",
        time=request.occurred_at.isoformat(),
        subject=request.key,
        cause="",
        correlation=request_id("/bench", name),
        sequence=0,
        trace=b"",
    )
    return topic_of("anyone", type(request)), request.key, encode(request), told


def ask(producer: Producer, name: str, request: Request) -> None:
    topic, key, value, told = packed(name, request)
    producer.produce(topic, key=key, value=value, headers=told)


def lodgements(day: Day, first: int, count: int) -> list[tuple[str, tuple[str, str, bytes, list[tuple[str, bytes]]]]]:
    """Packed before the clock runs: (consignment id, request)."""
    packets = []
    for index in range(first, first + count):
        plan = day.plan(index)
        request = LodgeDeclaration(
            consignment_id=plan.consignment_id,
            asked_by=plan.declaration.declarant,
            occurred_at=plan.lodged_at,
            declaration=plan.declaration,
        )
        packets.append((plan.consignment_id, packed(f"{plan.consignment_id}/lodge", request)))
    return packets


def play(crowd: Crowd, bootstrap: str, day: Day, first: int, count: int, rate: float) -> Phase:
    """Lodges `count` at `rate` a second (0: at once) and waits until each has ended; RuntimeError after two quiet minutes."""
    packets = lodgements(day, first, count)
    producer = sender(bootstrap)
    phase = Phase()
    crowd.phase = phase
    phase.began = time.monotonic()
    for number, (key, (topic, kafka_key, value, told)) in enumerate(packets):
        due = phase.began + (number / rate if rate else 0.0)
        while (ahead := due - time.monotonic()) > 0:
            producer.poll(min(ahead, 0.01))
        phase.due[key] = due
        producer.produce(topic, key=kafka_key, value=value, headers=told)
        if number % 100 == 0:
            producer.poll(0)
    producer.flush(120)
    quiet, known = time.monotonic(), 0
    while len(phase.seen) < count:
        if len(phase.seen) != known:
            quiet, known = time.monotonic(), len(phase.seen)
        if time.monotonic() - quiet > 120:
            raise RuntimeError(f"{count - len(phase.seen)} of {count} consignments have no end after two quiet minutes")
        time.sleep(0.02)
    return phase


def usage(pid: int | None) -> tuple[float, float]:
    """CPU seconds and resident MB of a process of ours."""
    if pid is None:
        return 0.0, 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def bench(*, consignments: int, seed: int, layout: str, read_model: bool) -> int:
    """The whole measurement; prints its tables; 1 when anything was lost, doubled, reordered or wrongly released."""
    with tempfile.TemporaryDirectory(prefix="dtg-bench-") as folder:
        home = Path(folder)
        broker = Broker(home / "kafka", free_port())
        children: list[Child] = []
        crowd: Crowd | None = None
        try:
            broker.start()
            provision(broker.bootstrap, PARTITIONS)
            env = {"DTG_KAFKA": broker.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
            waiting: dict[str, Child] = {}
            for desks in layout.split(";"):
                port = free_port()
                child = worker(desks, port, home, env)
                child.start()
                children.append(child)
                waiting[f"http://127.0.0.1:{port}/readyz"] = child
            if read_model:
                port = free_port()
                more = env | {"DTG_CONSOLE_PORT": str(port), "DTG_DATABASE_URL": f"sqlite:///{home}/console.db"}
                command = [sys.executable, "-m", "services.cli.main", "console"]
                child = Child("console", command, home / "logs" / "console.log", more)
                child.start()
                children.append(child)
                waiting[f"http://127.0.0.1:{port}/readyz"] = child
            wait_for(waiting)
            day = Day(seed, consignments, datetime(2026, 11, 23, tzinfo=UTC))
            crowd = Crowd(broker.bootstrap, day)
            crowd.start()
            _say_where(seed, layout)
            play(crowd, broker.bootstrap, day, 0, 500, 0)  # warm
            processes = {"broker": broker.process.pid if broker.process else None} | {c.name: c.pid for c in children}
            before = {name: usage(pid)[0] for name, pid in processes.items()}
            full = play(crowd, broker.bootstrap, day, 500, consignments, 0)
            after = {name: usage(pid) for name, pid in processes.items()}
            half = play(crowd, broker.bootstrap, day, 500 + consignments, int(full.rate() * 10), full.rate() / 2)
            _say_figures(full, half, crowd.immediate)
            _say_costs(before, after, consignments)
            crowd.stop()
            crowd = None
            ledger = audit(broker.bootstrap)
            _say_proof(ledger)
            return 0 if ledger.clean else 1
        finally:
            if crowd:
                crowd.stop()
            stop_all(children, 8)
            broker.stop()


def _say_where(seed: int, layout: str) -> None:
    model = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x), "?"
    )
    screen.print(
        f"{os.cpu_count()} cores ({model}), shared by broker, desks, read model, generator and people; "
        f"Python {platform.python_version()}, confluent-kafka {version('confluent-kafka')}, Kafka 4.3.1, "
        f"exactly-once, {PARTITIONS} partitions; seed {seed}; workers {layout}"
    )


def _say_figures(full: Phase, half: Phase, immediate: set[str]) -> None:
    table = Table("run", "consignments", "a second", "p50 ms", "p95 ms", "p99 ms", "max ms")
    for name, phase in (("all at once", full), ("at half of that", half)):
        waits = phase.latencies(immediate)
        cells = [f"{waits[min(len(waits) - 1, int(len(waits) * q))] * 1000:,.0f}" for q in (0.5, 0.95, 0.99)]
        table.add_row(name, f"{len(phase.seen):,}", f"{phase.rate():,.0f}", *cells, f"{waits[-1] * 1000:,.0f}")
    screen.print(table)
    screen.print("Latency: lodgement due → release read by a port, of consignments that nobody had to look at.")


def _say_costs(before: dict[str, float], after: dict[str, tuple[float, float]], count: int) -> None:
    table = Table("process", "CPU us a consignment", "resident MB")
    for name, (cpu, memory) in after.items():
        table.add_row(name, f"{(cpu - before[name]) / count * 1e6:,.0f}", f"{memory:,.0f}")
    screen.print(table)


def _say_proof(ledger: Ledger) -> None:
    ends = ", ".join(f"{name} {count:,}" for name, count in sorted(ledger.ends.items()))
    screen.print(
        f"{ledger.lodged:,} lodged: {ends}. lost {len(ledger.lost)}, doubled {len(ledger.doubled)}, "
        f"reordered {len(ledger.reordered)}, wrongly released {len(ledger.wrongly_released)}"
    )


def main(*, consignments: int, seed: int, layout: str, read_model: bool) -> int:
    """As `bench`; BrokerError when the machine cannot run it."""
    if not Path("/proc").is_dir():
        raise BrokerError("The benchmark reads /proc; it runs on Linux. 仅支持 Linux")
    return bench(consignments=consignments, seed=seed, layout=layout, read_model=read_model)
