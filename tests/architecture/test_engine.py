"""Does each file of the engine begin with its question, and is no class longer than a reader can keep in mind?"""

import ast
from pathlib import Path

import pytest

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
FILES = sorted(file for file in (ROOT / "services" / "shell").glob("*.py") if file.name != "__init__.py")
LONGEST_CLASS = 200


def long_classes(source: str) -> list[str]:
    """The classes with too many lines."""
    classes = [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if (node.end_lineno or 0) - node.lineno >= LONGEST_CLASS]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_file_of_the_engine_begins_with_the_question_that_it_answers(file: Path) -> None:
    begins = ast.get_docstring(tree_of(file.read_text(encoding="utf-8"))) or ""
    assert "?" in begins


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_no_class_of_the_engine_is_longer_than_a_reader_keeps_in_mind(file: Path) -> None:
    assert long_classes(file.read_text(encoding="utf-8")) == []


def test_a_longer_class_is_seen() -> None:
    assert long_classes("class Long:\n" + "    x = 1\n" * LONGEST_CLASS) == ["Long"]
    assert long_classes("class Short:\n" + "    x = 1\n" * (LONGEST_CLASS - 1)) == []
