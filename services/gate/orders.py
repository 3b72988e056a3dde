"""How does an officer's finding, permit or hold change the record of a container?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, assert_never

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.envelope import Hearing, event_time
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RetractContainerFinding,
    RetractStrike,
    StrikeLot,
)
from schemas.phrases import phrase
from services.gate.box import Box, ContainerFinding, ContainerHold, Permit
from services.gate.departures import unsettled
from services.gate.keeping import MOST_PARTS, REMEMBERED, Addition, noted, with_end
from services.gate.reports import voided
from services.gate.truth import SAME_EVENT, SKEW, Alarm, Truth, subject_of
from services.gate.visits import look

MOST_HOLDS = 64
"""How many holds may be open on one container."""
MOST_PERMITS = 2 * MOST_PARTS
"""How many permits, and how many struck consignments, are stored. This is more than the number of consignments that are
stored for one container."""


def add_finding(box: Box, message: RecordContainerFinding, hearing: Hearing) -> Addition:
    """Adds an officer's finding, with the alarms that it settles. If the container was seen inside, the reports and
    findings that contradict this become void."""
    if any(f.id == hearing.message_id for f in box.findings):
        return Addition(box)
    at = event_time(message.occurred_at, hearing).at
    ended: list[Literal["overfull", "waiting"]] = []
    if box.overfull and message.lots is not None:
        ended.append("overfull")
    if box.waiting:
        ended.append("waiting")
    finding = ContainerFinding(id=hearing.message_id, at=at, found=message.found, lots=message.lots, ended=tuple(ended))
    box = replace(box, findings=(*_remembered(box), finding))
    box = _with_effect(box, finding)
    return Addition(replace(box, overfull=box.overfull and message.lots is None, waiting=False))


def _remembered(box: Box) -> tuple[ContainerFinding, ...]:
    """Returns the latest `REMEMBERED` findings, and the earlier findings that made a stored report void and were not
    retracted. Such an earlier finding is still needed, because the void report may be a sign that the container came
    again (`visits.perhaps_came_again`). There are at most as many earlier findings as reports."""
    void = {report.id for report in box.reports if report.void}
    earlier = [f for f in box.findings[:-REMEMBERED] if void & {*f.voided, *map(subject_of, f.settled)}]
    return (*[f for f in earlier if not f.retracted], *box.findings[-REMEMBERED:])


def retract_finding(box: Box, message: RetractContainerFinding, hearing: Hearing) -> Addition:
    """Takes a wrong finding back. Its effects end, except those that a later finding has as well. Alarms that are open again are
    published again."""
    if hearing.message_id in box.answered:
        return Addition(box)
    wrong = next((f for f in box.findings if f.id == message.wrong), None)
    if wrong is None:
        return Addition(box, (RefusalCode.FINDING_UNKNOWN, phrase("named", name=message.wrong)))
    if wrong.retracted:
        return Addition(box, (RefusalCode.ALREADY_ANSWERED, phrase("counts_no_longer", report=message.wrong)))
    open_before = {alarm.key for alarm in unsettled(box, look(box))}
    names = frozenset(wrong.voided)
    if wrong.found == "inside":
        # A record of an older software version has no `voided`. The settled alarms name the reports instead.
        names |= {subject_of(key) for key in wrong.settled}
    number = box.findings.index(wrong)
    later = [f.id for f in box.findings[number + 1 :]]
    findings = list(box.findings)
    findings[number] = replace(wrong, void=True, retracted=True)
    reports = tuple([replace(r, void=False) if r.id in names else r for r in box.reports])
    box = replace(box, findings=_with_mistakes(findings), reports=reports)
    for other in [f for f in box.findings if f.id in later and not f.void]:
        box = _with_effect(box, other, names | frozenset(wrong.settled))
    overfull, waiting = _marks_back(box.findings)
    box = replace(box, overfull=box.overfull or overfull, waiting=box.waiting or waiting)
    again = {alarm.key for alarm in unsettled(box, look(box))} - open_before
    box = replace(box, alarms=tuple([key for key in box.alarms if key not in again]))
    return Addition(noted(box, hearing))


def _with_mistakes(findings: Sequence[ContainerFinding]) -> tuple[ContainerFinding, ...]:
    """Returns the findings with `void` computed anew: a finding is void if it was retracted, or if a later finding that
    was not retracted shows that it was a mistake."""
    found: list[ContainerFinding] = []
    for number, finding in enumerate(findings):
        inside = [f.at for f in findings[number + 1 :] if f.found == "inside" and not f.retracted]
        void = finding.retracted or any(_was_mistaken(finding, at, None) for at in inside)
        found.append(replace(finding, void=void))
    return tuple(found)


def _marks_back(findings: tuple[ContainerFinding, ...]) -> tuple[bool, bool]:
    """Returns whether the marks `overfull` and `waiting` of the box apply again. A mark applies again if a retracted
    finding had removed it, unless a later finding that was not retracted would have removed it, too."""
    overfull, waiting = False, False
    for finding in findings:
        if finding.retracted:
            overfull, waiting = overfull or "overfull" in finding.ended, waiting or "waiting" in finding.ended
        else:
            overfull, waiting = overfull and finding.lots is None, False
    return overfull, waiting


def _with_effect(box: Box, finding: ContainerFinding, among: frozenset[str] | None = None) -> Box:
    """Returns the box with the effects of a finding that is in it: the alarms that it settles, and the reports and findings that
    become void. `among`: if given, only these alarms, reports and findings may be affected, because only they were known when the
    finding was recorded."""
    void = _void(box)
    without = replace(box, findings=tuple([f for f in box.findings if f.id != finding.id]))
    alarms = _settled(without, look(without), finding.found, finding.at)
    settled = [alarm.key for alarm in alarms if among is None or among & {alarm.key, alarm.report}]
    if finding.found == "inside":
        box = _still_inside(box, finding.at, among)
    wrong = [name for name in _void(box) if name not in void]
    made = replace(
        finding,
        settled=tuple(dict.fromkeys((*finding.settled, *settled))),
        voided=(*finding.voided, *wrong),
    )
    return replace(box, findings=tuple([made if f.id == finding.id else f for f in box.findings]))


def _void(box: Box) -> list[str]:
    """Returns the ids of the reports and findings that no longer count."""
    return [*[r.id for r in box.reports if r.void], *[f.id for f in box.findings if f.void]]


def _settled(box: Box, truth: Truth, found: str, at: datetime) -> list[Alarm]:
    """Returns the alarms that this finding settles. If the container was seen inside, alarms about a later departure stay open."""
    return [alarm for alarm in unsettled(box, truth) if found == "outside" or alarm.at <= at + SKEW]


def _still_inside(box: Box, at: datetime, among: frozenset[str] | None) -> Box:
    """Returns the box after an officer saw the container inside at `at`. The reports behind the alarms that this
    finding settles become void. If another report (a repeated departure, or an opening after it) then raises such an
    alarm, that report becomes void, too. A finding `outside` that is at most `SAME_EVENT` older also becomes void,
    because it was a mistake. An older finding `outside` stays valid until it is retracted, because the container may
    have returned without a report. `among`: as in `_with_effect`."""
    findings = tuple([replace(f, void=f.void or _was_mistaken(f, at, among)) for f in box.findings])
    box = replace(box, findings=findings)
    while mistaken := {alarm.report for alarm in _settled(box, look(box), "inside", at)} & _counting(box, among):
        box = replace(box, reports=voided(box.reports, mistaken))
    return box


def _was_mistaken(finding: ContainerFinding, at: datetime, among: frozenset[str] | None) -> bool:
    """Returns whether the container was found outside so shortly before it was found inside at `at` that the earlier finding was a
    mistake."""
    soon = finding.found == "outside" and finding.at <= at <= finding.at + SAME_EVENT
    return soon and (among is None or finding.id in among)


def _counting(box: Box, among: frozenset[str] | None) -> set[str]:
    return {r.id for r in box.reports if r.counts and (among is None or r.id in among)}


def strike_lot(box: Box, message: StrikeLot, hearing: Hearing) -> Addition:
    """Strikes a consignment off, because an officer says that it is not in this container, whatever its declaration says."""
    if hearing.message_id in box.answered:
        return Addition(box)
    if message.consignment_id in box.struck:
        return Addition(box, (RefusalCode.ALREADY_ANSWERED, phrase("struck_before", goods=message.consignment_id)))
    if all(p.consignment_id != message.consignment_id for p in box.parts):
        return Addition(box, (RefusalCode.LOT_UNKNOWN, phrase("named", name=message.consignment_id)))
    struck = (*box.struck[-MOST_PERMITS:], message.consignment_id)
    struck_at = {name: at for name, at in box.struck_at.items() if name in struck}
    struck_at[message.consignment_id] = hearing.sent
    return Addition(noted(replace(box, struck=struck, struck_at=struck_at), hearing))


def retract_strike(box: Box, message: RetractStrike, hearing: Hearing) -> Addition:
    """Takes a wrong strike back, so that the consignment counts again. If its goods were deleted from the record meanwhile, nothing may
    leave until an officer counts the lots."""
    if hearing.message_id in box.answered:
        return Addition(box)
    if message.consignment_id not in box.struck:
        return Addition(box, (RefusalCode.LOT_UNKNOWN, phrase("named", name=message.consignment_id)))
    forgotten = all(p.consignment_id != message.consignment_id for p in box.parts)
    left = box.without_strikes((message.consignment_id,))
    return Addition(noted(replace(left, overfull=box.overfull or forgotten), hearing))


def permit_exit(box: Box, message: PermitExit, hearing: Hearing) -> Addition:
    """Lets the consignment leave through the land gate. The request is refused if the release desk has stated that the
    goods stay, and this statement is later than the one that the officer saw."""
    if hearing.message_id in box.answered:
        return Addition(box)
    part = next((p for p in box.parts if p.consignment_id == message.consignment_id), None)
    if part is None:
        return Addition(box, (RefusalCode.LOT_UNKNOWN, phrase("named", name=message.consignment_id)))
    if message.version is not None and message.version < part.version and part.standing in ("held", "refused"):
        why = phrase("stated_since_seen", seen=message.version, last=part.version)
        return Addition(box, (RefusalCode.STATED_AGAIN, why))
    reason = shown(message.reason, breaks=True)
    permit = Permit(message.consignment_id, message.ground, hearing.sent, part.version, reason)
    return Addition(noted(replace(box, permits=(*box.permits[-MOST_PERMITS:], permit)), hearing))


def hold_or_lift(box: Box, message: PlaceContainerHold | LiftContainerHold, hearing: Hearing) -> Addition:
    """Adds an officer's hold on the container, or lifts one. A repeated request changes nothing. A request is refused
    if the container number is malformed, if `MOST_HOLDS` holds are open already, or if the hold to be lifted is not
    open."""
    match message:
        case PlaceContainerHold():
            if not message.container_no or shown(message.container_no, 17) != message.container_no:
                return Addition(
                    box, (RefusalCode.CONTAINER_MALFORMED, phrase("no_container_number", number=message.container_no))
                )
            if hearing.message_id in box.lifted or any(h.hold_id == hearing.message_id for h in box.holds):
                return Addition(box)
            if len(box.holds) >= MOST_HOLDS:
                return Addition(box, (RefusalCode.TOO_MANY_HOLDS, phrase("holds_open", count=len(box.holds))))
            hold = ContainerHold(hearing.message_id, shown(message.reason, breaks=True), hearing.sent)
            return Addition(replace(box, holds=(*box.holds, hold), yes=with_end(hearing.at, box.yes)))
        case LiftContainerHold():
            if hearing.message_id in box.answered:
                return Addition(box)
            left = tuple([h for h in box.holds if h.hold_id != message.hold_id])
            if len(left) == len(box.holds):
                return Addition(box, (RefusalCode.HOLD_UNKNOWN, phrase("hold_not_open", hold=message.hold_id[:80])))
            lifted = (*box.lifted[-REMEMBERED:], message.hold_id)
            ended = [replace(h, reason="", until=hearing.at) for h in box.holds if h.hold_id == message.hold_id]
            ended_holds = (*box.ended_holds, *ended)[-MOST_HOLDS:]
            return Addition(noted(replace(box, holds=left, lifted=lifted, ended_holds=ended_holds), hearing))
        case _:
            assert_never(message)
