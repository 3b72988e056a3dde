"""Which partitions does this worker have, and with which records and read positions does it begin in them?

If partitions are assigned, the committed offsets are fetched first, then the records are restored, and only then is a message read. If
partitions are revoked, the records are dropped. Both change `generation`, because a message that was read before such a change must
not be decided after it.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from schemas.topics import state_topic
from services.shell import metrics
from services.shell.broker_calls import OFFSETS_SECONDS, BrokerCalls
from services.shell.clients import desk_consumer
from services.shell.desk import Desk
from services.shell.desk_topics import DeskTopics
from services.shell.liveness import Liveness
from services.shell.offsets import Offsets
from services.shell.positions import IN_STATE_TOPIC, GroupOffset, StoredPositions, resume
from services.shell.restore import Restoring, restore
from services.shell.settings import WorkerSettings
from services.shell.store import PartitionStore

OFFSETS_TRIES = 4
"""How often the committed offsets are requested before the process ends. The number is limited because librdkafka can wait for its
group coordinator for ever; a new process then tries again."""
IDLE_COMMIT = 1.0
"""After how many seconds the offsets of messages that changed nothing are committed."""

log = structlog.get_logger()


class Assignment:
    """The partitions of one desk that are assigned to this worker, and the consumer to which they are assigned. Call `connect`
    first."""

    def __init__(
        self,
        desk: Desk,
        settings: WorkerSettings,
        calls: BrokerCalls,
        liveness: Liveness,
        stop: threading.Event,
        on_revoked: Callable[[], None],
    ) -> None:
        self.stores: dict[int, PartitionStore] = {}
        self.offsets = Offsets()
        self.topics = DeskTopics(desk.name, settings)
        self.generation = 0
        self.ready = threading.Event()
        """Set after the records of all assigned partitions (there may be none) were restored; cleared when partitions are revoked or the
        loop ends."""
        self.revoked_at = 0.0
        """Monotonic time of the last revocation; 0 if there was none, or if an assignment (even of no partitions) followed."""
        self.consumer: Consumer
        self._desk, self._settings, self._calls, self._liveness = desk, settings, calls, liveness
        self._stop, self._on_revoked = stop, on_revoked
        self._assigned: list[TopicPartition] | None = None
        """Partitions that the group has assigned and that are not restored yet."""
        self._passed_over_since = 0.0

    def connect(self, inputs: list[str]) -> None:
        """Joins the consumer group of the desk, as a reader of these topics."""
        self.topics.connect()
        self.consumer = desk_consumer(self._desk.name, self._settings)
        self.consumer.subscribe(inputs, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    # callbacks of the consumer group

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Notes the assigned partitions, but fetches nothing yet.

        A callback must not send a request to the cluster, because after a nested `list_topics` the client's next callback ends the
        process (assertion `cs != NULL` in confluent-kafka). An exception in a callback is lost.
        """
        consumer.assign([])
        self._assigned = partitions

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("revoked", desk=self._desk.name, partitions=sorted({p.partition for p in partitions}))
        self.generation += 1
        self._assigned = None
        self.revoked_at = time.monotonic()
        self.ready.clear()
        self.offsets.passed_over.clear()
        self.offsets.read.clear()
        self.stores = {}
        self._liveness.assignment_lost()
        self._on_revoked()

    def take_over_assigned(self) -> None:
        """Takes over the partitions that the group has assigned since the last call, if there are any."""
        if self._assigned is not None:
            partitions, self._assigned = self._assigned, None
            self.take_over(partitions)

    def take_over(self, partitions: list[TopicPartition]) -> None:
        """Restores the records of these partitions and seeks to their read positions. Raises CannotContinue if records or positions
        are missing."""
        started = time.monotonic()
        self.topics.ids = self._calls.retrying(self.topics.describe, "describe_topics")
        name, numbers = self._desk.name, sorted({p.partition for p in partitions})
        log.info("assigned", desk=name, partitions=numbers)
        # the offsets are fetched before the records are read, so that no record is older than the offsets
        committed = self.committed_offsets(partitions)
        self.generation += 1
        self._liveness.restoring = restoring = Restoring()
        self.stores = restore(name, self._settings, state_topic(name), numbers, self._stop, restoring)
        self.offsets.passed_over.clear()
        self._liveness.parked = restoring.parked
        self.offsets.committed = self._resume(committed)
        if self.offsets.passed_over:
            self._commit_passed_over()
        if self._desk.watcher:
            self._desk.watcher.restored(one for store in self.stores.values() for one in store.states())
        offsets = self.offsets.committed
        self._read_from([TopicPartition(p.topic, p.partition, offsets[p.partition][p.topic]) for p in partitions])
        self._liveness.progressed()
        self._liveness.restoring = None
        self.revoked_at = 0.0
        seconds, records = time.monotonic() - started, sum(len(store.records) for store in self.stores.values())
        metrics.RESTORE.labels(name).set(seconds)
        log.info("restored", desk=name, records=records, read=restoring.read, seconds=round(seconds, 3))
        self.ready.set()

    def _resume(self, committed: list[TopicPartition]) -> dict[int, dict[str, int]]:
        """Returns partition → input topic → the offset from which the desk reads on. Raises CannotContinue as
        `positions.resume` does."""
        by_partition: dict[int, dict[str, GroupOffset]] = {}
        for each in committed:
            offset = None if each.offset == OFFSET_INVALID else each.offset
            by_partition.setdefault(each.partition, {})[each.topic] = GroupOffset(offset, each.metadata or "")
        accepted = self._settings.accepts_lost_states(self._desk.name)
        resumed: dict[int, dict[str, int]] = {}
        for partition, inputs in by_partition.items():
            store = self.stores[partition]
            restored = StoredPositions(
                partition, inputs, store.stored, store.first, len(store.records), store.unreadable
            )
            end = partial(self._begin_at_end, partition)
            resumed[partition] = resume(self._desk.name, inputs, restored, accepted, end, self.topics.ids)
            for topic, offset in resumed[partition].items():
                self.offsets.note_lacking(topic, partition, offset, inputs[topic].offset or 0)
            if accepted and store.stored is not None:
                store.stored.cut = store.first
        return resumed

    def _begin_at_end(self, partition: int, topic: str) -> int:
        """Returns the end of a new input, at which the desk begins to read it. The offset is committed by `take_over`, or soon
        after. From then on, a process that is started later also reads what was written meanwhile."""
        beginning = TopicPartition(topic, partition)
        _, end = self._calls.retrying(
            lambda: self.consumer.get_watermark_offsets(beginning, OFFSETS_SECONDS), "end of an input"
        )
        self.offsets.passed_over[topic, partition] = int(end)
        return int(end)

    # offsets

    def rewind(self) -> None:
        """Sets the consumer back to the committed offsets, so that uncommitted messages are read again."""
        self.offsets.passed_over.clear()
        assignment = self.consumer.assignment()
        if assignment:
            self._read_from(self.offsets.rewound(self.committed_offsets(assignment)))

    def _read_from(self, offsets: list[TopicPartition]) -> None:
        self.consumer.assign(offsets)
        self.offsets.read = {(p.topic, p.partition): p.offset for p in offsets}

    def committed_offsets(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Returns the offsets that the group has committed for these partitions; OFFSET_INVALID for a partition that has none. If an open
        transaction contains some of them, waits for its end, in at most `OFFSETS_TRIES` attempts of `OFFSETS_SECONDS` each."""
        committed: list[TopicPartition] = self._calls.retrying(
            lambda: self.consumer.committed(partitions, OFFSETS_SECONDS), "committed", OFFSETS_TRIES
        )
        for each in committed:
            if each.error:
                raise KafkaException(each.error)
        return committed

    def still_ours(self) -> bool:
        """Returns whether the group accepts it if this worker commits the group's present offsets once more. The group refuses this if the
        worker belongs to an earlier generation. Also returns False if the group has no committed offset, because then nothing can be tested."""
        try:
            held = [p for p in self.committed_offsets(self.consumer.assignment()) if p.offset >= 0]
            if held:
                self._commit(held)
        except KafkaException as problem:
            log.warning("not the owner any more", desk=self._desk.name, error=str(problem.args[0]))
            return False
        return bool(held)

    def pass_over(self, offsets: dict[tuple[str, int], int]) -> None:
        """Notes that the messages before these offsets changed nothing. The offsets are committed later (see
        `IDLE_COMMIT`), because reading the messages again does no harm."""
        self.offsets.passed_over.update(offsets)
        self.offsets.note_read(offsets)
        self._passed_over_since = self._passed_over_since or time.monotonic()
        self.commit_passed_over()

    def commit_passed_over(self) -> None:
        """Commits the offsets that `pass_over` noted, if the first of them was noted `IDLE_COMMIT` seconds ago or earlier."""
        if self.offsets.passed_over and time.monotonic() - self._passed_over_since >= IDLE_COMMIT:
            self._commit_passed_over()

    def _commit_passed_over(self) -> None:
        offsets = [
            TopicPartition(topic, partition, offset, IN_STATE_TOPIC if self.stores[partition].stored else "")
            for (topic, partition), offset in self.offsets.passed_over.items()
        ]
        try:
            self._commit(offsets)
        except KafkaException as problem:
            # It is tried again later. A process that starts meanwhile reads these messages again, and they change nothing.
            if problem.args[0].fatal():
                raise
            log.warning("positions not committed", desk=self._desk.name, error=str(problem.args[0]))
            self._passed_over_since = time.monotonic()
            return
        # `committed` must have these offsets, too. A batch that only decides time limits reads no message, so it commits `committed` again
        # (`Offsets.committed_of`). If `committed` had older offsets, that commit would move the group's offsets back.
        self.offsets.committed.update(self.offsets.moved(self.offsets.passed_over))
        self.passed_over_committed()

    def _commit(self, offsets: list[TopicPartition]) -> None:
        self._calls.commit(self.consumer, offsets, self._settings.session_timeout_ms / 1000)

    def passed_over_committed(self) -> None:
        """Deletes the notes of `pass_over`, because their offsets are committed, by a transaction or without one."""
        self.offsets.passed_over.clear()
        self._passed_over_since = 0.0
