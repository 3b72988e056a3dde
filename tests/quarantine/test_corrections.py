"""Can a wrong treatment record and a wrong decision of an officer be corrected or retracted?"""

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
    """The request to replace a record by `record`. `wrong`: the id of the message with the replaced record."""
    desk = {name: getattr(record, name) for name in RecordTreatment.model_fields}
    return CorrectTreatment(**desk, wrong=wrong, reason=WHY)


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


def taken_back(desk: Story, wrong: str, revision: int, attempt: int = 1, origin: str = "risk") -> TreatmentRetracted:
    due = desk.at + decider.TIME_LIMIT
    return facts.treatment_retracted(
        origin, 0, revision, attempt=attempt, wrong=wrong, because=WHY, due=due, at=desk.at
    )


def test_a_verified_record_that_is_taken_back_leaves_the_attempt_to_be_recorded() -> None:
    desk = story(decider, TIMBER, good()).when(retract("m2"))
    desk.then(taken_back(desk, "m2", 1))
    assert desk.deadlines() == (Deadline("overdue/risk", desk.at + decider.TIME_LIMIT),)
    desk.when(good(), message_id="m2").then()
    desk.when(retract("m2"), message_id="m3").then()
    early, sent = desk.at, good().occurred_at
    assert sent < early, "another unit had sent the same record before the first was known to be wrong"
    before = desk.state
    for moment in (sent, early):
        desk.when(good(), recorded=moment).then_refused("opened_again")
        assert desk.state == before
    desk.when(good(), at=early, recorded=early + timedelta(seconds=1))
    desk.then(verified(desk).model_copy(update={"revision": 2}))


def test_a_correction_that_falls_short_orders_the_treatment_once_more() -> None:
    desk = story(decider, TIMBER, good()).when(correct(bad(), "m2"))
    desk.then(taken_back(desk, "m2", 1), failed(desk), ordered(desk, attempt=2))
    desk.when(good(attempt=2)).then(verified(desk, attempt=2).model_copy(update={"revision": 2}))


def test_a_correction_that_meets_the_schedule_makes_the_next_attempt_needless() -> None:
    desk = story(decider, TIMBER, bad()).when(correct(good(), "m2"))
    second = next(f for f in desk.facts if isinstance(f, TreatmentOrdered) and f.attempt == 2)
    back = taken_back(desk, "m2", 0).model_copy(update={"due": second.due})
    desk.then(back, verified(desk).model_copy(update={"revision": 1}))
    assert desk.deadlines() == ()
    desk.when(good(attempt=2)).then_refused("already_answered")


def test_a_failed_record_that_is_taken_back_does_not_count_as_an_attempt() -> None:
    desk = story(decider, TIMBER, bad()).when(retract("m2"))
    assert [fact.kind for fact in desk.answer] == ["TreatmentRetracted"]
    for attempt in (2, 3):
        desk.when(bad(attempt=attempt))
        assert [fact.kind for fact in desk.answer] == ["TreatmentFailed", "TreatmentOrdered"]
    desk.when(bad(attempt=4))
    assert [fact.kind for fact in desk.answer] == ["TreatmentFailed", "TreatmentAbandoned"]
    assert isinstance(desk.answer[1], TreatmentAbandoned) and desk.answer[1].attempts == 3


def test_a_correction_of_an_earlier_attempt_may_be_corrected_itself() -> None:
    desk = story(decider, TIMBER, bad()).when(correct(bad(), "m2"), message_id="c1")
    assert [fact.kind for fact in desk.answer] == ["TreatmentRetracted", "TreatmentFailed"]
    desk.when(correct(good(), "c1"), message_id="c2")
    assert [fact.kind for fact in desk.answer] == ["TreatmentRetracted", "TreatmentVerified"]
    desk.when(retract("c2"))
    assert [limit.name for limit in desk.deadlines()] == ["overdue/risk"]
    desk.when(bad(attempt=2)).when(bad(attempt=3))
    assert [fact.kind for fact in desk.answer] == ["TreatmentFailed", "TreatmentOrdered"]


def test_goods_given_up_for_a_wrong_record_are_taken_up_again() -> None:
    desk = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3))
    desk.when(pest()).then()
    desk.when(retract("m4", attempt=3))
    desk.then(taken_back(desk, "m4", 1, attempt=3), ordered(desk, "inspection", 1, pest().pest))
    desk.when(good(attempt=3), at=desk.at + timedelta(hours=1))
    desk.then(verified(desk, attempt=3).model_copy(update={"revision": 2}))


def test_goods_given_up_pass_by_the_corrected_record_or_are_given_up_again() -> None:
    desk = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3)).when(correct(good(attempt=3), "m4"))
    assert [fact.kind for fact in desk.answer] == ["TreatmentRetracted", "TreatmentVerified"]
    desk = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3)).when(correct(bad(attempt=3), "m4"))
    assert [fact.kind for fact in desk.answer] == ["TreatmentRetracted", "TreatmentFailed", "TreatmentAbandoned"]
    assert desk.answer[2].model_dump()["revision"] == 2


