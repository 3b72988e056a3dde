"""Which treatment does each origin make necessary, and how do the facts of this desk change these needs? This module
has the states of the quarantine desk.

An origin is the risk desk, or the control that found a pest.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, assert_never

from pydantic import AwareDatetime

from schemas.envelope import Hearing
from schemas.inspection import FindingsRetracted, PestIntercepted
from schemas.quarantine import (
    TreatmentDecisionRetracted,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentReferred,
    TreatmentRetracted,
    TreatmentVerified,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentMethod, day_in_china

REMEMBERED_ANSWERS = 64
"""How many answered requests about one origin are remembered."""
RISK = "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The treatment record that was judged last. `request`: the id of the request that recorded it; `since`: when the
    attempt was ordered; `passed`: whether it met its schedule; `stands`: whether it was not taken back."""

    request: str
    attempt: int
    since: AwareDatetime
    passed: bool
    stands: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The treatment that one origin makes necessary. `attempt`: the number of the present attempt. `methods`: the
    methods of which one must be used; if there are none, an officer has to decide. `goods`: the class of goods that is
    treated; needs that an older software version stored have no value, and mean wood.

    `finding`: the revision of the pest finding that made the treatment necessary, or of its retraction. `first`: the
    attempt from which the attempts against this finding are counted; it increases by one for each attempt that does not
    count. `answered`: the ids of the requests that were judged for this need. `said`: how many facts about its answer
    were published; the next one has this number as its revision. `judged`: the record that was judged last. `decided`:
    the id of the request with the officer's decision; empty if there is none. `opened`: if the record of the present
    attempt was taken back, when the request for that was sent; a record that was sent before that time is refused.
    """

    origin: str
    attempt: int
    methods: tuple[TreatmentMethod, ...]
    pest: str
    since: AwareDatetime
    due: AwareDatetime
    standing: Literal["open", "overdue", "verified", "waived", "cancelled"] = "open"
    answered: tuple[str, ...] = ()
    goods: GoodsClass = GoodsClass.WOOD
    finding: int = 0
    first: int = 1
    said: int = 0
    judged: Judged | None = None
    decided: str = ""
    opened: AwareDatetime | None = None

    @property
    def revision(self) -> int:
        """Returns the revision of the next fact about the answer. Needs that an older software version stored do not
        count these facts. If such a need was verified or waived, one fact was published."""
        return self.said or int(self.standing in ("verified", "waived"))

    @property
    def last(self) -> Judged | None:
        """Returns the record that was judged last, if it stands; otherwise None. Needs that an older software version
        stored have no `judged`; for those the record is known only if the need was verified."""
        if self.judged is None and self.said == 0 and self.standing == "verified" and self.answered:
            return Judged(request=self.answered[-1], attempt=self.attempt, since=self.since, passed=True)
        return self.judged if self.judged is not None and self.judged.stands else None

    @property
    def day(self) -> date:
        """Returns the day of the order, in China. The records of the need are judged by the schedules of that day."""
        return day_in_china(self.since)

    @property
    def settled(self) -> bool:
        """Returns whether the need no longer holds the goods."""
        return self.standing in ("verified", "waived", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTreatment:
    """A treatment that a message makes necessary. If the goods are given up, the treatment is not ordered but stored;
    it is ordered if the goods are taken up again."""

    origin: str
    pest: str = ""
    goods: tuple[GoodsClass, ...] = ()
    finding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """No treatment was needed so far."""

    state: Literal["quiet"] = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treating:
    """Treatments were ordered. Some or all of them may be verified."""

    state: Literal["treating"] = "treating"
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """The goods are given up because of the origin `failed`. A state that an older software version stored names no
    origin and no needs.

    `answered`: the ids of the requests that were judged before. `missed`: the treatments that became necessary after
    the goods were given up, and so were not ordered.
    """

    state: Literal["abandoned"] = "abandoned"
    answered: tuple[str, ...]
    failed: str = ""
    needs: tuple[Need, ...] = ()
    missed: tuple[WantedTreatment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The declaration was withdrawn, so nothing is or will be ordered. `answered`: the ids of the requests that were
    judged before."""

    state: Literal["withdrawn"] = "withdrawn"
    answered: tuple[str, ...]


