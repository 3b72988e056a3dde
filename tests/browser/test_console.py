"""Can people do their work at the console, in a real browser, and see what became of it?"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaProducer
from playwright.sync_api import Page, expect

from schemas.codes.refusals import REFUSALS
from schemas.quarantine import RecordTreatment
from services.console.pages.formatting import BEIJING
from services.risk.rules import RULE_SET
from services.shell.codec import encode, request_headers
from tests.browser.conftest import Visitor, Visitors
from tests.browser.goods import id_of, paper
from tests.console.conftest import Running
from tests.kafka.border import Leaping
from tests.waiting import wait


def stage(page: Page, name: str) -> None:
    """Waits until the page of a consignment shows this stage."""
    expect(page.locator(".goods .stage")).to_have_text(name)


def send(page: Page, act: str, **typed: str) -> None:
    """Opens the form of the act `act` on the page, fills its fields with `typed`, and sends it."""
    form = page.locator(f"#act-{act}")
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    for name, value in typed.items():
        form.locator(f"[name={name}]").fill(value)
    form.get_by_role("button").click()


def lodged(desk: Running, stage: str, *, red: bool = False) -> dict[str, Any]:
    """Lodges a new declaration through the API, and returns it when its goods are at this stage."""
    declaration = paper(red=red)
    assert desk.api("POST", "/declarations", json=declaration).status_code == 202

    def there() -> bool:
        return bool(desk.api("GET", f"/consignments/{id_of(declaration)}").json()["consignment"]["stage"] == stage)

    wait(there, f"{id_of(declaration)} to be {stage}")
    return declaration


def test_a_declaration_lodged_on_the_page_is_released_once_its_arrival_is_reported_there(zh: Visitor) -> None:
    declaration, page = paper(), zh.page
    zh.go("/lodge")
    page.locator("#body").fill(json.dumps(declaration))
    page.get_by_role("button", name="提交申报").click()
    expect(page).to_have_url(re.compile(f"/consignments/{id_of(declaration)}"))
    zh.mark()
    stage(page, "待运抵")
    expect(page.locator("#asked")).to_contain_text("接受申报")
    expect(page.locator(".waits")).to_contain_text("运抵报告")
    expect(page.locator(".waits")).to_contain_text("轮到承运人／码头")
    assert zh.unmoved(), "it refreshed by itself"
    send(page, "arrival", place="Qianwan 3")
    zh.mark()
    stage(page, "已放行")
    expect(page.locator("#asked")).to_contain_text("货物运抵")
    expect(page.locator(".decision.good")).to_contain_text("放行")
    assert zh.unmoved()


def test_what_the_board_counts_moves_without_a_reload(desk: Running, zh: Visitor) -> None:
    zh.go("/")
    zh.mark()
    count = zh.page.locator("#stage-awaiting_arrival .count")
    before = int(count.inner_text().replace(",", ""))
    lodged(desk, "awaiting_arrival")
    expect(count).to_have_text(f"{before + 1:,}")
    assert zh.unmoved()
    expect(zh.page.locator(".pipeline").first.locator("h3")).to_have_text(
        ["已申报", "已接受", "查验中", "检疫处理中", "待运抵", "已放行", "放行后离场"]
    )


def test_every_name_of_goods_leads_to_their_page(desk: Running, en: Visitor) -> None:
    declaration = lodged(desk, "awaiting_arrival")
    number = desk.api("GET", f"/consignments/{id_of(declaration)}").json()["consignment"]["declaration_no"]
    box = declaration["containers"][0]["container_no"]
    for name in (
        number,
        box,
        f"{box[:4]} {box[4:10]} {box[10:]}",
        id_of(declaration),
        declaration["declarant"],
        declaration["bill_no"],
    ):
        en.go("/")
        en.page.get_by_role("searchbox").fill(name)
        en.page.get_by_role("searchbox").press("Enter")
        expect(en.page).to_have_url(f"{en.address}/consignments/{id_of(declaration)}")
    en.page.get_by_role("searchbox").fill("no such goods")
    en.page.get_by_role("button", name="Search").click()
    expect(en.page.locator("main")).to_contain_text("Nothing matches “no such goods”")


@pytest.mark.parametrize(
    ("language", "rule", "chapters", "waits", "owner"),
    [
        ("zh", "植物产品、木材须查验有害生物", "税则章 44", "查验结果", "轮到查验关员"),
        (
            "en",
            "plants, grain, seed and wood are looked at for pests",
            "chapters 44",
            "the findings of the inspection",
            "inspection officer to act",
        ),
    ],
    ids=["zh", "en"],
)
def test_a_red_consignment_says_which_rule_fired_and_what_it_waits_for(
    desk: Running, visitors: Visitors, language: str, rule: str, chapters: str, waits: str, owner: str
) -> None:
    declaration = lodged(desk, "controlled", red=True)
    with visitors.come(language) as visitor:
        visitor.go(f"/consignments/{id_of(declaration)}")
        decisions = visitor.page.locator("section:has(> #decisions)")
        for text in (rule, "plants_and_wood", chapters, RULE_SET, "0.0244", "published"):
            expect(decisions).to_contain_text(text)
        expect(visitor.page.locator(".waits")).to_contain_text(waits)
        expect(visitor.page.locator(".waits")).to_contain_text(owner)
        expect(visitor.page.locator(".holds tbody tr")).to_have_count(2)


def test_findings_with_a_mistake_say_what_to_correct_and_lose_nothing(
    desk: Running, clock: Leaping, zh: Visitor
) -> None:
    declaration, page = lodged(desk, "controlled", red=True), zh.page
    zh.expected = {422}
    zh.go(f"/consignments/{id_of(declaration)}")
    page.get_by_label("发现活体有害生物").check()
    send(page, "findings-inspection", remarks="beetles, in the third bundle")
    form = page.locator("#act-findings-inspection")
    expect(form.get_by_role("alert")).to_contain_text("/pest 缺少该项")
    expect(form.locator("[name=pest]")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("发现活体有害生物")).to_be_checked()
    expect(form.locator("[name=remarks]")).to_have_value("beetles, in the third bundle")
    with page.expect_response(re.compile("/live")):
        pass
    expect(form.locator("[name=remarks]")).to_have_value("beetles, in the third bundle")
    send(page, "findings-inspection", pest="Monochamus alternatus")
    stage(page, "检疫处理中")
    expect(page.locator("#asked")).to_contain_text("截获有害生物")

    began = datetime.now(BEIJING).replace(tzinfo=None, microsecond=0) + timedelta(minutes=1)
    send(page, "treatment-inspection-1", started_at=began.isoformat(), readings="0, 20\n1,5 Grad")
    form = page.locator("#act-treatment-inspection-1")
    expect(form.get_by_role("alert")).to_contain_text("/readings/1/temperature_c")
    form.locator("[name=unit_class]").select_option("E")
    hot = {"2": "56.4", "2.25": "57.1", "2.5": "56.8"}
    readings = "0, 20.0\n1.5, 49.5\n" + "\n".join([f"{hours}, {core}, , core 1" for hours, core in hot.items()])
    send(page, "treatment-inspection-1", readings=readings)
    expect(page.locator("#asked")).to_contain_text("所述时间尚未到来")
    clock.leaps.append(timedelta(hours=4))
    record = {
        "origin": "inspection",
        "attempt": 1,
        "method": "HT",
        "unit_class": "E",
        "started_at": f"{began.isoformat()}+08:00",
        "occurred_at": f"{(began + timedelta(hours=3)).isoformat()}+08:00",
        "readings": [{"hours": hours, "temperature_c": core, "place": "core 1"} for hours, core in hot.items()],
    }
    try:
        treatment = RecordTreatment.model_validate(
            record | {"consignment_id": id_of(declaration), "asked_by": "yard-3"}
        )
        headers = request_headers(treatment, "treated", "/yard", treatment.occurred_at.isoformat())
        # The request goes directly to Kafka. The console would refuse its times, because the clock of the console does
        # not leap.
        producer = KafkaProducer(bootstrap_servers=desk.settings.kafka)
        producer.send(
            "customs-quarantine-requests", key=treatment.key.encode(), value=encode(treatment), headers=headers
        ).get(30)
        producer.close()
        expect(page.locator("section:has(> #decisions)")).to_contain_text("处理有效")
    finally:
        clock.leaps.clear()
    send(page, "arrival", place="Qianwan 3")
    stage(page, "已放行")
    expect(page.locator(".decision.good").first).to_contain_text("处理有效")


def test_a_request_that_a_desk_sends_back_is_told_with_its_reason(desk: Running, zh: Visitor) -> None:
    declaration = lodged(desk, "awaiting_arrival")
    zh.go(f"/consignments/{id_of(declaration)}")
    other = "<input name=containers value=CSQU3054383>"  # a box that the paper does not name
    zh.page.locator("#act-arrival form").evaluate(f"form => form.insertAdjacentHTML('beforeend', '{other}')")
    send(zh.page, "arrival", place="Qianwan 3")
    expect(zh.page.locator("#asked")).to_contain_text(REFUSALS["lot_unknown"].zh)
    expect(zh.page.locator("section:has(> #decisions)")).to_contain_text(REFUSALS["lot_unknown"].zh)
    send(zh.page, "withdraw", reason="the sale was called off")
    stage(zh.page, "已撤单")


def test_a_hold_calls_released_goods_back_and_its_lifting_lets_them_go(desk: Running, en: Visitor) -> None:
    declaration, page = lodged(desk, "awaiting_arrival"), en.page
    en.go(f"/consignments/{id_of(declaration)}")
    send(page, "arrival", place="Qianwan 3")
    stage(page, "Released")
    send(page, "hold", reason="a tip")
    stage(page, "Called back")
    expect(page.locator(".waits")).to_contain_text("an officer to lift the hold")
    page.locator(".holds").get_by_text("a tip").wait_for()
    box = declaration["containers"][0]["container_no"]
    page.locator("section:has(> #boxes)").get_by_role("link", name=box).click()
    expect(page.locator(".goods .stage")).to_have_text("Must stay")
    page.go_back()
    lift = page.locator("details[id^=act-lift]")
    lift.locator("[name=reason]").fill("nothing was found")
    lift.get_by_role("button").click()
    stage(page, "Released")
    send(page, "hold", reason="a tip")
    stage(page, "Called back")


def test_a_container_may_leave_and_its_gate_out_is_told_on_its_page(desk: Running, en: Visitor) -> None:
    declaration, page = lodged(desk, "awaiting_arrival"), en.page
    box = declaration["containers"][0]["container_no"]
    en.go(f"/containers/{box}")
    expect(page.locator(".goods .stage")).to_have_text("Must stay")
    en.mark()
    assert desk.api("POST", f"/consignments/{id_of(declaration)}/arrival", json={"place": "Qianwan"}).status_code == 202
    expect(page.locator(".goods .stage")).to_have_text("May leave")
    assert en.unmoved()
    send(page, "gate-out", gate="G2")
    expect(page.locator("#asked")).to_contain_text("Container left")
    expect(page.locator(".goods .stage")).to_have_text("Gone")


def test_a_paper_that_cannot_be_read_stays_in_the_field_with_what_to_correct(en: Visitor) -> None:
    en.expected = {400, 422}
    declaration = {**paper(), "packages": "many"}
    en.go("/lodge")
    en.page.locator("#body").fill(json.dumps(declaration, indent=1))
    en.page.get_by_role("button", name="Lodge it").click()
    expect(en.page.get_by_role("alert")).to_contain_text("/packages must be a whole number")
    expect(en.page.locator("#body")).to_have_value(json.dumps(declaration, indent=1))
    en.page.locator("#body").fill("{")
    en.page.get_by_role("button", name="Lodge it").click()
    expect(en.page.get_by_role("alert")).to_contain_text("The body is not JSON")


def test_a_timeline_shows_causes_places_and_content_on_demand(desk: Running, en: Visitor) -> None:
    declaration, page = lodged(desk, "awaiting_arrival"), en.page
    en.go(f"/consignments/{id_of(declaration)}")
    accepted = page.locator(".timeline > li", has_text="Declaration accepted").first
    expect(accepted).to_contain_text(re.compile(r"customs-declaration-facts · partition \d · offset \d+"))
    assert not any("/messages/" in address for address in en.requested)
    accepted.get_by_text("Content").click()
    expect(accepted.locator("pre")).to_contain_text(declaration["reference"])
    with page.expect_response(re.compile("/live")):
        pass
    expect(accepted.locator("pre")).to_contain_text(declaration["reference"])
    assessed = page.locator(".timeline > li", has_text="Risk assessed")
    assessed.get_by_role("link", name="Cause: Declaration accepted").click()
    expect(page).to_have_url(re.compile("#m-"))
    page.get_by_role("link", name="milestones").click()
    expect(page.locator(".timeline > li")).to_have_count(3)
    page.get_by_role("link", name="problems").click()
    expect(page.locator(".timeline > li")).to_have_text(["none"])
