"""Which messages are there on a day at the border? The simulator's people and the real desks run without a broker: with
the loop's real turns, topics in memory, one partition, and a clock that jumps from one request to the next."""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Request, request_id
from schemas.flow import heard_topics
from schemas.gate import PlaceContainerHold, RecordEquipmentEvent, RecordGateOut
from schemas.inspection import FindingsResult, RecordFindings, RetractFindings
from schemas.quarantine import CorrectTreatment, DecideTreatment, RecordTreatment, RetractTreatment, TreatmentOrdered
from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractLift
from schemas.topics import FACTS_AND_REQUESTS, KINDS, ROLES, SERVICES, orders_topic, parked_topic, topic_of
from schemas.vocabulary import ControlKind, EquipmentEvent, TreatmentDecision, TreatmentMethod, UnitClass
from services.risk.keys import PUBLISHED
from services.shell.codec import Raw, encode, request_headers
from services.shell.store import PartitionStore
from services.shell.turn import Turn
from services.simulator.acts import request_of
from services.simulator.day import Day
from services.simulator.people import People
from services.simulator.player import SENDER
from services.simulator.returning import Returning
from services.worker import desks
from tests.console.border import DECLARANT, PublishedMessage
from tests.shell.parking import Memory

START = datetime(2026, 11, 23, tzinfo=UTC)
RETENTION = timedelta(days=90)
STEP = timedelta(minutes=20)
LONGEST = timedelta(days=60)
NOBODY = "00000000-0000-5000-8000-000000000000"


