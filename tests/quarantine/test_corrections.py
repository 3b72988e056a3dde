"""Can a wrong treatment record and a wrong decision of an officer be corrected, or taken back?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Deadline, Message
from schemas.inspection import FindingsRetracted
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
    TreatmentAbandoned,
    TreatmentOrdered,
    TreatmentRetracted,
)
from schemas.vocabulary import GoodsClass, TreatmentDecision
from services.quarantine import decider
from tests import facts
from tests.facts import declaration_withdrawn
from tests.quarantine.records import BROMIDE, start_of
from tests.quarantine.test_corrected_findings import pest_again, retracted
from tests.quarantine.test_methods import decision, referred
from tests.quarantine.test_quarantine_desk import (
    TIMBER,
    bad,
    failed,
    good,
    ordered,
    pest,
    verified,
)
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, story

WHY = "read from the sheet of another chamber"


def correct(record: RecordTreatment, wrong: str) -> CorrectTreatment:
    """The record as it should have been."""
    told = {name: getattr(record, name) for name in RecordTreatment.model_fields}
    return CorrectTreatment(**told, wrong=wrong, reason=WHY)


def retract(wrong: str, origin: str = "risk", attempt: int = 1) -> RetractTreatment:
    return RetractTreatment(
        consignment_id=CONSIGNMENT,
        asked_by="unit-3",
        occurred_at=start_of(attempt) + timedelta(days=12),
        origin=origin,
        wrong=wrong,
        reason=WHY,
    )


def retract_decision(wrong: str) -> RetractTreatmentDecision:
    return RetractTreatmentDecision(
        consignment_id=CONSIGNMENT, asked_by="officer-8", occurred_at=NOON, origin="inspection", wrong=wrong, reason=WHY
    )


def taken_back(told: Story, wrong: str, revision: int, attempt: int = 1, origin: str = "risk") -> TreatmentRetracted:
    due = told.at + decider.TIME_LIMIT
    return facts.treatment_retracted(
        origin, 0, revision, attempt=attempt, wrong=wrong, because=WHY, due=due, at=told.at
    )


def test_a_verified_record_that_is_taken_back_leaves_the_attempt_to_be_recorded() -> None:
    told = story(decider, TIMBER, good()).when(retract("m2"))
    told.then(taken_back(told, "m2", 1))
    assert told.deadlines() == (Deadline("overdue/risk", told.at + decider.TIME_LIMIT),)
    told.when(good(), message_id="m2").then()
    told.when(retract("m2"), message_id="m3").then()
    early, sent = told.at, good().occurred_at
    assert sent < early, "another unit had sent the same record before the first was known to be wrong"
    before = told.state
    for moment in (sent, early):
        told.when(good(), recorded=moment).then_refused("opened_again")
        assert told.state == before
    told.when(good(), at=early, recorded=early + timedelta(seconds=1))
    told.then(verified(told).model_copy(update={"revision": 2}))


def test_a_correction_that_falls_short_orders_the_treatment_once_more() -> None:
    told = story(decider, TIMBER, good()).when(correct(bad(), "m2"))
    told.then(taken_back(told, "m2", 1), failed(told), ordered(told, attempt=2))
    told.when(good(attempt=2)).then(verified(told, attempt=2).model_copy(update={"revision": 2}))


def test_a_correction_that_meets_the_schedule_makes_the_next_attempt_needless() -> None:
    told = story(decider, TIMBER, bad()).when(correct(good(), "m2"))
    second = next(f for f in told.facts if isinstance(f, TreatmentOrdered) and f.attempt == 2)
    back = taken_back(told, "m2", 0).model_copy(update={"due": second.due})
    told.then(back, verified(told).model_copy(update={"revision": 1}))
    assert told.deadlines() == ()
    told.when(good(attempt=2)).then_refused("already_answered")


def test_a_failed_record_that_is_taken_back_does_not_count_as_an_attempt() -> None:
    told = story(decider, TIMBER, bad()).when(retract("m2"))
    assert [fact.kind for fact in told.said] == ["TreatmentRetracted"]
    for attempt in (2, 3):
        told.when(bad(attempt=attempt))
        assert [fact.kind for fact in told.said] == ["TreatmentFailed", "TreatmentOrdered"]
    told.when(bad(attempt=4))
    assert [fact.kind for fact in told.said] == ["TreatmentFailed", "TreatmentAbandoned"]
    assert isinstance(told.said[1], TreatmentAbandoned) and told.said[1].attempts == 3


def test_a_correction_of_an_earlier_attempt_may_be_corrected_itself() -> None:
    told = story(decider, TIMBER, bad()).when(correct(bad(), "m2"), message_id="c1")
    assert [fact.kind for fact in told.said] == ["TreatmentRetracted", "TreatmentFailed"]
    told.when(correct(good(), "c1"), message_id="c2")
    assert [fact.kind for fact in told.said] == ["TreatmentRetracted", "TreatmentVerified"]
    told.when(retract("c2"))
    assert [limit.name for limit in told.deadlines()] == ["overdue/risk"]
    told.when(bad(attempt=2)).when(bad(attempt=3))
    assert [fact.kind for fact in told.said] == ["TreatmentFailed", "TreatmentOrdered"]


def test_goods_given_up_for_a_wrong_record_are_taken_up_again() -> None:
    told = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3))
    told.when(pest()).then()
    told.when(retract("m4", attempt=3))
    told.then(taken_back(told, "m4", 1, attempt=3), ordered(told, "inspection", 1, pest().pest))
    told.when(good(attempt=3), at=told.at + timedelta(hours=1))
    told.then(verified(told, attempt=3).model_copy(update={"revision": 2}))


def test_goods_given_up_pass_by_the_corrected_record_or_are_given_up_again() -> None:
    told = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3)).when(correct(good(attempt=3), "m4"))
    assert [fact.kind for fact in told.said] == ["TreatmentRetracted", "TreatmentVerified"]
    told = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3)).when(correct(bad(attempt=3), "m4"))
    assert [fact.kind for fact in told.said] == ["TreatmentRetracted", "TreatmentFailed", "TreatmentAbandoned"]
    assert told.said[2].model_dump()["revision"] == 2


def test_only_the_record_that_was_judged_last_is_corrected() -> None:
    told = story(decider, TIMBER, bad(), bad(attempt=2))
    told.when(retract("m2")).then_refused("not_the_latest")
    told.when(correct(good(), "m2")).then_refused("not_the_latest")
    told.when(correct(good(attempt=1), "m3")).then_refused("wrong_attempt")
    story(decider, TIMBER).when(retract("m1")).then_refused("not_the_latest")
    story(decider, TIMBER).when(retract("m1", "sampling")).then_refused("not_ordered")
    story(decider, TIMBER, good(), declaration_withdrawn()).when(retract("m2")).then_refused("consignment_closed")
    gone = story(decider, TIMBER, pest(), good("inspection"), retracted())
    gone.when(retract("m3", "inspection")).then_refused("not_ordered")


def test_a_corrected_record_must_be_a_record_itself() -> None:
    told = story(decider, TIMBER, good())
    before = told.state
    told.when(correct(good().model_copy(update={"started_at": None}), "m2")).then_refused("start_missing")
    assert told.state == before


def test_a_record_that_was_judged_by_an_earlier_release_can_be_taken_back() -> None:
    told = story(decider, TIMBER, good())
    need = replace(told.state.needs[0], judged=None, said=0)
    told.state = replace(told.state, needs=(need,))
    told.when(retract("m2")).then(taken_back(told, "m2", 1))


@pytest.mark.parametrize("what", [TreatmentDecision.CLEAR, TreatmentDecision.REFUSE])
def test_a_decision_that_is_taken_back_is_asked_for_again(what: TreatmentDecision) -> None:
    told = referred().when(decision(what), message_id="d1").when(retract_decision("d1"))
    told.then(
        facts.treatment_decision_retracted(
            "inspection", 1, wrong="d1", because=WHY, due=told.at + decider.TIME_LIMIT, at=told.at
        )
    )
    assert [limit.name for limit in told.deadlines()] == ["overdue/inspection"]
    told.when(decision(what), message_id="d1").then()
    before = told.state
    for late in (decision(what), decision(what, revision=1), decision(what, revision=2, finding=1)):
        told.when(late).then_refused("opened_again")
        assert told.state == before, "it answers another question"
    told.when(decision(TreatmentDecision.CLEAR, revision=2))
    assert [(f.kind, f.model_dump()["revision"]) for f in told.said] == [("TreatmentWaived", 2)]


def test_an_order_by_a_wrong_decision_falls_away_until_a_record_of_it_was_judged() -> None:
    treat = decision(TreatmentDecision.TREAT, goods=GoodsClass.WOOD, methods=(BROMIDE,))
    told = referred().when(treat, message_id="d1").when(retract_decision("d1"))
    assert [fact.kind for fact in told.said] == ["TreatmentDecisionRetracted"]
    told.when(treat, message_id="late").then_refused("opened_again")
    told.when(treat.model_copy(update={"revision": 1}), message_id="d2")
    assert [(f.kind, f.model_dump()["attempt"]) for f in told.said] == [("TreatmentOrdered", 2)]
    told.when(bad("inspection", 2, BROMIDE))
    told.when(retract_decision("d2")).then_refused("not_the_latest")


def test_a_decision_about_a_pest_that_was_a_wrong_finding_does_not_answer_for_the_one_that_is_met() -> None:
    told = referred().when(retracted(1)).when(pest_again(2).model_copy(update={"goods": (GoodsClass.LIVE,)}))
    assert [fact.kind for fact in told.said] == ["TreatmentReferred"]
    clear = decision(TreatmentDecision.CLEAR)
    told.when(clear).then_refused("opened_again")
    told.when(clear.model_copy(update={"finding": 2}))
    assert [fact.kind for fact in told.said] == ["TreatmentWaived"]


def test_a_decision_of_the_release_before_is_read_as_one_about_a_first_question() -> None:
    stored = decision(TreatmentDecision.CLEAR).model_dump_json().encode()
    before = stored.replace(b',"finding":0,"revision":0', b"")
    assert before != stored
    told = referred().when(DecideTreatment.read_stored(before))
    assert [fact.kind for fact in told.said] == ["TreatmentWaived"]


def test_a_decision_must_be_named_as_it_stands() -> None:
    referred().when(retract_decision("d1")).then_refused("not_the_latest")
    story(decider).when(retract_decision("d1")).then_refused("not_referred")


_ORIGIN = st.sampled_from(["risk", "inspection"])
_WRONG = st.integers(0, 13).map("once-{}".format)
_HEARD: st.SearchStrategy[Message] = st.one_of(
    st.just(TIMBER),
    st.integers(0, 3).map(pest_again),
    st.builds(retracted, st.integers(1, 4)),
    st.builds(bad, _ORIGIN, st.integers(1, 4)),
    st.builds(good, _ORIGIN, st.integers(1, 4)),
    st.builds(lambda record, wrong: correct(record, wrong), st.builds(good, _ORIGIN, st.integers(1, 4)), _WRONG),
    st.builds(lambda record, wrong: correct(record, wrong), st.builds(bad, _ORIGIN, st.integers(1, 4)), _WRONG),
    st.builds(retract, _WRONG, _ORIGIN),
    st.builds(decision, st.sampled_from(list(TreatmentDecision)), revision=st.integers(0, 3)),
    _WRONG.map(retract_decision),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=300, deadline=None)
@given(heard=st.lists(_HEARD, max_size=14))
def test_corrections_heard_twice_add_nothing_and_revisions_count_up(heard: list[Message]) -> None:
    keeps_its_promises(decider, heard)
    told = Story(decider, decider.INITIAL)
    for number, message in enumerate(heard):
        told.when(message, message_id=f"once-{number}")
    orders = [(fact.origin, fact.attempt) for fact in told.facts if isinstance(fact, TreatmentOrdered)]
    assert len(set(orders)) == len(orders)
    chains: dict[tuple[str, int], list[int]] = {}
    for fact in told.facts:
        body = fact.model_dump()
        if "revision" in body and not isinstance(fact, FindingsRetracted):
            chains.setdefault((body["origin"], body["finding"]), []).append(body["revision"])
    assert all(revisions == list(range(len(revisions))) for revisions in chains.values()), chains
