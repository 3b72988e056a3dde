"""Who declares, and who receives? Each part of the unified social credit codes of these parties is checked (GB 32100).

The consignee of an export may be the name of a foreign party. If one part of a code breaks the standard, the finding is
a warning, and an officer decides, because such codes were really issued. If two or more parts break it, the finding is
an error.

The text may also be the number of an identity card. If one of its parts breaks the standard for codes, the finding is
an error. If no part does, the text may be either a code or the number of a person: the finding is a warning, and an
officer decides.
"""

from datetime import date
from typing import NamedTuple

from schemas.codes import uscc
from schemas.codes.checks import CheckCode
from schemas.codes.offices import is_sandbox
from schemas.declaration import Declaration
from schemas.papers.pointing import Findings, UnsoundField, error, warning
from schemas.phrases import seen_phrase
from schemas.vocabulary import Direction


class PartyField(NamedTuple):
    """A field of the declaration that names a party: its pointer, and the codes of its findings."""

    pointer: str
    invalid: CheckCode
    breaks_standard: CheckCode


DECLARANT = PartyField("/declarant", CheckCode.DECLARANT_INVALID, CheckCode.DECLARANT_BREAKS_STANDARD)
CONSIGNEE = PartyField("/consignee", CheckCode.CONSIGNEE_INVALID, CheckCode.CONSIGNEE_BREAKS_STANDARD)


def declarant(declaration: Declaration, today: date) -> Findings:
    yield from _party(DECLARANT, declaration.declarant, declaration)


def consignee(declaration: Declaration, today: date) -> Findings:
    foreign = uscc.is_name(declaration.consignee) and declaration.direction is Direction.EXPORT
    if not foreign and not _is_declarant(declaration):
        yield from _party(CONSIGNEE, declaration.consignee, declaration)


def _is_declarant(declaration: Declaration) -> bool:
    """Returns whether the consignee is the same party as the declarant. Returns False if the field of the
    declarant is missing or is not a text (UnsoundField); the consignee is then judged by itself."""
    try:
        return declaration.consignee == declaration.declarant
    except UnsoundField:
        return False


def _party(field: PartyField, code: str, declaration: Declaration) -> Findings:
    if not uscc.is_well_formed(code):
        yield error(field.pointer, _wrong(field, code), code)
        return
    broken = uscc.broken_parts(code)
    if uscc.is_of_sandbox(code) and not is_sandbox(declaration.customs_office):
        broken = (*broken, uscc.CreditCodePart.AREA)
    if not broken:
        if uscc.is_of_person(code):
            yield warning(field.pointer, CheckCode.PARTY_IS_PERSON, code)
        return
    value = seen_phrase("broken_parts", who=code, parts=tuple([part for part in uscc.CreditCodePart if part in broken]))
    if len(broken) > 1 or uscc.is_of_person(code):
        yield error(field.pointer, _wrong(field, code), value)
    else:
        yield warning(field.pointer, field.breaks_standard, value)


def _wrong(field: PartyField, code: str) -> CheckCode:
    return CheckCode.PARTY_IS_PERSON if uscc.is_of_person(code) else field.invalid
