"""Does a simulated day on which processes are killed end with the same facts as a day without faults?"""

from collections import Counter
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from schemas.topics import SERVICES
from services.cli.ledger import audit
from services.cli.log import read
from services.cli.processes import Child, worker
from tests.chaos.days import CONSIGNMENTS, SEED, day, facts, keys, lodged_again
from tests.chaos.strike import ASSIGNED
from tests.chaos.theatre import BROKER, Log, Theatre
from tests.conftest import PARTITIONS
from tests.kafka.border import TOPICS
from tests.waiting import leave

LAYOUT = tuple([(service, "0") for service in SERVICES])
"""Each service has one process, so no other process can take over its partitions."""


# `calm_play` starts the calm day. So the calm day goes on while this test waits for the treatments of its own day.
@pytest.mark.usefixtures("calm_play")
@pytest.mark.timeout(600)
def test_a_day_on_which_every_service_and_the_broker_are_killed_ends_like_a_calm_one(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    theatre = Theatre(tmp_path, PARTITIONS, LAYOUT, console=False)
    try:
        theatre.open()
        victims = (*theatre.children, BROKER)
        theatre.play(day(SEED, CONSIGNMENTS), 0, CONSIGNMENTS, CONSIGNMENTS / 40)
        step = CONSIGNMENTS // (len(victims) + 2)
        for number, name in enumerate(victims, start=1):
            theatre.wait_until_ended(number * step, 120)
            with theatre.hands_off(name):
                if name == BROKER:
                    theatre.broker.kill()
                    theatre.start_broker()
                else:
                    theatre.children[name].kill()
                    theatre.start(theatre.children[name])
        played = theatre.finish(240)
        assert played.finished, played
        entries = list(read(theatre.access("auditor"), TOPICS))
        broken_day = facts(entries, keys(day(SEED, CONSIGNMENTS)))
        calm_day: Counter[str] = request.getfixturevalue("calm_day")
        assert broken_day - calm_day == Counter() and calm_day - broken_day == Counter()
        ledger = audit(theatre.access("auditor"), day(SEED, CONSIGNMENTS).stays(0, CONSIGNMENTS))
        assert ledger.clean, ledger
        assert ledger.lodged == CONSIGNMENTS + lodged_again(entries)
    finally:
        theatre.close()


def test_a_worker_asked_to_stop_leaves_with_code_0(calm_day: Counter[str], tmp_path: Path, broker: Broker) -> None:
    env = {"DTG_KAFKA": broker.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
    child: Child = worker("clearance", free_port(), tmp_path, env, slot="polite")
    child.restarts = False
    log = Log(child)
    child.start()
    log.wait(ASSIGNED)
    assert leave(child) == 0, child.tail(30)
