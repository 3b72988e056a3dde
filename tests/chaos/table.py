"""What does the kill ledger print? It prints a table of what is promised, a table of the faults, and at the end a list
of everything that is wrong."""

import itertools
import os
import platform
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from schemas.topics import ROLES
from services.cli.ledger import Ledger
from services.cli.log import LoggedMessage
from services.shell.clock import Clock
from tests.chaos.faults import KINDS
from tests.chaos.strike import Strike

BUSY_SECONDS = 2.0
"""If a desk wrote on a partition within this many seconds before a fault, the desk should write on this partition again
soon after the fault."""
SKEWED_SECONDS = 24 * 3600
"""A fact counts as written with a stepped clock if its time differs from the time of that clock by less than this many
seconds. On the theatre's clock, they pass in six real seconds. A clock is stepped by two days or more."""
CALM_SECONDS = 30.0
"""The most seconds for which no consignment may reach its end. The time of faults does not count."""
MANY = 100
"""In a run with at least this many faults, it is a problem if a kind of fault never had an effect. In a shorter run
each kind may come only once, and its victim may already be down."""
PROMISES = {
    "lost": "**lost**",
    "doubled": "**doubled**",
    "reordered": "**reordered**",
    "causeless": "facts without a cause",
    "wrongly_released": "**released with an open hold**",
    "uncopied": "facts for ports without their copy",
    "forged": "facts and copies for ports that no desk wrote",
    "left_by_mistake": "**left by mistake**",
    "kept_by_mistake": "**kept by mistake**",
}
"""List of faults in the ledger → its row in the table. A list without a name here is printed under the name of its field."""
Flow = dict[tuple[str, int], list[float]]
"""(desk, partition) → the times at which the desk wrote something, ascending, in seconds since 1970."""


