"""Do goods that left unreleased stay unreleased, and does a release that nobody uses end?"""

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


def holds(told: Story) -> list[str]:
    return [h.hold_id for h in told.state.stated]


def to_gate(told: Story) -> list[tuple[str, str]]:
    return [(f.kind, f.container_no) for f in told.said if isinstance(f, ContainerHeld | ContainerFreed)]


def passes(told: Story) -> Story:
    """The deadline of this state passes."""
    [deadline] = told.deadlines()
    return told.when(
        DeadlinePassed(subject=CONSIGNMENT, name=deadline.name, due=deadline.due),
        message_id=f"deadline {deadline.due}",
        at=deadline.due,
    )


def test_goods_that_left_unreleased_are_never_released_by_a_later_answer() -> None:
    told = story(decider, consignment_assessed(INSPECTION), arrival()).when(consignment_left_unreleased())
    held = told.said[0]
    assert isinstance(held, ConsignmentHeld) and kinds(told) == ["ConsignmentHeld"]
    hold = held.holds[-1]
    assert (hold.hold_id, hold.owner, hold.lifted_by) == (f"gate/{BOX}", Owner.OFFICER, "DepartureRetracted")
    assert hold.reason == LEFT_UNRELEASED
    told.when(inspection_passed(INSPECTION))
    assert kinds(told) == ["ConsignmentHeld"] and holds(told) == [f"gate/{BOX}"]
    told.when(lift_hold(f"gate/{BOX}")).then_refused("not_an_officer_hold")


def test_a_departure_that_was_a_mistake_lets_the_desk_decide_anew() -> None:
    told = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        consignment_left_unreleased(),
        inspection_passed(INSPECTION),
    )
    assert kinds(told.when(departure_retracted())) == ["ReleaseGranted", "ContainerFreed"]


def test_a_departure_before_the_release_calls_the_release_back() -> None:
    told = story(decider, consignment_assessed(), arrival()).when(consignment_left_unreleased())
    assert kinds(told) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert kinds(told.when(departure_retracted())) == ["ReleaseGranted", "ContainerFreed"]


def test_a_departure_that_is_heard_before_the_goods_are_known_waits_and_holds_them_then() -> None:
    told = story(decider).when(consignment_left_unreleased())
    told.then()
    told.when(consignment_assessed()).when(arrival())
    assert holds(told) == [f"gate/{BOX}"] and not any(isinstance(f, ReleaseGranted) for f in told.facts)
    told = story(decider, consignment_left_unreleased(), departure_retracted(), consignment_assessed(), arrival())
    assert told.state.state == "released"


def test_a_later_departure_that_overtook_a_parked_retraction_still_holds_the_goods() -> None:
    told = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_left_unreleased(),
        consignment_left_unreleased(),
        departure_retracted(),
    )
    assert holds(told) == [f"gate/{BOX}"]
    assert kinds(told.when(departure_retracted()))[0] == "ReleaseGranted"


def test_a_departure_is_taken_back_whatever_visit_the_goods_belong_to_by_then() -> None:
    told = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(visit="v1"))
    told.when(departure_retracted(OTHER_BOX)).then()
    assert kinds(told.when(departure_retracted(visit="")))[0] == "ReleaseGranted"


def test_a_departure_that_is_told_again_is_taken_back_at_once() -> None:
    told = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_gated_out(),
        consignment_gated_out(),
        departure_retracted(),
    )
    assert len(told.deadlines()) == 1, "it is inside"


def test_what_an_earlier_release_told_of_a_departure_without_release_counts_the_same() -> None:
    told = story(decider, consignment_assessed(INSPECTION), arrival()).when(
        consignment_gated_out(visit="", released=False)
    )
    assert holds(told) == ["inspection/inspection", f"gate/{BOX}"]
    told.when(inspection_passed(INSPECTION)).when(departure_retracted())
    assert told.state.state == "released"


