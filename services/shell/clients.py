"""With which settings does each program connect to Kafka? Every confluent client is made here.

So a producer that lays keys into other partitions than the rest cannot be written by forgetting a setting: `producer` sets the
partitioner after all else, and `tests/architecture/test_wire.py` finds a client that is made elsewhere. Each maker raises NoAccess where
the credential cannot be used. Values are librdkafka's (its CONFIGURATION.md); times are in milliseconds.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from schemas.rights import group_of
from services.shell.access import Access
from services.shell.settings import WorkerSettings

Settings = Mapping[str, Any]

PARTITIONER = "murmur2_random"
"""As kafka-python, aiokafka and Java choose partitions; the default of librdkafka is another one (docs/adr/0009-murmur2.md)."""
RECONNECTING: dict[str, Any] = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}
"""A client reconnects to an unreachable broker twice a second; by default its back-off grows to ten seconds."""
EVERY: dict[str, Any] = {**RECONNECTING, "log_level": 2}
"""Settings of every client, unless its function below sets others."""
LARGEST_REQUEST = 8_000_000
"""Bytes of one request of the intake's producer."""


def producer(access: Access, settings: Settings) -> Producer:
    """A producer with these settings; the partitioner is the one that all share."""
    return Producer({**access.confluent(), **EVERY, **settings, "partitioner": PARTITIONER})


def consumer(access: Access, settings: Settings) -> Consumer:
    """A consumer with these settings. Read positions are never committed by the client itself."""
    return Consumer({**access.confluent(), **EVERY, "enable.auto.commit": False, **settings})


def admin(access: Access, settings: Settings | None = None) -> AdminClient:
    """An admin client, for topics, groups and rights."""
    return AdminClient({**access.confluent(), **EVERY, **(settings or {})})


# a desk


def desk_admin(desk: str, settings: WorkerSettings) -> AdminClient:
    """Asks which topics there are."""
    return admin(settings.access(desk))


def desk_producer(desk: str, settings: WorkerSettings, on_error: Callable[[KafkaError], None]) -> Producer:
    """A transactional producer, one transaction for each batch. Its transactional id belongs to the slot, so that a restarted worker fences
    its own predecessor."""
    own = {
        "transactional.id": f"{group_of(desk)}-{settings.slot}",
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "acks": "all",
        "linger.ms": 100,  # the commit flushes: the facts of a batch leave in few large requests, not in many small ones
        "retry.backoff.ms": 10,  # a transaction that begins while the markers of the last one are being written gets CONCURRENT_TRANSACTIONS and retries
        "batch.num.messages": 100_000,
        "queue.buffering.max.messages": 1_000_000,
        "message.max.bytes": 8 << 20,  # as the topics; a record with parked messages is larger than the default
        "error_cb": on_error,
    }
    return producer(settings.access(desk), own)


def desk_consumer(desk: str, settings: WorkerSettings) -> Consumer:
    """Reads the desk's inputs. It is no static member of its group: a static member whose broker died during a rebalance was fenced by its
    own later session and stopped reading."""
    own = {
        "group.id": group_of(desk),
        "client.id": f"{group_of(desk)}-{settings.slot}-{os.getpid()}",  # the supervisor finds dead members by it
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "error",  # the loop sets the positions itself; one that the topic does not have must be an error
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_ms,
        "max.poll.interval.ms": 900_000,  # longer than any restore; a loop that makes no progress is ended by the liveness probe
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 5,
    }
    return consumer(settings.access(desk), own)


def desk_reader(desk: str, settings: WorkerSettings, other: Settings | None = None) -> Consumer:
    """Reads a topic of the desk from the offsets it is given, in few large answers; `other`: settings that differ."""
    own = {
        "group.id": f"{group_of(desk)}-restore",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": 32_768,
        "fetch.message.max.bytes": 4 << 20,
        "fetch.queue.backoff.ms": 5,
        "fetch.wait.max.ms": 20,
    }
    return consumer(settings.access(desk), {**own, **(other or {})})


# programs that read facts and send requests


def sender(access: Access, linger_ms: int, queued: int) -> Producer:
    """An idempotent producer like a declarant's; `queued`: messages that may wait in it."""
    own = {"enable.idempotence": True, "linger.ms": linger_ms, "queue.buffering.max.messages": queued}
    return producer(access, own)


def projector_consumer(access: Access) -> Consumer:
    """Reads every topic of the read model from the positions that the database has."""
    own = {
        "group.id": "customs-console",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 50,
        "fetch.min.bytes": 200_000,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 32_768,
        "log_level": 0,
    }
    return consumer(access, own)


def simulator_consumer(access: Access, isolation: str) -> Consumer:
    """Reads requests and facts for the simulated people; `isolation`: read_committed or read_uncommitted."""
    own = {
        "group.id": "customs-simulator",
        "isolation.level": isolation,
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": 8_192,
    }
    return consumer(access, own)


def intake_settings(access: Access) -> dict[str, Any]:
    """The intake's producer, for aiokafka, whose own partitioner is the shared one (`tests/architecture/test_wire.py`)."""
    return {
        **access.aiokafka(),
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 2,
        "max_request_size": LARGEST_REQUEST,
        "max_batch_size": 262_144,
        "request_timeout_ms": 10_000,
    }
