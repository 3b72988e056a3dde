"""Does every list stay short, however much is in it, and does page after page bring all of it, once?"""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.console.app import LONGEST_ANSWER
from services.ports.feed import FeedPort
from services.ports.notebook import Notebook
from services.ports.notice import Notice, Unread
from tests.console.border import Border, Said, publish
from tests.console.conftest import Running

TEXT = '"<\\' * 100_000
BOXES = [f"TGHU{number:07d}" for number in range(900)]
RELEASES = 80


class Gate:
    """A port that notes what it is given."""

    def __init__(self) -> None:
        self.taken = set[str]()

    def heard(self, notice: Notice, notebook: sqlite3.Connection) -> None:
        self.taken.add(notice.id)

    def unread(self, message: Unread, notebook: sqlite3.Connection) -> None:
        pytest.fail(f"{message} cannot be read")


def changed(one: Said, **fields: Any) -> Said:
    """The message with other contents, as older versions let pass."""
    return replace(one, value=orjson.dumps({**orjson.loads(one.value), **fields}))


@pytest.fixture(scope="module")
def long_feed(console: Running) -> tuple[int, list[Said]]:
    """The cursor before, and releases of many boxes; two of them are longer than one may be now."""
    before = console.app.state.office.rows.last_cursor()
    listed = [changed(Border(f"FEED-{number:03}").released().said[0], containers=BOXES) for number in range(RELEASES)]
    listed[10] = changed(Border("FEED-010").revoked().said[0], reason=TEXT)
    listed[20] = changed(listed[20], containers=BOXES * 60)
    publish(console.settings.kafka, listed)
    console.catch_up()
    return before, listed


def test_a_port_that_takes_a_thousand_entries_at_once_gets_all_of_them(
    console: Running, long_feed: tuple[int, list[Said]]
) -> None:
    after, said = long_feed
    found: list[dict[str, Any]] = []
    more = True
    while more:
        answer = console.api("GET", "/releases", params={"after": after, "limit": 1000})
        assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER
        page = answer.json()
        assert page["releases"], "an answer that has more gets on"
        found += page["releases"]
        after, more = page["cursor"], page["more"]
    assert sorted(one["id"] for one in found) == sorted(one.id for one in said)
    shortened = {one["id"]: one["body_link"] for one in found if one["body_link"]}
    assert shortened.keys() == {said[10].id, said[20].id}
    for link in shortened.values():
        assert console.http.get(link).status_code == 200
    (revoked,) = [one for one in found if one["kind"] == "ReleaseRevoked"]
    assert revoked["containers"] and len(revoked["reason"]) < 3000


def test_the_port_client_and_the_stream_get_on_too(
    console: Running, long_feed: tuple[int, list[Said]], tmp_path: Path
) -> None:
    after, said = long_feed
    gate = Gate()
    with FeedPort(console.address, Notebook(tmp_path / "port.db")) as port:
        port.catch_up(gate, 60)
        port.notebook.close()
    assert {one.id for one in said} <= gate.taken
    with console.http.stream("GET", "/api/v1/releases/stream", params={"after": after}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        streamed = [orjson.loads(next(lines)[6:])["id"] for _ in said]
    assert sorted(streamed) == sorted(one.id for one in said)
