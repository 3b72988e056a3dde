"""If the sender of a wrong arrival retracts it, do goods that were released because of this arrival wait again?"""

from datetime import timedelta

from schemas.phrases import phrase
from schemas.release import (
    ContainerFreed,
    ContainerHeld,
)
from schemas.vocabulary import ControlKind
from services.gate import decider as gate
from services.release import decider
from services.release.arrivals import MOST_LANDINGS
from services.release.goods import Revoked
from tests.declaration.good import BOX
from tests.facts import (
    arrival_recorded,
    arrival_retracted,
    consignment_assessed,
    consignment_gated_out,
    consignment_held,
    consignment_left_unreleased,
    container_arrival_retracted,
    container_arrived,
    container_freed,
    container_held,
    container_may_leave,
    container_must_stay,
    containers_missing,
    control_required,
    departure_retracted,
    has_left_unreleased,
    inspection_failed,
    not_arrived,
    officers_hold,
    packages_missing,
    release_granted,
    release_revoked,
    withdrawal_requested,
)
from tests.release.answers import goods_called_back_to_arrive, goods_held, goods_released
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold, retract_arrival
from tests.voice import CONSIGNMENT, NOON, Story, after, keeps_its_promises, story

INSPECTION = ControlKind.INSPECTION


def released(*boxes: str) -> Story:
    """Returns the desk after it has released green goods in these containers. A carrier reported the arrival of all
    of them in the request `a1`."""
    desk = story(decider, consignment_assessed(containers=boxes)).when(arrival(), message_id="a1")
    freed = [container_freed(container_no=box, at=after(2)) for box in boxes]
    return desk.then(arrival_recorded(), release_granted(2, containers=boxes, at=after(2)), *freed)


def test_goods_that_were_released_are_called_back_when_their_arrival_was_wrong() -> None:
    desk = released(BOX)
    desk.when(retract_arrival("a1"), message_id="r1").then(
        arrival_retracted("a1", at=after(3)), *goods_called_back_to_arrive(3, after(3), after(3))
    )
    assert isinstance(desk.state, Revoked)
    later = NOON + timedelta(hours=3)
    desk.when(arrival(at=later), message_id="a2").then(
        arrival_recorded(at=later), *goods_released(5, later, arrived_at=later)
    )


def test_the_gate_lets_nothing_out_whose_arrival_was_taken_back() -> None:
    desk, box = released(BOX), story(gate)
    for fact in desk.facts:
        if isinstance(fact, ContainerHeld | ContainerFreed):
            box.when(fact)
    box.then(container_may_leave(1, f"arrival/{CONSIGNMENT}", at=after(2)))
    box.when(desk.when(retract_arrival("a1")).answer[-1]).then(
        container_must_stay(2, "", phrase("no_visit"), at=after(3))
    )


def test_the_container_that_has_not_arrived_is_called_back_and_the_other_one_stays_released() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES)).when(arrival(containers=(BOX,)), message_id="a1")
    desk.when(arrival(containers=(OTHER_BOX,)), message_id="a2")
    desk.when(retract_arrival("a2")).then(
        arrival_retracted("a2", containers=(BOX,), arrived_at=NOON, first_arrived_at=NOON, at=after(4)),
        release_revoked(4, phrase("arrival_taken_back"), containers=BOXES, at=after(4)),
        release_granted(5, holds=(containers_missing(1, 2, after(4)),), at=after(4)),
        container_held(5, phrase("not_arrived_yet"), arrival_retracted=True, container_no=OTHER_BOX, at=after(4)),
    )


def test_goods_without_containers_wait_for_the_pieces_that_did_not_come() -> None:
    desk = story(decider, consignment_assessed(containers=(), packages=10)).when(arrival(pieces=4), message_id="a1")
    desk.when(arrival(pieces=10), message_id="a2")
    desk.when(retract_arrival("a2")).then(
        arrival_retracted("a2", pieces=4, arrived_at=NOON, first_arrived_at=NOON, at=after(4)),
        release_revoked(4, phrase("arrival_taken_back"), containers=(), at=after(4)),
        release_granted(5, containers=(), holds=(packages_missing(4, 10, after(4)),), pieces=4, at=after(4)),
    )
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", at=after(5)),
        release_revoked(6, phrase("not_arrived"), containers=(), at=after(5)),
        consignment_held(7, not_arrived(after(4)), at=after(5)),
    )


