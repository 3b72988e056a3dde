"""What do the rows say about one container? Every question whether a container may leave reads them through this
module.

The SQL statements are built once, when this module is imported, because SQLAlchemy needs more time to build and to
compare a statement than the database needs to answer it. The first SQL statement reads the row of the container, and
whether other tables have anything about the container. So most questions need only two SQL statements. All SQL
statements of a question are in one transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from schemas.release import ReleaseGranted
from schemas.vocabulary import bill_words, plain_word, same_word
from services.console.readmodel import tables as t
from services.console.readmodel.container import BoxHold, Container, ContainerPart
from services.console.readmodel.gate_answer import (
    CALLED_BACK,
    COUNTS_WHEN_ASKED,
    NOT_THERE,
    SHOWN,
    GoodsState,
    UnansweredRequest,
    takes_into_account,
)
from services.console.readmodel.messages import OFFSET_MASK

MOST_INSIDE = 2000
"""The most consignments of one container that are read, those that are not released first. If the gate desk names a consignment that
was not read, the answer is that the container must stay."""
SHOWN_HOLDS = 100
"""The most holds on one container, and the most officers' holds in one list, that are read. A single hold is enough to keep goods inside."""


class ContainerRows(NamedTuple):
    """The rows about one container. `row`: None if the container has no row; `parts`: the consignments that are or may have been in
    it, also those that left; `goods`: their states, by id; `parked`: the ids of those that have not left and have a parked message;
    `unanswered`: the requests that keep the container inside because no desk has answered them yet; `holds`: the open holds on the
    container."""

    row: Container | None
    parts: list[ContainerPart]
    goods: Mapping[str, GoodsState]
    parked: list[str]
    unanswered: list[UnansweredRequest]
    holds: list[BoxHold]
    complete: bool
    """True if the read model was complete at some time, and no rebuild has deleted its rows since."""


def is_watched(bill_no: str, declarant: str, bill: str, of: str) -> bool:
    """Returns whether a watch is for these goods. `bill_no`, `declarant`: what the watch is placed on; `bill`, `of`:
    the bill and the declarant of the goods."""
    return plain_word(bill_no) in bill_words(bill) or bool(declarant and same_word(declarant, of))


