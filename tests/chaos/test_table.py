"""Does the ledger count a standstill only where no fault lasted?"""

from dataclasses import dataclass
from typing import Any, cast

from tests.chaos.table import longest_calm_gap, longest_gap


@dataclass
class Struck:
    struck: float
    undone: float


def calm(moments: list[float], *spans: tuple[float, float]) -> float:
    return longest_calm_gap(moments, cast(Any, [Struck(*span) for span in spans]))


def test_the_time_in_which_a_fault_lasted_is_taken_from_a_gap() -> None:
    moments = [0.0, 50.0, 60.0]
    assert longest_gap(moments) == 50
    assert calm(moments) == 50
    assert calm(moments, (10.0, 40.0)) == 20
    assert calm(moments, (10.0, 30.0), (20.0, 45.0), (-5.0, 1.0)) == 14
    assert calm(moments, (100.0, 200.0)) == 50


def test_a_fault_that_never_struck_takes_nothing() -> None:
    assert calm([0.0, 50.0], (0.0, 40.0)) == 50
