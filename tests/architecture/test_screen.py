"""Does everything in services/cli print through its screen? Each other way to print is put into a source, and the
check must find it."""

import ast
from pathlib import Path

import pytest

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
CLI = ROOT / "services" / "cli"
ECHO = {"print", "pprint", "echo", "secho", "print_exception", "print_json", "print_exc", "Console"}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}


def other_ways(source: str) -> list[int]:
    """The numbers of the lines of this source that print without the screen."""
    lines = []
    for node in ast.walk(tree_of(source)):
        called = node.func if isinstance(node, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        writes = (
            isinstance(called, ast.Attribute)
            and called.attr in ("write", "writelines")
            and isinstance(called.value, ast.Attribute)
            and called.value.attr in (*STREAMS, "buffer")
        )
        if name in ECHO or writes or any(each.split(".")[0] == "rich" for each in (*imported, module)):
            lines.append(getattr(node, "lineno", 0))
    return lines


def test_nothing_prints_past_the_screen() -> None:
    files = [path for path in CLI.rglob("*.py") if path != CLI / "screen.py"]
    assert len(files) > 10
    found = {str(path): lines for path in files if (lines := other_ways(path.read_text(encoding="utf-8")))}
    assert found == {}, "services/cli/screen.py is the one way to a terminal"


@pytest.mark.parametrize(
    "planted",
    [
        "print('x')",
        "from rich.console import Console",
        "import rich",
        "import rich.table",
        "Console(stderr=True)",
        "typer.echo('x')",
        "typer.secho('x')",
        "click.echo('x')",
        "sys.stdout.write('x')",
        "sys.stderr.buffer.write(b'x')",
        "sys.__stderr__.writelines([])",
        "traceback.print_exc()",
    ],
)
def test_another_way_is_found(planted: str) -> None:
    assert other_ways(f"import sys\n{planted}\n") == [2]
