"""How do tests ask a console over HTTP without a broker? Its server runs, and the test writes the rows itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.kafka.broker import free_port
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.progress import ProjectorStanding
from services.console.readmodel.store import Store
from services.console.settings import ConsoleSettings
from tests.console.conftest import Running
from tests.people import admit
from tests.waiting import wait

LONG_SECONDS = 3600.0


class Quiet(Running):
    """A console without a broker. Its rows say that a projector in another process has read every message."""

    def start(self) -> None:
        admit(self.settings.database_url)
        self.thread.start()
        wait(lambda: self.server.started, "the server to start")
        store = Store(open_engine(self.settings.database_url, writes=True), 1)
        store.positions(())

        def is_current() -> bool:
            at = datetime.now(UTC)
            store.write_standing(lambda: ProjectorStanding(at, 0.0, 0, "", at, 0.0))
            return self.app.state.context.standing().as_of is not None

        wait(is_current, "the console to see the standing")
        store.engine.dispose()

    def run(self, *statements: Any) -> None:
        """Writes rows with these SQL statements."""
        engine = open_engine(self.settings.database_url, writes=True)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)
        engine.dispose()


@contextmanager
def quiet(folder: Path) -> Iterator[Quiet]:
    settings = ConsoleSettings(
        kafka=f"127.0.0.1:{free_port()}",
        database_url=f"sqlite:///{folder}/console.db",
        console_port=free_port(),
        projector="own",
        gate_stale_seconds=LONG_SECONDS,
        key_seconds=0,
    )
    migrate(settings.database_url)
    running = Quiet(settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()
