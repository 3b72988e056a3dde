"""Does a consignment that an officer struck off a container count in it again, if the consignment comes in this
container in a later visit?"""

from datetime import datetime

import pytest

from schemas.envelope import Fact
from schemas.gate import GateAlarmRaised
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from tests import facts
from tests.gate.boxes import DAY, A, B, C, at, discharged, event, freed, held, may_leave, out, struck
from tests.voice import Story, keeps_its_promises, story

FIRST, SECOND = "EVER 041E", "COSCO 017E"


def retracted(when: datetime) -> Fact:
    return facts.strike_retracted(B, why="came_with_it", at=when)


def left_without_b() -> Story:
    """A and B are declared in the container, which comes with the ship of A. B is struck off, and the container leaves
    with A."""
    desk = story(decider, held(A, ship=FIRST), held(B, ship=SECOND), discharged(10, ship=FIRST))
    desk.when(freed(A, 3, ship=FIRST, arrived=10, when=11)).when(struck(B), at=at(20))
    assert may_leave(desk)
    return desk.when(out(60), at=at(60))


def test_goods_that_arrive_in_a_later_visit_count_although_they_were_struck_off_in_an_earlier_one() -> None:
    desk = left_without_b().when(discharged(10 * DAY), at=at(10 * DAY))
    desk.when(held(B, 2, ship=SECOND, arrived=10 * DAY, when=10 * DAY), at=at(10 * DAY + 5))
    assert desk.answer[0] == retracted(at(10 * DAY + 5))
    desk.when(freed(C, 2, ship=SECOND, arrived=10 * DAY, when=10 * DAY + 6), at=at(10 * DAY + 6))
    assert not may_leave(desk)
    desk.when(freed(B, 3, ship=SECOND, arrived=10 * DAY, when=10 * DAY + 9), at=at(10 * DAY + 9))
    assert may_leave(desk)


def test_goods_count_when_the_container_comes_with_the_conveyance_that_they_name() -> None:
    desk = left_without_b().when(discharged(10 * DAY, ship="cosco 017 e"), at=at(10 * DAY))
    assert desk.answer[1] == retracted(at(10 * DAY))
    assert facts.container_arrived(visit=f"m{desk.count}", consignment_id=B, at=at(10 * DAY)) in desk.answer


def test_an_export_that_was_struck_off_an_earlier_visit_is_not_loaded_unseen() -> None:
    desk = story(decider, held(A), discharged(10), freed(A, 3, arrived=10)).when(
        held(B, direction=Direction.EXPORT, when=15), at=at(15)
    )
    desk.when(struck(B), at=at(20)).when(out(60), at=at(60))
    desk.when(event(EquipmentEvent.GATED_IN, 5 * DAY, laden=True), at=at(5 * DAY))
    desk.when(held(B, 2, direction=Direction.EXPORT, arrived=5 * DAY, when=5 * DAY), at=at(5 * DAY + 1))
    desk.when(event(EquipmentEvent.LOADED, 6 * DAY), at=at(6 * DAY))
    [alarm] = [fact for fact in desk.answer if isinstance(fact, GateAlarmRaised)]
    assert (alarm.alarm, alarm.waiting_for) == ("left_unreleased", (B,))


@pytest.mark.parametrize("ship", ["", FIRST, "ANOTHER 1"])
def test_the_strike_stands_while_nothing_says_that_the_goods_came(ship: str) -> None:
    desk = left_without_b().when(discharged(10 * DAY, ship=ship), at=at(10 * DAY))
    desk.when(freed(C, 2, ship=ship, arrived=10 * DAY, when=10 * DAY), at=at(10 * DAY + 1))
    assert may_leave(desk) and as_box(desk.state).struck == (B,)


@pytest.mark.parametrize("arrived", [None, 10.0, 30.0])
def test_the_strike_stands_in_the_visit_in_which_or_before_which_it_was_given(arrived: float | None) -> None:
    early = story(decider, held(A, ship=SECOND), held(B, ship=SECOND)).when(struck(B), at=at(5))
    early.when(discharged(10, ship=SECOND), at=at(10)).when(freed(A, 3, ship=SECOND, arrived=10), at=at(11))
    early.when(held(B, 2, ship=SECOND, arrived=arrived, when=12), at=at(31))
    assert may_leave(early) and as_box(early.state).struck == (B,)


def test_a_strike_is_of_the_next_visit_if_the_departure_before_it_was_reported_late() -> None:
    desk = story(decider, held(A), discharged(10), freed(A, 3, arrived=10)).when(discharged(5 * DAY), at=at(5 * DAY))
    desk.when(held(B, arrived=5 * DAY, when=5 * DAY), at=at(5 * DAY + 1)).when(struck(B), at=at(5 * DAY + 2))
    desk.when(out(60), at=at(5 * DAY + 3))
    assert as_box(desk.state).struck == (B,)


def test_an_officer_strikes_it_off_again() -> None:
    desk = left_without_b().when(discharged(10 * DAY, ship=SECOND), at=at(10 * DAY))
    desk.when(struck(B), at=at(10 * DAY + 1)).then(facts.lot_struck(B, at=at(10 * DAY + 1)))


def test_a_strike_of_the_software_version_before_stands() -> None:
    desk = left_without_b()
    written = decider.STATE.dump_json(desk.state)
    begin = written.index(b'"struck_at":')
    end = written.index(b"}", begin) + 2
    desk.state = decider.STATE.validate_json(written[:begin] + written[end:])
    desk.when(discharged(10 * DAY, ship=SECOND), at=at(10 * DAY))
    assert as_box(desk.state).struck == (B,)


def test_whatever_ends_a_strike_ends_it_once() -> None:
    keeps_its_promises(
        decider,
        [
            held(A, ship=FIRST),
            held(B, ship=SECOND),
            discharged(1, ship=FIRST),
            struck(B),
            out(100),
            discharged(10 * DAY, ship=SECOND),
            struck(B),
        ],
    )
