"""When do two simulated days count as equal? Which facts of a day, and which of their fields, do not depend on timing?

The comparison leaves out everything that depends on timing. `ConsignmentHeld` and `ContainerHeld` say what is open at
a moment, and `DeclarationWaits` says that a lodgement after a withdrawal has to wait. So these facts depend on the
order in which two topics are read. Whether a deadline is missed depends on how long a process was dead, because the
clock of the desks is so fast that a day lasts only seconds. Times, numbers that are made from offsets, and versions of
statements differ from run to run. If two consignments share a container, either of them may be the one that opens the
visit of the container. If two desks fail the same goods, the refusal names the failure that the release desk read
first, which may be either of the two.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from schemas.topics import ROLES
from schemas.vocabulary import consignment_id
from services.cli.log import LoggedMessage
from services.simulator.day import Day
from services.simulator.slips import Slip

SEED, CONSIGNMENTS = 20261105, 400

OF_THE_MOMENT = {
    *("ConsignmentHeld", "ContainerHeld", "InspectionOverdue", "RectificationOverdue", "TreatmentOverdue"),
    "DeclarationWaits",
}
FAILURES = {
    "InspectionFailed": "inspection/{control}",
    "TreatmentAbandoned": "quarantine/{origin}",
    "QuarantineRefused": "quarantine/{origin}",
}
"""Kind of a fact that fails goods → the id of the hold to which this fact belongs, with a field of the fact as
placeholder."""
FLEETING = {
    "occurred_at",
    "since",
    "due",
    "arrived_at",
    "declaration_no",
    "version",
    "holds",
    "answers",
    "visit",
    "serial",
}


def day(seed: int, consignments: int) -> Day:
    return Day(seed, consignments, datetime(2026, 11, 23, tzinfo=UTC))


def keys(played: Day) -> set[str]:
    """Returns the ids of the consignments and the numbers of the containers of a day."""
    plans = [played.plan(index) for index in range(played.consignments)]
    boxes = {c.container_no for plan in plans for c in plan.declaration.containers}
    boxes |= {box for plan in plans if played.slip(plan.index) is not Slip.NONE for box in played.targets(plan.index)}
    again = {
        consignment_id(plan.declaration.declarant, plan.declaration.reference, 2) for plan in plans if plan.intent.again
    }
    return {plan.consignment_id for plan in plans} | again | boxes


def lodged_again(entries: Iterable[LoggedMessage]) -> int:
    """Returns how many declarations were lodged again after a withdrawal. Each of them has a new consignment id."""
    return sum(entry.kind == "DeclarationLodgedAgain" for entry in entries)


def facts(entries: Iterable[LoggedMessage], wanted: set[str]) -> Counter[str]:
    """Returns how often each fact about these goods was published. Kinds of facts and fields that depend on timing are
    left out."""
    records = [
        entry
        for entry in entries
        if entry.key in wanted and ROLES[entry.topic] != "requests" and entry.kind not in OF_THE_MOMENT
    ]
    failures: dict[str, set[str]] = defaultdict(set)
    for entry in records:
        if entry.kind in FAILURES:
            failures[entry.key].add(FAILURES[entry.kind].format(**entry.body))
    return Counter(
        f"{entry.key} {entry.kind} {json.dumps(_lasting(_whichever(entry, failures[entry.key])), sort_keys=True)}"
        for entry in records
    )


def _whichever(entry: LoggedMessage, failures: set[str]) -> Any:
    """Returns the content of the fact. If it refuses goods that failed several times, its cause is replaced by the
    list of all failures."""
    body = entry.body
    if entry.kind == "ReleaseRefused" and len(failures) > 1 and body["cause"] in failures:
        return {**body, "cause": sorted(failures), "reason": ""}
    return body


def _lasting(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _lasting(value) for name, value in body.items() if name not in FLEETING}
    if isinstance(body, list):
        return sorted([_lasting(value) for value in body], key=str)
    return body
