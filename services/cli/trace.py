"""What happened to a consignment? All its messages are read from the topics and shown with the cause of each."""

from collections import defaultdict
from heapq import heappop, heappush
from typing import Any

from schemas.topics import FACTS_AND_REQUESTS, PARKED
from services.cli.log import LoggedMessage, partition_of, read
from services.cli.naming import TOPICS, candidates, followed, keys_of
from services.cli.screen import Table
from services.shell.access import Access

DETAILS: dict[str, tuple[str, ...]] = {
    "LodgeDeclaration": ("asked_by",),
    "DeclarationLodgedAgain": ("consignment_id", "number", "request_id"),
    "DeclarationAccepted": ("declaration_no", "earlier"),
    "DeclarationRejected": ("findings",),
    "ConsignmentAssessed": ("lane", "controls", "rules", "rule_set"),
    "ConsignmentHeld": ("version", "holds"),
    "RequestRefused": ("request_kind", "code", "reason"),
    "MessageParked": ("reason", "error"),
}
"""Kind of message → the fields that a line shows. For other kinds, all fields are shown except those that `details` leaves out."""
LONGEST_VALUE = 250
"""The most characters of one value that a line shows. The longest value that a person may have to type is the id of a
hold, which is shorter than this."""
MOST_STORIES = 64
"""The most consignments that are shown for one name."""
DEEPEST = 4
"""How many levels of a nested value a line shows."""


def nothing_known(given: str, key: str) -> str:
    """Returns the sentence for a name that was not found on any topic. `given`: the name as it was given; `key`: the key that was
    searched for."""
    looked_for = f" (consignment {key})" if given != key else ""
    hint = (
        "Lodged under another reference? 是否用了其他编号？"
        if given != key
        else "As consignment id, USCC/reference, declaration number, bill or container number? 可用货物标识、企业代码/编号、报关单号、提单号或箱号查询。"
    )
    return f"Nothing is known of {given}{looked_for}. 查无此票。 {hint}"


def stories(kafka: Access | str, given: str, partitions: int) -> dict[str, list[LoggedMessage]]:
    """Returns key → messages about the container, or about each consignment, with this name. If the same reference has later
    consignments, they follow the first one. Returns an empty dict if no topic has the name."""
    found: dict[str, list[LoggedMessage]] = {}
    for key in candidates(given):
        if entries := story(kafka, key, partitions):
            found[key] = entries
            break
    wanted = [] if found else keys_of(given, read(kafka, TOPICS))
    wanted += [later for entries in found.values() for later in followed(entries)]
    while wanted and len(found) < MOST_STORIES:
        key = wanted.pop(0)
        if key not in found and (entries := story(kafka, key, partitions)):
            found[key] = entries
            wanted += followed(entries)
    return found


def story(kafka: Access | str, consignment: str, partitions: int) -> list[LoggedMessage]:
    """Returns all messages with this key, sorted by time, but with each effect after its cause."""
    topics = [t.name for t in (*FACTS_AND_REQUESTS, *PARKED)]
    entries = [e for e in read(kafka, topics, partition_of(consignment, partitions)) if e.key == consignment]
    entries.sort(key=lambda e: e.headers.get("ce_time", ""))
    return _causes_first(entries)


def _causes_first(entries: list[LoggedMessage]) -> list[LoggedMessage]:
    """Returns the entries in the given order, but with each one after its cause, if the cause is among them. If causes form a
    cycle, its first entry comes first."""
    known = {e.id for e in entries}
    after: dict[str, list[int]] = defaultdict(list)
    ready: list[int] = []
    for number, entry in enumerate(entries):
        cause = entry.headers.get("causationid", "")
        if cause in known and cause != entry.id:
            after[cause].append(number)
        else:
            ready.append(number)
    ordered: dict[int, LoggedMessage] = {}
    for first in range(len(entries)):
        if first not in ordered and not ready:
            ready.append(first)
        while ready:
            number = heappop(ready)
            if number not in ordered:
                ordered[number] = entries[number]
                for caused in after.pop(entries[number].id, ()):
                    heappush(ready, caused)
    return list(ordered.values())


def table(entries: list[LoggedMessage]) -> Table:
    """Returns the entries as a table: when, who, what, and why (the kind of the cause)."""
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


def details(entry: LoggedMessage) -> str:
    """Returns the fields that a line shows, as text."""
    body = entry.body
    if not isinstance(body, dict):
        return f"{entry.position}: not JSON 不是 JSON"
    names = DETAILS.get(entry.kind) or [
        name for name in body if name not in ("consignment_id", "occurred_at", "declaration", "containers", "readings")
    ]
    return "; ".join(f"{name} {_short(body[name])}" for name in names if body.get(name) not in (None, "", [], {}))


def _cut(value: str) -> str:
    more = len(value) - LONGEST_VALUE
    return f"{value[:LONGEST_VALUE]}… (+{more:,})" if more > 0 else value


def _short(value: Any, levels: int = DEEPEST) -> str:
    if not isinstance(value, list | dict):
        return _cut(str(value))
    if not levels:
        return "…"
    if isinstance(value, list):
        return ", ".join(_short(each, levels - 1) for each in value)
    named = value.get("hold_id") or value.get("rule") or value.get("code")
    if named:
        return _short(named, levels - 1) + _short(value.get("pointer", ""), levels - 1)
    return " ".join(_short(each, levels - 1) for each in value.values())
