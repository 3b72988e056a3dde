"""How long does work stand still after one fault on a calm machine? Each worker is killed, then the broker, then
everything.

`python -m tests.chaos.single` starts a border in the layout of `dtg up`, lodges goods at a steady rate, and causes one
fault at a time. From the times on the topics it computes how long input waited at any partition of the struck desks.
The exit code is 2 if the median of a row exceeds its limit, if work did not go on in a round, or if no
input was there that could have waited.
"""

import argparse
import math
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from schemas.topics import FACTS_AND_REQUESTS, state_topic
from services.cli.bench.quick import machine, versions
from services.cli.log import read
from services.cli.settings import UpSettings
from services.shell.access import Access
from services.simulator.day import Day
from tests.bench.stories import fill, stories
from tests.chaos.on_processes import kill
from tests.chaos.on_surroundings import kill_broker
from tests.chaos.season import tell
from tests.chaos.silence import SILENT_DESK, turns_of, waited
from tests.chaos.strike import Strike
from tests.chaos.theatre import BROKER, CONSOLE, PROJECTOR, Theatre

PARTITIONS = 4
RATE = 40.0
BETWEEN_SECONDS = 12.0
"""How many seconds lie between two faults. If the limit of the earlier fault is longer, its limit is used."""
ALL, EVERYTHING = "all workers, the console and the projector", "everything, the broker too"
LIMITS = {BROKER: 12.0, ALL: 30.0, EVERYTHING: 30.0}
WORKER_LIMIT = 8.0
"""After the fault of a worker on an idle machine, work may stand still for this many seconds, in the median."""
SLOT = "0"
Waits = dict[str, list[float | None]]
"""Victim → for how many seconds input waited, in each round: None if no input came, `math.inf` if work never went on."""

EVIDENCE = Path("docs/evidence/single-faults.md")
TEXT = """# A single fault on a calm machine

Made by `make single-faults ARGS="--live 100000 --write"`, {day}. {where}; one broker, every desk once, {live} live goods each at the release, gate
and clearance desks, {rounds} rounds.

{table}

The victims get SIGKILL and are started again as a supervisor does it. A wait is the longest time that input stood at one partition
of a struck desk: from the fault, or from when the input came if that was later, until the first of what waited had its effect.
"""


