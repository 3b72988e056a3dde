"""What happened to one consignment? Its whole life from the topics, with the cause of every step."""

from typing import Any

from rich.table import Table

from schemas.topics import FACTS_AND_REQUESTS, PARKED
from services.cli.log import Entry, partition_of, read

DETAILS: dict[str, tuple[str, ...]] = {
    "LodgeDeclaration": ("asked_by",),
    "DeclarationAccepted": ("declaration_no",),
    "DeclarationRejected": ("findings",),
    "ConsignmentAssessed": ("lane", "controls", "rules", "rule_set"),
    "ConsignmentHeld": ("version", "holds"),
    "RequestRefused": ("request_kind", "code", "reason"),
    "MessageParked": ("reason", "error"),
}
"""What a line shows of each kind; of other kinds everything but ids and times."""


def story(bootstrap: str, consignment: str, partitions: int) -> list[Entry]:
    """All messages under this key, causes before effects, else by time."""
    topics = [t.name for t in (*FACTS_AND_REQUESTS, *PARKED)]
    entries = [e for e in read(bootstrap, topics, partition_of(consignment, partitions)) if e.key == consignment]
    entries.sort(key=lambda e: e.headers.get("ce_time", ""))
    told: list[Entry] = []
    waiting = list(entries)
    known = {e.id for e in entries}
    while waiting:
        spoken = {e.id for e in told}
        following = next(
            (e for e in waiting if (c := e.headers.get("causationid", "")) not in known or c in spoken or c == e.id),
            waiting[0],
        )
        told.append(following)
        waiting.remove(following)
    return told


def table(entries: list[Entry]) -> Table:
    """The story as a table: when, who, what, and why (the cause's kind)."""
    kinds = {e.id: e.kind for e in entries}
    shown = Table("time 时间", "desk 岗位", "what 事项", "details 详情", "because of 起因")
    for entry in entries:
        shown.add_row(
            entry.headers.get("ce_time", "")[:23],
            entry.headers.get("ce_source", "").removeprefix("/desks/"),
            entry.kind or "?",
            details(entry),
            kinds.get(entry.headers.get("causationid", ""), ""),
        )
    return shown


def details(entry: Entry) -> str:
    """The fields worth a line."""
    body = entry.body
    if not isinstance(body, dict):
        return f"{entry.topic}/{entry.partition}/{entry.offset}: not JSON"
    names = DETAILS.get(entry.kind) or [
        name for name in body if name not in ("consignment_id", "occurred_at", "declaration", "containers", "readings")
    ]
    return "; ".join(f"{name} {_short(body[name])}" for name in names if body.get(name) not in (None, "", [], {}))


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_short(each) for each in value)
    if isinstance(value, dict):
        named = value.get("hold_id") or value.get("rule") or value.get("code")
        return f"{named}{value.get('pointer', '')}" if named else " ".join(str(v) for v in value.values())
    return str(value)[:80]
