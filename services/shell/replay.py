"""How are parked messages decided again, or given up? In their order, a bounded number a turn, each exactly once.

An operator's order (`ReplayParked`, `DiscardParked`) names the first parked message of its key; the messages are read from the parked
topic. A replay that is not finished in one turn goes on in the next ones: the record says so, and has a time limit for it.
"""

from datetime import datetime
from typing import Any

from schemas.bounds import shown
from schemas.parking import (
    PARKING_FULL,
    DiscardParked,
    MessageParked,
    Origin,
    ParkedDiscarded,
    ParkedReplayed,
    ReplayParked,
)
from schemas.topics import orders_topic, parked_topic
from services.shell.codec import Raw, Undecodable
from services.shell.handler import MessageHandler
from services.shell.outcome import Outcome
from services.shell.overlay import Entry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import ParkedReader, Trouble, decode_order, edited_value, parked_raw, waits_here
from services.shell.store import ParkedMessage, Replay, Waiting

REPLAYED = 200
"""How many parked messages of one key are decided in one turn."""
READS = 20
"""How often one turn reads the parked topic or an origin; what is left over is done in the next turns."""

Order = ReplayParked | DiscardParked


class Settlements:
    """Publishes that a parked message was settled: replayed or discarded."""

    def __init__(self, service: str, at: datetime, queue: ParkedQueue, outcome: Outcome) -> None:
        self._service, self._at, self._queue, self._outcome = service, at, queue, outcome

    def discarded(self, entry: Entry, key: str, partition: int, origin: Origin, kind: str, by: str) -> None:
        """`by`: who ordered it. A discarded time limit does not come due again."""
        if origin.is_deadline:
            entry.record.discarded = [*entry.record.discarded, origin.topic.partition("/")[2]]
        self._announce(entry, partition, ParkedDiscarded.model_construct(**self._fields(key, origin, kind, by)))

    def replayed(
        self, entry: Entry, key: str, partition: int, origin: Origin, message: Raw, order: Order | None, by: str
    ) -> None:
        """`order`: the one that may have corrected this message."""
        edited = order.value_base64 if isinstance(order, ReplayParked) else None
        fields = self._fields(key, origin, message.text("ce_type"), by)
        self._announce(entry, partition, ParkedReplayed.model_construct(**fields, edited_base64=edited))

    def _announce(self, entry: Entry, partition: int, fact: ParkedReplayed | ParkedDiscarded) -> None:
        entry.settled = True
        self._outcome.settled += 1
        self._queue.announce(fact, partition)

    def _fields(self, key: str, origin: Origin, kind: str, by: str) -> dict[str, Any]:
        where: dict[str, Any] = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        names = {"service": self._service, "subject": key, "ordered_by": by, "message_kind": shown(kind, 200)}
        return {"occurred_at": self._at, **names, **where}


