"""Do officers get an alarm if the same goods are lodged again under a new reference? Only the gate desk can see both
declarations, because its record is about the container."""

import pytest

from schemas.phrases import phrase
from schemas.vocabulary import Direction, consignment_id
from services.gate import decider
from tests import facts
from tests.gate.answers import arrival_of, same_box_declared
from tests.gate.boxes import DAY, A, B, C, at, discharged, freed, held, out, struck
from tests.voice import keeps_its_promises, story


def test_a_second_declaration_of_a_bill_in_a_box_is_told_of_both() -> None:
    desk = story(decider, held(A, bill="BILL 1", ship="S 1"))
    desk.when(held(B, bill="bill-1", ship="S 1", when=9), at=at(9)).then(
        facts.same_goods_declared(B, A, bill_no="bill-1", conveyance="S 1", at=at(9)),
        facts.same_goods_declared(A, B, bill_no="BILL 1", conveyance="S 1", at=at(9)),
    )


def test_a_third_one_is_told_and_the_others_are_not_told_again() -> None:
    desk = story(decider, held(A, bill="1"), held(B, bill="1"))
    desk.when(held(C, bill="1")).then(facts.same_goods_declared(C, B, A, bill_no="1", at=at(3)))


def test_goods_of_other_bills_ways_and_ships_are_other_goods() -> None:
    story(decider, held(A, bill="1", shared_by=2), held(B, bill="2", shared_by=2)).then()
    story(decider, held(A, bill="1"), held(B, bill="1", direction=Direction.EXPORT)).then()
    gone = story(decider, freed(A, bill="1", ship="S 1", arrived=0)).when(out(9), at=at(9))
    gone.when(held(B, bill="1", ship="T 2", when=DAY), at=at(DAY)).then()


@pytest.mark.parametrize("arrived", [None, 1])
def test_another_ship_hides_nothing_where_both_are_awaited_or_came_in_one_visit(arrived: float | None) -> None:
    desk = story(decider, held(A, bill="1", ship="S 1", arrived=arrived))
    desk.when(held(B, bill="1", ship="T 2", arrived=arrived)).then(
        facts.same_goods_declared(B, A, bill_no="1", conveyance="T 2", at=at(2)),
        facts.same_goods_declared(A, B, bill_no="1", conveyance="S 1", at=at(2)),
    )


def test_a_paper_that_was_taken_back_or_struck_off_is_none() -> None:
    story(decider, held(A, bill="1"), freed(A, bill="1", released=False), held(B, bill="1")).then()
    story(decider, held(A, bill="1"), struck(A), held(B, bill="1")).then()


def test_goods_that_were_refused_or_have_left_are_the_same_goods_again() -> None:
    desk = story(decider, held(A, bill="1", arrived=0, refused=True))
    desk.when(held(B, bill="1", when=5)).then(
        facts.same_goods_declared(B, A, bill_no="1", at=at(5)), facts.same_goods_declared(A, B, bill_no="1", at=at(5))
    )
    gone = story(decider, freed(A, bill="1", arrived=0)).when(out(9), at=at(9))
    gone.when(held(B, bill="1", when=DAY), at=at(DAY)).then(
        facts.same_goods_declared(B, A, bill_no="1", at=at(DAY)),
        facts.same_goods_declared(A, B, bill_no="1", at=at(DAY)),
    )


def test_goods_without_a_bill_that_each_say_the_box_is_theirs_alone_are_the_same_goods() -> None:
    desk = story(decider, held(A, ship="truck 7"))
    desk.when(held(B, ship="truck 7")).then(*same_box_declared(B, A, conveyance="truck 7", at=at(2)))


def test_goods_without_a_bill_that_share_a_box_or_come_with_its_next_visit_are_others() -> None:
    story(decider, held(A, shared_by=2), held(B, shared_by=2)).then()
    desk = story(decider, discharged(0, "S 1"), freed(A, ship="S 1", arrived=0)).when(out(30), at=at(30))
    desk.when(held(B, ship="S 1", when=9 * DAY), at=at(9 * DAY)).then()


def test_the_finding_keeps_nothing_and_frees_nothing() -> None:
    """The fact `SameGoodsDeclared` only informs officers. The gate's answer is no because two declarations have the
    same bill, and not because of this fact."""
    desk = story(decider, freed(A, bill="1")).then(facts.container_may_leave(1, arrival_of(A), A, at=at(1)))
    desk.when(freed(B, bill="1")).then(
        facts.same_goods_declared(B, A, bill_no="1", at=at(2)),
        facts.same_goods_declared(A, B, bill_no="1", at=at(2)),
        facts.container_must_stay(
            2, arrival_of(B), phrase("declared_twice", count=2, bill="1"), waiting_for=(B, A), at=at(2)
        ),
    )


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(A, bill="1"), held(B, bill="1"), freed(A, bill="1", version=3)])


def test_of_many_others_twenty_are_named_and_all_are_counted() -> None:
    first = [consignment_id("91350100M000100Y43", str(number)) for number in range(29)]
    desk = story(decider, *[held(who, bill="1") for who in first])
    last = consignment_id("91350100M000100Y43", "29")
    desk.when(held(last, bill="1"))
    [again] = desk.answer
    others = again.model_dump()["others"]
    assert len(others) == 20 and set(others) <= set(first)
    desk.then(facts.same_goods_declared(last, *others, count=29, bill_no="1", at=at(30)))
