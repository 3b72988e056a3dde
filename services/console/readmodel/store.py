"""How are the rows of a batch written to SQL? In one transaction with the offsets of their messages."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import orjson
from sqlalchemy import Engine, Table, delete, func, literal_column, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.types import BigInteger, Boolean, Integer, SmallInteger

from services.console.readmodel import tables as t
from services.console.readmodel.batch import FEED_TOPIC, Aside, Batch, Origin, Pair
from services.console.readmodel.consignment import Consignment, OpenHold
from services.console.readmodel.container import BoxHold, Container, ContainerPart, ReportRow
from services.console.readmodel.cursors import new_epoch
from services.console.readmodel.gate_answer import CALLED_BACK
from services.console.readmodel.messages import OFFSET_BITS, origin, packed_position
from services.console.readmodel.progress import ProjectorStanding

CHUNK = 500
"""The most keys in one IN list of SQL."""
FORGOTTEN_AT_ONCE = 2000
"""The most requests that one transaction examines to delete those that are answered."""
Positions = dict[tuple[str, int], int]
"""The next offset to read, by topic and partition."""
K = TypeVar("K")
PAPER = frozenset(
    {
        *("declaration_no", "declarant", "consignee", "reference", "bill_no", "customs_office", "transport_mode"),
        *("trade_mode", "direction", "containers", "lodged_us"),
    }
)
"""The columns that only a declaration changes. They change rarely, and the indexes for searches consist of them."""


class Overtaken(Exception):
    """Another projector or a rebuild has changed the rows since this projector last wrote rows, so this projector must
    start over from the offsets in SQL."""


class Store:
    """Writes the rows for the projector, which is their only writer. Up to `cache` consignments are kept in memory."""

    def __init__(self, engine: Engine, cache: int) -> None:
        self.engine = engine
        self._cache = cache
        self._consignments: OrderedDict[str, Consignment] = OrderedDict()
        self._write = {table.name: _writer(table, engine.dialect.name) for table in t.PROJECTED}
        self._move_on = _updater(t.CONSIGNMENTS, _MOVING_COLUMNS, engine.dialect.name)
        self._advance = _mover(engine.dialect.name)
        self._cursor = 0
        self._epoch, self._epoch_begun = "", False
        self._turn = 0
        self._fed: dict[int, int] = {}

    def positions(self, partitions: Iterable[tuple[str, int]]) -> Positions:
        """Returns the next offset to read of each partition; 0 if nothing was read yet. Empties the cache, because another projector may
        have changed the rows.

        Entries that are added to the feed after this call belong to a new epoch, because the database may be a restored copy.
        """
        self._consignments.clear()
        with self.engine.begin() as connection:
            # The count in `tables.TURNS` is read and locked before the offsets are read. Otherwise a rebuild could
            # reset the offsets between these two reads, and this projector would not notice it.
            self._turn = connection.execute(select(t.TURNS.c.turn).with_for_update()).scalar_one()
            there = {(row.topic, row.partition): row.next_offset for row in connection.execute(select(t.OFFSETS))}
            new = [(topic, partition, 0) for topic, partition in partitions if (topic, partition) not in there]
            self._rows(connection, "offsets", new)
            self._fed_to(connection)
        self._epoch, self._epoch_begun = new_epoch(), False
        return {**{(topic, partition): 0 for topic, partition, _ in new}, **there}

    def _fed_to(self, connection: Connection) -> None:
        releases = t.RELEASES.c
        self._cursor = connection.execute(select(func.max(releases.cursor))).scalar() or 0
        lasts = select(func.max(releases.place)).group_by(literal_column(f"place >> {OFFSET_BITS}"))
        self._fed = {last >> OFFSET_BITS: last for last in connection.execute(lasts).scalars()}

    def topic_ids(self, now: Mapping[str, str]) -> dict[str, str]:
        """Returns topic → the id that the topic had when the rows were made from it. If no id is stored for a topic,
        the id in `now` is stored and returned."""
        with self.engine.begin() as connection:
            self.claim(connection)
            known = {row.topic: row.topic_id for row in connection.execute(select(t.TOPIC_IDS))}
            new = [(topic, topic_id) for topic, topic_id in now.items() if topic not in known]
            self._rows(connection, "topic_ids", new)
        self._turn += 1
        return dict(new) | known

    def fed_ahead(self, positions: Positions) -> dict[int, int]:
        """Returns partition → the highest offset of a message of this partition that has an entry in the feed. Only
        partitions in which this message is still to be read are returned. There are such partitions during a rebuild,
        because a rebuild keeps the entries of the feed and reads the messages again."""
        lasts = [origin(last) for last in self._fed.values()]
        return {
            partition: offset
            for topic, partition, offset in lasts
            if topic == FEED_TOPIC and positions.get((topic, partition), 0) <= offset
        }

    def forget_fed(self, partition: int, end: int) -> int:
        """Deletes the entries of the feed that come from this partition at offset `end` or later, and returns how many
        were deleted. The other entries keep their numbers."""
        positions = t.RELEASES.c.place
        gone = delete(t.RELEASES).where(
            positions >= packed_position(FEED_TOPIC, partition, end),
            positions < packed_position(FEED_TOPIC, partition + 1, 0),
        )
        with self.engine.begin() as connection:
            self.claim(connection)
            count = connection.execute(gone).rowcount
            self._fed_to(connection)
        self._turn += 1
        return count

    def claim(self, connection: Connection) -> None:
        """Counts one more transaction of the projector in `tables.TURNS`. Call it in each transaction before any row is
        read. Raises Overtaken if the count is not the one that this projector wrote last, because another projector or
        a rebuild has changed the rows."""
        turns = t.TURNS.c
        mine = update(t.TURNS).where(turns.name == "projector", turns.turn == self._turn).values(turn=self._turn + 1)
        if connection.execute(mine).rowcount != 1:
            raise Overtaken("another projector has written since this one's last turn")

    def write_standing(self, standing: Callable[[], ProjectorStanding]) -> None:
        """Writes the standing of the projector. Raises Overtaken if another projector or a rebuild has changed the rows since this
        projector's last transaction.

        `standing` is called after the row with the count of transactions is locked. So a value that is written later was also measured
        later, whichever process writes it.
        """
        turns, row = t.TURNS.c, t.STANDING
        mine = select(turns.turn).where(turns.name == "projector", turns.turn == self._turn).with_for_update()
        with self.engine.begin() as connection:
            if connection.execute(mine).first() is None:
                raise Overtaken("the rows were changed since this projector's last turn")
            its = standing()
            values = {
                "as_of_us": None if its.as_of is None else int(its.as_of.timestamp() * 1_000_000),
                "lag_ms": None if its.lag_seconds is None else int(its.lag_seconds * 1000) + 1,
                "behind": its.behind,
                "trouble": its.trouble[:500],
                "gate_as_of_us": None if its.gate_as_of is None else int(its.gate_as_of.timestamp() * 1_000_000),
                "gate_lag_ms": None if its.gate_lag_seconds is None else int(its.gate_lag_seconds * 1000) + 1,
            }
            written = update(row).where(row.c.name == "projector").values(beats=row.c.beats + 1, **values)
            if connection.execute(written).rowcount == 0:
                connection.execute(row.insert().values(name="projector", beats=1, **values))

    def forget_answered(self, after_us: int, before_us: int) -> int:
        """Deletes rows of `ASKED_HOLDS` whose request a fact has answered. Only requests that were made after
        `after_us` and not after `before_us` (microseconds since 1970 UTC) are examined, and at most `FORGOTTEN_AT_ONCE`
        rows, the oldest first, and all others of the same time as the last of them. Returns the time up to which the rows
        were examined.

        Deleting such a row does not change the gate's answer, because a row counts only while no fact of its key names
        the request as its cause. While a rebuild makes the rows anew and that fact is missing, the answer is `stale`.
        Three kinds of rows are kept, because they may still be needed: requests without an answer; requests that an
        operator discarded, which no fact names; and retractions (`CALLED_BACK`), which count until the release desk has
        published a fact that takes them into account.
        """
        a, f = t.ASKED_HOLDS.c, t.FACTS.c
        requests = select(a.request_id, a.about, a.asked_us).where(a.asked_us > after_us, a.asked_us <= before_us)
        with self.engine.begin() as connection:
            rows = list(connection.execute(requests.order_by(a.asked_us).limit(FORGOTTEN_AT_ONCE)))
            full = len(rows) == FORGOTTEN_AT_ONCE
            if full:  # the next call begins after the time of the last row, so all rows of that time are taken now
                last_us = rows[-1].asked_us
                same = select(a.request_id, a.about, a.asked_us).where(a.asked_us == last_us)
                rows = [*[row for row in rows if row.asked_us != last_us], *connection.execute(same)]
            for chunk in _chunks(rows):
                about, wanted = {row.about for row in chunk}, {(row.request_id, row.about) for row in chunk}
                facts = select(f.cause, f.key, f.kind).where(f.key.in_(about), f.cause.in_([row[0] for row in chunk]))
                found = list(connection.execute(facts))
                kept = {fact.cause for fact in found if fact.kind in CALLED_BACK}
                gone = {fact.cause for fact in found if (fact.cause, fact.key) in wanted} - kept
                if gone:
                    connection.execute(delete(t.ASKED_HOLDS).where(a.request_id.in_(gone), a.about.in_(about)))
        return int(rows[-1].asked_us) if full else before_us

    def reader(self, connection: Connection) -> "StoredRows":
        """Returns the object by which `batch.fold` reads the present rows."""
        return StoredRows(connection, self._consignments)

    def write(self, connection: Connection, batch: Batch, moved: Mapping[tuple[str, int], tuple[int, int]]) -> int:
        """Writes the rows of the batch and returns how many entries were added to the feed. `moved`: for each topic and partition, the
        next offset before and after this batch.

        Raises Overtaken if the offsets in SQL are not those from before the batch. The caller must then roll its transaction back.
        """
        self._move(connection, moved)
        self._rows(connection, "facts", batch.facts)
        self._consignment_rows(connection, batch)
        self._holds(connection, batch)
        self._rows(connection, "containers", map(_CONTAINER, batch.containers.values()))
        self._rows(connection, "consignment_containers", map(_PART, batch.parts.values()))
        self._rows(connection, "container_reports", map(_REPORT, batch.reports.values()))
        self._rows(connection, "container_holds", map(_BOX_HOLD, batch.box_holds.values()))
        self._rows(connection, "parked", map(_ASIDE, batch.asides.values()))
        self._rows(connection, "refusals", batch.refusals)
        self._rows(connection, "alarms", batch.alarms)
        self._rows(connection, "watch_facts", batch.watches.values())
        for stage, change in batch.stage_changes().items():
            counts = t.STAGE_COUNTS
            connection.execute(
                update(counts).where(counts.c.stage == stage).values(consignments=counts.c.consignments + change)
            )
        return self._feed(connection, batch)

    def committed(self, batch: Batch, fed: int) -> None:
        """Puts the rows of the batch into the cache. Call it after the commit. `fed`: how many entries were added to the feed."""
        self._turn += 1
        self._cursor += fed
        self._epoch_begun = self._epoch_begun or fed > 0
        for at, _, _ in batch.releases:
            self._fed[at >> OFFSET_BITS] = max(at, self._fed.get(at >> OFFSET_BITS, -1))
        cache = self._consignments
        for key, row in batch.consignments.items():
            cache[key] = row
            cache.move_to_end(key)
        while len(cache) > self._cache:
            cache.popitem(last=False)

    def _consignment_rows(self, connection: Connection, batch: Batch) -> None:
        """Writes the consignments. If the declaration of a row has not changed, only the other columns are updated, so that the search
        indexes are not rewritten."""
        whole, moving = [], []
        for key, row in batch.consignments.items():
            old = batch.before.get(key)
            if old is not None and _PAPER(old) == _PAPER(row):
                moving.append(_MOVING(row))
            else:
                whole.append(_CONSIGNMENT(row))
        self._rows(connection, "consignments", whole)
        if moving:
            self._move_on(connection, moving)

    def _rows(self, connection: Connection, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        listed = list(rows)
        if listed:
            self._write[name](connection, listed)

    def _move(self, connection: Connection, moved: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        rows = [(after, topic, partition, before) for (topic, partition), (before, after) in moved.items()]
        if rows and self._advance(connection, rows) != len(rows):
            raise Overtaken("the offsets in SQL are not those that this projector wrote")

    def _holds(self, connection: Connection, batch: Batch) -> None:
        gone: list[str] = []
        new: list[tuple[Any, ...]] = []
        for key, row in batch.consignments.items():
            old = batch.before.get(key)
            before = old.holds if old is not None else ()
            if row.holds != before:
                if before:
                    gone.append(key)
                once = {h.hold_id: h for h in row.holds}.values()
                new += [(key, h.hold_id, h.owner, h.reason, h.lifted_by, h.since_us) for h in once]
        for chunk in _chunks(gone):
            connection.execute(delete(t.HOLDS).where(t.HOLDS.c.consignment_id.in_(chunk)))
        self._rows(connection, "holds", new)

    def _feed(self, connection: Connection, batch: Batch) -> int:
        new = self._untold(connection, batch)
        if not new:
            return 0
        if not self._epoch_begun:
            first = self._cursor + 1
            connection.execute(
                delete(t.FEED_EPOCHS).where(t.FEED_EPOCHS.c.first_number >= first)
            )  # epochs that begin here or later have no entries
            connection.execute(t.FEED_EPOCHS.insert(), [{"epoch": self._epoch, "first_number": first}])
        rows = [
            {"cursor": self._cursor + number, "place": at, "consignment_id": key, "fact_id": id_}
            for number, (at, key, id_) in enumerate(new, 1)
        ]
        connection.execute(t.RELEASES.insert(), rows)
        return len(new)

    def _untold(self, connection: Connection, batch: Batch) -> list[tuple[int, str, str]]:
        """Returns the entries of the batch that the feed does not have yet. An entry of the feed is deleted if the
        batch has an entry for the same message with another fact id; one of the two ids may be empty."""
        late = [at for at, _, _ in batch.releases if at <= self._fed.get(at >> OFFSET_BITS, -1)]
        if not late:
            return batch.releases
        r = t.RELEASES.c
        known: dict[int, str] = {}
        for chunk in _chunks(late):
            known |= {
                row.place: row.fact_id
                for row in connection.execute(select(r.place, r.fact_id).where(r.place.in_(chunk)))
            }
        changed = [at for at, _, id_ in batch.releases if known.get(at, id_) != id_]
        for chunk in _chunks(changed):
            connection.execute(delete(t.RELEASES).where(r.place.in_(chunk)))
        return [one for one in batch.releases if known.get(one[0]) != one[2]]


class StoredRows:
    """Reads the present rows for `batch.fold`, many with one SQL statement. Consignments that are in the cache are not
    read from the database."""

    def __init__(self, connection: Connection, cache: Mapping[str, Consignment]) -> None:
        self._connection = connection
        self._cached = cache

    def consignments(self, keys: Iterable[str]) -> Mapping[str, Consignment]:
        found: dict[str, Consignment] = {}
        missing: list[str] = []
        for key in keys:
            row = self._cached.get(key)
            if row is None:
                missing.append(key)
            else:
                found[key] = row
        rows = self._read(t.CONSIGNMENTS, "consignment_id", missing)
        holds: dict[str, list[OpenHold]] = {}
        held = [row[0] for row in rows if row[_STATEMENT]]
        for hold in self._read(t.HOLDS, "consignment_id", held):
            holds.setdefault(hold[0], []).append(OpenHold(*hold[1:]))
        for read in rows:
            found[read[0]] = Consignment(*read)
            found[read[0]].holds = tuple(sorted(holds.get(read[0], ())))
        return found

    def containers(self, keys: Iterable[str]) -> Mapping[str, Container]:
        return {row[0]: Container(*row) for row in self._read(t.CONTAINERS, "container_no", list(keys))}

    def parts(self, keys: Iterable[Pair]) -> Mapping[Pair, ContainerPart]:
        wanted = set(keys)
        rows = self._read(t.CONSIGNMENT_CONTAINERS, "consignment_id", list({pair[1] for pair in wanted}))
        return {(row[0], row[1]): ContainerPart(*row) for row in rows if (row[0], row[1]) in wanted}

    def reports(self, keys: Iterable[Pair]) -> Mapping[Pair, ReportRow]:
        wanted = set(keys)
        rows = self._read(t.CONTAINER_REPORTS, "container_no", list({pair[0] for pair in wanted}))
        return {(row[0], row[1]): ReportRow(*row) for row in rows if (row[0], row[1]) in wanted}

    def box_holds(self, keys: Iterable[Pair]) -> Mapping[Pair, BoxHold]:
        wanted = set(keys)
        rows = self._read(t.CONTAINER_HOLDS, "container_no", list({pair[0] for pair in wanted}))
        return {(row[0], row[1]): BoxHold(*row) for row in rows if (row[0], row[1]) in wanted}

    def asides(self, keys: Iterable[Origin]) -> Mapping[Origin, Aside]:
        wanted = set(keys)
        rows = self._read(t.PARKED, "offset", [key[3] for key in wanted])
        return {(row[0], row[1], row[2], row[3]): Aside(*row) for row in rows if tuple(row[:4]) in wanted}

    def _read(self, table: Table, column: str, keys: list[Any]) -> Sequence[Any]:
        if not keys:
            return ()
        names = ", ".join([f'"{each.name}"' for each in table.columns])
        text = f'SELECT {names} FROM "{table.name}" WHERE "{column}"'
        if self._connection.dialect.name == "sqlite":
            listed = orjson.dumps(keys).decode()
            return self._connection.exec_driver_sql(f"{text} IN (SELECT value FROM json_each(?))", (listed,)).all()
        return self._connection.exec_driver_sql(f"{text} = ANY(%s)", (keys,)).all()


def _chunks(keys: Sequence[K]) -> Iterable[Sequence[K]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


_STATEMENT = _columns(t.CONSIGNMENTS).index("word")
_CONSIGNMENT = attrgetter(*_columns(t.CONSIGNMENTS))
_PAPER_COLUMNS = tuple(name for name in _columns(t.CONSIGNMENTS) if name in PAPER)
_MOVING_COLUMNS = tuple(n for n in _columns(t.CONSIGNMENTS) if n not in PAPER and n != "consignment_id")
_PAPER = attrgetter(*_PAPER_COLUMNS)
_MOVING = attrgetter(*_MOVING_COLUMNS, "consignment_id")
_CONTAINER = attrgetter(*_columns(t.CONTAINERS))
_PART = attrgetter(*_columns(t.CONSIGNMENT_CONTAINERS))
_REPORT = attrgetter(*_columns(t.CONTAINER_REPORTS))
_BOX_HOLD = attrgetter(*_columns(t.CONTAINER_HOLDS))
_ASIDE = attrgetter(*_columns(t.PARKED))


def _writer(table: Table, dialect: str) -> Callable[[Connection, list[tuple[Any, ...]]], None]:
    """Returns a function that writes rows with all columns in the table's order, all with one SQL statement. A row with
    the same key is replaced."""
    names = [f'"{column.name}"' for column in table.columns]
    keys = [f'"{column.name}"' for column in table.primary_key.columns]
    rest = [name for name in names if name not in keys]
    change = f"UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in rest)}" if rest else "NOTHING"
    head, tail = f'INSERT INTO "{table.name}" ({", ".join(names)})', f"ON CONFLICT ({', '.join(keys)}) DO {change}"
    if dialect == "sqlite":
        marks = ", ".join("?" * len(names))
        statement = f"{head} VALUES ({marks}) {tail}"
        return lambda connection, rows: _many(connection, statement, rows)
    # Facts are written by COPY, which has no ON CONFLICT. ON CONFLICT is not needed for facts, because the offsets are
    # written in the same transaction, so no fact is written twice.
    if table is t.FACTS:
        copied = f'COPY "{table.name}" ({", ".join(names)}) FROM STDIN'
        return lambda connection, rows: _copy(connection, copied, rows)
    arrays = ", ".join(f"%s::{_array(column.type)}" for column in table.columns)
    unnested = f"{head} SELECT * FROM unnest({arrays}) {tail}"
    return lambda connection, rows: _many(
        connection, unnested, tuple([list(column) for column in zip(*rows, strict=True)])
    )


def _updater(table: Table, names: tuple[str, ...], dialect: str) -> Callable[[Connection, list[tuple[Any, ...]]], None]:
    """Returns a function that updates these columns of present rows; each row given to it ends with its key."""
    key = next(iter(table.primary_key.columns))
    if dialect == "sqlite":
        changes = ", ".join([f"{name} = ?" for name in names])
        one = f'UPDATE "{table.name}" SET {changes} WHERE {key.name} = ?'
        return lambda connection, rows: _many(connection, one, rows)
    arrays = ", ".join([f"%s::{_array(table.columns[name].type)}" for name in (*names, key.name)])
    changes = ", ".join([f"{name} = new.{name}" for name in names])
    many = (
        f'UPDATE "{table.name}" old SET {changes} FROM unnest({arrays}) AS new({", ".join(names)}, {key.name}) '
        f"WHERE old.{key.name} = new.{key.name}"
    )
    return lambda connection, rows: _many(connection, many, tuple([list(c) for c in zip(*rows, strict=True)]))


def _mover(dialect: str) -> Callable[[Connection, list[tuple[Any, ...]]], int]:
    """Returns a function that takes rows (after, topic, partition, before), and sets each offset that has the value
    `before` to `after`. The returned function returns how many offsets it has set."""
    if dialect == "sqlite":
        one = 'UPDATE offsets SET next_offset = ? WHERE topic = ? AND "partition" = ? AND next_offset = ?'
        return lambda connection, rows: connection.exec_driver_sql(one, rows).rowcount
    many = (
        "UPDATE offsets o SET next_offset = m.after "
        "FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::bigint[]) AS m(after, topic, part, before) "
        'WHERE o.topic = m.topic AND o."partition" = m.part AND o.next_offset = m.before'
    )
    return lambda connection, rows: (
        connection.exec_driver_sql(many, tuple([list(column) for column in zip(*rows, strict=True)])).rowcount
    )


def _copy(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _many(connection: Connection, statement: str, rows: Any) -> None:
    connection.exec_driver_sql(statement, rows)


def _array(type_: Any) -> str:
    match type_:
        case Boolean():
            return "boolean[]"
        case SmallInteger():
            return "smallint[]"
        case BigInteger():
            return "bigint[]"
        case Integer():
            return "integer[]"
        case _:
            return "text[]"
