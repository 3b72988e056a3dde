"""Does a declaration stand, and under which number? May its declarant ask to take it back?

The same declaration lodged again is answered with the name of the first request; another one under the same reference is
sent back while a declaration stands, and judged where the last one was rejected. Whether a withdrawal is granted is the release
desk's to say, which alone knows what became of the goods. After it what is lodged under the reference is another consignment, to
whose key it is handed on; until the answer is heard it waits, so that the order in which two desks are heard changes nothing.
"""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple, assert_never

from pydantic import Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.refusals import RefusalCode
from schemas.declaration import (
    MOST_OF_A_REFERENCE,
    Declaration,
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationPassedOn,
    DeclarationRejected,
    DeclarationRepeated,
    DeclarationWaits,
    Item,
    LodgeDeclaration,
    WithdrawalRequested,
    WithdrawDeclaration,
)
from schemas.envelope import Deadline, Fact, Hearing, RequestRefused, refusal_of, refuse
from schemas.phrases import Phrase, phrase
from schemas.release import DeclarationWithdrawn
from schemas.vocabulary import Direction, Severity, consignment_id, day_in_china
from services.declaration.checks import findings

SERIALS = 10**9
MOST_WITHDRAWALS = 64
"""Wishes to take one declaration back that go to the release desk; each stays known, so that it goes there once."""
REMEMBERED = 64
"""Answered lodgements under one reference that stay known to the desk; the loop knows each request for a day besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nothing was lodged."""

    state: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lodged:
    """What the next three states share. `paper`: half a SHA-256 of the declaration, enough to tell another one under its reference.
    `lodged_by`: the request that lodged it, empty where an older version decided it. `number`: it is the n-th consignment of its
    reference. `answered`: other lodgements that were answered with a fact, refusals left out, the latest last.
    """

    paper: str
    lodged_by: str = ""
    number: int = 1
    answered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A lodgement that is decided once the withdrawal of the standing declaration is answered."""

    request_id: str
    serial: int
    declaration: Declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Lodged):
    """It stands. `withdrawals`: requests to take it back that went to the release desk; `sent_back`: those which that desk refused."""

    state: Literal["accepted"] = "accepted"
    declarant: str
    withdrawals: tuple[str, ...] = ()
    sent_back: tuple[str, ...] = ()
    waiting: Waiting | None = None

    @property
    def pending(self) -> tuple[str, ...]:
        """Withdrawals that the release desk has not answered yet, as far as this desk has heard."""
        return tuple([each for each in self.withdrawals if each not in self.sent_back])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Lodged):
    """It does not stand; the next one under this reference is judged as if it were the first."""

    state: Literal["rejected"] = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Lodged):
    """It was taken back; what is lodged under this reference is the next consignment."""

    state: Literal["withdrawn"] = "withdrawn"
    declarant: str
    withdrawals: tuple[str, ...] = ()


State = Unknown | Accepted | Rejected | Withdrawn
Heard = LodgeDeclaration | WithdrawDeclaration | DeclarationLodgedAgain | DeclarationWithdrawn | RequestRefused
Said = (
    DeclarationAccepted
    | DeclarationRejected
    | DeclarationRepeated
    | DeclarationWaits
    | DeclarationPassedOn
    | DeclarationLodgedAgain
    | WithdrawalRequested
    | RequestRefused
)

INITIAL: State = Unknown()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


class Lodgement(NamedTuple):
    """A declaration that is lodged for the consignment whose record this is: by a request, or handed on by the one before."""

    consignment_id: str
    request_id: str
    serial: int
    declaration: Declaration
    number: int = 1
    earlier: str = ""


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    match message:
        case LodgeDeclaration():
            declaration = message.declaration
            derived = consignment_id(declaration.declarant, declaration.reference)
            if message.consignment_id != derived:
                why = phrase("derived_id", names=f"{declaration.declarant}/{declaration.reference}", id=derived)
                return refuse(message, hearing, RefusalCode.CONSIGNMENT_ID_MISMATCH, why)
            lodged = Lodgement(message.consignment_id, hearing.message_id, hearing.serial, declaration)
            return lodge(state, lodged, hearing)
        case DeclarationLodgedAgain():
            lodged = Lodgement(
                message.later,
                message.request_id,
                message.serial,
                message.declaration,
                message.number,
                message.consignment_id,
            )
            return lodge(state, lodged, hearing)
        case WithdrawDeclaration():
            return withdraw(state, message, hearing)
        case DeclarationWithdrawn():
            return succeed(state, message, hearing)
        case RequestRefused():
            return stand(state, message, hearing)
        case _:
            assert_never(message)


def lodge(state: State, lodged: Lodgement, hearing: Hearing) -> tuple[Fact, ...]:
    """Accepted with its warnings, or rejected with everything that is wrong; what stands already is only named."""
    if isinstance(state, Lodged) and lodged.request_id in (state.lodged_by, *state.answered):
        return ()
    match state:
        case Unknown() | Rejected():
            return (conclude(lodged, hearing),)
        case Accepted():
            if state.waiting is None and state.pending:
                waits = DeclarationWaits(
                    consignment_id=lodged.consignment_id,
                    occurred_at=hearing.at,
                    request_id=lodged.request_id,
                    declaration=lodged.declaration,
                    withdrawal=shown(state.pending[-1], 200),
                    serial=lodged.serial,
                )
                return (waits,)
            return (repeat(state, lodged, hearing),)
        case Withdrawn():
            return pass_on(state.number, lodged, hearing)
        case _:
            assert_never(state)


def conclude(lodged: Lodgement, hearing: Hearing) -> Fact:
    """The verdict of the checks."""
    declaration = lodged.declaration
    found = findings(declaration, day_in_china(hearing.at))
    request_id = "" if lodged.request_id == hearing.message_id else lodged.request_id
    if any(finding.severity is Severity.ERROR for finding in found):
        return DeclarationRejected(
            consignment_id=lodged.consignment_id,
            occurred_at=hearing.at,
            declaration=declaration,
            findings=found,
            number=lodged.number,
            earlier=lodged.earlier,
            request_id=request_id,
        )
    return DeclarationAccepted(
        consignment_id=lodged.consignment_id,
        occurred_at=hearing.at,
        declaration_no=declaration_no(declaration, hearing.at, lodged.serial),
        declaration=declaration,
        warnings=found,
        number=lodged.number,
        earlier=lodged.earlier,
        request_id=request_id,
    )


def repeat(state: Accepted, lodged: Lodgement, hearing: Hearing) -> Fact:
    """The answer to a lodgement under a reference whose declaration stands, or where one waits to follow it: that is the one to name."""
    waiting = state.waiting
    known, first = (paper(waiting.declaration), waiting.request_id) if waiting else (state.paper, state.lodged_by)
    if (
        waiting is not None and waiting.request_id == lodged.request_id
    ):  # it waited, and the standing one was not withdrawn
        known, first = state.paper, state.lodged_by
    if is_same_paper(known, lodged.declaration):
        return DeclarationRepeated(
            consignment_id=lodged.consignment_id,
            occurred_at=hearing.at,
            request_id=lodged.request_id,
            first_request_id=first,
        )
    return sent_back(
        lodged,
        hearing,
        RefusalCode.REFERENCE_USED,
        phrase("other_declaration", reference=_reference(lodged.declaration)),
    )


def sent_back(lodged: Lodgement, hearing: Hearing, code: RefusalCode, why: Phrase) -> RequestRefused:
    """The refusal of a lodgement, whatever message brought it here."""
    return refusal_of(lodged.consignment_id, lodged.request_id, LodgeDeclaration.kind, hearing.at, code, why)


def _reference(declaration: Declaration) -> str:
    return shown(declaration.reference, 100)


def succeed(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """The release desk took the standing declaration back: what waited for that is the next consignment."""
    if not isinstance(state, Accepted) or state.waiting is None:
        return ()
    waiting = state.waiting
    lodged = Lodgement(withdrawn.consignment_id, waiting.request_id, waiting.serial, waiting.declaration)
    return pass_on(state.number, lodged, hearing)


def stand(state: State, refused: RequestRefused, hearing: Hearing) -> tuple[Fact, ...]:
    """The release desk did not take the standing declaration back: what waited for that is answered as if nobody had asked."""
    if not isinstance(state, Accepted) or state.waiting is None or not is_about_withdrawal(state, refused):
        return ()
    if any(shown(each, 200) != refused.request_id for each in state.pending):
        return ()  # another request to take it back is not answered yet
    waiting = state.waiting
    return (
        repeat(
            state,
            Lodgement(refused.subject, waiting.request_id, waiting.serial, waiting.declaration, state.number),
            hearing,
        ),
    )


def is_about_withdrawal(state: Accepted, refused: RequestRefused) -> bool:
    """Whether it refuses a request to take the standing declaration back that had gone to the release desk."""
    return any(shown(each, 200) == refused.request_id for each in state.pending)


def pass_on(number: int, lodged: Lodgement, hearing: Hearing) -> tuple[Fact, ...]:
    """To the next consignment of the reference, which decides about it under its own key. `number`: of the one that was withdrawn."""
    if number >= MOST_OF_A_REFERENCE:
        why = phrase("withdrawn_too_often", reference=_reference(lodged.declaration), count=number)
        return (sent_back(lodged, hearing, RefusalCode.REFERENCE_SPENT, why),)
    declaration = lodged.declaration
    later = consignment_id(declaration.declarant, declaration.reference, number + 1)
    passed_on = DeclarationPassedOn(
        consignment_id=lodged.consignment_id, occurred_at=hearing.at, request_id=lodged.request_id, later=later
    )
    again = DeclarationLodgedAgain(
        consignment_id=lodged.consignment_id,
        occurred_at=hearing.at,
        later=later,
        number=number + 1,
        request_id=lodged.request_id,
        serial=lodged.serial,
        declaration=declaration,
    )
    return (passed_on, again)


def declaration_no(declaration: Declaration, at: datetime, serial: int) -> str:
    """Office 4, year 4 (China Standard Time), 1 import or 0 export, serial 9: unique among the last 10^9 requests.

    `serial`: of the request, wherever it is decided; each request is accepted once at most.
    """
    year = day_in_china(at).year
    flag = "1" if declaration.direction is Direction.IMPORT else "0"
    return f"{declaration.customs_office}{year:04}{flag}{serial % SERIALS:09}"


def withdraw(state: State, request: WithdrawDeclaration, hearing: Hearing) -> tuple[Fact, ...]:
    """To the release desk, which answers; each request goes there once."""
    match state:
        case Unknown():
            return refuse(request, hearing, RefusalCode.NOT_LODGED, phrase("nothing_lodged"))
        case Rejected():
            return refuse(request, hearing, RefusalCode.NOT_ACCEPTED, phrase("rejected"))
        case Accepted():
            if hearing.message_id in state.withdrawals:
                return ()
            if request.principal != state.declarant:
                return refuse(
                    request, hearing, RefusalCode.WRONG_DECLARANT, phrase("not_the_declarant", who=request.principal)
                )
            if len(state.withdrawals) >= MOST_WITHDRAWALS:
                return refuse(
                    request,
                    hearing,
                    RefusalCode.TOO_MANY_REQUESTS,
                    phrase("wishes_passed_on", count=len(state.withdrawals)),
                )
            wish = WithdrawalRequested(
                consignment_id=request.consignment_id,
                occurred_at=hearing.at,
                request_id=hearing.message_id,
                reason=request.reason,
            )
            return (wish,)
        case Withdrawn():
            if hearing.message_id in state.withdrawals:
                return ()
            if request.principal != state.declarant:
                return refuse(
                    request, hearing, RefusalCode.WRONG_DECLARANT, phrase("not_the_declarant", who=request.principal)
                )
            return refuse(request, hearing, RefusalCode.ALREADY_WITHDRAWN, phrase("withdrawn_already"))
        case _:
            assert_never(state)


def paper(declaration: Declaration) -> str:
    """What tells two declarations apart: half a SHA-256 of their content, each number in its shortest form."""
    return _half_of(_NUMBER.sub(_plain, declaration.__pydantic_serializer__.to_json(declaration)))


def paper_as_written(declaration: Declaration) -> str:
    """The same as the release before made it, which told 45.0 from 45; its records still have it."""
    return _half_of(declaration.__pydantic_serializer__.to_json(declaration))


def is_same_paper(remembered: str, declaration: Declaration) -> bool:
    """Whether this declaration is the one of which `remembered` was made, by this release or by the one before."""
    return remembered in (paper(declaration), paper_as_written(declaration))


def _half_of(written: bytes) -> str:
    return sha256(written).hexdigest()[:32]


def _plain(found: re.Match[bytes]) -> bytes:
    """The same number without exponent and idle zeros."""
    number = format(Decimal(found[2].decode()), "f")
    return found[1] + (number.rstrip("0").rstrip(".") if "." in number else number).encode() + b'"'


_NUMBERS = sorted(
    {
        name
        for model in (Declaration, Item)
        for name, field in model.model_fields.items()
        if Decimal.__qualname__ in repr(field.annotation)  # also of one that may be left out
    }
)
_NUMBER = re.compile(rb'("(?:%s)":")([0-9.+E-]*[.E][0-9.+E-]*)"' % "|".join(_NUMBERS).encode())
"""A number with a point or an exponent, after the name of its field. No text can look like this: its quotation marks are escaped."""


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    match message:
        case DeclarationAccepted():
            return Accepted(
                paper=paper(message.declaration),
                declarant=message.declaration.declarant,
                lodged_by=message.request_id or hearing.message_id,
                number=message.number,
                answered=tries(state),
            )
        case DeclarationRejected():
            return Rejected(
                paper=paper(message.declaration),
                lodged_by=message.request_id or hearing.message_id,
                number=message.number,
                answered=tries(state),
            )
        case WithdrawalRequested():
            if not isinstance(state, Accepted):
                return state
            return replace(state, withdrawals=(*state.withdrawals, message.request_id))
        case DeclarationWaits():
            if not isinstance(state, Accepted):
                return state
            waiting = Waiting(request_id=message.request_id, serial=message.serial, declaration=message.declaration)
            return replace(state, answered=with_answered(state, message.request_id), waiting=waiting)
        case DeclarationRepeated():
            return known(state, message.request_id)
        case DeclarationPassedOn():
            return known(state, message.request_id)
        case DeclarationWithdrawn():
            if not isinstance(state, Accepted):
                return state
            kept = {each.name: getattr(state, each.name) for each in fields(Withdrawn) if each.name != "state"}
            return Withdrawn(**kept)
        case RequestRefused():
            return refused(state, message)
        case LodgeDeclaration() | WithdrawDeclaration() | DeclarationLodgedAgain():
            return state
        case _:
            assert_never(message)


def tries(state: State) -> tuple[str, ...]:
    """The lodgements that this desk has answered so far: the next one does not make them unknown."""
    if not isinstance(state, Lodged):
        return ()
    return (*state.answered, *([state.lodged_by] if state.lodged_by else []))[-REMEMBERED:]


def known(state: State, request_id: str) -> State:
    """The state in which this lodgement is answered. One that had waited does not wait any more then."""
    if not isinstance(state, Lodged):
        return state
    return without_waiting(replace(state, answered=with_answered(state, request_id)), request_id)


def with_answered(state: Lodged, request_id: str) -> tuple[str, ...]:
    """The lodgements that were answered, this one the latest."""
    return (*[each for each in state.answered if each != request_id], request_id)[-REMEMBERED:]


def refused(state: State, message: RequestRefused) -> State:
    """A withdrawal is answered, or a lodgement that had waited."""
    if not isinstance(state, Accepted):
        return state
    if message.request_kind == LodgeDeclaration.kind:
        return without_waiting(state, message.request_id)
    if not is_about_withdrawal(state, message):
        return state
    gone = tuple([each for each in state.pending if shown(each, 200) == message.request_id])
    return replace(state, sent_back=(*state.sent_back, *gone))


def without_waiting(state: State, request_id: str) -> State:
    if not isinstance(state, Accepted) or state.waiting is None or state.waiting.request_id != request_id:
        return state
    return replace(state, waiting=None)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None."""
    return ()


def closed(state: State) -> bool:
    """Never: a corrected declaration may follow one that was rejected, and its facts are numbered on."""
    return False
