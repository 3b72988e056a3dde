"""If the notebook is deleted, moved or replaced while a port uses it, is the answer no, and does `follow` end with a
sentence?"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.ports.feed import FeedPort
from services.ports.notebook import Notebook, NotebookGone
from services.ports.topic import TopicPort
from tests.console.border import publish
from tests.docs.lines import ROOT
from tests.ports.gatehouse import Gatehouse
from tests.ports.test_odd_consoles import BOX, Stranger, feed, line, stranger
from tests.ports.test_port import released
from tests.waiting import wait

__all__ = ["stranger"]


def of_file(file: Path) -> None:
    file.unlink()


def of_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


def of_journal(file: Path) -> None:
    """Removes the journal, which has the newest writes."""
    file.with_name(f"{file.name}-wal").unlink()


def of_place(file: Path) -> None:
    """Replaces the file by a copy of it: the path then names another file."""
    shutil.copy(file, file.with_name("copy"))
    file.with_name("copy").replace(file)


LOSSES = pytest.mark.parametrize("loss", [of_file, of_folder, of_journal, of_place])
Loss = Callable[[Path], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "port.db"


@LOSSES
def test_over_http_a_notebook_that_is_gone_is_a_no(stranger: Stranger, file: Path, loss: Loss) -> None:
    stranger.feed = feed(line())
    notebook = Notebook(file)
    with FeedPort(stranger.address, notebook) as port:
        house = Gatehouse(notebook)
        assert port.ask(BOX, house).may_leave
        loss(file)
        for _ in range(2):
            answer = port.ask(BOX, house)
            assert (answer.may_leave, answer.reason) == (False, "stale"), answer
            assert str(file) in answer.detail and "记事库" in answer.detail
        with pytest.raises(NotebookGone):
            port.read(house, 0)
    notebook.close()


@LOSSES
def test_from_the_topics_a_notebook_that_is_gone_is_a_no(wire: str, file: Path, loss: Loss) -> None:
    box = f"GONE000000{len(loss.__name__)}"
    publish(wire, released(f"PORT-{loss.__name__}", box).messages)
    notebook = Notebook(file)
    with TopicPort(wire, notebook) as port:
        house = Gatehouse(notebook)
        assert port.ask(box, house).may_leave
        loss(file)
        for _ in range(2):
            answer = port.ask(box, house)
            assert (answer.may_leave, answer.reason) == (False, "stale"), answer
            assert str(file) in answer.detail
        with pytest.raises(NotebookGone):
            port.read(house, 0)
    notebook.close()


def test_a_notebook_that_is_gone_says_nothing_of_its_own(file: Path) -> None:
    notebook = Notebook(file)
    of_file(file)
    for question in (
        lambda: notebook.ask(BOX),
        lambda: notebook.objection(["c-1"], BOX),
        notebook.counts,
        lambda: notebook.cursor("http"),
        lambda: notebook.identity("http"),
        lambda: notebook.offsets("http"),
        lambda: notebook.begin("http", "x"),
    ):
        with pytest.raises(NotebookGone, match="gone"):
            question()
    notebook.close()


def test_a_notebook_stays_the_same_from_another_folder_and_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named, unnamed = Notebook("port.db"), Notebook(":memory:")
    monkeypatch.chdir("/")
    for each in (named, unnamed):
        assert each.ask(BOX).reason == "unknown"
        each.close()


@pytest.mark.parametrize("loss", [of_file, of_folder])
def test_following_ends_with_a_sentence_where_its_notebook_is_gone(stranger: Stranger, file: Path, loss: Loss) -> None:
    stranger.feed = feed(line())
    command = [sys.executable, "-m", "services.cli.main", "port", "follow", "--http", "--json"]
    command += ["--where", stranger.address, "--notebook", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None and "ReleaseGranted" in process.stdout.readline()
        loss(file)
        wait(lambda: process.poll() is not None, "following to end")
        output, errors = process.communicate()
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, output) == (1, "") and "Traceback" not in errors, errors
    assert str(file) in errors and "gone" in errors and re.search(r"[\u4e00-\u9fff]", errors), errors