@dataclass
class Simulated:
    """The topics of one day. `messages`: all messages in the order in which they were written."""

    consignments: int
    seed: int = 7
    messages: list[PublishedMessage] = field(default_factory=list)
    topics: dict[str, list[Raw]] = field(default_factory=lambda: defaultdict(list))
    typed: set[str] = field(default_factory=set)
    """Every text that a person wrote into a request."""

    def __post_init__(self) -> None:
        self.day = Day(self.seed, self.consignments, START)
        self._people, self._returning = People(self.day), Returning(self.day, 0)
        self._desks = {desk.name: desk for desk in desks(SERVICES, PUBLISHED)}
        self._stores = {name: PartitionStore() for name in self._desks}
        self._memories = {name: Memory() for name in self._desks}
        self._read: dict[tuple[str, str], int] = defaultdict(int)
        self._due: list[tuple[datetime, int, str, Request]] = []
        self._count = 0
        self._kinds: dict[str, int] = {}

    def play(self, indexes: Iterable[int] | None = None) -> None:
        """Plays all goods of the day, or only the goods with these indexes, until no person has anything left to do, or
        until the time limit `LONGEST`."""
        for index in range(self.consignments) if indexes is None else indexes:
            if (plan := self._returning.due(self.day.plan(index))) is not None:
                self._lodge(plan, plan.lodged_at)
        at = START
        while self._due and self._due[0][0] < START + LONGEST:
            at = max(at, self._due[0][0]) + STEP
            while self._due and self._due[0][0] <= at:
                _, _, name, request = heapq.heappop(self._due)
                self.ask(name, request, at)
            self.turn(at)
        # twenty days later, the time limits for everything that nobody has done are over
        self.turn(at + timedelta(days=20))

    def _lodge(self, plan: Any, at: datetime) -> None:
        request = LodgeDeclaration(
            consignment_id=plan.consignment_id,
            asked_by=plan.declaration.declarant,
            occurred_at=at,
            declaration=plan.declaration,
        )
        self._put(at, f"{plan.consignment_id}/lodge", request)
        if plan.intent.repeated:
            self._put(at, f"{plan.consignment_id}/again", request)

    def _put(self, at: datetime, name: str, request: Request) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, name, request))

    def ask(self, name: str, request: Request, at: datetime) -> None:
        """Sends a request. `name`: its idempotency key; requests with the same name get the same request id."""
        topic = topic_of("anyone", type(request))
        self.typed |= set(_texts(orjson.loads(encode(request))))
        headers = request_headers(request, request_id(SENDER, name), SENDER, at.isoformat())
        self.write(topic, request.key, encode(request), dict(headers), at)

    def write(self, topic: str, key: str, value: bytes | None, headers: dict[str, bytes], at: datetime) -> None:
        """Writes any message to this topic."""
        raw = Raw(topic, 0, len(self.topics[topic]), key.encode(), value, headers)
        self.topics[topic].append(raw)
        self.messages.append(
            PublishedMessage(
                topic,
                key,
                value or b"",
                raw.text("ce_id"),
                raw.text("ce_type"),
                raw.text("causationid"),
                int(raw.text("sequence") or 0),
                at,
            )
        )

    def turn(self, at: datetime) -> None:
        """Lets every desk read its messages, and the facts that follow from them, until there are no new ones."""
        busy = True
        while busy:
            busy = False
            for name in self._desks:
                busy = self._turn(name, at) or busy

    def _turn(self, name: str, at: datetime) -> bool:
        desk, store, memory = self._desks[name], self._stores[name], self._memories[name]
        turn = Turn(desk, 1, at, RETENTION, memory)
        fresh: list[Raw] = []
        for topic in (*heard_topics(name), orders_topic(name)):
            fresh += self.topics[topic][self._read[name, topic] :]
            self._read[name, topic] = len(self.topics[topic])
        memory.lay(*fresh)
        for message in fresh:
            turn.handle(store, message)
        turn.handle_deadlines(store, 0, store.due(at, 1000))
        for _, key, entry, data in turn.encode_changes():
            store.put(key, data, entry.record.due, entry.state)
        memory.commit(turn.outcome.outputs)
        for output in turn.outcome.outputs:
            if ROLES[output.topic] in ("facts", "requests", "parked"):
                self.write(output.topic, output.key, output.value, dict(output.headers), at)
                self._react(dict(output.headers)["ce_type"].decode(), output.key, output.value, at)
        return bool(fresh or turn.outcome.outputs)

    def _react(self, kind: str, key: str, value: bytes | None, at: datetime) -> None:
        if (plan := self._returning.due_after(kind, key)) is not None:
            self._lodge(plan, at)
        if kind not in KINDS:
            return
        fact: Any = KINDS[kind].read_stored(value or b"")
        for number, request in enumerate(self._mischief(kind, fact, at)):
            self._put(max(at, request.occurred_at), f"{key}/{kind}/{number}/{at.isoformat()}", request)
        for act in self._people.react(fact):
            moment = max(act.at, act.not_before or act.at, at)
            self._put(moment, act.name, request_of(act, SENDER, None))

    def _mischief(self, kind: str, fact: Any, at: datetime) -> list[Request]:
        """Returns the requests that people send because of this fact: people who make mistakes, and officers who hold
        goods. The list is empty for most facts."""
        count = self._kinds[kind] = self._kinds.get(kind, 0) + 1
        of: dict[str, Any] = {"asked_by": "officer-8", "occurred_at": at}
        goods = of | {"consignment_id": getattr(fact, "consignment_id", NOBODY)}
        if kind == "InspectionOrdered" and (count % 5 == 0 or fact.control is ControlKind.DOCUMENTS):
            remarks = ("", "发票与箱单不符")[count % 2]
            return [
                RecordFindings(**goods, control=fact.control, result=FindingsResult.NOT_CONFORM, remarks=remarks),
                RecordFindings(**goods, control=fact.control, result=FindingsResult.PEST),
            ]
        if kind == "TreatmentOrdered" and fact.attempt < 3:
            return [_weak(fact, at, number) for number in range(4)]
        if kind == "ReleaseGranted" and count % 90 == 0:
            return [PlaceHold(**goods, reason="举报线索")]
        if kind == "RectificationRequested" and count % 2:
            return [WithdrawDeclaration(**goods | {"asked_by": DECLARANT}, reason="合同取消")]
        if kind == "ContainerHeld" and count % 60 < 3:
            box = of | {"container_no": fact.container_no, "asked_by": "terminal-8"}
            fields: dict[str, Any] = {"place": "G7", "laden": True}
            left = RecordEquipmentEvent(**box, event=EquipmentEvent.GATED_OUT, **fields)
            held = PlaceContainerHold(**of | {"container_no": fact.container_no}, reason="封志破损")
            requests: list[Request] = [left, held, RecordGateOut(**box, gate="G7")]
            return requests[count % 60 : count % 60 + 1]
        return []


