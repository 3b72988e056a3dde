"""Who may do what on the cluster? Each credential with its topics, groups and transactions, derived from the catalogue.

`dtg up` and `dtg provision` give this table to the brokers as ACLs, docs/kafka.md shows it, and the tests try it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.flow import heard_topics
from schemas.topics import (
    CATALOGUE,
    FACTS_AND_REQUESTS,
    ORDERS,
    PARKED,
    PORT_FACTS,
    SERVICES,
    orders_topic,
    parked_topic,
    state_topic,
)

PROVISION = "provision"
"""The credential that makes topics, users and rights: an administrator of the cluster. It is in no table of rights, because it
has them all."""
SANDBOX = ("simulator", "bench")
"""The credentials of simulated people. They may write requests as the console may, so they exist only if the clock is a
sandbox."""

Resource = Literal["topic", "group", "transactional id"]
Operation = Literal["read", "write", "describe"]


class Right(NamedTuple):
    """One permission, as an ACL of Kafka. With `prefix`, it is for every resource whose name begins with `name`; without, for
    exactly this name.

    In Kafka, the right to read or to write includes the right to describe.
    """

    resource: Resource
    name: str
    operation: Operation
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """All that one credential may do; what is not named here is refused.

    `describes`: topics whose partitions and ends it may look up, besides those that it reads or writes. `joins`: consumer groups
    of which it may be a member, or from which it may remove a member. `looks_up`: groups whose read positions it may look up, or
    that its client names without being a member. `groups`, `transactions`: the prefixes of the further groups that its client
    names, and of its transactional ids.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    describes: frozenset[str] = frozenset()
    joins: frozenset[str] = frozenset()
    looks_up: frozenset[str] = frozenset()
    groups: str = ""
    transactions: str = ""

    def all(self) -> frozenset[Right]:
        """The same as single permissions."""
        topics = {Right("topic", name, "read") for name in self.reads}
        topics |= {Right("topic", name, "write") for name in self.writes}
        topics |= {Right("topic", name, "describe") for name in self.describes - self.reads - self.writes}
        groups = {Right("group", name, "read") for name in self.joins}
        groups |= {Right("group", name, "describe") for name in self.looks_up - self.joins}
        groups |= {Right("group", self.groups, "read", True)} if self.groups else set()
        transactions = {Right("transactional id", self.transactions, "write", True)} if self.transactions else set()
        return frozenset(topics | groups | transactions)

    def permits(self, resource: Resource, name: str, operation: Operation) -> bool:
        """Whether Kafka permits this operation by these rights."""
        enough = (operation, "read", "write") if operation == "describe" else (operation,)
        return any(
            right.resource == resource
            and right.operation in enough
            and (name.startswith(right.name) if right.prefix else name == right.name)
            for right in self.all()
        )


def user_of(name: str) -> str:
    """The name under which a credential signs in at the cluster, unless its file says another one."""
    return f"customs-{name}"


def group_of(service: str) -> str:
    """The consumer group of a service."""
    return f"customs-{service}"


_REQUESTS = frozenset(t.name for t in FACTS_AND_REQUESTS if t.role == "requests")
_FACTS = frozenset(t.name for t in FACTS_AND_REQUESTS if t.role == "facts")
_PARKED = frozenset(t.name for t in PARKED)
_GROUPS = frozenset(map(group_of, SERVICES))


def _of_service(service: str) -> Rights:
    """The rights of a service. It reads the topics that the flow names, and those with its own records, parked messages and
    orders. It writes the topics of which the catalogue names it as a writer. Of each it is the only writer, except for the topic
    for ports, which two desks write (ADR 22)."""
    written = frozenset(t.name for t in CATALOGUE if service in t.writers)
    own = {state_topic(service), parked_topic(service)}
    return Rights(
        reads=frozenset([*heard_topics(service), orders_topic(service), *own]),
        writes=written,
        joins=frozenset([group_of(service)]),
        groups=f"{group_of(service)}-",
        transactions=f"{group_of(service)}-",
    )


def table(*, sandbox: bool) -> dict[str, Rights]:
    """What each credential may do, except that of the cluster's administrator; with `sandbox`, those of simulated people, too."""
    services: dict[str, Rights] = {name: _of_service(name) for name in SERVICES}
    others: dict[str, Rights] = {
        "worker": Rights(reads=_PARKED, groups="customs-worker-"),
        "door": Rights(writes=_REQUESTS),
        "projector": Rights(reads=_FACTS | _REQUESTS | _PARKED, looks_up=frozenset(["customs-console"])),
        "port": Rights(reads=frozenset([PORT_FACTS])),
        "auditor": Rights(reads=frozenset(t.name for t in CATALOGUE), looks_up=_GROUPS),
        "operations": Rights(reads=_PARKED, writes=frozenset(t.name for t in ORDERS)),
        "supervisor": Rights(joins=_GROUPS),
    }
    people: dict[str, Rights] = {
        name: Rights(reads=_FACTS | _REQUESTS, writes=_REQUESTS, looks_up=_GROUPS | {f"customs-{name}"})
        for name in SANDBOX
    }
    return services | others | (people if sandbox else {})
