"""How does a statement of the release desk about goods change the record of their container?"""

from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from schemas.bounds import shown
from schemas.envelope import Hearing
from schemas.phrases import Phrase
from schemas.release import ContainerFreed, ContainerHeld
from services.gate.box import Box, Part, Standing
from services.gate.keeping import MOST_PARTS, with_end, with_room

MOST_RELEASES = 16
"""How many earlier periods of release are stored for a consignment besides the latest one. A revocation ended each of them."""
MOST_PHRASE_BYTES = 2_400
"""The most bytes of the phrases that are stored as the reason why the goods of a consignment are held. The longest text of a person needs
fewer."""


def add_statement(box: Box, message: ContainerHeld | ContainerFreed, hearing: Hearing) -> Box:
    """Returns the box with one more statement. The box stays as it is if the statement is older than the known one, or
    about goods that left before this desk kept visits. If the box has `MOST_PARTS` statements already, statements about
    goods that are not in the box any more are dropped."""
    name = message.consignment_id
    if name in box.gone:
        return box
    known = next((p for p in box.parts if p.consignment_id == name), None)
    if known is not None and known.version >= message.version:
        return box
    standing, phrases = _standing(message), _kept(message)
    if known is None and box.forgotten is not None and message.arrived_at and message.arrived_at <= box.forgotten:
        return box  # the record does not keep the visit of these goods any more
    if known is None and len(box.parts) >= MOST_PARTS:
        if standing == "withdrawn":
            return box
        box = with_room(box)
        if len(box.parts) >= MOST_PARTS:
            return box if box.overfull else replace(box, overfull=True)
    stated_at = min(message.occurred_at, hearing.at)
    # goods that have left must have arrived before, so a retraction of their arrival does not count
    taken_back = message.arrival_retracted and not (known and known.published_departure)
    known_at = known.arrived_at if known and not taken_back else None
    arrived_at = message.arrived_at or known_at
    if standing == "released" and arrived_at is None:
        # An older software version stated a release without the time of the arrival. Goods are released only after they arrived, so the time of the
        # statement is used.
        arrived_at = stated_at
    part = Part(
        consignment_id=name,
        version=message.version,
        shared_by=message.shared_by,
        standing=standing,
        reason=shown(message.reason, breaks=True) if isinstance(message, ContainerHeld) and not phrases else "",
        bill=message.bill_no,
        conveyance=message.conveyance,
        direction=message.direction,
        since=min(known.since, stated_at) if known else stated_at,
        stated_at=stated_at,
        arrived_at=arrived_at,
        published_arrival=known.published_arrival if known else "",
        published_departure=known.published_departure if known else "",
        source=message.source or (known.source if known else ""),
        transferred=known.transferred if known else (),
        told_again=known.told_again if known else False,
        told_at=known.told_at if known else None,
        wrong_at=known.wrong_at if known else None,
        phrases=phrases,
        **_freedom(known, standing, stated_at),
    )
    yes = box.yes if standing == "released" else with_end(hearing.at, box.yes, name)
    permits = box.permits
    if standing in (
        "held",
        "refused",
    ):
        # the officers who permitted the exit did not know this statement, so the permits end
        permits = with_end(stated_at, permits, name)
    others = [p for p in box.parts if p.consignment_id != name]
    parts = tuple(sorted([*others, part], key=lambda p: p.consignment_id))
    return replace(box, parts=parts, yes=yes, permits=permits)


class _Freedom(TypedDict):
    """The periods in which a consignment was released. The fields are those of `Part`."""

    free_since: datetime | None
    free_until: datetime | None
    freed_before: tuple[tuple[datetime, datetime], ...]


def _freedom(known: Part | None, standing: Standing, stated_at: datetime) -> _Freedom:
    """Returns the periods in which a consignment was released, after one more statement about it. They are stored
    because a departure is judged by the release at the time of the departure, whatever the release desk stated later.
    The departure may be reported late, for example after the goods were called back."""
    since, until, before = (known.free_since, known.free_until, known.freed_before) if known else (None, None, ())
    was_free = known is not None and known.standing == "released"
    if standing != "released":
        began = (since or known.stated_at) if was_free and known else since
        return _Freedom(free_since=began, free_until=stated_at if was_free else until, freed_before=before)
    if was_free and since:
        return _Freedom(free_since=since, free_until=None, freed_before=before)
    ended = ((since, until),) if since and until else ()
    return _Freedom(free_since=stated_at, free_until=None, freed_before=(*before, *ended)[-MOST_RELEASES:])


def _kept(message: ContainerHeld | ContainerFreed) -> tuple[Phrase, ...]:
    """Returns the phrases of a statement; none if they are too large, because then the sentence is stored instead."""
    if not isinstance(message, ContainerHeld):
        return ()
    size = sum([len(each.__pydantic_serializer__.to_json(each)) for each in message.phrases])
    return message.phrases if size <= MOST_PHRASE_BYTES else ()


def _standing(message: ContainerHeld | ContainerFreed) -> Standing:
    if isinstance(message, ContainerHeld):
        return "refused" if message.refused else "held"
    return "released" if message.released else "withdrawn"
