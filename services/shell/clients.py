"""With which settings do the loop's clients speak to Kafka?"""

import os

from schemas.rights import group_of
from services.shell.settings import WorkerSettings

RECONNECTING: dict[str, object] = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}
"""A client that found its broker away looks again twice a second; by default it comes to wait ten seconds between looks."""


def admin_config(desk: str, settings: WorkerSettings) -> dict[str, object]:
    """Asks which topics there are."""
    return {**settings.access(desk).confluent(), **RECONNECTING, "log_level": 2}


def producer_config(desk: str, settings: WorkerSettings) -> dict[str, object]:
    """One transaction a batch, by an identity that belongs to the slot: a restart fences its own predecessor."""
    return {
        **settings.access(desk).confluent(),
        **RECONNECTING,
        "transactional.id": f"{group_of(desk)}-{settings.slot}",
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "partitioner": "murmur2_random",
        "acks": "all",
        "linger.ms": 100,  # the commit flushes: what a batch says leaves in few large requests, not in many small ones
        "retry.backoff.ms": 10,  # a transaction begun while the last one's markers are still written is told to come again
        "batch.num.messages": 100_000,
        "queue.buffering.max.messages": 1_000_000,
        "message.max.bytes": 8 << 20,  # as the topics; a record with parked messages is larger than the default
        "log_level": 2,
    }


def consumer_config(desk: str, settings: WorkerSettings) -> dict[str, object]:
    """What the desk hears. Not as a static member: one whose broker died in a rebalance was fenced by itself and stood still."""
    return {
        **settings.access(desk).confluent(),
        **RECONNECTING,
        "group.id": group_of(desk),
        "client.id": f"{group_of(desk)}-{settings.slot}-{os.getpid()}",  # tells the supervisor which members are dead
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",  # where to begin is decided; a position that the topic does not have is not passed over
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_ms,
        "max.poll.interval.ms": 900_000,  # no restore takes longer; who asks /livez ends a loop that stands still
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 5,
        "log_level": 2,
    }


def restore_config(desk: str, settings: WorkerSettings) -> dict[str, object]:
    """A state topic from its beginning, in few large answers."""
    return {
        **settings.access(desk).confluent(),
        **RECONNECTING,
        "group.id": f"{group_of(desk)}-restore",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": 32_768,
        "fetch.message.max.bytes": 4 << 20,
        "fetch.queue.backoff.ms": 5,
        "fetch.wait.max.ms": 20,
        "log_level": 2,
    }
