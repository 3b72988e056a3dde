"""Who may do what on the cluster? This module lists the topics, groups and transactional ids of each credential, derived from the
catalogue of topics.

`dtg up` and `dtg provision` write these rights to the brokers as ACLs, docs/kafka.md shows them, and the tests try them.
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
"""The credential that makes topics, users and rights. It is an administrator of the cluster with all rights, so it is in no table
of rights."""
SANDBOX = ("simulator", "bench")
"""The credentials of simulated people. They may write requests like the console, so they exist only in an installation
whose clock is that of a sandbox."""

Resource = Literal["topic", "group", "transactional id"]
Operation = Literal["read", "write", "describe"]


class Right(NamedTuple):
    """One permission, as an ACL of Kafka. With `prefix`, it applies to every resource whose name begins with `name`; without it,
    only to the resource with exactly this name.

    In Kafka, the right to read or to write includes the right to describe.
    """

    resource: Resource
    name: str
    operation: Operation
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one credential. The credential may do nothing else.

    `describes`: topics of which it may read the partitions and end offsets, besides those that it reads or writes. `joins`:
    consumer groups of which it may be a member, or from which it may remove a member. `looks_up`: groups whose read positions it
    may read, or that its client names without being a member. `groups`: the prefix of the further groups that its client names;
    empty if there are none. `transactions`: the prefix of its transactional ids; empty if it has none.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    describes: frozenset[str] = frozenset()
    joins: frozenset[str] = frozenset()
    looks_up: frozenset[str] = frozenset()
    groups: str = ""
    transactions: str = ""

    def all(self) -> frozenset[Right]:
        """Returns these rights as single permissions."""
        topics = {Right("topic", name, "read") for name in self.reads}
        topics |= {Right("topic", name, "write") for name in self.writes}
        topics |= {Right("topic", name, "describe") for name in self.describes - self.reads - self.writes}
        groups = {Right("group", name, "read") for name in self.joins}
        groups |= {Right("group", name, "describe") for name in self.looks_up - self.joins}
        groups |= {Right("group", self.groups, "read", True)} if self.groups else set()
        transactions = {Right("transactional id", self.transactions, "write", True)} if self.transactions else set()
        return frozenset(topics | groups | transactions)

    def permits(self, resource: Resource, name: str, operation: Operation) -> bool:
        """Returns whether Kafka permits this operation on the resource of this name under these rights."""
        enough = (operation, "read", "write") if operation == "describe" else (operation,)
        return any(
            right.resource == resource
            and right.operation in enough
            and (name.startswith(right.name) if right.prefix else name == right.name)
            for right in self.all()
        )


def user_of(name: str) -> str:
    """Returns the user name with which a credential signs in at the cluster, unless the file of the credential contains
    another user name."""
    return f"customs-{name}"


def group_of(service: str) -> str:
    """Returns the name of the consumer group of a service."""
    return f"customs-{service}"


_REQUESTS = frozenset(t.name for t in FACTS_AND_REQUESTS if t.role == "requests")
_FACTS = frozenset(t.name for t in FACTS_AND_REQUESTS if t.role == "facts")
_PARKED = frozenset(t.name for t in PARKED)
_GROUPS = frozenset(map(group_of, SERVICES))


def _of_service(service: str) -> Rights:
    """Returns the rights of a service. It reads the topics that `FLOW` names, its own state and parked topics, and its orders
    topic. It writes the topics of which the catalogue names it as a writer. Each of these topics has no other writer, except the
    topic for ports, which two desks write (ADR 22)."""
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
    """Returns the rights of each credential, by its name, except those of the cluster's administrator. `sandbox`: whether the
    credentials of simulated people are among them."""
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
