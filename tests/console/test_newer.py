"""What is printed if an older version of the program is started on the database of a newer version?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.errors import NewerDatabase
from services.console.readmodel.tables import METADATA

NEWER = "0999_of_the_future"


def written_by_a_newer_version(url: str) -> None:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{NEWER}'")
    engine.dispose()


def test_a_newer_database_is_named_and_left_as_it_is(url: str) -> None:
    written_by_a_newer_version(url)
    with pytest.raises(NewerDatabase, match=NEWER) as problem:
        migrate(url)
    assert "DTG_DATABASE_URL" in str(problem.value) and "更新版本" in str(problem.value)
    engine = open_engine(url)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == NEWER
        assert METADATA.tables.keys() <= set(engine.dialect.get_table_names(connection))
    engine.dispose()


@pytest.mark.parametrize("command", ["console", "projector", "rebuild"])
def test_a_command_says_it_in_one_sentence(tmp_path: Path, command: str) -> None:
    url = f"sqlite:///{tmp_path}/[red] rows/console.db"
    migrate(url)
    written_by_a_newer_version(url)
    env = {**os.environ, "DTG_DATABASE_URL": url, "DTG_KAFKA": "127.0.0.1:9", "COLUMNS": "1000"}
    program = [sys.executable, "-m", "services.cli.main", command]
    ended = subprocess.run(program, check=False, env=env, capture_output=True, text=True, encoding="utf-8")
    assert ended.returncode == 1, ended
    assert len(ended.stderr.strip().splitlines()) == 1 and "[red] rows/console.db was written" in ended.stderr, ended
