"""If a setting is wrong, does every program that reads it say so in a sentence in both languages?"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.cli.settings import UpSettings
from services.console.settings import ConsoleSettings
from services.shell.layout import REFUSED_CODE, CannotContinue
from services.shell.settings import WorkerSettings, unusable
from services.simulator.settings import SimulatorSettings
from services.worker import desks

DTG = (str(Path(sys.executable).with_name("dtg")),)
WORKER = (sys.executable, "-m", "faust", "-A", "services.worker", "worker")
FUTURE = {"DTG_CLOCK_ANCHOR": "2026-11-23T00:00:00Z", "DTG_CLOCK_START": "2999-01-01T00:00:00Z"}


def output_of(program: tuple[str, ...], folder: Path, **settings: str) -> tuple[int, str]:
    """Runs the program, and returns the exit code and the output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DTG_")}
    ended = subprocess.run(
        program,
        env={**clean, "DTG_HOME": str(folder / "home"), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(
    ("program", "settings", "sentence", "code"),
    [
        (("codes", "offices", "4227"), {"DTG_CLOCK_SPEED": "fast"}, "DTG_CLOCK_SPEED: Input should be", 1),
        (("--help",), {"DTG_CLOCK_ANCHOR": "yesterday"}, "DTG_CLOCK_ANCHOR: Input should be", 1),
        (("codes", "offices", "4227"), FUTURE, "the clock says 32472", 1),
        (("parked", "list"), {"DTG_KAFKA": "a b:c:d"}, "DTG_KAFKA: 'a b:c:d' is no host:port", 1),
        (("up",), {"DTG_LAYOUT": "declaration,rist;gate"}, "DTG_LAYOUT: names 'rist'; the services are declaration", 1),
        (("declare", "docs/declaration.json"), {"DTG_API_KEY_FILE": "/nowhere"}, "`dtg key add <account> --file", 1),
    ],
)
def test_a_command_says_which_setting_cannot_be_used(
    program: tuple[str, ...], settings: dict[str, str], sentence: str, code: int, tmp_path: Path
) -> None:
    ended, output = output_of((*DTG, *program), tmp_path, **settings)
    assert (ended, "Traceback" in output) == (code, False), output
    assert sentence in " ".join(output.split()) and re.search(r"[\u4e00-\u9fff]", output), output


@pytest.mark.parametrize(
    ("settings", "sentence", "code"),
    [
        ({"DTG_DESKS": "gate,rist"}, "DTG_DESKS names rist; the services are declaration", REFUSED_CODE),
        ({"DTG_BATCH": "0"}, "DTG_BATCH: Input should be greater than or equal to 1", REFUSED_CODE),
        ({"DTG_CLOCK_START": "soon"}, "DTG_CLOCK_START: Input should be a valid datetime", 1),
    ],
)
def test_a_worker_says_which_setting_cannot_be_used(
    settings: dict[str, str], sentence: str, code: int, tmp_path: Path
) -> None:
    ended, output = output_of(WORKER, tmp_path, **settings)
    assert (ended, "Traceback" in output) == (code, False), output
    assert sentence in output and re.search(r"[\u4e00-\u9fff]|\\u[4-9]", output), output


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (UpSettings, {"kafka": "one:9092,two:99999"}, "DTG_KAFKA: 'two:99999' is no host:port[,host:port]"),
        (UpSettings, {"layout": " ; "}, "DTG_LAYOUT: names no service; the services are declaration"),
        (ConsoleSettings, {"kafka": "http://broker"}, "DTG_KAFKA: 'http://broker' is no host:port"),
        (WorkerSettings, {"kafka": "broker:0"}, "DTG_KAFKA: 'broker:0' is no host:port"),
        (SimulatorSettings, {"kafka": ""}, "DTG_KAFKA: '' is no host:port"),
    ],
)
def test_every_program_reads_a_setting_alike(kind: Any, settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        kind(**settings)
    assert sentence in unusable(wrong.value)


@pytest.mark.parametrize("names", [(), ("gate", "rist")])
def test_a_worker_hosts_services_alone(names: tuple[str, ...]) -> None:
    with pytest.raises(CannotContinue, match="the services are declaration"):
        desks(names)


@pytest.mark.parametrize(
    "servers", ["broker", "broker:9092", "a:1,b:65535", " a:1 , b:2", "[::1]:9092", "10.0.0.1:9092"]
)
def test_every_address_of_a_cluster_is_taken(servers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_KAFKA", servers)
    assert UpSettings().kafka == WorkerSettings().kafka == servers
    monkeypatch.setenv("DTG_KAFKA", "")
    assert UpSettings().bootstrap() == "127.0.0.1:9092", "the embedded broker"
