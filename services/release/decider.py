"""May these goods go? Only when every hold is lifted; what is unknown holds them.

One statement at a time is true: held (with the whole list of holds), released, revoked and held again, refused (until the failure
is taken back), or withdrawn. Each carries a `version`, so that a consumer which hears two of them knows the later one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple, assert_never

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.declaration import LONGEST_BILL, WithdrawalRequested, WithdrawDeclaration
from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, RequestRefused, event_time, refusal
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
from schemas.phrases import Phrase, phrase, quoted, reason
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
from schemas.vocabulary import Direction, Owner
from services.release.arrivals import (
    BY_GATE,
    MOST_LANDINGS,
    arrival_was_wrong,
    arrived_boxes,
    arrived_partly,
    arrived_pieces,
    arrived_whole,
    by_gate,
    fewer,
    gone_with,
    misfit,
    named,
    no_news,
    told_boxes,
    told_by,
    too_many_landings,
    what_stands,
)
from services.release.departures import gone, left_unreleased
from services.release.dossier import Bound, Dossier, Landing, Terms
from services.release.holds import (
    ARRIVAL,
    GATE,
    Evidence,
    ages,
    failures,
    held_because,
    is_being_put_right,
    learn,
    lifting,
    open_holds,
    why_held,
)
from services.release.lapses import lapses_after
from services.release.transfers import containers, filled, here, sources
from services.release.watches import WATCH, Watching, answer, keep, watched

OFFICER = "officer/"
LAPSE = f"{OFFICER}lapse/"
"""Begins the hold that follows a release which nobody used."""
MOST_OFFICER_HOLDS = 64
"""Officers' holds that may be open on one consignment at once; they hold the goods as well as any further one would."""
REMEMBERED_LIFTS = 256
"""Officers' holds that stay known after they were lifted. One that is asked for again, that late, holds the goods again."""
MOST_NAMED = 15
"""Containers that are named in words; more stand in the facts themselves."""
MOST_WITHDRAWALS = 64
"""Wishes to take the declaration back that wait for the assessment."""
NOTHING = Dossier()
NO_WATCHES = Watching()
Told = Literal["held", "held here", "refused", "refused here", "freed", "not in it"]
"""What the gate was told last of a container: `here`, that the goods have arrived in it; `not in it`, that they did not go into it."""


@dataclass(frozen=True, slots=True)
class Case:
    """What every state carries. `stated`: the holds as last published; `lifted`: officer's hold → the message that lifted it."""

    dossier: Dossier = NOTHING
    version: int = 0
    stated: tuple[Hold, ...] = ()
    lifted: dict[str, str] = field(default_factory=dict)
    told: bool = False
    """Written by an earlier release: whether the gate knows that the containers must stay. `gate` tells it now."""
    gate: dict[str, Told] = field(default_factory=dict)
    """What the gate was told last, by container."""
    retracted: dict[str, str] = field(default_factory=dict)
    """Lifting that was wrong → the request that took it back."""


@dataclass(frozen=True, slots=True)
class Held(Case):
    """Not released so far, or (`revoked`) called back after a release."""

    state: Literal["held"] = "held"
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Released(Case):
    """The goods may go; where holds are `stated`, only those that have arrived.

    `boxes`: since when each container is released; empty where an earlier release did not say, so that nothing of it lapses.
    `revisions`: as the release said them.
    """

    state: Literal["released"] = "released"
    boxes: dict[str, AwareDatetime] = field(default_factory=dict)
    revisions: dict[str, tuple[int, int]] = field(default_factory=dict)


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


