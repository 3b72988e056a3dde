"""What do workers do when somebody raises the partitions of a topic? The real loop on a broker of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.cli.processes import worker
from services.shell.layout import REFUSED_CODE
from tests.kafka.border import Border

PARTITIONS = 2


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Border]:
    """A broker whose topics are changed here."""
    broker = Broker(tmp_path / "kafka", free_port())
    broker.start()
    provision(broker.bootstrap, PARTITIONS)
    border = Border(broker.bootstrap, PARTITIONS)
    yield border
    border.close()
    broker.stop()


def test_partitions_raised_behind_its_back_end_a_worker_while_it_runs_and_when_it_starts(
    changed: Border, tmp_path: Path
) -> None:
    settings = {"DTG_KAFKA": changed.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
    child = worker("release", free_port(), tmp_path, settings)
    child.restarts = False
    child.start()
    try:
        changed.eventually(lambda: '"restored"' in child.tail(50), 90)
        admin = AdminClient({"bootstrap.servers": changed.bootstrap})
        raised = admin.create_partitions([NewPartitions("customs-release-containers", PARTITIONS + 1)])
        raised["customs-release-containers"].result(30)
        changed.eventually(lambda: child.code == REFUSED_CODE, 90)
        assert "customs-release-containers has 3 partitions" in child.tail(1)
        child.start()
        changed.eventually(lambda: child.code == REFUSED_CODE, 90)
        assert "customs-release-containers has 3 partitions" in child.tail(1)
    finally:
        child.kill()
