"""After how long does an unused release end?"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.envelope import DeadlinePassed, Fact, Hearing
from schemas.hold_ids import of_lapse
from schemas.phrases import phrase
from schemas.vocabulary import Direction, Owner, day_in_china
from services.release.arrivals import boxes_of_terminals
from services.release.departures import left_released
from services.release.goods import Goods, Released, officer_holds_of
from services.release.holds import held_because
from services.release.settling import settle

LAPSES = ((date(2000, 1, 1), timedelta(days=30)),)
"""Pairs of a day in China and a duration. A release that is granted on that day or later lapses after that duration.
The durations are our choice and not from a law.

A container comes back every few weeks. If the gate's yes was still in force then, other goods could leave in the container, so the
release must end earlier. Goods that nobody fetches for a month are rare, so an officer can decide about them.
"""

UNTOLD = ((date(2000, 1, 1), timedelta(days=30)), (date(2027, 1, 1), timedelta(days=7)))
"""Pairs as in `LAPSES`, with durations of their own, for a container whose arrival no terminal reported. No terminal
would then report that it leaves, or that it comes back with other goods, so its release lapses earlier. From the last
of these days on, terminals must report when a container comes."""

MOST_NAMED = 15
"""How many containers a sentence names. The facts have all of them."""


def lapses_after(released: datetime, reported: bool) -> timedelta:
    """Returns after how long a release that was granted at this time lapses, for a container that does not leave. `reported`: whether
    a terminal reported the arrival of the container."""
    day = day_in_china(released)
    return next(limit for begins, limit in reversed(LAPSES if reported else UNTOLD) if begins <= day)


def lapse(state: Goods, passed: DeadlinePassed, hearing: Hearing) -> tuple[Fact, ...]:
    """Revokes an unused release. If an officer lifts the hold that follows, the goods are released again."""
    waiting = {number: limit for number, limit in lapse_limits(state).items() if limit.due <= passed.due}
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
    return settle(state, state.dossier, (*officer_holds_of(state), new), passed.subject, hearing)


class Limit(NamedTuple):
    """The time at which a release lapses, and how long after its beginning that is."""

    due: datetime
    after: timedelta


def lapse_limits(state: Goods) -> dict[str, Limit]:
    """Returns container of a released import that has not left → the end of its release.

    The release of an export opens no land gate, so it may wait for the ship without a limit.
    """
    terms = state.dossier.terms
    if not isinstance(state, Released) or terms is None or terms.direction is not Direction.IMPORT:
        return {}
    outside, reported = left_released(state.dossier), boxes_of_terminals(state.dossier)
    ends: dict[str, Limit] = {}
    for number, since in state.boxes.items():
        if number not in outside:
            after = lapses_after(since, number in reported)
            ends[number] = Limit(since + after, after)
    return ends
