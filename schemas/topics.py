"""Which topics are there, which messages does each carry, and who writes it?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from schemas import declaration as d
from schemas import gate as g
from schemas import inspection as i
from schemas import parking as p
from schemas import quarantine as q
from schemas import release as r
from schemas import risk as k
from schemas.envelope import Message, RequestRefused
from schemas.marks import Audience
from schemas.outside import forms_for

DESKS = ("declaration", "risk", "inspection", "quarantine", "release", "gate")
"""The services that decide about goods, in the order of the flow."""
SERVICES = (*DESKS, "clearance")
"""The services that run the loop: the desks and `clearance`."""

Retention = Literal["forever", "compact"]
Role = Literal["facts", "requests", "state", "parked", "orders", "port"]
"""The use of a topic. `orders`: for operators' orders about parked messages; the names of these topics end in `-resumed`, an older word.
`port`: for redacted copies of facts, which ports read."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `writer`: the service that writes the topic; `anyone` for requests and orders. `key`: what the Kafka
    key identifies. `second`: a second desk that writes the topic. Only the topic for ports has one; ADR 22 says why.

    A fact that answers a request has the key of the request. So on `customs-release-facts`, facts about watches have
    the key of a partition.
    """

    name: str
    role: Role
    writer: str
    carries: tuple[type[Message], ...]
    key: Literal["consignment", "container", "partition", "consignment or container"] = "consignment"
    retention: Retention = "forever"
    begins: Literal["first", "next"] = "first"
    """From which message on a desk reads a topic that it has never read: from the first message of the topic, or only from the next
    one."""
    second: str = ""

    @property
    def writers(self) -> tuple[str, ...]:
        """Returns the services that may write this topic; for requests and orders only the word `anyone`. The broker
        gives no other program the right to write a topic of a service. `schemas.rights` says who may write requests and
        orders."""
        return (self.writer, self.second) if self.second else (self.writer,)


def facts_topic(service: str) -> str:
    """Returns the name of the topic with the facts that `service` publishes."""
    return f"customs-{service}-facts"


def requests_topic(service: str) -> str:
    """Returns the name of the topic with the requests to `service`."""
    return f"customs-{service}-requests"


def state_topic(service: str) -> str:
    """Returns the name of the topic with the newest record of each key that `service` keeps."""
    return f"customs-{service}-state"


def parked_topic(service: str) -> str:
    """Returns the name of the topic with the messages that `service` could not decide, and with the facts about their replay or
    discard."""
    return f"customs-{service}-parked"


def orders_topic(service: str) -> str:
    """Returns the name of the topic with operators' orders to `service` about its parked messages."""
    return f"customs-{service}-resumed"


FACTS_AND_REQUESTS = (
    Topic(requests_topic("declaration"), "requests", "anyone", (d.LodgeDeclaration, d.WithdrawDeclaration)),
    Topic(
        facts_topic("declaration"),
        "facts",
        "declaration",
        (
            d.DeclarationAccepted,
            d.DeclarationRejected,
            d.DeclarationRepeated,
            d.DeclarationWaits,
            d.DeclarationPassedOn,
            d.WithdrawalRequested,
            RequestRefused,
        ),
    ),
    Topic("customs-declaration-successors", "facts", "declaration", (d.DeclarationLodgedAgain,)),
    Topic(facts_topic("risk"), "facts", "risk", (k.ConsignmentAssessed,)),
    Topic(requests_topic("inspection"), "requests", "anyone", (i.RecordFindings, i.CorrectFindings, i.RetractFindings)),
    Topic(
        facts_topic("inspection"),
        "facts",
        "inspection",
        (
            i.InspectionOrdered,
            i.InspectionPassed,
            i.InspectionFailed,
            i.PestIntercepted,
            i.InspectionOverdue,
            i.InspectionCancelled,
            i.RectificationRequested,
            i.RectificationOverdue,
            i.FindingsRetracted,
            RequestRefused,
        ),
    ),
    Topic(
        requests_topic("quarantine"),
        "requests",
        "anyone",
        (q.RecordTreatment, q.DecideTreatment, q.CorrectTreatment, q.RetractTreatment, q.RetractTreatmentDecision),
    ),
    Topic(
        facts_topic("quarantine"),
        "facts",
        "quarantine",
        (
            q.TreatmentOrdered,
            q.TreatmentVerified,
            q.TreatmentFailed,
            q.TreatmentAbandoned,
            q.TreatmentOverdue,
            q.TreatmentCancelled,
            q.TreatmentReferred,
            q.TreatmentRetracted,
            q.TreatmentDecisionRetracted,
            q.TreatmentWaived,
            q.QuarantineRefused,
            RequestRefused,
        ),
    ),
    Topic(
        requests_topic("release"),
        "requests",
        "anyone",
        (r.ReportArrival, r.RetractArrival, r.PlaceHold, r.LiftHold, r.RetractLift),
    ),
    Topic("customs-release-watches", "requests", "anyone", (r.PlaceWatch, r.LiftWatch), key="partition"),
    Topic(
        facts_topic("release"),
        "facts",
        "release",
        (
            r.ArrivalRecorded,
            r.ArrivalRetracted,
            r.ConsignmentHeld,
            r.ReleaseGranted,
            r.ReleaseRefused,
            r.ReleaseRevoked,
            r.RefusalRevoked,
            r.LiftRetracted,
            r.DeclarationWithdrawn,
            r.WatchPlaced,
            r.WatchLifted,
            RequestRefused,
        ),
    ),
    Topic("customs-release-containers", "facts", "release", (r.ContainerHeld, r.ContainerFreed), key="container"),
    Topic(
        requests_topic("gate"),
        "requests",
        "anyone",
        (
            g.RecordGateOut,
            g.RecordEquipmentEvent,
            g.RetractEquipmentEvent,
            g.RecordContainerFinding,
            g.RetractContainerFinding,
            g.StrikeLot,
            g.RetractStrike,
            g.PermitExit,
            g.PlaceContainerHold,
            g.LiftContainerHold,
        ),
        key="container",
    ),
    Topic(
        facts_topic("gate"),
        "facts",
        "gate",
        (
            g.ContainerMayLeave,
            g.ContainerMustStay,
            g.ContainerGatedOut,
            g.GateAlarmRaised,
            g.EquipmentEventRecorded,
            g.EquipmentEventRetracted,
            g.ContainerFindingRecorded,
            g.ContainerFindingRetracted,
            g.LotStruck,
            g.StrikeRetracted,
            g.ExitPermitted,
            g.ContainerHoldPlaced,
            g.ContainerHoldLifted,
            g.VisitOpened,
            g.VisitClosed,
            RequestRefused,
        ),
        key="container",
    ),
    Topic(
        "customs-gate-departures",
        "facts",
        "gate",
        (
            g.ContainerArrived,
            g.ContainerArrivalRetracted,
            g.GoodsTransferred,
            g.TransferRetracted,
            g.ConsignmentGatedOut,
            g.ConsignmentLeftUnreleased,
            g.DepartureRetracted,
            g.SameGoodsDeclared,
        ),
    ),
)