def test_goods_that_left_unreleased_are_not_withdrawn_until_an_officer_found_them() -> None:
    told = story(decider, consignment_assessed(), consignment_left_unreleased()).when(withdrawal_requested())
    assert "DeclarationWithdrawn" not in kinds(told)
    assert "DeclarationWithdrawn" in kinds(told.when(departure_retracted()))


def test_what_is_against_goods_that_left_released_is_told_to_the_gate() -> None:
    told = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    assert to_gate(told.when(place_hold(), message_id="h1")) == [("ContainerHeld", BOX)]
    told = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    assert to_gate(told.when(inspection_failed(INSPECTION))) == [("ContainerHeld", BOX)]


def test_a_release_that_nobody_uses_lapses_and_an_officer_gives_it_again() -> None:
    told = story(decider, consignment_assessed(), arrival())
    assert told.deadlines()[0].due == told.at + LAPSE
    passes(told)
    assert kinds(told) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    revoked = told.said[0]
    assert isinstance(revoked, ReleaseRevoked) and BOX in revoked.reason and "30" in revoked.reason
    assert holds(told) == ["officer/lapse/2"] and told.deadlines() == ()
    told.when(lift_hold("officer/lapse/2"), at=told.at + timedelta(days=1))
    assert kinds(told) == ["ReleaseGranted", "ContainerFreed"] and told.deadlines()[0].due == told.at + LAPSE


YEAR = datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=8)))
"""Since then a container of which no terminal told that it came has a week."""


def released_at(moment: datetime, *before: Message) -> Story:
    return story(decider, consignment_assessed(), *before).when(arrival(), at=moment)


@pytest.mark.parametrize(("moment", "days"), [(YEAR - timedelta(seconds=1), 30), (YEAR, 7), (YEAR + LAPSE, 7)])
def test_a_release_of_a_container_that_no_terminal_told_of_lapses_after_a_week(moment: datetime, days: int) -> None:
    """Whoever reports no openings will not tell when the container comes back, either."""
    told = released_at(moment)
    assert told.deadlines()[0].due == moment + timedelta(days=days)
    passes(told)
    revoked = told.said[0]
    assert isinstance(revoked, ReleaseRevoked) and f"released {days} days ago" in revoked.reason
    told.when(lift_hold("officer/lapse/2"), at=YEAR + 2 * LAPSE)
    assert told.deadlines()[0].due == YEAR + 2 * LAPSE + timedelta(days=7)


def test_a_release_of_a_container_that_a_terminal_told_of_lapses_after_a_month_whoever_told_first() -> None:
    """The gate tells of a discharge also where the carrier had told the arrival."""
    told = released_at(YEAR).when(container_arrived(), at=YEAR + timedelta(hours=1))
    told.then()
    assert told.deadlines()[0].due == YEAR + LAPSE
    told = story(decider, container_arrived()).when(consignment_assessed(), at=YEAR)
    assert told.deadlines()[0].due == YEAR + LAPSE
    other = released_at(YEAR).when(container_arrived(OTHER_BOX), at=YEAR + timedelta(hours=1))
    assert other.deadlines()[0].due == YEAR + timedelta(days=7), "another container was discharged"


def test_of_two_containers_the_one_that_no_terminal_told_of_lapses_first() -> None:
    told = (
        story(decider, consignment_assessed(containers=BOXES))
        .when(arrival(), at=YEAR)
        .when(container_arrived(BOX), at=YEAR)
    )
    assert told.deadlines()[0].due == YEAR + timedelta(days=7)
    passes(told)
    revoked = told.said[0]
    assert isinstance(revoked, ReleaseRevoked) and OTHER_BOX in revoked.reason and BOX not in revoked.reason
    told = (
        story(decider, consignment_assessed(containers=BOXES))
        .when(arrival(), at=YEAR)
        .when(container_arrived(BOX), at=YEAR)
    )
    assert told.when(consignment_gated_out(OTHER_BOX), at=YEAR + timedelta(days=1)).deadlines()[0].due == YEAR + LAPSE