def test_only_who_told_an_arrival_takes_it_back() -> None:
    desk = released(BOX).when(retract_arrival("a1", by="another carrier"))
    desk.then_refused("not_the_sender")
    desk.when(retract_arrival("nothing")).then_refused("arrival_unknown")
    desk.when(retract_arrival("a1"), message_id="r1").when(retract_arrival("a1"), message_id="r2")
    desk.then_refused("already_answered")


def test_a_colleague_of_the_same_company_takes_it_back() -> None:
    report = arrival("clerk 1").model_copy(update={"on_behalf_of": "COSCO"})
    desk = story(decider, consignment_assessed())
    desk.when(report, message_id="a1").then(
        arrival_recorded(by="clerk 1", on_behalf_of="COSCO"), *goods_released(2, after(2))
    )
    wrong = retract_arrival("a1", by="clerk 2")
    desk.when(wrong).then_refused("not_the_sender")
    desk.when(wrong.model_copy(update={"on_behalf_of": "COSCO"})).then(
        arrival_retracted("a1", by="clerk 2", at=after(4)), *goods_called_back_to_arrive(3, after(4), after(4))
    )


def test_an_arrival_that_an_earlier_release_recorded_can_be_taken_back() -> None:
    desk = released(BOX)
    desk.state = desk.state.__class__(
        **{
            **{name: getattr(desk.state, name) for name in desk.state.__dataclass_fields__},
            "dossier": desk.state.dossier._replace(arrival_sender=""),
        }
    )
    desk.when(retract_arrival("a1", by="somebody")).then(
        arrival_retracted("a1", by="somebody", at=after(3)), *goods_called_back_to_arrive(3, after(3), after(3))
    )


def test_what_a_terminal_told_of_the_container_stands_although_the_carrier_takes_his_word_back() -> None:
    earlier = NOON - timedelta(minutes=30)
    desk = released(*BOXES).when(container_arrived(BOX, at=earlier))
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", containers=(BOX,), arrived_at=earlier, first_arrived_at=earlier, at=after(4)),
        release_revoked(3, phrase("arrival_taken_back"), containers=BOXES, at=after(4)),
        release_granted(4, arrived_at=earlier, holds=(containers_missing(1, 2, after(4)),), at=after(4)),
        container_held(4, phrase("not_arrived_yet"), arrival_retracted=True, container_no=OTHER_BOX, at=after(4)),
        container_freed(4, arrived_at=earlier, at=after(4)),
    )
    desk.when(container_arrived(OTHER_BOX)).then(
        arrival_recorded(OTHER_BOX, where="berth 1", by="gate"),
        release_granted(5, containers=BOXES, at=after(5)),
        container_freed(5, container_no=OTHER_BOX, at=after(5)),
    )


def test_the_gate_hears_that_another_report_stands_where_a_terminal_takes_its_own_back() -> None:
    """After the gate desk has retracted an arrival, it lets nothing out until it reads of the carrier's report."""
    desk = story(decider, consignment_assessed(containers=BOXES))
    earlier = NOON - timedelta(minutes=30)
    desk.when(container_arrived(BOX, at=earlier)).when(arrival()).then(
        arrival_recorded(),
        release_granted(3, containers=BOXES, at=after(3)),
        container_freed(3, container_no=OTHER_BOX, at=after(3)),
    )
    desk.when(container_arrival_retracted()).then(
        arrival_retracted(
            "m2", phrase("terminal_took_back"), arrived_at=NOON, first_arrived_at=NOON, by="gate", at=after(4)
        ),
        container_freed(4, at=after(4)),
    )


def test_a_container_that_left_had_arrived() -> None:
    desk = released(BOX).when(consignment_gated_out(BOX)).when(retract_arrival("a1"))
    desk.then_refused("already_gated_out")
    desk = released(*BOXES).when(consignment_gated_out(BOX))
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", containers=(BOX,), arrived_at=NOON, first_arrived_at=NOON, at=after(4)),
        release_revoked(3, phrase("arrival_taken_back"), containers=BOXES, at=after(4)),
        release_granted(4, holds=(containers_missing(1, 2, after(4)),), at=after(4)),
        container_held(4, phrase("not_arrived_yet"), arrival_retracted=True, container_no=OTHER_BOX, at=after(4)),
    )
    desk.when(departure_retracted(BOX)).then(*goods_called_back_to_arrive(5, after(5), after(4)))


