"""Does a hold say why by a code and its parameters, and do the words of the catalogue say the same as the sentence beside it?"""

import pytest

from schemas.envelope import Message
from schemas.release import Hold
from schemas.vocabulary import ControlKind
from services.console.language.desk_sentences import in_words, why_of
from services.release import decider
from tests.release.dossiers import (
    BOX,
    BOXES,
    arrival,
    assessed,
    left_unreleased,
    pest,
    place_hold,
    rectification,
    retracted,
    treatment_retracted,
)
from tests.voice import story

INSPECTION, DOCUMENTS, QUARANTINE = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.QUARANTINE
LEFT = left_unreleased().model_copy(update={"reason": "left without release 未放行离场", "why": "left_unreleased"})
CASES: list[tuple[list[Message], str, str, dict[str, str]]] = [
    ([arrival()], "assessment", "not_assessed", {}),
    ([assessed()], "arrival", "not_arrived", {}),
    ([assessed(containers=BOXES), arrival(containers=(BOX,))], "arrival", "boxes_arrived", {"count": "1", "all": "2"}),
    ([assessed(INSPECTION)], "inspection/inspection", "control_required", {"control": "inspection"}),
    ([assessed(QUARANTINE)], "quarantine/risk", "treatment_required", {}),
    (
        [assessed(INSPECTION), pest(INSPECTION)],
        "quarantine/inspection",
        "",
        {},
    ),
    ([assessed(DOCUMENTS), rectification()], "inspection/documents", "", {}),
    ([assessed(INSPECTION), retracted(INSPECTION)], "inspection/inspection", "", {}),
    ([assessed(QUARANTINE), treatment_retracted("risk")], "quarantine/risk", "", {}),
    ([assessed(), LEFT], f"gate/{BOX}", "left_unreleased", {}),
]


@pytest.mark.parametrize(("heard", "name", "code", "values"), CASES, ids=[case[2] or case[1] for case in CASES])
def test_a_hold_of_a_desk_has_a_code_whose_words_are_its_sentence_unless_it_quotes_an_officer(
    heard: list[Message], name: str, code: str, values: dict[str, str]
) -> None:
    holds: dict[str, Hold] = {each.hold_id: each for each in story(decider, *heard).state.stated}
    hold = holds[name]
    assert hold.why == code and hold.values.items() >= values.items()
    assert in_words(why_of(hold.model_dump())) == in_words(hold.reason)
    changed = hold.model_dump() | {"reason": "words of another version"}
    assert in_words(why_of(changed)) == in_words(hold.reason if code else "words of another version")


def test_what_an_officer_wrote_has_no_code() -> None:
    told = story(decider, assessed(), place_hold("stripped"))
    [hold] = [each for each in told.state.stated if each.hold_id.startswith("officer/")]
    assert (hold.why, hold.values, why_of(hold.model_dump())) == ("", {}, "stripped")


def test_a_code_of_a_later_release_and_one_without_its_parameters_are_told_by_the_sentence() -> None:
    for why, values in (("of_2030", {}), ("boxes_arrived", {"count": "1"})):
        assert why_of({"why": why, "values": values, "reason": "as it was"}) == "as it was"
