"""What becomes of treatments when the pest that they were ordered against turns out to have been a wrong finding?"""

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


def cancelled(told: Story, origin: str = "inspection") -> TreatmentCancelled:
    return facts.treatment_cancelled(origin, told.at)


def test_the_treatment_against_a_pest_that_was_none_falls_away() -> None:
    told = story(decider, TIMBER, pest()).when(retracted())
    told.then(cancelled(told))
    assert [limit.name for limit in told.deadlines()] == ["overdue/risk"]
    told.when(retracted()).then()
    told.when(pest()).then()
    seen = "no treatment is ordered for origin 'inspection'"
    told.when(good("inspection")).then(
        refused(told, "not_ordered", seen, phrase("no_treatment_ordered", origin="inspection"))
    )
    told.when(good()).then(verified(told))


def test_findings_that_met_no_pest_are_none_of_this_desks_concern() -> None:
    told = story(decider, TIMBER)
    before = told.state
    told.when(retracted()).then()
    assert told.state is before


def test_a_pest_found_after_all_is_treated_anew_and_its_attempts_are_counted_on() -> None:
    told = story(decider, TIMBER, pest(), good("inspection"), retracted()).when(pest_again())
    again = ordered(told, "inspection", 2, pest().pest).model_copy(update={"finding": 2})
    told.then(again)
    told.when(good("inspection", 2))
    told.then(verified(told, "inspection", 2).model_copy(update={"finding": 2}))


def test_each_pest_finding_has_all_its_attempts() -> None:
    told = story(decider, TIMBER, pest(), bad("inspection"), retracted(), pest_again())
    for attempt in (3, 4):
        told.when(bad("inspection", attempt))
        assert [fact.kind for fact in told.said] == ["TreatmentFailed", "TreatmentOrdered"]
    told.when(bad("inspection", 5))
    assert [fact.kind for fact in told.said] == ["TreatmentFailed", "TreatmentAbandoned"]
    assert told.said[1].model_dump()["attempts"] == 3 and told.said[1].model_dump()["finding"] == 2


def given_up() -> Story:
    return story(decider, TIMBER, pest(), *[bad("inspection", attempt) for attempt in (1, 2, 3)])


def test_goods_that_were_given_up_for_a_pest_that_was_none_are_treated_for_the_rest() -> None:
    told = given_up()
    assert told.facts[-1].kind == "TreatmentAbandoned"
    found = pest(SAMPLING)
    told.when(found).then()
    told.when(retracted())
    told.then(ordered(told, "sampling", 1, found.pest))
    told.when(good())
    assert isinstance(told.said[0], TreatmentVerified)


def test_an_assessment_that_came_after_the_goods_were_given_up_is_followed_when_they_are_not() -> None:
    told = story(decider, pest(), *[bad("inspection", attempt) for attempt in (1, 2, 3)])
    told.when(TIMBER).then()
    told.when(retracted()).then(ordered(told))


def test_goods_given_up_for_another_reason_stay_given_up() -> None:
    told = story(decider, TIMBER, pest(), *[bad("risk", attempt) for attempt in (1, 2, 3)])
    told.when(retracted()).then()
    told.when(good("inspection"))
    told.then_refused("consignment_closed")


def test_goods_given_up_by_an_earlier_release_are_treated_again_when_the_finding_was_wrong() -> None:
    told = given_up()
    told.state = decider.STATE.validate_json(b'{"state":"abandoned","answered":["m3","m4","m5"]}')
    told.when(retracted()).then()
    told.when(good("inspection", 3), message_id="m5")
    told.when(pest_again())
    assert [fact.kind for fact in told.said] == ["TreatmentOrdered"]


def test_a_question_to_an_officer_falls_away_with_its_pest() -> None:
    fish = assessed(ControlKind.INSPECTION).model_copy(update={"goods": (GoodsClass.LIVE,)})
    live = pest().model_copy(update={"goods": (GoodsClass.LIVE,)})
    told = story(decider, fish, live).when(retracted())
    told.then(cancelled(told))
    told.when(live.model_copy(update={"revision": 2}))
    assert [(f.kind, f.model_dump()["finding"]) for f in told.said] == [("TreatmentReferred", 2)]


def test_withdrawn_goods_are_not_treated_whatever_was_found() -> None:
    told = story(decider, TIMBER, pest(), declaration_withdrawn())
    told.when(retracted()).then()
    told.when(pest_again()).then()


def test_needs_of_an_earlier_release_are_of_the_first_finding() -> None:
    told = story(decider, TIMBER, pest())
    stored = decider.STATE.dump_json(told.state).replace(b',"finding":0', b"").replace(b',"first":1', b"")
    assert b"first" not in stored and b"finding" not in stored
    told.state = decider.STATE.validate_json(stored)
    told.when(retracted()).then(cancelled(told))
    told.when(pest_again())
    assert isinstance(told.said[0], TreatmentOrdered)


_HEARD: st.SearchStrategy[Message] = st.one_of(
    st.just(TIMBER),
    st.integers(0, 4).map(pest_again),
    st.builds(retracted, st.integers(1, 5), st.sampled_from([ControlKind.INSPECTION, SAMPLING])),
    st.builds(bad, st.sampled_from(["risk", "inspection"]), st.integers(1, 6)),
    st.builds(good, st.sampled_from(["risk", "inspection"]), st.integers(1, 6)),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=200, deadline=None)
@given(heard=st.lists(_HEARD, max_size=14))
def test_no_attempt_is_ordered_twice_whatever_is_found_and_taken_back(heard: list[Message]) -> None:
    keeps_its_promises(decider, heard)
    told = story(decider, *heard)
    orders = [(fact.origin, fact.attempt) for fact in told.facts if isinstance(fact, TreatmentOrdered)]
    assert len(set(orders)) == len(orders)


def test_goods_that_were_given_up_and_withdrawn_are_not_taken_up_again_by_what_is_heard_late() -> None:
    """The release desk had heard that the pest was none, took the refusal back and let the declarant withdraw; this desk hears of the
    withdrawal first, for the two topics have no order between them."""
    told = story(decider, TIMBER, pest())
    for attempt in (1, 2, 3):
        told.when(bad("inspection", attempt))
    assert told.said[-1].kind == "TreatmentAbandoned"
    told.when(declaration_withdrawn()).then()
    assert decider.closed(told.state)
    told.when(retracted()).then()
    assert told.deadlines() == ()
    told.when(good()).then_refused("consignment_closed")
