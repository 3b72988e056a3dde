"""May this container leave, as far as the read model knows? What is unknown, parked, held or stale stays.

The gate desk's fact is the statement; this answer is only ever stricter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.console.heard import Heard, micros, text, whole

SHOWN = 1000
"""Consignments that an answer names at most."""


@dataclass(slots=True)
class Container:
    """The row of one container, columns as in `tables.CONTAINERS`. `waiting_for`: the consignments that the gate named: those
    that keep it, or, where it may leave, those that are in it."""

    container_no: str
    word: str = ""
    reason: str = ""
    gate: str = ""
    waiting_for: str = ""
    since_us: int | None = None
    seq: int = 0
    parked: int = 0


@dataclass(slots=True)
class Part:
    """One consignment in one container, columns as in `tables.CONSIGNMENT_CONTAINERS`."""

    container_no: str
    consignment_id: str
    seal_no: str = ""
    word: str = ""
    reason: str = ""
    version: int = 0
    shared_by: int = 0
    declared: bool = False
    gone: bool = False


_WORDS = {
    "ContainerMayLeave": "may_leave",
    "ContainerMustStay": "must_stay",
    "ContainerGatedOut": "gated_out",
    "GateAlarmRaised": "left_unreleased",
}


def tell_container(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    """Folds a fact of the gate desk; what is not newer changes nothing."""
    if heard.sequence <= row.seq:
        return
    row.seq = heard.sequence
    row.word = _WORDS[heard.kind]
    row.reason = text(body.get("reason") or "")
    row.gate = text(body.get("gate") or "")
    row.waiting_for = " ".join(body.get("waiting_for") or body.get("consignments", ()))
    row.since_us = micros(body["occurred_at"])


def tell_part(row: Part, heard: Heard, body: dict[str, Any]) -> None:
    """Folds a statement of the release desk to the gate: of two, the higher version is true."""
    if body["version"] <= row.version:
        return
    row.version = whole(body["version"])
    row.shared_by = whole(body["shared_by"])
    row.reason = text(body.get("reason") or "")
    row.word = "held" if heard.kind == "ContainerHeld" else "released" if body.get("released", True) else "withdrawn"


class GateAnswer(NamedTuple):
    """`reason` is a code of the catalogue of words; `detail` what was seen; `waiting_for` the consignments that keep it."""

    may_leave: bool
    reason: str
    detail: str = ""
    waiting_for: tuple[str, ...] = ()


class AskedHold(NamedTuple):
    """Holds of one consignment that consoles were asked for and no desk has answered: when the last one was asked, and whether the
    message of one was read from the topic (`sent`)."""

    consignment_id: str
    asked_us: int
    sent: bool


SENDING_SECONDS = 120
"""After so long a hold that is in none of the complete rows was never sent: the console ended before it was, or could not."""


class Standing(NamedTuple):
    """What the desks said last of one consignment: `declared` and `word` of its row."""

    declared: str = ""
    word: str = ""


NOT_THERE = frozenset({"rejected", "refused", "discarded"})
"""A declaration that was never accepted puts no goods into a container."""


def keeps(part: Part, goods: Standing) -> bool:
    """Whether this consignment keeps its container: it lies in it, and not both the release to the public and the one to the
    gate were read. One of them alone is late, or forged."""
    if part.gone or part.word == "withdrawn" or goods.word == "withdrawn":
        return False
    if not part.word and (not part.declared or goods.declared in NOT_THERE):
        return False
    return not (part.word == "released" and goods.word == "released")


def gate_answer(
    row: Container | None,
    parts: Iterable[Part],
    goods: Mapping[str, Standing],
    parked: Iterable[str],
    fresh: bool,
    asked: Iterable[str] = (),
) -> GateAnswer:
    """The answer to a terminal. `goods`: the standing of the consignments in it; `parked`: those that are parked;
    `fresh`: the rows are not stale; `asked`: those for which a hold was asked that no desk has answered."""
    inside = [part for part in parts if not part.gone]
    if row is None or not row.word:
        held = tuple([p.consignment_id for p in inside if p.word == "held"])
        return GateAnswer(False, "held", waiting_for=held[:SHOWN]) if held else GateAnswer(False, "unknown")
    if row.word == "gated_out":
        return GateAnswer(False, "gated_out", row.gate)
    if row.word == "left_unreleased":
        return GateAnswer(False, "left_unreleased", row.reason, tuple(row.waiting_for.split()[:SHOWN]))
    if row.word == "must_stay":
        return GateAnswer(False, "held", row.reason, tuple(row.waiting_for.split()[:SHOWN]))
    held = tuple([p.consignment_id for p in inside if p.word == "held"])
    if held:
        reason = next((p.reason for p in inside if p.consignment_id == held[0]), "")
        return GateAnswer(False, "held", reason, held[:SHOWN])
    holds = tuple(asked)
    if holds:
        return GateAnswer(False, "hold_asked", waiting_for=holds[:SHOWN])
    waiting = tuple(parked)
    if waiting or row.parked:
        return GateAnswer(False, "parked", waiting_for=waiting[:SHOWN])
    if not fresh:
        return GateAnswer(False, "stale")
    standing = [(p, goods.get(p.consignment_id, Standing())) for p in inside]
    keepers = tuple([p.consignment_id for p, its in standing if keeps(p, its)])
    released = {p.consignment_id for p, its in standing if p.word == its.word == "released"}
    unknown = tuple([name for name in row.waiting_for.split() if name not in released])
    if keepers or unknown or not released:
        return GateAnswer(False, "not_released", waiting_for=(keepers or unknown)[:SHOWN])
    return GateAnswer(True, "released")
