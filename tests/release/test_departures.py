"""Do goods that left unreleased stay unreleased, and does an unused release end?"""

from datetime import datetime, timedelta, timezone

import pytest

from schemas.envelope import DeadlinePassed, Message
from schemas.release import ConsignmentHeld, ContainerFreed, ContainerHeld, ReleaseGranted, ReleaseRevoked
from schemas.vocabulary import ControlKind, Direction, Owner
from services.release import decider
from services.release.departures import MOST_DEPARTURES
from services.release.dossier import Dossier
from services.release.lapses import LAPSES
from tests.declaration.good import BOX
from tests.facts import (
    LEFT_UNRELEASED,
    consignment_assessed,
    consignment_gated_out,
    consignment_left_unreleased,
    container_arrived,
    departure_retracted,
    inspection_failed,
    inspection_passed,
    withdrawal_requested,
)
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, kinds, story

INSPECTION = ControlKind.INSPECTION
LAPSE = LAPSES[-1][1]


def holds(desk: Story) -> list[str]:
    return [h.hold_id for h in desk.state.stated]


def to_gate(desk: Story) -> list[tuple[str, str]]:
    return [(f.kind, f.container_no) for f in desk.answer if isinstance(f, ContainerHeld | ContainerFreed)]


def passes(desk: Story) -> Story:
    """Lets the deadline of this state pass."""
    [deadline] = desk.deadlines()
    return desk.when(
        DeadlinePassed(subject=CONSIGNMENT, name=deadline.name, due=deadline.due),
        message_id=f"deadline {deadline.due}",
        at=deadline.due,
    )


def test_goods_that_left_unreleased_are_never_released_by_a_later_answer() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(consignment_left_unreleased())
    held = desk.answer[0]
    assert isinstance(held, ConsignmentHeld) and kinds(desk) == ["ConsignmentHeld"]
    hold = held.holds[-1]
    assert (hold.hold_id, hold.owner, hold.lifted_by) == (f"gate/{BOX}", Owner.OFFICER, "DepartureRetracted")
    assert hold.reason == LEFT_UNRELEASED
    desk.when(inspection_passed(INSPECTION))
    assert kinds(desk) == ["ConsignmentHeld"] and holds(desk) == [f"gate/{BOX}"]
    desk.when(lift_hold(f"gate/{BOX}")).then_refused("not_an_officer_hold")


def test_a_departure_that_was_a_mistake_lets_the_desk_decide_anew() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        consignment_left_unreleased(),
        inspection_passed(INSPECTION),
    )
    assert kinds(desk.when(departure_retracted())) == ["ReleaseGranted", "ContainerFreed"]


def test_a_departure_before_the_release_calls_the_release_back() -> None:
    desk = story(decider, consignment_assessed(), arrival()).when(consignment_left_unreleased())
    assert kinds(desk) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert kinds(desk.when(departure_retracted())) == ["ReleaseGranted", "ContainerFreed"]


def test_a_departure_that_is_heard_before_the_goods_are_known_waits_and_holds_them_then() -> None:
    desk = story(decider).when(consignment_left_unreleased())
    desk.then()
    desk.when(consignment_assessed()).when(arrival())
    assert holds(desk) == [f"gate/{BOX}"] and not any(isinstance(f, ReleaseGranted) for f in desk.facts)
    desk = story(decider, consignment_left_unreleased(), departure_retracted(), consignment_assessed(), arrival())
    assert desk.state.state == "released"


def test_a_later_departure_that_overtook_a_parked_retraction_still_holds_the_goods() -> None:
    desk = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_left_unreleased(),
        consignment_left_unreleased(),
        departure_retracted(),
    )
    assert holds(desk) == [f"gate/{BOX}"]
    assert kinds(desk.when(departure_retracted()))[0] == "ReleaseGranted"


def test_a_departure_is_taken_back_whatever_visit_the_goods_belong_to_by_then() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(visit="v1"))
    desk.when(departure_retracted(OTHER_BOX)).then()
    assert kinds(desk.when(departure_retracted(visit="")))[0] == "ReleaseGranted"


def test_a_departure_that_is_told_again_is_taken_back_at_once() -> None:
    desk = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_gated_out(),
        consignment_gated_out(),
        departure_retracted(),
    )
    assert len(desk.deadlines()) == 1, "it is inside"


