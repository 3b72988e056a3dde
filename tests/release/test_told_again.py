"""Is the gate desk told a new reason against goods that it knows to be held? An officer may have permitted their exit
meanwhile."""

from schemas.release import ContainerHeld
from schemas.vocabulary import ControlKind, Direction
from services.release import decider
from tests.declaration.good import BOX
from tests.facts import consignment_assessed, findings_retracted, inspection_passed, pest_intercepted
from tests.release.requests import BOXES, arrival, lift_hold, place_hold, retract_lift
from tests.voice import Story, story

DOCUMENTS, INSPECTION = ControlKind.DOCUMENTS, ControlKind.INSPECTION


def to_gate(desk: Story) -> list[tuple[str, int]]:
    return [(f.container_no, f.version) for f in desk.answer if isinstance(f, ContainerHeld)]


def an_export(*controls: ControlKind) -> Story:
    return story(decider, consignment_assessed(*controls, containers=BOXES, direction=Direction.EXPORT), arrival())


def test_an_officers_hold_on_goods_that_are_held_is_told_to_the_gate() -> None:
    desk = an_export(INSPECTION).when(place_hold(), message_id="h1")
    assert to_gate(desk) == [(box, desk.state.version) for box in BOXES]
    desk.when(lift_hold("officer/h1"), message_id="l1")
    assert to_gate(desk) == [], "who may leave after that is for an officer to say again"
    assert len(to_gate(desk.when(retract_lift("l1")))) == 2


def test_a_pest_and_findings_that_were_wrong_are_told_to_the_gate() -> None:
    desk = an_export(DOCUMENTS, INSPECTION).when(inspection_passed(DOCUMENTS))
    assert to_gate(desk) == []
    assert len(to_gate(desk.when(findings_retracted(DOCUMENTS)))) == 2
    assert len(to_gate(desk.when(pest_intercepted(INSPECTION)))) == 2


def test_an_arrival_that_is_awaited_and_an_answer_to_a_hold_are_no_news_to_the_gate() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES)).when(arrival(containers=(BOX,)))
    assert [box for box, _ in to_gate(desk)] == [BOX], "only that it has arrived"
    desk.when(inspection_passed(INSPECTION))
    assert to_gate(desk) == []
