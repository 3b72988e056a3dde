"""What does the API answer? The shapes of its documents; times are RFC 3339 in UTC, durations are seconds.

What each field means stands in `reference.toml`, in both languages; programs find it in the OpenAPI document.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.vocabulary import Stage


class Text(BaseModel):
    """The same words in both languages."""

    zh: str
    en: str


class Projection(BaseModel):
    """How far the rows are: complete up to `as_of` (null: not yet complete since the start), `behind` messages to go. `trouble`: what
    keeps them from it (database, kafka, access, projector, …), empty where nothing does; the log says more."""

    as_of: datetime | None
    lag_seconds: float | None
    behind: int
    trouble: str = ""


class Waiting(BaseModel):
    """What is awaited, since when, and whose move it is. `text`: the sentence that says so."""

    waiting_for: str
    owner: str
    since: datetime | None
    text: Text


class HoldView(BaseModel):
    """A hold that is open now. `reason`: as it was written; `reason_text`: in both languages where a desk wrote it."""

    hold_id: str
    owner: str
    reason: str
    reason_text: Text
    since: datetime
    lifted_by: str


class ConsignmentView(BaseModel):
    """Where one consignment stands. `stage` is null where a row names one that this version does not know; `stage_text` has it."""

    consignment_id: str
    stage: Stage | None
    stage_text: Text
    waiting: Waiting | None
    holds: list[HoldView] = []
    earlier: str = ""
    later: str = ""
    declaration_no: str = ""
    declarant: str = ""
    consignee: str = ""
    reference: str = ""
    bill_no: str = ""
    customs_office: str = ""
    transport_mode: str = ""
    trade_mode: str = ""
    direction: str = ""
    containers: list[str] = []
    arrived_containers: list[str] = []
    released_containers: list[str] = []
    released_pieces: int | None = None
    left_containers: list[str] = []
    unreleased_containers: list[str] = []
    lane: str = ""
    controls: list[str] = []
    credit_grade: str = ""
    rule_set: str = ""
    lodged_at: datetime | None = None
    accepted_at: datetime | None = None
    rejected_at: datetime | None = None
    assessed_at: datetime | None = None
    arrived_at: datetime | None = None
    released_at: datetime | None = None
    gated_out_at: datetime | None = None
    left_unreleased_at: datetime | None = None
    ended_at: datetime | None = None
    parked_messages: int = 0


class Watch(BaseModel):
    """A watch on a bill or a declarant. `state`: `open` once every partition of the release desk keeps it, `incomplete` until then
    (goods that match stay at the gate all the same), or `lifted`."""

    watch_id: str
    bill_no: str
    declarant: str
    reason: str
    placed_by: str
    placed_at: datetime | None
    state: str
    partitions: int
    placed_in: int
    lifted_in: int
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lift_reason: str = ""


class Watches(BaseModel):
    """The watches, those that are open first."""

    watches: list[Watch]
    projection: Projection


class WatchTaken(BaseModel):
    """The watch was placed or lifted: all `partitions` have acknowledged it, and of so many `consignments` that were known the hold
    was asked or its lifting."""

    watch_id: str
    partitions: int
    consignments: int
    status: str


class Status(BaseModel):
    """A consignment and how fresh the answer is. 200 when its rows are there, 202 while it is only known to be lodged."""

    consignment: ConsignmentView
    projection: Projection
    status: str
    timeline: str


class FindingView(BaseModel):
    """What the declaration desk found fault with, in words. `pointer`: RFC 6901, into the declaration; `seen`: what stood there, as the desk
    wrote it; `seen_text`: the same in both languages; `nearest`: codes of the table that may have been meant, where what stood there is
    none."""

    pointer: str
    code: str
    severity: str
    seen: str
    seen_text: Text
    text: Text
    nearest: list[str] = []


class Entry(BaseModel):
    """One message of a timeline. `findings`: those of its content, in words. `cause`: id of the message that it answers; `body` is null where the next answer repeats it, and
    where it is long: `body_link` leads to it then."""

    id: str
    cause: str
    kind: str
    text: Text
    topic: str
    partition: int
    offset: int
    sequence: int
    recorded_at: datetime
    occurred_at: datetime | None
    milestone: bool
    problem: bool
    body: dict[str, Any] | None
    body_link: str | None = None
    findings: list[FindingView] = []
    refusal: Text | None = None


class Timeline(BaseModel):
    """Everything said about one key, in the order of cause and time. `next`: link to the next page, null at the end; `complete`
    false: there are more messages than a timeline orders."""

    consignment_id: str
    entries: list[Entry]
    next: str | None = None
    complete: bool = True
    projection: Projection


class Content(BaseModel):
    """A piece of one message's content as text; `next`: link to the next piece, null at the end."""

    id: str
    characters: int
    text: str
    next: str | None


