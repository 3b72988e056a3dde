"""Do goods that left unreleased stay unreleased, and does an unused release end?"""

from datetime import datetime, timedelta, timezone

import pytest

from schemas.envelope import DeadlinePassed, Message
from schemas.phrases import phrase, quoted
from schemas.vocabulary import ControlKind, Direction, Lane
from services.release import decider
from services.release.departures import MOST_DEPARTURES
from services.release.dossier import Dossier
from services.release.lapses import LAPSES
from tests.declaration.good import BOX
from tests.facts import (
    arrival_recorded,
    consignment_assessed,
    consignment_gated_out,
    consignment_held,
    consignment_left_unreleased,
    container_arrived,
    container_freed,
    container_held,
    control_required,
    departure_retracted,
    has_left_unreleased,
    inspection_failed,
    inspection_passed,
    not_arrived,
    not_used,
    officers_hold,
    release_granted,
    release_revoked,
    withdrawal_requested,
)
from tests.release.answers import (
    NOT_RELEASED_YET,
    PASSED,
    goods_called_back,
    goods_held,
    goods_refused,
    goods_released,
    goods_withdrawn,
)
from tests.release.requests import BOXES, OTHER_BOX, arrival, lift_hold, place_hold
from tests.voice import CONSIGNMENT, NOON, Story, after, keeps_its_promises, story

INSPECTION = ControlKind.INSPECTION
LAPSE = LAPSES[-1][1]


def passes(desk: Story) -> Story:
    """Lets the only deadline of the desk pass."""
    [deadline] = desk.deadlines()
    return desk.when(
        DeadlinePassed(subject=CONSIGNMENT, name=deadline.name, due=deadline.due),
        message_id=f"deadline {deadline.due}",
        at=deadline.due,
    )


def test_goods_that_left_unreleased_are_never_released_by_a_later_answer() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival())
    assert has_left_unreleased().reason == "left without release 未放行离场"
    desk.when(consignment_left_unreleased()).then(
        consignment_held(3, control_required(INSPECTION, after(1)), has_left_unreleased(since=after(3)), at=after(3))
    )
    desk.when(inspection_passed(INSPECTION)).then(consignment_held(4, has_left_unreleased(since=after(3)), at=after(4)))
    desk.when(lift_hold(f"gate/{BOX}")).then_refused("not_an_officer_hold")


def test_a_departure_that_was_a_mistake_lets_the_desk_decide_anew() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        consignment_left_unreleased(),
        inspection_passed(INSPECTION),
    )
    desk.when(departure_retracted()).then(*goods_released(5, after(5), lane=Lane.RED, answers=PASSED))


def test_a_departure_before_the_release_calls_the_release_back() -> None:
    desk = story(decider, consignment_assessed(), arrival())
    desk.when(consignment_left_unreleased()).then(
        *goods_called_back(3, after(3), phrase("left_unreleased"), has_left_unreleased(since=after(3)))
    )
    desk.when(departure_retracted()).then(*goods_released(5, after(4)))


def test_a_departure_that_is_heard_before_the_goods_are_known_waits_and_holds_them_then() -> None:
    desk = story(decider).when(consignment_left_unreleased())
    desk.then()
    desk.when(consignment_assessed()).then(
        *goods_held(1, after(2), not_arrived(after(2)), has_left_unreleased(since=after(2)), arrived_at=None)
    )
    desk.when(arrival()).then(arrival_recorded(), *goods_held(2, after(3), has_left_unreleased(since=after(2))))
    desk = story(decider, consignment_left_unreleased(), departure_retracted(), consignment_assessed(), arrival())
    desk.then(arrival_recorded(), *goods_released(2, after(4)))


def test_a_later_departure_that_overtook_a_parked_retraction_still_holds_the_goods() -> None:
    desk = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_left_unreleased(),
        consignment_left_unreleased(),
        departure_retracted(),
    )
    desk.then()
    desk.when(departure_retracted()).then(*goods_released(5, after(6)))


def test_a_departure_is_taken_back_whatever_visit_the_goods_belong_to_by_then() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(visit="v1"))
    desk.when(departure_retracted(OTHER_BOX)).then()
    desk.when(departure_retracted(visit="")).then(*goods_released(5, after(5)))


def test_a_departure_that_is_told_again_is_taken_back_at_once() -> None:
    desk = story(
        decider,
        consignment_assessed(),
        arrival(),
        consignment_gated_out(),
        consignment_gated_out(),
        departure_retracted(),
    )
    desk.then()
    assert len(desk.deadlines()) == 1, "it is inside"


def test_what_an_earlier_release_told_of_a_departure_without_release_counts_the_same() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival())
    desk.when(consignment_gated_out(visit="", released=False)).then(
        consignment_held(
            3,
            control_required(INSPECTION, after(1)),
            has_left_unreleased(why=phrase("left_without"), since=after(3)),
            at=after(3),
        )
    )
    desk.when(inspection_passed(INSPECTION)).when(departure_retracted()).then(
        *goods_released(5, after(5), lane=Lane.RED, answers=PASSED)
    )


def test_goods_that_left_unreleased_are_not_withdrawn_until_an_officer_found_them() -> None:
    desk = story(decider, consignment_assessed(), consignment_left_unreleased())
    desk.when(withdrawal_requested()).then()
    desk.when(departure_retracted()).then(*goods_withdrawn(3, after(4)))


