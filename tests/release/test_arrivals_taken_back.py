"""Can who told of a wrong arrival take it back, and do goods then wait that were released for it?"""

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
from tests.release.dossiers import (
    BOX,
    BOXES,
    OTHER_BOX,
    arrival,
    assessed,
    departure_retracted,
    discharged,
    failed,
    gated_out,
    left_unreleased,
    lift_hold,
    not_discharged,
    place_hold,
    retract_arrival,
    withdrawal,
)
from tests.voice import NOON, Story, adds_nothing_twice, code, kinds, story

INSPECTION = ControlKind.INSPECTION


def released(*boxes: str) -> Story:
    """Green goods in these containers, all of which a carrier told to have arrived by the request `a1`."""
    told = story(decider, assessed(containers=boxes)).when(arrival(), message_id="a1")
    assert "ReleaseGranted" in kinds(told)
    return told


def test_goods_that_were_released_are_called_back_when_their_arrival_was_wrong() -> None:
    told = released(BOX).when(retract_arrival("a1"), message_id="r1")
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    retracted, revoked, held, box = told.said
    assert isinstance(retracted, ArrivalRetracted) and (retracted.wrong, retracted.arrived_at) == ("a1", None)
    assert (retracted.retracted_by, retracted.reason) == ("carrier", "another vessel's list")
    assert isinstance(revoked, ReleaseRevoked) and revoked.containers == (BOX,)
    assert isinstance(held, ConsignmentHeld) and [h.reason for h in held.holds] == ["the goods have not arrived"]
    assert isinstance(box, ContainerHeld) and (box.arrived_at, box.arrival_retracted) == (None, True)
    assert isinstance(told.state, Revoked)
    told.when(arrival(at=NOON + timedelta(hours=3)), message_id="a2")
    assert kinds(told) == ["ArrivalRecorded", "ReleaseGranted", "ContainerFreed"]


def test_the_gate_lets_nothing_out_whose_arrival_was_taken_back() -> None:
    told, box = released(BOX), story(gate)
    for fact in told.facts:
        if isinstance(fact, ContainerHeld | ContainerFreed):
            box.when(fact)
    assert kinds(box) == ["ContainerMayLeave"]
    box.when(told.when(retract_arrival("a1")).said[-1])
    assert kinds(box) == ["ContainerMustStay"]
    assert box.said[0].model_dump()["reason"] == "no visit is open 不在场"


def test_the_container_that_has_not_arrived_is_called_back_and_the_other_one_stays_released() -> None:
    told = story(decider, assessed(containers=BOXES)).when(arrival(containers=(BOX,)), message_id="a1")
    told.when(arrival(containers=(OTHER_BOX,)), message_id="a2").when(retract_arrival("a2"))
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld"]
    retracted, revoked, granted, box = told.said
    assert isinstance(retracted, ArrivalRetracted)
    assert (retracted.containers, retracted.arrived_at, retracted.first_arrived_at) == ((BOX,), NOON, NOON)
    assert isinstance(revoked, ReleaseRevoked) and revoked.containers == BOXES
    assert isinstance(granted, ReleaseGranted) and granted.containers == (BOX,)
    assert [h.reason for h in granted.holds] == ["1 of 2 containers have arrived"]
    assert isinstance(box, ContainerHeld) and box.container_no == OTHER_BOX


def test_goods_without_containers_wait_for_the_pieces_that_did_not_come() -> None:
    told = story(decider, assessed(containers=(), packages=10)).when(arrival(pieces=4), message_id="a1")
    told.when(arrival(pieces=10), message_id="a2").when(retract_arrival("a2"))
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted"]
    retracted, granted = told.said[0], told.said[2]
    assert isinstance(retracted, ArrivalRetracted) and retracted.pieces == 4
    assert isinstance(granted, ReleaseGranted) and granted.pieces == 4
    assert kinds(told.when(retract_arrival("a1"))) == ["ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld"]


def test_only_who_told_an_arrival_takes_it_back() -> None:
    told = released(BOX).when(retract_arrival("a1", by="another carrier"))
    assert code(told) == "not_the_sender"
    assert code(told.when(retract_arrival("nothing"))) == "arrival_unknown"
    told.when(retract_arrival("a1"), message_id="r1").when(retract_arrival("a1"), message_id="r2")
    assert code(told) == "already_answered"


def test_a_colleague_of_the_same_company_takes_it_back() -> None:
    report = arrival("clerk 1").model_copy(update={"on_behalf_of": "COSCO"})
    told = story(decider, assessed()).when(report, message_id="a1")
    assert isinstance(told.said[0], ArrivalRecorded) and told.said[0].reported_for == "COSCO"
    wrong = retract_arrival("a1", by="clerk 2")
    assert code(told.when(wrong)) == "not_the_sender"
    assert kinds(told.when(wrong.model_copy(update={"on_behalf_of": "COSCO"})))[0] == "ArrivalRetracted"


def test_an_arrival_that_an_earlier_release_recorded_can_be_taken_back() -> None:
    told = released(BOX)
    told.state = told.state.__class__(
        **{
            **{name: getattr(told.state, name) for name in told.state.__dataclass_fields__},
            "dossier": told.state.dossier._replace(arrival_sender=""),
        }
    )
    assert kinds(told.when(retract_arrival("a1", by="somebody")))[0] == "ArrivalRetracted"


