"""May these goods go? Only if no hold is open; of goods that have arrived in part, that part may go while the rest is still awaited. Anything
that is not known holds the goods.

One statement at a time is true: held (with the whole list of holds), released, revoked and held again, refused (until the failure is taken
back), or withdrawn. Each has a `version`, so that a consumer which reads two of them knows the later one. The statement is computed in
`services.release.settling`, and the facts are built in `services.release.statement`.
"""

from dataclasses import replace
from typing import Annotated, Any, assert_never

from pydantic import AfterValidator, Field, PlainSerializer, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.declaration import WithdrawalRequested
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    DepartureRetracted,
    GoodsTransferred,
    TransferRetracted,
)
from schemas.hold_ids import is_of_stripping
from schemas.inspection import (
    FindingsRetracted,
    InspectionFailed,
    InspectionPassed,
    PestIntercepted,
    RectificationRequested,
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
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    DeclarationWithdrawn,
    Hold,
    LiftHold,
    LiftRetracted,
    LiftWatch,
    PlaceHold,
    PlaceWatch,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
    RetractArrival,
    RetractLift,
    WatchLifted,
    WatchPlaced,
)
from schemas.risk import ConsignmentAssessed
from services.release.goods import (
    GateStatement,
    Goods,
    Held,
    Refused,
    Released,
    Revoked,
    Withdrawn,
    for_record,
    gate_statement,
    gate_statements,
    held_class,
    of_record,
    officer_holds_of,
    were_called_back,
)
from services.release.holds import Evidence, add_evidence
from services.release.lapses import lapse, lapse_limits
from services.release.messages import Input, OfGoods, Output, OutputOfGoods
from services.release.moves import leave_or_transfer, report_arrival, report_landing, retract_arrival, retract_landing
from services.release.orders import lift_hold, place_hold, retract_lift
from services.release.settling import assess, settle
from services.release.transfers import strippings_of_kept_boxes
from services.release.watches import Watching, answer_watch, keep_watch
from services.release.withdrawals import withdraw

REMEMBERED_LIFTS = 256
"""How many lifted holds of officers are remembered. If a request for a hold that is not remembered is repeated, it holds the goods again."""
NO_WATCHES = Watching()
State = Goods | Watching
"""The state of one consignment or, as `Watching`, the watches of a whole partition."""

__all__ = ["INITIAL", "STATE", "Input", "closed", "deadlines", "decide", "evolve"]

INITIAL: State = Held()
Recorded = Annotated[Held | Released | Refused | Withdrawn | Watching, Field(discriminator="state")]
"""The states in the form in which records store them. `Revoked` is stored as `Held` with a field."""
STATE: TypeAdapter[State] = state_adapter(
    Annotated[Recorded, AfterValidator(of_record), PlainSerializer(for_record, return_type=Recorded)]
)


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    if isinstance(message, PlaceWatch | LiftWatch):
        return answer_watch(_watching(state), message, hearing)
    return decide_goods(_goods(state), message, hearing)


def _watching(state: State) -> Watching:
    """Returns the state as watches. The key of a partition's watches is never a consignment id, so goods cannot have this state."""
    if isinstance(state, Watching):
        return state
    if state != INITIAL:
        raise TypeError("goods stand under the key of a partition's watches")
    return NO_WATCHES


def _goods(state: State) -> Goods:
    if isinstance(state, Watching):
        raise TypeError("a message about goods came under the key of a partition's watches")
    return state


