"""Which messages does the release desk read, and which facts may it publish?"""

from schemas.declaration import WithdrawalRequested
from schemas.envelope import DeadlinePassed, RequestRefused
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
RequestAboutGoods = ReportArrival | RetractArrival | PlaceHold | LiftHold | RetractLift
OfGoods = FromDesks | RequestAboutGoods | DeadlinePassed
OfWatches = PlaceWatch | LiftWatch
Input = OfGoods | OfWatches
OutputOfGoods = (
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
Output = OutputOfGoods | WatchPlaced | WatchLifted
