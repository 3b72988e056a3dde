"""How does a program reach the cluster, and as whom? The one place that makes client settings for every Kafka library in use."""

import json
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas.rights import user_of
from services.shell.fresh import fresh_key
from services.shell.layout import Refused
from services.shell.private_file import NotPrivate, read_private, write_private

if TYPE_CHECKING:
    from faust.auth import SASLCredentials

Security = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
SCRAM: Mechanism = "SCRAM-SHA-512"
REMEDY = (
    "`dtg up` makes the files of its own broker, `dtg provision` those of another cluster; DTG_KAFKA_CREDENTIALS names "
    "their folder. See docs/kafka.md"
)
KNOCK_SECONDS = 1.0
"""How long one question may take by which it is tried whether the cluster lets a program in."""
NOT_LET_IN = 3
"""After so many refusals without another error between them nothing but a mended credential helps.

A connection that is cut while a client signs in is told as a refusal, too, but the next try then fails as a lost connection.
"""
TURNED_AWAY, TURNED_AWAY_SECONDS = 3, 4.0
"""A program without a credential whose connections were ended so often, for so long, while they are accepted, is to sign in."""
DENIALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""What a broker answers to who signed in and lacks a right."""
UNKNOWN = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
"""What a client says that was not let in."""


class NoAccess(Refused):
    """The cluster lets this program not in, or a credential cannot be used; the text says what to do, in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Credential:
    """User name and password of one program; shown without its password."""

    username: str
    password: str
    mechanism: Mechanism = SCRAM

    def __repr__(self) -> str:
        return f"Credential({self.username}, {self.mechanism})"

    def written(self) -> str:
        """As it stands in its file."""
        held = {"username": self.username, "password": self.password}
        return json.dumps(held if self.mechanism == SCRAM else held | {"mechanism": self.mechanism}) + "\n"


def file_of(folder: Path, name: str) -> Path:
    """Where the credential of this name lies."""
    return folder / f"{name}.json"


def make_credential(folder: Path, name: str, mechanism: Mechanism = SCRAM) -> bool:
    """Makes the file of a credential with a password of 256 random bits, for its owner alone; False where it is there already.

    OSError where it cannot be written.
    """
    file = file_of(folder, name)
    if file.exists():
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        write_private(file, Credential(user_of(name), fresh_key() + fresh_key(), mechanism).written(), fresh=True)
    except FileExistsError:
        return False
    return True