def test_an_arrival_is_taken_back_whatever_else_holds_the_goods() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(arrival(), message_id="a1")
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", at=after(3)),
        *goods_held(
            3,
            after(3),
            not_arrived(after(3)),
            control_required(INSPECTION, after(1)),
            arrived_at=None,
            arrival_retracted=True,
        ),
    )
    desk = released(BOX).when(place_hold(), message_id="p1")
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", at=after(4)),
        *goods_held(
            5,
            after(4),
            not_arrived(after(4)),
            officers_hold("p1", since=after(3)),
            arrived_at=None,
            arrival_retracted=True,
        ),
    )
    desk.when(lift_hold("officer/p1")).then(consignment_held(6, not_arrived(after(4)), at=after(5)))
    desk = (
        story(decider, consignment_assessed(INSPECTION))
        .when(arrival(), message_id="a1")
        .when(inspection_failed(INSPECTION))
    )
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", at=after(4)),
        container_held(4, phrase("not_let_in"), arrival_retracted=True, refused=True, at=after(4)),
    )
    desk = story(decider).when(arrival(), message_id="a1").when(retract_arrival("a1"))
    desk.when(consignment_assessed()).then(
        *goods_held(3, after(3), not_arrived(after(2)), arrived_at=None, arrival_retracted=True)
    )


def test_a_part_is_taken_back_before_the_assessment() -> None:
    desk = story(decider).when(arrival(containers=(BOX,)), message_id="a1")
    desk.when(arrival(containers=(OTHER_BOX,)), message_id="a2")
    desk.when(retract_arrival("a1")).then(
        arrival_retracted("a1", containers=(OTHER_BOX,), arrived_at=NOON, first_arrived_at=NOON, at=after(3))
    )
    desk.when(consignment_assessed(containers=BOXES)).then(
        release_granted(2, containers=(OTHER_BOX,), holds=(containers_missing(1, 2, after(1)),), at=after(4)),
        container_held(2, phrase("not_arrived_yet"), arrival_retracted=True, at=after(4)),
        container_freed(container_no=OTHER_BOX, at=after(4)),
    )


def test_a_report_that_was_taken_back_counts_no_more_however_often_it_is_read() -> None:
    desk = released(BOX).when(retract_arrival("a1"), message_id="r1")
    desk.when(arrival(), message_id="a1").then()
    desk.when(retract_arrival("a1"), message_id="r1").then()


def test_of_a_withdrawn_declaration_no_arrival_is_taken_back() -> None:
    desk = story(decider, consignment_assessed()).when(withdrawal_requested())
    desk.when(retract_arrival("a1")).then_refused("consignment_closed")


def test_arrivals_that_are_taken_back_are_bounded() -> None:
    desk = story(decider, consignment_assessed(INSPECTION))
    for number in range(MOST_LANDINGS):
        desk.when(arrival(), message_id=f"a{number}").when(retract_arrival(f"a{number}"))
    desk.when(arrival(), message_id="last").when(retract_arrival("last")).then_refused("too_many_requests")


def test_taking_an_arrival_back_twice_adds_nothing() -> None:
    past = [
        consignment_assessed(containers=BOXES),
        arrival(containers=(BOX,)),
        retract_arrival("once-1"),
        arrival(),
        consignment_gated_out(BOX),
    ]
    keeps_its_promises(decider, [*past, retract_arrival("once-3"), container_arrived(OTHER_BOX)])


def test_a_departure_that_is_heard_after_the_retraction_proves_the_arrival_and_no_more() -> None:
    """In the first case, the container left before the retraction; in the second case, it left while the goods were
    held. In both cases the departure proves the arrival. In the second case, the goods still count as left
    unreleased."""
    desk = released(BOX).when(retract_arrival("a1"))
    desk.when(consignment_gated_out(BOX)).then(*goods_released(5, after(4)))
    desk = released(BOX).when(retract_arrival("a1"))
    desk.when(consignment_left_unreleased(BOX)).then(*goods_held(5, after(4), has_left_unreleased(since=after(4))))
