"""Which holds are open on goods, given everything the release desk has heard about them?

The join is closed by default: what was not heard holds the goods.
"""

from datetime import datetime

from schemas.bounds import shown
from schemas.codes.iso6346 import plain
from schemas.declaration import WithdrawalRequested
from schemas.gate import ConsignmentGatedOut, ConsignmentLeftUnreleased, DepartureRetracted
from schemas.inspection import InspectionFailed, InspectionPassed, PestIntercepted
from schemas.quarantine import (
    QuarantineRefused,
    TreatmentAbandoned,
    TreatmentOrdered,
    TreatmentReferred,
    TreatmentVerified,
    TreatmentWaived,
)
from schemas.release import ArrivalRecorded, Hold
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, Owner
from services.release.arrivals import arrived_whole, landed, misfit, what_is_missing
from services.release.departures import departed, left_unreleased, retracted
from services.release.dossier import Bound, Dossier, Failure, Terms, Withdrawal

ASSESSMENT = "assessment"
ARRIVAL = "arrival"
GATE = "gate/"
"""Begins the hold of goods that left without release, which names the container."""
RISK_TREATMENT = "quarantine/risk"
_ORIGINS = frozenset({"risk", *[control.value for control in ControlKind]})
"""What may have made a treatment necessary."""


Evidence = (
    ConsignmentAssessed
    | InspectionPassed
    | InspectionFailed
    | PestIntercepted
    | TreatmentVerified
    | TreatmentAbandoned
    | TreatmentReferred
    | TreatmentOrdered
    | TreatmentWaived
    | QuarantineRefused
    | WithdrawalRequested
    | ArrivalRecorded
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted
)


def learn(dossier: Dossier, fact: Evidence, message_id: str) -> Dossier:
    """The dossier with one more fact; the same object when the fact is no news."""
    match fact:
        case ConsignmentAssessed():
            return _assessed(dossier, fact)
        case InspectionPassed():
            return _answered(dossier, f"inspection/{fact.control.value}", fact.kind)
        case PestIntercepted():
            known = _answered(dossier, f"inspection/{fact.control.value}", fact.kind)
            if fact.control.value in known.pests:
                return known
            return known._replace(pests={**known.pests, fact.control.value: shown(fact.pest, 200)})
        case TreatmentVerified() | TreatmentWaived():
            if fact.origin not in _ORIGINS:
                return dossier  # it answers no hold that there could be
            return _answered(dossier, f"quarantine/{fact.origin}", fact.kind)
        case InspectionFailed():
            return _failed(dossier, f"inspection/{fact.control.value}", fact.reason)
        case TreatmentAbandoned():
            return _failed(dossier, f"quarantine/{fact.origin}", f"treatment failed {fact.attempts} times")
        case TreatmentReferred() | TreatmentOrdered():
            return _referred(dossier, fact)
        case QuarantineRefused():
            return _failed(dossier, f"quarantine/{fact.origin}", fact.reason)
        case WithdrawalRequested():
            return _wished(dossier, fact)
        case ArrivalRecorded():
            return landed(dossier, fact, message_id)
        case ConsignmentGatedOut() | ConsignmentLeftUnreleased():
            return departed(dossier, fact, message_id)
        case DepartureRetracted():
            return retracted(dossier, fact, message_id)


