"""Are the topics of a desk those for which it was set up? If a topic has another number of partitions, keys are in other partitions,
and their records are not found. If a topic was deleted and made again, the offsets that the desk has read belong to other messages."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription

from schemas.flow import FLOW, heard_topics
from schemas.topics import FACTS_AND_REQUESTS, FOR_THE_PORTS, orders_topic, parked_topic, state_topic

REFUSED_CODE = 78
"""The exit code of a worker that cannot go on until an operator has corrected something (EX_CONFIG of sysexits)."""


class CannotContinue(RuntimeError):
    """Raised if the process must end, and a restart would not help. The text says what to do, in Chinese and English."""


class Described(NamedTuple):
    """A topic as the cluster describes it: its id and its number of partitions. If a topic is deleted and made again with the same
    name, its id is another one."""

    id: str
    partitions: int


def topics_of(service: str) -> tuple[str, ...]:
    """Returns the names of all topics that this service reads or writes."""
    written = [t.name for t in (*FACTS_AND_REQUESTS, FOR_THE_PORTS) if service in t.writers]
    own = (state_topic(service), parked_topic(service), orders_topic(service))
    return tuple(dict.fromkeys([*heard_topics(service), *written, *own])) if service in FLOW else own


Answers = Mapping[str, Future[TopicDescription]]


def ask(admin: AdminClient, topics: Iterable[str], seconds: float) -> Answers:
    """Requests the descriptions of these topics, and returns the futures of the answers without waiting. `seconds`: the timeout."""
    answers: Answers = admin.describe_topics(TopicCollection(list(topics)), request_timeout=seconds)
    return answers


def found(answers: Answers) -> dict[str, Described]:
    """Waits for the answers, and returns name → description of the requested topics that exist. Raises KafkaException if the cluster
    did not answer in time."""
    there = {}
    for name, answer in answers.items():
        try:
            topic = answer.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
        else:
            there[name] = Described(str(topic.topic_id), len(topic.partitions))
    return there


def ids(topics: Mapping[str, Described]) -> dict[str, str]:
    """Returns name of each topic → its id."""
    return {name: topic.id for name, topic in topics.items()}


def check_partitions(topics: Mapping[str, Described], partitions: int) -> None:
    """Raises CannotContinue if one of the topics does not have this number of partitions."""
    for name, topic in topics.items():
        if topic.partitions != partitions:
            raise CannotContinue(
                f"Topic {name} has {topic.partitions} partitions, DTG_PARTITIONS says {partitions}: keys would move. "
                f"主题 {name} 有 {topic.partitions} 个分区，配置为 {partitions} 个，分区数不可更改。 "
                "Nothing is read until it is mended: docs/runbooks/WorkerDown.md"
            )


def replaced(known: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str] | None:
    """Returns an English and a Chinese sentence about the first topic that was deleted, even if it was made again,
    because its former messages are lost. Returns None if all topics have their known ids.

    `known`: topic → its id before; `now`: topic → its present id.
    """
    for name, former in known.items():
        if now.get(name) != former:
            if name in now:
                return f"topic {name} was made anew", f"主题 {name} 已被重建"
            return f"topic {name} is not there any more", f"主题 {name} 已不存在"
    return None
