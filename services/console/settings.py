"""Which settings does the console read from its environment? Their names begin with DTG_, and their descriptions have the units."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shell.access import Access
from services.shell.settings import AccessSettings, Servers

ConsoleStallSeconds = Annotated[
    float,
    Field(
        gt=0,
        description="seconds after which /livez answers 503 if the projector makes no progress; `dtg up` ends a console or projector whose "
        "/livez fails for so long",
    ),
]
CONSOLE_STALL_SECONDS = 60.0
"""The default of `ConsoleStallSeconds`, which console, projector and supervisor share."""


class ConsoleSettings(AccessSettings):
    """The console: the HTTP API, the web pages, and the read model with their data."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: Servers = "127.0.0.1:9092"
    partitions: int = Field(
        8, ge=1, le=1000, description="number of partitions of every topic; it cannot be changed in a cluster"
    )
    database_url: str = Field(
        "sqlite:///.datongguan/console.db",
        description="SQLAlchemy URL of the read model: sqlite:///… or postgresql+psycopg://…",
    )
    console_host: str = Field("127.0.0.1", description="address of the HTTP API and the pages")
    console_port: int = Field(8080, ge=1, le=65535, description="port of the HTTP API and the pages")
    key_seconds: float = Field(
        5.0,
        ge=0,
        le=300,
        description="seconds for which a process caches the account of an API key; a revocation may take effect so much later",
    )
    one_time_hours: int = Field(
        72,
        ge=1,
        le=720,
        description="hours for which a one-time password is valid, which an administrator or the first start made",
    )
    allowed_hosts: str = Field(
        "",
        description="comma-separated hosts, name or name:port, that the header `Host` of a request may have; localhost, 127.0.0.1, "
        "[::1] and DTG_CONSOLE_HOST are always allowed",
    )
    trusted_proxies: str = Field(
        "",
        description="comma-separated addresses or networks of the proxies in front of the console whose X-Forwarded-For and "
        "X-Forwarded-Proto are used; empty: those of no proxy. If a proxy ends TLS, cookies are bound to TLS only if "
        "the proxy is named here",
    )
    connections: int = Field(
        1000,
        ge=16,
        description="greatest number of connections that may be open, but never more than half of the file descriptors, or 16 if that is more; for a new connection, one"
        " that sends nothing is closed first, of the address that has the most of them, otherwise one of the address that has the most requests under way",
    )
    header_seconds: float = Field(
        10.0, gt=0, description="seconds within which the head of a request must arrive; otherwise it is answered 408"
    )
    header_limit_bytes: int = Field(
        16_384, ge=1024, description="greatest number of bytes of all headers of a request; more are answered 431"
    )
    address_limit_bytes: int = Field(
        8192, ge=256, description="greatest number of bytes of a request's path and query; more are answered 414"
    )
    body_grace_seconds: float = Field(
        10.0,
        gt=0,
        description="seconds that a request's body may take, in addition to its bytes divided by DTG_BODY_BYTES_A_SECOND; otherwise"
        " it is answered 408",
    )
    body_bytes_a_second: int = Field(
        20_000, ge=1, description="bytes per second at which a body must arrive after DTG_BODY_GRACE_SECONDS"
    )
    write_seconds: float = Field(
        30.0, gt=0, description="seconds for which an answer waits for a client that does not read it"
    )
    streams: int = Field(
        256,
        ge=1,
        description="greatest number of event streams and long polls that may be open in one process; more are answered 503",
    )
    client_streams: int = Field(
        64,
        ge=1,
        description="greatest number of event streams and long polls of one address that may be open; more are answered 429",
    )
    body_limit_bytes: int = Field(
        2_000_000, ge=1_000, description="greatest number of bytes of a request's body; more are answered 413"
    )
    batch_limit_bytes: int = Field(
        8_000_000,
        ge=1_000,
        description="greatest number of bytes of the body of a batch of declarations; more are answered 413",
    )
    body_separators: int = Field(
        50_000,
        ge=100,
        description="greatest number of commas, colons and opening brackets in the JSON of one body, or of one declaration of a batch; more are "
        "answered 413",
    )
    batch_separators: int = Field(
        800_000,
        ge=100,
        description="greatest number of commas, colons and opening brackets in the JSON of a whole batch of declarations; more are answered 413",
    )
    large_bodies: int = Field(
        4,
        ge=1,
        le=100,
        description="greatest number of bodies of more than 100000 bytes that are handled at the same time, of which one is parsed; more are answered 503",
    )
    client_large_bodies: int = Field(
        2,
        ge=1,
        le=100,
        description="greatest number of bodies of more than 100000 bytes of one address that are handled at the same time; more are answered 429",
    )
    batch_limit: int = Field(1000, ge=1, le=10_000, description="greatest number of declarations in one batch")
    boxes_a_day: int = Field(
        2000,
        ge=1,
        description="greatest number of different containers in the declarations of one declarant on one day (Beijing time); a declaration with "
        "more is answered 429",
    )
    produce_timeout_seconds: float = Field(
        8.0, gt=0, description="seconds to wait for the broker's acknowledgement before a request is answered with 503"
    )
    gate_stale_seconds: float = Field(
        10.0,
        gt=0,
        description="seconds within which the read model must reach the high watermarks of the release and gate topics; otherwise "
        "every container must stay",
    )
    wait_limit_seconds: float = Field(
        30.0, ge=0, le=300, description="greatest number of seconds that a long poll may wait"
    )
    projector: Literal["inside", "own"] = Field(
        "inside",
        description="where the projector runs. inside: in a thread of the console; own: in a process of its own, `dtg projector`, "
        "as `dtg up` does",
    )
    projector_host: str = Field("127.0.0.1", description="address of the pages of `dtg projector`")
    projector_port: int = Field(6065, ge=1, le=65535, description="port of the pages of `dtg projector`")
    projector_batch: int = Field(
        4000, ge=1, le=100_000, description="greatest number of messages in one SQL transaction"
    )
    projector_linger_ms: int = Field(
        20, ge=0, le=1000, description="milliseconds for which a batch waits for more messages"
    )
    projector_cache: int = Field(
        20_000, ge=100, description="number of consignments that the projector keeps in memory"
    )
    console_stall_seconds: ConsoleStallSeconds = CONSOLE_STALL_SECONDS
    stop_seconds: float = Field(2.0, gt=0, description="seconds that open requests have to end after SIGTERM")
    language: Literal["zh", "en"] = Field("zh", description="language of the pages if the browser asks for neither")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level that is logged")

    def access(self, name: str) -> Access:
        """Returns how to connect to the cluster with the credential of this name: `door` (for the console) or `projector`."""
        return self.access_to(self.kafka, name)