def read_credential(file: Path) -> Credential:
    """NoAccess where the file is missing, open to others, or holds no credential."""
    try:
        told: Any = json.loads(read_private(file, REMEDY))
        found = Credential(told["username"], told["password"], told.get("mechanism", SCRAM))
    except NotPrivate as error:
        raise NoAccess(f"No credential for Kafka: {error} 缺少 Kafka 凭据。") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = Credential("", "")
    parts: list[Any] = [found.username, found.password]
    strings = all(isinstance(each, str) and each for each in parts)
    if not strings or found.mechanism not in get_args(Mechanism):
        raise NoAccess(
            f"{file} is no credential for Kafka. Kafka 凭据文件格式错误。 It holds one JSON object with username and password, "
            f"and mechanism where that is not {SCRAM}. See docs/kafka.md"
        )
    return found


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster and a credential for it: `servers` are the bootstrap servers, host:port[,host:port].

    The password is read from its file whenever a client is made, and kept nowhere. Each method raises NoAccess where that
    file cannot be used.
    """

    servers: str
    security: Security = "PLAINTEXT"
    file: Path | None = None
    ca_file: str = ""

    @property
    def signs_in(self) -> bool:
        """Whether the cluster asks who this is."""
        return self.security != "PLAINTEXT"

    def credential(self) -> Credential:
        """Of a cluster that asks for one."""
        assert self.file is not None, "a cluster that asks who this is, and no credential"
        return read_credential(self.file)

    def confluent(self) -> dict[str, object]:
        """For confluent-kafka."""
        if not self.signs_in:
            return {"bootstrap.servers": self.servers}
        held = self.credential()
        more = {"ssl.ca.location": self.ca_file} if self.security == "SASL_SSL" and self.ca_file else {}
        return {
            "bootstrap.servers": self.servers,
            "security.protocol": self.security,
            "sasl.mechanism": held.mechanism,
            "sasl.username": held.username,
            "sasl.password": held.password,
            **more,
        }

    def kafka_python(self) -> dict[str, Any]:
        """For kafka-python."""
        if not self.signs_in:
            return {"bootstrap_servers": self.servers.split(",")}
        more = {"ssl_cafile": self.ca_file} if self.security == "SASL_SSL" and self.ca_file else {}
        return {"bootstrap_servers": self.servers.split(","), **self._by_name(), **more}

    def aiokafka(self) -> dict[str, Any]:
        """For aiokafka."""
        if not self.signs_in:
            return {"bootstrap_servers": self.servers}
        return {"bootstrap_servers": self.servers, **self._by_name(), "ssl_context": self._tls()}

    def faust(self) -> "SASLCredentials | None":
        """For Faust's app; None where the cluster does not ask."""
        if not self.signs_in:
            return None
        from faust.auth import SASLCredentials  # noqa: PLC0415 (takes a second to load, and workers alone need it)

        held = self.credential()
        return SASLCredentials(
            username=held.username, password=held.password, mechanism=held.mechanism, ssl_context=self._tls()
        )

    def _by_name(self) -> dict[str, str]:
        held = self.credential()
        return {
            "security_protocol": self.security,
            "sasl_mechanism": held.mechanism,
            "sasl_plain_username": held.username,
            "sasl_plain_password": held.password,
        }

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file or None) if self.security == "SASL_SSL" else None

    def not_let_in(self, why: object) -> NoAccess:
        """What is to be said where the cluster does not accept the credential."""
        return NoAccess(
            f"The cluster at {self.servers} does not let this program in with the credential {self.file or '(none)'}: {why}. "
            "Kafka 拒绝登录。 Put back the right file, or give the cluster its password: `dtg up` does so for its own broker "
            "when it starts, `dtg provision` for another cluster. See docs/kafka.md"
        )

    def denied(self, why: object) -> NoAccess:
        """What is to be said where the credential is accepted and lacks a right."""
        return NoAccess(
            f"The cluster at {self.servers} refuses a right to the credential {self.file or '(none)'}: {why}. "
            "Kafka 权限不足。 Give it the rights of its table: `dtg up` does so for its own broker when it starts, "
            "`dtg provision` for another cluster. See docs/kafka.md"
        )


def access_to(kafka: Access | str) -> Access:
    """Bootstrap servers alone are a cluster that asks nobody who he is."""
    return kafka if isinstance(kafka, Access) else Access(kafka)


class Refusals:
    """Hears the errors of a confluent client (`error_cb`), and knows when it is not let in for good."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        self._count = 0

    def __call__(self, error: KafkaError) -> None:
        if error.code() in UNKNOWN:
            self._count += 1
            self.last = error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:  # it follows each of the others
            self._count = 0

    @property
    def for_good(self) -> bool:
        """Whether only a mended credential helps."""
        return self._count >= NOT_LET_IN


def knock(access: Access, seconds: float) -> None:
    """NoAccess where the cluster does not let this program in, be it with its credential or without one.

    Returns once it does; also where no broker accepts connections, and after `seconds` without an answer: a broker that is
    away is waited for by who needs it.
    """
    refusals = Refusals()
    told: dict[str, Any] = {"error_cb": refusals, "log_level": 0, "reconnect.backoff.ms": 50}
    client = AdminClient({**access.confluent(), **told, "reconnect.backoff.max.ms": 200})
    began, ended = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        try:
            client.list_topics(timeout=KNOCK_SECONDS)
        except KafkaException as error:
            client.poll(0)
            if refusals.for_good or error.args[0].code() in UNKNOWN:
                raise access.not_let_in((refusals.last or error.args[0]).str()) from None
            if not accepts(access.servers):
                return
            ended += error.args[0].code() == KafkaError._TRANSPORT
            if not access.signs_in and ended >= TURNED_AWAY and passed > TURNED_AWAY_SECONDS:
                raise NoAccess(
                    f"The cluster at {access.servers} ends the connections of a program that does not sign in. "
                    "Kafka 要求登录。 Set DTG_KAFKA_SECURITY and DTG_KAFKA_CREDENTIALS. See docs/kafka.md"
                ) from None
        else:
            return


def accepts(servers: str) -> bool:
    """Whether one of them accepts a connection."""
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
        except (OSError, ValueError):
            continue
        return True
    return False
