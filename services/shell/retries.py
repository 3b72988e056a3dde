"""How often has a batch failed, and how many messages does the next one have?

A new process begins with one message. After a batch that was full and quick, the next batch has twice its size, up to
`DTG_BATCH`; after a failure, the next batch has half the size. So a batch that takes too long for a transaction, for a
call of the broker or for `/livez` is not tried again and again at the same size, not even by a new process. No message
is parked because its batch was slow.
"""

from collections.abc import Mapping

from confluent_kafka import KafkaError

from services.shell.halving import may_be_of_message

QUICK = 0.25
"""A batch is quick if it took at most this share of the time that a transaction may take. The next batch, which has twice as many
messages, then takes at most about half of that time."""

InputPartition = tuple[str, int]
"""A topic and a partition."""


class Retries:
    """The failures of one loop since its last progress, and the size of its next batch.

    `most`: how many messages one transaction may have. `seconds`: how long a transaction may take.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.size = 1
        self.failures = 0
        """The number of failures since the last commit of a message that had failed, or of a piece of a batch."""
        self.message_failures = 0
        """The number of failures that a single message may have caused, since the last time at which no failed message was left."""
        self._most, self._seconds = most, seconds
        self._failed: dict[InputPartition, tuple[int, int]] = {}
        """Topic and partition → the first and the last offset of the messages that failed and are not committed yet."""

    def failed(self, error: KafkaError, taken: int, offsets: Mapping[InputPartition, tuple[int, int]]) -> None:
        """Notes that a batch of `taken` messages, or keys with time limits, was not committed. `offsets`: the first and the last
        offset of the batch in each topic and partition."""
        self.failures += 1
        self.message_failures += may_be_of_message(error)
        self.size = max(1, min(self.size, taken) // 2)
        for each, (first, last) in offsets.items():
            self._failed[each] = first, max(last, self._failed.get(each, (first, last))[1])

    def committed(self, taken: int, seconds: float, positions: Mapping[InputPartition, int]) -> None:
        """Notes that a batch was committed after this many seconds. `positions`: the next offset of each topic and partition.

        `failures` is set to 0 if the batch contains a message that had failed, and both counts are set to 0 if no
        failed message is left. While failed messages are left, a batch of other messages, or only of time limits,
        proves nothing.
        """
        if taken >= self.size and seconds <= QUICK * self._seconds:
            self.size = min(self._most, self.size * 2)
        if any(positions.get(each, 0) > first for each, (first, _) in self._failed.items()):
            self.failures = 0
        self._failed = {
            each: (max(first, positions.get(each, 0)), last)
            for each, (first, last) in self._failed.items()
            if positions.get(each, 0) <= last
        }
        if not self._failed:
            self.failures = self.message_failures = 0

    def committed_piece(self) -> None:
        """Notes that a piece of a batch that is tried in halves was committed. This proves that the broker accepts
        transactions."""
        self.failures = 0

    def assignment_lost(self) -> None:
        """Forgets the messages that failed, because another worker may read them now."""
        self._failed.clear()
