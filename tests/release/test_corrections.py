"""What happens if an answer is retracted or replaced? The desk decides again, and first calls released goods back."""

from schemas.phrases import phrase, quoted
from schemas.release import (
    ConsignmentHeld,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
)
from schemas.vocabulary import ControlKind, Lane, Owner
from services.release import decider
from services.release.dossier import Dossier, Failure
from services.release.goods import Refused
from tests.facts import (
    consignment_assessed,
    consignment_held,
    control_again,
    control_required,
    findings_retracted,
    hold_put_back,
    inspection_failed,
    inspection_passed,
    lift_retracted,
    living_pest,
    not_arrived,
    officers_hold,
    papers_to_put_right,
    pest_intercepted,
    quarantine_refused,
    rectification_requested,
    refusal_revoked,
    release_granted,
    release_refused,
    release_revoked,
    request_refused,
    treatment_abandoned,
    treatment_decision_retracted,
    treatment_required_again,
    treatment_retracted,
    treatment_verified,
    treatment_waived,
    withdrawal_requested,
)
from tests.release.answers import (
    PASSED,
    PEST_TREATED,
    goods_called_back,
    goods_held,
    goods_no_longer_refused,
    goods_refused,
    goods_released,
    goods_withdrawn,
)
from tests.release.requests import arrival, lift_hold, place_hold, retract_lift
from tests.voice import Story, after, keeps_its_promises, story

INSPECTION, DOCUMENTS, QUARANTINE = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.QUARANTINE


def versions(desk: Story) -> list[int]:
    kept = ConsignmentHeld | ReleaseGranted | ReleaseRefused | ReleaseRevoked | RefusalRevoked
    return [fact.version for fact in desk.facts if isinstance(fact, kept)]


CORRECTED = {"inspection/inspection": (0, 2)}
"""The field `revisions` of a release after the findings were taken back and the goods then passed."""


