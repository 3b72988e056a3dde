"""Is everything that the command line prints for people written both in Chinese and in English?

The test reads the sources instead of running them, so that it also finds the sentence of an error that no other test
causes.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from services.cli import parked
from services.cli.main import app
from services.console.language.words import TEXTS

ROOT = Path(__file__).parents[2]
CLI = ROOT / "services" / "cli"
Dtg = Callable[..., tuple[int, str]]
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z]{2,}")
LATIN = re.compile(r"[A-Za-z]{3,}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAYS = {"line", "block", "secret", "styled", "progress", "progress_below", "Table", "_refuse"}
"""The functions that print their arguments. So even a single word among their arguments is a text for people."""
STOP_A_COMMAND = {
    *(
        "BrokerError",
        "CannotStart",
        "ClockOutOfRange",
        "ClockTooSlow",
        "InUse",
        "NewerDatabase",
        "NoAccess",
        "NoApiKey",
    ),
    *("NoDatabase", "NotDrawKeys", "NotGranted", "NotKorea", "NotLodged", "NotPrivate", "NotTold", "Spoiled"),
}
"""The classes of errors, of any service, that end a command. The command then prints only the text of the error."""
EVIDENCE = {"copies.py", "effects.py", "ledger.py", "mistakes.py"}
"""Files whose lines are evidence about single messages, in names as they are on the wire. `dtg audit` prints a few of
them below a table that counts the faults in both languages."""
WRITTEN = {"scraping.py"}
"""Files whose texts are written into the configuration of another program."""
NOT_FOR_PEOPLE = {
    "Declaration ID": "the name of a column of a data set",
    "dtg up": "who made an account, as the record of rights has it",
    "dtg parked list": "a command, as the record of readings has it",
    "model name": "a row of /proc/cpuinfo",
    "  waits for …": "a code in a column of codes, which programs read, too (`--json`)",
    "no service": "a part of a sentence that is in both languages",
    "the loop returns or raises": "a fault of the program, not of its user",
}


class SourceText(NamedTuple):
    """A text in a source: where it is, and its constant parts. `alone`: whether it is a text for people even if it is a
    single word."""

    where: str
    text: str
    alone: bool


def texts(file: Path) -> Iterator[SourceText]:
    """Yields the texts of a file, except its docstrings and the help of options, which another test reads as Typer
    shows them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    known, parts, alone = set[int](), set[int](), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            known.add(id(node.value))
        if isinstance(node, ast.keyword) and node.arg in ("help", "description"):
            known |= {id(each) for each in ast.walk(node.value)}
        if isinstance(node, ast.JoinedStr):
            parts |= {id(each) for each in node.values}
        if isinstance(node, ast.Call) and named(node.func) in SAYS:
            first = node.args if named(node.func) in ("line", "Table") else node.args[:1]
            alone |= {id(each) for each in first}
    for node in ast.walk(tree):
        if id(node) not in known | parts and (text := constant(node)):
            yield SourceText(f"{file.relative_to(ROOT)}:{node.lineno}", text, id(node) in alone)  # type: ignore[attr-defined]


def named(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def constant(node: ast.AST) -> str:
    """The text of a string, with `…` in place of each value that is filled in; an empty text if the node is no
    string."""
    if isinstance(node, ast.JoinedStr):
        return "".join([constant(each) or "…" for each in node.values])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def english_only(each: SourceText) -> bool:
    if CHINESE.search(each.text) or each.text in NOT_FOR_PEOPLE:
        return False
    return bool(SENTENCE.search(each.text) or (each.alone and LATIN.search(each.text)))


def test_nothing_that_the_command_line_says_is_in_english_only() -> None:
    files = [file for file in CLI.rglob("*.py") if file.name not in EVIDENCE | WRITTEN]
    found = [each for file in files for each in texts(file)]
    assert sum(1 for each in found if CHINESE.search(each.text)) > 150, "the texts are found"
    assert [f"{each.where}: {each.text}" for each in found if english_only(each)] == []


def test_no_error_of_another_service_that_ends_a_command_is_in_english_only() -> None:
    """An error that only passes on the text of another error has no constant text, so this test does not report it."""
    wrong, found = [], set()
    for file in [*(ROOT / "services").rglob("*.py"), *(ROOT / "deploy").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := named(node.func)) in STOP_A_COMMAND:
                text = " ".join([constant(each) for arg in node.args for each in ast.walk(arg)])
                found.add(name)
                if SENTENCE.search(text) and not CHINESE.search(text):
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {text}")
    assert found == STOP_A_COMMAND and wrong == []


@pytest.mark.parametrize("arguments", [("trace",), ("port", "ask"), ("no-such-command",), ("parked", "replay", "x")])
def test_a_command_that_was_typed_wrongly_is_told_so_in_chinese_too(dtg: Dtg, arguments: tuple[str, ...]) -> None:
    code, text = dtg(*arguments)
    assert code == 2 and "命令有误" in text, text


def test_the_help_of_each_command_and_option_is_in_both_languages() -> None:
    texts, begun = {}, [("dtg", typer.main.get_command(app))]
    while begun:
        name, command = begun.pop()
        texts[name] = command.help
        # Typer adds `--help` itself, with its own text
        texts |= {f"{name} {each.name}": getattr(each, "help", "") for each in command.params if each.name != "help"}
        begun += [(f"{name} {each}", inner) for each, inner in getattr(command, "commands", {}).items()]
    assert len(texts) > 100, "the commands and options are found"
    assert {name: text for name, text in texts.items() if not CHINESE.search(text or "")} == {}


def test_the_reason_why_a_message_is_parked_is_told_in_both_languages() -> None:
    for key in [name.removeprefix("park_reasons.") for name in TEXTS if name.startswith("park_reasons.")]:
        text = parked.in_words(key)
        assert CHINESE.search(text) and SENTENCE.search(text), (key, text)
    assert parked.in_words("of_a_newer_version") == "of_a_newer_version"
