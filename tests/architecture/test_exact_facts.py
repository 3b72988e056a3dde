"""Do the stories of desks compare every fact, as `desk.then(fact, …)` does? A test that compares only the kinds of
the facts, or only one fact, finds neither an error in another fact nor a fact too many."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
EXACT = ("tests/gate", "tests/release")
"""Folders whose stories compare every fact. Add a folder when its stories do."""
OF_MANY_STORIES = frozenset(
    {
        *("test_visits_chaos.py", "test_told_again.py", "test_permits_of_visits.py", "test_called_back_inside.py"),
        *("test_came_again_inside.py", "test_estimates.py", "test_strikes_of_visits.py", "test_stripped_and_lapsed.py"),
        "world.py",
    }
)
"""Files whose tests compare only what many stories have in common, for example whether the container may leave, and not
each fact."""


def loose(source: str) -> Iterator[int]:
    """The numbers of the lines with assertions that look at a story's facts without comparing all of them."""
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Assert):
            names = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
            fields = {each.attr for each in ast.walk(node.test) if isinstance(each, ast.Attribute)}
            if names & {"kinds", "may_leave"} or fields & {"kind", "answer", "facts"}:
                yield node.lineno


@pytest.mark.parametrize("folder", EXACT)
def test_a_story_compares_every_fact(folder: str) -> None:
    files = [file for file in sorted((ROOT / folder).glob("*.py")) if file.name not in OF_MANY_STORIES]
    assert files, "the folder was moved"
    found = {file.name: list(loose(file.read_text(encoding="utf-8"))) for file in files}
    assert {name: lines for name, lines in found.items() if lines} == {}, "use .then(...) or .then_refused(code)"


@pytest.mark.parametrize(
    "assertion",
    [
        'assert kinds(desk) == ["ReleaseGranted"]',
        "assert not may_leave(desk)",
        "assert isinstance(desk.answer[-1], ReleaseGranted)",
        'assert [fact.kind for fact in desk.facts] == ["ReleaseGranted"]',
    ],
)
def test_an_assertion_about_some_of_the_facts_is_found(assertion: str) -> None:
    assert list(loose(assertion)) == [1] and not list(loose("desk.then(fact)\nassert desk.deadlines() == ()"))
