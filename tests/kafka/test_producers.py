"""What does a desk do if the broker has forgotten its producer? For how long can a transaction of a foreign
program stop readers?"""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaAdminClient

from services.cli.log import read
from services.shell.codec import encode
from services.shell.loop import Loop
from services.shell.metrics import ABORTED
from services.shell.outcome import Outcome
from services.shell.settings import WorkerSettings
from services.worker import desks
from tests.conftest import provisioned
from tests.declaration.good import lodge
from tests.kafka.border import Border, running

PARTITIONS = 2
LODGED, FACTS, PARKED = "customs-declaration-requests", "customs-declaration-facts", "customs-declaration-parked"
FORGETFUL = {
    "transactional.id.expiration.ms": "1000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "200",
    "producer.id.expiration.ms": "1000",
    "producer.id.expiration.check.interval.ms": "200",
}


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    """Yields a border with a broker that forgets a producer after a second. With Kafka's default settings, a broker
    forgets a producer id after a day, and a transactional id after a week."""
    with provisioned(tmp_path_factory.mktemp("kafka"), PARTITIONS, settings=FORGETFUL) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()


def lodged(border: Border, name: str) -> str:
    """Lodges a declaration, waits for the answer, and returns the key of the goods."""
    request = lodge(reference=name, containers=())
    border.ask(request)
    border.until(request.key, "DeclarationAccepted")
    return request.key


def states(border: Border) -> dict[str, str]:
    """Returns transactional id → the state of its last transaction, for the ids that the broker knows."""
    admin = KafkaAdminClient(bootstrap_servers=border.bootstrap)
    try:
        listed = [each for found in admin.list_transactions().values() for each in found]
        return {each.transactional_id: each.state.value for each in listed}
    finally:
        admin.close()


def aborted() -> float:
    return float(ABORTED.labels("declaration")._value.get())


def test_a_producer_that_the_broker_forgot_is_replaced_at_once(forgetful: Border) -> None:
    with running(forgetful.bootstrap, PARTITIONS, "idle", ("declaration",)) as [desk]:
        for round_ in range(2):
            lodged(forgetful, f"before idle days {round_}")
            before = aborted()
            forgetful.eventually(lambda: "customs-declaration-idle" not in states(forgetful))
            lodged(forgetful, f"after idle days {round_}")
            assert aborted() - before <= 1
        assert desk.ready.is_set()


