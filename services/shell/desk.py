"""What must a desk provide so that the loop can run it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, cast

from pydantic import TypeAdapter

from schemas.envelope import Deadline, Fact, Hearing


class Decider(Protocol):
    """The pure part of a desk: a module `services/<desk>/decider.py`, or an object that was made with the values on which its decisions
    depend.

    `decide` answers a message with facts; `evolve` applies the message, and then each of the facts, to the state (`deciding.py`).
    `deadlines` returns the open time limits of a state. `closed` returns whether nothing is open under this key, so that the desk waits
    for nobody. The record is then kept for `DTG_RETENTION_DAYS`, so that a late message (a repetition, a correction) is still decided
    with it. After that it is deleted.
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
    """The interface of an object to which the loop passes every state, in the thread of the loop. The clearance metrics are computed from
    these states."""

    def restored(self, states: Iterable[tuple[str, bytes]]) -> None:
        """Takes the states of all records in the partitions that this worker has from now on. `states`: (key, state as the decider's
        JSON).

        The states are not decoded, because there may be a million and a watcher needs little of each.
        """

    def committed(self, changes: Iterable[tuple[str, Any, Any]]) -> None:
        """Takes the records that a committed transaction changed. `changes`: (key, state before, state after); a state is None if there is
        none."""


@dataclass(frozen=True)
class Desk:
    """One service that the loop runs: its decider, and the watcher of its states. `schemas.flow.FLOW` says which kinds of messages it
    decides.

    `shared`: the prefix from which the keys of the shared records are made, one for each partition (`partition.key_in`); empty if the desk
    has no shared records. With each message the decider also gets the state of the shared record (`Hearing.shared`), except with messages
    about that record itself.
    """

    name: str
    decider: Decider
    watcher: Watcher | None = None
    shared: str = ""

    @classmethod
    def of(cls, name: str, module: ModuleType, watcher: Watcher | None = None, shared: str = "") -> "Desk":
        """Returns the desk `name` with the decider in `module`."""
        return cls(name, cast(Decider, module), watcher, shared)
