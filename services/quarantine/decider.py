"""Which treatments are necessary before goods may go, and was each carried out as its schedule requires?

Each origin (the risk desk, or the control that found a pest) needs its own treatment, and several treatments may be open at
the same time. If no treatment is known for the goods, an officer decides. A consignment whose treatments are settled stays
open, because a pest may still be found. Goods that were given up are taken up again if the pest finding, the last record or
the decision turns out to have been wrong. A withdrawal closes a consignment. A request that corrects a wrong record or
decision, or takes it back, names it.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, assert_never

from pydantic import Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.refusals import RefusalCode
from schemas.codes.schedules import Row, row_for
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused, refuse
from schemas.inspection import FindingsRetracted, PestIntercepted
from schemas.phrases import Phrase, phrase, sentence
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    QuarantineRefused,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
    TreatmentAbandoned,
    TreatmentCancelled,
    TreatmentDecisionRetracted,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentOverdue,
    TreatmentReferred,
    TreatmentReport,
    TreatmentRetracted,
    TreatmentVerified,
    TreatmentWaived,
)
from schemas.release import DeclarationWithdrawn
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentDecision, TreatmentMethod, day_in_china
from services.quarantine.methods import methods_for
from services.quarantine.needs import (
    Abandoned,
    Need,
    Quiet,
    State,
    Treating,
    WantedTreatment,
    Withdrawn,
    answered_of,
    asked_of_an_officer,
    changed,
    judged,
    need_of,
    needs_of,
    put_off,
    taken_on,
    wanted_by,
    without_decision,
    without_finding,
    without_record,
)
from services.quarantine.proof import check, unusable

TIME_LIMIT = timedelta(days=5)
"""The time limit of an officer's decision, and of a treatment that does not need more time."""
MARGIN = timedelta(days=3)
"""The time that is added to the longest allowed exposure of a treatment, so that the treatment unit has time to begin,
to air the room and to report. No law states it; it is our choice."""
ATTEMPTS = 3
"""How often the goods may be treated for one origin. After the last failure they are given up."""
Input = (
    ConsignmentAssessed
    | PestIntercepted
    | FindingsRetracted
    | RecordTreatment
    | CorrectTreatment
    | RetractTreatment
    | DecideTreatment
    | RetractTreatmentDecision
    | DeclarationWithdrawn
    | DeadlinePassed
)
Output = (
    TreatmentOrdered
    | TreatmentVerified
    | TreatmentFailed
    | TreatmentAbandoned
    | TreatmentOverdue
    | TreatmentCancelled
    | TreatmentRetracted
    | TreatmentDecisionRetracted
    | TreatmentReferred
    | TreatmentWaived
    | QuarantineRefused
    | RequestRefused
)

TreatmentRequest = RecordTreatment | CorrectTreatment | RetractTreatment | DecideTreatment | RetractTreatmentDecision
INITIAL: State = Quiet()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case ConsignmentAssessed():
            if ControlKind.QUARANTINE not in message.controls:
                return ()
            return order(state, message.consignment_id, wanted_by(message), hearing)
        case PestIntercepted():
            return order(state, message.consignment_id, wanted_by(message), hearing)
        case FindingsRetracted():
            return drop(state, message, hearing)
        case RecordTreatment():
            return judge(state, message, hearing)
        case CorrectTreatment() | RetractTreatment():
            return take_back(state, message, hearing)
        case RetractTreatmentDecision():
            return ask_again(state, message, hearing)
        case DecideTreatment():
            return resolve(state, message, hearing)
        case DeclarationWithdrawn():
            return cancel(state, message, hearing)
        case DeadlinePassed():
            return remind(state, message, hearing)
        case _:
            assert_never(message)