def open_holds(
    dossier: Dossier, officers: tuple[Hold, ...], stated: tuple[Hold, ...], at: datetime
) -> tuple[Hold, ...]:
    """Every hold that is open now, `officers` included; a hold that was `stated` before keeps its `since`."""
    since = {hold.hold_id: hold.since for hold in stated}

    def hold(hold_id: str, owner: Owner, reason: str, lifted_by: str) -> Hold:
        return Hold(hold_id=hold_id, owner=owner, reason=reason, since=since.get(hold_id, at), lifted_by=lifted_by)

    def treatment(origin: str, reason: str) -> Hold:
        if origin in dossier.referred:
            return hold(f"quarantine/{origin}", Owner.OFFICER, reason, "TreatmentWaived")
        return hold(f"quarantine/{origin}", Owner.QUARANTINE, reason, "TreatmentVerified")

    holds: list[Hold] = []
    if dossier.terms is None:
        holds.append(hold(ASSESSMENT, Owner.RISK, "not assessed yet", "ConsignmentAssessed"))
    if arrived_whole(dossier) is None:
        holds.append(hold(ARRIVAL, Owner.CARRIER, what_is_missing(dossier), "ArrivalRecorded"))
    for control in dossier.terms.controls if dossier.terms else ():
        if control is ControlKind.QUARANTINE:
            if RISK_TREATMENT not in dossier.answers:
                holds.append(treatment("risk", "treatment required"))
        elif f"inspection/{control.value}" not in dossier.answers:
            name = f"inspection/{control.value}"
            holds.append(hold(name, Owner.INSPECTION, f"{control.value} control required", "InspectionPassed"))
    for control_name, pest in dossier.pests.items():
        name = f"quarantine/{control_name}"
        if name not in dossier.answers:
            holds.append(treatment(control_name, shown(f"living pest: {pest}")))
    for number, reason in left_unreleased(dossier).items() if dossier.departures else ():
        holds.append(hold(f"{GATE}{number}", Owner.OFFICER, reason, "DepartureRetracted"))
    return (*holds, *officers)


def _assessed(dossier: Dossier, fact: ConsignmentAssessed) -> Dossier:
    """What there is to arrive is known now; reports of arrivals of anything else do not count."""
    if dossier.terms:
        return dossier
    known = dossier._replace(terms=_terms(fact))
    if not dossier.landings:
        return known
    return known._replace(landings=tuple([each for each in dossier.landings if not misfit(known, each)]))


def _wished(dossier: Dossier, fact: WithdrawalRequested) -> Dossier:
    wish = Withdrawal(request_id=shown(fact.request_id, 200), reason=shown(fact.reason, breaks=True))
    if any(w.request_id == wish.request_id for w in dossier.withdrawals):
        return dossier
    return dossier._replace(withdrawals=(*dossier.withdrawals, wish))


def _referred(dossier: Dossier, fact: TreatmentReferred | TreatmentOrdered) -> Dossier:
    """An officer is asked about this origin, until a treatment is ordered for it."""
    asked = isinstance(fact, TreatmentReferred)
    if asked == (fact.origin in dossier.referred) or fact.origin not in _ORIGINS:
        return dossier
    others = tuple([each for each in dossier.referred if each != fact.origin])
    return dossier._replace(referred=(*others, fact.origin) if asked else others)


def _answered(dossier: Dossier, hold_id: str, kind: str) -> Dossier:
    if hold_id in dossier.answers:
        return dossier
    return dossier._replace(answers={**dossier.answers, hold_id: kind})


def _failed(dossier: Dossier, hold_id: str, reason: str) -> Dossier:
    if dossier.failure:
        return dossier
    return dossier._replace(failure=Failure(hold_id=shown(hold_id, 240), reason=shown(reason, breaks=True)))


def _terms(assessed: ConsignmentAssessed) -> Terms:
    bound = {plain(shown(c.container_no, 17)): c.shared_by for c in assessed.containers}
    return Terms(
        declaration_no=assessed.declaration_no,
        direction=assessed.direction,
        customs_office=shown(assessed.customs_office, 20),
        transport_mode=shown(assessed.transport_mode, 20),
        bill_no=shown(assessed.bill_no, 20),
        containers=tuple([Bound(container_no=number, shared_by=shared) for number, shared in bound.items()]),
        lane=assessed.lane,
        controls=assessed.controls,
        conveyance=shown(assessed.conveyance, 100),
        packages=max(0, assessed.packages),
    )
