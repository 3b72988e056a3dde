"""How do measured figures become docs/performance.md and its pictures? Pure functions make text from figures. Parts
that were not measured are left out."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import notebook, svg
from tests.bench.scaling import scaling

GOALS = (("Faust", 5.0), ("Quix Streams", 1.5), ("Kafka Streams", 1.0))
GOAL_PER_SECOND, GOAL_P99_MS = 3500, 250
HEAD = """# Performance

`make bench` and `make bench-peers` measure the figures and write this page; `dtg bench` measures the first table in a minute.
The broker, all desks, clearance, the read model, the load generator and the simulated people share one machine.

- The load generator is open-loop: it sends each declaration when it is due, whether or not earlier ones were answered. The latency is the
  time from then until a port has read the release. It is given for consignments without any control.
- *At once*: the generator lodges everything as fast as it can. The rate is the number of consignments over the time until the last one
  has ended. Those that waited for a treatment are left out, because its hours pass by a clock of 3,600 s a second.
- After every part, an independent client reads the topics. Where it finds anything lost, doubled, reordered or wrongly released, no figure
  is kept.
"""


def write(folder: Path) -> None:
    """Writes docs/performance.md, its pictures and docs/scaling.md from the figures in the notebook of `folder`.

    performance/findings.md, which people write by hand, becomes the end of the page.
    """
    known = notebook.figures(folder / "performance" / "measured.json")
    findings = folder / "performance" / "findings.md"
    for name, picture in pictures(known).items():
        (folder / "performance" / f"{name}.svg").write_text(picture)
    (folder / "performance.md").write_text(performance(known, findings.read_text() if findings.exists() else ""))
    if text := scaling(known):
        (folder / "scaling.md").write_text(text)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a Markdown table. The first column is text, the others are figures."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in (head, marks, *rows)) + "\n"


def number(value: float | None, digits: int = 0) -> str:
    """Returns the figure as text, for example `1,234`; a dash if there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def performance(known: dict[str, Any], findings: str = "") -> str:
    """Returns the text of docs/performance.md. `findings`: the end of the page."""
    parts = [HEAD]
    for name, section in (("main", _main), ("peers", _peers), ("growth", _growth)):
        if name in known or (name == "growth" and set(known) & {"partitions", "workers", "live", "lines"}):
            parts.append(section(known))
    return "\n".join([*parts, findings] if findings else parts)


def _main(known: dict[str, Any]) -> str:
    part = known["main"]
    runs = [
        (
            "at once" if run["offered"] == 0 else f"at {run['share']:.0%}",
            number(run["consignments"]),
            number(run["reached"]),
            *[number(run[f"p{share}_ms"]) for share in (50, 95, 99, 100)],
        )
        for run in part["runs"]
    ]
    costs = [
        (
            row["process"],
            number(row["cpu_us"]),
            number(row["events"], 1) if row["events"] else "–",
            number(row["cpu_us_event"], 0),
            number(row["resident_mb"]),
            number(row["peak_mb"]),
        )
        for row in part["costs"]
    ]
    total = sum(row["cpu_us"] for row in part["costs"])
    costs.append(("all", number(total), "", "", number(sum(row["resident_mb"] for row in part["costs"])), ""))
    disk = [(name, number(count)) for name, count in part["bytes"].items()]
    disk.append(("all", number(sum(part["bytes"].values()))))
    return f"""## End to end

{part["taken"]}; {part["partitions"]} partitions, workers `{part["layout"]}`, SQLite read model, seed {part["seed"]}.

{table(("offered", "consignments", "a second", "p50 ms", "p95 ms", "p99 ms", "max ms"), runs)}
![latency by load](performance/latency.svg)

CPU time for one consignment at full speed, by process ({part["cores_busy"]:.2f} cores were busy):

{table(("process", "CPU us", "messages decided", "CPU us a message", "resident MB", "peak MB"), costs)}
Bytes on disk for one consignment (one copy, uncompressed, before compaction of states):

{table(("what", "bytes"), disk)}
{_goals(known, total)}"""


def _goals(known: dict[str, Any], total: float) -> str:
    full = known["main"]["runs"][0]["reached"]
    half = next(run for run in known["main"]["runs"] if run["share"] == 0.5)
    rows = [
        ("consignments a second", f"≥ {GOAL_PER_SECOND:,}", number(full), _reached(full >= GOAL_PER_SECOND)),
        (
            "p99 at half of that, ms",
            f"≤ {GOAL_P99_MS}",
            number(half["p99_ms"]),
            _reached(half["p99_ms"] <= GOAL_P99_MS),
        ),
    ]
    if "peers" in known:
        ratios = _ratios(known["peers"])
        for peer, goal in GOALS:
            ratio = next((r for name, r in ratios.items() if name.startswith(peer)), None)
            if ratio is not None:
                rows.append((f"times {peer}", f"≥ {goal:g}", number(ratio, 2), _reached(ratio >= goal)))
    text = "### Goals\n\n" + table(("goal", "wanted", "measured", ""), rows)
    if full < GOAL_PER_SECOND:
        text += (
            f"\nTwo cores have {2_000_000:,} us of CPU a second. One consignment takes {number(total)} us, generator and people "
            f"included, so two cores reach at most {number(2_000_000 / total)} a second. For {GOAL_PER_SECOND:,} a second it could "
            f"take {number(2_000_000 / GOAL_PER_SECOND)} us. The first table on CPU time shows which process takes how much.\n"
        )
    return text


def _reached(yes: bool) -> str:
    return "reached" if yes else "not reached"


