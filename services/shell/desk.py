"""What must a desk bring so that the loop can run it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, cast

from pydantic import TypeAdapter

from schemas.envelope import Deadline, Fact, Hearing


class Decider(Protocol):
    """The pure half of a desk: a module `services/<desk>/decider.py`, or an object that was built with what it decides by.

    `decide` answers a message with facts; `evolve` takes the message, and then each of the facts, into the state (`deciding.py`).
    `deadlines` are the open time limits of a state. `closed`: the desk waits for nobody about this key any more, and after
    `DTG_RETENTION_DAYS` its record is forgotten.
    """

    @property
    def INITIAL(self) -> Any: ...  # noqa: N802  (a constant of the module)
    @property
    def STATE(self) -> TypeAdapter[Any]: ...  # noqa: N802

    def decide(self, state: Any, message: Any, hearing: Hearing) -> tuple[Fact, ...]: ...
    def evolve(self, state: Any, message: Any, hearing: Hearing) -> Any: ...
    def deadlines(self, state: Any) -> tuple[Deadline, ...]: ...
    def closed(self, state: Any) -> bool: ...


class Watcher(Protocol):
    """Is called with every state, in the loop's thread; the clearance metrics are made of it."""

    def restored(self, states: Iterable[tuple[str, bytes]]) -> None:
        """All (key, state as the decider's JSON) of the partitions that this worker has from now on.

        Not decoded: a watcher needs little of each, and there may be a million.
        """

    def committed(self, changes: Iterable[tuple[str, Any, Any]]) -> None:
        """(key, state before, state after) of each record that a committed transaction changed; None: no state."""


@dataclass(frozen=True)
class Desk:
    """One service on the loop: this decider, and who watches its states. Which kinds of messages it decides is a row of `schemas.flow.FLOW`.

    `shared`: begins the key of a record that each partition has one of (`partition.key_in`), whose state the decider is given
    beside every message about anything else in it; empty for a desk without one.
    """

    name: str
    decider: Decider
    watcher: Watcher | None = None
    shared: str = ""

    @classmethod
    def of(cls, name: str, module: ModuleType, watcher: Watcher | None = None, shared: str = "") -> "Desk":
        """The desk `name` with the decider in `module`."""
        return cls(name, cast(Decider, module), watcher, shared)
