"""Does every command that only reads print JSON through the same function, and is each command listed either as one
that reads or as one that acts?"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.screen import AsJson, screen

READING = (
    *("topics", "trace", "audit", "provision", "declare", "codes"),
    *("parked list", "parked show", "draws repeat", "draws keys"),
    *("account list", "account grants", "account confirm", "key list", "port follow", "port ask"),
)
"""The commands that read. `provision` reads only with --show; `declare` is listed because it prints the result
of each declaration."""
ACTING = (
    *("up", "console", "projector", "rebuild", "simulate", "bench"),
    *("parked replay", "parked release", "parked discard", "draws add-key"),
    *("account add", "account change", "account password", "account authorise", "key add", "key rotate", "key revoke"),
    *("port tell", "port retract", "port move"),
)


def commands(group: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    root: Any = group or typer.main.get_command(app)
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(commands())


def test_each_command_is_known_to_read_or_to_act() -> None:
    assert set(COMMANDS) == {*READING, *ACTING} and not set(READING) & set(ACTING)


@pytest.mark.parametrize("name", READING)
def test_a_command_that_reads_prints_json_by_the_one_function(name: str) -> None:
    [option] = [each for each in COMMANDS[name].params if "--json" in each.opts]
    assert option.help == AsJson.__metadata__[0].help  # type: ignore[attr-defined]
    source = inspect.getsource(inspect.getmodule(COMMANDS[name].callback.__wrapped__))  # type: ignore[arg-type]
    assert "screen.tell(" in source and "json.dumps" not in source


@pytest.mark.parametrize("name", ACTING)
def test_no_other_command_has_the_option(name: str) -> None:
    assert not [each for each in COMMANDS[name].params if "--json" in each.opts]


def json_of(*arguments: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_what_needs_no_cluster_is_told_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    monkeypatch.setenv("DTG_DATABASE_URL", f"sqlite:///{tmp_path}/console.db")
    monkeypatch.setattr(screen._console, "_width", 40)
    assert CliRunner().invoke(app, ["draws", "add-key", "--from", "2026-01-01"]).exit_code == 0
    [key] = json_of("draws", "keys")["keys"]
    assert key["in_force_from"] == "2026-01-01" and key["key"]
    assert CliRunner().invoke(app, ["account", "add", "reader", "--role", "auditor"]).exit_code == 0
    [account] = json_of("account", "list")["accounts"]
    assert account.pop("password").startswith("one-time 一次性 until 至 ")
    assert account == {"account": "reader", "roles": "auditor", "company": "", "office": "", "closed": ""}
    assert [each["what"] for each in json_of("account", "grants")["grants"]]
    assert json_of("key", "list") == {"keys": []}
    rights = {each["credential"]: each for each in json_of("provision", "--show")["rights"]}
    assert "customs-port-facts" in rights["port"]["reads"]
