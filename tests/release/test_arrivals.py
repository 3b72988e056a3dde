"""Are exactly those goods released that have arrived, and is each arrival counted once, at the time at which it
happened?"""

from datetime import datetime, timedelta

import pytest

from schemas.envelope import LATEST_REPORT
from schemas.phrases import phrase, quoted
from schemas.vocabulary import ControlKind, Direction, Lane
from services.release import decider
from services.release.arrivals import MOST_LANDINGS, MOST_UNPROVEN
from tests.declaration.good import BOX
from tests.facts import (
    arrival_recorded,
    consignment_assessed,
    consignment_held,
    container_arrived,
    container_freed,
    container_held,
    containers_missing,
    control_required,
    inspection_passed,
    not_arrived,
    not_assessed,
    officers_hold,
    packages_missing,
    release_granted,
    request_refused,
    withdrawal_requested,
)
from tests.release.answers import NOT_RELEASED_YET, PASSED, goods_called_back, goods_held, goods_released
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold
from tests.voice import NOON, after, keeps_its_promises, story

INSPECTION = ControlKind.INSPECTION


def test_the_container_that_has_arrived_is_released_and_the_other_one_waits_for_its_arrival() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES))
    assert containers_missing(1, 2).reason == "1 of 2 containers have arrived"
    desk.when(arrival(containers=(BOX,))).then(
        arrival_recorded(BOX),
        release_granted(2, holds=(containers_missing(1, 2, after(1)),), at=after(2)),
        container_freed(at=after(2)),
    )
    desk.when(arrival(containers=(OTHER_BOX,))).then(
        arrival_recorded(OTHER_BOX),
        release_granted(3, containers=BOXES, at=after(3)),
        container_freed(3, container_no=OTHER_BOX, at=after(3)),
    )


def test_a_part_that_arrives_before_the_assessment_is_released_with_it() -> None:
    desk = story(decider, arrival(containers=("csqu 305438-3",))).then(
        arrival_recorded(BOX), consignment_held(1, not_assessed(after(1)), not_arrived(after(1)), at=after(1))
    )
    desk.when(consignment_assessed(containers=BOXES)).then(
        release_granted(2, holds=(containers_missing(1, 2, after(1)),), at=after(2)),
        container_freed(at=after(2)),
        container_held(2, phrase("not_arrived_yet"), container_no=OTHER_BOX, at=after(2)),
    )


@pytest.mark.parametrize("believed", [True, False])
def test_an_arrival_whose_time_is_not_believed_states_that_time_beside_the_one_that_counts(believed: bool) -> None:
    """If the event time is not believed, the time at which the report was recorded counts. In an older version, the fact
    did not say so. The report may be a carrier's request or a fact of the gate desk."""
    time = after(9) - LATEST_REPORT - timedelta(microseconds=0 if believed else 1)
    counts, disbelieved = (time, None) if believed else (after(9), time)
    desk = story(decider, consignment_assessed(containers=BOXES))
    [recorded, *_] = desk.when(arrival(containers=(BOX,), at=time), recorded=after(9)).answer
    assert recorded == arrival_recorded(BOX, disbelieved_time=disbelieved, at=counts)
    [recorded, *_] = desk.when(container_arrived(OTHER_BOX, at=time), recorded=after(9)).answer
    by_gate = arrival_recorded(OTHER_BOX, by="gate", disbelieved_time=disbelieved, at=counts)
    assert recorded == by_gate.model_copy(update={"place": recorded.model_dump()["place"]})


def test_every_control_holds_the_part_that_has_arrived() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES))
    desk.when(arrival(containers=(BOX,))).then(
        arrival_recorded(BOX),
        *goods_held(2, after(2), containers_missing(1, 2, after(1)), control_required(INSPECTION, after(1))),
    )
    desk.when(inspection_passed(INSPECTION)).then(
        release_granted(3, lane=Lane.RED, answers=PASSED, holds=(containers_missing(1, 2, after(1)),), at=after(3)),
        container_freed(3, at=after(3)),
    )


def test_the_gate_is_told_which_lot_of_which_visit_it_is_and_when_it_arrives_while_it_is_held() -> None:
    earlier = NOON - timedelta(hours=5)
    desk = story(decider, consignment_assessed(INSPECTION, direction=Direction.EXPORT)).then(
        consignment_held(1, not_arrived(after(1)), control_required(INSPECTION, after(1)), at=after(1)),
        container_held(1, NOT_RELEASED_YET, direction=Direction.EXPORT, at=after(1)),
    )
    desk.when(arrival(at=earlier)).then(
        arrival_recorded(at=earlier),
        consignment_held(2, control_required(INSPECTION, after(1)), at=after(2)),
        container_held(2, NOT_RELEASED_YET, direction=Direction.EXPORT, arrived_at=earlier, at=after(2)),
    )
    desk.when(inspection_passed(INSPECTION)).then(
        release_granted(3, lane=Lane.RED, arrived_at=earlier, answers=PASSED, direction=Direction.EXPORT, at=after(3)),
        container_freed(3, direction=Direction.EXPORT, arrived_at=earlier, at=after(3)),
    )