def decide_goods(state: Goods, message: OfGoods, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the facts about the goods. `hearing.shared`: the watches of their partition."""
    match message:
        case ConsignmentAssessed():
            return assess(state, message, hearing)
        case (
            InspectionPassed()
            | InspectionFailed()
            | PestIntercepted()
            | RectificationRequested()
            | FindingsRetracted()
            | TreatmentVerified()
            | TreatmentAbandoned()
            | TreatmentReferred()
            | TreatmentRetracted()
            | TreatmentDecisionRetracted()
            | TreatmentOrdered()
            | TreatmentWaived()
            | QuarantineRefused()
        ):
            dossier = add_evidence(state.dossier, message, hearing.message_id)
            return settle(state, dossier, officer_holds_of(state), message.consignment_id, hearing)
        case (
            GoodsTransferred()
            | TransferRetracted()
            | ConsignmentGatedOut()
            | ConsignmentLeftUnreleased()
            | DepartureRetracted()
        ):
            return leave_or_transfer(state, message, hearing)
        case ContainerArrivalRetracted():
            return retract_landing(state, message, hearing)
        case ContainerArrived():
            return report_landing(state, message, hearing)
        case WithdrawalRequested():
            return withdraw(state, message, hearing)
        case ReportArrival():
            return report_arrival(state, message, hearing)
        case RetractArrival():
            return retract_arrival(state, message, hearing)
        case PlaceHold():
            return place_hold(state, message, hearing)
        case LiftHold():
            return lift_hold(state, message, hearing)
        case DeadlinePassed():
            return lapse(state, message, hearing)
        case RetractLift():
            return retract_lift(state, message, hearing)
        case _:
            assert_never(message)


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    if isinstance(message, WatchPlaced | WatchLifted):
        return keep_watch(_watching(state), message, hearing.message_id)
    if isinstance(state, Watching) or isinstance(message, PlaceWatch | LiftWatch):
        return state
    return evolve_goods(state, message, hearing)


def evolve_goods(state: Goods, message: OfGoods | OutputOfGoods, hearing: Hearing) -> Goods:
    """Returns the state of the goods after this message."""
    match message:
        case (
            # the assessment of refused goods is noted, too, because the gate desk must know which containers they are in
            ConsignmentAssessed()
            | InspectionPassed()
            | InspectionFailed()
            | PestIntercepted()
            | RectificationRequested()
            | FindingsRetracted()
            | TreatmentVerified()
            | TreatmentAbandoned()
            | TreatmentReferred()
            | TreatmentRetracted()
            | TreatmentDecisionRetracted()
            | TreatmentOrdered()
            | TreatmentWaived()
            | QuarantineRefused()
            | ContainerArrived()
            | ContainerArrivalRetracted()
            | GoodsTransferred()
            | TransferRetracted()
            | ConsignmentGatedOut()
            | ConsignmentLeftUnreleased()
            | DepartureRetracted()
        ):
            return state if isinstance(state, Withdrawn) else _with_evidence(state, message, hearing)
        case WithdrawalRequested():
            # only goods that were never released keep the request; in every other state, also as `Revoked`, it is refused at once
            return _with_evidence(state, message, hearing) if isinstance(state, Held) else state
        case ArrivalRecorded() | ArrivalRetracted():
            return _with_evidence(state, message, hearing)
        case ConsignmentHeld():
            return held_class(state)(**_case_fields(state, message.version, message.holds, hearing))
        case ReleaseGranted():
            before = state.boxes if isinstance(state, Released) else {}
            released_since = {number: before.get(number, message.occurred_at) for number in message.containers}
            return Released(
                **_case_fields(state, message.version, message.holds, hearing),
                boxes=released_since,
                revisions=message.revisions or {},
            )
        case ReleaseRevoked():
            return Revoked(**_case_fields(state, message.version, (), hearing))
        case ReleaseRefused():
            stated = _case_fields(state, message.version, message.holds, hearing)
            return Refused(**stated, cause=message.cause, revoked=were_called_back(state))
        case RefusalRevoked():
            return held_class(state)(**_case_fields(state, message.version, officer_holds_of(state), hearing))
        case LiftRetracted():
            lifted = {hold_id: lifting for hold_id, lifting in state.lifted.items() if hold_id != message.hold_id}
            known = [*state.retracted.items(), (message.wrong, hearing.message_id)]
            return replace(state, lifted=lifted, retracted=dict(known[-REMEMBERED_LIFTS:]))
        case DeclarationWithdrawn():
            return Withdrawn(**_case_fields(state, message.version, (), hearing))
        case ContainerHeld():
            statement = gate_statement(released=False, refused=message.refused, here=message.arrived_at is not None)
            changed = _with_gate_statement(state, message.container_no, statement)
            return replace(changed, version=message.version) if message.version > state.version else changed
        case ContainerFreed():
            statement_now: GateStatement = "freed" if message.released else "not in it"
            changed = _with_gate_statement(state, message.container_no, statement_now)
            return replace(changed, version=message.version) if message.version > state.version else changed
        case RequestRefused():
            remaining = tuple([w for w in state.dossier.withdrawals if shown(w.request_id, 200) != message.request_id])
            if isinstance(state, Withdrawn) or len(remaining) == len(state.dossier.withdrawals):
                return state
            return replace(state, dossier=state.dossier._replace(withdrawals=remaining))
        case ReportArrival() | RetractArrival() | PlaceHold() | LiftHold() | RetractLift() | DeadlinePassed():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns one time limit, at which the first unused release of these goods lapses; none if they have no such release. A hold has no time limit
    here; the desk of its owner has one."""
    ends = {} if isinstance(state, Watching) else lapse_limits(state)
    return (Deadline("lapse", min([limit.due for limit in ends.values()])),) if ends else ()


def closed(state: State) -> bool:
    """Returns whether the declaration was withdrawn. Other goods stay open, because a release or a refusal may still be revoked."""
    return isinstance(state, Withdrawn)


def _with_evidence(state: Goods, fact: Evidence, hearing: Hearing) -> Goods:
    """Returns the state with this message added to its dossier; the same object if the message changes nothing."""
    dossier = add_evidence(state.dossier, fact, hearing.message_id)
    return state if dossier is state.dossier else replace(state, dossier=dossier)


def _case_fields(state: Goods, version: int, holds: tuple[Hold, ...], hearing: Hearing) -> dict[str, Any]:
    """Returns the fields of `Case` after a statement in this version with these holds. Holds of officers that the statement no longer has were
    lifted by the present message, except the hold for a stripping that was taken back: nobody lifted it, so no request opens it again."""
    still, stripped = {h.hold_id for h in holds}, strippings_of_kept_boxes(state.dossier)
    ended = [h.hold_id for h in officer_holds_of(state) if h.hold_id not in still]
    lifted_now = {name: hearing.message_id for name in ended if not is_of_stripping(name) or name in stripped}
    lifted = dict([*state.lifted.items(), *lifted_now.items()][-REMEMBERED_LIFTS:]) if lifted_now else state.lifted
    return {
        "dossier": state.dossier,
        "version": version,
        "stated": holds,
        "lifted": lifted,
        "gate": gate_statements(state),
        "retracted": state.retracted,
    }


def _with_gate_statement(state: Goods, number: str, statement: GateStatement) -> Goods:
    # `told` is only in records of an older software version. `gate` now says of each container what `told` said of all.
    return replace(state, told=False, gate={**gate_statements(state), number: statement})
