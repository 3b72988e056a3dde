"""If the gate desk was down and reads messages late, does it judge each event by the time at which it happened, and not
by the time at which it reads?"""

import pytest

from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.facts import (
    consignment_gated_out,
    consignment_left_unreleased,
    container_arrived,
    container_finding_recorded,
    container_may_leave,
    departure_retracted,
    equipment_event_recorded,
    gate_alarm_raised,
    visit_closed,
    visit_opened,
)
from tests.gate.answers import arrival_of, goods_left, nothing_is_here, visit_opened_by
from tests.gate.boxes import DAY, A, at, discharged, event, found, freed, held, out
from tests.voice import story


def test_goods_that_were_declared_before_they_were_loaded_are_no_later_paper_when_the_desk_was_away() -> None:
    """The desk reads the terminal's report and the release desk's statements a day after they were written. The order
    between the two topics is different in each case."""
    paper = held(A, 1, when=0, direction=Direction.EXPORT)
    release = freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)
    loaded = event(EquipmentEvent.LOADED, 60)
    back = at(60 + DAY)
    told_last = story(decider)
    told_last.when(paper, at=back).then()
    told_last.when(release, at=back).then()
    told_last.when(loaded, at=back).then(
        equipment_event_recorded("m3", EquipmentEvent.LOADED, arrival_of(A), at=at(60)),
        visit_closed(arrival_of(A), "loaded", "m3", consignments=(A,), at=at(60)),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
    )
    told_second = story(decider)
    told_second.when(paper, at=back).then()
    told_second.when(loaded, at=back).then(
        equipment_event_recorded("m2", EquipmentEvent.LOADED, "m2", at=at(60)),
        visit_closed("m2", "left_unreleased", "m2", consignments=(A,), at=at(60)),
        gate_alarm_raised(
            "m2", "m2", waiting_for=(A,), alarm="left_undeclared", why="departure_outside", gate="berth 1", at=at(60)
        ),
        consignment_left_unreleased(visit="m2", why="departure_outside", consignment_id=A, at=at(60)),
    )
    told_second.when(release, at=back).then(
        visit_closed(arrival_of(A), "loaded", "m2", consignments=(A,), at=at(60)),
        departure_retracted(visit=arrival_of(A), consignment_id=A, at=back),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
        nothing_is_here(1, at=back),  # the alarm has ended without a finding
    )
    told_first = story(decider)
    told_first.when(loaded, at=back).then(
        equipment_event_recorded("m1", EquipmentEvent.LOADED, "m1", at=at(60)),
        visit_closed("m1", "left_unreleased", "m1", consignments=(), at=at(60)),
    )
    told_first.when(paper, at=back).then(
        gate_alarm_raised(
            "m1", "m1", waiting_for=(A,), alarm="left_undeclared", why="departure_outside", gate="berth 1", at=at(60)
        ),
        consignment_left_unreleased(visit="m1", why="departure_outside", consignment_id=A, at=at(60)),
    )
    told_first.when(release, at=back).then(
        visit_closed(arrival_of(A), "loaded", "m1", consignments=(A,), at=at(60)),
        departure_retracted(visit=arrival_of(A), consignment_id=A, at=back),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
        nothing_is_here(1, at=back),
    )
    for desk in (told_last, told_second, told_first):
        assert not look(as_box(desk.state)).alarms


def test_an_import_that_the_desk_hears_of_after_its_discharge_is_in_the_box_that_came() -> None:
    desk = story(decider)
    desk.when(discharged(30), at=at(DAY)).then(*visit_opened_by("m1", at=at(30)))
    desk.when(held(A, 1, when=0), at=at(DAY + 1)).then(container_arrived(visit="m1", consignment_id=A, at=at(30)))
    desk.when(freed(A, 2, arrived=30, when=50), at=at(DAY + 2)).then(container_may_leave(1, "m1", A, at=at(DAY + 2)))


def test_a_hold_after_an_export_was_loaded_does_not_make_it_one_that_left_unreleased() -> None:
    desk = story(decider)
    desk.when(held(A, 1, when=0, direction=Direction.EXPORT)).then()
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)).then()
    desk.when(event(EquipmentEvent.LOADED, 60)).then(
        equipment_event_recorded("m3", EquipmentEvent.LOADED, arrival_of(A), at=at(60)),
        visit_closed(arrival_of(A), "loaded", "m3", consignments=(A,), at=at(60)),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
    )
    desk.when(held(A, 3, arrived=10, when=65, direction=Direction.EXPORT)).then(
        gate_alarm_raised(
            arrival_of(A),
            "",
            waiting_for=(A,),
            alarm="held_outside",
            why="held_after",
            blocks=False,
            gate="berth 1",
            at=at(60),
        )
    )
    desk = story(decider)
    desk.when(held(A, 1, when=0, direction=Direction.EXPORT)).then()
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)).then()
    desk.when(held(A, 3, arrived=10, when=40, direction=Direction.EXPORT)).then()
    # the hold of minute 40 is still open when the goods are loaded
    desk.when(event(EquipmentEvent.LOADED, 60)).then(
        equipment_event_recorded("m4", EquipmentEvent.LOADED, arrival_of(A), at=at(60)),
        visit_closed(arrival_of(A), "loaded", "m4", consignments=(A,), at=at(60)),
        gate_alarm_raised(arrival_of(A), "m4", waiting_for=(A,), why="loaded_unreleased", gate="berth 1", at=at(60)),
        consignment_left_unreleased(visit=arrival_of(A), why="loaded_unreleased", consignment_id=A, at=at(60)),
    )


