"""Which settings does the console read from its environment? Their names begin with DTG_, and their descriptions have the units."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shell.access import Access
from services.shell.settings import AccessSettings, Servers


class ConsoleSettings(AccessSettings):
    """The console: HTTP API, web pages and the read model behind them."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: Servers = Field(
        "127.0.0.1:9092", description="bootstrap servers, host:port[,host:port]; see DTG_KAFKA_SECURITY"
    )
    partitions: int = Field(
        8, ge=1, le=1000, description="partitions of every topic; fixed for the life of the cluster"
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
        description="seconds for which a process remembers whose an API key is; so late a revocation may hold",
    )
    one_time_hours: int = Field(
        72,
        ge=1,
        le=720,
        description="hours for which a password that an administrator, or the first start, made for somebody is good",
    )
    allowed_hosts: str = Field(
        "",
        description="comma-separated further names, name or name:port, by which the console may be called (`Host`); "
        "known by itself: localhost, 127.0.0.1, [::1] and DTG_CONSOLE_HOST",
    )
    trusted_proxies: str = Field(
        "",
        description="comma-separated addresses or networks of the proxies in front of the console, whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed; empty: nobody's. With TLS at a proxy, cookies are bound to TLS only where it is named here",
    )
    connections: int = Field(
        1000,
        ge=16,
        description="open connections at most (and half of the file descriptors); silent ones make room first, then those of the address that has the most",
    )
    header_seconds: float = Field(
        10.0, gt=0, description="seconds in which the head of a request must be there, else 408"
    )
    header_limit_bytes: int = Field(16_384, ge=1024, description="bytes of all headers of a request at most, else 431")
    address_limit_bytes: int = Field(8192, ge=256, description="bytes of a request's path and query at most, else 414")
    body_grace_seconds: float = Field(
        10.0, gt=0, description="seconds for a request's body, beside those by DTG_BODY_BYTES_A_SECOND, else 408"
    )
    body_bytes_a_second: int = Field(20_000, ge=1, description="bytes a second that a body must bring beyond the grace")
    write_seconds: float = Field(30.0, gt=0, description="seconds that an answer waits for a client that does not read")
    streams: int = Field(
        256, ge=1, description="open event streams and long polls at most, a process; more are answered 503"
    )
    client_streams: int = Field(
        64, ge=1, description="open event streams and long polls of one address at most; more are answered 429"
    )
    body_limit_bytes: int = Field(
        2_000_000, ge=1_000, description="largest request body, bytes; more is refused with 413"
    )
    batch_limit_bytes: int = Field(
        8_000_000, ge=1_000, description="largest body of a batch of declarations, bytes; more is refused with 413"
    )
    body_separators: int = Field(
        50_000,
        ge=100,
        description="commas, colons and opening brackets in the JSON of one body, or of one declaration of a batch, at most; "
        "more is refused with 413",
    )
    batch_separators: int = Field(
        800_000, ge=100, description="the same in the JSON of a batch of declarations, in all"
    )
    large_bodies: int = Field(
        4,
        ge=1,
        le=100,
        description="bodies of more than 100000 bytes that are taken in at once, one of them being parsed; more are answered 503",
    )
    client_large_bodies: int = Field(
        2, ge=1, le=100, description="of these, bodies of one address at most; more are answered 429"
    )
    batch_limit: int = Field(1000, ge=1, le=10_000, description="declarations in one batch at most")
    boxes_a_day: int = Field(
        2000,
        ge=1,
        description="different containers in the declarations of one declarant on one day (Beijing) at most; a paper with more is "
        "answered 429",
    )
    produce_timeout_seconds: float = Field(
        8.0, gt=0, description="seconds to wait for the broker's acknowledgement before a request is answered with 503"
    )
    gate_stale_seconds: float = Field(
        10.0,
        gt=0,
        description="seconds within which the read model must have reached the high watermarks of the release and gate topics, else "
        "every container must stay",
    )
    wait_limit_seconds: float = Field(30.0, ge=0, le=300, description="longest wait of a long poll, seconds")
    projector: Literal["inside", "own"] = Field(
        "inside",
        description="where the console's projector runs: in a thread inside, or own: `dtg projector`, as `dtg up` does",
    )
    projector_host: str = Field("127.0.0.1", description="address of the pages of `dtg projector`")
    projector_port: int = Field(6065, ge=1, le=65535, description="port of the pages of `dtg projector`")
    projector_batch: int = Field(4000, ge=1, le=100_000, description="messages in one SQL transaction at most")
    projector_linger_ms: int = Field(20, ge=0, le=1000, description="milliseconds to wait for more messages of a batch")
    projector_cache: int = Field(20_000, ge=100, description="consignments that the projector keeps in memory")
    console_stall_seconds: float = Field(
        60.0, gt=0, description="seconds without a turn of the projector after which /livez fails"
    )
    stop_seconds: float = Field(2.0, gt=0, description="seconds that open requests get to end after SIGTERM")
    language: Literal["zh", "en"] = Field("zh", description="language of the pages where the browser asks for neither")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")

    def access(self, name: str) -> Access:
        """How to connect to the cluster with the credential of this name: `door` (the console's) or `projector`."""
        return self.access_to(self.kafka, name)
