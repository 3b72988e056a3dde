"""Which holds are open on goods, given everything that the release desk has read about them?

Goods are held by default, until every answer was read. The fact with the highest revision about a hold counts, so that answers and corrections
have the same result in any order.
"""

from datetime import datetime
from typing import TypeVar

from schemas.bounds import shown
from schemas.codes.sentences import SENTENCES
from schemas.declaration import WithdrawalRequested
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    DepartureRetracted,
    GoodsTransferred,
    TransferRetracted,
)
from schemas.head import head_of
from schemas.hold_ids import (
    ARRIVAL,
    ASSESSMENT,
    control_of,
    of_control,
    of_departure,
    of_treatment,
    origin_of,
)
from schemas.inspection import (
    FindingsRetracted,
    InspectionFailed,
    InspectionPassed,
    PestIntercepted,
    RectificationRequested,
)
from schemas.phrases import Phrase, of_earlier, phrase, quoted, reason, stretches, value_names
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
from schemas.release import ArrivalRecorded, ArrivalRetracted, Hold
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, Owner
from services.release.arrivals import (
    arrived_whole,
    name_of,
    what_is_missing,
    why_misfit,
    with_arrival,
    with_opening,
    without_arrival,
    without_opening,
)
from services.release.departures import left_unreleased, with_departure, with_retracted_departure
from services.release.dossier import Bound, Dossier, Terms, Withdrawal
from services.release.transfers import with_retracted_transfer, with_transfer

RISK = "risk"
_CONTROLS = frozenset([control.value for control in ControlKind])
_ORIGINS = _CONTROLS | {RISK}
"""The possible origins of a treatment."""
_LOOKED = frozenset({InspectionPassed.kind, PestIntercepted.kind})
_TREATED = frozenset({TreatmentVerified.kind, TreatmentWaived.kind})
_FAILED = frozenset({InspectionFailed.kind, TreatmentAbandoned.kind, QuarantineRefused.kind})
_TAKEN_BACK = frozenset({TreatmentRetracted.kind, TreatmentDecisionRetracted.kind})
_OPEN_AGAIN = frozenset({FindingsRetracted.kind, RectificationRequested.kind})


Evidence = (
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
    | ArrivalRecorded
    | ArrivalRetracted
    | ContainerArrived
    | ContainerArrivalRetracted
    | GoodsTransferred
    | TransferRetracted
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted
)


def add_evidence(dossier: Dossier, fact: Evidence, message_id: str) -> Dossier:
    """Returns the dossier with one more fact; the same object if the fact changes nothing."""
    match fact:
        case ConsignmentAssessed():
            return _assessed(dossier, fact)
        case InspectionPassed():
            return _looked(dossier, fact, "")
        case PestIntercepted():
            return _looked(dossier, fact, "", shown(fact.pest, 200))
        case InspectionFailed() | RectificationRequested() | FindingsRetracted():
            return _looked(dossier, fact, fact.reason)
        case TreatmentVerified() | TreatmentWaived():
            if fact.origin not in _ORIGINS:
                return dossier  # no hold waits for treatments of this origin
            return _with_answer(dossier, of_treatment(fact.origin), fact.kind, (fact.finding, fact.revision), "")
        case TreatmentAbandoned():
            why = reason(phrase("treatment_failed", attempts=fact.attempts))
            revision_pair = fact.finding, fact.revision
            return _with_answer(dossier, of_treatment(fact.origin), fact.kind, revision_pair, why, fact.attempts)
        case TreatmentReferred() | TreatmentOrdered():
            return _referred(dossier, fact)
        case QuarantineRefused():
            return _with_answer(
                dossier, of_treatment(fact.origin), fact.kind, (fact.finding, fact.revision), fact.reason
            )
        case TreatmentRetracted() | TreatmentDecisionRetracted():
            return _open_again(dossier, fact)
        case WithdrawalRequested():
            return _wished(dossier, fact)
        case ArrivalRecorded():
            return with_arrival(dossier, fact, message_id)
        case ArrivalRetracted():
            return without_arrival(dossier, fact, message_id)
        case (
            ContainerArrived()
            | ContainerArrivalRetracted()
            | GoodsTransferred()
            | TransferRetracted()
            | ConsignmentGatedOut()
            | ConsignmentLeftUnreleased()
            | DepartureRetracted()
        ):
            return _with_fact_of_gate(dossier, fact, message_id)


