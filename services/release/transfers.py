"""Into which other containers have goods gone that were stripped from their own?

Nobody says which goods went into which of them, so they may be in each, and each is told of all that is for and against them.
"""

from datetime import datetime

from schemas.gate import GoodsTransferred
from services.release.arrivals import arrived_boxes, name_of, named
from services.release.dossier import Bound, Dossier, Transfer

MOST_TRANSFERS = 64
"""Strippings of one consignment that are kept."""


def transferred(dossier: Dossier, fact: GoodsTransferred) -> Dossier:
    """The dossier with one more transfer; the same object when it has that, or when no more are kept."""
    if any(each.report_id == fact.report_id for each in dossier.transfers) or len(dossier.transfers) >= MOST_TRANSFERS:
        return dossier
    new = Transfer(fact.report_id, name_of(fact.container_no), named(fact.targets), fact.lots, fact.occurred_at)
    return dossier._replace(
        transfers=tuple(sorted([*dossier.transfers, new], key=lambda each: (each.at, each.report_id)))
    )


def sources(dossier: Dossier) -> dict[str, Transfer]:
    """Of each container into which goods went, the transfer that was first."""
    found: dict[str, Transfer] = {}
    for each in dossier.transfers:
        for number in each.targets:
            found.setdefault(number, each)
    return found


def containers(dossier: Dossier) -> tuple[Bound, ...]:
    """The declared containers, then the others into which the goods went."""
    if dossier.terms is None:
        return ()
    declared = {each.container_no for each in dossier.terms.containers}
    others = [Bound(number, each.lots) for number, each in sources(dossier).items() if number not in declared]
    return (*dossier.terms.containers, *others)


def here(dossier: Dossier) -> dict[str, datetime]:
    """The containers in which goods are here, each with the time since when: those that arrived, and those into which goods of these
    went."""
    since = arrived_boxes(dossier)
    for each in dossier.transfers:
        if each.source in since:
            since |= {number: each.at for number in each.targets if number not in since}
    return since


def emptied(dossier: Dossier) -> frozenset[str]:
    """The containers out of which the goods went into others, and did not come back."""
    found: set[str] = set()
    for each in dossier.transfers:
        found = {*found, each.source} - set(each.targets)
    return frozenset(found)


def filled(dossier: Dossier) -> dict[str, datetime]:
    """The containers of `here` in which goods still are."""
    left = emptied(dossier) if dossier.transfers else frozenset()
    return {number: since for number, since in here(dossier).items() if number not in left}
