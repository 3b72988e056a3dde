"""Which topics must a cluster have before any desk starts, and with which settings?"""

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.kafka.errors import BrokerError
from schemas.topics import CATALOGUE, Topic
from services.shell import clients
from services.shell.access import Access, access_to, try_access


def settings_of(topic: Topic, replication: int) -> dict[str, str]:
    """Returns the settings of a topic. Facts and requests are kept for ever, states are compacted. A write succeeds
    only if at least `replication` - 1 replicas are in sync; if there is only one replica, it must be in sync."""
    common = {
        "min.insync.replicas": str(max(1, replication - 1)),
        "max.message.bytes": str(8 << 20),
        # Messages are not compressed, because a reader without the codec of a batch could never read beyond that batch.
        "compression.type": "uncompressed",
    }
    if topic.retention == "compact":
        return {
            **common,
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.5",
            # Segments are small, because Kafka never compacts the active one. A restore has to read all records of the active segment.
            "segment.bytes": str(16 << 20),
        }
    return {**common, "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


HELD = ("cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "compression.type")
"""Settings that must be right in each topic. Otherwise records or facts are lost, messages do not fit, or readers lack a
codec."""


def misfits(topic: Topic, found: Mapping[str, str]) -> dict[str, str]:
    """Returns setting → the value that it must have, for each setting of HELD that is wrong in an existing topic. `found`:
    the topic's settings."""
    wanted = settings_of(topic, 1)
    return {
        name: wanted[name]
        for name in HELD
        if name in wanted
        and name in found
        and (int(found[name]) < int(wanted[name]) if name == "max.message.bytes" else found[name] != wanted[name])
    }


NAMES = {ConfigResource.Type.TOPIC: ("topic", "主题"), ConfigResource.Type.BROKER: ("broker", "集群")}


def read_settings(kafka: Access | str, kind: ConfigResource.Type, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Returns name of a topic or broker → its settings. Raises BrokerError if they cannot be read."""
    admin = clients.admin(access_to(kafka))
    found = {}
    for resource, answer in admin.describe_configs([ConfigResource(kind, name) for name in names]).items():
        try:
            found[resource.name] = {name: str(entry.value) for name, entry in answer.result(30).items()}
        except KafkaException as error:
            english, chinese = NAMES[kind]
            raise BrokerError(
                f"The settings of {english} {resource.name} cannot be read. 无法读取{chinese}设置。 ({error})"
            ) from error
    return found


def compare(kafka: Access | str, names: set[str]) -> None:
    """Raises BrokerError if one of these existing topics has a wrong setting (see HELD). The text contains the command that
    corrects it."""
    topics = {topic.name: topic for topic in CATALOGUE}
    for topic, found in read_settings(kafka, ConfigResource.Type.TOPIC, sorted(names)).items():
        wrong = misfits(topics[topic], found)
        if wrong:
            actual = ", ".join(f"{name}={found[name]}" for name in wrong)
            right = ",".join(f"{name}={value}" for name, value in wrong.items())
            raise BrokerError(
                f"Topic {topic} has {actual}: what must be kept would be lost, would not fit, or could not be read. "
                f"主题设置会丢失、拒绝或使人无法读取必须保存的消息。 Mend it: kafka-configs.sh --bootstrap-server {access_to(kafka).servers} "
                f"--alter --entity-type topics --entity-name {topic} --add-config {right}"
            )


KEPT_MINUTES = 7 * 24 * 60
"""The retention of the offsets of an empty consumer group, in minutes (seven days). If a cluster's retention is shorter,
`cautions` warns of it."""
ANSWER_SECONDS = 15.0
OPEN_MS = 30_000
"""The transaction timeout in milliseconds. If a cluster allows a longer one, `cautions` warns of it, because readers of
a topic may wait that long for a program that ended in the middle of a transaction."""


def cautions(kafka: Access | str) -> list[str]:
    """Returns a sentence for each setting of the brokers whose effect an operator should know. None of these settings is an
    error.

    Raises BrokerError if the settings cannot be read.
    """
    try:
        brokers = clients.admin(access_to(kafka)).list_topics(timeout=30).brokers
    except KafkaException as error:
        raise BrokerError(f"The brokers of the cluster cannot be listed. 无法列出集群节点。 ({error})") from error
    found = read_settings(kafka, ConfigResource.Type.BROKER, [str(number) for number in brokers])

    def of(name: str) -> list[int]:
        return [int(one[name]) for one in found.values() if name in one]

    sentences = []
    kept = min(of("offsets.retention.minutes"), default=KEPT_MINUTES)
    if kept < KEPT_MINUTES:
        sentences.append(
            f"The cluster forgets the offsets of a group without members after {kept} minutes (offsets.retention.minutes): "
            f"a desk that was off for longer goes on from the positions in its state topic. "
            f"集群在 {kept} 分钟后忘记消费位点，岗位将从状态主题中的读取位点继续。"
        )
    longest = max(of("transaction.max.timeout.ms"), default=0)
    if longest > OPEN_MS:
        sentences.append(
            f"The cluster lets a transaction stay open for {longest // 1000} s (transaction.max.timeout.ms): a program that "
            f"died within one stops every reader of its topics for as long; {OPEN_MS} is enough for ours. "
            f"未结束的事务最多会让读取停顿 {longest // 1000} 秒。"
        )
    if len(brokers) > 1 and 1 in of("transaction.state.log.min.isr"):
        sentences.append(
            "One broker alone may acknowledge what a transaction comes to (transaction.state.log.min.isr=1): it is lost with "
            "its disk. 事务日志只需一个副本确认。"
        )
    return sentences


def provision(kafka: Access | str, partitions: int, replication: int = 1) -> list[str]:
    """Makes every topic of the catalogue that is missing, and returns the names of these topics.

    Raises BrokerError if the cluster does not answer. Also raises it if one of our topics exists with wrong settings (see
    `compare`) or with another number of partitions. With another number, keys would be in other partitions.
    """
    access = access_to(kafka)
    try_access(access, ANSWER_SECONDS)
    try:
        admin = KafkaAdminClient(**access.kafka_python(), request_timeout_ms=int(ANSWER_SECONDS * 1000))
    except KafkaError as error:
        raise BrokerError(
            f"No Kafka cluster answers at {access.servers}. 无法连接 Kafka。 Check DTG_KAFKA. ({error})"
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
        if there:
            compare(kafka, set(there))
        missing = [
            NewTopic(t.name, partitions, replication, topic_configs=settings_of(t, replication))
            for t in CATALOGUE
            if t.name not in there
        ]
        if missing:
            try:
                admin.create_topics(missing, timeout_ms=30_000)
            except TopicAlreadyExistsError:
                # another process has made some of the topics meanwhile, so it is determined again which ones are missing
                return provision(kafka, partitions, replication)
        return [t.name for t in missing]
    finally:
        admin.close()
