"""What happens to a treatment if the finding of its pest turns out to be wrong?"""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message
from schemas.inspection import FindingsRetracted, PestIntercepted
from schemas.phrases import phrase
from schemas.quarantine import TreatmentCancelled, TreatmentOrdered, TreatmentVerified
from schemas.vocabulary import ControlKind, GoodsClass
from services.quarantine import decider
from tests import facts
from tests.facts import declaration_withdrawn
from tests.quarantine.test_quarantine_desk import (
    TIMBER,
    assessed,
    bad,
    good,
    ordered,
    pest,
    refused,
    verified,
)
from tests.voice import Story, keeps_its_promises, story

SAMPLING = ControlKind.SAMPLING


def retracted(revision: int = 1, control: ControlKind = ControlKind.INSPECTION) -> FindingsRetracted:
    return facts.findings_retracted(control, revision, because="the trap was another one's")


def pest_again(revision: int = 2) -> PestIntercepted:
    return pest().model_copy(update={"revision": revision})


def cancelled(desk: Story, origin: str = "inspection") -> TreatmentCancelled:
    return facts.treatment_cancelled(origin, desk.at)


def test_the_treatment_against_a_pest_that_was_none_falls_away() -> None:
    desk = story(decider, TIMBER, pest()).when(retracted())
    desk.then(cancelled(desk))
    assert [limit.name for limit in desk.deadlines()] == ["overdue/risk"]
    desk.when(retracted()).then()
    desk.when(pest()).then()
    reason = "no treatment is ordered for origin 'inspection'"
    desk.when(good("inspection")).then(
        refused(desk, "not_ordered", reason, phrase("no_treatment_ordered", origin="inspection"))
    )
    desk.when(good()).then(verified(desk))


def test_findings_that_met_no_pest_are_none_of_this_desks_concern() -> None:
    desk = story(decider, TIMBER)
    before = desk.state
    desk.when(retracted()).then()
    assert desk.state is before


def test_a_pest_found_after_all_is_treated_anew_and_its_attempts_are_counted_on() -> None:
    desk = story(decider, TIMBER, pest(), good("inspection"), retracted()).when(pest_again())
    again = ordered(desk, "inspection", 2, pest().pest).model_copy(update={"finding": 2})
    desk.then(again)
    desk.when(good("inspection", 2))
    desk.then(verified(desk, "inspection", 2).model_copy(update={"finding": 2}))


def test_each_pest_finding_has_all_its_attempts() -> None:
    desk = story(decider, TIMBER, pest(), bad("inspection"), retracted(), pest_again())
    for attempt in (3, 4):
        desk.when(bad("inspection", attempt))
        assert [fact.kind for fact in desk.answer] == ["TreatmentFailed", "TreatmentOrdered"]
    desk.when(bad("inspection", 5))
    assert [fact.kind for fact in desk.answer] == ["TreatmentFailed", "TreatmentAbandoned"]
    assert desk.answer[1].model_dump()["attempts"] == 3 and desk.answer[1].model_dump()["finding"] == 2


def given_up() -> Story:
    return story(decider, TIMBER, pest(), *[bad("inspection", attempt) for attempt in (1, 2, 3)])


def test_goods_that_were_given_up_for_a_pest_that_was_none_are_treated_for_the_rest() -> None:
    desk = given_up()
    assert desk.facts[-1].kind == "TreatmentAbandoned"
    found = pest(SAMPLING)
    desk.when(found).then()
    desk.when(retracted())
    desk.then(ordered(desk, "sampling", 1, found.pest))
    desk.when(good())
    assert isinstance(desk.answer[0], TreatmentVerified)


def test_an_assessment_that_came_after_the_goods_were_given_up_is_followed_when_they_are_not() -> None:
    desk = story(decider, pest(), *[bad("inspection", attempt) for attempt in (1, 2, 3)])
    desk.when(TIMBER).then()
    desk.when(retracted()).then(ordered(desk))


def test_goods_given_up_for_another_reason_stay_given_up() -> None:
    desk = story(decider, TIMBER, pest(), *[bad("risk", attempt) for attempt in (1, 2, 3)])
    desk.when(retracted()).then()
    desk.when(good("inspection"))
    desk.then_refused("consignment_closed")


def test_goods_given_up_by_an_earlier_release_are_treated_again_when_the_finding_was_wrong() -> None:
    desk = given_up()
    desk.state = decider.STATE.validate_json(b'{"state":"abandoned","answered":["m3","m4","m5"]}')
    desk.when(retracted()).then()
    desk.when(good("inspection", 3), message_id="m5")
    desk.when(pest_again())
    assert [fact.kind for fact in desk.answer] == ["TreatmentOrdered"]


def test_a_question_to_an_officer_falls_away_with_its_pest() -> None:
    fish = assessed(ControlKind.INSPECTION).model_copy(update={"goods": (GoodsClass.LIVE,)})
    live = pest().model_copy(update={"goods": (GoodsClass.LIVE,)})
    desk = story(decider, fish, live).when(retracted())
    desk.then(cancelled(desk))
    desk.when(live.model_copy(update={"revision": 2}))
    assert [(f.kind, f.model_dump()["finding"]) for f in desk.answer] == [("TreatmentReferred", 2)]


def test_withdrawn_goods_are_not_treated_whatever_was_found() -> None:
    desk = story(decider, TIMBER, pest(), declaration_withdrawn())
    desk.when(retracted()).then()
    desk.when(pest_again()).then()


def test_needs_of_an_earlier_release_are_of_the_first_finding() -> None:
    desk = story(decider, TIMBER, pest())
    stored = decider.STATE.dump_json(desk.state).replace(b',"finding":0', b"").replace(b',"first":1', b"")
    assert b"first" not in stored and b"finding" not in stored
    desk.state = decider.STATE.validate_json(stored)
    desk.when(retracted()).then(cancelled(desk))
    desk.when(pest_again())
    assert isinstance(desk.answer[0], TreatmentOrdered)


_MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.just(TIMBER),
    st.integers(0, 4).map(pest_again),
    st.builds(retracted, st.integers(1, 5), st.sampled_from([ControlKind.INSPECTION, SAMPLING])),
    st.builds(bad, st.sampled_from(["risk", "inspection"]), st.integers(1, 6)),
    st.builds(good, st.sampled_from(["risk", "inspection"]), st.integers(1, 6)),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=200, deadline=None)
@given(messages=st.lists(_MESSAGES, max_size=14))
def test_no_attempt_is_ordered_twice_whatever_is_found_and_taken_back(messages: list[Message]) -> None:
    keeps_its_promises(decider, messages)
    desk = story(decider, *messages)
    orders = [(fact.origin, fact.attempt) for fact in desk.facts if isinstance(fact, TreatmentOrdered)]
    assert len(set(orders)) == len(orders)


def test_goods_that_were_given_up_and_withdrawn_are_not_taken_up_again_by_what_is_heard_late() -> None:
    """The release desk read that the finding was wrong, revoked the refusal, and granted a withdrawal. This desk reads
    the withdrawal first, because there is no order between the two topics."""
    desk = story(decider, TIMBER, pest())
    for attempt in (1, 2, 3):
        desk.when(bad("inspection", attempt))
    assert desk.answer[-1].kind == "TreatmentAbandoned"
    desk.when(declaration_withdrawn()).then()
    assert decider.closed(desk.state)
    desk.when(retracted()).then()
    assert desk.deadlines() == ()
    desk.when(good()).then_refused("consignment_closed")
