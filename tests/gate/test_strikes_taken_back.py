"""If an officer struck the wrong consignment off a container, can the strike be retracted, and is everything then as if
there had been none?"""

import pytest

from schemas.gate import RetractStrike
from schemas.vocabulary import consignment_id
from services.gate import decider, statements
from services.gate.box import as_box
from tests.declaration.good import BOX
from tests.gate.boxes import A, B, at, discharged, found, freed, held, kinds, may_leave, out, struck
from tests.gate.test_visits import alarms, left
from tests.voice import NOON, keeps_its_promises, story


def put_back(who: str) -> RetractStrike:
    return RetractStrike(
        container_no=BOX, asked_by="officer-li", occurred_at=NOON, consignment_id=who, reason="the wrong goods"
    )


def test_a_lot_that_is_put_back_keeps_the_container_until_it_is_released_and_leaves_in_it() -> None:
    desk = story(decider, held(A, arrived=0, bill="1"), freed(B, arrived=0, bill="2")).when(struck(A), at=at(5))
    assert may_leave(desk)
    desk.when(put_back(A), at=at(6))
    assert kinds(desk) == ["StrikeRetracted", "ContainerMustStay"] and not may_leave(desk)
    desk.when(freed(A, version=2, arrived=0, bill="1", when=9), at=at(9)).when(out(20), at=at(20))
    assert left(desk, A) == left(desk, B) == ["ConsignmentGatedOut"] and alarms(desk) == []


def test_goods_that_are_alone_in_the_container_leave_in_it_after_they_were_put_back() -> None:
    desk = story(decider, held(A, arrived=0)).when(struck(A), at=at(5)).when(freed(A, when=9), at=at(9))
    assert not may_leave(desk)
    assert may_leave(desk.when(put_back(A), at=at(12)))


def test_a_lot_that_is_put_back_after_the_container_left_has_left_without_release() -> None:
    desk = story(decider, held(A, arrived=0, bill="1"), freed(B, arrived=0, bill="2")).when(struck(A), at=at(5))
    desk.when(out(10), at=at(10))
    assert alarms(desk) == [] and left(desk, A) == []
    desk.when(put_back(A), at=at(30))
    assert alarms(desk) == ["left_unreleased"] and left(desk, A) == ["ConsignmentLeftUnreleased"]
    assert left(desk, B) == ["ConsignmentGatedOut"], "the gate's word had let it out"


def test_what_was_not_taken_off_is_not_put_back() -> None:
    desk = story(decider, held(A, arrived=0)).when(put_back(A))
    desk.then_refused("lot_unknown")
    desk.when(struck(A)).when(put_back(A)).when(put_back(A))
    desk.then_refused("lot_unknown")
    assert kinds(desk.when(struck(A))) == ["LotStruck"], "it may be taken off again"


def test_of_a_lot_that_made_room_for_others_nobody_knows_anything_so_that_an_officer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statements, "MOST_PARTS", 2)
    desk = story(decider, discharged(0), held(A, arrived=0), held(B, arrived=0)).when(struck(A), at=at(1))
    third = consignment_id("91350100M000100Y43", "third")
    desk.when(freed(third, arrived=0, when=2), at=at(2)).when(freed(B, arrived=0, when=3), at=at(3))
    assert all(part.consignment_id != A for part in as_box(desk.state).parts)
    assert may_leave(desk)
    desk.when(put_back(A), at=at(4))
    assert not may_leave(desk)
    assert may_leave(desk.when(found("inside", 6, lots=2), at=at(6)))


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(A, arrived=0), struck(A), put_back(A), freed(A), struck(A), put_back(A)])
