"""Which holds are open on goods, given everything the release desk has heard about them?

The join is closed by default: what was not heard holds the goods.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime

from schemas.bounds import shown
from schemas.codes.iso6346 import plain
from schemas.declaration import WithdrawalRequested
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
from schemas.vocabulary import ControlKind, Direction, Lane, Owner

ASSESSMENT = "assessment"
ARRIVAL = "arrival"
RISK_TREATMENT = "quarantine/risk"
_ORIGINS = frozenset({"risk", *[control.value for control in ControlKind]})
"""What may have made a treatment necessary."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A container of the consignment, by its number without blanks and dashes."""

    container_no: str
    shared_by: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the risk desk said: the paper, the lane and the controls that must be answered."""

    declaration_no: str
    direction: Direction
    customs_office: str
    transport_mode: str
    bill_no: str
    containers: tuple[Bound, ...]
    lane: Lane
    controls: tuple[ControlKind, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """The control that failed for good."""

    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A wish to take the declaration back that waits for the assessment."""

    request_id: str
    reason: str


class Dossier(NamedTuple):
    """Everything heard about one consignment, in any order. `answers`: hold id → kind of the fact that answered it.

    `pests`: controls that met a living pest; each opens a treatment hold of its own. Neither is ever changed in place.
    `referred`: what made treatments necessary for which none is known, so that an officer must decide.
    """

    terms: Terms | None = None
    arrived_at: AwareDatetime | None = None
    arrival_request: str = ""
    answers: dict[str, str] = {}  # noqa: RUF012  (never changed in place)
    pests: dict[str, str] = {}  # noqa: RUF012
    failure: Failure | None = None
    withdrawals: tuple[Withdrawal, ...] = ()
    referred: tuple[str, ...] = ()


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
)


def learn(dossier: Dossier, fact: Evidence, message_id: str) -> Dossier:
    """The dossier with one more fact; the same object when the fact is no news."""
    match fact:
        case ConsignmentAssessed():
            return dossier if dossier.terms else dossier._replace(terms=_terms(fact))
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
            wish = Withdrawal(request_id=shown(fact.request_id, 200), reason=shown(fact.reason, breaks=True))
            if any(w.request_id == wish.request_id for w in dossier.withdrawals):
                return dossier
            return dossier._replace(withdrawals=(*dossier.withdrawals, wish))
        case ArrivalRecorded():
            return dossier._replace(arrived_at=fact.occurred_at, arrival_request=message_id)


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
    if dossier.arrived_at is None:
        holds.append(hold(ARRIVAL, Owner.CARRIER, "the goods have not arrived", "ArrivalRecorded"))
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
    return (*holds, *officers)


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
    )
