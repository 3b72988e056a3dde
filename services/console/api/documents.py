"""How does a row become a document of the API? These functions turn rows and facts into the models in `views`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from schemas.bounds import LARGEST_INTEGER
from schemas.codes.bilingual import Bilingual
from schemas.marks import Audience
from schemas.vocabulary import CHINA, Owner, Stage, StayCode
from services.console.access.acting import roles_for, roles_of_stay
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
    StayView,
    Text,
    VisitView,
    Waiting,
)
from services.console.language.desk_sentences import english, in_words, in_words_of, phrases_of
from services.console.language.words import TEXTS, both, check, refusal
from services.console.readmodel.batch import OVERDUE
from services.console.readmodel.consignment import ALL, Consignment, OpenHold, first_hold
from services.console.readmodel.container import BoxHold, Container, ReportRow
from services.console.readmodel.cursors import Cursor
from services.console.readmodel.gate_answer import GateAnswer
from services.console.readmodel.messages import moment, origin
from services.console.readmodel.progress import ProjectorStanding
from services.console.readmodel.queries import BODY_BYTES, ReadModelQueries
from services.console.readmodel.tables import OPEN_STAGES

API = "/api/v1"
ENTRY_CHARACTERS = 100_000
"""The most bytes of container numbers in one entry of the feed, as `_fitting` counts them. One declaration has far
fewer."""
LONGEST_REASON = 2000
"""The most characters of a reason, or of another text in a message, that a list shows. The content of the message has
the whole text."""
MOST_FINDINGS = 100
"""The most findings of one list in a message that are shown with their sentences. The content of the message has all of them."""
MOST_NEAREST = 3
"""The most similar codes that are named beside an unknown code. The declaration desk names no more than this many."""
SHORT = 200
LEVELS = 100
"""The most levels of nesting of a content that is shown. No kind of message has as many as ten levels, and orjson
cannot write JSON with more than 254 levels."""
UNREADABLE = "Unreadable"
"""The kind of a feed entry whose fact cannot be read. The fact may be a release or a revocation, so the goods must stay."""
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
        "ContainerFindingRetracted",
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


def text(sentence: Bilingual) -> Text:
    return Text(zh=sentence.zh, en=sentence.en)


def when(us: int | None) -> datetime | None:
    """Returns the time in a column (microseconds since 1970 UTC) as an aware datetime; None if the column is empty."""
    return None if us is None else moment(us)


def projection(standing: ProjectorStanding) -> Projection:
    """Returns how fresh an answer is, as a document. Everybody may read it, so it only names the component that has trouble. The text of the
    error, which may contain names of hosts, users and files, is left out."""
    lag = None if standing.lag_seconds is None else round(standing.lag_seconds, 3)
    trouble = standing.trouble.partition(":")[0]
    return Projection(as_of=standing.as_of, lag_seconds=lag, behind=standing.behind, trouble=trouble)


def awaited(name: str) -> Bilingual:
    """Returns the words, in both languages, for what goods wait for. `name`: the id of a hold, or a step."""
    key = f"waiting.{name}"
    if key not in TEXTS:
        key = f"waiting.{name.partition('/')[0]}"
    return both(key) if key in TEXTS else Bilingual(name, name)


def owner_words(name: str, roles: Sequence[str] = ()) -> Bilingual:
    """Returns who has to act, in both languages. `roles`: the roles that may act. If an officer has to act, these roles
    are named, because several roles are officers."""
    if name == Owner.OFFICER and roles:
        officers = [TEXTS[f"roles.{role}"] for role in roles]
        return Bilingual("或".join([each.zh for each in officers]), " or ".join([each.en.lower() for each in officers]))
    return both(f"owners.{name}") if f"owners.{name}" in TEXTS else Bilingual(name, name)


def called(group: str, name: str) -> Text:
    """Returns the name of a code in both languages. `group`: the group of words.toml. If words.toml does not have the code, because another
    version has written the row, returns the code itself."""
    return text(both(f"{group}.{name}") if f"{group}.{name}" in TEXTS else Bilingual(name, name))


def waiting(row: Consignment) -> Waiting | None:
    """Returns what the goods wait for, as a document; None if nobody has to act."""
    if not row.waiting_for:
        return None
    roles = roles_for(row.waiting_for, row.waiting_owner)
    whose, since = owner_words(row.waiting_owner, roles), when(row.waiting_since_us)
    sentence = _wait(awaited(row.waiting_for), since, whose)
    return Waiting(waiting_for=row.waiting_for, owner=row.waiting_owner, roles=roles, since=since, text=sentence)


def _wait(what: Bilingual, since: datetime | None, whose: Bilingual) -> Text:
    """Returns the sentence that says what is awaited (`what`), since when, and who has to act (`whose`)."""
    stamp = "" if since is None else since.isoformat(timespec="minutes").replace("+00:00", "Z")
    return Text(
        zh=f"等待{what.zh}，自 {stamp} 起；轮到{whose.zh}", en=f"waiting for {what.en} since {stamp}; {whose.en} to act"
    )


def hold(open_hold: OpenHold) -> HoldView:
    return HoldView(
        hold_id=open_hold.hold_id,
        owner=open_hold.owner,
        roles=roles_for(open_hold.hold_id, open_hold.owner),
        reason=english(open_hold.reason),
        reason_text=text(in_words(open_hold.reason)),
        since=moment(open_hold.since_us or 0),
        lifted_by=open_hold.lifted_by,
    )


def consignment(row: Consignment) -> ConsignmentView:
    """Returns the row of a consignment as a document of the API. The hold that `waiting` names comes first in the list
    of holds."""
    first, stage = first_hold(row.holds), STAGES.get(row.stage or Stage.LODGED)
    holds = sorted(row.holds, key=lambda h: (h != first, h.since_us or 0, h.hold_id))
    return ConsignmentView(
        consignment_id=row.consignment_id,
        stage=stage,
        stage_name=stage.plain if stage else None,
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
    """Returns a row of `tables.FACTS` as a timeline shows it to this audience (None: inside customs). `text_of_body`: the content, None if it
    is left out; `link`: the address of the content in this case. For readers inside customs, a content that is not a JSON object is shown as
    text."""
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
    """Returns the faults and warnings in the content of a fact, with their sentences. Items of another shape are left out here; the content
    still has them."""
    found = [*_listed(body.get("findings")), *_listed(body.get("warnings"))]
    return [
        FindingView(
            pointer=str(each.get("pointer", ""))[:SHORT],
            code=str(each.get("code", ""))[:SHORT],
            severity=str(each.get("severity", ""))[:SHORT],
            seen=str(each.get("seen", ""))[:SHORT],
            seen_text=_value_in_words(each),
            text=text(check(str(each.get("code", ""))[:SHORT])),
            nearest=[str(code)[:SHORT] for code in _listed(each.get("nearest"))[:MOST_NEAREST]],
        )
        for each in found
        if isinstance(each, dict)
    ]


def _value_in_words(finding: Mapping[str, Any]) -> Text:
    """Returns the value at the pointer of a finding in both languages. It is made from the phrase of the finding, or,
    if an older software version wrote the finding without a phrase, from the text in `seen`."""
    by_phrase = in_words_of(phrases_of(finding))
    zh, en = in_words(str(finding.get("seen", ""))[:SHORT]) if by_phrase is None else by_phrase
    return Text(zh=zh[:LONGEST_REASON], en=en[:LONGEST_REASON])


def _listed(value: Any) -> list[Any]:
    return value[:MOST_FINDINGS] if isinstance(value, list) else []


def entries(
    rows: ReadModelQueries,
    facts: Iterable[Any],
    key: str,
    audience: Audience | None,
    longest: int = BODY_BYTES,
    room: int = PAGE_BYTES,
) -> list[Entry]:
    """Returns these rows of `tables.FACTS` as the entries of a timeline, with their contents, masked for this audience.
    A content is replaced by a link if it is longer than `longest` bytes, or if it does not fit into `room` bytes
    together with the contents before it."""
    listed = list(facts)
    short = set[int]()
    for fact in listed:
        if fact.size <= longest and fact.size <= room:
            room -= fact.size
            short.add(fact.place)
    bodies, again = rows.bodies(short), lodged_again(listed)
    shown = [
        entry(
            fact,
            bodies.get(fact.place),
            None if fact.place in short else content_link(key, fact.id),
            audience=audience,
        )
        for fact in listed
    ]
    return [each.model_copy(update={"milestone": False}) if each.id in again else each for each in shown]


def content_link(key: str, message_id: str) -> str:
    """Returns the address of the content of one message."""
    return f"{API}/messages/{quote(key, safe='')}/{quote(message_id, safe='')}"


def lodged_again(facts: Iterable[Any]) -> set[str]:
    """Returns the ids of the lodgements that changed nothing, because the same declaration had been lodged before. Only the first lodgement is
    a milestone."""
    listed = list(facts)
    repeats = {fact.cause for fact in listed if fact.kind == "DeclarationRepeated"}
    return {fact.id for fact in listed if fact.kind == "LodgeDeclaration" and fact.id in repeats}


def selected(facts: Iterable[Any], only: str) -> list[Any]:
    """Returns the facts of this list that a timeline shows, in the same order. `only`: which facts the timeline shows,
    as `all`, `milestones` or `problems`."""
    listed = list(facts)
    if only == "all":
        return listed
    again = lodged_again(listed) if only == "milestones" else set[str]()
    kinds = MILESTONES if only == "milestones" else PROBLEMS
    return [fact for fact in listed if fact.kind in kinds and fact.id not in again]


def content(body: str) -> dict[str, Any] | None:
    """Returns the content of a stored fact as a JSON object; None if no content was stored. A content that is not a JSON object, or that is
    nested too deeply, becomes `{"unreadable": …}` with its first 2000 characters."""
    if not body:
        return None
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        read = None
    return read if isinstance(read, dict) and not _is_deep(body, read) else {"unreadable": body[:2000]}


def _is_deep(body: str, read: Any) -> bool:
    """Returns whether the content is nested deeper than `LEVELS`."""
    if body.count("[") + body.count("{") <= LEVELS:
        return False
    level = [read]
    for _ in range(LEVELS):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for one in inner for each in one]
    return any(isinstance(each, dict | list) for each in level)


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def in_order(facts: Iterable[Any]) -> list[Any]:
    """Returns the facts sorted by recorded time, but each fact after its cause. The recorded times alone do not ensure that, because the
    clocks of two desks may differ."""
    rows = sorted(facts, key=lambda f: (f.recorded_us, f.place))
    at = {row.id: row.recorded_us for row in rows}
    causes = {row.id: row.cause for row in rows}
    chains: dict[str, tuple[int, int]] = {}
    """Id of a message → the latest recorded time in its chain of causes (itself included), and the length of the chain."""

    def follow(name: str) -> tuple[int, int]:
        chain: dict[str, None] = {}
        while name in at and name not in chains and name not in chain:
            # the causes of forged messages may form a circle, so no message is followed twice
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
    """Returns a row of the feed, joined with its fact, as a document. The document has the kind `Unreadable` if the
    fact is missing or lacks fields that a fact of the release desk has. If the containers or the reason are too long,
    they are shortened, and the document has a link to the whole content."""
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


def feed_entries(rows: ReadModelQueries, listed: Iterable[Any]) -> Iterable[ReleaseView]:
    """Yields these rows of the feed as documents with their contents. A long content is read only when its row is reached. Ends before the
    first row whose fact was deleted meanwhile."""
    for row in listed:
        body = rows.bodies([row.place]).get(row.place) if row.id and row.size > BODY_BYTES else row.body
        if row.id and body is None:
            return
        yield release(row, body or "")


def _fitting(names: Sequence[str], room: int) -> list[str]:
    """Returns the first of these names, as many as fit into `room` bytes. Each character is counted as six bytes, because a control character
    takes six in JSON."""
    taken: list[str] = []
    for name in names:
        room -= 6 * len(name) + 3
        if room < 0:
            break
        taken.append(name)
    return taken


LISTED_STAGES: tuple[Stage, ...] = (*OPEN_STAGES, *[stage for stage in Stage if stage not in OPEN_STAGES])
"""All stages in the order in which lists show them: first the open ones in the order of the flow, then the others."""


def stage_counts(
    counts: Mapping[str, int],
    oldest: Mapping[str, Consignment],
    since: Mapping[Stage, Sequence[int]],
    at: datetime,
) -> list[StageCount]:
    """Returns one entry for each stage, in the order of `LISTED_STAGES`.

    `counts`: stage → number of consignments; `oldest`: stage → the consignment that has waited longest. `since`: stage → two moments in
    microseconds since 1970 UTC. `at` minus the first is the median of the waiting times, `at` minus the second is their 95th percentile.
    `at`: the present time.
    """
    result = []
    for stage in LISTED_STAGES:
        first = oldest.get(stage)
        p50, p95 = (
            [max(0.0, (at - moment(us)).total_seconds()) for us in since[stage]] if stage in since else [None, None]
        )
        result.append(
            StageCount(
                stage=stage,
                stage_name=stage.plain,
                text=text(both(f"stages.{stage.value}")),
                consignments=counts.get(stage, 0),
                open=stage in OPEN_STAGES,
                oldest_consignment_id=first.consignment_id if first else None,
                oldest_since=when(first.waiting_since_us) if first else None,
                oldest_owner=first.waiting_owner if first else None,
                oldest_roles=roles_for(first.waiting_for, first.waiting_owner) if first else None,
                waiting_p50_seconds=p50,
                waiting_p95_seconds=p95,
            )
        )
    return result


def alarm(row: Any) -> dict[str, Any]:
    """Returns a row of `tables.ALARMS` as the fields of an AlarmView."""
    return {
        "kind": row.kind,
        "alarm": row.alarm,
        "text": called("alarm_kinds", row.alarm) if row.alarm else called("kinds", row.kind),
        "subject": row.subject,
        "reason": english(row.reason),
        "reason_text": _overdue(row.reason) if row.kind in OVERDUE else text(in_words(row.reason)),
        "raised_at": moment(row.raised_us),
    }


def _overdue(code: str) -> Text:
    """Returns the name of a control or treatment that exceeded its time limit. A treatment is named by what ordered it: a control or the risk
    desk."""
    return called("controls" if f"controls.{code}" in TEXTS else "owners", code)


def visit(row: Container) -> VisitView | None:
    """Returns the latest visit of the container as a document; None if no report has opened one."""
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
    """Returns, as a document, the alarm of this container that waits for an officer's finding; None if no alarm
    waits."""
    if not row.blocking:
        return None
    return BlockView(
        container_no=row.container_no,
        alarm=row.alarm,
        text=called("alarm_kinds", row.alarm),
        reason=english(row.alarm_reason),
        reason_text=text(in_words(row.alarm_reason)),
        raised_at=when(row.blocked_us),
        reports=[line.partition("\t")[0] for line in row.blocking.splitlines()],
    )


def stay(answer: GateAnswer, row: Container | None, holds: Iterable[BoxHold]) -> StayView | None:
    """Returns what the container itself waits for, as a document. Returns None if the container may leave, if it waits
    only for what its goods wait for, or if it is not known what it waits for. `holds`: the holds on the container."""
    code, since_us = _stay_code(answer, row, holds)
    owner = code.owner if code is not None else None
    if code is None or owner is None:
        return None
    roles, since = roles_of_stay(code), when(since_us)
    sentence = _wait(both(f"stay_codes.{code}"), since, owner_words(owner, roles))
    return StayView(code=code, owner=owner, roles=roles, since=since, text=sentence)


def _stay_code(
    answer: GateAnswer, row: Container | None, holds: Iterable[BoxHold]
) -> tuple[StayCode | None, int | None]:
    """Returns what the container waits for, and since when in microseconds since 1970; None for each that is not known.
    A code that only a newer software version knows counts as not known."""
    if answer.may_leave:
        return None, None
    if answer.reason == StayCode.BOX_HELD:
        return StayCode.BOX_HELD, next((hold.since_us for hold in holds if not hold.lifted), None)
    if row is not None and row.blocking:
        return StayCode.ALARM, row.blocked_us
    if row is None or row.word != "must_stay" or row.awaits not in set(StayCode):
        return None, None
    return StayCode(row.awaits), row.since_us


def report(row: ReportRow) -> ReportView:
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
        disbelieved_time=when(row.disbelieved_us),
    )


SHOWN_WAITS = 3
"""For how many bills the gate's answer names what they wait for. The others are only counted."""
COUNTING = frozenset({"held", "not_released", "not_said", "no_visit", "hold_asked", "parked", "to_be_counted"})
"""Reasons of the gate's answer to which the number of lots in the container is added. The reason `export` is not one of them, because all lots
of an export are released, and none may leave by land."""


