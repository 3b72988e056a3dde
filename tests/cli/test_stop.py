"""Does everything end when it gets a signal to stop, whatever it is doing? `make stops` tries
many more stops."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.shell.signals import SAME_SECONDS
from tests.cli.stops import Stop, plan, small, up

WHILE_IT_STARTS = plan(seed=7, count=5, longest=7.0)


@pytest.mark.parametrize("stop", plan(seed=11, count=12, longest=0.3), ids=str)
def test_a_supervisor_ends_when_asked_and_leaves_no_child(stop: Stop, tmp_path: Path) -> None:
    assert small(tmp_path, stop) == ""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder for all tests of this module. Each start finds the files of the start before."""
    return tmp_path_factory.mktemp("up") / "home"


@pytest.mark.parametrize("stop", WHILE_IT_STARTS, ids=str)
def test_dtg_up_ends_when_asked_also_while_it_starts(stop: Stop, home: Path) -> None:
    assert up(home, stop, "clearance") == ""


PATIENT = """
import time
from services.shell.signals import on_stop
on_stop(lambda: print("asked", flush=True), lambda: print("at once", flush=True))
print("ready", flush=True)
time.sleep(600)
"""
"""The program of a process that does not end on the first signal, so that only a second signal ends it."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_same_signal_twice_in_a_row_is_one(number: signal.Signals, tmp_path: Path) -> None:
    """GNU `timeout` sends a signal to its child and also to the process group of its child, so the child gets the
    signal twice."""
    assert small(tmp_path, Stop(0.1, (number, number), closed=False, apart=0.002)) == ""


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
def test_other_signals_that_end_a_program_are_a_stop_in_order(number: signal.Signals, tmp_path: Path) -> None:
    """A terminal sends SIGQUIT upon Ctrl-\\, and tools that rotate logs send SIGUSR1. By default, each of these signals
    ends a process at once."""
    assert small(tmp_path, Stop(0.1, (number,), closed=False)) == ""


def test_a_later_or_another_signal_ends_at_once() -> None:
    assert _patient(Stop(0, (signal.SIGTERM,) * 3, closed=False, apart=0.002), signal.SIGTERM) == ["asked", "at once"]
    assert _patient(Stop(0, (signal.SIGTERM,), closed=False, apart=0), signal.SIGINT) == ["asked", "at once"]


def _patient(stop: Stop, last: signal.Signals) -> list[str]:
    """Sends the signals of `stop`, which the process survives, and then the signal `last`, which ends it. Returns
    what the process prints. If `last` is the same signal as before, it is sent after a pause."""
    with subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in stop.numbers:
            process.send_signal(number)
            time.sleep(stop.apart)
        lines = [process.stdout.readline()]
        if last in stop.numbers:
            assert process.poll() is None
            time.sleep(SAME_SECONDS)
        process.send_signal(last)
        # After the first signal, the process ignores an equal signal for SAME_SECONDS. If it handled the first one
        # late, it also ignores the one that was just sent. So the signal is sent again.
        while last in stop.numbers and process.poll() is None:
            time.sleep(SAME_SECONDS)
            process.send_signal(last)
        lines += process.stdout.readlines()
    assert process.returncode == 128 + last
    return [line.strip() for line in lines]
