"""May these goods go? They may only if every hold is lifted. Anything that is not known holds them.

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
    of_record,
    officers,
    told_as,
    told_to_gate,
    were_called_back,
    when_held,
)
from services.release.holds import Evidence, learn
from services.release.lapses import lapse, limits
from services.release.messages import Input, OfGoods, Output, OutputOfGoods
from services.release.moves import arrive, depart, land, not_landed, take_back
from services.release.orders import hold, lift, put_back
from services.release.settling import assess, settle
from services.release.watches import Watching, answer, keep
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
        return answer(_watching(state), message, hearing)
    return decide_goods(_goods(state), message, hearing)


def _watching(state: State) -> Watching:
    """Returns the state as watches. The key of a partition's watches is never a consignment id, so its record can have no other state."""
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
            return settle(state, learn(state.dossier, message, ""), officers(state), message.consignment_id, hearing)
        case (
            GoodsTransferred()
            | TransferRetracted()
            | ConsignmentGatedOut()
            | ConsignmentLeftUnreleased()
            | DepartureRetracted()
        ):
            return depart(state, message, hearing)
        case ContainerArrivalRetracted():
            return not_landed(state, message, hearing)
        case ContainerArrived():
            return land(state, message, hearing)
        case WithdrawalRequested():
            return withdraw(state, message, hearing)
        case ReportArrival():
            return arrive(state, message, hearing)
        case RetractArrival():
            return take_back(state, message, hearing)
        case PlaceHold():
            return hold(state, message, hearing)
        case LiftHold():
            return lift(state, message, hearing)
        case DeadlinePassed():
            return lapse(state, message, hearing)
        case RetractLift():
            return put_back(state, message, hearing)
        case _:
            assert_never(message)


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    if isinstance(message, WatchPlaced | WatchLifted):
        return keep(_watching(state), message, hearing.message_id)
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
            return state if isinstance(state, Withdrawn) else _known(state, message, hearing)
        case WithdrawalRequested():
            return _known(state, message, hearing) if isinstance(state, Held) else state
        case ArrivalRecorded() | ArrivalRetracted():
            return _known(state, message, hearing)
        case ConsignmentHeld():
            return when_held(state)(**_stated(state, message.version, message.holds, hearing))
        case ReleaseGranted():
            before = state.boxes if isinstance(state, Released) else {}
            boxes = {number: before.get(number, message.occurred_at) for number in message.containers}
            return Released(
                **_stated(state, message.version, message.holds, hearing),
                boxes=boxes,
                revisions=message.revisions or {},
            )
        case ReleaseRevoked():
            return Revoked(**_stated(state, message.version, (), hearing))
        case ReleaseRefused():
            stated = _stated(state, message.version, message.holds, hearing)
            return Refused(**stated, cause=message.cause, revoked=were_called_back(state))
        case RefusalRevoked():
            return when_held(state)(**_stated(state, message.version, officers(state), hearing))
        case LiftRetracted():
            lifted = {hold_id: lifting for hold_id, lifting in state.lifted.items() if hold_id != message.hold_id}
            known = [*state.retracted.items(), (message.wrong, hearing.message_id)]
            return replace(state, lifted=lifted, retracted=dict(known[-REMEMBERED_LIFTS:]))
        case DeclarationWithdrawn():
            return Withdrawn(**_stated(state, message.version, (), hearing))
        case ContainerHeld():
            statement = told_as(False, message.refused, message.arrived_at is not None)
            changed = _to_gate(state, message.container_no, statement)
            return replace(changed, version=message.version) if message.version > state.version else changed
        case ContainerFreed():
            statement_now: GateStatement = "freed" if message.released else "not in it"
            changed = _to_gate(state, message.container_no, statement_now)
            return replace(changed, version=message.version) if message.version > state.version else changed
        case RequestRefused():
            left = tuple([w for w in state.dossier.withdrawals if shown(w.request_id, 200) != message.request_id])
            if isinstance(state, Withdrawn) or len(left) == len(state.dossier.withdrawals):
                return state
            return replace(state, dossier=state.dossier._replace(withdrawals=left))
        case ReportArrival() | RetractArrival() | PlaceHold() | LiftHold() | RetractLift() | DeadlinePassed():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns the time at which an unused release lapses. A hold has no time limit here; the desk of its owner has one."""
    ends = {} if isinstance(state, Watching) else limits(state)
    return (Deadline("lapse", min([limit.due for limit in ends.values()])),) if ends else ()


def closed(state: State) -> bool:
    """Returns whether the declaration was withdrawn. Other goods stay open, because a release or a refusal may still be revoked."""
    return isinstance(state, Withdrawn)


def _known(state: Goods, fact: Evidence, hearing: Hearing) -> Goods:
    dossier = learn(state.dossier, fact, hearing.message_id)
    return state if dossier is state.dossier else replace(state, dossier=dossier)


def _stated(state: Goods, version: int, holds: tuple[Hold, ...], hearing: Hearing) -> dict[str, Any]:
    still = {h.hold_id for h in holds}
    ended = {h.hold_id: hearing.message_id for h in officers(state) if h.hold_id not in still}
    return {
        "dossier": state.dossier,
        "version": version,
        "stated": holds,
        "lifted": dict([*state.lifted.items(), *ended.items()][-REMEMBERED_LIFTS:]) if ended else state.lifted,
        "gate": told_to_gate(state),
        "retracted": state.retracted,
    }


def _to_gate(state: Goods, number: str, statement: GateStatement) -> Goods:
    return replace(state, told=False, gate={**told_to_gate(state), number: statement})
