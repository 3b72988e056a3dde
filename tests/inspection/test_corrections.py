"""Can wrong findings be taken back or replaced, and are papers that are not in order put right instead of ending the goods?"""

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


def retracted(told: Story, control: ControlKind, wrong: str, revision: int) -> FindingsRetracted:
    due = told.at + LIMITS[control]
    return facts.findings_retracted(control, revision, wrong=wrong, because=WHY, due=due, at=told.at)


def passed(told: Story, control: ControlKind, revision: int, by: str = "officer-8") -> InspectionPassed:
    return facts.inspection_passed(control, revision, officer=by, at=told.at)


UNSAID = phrase("no_remarks", control=DOCUMENTS)


def rectification(told: Story, revision: int = 0, why: Phrase = UNSAID) -> RectificationRequested:
    due = told.at + decider.RECTIFICATION_LIMIT
    return facts.rectification_requested(revision, why, due=due, at=told.at)


def sent_back(told: Story, request: Message, code: str, reason: str, why: Phrase) -> RequestRefused:
    return refused(told, code, reason, why, request.kind)


def test_findings_that_are_taken_back_open_the_control_again_with_a_new_time_limit() -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION, NOT_CONFORM))
    assert decider.closed(told.state)
    told.when(retract(INSPECTION, "m2")).then(retracted(told, INSPECTION, "m2", 1))
    assert not decider.closed(told.state)
    assert told.deadlines() == (Deadline("overdue/inspection", told.at + LIMITS[INSPECTION]),)
    told.when(found(INSPECTION, revision=2)).then(passed(told, INSPECTION, 2, by="officer-7"))
    assert decider.closed(told.state)


def test_a_correction_takes_the_wrong_answer_back_and_gives_the_right_one() -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION, NOT_CONFORM))
    told.when(correct(INSPECTION, "m2"))
    told.then(retracted(told, INSPECTION, "m2", 1), passed(told, INSPECTION, 2))
    assert decider.closed(told.state)


def test_a_correction_may_be_wrong_itself_and_be_corrected_by_its_own_name() -> None:
    told = story(
        decider, consignment_assessed(INSPECTION), found(INSPECTION), correct(INSPECTION, "m2", PEST, pest=BEETLE)
    )
    assert isinstance(told.facts[-1], PestIntercepted) and told.facts[-1].revision == 2
    told.when(correct(INSPECTION, "m3"))
    told.then(retracted(told, INSPECTION, "m3", 3), passed(told, INSPECTION, 4))


def test_a_correction_must_name_the_answer_that_stands() -> None:
    told = story(decider, consignment_assessed(INSPECTION, SAMPLING), found(INSPECTION), correct(INSPECTION, "m2"))
    seen = "the answer of inspection was given by request m3"
    for wrong in (retract(INSPECTION, "m2"), correct(INSPECTION, "m2", NOT_CONFORM)):
        told.when(wrong).then(
            sent_back(told, wrong, "not_the_latest", seen, phrase("answered_by", control=INSPECTION, request="m3"))
        )
    early = retract(SAMPLING, "m2")
    told.when(early).then(
        sent_back(told, early, "not_the_latest", "sampling is not answered", phrase("not_answered", control=SAMPLING))
    )


def test_a_correction_that_contradicts_itself_leaves_the_answer_as_it_is() -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    before, wrong = told.state, correct(INSPECTION, "m2", PEST)
    told.when(wrong).then(
        sent_back(told, wrong, "pest_missing", "the result is pest, yet no pest is named", phrase("pest_without_name"))
    )
    assert told.state == before


def test_a_correction_of_what_was_never_ordered_or_was_withdrawn_is_refused() -> None:
    told = story(decider)
    wrong = retract(INSPECTION, "m0")
    told.when(wrong).then(
        sent_back(
            told, wrong, "not_ordered", "inspection is not ordered", phrase("control_not_ordered", control=INSPECTION)
        )
    )
    told = story(decider, consignment_assessed(DOCUMENTS, INSPECTION), found(INSPECTION), declaration_withdrawn())
    told.when(wrong).then(
        sent_back(told, wrong, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn"))
    )
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), declaration_withdrawn())
    wrong = retract(INSPECTION, "m2")
    told.when(wrong).then(
        sent_back(told, wrong, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn"))
    )


def test_findings_that_were_taken_back_answer_nothing_when_they_are_delivered_again() -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), retract(INSPECTION, "m2"))
    told.when(found(INSPECTION), message_id="m2").then()
    told.when(retract(INSPECTION, "m2"), message_id="m3").then()


@pytest.mark.parametrize("opened_by", [retract(INSPECTION, "m2"), correct(INSPECTION, "m2", NOT_CONFORM)])
@pytest.mark.parametrize("revision", [0, 1, 3, 4])
def test_findings_about_the_control_as_it_was_before_do_not_answer_the_one_that_was_opened_again(
    opened_by: RetractFindings | CorrectFindings, revision: int
) -> None:
    """A second officer had sent them before the first answer was known to be wrong; they are read afterwards."""
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), opened_by)
    if isinstance(opened_by, CorrectFindings):
        told.when(retract(INSPECTION, "m3"))
    late = found(INSPECTION, by="officer-9", revision=revision)
    before, now = told.state, 4 if isinstance(opened_by, CorrectFindings) else 2
    if revision == now:
        assert told.when(late).said[0].kind == "InspectionPassed"
        return
    seen = f"these findings are answer {revision} of inspection; answer {now} is asked for"
    said = phrase("answer_of_another", revision=revision, control=INSPECTION, next=now)
    told.when(late).then(sent_back(told, late, "opened_again", seen, said))
    assert told.state == before


