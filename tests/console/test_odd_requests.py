"""Is there an address that the console cannot answer? Each of its addresses is tried with odd values for each
parameter."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from deploy.kafka.broker import free_port
from services.console.app import LONGEST_ANSWER
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.border import Border, publish
from tests.console.conftest import Running
from tests.people import headers_of

ODD = (
    *["%00", "a%00b", "%ED%A0%80", "%FF%FE", "%C0%AF", "%E2%80%AE", "%F0%9F%92%A5", "%F0%9D%9F%99", "%0D%0AX-Odd:%201"],
    *["%25", "%", "%zz", "..%2F..%2Fetc", "%2e%2e", "%2F", "a%2Fb", "%5C", "%20", "''", "%27%20OR%201=1--"],
    *["%22%3E%3Cb%3E", "%7B0%7D%25s", "-1", "0", "1e9", "1e400", "NaN", "true", "null", "[]", "2-1", "WzAsMF0"],
    *["WzAsMCwiXHUwMDAwIl0", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LDBd", "W1tbW1tb"],
    *["9" * 30, "-" + "9" * 30, "1-" + "9" * 25, "9" * 3000, "x" * 3000],
)
HTML, JSON = {"accept": "text/html"}, {"accept": "application/json"}
ENDLESS = "/api/v1/releases/stream"


@pytest.fixture
def console(bootstrap: str, url: str) -> Iterator[Running]:
    running = Running(
        ConsoleSettings(kafka=bootstrap, database_url=url, console_port=free_port(), partitions=PARTITIONS)
    )
    running.start()
    yield running
    running.stop()


def addresses(console: Running, goods: Border) -> Iterator[str]:
    known = {
        "consignment_id": goods.id,
        "key": goods.id,
        "container_no": "CSQU3054383",
        "message_id": goods.messages[0].id,
    }
    for route in console.routes():
        if "GET" not in (route.methods or set()) or route.path == ENDLESS:
            continue
        there = {name: known.get(name, "x") for name in re.findall(r"{(\w+)}", route.path)}
        for name in there:
            yield from (route.path.format(**{**there, name: odd}) for odd in ODD)
        for parameter in route.dependant.query_params:
            name = parameter.alias
            yield from (f"{route.path.format(**there)}?{name}={odd}" for odd in (*ODD, f"1&{name}=2"))


def test_no_address_whatever_is_beyond_an_answer(console: Running, url: str) -> None:
    """Every address is tried on each database as a page. It is tried as JSON only on SQLite, because the form of the
    answer does not depend on the database."""
    forms = (HTML, JSON) if url.startswith("sqlite") else (HTML,)
    goods = Border("ODD-REQUESTS").lodged().accepted().assessed().held("arrival")
    publish(console.settings.kafka, goods.messages)
    console.catch_up()
    wrong: list[tuple[str, int, str]] = []
    statuses: set[int] = set()
    with httpx2.Client(base_url=console.address, timeout=30, headers=headers_of()) as client:
        for address in addresses(console, goods):
            for accept in forms:
                answer = client.get(address, headers=accept)
                statuses.add(answer.status_code)
                if answer.status_code >= 500 or len(answer.content) > LONGEST_ANSWER or "x-odd" in answer.headers:
                    wrong.append((address[:200], answer.status_code, answer.text[:300]))
    assert wrong == []
    assert {200, 404, 422} <= statuses
