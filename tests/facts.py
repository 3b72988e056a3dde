"""How do tests build the facts of desks? There is one builder for each fact. Each is named like its fact, and they
stand in the order of the flow.

A builder takes the fields of its fact as arguments. The defaults describe the goods of `tests.declaration.good`, at
noon.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from schemas.declaration import (
    Declaration,
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationPassedOn,
    DeclarationRejected,
    DeclarationRepeated,
    DeclarationWaits,
    Finding,
    WithdrawalRequested,
)
from schemas.envelope import RequestRefused
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    ContainerFindingRecorded,
    ContainerFindingRetracted,
    ContainerGatedOut,
    ContainerHoldLifted,
    ContainerHoldPlaced,
    ContainerMayLeave,
    ContainerMustStay,
    DepartureRetracted,
    EquipmentEventRecorded,
    EquipmentEventRetracted,
    ExitPermitted,
    GateAlarmRaised,
    GoodsTransferred,
    LotStruck,
    SameGoodsDeclared,
    StrikeRetracted,
    TransferRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.inspection import (
    FindingsRetracted,
    InspectionCancelled,
    InspectionFailed,
    InspectionOrdered,
    InspectionOverdue,
    InspectionPassed,
    PestIntercepted,
    RectificationOverdue,
    RectificationRequested,
)
from schemas.phrases import Phrase, phrase, quoted, reason
from schemas.quarantine import (
    QuarantineRefused,
    TreatmentAbandoned,
    TreatmentCancelled,
    TreatmentDecisionRetracted,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentOverdue,
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
    LiftRetracted,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    WatchLifted,
    WatchPlaced,
)
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw, FiredRule
from schemas.vocabulary import (
    Classifier,
    ControlKind,
    CreditGrade,
    Direction,
    EquipmentEvent,
    ExitGround,
    GoodsClass,
    Lane,
    Owner,
    StayCode,
    TreatmentMethod,
)
from services.risk.rules import RULE_SET
from tests.declaration.good import BOX, good_declaration
from tests.voice import CONSIGNMENT, NOON

DECLARATION_NO = "420120261000000001"
NOT_DRAWN = Draw(value=Decimal("0.5"), rate=Decimal("0.0244"), selected=False)


def request_refused(
    request_id: str, request_kind: str, code: str, *why: Phrase, subject: str = CONSIGNMENT, at: datetime = NOON
) -> RequestRefused:
    return RequestRefused(
        occurred_at=at,
        subject=subject,
        request_id=request_id,
        request_kind=request_kind,
        code=code,
        reason=reason(*why),
        phrases=why,
    )


# facts of the declaration desk


def declaration_accepted(
    declaration: Declaration | None = None,
    *warnings: Finding,
    consignment_id: str = CONSIGNMENT,
    at: datetime = NOON,
) -> DeclarationAccepted:
    return DeclarationAccepted(
        consignment_id=consignment_id,
        occurred_at=at,
        declaration_no=DECLARATION_NO,
        declaration=declaration or good_declaration(),
        warnings=warnings,
    )


def declaration_rejected(declaration: Declaration, *findings: Finding, at: datetime = NOON) -> DeclarationRejected:
    return DeclarationRejected(consignment_id=CONSIGNMENT, occurred_at=at, declaration=declaration, findings=findings)


def declaration_repeated(request_id: str, first_request_id: str, at: datetime = NOON) -> DeclarationRepeated:
    return DeclarationRepeated(
        consignment_id=CONSIGNMENT, occurred_at=at, request_id=request_id, first_request_id=first_request_id
    )


def declaration_waits(
    request_id: str, declaration: Declaration, withdrawal: str, serial: int, at: datetime = NOON
) -> DeclarationWaits:
    return DeclarationWaits(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        request_id=request_id,
        declaration=declaration,
        withdrawal=withdrawal,
        serial=serial,
    )


def declaration_passed_on(request_id: str, earlier: str, later: str, at: datetime = NOON) -> DeclarationPassedOn:
    return DeclarationPassedOn(consignment_id=earlier, occurred_at=at, request_id=request_id, later=later)


def declaration_lodged_again(
    request_id: str,
    declaration: Declaration,
    earlier: str,
    later: str,
    number: int = 2,
    serial: int = 77,
    at: datetime = NOON,
) -> DeclarationLodgedAgain:
    return DeclarationLodgedAgain(
        consignment_id=earlier,
        occurred_at=at,
        later=later,
        number=number,
        request_id=request_id,
        serial=serial,
        declaration=declaration,
    )


def withdrawal_requested(request_id: str = "w1", at: datetime = NOON) -> WithdrawalRequested:
    return WithdrawalRequested(
        consignment_id=CONSIGNMENT, occurred_at=at, request_id=request_id, reason="sold to another"
    )


# facts of the risk desk


def consignment_assessed(
    *controls: ControlKind,
    containers: tuple[str, ...] = (BOX,),
    shared_by: int = 1,
    packages: int = 2,
    direction: Direction = Direction.IMPORT,
    bill_no: str = "BL-1",
    declarant: str = "91350100M000100Y43",
    rules: tuple[FiredRule, ...] = (),
    draw: Draw = NOT_DRAWN,
    goods: tuple[GoodsClass, ...] = (),
    at: datetime = NOON,
    consignment_id: str = CONSIGNMENT,
) -> ConsignmentAssessed:
    red = set(controls) - {ControlKind.DOCUMENTS}
    return ConsignmentAssessed(
        consignment_id=consignment_id,
        occurred_at=at,
        declaration_no=DECLARATION_NO,
        direction=direction,
        customs_office="4201",
        transport_mode="2",
        bill_no=bill_no,
        containers=tuple([BoundContainer(container_no=number, shared_by=shared_by) for number in containers]),
        lane=Lane.RED if red else Lane.YELLOW if controls else Lane.GREEN,
        controls=controls,
        credit_grade=CreditGrade.REGULAR,
        rule_set=RULE_SET,
        rules=rules,
        draw=draw,
        goods=goods,
        conveyance="EVER GOOD 012E",
        packages=packages,
        declarant=declarant,
    )


# facts of the inspection desk


def inspection_ordered(control: ControlKind, due: datetime, at: datetime = NOON) -> InspectionOrdered:
    return InspectionOrdered(
        consignment_id=CONSIGNMENT, occurred_at=at, control=control, customs_office="4201", due=due
    )


def inspection_passed(
    control: ControlKind, revision: int = 0, *, officer: str = "officer-7", remarks: str = "", at: datetime = NOON
) -> InspectionPassed:
    return InspectionPassed(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        control=control,
        officer=officer,
        remarks=remarks,
        revision=revision,
    )


def inspection_failed(
    control: ControlKind, revision: int = 0, *why: Phrase, officer: str = "officer-7", at: datetime = NOON
) -> InspectionFailed:
    return InspectionFailed(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        control=control,
        officer=officer,
        reason=reason(*why) if why else "wrong goods",
        revision=revision,
        phrases=why,
    )


def pest_intercepted(
    control: ControlKind,
    revision: int = 0,
    *,
    pest: str = "Bursaphelenchus xylophilus",
    goods: tuple[GoodsClass, ...] = (),
    officer: str = "officer-7",
    at: datetime = NOON,
) -> PestIntercepted:
    return PestIntercepted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        control=control,
        officer=officer,
        pest=pest,
        goods=goods,
        revision=revision,
    )


def rectification_requested(
    revision: int = 0,
    *why: Phrase,
    control: ControlKind = ControlKind.DOCUMENTS,
    due: datetime = NOON,
    at: datetime = NOON,
) -> RectificationRequested:
    return RectificationRequested(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        control=control,
        officer="officer-7",
        reason=reason(*why) if why else "the invoice is missing",
        due=due,
        revision=revision,
        phrases=why,
    )


def rectification_overdue(since: datetime, due: datetime) -> RectificationOverdue:
    return RectificationOverdue(
        consignment_id=CONSIGNMENT, occurred_at=due, control=ControlKind.DOCUMENTS, since=since, due=due
    )


def findings_retracted(
    control: ControlKind,
    revision: int = 1,
    *,
    wrong: str = "r1",
    officer: str = "officer-8",
    because: str = "another consignment's findings",
    due: datetime = NOON,
    at: datetime = NOON,
) -> FindingsRetracted:
    return FindingsRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        control=control,
        wrong=wrong,
        officer=officer,
        reason=because,
        due=due,
        revision=revision,
    )


def inspection_overdue(control: ControlKind, since: datetime, due: datetime) -> InspectionOverdue:
    return InspectionOverdue(consignment_id=CONSIGNMENT, occurred_at=due, control=control, since=since, due=due)


def inspection_cancelled(control: ControlKind, at: datetime = NOON) -> InspectionCancelled:
    return InspectionCancelled(consignment_id=CONSIGNMENT, occurred_at=at, control=control)


# facts of the quarantine desk


def treatment_ordered(
    origin: str,
    attempt: int = 1,
    *,
    methods: tuple[TreatmentMethod, ...] = (TreatmentMethod.HEAT,),
    pest: str = "",
    goods: GoodsClass = GoodsClass.WOOD,
    finding: int = 0,
    due: datetime = NOON,
    at: datetime = NOON,
) -> TreatmentOrdered:
    return TreatmentOrdered(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        attempt=attempt,
        methods=methods,
        pest=pest,
        due=due,
        goods=goods,
        finding=finding,
    )


def treatment_referred(
    origin: str,
    goods: tuple[GoodsClass, ...] = (GoodsClass.LIVE,),
    *,
    pest: str = "",
    finding: int = 0,
    due: datetime = NOON,
    at: datetime = NOON,
) -> TreatmentReferred:
    return TreatmentReferred(
        consignment_id=CONSIGNMENT, occurred_at=at, origin=origin, goods=goods, pest=pest, due=due, finding=finding
    )


def treatment_verified(
    origin: str, finding: int = 0, *, attempt: int = 1, revision: int = 0, unit: str = "unit-3", at: datetime = NOON
) -> TreatmentVerified:
    return TreatmentVerified(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        attempt=attempt,
        method=TreatmentMethod.HEAT,
        schedule="HT-ISPM15-56C-30min",
        unit=unit,
        finding=finding,
        revision=revision,
    )


def treatment_failed(origin: str, attempt: int = 1, *shortfalls: Phrase, at: datetime = NOON) -> TreatmentFailed:
    return TreatmentFailed(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        attempt=attempt,
        method=TreatmentMethod.HEAT,
        schedule="HT-ISPM15-56C-30min",
        shortfalls=tuple([reason(each) for each in shortfalls]),
        unit="unit-3",
        phrases=shortfalls,
    )


def treatment_abandoned(
    origin: str, finding: int = 0, *, attempts: int = 3, revision: int = 0, at: datetime = NOON
) -> TreatmentAbandoned:
    return TreatmentAbandoned(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        attempts=attempts,
        finding=finding,
        revision=revision,
    )


def treatment_overdue(origin: str, since: datetime, due: datetime, attempt: int = 1) -> TreatmentOverdue:
    return TreatmentOverdue(
        consignment_id=CONSIGNMENT, occurred_at=due, origin=origin, attempt=attempt, since=since, due=due
    )


def treatment_cancelled(origin: str, at: datetime = NOON) -> TreatmentCancelled:
    return TreatmentCancelled(consignment_id=CONSIGNMENT, occurred_at=at, origin=origin)


def treatment_retracted(
    origin: str,
    finding: int = 0,
    revision: int = 1,
    *,
    attempt: int = 1,
    wrong: str = "t1",
    by: str = "unit-3",
    because: str = "another chamber's sheet",
    due: datetime = NOON,
    at: datetime = NOON,
) -> TreatmentRetracted:
    return TreatmentRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        attempt=attempt,
        wrong=wrong,
        retracted_by=by,
        reason=because,
        due=due,
        finding=finding,
        revision=revision,
    )


def treatment_decision_retracted(
    origin: str,
    revision: int = 1,
    *,
    finding: int = 0,
    wrong: str = "d1",
    officer: str = "officer-8",
    because: str = "the fish were not seen",
    due: datetime = NOON,
    at: datetime = NOON,
) -> TreatmentDecisionRetracted:
    return TreatmentDecisionRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        wrong=wrong,
        officer=officer,
        reason=because,
        due=due,
        finding=finding,
        revision=revision,
    )


def treatment_waived(
    origin: str,
    *,
    finding: int = 0,
    revision: int = 0,
    officer: str = "officer-9",
    because: str = "healthy after isolation",
    at: datetime = NOON,
) -> TreatmentWaived:
    return TreatmentWaived(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        officer=officer,
        reason=because,
        finding=finding,
        revision=revision,
    )


def quarantine_refused(
    origin: str,
    *,
    finding: int = 0,
    revision: int = 0,
    officer: str = "officer-9",
    because: str = "the fish are sick",
    at: datetime = NOON,
) -> QuarantineRefused:
    return QuarantineRefused(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        origin=origin,
        officer=officer,
        reason=because,
        finding=finding,
        revision=revision,
    )


# facts of the release desk


def open_hold(
    hold_id: str,
    owner: Owner,
    why: Phrase,
    lifted_by: str,
    *,
    since: datetime = NOON,
    quoted: dict[str, tuple[int, int]] | None = None,
) -> Hold:
    """A hold. `quoted`: name of a long value of `why` → its position in the reason, as the index of its first character
    and the index after its last one."""
    elsewhere = quoted or {}
    return Hold(
        hold_id=hold_id,
        owner=owner,
        reason=reason(why),
        since=since,
        lifted_by=lifted_by,
        why=why.code,
        values={name: value for name, value in why.values.items() if name not in elsewhere},
        quoted=elsewhere,
    )


def position_of(name: str, why: Phrase) -> dict[str, tuple[int, int]]:
    """The position of the value `name` in the reason that `why` gives, in the form of the argument `quoted` of
    `open_hold`."""
    first = reason(why).index(why.values[name])
    return {name: (first, first + len(why.values[name]))}


def not_assessed(since: datetime = NOON) -> Hold:
    return open_hold("assessment", Owner.RISK, phrase("not_assessed"), "ConsignmentAssessed", since=since)


def not_arrived(since: datetime = NOON) -> Hold:
    return open_hold("arrival", Owner.CARRIER, phrase("not_arrived"), "ArrivalRecorded", since=since)


def containers_missing(arrived: int, of: int, since: datetime = NOON) -> Hold:
    """The hold for the containers that have not arrived."""
    why = phrase("boxes_arrived", count=arrived, all=of)
    return open_hold("arrival", Owner.CARRIER, why, "ArrivalRecorded", since=since)


def packages_missing(arrived: int, of: int | None, since: datetime = NOON) -> Hold:
    """The hold for the packages that have not arrived; `of` None: nobody declared how many there are."""
    why = (
        phrase("packages_of_unknown", pieces=arrived)
        if of is None
        else phrase("packages_arrived", pieces=arrived, all=of)
    )
    return open_hold("arrival", Owner.CARRIER, why, "ArrivalRecorded", since=since)


def control_required(control: ControlKind, since: datetime = NOON) -> Hold:
    why = phrase("control_required", control=control)
    return open_hold(f"inspection/{control.value}", Owner.INSPECTION, why, "InspectionPassed", since=since)


def control_again(
    control: ControlKind, since: datetime = NOON, because: str = "another consignment's findings"
) -> Hold:
    why = phrase("control_again", control=control, words=because)
    return open_hold(
        f"inspection/{control.value}",
        Owner.INSPECTION,
        why,
        "InspectionPassed",
        since=since,
        quoted=position_of("words", why),
    )


def papers_to_put_right(since: datetime = NOON, because: str = "the invoice is missing") -> Hold:
    """The hold for papers that the declarant has to put right."""
    why = phrase("put_right", words=because)
    return open_hold(
        "inspection/documents", Owner.DECLARANT, why, "InspectionPassed", since=since, quoted=position_of("words", why)
    )


ANSWERED_BY = {Owner.QUARANTINE: "TreatmentVerified", Owner.OFFICER: "TreatmentWaived"}
"""The owner of a hold for a treatment → the kind of the fact that lifts this hold."""


def treatment_required(since: datetime = NOON, owner: Owner = Owner.QUARANTINE) -> Hold:
    """The hold for a treatment that the risk desk orders."""
    return open_hold("quarantine/risk", owner, phrase("treatment_required"), ANSWERED_BY[owner], since=since)


def treatment_required_again(
    because: str = "another chamber's sheet", since: datetime = NOON, owner: Owner = Owner.QUARANTINE
) -> Hold:
    """The hold for a treatment that the risk desk ordered, after the record of the treatment, or the decision about the
    treatment, was taken back."""
    why = phrase("treatment_required_again", words=because)
    quoted_at = position_of("words", why)
    return open_hold("quarantine/risk", owner, why, ANSWERED_BY[owner], since=since, quoted=quoted_at)


def living_pest(
    control: ControlKind,
    since: datetime = NOON,
    pest: str = "Bursaphelenchus xylophilus",
    owner: Owner = Owner.QUARANTINE,
) -> Hold:
    why, hold_id = phrase("living_pest", pest=pest), f"quarantine/{control.value}"
    return open_hold(hold_id, owner, why, ANSWERED_BY[owner], since=since, quoted=position_of("pest", why))


def officers_hold(request_id: str, remark: str = "a tip", since: datetime = NOON) -> Hold:
    why = phrase("words", words=remark)
    return open_hold(
        f"officer/{request_id}", Owner.OFFICER, why, "LiftHold", since=since, quoted=position_of("words", why)
    )


def hold_put_back(request_id: str, since: datetime = NOON) -> Hold:
    """The officer's hold whose lifting was taken back."""
    why = phrase("lifted_by_mistake", words="the wrong consignment")
    return open_hold(
        f"officer/{request_id}", Owner.OFFICER, why, "LiftHold", since=since, quoted=position_of("words", why)
    )