def _weak(order: TreatmentOrdered, at: datetime, number: int) -> RecordTreatment:
    """A treatment record that proves too little. `number` (0 to 3) chooses what is wrong with it."""
    rows: tuple[tuple[tuple[float, int], ...], ...] = (
        ((0, 20), (0.25, 57), (0.4, 58)),
        ((0, 20), (0, 21)),
        (),
        ((0, 200),),
    )
    at += timedelta(minutes=5)
    readings = [{"hours": h, "temperature_c": c, "place": "甲"} for h, c in rows[number]]
    return RecordTreatment.model_validate(
        {
            "consignment_id": order.consignment_id,
            "asked_by": "yard-8",
            "occurred_at": at + timedelta(hours=1),
            "origin": order.origin,
            "attempt": order.attempt,
            "method": order.methods[0].value,
            "unit_class": ("G", "B", "E", "E")[number],
            "started_at": at if number != 2 else at - timedelta(days=3),
            "residue_ppm": None if number else "9",
            "readings": readings,
        }
    )


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def full_day(consignments: int = 1500) -> Simulated:
    """A day with everything, including requests that desks refuse, and messages that cannot be decided."""
    day = Simulated(consignments)
    plans = [day.day.plan(index) for index in range(consignments)]
    for number, plan in enumerate(plans[:60:4]):
        _mistakes(day, plan.consignment_id, f"m{number}", plan.lodged_at + timedelta(hours=1 + number % 40))
    box = next(plan.declaration.containers[0].container_no for plan in plans if plan.declaration.containers)
    for number, event in enumerate((EquipmentEvent.GATED_OUT, EquipmentEvent.GATED_IN, EquipmentEvent.GATED_OUT)):
        report = RecordEquipmentEvent(
            container_no=box,
            asked_by="terminal-9",
            occurred_at=START + timedelta(hours=2 + number),
            event=event,
            place="G7",
            laden=number != 2,
        )
        day._put(report.occurred_at, f"smuggled-{number}", report)
    day.play()
    _garbage(day, [plan.consignment_id for plan in plans[100:140]])
    return day


def _mistakes(day: Simulated, key: str, name: str, at: datetime) -> None:
    """Sends several requests about the goods `key`. The desks refuse all or most of these requests."""
    of: dict[str, Any] = {"consignment_id": key, "asked_by": "officer-9", "occurred_at": at}
    record: dict[str, Any] = {
        "origin": "risk",
        "attempt": 3,
        "method": TreatmentMethod.HEAT,
        "unit_class": UnitClass.HEAT,
        "readings": (),
    }
    requests: tuple[Request, ...] = (
        LiftHold(**of, hold_id="officer/none", reason="误报"),
        LiftHold(**of, hold_id="arrival", reason="误报"),
        RetractLift(**of, wrong="nothing", reason="误报"),
        RetractFindings(**of, control=ControlKind.SAMPLING, wrong="nothing", reason="误报"),
        RecordTreatment(**of, **record),
        CorrectTreatment(**of, **record, wrong="nothing", reason="误报"),
        RetractTreatment(**of, origin="risk", wrong="nothing", reason="误报"),
        DecideTreatment(**of, origin="risk", decision=TreatmentDecision.CLEAR, reason="隔离合格"),
        ReportArrival(**of, place="前湾", containers=("TSTU0000013",)),
    )
    for number, request in enumerate(requests):
        day._put(at, f"{name}-{number}", request)


def _garbage(day: Simulated, keys: list[str]) -> None:
    """Writes messages that break the contract, have an unknown kind, or are on the wrong topic."""
    at = START + timedelta(days=30)
    broken = (
        ("RecordFindings", b'{"control": 7}'),
        ("NoSuchKind", b"{}"),
        ("PlaceHold", b"{}"),
        ("RecordFindings", None),
    )
    for number, key in enumerate(keys):
        kind, value = broken[number % len(broken)]
        headers = {"ce_id": f"garbage-{number}".encode(), "ce_type": kind.encode(), "ce_time": at.isoformat().encode()}
        day.write("customs-inspection-requests", key, value, headers, at)
    day.turn(at)


def topics_of_rows() -> set[str]:
    """The topics that the rows of the console are made of."""
    return {topic.name for topic in FACTS_AND_REQUESTS} | {parked_topic(name) for name in SERVICES}
