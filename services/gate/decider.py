"""May this container leave the port? Only when every lot of the visit that is open is released; an unknown container stays.

What is heard is kept (`services.gate.box`), what follows from all of it is worked out (`services.gate.visits`), and the
differences to what was said before are said.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple, TypedDict, assert_never

from schemas.bounds import shown
from schemas.codes.iso6346 import is_well_formed, plain
from schemas.envelope import Deadline, Fact, Hearing, Request, RequestRefused, event_time, refusal
from schemas.gate import (
    MOST_SAME,
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    ContainerFindingRecorded,
    ContainerGatedOut,
    ContainerHoldLifted,
    ContainerHoldPlaced,
    ContainerMayLeave,
    ContainerMustStay,
    DepartureRetracted,
    EquipmentEventRecorded,
    EquipmentEventRetracted,
    ExitPermitted,
    GateAlarmRaised,
    GoodsTransferred,
    LiftContainerHold,
    LotStruck,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractEquipmentEvent,
    SameGoodsDeclared,
    StrikeLot,
    TransferRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.phrases import Phrase, phrase
from schemas.phrases import reason as words_of
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import Classifier, EquipmentEvent, same_word
from services.gate.box import (
    BEFORE,
    STATE,
    Box,
    ContainerHold,
    Finding,
    Part,
    Permit,
    PublishedVisit,
    Report,
    Standing,
    State,
    Yes,
    as_box,
)
from services.gate.reasons import WHY
from services.gate.same_goods import RULE_SET, lodged_again
from services.gate.visits import (
    SAME_EVENT,
    SKEW,
    Alarm,
    Answer,
    Truth,
    Visit,
    answer,
    departure_of,
    look,
    lots_in,
    unsettled,
)

__all__ = ["INITIAL", "STATE", "closed", "deadlines", "decide", "evolve"]

MOST_PARTS = 500
"""Consignments that a container is known to hold at once; a box that more declarations name is no stuffing that one could check."""
MOST_SAID = 2_400
"""Bytes of the phrases by which the release desk says why goods are held, which are kept of each consignment: more than the longest words of a
person need."""
MOST_REPORTS = 500
"""Equipment events of the visits that are kept."""
MOST_HOLDS = 64
"""Holds that may be open on one container at once."""
KEPT_VISITS = 20
"""So many closed visits are kept beside the open one."""
KEPT_FOR = timedelta(days=731)
"""And none that ended longer ago."""
MOST_RELEASES = 16
"""Times in which a consignment was released that are kept beside the latest one: it was called back after each."""
REMEMBERED = 256
"""Ids of requests and findings that stay known."""
MOST_PERMITS = 2 * MOST_PARTS
"""Permits and strikes that are kept: more than consignments are known of one container."""

Reported = RecordGateOut | RecordEquipmentEvent
Ordered = (
    RetractEquipmentEvent | RecordContainerFinding | StrikeLot | PermitExit | PlaceContainerHold | LiftContainerHold
)
Heard = ContainerHeld | ContainerFreed | Reported | Ordered
Said = (
    EquipmentEventRecorded
    | EquipmentEventRetracted
    | ContainerFindingRecorded
    | LotStruck
    | ExitPermitted
    | ContainerHoldPlaced
    | ContainerHoldLifted
    | VisitOpened
    | VisitClosed
    | ContainerMayLeave
    | ContainerMustStay
    | ContainerGatedOut
    | GateAlarmRaised
    | ContainerArrived
    | ContainerArrivalRetracted
    | GoodsTransferred
    | TransferRetracted
    | ConsignmentGatedOut
    | ConsignmentLeftUnreleased
    | DepartureRetracted
    | SameGoodsDeclared
    | RequestRefused
)

INITIAL: State = Box()


class Learned(NamedTuple):
    """What a message adds to a box; `refusal`: why it adds nothing (code, what was seen)."""

    box: Box
    refusal: tuple[str, Phrase] | None = None


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    before = _forget(as_box(state), hearing.at)
    box, why_not = learn(before, message, hearing)
    if why_not is not None:
        assert isinstance(message, Request), "only what is asked is refused"
        return (refusal(message, hearing, *why_not),)
    if box is before:
        return ()
    truth = look(box)
    answered = _answered(box, message, hearing, truth)
    return (*answered, *_changes(box, truth, message.container_no, hearing))


def learn(box: Box, message: Heard, hearing: Hearing) -> Learned:
    """The box with one more message; the same object when it is no news."""
    match message:
        case ContainerHeld() | ContainerFreed():
            return Learned(_stated(box, message, hearing))
        case RecordGateOut() | RecordEquipmentEvent():
            return _reported(box, message, hearing)
        case RetractEquipmentEvent():
            return _retracted(box, message, hearing)
        case RecordContainerFinding():
            return _found(box, message, hearing)
        case StrikeLot():
            return _struck(box, message, hearing)
        case PermitExit():
            return _permitted(box, message, hearing)
        case PlaceContainerHold() | LiftContainerHold():
            return _held(box, message, hearing)
        case _:
            assert_never(message)


# statements of the release desk


def _stated(box: Box, message: ContainerHeld | ContainerFreed, hearing: Hearing) -> Box:
    """An older statement than the one known, or about goods that left before there were visits, changes nothing. Where there
    are too many, those whose goods are not in the box any more make room."""
    name = message.consignment_id
    if name in box.gone:
        return box
    known = next((p for p in box.parts if p.consignment_id == name), None)
    if known is not None and known.version >= message.version:
        return box
    standing, said = _standing(message), _kept(message)
    if known is None and box.forgotten is not None and message.arrived_at and message.arrived_at <= box.forgotten:
        return box  # its visit is not kept any more
    if known is None and len(box.parts) >= MOST_PARTS:
        if standing == "withdrawn":
            return box
        box = _with_room(box)
        if len(box.parts) >= MOST_PARTS:
            return box if box.overfull else replace(box, overfull=True)
    stated_at = min(message.occurred_at, hearing.at)
    known_at = known.arrived_at if known and not message.arrival_retracted else None
    arrived_at = message.arrived_at or known_at
    if standing == "released" and arrived_at is None:
        arrived_at = stated_at  # a release of the release before: goods are released only when they are here
    part = Part(
        consignment_id=name,
        version=message.version,
        shared_by=message.shared_by,
        standing=standing,
        reason=shown(message.reason, breaks=True) if isinstance(message, ContainerHeld) and not said else "",
        bill=message.bill_no,
        conveyance=message.conveyance,
        direction=message.direction,
        since=min(known.since, stated_at) if known else stated_at,
        stated_at=stated_at,
        arrived_at=arrived_at,
        published_arrival=known.published_arrival if known else "",
        published_departure=known.published_departure if known else "",
        source=message.source or (known.source if known else ""),
        transferred=known.transferred if known else (),
        told_again=known.told_again if known else False,
        phrases=said,
        **_freedom(known, standing, stated_at),
    )
    yes = box.yes if standing == "released" else _over(box.yes, hearing.at, name)
    permits = _ended(box.permits, name, stated_at) if standing in ("held", "refused") else box.permits
    others = [p for p in box.parts if p.consignment_id != name]
    parts = tuple(sorted([*others, part], key=lambda p: p.consignment_id))
    return replace(box, parts=parts, yes=yes, permits=permits)


def _ended(permits: tuple[Permit, ...], name: str, at: datetime) -> tuple[Permit, ...]:
    """The permits, those for this consignment ended at `at`: what is against the goods now, their officers had not seen."""
    ends = [permit.consignment_id == name and permit.until is None for permit in permits]
    if not any(ends):
        return permits
    return tuple([replace(p, until=at) if end else p for p, end in zip(permits, ends, strict=True)])


def _over(given: tuple[Yes, ...], at: datetime, name: str = "") -> tuple[Yes, ...]:
    """The gate's words that a container may leave, ended at `at`: those for this consignment, or all."""
    ends = [y.until is None and (not name or name in y.consignments) for y in given]
    return (
        tuple([replace(y, until=at) if end else y for y, end in zip(given, ends, strict=True)]) if any(ends) else given
    )


