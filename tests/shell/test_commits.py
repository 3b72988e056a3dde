"""What does a desk do while its group does not accept read positions? The tests use the real client, without a
broker."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, TopicPartition
from structlog.testing import capture_logs

from deploy.kafka.broker import free_port
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.shell.store import PartitionStore
from services.worker import desks
from tests.waiting import wait

TOPIC = "customs-risk-facts"


def test_a_commit_that_does_not_come_back_is_one_of_the_calls_that_end_the_process() -> None:
    """If the group's coordinator does not answer, the client waits for ever. So the call must have a time limit after
    which the process ends."""
    settings = WorkerSettings(kafka=f"127.0.0.1:{free_port()}", session_timeout_ms=1000)
    loop = Loop(desks(["inspection"])[0], settings)
    assignment, topic_partition = loop.assignment, (TOPIC, 0)
    assignment.connect(loop.topics)
    assignment.stores = {0: PartitionStore()}
    assignment.offsets.passed_over = {topic_partition: 7}
    try:
        with capture_logs() as logs, ThreadPoolExecutor(1) as thread:
            began = time.monotonic()
            call = thread.submit(assignment.commit_passed_over)
            wait(lambda: call.done() or loop.calls.answer_by < math.inf, "the call to be watched")
            assert not call.done() and began < loop.calls.answer_by < began + 60
            call.result()
        assert loop.calls.answer_by == math.inf
        assert [line["event"] for line in logs] == ["positions not committed"]
        assert assignment.offsets.passed_over == {topic_partition: 7}, "they are committed later"
        assert not assignment.offsets.committed
    finally:
        assignment.consumer.close()


class Remembering:
    """A consumer with one partition. It stores the offset that is committed."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(TOPIC, 0)]

    def assign(self, partitions: list[TopicPartition]) -> None: ...

    def committed(self, partitions: list[TopicPartition], seconds: float) -> list[TopicPartition]:
        return [TopicPartition(TOPIC, 0, self.offset)]

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        self.offset = offsets[0].offset
        return offsets


class Fenced(Remembering):
    """A consumer of an earlier generation: the commit returns, with an error for one of the partitions."""

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        refused = SimpleNamespace(error=KafkaError(KafkaError.ILLEGAL_GENERATION))
        return [*offsets, cast(Any, refused)]


def test_a_commit_that_one_partition_refuses_has_failed() -> None:
    assignment = Loop(desks(["inspection"])[0], WorkerSettings()).assignment
    topic_partition = (TOPIC, 0)
    assignment.consumer, assignment.stores = cast(Any, Remembering(3)), {0: PartitionStore()}
    assert assignment.still_ours()
    assignment.consumer = cast(Any, Fenced(3))
    assert not assignment.still_ours()
    assignment.offsets.passed_over = {topic_partition: 9}
    assignment.commit_passed_over()
    assert assignment.offsets.passed_over == {topic_partition: 9}, "they are committed later"


@pytest.mark.parametrize("of_group", [OFFSET_INVALID, 3])
def test_positions_that_the_group_lacks_are_committed_after_the_batch_is_read_again(of_group: int) -> None:
    """The commit after a restore may fail. In an older version, the group then had no position until the
    next message was read."""
    assignment = Loop(desks(["inspection"])[0], WorkerSettings()).assignment
    consumer = Remembering(of_group)
    assignment.consumer, assignment.stores = cast(Any, consumer), {0: PartitionStore()}
    assignment.offsets.committed = {0: {TOPIC: 7}}
    assignment.offsets.passed_over = {(TOPIC, 0): 9}
    assignment.rewind()
    assert assignment.offsets.read == {(TOPIC, 0): 7}
    assignment.commit_passed_over()
    assert consumer.offset == 7
    assignment.rewind()
    assert not assignment.offsets.passed_over
