"""Can a row or a stored message break its page or list? Whatever one row or message contains, all others must be
shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, insert, update

from deploy.kafka.broker import free_port
from schemas.topics import FACTS_AND_REQUESTS
from services.console.pages.rendering import NOT_SHOWN
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import packed_position
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.border import Border, green, publish, red
from tests.console.conftest import Running

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
BOX = "ODDU1234560"
TEXTS = ("", "a word nobody knows", "<b>&'\"", "\u202e\U0001f4a5", "9" * 400, "../../x?y#z", "{0} %s", "released")
NUMBERS = (0, -1, 7, 2**62, -(2**62), 2**31)
SHOWN = (t.CONSIGNMENTS, t.HOLDS, t.CONTAINERS, t.CONSIGNMENT_CONTAINERS, t.FACTS, t.ALARMS, t.PARKED, t.REFUSALS)
"""The tables whose rows pages show."""
ROUNDS = 13
JSONS: tuple[Any, ...] = (None, "", "x" * 3000, 0, -1, 2**62, 1.5, True, [], {}, [[]], [{}], {"a": []}, ["x"], {"x": 7})
ON_A_PAGE = 150
HTML = {"Accept": "text/html"}


@dataclass
class Odd:
    """A console with a database of its own whose rows a test may change; some goods have a row in every table."""

    console: Running
    goods: Border
    others: Border

    def run(self, *statements: Any) -> None:
        engine = open_engine(self.console.settings.database_url, writes=True)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)
        engine.dispose()

    def page(self, path: str) -> str:
        answer = self.console.http.get(path, headers=HTML, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.text[-500:])
        return answer.text


@pytest.fixture(scope="module")
def odd(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    url = f"sqlite:///{tmp_path_factory.mktemp('odd')}/console.db"
    settings = ConsoleSettings(kafka=bootstrap, partitions=PARTITIONS, database_url=url, console_port=free_port())
    migrate(url)
    running = Running(settings)
    running.start()
    made = Odd(running, red("odd", (BOX,)), green("odd-others", ()))
    publish(bootstrap, [*made.goods.messages, *made.others.messages])
    running.catch_up()
    id_, here = made.goods.id, packed_position("customs-gate-facts", 0, 10**9)
    parked = {
        "service": "risk",
        "topic": "customs-risk-facts",
        "partition": 0,
        "offset": 0,
        "key": id_,
        "parked_us": 2**50,
    }
    made.run(
        insert(t.HOLDS).values(consignment_id=id_, hold_id="officer/1", owner="officer", reason="look", since_us=2**50),
        insert(t.ALARMS).values(place=here, kind="InspectionOverdue", subject=id_, reason="late", raised_us=2**50),
        insert(t.PARKED).values(**parked, kind="ConsignmentAssessed", reason="decide_raised", status="parked"),
        insert(t.REFUSALS).values(place=here, desk="gate", subject=id_, request_id="r", code="x", refused_us=2**50),
    )
    yield made
    running.stop()


def _values(column: "Column[Any]") -> tuple[Any, ...]:
    if isinstance(column.type, Boolean):
        return True, False
    values: tuple[Any, ...] = NUMBERS if isinstance(column.type, BigInteger | Integer) else TEXTS
    return (*values, None) if column.nullable else values


def _mine(odd: Odd, table: Any) -> Any:
    """The SQL condition that selects the rows of the goods, or of their container, in this table."""
    name = next(n for n in ("consignment_id", "container_no", "key", "subject") if n in table.c)
    return table.c[name] == (BOX if name == "container_no" else odd.goods.id)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_whatever_the_columns_hold_every_page_and_list_answers(odd: Odd, turn: int) -> None:
    """Every column gets every odd value of its type, each time together with other values in the other columns."""
    assert max(len(_values(column)) for table in SHOWN for column in table.c) <= ROUNDS
    number, before = count(turn), NOT_SHOWN._value.get()
    for table in SHOWN:
        spoilt = {c.name: _values(c)[next(number) % len(_values(c))] for c in table.c if not _names(c)}
        odd.run(update(table).where(_mine(odd, table)).values(spoilt))
    goods = f"/consignments/{odd.goods.id}"
    for path in (
        goods,
        f"{goods}/timeline",
        f"/containers/{BOX}",
        "/stages",
        "/alarms",
        "/parked",
        "/releases?limit=9",
    ):
        answer = odd.console.api("GET", path)
        assert answer.status_code == 200, (path, answer.text[:500])
    assert odd.console.api("GET", f"/containers/{BOX}").json()["may_leave"] is False
    for language in ("zh", "en"):
        for path in (goods, f"/containers/{BOX}", "/", "/alarms", "/parked", "/consignments", "/consignments.csv"):
            odd.page(f"{path}?lang={language}&q={odd.goods.id}" if path.startswith("/consignments") else path)
    for stage in ("released", "held", "gated_out"):
        odd.page(f"/consignments?stage={stage}")
    assert odd.others.id in odd.console.api("GET", f"/consignments?q={odd.others.id}").text
    assert NOT_SHOWN._value.get() == before


def _names(column: "Column[Any]") -> bool:
    """Whether the column says which row it is, or which goods or container the row is about."""
    return column.primary_key or column.name in ("consignment_id", "key", "subject", "container_no")


def _spoilt(value: Any) -> Iterator[Any]:
    """Yields copies of this content. In each copy, one part is replaced by a different value."""
    match value:
        case dict():
            for name, part in value.items():
                yield from ({**value, name: other} for other in (*JSONS, *_spoilt(part)))
        case list() if value:
            yield from ([other, *value[1:]] for other in (*JSONS, *_spoilt(value[0])))
        case _:
            return


def _examples() -> dict[str, tuple[str, Path]]:
    """File name → a topic and the path of the file, for the example of each kind that the topic carries."""
    return {
        file.name: (topic.name, file)
        for topic in FACTS_AND_REQUESTS
        for kind in topic.carries
        for file in sorted(EXAMPLES.glob(f"{kind.kind}.json"))
    }


@pytest.mark.parametrize("name", sorted(_examples()))
def test_whatever_a_stored_message_holds_its_page_shows_it_and_the_others(odd: Odd, name: str) -> None:
    topic, file = _examples()[name]
    offsets = count(10**9)
    rows: list[dict[str, Any]] = []
    whole = orjson.loads(file.read_bytes())
    for number, body in enumerate([whole, *_spoilt(whole)]):
        rows.append(
            {
                "place": packed_position(topic, 1, next(offsets)),
                "key": str(uuid5(NAMESPACE_OID, f"{file.stem}-{number // ON_A_PAGE}")),
                "kind": file.stem,
                "id": f"{file.stem}-{number}",
                "cause": "",
                "sequence": number,
                "recorded_us": 2**50 + number,
                "body": orjson.dumps(body).decode(),
            }
        )
    keys = sorted({row["key"] for row in rows})
    odd.run(*[insert(t.FACTS).values(rows[start : start + 100]) for start in range(0, len(rows), 100)])
    odd.run(insert(t.CONSIGNMENTS).values([{"consignment_id": key, "stage": "held"} for key in keys]))
    for number, key in enumerate(keys):
        text = odd.page(f"/consignments/{key}?lang={'zh' if number % 2 else 'en'}")
        assert text.count('<li id="m-') == len([row for row in rows if row["key"] == key])
        assert odd.console.api("GET", f"/consignments/{key}/timeline").status_code == 200
    odd.run(t.FACTS.delete().where(t.FACTS.c.key.in_(keys)))
