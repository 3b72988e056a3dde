"""Up to which offsets has a loop read its inputs, and which of them are committed?

An offset here is always that of the next message to read. `services/shell/positions.py` has the form in which the offsets are kept in the
state topic.
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
        """The offsets up to which the inputs were read, committed or not. The lag is counted from them."""
        self.passed_over: InputOffsets = {}
        """Offsets that are not committed yet and are committed later: the messages before them changed nothing, or the
        desk reads on from them and the group lacks them (`note_lacking`)."""
        self.committed: dict[int, dict[str, int]] = {}
        """Partition → input topic → the offset that was committed last, by a transaction or without one."""

    def note_read(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Notes these offsets as read, but never moves one back. The same poll may have noted the end of a partition,
        which lies behind the transaction marker after the last message. The lower offset directly after the last
        message must not replace the offset of the end."""
        for topic_partition, offset in offsets.items():
            self.read[topic_partition] = max(offset, self.read.get(topic_partition, 0))

    def committed_of(self, changed: Changed) -> InputOffsets:
        """Returns the committed offsets of the partitions of these records. A batch of time limits reads no messages, so it commits these
        offsets again. Without any offset, librdkafka would send no request, and the group would not check whether this worker still has
        the partition."""
        return {
            (topic, partition): offset
            for partition in {partition for partition, *_ in changed}
            for topic, offset in self.committed[partition].items()
            if offset >= 0
        }

    def moved(self, offsets: Mapping[tuple[str, int], int]) -> dict[int, dict[str, int]]:
        """Returns partition → input topic → offset, as `committed` will be after these offsets are committed. Only the partitions of these
        offsets are included."""
        moved: dict[int, dict[str, int]] = {}
        for (topic, partition), offset in offsets.items():
            if partition not in moved:
                moved[partition] = dict(self.committed.get(partition, {}))
            moved[partition][topic] = offset
        return moved

    def note_lacking(self, topic: str, partition: int, offset: int, committed: int) -> None:
        """Notes the offset from which the desk reads on, if it is higher than the offset that the group has committed (`committed`, 0 if
        there is none). It is committed later, so that tools which show the lag show how far the desk has read."""
        if offset > committed:
            self.passed_over[topic, partition] = offset

    def rewound(self, committed: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Returns the offsets from which the inputs are read on. `committed`: the offsets that the group has committed.

        The group may have lost its offsets, or a commit after a restore may have failed. So if the group's offset is
        lower than that in `self.committed`, the offset in `self.committed` is used. Offsets that the group lacks are
        noted, to be committed later.
        """
        topic_partitions = []
        for noted in committed:
            known = self.committed.get(noted.partition, {}).get(noted.topic, OFFSET_BEGINNING)
            offset = known if noted.offset == OFFSET_INVALID else max(known, noted.offset)
            self.note_lacking(noted.topic, noted.partition, offset, max(noted.offset, 0))
            topic_partitions.append(TopicPartition(noted.topic, noted.partition, offset))
        return topic_partitions
