"""Which settings do `dtg up` and the operator's commands read from the environment? Their names begin with DTG_."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from schemas.topics import SERVICES
from services.console.settings import CONSOLE_STALL_SECONDS, ConsoleStallSeconds
from services.risk.keys import key_file
from services.shell.access import Access, Security, file_of
from services.shell.settings import STALL_SECONDS, AccessSettings, StallSeconds, servers


def _layout(text: str) -> str:
    """Returns the layout if all its services are known. Raises PydanticCustomError if not."""
    named = [name.strip() for worker in _workers(text) for name in worker.split(",")]
    unknown = sorted(set(named) - set(SERVICES))
    if unknown or not named:
        raise PydanticCustomError(
            "layout",
            "names {unknown}; the services are {services} 没有这些服务",
            {"unknown": ", ".join(map(repr, unknown)) or "no service", "services": ", ".join(SERVICES)},
        )
    return text


def _workers(layout: str) -> list[str]:
    return [part.strip() for part in layout.split(";") if part.strip()]


def _own_servers(text: str | None) -> str | None:
    return servers(text) if text else text


OwnServers = Annotated[str | None, AfterValidator(_own_servers)]
Layout = Annotated[str, AfterValidator(_layout)]


class UpSettings(AccessSettings):
    """`dtg up` and the operator's commands, for an installation on one machine."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: OwnServers = Field(None, description="bootstrap servers of an existing cluster; unset: the embedded broker")
    kafka_port: int = Field(9092, ge=1024, le=65535, description="loopback port of the embedded broker")
    partitions: int = Field(
        8, ge=1, le=1000, description="number of partitions of every topic; it cannot be changed in a cluster"
    )
    replication: int = Field(1, ge=1, le=9, description="replication factor of every topic; 3 in production")
    draw_keys: str | None = Field(
        None,
        description="file with the keys of the inspection draw; unset: draw-keys.json in DTG_HOME, which the first start makes",
    )
    api_key_file: str | None = Field(
        None,
        description="file with the API key that `dtg declare` and `dtg port` send to a console; only its owner may read it",
    )
    database_url: str | None = Field(None, description="SQLAlchemy URL of the read model; unset: SQLite in DTG_HOME")
    one_time_hours: int = Field(
        72,
        ge=1,
        le=720,
        description="hours for which a one-time password is valid, which an administrator or the first start made",
    )
    layout: Layout = Field(
        "declaration,risk;inspection,quarantine;release,gate;clearance",
        description="the services of each worker process; the processes are separated by semicolons",
    )
    worker_port: int = Field(6066, ge=1024, le=65000, description="first loopback port of the workers' pages")
    projector_port: int = Field(6065, ge=1024, le=65535, description="loopback port of the projector's pages")
    console_port: int = Field(8080, ge=1024, le=65535, description="port of the API and the console")
    stall_seconds: StallSeconds = STALL_SECONDS
    console_stall_seconds: ConsoleStallSeconds = CONSOLE_STALL_SECONDS
    alertmanager: str = Field(
        "",
        description="host:port of the Alertmanager to which Prometheus sends its alerts; empty: it sends them to none",
    )

    def bootstrap(self) -> str:
        """Returns the bootstrap servers of the cluster that all programs use."""
        return self.kafka or f"127.0.0.1:{self.kafka_port}"

    def security(self) -> Security:
        """Returns the security protocol by which clients connect to the cluster. At the embedded broker they must sign in,
        unless DTG_KAFKA_SECURITY says otherwise."""
        return self.kafka_security or ("PLAINTEXT" if self.kafka else "SASL_PLAINTEXT")

    def access(self, name: str) -> Access:
        """Returns how to connect to the cluster that all programs use, with the credential of this name."""
        return Access(self.bootstrap(), self.security(), file_of(self.credentials(), name), self.kafka_ca_file)

    def read_model(self) -> str:
        """Returns the address of the database of the read model, which the console of `dtg up` writes."""
        if self.database_url:
            return self.database_url
        path = str(Path(os.path.realpath(self.home)) / "console.db")
        # `%` and `?` have another meaning in a URL, so they are escaped
        return f"sqlite:///{path.replace('%', '%25').replace('?', '%3F')}"

    def draw_key_file(self) -> Path:
        """Returns the path of the file with the keys of the inspection draw."""
        return key_file(self.draw_keys, self.home)

    def workers(self) -> list[str]:
        """Returns for each worker process the names of its services, separated by commas."""
        return _workers(self.layout)