def _with_room(box: Box) -> Box:
    """Drops what is not in the box: what was struck off or taken back before it came, then the goods of closed visits of
    which no alarm waits for a finding."""
    gone = [p for p in box.parts if p.consignment_id in box.struck or (p.standing == "withdrawn" and not p.arrived_at)]
    if gone:
        return replace(box, parts=tuple([p for p in box.parts if p not in gone]))
    truth = look(box)
    waiting = {alarm.visit for alarm in unsettled(box, truth)}
    settled = takewhile(lambda visit: visit.closed is not None and visit.id not in waiting, truth.visits)
    return _without(box, truth, list(settled))


class _Freedom(TypedDict):
    """The times in which a consignment was released, as in `Part`."""

    free_since: datetime | None
    free_until: datetime | None
    freed_before: tuple[tuple[datetime, datetime], ...]


def _freedom(known: Part | None, standing: Standing, stated_at: datetime) -> _Freedom:
    """The times in which a consignment was released, after one more statement about it. A departure may be told late, or may have
    been told before the goods were called back: it is judged by the release of its time, however many followed."""
    since, until, before = (known.free_since, known.free_until, known.freed_before) if known else (None, None, ())
    was_free = known is not None and known.standing == "released"
    if standing != "released":
        began = (since or known.stated_at) if was_free and known else since
        return _Freedom(free_since=began, free_until=stated_at if was_free else until, freed_before=before)
    if was_free and since:
        return _Freedom(free_since=since, free_until=None, freed_before=before)
    ended = ((since, until),) if since and until else ()
    return _Freedom(free_since=stated_at, free_until=None, freed_before=(*before, *ended)[-MOST_RELEASES:])


