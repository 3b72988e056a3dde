"""What is one fault? Which victims does it strike, when and with which random numbers, and how is its effect found
out?"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from services.cli.processes import Child
from tests.chaos.disk import Disk
from tests.chaos.theatre import BROKER, Log, Theatre
from tests.waiting import wait_by

ABORTED, ENDED, HUNG = "transaction aborted", "loop ended", "broker call does not come back"
REVOKED, ASSIGNED = "revoked", "assigned"
WAITS = "projector waits"
EVIDENCE_SECONDS = 12
READY_SECONDS = 60
THERE_SECONDS = 300
"""A fault waits at most this many seconds for its victim. Another fault may have killed the victim, and on a slow
machine its new start takes time."""
BITE_SECONDS = 40
"""A fault waits at most this many seconds for its effect, for example on the next write, the next commit or the next
fact."""


@dataclass
class Strike:
    """One fault on its victims. `struck`, `undone`: when it began and ended, in seconds since 1970; `evidence`: what
    effect it had, empty if it had none.

    `struck` stays 0 if there was nothing that the fault could strike. `skew`: by how many seconds the fault stepped a
    clock.
    """

    kind: str
    theatre: Theatre
    victims: tuple[str, ...]
    dice: Random
    disks: dict[str, Disk]
    salt: str
    live_keys: Callable[[], dict[str, str]]
    struck: float = 0.0
    undone: float = 0.0
    evidence: str = ""
    problem: str = ""
    skew: float = 0.0
    desks: tuple[str, ...] = ()
    logs: dict[str, Log] = field(default_factory=dict)

    def await_victims(self, broker: bool) -> None:
        """Waits until all victims work. Raises TimeoutError if one of them does not work again in time.

        A fault without victims strikes topics, which can be written if the broker works.
        """
        broker = broker or not self.victims
        what = f"{', '.join(self.victims) or 'the broker'} to work, so that it can be struck"
        progress = self.theatre.progress(what, *self.victims, most=THERE_SECONDS)
        wait_by(lambda: self.theatre.works(self.victims, broker), progress, 0.1)

    @contextmanager
    def hold(self, *, broker: bool = False) -> Iterator[None]:
        """Waits until all victims run. Within the block, the supervisor does not start them again. If a victim ends
        before the block begins, this waits again. Raises TimeoutError if there is no more progress."""
        names = (*self.victims, BROKER) if broker else self.victims
        progress = self.theatre.progress("all victims to be alive at one moment", *self.victims, most=THERE_SECONDS)
        while True:
            with self.theatre.hands_off(*names):
                if self.theatre.alive(self.victims, broker):
                    yield
                    return
            if not progress.goes_on():
                raise TimeoutError(progress.in_vain())
            self.await_victims(broker)

    def hit(self, moment: float | None = None) -> None:
        """Records that the fault struck now. `moment`: an earlier time of the strike, if its effect is known only
        now."""
        self.struck = time.time() if moment is None else moment

    def hit_once(self, there: Callable[[], object], seconds: float = BITE_SECONDS) -> bool:
        """Waits until `there()` is true, records that the fault struck then, and returns True. Returns False if it
        does not become true within `seconds`."""
        deadline = time.monotonic() + seconds
        while not there():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        self.hit()
        return True

    def heal(self) -> None:
        self.undone = time.time()

    def child(self, name: str) -> Child:
        return self.theatre.children[name]

    def listen(self) -> None:
        """Begins to read the log records of the victims, from now on."""
        self.logs = {name: Log(self.child(name)) for name in self.victims}

    def first_logged(self, seconds: float, *events: str) -> str:
        """Returns the first of these events that a victim logs within this many seconds; an empty text if there is
        none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for log in self.logs.values():
                if logged := log.logged(*events):
                    return logged[0][:120]
            time.sleep(0.1)
        return ""
