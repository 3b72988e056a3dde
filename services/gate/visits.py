"""Which visits did a container make, which goods were in it each time, and how did each visit end?

All of this is computed only from the record of the box, and the order in which its messages arrived does not matter. If it is not certain to
which visit a statement belongs, a hold counts for every visit that is possible, and a release for none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Literal

from schemas.bounds import FIRST
from schemas.envelope import FUTURE_SKEW
from schemas.phrases import Phrase, of_earlier, phrase
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, StayCode, plain_word, same_word
from services.gate.box import BEFORE, Box, ContainerFinding, Part, Permit, Report, Yes
from services.gate.reasons import WHY

SAME_EVENT = timedelta(hours=24)
"""Two reports of the same kind (of openings: at the same place, too), at most this far apart and with no other end or beginning of a
visit between them, are one event reported twice."""
SKEW = FUTURE_SKEW
"""By how much the clocks of terminals and desks may differ."""
SAME_CALL = timedelta(days=7)
"""If the same conveyance is named again after more than this time, the conveyance has come on another call."""
OPENINGS = (EquipmentEvent.DISCHARGED, EquipmentEvent.GATED_IN)
"""The events that open a visit."""
_RANK = {
    EquipmentEvent.DISCHARGED: 0,
    EquipmentEvent.GATED_IN: 0,
    EquipmentEvent.GATED_OUT: 3,
    EquipmentEvent.LOADED: 3,
}
"""The order of events that have the same time: openings, arrivals of goods (1), events inside (2), departures, findings (4)."""
_Event = tuple[datetime, int, bool, datetime, str, Report | Part | ContainerFinding]
"""Event time, rank, whether the event is an opening of an empty box, recorded time, the id of the event, and the event itself."""
How = Literal["", "gated_out", "loaded", "left_empty", "departure_not_reported", "came_back_empty", "finding", "stray"]
"""How a visit ended; empty while it is open. `stray`: a departure was reported for which no visit is known."""


@dataclass(slots=True)
class Visit:
    """One stay. `opening`: the report that opened or confirmed it; None if the visit is known only by an arrival of
    goods, or is the visit `BEFORE`.

    `openings`, `departures`: all reports of its opening and of its departure, the earliest event time first.
    `left_laden`: if one report says that the container left empty and another report of the same departure does not,
    what the other report says; else empty (`_combine_departures`). `allowed`: the consignments that the gate's answer
    let out when the visit ended; None: the answer was no. `stripped`: when the box was last stripped. `stuffings`: the
    reports of goods put into the box during the visit. `transfers`: the reports of goods stripped from it into other
    containers.
    """

    id: str
    opened: datetime
    opening: Report | None = None
    conveyance: str = ""
    closed: datetime | None = None
    how: How = ""
    closing: Report | None = None
    stripped: datetime | None = None
    parts: list[Part] = field(default_factory=list)
    allowed: frozenset[str] | None = None
    stuffings: list[Report] = field(default_factory=list)
    transfers: list[Report] = field(default_factory=list)
    openings: list[Report] = field(default_factory=list)
    departures: list[Report] = field(default_factory=list)
    left_laden: Literal["", "laden", "unknown"] = ""

    @property
    def open(self) -> bool:
        return not self.how

    @property
    def stuffed(self) -> datetime | None:
        """Returns when goods were last put into the box during this visit; None if they never were."""
        return self.stuffings[-1].at if self.stuffings else None

    @property
    def emptied(self) -> bool:
        """Returns whether the box was stripped in this visit, and not stuffed afterwards."""
        return self.stripped is not None and (self.stuffed is None or self.stuffed < self.stripped)

    @property
    def may_have_brought_goods(self) -> bool:
        """Returns whether the box may have been laden when it came, and was not stripped since."""
        return self.opening is not None and self.opening.laden is not False and self.stripped is None

    @property
    def is_known_laden(self) -> bool:
        """Returns whether somebody reported goods in the box, on its arrival or when it was stuffed here, and nobody reported that they were
        taken out."""
        came_laden = self.opening is not None and self.opening.laden is True and self.stripped is None
        return came_laden or (bool(self.stuffings) and not self.emptied)

    def went_elsewhere(self, part: Part) -> bool:
        """Returns whether these goods were in the box when it was stripped into others. Holds on the goods then count at those other
        containers."""
        return part.arrived_at is not None and any(part.arrived_at <= each.at for each in self.transfers)

    def taken_out(self, part: Part) -> bool:
        """Returns whether these goods left the box when it was stripped: they went into other containers, or were handed out as released. After
        the visit has ended, only a release that counted at that time matters. Otherwise each later statement of the release desk, which itself
        follows from how the goods left, would change how they left."""
        if self.went_elsewhere(part):
            return True
        if self.stripped is None:
            return False
        free = part.standing == "released" if self.closed is None else part.was_free(self.closed, SKEW)
        # Goods that were released when the box was stripped were handed out then. So they are not in the box again if
        # their release ended later.
        if not free and not part.was_free(self.stripped, SKEW):
            return False
        return self.emptied or (part.arrived_at is not None and part.arrived_at <= self.stripped)


@dataclass(slots=True)
class Alarm:
    """A case that a person must look at. `key` identifies it; `why`: a code of `reasons.WHY`; `waiting_for`: the consignments concerned;
    `blocks`: whether the container stays until an officer's finding settles the alarm."""

    alarm: str
    subject: str
    visit: str
    why: str
    at: datetime
    gate: str = ""
    report: str = ""
    waiting_for: tuple[str, ...] = ()
    blocks: bool = False

    @property
    def key(self) -> str:
        return f"{self.alarm}/{self.subject}"

    @property
    def reason(self) -> str:
        return WHY[self.why]