def _kept(message: ContainerHeld | ContainerFreed) -> tuple[Phrase, ...]:
    """The phrases of a statement, if the record has room for such of each consignment; else its sentence is kept."""
    if not isinstance(message, ContainerHeld):
        return ()
    size = sum([len(each.__pydantic_serializer__.to_json(each)) for each in message.phrases])
    return message.phrases if size <= MOST_SAID else ()


def _standing(message: ContainerHeld | ContainerFreed) -> Standing:
    if isinstance(message, ContainerHeld):
        return "refused" if message.refused else "held"
    return "released" if message.released else "withdrawn"


# equipment events


def _reported(box: Box, message: Reported, hearing: Hearing) -> Learned:
    if any(r.id == hearing.message_id for r in box.reports) or hearing.message_id in box.answered:
        return Learned(box)
    report = _report(message, hearing)
    if box == INITIAL and not is_well_formed(message.container_no):
        return Learned(box, ("container_malformed", phrase("no_container_number", number=message.container_no)))
    if box.forgotten is not None and report.at <= box.forgotten:
        return Learned(box, ("visit_too_old", phrase("kept_since", event=report.at, since=box.forgotten)))
    reports = box.reports
    if len(reports) >= MOST_REPORTS:
        spare = next(
            (r for r in reports if r.classifier is not Classifier.ACTUAL or r.event is EquipmentEvent.MOVED), None
        )
        if spare is None:
            return Learned(box, ("too_many_reports", phrase("reports_kept", count=len(reports))))
        reports = tuple([r for r in reports if r is not spare])
    if isinstance(message, RecordEquipmentEvent) and message.replaces:
        why_not = _not_his(box, message.replaces, message.principal)
        if why_not:
            return Learned(box, why_not)
        reports = _void(reports, {message.replaces})
    return Learned(replace(box, reports=(*reports, report)))


def _report(message: Reported, hearing: Hearing) -> Report:
    at = event_time(message.occurred_at, hearing)
    if isinstance(message, RecordGateOut):
        return Report(
            id=hearing.message_id,
            event=EquipmentEvent.GATED_OUT,
            classifier=Classifier.ACTUAL,
            at=at,
            heard=hearing.at,
            place=message.gate,
            sender=message.principal,
        )
    actual = message.classifier is Classifier.ACTUAL
    return Report(
        id=hearing.message_id,
        event=message.event,
        classifier=message.classifier,
        at=at if actual else message.occurred_at,
        heard=hearing.at,
        place=message.place,
        sender=message.principal,
        laden=message.laden,
        conveyance=message.conveyance,
        to=message.to,
        sources=_others(message.sources, message.container_no, message.event is EquipmentEvent.STUFFED),
        targets=_others(message.targets, message.container_no, message.event is EquipmentEvent.STRIPPED),
    )


