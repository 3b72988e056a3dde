"""Which rows does a batch of messages change? The messages are folded into copies of the present rows in memory. The database is accessed only
by the given `RowSource`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from schemas.bounds import MOST_PARTS, too_many_parts
from schemas.parking import DEADLINE, MessageParked, read_parking
from schemas.topics import CATALOGUE, facts_topic, parked_topic
from schemas.vocabulary import is_consignment_id
from services.console.language.desk_sentences import kept, kept_phrases, same_goods
from services.console.readmodel.consignment import FOLDED, Consignment, plain, settle, tell
from services.console.readmodel.container import (
    BoxHold,
    Container,
    ContainerPart,
    ReportRow,
    report_of,
    tell_container,
    tell_part,
)
from services.console.readmodel.messages import (
    LONGEST_KEY,
    TopicMessage,
    Unreadable,
    bounded,
    micros,
    packed_position,
    text,
    whole,
)

Pair = tuple[str, str]
Origin = tuple[str, str, int, int]
"""Service, topic, partition and offset of a message that was set aside."""


@dataclass(frozen=True, slots=True)
class Aside:
    """The row of one message that was set aside because it was parked, or because it cannot be projected. Its fields are the columns of
    `tables.PARKED`."""

    service: str
    topic: str
    partition: int
    offset: int
    key: str
    kind: str
    reason: str
    error: str
    status: str
    actor: str
    parked_us: int
    settled_us: int | None
    value: str | None

    @property
    def origin(self) -> Origin:
        return (self.service, self.topic, self.partition, self.offset)


class Announcement(NamedTuple):
    """One message of a parked topic."""

    topic: str
    partition: int
    offset: int
    kind: str
    body: dict[str, Any]


FactRow = tuple[int, str, str, str, str, int, int, str]
"""One row of `tables.FACTS`: its values in the order of the columns."""


class RowSource(Protocol):
    """Reads the present rows for one batch. Each method returns the rows with the given keys; a key that has no row is
    missing from the result."""

    def consignments(self, keys: Iterable[str]) -> Mapping[str, Consignment]: ...
    def containers(self, keys: Iterable[str]) -> Mapping[str, Container]: ...
    def parts(self, keys: Iterable[Pair]) -> Mapping[Pair, ContainerPart]: ...
    def reports(self, keys: Iterable[Pair]) -> Mapping[Pair, ReportRow]: ...
    def box_holds(self, keys: Iterable[Pair]) -> Mapping[Pair, BoxHold]: ...
    def asides(self, keys: Iterable[Origin]) -> Mapping[Origin, Aside]: ...


@dataclass(slots=True)
class Batch:
    """The rows that a batch of messages changes, with their values after these messages. `before` has the consignments with their values
    before these messages."""

    consignments: dict[str, Consignment] = field(default_factory=dict)
    before: dict[str, Consignment] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    parts: dict[Pair, ContainerPart] = field(default_factory=dict)
    """The keys are container number and consignment id. The keys of `reports` and `box_holds` are container number and
    the id of the report or the hold."""
    reports: dict[Pair, ReportRow] = field(default_factory=dict)
    box_holds: dict[Pair, BoxHold] = field(default_factory=dict)
    asides: dict[Origin, Aside] = field(default_factory=dict)
    facts: list[FactRow] = field(default_factory=list)
    releases: list[tuple[int, str, str]] = field(default_factory=list)
    """One for each new entry of the feed for ports: packed position of the message, consignment id, and id of the fact. The id is empty if the
    fact cannot be stored."""
    refusals: list[tuple[Any, ...]] = field(default_factory=list)
    alarms: list[tuple[Any, ...]] = field(default_factory=list)
    watches: dict[tuple[str, str, bool], tuple[Any, ...]] = field(default_factory=dict)
    """Rows of `tables.WATCH_FACTS`. The keys are the id of the watch, the key of the partition, and whether the fact says that the watch was
    lifted."""

    def stage_changes(self) -> dict[str, int]:
        """Returns for each stage by how many consignments it grew; the number is negative if it shrank. Stages without any change are left
        out."""
        changes: dict[str, int] = {}
        for key, row in self.consignments.items():
            old = self.before.get(key)
            if old is None or old.stage != row.stage:
                changes[row.stage] = changes.get(row.stage, 0) + 1
                if old is not None:
                    changes[old.stage] = changes.get(old.stage, 0) - 1
        return {stage: change for stage, change in changes.items() if change}


Refuse = Callable[[int, Exception], Iterable[Aside]]
"""A function that is called with the packed position of a message that cannot be projected, and with the exception. It returns the rows that
set the message aside."""
Parsed = tuple[TopicMessage, dict[str, Any]]


def raised(position: int, error: Exception) -> Iterable[Aside]:
    """Raises the exception and sets nothing aside. This is the default for the parameter `refuse` of `fold`."""
    raise error


def fold(
    messages: Iterable[TopicMessage],
    announcements: Iterable[Announcement],
    known: RowSource,
    refused: Iterable[Aside] = (),
    refuse: Refuse = raised,
) -> Batch:
    """Folds all messages of one batch and returns the rows that they change. The messages of each partition must be in
    the order of their offsets. `announcements`: the messages of parked topics; `known`: reads the present rows;
    `refused`: the rows of messages of this batch that the caller sets aside.

    `refuse` is called for each further message that cannot be folded. Such a message is only set aside; all others get
    their rows in the same batch.
    """
    set_aside, parsed, facts, wanted = [*refused], list[Parsed](), list[FactRow](), _Wanted()
    for message in messages:
        try:
            fact, body = _take(message)
            if body is not None:
                _want(wanted, message, body)
                parsed.append((message, body))
            facts.append(fact)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one message, `refuse` sets it aside)
            set_aside += refuse(message.position, error)
    announced: list[Aside] = []
    for each in announcements:
        try:
            announced.append(_announced(each))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one message, `refuse` sets it aside)
            set_aside += refuse(packed_position(each.topic, each.partition, each.offset), error)
    batch = _known(wanted, [*announced, *set_aside], known)
    try:
        for message, body in parsed:
            _fold_one(batch, message, body)
        batch.facts = facts
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  (`_fold_each` finds the message)
        batch = _known(wanted, [*announced, *set_aside], known)
        faults = _fold_each(batch, parsed)
        batch.facts = [fact for fact in facts if fact[0] not in faults]
        late = [aside for at, error in faults.items() for aside in refuse(at, error)]
        _look_up(batch, _Wanted(), late, known)
        set_aside += late
    for aside in (*announced, *set_aside):
        _set_aside(batch, aside)
    for aside in set_aside:
        if aside.topic == FEED_TOPIC and aside.key and aside.kind in ("", *_FEED):
            # The message may have revoked a release. So the feed gets an entry for the message, without a fact.
            batch.releases.append((packed_position(aside.topic, aside.partition, aside.offset), aside.key, ""))
    for row in batch.consignments.values():
        settle(row)
    return batch


def _fold_each(batch: Batch, parsed: Iterable[Parsed]) -> dict[int, Exception]:
    """Folds each message into copies of the rows that it touches, so that a message that fails changes no row. Returns the exceptions of the
    messages that failed, by packed position."""
    faults: dict[int, Exception] = {}
    for message, body in parsed:
        tried = Batch(
            consignments=_Tried(batch.consignments),
            containers=_Tried(batch.containers),
            parts=_Tried(batch.parts),
            reports=_Tried(batch.reports),
            box_holds=_Tried(batch.box_holds),
        )
        try:
            _fold_one(tried, message, body)
            for row in tried.consignments.values():
                settle(row)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  (the caller sets it aside)
            faults[message.position] = error
            continue
        for each in fields(Batch):
            changed, taken = getattr(tried, each.name), getattr(batch, each.name)
            if isinstance(taken, dict):
                taken.update(changed)
            else:
                taken.extend(changed)
    return faults


def not_projected(
    at_us: int, topic: str, partition: int, offset: int, key: bytes | None, error: str, kind: str = ""
) -> Aside:
    """Returns the row by which the console sets aside a message that it cannot project. The row raises an alarm and holds the goods. `at_us`:
    when the message was produced, in microseconds since 1970 UTC; `error`: why it cannot be projected.

    The key in the row is empty if the key of the message cannot be an id, because it is too long, is not UTF-8, or contains a NUL.
    """
    read = (key or b"").decode("utf-8", "replace") if len(key or b"") <= LONGEST_KEY else ""
    named = "" if "\0" in read or "\ufffd" in read else read
    why = _clean(error)[:500].encode("utf-8", "replace").decode()
    reason = "not_projected"
    return Aside(
        "console",
        topic,
        partition,
        offset,
        named,
        _clean(kind)[:100],
        reason,
        why,
        "parked",
        "",
        bounded(at_us),
        None,
        None,
    )


OVERDUE = frozenset({"InspectionOverdue", "RectificationOverdue", "TreatmentOverdue"})
"""Facts which say that a person let a time limit run out; each raises an alarm."""
_GATE_FACTS = frozenset(
    {
        *(
            "ContainerMayLeave",
            "ContainerMustStay",
            "ContainerGatedOut",
            "GateAlarmRaised",
            "VisitOpened",
            "VisitClosed",
        ),
        *(
            "EquipmentEventRecorded",
            "EquipmentEventRetracted",
            "ContainerFindingRecorded",
            "ContainerFindingRetracted",
            "LotStruck",
            "StrikeRetracted",
            "ExitPermitted",
        ),
        *("ContainerHoldPlaced", "ContainerHoldLifted"),
    }
)
"""Facts of the gate desk about a container. The facts about one container are numbered in one common sequence."""
_OVER = frozenset({"ContainerGatedOut", "VisitClosed"})
"""Facts that end a visit."""
_TO_GATE = frozenset({"ContainerHeld", "ContainerFreed"})
_DEPARTURES = frozenset({"ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted"})
_WATCHES = frozenset({"WatchPlaced", "WatchLifted"})
_AGAIN, _STRIPPED = "SameGoodsDeclared", "GoodsTransferred"
_PARSED = FOLDED | _GATE_FACTS | _TO_GATE | OVERDUE | _WATCHES | {_AGAIN, _STRIPPED}
_OF_CONTAINERS = frozenset(topic.name for topic in CATALOGUE if topic.key == "container")
_COUNTED = parked_topic("clearance")
_FEED = frozenset({"ReleaseGranted", "ReleaseRevoked"})
LODGED_CHARACTERS = 50_000
"""The most characters that all container numbers in one request to lodge may have together. A valid declaration needs at most a tenth of
them."""
FEED_TOPIC = facts_topic("release")
"""The topic of the facts from which the feed for ports is made."""


def _take(message: TopicMessage) -> tuple[FactRow, dict[str, Any] | None]:
    """Returns the row of the message in `tables.FACTS`. The second value is the parsed content of the message if other
    rows depend on it, else None."""
    position, _, kind, key, id_, cause, sequence, recorded_us, value = message
    if b"\\u0000" in value:  # PostgreSQL stores no NUL in text
        value = value.replace(b"\\u0000", b"\\ufffd")
    body = orjson.loads(value) if kind in _PARSED else None
    content = "" if kind == "LodgeDeclaration" else value.decode()
    return (position, key, kind, id_, cause, sequence, recorded_us, content), body


def _fold_one(batch: Batch, message: TopicMessage, body: dict[str, Any]) -> None:
    kind, key = message.kind, message.key
    if kind in _TO_GATE:
        pair = (key, text(body["consignment_id"]))
        tell_part(_part(batch, pair), message, body)
    elif kind in _GATE_FACTS:
        if tell_container(batch.containers.setdefault(key, Container(key)), message, body):
            _fold_box(batch, message, body)
        if kind == "GateAlarmRaised":
            alarm = text(body.get("alarm") or "")
            batch.alarms.append((message.position, kind, key, text(kept(body)), message.recorded_us, alarm))
    elif kind == _STRIPPED:
        # The goods may be in each of these containers. So each container must stay until the release desk has made a statement about the goods
        # there.
        for target in body["targets"]:
            _part(batch, (plain(target), key)).declared = True
    elif kind in _WATCHES:
        _fold_watch(batch, message, body)
    elif kind == _AGAIN:
        batch.alarms.append(
            (message.position, kind, key, text(kept_phrases(same_goods(body))), message.recorded_us, "")
        )
    elif kind in OVERDUE:
        what = body.get("control") or body.get("origin") or ""
        batch.alarms.append((message.position, kind, key, text(what), message.recorded_us, ""))
    else:
        _fold_consignment(batch, message, body)


def _fold_box(batch: Batch, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds a new fact of the gate desk into the rows other than the row of the container."""
    kind, key = message.kind, message.key
    if kind == "EquipmentEventRecorded":
        report = report_of(key, message, body)
        batch.reports[key, report.report_id] = report
        if report.replaces and (old := batch.reports.get((key, report.replaces))) is not None:
            old.standing = "replaced"
    elif kind == "EquipmentEventRetracted":
        if (old := batch.reports.get((key, text(body["report_id"])))) is not None:
            old.standing = "retracted"
    elif kind in ("LotStruck", "StrikeRetracted"):
        _part(batch, (key, text(body["consignment_id"]))).struck = kind == "LotStruck"
    elif kind == "ExitPermitted":
        permitted = _part(batch, (key, text(body["consignment_id"])))
        permitted.permitted, permitted.permitted_version = True, whole(body.get("version", 0))
    elif kind == "ContainerMayLeave":
        # The fact names every consignment that leaves by a permit. If a departure had ended the permits in the rows and
        # was then retracted, they are set again here.
        for each in body.get("permitted", ()):
            _part(batch, (key, text(each))).permitted = True
    elif kind in _OVER:
        for each in body["consignments"]:
            part = _part(batch, (key, text(each)))
            part.permitted = False
            if kind == "VisitClosed":
                part.ended = text(body["visit"])
    elif kind in ("ContainerHoldPlaced", "ContainerHoldLifted"):
        pair = (key, text(body["hold_id"]))
        hold = batch.box_holds.setdefault(pair, BoxHold(*pair))
        if kind == "ContainerHoldPlaced":
            hold.reason, hold.placed_by = text(body["reason"]), text(body["placed_by"])
            hold.since_us = micros(body["occurred_at"])
        hold.lifted = kind == "ContainerHoldLifted"


