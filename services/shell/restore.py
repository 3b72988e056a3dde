"""How does a desk get its records back after a restart or a rebalance?"""

import threading
import time
from dataclasses import dataclass, field
from itertools import groupby

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.shell import positions
from services.shell.clients import desk_reader
from services.shell.settings import MAX_POLL_SECONDS, WorkerSettings
from services.shell.store import PartitionStore

BATCH = 10_000
"""How many messages are taken from the client at once. Built-in functions unpack a whole batch, which is faster than one
call for each message."""

LONGEST_SECONDS = MAX_POLL_SECONDS - 30.0
"""How many seconds a restore may take. The loop does not poll its consumer meanwhile. After MAX_POLL_SECONDS without a poll, the client
leaves the consumer group. The restore would then have been in vain, and would begin again for ever."""


@dataclass(slots=True)
class Restoring:
    """The progress of a restore. `read`: how many messages of the state topic were read, of at most `total`. `parked`:
    how many messages are parked, as the restored records say. Another thread reads these numbers for the pages."""

    read: int = 0
    total: int = 0
    parked: int = 0
    moved: float = 0.0
    """Monotonic time at which the restore last read a message."""
    turned: float = field(default_factory=time.monotonic)
    """Monotonic time at which a call of the client last returned, with messages or without. Only a call that does not
    return is a hang. A restore may wait, for example until the broker ends the transaction of a dead worker, and has a
    time limit of its own for that."""


def restore(
    service: str,
    settings: WorkerSettings,
    topic: str,
    partitions: list[int],
    stop: threading.Event,
    progress: Restoring,
    timeout: float = 300,
    longest: float = LONGEST_SECONDS,
) -> dict[int, PartitionStore]:
    """Returns partition → store with its committed records from a state topic, which is read with the credential of the
    service.

    Reads up to the high watermark that each partition has at the beginning of the call. If the transaction of a dead
    worker is still open, waits until the broker has ended the transaction. Raises TimeoutError after `timeout` seconds
    without a message, or if the whole takes more than `longest` seconds, and InterruptedError if `stop` is set.
    """
    began = time.monotonic()
    spans = _spans(service, settings, topic, partitions, progress)
    progress.total, progress.moved = sum(end - start for start, end in spans.values()), time.monotonic()
    waiting = {p: end for p, (_, end) in spans.items() if end > 0}
    records: dict[int, dict[str, bytes | None]] = {p: {} for p in partitions}
    if waiting:
        reader = desk_reader(service, settings)
        try:
            # The offsets are numbers, not `OFFSET_BEGINNING`. To find the beginning, librdkafka asks the leader of the
            # partition. If there is no leader, librdkafka asks again only half a second later.
            reader.assign([TopicPartition(topic, p, spans[p][0]) for p in waiting])
            while waiting:
                if stop.is_set():
                    raise InterruptedError(f"stopped while restoring {topic}")
                if time.monotonic() > progress.moved + timeout:
                    raise TimeoutError(f"{topic}: nothing came from partitions {sorted(waiting)} for {timeout} s")
                if time.monotonic() > began + longest:
                    raise TimeoutError(
                        f"{topic}: {progress.read} of {progress.total} messages were read within {longest:.0f} s, after which the group "
                        "takes a worker for lost. 恢复超时，请由更多工作进程分担分区。 Let more workers share the partitions: docs/scaling.md"
                    )
                batch = _messages(reader.consume(BATCH, 0.05), waiting)
                progress.turned = time.monotonic()
                if batch:
                    _take(records, batch)
                    progress.read, progress.moved = progress.read + len(batch), time.monotonic()
        finally:
            reader.close()
    stores = {p: PartitionStore() for p in partitions}
    for p, store in stores.items():
        store.first = spans[p][0]
        store.take_positions(records[p].pop(positions.POSITIONS_KEY, None))
        progress.parked += store.restored(records.pop(p))
        progress.turned = time.monotonic()
    return stores


def _messages(batch: list[Message], waiting: dict[int, int]) -> list[Message]:
    """Returns the messages of a batch without the events of the client. `waiting`: partition → the offset up to which
    the partition must be read. If a partition was read up to this offset, it is removed from `waiting`."""
    notices = list(filter(Message.error, batch))
    for notice in notices:
        error = notice.error()
        if error.code() == KafkaError._PARTITION_EOF:
            if notice.offset() >= waiting.get(notice.partition(), 0):
                waiting.pop(notice.partition(), None)
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
    return [message for message in batch if message.error() is None] if notices else batch


def _take(records: dict[int, dict[str, bytes | None]], batch: list[Message]) -> None:
    for partition, group in groupby(batch, Message.partition):
        messages = list(group)
        try:
            keys = list(map(bytes.decode, map(Message.key, messages)))
        except UnicodeDecodeError:
            # No desk writes a key that is not UTF-8. So the records of such keys are left out.
            messages = [message for message in messages if _is_text(message.key())]
            keys = [message.key().decode() for message in messages]
        records[partition].update(zip(keys, map(Message.value, messages), strict=True))


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True


def _spans(
    service: str, settings: WorkerSettings, topic: str, partitions: list[int], progress: Restoring
) -> dict[int, tuple[int, int]]:
    """Returns partition → first offset and high watermark, which includes open transactions."""
    asker = desk_reader(service, settings, {"isolation.level": "read_uncommitted"})
    try:
        return {p: _span(asker, TopicPartition(topic, p), progress) for p in partitions}
    finally:
        asker.close()


def _span(asker: Consumer, topic_partition: TopicPartition, progress: Restoring, tries: int = 50) -> tuple[int, int]:
    """Returns the first offset and the high watermark. Retries, because a broker that just started, or a topic that was
    just made, has no leader for a moment."""
    for attempt in range(tries):
        try:
            low, high = asker.get_watermark_offsets(topic_partition, timeout=30)
            return int(low), int(high)
        except KafkaException as problem:
            if attempt == tries - 1 or problem.args[0].fatal():
                raise
            time.sleep(0.1)
        finally:
            progress.turned = time.monotonic()
    raise AssertionError("the loop returns or raises")