def subject_of(key: str) -> str:
    """Returns the subject of the alarm with this key: the report that it is about, or a consignment."""
    return key.partition("/")[2]


@dataclass(slots=True)
class Truth:
    """The result of `look`: the visits of a box, and what follows from them. `expected`: goods that are declared in the box and have not come
    yet.

    `retells`: report → the report of the same event that counts, if that is another one. For a departure it is the one with the earliest event
    time, for an opening the one that was recorded first, from which the visit has its id. `belongs`: report → visit. `doubtful`: goods that are
    not released and may be in the open visit, or may have left with an earlier one. `taken_back`: goods whose arrival this desk published and
    retracted, as long as no later statement of the release desk shows that it has read the retraction.
    """

    visits: list[Visit]
    expected: list[Part]
    retells: dict[str, str]
    belongs: dict[str, str]
    alarms: list[Alarm] = field(default_factory=list)
    doubtful: list[Part] = field(default_factory=list)
    taken_back: frozenset[str] = frozenset()

    @property
    def current(self) -> Visit | None:
        return self.visits[-1] if self.visits and self.visits[-1].open else None


def look(box: Box) -> Truth:
    """Returns the visits of this box, the goods in each, and the alarms."""
    truth = _Walk(box).walk()
    if taken_back := _arrivals_taken_back(box, truth):
        box = replace(box, parts=tuple([_not_here(p) if p.consignment_id in taken_back else p for p in box.parts]))
        truth = _Walk(box).walk()
        truth.taken_back = taken_back
    _place_unarrived(box, truth)
    if truth.current is not None:
        now = truth.current
        now.parts = [_held_for(p, "came_with_another") if _came_with_another(p, now) else p for p in now.parts]
    for visit in truth.visits:
        visit.allowed = _allowed(box, visit)
        if visit.how == "left_empty" and visit.left_laden:
            _end_as_laden(box, visit)
        truth.alarms.extend(_alarms(box, visit))
    truth.doubtful.extend(_seen_inside(box, truth))
    return truth


def _seen_inside(box: Box, truth: Truth) -> list[Part]:
    """Returns goods that left lawfully and are held or refused now, if an officer found the container inside at most `SAME_EVENT` after their
    departure and before it came again. The report of the departure may be wrong, and the goods may still be in the container."""
    sightings = [(finding.at, finding.found) for finding in box.findings if not finding.void]
    parts: list[Part] = []
    for visit, following in pairwise([visit for visit in truth.visits if visit.how != "stray"]):
        assert visit.closed is not None, "another visit follows"
        between = [each for each in sightings if visit.closed <= each[0] < following.opened]
        inside = [at for at, where in between if where == "inside"]
        if inside and max(between)[1] == "inside" and min(inside) - visit.closed <= SAME_EVENT:
            parts += [p for p in visit.parts if _is_called_back(p) and departure_of(box, visit, p) == "out"]
    return parts if truth.current is not None else []


def _is_called_back(part: Part) -> bool:
    """Returns whether goods that have left are held or refused now."""
    return part.standing in ("held", "refused")


def _end_as_laden(box: Box, visit: Visit) -> None:
    """Changes the end of a visit from `left_empty` to `gated_out` in two cases: if an alarm about the departure of a
    laden container would block, or if goods are in the visit and a sender did not know whether the container was laden
    (`unknown`). Call it only if the reports of the departure disagree (`left_laden`)."""
    laden = replace(visit, how="gated_out")
    laden.allowed = _allowed(box, laden)
    with_goods = visit.left_laden == "unknown" and bool(visit.parts)
    if with_goods or any(alarm.blocks for alarm in _alarms(box, laden)):
        visit.how, visit.allowed = laden.how, laden.allowed


def has_retracted_opening(box: Box) -> bool:
    """Returns whether a discharge or a gate-in of this box was taken back or corrected. Reports of expected events do
    not count, because an expected event brings no goods."""
    return any(
        report.void and report.classifier is Classifier.ACTUAL and report.event in OPENINGS for report in box.reports
    )


