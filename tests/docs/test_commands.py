"""Does every command line of the documents work? Each line is run on a running border, or is listed with the reason why
it is not run."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import typer

from services.cli.main import app
from tests.docs.lines import ROOT, Unreadable, lines_of, named_lines
from tests.docs.listed import ENDLESS, LISTED, WHOLE
from tests.docs.reader import MAKES, UP, Reader

Typed = dict[str, subprocess.CompletedProcess[str]]
LINES = named_lines()
UNKNOWN = "--no-such-argument"
pytestmark = pytest.mark.timeout(900)
"""The fixture `typed` runs all lines before the first test. This takes minutes on a busy machine."""
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
MODULE = re.compile(r"\.venv/bin/python -m ((?:tests|services|schemas)\.\S+.*)")


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """The result of every line that is neither listed nor UP. Each line is run once, in the order of the documents."""
    reader = Reader(tmp_path_factory.mktemp("reader"))
    border = reader.start()
    done: Typed = {}
    try:
        reader.set_two_aside()
        for line in LINES:
            whole = WHOLE.get(line, line)
            if line not in LISTED and line != UP and whole not in done:
                done[whole] = reader.types(whole)
        yield done
    finally:
        border.terminate()
        border.communicate()
    assert border.returncode == 0


def test_every_command_line_of_the_documents_ends_well(typed: Typed) -> None:
    wrong = [f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}" for line, done in typed.items() if done.returncode]
    assert not wrong, "\n".join(wrong)


def test_no_placeholder_is_typed_as_it_is(typed: Typed) -> None:
    assert [line for line, done in typed.items() if re.search(r"<\w+>|…|\{\w+\}|[A-Z]{4,}/", done.args[-1])] == []


def test_a_declaration_lodged_with_the_lines_of_the_readme_is_released(typed: Typed) -> None:
    lodge, status, timeline, arrival = [line for line in typed if line.startswith("curl -s ") and "/api/v1/" in line]
    answer = json.loads(typed[lodge].stdout)
    assert set(answer) == {"request_id", "consignment_id", "status", "request"}
    goods = answer["consignment_id"]
    assert "consignment" in json.loads(typed[status].stdout)
    assert "entries" in json.loads(typed[timeline].stdout)
    assert json.loads(typed[arrival].stdout)["consignment_id"] == goods
    life = typed["dtg trace 91370200163562681G/README-1"].stdout
    assert all(kind in life for kind in ("DeclarationAccepted", "ConsignmentAssessed", "ReleaseGranted"))
    assert "may leave" in typed["dtg port ask CSQU3054383"].stdout


def test_each_table_of_this_test_speaks_of_lines_that_a_document_names(typed: Typed) -> None:
    assert sorted({*LISTED, *WHOLE, *ENDLESS, UP} - set(LINES)) == []
    assert not set(LISTED) & set(WHOLE), "listed, and run"
    placeholders = Reader(ROOT / ".run" / "nowhere").own_values("")
    assert [each for each in placeholders if not any(each in line for line in typed)] == []


def test_what_is_listed_is_there_and_takes_these_arguments() -> None:
    with ThreadPoolExecutor(2) as pool:
        troubles = dict(zip(LISTED, pool.map(trouble_of, LISTED), strict=True))
    assert {line: trouble for line, trouble in troubles.items() if trouble} == {}


def trouble_of(line: str) -> str:
    """The reason why the line cannot work, found without running it; empty if it can work."""
    program, *arguments = shlex.split(line)
    if program == "make":
        dry = ended("make", "-n", *arguments)
        called = [match[1] for match in MODULE.finditer(dry.stdout)] if "ARGS" in line else []
        return dry.stderr if dry.returncode else "".join(trouble_of_module(*shlex.split(each)) for each in called)
    if program == "dtg":
        return "" if arguments[0] in COMMANDS else f"dtg has no command {arguments[0]}"
    if program.startswith("."):
        return "" if os.access(ROOT / program, os.X_OK) else f"{program} cannot be executed"
    return ""


def trouble_of_module(*arguments: str) -> str:
    """The reason why the module does not accept these arguments; empty if it accepts them. The module is run with these
    arguments and a wrong one. If it reports only the wrong argument, it has accepted the others."""
    done = ended(sys.executable, "-m", *arguments, UNKNOWN)
    return "" if done.stderr.endswith(f"unrecognized arguments: {UNKNOWN}\n") else done.stderr or "takes no arguments"


def ended(*command: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(MAKES)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=False)


PAGE = """
Type `make help`, or `dtg parked list | show`; `dtg` alone, `uv.lock` and `a | b` are no commands.

```bash
# a comment
make run     # this is one, too
curl -s http://127.0.0.1:8080/api \\
     -d '{"a": "#1"}'
$ deploy/setup.sh
```

`LC_ALL=C dtg
up`

```text
dtg is the picture here
```
"""


def test_the_commands_of_a_page_are_found_in_its_order() -> None:
    assert lines_of(PAGE) == [
        "make help",
        "dtg parked list",
        "dtg parked show",
        "make run",
        """curl -s http://127.0.0.1:8080/api -d '{"a": "#1"}'""",
        "deploy/setup.sh",
        "LC_ALL=C dtg up",
    ]


@pytest.mark.parametrize("page", ["```powershell\ndtg up\n```\n", "- so:\n  ```\n  dtg up\n  ```\n", "```\ndtg up\n"])
def test_a_block_that_nobody_would_read_here_is_refused(page: str) -> None:
    with pytest.raises(Unreadable):
        lines_of(page)
