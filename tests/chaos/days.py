"""When are two days the same? Which facts of a day do not depend on who was faster, and what in them does not?

Left out: `ConsignmentHeld` and `ContainerHeld` say what is open at a moment, which depends on the order between two
topics; that somebody is late depends on how long a process was dead, on a clock on which a day lasts 24 seconds. Times, numbers from offsets and statement versions differ from run to run,
and so does which of two consignments in a container opened its visit.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from schemas.topics import ROLES
from services.cli.log import Entry
from services.simulator.day import Day

SEED, CONSIGNMENTS = 20261105, 400

OF_THE_MOMENT = {"ConsignmentHeld", "ContainerHeld", "InspectionOverdue", "RectificationOverdue", "TreatmentOverdue"}
FLEETING = {"occurred_at", "since", "due", "arrived_at", "declaration_no", "version", "holds", "answers", "visit"}


def day(seed: int, consignments: int) -> Day:
    return Day(seed, consignments, datetime(2026, 11, 23, tzinfo=UTC))


def keys(played: Day) -> set[str]:
    """The consignments and containers of a day."""
    plans = [played.plan(index) for index in range(played.consignments)]
    boxes = {c.container_no for plan in plans for c in plan.declaration.containers}
    return {plan.consignment_id for plan in plans} | boxes


def facts(entries: Iterable[Entry], wanted: set[str]) -> Counter[str]:
    """How often each thing was said about these goods."""
    return Counter(
        f"{entry.key} {entry.kind} {json.dumps(_lasting(entry.body), sort_keys=True)}"
        for entry in entries
        if entry.key in wanted and ROLES[entry.topic] != "requests" and entry.kind not in OF_THE_MOMENT
    )


def _lasting(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _lasting(value) for name, value in body.items() if name not in FLEETING}
    if isinstance(body, list):
        return sorted([_lasting(value) for value in body], key=str)
    return body
