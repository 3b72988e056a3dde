"""Can a lodgement that did not come through the console break lists, or the console's thread that follows watches?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, insert

from schemas.declaration import MOST_CONTAINERS
from schemas.hold_ids import of_watch
from schemas.vocabulary import consignment_id
from services.console.readmodel import tables as t
from services.console.readmodel.batch import Batch, fold
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import TopicMessage
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.store import StoredRows
from tests.console.border import DECLARANT, Border

ODD_KEYS = (
    "x",
    "goods 1",
    "G" * 36,
    "ä" * 36,
    consignment_id(DECLARANT, "A").upper(),
    f"{consignment_id(DECLARANT, 'A')}\n",
)
BILL = "ODDBILL1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/console.db"
    migrate(url)
    made = open_engine(url, writes=True)
    yield made
    made.dispose()


def folded(engine: Engine, key: str, boxes: list[str]) -> Batch:
    message = Border("odd").lodged().messages[0]
    body: dict[str, Any] = orjson.loads(message.value)
    body["declaration"]["containers"] = [{"container_no": box} for box in boxes]
    topic_message = TopicMessage(
        1, message.topic, message.kind, key, message.id, "", 0, 1_795_000_000_000_000, orjson.dumps(body)
    )
    with engine.begin() as connection:
        return fold([topic_message], [], StoredRows(connection, {}))


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_lodgement_under_a_key_of_no_goods_has_no_row(engine: Engine, key: str) -> None:
    made = folded(engine, key, ["MSKU6011672"])
    assert (made.consignments, len(made.facts)) == ({}, 1)


@pytest.mark.parametrize("boxes", [[f"C{number}" for number in range(20_000)], ["C" * 3_000_000]], ids=["many", "long"])
def test_a_lodgement_of_more_boxes_than_an_answer_has_room_for_has_no_row(engine: Engine, boxes: list[str]) -> None:
    """In an older version, a lodgement of too many containers got a row, and every list with this row was longer than
    an answer may be."""
    key = consignment_id(DECLARANT, "odd")
    assert folded(engine, key, boxes).consignments == {}
    most = [f"C{number:016}" for number in range(MOST_CONTAINERS)]
    assert folded(engine, key, most).consignments[key].containers.split() == most


def test_a_watch_names_no_goods_that_no_desk_could_hold(engine: Engine) -> None:
    """In an older version, the console ended after each start, because it tried to place a hold on goods with an id
    that no desk accepts."""
    good, hold_id = consignment_id(DECLARANT, "good"), of_watch("w-1")
    with engine.begin() as connection:
        for key in (good, *ODD_KEYS):
            connection.execute(insert(t.CONSIGNMENTS).values(consignment_id=key, bill_no=BILL, declarant=DECLARANT))
            connection.execute(insert(t.HOLDS).values(consignment_id=key, hold_id=hold_id, owner="officer"))
    rows = ReadModelQueries(engine)
    assert rows.matching(BILL, "", "", 500) == rows.matching("", DECLARANT, "", 500) == [good]
    assert rows.held_by(hold_id) == [good]
