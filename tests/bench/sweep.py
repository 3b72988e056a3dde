"""How fast is one machine, and how does that change with partitions, processes and load? `make bench` measures one part
after the other, and writes docs/performance.md.

    python -m tests.bench.sweep [--parts main,partitions,workers,live,lines,idle] [--small]

Each measurement starts a broker of its own on a free port. At its end the log is audited: nothing may be lost or
doubled. Only the measurements of the part `idle` are not audited.
"""

import argparse
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_never

from schemas.topics import ROLES, Role
from services.cli.bench.crowd import Crowd
from services.cli.bench.load import Phase, percentile
from services.cli.bench.rig import Cost, Rig, metrics_of
from services.cli.settings import UpSettings
from services.simulator.day import Day
from tests.bench import notebook
from tests.bench.live import plant, samples
from tests.bench.note import write

DAY = datetime(2026, 11, 23, tzinfo=UTC)
SEED = 7
ALONE = "declaration;risk;inspection;quarantine;release;gate;clearance"
USUAL: str = UpSettings.model_fields["layout"].default
LAYOUTS = ("declaration,risk,inspection,quarantine,release,gate,clearance", USUAL, ALONE)
IDLE_SECONDS = 10
Part = Iterator[dict[str, Any]]
"""Yields the figures of one part again and again, with more of them each time. The last figures that it yields are
complete."""


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes of the load. `warm`: how many consignments are lodged first, until the broker's Java code is compiled;
    `seconds`: the length of each run at an even rate."""

    warm: int = 2_500
    full: int = 12_000
    point: int = 2_500
    seconds: float = 5
    partitions: tuple[int, ...] = (2, 8, 48)
    live: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    lines: tuple[int, ...] = (1, 10, 50)
    idle: tuple[int, ...] = (8, 48, 200)
    idle_live: int = 50_000


SMALL = Size(100, 300, 200, 2, (8,), (500, 1_000), (1, 10), (8, 16), 500)


class Dirty(Exception):
    """Raised if a message was lost, doubled, reordered, or goods were wrongly released. No figure counts then."""


class Stand:
    """A rig with its people, and the next unused consignment of the day."""

    def __init__(self, rig: Rig, crowd: Crowd) -> None:
        self.rig, self.crowd, self.next = rig, crowd, 0

    def play(self, count: int, rate: float = 0, lines: int = 0) -> Phase:
        first, self.next = self.next, self.next + count
        return self.crowd.play(first, count, rate, lines)

    def point(self, size: Size, lines: int = 0) -> dict[str, Any]:
        """Returns the throughput with a backlog, the latency at half of that throughput, and the CPU time of all
        processes."""
        before = self.rig.costs()
        full = self.play(size.point, 0, lines)
        after = self.rig.costs()
        half = self.even(full.rate() / 2, size.seconds, lines)
        return {
            "per_second": full.rate(),
            "cpu_us": sum(after[name].cpu - before[name].cpu for name in after) / size.point * 1e6,
            "resident_mb": sum(c.resident for name, c in after.items() if name.startswith("worker")),
            "costs": _costs(before, after, size.point, {}),
            **half,
        }

    def even(self, rate: float, seconds: float, lines: int = 0) -> dict[str, Any]:
        """Returns the latencies at an even rate."""
        return figures(self.play(max(50, int(rate * seconds)), rate, lines), self.crowd.immediate, rate)


def figures(phase: Phase, immediate: set[str], rate: float) -> dict[str, Any]:
    """Returns the figures of one run. `rate`: the rate of the lodgements; 0 if everything was lodged at once."""
    waits = phase.latencies(immediate)
    return {
        "offered": rate,
        "consignments": len(phase.ended),
        "reached": phase.rate(),
        "late_ms": phase.late * 1000,
        **{f"p{share}_ms": percentile(waits, share / 100) * 1000 for share in (50, 95, 99, 100)},
    }


@contextmanager
def stand(partitions: int, layout: str, size: Size, prepare: Callable[[Rig], None] | None = None) -> Iterator[Stand]:
    """Starts everything and warms it up. At the end of the block, checks the ledger, and raises Dirty if it shows an
    error. `prepare` is called before the simulated people start."""
    with tempfile.TemporaryDirectory(prefix="dtg-bench-") as folder, Rig(Path(folder), partitions, layout, True) as rig:
        if prepare:
            prepare(rig)
        crowd = Crowd(rig.access(), Day(SEED, 100_000, DAY), partitions, rig.clock)
        crowd.start()
        here = Stand(rig, crowd)
        try:
            # `prepare` has lodged the declarations with lower numbers
            here.next = 10_000 if prepare else 0
            here.play(size.warm)
            yield here
        finally:
            crowd.stop()
        ledger = rig.ledger()
        if not ledger.clean:
            raise Dirty(f"{ledger.lost[:3]} {ledger.doubled[:3]} {ledger.reordered[:3]} {ledger.wrongly_released[:3]}")
        print(f"  {ledger.lodged:,} lodged, {dict(ledger.ends)}, nothing lost, doubled, reordered or wrongly released")


COMMITTED = re.compile(r'^customs_loop_committed_total\{desk="(\w+)"\} (\S+)$', re.MULTILINE)


def family(role: Role | None) -> str:
    """Returns the name under which the performance report counts the bytes of a topic with this role. None is a topic
    of Kafka itself."""
    match role:
        case None:
            return "Kafka's own (offsets, transactions)"
        case "facts" | "requests":
            return role
        case "port":
            return "facts for ports"
        case "state":
            return "states, before compaction"
        case "parked" | "orders":
            return "parked messages"
        case _:
            assert_never(role)


def decided_messages(rig: Rig) -> Counter[str]:
    """Returns how many messages each worker process has decided so far."""
    found = {name: COMMITTED.findall(metrics_of(url)) for name, url in rig.pages.items()}
    return Counter({name: sum(int(float(number)) for _, number in rows) for name, rows in found.items()})


def bytes_on_disk(rig: Rig) -> Counter[str]:
    """Returns the bytes of the log segments by their content, and the bytes of the read model's files."""
    sizes: Counter[str] = Counter()
    for segment in (rig.home / "kafka" / "log").glob("*/*.log"):
        role = ROLES.get(segment.parent.name.rpartition("-")[0])
        sizes[family(role)] += segment.stat().st_size
    sizes["read model (SQLite)"] = sum(file.stat().st_size for file in rig.home.glob("console.db*"))
    return sizes


