"""What does a port's test stand on? A broker of its own: what is said twice or wrongly there is nobody else's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.ports.notebook import Notebook
from tests.conftest import PARTITIONS


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a broker with every topic and no desk."""
    running = Broker(tmp_path_factory.mktemp("wire"), free_port())
    running.start()
    provision(running.bootstrap, PARTITIONS)
    yield running.bootstrap
    running.stop()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    made = Notebook(tmp_path / "port.db")
    yield made
    made.close()
