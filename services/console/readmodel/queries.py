"""Which rows answer a question? Queries only read, in short transactions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Join,
    Row,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)

from schemas.vocabulary import Owner, Stage, is_consignment_id, plain_word
from services.console.readmodel import tables as t
from services.console.readmodel.batch import FEED_TOPIC
from services.console.readmodel.byte_length import ByteLength
from services.console.readmodel.consignment import Consignment, OpenHold
from services.console.readmodel.container import Container, ReportRow
from services.console.readmodel.container_rows import (
    MAY_HAVE_BEEN_IN,
    MOST_INSIDE,
    SHOWN_HOLDS,
    ContainerRows,
    is_watched,
    may_have_been_in,
    rows_of_container,
)
from services.console.readmodel.cursors import Cursor, WrongFeed
from services.console.readmodel.lists import ListPart, ListPosition, alarms, read
from services.console.readmodel.messages import OFFSET_BITS
from services.shell.clock import now

BODY_BYTES = 16_000
"""The most bytes of a message's content that a list shows. A list leaves out a longer content and links to it."""
LONGEST_TIMELINE = 10_000
"""The most messages of one key that a timeline lists. Contents are read only for the messages that are shown."""
CLEARANCE_SAMPLE = 1000
"""How many of the latest entries of the feed are read to compute the clearance times on the board. They are releases
and revocations, of imports and exports together."""
LISTED_HOLDS = 1000
"""The most open holds that are read for the consignments of one page of a list."""
SAME_NAME = 100
"""The most consignments with one declaration number or reference that are read. Several declarants may use the same
reference."""
COUNTED_ALARMS = 10_000
"""The most alarms of one kind that the board counts, beginning with the latest."""
C = t.CONSIGNMENTS.c
CONSIGNMENT_COLUMNS = len(C)
WATCH_COLUMNS = tuple([column.name for column in t.ASKED_WATCHES.columns])


class AlarmKind(NamedTuple):
    """The alarms of one kind. `alarms`: how many there are, at most `COUNTED_ALARMS`; `raised_us`: when the newest was raised
    (microseconds since 1970 UTC). `newest`: for each of the subjects with the newest alarms, its newest alarm and how many alarms it has.
    """

    kind: str
    alarms: int
    raised_us: int
    newest: list[tuple[Row[Any], int]]


