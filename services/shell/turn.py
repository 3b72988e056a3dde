"""What follows from one batch of messages? The whole batch is decided here, before anything is written.

A turn takes the messages of a batch (`handle`) and the keys whose time limits have passed (`handle_deadlines`). After
that, `outcome` has the outputs and counts, and `encode_changes` returns the changed records. A turn reads the store and never
writes to it; the loop writes to the store after the commit. A message that cannot be decided is parked, in the same
transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from schemas.envelope import Deadline, DeadlinePassed, deadline_id
from schemas.flow import FLOW
from schemas.parking import deadline_origin
from schemas.topics import orders_topic
from services.shell.codec import CARRIED, LONGEST_NAME, Raw, Undecodable, encode
from services.shell.desk import Desk
from services.shell.halving import ItemId, id_of
from services.shell.handler import HOLDING_KINDS, MessageHandler, trouble_of
from services.shell.outcome import Outcome
from services.shell.overlay import Changed, Overlay, OverlayEntry
from services.shell.parked_queue import ParkedQueue
from services.shell.parking import ParkedReader, Trouble
from services.shell.replay import Replays
from services.shell.store import PartitionStore

PARKED_DELAY = timedelta(minutes=1)
"""By how much the time limits of a key are postponed while a message of this key is parked."""
INPUT_KINDS = {name: frozenset(kind.kind for kind in kinds) for name, kinds in FLOW.items()}
"""Service → kinds of messages that it decides. Of the others it ignores those that the catalogue lists for their topic (`CARRIED`), and parks
the rest."""


class Turn:
    """One batch of one desk. `at`: the time at which the whole batch is decided; `retention`: how long the record of a closed
    consignment is kept.

    `unwritable`: messages and keys whose outcome cannot be written, and why. They are parked, or stay parked, without being decided.
    `one_by_one`: whether a replay decides only one message in this turn, so that it is known which message cannot be written.
    """

    def __init__(
        self,
        desk: Desk,
        partitions: int,
        at: datetime,
        retention: timedelta,
        reader: ParkedReader,
        unwritable: Mapping[ItemId, Trouble] | None = None,
        one_by_one: bool = False,
    ) -> None:
        self.desk, self.unwritable = desk, unwritable or {}
        self._partitions, self._at, self._retention = partitions, at, retention
        self._reader, self._one_by_one = reader, one_by_one
        self._orders = orders_topic(desk.name)
        self._kinds, self._holding = INPUT_KINDS[desk.name], HOLDING_KINDS.get(desk.name, frozenset())
        self._checked_keys: frozenset[tuple[int, str]] = frozenset()
        self._begin()

    def _begin(self) -> None:
        """Makes the objects that collect what the turn computes, so that the batch can be computed again from the beginning. None of these
        objects has a reference to the turn, because a reference cycle would keep each batch in memory until the garbage collector runs."""
        desk, at = self.desk, self._at
        time = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        self.outcome = Outcome()
        self._input: list[tuple[PartitionStore, Raw | tuple[int, list[str]]]] = []
        self._overlay = Overlay(desk, self._partitions, at, self._retention)
        self._queue = ParkedQueue(desk.name, at, time, self._reader, self.outcome)
        self._handler = MessageHandler(
            desk, self._partitions, at, time, self._overlay, self.outcome, self._checked_keys
        )
        self._replays = Replays(
            desk.name, at, time, self._reader, self._handler, self._queue, self.outcome, self._one_by_one
        )

    def handle(self, store: PartitionStore, message: Raw) -> None:
        """Decides one message from a topic, or parks it. Ignores it if the topic may carry its kind but this desk does not read that kind,
        because the message is then meant for other desks. Parks it if its kind does not belong on the topic."""
        if message.topic == self._orders:
            self._input.append((store, message))
            self._overlay.take_shared(store, message.partition)
            self._handle_order(store, message)
            return
        kind = message.text("ce_type")
        if kind not in self._kinds and kind in CARRIED[message.topic]:
            return
        self._input.append((store, message))
        self._overlay.take_shared(store, message.partition)
        key = _key_of(store, message)
        entry = self._overlay.entry(store, message.partition, key)
        if entry.waits and kind not in self._holding:
            behind = Trouble("behind_parked", "an earlier message of this key is parked")
            self._queue.park(entry, key, message, behind)
            return
        self._decide_or_park(entry, key, message, self._known_trouble_of(message))

    def _known_trouble_of(self, message: Raw) -> Trouble | None:
        return self.unwritable.get(id_of(message)) if self.unwritable else None

    def _decide_or_park(self, entry: OverlayEntry, key: str, message: Raw, known_trouble: Trouble | None) -> bool:
        """Decides the message, or parks it if its outcome cannot be written (`known_trouble`) or if the decision fails. Returns whether
        the message was decided."""
        trouble = known_trouble or self._handler.attempt(entry, key, message)
        if trouble:
            self._queue.park(entry, key, message, trouble)
        return trouble is None

    def _handle_order(self, store: PartitionStore, message: Raw) -> None:
        """Carries out an operator's order about parked messages of one key. If that fails, parks the order with its own position
        as the key."""
        key, trouble = _key_of(store, message), self._known_trouble_of(message)
        if trouble is None:
            try:
                self._replays.order(self._overlay.entry(store, message.partition, key), key, message)
                return
            except Undecodable as error:
                trouble = Trouble(error.reason, str(error))
        order_key = message.position
        self._queue.park(self._overlay.entry(store, message.partition, order_key), order_key, message, trouble)

    def handle_deadlines(self, store: PartitionStore, partition: int, keys: list[str]) -> None:
        """Decides the deadlines of these keys that have passed, and continues their replays. While messages of a key are parked, its
        deadlines are postponed (`PARKED_DELAY`). If the retention of a closed record has ended, marks the record for deletion."""
        if keys:
            self._input.append((store, (partition, keys)))
            self._overlay.take_shared(store, partition)
        for key in keys:
            known_trouble = self.unwritable.get((partition, key))
            entry = self._overlay.entry(store, partition, key)
            was_parked = entry.waits
            if was_parked:
                # A replay that an earlier turn did not finish has made the record due (`Replays._make_due`), so it continues here.
                self._replays.continue_replay(entry, key, partition, known_trouble)
            if entry.waits:
                entry.dirty = True
                if entry.record.waiting is None or entry.record.waiting.replay is None:
                    entry.record.due = (self._at + PARKED_DELAY).timestamp()
                continue
            # A closed record is due when its retention ends. But if messages were parked, it was due for the replay, so it
            # is not deleted here.
            if entry.record.closed and not was_parked:
                if entry.record.due is not None and entry.record.due <= self._at.timestamp():
                    entry.state, entry.dirty, entry.forgotten = None, True, True
                continue
            entry.dirty = True
            self._decide_passed_deadlines(entry, key, partition, known_trouble)

    def _decide_passed_deadlines(
        self, entry: OverlayEntry, key: str, partition: int, known_trouble: Trouble | None
    ) -> None:
        try:
            open_deadlines = self._overlay.open_deadlines(entry, key, entry.state)
            passed = [deadline for deadline in open_deadlines if deadline.due <= self._at]
        except MemoryError:
            raise
        except Exception as error:
            # Either there is a bug, or the state cannot be read. Other keys are still decided.
            self._park_time_limits(entry, key, partition, error)
            return
        for deadline in passed:
            message = deadline_message(self.desk.name, key, partition, deadline)
            if not self._decide_or_park(entry, key, message, known_trouble):
                # This time limit was parked. The other time limits of this key are decided as soon as it is settled.
                return

    def _park_time_limits(self, entry: OverlayEntry, key: str, partition: int, error: Exception) -> None:
        """Parks one message that stands for all time limits of this key, so that an operator looks at its record."""
        message = deadline_message(self.desk.name, key, partition, Deadline("deadlines", self._at))
        self._queue.park(entry, key, message, trouble_of(error))

    def encode_changes(self) -> Changed:
        """Returns the changed records, each with its encoded form.

        If a record cannot be encoded (it is too large, or its decider raises an exception), the whole turn is computed again. In
        this second computation, the new state is checked after each message of that key, so that the message that causes the
        failure is parked. Other keys are not affected.
        """
        while True:
            result: Changed = []
            failed: dict[tuple[int, str], Exception] = {}
            for (partition, key), entry in self._overlay.entries.items():
                if not entry.dirty:
                    continue
                try:
                    result.append((partition, key, entry, self._overlay.encoded(entry, key, entry.state)))
                except MemoryError:
                    raise
                except Exception as error:  # the message that causes it is found below
                    failed[partition, key] = error
            if not failed:
                return result
            if failed.keys() <= self._checked_keys:
                self._park_time_limits_of(failed)
            else:
                self._checked_keys |= failed.keys()
                self._compute_again()

    def _park_time_limits_of(self, failed: dict[tuple[int, str], Exception]) -> None:
        """Handles records that fail because they were bad when they were read, so that no message of the turn is the cause. The time
        limits of such a record are parked for an operator, and other keys are decided as usual."""
        for (partition, key), error in failed.items():
            entry = self._overlay.entries[partition, key]
            if entry.waits:
                raise error
            self._park_time_limits(entry, key, partition, error)

    def _compute_again(self) -> None:
        inputs = self._input
        self._begin()
        for store, one in inputs:
            if isinstance(one, Raw):
                self.handle(store, one)
            else:
                self.handle_deadlines(store, *one)


def deadline_message(desk: str, key: str, partition: int, deadline: Deadline) -> Raw:
    """Returns a message about a time limit that has passed. It has the form of a message that was read from a topic,
    although no topic has such messages."""
    passed = DeadlinePassed(subject=key, name=deadline.name, due=deadline.due)
    cause = deadline_id(desk, key, deadline)
    names = {"ce_type": passed.kind.encode(), "ce_id": cause.encode()}
    return Raw(*deadline_origin(cause, partition), key.encode(), encode(passed), names)


def _key_of(store: PartitionStore, message: Raw) -> str:
    """Returns the key of the message's record. If the key of the message is missing, too long, not UTF-8 or not
    printable, returns the position of the message instead. The message is then parked under its position."""
    if message.key and len(message.key) <= LONGEST_NAME:
        try:
            key = message.key.decode()
            if key.isprintable() or key in store.records:
                return key
        except UnicodeDecodeError:
            pass
    return message.position
