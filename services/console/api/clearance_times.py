"""How long did the latest releases take? The spans of `schemas.spans` are computed for imports and for exports."""

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
Release = tuple[str, str, int | None, str]
"""A release: consignment, direction, when its declaration was accepted (microseconds since 1970 UTC), and the fact as JSON."""


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Granted(msgspec.Struct):
    arrived_at: _Moment
    occurred_at: _Moment
    holds: tuple[Any, ...] = ()


_granted = msgspec.json.Decoder(_Granted)


def clearance_of(releases: Iterable[Release]) -> list[ClearanceTime]:
    """Returns the clearance times for these releases, which must be in the order of the feed: one entry for each direction and each span of
    `SHOWN`. Only releases of all goods of a consignment count, and only the last one of each consignment."""
    found: dict[str, tuple[str, Moments]] = {}
    for consignment, direction, accepted_us, body in releases:
        try:
            granted = _granted.decode(body)
        except (msgspec.DecodeError, RecursionError):
            # An unreadable fact is left out here. The timeline of its goods shows that the fact is unreadable.
            continue
        if not granted.holds:
            moments = Moments(accepted=when(accepted_us), arrived=granted.arrived_at, released=granted.occurred_at)
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
