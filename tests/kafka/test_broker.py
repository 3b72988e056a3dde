"""What does the embedded broker do if it was killed before, and if its data come from a newer Kafka? When does it write
and use the archive of its classes?"""

import signal
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

import deploy.kafka.broker
from deploy.kafka import archive
from deploy.kafka.broker import ACTIVE, FENCED, Broker, free_port
from deploy.kafka.errors import BrokerError
from deploy.kafka.jars import fetch_jars
from deploy.kafka.java import java
from deploy.kafka.topics import provision
from tests.conftest import PARTITIONS
from tests.waiting import wait

NEXT_METADATA = 31
"""The number of a metadata version that the broker of deploy/kafka/pom.xml supports only as an unstable version. The
last stable metadata version of this broker is 30."""
TOPIC = "customs-declaration-facts"
FROZEN_SECONDS = 5.5
NOBODY = 1 << 22
"""A process id that no Linux process has: the largest possible id plus 1."""


def writer(broker: Broker, number: int) -> Producer:
    """Returns a producer with the transactional id of this number. If an earlier producer with this id left a
    transaction open, that transaction is aborted."""
    settings = {"bootstrap.servers": broker.bootstrap, "transactional.id": f"writer-{number}"}
    producer = Producer({**settings, "transaction.timeout.ms": 5000, "partitioner": "murmur2_random", "log_level": 0})
    producer.init_transactions(30)
    return producer


def open_transaction(broker: Broker, number: int) -> Producer:
    """Writes one message to each partition in a transaction, and does not commit it. Returns the producer."""
    producer = writer(broker, number)
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.produce(TOPIC, key=f"{number}", value=b"open", partition=partition)
    assert producer.flush(30) == 0
    return producer


def read_to_the_end(broker: Broker) -> list[bytes | None]:
    """Returns the committed messages up to the end of every partition. Fails if a reader cannot reach an end."""
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": "reader", "isolation.level": "read_committed"}
    reader = Consumer({**settings, "enable.partition.eof": True, "log_level": 0})
    reader.assign([TopicPartition(TOPIC, partition, 0) for partition in range(PARTITIONS)])
    values, ends = [], set[int]()
    for message in (m for _ in range(40) for m in reader.consume(1000, 0.5)):
        if message.error() is None:
            values.append(message.value())
            ends.discard(message.partition())
            continue
        _, high = Consumer({**settings, "isolation.level": "read_uncommitted", "log_level": 0}).get_watermark_offsets(
            TopicPartition(TOPIC, message.partition()), timeout=10
        )
        if message.offset() == high:
            ends.add(message.partition())
        if len(ends) == PARTITIONS:
            break
    reader.close()
    assert len(ends) == PARTITIONS, "a transaction that nobody will ever end keeps readers from the end"
    return values


class Late(Broker):
    """A broker whose controller is frozen for a while after its start, as may happen on a busy machine. `late`:
    whether the controller was frozen before it had fenced any broker."""

    late = False

    def _spawn(self, log: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = super()._spawn(log, program, *arguments)
        if log == "fence.log":
            Thread(target=self._freeze, args=(process, self.folder / log)).start()
        return process

    def _freeze(self, controller: subprocess.Popen[bytes], log: Path) -> None:
        wait(lambda: ACTIVE in log.read_text(), "the controller to work")
        controller.send_signal(signal.SIGSTOP)
        self.late = FENCED not in log.read_text()
        time.sleep(FROZEN_SECONDS)
        controller.send_signal(signal.SIGCONT)


def test_a_transaction_that_was_open_when_the_broker_was_killed_is_ended_for_its_readers(tmp_path: Path) -> None:
    broker = Late(tmp_path / "kafka", free_port())
    broker.start()
    try:
        provision(broker.bootstrap, PARTITIONS)
        left: list[object] = []
        for _ in range(5):
            # In some rounds the controller is frozen too late: it has already fenced the broker. Such a round proves
            # nothing, so there are up to five rounds.
            left = [open_transaction(broker, number) for number in range(4)]
            broker.kill()
            broker.start()
            if broker.late:
                break
        assert broker.late and FENCED in (broker.folder / "fence.log").read_text()
        for number in range(len(left)):
            writer(broker, number)
        after = writer(broker, 99)
        after.begin_transaction()
        for partition in range(PARTITIONS):
            after.produce(TOPIC, key="after", value=b"after", partition=partition)
        after.commit_transaction(30)
        assert read_to_the_end(broker) == [b"after"] * PARTITIONS
    finally:
        broker.stop()


def test_data_of_a_newer_kafka_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Kafka's own tool can write metadata of the next version if unstable versions are enabled."""
    fetch_jars()
    folder = tmp_path / "kafka"
    folder.mkdir()
    newer = Broker(folder, free_port(), settings={"unstable.feature.versions.enable": "true"})
    newer._write("server.properties", newer._properties())
    arguments = (
        "-t",
        "0wfNzi48SLu38jtW5vM7FQ",
        "-c",
        "server.properties",
        "--feature",
        f"metadata.version={NEXT_METADATA}",
    )
    tool = newer._command(java(), "kafka.tools.StorageTool", "format", *arguments)
    subprocess.run(tool, cwd=folder, check=True, capture_output=True)
    with pytest.raises(BrokerError, match=r"newer version of Kafka.*dtg up --afresh"):
        Broker(folder, newer.port).start()


def test_a_broker_that_ended_in_order_leaves_its_classes_to_the_next_one_and_a_killed_one_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    kept.joinpath(f"classes-0.9092-{NOBODY}").touch()  # left by a killed process that had started a broker
    monkeypatch.setattr(archive, "JARS", kept)
    # A broker writes the archive of its loaded classes only if it ends by itself. On a busy machine this may take long,
    # so `stop` must wait before it kills the broker.
    monkeypatch.setattr(deploy.kafka.broker, "STOP_SECONDS", 200)
    broker = Broker(tmp_path / "kafka", free_port())
    broker.start()
    broker.kill()
    assert list(kept.iterdir()) == []
    broker.start()
    broker.stop()
    (written,) = kept.iterdir()
    assert written == archive.Archive(java(), broker.port).path
    broker.start()
    try:
        assert broker.process
        mapped = str(written) in Path(f"/proc/{broker.process.pid}/maps").read_text(encoding="utf-8")
        assert mapped == bool(written.stat().st_size), "PyPI's Java writes none, and starts all the same"
    finally:
        broker.kill()
    assert list(kept.iterdir()) == [written]