def gate_text(answer: GateAnswer, row: Container | None) -> Text:
    """Returns the sentences that say why the container must stay or may leave, how many lots are in it, and which visit the answer is about.
    Times are in Beijing time."""
    undeclared = (
        answer.reason == "not_said" and answer.released < answer.lots
    )  # in this case all lots that have a declaration are released
    sentences = [both("gate_more.others_undeclared" if undeclared else f"gate.{answer.reason}")]
    if answer.lots and answer.reason in COUNTING:
        sentences.append(both("gate_more.lots", released=answer.released, count=answer.lots))
        for one in answer.awaited[:SHOWN_WAITS]:
            if one.waiting_for:
                what = awaited(one.waiting_for)
                bill = one.bill_no or one.consignment_id
                zh, en = [both("gate_more.waits", bill=bill, what=each) for each in (what.zh, what.en)]
                sentences.append(Bilingual(zh.zh, en.en))
        if len(answer.awaited) > SHOWN_WAITS:
            sentences.append(both("gate_more.others", count=len(answer.awaited) - SHOWN_WAITS))
    of_visit = _of_visit(answer, row)
    ended_so = row is not None and answer.reason == row.visit_end
    if of_visit and (ended_so or answer.reason in ("gated_out", "closed")):
        sentences = []  # the sentence in `of_visit` already says when and how the visit ended
    sentences += of_visit
    return Text(zh="；".join([each.zh for each in sentences]), en="; ".join([each.en for each in sentences]))


def _of_visit(answer: GateAnswer, row: Container | None) -> list[Bilingual]:
    if row is None or answer.reason in ("unknown", "stale"):
        return []
    if row.open:
        return [both("gate_more.visit", time=_beijing(row.visit_us), place=row.place or "—")]
    if row.word == "gated_out":
        left = both("gate_more.left", time=_beijing(row.since_us), gate=row.gate or "—")
        return [left, both("gate_more.no_visit")] if answer.lots else [left]
    if row.visit_end:
        how = called("visit_ends", row.visit_end)
        zh, en = [both("gate_more.ended", time=_beijing(row.visit_end_us), how=each) for each in (how.zh, how.en)]
        return [Bilingual(zh.zh, en.en)]
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
        reason_text=text(both(key)) if key in TEXTS else Text(zh=row.reason, en=row.reason),
        error=row.error,
        status=row.status,
        parked_at=when(row.parked_us),
    )
