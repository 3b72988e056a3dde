"""Up to where has a desk read its inputs, and may it go on from there?

The read positions of a partition stand in the state topic, beside the records that came of them, and in the consumer
group. The cluster forgets those of the group after idle days (`offsets.retention.minutes`); records without their
positions would be decided again from the beginning, and positions without their records would decide from nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from schemas.bounds import LARGEST_INTEGER
from schemas.topics import BEGINS_AT_THE_END
from services.shell.layout import Refused, replaced

KEY = ""
"""The key of this record in the state topic: no message has it, since one with an empty key is named by its position."""
MARK = "in the state topic"
"""Metadata of a group's offset whose positions stand in the state topic, too."""
BEGINNING, END = -2, -1
"""Kafka's numbers for the first and the next message of a partition. The end moves on, so it is never kept as a position."""
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises about bytes that no desk wrote."""

Offset = Annotated[int, msgspec.Meta(ge=BEGINNING, le=LARGEST_INTEGER)]


class ReadPositions(msgspec.Struct, omit_defaults=True):
    """The record's value. `positions`: input topic → next offset; an input that is not named is new to the desk.

    `due` stands first and empty, so that a program of the release before reads it as a record that waits for nothing.
    `cut`: first offset of the state topic that an operator has accepted. `ids`: topic → its id, of every topic of the desk,
    when it took the partition over; a program of the release before passes over it.
    """

    due: None = None
    positions: dict[str, Offset] = {}
    cut: Offset = 0
    ids: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Noted:
    """What the consumer group says of one input: the next offset, None where it has forgotten, and its metadata."""

    offset: int | None = None
    metadata: str = ""


@dataclass(slots=True)
class Found:
    """What there is of one partition: `noted` by input topic, the record or why it is `unreadable`, the first offset of the
    state topic.
    """

    partition: int
    noted: Mapping[str, Noted]
    stored: ReadPositions | None = None
    first: int = 0
    records: int = 0
    unreadable: str = ""


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(ReadPositions)


def encode(positions: Mapping[str, int], cut: int, ids: Mapping[str, str]) -> bytes:
    """The record's value; `due` is written although it is empty."""
    body = {"due": None, "positions": positions, "ids": ids} | ({"cut": cut} if cut else {})
    return _encoder.encode(body)


def decode(data: bytes) -> ReadPositions:
    """As it was encoded; one of `UNREADABLE` for anything else."""
    return _decoder.decode(data)


def resume(
    desk: str,
    inputs: Iterable[str],
    found: Found,
    accepted: bool,
    end: Callable[[str], int],
    ids: Mapping[str, str],
) -> dict[str, int]:
    """Input topic → the offset from which this partition goes on.

    Refused where records are missing or would be decided again. `accepted`: an operator has agreed that records are
    missing; then the positions of the group, which an operator can set, count more than those in the state topic.
    `end`: offset of the next message of an input, asked for only where a new input begins there. `ids`: those of the topics now.
    """
    _refuse_what_is_lost(desk, found, accepted)
    before = found.stored.ids if found.stored else {}
    if not accepted:
        refuse_replaced(desk, before, ids)
    stored = {
        topic: offset
        for topic, offset in (found.stored.positions if found.stored else {}).items()
        if before.get(topic) in (None, ids.get(topic))  # of a topic made anew no position is known
    }
    positions: dict[str, int] = {}
    for topic in inputs:
        noted, known = found.noted.get(topic, Noted()).offset, stored.get(topic)
        known = None if known == END else known  # as an earlier release kept it
        if noted is None and known is None:
            positions[topic] = end(topic) if topic in BEGINS_AT_THE_END else BEGINNING
        elif noted is None or known is None or accepted:
            positions[topic] = noted if noted is not None else known if known is not None else BEGINNING
        else:
            positions[topic] = max(noted, known)
    return positions


def refuse_replaced(desk: str, known: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refused when a topic is gone or made anew; both map a topic to its id."""
    if lost := replaced(known, now):
        raise _refused(desk, f"{lost[0]}, with all that it held", f"{lost[1]}，原有消息已丢失。")


def _refuse_what_is_lost(desk: str, found: Found, accepted: bool) -> None:
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
    if not accepted and stored is None and any(noted.metadata == MARK for noted in found.noted.values()):
        raise _refused(
            name, "the consumer group has read positions, the state topic has no records", "状态主题的记录已丢失。"
        )
    if stored is None and (found.records or found.unreadable) and forgotten:
        raise _refused(name, "the state topic has records, but no read positions are known", "读取位点已丢失。")


def _refused(name: str, why: str, chinese: str) -> Refused:
    return Refused(
        f"{name}: {why}. {chinese} Nothing is decided until an operator has looked: docs/runbooks/WorkerDown.md"
    )
