"""May this container leave the port? Only when every consignment in it is released; an unknown container stays.

Only changes of mind are published: a container of which nothing was said must stay.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.iso6346 import is_well_formed
from schemas.envelope import Deadline, Fact, Hearing, RequestRefused
from schemas.gate import (
    ConsignmentGatedOut,
    ContainerGatedOut,
    ContainerMayLeave,
    ContainerMustStay,
    GateAlarmRaised,
    RecordGateOut,
)
from schemas.release import ContainerFreed, ContainerHeld

MOST_PARTS = 500
"""Consignments that a container is known to hold at once; a box that more declarations name is no stuffing that one could check."""
TOO_MANY = (
    f"more than {MOST_PARTS} consignments name this container; it stays until it was looked into 货物过多，须核查"
)
REMEMBERED_DEPARTURES = 50
"""How many consignments of earlier departures a container remembers beside all of its last one; older ones are over for good."""


@dataclass(frozen=True, slots=True)
class Part:
    """One consignment in the container. `standing`: what the release desk said in `version`, its latest statement."""

    consignment_id: str
    version: int
    shared_by: int
    standing: Literal["held", "released", "withdrawn"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """What every state carries. `gone`: consignments that left in this container before; `exit_request`: the last gate-out.

    `overfull`: statements about more consignments came than are kept, so that not all of them can be known to be released.
    """

    parts: tuple[Part, ...] = ()
    version: int = 0
    gone: tuple[str, ...] = ()
    exit_request: str = ""
    overfull: bool = False


@dataclass(frozen=True, slots=True)
class Staying(Box):
    """The container may not leave, or nothing is known of it."""

    state: Literal["staying"] = "staying"


@dataclass(frozen=True, slots=True)
class Free(Box):
    """Every consignment in it is released: it may leave."""

    state: Literal["free"] = "free"


@dataclass(frozen=True, slots=True)
class Outside(Box):
    """It passed the gate outbound and has no new consignment yet."""

    state: Literal["outside"] = "outside"


State = Staying | Free | Outside
Heard = ContainerHeld | ContainerFreed | RecordGateOut
Said = (
    ContainerMayLeave | ContainerMustStay | ContainerGatedOut | GateAlarmRaised | ConsignmentGatedOut | RequestRefused
)

INITIAL: State = Staying()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case ContainerHeld() | ContainerFreed():
            return reconsider(state, message, hearing)
        case RecordGateOut():
            return pass_gate(state, message, hearing)
        case _:
            assert_never(message)


def reconsider(state: State, message: ContainerHeld | ContainerFreed, hearing: Hearing) -> tuple[Fact, ...]:
    """A change of mind, if the release desk's statement makes one. A container that becomes overfull must stay: said once."""
    parts, overfull = _with(state, message)
    if overfull:
        return () if state.overfull else (_stays(state, message.container_no, parts, TOO_MANY, hearing),)
    match state:
        case Free():
            if may_leave(parts):
                return ()
            reason = next((p.reason for p in parts if p.standing == "held"), "another consignment is awaited")
            return (_stays(state, message.container_no, parts, shown(reason, breaks=True) or "held", hearing),)
        case Staying() | Outside():
            if not may_leave(parts):
                return ()
            leave = ContainerMayLeave(
                container_no=message.container_no,
                occurred_at=hearing.at,
                version=state.version + 1,
                consignments=tuple([p.consignment_id for p in parts if p.standing == "released"]),
            )
            return (leave,)
        case _:
            assert_never(state)


def pass_gate(state: State, out: RecordGateOut, hearing: Hearing) -> tuple[Fact, ...]:
    """The container is outside now: rightly, or with an alarm. A number that is none, and of which no desk has told, is sent
    back to the terminal; a wrong check digit keeps nothing inside that was declared and released under the same number."""
    if state.exit_request == hearing.message_id:
        return ()
    if state == INITIAL and not is_well_formed(out.container_no):
        return (_refused(out, hearing, "container_malformed", f"{out.container_no!r} is no number of a container"),)
    match state:
        case Outside():
            return (_refused(out, hearing, "already_gated_out", "it left before, and nothing new was declared in it"),)
        case Free():
            consignments = tuple([p.consignment_id for p in state.parts if p.standing == "released"])
            passed: Fact = ContainerGatedOut(
                container_no=out.container_no, occurred_at=hearing.at, gate=out.gate, consignments=consignments
            )
        case Staying():
            waiting = keepers(state.parts)
            passed = GateAlarmRaised(
                container_no=out.container_no,
                occurred_at=hearing.at,
                gate=out.gate,
                waiting_for=waiting,
                reason="left without release" if state.parts else "left, and no declaration is known for it",
            )
        case _:
            assert_never(state)
    departures = [
        ConsignmentGatedOut(
            consignment_id=p.consignment_id,
            occurred_at=hearing.at,
            container_no=out.container_no,
            released=p.standing == "released",
        )
        for p in state.parts
        if p.standing != "withdrawn"
    ]
    return (passed, *departures)