def test_a_loading_that_was_heard_before_its_release_is_lawful_whatever_the_release_desk_says_of_it_meanwhile() -> None:
    """The gate desk publishes that goods left unreleased, and therefore the release desk holds them. This later hold
    must not count as a hold at the time of the departure."""
    desk = story(decider)
    desk.when(held(A, 1, arrived=10, when=12, direction=Direction.EXPORT), at=at(90)).then()
    desk.when(event(EquipmentEvent.LOADED, 60), at=at(91)).then(
        equipment_event_recorded("m2", EquipmentEvent.LOADED, arrival_of(A), at=at(60)),
        visit_closed(arrival_of(A), "loaded", "m2", consignments=(A,), at=at(60)),
        gate_alarm_raised(arrival_of(A), "m2", waiting_for=(A,), why="loaded_unreleased", gate="berth 1", at=at(60)),
        consignment_left_unreleased(visit=arrival_of(A), why="loaded_unreleased", consignment_id=A, at=at(60)),
    )
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT), at=at(92)).then(
        departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(92)),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(60)),
        nothing_is_here(1, at=at(92)),
    )
    desk.when(held(A, 3, arrived=10, when=92, direction=Direction.EXPORT), at=at(93)).then(
        gate_alarm_raised(
            arrival_of(A),
            "",
            waiting_for=(A,),
            alarm="held_outside",
            why="held_after",
            blocks=False,
            gate="berth 1",
            at=at(60),
        )
    )


def test_a_desk_whose_clock_is_days_behind_keeps_the_times_that_were_told() -> None:
    """The recorded time in the header of a report decides whether its event time is in the future. The clock of a
    worker never decides that."""
    desk = story(decider)
    behind = -3 * DAY
    desk.when(held(A, 1, when=0), at=at(5)).then()
    desk.when(discharged(60), at=at(behind + 61)).then(*visit_opened_by("m2", at=at(60)))
    desk.when(freed(A, 2, arrived=60, when=62), at=at(63)).then(
        container_arrived(visit="m2", consignment_id=A, at=at(60)), container_may_leave(1, "m2", A, at=at(63))
    )
    desk.when(out(90), at=at(behind + 91)).then(*goods_left("m4", "m2", A, at=at(90)))
    desk.when(discharged(3 * DAY), at=at(3 * DAY + 1)).then(*visit_opened_by("m5", at=at(3 * DAY)))


@pytest.mark.parametrize("clock", [-3 * DAY, 0, 1000 * DAY])
def test_no_clock_of_a_worker_changes_when_something_happened(clock: int) -> None:
    """The desk reads an arrival from the release desk, a discharge and a finding. If the event time of a report or a
    finding is not believed, its recorded time counts."""
    desk = story(decider)
    desk.when(held(A, 1, arrived=50, when=0), at=at(clock + 5)).then()
    desk.when(discharged(60), at=at(clock + 61), recorded=at(61)).then(
        equipment_event_recorded("m2", EquipmentEvent.DISCHARGED, arrival_of(A), laden=True, at=at(60)),
        visit_opened(arrival_of(A), laden=True, at=at(50)),
        container_arrived(visit=arrival_of(A), consignment_id=A, at=at(50)),
    )
    box = desk.state
    assert [part.arrived_at for part in box.parts] == [at(50)] and [r.at for r in box.reports] == [at(60)]
    wrong = story(decider)
    wrong.when(discharged(-800 * DAY), at=at(clock + 70), recorded=at(70))
    recorded, *others = visit_opened_by("m1", at=at(70))
    wrong.then(recorded.model_copy(update={"disbelieved_time": at(-800 * DAY)}), *others)
    assert [report.at for report in wrong.state.reports] == [at(70)]
    times = story(decider)
    times.when(found("outside", -800 * DAY), at=at(clock + 70), recorded=at(70)).then(
        container_finding_recorded("outside", disbelieved_time=at(-800 * DAY), at=at(70))
    )
    assert [finding.at for finding in times.state.findings] == [at(70)]
