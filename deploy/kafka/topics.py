"""Which topics must a cluster have before any desk starts, and with which settings?"""

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.kafka.errors import BrokerError
from schemas.topics import CATALOGUE, Topic


def settings_of(topic: Topic, replication: int) -> dict[str, str]:
    """Facts and requests are kept for ever, states are compacted; two copies must be in step where there are three."""
    common = {"min.insync.replicas": str(max(1, replication - 1)), "max.message.bytes": str(8 << 20)}
    if topic.retention == "compact":
        return {
            **common,
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.5",
            "segment.bytes": str(16 << 20),  # the last segment is never cleaned: a restore reads what it superseded too
        }
    return {**common, "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def provision(bootstrap: str, partitions: int, replication: int = 1) -> list[str]:
    """Makes every topic of the catalogue that is missing and returns their names.

    BrokerError when the cluster does not answer, or holds one of our topics with another partition count: keys would move.
    """
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), request_timeout_ms=15_000)
    except KafkaError as error:
        raise BrokerError(
            f"No Kafka cluster answers at {bootstrap}. 无法连接 Kafka。 Check DTG_KAFKA. ({error})"
        ) from error
    try:
        names = {t.name for t in CATALOGUE}
        described = admin.describe_topics([n for n in admin.list_topics() if n in names])
        there = {t["name"]: len(t["partitions"]) for t in described}
        for name, count in there.items():
            if count != partitions:
                raise BrokerError(
                    f"Topic {name} has {count} partitions, DTG_PARTITIONS says {partitions}. 分区数不可更改。 "
                    f"The partition count is fixed for life: set DTG_PARTITIONS={count}"
                )
        missing = [
            NewTopic(t.name, partitions, replication, topic_configs=settings_of(t, replication))
            for t in CATALOGUE
            if t.name not in there
        ]
        if missing:
            try:
                admin.create_topics(missing, timeout_ms=30_000)
            except TopicAlreadyExistsError:
                return provision(bootstrap, partitions, replication)  # somebody else provisions beside us
        return [t.name for t in missing]
    finally:
        admin.close()
