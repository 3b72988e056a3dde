"""Which facts has the release desk published about goods, and which statements has it made to the gate desk about their
containers?"""

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
GateStatement = Literal["held", "held here", "refused", "refused here", "freed", "not in it"]
"""The last statement to the gate desk about a container. `here`: the goods have arrived in it. `not in it`: they did not go into
it."""


@dataclass(frozen=True, slots=True)
class Case:
    """The fields of every state. `stated`: the holds that were published last; `lifted`: an officer's hold → the message that
    lifted it."""

    dossier: Dossier = NOTHING
    version: int = 0
    stated: tuple[Hold, ...] = ()
    lifted: dict[str, str] = field(default_factory=dict)
    told: bool = False
    """Only in records of an older software version: whether the gate desk knows that the containers must stay. `gate` replaces
    this field."""
    gate: dict[str, GateStatement] = field(default_factory=dict)
    """Container → the last statement to the gate desk about it."""
    retracted: dict[str, str] = field(default_factory=dict)
    """Message that lifted a hold wrongly → the request that took this back."""


@dataclass(frozen=True, slots=True)
class Held(Case):
    """The goods are held and were not released so far."""

    state: Literal["held"] = "held"
    revoked: bool = False
    """Only used in records, in which `Revoked` is stored as `Held`: `of_record` reads this field, and `for_record` writes it."""


@dataclass(frozen=True, slots=True)
class Revoked(Case):
    """The release was revoked and the goods are held again. The declaration cannot be withdrawn any more."""

    state: Literal["revoked"] = "revoked"


@dataclass(frozen=True, slots=True)
class Released(Case):
    """The goods may go. If holds are `stated`, only goods that have arrived may go.

    `boxes`: container → since when it is released; empty if an older software version did not store it, in which case
    no release lapses. `revisions`: the `revisions` of the published `ReleaseGranted`.
    """

    state: Literal["released"] = "released"
    boxes: dict[str, AwareDatetime] = field(default_factory=dict)
    revisions: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused(Case):
    """The goods are to be destroyed or returned, unless the failure is taken back. `cause`: the id of the hold that failed, empty
    in records of older software versions; `revoked`: whether a release was revoked before. The officers' holds stay in
    `stated`."""

    state: Literal["refused"] = "refused"
    cause: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn(Case):
    """The declarant withdrew the declaration. The goods are never released under it."""

    state: Literal["withdrawn"] = "withdrawn"


Goods = Held | Revoked | Released | Refused | Withdrawn


def of_record(state: S) -> S | Revoked:
    """Returns the state that a record contains."""
    return Revoked(**_case(state)) if isinstance(state, Held) and state.revoked else state


def for_record(state: S) -> S | Held:
    """Returns the state in the form in which records store it."""
    return Held(**_case(state), revoked=True) if isinstance(state, Revoked) else state


def _case(state: Case) -> dict[str, Any]:
    return {each.name: getattr(state, each.name) for each in fields(Case)}


def were_called_back(state: Goods) -> bool:
    """Returns whether a release of these goods was revoked and no other was granted since."""
    return isinstance(state, Revoked) or (isinstance(state, Refused) and state.revoked)


def held_class(state: Goods) -> type[Held | Revoked]:
    """Returns the class of the state that these goods get if they are held."""
    return Revoked if were_called_back(state) else Held


def officer_holds_of(state: Goods) -> tuple[Hold, ...]:
    """Returns the open holds of officers."""
    return tuple([h for h in state.stated if is_for_an_officer(h.hold_id)])


def gate_statements(state: Goods) -> dict[str, GateStatement]:
    """Returns container → the last statement to the gate desk. A record of an older software version only says whether the gate
    desk knows that all containers must stay."""
    if state.gate or state.dossier.terms is None:
        return state.gate
    if not state.told:
        return dict.fromkeys(names(state.dossier), "freed") if isinstance(state, Released) else {}
    arrived = arrived_boxes(state.dossier)
    refused = isinstance(state, Refused)
    return {
        number: gate_statement(released=False, refused=refused, here=number in arrived)
        for number in names(state.dossier)
    }


def gate_statement(*, released: bool, refused: bool, here: bool) -> GateStatement:
    """Returns the statement to the gate desk about a container whose goods are `released`, `refused`, or held if they
    are neither. `here`: whether the goods have arrived in the container."""
    if released:
        return "freed"
    if refused:
        return "refused here" if here else "refused"
    return "held here" if here else "held"


def names(dossier: Dossier) -> tuple[str, ...]:
    """Returns the numbers of the containers of the goods, as facts write them."""
    return tuple([shown(c.container_no, 17) for c in containers(dossier)])
