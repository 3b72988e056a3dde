"""Which facts must be published about goods, given everything that is known about them now?"""

from datetime import datetime
from typing import assert_never

from schemas.codes.refusals import RefusalCode
from schemas.envelope import Fact, Hearing
from schemas.hold_ids import ARRIVAL, is_of_stripping
from schemas.phrases import phrase
from schemas.release import Hold, ReportArrival
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import Owner
from services.release.arrivals import arrived_partly, less_has_arrived, why_misfit
from services.release.departures import left_unreleased
from services.release.dossier import Dossier
from services.release.goods import (
    Goods,
    Held,
    Refused,
    Released,
    Revoked,
    Withdrawn,
    gate_statements,
    held_class,
    officer_holds_of,
)
from services.release.holds import (
    add_evidence,
    failures,
    held_because,
    is_being_put_right,
    latest_revisions,
    open_holds,
)
from services.release.statement import Statement, refused
from services.release.transfers import arrived_since, filled_since, strippings_of_kept_boxes
from services.release.watches import watched

MOST_OFFICER_HOLDS = 64
"""How many holds of officers may be open on one consignment. A further one would not hold the goods any better."""


def settle(
    state: Goods,
    dossier: Dossier,
    officer_holds: tuple[Hold, ...],
    consignment: str,
    hearing: Hearing,
) -> tuple[Fact, ...]:
    """Returns the facts to publish, given `dossier` and the holds of the officers. There are none if nothing changed.

    Holds of watches that match these goods, and of strippings from containers that had to stay, are placed in the same decision.
    """
    at, statement = hearing.at, Statement(consignment, state, dossier, hearing.at)
    match state:
        case Withdrawn():
            return ()
        case Refused():
            return _refused_so_far(state, dossier, officer_holds, consignment, hearing)
        case Held() | Revoked() | Released():
            pass
        case _:
            assert_never(state)
    officer_holds = (*officer_holds, *_holds_of_watches(state, dossier, officer_holds, hearing))
    officer_holds = _with_holds_of_strippings(state, dossier, officer_holds, at)
    if failed := failures(dossier):
        return (
            *statement.refuse(*next(iter(failed.items())), officer_holds),
            *statement.send_back(RefusalCode.CONSIGNMENT_CLOSED, phrase("refused")),
        )
    wishes = dossier.withdrawals
    may_be_withdrawn = dossier.terms and (not dossier.terms.controls or is_being_put_right(dossier))
    if wishes and dossier.terms and may_be_withdrawn and isinstance(state, Held):
        if not officer_holds and not left_unreleased(dossier):
            return statement.withdraw(wishes[0].request_id, wishes[0].reason, dossier.terms)
        # Otherwise the withdrawal waits for the officers. Nobody may end a hold by withdrawing the declaration and
        # declaring the goods again.
    elif wishes and dossier.terms:
        why = phrase("controls_ordered", controls=dossier.terms.controls)
        rest = dossier._replace(withdrawals=())
        return (
            *statement.send_back(RefusalCode.CONTROLS_ORDERED, why),
            *settle(state, rest, officer_holds, consignment, hearing),
        )
    holds = open_holds(dossier, officer_holds, state.stated, at)
    stops = [h for h in holds if h.hold_id != ARRIVAL] if arrived_partly(dossier) else holds
    if isinstance(state, Released) and stops:
        return statement.revoke(holds)
    if isinstance(state, Released) and (
        less_has_arrived(state.dossier, dossier) or state.boxes.keys() - arrived_since(dossier).keys()
    ):
        return statement.release_less(holds)
    news = [(h.hold_id, h.owner, h.reason) for h in holds] != [(h.hold_id, h.owner, h.reason) for h in state.stated]
    more = isinstance(state, Released) and (
        latest_revisions(dossier) != state.revisions or _went_into_others(state, dossier)
    )
    if not stops and (news or isinstance(state, Held | Revoked) or more):
        return statement.release(holds)
    return statement.keep(holds) if news else statement.unchanged(holds)


