"""Which messages does a turn produce, and what does it count? And how does a fact become a Kafka message, with id, headers and the
copy for ports?

Nothing is written here: the loop produces the outputs, in one transaction with the records and the read positions.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.envelope import Fact, fact_id
from schemas.marks import Audience
from schemas.outside import hidden, to_outside
from schemas.topics import is_for_ports, topic_of
from services.shell.codec import LARGEST_MESSAGE, Headers, Raw, encode, headers


class TooLarge(Exception):
    """Raised for a fact or record that does not fit into a Kafka message."""


@dataclass(slots=True)
class Output:
    """One message to produce. `partition`: None if the key determines it. `for_ports`: the redacted form of a fact, which is written
    to the ports' topic with the same key and headers, in the same transaction; None if ports get no copy."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers
    partition: int | None = None
    for_ports: bytes | None = None


@dataclass(slots=True)
class Outcome:
    """The outputs of a turn in their order, and its counts."""

    outputs: list[Output] = field(default_factory=list)
    facts: dict[str, int] = field(default_factory=dict)
    """Kind → number of facts."""
    parked: dict[str, int] = field(default_factory=dict)
    """Reason → number of messages that were parked for the first time."""
    decided: int = 0
    duplicates: int = 0
    """How many requests of this turn had been answered before, and so were not decided again."""
    settled: int = 0
    """How many parked messages were replayed or discarded."""

    def count_fact(self, kind: str) -> None:
        self.facts[kind] = self.facts.get(kind, 0) + 1

    def count_parked(self, reason: str) -> None:
        self.parked[reason] = self.parked.get(reason, 0) + 1


class Cause(NamedTuple):
    """The values that a fact copies from the message that caused it. `trace`: its `traceparent`, empty if there is none."""

    message_id: str
    correlation: str
    trace: bytes


def cause_of(message: Raw, message_id: str) -> Cause:
    """Returns the cause of the facts that follow from this message. `message_id`: the id under which it was decided."""
    correlation = message.forwarded("correlationid").decode()
    return Cause(message_id, correlation or message_id, message.forwarded("traceparent"))


def fact_headers(desk: str, fact: Fact, index: int, sequence: int, cause: Cause, time: str, named: str = "") -> Headers:
    """Returns the headers of a fact. `index`: its place among the facts of its message, from 0. `named`: replaces the index in the
    fact's id if the usual id is already used."""
    return headers(
        id=fact_id(desk, cause.message_id, named or index),
        kind=fact.kind,
        source=f"/desks/{desk}",
        time=time,
        subject=fact.key,
        cause=cause.message_id,
        correlation=cause.correlation,
        sequence=sequence,
        trace=cause.trace,
    )


def fact_output(desk: str, fact: Fact, index: int, sequence: int, cause: Cause, time: str, named: str = "") -> Output:
    """Returns the message of a fact, with the arguments of `fact_headers`. Raises TooLarge if the fact does not fit into a Kafka
    message."""
    key, value = fact.key, encode(fact)
    if len(value) > LARGEST_MESSAGE:
        raise TooLarge(f"{fact.kind} would have {len(value)} bytes; at most {LARGEST_MESSAGE}")
    return Output(
        topic_of(desk, type(fact)),
        key,
        value,
        fact_headers(desk, fact, index, sequence, cause, time, named),
        for_ports=_redacted(fact, value) if is_for_ports(desk, fact) else None,
    )


def _redacted(fact: Fact, value: bytes) -> bytes:
    """Returns the value of the copy for ports. It is the fact's own value if none of its fields is left out."""
    return to_outside(fact, Audience.PORT) if hidden(type(fact), Audience.PORT) else value
