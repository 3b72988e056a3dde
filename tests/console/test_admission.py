"""Does the console refuse requests from other sites, for other host names and with doubled headers, and are answers
never cached?"""

import json
import re
import socket
from typing import Any

import httpx2
import pytest

from schemas.vocabulary import consignment_id
from services.console.api.admission import names
from services.console.settings import ConsoleSettings
from tests.console.border import DECLARANT, Border, publish
from tests.console.conftest import Running
from tests.console.test_api import JSON, paper, problem
from tests.people import LINE

GATE = "/api/v1/containers/CSQU3054383"


def raw(console: Running, request: str) -> tuple[int, str]:
    """Sends exactly these lines, with a line for the API key added if `request` has none. Returns status and body of
    the answer."""
    if "Authorization" not in request:
        first, _, rest = request.partition("\n")
        request = f"{first}\n{LINE}\n{rest}"
    with socket.create_connection(("127.0.0.1", console.settings.console_port), 30) as line:
        line.sendall(request.replace("\n", "\r\n").encode())
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1.1 (\d+)", head)
    assert found, answer
    return int(found[1]), body.decode()


def every_post(console: Running) -> list[str]:
    """Every address of the application that accepts another method than GET, HEAD and OPTIONS, with its parameters
    filled in."""
    goods = consignment_id(DECLARANT, "ADM-1")
    found = []
    for route in console.routes():
        if (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            path = route.path.replace("{consignment_id}", goods).replace("{container_no}", "CSQU3054383")
            found.append(path.replace("{act}", "hold"))
    return found


ELSEWHERE: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "{own}"},
    {"origin": "https://elsewhere.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": ""},
    {"origin": "http://["},
]


@pytest.mark.parametrize("origin", ELSEWHERE, ids=lambda origin: " ".join(origin.values()))
def test_no_state_is_changed_from_another_site(console: Running, origin: dict[str, str]) -> None:
    paths = every_post(console)
    assert len(paths) >= 12
    headers = {name: value.replace("{own}", console.address) for name, value in origin.items()}
    for path in paths:
        answer = console.http.post(path, content=json.dumps(paper("ADM-1")), headers={**JSON, **headers})
        problem(answer, 403, "cross_site")
    assert console.app.state.context.asker.about(consignment_id(DECLARANT, "ADM-1")) is None


def test_programs_and_own_pages_are_let_in(console: Running) -> None:
    for headers in ({}, {"origin": console.address}, {"sec-fetch-site": "same-origin"}):
        answer = console.api("POST", "/declarations", json=paper("ADM-2"), headers=headers)
        assert answer.status_code == 202


@pytest.mark.parametrize("kind", [None, "", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_json_is_demanded_by_name(console: Running, kind: str | None) -> None:
    request = console.http.build_request("POST", "/api/v1/declarations", content=json.dumps(paper("ADM-3")))
    assert "content-type" not in request.headers
    if kind is not None:
        request.headers["content-type"] = kind
    problem(console.http.send(request), 415, "not_json_type")


def test_a_form_is_demanded_by_name(console: Running) -> None:
    answer = console.http.post("/lodge", content=b"body=x", headers={"content-type": "text/plain"})
    problem(answer, 415, "not_form_type")


TWICE = [
    "Authorization: Bearer a\nAuthorization: Bearer b",
    "Idempotency-Key: a\nidempotency-key: b",
    "Cookie: a=1\nCookie: a=2",
    "X-CSRF-Token: a\nX-CSRF-Token: b",
    "Host: {host}",
    "Content-Type: application/json",
    "Origin: http://{host}\nOrigin: http://{host}",
    "Sec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site",
    "Content-Length: 2",
    "Transfer-Encoding: chunked",
]


@pytest.mark.parametrize("lines", TWICE)
def test_a_decisive_header_twice_is_refused(console: Running, lines: str) -> None:
    host = f"127.0.0.1:{console.settings.console_port}"
    head = f"POST /api/v1/declarations HTTP/1.1\nHost: {host}\nContent-Type: application/json\nContent-Length: 2\n"
    status, body = raw(console, f"{head}Connection: close\n{lines.replace('{host}', host)}\n\n{{}}")
    assert status == 400
    # The HTTP parser refuses the last two cases itself. So the console's own check does not see them.
    assert "header_twice" in body or lines in TWICE[-2:]


@pytest.mark.parametrize(
    ("host", "status", "code"),
    [
        ("127.0.0.1:{port}", 200, ""),
        ("localhost:{port}", 200, ""),
        ("LOCALHOST:{port}", 200, ""),
        ("[::1]:{port}", 200, ""),
        ("localhost", 200, ""),
        ("", 400, "no_host"),
        ("evil.example", 421, "wrong_host"),
        ("evil.example:{port}", 421, "wrong_host"),
        ("localhost.evil.example:{port}", 421, "wrong_host"),
        ("localhost:1", 421, "wrong_host"),
        ("localhost:{port}@evil.example", 421, "wrong_host"),
        ("evil@localhost:{port}", 421, "wrong_host"),
        ("localhost:", 421, "wrong_host"),
        ("127.0.0.1:{port}, evil", 421, "wrong_host"),
        ("localhost.:{port}", 421, "wrong_host"),
        ("2130706433:{port}", 421, "wrong_host"),
    ],
)
def test_the_console_answers_to_its_own_names_only(console: Running, host: str, status: int, code: str) -> None:
    host = host.replace("{port}", str(console.settings.console_port))
    for path in (GATE, "/", "/static/console.css", "/openapi.json"):
        answered, body = raw(console, f"GET {path} HTTP/1.1\nHost: {host}\nConnection: close\n\n")
        assert answered == status
        assert not code or f"/problems/{code}" in body
    if code == "no_host":
        assert raw(console, f"GET {GATE} HTTP/1.1\nConnection: close\n\n")[0] == 400


def test_further_names_are_a_setting() -> None:
    listed = names(ConsoleSettings(allowed_hosts="Customs.example, gate:9000,fd00::1", console_host="0.0.0.0"))
    assert {"customs.example", "customs.example:", "gate:9000", "[fd00::1]", "localhost:8080"} <= listed
    assert not {"gate", "gate:", "0.0.0.0:8080", ""} & listed
    assert "10.1.2.3:8081" in names(ConsoleSettings(console_host="10.1.2.3", console_port=8081))


def test_no_answer_is_stored_guessed_at_or_framed(console: Running) -> None:
    publish(console.settings.kafka, Border("ADM-4").lodged().messages)
    answers: list[httpx2.Response] = [
        console.http.get(path)
        for path in (GATE, "/api/v1/stages", "/api/v1/releases", "/", "/docs", "/openapi.json", "/readyz", "/metrics")
    ]
    answers += [
        console.http.get("/api/v1/nothing"),
        console.api("POST", "/declarations", content=b"{", headers=JSON),
        console.api("POST", "/declarations", json=paper("ADM-4")),
        console.http.get(GATE, headers={"host": "evil.example"}),
    ]
    for answer in answers:
        headers: Any = answer.headers
        assert headers["cache-control"] == "no-store", answer.url
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "no-store" not in console.http.get("/static/console.css").headers.get("cache-control", "")
