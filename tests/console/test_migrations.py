"""Do the migrations make exactly the tables of the read model, and remove them again?"""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import select

from schemas.vocabulary import Stage
from services.console.readmodel import database
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from tests.console.postgres import Postgres


def goes_up_and_down(url: str) -> None:
    """Migrates an empty database up, which makes the tables of `tables.py`; down, which leaves none; and
    up again."""
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


def test_the_migrations_make_exactly_the_tables_in_sqlite(tmp_path: Path) -> None:
    goes_up_and_down(f"sqlite:///{tmp_path}/console.db")


def test_the_migrations_make_exactly_the_tables_in_postgresql(postgres: Postgres) -> None:
    goes_up_and_down(postgres.database("migrations"))
