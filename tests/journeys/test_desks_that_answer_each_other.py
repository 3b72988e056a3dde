"""Do the gate desk and the release desk stop answering each other's facts, whatever people report about a container,
and in whatever order?

The gate desk derives departures from arrivals, and for the release desk a departure proves an arrival.
"""

import os
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.gate import RecordContainerFinding
from schemas.release import ReportArrival, RetractArrival
from schemas.vocabulary import EquipmentEvent
from tests.declaration.good import BOX
from tests.facts import consignment_assessed
from tests.journeys.test_goods_that_change_boxes import Quay, X, Y
from tests.release.requests import OTHER_BOX

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))
MOST = 500
"""Many more messages than the reports of people can cause."""


def ends(quay: Quay) -> Quay:
    for _ in range(MOST):
        if not quay.hear_one():
            return quay
    raise AssertionError(f"the desks answer each other for ever: {[fact.kind for fact in quay.facts[-12:]]}")


def arrival(quay: Quay, name: str, hours: float = 0) -> str:
    at = quay.at + timedelta(hours=hours)
    return quay.ask(ReportArrival(consignment_id=name, asked_by="carrier", occurred_at=at, place="quay"))


def take_back(quay: Quay, name: str, wrong: str) -> None:
    fields = {"consignment_id": name, "asked_by": "carrier", "occurred_at": quay.at, "reason": "still at sea"}
    quay.ask(RetractArrival(wrong=wrong, **fields))


def find_outside(quay: Quay, box: str) -> None:
    fields: dict[str, Any] = {"container_no": box, "asked_by": "officer-1", "occurred_at": quay.at, "reason": "seen"}
    quay.ask(RecordContainerFinding(found="outside", **fields))


def goods(quay: Quay, name: str, box: str, bill: str, shared_by: int = 1) -> None:
    known = consignment_assessed(containers=(box,)).model_copy(update={"consignment_id": name, "bill_no": bill})
    boxes = tuple([each.model_copy(update={"shared_by": shared_by}) for each in known.containers])
    quay.say("risk", f"assessed {name}", known.model_copy(update={"containers": boxes}))


def test_an_arrival_after_a_departure_that_was_told_before_is_taken_back_once() -> None:
    quay = Quay()
    goods(quay, X, BOX, "BL X")
    ends(quay).out(BOX)
    ends(quay).count += 60
    find_outside(quay, BOX)
    report = arrival(ends(quay), X)
    assert ends(quay).may_leave(BOX)
    take_back(quay, X, report)
    assert not ends(quay).may_leave(BOX)
    assert quay.said_of(X) == ["ConsignmentLeftUnreleased", "DepartureRetracted", "ConsignmentLeftUnreleased"]


@pytest.mark.parametrize("seed", range(20))
def test_an_arrival_that_stands_counts_and_not_one_before_that_was_taken_back(seed: int) -> None:
    """If the retracted arrival counted, too, X would have left with the container according to one arrival and not
    according to the other one. The desks would then answer each other for ever."""
    quay = Quay(Random(seed))
    goods(quay, X, BOX, "BL X", 2)
    goods(quay, Y, BOX, "BL Y", 2)
    report = arrival(ends(quay), X)
    take_back(ends(quay), X, report)
    arrival(ends(quay), Y)
    ends(quay).count += 60
    find_outside(quay, BOX)
    quay.count += 600
    arrival(quay, X)
    ends(quay)


@pytest.mark.parametrize("conveyance", ["EVER GOOD 012E", ""])
@pytest.mark.parametrize("seed", range(5))
def test_a_later_discharge_does_not_prove_the_arrival_that_an_earlier_wrong_one_reported(
    seed: int, conveyance: str
) -> None:
    """By the later discharge, the container had left meanwhile and come again. In an older version, the goods kept the
    arrival of the retracted report, and the container could leave by the release that depends on it; if the later
    discharge names no conveyance, the goods had left for ever."""
    quay = Quay(Random(seed))
    goods(quay, X, BOX, "BL X")
    wrong = ends(quay).event(BOX, EquipmentEvent.DISCHARGED, laden=True, conveyance="EVER GOOD 012E")
    assert ends(quay).may_leave(BOX)
    quay.count += 26 * 60
    quay.event(BOX, EquipmentEvent.DISCHARGED, laden=True, conveyance=conveyance)
    assert ends(quay).said_of(X) == ["ConsignmentGatedOut"]
    came = quay.at
    quay.retract(BOX, wrong)
    ends(quay)
    assert quay.said_of(X) == ["ConsignmentGatedOut", "DepartureRetracted"]
    kinds = [fact.kind for fact in quay.facts if fact.key == X]
    assert "ContainerArrivalRetracted" in kinds and "ReleaseRevoked" in kinds
    first, again = [fact for fact in quay.facts if fact.kind == "ContainerArrived" and fact.key == X]
    assert came - first.occurred_at > timedelta(hours=26) and came - again.occurred_at < timedelta(hours=1)
    assert quay.may_leave(BOX), "it came with the later discharge, and was released again"
    quay.out(BOX)
    assert ends(quay).said_of(X) == ["ConsignmentGatedOut", "DepartureRetracted", "ConsignmentGatedOut"]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32))
@example(128296)  # in this story, a hold that follows from a departure has the same time as the departure
def test_whatever_is_told_the_desks_come_to_an_end(seed: int) -> None:
    dice = Random(seed)
    quay = Quay(dice)
    reports: list[tuple[str, str]] = []
    arrivals: list[tuple[str, str]] = []
    goods(quay, X, BOX, "BL X", dice.choice((1, 2)))
    if dice.random() < 0.6:
        goods(quay, Y, dice.choice((BOX, OTHER_BOX)), "BL Y", dice.choice((1, 2)))
    for _ in range(dice.randint(2, 9)):
        quay.count += dice.choice((0, 1, 30, 600))
        box, name = dice.choice((BOX, BOX, OTHER_BOX)), dice.choice((X, X, Y))
        hours = dice.choice((0.0, 0.0, -1.0, -5.0, 3.0))
        match dice.randrange(8):
            case 0 | 1:
                arrivals.append((name, arrival(quay, name, hours)))
            case 2 if arrivals:
                take_back(quay, *arrivals.pop(dice.randrange(len(arrivals))))
            case 3:
                event = dice.choice((EquipmentEvent.DISCHARGED, EquipmentEvent.GATED_IN))
                reports.append((box, quay.event(box, event, laden=dice.choice((True, True, None, False)))))
            case 4:
                reports.append((box, quay.event(box, EquipmentEvent.GATED_OUT, laden=dice.choice((True, None, False)))))
            case 5:
                other = OTHER_BOX if box == BOX else BOX
                reports.append((box, quay.event(box, EquipmentEvent.STRIPPED, targets=(other,))))
            case 6 if reports:
                quay.retract(*reports.pop(dice.randrange(len(reports))))
            case _:
                find_outside(quay, box)
        if dice.random() < 0.6:
            ends(quay)
    ends(quay)
