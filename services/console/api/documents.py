"""How does a row read to people and programs? From rows and facts to the documents of the API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from schemas.bounds import LARGEST_INTEGER
from schemas.codes.checks import Words
from schemas.marks import Audience
from schemas.vocabulary import CHINA, Stage
from services.console.api.masking import body_for
from services.console.api.paging import PAGE_BYTES
from services.console.api.views import (
    BlockView,
    BoxHoldView,
    ConsignmentView,
    Entry,
    FindingView,
    HoldView,
    ParkedView,
    Projection,
    ReleaseView,
    ReportView,
    StageCount,
    Text,
    VisitView,
    Waiting,
)
from services.console.language.desk_sentences import in_words
from services.console.language.words import WORDS, both, check, refusal
from services.console.readmodel.batch import OVERDUE
from services.console.readmodel.consignment import ALL, Consignment, OpenHold, first_hold
from services.console.readmodel.container import BoxHold, Container, Report
from services.console.readmodel.cursors import Cursor
from services.console.readmodel.gate_answer import GateAnswer
from services.console.readmodel.messages import moment, origin
from services.console.readmodel.progress import Standing
from services.console.readmodel.queries import BODY_BYTES, Rows
from services.console.readmodel.tables import OPEN_STAGES

API = "/api/v1"
ENTRY_CHARACTERS = 100_000
"""Of container numbers in one entry of the feed; as many as a declaration may have are far fewer."""
LONGEST_REASON = 2000
"""Characters of a text from a message in a list; the content of the message has all of it."""
MOST_FINDINGS = 100
"""Of one list of a message, in words; its content has all of them."""
MOST_NEAREST = 3
"""Codes that are named beside an unknown one, as many as its desk names."""
SHORT = 200
LEVELS = 100
"""Of lists and objects in each other in a content; no contract has a tenth of it, and what is nested deeper than 254 cannot be written as JSON again."""
UNREADABLE = "Unreadable"
"""The kind of an entry of the feed that may be a release or a revocation, and cannot be told as one: the goods stay."""
STAGES: dict[str, Stage] = {stage.value: stage for stage in Stage}
MILESTONES = frozenset(
    {
        *(
            "LodgeDeclaration",
            "DeclarationLodgedAgain",
            "DeclarationPassedOn",
            "DeclarationWaits",
            "DeclarationAccepted",
            "DeclarationRejected",
            "ConsignmentAssessed",
            "ArrivalRecorded",
        ),
        *("InspectionPassed", "InspectionFailed", "PestIntercepted", "TreatmentOrdered", "TreatmentVerified"),
        *("TreatmentReferred", "TreatmentWaived", "QuarantineRefused"),
        *("RectificationRequested", "FindingsRetracted", "RefusalRevoked", "LiftRetracted", "ArrivalRetracted"),
        *("TreatmentRetracted", "TreatmentDecisionRetracted"),
        *("TreatmentAbandoned", "ReleaseGranted", "ReleaseRefused", "ReleaseRevoked", "DeclarationWithdrawn"),
        *("ConsignmentGatedOut", "ContainerGatedOut", "GateAlarmRaised", "ConsignmentLeftUnreleased"),
        *("DepartureRetracted", "VisitOpened", "VisitClosed", "ContainerFindingRecorded", "ContainerHoldPlaced"),
        *(
            "ContainerHoldLifted",
            "ContainerMayLeave",
            "GoodsTransferred",
            "TransferRetracted",
            "ContainerArrivalRetracted",
            "SameGoodsDeclared",
        ),
    }
)
PROBLEMS = frozenset(
    {
        *("DeclarationRejected", "RequestRefused", "InspectionFailed", "PestIntercepted", "InspectionOverdue"),
        *("TreatmentFailed", "TreatmentAbandoned", "TreatmentOverdue", "QuarantineRefused"),
        *("ReleaseRefused", "ReleaseRevoked"),
        *("RectificationRequested", "RectificationOverdue", "FindingsRetracted"),
        *("TreatmentRetracted", "TreatmentDecisionRetracted", "LiftRetracted", "ArrivalRetracted"),
        *("GateAlarmRaised", "ContainerMustStay", "ConsignmentLeftUnreleased", "ContainerHoldPlaced"),
        "SameGoodsDeclared",
    }
)


def text(words: Words) -> Text:
    return Text(zh=words.zh, en=words.en)


def when(us: int | None) -> datetime | None:
    """The time of a column, None where nothing was said."""
    return None if us is None else moment(us)


def projection(standing: Standing) -> Projection:
    """How fresh an answer is. Everybody reads it, so it says what is in trouble and not, as the log does, what that said: names of
    hosts, users and files."""
    lag = None if standing.lag_seconds is None else round(standing.lag_seconds, 3)
    trouble = standing.trouble.partition(":")[0]
    return Projection(as_of=standing.as_of, lag_seconds=lag, behind=standing.behind, trouble=trouble)


def awaited(name: str) -> Words:
    """What a hold or step waits for, in words."""
    key = f"waiting.{name}"
    if key not in WORDS:
        key = f"waiting.{name.partition('/')[0]}"
    return both(key) if key in WORDS else Words(name, name)


def owner_words(name: str) -> Words:
    return both(f"owners.{name}") if f"owners.{name}" in WORDS else Words(name, name)


def called(group: str, name: str) -> Text:
    """What a code is called; the code itself where the catalogue does not know it: a row may be of another version."""
    return text(both(f"{group}.{name}") if f"{group}.{name}" in WORDS else Words(name, name))


def waiting(row: Consignment) -> Waiting | None:
    """None when nobody has to move."""
    if not row.waiting_for:
        return None
    what, whose = awaited(row.waiting_for), owner_words(row.waiting_owner)
    since = when(row.waiting_since_us)
    stamp = "" if since is None else since.isoformat(timespec="minutes").replace("+00:00", "Z")
    sentence = Text(
        zh=f"等待{what.zh}，自 {stamp} 起；轮到{whose.zh}", en=f"waiting for {what.en} since {stamp}; {whose.en} to act"
    )
    return Waiting(waiting_for=row.waiting_for, owner=row.waiting_owner, since=since, text=sentence)


def hold(open_hold: OpenHold) -> HoldView:
    return HoldView(
        hold_id=open_hold.hold_id,
        owner=open_hold.owner,
        reason=open_hold.reason,
        reason_text=text(in_words(open_hold.reason)),
        since=moment(open_hold.since_us or 0),
        lifted_by=open_hold.lifted_by,
    )


def consignment(row: Consignment) -> ConsignmentView:
    """The row as the API tells it; the hold that is named first comes first."""
    first = first_hold(row.holds)
    holds = sorted(row.holds, key=lambda h: (h != first, h.since_us or 0, h.hold_id))
    return ConsignmentView(
        consignment_id=row.consignment_id,
        stage=STAGES.get(row.stage or Stage.LODGED),
        stage_text=called("stages", row.stage or Stage.LODGED),
        waiting=waiting(row),
        holds=[hold(h) for h in holds],
        earlier=row.earlier,
        later=row.later,
        declaration_no=row.declaration_no,
        declarant=row.declarant,
        consignee=row.consignee,
        reference=row.reference,
        bill_no=row.bill_no,
        customs_office=row.customs_office,
        transport_mode=row.transport_mode,
        trade_mode=row.trade_mode,
        direction=row.direction,
        containers=row.containers.split(),
        arrived_containers=(row.containers if row.arrived_boxes == ALL else row.arrived_boxes).split(),
        released_containers=[] if row.unreleased or row.word != "released" else row.released_boxes.split(),
        released_pieces=None if row.word != "released" else row.released_pieces,
        left_containers=row.departed.split(),
        unreleased_containers=row.unreleased.split(),
        lane=row.lane,
        controls=row.controls.split(),
        credit_grade=row.credit_grade,
        rule_set=row.rule_set,
        lodged_at=when(row.lodged_us),
        accepted_at=when(row.accepted_us),
        rejected_at=when(row.rejected_us),
        assessed_at=when(row.assessed_us),
        arrived_at=when(row.arrived_us),
        released_at=None if row.unreleased else when(row.released_us),
        gated_out_at=None if row.unreleased else when(row.gated_out_us),
        left_unreleased_at=when(row.unreleased_us),
        ended_at=when(row.ended_us),
        parked_messages=row.parked,
    )


def entry(fact: Any, text_of_body: str | None, link: str | None = None, *, audience: Audience | None) -> Entry:
    """A row of `facts` as a timeline shows it to this audience; a body that is no JSON object is shown, inside customs, as the text
    that came. `link`: where the content is, if it is left out here."""
    topic, partition, offset = origin(fact.place)
    body = body_for(audience, fact.kind, content(text_of_body or ""))
    occurred = None if body is None else body.get("occurred_at")
    return Entry(
        id=fact.id,
        cause=fact.cause,
        kind=fact.kind,
        text=called("kinds", fact.kind),
        topic=topic,
        partition=partition,
        offset=offset,
        sequence=fact.sequence,
        recorded_at=moment(fact.recorded_us),
        occurred_at=_time(occurred),
        milestone=fact.kind in MILESTONES,
        problem=fact.kind in PROBLEMS,
        body=body,
        body_link=link,
        findings=_findings(body or {}),
        refusal=text(refusal(str(body.get("code")))) if body and fact.kind == "RequestRefused" else None,
    )


def _findings(body: dict[str, Any]) -> list[FindingView]:
    """The faults and warnings of a declaration with their words; what has not their shape is left to the content."""
    told = [*_listed(body.get("findings")), *_listed(body.get("warnings"))]
    return [
        FindingView(
            pointer=str(each.get("pointer", ""))[:SHORT],
            code=str(each.get("code", ""))[:SHORT],
            severity=str(each.get("severity", ""))[:SHORT],
            seen=str(each.get("seen", ""))[:SHORT],
            text=text(check(str(each.get("code", ""))[:SHORT])),
            nearest=[str(code)[:SHORT] for code in _listed(each.get("nearest"))[:MOST_NEAREST]],
        )
        for each in told
        if isinstance(each, dict)
    ]


def _listed(value: Any) -> list[Any]:
    return value[:MOST_FINDINGS] if isinstance(value, list) else []


def entries(
    rows: Rows,
    facts: Iterable[Any],
    key: str,
    audience: Audience | None,
    longest: int = BODY_BYTES,
    room: int = PAGE_BYTES,
) -> list[Entry]:
    """These rows with their contents, as this audience gets them; a long one, and whatever no longer has room, is left out with a
    link to it."""
    listed = list(facts)
    short = set[int]()
    for fact in listed:
        if fact.size <= longest and fact.size <= room:
            room -= fact.size
            short.add(fact.place)
    bodies = rows.bodies(short)
    return [
        entry(
            fact,
            bodies.get(fact.place),
            None if fact.place in short else content_link(key, fact.id),
            audience=audience,
        )
        for fact in listed
    ]


def content_link(key: str, message_id: str) -> str:
    """Where the content of one message is."""
    return f"{API}/messages/{quote(key, safe='')}/{quote(message_id, safe='')}"


def is_shown(kind: str, only: str) -> bool:
    """Whether a timeline that shows `only` all, milestones or problems shows this kind."""
    return only == "all" or kind in (MILESTONES if only == "milestones" else PROBLEMS)


def content(body: str) -> dict[str, Any] | None:
    """The JSON object of a stored fact, None where none was stored."""
    if not body:
        return None
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        read = None
    return read if isinstance(read, dict) and not _is_deep(body, read) else {"unreadable": body[:2000]}


def _is_deep(body: str, read: Any) -> bool:
    """Whether it is nested deeper than `LEVELS`."""
    if body.count("[") + body.count("{") <= LEVELS:
        return False
    level = [read]
    for _ in range(LEVELS):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for one in inner for each in one]
    return any(isinstance(each, dict | list) for each in level)


def _time(said: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None


def in_order(facts: Iterable[Any]) -> list[Any]:
    """By the time of recording, but never an answer before what it answers: two desks' clocks may differ."""
    rows = sorted(facts, key=lambda f: (f.recorded_us, f.place))
    at = {row.id: row.recorded_us for row in rows}
    causes = {row.id: row.cause for row in rows}
    chains: dict[str, tuple[int, int]] = {}
    """Message → the latest time of it and of all that led to it, and how many these are; each is computed once."""

    def follow(name: str) -> tuple[int, int]:
        chain: dict[str, None] = {}
        while (
            name in at and name not in chains and name not in chain
        ):  # forged messages may name each other in a circle
            chain[name] = None
            name = causes[name]
        latest, depth = chains.get(name, (0, 0))
        for each in reversed(chain):
            latest, depth = max(latest, at[each]), depth + 1
            chains[each] = latest, depth
        return latest, depth

    def effective(row: Any) -> tuple[int, int, int, int]:
        latest, depth = follow(row.cause)
        return max(latest, row.recorded_us), depth, row.sequence, row.place

    return sorted(rows, key=effective)


