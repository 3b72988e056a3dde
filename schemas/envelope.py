"""What do all messages on the topics have in common, and which headers do they have?

The payload is the JSON of a model that derives from those in this module. The attributes of CloudEvents 1.0 travel as Kafka headers;
`schemas.asyncapi` lists them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, ClassVar, Literal, NamedTuple, Self, cast
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic_core import SchemaValidator

from schemas.bounds import FIRST, LAST, LINE, Shape, WhenMade, reader, shown
from schemas.codes.refusals import RefusalCode
from schemas.marks import INSIDE, OUTSIDE, SeenBy
from schemas.phrases import UNREADABLE_REASON, Phrase, Phrases, reason
from schemas.vocabulary import (
    ActorId,
    ConsignmentId,
    ContainerName,
    MessageId,
    Moment,
    Name,
    PartitionKey,
    Reason,
    derived_id,
)

Subject = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The key of another message, about which this message says something: a consignment id, a container number or the key
of a partition."""

FACTS = UUID("0f7b8c0e-97a1-5d9b-8f9c-1b2a6f3d4e02")
"""The namespace of derived message ids."""
_FACTS = FACTS.bytes


class Message(Shape):
    """A fact or a request. It is frozen and has only the fields of its kind. `key`: its Kafka key.

    `fields_seen_by`: who outside customs sees the fields that have no mark of their own. If it is None, each field has a mark.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    kind: ClassVar[str]
    fields_seen_by: ClassVar[SeenBy | None] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        cls.kind = cls.__name__

    @property
    def key(self) -> str:
        raise TypeError(f"{type(self).__name__} has no key")

    @classmethod
    def read_stored(cls, data: bytes, extra: Literal["forbid", "ignore"] = "forbid") -> Self:
        """Reads the JSON of a stored message. The bounds for new messages (`WhenMade`) do not apply. Raises pydantic's ValidationError if the
        JSON does not have the fields of this class. `extra`: whether unknown fields are refused or ignored."""
        return cast(Self, stored_reader(cls).validate_json(data, extra=extra))


@cache
def stored_reader(kind: type[Message]) -> SchemaValidator:
    """Returns the validator that reads stored messages of this kind. It is compiled once."""
    return reader(kind.__pydantic_core_schema__)


class AboutConsignment(Message):
    """A message about one consignment. Its key is the consignment id."""

    consignment_id: Annotated[ConsignmentId, OUTSIDE]

    @property
    def key(self) -> str:
        return self.consignment_id


class AboutContainer(Message):
    """A message about one container. Its key is the container number."""

    container_no: Annotated[ContainerName, OUTSIDE]

    @property
    def key(self) -> str:
        return self.container_no


class AboutPartition(Message):
    """A message to one partition of a desk, about goods that are not known yet. Its key (`partition_key`) belongs to
    that partition."""

    partition_key: Annotated[PartitionKey, INSIDE]

    @property
    def key(self) -> str:
        return self.partition_key


class Fact(Message):
    """A message about something that has happened. A fact is never changed. `occurred_at`: when it happened in the world."""

    occurred_at: Annotated[Moment, OUTSIDE]


FUTURE_SKEW = timedelta(minutes=15)
"""By how much the clock of the sender of a report may be ahead of the console's clock. A request with a later event
time is refused, except the report of an expected event (`FURTHEST_ESTIMATE`)."""
FURTHEST_ESTIMATE = timedelta(days=60)
"""How far ahead of its report an expected event may be. The longest voyages take about 60 days, so a later date is
taken to be wrong. The entry date of the conveyance in a declaration may be at most as far ahead."""


def words_in_doubt(body: object) -> dict[str, str]:
    """Returns the sender and the reason of a hold request that breaks the contract, as the fields `asked_by` and `reason`. `body`: its parsed
    content. If `body` has no readable sender, `asked_by` is "unknown"; if it has no readable reason, `reason` is `UNREADABLE_REASON`."""
    content = body if isinstance(body, dict) else {}
    who, why = content.get("asked_by"), content.get("reason")
    return {
        "asked_by": shown(who, 64) if isinstance(who, str) and who else "unknown",
        "reason": shown(why, breaks=True) if isinstance(why, str) and why else UNREADABLE_REASON,
    }


def is_none(value: object) -> bool:
    """Returns whether the value is None. It is pydantic's `exclude_if` for fields that are left out of the JSON if they are None."""
    return value is None


