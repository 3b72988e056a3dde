"""Which report stands if one event is reported twice, and neither report names the other? The report that was sent first, whichever has the
earlier event time; in doubt a person has to look."""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import EquipmentEventRecorded, GateAlarmRaised, VisitClosed, VisitOpened
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.boxes import DAY, A, B, at, discharged, event, found, freed, held, kinds, may_leave, out, retracted
from tests.gate.test_visits import alarms, left
from tests.voice import Story, story

LOADED = EquipmentEvent.LOADED


def released_at(minute: float) -> Story:
    desk = story(decider, discharged(0)).when(held(A, arrived=0, when=5), at=at(5))
    return desk.when(freed(A, arrived=0, when=minute), at=at(minute))


def ended(desk: Story) -> list[tuple[str, float]]:
    """The ends of the visits: by which report, and at which minute after noon."""
    truth = look(as_box(desk.state))
    return [(v.closing.id, (v.closed - at(0)).total_seconds() / 60) for v in truth.visits if v.closing and v.closed]


def test_a_second_report_of_a_departure_with_an_earlier_time_is_no_other_departure() -> None:
    desk = released_at(10).when(out(60), message_id="first", at=at(61))
    desk.when(out(40, gate="G2"), message_id="second", at=at(90))
    [recorded] = [fact for fact in desk.answer if isinstance(fact, EquipmentEventRecorded)]
    assert kinds(desk) == ["EquipmentEventRecorded"] and recorded.retells == "first"
    assert ended(desk) == [("first", 60)] and left(desk, A) == ["ConsignmentGatedOut"]


def test_a_second_report_that_says_it_left_before_the_release_is_an_alarm_and_changes_nothing_of_how_goods_left() -> (
    None
):
    desk = released_at(120).when(out(180), message_id="first", at=at(181))
    desk.when(out(60), message_id="second", at=at(200))
    [alarm] = [fact for fact in desk.answer if isinstance(fact, GateAlarmRaised)]
    assert (alarm.alarm, alarm.why, alarm.report_id, alarm.waiting_for) == (
        "left_unreleased",
        "told_earlier",
        "second",
        (A,),
    )
    assert alarm.blocks and alarm.occurred_at == at(60)
    assert left(desk, A) == ["ConsignmentGatedOut"] and ended(desk) == [("first", 180)]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk), "somebody looks first"
    desk.when(found("outside", 300), at=at(DAY + 1))
    assert may_leave(desk)


@pytest.mark.parametrize("who", ["second", "first"])
def test_its_sender_takes_the_wrong_one_back(who: str) -> None:
    desk = released_at(120).when(out(180), message_id="first", at=at(181))
    desk.when(out(60), message_id="second", at=at(200)).when(retracted(who), at=at(210))
    if who == "second":
        assert left(desk, A) == ["ConsignmentGatedOut"] and look(as_box(desk.state)).alarms == []
    else:
        assert left(desk, A)[-1] == "ConsignmentLeftUnreleased" and ended(desk) == [("second", 60)]


def test_a_correction_names_what_it_replaces_and_stands() -> None:
    desk = released_at(10).when(out(60), message_id="first", at=at(61))
    desk.when(event(EquipmentEvent.GATED_OUT, 40, replaces="first"), message_id="second", at=at(90))
    assert ended(desk) == [("second", 40)]


def test_goods_go_aboard_as_it_was_told_first() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0, direction=Direction.EXPORT))
    desk.when(freed(A, arrived=0, when=120, direction=Direction.EXPORT), at=at(120))
    desk.when(event(LOADED, 180), message_id="first", at=at(181))
    desk.when(event(LOADED, 60), message_id="second", at=at(200))
    assert left(desk, A) == ["ConsignmentGatedOut"] and alarms(desk) == ["left_unreleased"]


def test_a_second_report_of_an_opening_with_an_earlier_time_opens_no_other_visit() -> None:
    desk = story(decider).when(discharged(60), message_id="first", at=at(61))
    desk.when(discharged(10, ship="SHIP 1"), message_id="second", at=at(90))
    visits = [fact for fact in desk.facts if isinstance(fact, VisitOpened | VisitClosed)]
    assert [(fact.kind, fact.visit) for fact in visits] == [("VisitOpened", "first")]
    [visit] = look(as_box(desk.state)).visits
    assert (visit.id, visit.opened, visit.conveyance) == ("first", at(60), "SHIP 1")


@pytest.mark.parametrize("later", [100.0, 130.0])
def test_the_same_is_true_in_whatever_order_the_reports_are_read(later: float) -> None:
    """The time in its header decides which report is the first one, and not the time at which the desk reads it."""
    messages: list[tuple[str, Message, float]] = [
        ("d1", discharged(0), 300.0),
        ("d2", discharged(30), 40.0),
        ("o1", out(120), 125.0),
        ("o2", out(later), 260.0),
        ("o3", out(150), 280.0),
    ]
    ends = set()
    for order in permutations(messages):
        desk = story(decider)
        for name, message, sent in order:
            desk.when(message, message_id=name, at=at(400), recorded=at(sent))
        truth = look(as_box(desk.state))
        ends.add((tuple(sorted(truth.retells.items())), tuple((v.id, v.opened, v.closed) for v in truth.visits)))
    [(retells, visits)] = ends
    assert visits[0][0] == "d2" and dict(retells)["d1"] == "d2"
    assert dict(retells)["o3"] == "o1"
