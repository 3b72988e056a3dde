"""Which requests and facts are there about a consignment? No desk runs: the tests themselves write these messages to
the real topics."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from confluent_kafka import Message as Delivered

from schemas.declaration import (
    Declaration,
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationPassedOn,
    DeclarationRejected,
    DeclarationWaits,
    DeclaredContainer,
    Finding,
    Item,
    LodgeDeclaration,
)
from schemas.envelope import Deadline, Message, Request, RequestRefused, deadline_id, fact_id, request_id
from schemas.gate import (
    ConsignmentGatedOut,
    ContainerGatedOut,
    ContainerMayLeave,
    EquipmentEventRecorded,
    GateAlarmRaised,
    VisitOpened,
)
from schemas.inspection import (
    FindingsRetracted,
    InspectionFailed,
    InspectionOrdered,
    InspectionPassed,
    PestIntercepted,
    RectificationOverdue,
    RectificationRequested,
)
from schemas.marks import Audience
from schemas.outside import hidden
from schemas.parking import deadline_origin
from schemas.quarantine import TreatmentOrdered, TreatmentReferred, TreatmentVerified, TreatmentWaived
from schemas.release import (
    ArrivalRecorded,
    ArrivalRetracted,
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    DeclarationWithdrawn,
    Hold,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
)
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw, FiredRule
from schemas.topics import KINDS, PORT_FACTS, PORT_WRITERS, parked_topic, requests_topic, topic_of
from schemas.vocabulary import (
    ControlKind,
    CreditGrade,
    Direction,
    GoodsClass,
    Lane,
    Owner,
    Severity,
    TreatmentMethod,
    consignment_id,
)
from services.shell import clients
from services.shell.access import access_to
from services.shell.codec import encode, headers

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DECLARANT = "91370200163562681G"
CONSIGNEE = "91370211264574251B"


@dataclass(frozen=True)
class PublishedMessage:
    """One message for a topic. `sequence`: the number of this fact among the facts of its desk with its key, from 1; 0
    for a request."""

    topic: str
    key: str
    value: bytes
    id: str
    kind: str
    cause: str
    sequence: int
    at: datetime
    of: str = ""
    """If this message is a copy for ports: the topic of the fact that was copied; otherwise empty."""

    def headers(self) -> Any:
        desk = (self.of or self.topic).split("-")[1]
        return headers(
            id=self.id,
            kind=self.kind,
            source="/tests/border" if self.topic.endswith("-requests") else f"/desks/{desk}",
            time=self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            subject=self.key,
            cause=self.cause,
            correlation=self.cause,
            sequence=self.sequence,
            trace=b"",
        )


def declaration(
    reference: str, containers: Iterable[str] = ("CSQU3054383",), lines: int = 3, **changed: Any
) -> Declaration:
    """A declaration that the declaration desk accepts."""
    items = tuple(
        Item(
            hs_code="4407110000",
            description=f"Sawn pine, line {line}",
            origin_country="RU",
            quantity=Decimal("12.5"),
            unit="033",
            net_mass_kg=Decimal(6250),
            unit_price=Decimal(180),
            total_price=Decimal(2250),
            currency="USD",
        )
        for line in range(1, lines + 1)
    )
    fields: dict[str, Any] = {
        "reference": reference,
        "declarant": DECLARANT,
        "consignee": CONSIGNEE,
        "direction": Direction.IMPORT,
        "customs_office": "4227",
        "trade_mode": "0110",
        "transport_mode": "2",
        "conveyance": "COSCO QINGDAO/041E",
        "bill_no": "COSU6282910",
        "departure_country": "RU",
        "destination_country": "CN",
        "goods_place": "Qingdao Qianwan yard 3",
        "packages": 120,
        "package_kind": "22",
        "wood_packaging": False,
        "gross_mass_kg": Decimal(19000),
        "net_mass_kg": Decimal(6250 * lines),
        "invoice_total": Decimal(2250 * lines),
        "currency": "USD",
        "containers": tuple(DeclaredContainer(container_no=c, seal_no="CN88213") for c in containers),
        "items": items,
    }
    return Declaration(**{**fields, **changed})


@dataclass
class Border:
    """The story of one consignment: `messages` has all messages about the consignment, in the order of writing."""

    reference: str
    containers: tuple[str, ...] = ("CSQU3054383",)
    start: datetime = NOON
    lines: int = 3
    messages: list[PublishedMessage] = field(default_factory=list)
    _minutes: int = 0
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _version: int = 0
    earlier: str = ""

    def __post_init__(self) -> None:
        self.declaration = declaration(self.reference, self.containers, self.lines)
        self.id = consignment_id(self.declaration.declarant, self.reference)
        self.number = f"422720261{int(self.id[:7], 16):09d}"

    @property
    def at(self) -> datetime:
        return self.start + timedelta(minutes=self._minutes)

    def _say(self, writer: str, message: Message) -> PublishedMessage:
        self._minutes += 1
        cause = self.messages[-1].id if self.messages else f"{self.id}/{self.start.isoformat()}"
        if isinstance(message, Request):
            id_, sequence = request_id(message.asked_by, f"{self.reference}/{len(self.messages)}"), 0
        else:
            sequence = self._counts[writer, message.key] = self._counts.get((writer, message.key), 0) + 1
            id_ = fact_id(writer, cause, 0)
        published = PublishedMessage(
            topic_of(writer, type(message)), message.key, encode(message), id_, message.kind, cause, sequence, self.at
        )
        self.messages.append(published)
        return published

    def _goods(self) -> dict[str, Any]:
        return {"consignment_id": self.id, "occurred_at": self.at}

    def lodged(self, **changed: Any) -> "Border":
        """Adds a lodgement. `changed`: fields of the declaration that get other values than before; the reference stays
        the same."""
        if changed:
            self.declaration = declaration(self.reference, self.containers, self.lines, **changed)
        self._say("anyone", LodgeDeclaration(**self._goods(), asked_by="broker-1", declaration=self.declaration))
        return self

    def accepted(self) -> "Border":
        fact = DeclarationAccepted(
            **self._goods(),
            declaration_no=self.number,
            declaration=self.declaration,
            number=2 if self.earlier else 1,
            earlier=self.earlier,
        )
        self._say("declaration", fact)
        return self

    def rejected(self) -> "Border":
        finding = Finding(pointer="/items/0/hs_code", code="hs_code_unknown", severity=Severity.ERROR, seen="0000")
        self._say(
            "declaration", DeclarationRejected(**self._goods(), declaration=self.declaration, findings=(finding,))
        )
        return self

    def refused_request(
        self, kind: str = "RecordFindings", code: str = "not_ordered", desk: str = "inspection"
    ) -> "Border":
        request = self.messages[-1].id if self.messages else "unasked"
        fact = RequestRefused(
            occurred_at=self.at, subject=self.id, request_id=request, request_kind=kind, code=code, reason="not ordered"
        )
        self._say(desk, fact)
        return self

    def withdrawn(self) -> "Border":
        self._version += 1
        self._say(
            "release",
            DeclarationWithdrawn(
                **self._goods(), version=self._version, request_id="w-1", reason="the sale was called off"
            ),
        )
        return self

    def waits(self, request: str) -> "Border":
        """Adds the fact that the lodgement of this request waits until a withdrawal is answered."""
        self._say(
            "declaration",
            DeclarationWaits(
                **self._goods(), request_id=request, declaration=self.declaration, withdrawal="w-1", serial=7
            ),
        )
        return self

    def lodged_again(self, request: str = "") -> "Border":
        """Adds the facts by which the lodgement is passed on to the next consignment after a withdrawal. All later
        messages are about the next consignment.

        `request`: the id of the request that lodged the declaration again; by default the id of the last message in
        `messages`.
        """
        request, later = request or self.messages[-1].id, consignment_id(DECLARANT, self.reference, 2)
        passed_on = DeclarationPassedOn(**self._goods(), request_id=request, later=later)
        again = DeclarationLodgedAgain(
            **self._goods(), later=later, number=2, request_id=request, serial=7, declaration=self.declaration
        )
        cause = self.messages[-1].id
        for index, fact in enumerate((passed_on, again)):
            published = self._say("declaration", fact)
            self.messages[-1] = replace(published, id=fact_id("declaration", cause, index), cause=cause)
        self.earlier, self.id = self.id, later
        return self

    def assessed(self, *controls: ControlKind, draw_key: str = "") -> "Border":
        lane = Lane.RED if ControlKind.INSPECTION in controls else Lane.YELLOW if controls else Lane.GREEN
        rules = tuple(FiredRule(rule="wood_packaging", controls=(c,), seen="hs 4407, origin RU") for c in controls)
        self._say(
            "risk",
            ConsignmentAssessed(
                **self._goods(),
                declaration_no=self.number,
                direction=Direction.IMPORT,
                customs_office="4227",
                transport_mode="2",
                bill_no="COSU6282910",
                containers=tuple(BoundContainer(container_no=c) for c in self.containers),
                lane=lane,
                controls=controls,
                credit_grade=CreditGrade.REGULAR,
                rule_set="2026-11-01",
                rules=rules,
                draw=Draw(value=Decimal("0.731"), rate=Decimal("0.0244"), selected=False, key_id=draw_key),
            ),
        )
        return self

    def held(self, *hold_ids: str, owner: Owner | None = None) -> "Border":
        """Adds the facts with which the release desk holds the goods. `owner`: whose move it is; by default, the usual
        owner of each hold."""
        self._version += 1
        holds = tuple(
            Hold(
                hold_id=h,
                owner=owner or _owner(h),
                reason=_REASONS.get(h, "held"),
                since=self.at,
                lifted_by=_lifted_by(h),
            )
            for h in hold_ids
        )
        self._say("release", ConsignmentHeld(**self._goods(), version=self._version, holds=holds))
        for c in self.containers:
            self._say(
                "release",
                ContainerHeld(
                    container_no=c,
                    occurred_at=self.at,
                    consignment_id=self.id,
                    shared_by=1,
                    version=self._version,
                    reason="not released yet",
                ),
            )
        return self

    def arrived(self) -> "Border":
        self._say("release", ArrivalRecorded(**self._goods(), place="Qingdao Qianwan", reported_by="terminal-1"))
        return self

    def arrival_reported(self, *containers: str) -> "Border":
        """Adds a carrier's report of the arrival, and the release desk's fact that records it."""
        fields = {**self._goods(), "place": "Qingdao Qianwan", "containers": containers}
        self._say("anyone", ReportArrival(**fields, asked_by="carrier-1"))
        self._say("release", ArrivalRecorded(**fields, reported_by="carrier-1", reported_for="carrier-1"))
        return self

    def arrival_retracted(self, wrong: str, *left: str) -> "Border":
        """Adds the retraction of an arrival. `wrong`: the id of the wrong report; `left`: the containers that still
        count as arrived."""
        since = self.at if left else None
        self._say(
            "release",
            ArrivalRetracted(
                **self._goods(),
                wrong=wrong,
                reason="another voyage",
                retracted_by="carrier-1",
                containers=left,
                arrived_at=since,
                first_arrived_at=since,
            ),
        )
        return self

    def ordered(self, control: ControlKind = ControlKind.INSPECTION) -> "Border":
        due = self.at + timedelta(hours=48)
        self._say("inspection", InspectionOrdered(**self._goods(), control=control, customs_office="4227", due=due))
        return self

    def passed(self, control: ControlKind = ControlKind.INSPECTION) -> "Border":
        self._say(
            "inspection", InspectionPassed(**self._goods(), control=control, officer="officer-7", remarks="seal intact")
        )
        return self

    def failed(self) -> "Border":
        self._say(
            "inspection",
            InspectionFailed(
                **self._goods(), control=ControlKind.INSPECTION, officer="officer-7", reason="undeclared goods"
            ),
        )
        return self

    def retracted(self) -> "Border":
        fact = FindingsRetracted(
            **self._goods(),
            control=ControlKind.INSPECTION,
            wrong="r1",
            officer="officer-8",
            reason="another lot was opened",
            due=self.at + timedelta(hours=48),
            revision=1,
        )
        self._say("inspection", fact)
        return self

    def to_be_put_right(self) -> "Border":
        fact = RectificationRequested(
            **self._goods(),
            control=ControlKind.DOCUMENTS,
            officer="officer-7",
            reason="the invoice is missing",
            due=self.at + timedelta(days=14),
        )
        self._say("inspection", fact)
        return self

    def not_put_right(self) -> "Border":
        fact = RectificationOverdue(
            **self._goods(), control=ControlKind.DOCUMENTS, since=self.at - timedelta(days=14), due=self.at
        )
        self._say("inspection", fact)
        return self

    def pest(self, name: str = "Bursaphelenchus xylophilus") -> "Border":
        self._say(
            "inspection",
            PestIntercepted(**self._goods(), control=ControlKind.INSPECTION, officer="officer-7", pest=name),
        )
        return self

    def treatment_ordered(self) -> "Border":
        self._say(
            "quarantine",
            TreatmentOrdered(
                **self._goods(),
                origin="inspection",
                attempt=1,
                methods=(TreatmentMethod.METHYL_BROMIDE, TreatmentMethod.HEAT),
                pest="Bursaphelenchus xylophilus",
                due=self.at + timedelta(days=3),
            ),
        )
        return self

    def treatment_referred(self) -> "Border":
        self._say(
            "quarantine",
            TreatmentReferred(
                **self._goods(),
                origin="risk",
                goods=(GoodsClass.LIVE, GoodsClass.OTHER),
                pest="",
                due=self.at + timedelta(days=3),
            ),
        )
        return self

    def treatment_waived(self) -> "Border":
        self._say(
            "quarantine",
            TreatmentWaived(**self._goods(), origin="risk", officer="officer-7", reason="healthy after isolation"),
        )
        return self

    def treated(self) -> "Border":
        self._say(
            "quarantine",
            TreatmentVerified(
                **self._goods(),
                origin="inspection",
                attempt=1,
                method=TreatmentMethod.HEAT,
                schedule="HT-ISPM15-56C-30min",
                unit="unit-3",
            ),
        )
        return self

    def released(self) -> "Border":
        self._version += 1
        self._say("release", self._grant())
        for c in self.containers:
            freed: dict[str, Any] = {
                "container_no": c,
                "occurred_at": self.at,
                "consignment_id": self.id,
                "shared_by": 1,
                "version": self._version,
            }
            if "released" in ContainerFreed.model_fields:
                freed["released"] = True
            self._say("release", ContainerFreed(**freed))
        return self

    def may_leave(self) -> "Border":
        for c in self.containers:
            leave = ContainerMayLeave(container_no=c, occurred_at=self.at, version=1, consignments=(self.id,))
            self._say("gate", leave)
        return self

    def gated_out(self) -> "Border":
        for c in self.containers:
            out = ContainerGatedOut(container_no=c, occurred_at=self.at, gate="G2", consignments=(self.id,))
            self._say("gate", out)
            self._say("gate", ConsignmentGatedOut(**self._goods(), container_no=c, released=True))
        return self

    def alarm(self) -> "Border":
        for c in self.containers:
            fact = GateAlarmRaised(
                container_no=c, occurred_at=self.at, gate="G2", waiting_for=(self.id,), reason="left without release"
            )
            self._say("gate", fact)
        return self

    def gate_says(self, kind: type[Message], container: str = "", **fields: Any) -> "Border":
        """Adds a fact of the gate desk about a container (by default the first one of the goods), or about the goods in
        it."""
        number = container or self.containers[0]
        about = {"consignment_id": self.id} if topic_of("gate", kind) == "customs-gate-departures" else {}
        self._say("gate", kind(**{"container_no": number, "occurred_at": self.at, **about, **fields}))
        return self

    def reported(self, event: str, container: str = "", **fields: Any) -> "Border":
        """Adds the fact with which the gate desk records a report of this event."""
        defaults = {
            "report_id": f"report-{len(self.messages)}",
            "classifier": "ACT",
            "place": "Qianwan 3",
            "laden": True,
        }
        empty = dict.fromkeys(("conveyance", "bill", "to", "replaces", "retells", "visit"), "")
        return self.gate_says(
            EquipmentEventRecorded, container, event=event, reported_by="terminal-1", **{**defaults, **empty, **fields}
        )

    def opened(self, visit: str = "visit-1", container: str = "") -> "Border":
        """Adds a discharge, which opens a visit."""
        self.reported("DISC", container, visit=visit)
        return self.gate_says(
            VisitOpened, container, visit=visit, place="Qianwan 3", conveyance="COSCO QINGDAO/041E", laden=True
        )

    def partly_released(self, *boxes: str, holds: tuple[str, ...] = ("arrival",)) -> "Border":
        """Adds the release of the goods in these containers; the goods in the other containers wait."""
        self._version += 1
        open_holds = tuple(
            Hold(hold_id=h, owner=_owner(h), reason=_REASONS.get(h, "held"), since=self.at, lifted_by=_lifted_by(h))
            for h in holds
        )
        self._say("release", self._grant().model_copy(update={"containers": boxes, "holds": open_holds}))
        return self

    def _grant(self) -> ReleaseGranted:
        return ReleaseGranted(
            **self._goods(),
            version=self._version,
            declaration_no=self.number,
            direction=Direction.IMPORT,
            customs_office="4227",
            transport_mode="2",
            bill_no="COSU6282910",
            containers=self.containers,
            lane=Lane.GREEN,
            arrived_at=self.at,
            answers={"arrival": "ArrivalRecorded"},
        )

    def revoked(self) -> "Border":
        self._version += 1
        fact = ReleaseRevoked(
            **self._goods(), version=self._version, containers=self.containers, reason="seal number differs"
        )
        self._say("release", fact)
        return self

    def refused(self) -> "Border":
        self._version += 1
        self._say(
            "release",
            ReleaseRefused(
                **self._goods(),
                version=self._version,
                declaration_no=self.number,
                cause="inspection/inspection",
                reason="undeclared goods",
            ),
        )
        return self

    def refusal_revoked(self) -> "Border":
        self._version += 1
        self._say("release", RefusalRevoked(**self._goods(), version=self._version, reason="it no longer stands"))
        return self

    def parked(self, service: str = "release", offset: int = 7) -> "Border":
        return self._parking("MessageParked", service, offset, {"reason": "decide_raised", "error": "ValueError: bad"})

    def parked_limit(self, name: str) -> "Border":
        """Adds a parked time limit of the release desk. A time limit has no position in a topic, so each gets an origin
        of its own."""
        origin = deadline_origin(deadline_id("release", self.id, Deadline(name, self.at)), 0)
        reason = {"reason": "decide_raised", "error": "ValueError: bad"}
        return self._parking("MessageParked", "release", 0, reason, origin.topic)

    def unparked(self, service: str = "release", offset: int = 7, kind: str = "ParkedReplayed") -> "Border":
        return self._parking(kind, service, offset, {"ordered_by": "operator-1"})

    def _parking(
        self, kind: str, service: str, offset: int, more: dict[str, Any], topic: str | None = None
    ) -> "Border":
        self._minutes += 1
        time = self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        parked_kind = "LodgeDeclaration" if service == "declaration" else "ReportArrival"
        if kind == "MessageParked":
            more |= {"headers": {"ce_type": "DeadlinePassed" if topic else parked_kind}, "value_base64": "e30="}
        else:
            more |= {"message_kind": parked_kind}
        body = {
            "service": service,
            "topic": topic or requests_topic(service),
            "partition": 0,
            "offset": offset,
            "subject": self.id,
            "occurred_at": time,
            **more,
        }
        cause = f"{service}/{offset}"
        self.messages.append(
            PublishedMessage(
                parked_topic(service),
                self.id,
                orjson.dumps(body),
                fact_id(service, f"{kind}/{cause}/{len(self.messages)}", 0),
                kind,
                cause,
                0,
                self.at,
            )
        )
        return self


def green(reference: str, containers: tuple[str, ...] = ("CSQU3054383",), **how: Any) -> Border:
    """A story of goods that are lodged, accepted, assigned to the green lane, arrived, released and gated out."""
    consignment = Border(reference, containers, **how).lodged().accepted().assessed().held("arrival")
    return consignment.arrived().released().may_leave().gated_out()


def red(reference: str, containers: tuple[str, ...] = ("MSKU6011672",), **how: Any) -> Border:
    """A story of goods in which a living pest is found; they are treated and released."""
    consignment = (
        Border(reference, containers, **how).lodged().accepted().assessed(ControlKind.INSPECTION, ControlKind.DOCUMENTS)
    )
    consignment.held("arrival", "inspection/documents", "inspection/inspection").ordered(
        ControlKind.DOCUMENTS
    ).ordered()
    consignment.arrived().passed(ControlKind.DOCUMENTS).pest().treatment_ordered()
    return consignment.held("quarantine/inspection").treated().released().may_leave()


def copies(messages: Iterable[PublishedMessage], former: bool = False) -> list[PublishedMessage]:
    """Returns these messages, each followed by its redacted copy for ports if there is one, as the desks write them.
    With `former`, there are no copies, because desks of the previous software version wrote none."""
    return [each for one in messages for each in (one, *([] if former else _for_ports(one)))]


def _for_ports(one: PublishedMessage) -> list[PublishedMessage]:
    """Returns a list with the redacted copy of the message, or an empty list if ports get no copy of it. A message that
    cannot be read is copied unchanged, so that a test sees what a port does with such a message."""
    if PORT_WRITERS.get(one.kind) != one.topic.split("-")[1] or one.kind == RequestRefused.kind:
        return []
    try:
        body = orjson.loads(one.value)
    except orjson.JSONDecodeError:
        return [replace(one, topic=PORT_FACTS, of=one.topic)]
    left_out = hidden(KINDS[one.kind], Audience.PORT)
    for hold in body.get("holds", ()):
        for name in left_out.get("holds", {}).get("__all__", ()):
            hold.pop(name, None)  # facts of older software versions may lack this field
    outside = {name: value for name, value in body.items() if left_out.get(name) is not True}
    return [replace(one, topic=PORT_FACTS, of=one.topic, value=orjson.dumps(outside))]


def publish(bootstrap: str, messages: Iterable[PublishedMessage], former: bool = False) -> None:
    """Writes these messages and their copies for ports, each topic in the given order, and waits until the broker has
    acknowledged them. `former`: as in `copies`."""
    producer = clients.producer(access_to(bootstrap), {"acks": "all", "enable.idempotence": True})
    failed: list[Any] = []

    def delivered(error: Any, _: Delivered) -> None:
        if error is not None:
            failed.append(error)

    for number, one in enumerate(copies(messages, former)):
        producer.produce(one.topic, key=one.key, value=one.value, headers=one.headers(), on_delivery=delivered)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0 and not failed, failed


def _owner(hold_id: str) -> Owner:
    kind = hold_id.split("/", maxsplit=1)[0]
    owners = {
        "arrival": Owner.CARRIER,
        "assessment": Owner.RISK,
        "officer": Owner.OFFICER,
        "gate": Owner.OFFICER,
        "inspection": Owner.INSPECTION,
    }
    return owners.get(kind, Owner.QUARANTINE)


def _lifted_by(hold_id: str) -> str:
    kinds = {"arrival": "ArrivalRecorded", "officer": "LiftHold", "inspection": "InspectionPassed"}
    return kinds.get(hold_id.split("/", maxsplit=1)[0], "TreatmentVerified")


_REASONS = {"arrival": "the goods have not arrived", "quarantine/inspection": "living pest: Bursaphelenchus xylophilus"}
