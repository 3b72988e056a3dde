"""Does a desk restore its records, whatever its state topic contains? The tests use a real broker."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka.broker import Broker
from schemas.parking import Origin, deadline_origin
from schemas.topics import parked_topic
from services.cli.log import partition_of
from services.shell import clients
from services.shell.access import access_to
from services.shell.parked_reader import KafkaParkedReader
from services.shell.restore import Restoring, restore
from services.shell.settings import WorkerSettings
from services.shell.store import (
    ParkedMessage,
    PartitionStore,
    Record,
    decode_record,
    due_of,
    encode_record,
    parked_in,
)
from tests.waiting import wait

PARTITIONS = 4
PARKED = ParkedMessage("customs-risk-facts", 1, 7, "a2V5", None, {}, "contract", '"parked" "due":5.0,')
OLD = {
    b'{"n":2,"state":{"a":1},"due":1803295139.143181,"closed":true}': (1803295139.143181, 0),
    b'{"state":{"a":1},"heard":["id-1"]}': (None, 0),
    b'{"n":1,"state":{"a":"\\"due\\":5"}}': (None, 0),
    b'{"state":null,"due":5.0,"parked":[["t",0,1,null,null,{},"r","e"],["t",0,2,null,null,{},"r","e",false]]}': (
        5.0,
        2,
    ),
}
"""Records of an older software version, in which `due` and `parked` did not come first. They are still in the state
topics, which are kept for ever."""


class StateTopic:
    """A new state topic, with producers that write to it as a loop does."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.name, self.settings = name, WorkerSettings(kafka=broker.bootstrap, partitions=PARTITIONS)
        new = NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"})
        admin = AdminClient({"log_level": 0, "bootstrap.servers": broker.bootstrap})
        admin.create_topics([new])[name].result(30)

    def writer(self, transaction_timeout_ms: int = 10_000) -> Producer:
        producer = clients.producer(
            access_to(self.settings.kafka),
            {
                "transactional.id": self.name,
                "transaction.timeout.ms": transaction_timeout_ms,
                "log_level": 2,
            },
        )
        producer.init_transactions(30)
        return producer

    def commit(self, producer: Producer, *changes: tuple[str, bytes | None]) -> None:
        self.begin(producer, *changes)
        producer.commit_transaction(30)

    def begin(self, producer: Producer, *changes: tuple[str, bytes | None]) -> None:
        """Writes the changes in a transaction that stays open. Returns when the broker has acknowledged them."""
        producer.begin_transaction()
        for key, value in changes:
            producer.produce(self.name, key=key, value=value)
        assert producer.flush(30) == 0

    def restored(
        self, progress: Restoring | None = None, stop: threading.Event | None = None
    ) -> dict[int, PartitionStore]:
        everyone = list(range(PARTITIONS))
        return restore(
            "risk", self.settings, self.name, everyone, stop or threading.Event(), progress or Restoring(), 60
        )


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> StateTopic:
    return StateTopic(broker, f"customs-{abs(hash(request.node.name))}-state")


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def record(n: int, due: float | None = None, parked: int = 0) -> bytes:
    return encode_record(Record(n=n, due=due, parked=[PARKED] * parked))


def until_read(progress: Restoring, count: int, running: Future[dict[int, PartitionStore]]) -> None:
    wait(
        lambda: progress.read >= count or running.done(),
        f"{count} records to be read",
        signs={"read": lambda: progress.read},
    )
    assert progress.read >= count