def test_findings_that_were_sent_before_the_papers_were_found_wrong_do_not_answer_the_rectification() -> None:
    told = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM))
    late = found(DOCUMENTS, by="officer-9")
    seen = "these findings are answer 0 of documents; answer 1 is asked for"
    said = phrase("answer_of_another", revision=0, control=DOCUMENTS, next=1)
    told.when(late).then(sent_back(told, late, "opened_again", seen, said))
    assert told.when(found(DOCUMENTS, revision=1)).said[0].kind == "InspectionPassed"


def test_findings_of_the_release_before_are_read_as_a_first_answer() -> None:
    stored = found(INSPECTION).model_dump_json().encode()
    before = stored.replace(b',"revision":0', b"")
    assert before != stored
    read = RecordFindings.read_stored(before)
    told = story(decider, consignment_assessed(INSPECTION)).when(read)
    told.then(passed(told, INSPECTION, 0, by="officer-7"))
    reopened = story(decider, consignment_assessed(INSPECTION), found(INSPECTION), retract(INSPECTION, "m2")).when(read)
    reopened.then_refused("opened_again")


def test_an_answer_of_an_earlier_release_can_be_corrected() -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    stored = decider.STATE.dump_json(told.state)
    for field in (b',"revision":0', b',"past":[]'):
        assert field in stored
        stored = stored.replace(field, b"")
    told.state = decider.STATE.validate_json(stored)
    told.when(retract(INSPECTION, "m2")).then(retracted(told, INSPECTION, "m2", 1))


def test_papers_not_in_order_are_to_be_put_right_and_the_officer_looks_again() -> None:
    told = story(decider, consignment_assessed(DOCUMENTS)).when(
        found(DOCUMENTS, NOT_CONFORM, remarks="the invoice is missing")
    )
    told.then(rectification(told, why=quoted("the invoice is missing")))
    assert not decider.closed(told.state)
    assert told.deadlines() == (Deadline("rectification/documents", told.at + decider.RECTIFICATION_LIMIT),)
    told.when(found(DOCUMENTS, NOT_CONFORM, revision=1)).then(rectification(told, 1))
    told.when(found(DOCUMENTS, revision=2)).then(passed(told, DOCUMENTS, 2, by="officer-7"))
    assert decider.closed(told.state) and told.deadlines() == ()


def test_the_papers_end_the_goods_only_where_the_officer_says_so() -> None:
    told = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM)).when(
        found(DOCUMENTS, REFUSE, revision=1)
    )
    told.then(facts.inspection_failed(DOCUMENTS, 1, UNSAID, at=told.at))
    assert decider.closed(told.state)


def test_papers_that_are_not_put_right_in_time_are_called_overdue_once_and_may_still_be() -> None:
    told = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM))
    since = told.at
    (limit,) = told.deadlines()
    passing = DeadlinePassed(subject=CONSIGNMENT, name=limit.name, due=limit.due)
    told.when(passing, at=limit.due).then(facts.rectification_overdue(since, limit.due))
    assert told.deadlines() == () and not decider.closed(told.state)
    told.when(passing).then()
    late = limit.due + timedelta(hours=1)
    told.when(found(DOCUMENTS, revision=1), at=late).then(passed(told, DOCUMENTS, 1, by="officer-7"))


def test_a_withdrawal_ends_the_rectification() -> None:
    told = story(decider, consignment_assessed(DOCUMENTS), found(DOCUMENTS, NOT_CONFORM)).when(declaration_withdrawn())
    told.then(facts.inspection_cancelled(DOCUMENTS, told.at))
    told.when(found(DOCUMENTS, NOT_CONFORM), message_id="m2").then()


@pytest.mark.parametrize("corrections", [3, 400])
def test_the_record_stays_small_however_often_findings_are_corrected(corrections: int) -> None:
    told = story(decider, consignment_assessed(INSPECTION), found(INSPECTION))
    for number in range(corrections):
        told.when(correct(INSPECTION, f"m{number + 2}"))
    assert told.facts[-1] == passed(told, INSPECTION, 2 * corrections)
    assert len(decider.STATE.dump_json(told.state)) < 4000


_RESULTS = st.sampled_from(list(FindingsResult))
_CONTROLS = st.sampled_from([DOCUMENTS, INSPECTION])
_HEARD: st.SearchStrategy[Message] = st.one_of(
    st.just(consignment_assessed(DOCUMENTS, INSPECTION)),
    st.builds(found, _CONTROLS, _RESULTS, pest=st.sampled_from(["", BEETLE]), revision=st.integers(0, 4)),
    st.builds(
        correct, _CONTROLS, st.integers(0, 9).map("once-{}".format), _RESULTS, pest=st.sampled_from(["", BEETLE])
    ),
    st.builds(retract, _CONTROLS, st.integers(0, 9).map("once-{}".format)),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=200, deadline=None)
@given(heard=st.lists(_HEARD, max_size=12))
def test_corrections_heard_twice_add_nothing_and_revisions_count_up(heard: list[Message]) -> None:
    keeps_its_promises(decider, heard)
    told = Story(decider, decider.INITIAL)
    for number, message in enumerate(heard):
        told.when(message, message_id=f"once-{number}")
    for control in (DOCUMENTS, INSPECTION):
        counted = [f.model_dump()["revision"] for f in told.facts if "revision" in f.model_dump()]
        revisions = [
            f.model_dump()["revision"]
            for f in told.facts
            if "revision" in f.model_dump() and f.model_dump()["control"] is control
        ]
        assert revisions == list(range(len(revisions))), counted