def release(row: Any, text_of_body: str) -> ReleaseView:
    """A row of the feed, joined with its fact: `Unreadable` where that is missing or is not what a release desk writes. What has no
    room is shortened, with a link to the whole."""
    body = content(text_of_body) or {}
    names, reason, number, version = [body.get(name) for name in ("containers", "reason", "declaration_no", "version")]
    listed = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    version = version if type(version) is int and 0 <= version <= LARGEST_INTEGER else None
    readable = row.id and version is not None and listed == names
    containers = _fitting(listed, ENTRY_CHARACTERS)
    whole = row.id is None or (len(containers) == len(listed) and bool(text_of_body or not row.size))
    if isinstance(reason, str) and len(reason) > LONGEST_REASON:
        reason, whole = f"{reason[:LONGEST_REASON]}…", False
    topic, partition, offset = origin(row.place)
    return ReleaseView(
        cursor=str(Cursor(row.epoch, row.cursor)),
        id=row.id or f"{topic}/{partition}/{offset}",
        kind=row.kind if readable else UNREADABLE,
        consignment_id=row.consignment_id,
        version=version or 0,
        declaration_no=number[:LONGEST_REASON] if isinstance(number, str) else None,
        containers=containers,
        held=len(holds) if isinstance(holds := body.get("holds"), list) else 0,
        pieces=pieces if type(pieces := body.get("pieces")) is int else None,
        reason=reason if isinstance(reason, str) else None,
        occurred_at=_time(body.get("occurred_at")) or when(row.recorded_us),
        body_link=None if whole else content_link(row.consignment_id, row.id),
    )


