"""What happens if an answer is retracted or replaced? The desk decides again, and first calls released goods back."""

from datetime import datetime, timedelta
from typing import Any

from schemas.envelope import Fact
from schemas.phrases import phrase
from schemas.release import (
    ConsignmentHeld,
    ContainerHeld,
    Hold,
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
    container_freed,
    container_held,
    control_again,
    findings_retracted,
    inspection_failed,
    inspection_passed,
    lift_retracted,
    officers_hold,
    open_hold,
    pest_intercepted,
    quarantine_refused,
    rectification_requested,
    refusal_revoked,
    release_granted,
    release_refused,
    release_revoked,
    treatment_abandoned,
    treatment_decision_retracted,
    treatment_retracted,
    treatment_verified,
    treatment_waived,
    withdrawal_requested,
)
from tests.release.requests import arrival, lift_hold, place_hold, retract_lift
from tests.voice import NOON, Story, keeps_its_promises, kinds, story

INSPECTION, DOCUMENTS, QUARANTINE = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.QUARANTINE


def holds(facts: tuple[Fact, ...]) -> list[str]:
    held = [fact for fact in facts if isinstance(fact, ConsignmentHeld)]
    return [hold.hold_id for hold in held[-1].holds]


def versions(desk: Story) -> list[int]:
    kept = ConsignmentHeld | ReleaseGranted | ReleaseRefused | ReleaseRevoked | RefusalRevoked
    return [fact.version for fact in desk.facts if isinstance(fact, kept)]


def after(minutes: int) -> datetime:
    """When a story reads its message with this number."""
    return NOON + timedelta(minutes=minutes)


def released_again(version: int, lane: Lane, minutes: int, **more: Any) -> tuple[Fact, Fact]:
    """The facts about goods and about their container when the goods are released."""
    granted = release_granted(version, lane=lane, at=after(minutes), **more)
    return granted, container_freed(version, at=after(minutes))


AGAIN = {"answers": {"inspection/inspection": "InspectionPassed"}, "revisions": {"inspection/inspection": (0, 2)}}
"""Fields of a release after the findings were taken back and the goods passed."""


def test_released_goods_whose_findings_were_wrong_are_called_back_before_anything_else() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    why = phrase("control_again", control=INSPECTION, words="another consignment's findings")
    desk.when(findings_retracted(INSPECTION)).then(
        release_revoked(4, why, at=after(4)),
        consignment_held(5, control_again(INSPECTION, after(4)), at=after(4)),
        container_held(5, why, arrived_at=NOON, at=after(4)),
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(*released_again(6, Lane.RED, 5, **AGAIN))


def granted(desk: Story) -> ReleaseGranted:
    return [fact for fact in desk.facts if isinstance(fact, ReleaseGranted)][-1]


def test_a_release_names_the_latest_answers_that_it_takes_into_account() -> None:
    """By them a reader who knows of a correction can see whether the desk has read it, in whatever order the topics
    were read."""
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    assert granted(desk).revisions == {}
    desk.when(findings_retracted(INSPECTION)).when(inspection_passed(INSPECTION, 2))
    assert granted(desk).revisions == {"inspection/inspection": (0, 2)}
    desk.when(pest_intercepted(INSPECTION, 4)).when(
        treatment_verified("inspection", 4).model_copy(update={"revision": 1})
    )
    assert granted(desk).revisions == {"inspection/inspection": (0, 4), "quarantine/inspection": (4, 1)}


def test_a_release_is_stated_again_when_a_later_answer_changes_nothing_else() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION)).when(
        inspection_passed(INSPECTION, 2)
    )
    assert kinds(desk) == ["ReleaseGranted"] and granted(desk).revisions == {"inspection/inspection": (0, 2)}
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
    desk.when(findings_retracted(INSPECTION)).when(inspection_passed(INSPECTION, 2)).when(
        treatment_retracted("inspection")
    )
    assert kinds(desk) == ["ReleaseGranted"]
    assert granted(desk).revisions == {"inspection/inspection": (0, 2), "quarantine/inspection": (0, 1)}


def test_a_release_of_the_software_version_before_says_nothing_of_revisions_and_its_record_is_read() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    stored = decider.STATE.dump_json(desk.state)
    assert b',"revisions":{}' in stored
    before = decider.STATE.validate_json(stored.replace(b',"revisions":{}', b""))
    assert before == desk.state
    fact = granted(desk).model_dump_json(exclude={"revisions"}).encode()
    assert ReleaseGranted.read_stored(fact).revisions is None


