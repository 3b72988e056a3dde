"""How does a terminal without Kafka get the same? The HTTP feed, by cursor and long poll, into the same notebook."""

import json
import re
import sqlite3
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
from pydantic import AwareDatetime, BaseModel, ValidationError

from schemas.codes.iso6346 import plain
from services.ports.notebook import BEGINNING, Answer, Notebook
from services.ports.notebook import FEED as SOURCE
from services.ports.notice import Away, Handler, Notice, Unread, named_in
from services.shell.clock import stopwatch
from services.shell.loopback import is_loopback

CURSOR = re.compile(r"([a-z][a-z0-9]{0,31}\.)?[0-9]{1,18}")
KINDS = frozenset({"ReleaseGranted", "ReleaseRevoked"})
UNREADABLE = "Unreadable"
"""What the console says of a fact that may be a release or a revocation, and that it cannot read."""
LIMIT = 500
STALE_SECONDS = 30.0
"""Older answers of the console, and answers older than one that was read before, are no answers."""
UNCACHED = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


class FeedPort:
    """Follows `/api/v1/releases`; whether a container may leave is asked of the console, and believed only if nothing here objects."""

    def __init__(self, address: str, notebook: Notebook, **options: Any) -> None:
        """`options` go to httpx2.Client: verify, cert, headers, proxy."""
        self.notebook = notebook
        self.address = address
        self._newest: datetime | None = None
        self._http = httpx2.Client(base_url=address, **{"trust_env": not is_loopback(address), **options})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def read(self, handler: Handler, wait_seconds: float) -> int:
        """Hands over what comes within `wait_seconds`; how many. Whatever the handler raises undoes the whole reading."""
        after = self.notebook.cursor(SOURCE)
        status, body = self._get("/api/v1/releases", wait_seconds, after=after, limit=LIMIT, wait=wait_seconds)
        if (
            status == 410 and after != BEGINNING
        ):  # made anew or restored: what is known stays known, so nothing is done twice
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

    def catch_up(self, handler: Handler, seconds: float) -> None:
        """Reads until the feed has nothing more; Away when it does not get there in time."""
        deadline, before = stopwatch() + seconds, ""
        while (now := self.notebook.cursor(SOURCE)) != before:
            if stopwatch() > deadline:
                raise Away(f"not up to date within {seconds:g} s")
            before = now
            self.read(handler, 0)

    def ask(self, container_no: str, handler: Handler, seconds: float = 10) -> Answer:
        """May it leave, now? Revocations first; then the console's answer, which is yes only if it says so in so many words."""
        try:
            return self._ask(plain(container_no), handler, seconds)
        except (Away, sqlite3.Error) as error:
            return Answer(False, "stale", str(error))

    def _ask(self, container_no: str, handler: Handler, seconds: float) -> Answer:
        self.catch_up(handler, seconds)
        status, body = self._get(f"/api/v1/containers/{quote(container_no, safe='')}", 0)
        try:
            said = _Gate.model_validate_json(json.dumps(body), strict=True)  # strict, and times are texts
        except ValidationError as error:
            return Answer(False, "unread", f"status {status}: {error.error_count()} faults in the answer")
        if status != 200 or said.container_no != container_no:
            return Answer(False, "unread", f"status {status}, about {said.container_no!r}")
        if not said.may_leave:
            return Answer(False, said.reason, said.detail)
        if age := self._out_of_date(said):
            return Answer(False, "stale", age)
        if not said.consignments:
            return Answer(False, "not_released", "the console names no consignment that was released")
        return self.notebook.objection(said.consignments, container_no, silence=False) or Answer(
            True, said.reason, said.detail
        )

    def _out_of_date(self, said: "_Gate") -> str:
        """Why this answer is not of now; empty when nothing speaks against it. No clock of this machine is asked."""
        if said.as_of is None or said.lag_seconds is None:
            return "the console does not know up to when it has read"
        if not 0 <= said.lag_seconds <= STALE_SECONDS:  # NaN is in no bounds
            return f"the console is {said.lag_seconds:.0f} s behind"
        if self._newest is not None and (self._newest - said.as_of).total_seconds() > STALE_SECONDS:
            return f"as of {said.as_of.isoformat()}, older than an answer before"
        self._newest = max(said.as_of, self._newest or said.as_of)
        return ""

    def _get(self, path: str, wait_seconds: float, **query: Any) -> tuple[int, Any]:
        try:
            answer = self._http.get(path, params=query, timeout=wait_seconds + 15, headers=UNCACHED)
        except httpx2.HTTPError as error:
            raise Away(f"the console does not answer: {type(error).__name__} {error}") from error
        if answer.headers.get("age", "0").strip() != "0":
            raise Away("the answer comes from a cache on the way, not from the console")
        try:
            return answer.status_code, answer.json()
        except (ValueError, RecursionError):  # RecursionError: nested deeper than Python reads
            raise Away(f"the console's answer {answer.status_code} is not JSON") from None


class _Line(BaseModel):
    """What is needed of a line of the feed."""

    id: str
    kind: str
    consignment_id: str
    version: int
    containers: tuple[str, ...]
    reason: str | None
    occurred_at: str


class _Gate(BaseModel):
    """What is needed of the console's answer."""

    container_no: str
    may_leave: bool
    reason: str
    detail: str
    consignments: list[str]
    as_of: AwareDatetime | None
    lag_seconds: float | None


def _entry(line: Any) -> tuple[str, Notice | Unread]:
    """Away for a line without a cursor: nobody could say where to go on. Consoles of earlier versions give numbers."""
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
        said = _Line.model_validate(line)
    except ValidationError as error:
        return Unread(f"{SOURCE}/{cursor}", "contract", f"{error.error_count()} faults", about)
    return Notice(
        said.id, said.kind, said.consignment_id, said.version, said.containers, said.reason or "", said.occurred_at
    )
