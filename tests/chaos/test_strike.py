"""Is a fault recorded only if its victim was there? Is everything restored after the fault, even if the fault
failed?"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.kafka.progress import WaitLimit
from services.shell.access import Access
from services.shell.clock import Clock
from tests.chaos import on_processes, on_surroundings
from tests.chaos.strike import Strike
from tests.chaos.theatre import PROJECTOR, Log

NAME = "worker-release-gate-a"


class Child:
    """A process whose deaths and starts the test controls."""

    def __init__(self, log: Path) -> None:
        self.alive, self.code, self.log, self.pid, self.name = True, 0, log, None, NAME
        self.env = {"DTG_SLOT": "a"}
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)

    def kill(self) -> None:
        self.alive, self.code = False, -9


class Link:
    """A link on which nothing passes. `done`: the calls of its methods."""

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
    """The parts of a theatre that a strike uses. `absent`: at how many calls the theatre answers that the victims
    do not work yet."""

    def __init__(self, folder: Path, absent: int = 0) -> None:
        self.children = {NAME: Child(folder / "log"), PROJECTOR: Child(folder / "log")}
        (folder / "log").write_bytes(b"")
        self.proxies, self.pages, self.held = {NAME: Link()}, {NAME: "http://127.0.0.1:1"}, set[str]()
        self.questions: list[tuple[tuple[str, ...], bool]] = []
        self.broker, self.partitions = (
            SimpleNamespace(bootstrap="", access=Access("127.0.0.1:9"), process=SimpleNamespace(signals=[])),
            1,
        )
        self.broker.process.send_signal = self.broker.process.signals.append
        self.clock = Clock.sandbox(3600)
        self.absent, self.coming, self.started = absent, True, list[dict[str, str]]()

    def progress(self, what: str, *names: str, **bounds: Any) -> WaitLimit:
        return WaitLimit(what, {}, still=0.3)

    def works(self, names: tuple[str, ...], broker: bool = False) -> bool:
        self.questions.append((names, broker))
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
    assert theatre.questions == [((NAME,), False)] * 3
    theatre = Theatre(tmp_path, absent=1)
    strike_at(theatre).await_victims(False)
    assert theatre.questions == [((), True)] * 2


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
    assert theatre.questions, "it was awaited again"
    assert strike.struck and child.signals


def test_a_victim_that_stays_dead_was_not_struck(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    theatre.children[NAME].alive, theatre.children[NAME].code = False, -9
    strike = strike_at(theatre, NAME)
    with pytest.raises(TimeoutError):
        on_processes.kill(strike)
    assert not strike.struck and not strike.evidence and not theatre.children[NAME].signals


@pytest.mark.parametrize("act", ["cut_link", "slow_link", "mute_link"])
def test_a_link_on_which_nothing_passes_was_not_struck_and_is_healed(
    tmp_path: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_surroundings, "CATCH_SECONDS", 0.1)
    monkeypatch.setattr(on_surroundings, "BITE_SECONDS", 0.1)
    theatre = Theatre(tmp_path)
    strike = strike_at(theatre, NAME)
    getattr(on_surroundings, act)(strike)
    assert not strike.struck and not strike.evidence
    assert theatre.proxies[NAME].done[-1] == "heal"


def test_something_that_comes_late_is_struck(tmp_path: Path) -> None:
    looks = iter((False, False, True))
    strike = strike_at(Theatre(tmp_path), NAME)
    assert strike.hit_once(lambda: next(looks), 30) and strike.struck


def test_a_trap_strikes_with_what_falls_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_surroundings, "BITE_SECONDS", 30)
    theatre = Theatre(tmp_path)
    link = theatre.proxies[NAME]
    armed: list[float] = []

    def arm(at: int | None) -> None:
        armed.append(time.time())
        threading.Timer(0.3, lambda: vars(link).update(muted=True, swallowed=1)).start()

    monkeypatch.setattr(link, "mute", arm)
    monkeypatch.setattr(Strike, "first_logged", lambda strike, seconds, *events: "")
    strike = strike_at(theatre, NAME)
    strike.dice = cast(Any, SimpleNamespace(choice=lambda options: options[1], random=lambda: 1.0))
    on_surroundings.mute_link(strike)
    assert strike.struck > armed[0] + 0.2 and strike.evidence


@pytest.mark.parametrize("forgotten", [True, False])
def test_positions_count_as_struck_only_where_a_group_was_deleted(
    tmp_path: Path, forgotten: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_processes, "_forget", lambda bootstrap, group: forgotten)
    theatre = Theatre(tmp_path)
    strike = strike_at(theatre, NAME)
    strike.desks = ("release", "gate")
    on_processes.forget_offsets(strike)
    assert bool(strike.struck) == bool(strike.evidence) == forgotten
    assert theatre.children[NAME].alive


@pytest.mark.parametrize("held", [0, 7])
def test_a_foreign_transaction_strikes_once_it_holds_something(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [0, held]
    monkeypatch.setattr(on_surroundings, "_unreadable", lambda theatre, topic: left.pop())
    monkeypatch.setattr(on_surroundings, "_begin", lambda producer: None)
    quiet = SimpleNamespace(produce=lambda *_, **__: None, flush=lambda seconds: 0)
    monkeypatch.setattr(on_surroundings, "Producer", lambda settings: quiet)
    strike = strike_at(Theatre(tmp_path))
    on_surroundings.leave_transaction_open(strike)
    assert bool(strike.struck) == bool(strike.evidence) == bool(held)


def test_what_workers_log_while_the_broker_stands_is_no_bite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theatre = Theatre(tmp_path)
    log = theatre.children[NAME].log
    monkeypatch.setattr(on_surroundings, "EVIDENCE_SECONDS", 0.3)
    monkeypatch.setattr(time, "sleep", lambda seconds: log.write_bytes(b'{"event": "revoked"}\n'))
    strike = strike_at(theatre)
    on_surroundings.freeze_broker(strike)
    assert strike.struck and not strike.evidence
    assert theatre.broker.process.signals[-1] == signal.SIGCONT


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
    monkeypatch.setattr(Log, "logged", _fails)
    with pytest.raises(OSError, match="no log"):
        on_surroundings.fill_console_disk(strike)
    assert done == ["full", "free"]


def test_the_right_clock_comes_back_whatever_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theatre = Theatre(tmp_path)
    strike = strike_at(theatre, NAME)
    monkeypatch.setattr(on_processes, "wait_by", _fails)
    monkeypatch.setattr(Log, "logged", _fails)
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
    assert bool(strike.evidence) == bool(facts)
    assert strike.struck and abs(strike.skew) >= 86_400


def _fails(*_: object, **__: object) -> None:
    raise OSError("no log")
