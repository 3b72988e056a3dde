"""How do tests run the program `dtg` in their own process, on a folder of their own?"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.cli import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("DTG_HOME", str(folder))
    monkeypatch.setenv("DTG_KAFKA_PORT", str(free_port()))
    monkeypatch.setenv("COLUMNS", "400")
    return folder


@pytest.fixture
def dtg(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str]]]:
    """Returns a function that runs the program `dtg` in this process, and returns the exit code and
    the output."""
    umask, hook = os.umask(0o077), threading.excepthook

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dtg", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    yield run
    os.umask(umask)
    threading.excepthook = hook
