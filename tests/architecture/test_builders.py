"""Is each fact built in one place in the tests of desks, by a function that has the name of the fact?"""

import ast
import re
from pathlib import Path

import pytest

from schemas.envelope import Request
from schemas.topics import KINDS, SERVICES
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
FACTS = frozenset(name for name, kind in KINDS.items() if not issubclass(kind, Request))
FOLDERS = (*SERVICES, "journeys")


def built(source: str) -> list[str]:
    """The facts that this source builds field by field."""
    calls = [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.Call) and node.keywords]
    return [node.func.id for node in calls if isinstance(node.func, ast.Name) and node.func.id in FACTS]


def builders() -> dict[str, list[str]]:
    """Each function of `tests/facts.py` that builds facts → the facts that it builds."""
    tree = tree_of((ROOT / "tests/facts.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: made for node in functions if (made := built(ast.unparse(node)))}


def test_a_builder_has_the_name_of_its_fact_and_no_fact_has_two() -> None:
    for name, made in builders().items():
        assert [re.sub(r"(?<!^)(?=[A-Z])", "_", each).lower() for each in made] == [name]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_test_of_a_desk_builds_a_fact_by_hand(folder: str) -> None:
    files = sorted((ROOT / "tests" / folder).rglob("*.py"))
    assert files, "the folder was moved"
    found = {file.name: made for file in files if (made := built(file.read_text(encoding="utf-8")))}
    assert found == {}, "tests/facts.py builds facts"


def test_a_fact_that_is_built_by_hand_is_found() -> None:
    assert built("ReleaseGranted(version=2)") == ["ReleaseGranted"] and built("PlaceHold(reason='a tip')") == []
