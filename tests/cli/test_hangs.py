"""Does the supervisor end a process that hangs, and no process that works?"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.cli.hangs import Answers, HangWatch, Patience, why_not_alive
from services.cli.processes import Child
from services.cli.settings import UpSettings
from services.cli.up import Up
from services.console.settings import ConsoleSettings
from services.shell.settings import WorkerSettings
from tests.cli.stops import until_line
from tests.waiting import wait

SERVED = """
import signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port, mode = int(sys.argv[1]), Path(sys.argv[2])
if mode.read_text() == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        status, kind = {"busy": (503, "application/problem+json"), "stalled": (503, "application/json"), "broken": (500, "text/plain")}.get(
            mode.read_text(), (200, "application/json")
        )
        while mode.read_text() in ("silent", "deaf") and not first.acquire(blocking=False):
            print("asked", flush=True)
            threading.Event().wait()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(b'{"status":"' + mode.read_text().encode() + b'"}')

first = threading.Semaphore(1)
while mode.read_text() == "starting":
    time.sleep(0.01)
ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()
"""
"""The program of a process with one page. The process behaves as the mode in its file says. In the modes `silent` and
`deaf` it answers only the first question. In the mode `deaf` it also ignores SIGTERM. In the mode `starting` it has no
page yet."""
QUICK = Patience(stall_seconds=0.2, grace_seconds=0.2, failures=3, answer_seconds=1, pause_seconds=0.02)


ASKED = Counter[str]()
"""URL of the page → how many questions were answered, or had failed, so far."""


def counting(page: str, answer_seconds: float) -> str:
    try:
        return why_not_alive(page, answer_seconds)
    finally:
        ASKED[page] += 1


class Served:
    """A small process with a page. The test watches it with the same two calls as the supervisor."""

    def __init__(self, folder: Path, mode: str, patience: Patience) -> None:
        self.mode, port = folder / "mode", free_port()
        self.be(mode)
        self.page = f"http://127.0.0.1:{port}/livez"
        self.child = Child(
            "served", [sys.executable, "-c", SERVED, str(port), str(self.mode)], folder / "served.log", {}
        )
        self.watch = HangWatch(self.child, self.page, patience)
        self.notices: list[str] = []
        self.child.start()
        self.watch.start()

    def be(self, mode: str) -> None:
        fresh = self.mode.with_name("fresh")
        fresh.write_text(mode)
        fresh.replace(self.mode)

    def supervised(self) -> bool:
        """Does once what `dtg up` does again and again: ends the process if it hangs, and starts it again if it has
        ended. Returns whether the process was started again."""
        first = self.child.pid
        self.notices += [notice for notice in (self.watch.end_if_hung(), self.child.watch()) if notice]
        return self.child.pid != first

    def asked_more(self, count: int) -> None:
        """Supervises until the page was asked `count` more questions. Meanwhile the process must not be started
        again."""
        # The watch notes the answer to a question before it asks the next one. So one more question is awaited.
        enough, first = ASKED[self.page] + count + 1, self.child.pid
        wait(lambda: self.supervised() or ASKED[self.page] >= enough, "more questions", self.child)
        assert self.child.pid == first and self.notices == []

    def lives(self) -> None:
        """Waits until the page answers and has been asked two more questions, so that the supervisor knows that the
        process is alive."""
        wait(lambda: not why_not_alive(self.page, 20), "the page to be served", self.child)
        self.asked_more(2)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Served]]:
    monkeypatch.setattr("services.cli.hangs.why_not_alive", counting)
    served: list[Served] = []
    yield served
    for each in served:
        each.watch.stop()
        each.child.kill()


@pytest.mark.parametrize(
    ("mode", "reason"), [("stalled", '503 {"status":"stalled"}'), ("broken", "500"), ("silent", "timed out")]
)
def test_a_process_that_says_it_stalls_or_never_answers_is_replaced(
    mode: str, reason: str, tmp_path: Path, begun: list[Served]
) -> None:
    served = Served(tmp_path, "well", QUICK)
    begun.append(served)
    served.lives()
    served.be(mode)
    wait(served.supervised, "the process to be started again")
    hangs, ended = served.notices
    assert hangs.startswith("served hangs, so it is ended: ") and reason in hangs
    assert ended.startswith(f"served ended with code {-signal.SIGTERM}; starting again")


def test_a_process_that_does_not_end_when_told_is_killed_after_its_time(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path, "deaf", QUICK)
    begun.append(served)
    wait(served.supervised, "the process to be started again")
    hangs, late, ended = served.notices
    assert hangs.startswith("served hangs") and late.startswith("served did not end within 0.2 s, so it is killed")
    assert ended.startswith(f"served ended with code {-signal.SIGKILL}; starting again")


def test_a_stopped_process_is_replaced(tmp_path: Path, begun: list[Served]) -> None:
    """For a stopped process the kernel still accepts connections, but the process does not handle SIGTERM. So it must
    be killed."""
    served = Served(tmp_path, "well", QUICK)
    begun.append(served)
    served.lives()
    served.child.signal(signal.SIGSTOP)
    wait(served.supervised, "the process to be started again")
    assert len(served.notices) == 3


def test_a_process_that_is_slow_to_start_is_left_alone_and_watched_later(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path, "starting", QUICK)
    begun.append(served)
    served.asked_more(10 * QUICK.failures)
    served.be("well")
    served.lives()
    served.be("stalled")
    wait(served.supervised, "the process to be started again")


def test_one_that_stalls_from_the_first_moment_is_starting(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path, "stalled", QUICK)
    begun.append(served)
    wait(lambda: why_not_alive(served.page, 20).startswith("503"), "the page to be served", served.child)
    served.asked_more(10 * QUICK.failures)


def test_a_console_that_has_too_many_connections_is_at_work(tmp_path: Path, begun: list[Served]) -> None:
    """A console with too many connections answers the supervisor with 503. The supervisor must not end it for that.
    Otherwise anybody who opens many connections could have the console ended again and again."""
    served = Served(tmp_path, "well", QUICK)
    begun.append(served)
    served.lives()
    served.be("busy")
    served.asked_more(10 * QUICK.failures)


def test_no_proxy_of_the_environment_is_asked(
    tmp_path: Path, begun: list[Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    served = Served(tmp_path, "well", QUICK)
    begun.append(served)
    served.lives()


# rules about failures; the times of the answers are given, so that nothing waits


def after(*answers: tuple[str, float, float], pid: int = 7) -> Answers:
    found = Answers(pid)
    for failure, asked_at, answered in answers:
        found = found.with_answer(failure, asked_at, answered)
    return found


THREE_IN_THIRTY = Patience(stall_seconds=30, grace_seconds=6, failures=3)


def test_only_so_many_failures_in_a_row_over_so_long_a_time_are_a_hang() -> None:
    lived = ("", 0.0, 0.1)
    often, long = [("503", float(n), n + 0.1) for n in range(1, 20)], [("503", 1.0, 6.0), ("503", 100.0, 105.0)]
    assert not after(lived, *often).hung(THREE_IN_THIRTY), "often, but within less than 30 s"
    assert not after(lived, *long).hung(THREE_IN_THIRTY), "for long, but twice only"
    assert after(lived, *long, ("503", 107.0, 107.1)).hung(THREE_IN_THIRTY)
    assert after(lived, ("a", 1, 6), ("b", 8, 13), ("c", 26, 31)).hung(THREE_IN_THIRTY), "from the first question on"


def test_who_recovers_begins_anew() -> None:
    lived = ("", 0.0, 0.1)
    nearly = [("503", 1.0, 1.1), ("503", 20.0, 20.1)]
    recovered = after(lived, *nearly, ("", 30.0, 30.1))
    assert recovered == Answers(7, lived=True)
    again = recovered.with_answer("503", 40.0, 40.1).with_answer("503", 50.0, 50.1).with_answer("503", 60.0, 60.1)
    assert not again.hung(THREE_IN_THIRTY)


def test_nothing_counts_before_the_first_good_answer() -> None:
    refused = [("refused", float(n), float(n)) for n in range(0, 600, 2)]
    assert after(*refused) == Answers(7)
    assert not after(*refused, ("", 600.0, 600.1), ("503", 602.0, 602.1)).hung(THREE_IN_THIRTY)


# `dtg up`

SMALL = """
import sys
from pathlib import Path
from services.cli.hangs import HangWatch, Patience
from services.cli.processes import Child
from services.cli.settings import UpSettings
from services.cli.up import Up

