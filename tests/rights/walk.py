"""What may a credential do on a cluster? This module tries it with the brokers and does not use the table of rights."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicCollection, TopicPartition
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
from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import GroupAuthorizationFailedError, RetriableError

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
CLUSTER = ("make a topic", "change a password", "read the rights")
SECONDS = 60.0


class Granted(NamedTuple):
    """One operation on one resource that the cluster allowed."""

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
    """Whether the answer is none of these errors; another error means that the request was allowed but failed."""
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
    """Returns the topics from which the credential can read a message. Each topic must have a message in partition 0.

    A topic that Kafka does not describe cannot be read either, because the right to read includes the right to
    describe.
    """
    settings = {"group.id": "stranger", "auto.offset.reset": "earliest", "enable.auto.commit": False, "log_level": 0}
    names = {each.name for each in described(access)}
    consumer = Consumer({**access.confluent(), **settings})
    found: dict[str, bool] = {}
    end = time.monotonic() + SECONDS
    try:
        consumer.assign([TopicPartition(name, 0, 0) for name in sorted(names)])
        while found.keys() != names:
            if time.monotonic() > end:
                raise TimeoutError(f"of {names - found.keys()} nothing was answered")
            for message in consumer.consume(100, 0.1):
                error = message.error()
                if error is None:
                    found[message.topic()] = True
                elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED and message.topic() in names:
                    found.setdefault(message.topic(), False)
    finally:
        consumer.close()
    return {Granted("topic", name, "read") for name, yes in found.items() if yes}


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
    """The groups that the credential may join. To find out, this removes a member that does not exist, which needs the
    same right."""
    admin = KafkaAdminClient(**access.kafka_python())
    found = set()
    try:
        for name in GROUPS:
            try:
                answer = removed(admin, name)
            except GroupAuthorizationFailedError:
                continue
            assert "Unauthor" not in str(answer) and "AuthorizationFailed" not in str(answer), answer
            found.add(Granted("group", name, "read"))
    finally:
        admin.close()
    return found


def removed(admin: KafkaAdminClient, group: str) -> Any:
    """The coordinator's answer to removing a member that does not exist. The request is sent again until a coordinator
    is ready, for at most SECONDS."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return admin.remove_group_members(group, [MemberToRemove(member_id="nobody")])
        except RetriableError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


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
    changes: dict[str, Callable[[], Future[Any]]] = {
        "make a topic": lambda: admin.create_topics([NewTopic("customs-probe", 1, 1)], validate_only=True)[
            "customs-probe"
        ],
        "change a password": lambda: admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("somebody", info, b"x" * 32)]
        )["somebody"],
    }
    denied = (KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    found = {Granted("cluster", name, "alter") for name, ask in changes.items() if granted(ask(), *denied)}
    # a client without the right gets an empty list, not an error
    shown = admin.describe_acls(everything).result(SECONDS)
    return found | ({Granted("cluster", "read the rights", "alter")} if shown else set())