def test_released_goods_that_should_not_have_passed_are_called_back_and_refused() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        inspection_passed(INSPECTION),
        findings_retracted(INSPECTION),
    )
    assert kinds(desk.when(inspection_failed(INSPECTION, 2))) == ["ReleaseRefused", "ContainerHeld"]
    other = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
    wrong_goods = phrase("words", words="wrong goods")
    other.when(inspection_failed(INSPECTION, 2)).then(
        release_revoked(4, wrong_goods, at=after(4)),
        release_refused(5, "inspection/inspection", wrong_goods, at=after(4)),
        container_held(5, phrase("refused_for"), wrong_goods, arrived_at=NOON, refused=True, at=after(4)),
    )
    other.when(findings_retracted(INSPECTION)).then()


def test_refused_goods_whose_findings_were_wrong_are_held_again_and_may_be_released() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    desk.when(findings_retracted(INSPECTION)).then(
        refusal_revoked(4, phrase("failure_gone", hold="inspection/inspection"), at=after(4)),
        consignment_held(5, control_again(INSPECTION, after(4)), at=after(4)),
        container_held(
            5,
            phrase("failure_gone", hold="inspection/inspection"),
            phrase("not_released_yet"),
            arrived_at=NOON,
            at=after(4),
        ),
    )
    desk.when(inspection_passed(INSPECTION, 2)).then(*released_again(6, Lane.RED, 5, **AGAIN))
    assert versions(desk) == list(range(1, len(versions(desk)) + 1))


def test_what_was_heard_while_goods_were_refused_counts_when_they_no_longer_are() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), inspection_failed(INSPECTION))
    desk.when(inspection_passed(DOCUMENTS)).then()
    desk.when(arrival())
    assert holds(desk.when(findings_retracted(INSPECTION)).answer) == ["inspection/inspection"]


def test_refused_goods_are_released_at_once_where_the_right_answer_was_heard_first() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    gone = refusal_revoked(4, phrase("failure_gone", hold="inspection/inspection"), at=after(4))
    desk.when(inspection_passed(INSPECTION, 2)).then(gone, *released_again(5, Lane.RED, 4, **AGAIN))
    desk.when(findings_retracted(INSPECTION)).then()


def test_goods_refused_for_two_reasons_stay_refused_for_the_other_one() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), inspection_failed(INSPECTION))
    desk.when(inspection_failed(DOCUMENTS)).then()
    desk.when(findings_retracted(INSPECTION))
    assert kinds(desk) == ["RefusalRevoked", "ReleaseRefused"]
    refused = desk.answer[1]
    assert isinstance(refused, ReleaseRefused) and refused.cause == "inspection/documents"
    assert kinds(desk.when(findings_retracted(DOCUMENTS)))[:2] == ["RefusalRevoked", "ConsignmentHeld"]
    assert versions(desk) == list(range(1, len(versions(desk)) + 1))


def test_an_officers_hold_outlasts_a_refusal_that_was_wrong() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(place_hold(), message_id="p1")
    desk.when(inspection_failed(INSPECTION)).when(inspection_passed(INSPECTION, 2))
    assert kinds(desk) == ["RefusalRevoked", "ConsignmentHeld", "ContainerHeld"] and holds(desk.answer) == [
        "officer/p1"
    ]
    assert kinds(desk.when(lift_hold("officer/p1"))) == ["ReleaseGranted", "ContainerFreed"]


def test_an_officers_hold_on_refused_goods_outlasts_the_refusal() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION)).when(
        place_hold(), message_id="p1"
    )
    assert kinds(desk) == ["ReleaseRefused", "ContainerHeld"]
    refused, box = desk.answer
    assert isinstance(refused, ReleaseRefused) and isinstance(box, ContainerHeld) and box.refused
    assert (refused.cause, [hold.hold_id for hold in refused.holds]) == ("inspection/inspection", ["officer/p1"])
    desk.when(place_hold(), message_id="p1").then()
    desk.when(inspection_passed(INSPECTION, 2))
    assert kinds(desk) == ["RefusalRevoked", "ConsignmentHeld", "ContainerHeld"] and holds(desk.answer) == [
        "officer/p1"
    ]
    assert kinds(desk.when(lift_hold("officer/p1"))) == ["ReleaseGranted", "ContainerFreed"]
    assert versions(desk) == sorted(set(versions(desk)))


