"""If a file of DTG_HOME is damaged, do the programs that read it say so in a sentence that says what to do?

Files are damaged in every way that a disk, a copy or a person may cause. A circle of links stands for a file of
another user, because nobody can read it, not even root.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.cli.home import CLOCK, LOCK, Spoiled, clock_of, in_use, of_command
from services.cli.port import MUST_STAY
from services.cli.settings import UpSettings
from services.cli.up import KEY_MADE, CannotStart, Up
from services.console.readmodel.database import migrate
from services.console.readmodel.generation import file_of
from services.shell.access import NoAccess, read_credential

WRITTEN = {
    CLOCK: '{"now": "2026-11-27T08:00:00+00:00", "anchor": "2026-11-27T08:00:00+00:00", "start": "2026-11-27T08:00:00+00:00", "speed": 2}',
    "credential": '{"username": "customs-console", "password": "long"}',
}
NO_TEXTS = (b"", b"\xff\xfe\x00", b'{"now', b"[]", b'{"now": 5}', b"[" * 100_000)


def _folder(file: Path) -> None:
    file.mkdir()


def _circle(file: Path) -> None:
    os.symlink(file.name, file)


def _bytes(what: bytes) -> Callable[[Path], None]:
    def put(file: Path) -> None:
        file.write_bytes(what)
        file.chmod(0o600)

    return put


SPOILED = [_folder, _circle, *[_bytes(each) for each in NO_TEXTS]]
IDS = ["folder", "circle", *[repr(each[:12]) for each in NO_TEXTS]]
spoiled = pytest.mark.parametrize("spoil", SPOILED, ids=IDS)


@spoiled
def test_the_clock_of_a_demo_that_runs(home: Path, spoil: Callable[[Path], None]) -> None:
    spoil(home / CLOCK)
    settings = UpSettings()
    with in_use(home, settings.bootstrap()), pytest.raises(Spoiled, match=r"clock\.json.*沙箱时钟无法读取.*Remove it"):
        clock_of(settings)


@pytest.mark.parametrize("speed", ["0", "-1", "NaN", "Infinity", '"fast"', "null", "[]"])
def test_a_clock_that_does_not_run(home: Path, speed: str) -> None:
    (home / CLOCK).write_text(WRITTEN[CLOCK].replace('"speed": 2', f'"speed": {speed}'))
    settings = UpSettings()
    with in_use(home, settings.bootstrap()), pytest.raises(Spoiled):
        clock_of(settings)


def test_a_clock_as_it_was_written_is_read(home: Path) -> None:
    (home / CLOCK).write_text(WRITTEN[CLOCK])
    settings = UpSettings()
    with in_use(home, settings.bootstrap()):
        assert clock_of(settings).speed == 2


def test_a_command_says_so_and_ends_with_1(home: Path, dtg: Callable[..., tuple[int, str]]) -> None:
    (home / CLOCK).mkdir()
    with in_use(home, UpSettings().bootstrap()):
        code, output = dtg("declare", str(Path(__file__).parents[2] / "docs" / "declaration.json"))
    assert code == 1 and "clock.json" in output and "沙箱时钟无法读取" in output, output


@spoiled
def test_a_credential(home: Path, spoil: Callable[[Path], None]) -> None:
    file = home / "console.json"
    spoil(file)
    with pytest.raises(NoAccess, match=r"console\.json"):
        read_credential(file)


@spoiled
def test_the_keys_of_the_draw(home: Path, dtg: Callable[..., tuple[int, str]], spoil: Callable[[Path], None]) -> None:
    spoil(home / "draw-keys.json")
    code, output = dtg("draws", "keys")
    assert code == 1 and "draw-keys.json" in output and any("\u4e00" <= sign <= "\u9fff" for sign in output), output


@spoiled
def test_the_note_that_the_keys_were_made(home: Path, spoil: Callable[[Path], None]) -> None:
    spoil(home / KEY_MADE)
    up = Up(UpSettings(), demo=False, speed=1, consignments=1, seed=1)
    # A circle of links counts as a missing file. If this file is missing, `dtg up` may make the keys, and does not
    # refuse to start.
    if not (home / KEY_MADE).exists():
        return
    with pytest.raises(CannotStart, match="抽查密钥文件丢失"):
        up._make_draw_key()


@spoiled
def test_the_lock(home: Path, dtg: Callable[..., tuple[int, str]], spoil: Callable[[Path], None]) -> None:
    demo = home.with_name("home-demo")
    demo.mkdir()
    spoil(demo / LOCK)
    assert of_command(UpSettings()).home == str(home)
    spoil(home / LOCK)
    if (home / LOCK).is_file():
        with in_use(home, "here:1"):
            return
    code, output = dtg("up")
    assert code == 1 and LOCK in output and "无法打开锁文件" in output and "remove it" in output, output


@spoiled
def test_the_file_that_counts_changes_of_rights(
    home: Path, dtg: Callable[..., tuple[int, str]], spoil: Callable[[Path], None]
) -> None:
    migrate(UpSettings().read_model())
    file = file_of(UpSettings().read_model(), str(home))
    assert file is not None
    spoil(file)
    code, output = dtg("account", "confirm")
    assert code == 1 and file.name in output and "无法读取权限变更记录文件" in output, output


@pytest.mark.parametrize("spoil", [s for s, name in zip(SPOILED, IDS, strict=True) if name != "b''"])
def test_the_database(home: Path, dtg: Callable[..., tuple[int, str]], spoil: Callable[[Path], None]) -> None:
    spoil(home / "console.db")
    code, output = dtg("account", "list")
    assert code == 1 and "console.db" in output and "查询库无法打开" in output, output


@pytest.mark.parametrize("spoil", [s for s, name in zip(SPOILED, IDS, strict=True) if name != "b''"])
def test_the_notebook_of_a_port_is_a_no(
    home: Path, dtg: Callable[..., tuple[int, str]], spoil: Callable[[Path], None]
) -> None:
    for source in ("kafka", "http"):
        spoil(home / f"port-{source}.db")
    code, output = dtg("port", "ask", "CSQU3054383", "--http")
    assert code == MUST_STAY and "Traceback" not in output, output


@pytest.mark.parametrize("name", ["", "logs", "kafka", "credentials", "faust"])
@pytest.mark.parametrize("spoil", [_bytes(b""), _circle], ids=["file", "circle"])
def test_a_folder(home: Path, dtg: Callable[..., tuple[int, str]], name: str, spoil: Callable[[Path], None]) -> None:
    if not name:
        home.rmdir()
    spoil(home / name if name else home)
    code, output = dtg("up")
    assert code == 1 and str(home) in output and "无法创建文件夹" in output, output


def test_settings_that_cannot_be_used(
    home: Path, dtg: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTG_KAFKA_PORT", "abc")
    monkeypatch.setenv("DTG_PARTITIONS", "0")
    code, output = dtg("topics")
    assert code == 1 and "设置有误" in output and "DTG_KAFKA_PORT" in output and "DTG_PARTITIONS" in output, output