def _fold_watch(batch: Batch, message: TopicMessage, body: dict[str, Any]) -> None:
    """Folds a fact about a watch that one partition of the release desk has published."""
    lifted = message.kind == "WatchLifted"
    watch_id, at = text(body["watch_id"]), micros(body["occurred_at"])
    about = ("", "") if lifted else (text(body["bill_no"]), text(body["declarant"]))
    actor = text(body["lifted_by" if lifted else "placed_by"])
    batch.watches[watch_id, message.key, lifted] = (
        watch_id,
        message.key,
        lifted,
        *about,
        text(body["reason"]),
        actor,
        at,
    )


def _fold_consignment(batch: Batch, message: TopicMessage, body: dict[str, Any]) -> None:
    kind, key = message.kind, message.key
    if kind == "RequestRefused":
        desk = message.topic.split("-")[1]
        batch.refusals.append(
            (
                message.position,
                desk,
                key,
                text(body["request_id"]),
                text(body["request_kind"]),
                text(body["code"]),
                text(kept(body)),
                message.recorded_us,
            )
        )
        if body["request_kind"] != "LodgeDeclaration":
            return
    if kind == "LodgeDeclaration" and not _is_lodgement(key, body):
        return
    row = batch.consignments.get(key)
    if row is None:
        row = batch.consignments[key] = Consignment(key)
    named_before, newer = row.containers, message.sequence > row.seq_gate
    tell(row, message, body)
    if kind in ("DeclarationAccepted", "DeclarationRejected"):
        # A corrected declaration may name other containers than the rejected one. The goods no longer count as declared in the containers that only
        # the rejected one named.
        for number in set(named_before.split()) - set(row.containers.split()):
            _part(batch, (number, key)).declared = False
        for container in body["declaration"].get("containers", ()):
            part = _part(batch, (plain(container["container_no"]), key))
            part.declared, part.seal_no = True, text(container.get("seal_no") or "")
    elif kind in _DEPARTURES and newer:
        _part(batch, (plain(body["container_no"]), key)).gone = kind != "DepartureRetracted"
    elif kind in _FEED:
        batch.releases.append((message.position, key, message.id))


