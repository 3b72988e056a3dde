"""Into which other containers did goods go that were stripped from their own?

It is not reported which goods went into which container, so they may be in each of them, and every statement about the goods is sent
for each of these containers.
"""

from datetime import datetime

from schemas.gate import GoodsTransferred, TransferRetracted
from schemas.hold_ids import of_stripping
from services.release.arrivals import arrived_boxes, name_of, named
from services.release.dossier import Bound, Dossier, Transfer

MOST_TRANSFERS = 64
"""How many strippings are stored for one consignment."""


def with_transfer(dossier: Dossier, fact: GoodsTransferred) -> Dossier:
    """Returns the dossier with one more transfer. Returns the same object if the dossier has this transfer already, or
    has no room for another one."""
    if any(each.report_id == fact.report_id for each in dossier.transfers):
        return dossier
    new = Transfer(
        fact.report_id, name_of(fact.container_no), named(fact.targets), fact.lots, fact.occurred_at, kept=fact.kept
    )
    return _with(dossier, new)


def with_retracted_transfer(dossier: Dossier, fact: TransferRetracted) -> Dossier:
    """Returns the dossier in which this transfer does not count, also if the fact about the transfer itself is read after this
    one. Returns the same object if the dossier has the retraction already, or has no room for it (`_with`)."""
    known = next((each for each in dossier.transfers if each.report_id == fact.report_id), None)
    if known is None:
        number = name_of(fact.container_no)
        return _with(dossier, Transfer(fact.report_id, number, (), 1, fact.occurred_at, void=True))
    if known.void:
        return dossier
    void = known._replace(void=True)
    return dossier._replace(transfers=tuple([void if each is known else each for each in dossier.transfers]))


def _with(dossier: Dossier, new: Transfer) -> Dossier:
    """Returns the dossier with this transfer. If there is no room, the oldest transfer that was taken back is dropped;
    if there is none, the dossier is returned unchanged."""
    kept = dossier.transfers
    if len(kept) >= MOST_TRANSFERS:
        spare = next((each for each in kept if each.void), None)
        if spare is None:
            return dossier
        kept = tuple([each for each in kept if each is not spare])
    return dossier._replace(transfers=tuple(sorted([*kept, new], key=lambda each: (each.at, each.report_id))))


def _standing(dossier: Dossier) -> list[Transfer]:
    """Returns the transfers that were not taken back, the oldest first."""
    return [each for each in dossier.transfers if not each.void]


def strippings_of_kept_boxes(dossier: Dossier) -> dict[str, str]:
    """Returns hold id → container number, for each hold on goods that were stripped from a container which itself had
    to stay."""
    return {of_stripping(each.report_id): each.source for each in _standing(dossier) if each.kept}


def first_transfers(dossier: Dossier) -> dict[str, Transfer]:
    """Returns container into which goods went → the first transfer into it."""
    found: dict[str, Transfer] = {}
    for each in _standing(dossier):
        for number in each.targets:
            found.setdefault(number, each)
    return found


def containers(dossier: Dossier) -> tuple[Bound, ...]:
    """Returns the declared containers, then the others into which the goods went."""
    if dossier.terms is None:
        return ()
    declared = {each.container_no for each in dossier.terms.containers}
    others = [Bound(number, each.lots) for number, each in first_transfers(dossier).items() if number not in declared]
    return (*dossier.terms.containers, *others)


def arrived_since(dossier: Dossier) -> dict[str, datetime]:
    """Returns container in which some of the goods have arrived → since when. These are the declared containers that
    have arrived, and the containers into which goods were moved from these."""
    since = arrived_boxes(dossier)
    for each in _standing(dossier):
        if each.source in since:
            since |= {number: each.at for number in each.targets if number not in since}
    return since


def emptied_boxes(dossier: Dossier) -> frozenset[str]:
    """Returns the containers from which the goods went into others and did not come back."""
    found: set[str] = set()
    for each in _standing(dossier):
        found = {*found, each.source} - set(each.targets)
    return frozenset(found)


def filled_since(dossier: Dossier) -> dict[str, datetime]:
    """Returns those entries of `arrived_since` whose containers still have the goods."""
    left = emptied_boxes(dossier) if dossier.transfers else frozenset()
    return {number: since for number, since in arrived_since(dossier).items() if number not in left}
