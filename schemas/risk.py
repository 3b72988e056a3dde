"""What does the risk desk say about a consignment, and on what grounds?"""

from decimal import Decimal

from schemas.envelope import AboutConsignment, Fact, Message
from schemas.vocabulary import ContainerNo, ControlKind, CreditGrade, DeclarationNo, Direction, Lane


class FiredRule(Message):
    """A rule of the table that fired: which, for which controls, and the values it read."""

    rule: str
    controls: tuple[ControlKind, ...]
    seen: str


class Draw(Message):
    """The inspection draw, repeatable by an auditor: `value` in [0, 1) is a keyed hash of consignment and rule version."""

    value: Decimal
    rate: Decimal
    selected: bool


class BoundContainer(Message):
    """A container of the consignment, and how many consignments share it."""

    container_no: ContainerNo
    shared_by: int = 1


class ConsignmentAssessed(AboutConsignment, Fact):
    """Lane and required controls. Carries what the later desks need, so that they need not read the declaration."""

    declaration_no: DeclarationNo
    direction: Direction
    customs_office: str
    transport_mode: str
    bill_no: str
    containers: tuple[BoundContainer, ...]
    lane: Lane
    controls: tuple[ControlKind, ...]
    credit_grade: CreditGrade
    rule_set: str
    rules: tuple[FiredRule, ...]
    draw: Draw
