"""The flow on Quix Streams, exactly once.

    python -m tests.bench.peers.on_quix DESK BOOTSTRAP PARTITIONS FOLDER

Two or three topics of one desk are concatenated, which is how its state is shared between them.
"""

import functools
import sys
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import SerializationContext, Serializer

from tests.bench.peers.flow import READS, WRITES, Said, Told, Work

COMMIT_SECONDS = 0.25


class Payload(Serializer):
    """The bytes of a fact; the rest of it went into topic, key and headers."""

    def __call__(self, value: Said, ctx: SerializationContext) -> bytes:
        return value.value


def application(desk: str, bootstrap: str, partitions: int, folder: str) -> Application:
    """One desk; runs until SIGTERM once `run` is called."""
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

    def hear(value: bytes, key: bytes, at: int, headers: list[tuple[str, bytes]], state: State) -> list[Said]:
        where = message_context()
        told = Told(where.partition, where.offset, value, dict(headers))
        if told.kind not in work.hears:
            return []
        before = work.unpack(state.get_bytes("kept"))
        kept, said = work.hear(before, told)
        if kept is not before:
            state.set_bytes("kept", work.pack(kept))
        return said

    def where_to(said: Said, key: Any, at: int, headers: Any) -> Any:
        return outputs[said.topic]

    flow = flow.apply(hear, stateful=True, metadata=True, expand=True)
    flow = flow.set_headers(lambda said, key, at, headers: said.headers)
    flow.to_topic(where_to, key=lambda said: said.key.encode())
    return app


if __name__ == "__main__":
    application(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]).run()
