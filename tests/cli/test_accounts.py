"""Can whoever has the machine say who may sign in and which programs have keys, and is what must not be refused in words?"""

import re
from pathlib import Path

import pytest

from services.console.accounts import Accounts, Refused
from services.console.database import open_engine
from services.shell.clock import world_us
from tests.cli.test_places import dtg

COMPANY, AGENT = "91370200163562681G", "91310115MA1H7L0T3Q"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"DTG_HOME": str(tmp_path), "PATH": "/usr/bin", "COLUMNS": "200", "DTG_KAFKA_PORT": "9"}


def test_accounts_and_keys_are_made_rotated_revoked_and_on_record(env: dict[str, str], tmp_path: Path) -> None:
    made = dtg(env, "account", "add", "officer/1", "--role", "inspector", "--office", "4218")
    assert made.returncode == 0, made.stderr
    password = re.search(r": ([a-z0-9-]{24})\s", made.stdout)
    assert password, made.stdout
    assert dtg(env, "account", "add", "gate", "--role", "terminal", "--company", "CNTAO-4", "--program").returncode == 0
    shown = re.search(r"dtg_[A-Za-z0-9_-]+", dtg(env, "key", "add", "gate", "--scope", "gate").stdout)
    assert shown
    key_id = shown[0].split("_")[1]
    file = tmp_path / "gate.key"
    assert dtg(env, "key", "rotate", key_id, "--overlap-hours", "1", "--file", str(file)).returncode == 0
    assert dtg(env, "key", "rotate", key_id, "--file", str(file)).returncode == 1, "the file is there already"
    assert dtg(env, "key", "revoke", key_id).returncode == 0
    assert dtg(env, "account", "authorise", COMPANY, AGENT, "--days", "30").returncode == 0
    assert dtg(env, "account", "authorise", COMPANY, AGENT, "--end").returncode == 0
    assert dtg(env, "account", "change", "officer/1", "--role", "auditor").returncode == 0
    engine = open_engine(f"sqlite:///{tmp_path}/console.db", writes=True)
    accounts = Accounts(engine)
    assert accounts.key(file.read_text().strip(), world_us()).who.actor == "gate"
    with pytest.raises(Refused, match="key_revoked"):
        accounts.key(shown[0], world_us())
    officer = accounts.account("officer/1")
    assert officer and officer.roles == "auditor" and officer.must_change
    engine.dispose()
    told = [dtg(env, *words) for words in (("account", "list"), ("key", "list"), ("account", "grants"))]
    assert all(each.returncode == 0 for each in told)
    assert all(secret not in each.stdout for each in told for secret in (shown[0], password[1], file.read_text()))
    assert "authorisation ended" in told[2].stdout and key_id in told[1].stdout


@pytest.mark.parametrize(
    "words",
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
def test_what_cannot_be_given_is_refused_in_both_languages(env: dict[str, str], words: tuple[str, ...]) -> None:
    done = dtg(env, *words)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert re.search(r"[一-鿿]", done.stderr) and re.search(r"[a-z]{3}", done.stderr)
