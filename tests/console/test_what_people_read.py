"""Do pages show codes as words, each thing once, and no empty card?"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import RequestRefused
from schemas.inspection import InspectionOverdue
from schemas.phrases import phrase, reason
from schemas.quarantine import TreatmentOverdue
from schemas.release import ArrivalRecorded
from schemas.vocabulary import CHINA, ControlKind, EquipmentEvent
from services.console.api.documents import gate_text
from services.console.api.views import Text
from services.console.language.words import LANGUAGES
from services.console.pages.formatting import Sight
from services.console.readmodel.container import Container
from services.console.readmodel.gate_answer import GateAnswer
from services.shell.clock import now
from tests import facts
from tests.console.border import Border
from tests.console.still import Still
from tests.declaration.good import BOX
from tests.people import admit

US = 1_764_000_000_000_000


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def test_a_time_limit_that_ran_out_is_told_in_words_of_the_reader(still: Still) -> None:
    consignment = Border("LATE").lodged().accepted().assessed(ControlKind.DOCUMENTS).held("inspection/documents")
    about: dict[str, Any] = {**consignment._goods(), "since": consignment.at - timedelta(days=1), "due": consignment.at}
    consignment._say("inspection", InspectionOverdue(**about, control=ControlKind.DOCUMENTS))
    consignment._say("quarantine", TreatmentOverdue(**about, origin="risk", attempt=1))
    still.tell(consignment.messages)
    alarms = {each["kind"]: each for each in still.get("/api/v1/alarms").json()["alarms"]}
    assert alarms["InspectionOverdue"]["reason_text"] == {"zh": "单证审核", "en": "documents"}
    assert alarms["TreatmentOverdue"]["reason_text"] == {"zh": "风险岗", "en": "risk desk"}
    page = still.page("/alarms", "zh")
    assert "单证审核" in page and ">documents<" not in page and ">risk<" not in page


def test_an_arrival_that_the_gate_told_names_the_gate_in_the_language_of_the_page(still: Still) -> None:
    consignment = Border("BY-GATE").lodged().accepted().assessed()
    consignment._say("release", ArrivalRecorded(**consignment._goods(), place="Qianwan 3", reported_by="gate"))
    still.tell(consignment.messages)
    assert "Qianwan 3，卡口 报告" in still.page(f"/consignments/{consignment.id}", "zh")
    assert "Qianwan 3, reported by gate" in still.page(f"/consignments/{consignment.id}")


@pytest.mark.parametrize("kind", ["ArrivalRecorded", "EquipmentEventRecorded", "ContainerFindingRecorded"])
def test_a_time_that_a_desk_did_not_believe_is_shown_beside_the_one_that_counts(still: Still, kind: str) -> None:
    consignment = Border("OLD-TIME").lodged().accepted().assessed().reported("DISC")
    given = datetime(2021, 3, 4, 5, 6, tzinfo=UTC)
    fact = {
        "ArrivalRecorded": facts.arrival_recorded(disbelieved_time=given, at=consignment.at),
        "EquipmentEventRecorded": facts.equipment_event_recorded(
            "r9", EquipmentEvent.STRIPPED, "v", disbelieved_time=given, at=consignment.at
        ),
        "ContainerFindingRecorded": facts.container_finding_recorded(
            "inside", disbelieved_time=given, at=consignment.at
        ),
    }[kind]
    about_goods = kind == "ArrivalRecorded"
    changed = {"consignment_id": consignment.id} if about_goods else {"container_no": BOX}
    consignment._say("release" if about_goods else "gate", fact.model_copy(update=changed))
    still.tell(consignment.messages)
    page = f"/consignments/{consignment.id}" if about_goods else f"/containers/{BOX}"
    in_english, in_chinese = still.page(page), still.page(page, "zh")
    assert "the reported time 2021-03-04 13:06 is not believed, so the time of the report counts" in in_english
    assert "所报时间 2021-03-04 13:06 不可信，以收到报告的时间为准" in in_chinese
    if about_goods:
        entries = still.get(f"/api/v1{page}/timeline").json()["entries"]
        assert [each["body"]["disbelieved_time"] for each in entries if each["kind"] == kind] == [
            "2021-03-04T05:06:00Z"
        ]


def test_a_terminal_reads_which_time_of_its_report_was_not_believed(still: Still) -> None:
    given = datetime(2021, 3, 4, 5, 6, tzinfo=UTC)
    consignment = Border("OLD-REPORT").lodged().accepted().assessed().reported("DISC")
    still.tell(consignment.reported("STRP", disbelieved_time=given).messages)
    reports = still.get(f"/api/v1/containers/{BOX}/events").json()["reports"]
    assert {each["event"]: each["disbelieved_time"] for each in reports} == {
        "STRP": "2021-03-04T05:06:00Z",
        "DISC": None,
    }
    assert still.page(f"/containers/{BOX}").count("the reported time 2021-03-04 13:06 is not believed</span>") == 1
    assert "所报时间 2021-03-04 13:06 不可信</span>" in still.page(f"/containers/{BOX}", "zh")


def test_who_may_ask_nothing_on_a_page_sees_no_card_of_forms(still: Still) -> None:
    consignment = Border("NO-FORMS").lodged().accepted().assessed().held("arrival")
    still.tell(consignment.messages)
    admit(still.url, "auditor-1", "auditor")
    for path in (f"/consignments/{consignment.id}", f"/containers/{consignment.containers[0]}"):
        assert 'id="acts"' in still.page(path), path
        assert 'id="acts"' not in still.page(path, name="auditor-1"), path


def test_a_paper_under_a_used_reference_is_sent_back_with_what_can_be_done(still: Still) -> None:
    consignment = (
        Border("USED").lodged().accepted().refused_request("LodgeDeclaration", "reference_used", "declaration")
    )
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}")
    assert "withdraw that one first, or use another reference" in page


def test_the_gate_says_that_lots_are_not_declared_and_not_that_a_desk_is_late() -> None:
    row = Container("MSKU6011672", visit="v", visit_us=US, place="Qianwan 3")
    text = gate_text(GateAnswer(False, "not_said", lots=2, released=1), row)
    assert text.en.startswith("the other lots in it are not declared; 1 of 2 lots released; in the area since")
    assert text.zh.startswith("其余批次尚未申报；共 2 批，已放行 1 批")
    assert gate_text(GateAnswer(False, "not_said", lots=2, released=2), row).en.startswith(
        "the gate desk has not said yes;"
    )


def test_the_answer_about_a_released_export_does_not_say_that_it_is_not_released() -> None:
    text = gate_text(GateAnswer(False, "export", lots=1, released=0), None)
    assert text.en == "released for export: the land gate needs an officer's permit"
    assert "已放行 0 批" not in text.zh


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
        ("closed=True (was False)", "停用：是 （原 否）", "closed: yes (was no)"),
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


@pytest.mark.parametrize(
    ("what", "detail", "zh", "en"),
    [
        (
            "key made",
            "6f12 gate read until 2026-12-06T14:28+00:00",
            "6f12 卡口问询与放行通知、查看 至 12-06 22:28",
            "6f12 gate question and releases, read until 12-06 22:28",
        ),
        ("key made", "6f12 lodge", "6f12 申报与撤单", "6f12 lodge and withdraw"),
        (
            "account made",
            "carrier terminal company=terminal office=",
            "承运人、码头 企业：terminal 关区：—",
            "Carrier, Terminal company: terminal office: —",
        ),
        (
            "account changed",
            "roles=auditor release (was inspector) company=auditor (was )",
            "角色：审计、放行关员（原 查验关员） 企业：auditor （原 —）",
            "roles: Auditor, Release officer (was Inspector) company: auditor (was —)",
        ),
        (
            "authorised",
            "read from 2026-12-06T14:28+00:00 until no end",
            "代理 read 自 12-06 22:28 至 不限",
            "to act for read from 12-06 22:28 until no end",
        ),
    ],
)
def test_roles_and_scopes_are_told_in_words_and_names_that_are_spelled_alike_stay(
    what: str, detail: str, zh: str, en: str
) -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    assert Sight("zh", at).granted(detail, what).replace(" （", "（") == zh.replace(" （", "（")
    assert not en or Sight("en", at).granted(detail, what) == en


SHOUTED = re.compile(r"<(h1|h2|h3|summary)[^>]*>(.*?)</\1>", re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_heading_stands_twice_on_the_page_of_watches_and_of_accounts(still: Still, language: str) -> None:
    for path in ("/watches", "/accounts", "/account?name=tester"):
        headings = [" ".join(TAGS.sub("", title).split()) for _, title in SHOUTED.findall(still.page(path, language))]
        assert len(headings) > 1 and len(set(headings)) == len(headings), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_key_is_good_for_is_told_in_words(still: Still, language: str) -> None:
    page = TAGS.sub("|", still.page("/account?name=tester", language))
    assert {"zh": "申报与撤单", "en": "lodge and withdraw"}[language] in page
    assert not re.search(r"\b(decide|operate)\b[|,]", page)


ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
TAGS = re.compile(r"<[^>]*>")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("in the area since 2026-11-23T20:03+08:00 (Q 3)", "in the area since 11-23 20:03 (Q 3)"),
        ("自 2026-11-23T12:03:00Z 起在场", "自 11-23 20:03 起在场"),
        ("told for 2026-11-23T12:03:07+00:00, asked", "told for 11-23 20:03:07, asked"),
        ("as of 2025-11-23T12:03:07.123456+00:00", "as of 2025-11-23 20:03"),
        ("report 2026-11-23T12:03:07, of no zone", "report 2026-11-23T12:03:07, of no zone"),
        ("0001-01-01T00:00+14:00 and 2026-13-01T00:00Z", "0001-01-01T00:00+14:00 and 2026-13-01T00:00Z"),
    ],
)
def test_a_time_in_a_sentence_is_told_as_on_the_rest_of_the_page(sentence: str, shown: str) -> None:
    for language in LANGUAGES:
        sight = Sight(language, datetime(2026, 11, 30, tzinfo=UTC))
        assert sight.times(sentence) == shown
        assert sight.of(Text(zh=sentence, en=sentence)) == shown


@pytest.mark.parametrize(("language", "since"), [("zh", "自 {} 起在场（Q 3）"), ("en", "in the area since {} (Q 3)")])
def test_the_page_says_since_when_a_box_is_here_in_the_readers_time_and_the_api_for_programs(
    still: Still, language: str, since: str
) -> None:
    start = now().replace(microsecond=0) - timedelta(hours=2)
    consignment = (
        Border("IN-TIME", ("TGHU1234562",), start=start).lodged().accepted().assessed().opened().held("arrival")
    )
    still.tell(consignment.messages)
    page = TAGS.sub(" ", still.page("/containers/TGHU1234562", language))
    answer = still.get("/api/v1/containers/TGHU1234562").json()
    opened = datetime.fromisoformat(answer["visit"]["opened_at"])
    where = answer["visit"]["place"]
    read = since.replace("Q 3", where)
    assert read.format(Sight("en", now()).minute(opened)) in page
    assert not ISO.search(page), ISO.findall(page)
    assert read.format(opened.astimezone(CHINA).isoformat(timespec="minutes")) in answer["text"][language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_request_was_sent_back_and_what_is_not_known_are_told_in_the_readers_time(
    still: Still, language: str
) -> None:
    consignment = Border("SENT-BACK").lodged().accepted().assessed(ControlKind.INSPECTION)
    at, later = consignment.at, consignment.at + timedelta(seconds=7)
    why = phrase("told_in_future_at", told=at, asked=later, message="customs-inspection-requests/0/5")
    about: dict[str, Any] = {"subject": consignment.id, "request_kind": "RecordFindings", "code": "told_in_future"}
    about |= {"request_id": "r-1", "occurred_at": consignment.at, "reason": reason(why), "phrases": (why,)}
    consignment._say("inspection", RequestRefused(**about))
    still.tell(consignment.messages)
    page = TAGS.sub(" ", still.page(f"/consignments/{consignment.id}", language))
    sight = Sight("en", now())
    template = {"zh": "所述时间 {}，发送于 {}", "en": "told for {}, asked at {}"}[language]
    assert page.count(template.format(sight.minute(at), sight.time(later))) == 2, (
        "among the decisions, and on the timeline"
    )
    unknown = still.get("/consignments/26b34d2c-71b0-50a5-a062-577a5d010788", language)
    assert unknown.status_code == 404 and not ISO.search(TAGS.sub(" ", unknown.text))