def test_released_goods_whose_findings_were_wrong_are_called_back_before_anything_else() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    why = phrase("control_again", control=INSPECTION, words="another consignment's findings")
    desk.when(findings_retracted(INSPECTION)).then(
        *goods_called_back(4, after(4), why, control_again(INSPECTION, since=after(4)))
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(
        *goods_released(6, after(5), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )


def test_a_release_names_the_latest_answers_that_it_takes_into_account() -> None:
    """From the revisions in a release, a program that has read a correction knows whether the release desk has read it,
    too, in whatever order the program reads the topics."""
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    desk.then(*goods_released(3, after(3), lane=Lane.RED, answers=PASSED))
    desk.when(findings_retracted(INSPECTION)).when(inspection_passed(INSPECTION, 2)).then(
        *goods_released(6, after(5), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )
    desk.when(pest_intercepted(INSPECTION, 4)).when(treatment_verified("inspection", 4, revision=1)).then(
        *goods_released(
            9,
            after(7),
            lane=Lane.RED,
            answers=PEST_TREATED,
            revisions={"inspection/inspection": (0, 4), "quarantine/inspection": (4, 1)},
        )
    )


def test_a_release_is_stated_again_when_a_later_answer_changes_nothing_else() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    desk.when(inspection_passed(INSPECTION, 2)).then(
        release_granted(4, lane=Lane.RED, answers=PASSED, revisions=CORRECTED, at=after(4))
    )
    desk.when(findings_retracted(INSPECTION)).then()
    desk.when(inspection_passed(INSPECTION, 2)).then()


def test_the_retraction_of_a_treatment_that_nothing_asks_for_any_more_is_taken_into_account() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        pest_intercepted(INSPECTION),
        treatment_verified("inspection"),
    )
    desk.when(findings_retracted(INSPECTION)).when(inspection_passed(INSPECTION, 2))
    desk.when(treatment_retracted("inspection")).then(
        release_granted(
            8,
            lane=Lane.RED,
            answers=PASSED,
            revisions={"inspection/inspection": (0, 2), "quarantine/inspection": (0, 1)},
            at=after(7),
        )
    )


def test_a_release_of_the_software_version_before_says_nothing_of_revisions_and_its_record_is_read() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    stored = decider.STATE.dump_json(desk.state)
    assert b',"revisions":{}' in stored
    before = decider.STATE.validate_json(stored.replace(b',"revisions":{}', b""))
    assert before == desk.state
    granted, _ = desk.answer
    fact = granted.model_dump_json(exclude={"revisions"}).encode()
    assert ReleaseGranted.read_stored(fact).revisions is None


def test_released_goods_that_should_not_have_passed_are_called_back_and_refused() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        inspection_passed(INSPECTION),
        findings_retracted(INSPECTION),
    )
    desk.when(inspection_failed(INSPECTION, 2)).then(
        *goods_refused(6, after(5), "inspection/inspection", quoted("wrong goods"))
    )
    other = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    wrong_goods = quoted("wrong goods")
    other.when(inspection_failed(INSPECTION, 2)).then(
        release_revoked(4, wrong_goods, at=after(4)), *goods_refused(5, after(4), "inspection/inspection", wrong_goods)
    )
    other.when(findings_retracted(INSPECTION)).then()


def test_refused_goods_whose_findings_were_wrong_are_held_again_and_may_be_released() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    desk.when(findings_retracted(INSPECTION)).then(
        *goods_no_longer_refused(4, after(4), "inspection/inspection", control_again(INSPECTION, since=after(4)))
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(
        *goods_released(6, after(5), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )
    assert versions(desk) == list(range(1, len(versions(desk)) + 1))


def test_what_was_heard_while_goods_were_refused_counts_when_they_no_longer_are() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), inspection_failed(INSPECTION))
    desk.when(inspection_passed(DOCUMENTS)).then()
    desk.when(arrival()).when(findings_retracted(INSPECTION)).then(
        *goods_no_longer_refused(4, after(5), "inspection/inspection", control_again(INSPECTION, since=after(5)))
    )


def test_refused_goods_are_released_at_once_where_the_right_answer_was_heard_first() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    gone = refusal_revoked(4, phrase("failure_gone", hold="inspection/inspection"), at=after(4))
    desk.when(inspection_passed(INSPECTION, 2)).then(
        gone, *goods_released(5, after(4), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )
    desk.when(findings_retracted(INSPECTION)).then()


def test_goods_refused_for_two_reasons_stay_refused_for_the_other_one() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), inspection_failed(INSPECTION))
    desk.when(inspection_failed(DOCUMENTS)).then()
    desk.when(findings_retracted(INSPECTION)).then(
        refusal_revoked(3, phrase("failure_gone", hold="inspection/inspection"), at=after(4)),
        release_refused(4, "inspection/documents", quoted("wrong goods"), at=after(4)),
    )
    desk.when(findings_retracted(DOCUMENTS)).then(
        *goods_no_longer_refused(
            5,
            after(5),
            "inspection/documents",
            not_arrived(after(5)),
            control_again(DOCUMENTS, since=after(5)),
            control_again(INSPECTION, since=after(5)),
            arrived_at=None,
        )
    )
    assert versions(desk) == list(range(1, len(versions(desk)) + 1))