def _arrivals_taken_back(box: Box, truth: Truth) -> frozenset[str]:
    """Returns the goods whose arrival this desk published because of an opening that no longer counts, if no other opening of their conveyance
    reports it. Goods that have left are not among them, because they had arrived."""
    if not has_retracted_opening(box):
        return frozenset()
    return frozenset(
        part.consignment_id
        for visit in truth.visits
        for part in visit.parts
        if (visit.opening is None or same_word(part.conveyance, visit.conveyance) is False)
        and part.arrival_is_the_gates
        and part.standing != "withdrawn"
        and not part.published_departure
    )


def _not_here(part: Part) -> Part:
    """Returns the part without its arrival, which is retracted. If the part is released, it counts as held, because the
    release depends on the arrival."""
    away = replace(part, arrived_at=None)
    return _held_for(away, "terminal_took_back") if part.standing == "released" else away


def _came_with_another(part: Part, visit: Visit) -> bool:
    """Returns whether this import is released and reported as arrived during the visit, although the box was discharged from another
    conveyance than the declared one. One of the two reports must be wrong, so the release of the import does not count, whichever report has
    the earlier time."""
    opening = visit.opening
    if opening is None or opening.event is not EquipmentEvent.DISCHARGED or part.source or not _is_released(part):
        return False
    return same_word(part.conveyance, visit.conveyance) is False


def _held_for(part: Part, why: str) -> Part:
    """Returns the part as held for a reason that only this desk knows (a code of `schemas.codes.sentences`)."""
    return replace(part, standing="held", phrases=(phrase(why),))


def _opens_by(until: datetime, later: Iterable[_Event]) -> bool:
    """Returns whether one of these events (in the order of their times) is an opening or an arrival of goods, and not later than `until`."""
    return any(rank <= 1 for _, rank, *_ in takewhile(lambda event: event[0] <= until, later))


