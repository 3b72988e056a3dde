"""A border with every desk on it, shared by the tests of this folder; each test has consignments of its own."""

from collections.abc import Iterator

import pytest

from deploy.kafka.broker import Broker
from tests.conftest import PARTITIONS
from tests.kafka.border import Border, running


@pytest.fixture(scope="session")
def border(broker: Broker) -> Iterator[Border]:
    """Every desk and clearance, on the session's broker."""
    with running(broker.bootstrap, PARTITIONS):
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()
