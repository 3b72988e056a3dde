"""Which containers left with the goods, released or not, according to departures that were not retracted?"""

from schemas.bounds import shown
from schemas.codes.sentences import SENTENCES
from schemas.declaration import MOST_CONTAINERS
from schemas.gate import ConsignmentGatedOut, ConsignmentLeftUnreleased, DepartureRetracted
from schemas.phrases import Phrase, of_earlier, phrase
from schemas.release import LONGEST_CODE
from services.release.arrivals import name_of
from services.release.dossier import Departure, Dossier

LEFT_WITHOUT = "left_without"
MOST_DEPARTURES = 512
"""How many departures are stored for one consignment, including retracted ones."""


def left_unreleased(dossier: Dossier) -> dict[str, Phrase]:
    """Returns container that left with these goods unreleased → why that was wrong, for at most `MOST_CONTAINERS`
    containers."""
    left: dict[str, Phrase] = {}
    for each in dossier.departures:
        if not each.released and not each.retraction and len(left) < MOST_CONTAINERS:
            left.setdefault(each.container_no, phrase(each.why) if each.why in SENTENCES else of_earlier(each.reason))
    return left


def left_released(dossier: Dossier) -> frozenset[str]:
    """Returns the containers that left with these goods released."""
    return frozenset([each.container_no for each in dossier.departures if each.released and not each.retraction])


def with_departure(dossier: Dossier, fact: ConsignmentGatedOut | ConsignmentLeftUnreleased, message_id: str) -> Dossier:
    """Returns the dossier with one more departure; the same object if it has this one already."""
    if any(each.message_id == message_id for each in dossier.departures):
        return dossier
    released = isinstance(fact, ConsignmentGatedOut) and fact.released
    reason, code = SENTENCES[LEFT_WITHOUT], LEFT_WITHOUT
    if isinstance(fact, ConsignmentLeftUnreleased):
        reason, code = fact.reason, shown(fact.why, LONGEST_CODE)
    departure = Departure(
        container_no=name_of(fact.container_no),
        visit=shown(fact.visit, 200),
        message_id=message_id,
        at=fact.occurred_at,
        released=released,
        reason="" if released else shown(reason, breaks=True),
        why="" if released else code,
    )
    kept = dossier.departures
    # If another report now counts as the departure, the gate desk publishes the departure again. Only the newest fact is kept.
    if released:
        kept = tuple([e for e in kept if e.retraction or not e.released or e.container_no != departure.container_no])
    if len(kept) >= MOST_DEPARTURES:  # retracted departures are dropped first, then those of released goods
        spared = next((e for e in kept if e.retraction), None) or next((e for e in kept if e.released), None)
        if spared is None:
            return dossier  # all stored departures were without release, and one more changes nothing
        kept = tuple([each for each in kept if each is not spared])
    return dossier._replace(departures=(*kept, departure))


def with_retracted_departure(dossier: Dossier, fact: DepartureRetracted, message_id: str) -> Dossier:
    """Returns the dossier in which the oldest departure in this container that still counts is retracted. The visits
    are not compared, because the goods may now belong to another visit. The oldest departure is taken, because the gate
    desk retracts a departure before it publishes the next one, and a next one may have been read before the
    retraction."""
    if any(each.retraction == message_id for each in dossier.departures):
        return dossier
    number = name_of(fact.container_no)
    for index, each in enumerate(dossier.departures):
        if each.container_no == number and not each.retraction:
            changed = each._replace(retraction=message_id)
            departures = (*dossier.departures[:index], changed, *dossier.departures[index + 1 :])
            return dossier._replace(departures=departures)
    return dossier
