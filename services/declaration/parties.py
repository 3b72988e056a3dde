"""Who declares, and who receives? By their unified social credit codes, each part of which is checked (GB 32100).

The consignee of an export may be a foreign party by name. One broken part is a finding, because codes were given out that break the standard: an officer decides. Two are an error.
"""

from datetime import date

from schemas.codes import uscc
from schemas.codes.offices import is_sandbox
from schemas.declaration import Declaration
from schemas.phrases import seen_phrase
from schemas.vocabulary import Direction
from services.declaration.pointing import Seen, error, warning


def parties(said: Declaration, today: date) -> Seen:
    yield from _party("declarant", said.declarant, said.customs_office)
    foreign = said.direction is Direction.EXPORT and uscc.is_name(said.consignee)
    if said.consignee != said.declarant and not foreign:
        yield from _party("consignee", said.consignee, said.customs_office)


def _party(name: str, code: str, office: str) -> Seen:
    if not uscc.is_well_formed(code):
        yield error(f"/{name}", _wrong(name, code), code)
        return
    broken = uscc.broken_parts(code)
    if uscc.is_of_sandbox(code) and not is_sandbox(office):
        broken = (*broken, uscc.Part.AREA)
    if not broken:
        return
    seen = seen_phrase("broken_parts", who=code, parts=tuple([part for part in uscc.Part if part in broken]))
    if len(broken) > 1:
        yield error(f"/{name}", _wrong(name, code), seen)
    else:
        yield warning(f"/{name}", f"{name}_breaks_standard", seen)


def _wrong(name: str, code: str) -> str:
    return "party_is_person" if uscc.is_of_person(code) else f"{name}_invalid"
