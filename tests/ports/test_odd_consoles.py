"""Is there an HTTP answer that is not a yes but that a port takes for one? A server that imitates a console sends all
kinds of answers."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.ports.feed import FeedPort
from services.ports.notebook import Notebook
from services.ports.question import AskedConsole
from services.ports.topic import TopicPort
from tests.console.border import publish
from tests.ports.gatehouse import Gatehouse
from tests.ports.test_port import released
from tests.waiting import wait_until_ended

BOX = "ODDC0000001"
AS_OF = datetime(2026, 11, 25, 8, tzinfo=UTC)
EMPTY = {"releases": [], "cursor": "0", "more": False, "projection": {}}


def yes(**changed: Any) -> dict[str, Any]:
    right = {"container_no": BOX, "may_leave": True, "reason": "released", "detail": "", "consignments": ["c-1"]}
    return {**right, "as_of": AS_OF.isoformat(), "lag_seconds": 0.2, **changed}


def line(**changed: Any) -> dict[str, Any]:
    fields = {"cursor": "e1.1", "id": "r-1", "kind": "ReleaseGranted", "consignment_id": "c-1", "version": 1}
    return {**fields, "containers": [BOX], "reason": None, "occurred_at": AS_OF.isoformat(), **changed}


def feed(*lines: Any, **changed: Any) -> dict[str, Any]:
    return {**EMPTY, "releases": list(lines), **changed}


class Stranger:
    """A server that imitates a console. It answers a request for the feed from its beginning with `feed`, a request for
    a later part of the feed with an empty page, and everything else with `gate`. `statuses`: of the answers about the
    feed, and of all others; `headers`: further headers of every answer."""

    def __init__(self) -> None:
        self.feed: Any = EMPTY
        self.gate: Any = yes()
        self.statuses = (200, 200)
        self.headers: dict[str, str] = {}
        stranger = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                of_feed = self.path.startswith("/api/v1/releases")
                content = stranger.feed if of_feed else stranger.gate
                content = EMPTY if of_feed and "after=0&" not in self.path else content
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(stranger.statuses[0 if of_feed else 1])
                for name, value in {"Content-Length": str(len(body)), **stranger.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Prints nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger()
    thread = Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    wait_until_ended(thread)


def answer_of(stranger: Stranger, notebook: Notebook) -> tuple[bool, str]:
    with FeedPort(stranger.address, notebook) as port:
        answer = port.ask(BOX, Gatehouse(notebook), 5)
        return answer.may_leave, answer.reason


def test_a_yes_from_the_topics_asks_the_console_where_there_is_one(
    wire: str, stranger: Stranger, notebook: Notebook
) -> None:
    """The console knows an officer's hold before the release desk has decided about it."""
    publish(wire, released("PORT-BOTH", BOX).messages)
    with TopicPort(wire, notebook, console=AskedConsole(stranger.address)) as port:
        house = Gatehouse(notebook)
        assert port.ask(BOX.lower(), house).may_leave
        stranger.gate = yes(may_leave=False, reason="hold_asked")
        assert port.ask(BOX, house).reason == "hold_asked"
        stranger.gate = yes(lag_seconds=31)
        assert port.ask(BOX, house).reason == "stale"
        stranger.gate = b"<html>"
        assert port.ask(BOX, house).reason == "stale"
        stranger.gate = yes()
        publish(wire, released("PORT-BOTH", BOX).revoked().messages[-1:])
        assert port.ask(BOX, house).reason == "not_released", "what the topics say is asked first"


def test_a_plain_yes_is_one(stranger: Stranger, notebook: Notebook) -> None:
    """Without this test, the other tests, which expect a no, would prove nothing."""
    assert answer_of(stranger, notebook) == (True, "released")
    stranger.feed = feed(line())
    assert answer_of(stranger, notebook) == (True, "released")


NO_BOOLEANS: tuple[Any, ...] = (None, "true", "yes", 1, 1.0, [True], {"a": True}, False)
LAGS: tuple[Any, ...] = (None, "0", 31, 10**30, float("nan"), float("inf"), -float("inf"), -1, [], True)
MOMENTS: tuple[Any, ...] = (None, "", "now", 0, 1764057600, "2026-11-25", "2026-11-25T08:00:00", [])
NAMED: tuple[Any, ...] = (None, [], "c-1", [1], [None], {"c-1": 1}, [["c-1"]])
BOXES: tuple[Any, ...] = (None, "", "ODDC0000002", BOX.lower(), [BOX])
CURSORS: tuple[Any, ...] = (None, "", "0", "x", "-1", 1.5, True, "e1." + "9" * 30, ["e1.1"])
LISTS: tuple[Any, ...] = (None, "x", [1], ["ODDC0000002"], {})
VERSIONS: tuple[Any, ...] = (None, "x", [], 1.5, -1, 2**63, 2**64 - 1, 10**30)
HALF = "\ud800"
"""A lone surrogate: JSON can contain it, but no database stores it."""