class _Walk:
    """Goes through the events in the order of their times. Events of the same time are ordered by their kind, and those of one kind by
    their recorded times: the one that was recorded first is the event, and the others repeat it. So the result does not depend on the order
    in which the desk reads them."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.truth = Truth([], [], {}, {})
        self.now: Visit | None = None
        self.early: list[Report] = []
        """Departures that have a time just before the opening of their visit, because the clock of their sender is
        behind."""
        if box.before:
            self.now = self._begin(Visit(BEFORE, FIRST))

    def walk(self) -> Truth:
        box = self.box
        happened: list[_Event] = [
            (r.at, _RANK.get(r.event, 2), r.event in OPENINGS and r.laden is False, r.heard, r.id, r)
            for r in box.reports
            if r.counts
        ]
        for part in box.parts:
            if part.consignment_id not in box.struck and part.consignment_id not in box.gone:
                if part.arrived_at is not None:
                    happened.append((part.arrived_at, 1, False, part.arrived_at, part.consignment_id, part))
        happened += [(f.at, 4, False, f.at, f.id, f) for f in box.findings if f.found == "outside" and not f.void]
        happened.sort(key=lambda each: each[:5])
        for number, (at, _, _, _, _, what) in enumerate(happened):
            match what:
                case Report():
                    self._report(what, self.now is None and _opens_by(at + SKEW, islice(happened, number + 1, None)))
                case Part():
                    self._arrival(what, at)
                case ContainerFinding():
                    if self.now is not None:
                        self._end(at, "finding", None)
            goes_on = [(then, rank) for then, rank, *_ in happened[number + 1 : number + 2] if then == at and rank <= 1]
            # the departures in `early` wait until every opening and arrival of this moment is handled, so that all goods that arrive at
            # this moment leave with the box
            while self.early and self.now is not None and not goes_on:
                self._departure(self.early.pop(0), False)
        for visit in self.truth.visits:
            self._keep_as_first_told(visit)
            _combine_departures(visit)
        return self.truth

    def _keep_as_first_told(self, visit: Visit) -> None:
        """Handles a visit whose opening was reported more than once. The visit gets the id of the report that was recorded first. Of the other
        data the stricter counts: the earliest event time, the earliest recorded time, and laden if one report says so."""
        opening = visit.opening
        if opening is None or len(visit.openings) < 2:
            return
        first = min(visit.openings, key=lambda report: (report.heard, report.id))
        for report in visit.openings:
            self.truth.retells[report.id] = first.id
        del self.truth.retells[first.id]
        contradicted = opening.laden is False and any(report.laden for report in visit.openings)
        visit.opening = replace(opening, heard=first.heard, laden=None if contradicted else opening.laden)
        if visit.id == opening.id:
            belongs = self.truth.belongs
            belongs.update({report: first.id for report, where in belongs.items() if where == visit.id})
            visit.id = first.id

    def _begin(self, visit: Visit) -> Visit:
        self.truth.visits.append(visit)
        return visit

    def _end(self, at: datetime, how: How, report: Report | None) -> None:
        assert self.now is not None, "a visit is open"
        self.now.closed, self.now.how, self.now.closing = at, how, report
        self.now.departures = [report] if report and report.event not in OPENINGS else []
        self.now = None

    def _report(self, report: Report, opening_follows: bool) -> None:
        match report.event:
            case EquipmentEvent.DISCHARGED | EquipmentEvent.GATED_IN:
                self._opening(report)
            case EquipmentEvent.GATED_OUT | EquipmentEvent.LOADED:
                self._departure(report, opening_follows)
            case EquipmentEvent.STRIPPED | EquipmentEvent.STUFFED | EquipmentEvent.MOVED:
                if self.now is not None:
                    if report.event is EquipmentEvent.STRIPPED:
                        self.now.stripped = report.at
                        if report.targets:
                            self.now.transfers.append(report)
                    elif report.event is EquipmentEvent.STUFFED:
                        self.now.stuffings.append(report)
        if report not in self.early and self.truth.visits:
            self.truth.belongs.setdefault(report.id, self.truth.visits[-1].id)

    def _opening(self, report: Report) -> None:
        now = self.now
        if now is not None and now.id != BEFORE:
            first, since = now.opening, report.at - now.opened
            if first is None:
                named = [same_word(p.conveyance, report.conveyance) for p in now.parts]
                if (since <= SAME_EVENT and set(named) - {False}) or (since <= SAME_CALL and True in named):
                    now.opening, now.conveyance, now.openings = report, report.conveyance, [report]
                    # The visit is open already, because goods arrived before this report. The report becomes the opening of this visit.
                    return
            elif since <= SAME_EVENT:
                again = (first.event, plain_word(first.place)) == (report.event, plain_word(report.place))
                if again and same_word(now.conveyance, report.conveyance) is not False:
                    now.openings.append(report)
                    now.conveyance = report.conveyance or now.conveyance
                    before = self.truth.visits[-2] if len(self.truth.visits) > 1 else None
                    if report.laden and before is not None and before.how == "came_back_empty":
                        before.how = "departure_not_reported"
                    return
        if now is not None:
            empty = report.laden is False and all(p.was_free(report.at, SKEW) for p in now.parts)
            self._end(report.at, "came_back_empty" if empty else "departure_not_reported", report)
        self.now = self._begin(Visit(report.id, report.at, report, report.conveyance, openings=[report]))

    def _arrival(self, part: Part, at: datetime) -> None:
        now = self.now
        if now is None:
            now = self.now = self._begin(Visit(f"arrival/{part.consignment_id}", at))
        now.parts.append(part)

    def _departure(self, report: Report, opening_follows: bool) -> None:
        out = report.event is EquipmentEvent.GATED_OUT
        if self.now is not None:
            empty = out and (report.laden is False or (report.laden is None and self.now.emptied))
            self.truth.belongs[report.id] = self.now.id
            at = max(report.at, self.now.opened)
            self._end(at, "left_empty" if empty else "gated_out" if out else "loaded", report)
            return
        last = self.truth.visits[-1] if self.truth.visits else None
        if last is not None and last.closed is not None and report.at - last.closed <= SAME_EVENT:
            if last.how == "finding":
                self.truth.belongs[report.id] = last.id
                # an officer found the box outside before the time of this report, so the visit has already ended
                return
            if last.closing is not None and last.closing.event is report.event:
                self.truth.retells[report.id] = last.closing.id
                last.departures.append(report)
                return
        if opening_follows:
            self.early.append(report)
        elif report.laden is not False or not out or self.box.was_held(report.at):
            stray = self._begin(Visit(report.id, report.at, closed=report.at, how="stray", closing=report))
            self.truth.belongs[report.id] = stray.id


def _combine_departures(visit: Visit) -> None:
    """Decides from all reports of a departure whether the container left empty, whichever of them has the earlier event time. A report without
    `laden` is completed by another one of the same sender. Otherwise its sender did not know whether the container was
    laden. Then another sender who reports the container as empty may be wrong, except in two cases: the container had
    come empty and nothing is known to be in it, or it was stripped."""
    laden = [False if each.laden is None and visit.emptied else each.laden for each in visit.departures]
    if visit.how not in ("gated_out", "left_empty") or False not in laden or laden[0] is True:
        return
    visit.how = "left_empty"
    empty_for = {each.sender for each, state in zip(visit.departures, laden, strict=True) if state is False}
    came_empty = visit.opening is not None and visit.opening.laden is False and not visit.stuffings and not visit.parts
    if True in laden:
        visit.left_laden = "laden"
    elif not came_empty and any(each.sender not in empty_for for each in visit.departures):
        visit.left_laden = "unknown"


def _place_unarrived(box: Box, truth: Truth) -> None:
    """Puts goods whose arrival nobody reported into the first visit to which they may belong, or among the `expected` ones. Goods that are not
    released and may also be in the open visit become `doubtful`, too, unless it is certain that they belonged to the
    earlier visit. Expected goods that the container may have brought when it came again during the open visit
    (`_perhaps_came_again`) become `doubtful`, too."""
    now = truth.current
    again = _perhaps_came_again(box, now) if now is not None else []
    for part in box.parts:
        if part.arrived_at is not None or part.consignment_id in box.struck or part.consignment_id in box.gone:
            continue
        visit = next((v for v in truth.visits if _may_be_in(part, v)), None)
        visit = visit or next((v for v in reversed(truth.visits) if _was_in(part, v)), None)
        (visit.parts if visit else truth.expected).append(part)
        if visit is None and any(_perhaps_brought(each, part) for each in again):
            truth.doubtful.append(part)
        if visit is None or now is None or visit is now or part.standing in ("released", "withdrawn"):
            continue
        sure = part.published_arrival == visit.id or same_word(part.conveyance, visit.conveyance) is True
        if not sure and _may_be_in(part, now):
            truth.doubtful.append(part)


def _may_be_in(part: Part, visit: Visit) -> bool:
    if part.standing == "withdrawn" and part.stated_at < visit.opened:
        return False  # the goods were withdrawn before the box came
    if same_word(part.conveyance, visit.conveyance) is False and not _came_too(part, visit):
        return False
    if visit.closed is None:
        return True
    unknown = visit.left_laden == "unknown"
    if visit.how in ("departure_not_reported", "came_back_empty") or (visit.how == "left_empty" and not unknown):
        return False  # the goods may come with the next visit, so they count as goods of that visit
    return part.since <= visit.closed


def _came_too(part: Part, visit: Visit) -> bool:
    """Returns whether other goods of the same conveyance arrived in this visit, although the terminal reported the visit with another
    conveyance. Then the box came a second time without a report, and these goods may be in it as well."""
    return any(p.arrived_at is not None and same_word(p.conveyance, part.conveyance) for p in visit.parts)


def _was_in(part: Part, visit: Visit) -> bool:
    """Returns whether a declaration that was lodged after the departure names the call (`SAME_CALL`) with which this container had come."""
    if visit.closed is None or visit.how not in ("gated_out", "loaded", "finding") or part.since <= visit.closed:
        return False
    return same_word(part.conveyance, visit.conveyance) is True and part.since - visit.closed <= SAME_CALL


# departures and alarms


def departure_of(box: Box, visit: Visit, part: Part) -> str:
    """Returns how this consignment left with the visit: `out`, `left` (without release), or an empty text if it did not leave.

    `out`: the gate's answer let it out, or it was permitted or released at that time. A later statement or permit does not change how it left.
    """
    if visit.open or (part.standing == "withdrawn" and (part.arrived_at is None or _stands(visit, part))):
        return ""
    assert visit.closed is not None, "it is closed"
    if visit.taken_out(part):
        return ""
    if visit.how in ("left_empty", "came_back_empty") and not part.was_free(visit.closed, SKEW):
        return "left" if part.arrived_at is not None else ""
    if visit.how == "departure_not_reported" and part.arrived_at is None:
        return ""
    if visit.allowed is not None and part.consignment_id in visit.allowed:
        return "out"
    if part.since > visit.closed + SKEW:
        return "left"  # the goods were declared after the box had left, so they left without release
    if _was_permitted(box, part, visit.closed):
        return "out"
    wrong_way = Direction.IMPORT if visit.how == "loaded" else Direction.EXPORT
    if visit.how in ("gated_out", "left_empty", "finding", "loaded") and part.direction is wrong_way:
        return "left"
    if part.was_free(visit.closed, SKEW):
        return "out"
    return "left"


def _stands(visit: Visit, withdrawn: Part) -> bool:
    """Returns whether another declaration stands for the same lot."""
    bill = plain_word(withdrawn.bill)
    return bool(bill) and any(plain_word(p.bill) == bill and p.standing != "withdrawn" for p in visit.parts)


def _allowed(box: Box, visit: Visit) -> frozenset[str] | None:
    """Returns the consignments that the gate's answer let out at the time of the departure; None if the answer was no."""
    if visit.how not in ("gated_out", "finding") or visit.closed is None:
        return None
    inside = {p.consignment_id for p in visit.parts}
    given = [yes.consignments for yes in box.yes if _covers(yes, visit, visit.closed, inside)]
    return frozenset([name for names in given for name in names]) if given else None