class Found(BaseModel):
    """A page of consignments; `next` is the link to the next page, null at the end."""

    consignments: list[ConsignmentView]
    next: str | None
    projection: Projection


class Taken(BaseModel):
    """A request that the broker has acknowledged. `status`: link to the consignment, `request`: link to what became of it."""

    request_id: str
    consignment_id: str | None = None
    container_no: str | None = None
    status: str
    request: str


class BatchItem(BaseModel):
    """What came of one declaration of a batch: 202, or a problem of its own."""

    index: int
    status_code: int
    reference: str = ""
    consignment_id: str | None = None
    request_id: str | None = None
    status: str | None = None
    code: str | None = None
    title: str | None = None
    title_zh: str | None = None
    faults: int | None = None
    errors: list[dict[str, Any]] = []


class BatchResult(BaseModel):
    """In the order of the batch."""

    accepted: int
    refused: int
    results: list[BatchItem]


class LaterWord(BaseModel):
    """A message that came after the answers to a request and says otherwise about the same matter."""

    id: str
    kind: str
    text: Text
    recorded_at: datetime


class RequestView(BaseModel):
    """What became of a request. `outcome`: not_projected, pending, answered, refused or parked; `answers`: the facts it caused."""

    request_id: str
    kind: str
    subject: str
    asked_at: datetime
    outcome: str
    outcome_text: Text
    refusal_code: str | None = None
    refusal: Text | None = None
    reason: str | None = None
    reason_text: Text | None = None
    answers: list[Entry] = []
    overtaken_by: LaterWord | None = None
    projection: Projection


class VisitView(BaseModel):
    """The latest stay of a container. `how`: how it ended, empty while it is open."""

    visit: str
    opened_at: datetime | None
    place: str
    how: str = ""
    how_text: Text | None = None
    ended_at: datetime | None = None


class BoxHoldView(BaseModel):
    """A hold on the container itself that is open now."""

    hold_id: str
    reason: str
    placed_by: str
    since: datetime | None


class BlockView(BaseModel):
    """An alarm that waits for an officer's finding; `reports`: the reports that raised it and the others like it."""

    container_no: str
    alarm: str
    text: Text
    reason: str
    reason_text: Text
    raised_at: datetime | None
    reports: list[str]


class ReportView(BaseModel):
    """An equipment report as the gate has recorded it. `standing`: empty, `retracted` or `replaced`; `laden` null: not said."""

    report_id: str
    event: str
    text: Text
    classifier: str
    occurred_at: datetime | None
    recorded_at: datetime | None
    place: str
    to: str
    laden: bool | None
    conveyance: str
    bill: str
    visit: str
    replaces: str
    retells: str
    reported_by: str
    standing: str


class Reports(BaseModel):
    """The latest equipment reports of a container, the latest first; `complete` false: there are older ones."""

    container_no: str
    reports: list[ReportView]
    complete: bool
    projection: Projection


class GateView(BaseModel):
    """May this container leave? False unless everything says that it may; `reason` is a code, `text` says why, with counts.

    `lots`: bills in it, or as many as a paper says that share it; `lots_released`: those of them that may go. `permitted`: of
    `consignments`, those that an officer's permit lets out without an import release.

    What a person wrote is not told to ports: `reason` and `placed_by` of holds, `reason` of an alarm, and `detail` are empty
    (of goods that left, `detail` names the gate).
    """

    container_no: str
    may_leave: bool
    reason: str
    text: Text
    detail: str
    detail_text: Text = Text(zh="", en="")
    waiting_for: list[str]
    consignments: list[str]
    permitted: list[str] = []
    lots: int = 0
    lots_released: int = 0
    visit: VisitView | None = None
    holds: list[BoxHoldView] = []
    block: BlockView | None = None
    since: datetime | None
    as_of: datetime | None
    lag_seconds: float | None


