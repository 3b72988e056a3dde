"""Which facts follow if goods arrive, leave or go into other containers, or if that is taken back?"""

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.envelope import Fact, Hearing, event_time, refuse
from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerArrivalRetracted,
    ContainerArrived,
    DepartureRetracted,
    GoodsTransferred,
    TransferRetracted,
)
from schemas.phrases import phrase, quoted, reason
from schemas.release import ArrivalRecorded, ArrivalRetracted, ReleaseGranted, ReportArrival, RetractArrival
from services.release.arrivals import (
    BY_GATE,
    MOST_LANDINGS,
    adds_nothing,
    all_have_left,
    arrival_reported_by,
    arrived_whole,
    by_gate,
    named,
    standing_arrivals,
    too_many_landings,
    why_misfit,
)
from services.release.dossier import Dossier, Landing
from services.release.goods import Goods, Released, Withdrawn, officer_holds_of
from services.release.holds import add_evidence
from services.release.settling import settle
from services.release.statement import Statement
from services.release.transfers import arrived_since


def report_arrival(state: Goods, report: ReportArrival, hearing: Hearing) -> tuple[Fact, ...]:
    """Records that the goods, or a part of them, have arrived, whatever else holds them. A report that adds nothing is refused."""
    dossier = state.dossier
    known = [*[each.message_id for each in dossier.landings], *[each.wrong for each in dossier.retractions]]
    if hearing.message_id in (dossier.arrival_request, *known):
        return ()
    boxes = named(report.containers)
    at, disbelieved = event_time(report.occurred_at, hearing)
    landing = Landing(hearing.message_id, at, boxes, report.pieces)
    whole = not boxes and report.pieces is None
    if arrived_whole(dossier) is not None or (
        not whole and not why_misfit(dossier, landing) and adds_nothing(dossier, landing)
    ):
        return refuse(report, hearing, RefusalCode.ALREADY_ANSWERED, phrase("arrival_reported"))
    if isinstance(state, Withdrawn):
        return refuse(report, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
    if not whole:
        if fault := why_misfit(dossier, landing):
            return refuse(report, hearing, *fault)
        if too_many_landings(dossier, landing):
            return refuse(
                report, hearing, RefusalCode.TOO_MANY_REQUESTS, phrase("landings_known", count=len(dossier.landings))
            )
    arrived = ArrivalRecorded(
        consignment_id=report.consignment_id,
        occurred_at=at,
        place=shown(report.place, 100),
        reported_by=report.asked_by,
        containers=boxes,
        pieces=report.pieces,
        reported_for=shown(report.principal, 64),
        disbelieved_time=disbelieved,
    )
    return (arrived, *_settle_arrival(state, arrived, hearing))


def retract_arrival(state: Goods, request: RetractArrival, hearing: Hearing) -> tuple[Fact, ...]:
    """Takes back a wrong report of an arrival. Only its sender may do so. If an older software version recorded the report, the sender is not
    known; then everybody who may report arrivals may take it back, because that can only hold the goods. A report that a terminal made to the
    gate desk must be taken back there."""
    dossier = state.dossier
    if any(each.message_id == hearing.message_id for each in dossier.retractions):
        return ()
    if isinstance(state, Withdrawn):
        return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
    wrong = arrival_reported_by(dossier, request.wrong)
    if wrong is None and any(each.wrong == request.wrong for each in dossier.retractions):
        return refuse(
            request, hearing, RefusalCode.ALREADY_ANSWERED, phrase("counts_no_longer", report=request.wrong[:80])
        )
    if wrong is None or wrong.by_gate:
        return refuse(
            request, hearing, RefusalCode.ARRIVAL_UNKNOWN, phrase("no_report_of_arrival", report=request.wrong[:80])
        )
    if wrong.sender not in ("", shown(request.principal, 64)):
        return refuse(
            request, hearing, RefusalCode.NOT_THE_SENDER, phrase("told_by_another", report=request.wrong[:80])
        )
    if all_have_left(dossier, wrong):
        return refuse(request, hearing, RefusalCode.ALREADY_GATED_OUT, phrase("arrival_of_what_left"))
    if len(dossier.retractions) >= MOST_LANDINGS:
        why = phrase("arrivals_taken_back", count=len(dossier.retractions))
        return refuse(request, hearing, RefusalCode.TOO_MANY_REQUESTS, why)
    return _without_wrong_arrival(state, wrong, request.reason, request.asked_by, request.consignment_id, hearing)


def _without_wrong_arrival(
    state: Goods, wrong: Landing, remark: str, by: str, consignment: str, hearing: Hearing
) -> tuple[Fact, ...]:
    why = quoted(remark)
    retracted = ArrivalRetracted(
        consignment_id=consignment,
        occurred_at=hearing.at,
        wrong=wrong.message_id,
        reason=reason(why),
        retracted_by=shown(by, 64),
        phrases=(why,),
    )
    dossier = add_evidence(state.dossier, retracted, hearing.message_id)
    fact = retracted.model_copy(update=standing_arrivals(dossier))
    facts = settle(state, dossier, officer_holds_of(state), consignment, hearing)
    return (fact, *facts, *_arrivals_restated(state, dossier, facts, consignment, hearing))


def _arrivals_restated(
    state: Goods, dossier: Dossier, facts: tuple[Fact, ...], consignment: str, hearing: Hearing
) -> tuple[Fact, ...]:
    """Returns the statements to the gate desk about containers that stay released although a report of their arrival
    was taken back. They stay released because another report stands, with another time. The gate desk identifies
    arrivals by their time, and lets nothing out because of an arrival that was taken back, so it needs the other
    time."""
    if not isinstance(state, Released):
        return ()
    before, now, stated = arrived_since(state.dossier), arrived_since(dossier), {fact.key for fact in facts}
    other = [number for number, at in now.items() if before.get(number, at) != at and number not in stated]
    version = max([fact.version for fact in facts if isinstance(fact, ReleaseGranted)], default=state.version + 1)
    return Statement(consignment, state, dossier, hearing.at).released_still(tuple(other), version)


def retract_landing(state: Goods, fact: ContainerArrivalRetracted, hearing: Hearing) -> tuple[Fact, ...]:
    """Handles a terminal's retraction of the arrival of a container. The goods have then not arrived in it, unless another report says so."""
    if isinstance(state, Withdrawn):
        return ()
    dossier, landing = add_evidence(state.dossier, fact, hearing.message_id), by_gate(state.dossier, fact.container_no)
    if dossier is state.dossier:
        return ()
    facts = settle(state, dossier, officer_holds_of(state), fact.consignment_id, hearing)
    facts = (*facts, *_arrivals_restated(state, dossier, facts, fact.consignment_id, hearing))
    if landing is None:
        return facts
    why = phrase("terminal_took_back")
    retracted = ArrivalRetracted(
        consignment_id=fact.consignment_id,
        occurred_at=hearing.at,
        wrong=landing.message_id,
        reason=reason(why),
        retracted_by=BY_GATE,
        phrases=(why,),
        **standing_arrivals(dossier),
    )
    return (retracted, *facts)


def report_landing(state: Goods, fact: ContainerArrived, hearing: Hearing) -> tuple[Fact, ...]:
    """Records that the goods have arrived in a container, as a terminal reported to the gate desk, unless that is known already."""
    at, disbelieved = event_time(fact.occurred_at, hearing)
    boxes = named((fact.container_no,))
    landing = Landing(hearing.message_id, at, boxes, by_gate=True)
    dossier = state.dossier
    if isinstance(state, Withdrawn) or why_misfit(dossier, landing) or adds_nothing(dossier, landing):
        return ()
    if too_many_landings(dossier, landing):
        # the record has no room for this arrival now, so the arrival must be reported again
        return ()
    arrived = ArrivalRecorded(
        consignment_id=fact.consignment_id,
        occurred_at=at,
        place=shown(fact.place, 100) or "terminal",
        reported_by=BY_GATE,
        containers=boxes,
        disbelieved_time=disbelieved,
    )
    return (arrived, *_settle_arrival(state, arrived, hearing))


def _settle_arrival(state: Goods, arrived: ArrivalRecorded, hearing: Hearing) -> tuple[Fact, ...]:
    dossier = add_evidence(state.dossier, arrived, hearing.message_id)
    return settle(state, dossier, officer_holds_of(state), arrived.consignment_id, hearing)


def leave_or_transfer(
    state: Goods,
    fact: GoodsTransferred | TransferRetracted | ConsignmentGatedOut | ConsignmentLeftUnreleased | DepartureRetracted,
    hearing: Hearing,
) -> tuple[Fact, ...]:
    """Handles a departure, its retraction, or a transfer into other containers. Goods that left unreleased are held until the departure is taken
    back.

    Nothing is published if the goods are not assessed yet and nothing was published about them before. The message is
    kept and counts after the assessment.
    """
    dossier = add_evidence(state.dossier, fact, hearing.message_id)
    if isinstance(state, Withdrawn) or dossier is state.dossier or (dossier.terms is None and state.version == 0):
        return ()
    return settle(state, dossier, officer_holds_of(state), fact.consignment_id, hearing)
