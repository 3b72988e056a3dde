"""Does the ledger count a standstill only while there is no fault, and a fault only if it struck?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.cli.ledger import Ledger
from services.cli.log import LoggedMessage
from services.shell.clock import Clock
from tests.chaos.faults import KINDS
from tests.chaos.table import PROMISES, Outcome, longest_calm_gap, longest_gap, skewed

DAY = 86_400.0
CLOCK = Clock(1_000_000.0, datetime(2026, 11, 23, tzinfo=UTC).timestamp(), 3600)
"""A sandbox clock. At the real time 1,000,000 s, when the facts below are written, it shows the start of 2026-11-23."""


@dataclass
class Struck:
    """The parts of a strike that the table uses."""

    struck: float
    undone: float
    kind: str = "worker killed"
    evidence: str = ""
    problem: str = ""
    desks: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    skew: float = 0.0


def calm(moments: list[float], *spans: tuple[float, float], kind: str = "worker killed") -> float:
    return longest_calm_gap(moments, cast(Any, [Struck(*span, kind) for span in spans]))[1]


def test_the_time_in_which_a_fault_lasted_is_taken_from_a_gap() -> None:
    moments = [0.0, 50.0, 60.0]
    assert longest_gap(moments) == 50
    assert calm(moments) == 50
    assert calm(moments, (10.0, 40.0)) == 20
    assert calm(moments, (10.0, 30.0), (20.0, 45.0), (-5.0, 1.0)) == 14
    assert calm(moments, (100.0, 200.0)) == 50


def test_a_fault_that_never_struck_takes_nothing() -> None:
    assert calm([0.0, 50.0], (0.0, 40.0)) == 50


def test_a_fault_of_the_read_model_excuses_no_standstill() -> None:
    moments = [0.0, 50.0]
    excused = {kind for kind in KINDS if calm(moments, (10.0, 40.0), kind=kind) < 50}
    assert set(KINDS) - excused == {
        "console killed",
        "projector killed",
        "disk of the read model full",
        "database of the console locked",
    }


def outcome(strikes: Sequence[Struck], planned: Sequence[str]) -> Outcome:
    ledger = Ledger(copies=1)
    return Outcome(
        seed=1,
        consignments=0,
        seconds=0,
        planned=list(planned),
        strikes=cast(Any, list(strikes)),
        ledger=ledger,
        flow={},
        sent=0,
        acknowledged=0,
        missing=0,
        finished=True,
        awaited=[],
        rows=[],
        metrics=[],
        epilogue=0,
        longest_gap=0,
        longest_calm_gap=0,
    )


@pytest.mark.parametrize("strikes", [[], [Struck(0, 5, "link mute")]])
def test_a_kind_that_struck_nowhere_is_a_problem(strikes: list[Struck]) -> None:
    made = outcome(strikes, ["link mute"])
    assert made.problems() == ["link mute: nothing was there that it could strike"]
    assert not outcome([*strikes, Struck(3, 5, "link mute")], ["link mute"]).problems()


def test_a_run_in_which_no_copy_for_ports_was_compared_is_a_problem() -> None:
    made = outcome([], [])
    made.ledger.copies = 0
    assert made.problems() == ["no copy for ports was compared with its fact"]


LISTS = [each.name for each in fields(Ledger) if isinstance(getattr(Ledger(), each.name), list)]


@pytest.mark.parametrize("name", [name for name in LISTS if name != "strangers"])
def test_every_kind_of_fault_of_the_ledger_is_a_problem_and_has_a_row(name: str) -> None:
    made = outcome([], [])
    assert made.problems() == [] and made.ledger.clean
    getattr(made.ledger, name).extend(["the first line", "the second line"])
    assert made.problems() == [f"{name}: the first line", f"{name}: the second line"] and not made.ledger.clean
    assert f"| {PROMISES[name]} | 2 |" in made.text()


def test_what_struck_and_what_found_nothing_are_counted_apart() -> None:
    text = outcome([Struck(0, 5, "link mute"), Struck(3, 5, "link mute", "held")], ["link mute"]).text()
    assert "| link mute | 1 | 1 | 1 |" in text


def fact(topic: str, skew: float, source: str = "/desks/release", moment: float = 1_000_000.0) -> LoggedMessage:
    sent_at = (CLOCK.at(moment) + timedelta(seconds=skew)).isoformat()
    return LoggedMessage(topic, 0, 0, "key", {"ce_time": sent_at, "ce_source": source}, b"{}", int(moment * 1000))


def test_only_facts_by_the_clock_that_was_stepped_count_as_its_bite() -> None:
    strike = cast(Any, Struck(999_990.0, 1_000_010.0, desks=("release",), skew=7 * DAY))
    assert skewed([fact("customs-release-facts", 7 * DAY + 60)], strike, CLOCK) == 1
    assert skewed([fact("customs-release-containers", 7 * DAY)], strike, CLOCK) == 1
    other = [
        fact("customs-release-facts", 0),
        fact("customs-release-facts", -7 * DAY),
        fact("customs-release-facts", 8 * DAY),
        fact("customs-release-facts", 7 * DAY, "/chaos/poison"),
        fact("customs-release-parked", 7 * DAY),
        fact("customs-gate-facts", 7 * DAY, "/desks/gate"),
        fact("customs-release-facts", 7 * DAY, moment=1_000_020.0),
    ]
    assert [skewed([entry], strike, CLOCK) for entry in other] == [0] * len(other)
