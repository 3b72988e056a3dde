"""Is there an alarm if a container leaves in any way although an officer holds it, and if it leaves empty although it
came laden?"""

import pytest

from schemas.gate import RecordEquipmentEvent
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests import facts
from tests.gate.boxes import A, at, box_held, box_let_go, discharged, event, freed, held, out, retracted
from tests.voice import Story, story

GATED_IN, OUT, LOADED = EquipmentEvent.GATED_IN, EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED


def released_export() -> Story:
    """An export that was gated in and released."""
    desk = story(decider, event(GATED_IN, 0, laden=True), held(direction=Direction.EXPORT))
    return desk.when(freed(direction=Direction.EXPORT, arrived=0))


def alarms(desk: Story) -> list[tuple[str, str, bool]]:
    """The alarms about departures that follow from what the desk has read: kind, reason, and whether the alarm
    keeps the container here."""
    return [(alarm.alarm, alarm.why, alarm.blocks) for alarm in look(as_box(desk.state)).alarms]


def test_a_released_export_that_is_loaded_although_its_container_is_held_is_an_alarm() -> None:
    desk = released_export().when(box_held(), at=at(10))
    desk.when(event(LOADED, 30, laden=True), at=at(30)).then(
        facts.equipment_event_recorded("m5", LOADED, "m1", laden=True, at=at(30)),
        facts.visit_closed("m1", "loaded", "m5", consignments=(A,), at=at(30)),
        facts.gate_alarm_raised("m1", "m5", waiting_for=(A,), why="left_against_no", gate="berth 1", at=at(30)),
        facts.consignment_gated_out(visit="m1", consignment_id=A, at=at(30)),
    )


def test_an_empty_that_leaves_although_it_is_held_is_an_alarm() -> None:
    desk = story(decider, discharged(0, laden=False), box_held())
    desk.when(event(OUT, 30, laden=False), at=at(30)).then(
        facts.equipment_event_recorded("m3", OUT, "m1", laden=False, at=at(30)),
        facts.visit_closed("m1", "left_empty", "m3", consignments=(), at=at(30)),
        facts.gate_alarm_raised("m1", "m3", waiting_for=(), why="left_against_no", gate="berth 1", at=at(30)),
    )


@pytest.mark.parametrize("kind", [OUT, LOADED])
@pytest.mark.parametrize("laden", [True, False, None])
def test_a_held_container_of_which_nothing_else_is_known_leaves_with_an_alarm(
    kind: EquipmentEvent, laden: bool | None
) -> None:
    desk = story(decider, box_held()).when(event(kind, 30, laden=laden), at=at(30))
    assert [blocks for _, _, blocks in alarms(desk)] == [True]


def test_a_held_container_that_comes_back_empty_had_left_against_the_hold() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A)).when(box_held(), at=at(10))
    desk.when(discharged(3000, laden=False, berth="depot"), at=at(3000))
    assert alarms(desk) == [("departure_not_reported", "came_again", True)]


@pytest.mark.parametrize("kind", [OUT, LOADED])
def test_what_left_before_the_hold_or_after_its_end_left_lawfully(kind: EquipmentEvent) -> None:
    laden = None if kind is LOADED else False
    first = discharged(0, laden=False)
    late = story(decider, first).when(box_held(), at=at(60)).when(event(kind, 30, laden=laden), at=at(90))
    lifted = story(decider, first).when(box_held(), at=at(10)).when(box_let_go("m2"), at=at(20))
    lifted.when(event(kind, 30, laden=laden), at=at(30))
    assert alarms(late) == alarms(lifted) == []


def test_a_departure_that_is_reported_after_the_hold_was_lifted_was_against_the_hold() -> None:
    desk = released_export().when(box_held(), at=at(10)).when(box_let_go("m4"), at=at(40))
    desk.when(event(LOADED, 30), at=at(90))
    assert alarms(desk) == [("left_unreleased", "left_against_no", True)]


def test_a_retracted_report_takes_the_alarm_with_it() -> None:
    desk = released_export().when(box_held(), at=at(10)).when(event(LOADED, 30), at=at(30))
    desk.when(retracted("m5"), at=at(40))
    assert alarms(desk) == []


def test_a_hold_in_a_record_of_the_software_version_before_accuses_no_departure() -> None:
    desk = story(decider, discharged(0, laden=False), box_held())
    written = decider.STATE.dump_json(desk.state)
    [hold] = as_box(desk.state).holds
    desk.state = decider.STATE.validate_json(
        written.replace(f',"at":"{hold.at:%Y-%m-%dT%H:%M:%SZ}","until":null'.encode(), b"")
    )
    assert as_box(desk.state).holds[0].at is None
    desk.when(event(OUT, 30, laden=False), at=at(30))
    assert alarms(desk) == []


def test_a_container_that_came_laden_and_leaves_as_an_empty_is_an_alarm_although_nothing_was_declared() -> None:
    desk = story(decider, discharged(0, laden=True))
    desk.when(event(OUT, 30, laden=False), at=at(30)).then(
        facts.equipment_event_recorded("m2", OUT, "m1", laden=False, at=at(30)),
        facts.visit_closed("m1", "left_empty", "m2", consignments=(), at=at(30)),
        facts.gate_alarm_raised(
            "m1",
            "m2",
            waiting_for=(),
            alarm="empty_left_laden",
            why="left_undeclared",
            blocks=False,
            gate="berth 1",
            at=at(30),
        ),
    )


def test_it_is_none_if_it_was_stripped_or_nobody_said_that_it_was_laden() -> None:
    stripped = story(decider, discharged(0, laden=True), event(EquipmentEvent.STRIPPED, 10, laden=False))
    unknown = story(decider, discharged(0, laden=None))
    for desk in (stripped, unknown):
        desk.when(event(OUT, 30, laden=False), at=at(30))
        assert alarms(desk) == []


def test_a_container_that_was_stuffed_here_and_leaves_as_an_empty_is_an_alarm() -> None:
    desk = story(decider, discharged(0, laden=False), event(EquipmentEvent.STUFFED, 10, laden=True))
    desk.when(event(OUT, 30, laden=False), at=at(30))
    assert alarms(desk) == [("empty_left_laden", "left_undeclared", False)]


def test_a_held_container_that_leaves_by_the_gate_has_one_alarm() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0), freed(A)).when(box_held(), at=at(10))
    desk.when(out(30), at=at(30))
    assert alarms(desk) == [("left_unreleased", "left_against_no", True)]


def test_a_laden_container_from_the_land_side_that_is_loaded_undeclared_is_an_alarm() -> None:
    """The container may be a cancelled export that an officer let out and that came back. The alarm shows that it is
    exported without another declaration."""
    desk = story(decider, event(GATED_IN, 0, laden=True))
    desk.when(event(LOADED, 30), at=at(30)).then(
        facts.equipment_event_recorded("m2", LOADED, "m1", at=at(30)),
        facts.visit_closed("m1", "loaded", "m2", consignments=(), at=at(30)),
        facts.gate_alarm_raised(
            "m1",
            "m2",
            waiting_for=(),
            alarm="left_undeclared",
            why="left_undeclared",
            blocks=False,
            gate="berth 1",
            at=at(30),
        ),
    )


@pytest.mark.parametrize(
    "opening", [discharged(0, laden=True), event(GATED_IN, 0, laden=False), event(GATED_IN, 0, laden=None)]
)
def test_what_is_transhipped_or_not_known_to_be_laden_is_loaded_without_an_alarm(opening: RecordEquipmentEvent) -> None:
    assert alarms(story(decider, opening).when(event(LOADED, 30), at=at(30))) == []
