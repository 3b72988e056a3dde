"""Which messages does each service read, and which may it publish then? This is the picture in the README, as data. The services are the
desks and `clearance`, which publishes nothing."""

from schemas import declaration as d
from schemas import gate as g
from schemas import inspection as i
from schemas import quarantine as q
from schemas import release as r
from schemas import risk as k
from schemas.envelope import DeadlinePassed, Message, RequestRefused
from schemas.topics import FACTS_AND_REQUESTS

_LODGED: tuple[type[Message], ...] = (
    d.DeclarationAccepted,
    d.DeclarationRejected,
    d.DeclarationRepeated,
    d.DeclarationWaits,
    d.DeclarationPassedOn,
    d.DeclarationLodgedAgain,
    RequestRefused,
)
_FOUND: tuple[type[Message], ...] = (
    i.InspectionPassed,
    i.InspectionFailed,
    i.PestIntercepted,
    i.RectificationRequested,
    RequestRefused,
)
_JUDGED: tuple[type[Message], ...] = (
    q.TreatmentVerified,
    q.TreatmentFailed,
    q.TreatmentOrdered,
    q.TreatmentAbandoned,
    RequestRefused,
)
_JOIN: tuple[type[Message], ...] = (
    r.ConsignmentHeld,
    r.ReleaseGranted,
    r.ReleaseRefused,
    r.ReleaseRevoked,
    r.RefusalRevoked,
    r.ContainerHeld,
    r.ContainerFreed,
    r.DeclarationWithdrawn,
    RequestRefused,
)

_GATE: tuple[type[Message], ...] = (
    g.StrikeRetracted,
    g.ContainerMayLeave,
    g.ContainerMustStay,
    g.ContainerGatedOut,
    g.GateAlarmRaised,
    g.VisitOpened,
    g.VisitClosed,
    g.ContainerArrived,
    g.ContainerArrivalRetracted,
    g.GoodsTransferred,
    g.TransferRetracted,
    g.ConsignmentGatedOut,
    g.ConsignmentLeftUnreleased,
    g.DepartureRetracted,
    g.SameGoodsDeclared,
)

