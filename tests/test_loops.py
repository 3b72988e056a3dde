"""Do tests wait for coroutines in a way that also works after a test with a browser?"""

import ast
from pathlib import Path

from tests.loops import finish
from tests.sources import tree_of

TESTS = Path(__file__).parent


def runs(source: str) -> list[int]:
    """Returns the numbers of the lines of this source that call `asyncio.run`."""
    calls = [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if ast.unparse(call.func) == "asyncio.run"]


def test_no_test_runs_a_loop_in_the_main_thread() -> None:
    files = [file for file in TESTS.rglob("test_*.py") if "asyncio" in file.read_text(encoding="utf-8")]
    assert len(files) > 5, "the tests were moved"
    found = {str(file): lines for file in files if (lines := runs(file.read_text(encoding="utf-8")))}
    assert found == {}, "use tests.loops.finish, because Playwright may have left a running loop in this thread"


def test_such_a_call_is_found() -> None:
    assert runs("import asyncio\nasyncio.run(work())\n") == [2]


def test_a_coroutine_is_finished_although_a_loop_runs_in_this_thread() -> None:
    async def inner() -> int:
        return 7

    async def outer() -> int:
        return finish(inner())

    assert finish(outer()) == 7
