"""Is exactly that released which has arrived, and is each arrival counted once, at the time at which it happened?"""

from datetime import datetime, timedelta

import pytest

from schemas.release import ArrivalRecorded, ConsignmentHeld, ContainerFreed, ContainerHeld, ReleaseGranted
from schemas.vocabulary import ControlKind, Direction
from services.release import decider
from services.release.arrivals import MOST_LANDINGS, MOST_UNPROVEN
from tests.declaration.good import BOX
from tests.facts import consignment_assessed, container_arrived, inspection_passed, withdrawal_requested
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold
from tests.voice import NOON, Story, keeps_its_promises, kinds, story

INSPECTION = ControlKind.INSPECTION


def release(desk: Story) -> ReleaseGranted:
    """The release among the last facts."""
    [granted] = [fact for fact in desk.answer if isinstance(fact, ReleaseGranted)]
    return granted


def boxes(desk: Story) -> list[tuple[str, str]]:
    """The kinds of the last facts for the gate desk, with their containers."""
    return [(f.kind, f.container_no) for f in desk.answer if isinstance(f, ContainerHeld | ContainerFreed)]


def test_the_container_that_has_arrived_is_released_and_the_other_one_waits_for_its_arrival() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES)).when(arrival(containers=(BOX,)))
    assert kinds(desk) == ["ArrivalRecorded", "ReleaseGranted", "ContainerFreed"]
    granted = release(desk)
    assert granted.containers == (BOX,) and granted.version == 2
    assert [(h.hold_id, h.reason) for h in granted.holds] == [("arrival", "1 of 2 containers have arrived")]
    assert boxes(desk) == [("ContainerFreed", BOX)]
    desk.when(arrival(containers=(OTHER_BOX,)))
    assert kinds(desk) == ["ArrivalRecorded", "ReleaseGranted", "ContainerFreed"]
    granted = release(desk)
    assert granted.containers == BOXES and granted.holds == () and granted.version == 3
    assert boxes(desk) == [("ContainerFreed", OTHER_BOX)]


def test_a_part_that_arrives_before_the_assessment_is_released_with_it() -> None:
    desk = story(decider, arrival(containers=("csqu 305438-3",)))
    recorded = desk.answer[0]
    assert isinstance(recorded, ArrivalRecorded) and recorded.containers == (BOX,)
    desk.when(consignment_assessed(containers=BOXES))
    assert release(desk).containers == (BOX,)
    assert boxes(desk) == [("ContainerFreed", BOX), ("ContainerHeld", OTHER_BOX)]


def test_every_control_holds_the_part_that_has_arrived() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES)).when(arrival(containers=(BOX,)))
    assert kinds(desk) == ["ArrivalRecorded", "ConsignmentHeld", "ContainerHeld"]
    held, box = desk.answer[1], desk.answer[2]
    assert isinstance(held, ConsignmentHeld) and isinstance(box, ContainerHeld)
    assert [h.hold_id for h in held.holds] == ["arrival", "inspection/inspection"]
    assert (box.container_no, box.arrived_at, box.version) == (BOX, NOON, held.version)
    assert release(desk.when(inspection_passed(INSPECTION))).containers == (BOX,)


def test_the_gate_is_told_which_lot_of_which_visit_it_is_and_when_it_arrives_while_it_is_held() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, direction=Direction.EXPORT))
    first = desk.answer[1]
    assert isinstance(first, ContainerHeld)
    assert (first.bill_no, first.conveyance, first.direction) == ("BL-1", "EVER GOOD 012E", Direction.EXPORT)
    assert first.arrived_at is None and not first.refused
    desk.when(arrival(at=NOON - timedelta(hours=5)))
    again = desk.answer[2]
    assert isinstance(again, ContainerHeld) and again.version == 2 and again.arrived_at == NOON - timedelta(hours=5)
    freed = desk.when(inspection_passed(INSPECTION)).answer[1]
    assert isinstance(freed, ContainerFreed)
    assert (freed.bill_no, freed.conveyance, freed.direction) == ("BL-1", "EVER GOOD 012E", Direction.EXPORT)
    assert freed.arrived_at == again.arrived_at


def test_a_terminal_that_discharged_the_container_tells_its_arrival_through_the_gate() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES)).when(container_arrived(BOX))
    assert release(desk).containers == (BOX,)
    desk.when(container_arrived(BOX, visit="the same again")).then()
    assert release(desk.when(container_arrived(OTHER_BOX))).holds == ()
    desk.when(arrival())
    desk.then_refused("already_answered")


def test_a_container_that_is_no_part_of_the_goods_is_no_arrival_of_theirs() -> None:
    desk = story(decider, consignment_assessed()).when(arrival(containers=(OTHER_BOX,)))
    desk.then_refused("lot_unknown")
    desk.when(arrival(containers=(BOX, OTHER_BOX))).then_refused("lot_unknown")
    desk.when(container_arrived(OTHER_BOX)).then()
    assert release(desk.when(arrival(containers=(BOX,)))).holds == ()