def test_an_officers_hold_outlasts_a_refusal_that_was_wrong() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(place_hold(), message_id="p1")
    desk.when(inspection_failed(INSPECTION)).when(inspection_passed(INSPECTION, 2)).then(
        *goods_no_longer_refused(5, after(5), "inspection/inspection", officers_hold("p1", since=after(3)))
    )
    desk.when(lift_hold("officer/p1")).then(
        *goods_released(7, after(6), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )


def test_an_officers_hold_on_refused_goods_outlasts_the_refusal() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    desk.when(place_hold(), message_id="p1").then(
        *goods_refused(
            4, after(4), "inspection/inspection", quoted("wrong goods"), holds=(officers_hold("p1", since=after(4)),)
        )
    )
    desk.when(place_hold(), message_id="p1").then()
    desk.when(inspection_passed(INSPECTION, 2)).then(
        *goods_no_longer_refused(5, after(6), "inspection/inspection", officers_hold("p1", since=after(4)))
    )
    desk.when(lift_hold("officer/p1")).then(
        *goods_released(7, after(7), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )
    assert versions(desk) == sorted(set(versions(desk)))


def test_holds_on_refused_goods_are_lifted_and_put_back() -> None:
    desk = (
        story(decider, consignment_assessed(INSPECTION), arrival())
        .when(place_hold(), message_id="p1")
        .when(inspection_failed(INSPECTION))
    )
    cause, wrong_goods = "inspection/inspection", quoted("wrong goods")
    desk.then(
        *goods_refused(4, after(4), "inspection/inspection", wrong_goods, holds=(officers_hold("p1", since=after(3)),))
    )
    desk.when(lift_hold("officer/p1"), message_id="l1").then(release_refused(5, cause, wrong_goods, at=after(5)))
    desk.when(lift_hold("officer/p1"), message_id="l1").then()
    desk.when(retract_lift("l1"), message_id="r1").then(
        lift_retracted("officer/p1", "l1", at=after(7)),
        *goods_refused(6, after(7), "inspection/inspection", wrong_goods, holds=(hold_put_back("p1", after(7)),)),
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(
        *goods_no_longer_refused(7, after(8), "inspection/inspection", hold_put_back("p1", after(7)))
    )


def test_a_treatment_answers_only_the_finding_that_it_was_ordered_for() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        pest_intercepted(INSPECTION),
        treatment_verified("inspection"),
    )
    desk.then(*goods_released(4, after(4), lane=Lane.RED, answers=PEST_TREATED))
    desk.when(findings_retracted(INSPECTION)).then(
        *goods_called_back(
            5,
            after(5),
            phrase("control_again", control=INSPECTION, words="another consignment's findings"),
            control_again(INSPECTION, since=after(5)),
        )
    )
    desk.when(pest_intercepted(INSPECTION, 2)).then(*goods_held(7, after(6), living_pest(INSPECTION, since=after(6))))
    desk.when(treatment_verified("inspection")).then()
    desk.when(treatment_verified("inspection", 2)).then(
        *goods_released(
            8,
            after(8),
            lane=Lane.RED,
            answers=PEST_TREATED,
            revisions={"inspection/inspection": (0, 2), "quarantine/inspection": (2, 0)},
        )
    )


def test_goods_given_up_for_a_pest_that_was_none_are_no_longer_refused() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        pest_intercepted(INSPECTION),
        treatment_abandoned("inspection"),
    )
    desk.then(*goods_refused(4, after(4), "quarantine/inspection", phrase("treatment_failed", attempts=3)))
    desk.when(findings_retracted(INSPECTION)).then(
        *goods_no_longer_refused(5, after(5), "quarantine/inspection", control_again(INSPECTION, since=after(5)))
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(
        *goods_released(7, after(6), lane=Lane.RED, answers=PASSED, revisions=CORRECTED)
    )


def test_a_failure_of_an_earlier_release_is_taken_back() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    terms, arrived_at, request = desk.state.dossier[:3]
    failure = Failure("inspection/inspection", "wrong goods")
    earlier = Dossier(terms=terms, arrived_at=arrived_at, arrival_request=request, failure=failure)
    desk.state = Refused(dossier=earlier, version=3, told=True)
    desk.when(inspection_failed(INSPECTION)).then()
    desk.when(inspection_passed(INSPECTION)).then()
    desk.when(findings_retracted(INSPECTION)).then(
        *goods_no_longer_refused(4, after(6), "inspection/inspection", control_again(INSPECTION, since=after(6)))
    )


def test_papers_that_are_to_be_put_right_hold_the_goods_and_the_declarant_has_to_move() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), arrival()).when(rectification_requested())
    hold = papers_to_put_right(after(1))
    assert (hold.owner, hold.reason) == (Owner.DECLARANT, "to be put right: the invoice is missing")
    desk.then(consignment_held(3, hold, at=after(3)))
    desk.when(inspection_passed(DOCUMENTS)).then()
    desk.when(inspection_passed(DOCUMENTS, 1)).then(
        *goods_released(
            4,
            after(5),
            lane=Lane.YELLOW,
            answers={"inspection/documents": "InspectionPassed"},
            revisions={"inspection/documents": (0, 1)},
        )
    )


def test_a_declaration_whose_papers_are_to_be_put_right_may_be_withdrawn() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), rectification_requested())
    desk.when(withdrawal_requested()).then(*goods_withdrawn(3, after(3)))


