"""After how long does a release that nobody used end?"""

from datetime import date, datetime, timedelta

from schemas.vocabulary import day_in_china

LAPSES = ((date(2000, 1, 1), timedelta(days=30)),)
"""From which day on, in China, a release counts for how long. The times are ours, and no law's.

A container comes back every few weeks. A yes that outlived its stay would let other goods leave in it, so it must end before
that; and goods that a consignee leaves on the quay for a month are rare enough to ask an officer about.
"""

UNTOLD = ((date(2000, 1, 1), timedelta(days=30)), (date(2027, 1, 1), timedelta(days=7)))
"""The same for a container of which no terminal told that it came: then nobody will tell that it leaves, or comes back with other
goods. Terminals have until the last of these days to report openings."""


def lapses_after(released: datetime, told: bool) -> timedelta:
    """How long a release of this time counts for a container that does not leave. `told`: a terminal told that it came."""
    day = day_in_china(released)
    return next(limit for begins, limit in reversed(LAPSES if told else UNTOLD) if begins <= day)
