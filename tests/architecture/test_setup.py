"""On a machine where something is missing, does setup say what to do?"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
PLAIN = ("sh", "sed", "cut", "dirname", "id")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The programs of a machine that has nothing."""
    for name in PLAIN:
        tmp_path.joinpath(name).symlink_to(shutil.which(name) or "/bin/false")
    return tmp_path


def program(machine: Path, name: str, body: str) -> None:
    machine.joinpath(name).write_text(f"#!/bin/sh\n{body}\n")
    machine.joinpath(name).chmod(0o755)


def said(machine: Path, script: str) -> str:
    """What the script says before it gives up; no text when it does not."""
    command = [str(machine / "sh"), str(DEPLOY / script)]
    done = subprocess.run(command, env={"PATH": str(machine)}, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_what_is_missing_is_named_with_the_line_that_installs_it(machine: Path) -> None:
    assert "apt-get install python3 python3-venv" in said(machine, "setup.sh")
    program(machine, "python3", "exit 1")
    assert "Python 3.11 or newer is missing" in said(machine, "setup.sh")
    program(machine, "python3", f'exec {sys.executable} "$@"')
    assert "apt-get install default-jre-headless" in said(machine, "setup.sh")
    program(machine, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    assert "Java 17 or newer is missing" in said(machine, "setup.sh")
    program(machine, "java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    assert "apt-get install maven" in said(machine, "setup.sh")


def test_missing_debian_packages_are_named_where_they_cannot_be_installed(machine: Path) -> None:
    text = said(machine, "debian.sh")
    assert "sudo apt-get install --no-install-recommends chromium" in text
    assert "This is not Debian" in text
    program(machine, "chromium", "")
    assert "install --no-install-recommends prometheus" in said(machine, "debian.sh")
    program(machine, "promtool", "")
    assert said(machine, "debian.sh") == ""
