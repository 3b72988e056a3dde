"""How does a terminal without Kafka get releases and revocations? It reads the HTTP feed by cursor and long poll, and
stores them in a notebook, as the client of the topics does."""

import json
import re
import sqlite3
from types import TracebackType
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError

from schemas.bounds import LARGEST_INTEGER
from schemas.codes.iso6346 import plain
from services.ports.notebook import BEGINNING, Notebook, PortAnswer
from services.ports.notebook import FEED as SOURCE
from services.ports.notice import Away, Handler, Notice, Unread, named_in
from services.ports.question import AskedConsole
from services.shell.advance import Advance, unreported
from services.shell.clock import stopwatch

CURSOR = re.compile(r"([a-z][a-z0-9]{0,31}\.)?[0-9]{1,18}")
KINDS = frozenset({"ReleaseGranted", "ReleaseRevoked"})
UNREADABLE = "Unreadable"
"""The kind of a feed entry whose fact the console cannot read. The fact may be a release or a revocation."""
LIMIT = 500


class FeedPort:
    """Reads `/api/v1/releases`, and asks the console whether a container may leave. A yes of the console counts only if the notebook has no
    objection."""

    def __init__(self, address: str, notebook: Notebook, *, key: str = "", **options: Any) -> None:
        """`address`: the URL of the console. `key`: a terminal's API key. `options` go to httpx2.Client: verify, cert, headers, proxy."""
        self.notebook = notebook
        self.address = address
        self._console = AskedConsole(address, key=key, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._console.close()

    def read(self, handler: Handler, wait_seconds: float) -> int:
        """Hands over the entries that arrive within `wait_seconds`, and returns how many were handed over. If the handler raises an exception,
        the effects of all these entries are rolled back."""
        after = self.notebook.cursor(SOURCE)
        status, body = self._console.get("/api/v1/releases", wait_seconds, after=after, limit=LIMIT, wait=wait_seconds)
        if status == 410 and after != BEGINNING:
            # The feed was rebuilt or restored, so it is read again from the beginning. The known ids are kept, so that no effect is done
            # twice.
            self.notebook.begin(SOURCE, self.address)
            return 0
        if status != 200:
            raise Away(f"the feed answers {status}")
        if not isinstance(body, dict) or not isinstance(body.get("releases"), list):
            raise Away("the feed's answer is none")
        entries = [_entry(line) for line in body["releases"]]
        if not entries and body.get("more"):
            raise Away("the feed has more than it can give now")
        return self.notebook.take_after(SOURCE, after, entries, handler) if entries else 0

    def catch_up(self, handler: Handler, seconds: float, advance: Advance = unreported) -> None:
        """Reads until the feed has no more entries. Raises Away if that takes longer than `seconds`. `advance` is called after each read with
        the number of entries that were handed over."""
        deadline, before = stopwatch() + seconds, ""
        while (now := self.notebook.cursor(SOURCE)) != before:
            if stopwatch() > deadline:
                raise Away(f"not up to date within {seconds:g} s")
            before = now
            advance(self.read(handler, 0))

    def ask(
        self, container_no: str, handler: Handler, seconds: float = 10, advance: Advance = unreported
    ) -> PortAnswer:
        """Returns whether the container may leave now. Reads the new entries of the feed first, then asks the console.
        Only an explicit yes of the console counts as a yes."""
        try:
            return self._ask(plain(container_no), handler, seconds, advance)
        except (Away, sqlite3.Error) as error:
            return PortAnswer(False, "stale", str(error))

    def _ask(self, container_no: str, handler: Handler, seconds: float, advance: Advance) -> PortAnswer:
        self.catch_up(handler, seconds, advance)
        answer, released = self._console.ask(container_no)
        if not answer.may_leave:
            return answer
        return self.notebook.objection(released, container_no, silence=False) or answer


class _Line(BaseModel):
    """The fields of a feed entry that a port uses. Consoles of the previous software version also send texts of officers, which are not
    read."""

    id: str
    kind: str
    consignment_id: str
    version: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
    containers: tuple[str, ...]
    occurred_at: str


def _entry(line: Any) -> tuple[str, Notice | Unread]:
    """Returns the cursor and the content of an entry. Raises Away if it has no cursor, because reading could not continue after it. In
    consoles of earlier versions, cursors are numbers."""
    cursor = line.get("cursor") if isinstance(line, dict) else None
    text = str(cursor) if isinstance(cursor, (int, str)) and not isinstance(cursor, bool) else ""
    if not CURSOR.fullmatch(text) or text == BEGINNING:
        raise Away("a line of the feed has no cursor")
    return text, _read(line, text)


def _read(line: dict[str, Any], cursor: str) -> Notice | Unread:
    about = tuple(sorted(named_in(line)))
    if line.get("kind") == UNREADABLE:
        return Unread(f"{SOURCE}/{cursor}", "unreadable", f"the console cannot read {line.get('id')!r}"[:500], about)
    if line.get("kind") not in KINDS:
        return Unread(f"{SOURCE}/{cursor}", "unknown_kind", f"{line.get('kind')!r} is not in the feed"[:500], about)
    try:
        json.dumps(line, ensure_ascii=False).encode()
        entry = _Line.model_validate(line)
    except UnicodeEncodeError:  # the text has a lone surrogate, which JSON can contain but SQLite cannot store
        return Unread(f"{SOURCE}/{cursor}", "contract", "a text that is none", about)
    except ValidationError as error:
        return Unread(f"{SOURCE}/{cursor}", "contract", f"{error.error_count()} faults", about)
    return Notice(entry.id, entry.kind, entry.consignment_id, entry.version, entry.containers, "", entry.occurred_at)