class Replays:
    """The orders and replays of one turn. `time`: `at` as a header has it; `one_by_one`: at most one message a turn is decided."""

    def __init__(
        self,
        service: str,
        at: datetime,
        time: str,
        reader: ParkedReader,
        handler: MessageHandler,
        queue: ParkedQueue,
        outcome: Outcome,
        one_by_one: bool,
    ) -> None:
        self._service, self._at, self._time, self._reader = service, at, time, reader
        self._handler, self._queue, self._outcome = handler, queue, outcome
        self._settlements = Settlements(service, at, queue, outcome)
        self._most = 1 if one_by_one else REPLAYED
        self._reads = 0

    def order(self, entry: Entry, key: str, message: Raw) -> None:
        """Carries an order out; one that is not about the first parked message of its key was carried out before, or comes too soon."""
        order = decode_order(message, self._service, key, self._time)
        waiting = entry.record.waiting
        if entry.record.parked:
            if entry.record.parked[0].origin() == order.origin:
                self._older(entry, key, message.partition, order)
        elif waiting and waiting.replay is None and waiting.first in (None, order.origin):
            waiting.replay = Replay(message.offset, order.asked_by)
            self._step(entry, key, message.partition, order)
        elif order.parked_offset is not None:
            self._outside(entry, key, message.partition, order)

    def go_on(self, entry: Entry, key: str, partition: int, refusal: Trouble | None = None) -> None:
        """The next step of a replay that an earlier turn did not finish. `refusal`: why this step cannot be written; then the replay
        ends, and nothing is read for it, since that may be what fails."""
        waiting = entry.record.waiting
        if waiting is None or waiting.replay is None or entry.record.parked:
            return
        if refusal is not None:
            self._stop(entry, key, partition, waiting, refusal)
            return
        order: Order | None = None
        if waiting.replay.order >= 0:
            place = Origin(orders_topic(self._service), partition, waiting.replay.order)
            if self._may_read():
                order = self._order_at(place, key)
                if order is None:
                    lost = Trouble("order_gone", "the order can no longer be read; give it again")
                    self._stop(entry, key, partition, waiting, lost)
                    return
        self._step(entry, key, partition, order)

    def _order_at(self, place: Origin, key: str) -> Order | None:
        message = self._reader.message_at(place)
        try:
            return None if message is None else decode_order(message, self._service, key, self._time)
        except Undecodable:
            return None

    def _may_read(self) -> bool:
        self._reads += 1
        return self._reads <= READS

    # what waits in the parked topic

    def _step(self, entry: Entry, key: str, partition: int, order: Order | None) -> None:
        """Settles what one stretch of the parked topic holds of this key. `order`: the one about the first message, if that is still to come."""
        waiting = entry.record.waiting
        assert waiting is not None and waiting.replay is not None
        entry.dirty = True
        if (waiting.replay.order >= 0 and order is None) or not self._may_read():
            self._later(entry)
            return
        stretch = self._reader.read(partition, waiting.start)
        name, subject, settled = self._service, key.encode(), 0
        for message in stretch.messages:
            fact = waits_here(message, name, subject)
            if fact is None or fact.reason == PARKING_FULL:
                continue
            waiting.start, waiting.first = message.offset, fact.origin
            if waiting.replay is None:
                return  # an order of its own is awaited for this one
            if settled == self._most:
                self._later(entry)
                return
            if order is not None and order.origin != fact.origin:
                waiting.replay = None
                return
            if not self._settle(entry, key, partition, fact, order, waiting):
                return
            order, settled = None, settled + 1
            if entry.record.waiting is None:
                return
        waiting.start = max(waiting.start, stretch.next)
        if not stretch.at_end or waiting.count <= entry.parked_now:
            if waiting.replay is not None:
                self._later(entry)
            return
        missing = f"{waiting.count} messages of this key are no longer in the parked topic"
        self._stop(entry, key, partition, waiting, Trouble("not_in_topic", missing))

    def _settle(
        self, entry: Entry, key: str, partition: int, fact: MessageParked, order: Order | None, waiting: Waiting
    ) -> bool:
        """Decides or discards this message, the first of its key; False when the replay ends or pauses here."""
        assert waiting.replay is not None
        by = waiting.replay.ordered_by
        if isinstance(order, DiscardParked):
            self._settlements.discarded(entry, key, partition, fact.origin, fact.headers.get("ce_type", ""), by)
            self._one_less(entry, waiting)
            waiting.replay = None
            return True
        edited = edited_value(order) if order is not None else None
        message = parked_raw(fact)
        if edited is not None:
            message = message._replace(value=edited)
        elif not fact.value_kept:
            if not self._may_read():
                self._later(entry)
                return False
            message = self._from_origin(message)
        trouble = self._handler.attempt(entry, key, message)
        if trouble is not None:
            waiting.replay, waiting.attempt = None, waiting.attempt + 1
            self._again(fact, trouble, partition, waiting.attempt)
            return False
        self._settlements.replayed(entry, key, partition, fact.origin, message, order, by)
        self._one_less(entry, waiting)
        waiting.replay = Replay(-1, by)
        return True

    def _again(self, fact: MessageParked, trouble: Trouble, partition: int, attempt: int) -> None:
        """The first version stays what waits; a correction that did not help stands in its order."""
        why = {"reason": trouble.reason, "error": shown(trouble.error), "occurred_at": self._at}
        self._queue.announce(fact.model_copy(update={**why, "attempt": attempt}), partition, attempt)

    def _from_origin(self, message: Raw) -> Raw:
        lies = self._reader.message_at(Origin(message.topic, message.partition, message.offset))
        return message if lies is None else lies

    def _one_less(self, entry: Entry, waiting: Waiting) -> None:
        waiting.start, waiting.count, waiting.first, waiting.attempt = waiting.start + 1, waiting.count - 1, None, 1
        if waiting.count == 0:
            entry.record.waiting = None

    def _later(self, entry: Entry) -> None:
        """The next turn goes on, whoever runs it."""
        entry.record.due = self._at.timestamp()

    def _stop(self, entry: Entry, key: str, partition: int, waiting: Waiting, trouble: Trouble) -> None:
        """The replay cannot go on, and people are told so at the message that is first now, as far as that is known."""
        waiting.replay, waiting.attempt = None, waiting.attempt + 1
        unread = Raw(*(waiting.first or waiting.last), key.encode(), None, {})
        self._queue.park_again(entry, key, unread, trouble, partition, waiting.attempt)

    # what an older version left

    def _older(self, entry: Entry, key: str, partition: int, order: Order) -> None:
        """The messages that an older version kept in the record come first, and with them what it had to leave at its origin."""
        left: list[ParkedMessage] = list(entry.record.parked)
        entry.dirty = True
        if isinstance(order, DiscardParked):
            first = left.pop(0)
            entry.record.parked = left
            self._settlements.discarded(
                entry, key, partition, first.origin(), first.raw().text("ce_type"), order.asked_by
            )
            return
        edited = edited_value(order)
        while left:
            origin, message = left[0].origin(), left[0].raw()
            message = message._replace(topic=origin.topic)
            if edited is not None:
                message = message._replace(value=edited)
            elif not left[0].kept:
                if not self._may_read():
                    return  # an order about this one goes on from here
                message = self._from_origin(message)
            trouble = self._handler.attempt(entry, key, message)
            if trouble is not None:
                self._queue.park_again(entry, key, message, trouble, partition, 2)
                return
            self._settlements.replayed(
                entry, key, partition, origin, message, order if edited is not None else None, order.asked_by
            )
            edited = None
            left = left[1:]
            entry.record.parked = left
        waiting = entry.record.waiting
        if waiting is not None:
            waiting.replay = Replay(-1, order.asked_by)
            self._step(entry, key, partition, None)

    def _outside(self, entry: Entry, key: str, partition: int, order: Order) -> None:
        """What an older version announced as `parking_full` waits in no queue; it lies at its origin."""
        assert order.parked_offset is not None
        if entry.waits or order.origin in entry.record.settled:
            return
        place = Origin(parked_topic(self._service), partition, order.parked_offset)
        lies = self._reader.message_at(place)
        fact = lies and waits_here(lies, self._service, key.encode())
        if not fact or fact.origin != order.origin or fact.reason != PARKING_FULL:
            return
        message = parked_raw(fact)
        if isinstance(order, DiscardParked):
            self._settlements.discarded(entry, key, partition, fact.origin, message.text("ce_type"), order.asked_by)
        else:
            edited = edited_value(order)
            message = message._replace(value=edited) if edited is not None else self._from_origin(message)
            trouble = self._handler.attempt(entry, key, message)
            if trouble is not None:
                again = Trouble(PARKING_FULL, f"{trouble.reason}: {trouble.error}")
                self._queue.park_again(entry, key, message, again, partition, 2)
                return
            self._settlements.replayed(entry, key, partition, fact.origin, message, order, order.asked_by)
        entry.record.settled = [*entry.record.settled, fact.origin]
        self._outcome.settled -= 1  # it was in no queue, and so in no count of what waits
        entry.dirty = True
