"""Which worker has which partitions if workers start, stop, die, freeze and continue? Real workers run on a broker of
their own."""

import json
import os
import signal
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka import KafkaConsumer

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.errors import BrokerError
from deploy.kafka.topics import cautions
from schemas.topics import FACTS_AND_REQUESTS
from services.cli.ledger import audit
from services.cli.log import partition_of, partitions_of, read, reader
from services.cli.membership import Hosted, Leaver
from services.cli.processes import Child, worker
from services.risk.keys import PUBLISHED
from services.shell.clock import Clock
from services.shell.loop import Loop
from services.shell.loopback import open_page
from services.shell.outcome import Outcome
from services.shell.overlay import Changed
from services.shell.restore import Restoring
from services.shell.settings import WorkerSettings
from services.worker import desks
from tests.conftest import PARTITIONS, provisioned
from tests.declaration.good import good_item, lodge
from tests.kafka.border import Border, bodies, running
from tests.waiting import leave, wait

FACTS = [t.name for t in FACTS_AND_REQUESTS if t.writer == "declaration"]
LENIENT = {"transaction.max.timeout.ms": "60000", "offsets.retention.minutes": "60"}
SESSION = {"DTG_SESSION_TIMEOUT_MS": "2000"}
SOON = 180
"""The most seconds that a test waits for something. In tests in which no worker may wait for the end of another
worker's session, a session lasts longer than this limit."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    """Yields a `Border`, by which tests send requests and read facts, on a broker that only the workers of these tests use."""
    with provisioned(tmp_path_factory.mktemp("kafka"), PARTITIONS, settings=LENIENT) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()


def declarations(border: Border, folder: Path, slot: str, **env: str) -> Child:
    """Returns a worker process with the declaration desk. It is not started yet."""
    settings = {"DTG_KAFKA": border.bootstrap, "DTG_PARTITIONS": str(PARTITIONS), **SESSION, **env}
    child = worker("declaration", free_port(), folder, settings, slot)
    child.restarts = False
    return child


def keys(loop: Loop) -> dict[int, set[str]]:
    return {partition: set(store.records) for partition, store in loop.assignment.stores.items()}


def accepted(border: Border) -> list[str]:
    return [entry.key for entry in read(border.bootstrap, FACTS) if entry.kind == "DeclarationAccepted"]


def page(child: Child, name: str) -> tuple[int, dict[str, Any]]:
    """Returns status and body of a page of this worker; (0, {}) if the worker does not answer."""
    port = child.command[child.command.index("--web-port") + 1]
    try:
        with open_page(f"http://127.0.0.1:{port}/{name}", 10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.load(answer)
    except urllib.error.URLError:
        return 0, {}


def restored(child: Child) -> dict[str, int]:
    """Returns the figures about the restore that the worker's page shows."""
    found: dict[str, int] = page(child, "readyz")[1].get("restoring", {}).get("declaration", {})
    return found


def ask(border: Border, name: str) -> str:
    lodged = lodge(reference=name, containers=())
    border.ask(lodged)
    return lodged.key


def test_what_a_cluster_allows_to_happen_is_said_to_the_operator(quiet: Border, broker: Broker) -> None:
    forgets, stands = cautions(quiet.bootstrap)
    assert "after 60 minutes (offsets.retention.minutes)" in forgets and "for 60 s" in stands
    assert cautions(broker.bootstrap) == []


