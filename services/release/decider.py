"""May these goods go? Only when every hold is lifted; what is unknown holds them.

One statement at a time is true: held (with the whole list of holds), released, revoked and held again, refused (until the failure
is taken back), or withdrawn. Each carries a `version`, so that a consumer which hears two of them knows the later one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.declaration import WithdrawalRequested, WithdrawDeclaration
from schemas.envelope import Deadline, Fact, Hearing, RequestRefused
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
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    DeclarationWithdrawn,
    Hold,
    LiftHold,
    LiftRetracted,
    PlaceHold,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
    RetractLift,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import Owner
from services.release.holds import (
    Dossier,
    Evidence,
    Terms,
    failures,
    is_being_put_right,
    learn,
    lifting,
    open_holds,
)

OFFICER = "officer/"
MOST_OFFICER_HOLDS = 64
"""Officers' holds that may be open on one consignment at once; they hold the goods as well as any further one would."""
REMEMBERED_LIFTS = 256
"""Officers' holds that stay known after they were lifted. One that is asked for again, that late, holds the goods again."""
MOST_WITHDRAWALS = 64
"""Wishes to take the declaration back that wait for the assessment."""
NOTHING = Dossier()


@dataclass(frozen=True, slots=True)
class Case:
    """What every state carries. `stated`: the holds as last published; `lifted`: officer's hold → the message that lifted it."""

    dossier: Dossier = NOTHING
    version: int = 0
    stated: tuple[Hold, ...] = ()
    lifted: dict[str, str] = field(default_factory=dict)
    told: bool = False
    """Whether the gate knows that the containers must stay."""
    retracted: dict[str, str] = field(default_factory=dict)
    """Lifting that was wrong → the request that took it back."""


@dataclass(frozen=True, slots=True)
class Held(Case):
    """Not released so far, or (`revoked`) called back after a release."""

    state: Literal["held"] = "held"
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Released(Case):
    """The goods may go."""

    state: Literal["released"] = "released"


@dataclass(frozen=True, slots=True)
class Refused(Case):
    """The goods are to be destroyed or returned, unless the failure is taken back. `cause`: its hold, empty in records of earlier
    releases; `revoked`: as of `Held`. The officers' holds stay in `stated`.
    """

    state: Literal["refused"] = "refused"
    cause: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn(Case):
    """Taken back by the declarant; never released under this declaration."""

    state: Literal["withdrawn"] = "withdrawn"


State = Held | Released | Refused | Withdrawn
FromDesks = (
    ConsignmentAssessed
    | InspectionPassed
    | InspectionFailed
    | PestIntercepted
    | RectificationRequested
    | FindingsRetracted
    | TreatmentVerified
    | TreatmentAbandoned
    | TreatmentReferred
    | TreatmentRetracted
    | TreatmentDecisionRetracted
    | TreatmentOrdered
    | TreatmentWaived
    | QuarantineRefused
    | WithdrawalRequested
)
Asked = ReportArrival | PlaceHold | LiftHold | RetractLift
Heard = FromDesks | Asked
Said = (
    ArrivalRecorded
    | ConsignmentHeld
    | ReleaseGranted
    | ReleaseRefused
    | ReleaseRevoked
    | RefusalRevoked
    | LiftRetracted
    | DeclarationWithdrawn
    | ContainerHeld
    | ContainerFreed
    | RequestRefused
)

INITIAL: State = Held()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case (
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
        ):
            return settle(state, learn(state.dossier, message, ""), officers(state), message.consignment_id, hearing.at)
        case WithdrawalRequested():
            return withdraw(state, message, hearing)
        case ReportArrival():
            return arrive(state, message, hearing)
        case PlaceHold():
            return hold(state, message, hearing)
        case LiftHold():
            return lift(state, message, hearing)
        case RetractLift():
            return put_back(state, message, hearing)
        case _:
            assert_never(message)


def settle(
    state: State, dossier: Dossier, officers: tuple[Hold, ...], consignment: str, at: datetime
) -> tuple[Fact, ...]:
    """What is to be said now that `dossier` is known and `officers` are the officers' holds: nothing when nothing changed."""
    match state:
        case Withdrawn():
            return ()
        case Refused():
            return _refused_so_far(state, dossier, officers, consignment, at)
        case Held() | Released():
            pass
        case _:
            assert_never(state)
    say = _Statement(consignment, state, dossier, at)
    if failed := failures(dossier):
        return say.refuse(*next(iter(failed.items())))
    wishes = dossier.withdrawals
    may_be_withdrawn = dossier.terms and (not dossier.terms.controls or is_being_put_right(dossier))
    if wishes and dossier.terms and may_be_withdrawn and isinstance(state, Held) and not state.revoked:
        if not officers:
            return say.withdraw(wishes[0].request_id, wishes[0].reason, dossier.terms)
        # else the wish waits for the officers: a hold is not shed by withdrawing and declaring the goods again
    elif wishes and dossier.terms:
        seen = f"controls are ordered: {', '.join(dossier.terms.controls)}"
        sent_back = tuple([_refused(consignment, w.request_id, "controls_ordered", seen, at) for w in wishes])
        rest = dossier._replace(withdrawals=())
        return (*sent_back, *settle(state, rest, officers, consignment, at))
    holds = open_holds(dossier, officers, state.stated, at)
    if isinstance(state, Released):
        return say.revoke(holds) if holds else ()
    if not holds:
        return say.release()
    if [(h.hold_id, h.owner, h.reason) for h in holds] != [(h.hold_id, h.owner, h.reason) for h in state.stated]:
        return say.keep(holds)
    return ()


