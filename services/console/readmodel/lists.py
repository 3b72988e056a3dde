"""In which order are the rows of a long list, and where does its next page begin? Each page begins after the last row
of the page before. An index finds this row by its values in the columns by which the list is sorted."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from schemas.bounds import identifier
from schemas.vocabulary import Stage
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import SEVERAL, STEPS, UNMATCHED, AwaitedCode, Mover, plain


class ListPosition(NamedTuple):
    """The place of a row in a list. `passed`: which row of the whole list it is, counted from 1; `part`: the number of the part of the
    list in which the row is, counted from 0; `keys`: the values of the row in the columns by which this part is
    sorted."""

    passed: int
    part: int
    keys: tuple[int | str, ...]


class ListPart(NamedTuple):
    """A part of a list: the rows of `table` for which at least one of the conditions `wanted` is true, sorted by the
    columns of `order`.

    Each condition has an index that begins with its columns and goes on with those of `order`. A row for which two
    conditions are true is shown once. `latest_first`: all columns of `order` descend. `columns`: what is selected, by
    default all of `table`. `empty`: columns that stand before those of `order` in the index and are null in every row
    of this part; PostgreSQL uses the index for sorting only if ORDER BY names them, too.
    """

    table: FromClause
    wanted: tuple[ColumnElement[bool], ...]
    order: tuple[Column[Any], ...]
    latest_first: bool = False
    columns: tuple[ColumnElement[Any], ...] = ()
    empty: tuple[Column[Any], ...] = ()

    def queries(self, keys: Sequence[int | str] | None, limit: int) -> list[Select[Any]]:
        """Returns one query for each condition of `wanted`, with at most `limit` rows. `keys`: the keys of the row after which the query
        begins; None to begin with the first row."""
        named = (*self.empty, *self.order)
        order = [column.desc() for column in named] if self.latest_first else list(named)
        made = []
        for condition in self.wanted:
            query = select(*(self.columns or self.table.c)).select_from(self.table).where(condition)
            if keys is not None:
                here = tuple_(*self.order)
                there = tuple_(*[literal(key, column.type) for key, column in zip(keys, self.order, strict=True)])
                query = query.where(here < there if self.latest_first else here > there)
            made.append(query.order_by(*order).limit(limit))
        return made

    def keys(self, row: Row[Any]) -> tuple[int | str, ...]:
        return tuple([row._mapping[column] for column in self.order])

    def takes(self, keys: Sequence[Any]) -> bool:
        """Returns whether these values may be the keys of a row of this part: their number and types must be those of the columns in
        `order`."""
        kinds = [int if isinstance(column.type, (BigInteger, Integer)) else str for column in self.order]
        return len(keys) == len(kinds) and all(type(k) is kind for k, kind in zip(keys, kinds, strict=True))


def read(
    connection: Connection, parts: Sequence[ListPart], after: ListPosition | None, limit: int
) -> list[tuple[ListPosition, Row[Any]]]:
    """Returns the first `limit` rows of a list after the position `after` (None: from the beginning of the list), each with its own
    position."""
    found: list[tuple[ListPosition, Row[Any]]] = []
    passed = after.passed if after else 0
    for number, part in enumerate(parts):
        if (after and number < after.part) or len(found) == limit:
            continue
        keys = after.keys if after and number == after.part else None
        rows = _merged(connection, part, keys, limit - len(found))
        found += [(ListPosition(passed + len(found) + n, number, part.keys(row)), row) for n, row in enumerate(rows, 1)]
    return found


def _merged(connection: Connection, part: ListPart, keys: Sequence[int | str] | None, limit: int) -> list[Row[Any]]:
    lists = [list(connection.execute(query)) for query in part.queries(keys, limit)]
    ordered = merge(*lists, key=part.keys, reverse=part.latest_first)
    return list(islice(_once(part, ordered), limit))


def _once(part: ListPart, ordered: Iterator[Row[Any]]) -> Iterator[Row[Any]]:
    before = None
    for row in ordered:
        if (keys := part.keys(row)) != before:
            yield row
        before = keys


# the lists

SHOWN_CHARACTERS = 2000
"""The most characters of an alarm's reason that the list of alarms shows."""


def parked() -> list[ListPart]:
    """Returns the list of the messages that are set aside now, the newest first, without their contents."""
    p = t.PARKED.c
    columns = tuple([column for column in p if column is not p.value])
    order = (p.parked_us, p.service, p.topic, p.partition, p.offset)
    return [ListPart(t.PARKED, (and_(p.status == "parked", p.parked_us.is_not(None)),), order, True, columns)]