def feed_entries(rows: Rows, listed: Iterable[Any]) -> Iterable[ReleaseView]:
    """These rows of the feed with their contents; a long one is read when its turn has come. Ends before one that is gone by then."""
    for row in listed:
        body = rows.bodies([row.place]).get(row.place) if row.id and row.size > BODY_BYTES else row.body
        if row.id and body is None:
            return
        yield release(row, body or "")


def _fitting(names: Sequence[str], room: int) -> list[str]:
    """The first names, as many as the room allows; control characters are six bytes long in JSON."""
    taken: list[str] = []
    for name in names:
        room -= 6 * len(name) + 3
        if room < 0:
            break
        taken.append(name)
    return taken


def stage_counts(
    counts: Mapping[str, int],
    oldest: Mapping[str, Consignment],
    since: Mapping[Stage, Sequence[int]],
    at: datetime,
) -> list[StageCount]:
    """Every stage in the order of the flow, open ones first. `since`: when the median and the 95th percentile began to wait."""
    ordered: Sequence[Stage] = [*OPEN_STAGES, *[s for s in Stage if s not in OPEN_STAGES]]
    result = []
    for stage in ordered:
        first = oldest.get(stage)
        p50, p95 = (
            [max(0.0, (at - moment(us)).total_seconds()) for us in since[stage]] if stage in since else [None, None]
        )
        result.append(
            StageCount(
                stage=stage,
                text=text(both(f"stages.{stage.value}")),
                consignments=counts.get(stage, 0),
                open=stage in OPEN_STAGES,
                oldest_consignment_id=first.consignment_id if first else None,
                oldest_since=when(first.waiting_since_us) if first else None,
                oldest_owner=first.waiting_owner if first else None,
                waiting_p50_seconds=p50,
                waiting_p95_seconds=p95,
            )
        )
    return result


