"""Is the plan of faults the same for the same seed, does it contain every kind, and does each kind find a victim?"""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.topics import SERVICES
from tests.chaos.faults import KINDS
from tests.chaos.season import Planned, Season, plan, says_facts
from tests.chaos.strike import Strike
from tests.chaos.theatre import TWINS


def test_a_plan_has_each_kind_once_and_is_the_same_for_the_same_seed() -> None:
    planned = plan(7, len(KINDS) + 20, 100)
    assert {p.kind for p in planned[: len(KINDS)]} == set(KINDS)
    assert planned == plan(7, len(KINDS) + 20, 100) != plan(8, len(KINDS) + 20, 100)
    assert [p.due for p in planned] == sorted(p.due for p in planned) and planned[-1].due < 100


def test_kinds_that_need_goods_come_first() -> None:
    need = sum(kind.goods for kind in KINDS.values())
    assert need and all(KINDS[p.kind].goods for p in plan(7, len(KINDS), 100)[:need])


def season(coming: bool = True) -> Season:
    names = {f"worker-{desks.replace(',', '-')}-{slot}": tuple(desks.split(",")) for desks, slot in TWINS}
    theatre = SimpleNamespace(proxies=names, desks=names, goods_come=lambda: coming, children={})
    return Season(cast(Any, theatre), {}, cast(Any, None), 1)


def test_only_a_clock_by_which_facts_are_said_is_stepped() -> None:
    assert {desk for desk in SERVICES if not says_facts([desk])} == {"clearance"}
    made = season()
    for _ in range(20):
        chosen = made._workers(KINDS["clock of a worker stepped"])
        assert chosen is not None and "clearance" not in chosen[0]


class _Once:
    """The function of a kind of fault. At the first call it finds nothing to strike."""

    def __init__(self) -> None:
        self.times = 0
        self.struck = threading.Event()

    def __call__(self, strike: Strike) -> None:
        self.times += 1
        if self.times > 1:
            strike.hit()
            self.struck.set()


@pytest.mark.timeout(60)
def test_a_kind_that_found_nothing_comes_again_while_goods_come(monkeypatch: pytest.MonkeyPatch) -> None:
    for coming, times in ((True, 2), (False, 1)):
        act = _Once()
        monkeypatch.setitem(
            KINDS, "console killed", SimpleNamespace(act=act, others=(), workers=0, twins=False, says=False)
        )
        monkeypatch.setattr(Strike, "await_victims", lambda strike, broker: None)
        made = season(coming)
        made.run([Planned("console killed", 0, "salt")], 10**9)
        assert act.times == times and sum(bool(s.struck) for s in made.strikes) == times - 1
