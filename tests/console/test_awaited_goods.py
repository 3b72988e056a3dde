"""Are goods listed by what they wait for and by who has to act? Are they listed once each, the longest waiting first,
and only if the reader may see them?"""

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from schemas.vocabulary import ControlKind
from services.console.language.words import LANGUAGES, TEXTS
from services.console.readmodel import lists
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import SEVERAL, STEPS, UNMATCHED, AwaitedCode, Mover
from tests.console.border import DECLARANT, NOON, Border
from tests.console.simulated import full_day
from tests.console.still import Still
from tests.people import admit

CHOICES = [(each, mover) for each in (None, *AwaitedCode) for mover in (None, *Mover) if each or mover]
OFFICE = "4227"


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def found(still: Still, name: str = "", **query: str) -> list[str]:
    """The consignments of the API's list, from all its pages."""
    listed: list[str] = []
    following: str | None = f"/api/v1/consignments?{urlencode({'limit': '2', **query})}"
    while following:
        answer = still.get(following, name=name)
        assert answer.status_code == 200, answer.text
        listed += [goods["consignment_id"] for goods in answer.json()["consignments"]]
        following = answer.json()["next"]
    return listed


def goods_of(
    name: str, hours: int, *holds: str, controls: tuple[ControlKind, ...] = (ControlKind.INSPECTION,)
) -> Border:
    goods = Border(name, start=NOON + timedelta(hours=hours)).lodged().accepted().assessed(*controls)
    return goods.held(*holds) if holds else goods


def test_goods_are_listed_by_what_they_wait_for_be_it_beside_something_else(still: Still) -> None:
    later, first = (
        goods_of("LATER", 5, "inspection/inspection", "arrival"),
        goods_of("FIRST", 1, "inspection/inspection"),
    )
    held = goods_of("HELD", 3, "officer/1", "officer/watch/2", "inspection/documents", "inspection/inspection")
    lodged = Border("LODGED").lodged()
    ended, left = goods_of("ENDED", 0, "inspection/inspection").withdrawn(), goods_of("LEFT", 7, "gate/CSQU3054383")
    for goods in (later, first, held, lodged, ended, left):
        still.tell(goods.messages)
    assert found(still, waiting_for="inspection/inspection") == [first.id, held.id, later.id]
    assert found(still, waiting_for="inspection/documents") == [held.id]
    assert found(still, waiting_for="arrival") == [later.id]
    assert found(still, waiting_for="officer") == [held.id] and found(still, waiting_for="gate") == [left.id]
    assert found(still, owner="officer") == [held.id, left.id]
    assert found(still, owner="inspection") == [first.id, held.id, later.id]
    assert found(still, owner="declaration") == found(still, waiting_for="acceptance") == [lodged.id]
    assert found(still, waiting_for="arrival", owner="carrier") == [later.id]
    assert found(still, waiting_for="arrival", owner="inspection") == []
    assert found(still, waiting_for="inspection/inspection", stage="held") == [held.id]
    assert found(still, owner="inspection", q="LATER") == [later.id] and found(still, owner="risk", q="LATER") == []
    assert found(still, stage="held", q="LATER") == [] and found(still, stage="held", q="HELD") == [held.id]


