"""Does a request about a container keep the container at the gate until the request is answered? It must do so even if
the request was sent again after a failure, and however many reports about the container were answered before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select

from schemas.gate import RecordEquipmentEvent
from schemas.vocabulary import EquipmentEvent
from services.console.api import answers
from services.console.api.context import ConsoleContext
from services.console.api.request_producer import Asker, Prepared, RequestKey, RequestRow, prepare
from services.console.readmodel.database import open_engine
from services.console.readmodel.gate_answer import UnansweredRequest
from services.console.readmodel.progress import Progress
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.tables import (
    ASKED_HOLDS,
    ASKED_WATCHES,
    CONSIGNMENT_CONTAINERS,
    CONSIGNMENTS,
    CONTAINER_HOLDS,
    CONTAINERS,
    FACTS,
    METADATA,
    STANDING,
)
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from tests.console.test_goods_access import AUDITOR
from tests.loops import finish

BOX, OTHER, THIRD = "CSQU3054383", "MSKU9070323", "TGHU1234562"
GOODS = "CN-913702007136459080-ASKED-1"


def report(request_id: str, asked_us: int, *others: str) -> Prepared:
    row = RequestRow(request_id, "", "terminal-1", "RecordEquipmentEvent", BOX, "digest", asked_us)
    return Prepared(row, "", b"", [], others_kept=others)


@pytest.fixture
def context(url: str) -> Iterator[ConsoleContext]:
    settings, engine = ConsoleSettings(database_url=url), open_engine(url, writes=True)
    yield ConsoleContext(
        settings, ReadModelQueries(engine), Asker(settings, engine), Progress(), ReadModelQueries(engine)
    )
    engine.dispose()


def test_a_report_that_could_not_be_sent_counts_anew_when_it_is_sent_again(context: ConsoleContext) -> None:
    """The broker did not answer, and the terminal sends the same report again after more than two minutes. If the row
    kept the time of the first attempt, the console would take the request for one that was never sent."""
    for asked_us in (1, 2_000_000_000):
        finish(context.asker._note_holds([report("r1", asked_us), report("r2", 7)]))
    with context.rows._engine.begin() as connection:
        rows = connection.execute(select(ASKED_HOLDS).order_by(ASKED_HOLDS.c.request_id))
        assert [tuple(row) for row in rows] == [("r1", BOX, BOX, 2_000_000_000), ("r2", BOX, BOX, 7)]


def test_a_stripping_keeps_the_containers_into_which_the_goods_went_until_it_is_answered(
    context: ConsoleContext,
) -> None:
    """The goods that were in the target containers before may be released, while the goods that came out of the
    stripped container may be held. The fact that answers the report is about the stripped container."""
    asked_us = int(now().timestamp() * 1_000_000)
    finish(context.asker._note_holds([report("r1", asked_us, OTHER, THIRD), report("r2", 7)]))

    def kept() -> dict[str, list[tuple[str, bool]]]:
        rows = {box: context.rows.container(box).unanswered for box in (BOX, OTHER, THIRD, "TSTU0000001")}
        return {box: [(each.subject, each.sent) for each in waiting] for box, waiting in rows.items()}

    assert kept() == {BOX: [(BOX, False)], OTHER: [(OTHER, False)], THIRD: [(THIRD, False)], "TSTU0000001": []}
    assert answers.gate_view(context, AUDITOR, OTHER).reason == "hold_asked"
    message = {"key": BOX, "sequence": 1, "recorded_us": 1, "body": "{}"}
    sent = {**message, "kind": "RecordEquipmentEvent", "place": 1, "id": "r1", "cause": ""}
    with context.rows._engine.begin() as connection:
        connection.execute(insert(FACTS), sent)
    assert kept()[OTHER] == [(OTHER, True)], "its message was read, and the gate desk has not answered"
    answer = {**message, "kind": "EquipmentEventRecorded", "place": 2, "id": "f1", "cause": "r1"}
    with context.rows._engine.begin() as connection:
        connection.execute(insert(FACTS), answer)
    assert (kept()[OTHER], kept()[THIRD]) == ([], [])


def test_while_the_rows_are_made_anew_the_answer_is_that_they_are_stale_and_not_that_an_old_report_waits(
    context: ConsoleContext,
) -> None:
    """A rebuild keeps the rows of requests, but the rows of their answers are not made again yet."""
    finish(context.asker._note_holds([report("r1", 7)]))
    view = answers.gate_view(context, AUDITOR, BOX)
    assert (view.may_leave, view.reason, view.waiting_for) == (False, "stale", [])


@pytest.mark.parametrize(
    ("asked_us", "sent", "known", "fresh", "counts"),
    [
        # All messages were read, and this old request is not among them. So it was never sent.
        (7, False, True, True, False),
        (7, False, False, True, True),
        (7, False, False, False, False),
        (7, True, False, False, True),
        (9, False, True, True, True),
        (9, False, False, False, True),
    ],
)
def test_a_request_counts_as_long_as_it_may_be_on_its_way_and_the_answer_might_be_yes(
    asked_us: int, sent: bool, known: bool, fresh: bool, counts: bool
) -> None:
    assert answers.is_waited_for(UnansweredRequest(BOX, asked_us, sent), 8, known=known, fresh=fresh) == counts


@pytest.mark.parametrize(
    ("event", "kept"),
    [(EquipmentEvent.STRIPPED, (OTHER, THIRD)), (EquipmentEvent.STUFFED, ()), (EquipmentEvent.GATED_OUT, ())],
)
def test_the_targets_of_a_stripping_are_kept_however_they_are_spelled(
    event: EquipmentEvent, kept: tuple[str, ...]
) -> None:
    targets = (OTHER.lower(), f"{THIRD[:4]} {THIRD[4:]}", OTHER, BOX)
    fields = {"container_no": BOX, "asked_by": "t", "occurred_at": now(), "event": event, "place": "CFS 2"}
    request = RecordEquipmentEvent.model_validate({**fields, "targets": targets})
    assert prepare(request, RequestKey("", "hidden")).others_kept == kept


def test_a_report_that_waits_is_not_named_among_the_goods_that_keep_the_box(context: ConsoleContext) -> None:
    finish(context.asker._note_holds([report("r1", int(now().timestamp() * 1_000_000))]))
    view = answers.gate_view(context, AUDITOR, BOX)
    assert (view.reason, view.waiting_for) == ("hold_asked", [])


def steps(file: Path, reports: int) -> int:
    """Returns how many thousand steps SQLite needs to read the unanswered requests about a container. `reports`: how
    many reports about the container were answered; one more is not answered."""
    engine = open_engine(f"sqlite:///{file}", writes=True)
    METADATA.create_all(engine)
    holds = [{"request_id": f"r{n}", "consignment_id": BOX, "about": BOX, "asked_us": n} for n in range(reports + 1)]
    message = {"key": BOX, "kind": "EquipmentEventRecorded", "sequence": 1, "recorded_us": 1, "body": "{}"}
    facts = [{**message, "place": n, "id": f"f{n}", "cause": f"r{n}"} for n in range(reports)]
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with engine.begin() as connection:
        connection.execute(insert(ASKED_HOLDS), holds)
        connection.execute(insert(FACTS), facts)
    with engine.connect() as connection:
        connection.connection.driver_connection.set_progress_handler(count, 1000)  # type: ignore[union-attr]
    (waiting,) = ReadModelQueries(engine).container(BOX).unanswered
    assert (waiting.subject, waiting.asked_us, waiting.sent) == (BOX, reports, False)
    engine.dispose()
    return counted


def test_the_question_at_the_gate_costs_no_more_than_the_reports_of_the_box_are_many(tmp_path: Path) -> None:
    """In an older version, the answer to each report was searched among all facts about the container. After a key had
    sent 10,000 reports, the gate's answer took many seconds."""
    few, many = [steps(tmp_path / f"{reports}.db", reports) for reports in (500, 4000)]
    assert many < 20 * max(few, 5)


