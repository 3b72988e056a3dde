"""Do the pages of accounts, activity, alarms, the board, containers, codes, faults and goods show what is true? Each
test repeats a fault that was seen on a picture of one of these pages."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.declaration import DeclarationRepeated
from schemas.envelope import FURTHEST_ESTIMATE, LATEST_REPORT
from schemas.gate import ConsignmentLeftUnreleased, ContainerArrived, ContainerMustStay, GateAlarmRaised, VisitClosed
from schemas.vocabulary import CHINA, ControlKind, Direction, Stage
from services.console.readmodel import tables as t
from services.shell.clock import now
from services.shell.codec import breach
from tests.console.border import Border
from tests.console.still import Still
from tests.console.test_looked_at import part, text_of
from tests.people import admit

BOX = "CSQU3054383"


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def request_row(still: Still, *rows: tuple[str, str, str, str, int]) -> None:
    """Records that these requests were sent: id, sender, kind, subject, and when."""
    names = ("request_id", "sender", "kind", "subject", "asked_us")
    with still.store.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert(), [dict(zip(names, row, strict=True)) for row in rows])


# codes


@pytest.mark.parametrize(("table", "code", "zh", "en"), [
    ("currencies", "USD", "美元", "US Dollar"),
    ("countries", "RU", "俄罗斯", "Russia"),
    ("countries", "RUS", "俄罗斯", "Russia"),
    ("countries", "ZZZ", "国（地）别不详", "country unknown"),
])  # fmt: skip
def test_every_code_of_a_country_or_currency_has_a_name(still: Still, table: str, code: str, zh: str, en: str) -> None:
    for language, name in (("zh", zh), ("en", en)):
        page = still.page(f"/docs/codes/{table}", language)
        row = next(row for row in page.split("<tr>") if f"<code>{code}</code>" in row)
        assert text_of(row.partition("</tr>")[0]) == f"{code} {name}"
        assert not re.search(r"</code></td><td[^>]*></td>", page), "no code is without a name"


def test_codes_of_goods_are_found_by_how_they_begin_or_by_their_name(still: Still) -> None:
    assert 'href="/docs/codes/hs"' in still.page("/docs")
    whole = text_of(still.page("/docs/codes/hs"))
    assert "HS codes, six digits 5,612" in whole and "the first 2,000 of 5,612" in whole
    found = text_of(still.page("/docs/codes/hs?find=4407"))
    assert "440711 Wood" in found and "010121" not in found and "the first" not in found
    assert "010130 Asses; live" in text_of(still.page("/docs/codes/hs?find=ASSES"))
    assert "440711" in text_of(still.page("/docs/codes/hs?find=4407", "zh"))
    assert "No code matches “nonsense”" in text_of(still.page("/docs/codes/hs?find=nonsense"))
    assert "4227 Qianwan" in text_of(still.page("/docs/codes/offices?find=前湾"))


@pytest.mark.parametrize(("language", "day", "source", "lacks"), [
    ("en", "100 codes as of 2020-07-01, from", "GACC code tables", "The table lacks modes of later announcements"),
    ("zh", "共 100 条，日期 2020-07-01，来源", "海关总署公告 2018 年第 67 号代码表", "本表不全，没有：以后公告新增的监管方式"),
])  # fmt: skip
def test_a_table_says_of_which_day_it_is_and_what_it_lacks(
    still: Still, language: str, day: str, source: str, lacks: str
) -> None:
    shown = text_of(still.page("/docs/codes/trade_modes", language))
    assert day in shown and lacks in shown and source in shown
    assert ("as of" if language == "en" else "来源") not in text_of(
        still.page("/docs/codes/lanes", language)
    ).partition("Clearance")[2]


# who did what


def test_goods_are_named_in_the_record_as_people_name_them_and_found_by_that_name(still: Still) -> None:
    goods = Border("ACT-1").lodged().accepted()
    rejected = Border("ACT-2", ("MSKU6011672",)).lodged().rejected()
    still.tell([*goods.messages, *rejected.messages])
    request_row(still, ("r1", "o7", "PlaceHold", goods.id, 1000), ("r2", "o7", "LodgeDeclaration", rejected.id, 2000))
    shown = still.page("/activity")
    assert f'href="/consignments/{goods.id}?asked=r1">{goods.number}</a>' in shown and ">ACT-2</a>" in shown
    for name in (goods.number, "ACT-1", goods.id):
        found = text_of(still.page(f"/activity?subject={name}"))
        assert "Hold asked" in found and "Declaration lodged" not in found, name


def test_the_name_of_goods_is_not_told_to_who_may_not_see_them(still: Still) -> None:
    admit(still.url, "carrier", "carrier", "CARRIER", "")
    goods = Border("ACT-3").lodged().accepted()
    still.tell(goods.messages)
    request_row(still, ("r1", "carrier", "ReportArrival", goods.id, 1000))
    shown = still.page("/activity", name="carrier")
    assert goods.id in shown and goods.number not in shown and "ACT-3" not in shown
    assert "Arrival reported" not in text_of(still.page("/activity?subject=ACT-3", name="carrier"))


def test_lists_that_can_have_no_line_for_the_reader_are_not_offered(still: Still) -> None:
    company = {"declarant": "91370200163562681G", "terminal": "T"}
    for role in ("declarant", "terminal", "inspector", "operations", "auditor"):
        admit(still.url, role, role, company.get(role, ""), "0000" if role == "inspector" else "")
    offered = {
        role: set(re.findall(r'href="/activity\?what=(\w+)"', still.page("/activity", name=role)))
        for role in ("declarant", "terminal", "inspector", "operations", "auditor")
    }
    assert not offered["declarant"] and not offered["terminal"]
    assert "parked" not in offered["inspector"] and "readings" in offered["inspector"]
    assert "parked" in offered["operations"] and {"parked", "readings"} <= offered["auditor"]


def test_a_settled_message_without_a_key_is_not_said_to_be_about_watches(still: Still) -> None:
    row = {"service": "release", "topic": "customs-release-requests", "partition": 0, "parked_us": 1, "offset": 1}
    with still.store.engine.begin() as connection:
        settled = {"key": "", "status": "discarded", "actor": "anna", "settled_us": 5}
        connection.execute(t.PARKED.insert(), [row | settled])
    line = part(still.page("/activity?what=parked"), "<tbody>", "</tbody>")
    assert "unknown" in line and "Watches" not in line


def test_accounts_are_found_by_the_name_of_their_role(still: Still) -> None:
    admit(still.url, "anna", "inspector", "", "0000")
    admit(still.url, "ben", "terminal", "T", "")
    for search, language in (("查验关员", "zh"), ("inspector", "en"), ("Inspector", "en")):
        found = re.findall(r'href="/account\?name=([^"]*)"', still.page(f"/accounts?q={search}", language))
        assert "anna" in found and "ben" not in found, search
    assert "代码" not in part(still.page("/accounts", "zh"), '<form class="filter"', "</form>")


# the board and lists


def test_the_last_stage_is_that_of_exports_too(still: Still) -> None:
    gone = Border("OUT-1", ("MSKU6011672",)).lodged(direction=Direction.EXPORT).accepted().assessed()
    gone = gone.held("arrival").arrived().released().gated_out()
    home = Border("IN-1").lodged().accepted().assessed().held("arrival").arrived().released().gated_out()
    still.tell([*gone.messages, *home.messages])
    for page in ("/", "/consignments", f"/consignments/{gone.id}"):
        for language, term in (("en", "Gated out"), ("zh", "已出卡口")):
            assert f">{term}<" not in still.page(page, language), page
    assert "Left after release" in text_of(still.page("/"))
    assert "all containers are loaded" in text_of(still.page(f"/consignments/{gone.id}"))
    assert "all containers are out" in text_of(still.page(f"/consignments/{home.id}"))


def test_what_else_goods_wait_for_opens_without_a_mouse(still: Still) -> None:
    goods = Border("MORE-1").lodged().accepted().assessed(ControlKind.INSPECTION)
    still.tell(goods.held("inspection/inspection", "arrival").messages)
    for page in ("/", "/consignments", f"/containers/{BOX}"):
        more = part(still.page(page), '<details class="also">', "</details>")
        assert more.startswith("+1") and "also the report of arrival (carrier / terminal)" in more, page
        assert "<abbr" not in still.page(page)


def test_two_holds_that_read_the_same_are_counted(still: Still) -> None:
    goods = Border("TWICE-1").lodged().accepted().assessed().held("officer/1", "officer/2")
    still.tell(goods.messages)
    shown = part(still.page(f"/consignments/{goods.id}"), '<p class="waits', "</p>")
    assert "1 more: an officer to lift the hold (targeting officer or release officer)" in shown and "also" not in shown
    line = part(still.page(f"/consignments/{goods.id}"), '<ol class="timeline">', "</ol>")
    assert "an officer to lift the hold × 2" in line and "hold; an officer" not in line


def test_goods_that_wait_for_their_arrival_are_not_called_held(still: Still) -> None:
    """`Held` is the stage of goods that an officer holds."""
    goods = Border("WAIT-1").lodged().accepted().assessed().held("arrival")
    still.tell(goods.messages)
    line = part(still.page(f"/consignments/{goods.id}"), '<ol class="timeline">', "</ol>")
    assert "Not released yet waiting for the report of arrival" in line and "Held" not in line


def test_a_repeated_paper_names_no_request_by_its_id(still: Still) -> None:
    goods = Border("AGAIN-1").lodged().accepted()
    repeated = DeclarationRepeated(
        consignment_id=goods.id, occurred_at=goods.at, request_id="request-2", first_request_id="request-1"
    )
    goods._say("declaration", repeated)
    still.tell(goods.messages)
    line = part(still.page(f"/consignments/{goods.id}"), '<ol class="timeline">', "</ol>")
    assert "the first declaration stands" in line and "request-1" not in line


def test_goods_that_are_assessed_wait_for_the_release_desk_and_not_for_risk(still: Still) -> None:
    goods = Border("NEXT-1").lodged().accepted().assessed()
    still.tell(goods.messages)
    shown = part(still.page(f"/consignments/{goods.id}"), '<p class="waits', "</p>")
    assert "the release desk to name the holds" in shown and "risk assessment" not in shown


def test_how_far_the_page_is_behind_has_its_unit(still: Still) -> None:
    still.app.state.context.progress.measured(12)
    assert "messages not in yet: 12" in text_of(still.page("/"))
    assert "尚有 12 条消息未入库" in text_of(still.page("/", "zh"))


# goods


@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_has_refused_goods_reads_what_comes_next(still: Still, language: str) -> None:
    admit(still.url, "declarant", "declarant", "91370200163562681G", "")
    admit(still.url, "release", "release", "", "0000")
    goods = Border("NO-1").lodged().accepted().assessed().arrived().refused()
    still.tell(goods.messages)
    page = still.page(f"/consignments/{goods.id}", language, "declarant")
    note = part(page, '<div class="notice info" role="status" id="refused">', "</div>")
    assert ("放行关员在其页面准许出场" if language == "zh" else "leaves when a release officer permits it") in note
    assert BOX in note and "#act-permit" not in page
    page = still.page(f"/consignments/{goods.id}", language, "release")
    assert f'href="/containers/{BOX}#act-permit"' in page
    assert 'id="act-permit"' in still.page(f"/containers/{BOX}", language, "release")


def test_a_cancelled_export_is_no_ground_on_which_an_import_leaves(still: Still) -> None:
    still.tell(Border("GROUND-1").lodged().accepted().assessed().arrived().refused().messages)
    form = re.search(r'<select name="ground".*?</select>', still.page(f"/containers/{BOX}"), re.DOTALL)
    assert form and re.findall(r'value="(\w+)"', form[0]) == ["return", "destroy"]
    out = Border("GROUND-2", ("MSKU6011672",)).lodged(direction=Direction.EXPORT).accepted().assessed()
    still.tell(out.messages)
    form = re.search(r'<select name="ground".*?</select>', still.page("/containers/MSKU6011672"), re.DOTALL)
    assert form and "export_cancelled" in form[0]


def test_a_hold_is_lifted_by_an_officer_and_not_by_a_request_that_was_asked(still: Still) -> None:
    goods = Border("LIFT-1").lodged().accepted().assessed().held("officer/1")
    still.tell(goods.messages)
    for language, wanted, wrong in (("en", "an officer who lifts it", "asked"), ("zh", "关员解除", "请求")):
        table = part(still.page(f"/consignments/{goods.id}", language), 'aria-labelledby="holds"', "</section>")
        assert wanted in table and wrong not in table


def test_a_price_has_its_currency(still: Still) -> None:
    goods = Border("PRICE-1").lodged().accepted()
    still.tell(goods.messages)
    assert "180 USD" in part(still.page(f"/consignments/{goods.id}"), '<table class="rows lines">', "</table>")


def test_the_cause_of_a_fact_that_another_page_has_leads_to_that_page(still: Still) -> None:
    border = Border("CAUSE-1").opened().lodged().accepted().assessed().held("arrival")
    border.gate_says(ContainerArrived, visit="visit-1", place="Qianwan 3")
    unknown = "5f2c7a52-6c0e-5d0b-9d4b-0f4f6d9c1a77"
    sentence = [
        *border.messages[:-2],
        replace(border.messages[-2], cause=unknown),
        replace(border.messages[-1], cause=unknown),
    ]
    still.tell(sentence)
    goods, box = still.page(f"/consignments/{border.id}"), still.page(f"/containers/{BOX}")
    assert f'href="/containers/{BOX}#m-{unknown}">Cause: {BOX}</a>' in goods
    assert f'href="/consignments/{border.id}#m-{unknown}">Cause: Consignment</a>' in box


# containers and their forms


def test_an_open_visit_is_not_said_to_have_ended(still: Still) -> None:
    still.tell(Border("VISIT-1").opened().messages)
    for language, present, wrong in (("en", "now in the area", "ended"), ("zh", "现在 在场", "结束")):
        shown = part(still.page(f"/containers/{BOX}", language), 'aria-labelledby="visit"', "</section>")
        assert present in shown and wrong not in shown


def test_who_has_to_find_out_about_a_departure_is_led_to_the_goods_that_left(still: Still) -> None:
    admit(still.url, "terminal", "terminal", "T", "")
    goods = Border("LEFT-1").opened().lodged().accepted().assessed().held("arrival")
    goods.gate_says(VisitClosed, visit="visit-1", how="left_unreleased", consignments=(goods.id,), report_id="out-1")
    goods.gate_says(
        GateAlarmRaised,
        gate="G1",
        waiting_for=(goods.id,),
        reason="left before release",
        alarm="left_unreleased",
        visit="visit-1",
        report_id="out-1",
        blocks=True,
    )
    goods.gate_says(ConsignmentLeftUnreleased, why="left_before", reason="left before release", visit="visit-1")
    still.tell(goods.messages)
    page = still.page(f"/containers/{BOX}")
    assert f"Left in it: {goods.number} Left without release" in part(page, 'aria-labelledby="inside"', "</section>")
    assert goods.id not in still.page(f"/containers/{BOX}", name="terminal")


def test_the_gate_is_named_once(still: Still) -> None:
    goods = Border("GATE-1").lodged().accepted().assessed().held("arrival").arrived().released().gated_out()
    still.tell(goods.messages)
    shown = part(still.page(f"/containers/{BOX}"), '<p class="waits', "</p>")
    assert shown.count("G2") == 1


def test_how_a_visit_ended_and_how_many_lots_are_released_is_said_once(still: Still) -> None:
    goods = Border("ENDED-1").opened()
    goods.gate_says(VisitClosed, visit="visit-1", how="left_undeclared", consignments=(), report_id="out-1")
    goods.gate_says(
        GateAlarmRaised,
        gate="G1",
        waiting_for=(),
        reason="a departure was told while no visit was open",
        alarm="left_undeclared",
        visit="visit-1",
        report_id="out-1",
        why="departure_outside",
    )
    still.tell(goods.messages)
    shown = part(still.page(f"/containers/{BOX}"), '<p class="waits', "</p>")
    assert shown.count("with no declaration, or while no visit was open") == 1, shown
    kept = Border("LOTS-1", ("MSKU6011672",)).lodged().accepted().assessed().held("officer/1")
    kept.gate_says(
        ContainerMustStay,
        version=1,
        waiting_for=(kept.id,),
        reason="0 of 1 lots released 已放行 0/1 批; bill COSU6282910: seal number differs",
        phrases=(
            {"code": "lots_released", "values": {"count": "0", "all": "1"}},
            {"code": "bill_waits", "values": {"bill": "COSU6282910"}},
            {"code": "words", "values": {"words": "seal number differs"}},
        ),
    )
    still.tell(kept.messages)
    for language, counted in (("en", "0 of 1 lots released"), ("zh", "已放行 0 批")):
        shown = part(still.page("/containers/MSKU6011672", language), '<p class="waits', "</p>")
        assert shown.count(counted) == 1 and "seal number differs" in shown, shown


def test_a_time_that_the_desks_would_not_take_is_not_offered(still: Still) -> None:
    page = still.page(f"/containers/{BOX}")
    fields = re.findall(r'<input type="datetime-local"[^>]*>', page)
    assert len(fields) == 3
    day = now().astimezone(CHINA)
    earliest, latest = f"{day - LATEST_REPORT:%Y-%m-%d}", f"{day + timedelta(days=1):%Y-%m-%d}"
    expected = f"{day + FURTHEST_ESTIMATE:%Y-%m-%d}"
    for field, most in zip(fields, (expected, latest, latest), strict=True):
        assert f'min="{earliest}T' in field and f'max="{most}T' in field, (
            field,
            "an event may be estimated or planned",
        )
    goods = Border("TREAT-1").lodged().accepted().assessed().held("quarantine/inspection").pest().treatment_ordered()
    still.tell(goods.messages)
    form = part_of(still.page(f"/consignments/{goods.id}"), "act-treatment-inspection-1")
    assert f'max="{latest}T' in form


def part_of(html: str, name: str) -> str:
    """The HTML of one form."""
    found = re.search(rf'<details class="act" id="{name}".*?</details>', html, re.DOTALL)
    assert found, name
    return found[0]


def test_ones_own_reports_are_chosen_without_ones_own_name(still: Still) -> None:
    admit(still.url, "terminal-1", "terminal", "CNTAO-4", "")
    admit(still.url, "terminal-2", "terminal", "CNTAO-4", "")
    still.tell(Border("OWN-1").reported("DISC").messages)
    own, colleague = [
        part_of(still.page(f"/containers/{BOX}", name=name), "act-retract") for name in ("terminal-1", "terminal-2")
    ]
    option = re.compile(r"<option.*?</option>", re.DOTALL)
    assert not [each for each in option.findall(own) if "terminal-1" in each]
    assert [each for each in option.findall(colleague) if "terminal-1" in each]


# faults


class One(BaseModel):
    position: str
    name: str


@pytest.mark.parametrize(("content", "wanted"), [
    ('{"name": "a"}', "1 error, at /position: Field required"),
    ("{}", "2 errors, first at /position: Field required"),
])  # fmt: skip
def test_one_error_of_a_parked_message_is_one_error(content: str, wanted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(One).validate_json(content)
    assert breach(caught.value) == wanted


def test_the_allowed_values_of_a_choice_are_told_in_chinese_without_an_english_word(still: Still) -> None:
    shown = text_of(still.get("/consignments?stage=nonsense", "zh").text)
    assert "只能是" in shown and " or " not in shown and f"或 '{Stage.PARKED}'" in shown
