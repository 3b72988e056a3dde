"""Do goods have the same end in whatever order the topics are read? Is a lapsed release not given again if it would
only lapse once more?"""

from datetime import UTC, datetime
from itertools import combinations

import pytest

from schemas.release import LiftHold
from services.simulator.acts import Act
from services.simulator.day import Day
from services.simulator.ends import ConsignmentEnds
from services.simulator.people import People

AT = datetime(2026, 11, 23, tzinfo=UTC)
BOX = "CSQU3054383"
RELEASE = ["ReleaseGranted", "ReleaseRevoked", "ReleaseGranted"]
"""The facts of the release desk about the goods, in their order."""


def ends_of(release: list[str], gate: list[str]) -> set[str | None]:
    """All ends of the goods. The facts of the two topics are read in every possible order."""
    found, count = set(), len(release) + len(gate)
    for chosen in combinations(range(count), len(gate)):
        ends, of_release, of_gate = ConsignmentEnds(), iter(release), iter(gate)
        for turn in range(count):
            if turn not in chosen:
                ends.state(next(of_release), "goods")
            elif next(of_gate) == "left":
                ends.leave("goods", BOX)
            else:
                ends.come_back("goods", BOX)
        found.add(ends.of.get("goods"))
    return found


@pytest.mark.parametrize("published", [1, 2, 3])
def test_goods_that_left_unreleased_keep_that_end_whatever_is_stated_and_in_whatever_order_it_is_read(
    published: int,
) -> None:
    assert ends_of(RELEASE[:published], ["left"]) == {"left unreleased"}
    stated = None if published == 2 else "released"
    assert ends_of(RELEASE[:published], ["left", "back"]) == {stated}


def test_a_partial_release_is_no_end() -> None:
    ends = ConsignmentEnds()
    ends.state("ReleaseGranted", "goods")
    ends.reopen("goods")
    assert ends.of == {}
    ends.keep("goods")
    assert ends.of == {"goods": "kept"}


def test_a_release_is_not_given_again_if_the_other_goods_in_the_container_were_found_to_stay_meanwhile() -> None:
    """The facts about the two consignments may be in two partitions, so the lapse may be read before the refusal of the
    other goods."""
    day, ends = Day(1, 400, AT), ConsignmentEnds()
    people = People(day, ends=ends.of)
    index = next(index for index in range(0, 400, 2) if day.shares(index) and not day.intent(index + 1).again)
    goods, other = day.plan(index).consignment_id, day.plan(index + 1).consignment_id
    people.sharing[goods] = index
    lift = LiftHold(consignment_id=goods, asked_by="officer-liu", occurred_at=AT, hold_id="officer/lapse/3", reason="x")
    again = Act(AT, "lift", lift)
    assert not people.is_in_vain(again) and not people.kept
    ends.state("ReleaseRefused", other)
    assert people.is_in_vain(again) and people.kept == {goods}
