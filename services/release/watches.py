"""Which goods are held before anybody has declared them? The goods of a watched bill, or of a watched declarant.

Each partition of the release desk stores all watches in one record. The decider gets this record with every message about goods.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, assert_never

from pydantic import AwareDatetime

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.declaration import LONGEST_BILL
from schemas.envelope import Fact, Hearing, refuse
from schemas.hold_ids import of_watch
from schemas.phrases import Phrase, phrase, quoted
from schemas.release import Hold, LiftWatch, PlaceWatch, WatchLifted, WatchPlaced
from schemas.vocabulary import Owner, bill_words, plain_word
from services.release.dossier import Terms
from services.release.holds import held_because

MOST_WATCHES = 500
"""How many watches may be open. They are in one record, and each message about goods is compared with all of them."""
REMEMBERED_ENDS = 1000
"""How many lifted watches are remembered, so that a late copy of a request does not open one of them again."""


class OpenWatch(NamedTuple):
    """One watch, as an officer asked for it. `bill_no` has only capital letters and digits. `request`: the id of the request that placed
    it; empty in a record of an older software version. In a record, a watch is a list of its values in the order of the fields."""

    bill_no: str
    declarant: str
    reason: str
    since: AwareDatetime
    request: str = ""

    def matches(self, bills: Collection[str], declarant: str) -> bool:
        """Returns whether the watch is for goods of this declarant, or of one of these bills, all in the form of `plain_word`."""
        return self.bill_no in bills or bool(self.declarant and self.declarant == declarant)


@dataclass(frozen=True, slots=True)
class Watching:
    """The watches of one partition, by id, and the ids of those that were lifted, the latest last. `lifted_by`: watch in `ended` → the
    request that lifted it, unless an older software version read that request."""

    watches: dict[str, OpenWatch] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    lifted_by: dict[str, str] = field(default_factory=dict)
    state: Literal["watching"] = "watching"


def answer_watch(state: Watching, request: PlaceWatch | LiftWatch, hearing: Hearing) -> tuple[Fact, ...]:
    """Opens or lifts a watch, once. A request for a watch that was lifted before is refused, like a repeated request.
    So the order in which the copies of the requests are read does not matter. The refusal names the first request that
    opened or lifted the watch."""
    watch_id = shown(request.watch_id, 200)
    match request:
        case PlaceWatch():
            return _begin(state, request, watch_id, hearing)
        case LiftWatch():
            if watch_id in state.ended:
                return refuse(
                    request, hearing, RefusalCode.WATCH_LIFTED, _lifted(state, watch_id, phrase("watch_lifted"))
                )
            lifted = WatchLifted(
                partition_key=request.partition_key,
                occurred_at=hearing.at,
                watch_id=watch_id,
                reason=request.reason,
                lifted_by=request.asked_by,
            )
            return (lifted,)
        case _:
            assert_never(request)


def _begin(state: Watching, request: PlaceWatch, watch_id: str, hearing: Hearing) -> tuple[Fact, ...]:
    bill, declarant = plain_word(request.bill_no), plain_word(request.declarant)
    if watch_id in state.ended:
        why = _lifted(state, watch_id, phrase("watch_lifted_before"))
        return refuse(request, hearing, RefusalCode.WATCH_LIFTED, why)
    if known := state.watches.get(watch_id):
        first = phrase("watch_placed_by", request=known.request) if known.request else phrase("watch_kept")
        return refuse(request, hearing, RefusalCode.ALREADY_ANSWERED, first)
    if not bill and not declarant:
        names = phrase("watch_of", bill=request.bill_no, declarant=request.declarant)
        return refuse(request, hearing, RefusalCode.WATCH_MALFORMED, names)
    if len(state.watches) >= MOST_WATCHES:
        return refuse(request, hearing, RefusalCode.TOO_MANY_WATCHES, phrase("watches_open", count=len(state.watches)))
    placed = WatchPlaced(
        partition_key=request.partition_key,
        occurred_at=hearing.at,
        watch_id=watch_id,
        bill_no=shown(request.bill_no, LONGEST_BILL),
        declarant=shown(request.declarant, 20),
        reason=shown(request.reason, breaks=True),
        placed_by=shown(request.asked_by, 64),
    )
    return (placed,)


def _lifted(state: Watching, watch_id: str, otherwise: Phrase) -> Phrase:
    """Returns which request lifted this watch, as a phrase; `otherwise` if that is not known."""
    request = state.lifted_by.get(watch_id)
    return phrase("watch_lifted_by", request=request) if request else otherwise


def keep_watch(state: Watching, fact: WatchPlaced | WatchLifted, request: str) -> Watching:
    """Returns the watches after this fact. `request`: the id of the request that it answers."""
    match fact:
        case WatchPlaced():
            bill, declarant = plain_word(fact.bill_no), plain_word(fact.declarant)
            new = OpenWatch(bill, declarant, fact.reason, fact.occurred_at, request)
            return replace(state, watches={**state.watches, fact.watch_id: new})
        case WatchLifted():
            remaining = {watch_id: each for watch_id, each in state.watches.items() if watch_id != fact.watch_id}
            ended = (*state.ended, fact.watch_id)[-REMEMBERED_ENDS:]
            by = {**state.lifted_by, fact.watch_id: request}
            lifted_by = {watch_id: by[watch_id] for watch_id in ended if watch_id in by}
            return replace(state, watches=remaining, ended=ended, lifted_by=lifted_by)
        case _:
            assert_never(fact)


def watched(state: object, terms: Terms | None, hearing: Hearing) -> tuple[Hold, ...]:
    """Returns the holds of the watches in `state` on goods with these terms. There are none if `state` is not a
    `Watching`, or if the goods are not assessed."""
    if not isinstance(state, Watching) or not state.watches or terms is None:
        return ()
    bills, declarant = bill_words(terms.bill_no), plain_word(terms.declarant)
    return tuple(
        [
            held_because(
                quoted(each.reason),
                hold_id=of_watch(watch_id),
                owner=Owner.OFFICER,
                since=hearing.at,
                lifted_by="LiftHold",
            )
            for watch_id, each in state.watches.items()
            if each.matches(bills, declarant)
        ]
    )
