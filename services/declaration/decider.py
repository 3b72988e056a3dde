"""Does a declaration stand, and under which number? May its declarant ask to take it back?

The same declaration lodged again is answered with the name of the first request; another one under the same reference is
sent back while a declaration stands, and judged where the last one was rejected. Whether a withdrawal
is granted is the release desk's to say, which alone knows what became of the goods.
"""

from hashlib import sha256
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.bounds import state_adapter
from schemas.declaration import (
    Declaration,
    DeclarationAccepted,
    DeclarationRejected,
    DeclarationRepeated,
    LodgeDeclaration,
    WithdrawalRequested,
    WithdrawDeclaration,
)
from schemas.envelope import Deadline, Fact, Hearing, RequestRefused, refusal
from schemas.vocabulary import Direction, Severity, consignment_id, day_in_china
from services.declaration.checks import findings

SERIALS = 10**9
MOST_WITHDRAWALS = 64
"""Wishes to take one declaration back that go to the release desk; each stays known, so that it goes there once."""


class Unknown(BaseModel):
    """Nothing was lodged."""

    model_config = ConfigDict(frozen=True)
    state: Literal["unknown"] = "unknown"


class Lodged(BaseModel):
    """What the next two states share. `paper`: half a SHA-256 of the declaration, enough to tell another one under its reference.
    `lodged_by`: the request that lodged it, empty where an older version decided it.
    """

    model_config = ConfigDict(frozen=True)
    paper: str
    lodged_by: str = ""


class Accepted(Lodged):
    """It stands. `withdrawals`: requests to take it back that went to the release desk."""

    state: Literal["accepted"] = "accepted"
    declarant: str
    withdrawals: tuple[str, ...] = ()


class Rejected(Lodged):
    """It does not stand; the next one under this reference is judged as if it were the first."""

    state: Literal["rejected"] = "rejected"


State = Unknown | Accepted | Rejected
Heard = LodgeDeclaration | WithdrawDeclaration
Said = DeclarationAccepted | DeclarationRejected | DeclarationRepeated | WithdrawalRequested | RequestRefused

INITIAL: State = Unknown()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case LodgeDeclaration():
            return lodge(state, message, hearing)
        case WithdrawDeclaration():
            return withdraw(state, message, hearing)
        case _:
            assert_never(message)


def lodge(state: State, asked: LodgeDeclaration, hearing: Hearing) -> tuple[Fact, ...]:
    """Accepted with its warnings, or rejected with everything that is wrong."""
    said = asked.declaration
    if isinstance(state, Lodged) and state.lodged_by == hearing.message_id:
        return ()
    match state:
        case Unknown() | Rejected():
            if asked.consignment_id != consignment_id(said.declarant, said.reference):
                seen = f"{said.declarant}/{said.reference} is {consignment_id(said.declarant, said.reference)}"
                return (refusal(asked, hearing, "consignment_id_mismatch", seen),)
            return (conclude(asked, hearing),)
        case Accepted():
            if state.paper == paper(said):
                repeated = DeclarationRepeated(
                    consignment_id=asked.consignment_id,
                    occurred_at=hearing.at,
                    request_id=hearing.message_id,
                    first_request_id=state.lodged_by,
                )
                return (repeated,)
            return (refusal(asked, hearing, "reference_used", f"reference {said.reference} holds another declaration"),)
        case _:
            assert_never(state)


def conclude(asked: LodgeDeclaration, hearing: Hearing) -> Fact:
    """The verdict of the checks."""
    said = asked.declaration
    seen = findings(said, day_in_china(hearing.at))
    if any(finding.severity is Severity.ERROR for finding in seen):
        return DeclarationRejected(
            consignment_id=asked.consignment_id, occurred_at=hearing.at, declaration=said, findings=seen
        )
    return DeclarationAccepted(
        consignment_id=asked.consignment_id,
        occurred_at=hearing.at,
        declaration_no=declaration_no(said, hearing),
        declaration=said,
        warnings=seen,
    )


def declaration_no(said: Declaration, hearing: Hearing) -> str:
    """Office 4, year 4 (China Standard Time), 1 import or 0 export, serial 9: unique among the last 10^9 requests."""
    year = day_in_china(hearing.at).year
    flag = "1" if said.direction is Direction.IMPORT else "0"
    return f"{said.customs_office}{year:04}{flag}{hearing.serial % SERIALS:09}"


def withdraw(state: State, asked: WithdrawDeclaration, hearing: Hearing) -> tuple[Fact, ...]:
    """To the release desk, which answers; each request goes there once."""
    match state:
        case Unknown():
            return (refusal(asked, hearing, "not_lodged", "nothing was lodged"),)
        case Rejected():
            return (refusal(asked, hearing, "not_accepted", "the declaration was rejected"),)
        case Accepted():
            if hearing.message_id in state.withdrawals:
                return ()
            if asked.principal != state.declarant:
                return (refusal(asked, hearing, "wrong_declarant", f"{asked.principal} is not the declarant"),)
            if len(state.withdrawals) >= MOST_WITHDRAWALS:
                return (
                    refusal(asked, hearing, "too_many_requests", f"{len(state.withdrawals)} wishes were passed on"),
                )
            wish = WithdrawalRequested(
                consignment_id=asked.consignment_id,
                occurred_at=hearing.at,
                request_id=hearing.message_id,
                reason=asked.reason,
            )
            return (wish,)
        case _:
            assert_never(state)


def paper(said: Declaration) -> str:
    """What tells two declarations apart: half a SHA-256 of their content."""
    return sha256(said.__pydantic_serializer__.to_json(said)).hexdigest()[:32]


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case DeclarationAccepted():
            return Accepted(
                paper=paper(message.declaration),
                declarant=message.declaration.declarant,
                lodged_by=hearing.message_id,
            )
        case DeclarationRejected():
            return Rejected(paper=paper(message.declaration), lodged_by=hearing.message_id)
        case WithdrawalRequested():
            if not isinstance(state, Accepted):
                return state
            return state.model_copy(update={"withdrawals": (*state.withdrawals, message.request_id)})
        case LodgeDeclaration() | WithdrawDeclaration() | DeclarationRepeated() | RequestRefused():
            return state
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None."""
    return ()


def closed(state: State) -> bool:
    """Never: a corrected declaration may follow one that was rejected, and its facts are numbered on."""
    return False
