"""What do the tests stand on? A real broker, a real database, a real browser; each started once, ended by id."""

from collections.abc import Iterator

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision

PARTITIONS = 4


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this test session, on a free port."""
    running = Broker(tmp_path_factory.mktemp("kafka"), free_port())
    running.start()
    provision(running.bootstrap, PARTITIONS)
    yield running
    running.stop()
