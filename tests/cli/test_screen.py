"""Is every text printed as it is, without any character that controls the terminal?"""

import io
import json
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

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
    for line in ("搁置 13件，重放。", "Zoë naïve", "港口\u3000一号", "🚢"):
        assert visible(line) == line


def test_our_colours_quote_data() -> None:
    assert styled("[/x]\x1b", "red").plain == "[/x]\\x1b"


def test_a_cell_is_data_and_says_what_was_cut() -> None:
    file = io.StringIO()
    table = Table("[/heading]", "long")
    table.add_row("[/evil]\n\x1b", "x" * (LONGEST_CELL + 7))
    Screen(file=file, width=200).table(table)
    assert "[/heading]" in file.getvalue() and "[/evil]\\n\\x1b" in file.getvalue() and "(+7)" in file.getvalue()


NAME = "release:customs-release-requests/0/1234567"
DIGEST = "969933d5-ca49-5369-8778-4408be916a00"


@pytest.mark.parametrize("width", [20, 40, 80, 81, 95, 110, 160])
def test_no_word_that_somebody_may_have_to_type_is_broken_or_cut(width: int) -> None:
    file = io.StringIO()
    table = Table("message 消息", "key 键", "reason 原因", "error 详情", "since 自")
    table.add_row(
        NAME, DIGEST, "contract", "a sentence that may be broken wherever there is a blank " * 3, "2026-11-25"
    )
    table.add_row(NAME, DIGEST, "contract", "说" * 99, 7_654_321)
    Screen(file=file, width=width).table(table)
    shown = file.getvalue()
    assert shown.count(NAME) == shown.count(DIGEST) == 2 and "7,654,321" in shown and "…" not in shown
    assert max(map(cell_len, shown.splitlines())) <= width or "│" not in shown


def test_a_wide_terminal_shows_a_table_and_a_narrow_one_lines() -> None:
    shown = {}
    for width in (40, 200):
        file = io.StringIO()
        table = Table("message 消息", "key 键")
        table.add_row(NAME, "x")
        Screen(file=file, width=width).table(table)
        shown[width] = file.getvalue()
    assert "│" in shown[200] and shown[40].splitlines()[0].split() == ["message", "消息:", NAME]


PATH = "prometheus --config.file=/home/somebody/a folder with blanks/another one/.datongguan-demo/prometheus.yml"


@pytest.fixture
def unknown_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes COLUMNS and LINES, which pytest-xdist sets in its workers."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.usefixtures("unknown_width")
def test_a_file_has_whole_lines_and_a_terminal_its_own_width(tmp_path: Path) -> None:
    """In an older version, if `make run` wrote into a file, the addresses in its output were broken at 80 columns."""

    def table() -> Table:
        made = Table(show_header=False, box=None, pad_edge=False)
        made.add_row("Prometheus", PATH)
        return made

    file, terminal = io.StringIO(), io.StringIO()
    Screen(file=file).table(table())
    Screen(file=file).line(PATH)
    assert [line.rstrip() for line in file.getvalue().splitlines()] == [f"Prometheus  {PATH}", PATH]
    shown = Screen(file=terminal, terminal=True)
    shown._console._environ = {"COLUMNS": "80", "TERM": "xterm"}
    shown.table(table())
    assert len(terminal.getvalue().splitlines()) == 2
    lasting = LastingScreen(file=io.StringIO())
    lasting.journal = tmp_path / "up.log"
    lasting.table(table())
    assert f"Prometheus  {PATH}" in lasting.journal.read_text()


@pytest.mark.usefixtures("unknown_width")
def test_a_table_in_a_file_has_a_row_on_a_line() -> None:
    file, table = io.StringIO(), Table("message 消息", "error 详情")
    table.add_row(NAME, "a sentence " * 50)
    Screen(file=file).table(table)
    assert len([line for line in file.getvalue().splitlines() if "sentence" in line]) == 1


def test_programs_get_the_same_as_json_whatever_the_width() -> None:
    file = io.StringIO()
    table = Table("message 消息", "came out again 复核一致", "key 键")
    table.add_row(NAME, 1234, styled("a\x1b\u202e\ud800", "red"))
    Screen(file=file, width=20).tell(
        True, parked=table, note="完 done", lines=["a", styled("b", "red")], more={"x": table}
    )
    output = json.loads(file.getvalue())
    assert output["parked"] == [{"message": NAME, "came_out_again": 1234, "key": "a\\x1b\\u202e\\ud800"}]
    assert output["note"] == "完 done" and output["lines"] == ["a", "b"] and output["more"]["x"] == output["parked"]


def test_json_has_no_character_that_acts_on_a_terminal() -> None:
    file, data = io.StringIO(), "\x1b[2J\x9b\u202e\u2028\ud800\U000e0041大"
    Screen(file=file).tell(True, stream=True, words=data)
    assert visible(file.getvalue().removesuffix("\n")) == file.getvalue().removesuffix("\n")
    assert json.loads(file.getvalue()) == {"words": data} and file.getvalue().count("\n") == 1


def test_a_person_is_told_the_parts_in_their_order() -> None:
    file = io.StringIO()
    Screen(file=file).tell(False, first="one", others=["two", "three"], named={"four": ["five"]}, none=None)
    assert file.getvalue().split() == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize(("terminal", "after", "shown"), [(True, 0.0, True), (True, 60.0, False), (False, 0.0, False)])
def test_what_lasts_shows_how_far_it_is_on_a_terminal(terminal: bool, after: float, shown: bool) -> None:
    file = io.StringIO()
    with Screen(file=file, terminal=terminal, width=80).progress("reading [/x]", 3, after=after) as advance:
        advance(1)
        advance(2)
    assert ("reading [/x]" in file.getvalue()) is shown and ("3/3" in file.getvalue()) is shown
    assert shown or file.getvalue() == ""


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


def test_a_table_without_rows_is_told_by_a_word_and_to_programs_as_an_empty_list() -> None:
    raw = io.StringIO()
    screen = Screen(file=raw, width=80)
    screen.tell(False, parked=Table("message 消息", "key 键"))
    assert raw.getvalue() == "none 无\n"
    screen.tell(True, parked=Table("message 消息", "key 键"))
    assert '"parked": []' in raw.getvalue()
