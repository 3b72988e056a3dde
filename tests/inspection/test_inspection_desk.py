"""Does the inspection desk order the controls that the risk desk requires, and accept one answer for each?"""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Deadline, DeadlinePassed, Message, RequestRefused
from schemas.inspection import (
    FindingsResult,
    InspectionCancelled,
    InspectionFailed,
    InspectionOrdered,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
)
from schemas.phrases import Phrase, phrase
from schemas.release import DeclarationWithdrawn
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, GoodsClass
from services.inspection import decider
from tests import facts
from tests.facts import consignment_assessed, declaration_withdrawn
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, story

DOCUMENTS, INSPECTION = ControlKind.DOCUMENTS, ControlKind.INSPECTION
SAMPLING, QUARANTINE = ControlKind.SAMPLING, ControlKind.QUARANTINE
CONFORM, NOT_CONFORM, PEST = FindingsResult.CONFORM, FindingsResult.NOT_CONFORM, FindingsResult.PEST
BEETLE = "Bursaphelenchus xylophilus"
LIMITS = {DOCUMENTS: timedelta(hours=24), INSPECTION: timedelta(hours=48), SAMPLING: timedelta(days=7)}


def found(
    control: ControlKind,
    result: FindingsResult = CONFORM,
    *,
    pest: str = "",
    remarks: str = "",
    by: str = "officer-7",
    revision: int = 0,
) -> RecordFindings:
    return RecordFindings(
        consignment_id=CONSIGNMENT,
        asked_by=by,
        occurred_at=NOON,
        control=control,
        result=result,
        pest=pest,
        remarks=remarks,
        revision=revision,
    )


def ordered(control: ControlKind, desk: Story) -> InspectionOrdered:
    return facts.inspection_ordered(control, desk.at + LIMITS[control], desk.at)


def passed(control: ControlKind, desk: Story, remarks: str = "") -> InspectionPassed:
    return facts.inspection_passed(control, remarks=remarks, at=desk.at)


def refused(desk: Story, code: str, reason: str, why: Phrase, kind: str = "RecordFindings") -> RequestRefused:
    fact = facts.request_refused(f"m{desk.count}", kind, code, why, at=desk.at)
    assert fact.reason == reason
    return fact


def overdue(desk: Story, control: ControlKind, since: timedelta = timedelta(minutes=1)) -> DeadlinePassed:
    return DeadlinePassed(subject=CONSIGNMENT, name=f"overdue/{control.value}", due=NOON + since + LIMITS[control])


def test_each_control_is_ordered_with_its_own_time_limit_and_quarantine_is_left_to_its_desk() -> None:
    desk = story(decider).when(consignment_assessed(DOCUMENTS, INSPECTION, SAMPLING, QUARANTINE))
    desk.then(ordered(DOCUMENTS, desk), ordered(INSPECTION, desk), ordered(SAMPLING, desk))
    assert [limit.name for limit in desk.deadlines()] == [
        "overdue/documents",
        "overdue/inspection",
        "overdue/sampling",
    ]
    assert not decider.closed(desk.state)


@pytest.mark.parametrize("controls", [(), (QUARANTINE,)])
def test_goods_without_a_control_for_officers_leave_no_trace(controls: tuple[ControlKind, ...]) -> None:
    desk = story(decider).when(consignment_assessed(*controls)).then()
    assert desk.state is decider.INITIAL


def test_an_assessment_heard_again_orders_nothing_more() -> None:
    desk = story(decider, consignment_assessed(INSPECTION))
    before = desk.state
    desk.when(consignment_assessed(INSPECTION)).then()
    assert desk.state is before


def test_goods_in_order_pass_and_the_consignment_is_closed() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(found(INSPECTION, remarks="seal intact"))
    desk.then(passed(INSPECTION, desk, "seal intact"))
    assert decider.closed(desk.state) and desk.deadlines() == ()


def test_goods_not_in_order_fail_with_the_officers_words() -> None:
    desk = story(decider, consignment_assessed(SAMPLING)).when(found(SAMPLING, NOT_CONFORM, remarks="salmonella"))
    desk.then(facts.inspection_failed(SAMPLING, 0, *(phrase("words", words="salmonella"),), at=desk.at))


