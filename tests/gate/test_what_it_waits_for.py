"""Does the gate desk publish exactly once what a container waits for, and whose move that is, whenever this changes and
no other fact on the desk's topic shows the change?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from schemas.envelope import Fact
from schemas.gate import ContainerGatedOut, ContainerMayLeave, ContainerMustStay, GateAlarmRaised, VisitClosed
from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.phrases import phrase
from schemas.vocabulary import EquipmentEvent, StayCode
from services.gate import decider
from services.gate.box import as_box
from tests import facts
from tests.declaration.good import BOX
from tests.gate.answers import (
    arrival_of,
    awaits_a_count,
    goods_left,
    goods_left_unreleased,
    goods_wait,
    nothing_is_here,
    visit_opened_by,
)
from tests.gate.boxes import (
    DAY,
    A,
    at,
    box_held,
    box_let_go,
    discharged,
    event,
    found,
    freed,
    held,
    out,
    retracted,
)
from tests.voice import Story, story

AGAIN = 5 * DAY


@dataclass
class AwaitedOnTopic:
    """Follows what the container waits for, as a reader of the gate desk's topic knows it. `code`: empty if no fact
    says what the container waits for; then it waits for what its goods wait for, or is not there."""

    code: str = ""
    may_leave: bool = False

    def check(self, published: Iterable[Fact], now: StayCode | None) -> None:
        """Reads the facts of one message, and checks that they agree with `now`: what the container waits for after the
        message, computed from the whole record; None if it may leave."""
        for fact in published:
            match fact:
                case ContainerMustStay():
                    assert self.may_leave or fact.code != self.code, "what was published already is published again"
                    self.code, self.may_leave = fact.code, False
                case ContainerMayLeave():
                    self.code, self.may_leave = "", True
                case GateAlarmRaised(blocks=True):
                    self.code = StayCode.ALARM
                case ContainerGatedOut():
                    self.code, self.may_leave = "", False
                case VisitClosed():
                    self.code = ""
                case _:
                    pass
        assert self.code in ("", now), f"the topic says {self.code}, and the container waits for {now}"
        assert self.code == now or now is not StayCode.TO_BE_COUNTED, "nobody is told that a count is awaited"


def left_and_came_again() -> Story:
    """A container that was gated out against the gate's no, and came again five days later."""
    desk = story(decider, discharged(0), held(A, arrived=0)).when(out(60), message_id="left", at=at(60))
    return desk.when(discharged(AGAIN), message_id="again", at=at(AGAIN))


def inside_after_all(desk: Story, when: float) -> None:
    """Lets an officer find the container inside, and checks the facts that follow."""
    desk.when(found("inside", when), message_id="seen", at=at(when)).then(
        facts.container_finding_recorded("inside", "left", at=at(when)),
        facts.visit_opened("m1", laden=True),
        facts.departure_retracted(visit="m1", consignment_id=A, at=at(when)),
        awaits_a_count(1, "m1", A, since=at(AGAIN), at=at(when)),
    )


def test_a_count_is_awaited_as_soon_as_the_finding_shows_that_it_is_needed_and_that_is_published_once() -> None:
    desk = left_and_came_again()
    inside_after_all(desk, AGAIN + 20)
    desk.when(held(A, 3, arrived=0, when=AGAIN + 30), at=at(AGAIN + 30)).then()
    desk.when(freed(A, 4, arrived=0, when=AGAIN + 40), at=at(AGAIN + 40)).then()
    desk.when(found("inside", AGAIN + 50), at=at(AGAIN + 50)).then(
        facts.container_finding_recorded("inside", at=at(AGAIN + 50))
    )
    desk.when(found("inside", AGAIN + 60, lots=1), at=at(AGAIN + 60)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(AGAIN + 60)),
        facts.container_may_leave(2, "m1", A, at=at(AGAIN + 60)),
    )


def test_a_count_that_is_awaited_again_is_published_again() -> None:
    """The desk publishes that the container waits for a count, and then that it waits until a hold is lifted. When the
    hold is lifted, the desk publishes a second time that the container waits for a count."""
    desk = left_and_came_again()
    inside_after_all(desk, AGAIN + 20)
    desk.when(box_held(), message_id="hold", at=at(AGAIN + 30)).then(
        facts.container_hold_placed("hold", at=at(AGAIN + 30)),
        facts.container_must_stay(2, "m1", phrase("box_held", words="a tip"), waiting_for=(A,), at=at(AGAIN + 30)),
    )
    desk.when(box_let_go("hold"), at=at(AGAIN + 40)).then(
        facts.container_hold_lifted("hold", at=at(AGAIN + 40)),
        awaits_a_count(3, "m1", A, since=at(AGAIN), at=at(AGAIN + 40)),
    )


