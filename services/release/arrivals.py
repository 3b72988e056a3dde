"""Which of the goods have arrived, and when? Told of everything, by container, or by the piece."""

from datetime import datetime

from schemas.bounds import shown
from schemas.codes.iso6346 import plain
from schemas.declaration import MOST_CONTAINERS
from schemas.release import ArrivalRecorded
from services.release.dossier import Dossier, Landing, Why

MOST_LANDINGS = 256
"""Reports of partial arrivals that are kept of one consignment: every container may have one of its own."""
MOST_UNPROVEN = 2 * MOST_CONTAINERS
"""Containers named by reports that came before the assessment said which containers there are."""
BY_GATE = "gate"
"""Who reports an arrival that the gate desk told."""


def arrived_boxes(dossier: Dossier) -> dict[str, datetime]:
    """The declared containers that have arrived, each with the time of its arrival."""
    terms = dossier.terms
    if terms is None or not terms.containers:
        return {}
    since: dict[str, datetime] = {}
    for landing in dossier.landings:
        for number in landing.containers:
            since.setdefault(number, landing.at)
    if dossier.arrived_at is None:
        return {b.container_no: since[b.container_no] for b in terms.containers if b.container_no in since}
    return {b.container_no: since.get(b.container_no, dossier.arrived_at) for b in terms.containers}


def arrived_pieces(dossier: Dossier) -> Landing | None:
    """The report of the most packages that have arrived, of goods without containers; None where none was told."""
    counted = [each for each in dossier.landings if each.pieces is not None and not each.containers]
    return max(counted, key=lambda each: each.pieces or 0, default=None)


def arrived_whole(dossier: Dossier) -> datetime | None:
    """When the last of the goods arrived; None while something is missing, or while nobody knows how much there should be."""
    if dossier.arrived_at is not None:
        return dossier.arrived_at
    terms = dossier.terms
    if terms is None or not dossier.landings:
        return None
    if terms.containers:
        boxes = arrived_boxes(dossier)
        return max(boxes.values()) if len(boxes) == len(terms.containers) else None
    most = arrived_pieces(dossier)
    return most.at if most and terms.packages and (most.pieces or 0) >= terms.packages else None


def arrived_partly(dossier: Dossier) -> bool:
    """Whether something has arrived, and not everything."""
    if not dossier.landings or arrived_whole(dossier) is not None:
        return False
    return bool(arrived_boxes(dossier)) or arrived_pieces(dossier) is not None


def misfit(dossier: Dossier, landing: Landing) -> tuple[str, str] | None:
    """Why a report of a partial arrival is not one of these goods: code and what was seen. None before the assessment."""
    if dossier.terms is None:
        return None
    declared = {each.container_no for each in dossier.terms.containers}
    unknown = [number for number in landing.containers if number not in declared]
    if unknown:
        return "lot_unknown", f"{', '.join(unknown[:5])[:200]}: not declared for this consignment"
    if declared and not landing.containers:
        return "containers_missing", f"{landing.pieces} packages of goods in {len(declared)} containers"
    return None


def no_news(dossier: Dossier, landing: Landing) -> bool:
    """Whether everything that the report tells of has arrived already.

    Before the assessment only the same containers are no news: of a report that names more, all may turn out to be wrong.
    """
    if arrived_whole(dossier) is not None:
        return True
    if landing.containers and dossier.terms is None:
        return any(set(each.containers) == set(landing.containers) for each in dossier.landings)
    if landing.containers:
        here = {number for each in dossier.landings for number in each.containers}
        return here.issuperset(landing.containers)
    most = arrived_pieces(dossier)
    return landing.pieces is not None and most is not None and landing.pieces <= (most.pieces or 0)


def opened(dossier: Dossier, container_no: str) -> Dossier:
    """The dossier that knows that a terminal told of this container; the same object when it did, or when no more are kept."""
    number = name_of(container_no)
    if number in dossier.opened or len(dossier.opened) >= MOST_UNPROVEN:
        return dossier
    return dossier._replace(opened=tuple(sorted([*dossier.opened, number])))


def told_boxes(dossier: Dossier) -> frozenset[str]:
    """The containers of which a terminal told that they came."""
    landed_in = [number for each in dossier.landings if each.by_gate for number in each.containers]
    return frozenset([*dossier.opened, *landed_in])


def too_many_landings(dossier: Dossier, landing: Landing) -> bool:
    """Whether no further partial arrival is kept."""
    if len(dossier.landings) >= MOST_LANDINGS:
        return True
    named = sum([len(each.containers) for each in dossier.landings])
    return dossier.terms is None and named + len(landing.containers) > MOST_UNPROVEN


def name_of(container_no: str) -> str:
    """The number as the desks write it."""
    return plain(shown(container_no, 17))


def named(containers: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers as the desks write them, each once."""
    return tuple(dict.fromkeys([name_of(number) for number in containers]))


def what_is_missing(dossier: Dossier) -> Why:
    """Why the goods wait for an arrival."""
    terms = dossier.terms
    if terms and terms.containers and (boxes := arrived_boxes(dossier)):
        count, whole = len(boxes), len(terms.containers)
        values = {"count": str(count), "all": str(whole)}
        return Why("boxes_arrived", f"{count} of {whole} containers have arrived", values)
    if terms and not terms.containers and (most := arrived_pieces(dossier)):
        values = {"pieces": str(most.pieces)}
        if not terms.packages:
            return Why("packages_of_unknown", f"{most.pieces} of an unknown number of packages have arrived", values)
        values["all"] = str(terms.packages)
        return Why("packages_arrived", f"{most.pieces} of {terms.packages} packages have arrived", values)
    return Why("not_arrived", "the goods have not arrived")


def landed(dossier: Dossier, fact: ArrivalRecorded, message_id: str) -> Dossier:
    """The dossier with one more arrival; the same object when it has that."""
    if not fact.containers and fact.pieces is None:
        return dossier._replace(arrived_at=fact.occurred_at, arrival_request=message_id)
    if any(each.message_id == message_id for each in dossier.landings):
        return dossier
    by_gate = fact.reported_by == BY_GATE
    landing = Landing(message_id, fact.occurred_at, fact.containers, fact.pieces, by_gate)
    return dossier._replace(landings=(*dossier.landings, landing))
