"""Which roles may do what goods wait for? The roles are taken from the table of rights, so a page never names an
officer who may not act."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import LiftContainerHold, RecordContainerFinding, RecordEquipmentEvent, RecordGateOut
from schemas.hold_ids import ARRIVAL, is_for_an_officer, is_of_departure, origin_of
from schemas.inspection import RecordFindings
from schemas.quarantine import DecideTreatment, RecordTreatment
from schemas.release import LiftHold, ReportArrival
from schemas.vocabulary import Owner, StayCode
from services.console.access.rights import ASKS, Role
from services.console.readmodel.consignment import AwaitedCode

Requests = tuple[type[Request], ...]


def _of_officer(awaited: str) -> Requests:
    if awaited == AwaitedCode.GATE_FINDING or is_of_departure(awaited):
        return (RecordContainerFinding,)
    if is_for_an_officer(awaited):
        return (LiftHold,)
    return (DecideTreatment,) if origin_of(awaited) else ()


def _of_carrier(awaited: str) -> Requests:
    return (ReportArrival,) if awaited == ARRIVAL else (RecordGateOut, RecordEquipmentEvent)


_DOES: Final[Mapping[str, Callable[[str], Requests]]] = MappingProxyType(
    {
        # For a rectification, the declarant corrects papers. This happens outside this system, and no request does it.
        # The two requests are listed for a rectification, too, so that `roles_for` names the roles that declare.
        Owner.DECLARANT: lambda awaited: (LodgeDeclaration, WithdrawDeclaration),
        Owner.INSPECTION: lambda awaited: (RecordFindings,),
        Owner.QUARANTINE: lambda awaited: (RecordTreatment,),
        Owner.CARRIER: _of_carrier,
        Owner.OFFICER: _of_officer,
    }
)
"""Who has to act (a value of `Mover`) → a function that takes what the goods wait for (the id of a hold, or a step) and
returns the kinds of requests that end this wait. The declaration, risk and release desks and the operators are not
listed, because no request of a person ends a wait for them."""


def requests_for(awaited: str, owner: str) -> Requests:
    """Returns the kinds of requests that end a wait of goods. `awaited`: the id of a hold, or a step; `owner`: a
    value of `Mover`. Returns () if no request of a person ends the wait, or if this software version does not know the
    owner."""
    does = _DOES.get(owner)
    return () if does is None else does(awaited)


def roles_for(awaited: str, owner: str) -> list[Role]:
    """Returns the roles that may send a request which ends a wait of goods, in the order of `Role`. The arguments
    are those of `requests_for`."""
    return _roles(requests_for(awaited, owner))


_ENDS_STAY: Final[Mapping[StayCode, Requests]] = MappingProxyType(
    {
        StayCode.ALARM: (RecordContainerFinding,),
        StayCode.TO_BE_COUNTED: (RecordContainerFinding,),
        StayCode.BOX_HELD: (LiftContainerHold,),
        StayCode.NO_VISIT: (RecordEquipmentEvent,),
        StayCode.NOT_STUFFED: (RecordEquipmentEvent,),
        StayCode.UNDECLARED: (LodgeDeclaration,),
        StayCode.STRIPPED: (),
        StayCode.NOT_RELEASED: (),
    }
)
"""What a container waits for → the kinds of requests that end this wait."""


def roles_of_stay(code: StayCode) -> list[Role]:
    """Returns the roles that may send a request which ends the wait of a container, in the order of `Role`. The list is
    empty for NOT_RELEASED and STRIPPED, with which the container itself waits for nobody (see `StayCode.owner`)."""
    return _roles(_ENDS_STAY[code])


def _roles(requests: Requests) -> list[Role]:
    may = frozenset[Role]().union(*[ASKS[kind].roles for kind in requests])
    return [role for role in Role if role in may]