class ReadModelQueries:
    """The queries of the API and the pages on the read model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _all(self, *queries: Select[Any]) -> list[list[Row[Any]]]:
        with self._engine.begin() as connection:
            return [list(connection.execute(query)) for query in queries]

    def alive(self) -> None:
        """Reads one table to test the database. Raises one of `DATABASE_ERRORS` if the database is not available."""
        self._all(select(func.count()).select_from(t.STAGE_COUNTS))

    # consignments

    def consignment(self, consignment_id: str) -> Consignment | None:
        rows, holds = self._all(
            select(t.CONSIGNMENTS).where(C.consignment_id == consignment_id),
            select(t.HOLDS).where(t.HOLDS.c.consignment_id == consignment_id),
        )
        return _consignment(rows[0], holds) if rows else None

    def names(self, consignments: Sequence[str], visible: ColumnElement[bool] | None = None) -> dict[str, str]:
        """Returns the declaration number of each consignment, by consignment id. If a consignment has no number yet, the declarant's
        reference takes its place. Consignments that are unknown, or that the reader may not see (`visible`), are left out."""
        if not consignments:
            return {}
        query = select(C.consignment_id, C.declaration_no, C.reference)
        query = query.where(C.consignment_id.in_(consignments), _all_or(visible))
        return {row.consignment_id: row.declaration_no or row.reference for row in self._all(query)[0]}

    def called(self, name: str, visible: ColumnElement[bool] | None) -> list[str]:
        """Returns the consignments with this declaration number or reference that the reader may see (`visible`), the latest first; at most
        `SAME_NAME`."""
        wanted = and_(or_(C.declaration_no == name, C.reference == name), _all_or(visible))
        query = select(C.consignment_id).where(wanted).order_by(C.lodged_us.desc()).limit(SAME_NAME)
        return [row.consignment_id for row in self._all(query)[0]]

    def officers_holds(self, consignments: Sequence[str]) -> dict[str, list[Row[Any]]]:
        """Returns consignment id → the open holds of officers on this consignment, the oldest first; at most
        `SHOWN_HOLDS` in all."""
        h = t.HOLDS.c
        wanted = and_(h.consignment_id.in_(consignments), h.owner == Owner.OFFICER.value)
        query = select(t.HOLDS).where(wanted).order_by(h.since_us, h.consignment_id, h.hold_id).limit(SHOWN_HOLDS)
        found: dict[str, list[Row[Any]]] = {}
        for row in self._all(query)[0]:
            found.setdefault(row.consignment_id, []).append(row)
        return found

    def with_holds(self, goods: Sequence[Consignment]) -> Sequence[Consignment]:
        """Adds to each of these consignments its open holds, at most `LISTED_HOLDS` in all, and returns the consignments."""
        h = t.HOLDS.c
        names = [each.consignment_id for each in goods]
        query = select(t.HOLDS).where(h.consignment_id.in_(names)).order_by(h.since_us, h.hold_id).limit(LISTED_HOLDS)
        found: dict[str, list[OpenHold]] = {}
        for row in self._all(query)[0] if names else ():
            hold = OpenHold(row.hold_id, row.owner, row.reason, row.lifted_by, row.since_us)
            found.setdefault(row.consignment_id, []).append(hold)
        for each in goods:
            each.holds = tuple(found.get(each.consignment_id, ()))
        return goods

    def boxes_named(self, declarant: str, since_us: int, most: int) -> set[str]:
        """Returns the numbers of the containers in the declarations of this declarant that were lodged since `since_us` (microseconds
        since 1970 UTC). Stops reading as soon as there are at least `most` of them."""
        query = select(C.containers).where(C.declarant == declarant, C.lodged_us >= since_us, C.containers != "")
        found: set[str] = set()
        with self._engine.begin() as connection:
            for row in connection.execute(query.distinct()):
                found.update(row.containers.split())
                if len(found) >= most:
                    break
        return found

    def timeline(self, key: str) -> list[Row[Any]]:
        """Returns the messages under this key, at most `LONGEST_TIMELINE`, in the order of the column `place`, without
        their contents. `size`: how many bytes the content of the message has."""
        f = t.FACTS.c
        columns = (f.place, f.key, f.kind, f.id, f.cause, f.sequence, f.recorded_us, ByteLength(f.body).label("size"))
        return self._all(select(*columns).where(f.key == key).order_by(f.place).limit(LONGEST_TIMELINE))[0]

    def newest(self, key: str, kinds: Iterable[str], most: int) -> list[Row[Any]]:
        """Returns the newest messages of these kinds under this key, at most `most`, with their contents, the newest
        first. All kinds must be of one topic, because the column `place` does not order messages of several topics by
        time."""
        f = t.FACTS.c
        query = select(f.place, f.kind, f.cause, f.body).where(f.key == key, f.kind.in_(list(kinds)))
        return self._all(query.order_by(f.place.desc()).limit(most))[0]

    def bodies(self, positions: Iterable[int]) -> dict[int, str]:
        """Returns the contents of the messages at these packed positions, by packed position. Positions at which no
        message is stored are left out."""
        f, wanted = t.FACTS.c, list(positions)
        found: dict[int, str] = {}
        for start in range(0, len(wanted), 500):
            rows = self._all(select(f.place, f.body).where(f.place.in_(wanted[start : start + 500])))[0]
            found |= {row.place: row.body for row in rows}
        return found

    def fact(self, key: str, id: str) -> Row[Any] | None:
        """Returns the first message under this key that has this id, without its content; None if there is none."""
        return next((row for row in self.timeline(key) if row.id == id), None)

    def refusals(self, subject: str) -> list[Row[Any]]:
        query = select(t.REFUSALS).where(t.REFUSALS.c.subject == subject).order_by(t.REFUSALS.c.refused_us).limit(200)
        return self._all(query)[0]

    # the board

    def counts(self) -> dict[str, int]:
        return {row.stage: row.consignments for row in self._all(select(t.STAGE_COUNTS))[0]}

    def oldest(self, stages: Iterable[Stage], visible: ColumnElement[bool] | None = None) -> Mapping[str, Consignment]:
        """Returns for each stage the consignment that has waited longest there. `visible`: the condition for the consignments that the
        reader may see; None if the reader may see all."""
        queries = [
            select(t.CONSIGNMENTS)
            .where(C.stage == stage, C.ended_us.is_(None), C.waiting_since_us.is_not(None), _all_or(visible))
            .order_by(C.waiting_since_us)
            .limit(1)
            for stage in stages
        ]
        return {rows[0].stage: _consignment(rows[0], ()) for rows in self._all(*queries) if rows}

    def longest_waiting(
        self, stages: Iterable[Stage], limit: int, visible: ColumnElement[bool] | None = None
    ) -> list[Consignment]:
        """Returns the consignments at these stages that have waited longest, at most `limit`, the longest waiting first. `visible`: as in
        `oldest`."""
        queries = [
            select(t.CONSIGNMENTS)
            .where(C.stage == stage, C.ended_us.is_(None), C.waiting_since_us.is_not(None), _all_or(visible))
            .order_by(C.waiting_since_us)
            .limit(limit)
            for stage in stages
        ]
        found = [_consignment(row, ()) for rows in self._all(*queries) for row in rows]
        return sorted(found, key=lambda row: (row.waiting_since_us or 0, row.consignment_id))[:limit]

    def waiting_since(self, stages: Iterable[Stage], *hundredths: int) -> Mapping[Stage, list[int]]:
        """Returns stage → one time for each percentile in `hundredths`, in the same order: since when the consignment
        at that percentile of the waiting times has waited (microseconds since 1970 UTC). Stages without goods are left
        out. All times are of one moment, because the reader's transaction has one snapshot."""
        found: dict[Stage, list[int]] = {}
        with self._engine.begin() as connection:
            for stage in stages:
                here = and_(C.stage == stage, C.ended_us.is_(None), C.waiting_since_us.is_not(None))
                size: int = connection.execute(select(func.count()).where(here)).scalar_one()
                ordered = select(C.waiting_since_us).where(here).order_by(C.waiting_since_us).limit(1)
                # a stage without goods has no times
                if size:
                    indexes = [min(size * (100 - share) // 100, size - 1) for share in hundredths]
                    found[stage] = [connection.execute(ordered.offset(index)).scalar_one() for index in indexes]
        return found

    def releases_for_clearance_times(self) -> list[tuple[str, str, int | None, str, str]]:
        """Returns the releases and revocations among the latest `CLEARANCE_SAMPLE` entries of the feed, in the order of
        the feed. Each has the consignment, its direction, when the declaration was accepted (microseconds since 1970
        UTC), the kind of the fact, and the fact as JSON. Consignments that are not released now are left out."""
        r, f = t.RELEASES.c, t.FACTS.c
        last = select(r.place, r.cursor, r.consignment_id).order_by(r.cursor.desc()).limit(CLEARANCE_SAMPLE).subquery()
        query = (
            select(C.consignment_id, C.direction, C.accepted_us, f.kind, f.body)
            .join(last, last.c.consignment_id == C.consignment_id)
            .join(t.FACTS, f.place == last.c.place)
            .where(C.released_us.is_not(None), f.kind.in_(("ReleaseGranted", "ReleaseRevoked")))
            .order_by(last.c.cursor)
        )
        return [tuple(row) for row in self._all(query)[0]]

    def page(
        self, parts: Sequence[ListPart], after: ListPosition | None, limit: int
    ) -> list[tuple[ListPosition, Row[Any]]]:
        """Returns the first `limit` rows of a long list after the position `after`, each with its own position."""
        with self._engine.begin() as connection:
            return read(connection, parts, after, limit)

    def alarm_kinds(self, subjects: int) -> list[AlarmKind]:
        """Returns each kind of alarm that occurs; the kind with the newest alarm comes first. `subjects`: for how many subjects of each
        kind the newest alarm is returned."""
        with self._engine.begin() as connection:
            kinds: list[str] = []
            a = t.ALARMS.c
            following: str | None = ""
            while following is not None:
                next_kind = select(a.kind).where(a.kind > following).order_by(a.kind).limit(1)
                following = connection.execute(next_kind).scalar()
                kinds += [following] if following else []
            found = [_alarms_of(connection, kind, subjects) for kind in kinds]
            return sorted([one for one in found if one.alarms], key=lambda one: -one.raised_us)

    def parked_count(self) -> int:
        query = select(func.count()).select_from(t.PARKED).where(t.PARKED.c.status == "parked")
        return int(self._all(query)[0][0][0])

    def parked(self, limit: int, key: str) -> list[Row[Any]]:
        """Returns the messages under this key that are set aside now, at most `limit`, the oldest first, without their contents."""
        p = t.PARKED.c
        query = select(*[column for column in p if column is not p.value]).where(p.status == "parked", p.key == key)
        return self._all(query.order_by(p.parked_us).limit(limit))[0]

    # containers

    def container(self, container_no: str) -> ContainerRows:
        """Returns the rows about this container and the consignments in it. The consignments that keep it inside come first."""
        with self._engine.begin() as connection:
            return rows_of_container(connection, container_no)

    def owners_inside(self, container_no: str) -> list[Row[Any]]:
        """Returns the consignments that are, were or will be in one container, with their declarant, customs office and bill, which are
        None if nobody has declared the goods. Consignments of the latest visit, or of the next one, come first.

        `is_former`: an officer took the consignment off the container, or it was in the container only in an earlier visit than the latest
        one. `is_in_alarm`: an alarm about the end of that earlier visit keeps the container inside."""
        parts, box = t.CONSIGNMENT_CONTAINERS.c, t.CONTAINERS.c
        is_former, is_in_alarm = _is_former(parts, box), _is_in_alarm(parts, box)
        joined = _goods_in_containers(t.CONSIGNMENT_CONTAINERS, t.CONSIGNMENTS, t.CONTAINERS)
        kept = (is_former.label("is_former"), is_in_alarm.label("is_in_alarm"))
        named = (parts.consignment_id, C.declarant, C.customs_office, C.bill_no, *kept)
        query = select(*named).select_from(joined).where(parts.container_no == container_no, MAY_HAVE_BEEN_IN)
        return self._all(query.order_by(is_former, parts.consignment_id).limit(MOST_INSIDE))[0]

    def reports(self, container_no: str, limit: int) -> list[ReportRow]:
        """Returns the reports about one container, at most `limit`, the latest first."""
        r = t.CONTAINER_REPORTS.c
        query = select(t.CONTAINER_REPORTS).where(r.container_no == container_no)
        rows = self._all(query.order_by(r.recorded_us.desc(), r.report_id.desc()).limit(limit))[0]
        return [ReportRow(*row) for row in map(tuple, rows)]

    def accounts_of(self, company: str) -> list[str]:
        """Returns the names of the accounts of this company."""
        a = t.ACCOUNTS.c
        return [row[0] for row in self._all(select(a.account).where(a.company == company))[0]]

    def blocked(self, limit: int, visible: ColumnElement[bool] | None = None) -> list[Container]:
        """Returns the containers with an alarm that waits for an officer's finding, at most `limit`, the oldest alarm first. `visible`: if
        given, only containers that a consignment which meets this condition makes known (see `of_subject`)."""
        c = t.CONTAINERS.c
        query = select(t.CONTAINERS).where(c.blocking != "").order_by(c.blocked_us, c.container_no).limit(limit)
        if visible is not None:
            query = query.where(of_subject(c.container_no, visible))
        return [Container(*row) for row in self._all(query)[0]]

    # the feed for ports

    def releases(self, after: Cursor, limit: int) -> "FeedPart":
        """Returns the entries of the feed after the cursor `after`, at most `limit`. If the projector has not read the
        message of an entry yet, as during a rebuild, the result ends before this entry. Raises WrongFeed if the feed
        does not have this cursor."""
        e, numbers = t.FEED_EPOCHS.c, t.RELEASES.c.cursor
        begun = select(e.first_number).where(e.epoch == after.epoch).scalar_subquery()
        bounds = select(
            begun,
            select(func.min(e.first_number)).where(e.first_number > begun).scalar_subquery(),
            select(func.coalesce(func.max(numbers), 0)).scalar_subquery(),
        )
        listed = _feed_rows().where(numbers > after.number).order_by(numbers).limit(limit)
        edges, rows = self._all(bounds, listed)
        first, following, last = tuple(edges[0])
        if after.number and (first is None or not first <= after.number <= min(last, (following or last + 1) - 1)):
            raise WrongFeed(after, last)
        there = list(takewhile(lambda row: row.id is not None or row.read, rows))
        return FeedPart(there, len(there) < len(rows))

    def latest_releases(self, limit: int, visible: ColumnElement[bool] | None = None) -> list[Row[Any]]:
        """Returns the latest entries of the feed that have a fact, at most `limit`, the latest first. `visible`: as in `oldest`."""
        query = _feed_rows().where(t.FACTS.c.id.is_not(None)).order_by(t.RELEASES.c.cursor.desc()).limit(limit)
        if visible is not None:
            query = query.where(exists().where(C.consignment_id == t.RELEASES.c.consignment_id, visible))
        return self._all(query)[0]

    def standing(self) -> tuple[Row[Any] | None, int]:
        """Returns the row with the projector's standing (None if it has written none), and the number of the last entry of the feed."""
        last = func.coalesce(func.max(t.RELEASES.c.cursor), 0)
        rows, cursors = self._all(select(t.STANDING).where(t.STANDING.c.name == "projector"), select(last))
        return (rows[0] if rows else None), int(cursors[0][0])

    # watches on bills and declarants

    def matching(self, bill_no: str, declarant: str, after: str, limit: int) -> list[str]:
        """Returns the ids of the consignments of this bill or declarant for which somebody still has to act, in the order of
        the ids, beginning after the id `after`; at most `limit`.

        Goods that were released without containers are included for a month after their release, although nobody has to
        act any more, because no gate reports when they leave.
        """
        month_ago = int((now() - timedelta(days=30)).timestamp() * 1_000_000)
        loose = and_(C.word == "released", C.containers == "", C.released_us > month_ago)
        about = (
            C.declarant.in_(sorted({declarant, plain_word(declarant)}))
            if declarant
            else C.bill_no.ilike(_typed(bill_no))
        )
        query = select(C.consignment_id, C.bill_no, C.declarant).where(about, or_(C.ended_us.is_(None), loose))
        found: list[str] = []
        with self._engine.begin() as connection:
            while len(found) < limit:
                rows = connection.execute(
                    query.where(C.consignment_id > after).order_by(C.consignment_id).limit(limit)
                ).all()
                # a hold can be requested only for a consignment whose id is well-formed
                named = [row for row in rows if is_consignment_id(row[0])]
                found += [row[0] for row in named if is_watched(bill_no, declarant, row[1], row[2])]
                if len(rows) < limit:
                    break
                after = rows[-1][0]
        return found[:limit]

    def held_by(self, hold_id: str) -> list[str]:
        """Returns the ids of the consignments on which a watch has placed a hold with this id that is still open."""
        query = select(t.HOLDS.c.consignment_id).where(t.OF_WATCHES, t.HOLDS.c.hold_id == hold_id)
        found = [row[0] for row in self._all(query.order_by(t.HOLDS.c.consignment_id))[0]]
        return [key for key in found if is_consignment_id(key)]

    def unfinished_watches(self) -> list["WatchRow"]:
        """Returns the watches that a console took in and for which holds have still to be placed or lifted."""
        w = t.ASKED_WATCHES.c
        unfinished = or_(
            and_(w.met.is_(False), w.lifted_us.is_(None)), and_(w.let_go.is_(False), w.lifted_us.is_not(None))
        )
        return [one for row in self._all(select(w.watch_id).where(unfinished))[0] for one in self.watches(1, row[0])]

    def watches(self, limit: int, watch_id: str = "") -> list["WatchRow"]:
        """Returns the first `limit` watches, or only the one with this id. Each row joins the request that a console took in with the
        facts of the release desk, summed over its partitions. Open watches come first, and among them the latest."""
        w, f = t.ASKED_WATCHES.c, t.WATCH_FACTS.c
        requests, facts = (
            select(t.ASKED_WATCHES),
            select(
                f.watch_id,
                *(func.max(column).label(column.name) for column in (f.bill_no, f.declarant)),
                *(
                    func.max(case((f.lifted.is_(lifted), column), else_="")).label(f"{column.name}_{lifted}")
                    for lifted in (False, True)
                    for column in (f.reason, f.actor)
                ),
                func.min(case((f.lifted.is_(False), f.at_us))).label("placed_us"),
                func.max(case((f.lifted.is_(True), f.at_us))).label("lifted_us"),
                func.sum(case((f.lifted.is_(False), 1), else_=0)).label("placed"),
                func.sum(case((f.lifted.is_(True), 1), else_=0)).label("lifted"),
            ).group_by(f.watch_id),
        )
        if watch_id:
            requests, facts = requests.where(w.watch_id == watch_id), facts.where(f.watch_id == watch_id)
        of_door, of_desk = self._all(requests, facts)
        made = {row.watch_id: WatchRow.of_desk(row) for row in of_desk}
        for row in of_door:
            made[row.watch_id] = WatchRow.of_door(row, made.get(row.watch_id))
        return sorted(made.values(), key=lambda one: (one.lifted_us is not None, -one.asked_us, one.watch_id))[:limit]

    # requests

    def lodgement(self, request_id: str) -> Row[Any] | None:
        """Returns the row of this request in `tables.LODGEMENTS`; None if it has none."""
        found = self._all(select(t.LODGEMENTS).where(t.LODGEMENTS.c.request_id == request_id))[0]
        return found[0] if found else None

    def lodgement_about(self, subject: str) -> Row[Any] | None:
        """Returns the row of the first request about this consignment in `tables.LODGEMENTS`; None if there is none."""
        query = select(t.LODGEMENTS).where(t.LODGEMENTS.c.subject == subject).order_by(t.LODGEMENTS.c.asked_us).limit(1)
        found = self._all(query)[0]
        return found[0] if found else None


def _all_or(visible: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return true() if visible is None else visible


def of_subject(
    subject: ColumnElement[Any], visible: ColumnElement[bool], position: ColumnElement[int] | None = None
) -> ColumnElement[bool]:
    """Returns the condition that `subject` is the id of a consignment that meets the condition `visible`, or the number of a container
    that such a consignment makes known to offices (see `goods_access.inside`): the consignment is in the container; or it was in it only
    in an earlier visit, and an alarm about the end of that visit keeps the container inside, or the container has no other
    consignments. `position`: if given, the column with the place of a message about `subject`; the condition is also met if this message
    names such a consignment that may have been in the container."""
    parts, box = t.CONSIGNMENT_CONTAINERS.c, t.CONTAINERS.alias()
    joined = t.CONSIGNMENT_CONTAINERS.join(t.CONSIGNMENTS, parts.consignment_id == C.consignment_id)
    joined = joined.outerjoin(box, parts.container_no == box.c.container_no)
    also = [_is_in_alarm(parts, box.c), ~_has_goods(subject)]
    if position is not None:
        also.append(exists().where(t.FACTS.c.place == position, t.FACTS.c.body.contains(parts.consignment_id)))
    known = or_(~_is_former(parts, box.c), *also)
    in_it = select(parts.consignment_id).select_from(joined)
    in_it = in_it.where(parts.container_no == subject, visible, MAY_HAVE_BEEN_IN, known)
    return or_(exists().where(C.consignment_id == subject, visible), in_it.exists())


def _has_goods(container_no: ColumnElement[Any]) -> ColumnElement[bool]:
    """Returns the condition that this container has consignments that are not former ones (see `_is_former`)."""
    part, goods, box = t.CONSIGNMENT_CONTAINERS.alias(), t.CONSIGNMENTS.alias(), t.CONTAINERS.alias()
    found = (
        select(part.c.consignment_id)
        .select_from(_goods_in_containers(part, goods, box))
        .where(part.c.container_no == container_no)
    )
    return found.where(may_have_been_in(part.c, goods.c), ~_is_former(part.c, box.c)).exists()


def _goods_in_containers(part: FromClause, goods: FromClause, box: FromClause) -> Join:
    """Returns the rows of `CONSIGNMENT_CONTAINERS` with their consignments and containers, which may be missing. The
    arguments are the three tables, or aliases of them."""
    joined = part.outerjoin(goods, part.c.consignment_id == goods.c.consignment_id)
    return joined.outerjoin(box, part.c.container_no == box.c.container_no)


def _is_former(parts: Any, box: Any) -> ColumnElement[bool]:
    """Returns the condition that an officer took the consignment off the container, or that it was in the container only in
    an earlier visit than the latest one. `parts`, `box`: the columns of `CONSIGNMENT_CONTAINERS` and of the outer-joined
    `CONTAINERS`, or of aliases of them."""
    came_again = func.coalesce(parts.arrived_us >= box.visit_us, false())
    has_left = and_(parts.gone, box.visit != "", box.visit_end == "")
    ended = and_(parts.ended != "", box.visit != "", parts.ended != box.visit, ~came_again)
    return func.coalesce(or_(parts.struck, has_left, ended), false())


def _is_in_alarm(parts: Any, box: Any) -> ColumnElement[bool]:
    """Returns the condition that an alarm about the end of the last visit with this consignment keeps the container inside.
    The arguments are those of `_is_former`."""
    line_of_visit = literal("%\t") + parts.ended + "\n%"
    return and_(~parts.struck, parts.ended != "", (func.coalesce(box.blocking, "") + "\n").like(line_of_visit))


def _alarms_of(connection: Connection, kind: str, subjects: int) -> AlarmKind:
    a, number = t.ALARMS.c, func.count()
    here = and_(a.kind == kind, a.raised_us.is_not(None))
    ordered = select(a.subject, a.raised_us).where(here).order_by(a.raised_us.desc(), a.place.desc())
    latest = ordered.limit(COUNTED_ALARMS).subquery()
    newest = func.max(latest.c.raised_us)
    total, raised_us = connection.execute(select(number, newest).select_from(latest)).one()
    grouped = select(latest.c.subject, number).group_by(latest.c.subject).order_by(newest.desc(), latest.c.subject)
    lines = [
        (read(connection, alarms(kind, subject), None, 1)[0][1], many)
        for subject, many in connection.execute(grouped.limit(subjects)).all()
    ]
    return AlarmKind(kind, total, raised_us, lines)


class WatchRow(NamedTuple):
    """A watch: the request that a console took in, and in how many partitions the release desk has placed and lifted the watch.
    `finished`: the console has done everything to place the watch or, if it is to be lifted, to lift it."""

    watch_id: str
    bill_no: str
    declarant: str
    reason: str
    asked_by: str
    asked_us: int
    met: bool = True
    lift_id: str = ""
    lift_reason: str = ""
    lifted_by: str = ""
    lifted_us: int | None = None
    let_go: bool = True
    placed: int = 0
    lifted: int = 0

    @classmethod
    def of_desk(cls, row: Row[Any]) -> "WatchRow":
        """Makes a watch from the facts of the release desk alone, if no console of this database took its request in."""
        return cls(
            *(row.watch_id, row.bill_no, row.declarant, row.reason_False, row.actor_False),
            asked_us=row.placed_us or row.lifted_us or 0,
            lift_reason=row.reason_True,
            lifted_by=row.actor_True,
            lifted_us=row.lifted_us,
            placed=int(row.placed),
            lifted=int(row.lifted),
        )

    @classmethod
    def of_door(cls, row: Row[Any], of_facts: "WatchRow | None") -> "WatchRow":
        """Makes a watch from the request that a console took in, and from the facts of the release desk (`of_facts`: None if there are
        none yet)."""
        if of_facts is None:
            return cls._make([*row, 0, 0])
        mine = cls._make([*row, of_facts.placed, of_facts.lifted])
        if mine.lifted_us is None and of_facts.lifted_us is not None:
            return mine._replace(
                lift_reason=of_facts.lift_reason,
                lifted_by=of_facts.lifted_by,
                lifted_us=of_facts.lifted_us,
                let_go=True,
            )
        return mine

    @property
    def finished(self) -> bool:
        return self.met if self.lifted_us is None else self.let_go


def _typed(typed: str) -> str:
    """Returns an ILIKE pattern that matches every spelling of `typed`, because it allows other characters between the letters and digits.
    It may match other texts, too, so the rows must be checked with `is_watched`."""
    signs = [sign if sign.isascii() else "%" for sign in plain_word(typed)]
    return "".join(["%", *[f"{sign}%" for sign in signs]])


class FeedPart(NamedTuple):
    """Successive entries of the feed. `waits`: after them there is an entry whose message the projector has not read
    yet."""

    rows: list[Row[Any]]
    waits: bool


def _feed_rows() -> Select[Any]:
    """Returns the query for entries of the feed with their epoch and fact. If an entry has no fact, `read` says whether
    the projector has read the message of the entry. The query is a single statement, so that entries, facts and offsets
    are of the same moment.

    `body`: the content of the fact; empty if the content has more than `BODY_BYTES` bytes. `size`: how many bytes the
    content has.
    """
    r, f, e, o = t.RELEASES.c, t.FACTS.c, t.FEED_EPOCHS.c, t.OFFSETS.c
    epoch = select(e.epoch).where(e.first_number <= r.cursor).order_by(e.first_number.desc()).limit(1)
    size = ByteLength(f.body)
    offset = r.place.bitwise_and((1 << OFFSET_BITS) - 1)
    partition: ColumnElement[int] = literal_column(f"(releases.place >> {OFFSET_BITS}) & {0x3FFF}")
    return (
        select(
            *(r.cursor, r.place, r.consignment_id, f.id, f.kind, f.recorded_us),
            case((size <= BODY_BYTES, f.body), else_="").label("body"),
            size.label("size"),
            epoch.scalar_subquery().label("epoch"),
            func.coalesce(o.next_offset > offset, false()).label("read"),
        )
        .outerjoin(t.FACTS, f.place == r.place)
        .outerjoin(t.OFFSETS, and_(o.topic == FEED_TOPIC, o.partition == partition))
    )


def of_row(row: Row[Any]) -> Consignment:
    """Returns the consignment in this row of a list, without its holds."""
    return _consignment(row, ())


def _consignment(row: Row[Any], holds: Iterable[Row[Any]]) -> Consignment:
    made = Consignment(*row[:CONSIGNMENT_COLUMNS])
    made.holds = tuple(
        [OpenHold(each.hold_id, each.owner, each.reason, each.lifted_by, each.since_us or 0) for each in holds]
    )
    return made
