"""What has the release desk said of goods, and what was the gate told of their containers?"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime

from schemas.bounds import shown
from schemas.hold_ids import is_for_an_officer
from schemas.release import Hold
from services.release.arrivals import arrived_boxes
from services.release.dossier import Dossier
from services.release.transfers import containers

NOTHING = Dossier()
S = TypeVar("S")
Told = Literal["held", "held here", "refused", "refused here", "freed", "not in it"]
"""What the gate was told last of a container: `here`, that the goods have arrived in it; `not in it`, that they did not go into it."""


@dataclass(frozen=True, slots=True)
class Case:
    """What every state carries. `stated`: the holds as last published; `lifted`: officer's hold → the message that lifted it."""

    dossier: Dossier = NOTHING
    version: int = 0
    stated: tuple[Hold, ...] = ()
    lifted: dict[str, str] = field(default_factory=dict)
    told: bool = False
    """Written by an older software version: whether the gate knows that the containers must stay. `gate` tells it now."""
    gate: dict[str, Told] = field(default_factory=dict)
    """What the gate was told last, by container."""
    retracted: dict[str, str] = field(default_factory=dict)
    """Lifting that was wrong → the request that took it back."""


@dataclass(frozen=True, slots=True)
class Held(Case):
    """Not released so far."""

    state: Literal["held"] = "held"
    revoked: bool = False
    """In records only, which have no name of its own for `Revoked`: `of_record` reads it from this, `for_record` writes it so."""


@dataclass(frozen=True, slots=True)
class Revoked(Case):
    """Called back after a release, and held again: its declaration is not withdrawn any more."""

    state: Literal["revoked"] = "revoked"


@dataclass(frozen=True, slots=True)
class Released(Case):
    """The goods may go; where holds are `stated`, only those that have arrived.

    `boxes`: since when each container is released; empty where an older software version did not say, so that nothing of it lapses.
    `revisions`: as the release said them.
    """

    state: Literal["released"] = "released"
    boxes: dict[str, AwareDatetime] = field(default_factory=dict)
    revisions: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused(Case):
    """The goods are to be destroyed or returned, unless the failure is taken back. `cause`: its hold, empty in records of earlier
    releases; `revoked`: they had been called back after a release before. The officers' holds stay in `stated`.
    """

    state: Literal["refused"] = "refused"
    cause: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn(Case):
    """Taken back by the declarant; never released under this declaration."""

    state: Literal["withdrawn"] = "withdrawn"


Goods = Held | Revoked | Released | Refused | Withdrawn


def of_record(state: S) -> S | Revoked:
    """The state that stands in a record."""
    return Revoked(**_case(state)) if isinstance(state, Held) and state.revoked else state


def for_record(state: S) -> S | Held:
    """The state as records have it."""
    return Held(**_case(state), revoked=True) if isinstance(state, Revoked) else state


def _case(state: Case) -> dict[str, Any]:
    return {each.name: getattr(state, each.name) for each in fields(Case)}


def were_called_back(state: Goods) -> bool:
    """Whether a release of these goods was called back, and no other was given since."""
    return isinstance(state, Revoked) or (isinstance(state, Refused) and state.revoked)


def when_held(state: Goods) -> type[Held | Revoked]:
    """What these goods become when they are held."""
    return Revoked if were_called_back(state) else Held


def officers(state: Goods) -> tuple[Hold, ...]:
    """The officers' holds that are open."""
    return tuple([h for h in state.stated if is_for_an_officer(h.hold_id)])


def told_to_gate(state: Goods) -> dict[str, Told]:
    """What the gate was told last of each container; an older software version wrote whether it knew that all must stay."""
    if state.gate or state.dossier.terms is None:
        return state.gate
    if not state.told:
        return dict.fromkeys(names(state.dossier), "freed") if isinstance(state, Released) else {}
    arrived = arrived_boxes(state.dossier)
    refused = isinstance(state, Refused)
    return {number: told_as(False, refused, number in arrived) for number in names(state.dossier)}


def told_as(released: bool, refused: bool, here: bool) -> Told:
    """What the gate is told of a container with goods like these. `here`: they have arrived in it."""
    if released:
        return "freed"
    if refused:
        return "refused here" if here else "refused"
    return "held here" if here else "held"


def names(dossier: Dossier) -> tuple[str, ...]:
    """The containers of the goods, as facts name them."""
    return tuple([shown(c.container_no, 17) for c in containers(dossier)])