class Small(Up):
    def _start(self):
        port, mode = sys.argv[2:4]
        served = Child("served", [sys.executable, "-c", sys.argv[4], port, mode], self.home / "logs" / "served.log")
        other = Child("other", ["sleep", "600"], self.home / "logs" / "other.log")
        self.others += [served, other]
        served.start()
        other.start()
        print("pids", served.pid, other.pid, flush=True)
        watch = HangWatch(served, f"http://127.0.0.1:{port}/livez", Patience(0.2, 0.2, 3, 600, 0.02))
        self._hang_watches.append(watch)
        watch.start()

up = Small(UpSettings(home=sys.argv[1], kafka="127.0.0.1:1"), demo=False, speed=1, consignments=1, seed=1)
sys.exit(up.run())
"""
"""The program of a `dtg up` with two small processes. It waits up to ten minutes for the answer to each question."""


def test_a_question_that_nobody_answers_delays_neither_the_others_nor_a_stop(tmp_path: Path) -> None:
    home, mode = tmp_path / "home", tmp_path / "mode"
    mode.write_text("silent")
    command = [sys.executable, "-c", SMALL, str(home), str(free_port()), str(mode), SERVED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            served, other = [int(pid) for pid in re.findall(r"\d+", until_line(process, "pids"))]
            log = home / "logs" / "served.log"
            wait(lambda: b"asked" in log.read_bytes(), "a question that is not answered")
            os.kill(other, signal.SIGKILL)
            assert "other ended with code -9; starting again" in until_line(process, "starting again")
            process.send_signal(signal.SIGTERM)
            assert process.wait(200) == 0, "the question itself would last ten minutes"
            assert not Path(f"/proc/{served}").exists()
        finally:
            process.kill()


def test_every_process_with_a_page_is_watched_with_the_limit_of_its_page(tmp_path: Path) -> None:
    settings = UpSettings(home=str(tmp_path), kafka="127.0.0.1:1", stall_seconds=31, console_stall_seconds=61)
    up = Up(settings, demo=False, speed=1, consignments=1, seed=1)
    up.workers += [Child(f"worker-{n}", ["true"], tmp_path / "log") for n in range(4)]
    up.others += [Child(name, ["true"], tmp_path / "log") for name in ("console", "projector")]
    before = threading.active_count()
    up._watch_for_hangs()
    watched = {w._child.name: (w._page, w._patience.stall_seconds) for w in up._hang_watches}
    for each in up._hang_watches:
        each.stop()
    assert watched == {
        **{f"worker-{n}": (f"http://127.0.0.1:{settings.worker_port + n}/livez", 31) for n in range(4)},
        "console": (f"http://127.0.0.1:{settings.console_port}/livez", 61),
        "projector": (f"http://127.0.0.1:{settings.projector_port}/livez", 61),
    }
    assert threading.active_count() <= before + 6


def test_dtg_up_and_the_pages_have_the_same_limits() -> None:
    for pages, name in ((WorkerSettings, "stall_seconds"), (ConsoleSettings, "console_stall_seconds")):
        assert UpSettings.model_fields[name].get_default() == pages.model_fields[name].get_default()
