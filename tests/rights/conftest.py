"""On what do the tests of rights stand? A broker that asks everybody who he is, with the rights of a sandbox."""

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
    """The broker, and the folder with the credentials of everybody."""

    def __init__(self, folder: Path) -> None:
        self.credentials = folder / "credentials"
        make_credentials(self.credentials, RIGHTS, owner=PROVISION)
        self.broker = Broker(folder / "kafka", free_port(), owner=file_of(self.credentials, PROVISION))

    def start(self) -> None:
        self.broker.start()
        prepare(self.broker.access, self.credentials, 1, RIGHTS)

    def give(self) -> tuple[int, int]:
        """The rights of the table, after a test has changed them; how many were added and taken away."""
        return give_rights(self.broker.access, rights_of_users(self.credentials, RIGHTS))

    def access(self, name: str) -> Access:
        return Access(self.broker.bootstrap, "SASL_PLAINTEXT", file_of(self.credentials, name))

    def env(self, **more: str) -> dict[str, str]:
        """Variables of a program that signs in here."""
        return {
            **kafka_environment(self.access("door")),
            "DTG_PARTITIONS": "1",
            **more,
        }


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = Secured(tmp_path_factory.mktemp("rights"))
    made.start()
    written(made.broker.access)  # a message in each topic, so that there is something to read
    yield made
    made.broker.stop()