def _with_fact_of_gate(
    dossier: Dossier,
    fact: ContainerArrived
    | ContainerArrivalRetracted
    | GoodsTransferred
    | TransferRetracted
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted,
    message_id: str,
) -> Dossier:
    match fact:
        case ContainerArrivalRetracted():
            return without_opening(dossier, fact.container_no, message_id, fact.occurred_at)
        case ContainerArrived():
            return with_opening(dossier, fact.container_no, fact.occurred_at)
        case GoodsTransferred():
            return with_transfer(dossier, fact)
        case TransferRetracted():
            return with_retracted_transfer(dossier, fact)
        case ConsignmentGatedOut() | ConsignmentLeftUnreleased():
            return with_departure(dossier, fact, message_id)
        case DepartureRetracted():
            return with_retracted_departure(dossier, fact, message_id)


def open_holds(
    dossier: Dossier, officer_holds: tuple[Hold, ...], stated: tuple[Hold, ...], at: datetime
) -> tuple[Hold, ...]:
    """Returns every hold that is open now, including `officer_holds`. A hold that was `stated` before keeps its `since`."""
    since = {hold.hold_id: hold.since for hold in stated}

    def hold(hold_id: str, owner: Owner, why: Phrase, lifted_by: str) -> Hold:
        return held_because(why, hold_id=hold_id, owner=owner, since=since.get(hold_id, at), lifted_by=lifted_by)

    def treatment(origin: str, pest: str | None) -> Hold:
        why = phrase("treatment_required") if pest is None else phrase("living_pest", pest=pest)
        if dossier.answers.get(of_treatment(origin)) in _TAKEN_BACK:
            remark = dossier.reasons.get(of_treatment(origin), "")
            again = phrase("treatment_required_again", words=remark)
            why = again if pest is None else phrase("living_pest_again", pest=pest, words=remark)
        if origin in dossier.referred:
            return hold(of_treatment(origin), Owner.OFFICER, why, "TreatmentWaived")
        return hold(of_treatment(origin), Owner.QUARANTINE, why, "TreatmentVerified")

    holds: list[Hold] = []
    if dossier.terms is None:
        holds.append(hold(ASSESSMENT, Owner.RISK, phrase("not_assessed"), "ConsignmentAssessed"))
    if arrived_whole(dossier) is None:
        holds.append(hold(ARRIVAL, Owner.CARRIER, what_is_missing(dossier), "ArrivalRecorded"))
    ordered = dossier.terms.controls if dossier.terms else ()
    for control in (*ordered, *[each for each in ControlKind if each not in ordered and _is_open_again(dossier, each)]):
        name = of_control(control.value)
        answer = dossier.answers.get(name, "")
        if control is ControlKind.QUARANTINE:
            if dossier.answers.get(of_treatment(RISK)) not in _TREATED:
                holds.append(treatment(RISK, None))
        elif answer == RectificationRequested.kind:
            remark = dossier.reasons.get(name, "")
            unsaid = remark == reason(phrase("no_remarks", control=control))
            why = phrase("put_right_unsaid", control=control) if unsaid else phrase("put_right", words=remark)
            holds.append(hold(name, Owner.DECLARANT, why, "InspectionPassed"))
        elif answer == FindingsRetracted.kind:
            why = phrase("control_again", control=control, words=dossier.reasons.get(name, ""))
            holds.append(hold(name, Owner.INSPECTION, why, "InspectionPassed"))
        elif answer not in _LOOKED:
            holds.append(hold(name, Owner.INSPECTION, phrase("control_required", control=control), "InspectionPassed"))
    for control_name, pest in dossier.pests.items():
        if not _is_treated(dossier, control_name):
            holds.append(treatment(control_name, pest))
    for number, left in left_unreleased(dossier).items() if dossier.departures else ():
        holds.append(hold(of_departure(number), Owner.OFFICER, left, "DepartureRetracted"))
    return (*holds, *officer_holds)


_LONG = frozenset({"words", "pest", "waiting", "text"})
"""The names of long values. A hold does not repeat these values, but only says where they are in its reason."""


