"""Is a container let out only if it may leave, and kept only if it must stay, however its arrivals and departures are
reported?

`make visits` runs many more examples.
"""

import os
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.world import World

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32), visits=st.integers(1, 4))
def test_whatever_is_told_nothing_leaves_by_mistake_and_every_visit_is_closed_once(seed: int, visits: int) -> None:
    world = World(Random(seed))
    world.play(visits)
    world.end()
    box = as_box(world.desk.state)
    truth = look(box)
    real = [stay for stay in world.stays if stay.departure_heard]
    assert len([v for v in truth.visits if v.how]) == len(real), (
        [(v.id, v.how) for v in truth.visits],
        [(s.opened, s.left) for s in world.stays],
    )
    still_open = [visit.id for visit in box.visits if not visit.how]
    assert still_open in ([], [truth.current.id] if truth.current else []), "a visit was published that closed never"
    for stay in real:
        if not stay.lawful:
            continue
        for paper in stay.papers:
            departures = [
                f.kind
                for f in world.desk.facts
                if f.key == paper.name and f.kind in ("ConsignmentGatedOut", "ConsignmentLeftUnreleased")
            ]
            if not paper.doubled:
                stand = departures[-1:] if stay.disputed else departures
                assert stand and set(stand) == {"ConsignmentGatedOut"}, (paper, departures)