def not_used(days: int, *containers: str, version: int = 2, since: datetime = NOON) -> Hold:
    """The hold on goods whose release lapsed. `version`: of the release; `days`: how long the goods had been released;
    `containers`: those that have not left."""
    why = phrase("lapsed", days=days, waiting=containers)
    hold_id, named = f"officer/lapse/{version}", position_of("waiting", why)
    return open_hold(hold_id, Owner.OFFICER, why, "LiftHold", since=since, quoted=named)


def has_left_unreleased(container_no: str = BOX, since: datetime = NOON, *, why: Phrase | None = None) -> Hold:
    """The hold on goods that left in this container without a release."""
    left = why or phrase("left_unreleased")
    return open_hold(f"gate/{container_no}", Owner.OFFICER, left, "DepartureRetracted", since=since)


def arrival_recorded(
    *containers: str,
    where: str = "Qianwan berth 7",
    pieces: int | None = None,
    by: str = "carrier",
    on_behalf_of: str = "",
    disbelieved_time: datetime | None = None,
    at: datetime = NOON,
) -> ArrivalRecorded:
    return ArrivalRecorded(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        place=where,
        reported_by=by,
        containers=containers,
        pieces=pieces,
        reported_for="" if by == "gate" else on_behalf_of or by,
        disbelieved_time=disbelieved_time,
    )


