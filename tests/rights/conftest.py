"""What do the tests of rights use? A broker with authentication, and the rights of a sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.rights import give_rights, make_credentials, prepare, rights_of_users
from schemas.rights import PROVISION, table
from services.cli.processes import kafka_environment
from services.shell.access import Access, file_of
from tests.rights.walk import written

RIGHTS = table(sandbox=True)


class Secured:
    """The broker, and the folder with all credentials."""

    def __init__(self, folder: Path) -> None:
        self.credentials = folder / "credentials"
        make_credentials(self.credentials, RIGHTS, owner=PROVISION)
        self.broker = Broker(folder / "kafka", free_port(), owner=file_of(self.credentials, PROVISION))

    def start(self) -> None:
        self.broker.start()
        prepare(self.broker.access, self.credentials, 1, RIGHTS)

    def give(self) -> tuple[int, int]:
        """Restores the rights of the table; returns how many were added and removed."""
        return give_rights(self.broker.access, rights_of_users(self.credentials, RIGHTS))

    def access(self, name: str) -> Access:
        return Access(self.broker.bootstrap, "SASL_PLAINTEXT", file_of(self.credentials, name))

    def env(self, **more: str) -> dict[str, str]:
        """Environment variables for a program that signs in to this broker with the credential `door`."""
        return {
            **kafka_environment(self.access("door")),
            "DTG_PARTITIONS": "1",
            **more,
        }


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = Secured(tmp_path_factory.mktemp("rights"))
    made.start()
    # each topic gets a message, so that there is something to read
    written(made.broker.access)
    yield made
    made.broker.stop()
