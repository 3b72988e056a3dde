"""What do workers do if an operator raises the number of partitions of a topic? The real loop runs on a
broker of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.errors import BrokerError
from deploy.kafka.topics import provision
from services.cli.processes import worker
from services.shell.layout import REFUSED_CODE
from tests.conftest import PARTITIONS as SESSION_PARTITIONS
from tests.conftest import provisioned
from tests.kafka.border import Border
from tests.waiting import wait

PARTITIONS = 2


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Border]:
    """Yields a border with a broker whose topics these tests change."""
    with provisioned(tmp_path / "kafka", PARTITIONS) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()


def test_partitions_raised_behind_its_back_end_a_worker_while_it_runs_and_when_it_starts(
    changed: Border, tmp_path: Path
) -> None:
    settings = {"DTG_KAFKA": changed.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
    child = worker("release", free_port(), tmp_path, settings)
    child.restarts = False
    child.start()
    try:
        changed.eventually(lambda: '"restored"' in child.tail(50), child)
        admin = AdminClient({"log_level": 0, "bootstrap.servers": changed.bootstrap})
        raised = admin.create_partitions([NewPartitions("customs-release-containers", PARTITIONS + 1)])
        raised["customs-release-containers"].result(30)
        changed.eventually(lambda: child.code == REFUSED_CODE, child)
        assert "customs-release-containers has 3 partitions" in child.tail(1)
        child.start()
        changed.eventually(lambda: child.code == REFUSED_CODE, child)
        assert "customs-release-containers has 3 partitions" in child.tail(1)
    finally:
        child.kill()


@pytest.mark.parametrize(
    ("name", "setting", "value", "right"),
    [
        ("customs-release-state", "cleanup.policy", "compact,delete", "cleanup.policy=compact"),
        ("customs-release-facts", "retention.ms", "604800000", "retention.ms=-1"),
        ("customs-release-facts", "cleanup.policy", "compact", "cleanup.policy=delete"),
        ("customs-release-parked", "retention.bytes", "1000000", "retention.bytes=-1"),
        ("customs-gate-facts", "compression.type", "producer", "compression.type=uncompressed"),
        ("customs-release-requests", "max.message.bytes", "1000", f"max.message.bytes={8 << 20}"),
    ],
)
def test_a_topic_that_would_lose_or_refuse_what_is_kept_is_refused_with_the_command_that_mends_it(
    broker: Broker, name: str, setting: str, value: str, right: str
) -> None:
    admin = AdminClient({"log_level": 0, "bootstrap.servers": broker.bootstrap})

    def alter(to: str) -> None:
        entry = ConfigEntry(setting, to, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(30)
        # The controller has accepted the setting. The broker shows the setting only a moment later.
        wait(lambda: admin.describe_configs([resource])[resource].result(30)[setting].value == to, f"{setting}={to}")

    alter(value)
    try:
        with pytest.raises(BrokerError, match=f"{name} has {setting}={value}.*--add-config {right}"):
            provision(broker.bootstrap, SESSION_PARTITIONS)
    finally:
        alter(right.partition("=")[2])
    assert provision(broker.bootstrap, SESSION_PARTITIONS) == []
