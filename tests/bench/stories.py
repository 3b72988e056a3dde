"""What has a desk read about a million live goods? It has read the real messages of a simulated day, which are repeated
with other names.

Every state is made by the real decider in a real `Turn`. Only the names of the goods (key, message id) are made up.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from confluent_kafka import Producer

from schemas.declaration import LodgeDeclaration
from schemas.envelope import Request
from schemas.flow import heard_topics
from schemas.risk import ConsignmentAssessed
from schemas.topics import orders_topic, state_topic, topic_of
from services.risk.keys import PUBLISHED
from services.shell import clients
from services.shell.access import Access, access_to
from services.shell.codec import Raw, encode
from services.shell.desk import Desk
from services.shell.positions import BEGINNING, POSITIONS_KEY
from services.shell.positions import encode as encode_positions
from services.shell.store import PartitionStore
from services.shell.turn import Turn
from services.simulator.acts import request_of
from services.simulator.day import Day
from services.simulator.people import People
from services.worker import desks
from tests.shell.parking import Memory

CONSIGNMENTS = 4000
"""How many consignments the repeated day has."""
TRANSACTION = 1000
RETENTION = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Story:
    """The messages that a desk reads with one key, in order."""

    key: str
    messages: tuple[Raw, ...]


def stories(desk: str, seed: int, at: datetime) -> list[Story]:
    """Returns a story for each key of a day with which this desk reads at least two messages. A story has all messages
    of its key until a person has to act."""
    inputs: dict[str, list[Raw]] = defaultdict(list)
    for message in _day(seed, at)[desk]:
        inputs[(message.key or b"").decode()].append(message)
    all_stories = [Story(key, tuple(messages)) for key, messages in inputs.items()]
    return [story for story in all_stories if len(story.messages) > 1]


def _day(seed: int, at: datetime) -> dict[str, list[Raw]]:
    """Returns desk → the messages that it reads in a day on which goods arrive, but no officer acts. So goods that need
    no control are released, and all other goods stay held."""
    day = Day(seed, CONSIGNMENTS, at - timedelta(days=1))
    plans = [day.plan(index) for index in range(CONSIGNMENTS)]
    lodged = [
        LodgeDeclaration(
            consignment_id=plan.consignment_id,
            asked_by=plan.declaration.declarant,
            occurred_at=plan.lodged_at,
            declaration=plan.declaration,
        )
        for plan in plans
    ]
    accepted = _of(_facts_of("declaration", map(_request, lodged), at), "DeclarationAccepted")
    assessed = _facts_of("risk", accepted, at)
    ordered = _facts_of("inspection", assessed, at)
    people = People(day, events=False)
    acts = [
        act for fact in assessed for act in people.react(ConsignmentAssessed.model_validate_json(fact.value or b""))
    ]
    arrivals = [_request(request_of(act, "people", at)) for act in acts if act.request.kind == "ReportArrival"]
    facts = _facts_of("release", [*assessed, *arrivals], at)
    statements = _of(facts, "ArrivalRecorded", "ReleaseGranted")
    return {
        "release": [*assessed, *arrivals],
        "gate": _of(facts, "ContainerHeld", "ContainerFreed"),
        "clearance": [*accepted, *assessed, *_of(ordered, "InspectionOrdered"), *statements],
    }


def _facts_of(name: str, messages: Iterable[Raw], at: datetime) -> list[Raw]:
    turn, store = _turn(_desk(name), at), PartitionStore()
    for message in messages:
        turn.handle(store, message)
    assert not turn.outcome.parked, turn.outcome.parked
    return [Raw(o.topic, 0, n, o.key.encode(), o.value, dict(o.headers)) for n, o in enumerate(turn.outcome.outputs)]


def _request(request: Request) -> Raw:
    headers = {"ce_id": _name(f"{request.key}/{request.kind}").encode(), "ce_type": request.kind.encode()}
    return Raw(topic_of("anyone", type(request)), 0, 0, request.key.encode(), encode(request), headers)


def _of(messages: list[Raw], *kinds: str) -> list[Raw]:
    return [message for message in messages if message.text("ce_type") in kinds]


def _desk(name: str) -> Desk:
    return desks([name], PUBLISHED)[0]


def _turn(desk: Desk, at: datetime) -> Turn:
    return Turn(desk, 1, at, RETENTION, Memory())


def _name(text: str) -> str:
    """Returns a name as long as a real id, which is different for each text."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def retold(base: list[Story], number: int) -> Story:
    """Returns a copy of one of the stories in `base`, under a new key. `number` chooses the story, and the new key is
    made from it."""
    story = base[number % len(base)]
    key = (
        f"{chr(65 + number // 10**6)}TGU{number % 10**6:07}" if len(story.key) == 11 else _name(f"{story.key}/{number}")
    )
    old, new = story.key.encode(), key.encode()
    messages = [
        m._replace(
            offset=number,
            key=new,
            value=(m.value or b"").replace(old, new),
            headers=m.headers | {"ce_id": _name(f"{key}/{index}").encode()},
        )
        for index, m in enumerate(story.messages)
    ]
    return Story(key, tuple(messages))


def live(base: list[Story], number: int) -> int:
    """Returns how many messages of the story with this number the desk has read. For an odd number these are all
    messages, for an even number all but the last."""
    return len(base[number % len(base)].messages) - (number % 2 == 0)


def fill(kafka: Access | str, name: str, base: list[Story], states: int, at: datetime) -> Iterator[int]:
    """Writes the records of this many consignments (`states`), which are not closed, as the loop would. After each
    transaction, yields for how many consignments records are written so far."""
    producer = clients.producer(
        access_to(kafka),
        {
            "transactional.id": f"fill-{name}",
            "transaction.timeout.ms": 15_000,
            "queue.buffering.max.messages": 1_000_000,
            "linger.ms": 1,
            "log_level": 2,
        },
    )
    producer.init_transactions(30)
    desk = _desk(name)
    _write_positions(producer, name)
    for first in range(0, states, TRANSACTION):
        numbers = range(first, min(states, first + TRANSACTION))
        copies, store = [retold(base, number) for number in numbers], PartitionStore()
        for step in range(max(len(story.messages) for story in copies)):
            turn = _turn(desk, at)
            for number, story in zip(numbers, copies, strict=True):
                if step < live(base, number):
                    turn.handle(store, story.messages[step])
            _write(producer, state_topic(name), turn, store)
        yield numbers.stop


def _write_positions(producer: Producer, name: str) -> None:
    """Writes the read positions of a desk that has read nothing yet. A desk refuses records without read
    positions."""
    topic, unread = state_topic(name), dict.fromkeys([*heard_topics(name), orders_topic(name)], BEGINNING)
    producer.begin_transaction()
    for partition in producer.list_topics(topic, timeout=30).topics[topic].partitions:
        producer.produce(topic, key=POSITIONS_KEY, value=encode_positions(unread, 0, {}), partition=partition)
    producer.commit_transaction(60)


def _write(producer: Producer, topic: str, turn: Turn, store: PartitionStore) -> None:
    assert not turn.outcome.parked, turn.outcome.parked
    producer.begin_transaction()
    for _, key, entry, data in turn.encode_changes():
        store.put(key, data, entry.record.due)
        producer.produce(topic, key=key, value=data)
    producer.commit_transaction(60)
