"""Which control must an officer answer by when, and what did the officer find?

An order stays open until an officer answers it or the declaration is withdrawn. If its time limit passes, this is published once,
and the goods stay held. If papers are not in order, the declarant puts them right and the officer looks again. A request that
corrects wrong findings, or takes them back, names them; each fact about an answer has the next revision.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.refusals import RefusalCode
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused, refuse
from schemas.inspection import (
    CorrectFindings,
    FindingsResult,
    FindingsRetracted,
    InspectionCancelled,
    InspectionFailed,
    InspectionOrdered,
    InspectionOverdue,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
    RectificationOverdue,
    RectificationRequested,
    RetractFindings,
)
from schemas.phrases import Phrase, phrase, quoted, reason
from schemas.release import DeclarationWithdrawn
from schemas.risk import ConsignmentAssessed, GoodsClasses
from schemas.vocabulary import ControlKind

TIME_LIMITS: dict[ControlKind, timedelta] = {
    ControlKind.DOCUMENTS: timedelta(hours=24),
    ControlKind.INSPECTION: timedelta(hours=48),
    ControlKind.SAMPLING: timedelta(days=7),
}
"""The controls that an officer answers, and how long the officer has. `quarantine` is missing, because a treatment unit answers
it."""
RECTIFICATION_LIMIT = timedelta(days=14)
"""How long the declarant has to put papers right. It is the time limit for a declaration after the arrival (Customs Law of China,
article 24)."""
REMEMBERED_ANSWERS = 64
"""How many requests about one control are remembered, besides the request whose answer stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedControl:
    """A control that was ordered. `answered_by`: the message id of the request whose answer stands; empty if no answer stands.

    `past`: the ids of the requests whose answer no longer stands, and of the requests that took an answer back. `revision`: that
    of the latest fact about the answer.
    """

    control: ControlKind
    since: AwareDatetime
    due: AwareDatetime
    standing: Literal["open", "overdue", "answered", "rectification", "rectification_overdue"] = "open"
    answered_by: str = ""
    revision: int = 0
    past: tuple[str, ...] = ()

    @property
    def next_revision(self) -> int:
        """Returns the revision of the next fact about the answer. The first fact has the revision 0."""
        return self.revision + 1 if self.answered_by or self.past else 0

    def known(self, request: str) -> bool:
        """Returns whether this request was answered before."""
        return request == self.answered_by or request in self.past


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Nothing is ordered, because the goods are not assessed yet, or because no control needs an officer. `goods`: the classes of
    goods that the assessment names."""

    state: Literal["quiet"] = "quiet"
    goods: GoodsClasses = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Controls were ordered. Some or all of them may be answered. `goods`: the classes of goods that the assessment names;
    `PestIntercepted` repeats them."""

    state: Literal["ordered"] = "ordered"
    orders: tuple[OrderedControl, ...]
    goods: GoodsClasses = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The declaration was withdrawn, so nothing is or will be ordered. `answered`: the ids of the requests that were answered
    before."""

    state: Literal["withdrawn"] = "withdrawn"
    answered: tuple[str, ...] = ()


State = Quiet | Ordered | Withdrawn
Findings = RecordFindings | CorrectFindings
Correction = CorrectFindings | RetractFindings
Input = ConsignmentAssessed | RecordFindings | CorrectFindings | RetractFindings | DeclarationWithdrawn | DeadlinePassed
Answer = InspectionPassed | InspectionFailed | PestIntercepted | RectificationRequested
Output = (
    InspectionOrdered
    | Answer
    | FindingsRetracted
    | InspectionCancelled
    | InspectionOverdue
    | RectificationOverdue
    | RequestRefused
)

INITIAL: State = Quiet()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case ConsignmentAssessed():
            return order(state, message, hearing)
        case RecordFindings():
            return record(state, message, hearing)
        case CorrectFindings() | RetractFindings():
            return correct(state, message, hearing)
        case DeclarationWithdrawn():
            return cancel(state, message, hearing)
        case DeadlinePassed():
            return remind(state, message, hearing)
        case _:
            assert_never(message)


def order(state: State, assessed: ConsignmentAssessed, hearing: Hearing) -> tuple[Fact, ...]:
    """Orders each control that an officer answers. An assessment that is read again, or that is about withdrawn goods, orders
    nothing."""
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
    """Returns the answer to one open order. Refuses the findings if no order is open, if they name another revision
    than the next one of the order, or if they contradict themselves. A repeated request gets no further fact."""
    ordered = _asked_about(state, found, hearing)
    if not isinstance(ordered, OrderedControl):
        return ordered
    if ordered.standing == "answered":
        return refuse(found, hearing, RefusalCode.ALREADY_ANSWERED, phrase("answered_before", control=found.control))
    if found.revision != ordered.next_revision:
        why = phrase("answer_of_another", revision=found.revision, control=found.control, next=ordered.next_revision)
        return refuse(found, hearing, RefusalCode.OPENED_AGAIN, why)
    if fault := unclear(found):
        return refuse(found, hearing, *fault)
    return (conclude(found, ordered.next_revision, _goods(state), hearing),)


def correct(state: State, request: Correction, hearing: Hearing) -> tuple[Fact, ...]:
    """Takes back the answer that stands. If the request is a correction, also publishes the right answer. The request
    must name the answer, because another answer may stand by now."""
    ordered = _asked_about(state, request, hearing)
    if not isinstance(ordered, OrderedControl):
        return ordered
    if ordered.answered_by != request.wrong or not ordered.answered_by:
        control, by = request.control, shown(ordered.answered_by, 200)
        why = phrase("answered_by", control=control, request=by) if by else phrase("not_answered", control=control)
        return refuse(request, hearing, RefusalCode.NOT_THE_LATEST, why)
    retracted = FindingsRetracted(
        consignment_id=request.consignment_id,
        occurred_at=hearing.at,
        control=request.control,
        wrong=request.wrong,
        officer=request.asked_by,
        reason=request.reason,
        due=hearing.at + TIME_LIMITS[request.control],
        revision=ordered.next_revision,
    )
    match request:
        case RetractFindings():
            return (retracted,)
        case CorrectFindings():
            if fault := unclear(request):
                return refuse(request, hearing, *fault)
            return (retracted, conclude(request, retracted.revision + 1, _goods(state), hearing))
        case _:
            assert_never(request)


def _asked_about(state: State, request: Findings | Correction, hearing: Hearing) -> OrderedControl | tuple[Fact, ...]:
    """Returns the order that this request is about. If there is none, returns the facts that answer the request: a refusal, or
    none if the request was answered before."""
    match state:
        case Withdrawn():
            if hearing.message_id in state.answered:
                return ()
            return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
        case Quiet() | Ordered():
            pass
        case _:
            assert_never(state)
    control = request.control
    if control not in TIME_LIMITS:
        return refuse(request, hearing, RefusalCode.WRONG_CONTROL, phrase("by_treatment_record", control=control))
    ordered = _order_of(state, control)
    if ordered is None:
        return refuse(request, hearing, RefusalCode.NOT_ORDERED, phrase("control_not_ordered", control=control))
    return () if ordered.known(hearing.message_id) else ordered


def unclear(found: Findings) -> tuple[RefusalCode, Phrase] | None:
    """Returns why it is not clear what the officer found, as the code and the phrase of a refusal; None if it is clear."""
    pest = found.pest.strip()
    if found.result is FindingsResult.CONFORM and pest:
        return RefusalCode.PEST_CONTRADICTS, phrase("conform_with_pest")
    if found.result is FindingsResult.PEST and not pest:
        return RefusalCode.PEST_MISSING, phrase("pest_without_name")
    return None


def conclude(found: Findings, revision: int, goods: GoodsClasses, hearing: Hearing) -> Answer:
    """Returns the fact that says what the officer found."""
    common: dict[str, Any] = {
        "consignment_id": found.consignment_id,
        "occurred_at": hearing.at,
        "control": found.control,
        "officer": found.asked_by,
        "revision": revision,
    }
    remarks = shown(found.remarks.strip(), breaks=True)
    why = quoted(remarks) if remarks else phrase("no_remarks", control=found.control)
    match found.result:
        case FindingsResult.CONFORM:
            return InspectionPassed(**common, remarks=found.remarks)
        case FindingsResult.NOT_CONFORM if found.control is ControlKind.DOCUMENTS:
            return RectificationRequested(
                **common, reason=reason(why), due=hearing.at + RECTIFICATION_LIMIT, phrases=(why,)
            )
        case FindingsResult.NOT_CONFORM | FindingsResult.REFUSE:
            return InspectionFailed(**common, reason=reason(why), phrases=(why,))
        case FindingsResult.PEST:
            return PestIntercepted(**common, pest=found.pest.strip(), goods=goods)
        case _:
            assert_never(found.result)


def cancel(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """Cancels every order that is open or overdue, or whose papers are being rectified."""
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
    """Publishes that an order is overdue, once per time limit. The deadline of an order that was answered or cancelled meanwhile
    has no effect."""
    match state:
        case Ordered():
            return tuple(
                [
                    (InspectionOverdue if each.standing == "open" else RectificationOverdue)(
                        consignment_id=passed.subject,
                        occurred_at=hearing.at,
                        control=each.control,
                        since=each.since,
                        due=each.due,
                    )
                    for each in state.orders
                    if _limit(each) == passed.name and each.due == passed.due
                ]
            )
        case Quiet() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    match message:
        case InspectionOrdered():
            order = OrderedControl(control=message.control, since=message.occurred_at, due=message.due)
            return Ordered(orders=(*_orders(state), order), goods=_goods(state))
        case InspectionPassed() | InspectionFailed() | PestIntercepted():
            return _changed(state, message.control, lambda order: _answered(order, message.revision, hearing))
        case RectificationRequested():
            return _changed(
                state,
                message.control,
                lambda order: replace(
                    _answered(order, message.revision, hearing),
                    standing="rectification",
                    since=message.occurred_at,
                    due=message.due,
                ),
            )
        case FindingsRetracted():
            return _changed(state, message.control, lambda order: _reopened(order, message, hearing))
        case InspectionOverdue():
            return _changed(state, message.control, lambda order: replace(order, standing="overdue"))
        case RectificationOverdue():
            return _changed(state, message.control, lambda order: replace(order, standing="rectification_overdue"))
        case DeclarationWithdrawn():
            if isinstance(state, Withdrawn):
                return state
            known = [request for each in _orders(state) for request in (each.answered_by, *each.past) if request]
            return Withdrawn(answered=tuple(known))
        case ConsignmentAssessed():
            ordered = any(control in TIME_LIMITS for control in message.controls)
            return Quiet(goods=message.goods) if isinstance(state, Quiet) and ordered and message.goods else state
        case (
            RecordFindings()
            | CorrectFindings()
            | RetractFindings()
            | DeadlinePassed()
            | InspectionCancelled()
            | RequestRefused()
        ):
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns one deadline for each open order (`overdue/<control>`) and each rectification (`rectification/<control>`) that is
    not overdue yet."""
    return tuple([Deadline(name, each.due) for each in _orders(state) if (name := _limit(each))])


