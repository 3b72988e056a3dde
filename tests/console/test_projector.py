"""Are the topics projected into rows exactly once on both databases, whatever fails meanwhile, and does a rebuild give
the same rows?"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Message
from sqlalchemy import select

from schemas.vocabulary import ControlKind, Stage
from services.console.readmodel import database
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import UNMATCHED
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.rebuild import empty, rebuild
from services.console.settings import ConsoleSettings
from services.shell import clients
from services.shell.access import access_to
from tests.conftest import provisioned
from tests.console.border import Border, green, publish, red
from tests.console.conftest import projecting
from tests.waiting import wait


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of its own, because these tests count each message on the topics."""
    with provisioned(tmp_path_factory.mktemp("projector-kafka")) as running:
        yield running.bootstrap


def rows(url: str) -> dict[str, list[Any]]:
    """Table → its rows, sorted, for every table of the read model except `TURNS` and `STANDING`."""
    engine = open_engine(url)
    with engine.begin() as connection:
        every = {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in t.METADATA.sorted_tables
            if table not in (t.TURNS, t.STANDING)
        }
    engine.dispose()
    return every


def stages(url: str, *consignments: Border) -> list[str]:
    """The stage of each consignment, in the given order; `none` if the consignment has no row."""
    column = t.CONSIGNMENTS.c
    engine = open_engine(url)
    with engine.begin() as connection:
        found = connection.execute(
            select(column.consignment_id, column.stage).where(column.consignment_id.in_([b.id for b in consignments]))
        )
        known: dict[str, str] = {row[0]: row[1] for row in found}
    engine.dispose()
    return [known.get(b.id, "none") for b in consignments]


ORIGINS = count(10_000)
"""Offsets of parked messages. Every story takes another offset, because the tests share their topics."""


def story(name: str) -> Sequence[Border]:
    return (
        green(f"{name}-g", ("CSQU3054383",)),
        red(f"{name}-r", ("MSKU6011672", "TGHU1234562")),
        Border(f"{name}-j").lodged().rejected(),
        Border(f"{name}-h")
        .lodged()
        .accepted()
        .assessed(ControlKind.INSPECTION)
        .held("arrival", "inspection/inspection"),
        Border(f"{name}-p").lodged().accepted().parked(offset=next(ORIGINS)),
        Border(f"{name}-q").lodged().accepted().refused_request(),
    )


STAGES = [Stage.GATED_OUT, Stage.RELEASED, Stage.REJECTED, Stage.UNDER_CONTROL, Stage.PARKED, Stage.ACCEPTED]


def test_facts_become_rows_and_a_rebuild_gives_the_same_rows(settings: ConsoleSettings) -> None:
    url = settings.database_url
    consignments = story(f"first-{url[:6]}")
    with projecting(settings) as running:
        publish(settings.kafka, [message for border in consignments for message in border.messages])
        running.catch_up()
        assert stages(url, *consignments) == STAGES
        more = story(f"second-{url[:6]}")
        publish(settings.kafka, [message for border in more for message in border.messages])
        running.catch_up()
    assert stages(url, *more) == STAGES
    before = rows(url)
    assert len(before["holds"]) >= 4 and len(before["refusals"]) >= 2 and len(before["parked"]) >= 2
    counted = {stage: n for stage, n in before["stage_counts"] if n}
    stage_at = [c.name for c in t.CONSIGNMENTS.columns].index("stage")
    every = [row[stage_at] for row in before["consignments"]]
    assert counted == {stage: every.count(stage) for stage in set(every) - {UNMATCHED}}, (
        "no board counts what nobody lodged"
    )
    assert rebuild(settings) == sum(row[2] for row in before["offsets"])
    assert rows(url) == before


