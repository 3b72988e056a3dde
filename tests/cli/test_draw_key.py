"""Is the key of the inspection draw made at the first start and shown to nobody? Does every worker refuse to draw
without it?"""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.vocabulary import day_in_china
from services.risk.keys import PUBLISHED, DrawKeys, new_key, read, written

REFUSED = 78
ANCHOR = {"DTG_CLOCK_ANCHOR": "2026-11-25T12:00:00Z"}
SECRET = bytes(range(32))


def up(home: Path, *arguments: str, problem: str = "is taken", **env: str) -> str:
    """Runs `dtg up` on this folder, and returns its whole output and its logs. `dtg up` ends before it starts any
    process, because a port is taken or because of another problem. `problem`: a part of the error message, which must
    be in stderr."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"DTG_HOME": str(home), "DTG_CONSOLE_PORT": str(taken.getsockname()[1]), "COLUMNS": "400", **env}
        program = [sys.executable, "-m", "services.cli.main", "up", *arguments]
        ended = subprocess.run(
            program,
            check=False,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            encoding="utf-8",
            umask=0o000,
        )
    assert ended.returncode == 1 and problem in ended.stderr, ended
    kept = "".join([file.read_text(encoding="utf-8") for file in home.glob("logs/*")])
    return ended.stdout + ended.stderr + kept


def worker(home: Path, desks: str = "risk", **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a worker with `--help`. If it is not refused, it ends at once. Without `--help`, it would wait for the
    cluster, which does not exist."""
    home.mkdir(exist_ok=True)
    settings = {"DTG_HOME": str(home), "DTG_DESKS": desks, "DTG_KAFKA": "127.0.0.1:1", **env}
    program = [sys.executable, "-m", "faust", "-A", "services.worker", "worker", "--help"]
    return subprocess.run(
        program, check=False, env=os.environ | settings, capture_output=True, text=True, encoding="utf-8", timeout=200
    )


def key_file(home: Path, text: str, mode: int = 0o600) -> Path:
    home.mkdir(exist_ok=True)
    file = home / "draw-keys.json"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_the_first_start_makes_a_key_that_only_its_owner_reads_and_nothing_shows(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = up(home)
    file = home / "draw-keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    [key] = read(file.read_text(encoding="utf-8")).keys
    today = day_in_china(datetime.now(UTC))
    assert len(key.secret) == 32 and key.effective_from in (today, today - timedelta(days=1))
    assert key.key_id in shown and str(file) in shown
    assert key.secret.hex() not in shown.replace("\n", "").lower()
    assert read(file.read_text(encoding="utf-8")).keys == (key,)
    assert up(home).count("was made") == 1, "the log of the first start says so, the second start does not"
    assert read(file.read_text(encoding="utf-8")).keys == (key,)


def test_a_key_that_was_lost_is_not_replaced_in_silence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    up(home)
    file = home / "draw-keys.json"
    [lost] = read(file.read_text(encoding="utf-8")).keys
    file.rename(tmp_path / "copy.json")
    shown = up(home, problem="was made once")
    assert lost.key_id in shown and str(file) in shown and not file.exists()
    (tmp_path / "copy.json").rename(file)
    up(home)


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        up(home)
    one, two = [read((home / "draw-keys.json").read_text(encoding="utf-8")).keys[0] for home in homes]
    assert one.secret != two.secret and one.key_id != two.key_id


def test_no_key_is_made_for_a_demo_nor_where_no_risk_desk_is_nor_where_a_file_is_named(tmp_path: Path) -> None:
    up(tmp_path / "home", "--demo")
    up(tmp_path / "other", DTG_LAYOUT="declaration;release,gate")
    up(tmp_path / "named", DTG_DRAW_KEYS=str(tmp_path / "elsewhere.json"))
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        (None, 0, "is missing"),
        ("", 0o600, "in JSON"),
        ('{"keys": []}', 0o600, "holds no key"),
        (written(DrawKeys((new_key(SECRET, day_in_china(datetime.now(UTC))),))), 0o644, "is open to others"),
        (written(DrawKeys((new_key(SECRET, day_in_china(datetime.now(UTC))),))), 0o660, "is open to others"),
        (written(PUBLISHED), 0o600, "holds the published key"),
        (SECRET.hex(), 0o600, "in JSON"),
    ],
    ids=["missing", "empty", "no key", "read by all", "changed by the group", "published", "bare secret"],
)
def test_a_risk_desk_without_a_key_of_its_own_refuses_to_start_and_says_what_to_do(
    tmp_path: Path, text: str | None, mode: int, problem: str
) -> None:
    if text is not None:
        key_file(tmp_path, text, mode)
    ended = worker(tmp_path)
    shown = ended.stdout + ended.stderr
    assert ended.returncode == REFUSED and problem in shown and "draw-keys.json" in shown, ended
    error = json.loads(ended.stdout.splitlines()[-1])["error"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in error), "in Chinese, too"
    assert SECRET.hex() not in shown and PUBLISHED.keys[0].secret.hex() not in shown and "Traceback" not in shown


def test_the_worlds_clock_refuses_the_published_key_and_a_sandbox_clock_takes_it(tmp_path: Path) -> None:
    ended = worker(tmp_path, DTG_DRAW_KEYS="published")
    assert ended.returncode == REFUSED and "sandbox clock" in ended.stdout + ended.stderr, ended
    assert worker(tmp_path, DTG_DRAW_KEYS="published", **ANCHOR).returncode == 0


def test_a_worker_with_a_key_or_without_a_risk_desk_starts(tmp_path: Path) -> None:
    assert worker(tmp_path / "none", "declaration,release").returncode == 0
    file = key_file(tmp_path / "home", written(DrawKeys((new_key(SECRET, day_in_china(datetime.now(UTC))),))))
    assert worker(tmp_path / "home").returncode == 0
    assert worker(tmp_path / "elsewhere", DTG_DRAW_KEYS=str(file)).returncode == 0
    file.chmod(0o640)  # a secret that is mounted into a container may be readable by its group
    assert worker(tmp_path / "home").returncode == 0
