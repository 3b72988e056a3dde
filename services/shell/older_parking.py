"""How are the messages settled that an older software version of the loop parked? That version stored each whole
message in the record of its key. If the record was full, that version only published the message, with the reason
`parking_full`."""

from schemas.parking import PARKING_FULL, DiscardParked, Origin, ParkingOrder
from schemas.topics import parked_topic
from services.shell.handler import MessageHandler
from services.shell.overlay import OverlayEntry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import Trouble, edited_value, parked_raw, waits_here
from services.shell.settling import BoundedReader, Settlements
from services.shell.store import ParkedMessage


class OlderParking:
    """Settles, within one turn of one service, the messages that an older version of the loop parked."""

    def __init__(
        self,
        service: str,
        reader: BoundedReader,
        handler: MessageHandler,
        queue: ParkedQueue,
        settlements: Settlements,
    ) -> None:
        self._service, self._reader, self._handler = service, reader, handler
        self._queue, self._settlements = queue, settlements

    def settle_recorded(self, entry: OverlayEntry, key: str, partition: int, order: ParkingOrder) -> bool:
        """Settles the messages that the record contains. The order names the first of them; a replay goes on with the
        messages after the first. Returns whether all of them were replayed."""
        left: list[ParkedMessage] = list(entry.record.parked)
        entry.dirty = True
        if isinstance(order, DiscardParked):
            first = left.pop(0)
            entry.record.parked = left
            self._settlements.discarded(
                entry, key, partition, first.origin(), first.raw().text("ce_type"), order.asked_by
            )
            return False
        edited = edited_value(order)
        while left:
            origin, message = left[0].origin(), left[0].raw()
            message = message._replace(topic=origin.topic)
            if edited is not None:
                message = message._replace(value=edited)
            elif not left[0].kept:
                if not self._reader.may_read():
                    # This turn may not read any more. So an operator must order the replay of this message again.
                    return False
                message = self._reader.whole(message)
            trouble = self._handler.attempt(entry, key, message)
            if trouble is not None:
                self._queue.park_again(entry, key, message, trouble, partition, 2)
                return False
            self._settlements.replayed(
                entry, key, partition, origin, message, order if edited is not None else None, order.asked_by
            )
            edited = None
            left = left[1:]
            entry.record.parked = left
        return True

    def settle_announced(
        self, entry: OverlayEntry, key: str, partition: int, order: ParkingOrder, parked_offset: int
    ) -> None:
        """Settles a message that an older version published with the reason `parking_full`, at the offset
        `parked_offset` of the parked topic. No record counts this message. Unless the order has a corrected value, the
        value is read at the message's origin. Does nothing if this turn may not read so much any more; an operator must then give the order
        again."""
        if entry.waits or order.origin in entry.record.settled or not self._reader.may_read():
            return
        announced = self._reader.message_at(Origin(parked_topic(self._service), partition, parked_offset))
        fact = announced and waits_here(announced, self._service, key.encode())
        if not fact or fact.origin != order.origin or fact.reason != PARKING_FULL:
            return
        message = parked_raw(fact)
        if isinstance(order, DiscardParked):
            self._settlements.discarded(entry, key, partition, fact.origin, message.text("ce_type"), order.asked_by)
        else:
            edited = edited_value(order)
            if edited is not None:
                message = message._replace(value=edited)
            elif self._reader.may_read():
                message = self._reader.whole(message)
            else:
                return
            trouble = self._handler.attempt(entry, key, message)
            if trouble is not None:
                again = Trouble(PARKING_FULL, f"{trouble.reason}: {trouble.error}")
                self._queue.park_again(entry, key, message, again, partition, 2)
                return
            self._settlements.replayed(entry, key, partition, fact.origin, message, order, order.asked_by)
        entry.record.settled = [*entry.record.settled, fact.origin]
        self._settlements.not_counted()
        entry.dirty = True
