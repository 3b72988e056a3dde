"""Do the logs of a border that runs for months stay small, and is every line kept as long as promised?"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka import logs
from deploy.kafka.logs import FORMER, Way, collapse, former, punch, turn_over, turn_over_ended, way_of
from services.cli.processes import Child
from services.cli.screen import LastingScreen
from services.cli.settings import UpSettings
from services.cli.up import Up
from tests.chaos.theatre import Log
from tests.waiting import wait

LINES = 60_000
MOST = 100_000
"""The size in bytes from which on a log is rotated in these tests."""
TALKING = f"""
import json, sys
for number in range({LINES}):
    sys.stdout.write(json.dumps({{"event": "said", "number": number}}) + "\\n")
    if number % 50 == 0:
        sys.stdout.flush()
"""


def ways(folder: Path) -> dict[str, Way]:
    """Returns name → function, for the ways to rotate a log that the file system of this machine
    supports."""
    found = way_of(folder)
    return {"found": found, "punch": punch} if found is collapse else {"found": found} if found is not None else {}


@pytest.mark.parametrize("name", ["found", "punch"])
def test_a_process_that_talks_all_the_time_loses_no_line_and_its_log_stays_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    way = ways(tmp_path)[name]
    monkeypatch.setattr(logs, "way_of", lambda folder: way)
    log = tmp_path / "talking.log"
    child = Child("talking", [sys.executable, "-c", TALKING], log)
    child.start()
    content, turns = b"", 0
    last: int | None = None
    while child.alive or log.stat().st_size > MOST:
        alive = child.alive
        turn_over(log, MOST)
        part = former(log, 1)
        if part.exists() and part.stat().st_ino != last:
            last, turns = part.stat().st_ino, turns + 1
            content += part.read_bytes()
            assert log.stat().st_blocks * 512 < MOST * 20
        elif not alive:
            break
    content += log.read_bytes().lstrip(b"\0")
    assert content.splitlines() == [b'{"event": "said", "number": %d}' % number for number in range(LINES)]
    assert turns > 5 and {each.name for each in tmp_path.iterdir()} <= {
        log.name,
        *[former(log, n).name for n in (1, 2)],
    }
    assert child.tail(1).endswith(f'"number": {LINES - 1}}}') or child.tail(1) == ""


def test_where_the_file_system_cannot_the_log_is_left_and_turned_over_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(file: int, first: int, end: int) -> None:
        raise OSError("not on this file system")

    monkeypatch.setattr(logs, "collapse", cannot)
    monkeypatch.setattr(logs, "punch", cannot)
    way_of.cache_clear()
    log = tmp_path / "child.log"
    log.write_bytes(b"x" * 3 * MOST)
    turn_over(log, MOST)
    way_of.cache_clear()
    assert log.stat().st_size == 3 * MOST and list(tmp_path.iterdir()) == [log]
    monkeypatch.setattr(logs, "LOG_BYTES", MOST)
    child = Child("child", [sys.executable, "-c", "print('again')"], log)
    child.start()
    wait(lambda: not child.alive, "the child to end")
    assert log.read_text() == "again\n" and former(log, 1).stat().st_size == 3 * MOST


def test_so_many_former_parts_are_kept_and_are_their_owners_alone(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for number in range(FORMER + 3):
        log.write_text(f"{number} " * MOST)
        turn_over(log, MOST)
        log.write_text("")
    kept = [former(log, number) for number in range(1, FORMER + 1)]
    assert [part.read_text()[:2] for part in kept] == [f"{number} " for number in (4, 3)]
    assert {part.stat().st_mode & 0o777 for part in kept} == {0o600}
    assert sorted(tmp_path.iterdir()) == [log, *kept]


def test_a_short_log_and_one_that_is_not_there_are_left_as_they_are(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for turn in (turn_over, turn_over_ended):
        turn(log, MOST)
        log.write_bytes(b"x" * MOST)
        turn(log, MOST)
        assert list(tmp_path.iterdir()) == [log]
        log.unlink()


@pytest.mark.parametrize("turn", [turn_over, turn_over_ended])
def test_who_reads_a_log_for_what_is_said_from_now_on_misses_nothing(
    tmp_path: Path, turn: Callable[[Path, int], None]
) -> None:
    child = Child("child", ["true"], tmp_path / "child.log")
    filler = b'{"event": "before"}\n' * 10_000
    child.log.write_bytes(filler)
    from_now_on = Log(child)
    with child.log.open("ab") as log:
        log.write(b'{"event": "first"}\n')
    turn(child.log, MOST)
    with child.log.open("ab") as log:
        log.write(b'{"event": "second"}\n' + filler)
    turn(child.log, MOST)
    with child.log.open("ab") as log:
        log.write(b'{"event": "third"}\n')
    assert from_now_on.logged("first", "second", "third") == ["first", "second", "third"]


def test_the_supervisor_turns_over_the_logs_of_all_its_processes_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", MOST)
    own = LastingScreen()
    monkeypatch.setattr("services.cli.up.screen", own)
    up = Up(UpSettings(home=str(tmp_path)), demo=False, speed=1, consignments=1, seed=1)
    own.journal = tmp_path / "logs" / "up.log"
    talking = "import time\nprint('x' * 500_000, flush=True)\ntime.sleep(60)"
    child = Child("child", [sys.executable, "-c", talking], tmp_path / "logs" / "child.log")
    up.others.append(child)
    assert up.broker is not None
    up.broker.folder.mkdir()
    for log in (own.journal, up.broker.log):
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(b"x" * 2 * MOST)
    child.start()
    try:
        wait(lambda: child.log.stat().st_size > MOST, "the child to talk")
        up._watch()
        assert all(former(log, 1).exists() for log in (own.journal, up.broker.log, child.log))
        assert child.alive and child.log.stat().st_size < MOST
    finally:
        child.kill()


def test_a_folder_in_the_place_of_a_former_part_is_told_once_and_all_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", MOST)
    up = Up(UpSettings(home=str(tmp_path), kafka="127.0.0.1:1"), demo=False, speed=1, consignments=1, seed=1)
    child = Child("child", ["sleep", "60"], tmp_path / "child.log")
    up.others.append(child)
    child.log.write_bytes(b"x" * 3 * MOST)
    (former(child.log, 1) / "x").mkdir(parents=True)
    (former(child.log, 2) / "x").mkdir(parents=True)
    for _ in range(2):
        up._logs_at = 0.0
        up._watch()
    printed = capsys.readouterr().out
    assert printed.count("日志无法轮转") == 1 and child.log.stat().st_size == 3 * MOST
