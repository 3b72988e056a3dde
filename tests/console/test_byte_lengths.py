"""Do both databases count the bytes of a content, so that the limits in bytes hold for Chinese texts?"""

import orjson
import pytest
from sqlalchemy import Engine, insert

from services.console.api.documents import entries
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.queries import BODY_BYTES, ReadModelQueries

GOODS = "goods"


def body_of(size: int, text: str) -> str:
    """A content of `size` bytes in UTF-8, with this text as often as it fits."""
    empty = len(orjson.dumps({"reason": ""}))
    times, rest = divmod(size - empty, len(text.encode()))
    return orjson.dumps({"reason": text * times + "x" * rest}).decode()


def tell(engine: Engine, bodies: list[str]) -> None:
    row = {"key": GOODS, "kind": "ReleaseRevoked", "cause": "", "recorded_us": 0}
    facts = [{**row, "place": n, "id": f"f{n}", "sequence": n, "body": body} for n, body in enumerate(bodies, 1)]
    feed = [{"cursor": f["place"], "place": f["place"], "consignment_id": GOODS, "fact_id": f["id"]} for f in facts]
    with engine.begin() as connection:
        connection.execute(insert(t.FACTS), facts)
        connection.execute(insert(t.RELEASES), feed)


@pytest.mark.parametrize("text", ["a", "é", "货", "𠮷"])
def test_a_content_is_as_long_as_its_bytes(url: str, text: str) -> None:
    engine = open_engine(url, writes=True)
    bodies = [body_of(BODY_BYTES, text), body_of(BODY_BYTES + 1, text), ""]
    tell(engine, bodies)
    rows = ReadModelQueries(engine)
    facts = rows.timeline(GOODS)
    assert [fact.size for fact in facts] == [len(body.encode()) for body in bodies]
    shown = entries(rows, facts[:2], GOODS, None)
    assert [one.body_link is None for one in shown] == [True, False]
    assert [one.body_link is None for one in entries(rows, facts[:2], GOODS, None, room=BODY_BYTES - 1)] == [
        False,
        False,
    ]
    feed = sorted(rows.latest_releases(9), key=lambda row: row.cursor)
    assert [(row.size, row.body) for row in feed] == [(BODY_BYTES, bodies[0]), (BODY_BYTES + 1, ""), (0, "")]
    engine.dispose()
