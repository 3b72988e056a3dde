"""Which facts follow if an officer holds goods, lifts a hold, or takes a lifting back?"""

from dataclasses import replace

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.envelope import Fact, Hearing, refuse
from schemas.hold_ids import is_for_an_officer, of_officer, of_watch
from schemas.phrases import phrase, quoted
from schemas.release import LiftHold, LiftRetracted, PlaceHold, RetractLift
from schemas.vocabulary import Owner
from services.release.goods import Goods, Withdrawn, officer_holds_of
from services.release.holds import held_because
from services.release.settling import MOST_OFFICER_HOLDS, settle
from services.release.watches import Watching


def place_hold(state: Goods, request: PlaceHold, hearing: Hearing) -> tuple[Fact, ...]:
    """Places an officer's hold, with an id made from the request or from its watch. If the goods are released, the release is
    revoked. Refused goods are held, too, because the refusal may be taken back, and the hold must count then."""
    hold_id = of_watch(shown(request.watch_id, 200)) if request.watch_id else of_officer(hearing.message_id)
    if hold_id in state.lifted or any(h.hold_id == hold_id for h in state.stated):
        if not request.watch_id:
            return ()
        code = RefusalCode.WATCH_LIFTED if hold_id in state.lifted else RefusalCode.ALREADY_HELD
        return refuse(request, hearing, code, phrase("hold_known", hold=hold_id[:80]))
    if isinstance(hearing.shared, Watching) and request.watch_id in hearing.shared.ended:
        return refuse(request, hearing, RefusalCode.WATCH_LIFTED, phrase("hold_lifted", hold=request.watch_id[:80]))
    if isinstance(state, Withdrawn):
        return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
    if len(officer_holds_of(state)) >= MOST_OFFICER_HOLDS:
        return refuse(
            request, hearing, RefusalCode.TOO_MANY_HOLDS, phrase("holds_open_here", count=len(officer_holds_of(state)))
        )
    new = held_because(
        quoted(request.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officer_holds_of(state), new), request.consignment_id, hearing)


def lift_hold(state: Goods, request: LiftHold, hearing: Hearing) -> tuple[Fact, ...]:
    """Lifts an officer's hold. Other holds cannot be lifted by an officer."""
    if state.lifted.get(request.hold_id) == hearing.message_id or hearing.message_id in state.retracted:
        return ()
    if isinstance(state, Withdrawn):
        return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
    if not is_for_an_officer(request.hold_id):
        return refuse(
            request, hearing, RefusalCode.NOT_AN_OFFICER_HOLD, phrase("lifted_by_answer", hold=request.hold_id[:80])
        )
    remaining = tuple([h for h in officer_holds_of(state) if h.hold_id != request.hold_id])
    if len(remaining) == len(officer_holds_of(state)):
        return refuse(request, hearing, RefusalCode.HOLD_UNKNOWN, phrase("hold_not_open", hold=request.hold_id[:80]))
    known = replace(state, lifted={**state.lifted, request.hold_id: hearing.message_id})
    return settle(known, state.dossier, remaining, request.consignment_id, hearing)


def retract_lift(state: Goods, request: RetractLift, hearing: Hearing) -> tuple[Fact, ...]:
    """Takes a wrong lifting back, so that the hold is open again under its own id. If the goods are released, the release is
    revoked."""
    if state.retracted.get(request.wrong) == hearing.message_id:
        return ()
    if isinstance(state, Withdrawn):
        return refuse(request, hearing, RefusalCode.CONSIGNMENT_CLOSED, phrase("withdrawn"))
    hold_id = next((hold_id for hold_id, lifting in state.lifted.items() if lifting == request.wrong), None)
    if hold_id is None:
        return refuse(request, hearing, RefusalCode.LIFT_UNKNOWN, phrase("no_hold_of_lift", request=request.wrong[:80]))
    if len(officer_holds_of(state)) >= MOST_OFFICER_HOLDS:
        return refuse(
            request, hearing, RefusalCode.TOO_MANY_HOLDS, phrase("holds_open_here", count=len(officer_holds_of(state)))
        )
    retracted = LiftRetracted(
        consignment_id=request.consignment_id,
        occurred_at=hearing.at,
        hold_id=hold_id,
        wrong=request.wrong,
        officer=request.asked_by,
        reason=request.reason,
    )
    again = held_because(
        phrase("lifted_by_mistake", words=request.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    holds = (*officer_holds_of(state), again)
    return (retracted, *settle(state, state.dossier, holds, request.consignment_id, hearing))