@pytest.mark.parametrize(
    ("remarks", "reason"),
    [
        ("  ", "sampling: not in order, no remarks"),
        ("x" * 900, "x" * 499 + "…"),
        ("x" * 498 + "\r\nmore", "x" * 498 + " …"),
        ("a\r\nb", "a\r\nb"),
    ],
)
def test_a_failure_always_carries_a_reason_that_fits(remarks: str, reason: str) -> None:
    desk = story(decider, consignment_assessed(SAMPLING)).when(found(SAMPLING, NOT_CONFORM, remarks=remarks))
    assert [fact.reason for fact in desk.answer if isinstance(fact, InspectionFailed)] == [reason]


def test_a_living_pest_is_intercepted_under_its_name() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(found(INSPECTION, PEST, pest=f" {BEETLE} "))
    desk.then(facts.pest_intercepted(INSPECTION, pest=BEETLE, at=desk.at))
    assert decider.closed(desk.state)


def test_a_pest_without_a_name_is_sent_back_and_the_order_stays_open() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(found(INSPECTION, PEST, pest=" "))
    desk.then(refused(desk, "pest_missing", "the result is pest, yet no pest is named", phrase("pest_without_name")))
    desk.when(found(INSPECTION)).then(passed(INSPECTION, desk))


def test_goods_in_order_with_a_pest_named_are_not_let_through() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(found(INSPECTION, CONFORM, pest=BEETLE))
    desk.then(
        refused(desk, "pest_contradicts", "the result is conform, yet a pest is named", phrase("conform_with_pest"))
    )
    assert not decider.closed(desk.state)


def test_findings_about_a_control_that_nobody_ordered_are_refused() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS)).when(found(INSPECTION))
    desk.then(
        refused(desk, "not_ordered", "inspection is not ordered", phrase("control_not_ordered", control=INSPECTION))
    )


def test_findings_before_the_order_are_refused_and_may_come_again_after_it() -> None:
    desk = story(decider).when(found(INSPECTION))
    desk.then(
        refused(desk, "not_ordered", "inspection is not ordered", phrase("control_not_ordered", control=INSPECTION))
    )
    assert desk.state is decider.INITIAL
    desk.when(consignment_assessed(INSPECTION)).when(found(INSPECTION)).then(passed(INSPECTION, desk))


def test_a_pest_is_reported_with_what_the_goods_are() -> None:
    goods = (GoodsClass.WOOD, GoodsClass.FRUIT)
    desk = story(decider, consignment_assessed(INSPECTION, SAMPLING).model_copy(update={"goods": goods}))
    desk.when(found(SAMPLING))
    desk.when(found(INSPECTION, PEST, pest=BEETLE))
    assert [fact.goods for fact in desk.answer if isinstance(fact, PestIntercepted)] == [goods]


def test_orders_of_an_earlier_release_do_not_say_what_the_goods_are() -> None:
    desk = story(decider, consignment_assessed(INSPECTION))
    stored = decider.STATE.dump_json(desk.state).replace(b',"goods":[]', b"")
    desk.state = decider.STATE.validate_json(stored)
    desk.when(found(INSPECTION, PEST, pest=BEETLE))
    assert [fact.goods for fact in desk.answer if isinstance(fact, PestIntercepted)] == [()]


def test_an_officer_cannot_answer_for_the_treatment_unit() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, QUARANTINE)).when(found(QUARANTINE))
    desk.then(
        refused(
            desk,
            "wrong_control",
            "quarantine is answered by a treatment record, not by findings",
            phrase("by_treatment_record", control=ControlKind.QUARANTINE),
        )
    )


def test_the_first_answer_stands_and_a_second_one_is_refused() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, SAMPLING), found(INSPECTION))
    desk.when(found(INSPECTION, NOT_CONFORM, by="officer-8"))
    desk.then(
        refused(
            desk,
            "already_answered",
            "inspection was answered by an earlier request",
            phrase("answered_before", control=INSPECTION),
        )
    )


def test_the_same_request_delivered_again_says_nothing() -> None:
    desk = story(decider, consignment_assessed(INSPECTION)).when(found(INSPECTION), message_id="r1")
    before = desk.state
    desk.when(found(INSPECTION), message_id="r1").then()
    assert desk.state is before


