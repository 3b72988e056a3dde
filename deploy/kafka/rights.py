"""How does a cluster get its users and rights? One request to the brokers makes the users with their passwords, and another one
makes the ACLs."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.kafka.errors import BrokerError
from deploy.kafka.topics import provision
from schemas.rights import SANDBOX, Right, Rights, user_of
from services.shell.access import Access, Credential, file_of, make_credential, read_credential
from services.shell.clients import admin
from services.shell.private_file import write_private

SECONDS = 30.0
ITERATIONS = 4096
"""The iterations of SCRAM: as few as Kafka accepts. More are not needed, because nobody can guess a password of 256 random bits,
even with very fast guesses."""
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional id": ResourceType.TRANSACTIONAL_ID,
}
OPERATIONS = {"read": AclOperation.READ, "write": AclOperation.WRITE, "describe": AclOperation.DESCRIBE}


def make_credentials(folder: Path, names: Iterable[str], owner: str = "") -> list[str]:
    """Makes a private file for each of these credentials that has none, and returns the names of the credentials that got one.
    Raises BrokerError if a file cannot be written.

    `owner`: the administrator of our own broker. Its credential is PLAIN and not SCRAM: Kafka keeps SCRAM credentials in
    the metadata of the cluster, and the administrator signs in before the metadata have any.
    """
    try:
        made = [owner] if owner and make_credential(folder, owner, "PLAIN") else []
        return made + [name for name in names if make_credential(folder, name)]
    except OSError as error:
        raise BrokerError(f"The credentials in {folder} cannot be written: {error}. 无法写入 Kafka 凭据。") from error


TOOLS = "kafka-tools.properties"
"""The name of the file with which Kafka's own tools sign in at our broker (`--command-config`). It is beside the credentials."""


def write_tools(folder: Path, owner: str) -> None:
    """Writes the file TOOLS, with which Kafka's own tools sign in as the administrator. Raises NoAccess if the administrator's
    credential cannot be used, and BrokerError if the file cannot be written."""
    held = read_credential(file_of(folder, owner))
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    lines = (
        "security.protocol=SASL_PLAINTEXT",
        f"sasl.mechanism={held.mechanism}",
        f'sasl.jaas.config={module} required username="{held.username}" password="{held.password}";',
    )
    try:
        write_private(folder / TOOLS, "\n".join(lines) + "\n")
    except OSError as error:
        raise BrokerError(f"The credentials in {folder} cannot be written: {error}. 无法写入 Kafka 凭据。") from error


def prepare(
    access: Access, folder: Path, partitions: int, rights: Mapping[str, Rights], replication: int = 1
) -> list[str]:
    """Makes the topics that are missing, and gives the cluster users and rights. Returns the names of the topics that were made.

    `folder`: the folder with the credentials. Raises BrokerError in the same cases as `topics.provision`, and NoAccess if a
    credential cannot be used.
    """
    made = provision(access, partitions, replication)
    give_users(access, folder, rights)
    give_rights(access, rights_of_users(folder, rights))
    return made


def rights_of_users(folder: Path, rights: Mapping[str, Rights]) -> dict[str, Rights]:
    """Returns user name → rights, for the users of the credentials in this folder. Raises NoAccess if a credential cannot be
    used."""
    return {read_credential(file_of(folder, name)).username: held for name, held in rights.items()}


def give_users(access: Access, folder: Path, names: Iterable[str]) -> None:
    """Gives the cluster the users and passwords of these credentials, except of those that sign in with PLAIN. Removes
    the users of `SANDBOX` that none of these credentials names.

    Raises BrokerError if the cluster does not store users, does not answer, or refuses the change.
    """
    wanted = [read_credential(file_of(folder, name)) for name in names]
    admin = _admin(access)
    known = _done(admin.describe_user_scram_credentials(), "users")
    strangers = ({user_of(name) for name in SANDBOX} - {held.username for held in wanted}) & set(known)
    changes: list[UserScramCredentialAlteration] = [_user(held) for held in wanted if held.mechanism != "PLAIN"]
    changes += [UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512) for name in sorted(strangers)]
    for answer in admin.alter_user_scram_credentials(changes).values():
        _done(answer, "users")
    users = {held.username for held in wanted if held.mechanism != "PLAIN"}
    _until(lambda: users <= set(_done(admin.describe_user_scram_credentials(), "users")), "users")


def give_rights(access: Access, rights: Mapping[str, Rights]) -> tuple[int, int]:
    """Makes the ACLs of these users exactly those of their rights, and returns how many were added and removed.

    `rights`: user name → rights. ACLs of other users stay as they are, except that users of `SANDBOX` that are not in
    `rights` lose their ACLs. Raises BrokerError if the cluster keeps no ACLs, does not answer, or refuses the change.
    """
    admin = _admin(access)
    ours = {f"User:{name}" for name in (*rights, *map(user_of, SANDBOX))}
    wanted = {_acl(user, right) for user, held in rights.items() for right in held.all()}

    def there() -> set[AclBinding]:
        return {acl for acl in _done(admin.describe_acls(_EVERY), "rights") if acl.principal in ours}

    found = there()
    added, taken = list(wanted - found), list(found - wanted)
    if added:
        for answer in admin.create_acls(added).values():
            _done(answer, "rights")
    if taken:
        for answer in admin.delete_acls([_filter(acl) for acl in taken]).values():
            _done(answer, "rights")
    if added or taken:
        _until(lambda: there() == wanted, "rights")
    return len(added), len(taken)


_EVERY = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)


def _admin(access: Access) -> AdminClient:
    return admin(access, {"log_level": 0})


def _user(held: Credential) -> UserScramCredentialUpsertion:
    mechanism = {
        "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
        "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
    }[held.mechanism]
    return UserScramCredentialUpsertion(
        held.username, ScramCredentialInfo(mechanism, ITERATIONS), held.password.encode()
    )


def _acl(user: str, right: Right) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right.prefix else ResourcePatternType.LITERAL
    return AclBinding(
        RESOURCES[right.resource],
        right.name,
        pattern,
        f"User:{user}",
        "*",
        OPERATIONS[right.operation],
        AclPermissionType.ALLOW,
    )


def _filter(acl: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        acl.restype,
        acl.name,
        acl.resource_pattern_type,
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
    )


def _done(answer: "Future[Any]", what: str) -> Any:
    try:
        return answer.result(SECONDS)
    except (KafkaException, TimeoutError) as error:
        code = error.args[0].code() if isinstance(error, KafkaException) else None
        if code == KafkaError.SECURITY_DISABLED:
            raise BrokerError(
                "The cluster keeps no rights: its brokers have no authorizer (authorizer.class.name). 集群未启用权限控制。 "
                "Turn it on there, or use the cluster with DTG_KAFKA_SECURITY=PLAINTEXT"
            ) from error
        raise BrokerError(
            f"The {what} of the cluster cannot be read or changed: {error}. 无法读取或修改集群的用户或权限。 The credential "
            "`provision` needs ALTER and DESCRIBE on the cluster. See docs/kafka.md"
        ) from error


def _until(there: Any, what: str) -> None:
    """Waits until a change is visible, because the brokers answer before they apply it. Raises BrokerError after SECONDS."""
    end = time.monotonic() + SECONDS
    while not there():
        if time.monotonic() > end:
            raise BrokerError(f"The cluster does not show the {what} that it was given. 集群未显示新的用户或权限。")
        time.sleep(0.02)
