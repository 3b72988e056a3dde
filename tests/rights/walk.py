"""What may a credential do on a cluster, by trying? Everything is asked of the brokers, nothing of the table of rights."""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicCollection
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka import KafkaAdminClient, KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from kafka.admin import MemberToRemove
from kafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from schemas.rights import group_of
from schemas.topics import CATALOGUE, SERVICES
from services.shell.access import Access

TOPICS = tuple(topic.name for topic in CATALOGUE)
GROUPS = (
    *(group_of(service) for service in SERVICES),
    *(f"{group_of(service)}-restore" for service in SERVICES),
    *("customs-console", "customs-simulator", "customs-bench", "customs-worker-gate-0", "stranger"),
)
TRANSACTIONS = (*(f"{group_of(service)}-0" for service in SERVICES), "customs-worker-0", "customs-bench-0", "stranger")
CLUSTER = ("make a topic", "read the rights", "change a password")
SECONDS = 60.0


class Granted(NamedTuple):
    """One thing that the cluster let somebody do."""

    resource: str
    name: str
    operation: str


def walk(access: Access) -> set[Granted]:
    """Everything of TOPICS, GROUPS, TRANSACTIONS and CLUSTER that the cluster grants to this credential."""
    with ThreadPoolExecutor(4) as threads:
        parts = [
            threads.submit(probe, access)
            for probe in (described, read, written, groups_described, groups_joined, transactions, of_the_cluster)
        ]
        return set().union(*[part.result() for part in parts])


def granted(future: "Future[Any]", *denied: int) -> bool:
    """Whether this answer is none of these errors; another error says that it was granted and came to nothing."""
    try:
        future.result(SECONDS)
    except KafkaException as error:
        code = error.args[0].code()
        if code in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT):
            raise
        return code not in denied
    return True


def described(access: Access) -> set[Granted]:
    admin = AdminClient({**access.confluent(), "log_level": 0})
    answers = admin.describe_topics(TopicCollection(list(TOPICS)), request_timeout=SECONDS)
    return {
        Granted("topic", name, "describe")
        for name, answer in answers.items()
        if granted(answer, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    }


def read(access: Access) -> set[Granted]:
    """A topic is read when a message of it comes: there must be one in each, in partition 0."""
    consumer = KafkaConsumer(**access.kafka_python(), enable_auto_commit=False, auto_offset_reset="earliest")
    found: set[str] = set()
    refused: set[str] = set()
    end = time.monotonic() + SECONDS
    try:
        while (left := set(TOPICS) - found - refused) and time.monotonic() < end:
            consumer.assign([KafkaPartition(name, 0) for name in sorted(left)])
            try:
                found |= {place.topic for place in consumer.poll(timeout_ms=500)}
            except TopicAuthorizationFailedError as error:
                refused |= set(TOPICS) & set(re.findall(r"[a-z-]+", str(error)))
    finally:
        consumer.close()
    assert not left, f"of {left} nothing was answered"
    return {Granted("topic", name, "read") for name in found}


def written(access: Access) -> set[Granted]:
    producer = Producer({**access.confluent(), "message.timeout.ms": int(SECONDS * 1000), "log_level": 0})
    found: dict[str, KafkaError | None] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        found[message.topic()] = error

    for name in TOPICS:
        producer.produce(name, key=b"probe", value=b"probe", partition=0, on_delivery=delivered)
    producer.flush(SECONDS)
    codes = {name: error.code() for name, error in found.items() if error is not None}
    assert found.keys() == set(TOPICS)
    assert set(codes.values()) <= {KafkaError.TOPIC_AUTHORIZATION_FAILED}, codes
    return {Granted("topic", name, "write") for name in found if name not in codes}


def groups_described(access: Access) -> set[Granted]:
    admin = AdminClient({**access.confluent(), "log_level": 0})
    answers = admin.describe_consumer_groups(list(GROUPS), request_timeout=SECONDS)
    return {
        Granted("group", name, "describe")
        for name, answer in answers.items()
        if granted(answer, KafkaError.GROUP_AUTHORIZATION_FAILED)
    }


def groups_joined(access: Access) -> set[Granted]:
    """To take a member out of a group needs the right to be one; nobody has this member's name."""
    admin = KafkaAdminClient(**access.kafka_python())
    found = set()
    try:
        for name in GROUPS:
            try:
                answer = admin.remove_group_members(name, [MemberToRemove(member_id="nobody")])
            except GroupAuthorizationFailedError:
                continue
            assert "Unauthor" not in str(answer) and "AuthorizationFailed" not in str(answer), answer
            found.add(Granted("group", name, "read"))
    finally:
        admin.close()
    return found


def transactions(access: Access) -> set[Granted]:
    def begun(name: str) -> bool:
        producer = Producer(
            {**access.confluent(), "transactional.id": name, "transaction.timeout.ms": 10_000, "log_level": 0}
        )
        try:
            producer.init_transactions(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                raise
            return False
        return True

    with ThreadPoolExecutor(5) as threads:
        return {
            Granted("transactional id", name, "write")
            for name, yes in zip(TRANSACTIONS, threads.map(begun, TRANSACTIONS), strict=True)
            if yes
        }


def of_the_cluster(access: Access) -> set[Granted]:
    admin = AdminClient({**access.confluent(), "log_level": 0})
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    asked: dict[str, Callable[[], Future[Any]]] = {
        "make a topic": lambda: admin.create_topics([NewTopic("customs-probe", 1, 1)], validate_only=True)[
            "customs-probe"
        ],
        "read the rights": lambda: admin.describe_acls(everything),
        "change a password": lambda: admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("somebody", info, b"x" * 32)]
        )["somebody"],
    }
    denied = (KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    return {Granted("cluster", name, "alter") for name in CLUSTER if granted(asked[name](), *denied)}