PORT_FACTS = "customs-port-facts"
"""The topic that ports read: redacted copies of facts of the release and gate desks, with the same keys and headers as the originals."""
FOR_PORTS: Mapping[str, tuple[type[Message], ...]] = {
    "release": (
        r.ConsignmentHeld,
        r.ReleaseGranted,
        r.ReleaseRefused,
        r.ReleaseRevoked,
        r.DeclarationWithdrawn,
    ),
    "gate": (
        g.ContainerMayLeave,
        g.ContainerMustStay,
        g.ContainerGatedOut,
        g.GateAlarmRaised,
        g.VisitOpened,
        g.VisitClosed,
        g.EquipmentEventRecorded,
        g.EquipmentEventRetracted,
        RequestRefused,
    ),
}
"""Desk → its facts of which ports get a copy. A refusal is copied only if it refuses a report of a terminal (`REPORTS`)."""
REPORTS = frozenset(kind.kind for kind in (g.RecordGateOut, g.RecordEquipmentEvent, g.RetractEquipmentEvent))
"""The kinds of requests in which a terminal reports something to the gate desk."""
PORT_FORMS = forms_for(Audience.PORT, *FOR_PORTS["release"], *FOR_PORTS["gate"])
"""Kind → its redacted form, as it is written on the ports' topic."""
PORT_WRITERS = {kind.kind: desk for desk, kinds in FOR_PORTS.items() for kind in kinds}
"""Kind → the one desk whose facts of this kind are copied to the ports' topic."""
FOR_THE_PORTS = Topic(
    PORT_FACTS, "port", "release", tuple(PORT_FORMS.values()), key="consignment or container", second="gate"
)


def is_for_ports(desk: str, fact: Message) -> bool:
    """Returns whether ports get a copy of this fact of `desk`."""
    if PORT_WRITERS.get(fact.kind) != desk:
        return False
    return not isinstance(fact, RequestRefused) or fact.request_kind in REPORTS


def _of_every_service(
    role: Role, name: Callable[[str], str], retention: Retention, *carries: type[Message]
) -> tuple[Topic, ...]:
    return tuple(
        Topic(
            name(service),
            role,
            "anyone" if role == "orders" else service,
            carries,
            "container" if service == "gate" else "consignment",
            retention,
        )
        for service in SERVICES
    )


STATES = _of_every_service("state", state_topic, "compact")
PARKED = _of_every_service("parked", parked_topic, "forever", p.MessageParked, p.ParkedReplayed, p.ParkedDiscarded)
ORDERS = _of_every_service("orders", orders_topic, "forever", p.ReplayParked, p.DiscardParked)

CATALOGUE: tuple[Topic, ...] = (*FACTS_AND_REQUESTS, FOR_THE_PORTS, *STATES, *PARKED, *ORDERS)

ROLES: dict[str, Role] = {t.name: t.role for t in CATALOGUE}
"""Name of each topic → its role."""

BEGINS_AT_THE_END = frozenset(t.name for t in CATALOGUE if t.begins == "next")
"""The topics of which a desk reads only future messages if it has never read them before."""
KINDS: dict[str, type[Message]] = {m.kind: m for t in CATALOGUE if t.role != "port" for m in t.carries}
"""Name of each kind of message, as in the `ce_type` header → its class."""


def topic_of(writer: str, kind: type[Message]) -> str:
    """Returns the name of the topic on which `writer` (a desk, or `anyone` for requests) publishes messages of this kind. Raises KeyError
    if `writer` may not publish this kind."""
    return _TOPIC_OF[writer, kind.kind]


_TOPIC_OF = {(t.writer, m.kind): t.name for t in FACTS_AND_REQUESTS for m in t.carries}
