"""Does the release desk release goods if, and only if, nothing holds them?"""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from schemas.envelope import RequestRefused
from schemas.phrases import phrase, quoted
from schemas.vocabulary import ControlKind, Direction, Lane, Owner
from services.release import decider
from services.release.dossier import Dossier
from services.release.goods import Revoked, officer_holds_of
from tests import facts
from tests.facts import (
    consignment_assessed,
    inspection_failed,
    inspection_passed,
    pest_intercepted,
    quarantine_refused,
    treatment_abandoned,
    treatment_ordered,
    treatment_referred,
    treatment_verified,
    treatment_waived,
    withdrawal_requested,
)
from tests.release.answers import NOT_RELEASED_YET, PEST_TREATED, goods_held, goods_released, goods_withdrawn
from tests.release.requests import arrival, lift_hold, place_hold
from tests.voice import NOON, Story, after, keeps_its_promises, story

INSPECTION, DOCUMENTS, QUARANTINE = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.QUARANTINE


def test_green_goods_that_arrive_are_released_and_their_container_freed() -> None:
    desk = story(decider).when(consignment_assessed())
    desk.then(
        facts.consignment_held(1, facts.not_arrived(desk.at), at=desk.at),
        facts.container_held(1, NOT_RELEASED_YET, at=desk.at),
    )
    desk.when(arrival()).then(
        facts.arrival_recorded(),
        facts.release_granted(2, at=desk.at),
        facts.container_freed(2, at=desk.at),
    )


def test_goods_that_arrive_before_the_assessment_wait_for_it() -> None:
    desk = story(decider).when(arrival())
    desk.then(facts.arrival_recorded(), facts.consignment_held(1, facts.not_assessed(desk.at), at=desk.at))
    desk.when(consignment_assessed()).then(*goods_released(2, desk.at))


def test_every_ordered_control_holds_the_goods_until_its_own_answer() -> None:
    desk = story(decider, arrival()).when(consignment_assessed(DOCUMENTS, INSPECTION, QUARANTINE))
    ordered = desk.at
    papers, look = facts.control_required(DOCUMENTS, ordered), facts.control_required(INSPECTION, ordered)
    treatment = facts.treatment_required(ordered)
    desk.then(
        facts.consignment_held(2, papers, look, treatment, at=ordered),
        facts.container_held(2, NOT_RELEASED_YET, arrived_at=NOON, at=ordered),
    )
    desk.when(inspection_passed(INSPECTION)).then(facts.consignment_held(3, papers, treatment, at=desk.at))
    desk.when(treatment_verified("risk")).then(facts.consignment_held(4, papers, at=desk.at))
    answers = {
        "inspection/inspection": "InspectionPassed",
        "quarantine/risk": "TreatmentVerified",
        "inspection/documents": "InspectionPassed",
    }
    desk.when(inspection_passed(DOCUMENTS)).then(*goods_released(5, desk.at, lane=Lane.RED, answers=answers))


def test_a_hold_keeps_its_since_and_names_whose_move_it_is() -> None:
    desk = story(decider).when(consignment_assessed(INSPECTION))
    look = facts.control_required(INSPECTION, desk.at)
    assert (look.owner, look.lifted_by) == (Owner.INSPECTION, "InspectionPassed")
    desk.then(
        facts.consignment_held(1, facts.not_arrived(desk.at), look, at=desk.at),
        facts.container_held(1, NOT_RELEASED_YET, at=desk.at),
    )
    desk.when(arrival()).then(
        facts.arrival_recorded(),
        facts.consignment_held(2, look, at=desk.at),
        facts.container_held(2, NOT_RELEASED_YET, arrived_at=NOON, at=desk.at),
    )