def main() -> int:
    """Strikes each victim `--rounds` times and prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.single", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a victim's name")
    parser.add_argument("--seconds", type=float, default=BETWEEN_SECONDS, help="between two faults")
    parser.add_argument(
        "--live", type=int, default=0, help="live goods at release, gate and clearance before the first fault"
    )
    parser.add_argument("--keep", type=Path, help="a folder that stays, with the logs")
    parser.add_argument("--write", action="store_true", help=f"write {EVIDENCE.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="single-", ignore_cleanup_errors=True) as folder:
        waits = measure(options.keep or Path(folder), options.rounds, options.only, options.seconds, options.live)
    rows = table(waits)
    print(*rows, sep="\n", flush=True)
    if options.write:
        report = {"where": f"{machine()}, {versions()}", "live": f"{options.live:,}", "rounds": options.rounds}
        EVIDENCE.write_text(TEXT.format(day=f"{datetime.now(UTC):%Y-%m-%d}", table="\n".join(rows), **report))
    exceeded = problems(waits)
    for line in exceeded:
        print(line, file=sys.stderr)
    return 2 if exceeded else 0


def limit_of(name: str) -> float:
    """Returns the most seconds for which work may stand still after a fault of this victim, in the median."""
    return LIMITS.get(name, WORKER_LIMIT)


def table(waits: Waits) -> list[str]:
    """Returns one line for each victim: the median and the longest time for which input waited, and the limit of the
    median."""
    lines = ["| struck | times | input waited: median, longest (s) | limit (s) |", "|---|---|---|---|"]
    for name, rounds in waits.items():
        seconds = [wait for wait in rounds if wait is not None]
        span = f"{statistics.median(seconds):.1f}, {max(seconds):.1f}" if seconds else "-"
        lines.append(f"| {name} | {len(seconds)} | {span} | {limit_of(name):.0f} |")
    return lines


def problems(waits: Waits) -> list[str]:
    """Returns one line for each row whose median exceeds the limit, and for each row with a round in which work did not
    go on or no input came."""
    found = [] if waits else ["nothing was struck"]
    for name, rounds in waits.items():
        seconds = [wait for wait in rounds if wait is not None]
        if not rounds:
            found.append(f"{name}: no input came that could have waited")
        elif len(seconds) < len(rounds):
            unmeasured = len(rounds) - len(seconds)
            found.append(f"{name}: in {unmeasured} of {len(rounds)} rounds no input came that could have waited")
        elif math.inf in seconds:
            found.append(f"{name}: in {seconds.count(math.inf)} of {len(rounds)} rounds work did not go on")
        elif (median := statistics.median(seconds)) > limit_of(name):
            found.append(f"{name}: input waited {median:.1f} s, the limit is {limit_of(name):.0f} s")
    return found


def measure(folder: Path, rounds: int, only: str, seconds: float, live: int) -> Waits:
    """Returns for each victim how long input waited at the struck desks, in each round."""
    layout = tuple([(desks, SLOT) for desks in UpSettings().workers()])
    theatre = Theatre(folder, PARTITIONS, layout, session_seconds=None)
    strikes: list[tuple[str, Strike]] = []
    try:
        theatre.open(lambda access: _fill(access, live))
        workers = tuple(theatre.proxies)
        victims: dict[str, tuple[tuple[str, ...], Callable[[Strike], None]]] = {
            name: ((name,), kill) for name in workers
        }
        victims["broker"] = ((), kill_broker)
        victims[ALL] = ((*workers, CONSOLE, PROJECTOR), kill)
        victims[EVERYTHING] = ((*workers, CONSOLE, PROJECTOR), kill_everything)
        chosen = {name: plan for name, plan in victims.items() if only in name}
        pauses = {name: max(seconds, limit_of(name)) for name in chosen}
        count = int(RATE * (2 * sum(pauses.values()) * rounds + 2 * seconds))
        theatre.play(Day(1, count, datetime(2026, 11, 23, tzinfo=UTC)), 0, count, RATE)
        theatre.wait_until_ended(int(RATE * 2), 120)
        for number in range(rounds):
            for name, (names, act) in chosen.items():
                strike = Strike(name, theatre, names, Random(number), {}, f"{name}-{number}", dict)
                strike.desks = _desks(theatre, names or workers)
                act(strike)
                tell(f"{name} {strike.evidence}")
                strikes.append((name, strike))
                time.sleep(pauses[name])
        theatre.player.stop() if theatre.player else None
        auditor = theatre.access("auditor")
        entries = list(read(auditor, [t.name for t in FACTS_AND_REQUESTS]))
        turns = turns_of(entries, read(auditor, [state_topic(SILENT_DESK)]))
    finally:
        theatre.close()
    waits: Waits = {name: [] for name in chosen}
    for name, strike in strikes:
        waits[name].append(waited(turns, strike.desks, strike) if strike.struck else None)
    return waits


def kill_everything(strike: Strike) -> None:
    """Kills the broker and all processes with SIGKILL at the same moment, and at once starts them again, as a
    supervisor does."""
    theatre, children = strike.theatre, [strike.child(name) for name in strike.victims]
    with strike.hold(broker=True):
        theatre.broker.kill()
        for child in children:
            child.signal(signal.SIGKILL)
        strike.hit()
        for child in children:
            child.kill()
            theatre.start(child)
        theatre.start_broker()
        strike.heal()


def _fill(access: Access, live: int) -> None:
    at = datetime.now(UTC)
    for desk in ("release", "gate", "clearance") if live else ():
        for _ in fill(access, desk, stories(desk, 7, at), live, at):
            pass
        tell(f"{live} live goods at {desk}")


def _desks(theatre: Theatre, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({desk for name in names for desk in theatre.desks.get(name, ())}))


if __name__ == "__main__":
    sys.exit(main())
