"""Does a masked field get out anywhere? A word of its own stands in every field of every message and in every column that is made of
one, and is looked for in each page, answer, feed, stream and file, and in the log, as each role.

The marks at the fields (schemas.marks) alone say what may be found; a field, kind, route or role that is new is in the test by itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import ValidationError
from sqlalchemy import insert, update

from schemas.envelope import Message, RequestRefused
from schemas.gate import ContainerHoldPlaced, ContainerMustStay, EquipmentEventRecorded, GateAlarmRaised
from schemas.marks import INSIDE, Audience, SeenBy
from schemas.outside import mark_of
from schemas.release import Hold, WatchPlaced
from schemas.risk import ConsignmentAssessed
from schemas.topics import FACTS_AND_REQUESTS
from schemas.vocabulary import consignment_id
from services.console import tables as t
from services.console.heard import place
from services.console.rights import Role, Who
from tests.architecture.golden import EXAMPLES, payload
from tests.architecture.test_outside import messages_in
from tests.console.border import DECLARANT
from tests.console.quiet import Quiet, quiet

GOODS = consignment_id(DECLARANT, "MASKS")
BOX = "RGHU0000014"
OFFICE = "4227"
WATCHED = "watches/0"
AT_US = 1_795_000_000_000_000
LODGED = "lodge-masks"
"""The request of which every message of the goods is an answer."""
ON_BOX = "event-masks"
ANOTHER = "asked by somebody else"
NAMES = {"consignment_id", "container_no", "subject", "later", "partition_key", "earlier"}
"""By which messages are found."""
OUTSIDERS = [
    role for role in Role if Who("x", frozenset({role})).audience() is not None and role is not Role.ADMINISTRATOR
]
INSIDERS = [role for role in Role if Who("x", frozenset({role})).audience() is None]
HTML = {"Accept": "text/html"}
Fields = Mapping[str, tuple[type[Message], str]]
"""Column → the field whose words stand there."""


@dataclass
class Planted:
    """The words, and under which mark each stands; `kinds`: the id, key and words of each message."""

    words: dict[str, SeenBy] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, str, set[str]]] = field(default_factory=list)
    statements: list[Any] = field(default_factory=list)
    unplanted: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(100))

    def word(self, mark: SeenBy, where: str) -> str:
        made = f"zq{next(self.numbers)}x"
        self.words[made], self.where[made] = mark, where
        return made

    def hidden(self, audience: Audience) -> set[str]:
        return {word for word, mark in self.words.items() if audience not in mark.audiences}

    def found(self, text: str) -> set[str]:
        return set(re.findall(r"zq\d+x", text)) & self.words.keys()

    # messages

    def message(self, number: int, topic: str, example: Message) -> None:
        body = orjson.loads(payload(example))
        kind, key = type(example), self.of_ours(body, type(example))
        before = set(self.words)
        self.plant(kind, body, kind.kind, kind, body, None)
        id_ = LODGED if kind.kind == "LodgeDeclaration" and key == GOODS else f"m-{number}"
        row = {"place": place(topic, 0, number), "key": key, "kind": kind.kind, "id": id_, "sequence": number}
        cause = "" if id_ == LODGED else ON_BOX if key == BOX else LODGED
        made = {**row, "cause": cause, "recorded_us": AT_US + number, "body": orjson.dumps(body).decode()}
        self.statements.append(insert(t.FACTS).values(**made))
        self.messages.append((key, id_, set(self.words) - before))

    @staticmethod
    def of_ours(body: dict[str, Any], kind: type[Message]) -> str:
        """Makes it a message about the goods or box of this test; its key."""
        owned = {"consignment_id": GOODS, "container_no": BOX, "subject": GOODS, "later": GOODS}
        if kind is RequestRefused:
            owned["request_id"] = ANOTHER
        body |= {name: own for name, own in owned.items() if name in body}
        return WATCHED if "partition_key" in body else BOX if kind.__mro__ and _about_box(kind) else GOODS

    def plant(
        self, kind: type[Message], body: Any, where: str, whole: type[Message], top: Any, above: SeenBy | None
    ) -> None:
        """A word for each text in the fields of this message; what only certain words fit in is left as it is."""
        for name, value in list(body.items()):
            mark = above if above is INSIDE else mark_of(kind, name)
            inner = messages_in(kind.model_fields[name].annotation)
            if inner and isinstance(value, (dict, list)):
                for each in [value] if isinstance(value, dict) else value:
                    self.plant(inner[0], each, f"{where}.{name}", whole, top, mark if mark is INSIDE else None)
            elif name not in NAMES and value != ANOTHER:
                self._leaf(body, name, value, mark, f"{where}.{name}", whole, top)

    def _leaf(self, body: Any, name: str, value: Any, mark: SeenBy, where: str, whole: type[Message], top: Any) -> None:
        for made in self._words(value, mark, where):
            body[name] = made
            try:
                whole.read_stored(orjson.dumps(top))
            except ValidationError:
                for word in self.found(str(made)):
                    del self.words[word]
                continue
            return
        body[name] = value
        self.unplanted.add(where)

    def _words(self, value: Any, mark: SeenBy, where: str) -> Iterator[Any]:
        if isinstance(value, str) or value is None:
            yield self.word(mark, where)
        elif isinstance(value, list):
            yield [self.word(mark, where)]
        elif isinstance(value, dict):
            yield {self.word(mark, where): self.word(mark, where)}

    # rows

    def row(self, table: Any, of: Fields, **values: Any) -> None:
        """A row; in the columns `of` stands a word under the mark of the field that they come from."""
        words = {name: self.word(mark_of(*source), f"{table.name}.{name}") for name, source in of.items()}
        self.statements.append(insert(table).values(**values, **words))


def _about_box(kind: type[Message]) -> bool:
    return next(topic.key for topic in FACTS_AND_REQUESTS if kind in topic.carries) == "container"


def planted() -> Planted:
    """Every kind of message, and a row in every table of which answers are made."""
    made, number = Planted(), count(1)
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
        place=place("customs-release-facts", 0, 90_001),
        request_id=ANOTHER,
        **refused,
    )
    made.row(
        t.ALARMS,
        {"reason": (GateAlarmRaised, "reason")},
        place=place("customs-gate-facts", 0, 90_001),
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


# ways out

FORM, JSON = {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json"}
QUERIES = {
    "/api/v1/consignments": ("?q=MASKS", f"?q={BOX}", "?stage=held", "?q=MASKSBILL", ""),
    "/consignments": ("?q=MASKS", "?stage=held", ""),
    "/consignments.csv": ("?q=MASKS", "?stage=held", ""),
    "/consignments/{consignment_id}": ("", "?only=problems", f"?asked={LODGED}", "?lang=en"),
    "/containers/{container_no}": ("", f"?asked={ON_BOX}", "?lang=en"),
    "/api/v1/consignments/{consignment_id}/timeline": ("", "?only=milestones"),
    "/api/v1/releases": ("?after=0",),
    "/api/v1/releases/stream": ("?after=0",),
    "/unmatched": ("?days=0",),
}
ACTS = {"consignments": "withdraw", "containers": "event"}


def addresses(planted: Planted, path: str) -> Iterator[str]:
    """The address for each thing of these tests that the path can name."""
    keys = [GOODS, BOX, WATCHED]
    if "{message_id}" in path:
        for key, id_, _ in planted.messages:
            quoted = key.replace("/", "%2F")
            yield path.replace("{key}", quoted).replace("{message_id}", id_)
        return
    for request in (LODGED, ON_BOX) if "{request_id}" in path else ("",):
        made = path.replace("{consignment_id}", GOODS).replace("{container_no}", BOX).replace("{request_id}", request)
        made = made.replace("{key}", keys[0]).replace("{act}", ACTS.get(path.split("/")[1], "place"))
        yield re.sub(r"\{\w+\}", "w1", made)


def read(client: httpx2.Client, method: str, address: str, headers: dict[str, str]) -> str:
    """All that an answer says, headers too; of a stream its first event."""
    api = address.startswith("/api/")
    more: dict[str, Any] = {"headers": headers | ({} if api else HTML)}
    if method == "POST":
        more["content"] = b"{}" if api else b"reason="
        more["headers"] |= JSON if api else FORM
    with client.stream(method, address, **more) as answer:
        assert answer.status_code < 500 or answer.status_code == 503, (method, address)
        text = str(answer.headers)
        for piece in answer.iter_text():
            text += piece
            if "text/event-stream" in answer.headers.get("content-type", "") and "event:" in piece:
                break
        return text


@pytest.fixture(scope="module")
def words() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def console(words: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    with quiet(tmp_path_factory.mktemp("masks")) as running:
        running.run(*words.statements)
        yield running


def asking(console: Quiet, role: Role) -> dict[str, str]:
    """Somebody of this role whose own goods, office and requests these are."""
    name = f"mask-{role}"
    console.run(update(t.LODGEMENTS).values(sender=name))
    return console.acting_as(name, roles=role.value, company=DECLARANT, office=OFFICE)


def everything(console: Quiet, words: Planted, key: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each way out, and what came by it to who has this key."""
    client = console.http
    for route in console.routes():
        for method in sorted((route.methods or set()) & {"GET", "POST"}):
            if (method, route.path) not in (("POST", "/sign-out"), ("POST", "/password"), ("POST", "/sign-in")):
                for address in addresses(words, route.path):
                    for query in QUERIES.get(route.path, ("",)):
                        yield f"{method} {address}{query}", read(client, method, address + query, key)