class ReleaseView(BaseModel):
    """An entry of the feed for ports. `kind`: ReleaseGranted or ReleaseRevoked; of two, the higher `version` is true. `body_link` is
    null, except where `containers` or `reason` had no room and are shortened: it leads to the whole content then.

    `Unreadable`: something was said of the goods that may call them back and cannot be read; they stay until a higher `version`
    than the last that was read comes. `occurred_at` is null where it is not known. `reason` is null: what an officer wrote is not
    told to ports; programs of earlier versions expect the field.
    """

    cursor: str
    id: str
    kind: str
    consignment_id: str
    version: int
    declaration_no: str | None
    containers: list[str]
    held: int = 0
    pieces: int | None = None
    reason: str | None
    occurred_at: datetime | None
    body_link: str | None = None


class Feed(BaseModel):
    """Releases and revocations after a cursor; ask again with `cursor`. `more`: there are more than this answer has room for."""

    releases: list[ReleaseView]
    cursor: str
    more: bool
    projection: Projection


class StageCount(BaseModel):
    """One stage of the board. `waiting_p50_seconds`, `waiting_p95_seconds`: how long the goods that are there now have waited."""

    stage: Stage
    text: Text
    consignments: int
    open: bool
    oldest_consignment_id: str | None = None
    oldest_since: datetime | None = None
    oldest_owner: str | None = None
    waiting_p50_seconds: float | None = None
    waiting_p95_seconds: float | None = None


class ClearanceTime(BaseModel):
    """One span of time over the latest releases, of imports or of exports; null when there were none. `name`, `source`: as in
    `schemas/spans.py`, and as the label `span` of `customs_clearance_seconds`."""

    direction: str
    name: str
    text: Text
    source: str
    releases: int
    p50_seconds: float | None
    p95_seconds: float | None


class Clearance(BaseModel):
    """Clearance times of goods that are released, over the last 1,000 entries of the feed."""

    times: list[ClearanceTime]


class AlarmView(BaseModel):
    """An alarm of the gate (`alarm`: which), a time limit that ran out, goods that were declared again, or a fact that the read model
    cannot store."""

    kind: str
    alarm: str = ""
    text: Text
    subject: str
    reason: str
    reason_text: Text
    raised_at: datetime


class AlarmLine(AlarmView):
    """The newest alarm of one kind and subject; `count`: how many of them there are."""

    count: int


class AlarmKindView(BaseModel):
    """How many alarms of one kind there are: 10,000 means that many or more. `alarms`: link to all of them."""

    kind: str
    text: Text
    count: int
    raised_at: datetime
    alarms: str


class Alarms(BaseModel):
    """A page of alarms, the newest first; `next` is the link to the next page, null at the end."""

    alarms: list[AlarmView]
    next: str | None
    projection: Projection


class Board(BaseModel):
    """The live board. `alarms`: of each kind, the newest one of each of its latest subjects; `alarm_kinds`: how many there are."""

    stages: list[StageCount]
    clearance: Clearance
    alarms: list[AlarmLine]
    alarm_kinds: list[AlarmKindView]
    blocked: list[BlockView] = []
    parked_messages: int
    now: datetime
    projection: Projection


class ParkedView(BaseModel):
    """A message set aside, by origin."""

    service: str
    topic: str
    partition: int
    offset: int
    key: str
    kind: str
    reason: str
    reason_text: Text
    error: str
    status: str
    parked_at: datetime | None


class ParkedList(BaseModel):
    """The newest first; `total` counts all that are parked now; `next` is the link to the next page, null at the end."""

    parked: list[ParkedView]
    total: int
    next: str | None
    projection: Projection