def test_only_the_record_that_was_judged_last_is_corrected() -> None:
    desk = story(decider, TIMBER, bad(), bad(attempt=2))
    desk.when(retract("m2")).then_refused("not_the_latest")
    desk.when(correct(good(), "m2")).then_refused("not_the_latest")
    desk.when(correct(good(attempt=1), "m3")).then_refused("wrong_attempt")
    story(decider, TIMBER).when(retract("m1")).then_refused("not_the_latest")
    story(decider, TIMBER).when(retract("m1", "sampling")).then_refused("not_ordered")
    story(decider, TIMBER, good(), declaration_withdrawn()).when(retract("m2")).then_refused("consignment_closed")
    gone = story(decider, TIMBER, pest(), good("inspection"), retracted())
    gone.when(retract("m3", "inspection")).then_refused("not_ordered")


def test_a_corrected_record_must_be_a_record_itself() -> None:
    desk = story(decider, TIMBER, good())
    before = desk.state
    desk.when(correct(good().model_copy(update={"started_at": None}), "m2")).then_refused("start_missing")
    assert desk.state == before


def test_a_record_that_was_judged_by_an_earlier_release_can_be_taken_back() -> None:
    desk = story(decider, TIMBER, good())
    need = replace(desk.state.needs[0], judged=None, said=0)
    desk.state = replace(desk.state, needs=(need,))
    desk.when(retract("m2")).then(taken_back(desk, "m2", 1))


@pytest.mark.parametrize("what", [TreatmentDecision.CLEAR, TreatmentDecision.REFUSE])
def test_a_decision_that_is_taken_back_is_asked_for_again(what: TreatmentDecision) -> None:
    desk = referred().when(decision(what), message_id="d1").when(retract_decision("d1"))
    desk.then(
        facts.treatment_decision_retracted(
            "inspection", 1, wrong="d1", because=WHY, due=desk.at + decider.TIME_LIMIT, at=desk.at
        )
    )
    assert [limit.name for limit in desk.deadlines()] == ["overdue/inspection"]
    desk.when(decision(what), message_id="d1").then()
    before = desk.state
    for late in (decision(what), decision(what, revision=1), decision(what, revision=2, finding=1)):
        desk.when(late).then_refused("opened_again")
        assert desk.state == before, "it answers another question"
    desk.when(decision(TreatmentDecision.CLEAR, revision=2))
    assert [(f.kind, f.model_dump()["revision"]) for f in desk.answer] == [("TreatmentWaived", 2)]


def test_an_order_by_a_wrong_decision_falls_away_until_a_record_of_it_was_judged() -> None:
    treat = decision(TreatmentDecision.TREAT, goods=GoodsClass.WOOD, methods=(BROMIDE,))
    desk = referred().when(treat, message_id="d1").when(retract_decision("d1"))
    assert [fact.kind for fact in desk.answer] == ["TreatmentDecisionRetracted"]
    desk.when(treat, message_id="late").then_refused("opened_again")
    desk.when(treat.model_copy(update={"revision": 1}), message_id="d2")
    assert [(f.kind, f.model_dump()["attempt"]) for f in desk.answer] == [("TreatmentOrdered", 2)]
    desk.when(bad("inspection", 2, BROMIDE))
    desk.when(retract_decision("d2")).then_refused("not_the_latest")


def test_a_decision_about_a_pest_that_was_a_wrong_finding_does_not_answer_for_the_one_that_is_met() -> None:
    desk = referred().when(retracted(1)).when(pest_again(2).model_copy(update={"goods": (GoodsClass.LIVE,)}))
    assert [fact.kind for fact in desk.answer] == ["TreatmentReferred"]
    clear = decision(TreatmentDecision.CLEAR)
    desk.when(clear).then_refused("opened_again")
    desk.when(clear.model_copy(update={"finding": 2}))
    assert [fact.kind for fact in desk.answer] == ["TreatmentWaived"]


def test_a_decision_of_the_software_version_before_is_read_as_one_about_a_first_question() -> None:
    stored = decision(TreatmentDecision.CLEAR).model_dump_json().encode()
    before = stored.replace(b',"finding":0,"revision":0', b"")
    assert before != stored
    desk = referred().when(DecideTreatment.read_stored(before))
    assert [fact.kind for fact in desk.answer] == ["TreatmentWaived"]


def test_a_decision_must_be_named_as_it_stands() -> None:
    referred().when(retract_decision("d1")).then_refused("not_the_latest")
    story(decider).when(retract_decision("d1")).then_refused("not_referred")


_ORIGIN = st.sampled_from(["risk", "inspection"])
_WRONG = st.integers(0, 13).map("once-{}".format)
_MESSAGES: st.SearchStrategy[Message] = st.one_of(
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
@given(messages=st.lists(_MESSAGES, max_size=14))
def test_corrections_heard_twice_add_nothing_and_revisions_count_up(messages: list[Message]) -> None:
    keeps_its_promises(decider, messages)
    desk = Story(decider, decider.INITIAL)
    for number, message in enumerate(messages):
        desk.when(message, message_id=f"once-{number}")
    orders = [(fact.origin, fact.attempt) for fact in desk.facts if isinstance(fact, TreatmentOrdered)]
    assert len(set(orders)) == len(orders)
    chains: dict[tuple[str, int], list[int]] = {}
    for fact in desk.facts:
        body = fact.model_dump()
        if "revision" in body and not isinstance(fact, FindingsRetracted):
            chains.setdefault((body["origin"], body["finding"]), []).append(body["revision"])
    assert all(revisions == list(range(len(revisions))) for revisions in chains.values()), chains