class Request(Message):
    """A message that asks a desk to do something. The desk may refuse it.

    `asked_by`: the account that sent it, whose identity the console has checked. `on_behalf_of`: the company for which
    it was sent (a USCC, or the name of a carrier or terminal). Without it, and in requests of older software versions,
    the account speaks for itself. `occurred_at`: the event time, as the sender states it.

    `holds_goods`: the request holds goods, so it is carried out even if its texts break the contract, because otherwise
    the goods would go. `calls_back`: the request takes back something that may have let goods go. `changes_stay`: the
    request says where a container is or what is in it, so the gate's answer may be about an earlier visit. If one of
    the three is true, the gate's answer is no from the moment of the request until a desk has decided.
    `time_is_content`: `occurred_at` is a part of what the request reports, so two requests that differ only in
    `occurred_at` are different requests.
    """

    time_is_content: ClassVar[bool] = False
    holds_goods: ClassVar[bool] = False
    calls_back: ClassVar[bool] = False
    changes_stay: ClassVar[bool] = False
    asked_by: Annotated[ActorId, INSIDE]
    occurred_at: Annotated[Moment, OUTSIDE]
    on_behalf_of: Annotated[ActorId | None, Field(exclude_if=is_none), INSIDE] = None

    @property
    def principal(self) -> str:
        """Returns who is responsible for the request: the company on whose behalf it was sent; if there is none, its sender."""
        return self.on_behalf_of or self.asked_by

    @property
    def most_ahead(self) -> timedelta:
        """Returns by how much `occurred_at` may be later than the time at which the request was sent."""
        return FUTURE_SKEW

    @property
    def others_kept(self) -> tuple[str, ...]:
        """Returns further keys, beside the request's own, for which the gate's answer is no from the moment of the request until a desk has
        decided."""
        return ()

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns a request of this kind that takes the place of a message which has this key and breaks the contract;
        None if nothing can take its place. Only kinds that hold goods (`holds_goods`) have such a request. `body`: the
        parsed content of the message; `at`: the time of the returned request."""
        return None


class RequestRefused(Fact):
    """A desk refused a request for a business reason. Nothing else changed.

    `subject`: the key of the request; `request_id`: its message id; `request_kind`: its kind. `code`: a row of
    `schemas.codes.refusals`. `reason`: what the desk saw, as an English sentence; `phrases`: that sentence as codes and
    values.
    """

    subject: Annotated[Subject, OUTSIDE]
    request_id: Annotated[MessageId, OUTSIDE]
    request_kind: Annotated[Name, OUTSIDE]
    code: Annotated[Name, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    phrases: Annotated[Phrases, INSIDE] = ()

    @property
    def key(self) -> str:
        return self.subject


class DeadlinePassed(Message):
    """A time limit that the desk itself had set has ended. Only the loop gives this message to the desk; it is never published.

    It is made from a stored state, so its fields have no bounds of their own.
    """

    subject: str
    name: str
    due: AwareDatetime

    @property
    def key(self) -> str:
        return self.subject


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time limit that a desk set for itself. `name` must be unique among the open deadlines of one subject. `due`: the time at which the desk
    gets the deadline as a message."""

    name: str
    due: datetime


