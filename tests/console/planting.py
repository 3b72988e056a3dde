"""A different word is put into every field of every kind of message, and into every column that is made from a field.
Tests look for these words to find what an answer must not show.

Kinds and fields come from the catalogue, and marks from the fields, so new kinds and fields get words without a change
here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import insert

from schemas.envelope import Message, RequestRefused, request_id
from schemas.gate import ContainerHoldPlaced, ContainerMustStay, EquipmentEventRecorded, GateAlarmRaised
from schemas.marks import INSIDE, Audience, SeenBy
from schemas.outside import mark_of
from schemas.release import Hold, WatchPlaced
from schemas.risk import ConsignmentAssessed
from schemas.topics import FACTS_AND_REQUESTS
from schemas.vocabulary import consignment_id
from services.console.readmodel import tables as t
from services.console.readmodel.messages import packed_position
from tests.architecture.golden import EXAMPLES, payload
from tests.architecture.test_outside import messages_in
from tests.console.border import DECLARANT

GOODS = consignment_id(DECLARANT, "MASKS")
BOX = "RGHU0000014"
OFFICE = "4227"
WATCHED = "watches/0"
AT_US = 1_795_000_000_000_000
LODGED = request_id("mask", "lodged")
"""The id of the lodgement of the goods. All other messages about the goods name it as their cause."""
ON_BOX = request_id("mask", "event")
ANOTHER = "asked by somebody else"
NAMES = {"consignment_id", "container_no", "subject", "later", "partition_key", "earlier"}
"""Fields that identify what a message is about."""
Fields = Mapping[str, tuple[type[Message], str]]
"""Column → (kind of the fact, name of its field) from which the text of the column comes."""


@dataclass
class Planted:
    """The planted words. `tokens`: word → the mark of its field; `where`: word → its field; `messages`: key, id and
    words of each message; `statements`: SQL that inserts the rows; `unplanted`: fields that accept no planted word;
    `ending`: a text that is planted behind each word."""

    tokens: dict[str, SeenBy] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, str, set[str]]] = field(default_factory=list)
    statements: list[Any] = field(default_factory=list)
    unplanted: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(100))
    ending: str = ""

    def new_token(self, mark: SeenBy, where: str) -> str:
        made = f"zq{next(self.numbers)}x"
        self.tokens[made], self.where[made] = mark, where
        return made + self.ending

    def hidden(self, audience: Audience) -> set[str]:
        return {token for token, mark in self.tokens.items() if audience not in mark.audiences}

    def found(self, text: str) -> set[str]:
        return set(re.findall(r"zq\d+x", text)) & self.tokens.keys()

    # messages

    def message(self, number: int, topic: str, example: Message) -> None:
        body = orjson.loads(payload(example))
        kind, key = type(example), self.of_ours(body, type(example))
        before = set(self.tokens)
        self.plant(kind, body, kind.kind, kind, body, None)
        id_ = LODGED if kind.kind == "LodgeDeclaration" and key == GOODS else f"m-{number}"
        row = {"place": packed_position(topic, 0, number), "key": key, "kind": kind.kind, "id": id_, "sequence": number}
        cause = "" if id_ == LODGED else ON_BOX if key == BOX else LODGED
        made = {**row, "cause": cause, "recorded_us": AT_US + number, "body": orjson.dumps(body).decode()}
        self.statements.append(insert(t.FACTS).values(**made))
        self.messages.append((key, id_, set(self.tokens) - before))

    @staticmethod
    def of_ours(body: dict[str, Any], kind: type[Message]) -> str:
        """Changes `body` so that the message is about the goods or the container of this test. Returns the key of the
        message."""
        owned = {"consignment_id": GOODS, "container_no": BOX, "subject": GOODS, "later": GOODS}
        if kind is RequestRefused:
            owned["request_id"] = ANOTHER
        body |= {name: own for name, own in owned.items() if name in body}
        return WATCHED if "partition_key" in body else BOX if kind.__mro__ and _about_box(kind) else GOODS

    def plant(
        self, kind: type[Message], body: Any, where: str, whole: type[Message], top: Any, above: SeenBy | None
    ) -> None:
        """Replaces each text in the fields of this message by a new word. A field that accepts only certain words is
        left as it is."""
        for name, value in list(body.items()):
            mark = above if above is INSIDE else mark_of(kind, name)
            inner = messages_in(kind.model_fields[name].annotation)
            if inner and isinstance(value, (dict, list)):
                for each in [value] if isinstance(value, dict) else value:
                    self.plant(inner[0], each, f"{where}.{name}", whole, top, mark if mark is INSIDE else None)
            elif name not in NAMES and value != ANOTHER:
                self._leaf(body, name, value, mark, f"{where}.{name}", whole, top)

    def _leaf(self, body: Any, name: str, value: Any, mark: SeenBy, where: str, whole: type[Message], top: Any) -> None:
        for made in self._with_tokens(value, mark, where):
            body[name] = made
            try:
                whole.read_stored(orjson.dumps(top))
            except ValidationError:
                for token in self.found(str(made)):
                    del self.tokens[token]
                continue
            return
        body[name] = value
        self.unplanted.add(where)

    def _with_tokens(self, value: Any, mark: SeenBy, where: str) -> Iterator[Any]:
        if isinstance(value, str) or value is None:
            yield self.new_token(mark, where)
        elif isinstance(value, list):
            yield [self.new_token(mark, where)]
        elif isinstance(value, dict):
            yield {self.new_token(mark, where): self.new_token(mark, where)}

    # rows

    def row(self, table: Any, of: Fields, **values: Any) -> None:
        """Adds a row. Each column in `of` gets a new word with the mark of the field from which the column comes."""
        tokens = {name: self.new_token(mark_of(*source), f"{table.name}.{name}") for name, source in of.items()}
        self.statements.append(insert(table).values(**values, **tokens))


def _about_box(kind: type[Message]) -> bool:
    return next(topic.key for topic in FACTS_AND_REQUESTS if kind in topic.carries) == "container"


def planted(ending: str = "") -> Planted:
    """Plants words in every kind of message, and in a row of every table from which answers are made. `ending`: as in
    `Planted`."""
    # the offsets are higher than those of the messages that a test sends itself
    made, number = Planted(ending=ending), count(50_001)
    examples = {type(each): each for each in EXAMPLES}
    for topic in FACTS_AND_REQUESTS:
        for kind in topic.carries:
            made.message(next(number), topic.name, examples[kind])
    made.row(
        t.CONSIGNMENTS,
        {name: (ConsignmentAssessed, name) for name in ("credit_grade", "rule_set", "lane")},
        consignment_id=GOODS,
        declarant=DECLARANT,
        reference="MASKS",
        customs_office=OFFICE,
        bill_no="MASKSBILL",
        containers=BOX,
        declared="accepted",
        word="held",
        stage="held",
        waiting_for="officer/watch/zq-watched",
        waiting_owner="officer",
        waiting_since_us=AT_US,
        lodged_us=AT_US,
        accepted_us=AT_US,
        assessed_us=AT_US,
        parked=1,
    )
    made.row(
        t.HOLDS,
        {"reason": (Hold, "reason")},
        consignment_id=GOODS,
        hold_id="officer/watch/zq-watched",
        owner="officer",
        since_us=AT_US,
        lifted_by="LiftHold",
    )
    gate: Fields = {"reason": (ContainerMustStay, "reason"), "alarm_reason": (GateAlarmRaised, "reason")}
    made.row(
        t.CONTAINERS,
        gate,
        container_no=BOX,
        word="must_stay",
        blocking="r1",
        alarm="left_unreleased",
        since_us=AT_US,
        blocked_us=AT_US,
        visit="v1",
        said_visit="v1",
        visit_us=AT_US,
    )
    made.row(
        t.CONSIGNMENT_CONTAINERS,
        {"reason": (ContainerMustStay, "reason")},
        container_no=BOX,
        consignment_id=GOODS,
        word="held",
        declared=True,
        version=1,
        shared_by=1,
    )
    made.row(
        t.CONTAINER_HOLDS,
        {n: (ContainerHoldPlaced, n) for n in ("reason", "placed_by")},
        container_no=BOX,
        hold_id="h1",
        since_us=AT_US,
    )
    made.row(
        t.CONTAINER_REPORTS,
        {"reported_by": (EquipmentEventRecorded, "reported_by")},
        container_no=BOX,
        report_id="r1",
        event="DISC",
        classifier="ACT",
        occurred_us=AT_US,
        recorded_us=AT_US,
    )
    refused = {
        "desk": "release",
        "subject": GOODS,
        "request_kind": "LiftHold",
        "code": "hold_unknown",
        "refused_us": AT_US,
    }
    made.row(
        t.REFUSALS,
        {"reason": (RequestRefused, "reason")},
        place=packed_position("customs-release-facts", 0, 90_001),
        request_id=ANOTHER,
        **refused,
    )
    made.row(
        t.ALARMS,
        {"reason": (GateAlarmRaised, "reason")},
        place=packed_position("customs-gate-facts", 0, 90_001),
        kind="GateAlarmRaised",
        subject=BOX,
        raised_us=AT_US,
        alarm="left_unreleased",
    )
    watched = {"reason": (WatchPlaced, "reason"), "actor": (WatchPlaced, "placed_by")}
    made.row(
        t.WATCH_FACTS, watched, watch_id="w1", partition_key=WATCHED, lifted=False, bill_no="MASKSBILL", at_us=AT_US
    )
    parked = {"service": "risk", "topic": "customs-risk-facts", "partition": 0, "offset": 1, "key": GOODS}
    made.row(
        t.PARKED,
        {"error": (RequestRefused, "reason")},
        **parked,
        kind="ConsignmentAssessed",
        reason="decide_raised",
        status="parked",
        parked_us=AT_US,
    )
    for number_, kind_ in enumerate(("ReleaseGranted", "ReleaseRevoked"), 1):
        at, id_ = next(
            (s.compile().params["place"], s.compile().params["id"])
            for s in made.statements
            if s.table is t.FACTS and s.compile().params["kind"] == kind_
        )
        made.statements.append(insert(t.RELEASES).values(cursor=number_, place=at, consignment_id=GOODS, fact_id=id_))
    made.statements.append(insert(t.FEED_EPOCHS).values(epoch="e" * 8, first_number=1))
    for request, about, kind_ in ((LODGED, GOODS, "LodgeDeclaration"), (ON_BOX, BOX, "RecordEquipmentEvent")):
        made.statements.append(
            insert(t.LODGEMENTS).values(request_id=request, sender="", kind=kind_, subject=about, asked_us=AT_US)
        )
    return made
