"""What is known of a container: its visit, the gate's last statement, reports, holds, and the consignments in it?

All facts of the gate desk about one container come in order; what the release desk tells of its parts is ordered by version.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.console.heard import Heard, micros, text, whole

OPENED, CLOSED = "opened", "closed"
GONE = frozenset({"gated_out", "left_unreleased", "left_undeclared", "empty_left_laden", CLOSED})
"""What the gate said last of a box that is not in the area."""
_LEFT = frozenset({"left_unreleased", "left_undeclared", "empty_left_laden"})
"""Alarms that say that the box left; the others speak of a box inside, or of goods that are outside already."""


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
    visit: str = ""
    place: str = ""
    visit_us: int | None = None
    visit_end: str = ""
    visit_end_us: int | None = None
    said_visit: str = ""
    departure: str = ""
    blocking: str = ""
    alarm: str = ""
    alarm_reason: str = ""
    blocked_us: int | None = None

    @property
    def open(self) -> bool:
        """A report says that it is in the area, and none that it has left since."""
        return bool(self.visit) and not self.visit_end


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
    bill_no: str = ""
    direction: str = ""
    arrived_us: int | None = None
    refused: bool = False
    ended: str = ""
    struck: bool = False
    permitted: bool = False


@dataclass(slots=True)
class Report:
    """One equipment report, columns as in `tables.CONTAINER_REPORTS`. `standing`: empty, `retracted` or `replaced`."""

    container_no: str
    report_id: str
    event: str = ""
    classifier: str = ""
    place: str = ""
    laden: str = ""
    conveyance: str = ""
    bill: str = ""
    to_place: str = ""
    replaces: str = ""
    retells: str = ""
    visit: str = ""
    reported_by: str = ""
    occurred_us: int | None = None
    recorded_us: int | None = None
    standing: str = ""


@dataclass(slots=True)
class BoxHold:
    """A hold on a container, columns as in `tables.CONTAINER_HOLDS`."""

    container_no: str
    hold_id: str
    reason: str = ""
    placed_by: str = ""
    since_us: int | None = None
    lifted: bool = False


def tell_container(row: Container, heard: Heard, body: dict[str, Any]) -> bool:
    """Folds a fact of the gate desk; False where it is not newer, and then nothing is changed anywhere."""
    if heard.sequence <= row.seq:
        return False
    row.seq = heard.sequence
    fold = _TELL.get(heard.kind)
    if fold is not None:
        fold(row, heard, body)
    return True


def _state(row: Container, word: str, body: dict[str, Any], consignments: str) -> None:
    row.word = word
    row.reason = text(body.get("reason") or "")
    row.gate = text(body.get("gate") or "")
    row.waiting_for = " ".join(body.get(consignments, ()))
    row.since_us = micros(body["occurred_at"])


def _may_leave(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    """The gate desk counts every alarm itself: where it says yes again, none of them keeps the box any more."""
    _state(row, "may_leave", body, "consignments")
    row.said_visit = text(body.get("visit") or "")
    _unblock(row, row.blocking.splitlines())


def _must_stay(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    _state(row, "must_stay", body, "waiting_for")
    row.said_visit = text(body.get("visit") or "")


def _gated_out(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    _state(row, "gated_out", body, "consignments")
    _left(row, body, "gated_out")


def _left(row: Container, body: dict[str, Any], how: str) -> None:
    row.visit = text(body.get("visit") or "") or row.visit
    row.visit_end, row.visit_end_us = how, micros(body["occurred_at"])
    row.departure = text(body.get("report_id") or "")


def _alarm(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    alarm = text(body.get("alarm") or "left_unreleased")
    if alarm in _LEFT:
        _state(row, alarm, body, "waiting_for")
        _left(row, body, alarm)
    if body.get("blocks"):
        report = text(body.get("report_id") or "") or heard.id
        row.blocking = "\n".join([*row.blocking.splitlines(), report][-MOST_BLOCKING:])
        row.alarm, row.alarm_reason = alarm, text(body["reason"])
        row.blocked_us = micros(body["occurred_at"])


def _opened(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    """What was said of this very visit goes on; what was said of another one is over."""
    visit = text(body["visit"])
    goes_on = row.word in ("may_leave", "must_stay") and row.said_visit == visit
    row.visit, row.place, row.visit_us = visit, text(body["place"]), micros(body["occurred_at"])
    row.visit_end, row.visit_end_us = "", None
    if not goes_on:
        _inside(row, body)


def _inside(row: Container, body: dict[str, Any]) -> None:
    row.word, row.reason, row.gate, row.waiting_for = OPENED, "", "", ""
    row.since_us = micros(body["occurred_at"])
    row.visit_end, row.visit_end_us = "", None
    row.departure = ""


def _closed(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    """The end of an earlier visit than the one that is known changes nothing of this one."""
    visit, how = text(body["visit"]), text(body["how"])
    if row.visit not in ("", visit):
        return
    row.visit, row.visit_end, row.visit_end_us = visit, how, micros(body["occurred_at"])
    if row.word not in GONE:
        row.word, row.reason, row.gate, row.waiting_for = CLOSED, "", "", ""
        row.since_us = row.visit_end_us


def _found(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    _unblock(row, [text(each) for each in body["settled"]] or row.blocking.splitlines())
    if body["found"] == "inside" and row.word in GONE:
        _inside(row, body)


def _retracted(row: Container, heard: Heard, body: dict[str, Any]) -> None:
    report = text(body["report_id"])
    _unblock(row, [report])
    if row.word in GONE and row.departure == report:
        _inside(row, body)


def _unblock(row: Container, reports: Iterable[str]) -> None:
    settled = set(reports)
    row.blocking = "\n".join([each for each in row.blocking.splitlines() if each not in settled])
    if not row.blocking:
        row.alarm, row.alarm_reason, row.blocked_us = "", "", None


MOST_BLOCKING = 100
"""Alarms of one box that are remembered until a finding settles them; the gate desk counts all of them itself."""
_TELL: Mapping[str, Callable[[Container, Heard, dict[str, Any]], None]] = {
    "ContainerMayLeave": _may_leave,
    "ContainerMustStay": _must_stay,
    "ContainerGatedOut": _gated_out,
    "GateAlarmRaised": _alarm,
    "VisitOpened": _opened,
    "VisitClosed": _closed,
    "ContainerFindingRecorded": _found,
    "EquipmentEventRetracted": _retracted,
}


def tell_part(row: Part, heard: Heard, body: dict[str, Any]) -> None:
    """Folds a statement of the release desk to the gate: of two, the higher version is true."""
    if body["version"] <= row.version:
        return
    row.version = whole(body["version"])
    row.shared_by = whole(body["shared_by"])
    row.reason = text(body.get("reason") or "")
    row.word = "held" if heard.kind == "ContainerHeld" else "released" if body.get("released", True) else "withdrawn"
    row.bill_no = text(body.get("bill_no") or "")
    row.direction = text(body.get("direction") or "")
    arrived = body.get("arrived_at")
    row.arrived_us = None if arrived is None else micros(arrived)
    row.refused = bool(body.get("refused"))


def report_of(container_no: str, heard: Heard, body: dict[str, Any]) -> Report:
    """The row of an equipment report, as the gate has recorded it."""
    laden = body.get("laden")
    told = {name: text(body.get(name) or "") for name in _TOLD_OF_EVENT}
    return Report(
        container_no=container_no,
        report_id=text(body["report_id"]),
        laden="" if laden is None else "laden" if laden else "empty",
        to_place=text(body.get("to") or ""),
        occurred_us=micros(body["occurred_at"]),
        recorded_us=heard.recorded_us,
        **told,
    )


_TOLD_OF_EVENT = ("event", "classifier", "place", "conveyance", "bill", "replaces", "retells", "visit", "reported_by")
