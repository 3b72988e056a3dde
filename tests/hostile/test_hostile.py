"""Does each message of a flood of bad input have exactly one outcome at each desk and at the console?
`make hostile` runs a longer flood."""

from collections import Counter
from itertools import islice

import pytest

from schemas.topics import SERVICES
from services.risk.keys import PUBLISHED
from services.worker import desks
from tests.conftest import PARTITIONS
from tests.hostile.asks import Asks
from tests.hostile.desks import one_watch, run, watches
from tests.hostile.main import flood_console, table
from tests.hostile.messages import HOSTILITIES, Flood

SEED = "short"


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_comes_to_a_desk_has_one_outcome_and_nothing_leaves_the_turn(name: str) -> None:
    (desk,) = desks((name,), PUBLISHED)
    tally = one_watch(desk, Flood(name, SEED, PARTITIONS), 1500)
    assert tally.messages == 1500 == sum(tally.outcomes.values())
    # Each frequent kind of bad input must occur. A rare kind may be missing among so few messages.
    usual = {hostility for hostility, (weight, _) in HOSTILITIES.items() if weight >= 10}
    assert len(usual) > 20 and {hostility for hostility, _ in tally.outcomes} >= usual
    assert not tally.raised, "a message within the contract is decided, or refused with a reason"


def test_the_same_seed_is_the_same_flood_and_the_counts_add_up() -> None:
    one = run(700, SEED)
    run(2000, "something else in between")
    two = run(700, SEED)
    assert one.outcomes - two.outcomes == two.outcomes - one.outcomes == Counter()
    assert one == two and one.messages == 700
    assert sum(count for _, _, count in watches(70_001)) == 70_001
    assert [line.count("|") for line in table(one.outcomes)] == [table(one.outcomes)[0].count("|")] * len(
        table(one.outcomes)
    )
    other = [message.value for _, message in islice(Flood("gate", "other", 4), 50)]
    assert other != [message.value for _, message in islice(Flood("gate", SEED, 4), 50)]


def test_whatever_is_asked_of_the_console_is_answered_and_202_is_on_the_topic() -> None:
    answers, counts, _ = flood_console(600, SEED)
    assert not answers.faults
    assert answers.taken and all(counts[taken] == 1 for taken in answers.taken)
    one, again, other = ([ask for _, ask in islice(Asks(seed).asks(), 50)] for seed in (SEED, SEED, "other"))
    assert one == again != other