def held_because(why: Phrase, *, hold_id: str, owner: Owner, since: datetime, lifted_by: str) -> Hold:
    """Returns the hold with this reason, both as a sentence and as a code with values."""
    text = reason(why)
    return Hold(
        hold_id=hold_id,
        owner=owner,
        reason=text,
        since=since,
        lifted_by=lifted_by,
        why=why.code,
        values={name: value for name, value in why.values.items() if name not in _LONG},
        quoted={name: signs for name, signs in stretches(why, len(text)) if name in _LONG},
    )


def why_held(hold: Hold) -> Phrase:
    """Returns the reason of a hold as code and values. If an older software version wrote the hold, or a later one with an unknown code,
    returns the unchanged sentence."""
    values = hold.values | {name: hold.reason[first:behind] for name, (first, behind) in hold.quoted.items()}
    known = hold.why in SENTENCES and values.keys() == set(value_names(hold.why))
    return Phrase(code=hold.why, values=values) if known else of_earlier(hold.reason)


def _assessed(dossier: Dossier, fact: ConsignmentAssessed) -> Dossier:
    """Returns the dossier with the assessment, which says what should arrive. Reports of arrivals of other containers do not count any
    more."""
    if dossier.terms:
        return dossier
    known = dossier._replace(terms=_terms(fact))
    if not dossier.landings:
        return known
    return known._replace(landings=tuple([each for each in dossier.landings if not why_misfit(known, each)]))


def _wished(dossier: Dossier, fact: WithdrawalRequested) -> Dossier:
    wish = Withdrawal(request_id=shown(fact.request_id, 200), reason=shown(fact.reason, breaks=True))
    if any(w.request_id == wish.request_id for w in dossier.withdrawals):
        return dossier
    return dossier._replace(withdrawals=(*dossier.withdrawals, wish))


def failures(dossier: Dossier) -> dict[str, Phrase]:
    """Returns why the goods are refused: hold id → reason, for each control and treatment whose failure was not taken back."""
    found: dict[str, Phrase] = {}
    if dossier.failure is not None and not _is_superseded(dossier, dossier.failure.hold_id):
        found[dossier.failure.hold_id] = of_earlier(dossier.failure.reason)
    for hold_id, kind in dossier.answers.items():
        if kind in _FAILED and not _is_superseded(dossier, hold_id):
            found[hold_id] = _why_failed(dossier, hold_id, kind)
    return found


def _why_failed(dossier: Dossier, hold_id: str, kind: str) -> Phrase:
    remark = dossier.reasons.get(hold_id, "")
    if kind == TreatmentAbandoned.kind:
        attempts = dossier.attempts.get(hold_id)
        return of_earlier(remark) if attempts is None else phrase("treatment_failed", attempts=attempts)
    control = control_of(hold_id)
    if kind == InspectionFailed.kind and control in _CONTROLS:
        unsaid = phrase("no_remarks", control=ControlKind(control))
        return unsaid if remark == reason(unsaid) else quoted(remark)
    return quoted(remark)


def lifting(dossier: Dossier) -> dict[str, str]:
    """Returns hold id → kind of the fact that lifted the hold."""
    return {
        hold_id: kind
        for hold_id, kind in dossier.answers.items()
        if kind in _LOOKED or (kind in _TREATED and not _is_superseded(dossier, hold_id))
    }


def latest_revisions(dossier: Dossier) -> dict[str, tuple[int, int]]:
    """Returns hold id → pest finding and revision of the latest fact about the hold. Holds for which both are 0 are left out."""
    known = sorted({*dossier.findings, *dossier.revisions})
    return {hold_id: (dossier.findings.get(hold_id, 0), dossier.revisions.get(hold_id, 0)) for hold_id in known}


def is_being_put_right(dossier: Dossier) -> bool:
    """Returns whether the declarant has to rectify the papers, and no living pest was found. If so, the declaration may be withdrawn."""
    papers = dossier.answers.get(of_control(ControlKind.DOCUMENTS.value))
    return papers == RectificationRequested.kind and not dossier.pests


def _is_open_again(dossier: Dossier, control: ControlKind) -> bool:
    return dossier.answers.get(of_control(control.value)) in _OPEN_AGAIN


def _is_treated(dossier: Dossier, control: str) -> bool:
    """Returns whether the pest that this control found last was treated."""
    hold_id, found = of_treatment(control), dossier.revisions.get(of_control(control), 0)
    return dossier.answers.get(hold_id) in _TREATED and dossier.findings.get(hold_id, 0) == found


