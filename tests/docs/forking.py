"""A process that runs checks in one tree after the other, each in a fork of its own, so that libraries are imported
only once.

It reads one JSON object a line, `{"tree": folder, "run": [words]}`, and answers each by
`{"code": exit code, "text": output}`. `run` is a command line: `pytest …`, `python -m module`, or `lint-imports …`.
The process is started by its file name, so that it imports nothing from its own tree.
"""

import gc
import importlib
import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

LIBRARIES = (
    *(
        "hypothesis",
        "jsonschema",
        "fastapi.testclient",
        "httpx2",
        "jinja2",
        "orjson",
        "structlog",
    ),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "alembic.autogenerate", "prometheus_client"),
    *(
        "pytest_asyncio.plugin",
        "pytest_timeout",
        "confluent_kafka.admin",
        "kafka",
        "faust",
        "uvicorn",
        "argon2",
        "typer",
        "rich.console",
        "_pytest.assertion.rewrite",
    ),
)
OWN = Path(__file__).resolve().parents[2]
"""The tree of this file, to which the installed package `datongguan` points. A fork must not import from this tree."""


def serve() -> None:
    """Answers each line of the input, until the input ends."""
    for name in LIBRARIES:
        importlib.import_module(name)
    # A fork lives only for seconds, and most of its objects belong to modules. So a garbage collection would free
    # little memory.
    gc.disable()
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                _run(order["tree"], order["run"], output.fileno())
            _, status = os.waitpid(child, 0)
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        answers.write(json.dumps({"code": os.waitstatus_to_exitcode(status), "text": text}) + "\n")
        answers.flush()


def _run(tree: str, arguments: list[str], output: int) -> None:
    """Runs the command in the fork, and ends the fork with the exit code of the command. Never returns."""
    code = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(tree)
        sys.path[:] = [tree, *[each for each in sys.path[1:] if Path(each or ".").resolve() != OWN]]
        code = _command(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _command(command: list[str]) -> int:
    program, *arguments = command
    if program == "pytest":
        return int(pytest.main(arguments))
    if program == "lint-imports":
        return int(lint_imports(no_cache=True))
    sys.argv = [arguments[1], *arguments[2:]]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    serve()
