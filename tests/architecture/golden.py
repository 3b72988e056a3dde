"""What does each kind of message look like on the wire? This file has an example of each kind, from the life of a few
consignments.

`make examples` writes `schemas/examples/<kind>.json` for a kind that has no file yet. It writes `<kind>.2.json` (then
3, 4, …) if an example of this file is in none of the kind's files, for example because the kind has got a new optional
field. Existing files are never changed, because they were published.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from schemas.declaration import (
    Declaration,
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationPassedOn,
    DeclarationRejected,
    DeclarationRepeated,
    DeclarationWaits,
    DeclaredContainer,
    Finding,
    Item,
    LodgeDeclaration,
    WithdrawalRequested,
    WithdrawDeclaration,
)
from schemas.envelope import Message, RequestRefused, request_id
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
    LiftContainerHold,
    LotStruck,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    SameGoodsDeclared,
    StrikeLot,
    StrikeRetracted,
    TransferRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.inspection import (
    CorrectFindings,
    FindingsResult,
    FindingsRetracted,
    InspectionCancelled,
    InspectionFailed,
    InspectionOrdered,
    InspectionOverdue,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
    RectificationOverdue,
    RectificationRequested,
    RetractFindings,
)
from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.parking import DiscardParked, MessageParked, ParkedDiscarded, ParkedReplayed, ReplayParked
from schemas.phrases import phrase, quoted, seen_phrase
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    QuarantineRefused,
    Reading,
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
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw, FiredRule
from schemas.topics import KINDS, PORT_FORMS, requests_topic
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
    Severity,
    TreatmentDecision,
    TreatmentMethod,
    UnitClass,
    consignment_id,
)

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"
OUTSIDE = FOLDER / "outside"
"""The redacted forms, as they are written to the topic for ports."""

DECLARANT, CONSIGNEE = "91310115MA1H7L0T3Q", "91310000607332882L"
OFFICER, UNIT, TERMINAL = "officer-4258-017", "treatment-unit-31-04", "terminal-CNTAO-4"
BOX, NUMBER, BEETLE = "MSKU9070323", "425820261000000017", "Monochamus alternatus"
GOODS = consignment_id(DECLARANT, "PO-2026-0117")
AGAIN = consignment_id(DECLARANT, "PO-2026-0117", 2)
"""The next consignment, lodged after the declaration of `GOODS` was withdrawn."""
LODGED = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def after(hours: float) -> datetime:
    """The time this many hours after the lodgement."""
    return LODGED + timedelta(hours=hours)


YEARS_BEFORE = LODGED - timedelta(days=1000)
"""A reported time of an event that is so long ago that no desk believes it."""
WITHDRAWAL = request_id(DECLARANT, "withdraw-PO-2026-0117")
REPORT, DISCHARGE = request_id(TERMINAL, "gate-out-1"), request_id(TERMINAL, "discharge-1")
WATCH = request_id(OFFICER, "watch-1")
BOX_HOLD = request_id(OFFICER, "box-hold-1")
OFFICERS_HOLD = f"officer/{request_id(OFFICER, 'hold-1')}"
LIFTED = request_id(OFFICER, "lift-1")
ARRIVED = request_id(TERMINAL, "arrival-1")
TREATED, DECIDED = request_id(UNIT, "treatment-1"), request_id(OFFICER, "decision-1")
FOUND = request_id(OFFICER, "findings-1")
DECLARATION = Declaration(
    reference="PO-2026-0117",
    declarant=DECLARANT,
    consignee=CONSIGNEE,
    direction=Direction.IMPORT,
    customs_office="4258",
    trade_mode="0110",
    transport_mode="2",
    conveyance="COSCO SHIPPING ARIES/068W",
    bill_no="COSU6400001170",
    departure_country="KR",
    destination_country="CN",
    goods_place="Qianwan phase 4",
    conveyance_entry_date=date(2026, 11, 24),
    packages=42,
    package_kind="93",
    wood_packaging=True,
    gross_mass_kg=Decimal("18450.00000"),
    net_mass_kg=Decimal("17200.50000"),
    invoice_total=Decimal("86100.0000"),
    currency="USD",
    containers=(DeclaredContainer(container_no=BOX, seal_no="KR0099817", shared_by=2),),
    items=(
        Item(
            hs_code="8483409000",
            description="减速机 gear units, steel",
            origin_country="KR",
            quantity=Decimal("210.00000"),
            unit="001",
            net_mass_kg=Decimal("17200.50000"),
            unit_price=Decimal("410.0000"),
            total_price=Decimal("86100.0000"),
            currency="USD",
        ),
    ),
)
WARNING = Finding(
    pointer="/containers",
    code="container_heavy",
    severity=Severity.WARNING,
    seen="31000 kg in 1",
    phrase=seen_phrase("mass_in_boxes", mass=31000, count=1),
)
MISSING = Finding(pointer="/items/0/hs_code", code="hs_chapter_unknown", severity=Severity.ERROR, seen="9900000000")
HEAT, BROMIDE = TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE

EXAMPLES: tuple[Message, ...] = (
    LodgeDeclaration(consignment_id=GOODS, asked_by=DECLARANT, occurred_at=LODGED, declaration=DECLARATION),
    DeclarationAccepted(
        consignment_id=AGAIN,
        occurred_at=LODGED,
        declaration_no=NUMBER,
        declaration=DECLARATION,
        warnings=(WARNING,),
        number=2,
        earlier=GOODS,
        request_id=WITHDRAWAL,
    ),
    DeclarationRejected(
        consignment_id=AGAIN,
        occurred_at=LODGED,
        declaration=DECLARATION,
        findings=(MISSING, WARNING),
        number=2,
        earlier=GOODS,
        request_id=WITHDRAWAL,
    ),
    WithdrawDeclaration(
        consignment_id=GOODS, asked_by=DECLARANT, occurred_at=after(1), reason="货物未装船 not shipped"
    ),
    DeclarationRepeated(
        consignment_id=GOODS,
        occurred_at=after(1),
        request_id=WITHDRAWAL,
        first_request_id=request_id(DECLARANT, "first"),
    ),
    DeclarationWaits(
        consignment_id=GOODS,
        occurred_at=after(1),
        request_id=WITHDRAWAL,
        declaration=DECLARATION,
        withdrawal=request_id(DECLARANT, "withdrawal"),
        serial=4711,
    ),
    DeclarationPassedOn(consignment_id=GOODS, occurred_at=after(1), request_id=WITHDRAWAL, later=AGAIN),
    DeclarationLodgedAgain(
        consignment_id=GOODS,
        occurred_at=after(1),
        later=AGAIN,
        number=2,
        request_id=WITHDRAWAL,
        serial=4711,
        declaration=DECLARATION,
    ),
    WithdrawalRequested(
        consignment_id=GOODS, occurred_at=after(1), request_id=WITHDRAWAL, reason="货物未装船 not shipped"
    ),
    RequestRefused(
        occurred_at=after(1),
        subject=GOODS,
        request_id=WITHDRAWAL,
        request_kind="WithdrawDeclaration",
        code="controls_ordered",
        reason="controls are ordered: inspection",
        phrases=(phrase("controls_ordered", controls=(ControlKind.INSPECTION,)),),
    ),
    ConsignmentAssessed(
        consignment_id=GOODS,
        occurred_at=LODGED,
        declaration_no=NUMBER,
        direction=Direction.IMPORT,
        customs_office="4258",
        transport_mode="2",
        bill_no="COSU6400001170",
        containers=(BoundContainer(container_no=BOX, shared_by=2),),
        lane=Lane.RED,
        controls=(ControlKind.INSPECTION,),
        credit_grade=CreditGrade.REGULAR,
        rule_set="2026-11-01",
        rules=(
            FiredRule(
                rule="wood_packaging",
                controls=(ControlKind.INSPECTION,),
                seen="solid wood packaging, departure KR",
                phrase=phrase("wood", departure="KR"),
            ),
        ),
        draw=Draw(
            value=Decimal("0.181310"),
            rate=Decimal("0.0244"),
            selected=False,
            key_id="2026-11-01-5b1c6c2f0a7d9e34",
        ),
        goods=(GoodsClass.WOOD, GoodsClass.OTHER),
        declarant=DECLARANT,
    ),
    InspectionOrdered(
        consignment_id=GOODS,
        occurred_at=LODGED,
        control=ControlKind.INSPECTION,
        customs_office="4258",
        due=after(48),
    ),
    RecordFindings(
        consignment_id=GOODS,
        asked_by=OFFICER,
        occurred_at=after(30),
        control=ControlKind.INSPECTION,
        result=FindingsResult.PEST,
        pest=BEETLE,
        remarks="living larvae in two pallets",
    ),
    InspectionPassed(
        consignment_id=GOODS,
        occurred_at=after(30),
        control=ControlKind.INSPECTION,
        officer=OFFICER,
        remarks="seal intact, 12 of 42 packages opened",
    ),
    InspectionFailed(
        consignment_id=GOODS,
        occurred_at=after(30),
        control=ControlKind.SAMPLING,
        officer=OFFICER,
        reason="lead above limit 重金属超标",
        phrases=(quoted("lead above limit 重金属超标"),),
    ),
    PestIntercepted(
        consignment_id=GOODS,
        occurred_at=after(30),
        control=ControlKind.INSPECTION,
        officer=OFFICER,
        pest=BEETLE,
        goods=(GoodsClass.WOOD, GoodsClass.OTHER),
    ),
    InspectionOverdue(
        consignment_id=GOODS, occurred_at=after(48), control=ControlKind.INSPECTION, since=LODGED, due=after(48)
    ),
    InspectionCancelled(consignment_id=GOODS, occurred_at=after(2), control=ControlKind.DOCUMENTS),
    TreatmentOrdered(
        consignment_id=GOODS,
        occurred_at=after(30),
        origin="inspection",
        attempt=1,
        methods=(HEAT, BROMIDE),
        pest=BEETLE,
        due=after(150),
        goods=GoodsClass.WOOD,
    ),
    RecordTreatment(
        consignment_id=GOODS,
        asked_by=UNIT,
        occurred_at=after(60),
        origin="inspection",
        attempt=1,
        method=BROMIDE,
        unit_class=UnitClass.FUMIGATION,
        dose_g_m3=Decimal("48.000"),
        residue_ppm=Decimal("4.500"),
        started_at=after(34),
        readings=(
            Reading(
                hours=Decimal("0.500"),
                temperature_c=Decimal("21.50"),
                concentration_g_m3=Decimal("47.100"),
                place="line 1",
            ),
            Reading(hours=Decimal("2.000"), temperature_c=Decimal("21.50"), concentration_g_m3=Decimal("36.200")),
            Reading(hours=Decimal("4.000"), temperature_c=Decimal("21.00"), concentration_g_m3=Decimal("31.800")),
            Reading(hours=Decimal("24.000"), temperature_c=Decimal("21.00"), concentration_g_m3=Decimal("24.100")),
        ),
    ),
    TreatmentVerified(
        consignment_id=GOODS,
        occurred_at=after(60),
        origin="inspection",
        attempt=1,
        method=BROMIDE,
        schedule="MB-ISPM15-24h-2006-10-01",
        unit=UNIT,
    ),
    TreatmentFailed(
        consignment_id=GOODS,
        occurred_at=after(60),
        origin="inspection",
        attempt=1,
        method=HEAT,
        schedule="HT-ISPM15-56C-30min",
        shortfalls=("place line 1: wood core held 56 °C for 25 min; wanted 30 min without a break",),
        unit=UNIT,
        phrases=(
            phrase("at_place", name="line 1"),
            phrase("held_short", measured="wood core", celsius=56, held="25 min", wanted="30 min"),
        ),
    ),
    TreatmentAbandoned(consignment_id=GOODS, occurred_at=after(140), origin="inspection", attempts=3),
    TreatmentOverdue(
        consignment_id=GOODS,
        occurred_at=after(150),
        origin="inspection",
        attempt=1,
        since=after(30),
        due=after(150),
    ),
    TreatmentCancelled(consignment_id=GOODS, occurred_at=after(2), origin="risk"),
    TreatmentReferred(
        consignment_id=GOODS,
        occurred_at=after(30),
        origin="risk",
        goods=(GoodsClass.LIVE, GoodsClass.OTHER),
        pest="",
        due=after(150),
    ),
    DecideTreatment(
        consignment_id=GOODS,
        asked_by=OFFICER,
        occurred_at=after(62),
        origin="sampling",
        decision=TreatmentDecision.TREAT,
        goods=GoodsClass.WOOD,
        methods=(BROMIDE,),
        reason="随货木托一并处理 with the pallets under it",
    ),
    CorrectTreatment(
        consignment_id=GOODS,
        asked_by=UNIT,
        occurred_at=after(50),
        origin="inspection",
        attempt=1,
        method=HEAT,
        unit_class=UnitClass.HEAT,
        started_at=after(40),
        readings=(Reading(hours=Decimal("0.5"), temperature_c=Decimal("56.20"), place="core 2"),),
        wrong=TREATED,
        reason="误录他室读数 readings of another chamber",
    ),
    RetractTreatment(
        consignment_id=GOODS,
        asked_by=UNIT,
        occurred_at=after(50),
        origin="inspection",
        wrong=TREATED,
        reason="误录他室读数 readings of another chamber",
    ),
    TreatmentRetracted(
        consignment_id=GOODS,
        occurred_at=after(50),
        origin="inspection",
        attempt=1,
        wrong=TREATED,
        retracted_by=UNIT,
        reason="误录他室读数 readings of another chamber",
        due=after(170),
        revision=1,
    ),
    RetractTreatmentDecision(
        consignment_id=GOODS,
        asked_by=OFFICER,
        occurred_at=after(63),
        origin="sampling",
        wrong=DECIDED,
        reason="误选处理对象 the wrong goods were named",
    ),
    TreatmentDecisionRetracted(
        consignment_id=GOODS,
        occurred_at=after(63),
        origin="sampling",
        wrong=DECIDED,
        officer=OFFICER,
        reason="误选处理对象 the wrong goods were named",
        due=after(183),
        revision=0,
    ),
    TreatmentWaived(
        consignment_id=GOODS,
        occurred_at=after(100),
        origin="risk",
        officer=OFFICER,
        reason="隔离检疫合格 healthy after isolation",
    ),
    QuarantineRefused(
        consignment_id=GOODS,
        occurred_at=after(100),
        origin="risk",
        officer=OFFICER,
        reason="无有效处理方法 no treatment is known",
    ),
    CorrectFindings(
        consignment_id=GOODS,
        asked_by=OFFICER,
        occurred_at=after(65),
        control=ControlKind.INSPECTION,
        wrong=FOUND,
        reason="误录他票结果 findings of another consignment",
        result=FindingsResult.PEST,
        pest=BEETLE,
    ),
    RetractFindings(
        consignment_id=GOODS,
        asked_by=OFFICER,
        occurred_at=after(65),
        control=ControlKind.INSPECTION,
        wrong=FOUND,
        reason="误录他票结果 findings of another consignment",
    ),
    FindingsRetracted(
        consignment_id=GOODS,
        occurred_at=after(65),
        control=ControlKind.INSPECTION,
        wrong=FOUND,
        officer=OFFICER,
        reason="误录他票结果 findings of another consignment",
        due=after(113),
        revision=1,
    ),
    RectificationRequested(
        consignment_id=GOODS,
        occurred_at=after(4),
        control=ControlKind.DOCUMENTS,
        officer=OFFICER,
        reason="缺少发票 the invoice is missing",
        due=after(340),
        phrases=(quoted("缺少发票 the invoice is missing"),),
    ),
    RectificationOverdue(
        consignment_id=GOODS, occurred_at=after(340), control=ControlKind.DOCUMENTS, since=after(4), due=after(340)
    ),
    ReportArrival(consignment_id=GOODS, asked_by=TERMINAL, occurred_at=after(26), place="Qianwan phase 4"),
    ArrivalRecorded(
        consignment_id=GOODS,
        occurred_at=after(26),
        place="Qianwan phase 4",
        reported_by=TERMINAL,
        reported_for=TERMINAL,
        disbelieved_time=YEARS_BEFORE,
    ),
    RetractArrival(
        consignment_id=GOODS, asked_by=TERMINAL, occurred_at=after(27), wrong=ARRIVED, reason="另一航次 another voyage"
    ),
    ArrivalRetracted(
        consignment_id=GOODS,
        occurred_at=after(27),
        wrong=ARRIVED,
        reason="另一航次 another voyage",
        retracted_by=TERMINAL,
        containers=("CSQU3054383",),
        arrived_at=after(26),
        first_arrived_at=after(26),
        phrases=(quoted("另一航次 another voyage"),),
    ),
    PlaceHold(
        consignment_id=GOODS, asked_by=OFFICER, occurred_at=after(61), reason="情报布控 intelligence", watch_id=WATCH
    ),
    PlaceWatch(
        partition_key="watches/3",
        asked_by=OFFICER,
        occurred_at=after(61),
        watch_id=WATCH,
        reason="情报布控 intelligence",
        bill_no="COSU6400001170",
    ),
    WatchPlaced(
        partition_key="watches/3",
        occurred_at=after(61),
        watch_id=WATCH,
        bill_no="COSU6400001170",
        declarant="",
        reason="情报布控 intelligence",
        placed_by=OFFICER,
    ),
    LiftWatch(
        partition_key="watches/3",
        asked_by=OFFICER,
        occurred_at=after(90),
        watch_id=WATCH,
        reason="核查无误 cleared",
    ),
    WatchLifted(
        partition_key="watches/3",
        occurred_at=after(90),
        watch_id=WATCH,
        reason="核查无误 cleared",
        lifted_by=OFFICER,
    ),
    LiftHold(
        consignment_id=GOODS, asked_by=OFFICER, occurred_at=after(63), hold_id=OFFICERS_HOLD, reason="核查无误 cleared"
    ),
    RetractLift(
        consignment_id=GOODS, asked_by=OFFICER, occurred_at=after(64), wrong=LIFTED, reason="误解除他票扣留 another one"
    ),
    LiftRetracted(
        consignment_id=GOODS,
        occurred_at=after(64),
        hold_id=OFFICERS_HOLD,
        wrong=LIFTED,
        officer=OFFICER,
        reason="误解除他票扣留 another one",
    ),
    ConsignmentHeld(
        consignment_id=GOODS,
        occurred_at=after(61),
        version=3,
        holds=(
            Hold(
                hold_id="quarantine/inspection",
                owner=Owner.QUARANTINE,
                reason=f"living pest: {BEETLE}",
                since=after(30),
                lifted_by="TreatmentVerified",
                why="living_pest",
                quoted={"pest": (13, 13 + len(BEETLE))},
            ),
            Hold(
                hold_id="inspection/documents",
                owner=Owner.INSPECTION,
                reason="documents control required",
                since=after(2),
                lifted_by="InspectionPassed",
                why="control_required",
                values={"control": "documents"},
            ),
            Hold(
                hold_id=OFFICERS_HOLD,
                owner=Owner.OFFICER,
                reason="情报布控 intelligence",
                since=after(61),
                lifted_by="LiftHold",
            ),
        ),
    ),
    ReleaseGranted(
        consignment_id=GOODS,
        occurred_at=after(63),
        version=5,
        declaration_no=NUMBER,
        direction=Direction.IMPORT,
        customs_office="4258",
        transport_mode="2",
        bill_no="COSU6400001170",
        containers=(BOX,),
        lane=Lane.RED,
        arrived_at=after(26),
        answers={"inspection/inspection": "PestIntercepted", "quarantine/inspection": "TreatmentVerified"},
    ),
    ReleaseRefused(
        consignment_id=GOODS,
        occurred_at=after(140),
        version=6,
        declaration_no=NUMBER,
        cause="quarantine/inspection",
        reason="treatment failed 3 times",
        phrases=(phrase("treatment_failed", attempts=3),),
        holds=(
            Hold(
                hold_id="officer/2f0c6d1e-7a55-5f4e-9d0b-5f0d7d4a1c11",
                owner=Owner.OFFICER,
                reason="情报布控 intelligence",
                since=after(150),
                lifted_by="LiftHold",
            ),
        ),
    ),
    ReleaseRevoked(
        consignment_id=GOODS,
        occurred_at=after(64),
        version=6,
        containers=(BOX,),
        reason="情报布控 intelligence",
        phrases=(quoted("情报布控 intelligence"),),
    ),
    RefusalRevoked(
        consignment_id=GOODS,
        occurred_at=after(66),
        version=7,
        reason="inspection/inspection no longer stands as a failure",
        phrases=(phrase("failure_gone", hold="inspection/inspection"),),
    ),
    DeclarationWithdrawn(
        consignment_id=GOODS, occurred_at=after(1), version=2, request_id=WITHDRAWAL, reason="货物未装船 not shipped"
    ),
    ContainerHeld(
        container_no=BOX,
        occurred_at=LODGED,
        consignment_id=GOODS,
        shared_by=2,
        version=1,
        reason="not released yet",
        phrases=(phrase("not_released_yet"),),
    ),
    ContainerFreed(
        container_no=BOX, occurred_at=after(63), consignment_id=GOODS, shared_by=2, version=5, released=True
    ),
    RecordGateOut(container_no=BOX, asked_by=TERMINAL, occurred_at=after(70), gate="CNTAO-4-OUT-2"),
    ContainerMayLeave(
        container_no=BOX,
        occurred_at=after(63),
        version=1,
        consignments=(GOODS, consignment_id(DECLARANT, "PO-2026-0118")),
    ),
    ContainerMustStay(
        container_no=BOX,
        occurred_at=after(64),
        version=2,
        waiting_for=(GOODS,),
        reason="0 of 1 lots released 已放行 0/1 批; bill COSU6400001170: 情报布控 intelligence",
        phrases=(
            phrase("lots_released", count=0, all=1),
            phrase("bill_waits", bill="COSU6400001170"),
            quoted("情报布控 intelligence"),
        ),
        code="not_released",
    ),
    ContainerGatedOut(
        container_no=BOX,
        occurred_at=after(70),
        gate="CNTAO-4-OUT-2",
        consignments=(GOODS, consignment_id(DECLARANT, "PO-2026-0118")),
    ),
    GateAlarmRaised(
        container_no=BOX,
        occurred_at=after(70),
        gate="CNTAO-4-OUT-2",
        waiting_for=(GOODS,),
        reason="left without release 未放行离场",
        why="left_unreleased",
    ),
    ConsignmentGatedOut(consignment_id=GOODS, occurred_at=after(70), container_no=BOX, released=True),
    RecordEquipmentEvent(
        container_no=BOX,
        asked_by=TERMINAL,
        occurred_at=after(20),
        event=EquipmentEvent.DISCHARGED,
        place="CNTAO-4",
        laden=True,
        conveyance="COSCO SHIPPING ARIES/068W",
        bill="COSU6400001170",
    ),
    RetractEquipmentEvent(
        container_no=BOX,
        asked_by=TERMINAL,
        occurred_at=after(71),
        report_id=REPORT,
        reason="箱号录错 typed into the wrong line",
    ),
    RecordContainerFinding(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(72),
        found="inside",
        lots=2,
        reason="堆场复核 seen in the yard",
    ),
    RetractContainerFinding(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(100),
        wrong=REPORT,
        reason="看错箱号 looked at another box",
    ),
    RetractStrike(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(31),
        consignment_id=GOODS,
        reason="剔错货物 the wrong goods",
    ),
    StrikeLot(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(30),
        consignment_id=GOODS,
        reason="不在此箱 not in this box",
    ),
    PermitExit(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(80),
        consignment_id=GOODS,
        ground=ExitGround.RETURN,
        reason="退运 to be returned to the shipper",
        version=6,
    ),
    PlaceContainerHold(container_no=BOX, asked_by=OFFICER, occurred_at=after(25), reason="情报布控 intelligence"),
    LiftContainerHold(
        container_no=BOX,
        asked_by=OFFICER,
        occurred_at=after(26),
        hold_id=BOX_HOLD,
        reason="核查无异常 nothing was found",
    ),
    EquipmentEventRecorded(
        container_no=BOX,
        occurred_at=after(20),
        report_id=DISCHARGE,
        event=EquipmentEvent.DISCHARGED,
        classifier=Classifier.ACTUAL,
        place="CNTAO-4",
        laden=True,
        conveyance="COSCO SHIPPING ARIES/068W",
        bill="COSU6400001170",
        to="",
        replaces="",
        retells="",
        visit=DISCHARGE,
        reported_by=TERMINAL,
        disbelieved_time=YEARS_BEFORE,
    ),
    EquipmentEventRetracted(
        container_no=BOX,
        occurred_at=after(71),
        report_id=REPORT,
        reason="箱号录错 typed into the wrong line",
        retracted_by=TERMINAL,
    ),
    ContainerFindingRecorded(
        container_no=BOX,
        occurred_at=after(72),
        found="inside",
        lots=2,
        settled=(REPORT,),
        reason="堆场复核 seen in the yard",
        found_by=OFFICER,
        disbelieved_time=YEARS_BEFORE,
    ),
    ContainerFindingRetracted(
        container_no=BOX,
        occurred_at=after(100),
        wrong=REPORT,
        lots=2,
        reason="看错箱号 looked at another box",
        retracted_by=OFFICER,
    ),
    StrikeRetracted(
        container_no=BOX,
        occurred_at=after(31),
        consignment_id=GOODS,
        reason="剔错货物 the wrong goods",
        retracted_by=OFFICER,
    ),
    LotStruck(
        container_no=BOX,
        occurred_at=after(30),
        consignment_id=GOODS,
        reason="不在此箱 not in this box",
        struck_by=OFFICER,
    ),
    ExitPermitted(
        container_no=BOX,
        occurred_at=after(80),
        consignment_id=GOODS,
        ground=ExitGround.RETURN,
        reason="退运 to be returned to the shipper",
        permitted_by=OFFICER,
        version=6,
        version_seen=6,
        visit=request_id(TERMINAL, "discharge-1"),
    ),
    ContainerHoldPlaced(
        container_no=BOX, occurred_at=after(25), hold_id=BOX_HOLD, reason="情报布控 intelligence", placed_by=OFFICER
    ),
    ContainerHoldLifted(
        container_no=BOX,
        occurred_at=after(26),
        hold_id=BOX_HOLD,
        reason="核查无异常 nothing was found",
        lifted_by=OFFICER,
    ),
    VisitOpened(
        container_no=BOX,
        occurred_at=after(20),
        visit=DISCHARGE,
        place="CNTAO-4",
        conveyance="COSCO SHIPPING ARIES/068W",
        laden=True,
    ),
    VisitClosed(
        container_no=BOX,
        occurred_at=after(70),
        visit=DISCHARGE,
        how="left_unreleased",
        consignments=(GOODS,),
        report_id=REPORT,
    ),
    ContainerArrived(consignment_id=GOODS, occurred_at=after(20), container_no=BOX, visit=DISCHARGE, place="CNTAO-4"),
    ContainerArrivalRetracted(
        consignment_id=GOODS,
        occurred_at=after(70),
        container_no=BOX,
        visit=request_id(TERMINAL, "discharge-1"),
    ),
    TransferRetracted(
        consignment_id=GOODS,
        occurred_at=after(70),
        container_no=BOX,
        visit=request_id(TERMINAL, "discharge-1"),
        report_id=request_id(TERMINAL, "stripping-1"),
    ),
    SameGoodsDeclared(
        consignment_id=GOODS,
        occurred_at=after(21),
        container_no=BOX,
        others=(consignment_id(DECLARANT, "PO-2026-0118"),),
        count=1,
        bill_no="COSU6402311020",
        conveyance="COSCO SHIPPING ARIES/068W",
        direction=Direction.IMPORT,
        rule="one_declaration_a_bill",
        rule_set="2026-11-29",
    ),
    GoodsTransferred(
        consignment_id=GOODS,
        occurred_at=after(60),
        container_no=BOX,
        visit=DISCHARGE,
        targets=("TEMU1000001",),
        lots=2,
        report_id=REPORT,
        kept=True,
    ),
    ConsignmentLeftUnreleased(
        consignment_id=GOODS,
        occurred_at=after(70),
        container_no=BOX,
        visit=DISCHARGE,
        reason="left without release 未放行离场",
        why="left_unreleased",
    ),
    DepartureRetracted(
        consignment_id=GOODS,
        occurred_at=after(72),
        container_no=BOX,
        visit=DISCHARGE,
        reason="the departure was taken back or found wrong 离场报告已撤回或经查不实",
        why="departure_wrong",
    ),
    MessageParked(
        occurred_at=after(5),
        service="release",
        subject=GOODS,
        topic=requests_topic("release"),
        partition=1,
        offset=4711,
        reason="contract",
        error="1 errors, first at /place: Field required",
        headers={"ce_type": "ReportArrival", "ce_id": "5f2c7a52-6c0e-5d0b-9d4b-0f4f6d9c1a77", "odd": "\ufffd"},
        binary_headers={"odd": "/w=="},
        value_base64="e30=",
    ),
    ParkedReplayed(
        occurred_at=after(6),
        service="release",
        subject=GOODS,
        topic=requests_topic("release"),
        partition=1,
        offset=4711,
        ordered_by="operator-2",
        message_kind="ReportArrival",
        edited_base64="eyJwbGFjZSI6ICJDTlRBTyJ9",
    ),
    ParkedDiscarded(
        occurred_at=after(6),
        service="inspection",
        subject=GOODS,
        topic="deadline/0b4170cf-7028-559b-b553-c97721d46a22",
        partition=1,
        offset=0,
        ordered_by="operator-2",
        message_kind="DeadlinePassed",
    ),
    ReplayParked(
        asked_by="operator-2",
        occurred_at=after(6),
        service="release",
        subject=GOODS,
        topic=requests_topic("release"),
        partition=1,
        offset=4711,
        parked_offset=12,
        value_base64="eyJwbGFjZSI6ICJDTlRBTyJ9",
    ),
    DiscardParked(
        asked_by="operator-2",
        occurred_at=after(6),
        service="inspection",
        subject=GOODS,
        topic="deadline/0b4170cf-7028-559b-b553-c97721d46a22",
        partition=1,
        offset=0,
    ),
)
"""At least one example of each kind of message."""


def payload(message: Message) -> bytes:
    """The value of the message, as it is written to its topic."""
    return message.__pydantic_serializer__.to_json(message)


def redacted(message: Message) -> bytes:
    """The value of the message's redacted form, as it is written to the topic for ports."""
    return to_outside(message, Audience.PORT)