def _is_lodgement(key: str, body: dict[str, Any]) -> bool:
    """Returns whether this request to lodge may become the row of a consignment. It may if its key is a consignment id
    and all its container numbers together have at most `LODGED_CHARACTERS` characters. This is checked because anybody
    may write requests."""
    boxes = [container["container_no"] for container in body["declaration"].get("containers", ())]
    return is_consignment_id(key) and sum([len(box) for box in boxes]) <= LODGED_CHARACTERS


def _part(batch: Batch, pair: Pair) -> ContainerPart:
    part = batch.parts.get(pair)
    if part is None:
        part = batch.parts[pair] = ContainerPart(*pair)
    return part


def _set_aside(batch: Batch, aside: Aside) -> None:
    """Folds one row of a message that was set aside, replayed or discarded. Goods count as parked while one of their messages is set aside."""
    old = batch.asides.get(aside.origin) or batch.asides.get(_older_origin(aside))
    if old is not None and old.key != aside.key:
        # In rows of older software versions, all deadlines of a partition have the same origin. So `old` is about another deadline if its key
        # differs.
        old = None
    if old is not None and aside.status != "parked":
        aside = replace(old, status=aside.status, actor=aside.actor, settled_us=aside.settled_us)
    elif old is not None:
        # The message is parked again. If its kind or value is missing now, the kind or value of the old row is kept.
        aside = replace(aside, kind=aside.kind or old.kind, value=aside.value or old.value)
    batch.asides[aside.origin] = aside
    change = (aside.status == "parked") - (old is not None and old.status == "parked")
    if aside.service == "console" and change:
        at = packed_position(aside.topic, aside.partition, aside.offset)
        batch.alarms.append((at, "FactNotProjected", aside.key, aside.error[:200], aside.parked_us, ""))
    if _holds_container(aside):
        if change:
            batch.containers.setdefault(aside.key, Container(aside.key)).parked += change
        return
    if not _holds_goods(aside):
        return
    row = batch.consignments.setdefault(aside.key, Consignment(aside.key))
    row.parked += change
    if aside.status == "parked":
        row.parked_us = max(row.parked_us or 0, aside.parked_us)
    elif aside.status == "discarded" and aside.kind == "LodgeDeclaration" and not row.declared:
        row.declared, row.rejected_us = "discarded", aside.settled_us


