"""Can bad input stop anything? The tests run the real loop on a broker of its own. Each bad message is refused, or
parked with its reason, and correct goods are not affected."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as AioPlace
from kafka import KafkaProducer

from schemas.declaration import MOST_LINES
from schemas.envelope import Message
from schemas.gate import RecordGateOut
from schemas.inspection import InspectionPassed
from schemas.release import ReportArrival
from schemas.topics import PARKED as PARKED_TOPICS
from schemas.topics import orders_topic, parked_topic
from schemas.vocabulary import ControlKind
from services.cli.log import read
from services.cli.parked import order_of, send_orders, waiting
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell import (
    agent_reading,  # noqa: F401  (imported so that this process reads messages as a worker does)
    clients,
)
from services.shell.access import access_to
from services.shell.codec import encode
from services.shell.loop import Loop
from tests.conftest import provisioned
from tests.console.conftest import Projecting, projecting
from tests.declaration.good import good_item, lodge
from tests.kafka.border import TOPICS, Border, running
from tests.loops import finish
from tests.voice import NOON

PARTITIONS = 2
LODGED = "customs-declaration-requests"
ARRIVED = "customs-release-requests"


@pytest.fixture(scope="module")
def quay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Border, list[Loop], Projecting]]:
    """Yields a border with all desks and the read model. It has a broker of its own, so that parked messages do not
    disturb other tests."""
    folder = tmp_path_factory.mktemp("bad-input")
    url = f"sqlite:///{folder}/console.db"
    migrate(url)
    with provisioned(folder / "kafka", PARTITIONS) as broker:
        settings = ConsoleSettings(kafka=broker.bootstrap, partitions=PARTITIONS, database_url=url)
        with running(broker.bootstrap, PARTITIONS) as loops, projecting(settings) as rows:
            border = Border(broker.bootstrap, PARTITIONS)
            yield border, loops, rows
            border.close()


class Rubbish(str):
    """The name of a header. It is written as bytes that are not UTF-8."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def arrival(key: str) -> ReportArrival:
    return ReportArrival(consignment_id=key, asked_by="carrier", occurred_at=NOON, place="berth 7")


def with_(message: Message, **changes: Any) -> bytes:
    """Returns the message's JSON, with some fields replaced by any values."""
    return json.dumps({**json.loads(encode(message)), **changes}).encode()


def declared(reference: str, **changes: Any) -> tuple[str, bytes]:
    """Returns key and value of a lodgement, with some fields of the declaration replaced by any values."""
    lodged = lodge(reference=reference)
    body = json.loads(encode(lodged))
    body["declaration"] |= changes
    return lodged.key, json.dumps(body).encode()


