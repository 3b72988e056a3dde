"""What is requested about a container counts at the gate until it is answered: also when it is requested again after it could not be sent,
and however many reports about the container were answered before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select

from services.console.api import answers
from services.console.api.context import ConsoleContext
from services.console.api.request_producer import Asker, RequestRow
from services.console.readmodel.database import open_engine
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

BOX = "CSQU3054383"
GOODS = "CN-913702007136459080-ASKED-1"


def report(request_id: str, asked_us: int) -> RequestRow:
    return RequestRow(request_id, "", "terminal-1", "RecordEquipmentEvent", BOX, "digest", asked_us)


@pytest.fixture
def context(url: str) -> Iterator[ConsoleContext]:
    settings, engine = ConsoleSettings(database_url=url), open_engine(url, writes=True)
    yield ConsoleContext(
        settings, ReadModelQueries(engine), Asker(settings, engine), Progress(), ReadModelQueries(engine)
    )
    engine.dispose()


def test_a_report_that_could_not_be_sent_counts_anew_when_it_is_sent_again(context: ConsoleContext) -> None:
    """The broker did not answer, and the terminal tells the same event again after more than two minutes. Under its first time the row
    would be taken for one that was never sent."""
    for asked_us in (1, 2_000_000_000):
        finish(context.asker._note_holds([report("r1", asked_us), report("r2", 7)]))
    with context.rows._engine.begin() as connection:
        rows = connection.execute(select(ASKED_HOLDS).order_by(ASKED_HOLDS.c.request_id))
        assert [tuple(row) for row in rows] == [("r1", BOX, 2_000_000_000), ("r2", BOX, 7)]


def test_a_report_that_waits_is_not_named_among_the_goods_that_keep_the_box(context: ConsoleContext) -> None:
    finish(context.asker._note_holds([report("r1", int(now().timestamp() * 1_000_000))]))
    view = answers.gate_view(context, AUDITOR, BOX)
    assert (view.reason, view.waiting_for) == ("hold_asked", [])


def steps(file: Path, reports: int) -> int:
    """The thousands of steps of SQLite in which it reads what is not answered, of a box with so many reports; only the last one is not."""
    engine = open_engine(f"sqlite:///{file}", writes=True)
    METADATA.create_all(engine)
    holds = [{"request_id": f"r{n}", "consignment_id": BOX, "asked_us": n} for n in range(reports + 1)]
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
    """Each report was once looked for among all facts of the box: a key that told of 10,000 events made the answer take many seconds."""
    few, many = [steps(tmp_path / f"{reports}.db", reports) for reports in (500, 4000)]
    assert many < 20 * max(few, 5)


def test_a_container_of_which_nothing_is_requested_is_answered_with_two_statements(context: ConsoleContext) -> None:
    """Each further statement makes every question at the gate wait for Python's interpreter lock once more."""
    engine, statements = context.rows._engine, list[str]()
    with engine.begin() as connection:
        connection.execute(insert(CONSIGNMENT_CONTAINERS), {"container_no": BOX, "consignment_id": GOODS})

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    assert [part.consignment_id for part in context.rows.container(BOX).parts] == [GOODS]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


ROWS: dict[str, tuple[Table, dict[str, Any]]] = {
    "a request about the container": (ASKED_HOLDS, {"request_id": "r1", "consignment_id": BOX, "asked_us": 1}),
    "a request about goods in it": (ASKED_HOLDS, {"request_id": "r1", "consignment_id": GOODS, "asked_us": 1}),
    "a watch that is not met": (ASKED_WATCHES, {"watch_id": "w1", "bill_no": "BILL-1", "asked_us": 1}),
    "a hold on the container": (CONTAINER_HOLDS, {"container_no": BOX, "hold_id": "h1", "since_us": 1}),
    "a parked message of its goods": (
        CONSIGNMENTS,
        {"consignment_id": GOODS, "declared": "accepted", "word": "released", "released_boxes": BOX, "parked": 1},
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_table_alone_keeps_the_container(context: ConsoleContext, row: tuple[Table, dict[str, Any]]) -> None:
    """The first statement says which tables have anything about a container, and only these are read."""
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