def arrival_retracted(
    wrong: str = "a1",
    *why: Phrase,
    containers: tuple[str, ...] = (),
    pieces: int | None = None,
    arrived_at: datetime | None = None,
    first_arrived_at: datetime | None = None,
    by: str = "carrier",
    at: datetime = NOON,
) -> ArrivalRetracted:
    because = why or (quoted("another vessel's list"),)
    return ArrivalRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        wrong=wrong,
        reason=reason(*because),
        retracted_by=by,
        containers=containers,
        pieces=pieces,
        arrived_at=arrived_at,
        first_arrived_at=first_arrived_at,
        phrases=because,
    )


def consignment_held(version: int, *holds: Hold, at: datetime = NOON) -> ConsignmentHeld:
    return ConsignmentHeld(consignment_id=CONSIGNMENT, occurred_at=at, version=version, holds=holds)


def release_granted(
    version: int,
    *,
    containers: tuple[str, ...] = (BOX,),
    lane: Lane = Lane.GREEN,
    arrived_at: datetime = NOON,
    answers: dict[str, str] | None = None,
    holds: tuple[Hold, ...] = (),
    pieces: int | None = None,
    revisions: dict[str, tuple[int, int]] | None = None,
    direction: Direction = Direction.IMPORT,
    at: datetime = NOON,
) -> ReleaseGranted:
    return ReleaseGranted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        version=version,
        declaration_no=DECLARATION_NO,
        direction=direction,
        customs_office="4201",
        transport_mode="2",
        bill_no="BL-1",
        containers=containers,
        lane=lane,
        arrived_at=arrived_at,
        answers=answers or {},
        holds=holds,
        pieces=pieces,
        revisions=revisions or {},
    )