def _refused_so_far(
    state: Refused, dossier: Dossier, officers: tuple[Hold, ...], consignment: str, at: datetime
) -> tuple[Fact, ...]:
    """Refused goods stay refused for the failure that was named, until it is taken back; then the desk decides as if it never was."""
    say, standing = _Statement(consignment, state, dossier, at), failures(dossier)
    cause = state.cause or (state.dossier.failure.hold_id if state.dossier.failure else "")
    if cause in standing:  # refused before the containers were known: the gate hears of them now
        return () if state.told else say.stop("refused", state.version)
    again = Held(dossier=state.dossier, version=say.version, revoked=state.revoked)
    return (say.reconsider(cause), *settle(again, dossier, officers, consignment, at))


def arrive(state: State, report: ReportArrival, hearing: Hearing) -> tuple[Fact, ...]:
    """The goods are here: true once, whatever else holds them. A second report by somebody else is sent back."""
    if state.dossier.arrived_at is not None:
        if state.dossier.arrival_request == hearing.message_id:
            return ()
        return (_no(report, hearing, "already_answered", "the arrival was reported by an earlier request"),)
    if isinstance(state, Withdrawn):
        return (_no(report, hearing, "consignment_closed", "the declaration was withdrawn"),)
    arrived = ArrivalRecorded(
        consignment_id=report.consignment_id,
        occurred_at=hearing.at,
        place=report.place,
        reported_by=report.asked_by,
    )
    dossier = learn(state.dossier, arrived, hearing.message_id)
    return (arrived, *settle(state, dossier, officers(state), report.consignment_id, hearing.at))


