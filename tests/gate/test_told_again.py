"""What counts if a departure or an opening is reported twice, with different event times, and the second report does
not name the first? The stricter result counts, and the visit keeps its id."""

from itertools import permutations

import pytest

from schemas.envelope import Message
from schemas.gate import ContainerArrived, EquipmentEventRecorded, GateAlarmRaised, VisitClosed, VisitOpened
from schemas.vocabulary import Direction, EquipmentEvent, ExitGround
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.boxes import (
    DAY,
    A,
    B,
    C,
    at,
    discharged,
    event,
    found,
    freed,
    held,
    may_leave,
    out,
    permitted,
    retracted,
)
from tests.voice import Story, story

OUT, LOADED = EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED
OTHER = "MSKU9070323"
"""Another container."""


def kinds(desk: Story) -> list[str]:
    """Returns the kinds of the facts of the last answer."""
    return [fact.kind for fact in desk.answer]


def alarms(desk: Story) -> list[str]:
    return [fact.alarm for fact in desk.facts if isinstance(fact, GateAlarmRaised)]


def left(desk: Story, consignment_id: str) -> list[str]:
    """Returns the kinds of the facts about the departures of one consignment."""
    departures = ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted")
    return [fact.kind for fact in desk.facts if fact.kind in departures and fact.key == consignment_id]


def released_at(minute: float) -> Story:
    desk = story(decider, discharged(0)).when(held(A, arrived=0, when=5), at=at(5))
    return desk.when(freed(A, arrived=0, when=minute), at=at(minute))


def ended(desk: Story) -> list[tuple[str, float]]:
    """Returns, for each visit that ended, the id of the report that ended it, and the minute after noon at which it
    ended."""
    visits = look(as_box(desk.state)).visits
    return [(v.closing.id, (v.closed - at(0)).total_seconds() / 60) for v in visits if v.closing and v.closed]


def opened(desk: Story) -> list[tuple[str, float]]:
    """Returns, for each visit, its id and the minute after noon at which it opened."""
    return [(v.id, (v.opened - at(0)).total_seconds() / 60) for v in look(as_box(desk.state)).visits]


# departures


def test_of_two_times_of_a_departure_the_earlier_one_counts_and_goods_that_were_released_by_then_left_released() -> (
    None
):
    desk = released_at(10).when(out(60), message_id="first", at=at(61)).when(out(40), message_id="second", at=at(90))
    assert kinds(desk) == ["EquipmentEventRecorded", "ContainerGatedOut", "ConsignmentGatedOut"]
    assert ended(desk) == [("second", 40)] and set(left(desk, A)) == {"ConsignmentGatedOut"} and alarms(desk) == []
    desk.when(out(50), message_id="third", at=at(95))
    [recorded] = [fact for fact in desk.answer if isinstance(fact, EquipmentEventRecorded)]
    assert kinds(desk) == ["EquipmentEventRecorded"] and recorded.retells == "second"


def test_goods_that_by_one_of_the_reports_left_before_their_release_left_without_it_until_somebody_looks() -> None:
    desk = released_at(120).when(out(180), message_id="first", at=at(181))
    desk.when(out(60), message_id="second", at=at(200))
    [alarm] = [fact for fact in desk.answer if isinstance(fact, GateAlarmRaised)]
    assert (alarm.alarm, alarm.why, alarm.report_id, alarm.blocks) == ("left_unreleased", "left_before", "second", True)
    assert left(desk, A)[-2:] == ["DepartureRetracted", "ConsignmentLeftUnreleased"]
    assert ended(desk) == [("second", 60)]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk), "somebody looks first"
    desk.when(found("outside", 300), at=at(DAY + 1))
    assert may_leave(desk)


def test_who_sent_the_wrong_report_takes_it_back_and_the_other_one_counts() -> None:
    desk = released_at(120).when(out(180), message_id="first", at=at(181))
    desk.when(out(60), message_id="second", at=at(200)).when(retracted("second"), at=at(210))
    assert left(desk, A)[-1] == "ConsignmentGatedOut" and ended(desk) == [("first", 180)]
    assert look(as_box(desk.state)).alarms == []


