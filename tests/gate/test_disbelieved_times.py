"""Does a fact say that the desk did not believe the event time of a report, and which time that was?"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.bounds import FIRST, LAST
from schemas.envelope import LATEST_REPORT, EventTime, Hearing, event_time
from schemas.gate import ContainerFindingRecorded, EquipmentEventRecorded
from schemas.vocabulary import Classifier, EquipmentEvent
from services.gate import decider
from tests.gate.boxes import event, found, out
from tests.voice import NOON, Story, story

RECORDED = NOON + timedelta(minutes=5)
TOO_OLD, OLDEST = RECORDED - LATEST_REPORT - timedelta(microseconds=1), RECORDED - LATEST_REPORT


def reported(message: Any, time: datetime) -> Story:
    """A desk that has read this message with this event time, recorded at `RECORDED`."""
    return story(decider).when(message.model_copy(update={"occurred_at": time}), recorded=RECORDED)


@pytest.mark.parametrize("message", [event(EquipmentEvent.DISCHARGED, 0), out(), found("inside", 0)])
@pytest.mark.parametrize(("time", "counts", "disbelieved"), [(TOO_OLD, RECORDED, TOO_OLD), (OLDEST, OLDEST, None)])
def test_a_time_that_is_not_believed_is_stated_in_the_fact_with_the_time_that_counts(
    message: Any, time: datetime, counts: datetime, disbelieved: datetime | None
) -> None:
    """In an older version, the fact had the recorded time in place of the event time, and did not say so."""
    first = reported(message, time).answer[0]
    assert isinstance(first, EquipmentEventRecorded | ContainerFindingRecorded)
    assert (first.occurred_at, first.disbelieved_time) == (counts, disbelieved)


def test_an_estimate_keeps_the_time_that_its_sender_gave() -> None:
    estimate = event(EquipmentEvent.DISCHARGED, 0, classifier=Classifier.ESTIMATED)
    [fact] = reported(estimate, TOO_OLD).answer
    assert isinstance(fact, EquipmentEventRecorded)
    assert (fact.occurred_at, fact.disbelieved_time) == (TOO_OLD, None)


def test_a_fact_whose_time_is_believed_has_the_same_wire_form_as_before() -> None:
    first = reported(out(), NOON).answer[0]
    assert b"disbelieved_time" not in first.model_dump_json().encode()


@pytest.mark.parametrize(
    ("time", "disbelieved"),
    [(FIRST - timedelta(days=1), FIRST), (LAST + timedelta(days=1), LAST), (FIRST, FIRST), (RECORDED, None)],
)
def test_a_time_that_no_message_may_have_is_stated_as_the_nearest_that_one_may_have(
    time: datetime, disbelieved: datetime | None
) -> None:
    assert event_time(time, Hearing(NOON, "m", 1, RECORDED)) == EventTime(RECORDED, disbelieved)
