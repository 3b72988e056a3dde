"""Has everything been heard that was said? Then nothing moves any more until somebody acts.

A desk writes what it says and how far it read in one transaction. So when every desk has read what we have read, and we
have read what is there, nothing is in flight.
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
Places = Mapping[tuple[str, int], int]


class Stillness:
    """Asks the cluster; `still` is False too while the cluster does not answer."""

    def __init__(self, kafka: Access | str, requests: list[tuple[str, int]], facts: list[tuple[str, int]]) -> None:
        self._requests, self._facts, self._access = requests, facts, access_to(kafka)
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

    def still(self, last: Places, read: Places) -> bool:
        """`last`: offset of the last fact that we heard, `read`: up to where we read, both by topic and partition."""
        try:
            wanted = {**self._ends(self._requests), **{place: offset + 1 for place, offset in last.items()}}
            if not all(self._has_read(name, wanted) for name in SERVICES):
                return False
            return all(read.get(place, 0) >= end for place, end in self._ends(self._facts).items())
        except KafkaException:
            self.close()  # a client may look for the group coordinator of a dead broker for ever, also when it is back
            self._connect()
            return False

    def _has_read(self, service: str, wanted: Places) -> bool:
        topics = heard_topics(service)
        places = [TopicPartition(t, p) for t, p in wanted if t in topics]
        committed = self._groups[service].committed(places, SECONDS)
        behind = [p for p in committed if wanted[p.topic, p.partition] and p.offset < wanted[p.topic, p.partition]]
        return not behind or self._nothing_follows(self._groups[service], behind)

    def _nothing_follows(self, group: Consumer, behind: list[TopicPartition]) -> bool:
        """What a foreign transaction took back and the marker of its end are no messages: nobody will commit a position
        behind them, and nobody needs to."""
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

    def _ends(self, places: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        asked = self._admin.list_offsets(
            {TopicPartition(t, p): OffsetSpec.latest() for t, p in places},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=SECONDS,
        )
        return {(place.topic, place.partition): future.result().offset for place, future in asked.items()}