def main_part(size: Size) -> Part:
    """Measures the usual layout: throughput, latency at a quarter, a half and three quarters of that throughput, CPU
    time, memory, bytes on disk."""
    with stand(8, USUAL, size) as here:
        here.play(size.warm)
        disk = bytes_on_disk(here.rig)
        decided_before, before, started = decided_messages(here.rig), here.rig.costs(), time.monotonic()
        full = here.play(size.full)
        busy = time.monotonic() - started
        after, decided = here.rig.costs(), decided_messages(here.rig)
        decided.subtract(decided_before)
        grown = bytes_on_disk(here.rig)
        grown.subtract(disk)
        runs = [{"share": 1.0, **figures(full, here.crowd.immediate, 0)}]
        runs += [{"share": s, **here.even(full.rate() * s, size.seconds)} for s in (0.25, 0.5, 0.75)]
    yield {
        "layout": USUAL,
        "partitions": 8,
        "seed": SEED,
        "runs": runs,
        "costs": _costs(before, after, size.full, decided),
        "cores_busy": sum(after[name].cpu - before[name].cpu for name in after) / busy,
        "bytes": {name: count / size.full for name, count in sorted(grown.items())},
    }


def _costs(
    before: dict[str, Cost], after: dict[str, Cost], count: int, decided: dict[str, int]
) -> list[dict[str, Any]]:
    rows = []
    for name, now in after.items():
        spent = (now.cpu - before[name].cpu) * 1e6
        events = decided.get(name, 0)
        rows.append(
            {
                "process": name.removesuffix(f"-{name.rpartition('-')[2]}") if name.startswith("worker-") else name,
                "cpu_us": spent / count,
                "events": events / count,
                "cpu_us_event": spent / events if events else None,
                "resident_mb": now.resident,
                "peak_mb": now.peak,
            }
        )
    return rows


def partitions_part(size: Size) -> Part:
    """Measures the same load with different numbers of partitions."""
    points = []
    for count in size.partitions:
        with stand(count, USUAL, size) as here:
            points.append({"partitions": count, **here.point(size)})
        yield {"points": points}


