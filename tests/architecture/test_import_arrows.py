"""Does each import rule of the project work? A violation is put into a copy of the tree, and the linter must find
it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

PLANTED = [
    ("schemas/vocabulary.py", "import services.shell.clock", "1. The language"),
    ("schemas/vocabulary.py", "import orjson", "1. The language"),
    ("services/risk/rules.py", "import logging", "2. Whatever decides"),
    ("services/inspection/decider.py", "import services.shell.clock", "2. Whatever decides"),
    ("services/quarantine/methods.py", "import prometheus_client", "2. Whatever decides"),
    ("services/clearance/timeline.py", "import services.clearance.metrics", "2. Whatever decides"),
    ("services/brandnew/policy.py", "import asyncio", "2. Whatever decides"),
    ("schemas/papers/checks.py", "import random", "2. Whatever decides is pure: the checks of papers"),
    ("services/shell/turn.py", "import services.risk.rules", "3. The shell"),
    ("services/clearance/metrics.py", "import services.release.holds", "4. Services never import"),
    ("services/clearance/timeline.py", "import sqlalchemy", "5. Each library has its home: SQL"),
    ("services/shell/restore.py", "import kafka", "5. Each library has its home: kafka-python"),
    ("services/clearance/metrics.py", "import confluent_kafka", "5. Each library has its home: the client"),
    ("services/clearance/metrics.py", "import faust", "5. Each library has its home: Faust"),
    ("services/cli/__init__.py", "import random", "5. Each library has its home: dice"),
    ("services/cli/port.py", "import rich.markup", "5. Each library has its home: the terminal"),
    ("services/console/readmodel/queries.py", "import services.console.access.rights", "6. The console's rooms"),
    ("services/console/readmodel/store.py", "import services.console.api.problems", "6. The console's rooms"),
    ("services/console/access/accounts.py", "import services.console.api.views", "6. The console's rooms"),
    (
        "services/console/api/answers.py",
        "import services.console.pages.formatting",
        "6. The console's rooms",
    ),
    ("services/console/api/feed.py", "import services.console.app", "6. The console's rooms"),
    ("services/console/pages/forms.py", "import services.console.app", "6. The console's rooms"),
    ("services/console/language/words.py", "import services.console.readmodel.tables", "6. The console's rooms"),
    ("services/console/brandnew/desk.py", "import json", "6. The console's rooms"),
    ("services/shell/parking.py", "import services.shell.store", "7. The engine"),
    ("services/shell/turn.py", "import services.shell.transactions", "7. The engine"),
    ("services/shell/transactions.py", "import services.shell.assignment", "7. The engine"),
    ("services/shell/overlay.py", "import services.shell.writing", "7. The engine"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code and its rules, which the test may break."""
    for name in ("schemas", "services", "deploy", "tests/architecture"):
        ignore = shutil.ignore_patterns("__pycache__", "target", "static")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(tree: Path) -> set[str]:
    """Names of the contracts that import-linter calls broken in this tree."""
    command = [str(BIN / "lint-imports"), "--no-cache"]
    env = {"PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, env=env)
    broken = {line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (done.returncode == 0) is (not broken), done.stdout + done.stderr
    return broken


def plant(file: Path, line: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.parent.joinpath("__init__.py").touch()
    with file.open("a") as end:
        end.write(f"\n{line}\n")


def test_the_tree_keeps_every_contract(copy: Path) -> None:
    assert broken_contracts(copy) == set()


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, line: str, contract: str) -> None:
    plant(copy / file, line)
    assert [name for name in broken_contracts(copy) if name.startswith(contract)]


CLOCKS_AND_DICE = [
    "from datetime import datetime\n\nNOW = datetime.now()",
    "from datetime import date\n\nTODAY = date.today()",
    "import time\n\nNOW = time.time()",
    "import time\n\nNOW = time.monotonic()",
    "import random\n\nDICE = random.random()",
    "import secrets\n\nDICE = secrets.token_hex()",
    "import uuid\n\nDRAWN = uuid.uuid4()",
    "from uuid import uuid4\n\nDRAWN = uuid4()",
    "import os\n\nHOME = os.environ['HOME']",
    "from os import getenv\n\nHOME = getenv('HOME')",
]


def banned_apis(tree: Path, file: str) -> list[str]:
    """The lines in which ruff reports a banned name (rule TID251) in this file of the tree."""
    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID251", "--output-format", "concise", file]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "TID251" in line]


@pytest.mark.parametrize("lines", CLOCKS_AND_DICE)
def test_a_clock_or_a_dice_roll_in_a_decider_is_seen(copy: Path, lines: str) -> None:
    file = "services/inspection/decider.py"
    assert banned_apis(copy, file) == []
    plant(copy / file, lines)
    assert banned_apis(copy, file) != []


@pytest.mark.parametrize(
    "folder", ["schemas", "services/console", "services/ports", "services/simulator", "services/brandnew"]
)
def test_a_clock_is_seen_everywhere_but_in_the_shell(copy: Path, folder: str) -> None:
    plant(copy / folder / "planted.py", CLOCKS_AND_DICE[0])
    assert banned_apis(copy, f"{folder}/planted.py") != []


def test_the_shell_may_ask_what_time_it_is(copy: Path) -> None:
    plant(copy / "services/shell/planted.py", CLOCKS_AND_DICE[0])
    assert banned_apis(copy, "services/shell/planted.py") == []
