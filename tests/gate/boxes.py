"""How do tests build the messages about a container? Times are minutes after noon."""

from datetime import datetime, timedelta

from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    StrikeLot,
)
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate.box import as_box
from tests import facts
from tests.declaration.good import BOX
from tests.voice import NOON, Story

A, B, C = (consignment_id("91350100M000100Y43", reference) for reference in ("a", "b", "c"))
DAY = 24 * 60


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def held(
    who: str = A,
    version: int = 1,
    shared_by: int = 1,
    bill: str = "",
    ship: str = "",
    arrived: float | None = None,
    when: float = 0,
    direction: Direction = Direction.IMPORT,
    refused: bool = False,
) -> ContainerHeld:
    return facts.container_held(
        version,
        consignment_id=who,
        shared_by=shared_by,
        bill_no=bill,
        conveyance=ship,
        direction=direction,
        arrived_at=None if arrived is None else at(arrived),
        refused=refused,
        at=at(when),
    )


def freed(
    who: str = A,
    version: int = 2,
    shared_by: int = 1,
    released: bool = True,
    bill: str = "",
    ship: str = "",
    arrived: float | None = 0,
    when: float = 0,
    direction: Direction = Direction.IMPORT,
) -> ContainerFreed:
    return facts.container_freed(
        version,
        consignment_id=who,
        shared_by=shared_by,
        released=released,
        bill_no=bill,
        conveyance=ship,
        direction=direction,
        arrived_at=None if arrived is None else at(arrived),
        at=at(when),
    )


def out(when: float = 0, gate: str = "G1") -> RecordGateOut:
    return RecordGateOut(container_no=BOX, asked_by="terminal", occurred_at=at(when), gate=gate)


def event(
    kind: EquipmentEvent,
    when: float,
    berth: str = "berth 1",
    laden: bool | None = None,
    ship: str = "",
    classifier: Classifier = Classifier.ACTUAL,
    replaces: str = "",
    sender: str = "terminal",
) -> RecordEquipmentEvent:
    return RecordEquipmentEvent(
        container_no=BOX,
        asked_by=sender,
        occurred_at=at(when),
        event=kind,
        classifier=classifier,
        place=berth,
        laden=laden,
        conveyance=ship,
        replaces=replaces,
    )


def discharged(when: float, ship: str = "", laden: bool | None = True, berth: str = "berth 1") -> RecordEquipmentEvent:
    return event(EquipmentEvent.DISCHARGED, when, berth, laden, ship)


def retracted(report: str, sender: str = "terminal") -> RetractEquipmentEvent:
    return RetractEquipmentEvent(
        container_no=BOX, asked_by=sender, occurred_at=NOON, report_id=report, reason="typed into the wrong line"
    )


def found(where: str, when: float, lots: int | None = None) -> RecordContainerFinding:
    return RecordContainerFinding.model_validate(
        {
            "container_no": BOX,
            "asked_by": "officer-li",
            "occurred_at": at(when),
            "found": where,
            "lots": lots,
            "reason": "looked",
        }
    )


def finding_retracted(finding: str) -> RetractContainerFinding:
    return RetractContainerFinding(
        container_no=BOX, asked_by="officer-li", occurred_at=NOON, wrong=finding, reason="looked at another box"
    )


def struck(who: str) -> StrikeLot:
    return StrikeLot(container_no=BOX, asked_by="officer-li", occurred_at=NOON, consignment_id=who, reason="not in it")


def permitted(who: str, ground: ExitGround, version: int | None = None) -> PermitExit:
    return PermitExit(
        container_no=BOX,
        asked_by="officer-li",
        occurred_at=NOON,
        consignment_id=who,
        ground=ground,
        reason="by order",
        version=version,
    )


def box_held() -> PlaceContainerHold:
    return PlaceContainerHold(container_no=BOX, asked_by="officer-li", occurred_at=NOON, reason="a tip")


def box_let_go(hold_id: str) -> LiftContainerHold:
    return LiftContainerHold(
        container_no=BOX, asked_by="officer-li", occurred_at=NOON, hold_id=hold_id, reason="nothing found"
    )


def may_leave(desk: Story) -> bool:
    """Whether the gate desk's last fact about the container says that it may leave."""
    statements = [f for f in desk.facts if f.kind in ("ContainerMayLeave", "ContainerMustStay", "ContainerGatedOut")]
    return bool(statements) and statements[-1].kind == "ContainerMayLeave" and as_box(desk.state).published == "leave"
