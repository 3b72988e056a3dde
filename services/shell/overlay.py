"""Which records has a turn read, and which values are written to the state topic for the changed records?

An entry is the record of one key with its state decoded. The overlay is dropped together with its turn. The store does
not change before the transaction is committed; then the loop puts the changed records into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from schemas.envelope import Deadline, deadline_id
from services.shell.codec import LARGEST_MESSAGE
from services.shell.desk import Desk
from services.shell.outcome import TooLarge
from services.shell.partition import key_in, partition_of
from services.shell.positions import UNREADABLE
from services.shell.store import PartitionStore, Record, decode_record, encode_record, unreadable_record


@dataclass(slots=True)
class OverlayEntry:
    """A record in the overlay, with its state decoded. `before`: the state before this turn. `dirty`: whether the record must
    be written. `forgotten`: whether it is to be deleted.

    `misplaced`: whether the key belongs to another partition and nothing was decided about it in this one.
    `unreadable`: why the state cannot be decoded. `parked_now`: how many messages this turn parked, which are not in
    the parked topic yet. `settled`: whether this turn settled a parked message.
    """

    record: Record
    state: Any
    before: Any
    dirty: bool = False
    forgotten: bool = False
    misplaced: bool = False
    unreadable: str = ""
    parked_now: int = 0
    settled: bool = False

    @property
    def waits(self) -> bool:
        """Returns whether any message of this key is parked."""
        return self.record.waiting is not None or bool(self.record.parked)


Changed = list[tuple[int, str, OverlayEntry, bytes | None]]
"""For each changed record: partition, key, entry, and the value for the state topic (None is a tombstone)."""


class Overlay:
    """The entries of one turn, by partition and key. `retention`: how long the marker of a closed consignment is kept."""

    def __init__(self, desk: Desk, partitions: int, at: datetime, retention: timedelta) -> None:
        self.entries: dict[tuple[int, str], OverlayEntry] = {}
        self._desk, self._partitions, self._at, self._retention = desk, partitions, at, retention

    def entry(self, store: PartitionStore, partition: int, key: str) -> OverlayEntry:
        """Returns the entry of this key. It is made from the store's record when the turn first needs it."""
        entry = self.entries.get((partition, key))
        if entry is None:
            data = store.records.get(key)
            if data is None:
                entry = OverlayEntry(Record(), self._desk.decider.INITIAL, None)
                entry.misplaced = partition_of(key.encode(), self._partitions) != partition
            else:
                entry = self._read(store, data, partition, key)
            self.entries[partition, key] = entry
        return entry

    def take_shared(self, store: PartitionStore, partition: int) -> None:
        """Makes the entry of the partition's shared record, if the desk has one. The store keeps the decoded state of that
        record for later turns."""
        if not self._desk.shared:
            return
        key = key_in(self._desk.shared, partition, self._partitions)
        if (partition, key) in self.entries:
            return
        entry, data = self.entry(store, partition, key), store.records.get(key)
        if data is not None and not entry.unreadable:
            store.decoded(key, data, entry.before)

    def shared(self, partition: int, key: str) -> OverlayEntry | None:
        """Returns the entry of the shared record; an unreadable entry if this turn has not taken that record (`take_shared`). Returns
        None if `key` is the key of that record itself, or if the desk has no shared records."""
        if not self._desk.shared or key == (name := key_in(self._desk.shared, partition, self._partitions)):
            return None
        found = self.entries.get((partition, name))
        return (
            OverlayEntry(Record(), None, None, unreadable=f"partition {partition} is not in hand")
            if found is None
            else found
        )

    def open_deadlines(self, entry: OverlayEntry, key: str, state: Any) -> Iterable[Deadline]:
        """Returns the time limits of this state, except those that an operator discarded. Raises ValueError if the state cannot
        be read."""
        if entry.unreadable:
            raise ValueError(entry.unreadable)
        found = self._desk.decider.deadlines(state)
        gone = entry.record.discarded
        return [d for d in found if deadline_id(self._desk.name, key, d) not in gone] if gone else found

    def check_fits(self, entry: OverlayEntry, key: str, state: Any) -> None:
        """Raises the same exceptions as `encoded` if the record cannot be written with this state."""
        before = entry.record
        entry.record = msgspec.structs.replace(before, n=before.n + 1)
        try:
            self.encoded(entry, key, state)
        finally:
            entry.record = before

    def encoded(self, entry: OverlayEntry, key: str, state: Any) -> bytes | None:
        """Returns the value for the state topic, or None if the record is to be deleted. Sets `state` of the record and, unless
        messages of its key are parked, `closed` and `due`.

        Raises TooLarge if the value has more than `LARGEST_MESSAGE` bytes, and every exception of the decider. A record with
        parked messages may be larger if its state has not changed.
        """
        decider, record = self._desk.decider, entry.record
        if entry.forgotten:
            return None
        waits = entry.waits
        if entry.settled and not (
            waits or record.n or record.answered_ids or record.requests or record.settled or record.discarded
        ):
            if state == decider.INITIAL:
                return None  # nothing was ever decided under this key, so no record is needed
        if not waits:
            record.closed = decider.closed(state)
            if record.closed:
                record.due = (self._at + self._retention).timestamp()
            else:
                limits = self.open_deadlines(entry, key, state) if record.discarded else decider.deadlines(state)
                record.due = min([d.due for d in limits]).timestamp() if limits else None
        if not entry.unreadable and (state is not entry.before or not waits):
            record.state = msgspec.Raw(decider.STATE.serializer.to_json(state))
        data = encode_record(record)
        if len(data) > LARGEST_MESSAGE and (not waits or state is not entry.before):
            raise TooLarge(f"the record would have {len(data)} bytes; at most {LARGEST_MESSAGE}")
        return data

    def _read(self, store: PartitionStore, data: bytes, partition: int, key: str) -> OverlayEntry:
        try:
            return self._found(decode_record(data), store.state_of(key, data), partition, key)
        except UNREADABLE as error:
            return OverlayEntry(
                unreadable_record(data), None, None, unreadable=f"{type(error).__name__}: {error}"[:400]
            )

    def _found(self, record: Record, state: Any, partition: int, key: str) -> OverlayEntry:
        if state is None:
            try:
                state = self._desk.decider.STATE.validator.validate_json(bytes(record.state))
            except ValueError as error:
                return OverlayEntry(record, None, None, unreadable=f"{type(error).__name__}: {error}"[:400])
        entry = OverlayEntry(record, state, state)
        nothing_decided = record.n == 0 and record.waiting and state == self._desk.decider.INITIAL
        if nothing_decided:
            entry.misplaced = partition_of(key.encode(), self._partitions) != partition
        return entry