def test_a_pest_answers_the_inspection_and_opens_a_treatment() -> None:
    desk = story(decider, arrival(), consignment_assessed(INSPECTION)).when(pest_intercepted(INSPECTION))
    desk.then(
        facts.consignment_held(3, facts.living_pest(INSPECTION, desk.at), at=desk.at),
        facts.container_held(3, NOT_RELEASED_YET, arrived_at=NOON, at=desk.at),
    )
    desk.when(treatment_verified("inspection")).then(*goods_released(4, desk.at, lane=Lane.RED, answers=PEST_TREATED))


def test_a_treatment_verified_before_the_pest_was_heard_still_counts() -> None:
    desk = story(decider, arrival(), consignment_assessed(INSPECTION), treatment_verified("inspection"))
    desk.when(pest_intercepted(INSPECTION)).then(*goods_released(3, desk.at, lane=Lane.RED, answers=PEST_TREATED))


def test_failed_goods_are_refused_and_stay_refused() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(inspection_failed(INSPECTION))
    wrong_goods = phrase("words", words="wrong goods")
    desk.then(
        facts.release_refused(2, "inspection/inspection", wrong_goods, at=desk.at),
        facts.container_held(2, phrase("refused_for"), wrong_goods, refused=True, at=desk.at),
    )
    # the gate desk gets the statement a second time, now with the time of arrival
    desk.when(arrival()).then(
        facts.arrival_recorded(),
        facts.container_held(3, phrase("not_let_in"), arrived_at=NOON, refused=True, at=desk.at),
    )
    desk.when(inspection_passed(INSPECTION)).then()


def test_goods_whose_last_treatment_failed_are_refused() -> None:
    desk = story(decider, arrival(), consignment_assessed(QUARANTINE)).when(treatment_abandoned("risk"))
    given_up = phrase("treatment_failed", attempts=3)
    desk.then(
        facts.release_refused(3, "quarantine/risk", given_up, at=desk.at),
        facts.container_held(3, phrase("refused_for"), given_up, arrived_at=NOON, refused=True, at=desk.at),
    )


def test_goods_that_no_treatment_is_known_for_wait_for_an_officer_until_one_is_ordered() -> None:
    desk = story(decider, arrival(), consignment_assessed(INSPECTION, QUARANTINE))
    desk.when(treatment_referred("risk")).then(
        facts.consignment_held(
            3,
            facts.control_required(INSPECTION, after(2)),
            facts.treatment_required(owner=Owner.OFFICER, since=after(2)),
            at=after(3),
        )
    )
    desk.when(treatment_referred("risk")).then()
    desk.when(treatment_ordered("risk")).then(
        facts.consignment_held(
            4, facts.control_required(INSPECTION, after(2)), facts.treatment_required(since=after(2)), at=after(5)
        )
    )
    desk.when(treatment_ordered("risk", 2)).then()
    desk.when(treatment_ordered("inspection")).then()
    desk.when(inspection_passed(INSPECTION)).when(treatment_verified("risk")).then(
        *goods_released(
            6,
            after(9),
            lane=Lane.RED,
            answers={"inspection/inspection": "InspectionPassed", "quarantine/risk": "TreatmentVerified"},
        )
    )


def test_an_officer_who_is_asked_about_goods_before_they_are_assessed_is_remembered() -> None:
    desk = story(decider, treatment_referred("inspection"), consignment_assessed(INSPECTION))
    desk.when(pest_intercepted(INSPECTION)).then(
        *goods_held(
            3,
            after(3),
            facts.not_arrived(after(1)),
            facts.living_pest(INSPECTION, owner=Owner.OFFICER, since=after(3)),
            arrived_at=None,
        )
    )
    assert story(decider, treatment_referred("nobody's")).state.dossier.referred == ()


def test_a_case_of_the_software_version_before_is_read() -> None:
    desk = story(decider, consignment_assessed(QUARANTINE), arrival())
    known = replace(desk.state, dossier=desk.state.dossier._replace(arrival_sender=""))
    for added in ("arrival_sender", "opened", "revisions", "departures", "landings", "referred"):
        stored = decider.STATE.dump_python(desk.state, mode="json")
        # an older version of the desk did not write this field or the fields after it
        del stored["dossier"][Dossier._fields.index(added) :]
        assert decider.STATE.validate_json(json.dumps(stored)) == known