def order(state: State, consignment_id: str, wanted: WantedTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Orders the treatment that `wanted` asks for, or asks an officer if no treatment is known for the goods.

    Returns no fact if the desk has already acted on the finding in `wanted` or on a later one, or if the goods were
    given up or withdrawn.
    """
    match state:
        case Quiet() | Treating():
            need = need_of(state, wanted.origin)
            if need is not None and need.finding >= wanted.finding:
                return ()
            attempt = need.attempt + 1 if need else 1
            known = methods_for(wanted.goods, wanted.pest, day_in_china(hearing.at))
            if known is not None:
                goods, methods = known
                return (
                    _ordered(
                        consignment_id, wanted.origin, attempt, goods, methods, wanted.pest, hearing, wanted.finding
                    ),
                )
            referred = TreatmentReferred(
                consignment_id=consignment_id,
                occurred_at=hearing.at,
                origin=wanted.origin,
                goods=wanted.goods,
                pest=shown(wanted.pest, 200),
                due=hearing.at + TIME_LIMIT,
                finding=wanted.finding,
            )
            return (referred,)
        case Abandoned() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def drop(state: State, retracted: FindingsRetracted, hearing: Hearing) -> tuple[Fact, ...]:
    """Cancels the treatment against a pest, because the finding of this pest was retracted. Goods that were given up
    because of this pest are taken up again, and the treatments that became necessary meanwhile are ordered now."""
    need = need_of(state, retracted.control.value)
    match state:
        case Treating():
            if need is None or need.settled or need.finding >= retracted.revision:
                return ()
            fallen = TreatmentCancelled(
                consignment_id=retracted.consignment_id, occurred_at=hearing.at, origin=need.origin
            )
            return (fallen,)
        case Abandoned():
            again = without_finding(state, retracted)
            if isinstance(again, Abandoned):
                return ()
            missed = tuple([each for each in state.missed if each.origin != retracted.control.value])
            return _order_missed(again, missed, retracted.consignment_id, hearing)
        case Quiet() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def _order_missed(
    again: State, missed: tuple[WantedTreatment, ...], consignment_id: str, hearing: Hearing
) -> tuple[Fact, ...]:
    """Orders the treatments that were not ordered while the goods were given up."""
    ordered = [order(again, consignment_id, each, hearing) for each in missed]
    return tuple([fact for facts in ordered for fact in facts])


def judge(state: State, record: RecordTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the verdict on the treatment record of one attempt, or the refusal of the request. A repeated request gets no
    further fact."""
    match state:
        case Abandoned():
            return _after_the_end(state, record, hearing, phrase("last_failed"))
        case Withdrawn():
            return _after_the_end(state, record, hearing, phrase("withdrawn"))
        case Quiet() | Treating():
            pass
        case _:
            assert_never(state)
    need = need_of(state, record.origin)
    if need is None:
        return refuse(
            record, hearing, RefusalCode.NOT_ORDERED, phrase("no_treatment_ordered", origin=record.origin[:40])
        )
    if hearing.message_id in need.answered:
        return ()
    if need.standing == "cancelled":
        return refuse(
            record, hearing, RefusalCode.NOT_ORDERED, phrase("no_treatment_ordered", origin=record.origin[:40])
        )
    if not need.methods:
        return refuse(record, hearing, RefusalCode.NOT_ORDERED, phrase("officer_decides", origin=record.origin[:40]))
    in_hand = phrase("attempt_of_last", attempt=record.attempt, last=need.attempt)
    if record.attempt > need.attempt:
        return refuse(record, hearing, RefusalCode.NOT_ORDERED, in_hand)
    if record.attempt < need.attempt:
        return refuse(record, hearing, RefusalCode.WRONG_ATTEMPT, in_hand)
    if need.standing == "verified":
        return refuse(record, hearing, RefusalCode.ALREADY_ANSWERED, phrase("attempt_verified", attempt=need.attempt))
    sent = hearing.sent
    if need.opened is not None and sent <= need.opened:
        why = phrase("record_before", attempt=need.attempt, taken=need.opened)
        return refuse(record, hearing, RefusalCode.OPENED_AGAIN, why)
    row = row_for(need.goods, record.method, need.day)
    if fault := unusable(row, record, need.since, sent):
        return refuse(record, hearing, *fault)
    return conclude(need, row, record, hearing)


def take_back(state: State, request: CorrectTreatment | RetractTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Takes back the record that was judged last. If the request is a correction, also judges the corrected record.

    The attempt of that record is then open again. But if the next attempt was ordered meanwhile, the next attempt stays
    open, and the earlier attempt counts as one of the `ATTEMPTS` only if its corrected record fails, too. A request
    that names any other record is refused, and so is a correction that cannot be judged.
    """
    need = _need_to_correct(state, request, hearing)
    if not isinstance(need, Need):
        return need
    last = need.last
    if last is None or last.request != request.wrong:
        why = (
            phrase("record_judged_last", origin=need.origin, request=shown(last.request, 200))
            if last
            else phrase("no_record_stands", origin=need.origin)
        )
        return refuse(request, hearing, RefusalCode.NOT_THE_LATEST, why)
    in_hand = last.attempt == need.attempt
    retracted = TreatmentRetracted(
        consignment_id=request.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        attempt=last.attempt,
        wrong=request.wrong,
        retracted_by=request.asked_by,
        reason=request.reason,
        due=hearing.at + time_limit(need.goods, need.methods, day_in_china(last.since)) if in_hand else need.due,
        finding=need.finding,
        revision=need.revision,
    )
    facts = (retracted, *_taken_up(state, retracted, hearing))
    match request:
        case RetractTreatment():
            return facts
        case CorrectTreatment():
            pass
        case _:
            assert_never(request)
    if request.attempt != last.attempt:
        why = phrase("attempt_of_wrong", attempt=request.attempt, wrong=last.attempt)
        return refuse(request, hearing, RefusalCode.WRONG_ATTEMPT, why)
    row = row_for(need.goods, request.method, day_in_china(last.since))
    if fault := unusable(row, request, last.since, hearing.sent):
        return refuse(request, hearing, *fault)
    as_ordered = replace(need, attempt=last.attempt, said=retracted.revision + 1)
    verdict = conclude(as_ordered, row, request, hearing)
    # After a failure, `verdict` also orders the next attempt. If that attempt is open already, it must not be ordered twice.
    return (*facts, *(verdict if in_hand else verdict[:1]))


def ask_again(state: State, request: RetractTreatmentDecision, hearing: Hearing) -> tuple[Fact, ...]:
    """Takes back an officer's decision and asks the question again. The request is refused if it does not name the last
    decision, or if a treatment record was judged after that decision."""
    need = _need_to_correct(state, request, hearing)
    if not isinstance(need, Need):
        return need
    if not need.decided or need.decided != request.wrong or need.last is not None:
        why = phrase("not_decided_by", origin=need.origin, request=request.wrong[:80])
        return refuse(request, hearing, RefusalCode.NOT_THE_LATEST, why)
    retracted = TreatmentDecisionRetracted(
        consignment_id=request.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        wrong=request.wrong,
        officer=request.asked_by,
        reason=request.reason,
        due=hearing.at + TIME_LIMIT,
        finding=need.finding,
        revision=need.revision,
    )
    return (retracted, *_taken_up(state, retracted, hearing))


def _need_to_correct(
    state: State, request: CorrectTreatment | RetractTreatment | RetractTreatmentDecision, hearing: Hearing
) -> Need | tuple[Fact, ...]:
    """Returns the need that this request is about. If there is none, returns the facts that answer the request: a refusal, or
    none if the request was answered before."""
    code = RefusalCode.NOT_REFERRED if isinstance(request, RetractTreatmentDecision) else RefusalCode.NOT_ORDERED
    match state:
        case Withdrawn():
            return _after_the_end(state, request, hearing, phrase("withdrawn"))
        case Abandoned():
            if hearing.message_id in state.answered:
                return ()
            if request.origin != state.failed:
                return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("given_up_elsewhere"))
            needs = state.needs
        case Quiet() | Treating():
            needs = needs_of(state)
        case _:
            assert_never(state)
    need = next((each for each in needs if each.origin == request.origin and each.standing != "cancelled"), None)
    if need is None:
        return refuse(request, hearing, code, phrase("no_treatment_ordered", origin=request.origin[:40]))
    return () if hearing.message_id in need.answered else need


def _taken_up(
    state: State, retracted: TreatmentRetracted | TreatmentDecisionRetracted, hearing: Hearing
) -> tuple[Fact, ...]:
    """Returns the orders of the treatments that were not ordered while the goods were given up, because the goods are now
    taken up again. There are none if the goods were not given up."""
    if not isinstance(state, Abandoned):
        return ()
    return _order_missed(evolve(state, retracted, hearing), state.missed, retracted.consignment_id, hearing)


def conclude(need: Need, row: Row | None, record: TreatmentReport, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the verdict on a record: verified, or failed. After a failure, the next attempt is ordered; if the failed
    attempt was the last allowed one, the goods are given up. `row`: the schedule; None if there is none for this
    method, which is a failure, too."""
    shortfalls = () if row is None else check(row, record)
    if record.method not in need.methods or row is None:
        shortfalls = ((phrase("method_differs", method=record.method, methods=need.methods),), *shortfalls)
    schedule = "" if row is None else row.schedule
    if not shortfalls:
        verified = TreatmentVerified(
            consignment_id=record.consignment_id,
            occurred_at=hearing.at,
            origin=need.origin,
            attempt=need.attempt,
            method=record.method,
            schedule=schedule,
            unit=record.asked_by,
            finding=need.finding,
            revision=need.revision,
        )
        return (verified,)
    failed = TreatmentFailed(
        consignment_id=record.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        attempt=need.attempt,
        method=record.method,
        schedule=schedule,
        shortfalls=tuple([shown(sentence(*each), breaks=True) for each in shortfalls]),
        unit=record.asked_by,
        phrases=tuple([one for each in shortfalls for one in each]),
    )
    tried = need.attempt - need.first + 1
    if tried < ATTEMPTS:
        again = _ordered(
            record.consignment_id,
            need.origin,
            need.attempt + 1,
            need.goods,
            need.methods,
            need.pest,
            hearing,
            need.finding,
        )
        return (failed, again)
    given_up = TreatmentAbandoned(
        consignment_id=record.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        attempts=tried,
        finding=need.finding,
        revision=need.revision,
    )
    return (failed, given_up)


def _after_the_end(
    state: Abandoned | Withdrawn, request: TreatmentRequest, hearing: Hearing, why: Phrase
) -> tuple[Fact, ...]:
    """Returns the refusal of a request about goods that are no longer treated; no fact if the request was answered before."""
    if hearing.message_id in state.answered:
        return ()
    return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, why)


def resolve(state: State, decided: DecideTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the fact that follows from an officer's decision about goods for which no treatment is known, or the refusal of
    the request. A repeated request gets no further fact."""
    match state:
        case Abandoned() | Withdrawn():
            return _after_the_end(state, decided, hearing, phrase("given_up_or_withdrawn"))
        case Quiet() | Treating():
            pass
        case _:
            assert_never(state)
    need = need_of(state, decided.origin)
    if need is not None and hearing.message_id in need.answered:
        return ()
    if need is None or need.methods or need.settled:
        why = phrase("nobody_asked", origin=decided.origin[:40])
        return refuse(decided, hearing, RefusalCode.NOT_REFERRED, why)
    if (decided.finding, decided.revision) != (need.finding, need.revision):
        why = phrase(
            "decision_of_another",
            revision=decided.revision,
            finding=decided.finding,
            next=need.revision,
            asked=need.finding,
        )
        return refuse(decided, hearing, RefusalCode.OPENED_AGAIN, why)
    match decided.decision:
        case TreatmentDecision.TREAT:
            return _order_as_decided(need, decided, hearing)
        case TreatmentDecision.CLEAR:
            waived = TreatmentWaived(
                consignment_id=decided.consignment_id,
                occurred_at=hearing.at,
                origin=need.origin,
                officer=decided.asked_by,
                reason=decided.reason,
                finding=need.finding,
                revision=need.revision,
            )
            return (waived,)
        case TreatmentDecision.REFUSE:
            refused = QuarantineRefused(
                consignment_id=decided.consignment_id,
                occurred_at=hearing.at,
                origin=need.origin,
                officer=decided.asked_by,
                reason=decided.reason,
                finding=need.finding,
                revision=need.revision,
            )
            return (refused,)
        case _:
            assert_never(decided.decision)


def _order_as_decided(need: Need, decided: DecideTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the order of the treatment, if each method has a schedule by which its record can be judged; otherwise the
    refusal of the decision."""
    goods, on = decided.goods, day_in_china(hearing.at)
    if goods is None or not decided.methods:
        return refuse(decided, hearing, RefusalCode.NO_SCHEDULE, phrase("name_goods_and_methods"))
    for method in decided.methods:
        if row_for(goods, method, on) is None:
            return refuse(decided, hearing, RefusalCode.NO_SCHEDULE, phrase("no_schedule", method=method, goods=goods))
    ordered = _ordered(
        decided.consignment_id, need.origin, need.attempt, goods, decided.methods, need.pest, hearing, need.finding
    )
    return (ordered,)


def cancel(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """Cancels every treatment that still holds the goods."""
    match state:
        case Treating():
            return tuple(
                [
                    TreatmentCancelled(
                        consignment_id=withdrawn.consignment_id, occurred_at=hearing.at, origin=need.origin
                    )
                    for need in state.needs
                    if not need.settled
                ]
            )
        case Quiet() | Abandoned() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def remind(state: State, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """Publishes that a treatment or an officer's decision is overdue, once per time limit. The deadline of an earlier
    attempt, or of a treatment that was answered meanwhile, has no effect."""
    match state:
        case Treating():
            return tuple(
                [
                    TreatmentOverdue(
                        consignment_id=passed.subject,
                        occurred_at=hearing.at,
                        origin=need.origin,
                        attempt=need.attempt,
                        since=need.since,
                        due=need.due,
                    )
                    for need in state.needs
                    if need.standing == "open" and _limit(need) == passed.name and need.due == passed.due
                ]
            )
        case Quiet() | Abandoned() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    match message:
        case TreatmentOrdered():
            return taken_on(state, message, hearing)
        case TreatmentReferred():
            return asked_of_an_officer(state, message)
        case TreatmentWaived():
            published = message.revision + 1
            return changed(
                state, message.origin, hearing, standing="waived", said=published, decided=hearing.message_id
            )
        case QuarantineRefused():
            published = message.revision + 1
            refused = changed(state, message.origin, hearing, said=published, decided=hearing.message_id)
            return Abandoned(answered=answered_of(refused), failed=message.origin, needs=refused.needs)
        case TreatmentVerified() | TreatmentFailed():
            return judged(state, message, hearing)
        case TreatmentRetracted():
            return without_record(state, message, hearing)
        case TreatmentDecisionRetracted():
            return without_decision(state, message, hearing)
        case TreatmentOverdue():
            return changed(state, message.origin, None, standing="overdue")
        case TreatmentAbandoned():
            given_up = changed(state, message.origin, None, said=message.revision + 1)
            return Abandoned(answered=answered_of(given_up), failed=message.origin, needs=given_up.needs)
        case DeclarationWithdrawn():
            if isinstance(state, Withdrawn):
                return state
            known = state.answered if isinstance(state, Abandoned) else answered_of(state)
            return Withdrawn(answered=known)
        case FindingsRetracted():
            return without_finding(state, message)
        case ConsignmentAssessed() | PestIntercepted():
            return put_off(state, message)
        case (
            RecordTreatment()
            | CorrectTreatment()
            | RetractTreatment()
            | DecideTreatment()
            | RetractTreatmentDecision()
            | DeadlinePassed()
            | TreatmentCancelled()
            | RequestRefused()
        ):
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns one deadline, named `overdue/<origin>`, for each treatment that is not recorded and each question that no
    officer has answered, unless it is overdue already."""
    return tuple([Deadline(_limit(need), need.due) for need in needs_of(state) if need.standing == "open"])


def closed(state: State) -> bool:
    """Returns whether the declaration was withdrawn. Goods that were given up may be taken up again, so they stay open."""
    return isinstance(state, Withdrawn)


def _limit(need: Need) -> str:
    return f"overdue/{need.origin}"


def time_limit(goods: GoodsClass, methods: tuple[TreatmentMethod, ...], on: date) -> timedelta:
    """Returns the time limit of a treatment by one of these methods: the longest exposure in their schedules of this
    day plus `MARGIN`, but at least `TIME_LIMIT`.

    The ten days of phosphine in cold grain and the twenty days of cold for citrus do not fit into `TIME_LIMIT`, so the limit
    depends on the methods.
    """
    rows = [row for method in methods if (row := row_for(goods, method, on)) is not None]
    longest = max([step.hours for row in rows for step in row.steps], default=Decimal(0))
    return max(TIME_LIMIT, timedelta(hours=float(longest)) + MARGIN)


def _ordered(
    consignment_id: str,
    origin: str,
    attempt: int,
    goods: GoodsClass,
    methods: tuple[TreatmentMethod, ...],
    pest: str,
    hearing: Hearing,
    finding: int,
) -> TreatmentOrdered:
    return TreatmentOrdered(
        consignment_id=consignment_id,
        occurred_at=hearing.at,
        origin=origin,
        attempt=attempt,
        methods=methods,
        pest=shown(pest, 200),
        due=hearing.at + time_limit(goods, methods, day_in_china(hearing.at)),
        goods=goods,
        finding=finding,
    )
