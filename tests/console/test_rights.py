"""Is every address and every kind of request in the table of rights, and does the console do what the table says, for
each role?"""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from deploy.kafka.broker import free_port
from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    StrikeLot,
)
from schemas.inspection import CorrectFindings, RecordFindings, RetractFindings
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
)
from schemas.release import LiftHold, LiftWatch, PlaceHold, PlaceWatch, ReportArrival, RetractArrival, RetractLift
from schemas.topics import FACTS_AND_REQUESTS
from schemas.vocabulary import consignment_id
from services.console.access.rights import ASKS, FORMS, REACH, ROUTES, AccessRule, Open, Reach, Role
from services.console.api.requests import BODIES
from services.console.pages.forms import ACTS, BOX_ACTS
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.border import DECLARANT, Border, publish
from tests.console.conftest import Running
from tests.console.test_api import paper, requests_under

OTHER = "91310115MA1H7L0T3Q"
BOX = "RGHU0000014"
JSON = {"Content-Type": "application/json"}
GOODS, BOXES = "/api/v1/consignments/{consignment_id}", "/api/v1/containers/{container_no}"
BY_PATH: dict[type[Request], str] = {
    WithdrawDeclaration: f"{GOODS}/withdrawal",
    RecordFindings: f"{GOODS}/findings",
    CorrectFindings: f"{GOODS}/findings/correction",
    RetractFindings: f"{GOODS}/findings/retraction",
    RecordTreatment: f"{GOODS}/treatments",
    CorrectTreatment: f"{GOODS}/treatments/correction",
    RetractTreatment: f"{GOODS}/treatments/retraction",
    DecideTreatment: f"{GOODS}/treatment-decisions",
    RetractTreatmentDecision: f"{GOODS}/treatment-decisions/retraction",
    PlaceHold: f"{GOODS}/holds",
    LiftHold: f"{GOODS}/holds/lift",
    RetractLift: f"{GOODS}/holds/lift/retraction",
    RecordContainerFinding: f"{BOXES}/findings",
    RetractContainerFinding: f"{BOXES}/findings/retraction",
    StrikeLot: f"{BOXES}/strikes",
    RetractStrike: f"{BOXES}/strikes/retraction",
    PermitExit: f"{BOXES}/permits",
    PlaceContainerHold: f"{BOXES}/holds",
    LiftContainerHold: f"{BOXES}/holds/{{hold_id}}/lift",
}
"""Kind of a request about somebody's goods → the address to which it is sent."""
OF_NOBODYS_GOODS = {
    LodgeDeclaration,
    ReportArrival,
    RetractArrival,
    RecordEquipmentEvent,
    RetractEquipmentEvent,
    RecordGateOut,
    PlaceWatch,
    LiftWatch,
}
"""Kinds of requests for which it does not matter to whom stored goods belong. A lodgement is checked by its declarant;
carriers and terminals reach containers, not goods; a watch is about goods that are not known yet."""
OFFICES = [role for role in Role if REACH[role] is Reach.OFFICE]


