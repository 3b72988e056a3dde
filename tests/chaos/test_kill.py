"""Whatever dies during a simulated day: does it end with the same facts as a day that nothing disturbed?"""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from schemas.topics import SERVICES
from services.cli.ledger import audit
from services.cli.log import read
from services.cli.processes import Child, stop_all, worker
from services.simulator.player import Played, Player
from services.simulator.settings import SimulatorSettings
from tests.chaos.days import CONSIGNMENTS, SEED, day, facts, keys
from tests.conftest import PARTITIONS
from tests.kafka.border import TOPICS

LAYOUT = SERVICES
"""Each service in a process of its own."""


class Theatre:
    """A cluster of real processes, a player on it, and somebody with a gun."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder / "kafka", free_port())
        self.broker.start()
        provision(self.broker.bootstrap, PARTITIONS)
        env = {
            "DTG_KAFKA": self.broker.bootstrap,
            "DTG_PARTITIONS": str(PARTITIONS),
            "DTG_SESSION_TIMEOUT_MS": "2000",
        }
        self.children = {name: worker(name, free_port(), folder, env) for name in LAYOUT}
        for child in self.children.values():
            child.start()
        settings = SimulatorSettings(kafka=self.broker.bootstrap, partitions=PARTITIONS)
        self.player = Player(
            settings, day(SEED, CONSIGNMENTS), 0, CONSIGNMENTS, paced=False, idle_seconds=90, rate=CONSIGNMENTS / 40
        )
        self.played: Played | None = None
        self._thread = threading.Thread(target=self._play)

    def _play(self) -> None:
        self.played = self.player.run()

    def start(self) -> None:
        self._thread.start()

    def wait_until_ended(self, count: int, seconds: float = 120) -> None:
        """Until this many consignments have their end, or the day is over."""
        deadline = time.monotonic() + seconds
        while self.player.ended() < count and self._thread.is_alive():
            for child in self.children.values():
                child.watch()
            if time.monotonic() > deadline:
                tails = "\n".join(f"--- {c.name} {c.code}\n{c.tail()}" for c in self.children.values())
                raise AssertionError(f"{self.player.ended()} of {count} ended within {seconds} s\n{tails}")
            time.sleep(0.05)

    def finish(self) -> Played:
        self.wait_until_ended(10**9, 240)
        self._thread.join(60)
        assert self.played is not None
        return self.played

    def close(self) -> None:
        self.player.stop()
        if self._thread.is_alive():
            self._thread.join(60)
        stop_all(list(self.children.values()), 10)
        self.broker.stop()


@pytest.mark.timeout(600)
def test_a_day_on_which_every_service_and_the_broker_are_killed_ends_like_a_calm_one(
    calm_day: Counter[str], tmp_path: Path
) -> None:
    theatre = Theatre(tmp_path)
    victims = (*SERVICES, "broker")
    try:
        theatre.start()
        step = CONSIGNMENTS // (len(victims) + 2)
        for number, name in enumerate(victims, start=1):
            theatre.wait_until_ended(number * step)
            if name == "broker":
                theatre.broker.kill()
                theatre.broker.start()
            else:
                theatre.children[name].kill()
                theatre.children[name].start()
        played = theatre.finish()
        assert played.finished, played
        entries = list(read(theatre.broker.bootstrap, TOPICS))
        broken_day = facts(entries, keys(day(SEED, CONSIGNMENTS)))
        assert broken_day - calm_day == Counter() and calm_day - broken_day == Counter()
        ledger = audit(theatre.broker.bootstrap)
        assert ledger.clean, ledger
        assert ledger.lodged == CONSIGNMENTS
    finally:
        theatre.close()


def test_a_worker_asked_to_stop_leaves_with_code_0(calm_day: Counter[str], tmp_path: Path, broker: Broker) -> None:
    env = {"DTG_KAFKA": broker.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
    child: Child = worker("clearance", free_port(), tmp_path, env, slot="polite")
    child.start()
    deadline = time.monotonic() + 60
    while "assigned" not in child.tail(50) and time.monotonic() < deadline:
        time.sleep(0.1)
    child.restarts = False
    child.terminate()
    child.join(time.monotonic() + 15)
    assert child.code == 0, child.tail(30)
