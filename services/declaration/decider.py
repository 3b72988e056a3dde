"""Is a declaration accepted, and under which number? May its declarant ask to withdraw it?

If the same declaration is lodged again, the answer names the first request. Another declaration under the same reference is refused
while the one before it stands, and is judged if the one before it was rejected.

The release desk decides whether a withdrawal is granted, because only it knows what happened to the goods. After a
withdrawal, a lodgement under the reference is for the next consignment, and is passed on to the key of that
consignment. Until the release desk has answered, a new lodgement waits, so that it does not matter in which order the
facts of the two desks are read.
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
from schemas.papers.checks import findings
from schemas.phrases import Phrase, phrase
from schemas.release import DeclarationWithdrawn
from schemas.vocabulary import Direction, Severity, consignment_id, day_in_china

SERIALS = 10**9
MOST_WITHDRAWALS = 64
"""How many requests to withdraw one declaration are passed on to the release desk. All of them are remembered, so that each is passed
on once."""
REMEMBERED = 64
"""How many answered lodgements under one reference the desk remembers. The loop also remembers each request for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nothing was lodged yet."""

    state: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lodged:
    """The fields that the states Accepted, Rejected and Withdrawn share. `paper`: the first half of a SHA-256 of the declaration, by
    which it is compared with others under its reference. `lodged_by`: the id of the request that lodged it; empty if an older software
    version decided it. `number`: 1 for the first consignment of its reference, 2 for the next, and so on. `answered`: the ids of other
    lodgements that were answered with a fact other than a refusal, the latest last."""

    paper: str
    lodged_by: str = ""
    number: int = 1
    answered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLodgement:
    """A lodgement that is decided as soon as the release desk has answered the withdrawal of the standing declaration."""

    request_id: str
    serial: int
    declaration: Declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Lodged):
    """The declaration was accepted. `withdrawals`: the ids of requests to withdraw it that were passed on to the release desk;
    `sent_back`: those of them that the release desk refused."""

    state: Literal["accepted"] = "accepted"
    declarant: str
    withdrawals: tuple[str, ...] = ()
    sent_back: tuple[str, ...] = ()
    waiting: WaitingLodgement | None = None

    @property
    def pending(self) -> tuple[str, ...]:
        """Returns the ids of the requests to withdraw for which this desk has not read an answer of the release desk yet."""
        return tuple([each for each in self.withdrawals if each not in self.sent_back])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Lodged):
    """The declaration was rejected. The next declaration under this reference is judged as if it were the first."""

    state: Literal["rejected"] = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Lodged):
    """The declaration was withdrawn. A declaration that is lodged under this reference from now on is for the next
    consignment."""

    state: Literal["withdrawn"] = "withdrawn"
    declarant: str
    withdrawals: tuple[str, ...] = ()


State = Unknown | Accepted | Rejected | Withdrawn
Input = LodgeDeclaration | WithdrawDeclaration | DeclarationLodgedAgain | DeclarationWithdrawn | RequestRefused
Output = (
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
    """A declaration that was lodged for this consignment by a request, or that was passed on by the earlier consignment of the same
    reference.

    `number`: the place of this consignment among those of its reference; `earlier`: the id of the consignment that passed the
    declaration on, or empty.
    """

    consignment_id: str
    request_id: str
    serial: int
    declaration: Declaration
    number: int = 1
    earlier: str = ""


def decide(state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
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
            return end_waiting(state, message, hearing)
        case _:
            assert_never(message)


def lodge(state: State, lodged: Lodgement, hearing: Hearing) -> tuple[Fact, ...]:
    """Returns the answer to a lodgement: accepted with its warnings, or rejected with all errors that were found. If a
    declaration stands already, `repeat` answers. While a request to withdraw the standing declaration is not answered,
    the first lodgement waits, and `repeat` answers the others. After the withdrawal, the lodgement is passed on to the
    next consignment. A lodgement that was answered before gets no further fact."""
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
    """Returns the fact that accepts or rejects the declaration, depending on the findings of the checks."""
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
    """Returns the answer to a lodgement under a reference whose declaration stands. The same declaration is answered
    with the id of the request that lodged it first; another declaration is refused. If an earlier lodgement waits for
    the answer to a withdrawal, this lodgement is compared with the waiting one instead."""
    waiting = state.waiting
    known, first = (paper(waiting.declaration), waiting.request_id) if waiting else (state.paper, state.lodged_by)
    # After a refused withdrawal, the waiting lodgement itself is decided here. It is then compared with the standing
    # declaration.
    if waiting is not None and waiting.request_id == lodged.request_id:
        known, first = state.paper, state.lodged_by
    if is_same_paper(known, lodged.declaration):
        return DeclarationRepeated(
            consignment_id=lodged.consignment_id,
            occurred_at=hearing.at,
            request_id=lodged.request_id,
            first_request_id=first,
        )
    return refusal_of_lodgement(
        lodged,
        hearing,
        RefusalCode.REFERENCE_USED,
        phrase("other_declaration", reference=_reference(lodged.declaration)),
    )


def refusal_of_lodgement(lodged: Lodgement, hearing: Hearing, code: RefusalCode, why: Phrase) -> RequestRefused:
    """Returns the refusal of a lodgement, whether it came as a request or was passed on."""
    return refusal_of(lodged.consignment_id, lodged.request_id, LodgeDeclaration.kind, hearing.at, code, why)


def _reference(declaration: Declaration) -> str:
    return shown(declaration.reference, 100)


def succeed(state: State, withdrawn: DeclarationWithdrawn, hearing: Hearing) -> tuple[Fact, ...]:
    """Passes the lodgement that waited for the withdrawal on to the next consignment, because the release desk has granted the
    withdrawal."""
    if not isinstance(state, Accepted) or state.waiting is None:
        return ()
    waiting = state.waiting
    lodged = Lodgement(withdrawn.consignment_id, waiting.request_id, waiting.serial, waiting.declaration)
    return pass_on(state.number, lodged, hearing)


def end_waiting(state: State, refused: RequestRefused, hearing: Hearing) -> tuple[Fact, ...]:
    """Answers the lodgement that waited for the withdrawal, as `repeat` does, because the release desk has refused the withdrawal."""
    if not isinstance(state, Accepted) or state.waiting is None or not is_about_withdrawal(state, refused):
        return ()
    if any(shown(each, 200) != refused.request_id for each in state.pending):
        return ()  # another withdrawal of the same declaration is not answered yet, so the lodgement still waits
    waiting = state.waiting
    return (
        repeat(
            state,
            Lodgement(refused.subject, waiting.request_id, waiting.serial, waiting.declaration, state.number),
            hearing,
        ),
    )


def is_about_withdrawal(state: Accepted, refused: RequestRefused) -> bool:
    """Returns whether this fact is the release desk's refusal of a request to withdraw the standing declaration. Only
    requests that are not answered yet count."""
    return any(shown(each, 200) == refused.request_id for each in state.pending)


def pass_on(number: int, lodged: Lodgement, hearing: Hearing) -> tuple[Fact, ...]:
    """Passes a lodgement on to the next consignment of its reference, under whose key it is decided. Refuses the lodgement if the
    reference has too many consignments. `number`: that of the consignment that was withdrawn."""
    if number >= MOST_OF_A_REFERENCE:
        why = phrase("withdrawn_too_often", reference=_reference(lodged.declaration), count=number)
        return (refusal_of_lodgement(lodged, hearing, RefusalCode.REFERENCE_SPENT, why),)
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
    """Returns the declaration number, 18 digits: office (4), year in China Standard Time (4), 1 for import or 0 for export, serial
    (9). It is unique among the last 10^9 requests.

    `serial`: that of the request that lodged the declaration, even if another message led to the decision. Each request is accepted at
    most once.
    """
    year = day_in_china(at).year
    flag = "1" if declaration.direction is Direction.IMPORT else "0"
    return f"{declaration.customs_office}{year:04}{flag}{serial % SERIALS:09}"


def withdraw(state: State, request: WithdrawDeclaration, hearing: Hearing) -> tuple[Fact, ...]:
    """Passes a request to withdraw the declaration on to the release desk, which answers it. Each request is passed on once."""
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
    """Returns the digest by which two declarations are compared: the first 32 hexadecimal digits of a SHA-256 of the content, with
    each number in its shortest form."""
    return _half_of(_NUMBER.sub(_plain, declaration.__pydantic_serializer__.to_json(declaration)))


def paper_as_written(declaration: Declaration) -> str:
    """Returns the digest of an older software version, for which 45.0 and 45 were different. Records that it wrote still have this
    digest."""
    return _half_of(declaration.__pydantic_serializer__.to_json(declaration))


def is_same_paper(remembered: str, declaration: Declaration) -> bool:
    """Returns whether `remembered` is the digest of this declaration, made by this software version or by the older one."""
    return remembered in (paper(declaration), paper_as_written(declaration))


def _half_of(written: bytes) -> str:
    return sha256(written).hexdigest()[:32]


def _plain(found: re.Match[bytes]) -> bytes:
    """Returns the field with its number written without an exponent and without trailing zeros. `found`: a match of
    `_NUMBER`. Every zero is written `0`: older software versions accepted zeros such as `0E-999999999`, which has a
    gigabyte of digits if it is written without its exponent."""
    value = Decimal(found[2].decode())
    number = format(value, "f") if value else "0"
    return found[1] + (number.rstrip("0").rstrip(".") if "." in number else number).encode() + b'"'


_NUMBERS = sorted(
    {
        name
        for model in (Declaration, Item)
        for name, field in model.model_fields.items()
        if Decimal.__qualname__ in repr(field.annotation)  # `repr` is used to find `Decimal | None`, too
    }
)
_NUMBER = re.compile(rb'("(?:%s)":")([0-9.+E-]*[.E][0-9.+E-]*)"' % "|".join(_NUMBERS).encode())
"""The pattern of a number with a point or an exponent, after the name of its field. No text can match it, because quotation marks in a
text are escaped."""


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    match message:
        case DeclarationAccepted():
            return Accepted(
                paper=paper(message.declaration),
                declarant=message.declaration.declarant,
                lodged_by=message.request_id or hearing.message_id,
                number=message.number,
                answered=answered_so_far(state),
            )
        case DeclarationRejected():
            return Rejected(
                paper=paper(message.declaration),
                lodged_by=message.request_id or hearing.message_id,
                number=message.number,
                answered=answered_so_far(state),
            )
        case WithdrawalRequested():
            if not isinstance(state, Accepted):
                return state
            return replace(state, withdrawals=(*state.withdrawals, message.request_id))
        case DeclarationWaits():
            if not isinstance(state, Accepted):
                return state
            waiting = WaitingLodgement(
                request_id=message.request_id, serial=message.serial, declaration=message.declaration
            )
            return replace(state, answered=with_answered(state, message.request_id), waiting=waiting)
        case DeclarationRepeated():
            return after_answer(state, message.request_id)
        case DeclarationPassedOn():
            return after_answer(state, message.request_id)
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


def answered_so_far(state: State) -> tuple[str, ...]:
    """Returns the ids of the last lodgements that this desk has answered, at most REMEMBERED. The next state must keep
    them."""
    if not isinstance(state, Lodged):
        return ()
    return (*state.answered, *([state.lodged_by] if state.lodged_by else []))[-REMEMBERED:]


def after_answer(state: State, request_id: str) -> State:
    """Returns the state after this lodgement was answered. If it was the lodgement that waited, none waits any more."""
    if not isinstance(state, Lodged):
        return state
    return without_waiting(replace(state, answered=with_answered(state, request_id)), request_id)


def with_answered(state: Lodged, request_id: str) -> tuple[str, ...]:
    """Returns the ids of the lodgements that were answered, with `request_id` as the latest."""
    return (*[each for each in state.answered if each != request_id], request_id)[-REMEMBERED:]


def refused(state: State, message: RequestRefused) -> State:
    """Returns the state after a refusal: the release desk refused a withdrawal, or this desk refused the lodgement that waited."""
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
    """Returns no time limits."""
    return ()


def closed(state: State) -> bool:
    """Returns False, because a corrected declaration may follow a rejected one, and its facts must continue the sequence numbers."""
    return False
