"""Is a message that cannot be read set aside in the transaction of its batch, without another attempt for the other
messages?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Message
from prometheus_client import REGISTRY
from sqlalchemy import event, select

from schemas.topics import requests_topic
from schemas.vocabulary import consignment_id
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import TOPICS
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.readmodel.store import Store
from services.console.settings import ConsoleSettings
from tests.console.border import DECLARANT, Border, PublishedMessage, green
from tests.console.still import NOBODY_THERE

GOOD = 20


class Reader:
    """A projector that gets its messages from the test instead of the broker."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder}/console.db"
        migrate(url)
        self.projector = Projector(ConsoleSettings(kafka=NOBODY_THERE, database_url=url), Progress())
        self.store = Store(open_engine(url, writes=True), 1000)
        self.projector._positions = self.store.positions([(topic, 0) for topic in TOPICS])
        self.begun = 0
        event.listen(self.store.engine, "begin", self._count)
        self._offsets: dict[str, int] = {}

    def _count(self, _: Any) -> None:
        self.begun += 1

    def reads(self, messages: list[PublishedMessage]) -> int:
        """Projects the messages as one batch. Returns how many transactions the projector began for it."""
        read = []
        for one in messages:
            offset = self._offsets[one.topic] = self._offsets.get(one.topic, -1) + 1
            headers = {
                "ce_type": one.kind,
                "ce_id": one.id,
                "ce_time": one.at.isoformat(),
                "causationid": one.cause,
                "sequence": str(one.sequence),
            }
            sent = [(name, value.encode()) for name, value in headers.items()]
            at = (1, int(one.at.timestamp() * 1000))
            read.append(Message(one.topic, 0, offset, one.key.encode(), one.value, sent, None, at))
        before = self.begun
        self.projector._write(self.store, read)
        return self.begun - before

    def consignments(self) -> dict[str, str]:
        with self.store.engine.begin() as connection:
            row = t.CONSIGNMENTS.c
            return {
                each.consignment_id: each.stage for each in connection.execute(select(row.consignment_id, row.stage))
            }

    def kept(self, table: Any, column: str) -> list[str]:
        with self.store.engine.begin() as connection:
            return list(connection.execute(select(table.c[column])).scalars())


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.store.engine.dispose()


def lodgement(number: int, value: bytes | None = None, **changed: Any) -> PublishedMessage:
    """A request to lodge that did not come through the console."""
    message = Border(f"malformed-{number}").lodged().messages[0]
    body = {**orjson.loads(message.value), **changed}
    return replace(message, value=orjson.dumps(body) if value is None else value)


MALFORMED: tuple[dict[str, Any], ...] = (
    {"value": b"\xff"},
    {"value": b"{"},
    {"value": b"[" * 5000},
    {"value": b"[]"},
    {"value": b"7"},
    {"value": b"{}"},
    {"declaration": 7},
    {"declaration": {"containers": 7}},
    {"declaration": {"containers": [{"container_no": 5}]}},
    {"declaration": {"containers": [{}]}},
    {"occurred_at": "0001-01-01T00:00:00Z"},
    {"occurred_at": ["x"]},
    {"occurred_at": 5},
)


def test_what_cannot_be_read_is_set_aside_in_the_transaction_of_its_batch(reader: Reader) -> None:
    """In an older version, one message that cannot be read made the projector write the batch in halves, in ten
    transactions, while all other messages waited."""
    good = [Border(f"one-{number}").lodged() for number in range(GOOD)]
    bad = [lodgement(number, **changes) for number, changes in enumerate(MALFORMED)]
    mixed = (
        [message for border in good[:7] for message in border.messages]
        + bad
        + [s for border in good[7:] for s in border.messages]
    )
    before = (
        REGISTRY.get_sample_value("customs_console_unreadable_total", {"topic": requests_topic("declaration")}) or 0
    )
    assert reader.reads(mixed) == 1
    assert set(reader.consignments()) == {border.id for border in good}
    assert len(reader.kept(t.FACTS, "place")) == GOOD
    after = REGISTRY.get_sample_value("customs_console_unreadable_total", {"topic": requests_topic("declaration")})
    assert after == before + len(bad)


@pytest.mark.parametrize("kind", ["ReportArrival", "PlaceHold"])
def test_other_requests_that_are_no_text_are_set_aside_there_too(reader: Reader, kind: str) -> None:
    good = Border("beside").lodged()
    topic = requests_topic("release")
    message = replace(good.messages[0], topic=topic, kind=kind, value=b"\xff\xfe")
    assert reader.reads([message, *good.messages]) == 1
    assert set(reader.consignments()) == {good.id}


FACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ConsignmentAssessed", {"lane": ["x"]}),
    ("ConsignmentAssessed", {"controls": 7}),
    ("DeclarationAccepted", {"declaration": {"containers": [{"container_no": ["a"]}]}}),
    ("DeclarationAccepted", {"declaration": 5}),
    ("ReleaseGranted", {"containers": [7]}),
    ("ReleaseGranted", {"holds": [7]}),
    ("ContainerMayLeave", {"consignments": [7]}),
    ("ContainerMayLeave", {"permitted": [7]}),
    ("ContainerGatedOut", {"consignments": 5}),
    ("ContainerFreed", {"consignment_id": 9}),
    ("ContainerFreed", {"version": "x"}),
    ("ConsignmentGatedOut", {"container_no": []}),
)


@pytest.mark.parametrize(("kind", "changed"), FACTS, ids=[f"{kind}-{next(iter(c))}" for kind, c in FACTS])
def test_a_fact_that_cannot_be_folded_is_set_aside_with_an_alarm_and_leaves_no_half_of_itself(
    reader: Reader, kind: str, changed: dict[str, Any]
) -> None:
    spoilt, good = green(f"spoilt-{kind}", ("MSKU6011672",)), green("whole", ("CSQU3054383",))
    messages = []
    for one in spoilt.messages:
        body = orjson.dumps({**orjson.loads(one.value), **changed}) if one.kind == kind else one.value
        messages.append(replace(one, value=body))
    assert kind in {one.kind for one in messages}
    assert reader.reads([*messages, *good.messages]) == 1
    assert reader.consignments()[good.id] == "gated_out"
    assert "FactNotProjected" in reader.kept(t.ALARMS, "kind")
    assert len(reader.kept(t.FACTS, "place")) == len(messages) + len(good.messages) - len(
        [s for s in messages if s.kind == kind]
    )
    assert set(reader.kept(t.PARKED, "reason")) == {"not_projected"}


def test_goods_of_which_a_fact_is_set_aside_have_the_row_that_they_had(reader: Reader) -> None:
    """The row keeps what came from earlier batches and from other messages of the same batch."""
    goods = green("known-before", ())
    first, rest = goods.messages[:2], goods.messages[2:]
    spoilt = [
        replace(one, value=orjson.dumps({**orjson.loads(one.value), "rule_set": 7}))
        if one.kind == "ConsignmentAssessed"
        else one
        for one in rest
    ]
    assert reader.reads(first) == 1
    assert reader.reads(spoilt) == 1
    assert reader.consignments() == {goods.id: "parked"}
    with reader.store.engine.begin() as connection:
        row = connection.execute(select(t.CONSIGNMENTS)).one()
    assert (row.assessed_us, row.lane, row.word, row.declarant) == (None, "", "released", DECLARANT)
    assert row.consignment_id == consignment_id(DECLARANT, "known-before")
