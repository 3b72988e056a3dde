"""Which settings does a worker read from its environment? Their names begin with DTG_, and the description of each says its unit."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.shell.access import Access, Security, file_of
from services.shell.servers import NotServers, addresses

MAX_POLL_SECONDS = 900
"""If the loop of a desk does not poll its consumer for this many seconds, the client leaves the consumer group. A loop that hangs is ended much
earlier, because `/livez` answers with an error. The loop does not poll during a restore, which therefore has a shorter limit."""


def servers(text: str) -> str:
    """Returns the text if it is a list of bootstrap servers. Raises PydanticCustomError if it is not."""
    try:
        addresses(text)
    except NotServers as error:
        raise PydanticCustomError("servers", "{why}", {"why": str(error)}) from None
    return text


Servers = Annotated[
    str,
    AfterValidator(servers),
    Field(description="bootstrap servers, host[:port][,host[:port]], by default port 9092; see DTG_KAFKA_SECURITY"),
]
"""The bootstrap servers of a Kafka cluster: host:port[,host:port], see `addresses`. Without a port, Kafka's default port is used."""

StallSeconds = Annotated[
    float,
    Field(
        gt=0,
        description="seconds without progress after which a worker's /livez answers 503; `dtg up` ends a worker whose /livez fails for so long",
    ),
]
STALL_SECONDS = 30
"""The default of `StallSeconds`, which a worker and its supervisor share."""


def unusable(error: ValidationError) -> str:
    """Returns the message about settings that cannot be used: a line in both languages, and a line with the reason for each
    setting."""
    wrong = [
        f"DTG_{'_'.join([str(each) for each in one['loc']]).upper()}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join(["A setting cannot be used. 设置有误。 See .env.example", *wrong])


class AccessSettings(BaseSettings):
    """How a program signs in at the cluster, with the private file of its credential."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    home: str = Field(
        ".datongguan",
        min_length=1,  # an empty text would be the working directory
        description="folder of the embedded broker, the database and the logs; a demo uses another folder beside it, whose name "
        "ends in -demo",
    )
    kafka_security: Security | None = Field(
        None,
        description="PLAINTEXT: the cluster needs no credential; SASL_PLAINTEXT: it needs one, for trusted networks; SASL_SSL: it "
        "needs one, over TLS. Unset: SASL_PLAINTEXT with the broker that `dtg up` starts, otherwise PLAINTEXT",
    )
    kafka_credentials: str | None = Field(
        None,
        description="folder with a private file for each credential, <name>.json with username and password, see docs/kafka.md; "
        "unset: the folder credentials in DTG_HOME",
    )
    kafka_ca_file: str = Field(
        "",
        description="file with the CA certificates for the cluster, if SASL_SSL is used; empty: the CA certificates of the machine",
    )

    def access_to(self, servers: str, name: str) -> Access:
        """Returns how to connect to the cluster with these bootstrap servers, with the credential of this name."""
        return Access(
            servers, self.kafka_security or "PLAINTEXT", file_of(self.credentials(), name), self.kafka_ca_file
        )

    def credentials(self) -> Path:
        """Returns the folder of the credentials' files."""
        return (
            Path(self.kafka_credentials)
            if self.kafka_credentials
            else Path(os.path.realpath(self.home)) / "credentials"
        )


class ClockSettings(BaseSettings):
    """The clock that all programs use. In a sandbox it may run faster than real time."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    clock_anchor: AwareDatetime | None = Field(
        None,
        description="real time (RFC 3339) at which the sandbox clock showed DTG_CLOCK_START; unset: there is no sandbox clock",
    )
    clock_start: AwareDatetime | None = Field(
        None, description="time of the sandbox clock at DTG_CLOCK_ANCHOR; unset: the same as DTG_CLOCK_ANCHOR"
    )
    clock_speed: float = Field(1.0, gt=0, le=100_000, description="seconds of the sandbox clock per real second")


class WorkerSettings(AccessSettings):
    """A worker process, which runs the loops of some services."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: Servers = "127.0.0.1:9092"
    partitions: int = Field(
        8, ge=1, le=1000, description="number of partitions of every topic; it cannot be changed in a cluster"
    )
    replication: int = Field(1, ge=1, le=9, description="replication factor of every topic; 3 in production")
    desks: str = Field(
        "declaration,risk,inspection,quarantine,release,gate,clearance",
        description="comma-separated names of the services that this worker hosts",
    )
    slot: str = Field(
        "0", description="name of the slot of this process; two workers with the same desk need two slots"
    )
    batch: int = Field(1000, ge=1, le=100_000, description="greatest number of messages in one transaction")
    linger_ms: int = Field(5, ge=0, le=1000, description="milliseconds for which a batch waits for more messages")
    pace_ms: int = Field(
        50,
        ge=0,
        le=1000,
        description="milliseconds between two transactions of a busy desk; fewer and larger transactions cost less",
    )
    transaction_timeout_ms: int = Field(
        10_000, ge=1000, le=10_000, description="milliseconds after which the broker aborts an open transaction"
    )
    session_timeout_ms: int = Field(
        6_000,
        ge=1000,
        le=MAX_POLL_SECONDS * 1000,  # librdkafka allows at most its `max.poll.interval.ms`
        description="milliseconds without a heartbeat after which the broker takes a worker for lost",
    )
    accept_lost_states: str = Field(
        "",
        description="comma-separated names of the desks that may go on although records of their state topics are missing; see "
        "docs/runbooks/WorkerDown.md",
    )
    retention_days: int = Field(90, ge=1, description="days for which the marker of a closed consignment is kept")
    stall_seconds: StallSeconds = STALL_SECONDS
    draw_keys: str | None = Field(
        None,
        description="file with the keys of the inspection draw, for a worker that hosts the risk desk; unset: draw-keys.json in "
        "DTG_HOME, which `dtg up` makes; `published`: the public key, which is allowed with a sandbox clock only",
    )
    web_host: str = Field("127.0.0.1", description="address of the worker's pages")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level that is logged")

    def access(self, name: str) -> Access:
        """Returns how to connect to the cluster with the credential of this name. `name`: a hosted service, or
        `worker`."""
        return self.access_to(self.kafka, name)

    @property
    def heartbeat_ms(self) -> int:
        """Returns the milliseconds between two heartbeats. A member learns of a rebalance by its heartbeat, so the interval is short
        even if the session timeout is long."""
        return max(300, min(self.session_timeout_ms // 4, 3_000))

    def accepts_lost_states(self, desk: str) -> bool:
        """Returns whether an operator has accepted that this desk goes on although records of its state topic are missing."""
        return desk in [name.strip() for name in self.accept_lost_states.split(",")]

    def desk_names(self) -> tuple[str, ...]:
        """Returns the names of the hosted services, in order."""
        return tuple(name.strip() for name in self.desks.split(",") if name.strip())
