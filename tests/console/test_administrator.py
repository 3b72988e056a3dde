"""Can an administrator give and take all rights on the pages that the user of the machine can give and take by
commands? Can only administrators and auditors see who has which rights? No broker is needed."""

import re
import shutil
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from schemas.vocabulary import consignment_id
from services.console.access.account_queries import AccountQueries
from services.console.access.accounts import HOUR, Account, Accounts, SignInRefused
from services.console.access.readings import Readings
from services.console.access.rights import GIVING, READS, ROUTES, Role
from services.console.api.authentication import SESSION_COOKIE, Authenticator
from services.console.api.context import ConsoleContext
from services.console.api.request_producer import Asker
from services.console.app import create_app
from services.console.language.words import LANGUAGES, TEXTS
from services.console.pages import rendering
from services.console.pages.administrator import ACTS
from services.console.pages.sign_in import Signing
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.progress import Progress
from services.console.readmodel.queries import ReadModelQueries
from services.console.settings import ConsoleSettings
from services.shell.clock import Clock, world_us
from tests.people import admit

COMPANY, OTHER = "91370200163562681G", "91310115MA1H7L0T3Q"
HERE = "127.0.0.1:8080"
ODD = "王 关员/2?&=#%"


class Pages:
    """A console without broker and projector, and browsers that open its pages."""

    def __init__(self, url: str) -> None:
        self.settings = ConsoleSettings(database_url=url, key_seconds=0)
        self.engine = open_engine(url, writes=True)
        self.people = Accounts(self.engine)
        self.app = create_app(self.settings)
        rows, asker = ReadModelQueries(self.engine), Asker(self.settings, self.engine)
        self.app.state.authenticator, self.app.state.signing = Authenticator(self.settings, self.people), Signing()
        self.app.state.record, self.app.state.readings = AccountQueries(self.engine), Readings(self.engine)
        self.app.state.context = ConsoleContext(self.settings, rows, asker, Progress(), rows)

    def browser(self, name: str = "", language: str = "en") -> TestClient:
        """A browser in which `name` is signed in."""
        made = TestClient(self.app, base_url=f"http://{HERE}", follow_redirects=False)
        made.headers.update({"accept": "text/html", "accept-language": language})
        if name:
            made.cookies.set(SESSION_COOKIE, self.people.open_session(name, HERE, "10.0.0.1", world_us()))
        return made

    def send(self, browser: TestClient, act: str, **typed: str) -> Any:
        """Sends the form with the token of the browser's own session."""
        csrf = browser.get("/api/v1/me").json().get("csrf", "")
        return browser.post(f"/accounts/act/{act}", data={"csrf": csrf, **typed})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one account of each role, and one account whose name is hard to write in an address."""
    file = tmp_path_factory.mktemp("people") / "console.db"
    url = f"sqlite:///{file}"
    migrate(url)
    for role in Role:
        admit(url, role.value, role.value, COMPANY, "4218")
    admit(url, ODD, "inspector", "", "4218")
    return file


@pytest.fixture
def pages(filled: Path, tmp_path: Path) -> Iterator[Pages]:
    for each in filled.parent.glob(f"{filled.name}*"):
        shutil.copy(each, tmp_path)
    made = Pages(f"sqlite:///{tmp_path}/{filled.name}")
    yield made
    made.engine.dispose()


def shown(page: Any) -> str:
    """The secret on the page."""
    found = re.search(r'<pre class="code"><code>([^<]+)</code>', page.text)
    assert page.status_code == 200 and found, page.text[-3000:]
    return found[1]


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(SignInRefused) as why:
        action()
    return why.value.code


def test_each_form_of_the_table_of_rights_does_something() -> None:
    assert set(ACTS) == set(GIVING)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_says_which_one_time_passwords_are_over_and_what_is_to_be_done(pages: Pages, language: str) -> None:
    at, hour = world_us(), 3_600_000_000
    for name, hours in (("late", 73), ("in-time", 71)):
        account = Account(name, "auditor", must_change=True)
        pages.people.make(account, by="admin", at=at - hours * hour, password="made by the administrator")
    admin, auditor = pages.browser("administrator", language), pages.browser("auditor", language)
    over, good = [TEXTS[f"accounts.{key}"]._asdict()[language] for key in ("one_time_over", "one_time")]
    again, ask = [TEXTS[f"accounts.{key}"]._asdict()[language] for key in ("new_password", "ask_administrator")]

    def row(browser: TestClient, name: str) -> str:
        page = browser.get("/accounts?q=auditor").text
        return re.search(rf'<a href="/account\?name={name}"><b>.*?</tr>', page, re.DOTALL)[0]  # type: ignore[index]

    assert over in row(admin, "late") and f'<a href="/account?name=late#act-password">{again}</a>' in row(admin, "late")
    assert over in row(auditor, "late") and ask in row(auditor, "late") and "#act-password" not in row(auditor, "late")
    assert good in row(admin, "in-time") and over not in row(admin, "in-time") and "<time" in row(admin, "in-time")
    page = admin.get("/account?name=late").text
    assert over in page and 'id="act-password"' in page


def test_in_a_sandbox_it_is_said_that_accounts_and_keys_go_by_the_worlds_clock(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in LANGUAGES:
        note, admin = TEXTS["accounts.world_clock"]._asdict()[language], pages.browser("administrator", language)
        for sandbox in (False, True):
            clock = Clock(anchor=1_790_000_000, start=1_890_000_000, speed=60) if sandbox else Clock()
            monkeypatch.setattr(rendering, "CLOCK", clock)
            for path in ("/accounts", "/account?name=auditor"):
                assert (note in unescape(admin.get(path).text)) is sandbox, path


def test_an_administrator_makes_an_account_and_its_one_time_password_is_shown_once(pages: Pages) -> None:
    admin = pages.browser("administrator")
    made = pages.send(admin, "make", account="officer/9", office="4218", role_inspector="on", role_release="on")
    password = shown(made)
    assert made.headers["cache-control"] == "no-store"
    account = pages.people.account("officer/9")
    assert account is not None and (account.roles, account.office, account.must_change) == (
        "inspector release",
        "4218",
        True,
    )
    page = admin.get("/account", params={"name": "officer/9"})
    assert page.status_code == 200 and password not in page.text and "Inspector, Release officer" in page.text
    assert "cannot be shown" not in page.text
    assert pages.people.grants()[0][2:5] == ("administrator", "officer/9", "account made")
    again = pages.send(admin, "make", account="officer/9", role_auditor="on", company="kept")
    assert again.status_code == 422 and "There is an account officer/9" in again.text
    assert "This cannot be given" in again.text
    assert 'value="kept"' in again.text and 'name="role_auditor" checked' in again.text, "what was typed stays"


@pytest.mark.parametrize(
    "typed",
    [
        {"account": "x"},
        {"account": "", "role_auditor": "on"},
        {"account": "a\x00b", "role_auditor": "on"},
        {"account": "x", "role_declarant": "on"},
        {"account": "x", "role_king": "on"},
        {"account": COMPANY, "role_auditor": "on"},
        {"account": "x", "role_declarant": "on", "company": "*"},
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_not_made_and_the_page_says_why(pages: Pages, typed: dict[str, str]) -> None:
    before = len(pages.people.grants())
    answer = pages.send(pages.browser("administrator"), "make", **typed)
    assert answer.status_code == 422 and 'id="problem"' in answer.text
    assert len(pages.people.grants()) == before


def test_the_page_of_an_account_that_is_not_there_is_404_and_names_it(pages: Pages) -> None:
    answer = pages.browser("administrator").get("/account?name=nobody", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown_account")
    assert answer.json()["detail"] == "There is no account nobody."


def test_a_program_has_no_password_and_a_key_that_is_shown_once(pages: Pages) -> None:
    admin = pages.browser("administrator")
    made = pages.send(admin, "make", account="tos", company="CNTAO-4", role_terminal="on", program="on")
    assert made.status_code == 303 and made.headers["location"] == "/account?name=tos"
    key = shown(pages.send(admin, "make-key", account="tos", scope_gate="on", scope_report="on", days="30"))
    who = pages.people.key(key, world_us())
    assert (who.who.actor, sorted(who.who.scopes)) == ("tos", ["gate", "report"])
    page = admin.get("/account?name=tos").text
    assert key.split("_")[1] in page and key.split("_", 2)[2] not in page
    for wrong in ({"days": "0"}, {"days": "3651"}, {"days": "x"}, {"days": "²"}, {"days": ""}):
        answer = pages.send(admin, "make-key", account="tos", scope_gate="on", **wrong)
        assert answer.status_code == 422 and 'id="problem"' in answer.text
    assert pages.send(admin, "make-key", account="tos", days="30").status_code == 422, "good for nothing"


def test_a_key_is_rotated_with_an_overlap_and_revoked(pages: Pages) -> None:
    admin = pages.browser("administrator")
    old = shown(pages.send(admin, "make-key", account="terminal", scope_gate="on", days="30"))
    old_id = old.split("_")[1]
    form = admin.get("/account?name=terminal").text.partition("/accounts/act/rotate-key")[2]
    assert 'name="days" value="30"' in form.partition("</form>")[0], "the new key lasts as long as the old one did"
    rotated = pages.send(admin, "rotate-key", account="terminal", key_id=old_id, overlap_hours="2", days="60")
    new = shown(rotated)
    at = world_us()
    assert pages.people.key(old, at).who == pages.people.key(new, at).who
    assert refused(lambda: pages.people.key(old, at + 2 * HOUR)) == "key_expired"
    done = pages.send(admin, "revoke-key", account="terminal", key_id=new.split("_")[1])
    assert done.status_code == 303
    assert refused(lambda: pages.people.key(new, world_us())) == "key_revoked"
    page = admin.get("/account?name=terminal").text
    assert "revoked" in page and "cannot be shown" not in page
    gone = pages.send(admin, "rotate-key", account="terminal", key_id=new.split("_")[1], overlap_hours="2", days="60")
    assert gone.status_code == 422 and "There is no key" in gone.text


def test_other_roles_hold_from_the_next_request_on_and_a_stale_form_takes_nothing_back(pages: Pages) -> None:
    admin, officer = pages.browser("administrator"), pages.browser(ODD)
    assert officer.get("/watches").status_code == 403
    was = {"was_roles": "inspector", "was_company": "", "was_office": "4218"}
    done = pages.send(admin, "change", account=ODD, role_inspector="on", role_targeting="on", office="4200", **was)
    assert done.status_code == 303
    assert admin.get(done.headers["location"]).status_code == 200
    assert officer.get("/watches").status_code == 200
    stale = pages.send(admin, "change", account=ODD, role_release="on", office="4218", **was)
    assert stale.status_code == 422 and "changed meanwhile" in stale.text
    account = pages.people.account(ODD)
    assert account is not None and (account.roles, account.office) == ("targeting inspector", "4200")
    before = len(pages.people.grants())
    same = {"was_roles": "targeting inspector", "was_company": "", "was_office": "4200"}
    pages.send(admin, "change", account=ODD, role_inspector="on", role_targeting="on", office="4200", **same)
    assert len(pages.people.grants()) == before, "nothing was changed, and nothing is on record"


def test_a_key_of_a_closed_account_is_not_shown_as_in_force(pages: Pages) -> None:
    admin = pages.browser("administrator")
    key = shown(pages.send(admin, "make-key", account="terminal", scope_gate="on", days="30"))
    assert "in force" in admin.get("/account?name=terminal").text
    pages.send(admin, "close", account="terminal")
    assert refused(lambda: pages.people.key(key, world_us())) == "account_closed"
    page = admin.get("/account?name=terminal").text
    assert "its account is closed" in page and "in force" not in page
    assert "/accounts/act/revoke-key" in page and "/accounts/act/rotate-key" not in page


def test_sessions_are_ended_accounts_closed_and_opened_and_passwords_made_anew(pages: Pages) -> None:
    admin, officer = pages.browser("administrator"), pages.browser(ODD)
    assert pages.send(admin, "end-sessions", account=ODD).status_code == 303
    assert officer.get("/consignments").status_code == 303, "to the sign-in"
    officer = pages.browser(ODD)
    assert pages.send(admin, "close", account=ODD).status_code == 303
    assert officer.get("/consignments").status_code == 303
    assert pages.send(admin, "open", account=ODD).status_code == 303
    password = shown(pages.send(admin, "password", account=ODD))
    account = pages.people.account(ODD)
    assert account is not None and account.must_change and not account.closed and len(password) > 20
    assert [row.what for row in pages.people.grants()[:4]] == [
        "password set",
        "account changed",
        "account changed",
        "sessions ended",
    ]
    own = pages.send(admin, "close", account="administrator")
    assert own.status_code == 422 and "last administrator" in own.text


def test_an_agent_is_authorised_and_no_more(pages: Pages) -> None:
    admin = pages.browser("administrator")
    assert pages.send(admin, "authorise", account="agent", company=OTHER, days="30").status_code == 303
    assert OTHER in admin.get("/account?name=agent").text
    assert [row.company for row in pages.app.state.record.clients_of(COMPANY)] == [OTHER]
    assert pages.send(admin, "end-authorisation", account="agent", company=OTHER).status_code == 303
    again = pages.send(admin, "end-authorisation", account="agent", company=OTHER)
    assert again.status_code == 422 and "has not authorised" in again.text
    assert pages.send(admin, "authorise", account=ODD, company=OTHER, days="30").status_code == 422


@pytest.mark.parametrize("role", Role)
def test_only_administrators_give_rights_and_only_they_and_auditors_see_who_has_them(pages: Pages, role: Role) -> None:
    browser, before = pages.browser(role.value), len(pages.people.grants())
    sees = role in (Role.ADMINISTRATOR, Role.AUDITOR)
    for path in ("/accounts", "/account?name=terminal", "/grants"):
        page = browser.get(path)
        assert page.status_code == (200 if sees else 403)
        assert ('<form method="post" action="/accounts/act/' in page.text) is (
            role is Role.ADMINISTRATOR and path != "/grants"
        )
    if role is not Role.ADMINISTRATOR:
        for act in GIVING:
            assert pages.send(browser, act, account="terminal", role_auditor="on", days="1").status_code == 403
        assert len(pages.people.grants()) == before


@pytest.mark.parametrize("act", GIVING)
def test_every_form_carries_the_token_of_its_session_and_is_nothing_without(pages: Pages, act: str) -> None:
    admin, before = pages.browser("administrator"), len(pages.people.grants())
    typed = {"account": "terminal", "role_auditor": "on", "days": "1", "overlap_hours": "1", "key_id": "x"}
    for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
        assert admin.post(f"/accounts/act/{act}", data={**typed, **csrf}).status_code == 403
    assert len(pages.people.grants()) == before


def test_a_key_gives_rights_only_where_it_is_good_for_that(pages: Pages) -> None:
    name = {"account": "x", "role_auditor": "on", "program": "on"}
    every = ["read", "gate", "lodge", "report", "decide", "operate"]
    for scopes, status in ((every, 403), (["grant"], 303)):
        key = pages.people.make_key("administrator", by="the tests", at=world_us(), scopes=scopes)
        headers = {"Authorization": f"Bearer dtg_{key.key_id}_{key.secret}"}
        assert pages.browser().post("/accounts/act/make", data=name, headers=headers).status_code == status


def test_the_lists_come_in_pages_and_each_page_in_both_languages(pages: Pages) -> None:
    for number in range(60):
        pages.people.make(Account(f"z-{number:03}", "auditor"), by="administrator", at=world_us())
    for language, heading in (("zh", "账户与密钥"), ("en", "Accounts and keys")):
        auditor = pages.browser("auditor", language)
        first = auditor.get("/accounts")
        assert heading in first.text and "z-059" not in first.text
        following = re.search(r'href="(/accounts\?after=[^"]+)"', first.text)
        assert following and "z-059" in auditor.get(following[1]).text
        assert auditor.get("/accounts?q=z-05").text.count("/account?name=z-05") == 10
        for path in ("/grants", "/grants?account=administrator", "/account?name=auditor", "/activity", "/containers"):
            page = auditor.get(path)
            assert page.status_code == 200 and "cannot be shown" not in page.text and "无法显示" not in page.text, path
    assert pages.browser("auditor").get("/account?name=nobody").status_code == 404


def test_a_page_that_answers_a_form_is_told_in_the_other_language_under_its_own_address(pages: Pages) -> None:
    admin = pages.browser("administrator")
    page = pages.send(admin, "password", account=ODD)
    other = re.search(r'class="language" href="([^"]+)"', page.text)
    assert other
    assert admin.get(other[1].replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Those who may: Auditor, Administrator."), ("zh", "审计、管理员")]
)
def test_a_page_that_is_not_for_a_role_says_for_whom_it_is(pages: Pages, language: str, text: str) -> None:
    page = pages.browser("declarant", language).get("/accounts")
    assert page.status_code == 403 and text in page.text
    key = pages.people.make_key("auditor", by="the tests", at=world_us(), scopes=("gate",))
    headers = {"Authorization": f"Bearer dtg_{key.key_id}_{key.secret}", "accept": "application/json"}
    answer = pages.browser().get("/accounts", headers=headers).json()
    assert (answer["type"], answer["status"]) == ("/problems/no_scope", 403)
    assert "good for: read." in answer["detail"] and "所需用途：查看。" in answer["detail_zh"]


@pytest.mark.parametrize(
    ("role", "address"),
    [
        (Role.DECLARANT, "/consignments"),
        (Role.TREATMENT, "/consignments?stage=under_treatment"),
        (Role.TERMINAL, "/containers"),
        (Role.CARRIER, "/containers"),
        (Role.ADMINISTRATOR, "/accounts"),
    ],
)
def test_whoever_signs_in_is_led_to_where_their_work_is(pages: Pages, role: Role, address: str) -> None:
    browser = pages.browser(role.value)
    answer = browser.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("role", [Role.DECLARANT, Role.AGENT, Role.TREATMENT])
def test_goods_are_found_by_stage_also_by_those_who_see_no_counts(pages: Pages, role: Role) -> None:
    goods = consignment_id(COMPANY, "STAGE-1")
    row = {"declarant": COMPANY, "customs_office": "4218", "declared": "accepted", "stage": "treated"}
    with pages.engine.begin() as connection:
        connection.execute(t.CONSIGNMENTS.insert().values(consignment_id=goods, **row))
    browser = pages.browser(role.value)
    first = browser.get("/consignments").text
    assert ('href="/lodge"' in first.partition("<main")[2]) is (role is not Role.TREATMENT)
    assert 'href="/consignments?stage=under_treatment"' in first
    assert f'href="/consignments/{goods}"' in browser.get("/consignments?stage=under_treatment").text
    assert f'href="/consignments/{goods}"' not in browser.get("/consignments?stage=held").text


def test_a_terminal_finds_a_container_by_its_number(pages: Pages) -> None:
    terminal = pages.browser("terminal")
    assert 'action="/containers"' in terminal.get("/containers").text
    answer = terminal.get("/containers", params={"q": "csqu 305438-3"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/containers/CSQU3054383")
    page = terminal.get("/containers/CSQU3054383").text
    assert "not told to carriers" in page and "No consignment is known" not in page and 'id="timeline"' not in page
    officer = pages.browser("inspector").get("/containers/CSQU3054383").text
    assert "No consignment is known" in officer and 'id="timeline"' in officer


def test_a_refusal_is_told_in_the_readers_language_alone_and_leads_to_the_table_of_rights(pages: Pages) -> None:
    for language, text, others in (
        ("en", "has an office of four digits", "关区代码"),
        ("zh", "须有四位关区代码", "office of"),
    ):
        answer = pages.send(pages.browser("administrator", language), "make", account="x", role_inspector="on")
        problem_text = answer.text.partition('id="problem"')[2].partition("</div>")[0]
        assert text in problem_text and others not in problem_text
    assert 'role="button" class="quiet" href="/rights"' in pages.browser("declarant").get("/accounts").text


def noted(pages: Pages, *rows: tuple[str, str, str, int]) -> None:
    names = ("sender", "kind", "subject", "asked_us")
    made = [dict(zip(names, row, strict=True)) for row in rows]
    with pages.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert(), [{**row, "request_id": f"r{n}"} for n, row in enumerate(made)])


def test_who_did_what_is_a_page_by_person_goods_and_day_and_others_see_their_own_acts_only(pages: Pages) -> None:
    day = 1_795_017_600_000_000  # 2026-11-19 00:00 in Beijing
    noted(
        pages,
        ("inspector", "PlaceHold", "goods-1", day),
        ("inspector", "PlaceContainerHold", "CSQU3054383", day - 1),
        ("release", "LiftHold", "goods-1", day + 86_400_000_000),
        ("release", "PlaceWatch", "watches/1", day),
        ("release", "OfALaterRelease", "goods-2", day),
    )
    auditor = pages.browser("auditor")

    def acts(browser: TestClient, query: str) -> set[str]:
        page = browser.get(f"/activity?{query}")
        assert page.status_code == 200 and "cannot be shown" not in page.text
        names = {
            "Hold asked": "hold",
            "Hold on a container asked": "box",
            "Lifting of a hold asked": "lift",
            "Watch asked": "watch",
        }
        return {short for name, short in names.items() if f">{name}<" in page.text}

    assert acts(auditor, "") == {"hold", "box", "lift", "watch"}
    assert acts(auditor, "person=inspector") == {"hold", "box"}
    assert acts(auditor, "subject=goods-1") == {"hold", "lift"}
    assert acts(auditor, "day=2026-11-19") == {"hold", "watch"}
    assert acts(auditor, "person=inspector&day=2026-11-18") == {"box"}
    assert acts(pages.browser("inspector"), "") == {"hold", "box"}
    assert acts(pages.browser("inspector"), "person=release") == {"hold", "box"}, "what others asked is not shown"
    assert acts(pages.browser("declarant"), "subject=goods-1") == set()
    assert 'href="/containers/CSQU3054383?asked=r1"' in auditor.get("/activity").text
    for wrong in ("yesterday", "2026-13-01", "9999-12-31"):
        assert auditor.get(f"/activity?day={wrong}").status_code == 422


def test_who_had_a_message_that_was_set_aside_replayed_or_discarded_is_on_record(pages: Pages) -> None:
    day = 1_795_017_600_000_000  # 2026-11-19 00:00 in Beijing
    about = {"service": "release", "topic": "customs-release-requests", "partition": 0, "parked_us": day - 5}
    rows = [
        {"offset": 1, "key": "goods-1", "status": "replayed", "actor": "anna@ops: anna", "settled_us": day},
        {"offset": 2, "key": "CSQU3054383", "status": "discarded", "actor": "ben@ops: ben", "settled_us": day - 1},
        {"offset": 3, "key": "goods-1", "status": "released", "actor": "inspector", "settled_us": day + 1},
        {"offset": 4, "key": "goods-1", "status": "parked", "actor": "", "settled_us": None},
    ]
    with pages.engine.begin() as connection:
        connection.execute(t.PARKED.insert(), [about | row for row in rows])

    def lines(browser: TestClient, query: str = "") -> list[str]:
        page = browser.get(f"/activity?what=parked{query}").text
        return re.findall(r"(anna@ops: anna|ben@ops: ben|inspector)(?:</a>)?</td>", page)

    auditor = pages.browser("auditor")
    assert lines(auditor) == ["inspector", "anna@ops: anna", "ben@ops: ben"]
    assert lines(auditor, "&subject=goods-1") == ["inspector", "anna@ops: anna"]
    assert lines(auditor, "&day=2026-11-18") == ["ben@ops: ben"] == lines(auditor, "&person=ben@ops: ben")
    assert lines(pages.browser("inspector")) == ["inspector"] and lines(pages.browser("declarant")) == []
    page = auditor.get("/activity?what=parked").text
    assert "parked message replayed" in page and "parked message discarded" in page
    assert 'href="/containers/CSQU3054383"' in page and 'href="/consignments/goods-1"' in page


def test_what_is_about_one_consignment_or_container_is_among_the_addresses_whose_readings_are_noted() -> None:
    about = ("{consignment_id}", "{container_no}", "{key}")
    assert {path for method, path in ROUTES if method == "GET" and any(name in path for name in about)} <= set(READS)
    assert {("GET", path) for path in READS} <= set(ROUTES)
    assert all(not name or f"{{{name}}}" in path for path, name in READS.items())


def test_an_officers_reading_is_on_record_and_that_of_somebody_outside_customs_is_not(pages: Pages) -> None:
    goods = consignment_id(COMPANY, "READ-1")
    declared = {"consignment_id": goods, "declarant": COMPANY, "customs_office": "4218", "declared": "accepted"}
    with pages.engine.begin() as connection:
        connection.execute(t.CONSIGNMENTS.insert().values(**declared, stage="accepted"))
    for name in ("inspector", "declarant", "terminal"):
        browser = pages.browser(name)
        for path in (f"/consignments/{goods}", f"/api/v1/consignments/{goods}", "/containers/CSQU3054383", "/alarms"):
            assert browser.get(path).status_code in (200, 403), path
        unknown = browser.get(f"/consignments/{consignment_id(COMPANY, 'READ-2')}")
        assert unknown.status_code in (202, 403), "its rows are not complete"
    pages.app.state.readings.write()
    auditor = pages.browser("auditor")
    page = auditor.get("/activity?what=readings")
    assert page.status_code == 200 and "cannot be shown" not in page.text
    table = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert table.count("<tr>") == 3 and table.count(">inspector</a>") == 3
    for address in (f"/consignments/{goods}", "/containers/CSQU3054383", "/alarms"):
        assert f'href="{address}"' in table
    assert f">{goods}<" in pages.browser("inspector").get(f"/activity?what=readings&subject={goods}").text
    assert "<tbody>" not in pages.browser("release").get("/activity?what=readings").text
    of_goods = f"/activity?what=readings&amp;subject={goods}"
    assert of_goods in auditor.get(f"/consignments/{goods}").text
    assert of_goods not in pages.browser("inspector").get(f"/consignments/{goods}").text
