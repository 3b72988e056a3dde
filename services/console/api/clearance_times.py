"""How long did the latest releases take? The spans SHOWN, which `schemas.spans` defines, are computed for imports and
for exports."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from schemas.spans import BY_NAME, Moments, percentile, seconds_of
from schemas.vocabulary import Direction
from services.console.api.documents import called, when
from services.console.api.views import ClearanceTime

SHOWN = ("customs", "overall")
"""The names of the spans that the board shows."""
Release = tuple[str, str, int | None, str, str]
"""A release or its revocation: consignment, direction, when its declaration was accepted (microseconds since 1970 UTC), the kind of the fact,
and the fact as JSON."""


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Granted(msgspec.Struct):
    arrived_at: _Moment
    occurred_at: _Moment
    holds: tuple[Any, ...] = ()


_granted = msgspec.json.Decoder(_Granted)


def clearance_of(releases: Iterable[Release]) -> list[ClearanceTime]:
    """Returns the clearance times for these releases, which must be in the order of the feed: one entry for each
    direction and each span of `SHOWN`. Only releases of all goods of a consignment count, and only the last release of
    each consignment.

    A release may be published again, because the goods went into other containers or an answer was corrected. Its spans
    then end at the time of the first publication. If a revocation or a release of only a part came in between, the
    later publication counts as a new release with its own time."""
    found: dict[str, tuple[str, Moments]] = {}
    for consignment, direction, accepted_us, kind, body in releases:
        if kind != "ReleaseGranted":
            found.pop(consignment, None)
            continue
        try:
            granted = _granted.decode(body)
        except (msgspec.DecodeError, RecursionError):
            # An unreadable fact is left out here. The timeline of its goods shows that the fact is unreadable.
            continue
        earlier = found.pop(consignment, None)
        if not granted.holds:
            released = earlier[1].released if earlier else granted.occurred_at
            moments = Moments(accepted=when(accepted_us), arrived=granted.arrived_at, released=released)
            found[consignment] = direction, moments
    return [_time(direction, name, found.values()) for direction in Direction for name in SHOWN]


def _time(direction: Direction, name: str, releases: Iterable[tuple[str, Moments]]) -> ClearanceTime:
    every = [seconds_of(name, moments) for theirs, moments in releases if theirs == direction]
    seconds = sorted([each for each in every if each is not None])
    return ClearanceTime(
        direction=direction.value,
        name=name,
        text=called("spans", name),
        source=BY_NAME[name].source,
        releases=len(seconds),
        p50_seconds=percentile(seconds, 50),
        p95_seconds=percentile(seconds, 95),
    )
