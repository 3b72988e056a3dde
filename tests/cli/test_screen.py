"""Is everything that is printed for a person shown as it is, and does no character of it act on the terminal?"""

import io
import unicodedata
from pathlib import Path

import pytest

from services.cli.screen import LONGEST_CELL, LastingScreen, Screen, Table, styled, text, visible


def printed(*parts: str, errors: str = "strict") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, "ascii", errors, newline="\n")
    Screen(file=file, width=80).line(*parts)
    file.flush()
    return raw.getvalue().decode("ascii")


def test_no_character_that_acts_or_is_not_seen_comes_through() -> None:
    acting = [
        c for c in map(chr, range(0x110000)) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    ]
    shown = visible("".join(acting))
    assert shown.isascii() and shown.isprintable() and shown.count("\\") == len(acting)


@pytest.mark.parametrize(
    "data", ["[/evil]", "[bold red]x[/]", "[link=http://x]", ":smiley:", "\\[x]", "{}", "%s", " a "]
)
def test_markup_is_data(data: str) -> None:
    assert printed(data) == f"{data}\n"


def test_signs_that_a_terminal_obeys_are_escapes() -> None:
    assert printed("\x1b[2J\x07\r\x00\x9b", "a\nb", "\u202e\ud800\U000e0041") == (
        "\\x1b[2J\\x07\\r\\x00\\x9b a\\nb \\u202e\\ud800\\U000e0041\n"
    )


def test_what_people_write_stays() -> None:
    for words in ("搁置 13件，重放。", "Zoë naïve", "港口\u3000一号", "🚢"):
        assert visible(words) == words


def test_our_colours_quote_data() -> None:
    assert styled("[/x]\x1b", "red").plain == "[/x]\\x1b"


def test_a_cell_is_data_and_says_what_was_cut() -> None:
    file = io.StringIO()
    table = Table("[/heading]", "long")
    table.add_row("[/evil]\n\x1b", "x" * (LONGEST_CELL + 7))
    Screen(file=file, width=200).table(table)
    assert "[/heading]" in file.getvalue() and "[/evil]\\n\\x1b" in file.getvalue() and "(+7)" in file.getvalue()


def test_a_narrow_terminal_breaks_what_does_not_fit_and_cuts_nothing() -> None:
    file = io.StringIO()
    table = Table("topic", "of")
    table.add_row("customs-declaration-requests", "LodgeDeclaration")
    Screen(file=file, width=24).table(table)
    left, right = zip(
        *[line.split("│")[1:3] for line in file.getvalue().splitlines() if line.startswith("│")], strict=True
    )
    shown = ["".join(cell.strip() for cell in cells) for cells in (left, right)]
    assert shown == ["customs-declaration-requests", "LodgeDeclaration"]


def test_an_argument_of_any_bytes_is_text() -> None:
    assert text("a\udcff") == "a�" and text("张三") == "张三"


def test_a_lasting_screen_outlives_its_terminal_and_keeps_the_rest_in_its_file(tmp_path: Path) -> None:
    screen = LastingScreen(file=io.StringIO())
    screen.journal = tmp_path / "up.log"
    screen.block("worker [/evil] ended\n\x1b[2J", "red")
    assert screen.journal.read_text() == "worker [/evil] ended\n\\x1b[2J\n"


def test_a_secret_stands_on_the_terminal_alone(tmp_path: Path) -> None:
    terminal = io.StringIO()
    screen = LastingScreen(file=terminal)
    screen.journal = tmp_path / "up.log"
    screen.line("before")
    screen.secret("One-time password: abcd", "yellow")
    screen.line("after")
    assert "abcd" in terminal.getvalue()
    assert screen.journal.read_text() == "before\nafter\n"
