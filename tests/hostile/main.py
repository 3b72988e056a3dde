"""What are the outcomes of a million bad messages and requests? `make hostile` prints one table and writes
docs/evidence/hostile.md."""

import argparse
import importlib.metadata
import os
import platform
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from tests.hostile.console import Answers, serving, written
from tests.hostile.console import run as ask_console
from tests.hostile.desks import run as tell_desks

EVIDENCE = Path(__file__).parents[2] / "docs/evidence/hostile.md"
PARTITIONS = 4
LIBRARIES = ("confluent-kafka", "pydantic", "msgspec", "orjson", "fastapi", "uvicorn", "kafka-python")


def main() -> None:
    """Runs both floods. Raises AssertionError if a guarantee is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="messages and requests in all")
    parser.add_argument("--requests", type=int, default=25_000, help="how many of them go to the console over HTTP")
    parser.add_argument("--seed", default="2026-11-24", help="the same seed is the same flood")
    options = parser.parse_args()
    requests = min(options.requests, options.count // 10)
    started = time.monotonic()
    tally = tell_desks(options.count - requests, options.seed, os.cpu_count() or 1)
    desks_seconds = time.monotonic() - started
    answers, counts, memory_mb = flood_console(requests, options.seed)
    console_seconds = time.monotonic() - started - desks_seconds
    assert not answers.faults, answers.faults[:20]
    lines = [
        "# A flood of bad input",
        "",
        f'`make hostile ARGS="--count {options.count} --seed {options.seed}"`, {time.strftime("%Y-%m-%d")}, '
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
        + ".",
        "",
        (
            f"{tally.messages:,} messages to seven services in {desks_seconds:.0f} s, "
            f"{requests:,} requests to the console in {console_seconds:.0f} s: **{tally.messages + requests:,} in all, "
            "no crash, each with one outcome.**"
        ),
        "",
        "## Messages at the desks",
        "",
        *table(tally.outcomes),
        "",
        f"Parked, by reason: {spelled(tally.parked)}.",
        f"Raised by a decider (parked as `decide_raised`): {spelled(tally.raised) or 'none'}.",
        (
            f"{tally.records:,} records were written, read again and came out the same; the largest message to be written had "
            f"{tally.largest:,} bytes (topics take {8 << 20:,}). What is parked waits in a record, each once. Memory of a "
            f"process at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB."
        ),
        "",
        "## Requests to the console",
        "",
        *table(answers.outcomes),
        "",
        (
            f"No answer was a failure of the console's own; each problem had its words in both languages. {len(answers.taken):,} "
            f"requests were answered 202, {sum(counts.values()):,} lie on the topics: the same ones, each once. `closed`: the body "
            f"was too large, and the console hung up while it was still being sent. Memory of the console at the end {memory_mb} MB."
        ),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if options.count >= 1_000_000:
        EVIDENCE.parent.mkdir(parents=True, exist_ok=True)
        EVIDENCE.write_text(text)


def flood_console(count: int, seed: str) -> tuple[Answers, Counter[str], int]:
    """Runs the flood of requests on a broker of its own. Returns the answers, request id → how many messages the topics
    have of this request, and the console's memory in MB. Raises AssertionError if the topics lack a request that was
    answered 202, or have a request twice."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder, "kafka"), free_port())
        broker.start()
        try:
            provision(broker.bootstrap, PARTITIONS)
            with serving(broker.bootstrap, PARTITIONS, Path(folder)) as (port, process):
                answers = ask_console(count, seed, port)
                memory = Path(f"/proc/{process}/status").read_text().partition("VmRSS:")[2].split()[0]
            counts = written(broker.bootstrap, PARTITIONS)
        finally:
            broker.stop()
    unsure = sum([count for (_, status), count in answers.outcomes.items() if status == "503"])
    assert answers.taken <= set(counts) and len(counts) - len(answers.taken) <= unsure, (
        "202 is said of what the broker has"
    )
    assert not counts or max(counts.values()) == 1, "what was asked twice is one request"
    return answers, counts, int(memory) // 1024


def table(outcomes: Counter[tuple[str, str]]) -> list[str]:
    """Returns the lines of a table: kind of hostility × outcome, with sums."""
    columns = [name for name, _ in _sums(outcomes, 1).most_common()]
    rows = [name for name, _ in _sums(outcomes, 0).most_common()]
    lines = [f"| | {' | '.join(columns)} | all |", "|---|" + "--:|" * (len(columns) + 1)]
    for row in rows:
        cells = [f"{outcomes[row, column]:,}" if outcomes[row, column] else "" for column in columns]
        lines.append(f"| {row} | {' | '.join(cells)} | {sum(outcomes[row, column] for column in columns):,} |")
    sums = [f"**{sum(outcomes[row, column] for row in rows):,}**" for column in columns]
    return [*lines, f"| **all** | {' | '.join(sums)} | **{sum(outcomes.values()):,}** |"]


def spelled(counts: Counter[str]) -> str:
    """Returns `name` count, …, with the highest count first."""
    return ", ".join(f"`{name}` {count:,}" for name, count in counts.most_common())


def _sums(outcomes: Counter[tuple[str, str]], part: int) -> Counter[str]:
    sums = Counter[str]()
    for pair, count in outcomes.items():
        sums[pair[part]] += count
    return sums


if __name__ == "__main__":
    main()
