"""When did each consignment pass each step, and how long did each span between two steps take?

The service reads the facts of all desks, and publishes nothing. Facts of different topics come in any order.
`schemas.spans` defines the times that are measured.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple, assert_never, overload

from pydantic import AwareDatetime, TypeAdapter

from schemas.declaration import Declaration, DeclarationAccepted, DeclarationRejected
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
    ArrivalRetracted,
    DeclarationWithdrawn,
    LiftRetracted,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
)
from schemas.risk import ConsignmentAssessed
from schemas.spans import SPANS, Moments, seconds_of

End = Literal["released", "rejected", "refused", "withdrawn", "left_unreleased"]


class ClearanceTimeline(NamedTuple):
    """When each step of one consignment happened, and the labels under which it is counted. Times are event times. For
    most steps the first time counts; for `arrived`, `control_answered`, `treatment_ended` and `gated_out` the last time
    counts.

    `arrived`, `released`: when all goods had arrived or were released; `first_arrived`: when the first part arrived;
    `first_released`: when a part was released before the rest. `stated`: the end according to the release desk's
    statement with the highest version (`end_version`), or `rejected` by the declaration desk. `end`: equal to `stated`,
    or `left_unreleased` if goods left without release. `left`: container → time at which it left without release.
    `corrections`: how many facts took an answer, a lift or an arrival back. Of these facts, only a retracted arrival
    changes stored times.

    A stored record is a list of the fields in this order. The fields that say since when the goods are open come first,
    and a new field is added at the end.
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
    control_answered: AwareDatetime | None = None
    treatment_ordered: AwareDatetime | None = None
    treatment_ended: AwareDatetime | None = None
    released: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    gated_out: AwareDatetime | None = None
    stated: End | None = None
    first_arrived: AwareDatetime | None = None
    first_released: AwareDatetime | None = None
    boxes: int = 0
    """The number of containers of the complete release; 0 if an older software version made the record and did not
    store the number."""
    departed: dict[str, AwareDatetime] = {}  # noqa: RUF012  (never changed in place)
    left: dict[str, AwareDatetime] = {}  # noqa: RUF012
    arrival_recorded: AwareDatetime | None = None
    """The time at which the last arrival was recorded (its event time is `arrived`)."""
    departure_recorded: AwareDatetime | None = None
    """The time at which the last departure was recorded."""
    corrections: int = 0
    direction: str = ""
    """`I` or `E`; empty if an older software version made the record and did not store the direction."""


