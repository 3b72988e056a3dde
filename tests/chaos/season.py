"""When does which fault strike which victim? A plan is made from the seed. Several faults may last at the same time,
but never two on one victim."""

import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from schemas.flow import FLOW
from services.simulator.day import Day
from tests.chaos.disk import Disk
from tests.chaos.faults import KINDS, Kind
from tests.chaos.strike import Strike
from tests.chaos.theatre import BROKER, Theatre

AT_ONCE = 6
"""The most faults that last at the same time. The number is limited so that some processes can work."""
FLIGHT_SECONDS = 900
"""If a fault has not ended this many seconds after the season, that is a problem. Each wait within a fault has a
shorter limit."""
AHEAD = 40
"""Poison is written for goods that are lodged later: their index is at least this much higher than that of the
consignment that is lodged next."""


def tell(text: str) -> None:
    """Prints a line for the person who watches the run."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Planned:
    """A planned fault of the kind `kind`. `due`: when it is due, in seconds from the start. `salt`: a text that makes
    its random numbers and keys different from those of other faults."""

    kind: str
    due: float
    salt: str


def plan(seed: int, faults: int, seconds: float) -> list[Planned]:
    """Returns a plan of faults that are spread evenly over the time. First each kind is planned once (if `faults` is
    large enough), in random order, with the kinds that need goods before the others. Further kinds are then chosen by
    weight."""
    dice = Random(f"{seed}/faults")
    names = list(KINDS)
    dice.shuffle(names)
    # Kinds of faults that need goods come first. They must strike before the last goods are lodged.
    names.sort(key=lambda name: not KINDS[name].goods)
    names += dice.choices(list(KINDS), [kind.weight for kind in KINDS.values()], k=max(0, faults - len(names)))
    return [
        Planned(name, seconds * (number + 0.5) / faults, f"{seed}-{number}")
        for number, name in enumerate(names[:faults])
    ]


class Season:
    """Carries out a plan on a theatre. `strikes`: the faults until now, in the order in which they were started."""

    def __init__(self, theatre: Theatre, disks: dict[str, Disk], day: Day, seed: int) -> None:
        self.theatre, self.disks, self.day = theatre, disks, day
        self.strikes: list[Strike] = []
        self._dice = Random(f"{seed}/victims")
        self._struck: Counter[str] = Counter()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._flying: list[tuple[Strike, threading.Thread]] = []

    def run(self, planned: list[Planned], until: float) -> None:
        """Strikes each fault when it is due and its victims are free. After the monotonic time `until`, strikes only
        kinds that have not struck yet.

        If a kind found nothing to strike, it is tried again as long as goods are lodged.
        """
        began = time.monotonic()
        left = list(planned)
        while left or (self._flying and self.theatre.goods_come()):
            self._flying = [(strike, thread) for strike, thread in self._flying if thread.is_alive()]
            if time.monotonic() > until:
                there = self._there()
                left = [p for p in left if p.kind not in there]
            left = self._again(planned, left) + left
            due = [p for p in left[:20] if p.due <= time.monotonic() - began]
            if len(self._flying) >= AT_ONCE:
                due = []
            chosen = next((pair for p in due if (pair := self._seize(p)) is not None), None)
            if chosen is None:
                time.sleep(0.05)
                continue
            left.remove(chosen[0])
            self._fly(*chosen)
        end = time.monotonic() + FLIGHT_SECONDS
        for strike, thread in self._flying:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                strike.problem = f"after the season, it did not come to its end within {FLIGHT_SECONDS} s"

    def _again(self, planned: list[Planned], left: list[Planned]) -> list[Planned]:
        """Returns one fault of each kind that is not in `left` and has not struck anything yet. Returns no fault if
        no more goods are lodged."""
        if not self.theatre.goods_come():
            return []
        away = self._there() | {p.kind for p in left}
        first = {p.kind: p for p in reversed(planned) if p.kind not in away}
        return [replace(p, salt=f"{p.salt}-{len(self.strikes)}") for p in first.values()]

    def _there(self) -> set[str]:
        """Returns the kinds that have struck, are running now, or have failed."""
        flying = {strike.kind for strike, _ in self._flying}
        return flying | {strike.kind for strike in self.strikes if strike.struck or strike.problem}

    def _seize(self, planned: Planned) -> tuple[Planned, tuple[str, ...]] | None:
        kind = KINDS[planned.kind]
        with self._lock:
            if self._busy & set(kind.others):
                return None
            workers = self._workers(kind)
            if workers is None:
                return None
            victims = (*workers, *kind.others)
            self._busy |= set(victims)
            return planned, victims

    def _workers(self, kind: Kind) -> tuple[str, ...] | None:
        """Returns the free workers that were struck least often; None if too few are free."""
        names = [name for name in self.theatre.proxies if name not in self._busy]
        if kind.says:
            names = [name for name in names if says_facts(self.theatre.desks[name])]
        self._dice.shuffle(names)
        names.sort(key=self._struck.__getitem__)
        if kind.twins:
            pairs = [(name, twin) for name in names if (twin := _twin(name)) in names]
            if not pairs:
                return None
            names = list(pairs[0])
        if len(names) < kind.workers:
            return None
        chosen = tuple(names[: kind.workers])
        self._struck.update(chosen)
        return chosen

    def _release(self, victims: tuple[str, ...]) -> None:
        with self._lock:
            self._busy -= set(victims)

    def _fly(self, planned: Planned, victims: tuple[str, ...]) -> None:
        processes = tuple(name for name in victims if name in self.theatre.children)
        strike = Strike(
            planned.kind, self.theatre, processes, Random(planned.salt), self.disks, planned.salt, self._live_keys
        )
        strike.desks = tuple(desk for name in processes for desk in self.theatre.desks.get(name, (name,)))
        if BROKER in victims:
            strike.desks = tuple(sorted({desk for desks in self.theatre.desks.values() for desk in desks}))
        self.strikes.append(strike)

        tell(f"{planned.kind} {' '.join(processes)}")

        def run() -> None:
            try:
                strike.await_victims(BROKER in victims)
                KINDS[planned.kind].act(strike)
            except Exception:
                strike.problem = traceback.format_exc(limit=6)
            finally:
                strike.undone = strike.undone or time.time()
                self._release(victims)

        thread = threading.Thread(target=run, name=planned.kind)
        self._flying.append((strike, thread))
        thread.start()

    def _live_keys(self) -> dict[str, str]:
        """Returns the keys of a consignment that will soon be lodged, and of its container, which contains no other
        consignment. Returns no keys if there is none."""
        player = self.theatre.player
        assert player is not None and player.last is not None
        for index in range(player.next + AHEAD, player.last):
            planned = self.day.plan(index)
            boxes = planned.declaration.containers
            if boxes and boxes[0].shared_by == 1:
                return {"consignment": planned.consignment_id, "container": boxes[0].container_no}
        return {}


def says_facts(desks: Iterable[str]) -> bool:
    """Returns whether any of these desks publishes facts. Only the service clearance publishes none."""
    return any(fact_kinds for desk in desks for fact_kinds in FLOW[desk].values())


def _twin(name: str) -> str:
    return name[:-1] + ("b" if name.endswith("a") else "a")
