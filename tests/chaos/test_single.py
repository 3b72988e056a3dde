"""Does work count as standing still only if input waited? Does the program name the row whose limit is
exceeded?"""

import math
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from services.cli.log import LoggedMessage
from tests.chaos import single
from tests.chaos.silence import turns_of, waited

STRUCK = 1000.0


def entry(
    topic: str, id: str, moment: float, *, partition: int = 0, cause: str = "", key: str = "k", kind: str = ""
) -> LoggedMessage:
    source = f"/desks/{topic.split('-')[1]}"
    headers = {"ce_id": id, "causationid": cause, "ce_source": source, "ce_type": kind}
    return LoggedMessage(topic, partition, 0, key, headers, b"{}", int(moment * 1000))


def ask(id: str, moment: float, partition: int = 0) -> LoggedMessage:
    return entry("customs-inspection-requests", id, moment, partition=partition)


def answer(cause: str, moment: float, partition: int = 0) -> LoggedMessage:
    return entry("customs-inspection-facts", f"to {cause}", moment, cause=cause, partition=partition)


def silence(
    entries: list[LoggedMessage], states: tuple[LoggedMessage, ...] = (), desk: str = "inspection"
) -> float | None:
    class Struck:
        struck = STRUCK

    return waited(turns_of(entries, states), (desk,), cast(Any, Struck()))


def test_input_that_waited_counts_from_the_fault_or_from_when_it_came() -> None:
    assert silence([ask("a", 999.5), answer("a", 1006)]) == 6
    assert silence([ask("a", 1002), answer("a", 1006)]) == 4
    busy = [ask("a", 1002), ask("b", 1003, partition=1), answer("a", 1006), answer("b", 1009, partition=1)]
    assert silence(busy) == 6
    assert silence([ask("a", 1001), ask("b", 1004), answer("b", 1006), answer("a", 1006.5)]) == 5


def test_a_quiet_desk_to_which_nothing_came_is_not_silent() -> None:
    quiet = [ask("a", 990), answer("a", 990.25), ask("b", 1030), answer("b", 1030.25)]
    assert silence(quiet) == 0.25
    assert silence(quiet[:2]) is None
    assert silence(quiet, desk="quarantine") is None


def test_a_desk_that_never_comes_back_waits_for_ever_and_hides_behind_no_other_partition() -> None:
    later = ask("c", 1030, partition=1), answer("c", 1031, partition=1)
    for came in (999.5, 1002):
        assert silence([ask("a", came), *later]) == math.inf
        assert (
            silence([ask("a", came), ask("b", 1001, partition=1), answer("b", 1002, partition=1), *later]) == math.inf
        )
    accepted = entry("customs-declaration-facts", "accepted", 1001, kind="DeclarationAccepted")
    assert silence([accepted, *later], desk="risk") == math.inf
    granted = entry("customs-release-facts", "granted", 1001, kind="ReleaseGranted", key="one")
    assert silence([granted, *later], desk="clearance") == math.inf
    assert silence([ask("a", 990), ask("b", 1003), answer("b", 1006)]) == 3, "what never had an effect hinders nothing"
    assert silence([*later, ask("d", 1030.5)]) == 1, "the topics ended before it could have been answered"


def test_the_partition_is_the_inputs_and_not_the_facts() -> None:
    made = turns_of([ask("a", 1001, partition=3), answer("a", 1002, partition=1)], ())
    assert dict(made) == {("inspection", 3): [(1001, 1002)]}


def test_clearance_is_measured_by_its_states() -> None:
    granted = entry("customs-release-facts", "granted", 1001, kind="ReleaseGranted", key="one")
    states = tuple(entry("customs-clearance-state", "", moment, key="one") for moment in (980.0, 1008.0, 1020.0))
    other = entry("customs-clearance-state", "", 1002, key="two")
    assert silence([granted], (*states, other), "clearance") == 7


@pytest.mark.parametrize(
    ("waits", "named"),
    [
        ({"worker-gate-0": [8.5, 2.0, 9.0]}, "worker-gate-0: input waited 8.5 s, the limit is 8 s"),
        ({"worker-gate-0": [2.0, 3.0, 90.0]}, ""),
        ({"broker": [12.1]}, "broker: input waited 12.1 s, the limit is 12 s"),
        ({"broker": [11.9], single.EVERYTHING: [29.0]}, ""),
        ({single.EVERYTHING: [31.0]}, f"{single.EVERYTHING}: input waited 31.0 s, the limit is 30 s"),
        ({"broker": [2.0, 3.0, math.inf]}, "broker: in 1 of 3 rounds work did not go on"),
        ({"broker": [2.0, None, 3.0]}, "broker: in 1 of 3 rounds no input came that could have waited"),
        ({"broker": []}, "broker: no input came that could have waited"),
        ({}, "nothing was struck"),
    ],
)
def test_a_row_that_exceeds_its_limit_is_named_and_ends_with_2(
    waits: single.Waits,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(single, "measure", lambda *options: waits)
    monkeypatch.setattr(sys, "argv", ["single", "--keep", str(tmp_path)])
    assert single.main() == (2 if named else 0)
    assert capsys.readouterr().err.strip() == named
