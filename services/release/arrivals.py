"""Which of the goods have arrived, and when? An arrival is reported for all goods, for some containers, or for a number of
packages."""

from datetime import datetime
from typing import Any

from schemas.bounds import shown
from schemas.codes.iso6346 import plain
from schemas.codes.refusals import RefusalCode
from schemas.declaration import MOST_CONTAINERS
from schemas.phrases import Phrase, phrase
from schemas.release import ArrivalRecorded, ArrivalRetracted
from services.release.dossier import Dossier, Landing, Retraction, Terms

MOST_LANDINGS = 256
"""How many reports of partial arrivals are stored for one consignment. There may be one for every container."""
MOST_UNPROVEN = 2 * MOST_CONTAINERS
"""How many containers may be named in reports that are read before the assessment, which names the real containers.
`Dossier.opened` also has at most this many."""
BY_GATE = "gate"
"""The value of `reported_by` in an arrival that comes from the gate desk."""


def arrived_boxes(dossier: Dossier) -> dict[str, datetime]:
    """Returns the declared containers that have arrived → the time of arrival of each."""
    terms = dossier.terms
    if terms is None or not terms.containers:
        return {}
    since: dict[str, datetime] = {}
    for landing in dossier.landings:
        for number in landing.containers:
            since.setdefault(number, landing.at)
    if dossier.arrived_at is None:
        since = _proven(dossier, terms) | since if dossier.retractions else since
        return {b.container_no: since[b.container_no] for b in terms.containers if b.container_no in since}
    return {b.container_no: since.get(b.container_no, dossier.arrived_at) for b in terms.containers}


def _proven(dossier: Dossier, terms: Terms) -> dict[str, datetime]:
    """Returns the containers that have arrived although the report of their arrival was taken back → the time of
    arrival. Their arrival is known for one of three reasons: a terminal reported that they came, they left with these
    goods, or the goods were stripped from them.

    If no terminal reported the time, the time of the wrong report counts, but never a time after the departure or the
    stripping. With a later time the gate desk would not count the departure as a departure of these goods, and would
    retract the fact that proves the arrival. A departure that was taken back proves nothing, but it still limits the
    time, because otherwise the gate desk and this desk would correct each other for ever.
    """
    out = {each.container_no for each in dossier.departures if not each.retraction}
    out |= {each.source for each in dossier.transfers if not each.void}
    moved = [(each.container_no, each.at) for each in dossier.departures]
    moved += [(each.source, each.at) for each in dossier.transfers if not each.void]
    since: dict[str, datetime] = {}
    for wrong in dossier.retractions:
        for number in wrong.containers or [each.container_no for each in terms.containers]:
            if number in dossier.opened or number in out:
                latest = min([wrong.at, *[at for name, at in moved if name == number]])
                since.setdefault(number, dossier.opened_at.get(number, latest))
    return since


def arrived_pieces(dossier: Dossier) -> Landing | None:
    """Returns, for goods without containers, the report of arrival with the most packages; None if there is none."""
    counted = [each for each in dossier.landings if each.pieces is not None and not each.containers]
    return max(counted, key=lambda each: each.pieces or 0, default=None)


def arrived_whole(dossier: Dossier) -> datetime | None:
    """Returns when the last of the goods arrived; None while something is missing, or while it is not known what should
    arrive."""
    if dossier.arrived_at is not None:
        return dossier.arrived_at
    terms = dossier.terms
    if terms is None or not (dossier.landings or dossier.retractions):
        return None
    if terms.containers:
        boxes = arrived_boxes(dossier)
        return max(boxes.values()) if len(boxes) == len(terms.containers) else None
    most = arrived_pieces(dossier)
    return most.at if most and terms.packages and (most.pieces or 0) >= terms.packages else None


def arrived_partly(dossier: Dossier) -> bool:
    """Returns whether some of the goods have arrived, but not all."""
    if not (dossier.landings or dossier.retractions) or arrived_whole(dossier) is not None:
        return False
    return bool(arrived_boxes(dossier)) or arrived_pieces(dossier) is not None


