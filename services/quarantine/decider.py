"""Which treatments are owed before goods may go, and was each carried out as its schedule demands?

Each origin (the risk desk, or the control that met a pest) owes its own treatment; they run side by side. A
settled consignment stays open, because a pest may still be met; abandonment and withdrawal close it.
"""

from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused
from schemas.inspection import PestIntercepted
from schemas.quarantine import (
    RecordTreatment,
    TreatmentAbandoned,
    TreatmentCancelled,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentOverdue,
    TreatmentVerified,
)
from schemas.release import DeclarationWithdrawn
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentMethod
from services.quarantine.proof import check, doubled, implausible
from services.quarantine.schedules import row_for

TIME_LIMIT = timedelta(days=5)
CLOCKS_APART = timedelta(minutes=5)
"""How far a record may lie ahead of the desk's own clock."""
CHINA = timezone(timedelta(hours=8))
ATTEMPTS = 3
"""How often one origin may be treated; after the last failure the goods are given up."""
RISK = "risk"
METHODS = (TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE, TreatmentMethod.SULPHURYL_FLUORIDE)
"""What is offered against timber and packaging pests, whatever the goods; phosphine is for grain in store."""


class Need(BaseModel):
    """The treatment that one origin owes; `attempt` is the one in hand. `answered`: requests that were
    judged for it. `goods`: what is treated; needs of earlier releases do not say, and theirs is wood.
    """

    model_config = ConfigDict(frozen=True)
    origin: str
    attempt: int
    methods: tuple[TreatmentMethod, ...]
    pest: str
    since: AwareDatetime
    due: AwareDatetime
    standing: Literal["open", "overdue", "verified"] = "open"
    answered: tuple[str, ...] = ()
    goods: GoodsClass = GoodsClass.WOOD

    @property
    def day(self) -> date:
        """The day of the order, by whose schedules its records are judged."""
        return self.since.astimezone(CHINA).date()


class Quiet(BaseModel):
    """No treatment was ever needed so far."""

    model_config = ConfigDict(frozen=True)
    state: Literal["quiet"] = "quiet"


class Treating(BaseModel):
    """Treatments were ordered; some or all may be verified."""

    model_config = ConfigDict(frozen=True)
    state: Literal["treating"] = "treating"
    needs: tuple[Need, ...]


class Abandoned(BaseModel):
    """The goods are given up. `answered`: requests that were judged before."""

    model_config = ConfigDict(frozen=True)
    state: Literal["abandoned"] = "abandoned"
    answered: tuple[str, ...]


class Withdrawn(BaseModel):
    """The declaration was taken back; nothing is or will be ordered. `answered`: requests that were judged before."""

    model_config = ConfigDict(frozen=True)
    state: Literal["withdrawn"] = "withdrawn"
    answered: tuple[str, ...]


State = Quiet | Treating | Abandoned | Withdrawn
Heard = ConsignmentAssessed | PestIntercepted | RecordTreatment | DeclarationWithdrawn | DeadlinePassed
Said = (
    TreatmentOrdered
    | TreatmentVerified
    | TreatmentFailed
    | TreatmentAbandoned
    | TreatmentOverdue
    | TreatmentCancelled
    | RequestRefused
)

INITIAL: State = Quiet()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case ConsignmentAssessed():
            if ControlKind.QUARANTINE not in message.controls:
                return ()
            return order(state, message.consignment_id, RISK, "", hearing)
        case PestIntercepted():
            return order(state, message.consignment_id, message.control.value, message.pest, hearing)
        case RecordTreatment():
            return judge(state, message, hearing)
        case DeclarationWithdrawn():
            return cancel(state, message, hearing)
        case DeadlinePassed():
            return remind(state, message, hearing)
        case _:
            assert_never(message)


