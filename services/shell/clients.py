"""With which settings does each program of ours speak to Kafka? Every confluent client is made here.

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
"""A client that found its broker away looks again twice a second; by default it comes to wait ten seconds between looks."""
EVERY: dict[str, Any] = {**RECONNECTING, "log_level": 2}
"""What every client has, where its maker does not say otherwise."""
LARGEST_REQUEST = 8_000_000
"""Bytes of one request of the intake's producer."""


def producer(access: Access, settings: Settings) -> Producer:
    """A producer with these settings; the partitioner is the one that all share."""
    return Producer({**access.confluent(), **EVERY, **settings, "partitioner": PARTITIONER})


def consumer(access: Access, settings: Settings) -> Consumer:
    """A consumer with these settings. Read positions are never committed by the client itself."""
    return Consumer({**access.confluent(), **EVERY, "enable.auto.commit": False, **settings})


def admin(access: Access, settings: Settings | None = None) -> AdminClient:
    """Asks the cluster about topics, groups and rights."""
    return AdminClient({**access.confluent(), **EVERY, **(settings or {})})


# a desk


def desk_admin(desk: str, settings: WorkerSettings) -> AdminClient:
    """Asks which topics there are."""
    return admin(settings.access(desk))


def desk_producer(desk: str, settings: WorkerSettings, on_error: Callable[[KafkaError], None]) -> Producer:
    """One transaction a batch, by an identity that belongs to the slot: a restart fences its own predecessor."""
    own = {
        "transactional.id": f"{group_of(desk)}-{settings.slot}",
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "acks": "all",
        "linger.ms": 100,  # the commit flushes: the facts of a batch leave in few large requests, not in many small ones
        "retry.backoff.ms": 10,  # a transaction begun while the last one's markers are still written is told to come again
        "batch.num.messages": 100_000,
        "queue.buffering.max.messages": 1_000_000,
        "message.max.bytes": 8 << 20,  # as the topics; a record with parked messages is larger than the default
        "error_cb": on_error,
    }
    return producer(settings.access(desk), own)


def desk_consumer(desk: str, settings: WorkerSettings) -> Consumer:
    """Reads the desk's inputs. Not as a static member: one whose broker died in a rebalance was fenced by itself and stood still."""
    own = {
        "group.id": group_of(desk),
        "client.id": f"{group_of(desk)}-{settings.slot}-{os.getpid()}",  # tells the supervisor which members are dead
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "error",  # where to begin is decided; a position that the topic does not have is not passed over
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_ms,
        "max.poll.interval.ms": 900_000,  # no restore takes longer; who asks /livez ends a loop that stands still
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