def test_an_arrival_before_the_assessment_is_judged_with_it() -> None:
    desk = (
        story(decider, arrival(containers=(OTHER_BOX,)))
        .when(container_arrived("TGHU1234567"))
        .when(consignment_assessed())
    )
    refusal = desk.answer[0].model_dump()
    assert (refusal["code"], refusal["request_id"], refusal["request_kind"]) == ("lot_unknown", "m1", "ReportArrival")
    assert kinds(desk) == ["RequestRefused", "ConsignmentHeld", "ContainerHeld"]
    assert desk.state.dossier.landings == ()
    assert release(desk.when(arrival())).containers == (BOX,)


def test_a_wrong_report_before_the_assessment_hides_no_right_one() -> None:
    desk = story(decider, arrival(containers=(BOX, "TGHU1234567"))).when(arrival("terminal", containers=(BOX,)))
    assert kinds(desk) == ["ArrivalRecorded"]
    desk.when(arrival("a third", containers=(BOX,))).then_refused("already_answered")
    assert release(desk.when(consignment_assessed())).containers == (BOX,)


def test_goods_without_containers_arrive_by_the_piece() -> None:
    desk = story(decider, consignment_assessed(containers=(), packages=10)).when(arrival(pieces=4))
    granted = release(desk)
    assert (granted.pieces, [h.reason for h in granted.holds]) == (4, ["4 of 10 packages have arrived"])
    desk.when(arrival(pieces=3)).then_refused("already_answered")
    granted = release(desk.when(arrival(pieces=10)))
    assert (granted.pieces, granted.holds) == (None, ())


def test_where_nobody_declared_how_many_pieces_there_are_the_rest_waits_for_a_report_of_all() -> None:
    desk = story(decider, consignment_assessed(containers=(), packages=0)).when(arrival(pieces=4))
    assert release(desk).holds[0].reason == "4 of an unknown number of packages have arrived"
    assert release(desk.when(arrival())).holds == ()


def test_goods_in_containers_do_not_arrive_by_the_piece() -> None:
    desk = story(decider, consignment_assessed(packages=10)).when(arrival(pieces=10))
    desk.then_refused("containers_missing")
    desk = story(decider, arrival(pieces=10)).when(consignment_assessed(packages=10))
    assert desk.answer[0].model_dump()["code"] == "containers_missing"


def test_a_second_report_of_the_same_containers_is_sent_back_and_one_that_adds_some_is_not() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES), arrival(containers=(BOX,)))
    desk.when(arrival("somebody else", containers=(BOX,))).then_refused("already_answered")
    assert kinds(desk.when(arrival("somebody else", containers=BOXES)))[0] == "ArrivalRecorded"
    desk.when(arrival("somebody else")).then_refused("already_answered")


def test_a_report_of_everything_ends_a_partial_arrival() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    recorded = desk.when(arrival()).answer[0]
    assert isinstance(recorded, ArrivalRecorded) and recorded.containers == ()
    assert release(desk).containers == BOXES


def test_a_partly_released_consignment_is_called_back_with_the_containers_that_were_released() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    desk.when(place_hold(), message_id="p1")
    assert kinds(desk) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    revoked, held, box = [fact.model_dump() for fact in desk.answer]
    assert (revoked["containers"], revoked["reason"]) == ((BOX,), "a tip")
    assert [h["hold_id"] for h in held["holds"]] == ["arrival", "officer/p1"] and box["container_no"] == BOX
    assert kinds(desk.when(arrival(containers=(OTHER_BOX,)))) == ["ArrivalRecorded", "ConsignmentHeld", "ContainerHeld"]
    assert release(desk.when(lift_hold("officer/p1"))).containers == BOXES


def test_goods_of_which_a_part_is_released_are_not_withdrawn() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,))).when(
        withdrawal_requested()
    )
    desk.then_refused("already_released")


@pytest.mark.parametrize(
    ("told_at", "recorded_at"),
    [
        (NOON - timedelta(days=2), NOON - timedelta(days=2)),
        (
            NOON + timedelta(minutes=10),
            NOON + timedelta(minutes=10),
        ),  # the time is kept as reported, because it is the console that refuses times too far in the future
        (
            NOON - timedelta(days=800),
            NOON + timedelta(minutes=2),
        ),  # the date is wrong, so the time in the request's header counts
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
    recorded, granted = desk.answer[0], desk.answer[1]
    assert isinstance(recorded, ArrivalRecorded) and recorded.occurred_at == recorded_at
    assert isinstance(granted, ReleaseGranted) and granted.arrived_at == recorded_at
    assert granted.occurred_at == heard_at


def test_of_an_event_whose_header_tells_no_time_the_clock_of_the_desk_stands_for_it() -> None:
    wrong = arrival().model_copy(update={"occurred_at": NOON - timedelta(days=800)})
    recorded = story(decider, consignment_assessed()).when(wrong, at=NOON + timedelta(minutes=1)).answer[0]
    assert isinstance(recorded, ArrivalRecorded) and recorded.occurred_at == NOON + timedelta(minutes=1)


def test_reports_of_parts_are_bounded() -> None:
    desk = story(decider)
    for number in range(MOST_UNPROVEN):
        desk.when(arrival(containers=(f"BOX {number}",))) if number < MOST_LANDINGS else None
    desk.when(arrival(containers=("one more",))).then_refused("too_many_requests")
    assert len(desk.state.dossier.landings) == MOST_LANDINGS
    desk.when(arrival())
    assert isinstance(desk.answer[0], ArrivalRecorded)


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
