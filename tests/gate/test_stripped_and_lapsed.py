"""If goods were released when their container was stripped, they were handed out without the container. Does a later
statement about these goods hold the empty container, or raise an alarm about the container?"""

import pytest

from schemas.gate import ConsignmentLeftUnreleased, GateAlarmRaised
from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from tests.gate.boxes import DAY, A, B, at, discharged, event, freed, held, may_leave, out
from tests.voice import Story, story

OUT, STRIPPED = EquipmentEvent.GATED_OUT, EquipmentEvent.STRIPPED


def stripped() -> Story:
    """A was released, and then the container was stripped."""
    desk = story(decider, held(A), discharged(10)).when(freed(A, 2, arrived=10, when=11), at=at(11))
    return desk.when(event(STRIPPED, 30, laden=False), at=at(30))


def accused(desk: Story) -> list[str]:
    """The kinds of the facts which say that goods left, or may have left, without release."""
    return [fact.kind for fact in desk.facts if isinstance(fact, GateAlarmRaised | ConsignmentLeftUnreleased)]


@pytest.mark.parametrize("laden", [None, False])
def test_a_release_that_lapses_after_the_stripping_accuses_no_empty_container(laden: bool | None) -> None:
    desk = stripped().when(held(A, 3, arrived=10, when=31 * DAY), at=at(31 * DAY))
    desk.when(event(OUT, 32 * DAY, laden=laden), at=at(32 * DAY))
    assert accused(desk) == []
    desk.when(discharged(40 * DAY), at=at(40 * DAY)).when(freed(B, arrived=40 * DAY, when=40 * DAY), at=at(40 * DAY))
    assert may_leave(desk)


def test_it_does_not_matter_whether_the_release_lapses_before_or_after_the_empty_container_left() -> None:
    desk = stripped().when(event(OUT, 2 * DAY, laden=False), at=at(2 * DAY))
    desk.when(held(A, 3, arrived=10, when=31 * DAY), at=at(31 * DAY))
    assert accused(desk) == []


def test_goods_that_were_called_back_before_the_stripping_may_be_in_the_container() -> None:
    desk = story(decider, held(A), discharged(10)).when(freed(A, 2, arrived=10, when=11), at=at(11))
    desk.when(held(A, 3, arrived=10, when=20), at=at(20)).when(event(STRIPPED, 30, laden=False), at=at(30))
    desk.when(event(OUT, 60, laden=False), at=at(60))
    assert accused(desk) == ["GateAlarmRaised", "ConsignmentLeftUnreleased"]


def test_goods_that_were_released_only_after_the_stripping_leave_by_their_bill_as_before() -> None:
    desk = story(decider, held(A), discharged(10)).when(held(A, 2, arrived=10, when=11), at=at(11))
    desk.when(event(STRIPPED, 30, laden=False), at=at(30)).when(freed(A, 3, arrived=10, when=40), at=at(40))
    desk.when(out(60), at=at(60))
    assert accused(desk) == []
