"""Which facts does the gate desk publish when a container leaves or comes, or when its goods change?

A function that returns several facts returns those of one message, in the order of publication. `at`: when the event
happened.
"""

from datetime import datetime

from schemas.envelope import Fact
from schemas.gate import ContainerMustStay
from schemas.phrases import of_earlier, phrase
from schemas.vocabulary import EquipmentEvent
from tests import facts


def arrival_of(consignment: str) -> str:
    """Returns the id of a visit that no terminal has reported. It is made from the id of the consignment that
    arrived."""
    return f"arrival/{consignment}"


def goods_left(
    report_id: str,
    visit: str,
    *consignments: str,
    at: datetime,
    gate: str = "G1",
    event: EquipmentEvent = EquipmentEvent.GATED_OUT,
    laden: bool | None = None,
) -> tuple[Fact, ...]:
    """Returns the facts if this report says that the container left, and all of its goods were released."""
    return (
        facts.equipment_event_recorded(report_id, event, visit, where=gate, laden=laden, at=at),
        facts.container_gated_out(visit, report_id, *consignments, gate=gate, at=at),
        *[facts.consignment_gated_out(visit=visit, consignment_id=each, at=at) for each in consignments],
    )


def goods_left_unreleased(
    report_id: str,
    visit: str,
    *consignments: str,
    at: datetime,
    gate: str = "G1",
    event: EquipmentEvent = EquipmentEvent.GATED_OUT,
    laden: bool | None = None,
) -> tuple[Fact, ...]:
    """Returns the facts if this report says that the container left, and none of its goods were released."""
    return (
        facts.equipment_event_recorded(report_id, event, visit, where=gate, laden=laden, at=at),
        facts.visit_closed(visit, "left_unreleased", report_id, consignments=consignments, at=at),
        facts.gate_alarm_raised(visit, report_id, waiting_for=consignments, gate=gate, at=at),
        *[facts.consignment_left_unreleased(visit=visit, consignment_id=each, at=at) for each in consignments],
    )


def visit_opened_by(
    report_id: str,
    *arrived: str,
    at: datetime,
    where: str = "berth 1",
    event: EquipmentEvent = EquipmentEvent.DISCHARGED,
    laden: bool | None = True,
    conveyance: str = "",
) -> tuple[Fact, ...]:
    """Returns the facts if this report opens a visit and does not change the gate's answer. `arrived`: the consignments
    whose arrival the report shows."""
    return (
        facts.equipment_event_recorded(
            report_id, event, report_id, where=where, laden=laden, conveyance=conveyance, at=at
        ),
        facts.visit_opened(report_id, where=where, laden=laden, conveyance=conveyance, at=at),
        *[facts.container_arrived(visit=report_id, where=where, consignment_id=each, at=at) for each in arrived],
    )


def came_again(
    report_id: str,
    before: str,
    *consignments: str,
    released: bool,
    at: datetime,
    where: str = "berth 1",
    event: EquipmentEvent = EquipmentEvent.DISCHARGED,
    laden: bool | None = True,
    conveyance: str = "",
) -> tuple[Fact, ...]:
    """Returns the facts if this report opens a visit although nobody reported that the container left in the visit
    `before`. `released`: whether all `consignments` of the visit `before` were released. If they were, they count as
    having left in that visit; otherwise an alarm keeps the container here."""
    kept = () if released else consignments
    alarm = facts.gate_alarm_raised(
        before,
        report_id,
        waiting_for=kept,
        alarm="departure_not_reported",
        why="came_again",
        blocks=bool(kept),
        gate=where,
        at=at,
    )
    return (
        facts.equipment_event_recorded(
            report_id, event, report_id, where=where, laden=laden, conveyance=conveyance, at=at
        ),
        facts.visit_closed(before, "departure_not_reported", report_id, consignments=consignments, at=at),
        facts.visit_opened(report_id, where=where, laden=laden, conveyance=conveyance, at=at),
        alarm,
        *[
            facts.consignment_gated_out(visit=before, consignment_id=each, at=at)
            if released
            else facts.consignment_left_unreleased(visit=before, why="came_again", consignment_id=each, at=at)
            for each in consignments
        ],
    )


def goods_wait(version: int, visit: str, *waiting: str, released: int, at: datetime) -> ContainerMustStay:
    """Returns the gate's no for goods that have no bill, are not released, and for which the release desk gave no
    phrase. `released`: the number of other lots in the container that are released."""
    why = phrase("lots_released", count=released, all=released + len(waiting)), phrase("bill_waits", bill=waiting[0])
    return facts.container_must_stay(version, visit, *why, of_earlier("waits"), waiting_for=waiting, at=at)


def nothing_is_here(version: int, *, at: datetime) -> ContainerMustStay:
    """Returns the gate's no for a container of which no visit is open."""
    return facts.container_must_stay(version, "", phrase("no_visit"), waiting_for=(), at=at)


def nothing_is_declared(version: int, visit: str, *, at: datetime) -> ContainerMustStay:
    """Returns the gate's no for a container in which nothing is declared."""
    return facts.container_must_stay(version, visit, phrase("nothing_declared"), waiting_for=(), at=at)


def awaits_a_count(version: int, visit: str, *waiting: str, since: datetime, at: datetime) -> ContainerMustStay:
    """Returns the gate's no for a container that was found inside and perhaps had come again at `since` with other
    goods. `waiting`: goods that are not released."""
    return facts.container_must_stay(
        version, visit, phrase("perhaps_came_again", event=since), waiting_for=waiting, at=at
    )


def same_box_declared(one: str, other: str, *, conveyance: str = "", at: datetime) -> tuple[Fact, ...]:
    """Returns the facts if two declarations each say that no other lot is in the container: one fact for each of
    them."""
    rule = "one_declaration_a_box"
    return (
        facts.same_goods_declared(one, other, rule=rule, conveyance=conveyance, at=at),
        facts.same_goods_declared(other, one, rule=rule, conveyance=conveyance, at=at),
    )


def seen_outside(version: int, consignment: str, *, at: datetime, since: datetime) -> tuple[Fact, ...]:
    """Returns the facts if an officer finds the container outside, its goods were released, and no terminal reported
    the departure. `since`: the event time of the finding; `version`: of the answer that the container must stay."""
    visit = arrival_of(consignment)
    return (
        facts.visit_closed(visit, "finding", "", consignments=(consignment,), at=since),
        facts.consignment_gated_out(visit=visit, consignment_id=consignment, at=since),
        facts.container_must_stay(version, "", phrase("no_visit"), waiting_for=(), at=at),
    )


def seen_inside(version: int, consignment: str, *, at: datetime) -> tuple[Fact, ...]:
    """Returns the facts if the finding of `seen_outside` was wrong. `version`: of the answer that the container may
    leave."""
    visit = arrival_of(consignment)
    return (
        facts.visit_opened(visit, where=""),
        facts.departure_retracted(visit=visit, consignment_id=consignment, at=at),
        facts.container_may_leave(version, visit, consignment, at=at),
    )
