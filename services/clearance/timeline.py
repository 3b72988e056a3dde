"""When did each consignment pass each stage, and how long did each stage take?

Hears the facts of all desks in any order and says nothing. Definitions: GACC statistics office 2016 (customs and overall
clearance time), WCO Time Release Study guide v3.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple, assert_never, overload

from pydantic import AwareDatetime, TypeAdapter

from schemas.declaration import DeclarationAccepted, DeclarationRejected
from schemas.envelope import Deadline, Fact, Hearing
from schemas.gate import ConsignmentGatedOut, ConsignmentLeftUnreleased, DepartureRetracted
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

End = Literal["released", "rejected", "refused", "withdrawn", "left_unreleased"]


class Timeline(NamedTuple):
    """The first time each thing happened, and the labels to count it under; `controlled`, `treated`: the last answer.

    `arrived`, `released`: when everything was; `first_arrived`: the first part, `first_released`: the first part that was
    released before the rest. `stated`: the end by the release desk's statement of the highest version, `end` the same unless the
    goods `left` without release. `corrections`: facts by which a desk took an answer back; no time that was passed is undone by
    them. A record of it is a list in this order, which begins with what tells since when it is open; a field that is added comes last.
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
    stated: End | None = None
    first_arrived: AwareDatetime | None = None
    first_released: AwareDatetime | None = None
    boxes: int = 0
    """Containers of the whole release; 0 where an earlier release did not keep them."""
    departed: dict[str, AwareDatetime] = {}  # noqa: RUF012  (never changed in place)
    left: dict[str, AwareDatetime] = {}  # noqa: RUF012
    arrival_recorded: AwareDatetime | None = None
    """When the arrival that ended last was recorded, and below the departure."""
    departure_recorded: AwareDatetime | None = None
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
    | ConsignmentLeftUnreleased
    | DepartureRetracted
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
            again = (
                {"stated": None, "end": None, "ended": None} if state.end == "rejected" else {}
            )  # a corrected declaration stands
            return _with(state, accepted=at, office=said.customs_office, mode=said.transport_mode, **again)
        case DeclarationRejected():
            said = message.declaration
            return _with(
                state, ended=at, stated="rejected", end="rejected", office=said.customs_office, mode=said.transport_mode
            )
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
            return _arrived(state, at, hearing)
        case ReleaseGranted():
            return _granted(state, message)
        case ReleaseRefused():  # said again when officers' holds on the goods changed
            since = state.ended if state.stated == "refused" and state.ended else at
            return _ended(state, "refused", since, message.version)
        case DeclarationWithdrawn():
            return _ended(state, "withdrawn", at, message.version)
        case ReleaseRevoked() | RefusalRevoked():
            return _ended(state, None, at, message.version)
        case ConsignmentGatedOut() | ConsignmentLeftUnreleased():
            unreleased = isinstance(message, ConsignmentLeftUnreleased) or not message.released
            return _departed(state, message.container_no, at, unreleased, hearing)
        case DepartureRetracted():
            return _came_back(state, message.container_no)
        case _:
            assert_never(message)


def stage_seconds(told: Timeline) -> dict[str, float]:
    """Seconds of each stage of a released consignment, by name; never negative.

    assessment: accepted → assessed. control: first order → last answer. treatment: first order, or question to an officer → last verdict.
    customs: max(accepted, arrived) → released. customs_raw: accepted → released. overall: arrived → released. first_part, of goods
    that arrived in parts: max(accepted, first part arrived) → first part released; all others end with the last part.
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
        "first_part": (
            max(told.accepted, told.first_arrived) if told.accepted and told.first_arrived else None,
            told.first_released,
        ),
    }
    return {name: max(0.0, (end - start).total_seconds()) for name, (start, end) in spans.items() if start and end}


def gate_seconds(told: Timeline) -> float | None:
    """Seconds from release until the last container passed the gate, once all of that is known."""
    if told.released and told.gated_out and len(told.departed) >= told.boxes:
        return max(0.0, (told.gated_out - told.released).total_seconds())
    return None


def late_seconds(told: Timeline) -> dict[str, float]:
    """By how many seconds the last arrival and the last departure were recorded after they had happened, where that is known."""
    last = max([*told.departed.values(), *told.left.values()], default=None)
    spans = {"arrival": (told.arrived, told.arrival_recorded), "departure": (last, told.departure_recorded)}
    return {
        name: max(0.0, (recorded - event).total_seconds())
        for name, (event, recorded) in spans.items()
        if event and recorded
    }


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
    return _at_last(_with(state, stated=end, ended=at if end else None, end_version=version))


def _at_last(state: Timeline) -> Timeline:
    """Goods that left unreleased have that end, whatever was stated since, until it is found to be wrong."""
    end = "left_unreleased" if state.left else state.stated
    return state if end == state.end else state._replace(end=end)


def _arrived(state: Timeline, at: datetime, hearing: Hearing) -> Timeline:
    first = _earlier(state.first_arrived or state.arrived, at)
    if state.arrived is not None and at < state.arrived:
        return _with(state, first_arrived=first)
    recorded = _later(state.arrival_recorded, hearing.recorded) if at == state.arrived else hearing.recorded
    return _with(state, arrived=at, first_arrived=first, arrival_recorded=recorded)


def _granted(state: Timeline, granted: ReleaseGranted) -> Timeline:
    at, version = granted.occurred_at, granted.version
    if granted.holds:  # the rest has not arrived
        return _ended(_with(state, first_released=_earlier(state.first_released, at)), None, at, version)
    known = _with(state, released=_earlier(state.released, at), boxes=max(state.boxes, len(granted.containers)))
    return _ended(known, "released", at, version)


def _departed(state: Timeline, container_no: str, at: datetime, unreleased: bool, hearing: Hearing) -> Timeline:
    last = max([*state.departed.values(), *state.left.values()], default=at)
    recorded = hearing.recorded if at >= last else state.departure_recorded
    if unreleased:
        left = {**state.left, container_no: at}
        return _at_last(_with(_kept(state), left=left, departure_recorded=recorded))
    departed = {**state.departed, container_no: at}
    return _with(state, departed=departed, gated_out=max(departed.values()), departure_recorded=recorded)


def _came_back(state: Timeline, container_no: str) -> Timeline:
    departed = {number: at for number, at in state.departed.items() if number != container_no}
    left = {number: at for number, at in state.left.items() if number != container_no}
    out = max(departed.values(), default=None)
    return _at_last(_with(_kept(state), departed=departed, left=left, gated_out=out))


def _kept(state: Timeline) -> Timeline:
    """An earlier release kept the end that was stated in `end` only."""
    if state.stated is None and state.end not in (None, "left_unreleased"):
        return state._replace(stated=state.end)
    return state


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


@overload
def _later(known: datetime | None, at: datetime) -> datetime: ...
@overload
def _later(known: datetime | None, at: datetime | None) -> datetime | None: ...
def _later(known: datetime | None, at: datetime | None) -> datetime | None:
    if known is None or at is None:
        return known or at
    return max(known, at)
