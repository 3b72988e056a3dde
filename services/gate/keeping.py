"""What does the gate desk store about a container, for how long, and what is deleted first if there is too much?"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple, TypeVar

from schemas.codes.refusals import RefusalCode
from schemas.envelope import Hearing
from schemas.phrases import Phrase
from services.gate.box import BEFORE, Box, ContainerFinding, Permit, Yes
from services.gate.departures import unsettled
from services.gate.truth import Truth, Visit, subject_of
from services.gate.visits import look

MOST_PARTS = 500
"""The most consignments that are stored for one container. If more declarations name it, its content cannot be checked."""
KEPT_VISITS = 20
"""How many closed visits are stored besides the open one, and how many earlier yeses are stored for one visit."""
KEPT_FOR = timedelta(days=731)
"""How long after its end a closed visit is stored."""
REMEMBERED = 256
"""How many ids of answered requests, and how many findings, are remembered besides the newest."""
Y = TypeVar("Y", Yes, Permit)


class Addition(NamedTuple):
    """The box after a message, and why the message is refused (a code, and a phrase with the values); None if it is not refused."""

    box: Box
    refusal: tuple[RefusalCode, Phrase] | None = None


def with_end(at: datetime, permissions: tuple[Y, ...], consignment_id: str = "") -> tuple[Y, ...]:
    """Returns these permissions of the gate or of officers, in which those that are in force end at the time `at`. `consignment_id`: if
    it is given, only those for this consignment end. Returns the same object if none ends."""
    ends = [each.until is None and (not consignment_id or each.is_for(consignment_id)) for each in permissions]
    if not any(ends):
        return permissions
    return tuple([replace(each, until=at) if end else each for each, end in zip(permissions, ends, strict=True)])


def with_room(box: Box) -> Box:
    """Returns the box after some goods were dropped to make room. Goods that were struck, or withdrawn before the container came, are
    dropped first. If there are none, the goods of the oldest closed visits are dropped, up to the first visit with an alarm that waits
    for a finding."""
    truth = look(box)
    inside = truth.current.parts if truth.current else []
    here = {p.consignment_id for p in (*inside, *truth.doubtful)}
    never_came = {p.consignment_id for p in box.parts if p.standing == "withdrawn" and not p.arrived_at} - here
    dropped = never_came.union(box.struck)
    left = tuple([p for p in box.parts if p.consignment_id not in dropped])
    if len(left) < len(box.parts):
        return replace(box, parts=left)
    waiting = {alarm.visit for alarm in unsettled(box, truth)}
    settled = takewhile(lambda visit: visit.closed is not None and visit.id not in waiting, truth.visits)
    return _without(box, truth, list(settled))


def noted(box: Box, hearing: Hearing) -> Box:
    """Returns the box with the id of this request among the answered ones."""
    return replace(box, answered=(*box.answered[-REMEMBERED:], hearing.message_id))


def forget(box: Box, now: datetime) -> Box:
    """Returns the box without visits that need not be stored any more, and without their goods, reports and findings. Returns the same
    object if there are none."""
    if sum([bool(visit.how) for visit in box.visits]) <= KEPT_VISITS and (
        not box.reports or now - box.reports[0].heard <= KEPT_FOR
    ):
        return box
    truth = look(box)
    closed = [v for v in truth.visits if v.closed is not None]
    drop = [v for n, v in enumerate(closed) if len(closed) - n > KEPT_VISITS or now - _end(v) > KEPT_FOR]
    return _without(box, truth, drop)


def _without(box: Box, truth: Truth, drop: list[Visit]) -> Box:
    """Returns the box without these visits, which are its oldest ones. Returns the same object if there are none."""
    if not drop:
        return box
    until = max(_end(v) for v in drop)
    names, lost = {v.id for v in drop}, {p.consignment_id for v in drop for p in v.parts}
    left = [v for v in truth.visits if v.id not in names]
    kept = {v.id for v in left}
    # The opening of a kept visit stays, even if it has the time `until` because it ended a dropped visit.
    openings = {r.id for v in left for r in v.openings}
    reports = tuple([r for r in box.reports if r.at > until or r.id in openings])
    alarms = {alarm.key for alarm in truth.alarms if alarm.blocks and alarm.visit in names}
    dropped = {r.id for r in box.reports} - {r.id for r in reports}
    return replace(
        box,
        parts=tuple([p for p in box.parts if p.consignment_id not in lost]),
        reports=reports,
        findings=tuple([_noting_dropped(f, alarms, dropped) for f in box.findings if f.at > until]),
        visits=tuple([visit for visit in box.visits if visit.id in kept]),
        yes=tuple([y for y in box.yes if y.visit not in names and y.since > until]),
        permits=tuple([permit for permit in box.permits if permit.consignment_id not in lost]),
        waiting=box.waiting or any(alarm.visit in names for alarm in unsettled(box, truth)),
        before=box.before and all(v.id != BEFORE for v in drop),
        forgotten=until,
        ended_holds=tuple([hold for hold in box.ended_holds if hold.until is None or hold.until > until]),
    )


def _noting_dropped(finding: ContainerFinding, alarms: set[str], reports: set[str]) -> ContainerFinding:
    """Returns the finding. If it settled an alarm that is deleted now, `waiting` is added to the marks that it has
    ended, so that the box waits again if the finding is retracted. `alarms`: the keys of the deleted alarms; `reports`:
    the ids of the deleted reports."""
    dropped = any(key in alarms or subject_of(key) in reports for key in finding.settled)
    if not dropped or "waiting" in finding.ended:
        return finding
    return replace(finding, ended=(*finding.ended, "waiting"))


def _end(visit: Visit) -> datetime:
    assert visit.closed is not None, "it is closed"
    return visit.closed
