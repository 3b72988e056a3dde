"""What does the risk desk publish about a consignment, and for what reasons?

Bounds that are not in a `WhenMade` also apply when a stored fact is read, because every software version has kept to
them.
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
    """A rule of the table that applies to the declaration.

    `rule`: its name; `controls`: the controls that it requires; `seen`: the values that it read, as an English
    sentence; `phrase`: that sentence as a code and values; null in facts of older software versions.
    """

    rule: Name
    controls: Controls
    seen: Annotated[str, WhenMade(max_length=1000, pattern=LINE)]
    phrase: Annotated[Phrase | None, Field(exclude_if=is_none)] = None


class Draw(Message):
    """The draw that decides whether goods are inspected. Whoever has the key can repeat it.

    The goods are `selected` if `value` (0 ≤ `value` < 1) is below `rate`. `key_id`: the name of the key; empty in draws of older software
    versions, which had no key. With a key, `value` is a keyed hash (HMAC-SHA-256) of direction, transport document and containers; without
    one, it is a plain hash (SHA-256) of `rule_set/consignment_id`.
    """

    value: Share
    rate: Share
    selected: bool
    key_id: Name = ""


class BoundContainer(Message):
    """A container of the consignment. `shared_by`: how many consignments share it, as declared."""

    container_no: Annotated[ContainerNo, OUTSIDE]
    shared_by: Annotated[Sharers, OUTSIDE] = 1


class ConsignmentAssessed(AboutConsignment, Fact):
    """The risk desk has assessed an accepted declaration: it has chosen the lane and the controls.

    The fact repeats what the later desks need of the declaration, so that they need not read it. `rule_set`: the version of the rules;
    `rules`: those that applied; `draw`: the draw for inspection.
    """

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
