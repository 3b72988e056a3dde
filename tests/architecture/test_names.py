"""Do names say what a thing is? In older versions, each word of SAY_NOTHING stood for up to ten different things, and
some class names were used twice."""

import ast
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.openapi import FILE as OPENAPI
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
SAY_NOTHING = frozenset({"said", "asked", "heard", "seen", "told", "word", "words", "place", "places"})
"""Names that say nothing; a name is compared with them in lower case and without underscores at its ends."""
VIEWS = "services/console/api/views.py"
"""The file whose class names are in openapi.json, from which others generate clients."""
FOLDERS = ("deploy", "schemas", "services", "tests")
NAMES_FOR_OTHERS = {
    # fields of messages, as they are published
    "schemas/declaration.py": {"Finding.seen"},
    "schemas/gate.py": {
        *("ContainerArrived.place", "EquipmentEventRecorded.place", "RecordEquipmentEvent.place", "VisitOpened.place"),
    },
    "schemas/quarantine.py": {"Reading.place"},
    "schemas/release.py": {"ArrivalRecorded.place", "ReportArrival.place"},
    "schemas/risk.py": {"FiredRule.seen"},
    # names of values in phrases; these names are published together with the values
    "schemas/phrases.py": {"Values.asked", "Values.place", "Values.seen", "Values.told", "Values.words"},
    # fields of records of the desks, stored on their state topics
    "services/gate/box.py": {"Report.heard", "Report.place"},
    "services/quarantine/needs.py": {"Need.said"},
    "services/release/goods.py": {"Case.told"},
    # fields of the API
    "services/console/api/problems.py": {"FieldError.seen"},
    VIEWS: {"FindingView.seen", "ReportView.place", "VisitView.place"},
    # a method that programs of ports implement
    "services/ports/notice.py": {"Handler.heard"},
    "tests/console/test_long_lists.py": {"Gate.heard"},
    "tests/ports/gatehouse.py": {"Gatehouse.heard"},
    "tests/ports/test_port.py": {"test_an_effect_that_raises_is_undone_and_comes_again.Jammed.heard"},
    "services/cli/port.py": {"_Silence.heard", "_Screen.heard"},
    # columns of the read model's tables
    "tests/console/test_documents.py": {"Row.place"},
    "services/console/readmodel/consignment.py": {
        *("Consignment.word", "_held.word", "_granted.word", "_revoked.word", "_refused.word"),
        *("_refusal_revoked.word", "_withdrawn.word"),
    },
    "services/console/readmodel/container.py": {
        *("Container.word", "Container.place", "ContainerPart.word", "ReportRow.place", "_state.word", "_opened.place"),
        *("_inside.word", "_closed.word", "_taken_back.word", "_taken_back.place", "tell_part.word"),
    },
    "services/console/readmodel/gate_answer.py": {"GoodsState.word"},
}
"""File → names in it that say nothing but cannot be renamed, because stored or published data, or programs of
others, use them."""


def made(node: ast.AST) -> Iterator[str]:
    """The names that this node of a syntax tree itself defines, without those that its child nodes define."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            pass


def empty_names(source: str) -> list[str]:
    """The names in a source that say nothing. Each is written after the classes and functions that contain it, for
    example `Class.method.name`."""
    found: list[str] = []

    def visit(node: ast.AST, scope: str) -> None:
        found.extend(f"{scope}{name}" for name in made(node) if name.strip("_").lower() in SAY_NOTHING)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = f"{scope}{node.name}."
        for child in ast.iter_child_nodes(node):
            visit(child, scope)

    visit(tree_of(source), "")
    return found


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Path and text of each Python file in these folders."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_says_nothing(folder: str) -> None:
    found = {path: set(empty_names(source)) for path, source in sources(folder)}
    assert found, "the folder was moved"
    allowed = {path: names for path, names in NAMES_FOR_OTHERS.items() if path.startswith(f"{folder}/")}
    assert {path: names for path, names in found.items() if names} == allowed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("told = 1", "told"),
        ("def f(seen: int) -> None: ...", "f.seen"),
        ("def f(*words: str, place: int = 0) -> None: ...", "f.words"),
        ("class Said: ...", "Said"),
        ("class A:\n    place: int", "A.place"),
        ("class A:\n    async def _asked(self) -> None: ...", "A._asked"),
        ("class A:\n    def f(self) -> None:\n        self._places = 1", "A.f._places"),
        ("if heard := 1: ...", "heard"),
        ("[1 for word in 'x']", "word"),
        ("import json as words", "words"),
        ("match 1:\n    case int() as told: ...", "told"),
        ("WORDS = 1", "WORDS"),
    ],
)
def test_a_name_that_says_nothing_is_found_wherever_it_is_made(source: str, name: str) -> None:
    assert name in empty_names(source)


@pytest.mark.parametrize("source", ["f(row.place, seen=1)", "replaces = asked_at = placed_by = 1"])
def test_a_name_that_is_used_or_is_part_of_a_longer_one_is_none(source: str) -> None:
    assert not empty_names(source)


def classes(*folders: str) -> list[tuple[str, ast.ClassDef]]:
    """Path and definition of each class in these folders."""
    trees = [(path, tree_of(source)) for path, source in sources(*folders)]
    return [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def named_as_stored(node: ast.ClassDef) -> bool:
    """Whether the class is a state whose name is stored in the records, as the name of `Withdrawn` is by its field
    `state: Literal["withdrawn"]`."""
    fields = {ast.unparse(field) for field in node.body if isinstance(field, ast.AnnAssign)}
    return any(field.startswith(f"state: Literal['{node.name.lower()}']") for field in fields)


def test_no_class_has_the_name_of_another_one() -> None:
    published = json.loads(OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"].keys()
    everywhere = classes("deploy", "schemas", "services")
    given = Counter([node.name for _, node in everywhere])
    twins = [(path, node) for path, node in everywhere if given[node.name] > 1 and not named_as_stored(node)]
    assert not [(path, node.name) for path, node in twins if not (path == VIEWS and node.name in published)]


def test_a_state_is_named_as_it_is_stored_or_is_not() -> None:
    [stored, other, none] = [node for node in tree_of(STATES).body if isinstance(node, ast.ClassDef)]
    assert [named_as_stored(node) for node in (stored, other, none)] == [True, False, False]


STATES = """
class Quiet: state: Literal["quiet"] = "quiet"
class Held: state: Literal["released"] = "released"
class Watch: reason: str
"""
