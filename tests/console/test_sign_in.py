"""Is a wrong password refused, without harm for anybody else, and does each person read what was wrong?"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from deploy.kafka.broker import free_port
from schemas.vocabulary import consignment_id
from services.console.access.accounts import HOUR, SECOND, SHORTEST_PASSWORD, written
from services.console.access.demo_accounts import DEMOS, PASSWORD, make_demos
from services.console.api.authentication import FORBIDDEN_WITHOUT_TOKEN, SESSION_COOKIE
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell.clock import world_us
from tests.conftest import PARTITIONS
from tests.console.border import DECLARANT, Border, publish
from tests.console.conftest import Running
from tests.console.test_api import paper, requests_under
from tests.people import admit

BROWSER = {"accept": "text/html", "accept-language": "en"}
SECRET = "correct horse battery"
GOODS = consignment_id(DECLARANT, "SIGN-1")


@pytest.fixture(scope="module")
def door(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yields a console that does not cache API keys, with two officers and a clerk, each with a password."""
    settings = ConsoleSettings(
        kafka=bootstrap,
        partitions=PARTITIONS,
        database_url=f"sqlite:///{tmp_path_factory.mktemp('signing')}/c.db",
        console_port=free_port(),
        key_seconds=0,
        allowed_hosts="customs.example",
    )
    migrate(settings.database_url)
    running = Running(settings)
    running.start()
    url = settings.database_url
    admit(url, "officer/1", "inspector targeting", "", "0000", SECRET)
    admit(url, "officer/2", "inspector", "", "0000", SECRET)
    admit(url, "clerk", "declarant", DECLARANT, "", SECRET)
    publish(bootstrap, Border("SIGN-1").lodged().accepted().messages)
    running.catch_up()
    yield running
    running.stop()


