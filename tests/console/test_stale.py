"""Is the gate's answer stale if the rows lack messages that have been on the release or gate topics for too long, and
only then?"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from confluent_kafka import Producer

from schemas.topics import facts_topic, requests_topic
from services.console.readmodel.observed_progress import ObservedProgress
from services.console.readmodel.progress import GATE_TOPICS, ProjectorStanding, Reached
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from tests.console.conftest import Projecting, projecting
from tests.console.test_observed_progress import watching
from tests.waiting import wait


@contextmanager
def open_transaction(bootstrap: str, topic: str, name: str) -> Iterator[None]:
    """Within the block, a program has written to this topic in a transaction that it neither commits nor aborts."""
    producer = Producer(
        {
            "log_level": 0,
            "bootstrap.servers": bootstrap,
            "transactional.id": f"blocking-{name}",
            "transaction.timeout.ms": 15_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, key=b"k", value=b"v")
    producer.flush(30)
    try:
        yield
    finally:
        producer.abort_transaction(30)


def looked(watch: ObservedProgress) -> ProjectorStanding:
    watch.look()
    return watch.state()


def goes_on(running: Projecting) -> None:
    """Waits until all messages that are on the release and gate topics now are in the rows."""
    moment = now()

    def reached() -> bool:
        as_of = running.progress.state().gate_as_of
        return as_of is not None and as_of > moment

    wait(reached, "the release and gate topics to be read to their ends")


@pytest.mark.parametrize("topic", ["customs-release-facts", "customs-gate-departures", "customs-release-parked"])
def test_a_transaction_that_nobody_ends_makes_the_answer_stale_until_it_is_ended(
    settings: ConsoleSettings, topic: str
) -> None:
    """The messages behind the open transaction may include a revocation."""
    with projecting(settings) as running:
        running.catch_up()
        goes_on(running)
        assert running.progress.state().fresh(30)
        with open_transaction(settings.kafka, topic, f"{topic}-{settings.database_url[:6]}"):
            wait(lambda: not running.progress.state().fresh(1), "the answer to be stale")
            running.catch_up()  # everything that is committed has been read
            with watching(settings.database_url) as watch:
                wait(lambda: looked(watch).as_of is not None, "the console to know the projector")
                assert not watch.state().fresh(1), "another process knows it, too"
        goes_on(running)
        assert running.progress.state().fresh(30)


@pytest.mark.parametrize("topic", [facts_topic("risk"), requests_topic("release")])
def test_a_transaction_on_another_topic_stops_no_container(settings: ConsoleSettings, topic: str) -> None:
    """If an open transaction on any other topic made the answer stale, anybody who may write requests could keep every
    container at the gate."""
    with (
        projecting(settings) as running,
        open_transaction(settings.kafka, topic, f"{topic}-{settings.database_url[:6]}"),
    ):
        goes_on(running)
        goes_on(running)
        assert running.progress.state().fresh(30)


def test_topics_on_which_nothing_happens_are_read_to_their_end(settings: ConsoleSettings) -> None:
    with projecting(settings) as running:
        for _ in range(3):
            goes_on(running)
        lag = running.progress.state().gate_lag_seconds
        assert lag is not None and lag < 30


def test_a_projector_that_stands_still_makes_the_answer_stale(settings: ConsoleSettings) -> None:
    with projecting(settings) as running:
        goes_on(running)
    assert running.progress.state().fresh(30)
    wait(lambda: not running.progress.state().fresh(1), "the answer to be stale")


def test_ends_that_move_on_before_they_are_reached_are_still_reached_one_by_one() -> None:
    """Under load the topics grow while the projector reads. So it never reaches their present ends, but always the ends
    that they had two seconds before."""
    reached, start = Reached(), now()
    topic_partition = ("customs-release-facts", 0)
    for second in range(1, 600):
        reached.observed({topic_partition: 100 * second}, (start + timedelta(seconds=second), float(second)))
        at = reached.upto({topic_partition: 100 * second - 150})
        if second > 2:
            assert at == (start + timedelta(seconds=second - 2), second - 2.0)
    for second in range(600, 5000):  # nothing more is read for a long time
        reached.observed({topic_partition: 100 * second}, (start + timedelta(seconds=second), float(second)))
        assert reached.upto({topic_partition: 100 * 599 - 150}) is None
    assert reached.upto({topic_partition: 100 * 5000}) == (start + timedelta(seconds=4999), 4999.0)


def test_the_topics_that_count_are_those_that_only_the_release_and_the_gate_desk_write() -> None:
    assert set(GATE_TOPICS) == {
        "customs-release-facts",
        "customs-release-containers",
        "customs-release-parked",
        "customs-gate-facts",
        "customs-gate-departures",
        "customs-gate-parked",
    }