def _one_of(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Returns the condition that the column has one of these values. `in_` is not used, because SQLAlchemy would write
    its list of values into the SQL statement again at each execution; this condition is written once."""
    return or_(*[column == value for value in sorted(values)])


BOX: BindParameter[str] = bindparam("container_no")
"""The parameter with the container number in each SQL statement of this module."""
_C, _PARTS, _REQUESTED, _PARKED = t.CONSIGNMENTS.c, t.CONSIGNMENT_CONTAINERS.c, t.ASKED_HOLDS.c, t.PARKED.c
_ANSWER, _SENT = t.FACTS.alias("answer"), t.FACTS.alias("sent")


def may_have_been_in(parts: Any, goods: Any) -> ColumnElement[bool]:
    """Returns the condition that the goods of a row of `CONSIGNMENT_CONTAINERS`, outer-joined with `CONSIGNMENTS`, may
    have been in that container at some time. Anybody may write any container number into a declaration, so a declaration
    that was never accepted does not count. `parts`, `goods`: the columns of the two tables, or of aliases of them."""
    return or_(parts.word != "", ~_one_of(func.coalesce(goods.declared, ""), NOT_THERE))


MAY_HAVE_BEEN_IN = may_have_been_in(_PARTS, _C)
_INSIDE_NOW = select(_PARTS.consignment_id).where(_PARTS.container_no == BOX, _PARTS.gone.is_(False))
_PARKED_INSIDE = (
    select(_C.consignment_id)
    .join(t.CONSIGNMENT_CONTAINERS, _PARTS.consignment_id == _C.consignment_id)
    .where(_PARTS.container_no == BOX, _PARTS.gone.is_(False), _C.parked > 0)
)
_BOX_HOLDS = select(t.CONTAINER_HOLDS).where(
    t.CONTAINER_HOLDS.c.container_no == BOX, t.CONTAINER_HOLDS.c.lifted.is_(False)
)
_WATCHES = select(t.ASKED_WATCHES.c.bill_no, t.ASKED_WATCHES.c.declarant, t.ASKED_WATCHES.c.asked_us).where(
    t.ASKED_WATCHES.c.met.is_(False), t.ASKED_WATCHES.c.lifted_us.is_(None)
)
_ONE = select(literal(1).label("one")).subquery("one")
_OVERVIEW = select(
    select(t.STANDING.c.as_of_us).limit(1).scalar_subquery(),
    exists(_PARKED_INSIDE),
    or_(
        exists().where(_REQUESTED.consignment_id == BOX),
        exists().where(_REQUESTED.consignment_id.in_(_INSIDE_NOW)),
    ),
    exists(_BOX_HOLDS),
    exists(_WATCHES),
    t.CONTAINERS,
).select_from(_ONE.outerjoin(t.CONTAINERS, t.CONTAINERS.c.container_no == BOX))
"""The first SQL statement, which reads one row: when the rows were last complete; whether there are parked messages of
goods inside, requests about the container or these goods, holds on the container, and watches that are not met yet; and
the row of the container, null if there is none."""
_GOODS = (
    _C.declared,
    _C.word,
    _C.released_boxes,
    _C.unreleased,
    _C.bill_no,
    _C.direction,
    _C.waiting_for,
    _C.declarant,
)
_INSIDE = (
    select(t.CONSIGNMENT_CONTAINERS, *_GOODS)
    .outerjoin(t.CONSIGNMENTS, _PARTS.consignment_id == _C.consignment_id)
    .where(_PARTS.container_no == BOX, MAY_HAVE_BEEN_IN)
    .order_by(
        _PARTS.gone, case((and_(_PARTS.word == "released", _C.word == "released"), 1), else_=0), _PARTS.consignment_id
    )
    .limit(MOST_INSIDE)
)
_REQUEST = tuple_(_REQUESTED.request_id, _REQUESTED.about)
_EACH = t.ASKED_HOLDS.alias("each").c
_KEYS = select(_EACH.about).where(or_(_EACH.consignment_id.in_(_INSIDE_NOW), _EACH.consignment_id == BOX))
"""The keys whose facts are searched for answers. They are read once, and not for each request, because a container may have thousands of
reports."""
_WAS_SENT = select(_SENT.c.id, _SENT.c.key).where(_SENT.c.key.in_(_KEYS))
_THROWN_AWAY = (
    select(_SENT.c.id, _SENT.c.key)
    .join(t.PARKED, and_(_SENT.c.key == _PARKED.key, _SENT.c.place.bitwise_and(OFFSET_MASK) == _PARKED.offset))
    .where(_PARKED.key.in_(_KEYS), _one_of(_PARKED.kind, COUNTS_WHEN_ASKED), _PARKED.status == "discarded")
)
_UNANSWERED = (
    select(
        _REQUESTED.consignment_id,
        func.max(_REQUESTED.asked_us),
        func.max(case((_REQUEST.in_(_WAS_SENT), 1), else_=0)),
    )
    .where(or_(_REQUESTED.consignment_id.in_(_INSIDE_NOW), _REQUESTED.consignment_id == BOX))
    .where(_REQUEST.not_in(select(_ANSWER.c.cause, _ANSWER.c.key).where(_ANSWER.c.key.in_(_KEYS))))
    .where(_REQUEST.not_in(_THROWN_AWAY))
    .group_by(_REQUESTED.consignment_id)
    .limit(SHOWN)
)
_IS_TAKEN_BACK = (
    _REQUESTED.consignment_id.in_(_INSIDE_NOW),
    _ANSWER.c.key == _REQUESTED.consignment_id,
    _ANSWER.c.cause == _REQUESTED.request_id,
    _one_of(_ANSWER.c.kind, CALLED_BACK),
)
_TAKEN_BACK = (
    select(_ANSWER.c.key, _ANSWER.c.kind, _ANSWER.c.body, _REQUESTED.asked_us)
    .where(*_IS_TAKEN_BACK)
    .order_by(_REQUESTED.asked_us.desc())
    .limit(SHOWN)
)
_GRANTED = select(t.FACTS.c.key, t.FACTS.c.body).where(
    t.FACTS.c.key.in_(select(_ANSWER.c.key).where(*_IS_TAKEN_BACK)), t.FACTS.c.kind == ReleaseGranted.kind
)
_LISTED_PARKED = _PARKED_INSIDE.limit(SHOWN)
_LISTED_BOX_HOLDS = _BOX_HOLDS.order_by(t.CONTAINER_HOLDS.c.since_us, t.CONTAINER_HOLDS.c.hold_id).limit(SHOWN_HOLDS)


def rows_of_container(connection: Connection, container_no: str) -> ContainerRows:
    """Returns the rows about this container and the consignments in it, read on this connection. The consignments that keep the container
    inside come first."""

    def read(statement: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(statement, {"container_no": container_no})]

    ((as_of_us, any_parked, any_requested, any_hold, any_watch, *box),) = read(_OVERVIEW)
    split = -len(_GOODS)
    found = [
        (ContainerPart(*row[:split]), GoodsState(*[value or "" for value in row[split:]])) for row in read(_INSIDE)
    ]
    unanswered = list[UnansweredRequest]()
    if any_requested:
        unanswered += [UnansweredRequest(subject, last, bool(sent)) for subject, last, sent in read(_UNANSWERED)]
        if taken_back := read(_TAKEN_BACK):
            unanswered += _not_taken_into_account(taken_back, read(_GRANTED))
    if any_watch:
        unanswered += [
            UnansweredRequest(part.consignment_id, asked_us, sent=True)
            for bill, declarant, asked_us in read(_WATCHES)
            for part, goods in found
            if is_watched(bill, declarant, part.bill_no or goods.bill_no, goods.declarant)
        ]
    return ContainerRows(
        None if box[0] is None else Container(*box),
        [part for part, _ in found],
        {part.consignment_id: goods for part, goods in found},
        [row[0] for row in read(_LISTED_PARKED)] if any_parked else [],
        unanswered,
        [BoxHold(*row) for row in read(_LISTED_BOX_HOLDS)] if any_hold else [],
        as_of_us is not None,
    )


def _not_taken_into_account(
    taken_back: Sequence[tuple[Any, ...]], granted: Iterable[tuple[Any, ...]]
) -> Iterable[UnansweredRequest]:
    """Returns the retractions in `taken_back` (key, kind, content, time of the request) that another desk has published and that the latest
    release of the goods does not take into account yet. They count as requests for a hold. `granted`: key and content of the releases of
    these goods."""
    releases: dict[str, list[str]] = {}
    for key, body in granted:
        releases.setdefault(key, []).append(body)
    return [
        UnansweredRequest(key, asked_us, sent=True)
        for key, kind, body, asked_us in taken_back
        if not _takes_into_account(releases.get(key, ()), kind, body)
    ]


def _takes_into_account(granted: Iterable[str], kind: str, retracted: str) -> bool:
    """Returns whether the latest of these releases takes this retraction into account. `granted` and `retracted` are contents of facts as
    they are stored, in JSON. If one of them cannot be read, this is false, because then it is unknown upon which answers the goods were
    released."""
    try:
        latest = max(map(orjson.loads, granted), key=lambda release: release["version"], default=None)
        return takes_into_account(latest, kind, orjson.loads(retracted))
    except (LookupError, TypeError, ValueError, AttributeError):
        return False
