"""How does an operator's command read the topics without the code of the loop? It reads committed messages with kafka-python."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from deploy.kafka.errors import BrokerError
from schemas.parking import PARKING, Parking, read_parking
from services.cli.screen import errors
from services.ports import header_names  # noqa: F401  (the import patches kafka-python for any names of headers)
from services.shell.access import ACCESS_SECONDS, Access, NoAccess, accepts, access_to, try_access


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """One message of a topic. `headers`: header name → text; `body`: the parsed JSON of the value, None if the value is not JSON.

    `timestamp_ms`: the time at which the producer created the message, by the machine's clock (milliseconds since 1970 UTC). This
    is not the sandbox clock, even if the programs use one.
    """

    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    value: bytes | None
    timestamp_ms: int = 0

    @property
    def desk(self) -> str:
        """Returns the service to which the topic belongs. Only this service writes facts, states and messages about parking on
        its topics."""
        return self.topic.split("-")[1]

    @property
    def written_by_its_desk(self) -> bool:
        """Returns whether the service to which the topic belongs wrote the message. Returns False for a request, and for a
        message that another program wrote on a topic on which only a service may write."""
        return self.headers.get("ce_source") == f"/desks/{self.desk}"

    @property
    def position(self) -> str:
        """Returns the position at which the message was read, as `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def kind(self) -> str:
        return self.headers.get("ce_type", "")

    @property
    def id(self) -> str:
        return self.headers.get("ce_id", "")

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.value) if self.value is not None else None
        except (ValueError, RecursionError):  # RecursionError: the JSON is nested deeper than Python can read
            return None


def reader(kafka: Access | str, **options: Any) -> KafkaConsumer:
    """Returns a consumer without a group. Raises BrokerError if no cluster answers, NoAccess if the cluster does not accept this
    credential."""
    access = access_to(kafka)
    let_in(access)
    try:
        return KafkaConsumer(
            **access.kafka_python(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **options,
        )
    except KafkaError as error:
        raise BrokerError(
            f"No Kafka cluster answers at {access.servers}. 无法连接 Kafka。 Check DTG_KAFKA. ({error})"
        ) from error


def let_in(access: Access) -> None:
    """Tests whether the cluster accepts this credential. Raises NoAccess if not. Without this test, kafka-python would try for
    half a minute and give no reason.

    Raises BrokerError if the credential cannot be used and no broker listens at the address.
    """
    try:
        try_access(access, ACCESS_SECONDS)
    except NoAccess as error:
        if accepts(access.servers):
            raise
        raise BrokerError(
            f"No Kafka cluster answers at {access.servers}. 无法连接 Kafka。 Check DTG_KAFKA. ({error})"
        ) from error


def partition_of(key: str, partitions: int) -> int:
    """Returns the partition into which every client of this project writes messages with this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def read(kafka: Access | str, topics: list[str], partition: int | None = None) -> Iterator[LoggedMessage]:
    """Yields all committed messages of these topics up to their present ends, each partition in its order. `partition`: if given,
    only messages of this partition."""
    consumer = reader(kafka, max_poll_records=5000)
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in partitions_of(consumer, topic)
            if partition is None or number == partition
        ]
        ends = {topic_partition: end for topic_partition, end in consumer.end_offsets(partitions).items() if end > 0}
        if not ends:
            return
        consumer.assign(list(ends))
        consumer.seek_to_beginning(*ends)
        read_to = dict.fromkeys(ends, 0)
        with errors.progress("reading 读取", sum(ends.values())) as advance:
            while ends:
                for topic_partition, messages in consumer.poll(timeout_ms=200).items():
                    for m in messages:
                        if topic_partition in ends and m.offset < ends[topic_partition]:
                            yield entry_of(m)
                for topic_partition, end in list(ends.items()):
                    reached = min(consumer.position(topic_partition) or 0, end)
                    advance(reached - read_to[topic_partition])
                    read_to[topic_partition] = reached
                    if reached >= end:
                        del ends[topic_partition]
    finally:
        consumer.close()


def partitions_of(consumer: KafkaConsumer, topic: str, seconds: float = 10) -> list[int]:
    """Returns the partitions of a topic. Raises BrokerError if the cluster does not know the topic after `seconds`. An unknown
    topic is an error because it must not look like an empty one."""
    deadline = time.monotonic() + seconds
    while not (numbers := consumer.partitions_for_topic(topic)):
        if time.monotonic() > deadline:
            raise BrokerError(
                f"The cluster does not know the topic {topic}. 主题不存在。 `dtg up` makes it; check DTG_KAFKA"
            )
        time.sleep(0.2)
    return sorted(numbers)


def parking_of(entry: LoggedMessage) -> Parking | None:
    """Returns the fact of a service about a parked message, in its present form even if it was written in the older one. Returns
    None if another program wrote the message to the parked topic."""
    if entry.kind not in PARKING or not entry.written_by_its_desk:
        return None
    try:
        fact = read_parking(entry.kind, entry.value)
    except ValueError:  # the value is not a valid parking fact
        return None
    return fact if fact.service == entry.desk else None


def entry_of(m: Any) -> LoggedMessage:
    """Returns a message of kafka-python as a `LoggedMessage`."""
    headers = {name: value.decode("utf-8", "replace") if value else "" for name, value in m.headers}
    key = m.key.decode("utf-8", "replace") if m.key is not None else ""
    return LoggedMessage(m.topic, m.partition, m.offset, key, headers, m.value, m.timestamp)