def hold(state: State, asked: PlaceHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold, under the id of the request; on released goods it calls the release back."""
    hold_id = f"{OFFICER}{hearing.message_id}"
    if hold_id in state.lifted or any(h.hold_id == hold_id for h in state.stated):
        return ()
    if isinstance(state, Refused | Withdrawn):
        return (_no(asked, hearing, "consignment_closed", f"the consignment is {state.state}"),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (_no(asked, hearing, "too_many_holds", f"{len(officers(state))} officers' holds are open"),)
    new = Hold(
        hold_id=hold_id,
        owner=Owner.OFFICER,
        reason=shown(asked.reason, breaks=True),
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officers(state), new), asked.consignment_id, hearing.at)


def lift(state: State, asked: LiftHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold ends; the other holds are not an officer's to lift."""
    if state.lifted.get(asked.hold_id) == hearing.message_id or hearing.message_id in state.retracted:
        return ()
    if isinstance(state, Refused | Withdrawn):
        return (_no(asked, hearing, "consignment_closed", f"the consignment is {state.state}"),)
    if not asked.hold_id.startswith(OFFICER):
        return (_no(asked, hearing, "not_an_officer_hold", f"{asked.hold_id[:80]} is lifted by its own answer"),)
    left = tuple([h for h in officers(state) if h.hold_id != asked.hold_id])
    if len(left) == len(officers(state)):
        return (_no(asked, hearing, "hold_unknown", f"{asked.hold_id[:80]} is not open"),)
    return settle(state, state.dossier, left, asked.consignment_id, hearing.at)


def put_back(state: State, asked: RetractLift, hearing: Hearing) -> tuple[Fact, ...]:
    """A lifting that was wrong is taken back: the hold stands again under its own id, and released goods are called back."""
    if state.retracted.get(asked.wrong) == hearing.message_id:
        return ()
    if isinstance(state, Refused | Withdrawn):
        return (_no(asked, hearing, "consignment_closed", f"the consignment is {state.state}"),)
    hold_id = next((hold_id for hold_id, lifting in state.lifted.items() if lifting == asked.wrong), None)
    if hold_id is None:
        return (_no(asked, hearing, "lift_unknown", f"no hold is known to be lifted by request {asked.wrong[:80]}"),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (_no(asked, hearing, "too_many_holds", f"{len(officers(state))} officers' holds are open"),)
    retracted = LiftRetracted(
        consignment_id=asked.consignment_id,
        occurred_at=hearing.at,
        hold_id=hold_id,
        wrong=asked.wrong,
        officer=asked.asked_by,
        reason=asked.reason,
    )
    again = Hold(
        hold_id=hold_id,
        owner=Owner.OFFICER,
        reason=shown(f"lifted by mistake: {asked.reason}", breaks=True),
        since=hearing.at,
        lifted_by="LiftHold",
    )
    holds = (*officers(state), again)
    return (retracted, *settle(state, state.dossier, holds, asked.consignment_id, hearing.at))


def withdraw(state: State, wish: WithdrawalRequested, hearing: Hearing) -> tuple[Fact, ...]:
    """Taken back, sent back, or (before the assessment) kept until it can be decided."""
    if isinstance(state, Withdrawn):
        if any(w.request_id == wish.request_id for w in state.dossier.withdrawals):
            return ()
        code, seen = "already_withdrawn", "the declaration was withdrawn already"
    elif isinstance(state, Released):
        code, seen = "already_released", f"released in version {state.version}"
    elif isinstance(state, Refused):
        code, seen = "consignment_closed", "the goods were refused"
    elif state.revoked:
        code, seen = "already_released", "the goods had been released and were called back"
    elif len(learn(state.dossier, wish, "").withdrawals) > MOST_WITHDRAWALS:
        code, seen = "too_many_requests", f"{len(state.dossier.withdrawals)} wishes wait for the assessment"
    else:
        dossier = learn(state.dossier, wish, hearing.message_id)
        return settle(state, dossier, officers(state), wish.consignment_id, hearing.at)
    return (_refused(wish.consignment_id, wish.request_id, code, seen, hearing.at),)


class _Statement:
    """The facts of one change of mind, with the versions in order."""

    def __init__(self, consignment: str, state: Held | Released | Refused, dossier: Dossier, at: datetime) -> None:
        self.consignment, self.state, self.dossier, self.at = consignment, state, dossier, at
        self.version = state.version + 1

    def keep(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (held, *self.stop("not released yet"))

    def release(self) -> tuple[Fact, ...]:
        terms, dossier = self.dossier.terms, self.dossier
        assert terms is not None and dossier.arrived_at is not None, "no hold is open, so both are known"
        granted = ReleaseGranted(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            declaration_no=terms.declaration_no,
            direction=terms.direction,
            customs_office=shown(terms.customs_office, 20),
            transport_mode=shown(terms.transport_mode, 20),
            bill_no=shown(terms.bill_no, 20),
            containers=_names(terms),
            lane=terms.lane,
            arrived_at=dossier.arrived_at,
            answers=lifting(dossier),
        )
        return (granted, *self._free(terms, released=True))

    def revoke(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        revoked = self._revoked(holds[0].reason)
        held = ConsignmentHeld(
            consignment_id=self.consignment, occurred_at=self.at, version=self.version + 1, holds=holds
        )
        return (revoked, held, *self.stop(revoked.reason, version=self.version + 1))

    def refuse(self, cause: str, reason: str) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = ()
        version = self.version
        if isinstance(self.state, Released):
            facts = (self._revoked(reason),)
            version += 1
        refused = ReleaseRefused(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=version,
            declaration_no=self.dossier.terms.declaration_no if self.dossier.terms else None,
            cause=shown(cause, 240),
            reason=shown(reason, breaks=True),
        )
        return (*facts, refused, *self.stop(f"refused: {reason}", version=version))

    def reconsider(self, cause: str) -> RefusalRevoked:
        reason = shown(f"{cause} no longer stands as a failure", breaks=True)
        return RefusalRevoked(consignment_id=self.consignment, occurred_at=self.at, version=self.version, reason=reason)

    def withdraw(self, request_id: str, reason: str, terms: Terms) -> tuple[Fact, ...]:
        """The gate is told whether or not it heard of the goods before: the same facts whichever message came first."""
        withdrawn = DeclarationWithdrawn(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            request_id=shown(request_id, 200),
            reason=shown(reason, breaks=True),
        )
        others = [w for w in self.dossier.withdrawals if w.request_id != request_id]
        seen = "the declaration was withdrawn already"
        sent_back = [_refused(self.consignment, w.request_id, "already_withdrawn", seen, self.at) for w in others]
        return (withdrawn, *sent_back, *self._free(terms, released=False))

    def _revoked(self, reason: str) -> ReleaseRevoked:
        terms = self.dossier.terms
        return ReleaseRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            containers=_names(terms) if terms else (),
            reason=shown(reason, breaks=True),
        )

    def stop(self, reason: str, version: int | None = None) -> tuple[Fact, ...]:
        """To the gate, once per change: these containers must stay."""
        if self.dossier.terms is None or (self.state.told and version is None):
            return ()
        return tuple(
            [
                ContainerHeld(
                    container_no=shown(c.container_no, 17),
                    occurred_at=self.at,
                    consignment_id=self.consignment,
                    shared_by=c.shared_by,
                    version=version or self.version,
                    reason=shown(reason, breaks=True),
                )
                for c in self.dossier.terms.containers
            ]
        )

    def _free(self, terms: Terms, released: bool) -> tuple[Fact, ...]:
        return tuple(
            [
                ContainerFreed(
                    container_no=shown(c.container_no, 17),
                    occurred_at=self.at,
                    consignment_id=self.consignment,
                    shared_by=c.shared_by,
                    version=self.version,
                    released=released,
                )
                for c in terms.containers
            ]
        )


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case (
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
        ):
            return state if isinstance(state, Withdrawn) else _known(state, message, hearing)
        case WithdrawalRequested():
            return _known(state, message, hearing) if isinstance(state, Held) and not state.revoked else state
        case ArrivalRecorded():
            return _known(state, message, hearing)
        case ConsignmentHeld():
            revoked = isinstance(state, Held) and state.revoked
            return Held(**_stated(state, message.version, message.holds, hearing), revoked=revoked)
        case ReleaseGranted():
            return Released(**_stated(state, message.version, (), hearing))
        case ReleaseRevoked():
            return Held(**_stated(state, message.version, (), hearing), revoked=True)
        case ReleaseRefused():
            revoked = isinstance(state, Held) and state.revoked
            stated = _stated(state, message.version, officers(state), hearing)
            return Refused(**stated, cause=message.cause, revoked=revoked)
        case RefusalRevoked():
            revoked = isinstance(state, Refused) and state.revoked
            return Held(**_stated(state, message.version, officers(state), hearing), revoked=revoked)
        case LiftRetracted():
            lifted = {hold_id: lifting for hold_id, lifting in state.lifted.items() if hold_id != message.hold_id}
            known = [*state.retracted.items(), (message.wrong, hearing.message_id)]
            return replace(state, lifted=lifted, retracted=dict(known[-REMEMBERED_LIFTS:]))
        case DeclarationWithdrawn():
            return Withdrawn(**_stated(state, message.version, (), hearing))
        case ContainerHeld():
            return state if state.told else replace(state, told=True)
        case ContainerFreed():
            return replace(state, told=False)
        case RequestRefused():
            left = tuple([w for w in state.dossier.withdrawals if shown(w.request_id, 200) != message.request_id])
            if isinstance(state, Withdrawn) or len(left) == len(state.dossier.withdrawals):
                return state
            return replace(state, dossier=state.dossier._replace(withdrawals=left))
        case ReportArrival() | PlaceHold() | LiftHold() | RetractLift():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None: a hold waits as long as it must, and its owner's desk keeps the time."""
    return ()


def closed(state: State) -> bool:
    """After withdrawal; released goods may still be called back, and a refusal taken back."""
    return isinstance(state, Withdrawn)


def officers(state: State) -> tuple[Hold, ...]:
    """The officers' holds that are open."""
    return tuple([h for h in state.stated if h.hold_id.startswith(OFFICER)])


def _known(state: State, fact: Evidence, hearing: Hearing) -> State:
    dossier = learn(state.dossier, fact, hearing.message_id)
    return state if dossier is state.dossier else replace(state, dossier=dossier)


def _stated(state: State, version: int, holds: tuple[Hold, ...], hearing: Hearing) -> dict[str, Any]:
    still = {h.hold_id for h in holds}
    gone = {h.hold_id: hearing.message_id for h in officers(state) if h.hold_id not in still}
    return {
        "dossier": state.dossier,
        "version": version,
        "stated": holds,
        "lifted": dict([*state.lifted.items(), *gone.items()][-REMEMBERED_LIFTS:]) if gone else state.lifted,
        "told": state.told,
        "retracted": state.retracted,
    }


def _names(terms: Terms) -> tuple[str, ...]:
    return tuple([shown(c.container_no, 17) for c in terms.containers])


def _refused(consignment: str, request_id: str, code: str, seen: str, at: datetime) -> RequestRefused:
    return RequestRefused(
        occurred_at=at,
        subject=consignment,
        request_id=shown(request_id, 200),
        request_kind=WithdrawDeclaration.__name__,
        code=code,
        reason=seen,
    )


def _no(asked: Asked, hearing: Hearing, code: str, seen: str) -> RequestRefused:
    return RequestRefused(
        occurred_at=hearing.at,
        subject=asked.consignment_id,
        request_id=hearing.message_id,
        request_kind=asked.kind,
        code=code,
        reason=seen,
    )