def release_refused(
    version: int,
    cause: str,
    *why: Phrase,
    holds: tuple[Hold, ...] = (),
    declaration_no: str | None = DECLARATION_NO,
    at: datetime = NOON,
) -> ReleaseRefused:
    return ReleaseRefused(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        version=version,
        declaration_no=declaration_no,
        cause=cause,
        reason=reason(*why) if why else "wrong goods",
        holds=holds,
        phrases=why,
    )


def release_revoked(
    version: int, *why: Phrase, containers: tuple[str, ...] = (BOX,), at: datetime = NOON
) -> ReleaseRevoked:
    return ReleaseRevoked(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        version=version,
        containers=containers,
        reason=reason(*why) if why else "a tip",
        phrases=why,
    )


def refusal_revoked(version: int, *why: Phrase, at: datetime = NOON) -> RefusalRevoked:
    return RefusalRevoked(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        version=version,
        reason=reason(*why) if why else "the failure was taken back",
        phrases=why,
    )


def lift_retracted(hold_id: str, wrong: str, at: datetime = NOON) -> LiftRetracted:
    return LiftRetracted(
        consignment_id=CONSIGNMENT,
        occurred_at=at,
        hold_id=hold_id,
        wrong=wrong,
        officer="o9",
        reason="the wrong consignment",
    )


