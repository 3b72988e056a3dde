"""When did each consignment pass each stage, and how long did each stage take?

Hears the facts of all desks in any order and says nothing. Definitions: GACC statistics office 2016 (customs and overall
clearance time), WCO Time Release Study guide v3.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple, assert_never

from pydantic import AwareDatetime, TypeAdapter

from schemas.declaration import DeclarationAccepted, DeclarationRejected
from schemas.envelope import Deadline, Fact, Hearing
from schemas.gate import ConsignmentGatedOut
from schemas.inspection import (
    FindingsRetracted,
    InspectionFailed,
    InspectionOrdered,
    InspectionPassed,
    PestIntercepted,
)
from schemas.quarantine import (
    QuarantineRefused,
    TreatmentAbandoned,
    TreatmentDecisionRetracted,
    TreatmentOrdered,
    TreatmentReferred,
    TreatmentRetracted,
    TreatmentVerified,
    TreatmentWaived,
)
from schemas.release import (
    ArrivalRecorded,
    DeclarationWithdrawn,
    LiftRetracted,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
)
from schemas.risk import ConsignmentAssessed

End = Literal["released", "rejected", "refused", "withdrawn"]


class Timeline(NamedTuple):
    """The first time each thing happened, and the labels to count it under; `controlled`, `treated`: the last answer.

    `corrections`: facts by which a desk took an answer back; no time that was passed is undone by them. `end` follows the release desk's statement of the highest version. A record of it is a list in this order, which
    begins with what tells since when it is open; a field that is added comes last.
    """

    accepted: AwareDatetime | None = None
    assessed: AwareDatetime | None = None
    arrived: AwareDatetime | None = None
    end: End | None = None
    end_version: int = 0
    office: str = ""
    mode: str = ""
    lane: str = ""
    ordered: AwareDatetime | None = None
    controlled: AwareDatetime | None = None
    treatment_ordered: AwareDatetime | None = None
    treated: AwareDatetime | None = None
    released: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    gated_out: AwareDatetime | None = None
    corrections: int = 0


State = Timeline
Heard = (
    DeclarationAccepted
    | DeclarationRejected
    | ConsignmentAssessed
    | InspectionOrdered
    | InspectionPassed
    | InspectionFailed
    | PestIntercepted
    | FindingsRetracted
    | TreatmentOrdered
    | TreatmentVerified
    | TreatmentAbandoned
    | TreatmentReferred
    | TreatmentRetracted
    | TreatmentDecisionRetracted
    | TreatmentWaived
    | QuarantineRefused
    | ArrivalRecorded
    | ReleaseGranted
    | ReleaseRefused
    | ReleaseRevoked
    | RefusalRevoked
    | LiftRetracted
    | DeclarationWithdrawn
    | ConsignmentGatedOut
)

INITIAL: State = Timeline()
STATE: TypeAdapter[State] = TypeAdapter(Timeline)


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    """Nothing: this service only watches."""
    return ()


def evolve(state: State, message: Heard, hearing: Hearing) -> State:
    at = message.occurred_at
    match message:
        case DeclarationAccepted():
            said = message.declaration
            again = {"end": None, "ended": None} if state.end == "rejected" else {}  # a corrected declaration stands
            return _with(state, accepted=at, office=said.customs_office, mode=said.transport_mode, **again)
        case DeclarationRejected():
            said = message.declaration
            return _with(state, ended=at, end="rejected", office=said.customs_office, mode=said.transport_mode)
        case ConsignmentAssessed():
            return _with(
                state, assessed=at, lane=message.lane.value, office=message.customs_office, mode=message.transport_mode
            )
        case InspectionOrdered():
            return _with(state, ordered=_earlier(state.ordered, at))
        case InspectionPassed() | InspectionFailed() | PestIntercepted():
            return _with(state, controlled=_later(state.controlled, at))
        case FindingsRetracted() | TreatmentRetracted() | TreatmentDecisionRetracted() | LiftRetracted():
            return _with(state, corrections=state.corrections + 1)
        case TreatmentOrdered() | TreatmentReferred():
            return _with(state, treatment_ordered=_earlier(state.treatment_ordered, at))
        case TreatmentVerified() | TreatmentAbandoned() | TreatmentWaived() | QuarantineRefused():
            return _with(state, treated=_later(state.treated, at))
        case ArrivalRecorded():
            return _with(state, arrived=at)
        case ReleaseGranted():
            released = _earlier(state.released, at)
            return _ended(_with(state, released=released), "released", at, message.version)
        case ReleaseRefused():
            return _ended(state, "refused", at, message.version)
        case DeclarationWithdrawn():
            return _ended(state, "withdrawn", at, message.version)
        case ReleaseRevoked() | RefusalRevoked():
            return _ended(state, None, at, message.version)
        case ConsignmentGatedOut():
            return _with(state, gated_out=_later(state.gated_out, at))
        case _:
            assert_never(message)


def stage_seconds(told: Timeline) -> dict[str, float]:
    """Seconds of each stage of a released consignment, by name; never negative.

    assessment: accepted → assessed. control: first order → last answer. treatment: first order, or question to an officer → last verdict.
    customs: max(accepted, arrived) → released. customs_raw: accepted → released. overall: arrived → released.
    """
    spans: dict[str, tuple[datetime | None, datetime | None]] = {
        "assessment": (told.accepted, told.assessed),
        "control": (told.ordered, told.controlled),
        "treatment": (told.treatment_ordered, told.treated),
        "customs": (
            max(told.accepted, told.arrived) if told.accepted and told.arrived else None,
            told.released,
        ),
        "customs_raw": (told.accepted, told.released),
        "overall": (told.arrived, told.released),
    }
    return {name: max(0.0, (end - start).total_seconds()) for name, (start, end) in spans.items() if start and end}


def gate_seconds(told: Timeline) -> float | None:
    """Seconds from release to the gate, once both are known."""
    if told.released and told.gated_out:
        return max(0.0, (told.gated_out - told.released).total_seconds())
    return None


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None."""
    return ()


def closed(state: State) -> bool:
    """After an end that nothing can call back; released goods may still be revoked or leave the gate, and a refusal taken back."""
    return state.end in ("rejected", "withdrawn")


def _with(state: Timeline, **changes: Any) -> Timeline:
    changed = state._replace(**changes)
    return state if changed == state else changed


def _ended(state: Timeline, end: End | None, at: datetime, version: int) -> Timeline:
    if version <= state.end_version:
        return state
    return _with(state, end=end, ended=at if end else None, end_version=version)


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


def _later(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else max(known, at)
