"""What does the API answer? This file has the shapes of its documents. Times are RFC 3339 in UTC, durations are seconds.

What each field means stands in `reference.toml`, in both languages; programs find it in the OpenAPI document.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.vocabulary import Stage, StageName
from services.console.access.rights import Role


class Text(BaseModel):
    """A text in both languages."""

    zh: str
    en: str


class Projection(BaseModel):
    """How complete the rows are. `as_of`: all messages up to this time are in the rows (null: not yet complete since the start); `behind`: how many
    messages are not in the rows yet. `trouble`: the component that keeps the rows from being completed (database, kafka, access, projector, …), empty
    if none does; the log says more."""

    as_of: datetime | None
    lag_seconds: float | None
    behind: int
    trouble: str = ""


class Waiting(BaseModel):
    """What the goods wait for, since when, and who has to act. `roles`: the roles that may send the request that ends
    the wait; empty if no request of a person ends it. `text`: the same as a sentence."""

    waiting_for: str
    owner: str
    roles: list[Role]
    since: datetime | None
    text: Text


class HoldView(BaseModel):
    """A hold that is open now. `roles`: the roles that may send the request that ends the hold; empty if no request of
    a person ends it. `reason`: the text as it was written; `reason_text`: the text in both languages, if a desk wrote
    it."""

    hold_id: str
    owner: str
    roles: list[Role]
    reason: str
    reason_text: Text
    since: datetime
    lifted_by: str


class ConsignmentView(BaseModel):
    """The state of one consignment. `stage_name` is the stage by its plain name, `stage` the same with older spellings. Both are null if the
    row has a stage that this version does not know; `stage_text` has its name."""

    consignment_id: str
    stage: Stage | None
    stage_name: StageName | None
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
    """A watch on a bill or a declarant. `state`: `incomplete` until every partition of the release desk keeps the
    watch, then `open`, and `lifted` at the end. Matching goods must stay at the gate as soon as the watch is
    `incomplete`."""

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
    """The watches; those that are open come first."""

    watches: list[Watch]
    projection: Projection


class WatchTaken(BaseModel):
    """A watch was placed or lifted. The broker has acknowledged a request to each of the `partitions` of the release
    desk. `consignments`: for how many known consignments the watch's hold, or the lifting of this hold, was
    requested."""

    watch_id: str
    partitions: int
    consignments: int
    status: str


class Status(BaseModel):
    """A consignment, and how fresh the answer is. The HTTP status is 200 if the consignment is in the rows, and 202
    while only its lodgement is known. `status`: link to this answer; `timeline`: link to the timeline."""

    consignment: ConsignmentView
    projection: Projection
    status: str
    timeline: str


class FindingView(BaseModel):
    """A fault or warning of the declaration desk, in words. `pointer`: where it is in the declaration (RFC 6901); `seen`: the value, as the desk
    wrote it; `seen_text`: the value in both languages; `nearest`: if the value is not a code of the table, codes that may have been meant."""

    pointer: str
    code: str
    severity: str
    seen: str
    seen_text: Text
    text: Text
    nearest: list[str] = []


class Entry(BaseModel):
    """One message of a timeline. `findings`: the findings in its content, in words; `cause`: the id of the message that
    it answers. `body` is null for a lodgement, because the desk's answer repeats it. It is also null if it is long;
    `body_link` then leads to it."""

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
    """All messages under one key, in the order of cause and time. `next`: link to the next page, null at the end; `complete`: false if there are more
    messages than a timeline can sort."""

    consignment_id: str
    entries: list[Entry]
    next: str | None = None
    complete: bool = True
    projection: Projection


class Content(BaseModel):
    """A piece of the content of one message, as text. `next`: link to the next piece, null at the end."""

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
    """A request that the broker has acknowledged. `status`: link to the consignment or container; `request`: link to
    what became of the request."""

    request_id: str
    consignment_id: str | None = None
    container_no: str | None = None
    status: str
    request: str


class BatchItem(BaseModel):
    """The result of one declaration of a batch: it was taken in (202), or refused with a problem of its own."""

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
    """The results of a batch, in the order of its declarations."""

    accepted: int
    refused: int
    results: list[BatchItem]


class LaterWord(BaseModel):
    """A message that came after the answers to a request and contradicts them."""

    id: str
    kind: str
    text: Text
    recorded_at: datetime


class RequestView(BaseModel):
    """What became of a request. `outcome`: not_projected, pending, answered, refused or parked; `answers`: the facts that it caused."""

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
    """An alarm that waits for an officer's finding. `reports`: the ids of the reports that raised this alarm and the
    other alarms of the container that wait for a finding."""

    container_no: str
    alarm: str
    text: Text
    reason: str
    reason_text: Text
    raised_at: datetime | None
    reports: list[str]


class StayView(BaseModel):
    """What the container itself waits for, since when, and who has to act. `code`: a value of `StayCode`. `owner`: who
    has to act. `roles`: the roles that may send the request that ends the wait. `text`: the same as a sentence."""

    code: str
    owner: str
    roles: list[Role]
    since: datetime | None
    text: Text


class ReportView(BaseModel):
    """A report of an equipment event, as the gate desk recorded it. `standing`: empty, `retracted` or `replaced`; `laden`: null if it was not
    reported. `disbelieved_time`: the time that the sender gave, if it was wrong and `occurred_at` is the time of the report instead; otherwise
    null."""

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
    disbelieved_time: datetime | None = None


class Reports(BaseModel):
    """The latest equipment reports of a container, the latest first. `complete`: false if there are older ones."""

    container_no: str
    reports: list[ReportView]
    complete: bool
    projection: Projection


class GateView(BaseModel):
    """The answer whether a container may leave. `may_leave` is true only if everything that is known allows it.
    `reason`: a code; `text`: the reason in words, with counts.

    `lots`: the number of bills in the container, or the counted number of lots, whichever is higher. An officer counts
    the lots; if no officer has counted, the number that a declaration states is taken. `lots_released`: how many of
    these lots may leave. `permitted`: those of `consignments` that an officer permits to leave without an import
    release.

    `awaits`: what the container itself waits for, for example an officer's count of its lots; null if it may leave, if it waits only for
    what its goods wait for, or if the gate desk has published nothing about that.

    Ports do not get texts that people wrote: `reason` and `placed_by` of holds, `reason` of an alarm, and `detail` are
    empty. If the container has left (`reason` is `gated_out`), `detail` is the name of the gate.
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
    awaits: StayView | None = None
    since: datetime | None
    as_of: datetime | None
    lag_seconds: float | None


