"""Does a console end, instead of seeming to work, if its projector thread ended with an unexpected error?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete

from deploy.kafka.broker import free_port
from services.cli.processes import Child
from services.cli.up import wait_for
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.shell.ending import CODE
from tests.conftest import PARTITIONS
from tests.console.border import Border, publish
from tests.waiting import wait

DYING = """
import asyncio, threading
from services.shell.ending import end_with_any_thread, end_with_task
def dies(): raise LookupError("nobody foresaw this")
async def task():
    async def also(): dies()
    asyncio.create_task(also()).add_done_callback(end_with_task)
    await asyncio.sleep(60)
end_with_any_thread()
"""


@pytest.mark.parametrize(
    "how", ["threading.Thread(target=dies).start(); threading.Event().wait(60)", "asyncio.run(task())"]
)
def test_a_dead_thread_or_task_ends_its_process_and_says_why(how: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DYING + how], check=False, capture_output=True, text=True, timeout=250
    )
    assert ended.returncode == CODE
    assert "nobody foresaw this" in ended.stdout


@pytest.mark.parametrize("program", ["console", "projector"])
def test_a_process_whose_projector_died_ends(bootstrap: str, tmp_path: Path, program: str) -> None:
    url = f"sqlite:///{tmp_path}/console.db"
    migrate(url)
    port = free_port()
    env = {
        "DTG_KAFKA": bootstrap,
        "DTG_PARTITIONS": str(PARTITIONS),
        "DTG_DATABASE_URL": url,
        "DTG_CONSOLE_PORT": str(port),
        "DTG_PROJECTOR_PORT": str(port),
    }
    child = Child(program, [sys.executable, "-m", "services.cli.main", program], tmp_path / f"{program}.log", env)
    child.start()
    try:
        wait_for({f"http://127.0.0.1:{port}/readyz": child})
        engine = open_engine(url, writes=True)
        with engine.begin() as connection:
            connection.execute(delete(t.TURNS))  # a damaged database may lack this row
        engine.dispose()
        publish(bootstrap, Border("dead-thread").lodged().messages)
        wait(lambda: not child.alive, f"the {program} to end")
        assert child.code == CODE
        last = [json.loads(line) for line in child.log.read_text().splitlines() if line.startswith("{")][-1]
        assert (last["level"], last["thread"]) == ("critical", "projector")
    finally:
        child.kill()
