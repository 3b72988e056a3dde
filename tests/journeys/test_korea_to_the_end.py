"""Does every Korean declaration reach a named end, and are the counts of the simulated people equal to those of the
ledger?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.declaration import LodgeDeclaration
from schemas.envelope import request_id
from schemas.vocabulary import consignment_id
from services.cli.ledger import judge
from services.cli.log import read as read_topics
from services.shell.codec import encode
from services.simulator.day import Day
from services.simulator.korea import read
from services.simulator.player import LEAST_SPEED, Player
from services.simulator.settings import SimulatorSettings
from tests.conftest import PARTITIONS, provisioned
from tests.kafka.border import TOPICS, Border, Leaping, running
from tests.simulator.test_korea import EXCERPT, SOURCE, excerpt


@pytest.fixture(scope="module")
def clock() -> Leaping:
    """The clock of the desks and people of this file."""
    return Leaping.sandbox(LEAST_SPEED)


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory, clock: Leaping) -> Iterator[Border]:
    """A border of its own, because the tests set its clock forward."""
    with provisioned(tmp_path_factory.mktemp("korea")) as broker, running(broker.bootstrap, PARTITIONS, clock=clock):
        border = Border(broker.bootstrap, PARTITIONS, clock)
        yield border
        border.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("source", [None, pytest.param(SOURCE, marks=pytest.mark.long)] if SOURCE.exists() else [None])
def test_every_declaration_reaches_a_named_end(
    source: Path | None, border: Border, clock: Leaping, tmp_path: Path
) -> None:
    keys = set()
    for declaration in read(source or excerpt(tmp_path, *EXCERPT)):
        key = consignment_id(declaration.declarant, declaration.reference)
        keys.add(key)
        request = LodgeDeclaration(
            consignment_id=key,
            asked_by=declaration.declarant,
            occurred_at=clock.now(),
            declaration=declaration,
        )
        lodged_at = request.occurred_at.isoformat()
        border.send(
            "customs-declaration-requests", key, encode(request), request.kind, request_id("test", key), lodged_at
        )
    border.flush()
    settings = SimulatorSettings(kafka=border.bootstrap, partitions=PARTITIONS)
    day = Day(1, 1, datetime(2026, 11, 23, tzinfo=UTC))
    player = Player(settings, day, 0, 0, paced=False, idle_seconds=15, clock=clock, others=True)
    with ThreadPoolExecutor(1, "people") as thread:
        played = thread.submit(player.run)
        ended = -1
        # A treatment may take two weeks, which is long even for this fast clock. So the clock leaps by a day whenever
        # no goods have reached their end for 5 s.
        while wait([played], 5).not_done:
            if ended == (ended := player.ended()):
                clock.leaps.append(timedelta(days=1))
        played.result()
    entries = [e for e in read_topics(border.bootstrap, TOPICS) if e.key in keys]
    ledger = judge(entries)
    assert ledger.clean, (ledger.lost[:3], ledger.doubled[:3], ledger.reordered[:3], ledger.wrongly_released[:3])
    assert ledger.lodged == len(keys) == sum(ledger.ends.values())
    assert set(ledger.ends) <= {"released", "refused", "withdrawn", "rejected"}, ledger.waits
    assert ledger.ends["rejected"] == (407 if source else 2), "by cause: tests/simulator/test_korea.py"
