"""Which part of an answer may a reader outside customs see? The reader may see all fields whose mark in `schemas` says so.

Everything that leaves the console is masked here: `body_for` masks the contents of messages, and `masked` the documents of the API, from
which pages and files are made.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from schemas.envelope import Message
from schemas.gate import ContainerHoldPlaced, EquipmentEventRecorded, GateAlarmRaised
from schemas.hold_ids import is_of_watch
from schemas.marks import Audience
from schemas.outside import hidden, mark_of, redacted_body
from schemas.release import Hold, ReleaseRevoked
from schemas.risk import ConsignmentAssessed
from schemas.topics import FACTS_AND_REQUESTS
from services.console.api.views import (
    BlockView,
    BoxHoldView,
    ConsignmentView,
    GateView,
    HoldView,
    ParkedView,
    ReleaseView,
    ReportView,
    Text,
    Waiting,
)

KINDS: Mapping[str, type[Message]] = {kind.kind: kind for topic in FACTS_AND_REQUESTS for kind in topic.carries}
SHOWS: Mapping[type[BaseModel], type[Message]] = {
    ConsignmentView: ConsignmentAssessed,
    HoldView: Hold,
    BoxHoldView: ContainerHoldPlaced,
    BlockView: GateAlarmRaised,
    ReportView: EquipmentEventRecorded,
    ReleaseView: ReleaseRevoked,
}
"""Document of the API → the message whose fields it repeats under the same names. The marks of that message apply to the document."""
OF_AN_OFFICER = "officer"
"""In answers outside customs, this text stands in place of the id of a hold that a watch has placed, because the id
would reveal the watch."""
V = TypeVar("V", bound=BaseModel)


def body_for(audience: Audience | None, kind: str, body: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns the content of a message as this audience may see it; for the audience None (inside customs) the whole content. Fields that the
    kind does not have are left out. If this software version does not know the kind, the content is empty."""
    if body is None:
        return None
    if audience is None:
        return dict(body)
    return _unwatched(redacted_body(KINDS[kind], body, audience)) if kind in KINDS else {}


def masked(answer: V, audience: Audience | None) -> V:
    """Returns the document as this audience may see it. Masked fields of the document, and of the documents in it, are empty."""
    if audience is None:
        return answer
    changed: dict[str, Any] = {name: _empty(type(answer), name) for name in _hidden(type(answer), audience)}
    match answer:
        case GateView() if answer.reason != "gated_out":
            # `detail` is masked, unless the container has left (`gated_out`): `detail` is then the name of the gate
            changed["detail"], changed["detail_text"] = "", Text(zh="", en="")
        case ParkedView():
            changed["error"] = ""
        case HoldView():
            changed.setdefault("hold_id", hold_name(answer.hold_id))
        case Waiting():
            changed["waiting_for"] = hold_name(answer.waiting_for)
        case _:
            pass
    if "reason" in changed and "reason_text" in type(answer).model_fields:
        changed["reason_text"] = Text(zh="", en="")
    for name, value in answer:
        if name not in changed:
            if isinstance(value, BaseModel):
                changed[name] = masked(value, audience)
            elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
                changed[name] = [masked(each, audience) for each in value]
    return answer.model_copy(update=changed)


def hold_name(hold_id: str) -> str:
    """Returns the id of a hold as it is shown outside customs."""
    return OF_AN_OFFICER if is_of_watch(hold_id) else hold_id


def _unwatched(value: Any) -> Any:
    match value:
        case str():
            return hold_name(value)
        case dict():
            return {name: _unwatched(each) for name, each in value.items()}
        case list():
            return [_unwatched(each) for each in value]
        case _:
            return value


@cache
def _hidden(document: type[BaseModel], audience: Audience) -> frozenset[str]:
    """Returns the names of the fields of a document that this audience may not see, because of the marks of the message
    that the document repeats (`SHOWS`)."""
    kind = SHOWS.get(document)
    if kind is None:
        return frozenset()
    repeated = document.model_fields.keys() & kind.model_fields.keys()
    return frozenset([name for name in repeated if audience not in mark_of(kind, name).audiences])


def _empty(document: type[BaseModel], name: str) -> Any:
    """Returns the value of a masked field. The field is not removed, because a document has the same fields for every reader."""
    field = document.model_fields[name]
    if field.default is not PydanticUndefined:
        return field.default
    return None if type(None) in get_args(field.annotation) else [] if _is_list(field.annotation) else ""


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is list


for _kind in KINDS.values():
    for _audience in Audience:
        hidden(_kind, _audience)  # if a field has no mark, this raises when the program starts
