"""Can wrong findings be retracted or replaced? If papers are not in order, can the declarant put them right, so that
the goods are not refused?"""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Deadline, DeadlinePassed, Message, RequestRefused
from schemas.inspection import (
    CorrectFindings,
    FindingsResult,
    FindingsRetracted,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
    RectificationRequested,
    RetractFindings,
)
from schemas.phrases import Phrase, phrase, quoted
from schemas.vocabulary import ControlKind
from services.inspection import decider
from tests import facts
from tests.facts import consignment_assessed, declaration_withdrawn
from tests.inspection.test_inspection_desk import (
    BEETLE,
    CONFORM,
    DOCUMENTS,
    INSPECTION,
    LIMITS,
    NOT_CONFORM,
    PEST,
    SAMPLING,
    found,
    refused,
)
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, story

REFUSE = FindingsResult.REFUSE
WHY = "the findings of another consignment were recorded here"


def correct(control: ControlKind, wrong: str, result: FindingsResult = CONFORM, *, pest: str = "") -> CorrectFindings:
    return CorrectFindings(
        consignment_id=CONSIGNMENT,
        asked_by="officer-8",
        occurred_at=NOON,
        control=control,
        wrong=wrong,
        reason=WHY,
        result=result,
        pest=pest,
    )


def retract(control: ControlKind, wrong: str) -> RetractFindings:
    return RetractFindings(
        consignment_id=CONSIGNMENT, asked_by="officer-8", occurred_at=NOON, control=control, wrong=wrong, reason=WHY
    )


def retracted(desk: Story, control: ControlKind, wrong: str, revision: int) -> FindingsRetracted:
    due = desk.at + LIMITS[control]
    return facts.findings_retracted(control, revision, wrong=wrong, because=WHY, due=due, at=desk.at)


def passed(desk: Story, control: ControlKind, revision: int, by: str = "officer-8") -> InspectionPassed:
    return facts.inspection_passed(control, revision, officer=by, at=desk.at)


UNSAID = phrase("no_remarks", control=DOCUMENTS)


def rectification(desk: Story, revision: int = 0, why: Phrase = UNSAID) -> RectificationRequested:
    due = desk.at + decider.RECTIFICATION_LIMIT
    return facts.rectification_requested(revision, why, due=due, at=desk.at)


def sent_back(desk: Story, request: Message, code: str, reason: str, why: Phrase) -> RequestRefused:
    return refused(desk, code, reason, why, request.kind)


def test_findings_that_are_taken_back_open_the_control_again_with_a_new_time_limit() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION, NOT_CONFORM))
    assert decider.closed(desk.state)
    desk.when(retract(INSPECTION, "m2")).then(retracted(desk, INSPECTION, "m2", 1))
    assert not decider.closed(desk.state)
    assert desk.deadlines() == (Deadline("overdue/inspection", desk.at + LIMITS[INSPECTION]),)
    desk.when(found(INSPECTION, revision=2)).then(passed(desk, INSPECTION, 2, by="officer-7"))
    assert decider.closed(desk.state)


def test_a_correction_takes_the_wrong_answer_back_and_gives_the_right_one() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION, NOT_CONFORM))
    desk.when(correct(INSPECTION, "m2"))
    desk.then(retracted(desk, INSPECTION, "m2", 1), passed(desk, INSPECTION, 2))
    assert decider.closed(desk.state)


def test_a_correction_may_be_wrong_itself_and_be_corrected_by_its_own_name() -> None:
    desk = story(
        decider, consignment_assessed(INSPECTION), found(INSPECTION), correct(INSPECTION, "m2", PEST, pest=BEETLE)
    )
    assert isinstance(desk.facts[-1], PestIntercepted) and desk.facts[-1].revision == 2
    desk.when(correct(INSPECTION, "m3"))
    desk.then(retracted(desk, INSPECTION, "m3", 3), passed(desk, INSPECTION, 4))