def _covers(yes: Yes, visit: Visit, at: datetime, inside: set[str]) -> bool:
    if yes.visit != visit.id and not inside & set(yes.consignments):
        return False
    return yes.since - SKEW <= at and (yes.until is None or at < yes.until)


def _permits(box: Box, part: Part) -> list[Permit]:
    """Returns the permits that let this part leave through the land gate now. A later statement that the part must stay ends a permit."""
    return [permit for permit in _given(box, part) if _end_of(permit, part) is None]


def _was_permitted(box: Box, part: Part, at: datetime) -> bool:
    """Returns whether an officer's permit let this part leave at that moment. A later statement does not change how it left."""
    ends = [(permit.at - SKEW, _end_of(permit, part)) for permit in _given(box, part)]
    return any(since <= at and (until is None or at <= until) for since, until in ends)


def _given(box: Box, part: Part) -> list[Permit]:
    """Returns every permit for this part whose ground fits its direction. A cancelled export is a ground for exports only."""
    return [
        permit
        for permit in box.permits
        if permit.consignment_id == part.consignment_id
        and (permit.ground is not ExitGround.EXPORT_CANCELLED or part.direction is Direction.EXPORT)
    ]


def _end_of(permit: Permit, part: Part) -> datetime | None:
    """Returns when the permit ended; None while it counts. A record of an older software version has no `until`, so the release desk's latest
    statement decides."""
    if permit.until is None and part.standing in ("held", "refused") and part.version > permit.version:
        return part.stated_at
    return permit.until


