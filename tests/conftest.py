"""Which brokers and desks do the tests use? They use real ones, which several tests share. They are started by fixtures
of the session, and stopped when no test of the worker needs them any more."""

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import Scheduling

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.cli.log import LoggedMessage, read
from services.shell.clock import Clock
from services.simulator.player import LEAST_SPEED, Played, Player
from services.simulator.settings import SimulatorSettings
from tests.chaos.days import CONSIGNMENTS, SEED, day, facts, keys
from tests.kafka.border import TOPICS, Border, running
from tests.schedule import Grouped, group_of

PARTITIONS = 4


def pytest_sessionstart() -> None:
    """Restores the handlers of SIGINT, SIGQUIT and SIGHUP. A shell starts background jobs with SIGINT and SIGQUIT
    ignored, and nohup starts its program with SIGHUP ignored. Every child inherits that, but tests send these signals
    to their children."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Uses the order of `tests/schedule.py` if files are distributed among workers (`--dist loadfile`)."""
    return Grouped(config, log) if config.getoption("dist") == "loadfile" else None


_LASTING: list[tuple[pytest.FixtureDef[Any], pytest.FixtureRequest]] = []
"""The session fixtures that this process has set up, in the order in which they were set up."""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    """Records each fixture of the project that would exist until the session ends."""
    made = yield
    if fixturedef.scope == "session" and fixturedef.baseid:  # fixtures of plugins have an empty `baseid`
        _LASTING.append((fixturedef, request))
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """When a worker has finished a group of files (`tests/schedule.py`), stops the brokers, consoles and browsers of
    the group, which would otherwise run until the session ends."""
    yield
    files = [each.nodeid.split("::", 1)[0] for each in (item, nextitem) if each is not None]
    if hasattr(item.config, "workerinput") and len({group_of(file) for file in files}) > 1:
        while _LASTING:
            fixturedef, request = _LASTING.pop()
            fixturedef.finish(request)  # type: ignore[arg-type]  # it is of a type that pytest does not publish


@contextmanager
def provisioned(folder: Path, partitions: int = PARTITIONS, **options: Any) -> Iterator[Broker]:
    """A new broker on a free port, with all topics and without workers. `options`: passed to the broker."""
    running = Broker(folder, free_port(), **options)
    running.start()
    try:
        provision(running.bootstrap, partitions)
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this test session."""
    with provisioned(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def border(broker: Broker) -> Iterator[Border]:
    """All desks and clearance, on the session's broker. Each test uses consignments of its own."""
    # A treatment takes hours on the clock of the desks. So this clock runs faster than real time.
    clock = Clock.sandbox(LEAST_SPEED)
    with running(broker.bootstrap, PARTITIONS, clock=clock):
        border = Border(broker.bootstrap, PARTITIONS, clock)
        yield border
        border.close()


@pytest.fixture(scope="session")
def calm_play(border: Border) -> Iterator[Future[Played]]:
    """A simulated day without faults. It runs in a thread of its own, because for half a minute it only waits for a
    fumigation."""
    settings = SimulatorSettings(kafka=border.bootstrap, partitions=PARTITIONS)
    whole = day(SEED, CONSIGNMENTS)
    player = Player(settings, whole, 0, CONSIGNMENTS, paced=False, idle_seconds=60, clock=border.clock)
    with ThreadPoolExecutor(1, "people of the calm day") as thread:
        yield thread.submit(player.run)
        player.stop()


@pytest.fixture(scope="session")
def calm_entries(border: Border, calm_play: Future[Played]) -> list[LoggedMessage]:
    """All messages about the goods of `calm_play`, after its day has ended."""
    played = calm_play.result()
    wanted = keys(day(SEED, CONSIGNMENTS))
    assert played.finished and sum(played.ends.values()) >= CONSIGNMENTS
    return [entry for entry in read(border.bootstrap, TOPICS) if entry.key in wanted]


@pytest.fixture(scope="session")
def calm_day(calm_entries: list[LoggedMessage]) -> Counter[str]:
    """How many messages of each kind the simulated day without faults has."""
    return facts(calm_entries, keys(day(SEED, CONSIGNMENTS)))
