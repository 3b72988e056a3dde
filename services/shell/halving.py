"""Which message of a batch cannot be written? Halves are tried; a message is parked only when the same batch without it commits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message

from services.shell.codec import Raw
from services.shell.parking import Trouble

SECONDS = 30.0
"""How long one batch is tried by halves; what is committed by then stays, and the rest is read again."""
TOGETHER = 16
"""How many messages at most wait for those behind them before they are parked on their own."""
TRIES = 3
"""How often a piece is tried that failed only because the one before it did."""
PROBE = b" " * 1000
"""What a topic is asked to take, in a transaction that is aborted: as large as a usual fact."""
PROBE_SECONDS = 5.0

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
"""What a single message may have caused. All else (a full disk, a clock, rights, a broker that is away, a fence) parks nothing."""
FOLLOWING = frozenset(
    {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._STATE, KafkaError._INCONSISTENT}
)
"""What befalls the other messages of a transaction in which one failed."""
BEFORE_SENDING = TOO_LARGE | {KafkaError._APPLICATION, KafkaError._INVALID_ARG, KafkaError._BAD_MSG}
"""What the client or a decider raises about a message that is not sent."""
SKIPPED = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
"""What may befall the transaction after one whose message the broker refused: the client counted that message."""

Item = Raw | tuple[int, str]
"""A message, or partition and key of a record that has something due."""
ItemId = tuple[str, int, int] | tuple[int, str]
"""What names an item: topic, partition and offset of a message, or the partition and key."""


def id_of(item: Item) -> ItemId:
    return (item.topic, item.partition, item.offset) if isinstance(item, Raw) else item


def may_be_of_message(error: KafkaError, *, following: bool = False) -> bool:
    """Whether a single message may have caused this error; `following`: or what one leads to, where its report is known."""
    codes = OF_MESSAGE | FOLLOWING | {SKIPPED} if following else OF_MESSAGE | {KafkaError._INCONSISTENT}
    return bool(error.code() in codes and not error.fatal())


def raised(error: Exception) -> KafkaException:
    """What Python raised about a message, as an error among the broker's."""
    return KafkaException(KafkaError(KafkaError._APPLICATION, f"{type(error).__name__}: {error}"[:400]))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a piece was not committed. `topic` is absent where nothing of it reached the broker."""

    error: KafkaError
    topic: str | None = None
    partition: int = -1
    key: bytes | None = None

    @property
    def of_message(self) -> bool:
        """Whether the error speaks of a message: by the report of one, or because it was raised before the broker was asked."""
        return self.topic is not None or self.error.code() in BEFORE_SENDING

    @property
    def skipped(self) -> bool:
        return bool(self.error.code() == SKIPPED)

    def trouble(self) -> Trouble:
        reason = "too_large" if self.error.code() in TOO_LARGE else "cannot_be_written"
        return Trouble(reason, f"{self.topic}: {self.error.str()}" if self.topic else self.error.str())


@dataclass(slots=True)
class Reports:
    """What became of each message of one transaction."""

    delivered: int = 0
    failed: list[Fault] = field(default_factory=list)

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif error.code() not in FOLLOWING:
            self.failed.append(Fault(error, message.topic(), message.partition(), message.key()))

    def fault(self, problem: KafkaException) -> Fault | None:
        """The fault of a single message, if that is all that failed this transaction."""
        faults = self.failed or [Fault(problem.args[0])]
        if {fault.error.code() for fault in faults} - OF_MESSAGE - {SKIPPED}:
            return None
        return next((fault for fault in faults if not fault.skipped), faults[0])


@dataclass(frozen=True, slots=True)
class Halving:
    """`write` commits these items, parking the refused ones among them, or says why not; `accepts` whether the topic
    of a fault takes another message now; `ends` whether there is no more time."""

    write: Callable[[Sequence[Item], Mapping[ItemId, Trouble]], Fault | None]
    accepts: Callable[[Fault], bool]
    ends: Callable[[], bool]

    def run(self, items: Sequence[Item]) -> Fault | None:
        """Commits all items in their order; else the fault that parks nothing, and the rest must be read again.

        An item is refused when it alone failed twice, its topic takes another message, and it fails once more after that: the
        cause of the first two may have ended meanwhile. It is written, as parked, in one transaction with what follows.
        """
        pieces: list[Sequence[Item]] = [items]
        refused: dict[ItemId, Trouble] = {}
        ahead: list[Item] = []
        fault: Fault | None = None
        while pieces:
            if fault and self.ends():
                return fault
            piece = pieces.pop()
            failed = self.write([*ahead, *piece], refused)
            if failed and len(piece) == 1:
                failed = self.write([*ahead, *piece], refused)
                if failed and not (failed.of_message and self.accepts(failed)):
                    return failed
                if failed:
                    failed = self.write([*ahead, *piece], refused)
            if not failed:
                ahead = []
            elif len(piece) > 1:
                half = len(piece) // 2
                pieces += [piece[half:], piece[:half]]
                fault = failed
            elif piece and failed.of_message:
                refused[id_of(piece[0])] = failed.trouble()
                ahead.append(piece[0])
                fault = failed
                if not pieces or len(ahead) >= TOGETHER:
                    pieces.append([])
            else:
                return failed
        return None