@pytest.fixture(scope="module")
def door(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console with goods that DECLARANT declared at office 4227, in a container of their own."""
    folder = tmp_path_factory.mktemp("rights")
    settings = ConsoleSettings(
        kafka=bootstrap, partitions=PARTITIONS, database_url=f"sqlite:///{folder}/c.db", console_port=free_port()
    )
    migrate(settings.database_url)
    running = Running(settings)
    running.start()
    publish(bootstrap, Border("RIGHTS", (BOX,)).lodged().accepted().assessed().held("arrival").messages)
    running.catch_up()
    yield running
    running.stop()


def as_role(door: Running, role: Role, *, own: bool) -> dict[str, str]:
    """The headers of an account with this role; `own`: whether the account has the company of the goods, and their
    office."""
    company = DECLARANT if own else OTHER
    office = "4227" if own else "2218"
    return door.acting_as(f"{role}-{own}", roles=role.value, company=company, office=office)


def concrete(path: str) -> str:
    """The path with the goods and the container of these tests filled in."""
    goods = consignment_id(DECLARANT, "RIGHTS")
    for name, value in (
        ("consignment_id", goods),
        ("container_no", BOX),
        ("key", BOX if path.startswith("/containers") else goods),
        ("message_id", "none"),
        ("report_id", "none"),
        ("hold_id", "none"),
        ("watch_id", "none"),
        ("request_id", goods),
        ("act", "hold"),
    ):
        path = path.replace(f"{{{name}}}", value)
    return path


def send(door: Running, method: str, path: str, **headers: str) -> httpx2.Response:
    more: Any = {"content": b"{}", "headers": {**JSON, **headers}} if method == "POST" else {"headers": headers}
    with httpx2.Client(base_url=door.address, timeout=60) as client:
        if path.endswith("/stream"):
            with client.stream(method, path, **more) as answer:
                if answer.status_code != 200:
                    answer.read()
                return answer
        return client.request(method, path, **more)


def test_each_kind_of_request_that_the_console_sends_has_a_row_and_no_other_has() -> None:
    acts = {"consignments": ACTS, "containers": BOX_ACTS}
    assert {page: {act: kind for act, (kind, _) in kinds.items()} for page, kinds in acts.items()} == {
        page: acts for page, acts in FORMS.items() if page != "watches"
    }
    assert FORMS["watches"] == {"place": PlaceWatch, "lift": LiftWatch}
    sent = {*BODIES, *FORMS["watches"].values(), *[kind for kind, _ in (*ACTS.values(), *BOX_ACTS.values())]}
    taken = {kind for topic in FACTS_AND_REQUESTS if topic.role == "requests" for kind in topic.carries}
    assert sent <= set(ASKS) and set(ASKS) == taken
    assert all(right.roles for right in ASKS.values())
    assert set(BY_PATH) | OF_NOBODYS_GOODS == set(ASKS) and not set(BY_PATH) & OF_NOBODYS_GOODS


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: str(each))
def test_nobody_gets_in_without_a_right_and_everybody_where_it_is_open(door: Running, method: str, path: str) -> None:
    status = send(door, method, concrete(path)).status_code
    if isinstance(ROUTES[method, path], Open):
        assert status not in (401, 403) or (method, path) == ("POST", "/sign-in")
    else:
        assert status == 401


@pytest.mark.parametrize("role", Role)
def test_every_address_is_open_to_those_roles_alone_that_the_table_names(door: Running, role: Role) -> None:
    key = as_role(door, role, own=True)
    wrong = []
    for (method, path), right in ROUTES.items():
        if isinstance(right, AccessRule) and path not in ("/sign-out", "/password"):
            answer = send(door, method, concrete(path), **key)
            refused = answer.status_code == 403 and ("no_right" in answer.text or "no_scope" in answer.text)
            may = not right.roles or role in right.roles
            if "{act}" in path:
                may = may and role in ASKS[(ACTS if path.startswith("/consignments") else BOX_ACTS)["hold"][0]].roles
                # The console checks the media type of a form before it knows the act. So a role without the right may
                # get 415.
                refused = refused or answer.status_code == 415 and not may
            if refused is may or answer.status_code in (401, 500):
                wrong.append((method, path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", [role for role in Role if REACH[role] in (Reach.COMPANY, Reach.OFFICE)])
def test_goods_of_another_company_or_office_are_answered_as_unknown(door: Running, role: Role) -> None:
    goods, nobody = consignment_id(DECLARANT, "RIGHTS"), consignment_id(DECLARANT, "NOBODY-AT-ALL")
    own, foreign = as_role(door, role, own=True), as_role(door, role, own=False)
    for path in ("", "/timeline"):
        address = f"/api/v1/consignments/{goods}{path}"
        assert send(door, "GET", address, **own).status_code == 200
        answer = send(door, "GET", address, **foreign)
        unknown = send(door, "GET", address.replace(goods, nobody), **foreign)
        assert answer.status_code == unknown.status_code == 404
        assert answer.json()["type"] == unknown.json()["type"] == "/problems/unknown_consignment"
    for name in (goods, "RIGHTS", BOX):
        found = [send(door, "GET", f"/api/v1/consignments?q={name}", **who).json() for who in (own, foreign)]
        assert [len(each["consignments"]) for each in found] == [1, 0]
    boxes = [send(door, "GET", f"/api/v1/containers/{BOX}", **who).json() for who in (own, foreign)]
    assert boxes[0]["consignments"] == [goods] and boxes[1]["reason"] == "unknown" and not boxes[1]["consignments"]
    page = send(door, "GET", f"/consignments/{goods}", accept="text/html", **foreign)
    assert page.status_code == 404 and DECLARANT not in page.text


@pytest.mark.parametrize("kind", ASKS, ids=lambda kind: kind.kind)
def test_foreign_goods_are_not_acted_on_and_own_ones_are(door: Running, kind: type[Request]) -> None:
    goods = consignment_id(DECLARANT, "RIGHTS")
    if kind not in BY_PATH:
        return
    for role in ASKS[kind].roles & {Role.DECLARANT, Role.AGENT, *OFFICES}:
        own = send(door, "POST", concrete(BY_PATH[kind]), **as_role(door, role, own=True))
        foreign = send(door, "POST", concrete(BY_PATH[kind]), **as_role(door, role, own=False))
        assert own.status_code == 422, "its body is looked at"
        assert foreign.status_code in (403, 404), (role, foreign.text)
        assert goods not in foreign.text or "unknown_consignment" in foreign.text


def test_a_paper_of_another_company_is_not_lodged_alone_or_in_a_batch(door: Running) -> None:
    clerk = as_role(door, Role.DECLARANT, own=False)
    declaration = paper("RIGHTS-2")
    alone = door.api("POST", "/declarations", json=declaration, headers=clerk)
    assert alone.status_code == 403 and alone.json()["type"] == "/problems/not_your_company"
    batch = door.api("POST", "/declarations/batch", json={"declarations": [declaration]}, headers=clerk)
    assert batch.status_code == 207 and batch.json()["results"][0]["code"] == "not_your_company"
    assert not requests_under(
        door.settings.kafka, "customs-declaration-requests", consignment_id(DECLARANT, "RIGHTS-2")
    )


def test_what_a_desk_reads_names_the_account_and_the_company_for_which_it_asked(door: Running) -> None:
    clerk, lodged = as_role(door, Role.DECLARANT, own=True), {"request_id": "", "consignment_id": ""}
    door.acting_as("agent-1", roles="agent", company=OTHER, office="")
    accounts = door.app.state.authenticator.accounts
    accounts.authorise(DECLARANT, OTHER, by="the tests", at=1, from_us=1, until_us=None)
    try:
        for number, key in enumerate((clerk, door.acting_as("agent-1"))):
            answer = door.api("POST", "/declarations", json=paper(f"RIGHTS-BEHALF-{number}"), headers=key)
            assert answer.status_code == 202, answer.text
            (sent,) = requests_under(
                door.settings.kafka, "customs-declaration-requests", answer.json()["consignment_id"]
            )
            body = json.loads(sent.value())
            assert (body["asked_by"], body["on_behalf_of"]) == (("declarant-True", "agent-1")[number], DECLARANT)
            status = door.api("GET", f"/requests/{answer.json()['request_id']}", headers=key)
            assert status.status_code == 200
            lodged = answer.json()
            waiting = door.api("GET", f"/consignments/{lodged['consignment_id']}", headers=key)
            assert waiting.status_code in (200, 202), "the one who lodged it sees it before any desk has spoken"
    finally:
        accounts.end_authorisation(DECLARANT, OTHER, by="the tests", at=2)
    other = as_role(door, Role.DECLARANT, own=False)
    assert door.api("GET", f"/requests/{lodged['request_id']}", headers=other).status_code == 404
    assert door.api("GET", f"/consignments/{lodged['consignment_id']}", headers=other).status_code == 404


def test_a_body_that_names_another_actor_is_refused(door: Running) -> None:
    goods = consignment_id(DECLARANT, "RIGHTS")
    for field in ("asked_by", "on_behalf_of"):
        answer = door.api("POST", f"/consignments/{goods}/holds", json={"reason": "a tip", field: "chief"})
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == f"/{field}"


def test_x_actor_is_believed_no_more(door: Running) -> None:
    goods = consignment_id(DECLARANT, "RIGHTS-ACTOR")
    answer = door.api("POST", f"/consignments/{goods}/holds", json={"reason": "a tip"}, headers={"X-Actor": "chief"})
    assert answer.status_code == 202
    (sent,) = requests_under(door.settings.kafka, "customs-release-requests", goods)
    assert json.loads(sent.value())["asked_by"] == "tester"


def test_the_table_is_a_page_in_both_languages_that_needs_no_sign_in(door: Running) -> None:
    for language, heading in (("zh", "权限一览"), ("en", "Who may do what")):
        page = send(door, "GET", f"/rights?lang={language}", accept="text/html")
        assert page.status_code == 200 and heading in page.text
        assert all(path in page.text for _, path in ROUTES)