def _is_superseded(dossier: Dossier, hold_id: str) -> bool:
    """Returns whether the answer to this hold is about an earlier pest finding, which a later answer of the control has replaced."""
    origin = origin_of(hold_id)
    return bool(origin) and dossier.revisions.get(of_control(origin), 0) > dossier.findings.get(hold_id, 0)


def _referred(dossier: Dossier, fact: TreatmentReferred | TreatmentOrdered) -> Dossier:
    """Returns the dossier in which an officer has to decide about this origin, or no longer has to because a treatment was ordered."""
    is_referred = isinstance(fact, TreatmentReferred)
    if is_referred == (fact.origin in dossier.referred) or fact.origin not in _ORIGINS:
        return dossier
    others = tuple([each for each in dossier.referred if each != fact.origin])
    return dossier._replace(referred=(*others, fact.origin) if is_referred else others)


def _open_again(dossier: Dossier, fact: TreatmentRetracted | TreatmentDecisionRetracted) -> Dossier:
    """Returns the dossier in which a treatment is missing again. After a wrong decision of an officer, an officer has to decide again."""
    revision_pair = fact.finding, fact.revision
    known = _with_answer(dossier, of_treatment(fact.origin), fact.kind, revision_pair, fact.reason)
    if known is dossier or isinstance(fact, TreatmentRetracted) or fact.origin in dossier.referred:
        return known
    return known._replace(referred=(*known.referred, fact.origin)) if fact.origin in _ORIGINS else known


def _looked(
    dossier: Dossier,
    fact: InspectionPassed | InspectionFailed | PestIntercepted | RectificationRequested | FindingsRetracted,
    reason: str,
    pest: str = "",
) -> Dossier:
    """Returns the dossier with the answer of a control. `pest`: the pest that was found."""
    control = fact.control.value
    known = _with_answer(dossier, of_control(control), fact.kind, (0, fact.revision), reason)
    if known is dossier:
        return dossier
    pests = {name: each for name, each in dossier.pests.items() if name != control}
    return known._replace(pests={**pests, control: pest} if pest else pests)


def _with_answer(
    dossier: Dossier, hold_id: str, kind: str, revision_pair: tuple[int, int], reason: str, attempts: int = 0
) -> Dossier:
    """Returns the dossier with this fact about the hold, unless a later fact is known. `revision_pair`: the revision of the
    pest finding (0 for an answer of a control), and that of this fact; of two facts, the one with the higher pair is the later one. If two facts have the
    same pair, which only older software versions published, the failure counts."""
    hold_id, reason = shown(hold_id, 240), shown(reason, breaks=True)
    failed_before = dossier.failure is not None and dossier.failure.hold_id == hold_id
    before = InspectionFailed.kind if failed_before else dossier.answers.get(hold_id)
    if before is not None:
        known = dossier.findings.get(hold_id, 0), dossier.revisions.get(hold_id, 0)
        if revision_pair < known or (revision_pair == known and (before in _FAILED or kind not in _FAILED)):
            return dossier
    finding, revision = revision_pair
    return dossier._replace(
        answers={**dossier.answers, hold_id: kind},
        failure=None if failed_before else dossier.failure,
        revisions=_with(dossier.revisions, hold_id, revision),
        findings=_with(dossier.findings, hold_id, finding),
        reasons=_with(dossier.reasons, hold_id, reason),
        attempts=_with(dossier.attempts, hold_id, attempts),
    )


T = TypeVar("T", int, str)


def _with(known: dict[str, T], hold_id: str, value: T) -> dict[str, T]:
    """Returns the dict with this value. The number 0 and the empty text are not stored."""
    if value:
        return {**known, hold_id: value}
    return {name: each for name, each in known.items() if name != hold_id} if hold_id in known else known


def _terms(assessed: ConsignmentAssessed) -> Terms:
    bound = {name_of(c.container_no): c.shared_by for c in assessed.containers}
    return Terms(
        **head_of(assessed),
        containers=tuple([Bound(container_no=number, shared_by=shared) for number, shared in bound.items()]),
        controls=assessed.controls,
        conveyance=shown(assessed.conveyance, 100),
        packages=max(0, assessed.packages),
        declarant=shown(assessed.declarant, 20),
    )
