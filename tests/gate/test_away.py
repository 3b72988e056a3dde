"""If the gate desk was down, does it publish events with the times at which they happened, and not with the time at
which it reads their messages?"""

import pytest

from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.boxes import DAY, A, at, discharged, event, found, freed, held, kinds, may_leave, out
from tests.voice import Story


def test_goods_that_were_declared_before_they_were_loaded_are_no_later_paper_when_the_desk_was_away() -> None:
    """The desk reads the terminal's report and the release desk's statements a day after they were written, in any
    order of the two topics."""
    paper = held(A, 1, when=0, direction=Direction.EXPORT)
    release = freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)
    loaded = event(EquipmentEvent.LOADED, 60)
    back = at(60 + DAY)
    for order in ((loaded, paper, release), (paper, loaded, release), (paper, release, loaded)):
        desk = Story(decider, decider.INITIAL)
        for message in order:
            desk.when(message, at=back)
        assert "ConsignmentGatedOut" in kinds(desk)
        assert desk.facts[-1].kind != "ConsignmentLeftUnreleased", order
        box = as_box(desk.state)
        assert not look(box).alarms, order


def test_an_import_that_the_desk_hears_of_after_its_discharge_is_in_the_box_that_came() -> None:
    desk = Story(decider, decider.INITIAL)
    desk.when(discharged(30), at=at(DAY)).when(held(A, 1, when=0), at=at(DAY + 1))
    assert "ContainerArrived" in kinds(desk)
    desk.when(freed(A, 2, arrived=30, when=50), at=at(DAY + 2))
    assert may_leave(desk)


def test_a_hold_after_an_export_was_loaded_does_not_make_it_one_that_left_unreleased() -> None:
    desk = Story(decider, decider.INITIAL)
    desk.when(held(A, 1, when=0, direction=Direction.EXPORT))
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)).when(event(EquipmentEvent.LOADED, 60))
    desk.when(held(A, 3, arrived=10, when=65, direction=Direction.EXPORT))
    assert kinds(desk) == ["GateAlarmRaised"] and desk.answer[0].model_dump()["alarm"] == "held_outside"
    desk = Story(decider, decider.INITIAL)
    desk.when(held(A, 1, when=0, direction=Direction.EXPORT))
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT))
    desk.when(held(A, 3, arrived=10, when=40, direction=Direction.EXPORT)).when(event(EquipmentEvent.LOADED, 60))
    assert "ConsignmentLeftUnreleased" in kinds(desk), "it was held when it was loaded"


def test_a_loading_that_was_heard_before_its_release_is_lawful_whatever_the_release_desk_says_of_it_meanwhile() -> None:
    """When the gate desk publishes that goods left unreleased, the release desk holds them. This later hold must not
    prove that the goods left unreleased."""
    desk = Story(decider, decider.INITIAL)
    desk.when(held(A, 1, arrived=10, when=12, direction=Direction.EXPORT), at=at(90))
    desk.when(event(EquipmentEvent.LOADED, 60), at=at(91))
    assert "ConsignmentLeftUnreleased" in kinds(desk)
    desk.when(freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT), at=at(92))
    assert "DepartureRetracted" in kinds(desk) and "ConsignmentGatedOut" in kinds(desk)
    desk.when(held(A, 3, arrived=10, when=92, direction=Direction.EXPORT), at=at(93))
    assert "ConsignmentLeftUnreleased" not in kinds(desk) and "DepartureRetracted" not in kinds(desk)


def test_a_desk_whose_clock_is_days_behind_keeps_the_times_that_were_told() -> None:
    """A report about the future is refused because of the time in its header, never because of a worker's clock."""
    desk = Story(decider, decider.INITIAL)
    behind = -3 * DAY
    desk.when(held(A, 1, when=0), at=at(5)).when(discharged(60), at=at(behind + 61))
    desk.when(freed(A, 2, arrived=60, when=62), at=at(63))
    assert may_leave(desk)
    desk.when(out(90), at=at(behind + 91))
    assert "ContainerGatedOut" in kinds(desk)
    desk.when(discharged(3 * DAY), at=at(3 * DAY + 1))
    assert kinds(desk) == ["EquipmentEventRecorded", "VisitOpened"]


@pytest.mark.parametrize("clock", [-3 * DAY, 0, 1000 * DAY])
def test_no_clock_of_a_worker_changes_when_something_happened(clock: int) -> None:
    """The desk reads an arrival from the release desk, a discharge and a finding. A report with a wrong date counts
    with the time in its header."""
    desk = Story(decider, decider.INITIAL)
    desk.when(held(A, 1, arrived=50, when=0), at=at(clock + 5))
    desk.when(discharged(60), at=at(clock + 61), recorded=at(61))
    box = desk.state
    assert [part.arrived_at for part in box.parts] == [at(50)] and [r.at for r in box.reports] == [at(60)]
    wrong = Story(decider, decider.INITIAL).when(discharged(-800 * DAY), at=at(clock + 70), recorded=at(70))
    assert [report.at for report in wrong.state.reports] == [at(70)]
    times = Story(decider, decider.INITIAL).when(found("outside", -800 * DAY), at=at(clock + 70), recorded=at(70))
    assert [finding.at for finding in times.state.findings] == [at(70)]
