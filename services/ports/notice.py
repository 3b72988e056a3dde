"""Which messages of a topic concern a port, and which of them can be read and trusted? A message that cannot be read or trusted is
handed over as Unread, and is never a yes."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pydantic_core
from kafka.partitioner.default import murmur2

from schemas.envelope import Message, fact_id
from schemas.topics import KINDS, PORT_FACTS, PORT_FORMS, PORT_WRITERS
from services.shell.codec import Raw, Undecodable, decode, kind_of

TOPIC = PORT_FACTS
"""The topic that a port reads."""
FORMER = ("customs-release-facts", "customs-gate-facts")
"""The topics that ports read before `TOPIC` existed. Their facts have all fields; a port reads only the fields that the
copies on `TOPIC` have."""
HANDED_OVER = frozenset({"ReleaseGranted", "ReleaseRevoked", "ContainerMayLeave", "ContainerMustStay"})
"""The kinds that are handed over to a port's handler. The other kinds can only turn a yes into a no."""
OTHERS: Mapping[str, str] = {
    "ReleaseGranted": "containers",
    "ReleaseRevoked": "containers",
    "ConsignmentHeld": "",
    "ReleaseRefused": "",
    "DeclarationWithdrawn": "",
    "ContainerMayLeave": "consignments",
    "ContainerMustStay": "waiting_for",
    "ContainerGatedOut": "consignments",
    "VisitClosed": "consignments",
    "GateAlarmRaised": "waiting_for",
}
"""Kind that changes a port's answer → its field with the related names: the containers of a consignment, or the consignments in a
container. The field is empty if the kind has none."""
CODES: Mapping[str, str] = {"VisitClosed": "how", "GateAlarmRaised": "alarm", "ContainerMustStay": "code"}
"""Kind → the name of its field with the reason. This reason is a code, because texts of officers are not sent to
readers outside customs."""
MOST_FACTS = 1024
"""The most facts that one message can cause. To check the id of a fact, this many indexes are tried. The departure of a full container
causes the most facts: one for each of its consignments."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One statement. `subject`: a consignment or a container. If there are two statements about one subject, the one with the higher
    `version` counts.

    `version` is None for `ContainerGatedOut`, `VisitClosed` and `GateAlarmRaised`; after such a fact, no earlier yes counts.
    `others`: for a consignment, all containers in which it is released, so a container that only an earlier release
    names is not released any more; for a container, its consignments. `reason` is a code (`CODES`), and empty for most
    kinds. The reason of `ContainerMustStay` is what the container waits for since `occurred_at`.
    """

    id: str
    kind: str
    subject: str
    version: int | None
    others: tuple[str, ...]
    reason: str
    occurred_at: str
    permitted: tuple[str, ...] = ()
    """The consignments of a container that may leave without a release, because an officer permits it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that cannot be read or trusted. `where`: topic, partition and offset, or the cursor; `subjects`: the consignments and
    containers that it may be about, which must stay."""

    where: str
    reason: str
    text: str
    subjects: tuple[str, ...]


class Handler(Protocol):
    """The interface of a port's own code for notices. Rows that it writes through `notebook` are committed together with the offset or
    cursor, or not at all.

    An effect elsewhere (a barrier, a letter) may be done twice if the program crashes. So give the effect the id `notice.id`, which is
    the same both times.
    """

    def heard(self, notice: Notice, notebook: sqlite3.Connection) -> None: ...
    def unread(self, message: Unread, notebook: sqlite3.Connection) -> None: ...


class Away(Exception):
    """Raised if the topics or the console do not answer, or if the answer breaks the specification. Nothing is then known, so nothing
    may leave."""


def from_topic(message: Raw, partitions: int) -> Notice | Unread | None:
    """Returns a Kafka message as a notice, or as Unread if it cannot be read or trusted. Returns None for a kind that
    does not concern a port, and for a kind that only a later software version has. A port may ignore such a later kind,
    because the desks take every yes back by a fact of a known kind, too."""
    try:
        name = message.text("ce_type")
        if not name:
            raise Undecodable("missing_kind", "the message has no ce_type header")
        if name not in KINDS:
            return None
        kind = kind_of(message).kind
        if kind not in OTHERS:
            return None
        statement = decode(PORT_FORMS[kind], message, extra="ignore")
        _genuine(kind, message, partitions)
    except Undecodable as error:
        where = f"{message.topic}/{message.partition}/{message.offset}"
        return Unread(where, error.reason, str(error)[:500], subjects(message.key, message.value))
    return _notice(message.text("ce_id"), statement)


def _genuine(kind: str, message: Raw, partitions: int) -> None:
    """Raises Undecodable if the headers are not those that the desk of this kind gives to its facts, or if the message is not in the
    partition of its key.

    This finds mistakes but no forgeries, because a forger can write correct headers. Only the broker's ACLs prevent forgeries.
    """
    writer = PORT_WRITERS[kind]
    source, cause, sequence = (message.text(name) for name in ("ce_source", "causationid", "sequence"))
    if source != f"/desks/{writer}":
        raise Undecodable("forged", f"ce_source is {source[:100]!r}; only /desks/{writer} says {kind}")
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 19 and int(sequence) > 0):
        raise Undecodable("forged", f"sequence is {sequence[:100]!r}, no count of a desk")
    if not derived(writer, cause, message.text("ce_id")):
        raise Undecodable("forged", f"ce_id is not what the {writer} desk derives from the cause {cause[:100]!r}")
    proper = int(murmur2(message.key or b"") & 0x7FFFFFFF) % partitions
    if message.partition != proper:
        raise Undecodable("wrong_partition", f"the key belongs to partition {proper}")


def derived(desk: str, cause: str, id: str) -> bool:
    """Returns whether this id is one that the desk gives to a fact with this cause."""
    return any(fact_id(desk, cause, index) == id for index in range(MOST_FACTS))


def subjects(key: bytes | None, value: bytes | None) -> tuple[str, ...]:
    """Returns the consignments and containers that an unreadable message may be about: its key, and the names in its value if the value
    is JSON."""
    try:
        body = pydantic_core.from_json(value or b"null")
    except ValueError:  # the value is not JSON, so only the key names a subject
        body = None
    named = {(key or b"").decode("utf-8", "replace"), *named_in(body)}
    return tuple(sorted(named - {""}))


def named_in(body: Any) -> set[str]:
    """Returns the consignment and the container that a parsed JSON value names. A lone surrogate, which SQLite cannot store, is replaced
    by `?`."""
    fields = [body.get(name) for name in ("consignment_id", "container_no")] if isinstance(body, dict) else []
    return {field.encode("utf-8", "replace").decode() for field in fields if isinstance(field, str)}


def _notice(id: str, statement: Message) -> Notice:
    fields = dict(statement)
    others: tuple[str, ...] = fields.get(OTHERS[statement.kind], ())
    return Notice(
        id,
        statement.kind,
        statement.key,
        fields.get("version"),
        others,
        fields.get(CODES.get(statement.kind, ""), ""),
        fields["occurred_at"].isoformat(),
        fields.get("permitted", ()),
    )
