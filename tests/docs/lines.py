"""Which command lines do the documents name? These are each line of a block of commands, and each command in a
sentence."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("", "bash", "sh", "shell", "console")
"""Languages of blocks whose lines are commands."""
OTHERS = ("text", "json", "python", "diff")
PROGRAMS = (
    *("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"),  # requests to the console, which the documents send with curl
    *("dtg", "make", "curl", "git", "sudo", "apt-get", "apt", "uv", "pip", "pip3", "pytest", "faust", "docker", "mvn"),
    *("python", "python3", "promtool", "psql", "sqlite3", "java", "bash", "sh", "timeout", "kill", "ulimit", "umask"),
    *("env", "export", "taskset", "pyenv", "systemctl", "journalctl", "cp", "mv", "rm", "cat", "ls", "cd", "tail"),
)
PROGRAM = re.compile(rf"(\w+=\S* +)*(\.?[\w./-]*/)?({'|'.join(PROGRAMS)}) +\S|[\w./-]+\.sh( |$)|\.ci/\S")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")


class Unreadable(Exception):
    """The page has a block in an unknown language, or a block that is indented or has no end."""


def pages() -> list[Path]:
    """The pages for people who use or change Datongguan. CHANGELOG.md is left out, because it names commands that were
    removed."""
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*named, *sorted((ROOT / "docs").rglob("*.md"))]


def lines_of(text: str) -> list[str]:
    """The commands of one page as they are written, without comments, in the order of the page."""
    found: list[tuple[int, str]] = []
    for fence in FENCE.finditer(text):
        if fence[1] in COMMANDS:
            found += [(fence.start(), line) for line in _commands(fence[2])]
        elif fence[1] not in OTHERS:
            raise Unreadable(f"a block of {fence[1]}: commands or not?")
    prose = FENCE.sub(lambda fence: " " * len(fence[0]), text)
    if "```" in prose:
        raise Unreadable("a block that is indented, or has no end")
    for span in SPAN.finditer(prose):
        line = " ".join(span[1].split())
        if PROGRAM.match(line):
            found += [(span.start(), each) for each in _each_way(line)]
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def _commands(block: str) -> list[str]:
    """The commands of a block. A line that ends in a backslash continues in the next one; text after ` # ` is a
    comment."""
    joined = re.sub(r"\\\n\s*", "", block).splitlines()
    return [text for line in joined if (text := re.sub(r"(^|\s+)#\s.*$", "", line).strip().removeprefix("$ "))]


def _each_way(span: str) -> list[str]:
    """The commands that a span in backquotes names: `dtg parked list | show` names two commands."""
    first, *others = span.split(" | ") if span.startswith("dtg ") else [span]
    before = first.rpartition(" ")[0]
    return [first, *[f"{before} {other}" for other in others]]


def named_lines() -> dict[str, str]:
    """Every command, in the order of the documents → the page that names it first."""
    found: dict[str, str] = {}
    for page in pages():
        for line in lines_of(page.read_text(encoding="utf-8")):
            found.setdefault(line, str(page.relative_to(ROOT)))
    return found
