"""Do all samples of the documents work: addresses with their parameters, bodies of requests, programs?"""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator

from services.console.api.query_parameters import is_for_programs, names_of
from services.console.api.views import Feed, ReleaseView
from services.console.app import create_app
from services.console.settings import ConsoleSettings
from services.ports.notice import Notice, Unread
from tests.docs.lines import FENCE, ROOT, pages

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
ADDRESS = re.compile(
    r"(?<![\w.])(?:https?://[\w.:]+)?(/(?:api/v1/[\w/{}…-]+|consignments\.csv|livez|readyz)(?:\?[\w=&.{}-]*)?)"
)
PYTHON = [(name, fence[2]) for name, text in TEXTS.items() for fence in FENCE.finditer(text) if fence[1] == "python"]


def routes() -> list[APIRoute]:
    app = create_app(ConsoleSettings())
    included = [getattr(each, "original_router", None) for each in app.routes]
    found = [route for router in included if isinstance(router, APIRouter) for route in router.routes]
    return [route for route in (*found, *app.routes) if isinstance(route, APIRoute) and is_for_programs(route.path)]


ROUTES = routes()
GOODS = "969933d5-ca49-5369-8778-4408be916a00"
"""The id of a consignment; it replaces the … of a page."""


def addresses(text: str) -> set[str]:
    return {found[1].rstrip("/") for found in ADDRESS.finditer(text)}


def trouble_of(address: str) -> str:
    """The reason why this address cannot work; empty if it can work."""
    link = urlsplit(re.sub(r"[{}…]", "x", address))
    taking = [route for route in ROUTES if route.path_regex.match(link.path)]
    leading = [route for route in ROUTES if route.path.startswith(f"{link.path}/")]
    if not taking and not leading:
        return f"{address}: no such route"
    names = frozenset[str]().union(*[names_of(route.dependant) for route in taking])
    unknown = [name for name, _ in parse_qsl(link.query, keep_blank_values=True) if name not in names]
    return f"{address}: no parameter {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", TEXTS)
def test_each_address_of_a_page_is_a_route_that_takes_these_parameters(page: str) -> None:
    assert [trouble for each in sorted(addresses(TEXTS[page])) if (trouble := trouble_of(each))] == []


def test_an_address_that_nobody_answers_is_found() -> None:
    text = (
        "ask `GET /api/v1/releases?cursor=0`, /api/v1/nothing, http://127.0.0.1:8080/api/v1/stages and /api/v1/watches"
    )
    assert [trouble_of(each) for each in sorted(addresses(text))] == [
        "/api/v1/nothing: no such route",
        "/api/v1/releases?cursor=0: no parameter cursor",
        "",
        "",
    ]
    assert sum(len(addresses(text)) for text in TEXTS.values()) > 20


def bodies() -> list[tuple[str, str]]:
    """The JSON objects in the tables of docs/requests.md, each after the address of its row. Only rows are read whose
    first cell is empty or the end of an address."""
    found, base = list[tuple[str, str]](), ""
    for line in TEXTS["docs/requests.md"].splitlines():
        if heading := re.match(r"`(/api/v1/[^`]+)` and then:", line):
            base = heading[1]
        if line.startswith("| ") and base and (row := re.match(r"\| (?:`(/[^`]*)`)? ?\|", line)):
            found += [(base + (row[1] or ""), body) for body in re.findall(r"`(\{\"[^`]*\})`", line)]
    return found


@pytest.mark.parametrize(("address", "body"), bodies())
def test_each_body_of_the_page_of_requests_is_one_that_its_route_takes(address: str, body: str) -> None:
    assert _faults(address, json.loads(body.replace('"…"', f'"{GOODS}"'))) == []
    assert _faults(address, {**json.loads(body), "nothing_of_ours": 1}) != []


def _faults(address: str, body: dict[str, Any]) -> list[str]:
    [route] = [each for each in ROUTES if each.path == address and "POST" in (each.methods or ())]
    assert route.openapi_extra is not None
    schema = route.openapi_extra["requestBody"]["content"]["application/json"]["schema"]
    schema = {**schema, "components": _components()}
    return [error.message for error in Draft202012Validator(schema).iter_errors(body)]


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = create_app(ConsoleSettings()).openapi()["components"]
    return components


def test_the_answer_of_the_feed_on_the_page_for_ports_has_every_field() -> None:
    [shown] = [json.loads(line) for line in TEXTS["docs/ports.md"].splitlines() if line.startswith('{"releases":')]
    assert list(shown) == list(Feed.model_fields) and list(shown["releases"][0]) == list(ReleaseView.model_fields)


def test_there_are_bodies_of_each_table() -> None:
    found = [address for address, _ in bodies()]
    assert len(found) > 15
    for base in ("consignments/{consignment_id}", "containers/{container_no}", "watches"):
        assert any(address.startswith(f"/api/v1/{base}") for address in found)


@pytest.mark.parametrize(("page", "program"), PYTHON, ids=[page for page, _ in PYTHON])
def test_a_program_of_a_page_keeps_what_it_is_told(page: str, program: str, tmp_path: Path) -> None:
    """Runs the program without its loop. tests/ports/test_sample.py runs the program with a broker."""
    before, following, loop = program.partition("with TopicPort(")
    assert following and "port.read(Barrier(), wait_seconds=20)" in loop
    file, names = tmp_path / "port.db", dict[str, Any]()
    exec(compile(before.replace("/var/lib/terminal/port.db", str(file)), page, "exec"), names)
    at = datetime(2026, 11, 25, 9, 0, tzinfo=UTC).isoformat()
    with closing(sqlite3.connect(file)) as notebook:
        names["Barrier"]().heard(Notice("n-1", "ReleaseGranted", "goods", 1, (), "", at), notebook)
        names["Barrier"]().unread(Unread("customs-port-facts/0/7", "json", "", ()), notebook)
        assert notebook.execute("SELECT * FROM orders").fetchall() == [("n-1", "ReleaseGranted", "goods")]
        assert notebook.execute("SELECT * FROM calls").fetchall() == [("customs-port-facts/0/7", "json")]
