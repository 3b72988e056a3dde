"""What does a port remember, so that dying between two entries neither loses nor doubles an effect?

One SQLite file: which log each source is and the place read up to in it, the ids known, the latest statement on each
subject, what could not be read. A handler's own rows may lie beside them; all of it is one SQL transaction.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from schemas.codes.iso6346 import plain
from services.ports.notice import HANDED_OVER, TOPIC, Handler, Notice, Unread

TABLES = """
CREATE TABLE IF NOT EXISTS port_places (source TEXT, partition INT, next INT NOT NULL, PRIMARY KEY (source, partition));
CREATE TABLE IF NOT EXISTS port_known (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS port_statements (
  subject TEXT PRIMARY KEY, kind TEXT NOT NULL, version INT NOT NULL, others TEXT NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS port_unread (
  place TEXT, subject TEXT, reason TEXT NOT NULL, PRIMARY KEY (subject, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS port_counts (name TEXT PRIMARY KEY, seen INT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS port_cursors (source TEXT PRIMARY KEY, cursor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS port_sources (source TEXT PRIMARY KEY, identity TEXT NOT NULL, reading INT NOT NULL);
"""
ADDED = (
    ("port_known", "reading", "INT NOT NULL DEFAULT 0"),
    ("port_known", "source", "TEXT NOT NULL DEFAULT ''"),
    ("port_statements", "source", "TEXT NOT NULL DEFAULT ''"),
    ("port_statements", "permitted", "TEXT NOT NULL DEFAULT '[]'"),
)
"""Columns that notebooks of earlier versions lack."""

YES = frozenset({"ReleaseGranted", "ContainerMayLeave"})
AFTERWARDS = {"ContainerGatedOut": "left", "VisitClosed": "closed", "GateAlarmRaised": "alarm"}
"""How a visit ended → the reason of the no that stands until a newer `ContainerMayLeave`."""


FEED = "http"
"""The one source that gives cursors; in notebooks of earlier versions its number stands among the places."""
BEGINNING = "0"
"""The cursor before everything."""
LEFT = "left"
"""The identity of a source that is not read any more."""


class Entry(NamedTuple):
    """What lay at `place` of a source's partition; `next` is where to go on."""

    partition: int
    place: int
    next: int
    said: Notice | Unread | None


@dataclass(frozen=True, slots=True)
class Answer:
    """May this container leave? `reason`: released, or why it stays."""

    may_leave: bool
    reason: str
    detail: str = ""


class Notebook:
    """The port's memory; ":memory:" forgets with the process."""

    def __init__(self, file: Path | str) -> None:
        self.file = file
        if file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        self._sql = sqlite3.connect(file, timeout=30, isolation_level=None)
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = FULL")
        self._sql.executescript(TABLES)
        self._sql.execute("BEGIN IMMEDIATE")
        for table, column, shape in ADDED:
            if column not in {row[1] for row in self._sql.execute(f"PRAGMA table_info({table})")}:
                self._sql.execute(f"ALTER TABLE {table} ADD COLUMN {column} {shape}")
                if (table, column) == (
                    "port_known",
                    "source",
                ):  # it was written when ports were told the words of officers
                    self._sql.execute("UPDATE port_statements SET reason = '' WHERE kind <> 'VisitClosed'")
        self._sql.execute(
            "INSERT OR IGNORE INTO port_cursors SELECT source, CAST(next - 1 AS TEXT) FROM port_places WHERE source = ?",
            (FEED,),
        )
        self._sql.execute("DELETE FROM port_places WHERE source = ?", (FEED,))
        self._sql.execute("COMMIT")

    def close(self) -> None:
        self._sql.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            # There is none any more where Ctrl-C came just after the commit, or where SQLite undid it (a full disk).
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise

    def places(self, source: str) -> dict[int, int]:
        """Where to go on in each partition of this source."""
        return dict(self._sql.execute("SELECT partition, next FROM port_places WHERE source = ?", (source,)))

    def cursor(self, source: str) -> str:
        """The cursor of the last entry that was taken; "0" before the first."""
        row = self._sql.execute("SELECT cursor FROM port_cursors WHERE source = ?", (source,)).fetchone()
        return BEGINNING if row is None else str(row[0])

    def identity(self, source: str) -> str | None:
        """Which log this source was when its places were noted; None when nothing was noted of it."""
        row = self._sql.execute("SELECT identity FROM port_sources WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def begin(self, source: str, identity: str) -> None:
        """Read this source from its beginning: it is another log now, so no place and no statement of before holds.

        Ids stay known, so that no effect is done twice; each rebuilds its statement when it is read again.
        """
        with self._transaction():
            self._sql.execute("DELETE FROM port_places WHERE source = ?", (source,))
            self._sql.execute("DELETE FROM port_cursors WHERE source = ?", (source,))
            self._sql.execute("DELETE FROM port_statements WHERE source IN (?, '')", (source,))
            self._sql.execute("DELETE FROM port_unread WHERE substr(place, 1, ?) = ?", (len(source) + 1, f"{source}/"))
            self._sql.execute(
                "INSERT OR REPLACE INTO port_sources SELECT ?, ?, 1 + coalesce(max(reading), 0) FROM port_known",
                (source, identity),
            )

    def follows(self, source: str) -> bool:
        """Whether this source was read, and not left since."""
        return self.identity(source) not in (None, LEFT) or bool(self.places(source))

    def leave(self, sources: Iterable[str]) -> None:
        """Read these sources no more. What they said stays, and an id of theirs stays known."""
        with self._transaction():
            for source in sources:
                self._sql.execute("DELETE FROM port_places WHERE source = ?", (source,))
                self._sql.execute("INSERT OR REPLACE INTO port_sources VALUES (?, ?, 0)", (source, LEFT))

    def counts(self) -> Mapping[str, int]:
        """heard, known, older, unread/<reason>: each message that was read, once."""
        return dict(self._sql.execute("SELECT name, seen FROM port_counts"))

    def take(self, source: str, entries: Iterable[Entry], handler: Handler) -> int:
        """Entries and their effects together, or none of them; how many were handed over. What somebody took already is skipped."""
        handed = 0
        with self._transaction():
            places, reading = self.places(source), self._reading(source)
            for entry in entries:
                if entry.place < places.get(entry.partition, 0):
                    continue
                handed += self._take(source, reading, entry.said, handler)
                places[entry.partition] = entry.next
            rows = [(source, partition, place) for partition, place in places.items()]
            self._sql.executemany("INSERT OR REPLACE INTO port_places VALUES (?, ?, ?)", rows)
        return handed

    def take_after(
        self, source: str, after: str, entries: Iterable[tuple[str, Notice | Unread]], handler: Handler
    ) -> int:
        """Entries with their cursors and effects together, or none of them; how many were handed over. None when somebody has
        moved on from `after` in the meantime."""
        handed = 0
        with self._transaction():
            reading, last = self._reading(source), after
            if self.cursor(source) == after:
                for cursor, notice in entries:
                    handed += self._take(source, reading, notice, handler)
                    last = cursor
                self._sql.execute("INSERT OR REPLACE INTO port_cursors VALUES (?, ?)", (source, last))
        return handed

    def ask(self, container_no: str) -> Answer:
        """As far as this notebook goes: yes only if the gate's latest statement is yes and names consignments, each of which
        has a release as its latest statement that names this container. What holds the rest of a consignment is no objection."""
        container_no = plain(container_no)
        statement = self._statement(container_no)
        if statement is None:
            return self._unread(container_no) or Answer(False, "unknown")
        kind, consignments, reason, permitted = statement
        if kind != "ContainerMayLeave":
            return Answer(False, AFTERWARDS.get(kind, "held"), reason)
        if not consignments:
            return Answer(False, "not_released", "the gate names no consignment that was released")
        against = self._unread(container_no) or self.objection(consignments, container_no, permitted)
        return against or Answer(True, "released")

    def objection(
        self, consignments: Iterable[str], container_no: str, permitted: Collection[str] = (), *, silence: bool = True
    ) -> Answer | None:
        """What speaks against letting these consignments go in this container; those `permitted` by an officer need no release.
        `silence`: whether knowing nothing of one does."""
        for consignment in consignments:
            if unread := self._unread(consignment):
                return unread
            if consignment in permitted:
                continue
            statement = self._statement(consignment)
            if statement is None:
                if silence:
                    return Answer(False, "not_released", f"no release of {consignment} was read")
                continue
            kind, containers, reason, _ = statement
            if kind != "ReleaseGranted":
                return Answer(False, "not_released", f"{consignment}: {kind} {reason}".rstrip())
            if container_no not in [plain(each) for each in containers]:
                return Answer(False, "not_released", f"the release of {consignment} does not name {container_no}")
        return None

    def _reading(self, source: str) -> int:
        """How often this source was begun: what was read in an earlier reading must rebuild its statement in this one."""
        row = self._sql.execute("SELECT reading FROM port_sources WHERE source = ?", (source,)).fetchone()
        return 0 if row is None else int(row[0])

    def _take(self, source: str, reading: int, said: Notice | Unread | None, handler: Handler) -> int:
        if said is None:
            return 0
        if isinstance(said, Unread):
            self._count(f"unread/{said.reason}")
            rows = [(said.where, subject, said.reason) for subject in said.subjects]
            self._sql.executemany("INSERT OR REPLACE INTO port_unread VALUES (?, ?, ?)", rows)
            handler.unread(said, self._sql)
            return 0
        known = self._sql.execute("SELECT reading, source FROM port_known WHERE id = ?", (said.id,)).fetchone()
        if known is not None and (known[0] == reading or _is_copy(known[1], source)):
            self._count("known")
            return 0
        self._sql.execute(
            "INSERT OR REPLACE INTO port_known (id, reading, source) VALUES (?, ?, ?)", (said.id, reading, source)
        )
        newer = self._newer(source, said)
        if known is not None:
            self._count("known")
            return 0
        if not newer:
            self._count("older")
            return 0
        self._count("heard")
        if said.kind not in HANDED_OVER:
            return 0
        handler.heard(said, self._sql)
        return 1

    def _newer(self, source: str, said: Notice) -> bool:
        """Keeps it if it is. Of two statements with one version the stricter is believed."""
        found = self._sql.execute("SELECT version, kind FROM port_statements WHERE subject = ?", (said.subject,))
        with closing(found):
            version, kind = found.fetchone() or (-1, "")
        if said.version is not None:
            yes, no = kind in YES, said.kind not in YES
            if said.version < version or (said.version == version and not (yes and no)):
                return False
            version = said.version
        self._sql.execute(
            "INSERT OR REPLACE INTO port_statements (subject, kind, version, others, reason, source, permitted) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                said.subject,
                said.kind,
                version,
                json.dumps(said.others),
                said.reason,
                source,
                json.dumps(said.permitted),
            ),
        )
        self._sql.execute("DELETE FROM port_unread WHERE subject = ?", (said.subject,))
        return True

    def _count(self, name: str) -> None:
        self._sql.execute(
            "INSERT INTO port_counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET seen = seen + 1", (name,)
        )

    def _statement(self, subject: str) -> tuple[str, list[str], str, list[str]] | None:
        row = self._sql.execute(
            "SELECT kind, others, reason, permitted FROM port_statements WHERE subject = ?", (subject,)
        ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]), row[2], json.loads(row[3]))

    def _unread(self, subject: str) -> Answer | None:
        row = self._sql.execute("SELECT place, reason FROM port_unread WHERE subject = ?", (subject,)).fetchone()
        return None if row is None else Answer(False, "unread", f"{row[0]}: {row[1]}")


def _is_copy(first: str, source: str) -> bool:
    """Whether an id that was read from `first` is another source's copy of the same fact: it adds nothing to what that one said.

    Notebooks of earlier versions do not say from where an id was; then it was not from the ports' own topic.
    """
    return first != source and (bool(first) or source == TOPIC)
