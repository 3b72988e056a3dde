"""Has every service read every message that it needs? If so, no fact follows until somebody sends a request.

A desk writes its facts and its read positions in one transaction. So if every desk has read everything that this player has read, and the
player has read everything on the topics, no further fact can follow.
"""

from collections.abc import Mapping

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from schemas.flow import heard_topics
from schemas.topics import SERVICES
from services.shell import clients
from services.shell.access import Access, access_to
from services.shell.clock import stopwatch

SECONDS = 10
Offsets = Mapping[tuple[str, int], int]


class Stillness:
    """Queries the cluster to find out whether all messages were read. `still` returns False also while the cluster does not answer."""

    def __init__(self, kafka: Access | str, requests: list[tuple[str, int]], facts: list[tuple[str, int]]) -> None:
        self._requests, self._facts, self._access = requests, facts, access_to(kafka)
        self.behind = ""
        """Which service, or the player, had unread messages at the last call of `still`, and in which partitions; or the cluster's error;
        empty if all was read."""
        self._connect()

    def _connect(self) -> None:
        self._admin = clients.admin(self._access)
        self._groups = {
            name: clients.consumer(self._access, {"group.id": f"customs-{name}", "enable.partition.eof": True})
            for name in SERVICES
        }

    def close(self) -> None:
        for group in self._groups.values():
            group.close()

    def still(self, last: Offsets, read: Offsets) -> bool:
        """Returns whether all messages were read. `last`: the offset of the last fact that the player read; `read`: the offset up to
        which the player has read. Both are by topic and partition."""
        try:
            wanted = {**self._ends(self._requests), **{partition: offset + 1 for partition, offset in last.items()}}
            self.behind = next((behind for name in SERVICES if (behind := self._unread(name, wanted))), "")
            if not self.behind:
                ends = self._ends(self._facts).items()
                unread = [partition for partition, end in ends if read.get(partition, 0) < end]
                self.behind = f"the player: {_named(unread)}" * bool(unread)
            return not self.behind
        except KafkaException as error:
            self.behind = f"the cluster does not answer: {error}"
            # The clients are replaced. An old client may wait for ever for a group coordinator on a broker that has
            # ended.
            self.close()
            self._connect()
            return False

    def _unread(self, service: str, wanted: Offsets) -> str:
        """Returns the service and the partitions that it has not read to their ends; empty if there are none."""
        topics = heard_topics(service)
        partitions = [TopicPartition(t, p) for t, p in wanted if t in topics]
        committed = self._groups[service].committed(partitions, SECONDS)
        behind = [p for p in committed if wanted[p.topic, p.partition] and p.offset < wanted[p.topic, p.partition]]
        if not behind or self._nothing_follows(self._groups[service], behind):
            return ""
        return f"{service}: {_named([(p.topic, p.partition) for p in behind])}"

    def _nothing_follows(self, group: Consumer, behind: list[TopicPartition]) -> bool:
        """Returns whether only aborted transactions and transaction markers follow the committed offsets `behind`. They
        contain no messages for a desk, so the desk commits no offset after them."""
        group.assign([TopicPartition(p.topic, p.partition, max(0, p.offset)) for p in behind])
        try:
            at_end, began = 0, stopwatch()
            while at_end < len(behind) and stopwatch() < began + SECONDS:
                for message in group.consume(len(behind), 0.5):
                    error = message.error()
                    if error is None:
                        return False
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    at_end += 1
            return at_end == len(behind)
        finally:
            group.unassign()

    def _ends(self, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        futures = self._admin.list_offsets(
            {TopicPartition(t, p): OffsetSpec.latest() for t, p in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=SECONDS,
        )
        return {(partition.topic, partition.partition): future.result().offset for partition, future in futures.items()}


def _named(partitions: list[tuple[str, int]]) -> str:
    return ", ".join([f"{topic}/{partition}" for topic, partition in partitions])