def _went_into_others(state: Released, dossier: Dossier) -> bool:
    """Returns whether the goods are in other containers than those that the release names."""
    return bool(dossier.transfers) and filled_since(dossier).keys() != state.boxes.keys()


def _holds_of_watches(
    state: Goods, dossier: Dossier, officer_holds: tuple[Hold, ...], hearing: Hearing
) -> tuple[Hold, ...]:
    """Returns the holds that must be added because a watch matches these goods. A hold that an officer lifted from
    these goods is not added again."""
    open_now = {each.hold_id for each in officer_holds}
    found = watched(hearing.shared, dossier.terms, hearing)
    new = [each for each in found if each.hold_id not in open_now and each.hold_id not in state.lifted]
    return tuple(new[: max(0, MOST_OFFICER_HOLDS - len(officer_holds))])


def _with_holds_of_strippings(
    state: Goods, dossier: Dossier, officer_holds: tuple[Hold, ...], at: datetime
) -> tuple[Hold, ...]:
    """Returns `officer_holds` with one hold for each stripping from a container that itself had to stay, and without the
    holds for strippings that were taken back. A hold that an officer lifted is not added again, and none is added
    beyond MOST_OFFICER_HOLDS."""
    wanted = strippings_of_kept_boxes(dossier) if dossier.transfers else {}
    kept = tuple([each for each in officer_holds if not is_of_stripping(each.hold_id) or each.hold_id in wanted])
    known = {*state.lifted, *[each.hold_id for each in kept]}
    new = [
        held_because(
            phrase("out_of_kept_box", boxes=source),
            hold_id=hold_id,
            owner=Owner.OFFICER,
            since=at,
            lifted_by="LiftHold",
        )
        for hold_id, source in wanted.items()
        if hold_id not in known
    ]
    return (*kept, *new[: max(0, MOST_OFFICER_HOLDS - len(kept))])


def assess(state: Goods, assessed: ConsignmentAssessed, hearing: Hearing) -> tuple[Fact, ...]:
    """Handles the assessment, which names the containers. Arrivals that were reported before and name other containers
    are refused and do not count."""
    dossier = add_evidence(state.dossier, assessed, hearing.message_id)
    sent_back: list[Fact] = []
    if dossier is not state.dossier and not isinstance(state, Withdrawn):
        for landing in state.dossier.landings:
            fault = why_misfit(dossier, landing)
            if fault and not landing.by_gate:
                of = ReportArrival.kind
                sent_back.append(refused(assessed.consignment_id, landing.message_id, *fault, hearing.at, of))
    return (*sent_back, *settle(state, dossier, officer_holds_of(state), assessed.consignment_id, hearing))


def _refused_so_far(
    state: Refused, dossier: Dossier, theirs: tuple[Hold, ...], consignment: str, hearing: Hearing
) -> tuple[Fact, ...]:
    """Returns the facts about goods that are refused. They stay refused for the failure that was named, until it is
    taken back; then the desk decides as if there had been no refusal. `theirs`: the holds of the officers. If these
    have changed, the refusal is published again with them."""
    statement, standing = Statement(consignment, state, dossier, hearing.at), failures(dossier)
    cause = state.cause or (state.dossier.failure.hold_id if state.dossier.failure else "")
    if cause in standing and theirs != officer_holds_of(state):
        return statement.refuse(cause, standing[cause], theirs)
    if cause in standing:
        # The goods may have been refused before their containers were known or had arrived. Then the gate desk gets the
        # statement now.
        return statement.to_gate(phrase("not_let_in"), refused=True)
    again = held_class(state)(dossier=state.dossier, version=statement.version, gate=gate_statements(state))
    return (statement.reconsider(cause), *settle(again, dossier, theirs, consignment, hearing))