def closed(state: State) -> bool:
    """Returns whether every order was answered, or the declaration was withdrawn."""
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


def _orders(state: State) -> tuple[OrderedControl, ...]:
    return state.orders if isinstance(state, Ordered) else ()


def _order_of(state: State, control: ControlKind) -> OrderedControl | None:
    return next((each for each in _orders(state) if each.control is control), None)


def _changed(state: State, control: ControlKind, change: Callable[[OrderedControl], OrderedControl]) -> Ordered:
    orders = [change(each) if each.control is control else each for each in _orders(state)]
    return Ordered(orders=tuple(orders), goods=_goods(state))


def _answered(order: OrderedControl, revision: int, hearing: Hearing) -> OrderedControl:
    past = _remembered(order, order.answered_by)
    return replace(order, standing="answered", answered_by=hearing.message_id, revision=revision, past=past)


def _reopened(order: OrderedControl, retracted: FindingsRetracted, hearing: Hearing) -> OrderedControl:
    return replace(
        order,
        standing="open",
        since=retracted.occurred_at,
        due=retracted.due,
        answered_by="",
        revision=retracted.revision,
        past=_remembered(order, order.answered_by, hearing.message_id),
    )


def _remembered(order: OrderedControl, *requests: str) -> tuple[str, ...]:
    return (*order.past, *[request for request in requests if request])[-REMEMBERED_ANSWERS:]


def _limit(order: OrderedControl) -> str:
    """Returns the name of the order's time limit that has not passed yet; empty if there is none."""
    match order.standing:
        case "open":
            return f"overdue/{order.control.value}"
        case "rectification":
            return f"rectification/{order.control.value}"
        case "overdue" | "rectification_overdue" | "answered":
            return ""
        case _:
            assert_never(order.standing)