def test_what_a_terminal_told_of_the_container_stands_although_the_carrier_takes_his_word_back() -> None:
    told = released(*BOXES).when(discharged(BOX, minutes=-30)).when(retract_arrival("a1"))
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld", "ContainerFreed"]
    retracted, granted, freed = told.said[0], told.said[2], told.said[4]
    assert isinstance(retracted, ArrivalRetracted) and retracted.arrived_at == NOON - timedelta(minutes=30)
    assert isinstance(granted, ReleaseGranted) and granted.containers == (BOX,)
    assert isinstance(freed, ContainerFreed) and freed.arrived_at == retracted.arrived_at, (
        "the gate knows it by its time"
    )
    assert freed.version == granted.version
    assert kinds(told.when(discharged(OTHER_BOX)))[:2] == ["ArrivalRecorded", "ReleaseGranted"]


def test_the_gate_hears_that_another_report_stands_where_a_terminal_takes_its_own_back() -> None:
    """The gate lets nothing out for an arrival that it took back, until it hears of the one of the carrier."""
    told = story(decider, assessed(containers=BOXES)).when(discharged(BOX, minutes=-30)).when(arrival())
    assert "ReleaseGranted" in kinds(told)
    told.when(not_discharged(BOX))
    assert kinds(told) == ["ArrivalRetracted", "ContainerFreed"]
    freed = told.said[1]
    assert isinstance(freed, ContainerFreed) and (freed.container_no, freed.arrived_at) == (BOX, NOON)
    told.when(not_discharged(BOX)).then()
    told = story(decider, assessed(containers=BOXES)).when(discharged(BOX, minutes=-30)).when(arrival())
    assert kinds(told.when(gated_out(BOX)).when(not_discharged(BOX))) == ["ArrivalRetracted"], "it has left"
    told = story(decider, assessed()).when(discharged()).when(not_discharged())
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]


def test_a_container_that_left_had_arrived() -> None:
    told = released(BOX).when(gated_out(BOX)).when(retract_arrival("a1"))
    assert code(told) == "already_gated_out"
    told = released(*BOXES).when(gated_out(BOX)).when(retract_arrival("a1"))
    assert kinds(told) == ["ArrivalRetracted", "ReleaseRevoked", "ReleaseGranted", "ContainerHeld"]
    assert isinstance(told.said[2], ReleaseGranted) and told.said[2].containers == (BOX,)
    told.when(departure_retracted(BOX))
    assert kinds(told)[0] == "ReleaseRevoked"


def test_an_arrival_is_taken_back_whatever_else_holds_the_goods() -> None:
    told = story(decider, assessed(INSPECTION)).when(arrival(), message_id="a1").when(retract_arrival("a1"))
    assert kinds(told) == ["ArrivalRetracted", "ConsignmentHeld", "ContainerHeld"]
    told = released(BOX).when(place_hold(), message_id="p1").when(retract_arrival("a1"))
    assert kinds(told) == ["ArrivalRetracted", "ConsignmentHeld", "ContainerHeld"]
    assert kinds(told.when(lift_hold("officer/p1"))) == ["ConsignmentHeld"]
    told = story(decider, assessed(INSPECTION)).when(arrival(), message_id="a1").when(failed(INSPECTION))
    assert kinds(told.when(retract_arrival("a1"))) == ["ArrivalRetracted", "ContainerHeld"]
    told = story(decider).when(arrival(), message_id="a1").when(retract_arrival("a1")).when(assessed())
    assert kinds(told) == ["ConsignmentHeld", "ContainerHeld"]


def test_a_part_is_taken_back_before_the_assessment() -> None:
    told = story(decider).when(arrival(containers=(BOX,)), message_id="a1")
    told.when(arrival(containers=(OTHER_BOX,)), message_id="a2").when(retract_arrival("a1"))
    retracted = told.said[0]
    assert isinstance(retracted, ArrivalRetracted) and retracted.containers == (OTHER_BOX,)
    told.when(assessed(containers=BOXES))
    assert isinstance(told.said[0], ReleaseGranted) and told.said[0].containers == (OTHER_BOX,)


def test_a_report_that_was_taken_back_counts_no_more_however_often_it_is_read() -> None:
    told = released(BOX).when(retract_arrival("a1"), message_id="r1")
    told.when(arrival(), message_id="a1").then()
    told.when(retract_arrival("a1"), message_id="r1").then()


def test_of_a_withdrawn_declaration_no_arrival_is_taken_back() -> None:
    told = story(decider, assessed()).when(withdrawal())
    assert code(told.when(retract_arrival("a1"))) == "consignment_closed"


def test_arrivals_that_are_taken_back_are_bounded() -> None:
    told = story(decider, assessed(INSPECTION))
    for number in range(MOST_LANDINGS):
        told.when(arrival(), message_id=f"a{number}").when(retract_arrival(f"a{number}"))
    assert code(told.when(arrival(), message_id="last").when(retract_arrival("last"))) == "too_many_requests"


def test_taking_an_arrival_back_twice_adds_nothing() -> None:
    past = [
        assessed(containers=BOXES),
        arrival(containers=(BOX,)),
        retract_arrival("once-1"),
        arrival(),
        gated_out(BOX),
    ]
    adds_nothing_twice(decider, [*past, retract_arrival("once-3"), discharged(OTHER_BOX)])


def test_a_departure_that_is_heard_after_the_retraction_proves_the_arrival_and_no_more() -> None:
    """It had left released before the retraction; or it left while the goods were held, which no arrival heals."""
    told = released(BOX).when(retract_arrival("a1")).when(gated_out(BOX))
    assert kinds(told)[0] == "ReleaseGranted"
    told = released(BOX).when(retract_arrival("a1")).when(left_unreleased(BOX))
    [held, *_] = told.said
    assert isinstance(held, ConsignmentHeld) and [h.hold_id for h in held.holds] == [f"gate/{BOX}"]