def test_a_withdrawal_cancels_what_nobody_answered_yet() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION, SAMPLING), found(INSPECTION)).when(
        declaration_withdrawn()
    )
    desk.then(
        facts.inspection_cancelled(DOCUMENTS, desk.at),
        facts.inspection_cancelled(SAMPLING, desk.at),
    )
    assert decider.closed(desk.state) and desk.deadlines() == ()
    desk.when(found(DOCUMENTS)).then(
        refused(desk, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn"))
    )
    desk.when(found(INSPECTION), message_id="m2").then()


def test_goods_withdrawn_before_their_assessment_was_heard_are_never_inspected() -> None:
    desk = story(decider, declaration_withdrawn()).when(consignment_assessed(INSPECTION)).then()
    assert decider.closed(desk.state)


def test_a_withdrawal_after_the_last_answer_cancels_nothing() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    desk.when(declaration_withdrawn()).then()
    assert decider.closed(desk.state)
    desk.when(found(INSPECTION), message_id="m2").then()


def test_a_late_officer_is_reminded_once_and_may_still_answer() -> None:
    desk = story(decider, consignment_assessed(INSPECTION))
    (limit,) = desk.deadlines()
    assert limit == Deadline("overdue/inspection", NOON + timedelta(minutes=1, hours=48))
    desk.when(overdue(desk, INSPECTION), at=limit.due)
    desk.then(facts.inspection_overdue(INSPECTION, NOON + timedelta(minutes=1), limit.due))
    assert desk.deadlines() == () and not decider.closed(desk.state)
    desk.when(overdue(desk, INSPECTION)).then()
    desk.when(found(INSPECTION)).then(passed(INSPECTION, desk))


def test_a_limit_of_an_answered_order_or_another_hour_reminds_nobody() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), found(DOCUMENTS))
    desk.when(overdue(desk, DOCUMENTS)).then()
    desk.when(overdue(desk, INSPECTION, since=timedelta(minutes=2))).then()
    desk.when(declaration_withdrawn()).when(overdue(desk, INSPECTION)).then()


_CONTROLS = st.lists(st.sampled_from(list(ControlKind)), unique=True, max_size=4).map(tuple)
_FINDINGS = st.builds(
    lambda control, result, pest: found(control, result, pest=pest),
    st.sampled_from(list(ControlKind)),
    st.sampled_from(list(FindingsResult)),
    st.sampled_from(["", BEETLE]),
)
_MESSAGES: st.SearchStrategy[Message] = st.one_of(
    _CONTROLS.map(lambda controls: consignment_assessed(*controls)),
    _FINDINGS,
    _FINDINGS,
    st.just(declaration_withdrawn()),
    st.sampled_from([DOCUMENTS, INSPECTION, SAMPLING]).map(lambda c: overdue(Story(decider, decider.INITIAL), c)),
)


@settings(max_examples=120, deadline=None)
@given(messages=st.lists(_MESSAGES, max_size=9))
def test_hearing_anything_twice_adds_nothing_new(messages: list[Message]) -> None:
    keeps_its_promises(decider, messages)


@settings(max_examples=120, deadline=None)
@given(controls=_CONTROLS, findings=st.lists(_FINDINGS, max_size=6), shuffle=st.randoms(use_true_random=False))
def test_in_any_order_each_control_gets_at_most_one_order_and_one_end(
    controls: tuple[ControlKind, ...], findings: list[RecordFindings], shuffle: Random
) -> None:
    messages: list[Message] = [
        consignment_assessed(*controls),
        *findings,
        declaration_withdrawn(),
        consignment_assessed(*controls),
    ]
    shuffle.shuffle(messages)
    desk = story(decider, *messages)
    orders = [fact.control for fact in desk.facts if isinstance(fact, InspectionOrdered)]
    ends = [
        fact.control
        for fact in desk.facts
        if isinstance(fact, InspectionPassed | InspectionFailed | PestIntercepted | InspectionCancelled)
    ]
    assert len(set(orders)) == len(orders)
    assert sorted(ends) == sorted(orders)
    first = next(m for m in messages if isinstance(m, ConsignmentAssessed | DeclarationWithdrawn))
    assert set(orders) == (set() if isinstance(first, DeclarationWithdrawn) else set(controls) - {QUARANTINE})
    assert decider.closed(desk.state)
