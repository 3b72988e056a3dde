"""Is everything in the code used? A function, class, constant or package that is used only by tests, or not at all,
misleads a reader."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
SOURCES = {
    file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): tree_of(
        file.read_text(encoding="utf-8")
    )
    for folder in ("deploy", "schemas", "services")
    for file in sorted((ROOT / folder).rglob("*.py"))
}
"""The syntax tree of each module, by its name."""
BY_NAME = re.compile(
    # the shell reads these names of a module as those of a `services.shell.desk.Decider`
    r"services\.\w+\.(decider|timeline)\.(INITIAL|STATE|decide|evolve|deadlines|closed)"
    r"|services\.clearance\.metrics\.OpenConsignments"  # services.worker imports this module if a desk needs it
    r"|services\.console\.readmodel\.migrations\..+"  # Alembic loads them
    r"|.+\.__\w+__"
)
"""What the program or a library looks up by its name at run time, so that no import shows the use."""
OFFERED = {
    "schemas.single_window.item_of": "promised to programs that have a form's lines; a test shows that nothing of a line is lost",
    "schemas.single_window.elements_of": "the way back",
}
"""What programs of others may use, each with the reason."""
TAKEN_WHERE_IT_IS_THERE = {"crc32c": "kafka-python", "httptools": "uvicorn", "uvloop": "uvicorn"}
"""Packages that the project does not import → the package that uses them."""


def named(node: ast.stmt) -> list[str]:
    """The names that a statement of a module defines, without those of decorated functions, because a decorator may
    register them."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [] if node.decorator_list else [node.name]
        case ast.ClassDef():
            return [node.name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def read_in(node: ast.AST) -> set[str]:
    """The names that this node reads, also those in annotations that are written as texts."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return names.union(*[re.findall(r"\w+", text) for text in texts if re.fullmatch(r'[\w."\[\], |]+', text)])


def taken_by(tree: ast.AST) -> Iterator[str]:
    """What a module imports from other modules, as `module.name`."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"


def unused(sources: dict[str, ast.Module]) -> list[str]:
    """`module.name` of everything that no other module imports and that its own module does not read."""
    taken = {each for tree in sources.values() for each in taken_by(tree)}
    found: list[str] = []
    for module, tree in sources.items():
        read = [read_in(node) for node in tree.body]
        for index, node in enumerate(tree.body):
            elsewhere = set[str]().union(*read[:index], *read[index + 1 :])
            found += [f"{module}.{name}" for name in named(node) if name not in elsewhere]
    return [each for each in found if each not in taken]


def test_everything_is_used_by_more_than_tests() -> None:
    assert [each for each in unused(SOURCES) if not BY_NAME.fullmatch(each)] == list(OFFERED)


def test_what_nobody_uses_is_found() -> None:
    one = tree_of(
        "def f() -> None: f()\nX = 1\n@route\ndef page() -> None: ...\nclass A: ...\ndef g() -> 'A': return X"
    )
    assert unused({"one": one, "two": tree_of("from one import g")}) == ["one.f"]
    assert unused({"one": one, "two": tree_of("import one")}) == ["one.f", "one.g"]


def test_every_package_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[>=<]", each)[0] for each in project["dependencies"]}
    owners = packages_distributions()
    roots = {
        (node.module or "").partition(".")[0]
        if isinstance(node, ast.ImportFrom)
        else node.names[0].name.partition(".")[0]
        for tree in SOURCES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    imported = {re.sub(r"[-_.]+", "-", owner).lower() for root in roots for owner in owners.get(root, ())}
    assert wanted - imported == set(TAKEN_WHERE_IT_IS_THERE)
