"""Can every published key of a demo be used as soon as the console says that it is ready?"""

import signal
import subprocess
import sys
from pathlib import Path

import httpx2

from services.cli.up import answers
from services.console.access.accounts import written
from services.console.access.demo_accounts import DEMOS
from tests.cli.test_places import dtg, surroundings
from tests.waiting import wait


def test_every_published_key_is_known_from_the_first_moment_at_which_the_console_is_ready(tmp_path: Path) -> None:
    """If a console does not find a key, it caches this answer for some seconds. So the console must not be ready before
    the keys are in the database."""
    env = surroundings(tmp_path / "home")
    address = f"http://127.0.0.1:{env['DTG_CONSOLE_PORT']}"
    program = [sys.executable, "-m", "services.cli.main", "up", "--demo", "--consignments", "1"]
    with subprocess.Popen(program, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait(lambda: answers(f"{address}/readyz") or running.poll() is not None, "the console to be ready")
            with httpx2.Client(base_url=address, trust_env=False, timeout=60) as http:
                responses = {
                    demo.account: http.get("/api/v1/me", headers={"Authorization": f"Bearer {written(demo.key)}"})
                    for demo in DEMOS
                }
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait()
    assert running.returncode == 0
    assert {name: answer.status_code for name, answer in responses.items()} == dict.fromkeys(responses, 200)


def test_a_demo_whose_database_does_not_answer_says_so_in_a_sentence(tmp_path: Path) -> None:
    env = surroundings(tmp_path / "home", DTG_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none", COLUMNS="400")
    ended = dtg(env, "up", "--demo")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
    assert "DTG_DATABASE_URL" in ended.stderr and "查询库" in ended.stderr