def test_a_record_of_the_release_before_knows_what_the_gate_told_it() -> None:
    told = story(decider, container_arrived()).when(consignment_assessed(), at=YEAR)
    stored = decider.STATE.dump_python(told.state, mode="json")
    first_new = Dossier._fields.index("opened")
    assert stored["dossier"][first_new] == [BOX]
    del stored["dossier"][first_new:]
    told.state = decider.STATE.validate_python(stored)
    assert told.deadlines()[0].due == YEAR + LAPSE


def test_a_release_lapses_only_while_a_container_has_not_left() -> None:
    told = story(decider, consignment_assessed(containers=BOXES), arrival(), consignment_gated_out(BOX))
    assert len(told.deadlines()) == 1
    told.when(consignment_gated_out(OTHER_BOX, visit="v2"))
    assert told.deadlines() == ()
    told.when(departure_retracted(OTHER_BOX, visit="v2"))
    assert len(told.deadlines()) == 1


def test_a_lapse_says_nothing_against_the_container_that_left_in_time_until_it_is_found_inside() -> None:
    told = passes(story(decider, consignment_assessed(containers=BOXES), arrival(), consignment_gated_out(BOX)))
    assert to_gate(told) == [("ContainerHeld", OTHER_BOX)]
    told.when(departure_retracted(BOX))
    assert to_gate(told) == [("ContainerHeld", BOX)]


def test_a_container_that_was_released_later_lapses_later() -> None:
    told = story(decider, consignment_assessed(containers=BOXES), arrival(containers=(BOX,)))
    told.when(arrival(containers=(OTHER_BOX,)), at=NOON + timedelta(days=20))
    assert told.deadlines()[0].due < NOON + LAPSE + timedelta(hours=1)
    told.when(consignment_gated_out(BOX))
    assert told.deadlines()[0].due == NOON + timedelta(days=20) + LAPSE


def test_exports_and_goods_without_containers_do_not_lapse() -> None:
    assert story(decider, consignment_assessed(direction=Direction.EXPORT), arrival()).deadlines() == ()
    assert story(decider, consignment_assessed(containers=()), arrival()).deadlines() == ()
    assert story(decider, consignment_assessed()).deadlines() == ()


def test_a_release_of_which_an_earlier_version_did_not_say_since_when_does_not_lapse() -> None:
    told = story(decider, consignment_assessed(), arrival())
    stored = decider.STATE.dump_python(told.state, mode="json")
    del stored["boxes"], stored["gate"]
    told.state = decider.STATE.validate_python(stored)
    assert told.deadlines() == ()
    assert kinds(told.when(place_hold())) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert told.said[0].model_dump()["containers"] == (BOX,)


def test_a_held_case_of_the_release_before_frees_every_container_that_it_had_stopped() -> None:
    told = story(decider, consignment_assessed(INSPECTION, containers=BOXES), arrival())
    stored = decider.STATE.dump_python(told.state, mode="json")
    del stored["gate"]
    told.state = decider.STATE.validate_python({**stored, "told": True})
    told.when(place_hold(), message_id="h1")
    assert to_gate(told) == [("ContainerHeld", BOX), ("ContainerHeld", OTHER_BOX)], "an officer may have let them out"
    told.when(inspection_passed(INSPECTION)).when(lift_hold("officer/h1"))
    assert to_gate(told) == [("ContainerFreed", BOX), ("ContainerFreed", OTHER_BOX)]


def test_departures_that_are_kept_are_bounded_and_those_without_release_are_kept_longest() -> None:
    told = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(OTHER_BOX))
    for _ in range(MOST_DEPARTURES + 10):
        told.when(consignment_left_unreleased()).when(departure_retracted())
    assert len(told.state.dossier.departures) == MOST_DEPARTURES
    assert holds(told) == [f"gate/{OTHER_BOX}"]


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