def test_a_count_after_which_the_goods_still_wait_ends_the_wait_for_the_count() -> None:
    desk = left_and_came_again()
    inside_after_all(desk, AGAIN + 20)
    desk.when(found("inside", AGAIN + 30, lots=1), at=at(AGAIN + 30)).then(
        facts.container_finding_recorded("inside", lots=1, at=at(AGAIN + 30)),
        goods_wait(2, "m1", A, released=0, at=at(AGAIN + 30)),
    )


def test_a_port_is_told_that_an_officer_counts_and_since_when_and_not_why() -> None:
    desk = left_and_came_again()
    inside_after_all(desk, AGAIN + 20)
    port = orjson.loads(to_outside(desk.facts[-1], Audience.PORT))
    assert port == {
        "container_no": BOX,
        "occurred_at": "2026-11-28T12:20:00Z",
        "version": 1,
        "waiting_for": [A],
        "visit": "m1",
        "code": "to_be_counted",
        "owner": "officer",
    }


def test_an_alarm_that_a_finding_settled_is_not_what_it_waits_for_any_more() -> None:
    desk = story(decider, held(A, arrived=0))
    desk.when(out(10), message_id="left", at=at(10)).then(*goods_left_unreleased("left", arrival_of(A), A, at=at(10)))
    desk.when(found("inside", 20), at=at(20)).then(
        facts.container_finding_recorded("inside", "left", at=at(20)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(20)),
    )


def test_an_alarm_whose_report_was_taken_back_is_not_what_it_waits_for_any_more() -> None:
    desk = story(decider, held(A, arrived=0)).when(out(10), message_id="left", at=at(10))
    desk.when(retracted("left"), at=at(20)).then(
        facts.equipment_event_retracted("left", at=at(20)),
        facts.visit_opened(arrival_of(A), where=""),
        facts.departure_retracted(visit=arrival_of(A), consignment_id=A, at=at(20)),
        goods_wait(1, arrival_of(A), A, released=0, at=at(20)),
    )


def test_an_alarm_says_itself_what_a_container_waits_for_that_had_waited_for_its_goods() -> None:
    desk = story(decider, freed(A))
    desk.when(held(A, 3, when=3), at=at(3)).then(goods_wait(2, arrival_of(A), A, released=0, at=at(3)))
    desk.when(out(5), message_id="left", at=at(5)).then(*goods_left_unreleased("left", arrival_of(A), A, at=at(5)))
    desk.when(found("outside", 30), at=at(30)).then(
        facts.container_finding_recorded("outside", "left", at=at(30)), nothing_is_here(3, at=at(30))
    )


def test_an_ordinary_life_has_no_more_facts_than_before() -> None:
    """The container waits for its goods, leaves, comes again without goods, and leaves empty."""
    desk = story(decider, held(A, when=-5), discharged(0)).then(*visit_opened_by("m2", A, at=at(0)))
    desk.when(held(A, 2, arrived=0, when=1), at=at(1)).then()
    desk.when(freed(A, 3, arrived=0, when=2), at=at(2)).then(facts.container_may_leave(1, "m2", A, at=at(2)))
    desk.when(out(10), at=at(10)).then(*goods_left("m5", "m2", A, at=at(10)))
    desk.when(event(EquipmentEvent.GATED_IN, DAY, laden=False), at=at(DAY)).then(
        *visit_opened_by("m6", event=EquipmentEvent.GATED_IN, laden=False, at=at(DAY))
    )
    desk.when(event(EquipmentEvent.GATED_OUT, DAY + 5, laden=False), at=at(DAY + 5)).then(
        facts.equipment_event_recorded("m7", EquipmentEvent.GATED_OUT, "m6", laden=False, at=at(DAY + 5)),
        facts.visit_closed("m6", "left_empty", "m7", consignments=(), at=at(DAY + 5)),
    )


# records of an older software version, in which the code that was published last is missing


def test_an_alarm_in_a_record_of_an_older_version_is_not_what_it_waits_for_after_the_finding() -> None:
    desk = left_and_came_again()
    desk.state = replace(as_box(desk.state), code=None)
    inside_after_all(desk, AGAIN + 20)


def test_a_record_of_an_older_version_says_with_the_next_message_that_a_count_is_awaited() -> None:
    desk = left_and_came_again()
    inside_after_all(desk, AGAIN + 20)
    desk.state = replace(as_box(desk.state), code=None, version=0, published="")
    desk.when(freed(A, 3, arrived=0, when=AGAIN + 30), at=at(AGAIN + 30)).then(
        awaits_a_count(1, "m1", since=at(AGAIN), at=at(AGAIN + 30))
    )
    desk.when(found("inside", AGAIN + 40), at=at(AGAIN + 40)).then(
        facts.container_finding_recorded("inside", at=at(AGAIN + 40))
    )
