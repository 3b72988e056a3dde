"""What is one fault: at whom, when, with which dice, and how is it seen that it bit?"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from deploy.kafka.progress import wait_for
from services.cli.processes import Child
from tests.chaos.disk import Disk
from tests.chaos.theatre import Log, Theatre

ABORTED, ENDED, HUNG = "transaction aborted", "loop ended", "broker call does not come back"
REVOKED, ASSIGNED = "revoked", "assigned"
WAITS = "projector waits"
EVIDENCE_SECONDS = 12
READY_SECONDS = 60
THERE_SECONDS = 300
"""How long a fault waits at most for what it strikes: another fault may have taken it, and a starved machine brings it
back late."""


@dataclass
class Strike:
    """One fault on its victims. `struck`, `undone`: seconds since 1970; `seen`: how it bit, empty when it did not."""

    kind: str
    theatre: Theatre
    victims: tuple[str, ...]
    dice: Random
    disks: dict[str, Disk]
    salt: str
    live_keys: Callable[[], dict[str, str]]
    struck: float = 0.0
    undone: float = 0.0
    seen: str = ""
    problem: str = ""
    desks: tuple[str, ...] = ()
    logs: dict[str, Log] = field(default_factory=dict)

    def await_victims(self, broker: bool) -> None:
        """Returns once everything that is to be struck works; TimeoutError when it does not come back."""
        what = f"{', '.join(self.victims) or 'the broker'} to work, so that it can be struck"
        progress = self.theatre.progress(what, *self.victims, most=THERE_SECONDS)
        wait_for(lambda: self.theatre.works(self.victims, broker), progress, 0.1)

    def hit(self) -> None:
        self.struck = time.time()

    def heal(self) -> None:
        self.undone = time.time()

    def child(self, name: str) -> Child:
        return self.theatre.children[name]

    def listen(self) -> None:
        """From now on, what do the victims log?"""
        self.logs = {name: Log(self.child(name)) for name in self.victims}

    def heard(self, seconds: float, *events: str) -> str:
        """The first of these that a victim logs within the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for log in self.logs.values():
                if said := log.said(*events):
                    return said[0][:120]
            time.sleep(0.1)
        return ""
