"""Does every route for programs refuse a query parameter that it does not have?"""

from collections.abc import Iterator

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from services.console.access.accounts import Accounts
from services.console.api.authentication import Authenticator
from services.console.api.query_parameters import is_for_programs
from services.console.app import create_app
from services.console.readmodel.database import migrate, open_engine
from services.console.settings import ConsoleSettings
from tests.loops import finish
from tests.people import admit

SETTINGS = ConsoleSettings()


def routes() -> list[APIRoute]:
    found = [getattr(each, "original_router", None) for each in create_app(SETTINGS).routes]
    included = [route for router in found if isinstance(router, APIRouter) for route in router.routes]
    return [route for route in (*included, *create_app(SETTINGS).routes) if isinstance(route, APIRoute)]


OPERATIONS = [
    (method, route.path) for route in routes() for method in route.methods or () if is_for_programs(route.path)
]


class CheckingConsole:
    """The console without its threads. It authenticates the sender, and refuses a request before the function of its
    route begins."""

    def __init__(self, url: str) -> None:
        self.headers = {**admit(url), "Content-Type": "application/json"}
        self.app = create_app(ConsoleSettings(database_url=url))
        self.engine = open_engine(url, writes=True)
        self.app.state.authenticator = Authenticator(self.app.state.settings, Accounts(self.engine))

    def __call__(self, method: str, path: str, **headers: str) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                content = b"{}" if method == "POST" else None
                return await client.request(method, path, headers={**self.headers, **headers}, content=content)

        return finish(ask())


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckingConsole]:
    url = f"sqlite:///{tmp_path_factory.mktemp('parameters')}/console.db"
    migrate(url)
    made = CheckingConsole(url)
    yield made
    made.engine.dispose()


def faults(answer: httpx2.Response) -> list[tuple[str, str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(each["pointer"], each["code"], each["seen"]) for each in answer.json()["errors"]]


def test_the_routes_that_programs_ask_are_walked() -> None:
    assert {("GET", "/api/v1/releases"), ("POST", "/api/v1/declarations"), ("GET", "/livez")} <= set(OPERATIONS)
    assert len(OPERATIONS) > 40


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_a_route_does_not_take_is_refused_with_a_pointer(console: CheckingConsole, method: str, path: str) -> None:
    found = faults(console(method, f"{path}?Since=3&a~b/c=x"))
    assert found == [("/query/Since", "unknown_parameter", "3"), ("/query/a~0b~1c", "unknown_parameter", "x")]


def test_the_words_name_what_there_is(console: CheckingConsole) -> None:
    [fault] = console("GET", "/api/v1/releases?cursor=7").json()["errors"]
    assert fault["message_en"].endswith("after, limit, wait") and "after, limit, wait" in fault["message_zh"]
    [fault] = console("GET", "/api/v1/me?x=7").json()["errors"]
    assert fault["message_en"] == "there is no such parameter here; there are: —"


def test_a_parameter_that_is_given_twice_is_refused(console: CheckingConsole) -> None:
    assert faults(console("GET", "/api/v1/releases?after=0&after=1")) == [("/query/after", "parameter_twice", "1")]


def test_who_asks_is_proved_first(console: CheckingConsole) -> None:
    assert console("GET", "/api/v1/releases?cursor=7", Authorization="Bearer dtg_no_body").status_code == 401


def test_an_endless_list_of_parameters_has_a_short_answer(console: CheckingConsole) -> None:
    query = "&".join([f"p{number}={'x' * 150}" for number in range(300)])
    answer = console("GET", f"/api/v1/me?{query}")
    assert len(answer.json()["errors"]) == 100 and len(answer.content) < 40_000
    assert "300" in answer.json()["detail"]


def test_a_page_for_people_opens_with_what_a_mail_program_added(console: CheckingConsole) -> None:
    assert is_for_programs("/consignments.csv") and is_for_programs("/readyz")
    assert not any(map(is_for_programs, ("/", "/consignments", "/rights", "/sign-in")))
    assert console("GET", "/consignments/x/act/y?utm_source=mail").status_code != 422
