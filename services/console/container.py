"""May this container leave, as far as the read model knows? What is unknown, parked, held or stale stays.

The gate desk's fact is the statement; this answer is only ever stricter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.console.heard import Heard, micros


@dataclass(slots=True)
class Container:
    """The row of one container, columns as in `tables.CONTAINERS`."""

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
    row.reason = body.get("reason", "")
    row.gate = body.get("gate", "")
    row.waiting_for = " ".join(body.get("waiting_for", ()))
    row.since_us = micros(body["occurred_at"])


def tell_part(row: Part, heard: Heard, body: dict[str, Any]) -> None:
    """Folds a statement of the release desk to the gate: of two, the higher version is true."""
    if body["version"] <= row.version:
        return
    row.version = body["version"]
    row.shared_by = body["shared_by"]
    row.reason = body.get("reason", "")
    row.word = "held" if heard.kind == "ContainerHeld" else "released" if body.get("released", True) else "withdrawn"


class GateAnswer(NamedTuple):
    """`reason` is a code of the catalogue of words; `detail` what was seen; `waiting_for` the consignments that keep it."""

    may_leave: bool
    reason: str
    detail: str = ""
    waiting_for: tuple[str, ...] = ()


def gate_answer(row: Container | None, parts: Iterable[Part], parked: Iterable[str], fresh: bool) -> GateAnswer:
    """The answer to a terminal. `parked`: consignments in it that are parked; `fresh`: the rows are not stale."""
    if row is None or not row.word:
        held = tuple([p.consignment_id for p in parts if p.word == "held" and not p.gone])
        return GateAnswer(False, "held", waiting_for=held) if held else GateAnswer(False, "unknown")
    if row.word == "gated_out":
        return GateAnswer(False, "gated_out", row.gate)
    if row.word == "left_unreleased":
        return GateAnswer(False, "left_unreleased", row.reason, tuple(row.waiting_for.split()))
    if row.word == "must_stay":
        return GateAnswer(False, "held", row.reason, tuple(row.waiting_for.split()))
    held = tuple([p.consignment_id for p in parts if p.word == "held" and not p.gone])
    if held:
        return GateAnswer(False, "held", next((p.reason for p in parts if p.consignment_id == held[0]), ""), held)
    waiting = tuple(parked)
    if waiting or row.parked:
        return GateAnswer(False, "parked", waiting_for=waiting)
    if not fresh:
        return GateAnswer(False, "stale")
    return GateAnswer(True, "released")