def test_an_officer_who_saw_it_inside_between_the_two_times_shows_that_the_earlier_report_is_wrong() -> None:
    desk = released_at(120).when(out(180), message_id="first", at=at(181))
    desk.when(event(OUT, 60, sender="other"), message_id="second", at=at(200)).when(found("inside", 100), at=at(210))
    assert left(desk, A)[-1] == "ConsignmentGatedOut" and ended(desk) == [("first", 180)]


def test_goods_that_by_one_of_the_reports_went_aboard_before_their_release_left_without_it() -> None:
    desk = story(decider, discharged(0), held(A, arrived=0, direction=Direction.EXPORT))
    desk.when(freed(A, arrived=0, when=120, direction=Direction.EXPORT), at=at(120))
    desk.when(event(LOADED, 180), message_id="first", at=at(181))
    desk.when(event(LOADED, 60), message_id="second", at=at(200))
    assert left(desk, A)[-1] == "ConsignmentLeftUnreleased" and alarms(desk) == ["left_unreleased"]


@pytest.mark.parametrize("minute", [60, 180, 200])
def test_a_box_that_one_report_calls_empty_and_another_one_laden_is_looked_for_if_it_might_have_had_goods(
    minute: float,
) -> None:
    desk = story(decider, discharged(0, laden=None)).when(event(OUT, 180, laden=False), message_id="first", at=at(181))
    assert alarms(desk) == []
    desk.when(event(OUT, minute, laden=True), message_id="second", at=at(210))
    assert alarms(desk) == ["left_undeclared"]
    desk.when(freed(B, arrived=DAY, when=DAY), at=at(DAY))
    assert not may_leave(desk)
    desk.when(retracted("second"), at=at(DAY + 1))
    assert may_leave(desk)


def departures(desk: Story, earlier: bool | None, later: bool | None, sender: str) -> Story:
    """Lets the desk read two reports of the departure: first the terminal's report with the earlier event time, and
    then the report of `sender` with the later one. `earlier`, `later`: the value of `laden` in each report."""
    desk.when(event(OUT, 180, laden=earlier), message_id="earlier", at=at(181))
    return desk.when(event(OUT, 190, laden=later, sender=sender), message_id="later", at=at(191))


def end_of(desk: Story) -> tuple[str, list[str], tuple[str, ...]]:
    """Returns how the last visit ended, the kinds of all alarms, and the goods that the blocking alarms name."""
    truth = look(as_box(desk.state))
    named = tuple([name for alarm in truth.alarms if alarm.blocks for name in alarm.waiting_for])
    return truth.visits[-1].how, [alarm.alarm for alarm in truth.alarms], named


BOTH_ORDERS = pytest.mark.parametrize(("earlier", "later"), [(False, None), (None, False)], ids=["empty first", "last"])


@BOTH_ORDERS
def test_goods_are_not_hidden_behind_a_report_of_an_empty_box_if_another_sender_does_not_know_whether_it_was_empty(
    earlier: bool | None, later: bool | None
) -> None:
    """In an older version, only the report with the earlier event time counted. If this report said that the box was
    empty, nobody learned that goods may have left in it."""
    expected = story(decider, discharged(0, laden=None), held(A))
    assert end_of(departures(expected, earlier, later, "carrier")) == ("gated_out", ["left_unreleased"], (A,))
    arrived = story(decider, discharged(0), held(A, arrived=0))
    assert end_of(departures(arrived, earlier, later, "carrier")) == ("gated_out", ["left_unreleased"], (A,))
    undeclared = story(decider, discharged(0))
    assert end_of(departures(undeclared, earlier, later, "carrier")) == ("gated_out", ["left_undeclared"], ())


@BOTH_ORDERS
def test_a_second_report_that_only_omits_laden_keeps_no_box_that_brought_nothing_or_was_stripped(
    earlier: bool | None, later: bool | None
) -> None:
    """In the first case the box came empty, and `A` is expected with a later visit. In the second case the box was
    stripped. In both cases no goods can be in the box, so there is no alarm."""
    nothing = story(decider, discharged(0, laden=False), held(A))
    assert end_of(departures(nothing, earlier, later, "carrier")) == ("left_empty", [], ())
    stripped = story(decider, discharged(0), event(EquipmentEvent.STRIPPED, 60))
    assert end_of(departures(stripped, earlier, later, "carrier")) == ("left_empty", [], ())


