"""Facts about one consignment, as the release desk hears them."""

from datetime import datetime, timedelta
from decimal import Decimal

from schemas.declaration import WithdrawalRequested
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    DepartureRetracted,
)
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
from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractArrival, RetractLift
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw
from schemas.vocabulary import ControlKind, CreditGrade, Direction, GoodsClass, Lane, TreatmentMethod
from services.release.goods import Revoked
from tests.voice import CONSIGNMENT, NOON, Story

BOX, OTHER_BOX = "CSQU3054383", "MSKU9070323"
BOXES = (BOX, OTHER_BOX)


def assessed(
    *controls: ControlKind,
    containers: tuple[str, ...] = (BOX,),
    shared_by: int = 1,
    packages: int = 0,
    direction: Direction = Direction.IMPORT,
    bill_no: str = "BL1",
    declarant: str = "",
) -> ConsignmentAssessed:
    return ConsignmentAssessed(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        declaration_no="420120261000000001",
        direction=direction,
        customs_office="4201",
        transport_mode="2",
        bill_no=bill_no,
        containers=tuple([BoundContainer(container_no=c, shared_by=shared_by) for c in containers]),
        lane=Lane.RED if controls else Lane.GREEN,
        controls=controls,
        credit_grade=CreditGrade.REGULAR,
        rule_set="2026-11-01",
        rules=(),
        draw=Draw(value=Decimal("0.5"), rate=Decimal("0.0244"), selected=False),
        conveyance="EVER/012E",
        packages=packages,
        declarant=declarant,
    )


def arrival(
    by: str = "carrier", *, containers: tuple[str, ...] = (), pieces: int | None = None, at: datetime = NOON
) -> ReportArrival:
    return ReportArrival(
        consignment_id=CONSIGNMENT,
        asked_by=by,
        occurred_at=at,
        place="Qianwan berth 7",
        containers=containers,
        pieces=pieces,
    )


def discharged(container: str = BOX, visit: str = "v1", minutes: int = 0) -> ContainerArrived:
    return ContainerArrived(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON + timedelta(minutes=minutes),
        container_no=container,
        visit=visit,
        place="Qianwan berth 7",
    )


def not_discharged(container: str = BOX, visit: str = "v1") -> ContainerArrivalRetracted:
    return ContainerArrivalRetracted(consignment_id=CONSIGNMENT, occurred_at=NOON, container_no=container, visit=visit)


def gated_out(container: str = BOX, visit: str = "v1", released: bool = True) -> ConsignmentGatedOut:
    return ConsignmentGatedOut(
        consignment_id=CONSIGNMENT, occurred_at=NOON, container_no=container, released=released, visit=visit
    )


def left_unreleased(container: str = BOX, visit: str = "v1") -> ConsignmentLeftUnreleased:
    return ConsignmentLeftUnreleased(
        consignment_id=CONSIGNMENT, occurred_at=NOON, container_no=container, visit=visit, reason="left at gate G3"
    )


def departure_retracted(container: str = BOX, visit: str = "v1") -> DepartureRetracted:
    return DepartureRetracted(
        consignment_id=CONSIGNMENT, occurred_at=NOON, container_no=container, visit=visit, reason="found inside"
    )


def passed(control: ControlKind, revision: int = 0) -> InspectionPassed:
    return InspectionPassed(
        consignment_id=CONSIGNMENT, occurred_at=NOON, control=control, officer="o1", revision=revision
    )


def failed(control: ControlKind, revision: int = 0) -> InspectionFailed:
    return InspectionFailed(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        control=control,
        officer="o1",
        reason="wrong goods",
        revision=revision,
    )


def pest(control: ControlKind, revision: int = 0) -> PestIntercepted:
    return PestIntercepted(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        control=control,
        officer="o1",
        pest="Bursaphelenchus xylophilus",
        revision=revision,
    )


def rectification(revision: int = 0, control: ControlKind = ControlKind.DOCUMENTS) -> RectificationRequested:
    return RectificationRequested(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        control=control,
        officer="o1",
        reason="the invoice is missing",
        due=NOON,
        revision=revision,
    )


def retracted(control: ControlKind, revision: int = 1) -> FindingsRetracted:
    return FindingsRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        control=control,
        wrong="r1",
        officer="o2",
        reason="another consignment's findings",
        due=NOON,
        revision=revision,
    )


def verified(origin: str, finding: int = 0) -> TreatmentVerified:
    return TreatmentVerified(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        origin=origin,
        attempt=1,
        method=TreatmentMethod.HEAT,
        schedule="HT",
        unit="yard",
        finding=finding,
    )


def abandoned(origin: str, finding: int = 0) -> TreatmentAbandoned:
    return TreatmentAbandoned(consignment_id=CONSIGNMENT, occurred_at=NOON, origin=origin, attempts=3, finding=finding)


def referred(origin: str) -> TreatmentReferred:
    return TreatmentReferred(
        consignment_id=CONSIGNMENT, occurred_at=NOON, origin=origin, goods=(GoodsClass.LIVE,), pest="", due=NOON
    )


def treatment_ordered(origin: str, attempt: int = 1) -> TreatmentOrdered:
    return TreatmentOrdered(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        origin=origin,
        attempt=attempt,
        methods=(TreatmentMethod.HEAT,),
        pest="",
        due=NOON,
    )


def waived(origin: str) -> TreatmentWaived:
    return TreatmentWaived(
        consignment_id=CONSIGNMENT, occurred_at=NOON, origin=origin, officer="o1", reason="healthy after isolation"
    )


def refused_entry(origin: str) -> QuarantineRefused:
    return QuarantineRefused(
        consignment_id=CONSIGNMENT, occurred_at=NOON, origin=origin, officer="o1", reason="the fish are sick"
    )


def withdrawal(request: str = "w1") -> WithdrawalRequested:
    return WithdrawalRequested(
        consignment_id=CONSIGNMENT, occurred_at=NOON, request_id=request, reason="sold to another"
    )


def place_hold(reason: str = "a tip") -> PlaceHold:
    return PlaceHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, reason=reason)


def lift_hold(hold_id: str) -> LiftHold:
    return LiftHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, hold_id=hold_id, reason="checked")


def retract_lift(wrong: str) -> RetractLift:
    return RetractLift(
        consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, wrong=wrong, reason="the wrong consignment"
    )


def treatment_retracted(origin: str, finding: int = 0, revision: int = 1) -> TreatmentRetracted:
    return TreatmentRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        origin=origin,
        attempt=1,
        wrong="t1",
        retracted_by="yard",
        reason="another chamber's sheet",
        due=NOON,
        finding=finding,
        revision=revision,
    )


def decision_retracted(origin: str, revision: int = 1) -> TreatmentDecisionRetracted:
    return TreatmentDecisionRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        origin=origin,
        wrong="d1",
        officer="o2",
        reason="the fish were not seen",
        due=NOON,
        revision=revision,
    )


def retract_arrival(wrong: str, by: str = "carrier") -> RetractArrival:
    return RetractArrival(
        consignment_id=CONSIGNMENT, asked_by=by, occurred_at=NOON, wrong=wrong, reason="another vessel's list"
    )


def stands(told: Story) -> str:
    """What is said of the goods now. Whether goods that are held had been released before depends on the order of messages."""
    return "held" if isinstance(told.state, Revoked) else str(told.state.state)