def order(state: State, consignment_id: str, origin: str, pest: str, hearing: Hearing) -> tuple[Fact, ...]:
    """The first attempt for this origin; an origin heard again, or of goods given up or withdrawn, orders nothing."""
    match state:
        case Quiet() | Treating():
            if _need_of(state, origin) is not None:
                return ()
            return (_ordered(consignment_id, origin, 1, GoodsClass.WOOD, METHODS, pest, hearing),)
        case Abandoned() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def judge(state: State, record: RecordTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """The verdict on one recorded attempt, or why this record answers nothing; the same request again is nothing."""
    match state:
        case Abandoned():
            if hearing.message_id in state.answered:
                return ()
            return (
                _refused(record, hearing, "consignment_closed", "the last treatment failed; the goods are given up"),
            )
        case Withdrawn():
            if hearing.message_id in state.answered:
                return ()
            return (_refused(record, hearing, "consignment_closed", "the declaration was withdrawn"),)
        case Quiet() | Treating():
            pass
        case _:
            assert_never(state)
    need = _need_of(state, record.origin)
    if need is None:
        return (_refused(record, hearing, "not_ordered", f"no treatment is ordered for origin {record.origin[:40]!r}"),)
    if hearing.message_id in need.answered:
        return ()
    in_hand = f"attempt {record.attempt} was recorded; attempt {need.attempt} was ordered last"
    if record.attempt > need.attempt:
        return (_refused(record, hearing, "not_ordered", in_hand),)
    if record.attempt < need.attempt:
        return (_refused(record, hearing, "wrong_attempt", in_hand),)
    if need.standing == "verified":
        return (_refused(record, hearing, "already_answered", f"attempt {need.attempt} was verified already"),)
    if fault := _fault(need, record, hearing):
        return (_refused(record, hearing, *fault),)
    return conclude(need, record, hearing)


def _fault(need: Need, record: RecordTreatment, hearing: Hearing) -> tuple[str, str] | None:
    """Why this record says nothing about the treatment that was ordered, good or bad: code and what was seen."""
    if record.started_at is None:
        return "start_missing", "started_at is missing: nothing shows that the treatment followed its order"
    if record.started_at < need.since:
        return "before_order", f"it started at {record.started_at.isoformat()}; ordered at {need.since.isoformat()}"
    longest = max([reading.hours for reading in record.readings], default=Decimal(0))
    ended = record.started_at + timedelta(microseconds=int(longest * 3_600_000_000))
    latest = min(record.occurred_at, hearing.at + CLOCKS_APART)
    if ended > latest:
        return "in_future", f"its last reading is of {ended.isoformat()}; the record was sent at {latest.isoformat()}"
    if twice := doubled(record):
        return "readings_doubled", shown(twice)
    row = row_for(need.goods, record.method, need.day)
    if row is not None and (impossible := implausible(row, record)):
        return "values_implausible", impossible
    return None


def conclude(need: Need, record: RecordTreatment, hearing: Hearing) -> tuple[Fact, ...]:
    """Verified; or failed, and then once more, or given up after the last attempt."""
    row = row_for(need.goods, record.method, need.day)
    shortfalls = () if row is None else check(row, record)
    if record.method not in need.methods or row is None:
        ordered = ", ".join([method.value for method in need.methods])
        shortfalls = (f"method is {record.method.value}; wanted one of {ordered}", *shortfalls)
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
        )
        return (verified,)
    failed = TreatmentFailed(
        consignment_id=record.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        attempt=need.attempt,
        method=record.method,
        schedule=schedule,
        shortfalls=shortfalls,
        unit=record.asked_by,
    )
    if need.attempt < ATTEMPTS:
        again = _ordered(
            record.consignment_id, need.origin, need.attempt + 1, need.goods, need.methods, need.pest, hearing
        )
        return (failed, again)
    given_up = TreatmentAbandoned(
        consignment_id=record.consignment_id,
        occurred_at=hearing.at,
        origin=need.origin,
        attempts=need.attempt,
    )
    return (failed, given_up)


