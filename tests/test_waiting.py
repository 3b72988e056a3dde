"""Does a wait last as long as there is progress and no longer, and does its error say what was awaited?"""

import itertools
import sys
from pathlib import Path

import pytest

from services.cli.processes import Child
from tests.waiting import wait


def test_a_wait_lasts_while_there_is_progress() -> None:
    steps, looks = itertools.count(), itertools.count()
    assert wait(lambda: next(looks) == 25, "the 25th look", signs={"steps": lambda: next(steps)}, still=0.1)


def test_a_wait_in_vain_ends_when_progress_ends_and_names_it() -> None:
    with pytest.raises(TimeoutError, match=r"Waited \d+ s for goods; the last progress was .*: .*boxes 7. 已等待"):
        wait(lambda: False, "goods", signs={"boxes": lambda: 7}, still=0.1)


def test_no_progress_makes_a_wait_endless() -> None:
    steps = itertools.count()
    with pytest.raises(TimeoutError, match="for goods"):
        wait(lambda: False, "goods", signs={"steps": lambda: next(steps)}, most=0.2)


def test_a_dead_process_ends_the_wait_at_once_unless_its_end_is_what_is_waited_for(tmp_path: Path) -> None:
    child = Child(
        "doomed", [sys.executable, "-c", "print('the reason', flush=True); raise SystemExit(3)"], tmp_path / "log"
    )
    child.start()
    with pytest.raises(TimeoutError, match=r"(?s)for its page; .*doomed ended with code 3.*the reason"):
        wait(lambda: False, "its page", child, still=1e6, most=1e6)
    assert wait(lambda: child.code == 3, "its end", child)
