"""Up to which offsets has a loop read its inputs, and which of them are committed?

Offsets are the next ones to be read. `services/shell/positions.py` has the form in which they are kept in the state topic.
"""

from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, TopicPartition

from services.shell.overlay import Changed

InputOffsets = dict[tuple[str, int], int]
"""(Input topic, partition) → offset."""


class Offsets:
    """The offsets of the partitions that are assigned now."""

    def __init__(self) -> None:
        self.read: InputOffsets = {}
        """The offsets of everything that was read, committed or not; the lag is counted from them."""
        self.passed_over: InputOffsets = {}
        """Read offsets whose messages changed nothing, and which are not committed yet."""
        self.committed: dict[int, dict[str, int]] = {}
        """Partition → input topic → the offset that was committed last, by a transaction or on its own."""

    def note_read(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Notes these offsets as read, but never moves one back. The end of a partition that was reported in the same batch may lie
        behind the transaction marker that follows the last message, and must not be replaced by the offset after that message."""
        for topic_partition, offset in offsets.items():
            self.read[topic_partition] = max(offset, self.read.get(topic_partition, 0))

    def standing(self, changed: Changed) -> InputOffsets:
        """The committed offsets of the partitions of these records, for a batch of time limits, which reads no messages. Without any
        offset librdkafka would send no request, and then the group would not check whether this worker still has the partition."""
        return {
            (topic, partition): offset
            for partition in {partition for partition, *_ in changed}
            for topic, offset in self.committed[partition].items()
            if offset >= 0
        }

    def moved(self, offsets: Mapping[tuple[str, int], int]) -> dict[int, dict[str, int]]:
        """Partition → input topic → offset, as `committed` will be after these offsets are committed; only for the
        partitions that they are about."""
        moved: dict[int, dict[str, int]] = {}
        for (topic, partition), offset in offsets.items():
            if partition not in moved:
                moved[partition] = dict(self.committed.get(partition, {}))
            moved[partition][topic] = offset
        return moved

    def note_lacking(self, topic: str, partition: int, offset: int, committed: int) -> None:
        """Notes an offset from which the desk reads on, to be committed if that of the group is missing (0) or older. Then lag tools show how
        far the desk has read."""
        if offset > committed:
            self.passed_over[topic, partition] = offset

    def rewound(self, committed: Iterable[TopicPartition]) -> list[TopicPartition]:
        """The offsets from which the inputs are read on. They are those that the group has committed, but never lower than the last
        ones that we know, because the group may have forgotten its own, or a commit after a restore may have failed. Offsets that the
        group lacks are noted, to be committed."""
        topic_partitions = []
        for noted in committed:
            known = self.committed.get(noted.partition, {}).get(noted.topic, OFFSET_BEGINNING)
            offset = known if noted.offset == OFFSET_INVALID else max(known, noted.offset)
            self.note_lacking(noted.topic, noted.partition, offset, max(noted.offset, 0))
            topic_partitions.append(TopicPartition(noted.topic, noted.partition, offset))
        return topic_partitions
