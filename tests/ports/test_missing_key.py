"""Does each command of ports that needs an API key say which file is missing, which setting names it and what to do?"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.shell.private_file import write_private
from tests.docs.lines import ROOT

BOX = "CSQU3054383"
NOBODY = "http://127.0.0.1:1"
WHEN = ("--place", "G3", "--at", "2026-11-25T08:00:00+08:00")
QUESTIONS = (("ask", BOX, "--http", "--where", NOBODY), ("ask", BOX, "--console", NOBODY))
OTHERS = (
    ("follow", "--http", "--where", NOBODY),
    ("tell", BOX, "GTOT", *WHEN, "--where", NOBODY),
    ("retract", BOX, "report-1", "--reason", "another box", "--where", NOBODY),
)


def dtg(home: Path, key: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli.main", "port", *arguments]
    env = {**os.environ, "DTG_HOME": str(home), "DTG_API_KEY_FILE": str(key)}
    return subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, check=False, timeout=120)


def made(folder: Path, how: str) -> Path:
    key = folder / "terminal.key"
    if how == "a folder":
        key.mkdir()
    elif how == "open to others":
        key.write_text("dtg_a_b")
        key.chmod(0o644)
    elif how in ("empty", "no key"):
        write_private(key, "" if how == "empty" else "密钥 one\ntwo\n")
    return key


def names_all(text: str, key: Path) -> None:
    text = " ".join(text.split())
    assert "Traceback" not in text and "draw" not in text, text
    for each in (f"API key file {key}", "DTG_API_KEY_FILE", "API 密钥文件"):
        assert each in text, text


@pytest.mark.parametrize("arguments", QUESTIONS, ids=["http", "console"])
def test_asking_without_the_key_is_a_no(arguments: tuple[str, ...], tmp_path: Path) -> None:
    key = tmp_path / "none" / "terminal.key"
    result = dtg(tmp_path, key, *arguments)
    assert result.returncode == 3 and "must stay 不得出闸" in result.stdout, result
    names_all(result.stdout, key)
    result = dtg(tmp_path, key, *arguments, "--json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["may_leave"], answer["reason"]) == (3, False, "stale")
    names_all(answer["detail"], key)


@pytest.mark.parametrize("arguments", OTHERS, ids=[arguments[0] for arguments in OTHERS])
def test_a_command_without_the_key_ends_with_1_and_says_what_to_do(arguments: tuple[str, ...], tmp_path: Path) -> None:
    key = tmp_path / "none" / "terminal.key"
    result = dtg(tmp_path, key, *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    names_all(result.stderr, key)
    assert "dtg key add" in result.stderr


@pytest.mark.parametrize("how", ["a folder", "open to others", "empty", "no key"])
def test_a_file_that_is_none_is_told_too(how: str, tmp_path: Path) -> None:
    key = made(tmp_path, how)
    result = dtg(tmp_path, key, *QUESTIONS[0])
    assert result.returncode == 3
    names_all(result.stdout, key)
    assert re.search("chmod 600|dtg key add", result.stdout), result.stdout
