"""What is known about a container? Its visit, the gate desk's latest statement, its reports and holds, and the consignments in it.

All facts of the gate desk about one container come in order; the release desk's statements about the goods in it are ordered by version.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from schemas.envelope import FUTURE_SKEW
from schemas.vocabulary import Classifier, StayCode
from services.console.language.desk_sentences import kept
from services.console.readmodel.messages import TopicMessage, micros, text, whole

OPENED, CLOSED = "opened", "closed"
GONE = frozenset({"gated_out", "left_unreleased", "left_undeclared", "empty_left_laden", CLOSED})
"""The statements of the gate desk after which a container is not in the controlled area."""
_LEFT = frozenset({"left_unreleased", "left_undeclared", "empty_left_laden"})
"""Alarms which say that a container left. The other alarms are about a container that is inside, or about goods that are outside
already."""


@dataclass(slots=True)
class Container:
    """The row of one container; the fields are the columns of `tables.CONTAINERS`. `waiting_for`: the consignments that the gate desk's
    latest statement names. If the container must stay, they are those that keep it inside; if it may leave or has left, they are those
    that are in it."""

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
    lots: int | None = None
    conveyance: str = ""
    awaits: str = ""

    @property
    def open(self) -> bool:
        """True if a report says that the container is in the controlled area, and no later report says that it has left."""
        return bool(self.visit) and not self.visit_end


@dataclass(slots=True)
class ContainerPart:
    """The row of one consignment in one container; the fields are the columns of `tables.CONSIGNMENT_CONTAINERS`."""

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
    conveyance: str = ""
    permitted_version: int = 0

    @property
    def may_leave_by_permit(self) -> bool:
        """Returns whether an officer has permitted the exit and the release desk has published no hold since then. The gate desk, too,
        ends the permit when it reads such a hold, but perhaps later than the console."""
        held_again = self.word == "held" and 0 < self.permitted_version < self.version
        return self.permitted and not held_again


@dataclass(slots=True)
class ReportRow:
    """The row of one report of an equipment event; the fields are the columns of `tables.CONTAINER_REPORTS`. `standing`: empty,
    `retracted` or `replaced`. `disbelieved_us`: the time that the sender gave, if the gate desk did not believe it."""

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
    disbelieved_us: int | None = None


@dataclass(slots=True)
class BoxHold:
    """The row of one hold on a container; the fields are the columns of `tables.CONTAINER_HOLDS`."""

    container_no: str
    hold_id: str
    reason: str = ""
    placed_by: str = ""
    since_us: int | None = None
    lifted: bool = False


class WaitingAlarm(NamedTuple):
    """One line of `Container.blocking`: an alarm that waits for an officer's finding. `at_us`: the event time of the
    alarm; None if the line was written by an older software version, whose lines also have no `alarm` and no
    `reason`."""

    report: str
    visit: str
    alarm: str = ""
    reason: str = ""
    at_us: int | None = None

    @property
    def line(self) -> str:
        return "\t".join((self.report, self.alarm, str(self.at_us), " ".join(self.reason.split()), self.visit))


def tell_container(row: Container, message: TopicMessage, body: dict[str, Any]) -> bool:
    """Folds a fact of the gate desk into the row and returns True. If a fact with the same or a higher sequence number was folded
    before, changes nothing and returns False."""
    if message.sequence <= row.seq:
        return False
    row.seq = message.sequence
    fold = _TELL.get(message.kind)
    if fold is not None:
        fold(row, message, body)
    return True


def _state(row: Container, statement: str, body: dict[str, Any], consignments: str) -> None:
    row.word = statement
    row.reason = text(kept({"reason": "", **body}))
    row.gate = text(body.get("gate") or "")
    row.waiting_for = " ".join(body.get(consignments, ()))
    row.since_us = micros(body["occurred_at"])
    row.awaits = text(body.get("code") or "")


def _may_leave(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds the statement `ContainerMayLeave` into the row of the container, and removes all alarms from the row. The
    gate desk knows every alarm, so if it lets the container leave, no alarm keeps the container inside any more."""
    _state(row, "may_leave", body, "consignments")
    row.said_visit = text(body.get("visit") or "")
    _keep_alarms(row, [])