def test_a_terminal_that_discharged_the_container_tells_its_arrival_through_the_gate() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES))
    desk.when(container_arrived(BOX)).then(
        arrival_recorded(BOX, where="berth 1", by="gate"),
        release_granted(2, holds=(containers_missing(1, 2, after(1)),), at=after(2)),
        container_freed(at=after(2)),
    )
    desk.when(container_arrived(BOX, visit="the same again")).then()
    desk.when(container_arrived(OTHER_BOX)).then(
        arrival_recorded(OTHER_BOX, where="berth 1", by="gate"),
        release_granted(3, containers=BOXES, at=after(4)),
        container_freed(3, container_no=OTHER_BOX, at=after(4)),
    )
    desk.when(arrival()).then_refused("already_answered")


def test_a_container_that_is_no_part_of_the_goods_is_no_arrival_of_theirs() -> None:
    desk = story(decider, consignment_assessed()).when(arrival(containers=(OTHER_BOX,)))
    desk.then_refused("lot_unknown")
    desk.when(arrival(containers=(BOX, OTHER_BOX))).then_refused("lot_unknown")
    desk.when(container_arrived(OTHER_BOX)).then()
    desk.when(arrival(containers=(BOX,))).then(arrival_recorded(BOX), *goods_released(2, after(5)))


def test_an_arrival_before_the_assessment_is_judged_with_it() -> None:
    desk = (
        story(decider, arrival(containers=(OTHER_BOX,)))
        .when(container_arrived("TGHU1234567"))
        .when(consignment_assessed())
    )
    desk.then(
        request_refused("m1", "ReportArrival", "lot_unknown", phrase("not_declared_for", boxes=OTHER_BOX), at=after(3)),
        *goods_held(2, after(3), not_arrived(after(1)), arrived_at=None),
    )
    assert desk.state.dossier.landings == ()
    desk.when(arrival()).then(arrival_recorded(), *goods_released(3, after(4)))


def test_a_wrong_report_before_the_assessment_hides_no_right_one() -> None:
    desk = story(decider, arrival(containers=(BOX, "TGHU1234567"))).when(arrival("terminal", containers=(BOX,)))
    desk.then(arrival_recorded(BOX, by="terminal"))
    desk.when(arrival("a third", containers=(BOX,))).then_refused("already_answered")
    desk.when(consignment_assessed()).then(
        request_refused(
            "m1", "ReportArrival", "lot_unknown", phrase("not_declared_for", boxes="TGHU1234567"), at=after(4)
        ),
        *goods_released(2, after(4)),
    )


def test_goods_without_containers_arrive_by_the_piece() -> None:
    assert packages_missing(4, 10).reason == "4 of 10 packages have arrived"
    desk = story(decider, consignment_assessed(containers=(), packages=10))
    desk.when(arrival(pieces=4)).then(
        arrival_recorded(pieces=4),
        release_granted(2, containers=(), holds=(packages_missing(4, 10, after(1)),), pieces=4, at=after(2)),
    )
    desk.when(arrival(pieces=3)).then_refused("already_answered")
    desk.when(arrival(pieces=10)).then(arrival_recorded(pieces=10), release_granted(3, containers=(), at=after(4)))


def test_where_nobody_declared_how_many_pieces_there_are_the_rest_waits_for_a_report_of_all() -> None:
    assert packages_missing(4, None).reason == "4 of an unknown number of packages have arrived"
    desk = story(decider, consignment_assessed(containers=(), packages=0))
    desk.when(arrival(pieces=4)).then(
        arrival_recorded(pieces=4),
        release_granted(2, containers=(), holds=(packages_missing(4, None, after(1)),), pieces=4, at=after(2)),
    )
    desk.when(arrival()).then(arrival_recorded(), release_granted(3, containers=(), at=after(3)))


def test_goods_in_containers_do_not_arrive_by_the_piece() -> None:
    desk = story(decider, consignment_assessed(packages=10)).when(arrival(pieces=10))
    desk.then_refused("containers_missing")
    desk = (
        story(decider, arrival(pieces=10))
        .when(consignment_assessed(packages=10))
        .then(
            request_refused(
                "m1",
                "ReportArrival",
                "containers_missing",
                phrase("packages_in_boxes", pieces=10, boxes=1),
                at=after(2),
            ),
            *goods_held(2, after(2), not_arrived(after(1)), arrived_at=None),
        )
    )


