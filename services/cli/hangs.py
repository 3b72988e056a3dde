"""How does the supervisor notice that a process hangs, and end it? It requests the page `/livez` of the process, again
and again.

A process that waits for ever in a library does not end, so nothing would start it again. Kubernetes requests `/livez`
for this reason; under `dtg up` the supervisor requests it. The requests to each process have a thread of their own. So
a process that does not answer delays neither the supervision of other processes nor the stop of `dtg up`.
"""

import signal
import threading
import time
from dataclasses import dataclass, replace
from http.client import HTTPException
from urllib.error import HTTPError

from services.cli.processes import Child
from services.shell.loopback import open_page

PROBLEM = "application/problem+json"
BUSY = (429, 503)
"""The statuses with which a console refuses a connection or a request because it already has too many of them. The
answer then has a problem document."""
READ_BYTES = 300
"""How many bytes of an answer are read."""


@dataclass(frozen=True)
class Patience:
    """When does a process count as hung, and how long may it take to end? All times are in seconds."""

    stall_seconds: float
    """For how long all requests must have failed. The same setting says after which time without progress `/livez`
    answers 503."""
    grace_seconds: float
    """How long the process may live after SIGTERM before it gets SIGKILL."""
    failures: int = 5
    """How many requests in a row must have failed."""
    answer_seconds: float = 5.0
    """How long one answer may take. On a busy machine even a healthy process answers late."""
    pause_seconds: float = 2.0
    """How long the pause before the next request is."""


@dataclass(frozen=True)
class Answers:
    """The results of the requests for the page `/livez` of one process."""

    pid: int
    lived: bool = False
    """Whether the process has ever answered that it lives. Before that it is still starting."""
    failures: int = 0
    """How many of the last requests failed, without a good answer between them."""
    since: float = 0.0
    """When the first of these failed requests was sent (monotonic time)."""
    until: float = 0.0
    """When the last of these requests had failed (monotonic time)."""
    failure: str = ""
    """Why the last of these requests failed."""

    def with_answer(self, failure: str, asked_at: float, answered: float) -> "Answers":
        """Returns these results together with the result of one more request, which was sent at `asked_at` and had its
        result at `answered` (monotonic times). `failure`: why this request failed, empty if the answer was good. Before
        the first good answer no failure counts, because a starting process does not serve its pages yet."""
        if not failure:
            return Answers(self.pid, lived=True)
        if not self.lived:
            return self
        since = self.since if self.failures else asked_at
        return replace(self, failures=self.failures + 1, since=since, until=answered, failure=failure)

    def hung(self, patience: Patience) -> bool:
        """Returns whether so many requests in a row failed, over such a long time, that the process counts as hung."""
        return self.failures >= patience.failures and self.until - self.since >= patience.stall_seconds


class HangWatch:
    """Requests the page `/livez` of one process, in a thread of its own, and ends the process if it hangs. `page`: the
    URL of that page, on loopback. After the process has ended, `Child.watch` starts it again."""

    def __init__(self, child: Child, page: str, patience: Patience) -> None:
        self._child, self._page, self._patience = child, page, patience
        self._answers: Answers | None = None
        """The answers of the present process. The object is never changed but replaced as a whole, because two threads
        use it."""
        self._ending: tuple[int, float] | None = None
        """The id of the process that was told to end, and the monotonic time until which it may live."""
        self._over = threading.Event()

    def start(self) -> None:
        """Starts the thread that sends the requests, and returns at once."""
        threading.Thread(target=self._run, name=f"livez-{self._child.name}", daemon=True).start()

    def stop(self) -> None:
        """Makes the thread end after its present request. Returns at once."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._patience.pause_seconds):
            pid = self._child.pid
            if pid is None:
                continue
            asked_at = time.monotonic()
            failure = why_not_alive(self._page, self._patience.answer_seconds)
            answers = self._answers
            if answers is None or answers.pid != pid:
                answers = Answers(pid)
            self._answers = answers.with_answer(failure, asked_at, time.monotonic())

    def end_if_hung(self) -> str | None:
        """Ends the process if it hangs: first by SIGTERM, and, if it still lives `grace_seconds` later, by SIGKILL.
        Never waits. Call it often, in the thread that also calls `Child.watch`. Returns a message for the operator if a
        signal was sent, else None."""
        child, answers = self._child, self._answers
        if child.pid is None or not child.alive or not child.restarts:
            return None
        if self._ending is not None and self._ending[0] == child.pid:
            return self._kill_if_late(child.pid, self._ending[1])
        if answers is None or answers.pid != child.pid or not answers.hung(self._patience):
            return None
        self._ending = (child.pid, time.monotonic() + self._patience.grace_seconds)
        child.terminate()
        return (
            f"{child.name} hangs, so it is ended: {answers.failures} questions in a row for {self._page} failed within "
            f"{answers.until - answers.since:.0f} s, the last one with: {answers.failure} (see {child.log}). 进程无响应，将其终止并重新启动"
        )

    def _kill_if_late(self, pid: int, deadline: float) -> str | None:
        if time.monotonic() < deadline:
            return None
        self._ending = (pid, float("inf"))
        self._child.signal(signal.SIGKILL)
        return f"{self._child.name} did not end within {self._patience.grace_seconds:g} s, so it is killed. 进程未按时结束，强制终止"


def why_not_alive(page: str, answer_seconds: float) -> str:
    """Requests a `/livez` page, and returns why the process did not answer that it lives; an empty text if it did.

    A problem document with one of the statuses BUSY counts as a good answer: the process refused this connection
    because it has too many connections, so it is at work. If such an answer counted as a failure, somebody who opens
    many connections could have the console ended.
    """
    try:
        with open_page(page, answer_seconds):
            return ""
    except HTTPError as answer:
        with answer:
            if answer.code in BUSY and answer.headers.get_content_type() == PROBLEM:
                return ""
            return f"{answer.code} {_body(answer)}"
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"


def _body(answer: HTTPError) -> str:
    try:
        return " ".join(answer.read(READ_BYTES).decode("utf-8", "replace").split())
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
