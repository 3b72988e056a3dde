"""How does a program connect to the cluster, and with which credential? Only this file makes the connection settings, for all Kafka
libraries."""

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
from services.shell.layout import CannotContinue
from services.shell.listeners import listeners, reaches_loopback
from services.shell.private_file import NotPrivate, read_private, write_private
from services.shell.servers import Address, addresses

if TYPE_CHECKING:
    from faust.auth import SASLCredentials

Security = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
SCRAM: Mechanism = "SCRAM-SHA-512"
REMEDY = (
    "`dtg up` makes the files of its own broker, `dtg provision` those of another cluster; DTG_KAFKA_CREDENTIALS names "
    "their folder. See docs/kafka.md"
)
ROOT = 0
"""The user id of root, who can read every file anyway."""
ACCESS_SECONDS = 10.0
"""For how many seconds a program that starts waits until the cluster accepts or refuses its credential. After that, its clients go on
without the answer and try again by themselves."""
ATTEMPT_SECONDS = 1.0
"""Timeout in seconds of one request, or of one attempt to connect, with which `try_access` tests the cluster."""
NOT_LET_IN = 3
"""If authentication fails this many times in a row, without another error between the failures, a retry is useless: the credential must be
corrected.

One failure is not enough, because librdkafka also reports an authentication failure if a connection is lost during the sign-in. The next
attempt then fails with a connection error.
"""
TURNED_AWAY, TURNED_AWAY_SECONDS = 3, 4.0
"""How many times, and for how many seconds, the broker must end the connections of a program without a credential,
before `try_access` raises NoAccess. The broker then seems to require a credential."""
DENIALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""Error codes of a client that has signed in but lacks a right."""
UNKNOWN = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
"""Error codes of a client whose sign-in failed."""


class NoAccess(CannotContinue):
    """Raised if the cluster does not accept this program, or if its credential cannot be used. The text says what to do, in Chinese
    and English."""


@dataclass(frozen=True, slots=True)
class Credential:
    """User name and password of one program. Its `repr` does not show the password."""

    username: str
    password: str
    mechanism: Mechanism = SCRAM

    def __repr__(self) -> str:
        return f"Credential({self.username}, {self.mechanism})"

    def written(self) -> str:
        """Returns the content of the credential's file: one line with a JSON object."""
        held = {"username": self.username, "password": self.password}
        return json.dumps(held if self.mechanism == SCRAM else held | {"mechanism": self.mechanism}) + "\n"


def file_of(folder: Path, name: str) -> Path:
    """Returns the path of the file with the credential of this name."""
    return folder / f"{name}.json"