def test_a_second_report_of_the_same_containers_is_sent_back_and_one_that_adds_some_is_not() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES), arrival(containers=(BOX,)))
    desk.when(arrival("somebody else", containers=(BOX,))).then_refused("already_answered")
    desk.when(arrival("somebody else", containers=BOXES)).then(
        arrival_recorded(BOX, OTHER_BOX, by="somebody else"),
        consignment_held(3, control_required(INSPECTION, after(1)), at=after(4)),
        container_held(3, NOT_RELEASED_YET, arrived_at=NOON, container_no=OTHER_BOX, at=after(4)),
    )
    desk.when(arrival("somebody else")).then_refused("already_answered")


def test_a_report_of_everything_ends_a_partial_arrival() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    desk.when(arrival()).then(
        arrival_recorded(),
        release_granted(3, containers=BOXES, at=after(3)),
        container_freed(3, container_no=OTHER_BOX, at=after(3)),
    )


def test_a_partly_released_consignment_is_called_back_with_the_containers_that_were_released() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    desk.when(place_hold(), message_id="p1").then(
        *goods_called_back(
            3, after(3), quoted("a tip"), containers_missing(1, 2, after(1)), officers_hold("p1", since=after(3))
        )
    )
    desk.when(arrival(containers=(OTHER_BOX,))).then(
        arrival_recorded(OTHER_BOX),
        consignment_held(5, officers_hold("p1", since=after(3)), at=after(4)),
        container_held(5, NOT_RELEASED_YET, arrived_at=NOON, container_no=OTHER_BOX, at=after(4)),
    )
    desk.when(lift_hold("officer/p1")).then(
        release_granted(6, containers=BOXES, at=after(5)),
        container_freed(6, at=after(5)),
        container_freed(6, container_no=OTHER_BOX, at=after(5)),
    )


def test_goods_of_which_a_part_is_released_are_not_withdrawn() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,))).when(
        withdrawal_requested()
    )
    desk.then_refused("already_released")


@pytest.mark.parametrize(
    ("told_at", "recorded_at"),
    [
        (NOON - timedelta(days=2), NOON - timedelta(days=2)),
        # The decider keeps the reported time. A report with a time too far in the future does not reach it, because the
        # console or the shell refuses the report.
        (NOON + timedelta(minutes=10), NOON + timedelta(minutes=10)),
        # The reported date is wrong. So the time in the request's header counts.
        (NOON - timedelta(days=800), NOON + timedelta(minutes=2)),
    ],
)
@pytest.mark.parametrize("clock", [timedelta(0), timedelta(days=-3), timedelta(days=1000)])
def test_an_arrival_happened_when_it_was_told_to_have_happened(
    told_at: datetime, recorded_at: datetime, clock: timedelta
) -> None:
    """The time does not depend on the clock of the worker that reads the report."""
    report = arrival().model_copy(update={"occurred_at": told_at})
    heard_at = NOON + timedelta(minutes=1) + clock
    desk = story(decider, consignment_assessed()).when(report, at=heard_at, recorded=NOON + timedelta(minutes=2))
    disbelieved = None if recorded_at == told_at else told_at
    recorded = arrival_recorded(disbelieved_time=disbelieved, at=recorded_at)
    desk.then(recorded, *goods_released(2, heard_at, arrived_at=recorded_at))


def test_of_an_event_whose_header_tells_no_time_the_clock_of_the_desk_stands_for_it() -> None:
    wrong = arrival().model_copy(update={"occurred_at": NOON - timedelta(days=800)})
    desk = story(decider, consignment_assessed()).when(wrong, at=after(1))
    recorded = arrival_recorded(disbelieved_time=wrong.occurred_at, at=after(1))
    desk.then(recorded, *goods_released(2, after(1), arrived_at=after(1)))


def test_reports_of_parts_are_bounded() -> None:
    desk = story(decider)
    for number in range(MOST_UNPROVEN):
        desk.when(arrival(containers=(f"BOX {number}",))) if number < MOST_LANDINGS else None
    desk.when(arrival(containers=("one more",))).then_refused("too_many_requests")
    assert len(desk.state.dossier.landings) == MOST_LANDINGS
    desk.when(arrival()).then(arrival_recorded(), consignment_held(2, not_assessed(after(1)), at=desk.at))


def test_hearing_an_arrival_of_a_part_twice_adds_nothing() -> None:
    keeps_its_promises(
        decider,
        [
            arrival(containers=(BOX,)),
            arrival(containers=("TGHU1234567",)),
            consignment_assessed(containers=BOXES),
            container_arrived(OTHER_BOX),
            arrival(),
        ],
    )
