"""Can a terminal report from the command line every field of an equipment event that the API accepts?"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.gate import RecordEquipmentEvent
from services.cli import terminal
from services.cli.port import port_app
from services.console.api.requests import BODIES

WHEN = ("--place", "shed 4", "--at", "2026-11-25T08:00:00+08:00")


class AcceptingServer(HTTPServer):
    """A server that accepts every request, and stores it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str] = []
        self.status = 202


class Taking(BaseHTTPRequestHandler):
    server: AcceptingServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        self.server.keys.append(self.headers["Idempotency-Key"])
        answer = json.dumps({"request_id": "r1", "request": "/api/v1/requests/r1"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing, because the test reads the stored requests."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AcceptingServer]:
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    made = AcceptingServer()
    running = Thread(target=made.serve_forever)
    running.start()
    yield made
    made.shutdown()
    running.join()
    made.server_close()


def tell(server: AcceptingServer, *arguments: str) -> dict[str, Any]:
    """Runs the command and returns the request that the server received."""
    result = CliRunner().invoke(port_app, ["tell", *arguments, "--where", f"http://127.0.0.1:{server.server_port}"])
    assert result.exit_code == 0, result.output
    return server.requests[-1][1]


def test_a_stripping_names_the_containers_into_which_the_goods_went_and_a_stuffing_those_out_of_which_they_came(
    server: AcceptingServer,
) -> None:
    report = tell(server, "CSQU3054383", "STRP", *WHEN, "--target", "MSKU9070323", "--target", "TEMU1000001")
    assert report["targets"] == ["MSKU9070323", "TEMU1000001"] and "sources" not in report
    report = tell(server, "MSKU9070323", "STUF", *WHEN, "--source", "CSQU3054383")
    assert report["sources"] == ["CSQU3054383"] and "targets" not in report
    assert server.requests[0][0] == "/api/v1/containers/CSQU3054383/events"


def test_every_field_of_an_equipment_event_has_its_option(server: AcceptingServer) -> None:
    others = {
        "classifier": ("--classifier", "EST", "EST"),
        "laden": ("--empty", None, False),
        "conveyance": ("--conveyance", "EVER 041E", "EVER 041E"),
        "bill": ("--bill", "COSU1", "COSU1"),
        "to": ("--to", "shed 5", "shed 5"),
        "replaces": ("--replaces", "r0", "r0"),
        "sources": ("--source", "TEMU1000001", ["TEMU1000001"]),
        "targets": ("--target", "TEMU1000001", ["TEMU1000001"]),
    }
    assert {"event", "place", "occurred_at", *others} == set(BODIES[RecordEquipmentEvent].model_fields)
    arguments = [
        argument for option, value, _ in others.values() for argument in (option, value) if argument is not None
    ]
    report = tell(server, "CSQU3054383", "MOVE", *WHEN, *arguments)
    assert {name: report[name] for name in others} == {name: value for name, (_, _, value) in others.items()}


@pytest.mark.parametrize(
    "arguments", [("tell", "CSQU3054383", "GTOT", *WHEN), ("retract", "CSQU3054383", "r0", "--reason", "another box")]
)
def test_a_report_that_nobody_acknowledged_may_take_effect_and_its_key_is_told(
    server: AcceptingServer, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "TRIES", 2)
    server.status = 503
    result = CliRunner().invoke(port_app, [*arguments, "--where", f"http://127.0.0.1:{server.server_port}"])
    assert result.exit_code == 1 and len(server.keys) == 2 and len(set(server.keys)) == 1
    for each in ("may still take effect", "仍可能生效", f"--key {server.keys[0]}"):
        assert each in result.output, result.output
    assert "not taken" not in result.output and "未受理" not in result.output
    server.status = 422
    result = CliRunner().invoke(port_app, [*arguments, "--where", f"http://127.0.0.1:{server.server_port}"])
    assert result.exit_code == 1 and "not taken 未受理" in result.output and "may still" not in result.output


def test_where_nothing_answers_the_report_may_have_been_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    monkeypatch.setattr(terminal, "TRIES", 1)
    command = ["tell", "CSQU3054383", "GTOT", *WHEN, "--key", "mine", "--where", "http://127.0.0.1:1"]
    result = CliRunner().invoke(port_app, command)
    assert result.exit_code == 1 and "may still take effect" in result.output and "--key mine" in result.output