def test_what_an_earlier_release_told_of_a_departure_without_release_counts_the_same() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(
        consignment_gated_out(visit="", released=False)
    )
    assert holds(desk) == ["inspection/inspection", f"gate/{BOX}"]
    desk.when(inspection_passed(INSPECTION)).when(departure_retracted())
    assert desk.state.state == "released"


def test_goods_that_left_unreleased_are_not_withdrawn_until_an_officer_found_them() -> None:
    desk = story(decider, consignment_assessed(), consignment_left_unreleased()).when(withdrawal_requested())
    assert "DeclarationWithdrawn" not in kinds(desk)
    assert "DeclarationWithdrawn" in kinds(desk.when(departure_retracted()))


def test_what_is_against_goods_that_left_released_is_told_to_the_gate() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    assert to_gate(desk.when(place_hold(), message_id="h1")) == [("ContainerHeld", BOX)]
    desk = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    assert to_gate(desk.when(inspection_failed(INSPECTION))) == [("ContainerHeld", BOX)]


def test_a_release_that_nobody_uses_lapses_and_an_officer_gives_it_again() -> None:
    desk = story(decider, consignment_assessed(), arrival())
    assert desk.deadlines()[0].due == desk.at + LAPSE
    passes(desk)
    assert kinds(desk) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    revoked = desk.answer[0]
    assert isinstance(revoked, ReleaseRevoked) and BOX in revoked.reason and "30" in revoked.reason
    assert holds(desk) == ["officer/lapse/2"] and desk.deadlines() == ()
    desk.when(lift_hold("officer/lapse/2"), at=desk.at + timedelta(days=1))
    assert kinds(desk) == ["ReleaseGranted", "ContainerFreed"] and desk.deadlines()[0].due == desk.at + LAPSE


YEAR = datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=8)))
"""The start of this year in China: from then on, a release lapses after a week if no terminal reported the
container."""


def released_at(moment: datetime, *before: Message) -> Story:
    return story(decider, consignment_assessed(), *before).when(arrival(), at=moment)


@pytest.mark.parametrize(("moment", "days"), [(YEAR - timedelta(seconds=1), 30), (YEAR, 7), (YEAR + LAPSE, 7)])
def test_a_release_of_a_container_that_no_terminal_told_of_lapses_after_a_week(moment: datetime, days: int) -> None:
    """A terminal that reports no openings would not report either that the container comes back."""
    desk = released_at(moment)
    assert desk.deadlines()[0].due == moment + timedelta(days=days)
    passes(desk)
    revoked = desk.answer[0]
    assert isinstance(revoked, ReleaseRevoked) and f"released {days} days ago" in revoked.reason
    desk.when(lift_hold("officer/lapse/2"), at=YEAR + 2 * LAPSE)
    assert desk.deadlines()[0].due == YEAR + 2 * LAPSE + timedelta(days=7)


def test_a_release_of_a_container_that_a_terminal_told_of_lapses_after_a_month_whoever_told_first() -> None:
    """The gate desk publishes a discharge even if the carrier has reported the arrival before."""
    desk = released_at(YEAR).when(container_arrived(), at=YEAR + timedelta(hours=1))
    desk.then()
    assert desk.deadlines()[0].due == YEAR + LAPSE
    desk = story(decider, container_arrived()).when(consignment_assessed(), at=YEAR)
    assert desk.deadlines()[0].due == YEAR + LAPSE
    other = released_at(YEAR).when(container_arrived(OTHER_BOX), at=YEAR + timedelta(hours=1))
    assert other.deadlines()[0].due == YEAR + timedelta(days=7), "another container was discharged"


def test_of_two_containers_the_one_that_no_terminal_told_of_lapses_first() -> None:
    desk = (
        story(decider, consignment_assessed(containers=BOXES))
        .when(arrival(), at=YEAR)
        .when(container_arrived(BOX), at=YEAR)
    )
    assert desk.deadlines()[0].due == YEAR + timedelta(days=7)
    passes(desk)
    revoked = desk.answer[0]
    assert isinstance(revoked, ReleaseRevoked) and OTHER_BOX in revoked.reason and BOX not in revoked.reason
    desk = (
        story(decider, consignment_assessed(containers=BOXES))
        .when(arrival(), at=YEAR)
        .when(container_arrived(BOX), at=YEAR)
    )
    assert desk.when(consignment_gated_out(OTHER_BOX), at=YEAR + timedelta(days=1)).deadlines()[0].due == YEAR + LAPSE


