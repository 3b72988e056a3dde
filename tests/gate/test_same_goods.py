"""Is an officer told if the same goods are lodged again under a new reference? Only the gate desk can see both
declarations, because its record is about the container."""

import pytest

from schemas.gate import SameGoodsDeclared
from schemas.vocabulary import Direction, consignment_id
from services.gate import decider
from tests.declaration.good import BOX
from tests.gate.boxes import DAY, A, B, C, at, discharged, freed, held, out, struck
from tests.voice import Story, keeps_its_promises, story

BY_BILL = {"rule": "one_declaration_a_bill", "rule_set": "2026-11-29"}
BY_BOX = {"rule": "one_declaration_a_box", "rule_set": "2026-11-29"}


def found(desk: Story) -> list[tuple[str, tuple[str, ...]]]:
    """For each consignment about which the desk published this fact: its id and the other declarations that the fact
    names, in the order A, B, C."""
    again = [fact for fact in desk.facts if isinstance(fact, SameGoodsDeclared)]
    return sorted([(fact.consignment_id, fact.others) for fact in again], key=lambda each: (A, B, C).index(each[0]))


def test_a_second_declaration_of_a_bill_in_a_box_is_told_of_both() -> None:
    desk = story(decider, held(A, bill="BILL 1", ship="S 1")).when(held(B, bill="bill-1", ship="S 1", when=9), at=at(9))
    assert found(desk) == [(A, (B,)), (B, (A,))]
    fact = next(fact for fact in desk.answer if isinstance(fact, SameGoodsDeclared) and fact.consignment_id == B)
    assert fact.model_dump(mode="json", include={"rule", "rule_set"}) == BY_BILL
    assert (fact.container_no, fact.bill_no, fact.conveyance, fact.direction) == (BOX, "bill-1", "S 1", "I")


def test_a_third_one_is_told_and_the_others_are_not_told_again() -> None:
    desk = story(decider, held(A, bill="1"), held(B, bill="1"), held(C, bill="1"))
    assert [(who, sorted(others)) for who, others in found(desk)] == [(A, [B]), (B, [A]), (C, sorted([A, B]))]


def test_goods_of_other_bills_ways_and_ships_are_other_goods() -> None:
    assert found(story(decider, held(A, bill="1", shared_by=2), held(B, bill="2", shared_by=2))) == []
    export = held(B, bill="1", direction=Direction.EXPORT)
    assert found(story(decider, held(A, bill="1"), export)) == []
    gone = story(decider, freed(A, bill="1", ship="S 1", arrived=0)).when(out(9), at=at(9))
    assert found(gone.when(held(B, bill="1", ship="T 2", when=DAY), at=at(DAY))) == []


@pytest.mark.parametrize("arrived", [None, 1])
def test_another_ship_hides_nothing_where_both_are_awaited_or_came_in_one_visit(arrived: float | None) -> None:
    desk = story(
        decider, held(A, bill="1", ship="S 1", arrived=arrived), held(B, bill="1", ship="T 2", arrived=arrived)
    )
    assert [who for who, _ in found(desk)] == [A, B]


def test_a_paper_that_was_taken_back_or_struck_off_is_none() -> None:
    assert found(story(decider, held(A, bill="1"), freed(A, bill="1", released=False), held(B, bill="1"))) == []
    assert found(story(decider, held(A, bill="1"), struck(A), held(B, bill="1"))) == []


def test_goods_that_were_refused_or_have_left_are_the_same_goods_again() -> None:
    desk = story(decider, held(A, bill="1", arrived=0, refused=True), held(B, bill="1", when=5))
    assert [who for who, _ in found(desk)] == [A, B]
    left = story(decider, freed(A, bill="1", arrived=0)).when(out(9), at=at(9))
    assert [who for who, _ in found(left.when(held(B, bill="1", when=DAY), at=at(DAY)))] == [A, B]


def test_goods_without_a_bill_that_each_say_the_box_is_theirs_alone_are_the_same_goods() -> None:
    desk = story(decider, held(A, ship="truck 7"), held(B, ship="truck 7"))
    assert [who for who, _ in found(desk)] == [A, B]
    assert all(
        fact.model_dump(mode="json", include={"rule", "rule_set"}) == BY_BOX
        for fact in desk.facts
        if isinstance(fact, SameGoodsDeclared)
    )


def test_goods_without_a_bill_that_share_a_box_or_come_with_its_next_visit_are_others() -> None:
    assert found(story(decider, held(A, shared_by=2), held(B, shared_by=2))) == []
    desk = story(decider, discharged(0, "S 1"), freed(A, ship="S 1", arrived=0)).when(out(30), at=at(30))
    assert found(desk.when(held(B, ship="S 1", when=9 * DAY), at=at(9 * DAY))) == []


def test_the_finding_keeps_nothing_and_frees_nothing() -> None:
    """If two declarations have one bill, the gate's answer is no even without this fact. The fact is only for
    officers."""
    desk = story(decider, freed(A, bill="1"), freed(B, bill="1"))
    assert [f.kind for f in desk.facts] == [
        "ContainerMayLeave",
        "SameGoodsDeclared",
        "SameGoodsDeclared",
        "ContainerMustStay",
    ]


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [held(A, bill="1"), held(B, bill="1"), freed(A, bill="1", version=3)])


def test_of_many_others_twenty_are_named_and_all_are_counted() -> None:
    many = [consignment_id("91350100M000100Y43", str(number)) for number in range(30)]
    desk = story(decider, *[held(who, bill="1") for who in many])
    [last] = [fact for fact in desk.answer if isinstance(fact, SameGoodsDeclared)]
    assert (len(last.others), last.count) == (20, 29)