def item(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(good_item().model_dump_json())
    return made | changes


# PARKED and REFUSED have a bad message for each fault: its topic, key, value and kind. The last field is the reason for
# which the message is parked, or the code with which it is refused.
TWICE = lodge(reference="bad-twice")
HUNDRED = declared("bad-hundred", items=[item(description=f"line {n}") for n in range(MOST_LINES)])
PASSED = InspectionPassed(
    consignment_id=TWICE.key, occurred_at=NOON, control=ControlKind.INSPECTION, officer="o", remarks=""
)
PARKED: dict[str, tuple[str, str | None, bytes | None, str, str]] = {
    "not JSON": (LODGED, lodge(reference="bad-1").key, b"reference=R-1", "LodgeDeclaration", "contract"),
    "wrong types": (LODGED, *declared("bad-2", packages="two", items={}), "LodgeDeclaration", "contract"),
    "a thousand lines": (
        LODGED,
        *declared("bad-thousand", items=[item(description=f"line {n}") for n in range(1000)]),
        "LodgeDeclaration",
        "contract",
    ),
    "duplicate keys": (ARRIVED, "bad-3", b'{"asked_by":"a","asked_by":"b"}', "ReportArrival", "contract"),
    "year 9999 beyond": (
        ARRIVED,
        "bad-4",
        b'{"occurred_at":"9999-12-31T23:59:59-23:59"}',
        "ReportArrival",
        "contract",
    ),
    "not of this topic": (LODGED, "bad-5", encode(PASSED), "InspectionPassed", "kind_not_on_topic"),
    "unknown kind": (ARRIVED, "bad-6", b"{}", "ReleaseEverything", "unknown_kind"),
    "cut off": ("customs-inspection-facts", TWICE.key, encode(PASSED)[:-20], "InspectionPassed", "contract"),
    "null value": (ARRIVED, "bad-8", None, "ReportArrival", "null_value"),
    "no key": (ARRIVED, None, encode(arrival("0" * 36)), "ReportArrival", "missing_key"),
    "another key": (ARRIVED, "bad-10", encode(arrival("0" * 36)), "ReportArrival", "key_mismatch"),
    "random bytes": ("customs-gate-requests", "bad-11", b"\x00\xff\x13" * 99, "RecordGateOut", "contract"),
    "a megabyte": (ARRIVED, "bad-12", b'"' + b"x" * 1_020_000 + b'"', "ReportArrival", "contract"),
    "an endless key": (ARRIVED, "k" * 300_000, encode(arrival("0" * 36)), "ReportArrival", "too_large"),
}
REFUSED: dict[str, tuple[str, str, bytes, str, str]] = {
    "unknown codes": (
        LODGED,
        *declared("bad-20", customs_office="5000", currency="ZZZ"),
        "LodgeDeclaration",
        "office_unknown",
    ),
    "negative weights": (LODGED, *declared("bad-21", gross_mass_kg="-45"), "LodgeDeclaration", "gross_mass"),
    "a hundred lines": (LODGED, *HUNDRED, "LodgeDeclaration", "items"),
    "a container that is none": (
        "customs-gate-requests",
        "NONE",
        encode(RecordGateOut(container_no="NONE", asked_by="t", occurred_at=NOON, gate="G")),
        "RecordGateOut",
        "container_malformed",
    ),
}


def good(border: Border, reference: str) -> None:
    """Lodges a correct declaration, reports the arrival of its goods, and waits until they are released."""
    lodged = lodge(reference=reference, containers=())
    border.ask(lodged)
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "ReleaseGranted")


def announced(border: Border) -> list[dict[str, Any]]:
    return [entry.body for entry in read(border.bootstrap, TOPICS) if entry.kind == "MessageParked"]


def test_each_is_refused_or_parked_with_its_reason_and_nobody_waits(
    quay: tuple[Border, list[Loop], Projecting],
) -> None:
    border, loops, rows = quay
    for name, (topic, key, value, kind, _) in {**PARKED, **REFUSED}.items():
        border.send(topic, key, value, kind, f"bad {name}")
    border.flush()
    good(border, "after the bad")
    parked = {body["headers"].get("ce_id"): body for body in announced(border)}
    for name, (topic, _, _, _, reason) in PARKED.items():
        body = parked[f"bad {name}"]
        assert (body["reason"], body["topic"]) == (reason, topic), name
        assert body["error"], name
    for name, (_, key, _, _, code) in REFUSED.items():
        facts = border.until(key, "RequestRefused" if name.startswith("a container") else "DeclarationRejected")
        assert code in json.dumps(facts), (name, facts)
    rows.catch_up()
    assert all(loop.ready.is_set() for loop in loops)


def test_what_no_client_of_ours_would_send_stops_nobody(quay: tuple[Border, list[Loop], Projecting]) -> None:
    border, loops, rows = quay
    producer = KafkaProducer(bootstrap_servers=border.bootstrap, max_request_size=8 << 20)
    producer.send(orders_topic("release"), key=b"odd-1", value=b"{}", headers=[(Rubbish("h"), b"1")])
    for topic in {*TOPICS, *[parked.name for parked in PARKED_TOPICS]}:
        for kind in (b"ReleaseGranted", b"ParkedReplayed"):
            producer.send(topic, key=b"odd-5", value=b"{}", headers=[("ce_type", kind), (Rubbish("h"), b"1")])
    producer.send(ARRIVED, key=b"odd-2", value=b"{}", headers=[("ce_type", b"\xff"), ("ce_id", b"\xff" * 300_000)])
    producer.send(ARRIVED, key=b"odd-3", value=b"x" * 7_000_000, headers=[("ce_type", b"ReportArrival")])
    bad_order = {"action": "release", "topic": ARRIVED, "partition": 0, "offset": 0, "actor": "o", "value_base64": "é*"}
    for topic in (orders_topic(name) for name in ("declaration", "release", "gate", "clearance")):
        for value in (json.dumps(bad_order).encode(), b"[" * 50_000, None):
            producer.send(topic, key=b"odd-4", value=value)
    producer.flush(60)
    producer.close()
    good(border, "after the odd")
    rows.catch_up()
    assert all(loop.ready.is_set() for loop in loops)


