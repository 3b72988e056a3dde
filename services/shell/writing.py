"""How does the outcome of a turn become one transaction, and how do the changed records then get into the store?"""

import structlog
from confluent_kafka import TopicPartition

from schemas.topics import PORT_FACTS, state_topic
from services.shell import metrics
from services.shell.assignment import Assignment
from services.shell.desk import Desk
from services.shell.liveness import Liveness
from services.shell.offsets import InputOffsets
from services.shell.outcome import Outcome
from services.shell.overlay import Changed
from services.shell.positions import IN_STATE_TOPIC, POSITIONS_KEY, ReadPositions, encode
from services.shell.transactions import Transactions

log = structlog.get_logger()


class BatchWriter:
    """Writes the batches of one desk."""

    def __init__(self, desk: Desk, transactions: Transactions, assignment: Assignment, liveness: Liveness) -> None:
        self._desk, self._transactions, self._assignment, self._liveness = desk, transactions, assignment, liveness
        self._decided = metrics.COMMITTED.labels(desk.name)

    def write(self, outcome: Outcome, changed: Changed, offsets: InputOffsets) -> None:
        """Commits facts, parked messages, records and `offsets`, up to which the inputs are read after this batch.
        Raises KafkaException if nothing was committed, and RuntimeError if the outcome cannot be known."""
        states, stores, produce = state_topic(self._desk.name), self._assignment.stores, self._transactions.produce
        self._transactions.begin()
        for out in outcome.outputs:
            if out.partition is None:
                produce(topic=out.topic, key=out.key, value=out.value, headers=out.headers)
            else:
                produce(topic=out.topic, key=out.key, value=out.value, headers=out.headers, partition=out.partition)
            if out.for_ports is not None:
                produce(topic=PORT_FACTS, key=out.key, value=out.for_ports, headers=out.headers)
        for partition, key, _, data in changed:
            produce(topic=states, key=key, value=data, partition=partition)
        moved, ids = self._assignment.offsets.moved(offsets), self._assignment.topics.ids
        kept = {
            partition: ReadPositions(positions=inputs, cut=stores[partition].accepted_from(), ids=ids)
            for partition, inputs in moved.items()
        }
        for partition, record in kept.items():
            value = encode(record.positions, record.cut, record.ids)
            produce(topic=states, key=POSITIONS_KEY, value=value, partition=partition)
        group = self._assignment.consumer.consumer_group_metadata()
        sent = [
            TopicPartition(topic, partition, offset, IN_STATE_TOPIC) for (topic, partition), offset in offsets.items()
        ]
        self._transactions.send_offsets(sent, group)
        self._transactions.commit()
        self._assignment.offsets.committed.update(moved)
        for partition, record in kept.items():
            stores[partition].stored = record

    def keep(self, outcome: Outcome, changed: Changed) -> None:
        """Puts the changed records of a committed transaction into the store, and counts the outcome."""
        name = self._desk.name
        for partition, key, entry, data in changed:
            self._assignment.stores[partition].put(key, data, entry.record.due, entry.state)
        if self._desk.watcher:
            self._desk.watcher.committed([(key, entry.before, entry.state) for _, key, entry, _ in changed])
        self._decided.inc(outcome.decided)
        for kind, count in outcome.facts.items():
            metrics.FACTS.labels(name, kind).inc(count)
        for reason, count in outcome.parked.items():
            metrics.PARKED.labels(name, reason).inc(count)
            log.warning("parked", desk=name, reason=reason, count=count)
        self._liveness.parked += sum(outcome.parked.values()) - outcome.settled
        if outcome.duplicates:
            metrics.DUPLICATES.labels(name).inc(outcome.duplicates)