def _alarms(box: Box, visit: Visit) -> Iterable[Alarm]:
    if visit.closed is None:
        return
    outcome = {p.consignment_id: departure_of(box, visit, p) for p in visit.parts}
    late = {p.consignment_id for p in visit.parts if p.since > visit.closed + SKEW}
    left = tuple([name for name, how in outcome.items() if how == "left" and name not in late])
    for name in sorted(late):
        yield _alarm(visit, "left_undeclared", "declared_after", (name,), about=name)
    yield from _of_departure(box, visit, left, outcome)
    for part in visit.parts:
        if _is_called_back(part) and outcome[part.consignment_id] == "out" and not _permits(box, part):
            name = part.consignment_id
            yield _alarm(visit, "held_outside", "held_after", (name,), about=name)


def _of_departure(box: Box, visit: Visit, left: tuple[str, ...], outcome: dict[str, str]) -> list[Alarm]:
    """Returns the alarms about how the visit ended. If the container left in any way while an officer held it, at least
    one of the alarms blocks. This does not apply to a visit that an officer's finding ended. `left`: the consignments
    that left without release; `outcome`: consignment → the result of `departure_of`, for all parts of the visit."""
    assert visit.closed is not None, "it is closed"
    alarms: list[Alarm] = []
    held = visit.how != "finding" and box.was_held(visit.closed)
    match visit.how:
        case "gated_out":
            alarms += _gated_out(box, visit, left)
        case "loaded":
            alarms += _loaded(visit, left)
        case "stray":
            if left or (visit.closing is not None and visit.closing.event is EquipmentEvent.GATED_OUT):
                why = "departure_outside"
                alarms.append(_alarm(visit, "left_undeclared", why, left, blocks=bool(left) or held))
        case "left_empty":
            if left or (not visit.parts and visit.is_known_laden):
                why = "empty_laden" if left else "left_undeclared"
                alarms.append(_alarm(visit, "empty_left_laden", why, left, blocks=bool(left)))
        case "departure_not_reported" | "came_back_empty":
            known = visit.how == "departure_not_reported" and (visit.parts or visit.opening is not None)
            if known or held:
                # Nobody saw the box leave. So the alarm also names goods that were declared only after the departure,
                # because they may be in the box, too.
                inside = tuple([name for name, how in outcome.items() if how == "left"])
                blocks = bool(inside) or held
                alarms.append(_alarm(visit, "departure_not_reported", "came_again", inside, blocks=blocks))
        case "finding" | "":
            pass
    if held and not any(alarm.blocks for alarm in alarms):
        names = tuple([part.consignment_id for part in visit.parts])
        against = _alarm(visit, "left_unreleased", "left_against_no", names, blocks=True)
        return [*[alarm for alarm in alarms if alarm.key != against.key], against]
    return alarms


def _gated_out(box: Box, visit: Visit, left: tuple[str, ...]) -> Iterable[Alarm]:
    if left:
        early = all(p.standing == "released" for p in visit.parts if p.consignment_id in left)
        why = "left_before" if early else "left_unreleased"
        yield _alarm(visit, "left_unreleased", why, left, blocks=True)
    elif not visit.parts:
        blocks = visit.opening is not None and visit.opening.laden is not False
        yield _alarm(visit, "left_undeclared", "left_undeclared", (), blocks=blocks)
    elif visit.allowed is None:
        names = tuple([p.consignment_id for p in visit.parts])
        yield _alarm(visit, "left_unreleased", "left_against_no", names, blocks=True)


def _loaded(visit: Visit, left: tuple[str, ...]) -> Iterable[Alarm]:
    if left:
        yield _alarm(visit, "left_unreleased", "loaded_unreleased", left, blocks=True)
        return
    from_land = visit.opening is not None and visit.opening.event is EquipmentEvent.GATED_IN
    if from_land and visit.is_known_laden and not visit.parts:
        yield _alarm(visit, "left_undeclared", "left_undeclared", ())
        return
    aboard = visit.closing.conveyance if visit.closing else ""
    others = tuple([p.consignment_id for p in visit.parts if same_word(p.conveyance, aboard) is False])
    if others:
        why = "other_conveyance"
        yield _alarm(visit, "left_unreleased", why, others)


