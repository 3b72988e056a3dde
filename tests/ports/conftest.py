"""What do the tests of ports use? A broker of their own, so that doubled and wrong messages do not disturb other
tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from services.ports.notebook import Notebook
from tests.conftest import provisioned


@pytest.fixture(scope="session")
def quiet_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with every topic and no desk."""
    with provisioned(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.fixture(scope="session")
def wire(quiet_broker: Broker) -> str:
    """The bootstrap servers of `quiet_broker`."""
    return quiet_broker.bootstrap


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    made = Notebook(tmp_path / "port.db")
    yield made
    made.close()
