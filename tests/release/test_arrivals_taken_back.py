"""Can the sender of a wrong arrival retract it, and do goods then wait that were released because of it?"""

from datetime import timedelta

from schemas.release import (
    ArrivalRecorded,
    ArrivalRetracted,
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    ReleaseGranted,
    ReleaseRevoked,
)
from schemas.vocabulary import ControlKind
from services.gate import decider as gate
from services.release import decider
from services.release.arrivals import MOST_LANDINGS
from services.release.goods import Revoked
from tests.declaration.good import BOX
from tests.facts import (
    consignment_assessed,
    consignment_gated_out,
    consignment_left_unreleased,
    container_arrival_retracted,
    container_arrived,
    departure_retracted,
    inspection_failed,
    withdrawal_requested,
)
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold, retract_arrival
from tests.voice import NOON, Story, keeps_its_promises, kinds, story

INSPECTION = ControlKind.INSPECTION


def released(*boxes: str) -> Story:
    """Green goods in these containers; a carrier reported the arrival of all of them in the request `a1`."""
    desk = story(decider, consignment_assessed(containers=boxes)).when(arrival(), message_id="a1")
    assert "ReleaseGranted" in kinds(desk)
    return desk


def test_goods_that_were_released_are_called_back_when_their_arrival_was_wrong() -> None:
    desk = released(BOX).when(retract_arrival("a1"), message_id="r1")
    assert kinds(desk) == ["ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    retracted, revoked, held, box = desk.answer
    assert isinstance(retracted, ArrivalRetracted) and (retracted.wrong, retracted.arrived_at) == ("a1", None)
    assert (retracted.retracted_by, retracted.reason) == ("carrier", "another vessel's list")
    assert isinstance(revoked, ReleaseRevoked) and revoked.containers == (BOX,)
    assert isinstance(held, ConsignmentHeld) and [h.reason for h in held.holds] == ["the goods have not arrived"]
    assert isinstance(box, ContainerHeld) and (box.arrived_at, box.arrival_retracted) == (None, True)
    assert isinstance(desk.state, Revoked)
    desk.when(arrival(at=NOON + timedelta(hours=3)), message_id="a2")
    assert kinds(desk) == ["ArrivalRecorded", "ReleaseGranted", "ContainerFreed"]


def test_the_gate_lets_nothing_out_whose_arrival_was_taken_back() -> None:
    desk, box = released(BOX), story(gate)
    for fact in desk.facts:
        if isinstance(fact, ContainerHeld | ContainerFreed):
            box.when(fact)
    assert kinds(box) == ["ContainerMayLeave"]
    box.when(desk.when(retract_arrival("a1")).answer[-1])
    assert kinds(box) == ["ContainerMustStay"]
    assert box.answer[0].model_dump()["reason"] == "no visit is open 不在场"


def test_the_container_that_has_not_arrived_is_called_back_and_the_other_one_stays_released() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES)).when(arrival(containers=(BOX,)), message_id="a1")
    desk.when(arrival(containers=(OTHER_BOX,)), message_id="a2").when(retract_arrival("a2"))
    assert kinds(desk) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld"]
    retracted, revoked, granted, box = desk.answer
    assert isinstance(retracted, ArrivalRetracted)
    assert (retracted.containers, retracted.arrived_at, retracted.first_arrived_at) == ((BOX,), NOON, NOON)
    assert isinstance(revoked, ReleaseRevoked) and revoked.containers == BOXES
    assert isinstance(granted, ReleaseGranted) and granted.containers == (BOX,)
    assert [h.reason for h in granted.holds] == ["1 of 2 containers have arrived"]
    assert isinstance(box, ContainerHeld) and box.container_no == OTHER_BOX


def test_goods_without_containers_wait_for_the_pieces_that_did_not_come() -> None:
    desk = story(decider, consignment_assessed(containers=(), packages=10)).when(arrival(pieces=4), message_id="a1")
    desk.when(arrival(pieces=10), message_id="a2").when(retract_arrival("a2"))
    assert kinds(desk) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted"]
    retracted, granted = desk.answer[0], desk.answer[2]
    assert isinstance(retracted, ArrivalRetracted) and retracted.pieces == 4
    assert isinstance(granted, ReleaseGranted) and granted.pieces == 4
    assert kinds(desk.when(retract_arrival("a1"))) == ["ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld"]


def test_only_who_told_an_arrival_takes_it_back() -> None:
    desk = released(BOX).when(retract_arrival("a1", by="another carrier"))
    desk.then_refused("not_the_sender")
    desk.when(retract_arrival("nothing")).then_refused("arrival_unknown")
    desk.when(retract_arrival("a1"), message_id="r1").when(retract_arrival("a1"), message_id="r2")
    desk.then_refused("already_answered")


def test_a_colleague_of_the_same_company_takes_it_back() -> None:
    report = arrival("clerk 1").model_copy(update={"on_behalf_of": "COSCO"})
    desk = story(decider, consignment_assessed()).when(report, message_id="a1")
    assert isinstance(desk.answer[0], ArrivalRecorded) and desk.answer[0].reported_for == "COSCO"
    wrong = retract_arrival("a1", by="clerk 2")
    desk.when(wrong).then_refused("not_the_sender")
    assert kinds(desk.when(wrong.model_copy(update={"on_behalf_of": "COSCO"})))[0] == "ArrivalRetracted"


