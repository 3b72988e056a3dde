"""Do all Kafka clients put the same key into the same partition, and is a message always encoded in the same way?"""

import ast
import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as KafkaMessage
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from deploy.kafka.broker import Broker
from schemas.envelope import Message
from schemas.vocabulary import consignment_id
from services.cli.log import partition_of as of_clients
from services.shell import clients, codec
from services.shell.access import access_to
from services.shell.partition import partition_of
from tests.architecture.golden import EXAMPLES, payload
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
PARTITIONS = 8
DECIDED = [m for m in EXAMPLES if any(m.kind in kinds for kinds in codec.CARRIED.values())]
"""The messages that desks read; parking messages and orders are read by other code."""
KEYS = [consignment_id("91310115MA1H7L0T3Q", f"PO-{number}") for number in range(196)]
KEYS += ["MSKU9070323", "CSQU3054383", "a", "票"]
Placed = dict[str, int]


@pytest.fixture(scope="module")
def topic(broker: Broker) -> Iterator[str]:
    """A topic that only this file uses."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic("architecture-partitioning", PARTITIONS, 1)])
    yield "architecture-partitioning"
    admin.delete_topics(["architecture-partitioning"])
    admin.close()


def by_confluent(producer: Producer, topic: str) -> Placed:
    placed: Placed = {}

    def delivered(error: KafkaError | None, message: KafkaMessage) -> None:
        key, partition = message.key(), message.partition()
        assert error is None and key is not None and partition is not None
        placed[key.decode()] = partition

    for key in KEYS:
        producer.produce(topic, b"", key=key, callback=delivered)
    assert producer.flush(30) == 0
    return placed


def by_kafka_python(broker: Broker, topic: str) -> Placed:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    sent = {key: producer.send(topic, b"", key=key.encode()) for key in KEYS}
    placed = {key: future.get(30).partition for key, future in sent.items()}
    producer.close()
    return placed


async def by_aiokafka(broker: Broker, topic: str) -> Placed:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        sent = {key: await producer.send(topic, b"", key=key.encode()) for key in KEYS}
        return {key: (await future).partition for key, future in sent.items()}
    finally:
        await producer.stop()


def test_three_clients_put_every_key_into_the_same_partition(broker: Broker, topic: str) -> None:
    ours = by_confluent(clients.producer(access_to(broker.bootstrap), {"partitioner": "random"}), topic)
    assert len(ours) == len(KEYS) == 200
    assert set(ours.values()) == set(range(PARTITIONS))
    assert ours == by_kafka_python(broker, topic)
    # Browser tests leave an event loop running in this thread. So `by_aiokafka` needs another thread.
    with ThreadPoolExecutor(1) as thread:
        assert ours == thread.submit(asyncio.run, by_aiokafka(broker, topic)).result(60)
    stranger = Producer({"log_level": 0, "bootstrap.servers": broker.bootstrap})
    assert ours != by_confluent(stranger, topic), "without the setting the keys move: this test would see it"


MADE = re.compile(r"(?<!def )\b(Producer|Consumer|AdminClient|AIOKafkaProducer)\(")
ONE_PLACE = "services/shell/clients.py"
ELSEWHERE = {
    "services/shell/access.py": {"AdminClient"},  # this file checks whether the cluster admits the program
    "services/console/api/request_producer.py": {"AIOKafkaProducer"},  # its settings come from ONE_PLACE
}


def made_in(source: str) -> set[str]:
    """The Kafka clients that a file makes itself."""
    return {found[1] for found in MADE.finditer(source)}


def test_every_client_of_the_house_is_made_in_one_place_so_that_all_have_the_partitioner() -> None:
    files = [path for folder in ("services", "deploy") for path in (ROOT / folder).rglob("*.py")]
    makers = {str(path.relative_to(ROOT)): made_in(path.read_text()) for path in files}
    assert makers.pop(ONE_PLACE) == {"Producer", "Consumer", "AdminClient"}
    assert {path: made for path, made in makers.items() if made} == ELSEWHERE
    assert "AIOKafkaProducer(**intake_settings(" in (ROOT / "services/console/api/request_producer.py").read_text()


def test_a_client_that_is_made_elsewhere_is_found() -> None:
    assert made_in("    self._producer = Producer({**access.confluent()})") == {"Producer"}
    assert made_in("KafkaProducer(acks=1)\nKafkaConsumer()\nclients.producer(access, {})") == set()


CLIENTS = frozenset({"Producer", "Consumer", "AdminClient"})


def loud_in(source: str) -> list[int]:
    """The numbers of the lines that make a librdkafka client without `log_level`. Such a client would print errors
    about stopped brokers into the output of the tests."""
    found = []
    for node in ast.walk(tree_of(source)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in CLIENTS or not node.args:
            continue
        settings = node.args[0]
        if not isinstance(settings, ast.Dict):
            continue
        named = {key.value for key in settings.keys if isinstance(key, ast.Constant)}
        more = [value for key, value in zip(settings.keys, settings.values, strict=True) if key is None]
        if "log_level" not in named and not any(isinstance(each, ast.Name) for each in more):
            found.append(node.lineno)
    return found


def test_no_client_of_a_test_writes_into_its_output() -> None:
    files = {
        str(path.relative_to(ROOT)): loud_in(path.read_text(encoding="utf-8"))
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {path: lines for path, lines in files.items() if lines} == {}


def test_a_client_that_writes_is_found() -> None:
    assert loud_in('AdminClient({"bootstrap.servers": there})') == loud_in("Consumer({**access.confluent()})") == [1]
    assert loud_in('Producer({"log_level": 0})\nProducer({**quiet})\nProducer(settings)') == []


def test_the_headers_are_cloudevents_and_say_where_a_message_comes_from() -> None:
    assert codec.headers(
        id="c3ff0b6e-6c3f-5f0e-8d41-2f6a2f1f9f10",
        kind="ReleaseGranted",
        source="/desks/release",
        time="2026-11-25T16:30:00+00:00",
        subject=KEYS[0],
        cause="1f2e",
        correlation="3d4c",
        sequence=5,
        trace=b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"c3ff0b6e-6c3f-5f0e-8d41-2f6a2f1f9f10"),
        ("ce_type", b"ReleaseGranted"),
        ("ce_source", b"/desks/release"),
        ("ce_time", b"2026-11-25T16:30:00+00:00"),
        ("ce_subject", KEYS[0].encode()),
        ("causationid", b"1f2e"),
        ("correlationid", b"3d4c"),
        ("sequence", b"5"),
        ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ]


def test_the_loop_places_keys_where_every_client_does() -> None:
    """A message is parked if it lies in another partition than that of its key. So the loop must compute the same
    partition as every client."""
    for key in [*KEYS, "", "a", "ab", "abc", "CSQU3054383", "箱号", "k" * 200]:
        for partitions in (1, 2, 7, PARTITIONS, 48):
            assert partition_of(key.encode(), partitions) == of_clients(key, partitions), key


@pytest.mark.parametrize("message", DECIDED, ids=lambda message: message.kind)
def test_what_the_codec_writes_it_reads_under_the_same_key(message: Message) -> None:
    topic = next(name for name, kinds in codec.CARRIED.items() if message.kind in kinds)
    headers = {"ce_type": message.kind.encode(), "ce_id": b"1"}
    raw = codec.Raw(topic, 0, 0, message.key.encode(), codec.encode(message), headers)
    assert codec.encode(message) == payload(message)
    assert codec.decode(codec.kind_of(raw), raw) == message
