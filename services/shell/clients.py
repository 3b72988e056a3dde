"""With which settings does each program connect to Kafka? Every confluent client is made here.

A client without the setting of the partitioner would put keys into other partitions than the other clients do. Therefore `producer` sets
the partitioner last, and `tests/architecture/test_wire.py` finds clients that are made elsewhere. Each function raises NoAccess if the
credential cannot be used. The names of settings are librdkafka's (see its CONFIGURATION.md); times are in milliseconds.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from schemas.rights import group_of
from services.shell.access import Access
from services.shell.settings import MAX_POLL_SECONDS, WorkerSettings

Settings = Mapping[str, Any]

PARTITIONER = "murmur2_random"
"""The partitioner of kafka-python, aiokafka and Java. librdkafka has another default, so every producer of librdkafka
must be given this partitioner (docs/adr/0009-murmur2.md)."""
RECONNECTING: dict[str, Any] = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}
"""With these settings, a client tries to reconnect to an unreachable broker at least twice a second. By default, its back-off grows to ten
seconds."""
EVERY: dict[str, Any] = {**RECONNECTING, "log_level": 2}
"""The settings of every client, unless its function below sets others."""
LARGEST_REQUEST = 8_000_000
"""The most bytes of one produce request that the console's producer sends to a broker."""


def producer(access: Access, settings: Settings) -> Producer:
    """Returns a producer with these settings and the partitioner that all clients share."""
    return Producer({**access.confluent(), **EVERY, **settings, "partitioner": PARTITIONER})


def consumer(access: Access, settings: Settings) -> Consumer:
    """Returns a consumer with these settings. It never commits read positions by itself."""
    return Consumer({**access.confluent(), **EVERY, "enable.auto.commit": False, **settings})


def admin(access: Access, settings: Settings | None = None) -> AdminClient:
    """Returns an admin client, for topics, groups and rights."""
    return AdminClient({**access.confluent(), **EVERY, **(settings or {})})


# clients of desks


def desk_admin(desk: str, settings: WorkerSettings) -> AdminClient:
    """Returns an admin client with which a desk requests the descriptions of its topics."""
    return admin(settings.access(desk))


def desk_producer(desk: str, settings: WorkerSettings, on_error: Callable[[KafkaError], None]) -> Producer:
    """Returns a transactional producer, with which each batch is written in one transaction. The transactional id of
    the producer contains the slot, so a restarted worker fences its own predecessor."""
    own = {
        "transactional.id": f"{group_of(desk)}-{settings.slot}",
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "acks": "all",
        # With this setting, the facts of a batch are sent in a few large requests. It delays nothing, because the
        # commit flushes the queue.
        "linger.ms": 100,
        # If a transaction begins while the broker still writes the transaction markers of the transaction before it,
        # the broker answers CONCURRENT_TRANSACTIONS. The client then tries again after this time.
        "retry.backoff.ms": 10,
        "batch.num.messages": 100_000,
        "queue.buffering.max.messages": 1_000_000,
        # This is the limit of the topics. Facts, records and parking messages may exceed the client's default of 1 MB.
        "message.max.bytes": 8 << 20,
        "error_cb": on_error,
    }
    return producer(settings.access(desk), own)


def desk_consumer(desk: str, settings: WorkerSettings) -> Consumer:
    """Returns the consumer of a desk's inputs. It does not use static group membership: when a broker died during a
    rebalance, a static member was fenced by a later session of its own, and stopped reading."""
    own = {
        "group.id": group_of(desk),
        # the supervisor finds the members of ended processes by this name
        "client.id": f"{group_of(desk)}-{settings.slot}-{os.getpid()}",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        # The loop sets the positions itself. An offset that the topic does not have must raise an error.
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_ms,
        "max.poll.interval.ms": MAX_POLL_SECONDS * 1000,
        "queued.max.messages.kbytes": 16_384,
        # The client fetches again only after the loop has taken every message that was fetched. So while the loop decides a batch, further
        # messages collect at the broker, and the next fetch returns them together. A fetch is expensive, because the
        # broker checks the client's right to each topic of the fetch.
        "queued.min.messages": 1,
        "fetch.queue.backoff.ms": 5,
    }
    return consumer(settings.access(desk), own)


def desk_reader(desk: str, settings: WorkerSettings, other: Settings | None = None) -> Consumer:
    """Returns a consumer that reads a topic of the desk from given offsets, in few large fetches. `other`: settings that replace the usual
    ones."""
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


# clients of programs that read facts and send requests


def sender(access: Access, linger_ms: int, queued: int) -> Producer:
    """Returns an idempotent producer for a program that sends requests. `queued`: how many messages may wait in its
    queue."""
    own = {"enable.idempotence": True, "linger.ms": linger_ms, "queue.buffering.max.messages": queued}
    return producer(access, own)


def projector_consumer(access: Access) -> Consumer:
    """Returns the consumer that reads every topic of the read model. The projector takes its read positions from the database."""
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
    """Returns a consumer that reads requests and facts for the simulated people. `isolation`: read_committed or read_uncommitted."""
    own = {
        "group.id": "customs-simulator",
        "isolation.level": isolation,
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": 8_192,
    }
    return consumer(access, own)


def intake_settings(access: Access) -> dict[str, Any]:
    """Returns the settings for the producer of the console. It is an aiokafka producer, whose only partitioner is the one that all clients
    share (`tests/architecture/test_wire.py`)."""
    return {
        **access.aiokafka(),
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 2,
        "max_request_size": LARGEST_REQUEST,
        "max_batch_size": 262_144,
        "request_timeout_ms": 10_000,
    }
