"""Does a hold state its reason as a code with parameters, and does the catalogue make from these the same sentence that
stands beside the code?"""

import pytest

from schemas.envelope import Message
from schemas.phrases import phrase, sentence
from schemas.release import Hold
from schemas.vocabulary import ControlKind
from services.console.language.desk_sentences import in_words, in_words_of, why_of
from services.release import decider
from services.release.holds import why_held
from tests.declaration.good import BOX
from tests.facts import (
    consignment_assessed,
    consignment_left_unreleased,
    findings_retracted,
    pest_intercepted,
    rectification_requested,
    treatment_retracted,
)
from tests.release.requests import BOXES, arrival, place_hold
from tests.voice import story

INSPECTION, DOCUMENTS, QUARANTINE = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.QUARANTINE
LEFT = consignment_left_unreleased().model_copy(
    update={"reason": "left without release 未放行离场", "why": "left_unreleased"}
)
CASES: list[tuple[list[Message], str, str, dict[str, str]]] = [
    ([arrival()], "assessment", "not_assessed", {}),
    ([consignment_assessed()], "arrival", "not_arrived", {}),
    (
        [consignment_assessed(containers=BOXES), arrival(containers=(BOX,))],
        "arrival",
        "boxes_arrived",
        {"count": "1", "all": "2"},
    ),
    ([consignment_assessed(INSPECTION)], "inspection/inspection", "control_required", {"control": "inspection"}),
    ([consignment_assessed(QUARANTINE)], "quarantine/risk", "treatment_required", {}),
    (
        [consignment_assessed(INSPECTION), pest_intercepted(INSPECTION)],
        "quarantine/inspection",
        "living_pest",
        {},
    ),
    ([consignment_assessed(DOCUMENTS), rectification_requested()], "inspection/documents", "put_right", {}),
    ([consignment_assessed(INSPECTION), findings_retracted(INSPECTION)], "inspection/inspection", "control_again", {}),
    (
        [consignment_assessed(QUARANTINE), treatment_retracted("risk")],
        "quarantine/risk",
        "treatment_required_again",
        {},
    ),
    (
        [consignment_assessed(INSPECTION), pest_intercepted(INSPECTION), treatment_retracted("inspection")],
        "quarantine/inspection",
        "living_pest_again",
        {},
    ),
    ([consignment_assessed(), LEFT], f"gate/{BOX}", "left_unreleased", {}),
]


@pytest.mark.parametrize(("messages", "name", "code", "values"), CASES, ids=[case[2] or case[1] for case in CASES])
def test_a_hold_of_a_desk_has_a_code_whose_words_are_its_sentence_and_tells_where_the_words_of_a_person_stand(
    messages: list[Message], name: str, code: str, values: dict[str, str]
) -> None:
    holds: dict[str, Hold] = {each.hold_id: each for each in story(decider, *messages).state.stated}
    hold = holds[name]
    assert hold.why == code and hold.values.items() >= values.items()
    assert why_of(hold.model_dump()) == in_words(hold.reason)
    assert hold.reason == sentence(why_held(hold)), "and the desk finds its phrase in it again"
    changed = hold.model_dump() | {"reason": hold.reason.swapcase()}
    quotes = {name: hold.reason[first:behind].swapcase() for name, (first, behind) in hold.quoted.items()}
    assert why_of(changed) == in_words_of([{"code": code, "values": hold.values | quotes}]), "no other words are read"


@pytest.mark.parametrize("remark", ["stripped", "no visit is open", "{why}", "举报\n线索", "x" * 500])
def test_what_an_officer_wrote_is_no_sentence_of_a_desk(remark: str) -> None:
    desk = story(decider, consignment_assessed(), place_hold(remark))
    [hold] = [each for each in desk.state.stated if each.hold_id.startswith("officer/")]
    assert (hold.reason, why_of(hold.model_dump())) == (remark, (remark, remark))
    assert why_held(hold) == phrase("words", words=remark)


def test_a_code_of_a_later_release_and_one_without_its_parameters_are_told_by_the_sentence() -> None:
    for why, values in (("of_2030", {}), ("boxes_arrived", {"count": "1"})):
        assert why_of({"why": why, "values": values, "reason": "as it was"}) == ("as it was", "as it was")