def test_a_correction_must_name_the_answer_that_stands() -> None:
    desk = story(decider, consignment_assessed(INSPECTION, SAMPLING), found(INSPECTION), correct(INSPECTION, "m2"))
    reason = "the answer of inspection was given by request m3"
    for wrong in (retract(INSPECTION, "m2"), correct(INSPECTION, "m2", NOT_CONFORM)):
        desk.when(wrong).then(
            sent_back(desk, wrong, "not_the_latest", reason, phrase("answered_by", control=INSPECTION, request="m3"))
        )
    early = retract(SAMPLING, "m2")
    desk.when(early).then(
        sent_back(desk, early, "not_the_latest", "sampling is not answered", phrase("not_answered", control=SAMPLING))
    )


def test_a_correction_that_contradicts_itself_leaves_the_answer_as_it_is() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    before, wrong = desk.state, correct(INSPECTION, "m2", PEST)
    desk.when(wrong).then(
        sent_back(desk, wrong, "pest_missing", "the result is pest, yet no pest is named", phrase("pest_without_name"))
    )
    assert desk.state == before


def test_a_correction_of_what_was_never_ordered_or_was_withdrawn_is_refused() -> None:
    desk = story(decider)
    wrong = retract(INSPECTION, "m0")
    desk.when(wrong).then(
        sent_back(
            desk, wrong, "not_ordered", "inspection is not ordered", phrase("control_not_ordered", control=INSPECTION)
        )
    )
    desk = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), found(INSPECTION), declaration_withdrawn())
    desk.when(wrong).then(
        sent_back(desk, wrong, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn"))
    )
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), declaration_withdrawn())
    wrong = retract(INSPECTION, "m2")
    desk.when(wrong).then(
        sent_back(desk, wrong, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn"))
    )


def test_findings_that_were_taken_back_answer_nothing_when_they_are_delivered_again() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), retract(INSPECTION, "m2"))
    desk.when(found(INSPECTION), message_id="m2").then()
    desk.when(retract(INSPECTION, "m2"), message_id="m3").then()


@pytest.mark.parametrize("opened_by", [retract(INSPECTION, "m2"), correct(INSPECTION, "m2", NOT_CONFORM)])
@pytest.mark.parametrize("revision", [0, 1, 3, 4])
def test_findings_about_the_control_as_it_was_before_do_not_answer_the_one_that_was_opened_again(
    opened_by: RetractFindings | CorrectFindings, revision: int
) -> None:
    """A second officer sent the findings `late` before the first answer was retracted, and the desk reads them after
    the retraction. It accepts them only if they have the revision that it now expects."""
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), opened_by)
    if isinstance(opened_by, CorrectFindings):
        desk.when(retract(INSPECTION, "m3"))
    late = found(INSPECTION, by="officer-9", revision=revision)
    before, now = desk.state, 4 if isinstance(opened_by, CorrectFindings) else 2
    if revision == now:
        assert desk.when(late).answer[0].kind == "InspectionPassed"
        return
    reason = f"these findings are answer {revision} of inspection; answer {now} is asked for"
    why = phrase("answer_of_another", revision=revision, control=INSPECTION, next=now)
    desk.when(late).then(sent_back(desk, late, "opened_again", reason, why))
    assert desk.state == before


def test_findings_that_were_sent_before_the_papers_were_found_wrong_do_not_answer_the_rectification() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM))
    late = found(DOCUMENTS, by="officer-9")
    reason = "these findings are answer 0 of documents; answer 1 is asked for"
    why = phrase("answer_of_another", revision=0, control=DOCUMENTS, next=1)
    desk.when(late).then(sent_back(desk, late, "opened_again", reason, why))
    assert desk.when(found(DOCUMENTS, revision=1)).answer[0].kind == "InspectionPassed"


def test_findings_of_the_software_version_before_are_read_as_a_first_answer() -> None:
    stored = found(INSPECTION).model_dump_json().encode()
    before = stored.replace(b',"revision":0', b"")
    assert before != stored
    read = RecordFindings.read_stored(before)
    desk = story(decider, consignment_assessed(INSPECTION)).when(read)
    desk.then(passed(desk, INSPECTION, 0, by="officer-7"))
    reopened = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), retract(INSPECTION, "m2")).when(read)
    reopened.then_refused("opened_again")