@pytest.mark.parametrize("role", OUTSIDERS)
def test_no_way_out_tells_somebody_outside_what_is_masked(
    console: Quiet, words: Planted, role: Role, capfd: pytest.CaptureFixture[str]
) -> None:
    audience = Who("x", frozenset({role})).audience()
    assert audience is not None
    hidden, leaks, seen = words.hidden(audience), {}, set[str]()
    for way, text in everything(console, words, asking(console, role)):
        found = words.found(text)
        seen |= found
        if found & hidden:
            leaks[way] = sorted(words.where[word] for word in found & hidden)
        assert "zq-watched" not in text, f"{way} tells that somebody is watched"
    assert leaks == {}
    assert not words.found("".join(capfd.readouterr())) & words.hidden(Audience.PORT), "no log tells it either"
    if audience is Audience.DECLARANT:
        of_goods = {w for key, _, told in words.messages if key == GOODS for w in told}
        meant = {word for word in of_goods if words.words[word] is not INSIDE}
        assert meant <= seen, sorted(words.where[word] for word in meant - seen)


@pytest.mark.parametrize("role", INSIDERS)
def test_inside_a_message_is_whole(console: Quiet, words: Planted, role: Role) -> None:
    key = asking(console, role)
    for about, id_, told in words.messages:
        if about != WATCHED:  # a key with a slash is no part of an address
            assert words.found(read(console.http, "GET", f"/api/v1/messages/{about}/{id_}", key)) == told, (about, id_)
    shown = words.found(read(console.http, "GET", f"/api/v1/consignments/{GOODS}", key))
    assert {words.where[word] for word in shown} >= {
        "consignments.credit_grade",
        "consignments.rule_set",
        "holds.reason",
    }


def test_words_stand_in_every_field_that_holds_a_persons_words(words: Planted) -> None:
    """Left as they are: codes, times, numbers, and the names by which goods are found."""
    names = {where.rpartition(".")[2] for where in words.unplanted}
    assert not names & {"reason", "remarks", "officer", "asked_by", "seen", "placed_by", "unit", "rule", "rule_set"}
    assert {word for word, mark in words.words.items() if mark is INSIDE} and len(words.words) > 300
