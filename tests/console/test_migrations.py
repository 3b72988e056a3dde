"""Do the migrations make exactly the tables of the read model, and remove them again?"""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from schemas.vocabulary import Stage
from services.console.readmodel import database
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from tests.console.postgres import Postgres


def goes_up_and_down(url: str) -> None:
    """Migrates an empty database up, and checks that it has the tables of `tables.py`; then down, and checks that none
    of them is left; and up again."""
    migrate(url)
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.METADATA) == []
        config = Config()
        config.set_main_option("script_location", "services/console/readmodel/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert not set(connection.dialect.get_table_names(connection)) & set(t.METADATA.tables)
        database.upgrade(connection)
        seeded = {row[0] for row in connection.execute(select(t.STAGE_COUNTS))}
        assert seeded == {stage.value for stage in Stage}
    engine.dispose()


def keeps_what_waits(url: str) -> None:
    """Migrates a database in which the previous software version has noted a request. Checks that the request still
    waits for its answer."""
    engine = open_engine(url, writes=True)
    config = Config()
    config.set_main_option("script_location", "services/console/readmodel/migrations")
    for step in (command.upgrade, command.downgrade, command.upgrade):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if not connection.dialect.has_table(connection, "asked_holds"):
                command.upgrade(config, "0018")
                connection.execute(text("INSERT INTO asked_holds VALUES ('r1', 'CSQU3054383', 7)"))
            step(config, "0019" if step is command.upgrade else "0018")
            assert len(list(connection.execute(text("SELECT * FROM asked_holds")))) == 1
    with engine.begin() as connection:
        [row] = connection.execute(select(t.ASKED_HOLDS))
        assert tuple(row) == ("r1", "CSQU3054383", "CSQU3054383", 7)
    engine.dispose()


def test_a_request_that_waits_outlives_the_migration(tmp_path: Path, postgres: Postgres) -> None:
    keeps_what_waits(f"sqlite:///{tmp_path}/console.db")
    keeps_what_waits(postgres.database("waiting"))


def test_the_migrations_make_exactly_the_tables_in_sqlite(tmp_path: Path) -> None:
    goes_up_and_down(f"sqlite:///{tmp_path}/console.db")


def test_the_migrations_make_exactly_the_tables_in_postgresql(postgres: Postgres) -> None:
    goes_up_and_down(postgres.database("migrations"))
