"""Which sentences do the desks write into their facts? They are found in the sources: texts of several English words
that are neither a docstring, nor the message of an exception, nor a row of a table in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.sources import tree_of

ROOT = Path(__file__).parents[2]
DESKS = ("declaration", "risk", "inspection", "quarantine", "release", "gate")
ELSEWHERE = ("services/shell/handler.py",)
"""Files outside the desks that write facts for all of them."""
LETTERS = re.compile(r"[a-z]{2,}")
BLANK = "{}"


def templates() -> dict[str, str]:
    """Sentence, with `{}` for each value → file and line."""
    files = [file for desk in DESKS for file in sorted((ROOT / "services" / desk).glob("*.py"))]
    files += [ROOT / name for name in ELSEWHERE]
    found: dict[str, str] = {}
    for file in files:
        for node, text in _texts(tree_of(file.read_text(encoding="utf-8"))):
            found.setdefault(text, f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def _texts(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Call) and _name(child.func) in OUT_OF_FACTS:
            continue
        if isinstance(child, ast.JoinedStr):
            text = "".join([str(each.value) if isinstance(each, ast.Constant) else BLANK for each in child.values])
            if len(LETTERS.findall(text)) >= 2 and " " in text:
                yield child, text
            for part in child.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            if len(LETTERS.findall(child.value)) >= 2 and " " in child.value:
                yield child, child.value
        else:
            yield from _texts(child)


OUT_OF_FACTS = frozenset({"Counter", "Gauge", "Histogram", "Rule", "Row", "Field", "Trouble", "TooLarge"})
"""Calls whose texts do not get into a fact: metrics, rules and schedules (their words are in tables), and reasons of
parking."""


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
