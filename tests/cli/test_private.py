"""Can only the owner read the files of an installation?"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.cli.home import refuse_foreign
from services.cli.up import CannotStart, Up


def test_the_folder_of_dtg_up_is_closed_to_others_also_one_that_was_open(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # The port is taken. So the command ends before it starts anything.
        env = {**os.environ, "DTG_HOME": str(home), "DTG_CONSOLE_PORT": str(taken.getsockname()[1])}
        program = [sys.executable, "-m", "services.cli.main", "up"]
        ended = subprocess.run(program, check=False, env=env, capture_output=True, text=True, umask=0o022, timeout=250)
    assert ended.returncode == 1 and "taken" in ended.stderr, ended
    assert home.stat().st_mode & 0o777 == 0o700
    files = list(home.iterdir())
    assert files and not any(file.stat().st_mode & 0o077 for file in files)


@pytest.mark.parametrize("afresh", [(), ("--afresh",)])
def test_a_folder_with_the_files_of_others_is_neither_closed_nor_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtg: Callable[..., tuple[int, str]], afresh: tuple[str, ...]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "letter.txt").touch()
    monkeypatch.setenv("DTG_HOME", str(shared))
    monkeypatch.setattr(Up, "_start", _not_reached)
    code, output = dtg("up", *afresh)
    assert code == 1 and "DTG_HOME" in output and "不能作为数据目录" in output, output
    assert [each.name for each in shared.iterdir()] == ["letter.txt"] and shared.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["lost+found", "draw-keys.json", "port-followed-kafka.db", "up.lock"])
def test_a_folder_of_this_program_or_a_new_file_system_is_closed_to_others(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "lost+found").touch()
    refuse_foreign(tmp_path)


@pytest.mark.parametrize("arguments", [("up",), ("up", "--afresh"), ("topics",)])
def test_an_empty_name_of_the_folder_is_not_the_working_directory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtg: Callable[..., tuple[int, str]],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DTG_HOME", "")
    monkeypatch.setattr(Up, "_start", _not_reached)
    code, output = dtg(*arguments)
    assert code == 1 and "DTG_HOME" in output and "设置有误" in output, output
    assert not list(tmp_path.iterdir())


def _not_reached(up: Up) -> None:
    raise CannotStart("nobody refused")
