"""How is a border with a million live consignments set up within a minute? The records of real consignments are
copied with new keys.

The desks' facts about these goods are not copied. Only the records are, because a worker has to keep and restore
them.
"""

import time
from dataclasses import dataclass

from confluent_kafka import Producer

from schemas.topics import STATES
from services.cli.bench.load import Phase, lodgements, offer, sender
from services.cli.bench.rig import Rig
from services.cli.ledger import audit
from services.cli.log import LoggedMessage, read
from services.shell import clients
from services.shell.access import Access
from services.simulator.day import Day

SAMPLES = 200
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """The records of one live consignment by state topic, and the records of its containers."""

    records: dict[str, bytes]
    containers: tuple[bytes, ...]


def samples(rig: Rig, day: Day) -> list[Sample]:
    """Lodges some consignments whose arrival nobody reports. Returns the records of the consignments that wait only for
    their arrival."""
    offer(sender(rig.access()), lodgements(day, 0, SAMPLES), 0, Phase())
    deadline = time.monotonic() + WAIT_SECONDS
    while (ledger := audit(rig.access("auditor"))).lodged < SAMPLES or ledger.ends["nowhere"]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{ledger.ends['nowhere']} of {SAMPLES} samples went nowhere")
    latest: dict[tuple[str, str], LoggedMessage] = {}
    for entry in read(rig.access("auditor"), [topic.name for topic in STATES]):
        latest[entry.topic, entry.key] = entry
    boxes = {key: e.value for (topic, key), e in latest.items() if topic == "customs-gate-state" and e.value}
    found = []
    for index in range(SAMPLES):
        plan = day.plan(index)
        records = {
            topic: e.value
            for (topic, key), e in latest.items()
            if key == plan.consignment_id and e.value and topic != "customs-gate-state"
        }
        release = records.get("customs-release-state", b"")
        if b'"arrival"' in release and b"inspection/" not in release and b"quarantine/" not in release:
            numbers = [c.container_no for c in plan.declaration.containers]
            found.append(Sample(records, tuple(boxes[n] for n in numbers if n in boxes)))
    return found


def plant(kafka: Access, found: list[Sample], count: int) -> tuple[int, int]:
    """Writes the records of `count` more live consignments. Returns how many records and how many bytes were written.
    No worker may run meanwhile."""
    producer = clients.producer(
        kafka,
        {
            "linger.ms": 50,
            "batch.num.messages": 100_000,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 500_000,
            "log_level": 2,
        },
    )
    records = size = 0
    for number in range(count):
        sample = found[number % len(found)]
        key = f"{number:08x}-0000-4000-8000-{number:012x}"
        pairs = [(topic, key, value) for topic, value in sample.records.items()]
        pairs += [("customs-gate-state", f"PLN{index}U{number:08}", box) for index, box in enumerate(sample.containers)]
        for topic, under, value in pairs:
            _produce(producer, topic, under, value)
            records += 1
            size += len(under) + len(value)
    producer.flush(120)
    return records, size


def _produce(producer: Producer, topic: str, key: str, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, key=key, value=value)
            return
        except BufferError:
            producer.poll(0.1)
