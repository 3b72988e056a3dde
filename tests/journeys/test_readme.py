"""Do the lines of the README do what it says: is a declaration lodged with curl seen to be released?"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.console.database import migrate
from services.console.settings import ConsoleSettings
from tests.conftest import PARTITIONS
from tests.console.conftest import Running
from tests.kafka.border import Border
from tests.waiting import wait

ROOT = Path(__file__).parents[2]


def commands() -> list[str]:
    """The curl lines of the section for declarants, each on one line."""
    section = ROOT.joinpath("README.md").read_text().partition("## For declarants")[2].partition("\n## ")[0]
    block = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert block, "the section has a block of commands"
    return [line for line in block[1].replace("\\\n", "").splitlines() if line.startswith("curl ")]


@pytest.fixture
def console(border: Border, tmp_path: Path) -> Iterator[Running]:
    """A console over the border with desks."""
    settings = ConsoleSettings(
        kafka=border.bootstrap,
        partitions=PARTITIONS,
        database_url=f"sqlite:///{tmp_path}/console.db",
        console_port=free_port(),
    )
    migrate(settings.database_url)
    running = Running(settings)
    running.start()
    yield running
    running.stop()


def test_a_declaration_lodged_with_the_lines_of_the_readme_is_released(console: Running) -> None:
    goods = ""

    def run(command: str) -> dict[str, object]:
        here = command.replace("http://127.0.0.1:8080", console.address).replace("CONSIGNMENT", goods)
        done = subprocess.run(["bash", "-c", here], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        said: dict[str, object] = json.loads(done.stdout)
        return said

    lodge, status, timeline, arrival = commands()
    goods = str(run(lodge)["consignment_id"])
    assert set(run(lodge)) == {"request_id", "consignment_id", "status", "request"}
    assert run(arrival)["consignment_id"] == goods

    def stage() -> object:
        said = run(status)["consignment"]
        assert isinstance(said, dict)
        return said["stage"]

    wait(lambda: stage() == "released", "the release")
    entries = run(timeline)["entries"]
    assert isinstance(entries, list)
    assert {"DeclarationAccepted", "ConsignmentAssessed", "ReleaseGranted"} <= {entry["kind"] for entry in entries}
