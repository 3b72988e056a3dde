"""How does the flow run on aiokafka? In each transaction a desk decides a batch and writes facts, states and positions.

    python -m tests.bench.peers.on_aiokafka DESK BOOTSTRAP PARTITIONS

It works like the product's loop, with the client that Faust uses. This client's transaction requests do not contain the
generation of the consumer group (KIP-447), so only the transactional id fences a worker that has lost its partitions.
"""

import asyncio
import signal
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas.topics import state_topic
from tests.bench.peers.flow import READS, InputMessage, Kept, OutputMessage, Work

BATCH = 1000
PACE = 0.05
"""Seconds between two transactions of a desk that always has messages. It is the default of the product."""


async def run(desk: str, bootstrap: str, partitions: int) -> None:
    """Runs the desk until the task is cancelled."""
    work = Work(desk, partitions)
    states: dict[str, Kept] = {}
    group = f"peer-{desk}"
    consumer = AIOKafkaConsumer(
        *READS[desk],
        bootstrap_servers=bootstrap,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=f"peer-{desk}-0",
        transaction_timeout_ms=10_000,
        acks="all",
        linger_ms=1,
        max_batch_size=262_144,
    )
    await consumer.start()
    await producer.start()
    clock = asyncio.get_running_loop().time
    last = 0.0
    try:
        while True:
            batch = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            if batch and (ahead := last + PACE - clock()) > 0:
                await asyncio.sleep(ahead)
                for topic_partition, more in (await consumer.getmany(timeout_ms=0, max_records=BATCH)).items():
                    batch[topic_partition] = [*batch.get(topic_partition, []), *more]
            if batch:
                await _turn(work, states, batch, producer, group)
                last = clock()
    finally:
        await consumer.stop()
        await producer.stop()


async def _turn(
    work: Work,
    states: dict[str, Kept],
    batch: dict[TopicPartition, list[ConsumerRecord]],
    producer: AIOKafkaProducer,
    group: str,
) -> None:
    changed: dict[str, tuple[int, Kept]] = {}
    outputs: list[OutputMessage] = []
    for topic_partition, messages in batch.items():
        for message in messages:
            source = InputMessage(topic_partition.partition, message.offset, message.value, dict(message.headers))
            if source.kind not in work.hears:
                continue
            key = message.key.decode()
            before = changed[key][1] if key in changed else states.get(key)
            kept, facts = work.hear(before, source)
            outputs += facts
            if kept is not before:
                changed[key] = (topic_partition.partition, kept)
    async with producer.transaction():
        for fact in outputs:
            await producer.send(fact.topic, fact.value, fact.key.encode(), headers=fact.headers)
        for key, (partition, kept) in changed.items():
            await producer.send(state_topic(work.desk), work.pack(kept), key.encode(), partition=partition)
        positions = {topic_partition: messages[-1].offset + 1 for topic_partition, messages in batch.items()}
        await producer.send_offsets_to_transaction(positions, group)
    states.update({key: kept for key, (_, kept) in changed.items()})


async def _main() -> None:
    task = asyncio.ensure_future(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    asyncio.run(_main())