def test_an_officer_who_lets_goods_pass_untreated_answers_their_treatment() -> None:
    desk = story(decider, arrival(), consignment_assessed(QUARANTINE)).when(treatment_waived("risk"))
    desk.then(*goods_released(3, desk.at, lane=Lane.RED, answers={"quarantine/risk": "TreatmentWaived"}))


def test_goods_that_an_officer_refuses_for_want_of_a_treatment_are_refused() -> None:
    desk = story(decider, arrival(), consignment_assessed(QUARANTINE)).when(quarantine_refused("risk"))
    sick = phrase("words", words="the fish are sick")
    desk.then(
        facts.release_refused(3, "quarantine/risk", sick, at=desk.at),
        facts.container_held(3, phrase("refused_for"), sick, arrived_at=NOON, refused=True, at=desk.at),
    )


def test_a_container_of_goods_refused_before_their_assessment_was_heard_is_still_held() -> None:
    desk = story(decider, inspection_failed(INSPECTION)).then(
        facts.release_refused(1, "inspection/inspection", quoted("wrong goods"), declaration_no=None, at=after(1))
    )
    desk.when(consignment_assessed(INSPECTION)).then(
        facts.container_held(2, phrase("not_let_in"), refused=True, at=after(2))
    )
    desk.when(consignment_assessed(INSPECTION)).then()


def test_an_officers_hold_on_released_goods_calls_them_back_and_lifting_it_releases_them_again() -> None:
    desk = story(decider, consignment_assessed(), arrival()).when(place_hold(), message_id="p1")
    tip = phrase("words", words="a tip")
    desk.then(
        facts.release_revoked(3, tip, at=desk.at),
        facts.consignment_held(4, facts.officers_hold("p1", since=desk.at), at=desk.at),
        facts.container_held(4, tip, arrived_at=NOON, at=desk.at),
    )
    desk.when(lift_hold("officer/p1")).then(*goods_released(5, desk.at))


def test_goods_that_were_called_back_stand_in_records_as_ever_and_are_not_withdrawn() -> None:
    desk = story(decider, consignment_assessed(), arrival()).when(place_hold(), message_id="p1")
    assert isinstance(desk.state, Revoked)
    stored = decider.STATE.dump_json(desk.state)
    assert stored.endswith(b',"state":"held","revoked":true}')
    again = Story(decider, decider.STATE.validator.validate_json(stored), count=3)
    assert again.state == desk.state
    again.when(withdrawal_requested()).then_refused("already_released")


def test_nobody_lifts_what_is_not_an_open_officers_hold() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(lift_hold("inspection/inspection"))
    desk.then_refused("not_an_officer_hold")
    desk.when(lift_hold("officer/none")).then_refused("hold_unknown")


def test_green_goods_are_withdrawn_at_once_and_controlled_goods_not() -> None:
    green = story(decider, consignment_assessed()).when(withdrawal_requested())
    green.then(
        facts.declaration_withdrawn(2, at=green.at),
        facts.container_freed(2, released=False, arrived_at=None, at=green.at),
    )
    red = story(decider, consignment_assessed(INSPECTION)).when(withdrawal_requested())
    red.then(not_withdrawn(red.at))


