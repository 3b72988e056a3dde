"""Does the tree pass its checks after each recipe of CONTRIBUTING.md, and does each check fail if the step that names
it is left out?"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.lines import ROOT
from tests.docs.recipes import Change, Recipe, Stale, Step, modules_of, page, recipes_of

RECIPES = recipes_of(page())
COPIED = (
    "schemas",
    "services",
    "tests",
    "docs",
    "deploy/__init__.py",
    "deploy/kafka",
    "pyproject.toml",
    ".env.example",
    "README.md",
    "CONTRIBUTING.md",
)
PYTEST = (
    *("pytest", "-q", "--assert=plain", "--tb=line", "-rfE", "--noconftest", "--continue-on-collection-errors"),
    *("-p", "pytest_asyncio.plugin", "-p", "pytest_timeout"),
)
"""Without conftest.py and without the plugins that are not needed, a run takes half as long. No check of a recipe needs
a broker, a console or a browser."""
BIN = Path(sys.executable).parent


class Runner:
    """The process that runs commands in a tree, each in a fork."""

    def __init__(self, folder: Path) -> None:
        bytecode = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
        env = {**os.environ, **bytecode, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [sys.executable, str(Path(__file__).with_name("forking.py"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def run(self, tree: Path, *arguments: str) -> tuple[int, str]:
        """Exit code and output of one command."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"tree": str(tree), "run": arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return int(answer["code"]), str(answer["text"])

    def stop(self) -> None:
        with self._process:
            # the end of the block closes the pipes and waits for the process
            pass
        assert self._process.returncode == 0


@dataclass
class Tree:
    """A copy of the tree. `written`: title of a step → the former contents of the files that its commands have changed;
    None for a new file."""

    folder: Path
    runner: Runner
    written: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    moment: int = 0

    def text(self, path: str) -> str:
        file = self.folder / path
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def put(self, path: str, content: bytes | None) -> None:
        """Writes a file, or removes it if `content` is None. The file gets a later time than each file
        that was written before, so that no old bytecode is used for it."""
        file = self.folder / path
        self.touched.add(path)
        if content is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.moment += 2
        at = file.stat().st_mtime + self.moment
        os.utime(file, (at, at))

    def reset(self) -> None:
        """Restores the tree as it was before any recipe."""
        for path in sorted(self.touched):
            self.put(path, (ROOT / path).read_bytes() if (ROOT / path).exists() else None)
        self.written.clear()

    def follow(self, recipe: Recipe) -> None:
        """Carries out every step."""
        for step in recipe.steps:
            for change in step.changes:
                self.put(change.path, change.to(self.text(change.path)).encode())
            if not step.targets:
                continue
            before = self._documents()
            for module in [module for target in step.targets for module in modules_of(target)]:
                code, output = self.runner.run(self.folder, "python", "-m", module)
                assert code == 0, output
            after = self._documents()
            self.written[step.title] = {path: before.get(path) for path in after if after[path] != before.get(path)}
            self.touched |= set(self.written[step.title])

    def without(self, recipe: Recipe, left_out: Step) -> dict[str, bytes | None]:
        """The files that are different if only this step is left out, with the contents that they then have."""
        files = dict(self.written.get(left_out.title, {}))
        others = [step for step in (*before_it(recipe), *recipe.steps) if step is not left_out]
        for path in {change.path for change in left_out.changes}:
            changes = [change for step in others for change in step.changes if change.path == path]
            there = (ROOT / path).exists()
            text = (ROOT / path).read_text(encoding="utf-8") if there else ""
            for change in changes:
                text = change.to(text)
            files[path] = text.encode() if there or changes else None
        return files

    def failing(self, checks: tuple[str, ...]) -> dict[str, str]:
        """The checks that fail in the tree, with their output."""
        imports = [check for check in checks if check == "lint-imports"]
        tests = [check for check in checks if check not in imports]
        found = dict[str, str]()
        if imports:
            code, output = self.runner.run(self.folder, *imports)
            found |= {"lint-imports": output} if code else {}
        if tests:
            code, output = self.runner.run(self.folder, *PYTEST, *tests)
            names = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
            bad = [
                test
                for test in tests
                if any(
                    f"{name}[".startswith((f"{test}[", f"{test}::")) or test.startswith(f"{name}::") for name in names
                )
            ]
            assert bool(bad) is (code != 0), output
            found |= dict.fromkeys(bad, output)
        return found

    def _documents(self) -> dict[str, bytes]:
        folders = (self.folder / "schemas", self.folder / "services" / "console")
        found = [self.folder / ".env.example", *[file for folder in folders for file in folder.rglob("*.json")]]
        return {file.relative_to(self.folder).as_posix(): file.read_bytes() for file in found}


