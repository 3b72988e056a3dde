"""Were these goods declared by a simulated declarant? Simulated people act only on such goods. Each request of
simulated people says that its sender is simulated."""

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
"""The prefix of the names in `asked_by` in the requests of simulated people."""
FOR_A_COMPANY = (
    LodgeDeclaration,
    WithdrawDeclaration,
    ReportArrival,
    RetractArrival,
    RecordEquipmentEvent,
    RetractEquipmentEvent,
    RecordGateOut,
)
"""The kinds of requests that count as sent by the company on whose behalf they are sent: a declarant, a carrier or a
terminal."""


class _Box(msgspec.Struct):
    container_no: str


class _Declaration(msgspec.Struct):
    declarant: str
    reference: str
    containers: tuple[_Box, ...] = ()


class _Lodging(msgspec.Struct):
    declaration: _Declaration


_lodging = msgspec.json.Decoder(_Lodging)


def as_simulated(request: Request) -> Request:
    """Returns the same request with a simulated sender in `asked_by`. If the request counts as sent by a company
    (`FOR_A_COMPANY`), `on_behalf_of` names that company."""
    if request.asked_by.startswith(SIMULATED):
        return request
    changes: dict[str, Any] = {"asked_by": f"{SIMULATED}{request.asked_by}"}
    if isinstance(request, FOR_A_COMPANY):
        changes["on_behalf_of"] = request.principal
    return request.model_copy(update=changes)


class Owned:
    """The goods and containers of simulated declarants, or, with `others`, those of all declarants."""

    def __init__(self, *, others: bool = False) -> None:
        self._others = others
        self._goods, self._boxes = set[str](), set[str]()

    def lodged(self, request: LodgeDeclaration) -> None:
        """Notes the goods and containers of a simulated declarant who lodges this declaration, for the first time or again."""
        declaration = request.declaration
        self._note(declaration.declarant, declaration.reference, [box.container_no for box in declaration.containers])

    def stripped(self, event: RecordEquipmentEvent) -> None:
        """Notes the containers into which goods were stripped, according to a simulated terminal's report."""
        self._boxes.update(event.targets)

    def read(self, value: bytes) -> None:
        """Notes the goods and containers of a lodgement that an earlier player sent. `value`: the stored JSON of the request. A
        value that cannot be read is skipped."""
        try:
            declaration = _lodging.decode(value).declaration
        except msgspec.DecodeError:
            return
        self._note(declaration.declarant, declaration.reference, [box.container_no for box in declaration.containers])

    def _note(self, declarant: str, reference: str, boxes: list[str]) -> None:
        """Notes these goods and containers. If a declaration is lodged a second time, also notes the id of the second
        consignment of its reference, because the goods may be handled under that id from then on."""
        first = consignment_id(declarant, reference)
        self._goods.add(consignment_id(declarant, reference, 2) if first in self._goods else first)
        self._boxes.update(boxes)

    def concerns(self, fact: Fact) -> bool:
        """Returns whether simulated people act on this fact. If the fact names the goods in a container, simulated
        declarants must have declared all of them."""
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