def test_what_is_against_goods_that_left_released_is_told_to_the_gate() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    desk.when(place_hold(), message_id="h1").then(
        *goods_called_back(3, after(4), quoted("a tip"), officers_hold("h1", since=after(4)))
    )
    desk = story(decider, consignment_assessed(), arrival(), consignment_gated_out())
    desk.when(inspection_failed(INSPECTION)).then(
        release_revoked(3, quoted("wrong goods"), at=after(4)),
        *goods_refused(4, after(4), "inspection/inspection", quoted("wrong goods")),
    )


def test_a_release_that_nobody_uses_lapses_and_an_officer_gives_it_again() -> None:
    desk = story(decider, consignment_assessed(), arrival())
    assert desk.deadlines()[0].due == desk.at + LAPSE
    passes(desk).then(
        *goods_called_back(3, desk.at, phrase("lapsed", days=30, waiting=(BOX,)), not_used(30, BOX, since=desk.at))
    )
    assert desk.deadlines() == ()
    desk.when(lift_hold("officer/lapse/2"), at=desk.at + timedelta(days=1)).then(*goods_released(5, desk.at))
    assert desk.deadlines()[0].due == desk.at + LAPSE


YEAR = datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=8)))
"""The start of 2027 in China. A release that is granted from then on lapses after a week if no terminal reported the
container."""


def released_at(moment: datetime, *before: Message) -> Story:
    return story(decider, consignment_assessed(), *before).when(arrival(), at=moment)


@pytest.mark.parametrize(("moment", "days"), [(YEAR - timedelta(seconds=1), 30), (YEAR, 7), (YEAR + LAPSE, 7)])
def test_a_release_of_a_container_that_no_terminal_told_of_lapses_after_a_week(moment: datetime, days: int) -> None:
    """If no terminal reports that the container comes, none will report that it comes back."""
    desk = released_at(moment)
    assert desk.deadlines()[0].due == moment + timedelta(days=days)
    why, due = phrase("lapsed", days=days, waiting=(BOX,)), moment + timedelta(days=days)
    passes(desk).then(*goods_called_back(3, due, why, not_used(days, BOX, since=due)))
    desk.when(lift_hold("officer/lapse/2"), at=YEAR + 2 * LAPSE)
    assert desk.deadlines()[0].due == YEAR + 2 * LAPSE + timedelta(days=7)


def test_a_release_of_a_container_that_a_terminal_told_of_lapses_after_a_month_whoever_told_first() -> None:
    """The gate desk publishes the terminal's discharge even if the carrier has reported the arrival before."""
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
    why = phrase("lapsed", days=7, waiting=(OTHER_BOX,))
    passes(desk).then(
        release_revoked(3, why, containers=BOXES, at=desk.at),
        *goods_held(4, desk.at, not_used(7, OTHER_BOX, since=desk.at), why=why),
        container_held(4, why, arrived_at=NOON, container_no=OTHER_BOX, at=desk.at),
    )
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
    desk = story(decider, consignment_assessed(containers=BOXES), arrival(), consignment_gated_out(BOX))
    why = phrase("lapsed", days=30, waiting=(OTHER_BOX,))
    passes(desk).then(
        release_revoked(3, why, containers=BOXES, at=desk.at),
        consignment_held(4, not_used(30, OTHER_BOX, since=desk.at), at=desk.at),
        container_held(4, why, arrived_at=NOON, container_no=OTHER_BOX, at=desk.at),
    )
    desk.when(departure_retracted(BOX)).then(container_held(5, phrase("not_released"), arrived_at=NOON, at=after(5)))


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
    desk.when(place_hold(), message_id="h1").then(
        *goods_called_back(3, after(3), quoted("a tip"), officers_hold("h1", since=after(3)))
    )


def test_a_held_case_of_the_software_version_before_frees_every_container_that_it_had_stopped() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, containers=BOXES), arrival())
    stored = decider.STATE.dump_python(desk.state, mode="json")
    del stored["gate"]
    desk.state = decider.STATE.validate_python({**stored, "told": True})
    # An officer may have permitted both containers to leave. So the gate desk gets a new statement about each of them.
    desk.when(place_hold(), message_id="h1").then(
        *goods_held(3, after(3), control_required(INSPECTION, after(1)), officers_hold("h1", since=after(3))),
        container_held(3, NOT_RELEASED_YET, arrived_at=NOON, container_no=OTHER_BOX, at=after(3)),
    )
    desk.when(inspection_passed(INSPECTION)).when(lift_hold("officer/h1")).then(
        release_granted(5, containers=BOXES, lane=Lane.RED, answers=PASSED, at=after(5)),
        container_freed(5, at=after(5)),
        container_freed(5, container_no=OTHER_BOX, at=after(5)),
    )


def test_departures_that_are_kept_are_bounded_and_those_without_release_are_kept_longest() -> None:
    desk = story(decider, consignment_assessed(), arrival(), consignment_left_unreleased(OTHER_BOX))
    times = MOST_DEPARTURES + 10
    for _ in range(times):
        desk.when(consignment_left_unreleased()).when(departure_retracted())
    assert len(desk.state.dossier.departures) == MOST_DEPARTURES
    desk.then(consignment_held(4 + 2 * times, has_left_unreleased(OTHER_BOX, since=after(3)), at=desk.at))


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
