"""Can one fact that cannot be stored stop the read model, or make a page fail? Only this fact is set aside, with an
alarm, and its goods wait at the gate."""

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import insert, select, update

from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.rebuild import rebuild
from services.console.settings import ConsoleSettings
from tests.console.border import Border, PublishedMessage, green, publish
from tests.console.conftest import Running, projecting
from tests.console.test_projector import rows, stages


def _with(message: PublishedMessage, **changed: Any) -> PublishedMessage:
    return replace(message, value=orjson.dumps(orjson.loads(message.value) | changed))


def _spoilt(name: str) -> list[tuple[Border, list[PublishedMessage]]]:
    """Returns several consignments, each with its messages. One fact of each consignment has values that cannot be
    stored. Some of these values can be read and are refused only by SQL, when the row is written."""
    made = []
    changes: tuple[dict[str, Any], ...] = (
        {"lane": {"no": "text"}},
        {"lane": ["x"]},
        {"occurred_at": "0001-01-01T00:00:00Z"},
        {"rule_set": {"a": 1}, "credit_grade": 10**18},
        {"controls": 7},
    )
    for number, changed in enumerate(changes):
        goods = green(f"{name}-spoilt-{number}", ())
        messages = [_with(one, **changed) if one.kind == "ConsignmentAssessed" else one for one in goods.messages]
        made.append((goods, messages))
    return made


def test_what_cannot_be_stored_is_set_aside_alone_and_its_goods_wait(settings: ConsoleSettings) -> None:
    name = f"{settings.database_url[:6]}-aside"
    good = [green(f"{name}-good-{number}") for number in range(20)]
    spoilt = _spoilt(name)
    mixed = [one for goods in good[:10] for one in goods.messages]
    mixed += [one for _, messages in spoilt for one in messages] + [
        one for goods in good[10:] for one in goods.messages
    ]
    publish(settings.kafka, mixed)
    with projecting(settings) as running:
        running.catch_up()
        assert running.thread.is_alive()
    assert stages(settings.database_url, *good) == ["gated_out"] * len(good)
    assert stages(settings.database_url, *[goods for goods, _ in spoilt]) == ["parked"] * len(spoilt)
    before = rows(settings.database_url)
    wanted = {goods.id for goods, _ in spoilt}
    assert {row[4] for row in before["parked"] if row[0] == "console"} >= wanted
    assert {row[2] for row in before["alarms"] if row[1] == "FactNotProjected"} >= wanted
    rebuild(settings)
    assert rows(settings.database_url) == before


def test_rows_that_an_older_program_stored_with_absurd_times_are_shown(console: Running) -> None:
    absurd = green("absurd-times")
    publish(console.settings.kafka, absurd.messages)
    console.catch_up()
    engine = open_engine(console.settings.database_url, writes=True)
    with engine.begin() as connection:
        assert connection.execute(select(t.CONSIGNMENTS).where(t.CONSIGNMENTS.c.consignment_id == absurd.id)).one()
        for us in (-62_135_596_800_000_000, 2**62):
            connection.execute(update(t.FACTS).where(t.FACTS.c.key == absurd.id).values(recorded_us=us))
            paper = {"lodged_us": us, "released_us": us, "waiting_since_us": us, "ended_us": us}
            connection.execute(update(t.CONSIGNMENTS).where(t.CONSIGNMENTS.c.consignment_id == absurd.id).values(paper))
            alarm = {
                "place": us % 1000,
                "kind": "InspectionOverdue",
                "subject": absurd.id,
                "reason": "",
                "raised_us": us,
            }
            connection.execute(insert(t.ALARMS).values(alarm))
    engine.dispose()
    for path in ("/", "/api/v1/stages", f"/consignments/{absurd.id}", f"/api/v1/consignments/{absurd.id}"):
        for language in ("zh", "en"):
            answer = console.http.get(
                path, headers={"Accept-Language": language, "Accept": "text/html,application/json"}
            )
            assert answer.status_code == 200, (path, answer.text[:300])
