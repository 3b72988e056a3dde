"""Is real data never mixed with a demo's data, and does every command work on the folder that is in use?"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka.broker import Broker
from services.cli import main, port
from services.cli.home import InUse, clock_of, in_use, of_command, of_demo
from services.cli.settings import UpSettings
from tests.conftest import PARTITIONS


def up(home: Path, *arguments: str) -> str:
    """Runs `dtg up` on this folder, and returns what it writes to stderr. `dtg up` ends before it starts anything,
    because a port is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {**os.environ, "DTG_HOME": str(home), "DTG_CONSOLE_PORT": str(taken.getsockname()[1]), "COLUMNS": "400"}
        program = [sys.executable, "-m", "services.cli.main", "up", *arguments]
        ended = subprocess.run(program, check=False, env=env, capture_output=True, text=True, encoding="utf-8")
    assert ended.returncode == 1, ended
    return ended.stderr


def test_a_demo_leaves_the_folder_of_the_real_data_alone(tmp_path: Path) -> None:
    home, demo = tmp_path / "home", tmp_path / "home-demo"
    assert "is taken" in up(home, "--demo")
    assert demo.exists() and not home.exists()
    (demo / "clock.json").write_text('{"now": "2099-01-01T00:00:00+00:00"}')
    # `dtg up` checks the clock before it checks the ports. If the next command ends because of the ports, the clock of
    # the demo did not stop it.
    assert "is taken" in up(home)
    assert home.stat().st_mode & 0o777 == demo.stat().st_mode & 0o777 == 0o700
    assert "is taken" in up(home, "--demo", "--afresh")
    (aside,) = tmp_path.glob("home-demo-*")
    assert (aside / "clock.json").exists() and list(home.iterdir())


@pytest.mark.parametrize(
    "left", ["", "{}", "[]", '{"now": 7}', '{"now": "soon"}', '{"now": "2026-11-27T08:00:00"}', "\0"]
)
def test_a_demo_whose_clock_cannot_be_read_says_what_to_do_before_anything_is_started(
    tmp_path: Path, left: str
) -> None:
    (tmp_path / "home-demo").mkdir()
    (tmp_path / "home-demo" / "clock.json").write_text(left)
    output = up(tmp_path / "home", "--demo")
    assert "clock.json" in output and "dtg up --demo --afresh" in output and "Traceback" not in output


def test_a_demo_goes_on_where_its_data_is_already(tmp_path: Path) -> None:
    with_old_demo = UpSettings(home=str(tmp_path))
    (tmp_path / "clock.json").write_text("{}")
    assert of_demo(with_old_demo) == with_old_demo
    elsewhere = UpSettings(home=str(tmp_path / "new"), kafka="kafka:9092")
    assert of_demo(elsewhere) == elsewhere


@pytest.mark.parametrize("given", ["x", "x/", "./x", ".", "..", "../x", "/a/数据 1"])
def test_a_demos_folder_is_never_that_of_the_real_data_nor_in_it(given: str) -> None:
    home = Path(given).resolve()
    demo = Path(of_demo(UpSettings(home=given)).home).resolve()
    assert demo == home.with_name(f"{home.name}-demo")


def test_a_command_works_on_the_folder_of_the_dtg_up_that_serves_its_cluster(tmp_path: Path) -> None:
    ours = UpSettings(home=str(tmp_path / "home"), kafka_port=20001)
    demo = of_demo(ours)
    assert of_command(ours) == ours
    Path(demo.home).mkdir()
    with in_use(Path(demo.home), demo.bootstrap()):
        assert of_command(ours) == demo
        other_cluster = ours.model_copy(update={"kafka_port": 20002})
        assert of_command(other_cluster) == other_cluster
        with pytest.raises(InUse, match="Another `dtg up`"), in_use(Path(demo.home), ""):
            pass
        assert of_command(ours) == demo
    assert of_command(ours) == ours


def test_rebuild_and_the_ports_notebook_write_into_the_demos_folder_while_it_runs(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DTG_KAFKA_PORT", str(broker.port))
    monkeypatch.setenv("DTG_KAFKA_SECURITY", "PLAINTEXT")  # the broker of the test session has no authentication
    monkeypatch.setenv("DTG_PARTITIONS", str(PARTITIONS))
    demo = of_demo(UpSettings())
    Path(demo.home).mkdir()
    with in_use(Path(demo.home), broker.bootstrap):
        main.rebuild()
        port.follow(once=True)
    made = {file.name for file in Path(demo.home).iterdir()}
    assert {"console.db", "port-followed-kafka.db"} <= made and not (tmp_path / "home").exists()


def test_people_of_a_running_demo_go_by_its_clock(tmp_path: Path) -> None:
    settings = UpSettings(home=str(tmp_path / "data"), kafka_port=20002)
    demo = Path(of_demo(settings).home)
    demo.mkdir()
    runs = {"anchor": "2026-11-28T12:00:00+00:00", "start": "2027-01-01T00:00:00+00:00", "speed": 3600.0}
    (demo / "clock.json").write_text(json.dumps({"now": "2027-02-01T00:00:00+00:00", **runs}), encoding="utf-8")
    assert not clock_of(settings).is_sandbox, "nobody works there"
    with in_use(demo, settings.bootstrap()):
        clock = clock_of(settings)
        assert clock.speed == 3600.0 and clock.environment()["DTG_CLOCK_START"] == runs["start"]
        (demo / "clock.json").write_text('{"now": "2027-02-01T00:00:00+00:00"}', encoding="utf-8")
        assert not clock_of(settings).is_sandbox, "a demo of an older software version does not say how its clock runs"


def test_a_play_without_pace_on_the_worlds_clock_says_what_to_do(broker: Broker, tmp_path: Path) -> None:
    env = {"DTG_KAFKA": broker.bootstrap, "DTG_HOME": str(tmp_path), "COLUMNS": "400"}
    ended = CliRunner().invoke(main.app, ["simulate", "--consignments", "1"], env=env)
    assert ended.exit_code == 1
    assert "--speed 3600" in ended.output and "时钟过慢" in ended.output