def test_a_record_of_the_software_version_before_knows_what_the_gate_told_it() -> None:
    desk = story(decider, container_arrived()).when(consignment_assessed(), at=YEAR)
    stored = decider.STATE.dump_python(desk.state, mode="json")
    first_new = Dossier._fields.index("opened")
    assert stored["dossier"][first_new] == [BOX]
    del stored["dossier"][first_new:]
    desk.state = decider.STATE.validate_python(stored)
    assert desk.deadlines()[0].due == YEAR + LAPSE


def test_a_release_lapses_only_while_a_container_has_not_left() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(), consignment_gated_out(BOX))
    assert len(desk.deadlines()) == 1
    desk.when(consignment_gated_out(OTHER_BOX, visit="v2"))
    assert desk.deadlines() == ()
    desk.when(departure_retracted(OTHER_BOX, visit="v2"))
    assert len(desk.deadlines()) == 1


def test_a_lapse_says_nothing_against_the_container_that_left_in_time_until_it_is_found_inside() -> None:
    desk = passes(story(decider, consignment_assessed(containers=BOXES), arrival(), consignment_gated_out(BOX)))
    assert to_gate(desk) == [("ContainerHeld", OTHER_BOX)]
    desk.when(departure_retracted(BOX))
    assert to_gate(desk) == [("ContainerHeld", BOX)]


def test_a_container_that_was_released_later_lapses_later() -> None:
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    desk.when(arrival(containers=(OTHER_BOX,)), at=NOON + timedelta(days=20))
    assert desk.deadlines()[0].due < NOON + LAPSE + timedelta(hours=1)
    desk.when(consignment_gated_out(BOX))
    assert desk.deadlines()[0].due == NOON + timedelta(days=20) + LAPSE


def test_exports_and_goods_without_containers_do_not_lapse() -> None:
    assert story(decider, consignment_assessed(direction=Direction.EXPORT), arrival()).deadlines() == ()
    assert story(decider, consignment_assessed(containers=()), arrival()).deadlines() == ()
    assert story(decider, consignment_assessed()).deadlines() == ()


def test_a_release_of_which_an_earlier_version_did_not_say_since_when_does_not_lapse() -> None:
    desk = story(decider, consignment_assessed(), arrival())
    stored = decider.STATE.dump_python(desk.state, mode="json")
    del stored["boxes"], stored["gate"]
    desk.state = decider.STATE.validate_python(stored)
    assert desk.deadlines() == ()
    assert kinds(desk.when(place_hold())) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert desk.answer[0].model_dump()["containers"] == (BOX,)


def test_a_held_case_of_the_software_version_before_frees_every_container_that_it_had_stopped() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES), arrival())
    stored = decider.STATE.dump_python(desk.state, mode="json")
    del stored["gate"]
    desk.state = decider.STATE.validate_python({**stored, "told": True})
    desk.when(place_hold(), message_id="h1")
    assert to_gate(desk) == [("ContainerHeld", BOX), ("ContainerHeld", OTHER_BOX)], "an officer may have let them out"
    desk.when(inspection_passed(INSPECTION)).when(lift_hold("officer/h1"))
    assert to_gate(desk) == [("ContainerFreed", BOX), ("ContainerFreed", OTHER_BOX)]


def test_departures_that_are_kept_are_bounded_and_those_without_release_are_kept_longest() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(OTHER_BOX))
    for _ in range(MOST_DEPARTURES + 10):
        desk.when(consignment_left_unreleased()).when(departure_retracted())
    assert len(desk.state.dossier.departures) == MOST_DEPARTURES
    assert holds(desk) == [f"gate/{OTHER_BOX}"]


def test_hearing_a_departure_twice_adds_nothing() -> None:
    keeps_its_promises(
        decider,
        [
            consignment_left_unreleased(),
            consignment_assessed(containers=BOXES),
            arrival(),
            departure_retracted(),
            consignment_gated_out(OTHER_BOX),
            consignment_left_unreleased(visit="v3"),
        ],
    )
