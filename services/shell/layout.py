"""Do the topics of a desk have the partitions that it was set up for? Another count moves keys: records are not found where they are."""

from collections.abc import Iterable

from confluent_kafka.admin import ClusterMetadata

from schemas.flow import FLOW, heard_topics
from schemas.topics import FACTS_AND_REQUESTS, orders_topic, parked_topic, state_topic

REFUSED_CODE = 78
"""Exit code of a worker that refuses to go on until somebody has mended something (EX_CONFIG of sysexits)."""


class Refused(RuntimeError):
    """Nothing that starting again would help; the text says what to do, in Chinese and English."""


def topics_of(service: str) -> tuple[str, ...]:
    """Every topic that this service reads or writes."""
    written = [t.name for t in FACTS_AND_REQUESTS if t.writer == service]
    own = (state_topic(service), parked_topic(service), orders_topic(service))
    return tuple(dict.fromkeys([*heard_topics(service), *written, *own])) if service in FLOW else own


def check_partitions(metadata: ClusterMetadata, topics: Iterable[str], partitions: int) -> None:
    """Refused when a topic that the cluster knows has another number of partitions."""
    for name in topics:
        topic = metadata.topics.get(name)
        count = len(topic.partitions) if topic is not None and topic.error is None else 0
        if count and count != partitions:
            raise Refused(
                f"Topic {name} has {count} partitions, DTG_PARTITIONS says {partitions}: keys would move. "
                f"主题 {name} 有 {count} 个分区，配置为 {partitions} 个，分区数不可更改。 "
                "Nothing is read until it is mended: docs/runbooks/WorkerDown.md"
            )
