"""Is each message on the ports' topic a copy of one fact, without the fields that ports may not see?
This check uses neither the code of the loop nor the code that makes the copies."""

from collections.abc import Iterable
from typing import Any

from services.cli.effects import Effects
from services.cli.log import LoggedMessage

NEVER = ("reason", "lane", "answers", "hold_id", "reported_by", "retracted_by")
"""Fields that no port may get, at any depth."""


def compare(effects: Effects, copies: Iterable[LoggedMessage], facts: Iterable[LoggedMessage]) -> None:
    """Adds the faults of the messages on the ports' topic (`copies`) to `effects`. `facts`: the facts
    that desks published. Read the facts after the copies, so that the fact of each copy is among
    them."""
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
