"""What is published if a parked message is settled, and how much may one turn read for that?"""

from datetime import datetime
from typing import Any

from schemas.bounds import shown
from schemas.parking import Origin, ParkedDiscarded, ParkedReplayed, ParkingOrder, ReplayParked
from services.shell.codec import Raw
from services.shell.outcome import Outcome
from services.shell.overlay import OverlayEntry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import ParkedReader, Stretch

READS = 20
"""How often one turn may read the parked topic or an origin, before it leaves the rest to the next turns."""


class BoundedReader:
    """Reads parked messages, and counts how often one turn does so. Before a read that can wait for the next turn, call
    `may_read`, and do not read if it returns False."""

    def __init__(self, reader: ParkedReader) -> None:
        self._reader = reader
        self._reads = 0

    def may_read(self) -> bool:
        """Returns whether this turn may read once more, and counts that read."""
        self._reads += 1
        return self._reads <= READS

    def read(self, partition: int, start: int) -> Stretch:
        """Reads as `ParkedReader.read` does."""
        return self._reader.read(partition, start)

    def message_at(self, origin: Origin) -> Raw | None:
        """Reads as `ParkedReader.message_at` does."""
        return self._reader.message_at(origin)

    def whole(self, message: Raw) -> Raw:
        """Returns the message from its origin, including a value that was too large for its parking message. Returns `message`
        itself if it is no longer at its origin."""
        original = self._reader.message_at(Origin(message.topic, message.partition, message.offset))
        return message if original is None else original


class Settlements:
    """Publishes that a parked message was settled: replayed or discarded."""

    def __init__(self, service: str, at: datetime, queue: ParkedQueue, outcome: Outcome) -> None:
        self._service, self._at, self._queue, self._outcome = service, at, queue, outcome

    def discarded(self, entry: OverlayEntry, key: str, partition: int, origin: Origin, kind: str, by: str) -> None:
        """Publishes that a parked message was discarded. `by`: who ordered it. A time limit that is discarded is not decided again."""
        if origin.is_deadline:
            entry.record.discarded = [*entry.record.discarded, origin.topic.partition("/")[2]]
        self._announce(entry, partition, ParkedDiscarded.model_construct(**self._fields(key, origin, kind, by)))

    def replayed(
        self,
        entry: OverlayEntry,
        key: str,
        partition: int,
        origin: Origin,
        message: Raw,
        order: ParkingOrder | None,
        by: str,
    ) -> None:
        """Publishes that a parked message was replayed. `order`: the order about this message, which may have a corrected value;
        `by`: who ordered it."""
        edited = order.value_base64 if isinstance(order, ReplayParked) else None
        fields = self._fields(key, origin, message.text("ce_type"), by)
        self._announce(entry, partition, ParkedReplayed.model_construct(**fields, edited_base64=edited))

    def not_counted(self) -> None:
        """Takes the last settled message out of `Outcome.settled` again, which is subtracted from the number of parked
        messages. The message was in no queue, so it had never been added to that number."""
        self._outcome.settled -= 1

    def _announce(self, entry: OverlayEntry, partition: int, fact: ParkedReplayed | ParkedDiscarded) -> None:
        entry.settled = True
        self._outcome.settled += 1
        self._queue.announce(fact, partition)

    def _fields(self, key: str, origin: Origin, kind: str, by: str) -> dict[str, Any]:
        where: dict[str, Any] = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        names = {"service": self._service, "subject": key, "ordered_by": by, "message_kind": shown(kind, 200)}
        return {"occurred_at": self._at, **names, **where}
