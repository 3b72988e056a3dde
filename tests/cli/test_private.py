"""Can only the owner read the files of an installation?"""

import os
import socket
import subprocess
import sys
from pathlib import Path


def test_the_folder_of_dtg_up_is_closed_to_others_also_one_that_was_open(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # The port is taken. So the command ends before it starts anything.
        env = {**os.environ, "DTG_HOME": str(home), "DTG_CONSOLE_PORT": str(taken.getsockname()[1])}
        program = [sys.executable, "-m", "services.cli.main", "up"]
        ended = subprocess.run(program, check=False, env=env, capture_output=True, text=True, umask=0o022, timeout=250)
    assert ended.returncode == 1 and "taken" in ended.stderr, ended
    assert home.stat().st_mode & 0o777 == 0o700
    files = list(home.iterdir())
    assert files and not any(file.stat().st_mode & 0o077 for file in files)
