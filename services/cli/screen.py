"""How is anything printed on an operator's terminal? Data is printed as it is: it is never read as markup, and no character of it controls
the terminal.

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
"""The most characters that are shown of one cell of a table; for the rest only their number is shown."""
WIDEST = 1_000_000
"""The width of an output that is not a terminal, in columns; no line is longer."""
SILENT_SECONDS = 2.0
"""An operation that takes longer shows its progress."""
LEAST_COLUMN = 12
"""The least width of a column of sentences, in characters."""
UNBROKEN = re.compile(r"[!-~]+")
"""A word that somebody may have to type: it is never broken over two lines. Chinese may be broken anywhere."""
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs. 输出 JSON")]
"""The option of every command that reads; what it prints goes through `Screen.tell`."""

Part = str | Text
"""A `str` is data, a `Text` has a style and was made by `styled`."""


def visible(data: str) -> str:
    """The data, with an escape for each character that controls a terminal or is invisible: control, bidi and surrogate characters and the
    like."""
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
"""Letters and marks that are invisible: two names that differ only in them would look the same."""


def text(argument: str) -> str:
    """An argument of the command line, decoded as messages are. Bytes that are not UTF-8 become replacement characters."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def styled(sentence: str, style: str) -> Text:
    """A sentence in a style. Its characters are made visible as those of data are."""
    return Text(visible(sentence), style)


class Table(RichTable):
    """A table whose headings and cells are data. `records`: its rows for programs, named by the English words of the headings."""

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
    """A console that breaks no line if it is not a terminal and no width was given, because broken lines in a file cannot be searched or
    copied."""

    @property
    def options(self) -> ConsoleOptions:
        known = super().options
        return known if self.is_terminal or self._width is not None else known.update(max_width=WIDEST)


class Screen:
    """A stream that a person reads."""

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
        """Whether the stream is a terminal."""
        return self._console.is_terminal

    def line(self, *parts: Part) -> None:
        """One line, whatever the parts hold: a line break in data is shown as an escape."""
        texts = [part if isinstance(part, Text) else Text(visible(part)) for part in parts]
        self._put(Text(" ").join(texts))

    def block(self, lines: str, style: str = "") -> None:
        """Prints one or several lines. Only line breaks in the text begin a new line; other control characters are shown as escapes."""
        for each in lines.split("\n"):
            self.line(styled(each, style))

    def table(self, table: Table) -> None:
        """Prints a table and breaks no word of a cell. If the columns have no room for that, each cell gets a line of its own. The terminal
        itself breaks such a line, so that it can be copied whole. A table without headings always keeps its columns. A table without rows is
        printed as a word, because an empty frame looks as if the answer were missing."""
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
        """As `block`, for a secret that is shown once. It is not written into the file that keeps the output."""
        self.block(lines, style)

    def _fits(self, table: Table) -> bool:
        """Whether every word has room on one line; sets the least widths of the columns accordingly."""
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
        """Prints what a command has read, for a person or for a program: each part is a table, a sentence, several sentences, or parts by
        name.

        As JSON it is one document, an object of the parts by their names; with `stream` it is on one line, because more will follow.
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
        """Shows the progress of an operation on a terminal, after it has taken `after` seconds. It yields the function to call with the
        number of items done since the last call. `total`: None if the number of all items is unknown. A terminal that was closed causes no
        error."""
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
    """A part in the form that is written as JSON."""
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
    """The screen of a process that goes on when its terminal is closed; all of its output is also written into the file `journal`."""

    journal: Path | None = None

    def _put(self, what: Text | Table) -> None:
        """Never raises, because neither a closed terminal nor a full disk is a reason to stop supervising."""
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
        """From now on writes nothing to the terminal, not even when Python flushes at its end; the file has the output."""
        self._console.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


screen = Screen()
errors = Screen(stderr=True)


def progress_below(what: str, total: int | None = None) -> AbstractContextManager[Advance]:
    """As `Screen.progress`, below the output of the command; on standard error if the output goes into a file."""
    return (screen if screen.is_terminal else errors).progress(what, total)
