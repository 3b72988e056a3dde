"""Are requests that counted at the gate forgotten when a fact has answered them, and is no request forgotten that may
still be needed?"""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select

from services.console.readmodel import store as stores
from services.console.readmodel.database import open_engine
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.store import Store
from services.console.readmodel.tables import ASKED_HOLDS, FACTS, PARKED
from services.console.settings import ConsoleSettings
from services.shell.clock import now

BOX, OTHER, GOODS = "CSQU3054383", "MSKU9070323", "969933d5-ca49-5369-8778-4408be916a00"
LATER = 1_000


@pytest.fixture
def store(url: str) -> Store:
    return Store(open_engine(url, writes=True), 10)


def ask(store: Store, request: str, kept: str, asked_us: int, about: str = "") -> None:
    row = {"request_id": request, "consignment_id": kept, "about": about or kept, "asked_us": asked_us}
    with store.engine.begin() as connection:
        connection.execute(insert(ASKED_HOLDS), row)


def tell(store: Store, position: int, cause: str, key: str = BOX, kind: str = "EquipmentEventRecorded") -> None:
    row = {"key": key, "kind": kind, "sequence": position, "recorded_us": 1, "body": "{}", "id": f"f{position}"}
    with store.engine.begin() as connection:
        connection.execute(insert(FACTS), {**row, "place": position, "cause": cause})


def left(store: Store) -> list[tuple[str, str]]:
    columns = ASKED_HOLDS.c.request_id, ASKED_HOLDS.c.consignment_id
    with store.engine.begin() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]


def test_answered_requests_are_forgotten_with_all_that_they_kept(store: Store) -> None:
    ask(store, "stripping", BOX, 10)
    ask(store, "stripping", OTHER, 10, about=BOX)
    ask(store, "hold", GOODS, 20)
    tell(store, 1, "stripping")
    tell(store, 2, "hold", GOODS, "ConsignmentHeld")
    assert store.forget_answered(0, LATER) == LATER and left(store) == []


def test_what_may_still_be_needed_is_kept(store: Store) -> None:
    ask(store, "young", BOX, LATER + 1)
    tell(store, 1, "young")
    ask(store, "unanswered", BOX, 10)
    ask(store, "answered elsewhere", BOX, 11)
    tell(store, 2, "answered elsewhere", OTHER)
    ask(store, "findings taken back", GOODS, 12)
    tell(store, 3, "findings taken back", GOODS, "FindingsRetracted")
    tell(store, 4, "findings taken back", GOODS, "InspectionOrdered")
    ask(store, "discarded", GOODS, 13)
    parked = {"service": "release", "topic": "customs-release-requests", "partition": 0, "offset": 1, "key": GOODS}
    with store.engine.begin() as connection:
        connection.execute(insert(PARKED), {**parked, "kind": "PlaceHold", "status": "discarded"})
    before = left(store)
    store.forget_answered(0, LATER)
    assert left(store) == before and len(before) == 5


def test_the_gate_counts_the_same_before_and_afterwards_and_more_while_the_answer_is_not_there(store: Store) -> None:
    rows = ReadModelQueries(store.engine)
    ask(store, "report", BOX, 10)
    ask(store, "other", BOX, 20)
    tell(store, 1, "report")
    assert [each.asked_us for each in rows.container(BOX).unanswered] == [20]
    store.forget_answered(0, LATER)
    assert [each.asked_us for each in rows.container(BOX).unanswered] == [20] and left(store) == [("other", BOX)]
    ask(store, "again", BOX, 30)
    tell(store, 2, "again")
    with store.engine.begin() as connection:
        connection.execute(delete(FACTS))  # as `dtg rebuild` does
    store.forget_answered(0, LATER)
    assert left(store) == [("again", BOX), ("other", BOX)]


def test_it_looks_at_so_many_at_once_and_goes_on_from_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FORGOTTEN_AT_ONCE", 2)
    for number in range(1, 6):
        ask(store, f"r{number}", BOX, number)
        tell(store, number, f"r{number}")
    looked = 0
    for end, left_over in ((2, 3), (4, 1), (LATER, 0)):
        looked = store.forget_answered(looked, LATER)
        assert (looked, len(left(store))) == (end, left_over)


def test_of_requests_of_one_moment_none_is_passed_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FORGOTTEN_AT_ONCE", 2)
    for number, asked_us in enumerate((1, 2, 2, 2, 3), start=1):
        ask(store, f"r{number}", BOX, asked_us)
        tell(store, number, f"r{number}")
    assert (store.forget_answered(0, LATER), left(store)) == (2, [("r5", BOX)])
    assert (store.forget_answered(2, LATER), left(store)) == (LATER, [])


def test_the_projector_forgets_what_was_answered_a_day_ago(store: Store, url: str) -> None:
    projector = Projector(ConsoleSettings(database_url=url), Progress())
    for number, age in enumerate((timedelta(hours=25), timedelta(hours=23))):
        ask(store, f"r{number}", BOX, int((now() - age).timestamp() * 1_000_000))
        tell(store, number + 1, f"r{number}")
    projector.forget(store)
    assert left(store) == [("r1", BOX)]
