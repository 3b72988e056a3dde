"""What will somebody at this border ask, when, and under which name? Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.envelope import Request, request_id
from schemas.gate import RecordEquipmentEvent, RetractEquipmentEvent
from schemas.release import ReportArrival, RetractArrival
from schemas.vocabulary import EquipmentEvent

TERMINAL, CARRIER = "terminal-qqct", "carrier"
QUAY = "前湾港 Qianwan"
_NAMING: dict[type[Request], str] = {RetractEquipmentEvent: "report_id", RetractArrival: "wrong"}
"""In which field a request names the one that it takes back; others name in `replaces` what they correct."""


@dataclass(frozen=True, slots=True)
class Act:
    """A request that somebody will make at `at`; `name` is its idempotency key.

    `not_before`: it speaks of what takes this long, so that not even a play without pace may send it earlier. `stamped`: it
    tells of an event in the world, which without pace happens when the fact is heard. `replaces`: the act that it corrects or takes back.
    `at_end`: without pace it is told when every desk has read everything else, since no fact says that the gate knows enough.
    """

    at: datetime
    name: str
    request: Request
    not_before: datetime | None = None
    stamped: bool = False
    replaces: str = ""
    at_end: bool = False


def request_of(act: Act, sender: str, heard: datetime | None) -> Request:
    """The request as this sender makes it. `heard`: when the fact was heard that caused it, by the player's clock; None: with pace."""
    name = _NAMING.get(type(act.request), "replaces")
    changes: dict[str, object] = {name: request_id(sender, act.replaces)} if act.replaces else {}
    if act.stamped and heard is not None:
        changes["occurred_at"] = heard
    return act.request.model_copy(update=changes) if changes else act.request


def spoken(acts: list[Act], sender: str, told: Mapping[str, datetime], heard: datetime | None) -> list[Act]:
    """The acts that follow from one fact, as this sender makes them. `told`: request → event time, of those that were made before:
    what is told of the same event by another process has the time of the first."""
    known = told.get(request_id(sender, acts[0].name)) if acts else None
    moment = None if heard is None else known or heard
    return [replace(act, request=request_of(act, sender, moment)) for act in acts]


def equipment_event(
    box: str, event: EquipmentEvent, at: datetime, place: str, *, laden: bool, **known: Any
) -> RecordEquipmentEvent:
    """What a terminal tells of a box. `known`: further fields of the request."""
    return RecordEquipmentEvent(
        container_no=box, asked_by=TERMINAL, occurred_at=at, event=event, place=place, laden=laden, **known
    )


def arrival(key: str, due: datetime, name: str = "arrival") -> Act:
    """A carrier tells that the goods have arrived."""
    report = ReportArrival(consignment_id=key, asked_by=CARRIER, occurred_at=due, place=QUAY)
    return Act(due, f"{key}/{name}", report, stamped=True)
