"""How are parked messages decided again, or discarded? They are decided in their order, a limited number in each turn,
and each exactly once.

An operator's order (`ReplayParked`, `DiscardParked`) names the first parked message of its key. The messages are read
from the parked topic. If a turn does not finish a replay, this is noted in the record of the key, and the record is due
at once. So the next turn continues the replay.
"""

from datetime import datetime

from schemas.bounds import shown
from schemas.parking import PARKING_FULL, DiscardParked, MessageParked, Origin, ParkingOrder
from schemas.topics import orders_topic
from services.shell.codec import Raw, Undecodable
from services.shell.handler import MessageHandler
from services.shell.older_parking import OlderParking
from services.shell.outcome import Outcome
from services.shell.overlay import OverlayEntry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import ParkedReader, Trouble, decode_order, edited_value, parked_raw, waits_here
from services.shell.settling import BoundedReader, Settlements
from services.shell.store import Replay, WaitingMessages

REPLAYED = 200
"""How many parked messages of one key are decided in one turn at most."""


class Replays:
    """The orders and replays of one turn. `time`: the value of `at` as the text of a header; `one_by_one`: whether at most one message of a
    replay is decided in this turn."""

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
        self._service, self._at, self._time = service, at, time
        self._reader, self._handler, self._queue = BoundedReader(reader), handler, queue
        self._settlements = Settlements(service, at, queue, outcome)
        self._older = OlderParking(service, self._reader, handler, queue, self._settlements)
        self._most = 1 if one_by_one else REPLAYED

    def order(self, entry: OverlayEntry, key: str, message: Raw) -> None:
        """Carries out an order if it names the first parked message of its key, or a message that an older version
        published with the reason `parking_full`. Any other order was carried out before, or comes too early, and is
        ignored. Raises Undecodable if the order cannot be read."""
        order = decode_order(message, self._service, key, self._time)
        waiting = entry.record.waiting
        if entry.record.parked:
            if entry.record.parked[0].origin() == order.origin:
                self._replay_older(entry, key, message.partition, order)
        elif waiting and waiting.replay is None and waiting.first in (None, order.origin):
            waiting.replay = Replay(message.offset, order.asked_by)
            self._step(entry, key, message.partition, order)
        elif order.parked_offset is not None:
            self._older.settle_announced(entry, key, message.partition, order, order.parked_offset)

    def _replay_older(self, entry: OverlayEntry, key: str, partition: int, order: ParkingOrder) -> None:
        """Settles the messages that an older version kept in the record, and after them those in the parked topic."""
        if self._older.settle_recorded(entry, key, partition, order) and entry.record.waiting is not None:
            entry.record.waiting.replay = Replay(-1, order.asked_by)
            self._step(entry, key, partition, None)

    def continue_replay(
        self, entry: OverlayEntry, key: str, partition: int, known_trouble: Trouble | None = None
    ) -> None:
        """Does the next step of a replay that an earlier turn did not finish. `known_trouble`: why the outcome of this
        step cannot be written. If it is given, the replay ends without reading anything, because the reading may be the cause of the failure."""
        waiting = entry.record.waiting
        if waiting is None or waiting.replay is None or entry.record.parked:
            return
        if known_trouble is not None:
            self._stop(entry, key, partition, waiting, known_trouble)
            return
        order: ParkingOrder | None = None
        if waiting.replay.order >= 0:
            position = Origin(orders_topic(self._service), partition, waiting.replay.order)
            if self._reader.may_read():
                order = self._order_at(position, key)
                if order is None:
                    lost = Trouble("order_gone", "the order can no longer be read; give it again")
                    self._stop(entry, key, partition, waiting, lost)
                    return
        self._step(entry, key, partition, order)

    def _order_at(self, position: Origin, key: str) -> ParkingOrder | None:
        message = self._reader.message_at(position)
        try:
            return None if message is None else decode_order(message, self._service, key, self._time)
        except Undecodable:
            return None

    # messages in the parked topic

    def _step(self, entry: OverlayEntry, key: str, partition: int, order: ParkingOrder | None) -> None:
        """Settles the messages of this key among the next messages of the parked topic. `order`: the order about the first of them; None if it
        is carried out already, or cannot be read in this turn."""
        waiting = entry.record.waiting
        assert waiting is not None and waiting.replay is not None
        entry.dirty = True
        if (waiting.replay.order >= 0 and order is None) or not self._reader.may_read():
            self._make_due(entry)
            return
        stretch = self._reader.read(partition, waiting.start)
        name, subject, settled = self._service, key.encode(), 0
        for message in stretch.messages:
            fact = waits_here(message, name, subject)
            if fact is None or fact.reason == PARKING_FULL:
                continue
            waiting.start, waiting.first = message.offset, fact.origin
            if waiting.replay is None:
                # the message before this one was discarded; an order to discard is about one message only, so the
                # replay ends
                return
            if settled == self._most:
                self._make_due(entry)
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
                self._make_due(entry)
            return
        missing = f"{waiting.count} messages of this key are no longer in the parked topic"
        self._stop(entry, key, partition, waiting, Trouble("not_in_topic", missing))

    def _settle(
        self,
        entry: OverlayEntry,
        key: str,
        partition: int,
        fact: MessageParked,
        order: ParkingOrder | None,
        waiting: WaitingMessages,
    ) -> bool:
        """Decides or discards the first parked message of this key, and returns whether it is now settled."""
        assert waiting.replay is not None
        by = waiting.replay.ordered_by
        if isinstance(order, DiscardParked):
            self._settlements.discarded(entry, key, partition, fact.origin, fact.headers.get("ce_type", ""), by)
            self._drop_first(entry, waiting)
            waiting.replay = None
            return True
        edited = edited_value(order) if order is not None else None
        message = parked_raw(fact)
        if edited is not None:
            message = message._replace(value=edited)
        elif not fact.value_kept:
            if not self._reader.may_read():
                self._make_due(entry)
                return False
            message = self._reader.whole(message)
        trouble = self._handler.attempt(entry, key, message)
        if trouble is not None:
            waiting.replay, waiting.attempt = None, waiting.attempt + 1
            self._announce_failure(fact, trouble, partition, waiting.attempt)
            return False
        self._settlements.replayed(entry, key, partition, fact.origin, message, order, by)
        self._drop_first(entry, waiting)
        waiting.replay = Replay(-1, by)
        return True

    def _announce_failure(self, fact: MessageParked, trouble: Trouble, partition: int, attempt: int) -> None:
        """Publishes that the replay of a message failed. The message stays parked with its original value, because the
        corrected value, if there is one, is only in the operator's order."""
        why = {"reason": trouble.reason, "error": shown(trouble.error), "occurred_at": self._at}
        self._queue.announce(fact.model_copy(update={**why, "attempt": attempt}), partition, attempt)

    def _drop_first(self, entry: OverlayEntry, waiting: WaitingMessages) -> None:
        waiting.start, waiting.count, waiting.first, waiting.attempt = waiting.start + 1, waiting.count - 1, None, 1
        if waiting.count == 0:
            entry.record.waiting = None

    def _make_due(self, entry: OverlayEntry) -> None:
        """Makes the record due, so that the next turn continues the replay, even on another worker."""
        entry.record.due = self._at.timestamp()

    def _stop(self, entry: OverlayEntry, key: str, partition: int, waiting: WaitingMessages, trouble: Trouble) -> None:
        """Ends a replay that cannot go on, and publishes the reason. The publication names the first message that is
        still parked, or, if the origin of the first one is not known, the last one."""
        waiting.replay, waiting.attempt = None, waiting.attempt + 1
        unread = Raw(*(waiting.first or waiting.last), key.encode(), None, {})
        self._queue.park_again(entry, key, unread, trouble, partition, waiting.attempt)
