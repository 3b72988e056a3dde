"""Which facts follow if a declarant asks to withdraw the declaration?"""

from schemas.codes.refusals import RefusalCode
from schemas.declaration import WithdrawalRequested
from schemas.envelope import Fact, Hearing
from schemas.phrases import phrase
from schemas.vocabulary import Direction
from services.release.goods import Goods, Refused, Released, Revoked, Withdrawn, officer_holds_of
from services.release.holds import add_evidence
from services.release.settling import settle
from services.release.statement import refused

MOST_WITHDRAWALS = 64
"""How many requests to withdraw one declaration may wait, for the assessment or for officers."""


def withdraw(state: Goods, wish: WithdrawalRequested, hearing: Hearing) -> tuple[Fact, ...]:
    """Grants or refuses the withdrawal. Stores the request instead if it must wait: for the assessment, or for officers
    because they hold the goods or the goods left unreleased."""
    terms = state.dossier.terms
    export = terms is not None and terms.direction is Direction.EXPORT
    if isinstance(state, Withdrawn):
        if any(w.request_id == wish.request_id for w in state.dossier.withdrawals):
            return ()
        code, why = RefusalCode.ALREADY_WITHDRAWN, phrase("withdrawn_already")
    elif isinstance(state, Released):
        of_export = phrase("export_released", version=state.version)
        code = RefusalCode.ALREADY_RELEASED
        why = of_export if export else phrase("released_in_version", version=state.version)
    elif isinstance(state, Refused):
        code, why = RefusalCode.CONSIGNMENT_CLOSED, phrase("refused")
    elif isinstance(state, Revoked):
        code = RefusalCode.ALREADY_RELEASED
        why = phrase("export_called_back" if export else "released_and_called_back")
    elif len(add_evidence(state.dossier, wish, hearing.message_id).withdrawals) > MOST_WITHDRAWALS:
        code, why = RefusalCode.TOO_MANY_REQUESTS, phrase("wishes_wait", count=len(state.dossier.withdrawals))
    else:
        dossier = add_evidence(state.dossier, wish, hearing.message_id)
        return settle(state, dossier, officer_holds_of(state), wish.consignment_id, hearing)
    return (refused(wish.consignment_id, wish.request_id, code, why, hearing.at),)
