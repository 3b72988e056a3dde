"""What does a port store, so that a crash between two entries neither loses nor doubles an effect?

It stores in one SQLite file: the identity of each source (a topic or the HTTP feed), the offset or cursor up to which it was read, the
known ids, the latest statement about each subject, and the entries that could not be read. A handler may write rows of its own to the same
file; they are written in the same SQL transaction.
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
"""The columns that notebooks of earlier versions lack."""

YES = frozenset({"ReleaseGranted", "ContainerMayLeave"})
AFTERWARDS = {"ContainerGatedOut": "left", "VisitClosed": "closed", "GateAlarmRaised": "alarm"}
"""Kind of a fact after which the container must stay → the reason, which counts until there is a newer `ContainerMayLeave`."""


FEED = "http"
"""The name of the HTTP feed as a source. It is the only source with cursors. Notebooks of earlier versions have the
cursor, which was a number, in `port_places`."""
BEGINNING = "0"
"""The cursor before the first entry."""
LEFT = "left"
"""The identity in `port_sources` of a source that is not read any more."""


class TopicEntry(NamedTuple):
    """One message of a topic. `next`: the offset of the next message; `content`: None if the message does not concern a port."""

    partition: int
    offset: int
    next: int
    content: Notice | Unread | None


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """The answer to the question whether a container may leave. `reason`: `released`, or a code that says why it must stay."""

    may_leave: bool
    reason: str
    detail: str = ""


class NotebookGone(sqlite3.OperationalError):
    """Raised if the notebook's file is no longer the one that was opened. The text says which file and what to do, in Chinese and
    English."""


class Notebook:
    """Stores, in an SQLite file, what a port must keep of the messages that it has read. A notebook in ":memory:" is lost with the process.

    Every method except `close` raises NotebookGone if the file was deleted, moved or replaced. The process could still write to the
    deleted file, but everything that it writes would be lost when it ends.
    """

    def __init__(self, file: Path | str) -> None:
        self.file = file
        self._watched: dict[Path, tuple[int, int]] = {}
        if file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        named = Path(file).absolute()  # absolute, because the program may change its working directory later
        self._connection = sqlite3.connect(file, timeout=30, isolation_level=None)
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
                ):
                    # this file was made by an older software version, which stored texts of officers in `reason`
                    self._sql.execute("UPDATE port_statements SET reason = '' WHERE kind <> 'VisitClosed'")
        self._sql.execute(
            "INSERT OR IGNORE INTO port_cursors SELECT source, CAST(next - 1 AS TEXT) FROM port_places WHERE source = ?",
            (FEED,),
        )
        self._sql.execute("DELETE FROM port_places WHERE source = ?", (FEED,))
        self._sql.execute("COMMIT")
        # for a database in memory, the path is empty
        if real := self._sql.execute("PRAGMA database_list").fetchone()[2]:
            # The journal is watched, too, because it has the newest writes. On some file systems there is no journal.
            journal = Path(f"{real}-wal")
            self._watched = {each: _identity_of(each) for each in (named, journal) if each.exists()}

    @property
    def _sql(self) -> sqlite3.Connection:
        """Returns the connection, after `check` has tested its files."""
        self.check()
        return self._connection

    def check(self) -> None:
        """Raises NotebookGone if the files of this notebook are not the ones that were opened."""
        for file, opened in self._watched.items():
            try:
                same = _identity_of(file) == opened
            except OSError:
                same = False
            if not same:
                raise NotebookGone(
                    f"The notebook {self.file} is gone: {file} was deleted, moved or replaced while it was in use. 记事库文件已被删除、"
                    "移走或替换。 Until this program is started again nothing may leave; put the file back first, or it reads from the beginning"
                )

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Runs the block in one transaction. An exception rolls it back."""
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            # There may be no open transaction. Ctrl-C may have come just after the commit, or SQLite rolled back by itself, for example because the
            # disk is full.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def offsets(self, source: str) -> dict[int, int]:
        """Returns partition of this source → the offset from which to read on."""
        return dict(self._sql.execute("SELECT partition, next FROM port_places WHERE source = ?", (source,)))

    def cursor(self, source: str) -> str:
        """Returns the cursor of the last entry that was stored; "0" if there is none."""
        row = self._sql.execute("SELECT cursor FROM port_cursors WHERE source = ?", (source,)).fetchone()
        return BEGINNING if row is None else str(row[0])

    def identity(self, source: str) -> str | None:
        """Returns the identity (topic id, or address) that this source had when its offsets were stored; None if none are stored,
        and `LEFT` if the source is not read any more."""
        row = self._sql.execute("SELECT identity FROM port_sources WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def begin(self, source: str, identity: str) -> None:
        """Makes this source start from its beginning, because its identity has changed or because it no longer has the
        stored offset or cursor. Its stored offsets and statements are deleted.

        The known ids are kept, so that no effect is done twice. The statements are stored again when their facts are
        read again.
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
        """Returns whether this source was read and has not been left since (`leave`)."""
        return self.identity(source) not in (None, LEFT) or bool(self.offsets(source))

    def leave(self, sources: Iterable[str]) -> None:
        """Stops reading these sources. Their statements and known ids are kept."""
        with self._transaction():
            for source in sources:
                self._sql.execute("DELETE FROM port_places WHERE source = ?", (source,))
                self._sql.execute("INSERT OR REPLACE INTO port_sources VALUES (?, ?, 0)", (source, LEFT))

    def counts(self) -> Mapping[str, int]:
        """Returns outcome → how many messages had it. The outcomes are `heard` (it was the newest statement about its
        subject), `known` (the id was known), `older` (a newer statement about the same subject was known) and
        `unread/<reason>`. A message that is read again counts again."""
        return dict(self._sql.execute("SELECT name, seen FROM port_counts"))

    def take(self, source: str, entries: Iterable[TopicEntry], handler: Handler) -> int:
        """Stores entries and their effects in one transaction, and returns how many were handed over. Entries before the stored offset are
        skipped, because another process with this notebook has already stored them."""
        handed = 0
        with self._transaction():
            offsets, reading = self.offsets(source), self._reading(source)
            for entry in entries:
                if entry.offset < offsets.get(entry.partition, 0):
                    continue
                handed += self._take(source, reading, entry.content, handler)
                offsets[entry.partition] = entry.next
            rows = [(source, partition, offset) for partition, offset in offsets.items()]
            self._sql.executemany("INSERT OR REPLACE INTO port_places VALUES (?, ?, ?)", rows)
        return handed

    def take_after(
        self, source: str, after: str, entries: Iterable[tuple[str, Notice | Unread]], handler: Handler
    ) -> int:
        """Stores entries with cursors as `take` does. If the stored cursor is no longer `after`, stores nothing and returns 0, because
        another process with this notebook has read on."""
        handed = 0
        with self._transaction():
            reading, last = self._reading(source), after
            if self.cursor(source) == after:
                for cursor, notice in entries:
                    handed += self._take(source, reading, notice, handler)
                    last = cursor
                self._sql.execute("INSERT OR REPLACE INTO port_cursors VALUES (?, ?)", (source, last))
        return handed

    def ask(self, container_no: str) -> PortAnswer:
        """Returns the answer that follows from this notebook alone. It is yes only if three conditions hold. The gate's
        latest statement about the container is yes and names consignments. For each of these, the gate states a permit,
        or the latest statement about the consignment is a release that names this container. No message about the
        container or one of these consignments is `Unread`. Whether a consignment is held in other containers does not
        matter."""
        container_no = plain(container_no)
        statement = self._statement(container_no)
        if statement is None:
            return self._unread(container_no) or PortAnswer(False, "unknown")
        kind, consignments, reason, permitted = statement
        if kind != "ContainerMayLeave":
            return PortAnswer(False, AFTERWARDS.get(kind, "held"), reason)
        if not consignments:
            return PortAnswer(False, "not_released", "the gate names no consignment that was released")
        against = self._unread(container_no) or self.objection(consignments, container_no, permitted)
        return against or PortAnswer(True, "released")

    def objection(
        self, consignments: Iterable[str], container_no: str, permitted: Collection[str] = (), *, silence: bool = True
    ) -> PortAnswer | None:
        """Returns the answer no, with its reason, if one of these consignments may not leave in this container; otherwise None.
        Consignments in `permitted` need no release, because an officer lets them out. `silence`: whether the answer is also no if there is
        no statement about a consignment."""
        for consignment in consignments:
            if unread := self._unread(consignment):
                return unread
            if consignment in permitted:
                continue
            statement = self._statement(consignment)
            if statement is None:
                if silence:
                    return PortAnswer(False, "not_released", f"no release of {consignment} was read")
                continue
            kind, containers, reason, _ = statement
            if kind != "ReleaseGranted":
                return PortAnswer(False, "not_released", f"{consignment}: {kind} {reason}".rstrip())
            if container_no not in [plain(each) for each in containers]:
                return PortAnswer(False, "not_released", f"the release of {consignment} does not name {container_no}")
        return None

    def _reading(self, source: str) -> int:
        """Returns the number of the present reading of this source. `begin` starts a new reading with a higher number.
        If an id is known only from an earlier reading, its statement must be stored again."""
        row = self._sql.execute("SELECT reading FROM port_sources WHERE source = ?", (source,)).fetchone()
        return 0 if row is None else int(row[0])

    def _take(self, source: str, reading: int, content: Notice | Unread | None, handler: Handler) -> int:
        if content is None:
            return 0
        if isinstance(content, Unread):
            self._count(f"unread/{content.reason}")
            rows = [(content.where, subject, content.reason) for subject in content.subjects]
            self._sql.executemany("INSERT OR REPLACE INTO port_unread VALUES (?, ?, ?)", rows)
            handler.unread(content, self._sql)
            return 0
        known = self._sql.execute("SELECT reading, source FROM port_known WHERE id = ?", (content.id,)).fetchone()
        if known is not None and (known[0] == reading or _is_copy(known[1], source)):
            self._count("known")
            return 0
        self._sql.execute(
            "INSERT OR REPLACE INTO port_known (id, reading, source) VALUES (?, ?, ?)", (content.id, reading, source)
        )
        newer = self._newer(source, content)
        if known is not None:
            self._count("known")
            return 0
        if not newer:
            self._count("older")
            return 0
        self._count("heard")
        if content.kind not in HANDED_OVER:
            return 0
        handler.heard(content, self._sql)
        return 1

    def _newer(self, source: str, notice: Notice) -> bool:
        """Returns whether this statement is the newest about its subject, and stores it if so. If two statements have the same version, a
        no replaces a yes."""
        found = self._sql.execute("SELECT version, kind FROM port_statements WHERE subject = ?", (notice.subject,))
        with closing(found):
            version, kind = found.fetchone() or (-1, "")
        if notice.version is not None:
            yes, no = kind in YES, notice.kind not in YES
            if notice.version < version or (notice.version == version and not (yes and no)):
                return False
            version = notice.version
        self._sql.execute(
            "INSERT OR REPLACE INTO port_statements (subject, kind, version, others, reason, source, permitted) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                notice.subject,
                notice.kind,
                version,
                json.dumps(notice.others),
                notice.reason,
                source,
                json.dumps(notice.permitted),
            ),
        )
        self._sql.execute("DELETE FROM port_unread WHERE subject = ?", (notice.subject,))
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

    def _unread(self, subject: str) -> PortAnswer | None:
        row = self._sql.execute("SELECT place, reason FROM port_unread WHERE subject = ?", (subject,)).fetchone()
        return None if row is None else PortAnswer(False, "unread", f"{row[0]}: {row[1]}")


def _is_copy(first: str, source: str) -> bool:
    """Returns whether the id of this message of `source` was read before from another source (`first`). If so, the
    message is a copy of the same fact, and is skipped.

    In notebooks of earlier versions the source of an id is empty. Such an id was not read from the ports' own topic.
    """
    return first != source and (bool(first) or source == TOPIC)


def _identity_of(file: Path) -> tuple[int, int]:
    """Returns device and inode, which identify the file even if it is renamed."""
    found = file.stat()
    return found.st_dev, found.st_ino
