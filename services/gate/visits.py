"""Which visits did a container make, which goods were in it each time, and how did each visit end?

All of this is computed only from the record of the box, and the order in which its messages arrived does not matter. If it is not certain to
which visit a statement belongs, a hold counts for every visit that is possible, and a release for none.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice, pairwise, takewhile

from schemas.bounds import FIRST
from schemas.phrases import phrase
from schemas.vocabulary import Classifier, EquipmentEvent, plain_word, same_word
from services.gate.box import BEFORE, Box, ContainerFinding, Part, Report
from services.gate.departures import (
    alarms_of,
    allowed_by_answer,
    departure_of,
    is_called_back,
    is_released,
)
from services.gate.truth import OPENINGS, SAME_CALL, SAME_EVENT, SKEW, How, Truth, Visit, subject_of

_RANK = {
    EquipmentEvent.DISCHARGED: 0,
    EquipmentEvent.GATED_IN: 0,
    EquipmentEvent.GATED_OUT: 3,
    EquipmentEvent.LOADED: 3,
}
"""The order of events that have the same time: openings, arrivals of goods (1), events inside (2), departures, findings (4)."""
_Event = tuple[datetime, int, bool, datetime, str, Report | Part | ContainerFinding]
"""Event time, rank, whether the event is an opening of an empty box, recorded time, the id of the event, and the event itself."""


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
        visit.allowed = allowed_by_answer(box, visit)
        if visit.how == "left_empty" and visit.left_laden:
            _end_as_laden(box, visit)
        truth.alarms.extend(alarms_of(box, visit))
    truth.doubtful.extend(_perhaps_still_inside(box, truth))
    return truth


def _perhaps_still_inside(box: Box, truth: Truth) -> list[Part]:
    """Returns goods that left lawfully and are held or refused now, if an officer found the container inside at most `SAME_EVENT` after their
    departure and before it came again. The report of the departure may be wrong, and the goods may still be in the container."""
    sightings = [(finding.at, finding.found) for finding in box.findings if not finding.void]
    parts: list[Part] = []
    for visit, following in pairwise([visit for visit in truth.visits if visit.how != "stray"]):
        assert visit.closed is not None, "another visit follows"
        between = [each for each in sightings if visit.closed <= each[0] < following.opened]
        inside = [at for at, where in between if where == "inside"]
        if inside and max(between)[1] == "inside" and min(inside) - visit.closed <= SAME_EVENT:
            parts += [p for p in visit.parts if is_called_back(p) and departure_of(box, visit, p) == "out"]
    return parts if truth.current is not None else []


def _end_as_laden(box: Box, visit: Visit) -> None:
    """Changes the end of a visit from `left_empty` to `gated_out` in two cases: if an alarm about the departure of a
    laden container would block, or if goods are in the visit and a sender did not know whether the container was laden
    (`unknown`). Call it only if the reports of the departure disagree (`left_laden`)."""
    laden = replace(visit, how="gated_out")
    laden.allowed = allowed_by_answer(box, laden)
    with_goods = visit.left_laden == "unknown" and bool(visit.parts)
    if with_goods or any(alarm.blocks for alarm in alarms_of(box, laden)):
        visit.how, visit.allowed = laden.how, laden.allowed


def has_retracted_opening(box: Box) -> bool:
    """Returns whether a discharge or a gate-in of this box was taken back or corrected. Reports of expected events do
    not count, because an expected event brings no goods."""
    return any(
        report.void and report.classifier is Classifier.ACTUAL and report.event in OPENINGS for report in box.reports
    )


def _arrivals_taken_back(box: Box, truth: Truth) -> frozenset[str]:
    """Returns the goods whose arrival this desk published because of an opening that no longer counts, if no other opening of their conveyance
    reports it: an opening more than `SAME_EVENT` from the time that was published is another event. Goods that have left are
    not among them, because they had arrived. It proves nothing that the container came again, if nobody reported that it
    left."""
    if not has_retracted_opening(box):
        return frozenset()
    return frozenset(
        part.consignment_id
        for visit in truth.visits
        for part in visit.parts
        if part.arrival_is_the_gates
        and not _reports_arrival(visit, part)
        and part.standing != "withdrawn"
        and not (part.published_departure and _departure_is_reported(visit))
    )


def _reports_arrival(visit: Visit, part: Part) -> bool:
    assert part.arrived_at is not None, "it is the gate's"
    if visit.opening is None or same_word(part.conveyance, visit.conveyance) is False:
        return False
    first, last = part.arrived_at - SAME_EVENT, part.arrived_at + SAME_EVENT
    return any(first <= report.at <= last for report in visit.openings)


def _departure_is_reported(visit: Visit) -> bool:
    """Returns whether a report or a finding says that the container left."""
    return visit.closed is not None and visit.how not in ("departure_not_reported", "came_back_empty")


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
    if opening is None or opening.event is not EquipmentEvent.DISCHARGED or part.source or not is_released(part):
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
            self._merge_openings(visit)
            _combine_departures(visit)
        return self.truth

    def _merge_openings(self, visit: Visit) -> None:
        """Handles a visit whose opening was reported more than once. The visit gets the id of the report that was
        recorded first. It also gets the earliest event time and the earliest recorded time. If one report says that the
        container came empty and another that it came laden, `laden` is None."""
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
    (`perhaps_came_again`) become `doubtful`, too."""
    now = truth.current
    again = perhaps_came_again(box, now) if now is not None else []
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


def perhaps_came_again(box: Box, visit: Visit) -> list[Report]:
    """Returns the openings with which the box may have come again, laden, during this visit, in the order of their
    times. A finding `inside` of an officer made such an opening void, or made the departure or the finding `outside`
    before it void. So this visit goes on. But the officer would also have found the container inside if it had left and
    come again."""
    if not box.findings:  # most boxes have no findings
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


def _perhaps_brought(opening: Report, part: Part) -> bool:
    """Returns whether the box may have brought these goods, whose arrival nobody reported, at this opening. Goods that were withdrawn
    before it were not in it."""
    if part.standing == "withdrawn" and part.stated_at < opening.at:
        return False
    return not part.source and same_word(part.conveyance, opening.conveyance) is not False


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
