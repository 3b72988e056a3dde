"""Does a console whose projector is another process say no whenever it cannot know that the rows are complete?"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, func, insert, select, update

from deploy.kafka.broker import free_port
from deploy.kafka.progress import WaitLimit
from services.cli.processes import read_model, stop_all
from services.cli.up import wait_for
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.observed_progress import ObservedProgress
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.rebuild import empty
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.border import Border, publish
from tests.console.conftest import Projecting, projecting
from tests.people import admit, headers_of
from tests.waiting import wait


def released(name: str, box: str) -> Border:
    return Border(name, (box,)).lodged().accepted().assessed().held("arrival").arrived().released().may_leave()


@contextmanager
def watching(url: str, stale_seconds: float = 30) -> Iterator[ObservedProgress]:
    engine = open_engine(url)
    yield ObservedProgress(ReadModelQueries(engine), stale_seconds)
    engine.dispose()


def fresh(watch: ObservedProgress) -> bool:
    watch.look()
    return watch.state().fresh(30)


def run_sql(url: str, *statements: Any) -> None:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def test_the_standing_is_believed_only_while_it_grows(settings: ConsoleSettings) -> None:
    url = settings.database_url
    with watching(url) as watch:
        assert not fresh(watch), "nobody has written it"
        with projecting(settings) as running:
            running.catch_up()
            wait(lambda: fresh(watch), "the standing to be fresh")
            assert watch.state().as_of is not None and watch.state().trouble == ""
        with watching(url) as later:
            assert not any(fresh(later) for _ in range(4)), "a row that does not grow is of unknown age"
        before = watch.state().lag_seconds
        watch.look()
        after = watch.state().lag_seconds
        assert before is not None and after is not None and after > before, "it grows old by this process's stopwatch"
        run_sql(url, delete(t.STANDING))
        assert not fresh(watch), "it was taken away"


@pytest.mark.parametrize("as_of_us", [0, 10**16], ids=["a clock behind", "a clock ahead"])
def test_no_clock_of_the_projector_makes_its_standing_younger(settings: ConsoleSettings, as_of_us: int) -> None:
    """By the console's own measure the standing is a minute old, whatever the projector's clock shows. And a wrong
    clock of the projector does not make a fresh standing old."""
    row = {"name": "projector", "as_of_us": as_of_us, "gate_as_of_us": as_of_us, "behind": 0, "trouble": ""}
    run_sql(
        settings.database_url,
        delete(t.STANDING),
        insert(t.STANDING).values(beats=1, lag_ms=60_000, gate_lag_ms=60_000, **row),
    )
    grows = update(t.STANDING).values(beats=t.STANDING.c.beats + 1)
    with watching(settings.database_url) as watch:
        for _ in range(4):
            run_sql(settings.database_url, grows)
            assert not fresh(watch)
        run_sql(settings.database_url, grows.values(lag_ms=0, gate_lag_ms=0))
        assert fresh(watch)
    run_sql(settings.database_url, delete(t.STANDING))


def test_a_standing_that_has_a_lower_number_than_before_is_another_one(settings: ConsoleSettings) -> None:
    """The standing may be that of a restored backup. Its age is not known until this process has seen its number
    grow."""
    row = {
        "name": "projector",
        "as_of_us": 1,
        "lag_ms": 0,
        "gate_as_of_us": 1,
        "gate_lag_ms": 0,
        "behind": 0,
        "trouble": "",
    }
    run_sql(settings.database_url, delete(t.STANDING), insert(t.STANDING).values(beats=100, **row))
    with watching(settings.database_url) as watch:
        for beats in (101, 102, 103):
            watch.look()
            run_sql(settings.database_url, update(t.STANDING).values(beats=beats))
        assert fresh(watch)
        run_sql(settings.database_url, update(t.STANDING).values(beats=50))
        assert not any(fresh(watch) for _ in range(4))
    run_sql(settings.database_url, delete(t.STANDING))


def test_a_standing_that_cannot_be_read_grows_old_and_says_so(settings: ConsoleSettings) -> None:
    with watching(settings.database_url) as watch:
        with projecting(settings) as running:
            running.catch_up()
            wait(lambda: fresh(watch), "the standing to be fresh")
        engine = open_engine(settings.database_url, writes=True)
        t.STANDING.drop(engine)
        before = watch.state().lag_seconds
        watch.look()
        after = watch.state()
        assert before is not None and after.lag_seconds is not None and after.lag_seconds > before
        assert after.trouble.startswith("database")
        t.STANDING.create(engine)
        engine.dispose()


def test_rows_that_are_made_anew_are_never_called_complete_before_they_are(settings: ConsoleSettings) -> None:
    """A projector without new messages must not call the rows complete after a rebuild has removed them. A projector
    that reads the topics again must not call the rows complete while half of them are missing."""
    url, engine = settings.database_url, open_engine(settings.database_url)
    # Ports skip ids that they know. So each run has ids of its own.
    kind = engine.dialect.name
    stories = [released(f"anew-{kind}-{n}", "ZZZU7654321") for n in range(60)]
    publish(settings.kafka, [message for story in stories for message in story.messages])

    def complete(rows: int) -> bool:
        counted = select(func.count()).select_from(t.FACTS).scalar_subquery()
        with engine.begin() as connection:
            there, as_of = connection.execute(select(counted, select(t.STANDING.c.as_of_us).scalar_subquery())).one()
        assert as_of is None or there >= rows, f"{there} of {rows} facts, and the standing says that they are complete"
        return as_of is not None

    slow = settings.model_copy(update={"projector_batch": 40})
    with projecting(slow) as running:
        running.catch_up()
        wait(lambda: complete(0), "the standing to say that the rows are complete")
        with engine.begin() as connection:
            all_of_them = connection.execute(select(func.count()).select_from(t.FACTS)).scalar_one()
        empty(url)
        assert not ReadModelQueries(engine).container("ZZZU7654321").complete or complete(all_of_them)
        _await(lambda: complete(all_of_them), running)
    engine.dispose()


def _await(true: Callable[[], bool], running: Projecting) -> None:
    """Waits until `true()` is true, and fails if there is no progress. Makes no pause between two checks, so that it
    does not miss rows that are wrong for a moment."""
    progress = WaitLimit("the rows to be complete again", {"projected": lambda: running.progress.projected})
    while not true():
        assert progress.goes_on(), f"{progress.in_vain()} {running.progress.state().trouble}"


def test_a_frozen_or_dead_projector_closes_the_gate_and_one_that_goes_on_opens_it(
    bootstrap: str, tmp_path: Path
) -> None:
    """Console and projector are started at the same time on a database without tables. The console waits for the
    tables."""
    ports = free_port(), free_port()
    env = {
        "DTG_KAFKA": bootstrap,
        "DTG_PARTITIONS": str(PARTITIONS),
        "DTG_DATABASE_URL": f"sqlite:///{tmp_path}/console.db",
        "DTG_GATE_STALE_SECONDS": "2",
    }
    console, projector = read_model(*ports, tmp_path, env)
    pages = {f"http://127.0.0.1:{port}/readyz": child for port, child in zip(ports, (console, projector), strict=True)}
    http = httpx2.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=30, headers=headers_of())

    def gate() -> tuple[bool, str]:
        answer = http.get("/api/v1/containers/TGHU7654321").json()
        return answer["may_leave"], answer["reason"]

    try:
        for child in (console, projector):
            child.start()
        wait_for(pages)
        admit(env["DTG_DATABASE_URL"])
        feed = http.get("/api/v1/releases").json()
        while feed["more"]:
            feed = http.get("/api/v1/releases", params={"after": feed["cursor"]}).json()
        publish(bootstrap, released("apart", "TGHU7654321").messages)
        grown = http.get("/api/v1/releases", params={"after": feed["cursor"], "wait": 25}).json()
        assert grown["releases"], "who waits at the feed is woken"
        wait(lambda: gate() == (True, "released"), "the gate to say yes")
        projector.signal(signal.SIGSTOP)
        wait(lambda: gate() == (False, "stale"), "the gate to say no while the projector is frozen")
        projector.signal(signal.SIGCONT)
        wait(lambda: gate() == (True, "released"), "the gate to say yes after it")
        projector.kill()
        wait(lambda: gate() == (False, "stale"), "the gate to say no")
        wait(lambda: http.get("/readyz").status_code == 503, "readiness to tell the truth")
        assert http.get("/readyz").json()["waiting"] == ["projector"]
        assert http.get("/livez").status_code == 200, "starting the console again would mend nothing"
        projector.start()
        wait_for(pages)
        wait(lambda: gate() == (True, "released"), "the gate to say yes again")
        assert console.alive
    finally:
        stop_all([console, projector], 10)
        http.close()
    assert (console.code, projector.code) == (0, 0), (console.tail(), projector.tail())
