"""How is anything printed on an operator's terminal? Data is never interpreted as markup, and none of its characters controls the terminal.

Everything in `services/cli` prints through this file; an import contract and `tests/architecture/test_screen.py` check that.
"""

import contextlib
import json
import os
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from services.shell.advance import Advance
from services.shell.clock import stopwatch

LONGEST_CELL = 2_000
"""The most characters of a table cell that are shown. If a cell is longer, the number of the characters that are left out is shown."""
WIDEST = 1_000_000
"""The width in columns of an output that is not a terminal. It is so large that no line is broken."""
SILENT_SECONDS = 2.0
"""Seconds after which an operation shows its progress."""
LEAST_COLUMN = 12
"""The least width of a column of sentences, in characters."""
UNBROKEN = re.compile(r"[!-~]+")
"""Matches a word that an operator may have to type. A table avoids breaking such a word over two lines. Chinese text
may be broken anywhere."""
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs. 输出 JSON")]
"""The option `--json` of every command that reads. Such a command prints through `Screen.tell`."""

Part = str | Text
"""A part of a line: data (`str`), or a sentence with a style that `styled` returned (`Text`)."""


def visible(data: str) -> str:
    """Returns the data with an escape in place of each character that is invisible or controls a terminal, for example control characters,
    bidi characters and surrogates."""
    if data.isascii() and data.isprintable():
        return data
    return "".join([_escape(c) if unicodedata.category(c) in _CATEGORIES or c in _UNSEEN else c for c in data])


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_IGNORABLE = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
)
_UNSEEN = frozenset(chr(number) for first, last in _IGNORABLE for number in range(first, last + 1))
"""Letters and marks that are invisible. Two names that differ only in them would look the same."""