def declaration_withdrawn(
    version: int = 2, request_id: str = "w1", consignment_id: str = CONSIGNMENT, at: datetime = NOON
) -> DeclarationWithdrawn:
    return DeclarationWithdrawn(
        consignment_id=consignment_id,
        occurred_at=at,
        version=version,
        request_id=request_id,
        reason="sold to another",
    )


def container_held(
    version: int = 1,
    *why: Phrase,
    consignment_id: str = CONSIGNMENT,
    shared_by: int = 1,
    bill_no: str = "BL-1",
    conveyance: str = "EVER GOOD 012E",
    direction: Direction = Direction.IMPORT,
    arrived_at: datetime | None = None,
    arrival_retracted: bool = False,
    refused: bool = False,
    container_no: str = BOX,
    at: datetime = NOON,
) -> ContainerHeld:
    return ContainerHeld(
        container_no=container_no,
        occurred_at=at,
        consignment_id=consignment_id,
        shared_by=shared_by,
        version=version,
        reason=reason(*why) if why else "waits",
        bill_no=bill_no,
        conveyance=conveyance,
        direction=direction,
        arrived_at=arrived_at,
        arrival_retracted=arrival_retracted,
        refused=refused,
        phrases=why,
    )


def container_freed(
    version: int = 2,
    *,
    consignment_id: str = CONSIGNMENT,
    shared_by: int = 1,
    released: bool = True,
    bill_no: str = "BL-1",
    conveyance: str = "EVER GOOD 012E",
    direction: Direction = Direction.IMPORT,
    arrived_at: datetime | None = NOON,
    arrival_retracted: bool = False,
    container_no: str = BOX,
    at: datetime = NOON,
) -> ContainerFreed:
    return ContainerFreed(
        container_no=container_no,
        occurred_at=at,
        consignment_id=consignment_id,
        shared_by=shared_by,
        version=version,
        released=released,
        bill_no=bill_no,
        conveyance=conveyance,
        direction=direction,
        arrived_at=arrived_at,
        arrival_retracted=arrival_retracted,
    )


