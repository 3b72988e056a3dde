"""How does the flow run on Quix Streams? Each message is decided exactly once.

    python -m tests.bench.peers.on_quix DESK BOOTSTRAP PARTITIONS FOLDER

If a desk reads two or three topics, they are concatenated, so that they share the desk's state.
"""

import functools
import sys
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import SerializationContext, Serializer

from tests.bench.peers.flow import READS, WRITES, InputMessage, OutputMessage, Work

COMMIT_SECONDS = 0.25


class Payload(Serializer):
    """Serializes a message as its value only, because its topic, key and headers are passed separately."""

    def __call__(self, value: OutputMessage, ctx: SerializationContext) -> bytes:
        return value.value


def application(desk: str, bootstrap: str, partitions: int, folder: str) -> Application:
    """Returns the application of one desk. Its method `run` returns after SIGTERM."""
    work = Work(desk, partitions)
    app = Application(
        broker_address=bootstrap,
        consumer_group=f"peer-{desk}",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        state_dir=folder,
        consumer_extra_config={"isolation.level": "read_committed"},
        producer_extra_config={"linger.ms": 5, "transaction.timeout.ms": 10_000},
        consumer_poll_timeout=0.05,
        loglevel="WARNING",
    )
    plain = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    inputs = [app.dataframe(app.topic(name, **plain)) for name in READS[desk]]
    flow = functools.reduce(lambda one, other: one.concat(other), inputs)
    outputs = {
        name: app.topic(name, key_serializer="bytes", value_serializer=Payload()) for name in WRITES.get(desk, ())
    }

    def hear(value: bytes, key: bytes, at: int, headers: list[tuple[str, bytes]], state: State) -> list[OutputMessage]:
        where = message_context()
        source = InputMessage(where.partition, where.offset, value, dict(headers))
        if source.kind not in work.hears:
            return []
        before = work.unpack(state.get_bytes("kept"))
        kept, messages = work.hear(before, source)
        if kept is not before:
            state.set_bytes("kept", work.pack(kept))
        return messages

    def where_to(output: OutputMessage, key: Any, at: int, headers: Any) -> Any:
        return outputs[output.topic]

    flow = flow.apply(hear, stateful=True, metadata=True, expand=True)
    flow = flow.set_headers(lambda output, key, at, headers: output.headers)
    flow.to_topic(where_to, key=lambda output: output.key.encode())
    return app


if __name__ == "__main__":
    application(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]).run()
