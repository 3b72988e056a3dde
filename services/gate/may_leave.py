"""May this container leave through the land gate now, and if not, what does it wait for?

It may leave if every lot in the open visit may go, and if no lot is missing. What the visits are, and which goods are in them, is known
already (`services.gate.visits`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from schemas.bounds import FIRST
from schemas.phrases import Phrase, of_earlier, phrase
from schemas.vocabulary import EquipmentEvent, StayCode, plain_word, same_word
from services.gate.box import Box, Part, Report
from services.gate.departures import is_released, permits_now, unsettled
from services.gate.truth import SAME_CALL, SAME_EVENT, Truth, Visit
from services.gate.visits import perhaps_came_again


@dataclass(slots=True)
class Answer:
    """The answer whether the container may leave through the land gate now. If it must stay: `why` has the reasons, as
    phrases; `code`: what the container waits for; `keepers`: the consignments because of which it must stay. If it may
    leave: `consignments`: those that may leave in it; `permitted`: those of them that only an officer's permit lets
    out."""

    leave: bool
    why: tuple[Phrase, ...]
    consignments: tuple[str, ...] = ()
    keepers: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    code: StayCode | None = None


def answer(box: Box, truth: Truth) -> Answer:
    """Returns whether the container may leave, with the reasons and the consignments concerned."""

    def no(code: StayCode, *why: Phrase, keepers: tuple[str, ...] = ()) -> Answer:
        return Answer(False, why, keepers=keepers, code=code)

    visit = truth.current
    box = _with_unspent_permits(box, truth)
    # Expected goods that the box may have brought when it came again keep it inside. If such goods may go, they are
    # left out, because a permit or a release does not show that they are in the box.
    doubtful = [p for p in truth.doubtful if p not in truth.expected or not _may_go(box, p)]
    inside = [p for p in (*visit.parts, *doubtful) if not _leaves_nothing(p)] if visit else []
    keepers = tuple([p.consignment_id for p in inside if not _may_go(box, p)])
    if waiting := unsettled(box, truth):
        return no(
            StayCode.ALARM, phrase("alarm_waits"), phrase(waiting[0].why), keepers=keepers or waiting[0].waiting_for
        )
    if box.waiting:
        return no(StayCode.ALARM, phrase("earlier_alarm"), keepers=keepers)
    if box.holds:
        return no(StayCode.BOX_HELD, phrase("box_held", words=box.holds[0].reason), keepers=keepers)
    if box.overfull:
        return no(StayCode.TO_BE_COUNTED, phrase("too_many_goods"), keepers=keepers)
    if visit is None:
        return no(StayCode.NO_VISIT, phrase("no_visit"), keepers=tuple([p.consignment_id for p in truth.expected]))
    if visit.emptied:
        return no(StayCode.STRIPPED, phrase("stripped"))
    inside = [p for p in inside if not visit.taken_out(p)]
    lots = counted(box, visit)
    if lots is None and (unknown := _not_accounted_for(box, visit, inside)):
        return no(*unknown, keepers=keepers)
    if not inside:
        return no(StayCode.UNDECLARED, phrase("nothing_declared"))
    return _lots(box, lots, inside, keepers)


def _with_unspent_permits(box: Box, truth: Truth) -> Box:
    """Returns the box without the permits that an earlier visit has spent. A permit is for one visit and does not count
    when the container comes back. It is spent if it was given before the event time of the end of an earlier visit, or
    before that end was reported. But a permit that was given after that event time, when the open visit was already
    known, is for the open visit."""
    if not box.permits or truth.current is None:
        return box
    now = truth.current
    known = now.opening.heard if now.opening and now.opening.at == now.opened else now.opened
    ends = [visit.closed for visit in truth.visits if visit.closed is not None]
    reported = [visit.closing.heard for visit in truth.visits if visit.closing is not None]
    spent = max([box.forgotten or FIRST, *ends, *[min(each, known) for each in reported]])
    return replace(box, permits=tuple([permit for permit in box.permits if permit.at > spent]))


def _lots(box: Box, counted: int | None, inside: list[Part], keepers: tuple[str, ...]) -> Answer:
    """Returns the answer that follows from the lots: yes if each of them may go and none is missing. `counted`: how
    many lots an officer counted."""
    lots: dict[str, list[Part]] = {}
    for part in inside:
        lots.setdefault(_lot(part), []).append(part)
    free = 0
    code, why = StayCode.UNDECLARED, tuple[Phrase, ...]()
    for papers in lots.values():
        standing = [p for p in papers if p.standing != "withdrawn"]
        bill = papers[0].bill or papers[0].consignment_id
        if len(standing) > 1:
            names = tuple([p.consignment_id for p in standing])
            twice = phrase("declared_twice", count=len(standing), bill=bill)
            return Answer(False, (twice,), keepers=names, code=StayCode.UNDECLARED)
        if not standing:
            why = why or (phrase("bill_withdrawn", bill=bill),)
        elif not _may_go(box, standing[0]):
            code = StayCode.NOT_RELEASED
            why = why or (phrase("bill_waits", bill=bill), *_why(standing[0]))
        else:
            free += 1
    declared = len(lots)
    needed = max(counted or _needed(inside), declared)
    if free < needed:
        why = why or (phrase("others_undeclared"),)
        return Answer(False, (phrase("lots_released", count=free, all=needed), *why), keepers=keepers, code=code)
    going = [p for p in inside if p.standing != "withdrawn"]
    permitted = tuple([p.consignment_id for p in going if not is_released(p)])
    return Answer(True, (), tuple([p.consignment_id for p in going]), permitted=permitted)


def _needed(inside: list[Part]) -> int:
    """Returns how many lots there must be: the largest sum of any declaration. The sum of a declaration is the number
    of lots that it states, plus the known lots of other conveyances. Lots of other conveyances came with an earlier
    visit whose end nobody reported."""
    by_call: dict[str, set[str]] = {}
    for part in inside:
        by_call.setdefault(plain_word(part.conveyance), set()).add(_lot(part))
    calls = [call for call in by_call if call]
    others = {call: len(set[str]().union(*[by_call[each] for each in calls if each != call])) for call in calls}
    return max(
        [p.shared_by + others.get(plain_word(p.conveyance), 0) for p in inside if p.standing != "withdrawn"], default=0
    )


def _not_accounted_for(box: Box, visit: Visit, inside: list[Part]) -> tuple[StayCode, Phrase] | None:
    """Returns what the box waits for, and why, if goods other than the known ones may be in it, or if known goods were
    not yet reported as stuffed into it. Returns None if all goods in it are accounted for. `inside`: the goods that
    count as inside.

    Goods that were stripped from another container count only after their stuffing into this box was reported. They
    prove nothing about the goods with which the box came. All lots of a source container may be in this box. So as many
    lots of that source must be known in this box as there were in the source (`shared_by`).
    """
    if why := _perhaps_others(box, visit, inside):
        return StayCode.TO_BE_COUNTED, why
    if any(not report.sources for report in visit.stuffings):
        return StayCode.TO_BE_COUNTED, phrase("stuffed")
    reported = {source for report in visit.stuffings for source in report.sources}
    if unreported := sorted({part.source for part in inside if part.source} - reported):
        return StayCode.NOT_STUFFED, phrase("not_stuffed_yet", boxes=unreported[0])
    if visit.may_have_brought_goods and inside and all(part.source for part in inside):
        return StayCode.UNDECLARED, phrase("nothing_declared")
    lots: dict[str, set[str]] = {source: set() for source in reported}
    wanted = dict.fromkeys(lots, 1)
    for part in inside:
        if part.source:
            lots[part.source].add(_lot(part))
            wanted[part.source] = max(part.shared_by, wanted[part.source])
    missing = [source for source in sorted(lots) if len(lots[source]) < wanted[source]]
    return (StayCode.UNDECLARED, phrase("stuffed_from", boxes=missing[0])) if missing else None


def _perhaps_others(box: Box, visit: Visit, inside: list[Part]) -> Phrase | None:
    """Returns why other goods than the declared ones may be in a box that may have come again during this visit; None if they cannot.

    The goods that are in the box now may have come with any of the openings. So each opening is checked. The goods of
    an opening are those that arrived between it and the next one, or that are declared for its call. As many lots of
    these goods must be declared as their declarations state, and at least one."""
    again = perhaps_came_again(box, visit)
    if not again:
        return None
    parts = [part for part in inside if not part.source and part.standing != "withdrawn"]
    for opening in again:
        until = min([each.at for each in again if each.at - opening.at > SAME_EVENT], default=None)
        brought = [part for part in parts if _named_for(opening, part) or _arrived(part, opening.at, until)]
        if _too_few(brought, at_least=1):
            return phrase("perhaps_came_again", event=opening.at)
    first = [
        part
        for part in parts
        if (part.arrived_at is None or part.arrived_at < again[0].at)
        and (same_word(part.conveyance, visit.conveyance) is True or not any(_named_for(each, part) for each in again))
    ]
    if _too_few(first, at_least=1 if visit.may_have_brought_goods else 0):
        return phrase("others_undeclared") if first else phrase("nothing_declared")
    return None


def _named_for(opening: Report, part: Part) -> bool:
    """Returns whether these goods are declared for the call of the conveyance from which the box was discharged at this opening."""
    if opening.event is not EquipmentEvent.DISCHARGED or same_word(part.conveyance, opening.conveyance) is not True:
        return False
    return part.arrived_at is None or part.arrived_at - SAME_CALL <= opening.at <= part.arrived_at + SAME_CALL


def _arrived(part: Part, since: datetime, until: datetime | None) -> bool:
    return part.arrived_at is not None and since <= part.arrived_at and (until is None or part.arrived_at < until)


def _too_few(parts: list[Part], at_least: int) -> bool:
    """Returns whether these are fewer lots than their declarations state, or than `at_least`."""
    return len({_lot(part) for part in parts}) < max([part.shared_by for part in parts], default=at_least)


def counted(box: Box, visit: Visit) -> int | None:
    """Returns how many lots an officer last counted in this visit, after goods were last put in and after the box may have come again;
    None if nobody counted."""
    put_in = [part.arrived_at for part in visit.parts if part.source and part.arrived_at is not None]
    came = [opening.at for opening in perhaps_came_again(box, visit)]
    since = max([visit.stuffed or visit.opened, *put_in, *came])
    findings = [f for f in sorted(box.findings, key=lambda f: f.at) if f.at >= since and not f.retracted]
    counts = [f.lots for f in findings if f.lots is not None]
    return counts[-1] if counts else None


def lots_in(visit: Visit) -> int:
    """Returns how many lots are, or may be, in this visit: the number that the declarations state, or the number of
    known lots if that is higher; at least 1."""
    here = [part for part in visit.parts if not _leaves_nothing(part)]
    known = {_lot(part) for part in here}
    return max(_needed(here), len(known), 1)


def _lot(part: Part) -> str:
    """Returns the key of the lot that a declaration is about: its bill, which more than one declaration may name; without a bill, the
    consignment's id."""
    return plain_word(part.bill) or part.consignment_id


def _leaves_nothing(part: Part) -> bool:
    """Returns whether no goods of this part are in the box, because the release desk named the box only for a stripping
    that was taken back. If a declaration is withdrawn while this visit is open, its goods stay in the box, whether or
    not their arrival was reported. A part that was withdrawn before the visit is not in it (`visits._may_be_in`)."""
    return part.standing == "withdrawn" and part.arrived_at is None and bool(part.source)


def _may_go(box: Box, part: Part) -> bool:
    return is_released(part) or bool(permits_now(box, part))


def _why(part: Part) -> tuple[Phrase, ...]:
    if part.standing == "released":
        return (phrase("export_by_loading"),)
    return part.phrases or (of_earlier(part.reason or part.standing),)
