"""Does a fault count as struck only once what it strikes is there, and is everything right again after it, whatever failed?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.kafka.progress import Progress
from tests.chaos import on_processes, on_surroundings
from tests.chaos.strike import Strike
from tests.chaos.theatre import PROJECTOR, Log

NAME = "worker-release-gate-a"


class Child:
    """A process that dies and starts as it is told."""

    def __init__(self, log: Path) -> None:
        self.alive, self.code, self.log, self.pid, self.name = True, 0, log, None, NAME
        self.env = {"DTG_SLOT": "a"}
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)

    def kill(self) -> None:
        self.alive, self.code = False, -9


class Door:
    """A link on which nothing passes; what is done to it."""

    cuts = delayed = swallowed = 0
    muted = False

    def __init__(self) -> None:
        self.done: list[str] = []

    def cut(self) -> None:
        self.done.append("cut")

    def slow(self, seconds: float) -> None:
        self.done.append("slow")

    def mute(self, at: int | None) -> None:
        self.done.append("mute")

    def heal(self) -> None:
        self.done.append("heal")


class Theatre:
    """As much of a theatre as a strike asks for; `absent`: how many looks it takes until the victims work."""

    def __init__(self, folder: Path, absent: int = 0) -> None:
        self.children = {NAME: Child(folder / "log"), PROJECTOR: Child(folder / "log")}
        (folder / "log").write_bytes(b"")
        self.doors, self.pages, self.held = {NAME: Door()}, {NAME: "http://127.0.0.1:1"}, set[str]()
        self.asked: list[tuple[tuple[str, ...], bool]] = []
        self.absent, self.coming, self.started = absent, True, list[dict[str, str]]()

    def progress(self, what: str, *names: str, **bounds: Any) -> Progress:
        return Progress(what, {}, still=0.3)

    def works(self, names: tuple[str, ...], broker: bool = False) -> bool:
        self.asked.append((names, broker))
        self.absent -= 1
        return self.absent < 0

    def alive(self, names: tuple[str, ...], broker: bool = False) -> bool:
        assert set(names) <= self.held, "the supervisor may end or start it meanwhile"
        return all(self.children[name].alive for name in names)

    def goods_come(self) -> bool:
        return self.coming

    def start(self, child: Child) -> None:
        self.started.append(child.env)
        child.alive = True

    @contextmanager
    def hands_off(self, *names: str) -> Iterator[None]:
        self.held |= set(names)
        try:
            yield
        finally:
            self.held -= set(names)


def strike_at(theatre: Theatre, *victims: str) -> Strike:
    return Strike("kind", cast(Any, theatre), victims, Random(1), {}, "salt", dict)


def test_victims_are_waited_for_and_a_fault_on_topics_waits_for_the_broker(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path, absent=2)
    strike_at(theatre, NAME).await_victims(False)
    assert theatre.asked == [((NAME,), False)] * 3
    theatre = Theatre(tmp_path, absent=1)
    strike_at(theatre).await_victims(False)
    assert theatre.asked == [((), True)] * 2


def test_victims_that_do_not_come_back_end_the_wait(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match=NAME):
        strike_at(Theatre(tmp_path, absent=10**9), NAME).await_victims(False)


def test_a_victim_that_died_by_itself_is_struck_only_once_it_is_back(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    child = theatre.children[NAME]
    child.alive = False
    threading.Timer(0.2, setattr, (child, "alive", True)).start()
    strike = strike_at(theatre, NAME)
    on_processes.kill(strike)
    assert theatre.asked, "it was awaited again"
    assert strike.struck and child.signals


def test_a_victim_that_stays_dead_was_not_struck(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    theatre.children[NAME].alive, theatre.children[NAME].code = False, -9
    strike = strike_at(theatre, NAME)
    with pytest.raises(TimeoutError):
        on_processes.kill(strike)
    assert not strike.struck and not strike.seen and not theatre.children[NAME].signals


@pytest.mark.parametrize("act", ["cut_link", "slow_link", "mute_link"])
def test_a_link_on_which_nothing_passes_was_not_struck_and_is_healed(
    tmp_path: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_surroundings, "CATCH_SECONDS", 0.1)
    monkeypatch.setattr(on_surroundings, "BITE_SECONDS", 0.1)
    theatre = Theatre(tmp_path)
    strike = strike_at(theatre, NAME)
    getattr(on_surroundings, act)(strike)
    assert not strike.struck and not strike.seen
    assert theatre.doors[NAME].done[-1] == "heal"


def test_something_that_comes_late_is_struck(tmp_path: Path) -> None:
    looks = iter((False, False, True))
    strike = strike_at(Theatre(tmp_path), NAME)
    assert strike.hit_once(lambda: next(looks), 30) and strike.struck


@pytest.mark.parametrize("act", ["fill_console_disk", "lock_database"])
def test_the_read_model_is_struck_only_while_goods_come(tmp_path: Path, act: str) -> None:
    theatre = Theatre(tmp_path)
    theatre.coming = False
    strike = strike_at(theatre, PROJECTOR)
    getattr(on_surroundings, act)(strike)
    assert not strike.struck and not strike.problem


def test_a_disk_has_room_again_whatever_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    strike = strike_at(Theatre(tmp_path), PROJECTOR)
    disk = SimpleNamespace(fill=lambda: done.append("full"), free=lambda: done.append("free"), how="")
    strike.disks = {PROJECTOR: cast(Any, disk)}
    monkeypatch.setattr(Log, "said", _fails)
    with pytest.raises(OSError, match="no log"):
        on_surroundings.fill_console_disk(strike)
    assert done == ["full", "free"]


def test_the_right_clock_comes_back_whatever_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theatre = Theatre(tmp_path)
    strike = strike_at(theatre, NAME)
    monkeypatch.setattr(on_processes, "wait_for", _fails)
    monkeypatch.setattr(Log, "said", _fails)
    with pytest.raises(OSError, match="no log"):
        on_processes.step_clock(strike)
    wrong, right = theatre.started
    assert "DTG_CLOCK_START" in wrong and right == theatre.children[NAME].env == {"DTG_SLOT": "a"}


@pytest.mark.parametrize("facts", [0, 3])
def test_a_stepped_clock_bites_only_once_facts_were_said_by_it(
    tmp_path: Path, facts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_processes, "said_by_metrics", lambda page: {("release", "ReleaseGranted"): facts})
    strike = strike_at(Theatre(tmp_path), NAME)
    on_processes.step_clock(strike)
    assert bool(strike.seen) == bool(facts)
    assert strike.struck and abs(strike.skew) >= 3600


def _fails(*_: object, **__: object) -> None:
    raise OSError("no log")