def watch_placed(
    partition_key: str, watch_id: str, *, bill_no: str = "", declarant: str = "", at: datetime = NOON
) -> WatchPlaced:
    return WatchPlaced(
        partition_key=partition_key,
        occurred_at=at,
        watch_id=watch_id,
        bill_no=bill_no,
        declarant=declarant,
        reason="a tip",
        placed_by="o9",
    )


def watch_lifted(partition_key: str, watch_id: str, *, at: datetime = NOON) -> WatchLifted:
    return WatchLifted(
        partition_key=partition_key, occurred_at=at, watch_id=watch_id, reason="looked at", lifted_by="o8"
    )


# facts of the gate desk


def equipment_event_recorded(
    report_id: str,
    event: EquipmentEvent,
    visit: str,
    *,
    where: str = "berth 1",
    laden: bool | None = None,
    classifier: Classifier = Classifier.ACTUAL,
    conveyance: str = "",
    replaces: str = "",
    retells: str = "",
    targets: tuple[str, ...] = (),
    by: str = "terminal",
    container_no: str = BOX,
    disbelieved_time: datetime | None = None,
    at: datetime = NOON,
) -> EquipmentEventRecorded:
    return EquipmentEventRecorded(
        container_no=container_no,
        occurred_at=at,
        report_id=report_id,
        event=event,
        classifier=classifier,
        place=where,
        laden=laden,
        conveyance=conveyance,
        bill="",
        to="",
        replaces=replaces,
        retells=retells,
        visit=visit,
        reported_by=by,
        targets=targets,
        disbelieved_time=disbelieved_time,
    )


def equipment_event_retracted(
    report_id: str, *, because: str = "typed into the wrong line", by: str = "terminal", at: datetime = NOON
) -> EquipmentEventRetracted:
    return EquipmentEventRetracted(
        container_no=BOX, occurred_at=at, report_id=report_id, reason=because, retracted_by=by
    )


def container_finding_recorded(
    found: Literal["inside", "outside"],
    *settled: str,
    lots: int | None = None,
    because: str = "looked",
    by: str = "officer-li",
    disbelieved_time: datetime | None = None,
    at: datetime = NOON,
) -> ContainerFindingRecorded:
    """Returns the fact about an officer's finding. `settled`: the ids of the reports whose alarms it settles."""
    return ContainerFindingRecorded(
        container_no=BOX,
        occurred_at=at,
        found=found,
        lots=lots,
        settled=settled,
        reason=because,
        found_by=by,
        disbelieved_time=disbelieved_time,
    )


def container_finding_retracted(
    wrong: str,
    lots: int | None = None,
    *,
    because: str = "looked at another box",
    by: str = "officer-li",
    at: datetime = NOON,
) -> ContainerFindingRetracted:
    return ContainerFindingRetracted(
        container_no=BOX, occurred_at=at, wrong=wrong, lots=lots, reason=because, retracted_by=by
    )


def lot_struck(
    consignment_id: str = CONSIGNMENT,
    *,
    because: str = "not in it",
    by: str = "officer-li",
    at: datetime = NOON,
) -> LotStruck:
    return LotStruck(container_no=BOX, occurred_at=at, consignment_id=consignment_id, reason=because, struck_by=by)


