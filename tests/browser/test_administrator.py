"""Can an administrator give a person and a program access, in a real browser, and can the person and the program then
work?"""

import re
from pathlib import Path

import httpx2
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.console.conftest import Running
from tests.people import admit

SECRET, OWN = "correct horse battery", "a password of my own"


def sign_in(page: Page, name: str, password: str) -> None:
    page.locator("[name=account]").fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("#sign-in button").click()


def opened(page: Page, act: str) -> None:
    page.locator(f"#act-{act} > summary").click()


def test_an_administrator_lets_an_officer_and_a_program_in_and_out(
    desk: Running, visitors: Visitors, tmp_path: Path
) -> None:
    admit(desk.settings.database_url, "chief", "administrator", "", "", SECRET)
    with visitors.come("en", name="") as visitor:
        page = visitor.page
        visitor.go("/")
        sign_in(page, "chief", SECRET)
        expect(page).to_have_url(re.compile("/accounts$"))
        opened(page, "make")
        form = page.locator("#act-make")
        form.locator("[name=account]").fill("officer/77")
        form.locator("[name=office]").fill("4218")
        form.locator("[name=role_inspector]").check()
        page.screenshot(path=tmp_path / "accounts.png", full_page=True)
        form.get_by_role("button").click()
        password = page.locator("#secret pre").inner_text().strip()
        page.screenshot(path=tmp_path / "password.png", full_page=True)
        page.locator("#secret [role=button]").click()
        expect(page.locator("h1")).to_contain_text("officer/77")
        assert password not in page.content()
        opened(page, "make-key")
        key_form = page.locator("#act-make-key")
        key_form.locator("[name=scope_read]").check()
        key_form.get_by_role("button").click()
        key = page.locator("#secret pre").inner_text().strip()
        page.locator("#secret [role=button]").click()
        expect(page.locator(".holds")).to_contain_text(key.split("_")[1])
        page.screenshot(path=tmp_path / "account.png", full_page=True)
        bearer = {"Authorization": f"Bearer {key}"}
        assert httpx2.get(f"{desk.address}/api/v1/me", headers=bearer).json()["account"] == "officer/77"

        with visitors.come("en", name="") as other:
            officer = other.page
            other.go("/")
            sign_in(officer, "officer/77", password)
            expect(officer).to_have_url(re.compile("/password$"))
            for field, typed in (("password", password), ("new", OWN), ("again", OWN)):
                officer.locator(f"[name={field}]").fill(typed)
            officer.locator("#password button").click()
            expect(officer.locator("nav [aria-current]")).to_have_text("Board")
            # The board polls the console by itself. As soon as the session has ended, this poll gets 401.
            other.expected = {401}
            opened(page, "end-sessions")
            page.locator("#act-end-sessions").get_by_role("button").click()
            expect(page.locator("#given").locator("..")).to_contain_text("sessions ended")
            other.go("/consignments")
            expect(officer).to_have_url(re.compile("/sign-in"))

        opened(page, "close")
        page.locator("#act-close").get_by_role("button").click()
        expect(page.locator("h1")).to_contain_text("closed")
        visitor.go("/grants?account=officer%2F77")
        expect(page.locator("tbody tr")).to_have_count(5)
        page.screenshot(path=tmp_path / "grants.png", full_page=True)
