"""What is a port told, and what of it can be read and believed? What cannot is told too, and is never a yes."""

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
"""What a port reads."""
FORMER = ("customs-release-facts", "customs-gate-facts")
"""What a port read before there was `TOPIC`: whole facts. Of these nothing more is taken than `TOPIC` would have."""
HANDED_OVER = frozenset({"ReleaseGranted", "ReleaseRevoked", "ContainerMayLeave", "ContainerMustStay"})
"""What a port acts on. The other statements only make its answers stricter."""
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
"""Kinds that change what a port answers, each with its field that names the others: containers of goods, goods in a container."""
CODES: Mapping[str, str] = {"VisitClosed": "how", "GateAlarmRaised": "alarm"}
"""Kinds that say why by a code, with the field that has it. What an officer wrote goes to nobody outside."""
MOST_FACTS = 1024
"""Facts of one cause at most, for the check of a derived id: a full container's consignments, each told of its departure."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One statement. `subject`: a consignment or a container; of two on one subject the higher `version` is true.

    `version` is None where the gate only tells how a visit ended: that ends every yes before it. `others`: all containers of
    a consignment that are released (those that an earlier release listed and this one does not are taken back), the
    consignments of a container. `reason` is a code (`CODES`), and empty for most kinds.
    """

    id: str
    kind: str
    subject: str
    version: int | None
    others: tuple[str, ...]
    reason: str
    occurred_at: str
    permitted: tuple[str, ...] = ()
    """Of the consignments of a container that may leave, those that an officer's permit lets out: they need no release."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that is no statement we know: where it lies, why, and whom it may be about; those stay."""

    where: str
    reason: str
    text: str
    subjects: tuple[str, ...]


class Handler(Protocol):
    """What a port does. Rows written through `notebook` are kept together with the place read up to, or not at all.

    Anything done elsewhere (a barrier, a letter) may be done twice after a crash: do it under `notice.id`.
    """

    def heard(self, notice: Notice, notebook: sqlite3.Connection) -> None: ...
    def unread(self, message: Unread, notebook: sqlite3.Connection) -> None: ...


class Away(Exception):
    """Topics or console do not answer, or not as agreed: nothing is known, so nothing may leave."""


def from_topic(message: Raw, partitions: int) -> Notice | Unread | None:
    """None: what says nothing to a port. A kind that this client does not know is of a later version and passed over, too:
    no new kind takes a yes back without a known one that says so."""
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
    """Undecodable where the headers are not those that the one desk which says this gives its facts.

    Whoever knows the rules can still write headers that obey them: only the broker's rights keep a topic for its writers.
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
    """Whether a desk gives this id to one of the facts that it draws from this cause."""
    return any(fact_id(desk, cause, index) == id for index in range(MOST_FACTS))


def subjects(key: bytes | None, value: bytes | None) -> tuple[str, ...]:
    """Whom an unreadable message may be about: its key, and the names in its value if it is JSON at all."""
    try:
        body = pydantic_core.from_json(value or b"null")
    except ValueError:  # it is unread already; nobody else is named
        body = None
    named = {(key or b"").decode("utf-8", "replace"), *named_in(body)}
    return tuple(sorted(named - {""}))


def named_in(body: Any) -> set[str]:
    """The consignment and the container that a JSON value speaks of. Half a surrogate, which no notebook stores, becomes a sign that no name has."""
    fields = [body.get(name) for name in ("consignment_id", "container_no")] if isinstance(body, dict) else []
    return {field.encode("utf-8", "replace").decode() for field in fields if isinstance(field, str)}


def _notice(id: str, said: Message) -> Notice:
    told = dict(said)
    others: tuple[str, ...] = told.get(OTHERS[said.kind], ())
    return Notice(
        id,
        said.kind,
        said.key,
        told.get("version"),
        others,
        told.get(CODES.get(said.kind, ""), ""),
        told["occurred_at"].isoformat(),
        told.get("permitted", ()),
    )
