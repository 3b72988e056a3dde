"""Is what happened while the gate desk was away told as it happened, and not as if it had come with the desk?"""

from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests.gate.boxes import DAY, A, at, discharged, event, freed, held, kinds, may_leave
from tests.voice import Story


def test_goods_that_were_declared_before_they_were_loaded_are_no_later_paper_when_the_desk_was_away() -> None:
    """It reads the terminal's report and the release desk's statements an hour after both, in whatever order of their topics."""
    paper = held(A, 1, when=0, direction=Direction.EXPORT)
    release = freed(A, 2, arrived=10, when=20, direction=Direction.EXPORT)
    loaded = event(EquipmentEvent.LOADED, 60)
    back = at(60 + DAY)
    for order in ((loaded, paper, release), (paper, loaded, release), (paper, release, loaded)):
        told = Story(decider, decider.INITIAL)
        for message in order:
            told.when(message, at=back)
        assert "ConsignmentGatedOut" in kinds(told)
        assert told.facts[-1].kind != "ConsignmentLeftUnreleased", order
        box = as_box(told.state)
        assert not look(box).alarms, order


def test_an_import_that_the_desk_hears_of_after_its_discharge_is_in_the_box_that_came() -> None:
    told = Story(decider, decider.INITIAL)
    told.when(discharged(30), at=at(DAY)).when(held(A, 1, when=0), at=at(DAY + 1))
    assert "ContainerArrived" in kinds(told)
    told.when(freed(A, 2, arrived=30, when=50), at=at(DAY + 2))
    assert may_leave(told)
