"""Which messages does the loop read next? It reads one batch, without the events of the client (the end of a
partition, an error). If the assignment changes while a batch is read, the batch is given up, so that it does not mix
messages from before and after the change."""

import time

from confluent_kafka import KafkaError, KafkaException, Message

from services.shell.access import DENIALS
from services.shell.assignment import Assignment
from services.shell.broker_calls import BrokerCalls
from services.shell.layout import CannotContinue
from services.shell.settings import WorkerSettings

LEAVE_SECONDS = 2.0
"""For how many seconds at most an orderly stop waits until this consumer has no partitions any more. If the group does
not learn that this member leaves, other members get the partitions only after the session of this member has timed
out."""
FATAL = frozenset({KafkaError._FATAL, KafkaError.UNKNOWN_TOPIC_OR_PART})
"""Errors after which the consumer reads nothing any more, so that the process must end and start again."""
IDLE_SECONDS = 0.1
"""For how many seconds a poll waits for the first message."""


class Poller:
    """Reads messages for one desk from its assigned partitions."""

    def __init__(self, desk: str, settings: WorkerSettings, calls: BrokerCalls, assignment: Assignment) -> None:
        self.polled = 0
        """How many messages and client events the last poll took."""
        self._desk, self._settings, self._calls, self._assignment = desk, settings, calls, assignment

    def poll(self, size: int, due: bool, committed_at: float) -> list[Message]:
        """Returns at most `size` messages. `due`: whether time limits have passed, so that the poll must not wait; `committed_at`: the
        monotonic time at which the last batch was committed.

        Returns no messages if the assignment changed during the poll. The present owner of each partition, which may
        be this worker, reads the messages again from the committed offset. Raises CannotContinue if a topic does not
        have the read position any more, and KafkaException for an error that must end the process.
        """
        generation = self._assignment.generation
        self.polled = 0
        messages = self._consume(1, 0.0 if due else IDLE_SECONDS)
        if not messages:
            return []
        if size > 1:
            pace = self._settings.pace_ms - (time.monotonic() - committed_at) * 1000
            messages += self._consume(size - 1, max(self._settings.linger_ms, pace) / 1000)
        self.polled = len(messages)
        if generation != self._assignment.generation:
            self._assignment.rewind()
            return []
        messages = [message for message in messages if self._is_message(message)]
        self._calls.check_access()
        return messages

    def leave(self) -> None:
        """Leaves the consumer group, and waits until this consumer has no partitions any more, for at most
        `LEAVE_SECONDS`."""
        consumer = self._assignment.consumer
        consumer.unsubscribe()
        deadline = time.monotonic() + LEAVE_SECONDS
        while consumer.assignment() and time.monotonic() < deadline:
            self._consume(1, 0.05)

    def _consume(self, most: int, seconds: float) -> list[Message]:
        """Reads messages as `Consumer.consume` does; then takes over the partitions that were assigned meanwhile."""
        messages: list[Message] = self._assignment.consumer.consume(most, seconds)
        self._assignment.take_over_assigned()
        return messages

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            # Transaction markers may follow the last message. So the offset of the end is noted, and not the offset
            # directly after the last message.
            self._assignment.offsets.read[message.topic(), message.partition()] = message.offset()
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise CannotContinue(
                f"{self._desk}: {message.topic()}/{message.partition()} does not have the offset up to which it was read: "
                f"{error}. 读取位点之后的消息不存在，主题可能已被重建。 Nothing is decided until an operator has looked: docs/runbooks/WorkerDown.md"
            )
        elif error.fatal() or error.code() in FATAL or error.code() in DENIALS:
            raise KafkaException(error)
        else:
            self._calls.on_consumer_error(error)
        return False