def before_it(recipe: Recipe) -> tuple[Step, ...]:
    """The steps of the recipe that this one continues; none if it continues none."""
    return RECIPES[recipe.continues].steps if recipe.continues else ()


def copy_of_the_tree(folder: Path) -> Path:
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "jars", "target")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    made = Runner(tmp_path_factory.mktemp("runner"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tree(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """One tree for all recipes, so that its modules are compiled once."""
    return Tree(copy_of_the_tree(tmp_path_factory.mktemp("tree")), runner)


@pytest.fixture(scope="module", params=RECIPES)
def followed(request: pytest.FixtureRequest, tree: Tree) -> Iterator[tuple[Recipe, Tree]]:
    """A recipe, and the tree after the recipe was carried out."""
    recipe = RECIPES[request.param]
    if recipe.continues:
        tree.follow(RECIPES[recipe.continues])
    tree.follow(recipe)
    yield recipe, tree
    tree.reset()


def test_a_tree_in_which_the_recipe_was_followed_passes_its_checks(followed: tuple[Recipe, Tree]) -> None:
    recipe, tree = followed
    assert tree.failing(recipe.checks) == {}


def test_the_examples_are_written_as_the_linter_wants_them(followed: tuple[Recipe, Tree]) -> None:
    recipe, tree = followed
    files = sorted({change.path for step in recipe.steps for change in step.changes if change.path.endswith(".py")})
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [BIN / "ruff", *command, *files], cwd=tree.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_check_of_a_step_fails_when_the_step_is_left_out(followed: tuple[Recipe, Tree]) -> None:
    recipe, tree = followed
    unseen = list[str]()
    for step in recipe.steps:
        files = tree.without(recipe, step) if step.held else {}
        whole = {path: (tree.folder / path).read_bytes() for path in files}
        for path, content in files.items():
            tree.put(path, content)
        failing = tree.failing(step.held)
        unseen += [f"{step.title}: {check}" for check in step.held if check not in failing]
        for path, content in whole.items():
            tree.put(path, content)
    assert unseen == [], "these checks pass although the step is left out"


@pytest.mark.parametrize("followed", ["A new fact"], indirect=True)
def test_a_fact_without_its_marks_is_found(followed: tuple[Recipe, Tree]) -> None:
    recipe, tree = followed
    [first, *_] = recipe.steps
    [change] = first.changes
    whole = (tree.folder / change.path).read_text(encoding="utf-8")
    before, after = whole.split("class InspectionEscalated", 1)
    bare = after.replace("control: Annotated[ControlKind, TO_DECLARANT]\n    due", "control: ControlKind\n    due", 1)
    assert bare != after
    tree.put(change.path, f"{before}class InspectionEscalated{bare}".encode())
    [marks] = [check for check in first.held if "test_outside" in check]
    assert "InspectionEscalated" in tree.failing((marks,))[marks]
    tree.put(change.path, whole.encode())


def test_each_kind_of_thing_that_is_added_often_has_a_recipe() -> None:
    assert list(RECIPES) == [
        "A new fact",
        "A new request",
        "A new rule",
        "A new table of the read model",
        "A new page",
        "A new desk",
    ]
    for recipe in RECIPES.values():
        assert all(step.changes or step.targets for step in recipe.steps), recipe.title
        assert sum([bool(step.held) for step in recipe.steps]) >= len(recipe.steps) - 1, recipe.title


def test_an_example_that_no_longer_fits_is_found() -> None:
    change, new = Change("a.py", (("old\n", "old\nnew\n"),)), Change("b.py", (("", "new\n"),))
    with pytest.raises(Stale, match=r"b\.py is there already"):
        new.to("old\n")
    assert change.to("x\nold\n") == "x\nold\nnew\n" and new.to("") == "new\n"
    for text in ("x\nolder\n", "old\nold\n"):
        with pytest.raises(Stale, match=r"a\.py"):
            change.to(text)
