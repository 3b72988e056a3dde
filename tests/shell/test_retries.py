"""If messages are slow, do batches become smaller until they are quick enough, and do they become larger again
afterwards? Hypothesis chooses the seconds that each message takes."""

from collections.abc import Iterator

from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from services.shell.retries import QUICK, Retries

FENCED = KafkaError(KafkaError._FENCED, "the transaction took too long")
REFUSED = KafkaError(KafkaError.INVALID_RECORD, "refused")
MOST, SECONDS = 1000, 10.0
INPUT = ("customs-declaration-requests", 0)


def decided(retries: Retries, costs: list[float], start: int = 0) -> Iterator[int]:
    """Reads messages in batches as the loop does. `costs`: the seconds that each message takes; `start`: the offset of
    the first message. After every batch, yields the offset from which the next batch begins; it is the same again if
    the batch failed."""
    offset = start
    while offset < len(costs):
        batch = costs[offset : offset + retries.size]
        if sum(batch) > SECONDS:
            retries.failed(FENCED, len(batch), {INPUT: (offset, offset + len(batch) - 1)})
        else:
            offset += len(batch)
            retries.committed(len(batch), sum(batch), {INPUT: offset})
        yield offset


@given(st.lists(st.floats(0, SECONDS), min_size=1, max_size=120), st.integers(1, MOST))
def test_every_message_that_is_in_time_alone_is_committed_whatever_those_beside_it_cost(
    costs: list[float], most: int
) -> None:
    retries = Retries(most, SECONDS)
    steps = list(decided(retries, costs))
    assert steps[-1] == len(costs)
    assert len(steps) <= 3 * len(costs) + 2
    assert retries.failures == 0


@given(st.integers(2, MOST), st.floats(SECONDS * 0.51, SECONDS))
def test_a_process_that_dies_of_each_batch_of_two_still_goes_on(messages: int, cost: float) -> None:
    """A process may be ended during a slow batch, for example because /livez fails. The new process does not know the
    former batch size, and begins with one message."""
    offset, processes = 0, 0
    while offset < messages:
        processes += 1
        for reached in decided(Retries(MOST, SECONDS), [cost] * messages, offset):
            if reached == offset:
                break
            offset = reached
    assert processes <= 2


def test_quick_batches_grow_to_the_largest_and_none_is_larger() -> None:
    retries, sizes = Retries(MOST, SECONDS), []
    for _ in range(12):
        sizes.append(retries.size)
        retries.committed(retries.size, 0.01, {})
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]


def test_a_batch_that_was_slow_or_not_full_does_not_grow() -> None:
    retries = Retries(MOST, SECONDS)
    retries.committed(1, SECONDS * QUICK * 1.01, {})
    assert retries.size == 1
    retries.committed(1, SECONDS * QUICK, {})
    assert retries.size == 2
    retries.committed(1, 0.01, {})
    assert retries.size == 2


def test_a_failed_batch_is_halved_by_what_was_taken_and_grows_again_after_success() -> None:
    retries = Retries(MOST, SECONDS)
    for _ in range(10):
        retries.committed(MOST, 0.01, {})
    retries.failed(FENCED, 40, {INPUT: (0, 39)})
    assert (retries.size, retries.failures, retries.message_failures) == (20, 1, 0)
    retries.failed(FENCED, 20, {INPUT: (0, 19)})
    assert (retries.size, retries.failures) == (10, 2)
    retries.committed(10, 0.01, {})
    assert (retries.size, retries.failures) == (20, 2), "time limits alone say nothing of the messages that failed"
    retries.committed(10, 0.01, {INPUT: 10})
    assert (retries.size, retries.failures) == (20, 0)
    retries.committed(20, 0.01, {INPUT: 30})
    assert (retries.size, retries.failures) == (40, 0)


def test_failures_that_a_message_may_have_caused_are_counted_until_it_is_passed() -> None:
    retries = Retries(MOST, SECONDS)
    retries.failed(REFUSED, 5, {INPUT: (0, 4)})
    retries.failed(REFUSED, 2, {INPUT: (0, 1)})
    retries.committed(4, 0.01, {INPUT: 4})
    assert (retries.failures, retries.message_failures) == (0, 2), "the message with offset 4 may be the one"
    retries.committed(1, 0.01, {INPUT: 5})
    assert (retries.failures, retries.message_failures) == (0, 0)
