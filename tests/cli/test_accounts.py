"""Can the user of the machine decide who may sign in and which programs have keys? Is everything else refused with a
sentence?"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.cli.main import run
from services.cli.screen import screen
from services.console.access.accounts import Accounts, SignInRefused
from services.console.access.rights import Scope
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.shell.clock import world_us

COMPANY, AGENT = "91370200163562681G", "91310115MA1H7L0T3Q"


class Typed(NamedTuple):
    """The result of a command line."""

    code: int
    out: str
    err: str


class Person:
    """A person at a terminal of this machine. The commands run in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def types(self, *arguments: str) -> Typed:
        self._monkeypatch.setattr(sys, "argv", ["dtg", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        printed = self._capsys.readouterr()
        return Typed(int(ended.value.code or 0), printed.out, printed.err)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Person]:
    for name, value in (("DTG_HOME", str(tmp_path)), ("DTG_KAFKA_PORT", "1024")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(screen._console, "width", 250)
    mask = os.umask(0o077)
    yield Person(monkeypatch, capsys)
    os.umask(mask)


def test_the_list_says_which_one_time_passwords_are_over_and_what_is_to_be_done(person: Person, tmp_path: Path) -> None:
    for name in ("late one", "in-time"):
        assert person.types("account", "add", name, "--role", "auditor").code == 0
    assert person.types("account", "add", "gate", "--role", "operations", "--program").code == 0
    engine, late = open_engine(f"sqlite:///{tmp_path}/console.db", writes=True), t.ACCOUNTS.c.account == "late one"
    with engine.begin() as connection:
        connection.execute(t.ACCOUNTS.update().where(late).values(password_until_us=world_us()))
    engine.dispose()
    rows = {line.partition("  ")[0].strip("│ "): line for line in person.types("account", "list").out.splitlines()}
    assert "over 已过期: dtg account password 'late one'" in rows["late one"]
    assert "one-time 一次性 until 至 " in rows["in-time"] and "none 无" in rows["gate"]
    assert person.types("account", "password", "late one").code == 0
    assert "已过期" not in person.types("account", "list").out


def test_accounts_and_keys_are_made_rotated_revoked_and_on_record(person: Person, tmp_path: Path) -> None:
    made = person.types("account", "add", "officer/1", "--role", "inspector", "--office", "4218")
    assert made.code == 0, made.err
    password = re.search(r": ([a-z0-9-]{24})\s", made.out)
    assert password, made.out
    assert person.types("account", "add", "gate", "--role", "terminal", "--company", "CNTAO-4", "--program").code == 0
    shown = re.search(r"dtg_[A-Za-z0-9_-]+", person.types("key", "add", "gate", "--scope", "gate").out)
    assert shown
    key_id = shown[0].split("_")[1]
    file = tmp_path / "gate.key"
    assert person.types("key", "rotate", key_id, "--overlap-hours", "1", "--file", str(file)).code == 0
    keys = person.types("key", "list").out
    for arguments in (("rotate", key_id), ("add", "gate")):
        assert person.types("key", *arguments, "--file", str(file)).code == 1, "the file is there already"
    assert person.types("key", "list").out == keys, "no key was made that nobody has"
    other = tmp_path / "other.key"
    assert person.types("key", "add", "nobody", "--file", str(other)).code == 1 and not other.exists()
    assert person.types("key", "revoke", key_id).code == 0
    assert person.types("account", "authorise", COMPANY, AGENT, "--days", "30").code == 0
    assert person.types("account", "authorise", COMPANY, AGENT, "--end").code == 0
    assert person.types("account", "change", "officer/1", "--role", "auditor").code == 0
    engine = open_engine(f"sqlite:///{tmp_path}/console.db", writes=True)
    accounts = Accounts(engine)
    assert accounts.key(file.read_text().strip(), world_us()).who.actor == "gate"
    with pytest.raises(SignInRefused, match="key_revoked"):
        accounts.key(shown[0], world_us())
    officer = accounts.account("officer/1")
    assert officer and officer.roles == "auditor" and officer.must_change
    engine.dispose()
    lists = [person.types(*arguments) for arguments in (("account", "list"), ("key", "list"), ("account", "grants"))]
    assert all(each.code == 0 for each in lists)
    assert all(secret not in each.out for each in lists for secret in (shown[0], password[1], file.read_text()))
    assert "authorisation ended" in lists[2].out and key_id in lists[1].out


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "add", "x", "--role", "king"),
        ("account", "add", "x", "--role", "declarant"),
        ("account", "add", "x", "--role", "declarant", "--company", "*"),
        ("account", "add", COMPANY, "--role", "auditor"),
        ("account", "change", "nobody", "--close"),
        ("key", "add", "nobody"),
        ("key", "revoke", "nobody"),
        ("account", "authorise", COMPANY, AGENT, "--end"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_given_is_refused_in_both_languages(person: Person, arguments: tuple[str, ...]) -> None:
    done = person.types(*arguments)
    assert done.code == 1 and "Traceback" not in done.err
    assert re.search(r"[一-鿿]", done.err) and re.search(r"[a-z]{3}", done.err)


def test_the_help_of_a_key_names_every_scope(person: Person) -> None:
    text = person.types("key", "add", "--help").out
    assert [scope.value for scope in Scope if not re.search(rf"\b{scope.value}\b", text)] == []


COMMANDS = (("account", "list"), ("account", "confirm"), ("key", "list"), ("key", "revoke", "abcd"), ("parked", "list"))


@pytest.mark.parametrize("arguments", COMMANDS[:-1], ids=" ".join)
def test_a_database_that_does_not_answer_is_said_in_a_sentence(
    person: Person, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DTG_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    result = person.types(*arguments)
    assert (
        result.code == 1 and "DTG_DATABASE_URL" in result.err and "查询库" in result.err and "secret" not in result.err
    )


AS_ANOTHER_USER = """
import contextlib, io, os
from services.cli.main import run

# The first run imports the modules of the command. The user `nobody` may not be able to read them later.
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    run()
if os.geteuid() == 0:
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
run()
"""
"""A program that runs the command of its arguments as the user `nobody`; if it does not run as root, the user stays the
same. It is a process of its own, because a change of user holds for all threads of a process: consoles that other tests run
in this process could not read their files meanwhile."""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_another_user_of_the_machine_reads_and_changes_nothing_and_is_told_so(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DTG_HOME", str(home))
    assert person.types("account", "add", "clerk", "--role", "auditor").code == 0
    assert home.stat().st_mode & 0o077 == 0
    home.chmod(0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        home.chmod(0o700)
    assert done.returncode == 1 and not done.stdout and home.name in done.stderr, done
    assert "权限不足" in done.stderr or "查询库" in done.stderr
