"""After how long does a release that nobody used end?"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.envelope import DeadlinePassed, Fact, Hearing
from schemas.hold_ids import of_lapse
from schemas.phrases import phrase
from schemas.vocabulary import Direction, Owner, day_in_china
from services.release.arrivals import told_boxes
from services.release.departures import gone
from services.release.goods import Goods, Released, officers
from services.release.holds import held_because
from services.release.settling import settle

LAPSES = ((date(2000, 1, 1), timedelta(days=30)),)
"""From which day on, in China, a release counts for how long. The times are ours, and no law's.

A container comes back every few weeks. A yes that outlived its stay would let other goods leave in it, so it must end before
that; and goods that a consignee leaves on the quay for a month are rare enough to ask an officer about.
"""

UNTOLD = ((date(2000, 1, 1), timedelta(days=30)), (date(2027, 1, 1), timedelta(days=7)))
"""The same for a container of which no terminal told that it came: then nobody will tell that it leaves, or comes back with other
goods. Terminals have until the last of these days to report openings."""

MOST_NAMED = 15
"""Containers that are named in words; more stand in the facts themselves."""


def lapses_after(released: datetime, reported: bool) -> timedelta:
    """How long a release of this time counts for a container that does not leave. `reported`: a terminal told that it came."""
    day = day_in_china(released)
    return next(limit for begins, limit in reversed(LAPSES if reported else UNTOLD) if begins <= day)


def lapse(state: Goods, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """A release that nobody used is called back; an officer who lifts the hold gives it again."""
    waiting = {number: limit for number, limit in limits(state).items() if limit.due <= passed.due}
    if not waiting:
        return ()
    days = min([limit.after for limit in waiting.values()]).days
    new = held_because(
        phrase("lapsed", days=days, waiting=tuple(waiting)[:MOST_NAMED]),
        hold_id=of_lapse(state.version),
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officers(state), new), passed.subject, hearing)


class Limit(NamedTuple):
    """When a release lapses: so long after it was given."""

    due: datetime
    after: timedelta


def limits(state: Goods) -> dict[str, Limit]:
    """Containers of released imports that have not left, with the end of their release.

    The release of an export opens no land gate, so nothing is lost while it waits for its ship.
    """
    terms = state.dossier.terms
    if not isinstance(state, Released) or terms is None or terms.direction is not Direction.IMPORT:
        return {}
    outside, reported = gone(state.dossier), told_boxes(state.dossier)
    ends: dict[str, Limit] = {}
    for number, since in state.boxes.items():
        if number not in outside:
            after = lapses_after(since, number in reported)
            ends[number] = Limit(since + after, after)
    return ends
