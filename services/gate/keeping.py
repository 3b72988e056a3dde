"""What does the gate desk keep about a container, for how long, and what is dropped first if there is too much?"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple, TypeVar

from schemas.codes.refusals import RefusalCode
from schemas.envelope import Hearing
from schemas.phrases import Phrase
from services.gate.box import BEFORE, Box, ContainerFinding, Permit, Yes
from services.gate.visits import Truth, Visit, look, subject_of, unsettled

MOST_PARTS = 500
"""The most consignments that are kept of one container; if more declarations name it, its content cannot be checked."""
KEPT_VISITS = 20
"""The number of closed visits that are kept besides the open one."""
KEPT_FOR = timedelta(days=731)
"""A closed visit is dropped this long after its end."""
REMEMBERED = 256
"""How many ids of answered requests and findings are remembered."""
Y = TypeVar("Y", Yes, Permit)


class Learned(NamedTuple):
    """What a message adds to a box; `refusal`: why it adds nothing (code, what was seen)."""

    box: Box
    refusal: tuple[RefusalCode, Phrase] | None = None


def ended_at(at: datetime, given: tuple[Y, ...], consignment_id: str = "") -> tuple[Y, ...]:
    """These permissions of the gate or of officers, of which those in force for this consignment (by default all in force) now end
    at `at`. The same object if none ends."""
    ends = [each.until is None and (not consignment_id or each.is_for(consignment_id)) for each in given]
    if not any(ends):
        return given
    return tuple([replace(each, until=at) if end else each for each, end in zip(given, ends, strict=True)])


def with_room(box: Box) -> Box:
    """Drops goods that are not in the container: first those that were struck, or withdrawn before it came, then those of closed
    visits without an alarm that waits for a finding."""
    truth = look(box)
    inside = truth.current.parts if truth.current else []
    here = {p.consignment_id for p in (*inside, *truth.doubtful)}
    never_came = {p.consignment_id for p in box.parts if p.standing == "withdrawn" and not p.arrived_at} - here
    left = tuple([p for p in box.parts if p.consignment_id not in never_came.union(box.struck)])
    if len(left) < len(box.parts):
        return replace(box, parts=left)
    waiting = {alarm.visit for alarm in unsettled(box, truth)}
    settled = takewhile(lambda visit: visit.closed is not None and visit.id not in waiting, truth.visits)
    return _without(box, truth, list(settled))


def noted(box: Box, hearing: Hearing) -> Box:
    """The box, in which the id of this request is noted as answered."""
    return replace(box, answered=(*box.answered[-REMEMBERED:], hearing.message_id))


def forget(box: Box, now: datetime) -> Box:
    """Drops visits that need not be kept any more, with their goods, reports and findings. The same object if there are none."""
    if sum([bool(visit.how) for visit in box.visits]) <= KEPT_VISITS and (
        not box.reports or now - box.reports[0].heard <= KEPT_FOR
    ):
        return box
    truth = look(box)
    closed = [v for v in truth.visits if v.closed is not None]
    drop = [v for n, v in enumerate(closed) if len(closed) - n > KEPT_VISITS or now - _end(v) > KEPT_FOR]
    return _without(box, truth, drop)


def _without(box: Box, truth: Truth, drop: list[Visit]) -> Box:
    """The box without these visits, which are its oldest ones; the same object if there are none."""
    if not drop:
        return box
    until = max(_end(v) for v in drop)
    names, lost = {v.id for v in drop}, {p.consignment_id for v in drop for p in v.parts}
    left = [v for v in truth.visits if v.id not in names]
    kept = {v.id for v in left}
    openings = {r.id for v in left for r in v.told}  # one of them may have ended a visit that is dropped
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
    )


def _noting_dropped(finding: ContainerFinding, alarms: set[str], reports: set[str]) -> ContainerFinding:
    """The finding, which has ended `waiting` if it settled an alarm that is dropped. `alarms`: the keys of these alarms; `reports`: the ids
    of the reports that are dropped."""
    dropped = any(key in alarms or subject_of(key) in reports for key in finding.settled)
    if not dropped or "waiting" in finding.ended:
        return finding
    return replace(finding, ended=(*finding.ended, "waiting"))


def _end(visit: Visit) -> datetime:
    assert visit.closed is not None, "it is closed"
    return visit.closed
