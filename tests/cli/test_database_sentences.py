"""If the database cannot be opened, read or written, does every command that uses it say in one sentence what to
do?"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.cli.settings import UpSettings
from services.console.readmodel import database
from services.console.readmodel.database import migrate, open_engine, reached
from services.console.readmodel.errors import NoDatabase

Dtg = Callable[..., tuple[int, str]]
COMMANDS = (("rebuild",), ("account", "list"), ("account", "add", "clerk", "--role", "inspector"), ("key", "list"))
SECRET = "hidden-word"
commands = pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)


def one_sentence(result: tuple[int, str], *expected: str) -> None:
    code, text = result
    assert code == 1 and "Traceback" not in text and SECRET not in text, text
    assert all(each in text for each in expected), text


@commands
def test_one_that_another_program_writes(
    home: Path, dtg: Dtg, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    migrate(UpSettings().read_model())
    other = sqlite3.connect(home / "console.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        one_sentence(dtg(*arguments), str(home / "console.db"), "locked", "稍后再试")
    finally:
        other.close()


@commands
def test_one_that_does_not_answer(
    home: Path, dtg: Dtg, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DTG_DATABASE_URL", f"postgresql://clerk:{SECRET}@127.0.0.1:{free_port()}/rows")
    one_sentence(dtg(*arguments), "查询库无法打开", "DTG_DATABASE_URL")


@commands
@pytest.mark.parametrize(
    "url", ["nonsense", f"mysql://u:{SECRET}@h/x", f"postgresql://u:{SECRET}@h:port/x", f"{SECRET}://"]
)
def test_an_address_that_is_none(
    home: Path, dtg: Dtg, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], url: str
) -> None:
    monkeypatch.setenv("DTG_DATABASE_URL", url)
    one_sentence(dtg(*arguments), "数据库地址有误", "sqlite:///")


@commands
def test_one_of_a_newer_program(home: Path, dtg: Dtg, arguments: tuple[str, ...]) -> None:
    url = UpSettings().read_model()
    migrate(url)
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999_of_the_future'")
    engine.dispose()
    one_sentence(dtg(*arguments), "0999_of_the_future", "更新版本")


@commands
def test_one_of_which_a_table_is_gone(home: Path, dtg: Dtg, arguments: tuple[str, ...]) -> None:
    url = UpSettings().read_model()
    migrate(url)
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        for table in ("accounts", "api_keys", "turns"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()
    one_sentence(dtg(*arguments), "no such table", "查询库无法打开")


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/console.db"
    engine = open_engine(url, writes=True)

    def fill() -> None:
        with reached(url), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 2")
            connection.exec_driver_sql("CREATE TABLE t (x)")
            connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")

    with pytest.raises(NoDatabase, match=r"disk is full.*磁盘已满"):
        fill()
    engine.dispose()


@pytest.mark.parametrize("program", ["console", "projector"])
def test_a_program_that_lasts_says_so_too(tmp_path: Path, program: str) -> None:
    url = f"mysql://u:{SECRET}@h/x"
    env = {**os.environ, "DTG_DATABASE_URL": url, "DTG_HOME": str(tmp_path), "COLUMNS": "1000"}
    command = [sys.executable, "-m", "services.cli.main", program]
    ended = subprocess.run(command, check=False, env=env, capture_output=True, text=True, encoding="utf-8", timeout=250)
    one_sentence((ended.returncode, ended.stdout + ended.stderr), "数据库地址有误")