@dataclass
class Outcome:
    """The results of a run. `planned`: the kinds of faults in the plan."""

    seed: int
    consignments: int
    seconds: float
    planned: list[str]
    strikes: list[Strike]
    ledger: Ledger
    flow: Flow
    sent: int
    acknowledged: int
    missing: int
    finished: bool
    awaited: list[str]
    rows: list[str]
    metrics: list[str]
    epilogue: int
    longest_gap: float
    longest_calm_gap: float
    notes: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Returns what is wrong, with at most ten lines for each kind of error in the ledger, the rows and the metrics.
        The list is empty if everything promised was kept, every fault could be carried out, and, in a run with at least
        MANY faults, every kind of fault had an effect."""
        ledger = self.ledger
        found = [f"not finished: {dict(ledger.ends)}", *self.awaited] if not self.finished else []
        found += [f"{self.missing} acknowledged requests are not on the topics"] * bool(self.missing)
        found += ["no copy for ports was compared with its fact"] * (not ledger.copies)
        for name, lines in ledger.faults.items():
            found += [f"{name}: {line}" for line in lines[:10]]
        found += [f"rows: {line}" for line in self.rows[:10]] + [f"metrics: {line}" for line in self.metrics[:10]]
        if self.longest_calm_gap > CALM_SECONDS:
            found.append(f"for {self.longest_calm_gap:.1f} s without a fault no consignment came to its end")
        found += [f"{kind}: nothing was there that it could strike" for kind in self.in_vain()]
        found += [
            f"{strike.kind} ({', '.join(strike.victims)}): {strike.problem}"
            for strike in self.strikes
            if strike.problem
        ]
        return found + [f"{kind}: never seen to bite" for kind in self.unseen() if len(self.strikes) >= MANY]

    def in_vain(self) -> list[str]:
        """Returns the kinds of faults that never found anything to strike."""
        struck = {strike.kind for strike in self.strikes if strike.struck or strike.problem}
        return [kind for kind in self.planned if kind not in struck]

    def unseen(self) -> list[str]:
        """Returns the kinds of faults that were tried but never had an effect, for example because the victim was
        already down or had nothing to do."""
        kinds = {strike.kind for strike in self.strikes}
        return sorted(kinds - {strike.kind for strike in self.strikes if strike.evidence})

    def text(self) -> str:
        """Returns the ledger as Markdown."""
        return "\n".join([*self._head(), "", *self._promise(), "", *self._faults(), "", *self._end()]) + "\n"

    def _head(self) -> list[str]:
        versions = ", ".join(
            [f"{name} {version(name)}" for name in ("confluent-kafka", "kafka-python", "faust-streaming")]
        )
        return [
            "# The kill ledger",
            "",
            f"Written by `make chaos` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.",
            f"Seed {self.seed}: {self.consignments:,} consignments, {len(self.strikes)} faults in {self.seconds:.0f} s.",
            "",
            f"{os.cpu_count()} cores, {platform.system()} {platform.release()}; Kafka 4.3.1, Python {platform.python_version()}",
            f"({versions}); every service twice, one broker, SQLite.",
            *self.notes,
        ]

    def _promise(self) -> list[str]:
        ledger = self.ledger
        ends = ", ".join(f"{name} {count:,}" for name, count in sorted(ledger.ends.items()))
        port = ", ".join(f"{name} {count:,}" for name, count in sorted(ledger.at_port.items()))
        stays = ", ".join(f"{name} {count:,}" for name, count in sorted(ledger.stays.items()))
        rows = [
            ("requests sent", f"{self.sent:,}"),
            ("acknowledged by the broker", f"{self.acknowledged:,}"),
            ("acknowledged and not on the topics", f"{self.missing}"),
            ("consignments lodged", f"{ledger.lodged:,}"),
            ("their ends", ends),
            ("facts", f"{ledger.facts:,}"),
            ("effects at the port", port),
            ("copies for ports", f"{ledger.copies:,}"),
            ("visits of containers, as the simulator knows them", stays),
            *[(PROMISES.get(name, name), str(len(lines))) for name, lines in ledger.faults.items()],
            (
                "set aside (parked), thrown away, nonsense on fact topics",
                f"{ledger.parked}, {ledger.discarded}, {ledger.foreign}",
            ),
            ("rows against topics: differences", str(len(self.rows))),
            (f"metrics against topics over {self.epilogue} calm consignments: differences", str(len(self.metrics))),
            ("longest time in which no consignment came to its end although one could", f"{self.longest_gap:.1f} s"),
            ("the same, without the time in which some fault lasted", f"{self.longest_calm_gap:.1f} s"),
        ]
        return ["| | |", "|---|---|", *[f"| {name} | {value} |" for name, value in rows]]

    def _faults(self) -> list[str]:
        lines = [
            "| fault | struck | nothing there | bit | flows again after: median, longest (s) | for example |",
            "|---|---|---|---|---|---|",
        ]
        by_kind: dict[str, list[Strike]] = defaultdict(list)
        for strike in self.strikes:
            by_kind[strike.kind].append(strike)
        for kind in filter(by_kind.__contains__, KINDS):
            strikes = by_kind[kind]
            waits = [wait for strike in strikes if (wait := flows_again(self.flow, strike)) is not None]
            span = f"{statistics.median(waits):.1f}, {max(waits):.1f}" if waits else "-"
            evidence = [strike.evidence for strike in strikes if strike.evidence]
            struck = sum(strike.struck > 0 for strike in strikes)
            lines.append(
                f"| {kind} | {struck} | {len(strikes) - struck} | {len(evidence)} | {span} | {evidence[0] if evidence else ''} |".replace(
                    "\n", " "
                )
            )
        return lines

    def _end(self) -> list[str]:
        problems = self.problems()
        if not problems:
            bit = (
                f"all but these were seen to bite: {', '.join(self.unseen())}"
                if self.unseen()
                else "every kind of fault bit"
            )
            return [f"Nothing was lost, doubled, reordered or wrongly released; {bit}."]
        return ["## Not as it must be", "", *[f"- {line}" for line in problems]]


def flow_of(entries: Iterable[LoggedMessage]) -> Flow:
    """Returns the times at which each desk wrote something, by partition. The clearance service writes records instead
    of facts."""
    flow: Flow = defaultdict(list)
    for entry in entries:
        if entry.topic.endswith(("-facts", "-state")):
            flow[entry.desk, entry.partition].append(entry.timestamp_ms / 1000)
    for moments in flow.values():
        moments.sort()
    return flow


def flows_again(flow: Flow, strike: Strike, least: int = 1) -> float | None:
    """Returns the seconds from the fault until the last busy partition of the struck desks was written again. A
    partition is busy if its desk wrote at least `least` messages in the BUSY_SECONDS before the fault. Partitions that
    were never written again are left out. Returns None if no partition is left."""
    waits: list[float] = []
    for (desk, _), moments in flow.items():
        if desk not in strike.desks or not strike.struck:
            continue
        after = bisect_right(moments, strike.struck)
        if after >= least and after < len(moments) and strike.struck - moments[after - least] <= BUSY_SECONDS:
            waits.append(moments[after] - strike.struck)
    return max(waits, default=None)


def skewed(entries: Sequence[LoggedMessage], strike: Strike, clock: Clock) -> int:
    """Returns how many facts the struck desks wrote with the stepped clock while the fault lasted. `clock`: the clock
    of all other desks."""
    count = 0
    for entry in entries:
        moment = entry.timestamp_ms / 1000
        if not strike.struck <= moment <= strike.undone or ROLES.get(entry.topic) != "facts":
            continue
        if entry.desk in strike.desks and entry.written_by_its_desk and (sent_at := entry.headers.get("ce_time")):
            skew = (datetime.fromisoformat(sent_at) - clock.at(moment)).total_seconds()
            count += abs(skew - strike.skew) < SKEWED_SECONDS
    return count


def longest_gap(moments: Sequence[float]) -> float:
    """Returns the longest time between two successive moments, in seconds."""
    return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)


def longest_calm_gap(moments: Sequence[float], strikes: Iterable[Strike]) -> tuple[float, float]:
    """Returns the longest time between two successive moments, as the moment at which it began (seconds since 1970) and
    its seconds. Seconds during which a fault that hinders goods lasted do not count."""
    hindering = [s for s in strikes if s.struck and KINDS[s.kind].hinders]
    lasted = _union(sorted((s.struck, max(s.struck, s.undone)) for s in hindering))
    gaps = [(earlier, _uncovered(earlier, later, lasted)) for earlier, later in itertools.pairwise(moments)]
    return max(gaps, key=lambda gap: gap[1], default=(0.0, 0.0))


def _union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Joins spans that overlap. `spans` and the result are in ascending order."""
    union: list[tuple[float, float]] = []
    for start, end in spans:
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def _uncovered(earlier: float, later: float, spans: Sequence[tuple[float, float]]) -> float:
    covered = sum(max(0.0, min(later, end) - max(earlier, start)) for start, end in spans)
    return later - earlier - covered
