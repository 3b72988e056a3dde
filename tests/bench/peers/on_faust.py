"""How does the flow run on plain Faust agents with tables? Each message is decided at least once.

    DESK=… KAFKA=… PARTITIONS=… python -m faust -A tests.bench.peers.on_faust worker

The table keeps decided states as Python objects in memory and writes each change to its changelog.
"""

import os
from typing import Any

import faust
from faust.serializers import codecs

from tests.bench.peers.flow import READS, InputMessage, Kept, Work

DESK, BOOTSTRAP, PARTITIONS = os.environ["DESK"], os.environ["KAFKA"], int(os.environ["PARTITIONS"])
work = Work(DESK, PARTITIONS)


class KeptCodec(codecs.Codec):
    """Encodes states for the changelog, and decodes them."""

    def _dumps(self, kept: Kept) -> bytes:
        return work.pack(kept)

    def _loads(self, data: bytes) -> Kept | None:
        return work.unpack(data)


codecs.register("kept", KeptCodec())
app = faust.App(
    f"peer-{DESK}",
    broker=f"kafka://{BOOTSTRAP}",
    store="memory://",
    topic_disable_leader=True,
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    stream_wait_empty=False,
    producer_linger_ms=5,
    producer_max_batch_size=262_144,
    stream_buffer_maxsize=16_384,
    broker_max_poll_records=2_000,
    consumer_auto_offset_reset="earliest",
    datadir=os.environ["FOLDER"],
    web_enabled=False,
    loghandlers=[],
)
states: Any = app.Table("states", partitions=PARTITIONS, key_type=str)
states.value_serializer = "kept"
inputs = app.topic(*READS[DESK], key_serializer="raw", value_serializer="raw", key_type=bytes, value_type=bytes)
topics: dict[str, Any] = {}


def topic(name: str) -> Any:
    """Returns the topic with this name, to write to it. Each topic is made once."""
    if name not in topics:
        topics[name] = app.topic(name, key_serializer="raw", value_serializer="raw")
    return topics[name]


@app.agent(inputs)
async def decide(stream: Any) -> None:
    """Reads the state of each event, decides the event, and writes the facts and the new state."""
    async for event in stream.events():
        message = event.message
        source = InputMessage(message.partition, message.offset, event.value, dict(event.headers))
        if source.kind not in work.hears:
            continue
        key = event.key.decode()
        before = states.get(key)
        kept, outputs = work.hear(before, source)
        for fact in outputs:
            await topic(fact.topic).send(key=fact.key.encode(), value=fact.value, headers=fact.headers)
        if kept is not before:
            states[key] = kept