def test_two_workers_of_a_desk_share_its_partitions_and_one_that_leaves_hands_over_at_once(quiet: Border) -> None:
    with running(quiet.bootstrap, PARTITIONS, "a", ("declaration",), session_timeout_ms=600_000) as [first]:
        lodged = {ask(quiet, f"shared {n}") for n in range(20)}
        quiet.eventually(lambda: lodged <= set().union(*keys(first).values()))
        # The worker also has goods of tests that ran before this one. These goods are expected, too.
        lodged = set().union(*keys(first).values())
        expected = {p: {key for key in lodged if partition_of(key, PARTITIONS) == p} for p in range(PARTITIONS)}
        with running(quiet.bootstrap, PARTITIONS, "b", ("declaration",), session_timeout_ms=600_000) as [second]:
            quiet.eventually(lambda: len(keys(first)) == len(keys(second)) == PARTITIONS // 2 and first.ready.is_set())
            assert keys(first) | keys(second) == expected
        both = "the first to have all partitions, long before the second's session would have ended"
        wait(lambda: first.ready.is_set() and keys(first) == expected, both, most=SOON)


def test_a_worker_started_after_a_kill_goes_on_where_its_predecessor_stopped(quiet: Border, tmp_path: Path) -> None:
    child = declarations(quiet, tmp_path, "killed")
    try:
        child.start()
        quiet.until(ask(quiet, "before the kill"), "DeclarationAccepted")
        child.kill()
        key = ask(quiet, "while it was dead")
        child.start()
        quiet.until(key, "DeclarationAccepted")
    finally:
        leave(child)
    assert child.code == 0


def test_a_worker_that_restores_is_alive_and_not_ready_and_says_how_far_it_is(quiet: Border, tmp_path: Path) -> None:
    dead = Producer(
        {
            "log_level": 0,
            "bootstrap.servers": quiet.bootstrap,
            "transactional.id": "dead",
            "transaction.timeout.ms": 60_000,
        }
    )
    dead.init_transactions(30)
    dead.begin_transaction()
    dead.produce("customs-declaration-state", key="never committed", value=b"{}")
    assert dead.flush(30) == 0
    child = declarations(quiet, tmp_path, "restoring", DTG_STALL_SECONDS="5")
    try:
        child.start()
        quiet.eventually(lambda: restored(child).get("of", 0) > restored(child).get("read", 0), child)
        begun = time.monotonic()
        wait(lambda: time.monotonic() > begun + 6, "more than the time without progress that is allowed")
        assert restored(child) and page(child, "readyz")[0] == 503 and page(child, "livez")[0] == 200
        dead.abort_transaction(30)
        quiet.eventually(lambda: page(child, "readyz")[0] == 200, child)
        assert page(child, "readyz")[1]["restoring"] == {}
    finally:
        leave(child)


SLOW_TAKE_OVER = """
import sys
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from services.shell.assignment import Assignment
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.risk.keys import PUBLISHED
from services.worker import desks

take_over = Assignment.take_over

def slow(self, partitions):
    early = [TopicPartition(p.topic, p.partition, OFFSET_BEGINNING) for p in partitions]
    self.consumer.assign(early)  # so that the next rebalance is not put off until the end
    print("takes over", file=sys.stderr, flush=True)
    sys.stdin.readline()
    take_over(self, partitions)

Assignment.take_over = slow
Loop(desks(["risk"], PUBLISHED)[0], WorkerSettings(slot="slow")).run()
"""


def test_a_rebalance_during_a_take_over_does_not_abort_the_process(quiet: Border) -> None:
    """While a worker takes partitions over, the client holds the callback of a further rebalance back until the worker
    calls the client again. In an older version, a call of the client within a callback ended the process."""
    env = os.environ | {"DTG_KAFKA": quiet.bootstrap, "DTG_PARTITIONS": str(PARTITIONS)}
    slow = Popen([sys.executable, "-c", SLOW_TAKE_OVER], stdin=PIPE, stdout=DEVNULL, stderr=PIPE, text=True, env=env)
    assert slow.stdin is not None and slow.stderr is not None
    try:
        assert slow.stderr.readline() == "takes over\n"
        with another_member(quiet, "risk") as member:
            slow.stdin.write("go on\n")
            slow.stdin.flush()
            assert slow.stderr.readline() == "takes over\n"
            slow.stdin.write("go on\n")
            slow.stdin.flush()
            quiet.eventually(lambda: member.poll(0.1) is None and bool(member.assignment()))
    finally:
        slow.kill()
        slow.communicate()


@contextmanager
def another_member(border: Border, desk: str) -> Iterator[Consumer]:
    """Yields a consumer that has joined the desk's group as a further member. It gets partitions only after the present
    members have learned of the rebalance and joined again."""
    group = f"customs-{desk}"
    member = Consumer(
        {
            "log_level": 0,
            "bootstrap.servers": border.bootstrap,
            "group.id": group,
            "partition.assignment.strategy": "range",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
        }
    )
    member.subscribe(Loop(desks([desk], PUBLISHED)[0], WorkerSettings()).topics)
    admin = AdminClient({"log_level": 0, "bootstrap.servers": border.bootstrap})

    def rebalances() -> bool:
        member.poll(0.1)
        found = admin.describe_consumer_groups([group])[group].result(30)
        return bool(found.state == ConsumerGroupState.PREPARING_REBALANCING)

    border.eventually(rebalances)
    # A member learns of a rebalance by its heartbeat. The poll lasts as long as the interval between two heartbeats of
    # a worker with the default settings.
    member.poll(1.5)
    try:
        yield member
    finally:
        member.close()


def test_a_long_restore_whose_calls_return_is_no_stall() -> None:
    loop = Loop(desks(["declaration"])[0], WorkerSettings())
    loop.liveness.progress -= 1000
    assert loop.liveness.stalled() >= 1000
    loop.liveness.restoring = Restoring(read=5, total=10, moved=time.monotonic() - 500)
    assert loop.liveness.stalled() < 100, "it reads nothing for long, because a transaction is open"
    loop.liveness.restoring.turned -= 500
    assert 500 <= loop.liveness.stalled() < 1000, "a call of the client does not return"


def test_a_frozen_worker_that_was_replaced_writes_nothing_when_it_wakes_and_leaves(
    quiet: Border, tmp_path: Path
) -> None:
    frozen, fresh = declarations(quiet, tmp_path / "1", "same"), declarations(quiet, tmp_path / "2", "same")
    try:
        frozen.start()
        quiet.until(ask(quiet, "before it froze"), "DeclarationAccepted")
        frozen.signal(signal.SIGSTOP)
        waiting = [ask(quiet, f"while it was frozen {n}") for n in range(50)]
        fresh.start()
        quiet.until(waiting[-1], "DeclarationAccepted")
        frozen.signal(signal.SIGCONT)
        numbers = count()

        def left() -> bool:
            waiting.append(ask(quiet, f"after it woke {next(numbers)}"))
            return frozen.code is not None

        quiet.eventually(left)
        assert frozen.code == 1 and "fenced" in frozen.tail().lower()
        quiet.until(waiting[-1], "DeclarationAccepted")
        quiet.eventually(lambda: set(waiting) <= set(accepted(quiet)))
        goods = accepted(quiet)
        assert len(goods) == len(set(goods))
        assert audit(quiet.bootstrap).doubled == []
    finally:
        frozen.kill()
        leave(fresh)


LATE_WITH_A_TIME_LIMIT = """
import sys
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.worker import desks

loop = Loop(desks(["inspection"])[0], WorkerSettings(slot="late"))
poll, late = loop.poller.poll, False

def late_poll(*how):
    global late
    if late:
        sys.exit(f"aborted {loop.retries.failures}")
    messages = poll(*how)
    late = not messages and loop.due_now()
    if late:
        print("due", file=sys.stderr, flush=True)
        sys.stdin.readline()  # meanwhile the loop learns of no rebalance
    return messages

loop.poller.poll = late_poll
loop.run()
"""


def test_a_time_limit_is_told_once_although_a_worker_that_was_replaced_tells_it_late(quiet: Border) -> None:
    """In a transaction for a time limit no message is read. So no read position shows that another worker has already
    told the time limit."""
    lodged = lodge(reference="overdue", items=(good_item(hs_code="4407110000"), good_item()), containers=())
    with running(quiet.bootstrap, PARTITIONS, "early", ("declaration", "risk", "inspection")):
        quiet.ask(lodged)
        quiet.until(lodged.key, "InspectionOrdered")
    at = time.time()
    later = Clock(at, at + 30 * 24 * 3600)
    env = (
        os.environ | later.environment() | {"DTG_KAFKA": quiet.bootstrap, "DTG_PARTITIONS": str(PARTITIONS), **SESSION}
    )
    late = Popen(
        [sys.executable, "-c", LATE_WITH_A_TIME_LIMIT], stdin=PIPE, stdout=DEVNULL, stderr=PIPE, text=True, env=env
    )
    assert late.stdin is not None and late.stderr is not None
    try:
        assert any("due" in line for line in iter(late.stderr.readline, ""))
        late.send_signal(signal.SIGSTOP)
        with running(quiet.bootstrap, PARTITIONS, "in its place", ("inspection",), clock=later):
            quiet.until(lodged.key, "InspectionOverdue")
            late.send_signal(signal.SIGCONT)
            _, ended = late.communicate("go on\n", timeout=SOON)
        assert len(bodies(quiet.facts(lodged.key), "InspectionOverdue")) == 1
        assert audit(quiet.bootstrap).doubled == []
        assert "aborted 1" in ended
    finally:
        late.kill()
        late.communicate()


def test_what_goes_wrong_upon_an_assignment_ends_the_loop_with_an_exception_that_can_be_caught(
    quiet: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlucky(_: list[TopicPartition]) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    loop = Loop(
        desks(["risk"], PUBLISHED)[0], WorkerSettings(kafka=quiet.bootstrap, partitions=PARTITIONS, slot="unlucky")
    )
    monkeypatch.setattr(loop.assignment, "committed_offsets", unlucky)
    with pytest.raises(KafkaException):
        loop.run()


def test_a_desk_that_has_read_everything_says_so(quiet: Border) -> None:
    """A transaction marker lies between the last message and the end of a partition. If the desk noted only the offset
    after the last message as read, its lag would never be 0."""
    with running(quiet.bootstrap, PARTITIONS, "lag", ("declaration", "risk")) as [_, risk]:
        lodged = [ask(quiet, f"read {n}") for n in range(20)]
        quiet.eventually(lambda: set(lodged) <= set(accepted(quiet)))
        reader = Consumer({"log_level": 0, "bootstrap.servers": quiet.bootstrap, "group.id": "ends"})
        topic_partitions = [TopicPartition("customs-declaration-facts", partition) for partition in range(PARTITIONS)]
        ends = {(p.topic, p.partition): reader.get_watermark_offsets(p, 10)[1] for p in topic_partitions}
        reader.close()
        quiet.eventually(
            lambda: (
                {topic_partition: risk.assignment.offsets.read.get(topic_partition) for topic_partition in ends} == ends
            )
        )


def test_after_an_abort_the_lag_counts_from_the_committed_positions_again(
    quiet: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an older version, after an abort, the desk still counted the partition as read up to the end that the client
    had reported with the aborted batch. So the lag seemed to be 0."""
    failed: list[dict[tuple[str, int], int]] = []
    after: list[dict[tuple[str, int], int]] = []
    with running(quiet.bootstrap, PARTITIONS, "abort", ("declaration",)) as [desk]:
        write, rewind = desk.writer.write, desk.assignment.rewind

        def broken_once(outcome: Outcome, changed: Changed, offsets: dict[tuple[str, int], int]) -> None:
            if not failed:
                failed.append(offsets)
                # Sometimes the client reports the end of the partition together with a batch. This line simulates that.
                desk.assignment.offsets.read.update(offsets)
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "as if"))
            write(outcome, changed, offsets)

        def rewound() -> None:
            rewind()
            after.append(dict(desk.assignment.offsets.read))

        monkeypatch.setattr(desk.writer, "write", broken_once)
        monkeypatch.setattr(desk.assignment, "rewind", rewound)
        lodged = ask(quiet, "aborted")
        quiet.eventually(lambda: lodged in accepted(quiet))
    assert failed[0]
    assert all(after[0][topic_partition] < position for topic_partition, position in failed[0].items())


def test_a_reader_whose_position_is_not_known_for_a_moment_reads_on(
    quiet: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a broker was unreachable, kafka-python returns None as the position until the broker has answered with the
    beginning offset of the partition."""
    lodged = {ask(quiet, f"to be read {n}") for n in range(8)}
    known, unknown = KafkaConsumer.position, iter([None] * 6)
    monkeypatch.setattr(KafkaConsumer, "position", lambda *topic_partition: next(unknown, known(*topic_partition)))
    assert lodged <= {entry.key for entry in read(quiet.bootstrap, ["customs-declaration-requests"])}


def test_the_supervisor_leaves_the_group_for_a_killed_worker_so_that_nobody_waits_for_its_session(
    quiet: Border, tmp_path: Path
) -> None:
    """Here a session lasts ten minutes. Without the supervisor, the second worker would have to wait until the session
    of the killed worker has ended."""
    child = declarations(quiet, tmp_path, "killed", DTG_SESSION_TIMEOUT_MS="600000")
    lines: list[str] = []

    def hosted() -> list[Hosted]:
        if not lines:
            raise ValueError("what nobody foresaw")
        port = child.command[child.command.index("--web-port") + 1]
        return [Hosted(("declaration",), "killed", child.pid if child.alive else None, f"http://127.0.0.1:{port}")]

    leaver = Leaver(quiet.bootstrap, hosted, lines.append)
    try:
        child.start()
        quiet.eventually(lambda: page(child, "readyz")[0] == 200, child)
        child.kill()
        child.start()
        leaver.look()
        quiet.eventually(lambda: page(child, "livez")[0] == 200, child)
        wait(
            lambda: page(child, "readyz")[0] == 200,
            "the second worker, before the first one's session ends",
            child,
            most=SOON,
        )
        lodged = lodge(reference="LEAVER-1")
        quiet.ask(lodged)
        quiet.until(lodged.consignment_id, "DeclarationAccepted")
        assert lines[0] == "groups were not looked after 未能清理消费组: ValueError: what nobody foresaw"
    finally:
        leaver.stop()
        leave(child)


def test_a_topic_that_the_cluster_does_not_know_is_not_read_as_an_empty_one(quiet: Border) -> None:
    consumer = reader(quiet.bootstrap)
    try:
        assert partitions_of(consumer, FACTS[0]) == list(range(PARTITIONS))
        with pytest.raises(BrokerError, match="customs-none"):
            partitions_of(consumer, "customs-none", seconds=0)
    finally:
        consumer.close()
