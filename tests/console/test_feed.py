"""Does a port read each release once while rows are rebuilt, and does it get an error if its cursor belongs to another
feed?"""

import contextlib
import itertools
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, select, update

from deploy.kafka.broker import free_port
from services.console.api.documents import feed_entries
from services.console.readmodel import consignment
from services.console.readmodel import tables as t
from services.console.readmodel.cursors import cursor_of
from services.console.readmodel.database import migrate, open_engine, upgrade
from services.console.readmodel.projector import Projector
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.rebuild import empty, rebuild
from services.console.readmodel.store import Store
from services.console.settings import ConsoleSettings
from services.ports.feed import FeedPort
from services.ports.notebook import Notebook
from services.ports.notice import Away
from tests.conftest import PARTITIONS, provisioned
from tests.console.border import Border, PublishedMessage, green, publish
from tests.console.conftest import Running, projecting
from tests.people import headers_of
from tests.ports.gatehouse import Gatehouse
from tests.waiting import wait

RELEASES = 57


def granted(name: str, many: int = RELEASES) -> list[Border]:
    return [green(f"{name}-{number}", ()) for number in range(many)]


def tell(kafka: str, consignments: list[Border]) -> None:
    publish(kafka, [one for goods in consignments for one in goods.messages])


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that only these tests use, because they count each entry of the feed. There are releases in every
    partition, and one release that cannot be read."""
    with provisioned(tmp_path_factory.mktemp("feed-kafka")) as running:
        tell(running.bootstrap, granted("feed"))
        publish(running.bootstrap, spoilt(green("unreadable", ()), {"version": "x"}))
        yield running.bootstrap


@pytest.fixture
def settings(kafka: str, url: str) -> ConsoleSettings:
    return ConsoleSettings(kafka=kafka, partitions=PARTITIONS, database_url=url)


def spoilt(goods: Border, by: dict[str, Any]) -> list[PublishedMessage]:
    """The messages of these goods, with changed fields in the release."""
    return [
        replace(one, value=orjson.dumps(orjson.loads(one.value) | by)) if one.kind == "ReleaseGranted" else one
        for one in goods.messages
    ]


@contextmanager
def serving(kafka: str, url: str, **changed: Any) -> Iterator[Running]:
    settings = ConsoleSettings(
        kafka=kafka, partitions=PARTITIONS, database_url=url, console_port=free_port(), **changed
    )
    migrate(url)
    running = Running(settings)
    running.start()
    try:
        running.catch_up()
        yield running
    finally:
        running.stop()


@contextmanager
def following(address: str, file: Path) -> Iterator[tuple[FeedPort, Gatehouse]]:
    notes = Notebook(file)
    try:
        with FeedPort(address, notes, headers=headers_of()) as port:
            yield port, Gatehouse(notes)
    finally:
        notes.close()


def every(running: Running, after: str = "0", limit: int = 1000) -> list[dict[str, Any]]:
    """All entries after a cursor, page by page."""
    found: list[dict[str, Any]] = []
    while page := running.api("GET", f"/releases?limit={limit}&after={after}").json()["releases"]:
        found += page
        after = page[-1]["cursor"]
    return found


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in entries]


def for_effects(entries: list[dict[str, Any]]) -> list[str]:
    """The ids of the entries on which a port acts. Unreadable entries, which other tests of the session leave, are left
    out."""
    return ids([one for one in entries if one["kind"] != "Unreadable"])


def test_a_read_never_passes_what_is_not_in_the_rows_yet(kafka: str, settings: ConsoleSettings) -> None:
    """A port reads in the middle of `dtg rebuild`, when some partitions have been read again and others have not."""
    with projecting(settings) as running:
        running.catch_up()
    engine = open_engine(settings.database_url, writes=True)
    rows = ReadModelQueries(engine)
    whole = list(feed_entries(rows, rows.releases(cursor_of("0"), 1000).rows))
    assert len(whole) >= RELEASES
    waiting = len(whole) // 2
    with engine.begin() as connection:
        position = connection.execute(select(t.RELEASES.c.place).where(t.RELEASES.c.cursor == waiting + 1)).scalar_one()
        partition, offset = position >> 43 & 0x3FFF, position & (1 << 43) - 1
        connection.execute(delete(t.FACTS).where(t.FACTS.c.place == position))
        of_it = (t.OFFSETS.c.topic == "customs-release-facts", t.OFFSETS.c.partition == partition)
        connection.execute(update(t.OFFSETS).where(*of_it).values(next_offset=offset))
    page = rows.releases(cursor_of("0"), 1000)
    assert [row.cursor for row in page.rows] == list(range(1, waiting + 1)) and page.waits
    page = rows.releases(cursor_of(whole[waiting - 1].cursor), 1000)
    assert not page.rows and page.waits
    empty(settings.database_url)
    assert rows.releases(cursor_of("0"), 1000).waits
    with projecting(settings) as running:
        running.catch_up()
    assert list(feed_entries(rows, rows.releases(cursor_of("0"), 1000).rows)) == whole, "the same cursors, too"
    engine.dispose()


def test_a_port_that_reads_during_a_rebuild_hears_each_release_once(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, batches = Projector._write, itertools.count()
    halfway, read_in_between = threading.Event(), threading.Event()

    def held_up(projector: Projector, store: Store, messages: list[Any]) -> None:
        if next(batches) >= 2:
            halfway.set()
            read_in_between.wait()
        write(projector, store, messages)

    with serving(kafka, f"sqlite:///{tmp_path}/rebuilt.db", projector_batch=20, projector_linger_ms=0) as running:
        before = every(running)
        with following(running.address, tmp_path / "port.db") as (port, house):
            monkeypatch.setattr(Projector, "_write", held_up)
            again = threading.Thread(target=rebuild, args=(running.settings,), daemon=True)
            again.start()
            wait(halfway.is_set, "rows to be made anew, and not all of them")
            refusals = set[str]()
            while again.is_alive():
                try:
                    port.read(house, 0)
                except Away as error:
                    refusals.add(str(error))
                finally:
                    read_in_between.set()
            again.join()
            port.catch_up(house, 30)
            assert refusals == {"the feed answers 503"}
            assert [one.id for one in house.heard_of] == for_effects(before)
        assert every(running) == before


def test_a_feed_made_anew_has_none_of_the_old_cursors(kafka: str, tmp_path: Path) -> None:
    file = tmp_path / "anew.db"
    with serving(kafka, f"sqlite:///{file}") as running:
        first = every(running)
        with following(running.address, tmp_path / "port.db") as (port, house):
            port.catch_up(house, 30)
    for one in tmp_path.glob("anew.db*"):
        one.unlink()
    with serving(kafka, f"sqlite:///{file}") as running:
        for cursor in (first[0]["cursor"], first[9]["cursor"], first[-1]["cursor"], "9", "999999"):
            refused = running.api("GET", f"/releases?after={cursor}")
            assert (refused.status_code, refused.json()["type"]) == (410, "/problems/wrong_feed"), cursor
            assert "Start at 0" in refused.json()["detail"]
        assert running.api("GET", "/releases/stream", headers={"Last-Event-ID": first[3]["cursor"]}).status_code == 410
        assert running.api("GET", "/releases?after=one.two").status_code == 422
        assert sorted(ids(every(running))) == sorted(ids(first))
        with following(running.address, tmp_path / "port.db") as (port, house):
            port.catch_up(house, 30)
            assert not house.heard_of, "what is known is not done again"
            assert port.notebook.cursor("http") == every(running)[-1]["cursor"]


def test_a_database_restored_from_an_older_copy_skips_nothing(kafka: str, tmp_path: Path) -> None:
    file, copy = tmp_path / "restored.db", tmp_path / "copy.db"
    url = f"sqlite:///{file}"
    with serving(kafka, url) as running:
        old = every(running)
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(copy)) as to:
            source.backup(to)
        tell(kafka, granted("lost-1", 7))
        running.catch_up()
        with following(running.address, tmp_path / "port.db") as (port, house):
            port.catch_up(house, 30)
            known = {one.id for one in house.heard_of}
        gone = every(running)
    # `restored.db.rights.json` stays, because no right was changed after the copy was made
    for end in ("", "-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    shutil.copy(copy, file)
    tell(kafka, granted("lost-2", 9))
    with serving(kafka, url) as running:
        assert every(running)[: len(old)] == old
        assert running.api("GET", f"/releases?after={gone[-1]['cursor']}").status_code == 410
        assert ids(every(running, old[3]["cursor"])) == ids(every(running))[4:], "what the copy has is as it was"
        with following(running.address, tmp_path / "port.db") as (port, house):
            port.catch_up(house, 30)
            assert {one.id for one in house.heard_of} == set(for_effects(every(running))) - known
            assert len(house.heard_of) == 9


def test_a_bare_number_is_a_cursor_of_the_migrated_feed(kafka: str, url: str, request: pytest.FixtureRequest) -> None:
    """An earlier version wrote bare numbers as cursors into databases and ports' notebooks."""
    settings = ConsoleSettings(kafka=kafka, partitions=PARTITIONS, database_url=url)
    engine = open_engine(url, writes=True)
    with projecting(settings) as running:
        running.catch_up()
    with engine.begin() as connection:
        downgraded(connection, "0002")
        upgrade(connection)
    rows = ReadModelQueries(engine)
    whole = rows.releases(cursor_of("0"), 1000).rows
    assert {row.epoch for row in whole} == {"first"}
    tell(kafka, granted(f"after-{url[:6]}", 3))
    with projecting(settings) as running:
        running.catch_up()
    later = rows.releases(cursor_of("5"), 1000).rows
    assert later[: len(whole) - 5] == whole[5:] and later[-3].epoch == later[-1].epoch != "first"
    assert rows.releases(cursor_of(str(len(whole))), 1000).rows == later[-3:]
    with pytest.raises(Exception, match="no epoch"):
        rows.releases(cursor_of(str(len(whole) + 1)), 1000)
    engine.dispose()