FLOW: dict[str, dict[type[Message], tuple[type[Message], ...]]] = {
    "declaration": {
        d.LodgeDeclaration: _LODGED,
        d.DeclarationLodgedAgain: _LODGED,
        d.WithdrawDeclaration: (d.WithdrawalRequested, RequestRefused),
        r.DeclarationWithdrawn: (d.DeclarationPassedOn, d.DeclarationLodgedAgain, RequestRefused),
        RequestRefused: (d.DeclarationRepeated, RequestRefused),
    },
    "risk": {d.DeclarationAccepted: (k.ConsignmentAssessed,)},
    "inspection": {
        k.ConsignmentAssessed: (i.InspectionOrdered,),
        i.RecordFindings: _FOUND,
        i.CorrectFindings: (i.FindingsRetracted, *_FOUND),
        i.RetractFindings: (i.FindingsRetracted, RequestRefused),
        r.DeclarationWithdrawn: (i.InspectionCancelled,),
        DeadlinePassed: (i.InspectionOverdue, i.RectificationOverdue),
    },
    "quarantine": {
        k.ConsignmentAssessed: (q.TreatmentOrdered, q.TreatmentReferred),
        i.PestIntercepted: (q.TreatmentOrdered, q.TreatmentReferred),
        i.FindingsRetracted: (q.TreatmentCancelled, q.TreatmentOrdered, q.TreatmentReferred),
        q.DecideTreatment: (q.TreatmentOrdered, q.TreatmentWaived, q.QuarantineRefused, RequestRefused),
        q.RecordTreatment: _JUDGED,
        q.CorrectTreatment: (q.TreatmentRetracted, q.TreatmentReferred, *_JUDGED),
        q.RetractTreatment: (q.TreatmentRetracted, q.TreatmentOrdered, q.TreatmentReferred, RequestRefused),
        q.RetractTreatmentDecision: (
            q.TreatmentDecisionRetracted,
            q.TreatmentOrdered,
            q.TreatmentReferred,
            RequestRefused,
        ),
        r.DeclarationWithdrawn: (q.TreatmentCancelled,),
        DeadlinePassed: (q.TreatmentOverdue,),
    },
    "release": {
        k.ConsignmentAssessed: _JOIN,
        r.ReportArrival: (r.ArrivalRecorded, *_JOIN),
        i.InspectionPassed: _JOIN,
        i.InspectionFailed: _JOIN,
        i.PestIntercepted: _JOIN,
        i.RectificationRequested: _JOIN,
        i.FindingsRetracted: _JOIN,
        q.TreatmentVerified: _JOIN,
        q.TreatmentAbandoned: _JOIN,
        q.TreatmentReferred: _JOIN,
        q.TreatmentRetracted: _JOIN,
        q.TreatmentDecisionRetracted: _JOIN,
        q.TreatmentOrdered: _JOIN,
        q.TreatmentWaived: _JOIN,
        q.QuarantineRefused: _JOIN,
        d.WithdrawalRequested: _JOIN,
        r.PlaceHold: _JOIN,
        r.LiftHold: _JOIN,
        g.ContainerArrived: (r.ArrivalRecorded, *_JOIN),
        g.ContainerArrivalRetracted: (r.ArrivalRetracted, *_JOIN),
        g.GoodsTransferred: _JOIN,
        g.TransferRetracted: _JOIN,
        g.ConsignmentGatedOut: _JOIN,
        g.ConsignmentLeftUnreleased: _JOIN,
        g.DepartureRetracted: _JOIN,
        DeadlinePassed: _JOIN,
        r.RetractLift: (r.LiftRetracted, *_JOIN),
        r.RetractArrival: (r.ArrivalRetracted, *_JOIN),
        r.PlaceWatch: (r.WatchPlaced, RequestRefused),
        r.LiftWatch: (r.WatchLifted, RequestRefused),
    },
    "gate": {
        r.ContainerHeld: _GATE,
        r.ContainerFreed: _GATE,
        g.RecordGateOut: (g.EquipmentEventRecorded, *_GATE, RequestRefused),
        g.RecordEquipmentEvent: (g.EquipmentEventRecorded, *_GATE, RequestRefused),
        g.RetractEquipmentEvent: (g.EquipmentEventRetracted, *_GATE, RequestRefused),
        g.RecordContainerFinding: (g.ContainerFindingRecorded, *_GATE, RequestRefused),
        g.RetractContainerFinding: (g.ContainerFindingRetracted, *_GATE, RequestRefused),
        g.StrikeLot: (g.LotStruck, *_GATE, RequestRefused),
        g.RetractStrike: (*_GATE, RequestRefused),
        g.PermitExit: (g.ExitPermitted, *_GATE, RequestRefused),
        g.PlaceContainerHold: (g.ContainerHoldPlaced, *_GATE, RequestRefused),
        g.LiftContainerHold: (g.ContainerHoldLifted, *_GATE, RequestRefused),
    },
    "clearance": {
        d.DeclarationAccepted: (),
        d.DeclarationRejected: (),
        k.ConsignmentAssessed: (),
        i.InspectionOrdered: (),
        i.InspectionPassed: (),
        i.InspectionFailed: (),
        i.PestIntercepted: (),
        i.FindingsRetracted: (),
        q.TreatmentOrdered: (),
        q.TreatmentVerified: (),
        q.TreatmentAbandoned: (),
        q.TreatmentReferred: (),
        q.TreatmentRetracted: (),
        q.TreatmentDecisionRetracted: (),
        q.TreatmentWaived: (),
        q.QuarantineRefused: (),
        r.ArrivalRecorded: (),
        r.ArrivalRetracted: (),
        r.ReleaseGranted: (),
        r.ReleaseRefused: (),
        r.ReleaseRevoked: (),
        r.RefusalRevoked: (),
        r.LiftRetracted: (),
        r.DeclarationWithdrawn: (),
        g.ConsignmentGatedOut: (),
        g.ConsignmentLeftUnreleased: (),
        g.DepartureRetracted: (),
    },
}
"""Service → message that it reads → messages that it may publish because of it. Each desk has a row, and so has
`clearance`. `clearance` is no desk: it only measures and publishes nothing, so the
tuples of its row are empty."""

HOLDING: dict[str, tuple[type[Message], ...]] = {
    "declaration": (),
    "risk": (),
    "inspection": (),
    "quarantine": (),
    "release": (
        i.InspectionFailed,
        i.PestIntercepted,
        i.FindingsRetracted,
        q.TreatmentRetracted,
        q.TreatmentDecisionRetracted,
        r.PlaceHold,
        r.RetractLift,
        r.RetractArrival,
        r.PlaceWatch,
        g.ConsignmentLeftUnreleased,
    ),
    "gate": (r.ContainerHeld, g.PlaceContainerHold),
    "clearance": (),
}
"""Desk → messages that can only hold goods or call a release back. They are never parked behind another message, but decided at
once.

A revocation reaches the gate desk as `ContainerHeld`. `WithdrawalRequested` is not one of these messages, because it ends a
declaration and frees its containers.
"""


REFUSALS: dict[str, tuple[str, ...]] = {"declaration": ("release",)}
"""Desk → the other desks whose refusals it reads. Every desk publishes `RequestRefused`, so this kind alone does not say which
topics a desk must read."""


def heard_topics(service: str) -> tuple[str, ...]:
    """Returns the names of the topics with the messages that `service` reads."""
    kinds = set(FLOW[service]) - {DeadlinePassed, RequestRefused}
    refusing = REFUSALS.get(service, ())
    return tuple(
        t.name
        for t in FACTS_AND_REQUESTS
        if kinds & set(t.carries) or (t.writer in refusing and RequestRefused in t.carries)
    )
