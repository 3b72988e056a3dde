"""What is wrong with a declaration that is handed in? It may have faults of shape, and the checks of the declaration desk may find faults
in the other fields.

The checks are applied here only to a declaration with a fault of shape, so that its declarant gets everything in one
answer. A declaration without such a fault is judged by the declaration desk alone.
"""

from dataclasses import replace
from typing import Any

from schemas.declaration import Declaration
from schemas.papers.sound import findings_of_sound_fields
from schemas.vocabulary import day_in_china
from services.console.api.bodies import FaultyBody, shaped
from services.console.api.problems import SHOWN_ERRORS, finding_error
from services.shell.clock import now


def declared(data: bytes, parsed: Any, where: str = "", shown: int = SHOWN_ERRORS) -> Declaration | FaultyBody:
    """Returns the declaration in this JSON, or everything that is wrong with it. The parameters, and the problems that
    are raised, are those of `shaped`. The faults of shape come first. The checks stop as soon as there are `shown`
    faults and findings, so only findings that are shown are counted."""
    made = shaped(Declaration, data, parsed, where, shown)
    if isinstance(made, Declaration):
        return made
    most = shown - len(made.faults)
    if most <= 0:
        return made
    found = findings_of_sound_fields(made.data, day_in_china(now()), most, made.unended)
    faults = [*made.faults, *[finding_error(each, where) for each in found]]
    return replace(made, faults=faults, count=made.count + len(found))