def test_a_withdrawal_before_the_assessment_waits_for_it_and_says_the_same_to_the_gate() -> None:
    green = story(decider, withdrawal_requested()).when(consignment_assessed())
    green.then(
        facts.declaration_withdrawn(2, at=green.at),
        facts.container_freed(2, released=False, arrived_at=None, at=green.at),
    )
    red = story(decider, withdrawal_requested()).when(consignment_assessed(INSPECTION))
    first = red.at - timedelta(minutes=1)
    red.then(
        not_withdrawn(red.at),
        facts.consignment_held(2, facts.not_arrived(first), facts.control_required(INSPECTION, red.at), at=red.at),
        facts.container_held(2, NOT_RELEASED_YET, at=red.at),
    )
    assert officer_holds_of(red.state) == () and red.state.dossier.withdrawals == ()


def not_withdrawn(at: datetime) -> RequestRefused:
    why = phrase("controls_ordered", controls=(INSPECTION,))
    return facts.request_refused("w1", "WithdrawDeclaration", "controls_ordered", why, at=at)


@pytest.mark.parametrize("wished_first", [True, False])
def test_a_withdrawal_waits_for_the_officer_whose_hold_is_open(wished_first: bool) -> None:
    """In an older version, goods without a control could be withdrawn and declared again while an officer's hold was
    open, and the hold was lost."""
    if wished_first:
        # The withdrawal is requested before the assessment, and waits for it.
        desk = story(decider, withdrawal_requested()).when(place_hold(), message_id="h1")
        desk.when(consignment_assessed()).then(
            *goods_held(
                3, after(3), facts.not_arrived(after(1)), facts.officers_hold("h1", since=after(2)), arrived_at=None
            )
        )
    else:
        desk = story(decider, consignment_assessed()).when(place_hold(), message_id="h1")
        desk.when(withdrawal_requested()).then()
    desk.when(lift_hold("officer/h1")).then(*goods_withdrawn(4 if wished_first else 3, after(4)))


def test_released_goods_are_not_withdrawn() -> None:
    desk = story(decider, consignment_assessed(), arrival()).when(withdrawal_requested())
    desk.then_refused("already_released")


@pytest.mark.parametrize(
    ("direction", "before", "called_back"),
    [
        (Direction.IMPORT, "released in version 2", "the goods had been released and were called back"),
        (
            Direction.EXPORT,
            "released in version 2; an export that is cancelled leaves by an officer's permit",
            "the goods had been released and were called back; an export that is cancelled leaves by an officer's permit",
        ),
    ],
)
def test_who_may_not_withdraw_an_export_any_more_is_told_by_what_permit_it_leaves(
    direction: Direction, before: str, called_back: str
) -> None:
    permit = " (permit to leave, ground export cancelled)" if direction is Direction.EXPORT else ""
    desk = story(decider, consignment_assessed(direction=direction), arrival())
    desk.when(withdrawal_requested()).then_refused("already_released")
    [refusal] = desk.answer
    assert refusal.model_dump()["reason"] == before + permit
    desk.when(place_hold()).when(withdrawal_requested("w2")).then_refused("already_released")
    [refusal] = desk.answer
    assert refusal.model_dump()["reason"] == called_back + permit


def test_withdrawn_goods_are_never_released() -> None:
    desk = story(decider, consignment_assessed(), withdrawal_requested()).when(arrival())
    desk.then_refused("consignment_closed")


def test_a_second_arrival_report_is_sent_back() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(arrival("somebody else"))
    desk.then_refused("already_answered")


def test_containers_are_told_to_the_gate_without_blanks_and_dashes() -> None:
    desk = story(decider, consignment_assessed(containers=("csqu 305438-3",)))
    desk.then(*goods_held(1, after(1), facts.not_arrived(after(1)), arrived_at=None))


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(
        decider,
        [
            consignment_assessed(INSPECTION),
            place_hold(),
            arrival(),
            lift_hold("officer/once-1"),
            pest_intercepted(INSPECTION),
            treatment_verified("inspection"),
        ],
    )
    keeps_its_promises(decider, [withdrawal_requested(), consignment_assessed(), withdrawal_requested("w2")])
    keeps_its_promises(decider, [consignment_assessed(QUARANTINE), treatment_abandoned("risk"), arrival()])