def test_holds_on_refused_goods_are_lifted_and_put_back() -> None:
    desk = (
        story(decider, consignment_assessed(INSPECTION), arrival())
        .when(place_hold(), message_id="p1")
        .when(inspection_failed(INSPECTION))
    )
    cause, wrong_goods = "inspection/inspection", phrase("words", words="wrong goods")
    why = (phrase("refused_for"), wrong_goods)
    desk.then(
        release_refused(4, cause, wrong_goods, holds=(officers_hold("p1", since=after(3)),), at=after(4)),
        container_held(4, *why, arrived_at=NOON, refused=True, at=after(4)),
    )
    desk.when(lift_hold("officer/p1"), message_id="l1").then(release_refused(5, cause, wrong_goods, at=after(5)))
    desk.when(lift_hold("officer/p1"), message_id="l1").then()
    desk.when(retract_lift("l1"), message_id="r1").then(
        lift_retracted("officer/p1", "l1", at=after(7)),
        release_refused(6, cause, wrong_goods, holds=(put_back("p1", after(7)),), at=after(7)),
        container_held(6, *why, arrived_at=NOON, refused=True, at=after(7)),
    )
    desk.when(inspection_passed(INSPECTION, 2))
    assert holds(desk.answer) == ["officer/p1"]


def test_a_treatment_answers_only_the_finding_that_it_was_ordered_for() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        pest_intercepted(INSPECTION),
        treatment_verified("inspection"),
    )
    assert desk.state.state == "released"
    desk.when(findings_retracted(INSPECTION))
    assert holds(desk.answer) == ["inspection/inspection"]
    assert holds(desk.when(pest_intercepted(INSPECTION, 2)).answer) == ["quarantine/inspection"]
    desk.when(treatment_verified("inspection")).then()
    granted = desk.when(treatment_verified("inspection", 2)).answer[0]
    assert isinstance(granted, ReleaseGranted)
    assert granted.answers == {
        "inspection/inspection": "PestIntercepted",
        "quarantine/inspection": "TreatmentVerified",
    }


def test_goods_given_up_for_a_pest_that_was_none_are_no_longer_refused() -> None:
    desk = story(
        decider,
        consignment_assessed(INSPECTION),
        arrival(),
        pest_intercepted(INSPECTION),
        treatment_abandoned("inspection"),
    )
    assert desk.state.state == "refused"
    assert kinds(desk.when(findings_retracted(INSPECTION)))[0] == "RefusalRevoked"
    granted = desk.when(inspection_passed(INSPECTION, 2)).answer[0]
    assert isinstance(granted, ReleaseGranted) and granted.answers == {"inspection/inspection": "InspectionPassed"}


def test_a_failure_of_an_earlier_release_is_taken_back() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_failed(INSPECTION))
    terms, arrived_at, request = desk.state.dossier[:3]
    failure = Failure("inspection/inspection", "wrong goods")
    earlier = Dossier(terms=terms, arrived_at=arrived_at, arrival_request=request, failure=failure)
    desk.state = Refused(dossier=earlier, version=3, told=True)
    desk.when(inspection_failed(INSPECTION)).then()
    desk.when(inspection_passed(INSPECTION)).then()
    assert kinds(desk.when(findings_retracted(INSPECTION))) == ["RefusalRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert holds(desk.answer) == ["inspection/inspection"]


def test_papers_that_are_to_be_put_right_hold_the_goods_and_the_declarant_has_to_move() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), arrival()).when(rectification_requested())
    (held,) = desk.answer
    assert isinstance(held, ConsignmentHeld)
    (hold,) = held.holds
    assert (hold.hold_id, hold.owner) == ("inspection/documents", Owner.DECLARANT)
    assert hold.reason == "to be put right: the invoice is missing" and hold.lifted_by == "InspectionPassed"
    desk.when(inspection_passed(DOCUMENTS)).then()
    assert kinds(desk.when(inspection_passed(DOCUMENTS, 1)))[0] == "ReleaseGranted"


def test_a_declaration_whose_papers_are_to_be_put_right_may_be_withdrawn() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), rectification_requested()).when(
        withdrawal_requested()
    )
    assert kinds(desk) == ["DeclarationWithdrawn", "ContainerFreed"]


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
    assert kinds(desk.when(lift_hold("officer/h1"))) == ["DeclarationWithdrawn", "ContainerFreed"]
    other = story(decider, consignment_assessed(DOCUMENTS), rectification_requested()).when(
        place_hold(), message_id="h1"
    )
    other.when(withdrawal_requested()).when(inspection_passed(DOCUMENTS, 1))
    assert kinds(other)[0] == "RequestRefused"


