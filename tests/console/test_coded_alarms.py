"""Does the gate desk give reasons as codes, and do people read them in their language, whatever the English sentence
beside the code says?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.gate import ConsignmentLeftUnreleased, DepartureRetracted, GateAlarmRaised
from services.console.language.desk_sentences import why_of
from services.console.language.words import TEXTS
from services.gate.reasons import WHY
from tests.console.border import Border
from tests.console.still import Still
from tests.people import admit


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("code", WHY)
def test_each_code_of_the_gate_has_its_words_and_is_what_its_older_sentence_says(code: str) -> None:
    texts = TEXTS[f"written.{code}"]
    assert WHY[code].startswith(texts.en) and WHY[code].removeprefix(texts.en).strip() in texts.zh
    assert why_of({"why": code, "reason": "words of another version"}) == texts


def test_facts_of_the_software_version_before_and_codes_of_a_later_one_are_told_by_their_sentence() -> None:
    assert why_of({"reason": "left without release 未放行离场"}) == TEXTS["written.left_unreleased"]
    assert why_of({"why": "", "reason": "as it was"}) == why_of({"why": "of_2030", "reason": "as it was"})
    assert why_of({"why": "of_2030", "reason": "as it was"}) == ("as it was", "as it was")


def test_pages_and_answers_tell_an_alarm_by_its_code(still: Still) -> None:
    consignment = Border("CODED").lodged().accepted().assessed().arrived()
    about = {"reason": "words that no catalogue has", "visit": "visit-1"}
    consignment.gate_says(
        GateAlarmRaised, gate="G2", waiting_for=(consignment.id,), alarm="left_unreleased", report_id="out-1", blocks=True,
        why="left_before", **about,
    )  # fmt: skip
    consignment.gate_says(ConsignmentLeftUnreleased, why="left_before", **about)
    consignment.gate_says(DepartureRetracted, why="departure_wrong", **about)
    still.tell(consignment.messages)
    box = consignment.containers[0]
    for path in ("/alarms", f"/containers/{box}", f"/consignments/{consignment.id}"):
        page = still.page(path, "zh")
        assert "先于放行离场" in page and "words that no catalogue has" not in page, path
    assert "离场报告已撤回或经查不实" in still.page(f"/consignments/{consignment.id}", "zh")
    (alarm,) = still.get("/api/v1/alarms").json()["alarms"]
    assert alarm["reason_text"] == {"zh": "先于放行离场", "en": "left before release"}


def test_who_does_not_see_all_goods_reads_no_counts_of_all_alarms(still: Still) -> None:
    still.tell(Border("FAR").lodged().accepted().assessed().arrived().alarm().messages)
    admit(still.url, "officer-2218", "release", "", "2218")
    admit(still.url, "officer-all", "release", "", "0000")
    chip = 'href="/alarms?kind=GateAlarmRaised"'
    assert chip in still.page("/alarms", name="officer-all")
    for path in ("/", "/alarms", "/alarms?kind=GateAlarmRaised"):
        assert chip not in still.page(path, name="officer-2218"), path
