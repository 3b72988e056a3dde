"""How does a desk get its records back after a restart or a rebalance?"""

import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from services.shell.settings import WorkerSettings
from services.shell.store import Partition, decode_record


def restore(
    settings: WorkerSettings, topic: str, partitions: list[int], stop: threading.Event, timeout: float = 300
) -> dict[int, Partition]:
    """The committed records of these partitions of a state topic.

    Reads up to the high watermark seen at the start; where a dead worker's transaction is still open, waits until the
    broker has ended it. TimeoutError after `timeout` seconds, InterruptedError when `stop` is set.
    """
    stores = {p: Partition() for p in partitions}
    ends = _ends(settings, topic, partitions)
    waiting = {p for p, end in ends.items() if end > 0}
    if not waiting:
        return stores
    reader = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "customs-restore",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 65_536,
            "fetch.wait.max.ms": 20,
            "log_level": 2,
        }
    )
    deadline = time.monotonic() + timeout
    try:
        reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in waiting])
        while waiting:
            if stop.is_set():
                raise InterruptedError(f"stopped while restoring {topic}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic}: partitions {sorted(waiting)} were not restored in {timeout} s")
            for message in reader.consume(10_000, 0.05):
                error = message.error()
                if error is None:
                    _take(stores[message.partition()], message.key(), message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    if message.offset() >= ends[message.partition()]:
                        waiting.discard(message.partition())
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
    finally:
        reader.close()
    for store in stores.values():
        store.deadlines.sort()
    return stores


def _take(store: Partition, key: bytes, value: bytes | None) -> None:
    name = key.decode()
    if value is None:
        store.records.pop(name, None)
        return
    store.records[name] = value
    if b'"due":' in value:
        due = decode_record(value).due
        if due is not None:
            store.deadlines.append((due, name))


def _ends(settings: WorkerSettings, topic: str, partitions: list[int]) -> dict[int, int]:
    """High watermarks, transactions still open included."""
    asker = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "customs-restore",
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "log_level": 2,
        }
    )
    try:
        return {p: _end(asker, TopicPartition(topic, p)) for p in partitions}
    finally:
        asker.close()


def _end(asker: Consumer, place: TopicPartition, tries: int = 50) -> int:
    """A broker that just started, or a topic that was just made, has no leader for a moment."""
    for attempt in range(tries):
        try:
            return int(asker.get_watermark_offsets(place, timeout=30)[1])
        except KafkaException as problem:
            if attempt == tries - 1 or problem.args[0].fatal():
                raise
            time.sleep(0.1)
    raise AssertionError("the loop returns or raises")
