"""What does a port remember, so that dying between two entries neither loses nor doubles an effect?

One SQLite file: the place read up to in each source, the ids known, the latest statement on each subject, what could not
be read. A handler's own rows may lie beside them; all of it is one SQL transaction.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from services.ports.notice import HANDED_OVER, Handler, Notice, Unread

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
"""


YES = frozenset({"ReleaseGranted", "ContainerMayLeave"})


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

    def close(self) -> None:
        self._sql.close()

    def places(self, source: str) -> dict[int, int]:
        """Where to go on in each partition of this source."""
        return dict(self._sql.execute("SELECT partition, next FROM port_places WHERE source = ?", (source,)))

    def forget_place(self, source: str) -> None:
        """Read this source from its beginning again; what is known stays known."""
        self._sql.execute("DELETE FROM port_places WHERE source = ?", (source,))

    def counts(self) -> Mapping[str, int]:
        """heard, known, older, unread/<reason>: each message that was read, once."""
        return dict(self._sql.execute("SELECT name, seen FROM port_counts"))

    def take(self, source: str, entries: Iterable[Entry], handler: Handler) -> int:
        """Entries and their effects together, or none of them; how many were handed over. What somebody took already is skipped."""
        handed = 0
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            places = self.places(source)
            for entry in entries:
                if entry.place < places.get(entry.partition, 0):
                    continue
                handed += self._take(entry.said, handler)
                places[entry.partition] = entry.next
            rows = [(source, partition, place) for partition, place in places.items()]
            self._sql.executemany("INSERT OR REPLACE INTO port_places VALUES (?, ?, ?)", rows)
            self._sql.execute("COMMIT")
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        return handed

    def ask(self, container_no: str) -> Answer:
        """As far as this notebook goes: yes only if the gate's latest word is yes and each consignment's latest is a release."""
        container_no = plain(container_no)
        said = self._statement(container_no)
        if said is None:
            return self._unread(container_no) or Answer(False, "unknown")
        kind, consignments, reason = said
        if kind in ("ContainerGatedOut", "GateAlarmRaised"):
            return Answer(False, "left", reason)
        if kind != "ContainerMayLeave":
            return Answer(False, "held", reason)
        return self._unread(container_no) or self.objection(consignments) or Answer(True, "released")

    def objection(self, consignments: Iterable[str], *, silence: bool = True) -> Answer | None:
        """What speaks against letting these consignments go. `silence`: whether having heard nothing of one does."""
        for consignment in consignments:
            if unread := self._unread(consignment):
                return unread
            said = self._statement(consignment)
            if said is None and silence:
                return Answer(False, "not_released", f"nothing was heard of {consignment}")
            if said is not None and said[0] != "ReleaseGranted":
                return Answer(False, "not_released", f"{consignment}: {said[0]} {said[2]}".rstrip())
        return None

    def _take(self, said: Notice | Unread | None, handler: Handler) -> int:
        if said is None:
            return 0
        if isinstance(said, Unread):
            self._count(f"unread/{said.reason}")
            rows = [(said.where, subject, said.reason) for subject in said.subjects]
            self._sql.executemany("INSERT OR REPLACE INTO port_unread VALUES (?, ?, ?)", rows)
            handler.unread(said, self._sql)
            return 0
        if self._sql.execute("INSERT OR IGNORE INTO port_known VALUES (?)", (said.id,)).rowcount == 0:
            self._count("known")
            return 0
        if not self._newer(said):
            self._count("older")
            return 0
        self._count("heard")
        if said.kind not in HANDED_OVER:
            return 0
        handler.heard(said, self._sql)
        return 1

    def _newer(self, said: Notice) -> bool:
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
            "INSERT OR REPLACE INTO port_statements VALUES (?, ?, ?, ?, ?)",
            (said.subject, said.kind, version, json.dumps(said.others), said.reason),
        )
        self._sql.execute("DELETE FROM port_unread WHERE subject = ?", (said.subject,))
        return True

    def _count(self, name: str) -> None:
        self._sql.execute(
            "INSERT INTO port_counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET seen = seen + 1", (name,)
        )

    def _statement(self, subject: str) -> tuple[str, list[str], str] | None:
        row = self._sql.execute(
            "SELECT kind, others, reason FROM port_statements WHERE subject = ?", (subject,)
        ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]), row[2])

    def _unread(self, subject: str) -> Answer | None:
        row = self._sql.execute("SELECT place, reason FROM port_unread WHERE subject = ?", (subject,)).fetchone()
        return None if row is None else Answer(False, "unread", f"{row[0]}: {row[1]}")


def plain(container_no: str) -> str:
    """The number as the topics carry it: `csqu 305438-3` is CSQU3054383."""
    return "".join([c for c in container_no.upper() if c.isalnum()])[:17]
