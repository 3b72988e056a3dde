"""Whose goods are they? Simulated people act on what simulated declarants lodged, and say in each request that nobody real asked it."""

from typing import Any

import msgspec

from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Fact, Request, RequestRefused
from schemas.gate import (
    ContainerGatedOut,
    ContainerMayLeave,
    GateAlarmRaised,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractEquipmentEvent,
)
from schemas.release import ReportArrival, RetractArrival
from schemas.vocabulary import consignment_id

SIMULATED = "simulated/"
"""How the names begin that simulated people ask under (`asked_by`)."""
FOR_A_COMPANY = (
    LodgeDeclaration,
    WithdrawDeclaration,
    ReportArrival,
    RetractArrival,
    RecordEquipmentEvent,
    RetractEquipmentEvent,
    RecordGateOut,
)
"""Requests that count for the company for which they are asked: a declarant, a carrier, a terminal."""


class _Box(msgspec.Struct):
    container_no: str


class _Said(msgspec.Struct):
    declarant: str
    reference: str
    containers: tuple[_Box, ...] = ()


class _Lodging(msgspec.Struct):
    declaration: _Said


_lodging = msgspec.json.Decoder(_Lodging)


def as_simulated(request: Request) -> Request:
    """The same request under the name of somebody simulated; what it may do by its company it may still do."""
    if request.asked_by.startswith(SIMULATED):
        return request
    changes: dict[str, Any] = {"asked_by": f"{SIMULATED}{request.asked_by}"}
    if isinstance(request, FOR_A_COMPANY):
        changes["on_behalf_of"] = request.principal
    return request.model_copy(update=changes)


class Owned:
    """The goods and containers of simulated declarants. `others`: those of everybody else, too."""

    def __init__(self, *, others: bool = False) -> None:
        self._others = others
        self._goods, self._boxes = set[str](), set[str]()

    def lodged(self, request: LodgeDeclaration) -> None:
        """Somebody simulated lodges this, for the first time or again."""
        said = request.declaration
        self._note(said.declarant, said.reference, [box.container_no for box in said.containers])

    def stripped(self, event: RecordEquipmentEvent) -> None:
        """Somebody simulated tells this of a box: the containers into which goods went out of it are theirs, too."""
        self._boxes.update(event.targets)

    def read(self, value: bytes) -> None:
        """The stored content of a lodgement that a player before sent; one that cannot be read is nobody's goods."""
        try:
            said = _lodging.decode(value).declaration
        except msgspec.DecodeError:
            return
        self._note(said.declarant, said.reference, [box.container_no for box in said.containers])

    def _note(self, declarant: str, reference: str, boxes: list[str]) -> None:
        """What is lodged a second time may become the second consignment of its reference."""
        first = consignment_id(declarant, reference)
        self._goods.add(consignment_id(declarant, reference, 2) if first in self._goods else first)
        self._boxes.update(boxes)

    def concerns(self, fact: Fact) -> bool:
        """Whether simulated people act on what this fact tells: of a container only where all that is in it is theirs."""
        if self._others:
            return True
        match fact:
            case ContainerMayLeave() | ContainerGatedOut():
                return fact.container_no in self._boxes and self._goods.issuperset(fact.consignments)
            case GateAlarmRaised():
                return fact.container_no in self._boxes and self._goods.issuperset(fact.waiting_for)
            case RequestRefused():
                return fact.subject in self._goods or fact.subject in self._boxes
            case _:
                return fact.key in self._goods or fact.key in self._boxes
