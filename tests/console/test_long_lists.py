"""Is every page of a list short, however much the list contains, and do all pages together show everything once?"""

import re
import sqlite3
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import BigInteger, Integer

from schemas.vocabulary import Stage
from services.console.app import LONGEST_ANSWER
from services.console.readmodel import lists
from services.console.readmodel.consignment import AwaitedCode, Mover
from services.console.readmodel.database import open_engine
from services.ports.feed import FeedPort
from services.ports.notebook import Notebook
from services.ports.notice import Notice, Unread
from tests.console.border import DECLARANT, NOON, Border, PublishedMessage, publish
from tests.console.conftest import Running, end_of_feed, pages
from tests.people import headers_of

SORTED = re.compile(r"SCAN|TEMP B-TREE|Seq Scan|Sort")
TEXT = '"<\\' * 100_000
BOXES = [f"TGHU{number:07d}" for number in range(900)]
RELEASES = 80


class Gate:
    """A port that records the notices that it gets."""

    def __init__(self) -> None:
        self.taken = set[str]()
        self.unreadable = set[str]()

    def heard(self, notice: Notice, notebook: sqlite3.Connection) -> None:
        self.taken.add(notice.id)

    def unread(self, message: Unread, notebook: sqlite3.Connection) -> None:
        self.unreadable.update(message.subjects)  # other tests write rubbish on these topics


def changed(one: PublishedMessage, **fields: Any) -> PublishedMessage:
    """The message with changed fields, as older versions allowed them."""
    return replace(one, value=orjson.dumps({**orjson.loads(one.value), **fields}))


@pytest.fixture(scope="module")
def long_feed(console: Running) -> tuple[str, list[PublishedMessage]]:
    """Publishes releases with many containers, and one revocation. Returns the cursor of the feed before these
    messages, and the messages. The messages 10 and 20 are longer than is allowed now."""
    before = end_of_feed(console)
    listed = [
        changed(Border(f"FEED-{number:03}").released().messages[0], containers=BOXES) for number in range(RELEASES)
    ]
    listed[10] = changed(Border("FEED-010").revoked().messages[0], reason=TEXT)
    listed[20] = changed(listed[20], containers=BOXES * 60)
    publish(console.settings.kafka, listed)
    console.catch_up()
    return before, listed


def test_a_port_that_takes_a_thousand_entries_at_once_gets_all_of_them(
    console: Running, long_feed: tuple[str, list[PublishedMessage]]
) -> None:
    after, messages = long_feed
    found: list[dict[str, Any]] = []
    more = True
    while more:
        answer = console.api("GET", "/releases", params={"after": after, "limit": 1000})
        assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER
        page = answer.json()
        assert page["releases"], "an answer that has more gets on"
        found += page["releases"]
        after, more = page["cursor"], page["more"]
    assert sorted(one["id"] for one in found) == sorted(one.id for one in messages)
    shortened = {one["id"]: one["body_link"] for one in found if one["body_link"]}
    assert shortened.keys() == {messages[10].id, messages[20].id}
    for link in shortened.values():
        assert console.http.get(link).status_code == 200
    (revoked,) = [one for one in found if one["kind"] == "ReleaseRevoked"]
    assert revoked["containers"] and revoked["reason"] is None


