"""May a terminal report what it expects long before it happens, and do such reports never change where goods are?"""

import os
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import FURTHEST_ESTIMATE, FUTURE_SKEW, Fact, Message
from schemas.gate import RecordEquipmentEvent
from schemas.papers import checks
from schemas.vocabulary import Classifier, EquipmentEvent
from services.gate import decider
from services.gate.box import as_box
from services.gate.visits import look
from tests import facts
from tests.gate.boxes import A, at, discharged, event, held, retracted
from tests.gate.test_visits_chaos import decision, report, statement
from tests.voice import Story, story

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))
EXPECTED = (Classifier.ESTIMATED, Classifier.PLANNED)
OWN = ("EquipmentEventRecorded", "EquipmentEventRetracted", "RequestRefused")
"""The kinds of facts by which the desk answers a report of an expected event, or a request to take such a report
back."""
DAY = 24 * 60


def test_what_happened_is_told_at_most_a_quarter_of_an_hour_ahead_and_what_is_expected_as_far_as_papers_look() -> None:
    assert event(EquipmentEvent.DISCHARGED, 0).most_ahead == FUTURE_SKEW == timedelta(minutes=15)
    for classifier in EXPECTED:
        assert event(EquipmentEvent.DISCHARGED, 0, classifier=classifier).most_ahead == FURTHEST_ESTIMATE
    assert retracted("m1").most_ahead == FUTURE_SKEW, "and so is every other request"
    assert checks.AHEAD == FURTHEST_ESTIMATE, "a declaration names the entry of its conveyance as far ahead"


def test_an_estimate_of_a_day_to_come_is_recorded_and_opens_no_visit_when_that_day_comes() -> None:
    desk = story(decider, held(A))
    for number, classifier in enumerate(EXPECTED, 2):
        desk.when(event(EquipmentEvent.DISCHARGED, 40 * DAY, classifier=classifier)).then(
            facts.equipment_event_recorded(
                f"m{number}", EquipmentEvent.DISCHARGED, "", classifier=classifier, at=at(40 * DAY)
            )
        )
    assert not look(as_box(desk.state)).visits
    desk.when(held(A, version=2, when=41 * DAY), at=at(41 * DAY))
    assert not look(as_box(desk.state)).visits, "its day has come, and nobody told of the box"


def test_an_estimate_that_was_taken_back_takes_no_arrival_back() -> None:
    """If the report of an actual discharge is taken back, it is in doubt what arrived with the box. The report of an
    expected discharge shows no arrival, so nothing is in doubt when it is taken back."""
    expected = event(EquipmentEvent.DISCHARGED, 3 * DAY, classifier=Classifier.ESTIMATED)
    arrived, declared = held(A, arrived=0), held(A, version=2, ship="ONE 1", arrived=0)
    for past in ((), (expected, retracted("m1"))):
        desk = story(decider, *past, arrived, discharged(20, ship="TWO 2"), declared)
        assert not [fact for fact in desk.facts if fact.kind == "ContainerArrivalRetracted"], past


def without_what_is_expected(story: Story, expected: set[str]) -> tuple[Fact, ...]:
    """The facts of a story without the answers to reports of expected events and to the requests to take these back.
    `expected`: the ids of these reports and requests."""
    names = {"report_id", "request_id"}
    answers = [f for f in story.facts if f.kind in OWN and expected & {str(getattr(f, name, "")) for name in names}]
    return tuple([fact for fact in story.facts if fact not in answers])


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_expected_besides_nothing_else_is_said_of_the_box(seed: int) -> None:
    """Two desks read the same story. One of them also reads estimates and plans in between, which are corrected and
    taken back."""
    dice, now = Random(seed), 5.0 * DAY
    plain, rich = Story(decider, decider.INITIAL), Story(decider, decider.INITIAL)
    ids, expected = list[str](), list[str]()
    for number in range(dice.randint(3, 20)):
        now += dice.choice((0, 1, 5, 60, 1000))
        kind = dice.random()
        message: Message
        if kind < 0.45:
            message = statement(dice, now, dice.randint(1, 12))
        elif kind < 0.75:
            message = report(dice, now)
            if isinstance(message, RecordEquipmentEvent):
                message = message.model_copy(update={"classifier": Classifier.ACTUAL})
        else:
            message = decision(dice, now, ids)
        ids.append(f"c{number}")
        for desk in (plain, rich):
            desk.when(message, message_id=f"c{number}", at=at(now))
        if dice.random() < 0.6:
            estimate = event(
                dice.choice(list(EquipmentEvent)),
                now + dice.choice((-DAY, 0.0, 10.0, DAY, 60.0 * DAY)),
                laden=dice.choice((None, True, False)),
                ship=dice.choice(("", "ONE 1", "TWO 2")),
                classifier=dice.choice(EXPECTED),
                replaces=dice.choice(expected) if expected and dice.random() < 0.5 else "",
            )
            taken_back = bool(expected) and dice.random() < 0.3
            rich.when(retracted(dice.choice(expected)) if taken_back else estimate, message_id=f"e{number}", at=at(now))
            expected.append(f"e{number}")
    assert without_what_is_expected(rich, set(expected)) == plain.facts