def alarms(kind: str | None, subject: str | None) -> list[ListPart]:
    """Returns the list of the alarms of this kind and about this subject, the newest first. None stands for every kind, or for every
    subject."""
    a = t.ALARMS.c
    wanted: list[ColumnElement[bool]] = [a.raised_us.is_not(None)]
    wanted += [column == value for column, value in ((a.kind, kind), (a.subject, subject)) if value is not None]
    columns = (
        a.place,
        a.kind,
        a.subject,
        func.substr(a.reason, 1, SHOWN_CHARACTERS).label("reason"),
        a.raised_us,
        a.alarm,
    )
    return [ListPart(t.ALARMS, (and_(*wanted),), (a.raised_us, a.place), latest_first=True, columns=columns)]


def at_stage(stage: Stage) -> list[ListPart]:
    """Returns the list of the consignments at this stage. Those that have waited longest come first. Those for which nobody has to act any
    more come after them, the latest ended first."""
    c = t.CONSIGNMENTS.c
    here, by_id = and_(c.stage == stage, c.ended_us.is_(None)), (c.consignment_id,)
    known, unknown = and_(here, c.waiting_since_us.is_not(None)), and_(here, c.waiting_since_us.is_(None))
    waiting = [
        ListPart(t.CONSIGNMENTS, (known,), (c.waiting_since_us, *by_id)),
        ListPart(t.CONSIGNMENTS, (unknown,), by_id, empty=(c.waiting_since_us,)),
    ]
    over = and_(c.stage == stage, c.ended_us.is_not(None))
    ended = [ListPart(t.CONSIGNMENTS, (over,), (c.ended_us, *by_id), latest_first=True)]
    # At the stage RELEASED there are both kinds of goods: those that still have to leave, and those that have ended,
    # because goods without containers end with their release.
    if stage is Stage.RELEASED:
        return waiting + ended
    return waiting if stage in t.OPEN_STAGES else ended


def awaiting(awaited: AwaitedCode | None, mover: Mover | None) -> list[ListPart]:
    """Returns the list of the goods that wait for `awaited` and for which `mover` has to act; one of the two may be
    None and does not restrict the list then. Goods that wait for a step (`STEPS`) come first, then goods that wait for
    the end of a hold; in each of these parts, those that have waited longest come first. All open holds of the goods
    count, not only the first one. Each consignment is listed once.
    """
    if awaited in STEPS:
        return _waiting_for_steps(_C.waiting_for == awaited, *_moved_by(_C.waiting_owner, mover))
    if awaited is not None and awaited not in SEVERAL:
        # Here `awaited` is the id of a hold, and goods have at most one hold with this id.
        return [_held(*_of_holds(_H, awaited, mover))]
    # All goods with a hold of a kind in `SEVERAL` wait for an officer. So the owner is known even if `mover` is None,
    # and the database can use the index by owner.
    other, owner = t.HOLDS.alias().c, mover or Mover.OFFICER
    before = tuple_(other.since_us, other.hold_id) < tuple_(_H.since_us, _H.hold_id)
    first = not_(exists().where(other.consignment_id == _H.consignment_id, *_of_holds(other, awaited, owner), before))
    if awaited is not None:
        return [_held(*_of_holds(_H, awaited, owner), first)]
    step = and_(*_moved_by(_C.waiting_owner, mover), _C.waiting_for.in_(STEPS))
    return [*_waiting_for_steps(step), _held(*_of_holds(_H, awaited, owner), first, not_(step))]


def waits(awaited: AwaitedCode | None, mover: Mover | None) -> ColumnElement[bool]:
    """Returns the SQL condition that a consignment is in the list that `awaiting` returns for the same arguments. Other
    lists can be restricted by this condition."""
    step = [_C.waiting_for.in_(STEPS), *_moved_by(_C.waiting_owner, mover)]
    held = [_H.consignment_id == _C.consignment_id, *_of_holds(_H, awaited, mover)]
    if awaited is not None:
        step.append(_C.waiting_for == awaited)
    return and_(_IN_HAND, or_(and_(*step), exists().where(*held)))


_C, _H = t.CONSIGNMENTS.c, t.HOLDS.c
_IN_HAND = and_(_C.ended_us.is_(None), _C.stage != UNMATCHED)


def _moved_by(column: Column[Any], mover: Mover | None) -> list[ColumnElement[bool]]:
    return [] if mover is None else [column == mover]


