"""What would a national day need? docs/scaling.md computes this from measured figures, and shows each step."""

from typing import Any

from schemas.flow import heard_topics
from schemas.topics import SERVICES

YEAR = 60_000_000
"""Consignments in a year, as customs counts declarations."""
PEAK = 3_400
"""Consignments in a second at the peak of a national day."""
BUSY = 0.6
"""The share of a core that is planned for. The rest is left for restarts, rebalances and bursts."""
COPIES = 3
"""Replicas of every partition in production."""
PARTITIONS = 48
"""The number of partitions of every topic in production."""
BROKER_CORES = 8
LINK_MB = 1_250
"""The megabytes in a second of a link of 10 Gbit/s."""
NEEDED = ("main", "workers", "live", "idle")


def scaling(known: dict[str, Any]) -> str:
    """Returns the page. It is empty if a part that it needs was not measured, or if the part `live` was measured with
    only one number of live goods. Two numbers are needed to compute the growth."""
    if any(part not in known for part in NEEDED) or len(known["live"]["points"]) < 2:
        return ""
    return "\n".join(
        [
            _head(known),
            _partition(known["idle"]),
            _machines(_Figures(known)),
            _breaks(_Figures(known)),
        ]
    )


class _Figures:
    """The costs of one consignment, from the notebook."""

    def __init__(self, known: dict[str, Any]) -> None:
        costs = {row["process"]: row["cpu_us"] for row in known["main"]["costs"]}
        self.broker_us: float = costs["broker"]
        self.console_us: float = costs["console"] + costs.get("projector", 0.0)
        alone = known["workers"]["points"][-1]["costs"]
        self.desk_us: dict[str, float] = {
            row["process"].removeprefix("worker-"): row["cpu_us"]
            for row in alone
            if row["process"].startswith("worker-")
        }
        self.disk: dict[str, float] = known["main"]["bytes"]
        self.log_bytes = sum(count for name, count in self.disk.items() if "SQLite" not in name)
        points = known["live"]["points"]
        low, high = points[0], points[-1]
        grown = sum(high["resident_restored_mb"].values()) - sum(low["resident_restored_mb"].values())
        self.live_bytes: float = grown * 1e6 / (high["live"] - low["live"])
        self.release_bytes = _of_release(high, low)
        self.restored_per_second: float = high["live"] / high["restore_seconds"]
        self.readers = sum(1 for s in SERVICES if "customs-risk-facts" in heard_topics(s)) + 1


def _of_release(high: dict[str, Any], low: dict[str, Any]) -> float:
    name = next(n for n in high["resident_restored_mb"] if "release" in n)
    grown: float = high["resident_restored_mb"][name] - low["resident_restored_mb"][name]
    bytes_each: float = grown * 1e6 / (high["live"] - low["live"])
    return bytes_each


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def _head(known: dict[str, Any]) -> str:
    return f"""# Scaling past one machine

Arithmetic on measured figures; `make bench` and `make bench ARGS="--parts idle"` write this page anew. Measured on:
{known["main"]["taken"]}. Nothing here was run on more than one machine: what is an assumption is called one.

Taken as given: {YEAR:,} consignments a year, {PEAK:,} a second at the peak; and 100 times that. Planned for:
cores at {BUSY:.0%}, {COPIES} copies of every partition.
"""


def _partition(idle: dict[str, Any]) -> str:
    rows = ""
    for p in idle["points"]:
        broker, workers = p["idle"]["broker"], p["idle"]["workers"]
        rows += _row(
            p["partitions"],
            f"{broker['cpu_percent']:.0f}",
            f"{workers['cpu_percent']:.0f}",
            f"{broker['resident_mb']:,.0f}",
            f"{workers['resident_mb']:,.0f}",
            f"{p['up_seconds']:.0f}",
            f"{p['restore_seconds']:.1f}",
        )
    text = f"""## What a partition costs

Idle, four workers and the read model on two cores; a *partition* here is one of every topic of the catalogue. CPU in
percent of one core, over ten seconds; the restore is of {idle["live"]:,} live consignments.

| partitions | broker CPU % | workers CPU % | broker MB | workers MB | up in s | slowest restore s |
|---:|---:|---:|---:|---:|---:|---:|
{rows}"""
    if len(idle["points"]) > 1:
        low, high = idle["points"][0], idle["points"][-1]
        more = high["partitions"] - low["partitions"]
        megabytes = [
            (high["idle"][w]["resident_mb"] - low["idle"][w]["resident_mb"]) / more for w in ("broker", "workers")
        ]
        percent = [
            (high["idle"][w]["cpu_percent"] - low["idle"][w]["cpu_percent"]) / more for w in ("broker", "workers")
        ]
        text += f"""
So one more partition of every topic costs {megabytes[0]:.2f} MB and {percent[0]:.3f} % of a core in the broker, {megabytes[1]:.2f} MB and
{percent[1]:.3f} % of a core in all workers together ({more} more partitions, difference over count).
"""
    return text


