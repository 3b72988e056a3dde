"""Does everything run in any folder and environment? A test starts `dtg up` in a folder, moves the folder, and starts
`dtg up` again."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.shell.loopback import is_loopback, open_page
from tests.cli.stops import until_line

NOWHERE = "http://127.0.0.1:9"
"""The address of a proxy that does not exist. No program listens on this port, so every request through the proxy
fails."""
PROXIES = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), NOWHERE)
ROOT = Path(__file__).parents[2]


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """Returns environment variables for an installation in `home`, with free ports. They also name a proxy that no
    program may use; every request through it fails. `more`: further variables."""
    env = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    names = ("DTG_KAFKA_PORT", "DTG_CONSOLE_PORT", "DTG_PROJECTOR_PORT", "DTG_WORKER_PORT")
    ports = {name: str(free_port()) for name in names}
    return {**env, **PROXIES, **ports, "DTG_HOME": str(home), "DTG_LAYOUT": "clearance", "DTG_PARTITIONS": "2", **more}


def dtg(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli.main", *arguments]
    return subprocess.run(command, env=env, capture_output=True, encoding="utf-8", errors="replace", check=False)


def up(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts `dtg up` with a low limit of open files and a private umask, and returns its process when it is
    ready."""
    limits = 'umask 077; ulimit -Sn 256; exec "$@"'
    command = ["sh", "-c", limits, "sh", sys.executable, "-m", "services.cli.main", "up"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = until_line(process, "Up in")
    assert "Up in" in lines, lines
    return process


def test_a_folder_in_chinese_behind_a_proxy_is_served_and_goes_on_where_it_is_moved_to(tmp_path: Path) -> None:
    first, second = tmp_path / "大通关 数据,一%20?", tmp_path / "搬 家 了"
    env = surroundings(first, LC_ALL="C")
    running = up(env)
    try:
        nobody = dtg(env, "declare", str(ROOT / "docs" / "declaration.json"))
        assert nobody.returncode == 1 and "DTG_API_KEY_FILE" in nobody.stderr, nobody.stderr
        key = tmp_path / "clerk.key"
        for arguments in (
            ("account", "add", "clerk", "--role", "declarant", "--company", "91370200163562681G", "--program"),
            ("key", "add", "clerk", "--scope", "lodge", "--file", str(key)),
        ):
            done = dtg(env, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr
        assert key.stat().st_mode & 0o077 == 0
        lodged = dtg(env | {"DTG_API_KEY_FILE": str(key)}, "declare", str(ROOT / "docs" / "declaration.json"))
        assert lodged.returncode == 0, lodged.stdout + lodged.stderr
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate()
    assert running.returncode == 0
    first.rename(second)
    env = surroundings(second, LC_ALL="POSIX", LANG="zh_CN.GBK")
    running = up(env)
    try:
        assert (second / "console.db").stat().st_mode & 0o077 == 0
        topics = dtg({**env, "COLUMNS": "200"}, "topics")
        assert topics.returncode == 0, topics.stdout + topics.stderr
        counts = [line for line in topics.stdout.splitlines() if "customs-declaration-requests" in line]
        assert counts and counts[0].split("│")[-2].strip() == "1", topics.stdout
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate()
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:8080/", True),
        ("http://127.1.2.3/x", True),
        ("http://[::1]:8080/", True),
        ("http://localhost:8080", True),
        ("http://LOCALHOST/", True),
        ("http://customs.example/", False),
        ("http://127.0.0.1.customs.example/", False),
        ("http://10.0.0.1/", False),
        ("http://user:127.0.0.1@customs.example/", False),
    ],
)
def test_what_is_on_this_machine_is_known_by_its_address(url: str, own: bool) -> None:
    assert is_loopback(url) is own
    if not own:
        with pytest.raises(ValueError, match="not on loopback"):
            open_page(url, 1)


def test_after_a_demo_a_plain_start_names_the_way_that_keeps_the_old_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "clock.json").write_text('{"now": "2099-01-01T00:00:00+00:00"}')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # The port is taken. So the command ends before it starts anything.
        env = surroundings(home, COLUMNS="400", DTG_CONSOLE_PORT=str(taken.getsockname()[1]))
        refused = dtg(env, "up")
        assert refused.returncode == 1 and "dtg up --afresh" in refused.stderr
        begun = dtg(env, "up", "--afresh")
    assert "is taken" in begun.stderr and "ahead" not in begun.stderr
    (aside,) = tmp_path.glob("home-*")
    assert (aside / "clock.json").exists() and not (home / "clock.json").exists()
