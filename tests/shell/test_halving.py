"""Which messages are parked if a batch fails for good? If all others can be committed, exactly the messages that
cause the failure are parked, each once. Hypothesis makes the batches."""

from collections.abc import Mapping, Sequence

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from services.shell.codec import Raw
from services.shell.halving import OF_MESSAGE, DeliveryReports, Fault, Halving, Item, ItemId, id_of, may_be_of_message
from services.shell.parking import Trouble

TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")
BATCH: list[Item] = [*[Raw("t", n % 2, n, b"k", b"", {}) for n in range(20)], *[(0, f"key-{n}") for n in range(4)]]
IDS = [id_of(item) for item in BATCH]


class Log:
    """A cluster that accepts at most `most` items in one transaction, not counting parked items. It accepts an item of
    `bad` only if the item is parked. A cluster that is `down` accepts nothing."""

    def __init__(self, bad: Sequence[ItemId], most: int = 99, down: bool = False) -> None:
        self.bad, self.most, self.down = bad, most, down
        self.written: list[ItemId] = []
        self.parked: list[ItemId] = []
        self.tries = 0

    def write(self, items: Sequence[Item], refused: Mapping[ItemId, Trouble]) -> Fault | None:
        self.tries += 1
        ids = [id_of(item) for item in items]
        decided = [each for each in ids if each not in refused]
        if self.down or len(decided) > self.most or set(decided) & set(self.bad):
            return Fault(TOO_LARGE, "facts")
        self.written += ids
        self.parked += [each for each in ids if each in refused]
        return None

    def count(self) -> int:
        self.tries += 1
        return self.tries

    def by_halves(self, ends: int = 10**6) -> Fault | None:
        return Halving(self.write, lambda _: not self.down, lambda: self.tries >= ends).run(BATCH)


@given(st.sets(st.sampled_from(IDS)), st.integers(1, 30))
def test_those_at_fault_are_parked_and_all_are_written_once_in_their_order(bad: set[ItemId], most: int) -> None:
    log = Log(sorted(bad, key=IDS.index), most)
    assert log.by_halves() is None
    assert log.written == IDS and log.parked == log.bad
    assert log.tries <= 5 * len(IDS)


def test_a_cluster_that_takes_nothing_parks_nothing_and_is_not_tried_for_long() -> None:
    log = Log([], down=True)
    assert log.by_halves() is not None
    assert (log.written, log.parked) == ([], []) and log.tries < 10


UNKNOWN = KafkaError(KafkaError.UNKNOWN, "the coordinator does not know why")


@pytest.mark.parametrize("fault", [Fault(UNKNOWN), Fault(UNKNOWN, "facts")], ids=["no report", "reported"])
@given(until=st.integers(1, 60))
def test_a_fault_that_passes_by_itself_parks_no_message(fault: Fault, until: int) -> None:
    log = Log([])
    fails = log.write

    def write(items: Sequence[Item], refused: Mapping[ItemId, Trouble]) -> Fault | None:
        return fails(items, refused) if log.tries >= until or not items else fault if (log.count()) else None

    ended = Halving(write, lambda _: log.tries >= until, lambda: False).run(BATCH)
    assert log.parked == [] and log.written == (IDS if ended is None else IDS[: len(log.written)])


@given(st.sets(st.sampled_from(IDS), min_size=1), st.integers(1, 60))
def test_a_halving_that_ends_early_leaves_a_whole_beginning(bad: set[ItemId], ends: int) -> None:
    log = Log(sorted(bad, key=IDS.index))
    log.by_halves(ends)
    assert log.written == IDS[: len(log.written)]
    assert log.parked == [each for each in log.bad if each in log.written]


@pytest.mark.parametrize(
    "name",
    [
        "KAFKA_STORAGE_ERROR",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "TOPIC_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "UNKNOWN_TOPIC_OR_PART",
        "INVALID_TIMESTAMP",
        "INVALID_PRODUCER_EPOCH",
        "ILLEGAL_GENERATION",
        "NOT_COORDINATOR",
        "REQUEST_TIMED_OUT",
        "_MSG_TIMED_OUT",
        "_TIMED_OUT",
        "_TRANSPORT",
        "_FENCED",
        "_QUEUE_FULL",
        "_AUTHENTICATION",
    ],
)
def test_what_no_message_causes_is_no_fault_of_one(name: str) -> None:
    error = KafkaError(getattr(KafkaError, name), "")
    reports = DeliveryReports()
    assert reports.fault(KafkaException(error)) is None and not may_be_of_message(error)
    reports.failed += [Fault(TOO_LARGE, "facts"), Fault(error, "facts")]
    assert reports.fault(KafkaException(TOO_LARGE)) is None, "not even beside a message that is at fault"


def test_a_fault_names_the_reason_of_the_parking() -> None:
    reasons = {code: Fault(KafkaError(code, "x"), "facts").trouble().reason for code in OF_MESSAGE}
    assert set(reasons.values()) == {"too_large", "cannot_be_written"}
    assert reasons[KafkaError.MSG_SIZE_TOO_LARGE] == "too_large"
    assert Fault(KafkaError(KafkaError.UNKNOWN, "odd"), "facts").trouble().error == "facts: odd"
