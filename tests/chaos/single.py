"""How long does work stand after one fault on a calm machine? Each worker killed, the broker killed, everything killed.

`python -m tests.chaos.single`: a border in the layout of `dtg up`, goods at a steady rate, one fault at a time, and from the
times of the topics how long every partition of the struck desks was silent.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from schemas.topics import FACTS_AND_REQUESTS
from services.cli.log import read
from services.cli.settings import UpSettings
from services.simulator.day import Day
from tests.bench.stories import fill, stories
from tests.chaos.on_processes import kill
from tests.chaos.on_surroundings import kill_broker
from tests.chaos.season import tell
from tests.chaos.strike import Strike
from tests.chaos.table import flow_of, flows_again
from tests.chaos.theatre import BROKER, CONSOLE, PROJECTOR, Theatre

PARTITIONS = 4
RATE = 40.0
BETWEEN_SECONDS = 12.0
"""Between two faults: longer than the longest that one of them is allowed to last."""
SLOT = "0"


def main() -> int:
    """Strikes each victim `--rounds` times and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.single", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a victim's name")
    parser.add_argument("--seconds", type=float, default=BETWEEN_SECONDS, help="between two faults")
    parser.add_argument(
        "--live", type=int, default=0, help="live goods at release, gate and clearance before the first fault"
    )
    parser.add_argument("--keep", type=Path, help="a folder that stays, with the logs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="single-", ignore_cleanup_errors=True) as folder:
        for line in measure(options.keep or Path(folder), options.rounds, options.only, options.seconds, options.live):
            print(line, flush=True)
    return 0


def measure(folder: Path, rounds: int, only: str, seconds: float, live: int) -> list[str]:
    """One line for each victim: the median and the longest silence in seconds."""
    layout = tuple([(desks, SLOT) for desks in UpSettings().workers()])
    theatre = Theatre(folder, PARTITIONS, layout, session_seconds=None)
    strikes: list[tuple[str, Strike]] = []
    try:
        theatre.open(lambda bootstrap: _fill(bootstrap, live))
        workers = tuple(theatre.doors)
        victims: dict[str, tuple[tuple[str, ...], Callable[[Strike], None]]] = {
            name: ((name,), kill) for name in workers
        }
        victims["broker"] = ((), kill_broker)
        victims["all workers, the console and the projector"] = ((*workers, CONSOLE, PROJECTOR), kill)
        victims["everything, the broker too"] = ((*workers, CONSOLE, PROJECTOR), kill_everything)
        chosen = {name: plan for name, plan in victims.items() if only in name}
        count = int(RATE * (seconds * (len(chosen) * rounds + 2)))
        theatre.play(Day(1, count, datetime(2026, 11, 23, tzinfo=UTC)), 0, count, RATE)
        theatre.wait_until_ended(int(RATE * 2), 120)
        for number in range(rounds):
            for name, (names, act) in chosen.items():
                strike = Strike(name, theatre, names, Random(number), {}, f"{name}-{number}", dict)
                strike.desks = _desks(theatre, names or workers)
                act(strike)
                tell(f"{name} {strike.seen}")
                strikes.append((name, strike))
                time.sleep(seconds)
        theatre.player.stop() if theatre.player else None
        topics = [t.name for t in FACTS_AND_REQUESTS] + ["customs-clearance-state"]
        flow = flow_of(read(theatre.broker.bootstrap, topics))
    finally:
        theatre.close()
    lines = ["| struck | times | silent: median, longest (s) |", "|---|---|---|"]
    for name in chosen:
        waits = [
            wait for struck, strike in strikes if struck == name and (wait := flows_again(flow, strike)) is not None
        ]
        span = f"{statistics.median(waits):.1f}, {max(waits):.1f}" if waits else "-"
        lines.append(f"| {name} | {len(waits)} | {span} |")
    return lines


def kill_everything(strike: Strike) -> None:
    """SIGKILL to the broker and to every process at one moment; all are started again at once, as a supervisor does."""
    theatre, children = strike.theatre, [strike.child(name) for name in strike.victims]
    with theatre.hands_off(BROKER, *strike.victims):
        theatre.broker.kill()
        for child in children:
            child.signal(signal.SIGKILL)
        strike.hit()
        for child in children:
            child.kill()
            theatre.start(child)
        theatre.start_broker()
        strike.heal()


def _fill(bootstrap: str, live: int) -> None:
    at = datetime.now(UTC)
    for desk in ("release", "gate", "clearance") if live else ():
        for _ in fill(bootstrap, desk, stories(desk, 7, at), live, at):
            pass
        tell(f"{live} live goods at {desk}")


def _desks(theatre: Theatre, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({desk for name in names for desk in theatre.desks.get(name, ())}))


if __name__ == "__main__":
    sys.exit(main())
