"""Does the program run in a folder with any name? If it cannot, does it say so before it fetches or starts
anything?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka import places
from deploy.kafka.broker import Broker, free_port
from deploy.kafka.errors import BrokerError
from deploy.kafka.jars import JARS, wanted
from deploy.kafka.java import java
from services.cli.settings import UpSettings
from services.cli.up import Up
from services.console.readmodel.database import migrate, open_engine

ROOT = Path(__file__).parents[2]
WORKS = ("大通关 数据", "a;b,c", "*", "a%41%b", "#a?b", "!a!b", "a\\b", "${x}$y'z\"`w`", "@a=b&c", "[a]{b}~")
"""Names of folders. Each has several characters that are special for a shell, Make, Java, Kafka or SQLAlchemy."""
CANNOT = ("a:b", "end!", "a\nb", "a\tb", "a\u2028b")


def is_java_there(folder: Path) -> bool:
    """Returns whether Java can load classes from this folder. The function copies Kafka's classes into the folder and
    runs the tool of Kafka that prints a random id."""
    folder.mkdir(parents=True)
    names = [path.rpartition("/")[2] for path in wanted()]
    for name in names:
        shutil.copy(JARS / name, folder)
    shutil.copy(ROOT / "deploy" / "kafka" / "log4j2.xml", folder)
    command = [java(), f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').as_uri()}"]
    command += [
        "-cp",
        os.pathsep.join([str(folder / name) for name in names]),
        "kafka.tools.StorageTool",
        "random-uuid",
    ]
    result = subprocess.run(command, check=False, capture_output=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    return result.returncode == 0 and b"ERROR" not in result.stdout + result.stderr


def test_java_runs_from_folders_of_whatever_name_but_those_that_are_refused(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*WORKS)
    assert not places.why_not(folder)
    assert is_java_there(folder / "jars")


@pytest.mark.parametrize("name", CANNOT[:2])
def test_from_these_it_does_not_run(tmp_path: Path, name: str) -> None:
    """The program refuses these names, and Java indeed cannot run in such a folder. If a later version of Java can,
    this test fails, and the name must not be refused any more."""
    assert places.why_not(tmp_path / name) and not is_java_there(tmp_path / name / "jars")


@pytest.mark.parametrize("name", CANNOT)
def test_the_set_up_says_so_before_anything_is_fetched(tmp_path: Path, name: str) -> None:
    checkout = tmp_path / name
    (checkout / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", checkout)
    shutil.copy(ROOT / "deploy" / "setup.sh", checkout / "deploy")
    (checkout / "deploy" / "__init__.py").touch()
    shutil.copytree(ROOT / "deploy" / "kafka", checkout / "deploy" / "kafka", ignore=shutil.ignore_patterns("jars"))
    command = ["make", "setup", f"PYTHON={sys.executable}"]
    result = subprocess.run(command, check=False, cwd=checkout, capture_output=True, text=True, encoding="utf-8")
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert result.returncode != 0 and len(lines) == 1 and "程序所在路径" in lines[0], result
    assert not (checkout / ".tools").exists()


def test_the_supervisor_and_the_broker_say_so_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places.refuse, "__defaults__", (tmp_path / "a:b",))
    home = tmp_path / "home"
    up = Up(UpSettings(home=str(home), kafka_port=free_port()), demo=False, speed=1, consignments=1, seed=1)
    with pytest.raises(BrokerError, match="程序所在路径"):
        up.run()
    with pytest.raises(BrokerError, match="程序所在路径"):
        Broker(home, free_port()).start()
    assert not home.exists()


@pytest.mark.parametrize("name", [*WORKS, *CANNOT])
def test_the_data_lies_in_folders_of_whatever_name(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    settings = UpSettings(home=str(home))
    migrate(settings.read_model())
    engine = open_engine(settings.read_model())
    with engine.begin() as connection:
        file = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    engine.dispose()
    assert Path(file) == home / "console.db" and [each.name[:10] for each in home.iterdir()].count("console.db") >= 1
    broker = Broker(home / "kafka", free_port())
    handed = [*broker._properties().values(), *broker._command(java(), "kafka.Kafka", "server.properties")]
    assert not any(str(tmp_path) in each for each in handed), "Java is told of it by relative names only"


@pytest.mark.parametrize("name", [*WORKS, *CANNOT])
def test_make_hands_its_folder_on_as_it_is(tmp_path: Path, name: str) -> None:
    checkout, file = tmp_path / name, tmp_path / "written"
    for folder in ("deploy", ".venv/bin"):
        (checkout / folder).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", checkout)
    programs = {
        "deploy/setup.sh": "",
        "deploy/debian.sh": "",
        ".venv/bin/python": 'printf %s "$PYTHONPYCACHEPREFIX" > "$WRITTEN"',
    }
    for program, text in programs.items():
        (checkout / program).write_text(f"#!/bin/sh\n{text}\n")
        (checkout / program).chmod(0o755)
    made = subprocess.run(
        ["make", "test", "ARGS=x"],
        check=False,
        cwd=checkout,
        capture_output=True,
        env=os.environ | {"WRITTEN": str(file)},
    )
    assert made.returncode == 0, made.stderr
    assert Path(file.read_text()) == checkout / ".run" / "bytecode"