def test_what_was_written_last_comes_back_with_its_deadlines_and_what_was_forgotten_does_not(topic: StateTopic) -> None:
    writer, known = topic.writer(), {p: PartitionStore() for p in range(PARTITIONS)}
    for turn in range(3):
        changes: dict[str, bytes | None] = {
            f"goods-{n}": None if n % 5 == turn else record(turn + 1, due=float(n) if n % 3 == turn else None)
            for n in range(200 * turn, 1000)
        }
        topic.commit(writer, *changes.items())
        for key, data in changes.items():
            known[partition_of(key, PARTITIONS)].put(key, data, due_of(data) if data else None)
    topic.commit(writer, ("stuck", record(1, due=2.5, parked=2)), ("gone", record(1)), ("gone", None))
    progress = Restoring()
    stores = topic.restored(progress)
    known[partition_of("stuck", PARTITIONS)].put("stuck", record(1, due=2.5, parked=2), 2.5)
    for p, store in stores.items():
        assert store.records == known[p].records
        open_deadlines = {
            (due, key) for due, key in known[p].deadlines if due_of(known[p].records.get(key, b"{}")) == due
        }
        assert set(store.deadlines) == open_deadlines and len(store.deadlines) == len(open_deadlines)
        assert all(store.deadlines[(n - 1) // 2] <= each for n, each in enumerate(store.deadlines) if n), "a heap"
    assert progress.parked == 2 and progress.read >= 2400 and progress.total >= progress.read


def test_what_no_desk_wrote_stops_no_restore(topic: StateTopic) -> None:
    writer = topic.writer()
    writer.begin_transaction()
    for key, value in ((b"\xff", b"{}"), (b"garbage", b"{"), (b"", b"garbage"), (b"goods", record(7))):
        writer.produce(topic.name, key=key, value=value, partition=0)
    writer.commit_transaction(30)
    store = topic.restored()[0]
    assert store.records == {"garbage": b"{", "goods": record(7)} and store.stored is None and store.unreadable
    assert [key for key, _ in store.states()] == ["goods"]


def test_a_parked_topic_is_read_to_its_end_only_once_no_transaction_is_open_there(broker: Broker) -> None:
    topic = StateTopic(broker, parked_topic("open"))
    writer, parked = topic.writer(15_000), KafkaParkedReader("open", topic.settings)
    try:
        topic.begin(writer, ("goods", b"parked"))
        partition = partition_of("goods", PARTITIONS)
        before = parked.read(partition, 0)
        assert (before.messages, before.at_end) == ([], False)
        writer.commit_transaction(30)
        wait(lambda: parked.read(partition, before.next).at_end, "the end of the transaction")
        assert [message.value for message in parked.read(partition, before.next).messages] == [b"parked"]
    finally:
        parked.close()


@pytest.mark.parametrize(
    "origin",
    [
        Origin("customs-no-such-topic", 0, 0),
        Origin("customs-release-facts", 999, 0),
        Origin("a name / of no topic", 0, 0),
        deadline_origin("limit", 0),
    ],
)
def test_nothing_lies_at_a_place_that_only_a_forged_message_names(broker: Broker, origin: Origin) -> None:
    parked = KafkaParkedReader("release", WorkerSettings(kafka=broker.bootstrap, partitions=PARTITIONS))
    try:
        assert parked.message_at(origin) is None
    finally:
        parked.close()


def test_a_transaction_that_a_dead_worker_left_open_is_waited_for_and_not_believed(topic: StateTopic) -> None:
    dead = topic.writer(transaction_timeout_ms=2000)
    topic.commit(dead, ("goods", record(1)), ("other", record(1)))
    topic.begin(dead, ("goods", record(2)), ("new", record(1)))
    stores = topic.restored()
    assert {key: decode_record(data).n for s in stores.values() for key, data in s.records.items()} == {
        "goods": 1,
        "other": 1,
    }


def test_a_transaction_that_is_committed_while_the_restore_waits_is_in_it(
    topic: StateTopic, aside: ThreadPoolExecutor
) -> None:
    slow, progress = topic.writer(15_000), Restoring()
    topic.commit(slow, ("goods", record(1)))
    topic.begin(slow, ("goods", record(2)))
    running = aside.submit(topic.restored, progress)
    until_read(progress, 1, running)
    # the restore waits until the transaction has ended, however long that takes
    with pytest.raises(TimeoutError):
        running.result(2)
    slow.commit_transaction(30)
    stores = running.result(30)
    assert decode_record(stores[partition_of("goods", PARTITIONS)].records["goods"]).n == 2


def test_a_worker_asked_to_stop_does_not_finish_its_restore(topic: StateTopic, aside: ThreadPoolExecutor) -> None:
    slow, progress, stop = topic.writer(15_000), Restoring(), threading.Event()
    topic.commit(slow, ("goods", record(1)))
    topic.begin(slow, ("goods", record(2)))
    running = aside.submit(topic.restored, progress, stop)
    until_read(progress, 1, running)
    stop.set()
    with pytest.raises(InterruptedError):
        running.result(30)
    slow.abort_transaction(30)


def test_an_empty_topic_restores_to_nothing(topic: StateTopic) -> None:
    assert {p: store.records for p, store in topic.restored().items()} == {p: {} for p in range(PARTITIONS)}


def test_records_of_before_come_back_too(topic: StateTopic) -> None:
    topic.commit(topic.writer(), *[(f"old-{n}", data) for n, data in enumerate(OLD)])
    progress = Restoring()
    stores = topic.restored(progress)
    assert {data for store in stores.values() for data in store.records.values()} == set(OLD)
    assert progress.parked == sum(parked for _, parked in OLD.values())
    assert {due for store in stores.values() for due, _ in store.deadlines} == {1803295139.143181, 5.0}


@pytest.mark.parametrize(("data", "expected"), OLD.items())
def test_an_old_record_tells_the_same_without_being_decoded(data: bytes, expected: tuple[float | None, int]) -> None:
    assert (due_of(data), parked_in(data)) == expected == (decode_record(data).due, len(decode_record(data).parked))


@pytest.mark.parametrize("due", [None, 0.0, 5.0, 1e-9, 1.5e300, 1803295139.143181])
@pytest.mark.parametrize("parked", [0, 1, 3])
@pytest.mark.parametrize("rest", [{}, {"n": 3, "closed": True}, {"answered_ids": ['"due":7.0,"parked"'], "n": 1}])
def test_the_first_bytes_of_a_record_tell_what_it_holds(
    due: float | None, parked: int, rest: dict[str, object]
) -> None:
    data = encode_record(Record(due=due, parked=[PARKED] * parked, **rest))  # type: ignore[arg-type]
    assert (due_of(data), parked_in(data)) == (due, parked)


def test_a_record_is_written_like_this() -> None:
    """The format of a record must not change. A restore reads only the fields at the beginning of a record, and workers
    of older versions and operators read the whole record."""
    assert encode_record(Record(n=2, answered_ids=["id-1"])) == b'{"due":null,"n":2,"heard":["id-1"]}'
    written = encode_record(
        Record(n=2, due=5.5, closed=True, parked=[ParkedMessage("t", 0, 1, None, None, {}, "r", "e")])
    )
    assert written == b'{"due":5.5,"parked":[["t",0,1,null,null,{},"r","e",true]],"n":2,"closed":true}'