def test_a_locked_database_delays_the_rows_and_loses_none(
    bootstrap: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.2)
    settings = ConsoleSettings(kafka=bootstrap, database_url=f"sqlite:///{tmp_path}/console.db")
    migrate(settings.database_url)
    consignment = green("locked")
    with projecting(settings) as running:
        running.catch_up()
        other = open_engine(settings.database_url, writes=True)
        with other.begin():
            publish(bootstrap, consignment.messages)
            wait(lambda: "locked" in running.progress.state().trouble, "the projector to say that it is locked out")
        other.dispose()
        running.catch_up()
        assert running.progress.state().trouble == ""
    assert stages(settings.database_url, consignment) == [Stage.GATED_OUT]


def test_two_projectors_on_one_database_write_everything_once(settings: ConsoleSettings) -> None:
    small = settings.model_copy(update={"projector_batch": 7, "projector_linger_ms": 1})
    consignments = [green(f"both-{settings.database_url[:6]}-{number}") for number in range(40)]
    with projecting(small) as one, projecting(small) as two:
        publish(settings.kafka, [message for border in consignments for message in border.messages])
        one.catch_up()
        two.catch_up()
    assert stages(settings.database_url, *consignments) == [Stage.GATED_OUT] * len(consignments)
    before = rows(settings.database_url)
    cursors = [row[0] for row in before["releases"]]
    assert sorted(cursors) == list(range(1, len(cursors) + 1))
    empty(settings.database_url)
    with projecting(settings) as again:
        again.catch_up()
    assert rows(settings.database_url) == before


def test_rubbish_on_any_topic_stops_nothing_and_is_seen(settings: ConsoleSettings) -> None:
    consignment = green(f"after-rubbish-{settings.database_url[:6]}")
    producer = clients.producer(access_to(settings.kafka), {})
    good = dict(consignment.messages[0].headers())
    written: set[tuple[str, int, int]] = set()

    def delivered(_: object, message: Message) -> None:
        written.add((message.topic(), message.partition(), message.offset()))

    for topic in ("customs-declaration-requests", "customs-release-facts", "customs-gate-facts", "customs-risk-parked"):
        kind = {"customs-declaration-requests": b"LodgeDeclaration", "customs-release-facts": b"ConsignmentHeld"}.get(
            topic, b"ContainerMayLeave"
        )
        for value, headers in (
            (b"{", {**good, "ce_type": kind}),
            (b"[]", {**good, "ce_type": kind}),
            (b'{"holds": 7}', {**good, "ce_type": kind}),
            (b"\xff\x00", {**good, "ce_type": kind}),
            (None, {**good, "ce_type": kind}),
            (b"{}", {}),
            (b"{}", {**good, "ce_type": b"Nonsense"}),
            (b"{}", {**good, "ce_type": kind, "ce_time": b"noon", "sequence": b"x"}),
        ):
            producer.produce(topic, key=b"rubbish", value=value, headers=headers, on_delivery=delivered)
    producer.produce("customs-gate-requests", key=b"\xfe\x00" * 9000, value=b"{}", headers=good)
    assert producer.flush(30) == 0
    publish(settings.kafka, consignment.messages)
    with projecting(settings) as running:
        running.catch_up()
    assert stages(settings.database_url, consignment) == [Stage.GATED_OUT]
    parked = rows(settings.database_url)["parked"]
    aside = [row for row in parked if row[0] == "console" and row[1:4] in written]  # other tests write rubbish here too
    assert {row[1] for row in aside} == {"customs-release-facts", "customs-gate-facts", "customs-risk-parked"}


def test_a_log_that_was_replaced_is_named_and_not_projected(settings: ConsoleSettings) -> None:
    engine = open_engine(settings.database_url, writes=True)
    with engine.begin() as connection:
        row = {"topic": "customs-risk-facts", "partition": 0, "next_offset": 10**9}
        connection.execute(t.OFFSETS.insert(), [row])
    engine.dispose()
    with projecting(settings) as running:
        wait(lambda: "dtg rebuild" in running.progress.state().trouble, "the projector to say what to do")
        assert running.progress.state().as_of is None
