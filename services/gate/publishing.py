"""Which facts does the gate desk publish after a message? It publishes everything that is true now and was not
published yet."""

from collections.abc import Iterator
from typing import assert_never

from schemas.bounds import shown
from schemas.envelope import Fact, Hearing, event_time
from schemas.gate import (
    ContainerFindingRecorded,
    ContainerFindingRetracted,
    ContainerGatedOut,
    ContainerHoldLifted,
    ContainerHoldPlaced,
    ContainerMayLeave,
    ContainerMustStay,
    EquipmentEventRecorded,
    EquipmentEventRetracted,
    ExitPermitted,
    GateAlarmRaised,
    LiftContainerHold,
    LotStruck,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    StrikeLot,
    StrikeRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.phrases import phrase, reason
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import StayCode
from services.gate.box import Box, PublishedVisit
from services.gate.consignments import facts_of_consignments, facts_of_same_goods
from services.gate.departures import departure_of, unsettled
from services.gate.may_leave import Answer, answer, counted
from services.gate.messages import Input
from services.gate.reports import time_of
from services.gate.truth import Truth, Visit, subject_of

DESK = "gate"
"""The value of `retracted_by` in a fact about a strike that this desk ended."""


def reply_to_request(box: Box, message: Input, hearing: Hearing, truth: Truth) -> Iterator[Fact]:
    """Yields the fact that answers a request. `box` and `truth` already include the request. A statement of
    the release desk has no such answer."""
    number, at = message.container_no, hearing.at
    match message:
        case RecordGateOut() | RecordEquipmentEvent():
            report = box.reports[-1]
            full = message if isinstance(message, RecordEquipmentEvent) else None
            yield EquipmentEventRecorded(
                container_no=number,
                occurred_at=report.at,
                report_id=report.id,
                event=report.event,
                classifier=report.classifier,
                place=shown(report.place, 100),
                laden=report.laden,
                conveyance=shown(report.conveyance, 100),
                bill=shown(full.bill, 100) if full else "",
                to=shown(report.to, 100),
                replaces=full.replaces if full else "",
                retells=truth.retells.get(report.id, ""),
                visit=truth.belongs.get(report.id, ""),
                reported_by=shown(message.asked_by, 64),
                sources=report.sources,
                targets=report.targets,
                disbelieved_time=time_of(message, hearing).disbelieved,
            )
        case RetractEquipmentEvent():
            yield EquipmentEventRetracted(
                container_no=number,
                occurred_at=at,
                report_id=message.report_id,
                reason=shown(message.reason, breaks=True),
                retracted_by=shown(message.asked_by, 64),
            )
        case RecordContainerFinding():
            finding = box.findings[-1]
            yield ContainerFindingRecorded(
                container_no=number,
                occurred_at=finding.at,
                found=finding.found,
                lots=finding.lots,
                settled=tuple([subject_of(key) for key in finding.settled]),
                reason=shown(message.reason, breaks=True),
                found_by=shown(message.asked_by, 64),
                disbelieved_time=event_time(message.occurred_at, hearing).disbelieved,
            )
        case RetractContainerFinding():
            yield ContainerFindingRetracted(
                container_no=number,
                occurred_at=at,
                wrong=message.wrong,
                lots=counted(box, truth.current) if truth.current else None,
                reason=shown(message.reason, breaks=True),
                retracted_by=shown(message.asked_by, 64),
            )
        case StrikeLot():
            yield LotStruck(
                container_no=number,
                occurred_at=at,
                consignment_id=message.consignment_id,
                reason=shown(message.reason, breaks=True),
                struck_by=shown(message.asked_by, 64),
            )
        case RetractStrike():
            yield StrikeRetracted(
                container_no=number,
                occurred_at=at,
                consignment_id=message.consignment_id,
                reason=shown(message.reason, breaks=True),
                retracted_by=shown(message.asked_by, 64),
            )
        case PermitExit():
            yield ExitPermitted(
                container_no=number,
                occurred_at=at,
                consignment_id=message.consignment_id,
                ground=message.ground,
                reason=shown(message.reason, breaks=True),
                permitted_by=shown(message.asked_by, 64),
                version=box.permits[-1].version,
                version_seen=message.version,
                visit=truth.current.id if truth.current else "",
            )
        case PlaceContainerHold():
            yield ContainerHoldPlaced(
                container_no=number,
                occurred_at=at,
                hold_id=hearing.message_id,
                reason=shown(message.reason, breaks=True),
                placed_by=shown(message.asked_by, 64),
            )
        case LiftContainerHold():
            yield ContainerHoldLifted(
                container_no=number,
                occurred_at=at,
                hold_id=message.hold_id,
                reason=shown(message.reason, breaks=True),
                lifted_by=shown(message.asked_by, 64),
            )
        case ContainerHeld() | ContainerFreed():
            pass
        case _:
            assert_never(message)


def facts_of_ended_strikes(names: tuple[str, ...], container_no: str, hearing: Hearing) -> Iterator[StrikeRetracted]:
    """Yields a fact for each of these consignments, because this desk itself ended their strikes
    (`visits.strikes_ended`)."""
    why = phrase("came_with_it")
    for name in names:
        yield StrikeRetracted(
            container_no=container_no,
            occurred_at=hearing.at,
            consignment_id=name,
            reason=reason(why),
            retracted_by=DESK,
            phrases=(why,),
        )


def changes(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """Yields the facts that are true after a message and were not published before. `box` and `truth` include the
    message, but the fields of `box` about published facts (such as `visits` and `alarms`) are as they were before
    it."""
    verdict = answer(box, truth)
    published = {visit.id: visit for visit in box.visits}
    left_now, disturbed, code = False, False, box.published_code
    ended_anew: set[str] = set()
    for visit in truth.visits:
        for fact in _of_visit(box, visit, published.get(visit.id), container_no):
            left_now = left_now or (isinstance(fact, ContainerGatedOut) and visit is truth.visits[-1])
            code = code if isinstance(fact, VisitOpened) else ""
            disturbed = disturbed or not isinstance(fact, VisitOpened) or visit.id in published
            # Readers assume that an alarm about an earlier end of this visit is over. So alarms that still wait are
            # published again.
            was = published.get(visit.id)
            if was is None or (visit.closing is not None and was.report != visit.closing.id):
                ended_anew.add(visit.id)
            yield fact
    waiting = {alarm.key for alarm in unsettled(box, truth)}
    for alarm in truth.alarms:
        waits = alarm.key in waiting
        if alarm.key not in box.alarms or (waits and (alarm.key in box.mild or alarm.visit in ended_anew)):
            disturbed, code = True, StayCode.ALARM if waits else code
            yield GateAlarmRaised(
                container_no=container_no,
                occurred_at=alarm.at,
                gate=shown(alarm.gate, 100),
                waiting_for=alarm.waiting_for,
                reason=alarm.reason,
                why=alarm.why,
                alarm=alarm.alarm,
                visit=alarm.visit,
                report_id=alarm.report,
                blocks=waits,
            )
    yield from facts_of_consignments(box, truth, container_no, hearing)
    yield from facts_of_same_goods(box, truth, container_no, hearing)
    yield from _verdict(box, truth, verdict, code, disturbed, left_now, container_no, hearing)


def _of_visit(box: Box, visit: Visit, published: PublishedVisit | None, container_no: str) -> Iterator[Fact]:
    closing = visit.closing.id if visit.closing else ""
    if visit.open:
        # Readers take the visit that was opened last for the open one, even if the desk has found since that there was
        # no such visit. In this case the visit that is open is published again.
        outdated = published is not None and (bool(published.how) or _another_is_open(box, visit.id))
        if outdated or (published is None and visit.opening is not None):
            yield VisitOpened(
                container_no=container_no,
                occurred_at=visit.opened,
                visit=visit.id,
                place=shown(visit.opening.place if visit.opening else "", 100),
                conveyance=shown(visit.conveyance, 100),
                laden=visit.opening.laden if visit.opening else None,
            )
        return
    how, at = how_ended(box, visit), visit.closed
    assert at is not None, "it is closed"
    if published is not None and (published.how, published.report) == (how, closing):
        return
    names = tuple([p.consignment_id for p in visit.parts])
    if how == "gated_out":
        yield ContainerGatedOut(
            container_no=container_no,
            occurred_at=at,
            gate=shown(visit.closing.place if visit.closing else "", 100),
            consignments=tuple([p.consignment_id for p in visit.parts if departure_of(box, visit, p) == "out"]),
            visit=visit.id,
            report_id=closing,
        )
    else:
        yield VisitClosed(
            container_no=container_no,
            occurred_at=at,
            visit=visit.id,
            how=how,
            consignments=names,
            report_id=closing,
        )


def _another_is_open(box: Box, visit_id: str) -> bool:
    """Returns whether another visit than this one was published as open, and not as ended."""
    return any(visit.id != visit_id and not visit.how for visit in box.visits)


def how_ended(box: Box, visit: Visit) -> str:
    """Returns how a closed visit ended, in the words of `VisitClosed`. It is `gated_out` only if all goods were
    allowed to leave."""
    match visit.how:
        case "gated_out":
            out = all(departure_of(box, visit, p) != "left" for p in visit.parts)
            return "gated_out" if visit.parts and out and visit.allowed is not None else "left_unreleased"
        case "stray":
            return "left_unreleased"
        case "came_back_empty":
            return "gated_out" if visit.parts else "departure_not_reported"
        case "loaded" | "left_empty" | "departure_not_reported" | "finding" | "":
            return visit.how


def _verdict(
    box: Box,
    truth: Truth,
    verdict: Answer,
    code: str,
    disturbed: bool,
    left_now: bool,
    container_no: str,
    hearing: Hearing,
) -> Iterator[ContainerMayLeave | ContainerMustStay]:
    """Yields the gate's answer if it differs from what was published. `code`: the code that was published last, in this
    turn or before.

    `disturbed`: whether alarms or facts about visits are published just before the answer. If so, an unchanged yes is
    published again, because a reader could take the end of another visit for the end of this one. `left_now`: whether a
    departure is published just before the answer. If so, no visit is open, and a no is not needed.
    """
    if not verdict.leave:
        if not left_now and _must_be_published(box, verdict.code, code):
            yield _no(box, truth, verdict, container_no, hearing)
    elif disturbed or not _is_published(box, truth, verdict):
        yield _yes(box, truth, verdict, container_no, hearing)


def _is_published(box: Box, truth: Truth, verdict: Answer) -> bool:
    """Returns whether the answer that was published last is a yes for the same visit and the same consignments."""
    last = box.yes[-1] if box.yes and box.published == "leave" else None
    return last is not None and (last.visit, last.consignments) == (_open(truth).id, verdict.consignments)


def _must_be_published(box: Box, now: StayCode | None, published: str) -> bool:
    """Returns whether this no must be published. `now`: what the container waits for. `published`: the code that was
    published last, in this turn or before; empty if no code was published.

    A container must stay while nothing was published about it. What it usually waits for follows from other facts: its
    goods are not released, or it is not there. So a no is published only in four cases: after a yes, in place of a
    code that no longer applies, if no other fact tells readers that an officer's count is awaited, or if the last alarm
    that waited for a finding has ended without one.
    """
    if box.published == "leave":
        return True
    settled = {key for finding in box.findings for key in finding.settled}
    ended = bool(set(box.alarms) - set(box.mild) - settled) and now is not StayCode.ALARM
    return now != published and (bool(published) or now is StayCode.TO_BE_COUNTED or ended)


def _open(truth: Truth) -> Visit:
    assert truth.current is not None, "only an open visit may end"
    return truth.current


def _yes(box: Box, truth: Truth, verdict: Answer, container_no: str, hearing: Hearing) -> ContainerMayLeave:
    return ContainerMayLeave(
        container_no=container_no,
        occurred_at=hearing.at,
        version=box.version + 1,
        consignments=verdict.consignments,
        visit=_open(truth).id,
        permitted=verdict.permitted,
    )


def _no(box: Box, truth: Truth, verdict: Answer, container_no: str, hearing: Hearing) -> ContainerMustStay:
    code = verdict.code
    assert code is not None, "it waits for something"
    return ContainerMustStay(
        container_no=container_no,
        occurred_at=hearing.at,
        version=box.version + 1,
        waiting_for=verdict.keepers,
        reason=reason(*verdict.why),
        visit=truth.current.id if truth.current else "",
        phrases=verdict.why,
        code=code,
        owner=code.owner,
    )