def _must_stay(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds the statement `ContainerMustStay` into the row of the container. If the only reason is that no visit is open,
    and the row says how the last visit ended, only alarms are removed from the row, because the end of that visit says
    more."""
    if body.get("code") in _NO_ALARM_WAITS:
        _keep_alarms(row, [])
    if body.get("code") == StayCode.NO_VISIT and row.word in GONE and not row.open:
        return
    _state(row, "must_stay", body, "waiting_for")
    row.said_visit = text(body.get("visit") or "")


def _gated_out(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    visit = text(body.get("visit") or "")
    _end_other_alarms(row, visit, text(body.get("report_id") or ""))
    if _is_latest(row, visit):
        _state(row, "gated_out", body, "consignments")
        _left(row, body, "gated_out")


def _left(row: Container, body: dict[str, Any], how: str) -> None:
    row.visit = text(body.get("visit") or "") or row.visit
    row.visit_end, row.visit_end_us = how, micros(body["occurred_at"])
    row.departure = text(body.get("report_id") or "")


def _is_latest(row: Container, visit: str) -> bool:
    """Returns whether this is the latest known visit of the container. A fact about an earlier visit may come late, and does not say
    where the container is now."""
    if not visit or visit == row.visit:
        return True
    spoken_of = row.said_visit if row.word in ("may_leave", "must_stay") else ""
    return not row.open and spoken_of in ("", visit)


def _alarm(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    alarm, visit = text(body.get("alarm") or "left_unreleased"), text(body.get("visit") or "")
    aboard = row.visit_end == "loaded" and not body.get("blocks")
    if alarm in _LEFT and not aboard and _is_latest(row, visit):
        _state(row, alarm, body, "waiting_for")
        _left(row, body, alarm)
    if body.get("blocks"):
        name = text(body.get("report_id") or "") or visit
        others = [other for other in _waiting(row) if other.report != name]
        waits = WaitingAlarm(name, visit, alarm, text(kept(body)), micros(body["occurred_at"]))
        _keep_alarms(row, [*others, waits][-MOST_BLOCKING:])


def _opened(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Begins a visit. The gate desk's last statement stays in force if it is about this visit, and ends if it is about another one."""
    visit = text(body["visit"])
    goes_on = row.word in ("may_leave", "must_stay") and row.said_visit == visit
    _end_other_alarms(row, visit, "")
    row.lots = row.lots if visit == row.visit else None
    row.visit, row.place, row.visit_us = visit, text(body["place"]), micros(body["occurred_at"])
    row.visit_end, row.visit_end_us = "", None
    row.conveyance = text(body["conveyance"])
    if not goes_on:
        _inside(row, micros(body["occurred_at"]))


def _inside(row: Container, since_us: int) -> None:
    row.word, row.reason, row.gate, row.waiting_for, row.awaits = OPENED, "", "", "", ""
    row.since_us = since_us
    row.visit_end, row.visit_end_us = "", None
    row.departure = ""


def _closed(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Ends a visit. If a later visit is known already, the row keeps its values about the later one."""
    visit, how = text(body["visit"]), text(body["how"])
    _end_other_alarms(row, visit, text(body.get("report_id") or ""))
    if not _is_latest(row, visit):
        return
    _left(row, body, how)
    if how not in _LEFT or row.word not in _LEFT:
        row.word = how if how in _LEFT else CLOSED
        row.reason, row.gate, row.waiting_for, row.since_us = "", "", "", row.visit_end_us


def _found(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds a finding on the container. Further facts say what the finding means for the visit."""
    settled = [text(each) for each in body["settled"]]
    if body["lots"] is not None:
        row.lots = whole(body["lots"])
    found_us = micros(body["occurred_at"])
    _keep_alarms(row, [a for a in _waiting(row) if a.report not in settled and _is_after(a, body["found"], found_us)])
    if body["found"] == "inside" and row.departure in settled:
        _taken_back(row, row.departure, found_us)


def _is_after(alarm: WaitingAlarm, found: str, found_us: int) -> bool:
    """Returns whether the alarm still waits after a finding that did not settle it. After a finding `inside`, an alarm waits if it is
    about a later departure, or if its time is not known. Any other alarm has ended before the finding, without a fact that says so."""
    return found == "inside" and (alarm.at_us is None or alarm.at_us > found_us + _SKEW_US)


def _finding_taken_back(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds the retraction of a finding. Further facts say which alarms wait again and which departures count again."""
    row.lots = None if body["lots"] is None else whole(body["lots"])


def _retracted(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    _taken_back(row, text(body["report_id"]), micros(body["occurred_at"]))


def _recorded(row: Container, message: TopicMessage, body: dict[str, Any]) -> None:
    if replaced := text(body.get("replaces") or ""):
        # If this report is of an estimated or planned event, its event time has not come. So the effect of the replaced
        # report ends at the recorded time of this report.
        happened = body["classifier"] == Classifier.ACTUAL
        _taken_back(row, replaced, micros(body["occurred_at"]) if happened else message.recorded_us)
    if body.get("retells") and body["event"] in _OPENINGS and body.get("visit") == row.visit:
        row.conveyance = text(body.get("conveyance") or "") or row.conveyance


def _taken_back(row: Container, report: str, at_us: int) -> None:
    """Removes the effect of a report that was retracted or replaced: the departure that it reported, or the visit that
    it opened. `at_us`: the time since which the report has no effect (microseconds since 1970 UTC)."""
    _end_alarms(row, [report])
    if row.visit == report:
        row.visit, row.place, row.visit_end, row.departure = "", "", "", ""
        row.visit_us = row.visit_end_us = None
        if row.word == OPENED or row.word in GONE:
            row.word, row.reason, row.gate, row.waiting_for = "", "", "", ""
    elif row.word in GONE and row.departure == report:
        _inside(row, at_us)


def _waiting(row: Container) -> list[WaitingAlarm]:
    """Returns the alarms of the container that wait for an officer's finding, the oldest first."""
    alarms: list[WaitingAlarm] = []
    for line in row.blocking.splitlines():
        report, *more, visit = line.split("\t")
        if len(more) == 3 and more[1].lstrip("-").isdecimal():
            alarms.append(WaitingAlarm(report, visit, more[0], more[2], int(more[1])))
        else:
            alarms.append(WaitingAlarm(report, visit))
    return alarms


def _keep_alarms(row: Container, alarms: Sequence[WaitingAlarm]) -> None:
    """Writes these alarms into the row, as those that wait. The row names the latest of them."""
    row.blocking = "\n".join(
        [alarm.line if alarm.at_us is not None else f"{alarm.report}\t{alarm.visit}" for alarm in alarms]
    )
    if not alarms:
        row.alarm, row.alarm_reason, row.blocked_us = "", "", None
    elif alarms[-1].at_us is not None:
        row.alarm, row.alarm_reason, row.blocked_us = alarms[-1].alarm, alarms[-1].reason, alarms[-1].at_us


def _end_other_alarms(row: Container, visit: str, report: str) -> None:
    """Updates the waiting alarms after this visit was opened, or was ended by `report`. `report` is empty if the visit is open, or if
    something other than a report ended it. Alarms of this visit about other reports no longer wait. An alarm about `report` is now an
    alarm of this visit."""
    of_visit = [a._replace(visit=visit) if report and a.report == report else a for a in _waiting(row)]
    _keep_alarms(row, [a for a in of_visit if a.visit != visit or (report and a.report == report)])


def _end_alarms(row: Container, reports: Collection[str]) -> None:
    """Removes the alarms that these reports raised."""
    _keep_alarms(row, [alarm for alarm in _waiting(row) if alarm.report not in reports])


_SKEW_US = FUTURE_SKEW // timedelta(microseconds=1)
"""By how much clocks may differ. The gate desk uses the same value when it settles alarms."""
_NO_ALARM_WAITS = frozenset(StayCode) - {StayCode.ALARM}
"""If a `ContainerMustStay` has one of these codes, all alarms are removed from the row. If an alarm waits, even one of a visit that the
gate desk does not store any more, the gate desk names the alarm, and none of these causes."""
_OPENINGS = ("DISC", "GTIN")
MOST_BLOCKING = 100
"""The most waiting alarms that the row of a container lists. If there are more, the oldest are left out of the row. The gate desk itself
takes all of them into account."""
_TELL: Mapping[str, Callable[[Container, TopicMessage, dict[str, Any]], None]] = {
    "ContainerMayLeave": _may_leave,
    "ContainerMustStay": _must_stay,
    "ContainerGatedOut": _gated_out,
    "GateAlarmRaised": _alarm,
    "VisitOpened": _opened,
    "VisitClosed": _closed,
    "ContainerFindingRecorded": _found,
    "ContainerFindingRetracted": _finding_taken_back,
    "EquipmentEventRecorded": _recorded,
    "EquipmentEventRetracted": _retracted,
}


def tell_part(row: ContainerPart, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds a statement of the release desk to the gate about these goods. The statement with the highest version is in force, so one
    with the same or a lower version changes nothing."""
    if body["version"] <= row.version:
        return
    row.version = whole(body["version"])
    row.shared_by = whole(body["shared_by"])
    row.reason = text(kept({"reason": "", **body}))
    row.word = "held" if message.kind == "ContainerHeld" else "released" if body.get("released", True) else "withdrawn"
    row.bill_no = text(body.get("bill_no") or "")
    row.direction = text(body.get("direction") or "")
    row.conveyance = text(body.get("conveyance") or "")
    arrived = body.get("arrived_at")
    row.arrived_us = None if arrived is None else micros(arrived)
    row.refused = bool(body.get("refused"))


def report_of(container_no: str, message: TopicMessage, body: dict[str, Any]) -> ReportRow:
    """Returns the row of a report of an equipment event. `message` and `body`: the fact by which the gate desk recorded the report, and
    its content."""
    laden, disbelieved = body.get("laden"), body.get("disbelieved_time")
    texts = {name: text(body.get(name) or "") for name in _TEXTS_OF_EVENT}
    return ReportRow(
        container_no=container_no,
        report_id=text(body["report_id"]),
        laden="" if laden is None else "laden" if laden else "empty",
        to_place=text(body.get("to") or ""),
        occurred_us=micros(body["occurred_at"]),
        recorded_us=message.recorded_us,
        disbelieved_us=None if disbelieved is None else micros(disbelieved),
        **texts,
    )


_TEXTS_OF_EVENT = ("event", "classifier", "place", "conveyance", "bill", "replaces", "retells", "visit", "reported_by")
