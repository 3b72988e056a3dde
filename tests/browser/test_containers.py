"""Can terminals and officers do their work on the page of a container, and does the page say why the box must stay or
may leave?"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from services.console.pages.formatting import BEIJING
from tests.browser.conftest import Visitor
from tests.browser.goods import id_of
from tests.browser.test_console import lodged, send
from tests.console.conftest import Running
from tests.kafka.border import Leaping
from tests.waiting import wait


def local(moment: datetime) -> str:
    """The time as a browser's `datetime-local` field has it."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%dT%H:%M:%S}"


def tell(page: Page, event: str, at: datetime, **typed: str) -> None:
    """Reports an equipment event with the form."""
    form = page.locator("#act-event")
    form.locator("summary").click()
    form.locator("[name=event]").select_option(event)
    form.locator("[name=laden]").select_option(typed.pop("laden", "true"))
    form.locator("[name=occurred_at]").fill(local(at))
    for name, value in {"place": "Qianwan 3", **typed}.items():
        form.locator(f"[name={name}]").fill(value)
    form.get_by_role("button").click()


def picture(page: Page, name: str, folder: Path) -> None:
    """Saves a picture of the page for people who look at it after the test."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["zh"])
def test_a_box_is_discharged_held_let_go_and_leaves_and_its_page_tells_each_step(
    desk: Running, clock: Leaping, zh: Visitor, tmp_path: Path, language: str
) -> None:
    declaration, page = lodged(desk, "awaiting_arrival"), zh.page
    box = declaration["containers"][0]["container_no"]
    zh.go(f"/containers/{box}")
    why = page.locator(".waits")
    expect(why).to_contain_text("已放行 0 批")
    expect(why).to_contain_text(f"提单 {declaration['bill_no']} 等待运抵报告")
    at = datetime.fromisoformat(
        desk.api("GET", f"/consignments/{id_of(declaration)}").json()["consignment"]["lodged_at"]
    )
    tell(page, "DISC", at)
    expect(page.locator("#asked")).to_contain_text("箱动态已记录")
    expect(page.locator("#reports ~ table")).to_contain_text("卸船")
    expect(page.locator("[aria-labelledby=visit]")).to_contain_text("Qianwan 3")
    picture(page, "discharged", tmp_path)

    answer = desk.api("POST", f"/consignments/{id_of(declaration)}/arrival", json={"place": "Qianwan 3"})
    assert answer.status_code == 202
    expect(page.locator(".goods .stage")).to_have_text("可以提离")
    expect(why).to_contain_text("在场（Qianwan 3）")

    send(page, "hold", reason="seal broken")
    expect(page.locator(".goods .stage")).to_have_text("不得提离")
    expect(why).to_contain_text("关员扣箱")
    picture(page, "held", tmp_path)
    send(page, "lift-1", reason="looked at")
    expect(page.locator(".goods .stage")).to_have_text("可以提离")

    send(page, "gate-out", gate="G3")
    expect(page.locator(".goods .stage")).to_have_text("已离场")
    expect(why).to_contain_text("经卡口 G3 离场")
    picture(page, "left", tmp_path)
    zh.go(f"/consignments/{id_of(declaration)}")
    expect(page.locator(".goods .stage").first).to_have_text("放行后离场")


def test_a_departure_without_release_is_an_alarm_until_its_sender_takes_it_back(
    desk: Running, en: Visitor, tmp_path: Path
) -> None:
    declaration, page = lodged(desk, "controlled", red=True), en.page
    goods, box = id_of(declaration), declaration["containers"][0]["container_no"]
    now = desk.api("GET", f"/consignments/{goods}").json()["consignment"]["lodged_at"]
    at = datetime.fromisoformat(now)
    en.go(f"/containers/{box}")
    tell(page, "DISC", at)
    expect(page.locator("#asked")).to_contain_text("Equipment event recorded")
    tell(page, "GTOT", at + timedelta(minutes=2), place="G3")
    expect(page.locator("#block")).to_contain_text("Left without release")
    picture(page, "alarm", tmp_path)
    en.go(f"/consignments/{goods}")
    expect(page.locator(".goods .stage").first).to_have_text("Left without release")
    expect(page.locator(".steps .wrong")).to_contain_text("left without release")
    expect(page.locator(".waits")).to_contain_text("an officer's finding")
    picture(page, "goods-left", tmp_path)
    en.go("/alarms")
    expect(page.locator("[aria-labelledby=blocked]")).to_contain_text(box)
    picture(page, "alarms", tmp_path)

    en.go(f"/containers/{box}")
    form = page.locator("#act-retract")
    form.locator("summary").click()
    options = form.locator("[name=report_id] option")
    gone = options.filter(has_text=re.compile("gated out")).get_attribute("value")
    form.locator("[name=report_id]").select_option(gone)
    form.locator("[name=reason]").fill("another box")
    form.get_by_role("button").click()
    expect(page.locator("#block")).to_have_count(0)
    expect(page.locator(".waits")).to_contain_text(
        f"bill {declaration['bill_no']} waits for the findings of the inspection"
    )

    def back() -> bool:
        status: dict[str, Any] = desk.api("GET", f"/consignments/{goods}").json()["consignment"]
        return bool(status["stage"] == "controlled")

    wait(back, "the goods to be under control again")