def test_a_container_of_which_nothing_is_requested_is_answered_with_two_statements(context: ConsoleContext) -> None:
    """With each further SQL statement, every gate question waits once more for Python's interpreter lock."""
    engine, statements = context.rows._engine, list[str]()
    with engine.begin() as connection:
        connection.execute(insert(CONSIGNMENT_CONTAINERS), {"container_no": BOX, "consignment_id": GOODS})

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    assert [part.consignment_id for part in context.rows.container(BOX).parts] == [GOODS]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


ROWS: dict[str, tuple[Table, dict[str, Any]]] = {
    "a request about the container": (
        ASKED_HOLDS,
        {"request_id": "r1", "consignment_id": BOX, "about": BOX, "asked_us": 1},
    ),
    "a request about goods in it": (
        ASKED_HOLDS,
        {"request_id": "r1", "consignment_id": GOODS, "about": GOODS, "asked_us": 1},
    ),
    "a watch that is not met": (ASKED_WATCHES, {"watch_id": "w1", "bill_no": "BILL-1", "asked_us": 1}),
    "a hold on the container": (CONTAINER_HOLDS, {"container_no": BOX, "hold_id": "h1", "since_us": 1}),
    "a parked message of its goods": (
        CONSIGNMENTS,
        {"consignment_id": GOODS, "declared": "accepted", "word": "released", "released_boxes": BOX, "parked": 1},
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_table_alone_keeps_the_container(context: ConsoleContext, row: tuple[Table, dict[str, Any]]) -> None:
    """The first SQL statement finds out which tables have rows about the container, and only these tables are read."""
    table, values = row
    inside = {"container_no": BOX, "consignment_id": GOODS, "word": "released", "bill_no": "BILL-1"}
    standing = {"name": "projector", "as_of_us": 1}
    with context.rows._engine.begin() as connection:
        connection.execute(insert(CONTAINERS), {"container_no": BOX, "word": "may_leave", "seq": 1})
        connection.execute(insert(CONSIGNMENT_CONTAINERS), inside)
        connection.execute(insert(STANDING), standing)
        connection.execute(insert(table), values)
    found = context.rows.container(BOX)
    assert found.complete and (found.parked or found.unanswered or found.holds)