def _older_origin(aside: Aside) -> Origin:
    """Returns the origin that this message has in rows of older software versions, in which all deadlines of a partition have the same origin.
    For a message that is not a deadline, this is its own origin."""
    topic = DEADLINE if aside.topic.startswith(f"{DEADLINE}/") else aside.topic
    return (aside.service, topic, aside.partition, aside.offset)


def _holds_goods(aside: Aside) -> bool:
    """Returns whether the message keeps goods from leaving. It does if its key is the id of a consignment, unless the
    clearance service wrote it or set it aside, because that service decides nothing about goods."""
    counts = aside.service == "clearance" or aside.topic == _COUNTED
    return not counts and len(aside.key) == 36 and "/" not in aside.key


def _holds_container(aside: Aside) -> bool:
    """Returns whether the message keeps a container from leaving. It does if the gate desk set it aside, or if it cannot be projected and its
    key is a container number."""
    return aside.service == "gate" or (aside.service == "console" and bool(aside.key) and aside.topic in _OF_CONTAINERS)


def _announced(announcement: Announcement) -> Aside:
    """Returns the row that this message of a parked topic changes. Raises LookupError or ValueError if the message
    cannot be read, or if the service that it names does not write to this topic."""
    fact = read_parking(announcement.kind, announcement.body)
    if parked_topic(fact.service) != announcement.topic:
        raise ValueError(f"{fact.service[:40]!r} does not write {announcement.topic}")
    at = micros(fact.occurred_at.isoformat())
    parked = fact if isinstance(fact, MessageParked) else None
    return Aside(
        service=_clean(fact.service),
        topic=_clean(fact.topic),
        partition=whole(fact.partition) & 0x7FFFFFFF,
        offset=whole(fact.offset),
        key=_clean(fact.subject)[:200],
        kind=_clean(parked.headers.get("ce_type", "") if parked else fact.message_kind)[:100],  # type: ignore[union-attr]
        reason=_clean(parked.reason if parked else "")[:200],
        error=_clean(parked.error if parked else "")[:1000],
        status=_STATUS[fact.kind],
        actor=_clean("" if isinstance(fact, MessageParked) else fact.ordered_by)[:100],
        parked_us=at,
        settled_us=None if parked else at,
        value=parked.value_base64 if parked else None,
    )


