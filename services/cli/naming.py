"""Which goods does a name mean? A consignment has several names: its id, its declarant with its reference, its declaration number, its
bill, and its containers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.vocabulary import consignment_id, plain_word
from services.cli.log import LoggedMessage

TOPICS = ["customs-declaration-requests", "customs-declaration-facts", "customs-declaration-successors"]
"""The topics that are read to find a consignment by a name that is not its key."""


def candidates(given: str) -> Iterator[str]:
    """Yields the keys that this name may stand for, the most probable first: the first consignment of a reference, then a consignment
    id or a container number."""
    name = given.strip()
    declarant, slash, reference = name.partition("/")
    tried = (consignment_id(declarant, reference) if slash else "", given, name.lower(), plain_word(name))
    yield from dict.fromkeys(key for key in tried if key)


def keys_of(given: str, entries: Iterable[LoggedMessage]) -> list[str]:
    """Returns the ids of the consignments that have this name, in the order of their messages. In bills and numbers, only letters and
    digits are compared, in upper case."""
    found: dict[str, None] = {}
    name, plain = given.strip(), plain_word(given)
    for entry in entries:
        body = entry.body
        if not isinstance(body, Mapping):
            continue
        paper = body.get("declaration")
        names = _names(body, paper if isinstance(paper, Mapping) else {})
        if name in names or (plain and plain in map(plain_word, names)):
            found[entry.key] = None
    return list(found)


def _names(body: Mapping[str, Any], paper: Mapping[str, Any]) -> set[str]:
    declarant, reference = paper.get("declarant"), paper.get("reference")
    names = [body.get("declaration_no"), paper.get("bill_no")]
    if isinstance(declarant, str) and isinstance(reference, str):
        names.append(f"{declarant}/{reference}")
    return {name for name in names if isinstance(name, str) and name}


def followed(entries: Iterable[LoggedMessage]) -> Iterator[str]:
    """Yields the ids of the consignments that the declaration desk made because a declaration was lodged again after a withdrawal."""
    for entry in entries:
        if entry.kind == "DeclarationPassedOn" and entry.written_by_its_desk and isinstance(entry.body, Mapping):
            later = entry.body.get("later")
            if isinstance(later, str):
                yield later
