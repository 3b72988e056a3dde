"""What must a desk bring so that the loop can run it?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

from pydantic import BaseModel, TypeAdapter

from schemas.envelope import Deadline, Fact, Hearing, Message
from schemas.flow import FLOW


class Decider(Protocol):
    """The pure half of a desk, as a module `services/<desk>/decider.py`.

    The loop calls `said = decide(state, heard, hearing)`, then `evolve` with the heard message, then with each said fact.
    `deadlines` are the open time limits of a state, `closed` says that nothing but typed refusals can follow.
    """

    INITIAL: BaseModel
    STATE: TypeAdapter[Any]

    def decide(self, state: Any, message: Any, hearing: Hearing) -> tuple[Fact, ...]: ...
    def evolve(self, state: Any, message: Any, hearing: Hearing) -> Any: ...
    def deadlines(self, state: Any) -> tuple[Deadline, ...]: ...
    def closed(self, state: Any) -> bool: ...


@dataclass(frozen=True)
class Desk:
    """One service on the loop: this decider, what it hears (from the flow) and what the loop tells after each commit."""

    name: str
    decider: Decider
    after_commit: Callable[[list[tuple[str, Any, Any]]], None] | None = None
    """Called with (key, state before, state after) of each changed record once its transaction is committed."""
    hears: frozenset[type[Message]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hears", frozenset(FLOW[self.name]))

    @classmethod
    def of(cls, name: str, module: ModuleType) -> "Desk":
        """The desk `name` with the decider in `module`."""
        return cls(name, cast(Decider, module))