def strike_retracted(
    consignment_id: str = CONSIGNMENT,
    *,
    because: str = "the wrong goods",
    why: str = "",
    by: str = "officer-li",
    at: datetime = NOON,
) -> StrikeRetracted:
    """`why`: the code of the reason, if the gate desk ended the strike; empty if an officer took the strike back."""
    known = (phrase(why),) if why else ()
    return StrikeRetracted(
        container_no=BOX,
        occurred_at=at,
        consignment_id=consignment_id,
        reason=reason(*known) if known else because,
        retracted_by="gate" if known else by,
        phrases=known,
    )


def exit_permitted(
    consignment_id: str,
    ground: ExitGround,
    visit: str,
    *,
    version: int = 1,
    version_seen: int | None = None,
    because: str = "by order",
    by: str = "officer-li",
    at: datetime = NOON,
) -> ExitPermitted:
    return ExitPermitted(
        container_no=BOX,
        occurred_at=at,
        consignment_id=consignment_id,
        ground=ground,
        reason=because,
        permitted_by=by,
        version=version,
        version_seen=version_seen,
        visit=visit,
    )


def container_hold_placed(
    hold_id: str, *, because: str = "a tip", by: str = "officer-li", at: datetime = NOON
) -> ContainerHoldPlaced:
    return ContainerHoldPlaced(container_no=BOX, occurred_at=at, hold_id=hold_id, reason=because, placed_by=by)


def container_hold_lifted(
    hold_id: str, *, because: str = "nothing found", by: str = "officer-li", at: datetime = NOON
) -> ContainerHoldLifted:
    return ContainerHoldLifted(container_no=BOX, occurred_at=at, hold_id=hold_id, reason=because, lifted_by=by)


def visit_opened(
    visit: str,
    *,
    where: str = "berth 1",
    laden: bool | None = None,
    conveyance: str = "",
    at: datetime = NOON,
) -> VisitOpened:
    return VisitOpened(container_no=BOX, occurred_at=at, visit=visit, place=where, conveyance=conveyance, laden=laden)


def container_may_leave(
    version: int, visit: str, *consignments: str, permitted: tuple[str, ...] = (), at: datetime = NOON
) -> ContainerMayLeave:
    return ContainerMayLeave(
        container_no=BOX,
        occurred_at=at,
        version=version,
        consignments=consignments or (CONSIGNMENT,),
        visit=visit,
        permitted=permitted,
    )


def container_must_stay(
    version: int,
    visit: str,
    *why: Phrase,
    waiting_for: tuple[str, ...] = (CONSIGNMENT,),
    code: StayCode | None = None,
    at: datetime = NOON,
) -> ContainerMustStay:
    """`code`: by default, the code that `STAY_CODES` has for the first phrase of `why` whose code is in
    `STAY_CODES`."""
    code = code or next(STAY_CODES[each.code] for each in why if each.code in STAY_CODES)
    return ContainerMustStay(
        container_no=BOX,
        occurred_at=at,
        version=version,
        waiting_for=waiting_for,
        reason=reason(*why),
        visit=visit,
        phrases=why,
        code=code,
        owner=STAY_OWNERS.get(code),
    )


STAY_CODES = {
    **dict.fromkeys(("alarm_waits", "earlier_alarm"), StayCode.ALARM),
    "box_held": StayCode.BOX_HELD,
    **dict.fromkeys(("too_many_goods", "perhaps_came_again", "stuffed"), StayCode.TO_BE_COUNTED),
    "no_visit": StayCode.NO_VISIT,
    "stripped": StayCode.STRIPPED,
    "not_stuffed_yet": StayCode.NOT_STUFFED,
    **dict.fromkeys(("nothing_declared", "others_undeclared", "bill_withdrawn"), StayCode.UNDECLARED),
    **dict.fromkeys(("declared_twice", "stuffed_from"), StayCode.UNDECLARED),
    "bill_waits": StayCode.NOT_RELEASED,
}
"""Code of the gate desk's phrase → what the container waits for."""
STAY_OWNERS = {
    **dict.fromkeys((StayCode.ALARM, StayCode.BOX_HELD, StayCode.TO_BE_COUNTED), Owner.OFFICER),
    **dict.fromkeys((StayCode.NO_VISIT, StayCode.NOT_STUFFED), Owner.CARRIER),
    StayCode.UNDECLARED: Owner.DECLARANT,
}
"""What the container waits for → who has to act."""


