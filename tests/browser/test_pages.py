"""Do the pages work as promised in each language, at any width, without JavaScript and without other hosts, and does a
hidden page send no requests?"""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, Visitors
from tests.browser.goods import id_of, paper
from tests.browser.test_console import lodged
from tests.console.conftest import Running
from tests.waiting import wait

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NAMELESS = """[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")]
  .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim())).map((e) => e.outerHTML)"""

CUT_OFF = """[...document.querySelectorAll("input[placeholder]")].filter((e) => {
  const style = getComputedStyle(e), pen = document.createElement("canvas").getContext("2d");
  pen.font = `${style.fontSize} ${style.fontFamily}`;
  const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return e.clientWidth && pen.measureText(e.placeholder).width > room;
}).map((e) => `${e.placeholder} in ${e.clientWidth} px`)"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1366, 390])
def test_every_page_fits_and_names_its_controls(desk: Running, visitors: Visitors, language: str, width: int) -> None:
    declaration = lodged(desk, "controlled", red=True)
    goods, box = f"/consignments/{id_of(declaration)}", declaration["containers"][0]["container_no"]
    with visitors.come(language, width=width) as visitor:
        visitor.expected = {404}
        for path in (
            *("/", "/consignments", "/consignments?stage=controlled", "/consignments?q=nothing", "/lodge", "/parked"),
            *("/unmatched", "/unmatched?days=30", "/problems", "/problems/not_json", "/docs/codes/units"),
            *("/docs", goods, f"/containers/{box}", "/watches", "/accounts", "/nowhere"),
        ):
            visitor.go(path)
            assert visitor.page.evaluate(OVERFLOW) <= 0, path
            assert visitor.page.evaluate(NAMELESS) == [], path
            assert visitor.page.evaluate(CUT_OFF) == [], path
            assert visitor.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
            expect(visitor.page.locator("h1")).to_have_count(1)


def test_the_cards_of_the_board_are_as_high_as_what_stands_in_them(desk: Running, zh: Visitor) -> None:
    """In an older version, cards in one row were stretched to the height of the two rows beside them."""
    zh.go("/")
    heights = zh.page.evaluate("[...document.querySelectorAll('.pipeline.small .step')].map((e) => e.offsetHeight)")
    assert len(heights) == 8 and max(heights) < 1.5 * min(heights), heights


def test_the_language_switch_keeps_the_page_and_is_remembered(desk: Running, zh: Visitor) -> None:
    lodged(desk, "awaiting_arrival")
    zh.go("/consignments?stage=awaiting_arrival")
    expect(zh.page.locator("h1")).to_have_text("待运抵")
    zh.page.get_by_role("link", name="English").click()
    expect(zh.page.locator("h1")).to_have_text("Awaiting arrival")
    assert "stage=awaiting_arrival" in zh.page.url
    zh.go("/")
    expect(zh.page.get_by_role("link", name="中文")).to_be_visible()
    expect(zh.page.locator("#flow")).to_have_text("Where the goods stand")


def test_everything_can_be_done_without_javascript(desk: Running, visitors: Visitors) -> None:
    declaration = paper()
    with visitors.come("en", java_script_enabled=False) as visitor:
        page = visitor.page
        visitor.go("/lodge")
        page.locator("#body").fill(json.dumps(declaration))
        page.get_by_role("button", name="Lodge it").click()
        expect(page.locator("#asked")).to_contain_text("Declaration lodged")
        desk_shows(desk, id_of(declaration), "awaiting_arrival")
        page.reload()
        expect(page.locator(".goods .stage")).to_have_text("Awaiting arrival")
        page.locator("#act-arrival [name=place]").fill("Qianwan")
        # The click loads the page anew. That load must be over before the test loads the page again below.
        with page.expect_navigation():
            page.locator("#act-arrival").get_by_role("button").click()
        desk_shows(desk, id_of(declaration), "released")
        page.reload()
        expect(page.locator(".goods .stage")).to_have_text("Released")
        entry = page.locator(".timeline > li").first
        entry.get_by_text("Content").click()
        entry.locator(".body a").click()
        expect(page.locator("main")).to_contain_text("The content stands in the answer that follows.")
        visitor.go("/")
        expect(page.locator("#stage-released .count")).not_to_have_text("0")


def test_nothing_is_asked_while_nobody_looks(zh: Visitor) -> None:
    page = zh.page
    page.clock.install()
    zh.go("/")
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    zh.requested.clear()
    page.clock.run_for(60_000)
    requested = [
        url for url in zh.requested if "/static/icon.svg?" not in url
    ]  # the browser may fetch its icon at any time
    assert requested == []
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => false})")
    with page.expect_request(re.compile("/board")):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with page.expect_request(re.compile("/board")):
        page.clock.run_for(2_500)


def test_a_console_that_does_not_answer_is_said_and_so_is_its_return(visitors: Visitors) -> None:
    with visitors.come("en") as visitor:
        page = visitor.page
        visitor.go("/")
        expect(page.locator("#offline")).to_be_hidden()
        page.context.set_offline(True)
        expect(page.locator("#offline")).to_be_visible()
        page.context.set_offline(False)
        expect(page.locator("#offline")).to_be_hidden()
        lost = [fault for fault in visitor.faults if "fetch" in fault or "ERR_INTERNET_DISCONNECTED" in fault]
        assert lost
        visitor.faults = [fault for fault in visitor.faults if fault not in lost]


def desk_shows(desk: Running, goods: str, stage: str) -> None:
    wait(lambda: desk.api("GET", f"/consignments/{goods}").json()["consignment"]["stage"] == stage, stage)
