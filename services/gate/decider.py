"""May this container leave the port? Only if every lot of the open visit is released for import or let out by an officer's permit. A container that
is not known stays.

Each message is added to the record (`services.gate.box`, by `statements`, `reports` and `orders`). The visits and the
answer are then computed from the whole record (`services.gate.visits`, `services.gate.may_leave`). Everything that differs from what was published
before is published (`services.gate.publishing`).
"""

from collections.abc import Callable
from dataclasses import replace
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
from services.gate.box import STATE, Box, Part, PublishedVisit, State, Yes, as_box
from services.gate.departures import unsettled
from services.gate.keeping import KEPT_VISITS, Addition, forget, with_end
from services.gate.messages import Input, Output
from services.gate.orders import add_finding, hold_or_lift, permit_exit, retract_finding, retract_strike, strike_lot
from services.gate.publishing import changes, facts_of_ended_strikes, reply_to_request
from services.gate.reports import add_report, retract_report
from services.gate.statements import add_statement
from services.gate.visits import look, strikes_ended

__all__ = ["INITIAL", "STATE", "Input", "closed", "deadlines", "decide", "evolve"]

INITIAL: State = Box()


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
    old = forget(as_box(state), hearing.at)
    box, why_not = add_message(old, message, hearing)
    if why_not is not None:
        assert isinstance(message, Request), "only what is asked is refused"
        return refuse(message, hearing, *why_not)
    if box is old:
        return ()
    truth = look(box)
    strikes_over = strikes_ended(box, truth)
    if strikes_over:
        box = box.without_strikes(strikes_over)
        truth = look(box)
    return (
        *reply_to_request(box, message, hearing, truth),
        *facts_of_ended_strikes(strikes_over, message.container_no, hearing),
        *changes(box, truth, message.container_no, hearing),
    )


def add_message(box: Box, message: Input, hearing: Hearing) -> Addition:
    """Returns the box with this message added, or why the message is refused. Returns the same object if the message
    changes nothing."""
    match message:
        case ContainerHeld() | ContainerFreed():
            return Addition(add_statement(box, message, hearing))
        case RecordGateOut() | RecordEquipmentEvent():
            return add_report(box, message, hearing)
        case RetractEquipmentEvent():
            return retract_report(box, message, hearing)
        case RecordContainerFinding():
            return add_finding(box, message, hearing)
        case RetractContainerFinding():
            return retract_finding(box, message, hearing)
        case StrikeLot():
            return strike_lot(box, message, hearing)
        case RetractStrike():
            return retract_strike(box, message, hearing)
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
            return _after_input(state, message, hearing)
        case _:
            return _after_fact(as_box(state), message, hearing)


def _after_input(state: State, message: Input, hearing: Hearing) -> State:
    """Returns the state after an input. The steps are those of `decide`, so that the state and the published facts
    agree. In addition, published alarms whose cause has ended are removed from the record."""
    old = forget(as_box(state), hearing.at)
    box, why_not = add_message(old, message, hearing)
    if why_not is not None or box is old:
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
            yeses = with_end(hearing.at, box.yes)
            # at most KEPT_VISITS earlier yeses of one visit are kept: the latest
            dropped = [each for each in yeses if each.visit == message.visit][:-KEPT_VISITS]
            kept = [each for each in yeses if each not in dropped]
            new = Yes(hearing.at, None, message.visit, message.consignments)
            return replace(box, version=message.version, published="leave", yes=(*kept, new), code="")
        case ContainerMustStay():
            yeses = with_end(hearing.at, box.yes)
            return replace(box, version=message.version, published="stay", yes=yeses, code=message.code)
        case ContainerGatedOut():
            closed_visit = PublishedVisit(message.visit, "gated_out", message.report_id)
            # The visit that ended may be an earlier one. If the last published answer was yes, the same decision also
            # publishes the answer for the open visit, which then replaces this value of `published`.
            return replace(box, visits=_with_visit(box.visits, closed_visit), published="gone", code="")
        case VisitOpened():
            if any(visit.id == message.visit and visit.how for visit in box.visits):
                # The visit was published as ended, but it is open after all. The old yes ends here, and `changes` publishes a
                # new one.
                box = replace(box, yes=with_end(hearing.at, box.yes))
            # at most one visit is open, so another visit that was published as open no longer exists
            closed_visits = tuple([visit for visit in box.visits if visit.how])
            return replace(box, visits=_with_visit(closed_visits, PublishedVisit(message.visit)))
        case VisitClosed():
            closed_visit = PublishedVisit(message.visit, message.how, message.report_id)
            return replace(box, visits=_with_visit(box.visits, closed_visit), code="")
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
            transferred = (*others, *added)
            return _with_part(box, message.consignment_id, lambda part: replace(part, transferred=transferred))
        case ContainerArrived() | ContainerArrivalRetracted():
            return _with_arrival(box, message)
        case ConsignmentGatedOut():
            report = next((v.report for v in box.visits if v.id == message.visit), "")
            return _with_departure(box, message.consignment_id, f"out/{report}")
        case ConsignmentLeftUnreleased():
            return _with_departure(box, message.consignment_id, "left")
        case DepartureRetracted():
            return _with_departure(box, message.consignment_id, "")
        case SameGoodsDeclared():
            return _with_part(box, message.consignment_id, lambda part: replace(part, told_again=True))
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


def _with_visit(visits: tuple[PublishedVisit, ...], latest: PublishedVisit) -> tuple[PublishedVisit, ...]:
    """Returns these visits with `latest`. A report ends one visit only, so another visit that was published as ended by
    the report of `latest` no longer counts as published."""
    others = [v for v in visits if v.id != latest.id and (not v.report or v.report != latest.report)]
    return (*others, latest)


def _with_arrival(box: Box, message: ContainerArrived | ContainerArrivalRetracted) -> Box:
    """Returns the box after the gate published that goods arrived, or took that back. `told_at` then says whether the time of arrival
    that the release desk knows is the gate's."""

    def published(part: Part) -> Part:
        if isinstance(message, ContainerArrivalRetracted):
            wrong_at = part.told_at or part.wrong_at
            return replace(part, published_arrival="", told_at=None, wrong_at=wrong_at)
        if part.arrived_at == message.occurred_at and not part.arrival_is_the_gates:
            told_at = None  # the release desk knew this time before, from another report
        elif part.arrived_at is not None and part.arrived_at == part.told_at:
            # The release desk still states the time that the gate published before. So that time stays the gate's.
            told_at = part.told_at
        else:
            told_at = message.occurred_at
        return replace(part, published_arrival=message.visit, told_at=told_at)

    return _with_part(box, message.consignment_id, published)


def _with_departure(box: Box, consignment_id: str, published: str) -> Box:
    return _with_part(box, consignment_id, lambda part: replace(part, published_departure=published))


def _with_part(box: Box, consignment_id: str, changed: Callable[[Part], Part]) -> Box:
    """Returns the box in which the part of this consignment is replaced by `changed` of it."""
    return replace(box, parts=tuple([changed(p) if p.consignment_id == consignment_id else p for p in box.parts]))


def _key(alarm: GateAlarmRaised) -> str:
    """Returns the key of an alarm, as `truth.Alarm.key` does. An alarm is about a report, or about one consignment."""
    return f"{alarm.alarm}/{alarm.report_id or next(iter(alarm.waiting_for), '')}"


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns no time limits, because a container stays as long as it must."""
    return ()


def closed(state: State) -> bool:
    """Returns False, because containers come back."""
    return False