def container_gated_out(
    visit: str, report_id: str, *consignments: str, gate: str = "G1", container_no: str = BOX, at: datetime = NOON
) -> ContainerGatedOut:
    return ContainerGatedOut(
        container_no=container_no,
        occurred_at=at,
        gate=gate,
        consignments=consignments or (CONSIGNMENT,),
        visit=visit,
        report_id=report_id,
    )


def visit_closed(
    visit: str, how: str, report_id: str, *, consignments: tuple[str, ...] = (CONSIGNMENT,), at: datetime = NOON
) -> VisitClosed:
    return VisitClosed(
        container_no=BOX, occurred_at=at, visit=visit, how=how, consignments=consignments, report_id=report_id
    )


def gate_alarm_raised(
    visit: str,
    report_id: str,
    *,
    waiting_for: tuple[str, ...] = (CONSIGNMENT,),
    alarm: str = "left_unreleased",
    why: str = "left_unreleased",
    blocks: bool = True,
    gate: str = "G1",
    at: datetime = NOON,
) -> GateAlarmRaised:
    return GateAlarmRaised(
        container_no=BOX,
        occurred_at=at,
        gate=gate,
        waiting_for=waiting_for,
        reason=reason(phrase(why)),
        alarm=alarm,
        visit=visit,
        report_id=report_id,
        blocks=blocks,
        why=why,
    )


def container_arrived(
    container_no: str = BOX,
    visit: str = "v1",
    *,
    where: str = "berth 1",
    consignment_id: str = CONSIGNMENT,
    at: datetime = NOON,
) -> ContainerArrived:
    return ContainerArrived(
        consignment_id=consignment_id, occurred_at=at, container_no=container_no, visit=visit, place=where
    )


def container_arrival_retracted(
    container_no: str = BOX, visit: str = "v1", *, consignment_id: str = CONSIGNMENT, at: datetime = NOON
) -> ContainerArrivalRetracted:
    return ContainerArrivalRetracted(
        consignment_id=consignment_id, occurred_at=at, container_no=container_no, visit=visit
    )


def goods_transferred(
    visit: str,
    report_id: str,
    *targets: str,
    lots: int = 1,
    consignment_id: str = CONSIGNMENT,
    at: datetime = NOON,
) -> GoodsTransferred:
    return GoodsTransferred(
        consignment_id=consignment_id,
        occurred_at=at,
        container_no=BOX,
        visit=visit,
        targets=targets,
        lots=lots,
        report_id=report_id,
    )


def transfer_retracted(
    visit: str, report_id: str, *, consignment_id: str = CONSIGNMENT, at: datetime = NOON
) -> TransferRetracted:
    return TransferRetracted(
        consignment_id=consignment_id, occurred_at=at, container_no=BOX, visit=visit, report_id=report_id
    )


def consignment_gated_out(
    container_no: str = BOX,
    visit: str = "v1",
    released: bool = True,
    *,
    consignment_id: str = CONSIGNMENT,
    at: datetime = NOON,
) -> ConsignmentGatedOut:
    return ConsignmentGatedOut(
        consignment_id=consignment_id, occurred_at=at, container_no=container_no, released=released, visit=visit
    )


def consignment_left_unreleased(
    container_no: str = BOX,
    visit: str = "v1",
    *,
    why: str = "left_unreleased",
    consignment_id: str = CONSIGNMENT,
    at: datetime = NOON,
) -> ConsignmentLeftUnreleased:
    return ConsignmentLeftUnreleased(
        consignment_id=consignment_id,
        occurred_at=at,
        container_no=container_no,
        visit=visit,
        reason=reason(phrase(why)),
        why=why,
    )


def departure_retracted(
    container_no: str = BOX, visit: str = "v1", *, consignment_id: str = CONSIGNMENT, at: datetime = NOON
) -> DepartureRetracted:
    return DepartureRetracted(
        consignment_id=consignment_id,
        occurred_at=at,
        container_no=container_no,
        visit=visit,
        reason=reason(phrase("departure_wrong")),
        why="departure_wrong",
    )


def same_goods_declared(
    consignment_id: str,
    *others: str,
    count: int | None = None,
    rule: str = "one_declaration_a_bill",
    bill_no: str = "",
    conveyance: str = "",
    direction: Direction = Direction.IMPORT,
    at: datetime = NOON,
) -> SameGoodsDeclared:
    """Returns the fact that other declarations stand for the same goods. `others`: the consignments of those that the
    fact names; `count`: how many other declarations there are in all, by default as many as are named."""
    return SameGoodsDeclared(
        consignment_id=consignment_id,
        occurred_at=at,
        container_no=BOX,
        others=others,
        count=len(others) if count is None else count,
        bill_no=bill_no,
        conveyance=conveyance,
        direction=direction,
        rule=rule,
        rule_set="2026-11-29",
    )