def _others(numbers: tuple[str, ...], own: str, told: bool) -> tuple[str, ...]:
    """Numbers of other containers as desks write them, each once; none of an event of another kind."""
    plain_ones = dict.fromkeys([plain(shown(number, 17)) for number in numbers]) if told else {}
    return tuple([number for number in plain_ones if number and number != own])


def _not_his(box: Box, report_id: str, sender: str) -> tuple[str, Phrase] | None:
    report = next((r for r in box.reports if r.id == report_id), None)
    if report is None:
        return "report_unknown", phrase("named", name=report_id)
    if report.sender != sender:
        return "not_the_sender", phrase("told_by_another", report=report_id)
    if report.void:
        return "already_answered", phrase("counts_no_longer", report=report_id)
    return None


def _void(reports: tuple[Report, ...], names: set[str]) -> tuple[Report, ...]:
    return tuple([replace(r, void=True) if r.id in names else r for r in reports])


def _retracted(box: Box, message: RetractEquipmentEvent, hearing: Hearing) -> Learned:
    if hearing.message_id in box.answered:
        return Learned(box)
    why_not = _not_his(box, message.report_id, message.principal)
    if why_not:
        return Learned(box, why_not)
    return Learned(_noted(replace(box, reports=_void(box.reports, {message.report_id})), hearing))


# what officers decide


def _found(box: Box, message: RecordContainerFinding, hearing: Hearing) -> Learned:
    if any(f.id == hearing.message_id for f in box.findings):
        return Learned(box)
    at = event_time(message.occurred_at, hearing)
    settled = _settled(box, look(box), message.found, at)
    finding = Finding(
        id=hearing.message_id,
        at=at,
        found=message.found,
        lots=message.lots,
        settled=tuple([alarm.key for alarm in settled]),
    )
    if message.found == "inside":
        box = _still_inside(box, at)
    overfull = box.overfull and message.lots is None
    findings = (*box.findings[-REMEMBERED:], finding)
    return Learned(replace(box, findings=findings, overfull=overfull, waiting=False))


def _settled(box: Box, truth: Truth, found: str, at: datetime) -> list[Alarm]:
    """Who saw the container inside says nothing of a departure after that."""
    return [alarm for alarm in unsettled(box, truth) if found == "outside" or alarm.at <= at + SKEW]


def _still_inside(box: Box, at: datetime) -> Box:
    """The box without the reports of which alarms wait, and without those that then raise one: a departure that was told
    twice, an opening after it. A finding of the day before that it was outside was a mistake, too; an older one may be
    followed by a return that nobody told."""
    findings = tuple(
        [replace(f, void=True) if f.found == "outside" and f.at <= at <= f.at + SAME_EVENT else f for f in box.findings]
    )
    box = replace(box, findings=findings)
    while mistaken := {alarm.report for alarm in _settled(box, look(box), "inside", at)} & _counting(box):
        box = replace(box, reports=_void(box.reports, mistaken))
    return box


def _counting(box: Box) -> set[str]:
    return {r.id for r in box.reports if r.counts}


def _struck(box: Box, message: StrikeLot, hearing: Hearing) -> Learned:
    if hearing.message_id in box.answered:
        return Learned(box)
    if message.consignment_id in box.struck:
        return Learned(box, ("already_answered", phrase("struck_before", goods=message.consignment_id)))
    if all(p.consignment_id != message.consignment_id for p in box.parts):
        return Learned(box, ("lot_unknown", phrase("named", name=message.consignment_id)))
    return Learned(_noted(replace(box, struck=(*box.struck[-MOST_PERMITS:], message.consignment_id)), hearing))


