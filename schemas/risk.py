"""What does the risk desk publish about a consignment, and for what reasons?

The lists and numbers of these facts have had the bounds of a declaration since the first software version, so here the bounds
also apply to stored facts.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from schemas.bounds import LINE, WhenMade
from schemas.declaration import MOST_CONTAINERS, MOST_PACKAGES, MOST_SHARERS, BillNo, Code
from schemas.envelope import AboutConsignment, Fact, Message, is_none
from schemas.marks import INSIDE, OUTSIDE, TO_DECLARANT
from schemas.phrases import Phrase
from schemas.vocabulary import (
    ContainerNo,
    ControlKind,
    CreditGrade,
    DeclarationNo,
    Direction,
    GoodsClass,
    Lane,
    Name,
)

Controls = Annotated[tuple[ControlKind, ...], Field(max_length=len(ControlKind))]
GoodsClasses = Annotated[tuple[GoodsClass, ...], Field(max_length=len(GoodsClass))]
"""The classes of the goods on which a treatment depends; empty if an older software version did not write them."""
Sharers = Annotated[int, Field(ge=1, le=MOST_SHARERS)]
"""How many consignments share a container."""
Share = Annotated[Decimal, WhenMade(ge=0, le=1, decimal_places=6)]


class FiredRule(Message):
    """A rule of the table that fired: which, for which controls, and the values it read.

    `phrase`: the same by code and values; None in facts of older software versions.
    """

    rule: Name
    controls: Controls
    seen: Annotated[str, WhenMade(max_length=1000, pattern=LINE)]
    phrase: Annotated[Phrase | None, Field(exclude_if=is_none)] = None


class Draw(Message):
    """The inspection draw, which whoever has the key can repeat: `value` in [0, 1), `selected` when it is below `rate`.

    `key_id` names the key. `value` is then a keyed hash (HMAC-SHA-256) of the lot: direction, transport document, containers.
    Without one it was drawn before there were keys: a plain hash (SHA-256) of `rule_set/consignment_id`.
    """

    value: Share
    rate: Share
    selected: bool
    key_id: Name = ""


class BoundContainer(Message):
    """A container of the consignment, and how many consignments share it."""

    container_no: Annotated[ContainerNo, OUTSIDE]
    shared_by: Annotated[Sharers, OUTSIDE] = 1


class ConsignmentAssessed(AboutConsignment, Fact):
    """Lane and required controls. Carries what the later desks need, so that they need not read the declaration."""

    declaration_no: Annotated[DeclarationNo, OUTSIDE]
    direction: Annotated[Direction, OUTSIDE]
    customs_office: Annotated[Code, OUTSIDE]
    transport_mode: Annotated[Code, OUTSIDE]
    bill_no: Annotated[BillNo, OUTSIDE]
    containers: Annotated[tuple[BoundContainer, ...], Field(max_length=MOST_CONTAINERS), OUTSIDE]
    lane: Annotated[Lane, TO_DECLARANT]
    controls: Annotated[Controls, TO_DECLARANT]
    credit_grade: Annotated[CreditGrade, INSIDE]
    rule_set: Annotated[Name, INSIDE]
    rules: Annotated[tuple[FiredRule, ...], Field(max_length=100), INSIDE]
    draw: Annotated[Draw, INSIDE]
    goods: Annotated[GoodsClasses, OUTSIDE] = ()
    conveyance: Annotated[str, WhenMade(max_length=100, pattern=LINE), OUTSIDE] = ""
    """The conveyance as declared; empty if an older software version did not write it."""
    packages: Annotated[int, WhenMade(ge=-MOST_PACKAGES, le=MOST_PACKAGES), OUTSIDE] = 0
    """The number of packages as declared; 0 if an older software version did not write it."""
    declarant: Annotated[Code, TO_DECLARANT] = ""
    """The USCC of the declarant; empty if an older software version did not write it."""
