"""Does a process go on if one of its threads has ended? Each thread and lasting task is listed with the code that
notices its end."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
STARTED = frozenset({"Thread", "Timer", "create_task", "ensure_future", "ThreadPoolExecutor", "ProcessPoolExecutor"})
HOOK = "by the hook of its process: see HOOKED"
TASK = "by `end_with_task`"
AWAITED = "by who awaits its answer"
NOTICED = {
    ("deploy/kafka/jars.py", "run", "Thread"): "`run` raises what it caught",
    ("services/cli/hangs.py", "start", "Thread"): HOOK,
    ("services/cli/membership.py", "__init__", "Thread"): HOOK,
    ("services/cli/processes.py", "call", "Thread"): "`call` raises what it caught",
    ("services/cli/screen.py", "progress", "Timer"): HOOK,
    ("services/console/app.py", "_beside", "create_task"): TASK,
    ("services/console/app.py", "_inside", "Thread"): HOOK,
    ("services/console/app.py", "_life", "create_task"): TASK,
    ("services/console/request_producer.py", "_lasting", "create_task"): TASK,
    (
        "services/console/request_producer.py",
        "_replace",
        "create_task",
    ): "it gives back what is broken, once; nothing waits for it",
    ("services/console/request_producer.py", "_sent", "create_task"): AWAITED,
    ("services/console/context.py", "_ring", "create_task"): TASK,
    ("services/console/projector_process.py", "run", "Thread"): HOOK,
    ("services/console/readings.py", "start", "create_task"): TASK,
    ("services/console/rebuild.py", "rebuild", "Thread"): HOOK,
    ("services/console/feed_streams.py", "ask", "create_task"): AWAITED,
    ("services/shell/signals.py", "on_stop", "Thread"): HOOK,
    ("services/shell/worker.py", "on_start", "Thread"): "it ends its process itself",
    ("services/shell/worker.py", "on_stop", "Timer"): "it ends its process itself",
}
HOOKED = {
    "services/cli/main.py": "run",
    "services/console/main.py": "prepare",
    "services/worker.py": "create",
    "services/cli/processes.py": "run",
}
"""File → the function in which the program makes sure that no thread ends unnoticed."""


def _name(path: Path) -> str:
    """The first two parts of the path of the file, and the name of the file: `services/gate/x/y.py` gives
    `services/gate/y.py`."""
    first, second, *_ = path.relative_to(ROOT).parts
    return f"{first}/{second}/{path.name}" if second != path.name else f"{first}/{second}"


def _started(path: Path) -> Iterator[tuple[str, str, str]]:
    for function in ast.walk(tree_of(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in STARTED:
                    yield _name(path), function.name, called


def test_every_thread_and_lasting_task_is_listed_with_who_notices_its_end() -> None:
    files = [file for folder in ("services", "deploy", "schemas") for file in (ROOT / folder).rglob("*.py")]
    assert {each for file in files for each in _started(file)} == set(NOTICED)


@pytest.mark.parametrize("name", HOOKED)
def test_every_program_ends_with_any_of_its_threads(name: str) -> None:
    (file,) = [each for each in (ROOT / "services").rglob("*.py") if _name(each) == name]
    functions = [
        node for node in ast.walk(tree_of(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    text = "\n".join([ast.unparse(each) for each in functions if each.name == HOOKED[name]])
    assert "end_with_any_thread()" in text or "threading.excepthook = " in text
