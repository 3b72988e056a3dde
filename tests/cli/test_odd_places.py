"""If a file cannot be opened or an address is wrong, do commands say so in a sentence, and is the answer to the
gate question no?"""

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.home import of_command
from services.cli.main import app
from services.cli.port import MUST_STAY
from services.cli.settings import UpSettings
from services.cli.up import CannotStart, Up
from services.shell.loopback import is_loopback


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_HOME", str(tmp_path / "own"))


NO_ADDRESSES = ("http://[", "http://[::1", "http://a b", "http://x:port", "nothing", "", "http://\x00")


@pytest.mark.parametrize("wrong", ["text", "folder"])
@pytest.mark.parametrize("source", ["--kafka", "--http"])
def test_a_notebook_that_cannot_be_opened_is_a_no_in_a_sentence(tmp_path: Path, wrong: str, source: str) -> None:
    file = tmp_path / "port.db"
    if wrong == "text":
        file.write_text("no database " * 1000)
    else:
        file.mkdir()
    where = ["--where", "127.0.0.1:1"] if source == "--kafka" else []
    result = CliRunner().invoke(app, ["port", "ask", "CSQU3054383", source, *where, "--notebook", str(file)])
    assert result.exit_code == MUST_STAY, result.exception
    assert "stale" in result.output and "Traceback" not in result.output
    assert CliRunner().invoke(app, ["port", "follow", source, *where, "--once", "--notebook", str(file)]).exit_code == 1


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_told_in_a_sentence(address: str, tmp_path: Path) -> None:
    assert not is_loopback(address)
    paper = tmp_path / "paper.json"
    paper.write_text("{}")
    result = CliRunner().invoke(
        app, ["port", "ask", "CSQU3054383", "--http", "--where", address or " ", "--notebook", str(tmp_path / "n")]
    )
    assert (result.exit_code, type(result.exception)) == (MUST_STAY, SystemExit), result.exception
    lodged = CliRunner().invoke(app, ["declare", str(paper), "--url", address or " "])
    assert (lodged.exit_code, type(lodged.exception)) == (1, SystemExit), lodged.exception


def test_a_folder_that_cannot_be_read_serves_nobody(tmp_path: Path) -> None:
    """A folder that cannot be read may be another user's `.datongguan-demo`. The test uses a circle of links, which no
    user can read."""
    demo = tmp_path / "home-demo"
    demo.mkdir()
    os.symlink("up.lock", demo / "up.lock")
    settings = UpSettings(home=str(tmp_path / "home"))
    assert of_command(settings).home == settings.home


@pytest.mark.parametrize("days", ["3651", "4000000", "999999999999999999999"])
def test_an_authorisation_has_an_end_that_can_be_written(days: str) -> None:
    result = CliRunner().invoke(
        app, ["account", "authorise", "91310000MA1FL0B006", "91310000MA1FL0B014", "--days", days]
    )
    assert result.exit_code == 2, result.exception


@pytest.mark.parametrize(
    ("ports", "named"),
    [
        ({"worker_port": 20_490, "kafka_port": 20_492}, ("DTG_KAFKA_PORT", "DTG_WORKER_PORT (+2)")),
        ({"console_port": 20_080, "projector_port": 20_080}, ("DTG_CONSOLE_PORT", "DTG_PROJECTOR_PORT")),
    ],
)
def test_ports_that_overlap_are_told_before_anything_is_started(
    tmp_path: Path, ports: dict[str, Any], named: tuple[str, str]
) -> None:
    """In an older version, `dtg up` ended with a traceback if a worker could not get its port."""
    settings = UpSettings(home=str(tmp_path), layout="risk;gate;release;clearance", **ports)
    up = Up(settings, demo=False, speed=1, consignments=1, seed=1)
    with pytest.raises(CannotStart, match="被重复指定") as refusal:
        up._check_ports()
    assert all(name in str(refusal.value) for name in named)
