"""Is anything lost, doubled, reordered or wrongly released when processes, disks, links and clocks fail? This program
prints the kill ledger.

Example: `python -m tests.chaos --consignments 20000 --faults 1000 --seconds 1800 --seed 1`. The exit code is 1 if the
ledger names a problem: for example something was lost, the rows differ from the topics, or a fault could not be carried
out.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from deploy.kafka.progress import Sign, WaitLimit
from schemas.topics import FACTS_AND_REQUESTS, PARKED, PORT_FACTS, ROLES, state_topic
from services.cli.ledger import Ledger, judge
from services.cli.log import LoggedMessage, read
from services.simulator.day import Day
from services.simulator.player import Played
from tests.chaos.counts import FactCounts, differences, lags_of, rows_against, said_by_metrics, said_by_topics
from tests.chaos.disk import Disk
from tests.chaos.evidence import keep
from tests.chaos.poison import Operator
from tests.chaos.season import Season, plan, tell
from tests.chaos.table import Outcome, flow_of, longest_calm_gap, longest_gap, skewed
from tests.chaos.theatre import BROKER, PROJECTOR, Theatre
from tests.waiting import wait_by

PARTITIONS = 4
EVIDENCE = Path(".run")
"""The folder for the messages that show a problem, relative to the folder in which the program was started."""
EPILOGUE = 100
"""The number of consignments that are lodged after the last fault. While they move, no process is killed, so metrics
and topics can be compared."""
TOPICS = [t.name for t in (*FACTS_AND_REQUESTS, *PARKED)]
FAULTY_SHARE = 0.8
"""The share of the run's seconds during which faults strike. In the other seconds the goods reach their ends."""
CONSOLE_SECONDS = 60
"""If rows and topics differ, they are compared again until there is no progress for this many seconds. Then the
difference is final."""
METRICS_SECONDS = 60
"""If metrics and topics differ, they are compared again until there is no progress for this many seconds. The topics
are read again each time, because releases may lapse meanwhile."""
STALL_SECONDS = 300
"""The run gives up if there is no progress for this many seconds after the last fault. The simulated people give up
earlier if a fact does not come."""


