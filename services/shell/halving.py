"""Which message of a batch cannot be written? The batch is divided into halves again and again, until the message is
found. The message is parked only after it has failed three times by itself (`Halving.run`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message

from services.shell.codec import Raw
from services.shell.parking import Trouble

SECONDS = 30.0
"""For how many seconds one batch is tried in halves. The pieces that are committed by then stay committed, and the rest
is read again."""
TOGETHER = 16
"""As soon as this many unwritable messages are collected, they are parked in a transaction of their own. Fewer of them
are parked in one transaction with the messages that follow them."""
TRIES = 3
"""How often a piece is tried if it failed only because the transaction before it had failed. Also how many times at
most the probe message is sent, until the topic accepts it."""
PROBE = b" " * 1000
"""The value of the probe message, as large as a usual fact. To test whether a topic accepts messages, the probe message
is sent to it in a transaction that is then aborted."""
PROBE_SECONDS = 5.0
"""For how many seconds the broker's answer to the probe message is awaited."""

TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})
OF_MESSAGE = TOO_LARGE | {
    KafkaError._APPLICATION,
    KafkaError._INVALID_ARG,
    KafkaError._BAD_MSG,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_MSG,
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    KafkaError.POLICY_VIOLATION,
    KafkaError.UNKNOWN,
}
"""Errors that a single message may have caused. No message is parked because of any other error (a full disk, a wrong clock, missing
rights, an unreachable broker, a fence)."""
FOLLOWING = frozenset(
    {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._STATE, KafkaError._INCONSISTENT}
)
"""Errors of the other messages of a transaction in which one message failed."""
BEFORE_SENDING = TOO_LARGE | {KafkaError._APPLICATION, KafkaError._INVALID_ARG, KafkaError._BAD_MSG}
"""Errors about a message that the client or a decider raises before the message is sent."""
SKIPPED = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
"""An error that the next transaction may have after the broker refused a message, because the client has counted that message in its
sequence numbers."""

Item = Raw | tuple[int, str]
"""A message, or the partition and key of a record whose time limit has passed."""
ItemId = tuple[str, int, int] | tuple[int, str]
"""The identity of an item: topic, partition and offset of a message, or partition and key of a record."""


def id_of(item: Item) -> ItemId:
    return (item.topic, item.partition, item.offset) if isinstance(item, Raw) else item


def may_be_of_message(error: KafkaError, *, following: bool = False) -> bool:
    """Returns whether a single message may have caused this error. `following`: whether the errors that follow from such an error
    count, too. Set this only if the caller has the delivery reports."""
    codes = OF_MESSAGE | FOLLOWING | {SKIPPED} if following else OF_MESSAGE | {KafkaError._INCONSISTENT}
    return bool(error.code() in codes and not error.fatal())


def raised(error: Exception) -> KafkaException:
    """Returns a KafkaException for an exception that a message caused, so that it is handled like an error of the broker."""
    return KafkaException(KafkaError(KafkaError._APPLICATION, f"{type(error).__name__}: {error}"[:400]))


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason why a piece was not committed. `topic`, `partition` and `key` are those of the failed message; `topic` is None if no
    delivery report names the message."""

    error: KafkaError
    topic: str | None = None
    partition: int = -1
    key: bytes | None = None

    @property
    def of_message(self) -> bool:
        """Returns whether the error is about one message. This is so if a delivery report names the message, or if the
        error was raised before anything was sent."""
        return self.topic is not None or self.error.code() in BEFORE_SENDING

    @property
    def skipped(self) -> bool:
        return bool(self.error.code() == SKIPPED)

    def trouble(self) -> Trouble:
        reason = "too_large" if self.error.code() in TOO_LARGE else "cannot_be_written"
        return Trouble(reason, f"{self.topic}: {self.error.str()}" if self.topic else self.error.str())


@dataclass(slots=True)
class DeliveryReports:
    """Collects the delivery reports of one transaction."""

    delivered: int = 0
    failed: list[Fault] = field(default_factory=list)

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif error.code() not in FOLLOWING:
            self.failed.append(Fault(error, message.topic(), message.partition(), message.key()))

    def fault(self, problem: KafkaException) -> Fault | None:
        """Returns the fault if a single message may have caused the failure; None if the transaction also failed for another reason."""
        faults = self.failed or [Fault(problem.args[0])]
        if {fault.error.code() for fault in faults} - OF_MESSAGE - {SKIPPED}:
            return None
        return next((fault for fault in faults if not fault.skipped), faults[0])


@dataclass(frozen=True, slots=True)
class Halving:
    """Finds and parks the bad messages of a batch.

    `write`: commits the items, and parks those that are in the mapping (the unwritable ones). It returns None, or
    the fault if nothing was committed. `accepts`: returns whether the topic of a fault accepts another message now. `ends`: returns whether the
    time is over or the loop must end.
    """

    write: Callable[[Sequence[Item], Mapping[ItemId, Trouble]], Fault | None]
    accepts: Callable[[Fault], bool]
    ends: Callable[[], bool]

    def run(self, items: Sequence[Item]) -> Fault | None:
        """Commits all items in their order and returns None, or stops early and returns a fault. After an early stop,
        items that were committed or parked stay so, and the other items must be read again.

        An item counts as unwritable if it failed twice alone, its topic then accepted another message, and it failed once more.
        The third try is needed, because the cause of the first two failures may have ended meanwhile. The item is
        parked in one transaction with the items that follow.
        """
        pieces: list[Sequence[Item]] = [items]
        unwritable: dict[ItemId, Trouble] = {}
        ahead: list[Item] = []
        fault: Fault | None = None
        while pieces:
            if fault and self.ends():
                return fault
            piece = pieces.pop()
            failed = self.write([*ahead, *piece], unwritable)
            if failed and len(piece) == 1:
                failed = self.write([*ahead, *piece], unwritable)
                if failed and not (failed.of_message and self.accepts(failed)):
                    return failed
                if failed:
                    failed = self.write([*ahead, *piece], unwritable)
            if not failed:
                ahead = []
            elif len(piece) > 1:
                half = len(piece) // 2
                pieces += [piece[half:], piece[:half]]
                fault = failed
            elif piece and failed.of_message:
                unwritable[id_of(piece[0])] = failed.trouble()
                ahead.append(piece[0])
                fault = failed
                if not pieces or len(ahead) >= TOGETHER:
                    pieces.append([])
            else:
                return failed
        return None
