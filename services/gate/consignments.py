"""Which facts does the gate desk publish under the key of each consignment in a container: that it arrived, left, was transferred, or
was declared again?"""

from collections.abc import Iterator

from schemas.bounds import shown
from schemas.envelope import Fact, Hearing
from schemas.gate import (
    MOST_SAME,
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    DepartureRetracted,
    GoodsTransferred,
    SameGoodsDeclared,
    TransferRetracted,
)
from schemas.vocabulary import same_word
from services.gate.box import Box, Part, Report
from services.gate.departures import departure_of, itself_kept
from services.gate.may_leave import lots_in
from services.gate.reasons import WHY
from services.gate.same_goods import RULE_SET, lodged_again
from services.gate.truth import Truth, Visit
from services.gate.visits import has_retracted_opening


def facts_of_consignments(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """Yields the facts about arrivals, departures and transfers that are not published yet, each under the key of its
    consignment."""
    placed = {p.consignment_id: (visit, p) for visit in truth.visits for p in visit.parts}
    for known in box.parts:
        visit, part = placed.get(known.consignment_id, (None, known))
        out = departure_of(box, visit, part) if visit else ""
        published, _, report = part.published_departure.partition("/")
        closing = visit.closing.id if visit and visit.closing else ""
        if published and published != out:
            yield DepartureRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=visit.id if visit else "",
                reason=WHY["departure_wrong"],
                why="departure_wrong",
            )
        if _arrival_is_taken_back(box, truth, part, visit):
            yield ContainerArrivalRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=part.published_arrival,
            )
        for wrong in _transfers_taken_back(box, part):
            yield TransferRetracted(
                consignment_id=part.consignment_id,
                occurred_at=hearing.at,
                container_no=container_no,
                visit=visit.id if visit else "",
                report_id=wrong,
            )
        if visit is None:
            continue
        if _arrival_is_unpublished(part, visit):
            assert visit.opening is not None, "a report tells of it"
            yield ContainerArrived(
                consignment_id=part.consignment_id,
                occurred_at=visit.opened,
                container_no=container_no,
                visit=visit.id,
                place=shown(visit.opening.place, 100),
            )
        if out == "out" and (published, report) != (out, closing):
            assert visit.closed is not None, "it left"
            yield ConsignmentGatedOut(
                consignment_id=part.consignment_id,
                occurred_at=visit.closed,
                container_no=container_no,
                released=True,
                visit=visit.id,
            )
        elif out == "left" and published != out:
            assert visit.closed is not None, "it left"
            why = _why_left(truth, part)
            yield ConsignmentLeftUnreleased(
                consignment_id=part.consignment_id,
                occurred_at=visit.closed,
                container_no=container_no,
                visit=visit.id,
                reason=WHY[why],
                why=why,
            )
        for stripping in _unpublished_transfers(part, visit):
            yield GoodsTransferred(
                consignment_id=part.consignment_id,
                occurred_at=stripping.at,
                container_no=container_no,
                visit=visit.id,
                targets=stripping.targets,
                lots=lots_in(visit),
                report_id=stripping.id,
                kept=itself_kept(box, truth, visit, stripping),
            )


def _arrival_is_taken_back(box: Box, truth: Truth, part: Part, visit: Visit | None) -> bool:
    """Returns whether the opening that was published as the arrival of these goods no longer counts, and no other
    opening takes its place."""
    stands = visit is not None and visit.opening is not None and visit.id == part.published_arrival
    if part.published_arrival and part.consignment_id in truth.taken_back and not stands:
        return True
    if not part.published_arrival or part.standing == "withdrawn" or (visit is not None and visit.opening is not None):
        return False
    if any(each.id == part.published_arrival and each.opening is not None for each in truth.visits):
        return False
    return has_retracted_opening(box)


def _transfers_taken_back(box: Box, part: Part) -> list[str]:
    """Returns the ids of the strippings that were published for these goods and whose reports no longer count."""
    void = {report.id for report in box.reports if report.void} if part.transferred else set()
    return [each for each in part.transferred if each in void]


def facts_of_same_goods(box: Box, truth: Truth, container_no: str, hearing: Hearing) -> Iterator[Fact]:
    """Yields the facts about declarations that stand for the same goods as another one. Each is published once, under the key of its
    consignment."""
    for again in lodged_again(box, truth):
        yield SameGoodsDeclared(
            consignment_id=again.part.consignment_id,
            occurred_at=hearing.at,
            container_no=container_no,
            others=again.others[:MOST_SAME],
            count=len(again.others),
            bill_no=shown(again.part.bill, 100),
            conveyance=shown(again.part.conveyance, 100),
            direction=again.part.direction,
            rule=again.rule,
            rule_set=RULE_SET,
        )


def _unpublished_transfers(part: Part, visit: Visit) -> list[Report]:
    """Returns the strippings into other containers that are not published for these goods yet. Goods that arrived after
    a stripping were not stripped. For the goods of a withdrawn declaration, no stripping is published, because the
    release desk states nothing more about it; instead an officer counts the lots in the other containers."""
    if part.standing == "withdrawn":
        return []
    came = part.arrived_at or visit.opened
    return [each for each in visit.transfers if came <= each.at and each.id not in part.transferred]


def _why_left(truth: Truth, part: Part) -> str:
    named = [alarm.why for alarm in truth.alarms if part.consignment_id in alarm.waiting_for]
    return named[0] if named else "found_outside"


def _arrival_is_unpublished(part: Part, visit: Visit) -> bool:
    """Returns whether the arrival of expected goods must be published. It is published even if the container has left
    again, because the statement about the goods is on another topic and may be read last. If the declaration was lodged
    after the report of the arrival, it must name the same conveyance, because otherwise the goods may come with a later
    visit of the container. The arrival is also published if the carrier has reported it before the terminal."""
    if part.published_arrival == visit.id or visit.opening is None or visit.opening.laden is False:
        return False
    if part.arrived_at is not None:
        return True
    return part.since <= visit.opening.heard or same_word(part.conveyance, visit.conveyance) is True
