"""Does CI see a test that was skipped, and a process that was left behind?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / ".ci"


def run(script: str, argument: str) -> tuple[int, str]:
    done = subprocess.run([CI / script, argument], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ("def test_runs():\n    pass\n", 0, ""),
        ("import pytest\n\n@pytest.mark.skip('no browser')\ndef test_one():\n    pass\n", 1, "no browser"),
        ("import pytest\n\n@pytest.mark.xfail\ndef test_one():\n    assert False\n", 1, "test_one"),
        ("", 1, "no test ran"),
    ],
)
def test_a_skipped_test_is_seen(tmp_path: Path, body: str, code: int, named: str) -> None:
    tmp_path.joinpath("test_it.py").write_text(body)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    result = run("no-skips", str(tmp_path / "report.xml"))
    assert result[0] == code
    assert named in result[1]


def test_a_process_left_behind_is_named_and_ended(tmp_path: Path) -> None:
    mark = f"planted-{os.getpid()}"
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        cwd=tmp_path,
        env={"DTG_CI_RUN": mark},
        start_new_session=True,
    )
    try:
        code, output = run("no-leftovers", mark)
        assert code == 1
        assert f"left behind: {sleeper.pid}" in output
        assert sleeper.wait(5) == -9
    finally:
        sleeper.kill()
    assert run("no-leftovers", mark) == (0, "")