@BOTH_ORDERS
def test_a_sender_who_omits_laden_in_one_of_two_reports_says_it_in_the_other(
    earlier: bool | None, later: bool | None
) -> None:
    """If both reports are of the terminal and one of them omits `laden`, this alone raises no alarm. Goods that are
    known to be inside still raise one."""
    undeclared = story(decider, discharged(0, laden=None))
    assert end_of(departures(undeclared, earlier, later, "terminal")) == ("left_empty", [], ())
    expected = story(decider, discharged(0, laden=None), held(A))
    assert end_of(departures(expected, earlier, later, "terminal")) == ("left_empty", [], ())
    arrived = story(decider, discharged(0), held(A, arrived=0))
    assert end_of(departures(arrived, earlier, later, "terminal")) == ("left_empty", ["empty_left_laden"], (A,))


@BOTH_ORDERS
def test_goods_that_were_allowed_to_leave_left_with_the_box_if_one_sender_does_not_know_whether_it_was_empty(
    earlier: bool | None, later: bool | None
) -> None:
    assert end_of(departures(released_at(10), earlier, later, "carrier")) == ("gated_out", [], ())
    assert set(left(departures(released_at(10), earlier, later, "carrier"), A)) == {"ConsignmentGatedOut"}


def test_a_sender_who_does_not_know_leaves_nothing_open_after_the_report_is_taken_back() -> None:
    desk = departures(story(decider, discharged(0, laden=None), held(A)), False, None, "carrier")
    desk.when(retracted("later", "carrier"), at=at(200))
    assert end_of(desk) == ("left_empty", [], ())


def test_a_stripped_box_that_another_sender_calls_laden_is_looked_for() -> None:
    stripped = story(decider, discharged(0), event(EquipmentEvent.STRIPPED, 60))
    assert end_of(departures(stripped, None, True, "carrier")) == ("gated_out", ["left_undeclared"], ())


def test_a_box_that_left_with_released_goods_is_no_alarm_because_one_report_calls_it_empty() -> None:
    desk = released_at(10).when(event(OUT, 180, laden=False), message_id="first", at=at(181))
    desk.when(event(OUT, 200, laden=True), message_id="second", at=at(210))
    assert kinds(desk) == ["EquipmentEventRecorded"]
    desk.when(event(OUT, 60, laden=True), message_id="third", at=at(220))
    assert alarms(desk) == [] and set(left(desk, A)) == {"ConsignmentGatedOut"}


def test_what_was_found_outside_between_two_reports_of_a_departure_left_as_the_earlier_one_says() -> None:
    desk = released_at(120).when(out(240), message_id="first", at=at(241)).when(found("outside", 180), at=at(250))
    desk.when(out(60), message_id="second", at=at(260))
    assert alarms(desk) == ["left_unreleased"] and ended(desk) == [("second", 60)]


# openings


def test_a_second_report_of_an_opening_with_an_earlier_time_opens_no_other_visit() -> None:
    desk = story(decider, held(A)).when(discharged(60), message_id="first", at=at(61))
    desk.when(discharged(10, ship="SHIP 1"), message_id="second", at=at(90))
    [recorded] = [fact for fact in desk.answer if isinstance(fact, EquipmentEventRecorded)]
    assert kinds(desk) == ["EquipmentEventRecorded"] and (recorded.retells, recorded.visit) == ("first", "first")
    [visit] = look(as_box(desk.state)).visits
    assert (visit.id, visit.opened, visit.conveyance) == ("first", at(10), "SHIP 1")
    desk.when(out(200), at=at(200))
    published = [(fact.kind, fact.visit) for fact in desk.facts if isinstance(fact, VisitOpened | VisitClosed)]
    assert published == [("VisitOpened", "first"), ("VisitClosed", "first")]


def test_the_visit_goes_on_if_the_first_of_two_reports_of_its_opening_is_taken_back() -> None:
    desk = story(decider).when(discharged(60), message_id="first", at=at(61))
    desk.when(freed(A, arrived=60, when=70), at=at(70)).when(discharged(10), message_id="second", at=at(90))
    desk.when(retracted("first"), at=at(100))
    assert opened(desk) == [("second", 10)] and may_leave(desk)