@pytest.mark.parametrize(
    "gate",
    [
        *[yes(may_leave=value) for value in NO_BOOLEANS],
        *[yes(lag_seconds=lag) for lag in LAGS],
        *[yes(as_of=moment) for moment in MOMENTS],
        *[yes(consignments=goods) for goods in NAMED],
        *[yes(container_no=box) for box in BOXES],
        *[{name: value for name, value in yes().items() if name != less} for less in yes()],
        *(b"", b"yes", b"true", b"[]", b"null", b"\xff", b"{}", b'{"may_leave": true}', b"<html>", b"[" * 100_000),
    ],
    ids=lambda gate: (gate if isinstance(gate, bytes) else json.dumps(gate).encode())[:60].decode(errors="replace"),
)  # fmt: skip
def test_what_is_no_yes_in_every_word_is_a_no(stranger: Stranger, notebook: Notebook, gate: Any) -> None:
    stranger.gate = gate
    assert not answer_of(stranger, notebook)[0]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("status", [201, 206, 302, 404, 410, 422, 500, 503])
def test_a_yes_with_another_status_is_a_no(stranger: Stranger, notebook: Notebook, number: int, status: int) -> None:
    stranger.statuses = (status, 200) if number == 0 else (200, status)
    assert not answer_of(stranger, notebook)[0]


@pytest.mark.parametrize(
    "headers", [{"Age": "1"}, {"Age": "x"}, {"Content-Length": "5"}, {"Content-Length": "9999"}], ids=str
)
def test_a_yes_from_a_cache_or_cut_short_is_a_no(
    stranger: Stranger, notebook: Notebook, headers: dict[str, str]
) -> None:
    stranger.headers = headers
    assert not answer_of(stranger, notebook)[0]


@pytest.mark.parametrize(
    "page",
    [
        *(b"", b"{}", b"[]", b"null", b"\xff", b'{"releases": {}}', b'{"releases": [[]]}'),
        feed(more=True),
        *[feed(line(cursor=cursor)) for cursor in CURSORS],
        *[feed(line(kind=kind)) for kind in (None, "", "ReleaseRevoked", "Unreadable", "ReleaseReconsidered")],
        *[feed(line(containers=boxes)) for boxes in LISTS],
        *[feed(line(), line(cursor="e1.2", id="r-2", kind=kind, version=2)) for kind in ("ReleaseRevoked", "Unreadable", "?")],
        feed(line(version=2), line(cursor="e1.2", id="r-2", kind="ReleaseRevoked", version=2)),
        *[feed(line(version=number)) for number in VERSIONS],
        *[feed(line(**{name: HALF})) for name in ("id", "occurred_at")],
        feed(line(kind="Unreadable", container_no=HALF)),
        feed(line(containers=[HALF])),
    ],
    ids=lambda page: (page if isinstance(page, bytes) else json.dumps(page["releases"]).encode())[:90].decode(errors="replace"),
)  # fmt: skip
def test_a_feed_that_cannot_be_read_or_takes_back_is_a_no(stranger: Stranger, notebook: Notebook, page: Any) -> None:
    stranger.feed = page
    assert not answer_of(stranger, notebook)[0]


ODD_LINES = (
    line(version=2**64 - 1),
    line(id=HALF, kind="Odd", consignment_id=HALF),
    line(kind="Unreadable", consignment_id=HALF),
)


@pytest.mark.parametrize("odd", ODD_LINES, ids=lambda odd: json.dumps(odd)[:90])
def test_what_follows_a_line_that_cannot_be_stored_is_handed_over(
    stranger: Stranger, notebook: Notebook, odd: dict[str, Any]
) -> None:
    house = Gatehouse(notebook)
    stranger.feed = feed(odd, line(cursor="e1.2", id="r-2", consignment_id="c-2"))
    with FeedPort(stranger.address, notebook) as port:
        assert port.read(house, 0) == 1
        assert notebook.cursor("http") == "e1.2"


def test_an_answer_older_than_one_before_is_a_no(stranger: Stranger, notebook: Notebook) -> None:
    with FeedPort(stranger.address, notebook) as port:
        house = Gatehouse(notebook)
        assert port.ask(BOX, house).may_leave
        stranger.gate = yes(as_of=(AS_OF - timedelta(seconds=31)).isoformat())
        assert port.ask(BOX, house).reason == "stale"
        stranger.gate = yes(as_of=(AS_OF + timedelta(seconds=31)).isoformat())
        assert port.ask(BOX, house).may_leave


@pytest.mark.parametrize("what", ["closed", "locked", "broken"])
def test_a_notebook_that_cannot_be_used_is_a_no(stranger: Stranger, tmp_path: Path, what: str) -> None:
    file = tmp_path / "port.db"
    notes = Notebook(file)
    house = Gatehouse(notes)
    stranger.feed = feed(line())
    notes._sql.execute("PRAGMA busy_timeout = 0")
    with FeedPort(stranger.address, notes) as port:
        other = sqlite3.connect(file, isolation_level=None)
        if what == "closed":
            notes.close()
        elif what == "locked":
            other.execute("BEGIN IMMEDIATE")
        else:
            notes._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(__file__, file)
        answer = port.ask(BOX, house)
        assert (answer.may_leave, answer.reason) == (False, "stale"), answer
        other.close()
    if what != "closed":
        notes.close()
