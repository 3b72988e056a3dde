"""Is the plan of faults the same for the same seed, and is every kind in it?"""

from tests.chaos.faults import KINDS
from tests.chaos.season import plan


def test_a_plan_has_each_kind_once_and_is_the_same_for_the_same_seed() -> None:
    planned = plan(7, len(KINDS) + 20, 100)
    assert {p.kind for p in planned[: len(KINDS)]} == set(KINDS)
    assert planned == plan(7, len(KINDS) + 20, 100) != plan(8, len(KINDS) + 20, 100)
    assert [p.due for p in planned] == sorted(p.due for p in planned) and planned[-1].due < 100