def _alarm(
    visit: Visit, alarm: str, why: str, waiting_for: tuple[str, ...], about: str = "", blocks: bool = False
) -> Alarm:
    """Returns an alarm about the end of a visit or, if `about` is given, about one consignment in it."""
    assert visit.closed is not None, "it is closed"
    report_id = visit.closing.id if visit.closing and not about else ""
    gate = visit.closing.place if visit.closing else ""
    return Alarm(alarm, about or report_id, visit.id, why, visit.closed, gate, report_id, waiting_for, blocks)


def unsettled(box: Box, truth: Truth) -> list[Alarm]:
    """Returns the alarms that keep the box inside until an officer's finding settles them. A finding that was a mistake settles none."""
    settled = {key for finding in box.findings if not finding.void for key in finding.settled}
    return [alarm for alarm in truth.alarms if alarm.blocks and alarm.key not in settled]


def strikes_ended(box: Box, truth: Truth) -> tuple[str, ...]:
    """Returns the consignments that were struck off for one visit of the container and have come in the container in a
    later visit.

    A strike is for the visit that was open when the officer gave it, or for the next visit if none was open. After the
    end of that visit the goods may come in the container after all. They have come if their arrival in it was reported,
    or if the container came with the conveyance that their declaration names.
    """
    if not box.struck_at:
        return ()
    ends = sorted([visit.closed for visit in truth.visits if visit.closed is not None])
    found: list[str] = []
    for part in box.parts:
        since = box.struck_at.get(part.consignment_id)
        end = next((each for each in ends if since is not None and each >= since), None)
        if end is None:
            continue
        if part.arrived_at is not None:
            came = part.arrived_at >= end
        else:
            later = [visit for visit in truth.visits if visit.opened >= end and part.standing != "withdrawn"]
            came = any(same_word(part.conveyance, visit.conveyance) is True for visit in later)
        if came:
            found.append(part.consignment_id)
    return tuple(found)


def itself_kept(box: Box, truth: Truth, visit: Visit, stripping: Report) -> bool:
    """Returns whether the container itself, and not only its goods, had to stay when this report of a stripping was
    recorded. The cause may be an officer's hold, an alarm about an earlier visit, or more goods than the record has
    room for."""
    if any(hold.at is None or hold.at <= stripping.heard for hold in box.holds) or box.waiting:
        return True
    earlier = {each.id for each in truth.visits[: truth.visits.index(visit)]}
    return (box.overfull and visit.open) or any(alarm.visit in earlier for alarm in unsettled(box, truth))


# the answer


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
    if box.holds:
        return no(StayCode.BOX_HELD, phrase("box_held", words=box.holds[0].reason), keepers=keepers)
    if box.waiting:
        return no(StayCode.ALARM, phrase("earlier_alarm"), keepers=keepers)
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
    when the container comes back. It is spent if it was given before the event time of the end of a visit, or before
    that end was reported. But a permit that was given after that event time, when the open visit was already known, is
    for the open visit."""
    if not box.permits or truth.current is None:
        return box
    now = truth.current
    known = now.opening.heard if now.opening and now.opening.at == now.opened else now.opened
    ends = [visit.closed for visit in truth.visits if visit.closed is not None]
    reported = [visit.closing.heard for visit in truth.visits if visit.closing is not None]
    spent = max([box.forgotten or FIRST, *ends, *[min(each, known) for each in reported]])
    return replace(box, permits=tuple([permit for permit in box.permits if permit.at > spent]))


def _lot(part: Part) -> str:
    """Returns the key of the lot that a declaration is about: its bill, which more than one declaration may name; without a bill, the
    consignment's id."""
    return plain_word(part.bill) or part.consignment_id


def _perhaps_came_again(box: Box, visit: Visit) -> list[Report]:
    """Returns the openings with which the box may have come again, laden, during this visit, in the order of their
    times. A finding `inside` of an officer made such an opening void, or made the departure or the finding `outside`
    before it void. So this visit goes on. But the officer would also have found the container inside if it had left and
    come again."""
    if not box.findings:  # nearly every box has no findings
        return []
    wrong = {name for f in box.findings if not f.void for name in (*f.voided, *map(subject_of, f.settled))}
    found_wrong = [r for r in box.reports if r.void and r.id in wrong]
    if any(f.found == "inside" and f.settled and not f.voided and not f.void for f in box.findings) and found_wrong:
        # In a record of an older software version, a finding names only the reports whose alarms it settled. It may have made later reports void,
        # too.
        first = min([r.at for r in found_wrong])
        found_wrong = [r for r in box.reports if r.void and r.at >= first]
    # Clocks differ. By its reported time, a departure may have been before the opening of its visit, or after the opening of the next visit.
    left = [r.at for r in found_wrong if r.event not in OPENINGS and r.at >= visit.opened - SKEW]
    left += [f.at for f in box.findings if f.found == "outside" and f.void and not f.retracted and f.at >= visit.opened]
    openings = [r for r in box.reports if r.event in OPENINGS and r.laden is not False and r.at > visit.opened]
    came = [r for r in openings if r in found_wrong or (r.counts and any(at - r.at <= SKEW for at in left))]
    return sorted(came, key=lambda r: (r.at, r.id))