def downgraded(connection: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "services/console/readmodel/migrations")
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def test_a_notebook_of_an_earlier_version_keeps_its_place(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as sql, sql:
        sql.execute(
            "CREATE TABLE port_places (source TEXT, partition INT, next INT NOT NULL, PRIMARY KEY (source, partition))"
        )
        sql.executemany("INSERT INTO port_places VALUES (?, ?, ?)", [("http", 0, 58), ("customs-gate-facts", 3, 7)])
    for _ in range(2):
        old = Notebook(tmp_path / "old.db")
        assert old.cursor("http") == "57" and old.offsets("http") == {} and old.offsets("customs-gate-facts") == {3: 7}
        old.close()


@pytest.mark.parametrize(
    "by",
    [
        {"version": "x"},
        {"version": None},
        {"version": [1]},
        {"containers": 7},
        {"containers": [1]},
        {"reason": {"a": 1}},
    ],
    ids=str,
)
def test_a_stored_release_that_is_no_release_breaks_no_feed(
    bootstrap: str, by: dict[str, Any], console: Running
) -> None:
    consignment = green(f"spoilt-{by}", ())
    publish(bootstrap, spoilt(consignment, by))
    console.catch_up()
    [entry] = [one for one in every(console) if one["consignment_id"] == consignment.id]
    assert entry["kind"] == ("ReleaseGranted" if "reason" in by else "Unreadable")
    assert console.http.get("/").status_code == 200


def test_what_could_not_be_stored_is_told_and_told_again_once_it_can(
    kafka: str, settings: ConsoleSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a console cannot read a revocation, the feed has an unreadable entry, and the goods must stay. A later version
    reads the revocation; by then newer facts of its partition are in the feed."""
    called_back = green(f"unread-{settings.database_url[:6]}", ()).revoked()
    publish(kafka, called_back.messages)
    tell(kafka, granted(f"newer-{settings.database_url[:6]}"))

    def cannot(*_: Any) -> None:
        raise ValueError("not of this version")

    monkeypatch.setitem(consignment._TELLERS, "ReleaseRevoked", ("seq_release", cannot))
    with projecting(settings) as running:
        running.catch_up()
    engine = open_engine(settings.database_url)
    rows = ReadModelQueries(engine)
    entries = list(feed_entries(rows, rows.releases(cursor_of("0"), 1000).rows))
    assert [one.kind for one in entries if one.consignment_id == called_back.id] == ["ReleaseGranted", "Unreadable"]
    last = entries[-1].cursor
    monkeypatch.undo()
    rebuild(settings)
    later = rows.releases(cursor_of(last), 1000).rows
    assert called_back.messages[-1].id in [row.id for row in later]
    again = list(feed_entries(rows, rows.releases(cursor_of("0"), 1000).rows))
    assert [one.kind for one in again if one.consignment_id == called_back.id] == ["ReleaseGranted", "ReleaseRevoked"]
    assert {one.id for one in again} >= {one.id for one in entries if one.kind != "Unreadable"}
    engine.dispose()