def test_goods_that_were_declared_after_the_first_report_of_an_opening_have_not_come_with_it_because_of_a_second_one() -> (
    None
):
    """The declaration of the goods names no conveyance, so the goods may come with the next visit of the container."""
    desk = story(decider).when(discharged(60), message_id="first", at=at(61)).when(held(A, when=80), at=at(80))
    desk.when(discharged(10), message_id="second", at=at(90))
    assert not [fact for fact in desk.facts if isinstance(fact, ContainerArrived)]


def told_earlier(desk: Story, minute: float, ship: str = "", laden: bool | None = True) -> Story:
    """Lets the desk, which has read the report `first` of an opening, read one more report of this opening at minute
    300. `minute`: the event time of the new report."""
    return desk.when(discharged(minute, ship=ship, laden=laden), at=at(300))


@pytest.mark.parametrize("ships", [("SHIP 1", ""), ("", "SHIP 1")])
def test_the_conveyance_of_one_report_is_that_of_all(ships: tuple[str, str]) -> None:
    desk = story(decider).when(discharged(120), message_id="first", at=at(121))
    desk.when(freed(A, ship="SHIP 2", arrived=120, when=130), at=at(130))
    assert may_leave(desk)
    told_earlier(told_earlier(desk, 0, ships[0]), 60, ships[1])
    assert opened(desk) == [("first", 0)] and not may_leave(desk), "one of the reports is wrong"


def test_an_earlier_report_of_another_ship_is_another_opening_whatever_was_told_between() -> None:
    desk = story(decider).when(discharged(120, ship="SHIP 2"), message_id="first", at=at(121))
    told_earlier(told_earlier(desk, 60), 0, "SHIP 1")
    assert len(opened(desk)) == 2 and opened(desk)[-1] == ("first", 120)


@pytest.mark.parametrize("minute", [60, 120, 150])
def test_a_box_that_one_report_calls_empty_and_another_one_laden_may_have_brought_goods(minute: float) -> None:
    desk = story(decider).when(discharged(120, laden=False), message_id="first", at=at(121))
    desk.when(freed(A, arrived=200, when=200).model_copy(update={"source": OTHER}), at=at(200))
    stuffed = event(EquipmentEvent.STUFFED, 200).model_copy(update={"sources": (OTHER,)})
    desk.when(stuffed, message_id="stuffed", at=at(201))
    assert may_leave(desk)
    told_earlier(desk, minute)
    assert len(opened(desk)) == 1 and not may_leave(desk)


@pytest.mark.parametrize("minute", [4 * DAY, 5 * DAY, 5 * DAY + 30])
def test_a_box_that_one_report_calls_laden_did_not_come_back_empty(minute: float) -> None:
    desk = story(decider, discharged(0), freed(A, arrived=0))
    desk.when(discharged(5 * DAY, laden=False), message_id="first", at=at(5 * DAY))
    assert alarms(desk) == []
    desk.when(discharged(minute, laden=True), at=at(5 * DAY + 60))
    assert alarms(desk) == ["departure_not_reported"]


def test_goods_that_came_between_the_two_times_of_an_opening_are_not_of_the_visit_before() -> None:
    desk = story(decider, discharged(-5 * DAY, ship="SHIP 1"), freed(C, arrived=-5 * DAY, when=-5 * DAY, ship="SHIP 1"))
    desk.when(freed(A, bill="a", ship="SHIP 2", arrived=60, when=70), at=at(70))
    desk.when(discharged(120, ship="SHIP 2"), message_id="first", at=at(121))
    desk.when(freed(B, bill="b", ship="SHIP 2", arrived=120, when=130), at=at(130))
    told_earlier(desk, 30, "SHIP 2").when(held(A, 3, bill="a", ship="SHIP 2", arrived=60, when=310), at=at(310))
    assert opened(desk)[-1] == ("first", 30) and not may_leave(desk)


@pytest.mark.parametrize("kind", [EquipmentEvent.STUFFED, EquipmentEvent.STRIPPED])
def test_what_was_done_with_the_box_between_the_two_times_of_its_opening_was_done_in_this_visit(
    kind: EquipmentEvent,
) -> None:
    desk = story(decider).when(discharged(120), message_id="first", at=at(121))
    desk.when(freed(A, arrived=120, when=130), at=at(130)).when(event(kind, 90), at=at(131))
    assert may_leave(desk), "nobody told of a visit at that time"
    told_earlier(desk, 60)
    assert opened(desk) == [("first", 60)] and not may_leave(desk)