def test_it_may_not_once_the_officer_has_looked_again_or_a_living_pest_was_met() -> None:
    desk = story(
        decider, consignment_assessed(DOCUMENTS), rectification_requested(), inspection_passed(DOCUMENTS, 1)
    ).when(withdrawal_requested())
    desk.then_refused("controls_ordered")
    desk = story(
        decider, consignment_assessed(DOCUMENTS, INSPECTION), rectification_requested(), pest_intercepted(INSPECTION)
    ).when(withdrawal_requested())
    desk.then_refused("controls_ordered")


def test_under_an_officers_hold_such_a_withdrawal_waits_for_the_officer() -> None:
    desk = (
        story(decider, consignment_assessed(DOCUMENTS), rectification_requested())
        .when(place_hold(), message_id="h1")
        .when(withdrawal_requested())
    )
    desk.then()
    desk.when(lift_hold("officer/h1")).then(*goods_withdrawn(4, after(5)))
    other = story(decider, consignment_assessed(DOCUMENTS), rectification_requested()).when(
        place_hold(), message_id="h1"
    )
    other.when(withdrawal_requested()).when(inspection_passed(DOCUMENTS, 1)).then(
        request_refused(
            "w1",
            "WithdrawDeclaration",
            "controls_ordered",
            phrase("controls_ordered", controls=(DOCUMENTS,)),
            at=after(5),
        ),
        consignment_held(4, not_arrived(after(1)), officers_hold("h1", since=after(3)), at=after(5)),
    )


def test_a_withdrawal_that_waits_for_an_officer_is_sent_back_when_the_goods_are_refused() -> None:
    """Otherwise the declarant would wait for ever, and so would the next declaration under the reference."""
    desk = (
        story(decider, consignment_assessed(DOCUMENTS), rectification_requested())
        .when(place_hold(), message_id="h1")
        .when(withdrawal_requested())
    )
    desk.when(inspection_failed(DOCUMENTS, 1)).then(
        *goods_refused(
            4,
            after(5),
            "inspection/documents",
            quoted("wrong goods"),
            holds=(officers_hold("h1", since=after(3)),),
            arrived_at=None,
        ),
        request_refused("w1", "WithdrawDeclaration", "consignment_closed", phrase("refused"), at=after(5)),
    )
    # The refusal of the goods has answered the withdrawal. So the withdrawal is not granted now.
    desk.when(findings_retracted(DOCUMENTS, 2)).then(
        *goods_no_longer_refused(
            5,
            after(6),
            "inspection/documents",
            not_arrived(after(6)),
            control_again(DOCUMENTS, since=after(6)),
            officers_hold("h1", since=after(3)),
            arrived_at=None,
        )
    )


def test_hearing_a_correction_twice_adds_nothing() -> None:
    goods = [
        consignment_assessed(DOCUMENTS, INSPECTION),
        arrival(),
        rectification_requested(),
        inspection_failed(INSPECTION),
        findings_retracted(INSPECTION),
    ]
    keeps_its_promises(
        decider,
        [*goods, inspection_passed(INSPECTION, 2), inspection_passed(DOCUMENTS, 1), findings_retracted(DOCUMENTS, 2)],
    )
    keeps_its_promises(decider, [*reversed(goods), inspection_passed(INSPECTION, 2)])


def lifted() -> Story:
    """Returns the desk after it has released goods whose hold by an officer was lifted with the request l1."""
    desk = story(decider, consignment_assessed(), arrival()).when(place_hold(), message_id="p1")
    return desk.when(lift_hold("officer/p1"), message_id="l1")


def test_a_lifting_that_was_wrong_puts_the_hold_back_and_calls_released_goods_back() -> None:
    desk = lifted().when(retract_lift("l1"), message_id="r1")
    why = phrase("lifted_by_mistake", words="the wrong consignment")
    desk.then(
        lift_retracted("officer/p1", "l1", at=after(5)),
        *goods_called_back(6, after(5), why, hold_put_back("p1", after(5))),
    )
    desk.when(retract_lift("l1"), message_id="r1").then()
    desk.when(lift_hold("officer/p1"), message_id="l1").then()
    desk.when(place_hold(), message_id="p1").then()
    desk.when(lift_hold("officer/p1"), message_id="l2").then(*goods_released(8, after(9)))
    desk.when(retract_lift("l2"), message_id="r2").then(
        lift_retracted("officer/p1", "l2", at=after(10)),
        *goods_called_back(9, after(10), why, hold_put_back("p1", after(10))),
    )


