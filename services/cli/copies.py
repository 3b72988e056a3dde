"""Is each message on the ports' topic a copy of one fact, without the fields that ports may not see, and does each fact
for ports have its copy? A desk writes a fact and its copy in one transaction, so neither is ever there alone. This
check uses neither the code of the loop nor the code that makes the copies."""

from collections.abc import Iterable, Sequence
from typing import Any

from schemas.topics import PORT_WRITERS, REPORTS, ROLES
from services.cli.effects import Effects, derived
from services.cli.log import LoggedMessage

NEVER = ("reason", "lane", "answers", "hold_id", "reported_by", "retracted_by")
"""Fields that no port may get, at any depth."""


def compare(
    effects: Effects, copies: Sequence[LoggedMessage], facts: Sequence[LoggedMessage], *, from_the_first: bool = False
) -> None:
    """Adds the faults of the messages on the ports' topic (`copies`) to `effects`, and the facts that lack a copy. `facts`:
    the facts that desks published. The fact of each copy must be among them, and the copy of each fact among `copies`.
    `from_the_first`: as in `without_copy`."""
    facts_by_id = {(fact.id, fact.key): fact for fact in facts}
    positions: dict[tuple[str, str], str] = {}
    for copy in copies:
        name, fact = f"{copy.kind} {copy.id} at {copy.position}", facts_by_id.get((copy.id, copy.key))
        if fact is None or fact.headers != copy.headers:
            effects.forged.append(f"{name} is the copy of no fact")
        elif (copy.id, copy.key) in positions:
            effects.doubled.append(f"{name} and {positions[copy.id, copy.key]}")
        elif wrong := _wrong(copy.body, fact.body):
            effects.forged.append(f"{name} {wrong}")
        else:
            positions[copy.id, copy.key] = copy.position
    for fact in without_copy(copies, facts, from_the_first=from_the_first):
        effects.uncopied.append(f"{fact.kind} {fact.id} at {fact.position} has no copy for ports")


def without_copy(
    copies: Iterable[LoggedMessage], facts: Iterable[LoggedMessage], *, from_the_first: bool = False
) -> list[LoggedMessage]:
    """Returns the facts for ports that have no copy. Facts that their desk cannot have written are left out.

    Older software versions wrote no copies. So the facts of a partition before the first one that has a copy are left
    out, too, unless `from_the_first` says that the desks never had such a version.
    """
    copied, missing, begun = {(copy.id, copy.key) for copy in copies}, [], set[tuple[str, int]]()
    for fact in facts:
        if not _is_for_ports(fact):
            continue
        if (fact.id, fact.key) in copied:
            begun.add((fact.topic, fact.partition))
        elif (from_the_first or (fact.topic, fact.partition) in begun) and derived(fact):
            missing.append(fact)
    return missing


def _is_for_ports(fact: LoggedMessage) -> bool:
    if ROLES[fact.topic] != "facts" or not fact.written_by_its_desk or PORT_WRITERS.get(fact.kind) != fact.desk:
        return False
    if fact.kind != "RequestRefused":
        return True
    return isinstance(fact.body, dict) and fact.body.get("request_kind") in REPORTS


def _wrong(copy: Any, fact: Any) -> str:
    """Returns what is wrong with the content of a copy; an empty text if it is correct."""
    try:
        if not _is_part(copy, fact):
            return "says other than its fact"
        forbidden = [field for field in NEVER if _has(copy, field)]
    except RecursionError:
        return "is nested deeper than any fact of a desk"
    return f"tells ports {', '.join(forbidden)}" if forbidden else ""


def _is_part(copy: Any, fact: Any) -> bool:
    """Returns whether the copy equals the fact, except that fields may be missing in the copy."""
    if isinstance(copy, dict) and isinstance(fact, dict):
        return all(name in fact and _is_part(value, fact[name]) for name, value in copy.items())
    if isinstance(copy, list) and isinstance(fact, list):
        return len(copy) == len(fact) and all(map(_is_part, copy, fact))
    return bool(copy == fact)


def _has(body: Any, field: str) -> bool:
    if isinstance(body, dict):
        return field in body or any(_has(value, field) for value in body.values())
    return isinstance(body, list) and any(_has(each, field) for each in body)
