"""What does the clearance service guarantee about the facts that it reads, in whatever order the desks publish them?"""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Fact
from schemas.phrases import phrase
from schemas.vocabulary import ControlKind, Owner
from services.clearance import timeline
from services.clearance.timeline import ClearanceTimeline, gate_seconds, span_seconds
from tests import facts
from tests.declaration.good import BOX
from tests.release.requests import BOXES, OTHER_BOX
from tests.voice import NOON, Story

INSPECTION = ControlKind.INSPECTION
REST = facts.open_hold("arrival", Owner.CARRIER, phrase("not_arrived"), "ArrivalRecorded")


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """Facts about one consignment in two containers, each at any minute of a day. Some kinds of facts may be
    missing."""

    def when() -> datetime:
        return NOON + timedelta(minutes=draw(st.integers(0, 24 * 60)))

    return draw(
        st.lists(
            st.sampled_from(
                [
                    facts.declaration_accepted(at=when()),
                    facts.consignment_assessed(INSPECTION, ControlKind.QUARANTINE, containers=BOXES, at=when()),
                    facts.inspection_ordered(INSPECTION, due=NOON, at=when()),
                    facts.inspection_passed(INSPECTION, at=when()),
                    facts.inspection_passed(INSPECTION, 2, at=when()),
                    facts.treatment_ordered("risk", at=when()),
                    facts.treatment_referred("risk", at=when()),
                    facts.treatment_verified("risk", at=when()),
                    facts.arrival_recorded(BOX, at=when()),
                    facts.arrival_recorded(OTHER_BOX, at=when()),
                    facts.release_granted(2, holds=(REST,), at=when()),
                    facts.release_granted(3, containers=BOXES, at=when()),
                    facts.release_revoked(4, containers=BOXES, at=when()),
                    facts.release_granted(5, containers=BOXES, at=when()),
                    facts.consignment_gated_out(BOX, at=when()),
                    facts.consignment_gated_out(OTHER_BOX, at=when()),
                ]
            ),
            unique_by=id,
            min_size=1,
        )
    )


def read(life: list[Fact]) -> ClearanceTimeline:
    story = Story(timeline, timeline.INITIAL)
    for fact in life:
        story.when(fact).then()
    return story.state  # type: ignore[no-any-return]


def measured(line: ClearanceTimeline) -> tuple[object, ...]:
    return span_seconds(line), gate_seconds(line), line.end, line.ended


@settings(max_examples=200, deadline=None)
@given(life=lives(), data=st.data())
def test_the_same_facts_take_the_same_time_in_whatever_order_and_however_often_they_are_read(
    life: list[Fact], data: st.DataObject
) -> None:
    once = measured(read(life))
    again = data.draw(st.permutations([*life, *data.draw(st.lists(st.sampled_from(life), max_size=4))]))
    assert measured(read(again)) == once


@settings(max_examples=200, deadline=None)
@given(lives())
def test_no_stage_takes_less_than_no_time_and_none_is_measured_before_its_end_is_known(life: list[Fact]) -> None:
    line = read(life)
    seconds = span_seconds(line)
    assert all(each >= 0 for each in (*seconds.values(), gate_seconds(line) or 0))
    released = any(fact.kind == "ReleaseGranted" and fact.model_dump()["holds"] == () for fact in life)
    assert released or not {"customs", "customs_raw", "overall"} & seconds.keys()
    assert "ConsignmentGatedOut" in {fact.kind for fact in life} or gate_seconds(line) is None
