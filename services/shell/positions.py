"""Up to which offsets has a desk read its inputs, and may it go on from there?

The read positions of a partition are kept in the state topic, beside the records that belong to them, and in the
consumer group. The cluster deletes those of the group after some idle days (`offsets.retention.minutes`). If only the
positions were missing, the desk would decide all its inputs again. If only the records were missing, the desk would
decide new inputs without the states to which earlier inputs have led.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from schemas.bounds import LARGEST_INTEGER
from schemas.topics import BEGINS_AT_THE_END
from services.shell.layout import CannotContinue, replaced

POSITIONS_KEY = ""
"""The key of the read positions in the state topic. No other record has it, because a message with an empty key gets
its position as the key."""
IN_STATE_TOPIC = "in the state topic"
"""The metadata with which the group's offsets are committed, if the read positions are also in the state topic."""
BEGINNING, END = -2, -1
"""Kafka's numbers for the first message of a partition and for the next one that will be written. `END` moves, so it is
never stored as a position."""
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""The exceptions of msgspec for bytes that no desk wrote."""

Offset = Annotated[int, msgspec.Meta(ge=BEGINNING, le=LARGEST_INTEGER)]


class ReadPositions(msgspec.Struct, omit_defaults=True):
    """The value of the read positions in the state topic. `positions`: input topic → next offset; if an input is
    missing here, it is new to the desk.

    `due` comes first and is null, so that an older software version reads the value as a record without time limits.
    `cut`: the offset of the state topic from which on the records count as complete (`PartitionStore.accepted_from`).
    `ids`: topic → topic id, for every topic of the desk, as they were when the desk took the partition over. An older
    software version ignores `ids`.
    """

    due: None = None
    positions: dict[str, Offset] = {}
    cut: Offset = 0
    ids: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """The next offset that the consumer group has committed for one input (None if there is none), and its metadata."""

    offset: int | None = None
    metadata: str = ""


@dataclass(slots=True)
class StoredPositions:
    """Everything that is stored about the positions of one partition. `noted`: the offsets of the group by input topic;
    `stored`: the read positions in the state topic; `unreadable`: why these cannot be read; `first`: the first offset
    of the state topic; `records`: how many records the partition has."""

    partition: int
    noted: Mapping[str, GroupOffset]
    stored: ReadPositions | None = None
    first: int = 0
    records: int = 0
    unreadable: str = ""


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(ReadPositions)


def encode(positions: Mapping[str, int], cut: int, ids: Mapping[str, str]) -> bytes:
    """Returns the value of the read positions. `due` is written although it is null (see `ReadPositions`)."""
    body = {"due": None, "positions": positions, "ids": ids} | ({"cut": cut} if cut else {})
    return _encoder.encode(body)


def decode(data: bytes) -> ReadPositions:
    """Returns the read positions in a value of the state topic. Raises one of `UNREADABLE` if the value cannot be read."""
    return _decoder.decode(data)


def resume(
    desk: str,
    inputs: Iterable[str],
    found: StoredPositions,
    accepted: bool,
    end: Callable[[str], int],
    ids: Mapping[str, str],
) -> dict[str, int]:
    """Returns input topic → the offset from which the desk reads on in this partition.

    Raises CannotContinue if records are missing, or if messages would be decided a second time. `accepted`: whether an
    operator has accepted that records are missing; then the positions of the group, which an operator can set, take
    precedence over those in the state topic. `end`: returns the offset of the next message of a topic; it is called
    only for a new input that begins at the end. `ids`: topic → its present id.
    """
    _refuse_what_is_lost(desk, found, accepted)
    before = found.stored.ids if found.stored else {}
    if not accepted:
        refuse_replaced(desk, before, ids)
    stored = {
        topic: offset
        for topic, offset in (found.stored.positions if found.stored else {}).items()
        # A topic that was made again has another id. The stored position belongs to the former topic and is left out.
        if before.get(topic) in (None, ids.get(topic))
    }
    positions: dict[str, int] = {}
    for topic in inputs:
        noted, known = found.noted.get(topic, GroupOffset()).offset, stored.get(topic)
        known = None if known == END else known  # an older software version stored END
        if noted is None and known is None:
            positions[topic] = end(topic) if topic in BEGINS_AT_THE_END else BEGINNING
        elif noted is None or known is None or accepted:
            positions[topic] = noted if noted is not None else known if known is not None else BEGINNING
        else:
            positions[topic] = max(noted, known)
    return positions


def refuse_replaced(desk: str, known: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raises CannotContinue if a topic was deleted, or deleted and made again. Both arguments map a topic to its id."""
    if lost := replaced(known, now):
        raise _refused(desk, f"{lost[0]}, with all that it held", f"{lost[1]}，原有消息已丢失。")


def _refuse_what_is_lost(desk: str, found: StoredPositions, accepted: bool) -> None:
    name, stored = f"{desk}, partition {found.partition}", found.stored
    forgotten = all(noted.offset is None for noted in found.noted.values())
    if found.unreadable and not accepted:
        raise _refused(
            name, f"the read positions in its state topic cannot be read: {found.unreadable}", "读取位点无法读取。"
        )
    if not accepted and found.first > (stored.cut if stored else 0):
        raise _refused(
            name, f"its state topic begins at offset {found.first}: records were cut off", "状态主题被截断。"
        )
    if not accepted and stored is None and any(noted.metadata == IN_STATE_TOPIC for noted in found.noted.values()):
        raise _refused(
            name, "the consumer group has read positions, the state topic has no records", "状态主题的记录已丢失。"
        )
    if stored is None and (found.records or found.unreadable) and forgotten:
        raise _refused(name, "the state topic has records, but no read positions are known", "读取位点已丢失。")


def _refused(name: str, why: str, chinese: str) -> CannotContinue:
    return CannotContinue(
        f"{name}: {why}. {chinese} Nothing is decided until an operator has looked: docs/runbooks/WorkerDown.md"
    )