def alarm(row: Any) -> dict[str, Any]:
    """A row of the alarms as the fields of an AlarmView."""
    return {
        "kind": row.kind,
        "alarm": row.alarm,
        "text": called("alarm_kinds", row.alarm) if row.alarm else called("kinds", row.kind),
        "subject": row.subject,
        "reason": row.reason,
        "reason_text": _overdue(row.reason) if row.kind in OVERDUE else text(in_words(row.reason)),
        "raised_at": moment(row.raised_us),
    }


def _overdue(code: str) -> Text:
    """What ran out of its time limit: a control, or a treatment by that which ordered it (a control, or the risk desk)."""
    return called("controls" if f"controls.{code}" in WORDS else "owners", code)


def visit(row: Container) -> VisitView | None:
    """The latest stay of the container; None where no report told of one."""
    if not row.visit and not row.visit_end:
        return None
    how = called("visit_ends", row.visit_end) if row.visit_end else None
    return VisitView(
        visit=row.visit,
        opened_at=when(row.visit_us),
        place=row.place,
        how=row.visit_end,
        how_text=how,
        ended_at=when(row.visit_end_us),
    )


def box_hold(hold: BoxHold) -> BoxHoldView:
    return BoxHoldView(hold_id=hold.hold_id, reason=hold.reason, placed_by=hold.placed_by, since=when(hold.since_us))