def test_a_producer_whose_transaction_took_too_long_is_replaced_by_its_owner(
    forgetful: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(forgetful.bootstrap, PARTITIONS, "slow", ("declaration",), transaction_timeout_ms=1000) as [desk]:
        # After this lodgement the group has committed offsets. A worker commits them again to prove that it still has
        # its partitions.
        lodged(forgetful, "in time")
        commit, waited = desk.transactions.commit, threading.Event()

        def late() -> None:
            if not waited.is_set():
                forgetful.eventually(lambda: states(forgetful).get("customs-declaration-slow") == "CompleteAbort")
                waited.set()
            commit()

        monkeypatch.setattr(desk.transactions, "commit", late)
        before = aborted()
        lodged(forgetful, "slow")
        assert waited.is_set() and aborted() - before <= 2


def test_a_batch_that_takes_longer_than_a_transaction_may_is_read_again_in_smaller_ones_and_nothing_is_parked(
    forgetful: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a transaction has more than four messages, the test keeps it open until the broker has aborted it."""
    sizes: list[int] = []
    all_sent = threading.Event()
    with running(forgetful.bootstrap, PARTITIONS, "large", ("declaration",), transaction_timeout_ms=2000) as [desk]:
        lodged(forgetful, "alone")
        write, commit = desk.writer.write, desk.transactions.commit

        def counted(outcome: Outcome, *rest: Any) -> None:
            assert all_sent.wait(60)
            sizes.append(outcome.decided)
            write(outcome, *rest)

        def late() -> None:
            if sizes[-1] > 4:
                forgetful.eventually(lambda: states(forgetful).get("customs-declaration-large") == "CompleteAbort")
            commit()

        monkeypatch.setattr(desk.writer, "write", counted)
        monkeypatch.setattr(desk.transactions, "commit", late)
        requests = [lodge(reference=f"one of many {n}", containers=()) for n in range(24)]
        for request in requests:
            forgetful.send(LODGED, request.key, encode(request), request.kind, request.key)
        forgetful.flush()
        all_sent.set()
        for request in requests:
            forgetful.until(request.key, "DeclarationAccepted")
        assert max(sizes) > 4, "a batch was too slow"
        kinds = Counter((entry.key, entry.kind) for entry in read(forgetful.bootstrap, [FACTS, PARKED]))
        assert {(request.key, "DeclarationAccepted"): 1 for request in requests}.items() <= kinds.items()
        assert not [kind for _, kind in kinds if kind == "MessageParked"]
        assert desk.retries.failures < 2


def test_a_transaction_aborted_right_after_a_commit_ends_no_worker(forgetful: Border) -> None:
    """The transaction coordinator may still be writing the transaction markers of the last commit. It then answers the
    abort with an error that is fatal for librdkafka."""
    settings = WorkerSettings(
        kafka=forgetful.bootstrap, partitions=PARTITIONS, slot="abort", transaction_timeout_ms=8000
    )
    [desk] = desks(("declaration",))
    transactions = Loop(desk, settings).transactions
    transactions.connect()
    admin = AdminClient({"log_level": 0, "bootstrap.servers": forgetful.bootstrap})
    admin.create_topics([NewTopic("wide", 60, 1)])["wide"].result(30)
    first, rounds = transactions._producer, 0
    while transactions._producer is first:
        rounds += 1
        assert rounds < 1000, "the broker never answered INVALID_TXN_STATE"
        transactions.begin()
        for partition in range(60):
            transactions.produce(topic="wide", key=b"k", value=b"kept", partition=partition)
        transactions.commit()
        transactions.begin()
        transactions.produce(topic="wide", key=b"k", value=b"dropped", partition=0)
        transactions.flush(rounds % 5 / 1000)
        transactions.abort()
    transactions.begin()
    transactions.produce(topic="wide", key=b"k", value=b"after", partition=0)
    transactions.commit()
    values = [entry.value for entry in read(forgetful.bootstrap, ["wide"])]
    assert Counter(values) == {b"kept": rounds * 60, b"after": 1}


def test_a_foreign_transaction_cannot_stay_open_for_long(forgetful: Border) -> None:
    foreign = Producer(
        {
            "bootstrap.servers": forgetful.bootstrap,
            "transactional.id": "foreign",
            "transaction.timeout.ms": 900_000,
            "log_level": 0,
        }
    )
    with pytest.raises(KafkaException, match="INVALID_TRANSACTION_TIMEOUT"):
        foreign.init_transactions(30)


def test_a_producer_that_the_broker_fenced_while_its_owner_waited_for_an_abort_is_replaced(
    forgetful: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine, the abort may be answered only after the broker has aborted the transaction itself."""
    with running(forgetful.bootstrap, PARTITIONS, "late", ("declaration",), transaction_timeout_ms=1000) as [desk]:
        lodged(forgetful, "before a late abort")
        commit, abort, failed = desk.transactions.commit, desk.transactions.abort, threading.Event()

        def failing() -> None:
            if not failed.is_set():
                failed.set()
                raise KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS))
            commit()

        def late() -> None:
            forgetful.eventually(lambda: states(forgetful).get("customs-declaration-late") == "CompleteAbort")
            abort()

        monkeypatch.setattr(desk.transactions, "commit", failing)
        monkeypatch.setattr(desk.transactions, "abort", late)
        before = aborted()
        key = lodged(forgetful, "decided again after a late abort")
        assert failed.is_set() and aborted() - before == 1
        assert [entry.kind for entry in forgetful.facts(key)] == ["DeclarationAccepted"]