def test_a_header_name_that_is_no_text_ends_no_agent_of_faust(quay: tuple[Border, list[Loop], Projecting]) -> None:
    topic = parked_topic("inspection")
    producer = KafkaProducer(bootstrap_servers=quay[0].bootstrap)
    for headers in ([(Rubbish("h"), b"1")], [("plain", b"2")]):
        producer.send(topic, key=b"odd-6", value=b"{}", headers=headers, partition=0)
    producer.flush(60)
    producer.close()

    async def names() -> list[str]:
        topic_partition, found = AioPlace(topic, 0), list[str]()
        async with AIOKafkaConsumer(bootstrap_servers=quay[0].bootstrap, auto_offset_reset="earliest") as consumer:
            consumer.assign([topic_partition])
            await consumer.seek_to_beginning(topic_partition)
            while "plain" not in found:
                found += [name for name, _ in (await consumer.getone()).headers]
        return found

    assert r"\xff\xfe" in finish(names())


def test_headers_that_are_null_stop_nobody(quay: tuple[Border, list[Loop], Projecting]) -> None:
    border, _, rows = quay
    producer = clients.producer(access_to(border.bootstrap), {})
    lodged = lodge(reference="null headers", containers=())
    good_headers: dict[str, Any] = {"ce_type": b"LodgeDeclaration", "ce_id": b"n-1", "ce_time": b"2026-11-23T12:00:00Z"}
    for name in good_headers:
        producer.produce(LODGED, key=lodged.key, value=encode(lodged), headers={**good_headers, name: None})
    traced = lodge(reference="null trace", containers=())
    nulls = {**good_headers, "traceparent": None, "correlationid": None, "causationid": None, "sequence": None}
    producer.produce(LODGED, key=traced.key, value=encode(traced), headers=nulls)
    assert producer.flush(60) == 0
    border.until(traced.key, "DeclarationAccepted")
    good(border, "after the nulls")
    rows.catch_up()


def test_much_waits_behind_a_parked_message_and_nobody_else_waits(
    quay: tuple[Border, list[Loop], Projecting],
) -> None:
    border, _, _ = quay
    key = lodge(reference="flood").key
    border.say(ARRIVED, key, b"{", "ReportArrival", "flood first")
    for number in range(6):
        value = with_(arrival(key), place="x" * 300_000)
        border.send(ARRIVED, key, value, "ReportArrival", f"flood {number}")
    border.flush()
    good(border, "after the flood")
    reasons = [(body["reason"], body["value_kept"]) for body in announced(border) if body["subject"] == key]
    assert reasons == [("contract", True), *[("behind_parked", True)] * 6]


def test_a_message_too_large_to_travel_along_is_replayed_from_its_origin(
    quay: tuple[Border, list[Loop], Projecting],
) -> None:
    border, _, _ = quay
    key = lodge(reference="large").key
    producer = KafkaProducer(bootstrap_servers=border.bootstrap, max_request_size=8 << 20)
    headers = [("ce_type", b"ReportArrival"), ("ce_id", b"large")]
    producer.send(ARRIVED, key=key.encode(), value=b'"' + b"x" * 1_100_000 + b'"', headers=headers).get(60)
    producer.close()

    def reasons() -> list[str]:
        return [body["reason"] for body in announced(border) if body["subject"] == key]

    border.eventually(reasons)
    (there,) = [each for each in waiting(border.bootstrap) if each.key == key]
    assert there.kept is False
    send_orders(border.bootstrap, [(there, order_of(there, "replay", "op"))], PARTITIONS)
    border.eventually(lambda: reasons() == ["contract", "contract"])
    send_orders(border.bootstrap, [(there, order_of(there, "discard", "op"))], PARTITIONS)
    border.eventually(lambda: not [each for each in waiting(border.bootstrap) if each.key == key])
