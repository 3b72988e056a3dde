"""Are the topics of a desk those that it was set up for? If the number of partitions is another one, keys are in other partitions, and
their records are not found. If a topic was deleted and made again, other messages are at the offsets that the desk has read."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription

from schemas.flow import FLOW, heard_topics
from schemas.topics import FACTS_AND_REQUESTS, FOR_THE_PORTS, orders_topic, parked_topic, state_topic

REFUSED_CODE = 78
"""Exit code of a worker that cannot go on until an operator has corrected something (EX_CONFIG of sysexits)."""


class CannotContinue(RuntimeError):
    """The process must end, and a restart would not help; the text says what to do, in Chinese and English."""


class Described(NamedTuple):
    """A topic as the cluster describes it: its id, which is another one each time a topic of this name is made, and its number of
    partitions."""

    id: str
    partitions: int


def topics_of(service: str) -> tuple[str, ...]:
    """Every topic that this service reads or writes."""
    written = [t.name for t in (*FACTS_AND_REQUESTS, FOR_THE_PORTS) if service in t.writers]
    own = (state_topic(service), parked_topic(service), orders_topic(service))
    return tuple(dict.fromkeys([*heard_topics(service), *written, *own])) if service in FLOW else own


Answers = Mapping[str, Future[TopicDescription]]


def ask(admin: AdminClient, topics: Iterable[str], seconds: float) -> Answers:
    """Requests the descriptions of these topics, without waiting for the answers."""
    answers: Answers = admin.describe_topics(TopicCollection(list(topics)), request_timeout=seconds)
    return answers


def found(answers: Answers) -> dict[str, Described]:
    """Those of the requested topics that exist; KafkaException if the cluster did not answer in time."""
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
    """Topic → its id."""
    return {name: topic.id for name, topic in topics.items()}


def check_partitions(topics: Mapping[str, Described], partitions: int) -> None:
    """Raises CannotContinue if a topic has another number of partitions."""
    for name, topic in topics.items():
        if topic.partitions != partitions:
            raise CannotContinue(
                f"Topic {name} has {topic.partitions} partitions, DTG_PARTITIONS says {partitions}: keys would move. "
                f"主题 {name} 有 {topic.partitions} 个分区，配置为 {partitions} 个，分区数不可更改。 "
                "Nothing is read until it is mended: docs/runbooks/WorkerDown.md"
            )


def replaced(known: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str] | None:
    """An English and a Chinese sentence about the first topic that was deleted or made again, so that its messages are lost; None if
    all topics have their known ids."""
    for name, former in known.items():
        if now.get(name) != former:
            if name in now:
                return f"topic {name} was made anew", f"主题 {name} 已被重建"
            return f"topic {name} is not there any more", f"主题 {name} 已不存在"
    return None