def main() -> int:
    """Reads the arguments, runs a day with faults and prints the ledger. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--consignments", type=int, default=20_000)
    parser.add_argument("--faults", type=int, default=250)
    parser.add_argument("--seconds", type=float, default=420, help="how long lodgements and faults last")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--write", type=Path, help="a file for the ledger")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        _own_mounts()
    # Upon SIGTERM this handler raises SystemExit. So the processes are still ended and the folders removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        outcome = play(Path(folder), options.consignments, options.faults, options.seconds, options.seed)
    text = outcome.text()
    print(text)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(text)
    return 1 if outcome.problems() else 0


def _own_mounts() -> None:
    """Starts this program again in a mount namespace of its own. Returns if the machine does not allow that. Disks that
    are mounted in the namespace are invisible to other programs, and are unmounted when the program ends."""
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
        os.execvp("unshare", [*command, sys.executable, "-m", "tests.chaos", *sys.argv[1:], "--inside"])


def play(folder: Path, consignments: int, faults: int, seconds: float, seed: int) -> Outcome:
    """Runs a day with planned faults, and an epilogue without faults. Returns the result, which is made from topics,
    rows and metrics."""
    theatre = Theatre(folder, PARTITIONS)
    disks = {
        BROKER: Disk(theatre.broker.folder, lambda: theatre.broker.process.pid if theatre.broker.process else None),
        PROJECTOR: Disk(theatre.database.parent, lambda: theatre.children[PROJECTOR].pid),
    }
    day = Day(seed, consignments, datetime(2026, 11, 23, tzinfo=UTC))
    season = Season(theatre, disks, day, seed)
    operator = Operator(theatre.access("operations"), PARTITIONS)
    began = time.monotonic()
    try:
        theatre.open()
        ends = _Ends(theatre)
        faulty = seconds * FAULTY_SHARE
        theatre.play(day, 0, consignments, consignments / faulty)
        ends.start()
        operator.start()
        planned = plan(seed, faults, faulty * 0.93)
        season.run(planned, time.monotonic() + faulty)
        assert theatre.player is not None
        tell(f"{len(season.strikes)} faults struck, {theatre.player.ended()} ended")
        played = _finish(theatre)
        tell(f"the day is over: {dict(played.ends)}")
        operator.stop()
        lasted = time.monotonic() - began
        ends.over.set()
        player = theatre.player
        assert player is not None
        calm, unended = _epilogue(theatre, day, consignments)
        # The workers end before the topics are read. A release that lapsed after the reading would be in the rows, but
        # not in `entries`.
        for name in list(theatre.proxies):
            theatre.dismiss(name)
        entries = list(read(theatre.access("auditor"), TOPICS))
        for strike in season.strikes:
            if strike.kind == "clock of a worker stepped":
                count = skewed(entries, strike, theatre.clock)
                strike.evidence = f"{strike.evidence}: {count} facts told with the wrong time" if count else ""
        ids = {entry.id for entry in entries if ROLES[entry.topic] == "requests"}
        copies = list(read(theatre.access("auditor"), [PORT_FACTS]))
        stays = day.stays(0, consignments + EPILOGUE)
        ledger = judge(entries, stays, copies, real_time=theatre.clock.wall, from_the_first=True)
        tell(f"{len(entries)} messages and {len(copies)} copies for ports judged")
        rows = _until_the_rows_agree(theatre, ledger, entries)
        states = read(theatre.access("auditor"), [state_topic("clearance")])
        gap_began, calm_gap = longest_calm_gap(ends.moments, season.strikes)
        tell(f"the longest gap began at {datetime.fromtimestamp(gap_began, UTC):%H:%M:%S}")
        outcome = Outcome(
            seed=seed,
            consignments=consignments,
            seconds=lasted,
            planned=sorted({p.kind for p in planned}),
            strikes=season.strikes,
            ledger=ledger,
            flow={**flow_of(entries), **flow_of(states)},
            sent=played.requests,
            acknowledged=len(player.acknowledged),
            missing=len(player.acknowledged - ids),
            finished=played.finished and not unended,
            awaited=[*played.awaited, *unended],
            rows=rows,
            metrics=calm,
            epilogue=EPILOGUE,
            longest_gap=longest_gap(ends.moments),
            longest_calm_gap=calm_gap,
            notes=["", f"Full disks: {disks[BROKER].how}. Clock: `DTG_CLOCK_*` of one worker."],
        )
        if problems := outcome.problems():
            kept = EVIDENCE / f"chaos-{seed}.jsonl"
            keep(kept, problems, [*entries, *copies])
            tell(f"the messages that show the problems are in {kept}")
        return outcome
    finally:
        theatre.close()
        for disk in disks.values():
            disk.close()


def _finish(theatre: Theatre) -> Played:
    """Returns the result of the day. If a consignment did not reach its end in time, the day is unfinished, and the
    ledger names the consignment."""
    try:
        return theatre.finish(STALL_SECONDS)
    except TimeoutError as stalled:
        print(stalled, file=sys.stderr)
        assert theatre.player is not None
        theatre.player.stop()
        return theatre.finish(60)


def _epilogue(theatre: Theatre, day: Day, first: int) -> tuple[list[str], list[str]]:
    """Lodges some consignments without faults. Returns two lists: how metrics and topics differ about these
    consignments and about time limits that pass meanwhile, and what the simulated people waited for in vain."""
    pages = [theatre.pages[name] for name in theatre.proxies]
    _until_quiet(theatre, pages)
    before = sum((said_by_metrics(page) for page in pages), FactCounts())
    moment_ms = time.time() * 1000
    theatre.play(day, first, first + EPILOGUE, 0)
    played = _finish(theatre)
    tell("the epilogue is over")
    found: list[str] = []

    def equal() -> bool:
        counted = sum((said_by_metrics(page) for page in pages), FactCounts()) - before
        entries = read(theatre.access("auditor"), TOPICS)
        found[:] = differences(counted, said_by_topics(entry for entry in entries if entry.timestamp_ms >= moment_ms))
        return not found

    progress = WaitLimit("metrics to be what is on the topics", {"differences": lambda: list(found)}, METRICS_SECONDS)
    # if `wait_by` times out, `found` holds the differences that are left
    with suppress(TimeoutError):
        wait_by(equal, progress, 1)
    return found, [f"after the faults: {one}" for one in played.awaited]


def _until_quiet(theatre: Theatre, pages: list[str]) -> None:
    """Waits until every worker is ready and has no lag at two successive checks, which are more than a second apart
    because a worker measures its lag once a second. Raises TimeoutError if there is no progress."""
    calm = lag = 0

    def at_rest() -> bool:
        nonlocal calm, lag
        try:
            lag = sum(each for page in pages for each in lags_of(page))
        except OSError:
            lag = -1
        calm = 0 if lag else calm + 1
        return calm == 2

    signs: dict[str, Sign] = {"lag": lambda: lag}
    wait_by(at_rest, theatre.progress("the workers to come to rest", signs=signs, still=STALL_SECONDS), 1.2)


def _until_the_rows_agree(theatre: Theatre, ledger: Ledger, entries: list[LoggedMessage]) -> list[str]:
    """Waits until the read model agrees with the topics, as long as there is progress. Returns the differences that are
    left, each of which is an error."""
    found: list[str] = []

    def agree() -> bool:
        found[:] = rows_against(theatre.database, ledger, entries)
        return not found

    progress = WaitLimit("the rows to agree", {"differences": lambda: list(found)}, CONSOLE_SECONDS)
    # if `wait_by` times out, `found` holds the differences that are left
    with suppress(TimeoutError):
        wait_by(agree, progress, 1)
    return found


class _Ends(threading.Thread):
    """Appends to `moments` each time at which a consignment reached its end. While every consignment without an end
    only waits for the clock, also appends the current time once a second, so that this wait is no gap."""

    def __init__(self, theatre: Theatre) -> None:
        super().__init__(daemon=True)
        self.moments: list[float] = []
        self.over = threading.Event()
        self._theatre = theatre

    def run(self) -> None:
        player, known = self._theatre.player, 0
        while player is not None and not self.over.wait(0.05):
            if player.ended() != known:
                known = player.ended()
                self.moments.append(time.time())
            elif self.moments and time.time() - self.moments[-1] > 1 and player.awaits_clock():
                self.moments.append(time.time())


if __name__ == "__main__":
    sys.exit(main())
