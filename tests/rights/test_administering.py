"""Can a credential use Kafka's admin requests for anything that its rights do not allow: delete, alter, grant, reset
offsets, describe?"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from schemas.rights import group_of, user_of
from schemas.topics import SERVICES, facts_topic, parked_topic, requests_topic, state_topic
from services.shell.access import Access, NoAccess, try_access
from tests.rights.conftest import RIGHTS, Secured
from tests.rights.walk import granted

DENIED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError._NOENT,
)
"""The errors of a refusal. The client itself raises the last one for a topic that the brokers do not describe to this
user."""
INSIDE = ("__consumer_offsets", "__transaction_state", "__cluster_metadata", "__share_group_state")
TOPICS = (facts_topic("gate"), requests_topic("gate"), state_topic("gate"), parked_topic("gate"))


def _acl(name: str) -> AclBinding:
    everything = (ResourceType.TOPIC, "*", ResourcePatternType.LITERAL, f"User:{user_of(name)}", "*")
    return AclBinding(*everything, AclOperation.ALL, AclPermissionType.ALLOW)


def _configured(kind: Any, name: str, entry: str, value: str) -> ConfigResource:
    change = ConfigEntry(entry, value, incremental_operation=AlterConfigOpType.SET)
    return ConfigResource(kind, name, incremental_configs=[change])


def tries(name: str, admin: AdminClient) -> dict[str, Callable[[], Future[Any]]]:
    """Name → a request that only the administrator may send."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    broker = _configured(ConfigResource.Type.BROKER, "1", "log.retention.ms", "60000")
    own = UserScramCredentialUpsertion(user_of(name), info, b"x" * 32)
    everybodys = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    made: dict[str, Callable[[], Future[Any]]] = {
        "alter the broker": lambda: admin.incremental_alter_configs([broker])[broker],
        "read the broker's settings": lambda: next(
            iter(admin.describe_configs([ConfigResource(ConfigResource.Type.BROKER, "1")]).values())
        ),
        "give itself rights": lambda: next(iter(admin.create_acls([_acl(name)]).values())),
        "take everybody's rights": lambda: next(iter(admin.delete_acls([everybodys]).values())),
        "change its own password": lambda: admin.alter_user_scram_credentials([own])[user_of(name)],
    }
    for topic in TOPICS:
        retention = _configured(ConfigResource.Type.TOPIC, topic, "retention.ms", "60000")
        start = TopicPartition(topic, 0, 1)
        made |= {
            f"delete {topic}": lambda topic=topic: admin.delete_topics([topic])[topic],  # type: ignore[misc]
            f"delete records of {topic}": lambda start=start: next(iter(admin.delete_records([start]).values())),  # type: ignore[misc]
            f"shorten {topic}": lambda it=retention: admin.incremental_alter_configs([it])[it],  # type: ignore[misc]
            f"spread {topic}": lambda topic=topic: admin.create_partitions(  # type: ignore[misc]
                [NewPartitions(topic, 9)], validate_only=True
            )[topic],
        }
    return made


@pytest.mark.parametrize("name", list(RIGHTS))
def test_no_credential_administers_the_cluster(secured: Secured, name: str) -> None:
    admin = AdminClient({**secured.access(name).confluent(), "log_level": 0})
    assert [what for what, ask in tries(name, admin).items() if granted(ask(), *DENIED)] == []
    answers = admin.describe_topics(TopicCollection(list(INSIDE)), request_timeout=60)
    hidden = (*DENIED, KafkaError.UNKNOWN_TOPIC_OR_PART)
    assert [topic for topic, answer in answers.items() if granted(answer, *hidden)] == []


@pytest.mark.parametrize("name", list(RIGHTS))
def test_only_a_service_itself_says_how_far_it_has_read_and_nobody_makes_it_forget(secured: Secured, name: str) -> None:
    """With a lower offset a desk would decide everything again, and with a higher one it would skip holds."""
    admin = AdminClient({**secured.access(name).confluent(), "log_level": 0})

    def set_back(service: str) -> bool:
        offsets = ConsumerGroupTopicPartitions(group_of(service), [TopicPartition(requests_topic("gate"), 0, 0)])
        (answer,) = admin.alter_consumer_group_offsets([offsets]).values()
        if not granted(answer, *DENIED):
            return False
        result = answer.result(60)
        return all(each.error is None for each in result.topic_partitions)

    assert [service for service in SERVICES if set_back(service)] == [each for each in ("gate",) if each == name]
    groups = admin.delete_consumer_groups([group_of(service) for service in SERVICES], request_timeout=60)
    assert [group for group, answer in groups.items() if granted(answer, *DENIED)] == []


def test_the_controllers_door_is_open_to_no_credential_of_the_house_and_to_nobody_without_one(secured: Secured) -> None:
    lines = (secured.broker.folder / "server.properties").read_text(encoding="utf-8").splitlines()
    (voters,) = [line.partition("@")[2] for line in lines if line.startswith("controller.quorum.voters")]
    controller = voters.replace("\\u003a", ":")
    for name in ("door", "release", "supervisor"):
        held = secured.access(name)
        with pytest.raises(NoAccess):
            try_access(Access(controller, held.security, held.file), 30)
    nobody = AdminClient({**Access(controller).confluent(), "log_level": 0, "reconnect.backoff.max.ms": 100})
    with pytest.raises(KafkaException):
        nobody.list_topics(timeout=5)
