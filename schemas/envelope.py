"""What do all messages on the topics have in common, and which headers do they have?

The payload is the JSON of one of these models; CloudEvents 1.0 attributes travel as Kafka headers (`schemas.asyncapi` lists them).
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
"""The key of the message that this one is about: a consignment id or a container number."""

FACTS = UUID("0f7b8c0e-97a1-5d9b-8f9c-1b2a6f3d4e02")
"""Namespace of derived message ids."""
_FACTS = FACTS.bytes


class Message(Shape):
    """Any fact or request: frozen, no field beyond the contract. `key` is its Kafka key.

    `fields_seen_by`: who outside customs sees the fields of this kind that have no mark of their own; without it each has one.
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
        """Reads a stored message. It must follow the contract, but the bounds for new messages do not apply."""
        return cast(Self, stored_reader(cls).validate_json(data, extra=extra))


@cache
def stored_reader(kind: type[Message]) -> SchemaValidator:
    """The validator that reads stored messages of this kind; it is compiled once."""
    return reader(kind.__pydantic_core_schema__)


class AboutConsignment(Message):
    """A message about one consignment; it travels under the consignment id."""

    consignment_id: Annotated[ConsignmentId, OUTSIDE]

    @property
    def key(self) -> str:
        return self.consignment_id


class AboutContainer(Message):
    """A message about one container; it travels under the container number."""

    container_no: Annotated[ContainerName, OUTSIDE]

    @property
    def key(self) -> str:
        return self.container_no


class AboutPartition(Message):
    """A message for the desk of one partition, about no goods that are known yet; it travels under a key that lies there."""

    partition_key: Annotated[PartitionKey, INSIDE]

    @property
    def key(self) -> str:
        return self.partition_key


class Fact(Message):
    """Published, past tense, true for ever. `occurred_at`: when it happened in the world."""

    occurred_at: Annotated[Moment, OUTSIDE]


FUTURE_SKEW = timedelta(minutes=15)
"""By how much the clock of the sender of a report may be ahead of the console's clock. A report of a later time is an estimate and not an
event."""


def words_in_doubt(body: object) -> dict[str, str]:
    """The sender and the reason of a hold, each of them if its parsed content has it as a text that can be shown."""
    content = body if isinstance(body, dict) else {}
    who, why = content.get("asked_by"), content.get("reason")
    return {
        "asked_by": shown(who, 64) if isinstance(who, str) and who else "unknown",
        "reason": shown(why, breaks=True) if isinstance(why, str) and why else UNREADABLE_REASON,
    }


def is_none(value: object) -> bool:
    """Whether the value is None; for fields that are left out of the JSON if they are None."""
    return value is None


class Request(Message):
    """Asked, imperative; a desk may refuse it. `asked_by`: who asks; `occurred_at`: when the sender says it happened.

    `asked_by` is the account that the door has proved, `on_behalf_of` the company for which it asked (USCC, or a carrier's or
    terminal's name); without it, and in requests of older software versions, the one who asked speaks for itself.
    `holds_goods`: it is carried out however badly its words are written, because the goods would go otherwise.
    `calls_back`: it takes back what may have let goods go; like a hold it counts at the gate from the moment it is asked.
    `changes_stay`: it says where a container is or what is in it, so that an answer at the gate may be of an earlier visit; it counts in
    the same way.
    """

    holds_goods: ClassVar[bool] = False
    calls_back: ClassVar[bool] = False
    changes_stay: ClassVar[bool] = False
    asked_by: Annotated[ActorId, INSIDE]
    occurred_at: Annotated[Moment, OUTSIDE]
    on_behalf_of: Annotated[ActorId | None, Field(exclude_if=is_none), INSIDE] = None

    @property
    def principal(self) -> str:
        """Who is responsible for the request: the company on whose behalf it was sent, otherwise the sender."""
        return self.on_behalf_of or self.asked_by

    @property
    def others_kept(self) -> tuple[str, ...]:
        """For a request that counts from the moment it is asked: the keys, beside its own, for which it counts, too."""
        return ()

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """The request to assume for a message with this key whose parsed content breaks the contract; None for a kind that does not hold goods
        (`holds_goods`)."""
        return None


class RequestRefused(Fact):
    """A desk refused a request on business grounds; nothing else changed.

    `request_id` is the refused request's message id, `code` a row of `schemas.codes.refusals`, `reason` says what was seen, and `phrases`
    the same by code and values.
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
    """A time limit that the desk itself had set ran out. The loop gives it to that desk only; it is never published.

    Made from a stored state, so it has no bounds of its own.
    """

    subject: str
    name: str
    due: AwareDatetime

    @property
    def key(self) -> str:
        return self.subject


@dataclass(frozen=True, slots=True)
class Deadline:
    """`name` must be unique among the open deadlines of one subject; `due`: the time at which the desk gets the deadline as a message."""

    name: str
    due: datetime


class Hearing(NamedTuple):
    """When and at which position a desk reads a message: the only clock and the only counter that a decider knows.

    `serial` is offset * partitions + partition of the message: unique in its topic, the same on every reading.
    `recorded`: the time at which its writer recorded it (header `ce_time`), also the same on every reading; None if there is none.
    `shared`: the state of the record that the desk keeps for the whole partition; None if the desk has no such record.
    """

    at: datetime
    message_id: str
    serial: int
    recorded: datetime | None = None
    shared: object = None

    @property
    def sent(self) -> datetime:
        """The time at which the message was recorded; if that is not known, the time at which it is read."""
        return self.recorded or self.at


LATEST_REPORT = timedelta(days=731)
"""A report that comes more than two years after its event has a wrong date."""


def event_time(event: datetime, hearing: Hearing) -> datetime:
    """The time of an event as it was reported, the same for every desk. A date before 2000 or after 2100, or more than `LATEST_REPORT` before the
    report, is wrong, so the time of the report counts instead.

    The time of the report is in its header, so it is the same at every reading; only if the header has none, the worker's clock counts. No report
    about the future comes here, because it is refused before, by the same header.
    """
    recorded = hearing.recorded if hearing.recorded and FIRST <= hearing.recorded <= LAST else hearing.at
    return event if FIRST <= event <= LAST and recorded - event <= LATEST_REPORT else recorded


def refuse(request: Request, hearing: Hearing, code: RefusalCode, *why: Phrase) -> tuple[RequestRefused]:
    """The one fact that a desk publishes when it refuses a request; `why`: the reason for people."""
    return (refusal_of(shown(request.key, 200), hearing.message_id, request.kind, hearing.at, code, *why),)


def refusal_of(
    subject: str, request_id: str, kind: str, at: datetime, code: RefusalCode, *why: Phrase
) -> RequestRefused:
    """The refusal of a request of which only these fields are known, because another message passed it on."""
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
    """The id of the `index`-th fact that `desk` publishes because of the message `cause_id`. For a refusal by the loop itself, `index` is the
    position of the message as `topic/partition/offset`."""
    return derived_id(_FACTS, f"{desk}/{cause_id}/{index}")


def request_id(sender: str, idempotency_key: str) -> str:
    """The id of a request, derived from its sender and idempotency key, so that the same request sent twice has one id."""
    return derived_id(_FACTS, f"request/{sender}/{idempotency_key}")


def deadline_id(desk: str, subject: str, deadline: Deadline) -> str:
    """The id of the `DeadlinePassed` message for this deadline."""
    return derived_id(_FACTS, f"deadline/{desk}/{subject}/{deadline.name}/{deadline.due.isoformat()}")
