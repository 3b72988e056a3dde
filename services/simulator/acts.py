"""Which request will a simulated person send, when, and with which idempotency key? All functions here are pure.

A day is *paced* if requests are sent when they are due by the border's clock. Otherwise they are sent as fast as the
desks decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.declaration import WithdrawDeclaration
from schemas.envelope import Request, request_id
from schemas.gate import RecordEquipmentEvent, RetractEquipmentEvent
from schemas.inspection import RecordFindings
from schemas.quarantine import DecideTreatment
from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractArrival
from schemas.vocabulary import EquipmentEvent

TERMINAL, CARRIER = "terminal-qqct", "carrier"
QUAY = "前湾港 Qianwan"
_NAMING: dict[type[Request], str] = {RetractEquipmentEvent: "report_id", RetractArrival: "wrong"}
"""Kind of request → its field with the id of the request that it takes back. A request of any other kind names, in its
field `replaces`, the request that it corrects."""
_WITHOUT_EVENT = (RecordFindings, DecideTreatment, PlaceHold, LiftHold, WithdrawDeclaration)
"""Requests that report no event. If the day is paced, their event time is the time at which the person sends them."""


@dataclass(frozen=True, slots=True)
class Act:
    """A request that a simulated person will send at the time `at`. `name`: its idempotency key.

    `not_before`: the request is not sent earlier, even if the day is not paced, for example because it reports a
    treatment that lasts until then. `stamped`: whether the request reports an event. On a day that is not paced, the
    event time of such a request is the time at which the player read the fact that caused the act. `replaces`: the name
    of the act that this act corrects or takes back. `lets_out`: the container whose departure is reported; the act
    happens only while the container may leave (`exits.py`).

    `at_end`: if the day is not paced, the act is sent only when every desk has read everything else. It must wait,
    because no fact says when the gate desk has read everything that it needs.
    """

    at: datetime
    name: str
    request: Request
    not_before: datetime | None = None
    stamped: bool = False
    replaces: str = ""
    lets_out: str = ""
    at_end: bool = False


def request_of(act: Act, sender: str, fact_read_at: datetime | None) -> Request:
    """Returns the request of the act as this sender sends it. `fact_read_at`: the time, by the player's clock, at which the
    player read the fact that caused the act; None if the day is paced."""
    name = _NAMING.get(type(act.request), "replaces")
    changes: dict[str, object] = {name: request_id(sender, act.replaces)} if act.replaces else {}
    if act.stamped and fact_read_at is not None:
        changes["occurred_at"] = fact_read_at
    elif fact_read_at is None and isinstance(act.request, _WITHOUT_EVENT):
        changes["occurred_at"] = act.at
    return act.request.model_copy(update=changes) if changes else act.request


def acts_as_sent(
    acts: Sequence[Act], sender: str, event_times: Mapping[str, datetime], fact_read_at: datetime | None
) -> list[Act]:
    """Returns the acts that follow from one fact, with their requests as this sender sends them. `event_times`: id of a
    request that was sent before → its event time. If an earlier process has already reported the same event, the event
    time of that report is kept. `fact_read_at`: as for `request_of`."""
    known = event_times.get(request_id(sender, acts[0].name)) if acts else None
    moment = None if fact_read_at is None else known or fact_read_at
    return [replace(act, request=request_of(act, sender, moment)) for act in acts]


def equipment_event(
    box: str, event: EquipmentEvent, at: datetime, location: str, *, laden: bool, **known: Any
) -> RecordEquipmentEvent:
    """Returns a terminal's report of an event of a container. `known`: further fields of the request."""
    return RecordEquipmentEvent(
        container_no=box, asked_by=TERMINAL, occurred_at=at, event=event, place=location, laden=laden, **known
    )


def arrival(key: str, due: datetime, name: str = "arrival") -> Act:
    """Returns a carrier's report that the goods have arrived."""
    report = ReportArrival(consignment_id=key, asked_by=CARRIER, occurred_at=due, place=QUAY)
    return Act(due, f"{key}/{name}", report, stamped=True)