State = ClearanceTimeline
Input = (
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
    | ArrivalRetracted
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

INITIAL: State = ClearanceTimeline()
STATE: TypeAdapter[State] = TypeAdapter(ClearanceTimeline)


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns no facts, because this service only measures."""
    return ()


def evolve(state: State, message: Input, hearing: Hearing) -> State:
    at = message.occurred_at
    match message:
        case DeclarationAccepted():
            declaration = message.declaration
            # a declaration that was rejected before has been corrected, so its timeline goes on
            corrected = state.end == "rejected"
            again = {"stated": None, "end": None, "ended": None} if corrected else {}
            return _with(state, accepted=at, **_labels(declaration), **again)
        case DeclarationRejected():
            declaration = message.declaration
            return _with(state, ended=at, stated="rejected", end="rejected", **_labels(declaration))
        case ConsignmentAssessed():
            return _with(state, assessed=at, lane=message.lane.value, **_labels(message))
        case InspectionOrdered():
            return _with(state, ordered=_earlier(state.ordered, at))
        case InspectionPassed() | InspectionFailed() | PestIntercepted():
            return _with(state, control_answered=_later(state.control_answered, at))
        case FindingsRetracted() | TreatmentRetracted() | TreatmentDecisionRetracted() | LiftRetracted():
            return _with(state, corrections=state.corrections + 1)
        case TreatmentOrdered() | TreatmentReferred():
            return _with(state, treatment_ordered=_earlier(state.treatment_ordered, at))
        case TreatmentVerified() | TreatmentAbandoned() | TreatmentWaived() | QuarantineRefused():
            return _with(state, treatment_ended=_later(state.treatment_ended, at))
        case ArrivalRecorded() | ArrivalRetracted():
            return _arrived(state, message, hearing)
        case ReleaseGranted():
            return _granted(state, message)
        case ReleaseRefused():
            # The release desk publishes the fact again if the holds of officers change. The time of the first one counts.
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


def span_seconds(timeline: ClearanceTimeline) -> dict[str, float]:
    """Returns name of a span → its seconds, for a released consignment. Names and definitions are those of
    `schemas.spans`. The span `gate` is left out."""
    moments = _moments(timeline)
    found = {span.name: span.seconds(moments) for span in SPANS if span.name != "gate"}
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def gate_seconds(timeline: ClearanceTimeline) -> float | None:
    """Returns the seconds from the release until the last container passed the gate; None while a container has not
    passed it."""
    return seconds_of("gate", _moments(timeline)) if len(timeline.departed) >= timeline.boxes else None


def _moments(timeline: ClearanceTimeline) -> Moments:
    return Moments(*[getattr(timeline, name) for name in Moments._fields])


def late_seconds(timeline: ClearanceTimeline) -> dict[str, float]:
    """Returns how many seconds after the event the last arrival (`arrival`) and the last departure (`departure`) were
    recorded. A value that is not known is left out."""
    last = max([*timeline.departed.values(), *timeline.left.values()], default=None)
    spans = {"arrival": (timeline.arrived, timeline.arrival_recorded), "departure": (last, timeline.departure_recorded)}
    return {
        name: max(0.0, (recorded - event).total_seconds())
        for name, (event, recorded) in spans.items()
        if event and recorded
    }


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns no time limits."""
    return ()


def closed(state: State) -> bool:
    """Returns whether the declaration was rejected or withdrawn. Other consignments stay open, because a release may be
    revoked, released goods may pass the gate, and a refusal may be taken back."""
    return state.end in ("rejected", "withdrawn")


def _labels(goods: Declaration | ConsignmentAssessed) -> dict[str, str]:
    return {"office": goods.customs_office, "mode": goods.transport_mode, "direction": goods.direction.value}


def _with(state: ClearanceTimeline, **changes: Any) -> ClearanceTimeline:
    changed = state._replace(**changes)
    return state if changed == state else changed


def _ended(state: ClearanceTimeline, end: End | None, at: datetime, version: int) -> ClearanceTimeline:
    if version <= state.end_version:
        return state
    return _at_last(_with(state, stated=end, ended=at if end else None, end_version=version))


def _at_last(state: ClearanceTimeline) -> ClearanceTimeline:
    """Returns the state with the end that counts. If goods left without release, this is their end until the departure
    is retracted, whatever the release desk states later."""
    end = "left_unreleased" if state.left else state.stated
    return state if end == state.end else state._replace(end=end)


def _arrived(state: ClearanceTimeline, fact: ArrivalRecorded | ArrivalRetracted, hearing: Hearing) -> ClearanceTimeline:
    if isinstance(fact, ArrivalRetracted):
        return _did_not_arrive(state, fact)
    at = fact.occurred_at
    first = _earlier(state.first_arrived or state.arrived, at)
    if state.arrived is not None and at < state.arrived:
        return _with(state, first_arrived=first)
    recorded = _later(state.arrival_recorded, hearing.recorded) if at == state.arrived else hearing.recorded
    return _with(state, arrived=at, first_arrived=first, arrival_recorded=recorded)


def _did_not_arrive(state: ClearanceTimeline, retracted: ArrivalRetracted) -> ClearanceTimeline:
    """Returns the state after an arrival was retracted. The retraction states the first and the last arrival that still
    stand, and these times replace the stored ones. It does not state when the last arrival was recorded, so that time
    is kept only if the last arrival stays the same."""
    standing = retracted.arrived_at
    recorded = state.arrival_recorded if standing is not None and standing == state.arrived else None
    first = retracted.first_arrived_at
    corrections = state.corrections + 1
    return _with(state, arrived=standing, first_arrived=first, arrival_recorded=recorded, corrections=corrections)


def _granted(state: ClearanceTimeline, granted: ReleaseGranted) -> ClearanceTimeline:
    at, version = granted.occurred_at, granted.version
    if granted.holds:  # only a part is released, because the rest has not arrived
        return _ended(_with(state, first_released=_earlier(state.first_released, at)), None, at, version)
    known = _with(
        state,
        released=_earlier(state.released, at),
        boxes=max(state.boxes, len(granted.containers)),
        direction=state.direction or granted.direction.value,
    )
    return _ended(known, "released", at, version)


def _departed(
    state: ClearanceTimeline, container_no: str, at: datetime, unreleased: bool, hearing: Hearing
) -> ClearanceTimeline:
    last = max([*state.departed.values(), *state.left.values()], default=at)
    recorded = hearing.recorded if at >= last else state.departure_recorded
    if unreleased:
        left = {**state.left, container_no: at}
        return _at_last(_with(_kept(state), left=left, departure_recorded=recorded))
    departed = {**state.departed, container_no: at}
    return _with(state, departed=departed, gated_out=max(departed.values()), departure_recorded=recorded)


def _came_back(state: ClearanceTimeline, container_no: str) -> ClearanceTimeline:
    departed = {number: at for number, at in state.departed.items() if number != container_no}
    left = {number: at for number, at in state.left.items() if number != container_no}
    out = max(departed.values(), default=None)
    return _at_last(_with(_kept(state), departed=departed, left=left, gated_out=out))


def _kept(state: ClearanceTimeline) -> ClearanceTimeline:
    """Returns the state with `stated` filled in, because an older software version stored the release desk's statement
    only in `end`."""
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