def block(row: Container) -> BlockView | None:
    """The alarm that waits for an officer's finding, None where there is none."""
    if not row.blocking:
        return None
    return BlockView(
        container_no=row.container_no,
        alarm=row.alarm,
        text=called("alarm_kinds", row.alarm),
        reason=row.alarm_reason,
        raised_at=when(row.blocked_us),
        reports=[line.partition("\t")[0] for line in row.blocking.splitlines()],
    )


def report(row: Report) -> ReportView:
    return ReportView(
        report_id=row.report_id,
        event=row.event,
        text=called("events", row.event),
        classifier=row.classifier,
        occurred_at=when(row.occurred_us),
        recorded_at=when(row.recorded_us),
        place=row.place,
        to=row.to_place,
        laden={"laden": True, "empty": False}.get(row.laden),
        conveyance=row.conveyance,
        bill=row.bill,
        visit=row.visit,
        replaces=row.replaces,
        retells=row.retells,
        reported_by=row.reported_by,
        standing=row.standing,
    )


SHOWN_WAITS = 3
"""Bills of which the gate's answer says what they wait for; the others are counted."""
COUNTING = frozenset({"held", "not_released", "not_said", "no_visit", "hold_asked", "parked"})
"""The reasons with which the lots in the container are told. Of exports they are not: all are released, and none may go by land."""


def gate_text(said: GateAnswer, row: Container | None) -> Text:
    """Why the container stays or may go, with counts, and of which visit that is said. Times are those of Beijing."""
    undeclared = said.reason == "not_said" and said.released < said.lots  # all that are declared are released
    told = [both("gate_more.others_undeclared" if undeclared else f"gate.{said.reason}")]
    if said.lots and said.reason in COUNTING:
        told.append(both("gate_more.lots", released=said.released, count=said.lots))
        for one in said.awaited[:SHOWN_WAITS]:
            if one.waiting_for:
                what = awaited(one.waiting_for)
                bill = one.bill_no or one.consignment_id
                zh, en = [both("gate_more.waits", bill=bill, what=each) for each in (what.zh, what.en)]
                told.append(Words(zh.zh, en.en))
        if len(said.awaited) > SHOWN_WAITS:
            told.append(both("gate_more.others", count=len(said.awaited) - SHOWN_WAITS))
    of_visit = _of_visit(said, row)
    if of_visit and said.reason in ("gated_out", "closed"):
        told = []  # when and how the visit ended says it
    told += of_visit
    return Text(zh="；".join([each.zh for each in told]), en="; ".join([each.en for each in told]))


def _of_visit(said: GateAnswer, row: Container | None) -> list[Words]:
    if row is None or said.reason in ("unknown", "stale"):
        return []
    if row.open:
        return [both("gate_more.visit", time=_beijing(row.visit_us), place=row.place or "—")]
    if row.word == "gated_out":
        left = both("gate_more.left", time=_beijing(row.since_us), gate=row.gate or "—")
        return [left, both("gate_more.no_visit")] if said.lots else [left]
    if row.visit_end:
        how = called("visit_ends", row.visit_end)
        zh, en = [both("gate_more.ended", time=_beijing(row.visit_end_us), how=each) for each in (how.zh, how.en)]
        return [Words(zh.zh, en.en)]
    return []


def _beijing(us: int | None) -> str:
    return "—" if us is None else moment(us).astimezone(CHINA).isoformat(timespec="minutes")


def parked(row: Any) -> ParkedView:
    key = f"park_reasons.{row.reason}"
    return ParkedView(
        service=row.service[:LONGEST_REASON],
        topic=row.topic[:LONGEST_REASON],
        partition=row.partition,
        offset=row.offset,
        key=row.key,
        kind=row.kind,
        reason=row.reason,
        reason_text=text(both(key)) if key in WORDS else Text(zh=row.reason, en=row.reason),
        error=row.error,
        status=row.status,
        parked_at=when(row.parked_us),
    )