def test_an_arrival_that_an_earlier_release_recorded_can_be_taken_back() -> None:
    desk = released(BOX)
    desk.state = desk.state.__class__(
        **{
            **{name: getattr(desk.state, name) for name in desk.state.__dataclass_fields__},
            "dossier": desk.state.dossier._replace(arrival_sender=""),
        }
    )
    assert kinds(desk.when(retract_arrival("a1", by="somebody")))[0] == "ArrivalRetracted"


def test_what_a_terminal_told_of_the_container_stands_although_the_carrier_takes_his_word_back() -> None:
    desk = released(*BOXES).when(container_arrived(BOX, at=NOON - timedelta(minutes=30))).when(retract_arrival("a1"))
    assert kinds(desk) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld", "ContainerFreed"]
    retracted, granted, freed = desk.answer[0], desk.answer[2], desk.answer[4]
    assert isinstance(freed, ContainerFreed) and freed.arrived_at == NOON - timedelta(minutes=30)
    assert isinstance(retracted, ArrivalRetracted) and retracted.arrived_at == NOON - timedelta(minutes=30)
    assert isinstance(granted, ReleaseGranted) and granted.containers == (BOX,)
    assert kinds(desk.when(container_arrived(OTHER_BOX)))[:2] == ["ArrivalRecorded", "ReleaseGranted"]


def test_the_gate_hears_that_another_report_stands_where_a_terminal_takes_its_own_back() -> None:
    """After the gate desk has retracted an arrival, it lets nothing out until it reads of the carrier's report."""
    desk = story(decider, consignment_assessed(containers=BOXES))
    desk.when(container_arrived(BOX, at=NOON - timedelta(minutes=30))).when(arrival())
    assert "ReleaseGranted" in kinds(desk)
    desk.when(container_arrival_retracted())
    assert kinds(desk) == ["ArrivalRetracted", "ContainerFreed"]
    freed = desk.answer[1]
    assert isinstance(freed, ContainerFreed) and (freed.container_no, freed.arrived_at) == (BOX, NOON)


def test_a_container_that_left_had_arrived() -> None:
    desk = released(BOX).when(consignment_gated_out(BOX)).when(retract_arrival("a1"))
    desk.then_refused("already_gated_out")
    desk = released(*BOXES).when(consignment_gated_out(BOX)).when(retract_arrival("a1"))
    assert kinds(desk) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld"]
    assert isinstance(desk.answer[2], ReleaseGranted) and desk.answer[2].containers == (BOX,)
    desk.when(departure_retracted(BOX))
    assert kinds(desk)[0] == "ReleaseRevoked"


def test_an_arrival_is_taken_back_whatever_else_holds_the_goods() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(arrival(), message_id="a1").when(retract_arrival("a1"))
    assert kinds(desk) == ["ArrivalRetracted", "ConsignmentHeld", "ContainerHeld"]
    desk = released(BOX).when(place_hold(), message_id="p1").when(retract_arrival("a1"))
    assert kinds(desk) == ["ArrivalRetracted", "ConsignmentHeld", "ContainerHeld"]
    assert kinds(desk.when(lift_hold("officer/p1"))) == ["ConsignmentHeld"]
    desk = (
        story(decider, consignment_assessed(INSPECTION))
        .when(arrival(), message_id="a1")
        .when(inspection_failed(INSPECTION))
    )
    assert kinds(desk.when(retract_arrival("a1"))) == ["ArrivalRetracted", "ContainerHeld"]
    desk = story(decider).when(arrival(), message_id="a1").when(retract_arrival("a1")).when(consignment_assessed())
    assert kinds(desk) == ["ConsignmentHeld", "ContainerHeld"]


def test_a_part_is_taken_back_before_the_assessment() -> None:
    desk = story(decider).when(arrival(containers=(BOX,)), message_id="a1")
    desk.when(arrival(containers=(OTHER_BOX,)), message_id="a2").when(retract_arrival("a1"))
    retracted = desk.answer[0]
    assert isinstance(retracted, ArrivalRetracted) and retracted.containers == (OTHER_BOX,)
    desk.when(consignment_assessed(containers=BOXES))
    assert isinstance(desk.answer[0], ReleaseGranted) and desk.answer[0].containers == (OTHER_BOX,)


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
    """The container left with released goods before the retraction, or while the goods were held; an arrival does not
    make the departure lawful."""
    desk = released(BOX).when(retract_arrival("a1")).when(consignment_gated_out(BOX))
    assert kinds(desk)[0] == "ReleaseGranted"
    desk = released(BOX).when(retract_arrival("a1")).when(consignment_left_unreleased(BOX))
    [held, *_] = desk.answer
    assert isinstance(held, ConsignmentHeld) and [h.hold_id for h in held.holds] == [f"gate/{BOX}"]