def why_misfit(dossier: Dossier, landing: Landing) -> tuple[RefusalCode, Phrase] | None:
    """Returns why a report of a partial arrival cannot be about these goods (a code and a phrase); None if it can. Before
    the assessment it is always None."""
    if dossier.terms is None:
        return None
    declared = {each.container_no for each in dossier.terms.containers}
    unknown = [number for number in landing.containers if number not in declared]
    if unknown:
        return RefusalCode.LOT_UNKNOWN, phrase("not_declared_for", boxes=tuple(unknown[:5]))
    if declared and not landing.containers:
        return RefusalCode.CONTAINERS_MISSING, phrase(
            "packages_in_boxes", pieces=landing.pieces or 0, boxes=len(declared)
        )
    return None


def adds_nothing(dossier: Dossier, landing: Landing) -> bool:
    """Returns whether the report adds nothing, because everything that it names has arrived already.

    Before the assessment, a report of containers adds nothing only if all goods have arrived, or if an earlier report
    names exactly the same containers. An earlier report that names more proves nothing yet: if the assessment shows
    that one of its containers is wrong, that report is refused as a whole.
    """
    if arrived_whole(dossier) is not None:
        return True
    if landing.containers and dossier.terms is None:
        return any(set(each.containers) == set(landing.containers) for each in dossier.landings)
    if landing.containers:
        here = {*arrived_boxes(dossier), *[number for each in dossier.landings for number in each.containers]}
        return here.issuperset(landing.containers)
    most = arrived_pieces(dossier)
    return landing.pieces is not None and most is not None and landing.pieces <= (most.pieces or 0)


def with_opening(dossier: Dossier, container_no: str, at: datetime) -> Dossier:
    """Returns the dossier with the note that a terminal reported the arrival of this container. Returns the same object
    if that was noted before, or if there is no room for the note."""
    number = name_of(container_no)
    if number in dossier.opened or len(dossier.opened) >= MOST_UNPROVEN:
        return dossier
    names = tuple(sorted([*dossier.opened, number]))
    return dossier._replace(opened=names, opened_at={**dossier.opened_at, number: at})


def by_gate(dossier: Dossier, container_no: str) -> Landing | None:
    """Returns the arrival in this container that the gate desk reported; None if there is none."""
    number = name_of(container_no)
    return next((each for each in dossier.landings if each.by_gate and number in each.containers), None)


def without_opening(dossier: Dossier, container_no: str, message_id: str, at: datetime) -> Dossier:
    """Returns the dossier without the terminal's report of this container, which is noted as taken back. Returns the same
    object if there was none."""
    number, landing = name_of(container_no), by_gate(dossier, container_no)
    if landing is None and number not in dossier.opened:
        return dossier
    since = landing.at if landing else dossier.opened_at.get(number, at)
    retraction = Retraction(landing.message_id if landing else "", message_id, since, (number,))
    return dossier._replace(
        opened=tuple([each for each in dossier.opened if each != number]),
        opened_at={name: when for name, when in dossier.opened_at.items() if name != number},
        landings=tuple([each for each in dossier.landings if each is not landing]),
        retractions=(*dossier.retractions, retraction)[-2 * MOST_LANDINGS :],
    )


def boxes_of_terminals(dossier: Dossier) -> frozenset[str]:
    """Returns the containers whose arrival a terminal reported."""
    landed_in = [number for each in dossier.landings if each.by_gate for number in each.containers]
    return frozenset([*dossier.opened, *landed_in])


def too_many_landings(dossier: Dossier, landing: Landing) -> bool:
    """Returns whether there is no room for this partial arrival."""
    if len(dossier.landings) >= MOST_LANDINGS:
        return True
    named = sum([len(each.containers) for each in dossier.landings])
    return dossier.terms is None and named + len(landing.containers) > MOST_UNPROVEN


def name_of(container_no: str) -> str:
    """Returns the container number in the form that all desks use."""
    return plain(shown(container_no, 17))


