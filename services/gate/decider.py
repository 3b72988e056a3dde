"""May this container leave the port? Only if every lot of the open visit is released. A container that is not known stays.

Each message is added to the record (`services.gate.box`, by `statements`, `reports` and `orders`). The visits and the
answer are then computed from the whole record (`services.gate.visits`). Everything that differs from what was published
before is published (`services.gate.saying`).
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from schemas.envelope import Deadline, Fact, Hearing, Request, RequestRefused, refuse
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    ContainerFindingRecorded,
    ContainerFindingRetracted,
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
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    SameGoodsDeclared,
    StrikeLot,
    StrikeRetracted,
    TransferRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import StayCode
from services.gate.box import STATE, Box, PublishedVisit, State, Yes, as_box
from services.gate.keeping import KEPT_VISITS, Learned, ended_at, forget
from services.gate.messages import Input, Output
from services.gate.orders import add_finding, hold_or_lift, permit_exit, strike_lot, take_finding_back, take_strike_back
from services.gate.reports import add_report, take_report_back
from services.gate.saying import answers, changes, end_strikes
from services.gate.statements import add_statement
from services.gate.visits import look, strikes_ended, unsettled

__all__ = ["INITIAL", "STATE", "Input", "closed", "deadlines", "decide", "evolve"]

INITIAL: State = Box()


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    before = forget(as_box(state), hearing.at)
    box, why_not = learn(before, message, hearing)
    if why_not is not None:
        assert isinstance(message, Request), "only what is asked is refused"
        return refuse(message, hearing, *why_not)
    if box is before:
        return ()
    truth = look(box)
    ended = strikes_ended(box, truth)
    if ended:
        box = box.without_strikes(ended)
        truth = look(box)
    return (
        *answers(box, message, hearing, truth),
        *end_strikes(ended, message.container_no, hearing),
        *changes(box, truth, message.container_no, hearing),
    )


def learn(box: Box, message: Input, hearing: Hearing) -> Learned:
    """Returns the box with this message added, or why the message is refused. Returns the same object if the message
    changes nothing."""
    match message:
        case ContainerHeld() | ContainerFreed():
            return Learned(add_statement(box, message, hearing))
        case RecordGateOut() | RecordEquipmentEvent():
            return add_report(box, message, hearing)
        case RetractEquipmentEvent():
            return take_report_back(box, message, hearing)
        case RecordContainerFinding():
            return add_finding(box, message, hearing)
        case RetractContainerFinding():
            return take_finding_back(box, message, hearing)
        case StrikeLot():
            return strike_lot(box, message, hearing)
        case RetractStrike():
            return take_strike_back(box, message, hearing)
        case PermitExit():
            return permit_exit(box, message, hearing)
        case PlaceContainerHold() | LiftContainerHold():
            return hold_or_lift(box, message, hearing)
        case _:
            assert_never(message)


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    match message:
        case (
            ContainerHeld()
            | ContainerFreed()
            | RecordGateOut()
            | RecordEquipmentEvent()
            | RetractEquipmentEvent()
            | RecordContainerFinding()
            | RetractContainerFinding()
            | StrikeLot()
            | RetractStrike()
            | PermitExit()
            | PlaceContainerHold()
            | LiftContainerHold()
        ):
            return _learned(state, message, hearing)
        case _:
            return _after_fact(as_box(state), message, hearing)


def _learned(state: State, message: Input, hearing: Hearing) -> State:
    before = forget(as_box(state), hearing.at)
    box, why_not = learn(before, message, hearing)
    if why_not is not None or box is before:
        return state
    if box.struck_at:
        box = box.without_strikes(strikes_ended(box, look(box)))
    if box.alarms:
        truth = look(box)
        known, waiting = {alarm.key for alarm in truth.alarms}, {alarm.key for alarm in unsettled(box, truth)}
        alarms = tuple([key for key in box.alarms if key in known])
        mild = tuple([key for key in alarms if key in box.mild or key not in waiting])
        box = replace(box, alarms=alarms, mild=mild)
    return box


def _after_fact(box: Box, message: Output, hearing: Hearing) -> State:
    match message:
        case ContainerMayLeave():
            yes = Yes(hearing.at, None, message.visit, message.consignments)
            given = ended_at(hearing.at, box.yes)
            earlier = [y for y in given if y.visit == message.visit][:-KEPT_VISITS]
            given = tuple([y for y in given if y not in earlier])
            return replace(box, version=message.version, published="leave", yes=(*given, yes), code="")
        case ContainerMustStay():
            yeses = ended_at(hearing.at, box.yes)
            return replace(box, version=message.version, published="stay", yes=yeses, code=message.code)
        case ContainerGatedOut():
            left = PublishedVisit(message.visit, "gated_out", message.report_id)
            # The visit that ended may be an earlier one. If the last published answer was yes, the same decision also
            # publishes the answer for the open visit. That answer replaces `gone`.
            return replace(box, visits=_with(box.visits, left), published="gone", code="")
        case VisitOpened():
            if any(visit.id == message.visit and visit.how for visit in box.visits):
                # The visit was published as ended, so readers no longer count the yes that was published for it. But
                # the visit is open after all. So that yes ends here, too, and a new yes is published.
                box = replace(box, yes=ended_at(hearing.at, box.yes))
            # at most one visit is open, so another one that was published as open no longer exists
            ended = tuple([visit for visit in box.visits if visit.how])
            return replace(box, visits=_with(ended, PublishedVisit(message.visit)))
        case VisitClosed():
            ended_so = PublishedVisit(message.visit, message.how, message.report_id)
            return replace(box, visits=_with(box.visits, ended_so), code="")
        case GateAlarmRaised():
            key = _key(message)
            alarms = tuple([each for each in box.alarms if each != key])
            mild = tuple([each for each in box.mild if each != key])
            if message.blocks:
                return replace(box, alarms=(*alarms, key), mild=mild, code=StayCode.ALARM)
            return replace(box, alarms=(*alarms, key), mild=(*mild, key))
        case GoodsTransferred() | TransferRetracted():
            known = next((p.transferred for p in box.parts if p.consignment_id == message.consignment_id), ())
            others = [report for report in known if report != message.report_id]
            added = [message.report_id] if isinstance(message, GoodsTransferred) else []
            return _mark(box, message.consignment_id, transferred=(*others, *added))
        case ContainerArrived() | ContainerArrivalRetracted():
            return _arrival_told(box, message)
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
            | ContainerFindingRetracted()
            | LotStruck()
            | StrikeRetracted()
            | ExitPermitted()
            | ContainerHoldPlaced()
            | ContainerHoldLifted()
            | RequestRefused()
        ):
            return box
        case _:
            assert_never(message)


def _with(visits: tuple[PublishedVisit, ...], latest: PublishedVisit) -> tuple[PublishedVisit, ...]:
    """Returns these visits with `latest`. A report ends one visit only, so another visit that was published as ended by
    the report of `latest` no longer counts as published."""
    others = [v for v in visits if v.id != latest.id and (not v.report or v.report != latest.report)]
    return (*others, latest)


def _arrival_told(box: Box, message: ContainerArrived | ContainerArrivalRetracted) -> Box:
    part = next((p for p in box.parts if p.consignment_id == message.consignment_id), None)
    if part is None:
        return box
    if isinstance(message, ContainerArrivalRetracted):
        wrong = part.told_at or part.wrong_at
        return _mark(box, message.consignment_id, published_arrival="", told_at=None, wrong_at=wrong)
    told_at = part.told_at
    if part.arrived_at == message.occurred_at and not part.arrival_is_the_gates:
        told_at = None  # another report had already given this time
    elif part.arrived_at is None or part.arrived_at != told_at:
        told_at = message.occurred_at
    return _mark(box, message.consignment_id, published_arrival=message.visit, told_at=told_at)


def _mark(box: Box, name: str, **marks: str | bool | tuple[str, ...] | datetime | None) -> Box:
    return replace(
        box,
        parts=tuple([replace(p, **marks) if p.consignment_id == name else p for p in box.parts]),  # type: ignore[arg-type]
    )


def _key(alarm: GateAlarmRaised) -> str:
    """Returns the key of an alarm, as `visits.Alarm.key` does. An alarm is about a report, or about one consignment."""
    return f"{alarm.alarm}/{alarm.report_id or next(iter(alarm.waiting_for), '')}"


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns no time limits, because a container stays as long as it must."""
    return ()


def closed(state: State) -> bool:
    """Returns False, because containers come back."""
    return False
