"""What has the release desk published about goods, and what has it told the gate desk about their containers?"""

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
"""The last statement to the gate desk about a container; `here`: the goods have arrived in it; `not in it`: they did not go into
it."""


@dataclass(frozen=True, slots=True)
class Case:
    """The fields of every state. `stated`: the holds as last published; `lifted`: officer's hold → the message that lifted it."""

    dossier: Dossier = NOTHING
    version: int = 0
    stated: tuple[Hold, ...] = ()
    lifted: dict[str, str] = field(default_factory=dict)
    told: bool = False
    """Only in records of an older software version: whether the gate desk knows that the containers must stay. `gate` replaces
    it."""
    gate: dict[str, Told] = field(default_factory=dict)
    """Container → the last statement to the gate desk about it."""
    retracted: dict[str, str] = field(default_factory=dict)
    """Wrong lifting → the request that took it back."""


@dataclass(frozen=True, slots=True)
class Held(Case):
    """Not released so far."""

    state: Literal["held"] = "held"
    revoked: bool = False
    """Only used in records, in which `Revoked` has no name of its own: `of_record` reads it from this field, and `for_record`
    writes it."""


@dataclass(frozen=True, slots=True)
class Revoked(Case):
    """The release was revoked and the goods are held again; the declaration cannot be withdrawn any more."""

    state: Literal["revoked"] = "revoked"


@dataclass(frozen=True, slots=True)
class Released(Case):
    """The goods may go; if holds are `stated`, only those that have arrived.

    `boxes`: container → since when it is released; empty if an older software version did not store it, in which case nothing
    lapses. `revisions`: those of the published release.
    """

    state: Literal["released"] = "released"
    boxes: dict[str, AwareDatetime] = field(default_factory=dict)
    revisions: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused(Case):
    """The goods are to be destroyed or returned, unless the failure is taken back. `cause`: the id of the hold that failed, empty
    in records of earlier software versions; `revoked`: there was a release before, which was revoked. The officers' holds stay in
    `stated`.
    """

    state: Literal["refused"] = "refused"
    cause: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn(Case):
    """The declarant withdrew the declaration; the goods are never released under it."""

    state: Literal["withdrawn"] = "withdrawn"


Goods = Held | Revoked | Released | Refused | Withdrawn


def of_record(state: S) -> S | Revoked:
    """The state that a record contains."""
    return Revoked(**_case(state)) if isinstance(state, Held) and state.revoked else state


def for_record(state: S) -> S | Held:
    """The state in the form in which records store it."""
    return Held(**_case(state), revoked=True) if isinstance(state, Revoked) else state


def _case(state: Case) -> dict[str, Any]:
    return {each.name: getattr(state, each.name) for each in fields(Case)}


def were_called_back(state: Goods) -> bool:
    """Whether a release of these goods was revoked and no other was granted since."""
    return isinstance(state, Revoked) or (isinstance(state, Refused) and state.revoked)


def when_held(state: Goods) -> type[Held | Revoked]:
    """The state that these goods get if they are held."""
    return Revoked if were_called_back(state) else Held


def officers(state: Goods) -> tuple[Hold, ...]:
    """The open holds of officers."""
    return tuple([h for h in state.stated if is_for_an_officer(h.hold_id)])


def told_to_gate(state: Goods) -> dict[str, Told]:
    """Container → the last statement to the gate desk. A record of an older software version only says whether the gate desk
    knows that all containers must stay."""
    if state.gate or state.dossier.terms is None:
        return state.gate
    if not state.told:
        return dict.fromkeys(names(state.dossier), "freed") if isinstance(state, Released) else {}
    arrived = arrived_boxes(state.dossier)
    refused = isinstance(state, Refused)
    return {number: told_as(False, refused, number in arrived) for number in names(state.dossier)}


def told_as(released: bool, refused: bool, here: bool) -> Told:
    """The statement to the gate desk about a container with such goods. `here`: they have arrived in it."""
    if released:
        return "freed"
    if refused:
        return "refused here" if here else "refused"
    return "held here" if here else "held"


def names(dossier: Dossier) -> tuple[str, ...]:
    """The containers of the goods, as facts name them."""
    return tuple([shown(c.container_no, 17) for c in containers(dossier)])