_STATUS = {"MessageParked": "parked", "ParkedReplayed": "replayed", "ParkedDiscarded": "discarded"}


def _clean(raw: str) -> str:
    return raw.replace("\x00", "\ufffd")


# the present rows


@dataclass(slots=True)
class _Wanted:
    """The keys of the rows that messages may touch. Each key is checked when it is added, so that no value of a wrong type gets into an SQL
    query."""

    consignments: set[str] = field(default_factory=set)
    papers: set[str] = field(default_factory=set)
    """Those of `consignments` whose declaration may name other containers from now on."""
    containers: set[str] = field(default_factory=set)
    pairs: set[Pair] = field(default_factory=set)
    reports: set[Pair] = field(default_factory=set)
    box_holds: set[Pair] = field(default_factory=set)


def _want(wanted: _Wanted, message: TopicMessage, body: dict[str, Any]) -> None:
    kind = message.kind
    if kind in _TO_GATE:
        wanted.pairs.add((message.key, text(body["consignment_id"])))
    elif kind in _GATE_FACTS:
        wanted.containers.add(message.key)
        named = body["consignments"] if kind in _OVER else [body[n] for n in ("consignment_id",) if n in body]
        named = [*named, *body.get("permitted", ())]
        wanted.pairs |= {(message.key, text(name)) for name in named}
        wanted.reports |= {(message.key, text(name)) for name in (body.get("report_id"), body.get("replaces")) if name}
        if hold := body.get("hold_id"):
            wanted.box_holds.add((message.key, text(hold)))
    elif kind == _STRIPPED:
        wanted.pairs |= {(plain(target), message.key) for target in body["targets"]}
    elif kind in FOLDED and (kind != "RequestRefused" or body["request_kind"] == "LodgeDeclaration"):
        wanted.consignments.add(message.key)
        if kind in ("DeclarationAccepted", "DeclarationRejected"):
            wanted.papers.add(message.key)
            for container in body["declaration"].get("containers", ()):
                wanted.pairs.add((plain(container["container_no"]), message.key))
        elif kind in _DEPARTURES:
            wanted.pairs.add((plain(body["container_no"]), message.key))