def test_an_answer_of_an_earlier_release_can_be_corrected() -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    stored = decider.STATE.dump_json(desk.state)
    for field in (b',"revision":0', b',"past":[]'):
        assert field in stored
        stored = stored.replace(field, b"")
    desk.state = decider.STATE.validate_json(stored)
    desk.when(retract(INSPECTION, "m2")).then(retracted(desk, INSPECTION, "m2", 1))


def test_papers_not_in_order_are_to_be_put_right_and_the_officer_looks_again() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS)).when(
        found(DOCUMENTS, NOT_CONFORM, remarks="the invoice is missing")
    )
    desk.then(rectification(desk, why=quoted("the invoice is missing")))
    assert not decider.closed(desk.state)
    assert desk.deadlines() == (Deadline("rectification/documents", desk.at + decider.RECTIFICATION_LIMIT),)
    desk.when(found(DOCUMENTS, NOT_CONFORM, revision=1)).then(rectification(desk, 1))
    desk.when(found(DOCUMENTS, revision=2)).then(passed(desk, DOCUMENTS, 2, by="officer-7"))
    assert decider.closed(desk.state) and desk.deadlines() == ()


def test_the_papers_end_the_goods_only_where_the_officer_says_so() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM)).when(
        found(DOCUMENTS, REFUSE, revision=1)
    )
    desk.then(facts.inspection_failed(DOCUMENTS, 1, UNSAID, at=desk.at))
    assert decider.closed(desk.state)


def test_papers_that_are_not_put_right_in_time_are_called_overdue_once_and_may_still_be() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM))
    since = desk.at
    (limit,) = desk.deadlines()
    passing = DeadlinePassed(subject=CONSIGNMENT, name=limit.name, due=limit.due)
    desk.when(passing, at=limit.due).then(facts.rectification_overdue(since, limit.due))
    assert desk.deadlines() == () and not decider.closed(desk.state)
    desk.when(passing).then()
    late = limit.due + timedelta(hours=1)
    desk.when(found(DOCUMENTS, revision=1), at=late).then(passed(desk, DOCUMENTS, 1, by="officer-7"))


def test_a_withdrawal_ends_the_rectification() -> None:
    desk = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM)).when(declaration_withdrawn())
    desk.then(facts.inspection_cancelled(DOCUMENTS, desk.at))
    desk.when(found(DOCUMENTS, NOT_CONFORM), message_id="m2").then()


@pytest.mark.parametrize("corrections", [3, 400])
def test_the_record_stays_small_however_often_findings_are_corrected(corrections: int) -> None:
    desk = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    for number in range(corrections):
        desk.when(correct(INSPECTION, f"m{number + 2}"))
    assert desk.facts[-1] == passed(desk, INSPECTION, 2 * corrections)
    assert len(decider.STATE.dump_json(desk.state)) < 4000


_RESULTS = st.sampled_from(list(FindingsResult))
_CONTROLS = st.sampled_from([DOCUMENTS, INSPECTION])
_MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.just(consignment_assessed(DOCUMENTS, INSPECTION)),
    st.builds(found, _CONTROLS, _RESULTS, pest=st.sampled_from(["", BEETLE]), revision=st.integers(0, 4)),
    st.builds(
        correct, _CONTROLS, st.integers(0, 9).map("once-{}".format), _RESULTS, pest=st.sampled_from(["", BEETLE])
    ),
    st.builds(retract, _CONTROLS, st.integers(0, 9).map("once-{}".format)),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=200, deadline=None)
@given(messages=st.lists(_MESSAGES, max_size=12))
def test_corrections_heard_twice_add_nothing_and_revisions_count_up(messages: list[Message]) -> None:
    keeps_its_promises(decider, messages)
    desk = Story(decider, decider.INITIAL)
    for number, message in enumerate(messages):
        desk.when(message, message_id=f"once-{number}")
    for control in (DOCUMENTS, INSPECTION):
        counted = [f.model_dump()["revision"] for f in desk.facts if "revision" in f.model_dump()]
        revisions = [
            f.model_dump()["revision"]
            for f in desk.facts
            if "revision" in f.model_dump() and f.model_dump()["control"] is control
        ]
        assert revisions == list(range(len(revisions))), counted
