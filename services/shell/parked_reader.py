"""How does the loop read parked messages, for a replay? It reads committed messages from the parked topic, or from the
positions at which the parked messages were read at first (their origins)."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.parking import Origin
from schemas.rights import Rights, table
from schemas.topics import ROLES, parked_topic
from services.shell.clients import desk_reader
from services.shell.codec import Raw, raw
from services.shell.parking import Stretch
from services.shell.settings import WorkerSettings

MESSAGES, BYTES = 2000, 8 << 20
"""A read returns at most this many messages. It also ends as soon as it has values of at least this many bytes, which
is checked after each batch from the client."""
SECONDS = 10.0
"""For how many seconds the reader waits for an answer of the cluster. After that, the turn is started again."""

NO_SUCH_PARTITION = frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
    }
)
"""Error codes of the cluster for a partition that does not exist. Only a forged fact can name such a partition."""
LAST_PARTITION = 2**31 - 1
"""The highest number that a partition can have (a signed integer of 32 bits). The client raises an exception for a higher one, which
only a forged fact can name."""
NOT_READ = KafkaError.TOPIC_AUTHORIZATION_FAILED
"""The error code of the cluster for a topic that the service may not read. If the service does not need the topic, only a
forged fact can name it. If the service needs the topic, a right is missing, which is an error."""


class KafkaParkedReader:
    """Reads parked messages from the cluster. Its two clients join no consumer group, and each is made when it is first needed.
    Only the thread of the loop uses this object."""

    def __init__(self, service: str, settings: WorkerSettings) -> None:
        self._service, self._topic, self._settings = service, parked_topic(service), settings
        self._reads = table(sandbox=False).get(service, Rights()).reads
        self._consumer: Consumer | None = None
        self._asker: Consumer | None = None

    def end(self, partition: int) -> int:
        """Returns the last stable offset of this partition of the parked topic. Messages of open transactions have this
        offset or higher ones."""
        _, high = self._client().get_watermark_offsets(TopicPartition(self._topic, partition), timeout=SECONDS)
        return int(high)

    def read(self, partition: int, start: int) -> Stretch:
        return self._read(self._topic, partition, start, MESSAGES)

    def message_at(self, origin: Origin) -> Raw | None:
        if origin.topic not in ROLES or not 0 <= origin.partition <= LAST_PARTITION:
            return None
        topic_partition = TopicPartition(origin.topic, origin.partition)
        try:
            low, high = self._client().get_watermark_offsets(topic_partition, timeout=SECONDS)
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() in NO_SUCH_PARTITION or (error.code() == NOT_READ and origin.topic not in self._reads):
                return None
            raise
        if not low <= origin.offset < high:
            return None
        found = self._read(origin.topic, origin.partition, origin.offset, 1).messages
        return found[0] if found and found[0].offset == origin.offset else None

    def close(self) -> None:
        for client in (self._consumer, self._asker):
            if client is not None:
                client.close()
        self._consumer = self._asker = None

    def _high(self, partition: int) -> int:
        """Returns the high watermark, which includes open transactions. This needs a second client, because a
        `read_committed` client gets the last stable offset instead."""
        if self._asker is None:
            self._asker = desk_reader(self._service, self._settings, {"isolation.level": "read_uncommitted"})
        _, high = self._asker.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=SECONDS)
        return int(high)

    def _client(self) -> Consumer:
        if self._consumer is None:
            limits = {"queued.min.messages": MESSAGES, "queued.max.messages.kbytes": 16_384}
            self._consumer = desk_reader(self._service, self._settings, limits)
        return self._consumer

    def _read(self, topic: str, partition: int, start: int, most: int) -> Stretch:
        """Reads up to `most` messages from the offset `start`. Raises KafkaException if the cluster does not answer in
        time."""
        client, stretch, size = self._client(), Stretch(next=start), 0
        end = self._high(partition) if topic == self._topic else 0
        client.assign([TopicPartition(topic, partition, start)])
        deadline, ended = time.monotonic() + SECONDS, False
        try:
            while len(stretch.messages) < most and size < BYTES:
                batch = client.consume(min(most - len(stretch.messages), 200), 0.05)
                for message in batch:
                    error = message.error()
                    if error is None:
                        stretch.messages.append(raw(message))
                        stretch.next = message.offset() + 1
                        size += len(message.value() or b"")
                    elif error.code() == KafkaError._PARTITION_EOF:
                        stretch.next, ended = max(stretch.next, message.offset()), True
                        # `end` is the high watermark. If the client reports the end of the partition at a lower offset,
                        # messages of an open transaction follow, which may be committed later.
                        stretch.at_end = message.offset() >= end
                    else:
                        raise KafkaException(error)
                if ended:
                    break
                if not batch and time.monotonic() > deadline:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic}/{partition} was not read"))
            return stretch
        finally:
            client.unassign()