def _known(wanted: _Wanted, set_aside: Iterable[Aside], known: RowSource) -> Batch:
    """Returns a batch with copies of every row that it may touch, so that a batch that fails does not change the originals."""
    batch = Batch()
    _look_up(batch, wanted, set_aside, known)
    return batch


def _look_up(batch: Batch, wanted: _Wanted, set_aside: Iterable[Aside], known: RowSource) -> None:
    """Adds to the batch copies of the present rows that it may touch and does not have yet."""
    set_aside = list(set_aside)
    consignments = wanted.consignments | {a.key for a in set_aside if not _holds_container(a) and _holds_goods(a)}
    containers = wanted.containers | {a.key for a in set_aside if _holds_container(a)}
    before = known.consignments(consignments - batch.consignments.keys())
    batch.before.update(before)
    batch.consignments.update(_copies(before))
    former = {(box, key) for key, row in before.items() if key in wanted.papers for box in row.containers.split()}
    batch.containers.update(_copies(known.containers(containers - batch.containers.keys())))
    batch.parts.update(_copies(known.parts((wanted.pairs | former) - batch.parts.keys())))
    if reports := wanted.reports - batch.reports.keys():
        batch.reports.update(_copies(known.reports(reports)))
    if box_holds := wanted.box_holds - batch.box_holds.keys():
        batch.box_holds.update(_copies(known.box_holds(box_holds)))
    if origins := {origin for a in set_aside for origin in (a.origin, _older_origin(a))} - batch.asides.keys():
        batch.asides.update(known.asides([*origins]))


K = TypeVar("K")
V = TypeVar("V")


class _Tried(dict[K, V]):
    """Rows that one message may change: each is copied from `below` when it is first read, and `below` stays unchanged."""

    def __init__(self, below: Mapping[K, V]) -> None:
        super().__init__()
        self._below = below

    def get(self, key: K, default: Any = None) -> Any:
        if key not in self and key in self._below:
            self[key] = _copy(self._below[key])
        return super().get(key, default)

    def setdefault(self, key: K, default: V) -> V:
        found: V | None = self.get(key)
        if found is None:
            found = self[key] = default
        return found


def _copy(row: V) -> V:
    make: Any = type(row)
    return make(*_values_of(make)(row))  # type: ignore[no-any-return]


def _copies(rows: Mapping[K, V]) -> dict[K, V]:
    if not rows:
        return {}
    make: Any = type(next(iter(rows.values())))
    values = _values_of(make)
    return {key: make(*values(row)) for key, row in rows.items()}


@cache
def _values_of(make: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Returns a function that reads the values of a row of this class. Copying a row with it is ten times as fast as
    copy.copy."""
    return attrgetter(*make.__slots__)


def readable(value: bytes | None) -> dict[str, Any]:
    """Returns the parsed JSON object in the value of a message of a parked topic. Raises Unreadable if the value is not a JSON object, or has
    too many parts."""
    if too_many_parts(value or b""):
        raise Unreadable(f"more than {MOST_PARTS} parts")
    try:
        body = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise Unreadable(str(error)) from None
    if not isinstance(body, dict):
        raise Unreadable("not an object")
    return body