class ReleaseView(BaseModel):
    """An entry of the feed for ports. `kind`: ReleaseGranted or ReleaseRevoked; of two entries about the same goods, the one with the higher
    `version` is in force. `body_link`: link to the whole content, if `containers` or `reason` were too long and are shortened; otherwise null.

    The kind `Unreadable` means that a message about the goods, which may revoke their release, cannot be read. The goods must stay until an entry
    comes whose `version` is higher than the last one that was read. `occurred_at` is null if it is not known. `reason` is null, because ports do not
    get texts of officers; programs of earlier versions expect the field.
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
    """Releases and revocations after a cursor. Ask for the next ones with `cursor`. `more`: there are more entries than fit into this answer."""

    releases: list[ReleaseView]
    cursor: str
    more: bool
    projection: Projection


class StageCount(BaseModel):
    """One stage of the board, and how many consignments are in it. `waiting_p50_seconds`, `waiting_p95_seconds`: the median and the 95th percentile
    of how long these goods have waited."""

    stage: Stage
    stage_name: StageName
    text: Text
    consignments: int
    open: bool
    oldest_consignment_id: str | None = None
    oldest_since: datetime | None = None
    oldest_owner: str | None = None
    oldest_roles: list[Role] | None = None
    waiting_p50_seconds: float | None = None
    waiting_p95_seconds: float | None = None


class ClearanceTime(BaseModel):
    """One span of time over the latest releases of imports or of exports. `p50_seconds` and `p95_seconds` are null if
    there were no such releases. `name`, `source`: as in `schemas/spans.py`; the metric `customs_clearance_seconds` has
    the name as its label `span`."""

    direction: str
    name: str
    text: Text
    source: str
    releases: int
    p50_seconds: float | None
    p95_seconds: float | None


class Clearance(BaseModel):
    """The clearance times of released goods, computed from the last 1,000 entries of the feed."""

    times: list[ClearanceTime]


class AlarmView(BaseModel):
    """An alarm: the gate raised it (then `alarm` is its code), a time limit ended, goods were declared again, or the read model cannot store a
    fact."""

    kind: str
    alarm: str = ""
    text: Text
    subject: str
    reason: str
    reason_text: Text
    raised_at: datetime


class AlarmLine(AlarmView):
    """The newest alarm of one kind and subject. `count`: how many alarms of this kind the subject has."""

    count: int


class AlarmKindView(BaseModel):
    """How many alarms of one kind there are; 10,000 stands for 10,000 or more. `alarms`: link to all of them."""

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
    """The board of stages, clearance times, alarms and parked messages. `alarms`: for each kind, the newest alarm of each of its latest subjects;
    `alarm_kinds`: how many alarms of each kind there are."""

    stages: list[StageCount]
    clearance: Clearance
    alarms: list[AlarmLine]
    alarm_kinds: list[AlarmKindView]
    blocked: list[BlockView] = []
    parked_messages: int
    now: datetime
    projection: Projection


class ParkedView(BaseModel):
    """A message that was set aside, with its origin."""

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
    """Messages that are set aside, the newest first. `total`: how many are set aside now; `next`: link to the next page, null at the end."""

    parked: list[ParkedView]
    total: int
    next: str | None
    projection: Projection
