"""A worker with a million live goods is ended by SIGKILL. How long does it take until work continues, and how much
memory does the worker need?

`make recovery` fills state topics with the states that the real deciders make from real messages, and sends messages to
a real worker. It kills the worker, starts it again as the supervisor does, and writes `docs/evidence/recovery.md`.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, TopicPartition

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from schemas.flow import heard_topics
from schemas.topics import FACTS_AND_REQUESTS, state_topic
from services.cli.bench.quick import machine, versions
from services.cli.processes import Child, rehearsal, worker
from services.cli.up import wait_for
from services.shell import clients
from services.shell.access import access_to
from tests.bench.stories import Story, fill, retold, stories

PARTITIONS = 8
RATE = 50
"""How many messages are sent to each desk in a second: before the kill, during it and after it."""
SUPERVISOR_SECONDS = 0.3
"""Seconds between two checks of the supervisor whether its workers are alive."""
SEED = 7
EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence" / "recovery.md"
MIB = 1 << 20
HEAD = [
    "desks",
    "live goods",
    "records read",
    "ready s",
    "first fact s",
    "states/s",
    "MiB before",
    "MiB after",
    "MiB peak",
]


class Work(threading.Thread):
    """Sends messages to each desk, and records when the desk writes its first new message after a kill."""

    def __init__(self, bootstrap: str, desk_stories: dict[str, list[Story]]) -> None:
        super().__init__(daemon=True)
        self.written = dict.fromkeys(desk_stories, 0)
        self.first: dict[str, float] = {}
        self.problem: BaseException | None = None
        self._stories, self._over = desk_stories, threading.Event()
        self._killed_ms = float("inf")
        self._producer = clients.producer(access_to(bootstrap), {"linger.ms": 1})
        self._consumer = clients.consumer(access_to(bootstrap), {"group.id": "customs-recovery"})
        self._desk_of = {topic: desk for desk in desk_stories for topic in _written_by(desk)}
        self._next = {desk: 2 * self._sent_before(desk) for desk in desk_stories}
        from_end = [TopicPartition(topic, p, OFFSET_END) for topic in self._desk_of for p in range(PARTITIONS)]
        self._consumer.assign(from_end)

    def _sent_before(self, desk: str) -> int:
        partitions = [TopicPartition(topic, p) for topic in heard_topics(desk) for p in range(PARTITIONS)]
        return sum([self._consumer.get_watermark_offsets(partition, timeout=30)[1] for partition in partitions])

    def run(self) -> None:
        try:
            began, rounds = time.monotonic(), 0
            while not self._over.is_set():
                while rounds < (time.monotonic() - began) * RATE:
                    rounds += 1
                    self._send()
                self._producer.poll(0)
                for message in self._consumer.consume(1000, 0.02):
                    if message.error() is None:
                        self._note(self._desk_of[message.topic()], message.timestamp()[1])
        except BaseException as problem:
            self.problem = problem
        finally:
            self._producer.flush(10)
            self._consumer.close()

    def _send(self) -> None:
        for desk, base in self._stories.items():
            number = self._next[desk]
            self._next[desk] += 2
            last = retold(base, number).messages[-1]
            self._producer.produce(last.topic, key=last.key, value=last.value, headers=list(last.headers.items()))

    def _note(self, desk: str, at_ms: int) -> None:
        self.written[desk] += 1
        if at_ms > self._killed_ms:
            self.first.setdefault(desk, time.monotonic())

    def killed(self) -> None:
        """Makes messages that are written from now on count as new."""
        self.first = {}
        self._killed_ms = time.time() * 1000

    def stop(self) -> None:
        self._over.set()
        self.join(30)


def _written_by(desk: str) -> list[str]:
    """Returns the topics that only this desk writes. If a desk publishes nothing, this is its state topic."""
    topics = [topic.name for topic in FACTS_AND_REQUESTS if topic.writer == desk]
    return topics or [state_topic(desk)]


@dataclass(frozen=True)
class Figures:
    """The measured figures of one kill."""

    desks: str
    states: int
    read: int
    ready_s: float
    first_s: float
    restore_s: float
    before_mib: float
    after_mib: float
    peak_mib: float

    def row(self) -> list[str]:
        rate = f"{self.states / self.restore_s:,.0f}" if self.states > 1000 else "-"
        memory = [f"{mib:,.0f}" for mib in (self.before_mib, self.after_mib, self.peak_mib)]
        return [
            self.desks,
            f"{self.states:,}",
            f"{self.read:,}",
            f"{self.ready_s:.1f}",
            f"{self.first_s:.1f}",
            rate,
            *memory,
        ]


def measure(broker: Broker, home: Path, desks: str, desk_stories: dict[str, list[Story]]) -> Figures:
    """Starts a worker with these desks and sends messages to them. Kills the worker, starts it again at the next check
    of the supervisor, and waits until each desk writes again. Returns the figures."""
    port = free_port()
    child = worker(desks, port, home, {"DTG_KAFKA": broker.bootstrap, "DTG_PARTITIONS": str(PARTITIONS), **rehearsal()})
    child.log.unlink(missing_ok=True)
    url = f"http://127.0.0.1:{port}/readyz"
    work = Work(broker.bootstrap, {desk: desk_stories[desk] for desk in desks.split(",")})
    child.start()
    try:
        wait_for({url: child})
        work.start()
        _until(work, lambda: min(work.written.values()) > 3 * RATE)
        before = _resident(child)
        killed = time.monotonic()
        work.killed()
        child.kill()
        ready = 0.0
        looked = killed
        while not ready or len(work.first) < len(work.written):
            time.sleep(0.02)
            if time.monotonic() - looked >= SUPERVISOR_SECONDS:
                looked = time.monotonic()
                child.watch()
            ready = ready or (time.monotonic() if _restored(child, desks, 2) else 0.0)
            _check(work, killed)
        again = _restored(child, desks, 2)
        after = _resident(child)
        return Figures(
            desks,
            sum([line["records"] for line in again]),
            sum([line["read"] for line in again]),
            ready - killed,
            max(work.first.values()) - killed,
            max([line["seconds"] for line in again]),
            before["VmRSS"],
            after["VmRSS"],
            after["VmHWM"],
        )
    finally:
        work.stop()
        child.restarts = False
        child.terminate()
        child.join(time.monotonic() + 10)


def _until(work: Work, true: Any) -> None:
    began = time.monotonic()
    while not true():
        _check(work, began)
        time.sleep(0.05)


def _check(work: Work, since: float) -> None:
    if work.problem:
        raise work.problem
    if time.monotonic() - since > 120:
        raise RuntimeError(f"work does not flow: {work.written}, {work.first}")


def _restored(child: Child, desks: str, times: int) -> list[dict[str, Any]]:
    """Returns what each desk logged about its restore after start number `times` of the worker, counted from 1. Returns
    an empty list if a desk has not logged it yet."""
    records = [json.loads(x) for x in child.log.read_text().splitlines() if x.startswith("{") and '"restored"' in x]
    names = desks.split(",")
    return records[-len(names) :] if len(records) >= times * len(names) else []


def _resident(child: Child) -> dict[str, float]:
    """Returns the memory of the process in MiB, by the names in `/proc/<pid>/status`, for example `VmRSS` (now) and
    `VmHWM` (the most so far)."""
    lines = [line.split() for line in Path(f"/proc/{child.pid}/status").read_text().splitlines()]
    return {line[0].rstrip(":"): int(line[1]) * 1024 / MIB for line in lines if line[0].startswith("Vm")}


@contextmanager
def cluster(
    folder: Path, states: int, desks: list[str], at: datetime
) -> Iterator[tuple[Broker, dict[str, list[Story]]]]:
    """Yields a broker whose state topics have this many live goods for each desk, and the stories of the desks. If the
    folder was kept, the topics that an earlier run has filled are used again."""
    desk_stories = {desk: stories(desk, SEED, at) for desk in desks}
    broker = Broker(folder / "kafka", free_port())
    broker.start()
    try:
        provision(broker.bootstrap, PARTITIONS)
        for desk in desks:
            mark = folder / f"{desk}.filled"
            began = time.monotonic()
            for count in fill(broker.bootstrap, desk, desk_stories[desk], 0 if mark.exists() else states, at):
                if count % 100_000 == 0:
                    print(f"{desk}: {count:,} live goods written, {time.monotonic() - began:.0f} s", flush=True)
            mark.touch()
        yield broker, desk_stories
    finally:
        broker.stop()


def table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [HEAD, ["---"] * len(HEAD), *rows])


def remembered(folder: Path, rows: dict[str, list[str]]) -> list[list[str]]:
    """Stores these rows in the folder, and returns them together with the rows of earlier runs that they do not
    replace. So sizes can be measured one by one."""
    file = folder / "rows.json"
    earlier: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}
    both = earlier | rows
    file.write_text(json.dumps(both))
    return [both[name] for name in sorted(both, key=lambda name: (int(name.split()[0]), name))]


def main() -> None:
    """Measures each size with each layout and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", default="0,10000,100000,1000000", help="live goods a desk, separated by commas")
    parser.add_argument(
        "--layout", default="release;gate;clearance;release,gate", help="workers to kill, one after another"
    )
    parser.add_argument("--folder", type=Path, help="keep the filled clusters here and use them again")
    parser.add_argument("--write", action="store_true", help=f"write {EVIDENCE.name}")
    args = parser.parse_args()
    desks = sorted({desk for layout in args.layout.split(";") for desk in layout.split(",")})
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="dtg-recovery-") as temporary:
        kept = args.folder or Path(temporary)
        for states in map(int, args.states.split(",")):
            with cluster(kept / str(states), states, desks, datetime.now(UTC)) as (broker, desk_stories):
                for layout in args.layout.split(";"):
                    row = measure(broker, kept / str(states), layout, desk_stories).row()
                    rows[f"{states} {layout}"] = row
                    print(" | ".join(row), flush=True)
        shown = table(remembered(kept, rows))
    print(where(), shown, sep="\n\n")
    if args.write:
        EVIDENCE.parent.mkdir(exist_ok=True)
        EVIDENCE.write_text(TEXT.format(where=where(), table=shown, day=f"{datetime.now(UTC):%Y-%m-%d}"))


def where() -> str:
    """Returns the machine and the versions, as text."""
    return f"{machine()}, shared by broker, worker and load; {versions()}; {PARTITIONS} partitions, seed {SEED}."


TEXT = """\
# Recovery: a worker is killed, and its work flows again

Made by `make recovery ARGS=--write`, {day}. {where}

{table}

A real worker process hosts the desks; {{rate}} messages a second come to each of them all the time. It gets SIGKILL and is
started again as the supervisor does it. *ready*: from the kill until every partition is restored. *first fact*: from the
kill until a client that reads committed messages has one that was written after it (with two desks: the later of the two;
of clearance, which says nothing, a state). *states/s*: live goods by the seconds of the restore, for all desks of the worker
together. *records read*: what lay in the state topic; a record is superseded until the broker's cleaner comes.
MiB are resident: just before the kill, when work flows again, and at most.

Every state was made by the real decider from messages of a simulated day; half of the goods have heard all but their last
message, which is what is sent during the measurement.
""".replace("{{rate}}", str(RATE))


if __name__ == "__main__":
    main()