def _machines(f: _Figures) -> str:
    desks = ""
    for desk, spent in [*f.desk_us.items(), ("broker, one copy", f.broker_us), ("read model", f.console_us)]:
        cells = [f"{spent:,.0f}", f"{1e6 / spent:,.0f}"] if spent else ["0", "–"]
        desks += _row(desk, *cells, *[_cores(PEAK * times * spent) for times in (1, 100)])
    workers = sum(f.desk_us.values())
    written = f.log_bytes * PEAK / 1e6
    network = written * (COPIES + f.readers)
    return f"""## Processes for the peak

CPU of one consignment (each desk alone in a process, from the table of worker processes; broker and read model from the
end-to-end run), what one core can do, and the cores at {BUSY:.0%} for {PEAK:,} and {PEAK * 100:,} a second:

| | CPU us a consignment | a second on one core | cores at {PEAK:,}/s | cores at {PEAK * 100:,}/s |
|---|---:|---:|---:|---:|
{desks}
A worker process of a desk is one thread that decides, so cores are worker processes: {_cores(PEAK * workers)} of them at the peak
of a national day, {_cores(PEAK * 100 * workers)} at 100 times that. A desk cannot have more processes than partitions; the most it needs
is {_cores(PEAK * max(f.desk_us.values()))} and {_cores(PEAK * 100 * max(f.desk_us.values()))}, of the {PARTITIONS} partitions of production, whose count is fixed for life: what is more needs another cluster.

Bytes: {f.log_bytes:,.0f} a consignment in the log, one copy. At the peak {written:,.0f} MB/s are written once; times {COPIES} copies and about
{f.readers} readers of a fact (counted from the flow, and the read model) the brokers move {network:,.0f} MB/s, of
{LINK_MB:,} MB/s that a 10 Gbit/s link carries: {max(COPIES, -(-network // (LINK_MB * BUSY))):.0f} brokers by network, three by copies. 100 times that:
{-(-network * 100 // (LINK_MB * BUSY)):.0f} brokers by network and {_cores(PEAK * 100 * f.broker_us * COPIES)} cores, if a follower's copy costs what the
leader's does (an assumption, and on the safe side). On disk, a year is {YEAR * f.log_bytes * COPIES / 1e12:.1f} TB with {COPIES} copies, before compaction
and compression.
"""


def _cores(microseconds: float) -> str:
    return f"{max(1, -(-microseconds // (1e6 * BUSY))):,.0f}"


def _breaks(f: _Figures) -> str:
    workers = {desk: 1e6 / spent for desk, spent in f.desk_us.items() if spent}
    slowest = min(workers, key=lambda desk: workers[desk])
    year_gb = YEAR * f.release_bytes / 1e9
    limits = [
        (
            1e6 / f.console_us,
            f"""**The read model.** One projector writes SQL: {f.console_us:,.0f} us a consignment are {1e6 / f.console_us:,.0f} a second and no
   more, however many machines there are. Desks do not wait for it, but the board is late. Then: one projector a range of
   partitions, each with a PostgreSQL schema of its own (rows of a consignment from its partition, rows of a container from its own):
   {_cores(PEAK * f.console_us)} of them at {PEAK:,}/s.""",
        ),
        (
            workers[slowest],
            f"""**The busiest desk in one process.** {slowest}: {workers[slowest]:,.0f} a second on a core. Then: more workers for that
   desk; nothing else changes.""",
        ),
        (
            BROKER_CORES * 1e6 / f.broker_us,
            f"""**A single broker.** {f.broker_us:,.0f} us a consignment on {BROKER_CORES} cores are {BROKER_CORES * 1e6 / f.broker_us:,.0f} a second. Then: three brokers,
   which production has anyway, and more.""",
        ),
    ]
    first = "\n".join(f"{number}. {text}" for number, (_, text) in enumerate(sorted(limits), start=1))
    return f"""## What breaks first

By load, the lowest first:

{first}

By time and size, whatever the load:

4. **State in memory.** A live consignment takes {f.live_bytes:,.0f} bytes of memory over all desks ({f.release_bytes:,.0f} of them in the process
   of release and gate), restored at {f.restored_per_second:,.0f} consignments a second with all workers of a machine restoring at once. A released consignment stays whole at the release desk, since it
   may be called back: a year of {YEAR:,} is {year_gb:,.0f} GB there, and a restore of {YEAR / f.restored_per_second / 60:,.0f} minutes. Spread over {PARTITIONS}
   partitions that is {year_gb / PARTITIONS:,.1f} GB each. Then: close a released consignment to a marker some weeks after it left the gate;
   a local snapshot shortens the restore.
5. **The brokers' network**, at 100 times a national day. Then: compression (producers send plain JSON today), readers in
   the same rack, and a cluster for each customs region, if a consignment and its containers stay in one (an assumption).
"""
