"""Does `dtg up` stop everything and say why if one of its threads ends?"""

import subprocess
import sys
from pathlib import Path

from services.shell.ending import CODE

SMALL = """
import sys, threading
from pathlib import Path
from services.cli.processes import Child
from services.cli.settings import UpSettings
from services.cli.up import Up

class Small(Up):
    def _start(self):
        child = Child("sleeper", ["sleep", "600"], self.home / "logs" / "sleeper.log")
        self.others.append(child)
        child.start()
        print("pid", child.pid, flush=True)
        threading.Thread(target=self._dies, name="half").start()

    def _dies(self):
        raise LookupError("nobody foresaw this")

up = Small(UpSettings(home=sys.argv[1], kafka="127.0.0.1:1"), demo=False, speed=1, consignments=1, seed=1)
sys.exit(up.run())
"""


def test_a_thread_that_ends_by_an_error_stops_everything_and_says_why(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-c", SMALL, str(home)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=250)
    assert ended.returncode == CODE, ended.stdout + ended.stderr
    journal = (home / "logs" / "up.log").read_text()
    for text in (ended.stdout, journal):
        assert "The thread half ended" in text and "nobody foresaw this" in text and "Stopped" in text
    (pid,) = [line.split()[1] for line in ended.stdout.splitlines() if line.startswith("pid ")]
    assert not Path(f"/proc/{pid}").exists()


def test_any_command_ends_with_its_threads() -> None:
    """If a command did not end with one of its threads, `dtg rebuild`, for example, would wait for ever after its
    projector thread had ended."""
    program = (
        "import threading, typer\nfrom services.cli import main\n"
        "def dies(): raise LookupError('nobody foresaw this')\n"
        "@main.app.command()\n"
        "def half() -> None:\n"
        "    threading.Thread(target=dies).start()\n"
        "    threading.Event().wait(60)\n"
        "main.run()\n"
    )
    command = [sys.executable, "-c", program, "half"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=250)
    assert ended.returncode == CODE and "nobody foresaw this" in ended.stderr, ended.stdout + ended.stderr
