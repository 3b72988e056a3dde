"""If an officer struck the wrong consignment off a container and retracts the strike, is everything then as if there
had been none?"""

import pytest

from schemas.gate import RetractStrike
from schemas.phrases import of_earlier, phrase
from schemas.vocabulary import consignment_id
from services.gate import decider, statements
from services.gate.box import as_box
from tests.declaration.good import BOX
from tests.facts import (
    consignment_left_unreleased,
    container_arrived,
    container_finding_recorded,
    container_may_leave,
    container_must_stay,
    gate_alarm_raised,
    lot_struck,
    same_goods_declared,
    strike_retracted,
    visit_closed,
)
from tests.gate.answers import arrival_of, goods_left
from tests.gate.boxes import A, B, at, discharged, found, freed, held, out, struck
from tests.voice import NOON, keeps_its_promises, story


def put_back(who: str) -> RetractStrike:
    return RetractStrike(
        container_no=BOX, asked_by="officer-li", occurred_at=NOON, consignment_id=who, reason="the wrong goods"
    )


def test_a_lot_that_is_put_back_keeps_the_container_until_it_is_released_and_leaves_in_it() -> None:
    desk = story(decider, held(A, arrived=0, bill="1"), freed(B, arrived=0, bill="2"))
    desk.when(struck(A), at=at(5)).then(lot_struck(A, at=at(5)), container_may_leave(1, arrival_of(B), B, at=at(5)))
    desk.when(put_back(A), at=at(6)).then(
        strike_retracted(A, at=at(6)),
        container_must_stay(
            2,
            arrival_of(B),
            phrase("lots_released", count=1, all=2),
            phrase("bill_waits", bill="1"),
            of_earlier("waits"),
            waiting_for=(A,),
            at=at(6),
        ),
    )
    desk.when(freed(A, version=2, arrived=0, bill="1", when=9), at=at(9)).then(
        container_may_leave(3, arrival_of(B), B, A, at=at(9))
    )
    desk.when(out(20), at=at(20)).then(*goods_left("m6", arrival_of(B), B, A, at=at(20)))


def test_goods_that_are_alone_in_the_container_leave_in_it_after_they_were_put_back() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(struck(A), at=at(5)).then(lot_struck(A, at=at(5)))
    desk.when(freed(A, when=9), at=at(9)).then()
    desk.when(put_back(A), at=at(12)).then(
        strike_retracted(A, at=at(12)), container_may_leave(1, arrival_of(A), A, at=at(12))
    )


def test_a_lot_that_is_put_back_after_the_container_left_has_left_without_release() -> None:
    desk = story(decider, held(A, arrived=0, bill="1"), freed(B, arrived=0, bill="2"))
    desk.when(struck(A), at=at(5)).then(lot_struck(A, at=at(5)), container_may_leave(1, arrival_of(B), B, at=at(5)))
    desk.when(out(10), at=at(10)).then(*goods_left("m4", arrival_of(B), B, at=at(10)))
    desk.when(put_back(A), at=at(30)).then(
        strike_retracted(A, at=at(30)),
        visit_closed(arrival_of(B), "left_unreleased", "m4", consignments=(B, A), at=at(10)),
        gate_alarm_raised(arrival_of(B), "m4", waiting_for=(A,), at=at(10)),
        consignment_left_unreleased(visit=arrival_of(B), consignment_id=A, at=at(10)),
    )


def test_what_was_not_taken_off_is_not_put_back() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(put_back(A)).then_refused("lot_unknown")
    desk.when(struck(A)).then(lot_struck(A, at=at(3)))
    desk.when(put_back(A)).then(strike_retracted(A, at=at(4)))
    desk.when(put_back(A)).then_refused("lot_unknown")
    # an officer may strike the lot again
    desk.when(struck(A)).then(lot_struck(A, at=at(6)))


def test_of_a_lot_that_made_room_for_others_nobody_knows_anything_so_that_an_officer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statements, "MOST_PARTS", 2)
    desk = story(decider, discharged(0), held(A, arrived=0), held(B, arrived=0))
    desk.when(struck(A), at=at(1)).then(lot_struck(A, at=at(1)))
    third = consignment_id("91350100M000100Y43", "third")
    desk.when(freed(third, arrived=0, when=2), at=at(2)).then(
        container_arrived(visit="m1", consignment_id=third),
        same_goods_declared(third, B, rule="one_declaration_a_box", at=at(2)),
    )
    desk.when(freed(B, arrived=0, when=3), at=at(3)).then(container_may_leave(1, "m1", B, third, at=at(3)))
    assert all(part.consignment_id != A for part in as_box(desk.state).parts)
    desk.when(put_back(A), at=at(4)).then(
        strike_retracted(A, at=at(4)), container_must_stay(2, "m1", phrase("too_many_goods"), waiting_for=(), at=at(4))
    )
    desk.when(found("inside", 6, lots=2), at=at(6)).then(
        container_finding_recorded("inside", lots=2, at=at(6)), container_may_leave(3, "m1", B, third, at=at(6))
    )


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(A, arrived=0), struck(A), put_back(A), freed(A), struck(A), put_back(A)])