Goods = Held | Released | Refused | Withdrawn
State = Goods | Watching
"""Of one consignment, or (`Watching`) the watches of a whole partition."""
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
    | ContainerArrived
    | ContainerArrivalRetracted
    | GoodsTransferred
    | TransferRetracted
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted
)
Asked = ReportArrival | RetractArrival | PlaceHold | LiftHold | RetractLift
OfGoods = FromDesks | Asked | DeadlinePassed
OfWatches = PlaceWatch | LiftWatch
Heard = OfGoods | OfWatches
SaidOfGoods = (
    ArrivalRecorded
    | ArrivalRetracted
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
Said = SaidOfGoods | WatchPlaced | WatchLifted

INITIAL: State = Held()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    if isinstance(message, PlaceWatch | LiftWatch):
        return answer(_watching(state), message, hearing)
    return decide_goods(_goods(state), message, hearing)


def _watching(state: State) -> Watching:
    """The key of a partition is no consignment's, so nothing else can stand under it."""
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
    """What is said about the goods; `hearing.shared`: the watches of their partition."""
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


def settle(
    state: Goods, dossier: Dossier, officers: tuple[Hold, ...], consignment: str, hearing: Hearing
) -> tuple[Fact, ...]:
    """What is to be said now that `dossier` is known and `officers` are the officers' holds: nothing when nothing changed.

    The partition's watches hold what they match in the same breath.
    """
    at, say = hearing.at, _Statement(consignment, state, dossier, hearing.at)
    match state:
        case Withdrawn():
            return ()
        case Refused():
            return _refused_so_far(state, dossier, officers, consignment, hearing)
        case Held() | Released():
            pass
        case _:
            assert_never(state)
    officers = (*officers, *_met(state, dossier, officers, hearing))
    if failed := failures(dossier):
        return (
            *say.refuse(*next(iter(failed.items())), officers),
            *say.send_back("consignment_closed", phrase("refused")),
        )
    wishes = dossier.withdrawals
    may_be_withdrawn = dossier.terms and (not dossier.terms.controls or is_being_put_right(dossier))
    if wishes and dossier.terms and may_be_withdrawn and isinstance(state, Held) and not state.revoked:
        if not officers and not left_unreleased(dossier):
            return say.withdraw(wishes[0].request_id, wishes[0].reason, dossier.terms)
        # else the wish waits for the officers: a hold is not shed by withdrawing and declaring the goods again
    elif wishes and dossier.terms:
        seen = phrase("controls_ordered", controls=dossier.terms.controls)
        rest = dossier._replace(withdrawals=())
        return (*say.send_back("controls_ordered", seen), *settle(state, rest, officers, consignment, hearing))
    holds = open_holds(dossier, officers, state.stated, at)
    stops = [h for h in holds if h.hold_id != ARRIVAL] if arrived_partly(dossier) else holds
    if isinstance(state, Released) and stops:
        return say.revoke(holds)
    if isinstance(state, Released) and (fewer(state.dossier, dossier) or state.boxes.keys() - here(dossier).keys()):
        return say.release_less(holds)
    news = [(h.hold_id, h.owner, h.reason) for h in holds] != [(h.hold_id, h.owner, h.reason) for h in state.stated]
    more = isinstance(state, Released) and (ages(dossier) != state.revisions or _went_into_others(state, dossier))
    if not stops and (news or isinstance(state, Held) or more):
        return say.release(holds)
    return say.keep(holds) if news else say.unchanged(holds)


def _went_into_others(state: Released, dossier: Dossier) -> bool:
    """Whether the goods are in other containers than those that the release names."""
    return bool(dossier.transfers) and filled(dossier).keys() != state.boxes.keys()


def _met(state: Goods, dossier: Dossier, officers: tuple[Hold, ...], hearing: Hearing) -> tuple[Hold, ...]:
    """The holds of watches that match these goods and are not known yet. One that an officer lifted from them stays lifted."""
    open_now = {each.hold_id for each in officers}
    found = watched(hearing.shared, dossier.terms, hearing)
    new = [each for each in found if each.hold_id not in open_now and each.hold_id not in state.lifted]
    return tuple(new[: max(0, MOST_OFFICER_HOLDS - len(officers))])


def assess(state: Goods, assessed: ConsignmentAssessed, hearing: Hearing) -> tuple[Fact, ...]:
    """The containers are known now: arrivals that were reported of others are sent back, and do not count."""
    dossier = learn(state.dossier, assessed, hearing.message_id)
    sent_back: list[Fact] = []
    if dossier is not state.dossier and not closed(state):
        for landing in state.dossier.landings:
            fault = misfit(dossier, landing)
            if fault and not landing.by_gate:
                of = ReportArrival.kind
                sent_back.append(_refused(assessed.consignment_id, landing.message_id, *fault, hearing.at, of))
    return (*sent_back, *settle(state, dossier, officers(state), assessed.consignment_id, hearing))


def _refused_so_far(
    state: Refused, dossier: Dossier, theirs: tuple[Hold, ...], consignment: str, hearing: Hearing
) -> tuple[Fact, ...]:
    """Refused goods stay refused for the failure that was named, until it is taken back; then the desk decides as if it never was.
    `theirs`: the officers' holds, of which it is said when they change.
    """
    say, standing = _Statement(consignment, state, dossier, hearing.at), failures(dossier)
    cause = state.cause or (state.dossier.failure.hold_id if state.dossier.failure else "")
    if cause in standing and theirs != officers(state):
        return say.refuse(cause, standing[cause], theirs)
    if cause in standing:
        # refused before the containers were known, or before they arrived: the gate hears of them now
        return say.to_gate(phrase("not_let_in"), refused=True)
    again = Held(dossier=state.dossier, version=say.version, gate=told_to_gate(state), revoked=state.revoked)
    return (say.reconsider(cause), *settle(again, dossier, theirs, consignment, hearing))


def arrive(state: Goods, report: ReportArrival, hearing: Hearing) -> tuple[Fact, ...]:
    """The goods are here, or a part of them: true once, whatever else holds them. What tells nothing new is sent back."""
    dossier = state.dossier
    known = [*[each.message_id for each in dossier.landings], *[each.wrong for each in dossier.retractions]]
    if hearing.message_id in (dossier.arrival_request, *known):
        return ()
    boxes = named(report.containers)
    at = event_time(report.occurred_at, hearing)
    landing = Landing(hearing.message_id, at, boxes, report.pieces)
    whole = not boxes and report.pieces is None
    if arrived_whole(dossier) is not None or (not whole and not misfit(dossier, landing) and no_news(dossier, landing)):
        return (refusal(report, hearing, "already_answered", phrase("arrival_reported")),)
    if isinstance(state, Withdrawn):
        return (refusal(report, hearing, "consignment_closed", phrase("withdrawn")),)
    if not whole:
        if fault := misfit(dossier, landing):
            return (refusal(report, hearing, *fault),)
        if too_many_landings(dossier, landing):
            return (
                refusal(report, hearing, "too_many_requests", phrase("landings_known", count=len(dossier.landings))),
            )
    arrived = ArrivalRecorded(
        consignment_id=report.consignment_id,
        occurred_at=at,
        place=shown(report.place, 100),
        reported_by=report.asked_by,
        containers=boxes,
        pieces=report.pieces,
        reported_for=shown(report.principal, 64),
    )
    return (arrived, *_after(state, arrived, hearing))


def take_back(state: Goods, asked: RetractArrival, hearing: Hearing) -> tuple[Fact, ...]:
    """A report of an arrival was wrong. Who told it takes it back; of one that an earlier release recorded nobody knows whose it was, and
    as this can only hold the goods, whoever may tell arrivals takes it back. What a terminal told the gate is taken back there."""
    dossier = state.dossier
    if any(each.message_id == hearing.message_id for each in dossier.retractions):
        return ()
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    wrong = told_by(dossier, asked.wrong)
    if wrong is None and any(each.wrong == asked.wrong for each in dossier.retractions):
        return (refusal(asked, hearing, "already_answered", phrase("counts_no_longer", report=asked.wrong[:80])),)
    if wrong is None or wrong.by_gate:
        return (refusal(asked, hearing, "arrival_unknown", phrase("no_report_of_arrival", report=asked.wrong[:80])),)
    if wrong.sender not in ("", shown(asked.principal, 64)):
        return (refusal(asked, hearing, "not_the_sender", phrase("told_by_another", report=asked.wrong[:80])),)
    if gone_with(dossier, wrong):
        return (refusal(asked, hearing, "already_gated_out", phrase("arrival_of_what_left")),)
    if len(dossier.retractions) >= MOST_LANDINGS:
        seen = phrase("arrivals_taken_back", count=len(dossier.retractions))
        return (refusal(asked, hearing, "too_many_requests", seen),)
    return _less(state, wrong, asked.reason, asked.asked_by, asked.consignment_id, hearing)


def _less(state: Goods, wrong: Landing, words: str, by: str, consignment: str, hearing: Hearing) -> tuple[Fact, ...]:
    why = quoted(words)
    retracted = ArrivalRetracted(
        consignment_id=consignment,
        occurred_at=hearing.at,
        wrong=wrong.message_id,
        reason=reason(why),
        retracted_by=shown(by, 64),
        phrases=(why,),
    )
    dossier = learn(state.dossier, retracted, hearing.message_id)
    told = retracted.model_copy(update=what_stands(dossier))
    return (told, *settle(state, dossier, officers(state), consignment, hearing))


def not_landed(state: Goods, told: ContainerArrivalRetracted, hearing: Hearing) -> tuple[Fact, ...]:
    """A terminal took back that the container came: the goods have not arrived in it, unless somebody else said so."""
    if isinstance(state, Withdrawn):
        return ()
    dossier, landing = learn(state.dossier, told, hearing.message_id), by_gate(state.dossier, told.container_no)
    if dossier is state.dossier:
        return ()
    facts = settle(state, dossier, officers(state), told.consignment_id, hearing)
    if landing is None:
        return facts
    why = phrase("terminal_took_back")
    retracted = ArrivalRetracted(
        consignment_id=told.consignment_id,
        occurred_at=hearing.at,
        wrong=landing.message_id,
        reason=reason(why),
        retracted_by=BY_GATE,
        phrases=(why,),
        **what_stands(dossier),
    )
    return (retracted, *facts)


def land(state: Goods, told: ContainerArrived, hearing: Hearing) -> tuple[Fact, ...]:
    """A terminal told the gate of a container of these goods: they have arrived in it, if nobody said so before."""
    at, boxes = event_time(told.occurred_at, hearing), named((told.container_no,))
    landing = Landing(hearing.message_id, at, boxes, by_gate=True)
    dossier = state.dossier
    if isinstance(state, Withdrawn) or misfit(dossier, landing) or no_news(dossier, landing):
        return ()
    if too_many_landings(dossier, landing):
        return ()  # so many that came before the assessment that a report of the arrival is to be told again
    arrived = ArrivalRecorded(
        consignment_id=told.consignment_id,
        occurred_at=at,
        place=shown(told.place, 100) or "terminal",
        reported_by=BY_GATE,
        containers=boxes,
    )
    return (arrived, *_after(state, arrived, hearing))


def _after(state: Goods, arrived: ArrivalRecorded, hearing: Hearing) -> tuple[Fact, ...]:
    dossier = learn(state.dossier, arrived, hearing.message_id)
    return settle(state, dossier, officers(state), arrived.consignment_id, hearing)


def depart(
    state: Goods,
    told: GoodsTransferred | TransferRetracted | ConsignmentGatedOut | ConsignmentLeftUnreleased | DepartureRetracted,
    hearing: Hearing,
) -> tuple[Fact, ...]:
    """A container left, or did not after all, or goods went into others. Goods that left unreleased are held until that is taken back.

    Nothing is said of goods that this desk does not know yet; what it heard counts from the moment it does.
    """
    dossier = learn(state.dossier, told, hearing.message_id)
    if closed(state) or dossier is state.dossier or (dossier.terms is None and state.version == 0):
        return ()
    return settle(state, dossier, officers(state), told.consignment_id, hearing)


def lapse(state: Goods, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """A release that nobody used is called back; an officer who lifts the hold gives it again."""
    waiting = {number: limit for number, limit in _limits(state).items() if limit.due <= passed.due}
    if not waiting:
        return ()
    days = min([limit.after for limit in waiting.values()]).days
    new = held_because(
        phrase("lapsed", days=days, waiting=tuple(waiting)[:MOST_NAMED]),
        hold_id=f"{LAPSE}{state.version}",
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officers(state), new), passed.subject, hearing)


def hold(state: Goods, asked: PlaceHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold, under the id of the request or of its watch; on released goods it calls the release back. Refused goods
    are held, too: the refusal may be taken back, and then nobody would know of it.
    """
    hold_id = f"{WATCH}{shown(asked.watch_id, 200)}" if asked.watch_id else f"{OFFICER}{hearing.message_id}"
    if hold_id in state.lifted or any(h.hold_id == hold_id for h in state.stated):
        if not asked.watch_id:
            return ()
        code = "watch_lifted" if hold_id in state.lifted else "already_held"
        return (refusal(asked, hearing, code, phrase("hold_known", hold=hold_id[:80])),)
    if isinstance(hearing.shared, Watching) and asked.watch_id in hearing.shared.ended:
        return (refusal(asked, hearing, "watch_lifted", phrase("hold_lifted", hold=asked.watch_id[:80])),)
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (refusal(asked, hearing, "too_many_holds", phrase("holds_open_here", count=len(officers(state)))),)
    new = held_because(
        quoted(asked.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officers(state), new), asked.consignment_id, hearing)


def lift(state: Goods, asked: LiftHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold ends; the other holds are not an officer's to lift."""
    if state.lifted.get(asked.hold_id) == hearing.message_id or hearing.message_id in state.retracted:
        return ()
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    if not asked.hold_id.startswith(OFFICER):
        return (refusal(asked, hearing, "not_an_officer_hold", phrase("lifted_by_answer", hold=asked.hold_id[:80])),)
    left = tuple([h for h in officers(state) if h.hold_id != asked.hold_id])
    if len(left) == len(officers(state)):
        return (refusal(asked, hearing, "hold_unknown", phrase("hold_not_open", hold=asked.hold_id[:80])),)
    known = replace(state, lifted={**state.lifted, asked.hold_id: hearing.message_id})
    return settle(known, state.dossier, left, asked.consignment_id, hearing)


def put_back(state: Goods, asked: RetractLift, hearing: Hearing) -> tuple[Fact, ...]:
    """A lifting that was wrong is taken back: the hold stands again under its own id, and released goods are called back."""
    if state.retracted.get(asked.wrong) == hearing.message_id:
        return ()
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    hold_id = next((hold_id for hold_id, lifting in state.lifted.items() if lifting == asked.wrong), None)
    if hold_id is None:
        return (refusal(asked, hearing, "lift_unknown", phrase("no_hold_of_lift", request=asked.wrong[:80])),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (refusal(asked, hearing, "too_many_holds", phrase("holds_open_here", count=len(officers(state)))),)
    retracted = LiftRetracted(
        consignment_id=asked.consignment_id,
        occurred_at=hearing.at,
        hold_id=hold_id,
        wrong=asked.wrong,
        officer=asked.asked_by,
        reason=asked.reason,
    )
    again = held_because(
        phrase("lifted_by_mistake", words=asked.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    holds = (*officers(state), again)
    return (retracted, *settle(state, state.dossier, holds, asked.consignment_id, hearing))


def withdraw(state: Goods, wish: WithdrawalRequested, hearing: Hearing) -> tuple[Fact, ...]:
    """Taken back, sent back, or (before the assessment) kept until it can be decided."""
    if isinstance(state, Withdrawn):
        if any(w.request_id == wish.request_id for w in state.dossier.withdrawals):
            return ()
        code, seen = "already_withdrawn", phrase("withdrawn_already")
    elif isinstance(state, Released):
        code, seen = "already_released", phrase("released_in_version", version=state.version)
    elif isinstance(state, Refused):
        code, seen = "consignment_closed", phrase("refused")
    elif state.revoked:
        code, seen = "already_released", phrase("released_and_called_back")
    elif len(learn(state.dossier, wish, "").withdrawals) > MOST_WITHDRAWALS:
        code, seen = "too_many_requests", phrase("wishes_wait", count=len(state.dossier.withdrawals))
    else:
        dossier = learn(state.dossier, wish, hearing.message_id)
        return settle(state, dossier, officers(state), wish.consignment_id, hearing)
    return (_refused(wish.consignment_id, wish.request_id, code, seen, hearing.at),)


class _Statement:
    """The facts of one change of mind, with the versions in order."""

    def __init__(self, consignment: str, state: Goods, dossier: Dossier, at: datetime) -> None:
        self.consignment, self.state, self.dossier, self.at = consignment, state, dossier, at
        self.version = state.version + 1
        self.came_from = sources(dossier)

    def keep(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (held, *self.to_gate(phrase("not_released_yet"), holds=holds, again=self._more_than_stated(holds)))

    def _more_than_stated(self, holds: tuple[Hold, ...]) -> bool:
        """Whether there is a hold that was not stated before, and of which the gate does not know itself."""
        known = {h.hold_id for h in self.state.stated}
        return any(h.hold_id not in known and not h.hold_id.startswith((ARRIVAL, GATE)) for h in holds)

    def release(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Everything, or (`holds` keep the rest) what has arrived."""
        terms, dossier = self.dossier.terms, self.dossier
        boxes, most = filled(dossier), arrived_pieces(dossier)
        arrived = max(boxes.values()) if boxes else arrived_whole(dossier) or (most.at if most else None)
        assert terms is not None and arrived is not None, "nothing else holds the goods, so both are known"
        granted = ReleaseGranted(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            declaration_no=terms.declaration_no,
            direction=terms.direction,
            customs_office=shown(terms.customs_office, 20),
            transport_mode=shown(terms.transport_mode, 20),
            bill_no=shown(terms.bill_no, LONGEST_BILL),
            containers=tuple(boxes),
            lane=terms.lane,
            arrived_at=arrived,
            answers=lifting(dossier),
            holds=holds,
            pieces=most.pieces if holds and most and not boxes else None,
            revisions=ages(dossier),
        )
        return (granted, *self.to_gate(phrase("not_arrived_yet"), holds=holds, released=True))

    def release_less(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """A part of what was released has not arrived after all: the release is called back first."""
        revoked = self._revoked(phrase("arrival_taken_back"))
        self.version += 1
        return (revoked, *self.release(holds))

    def revoke(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        stops = [h for h in holds if h.hold_id != ARRIVAL] or holds
        why = why_held(stops[0])
        revoked = self._revoked(why)
        self.version += 1
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (revoked, held, *self.to_gate(why, holds=holds))

    def refuse(self, cause: str, why: Phrase, officers: tuple[Hold, ...]) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = ()
        if isinstance(self.state, Released):
            facts = (self._revoked(why),)
            self.version += 1
        refused = ReleaseRefused(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            declaration_no=self.dossier.terms.declaration_no if self.dossier.terms else None,
            cause=shown(cause, 240),
            reason=reason(why),
            holds=officers,
            phrases=(why,),
        )
        again = isinstance(self.state, Refused) and self._more_than_stated(officers)
        return (*facts, refused, *self.to_gate(phrase("refused_for"), why, refused=True, again=again))

    def reconsider(self, cause: str) -> RefusalRevoked:
        why = phrase("failure_gone", hold=cause)
        return RefusalRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            reason=reason(why),
            phrases=(why,),
        )

    def withdraw(self, request_id: str, words: str, terms: Terms) -> tuple[Fact, ...]:
        """The gate is told whether or not it heard of the goods before: the same facts whichever message came first."""
        withdrawn = DeclarationWithdrawn(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            request_id=shown(request_id, 200),
            reason=shown(words, breaks=True),
        )
        sent_back = self.send_back("already_withdrawn", phrase("withdrawn_already"), but=request_id)
        arrived, boxes = here(self.dossier), containers(self.dossier)
        freed = [self._freed(terms, box, arrived, released=False) for box in boxes]
        return (withdrawn, *sent_back, *freed)

    def send_back(self, code: str, seen: Phrase, but: str = "") -> tuple[Fact, ...]:
        """The refusal of each wish to take the declaration back, `but` for this one."""
        wishes = [w.request_id for w in self.dossier.withdrawals if w.request_id != but]
        return tuple([_refused(self.consignment, wish, code, seen, self.at) for wish in wishes])

    def _revoked(self, why: Phrase) -> ReleaseRevoked:
        """It names what had been released."""
        state = self.state
        known = tuple(state.boxes) if isinstance(state, Released) else ()
        return ReleaseRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            containers=known or _names(self.dossier),
            reason=reason(why),
            phrases=(why,),
        )

    def unchanged(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """The statement stands; but a container that came back to it may have missed it. Of one that was told something the gate takes
        another word only in a version of its own."""
        released, told = isinstance(self.state, Released), told_to_gate(self.state)
        again = self.to_gate(phrase("not_released"), holds=holds, released=released)
        if any(fact.key in told for fact in again):
            return again
        self.version = self.state.version
        return self.to_gate(phrase("not_released"), holds=holds, released=released) if again else ()

    def to_gate(
        self,
        *why: Phrase,
        holds: tuple[Hold, ...] = (),
        released: bool = False,
        refused: bool = False,
        again: bool = False,
    ) -> tuple[Fact, ...]:
        """What the gate does not know yet of each container. `released`: the goods are, so that each container in which they are here
        may go; `again`: what it knows, too, because more is against the goods now than an officer had seen who let them out.

        Of one that left with these goods released, it is told only what is against the goods in it: neither that others have not
        arrived or left unreleased, nor that the release lapsed for others.
        """
        terms = self.dossier.terms
        if terms is None:
            return ()
        told, arrived = told_to_gate(self.state), here(self.dossier)
        spared: frozenset[str] = frozenset()
        if self.dossier.departures and not refused and all(h.hold_id.startswith((ARRIVAL, GATE, LAPSE)) for h in holds):
            spared = gone(self.dossier)
        facts: list[Fact] = []
        for box in containers(self.dossier):
            number = box.container_no
            want = _told(released and number in arrived, refused, number in arrived)
            known = told.get(number)
            if (want == known and not again) or (known == "freed" and number in spared):
                continue
            if want == "freed":
                facts.append(self._freed(terms, box, arrived, released=True))
                continue
            facts.append(
                ContainerHeld(
                    container_no=shown(number, 17),
                    occurred_at=self.at,
                    consignment_id=self.consignment,
                    shared_by=box.shared_by,
                    version=self.version,
                    reason=reason(*why),
                    bill_no=shown(terms.bill_no, LONGEST_BILL),
                    conveyance=terms.conveyance,
                    direction=terms.direction,
                    arrived_at=arrived.get(number),
                    refused=refused,
                    source=self._source(number),
                    arrival_retracted=arrival_was_wrong(self.dossier, number) and number not in arrived,
                    phrases=why,
                )
            )
        known_boxes = {box.container_no for box in containers(self.dossier)}
        for number, known in told.items():
            if number not in known_boxes and known != "not in it":  # a stripping was taken back
                facts.append(self._freed(terms, Bound(number, 1), arrived, released=False))
        return tuple(facts)

    def _freed(self, terms: Terms, box: Bound, arrived: dict[str, datetime], released: bool) -> ContainerFreed:
        return ContainerFreed(
            container_no=shown(box.container_no, 17),
            occurred_at=self.at,
            consignment_id=self.consignment,
            shared_by=box.shared_by,
            version=self.version,
            released=released,
            bill_no=shown(terms.bill_no, LONGEST_BILL),
            conveyance=terms.conveyance,
            direction=terms.direction,
            arrived_at=arrived.get(box.container_no),
            source=self._source(box.container_no),
            arrival_retracted=not released and box.container_no not in arrived,
        )

    def _source(self, number: str) -> str:
        """The container out of which goods went into this one; empty where none did."""
        return self.came_from[number].source if number in self.came_from else ""


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    if isinstance(message, WatchPlaced | WatchLifted):
        return keep(_watching(state), message)
    if isinstance(state, Watching) or isinstance(message, PlaceWatch | LiftWatch):
        return state
    return evolve_goods(state, message, hearing)


def evolve_goods(state: Goods, message: OfGoods | SaidOfGoods, hearing: Hearing) -> Goods:
    """What is known of the goods after this message."""
    match message:
        case (
            ConsignmentAssessed()  # of refused goods, too: the gate hears which containers they are in
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
            return _known(state, message, hearing) if isinstance(state, Held) and not state.revoked else state
        case ArrivalRecorded() | ArrivalRetracted():
            return _known(state, message, hearing)
        case ConsignmentHeld():
            revoked = isinstance(state, Held) and state.revoked
            return Held(**_stated(state, message.version, message.holds, hearing), revoked=revoked)
        case ReleaseGranted():
            before = state.boxes if isinstance(state, Released) else {}
            boxes = {number: before.get(number, message.occurred_at) for number in message.containers}
            return Released(
                **_stated(state, message.version, message.holds, hearing),
                boxes=boxes,
                revisions=message.revisions or {},
            )
        case ReleaseRevoked():
            return Held(**_stated(state, message.version, (), hearing), revoked=True)
        case ReleaseRefused():
            revoked = isinstance(state, Held | Refused) and state.revoked
            return Refused(
                **_stated(state, message.version, message.holds, hearing), cause=message.cause, revoked=revoked
            )
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
            told = _told(False, message.refused, message.arrived_at is not None)
            changed = _to_gate(state, message.container_no, told)
            return replace(changed, version=message.version) if message.version > state.version else changed
        case ContainerFreed():
            told_now: Told = "freed" if message.released else "not in it"
            changed = _to_gate(state, message.container_no, told_now)
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
    """When a release lapses that nobody uses; a hold waits as long as it must, and its owner's desk keeps the time."""
    limits = {} if isinstance(state, Watching) else _limits(state)
    return (Deadline("lapse", min([limit.due for limit in limits.values()])),) if limits else ()


class _Limit(NamedTuple):
    """When a release lapses: so long after it was given."""

    due: datetime
    after: timedelta


def _limits(state: Goods) -> dict[str, _Limit]:
    """Containers of released imports that have not left, with the end of their release.

    The release of an export opens no land gate, so nothing is lost while it waits for its ship.
    """
    terms = state.dossier.terms
    if not isinstance(state, Released) or terms is None or terms.direction is not Direction.IMPORT:
        return {}
    outside, told = gone(state.dossier), told_boxes(state.dossier)
    limits: dict[str, _Limit] = {}
    for number, since in state.boxes.items():
        if number not in outside:
            after = lapses_after(since, number in told)
            limits[number] = _Limit(since + after, after)
    return limits


def closed(state: State) -> bool:
    """After withdrawal; released goods may still be called back, and a refusal taken back."""
    return isinstance(state, Withdrawn)


def officers(state: Goods) -> tuple[Hold, ...]:
    """The officers' holds that are open."""
    return tuple([h for h in state.stated if h.hold_id.startswith(OFFICER)])


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


def told_to_gate(state: Goods) -> dict[str, Told]:
    """What the gate was told last of each container; an earlier release wrote whether it knew that all must stay."""
    if state.gate or state.dossier.terms is None:
        return state.gate
    if not state.told:
        return dict.fromkeys(_names(state.dossier), "freed") if isinstance(state, Released) else {}
    arrived = arrived_boxes(state.dossier)
    refused = isinstance(state, Refused)
    return {number: _told(False, refused, number in arrived) for number in _names(state.dossier)}


def _to_gate(state: Goods, number: str, told: Told) -> Goods:
    return replace(state, told=False, gate={**told_to_gate(state), number: told})


def _told(released: bool, refused: bool, here: bool) -> Told:
    if released:
        return "freed"
    if refused:
        return "refused here" if here else "refused"
    return "held here" if here else "held"


def _names(dossier: Dossier) -> tuple[str, ...]:
    return tuple([shown(c.container_no, 17) for c in containers(dossier)])


def _refused(
    consignment: str, request_id: str, code: str, seen: Phrase, at: datetime, of: str = WithdrawDeclaration.kind
) -> RequestRefused:
    return RequestRefused(
        occurred_at=at,
        subject=consignment,
        request_id=shown(request_id, 200),
        request_kind=of,
        code=code,
        reason=reason(seen),
        phrases=(seen,),
    )