def _permitted(box: Box, message: PermitExit, hearing: Hearing) -> Learned:
    if hearing.message_id in box.answered:
        return Learned(box)
    part = next((p for p in box.parts if p.consignment_id == message.consignment_id), None)
    if part is None:
        return Learned(box, ("lot_unknown", phrase("named", name=message.consignment_id)))
    if message.version is not None and message.version < part.version and part.standing in ("held", "refused"):
        seen = phrase("stated_since_seen", seen=message.version, last=part.version)
        return Learned(box, ("stated_again", seen))
    reason = shown(message.reason, breaks=True)
    permit = Permit(message.consignment_id, message.ground, hearing.at, part.version, reason)
    return Learned(_noted(replace(box, permits=(*box.permits[-MOST_PERMITS:], permit)), hearing))


def _held(box: Box, message: PlaceContainerHold | LiftContainerHold, hearing: Hearing) -> Learned:
    match message:
        case PlaceContainerHold():
            if not message.container_no or shown(message.container_no, 17) != message.container_no:
                return Learned(box, ("container_malformed", phrase("no_container_number", number=message.container_no)))
            if hearing.message_id in box.lifted or any(h.hold_id == hearing.message_id for h in box.holds):
                return Learned(box)
            if len(box.holds) >= MOST_HOLDS:
                return Learned(box, ("too_many_holds", phrase("holds_open", count=len(box.holds))))
            hold = ContainerHold(hearing.message_id, shown(message.reason, breaks=True))
            return Learned(replace(box, holds=(*box.holds, hold), yes=_over(box.yes, hearing.at)))
        case LiftContainerHold():
            if hearing.message_id in box.answered:
                return Learned(box)
            left = tuple([h for h in box.holds if h.hold_id != message.hold_id])
            if len(left) == len(box.holds):
                return Learned(box, ("hold_unknown", phrase("hold_not_open", hold=message.hold_id[:80])))
            lifted = (*box.lifted[-REMEMBERED:], message.hold_id)
            return Learned(_noted(replace(box, holds=left, lifted=lifted), hearing))
        case _:
            assert_never(message)


def _noted(box: Box, hearing: Hearing) -> Box:
    return replace(box, answered=(*box.answered[-REMEMBERED:], hearing.message_id))


def _forget(box: Box, now: datetime) -> Box:
    """Drops visits that are past keeping, with their goods, reports and findings. The same object when there are none."""
    if sum([bool(visit.how) for visit in box.visits]) <= KEPT_VISITS and (
        not box.reports or now - box.reports[0].heard <= KEPT_FOR
    ):
        return box
    truth = look(box)
    over = [v for v in truth.visits if v.closed is not None]
    drop = [v for n, v in enumerate(over) if len(over) - n > KEPT_VISITS or now - _end(v) > KEPT_FOR]
    return _without(box, truth, drop)


def _without(box: Box, truth: Truth, drop: list[Visit]) -> Box:
    """The box without these visits, the oldest that it made; the same object when there are none."""
    if not drop:
        return box
    until = max(_end(v) for v in drop)
    names, lost = {v.id for v in drop}, {p.consignment_id for v in drop for p in v.parts}
    return replace(
        box,
        parts=tuple([p for p in box.parts if p.consignment_id not in lost]),
        reports=tuple([r for r in box.reports if r.at > until]),
        findings=tuple([f for f in box.findings if f.at > until]),
        visits=tuple([visit for visit in box.visits if visit.id not in names]),
        yes=tuple([y for y in box.yes if y.visit not in names and y.since > until]),
        permits=tuple([permit for permit in box.permits if permit.consignment_id not in lost]),
        waiting=box.waiting or any(alarm.visit in names for alarm in unsettled(box, truth)),
        before=box.before and all(v.id != BEFORE for v in drop),
        forgotten=until,
    )


def _end(visit: Visit) -> datetime:
    assert visit.closed is not None, "it is closed"
    return visit.closed


# what is said


