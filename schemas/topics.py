"""Which topics are there, what travels on each, and who alone writes it?"""

from dataclasses import dataclass
from typing import Literal

from schemas import declaration as d
from schemas import gate as g
from schemas import inspection as i
from schemas import quarantine as q
from schemas import release as r
from schemas import risk as k
from schemas.envelope import Message, RequestRefused

DESKS = ("declaration", "risk", "inspection", "quarantine", "release", "gate")
"""The services that decide, in the order of the flow."""
SERVICES = (*DESKS, "clearance")
"""The services that run the loop."""

Retention = Literal["forever", "compact"]


@dataclass(frozen=True, slots=True)
class Topic:
    """`writer`: the one desk that writes it (`anyone` for requests). `key`: what the Kafka key is."""

    name: str
    writer: str
    carries: tuple[type[Message], ...]
    key: Literal["consignment", "container"] = "consignment"
    retention: Retention = "forever"


FACTS_AND_REQUESTS = (
    Topic("customs-declaration-requests", "anyone", (d.LodgeDeclaration, d.WithdrawDeclaration)),
    Topic(
        "customs-declaration-facts",
        "declaration",
        (d.DeclarationAccepted, d.DeclarationRejected, d.WithdrawalRequested, RequestRefused),
    ),
    Topic("customs-risk-facts", "risk", (k.ConsignmentAssessed,)),
    Topic("customs-inspection-requests", "anyone", (i.RecordFindings,)),
    Topic(
        "customs-inspection-facts",
        "inspection",
        (
            i.InspectionOrdered,
            i.InspectionPassed,
            i.InspectionFailed,
            i.PestIntercepted,
            i.InspectionOverdue,
            i.InspectionCancelled,
            RequestRefused,
        ),
    ),
    Topic("customs-quarantine-requests", "anyone", (q.RecordTreatment,)),
    Topic(
        "customs-quarantine-facts",
        "quarantine",
        (
            q.TreatmentOrdered,
            q.TreatmentVerified,
            q.TreatmentFailed,
            q.TreatmentAbandoned,
            q.TreatmentOverdue,
            q.TreatmentCancelled,
            RequestRefused,
        ),
    ),
    Topic("customs-release-requests", "anyone", (r.ReportArrival, r.PlaceHold, r.LiftHold)),
    Topic(
        "customs-release-facts",
        "release",
        (
            r.ArrivalRecorded,
            r.ConsignmentHeld,
            r.ReleaseGranted,
            r.ReleaseRefused,
            r.ReleaseRevoked,
            r.DeclarationWithdrawn,
            RequestRefused,
        ),
    ),
    Topic("customs-release-containers", "release", (r.ContainerHeld, r.ContainerFreed), key="container"),
    Topic("customs-gate-requests", "anyone", (g.RecordGateOut,), key="container"),
    Topic(
        "customs-gate-facts",
        "gate",
        (g.ContainerMayLeave, g.ContainerMustStay, g.ContainerGatedOut, g.GateAlarmRaised, RequestRefused),
        key="container",
    ),
    Topic("customs-gate-departures", "gate", (g.ConsignmentGatedOut,)),
)
STATES = tuple(
    Topic(f"customs-{service}-state", service, (), "container" if service == "gate" else "consignment", "compact")
    for service in SERVICES
)
PARKED = tuple(
    Topic(f"customs-{service}-parked", service, (), "container" if service == "gate" else "consignment")
    for service in SERVICES
)
RESUMED = tuple(
    Topic(f"customs-{service}-resumed", "anyone", (), "container" if service == "gate" else "consignment")
    for service in SERVICES
)
"""Orders of operators about parked messages: release (replay) or discard, with the actor."""

CATALOGUE: tuple[Topic, ...] = (*FACTS_AND_REQUESTS, *STATES, *PARKED, *RESUMED)

KINDS: dict[str, type[Message]] = {m.kind: m for t in FACTS_AND_REQUESTS for m in t.carries}
"""Every kind of message, by the name in its `ce_type` header."""


def topic_of(writer: str, kind: type[Message]) -> str:
    """The topic on which `writer` (a desk, or `anyone` for requests) says messages of this kind; KeyError when it may not."""
    return _TOPIC_OF[writer, kind.kind]


_TOPIC_OF = {(t.writer, m.kind): t.name for t in FACTS_AND_REQUESTS for m in t.carries}
