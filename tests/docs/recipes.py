"""Which steps, changes of files and commands do the recipes of CONTRIBUTING.md have, and which check fails without a
step?

A step begins with its number and title in bold. A block in the language `diff` changes one file: after `+++` and the
path come lines as in a unified diff without line numbers. Lines `@@` divide a block into parts. In each part, the lines
that begin with a blank or a minus must stand in the file exactly once; a block without such lines makes a new file.
`make <target>` in a step is run. The checks follow `Held by`: test functions as pytest names them, or `lint-imports`.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.docs.lines import ROOT

_RECIPE = re.compile(r"^### (.+)\n((?:(?!##).*\n)*)", re.MULTILINE)
_STEP = re.compile(r"^\*\*(\d+)\. (.+?)\*\*((?:(?!\*\*\d+\. ).*\n)*)", re.MULTILINE)
_DIFF = re.compile(r"^```diff\n\+\+\+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"`make ([a-z-]+)`")
_CONTINUES = re.compile(r"continues the example of \*([^*]+)\*")
_HELD = re.compile(r"Held by (`[^`]+`(?:(?:,| and) `[^`]+`)*)")


class Stale(Exception):
    """A recipe does not fit the tree: a file does not contain the lines before a change exactly once, a new file is
    there already, or the Makefile lacks a target of the recipe."""


@dataclass(frozen=True)
class Change:
    """The change of one file. `parts`: pairs of the lines before and the lines after the change."""

    path: str
    parts: tuple[tuple[str, str], ...]

    def to(self, text: str) -> str:
        """The text of the file after the change. Raises Stale if the text does not contain the lines before the change
        exactly once, or if it is not empty and the change makes a new file."""
        if text and not all(before for before, _ in self.parts):
            raise Stale(f"{self.path} is there already, and lines that begin with a blank or a minus are missing")
        for before, after in self.parts:
            whole = f"\n{text}"
            found = len(re.findall(rf"(?<=\n){re.escape(before)}", whole)) if before else 1
            if found != 1:
                raise Stale(f"{self.path} has these lines {found} times:\n{before}")
            text = whole.replace(f"\n{before}", f"\n{after}")[1:] if before else text + after
        return text


@dataclass(frozen=True)
class Step:
    """One step of a recipe. `held`: the checks that fail if the step is left out."""

    title: str
    changes: tuple[Change, ...]
    targets: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """A recipe. `continues`: the title of the recipe that must be carried out before this one; empty if there is
    none."""

    title: str
    steps: tuple[Step, ...]
    continues: str = ""

    @property
    def checks(self) -> tuple[str, ...]:
        """Every check that a step names, without repetitions."""
        return tuple(dict.fromkeys(check for step in self.steps for check in step.held))


def recipes_of(page: str) -> dict[str, Recipe]:
    """Title → recipe, for the recipes of a page that have numbered steps."""
    found = [_recipe(section[1], section[2]) for section in _RECIPE.finditer(page)]
    return {recipe.title: recipe for recipe in found if recipe.steps}


def _recipe(title: str, text: str) -> Recipe:
    continued = _CONTINUES.search(" ".join(text.split()))
    return Recipe(title, tuple(map(_step, _STEP.finditer(text))), continued[1] if continued else "")


def _step(found: re.Match[str]) -> Step:
    text = found[3]
    prose = " ".join(re.sub(r"^```.*?^```$", "", found[2] + text, flags=re.MULTILINE | re.DOTALL).split())
    held = [name for group in _HELD.findall(prose) for name in re.findall(r"`([^`]+)`", group)]
    changes = tuple(Change(block[1], tuple(map(_part, _parts(block[2])))) for block in _DIFF.finditer(text))
    return Step(found[2].strip(), changes, tuple(_TARGET.findall(prose)), tuple(held))


def _parts(block: str) -> list[str]:
    return [part for part in re.split(r"^@@\n", block, flags=re.MULTILINE) if part]


def _part(lines: str) -> tuple[str, str]:
    each = [line or " " for line in lines.splitlines()]
    before = "".join(f"{line[1:]}\n" for line in each if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in each if line[0] in " +")
    return before, after


def modules_of(target: str) -> list[str]:
    """The Python modules that this target of the Makefile runs."""
    rule = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    if rule is None:
        raise Stale(f"the Makefile has no target {target}")
    commands = [shlex.split(line.strip().lstrip("@")) for line in rule[1].splitlines()]
    return [line[2] for line in commands if line[:2] == ["$(PY)", "-m"]]


def page() -> str:
    return Path(ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