def test_the_port_client_and_the_stream_get_on_too(
    console: Running, long_feed: tuple[str, list[PublishedMessage]], tmp_path: Path
) -> None:
    after, messages = long_feed
    gate = Gate()
    with FeedPort(console.address, Notebook(tmp_path / "port.db"), headers=headers_of()) as port:
        port.catch_up(gate, 60)
        port.notebook.close()
    assert {one.id for one in messages} <= gate.taken
    assert not gate.unreadable & {one.key for one in messages}
    with console.http.stream("GET", "/api/v1/releases/stream", params={"after": after}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        streamed = [orjson.loads(next(lines)[6:])["id"] for _ in messages]
    assert sorted(streamed) == sorted(one.id for one in messages)


def test_parked_messages_come_in_pages_each_once(console: Running) -> None:
    at = Border("PARKED-LIST").lodged()
    for offset in range(420):
        at.parked(offset=700_000 + offset // 2 * 2, service="risk" if offset % 2 else "release")
    listed = [
        at.messages[0],
        *[changed(one, error="搁" * 1000, occurred_at="2026-11-23T12:00:00Z") for one in at.messages[1:]],
    ]
    publish(console.settings.kafka, listed)
    console.catch_up()
    for limit in (7, 500):
        found = [one for page in pages(console, f"/api/v1/parked?limit={limit}") for one in page["parked"]]
        origins = [(one["service"], one["topic"], one["partition"], one["offset"]) for one in found]
        assert len(set(origins)) == len(origins) == console.api("GET", "/parked").json()["total"]
        assert len([one for one in found if one["key"] == at.id]) == 420
    on_pages: list[str] = []
    following: str | None = "/parked?lang=en"
    while following:
        answer = console.http.get(following)
        assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER
        on_pages += re.findall(r"offset (7[0-9]{5})", answer.text)
        following = next_page(answer.text)
    assert len(on_pages) == 420


def next_page(text: str) -> str | None:
    later = re.search(r'href="([^"]+)">Next<', text)
    return unescape(later[1]) if later else None


def test_false_gate_outs_do_not_push_other_alarms_off_the_board(console: Running) -> None:
    overdue = Border("LATE-1").lodged().accepted().ordered()
    one = overdue.messages.pop()
    late = replace(changed(one), kind="InspectionOverdue", id=f"{one.id[:-4]}0001")
    # The board shows only the newest subjects of each kind of alarm. So these alarms are later than those of other
    # tests.
    true = Border("LEFT-1", ("TCLU4265829",), start=NOON + timedelta(minutes=30)).alarm()
    false = [
        Border(f"FALSE-{n}", ("TCLU4265834",), start=NOON + timedelta(hours=1, minutes=n)).alarm() for n in range(9)
    ]
    publish(
        console.settings.kafka,
        [*overdue.messages, late, *true.messages, *[message for each in false for message in each.messages]],
    )
    console.catch_up()
    board = console.api("GET", "/stages").json()
    lines = {(line["kind"], line["subject"]): line["count"] for line in board["alarms"]}
    assert lines["GateAlarmRaised", "TCLU4265829"] == 1 and lines["GateAlarmRaised", "TCLU4265834"] == 9
    assert lines["InspectionOverdue", overdue.id] == 1
    counts = {each["kind"]: each["count"] for each in board["alarm_kinds"]}
    for kind, count in counts.items():
        for limit in (3, 500):
            listed = [
                one for page in pages(console, f"/api/v1/alarms?kind={kind}&limit={limit}") for one in page["alarms"]
            ]
            assert len(listed) == count and {one["kind"] for one in listed} == {kind}
            times = [one["raised_at"] for one in listed]
            assert times == sorted(times, reverse=True)
    of_box = next(pages(console, "/api/v1/alarms?subject=TCLU4265834&kind=GateAlarmRaised"))
    assert len(of_box["alarms"]) == 9
    for language in ("zh", "en"):
        text = console.http.get(f"/?lang={language}").text
        assert "/consignments?q=TCLU4265829" in text and "× 9" in text and overdue.id[:13] in text
        page = console.http.get(f"/alarms?lang={language}&kind=GateAlarmRaised").text
        assert "TCLU4265829" in page and page.count("/consignments?q=TCLU4265834") == 9
    assert "TCLU4265829" not in console.http.get("/alarms?subject=TCLU4265834").text


def test_a_flood_of_alarms_is_read_page_by_page(console: Running) -> None:
    flood = [Border(f"FLOOD-{n}", ("TCLU4265840",)).alarm().messages[0] for n in range(230)]
    publish(
        console.settings.kafka,
        [changed(one, reason=TEXT[:100_000] if n < 9 else "\x01" * 2000) for n, one in enumerate(flood)],
    )
    console.catch_up()
    listed = [one for page in pages(console, "/api/v1/alarms?subject=TCLU4265840&limit=500") for one in page["alarms"]]
    assert len(listed) == 230
    shown, following = 0, "/alarms?subject=TCLU4265840&lang=en"
    while following:
        answer = console.http.get(following)
        assert answer.status_code == 200 and len(answer.content) <= LONGEST_ANSWER
        shown += answer.text.count("/consignments?q=TCLU4265840")
        following = next_page(answer.text) or ""
    assert shown == 230


@pytest.mark.parametrize(
    "after", ["x", "!!!!", "WzFd", "WzEsMCwiYSIsImIiXQ", "W10", "bnVsbA", "WzEsMCwxZTk5LDFd", "%01"]
)
def test_a_page_that_never_was_is_refused(console: Running, after: str) -> None:
    for path in ("/api/v1/alarms", "/api/v1/parked", "/alarms", "/parked"):
        answer = console.http.get(f"{path}?after={after}")
        assert answer.status_code == 422 and "/problems/no_such_place" in answer.text, path


def test_every_page_of_a_list_is_found_by_an_index(url: str) -> None:
    engine = open_engine(url)
    every = [
        lists.parked(),
        lists.alarms(None, None),
        lists.alarms("A", None),
        lists.alarms("A", "b"),
        lists.named("X"),
        lists.everything(),
        lists.unmatched(7),
    ]
    every += [lists.at_stage(stage) for stage in Stage]
    every += [lists.awaiting(each, mover) for each in (None, *AwaitedCode) for mover in (None, *Mover) if each or mover]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for way in ("seqscan", "bitmapscan", "sort"):
                # without these settings, PostgreSQL would use no index for an empty table
                connection.exec_driver_sql(f"SET enable_{way} = off")
        for part in [part for parts in every for part in parts]:
            keys = [7 if isinstance(column.type, (BigInteger, Integer)) else "k" for column in part.order]
            for query in (*part.queries(None, 50), *part.queries(keys, 50)):
                compiled = query.compile(engine, compile_kwargs={"literal_binds": True})
                explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
                plan = "\n".join(
                    [str(row) for row in connection.exec_driver_sql(f"{explain}{compiled}".replace("%", "%%"))]
                )
                one_row = "consignments_pkey" in plan
                assert one_row or not SORTED.search(plan), f"{compiled}\n{plan}"
    engine.dispose()


def test_a_list_and_a_search_come_in_pages_each_consignment_once(console: Running) -> None:
    border = [Border(f"BILL-{n:03}").lodged(bill_no="LISTBILL") for n in range(130)]
    border += [Border(f"LATER-{n}").accepted() for n in range(3)]  # no lodgement of these goods is published
    changed_ones = [one.messages[0] for one in border[:130]]
    publish(console.settings.kafka, [*changed_ones, *[one.messages[0] for one in border[130:]]])
    console.catch_up()
    for path in ("q=LISTBILL", f"q={DECLARANT}", "stage=lodged", "stage=accepted", "q=CSQU3054383"):
        whole = [
            one["consignment_id"]
            for page in pages(console, f"/api/v1/consignments?{path}&limit=200")
            for one in page["consignments"]
        ]
        few = [
            one["consignment_id"]
            for page in pages(console, f"/api/v1/consignments?{path}&limit=7")
            for one in page["consignments"]
        ]
        assert few == whole and len(set(whole)) == len(whole), path
        wanted = {"stage=accepted": 3, "q=CSQU3054383": 3}.get(path, 130)
        assert len(whole) >= wanted, path
    assert console.api("GET", "/consignments?q=LISTBILL&cursor=50").status_code == 410
    assert console.http.get("/consignments?q=LISTBILL&cursor=50").headers["location"] == "/consignments?q=LISTBILL"
