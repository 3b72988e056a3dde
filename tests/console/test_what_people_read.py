"""Do people read codes as words, one thing once, and no card without anything in it?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.inspection import InspectionOverdue
from schemas.quarantine import TreatmentOverdue
from schemas.release import ArrivalRecorded
from schemas.vocabulary import ControlKind
from services.console.api.documents import gate_text
from services.console.pages.formatting import Sight
from services.console.readmodel.container import Container
from services.console.readmodel.gate_answer import GateAnswer
from tests.console.border import Border
from tests.console.still import Still
from tests.people import admit

US = 1_764_000_000_000_000


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def test_a_time_limit_that_ran_out_is_told_in_words_of_the_reader(still: Still) -> None:
    told = Border("LATE").lodged().accepted().assessed(ControlKind.DOCUMENTS).held("inspection/documents")
    about: dict[str, Any] = {**told._goods(), "since": told.at - timedelta(days=1), "due": told.at}
    told._say("inspection", InspectionOverdue(**about, control=ControlKind.DOCUMENTS))
    told._say("quarantine", TreatmentOverdue(**about, origin="risk", attempt=1))
    still.tell(told.said)
    alarms = {each["kind"]: each for each in still.get("/api/v1/alarms").json()["alarms"]}
    assert alarms["InspectionOverdue"]["reason_text"] == {"zh": "单证审核", "en": "documents"}
    assert alarms["TreatmentOverdue"]["reason_text"] == {"zh": "风险岗", "en": "risk desk"}
    page = still.page("/alarms", "zh")
    assert "单证审核" in page and ">documents<" not in page and ">risk<" not in page


def test_an_arrival_that_the_gate_told_names_the_gate_in_the_language_of_the_page(still: Still) -> None:
    told = Border("BY-GATE").lodged().accepted().assessed()
    told._say("release", ArrivalRecorded(**told._goods(), place="Qianwan 3", reported_by="gate"))
    still.tell(told.said)
    assert "Qianwan 3，卡口 报告" in still.page(f"/consignments/{told.id}", "zh")
    assert "Qianwan 3, reported by gate" in still.page(f"/consignments/{told.id}")


def test_who_may_ask_nothing_on_a_page_sees_no_card_of_forms(still: Still) -> None:
    told = Border("NO-FORMS").lodged().accepted().assessed().held("arrival")
    still.tell(told.said)
    admit(still.url, "auditor-1", "auditor")
    for path in (f"/consignments/{told.id}", f"/containers/{told.containers[0]}"):
        assert 'id="acts"' in still.page(path), path
        assert 'id="acts"' not in still.page(path, name="auditor-1"), path


def test_a_paper_under_a_used_reference_is_sent_back_with_what_can_be_done(still: Still) -> None:
    told = Border("USED").lodged().accepted().refused_request("LodgeDeclaration", "reference_used", "declaration")
    still.tell(told.said)
    page = still.page(f"/consignments/{told.id}")
    assert "withdraw that one first, or use another reference" in page


def test_the_gate_says_that_lots_are_not_declared_and_not_that_a_desk_is_late() -> None:
    row = Container("MSKU6011672", visit="v", visit_us=US, place="Qianwan 3")
    said = gate_text(GateAnswer(False, "not_said", lots=2, released=1), row)
    assert said.en.startswith("the other lots in it are not declared; 1 of 2 lots released; in the area since")
    assert said.zh.startswith("其余批次尚未申报；共 2 批，已放行 1 批")
    assert gate_text(GateAnswer(False, "not_said", lots=2, released=2), row).en.startswith(
        "the gate desk has not said yes;"
    )


def test_the_answer_about_a_released_export_does_not_say_that_it_is_not_released() -> None:
    said = gate_text(GateAnswer(False, "export", lots=1, released=0), None)
    assert said.en == "released for export: the land gate needs an officer's permit"
    assert "已放行 0 批" not in said.zh


@pytest.mark.parametrize(
    ("detail", "zh", "en"),
    [
        ("6f12 gate until 2026-12-06T14:28+00:00", "6f12 gate 至 12-06 22:28", "6f12 gate until 12-06 22:28"),
        (
            "C-1 from 2026-11-29T14:09+00:00 until no end",
            "C-1 自 11-29 22:09 至 不限",
            "C-1 from 11-29 22:09 until no end",
        ),
        ("auditor company= office=4227", "auditor 企业：— 关区：4227", "auditor company: — office: 4227"),
        (
            "roles=auditor (was inspector) office= (was )",
            "角色：auditor （原 inspector） 关区：— （原 —）",
            "roles: auditor (was inspector) office: — (was —)",
        ),
    ],
)
def test_the_record_of_grants_is_told_in_the_language_and_time_of_the_page(detail: str, zh: str, en: str) -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    assert Sight("zh", at).granted(detail) == zh and Sight("en", at).granted(detail) == en


@pytest.mark.parametrize(
    ("row", "reason", "en"),
    [
        (
            Container("MSKU6011672", word="gated_out", gate="G3", since_us=US),
            "gated_out",
            "left on 2025-11-25T00:00+08:00 at gate G3",
        ),
        (
            Container("MSKU6011672", word="closed", visit_end="left_empty", visit_end_us=US),
            "closed",
            "its last visit ended 2025-11-25T00:00+08:00: left empty",
        ),
    ],
)
def test_a_visit_that_ended_is_told_once(row: Container, reason: str, en: str) -> None:
    assert gate_text(GateAnswer(False, reason), row).en == en