def workers_part(size: Size) -> Part:
    """Measures the same desks in fewer and in more processes. The last layout shows the cost of each desk."""
    points = []
    for layout in LAYOUTS:
        with stand(8, layout, size) as here:
            points.append({"workers": layout.count(";") + 1, "layout": layout, **here.point(size)})
        yield {"points": points}


def live_part(size: Size) -> Part:
    """Measures desks that already have many live consignments: restore, memory, speed."""
    points = []
    for count in size.live:
        points.append(_live(count, 8, size))
        yield {"points": points}


def _live(count: int, partitions: int, size: Size) -> dict[str, Any]:
    point: dict[str, Any] = {"live": count}

    def prepare(rig: Rig) -> None:
        point.update(restored(rig, count))

    with stand(partitions, USUAL, size, prepare) as here:
        point.update(here.point(size))
    return point


def restored(rig: Rig, count: int) -> dict[str, Any]:
    """Writes the records of `count` live consignments, starts the workers again, and returns the figures of their
    restore."""
    found = samples(rig, Day(SEED, 100_000, DAY))
    rig.stop()
    records, size = plant(rig.broker.access, found, count)
    started = time.monotonic()
    rig.start()
    took = rig.restored()
    return {
        "records": records,
        "record_bytes": size / count,
        "restore_seconds": took,
        "ready_seconds": time.monotonic() - started,
        "restored_per_second": records / took,
        "resident_restored_mb": {n: c.resident for n, c in rig.costs().items() if n.startswith("worker")},
    }


def lines_part(size: Size) -> Part:
    """Measures declarations with few and many lines."""
    with stand(8, USUAL, size) as here:
        points = [{"lines": lines, **here.point(size, lines)} for lines in size.lines]
    yield {"points": points}


def idle_part(size: Size) -> Part:
    """Measures the costs of partitions while nothing happens: CPU, memory, start, restore. It is not one of the usual
    parts, because it takes minutes."""
    points = []
    for count in size.idle:
        started = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="dtg-bench-") as folder,
            Rig(Path(folder), count, USUAL, True) as rig,
        ):
            up = time.monotonic() - started
            time.sleep(3)
            before = rig.costs()
            time.sleep(IDLE_SECONDS)
            after = rig.costs()
            points.append(
                {
                    "partitions": count,
                    "up_seconds": up,
                    "idle": {
                        _group(name): {
                            "cpu_percent": sum(after[n].cpu - before[n].cpu for n in after if _group(n) == _group(name))
                            / IDLE_SECONDS
                            * 100,
                            "resident_mb": sum(after[n].resident for n in after if _group(n) == _group(name)),
                        }
                        for name in after
                        if _group(name)
                    },
                    **restored(rig, size.idle_live),
                }
            )
        yield {"points": points, "live": size.idle_live}


def _group(name: str) -> str:
    return "" if name.startswith("generator") else "workers" if name.startswith("worker") else name


PARTS: dict[str, Callable[[Size], Part]] = {
    "main": main_part,
    "partitions": partitions_part,
    "workers": workers_part,
    "live": live_part,
    "lines": lines_part,
    "idle": idle_part,
}


def main(arguments: list[str]) -> int:
    """Measures the chosen parts, and returns the exit code. Each time a part yields figures, stores them and writes the
    pages. In every part except `idle`, the audit of the log has found no error by then."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--parts", default="main,partitions,workers,live,lines", help="comma-separated; idle is extra")
    parser.add_argument("--small", action="store_true", help="a few hundred consignments: does it run at all?")
    parser.add_argument("--into", type=Path, default=notebook.ROOT / "docs", help="folder of the notes")
    options = parser.parse_args(arguments)
    # Upon SIGTERM this handler raises SystemExit. So the processes are still ended and the folders removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    file = options.into / "performance" / "measured.json"
    size = SMALL if options.small else Size()
    print(f"{notebook.taken()}; seed {SEED}")
    for part in options.parts.split(","):
        started = time.monotonic()
        print(f"{part} …", flush=True)
        for measured in PARTS[part](size):
            notebook.keep(part, measured, file)
            write(options.into)
        print(f"  {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
