"""How does anything get onto an operator's terminal? Data as it is: never as markup, and no character of it acts on the terminal.

Everything in `services/cli` prints through here; an import contract and `tests/architecture/test_screen.py` hold that.
"""

import contextlib
import json
import os
import unicodedata
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

LONGEST_CELL = 2_000
"""Characters of one cell of a table; the number of the others is shown."""
JOURNAL_WIDTH = 160

Part = str | Text
"""A `str` is data, a `Text` has a style and was made by `styled`."""


def visible(data: str) -> str:
    """The data, with an escape for each character that a terminal obeys or nobody sees: controls, bidi, surrogates and the like."""
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
"""Letters and marks that are not drawn: two names that differ in them only look the same."""


def text(argument: str) -> str:
    """An argument of the command line as messages are read: bytes that are no UTF-8 become replacement characters."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def styled(words: str, style: str) -> Text:
    """Words in a colour; what they quote is data, as everywhere."""
    return Text(visible(words), style)


class Table(RichTable):
    """A table whose headings and cells are data."""

    def __init__(self, *headings: str, **layout: Any) -> None:
        super().__init__(**layout)
        for heading in headings:
            self.add_column(Text(visible(heading)))

    def add_row(self, *cells: Any, **layout: Any) -> None:
        super().add_row(*[cell if isinstance(cell, Text) else Text(_cut(str(cell))) for cell in cells], **layout)


def _cut(data: str) -> str:
    more = len(data) - LONGEST_CELL
    return f"{visible(data[:LONGEST_CELL])} … (+{more:,})" if more > 0 else visible(data)


class Screen:
    """A stream that a person reads."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None, width: int | None = None) -> None:
        self._console = Console(stderr=stderr, file=file, width=width, highlight=False, markup=False, emoji=False)

    def line(self, *parts: Part) -> None:
        """One line, whatever the parts hold: a line break in data is shown as an escape."""
        texts = [part if isinstance(part, Text) else Text(visible(part)) for part in parts]
        self._put(Text(" ").join(texts))

    def block(self, lines: str, style: str = "") -> None:
        """As many lines as there are; everything else in them is data."""
        for each in lines.split("\n"):
            self.line(styled(each, style))

    def table(self, table: Table) -> None:
        """On a narrow terminal cells are broken over lines and nothing is cut; a table without headings has columns by its rows."""
        for column in table.columns:
            column.overflow = "fold"
        self._put(table)

    def secret(self, lines: str, style: str = "") -> None:
        """As `block`, for what is shown once: where a file keeps what is shown, this is not in it."""
        self.block(lines, style)

    def json(self, value: dict[str, str]) -> None:
        """One name a line."""
        self.block(json.dumps(value, ensure_ascii=False, indent=2))

    def _put(self, what: Text | Table) -> None:
        self._console.print(what, soft_wrap=isinstance(what, Text))


class LastingScreen(Screen):
    """The terminal of a process that goes on when the terminal is closed; all of it stands in a file too."""

    journal: Path | None = None

    def _put(self, what: Text | Table) -> None:
        """Never raises: neither a terminal that was closed nor a full disk is a reason to stop supervising."""
        with contextlib.suppress(OSError):  # the terminal has it
            if self.journal is not None:
                with self.journal.open("a", encoding="utf-8") as log:
                    Screen(file=log, width=JOURNAL_WIDTH)._put(what)
        try:
            super()._put(what)
        except (OSError, SystemExit):  # rich ends the program when its pipe is closed
            self._closed()

    def secret(self, lines: str, style: str = "") -> None:
        journal, self.journal = self.journal, None
        self.block(lines, style)
        self.journal = journal

    def _closed(self) -> None:
        """The file has it. From now on nothing goes to the terminal, neither now nor when Python flushes at its end."""
        self._console.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


screen = Screen()
errors = Screen(stderr=True)