def test_nobody_finds_goods_of_others_by_what_they_wait_for(still: Still) -> None:
    goods = goods_of("OURS", 1, "officer/watch/2", "inspection/inspection")
    still.tell([*goods.messages, *Border("LODGED").lodged().messages])
    admit(still.url, "own", "declarant", DECLARANT, "")
    admit(still.url, "other", "declarant", "91310115MA1H7L0T3Q", "")
    admit(still.url, "here", "inspector", "", OFFICE)
    admit(still.url, "there", "inspector", "", "2218")
    for query in ({"waiting_for": "officer"}, {"waiting_for": "inspection/inspection"}, {"owner": "inspection"}):
        assert [found(still, name, **query) for name in ("own", "here")] == [[goods.id]] * 2
        assert [found(still, name, **query) for name in ("other", "there")] == [[]] * 2
    assert [len(found(still, name, owner="declaration")) for name in ("own", "here", "other", "there")] == [1, 1, 0, 0]
    refused = still.get("/api/v1/consignments?waiting_for=officer/watch/2", name="own")
    assert refused.status_code == 422, "of a single watch nobody is told by looking for it"
    admit(still.url, "terminal", "terminal", "T", "")
    assert still.get("/api/v1/consignments?owner=officer", name="terminal").status_code == 403


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """The first half of a simulated day, when many goods wait."""
    made = Still(tmp_path_factory.mktemp("day"))
    messages = full_day().messages
    made.tell(messages[: len(messages) // 2])
    yield made
    made.stop()


def code_of(hold_id: str) -> str:
    """The value of the filter `waiting_for` with which the list shows the goods that have this hold."""
    return hold_id.partition("/")[0] if hold_id.startswith(tuple(SEVERAL.values())) else hold_id


def wanted(still: Still, awaited: AwaitedCode | None, mover: Mover | None) -> set[str]:
    """The goods that wait for `awaited` and for `mover` (None: for anything, for anybody). This function looks at each
    row instead of using the list's query."""
    with still.store.engine.connect() as connection:
        goods = connection.execute(select(t.CONSIGNMENTS)).all()
        holds = connection.execute(select(t.HOLDS)).all()
    waits = [(row.consignment_id, row.waiting_for, row.waiting_owner) for row in goods if row.waiting_for in STEPS]
    waits += [(hold.consignment_id, code_of(hold.hold_id), hold.owner) for hold in holds]
    in_hand = {row.consignment_id for row in goods if row.ended_us is None and row.stage != UNMATCHED}
    return {id_ for id_, what, who in waits if id_ in in_hand and awaited in (None, what) and mover in (None, who)}


@pytest.mark.parametrize(("awaited", "mover"), CHOICES)
def test_a_choice_brings_the_goods_that_wait_so_each_once(
    day: Still, awaited: AwaitedCode | None, mover: Mover | None
) -> None:
    rows = day.app.state.context.rows
    listed = [row for _, row in rows.page(lists.awaiting(awaited, mover), None, 10_000)]
    ids = [row.consignment_id for row in listed]
    assert len(set(ids)) == len(ids) and set(ids) == wanted(day, awaited, mover)
    with day.store.engine.connect() as connection:
        condition = lists.waits(awaited, mover)
        assert set(connection.execute(select(t.CONSIGNMENTS.c.consignment_id).where(condition)).scalars()) == set(ids)


def test_whatever_goods_wait_for_can_be_chosen(day: Still) -> None:
    with day.store.engine.connect() as connection:
        goods = connection.execute(select(t.CONSIGNMENTS).where(t.CONSIGNMENTS.c.ended_us.is_(None))).all()
    named = {row.waiting_for for row in goods if row.waiting_for and row.stage != UNMATCHED}
    assert {code_of(name) for name in named} <= set(AwaitedCode)
    assert {row.waiting_owner for row in goods if row.waiting_owner} <= set(Mover) and len(named) > 4
    assert set(AwaitedCode) == {key.removeprefix("waiting.") for key in TEXTS if key.startswith("waiting.")} - {
        *("declaration", "nothing", "no_boxes")
    }, "what pages have words for, but for goods that nobody lodged and for goods that wait for nothing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_offers_the_choices_in_words_and_keeps_what_was_chosen(still: Still, language: str) -> None:
    mine = goods_of("MINE", 1, "inspection/inspection")
    still.tell([*mine.messages, *goods_of("NOT-MINE", 2, "arrival").messages])
    page = still.page("/consignments?stage=controlled&waiting_for=inspection%2Finspection&owner=", language)
    assert f'href="/consignments/{mine.id}"' in page and page.count('<td data-label="') == 6
    [form] = re.findall(r'<form class="filter".*?</form>', page, re.DOTALL)
    assert '<option value="inspection/inspection" selected>' in form and form.count(" selected") == 1
    assert '<input type="hidden" name="stage" value="under_control">' in form
    for key in ("waiting.inspection/inspection", "waiting.officer", "owners.quarantine", "list.anybody"):
        assert TEXTS[key]._asdict()[language] in form.replace("&#39;", "'"), key
    spreadsheet = re.search(r'href="(/consignments\.csv[^"]+)"', page)
    assert spreadsheet
    rows = list(csv.reader(still.get(spreadsheet[1].replace("&amp;", "&")).text.splitlines()))
    assert [row[0] for row in rows[1:]] == [mine.id]
    nothing = still.page("/consignments?waiting_for=loading", language)
    assert TEXTS["list.nothing_so"]._asdict()[language] in nothing


def test_the_page_after_keeps_the_choice(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.console.pages.board_and_goods.PAGE", 2)
    goods = [goods_of(f"G-{n}", n, "officer/1", "arrival") for n in range(5)]
    still.tell([message for one in goods for message in one.messages])
    listed: list[str] = []
    following: Any = "/consignments?owner=carrier"
    while following:
        page = still.page(following)
        listed += re.findall(r'<td><a class="number" href="/consignments/([0-9a-f-]{36})"', page)
        later = re.search(r'href="([^"]+)">Next<', page)
        following = later and later[1].replace("&amp;", "&")
    assert listed == [one.id for one in goods]


def test_a_choice_that_there_is_not_is_refused_with_its_place(still: Still) -> None:
    for path in ("/api/v1/consignments", "/consignments", "/consignments.csv"):
        for name in ("waiting_for", "owner"):
            answer = still.get(f"{path}?{name}=somebody")
            assert answer.status_code == 422 and f"/query/{name}" in answer.text, path