def _answered(box: Box, message: Heard, hearing: Hearing, truth: Truth) -> Iterator[Fact]:
    """The fact that a request as such comes to, from the box that it was added to."""
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
                settled=tuple([key.partition("/")[2] for key in finding.settled]),
                reason=shown(message.reason, breaks=True),
                found_by=shown(message.asked_by, 64),
            )
        case StrikeLot():
            yield LotStruck(
                container_no=number,
                occurred_at=at,
                consignment_id=message.consignment_id,
                reason=shown(message.reason, breaks=True),
                struck_by=shown(message.asked_by, 64),
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


def _changes(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """What is true now and was not said yet."""
    verdict = answer(box, truth)
    published = {visit.id: visit for visit in box.visits}
    gone, disturbed = False, False
    for visit in truth.visits:
        for fact in _of_visit(box, visit, published.get(visit.id), container_no):
            gone = gone or (isinstance(fact, ContainerGatedOut) and visit is truth.visits[-1])
            disturbed = disturbed or not isinstance(fact, VisitOpened) or visit.id in published
            yield fact
    for alarm in truth.alarms:
        if alarm.key not in box.alarms:
            disturbed = True
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
                blocks=alarm.blocks,
            )
    yield from _of_consignments(box, truth, container_no, hearing)
    yield from _again(box, truth, container_no, hearing)
    yield from _verdict(box, truth, verdict, gone, disturbed, container_no, hearing)


def _of_visit(box: Box, visit: Visit, published: PublishedVisit | None, container_no: str) -> Iterator[Fact]:
    closing = visit.closing.id if visit.closing else ""
    if visit.open:
        if (published is None and visit.opening is not None) or (published is not None and published.how):
            yield VisitOpened(
                container_no=container_no,
                occurred_at=visit.opened,
                visit=visit.id,
                place=shown(visit.opening.place if visit.opening else "", 100),
                conveyance=shown(visit.conveyance, 100),
                laden=visit.opening.laden if visit.opening else None,
            )
        return
    how, at = ended(box, visit), visit.closed
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


def ended(box: Box, visit: Visit) -> str:
    """How a closed visit ended, in the words of `VisitClosed`; `gated_out` only with everything released."""
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


def _of_consignments(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """Arrivals and departures, each under the key of its consignment."""
    placed = {p.consignment_id: visit for visit in truth.visits for p in visit.parts}
    for part in box.parts:
        visit = placed.get(part.consignment_id)
        out = departure_of(box, visit, part) if visit else ""
        published, _, report = part.published_departure.partition("/")
        closing = visit.closing.id if visit and visit.closing else ""
        if published and published != out:
            yield DepartureRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=visit.id if visit else "",
                reason=WHY["departure_wrong"],
                why="departure_wrong",
            )
        if _arrival_is_taken_back(box, truth, part, visit):
            yield ContainerArrivalRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=part.published_arrival,
            )
        for wrong in _transfers_taken_back(box, part):
            yield TransferRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=visit.id if visit else "",
                report_id=wrong,
            )
        if visit is None:
            continue
        if out == "out" and (published, report) != (out, closing):
            assert visit.closed is not None, "it left"
            yield ConsignmentGatedOut(
                consignment_id=part.consignment_id,
                occurred_at=visit.closed,
                container_no=container_no,
                released=True,
                visit=visit.id,
            )
        elif out == "left" and published != out:
            assert visit.closed is not None, "it left"
            why = _why_left(truth, part)
            yield ConsignmentLeftUnreleased(
                consignment_id=part.consignment_id,
                occurred_at=visit.closed,
                container_no=container_no,
                visit=visit.id,
                reason=WHY[why],
                why=why,
            )
        elif _arrival_is_news(part, visit):
            assert visit.opening is not None, "a report tells of it"
            yield ContainerArrived(
                consignment_id=part.consignment_id,
                occurred_at=visit.opened,
                container_no=container_no,
                visit=visit.id,
                place=shown(visit.opening.place, 100),
            )
        for stripping in _transfers_to_tell(part, visit):
            yield GoodsTransferred(
                consignment_id=part.consignment_id,
                occurred_at=stripping.at,
                container_no=container_no,
                visit=visit.id,
                targets=stripping.targets,
                lots=lots_in(visit),
                report_id=stripping.id,
            )