def named(containers: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the container numbers in the form that all desks use, without repetitions."""
    return tuple(dict.fromkeys([name_of(number) for number in containers]))


def what_is_missing(dossier: Dossier) -> Phrase:
    """Returns why the goods wait for an arrival, as a phrase."""
    terms = dossier.terms
    if terms and terms.containers and (boxes := arrived_boxes(dossier)):
        return phrase("boxes_arrived", count=len(boxes), all=len(terms.containers))
    if terms and not terms.containers and (most := arrived_pieces(dossier)):
        if not terms.packages:
            return phrase("packages_of_unknown", pieces=most.pieces or 0)
        return phrase("packages_arrived", pieces=most.pieces or 0, all=terms.packages)
    return phrase("not_arrived")


def with_arrival(dossier: Dossier, fact: ArrivalRecorded, message_id: str) -> Dossier:
    """Returns the dossier with one more arrival; the same object if it has this one already."""
    if not fact.containers and fact.pieces is None:
        return dossier._replace(
            arrived_at=fact.occurred_at, arrival_request=message_id, arrival_sender=fact.reported_for
        )
    if any(each.message_id == message_id for each in dossier.landings):
        return dossier
    by_gate = fact.reported_by == BY_GATE
    landing = Landing(message_id, fact.occurred_at, fact.containers, fact.pieces, by_gate, fact.reported_for)
    return dossier._replace(landings=(*dossier.landings, landing))


def arrival_reported_by(dossier: Dossier, message_id: str) -> Landing | None:
    """Returns the arrival that this message reported, if it still stands; None otherwise. If everything arrived, the
    arrival names neither containers nor packages."""
    if dossier.arrived_at is not None and dossier.arrival_request == message_id:
        return Landing(message_id, dossier.arrived_at, sender=dossier.arrival_sender)
    return next((each for each in dossier.landings if each.message_id == message_id), None)


def without_arrival(dossier: Dossier, fact: ArrivalRetracted, message_id: str) -> Dossier:
    """Returns the dossier without the arrival that was wrong; the same object if it has no such arrival."""
    wrong = arrival_reported_by(dossier, fact.wrong)
    if wrong is None:
        return dossier
    retraction = Retraction(wrong.message_id, message_id, wrong.at, wrong.containers)
    noted = dossier._replace(retractions=(*dossier.retractions, retraction))
    if wrong.containers or wrong.pieces is not None:
        return noted._replace(landings=tuple([each for each in dossier.landings if each is not wrong]))
    return noted._replace(arrived_at=None, arrival_request="", arrival_sender="")


def all_have_left(dossier: Dossier, wrong: Landing) -> bool:
    """Returns whether all containers that the report names have left, which proves that they had arrived."""
    declared = [each.container_no for each in dossier.terms.containers] if dossier.terms else []
    numbers = {*(wrong.containers or declared)}
    return bool(numbers) and numbers <= {each.container_no for each in dossier.departures if not each.retraction}


def less_has_arrived(before: Dossier, after: Dossier) -> bool:
    """Returns whether less has arrived according to `after` than according to `before`."""
    if arrived_whole(before) is None and not arrived_partly(before):
        return False
    if arrived_boxes(before).keys() - arrived_boxes(after).keys():
        return True
    if (before.terms and before.terms.containers) or arrived_whole(after) is not None:
        return False
    had, have = arrived_pieces(before), arrived_pieces(after)
    return arrived_whole(before) is not None or (had.pieces or 0 if had else 0) > (have.pieces or 0 if have else 0)


def standing_arrivals(dossier: Dossier) -> dict[str, Any]:
    """Returns the arrivals that were not taken back, as fields of `ArrivalRetracted`; empty if nothing has arrived."""
    numbers, most = arrived_boxes(dossier), arrived_pieces(dossier)
    if dossier.terms is None:
        for each in dossier.landings:
            numbers |= {number: each.at for number in each.containers if number not in numbers}
    times = [*numbers.values(), *([dossier.arrived_at] if dossier.arrived_at else [])]
    times += [each.at for each in dossier.landings if each.pieces is not None and not each.containers]
    if not times:
        return {}
    whole = arrived_whole(dossier) is not None
    return {
        "containers": () if whole else tuple(numbers),
        "pieces": None if whole or most is None else most.pieces,
        "arrived_at": max(times),
        "first_arrived_at": min(times),
    }


def arrival_was_wrong(dossier: Dossier, container_no: str) -> bool:
    """Returns whether an arrival in this container was reported and taken back, and no other is known."""
    return container_no not in arrived_boxes(dossier) and any(
        not each.containers or container_no in each.containers for each in dossier.retractions
    )