State = Quiet | Treating | Abandoned | Withdrawn


def needs_of(state: State) -> tuple[Need, ...]:
    return state.needs if isinstance(state, Treating) else ()


def need_of(state: State, origin: str) -> Need | None:
    return next((need for need in needs_of(state) if need.origin == origin), None)


def answered_of(state: State) -> tuple[str, ...]:
    return tuple([request for need in needs_of(state) for request in need.answered])


def wanted_by(cause: ConsignmentAssessed | PestIntercepted) -> WantedTreatment:
    """Returns the treatment that this message makes necessary."""
    match cause:
        case ConsignmentAssessed():
            return WantedTreatment(origin=RISK, goods=cause.goods)
        case PestIntercepted():
            return WantedTreatment(
                origin=cause.control.value, pest=cause.pest, goods=cause.goods, finding=cause.revision
            )
        case _:
            assert_never(cause)


def put_off(state: State, cause: ConsignmentAssessed | PestIntercepted) -> State:
    """Returns the state of goods that are given up, with a note of the treatment that would be ordered if they were not
    given up. Any other state is returned unchanged."""
    if not isinstance(state, Abandoned):
        return state
    if isinstance(cause, ConsignmentAssessed) and ControlKind.QUARANTINE not in cause.controls:
        return state
    wanted = wanted_by(cause)
    known: tuple[Need | WantedTreatment, ...] = (*state.needs, *state.missed)
    if any(each.origin == wanted.origin and each.finding >= wanted.finding for each in known):
        return state
    missed = [each for each in state.missed if each.origin != wanted.origin]
    return replace(state, missed=(*missed, wanted))


def without_finding(state: State, retracted: FindingsRetracted) -> State:
    """Returns the state after the finding of a pest was retracted: the treatment against this pest is cancelled. If the
    goods were given up because of this pest, they are no longer given up, and their other treatments go on."""
    origin, revision = retracted.control.value, retracted.revision
    if not isinstance(state, Treating | Abandoned):
        return state
    needs = tuple(
        [
            replace(need, standing="cancelled", finding=revision)
            if need.origin == origin and need.finding < revision
            else need
            for need in state.needs
        ]
    )
    if isinstance(state, Treating):
        return state if needs == state.needs else Treating(needs=needs)
    if state.failed not in (origin, "") or (state.failed and needs == state.needs):
        missed = tuple([each for each in state.missed if each.origin != origin or each.finding >= revision])
        return replace(state, needs=needs, missed=missed)
    return Treating(needs=needs)


def judged(state: State, verdict: TreatmentVerified | TreatmentFailed, hearing: Hearing) -> Treating:
    """Returns the state after a verdict. The verdict is about the present attempt, or about the corrected record of the
    attempt before it. If the corrected record failed, that earlier attempt counts again."""
    need = need_of(state, verdict.origin)
    assert need is not None, "a verdict is about a need"
    in_hand, passed = verdict.attempt == need.attempt, isinstance(verdict, TreatmentVerified)
    since = need.since if need.judged is None or in_hand else need.judged.since
    change: dict[str, Any] = {
        "judged": Judged(request=hearing.message_id, attempt=verdict.attempt, since=since, passed=passed)
    }
    if isinstance(verdict, TreatmentVerified):
        change |= {"standing": "verified", "said": verdict.revision + 1}
    elif not in_hand:
        change["first"] = need.first - 1
    return changed(state, verdict.origin, hearing, **change)