def may_leave(parts: tuple[Part, ...]) -> bool:
    """Somebody is released in it, nobody is held, and as many are released as the manifest puts into it."""
    counted = [p for p in parts if p.standing != "withdrawn"]
    if not counted or any(p.standing == "held" for p in counted):
        return False
    return len(counted) >= max(p.shared_by for p in counted)


def keepers(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """The consignments that keep the container; empty when only undeclared ones are missing."""
    return tuple([p.consignment_id for p in parts if p.standing == "held"])


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case ContainerHeld() | ContainerFreed():
            parts, overfull = _with(state, message)
            if parts == state.parts and overfull == state.overfull:
                return state
            if isinstance(state, Outside):
                state = Staying(version=state.version, gone=state.gone, exit_request=state.exit_request)
            return replace(state, parts=parts, overfull=overfull)
        case ContainerMayLeave():
            return Free(parts=state.parts, version=message.version, gone=state.gone, exit_request=state.exit_request)
        case ContainerMustStay():
            return Staying(
                parts=state.parts,
                version=message.version,
                gone=state.gone,
                exit_request=state.exit_request,
                overfull=state.overfull,
            )
        case ContainerGatedOut() | GateAlarmRaised():
            gone = (*state.gone[-REMEMBERED_DEPARTURES:], *[p.consignment_id for p in state.parts])
            return Outside(version=state.version, gone=gone, exit_request=hearing.message_id)
        case RecordGateOut() | ConsignmentGatedOut() | RequestRefused():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None: a container stays as long as it must."""
    return ()


def closed(state: State) -> bool:
    """Never: containers come back."""
    return False


def _with(state: State, message: ContainerHeld | ContainerFreed) -> tuple[tuple[Part, ...], bool]:
    """The parts after this statement, and whether more were named than are kept.

    An older statement than the one known, or about goods that left, changes nothing. Where there are too many, withdrawn
    ones make room first, since they count for nothing.
    """
    if message.consignment_id in state.gone:
        return state.parts, state.overfull
    known = next((p for p in state.parts if p.consignment_id == message.consignment_id), None)
    if known is not None and known.version >= message.version:
        return state.parts, state.overfull
    kept = state.parts
    if known is None and len(kept) >= MOST_PARTS:
        if isinstance(message, ContainerFreed) and not message.released:
            return state.parts, state.overfull
        kept = tuple([p for p in kept if p.standing != "withdrawn"])
        if len(kept) >= MOST_PARTS:
            return state.parts, True
    match message:
        case ContainerHeld():
            part = Part(
                consignment_id=message.consignment_id,
                version=message.version,
                shared_by=message.shared_by,
                standing="held",
                reason=shown(message.reason, breaks=True),
            )
        case ContainerFreed():
            part = Part(
                consignment_id=message.consignment_id,
                version=message.version,
                shared_by=message.shared_by,
                standing="released" if message.released else "withdrawn",
            )
        case _:
            assert_never(message)
    others = [p for p in kept if p.consignment_id != message.consignment_id]
    return tuple(sorted([*others, part], key=lambda p: p.consignment_id)), state.overfull


def _stays(
    state: State, container_no: str, parts: tuple[Part, ...], reason: str, hearing: Hearing
) -> ContainerMustStay:
    return ContainerMustStay(
        container_no=container_no,
        occurred_at=hearing.at,
        version=state.version + 1,
        waiting_for=keepers(parts),
        reason=reason,
    )


def _refused(out: RecordGateOut, hearing: Hearing, code: str, seen: str) -> RequestRefused:
    return RequestRefused(
        occurred_at=hearing.at,
        subject=out.container_no,
        request_id=hearing.message_id,
        request_kind=out.kind,
        code=code,
        reason=seen[:500],
    )
