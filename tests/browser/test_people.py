"""Can a person sign in, work under their own name, and sign out, in a real browser? The test also saves pictures, for
people who look at them after the test."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visitors
from tests.browser.goods import id_of
from tests.browser.test_console import lodged, send
from tests.console.conftest import Running
from tests.people import admit

SECRET = "correct horse battery"


def test_an_officer_signs_in_acts_in_their_own_name_and_signs_out(
    desk: Running, visitors: Visitors, tmp_path: Path
) -> None:
    admit(desk.settings.database_url, "王 关员", "targeting release", "", "0000", SECRET)
    declaration = lodged(desk, "awaiting_arrival")
    with visitors.come("zh", name="") as visitor:
        visitor.expected = {401}
        page = visitor.page
        visitor.go(f"/consignments/{id_of(declaration)}")
        expect(page).to_have_url(re.compile("/sign-in"))
        page.screenshot(path=tmp_path / "sign-in.png", full_page=True)
        page.locator("[name=account]").fill("王 关员")
        page.locator("[name=password]").fill("not the password")
        page.locator("#sign-in button").click()
        expect(page.get_by_role("alert")).to_contain_text("账户或密码不对")
        page.screenshot(path=tmp_path / "wrong.png", full_page=True)
        page.locator("[name=password]").fill(SECRET)
        page.locator("#sign-in button").click()
        expect(page).to_have_url(re.compile(id_of(declaration)))
        send(page, "hold", reason="a tip")
        expect(page.locator("#asked")).to_contain_text("扣留")
        page.locator(".holds").get_by_text("a tip").wait_for()
        page.screenshot(path=tmp_path / "goods.png", full_page=True)
        expect(page.locator("#act-withdraw")).to_have_count(0)
        expect(page.locator("#act-arrival")).to_have_count(0)
        visitor.go("/rights")
        page.screenshot(path=tmp_path / "rights.png", full_page=True)
        visitor.go(f"/consignments/{id_of(declaration)}")
        desk.app.state.authenticator.accounts.end_sessions("王 关员")  # as if he signed out in another browser
        expect(page.locator("#signed-out")).to_contain_text("登录已失效")
        expect(page.locator("#offline")).to_be_hidden()
        visitor.go("/")
        expect(page).to_have_url(re.compile("/sign-in"))
        page.locator("[name=account]").fill("王 关员")
        page.locator("[name=password]").fill(SECRET)
        page.locator("#sign-in button").click()
        expect(page).to_have_url(re.compile("/$"))
        page.locator(".person button").click()
        expect(page).to_have_url(re.compile("/sign-in"))
        visitor.go("/consignments")
        expect(page).to_have_url(re.compile("/sign-in"))


def test_a_declarant_sees_their_own_goods_and_no_board(desk: Running, visitors: Visitors, tmp_path: Path) -> None:
    own, foreign = lodged(desk, "awaiting_arrival"), lodged(desk, "awaiting_arrival")
    admit(desk.settings.database_url, "clerk", "declarant", own["declarant"], "", SECRET)
    with visitors.come("en", name="clerk") as visitor:
        visitor.expected = {404}
        visitor.go("/")
        expect(visitor.page).to_have_url(re.compile("/consignments"))
        expect(visitor.page.locator("main")).to_contain_text(own["reference"])
        assert foreign["reference"] not in visitor.page.locator("main").inner_text()
        visitor.page.screenshot(path=tmp_path / "own.png", full_page=True)
        visitor.go(f"/consignments/{id_of(foreign)}")
        expect(visitor.page.locator("main")).to_contain_text("No such consignment")
        visitor.go(f"/consignments/{id_of(own)}")
        visitor.page.screenshot(path=tmp_path / "own-goods.png", full_page=True)