def _named_for(opening: Report, part: Part) -> bool:
    """Returns whether these goods are declared for the call of the conveyance from which the box was discharged at this opening."""
    if opening.event is not EquipmentEvent.DISCHARGED or same_word(part.conveyance, opening.conveyance) is not True:
        return False
    return part.arrived_at is None or part.arrived_at - SAME_CALL <= opening.at <= part.arrived_at + SAME_CALL


def _perhaps_brought(opening: Report, part: Part) -> bool:
    """Returns whether the box may have brought these goods, whose arrival nobody reported, at this opening. Goods that were withdrawn
    before it were not in it."""
    if part.standing == "withdrawn" and part.stated_at < opening.at:
        return False
    return not part.source and same_word(part.conveyance, opening.conveyance) is not False


def _perhaps_others(box: Box, visit: Visit, inside: list[Part]) -> Phrase | None:
    """Returns why other goods than the declared ones may be in a box that may have come again during this visit; None if they cannot.

    It is not known with which of the openings the box came as it is now. So each of them is checked. The goods of an
    opening are those that arrived between it and the next one, or that are declared for its call. As many lots of these
    goods must be declared as their declarations state, and at least one."""
    again = _perhaps_came_again(box, visit)
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


def _arrived(part: Part, since: datetime, until: datetime | None) -> bool:
    return part.arrived_at is not None and since <= part.arrived_at and (until is None or part.arrived_at < until)


def _too_few(parts: list[Part], at_least: int) -> bool:
    """Returns whether these are fewer lots than their declarations state, or than `at_least`."""
    return len({_lot(part) for part in parts}) < max([part.shared_by for part in parts], default=at_least)


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
    permitted = tuple([p.consignment_id for p in going if not _is_released(p)])
    return Answer(True, (), tuple([p.consignment_id for p in going]), permitted=permitted)


def _needed(inside: list[Part]) -> int:
    """Returns how many lots there must be. For each declaration this is the number of lots that it states, plus the known lots of other
    conveyances, because those came with an earlier visit whose end nobody reported. The largest of these sums is returned."""
    by_call: dict[str, set[str]] = {}
    for part in inside:
        by_call.setdefault(plain_word(part.conveyance), set()).add(_lot(part))
    calls = [call for call in by_call if call]
    others = {call: len(set[str]().union(*[by_call[each] for each in calls if each != call])) for call in calls}
    return max(
        [p.shared_by + others.get(plain_word(p.conveyance), 0) for p in inside if p.standing != "withdrawn"], default=0
    )


def lots_in(visit: Visit) -> int:
    """Returns how many lots are, or may be, in this visit: the number that the declarations state, or the number of
    known lots if that is higher; at least 1."""
    here = [part for part in visit.parts if not _leaves_nothing(part)]
    known = {_lot(part) for part in here}
    return max(_needed(here), len(known), 1)


def counted(box: Box, visit: Visit) -> int | None:
    """Returns how many lots an officer last counted in this visit, after goods were last put in and after the box may have come again;
    None if nobody counted."""
    put_in = [part.arrived_at for part in visit.parts if part.source and part.arrived_at is not None]
    came = [opening.at for opening in _perhaps_came_again(box, visit)]
    since = max([visit.stuffed or visit.opened, *put_in, *came])
    findings = [f for f in sorted(box.findings, key=lambda f: f.at) if f.at >= since and not f.retracted]
    counts = [f.lots for f in findings if f.lots is not None]
    return counts[-1] if counts else None


def _leaves_nothing(part: Part) -> bool:
    """Returns whether no goods of this part are in the box, because the release desk named the box only for a stripping that was taken
    back. If a declaration is withdrawn while this visit is open, its goods stay in the box, whether or not their arrival was reported. A
    part that was withdrawn before is in no visit (`_may_be_in`)."""
    return part.standing == "withdrawn" and part.arrived_at is None and bool(part.source)


def _may_go(box: Box, part: Part) -> bool:
    return _is_released(part) or bool(_permits(box, part))


def _is_released(part: Part) -> bool:
    """Returns whether the part has a release that opens the land gate. The release of an import does, that of an export does not."""
    return part.standing == "released" and part.direction is Direction.IMPORT


def _why(part: Part) -> tuple[Phrase, ...]:
    if part.standing == "released":
        return (phrase("export_by_loading"),)
    return part.phrases or (of_earlier(part.reason or part.standing),)