class Hearing(NamedTuple):
    """When and at which position a desk reads a message. This is the only clock and the only counter that a decider knows.

    `serial`: offset * partitions + partition of the message. It is unique in its topic, and the same at every reading. `recorded`: the time at
    which its writer recorded it (header `ce_time`), also the same at every reading; None if the message has no such header. `shared`: the state
    of the record that the desk keeps for the whole partition; None if the desk has no such record.
    """

    at: datetime
    message_id: str
    serial: int
    recorded: datetime | None = None
    shared: object = None

    @property
    def sent(self) -> datetime:
        """Returns the time at which the message was recorded; if that is not known, the time at which the desk reads the message."""
        return self.recorded or self.at


LATEST_REPORT = timedelta(days=731)
"""How long after an event its report may come. If a report comes later, the date that it gives for the event is taken
to be wrong."""


class EventTime(NamedTuple):
    """The time of an event. `at`: the time that counts. `disbelieved`: the reported time, if it is wrong and `at` is
    the time of the report instead; None if the reported time counts. A fact whose time is `at` also states the reported
    time, as `disbelieved_time`."""

    at: datetime
    disbelieved: datetime | None = None


DisbelievedTime = Annotated[Moment | None, Field(exclude_if=is_none)]
"""The time that the sender of a report gave, if the desk did not believe it, so that `occurred_at` is the time of the report instead. It is left
out if the desk believed it, and in facts of older software versions."""


def event_time(event: datetime, hearing: Hearing) -> EventTime:
    """Returns the time of an event that was reported for the time `event`. A time before 2000, after 2100, or more than
    `LATEST_REPORT` before the report is wrong. The time of the report then counts instead. Every desk uses this
    function, so all desks get the same time.

    If the wrong time is outside of what a message may contain (`FIRST` to `LAST`), the nearest time that a message may
    contain is returned as `disbelieved`.

    The time of the report is the time in its header `ce_time`, which is the same at every reading. If the header has no
    time, or a time outside `FIRST` to `LAST`, the worker's clock counts. An event cannot be later than the header's
    time by more than `Request.most_ahead`, because the shell refuses such a report.
    """
    recorded = hearing.recorded if hearing.recorded and FIRST <= hearing.recorded <= LAST else hearing.at
    if FIRST <= event <= LAST and recorded - event <= LATEST_REPORT:
        return EventTime(event)
    return EventTime(recorded, min(max(event, FIRST), LAST))


def refuse(request: Request, hearing: Hearing, code: RefusalCode, *why: Phrase) -> tuple[RequestRefused]:
    """Returns the one fact that a desk publishes if it refuses a request. `why`: the phrases of the reason, for people."""
    return (refusal_of(shown(request.key, 200), hearing.message_id, request.kind, hearing.at, code, *why),)


def refusal_of(
    subject: str, request_id: str, kind: str, at: datetime, code: RefusalCode, *why: Phrase
) -> RequestRefused:
    """Returns the refusal of a request of which only these fields are known, because another message passed the request
    on."""
    return RequestRefused(
        occurred_at=at,
        subject=subject,
        request_id=request_id,
        request_kind=kind,
        code=code,
        reason=reason(*why),
        phrases=why,
    )


def fact_id(desk: str, cause_id: str, index: int | str) -> str:
    """Returns the id of the fact that `desk` publishes because of the message `cause_id`. `index`: the place of the
    fact among those that the desk publishes because of this message, from 0. If the loop itself refuses the message,
    `index` is the position of the message as `topic/partition/offset`."""
    return derived_id(_FACTS, f"{desk}/{cause_id}/{index}")


def request_id(sender: str, idempotency_key: str) -> str:
    """Returns the id of a request. It is derived from sender and idempotency key, so the same request has one id even if it is sent twice."""
    return derived_id(_FACTS, f"request/{sender}/{idempotency_key}")


def deadline_id(desk: str, subject: str, deadline: Deadline) -> str:
    """Returns the id of the `DeadlinePassed` message for this deadline of `subject`."""
    return derived_id(_FACTS, f"deadline/{desk}/{subject}/{deadline.name}/{deadline.due.isoformat()}")