OPEN: list[httpx2.Client] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes every browser of a test at its end."""
    yield
    while OPEN:
        OPEN.pop().close()


def tab(door: Running) -> httpx2.Client:
    """A new browser without cookies."""
    OPEN.append(httpx2.Client(base_url=door.address, timeout=60, headers=BROWSER))
    return OPEN[-1]


def sign_in(browser: httpx2.Client, name: str, password: str = SECRET, next: str = "") -> httpx2.Response:
    form = re.search(r'name="form" value="([^"]+)"', browser.get("/sign-in").text)
    assert form
    typed = {"form": form[1], "account": name, "password": password, "next": next}
    return browser.post("/sign-in", data=typed)


def signed_in(door: Running, name: str) -> httpx2.Client:
    browser = tab(door)
    assert sign_in(browser, name).status_code == 303
    return browser


def token(browser: httpx2.Client) -> str:
    return str(browser.get("/api/v1/me").json()["csrf"])


def code(answer: httpx2.Response) -> str:
    """The code of the problem, which must be shown in both languages."""
    body = answer.json()
    assert body["status"] == answer.status_code and all(body[w] for w in ("title", "title_zh", "detail", "detail_zh"))
    return str(body["type"]).removeprefix("/problems/")


def hold(browser: httpx2.Client, goods: str, **typed: str) -> httpx2.Response:
    return browser.post(f"/consignments/{goods}/act/hold", data={"reason": "a tip", **typed})


def holds(door: Running, goods: str) -> int:
    return len(requests_under(door.settings.kafka, "customs-release-requests", goods))


def test_whoever_is_not_signed_in_is_led_to_where_one_signs_in_and_comes_back(door: Running) -> None:
    with tab(door) as browser:
        answer = browser.get(f"/consignments/{GOODS}?only=all")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/sign-in?next=%2Fconsignments%2F{GOODS}%3Fonly%3Dall"
        done = sign_in(browser, "officer/1", next=f"/consignments/{GOODS}?only=all")
        assert (done.status_code, done.headers["location"]) == (303, f"/consignments/{GOODS}?only=all")
        page = browser.get(done.headers["location"])
        assert page.status_code == 200 and "officer/1" in page.text and "Sign out" in page.text
    with httpx2.Client(base_url=door.address) as program:
        answer = program.get("/api/v1/stages")
        assert (answer.status_code, code(answer)) == (401, "not_signed_in")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\r\nX: y"])
def test_a_sign_in_leads_to_no_other_site(door: Running, next: str) -> None:
    with tab(door) as browser:
        assert sign_in(browser, "officer/1", next=next).headers["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(door: Running) -> None:
    with tab(door) as browser:
        cookie = next(c for c in sign_in(browser, "clerk").headers.get_list("set-cookie") if SESSION_COOKIE in c)
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


def test_wrong_names_and_wrong_passwords_are_told_in_the_same_words(door: Running) -> None:
    with tab(door) as browser:
        answers = [sign_in(browser, "clerk", "not the password"), sign_in(browser, "nobody", "not the password")]
    forms = [answer.text.partition('id="sign-in"')[2].partition("</form>")[0] for answer in answers]
    texts = [re.sub(r'value="[^"]*"', "", form) for form in forms]
    assert (
        "The account or the password is wrong" in texts[0]
        and [answer.status_code for answer in answers] == [401, 401]
        and texts[0] == texts[1]
    )


def test_a_sign_in_that_is_tried_again_and_again_waits_and_nobody_else_does(door: Running) -> None:
    with tab(door) as browser:
        tried = [sign_in(browser, "officer/2", f"guess number {n}") for n in range(12)]
        assert [each.status_code for each in tried[:5]] == [401] * 5
        assert tried[-1].status_code == 429 and int(tried[-1].headers["retry-after"]) >= 1
        assert sign_in(browser, "officer/2").status_code == 429, "also with the right one: nothing is compared"
        assert sign_in(browser, "officer/1").status_code == 303, "another name from the same address"
    transport = httpx2.HTTPTransport(local_address="127.0.0.2")
    with httpx2.Client(base_url=door.address, headers=BROWSER, transport=transport, timeout=60) as elsewhere:
        assert sign_in(elsewhere, "officer/2").status_code == 303, "the same name from another address"
    metrics = door.http.get("/metrics").text
    assert re.search(r'customs_console_sign_ins_total\{outcome="slowed"\} [1-9]', metrics)


def test_many_tries_at_once_are_one_try(door: Running) -> None:
    admit(door.settings.database_url, "officer/3", "inspector", "", "0000", SECRET)

    def attempt(number: int) -> int:
        with tab(door) as browser:
            return sign_in(browser, "officer/3", f"guess number {number}").status_code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(24)))
    assert set(found) <= {401, 429} and found.count(401) <= 8


def test_the_event_loop_answers_while_passwords_are_compared(door: Running) -> None:
    def attempt(number: int) -> int:
        with tab(door) as browser:
            return sign_in(browser, f"nobody-{number}", "guess").status_code

    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(attempt, number) for number in range(16)]
        count = 0
        while not all(each.done() for each in tries):
            assert door.http.get("/livez").status_code == 200
            count += 1
        assert {each.result() for each in tries} <= {401, 503} and count > len(tries)


def test_signing_out_ends_the_session_in_every_browser(door: Running) -> None:
    here, there = signed_in(door, "clerk"), signed_in(door, "clerk")
    out = here.post("/sign-out", data={"csrf": token(here)})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert there.get("/consignments").status_code == 303
    answer = there.get("/api/v1/me")
    assert (answer.status_code, code(answer)) == (401, "session_unknown")


def test_a_form_of_another_sign_in_does_nothing_in_the_wrong_name(door: Running) -> None:
    """Two people sign in in two tabs of one browser; the form of the first is sent after the second has signed in."""
    browser = signed_in(door, "officer/1")
    form = token(browser)
    assert sign_in(browser, "clerk").status_code == 303
    before = holds(door, GOODS)
    answer = hold(browser, GOODS, csrf=form)
    assert answer.status_code == 403 and "belongs to another sign-in" in answer.text
    assert holds(door, GOODS) == before


def test_every_change_by_a_session_needs_the_sessions_own_token(door: Running) -> None:
    browser = signed_in(door, "officer/1")
    before = holds(door, GOODS)
    for typed in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}):
        assert hold(browser, GOODS, **typed).status_code == 403
    body = {"reason": "a tip"}
    for more in ({}, {"X-CSRF-Token": "0" * 64}):
        answer = browser.post(f"/api/v1/consignments/{GOODS}/holds", json=body, headers=more)
        assert (answer.status_code, code(answer)) == (403, FORBIDDEN_WITHOUT_TOKEN)
    assert holds(door, GOODS) == before
    headers = {"X-CSRF-Token": token(browser)}
    assert browser.post(f"/api/v1/consignments/{GOODS}/holds", json=body, headers=headers).status_code == 202
    assert hold(browser, GOODS, csrf=token(browser)).status_code == 303
    assert holds(door, GOODS) == before + 2


def test_a_sign_in_form_that_was_not_loaded_here_signs_nobody_in(door: Running) -> None:
    with tab(door) as browser:
        answer = browser.post("/sign-in", data={"form": "-", "account": "clerk", "password": SECRET})
        assert answer.status_code == 403 and SESSION_COOKIE not in str(answer.headers.get_list("set-cookie"))


def test_a_role_that_is_changed_in_mid_session_holds_at_once_and_what_was_typed_is_not_taken_in(door: Running) -> None:
    admit(door.settings.database_url, "officer/4", "targeting", "", "0000", SECRET)
    browser = signed_in(door, "officer/4")
    form, before = token(browser), holds(door, GOODS)
    assert hold(browser, GOODS, csrf=form).status_code == 303
    door.app.state.authenticator.accounts.change("officer/4", by="admin", at=world_us(), roles="auditor")
    answer = hold(browser, GOODS, csrf=form)
    assert answer.status_code == 403 and "You do not have this right" in answer.text
    assert holds(door, GOODS) == before + 1


def test_a_cookie_that_was_copied_to_another_host_name_is_no_session_and_ends_the_one_it_was(door: Running) -> None:
    browser = signed_in(door, "clerk")
    cookie = browser.cookies[SESSION_COOKIE]
    with httpx2.Client(base_url=door.address) as thief:
        headers = {"host": "customs.example", "cookie": f"{SESSION_COOKIE}={cookie}"}
        answer = thief.get("/api/v1/me", headers=headers)
        assert (answer.status_code, code(answer)) == (401, "session_other_host")
    answer = browser.get("/api/v1/me")
    assert (answer.status_code, code(answer)) == (401, "session_unknown")


@pytest.mark.parametrize("cookie", ["A" * 43, "", "x", "'; --", "A" * 4000])
def test_a_guessed_session_is_unknown(door: Running, cookie: str) -> None:
    with httpx2.Client(base_url=door.address) as guesser:
        answer = guesser.get("/api/v1/me", headers={"cookie": f"{SESSION_COOKIE}={cookie}"})
        assert answer.status_code == 401 and code(answer) in ("session_unknown", "not_signed_in")


@pytest.mark.parametrize("shown", ["Bearer", "Bearer x", "Basic dXNlcjpwdw==", "Bearer dtg_nobody_" + "x" * 43, "é"])
def test_what_is_no_key_is_answered_so(door: Running, shown: str) -> None:
    with httpx2.Client(base_url=door.address) as program:
        answer = program.get("/api/v1/stages", headers={b"authorization": shown.encode("latin-1")})
        assert (answer.status_code, code(answer)) == (401, "key_unknown")


def test_an_expired_and_a_revoked_key_take_nothing_in_and_say_so(door: Running) -> None:
    accounts, at = door.app.state.authenticator.accounts, world_us()
    expired = accounts.make_key("clerk", by="admin", at=at - 2 * HOUR, ends_us=at - HOUR)
    revoked = accounts.make_key("clerk", by="admin", at=at)
    accounts.revoke(revoked.key_id, by="admin", at=at)
    clock = accounts.make_key("clerk", by="admin", at=at + HOUR)
    declaration = paper("SIGN-KEY")
    for key, why in ((expired, "key_expired"), (revoked, "key_revoked"), (clock, "clock_set_back")):
        headers = {"Authorization": f"Bearer {written(key)}"}
        answer = door.api("POST", "/declarations", json=declaration, headers=headers)
        assert (answer.status_code, code(answer)) == (401, why)
    goods = consignment_id(DECLARANT, "SIGN-KEY")
    assert not requests_under(door.settings.kafka, "customs-declaration-requests", goods)


def test_a_key_may_no_more_than_its_scopes(door: Running) -> None:
    accounts = door.app.state.authenticator.accounts
    key = accounts.make_key("clerk", by="admin", at=world_us(), scopes=("read",))
    headers = {"Authorization": f"Bearer {written(key)}"}
    assert door.api("GET", f"/consignments/{GOODS}", headers=headers).status_code == 200
    answer = door.api("POST", "/declarations", json=paper("SIGN-SCOPE"), headers=headers)
    assert (answer.status_code, code(answer)) == (403, "no_scope")


def test_a_key_that_is_remembered_is_good_for_no_longer_than_it_may_be(door: Running) -> None:
    accounts, remembering = door.app.state.authenticator.accounts, door.app.state.authenticator
    key = accounts.make_key("clerk", by="admin", at=world_us(), ends_us=world_us() + 3 * SECOND)
    remembering._seconds = 300.0
    try:
        headers = {"Authorization": f"Bearer {written(key)}"}
        assert door.api("GET", "/me", headers=headers).status_code == 200
        answers: list[Any] = []
        while not answers or answers[-1].status_code == 200:
            answers.append(door.api("GET", "/me", headers=headers))
        assert code(answers[-1]) == "key_expired"
    finally:
        remembering._seconds = 0.0


def test_a_one_time_password_opens_nothing_but_the_page_on_which_it_is_changed(door: Running) -> None:
    accounts = door.app.state.authenticator.accounts
    admit(door.settings.database_url, "officer/5", "inspector", "", "0000", SECRET)
    accounts.set_password("officer/5", "a one-time password", by="admin", at=world_us())
    with tab(door) as browser:
        assert sign_in(browser, "officer/5", "a one-time password").headers["location"] == "/password"
        assert browser.get("/consignments").headers["location"] == "/password"
        api = browser.get("/api/v1/stages")
        assert (api.status_code, code(api)) == (403, "password_to_change")
        form = token(browser)
        for new, again, status in (("short", "short", 422), ("a" * SHORTEST_PASSWORD, "b" * SHORTEST_PASSWORD, 422)):
            typed = {"csrf": form, "password": "a one-time password", "new": new, "again": again}
            assert browser.post("/password", data=typed).status_code == status
        typed = {"csrf": form, "password": "wrong", "new": "my own password", "again": "my own password"}
        assert browser.post("/password", data=typed).status_code == 401
        typed["password"] = "a one-time password"
        assert browser.post("/password", data=typed).status_code == 303
        assert browser.get("/consignments").status_code == 200


def test_published_passwords_and_keys_are_refused_where_the_clock_is_the_worlds(door: Running) -> None:
    # The accounts are those of a demo. The console runs without the demo's clock.
    make_demos(door.app.state.authenticator.accounts, sandbox=True)
    with tab(door) as browser:
        assert sign_in(browser, DEMOS[0].account, PASSWORD).status_code == 401
        assert DEMOS[0].account not in browser.get("/sign-in").text
    answer = door.api("GET", "/me", headers={"Authorization": f"Bearer {written(DEMOS[0].key)}"})
    assert (answer.status_code, code(answer)) == (401, "key_unknown")
