"""Do officers see that the same goods were declared again, and which other declaration there is?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.gate import SameGoodsDeclared
from services.console.language.desk_sentences import in_words
from tests.console.border import Border
from tests.console.still import Still
from tests.people import admit

RULE, VERSION = "one_declaration_a_bill", "2026-11-29"


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def lodged_twice(others: tuple[str, ...], bill: str = "COSU1", rule: str = RULE) -> Border:
    consignment = Border("TWICE").lodged().accepted().assessed()
    return consignment.gate_says(
        SameGoodsDeclared,
        others=others,
        count=len(others),
        bill_no=bill,
        conveyance="COSCO QINGDAO/041E",
        direction="I",
        rule=rule,
        rule_set=VERSION,
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_board_the_alarms_and_the_consignment_name_the_other_declaration(still: Still, language: str) -> None:
    first = Border("ONCE").lodged().accepted().assessed()
    consignment = lodged_twice((first.id,))
    still.tell([*first.messages, *consignment.messages])
    name = "同一货物重复申报" if language == "zh" else "Same goods declared again"
    assert name in still.page("/", language)
    alarms = still.page("/alarms", language)
    assert name in alarms and first.id in alarms and consignment.id in alarms
    page = still.page(f"/consignments/{consignment.id}", language)
    for value in (name, first.id, RULE, VERSION, "COSU1", consignment.containers[0]):
        assert value in page, value


def test_an_alarm_names_five_of_many_others_and_says_so_of_goods_without_a_bill(still: Still) -> None:
    others = tuple([f"other-{number}" for number in range(9)])
    still.tell(lodged_twice(others, "", "one_declaration_a_box").messages)
    (alarm,) = still.get("/api/v1/alarms").json()["alarms"]
    assert alarm["kind"] == "SameGoodsDeclared" and "other-4,…" in alarm["reason"] and "other-5" not in alarm["reason"]
    assert alarm["reason_text"]["zh"].startswith("箱 ") and "另有申报也称独用此箱" in alarm["reason_text"]["zh"]


def test_a_declarant_reads_that_it_happened_and_not_whose_goods_the_others_are(still: Still) -> None:
    consignment = lodged_twice(("somebody-elses-goods",))
    still.tell(consignment.messages)
    admit(still.url, "their-broker", "declarant", consignment.declaration.declarant)
    page = still.page(f"/consignments/{consignment.id}", "en", "their-broker")
    assert "Same goods declared again" in page and "another declaration stands for the goods in" in page
    assert not [value for value in ("somebody-elses-goods", RULE, VERSION) if value in page]


def test_papers_of_one_bill_without_containers_are_found_by_the_bill(still: Still) -> None:
    """No desk compares declarations that have the same bill and no containers (`docs/flow.md`), but an officer can find
    them by the bill."""
    papers = [Border(name, ()).lodged(bill_no="AWB 784-1").accepted().assessed() for name in ("AIR-1", "AIR-2")]
    still.tell([each for paper in papers for each in paper.messages])
    page = still.page("/consignments?q=awb 784-1", "en")
    assert all(paper.reference in page for paper in papers)
    assert not still.get("/api/v1/alarms").json()["alarms"]


def test_the_sentence_is_read_back_in_both_languages() -> None:
    texts = in_words("bill COSU 1 in CSQU3054383 is declared by others, too: a,b")
    assert texts.zh == "箱 CSQU3054383 的提单 COSU 1 另有申报：a,b"