def test_a_lifting_before_the_release_is_taken_back_too() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(place_hold(), message_id="p1")
    desk.when(lift_hold("officer/p1"), message_id="l1").when(retract_lift("l1"), message_id="r1")
    desk.then(
        lift_retracted("officer/p1", "l1", at=after(5)),
        *goods_held(5, after(5), control_required(INSPECTION, after(1)), hold_put_back("p1", after(5))),
    )


def test_what_lifted_nothing_or_was_taken_back_before_is_unknown() -> None:
    desk = lifted().when(retract_lift("p1"))
    desk.then_refused("lift_unknown")
    desk.when(retract_lift("l1"), message_id="r1").when(retract_lift("l1"), message_id="r2")
    desk.then_refused("lift_unknown")


def test_withdrawn_goods_have_no_lifting_to_take_back() -> None:
    desk = (
        story(decider, consignment_assessed())
        .when(place_hold(), message_id="p1")
        .when(lift_hold("officer/p1"), message_id="l1")
    )
    desk.when(withdrawal_requested()).when(retract_lift("l1"))
    desk.then_refused("consignment_closed")


def test_a_case_of_the_software_version_before_has_no_lifting_taken_back() -> None:
    desk = lifted()
    whole = decider.STATE.dump_json(desk.state)
    stored = whole.replace(b',"retracted":{}', b"")
    assert stored != whole and decider.STATE.validate_json(stored) == desk.state


def test_hearing_a_retracted_lifting_twice_adds_nothing() -> None:
    goods = [consignment_assessed(), arrival(), place_hold(), lift_hold("officer/once-2"), retract_lift("once-3")]
    keeps_its_promises(decider, [*goods, lift_hold("officer/once-2"), retract_lift("once-5")])


def test_released_goods_whose_treatment_record_was_wrong_are_called_back() -> None:
    desk = story(decider, consignment_assessed(QUARANTINE), arrival(), treatment_verified("risk"))
    desk.when(treatment_retracted("risk")).then(
        *goods_called_back(
            4,
            after(4),
            phrase("treatment_required_again", words="another chamber's sheet"),
            treatment_required_again(since=after(4)),
        )
    )
    desk.when(treatment_verified("risk")).then()
    desk.when(treatment_verified("risk", revision=2)).then(
        *goods_released(
            6,
            after(6),
            lane=Lane.RED,
            answers={"quarantine/risk": "TreatmentVerified"},
            revisions={"quarantine/risk": (0, 2)},
        )
    )


def test_goods_given_up_for_a_wrong_record_are_held_for_their_treatment() -> None:
    desk = story(decider, consignment_assessed(QUARANTINE), arrival(), treatment_abandoned("risk"))
    desk.when(treatment_retracted("risk")).then(
        *goods_no_longer_refused(4, after(4), "quarantine/risk", treatment_required_again(since=after(4)))
    )


def test_after_a_wrong_decision_about_a_treatment_it_is_the_officers_move_again() -> None:
    waived = story(decider, consignment_assessed(QUARANTINE), arrival(), treatment_waived("risk"))
    waived.when(treatment_decision_retracted("risk")).then(
        *goods_called_back(
            4,
            after(4),
            phrase("treatment_required_again", words="the fish were not seen"),
            treatment_required_again("the fish were not seen", owner=Owner.OFFICER, since=after(4)),
        )
    )
    refused = story(decider, consignment_assessed(QUARANTINE), arrival(), quarantine_refused("risk"))
    refused.when(treatment_decision_retracted("risk")).then(
        *goods_no_longer_refused(
            4,
            after(4),
            "quarantine/risk",
            treatment_required_again("the fish were not seen", owner=Owner.OFFICER, since=after(4)),
        )
    )
