"""What can an attacker get who knows the code, and has an account or access to the network?"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from threading import Event
from urllib.parse import urljoin

import httpx2
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from deploy.kafka.broker import free_port
from schemas.vocabulary import consignment_id
from services.console.access.accounts import MINUTE, written
from services.console.access.demo_accounts import DEMOS, make_demos
from services.console.api.authentication import SECURE_COOKIE, SESSION_COOKIE
from services.console.api.documents import projection
from services.console.pages.sign_in import ALARMING
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import packed_position
from services.console.readmodel.progress import ProjectorStanding
from services.console.settings import ConsoleSettings
from services.shell.clock import now, world_us
from tests.console.border import DECLARANT, Border
from tests.console.quiet import LONG_SECONDS, Quiet
from tests.console.still import Still
from tests.people import admit, headers_of

BROWSER = {"accept": "text/html", "accept-language": "en"}
SECRET = "correct horse battery"
OTHER = "91310115MA1H7L0T3Q"
BOX = "RGHU0000014"
GOODS = consignment_id(DECLARANT, "ATTACK-1")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    """A console that does not cache keys, behind a proxy that it trusts, with goods of DECLARANT in a container."""
    settings = ConsoleSettings(
        kafka=f"127.0.0.1:{free_port()}",
        database_url=f"sqlite:///{tmp_path_factory.mktemp('attacks')}/c.db",
        console_port=free_port(),
        projector="own",
        gate_stale_seconds=LONG_SECONDS,
        key_seconds=0,
        trusted_proxies="127.0.0.9",
    )
    migrate(settings.database_url)
    running = Quiet(settings)
    running.start()
    admit(settings.database_url, "officer/1", "inspector targeting", "", "0000", SECRET)
    goods = {
        "consignment_id": GOODS,
        "declarant": DECLARANT,
        "reference": "ATTACK-1",
        "customs_office": "4227",
        "containers": BOX,
        "declared": "accepted",
        "word": "held",
        "bill_no": "B-1",
        "stage": "controlled",
        "waiting_for": "inspection/inspection",
        "waiting_owner": "inspection",
    }
    part = {
        "container_no": BOX,
        "consignment_id": GOODS,
        "word": "held",
        "declared": True,
        "bill_no": "B-1",
        "shared_by": 1,
    }
    fields = {
        "key": BOX,
        "kind": "ContainerHeld",
        "id": "m-1",
        "cause": "",
        "sequence": 1,
        "recorded_us": 1,
        "body": "{}",
    }
    running.run(
        t.CONSIGNMENTS.insert().values(goods),
        t.CONSIGNMENT_CONTAINERS.insert().values(part),
        t.FACTS.insert().values(place=packed_position("customs-release-containers", 0, 1), **fields),
    )
    yield running
    running.stop()


def browser(door: Quiet, address: str = "127.0.0.1", **headers: str) -> httpx2.Client:
    """A browser without cookies, whose connections come from this address."""
    transport = httpx2.HTTPTransport(local_address=address)
    return httpx2.Client(base_url=door.address, timeout=60, headers={**BROWSER, **headers}, transport=transport)


def sign_in(tab: httpx2.Client, name: str, password: str = SECRET) -> httpx2.Response:
    form = re.search(r'name="form" value="([^"]+)"', tab.get("/sign-in").text)
    assert form
    return tab.post("/sign-in", data={"form": form[1], "account": name, "password": password, "next": ""})


def ends(door: Quiet, headers: dict[str, str], what: Callable[[], None]) -> bool:
    """Opens a stream of releases, calls `what`, and returns whether the console then ends the stream."""
    client = httpx2.Client(base_url=door.address, timeout=60)
    with client, client.stream("GET", "/api/v1/releases/stream", headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        what()
        for number, _ in enumerate(lines):
            if number > 6:
                return False
    return True


def test_a_stream_goes_on_for_no_longer_than_the_right_to_it(door: Quiet) -> None:
    accounts = door.app.state.authenticator.accounts
    url = door.settings.database_url

    def terminal(name: str) -> tuple[str, dict[str, str]]:
        admit(url, name, "terminal", "CNTAO-4", "", SECRET)
        key = accounts.make_key(name, by="admin", at=world_us())
        return key.key_id, {"Authorization": f"Bearer {written(key)}"}

    key_id, headers = terminal("gate-1")
    assert ends(door, headers, lambda: accounts.revoke(key_id, by="admin", at=world_us()))
    _, headers = terminal("gate-2")
    assert ends(door, headers, lambda: accounts.change("gate-2", by="admin", at=world_us(), closed=True))
    _, headers = terminal("gate-3")
    assert ends(
        door, headers, lambda: accounts.change("gate-3", by="admin", at=world_us(), roles="treatment", office="4218")
    )
    terminal("gate-4")
    with browser(door) as tab:
        assert sign_in(tab, "gate-4").status_code == 303
        cookie = {"cookie": f"{SESSION_COOKIE}={tab.cookies[SESSION_COOKIE]}"}
        assert ends(door, cookie, lambda: accounts.end_sessions("gate-4"))


def test_somebody_who_declares_and_runs_a_terminal_reads_no_papers_of_others(door: Quiet) -> None:
    both = door.acting_as("haulier", roles="declarant terminal", company=OTHER, office="")
    page = door.http.get(f"/containers/{BOX}", headers={**BROWSER, **both})
    assert page.status_code == 200 and "ATTACK-1" not in page.text and DECLARANT not in page.text
    own = door.acting_as("haulier-2", roles="declarant terminal", company=DECLARANT, office="")
    assert f"/consignments/{GOODS}" in door.http.get(f"/containers/{BOX}", headers={**BROWSER, **own}).text


def test_the_form_that_takes_a_strike_back_names_no_goods_of_another_office(door: Quiet) -> None:
    box, own, foreign = "RGHU0000035", consignment_id(DECLARANT, "STRUCK"), consignment_id(OTHER, "STRUCK")
    for name, office in ((own, "4227"), (foreign, "2218")):
        door.run(
            t.CONSIGNMENTS.insert().values(consignment_id=name, customs_office=office),
            t.CONSIGNMENT_CONTAINERS.insert().values(container_no=box, consignment_id=name, struck=True, word="held"),
        )
    for office, named in (("4227", [True, False]), ("2218", [False, True]), ("0000", [True, True])):
        key = door.acting_as(f"strikes-{office}", roles="release", company="", office=office)
        page = door.http.get(f"/containers/{box}", headers={**BROWSER, **key}).text
        assert [each in page for each in (own, foreign)] == named


def test_a_terminal_is_not_told_what_is_asked_of_the_goods(door: Quiet) -> None:
    terminal = door.acting_as("gate-9", roles="terminal", company="CNTAO-4", office="")
    texts = [
        door.api("GET", f"/containers/{BOX}", headers=who).json()["text"]["en"] for who in (headers_of(), terminal)
    ]
    assert ["waits for" in each for each in texts] == [True, False] and "0 of 1 lots released" in texts[1]


def test_a_key_for_the_gate_question_reads_no_messages_on_pages_either(door: Quiet) -> None:
    accounts = door.app.state.authenticator.accounts
    key = accounts.make_key("officer/1", by="admin", at=world_us(), scopes=("gate",))
    headers = {**BROWSER, "Authorization": f"Bearer {written(key)}"}
    whole = door.http.get(f"/containers/{BOX}", headers={**BROWSER, **headers_of()}).text
    message = re.search(rf"/containers/{BOX}/messages/([^\"?]+)", whole)
    assert message
    assert door.http.get(message[0], headers=headers).status_code == 403
    assert message[1] not in door.http.get(f"/containers/{BOX}", headers=headers).text


@pytest.mark.parametrize("field", ["watch_id", "asked_by", "on_behalf_of", "consignment_id"])
def test_a_hold_says_nothing_that_the_console_alone_says(door: Quiet, field: str) -> None:
    """For example, if a request for a hold could name a `watch_id`, the release desk would treat the hold as one that
    this watch placed, and would lift the hold together with the watch."""
    answer = door.api(
        "POST", f"/consignments/{GOODS}/holds", headers=headers_of(), json={"reason": "a tip", field: GOODS}
    )
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [f"/{field}"])


def test_a_key_signs_nobody_out_and_changes_no_password(door: Quiet) -> None:
    """If an API key could sign its owner out or change the password, somebody with a copy of a key for gate questions
    could disturb what the owner does in the browser."""
    admit(door.settings.database_url, "officer/7", "inspector", "", "0000", SECRET)
    key = door.app.state.authenticator.accounts.make_key("officer/7", by="admin", at=world_us(), scopes=("gate",))
    headers = {**BROWSER, "Authorization": f"Bearer {written(key)}"}
    another = "another horse battery"
    with browser(door) as tab:
        assert sign_in(tab, "officer/7").status_code == 303
        typed = {"password": SECRET, "new": another, "again": another}
        for path, form in (("/sign-out", {"csrf": ""}), ("/password", typed)):
            answer = door.http.post(path, headers={**headers, "accept": "*/*"}, data=form)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not_by_key")
        assert tab.get("/api/v1/me").json()["account"] == "officer/7"
    with browser(door) as tab:
        assert sign_in(tab, "officer/7").status_code == 303, "the password is what it was"


def test_who_floods_the_sign_in_page_keeps_nobody_else_out(door: Quiet) -> None:
    stop = Event()

    def flood(number: int) -> None:
        with browser(door, "127.0.0.2") as tab:
            tries = 0
            while not stop.is_set():
                sign_in(tab, f"nobody-{number}-{tries}", "guess")
                tries += 1

    with ThreadPoolExecutor(40) as pool:
        floods = [pool.submit(flood, number) for number in range(40)]
        try:
            for _ in range(6):
                with browser(door) as tab:
                    assert sign_in(tab, "officer/1").status_code == 303
        finally:
            stop.set()
        for each in floods:
            each.result()


def test_a_name_with_signs_that_no_database_takes_is_nobodys(door: Quiet) -> None:
    with browser(door) as tab:
        for name in ("officer/1\0", "\0", "officer/1\ufffd", "x" * 5000, "' or 1=1 --", "officer/%"):
            assert sign_in(tab, name).status_code == 401


def test_what_was_typed_as_a_name_stands_in_no_log_unless_it_is_one(door: Quiet) -> None:
    admit(door.settings.database_url, "officer/9", "inspector", "", "0000", SECRET)
    accounts = door.app.state.authenticator.accounts
    with capture_logs() as lines:
        for name in ("my own password by mistake", "officer/9"):
            for _ in range(ALARMING - 1):
                accounts.failed(name, "127.0.0.7", world_us() - 5 * MINUTE)
            with browser(door, "127.0.0.7") as tab:
                assert sign_in(tab, name, "guess").status_code == 401
    alarms = [each for each in lines if each["event"] == "somebody tries passwords"]
    assert [each["account"] for each in alarms] == ["(none of this name)", "officer/9"]


def test_accounts_of_a_sandbox_are_nobody_where_the_clock_is_the_worlds(door: Quiet) -> None:
    accounts = door.app.state.authenticator.accounts
    make_demos(accounts, sandbox=True)
    name = DEMOS[0].account
    accounts.set_password(name, SECRET, by=name, at=world_us())
    key = accounts.make_key(name, by="somebody", at=world_us())
    cookie = accounts.open_session(name, door.address.removeprefix("http://"), "127.0.0.1", world_us())
    with browser(door) as tab:
        assert sign_in(tab, name).status_code == 401
    shown = ({"Authorization": f"Bearer {written(key)}"}, {"cookie": f"{SESSION_COOKIE}={cookie}"})
    for headers in shown:
        with httpx2.Client(base_url=door.address) as client:
            answer = client.get("/api/v1/me", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/account_closed")


def test_over_tls_a_neighbour_can_put_no_cookie_of_its_own_in_the_place_of_the_session(door: Quiet) -> None:
    with browser(door, "127.0.0.9", **{"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}) as tab:
        form = tab.get("/sign-in")
        token = re.search(r'name="form" value="([^"]+)"', form.text)
        loaded = re.search(r"dtg_form=([^;]+)", str(form.headers.get_list("set-cookie")))
        assert token and loaded and "Secure" in str(form.headers.get_list("set-cookie"))
        typed = {"form": token[1], "account": "officer/1", "password": SECRET}
        done = tab.post("/sign-in", data=typed, headers={"cookie": f"dtg_form={loaded[1]}"})
        header = next(each for each in done.headers.get_list("set-cookie") if SESSION_COOKIE in each)
        assert (
            header.startswith(f"{SECURE_COOKIE}=")
            and "Secure" in header
            and "Path=/" in header
            and "Domain" not in header
        )
        session = header.partition("=")[2].partition(";")[0]
        assert tab.get("/api/v1/me", headers={"cookie": f"{SECURE_COOKIE}={session}"}).status_code == 200
        assert tab.get("/api/v1/me", headers={"cookie": f"{SESSION_COOKIE}={session}"}).status_code == 401


def test_over_tls_a_page_of_the_same_name_without_tls_is_another_site(door: Quiet) -> None:
    own = door.address.removeprefix("http://")
    goods = []
    with browser(door, "127.0.0.9", **{"x-forwarded-proto": "https", "accept": "*/*"}) as tab:
        for scheme in ("http", "https"):
            answer = tab.post("/sign-in", headers={"origin": f"{scheme}://{own}"}, data={"form": ""})
            goods.append(answer.json()["type"])
    assert goods == ["/problems/cross_site", "/problems/form_of_another"]


def test_of_two_sessions_in_one_request_none_is_believed(door: Quiet) -> None:
    accounts = door.app.state.authenticator.accounts
    host = door.address.removeprefix("http://")
    one, two = [accounts.open_session("officer/1", host, "127.0.0.1", world_us()) for _ in range(2)]
    with httpx2.Client(base_url=door.address) as client:
        both = client.get("/api/v1/me", headers={"cookie": f"{SESSION_COOKIE}={one}; {SESSION_COOKIE}={two}"})
        assert both.status_code == 401
        assert client.get("/api/v1/me", headers={"cookie": f"{SESSION_COOKIE}={one}; other=1"}).status_code == 200


def test_the_address_that_a_client_claims_gives_it_no_further_guesses(door: Quiet) -> None:
    admit(door.settings.database_url, "officer/8", "inspector", "", "0000", SECRET)
    for number in range(3):
        with browser(door, **{"x-forwarded-for": f"192.0.2.{number}", "forwarded": f"for=192.0.2.{number}"}) as tab:
            assert sign_in(tab, "officer/8", "guess").status_code == 401
    engine = open_engine(door.settings.database_url)
    with engine.begin() as connection:
        query = select(t.SIGN_INS.c.address, t.SIGN_INS.c.failures).where(t.SIGN_INS.c.account == "officer/8")
        counted = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    assert counted == [("127.0.0.1", 3)]


@pytest.mark.parametrize(
    "path", ["//evil.example", "/%5Cevil.example", "///evil.example/x", "/%2F/evil.example", "/%09/evil.example"]
)
def test_no_page_links_to_another_site_because_its_address_says_so(door: Quiet, path: str) -> None:
    with browser(door) as tab:
        request = tab.build_request("GET", door.address)
        request.url = request.url.copy_with(raw_path=path.encode())
        page = tab.send(request)
    links = [
        urljoin(f"{door.address}{path}", unescape(each))
        for each in re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
    ]
    assert page.status_code == 404 and len(links) > 5
    assert [each for each in links if not each.startswith(f"{door.address}/")] == []
    assert not re.search(r'href="/[\\\\/\s]', page.text)


def test_nobody_outside_reads_the_names_of_hosts_users_and_files_in_what_keeps_the_rows_back() -> None:
    error = (
        'database: connection to server at "10.1.2.3", port 5432 failed: password authentication failed for user "dtg"'
    )
    shown = projection(ProjectorStanding(now(), 1.0, 0, error)).model_dump_json()
    assert json.loads(shown)["trouble"] == "database" and "10.1.2.3" not in shown


def test_an_account_of_two_roles_is_not_told_what_goods_of_others_wait_for(door: Quiet) -> None:
    """A terminal may ask about each container, and a declarant or treatment unit is told what its own goods wait for."""

    def waits_named(name: str, roles: str, company: str, office: str = "") -> bool:
        key = door.acting_as(name, roles=roles, company=company, office=office)
        return "waits for" in door.api("GET", f"/containers/{BOX}", headers=key).json()["text"]["en"]

    assert waits_named("own-goods", "declarant terminal", DECLARANT) and waits_named(
        "own-office", "treatment terminal", "T-1", "4227"
    )
    assert not waits_named("other-goods", "declarant terminal", OTHER)
    assert not waits_named("other-office", "treatment terminal", "T-1", "2218")


def test_an_account_of_two_roles_is_told_no_more_of_goods_of_others_by_its_own_reports(tmp_path: Path) -> None:
    """The answers to a report of an arrival may contain what only the declarant of the goods may see."""
    goods = Border("HELD-1").lodged().accepted().assessed().arrival_reported()
    report = goods.messages[-2]
    goods.messages.pop()
    goods.held("inspection/inspection")
    still = Still(tmp_path)
    still.tell(goods.messages)
    row = {"request_id": report.id, "kind": report.kind, "subject": goods.id, "asked_us": 1}
    with still.store.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert().values(row))
    for company, roles, hold_ids in (
        (OTHER, "declarant terminal", [None]),
        (DECLARANT, "declarant terminal", ["inspection/inspection"]),
        (OTHER, "terminal", [None]),
    ):
        name = f"haulier-{company[-1]}-{len(roles)}"
        admit(still.url, name, roles, company, "")
        with still.store.engine.begin() as connection:
            connection.execute(t.LODGEMENTS.update().values(sender=name))
        answer = still.get(f"/api/v1/requests/{report.id}", name=name).json()
        held = next(each for each in answer["answers"] if each["kind"] == "ConsignmentHeld")
        assert [each.get("hold_id") for each in held["body"]["holds"]] == hold_ids, (company, roles)
    still.stop()