def _of_holds(
    hold: ReadOnlyColumnCollection[str, Column[Any]], awaited: AwaitedCode | None, mover: Mover | None
) -> list[ColumnElement[bool]]:
    """Returns the SQL conditions that goods with the hold `hold` wait for `awaited`, and that `mover` has to act on
    this hold. If one of the two is None, there is no condition about it."""
    if awaited is None:
        return _moved_by(hold.owner, mover)
    begins = SEVERAL.get(awaited)
    return [*_moved_by(hold.owner, mover), hold.hold_id.startswith(begins) if begins else hold.hold_id == awaited]


def _waiting_for_steps(*wanted: ColumnElement[bool]) -> list[ListPart]:
    """Returns the parts of a list with the declared goods for which somebody still has to act (`_IN_HAND`) and whose row in
    `CONSIGNMENTS` meets all conditions `wanted`. Goods of which it is unknown since when they have waited come last."""
    here, by_id = and_(*wanted, _IN_HAND), (_C.consignment_id,)
    known, unknown = and_(here, _C.waiting_since_us.is_not(None)), and_(here, _C.waiting_since_us.is_(None))
    return [
        ListPart(t.CONSIGNMENTS, (known,), (_C.waiting_since_us, *by_id)),
        ListPart(t.CONSIGNMENTS, (unknown,), by_id, empty=(_C.waiting_since_us,)),
    ]


def _held(*wanted: ColumnElement[bool]) -> ListPart:
    """Returns the part of a list with the declared goods for which somebody still has to act (`_IN_HAND`) and which have an open hold
    that meets all conditions `wanted`."""
    joined = t.HOLDS.join(t.CONSIGNMENTS, _H.consignment_id == _C.consignment_id)
    here = and_(*wanted, _H.since_us.is_not(None), _IN_HAND)
    return ListPart(joined, (here,), (_H.since_us, _H.consignment_id), columns=(*_C, _H.since_us, _H.consignment_id))


def unmatched(until_us: int) -> list[ListPart]:
    """Returns the list of the goods that nobody has declared and that have waited since `until_us` (microseconds since
    1970 UTC) or longer. Those that have waited for the shortest time come first."""
    c = t.CONSIGNMENTS.c
    here = and_(c.stage == UNMATCHED, c.ended_us.is_(None), c.waiting_since_us <= until_us)
    return [ListPart(t.CONSIGNMENTS, (here,), (c.waiting_since_us, c.consignment_id), latest_first=True)]


def everything() -> list[ListPart]:
    """Returns the list of all consignments that were lodged, the latest lodged first."""
    c = t.CONSIGNMENTS.c
    return [ListPart(t.CONSIGNMENTS, (c.lodged_us.is_not(None),), (c.lodged_us, c.consignment_id), latest_first=True)]


def declared_by(companies: Sequence[str]) -> list[ListPart]:
    """Returns the list of all consignments of these declarants that were lodged, the latest lodged first."""
    c = t.CONSIGNMENTS.c
    own = tuple([and_(c.declarant == company, c.lodged_us.is_not(None)) for company in companies])
    return [ListPart(t.CONSIGNMENTS, own, (c.lodged_us, c.consignment_id), latest_first=True)] if own else []


def named(name: str) -> list[ListPart]:
    """Returns the list of the consignments that have this text as id, declaration number, declarant, consignee,
    reference or bill, the latest lodged first. Consignments that were not lodged come after these, and at the end those
    in the container with this number. The text is searched as it was typed, all in upper case, and all in lower
    case."""
    c, p = t.CONSIGNMENTS.c, t.CONSIGNMENT_CONTAINERS.c
    names = sorted(
        {form for spelling in (name, identifier(name)) for form in (spelling, spelling.upper(), spelling.lower())}
    )
    columns = (c.consignment_id, c.declaration_no, c.declarant, c.consignee, c.reference, c.bill_no)
    some = [column == name for column in columns for name in names]
    lodged = tuple([and_(one, c.lodged_us.is_not(None)) for one in some])
    not_lodged = tuple([and_(one, c.lodged_us.is_(None)) for one in some])
    inside = and_(p.container_no == plain(name), *[column.not_in(names) for column in columns])
    joined = t.CONSIGNMENT_CONTAINERS.join(t.CONSIGNMENTS, p.consignment_id == c.consignment_id)
    return [
        ListPart(t.CONSIGNMENTS, lodged, (c.lodged_us, c.consignment_id), latest_first=True),
        ListPart(t.CONSIGNMENTS, not_lodged, (c.consignment_id,), latest_first=True, empty=(c.lodged_us,)),
        ListPart(joined, (inside,), (p.consignment_id,), columns=(*c, p.consignment_id)),
    ]