def make_credential(folder: Path, name: str, mechanism: Mechanism = SCRAM) -> bool:
    """Makes the private file of a credential with a random password of 256 bits. Returns False if the file exists already. Raises
    OSError if the file cannot be written."""
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
    """Reads a credential from its file. Raises NoAccess if the file is missing, is open to others (see `read_private`), or contains no
    credential."""
    try:
        content: Any = json.loads(read_private(file, REMEDY))
        found = Credential(content["username"], content["password"], content.get("mechanism", SCRAM))
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
    """The address of a cluster and the credential for it. `servers`: the bootstrap servers, host:port[,host:port].
    `security`: Kafka's security protocol. `file`: the file of the credential. `ca_file`: the file with the CA
    certificates; empty: the CA certificates of the system.

    The password is read from its file whenever a client is made, and is kept nowhere else. Methods that need the
    password raise NoAccess if the file cannot be used. Methods that return connection settings raise NotServers if `servers` is no list of
    bootstrap servers.
    """

    servers: str
    security: Security = "PLAINTEXT"
    file: Path | None = None
    ca_file: str = ""

    @property
    def signs_in(self) -> bool:
        """Returns whether clients must sign in at this cluster."""
        return self.security != "PLAINTEXT"

    def credential(self) -> Credential:
        """Returns the credential. Call this only for a cluster at which clients must sign in."""
        assert self.file is not None, "a cluster that asks who this is, and no credential"
        return read_credential(self.file)

    def confluent(self) -> dict[str, object]:
        """Returns the connection settings for a confluent-kafka client."""
        if not self.signs_in:
            return {"bootstrap.servers": self._joined()}
        held = self._to_send()
        more = {"ssl.ca.location": self.ca_file} if self.security == "SASL_SSL" and self.ca_file else {}
        return {
            "bootstrap.servers": self._joined(),
            "security.protocol": self.security,
            "sasl.mechanism": held.mechanism,
            "sasl.username": held.username,
            "sasl.password": held.password,
            **more,
        }

    def kafka_python(self) -> dict[str, Any]:
        """Returns the connection settings for a kafka-python client."""
        if not self.signs_in:
            return {"bootstrap_servers": self._joined().split(",")}
        more = {"ssl_cafile": self.ca_file} if self.security == "SASL_SSL" and self.ca_file else {}
        return {"bootstrap_servers": self._joined().split(","), **self._by_name(), **more}

    def aiokafka(self) -> dict[str, Any]:
        """Returns the connection settings for an aiokafka client."""
        if not self.signs_in:
            return {"bootstrap_servers": self._joined()}
        return {"bootstrap_servers": self._joined(), **self._by_name(), "ssl_context": self._tls()}

    def faust(self) -> "SASLCredentials | None":
        """Returns the credentials for Faust's app; None if clients need not sign in."""
        if not self.signs_in:
            return None
        from faust.auth import SASLCredentials  # noqa: PLC0415 (takes a second to load, and only workers need it)

        held = self._to_send()
        return SASLCredentials(
            username=held.username, password=held.password, mechanism=held.mechanism, ssl_context=self._tls()
        )

    def _to_send(self) -> Credential:
        """Returns the credential for a client that is made now. Raises NoAccess if another user of this machine could
        read the password.

        PLAIN sends the password unencrypted, before the broker has proved its identity. While our broker does not run, any user can listen on
        its loopback port. So the password is sent there only if the listening program belongs to root or to the owner of the credential's
        file. SCRAM sends no password.
        """
        held = self.credential()
        if held.mechanism == "PLAIN" and self.security == "SASL_PLAINTEXT":
            for server in addresses(self.servers):
                if reaches_loopback(server.host):
                    self._refuse_others(server, listeners(server.port))
        return held

    def _refuse_others(self, server: Address, users: frozenset[int] | None) -> None:
        """Raises NoAccess if a program of any user but root and the owner of the credential's file listens at `server`.
        Also raises it if no program listens there, because another user's program could be the next to listen.

        `users`: the ids of the users whose programs listen; None if the system cannot tell, and nothing is raised then.
        """
        assert self.file is not None
        if users is None or (users and users <= {ROOT, self.file.stat().st_uid}):
            return
        who = f"A program of another user (id {max(users)})" if users else "No broker"
        raise NoAccess(
            f"{who} listens at {server}, so the password in {self.file} is not sent there. 该端口无本用户的 Kafka，未发送密码。 "
            "End that program, or start the broker first: `dtg up`"
        )

    def _joined(self) -> str:
        """Returns the bootstrap servers in one form for all libraries, each with its port: host:port[,host:port]."""
        return ",".join(map(str, addresses(self.servers)))

    def _by_name(self) -> dict[str, str]:
        held = self._to_send()
        return {
            "security_protocol": self.security,
            "sasl_mechanism": held.mechanism,
            "sasl_plain_username": held.username,
            "sasl_plain_password": held.password,
        }

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file or None) if self.security == "SASL_SSL" else None

    def not_let_in(self, why: object) -> NoAccess:
        """Returns the error for a credential that the cluster does not accept. `why`: the reason that the cluster gave."""
        return NoAccess(
            f"The cluster at {self.servers} does not let this program in with the credential {self.file or '(none)'}: {why}. "
            "Kafka 拒绝登录。 Put back the right file, or give the cluster its password: `dtg up` does so for its own broker "
            "when it starts, `dtg provision` for another cluster. See docs/kafka.md"
        )

    def denied(self, why: object) -> NoAccess:
        """Returns the error for a credential that the cluster accepts but that lacks a right. `why`: the reason that the cluster
        gave."""
        return NoAccess(
            f"The cluster at {self.servers} refuses a right to the credential {self.file or '(none)'}: {why}. "
            "Kafka 权限不足。 Give it the rights of its table: `dtg up` does so for its own broker when it starts, "
            "`dtg provision` for another cluster. See docs/kafka.md"
        )


def access_to(kafka: Access | str) -> Access:
    """Returns the argument as `Access`. A text is taken for the bootstrap servers of a cluster at which clients need
    not sign in."""
    return kafka if isinstance(kafka, Access) else Access(kafka)


class Refusals:
    """An `error_cb` for a confluent client, which counts the failed sign-ins in a row. `last`: the last failure."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        self._count = 0

    def __call__(self, error: KafkaError) -> None:
        if error.code() in UNKNOWN:
            self._count += 1
            self.last = error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            # `_ALL_BROKERS_DOWN` does not reset the count, because librdkafka also reports this error after each failed sign-in
            self._count = 0

    @property
    def for_good(self) -> bool:
        """Returns whether so many sign-ins have failed that only a corrected credential helps."""
        return self._count >= NOT_LET_IN


def try_access(access: Access, seconds: float) -> None:
    """Tests whether the cluster accepts this program, with or without a credential. Raises NoAccess if it does not.

    Returns as soon as the cluster accepts the program. Also returns if no broker accepts a connection, or after `seconds` if the cluster
    has neither accepted nor refused the program, for example because it ends each connection of a program that signs in. The caller's own
    next request to the cluster then waits or fails. Raises NotServers if the addresses of the cluster cannot be read.
    """
    refusals = Refusals()
    settings: dict[str, Any] = {"error_cb": refusals, "log_level": 0, "reconnect.backoff.ms": 50}
    client = AdminClient({**access.confluent(), **settings, "reconnect.backoff.max.ms": 200})
    began, ended = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        try:
            client.list_topics(timeout=ATTEMPT_SECONDS)
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
    """Returns whether one of these servers (host:port[,host:port]) accepts a connection. Raises NotServers if the text is no list of
    servers."""
    for server in addresses(servers):
        try:
            socket.create_connection(server, ATTEMPT_SECONDS).close()
        except (OSError, UnicodeError):  # UnicodeError: the text cannot be the name of a host
            continue
        return True
    return False
