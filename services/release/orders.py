"""What follows when an officer holds goods, lifts a hold, or takes a lifting back?"""

from dataclasses import replace

from schemas.bounds import shown
from schemas.envelope import Fact, Hearing, refusal
from schemas.phrases import phrase, quoted
from schemas.release import LiftHold, LiftRetracted, PlaceHold, RetractLift
from schemas.vocabulary import Owner
from services.release.goods import OFFICER, Goods, Withdrawn, officers
from services.release.holds import held_because
from services.release.settling import MOST_OFFICER_HOLDS, settle
from services.release.watches import WATCH, Watching


def hold(state: Goods, asked: PlaceHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold, under the id of the request or of its watch; on released goods it calls the release back. Refused goods
    are held, too: the refusal may be taken back, and then nobody would know of it.
    """
    hold_id = f"{WATCH}{shown(asked.watch_id, 200)}" if asked.watch_id else f"{OFFICER}{hearing.message_id}"
    if hold_id in state.lifted or any(h.hold_id == hold_id for h in state.stated):
        if not asked.watch_id:
            return ()
        code = "watch_lifted" if hold_id in state.lifted else "already_held"
        return (refusal(asked, hearing, code, phrase("hold_known", hold=hold_id[:80])),)
    if isinstance(hearing.shared, Watching) and asked.watch_id in hearing.shared.ended:
        return (refusal(asked, hearing, "watch_lifted", phrase("hold_lifted", hold=asked.watch_id[:80])),)
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (refusal(asked, hearing, "too_many_holds", phrase("holds_open_here", count=len(officers(state)))),)
    new = held_because(
        quoted(asked.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    return settle(state, state.dossier, (*officers(state), new), asked.consignment_id, hearing)


def lift(state: Goods, asked: LiftHold, hearing: Hearing) -> tuple[Fact, ...]:
    """An officer's hold ends; the other holds are not an officer's to lift."""
    if state.lifted.get(asked.hold_id) == hearing.message_id or hearing.message_id in state.retracted:
        return ()
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    if not asked.hold_id.startswith(OFFICER):
        return (refusal(asked, hearing, "not_an_officer_hold", phrase("lifted_by_answer", hold=asked.hold_id[:80])),)
    left = tuple([h for h in officers(state) if h.hold_id != asked.hold_id])
    if len(left) == len(officers(state)):
        return (refusal(asked, hearing, "hold_unknown", phrase("hold_not_open", hold=asked.hold_id[:80])),)
    known = replace(state, lifted={**state.lifted, asked.hold_id: hearing.message_id})
    return settle(known, state.dossier, left, asked.consignment_id, hearing)


def put_back(state: Goods, asked: RetractLift, hearing: Hearing) -> tuple[Fact, ...]:
    """A lifting that was wrong is taken back: the hold stands again under its own id, and released goods are called back."""
    if state.retracted.get(asked.wrong) == hearing.message_id:
        return ()
    if isinstance(state, Withdrawn):
        return (refusal(asked, hearing, "consignment_closed", phrase("withdrawn")),)
    hold_id = next((hold_id for hold_id, lifting in state.lifted.items() if lifting == asked.wrong), None)
    if hold_id is None:
        return (refusal(asked, hearing, "lift_unknown", phrase("no_hold_of_lift", request=asked.wrong[:80])),)
    if len(officers(state)) >= MOST_OFFICER_HOLDS:
        return (refusal(asked, hearing, "too_many_holds", phrase("holds_open_here", count=len(officers(state)))),)
    retracted = LiftRetracted(
        consignment_id=asked.consignment_id,
        occurred_at=hearing.at,
        hold_id=hold_id,
        wrong=asked.wrong,
        officer=asked.asked_by,
        reason=asked.reason,
    )
    again = held_because(
        phrase("lifted_by_mistake", words=asked.reason),
        hold_id=hold_id,
        owner=Owner.OFFICER,
        since=hearing.at,
        lifted_by="LiftHold",
    )
    holds = (*officers(state), again)
    return (retracted, *settle(state, state.dossier, holds, asked.consignment_id, hearing))
