"""Which control must an officer answer by when, and what did the officer find?

Orders stay open until an officer answers or the declaration is withdrawn; a time limit that runs out is said
once, and holds the goods as before.
"""

from datetime import timedelta
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused
from schemas.inspection import (
    FindingsResult,
    InspectionCancelled,
    InspectionFailed,
    InspectionOrdered,
    InspectionOverdue,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
)
from schemas.release import DeclarationWithdrawn
from schemas.risk import ConsignmentAssessed, GoodsClasses
from schemas.vocabulary import ControlKind

TIME_LIMITS: dict[ControlKind, timedelta] = {
    ControlKind.DOCUMENTS: timedelta(hours=24),
    ControlKind.INSPECTION: timedelta(hours=48),
    ControlKind.SAMPLING: timedelta(days=7),
}
"""The controls that an officer answers, and how long the officer has. `quarantine` is a treatment unit's to answer."""


class Order(BaseModel):
    """One control. `answered_by` is the message id of the request that answered it, empty until then."""

    model_config = ConfigDict(frozen=True)
    control: ControlKind
    since: AwareDatetime
    due: AwareDatetime
    standing: Literal["open", "overdue", "answered"] = "open"
    answered_by: str = ""


class Quiet(BaseModel):
    """Nothing is ordered: not assessed yet, or nothing for an officer to answer. `goods`: by the assessment in hand."""

    model_config = ConfigDict(frozen=True)
    state: Literal["quiet"] = "quiet"
    goods: GoodsClasses = ()


class Ordered(BaseModel):
    """Controls were ordered; some or all may be answered. `goods`: by the assessment, for whom a pest concerns."""

    model_config = ConfigDict(frozen=True)
    state: Literal["ordered"] = "ordered"
    orders: tuple[Order, ...]
    goods: GoodsClasses = ()


class Withdrawn(BaseModel):
    """The declaration was taken back; nothing is or will be ordered. `answered`: requests that had answered before."""

    model_config = ConfigDict(frozen=True)
    state: Literal["withdrawn"] = "withdrawn"
    answered: tuple[str, ...] = ()


State = Quiet | Ordered | Withdrawn
Heard = ConsignmentAssessed | RecordFindings | DeclarationWithdrawn | DeadlinePassed
Answer = InspectionPassed | InspectionFailed | PestIntercepted
Said = InspectionOrdered | Answer | InspectionCancelled | InspectionOverdue | RequestRefused

INITIAL: State = Quiet()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case ConsignmentAssessed():
            return order(state, message, hearing)
        case RecordFindings():
            return record(state, message, hearing)
        case DeclarationWithdrawn():
            return cancel(state, message, hearing)
        case DeadlinePassed():
            return remind(state, message, hearing)
        case _:
            assert_never(message)


def order(state: State, assessed: ConsignmentAssessed, hearing: Hearing) -> tuple[Fact, ...]:
    """One order per control that an officer answers; an assessment heard again, or of withdrawn goods,
    orders nothing.
    """
    match state:
        case Quiet():
            return tuple(
                [
                    InspectionOrdered(
                        consignment_id=assessed.consignment_id,
                        occurred_at=hearing.at,
                        control=control,
                        customs_office=shown(assessed.customs_office, 20),
                        due=hearing.at + TIME_LIMITS[control],
                    )
                    for control in assessed.controls
                    if control in TIME_LIMITS
                ]
            )
        case Ordered() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def record(state: State, found: RecordFindings, hearing: Hearing) -> tuple[Fact, ...]:
    """The answer to one open order, or the reason why these findings answer nothing; the same request again
    is nothing.
    """
    match state:
        case Withdrawn():
            if hearing.message_id in state.answered:
                return ()
            return (_refused(found, hearing, "consignment_closed", "the declaration was withdrawn"),)
        case Quiet() | Ordered():
            pass
        case _:
            assert_never(state)
    control = found.control
    if control not in TIME_LIMITS:
        seen = f"{control.value} is answered by a treatment record, not by findings"
        return (_refused(found, hearing, "wrong_control", seen),)
    ordered = _order_of(state, control)
    if ordered is None:
        return (_refused(found, hearing, "not_ordered", f"{control.value} is not ordered"),)
    if ordered.standing == "answered":
        if ordered.answered_by == hearing.message_id:
            return ()
        seen = f"{control.value} was answered by an earlier request"
        return (_refused(found, hearing, "already_answered", seen),)
    return (conclude(found, _goods(state), hearing),)