def published(kind: str, folder: Path = FOLDER) -> list[bytes]:
    """The published examples of this kind, the oldest first."""
    numbered = {1: folder / f"{kind}.json"} | {n: folder / f"{kind}.{n}.json" for n in range(2, 100)}
    return [path.read_bytes().removesuffix(b"\n") for path in numbered.values() if path.exists()]


def write_missing() -> list[str]:
    """Writes a new file for each message of EXAMPLES, and for each redacted form, whose bytes are in no published file
    of its kind. Returns the names of the new files."""
    files = [(FOLDER, message.kind, payload(message)) for message in EXAMPLES]
    files += [(OUTSIDE, message.kind, redacted(message)) for message in EXAMPLES if message.kind in PORT_FORMS]
    written = []
    for folder, kind, value in files:
        folder.mkdir(exist_ok=True)
        shown = published(kind, folder)
        if value not in shown:
            name = f"{kind}.json" if not shown else f"{kind}.{len(shown) + 1}.json"
            folder.joinpath(name).write_bytes(value + b"\n")
            written.append(str(folder.joinpath(name).relative_to(FOLDER)))
    return written


if __name__ == "__main__":
    missing = sorted(set(KINDS) - {message.kind for message in EXAMPLES})
    if missing:
        raise SystemExit(f"tests/architecture/golden.py has no example of {', '.join(missing)}")
    for name in write_missing():
        print(f"schemas/examples/{name}")
