"""Which messages does the gate desk read, and which facts may it publish?"""

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
from schemas.release import ContainerFreed, ContainerHeld

Reported = RecordGateOut | RecordEquipmentEvent
Ordered = (
    RetractEquipmentEvent
    | RecordContainerFinding
    | RetractContainerFinding
    | StrikeLot
    | RetractStrike
    | PermitExit
    | PlaceContainerHold
    | LiftContainerHold
)
Input = ContainerHeld | ContainerFreed | Reported | Ordered
Output = (
    EquipmentEventRecorded
    | EquipmentEventRetracted
    | ContainerFindingRecorded
    | ContainerFindingRetracted
    | LotStruck
    | StrikeRetracted
    | ExitPermitted
    | ContainerHoldPlaced
    | ContainerHoldLifted
    | VisitOpened
    | VisitClosed
    | ContainerMayLeave
    | ContainerMustStay
    | ContainerGatedOut
    | GateAlarmRaised
    | ContainerArrived
    | ContainerArrivalRetracted
    | GoodsTransferred
    | TransferRetracted
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted
    | SameGoodsDeclared
    | RequestRefused
)