def test_a_withdrawal_that_waits_for_an_officer_is_sent_back_when_the_goods_are_refused() -> None:
    """Otherwise the declarant would wait for ever, and so would the next declaration under the reference."""
    desk = (
        story(decider, consignment_assessed(DOCUMENTS), rectification_requested())
        .when(place_hold(), message_id="h1")
        .when(withdrawal_requested())
    )
    desk.when(inspection_failed(DOCUMENTS, 1))
    assert [fact.kind for fact in desk.answer][-1] == "RequestRefused"
    assert desk.answer[-1].model_dump()["request_id"] == "w1"
    assert desk.answer[-1].model_dump()["code"] == "consignment_closed"
    desk.when(findings_retracted(DOCUMENTS, 2))
    assert "DeclarationWithdrawn" not in [fact.kind for fact in desk.answer], "it was answered"


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
    """Released goods whose officer's hold was lifted by the request l1."""
    desk = story(decider, consignment_assessed(), arrival()).when(place_hold(), message_id="p1")
    return desk.when(lift_hold("officer/p1"), message_id="l1")


def put_back(request_id: str, since: datetime) -> Hold:
    """The officer's hold whose lifting was taken back."""
    because, sign = "the wrong consignment", len("lifted by mistake: ")
    quoted = {"words": (sign, sign + len(because))}
    why = phrase("lifted_by_mistake", words=because)
    return open_hold(f"officer/{request_id}", Owner.OFFICER, why, "LiftHold", since=since, quoted=quoted)


def test_a_lifting_that_was_wrong_puts_the_hold_back_and_calls_released_goods_back() -> None:
    desk = lifted().when(retract_lift("l1"), message_id="r1")
    why = phrase("lifted_by_mistake", words="the wrong consignment")
    desk.then(
        lift_retracted("officer/p1", "l1", at=after(5)),
        release_revoked(6, why, at=after(5)),
        consignment_held(7, put_back("p1", after(5)), at=after(5)),
        container_held(7, why, arrived_at=NOON, at=after(5)),
    )
    desk.when(retract_lift("l1"), message_id="r1").then()
    desk.when(lift_hold("officer/p1"), message_id="l1").then()
    desk.when(place_hold(), message_id="p1").then()
    desk.when(lift_hold("officer/p1"), message_id="l2").then(*released_again(8, Lane.GREEN, 9))
    assert kinds(desk.when(retract_lift("l2"), message_id="r2"))[0] == "LiftRetracted"


def test_a_lifting_before_the_release_is_taken_back_too() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), arrival()).when(place_hold(), message_id="p1")
    desk.when(lift_hold("officer/p1"), message_id="l1").when(retract_lift("l1"), message_id="r1")
    assert kinds(desk) == ["LiftRetracted", "ConsignmentHeld", "ContainerHeld"]
    assert holds(desk.answer) == ["inspection/inspection", "officer/p1"]


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
    desk = story(decider, consignment_assessed(QUARANTINE), arrival(), treatment_verified("risk")).when(
        treatment_retracted("risk")
    )
    assert kinds(desk) == ["ReleaseRevoked", "ConsignmentHeld", "ContainerHeld"]
    held = desk.answer[1]
    assert isinstance(held, ConsignmentHeld)
    (hold,) = held.holds
    assert (hold.hold_id, hold.owner) == ("quarantine/risk", Owner.QUARANTINE)
    assert hold.reason == "treatment required, again: another chamber's sheet"
    desk.when(treatment_verified("risk")).then()
    assert kinds(desk.when(treatment_verified("risk").model_copy(update={"revision": 2})))[0] == "ReleaseGranted"


def test_goods_given_up_for_a_wrong_record_are_held_for_their_treatment() -> None:
    desk = story(decider, consignment_assessed(QUARANTINE), arrival(), treatment_abandoned("risk")).when(
        treatment_retracted("risk")
    )
    assert kinds(desk) == ["RefusalRevoked", "ConsignmentHeld", "ContainerHeld"]
    assert holds(desk.answer) == ["quarantine/risk"]


def test_after_a_wrong_decision_about_a_treatment_it_is_the_officers_move_again() -> None:
    for decided in (treatment_waived("risk"), quarantine_refused("risk")):
        desk = story(decider, consignment_assessed(QUARANTINE), arrival(), decided).when(
            treatment_decision_retracted("risk")
        )
        held = desk.answer[1]
        assert isinstance(held, ConsignmentHeld)
        assert [(hold.hold_id, hold.owner) for hold in held.holds] == [("quarantine/risk", Owner.OFFICER)]
