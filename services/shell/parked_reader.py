"""How does the loop read what is parked, for a replay? From the parked topic and from origins, committed messages only."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.parking import Origin
from schemas.topics import parked_topic
from services.shell.clients import restore_config
from services.shell.codec import Raw, raw
from services.shell.parking import Stretch
from services.shell.settings import WorkerSettings

MESSAGES, BYTES = 2000, 8 << 20
"""What one stretch takes at most; it ends with the message that passes the bound."""
SECONDS = 10.0
"""How long the cluster may take; then the turn is begun anew."""


class KafkaParkedReader:
    """One client without a group, made when something is parked for the first time; used by the loop's thread alone."""

    def __init__(self, service: str, settings: WorkerSettings) -> None:
        self._topic, self._settings = parked_topic(service), settings
        self._consumer: Consumer | None = None

    def end(self, partition: int) -> int:
        """The high watermark: messages of transactions that are still open lie before it."""
        _, high = self._client().get_watermark_offsets(TopicPartition(self._topic, partition), timeout=SECONDS)
        return int(high)

    def read(self, partition: int, start: int) -> Stretch:
        return self._read(self._topic, partition, start, MESSAGES)

    def message_at(self, origin: Origin) -> Raw | None:
        place = TopicPartition(origin.topic, origin.partition)
        low, high = self._client().get_watermark_offsets(place, timeout=SECONDS)
        if not low <= origin.offset < high:
            return None
        found = self._read(origin.topic, origin.partition, origin.offset, 1).messages
        return found[0] if found and found[0].offset == origin.offset else None

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _client(self) -> Consumer:
        if self._consumer is None:
            limits = {"queued.min.messages": MESSAGES, "queued.max.messages.kbytes": 16_384}
            self._consumer = Consumer(restore_config(self._settings) | limits)
        return self._consumer

    def _read(self, topic: str, partition: int, start: int, most: int) -> Stretch:
        """Up to `most` messages from `start`; KafkaException when the cluster does not answer in time."""
        client, stretch, size = self._client(), Stretch(next=start), 0
        client.assign([TopicPartition(topic, partition, start)])
        deadline = time.monotonic() + SECONDS
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
                        stretch.next, stretch.at_end = max(stretch.next, message.offset()), True
                    else:
                        raise KafkaException(error)
                if stretch.at_end:
                    break
                if not batch and time.monotonic() > deadline:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic}/{partition} was not read"))
            return stretch
        finally:
            client.unassign()