def _ratios(part: dict[str, Any]) -> dict[str, float]:
    """Returns peer → the median, over all rounds, of the product's rate divided by the peer's rate in the same
    round."""
    ours = part["peers"][0]["name"]
    ratios = {}
    for peer in part["peers"][1:]:
        pairs = [
            one[ours]["per_second"] / one[peer["name"]]["per_second"]
            for one in part["rounds"]
            if ours in one and peer["name"] in one
        ]
        if pairs:
            ratios[peer["name"]] = median(pairs)
    return ratios


def _spread(values: Sequence[float]) -> str:
    return f"{number(median(values))} ({number(min(values))}–{number(max(values))})"


def _peers(known: dict[str, Any]) -> str:
    part = known["peers"]
    ratios = _ratios(part)
    rows = []
    for peer in part["peers"]:
        runs = [one[peer["name"]] for one in part["rounds"] if peer["name"] in one]
        if not runs:
            continue
        rows.append(
            (
                peer["name"],
                peer["guarantee"],
                *[_spread([one[figure] for one in runs]) for figure in ("per_second", "cpu_us_event", "broker_cpu_us")],
                *[_spread([one[figure] for one in runs]) for figure in ("p50_ms", "p99_ms", "resident_mb")],
                sum(one["doubled"] for one in runs),
                number(ratios.get(peer["name"]), 2),
            )
        )
    head: tuple[str, ...] = ("", "guarantee", "consignments/s", "CPU us a message", "broker CPU us a consignment")
    head = (
        *head,
        f"p50 ms at {part['rate']:g}/s",
        f"p99 ms at {part['rate']:g}/s",
        "resident MB",
        "published twice",
        "ours is … times",
    )
    settings = "".join(f"- **{p['name']}** — {p['settings']}. Not guaranteed: {p['lacks']}.\n" for p in part["peers"])
    return f"""## Peers

{part["taken"]}; rounds: {len(part["rounds"])}, in each round every peer once, in changing order, on a fresh broker with {part["partitions"]} partitions;
{part["count"]:,} consignments at once after {part["warm"]:,} to warm up. Median (lowest–highest).

The flow: lodgement and arrival → declaration → risk → release, and the timelines of clearance; about {part["heard"]:.1f} messages
are decided for one consignment. Python peers call the product's own deciders and codecs; the Java program has the same checks,
rules and draw. In Python each desk is one process; Kafka Streams runs all desks in one JVM, which costs it least. No process fails
during these runs: the table counts what was published twice without a fault, and says nothing about faults. In every round exactly
those consignments were released that the deciders release in memory.

{table(head, rows)}
![peers](performance/peers.svg)

{settings}"""


def _growth(known: dict[str, Any]) -> str:
    lines = ["## How it grows\n"]
    columns = (("per_second", 0), ("p50_ms", 0), ("p99_ms", 0), ("cpu_us", 0), ("resident_mb", 0))
    names = ("a second, at once", "p50 ms at half", "p99 ms at half", "CPU us, all processes", "workers' resident MB")
    for part, key, title in (
        ("partitions", "partitions", "Partitions"),
        ("workers", "workers", "Worker processes"),
        ("lines", "lines", "Lines of a declaration"),
    ):
        if part in known:
            rows = [(p[key], *[number(p[name], digits) for name, digits in columns]) for p in known[part]["points"]]
            lines.append(f"### {title}\n\n{known[part]['taken']}\n\n{table((key, *names), rows)}")
            lines.append(f"![{part}](performance/{part}.svg)\n")
    if "live" in known:
        lived = [
            (
                number(p["live"]),
                *[number(p[name], digits) for name, digits in columns],
                number(p["restore_seconds"], 1),
                number(p["restored_per_second"]),
                number(p["record_bytes"]),
            )
            for p in known["live"]["points"]
        ]
        more = ("restore s", "records restored a second", "bytes of records for one")
        lines.append(f"### Live consignments\n\n{known['live']['taken']}\n\n{table(('live', *names, *more), lived)}")
        lines.append(
            "The records are copies of real ones that wait for their arrival. They were written to the state topics before the workers "
            "start; the read model does not know these goods.\n\n![live](performance/live.svg)\n"
        )
    return "\n".join(lines)


def pictures(known: dict[str, Any]) -> dict[str, str]:
    """Returns file name without `.svg` → text of the SVG."""
    made = {}
    if "main" in known:
        runs = [run for run in known["main"]["runs"] if run["offered"]]
        series = {f"p{s}": [(round(r["offered"]), r[f"p{s}_ms"]) for r in runs] for s in (50, 95, 99)}
        made["latency"] = svg.lines("Lodgement to release", "consignments a second, offered", "ms", series)
    for part, key, axis in (
        ("partitions", "partitions", "partitions of every topic"),
        ("workers", "workers", "worker processes on the same cores"),
        ("lines", "lines", "lines of a declaration"),
        ("live", "live", "live consignments"),
    ):
        if part in known:
            points = [(p[key], p["per_second"]) for p in known[part]["points"]]
            made[part] = svg.lines(
                "Throughput", axis, "consignments a second", {"at once": points}, log_x=part == "live"
            )
    if "peers" in known:
        rows = []
        for peer in known["peers"]["peers"]:
            rates = [one[peer["name"]]["per_second"] for one in known["peers"]["rounds"] if peer["name"] in one]
            if rates:
                rows.append((peer["name"], median(rates), min(rates), max(rates)))
        made["peers"] = svg.bars("The same flow on the same two cores", "consignments a second, median", rows)
    return made