def conclude(found: RecordFindings, goods: GoodsClasses, hearing: Hearing) -> Fact:
    """What the officer found, as a fact. A pest without a name, or a name beside "in order", is sent back."""
    pest = found.pest.strip()
    match found.result:
        case FindingsResult.CONFORM:
            if pest:
                return _refused(found, hearing, "pest_contradicts", "the result is conform, yet a pest is named")
            return InspectionPassed(
                consignment_id=found.consignment_id,
                occurred_at=hearing.at,
                control=found.control,
                officer=found.asked_by,
                remarks=found.remarks,
            )
        case FindingsResult.NOT_CONFORM:
            return InspectionFailed(
                consignment_id=found.consignment_id,
                occurred_at=hearing.at,
                control=found.control,
                officer=found.asked_by,
                reason=shown(found.remarks.strip(), breaks=True) or f"{found.control.value}: not in order, no remarks",
            )
        case FindingsResult.PEST:
            if not pest:
                return _refused(found, hearing, "pest_missing", "the result is pest, yet no pest is named")
            return PestIntercepted(
                consignment_id=found.consignment_id,
                occurred_at=hearing.at,
                control=found.control,
                officer=found.asked_by,
                pest=pest,
                goods=goods,
            )
        case _:
            assert_never(found.result)


def cancel(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """Every order that nobody answered yet falls away."""
    match state:
        case Ordered():
            return tuple(
                [
                    InspectionCancelled(
                        consignment_id=withdrawn.consignment_id, occurred_at=hearing.at, control=each.control
                    )
                    for each in state.orders
                    if each.standing != "answered"
                ]
            )
        case Quiet() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def remind(state: State, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """Said once per order; a limit of an order that was answered or cancelled meanwhile is nothing."""
    match state:
        case Ordered():
            return tuple(
                [
                    InspectionOverdue(
                        consignment_id=passed.subject,
                        occurred_at=hearing.at,
                        control=each.control,
                        since=each.since,
                        due=each.due,
                    )
                    for each in state.orders
                    if each.standing == "open" and _limit(each) == passed.name and each.due == passed.due
                ]
            )
        case Quiet() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case InspectionOrdered():
            order = Order(control=message.control, since=message.occurred_at, due=message.due)
            return Ordered(orders=(*_orders(state), order), goods=_goods(state))
        case InspectionPassed() | InspectionFailed() | PestIntercepted():
            change = {"standing": "answered", "answered_by": hearing.message_id}
            return _changed(state, message.control, change)
        case InspectionOverdue():
            return _changed(state, message.control, {"standing": "overdue"})
        case DeclarationWithdrawn():
            if closed(state):
                return state
            return Withdrawn(answered=tuple([each.answered_by for each in _orders(state) if each.answered_by]))
        case ConsignmentAssessed():
            ordered = any(control in TIME_LIMITS for control in message.controls)
            return Quiet(goods=message.goods) if isinstance(state, Quiet) and ordered and message.goods else state
        case RecordFindings() | DeadlinePassed() | InspectionCancelled() | RequestRefused():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """One per open order that was not yet called overdue: `overdue/<control>`."""
    return tuple([Deadline(_limit(each), each.due) for each in _orders(state) if each.standing == "open"])


def closed(state: State) -> bool:
    """When every order was answered, or the declaration withdrawn."""
    match state:
        case Quiet():
            return False
        case Ordered():
            return all(each.standing == "answered" for each in state.orders)
        case Withdrawn():
            return True
        case _:
            assert_never(state)


def _goods(state: State) -> GoodsClasses:
    return () if isinstance(state, Withdrawn) else state.goods


def _orders(state: State) -> tuple[Order, ...]:
    return state.orders if isinstance(state, Ordered) else ()


def _order_of(state: State, control: ControlKind) -> Order | None:
    return next((each for each in _orders(state) if each.control is control), None)


def _changed(state: State, control: ControlKind, change: dict[str, str]) -> Ordered:
    orders = [each.model_copy(update=change) if each.control is control else each for each in _orders(state)]
    return Ordered(orders=tuple(orders), goods=_goods(state))


def _limit(order: Order) -> str:
    return f"overdue/{order.control.value}"


def _refused(found: RecordFindings, hearing: Hearing, code: str, seen: str) -> RequestRefused:
    return RequestRefused(
        occurred_at=hearing.at,
        subject=found.key,
        request_id=hearing.message_id,
        request_kind=found.kind,
        code=code,
        reason=seen,
    )
