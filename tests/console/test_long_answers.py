"""Is every answer short, however much there is to show, and do all pages together show everything once?"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import cast

import orjson
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from services.console.access.account_queries import AccountQueries
from services.console.access.accounts import Accounts
from services.console.access.readings import Readings
from services.console.api.admission import ALWAYS
from services.console.api.authentication import Authenticator
from services.console.api.context import ConsoleContext
from services.console.api.request_producer import Asker
from services.console.app import LONGEST_ANSWER, Bounded, create_app
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.progress import Progress
from services.console.readmodel.queries import ReadModelQueries
from services.console.settings import ConsoleSettings
from tests.console.border import Border, PublishedMessage, publish
from tests.console.conftest import Running, pages
from tests.people import admit

ENTRIES = 240
LARGE = 24
TEXT = '"<' * 100_000


@pytest.fixture(scope="module")
def story(console: Running) -> Border:
    """Goods with `ENTRIES` messages. `LARGE` of them are findings as large as older versions allowed."""
    consignment = Border("LONG-STORY").lodged().accepted()
    for number in range(ENTRIES - 2):
        consignment.pest()
        if number < LARGE:
            one = consignment.messages.pop()
            value = orjson.dumps({**orjson.loads(one.value), "pest": TEXT, "officer": TEXT})
            consignment.messages.append(PublishedMessage(**{**vars(one), "value": value}))
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    return consignment


@pytest.mark.parametrize("limit", ["", "?limit=50", "?limit=1000&only=problems"])
def test_a_long_timeline_comes_in_pages_each_message_once(console: Running, story: Border, limit: str) -> None:
    shown = [
        one for page in pages(console, f"/api/v1/consignments/{story.id}/timeline{limit}") for one in page["entries"]
    ]
    wanted = [one.id for one in story.messages if "problems" not in limit or one.kind == "PestIntercepted"]
    assert [one["id"] for one in shown] == wanted
    left_out = [one for one in shown if one["body_link"]]
    assert len(left_out) >= LARGE and all(one["body"] is None for one in left_out)


def test_a_content_that_was_left_out_is_read_piece_by_piece(console: Running, story: Border) -> None:
    one = story.messages[2]
    whole = "".join([page["text"] for page in pages(console, f"/api/v1/messages/{story.id}/{one.id}")])
    assert whole.encode() == one.value
    assert console.http.get(f"/api/v1/messages/{story.id}/nobody").status_code == 404


def test_every_page_of_it_is_short(console: Running, story: Border) -> None:
    page = f"/consignments/{story.id}"
    for path in (page, f"{page}/live", f"{page}?only=problems", f"{page}/messages/{story.messages[2].id}"):
        for language in ("zh", "en"):
            answer = console.http.get(path, params={"lang": language}, headers={"accept": "text/html"})
            assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER, path
    found: list[str] = []
    following: str | None = page
    while following:
        text = console.http.get(following).text
        found += [one.id for one in story.messages if f'id="m-{one.id}"' in text]
        more = re.search(r'href="([^"]+since=[0-9]+)#timeline"', text)
        following = unescape(more[1]) if more else None
    assert found == [one.id for one in story.messages]


def test_an_answer_over_the_bound_is_said_to_be_one_whether_or_not_it_tells_its_length() -> None:
    piece = b"x" * 1000

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        count, path = int(scope["query_string"]), scope["path"]
        headers = {"content-type": "text/event-stream" if path == "/events" else "text/plain"}
        if path == "/told":
            headers["content-length"] = str(count * len(piece))
        await StreamingResponse((piece for _ in range(count)), headers=headers)(scope, receive, send)

    most = LONGEST_ANSWER // len(piece)
    client = TestClient(Bounded(answer))
    for path in ("/told", "/untold", "/events", "/metrics"):
        fits, over = client.get(f"{path}?{most}"), client.get(f"{path}?{most + 1}")
        assert fits.status_code == 200 and len(fits.content) == LONGEST_ANSWER, path
        if path in ("/told", "/untold"):
            assert over.status_code == 500 and over.json()["type"] == "/problems/answer_too_long", path
        else:
            assert over.status_code == 200 and len(over.content) == LONGEST_ANSWER + len(piece), path


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A console without a cluster, and the headers of an account that may do everything."""
    settings = ConsoleSettings(kafka="127.0.0.1:1", database_url=f"sqlite:///{tmp_path}/console.db")
    migrate(settings.database_url)
    engine, app = open_engine(settings.database_url, writes=True), create_app(settings)
    rows = ReadModelQueries(engine)
    app.state.context = ConsoleContext(settings, rows, Asker(settings, engine), Progress(), rows)
    app.state.authenticator, app.state.record = Authenticator(settings, Accounts(engine)), AccountQueries(engine)
    app.state.readings = Readings(engine)
    yield TestClient(app, base_url="http://127.0.0.1"), admit(settings.database_url, "typist")
    engine.dispose()


def test_an_answer_that_the_console_failed_to_give_has_the_headers_of_every_answer(
    alone: tuple[TestClient, dict[str, str]],
) -> None:
    async def fails(_: Request) -> Response:
        raise RuntimeError("a fault of the console")

    async def is_long(_: Request) -> Response:
        return Response(b"x" * (LONGEST_ANSWER + 1))

    app = cast(FastAPI, alone[0].app)
    app.add_route("/api/fails", fails)
    app.add_route("/api/long", is_long)
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    for path, code in (("/api/long", "answer_too_long"), ("/api/fails", "other")):
        answer = client.get(path)
        assert answer.status_code == 500 and {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, path
        assert answer.json()["type"] == f"/problems/{code}"


@pytest.mark.parametrize(
    ("path", "field"),
    [("/lodge", "body"), ("/containers/CSQU3054383/act/hold", "reason"), ("/watches/act/place", "reason")],
)
@pytest.mark.parametrize("typed", ["x" * 1_500_000, '{"' + '&"' * 150_000], ids=["long", "escaped"])
def test_what_is_wrong_with_a_form_is_told_however_much_was_typed(
    alone: tuple[TestClient, dict[str, str]], path: str, field: str, typed: str
) -> None:
    client, headers = alone
    fields = {field: typed, "bill_no": "B-1"}
    answer = client.post(path, data=fields, headers={"accept": "text/html", **headers})
    assert answer.status_code in (400, 422), answer.text[:500]
    assert len(answer.content) <= LONGEST_ANSWER