def without_record(state: State, retracted: TreatmentRetracted, hearing: Hearing) -> State:
    """Returns the state after a record was taken back. Its attempt is open again. But if it had failed and the next
    attempt was ordered, the next attempt stays open, and the attempt whose record was taken back does not count."""
    if not isinstance(state, Treating | Abandoned):
        return state
    treating = Treating(needs=state.needs)
    need = need_of(treating, retracted.origin)
    assert need is not None, "a record that is taken back is about a need"
    last, forgiven = need.last, 0
    if last is not None and last.attempt < need.attempt and not last.passed:
        forgiven = 1
    change: dict[str, Any] = {
        "standing": need.standing if forgiven else "open",
        "due": retracted.due,
        "first": need.first + forgiven,
        "said": retracted.revision + 1,
        "judged": replace(last, stands=False) if last else None,
        "opened": need.opened if forgiven else hearing.sent,
    }
    return changed(treating, retracted.origin, hearing, **change)


def without_decision(state: State, retracted: TreatmentDecisionRetracted, hearing: Hearing) -> State:
    if not isinstance(state, Treating | Abandoned):
        return state
    treating = Treating(needs=state.needs)
    need = need_of(treating, retracted.origin)
    assert need is not None, "a decision that is taken back is about a need"
    # if the decision ordered a treatment, the next order must have a new attempt number
    attempt = need.attempt + 1 if need.methods else need.attempt
    change: dict[str, Any] = {
        "standing": "open",
        "methods": (),
        "goods": GoodsClass.OTHER,
        "since": retracted.occurred_at,
        "due": retracted.due,
        "attempt": attempt,
        "first": attempt,
        "said": retracted.revision + 1,
        "decided": "",
    }
    return changed(treating, retracted.origin, hearing, **change)


def asked_of_an_officer(state: State, referred: TreatmentReferred) -> Treating:
    earlier = need_of(state, referred.origin)
    attempt = earlier.attempt + 1 if earlier else 1
    need = Need(
        origin=referred.origin,
        attempt=attempt,
        methods=(),
        pest=referred.pest,
        since=referred.occurred_at,
        due=referred.due,
        goods=GoodsClass.OTHER,
        answered=earlier.answered if earlier else (),
        finding=referred.finding,
        first=attempt,
    )
    others = tuple([each for each in needs_of(state) if each.origin != referred.origin])
    return Treating(needs=(*others, need))


def taken_on(state: State, ordered: TreatmentOrdered, hearing: Hearing) -> Treating:
    """Returns the state after a treatment was ordered. `earlier` is the need of the same origin before the order; None
    if there was none. If `earlier` was a question to an officer, the message that led to this order is remembered as
    the answer to it."""
    earlier = need_of(state, ordered.origin)
    same = earlier is not None and earlier.finding == ordered.finding
    answered, decided = (earlier.answered, earlier.decided) if earlier else ((), "")
    if earlier is not None and not earlier.methods:
        answered, decided = (*answered, hearing.message_id), hearing.message_id
    need = Need(
        origin=ordered.origin,
        attempt=ordered.attempt,
        methods=ordered.methods,
        pest=ordered.pest,
        since=ordered.occurred_at,
        due=ordered.due,
        goods=ordered.goods,
        answered=answered,
        finding=ordered.finding,
        first=earlier.first if earlier and same else ordered.attempt,
        said=earlier.said if earlier and same else 0,
        judged=earlier.judged if earlier and same else None,
        decided=decided if same else "",
    )
    others = tuple([each for each in needs_of(state) if each.origin != ordered.origin])
    return Treating(needs=(*others, need))


def changed(state: State, origin: str, answered: Hearing | None, **change: Any) -> Treating:
    needs = []
    for need in needs_of(state):
        if need.origin == origin:
            if answered is not None:
                others = [request for request in need.answered if request != answered.message_id]
                change["answered"] = (*others, answered.message_id)[-REMEMBERED_ANSWERS:]
            need = replace(need, **change)
        needs.append(need)
    return Treating(needs=tuple(needs))
