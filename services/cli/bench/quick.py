"""What does `dtg bench` measure in a minute? It measures throughput, latency at half of that throughput, and the cost of
each process, and proves that nothing was lost."""

import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deploy.kafka.errors import BrokerError
from services.cli.bench.crowd import Crowd
from services.cli.bench.load import Phase, percentile
from services.cli.bench.rig import Cost, Rig
from services.cli.ledger import Ledger
from services.cli.screen import Table, screen
from services.simulator.day import Day

DAY = datetime(2026, 11, 23, tzinfo=UTC)
WARM = 500
HALF_SECONDS = 10


def main(*, consignments: int, seed: int, layout: str, read_model: bool, partitions: int, rights: bool = True) -> int:
    """Runs the benchmark and prints its tables. Returns 0 if the audit found no fault, otherwise 1.

    Raises BrokerError if it cannot run on this machine.
    """
    if not Path("/proc").is_dir():
        raise BrokerError("The benchmark reads /proc; it runs on Linux. 仅支持 Linux")
    screen.line(
        f"{machine()}; shared by broker, desks, read model, generator and people; {versions()}; exactly-once, "
        f"{partitions} partitions, {'with' if rights else 'without'} rights at the broker; seed {seed}; workers {layout} 测试环境"
    )
    with (
        tempfile.TemporaryDirectory(prefix="dtg-bench-") as folder,
        Rig(Path(folder), partitions, layout, read_model, rights=rights) as rig,
    ):
        crowd = Crowd(rig.access(), Day(seed, consignments, DAY), partitions, rig.clock)
        crowd.start()
        try:
            _measure(rig, crowd, consignments)
        finally:
            crowd.stop()
        ledger = rig.ledger()
        screen.line(proof(ledger))
        return 0 if ledger.clean else 1


def machine() -> str:
    """Returns the number of processor cores and their model, as text."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    return f"{os.cpu_count()} cores ({model})"


def versions() -> str:
    """Returns the versions of the programs on which the figures depend most, as text."""
    names = ("confluent-kafka", "pydantic", "faust-streaming")
    return f"Python {platform.python_version()}, Kafka 4.3.1, " + ", ".join(f"{n} {version(n)}" for n in names)


def proof(ledger: Ledger) -> str:
    """Returns the result of the independent audit, as a sentence."""
    ends = ", ".join(f"{name} {count:,}" for name, count in sorted(ledger.ends.items()))
    counts = ", ".join(f"{name.replace('_', ' ')} {len(lines)}" for name, lines in ledger.faults.items())
    return f"{ledger.lodged:,} lodged: {ends}. {counts} 核对结果：每类差错的数目"


def _measure(rig: Rig, crowd: Crowd, consignments: int) -> None:
    warm = min(WARM, consignments)
    crowd.play(0, warm, 0)
    before = rig.costs()
    full = crowd.play(warm, consignments, 0)
    after = rig.costs()
    rate = full.rate() / 2
    half = crowd.play(warm + consignments, min(consignments, int(rate * HALF_SECONDS)), rate)
    _say_figures(full, half, crowd.immediate)
    _say_costs(before, after, consignments)


def _say_figures(full: Phase, half: Phase, immediate: set[str]) -> None:
    table = Table("run 轮次", "consignments 票数", "a second 每秒", "p50 ms", "p95 ms", "p99 ms", "max 最大 ms")
    for name, phase in (("all at once 全速", full), ("at half of that 半速", half)):
        waits = phase.latencies(immediate)
        cells = [f"{percentile(waits, share) * 1000:,.0f}" for share in (0.5, 0.95, 0.99, 1.0)]
        table.add_row(name, f"{len(phase.ended):,}", f"{phase.rate():,.0f}", *cells)
    screen.table(table)
    screen.line(
        "Latency: lodgement due → release read by a port, of consignments that nobody had to look at; "
        "consignments a second without those that waited for a treatment. "
        f"The generator was {half.late * 1000:,.0f} ms behind at worst. "
        "时延自应申报之时至港口读到放行，仅计无须人工处理的货物。"
    )


def _say_costs(before: dict[str, Cost], after: dict[str, Cost], count: int) -> None:
    table = Table("process 进程", "CPU us a consignment 每票", "resident MB 常驻内存")
    for name, now in after.items():
        table.add_row(name, f"{(now.cpu - before[name].cpu) / count * 1e6:,.0f}", f"{now.resident:,.0f}")
    screen.table(table)