def text(argument: str) -> str:
    """Returns an argument of the command line, decoded in the same way as messages. Bytes that are not UTF-8 become replacement
    characters."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def styled(sentence: str, style: str) -> Text:
    """Returns a sentence with a style. Control characters and invisible characters in it become escapes, as in data."""
    return Text(visible(sentence), style)


class Table(RichTable):
    """A table whose headings and cells are data. `records`: its rows for programs; the fields are named by the English words of the
    headings."""

    def __init__(self, *headings: str, **layout: Any) -> None:
        super().__init__(**layout)
        self.headings = headings
        self.names = [_name(heading) for heading in headings]
        self.records: list[dict[str, Any]] = []
        for heading in headings:
            self.add_column(Text(visible(heading)))

    def add_row(self, *cells: Any, **layout: Any) -> None:
        self.records.append(
            {
                name: cell.plain if isinstance(cell, Text) else cell
                for name, cell in zip(self.names, cells, strict=False)
            }
        )
        super().add_row(*[cell if isinstance(cell, Text) else Text(_cut(_shown(cell))) for cell in cells], **layout)


def _name(heading: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", heading.lower()))


def _shown(cell: Any) -> str:
    if isinstance(cell, list | tuple):
        return ", ".join(map(str, cell))
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def _cut(data: str) -> str:
    more = len(data) - LONGEST_CELL
    return f"{visible(data[:LONGEST_CELL])} … (+{more:,})" if more > 0 else visible(data)


class _Stream(Console):
    """A console of rich that breaks lines only for a terminal or if a width was given. Broken lines in a file could not
    be searched or copied."""

    @property
    def options(self) -> ConsoleOptions:
        known = super().options
        return known if self.is_terminal or self._width is not None else known.update(max_width=WIDEST)


class Screen:
    """Prints to a stream that a person reads."""

    def __init__(
        self,
        *,
        stderr: bool = False,
        file: IO[str] | None = None,
        width: int | None = None,
        terminal: bool | None = None,
    ) -> None:
        self._console = _Stream(
            stderr=stderr,
            file=file,
            width=width,
            force_terminal=terminal,
            highlight=False,
            markup=False,
            emoji=False,
        )

    @property
    def is_terminal(self) -> bool:
        """Returns whether the stream is a terminal."""
        return self._console.is_terminal

    def line(self, *parts: Part) -> None:
        """Prints the parts on one line, separated by blanks. A line break in data is printed as an escape, so the output is always one
        line."""
        texts = [part if isinstance(part, Text) else Text(visible(part)) for part in parts]
        self._put(Text(" ").join(texts))

    def block(self, lines: str, style: str = "") -> None:
        """Prints one or several lines. Only line breaks in the text begin a new line; other control characters are shown as escapes."""
        for each in lines.split("\n"):
            self.line(styled(each, style))

    def table(self, table: Table) -> None:
        """Prints a table. No word of a cell is broken. If the columns are too narrow for their words, each cell is printed on a line of
        its own. The terminal itself breaks such a line, so a cell can be copied whole. A table that has a column without a heading always
        keeps its columns, even if a word must be broken. For a table without rows, a word is printed, because an empty
        frame would look as if the answer were missing."""
        if not table.row_count:
            self.line("none 无")
            return
        if self._fits(table):
            self._put(table)
            return
        for row in zip(*[column.cells for column in table.columns], strict=True):
            for number, cell in enumerate(row):
                self.line("  " if number else "", f"{visible(table.headings[number])}:", cell)
            self.line("")

    def secret(self, lines: str, style: str = "") -> None:
        """Prints the lines like `block`, for a secret that is shown once. A screen with a journal (`LastingScreen`)
        does not write the secret into the journal."""
        self.block(lines, style)

    def _fits(self, table: Table) -> bool:
        """Returns whether the table keeps its columns: every word has room on one line, or a column has no heading.
        Sets the least widths of the columns."""
        room = self._console.options.max_width - 3 * len(table.columns) - 1
        for number, column in enumerate(table.columns):
            cells = [str(cell) for cell in (*column.cells, column.header)]
            longest = max([cell_len(part) for cell in cells for part in UNBROKEN.findall(cell)], default=0)
            whole = max([cell_len(cell) for cell in cells], default=0)
            column.overflow = "fold"
            column.min_width = min(whole, max(longest, LEAST_COLUMN))
            room -= column.min_width
            if number >= len(table.headings):  # a column without a heading cannot be printed as `heading: cell`
                column.min_width = None
        return room >= 0 or len(table.headings) < len(table.columns)

    def tell(self, as_json: bool, /, *, stream: bool = False, **parts: Any) -> None:
        """Prints the result of a command for a person, or, with `as_json`, for a program. `parts`: name → a table, a sentence, several
        sentences, or further parts by name.

        As JSON, the result is one object with the names and parts. With `stream` the object is on one line, because further objects will
        follow.
        """
        if as_json:
            written = json.dumps(_plain(parts), ensure_ascii=False, indent=None if stream else 2, default=str)
            for each in written.split("\n"):
                self._put(Text("".join([c if visible(c) == c else json.dumps(c)[1:-1] for c in each])))
            return
        for part in parts.values():
            self._tell(part)

    def _tell(self, part: Any) -> None:
        if isinstance(part, Table):
            self.table(part)
        elif isinstance(part, Mapping):
            for name, each in part.items():
                self.line(styled(str(name), "bold"))
                self._tell(each)
        elif isinstance(part, str | Text):
            self.line(part)
        else:
            for each in part or ():
                self._tell(each)

    @contextlib.contextmanager
    def progress(self, what: str, total: int | None = None, after: float = SILENT_SECONDS) -> Iterator[Advance]:
        """Shows the progress of an operation on a terminal, if the operation takes longer than `after` seconds. Yields a function to call
        with the number of items done since its last call. `total`: the number of all items, None if it is unknown. If the terminal was
        closed, no error is raised."""
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        task, began = bar.add_task(visible(what), total=total), stopwatch()
        over, one_at_a_time = threading.Event(), threading.Lock()

        def show() -> None:
            with one_at_a_time, contextlib.suppress(OSError):
                if not over.is_set() and not bar.live.is_started:
                    bar.start()

        def advance(done: int) -> None:
            bar.advance(task, done)
            if self.is_terminal and not bar.live.is_started and stopwatch() - began >= after:
                show()

        timer = threading.Timer(after, show)
        timer.daemon = True
        if self.is_terminal:
            timer.start()
        try:
            yield advance
        finally:
            timer.cancel()
            over.set()
            with one_at_a_time, contextlib.suppress(OSError):
                if bar.live.is_started:
                    bar.stop()

    def _put(self, what: Text | Table) -> None:
        self._console.print(what, soft_wrap=isinstance(what, Text), crop=False)


def _plain(part: Any) -> Any:
    """Returns a part in the form in which it is written as JSON."""
    if isinstance(part, Table):
        return part.records
    if isinstance(part, Text):
        return part.plain
    if isinstance(part, Mapping):
        return {str(name): _plain(each) for name, each in part.items()}
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [_plain(each) for each in part]
    return part


class LastingScreen(Screen):
    """The screen of a process that goes on when its terminal is closed. All of its output, except secrets, is also written into the file
    `journal`."""

    journal: Path | None = None

    def _put(self, what: Text | Table) -> None:
        """Prints to the terminal and to the file. Does not raise an exception if the terminal is closed or the disk is
        full, because the process must go on supervising in both cases."""
        with contextlib.suppress(OSError):  # the terminal shows the line even if the file cannot be written
            if self.journal is not None:
                with self.journal.open("a", encoding="utf-8") as log:
                    Screen(file=log)._put(what)
        try:
            super()._put(what)
        except (OSError, SystemExit):  # rich ends the program when its pipe is closed
            self._closed()

    def secret(self, lines: str, style: str = "") -> None:
        journal, self.journal = self.journal, None
        self.block(lines, style)
        self.journal = journal

    def _closed(self) -> None:
        """Ensures that nothing more is written to the terminal, not even when Python flushes its streams at exit. The file still gets the
        output."""
        self._console.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


screen = Screen()
errors = Screen(stderr=True)


def progress_below(what: str, total: int | None = None) -> AbstractContextManager[Advance]:
    """Shows progress like `Screen.progress`, below the output of the command. If the output goes into a file, the progress is shown on
    standard error."""
    return (screen if screen.is_terminal else errors).progress(what, total)