def test_a_paper_that_was_withdrawn_between_the_two_times_of_an_opening_leaves_its_goods_in_the_box() -> None:
    desk = story(decider).when(held(A, bill="a"), at=at(0))
    desk.when(freed(A, 3, bill="a", released=False, arrived=None, when=90), at=at(90))
    desk.when(discharged(120), message_id="first", at=at(121))
    desk.when(freed(B, bill="b", arrived=120, when=130), at=at(130))
    assert may_leave(desk)
    told_earlier(desk, 60)
    assert not may_leave(desk)


@pytest.mark.parametrize("later", [100.0, 130.0])
def test_the_same_is_true_in_whatever_order_the_reports_are_read(later: float) -> None:
    """The recorded times in the headers of the reports decide which report is the first one. The order in which the
    desk reads the reports does not matter."""
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
        belongs, retells = tuple(sorted(truth.belongs.items())), tuple(sorted(truth.retells.items()))
        ends.add((retells, belongs, tuple((v.id, v.opened, v.closed) for v in truth.visits)))
    [(retells, belongs, visits)] = ends
    assert visits == (("d2", at(0), at(min(120, later))),) and set(dict(belongs).values()) == {"d2"}
    assert (
        dict(retells) == {"d1": "d2", "o3": "o1", "o2": "o1"} if later > 120 else {"d1": "d2", "o3": "o2", "o1": "o2"}
    )


def test_a_visit_keeps_its_id_when_the_visit_that_its_opening_ended_is_forgotten() -> None:
    desk = story(decider, discharged(0)).when(discharged(DAY * 5, laden=False), message_id="first", at=at(DAY * 5 + 1))
    desk.when(discharged(DAY * 5, laden=True), message_id="second", at=at(DAY * 5 + 9))
    assert [name for name, _ in opened(desk)][1:] == ["first"]
    desk.when(held(A, when=800 * DAY), at=at(800 * DAY))
    assert [name for name, _ in opened(desk)] == ["first"]


# the next visit; goods that are called back


@pytest.mark.parametrize("end", ["out", "came again", "found outside"])
def test_a_permit_lets_nothing_out_in_the_next_visit(end: str) -> None:
    """The goods may have left under the permit. Then the container comes back laden, with goods that nobody
    declared."""
    desk = story(decider).when(event(EquipmentEvent.GATED_IN, 0, laden=True), at=at(1))
    desk.when(held(A, when=2, direction=Direction.EXPORT), at=at(2)).when(
        permitted(A, ExitGround.EXPORT_CANCELLED), at=at(5)
    )
    assert may_leave(desk)
    if end != "came again":
        desk.when(out(10) if end == "out" else found("outside", 10), at=at(11))
    desk.when(discharged(5 * DAY, laden=True), at=at(5 * DAY))
    assert not may_leave(desk)
    desk.when(permitted(A, ExitGround.EXPORT_CANCELLED), at=at(5 * DAY + 5))
    assert may_leave(desk), "an officer has decided again"


@pytest.mark.parametrize("end", ["GTOT", "empty", "came back empty", "came back laden", "found outside"])
def test_goods_that_left_with_their_release_and_are_called_back_raise_the_same_alarm_however_their_departure_was_told(
    end: str,
) -> None:
    """The alarm keeps no container here, because the goods are outside."""
    desk = story(decider, discharged(0, "S 1"), held(A, 1, ship="S 1", arrived=0, when=1))
    desk.when(freed(A, 2, ship="S 1", arrived=0, when=10))
    ends: dict[str, Message] = {
        "GTOT": out(5 * DAY),
        "empty": event(EquipmentEvent.GATED_OUT, 5 * DAY, laden=False),
        "came back empty": discharged(5 * DAY, "T 2", laden=False),
        "came back laden": discharged(5 * DAY, "T 2"),
        "found outside": found("outside", 5 * DAY),
    }
    desk.when(ends[end]).when(held(A, 3, ship="S 1", arrived=0, when=6 * DAY))
    [alarm] = [fact for fact in desk.answer if isinstance(fact, GateAlarmRaised)]
    assert (alarm.alarm, alarm.why, alarm.waiting_for, alarm.blocks) == ("held_outside", "held_after", (A,), False)
    assert not [fact.kind for fact in desk.facts if fact.kind in ("ConsignmentLeftUnreleased", "DepartureRetracted")]