def cancel(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """Every order that was not verified yet falls away."""
    match state:
        case Treating():
            return tuple(
                [
                    TreatmentCancelled(
                        consignment_id=withdrawn.consignment_id, occurred_at=hearing.at, origin=need.origin
                    )
                    for need in state.needs
                    if need.standing != "verified"
                ]
            )
        case Quiet() | Abandoned() | Withdrawn():
            return ()
        case _:
            assert_never(state)


def remind(state: State, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """Said once per attempt; a limit of an earlier attempt, or of a treatment answered meanwhile, is nothing."""
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


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case TreatmentOrdered():
            return _taken_on(state, message)
        case TreatmentVerified():
            return _changed(state, message.origin, hearing, standing="verified")
        case TreatmentFailed():
            return _changed(state, message.origin, hearing)
        case TreatmentOverdue():
            return _changed(state, message.origin, None, standing="overdue")
        case TreatmentAbandoned():
            return Abandoned(answered=_answered(state))
        case DeclarationWithdrawn():
            return state if closed(state) else Withdrawn(answered=_answered(state))
        case (
            ConsignmentAssessed()
            | PestIntercepted()
            | RecordTreatment()
            | DeadlinePassed()
            | TreatmentCancelled()
            | RequestRefused()
        ):
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """One per attempt in hand that was not yet called overdue: `overdue/<origin>`."""
    return tuple([Deadline(_limit(need), need.due) for need in _needs(state) if need.standing == "open"])


def closed(state: State) -> bool:
    """When the goods were given up or the declaration withdrawn."""
    match state:
        case Quiet() | Treating():
            return False
        case Abandoned() | Withdrawn():
            return True
        case _:
            assert_never(state)


def _needs(state: State) -> tuple[Need, ...]:
    return state.needs if isinstance(state, Treating) else ()


def _need_of(state: State, origin: str) -> Need | None:
    return next((need for need in _needs(state) if need.origin == origin), None)


def _answered(state: State) -> tuple[str, ...]:
    return tuple([request for need in _needs(state) for request in need.answered])


def _taken_on(state: State, ordered: TreatmentOrdered) -> Treating:
    earlier = _need_of(state, ordered.origin)
    need = Need(
        origin=ordered.origin,
        attempt=ordered.attempt,
        methods=ordered.methods,
        pest=ordered.pest,
        since=ordered.occurred_at,
        due=ordered.due,
        goods=ordered.goods,
        answered=earlier.answered if earlier else (),
    )
    others = tuple([each for each in _needs(state) if each.origin != ordered.origin])
    return Treating(needs=(*others, need))


def _changed(state: State, origin: str, answered: Hearing | None, **change: Any) -> Treating:
    needs = []
    for need in _needs(state):
        if need.origin == origin:
            if answered is not None:
                change["answered"] = (*need.answered, answered.message_id)
            need = need.model_copy(update=change)
        needs.append(need)
    return Treating(needs=tuple(needs))


def _limit(need: Need) -> str:
    return f"overdue/{need.origin}"


def _ordered(
    consignment_id: str,
    origin: str,
    attempt: int,
    goods: GoodsClass,
    methods: tuple[TreatmentMethod, ...],
    pest: str,
    hearing: Hearing,
) -> TreatmentOrdered:
    return TreatmentOrdered(
        consignment_id=consignment_id,
        occurred_at=hearing.at,
        origin=origin,
        attempt=attempt,
        methods=methods,
        pest=shown(pest, 200),
        due=hearing.at + TIME_LIMIT,
        goods=goods,
    )


def _refused(record: RecordTreatment, hearing: Hearing, code: str, seen: str) -> RequestRefused:
    return RequestRefused(
        occurred_at=hearing.at,
        subject=record.key,
        request_id=hearing.message_id,
        request_kind=record.kind,
        code=code,
        reason=seen,
    )
