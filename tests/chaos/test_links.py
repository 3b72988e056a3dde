"""What does a desk do if the broker gets its request, but the answer is lost?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.console.readmodel import progress
from services.console.readmodel.database import migrate
from services.console.readmodel.messages import TOPICS
from services.console.settings import ConsoleSettings
from services.shell import transactions
from services.shell.clients import desk_producer
from services.shell.clock import now
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.worker import desks
from tests.chaos.proxy import END_TXN, Proxy
from tests.console.conftest import Running
from tests.declaration.good import lodge
from tests.kafka.border import Border
from tests.waiting import wait, wait_until_ended


@contextmanager
def behind_a_proxy(folder: Path) -> Iterator[tuple[Broker, Proxy]]:
    """Yields a broker that can be reached directly and through a proxy, and the proxy."""
    inner = free_port()
    proxy = Proxy(inner)
    broker = Broker(folder, free_port(), proxied={inner: proxy.port})
    try:
        broker.start()
        yield broker, proxy
    finally:
        broker.stop()
        proxy.close()


@contextmanager
def running(desk: Loop) -> Iterator[list[BaseException]]:
    """Runs the loop in a thread. Yields a list, to which the exception is added if an exception ends the loop."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            desk.run()
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait(lambda: problems or desk.ready.is_set(), "the desk to be ready")
        assert not problems
        yield problems
    finally:
        desk.stop()
        wait_until_ended(thread)


def test_a_commit_whose_answer_is_lost_is_asked_for_again_and_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "COMMIT_SECONDS", 1.0)
    with behind_a_proxy(tmp_path) as (broker, proxy):
        provision(broker.bootstrap, 1)
        desk = Loop(
            desks(["declaration"])[0], WorkerSettings(kafka=f"127.0.0.1:{proxy.port}", partitions=1, slot="proxied")
        )
        border = Border(broker.bootstrap, 1)
        with capture_logs() as logs, running(desk) as problems:
            proxy.mute(END_TXN)
            lodged = lodge(reference="unanswered")
            border.ask(lodged)
            border.until(lodged.key, "DeclarationAccepted")
            assert proxy.muted
            border.eventually(lambda: any(line["event"] == "commit not answered" for line in logs))
            proxy.heal()
            border.ask(lodged, "the same declaration, asked again")
            border.ask(lodge(reference="next"))
            border.until(lodge(reference="next").key, "DeclarationAccepted")
            assert not problems
        assert [e.kind for e in border.facts(lodged.key)] == ["DeclarationAccepted", "DeclarationRepeated"]
        border.close()


def test_a_commit_whose_answer_is_lost_and_whose_producer_was_fenced_since_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the commit is lost. Before the desk asks for the outcome of the commit, another process of the same
    slot begins. The broker then answers that the producer of the desk is fenced, although the batch was committed."""
    monkeypatch.setattr(transactions, "COMMIT_SECONDS", 1.0)
    with behind_a_proxy(tmp_path) as (broker, proxy):
        provision(broker.bootstrap, 1)
        settings = WorkerSettings(
            kafka=f"127.0.0.1:{proxy.port}", partitions=1, slot="doubled", transaction_timeout_ms=1000
        )
        desk = Loop(desks(["declaration"])[0], settings)
        border = Border(broker.bootstrap, 1)
        with capture_logs() as logs, running(desk) as problems:
            first, lodged = lodge(reference="before"), lodge(reference="unanswered")
            border.ask(first)
            border.until(first.key, "DeclarationAccepted")
            proxy.mute(END_TXN)
            border.ask(lodged)
            border.until(lodged.key, "DeclarationAccepted")
            border.eventually(lambda: any(line["event"] == "commit not answered" for line in logs))
            other = desk_producer("declaration", settings.model_copy(update={"kafka": broker.bootstrap}), print)
            other.init_transactions(30)
            proxy.cut()
            proxy.heal()
            border.eventually(lambda: problems or any(line["event"] == "transaction aborted" for line in logs))
            border.ask(lodged, "the same declaration, asked again")
            border.until(lodged.key, "DeclarationRepeated")
            assert not problems
        assert [e.kind for e in border.facts(lodged.key)] == ["DeclarationAccepted", "DeclarationRepeated"]
        border.close()


def test_an_idle_desk_whose_broker_is_away_is_not_ready(tmp_path: Path) -> None:
    with behind_a_proxy(tmp_path) as (broker, proxy):
        provision(broker.bootstrap, 1)
        settings = WorkerSettings(
            kafka=f"127.0.0.1:{proxy.port}", partitions=1, slot="proxied", session_timeout_ms=1000
        )
        desk = Loop(desks(["declaration"])[0], settings)
        with running(desk) as problems:
            proxy.cut()
            wait(lambda: problems or not desk.can_work(), "the desk to know that the broker is away")
            proxy.heal()
            wait(lambda: problems or desk.can_work(), "the desk to know that the broker is there")
            assert not problems


@pytest.mark.parametrize("fault", ["cut", "mute"])
def test_a_console_whose_broker_is_away_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(progress, "UNANSWERED_SECONDS", 2.0)
    with behind_a_proxy(tmp_path / "kafka") as (broker, proxy):
        provision(broker.bootstrap, 1)
        url = f"sqlite:///{tmp_path}/c.db"
        migrate(url)
        running = Running(ConsoleSettings(kafka=f"127.0.0.1:{proxy.port}", database_url=url, console_port=free_port()))
        running.start()
        try:
            proxy.cut() if fault == "cut" else proxy.mute()
            wait(lambda: running.http.get("/readyz").status_code == 503, "the console to know that the broker is away")
            answer = running.http.get("/readyz").json()
            assert "projector" in answer["waiting"] and "kafka" in answer["projection"]["trouble"]
            assert running.http.get("/livez").status_code == 200
            proxy.heal()
            wait(lambda: running.http.get("/readyz").status_code == 200, "the console to know that the broker is there")
        finally:
            proxy.heal()
            running.stop()


def test_a_console_whose_broker_was_started_again_knows_soon_that_its_rows_are_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A librdkafka client may request the ends of topics from their former leaders for up to five minutes. The console
    must not wait so long."""
    # Here the console asks for the ids of the topics only once. By further answers its client would learn the new
    # leaders, too.
    monkeypatch.setattr(progress, "LOOK_SECONDS", 3600.0)
    with behind_a_proxy(tmp_path / "kafka") as (broker, _):
        provision(broker.bootstrap, 1)
        ends, standing = progress.Ends(broker.bootstrap, [(topic, 0) for topic in TOPICS]), progress.Progress()

        def complete(since: datetime) -> bool:
            ends.look({}, standing)
            as_of = standing.state().as_of
            return as_of is not None and as_of > since

        for _ in range(3):
            wait(partial(complete, now()), "the ends of the topics")
            broker.kill()
            broker.start()
        wait(partial(complete, now()), "the ends of the topics, after the last start")