def _arrival_is_taken_back(box: Box, truth: Truth, part: Part, visit: Visit | None) -> bool:
    """Whether the opening that was told of these goods counts no longer, and no other tells that they came."""
    if not part.published_arrival or part.standing == "withdrawn" or (visit is not None and visit.opening is not None):
        return False
    if any(each.id == part.published_arrival and each.opening is not None for each in truth.visits):
        return False
    openings = (EquipmentEvent.DISCHARGED, EquipmentEvent.GATED_IN)
    return any(report.void and report.event in openings for report in box.reports)


def _transfers_taken_back(box: Box, part: Part) -> list[str]:
    """The strippings that were told of these goods, and whose reports count no longer."""
    void = {report.id for report in box.reports if report.void} if part.transferred else set()
    return [each for each in part.transferred if each in void]


def _again(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """Papers that stand for the same goods as another one, each told once, under the key of its consignment."""
    for again in lodged_again(box, truth):
        yield SameGoodsDeclared(
            consignment_id=again.part.consignment_id,
            occurred_at=hearing.at,
            container_no=container_no,
            others=again.others[:MOST_SAME],
            count=len(again.others),
            bill_no=shown(again.part.bill, 100),
            conveyance=shown(again.part.conveyance, 100),
            direction=again.part.direction,
            rule=again.rule,
            rule_set=RULE_SET,
        )


def _transfers_to_tell(part: Part, visit: Visit) -> list[Report]:
    """The strippings into other containers that were not told of these goods. What arrived later was not in them, and of a declaration
    that was withdrawn the release desk says nothing more: an officer counts what is in the others."""
    if part.standing == "withdrawn":
        return []
    came = part.arrived_at or visit.opened
    return [each for each in visit.transfers if came <= each.at and each.id not in part.transferred]


def _why_left(truth: Truth, part: Part) -> str:
    named = [alarm.why for alarm in truth.alarms if part.consignment_id in alarm.waiting_for]
    return named[0] if named else "found_outside"


def _arrival_is_news(part: Part, visit: Visit) -> bool:
    """Goods that were awaited have come with their box. Of a paper that was lodged later, only when it names the same call:
    it may be meant for the next one. Where the carrier had told the arrival, the terminal's word is news all the same."""
    if part.published_arrival == visit.id or part.standing not in ("held", "released"):
        return False
    if not visit.open or visit.opening is None or visit.opening.laden is False:
        return False
    if part.arrived_at is not None:
        return True
    return part.since <= visit.opening.heard or same_word(part.conveyance, visit.conveyance) is True


def _verdict(
    box: Box, truth: Truth, verdict: Answer, gone: bool, disturbed: bool, container_no: str, hearing: Hearing
) -> Iterator[ContainerMayLeave | ContainerMustStay]:
    """Changes of mind only: a container of which nothing was said must stay. A yes is said again when it is `disturbed`: who
    heard of the end of another visit must not take it for the end of this one."""
    if verdict.leave:
        visit = truth.current
        assert visit is not None, "only an open visit may end"
        last = box.yes[-1] if box.yes else None
        unchanged = box.published == "leave" and not disturbed
        if unchanged and last and (last.visit, last.consignments) == (visit.id, verdict.consignments):
            return
        yield ContainerMayLeave(
            container_no=container_no,
            occurred_at=hearing.at,
            version=box.version + 1,
            consignments=verdict.consignments,
            visit=visit.id,
            permitted=verdict.permitted,
        )
    elif box.published == "leave" and not gone:
        yield ContainerMustStay(
            container_no=container_no,
            occurred_at=hearing.at,
            version=box.version + 1,
            waiting_for=verdict.keepers,
            reason=words_of(*verdict.why),
            visit=truth.current.id if truth.current else "",
            phrases=verdict.why,
        )


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case (
            ContainerHeld()
            | ContainerFreed()
            | RecordGateOut()
            | RecordEquipmentEvent()
            | RetractEquipmentEvent()
            | RecordContainerFinding()
            | StrikeLot()
            | PermitExit()
            | PlaceContainerHold()
            | LiftContainerHold()
        ):
            return _learned(state, message, hearing)
        case _:
            return _after_fact(as_box(state), message, hearing)


def _learned(state: State, message: Heard, hearing: Hearing) -> State:
    before = _forget(as_box(state), hearing.at)
    box, why_not = learn(before, message, hearing)
    if why_not is not None or box is before:
        return state
    if box.alarms:
        still = {alarm.key for alarm in look(box).alarms}
        box = replace(box, alarms=tuple([key for key in box.alarms if key in still]))
    return box


def _after_fact(box: Box, message: Said, hearing: Hearing) -> State:
    match message:
        case ContainerMayLeave():
            yes = Yes(hearing.at, None, message.visit, message.consignments)
            given = _over(box.yes, hearing.at)
            earlier = [y for y in given if y.visit == message.visit][:-KEPT_VISITS]
            given = tuple([y for y in given if y not in earlier])
            return replace(box, version=message.version, published="leave", yes=(*given, yes))
        case ContainerMustStay():
            return replace(box, version=message.version, published="stay", yes=_over(box.yes, hearing.at))
        case ContainerGatedOut():
            left = PublishedVisit(message.visit, "gated_out", message.report_id)
            return replace(
                box, visits=_with(box.visits, left), published="gone"
            )  # of an earlier visit: a new word follows
        case VisitOpened():
            if any(visit.id == message.visit and visit.how for visit in box.visits):
                box = replace(box, yes=_over(box.yes, hearing.at))  # it goes on; another yes follows where there is one
            return replace(box, visits=_with(box.visits, PublishedVisit(message.visit)))
        case VisitClosed():
            ended_so = PublishedVisit(message.visit, message.how, message.report_id)
            return replace(box, visits=_with(box.visits, ended_so))
        case GateAlarmRaised():
            return replace(box, alarms=(*box.alarms, _key(message)))
        case GoodsTransferred() | TransferRetracted():
            known = next((p.transferred for p in box.parts if p.consignment_id == message.consignment_id), ())
            others = [report for report in known if report != message.report_id]
            added = [message.report_id] if isinstance(message, GoodsTransferred) else []
            return _mark(box, message.consignment_id, transferred=(*others, *added))
        case ContainerArrived() | ContainerArrivalRetracted():
            here = isinstance(message, ContainerArrived)
            return _mark(box, message.consignment_id, published_arrival=message.visit if here else "")
        case ConsignmentGatedOut():
            report = next((v.report for v in box.visits if v.id == message.visit), "")
            return _mark(box, message.consignment_id, published_departure=f"out/{report}")
        case ConsignmentLeftUnreleased():
            return _mark(box, message.consignment_id, published_departure="left")
        case DepartureRetracted():
            return _mark(box, message.consignment_id, published_departure="")
        case SameGoodsDeclared():
            return _mark(box, message.consignment_id, told_again=True)
        case (
            EquipmentEventRecorded()
            | EquipmentEventRetracted()
            | ContainerFindingRecorded()
            | LotStruck()
            | ExitPermitted()
            | ContainerHoldPlaced()
            | ContainerHoldLifted()
            | RequestRefused()
        ):
            return box
        case _:
            assert_never(message)


def _with(visits: tuple[PublishedVisit, ...], latest: PublishedVisit) -> tuple[PublishedVisit, ...]:
    return (*[v for v in visits if v.id != latest.id], latest)


def _mark(box: Box, name: str, **marks: str | bool | tuple[str, ...]) -> Box:
    return replace(
        box,
        parts=tuple([replace(p, **marks) if p.consignment_id == name else p for p in box.parts]),  # type: ignore[arg-type]
    )


def _key(alarm: GateAlarmRaised) -> str:
    """As `visits.Alarm.key`: an alarm is about a report, or about one consignment."""
    return f"{alarm.alarm}/{alarm.report_id or next(iter(alarm.waiting_for), '')}"


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None: a container stays as long as it must."""
    return ()


def closed(state: State) -> bool:
    """Never: containers come back."""
    return False
